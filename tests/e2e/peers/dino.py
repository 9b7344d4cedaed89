#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dino, upon aiortc_phone.py: a stack that is not libwebrtc, a certificate of X.509
version 1, two components, no BUNDLE, SDES beside DTLS; it takes the first payload
type of an answer, asks who we are before it begins a session and is silent to a
number that shows no presence."""
import asyncio
import json
import uuid
import xml.etree.ElementTree as ET

from aiortc import RTCCertificate, RTCSessionDescription
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import crypto

import aiortc_phone
import jingle
from aiortc_phone import Call, Phone, report
from jingle import DTLS, GROUPING, HDREXT, ICE, JINGLE, JMI, RTP, SSMA, q

CONTENT = "audio"
# what GStreamer offers and aiortc does not know; a gateway must find its own among them
FOREIGN = [("112", "speex", "32000"), ("113", "speex", "16000"), ("114", "speex", "8000"), ("9", "G722", "8000")]
NEEDS = {JINGLE, RTP, ICE, JMI}
PRESENCE_SECONDS = 8
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"


def version_1_certificate(cls):
    key = crypto.PKey.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()))
    certificate = crypto.X509()
    certificate.set_version(0)
    certificate.set_serial_number(1)
    certificate.get_subject().CN = certificate.get_issuer().CN = "dino"
    certificate.gmtime_adj_notBefore(-3600)
    certificate.gmtime_adj_notAfter(2 * 86400)
    certificate.set_pubkey(key)
    certificate.sign(key, "sha256")
    return cls(key=key, cert=certificate)


RTCCertificate.generateCertificate = classmethod(version_1_certificate)


def rename(element, name):
    for content in element.findall(q(JINGLE, "content")):
        content.set("name", name)
    return element


def without(element, parent_path, tags):
    for parent in element.iterfind(parent_path) if parent_path else [element]:
        for child in [c for c in parent if c.tag in tags]:
            parent.remove(child)


class DinoCall(Call):
    def message(self, to, name, payload=None):
        message = self.phone.make_message(to, mtype="chat")
        message.xml.attrib["id"] = str(uuid.uuid4())
        element = ET.SubElement(message.xml, q(JMI, name), id=self.sid)
        if payload is not None and name == "propose":
            element.append(payload)
        if name == "proceed":
            ET.SubElement(element, "{http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification}device", id="771203345")
        message.send()

    def dress(self, element):
        """A description of aiortc's as Dino writes it; returns the candidates to be trickled."""
        without(element, None, {q(GROUPING, "group")})
        without(element, f".//{q(RTP, 'description')}", {q(HDREXT, "rtp-hdrext"), q(SSMA, "source")})
        element.attrib.pop("responder", None)
        transport = element.find(f".//{q(ICE, 'transport')}")
        candidates = transport.findall(q(ICE, "candidate"))
        for candidate in candidates:
            other = ET.Element(candidate.tag, {**candidate.attrib, "component": "2",
                                               "id": candidate.get("id") + "2", "port": str(int(candidate.get("port")) + 1)})
            transport.append(other)
        for late in candidates[1:]:
            transport.remove(late)
        return candidates[1:]

    async def trickle(self, name, candidates):
        for candidate in candidates:
            transport = ET.Element(q(ICE, "transport"), self.credentials)
            transport.append(candidate)
            content = ET.Element(q(JINGLE, "content"), creator="initiator", name=name)
            content.append(transport)
            await self.jingle("transport-info", content)

    def keep_credentials(self, element):
        transport = element.find(f".//{q(ICE, 'transport')}")
        self.credentials = {k: transport.get(k) for k in ("ufrag", "pwd")}

    # the caller's part

    async def begin(self):
        """Nothing at all is sent to a number whose capabilities nobody has shown."""
        full, features = await self.phone.capabilities(self.peer)
        if not full or not NEEDS <= set(features):
            self.report("no-button")
            return
        self.report("dialled", to=self.peer)
        self.message(self.peer, "propose", ET.Element(q(RTP, "description"), media="audio"))

    async def initiate(self):
        answer = await self.phone["xep_0030"].get_info(jid=self.peer, cached=False)
        if not NEEDS <= set(answer["disco_info"]["features"]):
            self.report("error", what=f"{self.peer} has lost features: {answer}")
            return
        self.state = "initiated"
        self.open_media()
        await self.pc.setLocalDescription(await self.pc.createOffer())
        element = jingle.from_sdp(self.pc.localDescription.sdp, action="session-initiate", sid=self.sid,
                                  initiator=str(self.phone.boundjid))
        self.keep_credentials(element)
        late = self.dress(rename(element, CONTENT))
        description = element.find(f".//{q(RTP, 'description')}")
        mux = description.find(q(RTP, "rtcp-mux"))
        description.remove(mux)
        for number, name, clockrate in FOREIGN:
            ET.SubElement(description, q(RTP, "payload-type"), id=number, name=name, clockrate=clockrate)
        encryption = ET.SubElement(description, q(RTP, "encryption"))
        ET.SubElement(encryption, q(RTP, "crypto"), {"crypto-suite": "AES_CM_128_HMAC_SHA1_80", "tag": "1",
                                                     "key-params": "inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk"})
        description.append(mux)
        await self.request(element)
        await self.trickle(CONTENT, late)

    async def on_accept(self, element):
        self.state = "answered"
        description = element.find(f".//{q(RTP, 'description')}")
        if description.find(q(RTP, "encryption")) is not None:
            self.report("error", what="SDES came back: the media would be encrypted twice")
        payloads = description.findall(q(RTP, "payload-type"))
        self.report("answered", codecs=[f"{p.get('name')}/{p.get('clockrate')}" for p in payloads])
        for other in payloads[1:]:
            description.remove(other)
        await self.settled(element)
        sdp = jingle.to_sdp(rename(element, "0"), False, self.late)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    # the callee's part

    async def accept(self):
        self.state = "answered"
        await self.settled(self.offer)
        self.open_media()
        sdp = jingle.to_sdp(self.offer, True, self.late)
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        element = jingle.from_sdp(self.pc.localDescription.sdp, action="session-accept", sid=self.sid)
        self.keep_credentials(element)
        late = self.dress(element)
        description = element.find(f".//{q(RTP, 'description')}")
        for other in description.findall(q(RTP, "payload-type"))[1:]:
            description.remove(other)
        self.report("answered", codecs=[])
        await self.request(element)
        await self.trickle(element.find(q(JINGLE, "content")).get("name"), late)

    async def reject(self, condition):
        if self.via_jmi and self.offer is None:
            self.message(self.phone.boundjid.bare, "reject")
            self.message(self.peer, "reject")
            await self.end("us", "reject")
        else:
            await super().reject(condition)

    async def on_jmi(self, name, sender, element):
        if name != "ringing":  # it does not know the word
            await super().on_jmi(name, sender, element)

    def objection(self, element):
        """What it answers with an error."""
        action = element.get("action")
        contents = element.findall(q(JINGLE, "content"))
        own = CONTENT if self.is_caller else None
        if action in ("content-reject", "content-remove"):
            return "feature-not-implemented"
        if action == "transport-info" and len(contents) > 1:
            return "feature-not-implemented"
        if any(c.get("senders") == "none" for c in contents):
            return "bad-request"
        if own and any(c.get("name") != own for c in contents):
            return "bad-request"
        if any(c.get("type") not in ("host", "srflx", "prflx", "relay") for c in element.iter(q(ICE, "candidate"))):
            return "bad-request"
        prints = [f.get("hash") for f in element.iter(q(DTLS, "fingerprint"))]
        if action in ("session-initiate", "session-accept") and prints != ["sha-256"]:
            self.report("refused", rule="fingerprint", what=f"hashes {prints}")
        return None


