# SPDX-License-Identifier: AGPL-3.0-or-later
"""tandemctl, with the daemon running and not; what it changes holds at once."""
import json
import os
import socket
import threading
import time

from harness import BOB, CAROL, GATEWAY, OUTSIDE, STALL, alone, check, needs_build, until
from peers.sipp import EchoLoad

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
NEW = "+14155550110"
# What else the machine does
PATIENCE = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))

# Wrong words, and what the answer must name
WRONG = [
    (["user", "add", "no jid"], "no jid"),
    (["user", "add", "@localhost"], "@localhost"),
    (["user", "show", "nobody@localhost"], "nobody@localhost"),
    (["user", "add", "alice@localhost"], "alice@localhost"),
    (["number", "add", "555", "alice@localhost"], "555"),
    (["number", "add", NEW, "nobody@localhost"], "nobody@localhost"),
    (["number", "add", BOB, "alice@localhost"], BOB),
    (["number", "del", NEW], NEW),
    (["trunk", "add", "Bad Name", "127.0.0.1"], "Bad Name"),
    (["trunk", "add", "t", "127.0.0.1", "port=99999"], "99999"),
    (["trunk", "add", "t", "127.0.0.1", "transport=pigeon"], "pigeon"),
    (["trunk", "add", "t", "127.0.0.1", "colour=blue"], "colour"),
    (["trunk", "set", "nothere", "port=5060"], "nothere"),
    (["user", "del", "alice@localhost"], "alice@localhost"),
    (["call", "show", "x"], "x"),
    (["call", "show", "123456"], "123456"),
    (["ladder", "123456"], "123456"),
    (["frobnicate"], "frobnicate"),
    (["user"], "user"),
]


def everything(tandem):
    return [tandem.json(what, "list") for what in ("user", "number", "trunk")]


def check_wrong_words(tandem):
    before = everything(tandem)
    failures = []
    for words, named in WRONG:
        done = tandem.ctl(*words, want=None)
        said = done.stdout + done.stderr
        if done.returncode != 2 or named not in said or not said.strip() or done.stdout.strip():
            failures.append(f"tandemctl {' '.join(words)}: exit status {done.returncode}, out {done.stdout!r}, err {done.stderr!r}")
    check(not failures, "\n".join(failures))
    check(everything(tandem) == before, "wrong input has changed something")


def provision_all(tandem):
    """Adds, shows, changes and deletes one of each; leaves alice, bob and carol."""
    tandem.ctl("user", "add", "dave@localhost")
    tandem.ctl("number", "add", NEW, "dave@localhost")
    check("dave@localhost" in tandem.ctl("user", "list").stdout, "the user is not in the list")
    check(NEW in tandem.ctl("user", "show", "dave@localhost").stdout, "the number is not shown with its user")
    check(NEW in tandem.ctl("number", "list").stdout, "the number is not in the list")
    tandem.ctl("trunk", "add", "pbx", "192.0.2.1", "username=u", "password=top-secret")
    tandem.ctl("trunk", "set", "pbx", "port=5080", "enabled=off")
    shown = tandem.ctl("trunk", "show", "pbx").stdout
    check("5080" in shown, f"the change is not shown: {shown}")
    check("top-secret" not in shown + tandem.ctl("--json", "trunk", "show", "pbx").stdout, "the password is shown")
    tandem.ctl("trunk", "del", "pbx")
    tandem.ctl("number", "del", NEW)
    tandem.ctl("user", "del", "dave@localhost")
    check("dave@localhost" not in tandem.ctl("user", "list").stdout, "the user is still there")


def test_provisioning_without_daemon(bench):
    tandem = bench.gateway(start=False)
    tandem.provision_users()
    provision_all(tandem)
    check_wrong_words(tandem)
    # and the daemon finds it all
    tandem.start()
    check(BOB in tandem.ctl("number", "list").stdout, "the daemon does not see what was provisioned before")


