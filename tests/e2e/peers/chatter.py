#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A chat client on slixmpp; commands and events as said in xmpp.py, and these:

    say TO WHAT [ID] [MORE: XML of further children]; it asks for a receipt
    chat (from, body, id, type, stamp of a delay), receipt (from, id), bounced (from, id, condition, text)

Its receipts are those of slixmpp's plugin.
"""
import argparse
import asyncio
import json
import logging
import sys
import time
import uuid
import xml.etree.ElementTree as ET

import slixmpp

RECEIPTS = "{urn:xmpp:receipts}"
DELAY = "{urn:xmpp:delay}delay"


def report(event, **more):
    print(json.dumps({"at": time.time(), "event": event, **more}), flush=True)


class Chatter(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(f"{options.account}@{options.domain}/{options.resource}", options.password)
        self.register_plugin("xep_0184")
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("message_error", self.on_error)
        self.add_event_handler("receipt_received", lambda m: report("receipt", **{"from": m["from"].full, "id": m["receipt"]}))

    async def on_start(self, _):
        self.send_presence()
        await self.get_roster()
        report("online", jid=self.boundjid.full)

    @staticmethod
    def on_message(message):
        if not message["body"] or message["type"] == "error":
            return
        delay = message.xml.find(DELAY)
        report("chat", **{"from": message["from"].full, "to": message["to"].full, "body": message["body"], "id": message["id"],
                          "type": message["type"], "stamp": None if delay is None else delay.get("stamp")})

    @staticmethod
    def on_error(message):
        error = message["error"]
        report("bounced", **{"from": message["from"].full, "id": message["id"], "condition": error["condition"],
                             "kind": error["type"], "text": error["text"]})

    def say(self, to, what, id=None, more=""):
        message = self.make_message(to, mtype="chat")
        message["id"] = id or uuid.uuid4().hex
        if what:
            message["body"] = what
        ET.SubElement(message.xml, RECEIPTS + "request")
        for child in ET.fromstring(f"<x xmlns='jabber:client'>{more}</x>"):
            message.xml.append(child)
        message.send()
        report("said", id=message["id"])


async def obey(client):
    reader = asyncio.StreamReader()
    await asyncio.get_event_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        order = json.loads(line)
        command = order.pop("command")
        if command == "say":
            client.say(**order)
        elif command == "quit":
            break
    await client.disconnect(wait=2)


def main():
    parser = argparse.ArgumentParser()
    for name in ("account", "password", "resource", "domain", "mic", "log"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG, filename=f"{options.log}.debug")
    client = Chatter(options)
    client.connect(("127.0.0.1", options.port))
    client.loop.run_until_complete(obey(client))


if __name__ == "__main__":
    main()
