#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""avatar.py >xmpp_avatar.h - draws the picture of the gateway and of numbers: a receiver.

An arc with an earpiece at each end, white on a round-cornered field; 16 shades, as a PNG in
base64.  Its output is kept in the source, so that a build needs nothing of it.
"""
import base64
import hashlib
import math
import struct
import sys
import zlib

SIZE, FINE = 96, 4  # pixels; samples of one, each way
FIELD, INK = (0x17, 0x5E, 0x6B), (0xFF, 0xFF, 0xFF)
CORNER = 22


def box(x, y, cx, cy, width, height, corner, turn=0.0):
    """TRUE inside a box with round corners, turned by so many radians."""
    x, y = x - cx, y - cy
    x, y = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
    x, y = max(abs(x) - width / 2 + corner, 0), max(abs(y) - height / 2 + corner, 0)
    return math.hypot(x, y) <= corner


def receiver(x, y):
    """Its middle is a quarter of a ring; the earpieces stand across the ring's ends."""
    cx, cy, radius, width = 67, 29, 41, 13
    if abs(math.hypot(x - cx, y - cy) - radius) <= width / 2 and x <= cx - 1 and y >= cy + 1:
        return True
    return box(x, y, 31, 27, 21, 19, 6, math.radians(83)) or box(x, y, 69, 65, 21, 19, 6, math.radians(7))


def shade(px, py):
    """(how much of the field, how much of the ink) is in a pixel, 0 to 1."""
    points = [(px + (i + .5) / FINE, py + (j + .5) / FINE) for i in range(FINE) for j in range(FINE)]
    field = sum(box(x, y, SIZE / 2, SIZE / 2, SIZE, SIZE, CORNER) for x, y in points)
    return field / len(points), sum(receiver(x, y) for x, y in points) / len(points)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png():
    """Shades 0 to 7: the field from clear to full; 8 to 15: the field to the ink."""
    colours = [FIELD] * 8 + [tuple(round(f + (i - f) * n / 8) for f, i in zip(FIELD, INK)) for n in range(1, 9)]
    rows = b""
    for y in range(SIZE):
        shades = []
        for x in range(SIZE):
            field, ink = shade(x, y)
            shades.append(round(7 + ink * 8) if ink else round(field * 7))
        rows += b"\0" + bytes(a << 4 | b for a, b in zip(shades[::2], shades[1::2]))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 4, 3, 0, 0, 0)) +
            chunk(b"PLTE", bytes(v for colour in colours for v in colour)) +
            chunk(b"tRNS", bytes(round(n * 255 / 7) for n in range(8))) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def main():
    picture = png()
    if sys.argv[1:] == ["--png"]:
        sys.stdout.buffer.write(picture)
        return
    text = base64.b64encode(picture).decode()
    lines = "\n".join(f'\t"{text[i:i + 80]}"' for i in range(0, len(text), 80))
    print("/* SPDX-License-Identifier: AGPL-3.0-or-later */\n"
          "/* xmpp_avatar.h - the picture of the gateway and of numbers, a PNG in base64; made by\n * avatar.py. */\n"
          f"#pragma once\n\n#define XMPP_AVATAR_TYPE \"image/png\"\n"
          f"#define XMPP_AVATAR_SHA1 \"{hashlib.sha1(picture).hexdigest()}\"\n\nstatic const char xmpp_avatar[] =\n{lines};")


main()
