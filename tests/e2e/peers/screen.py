# SPDX-License-Identifier: AGPL-3.0-or-later
"""An X server for a program with windows, which goes with whoever has started it."""
import os
import subprocess
from pathlib import Path

import process


def own_screen(folder):
    """Its number is the first free one, and in DISPLAY from now on."""
    read, write = os.pipe()
    with open(Path(folder) / "xvfb.err", "wb") as errors:
        process.start(["Xvfb", "-displayfd", write, "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
                      pass_fds=[write], stdout=subprocess.DEVNULL, stderr=errors)
    os.close(write)
    with os.fdopen(read) as pipe:
        os.environ["DISPLAY"] = ":" + pipe.readline().strip()
