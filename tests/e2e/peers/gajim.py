#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gajim 1.9: plain RTP over two components, called and calling without messages.

The media is never begun: a gateway refuses what is not encrypted, with
session-terminate and security-error."""
import json
import uuid
import xml.etree.ElementTree as ET

import aioice

import aiortc_phone
from aiortc_phone import Call, Phone, report
from jingle import ICE, JINGLE, RTP, q

PAYLOADS = [("OPUS", "96", "2", "48000"), ("SPEEX", "97", "1", "16000"), ("G722", "9", "1", "8000"),
            ("PCMA", "8", "1", "8000"), ("PCMU", "0", "1", "8000"), ("telephone-event", "98", "1", "8000")]


class GajimCall(Call):
    content = "voice"

    async def description(self):
        """A content with candidates of both components, all of foundation 1."""
        self.ice = aioice.Connection(ice_controlling=self.is_caller, components=2)
        await self.ice.gather_candidates()
        content = ET.Element(q(JINGLE, "content"), creator="initiator", name=self.content, senders="both")
        description = ET.SubElement(content, q(RTP, "description"), media="audio")
        for name, number, channels, clockrate in PAYLOADS:
            payload = ET.SubElement(description, q(RTP, "payload-type"), name=name, id=number, channels=channels,
                                    clockrate=clockrate)
            if name == "telephone-event":
                ET.SubElement(payload, q(RTP, "parameter"), name="events", value="0-15")
        transport = ET.SubElement(content, q(ICE, "transport"), ufrag=self.ice.local_username, pwd=self.ice.local_password)
        for c in self.ice.local_candidates:
            ET.SubElement(transport, q(ICE, "candidate"), component=str(c.component), foundation="1", generation="0",
                          ip=c.host, network="0", port=str(c.port), priority=str(c.priority), id=str(uuid.uuid4()),
                          type=c.type, protocol="udp")
        return content

    async def begin(self):
        self.report("dialled", to=self.peer)
        self.state = "initiated"
        element = ET.Element(q(JINGLE, "jingle"), action="session-initiate", sid=self.sid, initiator=str(self.phone.boundjid))
        element.append(await self.description())
        await self.request(element)

    async def accept(self):
        self.state = "answered"
        self.content = self.offer.find(q(JINGLE, "content")).get("name")
        element = ET.Element(q(JINGLE, "jingle"), action="session-accept", sid=self.sid, initiator=self.peer)
        element.append(await self.description())
        self.report("answered", codecs=[])
        await self.request(element)

    async def on_accept(self, element):
        self.report("error", what="a session without encryption was accepted")


class GajimPhone(Phone):
    call_class = GajimCall

    def __init__(self, options):
        with open(options.personality, encoding="utf-8") as file:
            self.personality = json.load(file)
        options.direct = True
        super().__init__(options)

    def own_features(self):
        return self.personality["features"]

    def on_iq(self, iq):
        """In anything sent to it creator and name must be the offered pair."""
        element = iq.xml.find(q(JINGLE, "jingle"))
        call = self.calls.get(element.get("sid"))
        contents = element.findall(q(JINGLE, "content"))
        if call and iq["type"] == "set" and any((c.get("creator"), c.get("name")) != ("initiator", call.content)
                                                for c in contents if call.state != "begun"):
            self.make_iq_error(iq["id"], "modify", "bad-request", "", ito=iq["from"]).send()
            report("refused", rule="content", what=element.get("action"))
            return
        super().on_iq(iq)


if __name__ == "__main__":
    aiortc_phone.run(GajimPhone)
