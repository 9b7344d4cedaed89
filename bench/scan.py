#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""scan.py --build FOLDER - what a scan from many addresses costs while calls are up.

100 calls to the echo test stand while INVITE, REGISTER and OPTIONS come from
each of 100,000 loopback addresses (SCAN_ADDRESSES) and are not acknowledged; a
telephone registers and calls again and again meanwhile.  CPU is user and system
of the whole daemon, memory what its allocator has given out.
"""
import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "e2e"))
from harness import Failed, until
from peers.scanner import PlainPhone, Scanner
from peers.sipp import EchoLoad
from setup import cpu_seconds, in_bench

CALLS = 100
ADDRESSES = int(os.environ.get("SCAN_ADDRESSES", "100000"))
EVERY = 10  # seconds between lines


def scan(bench, rate):
    tandem = bench.gateway(gateway={"log_level": "error"}, limits={"max_setup_per_second": 10000})
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential(name="desk")))
    seconds = 3 * ADDRESSES / rate
    load = EchoLoad(bench.folder, CALLS, 50, hold=int(1000 * (seconds + 15)), seconds=seconds + 120)
    load.start()
    until(lambda: int(tandem.status()["calls"]) == CALLS, 30, f"{CALLS} calls")
    scanner = Scanner(ADDRESSES, rate)
    print("    s     sent  answered  in use, KiB  CPU, %  calls  slowest register and call, s", flush=True)
    print(f"    0        0         0 {tandem.status()['memory']:>12}", flush=True)
    began = last = time.monotonic()
    before, slowest = cpu_seconds(tandem.process.pid), 0
    done = failed = 0
    scanner.start()
    while scanner.is_alive():
        asked = time.monotonic()
        try:
            phone.register()
            phone.call("echo")
            done += 1
        except Failed:
            failed += 1
        slowest = max(slowest, time.monotonic() - asked)
        now, used, status = time.monotonic(), cpu_seconds(tandem.process.pid), tandem.status()
        if now - last >= EVERY or not scanner.is_alive():
            print(f"{now - began:5.0f} {scanner.sent:8} {scanner.answered:9} {status['memory']:>12}"
                  f" {100 * (used - before) / (now - last):7.0f} {status['calls']:>6} {slowest:9.2f}", flush=True)
            last, before, slowest = now, used, 0
        time.sleep(0.2)
    load.finish()
    print(f"the telephone registered and called {done} times, {failed} times it had no answer within 32 s")
    print(f"no call of {CALLS} lost; {tandem.status()['sip requests dropped']} requests dropped")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--rate", type=int, default=1500, help="requests a second")
    options = parser.parse_args()
    return in_bench("scan", options.build, lambda bench: scan(bench, options.rate))


if __name__ == "__main__":
    sys.exit(main())
