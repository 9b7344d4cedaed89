# SPDX-License-Identifier: AGPL-3.0-or-later
"""./quickstart after the build: the calls, and what happens when something ends too early."""
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness import HERE, check
from peers import process
from peers.process import until


class Quick:
    """A running quickstart.py and what it has said so far."""

    def __init__(self, bench, *options):
        self.said = bench.folder / "said"
        self.output = open(self.said, "wb")
        self.process = process.start([sys.executable, "-B", HERE / "quickstart.py", "--build", bench.build, "--folder",
                                      bench.folder / "run", *options],
                                     stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def text(self):
        return self.said.read_text()

    def wait_for(self, words, seconds=60):
        until(lambda: words in self.text() or self.process.poll() is not None, seconds, f'"{words}"')
        check(words in self.text(), f"{words} is not in: {self.text()}")

    def end(self, seconds):
        """(exit status, all it has said)"""
        status = self.process.wait(seconds)
        self.output.close()
        return status, self.text()


def processes(name=None):
    """Those in this test's network, apart from the test's own."""
    network, found = os.readlink("/proc/self/ns/net"), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "ns/net") != network or int(folder.name) in (os.getpid(), os.getppid()):
                continue
            comm = (folder / "comm").read_text().strip()
        except OSError:
            continue  # it has ended
        if name in (None, comm):
            found.append((int(folder.name), comm))
    return found


def kill(name):
    [(pid, _)] = processes(name)
    os.kill(pid, signal.SIGKILL)


def check_died(quick, name):
    """It ends at once, says who has ended and shows the log; nothing stays."""
    began = time.monotonic()
    status, said = quick.end(30)
    check(status == 1, f"exit status {status}: {said}")
    check(time.monotonic() - began < 10, f"it took {time.monotonic() - began:.1f} s to end: {said}")
    check(f"{name} has ended by itself with -9; the last lines of" in said, said)
    check("Traceback" not in said, said)
    check(not processes(), f"still running: {processes()}")


def test_quickstart_once_with_ports_taken(bench):
    taken = [socket.create_server(("127.0.0.1", port)) for port in (5060, 5222, 5347)]
    status, said = Quick(bench, "--once").end(120)
    check(status == 0, said)
    check(said.count("both-way audio: yes") == 3, said)
    check(said.count("is taken by another program") == len(taken), said)
    check("XMPP    alice@localhost" in said and "server 127.0.0.1 port 5222" not in said, said)
    check(not re.search(r"\b(XmppPhone|IncomingLeg|OutgoingLeg|Line|Carrier)\b", said), f"our own words: {said}")
    delays = [int(ms) for ms in re.findall(r"delay (-?\d+) ms", said)]
    check(len(delays) == 5 and all(0 < ms < 500 for ms in delays), f"delays: {delays}")
    check(not processes(), f"still running: {processes()}")


def test_quickstart_gateway_dies_in_a_call(bench):
    quick = Quick(bench, "--once")
    quick.wait_for("a WebRTC client calls a telephone")
    kill("tandemd")
    check_died(quick, "tandemd")
    check("ready" in quick.text().split("the last lines of")[1], f"the log is not shown: {quick.text()}")


def test_quickstart_gateway_dies_while_it_stays_up(bench):
    quick = Quick(bench)
    quick.wait_for("Ctrl-C ends everything")
    kill("tandemd")
    check_died(quick, "tandemd")


def test_quickstart_interrupted(bench):
    for moment in ("starting", "provisioning", "calls the echo test"):
        quick = Quick(bench)
        quick.wait_for(moment)
        quick.process.send_signal(signal.SIGINT)
        status, said = quick.end(30)
        check(status == 130 and "Traceback" not in said, f"interrupted when {moment}: {status}: {said}")
        check(not processes(), f"interrupted when {moment}, still running: {processes()}")
