# SPDX-License-Identifier: AGPL-3.0-or-later
"""What strangers can use up, while calls stand and others are made."""
import base64
import multiprocessing
import os
import re
import resource
import socket
import ssl
import statistics
import threading
import time

from harness import ALICE, CAROL, DOMAIN, GATEWAY, OUTSIDE, STALL, check, until
from peers.scanner import PlainPhone
from peers.sipp import EchoLoad
from test_provisioning import Pulse

DESCRIPTORS = 1024
CALLS = 5
IDLE = 1500
HALF_OPEN = 60
UNFINISHED = 1_900_000  # bytes of a header that never ends
MEGABYTES = 20
RATE = 200  # INVITE a second of one account
MESSAGES = 1000
PROPOSES = 10000
BODY = "v=0\r\no=- 1 1 IN IP4 127.200.0.9\r\ns=-\r\nc=IN IP4 127.200.0.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


def memory(tandem):
    """MB that are in use; with a sanitizer twice as much is."""
    status = open(f"/proc/{tandem.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) / 1024


def connect(address, port, tls=None):
    connection = socket.socket()
    connection.bind((address, 0))
    connection.settimeout(5)
    connection.connect(("127.0.0.1", port))
    if tls:
        connection = tls.wrap_socket(connection)
    connection.settimeout(0)
    return connection


def is_closed(connection):
    try:
        while connection.recv(4096):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def pour(connection, left):
    """As much as it takes; what is still to be sent."""
    try:
        while left > 0:
            left -= connection.send(b"a" * min(left, 65536))
    except (BlockingIOError, ssl.SSLWantWriteError):
        pass
    except OSError:
        return 0
    return left


def connect_many(number, ports, tls):
    """From fifty addresses, by TCP and TLS in turn; some are refused at once."""
    made = []
    for i in range(number):
        try:
            by_tls = i % 2
            made.append(connect(f"127.0.4.{1 + i % 50}", ports[by_tls], tls if by_tls else None))
        except OSError:
            pass
    return made


def test_connections(bench):
    """1,500 idle connections, sixty with 1.9 MB of unfinished header each, by TCP and TLS, and 1,024 descriptors in
    all: 20 MB, closed in time; calls stand, a telephone registers and calls, tandemctl answers."""
    tandem = bench.gateway(start=False, gateway={"log_level": "info"}, sip=bench.certificate())
    sanitized = b"libasan" in (tandem.build / ".libs" / "tandemd").read_bytes()
    tandem.environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1"
    tandem.start()
    resource.prlimit(tandem.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    tandem.provision_users()
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential(name="desk")))
    load = EchoLoad(bench.folder, CALLS, CALLS, hold=45000)
    load.start()
    until(lambda: int(tandem.status()["calls"]) == CALLS, 15, f"{CALLS} calls")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    before = memory(tandem)
    began = time.monotonic()
    idle = connect_many(IDLE, (5060, tandem.tls_port), tls)
    half = []
    for i in range(HALF_OPEN):
        try:
            half.append(connect(f"127.0.5.{1 + i}", (5060, tandem.tls_port)[i % 2], tls if i % 2 else None))
            half[-1].send(b"INVITE sip:x@gw.example.org SIP/2.0\r\nX-Much: ")
        except OSError:
            pass
    left = [UNFINISHED] * len(half)
    most = before

    def is_poured():
        nonlocal most
        for i, connection in enumerate(half):
            left[i] = pour(connection, left[i])
        most = max(most, memory(tandem))
        return not any(left)
    until(is_poured, 30, "every half-open connection to be full or closed")
    check(int(tandem.status()["calls"]) == CALLS, f"calls: {tandem.status()['calls']}")
    phone.register()
    phone.call("echo")
    until(lambda: all(map(is_closed, half + idle)), 30, "all to be closed")
    seconds = time.monotonic() - began
    most = max(most, memory(tandem))
    counted = {key: value for key, value in tandem.status().items() if key.startswith("sip connections ")}
    print(f"{most - before:.1f} MB more, all closed after {seconds:.0f} s; {counted}")
    check(most - before < MEGABYTES * (3 if sanitized else 1), f"{most - before:.1f} MB more")
    check(counted["sip connections of strangers"] == 0, counted)
    for connection in half + idle:
        connection.close()
    load.finish()


