# SPDX-License-Identifier: AGPL-3.0-or-later
"""Each codec against each: two sides of a call that speak one codec each, who calls whom,
and what is heard.  audio_codecs.py prints what comes of it as a table.

A side is a client (libwebrtc, aiortc), a softphone (our own user agent, baresip, linphone) or
a carrier; who is not one of the programs has its codec from peers/coder.py.
"""
import json
import re
import subprocess
import traceback

import audio
from harness import ALICE, BOB, GATEWAY, OUTSIDE, Failed, check, hear
from peers import speech
from peers.carrier import Carrier
from peers.softphone import Softphone

speech.ffmpeg()  # in a call it would tear a hole into what is heard

CODECS = {"opus": 98, "G722": 9, "PCMA": 8, "PCMU": 0}
LEAN = {"AMR-WB": 114, "AMR": 112, "G729": 18}  # in a build that has them; AMR in bits: baresip has whole bytes
WIDE = ("opus", "G722", "AMR-WB")
AMR = ("AMR", "AMR-WB")
SIP = "127.0.0.1:5060"
TALK = 3.2
MAX_LOSS = 0.03      # of frames: a jitter buffer may grow once in a short call
MAX_DELAY_MS = 500   # of a side with a jitter buffer, on a busy machine
FOLDED = -15  # dB, of a telephone's codec that folds 4.8 kHz to 3.2: the upper band of G.722 carries some of that
DULL, BRIGHT = -25, -23  # dB of what is above 4 kHz: less is a telephone's (-28), more is wideband (-21 with FEC)


class Client:
    """An XMPP client; it is told which codec before each call."""
    number = ALICE
    whole_bytes = False  # its AMR

    def __init__(self, phone, folds=False):
        self.phone, self.title, self.plays = phone, phone.name, phone.plays
        self.codec, self.folds = None, folds

    def use(self, *codecs):
        self.codec = codecs[0]
        self.phone.forget()
        self.phone.use_codecs(*codecs)

    def dial(self, number):
        self.phone.call(f"{number}@{GATEWAY}")

    def wait_ringing(self):
        self.phone.wait("incoming", 20)

    def answer(self):
        self.phone.answer()

    def wait_up(self):
        self.phone.wait("up", 20)

    def hangup(self):
        self.phone.hangup()

    def wait_over(self):
        self.phone.wait("ended", by="peer")

    def kept(self):
        return Kept(self.phone)

    def heard_codecs(self):
        return [self.phone.codec]


class UserAgent:
    """peers/sip.py as a carrier or as a softphone."""
    folds = whole_bytes = False

    def __init__(self, agent, number, dial, allow):
        self.agent, self.number, self._dial, self.title = agent, number, dial, agent.name
        self._allow = allow
        self.plays = agent.plays
        self.call = self.codec = None

    def use(self, codec):
        self.codec, self.agent.codecs = codec, ({**CODECS, **LEAN}[codec],)
        self._allow(codec)

    def dial(self, number):
        self.call = self._dial(number)

    def wait_ringing(self):
        self.call = self.agent.wait_call()
        self.call.provisional(180)

    def answer(self):
        self.call.accept(self.call.sdp("sendrecv", self.call.offered))
        self.call.line.start(self.call.offered)

    def wait_up(self):
        if self.call.outgoing:
            self.call.wait(200)

    def hangup(self):
        self.call.hangup()

    def wait_over(self):
        self.call.wait_end()

    def kept(self):
        return Kept(self.call)

    def heard_codecs(self):
        return [name.split("/")[0] for name in self.call.line.heard_codecs()]


