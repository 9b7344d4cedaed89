#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""setup.py --build FOLDER - calls set up per second, and what one costs.

SIPp calls the echo test through a real tandemd with its store on disk: INVITE,
180, 200, ACK, half a second, BYE, two legs, media ports and a record.  CPU is
user and system of the whole daemon.  SIPp and the daemon share the machine.
"""
import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "e2e"))
import run
from harness import Bench, Failed
from peers.sipp import echo_load

RATES = (20, 50, 100, 200)
SECONDS = 5


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_bench(name, build, measure):
    """Runs measure(bench) with a gateway to come; the exit status."""
    build = build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, build, run.link_plugins(build))
        try:
            measure(bench)
        except Failed as failure:
            print(f"{name}: {failure}", file=sys.stderr)
            return 1
        finally:
            bench.close()
    return 0


def setup(bench):
    tandem = bench.gateway(gateway={"log_level": "error"}, limits={"max_setup_per_second": 10000, "max_calls": 10000})
    bench.carrier()
    pid = tandem.process.pid
    print("calls/s asked  calls/s reached  CPU ms per call")
    for rate in RATES:
        before, began = cpu_seconds(pid), time.monotonic()
        echo_load(bench.folder, rate * SECONDS, rate)
        took, used = time.monotonic() - began - 0.5, cpu_seconds(pid) - before
        print(f"{rate:13}  {rate * SECONDS / took:15.0f}  {1000 * used / (rate * SECONDS):15.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    options = parser.parse_args()
    return in_bench("setup", options.build, setup)


if __name__ == "__main__":
    sys.exit(main())
