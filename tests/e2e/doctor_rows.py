# SPDX-License-Identifier: AGPL-3.0-or-later
"""Planted misconfigurations, and what `tandemctl doctor` says of each: the rows of doctor.py.

A scene has a gateway with its peers in a namespace of its own.  Some plant all their faults
before the start and ask once; the others begin well and plant one after the other.  A row is
the check that must find it, and parts of the finding and of the remedy.  What is not planted
must not be found.
"""
import contextlib
import email.utils
import json
import os
import re
import resource
import selectors
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from pathlib import Path

from harness import ALICE, DOMAIN, GATEWAY, Gateway, check
from network import Coturn, run
from peers.process import until
from run import ADDRESS
from test_names import NameServer

PATIENCE = 55
TLS_PORT, TURN_TLS_PORT = 5061, 5349
NAMES = "nameserver 127.0.0.53\n"  # knows no name


# --- peers ---

class Authority:
    """Makes certificates."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "authority.pem"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                      folder / "authority.key", "-out", self.file, "-days", "90", "-subj", "/CN=authority")

    @staticmethod
    def _openssl(*words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"openssl: {done.stderr}")

    def certificate(self, name, days=90, names="DNS:localhost,IP:127.0.0.1", own=False):
        """A PEM file with its key; `own`: signed by itself."""
        file, key, extra = self.folder / f"{name}.pem", self.folder / f"{name}.key", self.folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={names}\n")
        signed = [] if own else ["-CA", self.file, "-CAkey", self.folder / "authority.key", "-CAcreateserial"]
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                      "-out", f"{key}.csr", "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{key}.csr", "-days", days, "-extfile", extra, "-out", f"{file}.crt",
                      *(signed or ["-signkey", key]))
        file.write_text(Path(f"{file}.crt").read_text() + key.read_text())
        file.chmod(0o640)
        time.sleep(1)  # in the second of its making it is good for all of `days`, afterwards for less
        return file


class Answerer:
    """A trunk that answers OPTIONS and REGISTER, by UDP and TCP or by TLS, as it is told."""

    def __init__(self, bench, certificate=None, clock=0, register="200 OK", silent=False):
        self.clock, self.register, self.silent, self.context = clock, register, silent, None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._stop, self._wake = socket.socketpair()
        self._connections = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        bench.keep(self)

    def _answer(self, data):
        lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        method = lines[0].split(" ")[0]
        if self.silent or method not in ("OPTIONS", "REGISTER"):
            return None
        status = self.register if method == "REGISTER" else "200 OK"
        kept = [line for line in lines[1:] if re.match(r"(Via|From|To|Call-ID|CSeq|Contact):", line, re.I)]
        kept = [line + ";tag=a" if line.lower().startswith("to:") and ";tag=" not in line else line for line in kept]
        date = email.utils.formatdate(time.time() + self.clock, usegmt=True)
        return "\r\n".join([f"SIP/2.0 {status}", *kept, f"Date: {date}", "Expires: 600", "Content-Length: 0", "", ""]).encode("latin-1")

    def _connection(self, connection):
        """One request or more, until the other end has gone."""
        with contextlib.suppress(OSError, ValueError), connection:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while data := connection.recv(65536):
                answer = self._answer(data) if data.strip() else None
                if answer:
                    connection.sendall(answer)

    def _serve(self):
        with selectors.DefaultSelector() as selector:
            for thing in (self._stop, self._udp, self._listener):
                selector.register(thing, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._stop in ready:
                    return
                if self._udp in ready and not self.context:
                    data, peer = self._udp.recvfrom(65536)
                    answer = self._answer(data)
                    if answer:
                        self._udp.sendto(answer, peer)
                elif self._udp in ready:
                    self._udp.recvfrom(65536)
                if self._listener in ready:
                    connection, _ = self._listener.accept()
                    thread = threading.Thread(target=self._connection, args=(connection,), daemon=True)
                    thread.start()
                    self._connections.append(connection)

    def stop(self):
        self._wake.close()
        self._thread.join(5)
        for thing in (self._listener, self._udp, self._stop, *self._connections):
            with contextlib.suppress(OSError):
                thing.close()


# --- asking ---

def ask(tandem):
    """{check: (state, finding, remedy)}, and how long it took."""
    began = time.monotonic()
    done = tandem.ctl("--json", "doctor", want=None)
    took = time.monotonic() - began
    rows = json.loads(done.stdout)["rows"]
    bad = [row for row in rows if row[1] == "bad"]
    check(done.returncode == (1 if bad else 0), f"exit status {done.returncode} with {len(bad)} bad checks: {done.stderr}")
    check(took < PATIENCE, f"the doctor took {took:.0f} s")
    check(len({row[0] for row in rows}) == len(rows), f"a check speaks twice: {rows}")
    return {row[0]: tuple(row[1:]) for row in rows}, took


class Row:
    def __init__(self, name, found_by, finding, remedy, plant=None, short=False):
        self.name, self.check, self.finding, self.remedy, self.plant, self.short = name, found_by, finding, remedy, plant, short


def judge(row, found):
    state, finding, remedy = found.get(row.check, ("missing", "", ""))
    if state != "bad":
        return f"the check {row.check!r} is {state}: {finding}"
    missing = [part for part, text in ((row.finding, finding), (row.remedy, remedy)) if part not in text]
    return f"{missing} is not said: {finding} | {remedy}" if missing else None


class Results:
    """The cells of a scene, written as they come."""

    def __init__(self, scene):
        folder = os.environ.get("TANDEM_DOCTOR_FOLDER")
        self.file, self.cells = folder and Path(folder) / f"doctor-{scene}.json", []

    def add(self, row, found, took, others):
        _, finding, remedy = found.get(row.check, ("", "", ""))
        trouble = judge(row, found)
        if others:
            trouble = f"{trouble or ''} not planted, and found: {others}".strip()
        self.cells.append({"row": row.name, "check": row.check, "finding": finding, "remedy": remedy, "trouble": trouble})
        if self.file:
            self.file.write_text(json.dumps(self.cells), encoding="utf-8")
        print(f"{'FAILED' if trouble else 'ok'} {row.name} ({took:.1f} s)\n  {finding}\n  {remedy}\n" + (f"  {trouble}\n" if trouble else ""))
        return trouble is None


def bad_of(found):
    return {name: row for name, row in found.items() if row[0] == "bad"}


def ask_once(scene, rows, tandem):
    """All are planted already, and nothing else is found."""
    found, took = ask(tandem)
    planted = {row.check for row in rows}
    others = {name: row for name, row in bad_of(found).items() if name not in planted}
    results = Results(scene)
    failures = [row.name for row in rows if not results.add(row, found, took, others)]
    check(not failures, f"{failures}")
    return took


def chosen(rows):
    return [r for r in rows if r.short or os.environ.get("TANDEM_DOCTOR") != "short"]


def ask_each(scene, rows, house):
    """One after the other; `plant` is a generator that undoes after its yield, and may say which
    other checks find it as well."""
    results, failures = Results(scene), []
    for row in chosen(rows):
        planting = row.plant(house)
        also = next(planting) or ()
        found, took = ask(house.tandem)
        others = {name: r for name, r in bad_of(found).items() if name != row.check and name not in also}
        if not results.add(row, found, took, others):
            failures.append(row.name)
        with contextlib.suppress(StopIteration):
            next(planting)
    check(not failures, f"{failures}")


# --- what the XMPP server tells its users (XEP-0215) ---

def announce(*services, secret=Coturn.SECRET, credentials=True, access=f'"{DOMAIN}", "{GATEWAY}"'):
    """Lines for Prosody; each service: type, transport, host, port.  Those of TURN have credentials or none."""
    credentials = 'secret = true, ttl = 600, algorithm = "turn"' if credentials else ""
    rows = "".join(f'{{ type = "{kind}", transport = "{transport}", host = "{host}", port = {port}, {"" if kind == "stun" else credentials} }};\n'
                   for kind, transport, host, port in services)
    return f'external_service_secret = "{secret}"\nexternal_service_access = {{ {access} }}\nexternal_services = {{\n{rows}}}\n'


STUN = ("stun", "udp", "127.0.0.1", 3478)
ANNOUNCED = (STUN, ("turn", "udp", "localhost", 3478), ("turn", "tcp", "127.0.0.1", 3478), ("turns", "tcp", "localhost", TURN_TLS_PORT))


# --- the house ---

class House:
    """A gateway with all that it needs, where nothing is wrong unless it is asked for."""

    def __init__(self, bench, secret=None, domain=GATEWAY, online=True, trunk=True, users=True, **settings):
        self.bench, self.authority = bench, Authority(bench.folder)
        self.data = bench.folder / "data"
        self.data.mkdir(mode=0o750)
        run("mount", "-t", "tmpfs", "-o", "size=400m,mode=0750", "tmpfs", self.data)
        run("ip", "address", "add", "10.77.0.9/32", "dev", "lo")
        self.names = bench.folder / "resolv.conf"
        self.names.write_text(NAMES)
        run("mount", "--bind", self.names, "/etc/resolv.conf")
        bench.keep(NameServer(True))
        self.services = announce(*ANNOUNCED)
        bench.prosody(gateway=domain, services=self.services)
        self.turn = Coturn(bench, "127.0.0.1", certificate=self.authority.certificate("turn"))
        self.certificate = self.authority.certificate("gateway")
        keys = {"gateway": {"database": self.data / "tandem.db", "control_socket": self.data / "control", "emergency": "refuse"},
                "sip": {"tls_port": TLS_PORT, "tls_certificate": self.certificate},
                "http": {"port": 9469}, "limits": {"max_calls": 50},
                "media": {"local_addresses": "127.0.0.1;10.77.0.9", **self.turn.settings(turn_server="localhost:3478", turn_tls_port=TURN_TLS_PORT)}}
        for group, more in settings.items():
            keys.setdefault(group, {}).update(more)
        self.tandem = bench.tandem = Gateway(bench.folder, bench.build, bench.plugins, settings=keys, domain=domain,
                                             secret=secret or "e2e-secret", control=self.data / "control")
        # what coturn's certificate is judged by
        self.tandem.environment["SSL_CERT_FILE"] = str(self.authority.file)
        if not online:
            self.tandem.wait_online = lambda *_: None
        self.tandem.start()
        if users:
            self.tandem.ctl("user", "add", f"alice@{DOMAIN}")
            self.tandem.ctl("number", "add", ALICE, f"alice@{DOMAIN}")
        if trunk:
            self.carrier = Answerer(bench)
            self.add_trunk("carrier", self.carrier)
            self.wait_trunk("carrier", "OPTIONS: answers")

    def add_trunk(self, name, peer, host="127.0.0.1", **keys):
        keys = {"options_seconds": 2, **keys}  # the first one waits as long
        port = [f"port={peer.port if isinstance(peer, Answerer) else peer}"] if peer else []
        self.tandem.ctl("trunk", "add", name, host, *port, *(f"{k.replace('_', '-')}={v}" for k, v in keys.items()))

    def wait_trunk(self, name, words, seconds=30):
        until(lambda: words in str(self.tandem.status().get(f"sip trunk {name} state")), seconds, f"the trunk {name} to be seen: {words}")

    def trunk(self, words=None, host="127.0.0.1", peer=None, name="planted", **keys):
        """A trunk more while it is looked at."""
        self.add_trunk(name, peer, host, **keys)
        if words:
            self.wait_trunk(name, words)
        yield
        self.tandem.ctl("trunk", "del", name)


# --- scene: nothing is wrong ---

def sound(bench):
    """Nothing is found in a gateway where nothing is wrong, with each kind of trunk."""
    house = House(bench, gateway={"emergency": "trunk:carrier"})
    certificate = house.authority.certificate("trunk")
    house.add_trunk("secure", Answerer(bench, certificate), "localhost", transport="tls", tls_ca=house.authority.file)
    house.add_trunk("registered", Answerer(bench), username="u", password="p", register="yes")
    house.add_trunk("stream", Answerer(bench), transport="tcp")
    house.wait_trunk("secure", "OPTIONS: answers")
    house.wait_trunk("registered", "registered")
    house.wait_trunk("stream", "OPTIONS: answers")
    found, took = ask(house.tandem)
    for name, row in found.items():
        print(f"{name}: {row}")
    print(f"{len(found)} checks in {took:.1f} s")
    check(not bad_of(found), f"found in a sound gateway: {bad_of(found)}")
    skipped = {name for name, row in found.items() if row[0] == "skipped"}
    check(skipped == {"domain"}, f"skipped: {skipped}")
    text = house.tandem.ctl("doctor").stdout
    check(f"{len(found)} checks: {len(found) - 1} good, 0 bad, 1 skipped" in text, text)
    return took


# --- scene: written wrongly, one file ---

WRITTEN = [
    Row("the secret of the component is wrong", "xmpp", "does not let the gateway in", "secret"),
    Row("the domain is in no DNS", "domain", "do not find gw.nowhere.invalid", "SRV record"),
    Row("the STUN server has no such name", "stun", "stun.nowhere.invalid", "[media] stun_server"),
    Row("nobody listens for TURN by UDP", "turn udp", "Connection refused", "start the TURN server"),
    Row("nobody listens for TURN by TCP", "turn tcp", "Connection refused", "start the TURN server"),
    Row("nobody listens for TURN by TLS", "turn tls", "Connection refused", "turn_tls_port"),
    Row("the range of ports is small", "ports", "100 ports are enough for 25 calls", "port_max"),
    Row("the kernel is not asked to split", "kernel split", "is not asked", "kernel_split = no"),
    Row("no country is asked about", "guard", "any country", "[guard] countries"),
    Row("passwords may be tried for ever", "throttle", "as often as it likes", "throttle_failures"),
    Row("HTTP is public", "http", f"{ADDRESS}:9469", "127.0.0.1"),
    Row("too few file descriptors", "descriptors", "700 file descriptors", "LimitNOFILE=756"),
    Row("the trunk for emergency calls is unknown", "emergency", "there is no trunk nobody", "[gateway] emergency"),
    Row("there is no trunk", "trunks", "no trunk is used", "trunk add"),
    Row("there is no user", "users", "there is no user", "user add"),
]


def test_written(bench):
    house = House(bench, secret="another", domain="gw.nowhere.invalid", online=False, trunk=False, users=False,
                  gateway={"emergency": "trunk:nobody"}, sip={"throttle_failures": 0}, http={"address": ADDRESS},
                  guard={"countries": "any"},
                  media={"stun_server": "stun.nowhere.invalid", "turn_server": "127.0.0.1:3999", "turn_tls_port": 3998,
                         "port_min": 20000, "port_max": 20099, "kernel_split": "no"})
    resource.prlimit(house.tandem.process.pid, resource.RLIMIT_NOFILE, (700, 700))
    found_ids(house)
    ask_once("written", WRITTEN, house.tandem)


def found_ids(house):
    """The gateway has tried to get in before it is asked."""
    until(lambda: "refuses the secret of component" in house.tandem.tail(200), 20, "the server to refuse")


# --- scene: written wrongly, another file ---

AGAIN = [
    Row("the XMPP server is not at that port", "xmpp", "is not reached at 127.0.0.1:5999", "[xmpp] host and port"),
    Row("the STUN server is silent", "stun", "no answer", "firewalls"),
    Row("TURN has another secret, by UDP", "turn udp", "it refuses: 401", "static-auth-secret"),
    Row("TURN has another secret, by TCP", "turn tcp", "it refuses: 401", "static-auth-secret"),
    Row("TURN has another secret, by TLS", "turn tls", "it refuses: 401", "static-auth-secret"),
    Row("the limits of the guard are off", "guard", "1 of the limits", "abroad_minutes"),
    Row("no user has a number", "users", "no user has a number", "number add"),
    Row("others have the ports", "ports", "are taken by other programs", "ss -lunp"),
    Row("the gateway's certificate is about to end", "certificate time", "good for 5 days", "tls_certificate"),
    Row("the trunk for emergency calls does not work", "emergency", "does not work now", "mend the trunk dead"),
    Row("a trunk is silent", "trunk dead", "no answer", "options-seconds=0"),
]


def test_again(bench):
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        for port in range(20000, 20100):
            taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            taken.bind(("127.0.0.1", port))
        authority = bench.folder / "short"
        authority.mkdir()
        ends = Authority(authority).certificate("gateway", days=6)
        house = House(bench, online=False, trunk=False, users=False, xmpp={"port": 5999}, sip={"tls_certificate": ends},
                      gateway={"emergency": "trunk:dead"}, limits={"abroad_minutes": 100000},
                      media={"stun_server": f"127.0.0.1:{silent.getsockname()[1]}", "turn_secret": "another"})
        house.tandem.ctl("user", "add", f"alice@{DOMAIN}")
        house.add_trunk("dead", Answerer(bench, silent=True), response_seconds=1)
        house.wait_trunk("dead", "no answer")
        ask_once("again", AGAIN, house.tandem)


# --- scene: what the XMPP server tells its users of STUN and TURN ---

SERVICES = f"services {DOMAIN}"


def told(services):
    """Prosody is started again with other services."""
    def plant(house):
        config, before = house.bench.server.config, house.bench.server.config.read_text(encoding="utf-8")
        config.write_text(before.replace(house.services, services).replace('' if services else ', "external_services"', ""), encoding="utf-8")
        restart(house)
        yield
        config.write_text(before, encoding="utf-8")
        restart(house)
    return plant


def restart(house):
    house.bench.server.stop()
    until(lambda: "offline" in house.tandem.ctl("status").stdout, 20, "the stream to be seen closed")
    house.bench.server.start()
    house.tandem.wait_online()


def told_secure(house):
    """Without credentials, that a client would ask for, the certificate is seen all the same."""
    peer = Answerer(house.bench, house.authority.certificate("told", names="DNS:another.example.org"))
    yield from told(announce(("turns", "tcp", "localhost", peer.port), credentials=False))(house)


TOLD = [
    Row("no services are offered", SERVICES, "no STUN and no TURN server", "let the XMPP server tell its users of the TURN server localhost:3478",
        told("")),
    Row("the list of services is empty", SERVICES, "no STUN and no TURN server", "mod_external_services", told(announce())),
    Row("STUN alone is offered", SERVICES, "STUN servers and of no TURN server", "mod_external_services", told(announce(STUN))),
    Row("an announced STUN server is not there", SERVICES, "stun:127.0.0.1:3999 by udp", "start that server",
        told(announce(("stun", "udp", "127.0.0.1", 3999), *ANNOUNCED)), short=True),
    Row("an announced TURN server is not there by TCP", SERVICES, "turn:127.0.0.1:3998 by tcp: Connection refused", "start that server",
        told(announce(*ANNOUNCED, ("turn", "tcp", "127.0.0.1", 3998)))),
    Row("an announced name is in no DNS", SERVICES, "turn.nowhere.invalid", "correct it in the settings of the XMPP server",
        told(announce(*ANNOUNCED, ("turn", "udp", "turn.nowhere.invalid", 3478)))),
    Row("the XMPP server has another secret of TURN", SERVICES, "by udp: it refuses: 401", "static-auth-secret",
        told(announce(*ANNOUNCED, secret="another"))),
    Row("an announced certificate is for another name", SERVICES, "its certificate is not taken by clients: it is not for localhost", "settings of the XMPP server",
        told_secure),
    Row("users are told of a TURN server that the gateway does not know", SERVICES, "TURN server 127.0.0.1:3477, and [media] turn_server is localhost:3478",
        "name the same TURN server", told(announce(STUN, ("turn", "udp", "127.0.0.1", 3477)))),
]


def test_told(bench):
    """A second TURN server has the same secret and another port."""
    house = House(bench, gateway={"emergency": "trunk:carrier"})
    Coturn(bench, "127.0.0.1", port=3477, folder="coturn-other")
    ask_each("told", TOLD, house)
    hidden(house)


def hidden(house):
    """What the server shows to its own users alone is no fault, and not called good either."""
    planting = told(announce(*ANNOUNCED, access=""))(house)
    next(planting)
    found, _ = ask(house.tandem)
    check(found[SERVICES][0] == "skipped" and "its own users" in found[SERVICES][1] and not bad_of(found), f"{found}")


# --- scene: what goes wrong later ---

def database_open(house):
    house.data.chmod(0o755)
    (house.data / "tandem.db").chmod(0o644)
    yield
    house.data.chmod(0o750)


def database_torn(house):
    """A page of the file is overwritten."""
    file = house.data / "tandem.db"
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        [(root,)] = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'calls_by_caller'").fetchall()
        [(size,)] = database.execute("PRAGMA page_size").fetchall()
    with open(file, "r+b") as pages:
        pages.seek((root - 1) * size)
        before = pages.read(size)
        pages.seek((root - 1) * size)
        pages.write(b"\xa5" * size)
    yield
    with open(file, "r+b") as pages:
        pages.seek((root - 1) * size)
        pages.write(before)


def disk_full(house):
    run("mount", "-o", "remount,size=100m", house.data)
    yield
    run("mount", "-o", "remount,size=400m", house.data)


def socket_open(house):
    house.data.chmod(0o755)
    (house.data / "tandem.db").chmod(0o640)
    (house.data / "control").chmod(0o666)
    yield
    (house.data / "control").chmod(0o660)
    house.data.chmod(0o750)


def certificate_gone(house):
    kept = house.certificate.with_suffix(".kept")
    house.certificate.rename(kept)
    yield
    kept.rename(house.certificate)


def address_gone(house):
    run("ip", "address", "del", "10.77.0.9/32", "dev", "lo")
    yield
    run("ip", "address", "add", "10.77.0.9/32", "dev", "lo")


def kernel_ports(house):
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    before = file.read_text()
    file.write_text("25000 60999")
    yield
    file.write_text(before)


def trunks_off(house):
    house.tandem.ctl("trunk", "set", "carrier", "enabled=no")
    yield ["emergency"]
    house.tandem.ctl("trunk", "set", "carrier", "enabled=yes")
    house.wait_trunk("carrier", "OPTIONS: answers")


def emergency_off(house):
    house.add_trunk("other", Answerer(house.bench))
    house.wait_trunk("other", "OPTIONS: answers")
    house.tandem.ctl("trunk", "set", "carrier", "enabled=no")
    yield
    house.tandem.ctl("trunk", "set", "carrier", "enabled=yes")
    house.tandem.ctl("trunk", "del", "other")
    house.wait_trunk("carrier", "OPTIONS: answers")


def name_unknown(house):
    yield from house.trunk(host="sip.nowhere.invalid", options_seconds=0)


def names_unanswered(house):
    house.names.write_text("nameserver 192.0.2.1\noptions timeout:1 attempts:1\n")
    yield from house.trunk(host="sip.carrier.example", options_seconds=0)
    house.names.write_text(NAMES)


def refused(house):
    yield from house.trunk(peer=5998, transport="tcp", options_seconds=0)


def refused_udp(house):
    yield from house.trunk(peer=5997, options_seconds=0)


def not_registered(house):
    peer = Answerer(house.bench, register="403 Forbidden")
    yield from house.trunk("403", peer=peer, username="u", password="p", register="yes")


def clock_wrong(house):
    yield from house.trunk("OPTIONS: answers", peer=Answerer(house.bench, clock=-300))


def secure(house, words, **more):
    peer = Answerer(house.bench, house.authority.certificate("planted", **more))
    yield from house.trunk(words, host="localhost", peer=peer, transport="tls", tls_ca=house.authority.file, options_seconds=0)


def certificate_ends(house):
    yield from secure(house, None, days=6)


def certificate_of_another(house):
    yield from secure(house, None, names="DNS:another.example.org")


def certificate_unknown(house):
    yield from secure(house, None, own=True)


def turn_stopped(house):
    house.turn.stop()
    yield ["turn udp", "turn tcp", "turn tls", SERVICES]


def server_stopped(house):
    house.bench.server.stop()
    house.tandem.wait_status("offline", 20, "the stream to be seen closed")
    yield ["stun", "turn udp", "turn tcp", "turn tls"]


LATER = [
    Row("the world sees another address", "public address", "sees this machine as 127.0.0.1, and calls announce 203.0.113.9",
        "public_address = 127.0.0.1", lambda house: iter([[]]), short=True),
    Row("anybody may read the database", "database", "any user of this machine", "chmod o=", database_open, short=True),
    Row("a page of the database is torn", "database", "tandem.db", "backup", database_torn, short=True),
    Row("the disk is nearly full", "disk", "MB are left", "keep_days", disk_full, short=True),
    Row("anybody may use the control socket", "control socket", "any user of this machine", "chmod o=", socket_open),
    Row("the certificate's file is gone", "certificate", "gateway.pem", "[sip] tls_certificate", certificate_gone, short=True),
    Row("an address is gone", "addresses", "[media] local_addresses = 10.77.0.9", "ip address", address_gone),
    Row("the kernel gives the ports to others", "ports", "the kernel gives ports from 25000", "ip_local_port_range", kernel_ports),
    Row("no trunk is used", "trunks", "no trunk is used", "enabled=yes", trunks_off),
    Row("the trunk for emergency calls is off", "emergency", "is switched off", "mend the trunk carrier", emergency_off),
    Row("a trunk has a name that nobody knows", "trunk planted", "sip.nowhere.invalid", "the trunk's host", name_unknown, short=True),
    Row("no name server answers", "trunk planted", "no name server answers for sip.carrier.example", "/etc/resolv.conf", names_unanswered),
    Row("a trunk refuses TCP", "trunk planted", "Connection refused", "port and transport", refused),
    Row("a trunk's port is closed", "trunk planted", "Connection refused", "port and transport", refused_udp),
    Row("a trunk refuses the registration", "trunk planted", "403", "password", not_registered),
    Row("the clocks differ", "trunk planted", "differ by 300 s", "NTP", clock_wrong, short=True),
    Row("a trunk's certificate is about to end", "trunk planted", "good for 5 days", "renew", certificate_ends, short=True),
    Row("a trunk's certificate is another's", "trunk planted", "it is not for localhost", "tls-ca", certificate_of_another),
    Row("a trunk's certificate is of no authority", "trunk planted", "self-signed", "tls-ca", certificate_unknown),
    Row("the STUN server is stopped", "stun", "127.0.0.1:3478", "start the STUN server", turn_stopped),
    Row("the XMPP server is stopped", "xmpp", "is not reached", "start the XMPP server", server_stopped),
]


def test_later(bench):
    house = House(bench, gateway={"emergency": "trunk:carrier"}, media={"public_address": "203.0.113.9"})
    rows = LATER[1:]
    for row in rows:  # that one stays
        row.plant = staying(row.plant)
    ask_each("later", LATER, house)


def staying(plant):
    def both(house):
        planting = plant(house)
        yield [*(next(planting) or ()), "public address"]
        with contextlib.suppress(StopIteration):
            next(planting)
    return both


def test_sound(bench):
    sound(bench)


SCENES = {"written": WRITTEN, "again": AGAIN, "told": TOLD, "later": LATER}
check(len({row.name for rows in SCENES.values() for row in rows}) >= 25, "too few rows")
