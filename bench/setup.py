#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""setup.py --build FOLDER - what a call costs: setting it up, letting it stand, ringing, hold.

A real tandemd with its store on the disk, between an XMPP server with clients and a
carrier with telephones that one small program plays (callers.c): message initiation,
Jingle, ICE and DTLS on one side, SIP and RTP on the other.  The daemon has one processor,
the load another.  CPU is user and system of the whole daemon.
"""
import argparse
import contextlib
import http.client
import json
import mmap
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "e2e"))
import run
from harness import SECRET, Bench, Failed, Gateway
from peers import process

USERS = 200  # callers.h
TALK_MS = 3000
STANDING = 500
STANDING_RATE = 40
SLICE = 500
PATIENCE = 90


def cpu_seconds(pid):
    """User and system time of all its threads, to the nanosecond (CPUCLOCK_SCHED of the kernel)."""
    return time.clock_gettime((-pid - 1) * 8 + 2)


def pss_kib(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise Failed("the kernel does not tell the PSS")


def in_bench(name, build, measure):
    """Runs measure(bench) with a gateway to come; the exit status."""
    build = build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, build, run.link_plugins(build))
        try:
            measure(bench)
        except Failed as failure:
            print(f"{name}: {failure}", file=sys.stderr)
            return 1
        finally:
            bench.close()
    return 0


@contextlib.contextmanager
def on_processor(index):
    """What is started meanwhile has that one of our processors."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(ours)[index % len(ours)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return udp.getsockname()[1]


