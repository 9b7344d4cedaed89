# SPDX-License-Identifier: AGPL-3.0-or-later
"""Planted faults, and what is said of each: the rows of why.py.

A scene has a gateway and its peers in a namespace of its own and plants its faults one after
the other.  A row is one line: its name, what is planted, the words that the person must read
and those that the operator must read.  Nobody but the operator may read an address.
"""
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from harness import ALICE, BOB, GATEWAY, OUTSIDE, Failed, accepts, check
from network import Home, run
from peers import process
from peers.process import until
from run import ADDRESS

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
SOON = 10  # seconds after the fact
PRIVATE = re.compile(r"\d+\.\d+\.\d+\.\d+|\[media\]|\[calls\]|\[sip\]|fingerprint|TURN")


class Row:
    """`person` and `operator`: parts of their sentences; None: nothing is to be read."""

    def __init__(self, name, plant, person, operator, **more):
        self.name, self.plant, self.person, self.operator, self.more = name, plant, person, operator, more
        self.short = more.get("short", False)


class Results:
    """The cells of a scene, written as they come, so that one that dies leaves the others."""

    def __init__(self, scene):
        self.file = Path(os.environ["TANDEM_WHY_FOLDER"]) / f"why-{scene}.json"
        self.cells = []

    def add(self, row, person, operator, seconds, trouble):
        self.cells.append({"row": row.name, "person": person, "operator": operator, "seconds": round(seconds, 1),
                           "trouble": trouble})
        self.file.write_text(json.dumps(self.cells), encoding="utf-8")
        print(f"{'FAILED' if trouble else 'ok'} {row.name} ({seconds:.1f} s)\n  person: {person}\n  operator: {operator}"
              + (f"\n  {trouble}" if trouble else ""))


def judge(row, person, operator, seconds, others=()):
    """What is wrong with it; None: nothing."""
    faults = []
    for who, said, wanted in (("person", person, row.person), ("operator", operator, row.operator)):
        if wanted is None and said:
            faults.append(f"the {who} reads something")
        elif wanted is not None and wanted not in (said or ""):
            faults.append(f"the {who} does not read {wanted!r}")
    for said in (person, *others):
        if said and PRIVATE.search(said):
            faults.append(f"somebody else's affairs: {said!r}")
    if seconds > SOON:
        faults.append(f"after {seconds:.1f} s only")
    return "; ".join(faults) or None


def chosen(rows):
    return [r for r in rows if r.short or os.environ.get("TANDEM_WHY") != "short"]


def play(scene, rows, one):
    """`one(row)`: (what the person reads, what the operator reads, seconds, what others hear)."""
    results, failures = Results(scene), 0
    for row in chosen(rows):
        began = time.monotonic()
        try:
            person, operator, seconds, *others = one(row)
            trouble = judge(row, person, operator, seconds, others)
        except Failed as failure:
            person = operator = None
            seconds, trouble = time.monotonic() - began, str(failure)
        results.add(row, person, operator, seconds, trouble)
        failures += trouble is not None
    check(not failures, f"{failures} rows")


# --- a carrier that refuses: status, headers ---

class Refuser:
    """A carrier by UDP that answers each INVITE with what is to be planted."""

    def __init__(self, address="127.0.0.1"):
        self.address, self.status, self.headers, self.refused = address, "486 Busy Here", [], 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                data, peer = self._socket.recvfrom(65536)
            except OSError:
                return
            lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
            if not lines[0].startswith("INVITE") or self.status is None:
                continue
            kept = [line for line in lines[1:] if re.match(r"(Via|From|To|Call-ID|CSeq):", line, re.I)]
            kept = [line + ";tag=r" if line.lower().startswith("to:") and ";tag=" not in line else line for line in kept]
            answer = "\r\n".join([f"SIP/2.0 {self.status}", *kept, *self.headers, "Content-Length: 0", "", ""])
            self.refused = time.monotonic()
            self._socket.sendto(answer.encode("latin-1"), peer)

    def stop(self):
        self._socket.close()
        self._thread.join(5)


