# SPDX-License-Identifier: AGPL-3.0-or-later
"""The media of a SIP peer: plays a coded tone in one codec and keeps what comes back.

SIPp does the signalling of our carrier; its own media can neither be recorded
nor be told what to do during a call.
"""
import random
import re
import socket
import struct
import threading
import time

import numpy as np

import audio
from .coder import AMR, STATIC, coder, known
from .speech import OCTETS, amr_frames

EVENT_CLOCK = 8000
FRAME = 0.02  # seconds of a packet
KEYS = "0123456789*#ABCD"  # by event number


def parse_sdp(text):
    """(address, port, {payload type: codec}) of the first stream, or None.  AMR in whole bytes is another codec than AMR."""
    media = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", text, re.M)
    address = re.search(r"^c=IN IP[46] (\S+)", text, re.M)
    if not media or not address:
        return None
    named = {int(n): name for n, name in re.findall(r"^a=rtpmap:(\d+) (\S+)", text, re.M)}
    named.update((int(n), named[int(n)] + OCTETS) for n in re.findall(r"^a=fmtp:(\d+) .*octet-align=1\b", text, re.M) if int(n) in named)
    return address[1], int(media[1]), {t: named.get(t) or STATIC.get(t) for t in map(int, media[2].split())}


class Line:
    """One RTP socket.  `plays` is the signal sent, "A" or "B"; None sends nothing.
    `codecs`: what it may speak, by payload type or by name."""

    def __init__(self, plays, address="127.0.0.1", codecs=(0, 8)):
        self.codecs = {STATIC.get(c, c) for c in codecs}
        self.told = dict(STATIC)  # what the numbers mean that come
        self.speaks = None
        self.tape = None  # payloads that are played over and over, for who has no time to encode
        self.speech = {}  # of AMR: the mode it has, the mode it asks for
        self.plays = plays
        self.fed_at = None
        self.sent = 0
        self.silent = False  # sends nothing, as one who holds
        self._packets = []  # (arrival, payload type, sequence, timestamp, ssrc, payload)
        self._closed = threading.Event()
        self.address = address
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.2)
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._receive, daemon=True)]
        self._threads[0].start()

    def start(self, sdp, payload_type=None):
        """Begins to play towards what the SDP of the other side says."""
        address, port, types = parse_sdp(sdp)
        self.remote = (address, port)
        if self.plays and self.fed_at is None:
            if payload_type is None:
                payload_type = next(t for t, name in types.items() if known(name) and name in self.codecs)
            self.speaks = types.get(payload_type) or STATIC[payload_type]
            thread = threading.Thread(target=self._play, args=(payload_type,), daemon=True)
            self.fed_at = time.time()
            self._threads.append(thread)
            thread.start()

    def _play(self, payload_type):
        voice = coder(self.speaks, **self.speech)
        samples = None if self.tape else audio.signal(self.plays, voice.rate)
        length, ticks = round(FRAME * voice.rate), round(FRAME * voice.clock)
        ssrc, sequence, timestamp = (random.getrandbits(n) for n in (32, 16, 32))
        while not self._closed.is_set():
            # a frame is sent when its last sample has been spoken
            wait = self.fed_at + (self.sent + 1) * FRAME - time.time()
            if wait > 0 and self._closed.wait(wait):
                return
            at = self.sent * length
            header = struct.pack("!BBHII", 0x80, payload_type | (0x80 if self.sent == 0 else 0),
                                 (sequence + self.sent) & 0xffff, (timestamp + self.sent * ticks) & 0xffffffff, ssrc)
            frame = (self.tape[self.sent % len(self.tape)] if self.tape
                     else voice.encode(np.take(samples, np.arange(at, at + length), mode="wrap")))
            try:
                if not self.silent:
                    self._socket.sendto(header + frame, self.remote)
            except OSError:  # the other side has closed its port
                pass
            self.sent += 1

    def _receive(self):
        while not self._closed.is_set():
            try:
                data, _ = self._socket.recvfrom(2048)
            except (socket.timeout, ConnectionError):
                continue
            except OSError:
                return
            now = time.time()
            if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
                continue
            sequence, timestamp, ssrc = struct.unpack("!HII", data[2:12])
            self._packets.append((now, data[1] & 0x7f, sequence, timestamp, ssrc, data[12 + 4 * (data[0] & 15):]))

    @property
    def closed(self):
        return self._closed.is_set()

    def close(self):
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def press(self, keys, clock=EVENT_CLOCK, payload_type=101):
        """Keys as RFC 4733, 100 ms each."""
        ssrc, sequence = random.getrandbits(32), random.getrandbits(15)
        for key in keys:
            began = random.getrandbits(32)
            for i in range(1, 8):
                payload = struct.pack("!BBH", KEYS.index(key), 10 | (0x80 if i > 4 else 0), min(i, 5) * clock // 50)
                header = struct.pack("!BBHII", 0x80, payload_type | (0x80 if i == 1 else 0), sequence & 0xffff, began, ssrc)
                self._socket.sendto(header + payload, self.remote)
                sequence += 1
                time.sleep(0.02)

    def keys(self):
        """The keys heard so far as RFC 4733: (key, duration in ms, when it began)."""
        heard = {}
        for arrival, payload_type, _, timestamp, ssrc, payload in self._packets:
            if payload_type not in self.told and len(payload) == 4:
                event, _, duration = struct.unpack("!BBH", payload)
                key, longest, first = heard.get((ssrc, timestamp), (KEYS[event], 0, arrival))
                heard[ssrc, timestamp] = key, max(longest, duration * 1000 // EVENT_CLOCK), first
        return list(heard.values())

    @property
    def received(self):
        return len(self._packets)

    def _main_stream(self):
        streams = {}
        for packet in self._packets:
            streams.setdefault(packet[4], []).append(packet)
        return max(streams.values(), key=len, default=[])

    def lost(self):
        """(packets lost, packets expected), from sequence numbers."""
        stream = self._main_stream()
        if not stream:
            return 0, 0
        # unwrapped around the first, so that reordering does not matter
        numbers = {(p[2] - stream[0][2] + 0x8000) % 0x10000 - 0x8000 for p in stream}
        expected = max(numbers) - min(numbers) + 1
        return expected - len(numbers), expected

    def heard_codecs(self):
        """The names of the codecs that came, in their order."""
        return list(dict.fromkeys(self.told[p[1]] for p in self._main_stream() if p[1] in self.told))

    def heard_modes(self):
        """The frame types of AMR that came, in their order, those that came again left out."""
        modes = [kind for packet in self._main_stream() if self.told.get(packet[1]) in AMR
                 for kind, _ in amr_frames(self.told[packet[1]], packet[5])[1]]
        return [mode for mode, before in zip(modes, [None, *modes]) if mode != before]

    def heard_sizes(self):
        """How many bytes the payloads had that came."""
        return {len(packet[5]) for packet in self._main_stream() if packet[1] in self.told}

    def recording(self, buffer=None):
        """The packets on their own clock, fixed at the earliest arrival.  `buffer`: what comes
        so many seconds later than that is not heard, as in a telephone."""
        first = next((p[2] for p in self._main_stream()), 0)
        stream = sorted((p for p in self._main_stream() if p[1] in self.told),
                        key=lambda p: (p[2] - first + 0x8000) % 0x10000)
        if not stream:
            return None
        voices = {name: coder(name) for name in self.heard_codecs()}
        rate = max(v.rate for v in voices.values())
        placed, at, before = [], 0.0, None
        for arrival, payload_type, sequence, timestamp, _, payload in stream:
            voice = voices[self.told[payload_type]]
            if before:
                if sequence == before[0]:
                    continue  # it came twice
                step = (timestamp - before[1] + 0x80000000) % 0x100000000 - 0x80000000
                at += step / voice.clock
            before = sequence, timestamp
            if not -1 < at < 3600:
                continue
            frame = voice.decode(payload)
            if voice.rate < rate:
                frame = np.interp(np.arange(len(frame) * rate // voice.rate) * voice.rate / rate, np.arange(len(frame)), frame)
            placed.append((arrival, round(at * rate), frame))
        if buffer is not None:
            soonest = min(arrival - at / rate for arrival, at, _ in placed)
            placed = [(arrival, at, frame) for arrival, at, frame in placed if arrival - at / rate <= soonest + buffer]
        earliest = min(at for _, at, _ in placed)
        samples = np.zeros(max(at + len(frame) for _, at, frame in placed) - earliest, "<i2")
        for _, at, frame in placed:
            samples[at - earliest:at - earliest + len(frame)] = frame
        started = min(arrival - (at - earliest + len(frame)) / rate for arrival, at, frame in placed)
        return audio.Recording(samples, rate, started)
