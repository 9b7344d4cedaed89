# SPDX-License-Identifier: AGPL-3.0-or-later
"""XMPP phones: programs that take commands and tell events, as JSON lines.

WebRTC is wrtc.mjs (libwebrtc and @xmpp/client), Aiortc is aiortc_phone.py (aiortc
and slixmpp).  Both know the same commands and events:

    call TO, answer, reject [REASON], hangup, subscribe TO, quit
    online, presence, dialled, proceed, incoming, ringing, answered, up, ended, media,
    say TO WHAT and said (chat messages), press WHAT (XEP-0181),
    codecs WHAT (a list: none but these in the next calls; [] for all),
    info WHAT (a session-info both ways: hold, active, mute, unmute; wrtc.mjs alone),
    receipt, chat, lint (what a strict client would refuse), iq-error, error
"""
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import numpy as np

import audio
from . import process
from .process import Failed

HERE = Path(__file__).resolve().parent


class XmppPhone:
    """A device of an account, logged in."""

    def __init__(self, folder, program, account, resource, server_port, domain, plays, options=(), password="pw"):
        self.folder, self.plays = folder, plays
        self.name = f"{account}-{resource}"
        self.title = self.name  # as it is told to a person
        self.events, self._taken = [], set()
        self._changed = threading.Condition()
        mic = folder / f"mic-{plays}.raw"
        if not mic.exists():
            audio.signal(plays, 48000).tofile(mic)
        self._errors = open(folder / f"{self.name}.err", "wb")
        self.process = process.start(
            [*program, "--account", account, "--password", password, "--resource", resource, "--domain", domain,
             "--port", server_port, "--mic", mic, "--log", folder / self.name, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._log = open(folder / f"{self.name}.events", "w", encoding="utf-8")

    def _read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a library that prints
            with self._changed:
                self.events.append(event)
                self._log.write(line.decode())
                self._log.flush()
                self._changed.notify_all()

    def _tell(self, command, **more):
        self.process.stdin.write((json.dumps({"command": command, **more}) + "\n").encode())
        self.process.stdin.flush()

    def wait(self, name, seconds=15, **like):
        """The next event of that name, each given out once."""
        end = time.time() + seconds
        with self._changed:
            while True:
                for i, event in enumerate(self.events):
                    if i not in self._taken and event["event"] == name and all(event.get(k) == v for k, v in like.items()):
                        self._taken.add(i)
                        return event
                if self.process.poll() is not None:
                    raise Failed(f"{self.name} died waiting for {name}; see {self._errors.name}")
                if not self._changed.wait(max(0.0, min(1.0, end - time.time()))) and time.time() >= end:
                    seen = ", ".join(e["event"] for e in self.events[-8:])
                    raise Failed(f"waited {seconds:g} s for {name} at {self.name}; it saw {seen or 'nothing'}")

    def forget(self):
        """Nobody waits any more for what has been."""
        with self._changed:
            self._taken.update(range(len(self.events)))

    def has(self, name, **like):
        with self._changed:
            return any(e["event"] == name and all(e.get(k) == v for k, v in like.items()) for e in self.events)

    def all(self, name):
        """Every event of that name so far, whoever has waited for it."""
        with self._changed:
            return [e for e in self.events if e["event"] == name]

    def faults(self):
        """What a strict client would not have taken."""
        with self._changed:
            return [e for e in self.events if e["event"] in ("lint", "iq-error", "error", "media-failed", "refused")]

    def login(self, seconds=40):
        self.jid = self.wait("online", seconds)["jid"]
        return self

    def subscribe(self, to):
        """Puts a contact into the roster: each then sees the other's presence."""
        self._tell("subscribe", to=to)

    def call(self, to, what=None):
        """`what`: the mistake to be made (rude.mjs alone)."""
        self._tell("call", to=to, **({"what": what} if what else {}))
        return self.wait("dialled", 20)

    def answer(self):
        self._tell("answer")

    def reject(self, reason=None):
        self._tell("reject", reason=reason)

    def hangup(self):
        self._tell("hangup")
        return self.wait("ended", by="us")

    def restart(self):
        """An ICE restart by the client (wrtc.mjs alone)."""
        self._tell("restart")
        return self.wait("restarted", 20)

    def use_codecs(self, *names):
        """None but these in the calls that follow."""
        self._tell("codecs", what=names)

    def info(self, what):
        self._tell("info", what=what)

    def transfer(self, to):
        """XEP-0251; wrtc.mjs alone."""
        self._tell("transfer", to=to)

    def press(self, key):
        self._tell("press", what=key)

    def say(self, to, text):
        """A chat message."""
        self._tell("say", to=to, what=text)

    def ask_gateway(self, to, what=None):
        """jabber:iq:gateway: for the prompt, or for the address of what was written (gajim_program.py alone)."""
        self._tell("ask_gateway", to=to, what=what)

    def tell_window(self, does, **more):
        """See window.py."""
        self._tell("open" if does == "open" else "window", **({} if does == "open" else {"does": does}), **more)

    def heard(self):
        """(recording, when the microphone began, (lost, expected)) of the last call."""
        media = self.wait("media")
        self.codec = media.get("codec")  # of what came
        if not media.get("recording"):
            return None, media.get("fed_at"), (0, 0)
        kept = media["recording"]
        samples = np.fromfile(kept["path"], "<i2")
        lost = media.get("lost") or 0
        return (audio.Recording(samples, kept["rate"], kept["started_at"]), media["fed_at"],
                (max(lost, 0), (media.get("packets") or 0) + lost))

    def stop(self):
        if self.process.poll() is None:
            try:
                self._tell("quit")
                self.process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                process.stop(self.process)
        self._reader.join()
        self._log.close()
        self._errors.close()


def webrtc_program():
    return ["node", HERE / "wrtc.mjs"]


def client_program(personality):
    """(program, options) that behave as the client of a personality."""
    programs = {"webrtc": ["node", HERE / "client.mjs"], "dino": ["/usr/bin/python3", HERE / "dino.py"],
                "gajim": ["/usr/bin/python3", HERE / "gajim.py"]}
    return programs[personality["program"]], ["--personality", personality["file"]]


def dino_program():
    return ["dbus-run-session", "--", "/usr/bin/python3", HERE / "dino_program.py"]


def gajim_program():
    # with a session bus of its own, where no other Gajim is
    return ["dbus-run-session", "--", "/usr/bin/python3", HERE / "gajim_program.py"]


def rude_program():
    return ["node", HERE / "rude.mjs"]


def aiortc_program():
    # Debian's interpreter, which has Debian's slixmpp and aiortc
    return ["/usr/bin/python3", HERE / "aiortc_phone.py"]
