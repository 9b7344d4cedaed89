#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""An XMPP phone on slixmpp and aiortc; commands and events as said in xmpp.py.

Sends its candidates inside the initiate or accept, and takes no late ones, so it
waits a moment for those that trickle in.  --direct: no message initiation.
"""
import argparse
import asyncio
import fractions
import json
import logging
import os
import sys
import time
import uuid
import xml.etree.ElementTree as ET

import av
import numpy as np
import slixmpp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

import jingle
from jingle import JINGLE, JMI, RTP, RTP_INFO, q

IQ_TIMEOUT = 20
SETTLE = 0.3  # quiet time after which no more candidates are expected
RATE = 48000
FRAME = 960


def report(event, **more):
    print(json.dumps({"at": time.time(), "event": event, **more}), flush=True)


class Microphone(MediaStreamTrack):
    """Plays a file of 16-bit mono samples at 48 kHz, over and over."""
    kind = "audio"

    def __init__(self, path):
        super().__init__()
        self.samples = np.fromfile(path, "<i2")
        self.position = 0
        self.started_at = None

    async def recv(self):
        if self.started_at is None:
            self.started_at = time.time()
        wait = self.started_at + self.position / RATE - time.time()
        if wait > 0:
            await asyncio.sleep(wait)
        samples = np.take(self.samples, np.arange(self.position, self.position + FRAME), mode="wrap")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.position, fractions.Fraction(1, RATE)
        self.position += FRAME
        return frame


class Recorder:
    """Keeps what a track plays, by its time stamps."""

    def __init__(self):
        self.parts = {}
        self.offsets = []
        self.base = None

    async def run(self, track):
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        try:
            while True:
                frame = await track.recv()
                now = time.time()
                resampled = resampler.resample(frame)
                for part in resampled if isinstance(resampled, list) else [resampled]:
                    at = round(frame.pts * RATE / frame.sample_rate)
                    self.base = at if self.base is None else self.base
                    self.parts[at - self.base] = part.to_ndarray().reshape(-1)
                    self.offsets.append(now - (at - self.base) / RATE)
        except MediaStreamError:
            pass

    def save(self, path):
        parts = {at: x for at, x in self.parts.items() if 0 <= at < RATE * 3600}
        samples = np.zeros(max((at + len(x) for at, x in parts.items()), default=0), "<i2")
        for at, part in parts.items():
            samples[at:at + len(part)] = part
        samples.tofile(path)
        # a burst at the start is not steady delay
        started_at = float(np.percentile(self.offsets, 10)) if self.offsets else None
        return {"path": path, "rate": RATE, "started_at": started_at}


class Call:
    def __init__(self, phone, sid, peer, is_caller):
        self.phone, self.sid, self.peer, self.is_caller = phone, sid, peer, is_caller
        self.state = "begun"
        self.via_jmi = False
        self.offer = None
        self.late = []
        self.trickled = asyncio.Event()
        self.pc = None
        phone.n_calls += 1
        self.number = phone.n_calls

    def report(self, event, **more):
        report(event, sid=self.sid, **more)

    # what is sent

    def message(self, to, name, payload=None):
        message = self.phone.make_message(to, mtype="chat")
        message.xml.attrib["id"] = f"jm-propose-{self.sid}" if name == "propose" else uuid.uuid4().hex
        element = ET.SubElement(message.xml, q(JMI, name), id=self.sid)
        if payload is not None:
            element.append(payload)
        ET.SubElement(message.xml, "{urn:xmpp:hints}store")
        message.send()

    async def request(self, element):
        iq = self.phone.make_iq_set(ito=self.peer)
        iq.xml.append(element)
        try:
            await iq.send(timeout=IQ_TIMEOUT)
        except slixmpp.exceptions.XMPPError as error:
            if self.state != "ended":
                self.report("iq-error", action=element.get("action"), condition=error.condition)

    def jingle(self, action, *payload):
        element = ET.Element(q(JINGLE, "jingle"), action=action, sid=self.sid)
        element.extend(payload)
        return self.request(element)

    def terminate(self, condition):
        reason = ET.Element(q(JINGLE, "reason"))
        ET.SubElement(reason, q(JINGLE, condition))
        return self.jingle("session-terminate", reason)

    # media

    def open_media(self):
        self.pc = RTCPeerConnection()
        self.microphone, self.recorder = Microphone(self.phone.options.mic), Recorder()
        sender = self.pc.addTrack(self.microphone)
        if self.phone.codecs:
            known = RTCRtpSender.getCapabilities("audio").codecs
            [transceiver] = [t for t in self.pc.getTransceivers() if t.sender is sender]
            transceiver.setCodecPreferences([c for c in known if c.mimeType.split("/")[1] in self.phone.codecs])
        self.pc.on("track", lambda track: self.phone.spawn(self.recorder.run(track)))

        @self.pc.on("connectionstatechange")
        def _():
            if self.pc.connectionState == "connected":
                self.report("up")
            elif self.pc.connectionState == "failed":
                self.report("media-failed")

    async def settled(self, element):
        """aiortc wants every candidate at once: wait until no more come."""
        has_some = element.find(".//" + q(jingle.ICE, "candidate")) is not None
        limit = SETTLE if has_some else 10
        try:
            while True:
                await asyncio.wait_for(self.trickled.wait(), limit)
                self.trickled.clear()
                limit = SETTLE
        except asyncio.TimeoutError:
            pass

    # the caller's part

    async def begin(self):
        self.report("dialled", to=self.peer)
        if self.phone.options.direct:
            await self.initiate()
        else:
            self.message(self.peer, "propose", ET.Element(q(RTP, "description"), media="audio"))

    async def initiate(self):
        self.state = "initiated"
        self.open_media()
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.request(jingle.from_sdp(self.pc.localDescription.sdp, action="session-initiate", sid=self.sid,
                                           initiator=str(self.phone.boundjid)))

    async def on_accept(self, element):
        self.state = "answered"
        self.report_answered(element)
        await self.settled(element)
        await self.pc.setRemoteDescription(RTCSessionDescription(jingle.to_sdp(element, False, self.late), "answer"))

    # the callee's part

    async def answer(self):
        if self.via_jmi and self.offer is None:
            self.state = "proceeding"
            self.message(self.phone.boundjid.bare, "accept")
            self.message(self.peer, "proceed")
        else:
            await self.accept()

    async def accept(self):
        self.state = "answered"
        await self.settled(self.offer)
        self.open_media()
        await self.pc.setRemoteDescription(RTCSessionDescription(jingle.to_sdp(self.offer, True, self.late), "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self.report_answered(self.offer)
        await self.request(jingle.from_sdp(self.pc.localDescription.sdp, action="session-accept", sid=self.sid,
                                           responder=str(self.phone.boundjid)))

    async def reject(self, condition):
        if self.via_jmi and self.offer is None:
            reason = ET.Element(q(JINGLE, "reason"))
            ET.SubElement(reason, q(JINGLE, condition or "decline"))
            self.message(self.phone.boundjid.bare, "reject", reason)
            self.message(self.peer, "reject", reason)
        else:
            await self.terminate(condition or "decline")
        await self.end("us", "reject")

    # both

    async def hangup(self):
        if self.state == "begun" and self.is_caller:
            self.message(self.peer.split("/")[0], "retract")
        elif not (self.state == "begun" and self.via_jmi):
            await self.terminate("cancel" if self.state == "initiated" else "success")
        await self.end("us", "hangup")

    async def on_jingle(self, element):
        action = element.get("action")
        if action == "transport-info":
            self.late += [jingle.candidate_to_line(c) for c in element.iter(q(jingle.ICE, "candidate"))]
            self.trickled.set()
        elif action == "session-accept" and self.state == "initiated":
            await self.on_accept(element)
        elif action == "session-initiate":
            self.offer = element
            if self.via_jmi:
                await self.accept()
        elif action == "session-info" and element.find(q(RTP_INFO, "ringing")) is not None:
            self.report("ringing")
        elif action == "session-terminate":
            await self.ended_by_peer(action, element)

    async def on_jmi(self, name, sender, element):
        if name == "ringing":
            self.report("ringing")
        elif name == "proceed" and self.state == "begun":
            self.peer = sender
            self.report("proceed", **{"from": sender})
            await self.initiate()
        elif name in ("reject", "retract", "finish"):
            await self.ended_by_peer(name, element)

    def report_answered(self, element):
        payloads = element.iter(q(RTP, "payload-type"))
        self.report("answered", codecs=[f"{p.get('name')}/{p.get('clockrate')}" for p in payloads])

    async def ended_by_peer(self, how, element):
        reason = element.find(q(JINGLE, "reason"))
        names = [] if reason is None else [c.tag.split("}")[1] for c in reason]
        condition = next((n for n in names if n != "text"), None)
        text = None if reason is None else reason.findtext(q(JINGLE, "text"))
        await self.end("peer", how, reason=condition, text=text)

    async def end(self, by, how, **more):
        if self.state == "ended":
            return
        self.state = "ended"
        self.report("ended", by=by, how=how, **more)
        self.phone.calls.pop(self.sid, None)
        if not self.pc:
            self.report("media")
            return
        counters = {"codec": next((c.mimeType.split("/")[1] for t in self.pc.getTransceivers() for c in t._codecs), None)}
        for stat in (await self.pc.getStats()).values():
            if stat.type == "inbound-rtp":
                counters.update(packets=stat.packetsReceived, lost=stat.packetsLost)
        await self.pc.close()
        recording = self.recorder.save(f"{self.phone.options.log}-{self.number}.raw")
        self.report("media", fed_at=self.microphone.started_at, recording=recording, **counters)


class Phone(slixmpp.ClientXMPP):
    call_class = Call

    def __init__(self, options):
        super().__init__(f"{options.account}@{options.domain}/{options.resource}", options.password)
        self.options = options
        self.use_ipv6 = ":" in options.server
        self.calls, self.tasks = {}, set()
        self.n_calls = 0
        self.codecs = None
        self.latest = None
        for plugin in ("xep_0030", "xep_0115", "xep_0199"):
            self.register_plugin(plugin)
        self.register_handler(Callback("jingle", MatchXPath("{jabber:client}iq/" + q(JINGLE, "jingle")), self.on_iq))
        self.register_handler(Callback("jmi", MatchXPath("{jabber:client}message"), self.on_message))
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("presence_available", lambda p: report("presence", **{"from": str(p["from"])}))
        self.auto_authorize = self.auto_subscribe = True  # numbers may see whether we are there
        self.trace = open(f"{options.log}.xml", "w", encoding="utf-8")
        for way, sign in (("in", "<"), ("out", ">")):
            self.add_filter(way, lambda stanza, sign=sign: self.on_trace(sign, stanza))

    def on_trace(self, sign, stanza):
        self.trace.write(f"{time.time():.3f} {sign} {stanza}\n")
        self.trace.flush()
        return stanza

    def spawn(self, coroutine):
        task = asyncio.ensure_future(self.guarded(coroutine))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def guarded(self, coroutine):
        try:
            await coroutine
        except Exception as error:  # whatever goes wrong fails the test that waits
            report("error", what=repr(error))

    def own_features(self):
        return jingle.FEATURES

    async def on_start(self, _):
        direct = self.options.direct
        for feature in self.own_features():
            if not (direct and feature == JMI):
                self["xep_0030"].add_feature(feature)
        await self["xep_0115"].update_caps()
        await self.get_roster()
        self.send_presence()
        report("online", jid=str(self.boundjid))

    def on_iq(self, iq):
        if iq["type"] != "set":
            return
        self.make_iq_result(iq["id"], iq["from"]).send()
        element = iq.xml.find(q(JINGLE, "jingle"))
        call = self.calls.get(element.get("sid"))
        if call:
            self.spawn(call.on_jingle(element))
        elif element.get("action") == "session-initiate":
            call = self.add(self.call_class(self, element.get("sid"), str(iq["from"]), False))
            call.offer = element
            call.report("incoming", via="session-initiate", **{"from": call.peer})
            self.spawn(call.jingle("session-info", ET.Element(q(RTP_INFO, "ringing"))))

    def on_message(self, message):
        if message["body"]:
            report("chat", **{"from": str(message["from"])}, type=message["type"], body=message["body"],
                        stored=message.xml.find("{urn:xmpp:hints}store") is not None)
        if self.options.direct or message.xml.find("{urn:xmpp:delay}delay") is not None:
            return
        sender = str(message["from"])
        for element in message.xml:
            if not element.tag.startswith("{%s}" % JMI):
                continue
            name, sid = element.tag.split("}")[1], element.get("id")
            call = self.calls.get(sid)
            if message["from"].bare == self.boundjid.bare:
                if call and sender != str(self.boundjid) and name in ("accept", "proceed", "reject"):
                    self.spawn(call.end("us", "elsewhere"))
            elif name == "propose" and not call:
                call = self.add(self.call_class(self, sid, sender, False))
                call.via_jmi = True
                call.report("incoming", via="propose", **{"from": sender})
                call.message(sender, "ringing")
            elif call:
                self.spawn(call.on_jmi(name, sender, element))

    def add(self, call):
        self.calls[call.sid] = call
        self.latest = call
        return call

    async def call(self, to):
        if self.options.direct and "/" not in to:
            for _ in range(100):
                resources = list(self.client_roster[to].resources)
                if resources:
                    to = f"{to}/{resources[0]}"
                    break
                await asyncio.sleep(0.05)
        await self.add(self.call_class(self, str(uuid.uuid4()), to, True)).begin()

    async def obey(self, command, to=None, reason=None, what=None):
        if command == "call":
            await self.call(to)
        elif command == "codecs":
            self.codecs = what
        elif command == "subscribe":
            self.send_presence_subscription(to)
        elif command == "answer":
            await self.latest.answer()
        elif command == "reject":
            await self.latest.reject(reason)
        elif command == "hangup":
            await self.latest.hangup()
        elif command == "say":
            self.send_message(to, what, mtype="chat")
        elif command == "quit":
            for call in list(self.calls.values()):
                await call.end("us", "quit")
            await self.disconnect(wait=0.5)
            asyncio.get_event_loop().stop()


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("account", "password", "domain", "mic", "log"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--resource", default="aiortc")
    parser.add_argument("--server", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5222)
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--personality")
    return parser.parse_args()


def run(phone_class=Phone):
    options = arguments()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)

    loop = asyncio.get_event_loop()
    phone = phone_class(options)
    phone.connect((options.server, options.port))

    pending = b""

    def on_stdin():
        nonlocal pending
        data = os.read(0, 65536)
        if not data:
            loop.stop()
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            phone.spawn(phone.obey(**json.loads(line)))

    loop.add_reader(0, on_stdin)
    loop.run_forever()


if __name__ == "__main__":
    run()
