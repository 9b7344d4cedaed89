# SPDX-License-Identifier: AGPL-3.0-or-later
"""A SIP phone: baresip, told what to do over ctrl_tcp, with its sound on a
PulseAudio of its own."""
import json
import os
import random
import re
import select
import socket
import subprocess
import threading
import time
import wave

import numpy as np

import audio
from . import process
from .process import Failed, until

RATE = 48000


class Pulse:
    """Sink "spk" is what the phone plays, source "mic" what it hears."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        # a socket's path is short
        self._socket = folder / "pulse"
        self.env = dict(os.environ, PULSE_SERVER=f"unix:{self._socket}", PULSE_RUNTIME_PATH=str(folder / "run"),
                        PULSE_STATE_PATH=str(folder / "state"), PULSE_COOKIE=str(folder / "cookie"), PULSE_LATENCY_MSEC="30")
        self._log = open(folder / "pulse.log", "wb")
        sink = "module-null-sink rate=48000 channels=1 format=s16le sink_name="
        self._processes = []
        self._start("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no",
                    "--realtime=no", "--high-priority=no",
                    "-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1",
                    "-L", sink + "spk", "-L", sink + "micsink",
                    "-L", "module-remap-source source_name=mic master=micsink.monitor",
                    stdout=self._log, stderr=self._log)
        until(lambda: self._pactl("set-default-sink", "spk"), 20, "PulseAudio")
        self._pactl("set-default-source", "mic")

    def _start(self, *command, **more):
        self._processes.append(process.start(command, env=self.env, **more))
        return self._processes[-1]

    def _pactl(self, *words):
        return subprocess.run(["pactl", *words], env=self.env, capture_output=True, check=False).returncode == 0

    def begin(self, plays):
        """Plays a signal into the microphone and records the loudspeaker."""
        form = ["--rate=48000", "--channels=1", "--format=s16le", "--raw"]
        self.heard = _Tap(self._start("parec", "-d", "spk.monitor", *form, "--latency-msec=20",
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        self.spoken = _Tap(self._start("parec", "-d", "micsink.monitor", *form, "--latency-msec=20",
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
        feed = self._start("pacat", "-d", "micsink", *form, "--latency-msec=40", stdin=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        data = audio.signal(plays, RATE).tobytes()

        def play():
            try:
                while True:
                    feed.stdin.write(data)
            except (BrokenPipeError, ValueError):
                pass
        threading.Thread(target=play, daemon=True).start()

    def stop(self):
        for p in reversed(self._processes):
            process.stop(p)
        self._processes.clear()
        self._log.close()


class _Tap:
    """Reads a parec; the earliest arrivals fix its clock best."""

    def __init__(self, recorder):
        self._process, self._chunks, self._started_at = recorder, [], None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        total = 0
        while chunk := self._process.stdout.read1(65536):
            self._chunks.append(chunk)
            total += len(chunk)
            began = time.time() - total / (2 * RATE)
            if self._started_at is None or (began < self._started_at and total < 2 * RATE * 5):
                self._started_at = began

    def recording(self):
        process.stop(self._process)
        self._thread.join()
        data = b"".join(self._chunks)
        return audio.Recording(np.frombuffer(data[:len(data) // 2 * 2], "<i2"), RATE, self._started_at)


CONFIG = """\
sip_listen 127.0.0.1:{sip}
sip_trans_def udp
call_local_timeout 120
call_max_calls 4
audio_player alsa,pulse
audio_source alsa,pulse
audio_alert none,none
auplay_srate 48000
ausrc_srate 48000
auplay_channels 1
ausrc_channels 1
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
rtp_ports {rtp}-{rtp_end}
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 2-10
module_path /usr/lib/baresip/modules
module alsa.so
module g711.so
module srtp.so
module uuid.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
ctrl_tcp_listen 127.0.0.1:{control}
net_interface 127.0.0.1
ringback_disabled yes
statmode_default off
menu_bell no
"""


class Baresip:
    """A phone that is called, and calls, by address; it registers when told to."""
    address = "127.0.0.1"

    def __init__(self, folder, plays, user=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.plays = folder, plays
        self.title = folder.name  # as it is told to a person
        self._pulse = Pulse(folder / "pa")
        self.port, control = _free(socket.SOCK_DGRAM), _free(socket.SOCK_STREAM)
        rtp = random.randrange(40000, 50000, 2)
        (folder / "config").write_text(CONFIG.format(sip=self.port, control=control, rtp=rtp, rtp_end=rtp + 100))
        (folder / "accounts").write_text("" if not user else f"<sip:{user}@127.0.0.1:{self.port}>;regint=0;answermode=manual\n")
        (folder / "contacts").write_text("")
        self._buffer, self._events, self._read = b"", [], 0
        self._output = open(folder / "baresip.log", "wb")
        self.process = process.start(["baresip", "-4", "-s", "-f", folder], env=dict(self._pulse.env, HOME=str(folder)),
                                     stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT)
        self._socket = until(lambda: self._connect(control), 20, "baresip's control port")
        self._pulse.begin(self.plays)

    def _connect(self, port):
        if self.process.poll() is not None:
            raise Failed(f"baresip ended: {(self.folder / 'baresip.log').read_text(errors='replace')[-300:]}")
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            return None

    def _tell(self, command, params=None):
        message = json.dumps({"command": command, "token": command, **({"params": params} if params else {})}).encode()
        self._socket.sendall(b"%d:%s," % (len(message), message))

    def _next_event(self, seconds):
        """One netstring of ctrl_tcp."""
        end = time.time() + seconds
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(length):
                self._buffer = rest[int(length) + 1:]
                return json.loads(rest[:int(length)])
            if not select.select([self._socket], [], [], max(0, end - time.time()))[0]:
                return None
            data = self._socket.recv(65536)
            if not data:
                raise Failed("baresip has gone")
            self._buffer += data

    def wait(self, kind, seconds=15):
        """The next event of a kind: CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED."""
        end = time.time() + seconds
        while True:
            for i, event in enumerate(self._events):
                if event["type"] == kind:
                    return self._events.pop(i)
            event = self._next_event(end - time.time())
            if event is None:
                seen = ", ".join(e["type"] for e in self._events)
                raise Failed(f"waited {seconds:g} s for {kind} at baresip; it saw {seen or 'nothing'}")
            if event.get("event"):
                event["at"] = time.time()
                self._events.append(event)

    def register(self, line):
        """Until it has registered.  It knows MD5 alone and gives up at a challenge that
        offers SHA-256 beside it; at its second try it is offered what it knows."""
        self._tell("uanew", line)
        if self._first("REGISTER_OK", "REGISTER_FAIL")["type"] == "REGISTER_FAIL":
            self._tell("uadel", line[1:line.index(";")])
            self._tell("uanew", line)
            self.wait("REGISTER_OK")

    def _first(self, *kinds, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            event = self._next_event(end - time.time())
            if event and event.get("event") and event["type"] in kinds:
                return event
        raise Failed(f"waited {seconds:g} s for {' or '.join(kinds)} at baresip")

    def call(self, uri):
        self._tell("dial", uri)

    def wait_call(self, seconds=20):
        return self.wait("CALL_INCOMING", seconds)

    def answer(self):
        self._tell("accept")
        return self.wait("CALL_ESTABLISHED")

    def reject(self, words="486 Busy Here"):
        self._tell("hangup", words)

    def hangup(self):
        self._tell("hangup")
        self.wait_said("BYE sip:")

    def hold(self):
        self._tell("hold")

    def resume(self):
        self._tell("resume")

    def pick_up(self):
        """As answer(), known by the ACK."""
        self._tell("accept")
        self.wait_said("ACK sip:")

    def wait_said(self, *words, seconds=15):
        """All of that stands in what it has written since the last time: each message
        of SIP, and what it makes of it.  When that was."""
        def new():
            data = (self.folder / "baresip.log").read_bytes()
            text = data[self._read:].decode(errors="replace")
            if not all(word in text for word in words):
                return None
            self._read = len(data)
            return time.time()
        return until(new, seconds, f"{' and '.join(words)} at baresip")

    def heard(self):
        spoken = audio.analyse(self._pulse.spoken.recording(), self.plays, 0.0)
        fed_at = spoken.delay_ms / 1000 if spoken.delay_ms is not None else None
        return self._pulse.heard.recording(), fed_at, (0, 0)

    def stop(self):
        process.stop(self.process)
        self._socket.close()
        self._output.close()
        self._pulse.stop()


def _free(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