class Program:
    """baresip or linphone, begun with its codec."""
    number = BOB
    folds = False

    def __init__(self, phone, codec):
        self.phone, self.codec, self.title = phone, codec, type(phone).__name__
        self.whole_bytes = self.title == "Baresip"
        self.plays = phone.plays
        self.calls = False

    def use(self, codec):
        check(codec == self.codec, f"{self.title} was begun with {self.codec}")

    def dial(self, number):
        self.calls = True
        self.phone.call(f"sip:{number}@{SIP}")

    def wait_ringing(self):
        self.calls = False
        self.phone.wait_call()

    def answer(self):
        self.phone.pick_up()

    def wait_up(self):
        if self.calls:
            self.phone.wait_said("ACK sip:")

    def hangup(self):
        self.phone.hangup()

    def wait_over(self):
        self.phone.wait_over()

    def kept(self):
        return Kept(self.phone)

    def heard_codecs(self):
        return [self.codec]  # it has no other


class Kept:
    """What one side of a call heard."""

    def __init__(self, side):
        self.plays, self.title, self._heard = side.plays, side.title, side.heard()
        self.recording = self._heard[0]

    def heard(self):
        return self._heard


# --- the two sides ---

def allower(bench, *what):
    """Lean codecs are offered where `codecs` names them."""
    def allow(codec):
        bench.tandem.ctl(*what, f"codecs={codec if codec in LEAN else ''}")
    return allow


def carrier(bench):
    agent = bench.keep(Carrier(bench.folder, {"address": "127.0.0.9", "trunk": {}}, ("127.0.0.1", 5060)))
    bench.tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "options-seconds=0")
    return UserAgent(agent, OUTSIDE, lambda number: agent.call_in(number, OUTSIDE, "B"),
                     allower(bench, "trunk", "set", "carrier"))


def client(bench, kind, plays):
    return Client(getattr(bench, kind)("alice", plays), folds=kind == "aiortc")  # it makes 8000 samples of 48,000 without a filter


def user_agent(bench):
    agent = bench.keep(Softphone(bench.folder, "softphone", *bench.credential("bob"), ("127.0.0.1", 5060), "127.0.0.11")).register()
    return UserAgent(agent, BOB, agent.dial, allower(bench, "softphone", "set", "bob"))


def program(bench, kind, codec):
    if kind == "linphone":
        phone = Program(bench.linphone("bob", plays="A", codec=codec), codec)
        allower(bench, "softphone", "set", "bob")(codec)
        return phone
    family = "g711" if codec.startswith("PCM") else codec.lower()
    full = {"opus": "opus/48000/2", "G722": "G722/16000/1", "AMR-WB": "AMR-WB/16000/1"}.get(codec, f"{codec}/8000/1")
    phone = Program(bench.softphone("bob", plays="A", codec=family, options=f";audio_codecs={full}"), codec)
    allower(bench, "softphone", "set", "bob")(codec)
    return phone


def user_side(bench, kind, codec):
    """Plays A."""
    if kind in ("webrtc", "aiortc"):
        return client(bench, kind, "A")
    return user_agent(bench) if kind == "softphone" else program(bench, kind, codec)


# --- one call ---

def told(bench):
    """What `call show` says of the last call: {side: its line}."""
    rows = bench.tandem.json("call", "show", bench.tandem.last_record()["id"])["rows"]
    found = [re.match(r"from the (caller|callee): (.*)", value) for key, value in rows if key == "audio"]
    return {m[1]: m[2] for m in found}


def expected(from_, to, same_form=True):
    return f"{from_}, passed through" if from_ == to and same_form else f"{from_}, transcoded to {to}"


def compare(text, kept, sides):
    """The right voice each way, as bright as both codecs can have it."""
    heard = hear(*kept, MAX_LOSS, MAX_LOSS)
    wide = all(side.codec in WIDE for side in sides)
    dull = FOLDED if any(side.folds for side in sides) and any(side.codec == "G722" for side in sides) else DULL
    found = []
    for listener, one in zip(kept, heard):
        treble = audio.treble(listener.recording)
        found.append(f"{one.delay_ms} ms, {treble:.0f} dB")
        check(one.delay_ms is None or one.delay_ms < MAX_DELAY_MS, f"{text}: {listener.title} heard {one}")
        check(treble > BRIGHT if wide else treble < dull,
              f"{text}: at {listener.title} what is above 4 kHz has {treble:.0f} dB; the codecs are {'wide' if wide else 'narrow'}")
    return "; ".join(found)


