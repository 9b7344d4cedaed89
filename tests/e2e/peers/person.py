# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person at a keyboard: slixmpp, logged in as a client of an account, in a thread of its own.

Writes and asks what it is told to, and keeps all that comes, in order.  The client comes back
by itself when its server does.
"""
import asyncio
import dataclasses
import threading
import time
import uuid

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .process import until

SECONDS = 15
CLIENT = "{jabber:client}"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
RECEIPTS, STANZA_ID = "{urn:xmpp:receipts}", "{urn:xmpp:sid:0}"


def error_of(xml):
    """(condition, words) of a stanza of type error; ("", "") of another."""
    error = xml.find(f"{CLIENT}error")
    if error is None:
        return "", ""
    [condition] = [child.tag.removeprefix(STANZAS) for child in error if child.tag.startswith(STANZAS)
                   and child.tag != STANZAS + "text"]
    return condition, error.findtext(STANZAS + "text") or ""


class Refused(Exception):
    """An answer of type error: its condition, and what it says to a person."""

    def __init__(self, iq):
        self.condition, self.words = error_of(iq)
        super().__init__(f"{self.condition}: {self.words}")


@dataclasses.dataclass
class Chat:
    """A message that has come."""
    at: float
    sender: slixmpp.JID
    id: str
    type: str
    body: str
    receipt: str    # the id of the message that it says has been received; or ""
    delayed: bool   # it says when it was written (XEP-0203)
    condition: str  # of an error; or ""
    words: str


@dataclasses.dataclass
class Page:
    """What an ad-hoc command has answered."""
    status: str    # "executing", "completed", "canceled"
    session: str
    actions: set   # of "next", "prev", "complete"
    notes: list
    fields: dict   # name → field of slixmpp, of a form to fill in
    rows: list     # of a result


class Person:
    """One client of an account; it confirms what asks for that (XEP-0184)."""

    def __init__(self, account, port, domain, resource="keyboard", password="pw"):
        self.jid, self.name = f"{account}@{domain}", f"{account}-{resource}"
        self.chats, self.presences = [], []  # Chat; (full JID, type, children by tag)
        self.sent = []                       # (id, to, body)
        self._received, self._errors = set(), {}  # as they come: thousands are asked for again and again
        self._online, self._closing = threading.Event(), False
        self._args = (f"{self.jid}/{resource}", password, port)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(self._online.is_set, 20, f"{self.name} to be on line")

    def _run(self):
        asyncio.set_event_loop(self.loop)
        jid, password, _ = self._args
        self.client = slixmpp.ClientXMPP(jid, password)
        self.client.auto_authorize, self.client.auto_subscribe = True, True
        for plugin in ("xep_0004", "xep_0030", "xep_0050"):
            self.client.register_plugin(plugin)
        self.client["feature_mechanisms"].unencrypted_plain = True
        for name, take in (("message", self._message), ("presence", self._presence)):
            self.client.register_handler(Callback(f"every {name}", MatchXPath(CLIENT + name), take))
        self.client.add_event_handler("session_start", self._begin)
        self.client.add_event_handler("disconnected", lambda _: self._closing or self.loop.call_later(0.5, self._connect))
        self._connect()
        self.loop.run_forever()

    def _connect(self):
        self.client.connect(("127.0.0.1", self._args[2]), disable_starttls=True)

    async def _begin(self, _):
        await self.client.get_roster()
        self.client.send_presence()
        self._online.set()

    def _message(self, message):
        received = message.xml.find(RECEIPTS + "received")
        chat = Chat(time.time(), message["from"], message["id"], message.xml.get("type", "normal"), message["body"],
                    "" if received is None else received.get("id", ""),
                    message.xml.find("{urn:xmpp:delay}delay") is not None, *error_of(message.xml))
        self.chats.append(chat)
        if chat.receipt:
            self._received.add(chat.receipt)
        if chat.type == "error":
            self._errors[chat.id] = chat
        if message["type"] != "error" and message.xml.find(RECEIPTS + "request") is not None:
            answer = self.client.make_message(message["from"], mtype=message["type"])
            answer.xml.append(ET.Element(RECEIPTS + "received", {"id": message["id"]}))
            answer.send()

    def _presence(self, presence):
        self.presences.append((presence["from"].full, presence.xml.get("type"),
                               {child.tag: child for child in presence.xml}))

    def _do(self, what):
        """In the client's thread; its result."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(SECONDS)

    def stop(self):
        self._closing = True

        async def end():
            await self.client.disconnect(wait=0.2)
            for task in asyncio.all_tasks(self.loop) - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            self.loop.stop()
        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self._thread.join(SECONDS)

    # what it asks and shows

    def ask(self, kind, to, xml):
        """An iq; the child of its result, or None.  Refused: an error came."""
        async def now():
            iq = self.client.make_iq(ito=to)
            iq["type"] = kind
            iq.xml.append(ET.fromstring(xml))
            return await iq.send(timeout=SECONDS)
        try:
            children = list(self._do(now()).xml)
        except IqError as error:
            raise Refused(error.iq.xml) from None
        return children[0] if children else None

    def features(self, jid):
        """(identities as (category, type), features)."""
        query = self.ask("get", jid, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        name = "{http://jabber.org/protocol/disco#info}"
        return ({(i.get("category"), i.get("type")) for i in query.iter(name + "identity")},
                {f.get("var") for f in query.iter(name + "feature")})

    def show(self, show=None, **more):
        async def now():
            self.client.send_presence(pshow=show, **more)
        self._do(now())

    def subscribe(self, jid):
        async def now():
            self.client.send_presence_subscription(jid, ptype="subscribe")
        self._do(now())

    # ad-hoc commands, by slixmpp's own XEP-0050 and XEP-0004

    def commands(self, jid):
        """node → name"""
        async def now():
            return await self.client["xep_0050"].get_commands(jid, timeout=SECONDS)
        return {node: name for _, node, name in self._do(now())["disco_items"]["items"]}

    def command(self, jid, node, action="execute", session=None, values=None):
        """Page of the answer.  Refused: an error came."""
        async def now():
            payload = None
            if values is not None:
                payload = self.client["xep_0004"].make_form(ftype="submit")
                for name, value in values.items():
                    payload.add_field(var=name, value=value)
            return await self.client["xep_0050"].send_command(jid, node, action=action, sessionid=session, payload=payload,
                                                              timeout=SECONDS)
        try:
            answer = self._do(now())["command"]
        except IqError as error:
            raise Refused(error.iq.xml) from None
        form = answer["form"]
        return Page(answer["status"], answer["sessionid"], set(answer["actions"]), [text for _, text in answer["notes"]],
                    {field["var"]: field for field in form.get_fields().values()} if form.get("type") == "form" else {},
                    form["items"] if form.get("type") == "result" else [])

    # what it writes and reads

    def say(self, to, body, name=None, extra="", origin=True):
        """The id of the message, which asks for a receipt and does not wait to be sent.  `extra`: XML
        of further children; `origin`: with an origin-id (XEP-0359)."""
        name = name or uuid.uuid4().hex
        self.sent.append((name, to, body))

        def now():
            message = self.client.make_message(to, body, mtype="chat")
            message["id"] = name
            if origin:
                message.xml.append(ET.Element(STANZA_ID + "origin-id", {"id": name}))
            message.xml.append(ET.Element(RECEIPTS + "request"))
            message.xml.extend(ET.fromstring(f"<x xmlns='jabber:client'>{extra}</x>"))
            message.send()
        self.loop.call_soon_threadsafe(now)
        return name

    def texts(self):
        """What people have written to it."""
        return [c for c in list(self.chats) if c.body and c.type != "error"]

    def receipts(self):
        """(JID, id of what was sent) of those that have come"""
        return {(c.sender.full, c.receipt) for c in list(self.chats) if c.receipt}

    def received(self):
        """The ids of what was sent and has been received."""
        return set(self._received)

    def n_settled(self):
        """How many of what was sent have been received, or refused."""
        return len(self._received) + len(self._errors)

    def errors(self):
        """id of what was sent → Chat"""
        return dict(self._errors)

    def reads(self, sender, part, seconds=SECONDS):
        """The first text of that bare JID with that in it: the body."""
        return until(lambda: next((c.body for c in list(self.chats) if c.sender.bare == sender and part in c.body), None), seconds,
                     f"{self.name} to read {part!r}; read {[c.body for c in self.chats]}")

    def wait_text(self, body, seconds=SECONDS):
        return until(lambda: next((c for c in self.texts() if c.body == body), None), seconds, f"{body!r} at {self.name}")

    def wait_received(self, name, seconds=SECONDS):
        until(lambda: name in self.received(), seconds, f"the receipt of {name} at {self.name}")

    def wait_error(self, name, seconds=SECONDS):
        return until(lambda: self.errors().get(name), seconds, f"the error about {name} at {self.name}")

    def sees(self, jid, kind=None, seconds=SECONDS):
        """The children of the last presence of that JID when it is of that type."""
        def last():
            all_of = [(k, children) for who, k, children in list(self.presences) if who == jid]
            return all_of[-1][1] or True if all_of and all_of[-1][0] == kind else None
        return until(last, seconds, f"presence {kind or 'available'} of {jid}; there were {[p[:2] for p in self.presences]}")
