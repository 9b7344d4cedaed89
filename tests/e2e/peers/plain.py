# SPDX-License-Identifier: AGPL-3.0-or-later
"""A SIP telephone or carrier in a thread: many calls at once, every message with its time.

It says nothing again that is lost: the loopback loses nothing.  It sends no media.
"""
import contextlib
import hashlib
import re
import socket
import threading
import time

from .process import Failed, until

_SDP = ("v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        "a=rtpmap:0 PCMU/8000\r\n")


class PlainCall:
    """A dialog from the side of this end."""

    def __init__(self, end, call_id, uri):
        self.end, self.call_id, self.uri = end, call_id, uri
        self.began = time.monotonic()
        self.heard = {}  # status, or method of a request: when it came first
        self.request = ""  # the INVITE that came in
        self.tag = ""
        self.seq = 1

    def wait(self, what, seconds=10):
        until(lambda: what in self.heard, seconds, f"{what} in the call {self.call_id}, heard {list(self.heard)}")
        return self.heard[what] - self.began

    def final(self, seconds=10):
        until(lambda: any(isinstance(h, int) and h >= 200 for h in self.heard), seconds, f"an answer to {self.call_id}")
        return max(h for h in self.heard if isinstance(h, int))

    def hangup(self):
        self.end.send_in(self, "BYE")
        self.heard.setdefault("hung up", time.monotonic())

    def answer(self):
        self.end.respond(self.request, 200, "OK", _SDP.format(self.end.address))


class PlainEnd(threading.Thread):
    def __init__(self, address, port=0, user="plain", password="", gateway=("127.0.0.1", 5060)):
        super().__init__(daemon=True)
        self.address, self.user, self.password, self.gateway = address, user, password, gateway
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self.port = self._socket.getsockname()[1]
        self.calls, self._answers, self._count = {}, {}, 0
        self.rings = True
        self.start()

    def stop(self):
        self._socket.close()

    # --- saying

    def _send(self, text):
        with contextlib.suppress(OSError):  # the test is over
            self._socket.sendto(text.encode(), self.gateway)

    def _request(self, method, uri, call_id, seq, to_tag="", more="", body=""):
        to = uri if method != "REGISTER" else f"sip:{self.user}@127.0.0.1"
        branch = seq if method in ("INVITE", "ACK-failed") else f"{seq}{method}"
        name = method.removesuffix("-failed")
        self._send(f"{name} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{call_id}-{branch};rport\r\n"
                   f"From: <sip:{self.user}@{self.address}>;tag=t{call_id}\r\nTo: <{to}>{to_tag}\r\nCall-ID: {call_id}\r\n"
                   f"CSeq: {seq} {name}\r\nMax-Forwards: 70\r\nContact: <sip:{self.user}@{self.address}:{self.port}>\r\n{more}"
                   + ("Content-Type: application/sdp\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}")

    def _new_id(self, kind):
        self._count += 1
        return f"{kind}{self._count}x{self.port}"

    def call(self, number):
        uri = f"sip:{number}@127.0.0.1"
        call = PlainCall(self, self._new_id("c"), uri)
        self.calls[call.call_id] = call
        self._request("INVITE", uri, call.call_id, 1, body=_SDP.format(self.address))
        return call

    def send_in(self, call, method):
        call.seq += 1
        self._request(method, call.uri, call.call_id, call.seq, call.tag)

    def options(self, seconds=30):
        """How long the answer takes."""
        call_id, began = self._new_id("o"), time.monotonic()
        self._request("OPTIONS", "sip:127.0.0.1", call_id, 1)
        until(lambda: call_id in self._answers, seconds, "an answer to OPTIONS")
        return self._answers[call_id][0] - began

    def register(self, seconds=10):
        call_id, more = self._new_id("r"), ""
        for seq in (1, 2):
            self._answers.pop(call_id, None)
            self._request("REGISTER", "sip:127.0.0.1", call_id, seq, more=more + "Expires: 600\r\n")
            until(lambda: call_id in self._answers, seconds, "an answer to REGISTER")
            said = self._answers[call_id][1]
            if said.startswith("SIP/2.0 200"):
                return
            nonce = re.search(r'nonce="([^"]+)"', said)[1]
            secret, what = (hashlib.md5(t.encode()).hexdigest()
                            for t in (f"{self.user}:tandem:{self.password}", "REGISTER:sip:127.0.0.1"))
            proof = hashlib.md5(f"{secret}:{nonce}:00000001:c:auth:{what}".encode()).hexdigest()
            more = (f'Authorization: Digest username="{self.user}", realm="tandem", nonce="{nonce}", uri="sip:127.0.0.1", '
                    f'response="{proof}", qop=auth, nc=00000001, cnonce="c", algorithm=MD5\r\n')
        raise Failed(f"REGISTER was answered with {said.splitlines()[0]}")

    def respond(self, request, status, phrase, body=""):
        head = "".join(f"{line}\r\n" for line in request.split("\r\n\r\n")[0].split("\r\n")[1:]
                       if re.match(r"(Via|From|To|Call-ID|CSeq|Record-Route):", line, re.I))
        if ";tag=" not in re.search(r"^To:.*$", head, re.M | re.I)[0]:
            head = re.sub(r"^(To:.*)\r$", rf"\1;tag=u{self.port}\r", head, flags=re.M | re.I)
        self._send(f"SIP/2.0 {status} {phrase}\r\n{head}Contact: <sip:{self.user}@{self.address}:{self.port}>\r\n"
                   + ("Content-Type: application/sdp\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}")

    # --- hearing

    def run(self):
        while True:
            try:
                text = self._socket.recv(65536).decode(errors="replace")
            except OSError:
                return
            call_id = re.search(r"^Call-ID: *(\S+)", text, re.M | re.I)[1]
            if text.startswith("SIP/2.0 "):
                self._hear_response(call_id, text)
            else:
                self._hear_request(call_id, text)

    def _hear_response(self, call_id, text):
        status, now = int(text[8:11]), time.monotonic()
        call, method = self.calls.get(call_id), re.search(r"^CSeq: *\d+ (\w+)", text, re.M | re.I)[1]
        if not call or method != "INVITE":
            if status >= 200:
                self._answers[call_id] = (now, text)
            return
        call.heard.setdefault(status, now)
        if status < 200:
            return
        call.tag = re.search(r"^To: .*?(;tag=[^;\s]+)", text, re.M | re.I)[1]
        self._request("ACK" if status < 300 else "ACK-failed", call.uri, call_id, 1, call.tag)

    def _hear_request(self, call_id, text):
        method = text.split(" ")[0]
        call = self.calls.get(call_id)
        if method == "INVITE" and not call:
            call = self.calls[call_id] = PlainCall(self, call_id, "")
            call.request = text
            if self.rings:
                self.respond(text, 180, "Ringing")
        elif method == "CANCEL" and call:
            self.respond(text, 200, "OK")
            self.respond(call.request, 487, "Request Terminated")
        elif method != "ACK":
            self.respond(text, 200, "OK")
        if call:
            call.heard.setdefault(method, time.monotonic())
