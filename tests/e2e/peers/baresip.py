# SPDX-License-Identifier: AGPL-3.0-or-later
"""A SIP phone: baresip, told what to do over ctrl_tcp.  It speaks from a file, and
what it hears is what its decoder gives; no sound card is in between."""
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import threading
import time

import numpy as np

import audio
from . import process
from .process import Failed, Transcript, until

RATES = {"g711": 8000, "g722": 16000, "opus": 48000, "amr": 8000, "amr-wb": 16000}


class _Tape:
    """The sound of a phone, from the files that sndfile.so writes packet by packet
    while it decodes ("dec") and encodes ("enc").  They know no time: it is noted
    here when they grow, and where they did not, there was silence."""
    HEADER = 44
    FORMAT = "<HI", 22  # channels and rate, in the header of a WAV file
    PAUSE = 0.2  # seconds without a packet

    def __init__(self, folder):
        self._folder, self._growth, self._stopped = folder, {}, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(0.005):
            for file in self._folder.glob("dump-*.wav"):
                size, steps = file.stat().st_size, self._growth.setdefault(file, [])
                if size > (steps[-1][1] if steps else self.HEADER):
                    steps.append((time.time(), size))

    def _last(self, way):
        """(file, growth) of the last call."""
        calls = [(steps[0][0], file) for file, steps in list(self._growth.items())
                 if steps and file.name.endswith(f"-{way}.wav")]
        return (max(calls)[1], list(self._growth[max(calls)[1]])) if calls else (None, [])

    def began(self, way):
        growth = self._last(way)[1]
        return growth[0][0] if growth else None

    def recording(self):
        file, growth = self._last("dec")
        if not file:
            return None
        data, done, parts, began, end = file.read_bytes(), self.HEADER, [], None, None
        channels, rate = struct.unpack_from(self.FORMAT[0], data, self.FORMAT[1])
        for at, size in growth:
            chunk = np.frombuffer(data[done:size - (size - done) % (2 * channels)], "<i2")[::channels]
            done += 2 * channels * len(chunk)
            if began is None:
                began = end = at - len(chunk) / rate
            pause = at - len(chunk) / rate - end
            if pause > self.PAUSE:
                parts.append(np.zeros(round(pause * rate), "<i2"))
                end += len(parts[-1]) / rate
            parts.append(chunk)
            end += len(chunk) / rate
        return audio.Recording(np.concatenate(parts), rate, began)

    def stop(self):
        self._stopped.set()
        self._thread.join()


CONFIG = """\
sip_listen 127.0.0.1:{sip}
sip_trans_def udp
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nobody
audio_source aufile,{voice}
audio_alert none,none
auplay_srate {rate}
ausrc_srate {rate}
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
module aubridge.so
module aufile.so
module sndfile.so
snd_path {folder}
module {module}.so
opus_stereo no
opus_sprop_stereo no
module srtp.so
module uuid.so
module_tmp account.so
module_app contact.so
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

    def __init__(self, folder, plays, user=None, codec="g711", texts_to=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.plays = folder, plays
        self.title = folder.name  # as it is told to a person
        voice = folder / "voice.wav"
        audio.save(voice, plays, RATES[codec], periods=4)  # one that ends ends the call
        self.port, control = process.free_port(), process.free_port()
        rtp = random.randrange(40000, 50000, 2)
        (folder / "config").write_text(CONFIG.format(
            folder=folder, voice=voice, sip=self.port, control=control, rtp=rtp, rtp_end=rtp + 100,
            module=codec.removesuffix("-wb"), rate=RATES[codec]))
        (folder / "accounts").write_text("" if not user else f"<sip:{user}@127.0.0.1:{self.port}>;regint=0;answermode=manual\n")
        (folder / "contacts").write_text(f'"Somebody" <{texts_to}>\n' if texts_to else "")
        self._buffer, self._events = b"", []
        self._log = Transcript(folder / "baresip.log", "baresip")
        self._output = open(self._log.path, "wb")
        self.process = process.start(["baresip", "-4", "-s", "-f", folder], env=dict(os.environ, HOME=str(folder)),
                                     stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT)
        self._socket = until(lambda: self._connect(control), 20, "baresip's control port")
        self._tape = _Tape(folder)

    def _connect(self, port):
        if self.process.poll() is not None:
            raise Failed(f"baresip ended: {self._log.path.read_text(errors='replace')[-300:]}")
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

    def text(self, words):
        """A text message to `texts_to`."""
        self._tell("contact_next")
        self._tell("message", words)

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

    def transfer(self, uri, answer="202 Accepted"):
        """The other side of its call shall talk to that one.  When that cannot be it hangs up."""
        self._tell("transfer", uri)
        self.wait_said(f"SIP/2.0 {answer}")

    def pick_up(self):
        """As answer(), known by the ACK."""
        self._tell("accept")
        self.wait_said("ACK sip:")

    def transcript(self):
        """All that it has written down: every message of SIP as it came and went."""
        return self._log.text()

    def wait_said(self, *words, seconds=15):
        """All of that stands in the next message of SIP that has the first, or in what it
        makes of one.  When that was."""
        return self._log.wait(*words, seconds=seconds)

    def wait_over(self):
        self.wait_said("session closed")

    def heard(self):
        """Of the last call."""
        return self._tape.recording(), self._tape.began("enc"), (0, 0)

    def stop(self):
        process.stop(self.process)
        self._socket.close()
        self._output.close()
        self._tape.stop()
