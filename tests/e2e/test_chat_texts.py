# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts in the chat with a number: slixmpp through Prosody and ejabberd."""
from pathlib import Path

from harness import ALICE, BOB, DOMAIN, GATEWAY, OUTSIDE, check
from peers.xmpp import XmppPhone

NUMBER = f"{OUTSIDE}@{GATEWAY}"
# Debian's interpreter, which has Debian's slixmpp
PROGRAM = ["/usr/bin/python3", Path(__file__).resolve().parent / "peers" / "chatter.py"]


class Chatter(XmppPhone):
    def say(self, to, text, **more):
        """Its id."""
        self._tell("say", to=to, what=text, **more)
        return self.wait("said")["id"]


def chatter(bench, account, resource="chat"):
    return bench.keep(Chatter(bench.folder, PROGRAM, account, resource, bench.server.port, DOMAIN, "A")).login()


def read(phone, sender, text, seconds=20):
    chat = phone.wait("chat", seconds, body=text)
    check(chat["from"] == sender and chat["type"] == "chat", f"{chat} is not from {sender}")
    return chat


def between_users(bench):
    """Both ways; no carrier is needed.  The receipt is that of the other's client; what comes twice goes once."""
    bench.gateway()
    alice, bob = chatter(bench, "alice"), chatter(bench, "bob")
    about = alice.say(f"{BOB}@{GATEWAY}", "Grüße & <hello>")
    chat = read(bob, f"{ALICE}@{GATEWAY}", "Grüße & <hello>")
    check(chat["id"].startswith("text-"), f"it has an id of the gateway: {chat}")
    alice.wait("receipt", id=about, **{"from": f"{BOB}@{GATEWAY}"})
    bob.say(f"{ALICE}@{GATEWAY}", "hello alice")
    read(alice, f"{BOB}@{GATEWAY}", "hello alice")
    for _ in range(2):
        alice.say(f"{BOB}@{GATEWAY}", "once", id="same")
    alice.say(f"{BOB}@{GATEWAY}", "more", more="<replace xmlns='urn:xmpp:message-correct:0' id='same'/>")
    read(bob, f"{ALICE}@{GATEWAY}", "once")
    check(bob.wait("chat")["body"] == "Correction: more", "the second \"once\" has not come")
    check(not alice.has("bounced"), "nothing comes back")


def test_chat_texts_prosody(bench):
    between_users(bench)


def test_chat_texts_ejabberd(bench):
    bench.ejabberd()
    between_users(bench)


def test_chat_texts_refused(bench):
    """No trunk takes texts, nobody has the number, nobody can read it: each is said, at the message."""
    bench.gateway()
    alice = chatter(bench, "alice")
    omemo = ("<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AA==</payload></encrypted>")
    for to, text, more, part in ((NUMBER, "hello", "", "texts"),
                                 (f"112@{GATEWAY}", "help", "", "emergency"),
                                 (f"nobody@{GATEWAY}", "hello", "", "no telephone number"),
                                 (NUMBER, "cannot be read", omemo, "encrypted")):
        about = alice.say(to, text, more=more)
        bounce = alice.wait("bounced", id=about)
        check(part in bounce["text"], f"it says {bounce['text']!r}, not {part!r}")
    line = alice.wait("chat")
    check("switch encryption off" in line["body"], f"it says {line['body']!r}")


def test_chat_texts_to_who_is_away(bench):
    """A server that keeps nothing gives the text back: it comes when she is there, with its time."""
    bench.gateway()
    bob = chatter(bench, "bob")
    about = bob.say(f"{ALICE}@{GATEWAY}", "for later")
    alice = chatter(bench, "alice")
    read(alice, f"{BOB}@{GATEWAY}", "for later", 40)
    bob.wait("receipt", id=about)
