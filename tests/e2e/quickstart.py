#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""quickstart.py --build FOLDER [--once] - a gateway for a newcomer, tried with real calls.

The second half of ./quickstart, which has installed and built.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import run
from harness import ALICE, BOB, DOMAIN, GATEWAY, OUTSIDE, Gateway, Prosody, hear, hear_echo
from peers.process import Failed
from peers.sipp import Carrier
from peers.xmpp import XmppPhone, webrtc_program

PASSWORD = "pw"
SECONDS = 4


def own_addresses():
    """Addresses of this machine besides the loopback: browsers' media take no other."""
    listed = subprocess.run(["ip", "-j", "-4", "addr", "show", "up"], capture_output=True, text=True, check=True)
    return [a["local"] for link in json.loads(listed.stdout) for a in link["addr_info"] if a["scope"] == "global"]


def port(wanted, kinds):
    """The usual port when it is free, else any."""
    for number in (wanted, 0):
        with contextlib.ExitStack() as stack:
            try:
                for kind in kinds:
                    s = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", number))
                    number = s.getsockname()[1]
                return number
            except OSError:
                continue
    raise Failed(f"neither port {wanted} nor another is free on 127.0.0.1")


class Quickstart:
    def __init__(self, folder, build):
        self.folder, self.started = folder, []
        self.sip_port = port(5060, (socket.SOCK_DGRAM, socket.SOCK_STREAM))
        component, client = port(5347, (socket.SOCK_STREAM,)), port(5222, (socket.SOCK_STREAM,))
        (folder / "prosody").mkdir(parents=True)
        print("starting Prosody and the gateway …")
        self.server = Prosody(folder / "prosody", accounts=("alice", "bob"), password=PASSWORD, c2s_port=client,
                              component_port=component)
        self.started.append(self.server)
        self.tandem = Gateway(folder, build, run.link_plugins(build), component_port=component, sip_port=self.sip_port,
                              addresses=("127.0.0.1", *own_addresses()), settings={"gateway": {"log_level": "info"}})
        self.started.append(self.tandem)
        self.tandem.start()
        self.carrier = Carrier(folder)
        self.started.append(self.carrier)

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
        self.started.append(phone)
        return phone.login()

    def talk(self):
        """Both sides play their tones for so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.tandem.process.wait(SECONDS)

    def echo(self, phone):
        phone.call(f"echo@{GATEWAY}")
        phone.wait("up")
        self.talk()
        phone.hangup()
        hear_echo(phone)

    def out(self, phone):
        phone.call(f"{OUTSIDE}@{GATEWAY}")
        leg = self.carrier.wait_call()
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
        for what, call, phone in (("a WebRTC client calls the echo test", self.echo, alice),
                                  ("a WebRTC client calls a telephone", self.out, alice),
                                  ("a telephone calls a WebRTC client", self.come_in, bob)):
            print(f"\n{what} …")
            try:
                call(phone)
                print("  both-way audio: yes")
            except Failed as failure:
                good = False
                print(f"  both-way audio: NO: {failure}")
        calls = self.tandem.calls()
        print("\nwhat the gateway recorded ($ tandemctl calls):")
        print(self.tandem.ctl("calls").stdout)
        for call in calls if not good else calls[-2:-1]:
            print(f"call {call['id']}, as it went ($ tandemctl ladder {call['id']}):")
            print(self.tandem.ladder(call["id"]))
        if not good:
            print(self.tandem.tail(), file=sys.stderr)
            print(f"the logs are in {self.folder}; docs/operating.md says how to read a ladder", file=sys.stderr)
        for phone in (alice, bob):
            phone.stop()
            self.started.remove(phone)
        return good

    def explain(self):
        control = f"{self.tandem.build}/tandemctl --config {self.tandem.config}"
        print(f"""Try it with your own client, on this machine:
  XMPP    alice@{DOMAIN} or bob@{DOMAIN}, password {PASSWORD}, server 127.0.0.1 port {self.server.port}, without TLS
  call    echo@{GATEWAY} (you hear yourself), {BOB}@{GATEWAY} (Bob), by adding it as a contact
  SIP     call sip:{ALICE}@127.0.0.1:{self.sip_port} (Alice) from any phone on this machine
  admin   {control} status
Ctrl-C ends everything.""", flush=True)

    def close(self):
        """What was begun last ends first, each by the process that was started."""
        for thing in reversed(self.started):
            try:
                thing.stop()
            except (Failed, OSError) as failure:
                print(f"quickstart: at the end: {failure}", file=sys.stderr)


def enter_namespace():
    """On a machine with nothing but a loopback: a network of our own."""
    if os.environ.get("TANDEM_QUICKSTART_NET"):
        raise Failed("there is no network address besides the loopback; WebRTC clients need one")
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    os.environ["TANDEM_QUICKSTART_NET"] = "1"
    os.execvp(unshare[0], [*unshare, "sh", "-c", run.NAMESPACE, "sh", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--once", action="store_true", help="end after the calls")
    options = parser.parse_args()
    folder = options.build.resolve() / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not own_addresses():
        enter_namespace()
    quickstart = None
    try:
        quickstart = Quickstart(folder, options.build.resolve())
        quickstart.provision()
        good = quickstart.calls()
        if not options.once:
            quickstart.explain()
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
        return 0 if good else 1
    except Failed as failure:
        print(f"quickstart: {failure}\nthe logs are in {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if quickstart:
            quickstart.close()


if __name__ == "__main__":
    sys.exit(main())
