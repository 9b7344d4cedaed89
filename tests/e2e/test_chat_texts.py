# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts in the chat with a number: slixmpp through Prosody and ejabberd."""
from harness import ALICE, BOB, DOMAIN, GATEWAY, OUTSIDE, check
from peers.person import Person
from peers.process import until

NUMBER = f"{OUTSIDE}@{GATEWAY}"


def person(bench, account):
    return bench.keep(Person(account, bench.server.port, DOMAIN))


def write(someone, to, text, **more):
    """Its id, which is all that names it: no origin-id."""
    return someone.say(to, text, origin=False, **more)


def read(someone, sender, text, seconds=20):
    chat = someone.wait_text(text, seconds)
    check(chat.sender.full == sender and chat.type == "chat", f"{chat} is not from {sender}")
    return chat


def between_users(bench):
    """Both ways; no carrier is needed.  The receipt is that of the other's client; what comes twice goes once."""
    bench.gateway()
    alice, bob = person(bench, "alice"), person(bench, "bob")
    about = write(alice, f"{BOB}@{GATEWAY}", "Grüße & <hello>")
    chat = read(bob, f"{ALICE}@{GATEWAY}", "Grüße & <hello>")
    check(chat.id.startswith("text-"), f"it has an id of the gateway: {chat}")
    until(lambda: (f"{BOB}@{GATEWAY}", about) in alice.receipts(), 15, "the receipt")
    write(bob, f"{ALICE}@{GATEWAY}", "hello alice")
    read(alice, f"{BOB}@{GATEWAY}", "hello alice")
    for _ in range(2):
        write(alice, f"{BOB}@{GATEWAY}", "once", name="same")
    write(alice, f"{BOB}@{GATEWAY}", "more", extra="<replace xmlns='urn:xmpp:message-correct:0' id='same'/>")
    read(bob, f"{ALICE}@{GATEWAY}", "once")
    bob.wait_text("Correction: more")
    write(alice, f"{BOB}@{GATEWAY}", "no carbon", extra="<private xmlns='urn:xmpp:carbons:2'/>")
    bob.wait_text("no carbon")
    check([c.body for c in bob.texts()][1:] == ["once", "Correction: more", "no carbon"], f"bob reads {bob.texts()}")
    check(not alice.errors(), "something comes back")


def test_chat_texts_prosody(bench):
    between_users(bench)


def test_chat_texts_ejabberd(bench):
    bench.ejabberd()
    between_users(bench)


def test_chat_texts_refused(bench):
    """No trunk takes texts, nobody has the number, nobody can read it: each is said, at the message."""
    bench.gateway()
    alice = person(bench, "alice")
    omemo = ("<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AA==</payload></encrypted>")
    for to, text, more, part in ((NUMBER, "hello", "", "texts"),
                                 (f"112@{GATEWAY}", "help", "", "emergency"),
                                 (f"nobody@{GATEWAY}", "hello", "", "no telephone number"),
                                 (NUMBER, "cannot be read", omemo, "encrypted")):
        words = alice.wait_error(write(alice, to, text, extra=more)).words
        check(part in words, f"it says {words!r}, not {part!r}")
    until(alice.texts, 15, "a line in the chat")
    check("switch encryption off" in alice.texts()[0].body, f"it says {alice.texts()[0].body!r}")


def test_chat_texts_to_who_is_away(bench):
    """A server that keeps nothing gives the text back: it comes when she is there, with its time."""
    bench.gateway()
    bob = person(bench, "bob")
    about = write(bob, f"{ALICE}@{GATEWAY}", "for later")
    alice = person(bench, "alice")
    read(alice, f"{BOB}@{GATEWAY}", "for later", 40)
    bob.wait_received(about)
