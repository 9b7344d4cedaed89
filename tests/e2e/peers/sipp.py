# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier: SIPp speaks SIP, rtp.Line speaks RTP.

SIPp runs a scenario and cannot be told what to do meanwhile.  Ours waits for
cues: a request with a method of our own (RING, ANSWER …) and the headers of the
INVITE, sent to SIPp's port, takes the branch of the scenario of that name.  So a
test says when the carrier rings, answers, refuses and hangs up.
"""
import re
import socket
import subprocess
import threading
import time

from . import process
from .process import Failed
from .rtp import Line

REFUSALS = {
    403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable",
    484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}
# What a call in may be refused with
FINAL = [400, 401, 403, 404, 406, 407, 408, 410, 415, 420, 480, 481, 482, 483, 484, 486, 487, 488, 491,
         500, 501, 502, 503, 504, 580, 600, 603, 604, 606]

CODEC_NAMES = {0: "PCMU/8000", 8: "PCMA/8000"}


EVENTS = 101  # among the codecs: telephone-event, which is in by default


def _sdp(port, codecs, direction="sendrecv", address="[local_ip]"):
    lines = {**{c: f"a=rtpmap:{c} {name}\n" for c, name in CODEC_NAMES.items()},
             EVENTS: "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"}
    maps = "".join(lines[c] for c in codecs)
    types = " ".join(str(c) for c in codecs)
    return (f"v=0\no=carrier 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 {address}\nt=0 0\n"
            f"m=audio {port} RTP/AVP {types}\n{maps}a=ptime:20\na={direction}\n")


def _timer(session, asks):
    """The lines of a session timer in a request of ours, or in an answer.  `session`:
    None or (seconds, who refreshes: "gateway" or "carrier")."""
    if not session:
        return []
    refresher = "uac" if asks == (session[1] == "carrier") else "uas"
    return ["Supported: timer", *([] if asks else ["Require: timer"]),
            f"Session-Expires: {session[0]};refresher={refresher}"]


class _Scenario:
    """Collects the steps of a SIPp scenario."""

    def __init__(self):
        self.steps = []

    def send(self, lines, body="", **attributes):
        words = "".join(f' {k}="{v}"' for k, v in attributes.items())
        content = ["Content-Type: application/sdp"] if body and not any("Content-Type" in line for line in lines) else []
        text = "\n".join([*lines, *content, "Content-Length: [len]", "", body])
        self.steps.append(f"<send{words}><![CDATA[\n{text}\n]]></send>")

    def request(self, method, action="", **attributes):
        words = "".join(f' {k}="{v}"' for k, v in attributes.items())
        inner = f"<action>{action}</action>" if action else ""
        self.steps.append(f'<recv request="{method}"{words}>{inner}</recv>')

    def response(self, status, action="", **attributes):
        words = "".join(f' {k}="{v}"' for k, v in attributes.items())
        inner = f"<action>{action}</action>" if action else ""
        self.steps.append(f'<recv response="{status}"{words}>{inner}</recv>')

    def assign(self, **values):
        inner = "".join(f'<assignstr assign_to="{k}" value="{v}"/>' for k, v in values.items())
        self.steps.append(f"<nop><action>{inner}</action></nop>")

    def changes(self, port, codecs, request, ack, info, session=None):
        """What both scenarios do in a call beside ending it: answer a change as a
        telephone would and begin one (cue CHANGE), take keys and send them (cue PRESS).
        `request`, `ack` and `info` are the lines of requests of ours, without CSeq."""
        answers = ("sendonly", "recvonly"), ("inactive", "inactive")
        self.label("change")
        for asked, _ in answers:
            self.steps.append(f'<nop next="change-{asked}" test="is-{asked}"><action>'
                              f'<strcmp assign_to="differs-{asked}" variable="asked" value="a={asked}"/>'
                              f'<test assign_to="is-{asked}" variable="differs-{asked}" compare="equal" value="0"/>'
                              '</action></nop>')
        ok = ["SIP/2.0 200 OK", *LAST, CONTACT, *_timer(session, False)]
        self.send(ok, _sdp(port, codecs, "[$direction]"), retrans="500", next="changed")
        for asked, answer in answers:
            self.label(f"change-{asked}")
            self.send(ok, _sdp(port, codecs, answer), retrans="500", next="changed")
        self.label("changed")
        self.request("ACK", next="talking")
        self.label("own")
        self.send([*request, "CSeq: [$seq] INVITE", CONTACT, *_timer(session, True)],
                  _sdp(port, codecs, "[$direction]", "[$address]"), retrans="500")
        for status in (100, 180):
            self.response(status, optional="true")
        for status in (488, 491, 500):
            self.response(status, optional="true", next="own-refused")
        self.response(200)
        self.send([*ack, "CSeq: [$seq] ACK", CONTACT], next="talking")
        self.label("info")
        self.send(["SIP/2.0 200 OK", *LAST], next="talking")
        self.label("press")
        self.send([*info, "CSeq: [$seq] INFO", "Content-Type:[$type]"], "Signal=[$key]\nDuration=160\n", retrans="500")
        self.response(200, next="talking")
        self.label("own-refused")
        self.send([*ack[:1], "[last_Via:]", *ack[2:], "CSeq: [$seq] ACK"], next="talking")

    def talk(self):
        """While talking: what may come, and the cues."""
        def find(pattern, name, where='search_in="msg"'):
            return f'<ereg regexp="{pattern}" {where} assign_to="{name}"/>'
        self.label("talking")
        self.request("BYE", optional="true", next="theirs")
        self.request("INVITE", find("a=(sendrecv|sendonly|recvonly|inactive)", "asked"),
                     optional="true", next="change")
        self.request("CHANGE", "".join(find(p, n, f'search_in="hdr" header="X-{n.title()}:"') for p, n in
                                       (("[0-9]+", "seq"), ("[a-z]+", "direction"), ("[0-9.]+", "address"))),
                     optional="true", next="own")
        self.request("INFO", optional="true", next="info")
        self.request("PRESS", f'<ereg regexp=".*" search_in="hdr" header="X-Type:" assign_to="type"/>'
                     + find("[0-9]+", "seq", 'search_in="hdr" header="X-Seq:"')
                     + find("[^ ]+", "key", 'search_in="hdr" header="X-Key:"'), optional="true", next="press")
        self.request("HANGUP", next="ours")

    def label(self, name):
        self.steps.append(f'<label id="{name}"/>')

    def go(self, name):
        self.steps.append(f'<nop next="{name}"/>')

    def text(self):
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
                '<scenario name="tandem">\n' + "\n".join(self.steps) + "\n</scenario>\n")


VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
CONTACT = "Contact: <sip:carrier@[local_ip]:[local_port];transport=[transport]>"
LAST = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"]
LAST_TAGGED = ["[last_Via:]", "[last_From:]", "[last_To:];tag=c[call_number]", "[last_Call-ID:]", "[last_CSeq:]"]


def _answering_scenario(codecs, session=None):
    """A callee that waits for RING, EARLY, ANSWER or REFUSE-nnn, then for HANGUP."""
    s = _Scenario()
    keep = ('<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>'
            '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>'
            '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>')
    port = '<ereg regexp="[0-9]+" search_in="hdr" header="X-RTP:" assign_to="port"/>'
    s.request("INVITE", keep, rrs="true")
    s.assign(direction="sendrecv")
    s.send(["SIP/2.0 100 Trying", *LAST])
    s.label("waiting")
    s.request("CANCEL", optional="true", next="cancelled")
    s.request("RING", optional="true", next="ring")
    s.request("EARLY", port, optional="true", next="early")
    for status in REFUSALS:
        s.request(f"REFUSE-{status}", optional="true", next=f"refuse{status}")
    s.request("ANSWER", port, next="answer")
    s.label("ring")
    s.send(["SIP/2.0 180 Ringing", *LAST_TAGGED, CONTACT], next="waiting")
    s.label("early")
    s.send(["SIP/2.0 183 Session Progress", *LAST_TAGGED, CONTACT], _sdp("[$port]", codecs), next="waiting")
    s.label("answer")
    s.send(["SIP/2.0 200 OK", *LAST_TAGGED, CONTACT, *_timer(session, False)], _sdp("[$port]", codecs), retrans="500")
    s.request("ACK", rrs="true")
    s.talk()
    s.label("theirs")
    s.send(["SIP/2.0 200 OK", *LAST], next="end")
    dialog = [VIA, "From:[$to];tag=c[call_number]", "To:[$from]", "Call-ID: [call_id]", "Max-Forwards: 70"]
    s.changes("[$port]", codecs, *([f"{m} [next_url] SIP/2.0", *dialog] for m in ("INVITE", "ACK", "INFO")), session)
    s.label("ours")
    s.send(["BYE [next_url] SIP/2.0", *dialog, "CSeq: 1000 BYE", "Reason: Q.850;cause=16"], retrans="500")
    s.response(200, next="end")
    for status, phrase in REFUSALS.items():
        s.label(f"refuse{status}")
        s.send([f"SIP/2.0 {status} {phrase}", *LAST_TAGGED], retrans="500")
        s.request("ACK", next="end")
    s.label("cancelled")
    s.send(["SIP/2.0 200 OK", *LAST_TAGGED])
    s.send(["SIP/2.0 487 Request Terminated", *LAST_TAGGED[:4], "CSeq:[$cseq]"], retrans="500")
    s.request("ACK")
    s.label("end")
    return s.text()


def _calling_scenario(caller, number, gateway, port, codecs, session=None):
    """A caller that waits for what comes, and for CANCEL-NOW or HANGUP."""
    s = _Scenario()
    uri = f"sip:{number}@{gateway}"
    from_ = f"From: <sip:{caller}@carrier.example>;tag=f[pid]x[call_number]"
    dialog = ["Call-ID: [call_id]", CONTACT, "Max-Forwards: 70"]
    s.send([f"INVITE {uri} SIP/2.0", VIA, from_, f"To: <{uri}>", "CSeq: 1 INVITE", *dialog,
            *(["Supported: timer"] if session else [])], _sdp(port, codecs), retrans="500")
    s.label("waiting")
    for status in (100, 180, 183):
        s.response(status, optional="true", next="waiting")
    for status in FINAL:
        s.response(status, optional="true", next="refused")
    s.request("CANCEL-NOW", optional="true", next="cancel")
    s.response(200, '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="remote"/>', rrs="true")
    s.send([f"ACK [next_url] SIP/2.0", VIA, "[routes]", from_, f"To: <{uri}>[peer_tag_param]", "CSeq: 1 ACK", *dialog])
    s.assign(direction="sendrecv")
    s.talk()
    s.label("theirs")
    s.send(["SIP/2.0 200 OK", *LAST], next="end")
    inside = [VIA, "[routes]", from_, "To:[$remote]", "Call-ID: [call_id]", "Max-Forwards: 70"]
    s.changes(port, codecs, *([f"{m} [next_url] SIP/2.0", *inside] for m in ("INVITE", "ACK", "INFO")), session)
    s.label("ours")
    s.send(["BYE [next_url] SIP/2.0", *inside, "CSeq: 1000 BYE"], retrans="500")
    s.response(200, next="end")
    s.label("cancel")
    s.send([f"CANCEL {uri} SIP/2.0", "[last_Via:]", from_, f"To: <{uri}>", "CSeq: 1 CANCEL", "Call-ID: [call_id]",
            "Max-Forwards: 70"], retrans="500")
    s.response(200)
    s.response(487)
    s.label("refused")
    s.send([f"ACK {uri} SIP/2.0", "[last_Via:]", from_, "[last_To:]", "CSeq: 1 ACK", "Call-ID: [call_id]",
            "Max-Forwards: 70"])
    s.label("end")
    return s.text()


class Message:
    """One SIP message of SIPp's log."""

    def __init__(self, at, received, text):
        self.at, self.received, self.text = at, received, text
        self.first_line = text.split("\n", 1)[0].strip()
        self.call_id = self.header("Call-ID")

    def header(self, name):
        found = re.search(rf"^{name}: *(.*?)\r?$", self.text, re.M | re.I)
        return found[1] if found else None

    @property
    def status(self):
        found = re.match(r"SIP/2.0 (\d+)", self.first_line)
        return int(found[1]) if found else None

    @property
    def method(self):
        """Of a request: its own; of a response: what it answers."""
        return (self.header("CSeq") or " ?").split()[1] if self.status else self.first_line.split(" ")[0]


