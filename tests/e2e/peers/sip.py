# SPDX-License-Identifier: AGPL-3.0-or-later
"""A SIP user agent that does as it is told: by UDP and TCP, IPv4 and IPv6, both sides
of a call, with the media of rtp.Line.

An Agent keeps all that it has heard and said.  It is strict: what a proxy or another
agent would not have taken is a fault of the call, and is not answered.  What a carrier
does beside is in carrier.py, a user's telephone in softphone.py.
"""
import contextlib
import random
import re
import threading
import time

from .process import Failed
from .coder import AMR, known
from .rtp import Line, parse_sdp
from .sipwire import (Endpoint, Hop, Message, bracketed, credentials, host_of, parameter, token, uri_of, user_of)

PHRASES = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           407: "Proxy Authentication Required", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
           486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 503: "Service Unavailable",
           603: "Decline"}
CODECS = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 13: "CN/8000", 18: "G729/8000",
          98: "opus/48000/2", **dict(enumerate(AMR, 112))}  # these with numbers of our own
ANSWERS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
PATIENCE = 32  # 64 times T1: RFC 3261 17.1.1.2, 13.3.1.4
T1, T2 = 0.5, 4.0


def direction_of(sdp):
    found = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\r?$", sdp or "", re.M)
    return found[1] if found else "sendrecv"


def event_number(sdp):
    """The payload type of telephone-event beside G.711, or None."""
    found = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", sdp or "", re.M)
    return int(found[1]) if found else None


