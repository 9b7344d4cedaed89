# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person at a keyboard: slixmpp, logged in, in a thread of its own; asks what it is told to and
keeps what comes."""
import asyncio
import threading

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .process import Failed, until

SECONDS = 15
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Refused(Exception):
    """An answer of type error: its condition, and what it says to a person."""

    def __init__(self, error):
        [condition] = [child.tag.removeprefix(STANZAS) for child in error if child.tag.startswith(STANZAS)
                       and child.tag != STANZAS + "text"]
        self.condition, self.words = condition, error.findtext(STANZAS + "text") or ""
        super().__init__(f"{self.condition}: {self.words}")


class Person:
    def __init__(self, account, port, domain, resource="keyboard", password="pw"):
        self.jid = f"{account}@{domain}"
        self.texts, self.presences = [], []  # (bare JID, body); (full JID, type, children by tag)
        self._ready = threading.Event()
        self._online = threading.Event()
        self._args = (f"{self.jid}/{resource}", password, port)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(SECONDS) or not self._online.wait(SECONDS):
            raise Failed(f"{self.jid} is not on line")

    def _run(self):
        asyncio.set_event_loop(asyncio.new_event_loop())
        jid, password, port = self._args
        self.client = slixmpp.ClientXMPP(jid, password)
        self.client.auto_authorize, self.client.auto_subscribe = True, True
        self.client["feature_mechanisms"].unencrypted_plain = True
        for name, take in (("message", self._message), ("presence", self._presence)):
            self.client.register_handler(Callback(f"every {name}", MatchXPath(f"{{jabber:client}}{name}"), take))
        self.client.add_event_handler("session_start", self._begin)
        self.client.connect(("127.0.0.1", port), disable_starttls=True)
        self._ready.set()
        self.client.loop.run_forever()

    async def _begin(self, _):
        await self.client.get_roster()
        self.client.send_presence()
        self._online.set()

    def _message(self, message):
        if message["body"]:
            self.texts.append((message["from"].bare, message["body"]))

    def _presence(self, presence):
        self.presences.append((presence["from"].full, presence.xml.get("type"),
                               {child.tag: child for child in presence.xml}))

    def _do(self, what):
        """In the client's thread; its result."""
        return asyncio.run_coroutine_threadsafe(what, self.client.loop).result(SECONDS)

    def stop(self):
        async def end():
            await self.client.disconnect(wait=1)
        self._do(end())
        self.client.loop.call_soon_threadsafe(self.client.loop.stop)
        self._thread.join(SECONDS)

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
            raise Refused(error.iq.xml.find("{jabber:client}error")) from None
        return children[0] if children else None

    def features(self, jid):
        """(identities as (category, type), features)."""
        query = self.ask("get", jid, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        name = "{http://jabber.org/protocol/disco#info}"
        return ({(i.get("category"), i.get("type")) for i in query.iter(name + "identity")},
                {f.get("var") for f in query.iter(name + "feature")})

    def say(self, to, text):
        async def now():
            self.client.send_message(to, text, mtype="chat")
        self._do(now())

    def show(self, show=None, **more):
        async def now():
            self.client.send_presence(pshow=show, **more)
        self._do(now())

    def subscribe(self, jid):
        async def now():
            self.client.send_presence_subscription(jid, ptype="subscribe")
        self._do(now())

    def reads(self, sender, part, seconds=SECONDS):
        """The first text of that sender with that in it."""
        return until(lambda: next((body for who, body in list(self.texts) if who == sender and part in body), None), seconds,
                     f"{self.jid} to read {part!r}; read {self.texts}")

    def sees(self, jid, kind=None, seconds=SECONDS):
        """The children of the last presence of that JID when it is of that type."""
        def last():
            all_of = [(k, children) for who, k, children in list(self.presences) if who == jid]
            return all_of[-1][1] or True if all_of and all_of[-1][0] == kind else None
        return until(last, seconds, f"presence {kind or 'available'} of {jid}; there were {[p[:2] for p in self.presences]}")
