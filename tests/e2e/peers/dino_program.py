#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The program Dino itself, from Debian, on a screen of its own (Xvfb) and with folders and
loudspeakers of its own (PulseAudio): commands and events as said in xmpp.py.

What a user does with the mouse is done by a plugin (dino_program.c), built here.
"""
import argparse
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import process
from screen import own_screen

HERE = Path(__file__).resolve().parent
LIBRARIES = next(Path("/usr/lib").glob("*/dino-im"), Path("/"))
RATE = 48000


def report(event, **more):
    print(json.dumps({"at": time.time(), "event": event, **more}), flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("account", "password", "resource", "domain", "port", "mic", "log"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def build(folder):
    """The plugin, in a folder that has nothing else."""
    folder.mkdir(parents=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gio-2.0", "gmodule-2.0"], check=True, capture_output=True,
                           text=True).stdout.split()
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", folder / "test.so", HERE / "dino_program.c",
                    HERE / "dino_windows.c", *flags, "-lm"], check=True)
    return folder / "test.so"


class Sound:
    """A PulseAudio: what is played into `mic` is the microphone, what Dino plays is recorded."""

    def __init__(self, home, mic, log):
        path = home / "pulse"
        self.mic, self.log, self.calls, self.recorder = mic, log, 0, None
        self.env = dict(os.environ, PULSE_SERVER=f"unix:{path}", PULSE_RUNTIME_PATH=str(home / "pulse-run"),
                        PULSE_STATE_PATH=str(home / "pulse-state"), PULSE_COOKIE=str(home / "pulse-cookie"))
        form = "rate=48000 channels=1 format=s16le"
        with open(home / "pulse.log", "wb") as errors:
            process.start(["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes",
                           "--use-pid-file=no", "--realtime=no", "--high-priority=no",
                           "-L", f"module-native-protocol-unix socket={path} auth-anonymous=1",
                           "-L", f"module-null-sink {form} sink_name=speaker", "-L", f"module-null-sink {form} sink_name=mic",
                           "-L", "module-remap-source master=mic.monitor source_name=microphone"],
                          env=self.env, stdout=errors, stderr=errors)
        while not (self.control("set-default-source", "microphone") and self.control("set-default-sink", "speaker")):
            time.sleep(0.05)
        threading.Thread(target=self.play, daemon=True).start()

    def control(self, *words):
        return subprocess.run(["pactl", *words], env=self.env, capture_output=True, check=False).returncode == 0

    def play(self):
        samples = Path(self.mic).read_bytes()
        player = process.start(["pacat", "--playback", "--raw", "--device=mic", "--format=s16le", "--rate=48000",
                                "--channels=1", "--latency-msec=50"], env=self.env, stdin=subprocess.PIPE)
        while True:
            player.stdin.write(samples)

    def begin(self):
        self.calls += 1
        self.path = f"{self.log}-heard-{self.calls}.raw"
        self.recorder = process.start(["parec", "--raw", "--device=speaker.monitor", "--format=s16le", "--rate=48000",
                                       "--channels=1", "--latency-msec=20"], env=self.env, stdout=open(self.path, "wb"))
        self.began = time.time()

    def end(self):
        if not self.recorder:
            return
        self.recorder.terminate()
        self.recorder.wait()
        self.recorder = None
        report("media", recording={"path": self.path, "rate": RATE, "started_at": self.began}, fed_at=None, codec=None,
               lost=0, packets=0)


def main():
    options = arguments()
    home = Path(f"{options.log}-home")
    home.mkdir()
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(home / name.lower())
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    os.environ |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "GDK_BACKEND": "x11", "GSK_RENDERER": "cairo",
                   "NO_AT_BRIDGE": "1", "GTK_A11Y": "none", "GSETTINGS_BACKEND": "memory"}
    screen = own_screen(home)
    sound = Sound(home, options.mic, options.log)
    plugin = build(home / "plugin")
    environment = dict(sound.env, DINO_PLUGIN_DIR=str(plugin.parent), LD_PRELOAD=str(plugin), LD_LIBRARY_PATH=str(LIBRARIES),
                       DINO_TEST_JID=f"{options.account}@{options.domain}", DINO_TEST_PASSWORD=options.password,
                       DINO_TEST_RESOURCE=options.resource)
    with open(home / "dino.err", "wb") as errors:
        dino = process.start(["dino-im", "--print-xmpp=all"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                             env=environment)

    def pass_on():
        for line in dino.stdout:
            if not line.startswith(b"{"):
                continue
            event = json.loads(line)["event"]
            if event == "up":
                sound.begin()
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
            if event == "ended":
                sound.end()
        os._exit(0)
    threading.Thread(target=pass_on, daemon=True).start()
    for line in sys.stdin:
        command = json.loads(line)
        if command.get("does") == "picture":
            screen.save(command["path"])
            report("pictured", path=command["path"])
            continue
        words = [command.get("does") or command["command"], command.get("to") or command.get("label") or "",
                 command.get("what") or ""]
        dino.stdin.write(("\t".join(words) + "\n").encode())
        dino.stdin.flush()
    dino.terminate()


if __name__ == "__main__":
    main()