class Call:
    """One dialog, from its INVITE on, and its media."""

    def __init__(self, agent, invite, plays, outgoing):
        self.agent, self.invite, self.outgoing = agent, invite, outgoing
        self.plays, self.title = plays, agent.name
        self.call_id, self.number, self.theirs = invite.call_id, invite.number if outgoing else random.randint(1, 500), 0
        self.tag, self.faults, self.keys_by_info = token(), [], ""
        self.lane = None  # whose it is, for who runs several calls at once
        self.routes, self.target, self.remote, self.local = [], None, None, None
        self.offered = self.answered = self.over = None  # the last SDP of theirs; the 200; what has ended it
        self.progressed = self.routed = False
        self.version, self.session = 1, random.getrandbits(30)
        self.line = agent.new_line(plays)
        self._taken, self._ringing = set(), 0
        if outgoing:
            self.local, self.remote = invite.header("From"), invite.header("To")
        else:
            self.theirs = invite.number
            self.remote, self.local = invite.header("From"), f"{invite.header('To')};tag={self.tag}"
            self.learn(invite)

    # what comes

    def learn(self, message):
        """Where requests of ours go from now on (RFC 3261 12.1.1, 12.1.2, 12.2.1.2)."""
        contact = message.list("Contact")
        if contact:
            self.target = uri_of(contact[0])
        if not self.routed and (not message.status or message.branch == self.invite.branch):
            self.routed = True
            routes = [uri_of(r) for r in message.list("Record-Route")]
            self.routes = self.agent.ways(self, routes[::-1] if message.status else routes)
        if message.status and parameter(message.header("To"), "tag"):
            self.remote = message.header("To")

    def hear_sdp(self, message):
        if message.sdp:
            self.offered = message.sdp
            self.line.start(message.sdp)

    def fault(self, text):
        self.faults.append(text)

    def wait(self, what, seconds=15, like=lambda m: True):
        """The next message of theirs, each given out once: a method, or the status of the INVITE."""
        def matches(m):
            if not m.received or m.call_id != self.call_id or id(m) in self._taken or not like(m):
                return False
            return m.status == what and m.method == "INVITE" if isinstance(what, int) else not m.status and m.method == what
        found = self.agent.wait(matches, seconds, f"{what} at {self.agent.name}", self)
        self._taken.add(id(found))
        return found

    def heard_any(self, what):
        return [m for m in self.agent.messages(self) if m.received and
                (m.status == what if isinstance(what, int) else not m.status and m.method == what)]

    # what it says

    def sdp(self, direction="sendrecv", offer=None, address=None):
        """Ours; an answer to `offer`, or one of our own."""
        self.version += 1
        return self.agent.make_sdp(self, direction, offer, address)

    def respond(self, request, status, body="", headers=()):
        return self.agent.respond(request, status, body, [*headers], self)

    def provisional(self, status, body="", reliable=False):
        """18x; a reliable one until its PRACK has come (RFC 3262)."""
        self.goes_on(status)
        if not reliable:
            return self.respond(self.invite, status, body)
        self._ringing += 1
        rseq = self._ringing
        sent = self.respond(self.invite, status, body, [("Require", "100rel"), ("RSeq", str(rseq))])

        def pracked():
            return any((m.header("RAck") or "").split()[:1] == [str(rseq)] for m in self.heard_any("PRACK"))
        self.agent.repeat(sent, pracked, lambda: self.fault(f"no PRACK for the {status}"))
        self.agent.until(pracked, 5, f"the PRACK of a reliable {status}", self)
        return sent

    def accept(self, body="", headers=()):
        """200, until the ACK has come; without one the call is cut, as everybody does."""
        self.goes_on(200)
        self.answered = self.respond(self.invite, 200, body, headers)
        number = self.invite.number

        def acked():
            return self.over or any(m.number == number for m in self.heard_any("ACK"))
        self.agent.repeat(self.answered, acked, lambda: self.cut("no ACK of the 200 has come"))
        return self.answered

    def goes_on(self, status):
        if self.over:
            raise Failed(f"before the {status} it was over: {self.over.first}")

    def cut(self, why):
        self.fault(why)
        if not self.over:
            self.bye()

    def refuse(self, status, headers=()):
        sent = self.over = self.respond(self.invite, status, "", headers)

        def acked():
            return any(m.number == self.invite.number for m in self.heard_any("ACK"))
        self.agent.repeat(sent, acked, lambda: self.fault(f"no ACK of the {status} has come"))
        self.agent.until(acked, 5, f"the ACK of the {status}", self)
        self.line.close()
        return sent

    def request(self, method, body="", headers=(), kind="application/sdp"):
        """A request in the dialog, which is not waited for."""
        if method not in ("ACK", "CANCEL"):
            self.number += 1
        return self.agent.request_in(self, method, self.number, body, headers, kind)

    def bye(self):
        sent = self.over = self.request("BYE")
        return sent

    def hangup(self, seconds=8):
        sent = self.bye()
        answer = self.agent.answer_to(sent, seconds, self)
        if answer.status != 200:
            raise Failed(f"our BYE was answered by {answer.first}")
        self.line.close()

    def cancel(self):
        """Of a call of ours that has not been answered."""
        self.agent.send_cancel(self)
        refused = self.wait(487)
        self.line.close()
        return refused

    def change(self, direction="sendrecv", offerless=False, method="INVITE", address=None, seconds=10):
        """A re-INVITE or UPDATE of ours, answered by 200; their SDP."""
        body = "" if offerless else self.sdp(direction, None, address)
        sent = self.request(method, body, self.agent.timer_headers(self))
        answer = self.agent.answer_to(sent, seconds, self)
        if answer.status != 200:
            if method == "INVITE":
                self.agent.acknowledge(self, sent, answer)
            raise Failed(f"our {method} was answered by {answer.first}")
        self.learn(answer)
        if method == "INVITE":
            ack = self.sdp(ANSWERS[direction_of(answer.sdp)], answer.sdp, address) if offerless else ""
            self.agent.acknowledge(self, sent, answer, ack)
        self.hear_sdp(answer)
        return answer

    def refresh(self, method):
        """A session refresh that changes nothing."""
        self.version -= 1
        body = "" if method == "UPDATE" else self.sdp()
        sent = self.request(method, body, self.agent.timer_headers(self))
        answer = self.agent.answer_to(sent, 10, self)
        if method == "INVITE":
            self.agent.acknowledge(self, sent, answer)
        return answer

    def wait_end(self, seconds=15):
        bye = self.wait("BYE", seconds)
        self.line.close()
        return bye

    def press(self, keys):
        """RFC 4733, with the number they have given it."""
        self.line.press(keys, payload_type=event_number(self.offered))

    def heard(self):
        self.line.close()
        return self.line.recording(), self.line.fed_at, self.line.lost()