def test_forward_secrecy(bench):
    """The TLS port takes no exchange by which what is said today can be read tomorrow."""
    tandem = bench.gateway(sip=bench.certificate())
    for ciphers, wanted in (("AES128-SHA:AES256-SHA256:AES128-GCM-SHA256", False), ("ECDHE+AESGCM", True)):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.set_ciphers(ciphers + ":@SECLEVEL=0")
        try:
            with socket.create_connection(("127.0.0.1", tandem.tls_port), 5) as plain, tls.wrap_socket(plain) as secure:
                taken = secure.cipher()[0]
        except OSError as error:
            taken = None
            check(not wanted, f"{ciphers}: {error}")
        check(wanted == bool(taken), f"{ciphers}: {taken}")


class Flood(PlainPhone):
    """One account that calls RATE times a second and acknowledges nothing."""

    def __init__(self, *credential):
        super().__init__(*credential, address="127.200.0.9")
        self.sent, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.register()
        uri = f"sip:{OUTSIDE}@127.0.0.1"
        self._nonce = None
        said = self._ask("INVITE", uri, header="Proxy-Authorization")
        self._acknowledge(uri, said)
        self._nonce, self._count = re.search(r'nonce="([^"]+)"', said)[1], 0
        self._thread.start()

    def _run(self):
        uri, began = f"sip:{OUTSIDE}@127.0.0.1", time.monotonic()
        while not self._over.is_set():
            while self.sent < (time.monotonic() - began) * RATE:
                self.sent += 1
                self._seq += 1
                text = self._lines("INVITE", uri, "", self._seq, self._proof("INVITE", uri, "Proxy-Authorization"), BODY)
                self._socket.send(text.replace(b"Call-ID: ", b"Call-ID: %d" % self.sent))
            time.sleep(0.002)

    def stop(self):
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        super().stop()


def test_flood_of_one(bench):
    """200 INVITE a second of one account, none acknowledged: twenty of twenty calls of another get through."""
    tandem = bench.gateway(gateway={"log_level": "warning"})
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential("bob", name="desk")))
    flood = bench.keep(Flood(*bench.credential(name="stolen")))
    phone.register()
    flood.start()
    until(lambda: flood.sent > RATE, 10, "the flood to begin")
    began, slowest = time.monotonic(), 0
    for _ in range(20):
        before = time.monotonic()
        phone.call("echo")
        slowest = max(slowest, time.monotonic() - before)
    print(f"20 calls in {time.monotonic() - began:.1f} s, the slowest {slowest:.2f} s; the other has sent {flood.sent}")
    check(len([c for c in tandem.calls() if c["state"] != "ENDED"]) <= 10, "the account has more calls than it may")


