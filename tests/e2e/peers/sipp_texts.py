# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier of text messages: SIPp, which answers each MESSAGE as it is told, and sends its own."""
from xml.sax.saxutils import escape

from .sipp import _Sipp as Sipp

ANSWER = """\
  <send{more}><![CDATA[
    SIP/2.0 {status}
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]SIPpTag[call_number]
    [last_Call-ID:]
    [last_CSeq:]
{headers}    Content-Length: 0

  ]]></send>
"""
CHALLENGE = '    Proxy-Authenticate: Digest realm="carrier.example.org", nonce="abc", algorithm=MD5\n'
ASKED = '  <recv request="MESSAGE"/>\n'
SENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a text">
  <send retrans="500"><![CDATA[
    MESSAGE sip:{number}@{gateway} SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]SIPpTag[call_number]
    To: <sip:somebody.else@elsewhere.example>
    Call-ID: [call_id]
    CSeq: 1 MESSAGE
    Max-Forwards: 70
    Content-Type: text/plain;charset=UTF-8
    Content-Length: [len]

    {text}]]></send>
  <recv response="202"/>
</scenario>
"""


def _scenario(answers):
    """The answers to one text, in their order: "407 …" asks for a password."""
    steps = [ASKED + ANSWER.format(status=status, more="", headers=CHALLENGE if status.startswith("407") else "")
             for status in answers]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="texts">\n{"".join(steps)}</scenario>\n'


class TextCarrier:
    """It is at one port; what it sends comes from another."""
    address = "127.0.0.1"

    def __init__(self, folder, name, answers):
        self.folder, self.name, self._sent, self._seen = folder, name, 0, set()
        self._server = Sipp(folder, name, _scenario(answers), [])
        self.port = self._server.port
        self._senders = []

    def texts(self):
        """All that came, with those that came again."""
        return [m for m in self._server.messages() if m.received and m.method == "MESSAGE" and not m.status]

    def wait_text(self, body, seconds=15):
        """A MESSAGE with that body, each given out once."""
        def matches(message):
            return (message.received and not message.status and message.method == "MESSAGE" and
                    id(message) not in self._seen and message.text.partition("\n\n")[2].strip() == body)
        found = self._server.wait_message(f"the text {body!r}", matches, seconds)
        self._seen.add(id(found))
        return found

    def send(self, number, caller, text, gateway="127.0.0.1:5060"):
        """A text to that number; it is taken (202)."""
        self._sent += 1
        scenario = SENT.format(number=number, caller=caller, gateway=gateway, text=escape(text))
        sender = Sipp(self.folder, f"{self.name}-{self._sent}", scenario, ["-m", 1, gateway])
        self._senders.append(sender)
        return sender.wait_message("202 Accepted", lambda m: m.received and m.status == 202, 15)

    def stop(self):
        for sipp in (*self._senders, self._server):
            sipp.stop()
