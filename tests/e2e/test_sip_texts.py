# SPDX-License-Identifier: AGPL-3.0-or-later
"""Text messages by SIP MESSAGE: SIPp as the carrier, linphone and baresip as the softphones."""
from harness import ALICE, BOB, OUTSIDE, check
from peers.sipp_texts import TextSource, body_of

HERE = "127.0.0.1:5060"


def test_sip_texts_of_softphones(bench):
    """Two softphones of alice write to a number outside and are written to from there; by UDP and by TCP."""
    bench.gateway()
    carrier = bench.text_carrier()
    linphone = bench.linphone(texts=True)
    baresip = bench.softphone(name="desk", transport="tcp", texts_to=f"sip:{OUTSIDE}@{HERE}")
    linphone.text(f"sip:{OUTSIDE}@{HERE}", "from linphone")
    text = carrier.wait_text("from linphone")
    check(ALICE in text.header("From"), f"it comes from alice's number: {text.header('From')}")
    baresip.text("from baresip")
    carrier.wait_text("from baresip")
    carrier.send(ALICE, OUTSIDE, "from the carrier")
    for phone in linphone, baresip:
        phone.wait_said("from the carrier", seconds=30)
    check(len(carrier.texts()) == 2, f"each text comes once: {len(carrier.texts())}")


def test_sip_texts_in_order(bench):
    """Twenty of each softphone, and twenty to both of them."""
    bench.gateway(texts={"account_a_minute": 100})
    carrier = bench.text_carrier()
    linphone = bench.linphone(texts=True)
    baresip = bench.softphone(name="desk", texts_to=f"sip:{OUTSIDE}@{HERE}")
    numbers = range(20)
    for i in numbers:
        linphone.text(f"sip:{OUTSIDE}@{HERE}", f"linphone {i} of 20")
        baresip.text(f"baresip {i} of 20")
    for i in numbers:
        for name in "linphone", "baresip":
            carrier.wait_text(f"{name} {i} of 20", 30)
    for name in "linphone", "baresip":
        heard = [body_of(m) for m in carrier.transactions() if body_of(m).startswith(name)]
        check(heard == [f"{name} {i} of 20" for i in numbers], f"the carrier heard {heard}")
    bench.keep(TextSource(bench.folder, [(OUTSIDE, ALICE, f"carrier {i} of 20") for i in numbers]))
    for phone in linphone, baresip:
        for i in numbers:
            phone.wait_said(f"carrier {i} of 20", seconds=30)


def test_sip_texts_between_users(bench):
    """From alice's softphone to bob's: no carrier is needed between them."""
    bench.gateway()
    bob = bench.linphone("bob", texts=True)
    alice = bench.softphone(texts_to=f"sip:{BOB}@{HERE}")
    alice.text("hello bob")
    bob.wait_said("hello bob", seconds=30)


def test_sip_texts_carrier_asks(bench):
    """A carrier that wants a password, and one that is full at first: the text goes once, with its proof."""
    bench.gateway()
    asking = bench.text_carrier("asking", ("407 Proxy Authentication Required", "200 OK"), username="gw", password="pw")
    phone = bench.softphone(texts_to=f"sip:{OUTSIDE}@{HERE}")
    phone.text("with a password")
    asking.wait_text("with a password")
    proven = asking.wait_text("with a password")
    check('username="gw"' in (proven.header("Proxy-Authorization") or ""), "the second has the credentials")
    check(proven.header("CSeq") == "2 MESSAGE", f"and the next CSeq: {proven.header('CSeq')}")


def test_sip_texts_wait(bench):
    """A text to a softphone that is not there waits until it registers."""
    bench.gateway()
    carrier = bench.text_carrier()
    credential = bench.credential()
    carrier.send(ALICE, OUTSIDE, "for later")
    phone = bench.linphone(credential=credential, texts=True)
    phone.wait_said("for later", seconds=30)