def _is_whole(text):
    """The last message of a log that may still be being written."""
    length = re.search(r"^Content-Length: *(\d+)", text, re.M | re.I)
    head, blank, body = text.partition("\n\n")
    # the log has lost the CRs that Content-Length counts
    return bool(length and blank and len(body) + body.count("\n") >= int(length[1]))


class _Sipp:
    """A running SIPp and its message log."""

    def __init__(self, folder, name, scenario, arguments, address="127.0.0.1", port=0):
        self.name, self.address = name, address
        self.port = port or process.free_port(address)
        self._log = folder / f"{name}.messages"
        self._errors = folder / f"{name}.errors"
        self._offset, self._messages, self._reading = 0, [], threading.Lock()
        file = folder / f"{name}.scenario.xml"
        file.write_text(scenario)
        self._output = open(folder / f"{name}.out", "wb")
        self.process = process.start(
            ["sipp", "-sf", file, "-i", address, "-p", self.port, "-nostdin", "-trace_msg", "-message_file", self._log,
             "-trace_err", "-error_file", self._errors, "-recv_timeout", 300000, "-nd", *arguments],
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, cwd=folder)
        try:
            process.until(lambda: process.udp_port_open(self.port) or self.process.poll() is not None, 20,
                          f"SIPp on port {self.port}")
        except Failed:
            process.stop(self.process)
            raise
        if self.process.poll() not in (None, 0):
            raise Failed(f"SIPp did not start: {(folder / f'{name}.out').read_text(errors='replace')[-500:]}")

    def messages(self):
        """Every message so far that has been written whole."""
        with self._reading:
            return self._read()

    def _read(self):
        # only what is new: many wait at once, and the voices want the processor
        try:
            with open(self._log, "rb") as log:
                log.seek(self._offset)
                text = log.read().decode("latin-1")
        except FileNotFoundError:
            return self._messages
        done = 0
        heads = list(re.finditer(r"^-{20,} (\d{4}-\d\d-\d\d)[ T\t](\d\d:\d\d:\d\d)\.(\d+).*\n", text, re.M))
        for i, head in enumerate(heads):
            end = heads[i + 1].start() if i + 1 < len(heads) else len(text)
            title, _, body = text[head.end():end].partition("\n")
            body = body.lstrip("\r\n").replace("\r\n", "\n")
            if end == len(text) and not _is_whole(body):
                break
            at = time.mktime(time.strptime(f"{head[1]} {head[2]}", "%Y-%m-%d %H:%M:%S")) + float(f"0.{head[3]}")
            self._messages.append(Message(at, "received" in title, body))
            done = end
        self._offset += done
        return self._messages

    def wait_message(self, what, matches, seconds):
        def find():
            return next((m for m in self.messages() if matches(m)), None)
        try:
            return process.until(find, seconds, f"{what} at {self.name}")
        except Failed as failure:
            if type(failure) is not Failed:
                raise  # not our waiting has failed, but what a signal told
            seen = ", ".join(("< " if m.received else "> ") + m.first_line for m in self.messages()[-6:])
            raise Failed(f"{failure}; it saw {seen or 'nothing'}") from None

    def cue(self, name, invite, rtp_port=None, **more):
        """Takes the branch `name` of the scenario in the call of that INVITE."""
        head = invite.text.partition("\n\n")[0].split("\n")[1:]
        head = [line for line in head if not re.match(r"Content-|Record-Route", line, re.I)]
        extra = [f"X-RTP: {rtp_port}"] if rtp_port else []
        extra += [f"X-{key.title()}: {value}" for key, value in more.items()]
        text = "\r\n".join([f"{name} sip:cue@{self.address} SIP/2.0", *head, *extra, "Content-Length: 0", "", ""])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(text.encode(), (self.address, self.port))

    def stop(self):
        process.stop(self.process)
        self._output.close()


