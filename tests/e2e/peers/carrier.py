# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier with its habits (carriers/NAME.json): the same user agent as sip.py, with the
proxies it says are between, its identity headers, bodies, challenges and steps."""
import time

from .process import Failed
from .sip import Agent, direction_of
from .sipwire import Hop, bracketed, digest, parameter, split_list, token, uri_of, user_of

BOUNDARY = "tandem-e2e-part"


class Carrier(Agent):
    """`place`: what the habits leave open, as {gateway} and {user}."""

    plays = "B"

    def __init__(self, folder, habits, gateway, name="carrier"):
        address = habits.get("address", "203.0.113.10")
        self.behind = habits.get("behind")  # the proxy before us: nothing is taken that comes past it
        self.tcp = habits.get("tcp", "takes")
        self.gateway, self.bindings, self.nonces, self.past = gateway, {}, {}, []
        self.session_seconds = habits.get("session", {}).get("seconds", 1800)
        super().__init__(name, folder, address, habits.get("port", 5060), habits, tcp=self.tcp == "takes")

    def admits(self, message, hop):
        if not self.behind or hop.address == self.behind[0]:
            return True
        self.past.append(f"{message.first} from {hop.address}")
        return False

    # what is put into our messages

    def fill(self, template, call=None, **more):
        place = {"address": bracketed(self.address), "port": self.port, "gateway": self.domain, "token": token(10)}
        if call:
            place.update({"tag": call.tag, "user": self.contact_user(call), "id": call.call_id})
        return template.format(**place, **more)

    @property
    def domain(self):
        return f"{bracketed(self.gateway[0])}:{self.gateway[1]}"

    def contact_of(self, call):
        own = self.habits.get("contact")
        return self.fill(own, call) if own else super().contact_of(call)

    def recorded(self, call):
        """What our edge would have recorded; a real proxy does so itself, and takes its Route away."""
        return [self.fill(r, call) for r in self.habits.get("record-route", [])]

    def ways(self, call, recorded):
        """Our edge is we ourselves: nothing lies between it and the gateway."""
        own = self.recorded(call)
        if not own:
            return recorded
        if call.outgoing and recorded[::-1] != own:
            call.fault(f"in the answer to our INVITE Record-Route is {recorded[::-1]}, not {own}")
        return []

    def under(self, kind, call=None):
        found = [h for key, headers in self.habits.get("headers", {}).items() if str(kind) in key.split() for h in headers]
        return [(n, self.fill(v, call)) for n, v in (h.split(": ", 1) for h in found)]

    def wrap(self, body, kind="application/sdp"):
        parts = self.habits.get("parts")
        if not parts or not body or kind != "application/sdp":
            return super().wrap(body, kind)
        body = body if isinstance(body, bytes) else body.encode()
        pieces = []
        for part in parts:
            content = body if part["type"] == "application/sdp" else bytes.fromhex(part["hex"])
            head = [f"Content-Type: {part['type']}", *part.get("headers", []), "", ""]
            pieces.append("\r\n".join(head).encode() + content)
        edge = f"--{BOUNDARY}".encode()
        whole = b"".join(edge + b"\r\n" + p + b"\r\n" for p in pieces) + edge + b"--\r\n"
        return [("MIME-Version", "1.0"), ("Content-Type", f"multipart/mixed;boundary={BOUNDARY}")], whole

    def next_hop(self, uri):
        if self.behind:
            return Hop("udp", *self.behind)
        found = super().next_hop(uri)
        return found._replace(transport="tcp") if self.habits.get("transport") == "tcp" else found

    def _begin(self, uri, method, headers, body, hop, branch=None):
        # the proxies between the caller's switch and the edge; a response brings them back
        inner = [("Via", self.fill(v)) for v in self.habits.get("vias", [])] if method != "CANCEL" else []
        return super()._begin(uri, method, headers, body, hop, branch, inner)

    # who may call us

    def on_other(self, request):
        if request.method == "REGISTER":
            self._on_register(request)
        else:
            super().on_other(request)

    def lets_call(self, request):
        return self._is_known(request)

    def _is_known(self, request):
        """Has answered our challenge, where we ask for it."""
        asks = self.habits.get("challenge")
        if not asks or request.method not in asks["methods"]:
            return True
        name, answer = (("WWW-Authenticate", "Authorization") if asks.get("status", 407) == 401
                        else ("Proxy-Authenticate", "Proxy-Authorization"))
        words = request.header(answer)
        if words and self._is_right(words, request.method):
            return True
        nonce = token(asks.get("nonce", 32))
        self.nonces[nonce] = time.time()
        algorithm, qop = asks.get("algorithm"), asks.get("qop")
        text = f'Digest realm="{asks["realm"]}", nonce="{nonce}"' + (f", algorithm={algorithm}" if algorithm else "")
        text += (f', opaque="{token(16)}"' if asks.get("opaque") else "") + (f', qop="{qop}"' if qop else "")
        self.respond(request, asks.get("status", 407), "", [(name, text)])
        return False

    def _is_right(self, words, method):
        asks, trunk = self.habits["challenge"], self.habits["trunk"]
        value = {n: parameter(words, n) for n in ("nonce", "uri", "qop", "nc", "cnonce", "response", "username")}
        if value["nonce"] not in self.nonces or value["username"] != trunk["username"]:
            return False
        if asks.get("qop") and value["qop"] != "auth":
            self.faults.append(f"no qop in the answer to our challenge: {words}")
        right = digest(asks.get("algorithm"), trunk["username"], asks["realm"], trunk["password"], method, value["uri"],
                       value["nonce"], value["qop"], value["nc"], value["cnonce"])
        if value["response"] != right:
            self.faults.append(f"a wrong digest: {words}")
        return value["response"] == right

    def _on_register(self, request):
        if "@" in request.uri:
            self.faults.append(f"REGISTER to {request.uri}: a registrar has no user")
            return  # some say nothing to that
        if not self._is_known(request):
            return
        contact = request.list("Contact")[0]
        expires = int(parameter(contact, "expires") or request.header("Expires") or 3600)
        user = user_of(uri_of(request.header("To")))
        if expires:
            self.bindings[user] = uri_of(contact)
        else:
            self.bindings.pop(user, None)
        granted = min(expires, self.habits.get("registers", {}).get("seconds", 3600))
        more = [(n, self.fill(v, user=user)) for n, v in
                (h.split(": ", 1) for h in self.habits.get("registers", {}).get("headers", []))]
        self.respond(request, 200, "", [("Contact", f"<{uri_of(contact)}>;expires={granted}"), *more])

    def binding(self, seconds=20):
        """Where the gateway has registered itself."""
        user = self.habits["trunk"].get("account") or self.habits["trunk"]["username"]
        return self.until(lambda: self.bindings.get(user), seconds, f"a registration of {user} at {self.name}")

    # calls

    def call_in(self, called, caller, plays="B", **more):
        """A call to one of the gateway's numbers, written as this carrier does."""
        how = self.habits.get("invite", {})
        numbers = {f"{who}{form}": text for who, number in (("called", called), ("caller", caller))
                   for form, text in self.forms(number).items()}
        contact = self.binding() if self.habits["trunk"].get("register") == "yes" else None
        uri = self.fill(how.get("uri", "sip:{called}@{gateway}"), contact=contact, **numbers)
        to = self.fill(how.get("to", "<sip:{called}@{gateway}>"), **numbers)
        sender = self.fill(how.get("from", "<sip:{caller}@{address}>"), **numbers)
        headers = [(n, self.fill(v, **numbers)) for n, v in (h.split(": ", 1) for h in how.get("headers", []))]
        hop = Hop("udp", *self.behind) if self.behind else Hop(self.habits.get("transport", "udp"), *self.gateway)
        return self.call(uri, to, hop, sender, plays, [*headers, *self.timer_headers(None)], **more)

    def forms(self, number):
        """How a carrier may write +14155550101: "", _plain, _national, _local."""
        digits = number.removeprefix("+")
        country = self.habits.get("country", "1")
        national = digits.removeprefix(country)
        trunk = self.habits.get("trunk-prefix", "")
        return {"": number, "_plain": digits, "_significant": national, "_national": trunk + national}

    def began(self, call):
        least = self.habits.get("longer-than", 0)
        if len(bytes(call.invite)) <= least:
            call.fault(f"the INVITE is {len(bytes(call.invite))} bytes long: this carrier is to try one of more than {least}")
        if self.habits.get("trying", True):
            call.respond(call.invite, 100)

    def ring(self, call, seconds=None):
        """What this carrier says before the answer; a slow one takes its time."""
        time.sleep(self.habits.get("slow", 0) if seconds is None else seconds)
        for step in self.habits.get("ring", ["180"]):
            words = step.split()
            if words[0] == "update":
                self._update_early(call)
            elif words[0] == "wait":
                time.sleep(float(words[1]))
            else:
                self._progress_out(call, words)

    def _progress_out(self, call, words):
        reliable = "reliable" in words
        if reliable and "100rel" not in ",".join(split_list(",".join(call.invite.all("Supported")))):
            raise Failed("an INVITE without Supported: 100rel: this carrier refuses it with 421")
        body = ""
        if "sdp" in words:
            body = call.sdp(direction_of(call.offered or ""), call.offered)
            call.line.start(call.offered)
        call.provisional(int(words[0]), body, reliable)
        call.progressed = call.progressed or bool(body)

    def _update_early(self, call):
        """An offer in the early dialog (RFC 3311 5.1), as it has become clear what codec it is."""
        answer = call.change(method="UPDATE")
        if not answer.sdp:
            raise Failed(f"our UPDATE before the answer was answered without SDP: {answer.first}")

    def answer(self, call, seconds=None):
        """200; audio flows at once.  `seconds`: the session timer."""
        told = self.habits.get("answer", {}).get("sdp", "always")
        body = "" if call.progressed and told == "unless-early" else call.sdp(
            "sendrecv", call.offered) if call.invite.sdp else call.sdp()
        sent = call.accept(body, self._timer_of(call.invite, seconds or self.session_seconds))
        if call.offered:
            call.line.start(call.offered)
        return sent

    def _timer_of(self, invite, seconds):
        """Session-Expires in a 200, when the caller knows timers."""
        habit = self.habits.get("session")
        if not habit or "timer" not in ",".join(invite.all("Supported")):
            return []
        refresher = "uac" if habit["refresher"] == "gateway" else "uas"
        return [("Require", "timer"), ("Session-Expires", f"{seconds};refresher={refresher}")]

    def timer_headers(self, call):
        """The same in a request of ours."""
        habit = self.habits.get("session")
        if not habit:
            return []
        own = self.under("INVITE", call)
        supported = [] if any("timer" in v for _, v in own) else [("Supported", "timer")]
        shortest = [] if any(n == "Min-SE" for n, _ in own) else [("Min-SE", "90")]
        refresher = "uas" if habit["refresher"] == "gateway" else "uac"
        told = f"{self.session_seconds}" + (f";refresher={refresher}" if call or habit.get("insists") else "")
        return [*supported, ("Session-Expires", told), *shortest]

    def timer_answer(self, request):
        asked = request.header("Session-Expires")
        return super().timer_answer(request) if asked and self.habits.get("session") else []

    def hold(self, call):
        """As this carrier puts a call on hold."""
        way = self.habits.get("hold", "sendonly")
        call.line.silent = True
        if way == "zero":
            return call.change("sendrecv", address="0.0.0.0")
        return call.change(way)

    def resume(self, call):
        answer = call.change("sendrecv", offerless=self.habits.get("resume") == "offerless")
        call.line.silent = False
        return answer

    def rename(self, call):
        """Tells in mid-call that another speaks, and changes nothing else."""
        told = [("P-Asserted-Identity", f'"Operator" <sip:0@{bracketed(self.address)}>')]
        if self.habits["renames"] == "update":
            sent = call.request("UPDATE", "", told)
        else:
            call.version -= 1
            sent = call.request("INVITE", call.sdp(), told)
        answer = self.answer_to(sent, 10, call)
        if sent.method == "INVITE":
            self.acknowledge(call, sent, answer)
        if answer.status != 200:
            raise Failed(f"an {sent.method} with another name was answered by {answer.first}")

    def check(self):
        """What was wrong that belongs to no call."""
        return [*self.faults, *(f"past the proxy: {p}" for p in self.past)]
