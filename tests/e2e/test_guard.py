# SPDX-License-Identifier: AGPL-3.0-or-later
"""The guard: what a stolen password of a SIP phone can cost, and who is told and asked.

The day's minutes abroad are one instead of sixty, all else is as on a new gateway.
"""
import re
import sqlite3
import threading
import time

from harness import DOMAIN, GATEWAY, OUTSIDE, check, until
from peers.plain import PlainEnd
from peers.process import Failed
from peers.softphone import Softphone

ALLOWED_S = 60
SLOW_S = 1.5  # until a BYE has come, of each call that is up then
HOME = OUTSIDE
KNOWN = [f"+4312345{n:04}" for n in range(40)]  # Vienna
NEW = ["+882161234567", "+37120123456", "+252612345678", "+94112345678", "+38761123456", "+22670123456", "+5351234567",
       "+67570123456", "+50937123456", "+24162123456"]
PREMIUM = ["+19005550199", "+43900123456", "+49900312345", "+3580600123", "+882161000001", "+8835100000001"]


class Answering(PlainEnd):
    """A carrier that takes every call at once, and says how long each was."""

    def __init__(self, address, port):
        self.times = {}  # number → [begun, over], in the order they came
        self.lock = threading.Lock()
        super().__init__(address, port, "carrier")

    def _hear_request(self, call_id, text):
        super()._hear_request(call_id, text)
        number = re.match(r"\w+ sip:([^@]*)@", text)[1]
        with self.lock:
            if text.startswith("INVITE ") and call_id not in self.times:
                self.times[call_id] = [number, None, None]
                self.calls[call_id].answer()
            elif text.startswith("ACK ") and not self.times[call_id][1]:
                self.times[call_id][1] = time.monotonic()
            elif text.startswith("BYE "):
                self.times[call_id][2] = time.monotonic()

    def talked(self, prefix):
        """Seconds of all calls to such numbers so far."""
        now = time.monotonic()
        with self.lock:
            return sum((over or now) - begun for number, begun, over in self.times.values() if begun and number.startswith(prefix))

    def called(self, number):
        with self.lock:
            return any(number == called for called, _, _ in self.times.values())

    def up(self, prefix):
        with self.lock:
            return [n for n, begun, over in self.times.values() if begun and not over and n.startswith(prefix)]


def reads(phone, words):
    """Among all that comes in the chat."""
    while True:
        body = phone.wait("chat", 10)["body"]
        print(f"{phone.name} reads: {body}")
        if words in body:
            return


