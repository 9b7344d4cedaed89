#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""badline.py --other PID ... - a line that is slow and loses packets.

A TUN device here and one in the network namespace of PID; what comes out of one
goes into the other, later or not at all.  Does what netem does where the kernel
has none, and knows what it has lost: a line of standard input is answered by one
with the RTP packets seen and lost in each direction.  What becomes of a packet of RTP
depends on its place in the stream alone, so two calls lose the same ones.
"""
import argparse
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

UDP = b"\x11"  # the protocol, in the header of IPv4
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def is_rtp(packet):
    """UDP over IPv4 that holds RTP (RFC 7983), not RTCP."""
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[9] != 17:
        return False
    payload = packet[(packet[0] & 15) * 4 + 8:]
    return len(payload) > 12 and 128 <= payload[0] <= 191 and not 192 <= payload[1] <= 223


class Way:
    """One direction."""

    def __init__(self, source, sink, options, seed):
        self.source, self.sink, self.options = source, sink, options
        self.random, self.seed = random.Random(seed), seed
        self.waiting, self.number = [], 0
        self.first = {}  # SSRC: the sequence number that came first
        self.seen = self.lost = 0

    def dice_for(self, packet):
        if not is_rtp(packet):
            return self.random
        at = (packet[0] & 15) * 4 + 8
        sequence, ssrc = struct.unpack("!H4xI", packet[at + 2:at + 12])
        place = (sequence - self.first.setdefault(ssrc, sequence)) & 0xffff
        return random.Random(self.seed << 16 | place)

    def take(self):
        while True:
            try:
                packet = os.read(self.source, 65536)
            except BlockingIOError:
                return
            rtp, dice = is_rtp(packet), self.dice_for(packet)
            self.seen += rtp
            if dice.random() < self.options.loss and (packet[9:10] == UDP or not self.options.udp_only):
                self.lost += rtp
                continue
            delay = self.options.delay_ms + dice.uniform(-1, 1) * self.options.jitter_ms * (packet[9:10] == UDP or not self.options.udp_only)
            self.number += 1
            heapq.heappush(self.waiting, (time.monotonic() + delay / 1000, self.number, packet))

    def give(self):
        """What is due; when the next is."""
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            packet = heapq.heappop(self.waiting)[2]
            try:
                os.write(self.sink, packet)
            except OSError:  # the other end is down
                pass
        return self.waiting[0][0] if self.waiting else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--other", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--jitter-ms", type=float, default=0)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("--udp-only", action="store_true", help="what is no UDP is late, and neither early nor lost")
    options = parser.parse_args()
    here = open_tun("badline")
    there = os.open(f"/proc/{options.other}/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None).setns(there, CLONE_NEWNET) != 0:
        sys.exit("setns")
    other = open_tun("badline")
    ways = {"in": Way(other, here, options, 2), "out": Way(here, other, options, 1)}
    print("ready", flush=True)
    while True:
        due = [d for d in (w.give() for w in ways.values()) if d is not None]
        timeout = max(0, min(due) - time.monotonic()) if due else None
        readable = select.select([here, other, 0], [], [], timeout)[0]
        for way in ways.values():
            if way.source in readable:
                way.take()
        if 0 in readable:
            if not os.read(0, 4096):
                return
            print(json.dumps({name: [w.seen, w.lost] for name, w in ways.items()}), flush=True)


if __name__ == "__main__":
    main()