class _Leg:
    """One call as the carrier has it."""

    def __init__(self, sipp, invite, line):
        self.sipp, self.invite, self.line, self.seq = sipp, invite, line, 1
        self.title = sipp.name  # as it is told to a person
        self.plays = line.plays
        self.changes = []

    def wait(self, what, seconds=15):
        """A message from the gateway in this call: "BYE", "CANCEL", "ACK", 180, 486, 200 …"""
        def matches(m):
            if not m.received or m.call_id != self.invite.call_id:
                return False
            return m.status == what and m.method == "INVITE" if isinstance(what, int) else not m.status and m.method == what
        return self.sipp.wait_message(what, matches, seconds)

    def sent(self, what, seconds=15):
        """A message of our own in this call, by status (of the INVITE) or method."""
        def matches(m):
            if m.received or m.call_id != self.invite.call_id:
                return False
            return m.status == what and m.method == "INVITE" if isinstance(what, int) else not m.status and m.method == what
        return self.sipp.wait_message(f"own {what}", matches, seconds)

    def hangup(self):
        self.sipp.cue("HANGUP", self.invite)
        self.sent("BYE")
        self.line.close()

    def change(self, direction, address="127.0.0.1", seconds=15):
        """A re-INVITE of ours: "sendonly" holds, "sendrecv" resumes; the SDP that answers it."""
        self.seq += 1
        self.sipp.cue("CHANGE", self.invite, seq=self.seq, direction=direction, address=address)

        def answers(m):
            return (m.received and m.call_id == self.invite.call_id and m.status and m.status >= 200 and
                    m.header("CSeq") == f"{self.seq} INVITE")
        return self.sipp.wait_message(f"the answer to {direction}", answers, seconds)

    def press(self, key, kind="application/dtmf-relay"):
        """A key as SIP INFO."""
        self.seq += 1
        self.sipp.cue("PRESS", self.invite, seq=self.seq, key=key, type=kind)

        def answers(m):
            return m.received and m.call_id == self.invite.call_id and m.status and m.header("CSeq") == f"{self.seq} INFO"
        return self.sipp.wait_message(f"the answer to key {key}", answers, 15)

    def infos(self):
        """The keys that came as SIP INFO."""
        bodies = [m.text.partition("\n\n")[2] for m in self.sipp.messages() if m.received and m.call_id == self.invite.call_id
                  and not m.status and m.method == "INFO"]
        return "".join(re.match(r"Signal=(.)", body)[1] for body in bodies)

    def wait_change(self, direction, seconds=15):
        """A re-INVITE of the gateway with that direction, each given out once."""
        def matches(m):
            return (m.received and m.call_id == self.invite.call_id and m.method == "INVITE" and not m.status and
                    m is not self.invite and m not in self.changes and f"a={direction}" in m.text)
        found = self.sipp.wait_message(f"INVITE again with {direction}", matches, seconds)
        self.changes.append(found)
        # a cue that comes before is no part of the scenario
        number = found.header("CSeq").split()[0]
        self.sipp.wait_message("the ACK of the change", lambda m: m.received and m.call_id == found.call_id and
                               m.header("CSeq") == f"{number} ACK", 10)
        return found

    def wait_end(self, seconds=15):
        """The gateway hangs up."""
        bye = self.wait("BYE", seconds)
        self.line.close()
        return bye

    # what harness.check_audio() asks of every peer
    def heard(self):
        self.line.close()
        return self.line.recording(), self.line.fed_at, self.line.lost()


