# SPDX-License-Identifier: AGPL-3.0-or-later
"""Networks for a test: namespaces, routers that translate addresses, bad lines,
and a TURN server.

The test's own namespace (run.py makes it) is the internet of these; a Place is
another one.  What is begun `with place.inside()` is there: a process, a socket.
"""
import contextlib
import ctypes
import json
import os
import re
import subprocess
from pathlib import Path

from peers import process
from peers.process import Failed, until
from run import ADDRESS

HERE = Path(__file__).resolve().parent
_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def _setns(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if _LIBC.setns(fd, _CLONE_NEWNET) != 0:
            raise Failed(f"setns {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(fd)


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


class Place:
    """A network namespace; it goes when we stop."""

    def __init__(self):
        ours = os.readlink("/proc/thread-self/ns/net")
        self._holder = process.start(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        self.pid = self._holder.pid
        self.path = f"/proc/{self.pid}/ns/net"
        until(lambda: os.readlink(self.path) != ours, 10, "a network namespace")
        self.run("ip", "link", "set", "lo", "up")

    @contextlib.contextmanager
    def inside(self):
        """This thread, and what it begins, is in there."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _setns(self.path)
            yield self
        finally:
            _LIBC.setns(before, _CLONE_NEWNET)
            os.close(before)

    def run(self, *words):
        with self.inside():
            return run(*words)

    def set(self, key, value):
        with self.inside():
            Path(f"/proc/sys/net/{key}").write_text(str(value), encoding="ascii")

    def stop(self):
        process.stop(self._holder)


def _up(device, addresses):
    for address in addresses:
        run("ip", "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
    run("ip", "link", "set", device, "up")


def wire(device, ours, place, theirs_device, theirs):
    """A cable from where we are to `place`; addresses with their prefix length, one or several."""
    run("ip", "link", "add", device, "type", "veth", "peer", "name", theirs_device, "netns", place.pid)
    _up(device, ours)
    with place.inside():
        _up(theirs_device, theirs)


def connect(place, addresses, device="eth0"):
    """The other end of the cable that run.py has made is put there.  libnice binds to
    the interface that has its address, so this is the one that must lead to clients."""
    run("ip", "link", "set", "e2e1", "netns", place.pid)
    with place.inside():
        run("ip", "link", "set", "e2e1", "name", device)
        _up(device, addresses)


class Home:
    """A client's network behind a router.

    `nat` is "port-restricted" (a port is kept for all destinations, and only those
    written to may answer) or "symmetric" (another port for each destination)."""

    PUBLIC = "10.77.0.2"  # where the default route of the test's namespace leads

    def __init__(self, bench, nat="port-restricted", blocks_udp=False):
        self.router, self.inner = bench.keep(Place()), bench.keep(Place())
        connect(self.router, [f"{self.PUBLIC}/24"], "wan")
        with self.router.inside():
            wire("lan", ["192.168.7.1/24"], self.inner, "eth0", ["192.168.7.2/24"])
            run("ip", "route", "add", "default", "via", ADDRESS)
        self.inner.run("ip", "route", "add", "default", "via", "192.168.7.1")
        self.router.set("ipv4/ip_forward", 1)
        self._rule("-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-j", "MASQUERADE",
                   *(["--random-fully"] if nat == "symmetric" else []))
        # what nobody here has asked for leaves no trace that would move a port
        self._rule("-A", "INPUT", "-i", "wan", "-j", "DROP")
        self._rule("-A", "FORWARD", "-i", "wan", "-m", "conntrack", "!", "--ctstate", "ESTABLISHED,RELATED", "-j", "DROP")
        if blocks_udp:
            self._rule("-I", "FORWARD", "-p", "udp", "-j", "DROP")

    def _rule(self, *words):
        self.router.run("iptables", "-w", *words)

    def inside(self):
        return self.inner.inside()

    def translated(self):
        """(destination, port of the client, port outside) of the UDP flows the router knows."""
        with self.router.inside():
            table = Path("/proc/thread-self/net/nf_conntrack").read_text(encoding="ascii")
        flows = []
        for line in table.splitlines():
            words = line.split()
            if words[2] != "udp":
                continue
            pairs = [w.split("=", 1) for w in words if "=" in w]
            first = {k: v for k, v in pairs[:4]}
            back = [v for k, v in pairs if k == "dport"][1]
            flows.append((f"{first['dst']}:{first['dport']}", int(first["sport"]), int(back)))
        return flows


class BadLine:
    """A line to a client that is slow and loses packets: peers/badline.py between two TUN devices."""

    OURS, THEIRS = "198.51.100.5", "198.51.100.6"

    def __init__(self, bench, delay_ms, jitter_ms=0, loss=0.0, udp_only=False):
        self.inner = bench.keep(Place())
        self.process = process.start(
            ["/usr/bin/python3", HERE / "peers" / "badline.py", "--other", self.inner.pid, "--delay-ms", delay_ms,
             "--jitter-ms", jitter_ms, "--loss", loss, *(["--udp-only"] if udp_only else [])], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        bench.keep(self)
        if self.process.stdout.readline() != b"ready\n":
            raise Failed("the bad line did not come up: is there no /dev/net/tun?")
        run("ip", "addr", "add", self.OURS, "peer", self.THEIRS, "dev", "badline")
        run("ip", "link", "set", "badline", "up")
        with self.inner.inside():
            run("ip", "addr", "add", self.THEIRS, "peer", self.OURS, "dev", "badline")
            run("ip", "link", "set", "badline", "up")
            run("ip", "route", "add", "default", "dev", "badline")

    def inside(self):
        return self.inner.inside()

    def counters(self):
        """For "in" (from the client) and "out": RTP packets seen, and lost, since it began."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        process.stop(self.process)
        self.process.stdin.close()
        self.process.stdout.close()


class Coturn:
    """A STUN and TURN server with time-limited credentials, on an address of this namespace."""

    SECRET = "north"

    def __init__(self, bench, address, port=3478, certificate=None, folder="coturn"):
        """`certificate`: a PEM file with its key; TLS at 5349."""
        self.address, self.port = address, port
        folder = bench.folder / folder
        folder.mkdir()
        self.log = folder / "log"
        self._output = open(folder / "out", "wb")
        self.process = process.start(
            ["turnserver", "-n", "--listening-ip", address, "--listening-port", port, "--relay-ip", address,
             "--min-port", 50000, "--max-port", 50099, "--use-auth-secret", "--static-auth-secret", self.SECRET,
             "--realm", "localhost", *(["--cert", certificate, "--pkey", certificate] if certificate else ["--no-tls"]), "--no-dtls", "--no-cli", "--verbose", "--pidfile", folder / "pid",
             "--userdb", folder / "db", "--log-file", self.log, "--simple-log", "--relay-threads", 1],
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, cwd=folder)
        bench.keep(self)
        until(lambda: process.udp_port_open(port) or self.process.poll() is not None, 20, "coturn")
        if self.process.poll() is not None:
            raise Failed(f"coturn did not start: {(folder / 'out').read_text(errors='replace')[-500:]}")

    def allocations(self):
        """How many it has made so far."""
        return self.log.read_text(errors="replace").count("ALLOCATE processed, success")

    def released(self):
        """How many were given back, by a Refresh with lifetime 0 (RFC 8656 7)."""
        return len(set(re.findall(r"session (\d+): refreshed,.* lifetime=0\b", self.log.read_text(errors="replace"))))

    def settings(self, **more):
        """What [media] says of it."""
        return {"stun_server": f"{self.address}:{self.port}", "turn_server": f"{self.address}:{self.port}",
                "turn_secret": self.SECRET, **more}

    def stop(self):
        process.stop(self.process)
        self._output.close()
