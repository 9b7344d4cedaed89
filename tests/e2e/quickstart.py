#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""quickstart.py --build FOLDER [--once] - a gateway for a newcomer, tried with real calls.

The second half of ./quickstart, which has installed and built.
"""
import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

try:
    import run
    from harness import ALICE, BOB, DOMAIN, GATEWAY, OUTSIDE, Gateway, Prosody, hear, hear_echo
    from peers.process import Failed
    from peers.sipp import Carrier
    from peers.xmpp import XmppPhone, webrtc_program
    from web import Dialler
except ImportError as missing:
    sys.exit(f"quickstart: Python's module {missing.name} is missing; run: apt-get install python3-{missing.name}")

PASSWORD = "pw"
SECONDS = 4
IN_NAMESPACE = "TANDEM_QUICKSTART_NET"
# What is run here, and the Debian package it is in
PROGRAMS = {"ip": "iproute2", "unshare": "util-linux", "prosody": "prosody", "node": "nodejs", "sipp": "sip-tester"}


class Died(Failed):
    """One of those that serve the others has ended."""


def check_programs():
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        packages = " ".join(PROGRAMS[name] for name in missing)
        raise Failed(f"{' and '.join(missing)} not found on the PATH; run: apt-get install {packages}")


def own_addresses():
    """Addresses of this machine besides the loopback: browsers' media take no other."""
    listed = subprocess.run(["ip", "-j", "-4", "addr", "show", "up"], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Failed(f"ip addr: {listed.stderr.strip()}")
    return [a["local"] for link in json.loads(listed.stdout) for a in link["addr_info"] if a["scope"] == "global"]


def port(wanted, kinds):
    """The usual port when it is free, else any."""
    for number in (wanted, *[0] * 10):
        with contextlib.ExitStack() as stack:
            try:
                for kind in kinds:
                    s = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    if kind == socket.SOCK_STREAM:  # for UDP it would let two have the same
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", number))
                    number = s.getsockname()[1]
                if number != wanted:
                    print(f"port {wanted} is taken by another program; {number} is used instead")
                return number
            except OSError:
                continue
    raise Failed(f"neither port {wanted} nor another is free on 127.0.0.1")


def last_lines(path, count=15):
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-count:])


