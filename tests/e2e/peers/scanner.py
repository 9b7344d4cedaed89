# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hostile SIP: INVITE, REGISTER and OPTIONS from many addresses of the loopback
network, and a telephone at an address of its own that is no part of it.

One socket sends in the name of all the addresses (IP_PKTINFO) and takes what is
answered to any of them; nothing is acknowledged, as scanners do it.
"""
import hashlib
import re
import socket
import struct
import threading
import time

from .process import Failed

IP_PKTINFO = 8  # of Linux; the module does not have it
METHODS = ("INVITE", "REGISTER", "OPTIONS")
_SDP = ("v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        "a=rtpmap:0 PCMU/8000\r\n")


def address_of(number):
    """127.1.0.0 and on."""
    return socket.inet_ntoa(struct.pack("!I", 0x7F010000 + number))


class Scanner(threading.Thread):
    """Each method once from each of so many addresses, at so many requests a second."""

    def __init__(self, addresses, rate, port=5060):
        super().__init__(daemon=True)
        self.addresses, self.rate, self.gateway = addresses, rate, ("127.0.0.1", port)
        self.sent = self.answered = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("0.0.0.0", 0))
        self._socket.setblocking(False)
        self._port = self._socket.getsockname()[1]

    def request(self, number, method, domain):
        address = address_of(number)
        return (f"{method} sip:100@127.0.0.1 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {address}:{self._port};branch=z9hG4bK{self.sent}x{number};rport\r\n"
                f"From: <sip:{number}@{domain}>;tag=s{number}\r\nTo: <sip:100@127.0.0.1>\r\n"
                f"Call-ID: {self.sent}x{number}@{address}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:100@{address}:{self._port}>\r\nUser-Agent: scanner\r\nContent-Length: 0\r\n\r\n").encode()

    def send(self, number, method, domain="127.0.0.1"):
        source = struct.pack("=I4s4s", 0, socket.inet_aton(address_of(number)), bytes(4))
        try:
            self._socket.sendmsg([self.request(number, method, domain)], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0,
                                 self.gateway)
        except BlockingIOError:
            return
        self.sent += 1

    def _listen(self):
        try:
            while True:
                if self._socket.recv(2048).startswith((b"SIP/2.0 4", b"SIP/2.0 2")):
                    self.answered += 1
        except BlockingIOError:
            pass

    def run(self):
        began = time.monotonic()
        for n in range(self.addresses * len(METHODS)):
            self.send(n // len(METHODS), METHODS[n % len(METHODS)])
            if n % 50 == 0:
                self._listen()
                ahead = n / self.rate - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
        self._listen()


class PlainPhone:
    """Registers and calls over UDP, says everything again until it is answered."""

    def __init__(self, name, password, address="127.200.0.1", port=5060):
        self.name, self.password, self.address = name, password, address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.connect(("127.0.0.1", port))
        self._port = self._socket.getsockname()[1]
        self._seq = self._count = 0
        self._nonce = None

    def _lines(self, method, uri, to_tag, seq, more, body):
        head = (f"{method} {uri} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.address}:{self._port};branch=z9hG4bKp{self._port}x{seq}{method};rport\r\n"
                f"From: <sip:{self.name}@127.0.0.1>;tag=p{self._port}\r\n"
                f"To: <{uri if method != 'REGISTER' else f'sip:{self.name}@127.0.0.1'}>{to_tag}\r\n"
                f"Call-ID: p{self._port}@{self.address}\r\nCSeq: {seq} {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:{self.name}@{self.address}:{self._port}>\r\n{more}")
        if body:
            head += "Content-Type: application/sdp\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def _proof(self, method, uri, header):
        if not self._nonce:
            return ""
        self._count += 1

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        secret, what = md5(f"{self.name}:tandem:{self.password}"), md5(f"{method}:{uri}")
        answer = md5(f"{secret}:{self._nonce}:{self._count:08x}:c:auth:{what}")
        return (f'{header}: Digest username="{self.name}", realm="tandem", nonce="{self._nonce}", uri="{uri}", '
                f'response="{answer}", qop=auth, nc={self._count:08x}, cnonce="c", algorithm=MD5\r\n')

    def _ask(self, method, uri, to_tag="", header="Authorization", body="", seconds=32):
        """The final answer to it, said again as RFC 3261 17.1 has it."""
        self._seq += 1
        text = self._lines(method, uri, to_tag, self._seq, self._proof(method, uri, header), body)
        end, pause, provisional = time.monotonic() + seconds, 0.5, False
        while time.monotonic() < end:
            if not provisional:
                self._socket.send(text)
            self._socket.settimeout(pause)
            pause = min(2 * pause, 4)
            try:
                while True:
                    said = self._socket.recv(4096).decode()
                    if not re.search(rf"^CSeq: {self._seq} {method}", said, re.M):
                        continue
                    if not said.startswith("SIP/2.0 1"):
                        return said
                    provisional = True
            except socket.timeout:
                pass
        raise Failed(f"no answer to the {method} of a telephone of ours within {seconds} s")

    def _acknowledge(self, uri, said):
        tag = re.search(r"^To: .*(;tag=[^;\s]+)", said, re.M)[1]
        text = self._lines("ACK", uri, tag, self._seq, "", "")
        if not said.startswith("SIP/2.0 2"):  # of the same transaction
            text = text.replace(f"x{self._seq}ACK".encode(), f"x{self._seq}INVITE".encode())
        self._socket.send(text)
        return tag

    def _prove(self, method, uri, header, body=""):
        said = self._ask(method, uri, header=header, body=body)
        if said.startswith(("SIP/2.0 401", "SIP/2.0 407")):
            if method == "INVITE":
                self._acknowledge(uri, said)
            self._nonce, self._count = re.search(r'nonce="([^"]+)"', said)[1], 0
            said = self._ask(method, uri, header=header, body=body)
        if not said.startswith("SIP/2.0 200"):
            raise Failed(f"the {method} of a telephone of ours was answered with {said.splitlines()[0]}")
        return said

    def register(self):
        self._prove("REGISTER", "sip:127.0.0.1", "Authorization")

    def call(self, number):
        """Calls, is answered and hangs up."""
        uri = f"sip:{number}@127.0.0.1"
        self._nonce = None
        tag = self._acknowledge(uri, self._prove("INVITE", uri, "Proxy-Authorization", _SDP.format(self.address)))
        said = self._ask("BYE", uri, tag)
        if not said.startswith("SIP/2.0 200"):
            raise Failed(f"BYE was answered with {said.splitlines()[0]}")

    def stop(self):
        self._socket.close()
