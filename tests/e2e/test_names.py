# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names that others write, while the name server cannot be reached, says nothing, refuses, or
knows no name: SIP goes on, the carrier hears the BYE, a transfer fails in words, and SIGTERM
ends the daemon while it still waits for an answer."""
import socket
import subprocess
import threading
import time

from harness import OUTSIDE, STALL, check
from peers.carrier import Carrier
from peers.process import until
from peers.softphone import Softphone
from test_provisioning import Pulse

ENDS = 4  # seconds; a drain of 1, and 2 for answers to our BYE


class NameServer(threading.Thread):
    """At 127.0.0.53: says nothing, or that there is no such name."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers, self.asked = answers, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.53", 53))
        self.socket.settimeout(0.2)
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                question, source = self.socket.recvfrom(512)
            except socket.timeout:
                continue
            self.asked += 1
            if self.answers and len(question) > 12:
                self.socket.sendto(question[:2] + bytes([question[2] | 0x80, 0x83]) + question[4:6] + bytes(6) + question[12:], source)

    def stop(self):
        self.over.set()
        self.join()
        self.socket.close()


SERVERS = (("unroutable", "192.0.2.1", None), ("silent", "127.0.0.53", False), ("refusing", "127.0.0.54", None),
           ("NXDOMAIN", "127.0.0.53", True))


def refer(call, host):
    """His telephone asks for a transfer to a SIP address; what was said of it."""
    sent = call.request("REFER", "", [("Refer-To", f"<sip:bob@{host}>"), ("Referred-By", f"<sip:{call.agent.user}@127.0.0.1>")])
    answer = call.agent.answer_to(sent, 2, call)
    check(answer.status == 202, f"REFER was answered by {answer.first}")
    return time.monotonic()


def has_failed(call, began):
    """The last NOTIFY; seconds it took."""
    call.wait("NOTIFY", 60, lambda m: b"SIP/2.0 100" not in m.body and b"SIP/2.0 1" not in m.body)
    return time.monotonic() - began


def one_server(bench, name, answers):
    tandem, began = bench.tandem, time.monotonic()
    server = NameServer(answers) if answers is not None else None
    tandem.start()
    if not tandem.rows("user", "list"):
        tandem.provision_users()
        tandem.ctl("trunk", "add", "carrier", "127.0.0.9", "options-seconds=0", "priority=1")
        tandem.ctl("trunk", "add", "named", "sip.carrier.example", "options-seconds=1", "priority=9")
        bench.credentials = bench.credential()
    carrier = Carrier(bench.folder, {"address": "127.0.0.9", "trunk": {}, "contact": "sip:x@uas-{token}.example"},
                      ("127.0.0.1", 5060), f"carrier-{name}")
    carrier.contact = carrier.fill("sip:x@uas-{token}.example")
    carrier.contact_of = lambda call: carrier.contact
    phone = Softphone(bench.folder, f"phone-{name}", *bench.credentials, ("127.0.0.1", 5060), "127.0.0.8").register()
    pulse = Pulse("127.0.0.9")
    pulse.start()

    def call():
        ours = phone.dial(OUTSIDE)
        theirs = carrier.wait_call()
        carrier.answer(theirs)
        ours.wait(200)
        return ours, theirs
    ours, theirs = call()
    failed = has_failed(ours, refer(ours, f"refer-{name.lower()}.example"))
    check(not theirs.over and not ours.over, f"{name}: the call ended with the transfer")
    ours.hangup()
    theirs.wait_end(2)
    ours, theirs = call()
    refer(ours, f"again-{name.lower()}.example")
    bench.talk(0.5)
    pulse.end()
    asked = server.asked if server else None
    stopping = time.monotonic()
    tandem.process.terminate()
    theirs.wait("BYE", 5)
    status = tandem.process.wait(20)
    took = time.monotonic() - stopping
    tandem.process = None
    for thing in (carrier, phone, *([server] if server else [])):
        thing.stop()
    print(f"{name}: slowest of {pulse.answered} OPTIONS {1000 * pulse.slowest:.1f} ms, questions asked {asked}, "
          f"transfer failed after {failed:.1f} s, "
          f"ended {took:.1f} s after SIGTERM, {time.monotonic() - began:.0f} s in all")
    check(pulse.slowest < STALL, f"{name}: an OPTIONS took {pulse.slowest:.3f} s")
    check(status == 0 and took < ENDS, f"{name}: ended with {status} after {took:.1f} s")
    check(not theirs.faults, f"{name}: the carrier objects: {theirs.faults}")


def test_names_while_no_server_helps(bench):
    subprocess.run(["ip", "route", "del", "default"], check=False, capture_output=True)
    file = bench.folder / "resolv.conf"
    file.write_text("")
    subprocess.run(["mount", "--bind", file, "/etc/resolv.conf"], check=True)
    bench.gateway(start=False, sip={"dial_uris": "any"}, gateway={"log_level": "info"})
    for name, address, answers in SERVERS:
        file.write_text(f"nameserver {address}\noptions timeout:2 attempts:1\n")
        one_server(bench, name, answers)