class Quickstart:
    def __init__(self, folder, build):
        self.folder, self.build = folder, build
        self.started = []  # what close() ends
        self.served = {}   # name: (what runs it, its log); none of them may end by itself
        self.dead = None
        self.closing = False

    def on_child(self, *_):
        """A child has ended: those who wait for the gateway or the server wait in vain."""
        for name, (thing, log) in self.served.items():
            if not self.closing and thing.process and thing.process.poll() is not None:
                self.closing, self.dead = True, thing
                raise Died(f"{name} has ended by itself with {thing.process.returncode}; "
                           f"the last lines of {log}:\n{last_lines(log)}")

    def serve(self, name, thing, log):
        self.started.append(thing)
        self.served[name] = (thing, log)
        return thing

    def start(self):
        self.sip_port = port(5060, (socket.SOCK_DGRAM, socket.SOCK_STREAM))
        component, client, websocket, page = (port(n, (socket.SOCK_STREAM,)) for n in (5347, 5222, 5280, 8080))
        prosody = self.folder / "prosody"
        prosody.mkdir(parents=True)
        print("starting Prosody and the gateway …")
        self.server = self.serve("Prosody", Prosody(prosody, accounts=("alice", "bob"), password=PASSWORD,
                                                    c2s_port=client, component_port=component, http_port=websocket),
                                 prosody / "prosody.log")
        self.tandem = Gateway(self.folder, self.build, run.link_plugins(self.build), component_port=component,
                              sip_port=self.sip_port, addresses=("127.0.0.1", *own_addresses()),
                              settings={"gateway": {"log_level": "info"}})
        self.serve("tandemd", self.tandem, self.tandem.log)
        self.tandem.start()
        self.carrier = Carrier(self.folder)
        self.started.append(self.carrier)
        self.served["the carrier (SIPp)"] = (self.carrier.server, self.folder / "carrier.out")
        self.dialler = Dialler(self.folder / "dialler", websocket, DOMAIN, GATEWAY, [("alice", PASSWORD), ("bob", PASSWORD)],
                               [("echo", "Hear yourself"), (ALICE, "Alice"), (BOB, "Bob")], page)
        self.started.append(self.dialler)

    def admin(self, *words):
        print("  $ tandemctl", *words)
        self.tandem.ctl(*words)

    def provision(self):
        print("provisioning:")
        for account, number in (("alice", ALICE), ("bob", BOB)):
            self.admin("user", "add", f"{account}@{DOMAIN}")
            self.admin("number", "add", number, f"{account}@{DOMAIN}")
        self.admin("trunk", "add", "carrier", self.carrier.address, f"port={self.carrier.port}")

    def phone(self, account, plays):
        phone = XmppPhone(self.folder, webrtc_program(), account, "webrtc", self.server.port, DOMAIN, plays, [])
        phone.title = f"  {account.capitalize()}'s client"
        self.started.append(phone)
        return phone.login()

    def talk(self):
        """Both sides play their tones for so long."""
        time.sleep(SECONDS)

    def echo(self, phone):
        phone.call(f"echo@{GATEWAY}")
        phone.wait("up")
        self.talk()
        phone.hangup()
        hear_echo(phone)

    def out(self, phone):
        phone.call(f"{OUTSIDE}@{GATEWAY}")
        leg = self.carrier.wait_call()
        leg.title = "  the telephone"
        leg.ring()
        phone.wait("ringing")
        leg.answer()
        phone.wait("up")
        self.talk()
        phone.hangup()
        leg.wait_end()
        hear(phone, leg)

    def come_in(self, phone):
        leg = self.carrier.call(BOB, f"127.0.0.1:{self.sip_port}")
        leg.title = "  the telephone"
        phone.wait("incoming")
        phone.answer()
        leg.wait_answer()
        phone.wait("up")
        self.talk()
        leg.hangup()
        phone.wait("ended", by="peer")
        hear(leg, phone)

    def calls(self):
        """True when each is heard in both directions."""
        alice, bob = self.phone("alice", "A"), self.phone("bob", "B")
        good = True
        print("\nEach side plays a melody of its own, A or B, and must hear the other's (the echo test: its own).")
        for what, call, phone in (("a WebRTC client calls the echo test", self.echo, alice),
                                  ("a WebRTC client calls a telephone", self.out, alice),
                                  ("a telephone calls a WebRTC client", self.come_in, bob)):
            print(f"\n{what} …")
            try:
                call(phone)
                print("  both-way audio: yes")
            except Died:
                raise
            except Failed as failure:
                good = False
                print(f"  both-way audio: NO: {failure}")
        self.show_calls(good)
        for phone in (alice, bob):
            phone.stop()
            self.started.remove(phone)
        return good

    def show_calls(self, good):
        calls = self.tandem.calls()
        print("\nwhat the gateway recorded ($ tandemctl calls):")
        print(self.tandem.ctl("calls").stdout)
        for call in calls if not good else calls[-2:-1]:
            print(f"call {call['id']}, as it went ($ tandemctl ladder {call['id']}):")
            print(self.tandem.ladder(call["id"]))
        if not good:
            print(self.tandem.tail(), file=sys.stderr)
            print(f"the logs are in {self.folder}; docs/trouble.md says how to read a ladder", file=sys.stderr)

    def explain(self, once):
        """How to log in, and from where."""
        control = f"{self.tandem.build}/tandemctl --config {self.tandem.config}"
        where, user = "", "any phone on this machine"
        if os.environ.get(IN_NAMESPACE):
            enter = f"sudo nsenter --target {'PID' if once else os.getpid()} --net runuser -u \"$USER\" --" \
                if os.environ[IN_NAMESPACE] == "root" else \
                f"nsenter --target {'PID' if once else os.getpid()} --user --preserve-credentials --net"
            user = "any phone started the same way"
            where = f"""
This machine has only a loopback network, which WebRTC does not use.  So the gateway runs in a network namespace,
and programs outside the namespace cannot log in.  Start your client inside:
  {enter} YOUR-CLIENT
Or give the machine an address and run ./quickstart again:
  ip link add dummy0 type dummy; ip link set dummy0 up; ip addr add 10.77.0.1/24 dev dummy0
(ip link del dummy0 takes the address away again)."""
        head = "./quickstart without --once stays up, for your browser" if once else "Try it in your browser"
        print(f"""{head} on this machine:
  page    {self.dialler.url}  press Connect, then "Hear yourself"; Bob is a second window that logs in as bob
Or with a client of your own:
  XMPP    alice@{DOMAIN} or bob@{DOMAIN}, password {PASSWORD}, server 127.0.0.1 port {self.server.port}, without TLS
  call    echo@{GATEWAY} (you hear yourself), {BOB}@{GATEWAY} (Bob), by adding it as a contact
  SIP     call sip:{ALICE}@127.0.0.1:{self.sip_port} (Alice) from {user}
  admin   {control} status{where}""")

    def stay(self):
        """Until Ctrl-C, or until one of them ends."""
        print("Ctrl-C ends everything.")
        while True:
            time.sleep(1)
            self.on_child()

    def close(self):
        """What was begun last ends first, each by the process that was started; True when each did as it was told."""
        self.closing = True
        for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):  # it is ending already
            signal.signal(number, signal.SIG_IGN)
        good = True
        while self.started:
            thing = self.started.pop()
            try:
                thing.stop()
            except (Failed, OSError) as failure:
                good = False
                if thing is not self.dead:
                    print(f"quickstart: at the end: {failure}", file=sys.stderr)
        return good


