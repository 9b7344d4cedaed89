# SPDX-License-Identifier: AGPL-3.0-or-later
"""Child processes that go when we go, and waiting for what they do."""
import ctypes
import signal
import subprocess
import time

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A check that does not hold, or an event that does not come."""


def start(command, **more):
    """A process in its own group, killed by the kernel should we die."""
    return subprocess.Popen([str(word) for word in command], start_new_session=True,
                            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), **more)


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


def udp_port_open(port):
    """Somebody is bound to the UDP port, in this network namespace."""
    with open("/proc/thread-self/net/udp", encoding="ascii") as table:
        return any(line.split()[1].endswith(f":{port:04X}") for line in table if ":" in line.split()[1])