class Agent:
    """A user agent at one address; `habits` as carriers/README says."""

    plays = "B"

    def __init__(self, name, folder, address, port=5060, habits=None, tcp=True):
        self.name, self.address, self.habits = name, address, habits or {}
        self.calls, self.faults, self.stopping = {}, [], False
        self._messages, self._answers, self._lines, self._given = [], {}, [], set()
        self._changed = threading.Condition(threading.RLock())
        self._transcript = open(folder / f"{name}.sip", "w", encoding="utf-8", errors="replace")
        self.codecs = tuple(self.habits.get("codecs", (0, 8)))
        self.endpoint = Endpoint(address, port, self._on_message, tcp)
        self.port = self.endpoint.port

    def forget_calls(self):
        """Those that are over, and what was said in them."""
        with self._changed:
            over = {i for i, call in self.calls.items() if call.over}
            for call_id in over:
                self.calls.pop(call_id).line.close()
            self._lines = [line for line in self._lines if not line.closed]
            self._messages = [m for m in self._messages if m.call_id not in over]

    def new_line(self, plays):
        line = Line(plays, self.habits.get("media", self.address), tuple(CODECS[c] for c in self.codecs if known(CODECS[c])))
        line.told.update((c, CODECS[c]) for c in self.codecs if known(CODECS[c]))
        line.speech, line.tape = self.habits.get("speech", {}), self.habits.get("tape")
        self._lines.append(line)
        return line

    # waiting

    def messages(self, call=None):
        with self._changed:
            return [m for m in self._messages if call is None or m.call_id == call.call_id]

    def until(self, condition, seconds, what, call=None):
        """The first true value of condition()."""
        end = time.time() + seconds
        with self._changed:
            while True:
                found = condition()
                if found:
                    return found
                left = end - time.time()
                if left <= 0:
                    seen = ", ".join(("< " if m.received else "> ") + m.first for m in self.messages(call)[-8:])
                    faults = "".join(f"; {f}" for f in (call.faults if call else self.faults))
                    raise Failed(f"waited {seconds:g} s for {what}; it saw {seen or 'nothing'}{faults}")
                self._changed.wait(min(left, 0.5))

    def wait(self, matches, seconds, what, call=None):
        return self.until(lambda: next((m for m in self._messages if matches(m)), None), seconds, what, call)

    def answer_to(self, request, seconds=10, call=None):
        """The final response to a request of ours."""
        def answers(m):
            return m.received and m.status and m.status >= 200 and m.branch == request.branch and m.method == request.method
        return self.wait(answers, seconds, f"the answer to {request.method} of {self.name}", call)

    def wait_call(self, number="", seconds=20, plays=None):
        """The next call to us, each given out once."""
        def new():
            return next((c for c in self.calls.values() if not c.outgoing and c.call_id not in self._given
                         and self.called(c.invite).endswith(number)), None)
        call = self.until(new, seconds, f"a call at {self.name}")
        self._given.add(call.call_id)
        if plays:
            call.plays = call.line.plays = plays
        return call

    @staticmethod
    def called(invite):
        return user_of(invite.uri)

    def repeat(self, message, enough, give_up):
        """Sends it again by UDP until it is enough, as nobody tells that a datagram was lost."""
        def run():
            wait, end = T1, time.time() + PATIENCE
            while time.time() < end and not self.stopping:
                with self._changed:
                    step = time.time() + wait
                    while not enough() and time.time() < step and not self.stopping:
                        self._changed.wait(0.25)
                if enough() or self.stopping:
                    return
                if message.hop.transport == "udp":
                    self.endpoint.send(bytes(message), message.hop)
                wait = min(wait * 2, T2)
            if not self.stopping:
                give_up()
        threading.Thread(target=run, daemon=True).start()

    # the wire

    def _keep(self, message, received, hop):
        message.received, message.hop, message.at = received, hop, time.time()
        with self._changed:
            self._messages.append(message)
            self._transcript.write(f"{'<' if received else '>'} {message.at:.3f} {hop.transport} {hop.address}:{hop.port}\n"
                                   f"{bytes(message).decode('utf-8', 'replace')}\n")
            self._transcript.flush()
            self._changed.notify_all()

    def send(self, message, hop):
        self._keep(message, False, hop)
        try:
            self.endpoint.send(bytes(message), hop)
        except ConnectionRefusedError as error:
            if hop.transport != "udp":
                self.faults.append(f"{message.first}: {error}")
            else:  # ICMP tells of the datagram before: this one has not been sent
                with contextlib.suppress(ConnectionRefusedError):
                    self.endpoint.send(bytes(message), hop)
        except OSError as error:  # the other side is not there
            self.faults.append(f"{message.first}: {error}")
        return message

    def _on_message(self, message, hop):
        with self._changed:
            if not self.admits(message, hop):
                return
            self._keep(message, True, hop)
            try:
                if message.status:
                    self._on_response(message)
                else:
                    self._on_request(message)
            except (Failed, LookupError, TypeError, ValueError) as error:
                self.faults.append(f"{message.first}: {error!r}")
            self._changed.notify_all()

    def admits(self, _message, _hop):
        """Whether it is let in at all."""
        return True

    # requests of theirs

    def _on_request(self, request):
        key = (request.branch, request.method)
        if request.method != "ACK" and key in self._answers:
            answer = self._answers[key]
            if answer:
                self.endpoint.send(bytes(answer), answer.hop)
            return
        call = self.calls.get(request.call_id)
        if request.method == "CANCEL":
            self._on_cancel(request, call)
        elif parameter(request.header("To"), "tag"):
            self._on_inside(request, call)
        elif request.method == "INVITE":
            self._on_invite(request)
        elif request.method != "ACK":
            self.on_other(request)

    def on_other(self, request):
        self.respond(request, 200 if request.method == "OPTIONS" else 405)

    def _on_invite(self, request):
        if not self.lets_call(request):
            return
        self._answers[request.branch, "INVITE"] = None
        call = self.calls[request.call_id] = Call(self, request, self.plays, False)
        call.offered = request.sdp
        for fault in self.lint(request):
            call.fault(fault)
        self.began(call)

    def lets_call(self, _request):
        return True

    def began(self, call):
        call.respond(call.invite, 100)

    def _on_cancel(self, request, call):
        if not call or call.invite.branch != request.branch:
            self.faults.append("a CANCEL that matches no INVITE of theirs")
            self.respond(request, 481)
            return
        self.respond(request, 200, call=call)
        if not call.answered and not call.over:
            call.over = request
            sent = call.respond(call.invite, 487)
            self.repeat(sent, lambda: call.heard_any("ACK"), lambda: call.fault("no ACK of the 487 has come"))

    def lint(self, request):
        """What a strict stack would not take in any request."""
        for name in ("From", "Call-ID", "CSeq", "Max-Forwards"):
            if len(request.all(name)) != 1:
                yield f"{request.method} with {len(request.all(name))} {name} headers"
        if request.method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE") and len(request.list("Contact")) != 1:
            yield f"{request.method} without a Contact"
        if request.body and not request.header("Content-Type"):
            yield f"{request.method} with a body of no type"

    def misrouted(self, call, request):
        """Why a request in the dialog would not have reached us by the way that was told."""
        contact, routes = self.contact_of(call), self.recorded(call)
        if request.uri != contact:
            return f"{request.method} to {request.uri}, not to our Contact {contact}"
        said = [uri_of(r) for r in request.list("Route")]
        if said != routes:
            return f"{request.method} with the routes {said}, not {routes}"
        return None

    def _on_inside(self, request, call):
        if not call:
            if request.method != "ACK":
                self.respond(request, 481)
            return
        refused = request.method == "ACK" and request.branch == call.invite.branch
        wrong = None if refused else self.misrouted(call, request)
        if not wrong and request.method != "ACK" and request.number <= call.theirs:
            wrong = f"{request.method} with CSeq {request.number} after {call.theirs}"
        if wrong:
            call.fault(wrong)
            self.forget(request)
            return
        for fault in self.lint(request):
            call.fault(fault)
        if request.method != "ACK":
            call.theirs = request.number
        getattr(self, f"on_{request.method.lower()}", self.on_unknown)(call, request)

    def forget(self, request):
        """It is as if it had never come: nobody who waits for it may find it."""
        self._messages = [m for m in self._messages if m is not request]

    def on_unknown(self, call, request):
        call.respond(request, 405)

    def on_ack(self, call, request):
        if request.sdp:
            call.hear_sdp(request)

    def on_bye(self, call, request):
        call.over = call.over or request
        call.respond(request, 200)

    def on_prack(self, call, request):
        call.respond(request, 200)

    def on_notify(self, call, request):
        call.respond(request, 200)

    def on_info(self, call, request):
        key = re.search(r"Signal\s*=\s*([0-9A-D*#])", request.body.decode("utf-8", "replace"))
        if not key:
            call.respond(request, 415)
            return
        call.keys_by_info += key[1]
        call.respond(request, 200)

    def on_update(self, call, request):
        call.learn(request)
        body = call.sdp(ANSWERS[direction_of(request.sdp)], request.sdp) if request.sdp else ""
        call.hear_sdp(request)
        call.respond(request, 200, body, self.timer_answer(request))

    def on_invite(self, call, request):
        """A change, answered as a telephone would."""
        call.learn(request)
        body = call.sdp(ANSWERS[direction_of(request.sdp)], request.sdp) if request.sdp else call.sdp()
        call.hear_sdp(request)
        sent = call.respond(request, 200, body, self.timer_answer(request))

        def acked():
            return call.over or any(m.number == request.number for m in call.heard_any("ACK"))
        self.repeat(sent, acked, lambda: call.cut("no ACK of a change's 200 has come"))

    def timer_answer(self, request):
        """The interval as it was asked for, and who asks refreshes (RFC 4028 9)."""
        asked = request.header("Session-Expires")
        if not asked:
            return []
        refresher = "" if parameter(asked, "refresher") else ";refresher=uac"
        return [("Require", "timer"), ("Session-Expires", asked + refresher)]

    def timer_headers(self, _call):
        return []

    # responses of theirs

    def _on_response(self, response):
        call = self.calls.get(response.call_id)
        if not call or response.method != "INVITE" or response.status == 100:
            return
        if response.branch != call.invite.branch:
            return  # who has sent a change waits for its answer
        if response.status < 200:
            call.learn(response)
            self._progress(call, response)
        elif response.status < 300:
            self._accepted(call, response)
        else:
            self.acknowledge(call, call.invite, response)
            if not self.try_again(call, response):
                call.over = call.over or response

    def _progress(self, call, response):
        if response.sdp and not call.offered:
            call.hear_sdp(response)
        rseq = response.header("RSeq")
        if rseq and "100rel" in (response.header("Require") or "") and rseq not in call._taken:
            call._taken.add(rseq)
            call.request("PRACK", "", [("RAck", f"{rseq} {response.header('CSeq')}")])

    def _accepted(self, call, response):
        again, call.answered = call.answered, call.answered or response
        call.learn(response)
        body = "" if call.invite.sdp or again else call.sdp(offer=response.sdp)
        self.acknowledge(call, call.invite, response, body)
        if not again:
            call.hear_sdp(response)

    def try_again(self, call, response):
        """A challenge is answered once."""
        user = self.habits.get("username")
        name = {401: "WWW-Authenticate", 407: "Proxy-Authenticate"}.get(response.status)
        if not user or not name or call.invite.header("Authorization") or call.invite.header("Proxy-Authorization"):
            return False
        challenge = self.pick(response.all(name))
        answer = "Authorization" if name[0] == "W" else "Proxy-Authorization"
        headers = [(n, v) for n, v in call.invite.headers if n != "CSeq"]
        call.number += 1
        words = credentials(challenge, "INVITE", call.invite.uri, user, self.habits["password"])
        call.invite = self._begin(call.invite.uri, "INVITE", [("CSeq", f"{call.number} INVITE"), *headers, (answer, words)],
                                  call.invite.body, call.invite.hop)
        return True

    @staticmethod
    def pick(challenges):
        return next(c for c in challenges if (parameter(c, "algorithm") or "MD5").upper() in ("MD5", "SHA-256"))

    # what we send

    def via(self, transport, branch=None):
        return (f"SIP/2.0/{transport.upper()} {bracketed(self.address)}:{self.port};branch=z9hG4bK{branch or token(12)}"
                f"{';rport' if self.habits.get('rport', True) else ''}")

    def contact_of(self, call):
        """The URI of our Contact in that call."""
        transport = ";transport=tcp" if call.invite.hop and call.invite.hop.transport == "tcp" else ""
        return f"sip:{self.contact_user(call)}@{bracketed(self.address)}:{self.port}{transport}"

    def contact_user(self, call):
        return user_of(uri_of(call.invite.header("From"))) if call.outgoing else self.called(call.invite)

    def ways(self, _call, recorded):
        """The route set of a dialog, from what was recorded."""
        return recorded

    def recorded(self, _call):
        """The URIs of the proxies we say are between, the one next to the gateway first."""
        return []

    def under(self, _kind, _call=None):
        """More headers of ours in a message: the method, or the status of a response."""
        return []

    def wrap(self, body, kind="application/sdp"):
        """(headers, body) around a body."""
        return ([("Content-Type", kind)], body) if body else ([], b"")

    def respond(self, request, status, body="", headers=(), call=None):
        via = request.list("Via")
        first = via[0]
        if "rport" in first and not parameter(first, "rport"):
            first = re.sub(r";rport(?=;|$)", f";rport={request.hop.port}", first)
        if host_of(first.split()[1])[0] != request.hop.address:
            first += f";received={request.hop.address}"
        to = request.header("To")
        if call and status > 100 and not parameter(to, "tag"):
            to = call.local
        elif status > 100 and not parameter(to, "tag"):
            to += f";tag={token()}"
        fields = [("Via", first), *(("Via", v) for v in via[1:])]
        if call and request is call.invite and 100 < status < 300:
            # the caller reads them from the last one on (RFC 3261 12.1.2)
            own = [("Record-Route", f"<{r}>") for r in self.recorded(call)[::-1]]
            fields += own or [("Record-Route", v) for v in request.all("Record-Route")]
        fields += [("From", request.header("From")), ("To", to), ("Call-ID", request.call_id), ("CSeq", request.header("CSeq"))]
        if call and request.method in ("INVITE", "UPDATE") and 100 < status < 300:
            fields.append(("Contact", f"<{self.contact_of(call)}>"))
        kind, wrapped = self.wrap(body)
        answer = Message(f"SIP/2.0 {status} {PHRASES.get(status, 'Status')}",
                         [*fields, *(self.under(status, call) if call else []), *headers, *kind], wrapped)
        self._answers[request.branch, request.method] = answer
        return self.send(answer, self.back(request, first))

    @staticmethod
    def back(request, via):
        """Where a response goes (RFC 3261 18.2.2, RFC 3581 4)."""
        if request.hop.transport == "tcp":
            connection = request.hop.connection
            if connection is None or connection.fileno() >= 0:
                return request.hop
            return Hop("tcp", request.hop.address, host_of(via.split()[1])[1])
        return Hop("udp", request.hop.address, int(parameter(via, "rport") or host_of(via.split()[1])[1]))

    def next_hop(self, uri):
        host, port = host_of(uri)
        return Hop((parameter(uri, "transport") or "udp").lower(), host, port)

    def _begin(self, uri, method, headers, body, hop, branch=None, inner=()):
        """Sends a request and repeats it until it is heard of."""
        rest = [(n, v) for n, v in headers if n not in ("Via", "Max-Forwards")]
        message = Message(f"{method} {uri} SIP/2.0", [("Via", self.via(hop.transport, branch)), *inner,
                                                        ("Max-Forwards", "70"), *rest], body)
        self.send(message, hop)
        if method != "ACK":
            self.repeat(message, lambda: any(m.received and m.status and m.branch == message.branch for m in self._messages),
                        lambda: self.faults.append(f"{message.first}: nobody has answered"))
        return message

    def request_in(self, call, method, number, body="", headers=(), kind="application/sdp"):
        fields = [("Route", f"<{r}>") for r in call.routes]
        fields += [("From", call.local), ("To", call.remote), ("Call-ID", call.call_id), ("CSeq", f"{number} {method}")]
        if method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE"):
            fields.append(("Contact", f"<{self.contact_of(call)}>"))
        more, wrapped = self.wrap(body, kind)
        hop = self.next_hop(call.routes[0] if call.routes else call.target)
        return self._begin(call.target, method, [*fields, *self.under(method, call), *headers, *more], wrapped, hop)

    def acknowledge(self, call, request, response, body=""):
        """The ACK: of a refusal in its transaction, of a 200 in the dialog."""
        if response.status >= 300:
            headers = [("From", request.header("From")), ("To", response.header("To")), ("Call-ID", call.call_id),
                       ("CSeq", f"{request.number} ACK")]
            self._begin(request.uri, "ACK", [*(("Route", r) for r in request.all("Route")), *headers], b"", request.hop,
                        request.branch.removeprefix("z9hG4bK"))
            return
        self.request_in(call, "ACK", request.number, body)

    def call(self, uri, to, hop, sender, plays="A", headers=(), sdp=True):
        """An INVITE of ours."""
        fields = [("From", f"{sender};tag={token()}"), ("To", to), ("Call-ID", f"{token(16)}@{self.name}"), ("CSeq", "1 INVITE")]
        draft = Message(f"INVITE {uri} SIP/2.0", fields)
        draft.hop = hop
        call = Call(self, draft, plays, True)
        more, body = self.wrap(call.sdp() if sdp else "")
        records = [("Record-Route", f"<{r}>") for r in self.recorded(call)]
        with self._changed:
            self.calls[call.call_id] = call
            call.invite = self._begin(uri, "INVITE", [*records, *fields, ("Contact", f"<{self.contact_of(call)}>"), *headers,
                                                      *self.under("INVITE", call), *more], body, hop)
        return call

    def send_cancel(self, call):
        invite = call.invite
        headers = [(n, v) for n, v in invite.headers if n in ("Route", "From", "To", "Call-ID")]
        self._begin(invite.uri, "CANCEL", [*headers, ("CSeq", f"{invite.number} CANCEL")], b"", invite.hop,
                    invite.branch.removeprefix("z9hG4bK"))

    def make_sdp(self, call, direction, offer=None, address=None):
        """Codecs: those of an offer that we have, in its order; all of ours in an offer of our own."""
        habits = self.habits.get("sdp", {})
        address = address or call.line.address
        family = "IP6" if ":" in address else "IP4"
        event = event_number(offer) if offer else self.habits.get("event", 101)
        codecs = {c: CODECS[c] for c in self.codecs}
        if offer:
            codecs = {c: name for c, name in parse_sdp(offer)[2].items() if name in codecs.values()}
            call.line.told.update((c, name) for c, name in codecs.items() if known(name))
        types = [*codecs, *([event] if event and self.habits.get("event", 101) else [])]
        lines = ["v=0", f"o={habits.get('origin', '-')} {call.session} {call.version} IN {family} {address}",
                 f"s={habits.get('session', '-')}", f"c=IN {family} {address}", "t=0 0",
                 f"m=audio {call.line.port} RTP/AVP {' '.join(map(str, types))}",
                 *([f"c=IN {family} {address}"] if habits.get("media-address") else []),
                 *self._codec_lines(codecs)]
        if len(types) > len(codecs):
            lines += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} {habits.get('events', '0-15')}"]
        lines += habits.get("lines", ["a=ptime:20"])
        if direction != "sendrecv" or not habits.get("silent-direction"):
            lines.append(f"a={direction}")
        return "\r\n".join([*lines, ""])

    def _codec_lines(self, codecs):
        for number, name in codecs.items():
            name, *params = name.split(";")
            params += [p for p in [self.habits.get("fmtp", {}).get(name.split("/")[0])] if p]
            yield f"a=rtpmap:{number} {name}"
            if params:
                yield f"a=fmtp:{number} {';'.join(params)}"

    def stop(self):
        self.stopping = True
        with self._changed:
            self._changed.notify_all()
        self.endpoint.close()
        for line in self._lines:
            line.close()
        self._transcript.close()