def steal(thief, numbers):
    """Dials all of them at once; the calls that are answered, and the words of those that are not."""
    answered, refused = [], []

    def dial(number):
        call = thief.dial(number)
        try:
            until(lambda: call.answered or call.over, 10, f"an answer to {number}")
        except Failed:
            refused.append((number, "silence"))
            return
        if call.answered:
            answered.append(call)
        else:
            refused.append((number, f"{call.over.first} {call.over.header('Reason')}"))
    threads = [threading.Thread(target=dial, args=(n,)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered, refused


def test_guard_stolen_password(bench):
    """In parallel and in sequence: known countries, new ones, premium numbers."""
    tandem = bench.gateway(limits={"abroad_minutes": 1}, xmpp={"operators": f"bob@{DOMAIN}"})
    carrier = bench.keep(Answering("127.0.0.9", 5070))
    tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "port=5070", "options-seconds=0")
    tandem.ctl("user", "set", f"alice@{DOMAIN}", "countries=AT")
    alice, bob = bench.webrtc("alice"), bench.webrtc("bob", resource="operator")
    user, password = bench.credential(name="desk")
    thief = bench.keep(Softphone(bench.folder, "thief", user, password, ("127.0.0.1", 5060), "127.0.0.8"))
    thief.register()

    honest, _ = steal(thief, [HOME])
    check(len(honest) == 1, "a call at home is not taken")
    _, refused = steal(thief, PREMIUM + NEW)
    check(len(refused) == len(PREMIUM + NEW), f"of the dear and the new only {refused} were refused")
    check(any("has not called this country before" in words for _, words in refused), f"refused with {refused}")
    for number in PREMIUM + NEW:
        check(not carrier.called(number), f"{number} has reached the carrier")
    reads(alice, "Answer YES to allow calls to")

    began, numbers = time.monotonic(), list(KNOWN)
    while time.monotonic() - began < 60:
        answered, refused = steal(thief, [numbers.pop(0) for _ in range(6)])
        if any("are used up" in words for _, words in refused) and not carrier.up("+43"):
            break
        check(len(carrier.up("+43")) <= 4, f"{carrier.up('+43')} at once")
        until(lambda: time.monotonic() - began > 60 or not carrier.up("+43") or len(carrier.up("+43")) < 4, 30, "an end")
    spent = carrier.talked("+43")
    print(f"the thief has talked {spent:.1f} s abroad in {time.monotonic() - began:.1f} s")
    check(0.75 * ALLOWED_S < spent <= ALLOWED_S + 4 * SLOW_S, f"{spent:.1f} s abroad")
    check(not carrier.up("+43"), f"{carrier.up('+43')} are still up")
    check(carrier.up("+1") == [HOME], "the call at home has been ended as well")
    _, refused = steal(thief, KNOWN[-3:])
    check(len(refused) == 3 and all("minutes abroad for today are used up" in words for _, words in refused), f"{refused}")
    for phone, whose in ((alice, ""), (bob, f"alice@{DOMAIN}: ")):
        for sentence in ("80 % used", "The minutes abroad for today are used up"):
            reads(phone, whose + sentence)
    rows = {row["limit"]: row for row in tandem.rows("guard", "show", f"alice@{DOMAIN}")}
    check(rows["abroad_minutes"]["state"] == "reached", f"guard show says {rows}")

    # what a higher limit would have done, had all this been yesterday
    day = 86400 * 1000000
    with sqlite3.connect(tandem.database, timeout=10) as database:
        until(lambda: database.execute("SELECT count(*) FROM calls WHERE ended_us = 0").fetchone()[0] == 1, 10, "the records")
        database.execute("UPDATE calls SET started_us = started_us - ?, answered_us = answered_us - ?, ended_us = ended_us - ? "
                         "WHERE answered_us > 0 AND ended_us > 0", (day, day, day))
    for limit, reached in (("1", True), ("2", False)):
        rows = tandem.rows("guard", "test", f"abroad-minutes={limit}")
        check(any(row["limit"] == "abroad_minutes" for row in rows) == reached, f"guard test with {limit} says {rows}")

    # the person says no: it was not she; and the operator lifts it when the password is another
    alice.say(GATEWAY, "no")
    _, refused = steal(thief, KNOWN[:1])
    until(lambda: "stopped" in str(tandem.rows("guard", "show", f"alice@{DOMAIN}")), 10, "the stop by the person")
    tandem.ctl("guard", "lift", f"alice@{DOMAIN}")
    answered, _ = steal(thief, KNOWN[:1])
    check(len(answered) == 1, "no call abroad after guard lift")


def test_guard_first_call_to_a_country(bench):
    """Refused and asked about; after YES the next one goes, also after a restart."""
    tandem = bench.gateway()
    carrier = bench.keep(Answering("127.0.0.9", 5070))
    tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "port=5070", "options-seconds=0")
    alice, bob = bench.webrtc("alice"), bench.webrtc("bob", resource="other")
    number = f"{KNOWN[0]}@{GATEWAY}"

    alice.call(number)
    alice.wait("ended", by="peer")
    question = alice.wait("chat")
    check(question["from"] == number and "(Austria) was refused" in question["body"], f"alice reads {question}")
    check(not carrier.called(KNOWN[0]), "the first call has reached the carrier")
    bob.say(number, "YES")  # nobody has asked bob
    alice.wait("chat")  # why the call failed
    alice.say(number, "Yes")
    answer = alice.wait("chat")
    check("Calls to Austria are allowed" in answer["body"], f"alice reads {answer}")
    until(lambda: ["countries", "AT"] in tandem.json("user", "show", f"alice@{DOMAIN}")["rows"], 10, "the yes in the database")
    tandem.stop()
    tandem.start()
    alice.call(number)
    until(lambda: carrier.called(KNOWN[0]), 15, "the next call to reach the carrier")
    alice.hangup()
