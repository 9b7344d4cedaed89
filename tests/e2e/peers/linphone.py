# SPDX-License-Identifier: AGPL-3.0-or-later
"""A SIP phone: linphonec, told what to do by lines, with files for a sound card."""
import os
import re
import subprocess
import time
import wave

import numpy as np

import audio
from . import process
from .process import Failed, Transcript

RATE = 8000
CODECS = {"opus": (48000, 2), "G722": (8000, 1), "PCMU": (8000, 1), "PCMA": (8000, 1), "G729": (8000, 1)}

# A jitter buffer that grows is a hole in what is heard.  -1: any port; -2: none is listened at, its connections are its own
CONFIG = """\
[sip]
sip_port=-1
sip_tcp_port=-2
sip_tls_port=-2
use_ipv6=0
default_proxy=0
inc_timeout=120
auto_net_state_mon=0
register_only_when_network_is_up=0
keepalive_period={keepalive_ms}
refresher_retry_after=1000
root_ca={authority}
verify_server_certs=1
verify_server_cn=0

[rtp]
audio_adaptive_jitt_comp_enabled=0
audio_jitt_comp=300

[sound]
echocancellation=0

[storage]
backend=sqlite3
uri={storage}

[auth_info_0]
username={user}
passwd={password}

[proxy_0]
reg_proxy=<sip:{registrar};transport={transport}>
reg_identity=sip:{user}@{host}
reg_expires={expires}
reg_sendregister=1
"""
CODEC = """
[audio_codec_{i}]
mime={name}
rate={rate}
channels={channels}
enabled={enabled}
"""


class Linphone:
    """It registers as it begins; each call is played the signal from its start."""

    def __init__(self, folder, plays, user, password, registrar, transport="udp", expires=600, authority="", keepalive=0, codec=None,
                 texts=False):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.plays = folder, plays
        self.title = folder.name  # as it is told to a person
        self._log = Transcript(folder / "linphone.log", "linphone")
        self._calls, self._recording, self._began = 0, None, None
        config = folder / "linphonerc"
        config.write_text(CONFIG.format(
            # it keeps what it is sent, and crashes at a text where there is no place for that
            storage=folder / "texts.db" if texts else "null",
            user=user, password=password, registrar=registrar, host=registrar.rsplit(":", 1)[0], transport=transport,
            expires=expires, authority=authority, keepalive_ms=round(keepalive * 1000)) + self._only(codec))
        audio.save(folder / "mic.wav", plays, 16000 if codec in ("opus", "G722") else RATE)
        self._output = open(folder / "linphonec.out", "wb")
        self._log.path.touch()
        # the thread that reads the file has none of the priority of the one that waits for it
        self.process = process.start(["nice", "-n", "-10", "linphonec", "-c", config, "-d", "6", "-l", self._log.path],
                                     env={"HOME": str(folder), "PATH": os.environ["PATH"]}, stdin=subprocess.PIPE,
                                     stdout=self._output, stderr=subprocess.STDOUT)
        self._tell("soundcard use files")
        self._tell("play", folder / "mic.wav")
        self._next_recording()

    @staticmethod
    def _only(codec):
        """The part of its configuration that leaves it one codec; None: its own choice."""
        return "" if not codec else "".join(CODEC.format(i=i, name=name, rate=rate, channels=channels, enabled=int(name == codec))
                                            for i, (name, (rate, channels)) in enumerate(CODECS.items()))

    def _tell(self, *words):
        if self.process.poll() is not None:
            raise Failed(f"linphonec ended: {(self.folder / 'linphonec.out').read_text(errors='replace')[-300:]}")
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.stdin.flush()

    def _next_recording(self):
        """It would go on with the file of the last call."""
        self._calls += 1
        self._recording = self.folder / f"heard-{self._calls}.wav"
        self._tell("record", self._recording)

    def wait_registered(self, seconds=15):
        self._log.wait("to [LinphoneRegistrationOk]", seconds=seconds)

    def call(self, uri):
        self._began = None
        self._tell("call", uri)

    def text(self, uri, words):
        """A text message."""
        self._tell("chat", uri, words)

    def wait_call(self, seconds=20):
        return self._log.wait("SIP/2.0 180 Ringing", seconds=seconds)

    def answer(self):
        """Until it has the ACK."""
        self._tell("answer")
        self._log.wait("ACK sip:")
        self._began = time.time()

    pick_up = answer

    def hold(self):
        self._tell("pause")
        self._log.wait("moving from state LinphoneCallPausing to LinphoneCallPaused")

    def transfer(self, uri):
        """As baresip's; when that cannot be it goes on talking."""
        self._tell("transfer", uri)
        self._log.wait("SIP/2.0 202 Accepted")

    def join(self, one, other):
        """The far ends of two of its calls, by their numbers, shall talk to each other."""
        self._tell("transfer", one, "--to-call", other)
        self._log.wait("SIP/2.0 202 Accepted")

    def reject(self):
        self._tell("terminate")

    def hangup(self):
        self._tell("terminate")
        self._log.wait("BYE sip:")

    def transcript(self):
        """All that it has written down: every message of SIP as it came and went."""
        return self._log.text()

    def wait_said(self, *words, seconds=15):
        """As baresip's."""
        return self._log.wait(*words, seconds=seconds)

    def wait_over(self):
        self._log.wait("moving from state LinphoneCallEnd to LinphoneCallReleased")

    def heard(self):
        """Of the last call, which is over: the file has its header then."""
        with wave.open(str(self._recording)) as file:
            samples, rate = np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()
        self._next_recording()
        return audio.Recording(samples, rate, self._began), None, (0, 0)

    def algorithm(self):
        """Of the digest that it has answered with."""
        found = re.findall(r"^Authorization: .*\balgorithm=([\w-]+)", self._log.text(), re.M)
        return found[-1] if found else None

    def count(self, word):
        """The lines of its log that begin with it: so many messages of that kind."""
        return len(re.findall(f"^{re.escape(word)}", self._log.text(), re.M))

    def stop(self):
        process.stop(self.process)
        self.process.stdin.close()
        self._output.close()