FORBIDDEN, GONE, NOT_FOUND = "The call is not allowed", "The number is no longer in service", "The number is not in service"
UNREACHABLE, TIMEOUT = "The person called cannot be reached now", "The far end did not respond in time"
INCOMPATIBLE, LOOP = "The two sides have no codec in common", "The call was forwarded in a circle"
INCOMPLETE, BUSY = "The number is incomplete or ambiguous", "The line is busy"
SECURITY = "The encryption or identity of the call was refused"
FULL = "The network is full or busy, please try again later"
FAILED, DECLINED, NO_ANSWER = "The far network failed", "The call was declined", "Nobody answered"
NONSENSE = "The far end sent something unintelligible"


def status(line, person, *headers, detail="", short=False):
    words = f"({line} from the carrier)"
    return Row(f"out: {line}{' with ' if headers else ''}{'; '.join(headers)}", (line, headers), f"{person} {words}",
               detail or f"{person} ({line})", short=short)


def q850(cause, line, person):
    """A gateway to the telephone network hides the cause behind a status."""
    return status(line, person, f"Reason: Q.850;cause={cause}", detail=f"Reason: Q.850;cause={cause}", short=cause == 17)


REFUSED = [
    status("301 Moved Permanently", GONE), status("302 Moved Temporarily", UNREACHABLE),
    status("400 Bad Request", NONSENSE), status("402 Payment Required", FORBIDDEN),
    status("403 Forbidden", FORBIDDEN), status("404 Not Found", NOT_FOUND, short=True),
    status("405 Method Not Allowed", FAILED), status("406 Not Acceptable", INCOMPATIBLE),
    status("408 Request Timeout", TIMEOUT), status("410 Gone", GONE),
    status("413 Request Entity Too Large", FAILED), status("414 URI Too Long", FAILED),
    status("415 Unsupported Media Type", INCOMPATIBLE), status("416 Unsupported URI Scheme", FAILED),
    status("420 Bad Extension", FAILED), status("428 Use Identity Header", SECURITY),
    status("433 Anonymity Disallowed", FORBIDDEN), status("436 Bad Identity Info", SECURITY),
    status("438 Invalid Identity Header", SECURITY), status("480 Temporarily Unavailable", UNREACHABLE),
    status("481 Call Does Not Exist", FAILED), status("482 Loop Detected", LOOP), status("483 Too Many Hops", LOOP),
    status("484 Address Incomplete", INCOMPLETE), status("485 Ambiguous", INCOMPLETE),
    status("486 Busy Here", BUSY, short=True), status("487 Request Terminated", NO_ANSWER),
    status("488 Not Acceptable Here", INCOMPATIBLE), status("493 Undecipherable", SECURITY),
    status("500 Server Internal Error", FAILED), status("501 Not Implemented", FAILED),
    status("502 Bad Gateway", FAILED), status("503 Service Unavailable", FULL, "Retry-After: 30", detail="Retry-After: 30",
                                              short=True),
    status("504 Server Time-out", TIMEOUT), status("505 Version Not Supported", FAILED),
    status("580 Precondition Failure", INCOMPATIBLE), status("600 Busy Everywhere", BUSY),
    status("603 Decline", DECLINED), status("604 Does Not Exist Anywhere", NOT_FOUND),
    status("606 Not Acceptable", INCOMPATIBLE), status("607 Unwanted", DECLINED), status("608 Rejected", DECLINED),
    status("488 Not Acceptable Here", INCOMPATIBLE, 'Warning: 304 carrier "Media type not available"',
           detail="Media type not available"),
    status("403 Forbidden", FORBIDDEN, 'Warning: 399 carrier "Caller not registered"', detail="Caller not registered"),
    q850(1, "500 Server Internal Error", NOT_FOUND), q850(3, "503 Service Unavailable", NOT_FOUND),
    q850(17, "480 Temporarily Unavailable", BUSY), q850(18, "480 Temporarily Unavailable", NO_ANSWER),
    q850(19, "480 Temporarily Unavailable", NO_ANSWER), q850(20, "480 Temporarily Unavailable", UNREACHABLE),
    q850(21, "480 Temporarily Unavailable", DECLINED), q850(22, "480 Temporarily Unavailable", GONE),
    q850(27, "500 Server Internal Error", UNREACHABLE), q850(28, "500 Server Internal Error", INCOMPLETE),
    q850(34, "500 Server Internal Error", FULL), q850(38, "503 Service Unavailable", FAILED),
    q850(41, "503 Service Unavailable", FAILED), q850(42, "500 Server Internal Error", FULL),
    q850(57, "500 Server Internal Error", FORBIDDEN), q850(79, "500 Server Internal Error", INCOMPATIBLE),
    q850(88, "500 Server Internal Error", INCOMPATIBLE), q850(102, "500 Server Internal Error", TIMEOUT),
    q850(111, "500 Server Internal Error", NONSENSE),
    q850(2, "503 Service Unavailable", NOT_FOUND), q850(23, "480 Temporarily Unavailable", UNREACHABLE),
    q850(25, "500 Server Internal Error", LOOP), q850(29, "503 Service Unavailable", FORBIDDEN),
    q850(44, "500 Server Internal Error", FAILED), q850(47, "503 Service Unavailable", FULL),
    q850(52, "500 Server Internal Error", FORBIDDEN), q850(58, "500 Server Internal Error", INCOMPATIBLE),
    q850(87, "503 Service Unavailable", FORBIDDEN), q850(127, "500 Server Internal Error", FAILED),
    status("380 Alternative Service", UNREACHABLE), status("491 Request Pending", FAILED), status("513 Message Too Large", FAILED),
]
UNAUTHORIZED = Row("out: 407, and no password", ("407 Proxy Authentication Required",
                                                 ['Proxy-Authenticate: Digest realm="carrier", nonce="1"']),
                   "The telephone network did not accept this gateway", "did not accept the gateway's username and password")