class Requests(threading.Thread):
    """So many OPTIONS and MESSAGE a second from the carrier's address, for so long."""

    def __init__(self, rate, seconds):
        super().__init__(daemon=True)
        self.rate, self.seconds, self.sent, self.answered = rate, seconds, 0, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", 5060))
        self._socket.setblocking(False)

    def _text(self):
        port, n, method = self._socket.getsockname()[1], self.sent, ("OPTIONS", "MESSAGE")[self.sent % 2]
        return (f"{method} sip:gw@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKr{n}\r\n"
                f"From: <sip:x@127.0.0.1>;tag=r{n}\r\nTo: <sip:gw@127.0.0.1>\r\nCall-ID: r{n}\r\nCSeq: 1 {method}\r\n"
                f"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()

    def run(self):
        began = time.monotonic()
        while time.monotonic() < began + self.seconds:
            while self.sent < (time.monotonic() - began) * self.rate:
                try:
                    self._socket.send(self._text())
                    self.sent += 1
                    while self._socket.recv(2048):
                        self.answered += 1
                except BlockingIOError:
                    pass
            time.sleep(0.002)
        self._socket.close()


def test_requests_of_a_trunk(bench):
    """1,500 OPTIONS and MESSAGE a second from a carrier's address for ten seconds: little memory, and a telephone
    registers and calls all the while."""
    tandem = bench.gateway(start=False, gateway={"log_level": "warning"})
    sanitized = b"libasan" in (tandem.build / ".libs" / "tandemd").read_bytes()
    tandem.environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1"
    tandem.start()
    tandem.provision_users()
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential("bob", name="desk")))
    phone.register()
    phone.call("echo")
    before, slowest, calls = memory(tandem), 0, 0
    flood = Requests(1500, 10)
    flood.start()
    while flood.is_alive():
        began = time.monotonic()
        phone.call("echo")
        slowest, calls = max(slowest, time.monotonic() - began), calls + 1
        time.sleep(0.2)
    more = memory(tandem) - before
    print(f"{flood.sent} sent, {flood.answered} answered, {more:.1f} MB more; {calls} calls of another, "
          f"the slowest {slowest:.2f} s; {tandem.status()['sip requests dropped']} dropped")
    check(flood.sent > 10000, f"{flood.sent} sent")
    check(flood.answered < flood.sent / 2, f"{flood.answered} of {flood.sent} answered")
    check(more < MEGABYTES * (4 if sanitized else 1), f"{more:.1f} MB more")
    check(slowest < 2, f"a call took {slowest:.2f} s")


class RawClient:
    """A login of the XMPP server that sends what it is told to."""

    def __init__(self, account="alice", password="pw", domain="localhost", port=5222):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.heard = ""
        header = (f"<stream:stream to='{domain}' version='1.0' xmlns='jabber:client'"
                  " xmlns:stream='http://etherx.jabber.org/streams'>")
        self.say(header, "</stream:features>")
        word = base64.b64encode(f"\0{account}\0{password}".encode()).decode()
        self.say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{word}</auth>", "<success")
        self.say(header, "</stream:features>")
        self.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</jid>")

    def say(self, text, until_heard=None):
        self.socket.sendall(text.encode())
        while until_heard and until_heard not in self.heard:
            data = self.socket.recv(65536)
            check(data, f"the server has hung up, waiting for {until_heard}")
            self.heard += data.decode(errors="replace")
        if until_heard:
            self.heard = self.heard.split(until_heard, 1)[1]

    def ask(self, to, number):
        """Whether somebody is there: an answer to what was sent after the rest."""
        self.say(f"<iq type='get' id='ping{number}' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>", f"ping{number}")


def hostile_stanzas():
    many = " ".join(f"a{i}='{i % 10}'" for i in range(20000))
    names = "".join(f"<child-of-many-names-{i:05}-{'x' * 20}/>" for i in range(4500))
    deep = 5000
    return {
        "20,000 attributes": f"<message to='%s'><x xmlns='urn:x' {many}/></message>",
        "4,500 names": f"<message to='%s'><x xmlns='urn:x'>{names}</x></message>",
        "5,000 deep": f"<message to='%s'>{'<a>' * deep}{'</a>' * deep}</message>",
        "200 kB of text": f"<message to='%s'><body>{'text ' * 40000}</body></message>",
    }


def test_hostile_stanzas(bench):
    """Of any user of the server, one after another: SIP waits for none of them, and XMPP goes on."""
    tandem = bench.gateway(gateway={"log_level": "warning"})
    bench.carrier()
    client = RawClient()
    for number, (name, text) in enumerate(hostile_stanzas().items()):
        pulse = Pulse()
        pulse.start()
        stanza = text % f"+14155550199@{GATEWAY}"
        for i in range(5):
            client.say(stanza)
            client.ask(GATEWAY, 10 * number + i)
        pulse.end()
        print(f"{name}, {len(stanza)} bytes: the slowest of {pulse.answered} OPTIONS {1000 * pulse.slowest:.1f} ms")
        check(pulse.slowest < STALL, f"{name}: an OPTIONS waited for {pulse.slowest:.3f} s")
    dropped = [line for line in tandem.ctl("status").stdout.splitlines() if "drop" in line]
    print("; ".join(line.strip() for line in dropped))


