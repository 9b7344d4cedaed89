# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every carrier of carriers/ calls and is called: the table of carriers.py.

test_NAME() of each is made from its file.  The gateway has one user with an XMPP
client, whose calls come one after the other, and two with telephones by SIP, whose
long waits pass meanwhile.  What kills the gateway comes last.
"""
import concurrent.futures
import json
import os
import subprocess
import time
import traceback
from pathlib import Path

import audio
from harness import DOMAIN, GATEWAY, Failed, Phases, check, hear
from peers.carrier import Carrier
from peers.kamailio import Kamailio
from peers.process import until
from peers.rtp import Line
from peers.sip import direction_of
from peers.softphone import Softphone

HERE = Path(__file__).resolve().parent
TALK = 2.5    # seconds of each part that is compared
RING = 90     # seconds a telephone rings before it is answered
STAND = 60    # seconds a call stands that nobody would hear cut sooner: 32 without an ACK
TIMER = 90    # the shortest session timer there is (RFC 4028 4)
MAX_LOSS = 0.04  # frames, not packets: several carriers share the processor

# row → (its lane, what it is)
ROWS = {
    "out": "call", "in": "call", "they end": "call", "we end": "call", "refused": "call", "cancelled": "call",
    "hold": "call", "DTMF": "call", "transfer": "phone", "60 s": "phone", "refresh": "timer", "90 s ring": "ring",
    "crash": "last",
}


def carriers():
    found = [{"id": file.stem, **json.loads(file.read_text(encoding="utf-8"))} for file in sorted((HERE / "carriers").glob("*.json"))]
    for habits in found:
        if "session" not in habits:
            habits.setdefault("cannot", {}).setdefault("refresh", "knows no session timers")
    return found


def rows_of(habits, short):
    """Those to be run; the short ones are what ./check has time for."""
    chosen = habits["short"] if short else list(ROWS)
    return [row for row in ROWS if row in chosen]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def have(address):
    """An address of this namespace."""
    ip("addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo", *(["nodad"] if ":" in address else []))


class Kept:
    """What one side of a call heard, to be looked at when no call needs the processor."""

    def __init__(self, side, plays=None):
        self.plays, self.title, self._heard = plays or side.plays, side.title, side.heard()

    def heard(self):
        return self._heard


class Subject:
    """A carrier, the gateway as it is provisioned for it, and the users."""

    def __init__(self, bench, habits, rows):
        self.bench, self.habits, self.rows, self.name = bench, habits, rows, habits["name"]
        self.cells, self.later, self._faults = {}, [], 0
        six = ":" in habits["address"]
        self.gateway = ("2001:db8:1::1" if six else "198.51.100.1", 5060)
        self.number = lambda n: f"{habits.get('numbers', '+1415555')}{n:04}"
        self.proxy = None
        self.begin()

    # the stage

    def begin(self):
        bench, habits = self.bench, self.habits
        # what leads nowhere is silent, as it is outside: no neighbour says so
        ip("neigh", "add", "10.77.0.2", "lladdr", "02:00:00:00:00:02", "dev", "e2e0", "nud", "permanent")
        ip("-6", "neigh", "add", "fe80::2", "lladdr", "02:00:00:00:00:02", "dev", "e2e0", "nud", "permanent")
        ip("-6", "route", "add", "default", "via", "fe80::2", "dev", "e2e0")
        for address in {self.gateway[0], habits["address"], habits.get("media", habits["address"]),
                        *([habits["behind"][0]] if "behind" in habits else [])}:
            have(address)
        if habits.get("tcp") == "drops":
            subprocess.run(["iptables", "-w", "-A", "INPUT", "-p", "tcp", "-d", habits["address"], "-j", "DROP"], check=True)
        bench.prosody(accounts=("alice", "bob", "carol", "dave"))
        bench.gateway(sip={"address": self.gateway[0]}, media={"rtp_address": self.gateway[0]},
                      calls={"hide_digits": False}, start=False)
        bench.tandem.start()
        for i, account in enumerate(("alice", "bob", "carol", "dave"), 1):
            bench.tandem.ctl("user", "add", f"{account}@{DOMAIN}")
            bench.tandem.ctl("number", "add", self.number(100 + i), f"{account}@{DOMAIN}")
        self.carrier = bench.keep(Carrier(bench.folder, habits, self.gateway))
        host, port = habits.get("behind", (habits["address"], habits.get("port", 5060)))
        if "behind" in habits:
            self.proxy = bench.keep(Kamailio(bench.folder, host, (self.carrier.address, self.carrier.port), port))
        trunk = {"options-seconds": 0, "country": "US", **habits["trunk"]}
        bench.tandem.ctl("trunk", "add", "carrier", host, f"port={port}", *(f"{k}={v}" for k, v in trunk.items()))
        self.phone = bench.webrtc(plays="A")
        self.phones = {account: self.softphone(account) for account in ("bob", "carol", "dave")}
        if trunk.get("register") == "yes":
            self.carrier.binding()

    def softphone(self, account):
        name, password = self.bench.credential(account)
        address = "2001:db8:2::9" if ":" in self.gateway[0] else "198.51.100.9"
        if account == "bob":
            have(address)
        return self.bench.keep(Softphone(self.bench.folder, account, name, password, self.gateway, address)).register()

    # the cells

    def cell(self, row, test):
        why = self.habits.get("cannot", {}).get(row)
        if why:
            self.cells[row] = f"– {why}"
            return
        calls = set(self.carrier.calls)
        if ROWS[row] == "call":
            self.phone.forget()  # what it said after the calls before
        try:
            test(self)
            self.cells[row] = "ok"
        except Failed as failure:
            self.cells[row] = f"FAILED {failure}"
        except Exception:  # the other cells are of interest all the same
            self.cells[row] = "FAILED " + traceback.format_exc(limit=4)
        self.object(row, calls)
        if self.cells[row].startswith("FAILED"):
            self.recover(row)
        print(f"{self.name}: {row}: {self.cells[row]}\n", end="", flush=True)

    def object(self, row, before):
        """What the carrier did not like in the calls of that row."""
        faults = [f for i, c in list(self.carrier.calls.items()) if i not in before and c.lane == row for f in c.faults]
        if faults:
            self.fail(row, "the carrier objects: " + "; ".join(dict.fromkeys(faults)))

    def fail(self, row, text):
        old = self.cells.get(row, "")
        self.cells[row] = f"{old}; {text}" if old.startswith("FAILED") else f"FAILED {text}"

    def recover(self, row):
        """Whatever is left of its calls must not be in the way of the next."""
        if ROWS[row] == "call":
            try:
                self.phone.hangup()
                self.phone.wait("media")
            except (Failed, OSError):
                pass
            self.phone.forget()

    def outside(self, row, which=0):
        """The number of a telephone of that row."""
        return self.number(200 + 10 * list(ROWS).index(row) + which)

    # calls of the XMPP client

    def mark(self, leg, row):
        leg.lane = row
        return leg

    def wait_leg(self, row, which=0, plays=None, seconds=20):
        return self.mark(self.carrier.wait_call(self.outside(row, which)[-6:], seconds, plays), row)

    def dial(self, row, rings=True):
        self.phone.call(f"{self.outside(row)}@{GATEWAY}")
        leg = self.wait_leg(row)
        if rings:
            self.carrier.ring(leg)
            self.phone.wait("ringing", 10)
        return leg

    def connect(self, row):
        leg = self.dial(row)
        self.carrier.answer(leg)
        self.phone.wait("up")
        return leg

    def is_called(self, row):
        leg = self.mark(self.carrier.call_in(self.number(101), self.outside(row), "B"), row)
        told = self.phone.wait("incoming", 20)
        check(told["from"].startswith(self.outside(row)), f"the user is told that {told['from']} calls, not {self.outside(row)}")
        return leg

    def take(self, row):
        leg = self.is_called(row)
        self.phone.answer()
        leg.wait(200)
        self.phone.wait("up")
        return leg

    def compare_later(self, row, one, other, first_since=None):
        one, other = Kept(one), Kept(other)

        def compare():
            heard = hear(one, other, MAX_LOSS, MAX_LOSS)
            if first_since:
                late = max(h.first_at for h in heard) - first_since
                check(late < 2, f"audio {late:.1f} s after the 200")
        self.later.append((row, compare))

    def ended_by_peer(self):
        return self.phone.wait("ended", by="peer")


def row_out(s):
    """The user calls, and hangs up."""
    leg = s.connect("out")
    s.bench.talk(TALK)
    s.phone.hangup()
    leg.wait_end()
    s.compare_later("out", s.phone, leg)


def row_in(s):
    """Somebody calls the user, and hangs up."""
    leg = s.take("in")
    s.bench.talk(TALK)
    leg.hangup()
    s.ended_by_peer()
    s.compare_later("in", s.phone, leg)


def row_they_end(s):
    leg = s.connect("they end")
    if "renames" in s.habits:
        s.carrier.rename(leg)
    s.bench.talk(TALK)
    leg.hangup()
    s.ended_by_peer()
    s.compare_later("they end", s.phone, leg)


def row_we_end(s):
    leg = s.take("we end")
    s.bench.talk(TALK)
    s.phone.hangup()
    leg.wait_end()
    s.compare_later("we end", s.phone, leg)


def row_refused(s):
    """A busy telephone, then a user who declines."""
    leg = s.dial("refused", rings=False)
    status, headers = s.habits.get("busy", [486, []])
    leg.refuse(status, [h.split(": ", 1) for h in headers])
    told = s.ended_by_peer()
    check(told["reason"] == "busy", f"the client was told {told}")
    leg = s.is_called("refused")
    s.phone.reject()
    leg.wait(603)
    leg.line.close()


def row_cancelled(s):
    """The user gives up while it rings, then the telephone does."""
    leg = s.dial("cancelled")
    s.phone.hangup()
    leg.wait("CANCEL")
    leg.agent.until(lambda: len(leg.heard_any("ACK")) > 0, 5, "the ACK of the 487", leg)
    leg.line.close()
    leg = s.is_called("cancelled")
    rings(leg)
    leg.cancel()
    told = s.ended_by_peer()
    check(told["how"] == "retract", f"the client was told {told}")


def row_hold(s):
    """The telephone holds and resumes in its way; then the user does."""
    leg = s.connect("hold")
    phases = Phases(s.phone, leg, 0.8, 0.1)

    def part(who):
        phases.mark(who)
        s.bench.talk(TALK)
        phases.mark(None)
    part("both")
    s.carrier.hold(leg)
    s.phone.wait("info", what="hold")
    part("none")
    s.carrier.resume(leg)
    s.phone.wait("info", what="active")
    part("both")

    def told(*directions):
        return leg.wait("INVITE", 10, lambda m: m is not leg.invite and direction_of(m.sdp) in directions)
    s.phone.info("hold")
    told("sendonly", "inactive")
    part("none")
    s.phone.info("active")
    told("sendrecv")
    part("both")
    s.phone.hangup()
    leg.wait_end()
    phases.sides = Kept(s.phone), Kept(leg)
    s.later.append(("hold", phases.judge))


def row_dtmf(s):
    """Keys of the user reach the telephone, by RFC 4733 or as INFO; those of the telephone are known here."""
    leg = s.connect("DTMF")
    keys = "19#"
    for key in keys:
        s.phone.press(key)

    def pressed():
        return leg.keys_by_info or "".join(k for k, _, _ in leg.line.keys())
    until(lambda: len(pressed()) >= len(keys), 10, f"the keys {keys}, heard {pressed()!r}")
    check(pressed() == keys, f"pressed {keys}, heard {pressed()}")
    if s.habits.get("keys") == "info":
        for key in "42":
            sent = leg.request("INFO", f"Signal={key}\r\nDuration=160\r\n", (), "application/dtmf-relay")
            answer = leg.agent.answer_to(sent, 5, leg)
            check(answer.status == 200, f"INFO was answered by {answer.first}")
    else:
        leg.press("42")
    call = s.bench.tandem.calls()[0]["id"]
    for key in "42":
        until(lambda k=key: f"callee presses {k}" in s.bench.tandem.ladder(call), 10, f"the key {key} in the ladder")
    s.phone.hangup()
    leg.wait_end()
    s.phone.wait("media")


# calls of the telephones

def rings(call):
    """It rings, or the carrier is heard ringing."""
    call.agent.until(lambda: call.heard_any(180) or call.heard_any(183), 10, f"180 or 183 at {call.agent.name}", call)


def phone_dials(s, account, row, seconds=None):
    """A call out of a telephone that is answered: (its call, the carrier's)."""
    own = s.phones[account].dial(s.outside(row))
    leg = s.wait_leg(row)
    s.carrier.ring(leg)
    rings(own)
    s.carrier.answer(leg, seconds)
    own.wait(200)
    return own, leg


def phone_takes(s, account, row, number):
    leg = s.mark(s.carrier.call_in(s.number(number), s.outside(row), "B"), row)
    own = s.phones[account].wait_call()
    own.provisional(180)
    own.accept(own.sdp("sendrecv", own.offered))
    own.line.start(own.offered)
    leg.wait(200)
    return own, leg


def stands(call, seconds):
    """It is not over so soon."""
    end = time.time() + seconds
    while time.time() < end:
        check(not call.over, f"cut {seconds - (end - time.time()):.0f} s after the answer by {call.over and call.over.first}")
        time.sleep(0.2)


def row_60_s(s):
    own, leg = phone_dials(s, "bob", "60 s")
    stands(leg, 36 if s.short else STAND)
    own.hangup()
    leg.wait_end()
    s.compare_later("60 s", own, leg)


def row_refresh(s):
    """The shortest timer: whoever is to refresh does, and the call outlives it."""
    habit = s.habits["session"]
    own, leg = phone_dials(s, "carol", "refresh", TIMER)
    for _ in range(1 if s.short else 2):
        if habit["refresher"] == "gateway":
            began = time.time()
            refresh = leg.agent.until(
                lambda t=began: next((m for m in leg.agent.messages(leg) if m.received and m.at > t and
                                      m.method in ("UPDATE", "INVITE") and not m.status), None), TIMER * 0.7, "a refresh", leg)
            check(parameter_of(refresh) >= 90, f"the refresh asks for {refresh.header('Session-Expires')}")
        else:
            stands(leg, TIMER / 2)
            answer = leg.refresh(habit.get("method", "INVITE"))
            check(answer.status == 200, f"the carrier's refresh was answered by {answer.first}")
    stands(leg, 2 if s.short else TIMER * 0.3)
    s.bench.talk(1)
    own.hangup()
    leg.wait_end()
    s.compare_later("refresh", own, leg)


def parameter_of(refresh):
    return int((refresh.header("Session-Expires") or "0").split(";")[0])


def row_90_s_ring(s):
    own = s.phones["dave"].dial(s.outside("90 s ring"))
    leg = s.wait_leg("90 s ring")
    s.carrier.ring(leg)
    rings(own)
    stands(leg, RING)
    answered = s.carrier.answer(leg)
    own.wait(200)
    s.bench.talk(TALK)
    own.hangup()
    leg.wait_end()
    s.compare_later("90 s ring", own, leg, answered.at)


def row_transfer(s):
    """The telephone moves its media, as after a transfer over there; asks us to call
    another, which is refused; then our user sends the call on."""
    own, leg = phone_takes(s, "bob", "transfer", 102)
    s.bench.talk(1)
    habit = s.habits.get("transfers", [])
    if "media" in habit:
        old, leg.line = leg.line, s.carrier.new_line("B")
        leg.change()
        old.close()
        since = time.time() + 0.6
        s.bench.talk(TALK)
        until_then = time.time()
        s.later.append(("transfer", lambda: moved(own, leg.line, since, until_then)))
    if "refer" in habit:
        sent = leg.request("REFER", "", [("Refer-To", f"<sip:{s.number(103)}@{s.carrier.domain}>")])
        answer = leg.agent.answer_to(sent, 5, leg)
        check(answer.status in (403, 405, 603), f"the carrier's REFER was answered by {answer.first}")
        stands(leg, 0.5)
    answer = s.phones["bob"].refer(own, s.outside("transfer", 1))
    check(answer.status == 202, f"REFER was answered by {answer.first}")
    second = s.wait_leg("transfer", 1, "A")
    s.carrier.ring(second)
    s.carrier.answer(second)
    own.wait("BYE")
    began = time.time() + 0.6
    s.bench.talk(TALK + 0.6)
    over = time.time()
    second.hangup()
    leg.wait_end()
    s.later.append(("transfer", lambda: joined(leg, second, began, over)))


def moved(own, line, since, until_then):
    for title, recording, speaker in (("the user", own.line.recording(), "B"), ("the new telephone", line.recording(), "A")):
        heard = audio.analyse(audio.between(recording, since, until_then), speaker)
        check(heard.present and heard.loss < 0.1, f"after the telephone's transfer {title} heard {heard}")


def joined(one, other, began, over):
    for listener, speaker in ((one, other), (other, one)):
        heard = audio.analyse(audio.between(listener.line.recording(), began, over), speaker.plays)
        print(f"after the transfer {listener.title} heard {heard}")
        check(heard.present and heard.loss < 0.1 and heard.seconds > TALK - 0.5, f"after our transfer one heard {heard}")


def row_crash(s):
    """kill -9 with one call up and one ringing: both are ended at the next start."""
    leg = s.connect("crash")
    s.phones["dave"].dial(s.outside("crash", 1))
    ringing = s.wait_leg("crash", 1)
    s.carrier.ring(ringing)
    s.bench.talk(0.5)
    s.bench.tandem.kill()
    s.bench.tandem.start()
    began = time.time()
    leg.wait("BYE", 8)
    ringing.wait("CANCEL", 8)
    leg.agent.until(lambda: any(not m.received and m.status == 200 and m.method == "BYE" for m in leg.agent.messages(leg)),
                    5, "our answer to the BYE", leg)
    print(f"told {time.time() - began:.1f} s after the start")
    s.ended_by_peer()
    s.phone.wait("media")
    leg.line.close()
    ringing.line.close()


TESTS = {row: globals()["row_" + row.lower().replace(" ", "_")] for row in ROWS}


def run(bench, habits):
    short = os.environ.get("TANDEM_CARRIERS") == "short"
    only = [r for r in os.environ.get("TANDEM_CARRIER_ROWS", "").split(",") if r]
    rows = [r for r in rows_of(habits, short) if not only or r in only]
    s = Subject(bench, habits, rows)
    s.short = short
    lanes = {}
    for row in rows:
        lanes.setdefault(ROWS[row], []).append(row)
    last = lanes.pop("last", [])

    def work(lane):
        for row in lanes[lane]:
            s.cell(row, TESTS[row])
    with concurrent.futures.ThreadPoolExecutor(len(lanes) or 1) as pool:
        list(pool.map(work, lanes))
    for row in last:
        s.cell(row, TESTS[row])
    conclude(s)


def conclude(s):
    """Audio is compared now; then the cells are kept for carriers.py."""
    for row, compare in s.later:
        try:
            compare()
        except Failed as failure:
            s.fail(row, str(failure))
    if s.proxy:
        passed = s.proxy.passed()
        print(f"{s.name}: passed its proxy: {passed}")
        s.cells["proxy"] = f"ok {passed}"
        if not all(passed.get(m.lower(), passed.get(m, 0)) for m in ("ACK", "BYE", "INVITE")):
            s.fail("proxy", f"what has passed the proxy: {passed}")
    trouble = s.carrier.check()
    if trouble:
        s.fail("carrier", "; ".join(dict.fromkeys(trouble)))
    (s.bench.folder.parent / f"carrier-{s.habits['id']}.json").write_text(json.dumps(s.cells, indent=1, ensure_ascii=False))
    # told here, cell by cell
    s.phone.events = [e for e in s.phone.events if e not in s.phone.faults()]
    red = [f"{row}: {cell}" for row, cell in s.cells.items() if cell.startswith("FAILED")]
    check(not red, "\n".join(red))


def _test(habits):
    def test(bench):
        run(bench, habits)
    return test


for _habits in carriers():
    globals()[f"test_{_habits['id']}"] = _test(_habits)