def enter_namespace():
    """On a machine with nothing but a loopback: a network of our own."""
    if os.environ.get(IN_NAMESPACE):
        raise Failed("there is no network address besides the loopback; WebRTC clients need one")
    is_root = os.geteuid() == 0
    inside = ["unshare", *([] if is_root else ["--map-root-user"]), "--net", "sh", "-c", run.NAMESPACE, "sh"]
    tried = subprocess.run([*inside, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise Failed("this machine has no network address besides the loopback, which WebRTC does not use, and a network "
                     f"namespace is refused ({tried.stderr.strip() or tried.returncode}); "
                     + ("give the machine an address: " if is_root else "run this as root, or give the machine an address: ")
                     + "ip link add dummy0 type dummy; ip link set dummy0 up; ip addr add 10.77.0.1/24 dev dummy0")
    os.environ[IN_NAMESPACE] = "root" if is_root else "user"
    os.execvp(inside[0], [*inside, sys.executable, "-B", *sys.argv])


@contextlib.contextmanager
def only_one(folder):
    """The folder is emptied: not under the feet of another."""
    with open(f"{folder}.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed(f"another ./quickstart runs in {folder}; stop it first (Ctrl-C)") from None
        yield


def try_calls(options, folder):
    quickstart = Quickstart(folder, options.build.resolve())
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        signal.signal(signal.SIGCHLD, quickstart.on_child)
        quickstart.start()
        quickstart.provision()
        good = quickstart.calls()
        quickstart.explain(options.once)
        if not options.once:
            quickstart.stay()
        return 0 if quickstart.close() and good else 1
    except Failed:
        print(f"all logs are in {folder}", file=sys.stderr)
        raise
    except KeyboardInterrupt:
        print("\nending everything …")
        return 130
    finally:
        quickstart.close()


def interrupt(*_):
    raise KeyboardInterrupt


def on_forgotten(event):
    """What was raised where nobody can catch it; an interrupt comes again, and needs no words."""
    if event.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(event)


def on_interrupt(*_):
    """Where it comes in the middle of a destructor Python forgets it: so it comes again, until somebody ends."""
    signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
    interrupt()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="where all is kept, emptied first; default: run in the build folder")
    parser.add_argument("--once", action="store_true", help="end after the calls")
    options = parser.parse_args()
    folder = (options.folder or options.build / "run").resolve()
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, interrupt)
    signal.signal(signal.SIGINT, on_interrupt)
    sys.unraisablehook = on_forgotten
    try:
        check_programs()
        if not own_addresses():
            enter_namespace()
        with only_one(folder):
            return try_calls(options, folder)
    except (Failed, OSError) as failure:
        print(f"quickstart: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
