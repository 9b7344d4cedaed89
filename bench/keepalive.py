#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""keepalive.py --build FOLDER - what it costs to keep the way to registered telephones open.

20,000 telephones (KEEPALIVE_PHONES) are registered by UDP and answer each OPTIONS at
once; then none of them answers.  CPU is user and system of the whole daemon; a request
that is seen twice was repeated, because an answer was lost on the way.
"""
import argparse
import os
import re
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "e2e"))
from harness import until
from setup import cpu_seconds, in_bench

PHONES = int(os.environ.get("KEEPALIVE_PHONES", "20000"))
EVERY = 25  # seconds: the default of [sip] keepalive
ROUNDS = 2
BRANCH = re.compile(rb"^Via:.*;branch=([^;\s]+)", re.I | re.M)
COPIED = re.compile(rb"^(?:Via|From|To|Call-ID|CSeq):.*\r\n", re.I | re.M)


class Phones(threading.Thread):
    """All of them at one address."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen = Counter()
        self.a_tenth = Counter()
        self.answer = True

    def run(self):
        while True:
            data, source = self.socket.recvfrom(65535)
            if not data.startswith(b"OPTIONS"):
                continue
            self.seen[BRANCH.search(data)[1]] += 1
            self.a_tenth[int(time.monotonic() * 10)] += 1
            if self.answer:
                self.socket.sendto(b"SIP/2.0 200 OK\r\n" + b"".join(COPIED.findall(data)) + b"Content-Length: 0\r\n\r\n", source)


def register(store, port):
    now = int(time.time())
    with sqlite3.connect(store, timeout=20) as db:
        db.execute("INSERT INTO users (jid, created) VALUES ('many@example.org', ?)", (now,))
        for i in range(PHONES):
            row = db.execute("INSERT INTO softphones (user, username, realm, ha1_md5, ha1_sha256, created)"
                             " VALUES ('many@example.org', ?, 'tandem', '', '', ?)", (f"p{i}", now))
            db.execute("INSERT INTO contacts (softphone, uri, received, call_id, cseq, expires, updated)"
                       " VALUES (?, ?, ?, ?, 1, ?, ?)",
                       (row.lastrowid, f"sip:p{i}@127.0.0.1:{port}", f"udp:127.0.0.1:{port}", f"c{i}", now + 36000, now))


def measure(bench):
    phones = Phones()
    tandem = bench.gateway(gateway={"log_level": "error"}, sip={"keepalive": EVERY})
    tandem.stop()
    register(tandem.database, phones.port)
    phones.start()
    tandem.start()
    until(lambda: len(phones.seen) > PHONES // EVERY, 60, "the first OPTIONS")
    for phones.answer in (True, False):
        phones.seen.clear()
        phones.a_tenth.clear()
        before, began = cpu_seconds(tandem.process.pid), time.monotonic()
        time.sleep(ROUNDS * EVERY)
        used, took = cpu_seconds(tandem.process.pid) - before, time.monotonic() - began
        asked, repeated = len(phones.seen), sum(n - 1 for n in phones.seen.values())
        print(f"{PHONES} telephones that {'answer' if phones.answer else 'are gone'}: {asked} OPTIONS in {took:.0f} s, "
              f"{repeated} repetitions, {100 * used / took:.1f} % of a core, {1e6 * used / max(asked, 1):.0f} us each; "
              f"at most {max(phones.a_tenth.values())} in a tenth of a second", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    options = parser.parse_args()
    return in_bench("keepalive", options.build, measure)


if __name__ == "__main__":
    sys.exit(main())
