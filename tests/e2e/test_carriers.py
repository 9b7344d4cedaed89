# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several carriers: the call goes out by the next one when the first fails, soon,
and the record and the ladder show both tries."""
import socket
import subprocess
import threading
import time

from harness import GATEWAY, OUTSIDE, accepts, check, hear, slow, until
from peers import process
from peers.carrier import Carrier

NUMBER = f"{OUTSIDE}@{GATEWAY}"


class Deaf:
    """A host that never says a word, by UDP; or that takes the INVITE by TCP and
    closes the connection."""

    def __init__(self, kind):
        self.kind = kind
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "silent" else socket.SOCK_STREAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address, self.port = self.socket.getsockname()
        self.heard = threading.Event()
        if kind == "closes":
            self.socket.listen(4)
            threading.Thread(target=self._close_each, daemon=True).start()
        elif kind == "nobody":
            self.socket.close()

    def _close_each(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                if b"INVITE" in connection.recv(4096):
                    self.heard.set()

    def stop(self):
        self.socket.close()


def call_by_second(bench, phone, second, limit, tried):
    """A call out that the second carrier gets within `limit` seconds."""
    began = time.monotonic()
    phone.call(NUMBER)
    leg = second.wait_call()
    took = time.monotonic() - began
    leg.ring()
    phone.wait("ringing")
    leg.answer()
    phone.wait("up")
    bench.talk(3)
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    record = bench.tandem.last_record()
    ladder = bench.tandem.ladder(record["id"])
    print(f"{tried}: at the second carrier after {took:.2f} s")
    check(took < limit, f"{tried}: the second carrier was asked after {took:.2f} s")
    check(record["trunk"] == "second", f"{tried}: recorded with trunk {record['trunk']}")
    check("next way" in ladder and ladder.count("INVITE") >= 2, f"{tried}: both tries are not in the ladder\n{ladder}")


def test_first_carrier_refuses(bench):
    bench.gateway()
    first, second = bench.carrier("first", priority=1), bench.carrier("second", priority=2)
    phone = bench.webrtc()

    def refuse():
        leg = first.wait_call()
        leg.refuse(503)
    thread = threading.Thread(target=refuse)
    thread.start()
    call_by_second(bench, phone, second, 2, "503")
    thread.join()


def first_is(bench, kind, limit, **keys):
    bench.gateway()
    first = bench.keep(Deaf(kind))
    bench.tandem.provision_trunk(first, "first", priority=1, **keys)
    second = bench.carrier("second", priority=2)
    phone = bench.webrtc()
    call_by_second(bench, phone, second, limit, kind)
    # it is known now, and asked last
    status = bench.tandem.ctl("status").stdout
    check("tried last" in status, f"{kind}: the status does not say that the first is down\n{status}")
    call_by_second_at_once(bench, phone, second)


def call_by_second_at_once(bench, phone, second):
    began = time.monotonic()
    phone.call(NUMBER)
    leg = second.wait_call()
    took = time.monotonic() - began
    leg.refuse(486)
    phone.wait("ended", by="peer")
    check(took < 1, f"the carrier that is up was asked after {took:.2f} s")
    check("next way" not in bench.tandem.ladder(bench.tandem.last_record()["id"]), "the one that is down was asked first")


def test_first_carrier_is_silent(bench):
    """The admin's response-seconds is the limit, here 1."""
    first_is(bench, "silent", 3, response_seconds=1)


def test_first_carrier_closes_tcp(bench):
    first_is(bench, "closes", 2, transport="tcp")


def test_first_carrier_is_not_there_by_udp(bench):
    first_is(bench, "nobody", 2)


def test_first_carrier_is_not_there_by_tcp(bench):
    first_is(bench, "nobody", 2, transport="tcp")


