# SPDX-License-Identifier: AGPL-3.0-or-later
"""Softphones beside the XMPP clients of an account."""
import os
import socket
import ssl
import time

from harness import ALICE, BOB, OUTSIDE, check, hear, until
from network import Home
from run import ADDRESS

SIP = "127.0.0.1:5060"
ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"'


def contacts(bench, name):
    return bench.tandem.rows("softphone", "show", name)


def test_softphone_registers(bench):
    """One that knows MD5 alone and one that knows better, by each transport."""
    bench.gateway(sip=bench.certificate())
    for transport in ("udp", "tcp", "tls"):
        for kind in (bench.softphone, bench.linphone):
            name = f"{transport}-{kind.__name__}"
            phone = kind(name=name, transport=transport)
            rows = contacts(bench, name)
            check(len(rows) == 1 and rows[0]["from"].startswith(transport + ":"), f"registered over {transport}: {rows}")
        check(phone.algorithm() == "SHA-256", f"linphone has answered with {phone.algorithm()}")


class Device:
    """A phone of either kind, as the test of all of them needs it."""

    def __init__(self, phone):
        self.phone = phone
        self.is_sip = not hasattr(phone, "jid")
        self.name = type(phone).__name__ if self.is_sip else phone.name

    def wait_ringing(self):
        if self.is_sip:
            self.phone.wait_said("SIP/2.0 180 Ringing")
        else:
            self.phone.wait("incoming")

    def wait_stopped(self, winner):
        """When it stopped ringing, told that the call was answered elsewhere."""
        if self.is_sip:
            return self.phone.wait_said("CANCEL sip:", ELSEWHERE)
        if winner.is_sip:
            return self.phone.wait("ended", how="retract", reason="cancel", text="The call was answered on another device")["at"]
        return self.phone.wait("ended", how="elsewhere")["at"]  # its server has shown it the other's message

    def answer(self):
        if self.is_sip:
            self.phone.pick_up()
        else:
            self.phone.answer()

    def wait_over(self):
        if self.is_sip:
            self.phone.wait_over()
        else:
            self.phone.wait("ended", by="peer")


def one_answers(bench, carrier, devices, winner):
    for device in devices:
        if not device.is_sip:
            device.phone.forget()
    leg = carrier.call(ALICE, SIP)
    for device in devices:
        device.wait_ringing()
    leg.wait(180)
    answered = time.time()
    winner.answer()
    for device in devices:
        if device is not winner:
            late = device.wait_stopped(winner) - answered
            check(late < 1, f"{device.name} rang for {late:.2f} s after {winner.name} had answered")
    leg.wait_answer()
    bench.talk(3)
    leg.hangup()
    winner.wait_over()
    record = bench.tandem.last_record()
    check(record["reason"] == "hangup", f"recorded as {record}")
    hear(leg, winner.phone, max_loss=0.05)  # a jitter buffer may grow once, in a short call


def test_all_devices_ring(bench):
    """Two kinds of softphone and two XMPP clients: each answers in turn, the others stop."""
    bench.gateway(sip=bench.certificate())
    carrier = bench.carrier()
    devices = [Device(phone) for phone in (
        bench.softphone(name="desk", transport="udp"), bench.linphone(name="mobile", transport="tls"),
        bench.webrtc(plays="B"), bench.aiortc(plays="B"))]
    for winner in devices:
        one_answers(bench, carrier, devices, winner)


def test_registrations_survive_a_restart(bench):
    """The phone by UDP has noticed nothing; the one by TCP comes again by itself."""
    bench.gateway()
    carrier, phones = bench.carrier(), [bench.softphone(name="desk"), bench.linphone(name="mobile", transport="tcp")]
    before = contacts(bench, "desk")
    bench.tandem.stop()
    bench.tandem.start()
    check(contacts(bench, "desk") == before, "the registration after the restart")
    phones[1].wait_registered()
    for phone in phones:
        leg = carrier.call(ALICE, SIP)
        for each in phones:
            each.wait_said("SIP/2.0 180 Ringing")
        phone.pick_up()
        leg.wait_answer()
        bench.talk(3)
        leg.hangup()
        phone.wait_over()
        hear(leg, phone, max_loss=0.05)


def call_out(bench, phone, carrier):
    """The carrier's leg of a call that is over."""
    phone.call(f"sip:{OUTSIDE}@{SIP}")
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("CALL_RINGING")
    leg.answer()
    phone.wait("CALL_ESTABLISHED")
    bench.talk()
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    return leg


def test_softphone_calls_out(bench):
    """By the carrier, with the account's number."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.softphone(name="desk", plays="A")
    leg = call_out(bench, phone, carrier)
    check(ALICE in leg.invite.header("From"), f"the caller id is in {leg.invite.header('From')}")
    record = bench.tandem.last_record()
    check(record["user"] == "alice@localhost", f"recorded as {record}")


def test_softphone_calls_with_srtp(bench):
    """It takes nothing else; the carrier has plain RTP."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.softphone(name="desk", plays="A", options=";mediaenc=srtp-mand")
    leg = call_out(bench, phone, carrier)
    check(b"crypto" not in str(leg.invite).encode(), "the carrier was told a key")
    shown = bench.tandem.ladder(bench.tandem.last_record()["id"])
    check("srtp: SRTP_AES128_CM_SHA1" in shown, f"no word of SRTP: {shown}")
    check("inline:" not in shown, "a key is shown")


