# SPDX-License-Identifier: AGPL-3.0-or-later
"""Scanners beside calls: bench/scan.py does the same with 100,000 addresses."""
import os
import socket

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


def test_scan_stun_at_the_sip_port(bench):
    """STUN is not answered there, by whoever: the answer would be larger than what was asked, and go where the asker
    writes. What is SIP still is."""
    tandem = bench.gateway()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.77", 0))
        line.settimeout(10)
        for kind in (b"\x00\x01", b"\x01\x01", b"\x00\x11"):  # Binding: request, success, indication
            line.sendto(kind + b"\x00\x00\x21\x12\xa4\x42" + os.urandom(12), ("127.0.0.1", 5060))
        line.sendto((f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.77:{line.getsockname()[1]};branch=z9hG4bKstun\r\n"
                     "From: <sip:a@127.0.0.77>;tag=a\r\nTo: <sip:127.0.0.1>\r\nCall-ID: stun\r\nCSeq: 1 OPTIONS\r\n"
                     "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(), ("127.0.0.1", 5060))
        first = line.recv(4096)
    check(first.startswith(b"SIP/2.0 "), f"the first answer is {first[:40]}")
    check(int(tandem.status()["sip stun dropped"]) == 3, f"dropped: {tandem.status()['sip stun dropped']}")