def test_first_carrier_loses_our_registration(bench):
    """Nobody answers our REGISTER: calls go out by the other at once."""
    bench.gateway()
    first = bench.keep(Deaf("silent"))
    bench.tandem.provision_trunk(first, "first", priority=1, register="yes", username="u", password="p",
                                 response_seconds=1)
    second = bench.carrier("second", priority=2)
    phone = bench.webrtc()
    bench.tandem.wait_status("not registered: no answer", 10, "the trunk to be seen down")
    call_by_second_at_once(bench, phone, second)


@slow
def test_first_carrier_takes_its_time(bench):
    """100 at once, 180 after 8 s, 200 after 20 s: the call stands.  Another is left alone after the 100: the ring time
    ends it.  The second carrier is asked by neither."""
    bench.gateway()
    first, second = (bench.keep(Carrier(bench.folder, {"address": f"127.0.0.{n}", "trunk": {}}, ("127.0.0.1", 5060), name))
                     for n, name in ((9, "first"), (10, "second")))
    for priority, carrier in enumerate((first, second), 1):
        bench.tandem.ctl("trunk", "add", carrier.name, carrier.address, "options-seconds=0", "ring-seconds=25", f"priority={priority}")
    phone, other = bench.webrtc(), bench.webrtc("bob")
    phone.call(NUMBER)
    leg = first.wait_call()
    began = leg.invite.at
    other.call(f"+14155550198@{GATEWAY}")
    left = first.wait_call()

    def at(seconds):
        bench.talk(max(0, began + seconds - time.time()))
    at(8)
    leg.provisional(180)
    phone.wait("ringing", 2)
    at(20)
    first.answer(leg)
    up = phone.wait("up")["at"]
    bench.talk(2.5)
    left.wait("CANCEL", 20)
    ended = time.time() - left.invite.at
    told = other.wait("ended", 5, by="peer")
    bench.talk(0.5)
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    print(f"answered after 20 s, heard {up - began - 20:.2f} s later; the other ended after {ended:.1f} s: {told['reason']}; "
          f"calls at the second carrier: {len(second.calls)}")
    check(not second.calls, "the second carrier was called as well")
    check(24 < ended < 27, f"the ring time of 25 s ended it after {ended:.1f} s")
    check(not leg.faults, f"the carrier objects: {leg.faults}")


class Names:
    """A name server, and the one that this test's processes ask: run.py gives each
    test its own mounts."""

    def __init__(self, folder, records):
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", folder / "resolv.conf", "/etc/resolv.conf"], check=True)
        self.process = process.start(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
             "--pid-file=", "--listen-address=127.0.0.1", "--bind-interfaces", *(f"--{r}" for r in records)])
        until(lambda: accepts(53), 10, "the name server")

    def stop(self):
        process.stop(self.process)


def test_carrier_by_its_names(bench):
    """Of a carrier only the domain is known: NAPTR prefers TCP, SRV has the port and
    the host.  By UDP nobody would answer."""
    telephone = bench.baresip(trunk=False, user=OUTSIDE)
    deaf = bench.keep(Deaf("silent"))
    bench.keep(Names(bench.folder, [
        "naptr-record=carrier.test,20,10,s,SIP+D2U,,_sip._udp.carrier.test",
        "naptr-record=carrier.test,10,10,s,SIP+D2T,,_sip._tcp.carrier.test",
        f"srv-host=_sip._udp.carrier.test,edge.carrier.test,{deaf.port}",
        f"srv-host=_sip._tcp.carrier.test,edge.carrier.test,{telephone.port}",
        "address=/edge.carrier.test/127.0.0.1",
    ]))
    bench.gateway()
    bench.tandem.ctl("trunk", "add", "named", "carrier.test", "transport=auto", "options-seconds=0")
    phone = bench.webrtc()
    phone.call(NUMBER)
    telephone.wait_call()
    phone.wait("ringing")
    telephone.answer()
    phone.wait("up")
    bench.talk()
    telephone.hangup()
    phone.wait("ended", by="peer")
    hear(phone, telephone)
    status = bench.tandem.ctl("status").stdout
    check(f"127.0.0.1:{telephone.port}/tcp" in status or "transport=tcp" in status, f"not by TCP:\n{status}")