def test_refused(bench):
    """The client hears it in the session's own words, which are those of the chat."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.keep(Refuser())
    bench.tandem.provision_trunk(carrier)

    def one(row):
        carrier.status, headers = row.plant
        carrier.headers = list(headers)
        phone.forget()
        phone.call(NUMBER)
        ended = phone.wait("ended", by="peer")
        seconds = time.monotonic() - carrier.refused
        record = bench.tandem.last_record()
        check(record["ended-by"] == "callee", f"ended by the {record['ended-by']}")
        check(carrier.status in bench.tandem.ladder(record["id"]), "the ladder has no status")
        return ended["text"], record["text"], seconds
    play("refused", [*REFUSED, UNAUTHORIZED], one)


# --- a way that leads nowhere ---

def at(host, **keys):
    return lambda bench: bench.tandem.ctl("trunk", "add", "way", host, "options-seconds=0",
                                          *(f"{k.replace('_', '-')}={v}" for k, v in keys.items()))


CANNOT = "The telephone network cannot be reached now; the operator can see why"
WAYS = [
    Row("out: UDP port closed", at("127.0.0.1", port=9), CANNOT, "The trunk way cannot be reached at 127.0.0.1:9 by udp: Connection refused", short=True),
    Row("out: TCP port closed", at("127.0.0.1", port=9, transport="tcp"), CANNOT,
        "The trunk way cannot be reached at 127.0.0.1:9 by tcp: Connection refused"),
    Row("out: TLS port closed", at("127.0.0.1", port=9, transport="tls"), "The telephone network cannot be reached safely now",
        "the server does not answer the TLS handshake: nothing listens at its port"),
    Row("out: certificate of nobody", lambda bench: at("localhost", port=5071, transport="tls")(bench),
        "The telephone network cannot be reached safely now", "The TLS connection to the trunk way was refused: the certificate of"),
    Row("out: no such name", at("carrier.invalid"), CANNOT, "The host name of the trunk way is not found", short=True),
    Row("out: nobody answers", lambda bench: at("127.0.0.1", port=bench.silent.port, response_seconds=2)(bench), "The telephone network did not respond in time",
        "The trunk way did not answer the INVITE at", short=True),
    Row("out: no route", at("203.0.113.9", response_seconds=3), CANNOT,
        "The trunk way cannot be reached at 203.0.113.9:5060 by udp: No route to host", unroute=True),
    Row("out: no trunk", lambda bench: None, "no telephone network is connected", "no telephone network is connected"),
    Row("out: trunk switched off", at("127.0.0.1", enabled="no"), "no telephone network is connected",
        "no telephone network is connected"),
]


def test_ways(bench):
    bench.gateway(sip=bench.certificate())
    phone, bench.silent = bench.webrtc(), bench.keep(Refuser())
    bench.silent.status = None
    server = process.start(["openssl", "s_server", "-accept", "127.0.0.1:5071", "-cert", bench.folder / "tls.pem", "-quiet"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: accepts(5071), 10, "a TLS server")

    def one(row):
        row.plant(bench)
        if row.more.get("unroute"):
            run("ip", "route", "add", "unreachable", "203.0.113.0/24")
        phone.forget()
        began = time.monotonic()
        phone.call(NUMBER)
        ended = phone.wait("ended", 30, by="peer")
        seconds = time.monotonic() - began
        record = bench.tandem.last_record()
        chat = phone.wait("chat")["body"]
        bench.tandem.ctl("trunk", "del", "way", want=None)
        check(record["ended-by"] == "gateway", f"ended by the {record['ended-by']}, and nobody was reached")
        check(chat == ended["text"], f"the chat says {chat!r}, the session {ended['text']!r}")
        return chat, record["text"], seconds
    try:
        play("ways", WAYS, one)
    finally:
        process.stop(server)


# --- one direction of the audio, in a call that is up ---

AUDIO = ["-p", "udp", "-m", "length", "--length", "190:240"]  # SRTP of 20 ms of PCMU; checks and reports are shorter


def client_lost(stage):
    stage.home.router.run("iptables", "-w", "-I", "FORWARD", "-o", "wan", *AUDIO, "-j", "DROP")


def to_client_lost(stage):
    stage.bench.deaf = True
    stage.home.router.run("iptables", "-w", "-I", "FORWARD", "-i", "wan", *AUDIO, "-j", "DROP")


def carrier_lost(stage):
    run("iptables", "-w", "-I", "INPUT", "-p", "udp", "--sport", str(stage.leg.line.port), "-j", "DROP")


def carrier_vanishes(stage):
    stage.leg.line.close()


def carrier_stops(stage):
    stage.leg.line.silent = True


def says_nothing(stage):
    """It has been silent since it was there: Stage.call() sees to that."""


def another_codec(stage):
    """Payload type 96, which nobody has named."""
    line = stage.leg.line
    line.silent = True

    def send():
        for n in range(600):
            with contextlib.suppress(OSError):
                line._socket.sendto(struct.pack("!BBHII", 0x80, 96, n, n * 160, 7) + bytes(160), line.remote)
            time.sleep(0.02)
    threading.Thread(target=send, daemon=True).start()


def dead(stage):
    client_lost(stage)
    stage.leg.line.silent = True


def both(name, plant, person, operator, **more):
    return [Row(f"{way}: {name}", (plant, way), person, operator.format("caller" if (way == "out") == more.get("client", False) else "callee"),
                **more) for way in ("out", "in")]


LINES = [
    *both("the client's audio is lost", client_lost, "You are not heard: ", "The {} is not heard: ", client=True, short=True),
    *both("audio to the client is lost", to_client_lost, "You do not hear the other side: nothing that the gateway sends arrives at your phone",
          "The {} hears nothing: by its reports nothing arrives at the client of alice@localhost", client=True),
    *both("the carrier's audio is lost", carrier_lost, "You can be heard, but nothing comes from the other end any more",
          "The {} is not heard: neither audio nor reports come from the trunk carrier", short=True),
    *both("the telephone vanishes", carrier_vanishes, "You can be heard, but nothing comes from the other end any more: it may be gone",
          "The {} is not heard: neither audio nor reports come from the trunk carrier"),
    *both("the telephone sends no more", carrier_stops, "You can be heard, but nothing comes from the other end any more",
          "The {} is not heard: "),
    *both("the telephone never sends", says_nothing, "You can be heard, but nothing has come from the other end so far",
          "The {} is not heard: not one packet of audio has come from the trunk carrier", silent=True),
    *both("the telephone sends another codec", another_codec, "You can be heard, but what comes from the other end is of another codec",
          "The {} is not heard: the trunk carrier sends a codec that was not agreed"),
    *both("no audio either way", dead, "No audio passes in this call any more, in either direction", "No audio passes in either direction",
          dead=True),
]


class Stage:
    """A client behind a router, and a carrier."""

    def __init__(self, bench, **settings):
        bench.prosody(interfaces=("127.0.0.1", ADDRESS))
        # a line that lost much would be given Opus in the next call, whose packets AUDIO does not match
        settings.setdefault("media", {})["transcode"] = "needed"
        bench.gateway(**settings)
        self.bench, self.home, self.carrier = bench, Home(bench), bench.carrier()
        with self.home.inner.inside():
            self.phone = bench.webrtc(options=["--server", ADDRESS])
        self.leg = None

    def call(self, way, silent=False):
        if way == "out":
            self.phone.call(NUMBER)
            self.leg = self.carrier.wait_call()
            self.leg.line.silent = silent
            self.leg.answer()
        else:
            self.leg = self.carrier.call(ALICE, SIP)
            self.leg.line.silent = silent
            self.phone.wait("incoming")
            self.phone.answer()
            self.leg.wait_answer()
        self.phone.wait("up", 10)

    def mend(self):
        self.home.router.run("iptables", "-w", "-D", "FORWARD", "1")

    def live(self):
        """What `calls` says of the call."""
        return next((c["text"] for c in self.bench.tandem.calls() if c["state"] != "ENDED"), "")


def test_lines(bench):
    stage = Stage(bench)

    def one(row):
        plant, way = row.plant
        stage.phone.forget()
        stage.call(way, row.more.get("silent", False))
        if not row.more.get("silent"):
            stage.bench.talk(2)
        before = stage.home.router.run("iptables", "-w", "-S", "FORWARD").count("\n")
        began = time.monotonic()
        plant(stage)
        chat = stage.phone.wait("chat", 20)["body"]
        if row.more.get("dead") and "either direction" not in chat:
            chat = stage.phone.wait("chat", 20)["body"]
        seconds = time.monotonic() - began
        live = stage.live()
        if stage.home.router.run("iptables", "-w", "-S", "FORWARD").count("\n") > before:
            stage.mend()
        run("iptables", "-w", "-F", "INPUT")
        check(live.startswith(("one-way: ", "dead: ")), f"calls says {live!r}")
        stage.phone.hangup()
        stage.leg.wait_end()
        ladder = stage.bench.tandem.ladder(stage.bench.tandem.last_record()["id"])
        check("heard" in ladder or "No audio passes" in ladder or "hears" in ladder, f"the ladder does not say it\n{ladder}")
        return chat, live, seconds
    play("lines", LINES, one)


# --- a connection for audio that does not come about ---

def blocks_udp(stage):
    stage.home.router.run("iptables", "-w", "-I", "FORWARD", "-p", "udp", "-j", "DROP")


def lets_nothing_in(stage):
    """Requests of the client get out, and no answer of its does."""
    stage.home.router.run("iptables", "-w", "-I", "FORWARD", "-o", "wan", "-p", "udp", "-m", "u32", "--u32",
                          "0>>22&0x3C@8>>16=0x0101", "-j", "DROP")


def drops_dtls(stage):
    """The first byte of DTLS is 20 to 63 (RFC 7983)."""
    stage.home.router.run("iptables", "-w", "-I", "FORWARD", "-p", "udp", "-m", "u32", "--u32",
                          "0>>22&0x3C@8>>24=20:63", "-j", "DROP")


CONNECTIONS = [Row(f"{way}: {name}", (plant, way), person, operator, short=name == "UDP is blocked" and way == "out")
               for name, plant, person, operator in (
    ("UDP is blocked", blocks_udp, "the network of your phone seems to block calls (UDP)",
     "The client of alice@localhost never answered a connectivity check and sent none"),
    ("the client's answers are lost", lets_nothing_in, "the network of your phone lets nothing in",
     "The connectivity checks of the client of alice@localhost arrive, and those of the gateway are not answered"),
    ("DTLS is lost", drops_dtls, "no packet of the handshake for encrypted audio came from it",
     "and no DTLS comes from it"),
) for way in ("out", "in")]


def test_connections(bench):
    stage = Stage(bench, media={"ice_timeout": 6})

    def one(row):
        plant, way = row.plant
        stage.phone.forget()
        plant(stage)
        began = time.monotonic()
        if way == "out":
            stage.phone.call(NUMBER)
            leg = stage.carrier.wait_call()
            leg.answer()
        else:
            leg = stage.carrier.call(ALICE, SIP)
            stage.phone.wait("incoming")
            stage.phone.answer()
        chat = stage.phone.wait("chat", 30)["body"]
        seconds = time.monotonic() - began
        stage.mend()
        record = stage.bench.tandem.last_record()
        bye = leg.wait("BYE", 15).header("Reason") if way == "out" else leg.wait(500).header("Reason")
        return chat, record["text"], seconds, bye
    play("connections", CONNECTIONS, one)


# --- a client that does not take it ---

CALLED = [
    Row("in: the client is busy", "busy", None, "The line is busy"),
    Row("in: the client declines", "decline", None, "The call was declined", short=True),
    Row("in: a codec in common is missing", "failed-application", "no codec in common", "The two sides have no codec in common"),
    Row("in: the client says security-error", "security-error", "The encryption or identity of the call was refused",
        "The encryption or identity of the call was refused"),
    Row("in: the client says general-error", "general-error", "The far network failed", "The far network failed"),
    *[Row(f"in: the client says {reason}", reason, "The two sides have no codec in common", "The two sides have no codec in common")
      for reason in ("incompatible-parameters", "media-error", "unsupported-applications", "unsupported-transports")],
    *[Row(f"in: the client says {reason}", reason, "No audio connection could be made", "No audio connection could be made")
      for reason in ("connectivity-error", "failed-transport")],
    Row("in: the client says expired", "expired", "Missed call from +15559990001 on ", "Nobody answered"),
    Row("in: the client says timeout", "timeout", "Missed call from +15559990001 on ", "Nobody answered"),
    Row("in: the client says success", "success", None, "The call was declined"),
    Row("in: the client says gone", "gone", "Missed call from +15559990001 on ", "cannot be reached now"),
]


def test_called(bench):
    """Each row is somebody else's turn: a person is told of ten calls a minute, and no more."""
    bench.gateway()
    carrier, people = bench.carrier(), [(bench.webrtc(), ALICE), (bench.webrtc("bob"), BOB)]

    def one(row):
        phone, number = people[0]
        people.reverse()
        phone.forget()
        leg = carrier.call(number, SIP)
        phone.wait("incoming")
        leg.wait(180)
        began = time.monotonic()
        phone.reject(row.plant)
        record = bench.tandem.last_record()
        chat = None
        if row.person is not None:
            chat = phone.wait("chat")["body"]
        return chat, record["text"], time.monotonic() - began
    play("called", CALLED, one)


