# SPDX-License-Identifier: AGPL-3.0-or-later
"""Scanners beside calls: bench/scan.py does the same with 100,000 addresses."""
import os

from harness import check, until
from peers.scanner import METHODS, PlainPhone, Scanner
from peers.sipp import EchoLoad

ADDRESSES = int(os.environ.get("SCAN_ADDRESSES", "2000"))
CALLS = 5
RATE = 1500  # requests a second
HOLD_MS = 8000


def test_scan_disturbs_no_call(bench):
    """Calls stay up, a telephone registers and calls, one address that insists is ignored."""
    tandem = bench.gateway(gateway={"log_level": "info"}, sip={"throttle_failures": 6})
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential(name="desk")))
    load = EchoLoad(bench.folder, CALLS, CALLS, hold=HOLD_MS)
    load.start()
    until(lambda: int(tandem.status()["calls"]) == CALLS, 15, f"{CALLS} calls")
    scanner = Scanner(ADDRESSES, RATE)
    scanner.start()
    phone.register()
    phone.call("echo")
    scanner.join()
    check(int(tandem.status()["calls"]) == CALLS, f"calls in the scan: {tandem.status()['calls']}")
    print(f"{scanner.sent} requests from {ADDRESSES} addresses, {scanner.answered} answers")
    check(scanner.answered > ADDRESSES, f"only {scanner.answered} of {scanner.sent} were answered")
    rows = tandem.rows("sources")
    check(0 < len(rows) <= 8192, f"{len(rows)} addresses are remembered")
    check({row["state"] for row in rows} <= {"counted", "slowed"}, f"somebody is ignored: {rows[0]}")

    def is_ignored():
        for method in METHODS:
            scanner.send(7, method, "elsewhere.example")  # nobody's phone without a password
        return [row for row in tandem.rows("sources") if row["state"] == "ignored"]
    ignored = until(is_ignored, 30, "an address to be ignored")
    check(ignored[0]["address"] == "127.1.0.7", f"ignored: {ignored}")
    check("tandemctl sources lift 127.1.0.7" in tandem.log.read_text(errors="replace"), "the log has no remedy")
    tandem.ctl("sources", "lift", "127.1.0.8", want=0)
    tandem.ctl("sources", "lift", "127.1.0.7")
    check(not [row for row in tandem.rows("sources") if row["state"] == "ignored"], "still ignored after it was lifted")
    tandem.ctl("sources", "lift", "all")
    check(not tandem.rows("sources"), "remembered after all were lifted")
    load.finish()
    phone.register()