def cpu_seconds(tandem):
    fields = open(f"/proc/{tandem.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_messages_after_refused_proposes(bench):
    """10,000 proposes of one user are refused at his limit; what a message of somebody else costs is as before."""
    tandem = bench.gateway(gateway={"log_level": "warning"}, limits={"max_calls_per_user": 1})
    bench.carrier()
    alice, bob = RawClient("alice"), RawClient("bob")

    def messages(first):
        before = cpu_seconds(tandem)
        for i in range(MESSAGES):
            bob.say(f"<message type='chat' id='m{i}' to='+14155550199@{GATEWAY}'><body>hello {i}</body></message>")
        bob.ask(GATEWAY, first)
        return 1e3 * (cpu_seconds(tandem) - before) / MESSAGES
    idle = messages(1)
    for i in range(PROPOSES):
        alice.say(f"<message type='chat' id='p{i}' to='+14155550199@{GATEWAY}'><propose xmlns='urn:xmpp:jingle-message:0' id='s{i}'>"
                  "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>")
    alice.ask(GATEWAY, 2)
    loaded = messages(3)
    print(f"a message costs {idle:.3f} ms, after {PROPOSES} proposes {loaded:.3f} ms")
    check(loaded < 3 * idle + 0.1, f"{loaded:.3f} ms instead of {idle:.3f}")


class Strangers(threading.Thread):
    """So many texts to a number of ours by SIP from an address that nobody knows, 1,000 a second."""

    def __init__(self, number):
        super().__init__(daemon=True)
        self.number = number

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.bind(("127.0.6.6", 0))
            port = line.getsockname()[1]
            for i in range(self.number):
                line.sendto((f"MESSAGE sip:{ALICE}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.6.6:{port};branch=z9hG4bKs{i}\r\n"
                             f"From: <sip:x@127.0.6.6>;tag=s{i}\r\nTo: <sip:{ALICE}@127.0.0.1>\r\nCall-ID: s{i}\r\nCSeq: 1 MESSAGE\r\n"
                             "Max-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello").encode(), ("127.0.0.1", 5060))
                time.sleep(0.001)


def test_texts_of_strangers(bench):
    """10,000 texts by XMPP of somebody who is no user, and 10,000 by SIP of nobody: each by XMPP is answered, none is
    kept, and calls are set up as before."""
    tandem = bench.gateway(gateway={"log_level": "warning"})
    bench.carrier()
    tandem.ctl("number", "del", CAROL)
    tandem.ctl("user", "del", f"carol@{DOMAIN}")
    phone = bench.keep(PlainPhone(*bench.credential("bob", name="desk")))
    phone.register()
    stranger = RawClient("carol")

    def call():
        began = time.monotonic()
        phone.call("echo")
        return time.monotonic() - began
    before = [call() for _ in range(10)]
    # processes of their own: threads would make the telephone wait for Python's lock
    fork = multiprocessing.get_context("fork")
    floods = [fork.Process(target=Strangers(PROPOSES).run, daemon=True), fork.Process(daemon=True, target=lambda: (
        [stranger.say(f"<message type='chat' id='x{i}' to='{ALICE}@{GATEWAY}'><body>hello {i}</body></message>") for i in range(PROPOSES)],
        stranger.ask(GATEWAY, 1)))]
    during = []
    for flood in floods:
        flood.start()
    while any(flood.is_alive() for flood in floods):
        during.append(call())
        time.sleep(0.2)
    check(not any(flood.exitcode for flood in floods), f"the floods ended with {[flood.exitcode for flood in floods]}")
    print(f"a call is answered, as heard, within {1000 * statistics.median(before):.0f} ms, at most {1000 * max(before):.0f}; "
          f"while strangers write {1000 * statistics.median(during):.0f} and {1000 * max(during):.0f} ms, in {len(during)} calls")
    check(len(during) >= 10, f"{len(during)} calls were made meanwhile")
    check(max(during) < max(before) + 2 * STALL, f"a call took {max(during):.3f} s")
    check(tandem.rows("texts") == [], "a stranger's text was kept")