def one_call(bench, caller, callee, codecs):
    """What was heard, in words."""
    for side, codec in zip((caller, callee), codecs):
        side.use(codec)
    text = f"{caller.title} {codecs[0]} to {callee.title} {codecs[1]}"
    caller.dial(callee.number)
    callee.wait_ringing()
    callee.answer()
    caller.wait_up()
    callee.wait_up()
    bench.talk(TALK)
    caller.hangup()
    callee.wait_over()
    kept = caller.kept(), callee.kept()
    said = told(bench)
    same_form = codecs[0] not in AMR or caller.whole_bytes == callee.whole_bytes
    for side, own, other, name in ((caller, *codecs, "caller"), (callee, *codecs[::-1], "callee")):
        check(side.heard_codecs() == [own], f"{text}: {side.title} was sent {side.heard_codecs()}")
        check(said.get(name, "").startswith(expected(own, other, same_form)), f"{text}: call show says {said}")
    return compare(text, kept, (caller, callee))


# --- the cells ---

def cell(bench, cells, caller, callee, codecs):
    name = f"{caller.title} {codecs[0]} > {callee.title} {codecs[1]}"
    try:
        cells[name] = f"ok {one_call(bench, caller, callee, codecs)}"
    except Failed as failure:
        cells[name] = f"FAILED {failure}"
    except Exception:  # the other cells are of interest all the same
        cells[name] = "FAILED " + traceback.format_exc(limit=4)
    print(f"cell {name}: {cells[name]}", flush=True)
    if cells[name].startswith("FAILED"):
        for call in bench.tandem.calls():
            bench.tandem.ctl("hangup", call["id"], want=None)


def each(bench, pairs):
    """(side, codec, far side, codec): calls both ways; what came of them."""
    cells = {}
    for user, codec, far, other in pairs:
        cell(bench, cells, user, far, (codec, other))
        cell(bench, cells, far, user, (other, codec))
    return cells


def judge(cells):
    red = [f"{name}: {text}" for name, text in cells.items() if text.startswith("FAILED")]
    check(not red, "\n".join(red))


def built(build):
    """The codecs that a build has."""
    said = subprocess.run([build / "tandemd", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"^codecs: (.*)", said, re.M)[1].split()


def lean(build, codec, far):
    """Those that this codec is tried with at the far side: a carrier has them, a client has none."""
    if isinstance(far, Client):
        return []
    return [name for name in LEAN if name in built(build) and (codec == "opus" or name == codec)]


def run(bench, kind, codec):
    """A user's side of one kind and one codec with each far side and codec."""
    bench.gateway()
    user = user_side(bench, kind, codec)
    fars = [carrier(bench), *([] if isinstance(user, Client) else [client(bench, "webrtc", "B")])]
    cells = each(bench, [(user, codec, far, other) for far in fars for other in (*CODECS, *lean(bench.tandem.build, codec, far))])
    (bench.folder.parent / f"codecs-{kind}-{codec}.json").write_text(json.dumps(cells, indent=1, ensure_ascii=False))
    judge(cells)


GROUPS = [(kind, codec) for kind in ("webrtc", "aiortc", "softphone", "baresip", "linphone") for codec in CODECS
          if (kind, codec) != ("aiortc", "G722")]  # it has none
GROUPS += [("softphone", codec) for codec in LEAN] + [("baresip", "AMR"), ("baresip", "AMR-WB"), ("linphone", "G729")]


def _test(kind, codec):
    def test(bench):
        run(bench, kind, codec)
    return test


for _kind, _codec in GROUPS:
    globals()[f"test_{_kind}_{_codec}"] = _test(_kind, _codec)
