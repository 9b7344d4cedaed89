# SPDX-License-Identifier: AGPL-3.0-or-later
"""An X server for a program with windows, which goes with whoever has started it, and pictures of it."""
import os
import struct
import subprocess
import time
import zlib
from pathlib import Path

import process

STEADY_S, PATIENCE_S = 0.3, 10
XWD = struct.Struct(">25I")  # the header of a file of xwd


def own_screen(folder):
    """Its number is the first free one, and in DISPLAY from now on."""
    folder = Path(folder)
    read, write = os.pipe()
    with open(folder / "xvfb.err", "wb") as errors:
        process.start(["Xvfb", "-displayfd", write, "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-fbdir", folder],
                      pass_fds=[write], stdout=subprocess.DEVNULL, stderr=errors)
    os.close(write)
    with os.fdopen(read) as pipe:
        os.environ["DISPLAY"] = ":" + pipe.readline().strip()
    return Screen(folder / "Xvfb_screen0")


class Screen:
    """What Xvfb shows, which is a file in the format of xwd."""

    def __init__(self, file):
        self._file = file

    def _drawn(self):
        """As it is when nothing has moved for a while, or patience has ended."""
        end, before, since = time.time() + PATIENCE_S, None, 0
        while True:
            now = self._file.read_bytes()
            if now != before:
                before, since = now, time.time()
            elif time.time() > min(since + STEADY_S, end):
                return now
            time.sleep(0.05)

    def save(self, path):
        """As PNG."""
        data = self._drawn()
        head = XWD.unpack_from(data)
        width, height, line = head[4], head[5], head[12]
        pixels = data[head[0] + 12 * head[19]:]
        rows = bytearray()
        for y in range(height):
            row = pixels[y * line:y * line + 4 * width]
            rgb = bytearray(3 * width)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows += b"\0" + rgb
        chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(rows))),
                  (b"IEND", b""))
        Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
            for name, content in chunks))