def test_provisioning_with_daemon(bench):
    tandem = bench.gateway()
    provision_all(tandem)
    check_wrong_words(tandem)


def test_provisioning_takes_effect_at_once(bench):
    """A number given to another user rings there; a trunk turned off refuses."""
    tandem = bench.gateway()
    carrier = bench.carrier()
    bob, carol = bench.webrtc("bob"), bench.webrtc("carol")

    leg = carrier.call(NEW, SIP)
    leg.wait(404)
    tandem.ctl("number", "add", NEW, "bob@localhost")
    leg = carrier.call(NEW, SIP)
    bob.wait("incoming")
    leg.cancel()
    leg.wait(487)
    bob.wait("ended")

    tandem.ctl("number", "set", NEW, "user=carol@localhost")
    leg = carrier.call(NEW, SIP)
    carol.wait("incoming")
    check(len([e for e in bob.events if e["event"] == "incoming"]) == 1, "the number still rings at bob")
    leg.cancel()
    leg.wait(487)

    tandem.ctl("trunk", "set", "carrier", "enabled=off")
    leg = carrier.call(NEW, SIP)
    leg.wait(403)
    tandem.ctl("trunk", "set", "carrier", "enabled=on")
    leg = carrier.call(CAROL, SIP)
    carol.wait("incoming")
    leg.cancel()
    leg.wait(487)


class Pulse(threading.Thread):
    """OPTIONS every 20 ms: how long does an answer take at most?"""

    def __init__(self, address="127.0.0.1"):
        """From an address of a trunk: a stranger would soon be slowed."""
        super().__init__()
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(10)
        self.over, self.slowest, self.answered = threading.Event(), 0.0, 0

    def run(self):
        port = self.socket.getsockname()[1]
        while not self.over.wait(0.02):
            self.answered += 1
            begun = time.monotonic()
            self.socket.sendto(f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{port};branch=z9hG4bK{self.answered}\r\n"
                               f"From: <sip:pulse@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1>\r\nCall-ID: pulse{self.answered}\r\n"
                               f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(), ("127.0.0.1", 5060))
            self.socket.recv(4096)
            self.slowest = max(self.slowest, time.monotonic() - begun)

    def end(self):
        self.over.set()
        self.join()
        self.socket.close()


@alone
@needs_build("plain")
def test_5000_users_at_once_while_20_talk(bench):
    """Imported by one command, listed, and one of them changed: calls and SIP go on meanwhile."""
    tandem = bench.gateway(gateway={"log_level": "warning"})
    bench.carrier()
    load = EchoLoad(bench.folder, 20, 20, hold=30000)
    load.start()
    until(lambda: int(tandem.status()["calls"]) == 20, 15, "20 calls")
    file = bench.folder / "many.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for i in range(5000):
            user = f"u{i}@localhost"
            for row in ({"user": user, "country": "DE"}, {"number": f"+1646{i:07}", "user": user},
                        {"softphone": f"phone{i}", "user": user, "password": f"secret-{i:08}"}):
                out.write(json.dumps(row) + "\n")
    pulse = Pulse()
    pulse.start()
    begun = time.monotonic()
    tandem.ctl("import", file)
    took = time.monotonic() - begun
    idle = pulse.slowest
    tandem.ctl("user", "set", "u17@localhost", "country=FR")
    listed = [tandem.rows(noun, "list") for noun in ("user", "number", "softphone")]
    pulse.end()
    print(f"15,000 lines in {took:.1f} s; the slowest of {pulse.answered} OPTIONS {1000 * idle:.0f} ms, with lists {1000 * pulse.slowest:.0f} ms")
    check(min(map(len, listed)) >= 5000, f"listed: {[len(rows) for rows in listed]}")
    check(took < 10 * PATIENCE, f"the import took {took:.1f} s")
    check(pulse.slowest < STALL * PATIENCE, f"an OPTIONS waited for {pulse.slowest:.3f} s")
    check(int(tandem.status()["calls"]) == 20, "calls were lost")
    load.finish()
