# SPDX-License-Identifier: AGPL-3.0-or-later
"""Child processes that go when we go, and waiting for what they do."""
import ctypes
import itertools
import re
import signal
import socket
import subprocess
import time

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PARAGRAPH = re.compile(rb"\r?\n\r?\n")


# below those that the kernel gives to whoever asks for any; a SIP program takes the next one for TLS as well
_PORTS = itertools.count(10000, 2)


class Failed(Exception):
    """A check that does not hold, or an event that does not come."""


def free_port(address="127.0.0.1"):
    """Of UDP and of TCP, given to nobody else of this test: a program binds it later, and perhaps both."""
    for port in _PORTS:
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind((address, port))
            return port
        except OSError:
            pass


def _begin():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # a shell's job in the background ignores it, and so would all that it starts
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(command, **more):
    """A process in its own group, killed by the kernel should we die."""
    return subprocess.Popen([str(word) for word in command], start_new_session=True, preexec_fn=_begin, **more)


def stop(process, patience=10):
    """Asks it to end, then makes it; True when asking was enough."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
    return True


def until(condition, seconds, what):
    """The first true value of condition(); Failed after so many seconds."""
    end = time.time() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.time() > end:
            raise Failed(f"waited {seconds:g} s for {what}")
        time.sleep(0.02)


class Transcript:
    """The log of a peer that writes down every message of SIP as it is."""

    def __init__(self, path, whose):
        self.path, self._whose, self._read = path, whose, 0

    def text(self):
        return self.path.read_text(encoding="utf-8", errors="replace")

    def _find(self, first, rest):
        """What has not been waited for yet has a paragraph with all of that."""
        with open(self.path, "rb") as file:
            file.seek(self._read)
            data = file.read()
        for found in re.finditer(re.escape(first), data):
            end = _PARAGRAPH.search(data, found.end())
            paragraph = data[found.end():end.start() if end else len(data)]
            if all(word in paragraph for word in rest):
                self._read += found.end()
                return True
        return False

    def wait(self, *words, seconds=15):
        """The next message, or word about one, with all of that; what came before is read then.
        When that was."""
        first, *rest = (word.encode() for word in words)
        return until(lambda: self._find(first, rest) and time.time(), seconds, f"{' and '.join(words)} at {self._whose}")


def udp_port_open(port):
    """Somebody is bound to the UDP port, in this network namespace."""
    with open("/proc/thread-self/net/udp", encoding="ascii") as table:
        return any(line.split()[1].endswith(f":{port:04X}") for line in table if ":" in line.split()[1])
