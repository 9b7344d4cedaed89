# SPDX-License-Identifier: AGPL-3.0-or-later
"""The media of a SIP peer: plays a coded tone as G.711 and keeps what comes back.

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

RATE = 8000
FRAME = 160  # samples in a packet of 20 ms
ENCODE = {0: audio.ulaw_encode, 8: audio.alaw_encode}
KEYS = "0123456789*#ABCD"  # by event number
DECODE = {0: audio.ulaw_decode, 8: audio.alaw_decode}


def parse_sdp(text):
    """(address, port, payload types) of the first stream, or None."""
    media = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", text, re.M)
    address = re.search(r"^c=IN IP[46] (\S+)", text, re.M)
    if not media or not address:
        return None
    return address[1], int(media[1]), [int(p) for p in media[2].split()]


class Line:
    """One RTP socket.  `plays` is the signal sent, "A" or "B"; None sends nothing."""

    def __init__(self, plays, address="127.0.0.1", codecs=(0, 8)):
        self.codecs = codecs
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
            payload_type = next(t for t in types if t in ENCODE and t in self.codecs) if payload_type is None else payload_type
            thread = threading.Thread(target=self._play, args=(payload_type,), daemon=True)
            self.fed_at = time.time()
            self._threads.append(thread)
            thread.start()

    def _play(self, payload_type):
        samples = audio.signal(self.plays, RATE)
        encode = ENCODE[payload_type]
        ssrc, sequence, timestamp = (random.getrandbits(n) for n in (32, 16, 32))
        while not self._closed.is_set():
            # a frame is sent when its last sample has been spoken
            wait = self.fed_at + (self.sent + 1) * FRAME / RATE - time.time()
            if wait > 0 and self._closed.wait(wait):
                return
            at = self.sent * FRAME
            header = struct.pack("!BBHII", 0x80, payload_type | (0x80 if self.sent == 0 else 0),
                                 (sequence + self.sent) & 0xffff, (timestamp + at) & 0xffffffff, ssrc)
            frame = np.take(samples, np.arange(at, at + FRAME), mode="wrap")
            try:
                if not self.silent:
                    self._socket.sendto(header + encode(frame), self.remote)
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

    def close(self):
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def press(self, keys, clock=RATE, payload_type=101):
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
            if payload_type not in DECODE and len(payload) == 4:
                event, _, duration = struct.unpack("!BBH", payload)
                key, longest, first = heard.get((ssrc, timestamp), (KEYS[event], 0, arrival))
                heard[ssrc, timestamp] = key, max(longest, duration * 1000 // RATE), first
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

    def recording(self):
        """The packets on their own clock, fixed at the earliest arrival."""
        stream = [p for p in self._main_stream() if p[1] in DECODE]
        if not stream:
            return None
        first = stream[0][3]
        placed = [(p[0], (p[3] - first) & 0xffffffff, DECODE[p[1]](p[5])) for p in stream]
        placed = [p for p in placed if p[1] < RATE * 3600]
        samples = np.zeros(max(at + len(frame) for _, at, frame in placed), "<i2")
        for _, at, frame in placed:
            samples[at:at + len(frame)] = frame
        started = min(arrival - (at + len(frame)) / RATE for arrival, at, frame in placed)
        return audio.Recording(samples, RATE, started)
