# SPDX-License-Identifier: AGPL-3.0-or-later
"""A telephone of a user: registers at the gateway, calls, is called, transfers."""
from .process import Failed
from .sip import Agent
from .sipwire import Hop, bracketed, credentials, token


class Softphone(Agent):
    """A telephone of a user: registers at the gateway, calls, is called, transfers."""

    plays = "A"

    def __init__(self, folder, name, user, password, gateway, address, port=0):
        super().__init__(name, folder, address, port, {"username": user, "password": password}, tcp=False)
        self.user, self.gateway = user, Hop("udp", *gateway)
        self.domain = f"{bracketed(gateway[0])}:{gateway[1]}"
        self.line_id, self.registered = f"{token(16)}@{name}", 0

    def contact_user(self, _call):
        return self.user

    def register(self, expires=600):
        answer = self._register(expires)
        if answer.status == 401:
            challenge = self.pick(answer.all("WWW-Authenticate"))
            words = credentials(challenge, "REGISTER", f"sip:{self.domain}", self.user, self.habits["password"])
            answer = self._register(expires, [("Authorization", words)])
        if answer.status != 200:
            raise Failed(f"{self.name} could not register: {answer.first}")
        return self

    def _register(self, expires, headers=()):
        self.registered += 1
        own = f"<sip:{self.user}@{self.domain}>"
        sent = self._begin(f"sip:{self.domain}", "REGISTER", [
            ("From", f"{own};tag={token()}"), ("To", own), ("Call-ID", self.line_id), ("CSeq", f"{self.registered} REGISTER"),
            ("Contact", f"<sip:{self.user}@{bracketed(self.address)}:{self.port}>"), ("Expires", str(expires)), *headers], b"",
            self.gateway)
        return self.answer_to(sent)

    def dial(self, number, plays=None):
        uri = f"sip:{number}@{self.domain}"
        return self.call(uri, f"<{uri}>", self.gateway, f"<sip:{self.user}@{self.domain}>", plays or self.plays)

    def refer(self, call, number):
        """Sends the call on to another number; the NOTIFYs are answered."""
        sent = call.request("REFER", "", [("Refer-To", f"<sip:{number}@{self.domain}>"),
                                          ("Referred-By", f"<sip:{self.user}@{self.domain}>")])
        return self.answer_to(sent, 10, call)