class DinoPhone(Phone):
    call_class = DinoCall

    def __init__(self, options):
        with open(options.personality, encoding="utf-8") as file:
            self.personality = json.load(file)
        super().__init__(options)
        self.add_event_handler("presence_unavailable", self.on_unavailable)

    def own_features(self):
        return self.personality["features"]

    def on_unavailable(self, presence):
        for call in list(self.calls.values()):
            if call.peer == str(presence["from"]):
                self.spawn(call.end("us", "peer-unavailable"))

    async def capabilities(self, bare):
        """(full JID, features) that presence has shown; (None, []) when none came."""
        for _ in range(PRESENCE_SECONDS * 20):
            for resource in list(self.client_roster[bare].resources):
                full = f"{bare}/{resource}"
                caps = await self["xep_0115"].get_caps(full)
                if caps:
                    return full, caps["features"]
            await asyncio.sleep(0.05)
        return None, []

    def on_iq(self, iq):
        element = iq.xml.find(q(JINGLE, "jingle"))
        call = self.calls.get(element.get("sid"))
        condition = call and iq["type"] == "set" and call.objection(element)
        if not condition:
            super().on_iq(iq)
            return
        answer = self.make_iq_error(iq["id"], "cancel", condition, "", ito=iq["from"])
        answer.send()
        report("refused", rule=condition, what=element.get("action"))


if __name__ == "__main__":
    aiortc_phone.run(DinoPhone)
