# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database cannot be written: another process holds its lock, the disk is full, and
tandemd is killed meanwhile.  No call waits, none escapes its limit, no record is lost.

TANDEM_HELD=30 holds the lock, and fills the disk, for so many seconds.
"""
import json
import os
import sqlite3
import subprocess
import time

from harness import ALICE, DOMAIN, STALL, alone, check
from peers import process
from peers.plain import PlainEnd
from peers.process import until

HELD = float(os.environ.get("TANDEM_HELD", "5"))


class Records:
    """tandemd with its database on a small disk of its own, a carrier and a telephone."""

    def __init__(self, bench):
        self.disk = bench.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", self.disk], check=True)
        self.database = self.disk / "tandem.db"
        self.filler = self.disk / "filler"
        self.tandem = bench.gateway(gateway={"database": self.database, "plugins": "xmpp;sip;echo"},
                                    limits={"max_calls": 250, "max_setup_per_second": 1000})
        self.tandem.database = self.database
        self.carrier = bench.keep(PlainEnd("127.0.0.9", 5070, "carrier"))
        self.tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "port=5070", "options-seconds=0")
        self.tandem.ctl("user", "set", f"alice@{DOMAIN}", "max-calls=2", "ring=sip")
        user, password = bench.credential()
        self.phone = bench.keep(PlainEnd("127.0.0.8", 0, user, password))
        self.phone.register()
        self.other = bench.keep(PlainEnd("127.0.0.7", 0, user, password))
        self.began = 0

    def line(self):
        return self.tandem.status()["records"]

    def call(self, number=ALICE):
        self.began += 1
        return self.carrier.call(number)

    def fill(self):
        with sqlite3.connect(self.database) as database:  # an empty log needs room for all that comes
            until(lambda: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, 10, "an empty log")
        with open(self.filler, "wb", buffering=0) as filler:
            for size in (65536, 4096):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    pass

    def normal(self):
        """Seconds an OPTIONS, and the 180 of a call, take: the slowest of some."""
        slowest = [0, 0]
        for _ in range(10):
            slowest[0] = max(slowest[0], self.carrier.options())
            call = self.call()
            slowest[1] = max(slowest[1], call.wait(180))
            self.hang_up(call)
        return slowest

    def hang_up(self, call):
        """The phone that rings answers, and the carrier hangs up."""
        ringing = [c for p in (self.phone, self.other) for c in p.calls.values()
                   if "CANCEL" not in c.heard and "BYE" not in c.heard and "ACK" not in c.heard]
        ringing[-1].answer()
        call.wait(200)
        call.hangup()
        until(lambda: "BYE" in ringing[-1].heard, 10, "the telephone to hear the BYE")

    def strain(self, seconds, normal):
        """What is asked meanwhile: slowest OPTIONS and INVITE to 180, and the limit each time."""
        end, slowest, rounds = time.monotonic() + seconds, [0, 0], 0
        while time.monotonic() < end:
            slowest[0] = max(slowest[0], self.carrier.options())
            first = self.call()
            slowest[1] = max(slowest[1], first.wait(180))
            second = self.call()
            slowest[1] = max(slowest[1], second.wait(180))
            third = self.call()
            check(third.final() in (486, 503), f"the third call of a user with max-calls=2 was answered {third.heard}")
            live = [c for c in self.tandem.calls() if c["state"] != "ENDED"]
            check(len(live) == 20 + 2, f"{len(live)} live calls in the list, not 22")
            for call in (second, first):
                self.hang_up(call)
            rounds += 1
        print(f"heard within {slowest[0] * 1000:.1f} and {slowest[1] * 1000:.1f} ms in {rounds} rounds, "
              f"normal is {normal[0] * 1000:.1f} and {normal[1] * 1000:.1f} ms")
        for which, word in enumerate(("OPTIONS", "INVITE to 180")):
            check(slowest[which] < normal[which] + STALL, f"{word} took {slowest[which]:.3f} s, normal {normal[which]:.3f} s")

    def rows(self, what):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute(f"SELECT {what} FROM calls WHERE count = 0").fetchone()[0]

    def wait_written(self, live):
        until(lambda: self.line() == "written", 20, f"the records to be written, they are {self.line()}")
        until(lambda: self.rows("sum(ended_us = 0)") == live, 10, f"{live} live calls in the database")
        check(self.rows("sum(ended_us <> 0 AND (reason IS NULL OR state <> 'ENDED'))") == 0, "a record is not complete")


@alone
def test_database_cannot_be_written(bench):
    records = Records(bench)
    live = [records.call("echo") for _ in range(20)]
    for call in live:
        call.wait(200)
    normal = records.normal()
    records.wait_written(20)

    lock = sqlite3.connect(records.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    records.other.register()  # found by the next call, though it has no row
    probe = records.call()
    until(lambda: len(records.other.calls) == 1, 10, "the telephone that has just registered to ring")
    records.hang_up(probe)
    records.strain(HELD, normal)
    check("late since" in records.line(), f"records are {records.line()}")
    began = time.monotonic()
    refused = records.tandem.ctl("user", "set", f"bob@{DOMAIN}", "max-calls=3", want=1)
    check(time.monotonic() - began < 8 and "another process" in refused.stderr, f"said {refused.stderr}")
    lock.execute("ROLLBACK")
    lock.close()
    records.tandem.ctl("user", "set", f"bob@{DOMAIN}", "max-calls=3")
    records.wait_written(20)

    records.fill()
    records.strain(HELD, normal)
    until(lambda: "late since" in records.line(), 10, "records to be late")
    print(f"heard that records are {records.line()}")
    for call in live[:5]:
        call.hangup()
    until(lambda: records.tandem.status()["calls"] == 15, 10, "five calls to end")
    records.tandem.kill()
    records.tandem.start()
    for call in live[5:]:
        call.wait("BYE", 20)
    check(not any("BYE" in call.heard for call in live[:5]), "a call that had ended was ended again")
    check(all(c["state"] == "ENDED" for c in records.tandem.rows("calls", "--last", 1000)), "a call is live after the restart")
    records.filler.unlink()
    records.wait_written(0)
    check(records.rows("count(DISTINCT id)") == records.rows("count(*)"), "an id was given twice")
    crashed = records.rows("sum(reason = 'crashed')")
    check(crashed == 15, f"{crashed} records of crashed calls, not 15")
    check(records.rows("count(*)") >= 20 + 1 + 10, "records are missing")


HOOK = """#!/bin/sh
[ -e {folder}/good ] || exit 1
cat >>{folder}/told
"""


def test_hook_is_told_of_each_call(bench):
    """The program fails, the daemon is killed right after a BYE, and started again: no call is missing."""
    program, told = bench.folder / "hook", bench.folder / "told"
    program.write_text(HOOK.format(folder=bench.folder))
    program.chmod(0o755)
    tandem = bench.gateway(records={"hook": program})
    carrier = bench.keep(PlainEnd("127.0.0.9", 5070, "carrier"))
    tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "port=5070", "options-seconds=0")

    def calls(n):
        for _ in range(n):
            call = carrier.call("echo")
            call.wait(200)
            call.hangup()
            tandem.last_record()

    def ids():
        return [json.loads(line)["id"] for line in told.read_text().splitlines()] if told.exists() else []

    calls(3)
    until(lambda: "takes no calls since" in tandem.status()["records-hook"], 10, "the hook to fail")
    calls(2)
    left = carrier.call("echo")  # is up when the daemon is killed: the start ends it
    left.wait(200)
    tandem.kill()
    tandem.start()
    calls(1)
    (bench.folder / "good").touch()
    until(lambda: tandem.status()["records-hook"] == "has taken all calls" and len(ids()) >= 7, 30,
          f"all calls to be told, they are {ids()}")
    ended = sorted(c["id"] for c in tandem.rows("calls") if c["state"] == "ENDED")
    check(len(ended) == 7 and sorted(set(ids())) == ended, f"told are {ids()}, ended {ended}")
    check(ids() == sorted(ids()), f"told in the order {ids()}")


def test_calls_are_followed_and_a_person_erased(bench):
    """Every call is seen as it changes; then the records lose the person's name, and stay."""
    tandem = bench.gateway()
    carrier = bench.keep(PlainEnd("127.0.0.9", 5070, "carrier"))
    tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "port=5070", "options-seconds=0")
    user, password = bench.credential()
    phone = bench.keep(PlainEnd("127.0.0.8", 0, user, password))
    phone.register()
    tandem.ctl("user", "set", f"alice@{DOMAIN}", "ring=sip")
    seen = bench.folder / "seen"
    with open(seen, "wb") as output:
        follower = process.start([tandem.build / "tandemctl", "--config", tandem.config, "--json-lines", "calls", "--follow",
                                  "--trunk", "carrier"], env=tandem.environment, stdout=output)

    def rows():
        return [json.loads(line) for line in seen.read_text().splitlines()]
    try:
        ended = set()
        for _ in range(3):
            rung = len(phone.calls)
            call = carrier.call(ALICE)
            call.wait(180)
            until(lambda r=rung: len(phone.calls) > r, 10, "the telephone to ring")
            refused = tandem.ctl("user", "erase", f"alice@{DOMAIN}", want=2)
            check("is enabled" in refused.stderr, f"said {refused.stderr}")
            list(phone.calls.values())[-1].answer()
            call.wait(200)
            call.hangup()
            ended.add(int(tandem.last_record()["id"]))
        # the first may have been over before the follower began
        until(lambda: {r["id"] for r in rows() if r["state"] == "ENDED"} >= ended - {min(ended)}, 10, "the end of each call to be seen")
    finally:
        process.stop(follower)
    tandem.ctl("user", "set", f"alice@{DOMAIN}", "enabled=no")
    until(lambda: tandem.ctl("user", "erase", f"alice@{DOMAIN}", want=None).returncode == 0, 10, "alice to be erased")
    listed = tandem.ctl("--json", "calls", "--all").stdout + tandem.ctl("--json", "usage").stdout
    check("alice" not in listed and ALICE not in listed, f"alice is in {listed}")
    check({c["id"] for c in tandem.calls()} >= ended, "a record is gone")
    check(dict(tandem.json("call", "show", max(ended))["rows"])["to"] == "erased", "the one called has a name")
    check("alice" not in tandem.ctl("user", "list").stdout, "alice is a user")
