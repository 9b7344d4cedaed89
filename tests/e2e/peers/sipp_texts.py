# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier of text messages: SIPp, which answers each MESSAGE as it is told, and sends its own (RFC 3428)."""
import re

from .process import until
from .sipp import LAST_TAGGED, VIA, _Scenario
from .sipp import _Sipp as Sipp

CHALLENGE = 'Proxy-Authenticate: Digest realm="carrier.example.org", nonce="abc", algorithm=MD5'
GATEWAY = "127.0.0.1:5060"


def body_of(message):
    """SIPp ends the bodies that it sends by a line break."""
    return message.text.partition("\n\n")[2].rstrip("\r\n")


def _taking(answers):
    """The answers to one text, in their order: "407 …" asks for a password."""
    s = _Scenario()
    for status in answers:
        s.request("MESSAGE")
        s.send([f"SIP/2.0 {status}", *LAST_TAGGED, *([CHALLENGE] if status.startswith("407") else [])])
    return s.text()


def _sending(gateway):
    """One text a call, from the line of a file; the number is in the request alone (VoIP.ms).  After a 503
    the same again as a new request, as a client does."""
    s = _Scenario()
    s.label("again")
    s.send([f"MESSAGE sip:[field1]@{gateway} SIP/2.0", VIA, "From: <sip:[field0]@[local_ip]:[local_port]>;tag=f[pid]x[call_number]",
            "To: <sip:somebody.else@elsewhere.example>", "Call-ID: [call_id]", "CSeq: [cseq] MESSAGE", "Max-Forwards: 70",
            "Content-Type: text/plain;charset=UTF-8"], "[field2]", retrans="500")
    s.response(100, optional="true")
    s.response(503, optional="true", next="later")
    s.response(202, next="end")
    s.label("later")
    s.steps.append('<pause milliseconds="2000"/>')
    s.go("again")
    s.label("end")
    return s.text()


class TextSource(Sipp):
    """Sends (from, to, body) one after the other; each waits for its answer."""

    def __init__(self, folder, texts, name="writer", gateway=GATEWAY):
        file = folder / f"{name}.csv"
        file.write_text("SEQUENTIAL\n" + "".join(f"{one};{to};{body}\n" for one, to, body in texts))
        super().__init__(folder, name, _sending(gateway), ["-inf", file, "-m", len(texts), "-l", 1, "-r", 200, gateway])

    def is_done(self):
        return self.process.poll() is not None

    def accepted(self):
        """The bodies that the gateway has taken."""
        taken = {m.call_id for m in self.messages() if m.received and m.status == 202}
        return {body_of(m) for m in self.messages() if not m.received and not m.status and m.call_id in taken}


class TextCarrier(Sipp):
    """It is at one port; what it sends comes from others."""

    def __init__(self, folder, name, answers=("200 OK",)):
        # a text that comes again, by the same name, is answered again
        super().__init__(folder, name, _taking(answers), ["-deadcall_wait", 0])
        self._folder, self._seen, self._senders = folder, set(), []

    def texts(self):
        """All that came, with those that came again."""
        return [m for m in self.messages() if m.received and m.method == "MESSAGE" and not m.status]

    def transactions(self):
        """The same without retransmissions."""
        first = {}
        for m in self.texts():
            first.setdefault(re.search(r"branch=([^;,\s]+)", m.header("Via"))[1], m)
        return list(first.values())

    def wait_text(self, body, seconds=15):
        """A MESSAGE with that body, each given out once."""
        def find():
            return next((m for m in self.texts() if id(m) not in self._seen and body_of(m) == body), None)
        found = until(find, seconds, f"the text {body!r} at {self.name}")
        self._seen.add(id(found))
        return found

    def send(self, number, caller, text):
        """A text to that number; it is taken (202)."""
        sender = TextSource(self._folder, [(caller, number, text)], f"{self.name}-{len(self._senders)}")
        self._senders.append(sender)
        return sender.wait_message("202 Accepted", lambda m: m.received and m.status == 202, 15)

    def stop(self):
        for sender in self._senders:
            sender.stop()
        super().stop()