class Load:
    """The program callers: it is told lines and tells lines."""

    def __init__(self, build, *arguments):
        with on_processor(1):
            self.process = process.start([build / "bench" / "callers", *arguments], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, bufsize=1)

    def say(self, line):
        self.process.stdin.write(line + "\n")

    def hear(self, word, seconds=PATIENCE):
        """The numbers of the next line, which begins with that word."""
        timer = threading.Timer(seconds, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().split()
        timer.cancel()
        if not line or line[0] != word:
            raise Failed(f"the load says {' '.join(line) or 'nothing'}, not {word}")
        return [int(value) for value in line[1:]]

    def stop(self):
        process.stop(self.process)


class Wal:
    """Counts the bytes that are written to the WAL, from the index that SQLite keeps of it."""

    def __init__(self, database):
        self._file = open(f"{database}-shm", "rb")
        self._map = mmap.mmap(self._file.fileno(), 136, access=mmap.ACCESS_READ)
        self._frames, self._salt, self._bytes = *self._read()[1:], 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _read(self):
        """Bytes of a frame, frames, salt: the header stands twice, and is whole when both are the same."""
        while True:
            one, other = self._map[:48], self._map[48:96]
            if one == other:
                page, frames = struct.unpack_from("=HI", one, 14)
                return (65536 if page == 1 else page) + 24, frames, one[32:40]

    def _watch(self):
        while not self._over.wait(0.02):
            size, frames, salt = self._read()
            self._bytes += size * (frames - (self._frames if salt == self._salt else 0))
            self._frames, self._salt = frames, salt

    def bytes(self):
        time.sleep(0.05)
        return self._bytes

    def stop(self):
        self._over.set()
        self._thread.join()


class Daemon:
    """A tandemd on its own processor, users and a carrier in it, and the load beside it."""

    def __init__(self, build, settings=None):
        self.folder = Path(tempfile.mkdtemp())
        self.sip_port = sip_port = free_port()
        self.load = Load(build, SECRET, str(sip_port))
        xmpp_port, carrier_port = self.load.hear("ports")
        self.gateway = Gateway(
            self.folder, build, run.link_plugins(build), component_port=xmpp_port, sip_port=sip_port,
            settings={"gateway": {"log_level": "error", "plugins": "xmpp;sip"},
                      "limits": {"max_setup_per_second": 100000, "max_calls": 10000, "max_calls_per_user": 1000},
                      **(settings or {})})
        with on_processor(0):
            self.gateway.start()
        self._provision(carrier_port)
        self.pid = self.gateway.process.pid
        self.wal = Wal(self.gateway.database)

    def _provision(self, carrier_port):
        lines = [{"trunk": "carrier", "host": "127.0.0.1", "port": carrier_port, "options-seconds": 0}]
        for user in range(USERS):
            jid = f"u{user}@bench.example"
            lines += [{"user": jid}, {"number": f"+1628{2000000 + user:07}", "user": jid}]
        file = self.folder / "users.json"
        file.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
        self.gateway.ctl("import", file)

    def stop(self):
        self.wal.stop()
        self.gateway.kill()
        self.load.stop()
        shutil.rmtree(self.folder)


class Rtpengine:
    """Debian's rtpengine in user space: the media of the same calls, without their signalling."""

    def __init__(self, build):
        self.folder = Path(tempfile.mkdtemp())
        port = free_port()
        with on_processor(0), open(self.folder / "log", "wb") as log:
            self.process = process.start(
                ["rtpengine", "--config-file=none", "--foreground", "--table=-1", "--interface=127.0.0.1",
                 f"--listen-ng=127.0.0.1:{port}", "--num-threads=1", "--port-min=20000", "--port-max=29999",
                 "--log-level=3", "--log-stderr"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid, self.wal = self.process.pid, None
        self.load = Load(build, "--ng", str(port))
        self.load.hear("ready")

    def stop(self):
        self.load.stop()
        process.stop(self.process)
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def started(kind, build):
    peer = kind(build)
    try:
        yield peer
    finally:
        peer.stop()


def idle_cpu(pid, seconds):
    """Per cent of a processor."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)


def stand(load, word, count):
    load.say(f"{word} {count} {STANDING_RATE}")
    standing, failed = load.hear("standing")
    if failed:
        raise Failed(f"of {count} calls {failed} failed")
    return standing


def measure_standing(build, count, seconds):
    with started(Daemon, build) as daemon:
        empty = pss_kib(daemon.pid)
        stand(daemon.load, "stand", count)
        daemon.load.say("packets 50")
        time.sleep(2)
        daemon.load.say("heard")
        daemon.load.hear("packets")
        time.sleep(5)
        talking = pss_kib(daemon.pid)
        daemon.load.say("heard")
        sent, heard = daemon.load.hear("packets")
        print(f"{count} calls that talk: {(talking - empty) / count:.0f} KB of PSS each above the {empty} KB of an empty "
              f"daemon; {100 * heard / max(sent, 1):.1f} % of {sent} packets came through", flush=True)
        daemon.load.say("packets 0")
        daemon.load.say("hold")
        daemon.load.hear("held")
        time.sleep(2)
        print(f"{count} calls on hold: {idle_cpu(daemon.pid, seconds):.1f} % of a core", flush=True)


class Asker(threading.Thread):
    """A carrier that asks by OPTIONS, and how long the gateway's signalling lets it wait, in ms."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.port, self.waits, self.over, self.lost = daemon.sip_port, [], threading.Event(), 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(1)
        self.start()

    def run(self):
        own, number = self.socket.getsockname()[1], 0
        while not self.over.wait(0.02):
            number += 1
            self.socket.sendto((f"OPTIONS sip:127.0.0.1:{self.port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{number}\r\n"
                                f"Max-Forwards: 70\r\nFrom: <sip:carrier@127.0.0.1>;tag=a{number}\r\nTo: <sip:127.0.0.1:{self.port}>\r\n"
                                f"Call-ID: asks-{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode(),
                               ("127.0.0.1", self.port))
            began = time.monotonic()
            try:
                while f"Call-ID: asks-{number}\r".encode() not in self.socket.recv(65535):
                    pass
            except TimeoutError:
                self.lost += 1
            self.waits.append(1000 * (time.monotonic() - began))

    def stop(self):
        self.over.set()
        self.join()
        waits = sorted(self.waits)
        return (f"OPTIONS answered after {waits[len(waits) // 2]:.1f} ms, 99 % within {waits[len(waits) * 99 // 100]:.1f} ms, "
                f"at most {waits[-1]:.1f} ms; {self.lost} of {len(waits)} not")


def queued_ms(pid, names):
    """How long the threads of these names, and the first one, have been ready to run without a processor, and have run, in ms."""
    ran = queued = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name == str(pid) or (task / "comm").read_text().strip() in names:
            used, waited, _ = (int(word) for word in (task / "schedstat").read_text().split())
            ran, queued = ran + used, queued + waited
    return queued / 1e6, ran / 1e6


def measure_scrape(build, count):
    """/metrics of a gateway with many calls, a scrape a tenth of a second for ten seconds.  Of the longest it is said
    how much the two threads that answer have worked meanwhile, and how long other programs had their processor."""
    port = free_port()
    with started(lambda where: Daemon(where, {"http": {"port": port}}), build) as daemon:
        stand(daemon.load, "stand", count)
        time.sleep(3)
        asker = Asker(daemon)
        time.sleep(10)
        alone, times, size = asker.stop(), [], 0
        # the first look-up of a host in a process takes this client up to 60 ms, and is no part of a scrape
        socket.create_connection(("127.0.0.1", port)).close()
        asker, before, began = Asker(daemon), cpu_seconds(daemon.pid), time.monotonic()
        while len(times) < 100:
            queued, ran = queued_ms(daemon.pid, ("http",))
            start = time.monotonic()
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            asked.request("GET", "/metrics")
            size = len(asked.getresponse().read())
            asked.close()
            took = 1000 * (time.monotonic() - start)
            after = queued_ms(daemon.pid, ("http",))
            times.append((took, len(times) + 1, after[1] - ran, after[0] - queued))
            time.sleep(0.1)
        took, used, beside = time.monotonic() - began, cpu_seconds(daemon.pid) - before, asker.stop()
        times.sort()
        print(f"{count} calls, a scrape of {size / 1024:.0f} KB: {times[50][0]:.1f} ms, at most {times[-1][0]:.1f} ms; "
              f"{100 * used / took:.1f} % of a core, the calls included", flush=True)
        for took, number, ran, queued in times[:-4:-1]:
            print(f"scrape {number}: {took:.1f} ms, of which its threads ran {ran:.1f} ms and waited for a processor {queued:.1f} ms", flush=True)
        print(f"without scrapes: {alone}\nbeside them: {beside}", flush=True)


def measure_ringing(build, count, seconds):
    with started(Daemon, build) as daemon:
        before = idle_cpu(daemon.pid, seconds / 3)
        stand(daemon.load, "ring", count)
        time.sleep(2)
        print(f"{count} calls that ring: {idle_cpu(daemon.pid, seconds):.1f} % of a core (no call: {before:.1f} %)", flush=True)


class Run:
    """A steady rate for some time: marks of (time, CPU, bytes of WAL) at each 500 calls that have ended."""

    def __init__(self, kind, build, rate, seconds):
        with started(kind, build) as peer:
            self.marks, end = [], time.monotonic() + seconds
            peer.load.say(f"run {rate} {TALK_MS}")
            while time.monotonic() < end or len(self.marks) < 2:
                peer.load.hear("ended")
                self.marks.append((time.monotonic(), cpu_seconds(peer.pid), peer.wal.bytes() if peer.wal else 0))
            peer.load.say("stop")
            self.begun, self.failed = self._quiet(peer.load)

    @staticmethod
    def _quiet(load):
        """The calls under way end, and may fill another slice."""
        while True:
            try:
                return load.hear("quiet")
            except Failed as failure:
                if "says ended" not in str(failure):
                    raise

    def _per_call(self, first, last, column):
        return (self.marks[last][column] - self.marks[first][column]) / (SLICE * (last - first))

    def ms(self, first=0, last=-1):
        """CPU of a call between two marks."""
        last %= len(self.marks)
        return 1000 * self._per_call(first, last, 1)

    def rate(self):
        return 1 / self._per_call(0, len(self.marks) - 1, 0)

    def wal_kib(self):
        return self._per_call(0, len(self.marks) - 1, 2) / 1024


def measure_steady(build, rate, seconds):
    done = Run(Daemon, build, rate, seconds)
    n = len(done.marks)
    first, last = done.ms(0, 1), done.ms(n - 2, n - 1)
    print(f"{done.rate():.0f} calls/s for {done.marks[-1][0] - done.marks[0][0]:.0f} s, {done.failed} of {done.begun} failed: "
          f"{done.ms():.2f} ms of CPU a call, {1000 / done.ms():.0f} calls/s of one core", flush=True)
    print(f"first {SLICE} calls {first:.2f} ms, last {SLICE} {last:.2f} ms: {last / first:.2f} times", flush=True)
    print(f"{done.wal_kib():.1f} KB of WAL a call", flush=True)


def compare(build, rate, seconds, turns):
    """Gateway and rtpengine in turn; the median of the ratios of neighbours."""
    pairs = [(Run(Daemon, build, rate, seconds).ms(), Run(Rtpengine, build, rate, seconds).ms()) for _ in range(turns)]
    ours, theirs = sorted(pairs, key=lambda pair: pair[1] / pair[0])[turns // 2]
    print(f"beside rtpengine, {turns} turns of {seconds:g} s: {ours:.2f} ms the whole call, {theirs:.2f} ms rtpengine's media "
          f"alone; {1000 / ours:.0f} and {1000 / theirs:.0f} calls/s, {theirs / ours:.2f} times its rate", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", choices=("steady", "standing", "ringing", "scrape", "peer"), action="append")
    parser.add_argument("--rate", type=float, default=80, help="calls a second")
    parser.add_argument("--seconds", type=float, default=300, help="of the steady rate")
    parser.add_argument("--idle", type=float, default=30, help="seconds of each look at calls that stand")
    parser.add_argument("--calls", type=int, default=STANDING, help="that stand")
    parser.add_argument("--turns", type=int, default=3, help="beside rtpengine")
    parser.add_argument("--turn", type=float, default=20, help="seconds of one turn")
    options = parser.parse_args()
    build = options.build.resolve()
    wanted = options.only or ("standing", "ringing", "scrape", "steady", "peer")
    print(f"load average {os.getloadavg()[0]:.1f}, CPU of the gateway alone", flush=True)
    try:
        if "standing" in wanted:
            measure_standing(build, options.calls, options.idle)
        if "ringing" in wanted:
            measure_ringing(build, options.calls, options.idle)
        if "scrape" in wanted:
            measure_scrape(build, 2 * options.calls)
        if "steady" in wanted:
            measure_steady(build, options.rate, options.seconds)
        if "peer" in wanted and not shutil.which("rtpengine"):
            print("no comparison: rtpengine (Debian: rtpengine-daemon) is not installed")
        elif "peer" in wanted:
            compare(build, options.rate, options.turn, options.turns)
    except Failed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
