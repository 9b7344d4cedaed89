# SPDX-License-Identifier: AGPL-3.0-or-later
"""SIP as it is on the wire: messages, addresses, digests, and the sockets they come by."""
import hashlib
import random
import re
import selectors
import socket
import threading
import time
from collections import namedtuple

COMPACT = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length",
           "c": "Content-Type", "k": "Supported", "r": "Refer-To", "b": "Referred-By", "x": "Session-Expires"}
Hop = namedtuple("Hop", "transport address port connection", defaults=[None])


def token(length=8):
    return "".join(random.choice("0123456789abcdef") for _ in range(length))


def split_list(text):
    """The elements of a header that is a list: commas outside of quotes and brackets."""
    found, depth, quoted, start = [], 0, False, 0
    for i, c in enumerate(text):
        if c == '"' and text[i - 1:i] != "\\":
            quoted = not quoted
        elif not quoted and c in "<>":
            depth += 1 if c == "<" else -1
        elif not quoted and not depth and c == ",":
            found.append(text[start:i].strip())
            start = i + 1
    return [x for x in [*found, text[start:].strip()] if x]


def uri_of(value):
    """The URI of a name-addr or addr-spec."""
    inside = re.search(r"<([^>]*)>", value or "")
    return inside[1] if inside else (value or "").split(";")[0].strip()


def user_of(uri):
    found = re.match(r"(?:sips?:([^@;?]*)@|tel:([^;?]*))", uri)
    return (found[1] or found[2] or "").partition(";")[0] if found else ""


def host_of(uri, port=5060):
    """(host, port) of a SIP URI, or of a Via's sent-by."""
    found = re.match(r"(?:sips?:(?:[^@]*@)?)?(\[[^\]]+\]|[^:;?>]+)(?::(\d+))?", uri)
    return found[1].strip("[]"), int(found[2] or port)


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def parameter(value, name):
    found = re.search(rf"[;,\s]{name}\s*=\s*(\"[^\"]*\"|[^;,\s>]+)", f";{value or ''}", re.I)
    return found[1].strip('"') if found else None


class Message:
    """A request or a response."""

    def __init__(self, first, headers=(), body=b""):
        self.first, self.headers = first, list(headers)
        self.body = body.encode() if isinstance(body, str) else body
        self.at, self.received, self.hop = time.time(), False, None

    @classmethod
    def parse(cls, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((COMPACT.get(name.strip().lower(), name.strip()), value.strip()))
        return cls(lines[0], headers, body)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def list(self, name):
        return [x for v in self.all(name) for x in split_list(v)]

    def header(self, name):
        return next(iter(self.all(name)), None)

    @property
    def status(self):
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else None

    @property
    def method(self):
        """Of a request: its own; of a response: what it answers."""
        return self.header("CSeq").split()[1] if self.status else self.first.split()[0]

    @property
    def uri(self):
        return self.first.split()[1]

    @property
    def number(self):
        return int(self.header("CSeq").split()[0])

    @property
    def call_id(self):
        return self.header("Call-ID")

    @property
    def branch(self):
        return parameter(self.list("Via")[0], "branch")

    @property
    def sdp(self):
        """The SDP of the body, or of its part of that type; None without one."""
        text = self.body.decode("utf-8", "replace")
        if "application/sdp" not in text and "application/sdp" not in (self.header("Content-Type") or ""):
            return None
        found = re.search(r"^v=0\r?\n.*?(?=^--|\Z)", text, re.M | re.S)
        return found[0] if found else None

    def __bytes__(self):
        lines = [self.first, *(f"{n}: {v}" for n, v in self.headers if n != "Content-Length"), f"Content-Length: {len(self.body)}", "", ""]
        return "\r\n".join(lines).encode() + self.body


class Endpoint:
    """An address and a port, by UDP and by TCP; one thread."""

    def __init__(self, address, port, deliver, tcp=True):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.address, self._deliver, self._family = address, deliver, family
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind((address, port))
        self.port = self.udp.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.udp, selectors.EVENT_READ, None)
        self._listener, self._connections = None, {}
        if tcp:
            self._listener = socket.create_server((address, self.port), family=family)
            self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._closed.is_set():
            for key, _ in self._selector.select(0.2):
                try:
                    self._read(key.fileobj)
                except OSError:
                    continue

    def _read(self, ready):
        if ready is self.udp:
            data, (address, port, *_) = self.udp.recvfrom(65535)
            if len(data) > 4:  # not a keep-alive
                self._deliver(Message.parse(data), Hop("udp", address, port))
        elif ready is self._listener:
            connection, _ = self._listener.accept()
            self._add(connection)
        else:
            self._read_stream(ready)

    def _add(self, connection):
        self._connections[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, None)

    def _read_stream(self, connection):
        data = connection.recv(65536)
        if not data:
            self._selector.unregister(connection)
            self._connections.pop(connection, None)
            connection.close()
            return
        data = self._connections[connection] + data
        address, port, *_ = connection.getpeername()
        while True:
            data = data.lstrip(b"\r\n")
            head, end, rest = data.partition(b"\r\n\r\n")
            length = int((re.search(rb"^(?:Content-Length|l)\s*:\s*(\d+)", head, re.M | re.I) or [0, 0])[1])
            if not end or len(rest) < length:
                break
            self._deliver(Message.parse(head + end + rest[:length]), Hop("tcp", address, port, connection))
            data = rest[length:]
        self._connections[connection] = data

    def send(self, data, hop):
        if hop.transport == "udp":
            self.udp.sendto(data, (hop.address, hop.port))
            return
        connection = hop.connection
        if connection is None or connection.fileno() < 0:
            connection = next((c for c in self._connections if c.getpeername()[:2] == (hop.address, hop.port)), None)
        if connection is None:
            connection = socket.socket(self._family, socket.SOCK_STREAM)
            connection.bind((self.address, 0))
            connection.settimeout(5)
            connection.connect((hop.address, hop.port))
            self._add(connection)
        connection.sendall(data)

    def close(self):
        self._closed.set()
        self._thread.join()
        for each in [self.udp, self._listener, *self._connections]:
            if each:
                each.close()
        self._selector.close()


def credentials(challenge, method, uri, user, password):
    """What answers a challenge: the value of Authorization."""
    realm, nonce, algorithm = (parameter(challenge, n) for n in ("realm", "nonce", "algorithm"))
    qop = "auth" if "auth" in (parameter(challenge, "qop") or "") else None
    one, count = token(), "00000001"
    response = digest(algorithm, user, realm, password, method, uri, nonce, qop, count, one)
    text = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"'
    if algorithm:
        text += f", algorithm={algorithm}"
    if parameter(challenge, "opaque"):
        text += f', opaque="{parameter(challenge, "opaque")}"'
    return text + (f', qop=auth, nc={count}, cnonce="{one}"' if qop else "")


def digest(algorithm, user, realm, password, method, uri, nonce, qop, count, one):
    name = hashlib.sha256 if (algorithm or "MD5").upper() == "SHA-256" else hashlib.md5

    def hashed(*parts):
        return name(":".join(parts).encode()).hexdigest()
    middle = [nonce, count, one, qop] if qop else [nonce]
    return hashed(hashed(user, realm, password), *middle, hashed(method, uri))
