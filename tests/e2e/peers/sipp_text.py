# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier of texts: SIPp takes MESSAGEs and sends them (RFC 3428)."""
import re

from .process import until
from .sipp import LAST, LAST_TAGGED, VIA, _Scenario, _Sipp

PATIENCE = 100  # times 2 s that a sender tries again after a 503


def _taking(status):
    s = _Scenario()
    s.request("MESSAGE")
    s.send([f"SIP/2.0 {status[0]} {status[1]}", *(LAST_TAGGED if status[0] < 300 else LAST)])
    return s.text()


def _sending(gateway):
    """One text a call; after a 503 the same again as a new request, as a client does."""
    s = _Scenario()
    lines = [f"MESSAGE sip:[field1]@{gateway} SIP/2.0", VIA, "From: <sip:[field0]@carrier.example>;tag=f[pid]x[call_number]",
             f"To: <sip:[field1]@{gateway}>", "Call-ID: [call_id]", "CSeq: [cseq] MESSAGE", "Max-Forwards: 70",
             "Content-Type: text/plain;charset=UTF-8"]
    s.label("again")
    s.send(lines, "[field2]", retrans="500")
    s.response(100, optional="true")
    s.response(503, optional="true", next="later")
    s.response(202, optional="true", next="end")
    s.response(200, next="end")
    s.label("later")
    s.steps.append('<pause milliseconds="2000"/>')
    s.go("again")
    s.label("end")
    return s.text()


class TextSink(_Sipp):
    """Takes every MESSAGE with one status."""

    def __init__(self, folder, name="texts", address="127.0.0.1", status=(200, "OK"), port=0):
        # a text that comes again, by the same name, is answered again
        super().__init__(folder, name, _taking(status), ["-deadcall_wait", 0], address, port)

    def texts(self):
        """The MESSAGEs that have come, retransmissions of a transaction once: SIPp's log has each message."""
        seen, found = set(), []
        for m in self.messages():
            if not m.received or m.method != "MESSAGE" or m.status:
                continue
            branch = re.search(r"branch=([^;,\s]+)", m.header("Via"))[1]
            if branch not in seen:
                seen.add(branch)
                found.append(m)
        return found

    def wait_text(self, body, seconds=15):
        return until(lambda: next((m for m in self.texts() if body_of(m) == body), None), seconds, f"{body!r} at {self.name}")


class TextSource(_Sipp):
    """Sends texts one after the other; each waits for its answer."""

    def __init__(self, folder, texts, gateway, name="writer", address="127.0.0.1", port=0, rate=200):
        file = folder / f"{name}.csv"
        file.write_text("SEQUENTIAL\n" + "".join(f"{one};{to};{body}\n" for one, to, body in texts))
        super().__init__(folder, name, _sending(gateway), ["-inf", file, "-m", len(texts), "-l", 1, "-r", rate, gateway],
                         address, port)

    def is_done(self):
        return self.process.poll() is not None

    def answers(self):
        """Call-ID → the last final status of its MESSAGE."""
        return {m.call_id: m.status for m in self.messages() if m.received and m.status and m.status >= 200}

    def accepted(self):
        """The bodies that the gateway has taken."""
        taken = {call for call, status in self.answers().items() if status < 300}
        return {body_of(m) for m in self.messages() if not m.received and not m.status and m.call_id in taken}


def body_of(message):
    return message.text.partition("\n\n")[2].rstrip("\r\n")