class IncomingLeg(_Leg):
    """A call of the gateway to the carrier."""

    def ring(self):
        self.sipp.cue("RING", self.invite)
        return self.sent(180)

    def early(self):
        self.sipp.cue("EARLY", self.invite, self.line.port)
        self.line.start(self.invite.text)
        return self.sent(183)

    def answer(self):
        """200; media flows at once, as the ACK comes."""
        self.sipp.cue("ANSWER", self.invite, self.line.port)
        answered = self.sent(200)
        self.line.start(self.invite.text)
        return answered

    def refuse(self, status):
        self.sipp.cue(f"REFUSE-{status}", self.invite)
        self.line.close()
        return self.sent(status)


class OutgoingLeg(_Leg):
    """A call of the carrier to the gateway."""

    def wait_answer(self, seconds=15):
        answer = self.wait(200, seconds)
        self.line.start(answer.text)
        return answer

    def cancel(self):
        self.sipp.cue("CANCEL-NOW", self.invite)
        self.line.close()
        return self.sent("CANCEL")


class Carrier:
    """Takes calls on a port; places calls, each by a SIPp of its own."""

    def __init__(self, folder, name="carrier", codecs=(0, 8), address="127.0.0.1", events=True, session=None):
        self.folder, self.name, self.codecs, self.address = folder, name, (*codecs, *([EVENTS] if events else [])), address
        self.session = session  # a session timer, as of _timer()
        self._callers, self._calling = [], threading.Lock()
        self._taken = set()
        self._lines = []
        self.server = _Sipp(folder, name, _answering_scenario(self.codecs, session), [], address)
        self.port = self.server.port

    def _line(self, plays):
        line = Line(plays, self.address, self.codecs)
        self._lines.append(line)
        return line

    def wait_call(self, plays="B", seconds=20, number=""):
        """The next call of the gateway, to that number."""
        def matches(m):
            return (m.received and m.method == "INVITE" and not m.status and m.call_id not in self._taken
                    and m.first_line.startswith(f"INVITE sip:{number}"))
        invite = self.server.wait_message("INVITE", matches, seconds)
        self._taken.add(invite.call_id)
        # a cue that comes before is no part of the scenario yet
        self.server.wait_message("own 100", lambda m: not m.received and m.status == 100 and m.call_id == invite.call_id, 10)
        return IncomingLeg(self.server, invite, self._line(plays))

    def call(self, number, gateway, plays="A", caller="+15559990001"):
        line = self._line(plays)
        with self._calling:  # each has a name and a port of its own
            sipp = _Sipp(self.folder, f"{self.name}-out{len(self._callers) + 1}",
                         _calling_scenario(caller, number, gateway, line.port, self.codecs, self.session),
                         ["-m", 1, gateway], self.address)
            self._callers.append(sipp)
        invite = sipp.wait_message("own INVITE", lambda m: m.method == "INVITE" and not m.status, 10)
        return OutgoingLeg(sipp, invite, line)

    def stop(self):
        for line in self._lines:
            line.close()
        for sipp in [*self._callers, self.server]:
            sipp.stop()


