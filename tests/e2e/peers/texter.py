# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person who writes: slixmpp, logged in as a client of an account, in a thread of its own.

Keeps all that has been sent and all that has come, in order.  The client comes back by
itself when its server does.
"""
import asyncio
import dataclasses
import threading
import time
import uuid

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .process import Failed, until

RECEIPTS, STANZA_ID, DELAY = "urn:xmpp:receipts", "urn:xmpp:sid:0", "urn:xmpp:delay"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


@dataclasses.dataclass
class Chat:
    """A message that has come."""
    at: float
    sender: str  # bare JID
    id: str
    type: str
    body: str
    receipt: str  # the id of the message that it says has been received; or ""
    origin: str
    delayed: bool
    condition: str = ""  # of an error
    words: str = ""


class _Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password, taken):
        super().__init__(jid, password)
        self._taken = taken
        self.online = threading.Event()
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.add_event_handler("session_start", self._begin)
        self.add_event_handler("disconnected", lambda _: self.online.clear())
        self.register_handler(Callback("all messages", MatchXPath(f"{{{self.default_ns}}}message"), self._message))

    async def _begin(self, _):
        self.send_presence()
        await self.get_roster()
        self.online.set()

    def _message(self, message):
        xml = message.xml
        received = xml.find(f"{{{RECEIPTS}}}received")
        origin = xml.find(f"{{{STANZA_ID}}}origin-id")
        error = xml.find(f"{{{self.default_ns}}}error")
        condition = words = ""
        for child in error if error is not None else ():
            if child.tag == f"{STANZAS}text":
                words = child.text or ""
            elif child.tag.startswith(STANZAS):
                condition = child.tag.removeprefix(STANZAS)
        self._taken(Chat(time.time(), message["from"].bare, message["id"], xml.get("type", "normal"), message["body"],
                         "" if received is None else received.get("id", ""), "" if origin is None else origin.get("id", ""),
                         xml.find(f"{{{DELAY}}}delay") is not None, condition, words))
        if message["type"] != "error" and xml.find(f"{{{RECEIPTS}}}request") is not None:
            answer = self.make_message(message["from"], mtype=xml.get("type", "normal"))
            answer.append(slixmpp.ElementBase(xml=self._receipt(message["id"])).xml)
            answer.send()

    @staticmethod
    def _receipt(about):
        return slixmpp.ET.Element(f"{{{RECEIPTS}}}received", {"id": about})


class Texter:
    """One client of an account."""

    def __init__(self, account, port, domain, resource="chat", password="pw"):
        self.name, self.account = f"{account}-{resource}", f"{account}@{domain}"
        self.chats = []  # Chat, as they came
        self.sent = []   # (id, to, body)
        self._port, self._closing = port, False
        self._jid, self._password = f"{self.account}/{resource}", password
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise Failed(f"{self.name} did not begin")

    def _run(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.client = _Client(self._jid, self._password, self.chats.append)
        self._connect()
        self.client.add_event_handler("disconnected", lambda _: self._closing or self.loop.call_later(0.5, self._connect))
        self.client.add_event_handler("connection_failed", lambda _: None)
        self._ready.set()
        self.loop.run_forever()

    def _connect(self):
        self.client.connect(("127.0.0.1", self._port), disable_starttls=True)

    def online(self, seconds=20):
        until(self.client.online.is_set, seconds, f"{self.name} to be on line")
        return self

    def send(self, to, body, receipt=True, number=None, extra=()):
        """Its id.  `extra`: elements beside."""
        name = number or uuid.uuid4().hex
        self.sent.append((name, to, body))

        def now():
            message = self.client.make_message(to, body, mtype="chat")
            message["id"] = name
            message.xml.append(slixmpp.ET.Element(f"{{{STANZA_ID}}}origin-id", {"id": name}))
            if receipt:
                message.xml.append(slixmpp.ET.Element(f"{{{RECEIPTS}}}request"))
            for element in extra:
                message.xml.append(slixmpp.ET.fromstring(element))
            message.send()
        self.loop.call_soon_threadsafe(now)
        return name

    def texts(self):
        """What people have written to it."""
        return [c for c in list(self.chats) if c.body and c.type != "error"]

    def receipts(self):
        return {c.receipt for c in list(self.chats) if c.receipt}

    def errors(self):
        """id of what was sent → Chat"""
        return {c.id: c for c in list(self.chats) if c.type == "error"}

    def wait_text(self, body, seconds=15):
        return until(lambda: next((c for c in self.texts() if c.body == body), None), seconds, f"{body!r} at {self.name}")

    def wait_receipt(self, number, seconds=15):
        until(lambda: number in self.receipts(), seconds, f"the receipt of {number} at {self.name}")

    def wait_error(self, number, seconds=15):
        return until(lambda: self.errors().get(number), seconds, f"the error about {number} at {self.name}")

    def stop(self):
        self._closing = True

        async def end():
            await self.client.disconnect(wait=0.2)
            for task in asyncio.all_tasks(self.loop) - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            self.loop.stop()
        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self._thread.join(5)