# --- what the gateway itself does not let pass ---

def dials(number, **settings):
    return number, settings


RULES = [
    Row("out: a number without a country", dials("01714445566"), "write the number with + and its country code",
        "write the number with + and its country code", short=True),
    Row("out: no number", dials("hello"), "not a telephone number", "not a telephone number"),
    Row("out: emergency calls are refused", dials("112", country="DE"), "this gateway makes no emergency calls",
        "this gateway makes no emergency calls"),
    Row("out: a rule refuses it", dials("+14155550188"), "calls to such numbers are not allowed here",
        "calls to such numbers are not allowed here"),
    Row("out: the account has no number", dials("+14155550199", who="carol"), "your account has no number to call from",
        "your account has no number to call from"),
    Row("out: as many calls as allowed", dials("+14155550199", limit=True), "your account has as many calls as allowed",
        "your account has as many calls as allowed", short=True),
    Row("in: as many calls as allowed", dials(ALICE, limit=True, called=True), "your account has as many calls as allowed",
        "the person called has as many calls as allowed"),
]


def test_rules(bench):
    bench.gateway()
    carrier, phones = bench.carrier(), {"alice": bench.webrtc(), "carol": bench.webrtc("carol")}
    bench.tandem.ctl("number", "del", "+14155550103")
    bench.tandem.ctl("route", "add", "+14155550188", "refuse")

    def one(row):
        number, settings = row.plant
        phone, talking = phones[settings.get("who", "alice")], None
        phone.forget()
        if "country" in settings:
            bench.tandem.ctl("user", "set", "alice@localhost", f"country={settings['country']}")
        if settings.get("limit"):
            bench.tandem.ctl("user", "set", "alice@localhost", "max-calls=1")
            phone.call(NUMBER)
            talking = carrier.wait_call()
            talking.answer()
            phone.wait("up", 10)
        began = time.monotonic()
        if settings.get("called"):
            carrier.call(number, SIP).wait(486)
        else:
            phone.call(f"{number}@{GATEWAY}")
        chat = phone.wait("chat")["body"]
        seconds = time.monotonic() - began
        record = next(c for c in bench.tandem.calls() if c["state"] == "ENDED")
        if talking:
            talking.hangup()
            bench.tandem.ctl("user", "set", "alice@localhost", "max-calls=")
        bench.tandem.ctl("user", "set", "alice@localhost", "country=")
        return chat, record["text"], seconds
    play("rules", RULES, one)


SCENES = {"rules": RULES, "refused": [*REFUSED, UNAUTHORIZED], "ways": WAYS, "lines": LINES,
          "connections": CONNECTIONS, "called": CALLED}
