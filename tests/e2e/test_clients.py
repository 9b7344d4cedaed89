# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every client of personalities/ calls and is called: the table of clients.py."""
import concurrent.futures
import json
import time
import traceback
from pathlib import Path

from harness import DOMAIN, GATEWAY, Failed, Phases, alone, check, hear, slow
from peers.process import until

SIP = "127.0.0.1:5060"
COLUMNS = ["out", "in", "hold", "DTMF", "busy", "cancel", "90 s ring"]
TALK = 3
MAX_LOSS = 0.04  # frames, not packets: nine clients share the processor
HOLD_PART = 2.4
AT_ONCE = 3
RING = 90
APART = 3  # seconds between their answers: other tests run beside this one


def personalities():
    found = []
    for file in sorted((Path(__file__).parent / "personalities").glob("*.json")):
        found.append({"file": file, "id": file.stem, **json.loads(file.read_text())})
    return found


class Side:
    """What one side of a call heard, to be looked at when no call needs the processor."""

    def __init__(self, side):
        self.plays, self.title, self._heard = side.plays, side.title, side.heard()

    def heard(self):
        return self._heard


class Subject:
    """One client, its account and number, and the telephone it talks to."""

    def __init__(self, bench, carrier, personality, index):
        self.bench, self.carrier, self.personality = bench, carrier, personality
        self.name, self.account = personality["name"], personality["id"]
        self.number, self.outside = f"+141555502{index:02}", f"+141555503{index:02}"
        self.cells, self.recordings = {}, {}

    def begin(self):
        bench = self.bench
        bench.tandem.ctl("user", "add", f"{self.account}@{DOMAIN}")
        bench.tandem.ctl("number", "add", self.number, f"{self.account}@{DOMAIN}")
        self.phone = bench.client(self.personality, self.account)

    def login(self):
        self.phone.login()
        # its user has the number among his contacts
        self.phone.subscribe(f"{self.outside}@{GATEWAY}")

    def cell(self, column, test):
        """One cell of the table; the reason when it does not apply or fails."""
        why = self.personality.get("cannot", {}).get(column)
        if why:
            self.cells[column] = f"– {why}"
            return
        faults = len(self.phone.faults())
        try:
            test()
            new = self.phone.faults()[faults:]
            check(not new, f"the client objects: {new[:3]}")
            self.cells[column] = "ok"
        except Failed as failure:
            objections = "".join(f"; it objects: {fault}" for fault in self.phone.faults()[faults:][:2])
            self.cells[column] = f"FAILED {failure}{objections}"
            self.recover()
        except Exception:  # the other cells are of interest all the same
            self.cells[column] = "FAILED " + traceback.format_exc(limit=3)
            self.recover()
        print(f"{self.name}: {column}: {self.cells[column]}\n", end="", flush=True)

    def recover(self):
        try:
            self.phone.hangup()
            self.phone.wait("media")
        except (Failed, OSError):
            pass
        self.phone.forget()

    # the calls

    def dial(self, rings=True):
        self.phone.call(f"{self.outside}@{GATEWAY}")
        leg = self.carrier.wait_call(number=self.outside)
        if rings:
            leg.ring()
            if self.personality["ringing"]:
                self.phone.wait("ringing")
        return leg

    def is_called(self):
        leg = self.carrier.call(self.number, SIP, plays="B", caller=self.outside)
        self.phone.wait("incoming", 20)
        return leg

    def keep(self, column, leg, answered=None):
        self.recordings[column] = Side(self.phone), Side(leg), answered

    def compare(self):
        """Which tone, how late and with what loss, in both directions, of every call."""
        for column, (phone, leg, answered) in self.recordings.items():
            try:
                if column == "hold":
                    self.phases.sides = phone, leg
                    self.phases.judge()
                    continue
                at_client, at_telephone = hear(phone, leg, MAX_LOSS)
                if answered:
                    late = max(at_client.first_at, at_telephone.first_at) - answered
                    check(late < 2, f"audio {late:.1f} s after the 200")
                    self.cells[column] += f" {late:.1f} s"
                elif column in ("out", "in"):
                    self.cells[column] += f" {at_telephone.delay_ms}/{at_client.delay_ms} ms"
            except Failed as failure:
                self.cells[column] = f"FAILED {failure}"

    def out(self):
        leg = self.dial()
        leg.answer()
        self.phone.wait("up")
        self.bench.talk(TALK)
        self.phone.hangup()
        leg.wait_end()
        self.keep("out", leg)

    def come_in(self):
        leg = self.is_called()
        self.phone.answer()
        leg.wait_answer()
        self.phone.wait("up")
        self.bench.talk(TALK)
        leg.hangup()
        self.phone.wait("ended", by="peer")
        self.keep("in", leg)

    def part(self, who):
        self.phases.mark(who)
        self.bench.talk(HOLD_PART)

    def hold(self):
        """The telephone holds and resumes; then the client does, if it can."""
        leg = self.dial()
        leg.answer()
        self.phone.wait("up")
        self.phases = Phases(self.phone, leg, 0.8, 0.1)
        self.part("both")
        leg.line.silent = True
        leg.change("sendonly")
        self.part("none")
        leg.change("sendrecv")
        leg.line.silent = False
        self.part("both")
        if self.personality.get("holds"):
            self.phone.info("hold")
            leg.wait_change("sendonly")
            self.part("none")
            self.phone.info("active")
            leg.wait_change("sendrecv")
            self.part("both")
        self.phases.mark(None)
        self.phone.hangup()
        leg.wait_end()
        self.keep("hold", leg)

    def digits(self, keys="19#"):
        """Said in a chat message, which every client can; key pads are tried in test_browsers.py."""
        leg = self.dial()
        leg.answer()
        self.phone.wait("up")
        self.phone.say(f"{self.outside}@{GATEWAY}", keys)
        until(lambda: len(leg.line.keys()) == len(keys) and leg.line.keys()[-1][1] >= 150, 10, f"the keys {keys}")
        heard = "".join(key for key, _, _ in leg.line.keys())
        check(heard == keys, f"heard {heard}, not {keys}")
        self.phone.hangup()
        leg.wait_end()
        leg.line.close()

    def busy(self):
        """A busy telephone, then a user who declines."""
        leg = self.dial(rings=False)
        leg.refuse(486)
        told = self.phone.wait("ended", by="peer")
        check(told["reason"] == "busy", f"the client was told {told}")
        leg = self.is_called()
        self.phone.reject()
        leg.wait(603)

    def cancel(self):
        """The client gives up while it rings, then the telephone does."""
        leg = self.dial()
        self.phone.hangup()
        leg.wait("CANCEL")
        leg.line.close()
        leg = self.is_called()
        leg.cancel()
        told = self.phone.wait("ended", by="peer")
        check(told["how"] == ("session-terminate" if self.personality["dials"] == "direct" else "retract"),
              f"the client was told {told}")
        leg.wait(487)

    def refused_out(self):
        """Its call is ended with the reason of the personality, and reaches no telephone."""
        self.phone.call(f"{self.outside}@{GATEWAY}")
        told = self.phone.wait("ended", by="peer")
        check((told["how"], told["reason"]) == ("session-terminate", self.personality["refused"]), f"the client was told {told}")

    def refused_in(self):
        """Without DTLS it is not even called: it would take our offer for plain RTP."""
        leg = self.carrier.call(self.number, SIP, plays="B", caller=self.outside)
        leg.wait(480)  # no device that is there can take it
        check(not self.phone.has("incoming"), "it was called")

    def calls(self):
        if "refused" in self.personality:
            self.cell("out", self.refused_out)
            self.cell("in", self.refused_in)
            for column in ("out", "in"):
                self.cells[column] = self.cells[column].replace("ok", "refused")
        else:
            self.cell("out", self.out)
            self.cell("in", self.come_in)
        self.cell("hold", self.hold)
        self.cell("DTMF", self.digits)
        self.cell("busy", self.busy)
        self.cell("cancel", self.cancel)

    def rings_long(self, answer_at):
        leg = self.dial()
        self.bench.talk(max(0, answer_at - time.time()))
        check(not self.phone.has("ended"), f"{self.name} gave up")
        answered = leg.answer()
        self.phone.wait("up", 8)
        self.bench.talk(TALK)
        self.phone.hangup()
        leg.wait_end()
        self.keep("90 s ring", leg, answered.at)