def _echo_scenario(number, gateway, port, hold):
    """One short call that hangs up by itself."""
    s = _Scenario()
    uri = f"sip:{number}@{gateway}"
    from_ = "From: <sip:+15559990001@carrier.example>;tag=l[pid]x[call_number]"
    s.send([f"INVITE {uri} SIP/2.0", VIA, from_, f"To: <{uri}>", "CSeq: 1 INVITE", "Call-ID: [call_id]", CONTACT,
            "Max-Forwards: 70"], _sdp(port, (0, 8, EVENTS)), retrans="500")
    for status in (100, 180, 183):
        s.response(status, optional="true")
    s.response(200, rrs="true")
    dialog = [VIA, "[routes]", from_, f"To: <{uri}>[peer_tag_param]", "Call-ID: [call_id]", "Max-Forwards: 70"]
    s.send(["ACK [next_url] SIP/2.0", *dialog, "CSeq: 1 ACK", CONTACT])
    s.steps.append(f'<pause milliseconds="{hold}"/>')
    s.send(["BYE [next_url] SIP/2.0", *dialog, "CSeq: 2 BYE"], retrans="500")
    s.response(200)
    return s.text()


class EchoLoad(threading.Thread):
    """echo_load() beside the test; finish() waits for its end and says whether all calls stood."""

    def __init__(self, *arguments, **more):
        super().__init__()
        self._arguments, self._more, self._failure = arguments, more, None

    def run(self):
        try:
            echo_load(*self._arguments, **self._more)
        except Failed as failure:
            self._failure = failure

    def finish(self):
        self.join()
        if self._failure:
            raise Failed(f"calls were lost: {self._failure}")


def echo_load(folder, count, rate, gateway="127.0.0.1:5060", number="echo", seconds=120, hold=500):
    """So many calls to the echo test, one after the other is begun at that rate, of `hold` ms each; all must succeed."""
    line = Line(None)
    try:
        sipp = _Sipp(folder, "load", _echo_scenario(number, gateway, line.port, hold),
                     ["-m", count, "-r", rate, "-l", count, gateway])
        try:
            process.until(lambda: sipp.process.poll() is not None, seconds, f"{count} calls")
        finally:
            sipp.stop()
        if sipp.process.returncode != 0:
            raise Failed(f"of {count} calls some failed: {(folder / 'load.out').read_text(errors='replace')[-1500:]}")
    finally:
        line.close()
