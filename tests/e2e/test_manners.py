# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an XMPP client sees of the gateway beside calls, with slixmpp, through both servers: the
address of a number, the account, names and pictures, who is on line, and the welcome."""
import base64
import hashlib
import struct

from harness import ALICE, CAROL, DOMAIN, GATEWAY, OUTSIDE, check
from peers.person import Person, Refused

GATEWAY_NS, REGISTER, VCARD = "jabber:iq:gateway", "jabber:iq:register", "vcard-temp"
PREMIUM = "+19005550123"


def person(bench, account="alice"):
    return bench.keep(Person(account, bench.server.port, DOMAIN))


def prompt(alice, text):
    answer = alice.ask("set", GATEWAY, f"<query xmlns='{GATEWAY_NS}'><prompt>{text}</prompt></query>")
    return answer.findtext(f"{{{GATEWAY_NS}}}jid")


def refusal(ask):
    try:
        ask()
    except Refused as refused:
        print(f"refused: {refused}")
        return refused.condition
    return None


def addresses(bench, alice):
    asked = alice.ask("get", GATEWAY, f"<query xmlns='{GATEWAY_NS}'/>")
    check(asked.findtext(f"{{{GATEWAY_NS}}}prompt") == "Telephone number", "the prompt has other words")
    bench.tandem.ctl("user", "set", f"alice@{DOMAIN}", "country=DE")
    for text, jid in (("0171 1234567", f"+491711234567@{GATEWAY}"), (OUTSIDE, f"{OUTSIDE}@{GATEWAY}"), ("112", f"112@{GATEWAY}")):
        check(prompt(alice, text) == jid, f"{text} is {prompt(alice, text)}")
    check(refusal(lambda: prompt(alice, "grandma")) == "item-not-found", "a word is a number")
    account = alice.ask("get", GATEWAY, f"<query xmlns='{REGISTER}'/>")
    check(account.find(f"{{{REGISTER}}}registered") is not None, "she is not registered")
    check(ALICE in account.findtext(f"{{{REGISTER}}}instructions"), "it does not say her number")
    check(refusal(lambda: alice.ask("set", GATEWAY, f"<query xmlns='{REGISTER}'><remove/></query>")) == "not-allowed",
          "an account may be removed")
    identities, features = alice.features(GATEWAY)
    check(("gateway", "pstn") in identities and {GATEWAY_NS, REGISTER, VCARD} <= features, f"{identities} {features}")


def picture(alice, jid):
    card = alice.ask("get", jid, f"<vCard xmlns='{VCARD}'/>")
    data = base64.b64decode(card.findtext(f"{{{VCARD}}}PHOTO/{{{VCARD}}}BINVAL"))
    check(data.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", data[16:24]) == (96, 96), f"the picture of {jid}")
    return card, hashlib.sha1(data).hexdigest()


def contacts(alice):
    """Each is on line or not, and its presence says which picture it has."""
    for jid, full in ((GATEWAY, GATEWAY), (f"{OUTSIDE}@{GATEWAY}", f"{OUTSIDE}@{GATEWAY}/gw")):
        alice.subscribe(jid)
        seen = alice.sees(full)
        card, digest = picture(alice, jid)
        check(seen["{vcard-temp:x:update}x"].findtext("{vcard-temp:x:update}photo") == digest, f"{jid} announces another picture")
        url = card.findtext(f"{{{VCARD}}}URL")
        check(url == (f"tel:{OUTSIDE}" if "@" in jid else f"xmpp:{GATEWAY}"), f"the URL is {url}")
    alice.subscribe(f"{PREMIUM}@{GATEWAY}")
    alice.sees(f"{PREMIUM}@{GATEWAY}", "unavailable")


def news(bench, alice):
    """The number is given, moved and taken while she is there; the account goes and comes."""
    other = "+15555550177"
    jid, ctl = f"alice@{DOMAIN}", bench.tandem.ctl
    ctl("number", "add", other, jid)
    alice.reads(GATEWAY, f"You have one more telephone number: {other}")
    ctl("number", "set", other, f"user=bob@{DOMAIN}")
    alice.reads(GATEWAY, f"{other} is no longer yours")
    ctl("user", "set", jid, "enabled=no")
    alice.reads(GATEWAY, "switched off")
    alice.sees(f"{OUTSIDE}@{GATEWAY}", "unavailable")
    check(refusal(lambda: alice.ask("get", GATEWAY, f"<query xmlns='{GATEWAY_NS}'/>")) == "forbidden",
          "who is switched off is served")
    ctl("user", "set", jid, "enabled=yes")
    alice.reads(GATEWAY, "switched on again")
    alice.sees(f"{OUTSIDE}@{GATEWAY}/gw")


def all_of_it(bench):
    bench.gateway(start=False, gateway={"country": "US"})
    bench.tandem.start()
    alice = person(bench)
    ctl = bench.tandem.ctl
    ctl("trunk", "add", "carrier", "127.0.0.1", "port=9", "options-seconds=0")
    ctl("user", "add", f"alice@{DOMAIN}")
    ctl("number", "add", ALICE, f"alice@{DOMAIN}")
    welcome = alice.reads(GATEWAY, "Welcome")
    print(welcome)
    check(ALICE in welcome and f"@{GATEWAY}" in welcome, "the welcome lacks the number or how to call")
    ctl("user", "add", f"bob@{DOMAIN}")
    bob = person(bench, "bob")
    addresses(bench, alice)
    contacts(alice)
    news(bench, alice)
    texts = [c.body for c in alice.texts() if c.sender.bare == GATEWAY]
    check(len(texts) == 5, f"she was told {len(texts)} times: {texts}")
    bob.reads(GATEWAY, "Welcome")
    return alice


def test_manners(bench):
    alice = all_of_it(bench)
    # what is given while the gateway is down is told once, when it is up; nothing is told again
    told = len(alice.texts())
    bench.tandem.stop()
    bench.tandem.ctl("number", "add", CAROL, f"alice@{DOMAIN}")
    bench.tandem.start()
    alice.reads(GATEWAY, f"You have one more telephone number: {CAROL}")
    bench.tandem.stop()
    bench.tandem.start()
    bench.tandem.wait_online()
    alice.features(GATEWAY)
    bench.tandem.ctl("number", "del", CAROL)
    alice.reads(GATEWAY, f"{CAROL} is no longer yours")
    check(len(alice.texts()) == told + 2, f"she was told {alice.texts()[told:]}")


def test_manners_ejabberd(bench):
    bench.ejabberd()
    all_of_it(bench)