def subjects(bench):
    chosen = personalities()
    bench.prosody(accounts=[p["id"] for p in chosen])
    bench.gateway()
    carrier = bench.carrier()
    found = [Subject(bench, carrier, p, i) for i, p in enumerate(chosen, 1)]
    # here and not in threads of their own, with which they would end (PR_SET_PDEATHSIG)
    for s in found:
        s.begin()
    for s in found:
        s.login()
    return found


def conclude(bench, part, found):
    """Keeps the cells for clients.py; Failed when one is red."""
    for s in found:
        s.compare()
    (bench.folder.parent / f"clients-{part}.json").write_text(json.dumps({s.name: s.cells for s in found}, indent=1))
    # told here, cell by cell
    for s in found:
        s.phone.events = [e for e in s.phone.events if e not in s.phone.faults()]
    red = [f"{s.name}: {column}: {cell}" for s in found for column, cell in s.cells.items() if cell.startswith("FAILED")]
    check(not red, "\n".join(red))


@alone
def test_clients_calls(bench):
    found = subjects(bench)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(Subject.calls, found))
    conclude(bench, "calls", found)


@slow
def test_clients_ring_90_seconds(bench):
    """All of them at once; then they are answered one after the other."""
    found = subjects(bench)
    began = time.time()
    with concurrent.futures.ThreadPoolExecutor(len(found)) as pool:
        for i, s in enumerate(found):
            pool.submit(s.cell, "90 s ring", lambda s=s, i=i: s.rings_long(began + RING + APART * i))
    conclude(bench, "ring", found)