def test_softphone_calls_softphone(bench):
    bench.gateway()
    alice, bob = bench.softphone("alice", plays="A"), bench.softphone("bob", plays="B", transport="tcp")
    alice.call(f"sip:bob@{SIP}")
    bob.wait_call()
    bob.answer()
    alice.wait("CALL_ESTABLISHED")
    bench.talk()
    alice.hangup()
    bob.wait_over()
    hear(alice, bob)


def test_softphone_calls_a_client(bench):
    bench.gateway()
    alice, bob = bench.softphone("alice", plays="A"), bench.webrtc("bob", plays="B")
    alice.call(f"sip:{BOB}@{SIP}")
    call = bob.wait("incoming")
    check(ALICE in str(call), f"who calls: {call}")
    bob.answer()
    alice.wait("CALL_ESTABLISHED")
    bench.talk()
    alice.hangup()
    bob.wait("ended", by="peer")
    hear(alice, bob)


def shown_name(port):
    """Whose certificate a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain) as secure:
        der = secure.getpeercert(binary_form=True)
    return "new" if b"new.example" in der else "old" if b"old.example" in der else "?"


def test_softphone_by_tls(bench):
    """Calls both ways through its connection, which outlives a change of the certificate."""
    bench.gateway(sip=bench.certificate("old.example"))
    carrier, phone = bench.carrier(), bench.softphone(transport="tls")
    port = bench.tandem.tls_port
    check(shown_name(port) == "old", "the certificate is not shown")
    phone.call(f"sip:{OUTSIDE}@127.0.0.1:{port};transport=tls")
    leg = carrier.wait_call(plays="A")
    leg.answer()
    phone.wait("CALL_ESTABLISHED")
    bench.certificate("new.example")
    check(shown_name(port) == "new", "the new certificate is not shown")
    bench.talk()
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    leg = carrier.call(ALICE, SIP)
    phone.wait_call()
    phone.answer()
    leg.wait_answer()
    bench.talk()
    leg.hangup()
    phone.wait_over()
    hear(leg, phone)
    # one that cannot be used: the last good one stays
    (bench.folder / "tls.pem").write_text("nonsense")
    check(shown_name(port) == "new", "a broken file has taken the certificate away")
    until(lambda: "the old certificate stays" in bench.tandem.log.read_text(), 5, "a word about the broken file")


def test_softphone_tls_connections_given_up(bench):
    """Begun and aborted, or silent: none of them is kept, none leaks, a phone registers meanwhile."""
    bench.gateway(sip=bench.certificate())
    address, number = ("127.0.0.1", bench.tandem.tls_port), int(os.environ.get("TANDEM_TLS_CONNECTIONS", "270"))
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(32)

    def memory():
        status = open(f"/proc/{bench.tandem.process.pid}/status", encoding="ascii").read()
        return int(status.split("VmRSS:")[1].split()[0])

    def counted(what):
        return bench.tandem.status()[f"sip tls {what}"]

    def abort(times):
        for i in range(times):
            with socket.create_connection(address, 5) as connection:
                connection.sendall(hello[:i % len(hello)])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0" if i % 2 else bytes(8))
    abort(number // 3)
    before = memory()
    abort(number - number // 3)
    until(lambda: counted("connections") == number, 30, "the connections to be taken")
    print(f"{number} connections aborted: {(memory() - before) / (number - number // 3):.2f} KiB resident for each")
    until(lambda: counted("handshakes") == 0, 5, "the aborted ones to be forgotten")
    refused = counted("refused")
    silent = [socket.create_connection(address, 5) for _ in range(40)]
    until(lambda: counted("refused") == refused + 8, 5, "those beyond 32 of one address to be refused")
    for connection in silent:
        connection.settimeout(20)
        check(connection.recv(1) == b"", "a silent connection got an answer")
        connection.close()
    until(lambda: counted("unfinished") >= 32, 5, "the silent ones to be counted")
    until(lambda: counted("handshakes") == 0, 5, "the silent ones to be forgotten")
    bench.softphone(name="desk", transport="tls")
    check(contacts(bench, "desk")[0]["from"].startswith("tls:"), "a phone is locked out")
    check(counted("handshakes") == 0, "its handshake is counted as going on")


def test_softphone_behind_nat_stays_reachable(bench):
    """The NAT forgets a flow that is silent, and so is the phone: the gateway alone keeps its way in
    open.  TANDEM_SILENCE=600: ten minutes, with the timeouts of a home router."""
    silence = float(os.environ.get("TANDEM_SILENCE", "12"))
    forgets, keepalive = (30, 25) if silence > 60 else (4, 1)
    bench.gateway(sip={"address": ADDRESS, "keepalive": keepalive}, media={"rtp_address": ADDRESS})
    home, carrier = Home(bench), bench.carrier(address=ADDRESS)
    for key in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
        home.router.set(f"netfilter/{key}", forgets)
    with home.inside():
        phone = bench.linphone(name="desk", registrar=f"{ADDRESS}:5060", expires=3600)
    time.sleep(silence)
    flows = home.translated()
    leg = carrier.call(ALICE, f"{ADDRESS}:5060")
    phone.wait_call()
    phone.answer()
    leg.wait_answer()
    bench.talk(3)
    leg.hangup()
    phone.wait_over()
    print(f"{silence:g} s heard no word but {phone.count('OPTIONS sip:')} OPTIONS; the NAT, which forgets after {forgets} s, "
          f"knew {flows}")
    check(phone.count("REGISTER sip:") == 2, "the phone has registered again meanwhile")
    hear(leg, phone, max_loss=0.05)
