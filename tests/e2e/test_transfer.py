# SPDX-License-Identifier: AGPL-3.0-or-later
"""A call goes on between others: REFER from a softphone, blind and attended."""
import time

import audio
from harness import ALICE, BOB, DOMAIN, GATEWAY, OUTSIDE, check
from peers.process import until

SIP = "127.0.0.1:5060"
PART = 2.5  # seconds


def hear_each_other(bench, one, other, ends):
    """From now on, the call being over in the end."""
    began = time.time() + 0.6
    bench.talk(PART + 0.6)
    over = time.time()
    ends()
    for listener, speaker in ((one, other), (other, one)):
        heard = audio.analyse(audio.between(listener.heard()[0], began, over), speaker.plays)
        print(f"{listener.title} heard {heard}")
        check(heard.present and heard.seconds > PART - 0.5 and heard.loss < 0.01, f"{listener.title} heard {heard}")


def answered_by_alice(bench, carrier, phone):
    """A call from outside to her softphone."""
    leg = carrier.call(ALICE, SIP)
    phone.wait_call()
    phone.answer()
    leg.wait_answer()
    bench.talk(1)
    return leg


def told(phone, result):
    phone.wait_said("NOTIFY sip:", "Subscription-State: terminated")
    phone.wait_said(f"SIP/2.0 {result}")


def test_transfer_blind(bench):
    """A caller from outside is sent on to another number; her phone is free then."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.softphone(plays="B")
    caller = answered_by_alice(bench, carrier, phone)
    phone.transfer(f"sip:{OUTSIDE}@{SIP}")
    called = carrier.wait_call(plays="B")
    called.ring()
    phone.wait_said("SIP/2.0 180 Ringing")  # in a NOTIFY
    called.answer()
    told(phone, "200 OK")
    phone.wait_said("BYE sip:")
    check(ALICE in called.invite.header("From"), f"who calls: {called.invite.header('From')}")
    hear_each_other(bench, caller, called, caller.hangup)
    called.wait_end()
    rows = bench.tandem.calls()
    check([row["reason"] for row in rows] == ["hangup", "transferred", "hangup"], f"recorded as {rows}")
    check(rows[0]["seconds"] >= 2 and "The rest of call 2" in rows[0]["text"], f"the rest is recorded as {rows[0]}")


def test_transfer_is_refused(bench):
    """The other number is busy: she is told, and talks on."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.linphone(plays="B")
    caller = answered_by_alice(bench, carrier, phone)
    phone.transfer(f"sip:{OUTSIDE}@{SIP}")
    carrier.wait_call().refuse(486)
    told(phone, "486 Busy Here")
    hear_each_other(bench, caller, phone, caller.hangup)
    phone.wait_over()


def test_transfer_of_a_client(bench):
    """An XMPP client calls her, and is sent on to another XMPP client."""
    bench.gateway()
    phone = bench.softphone(plays="B")
    carol, bob = bench.webrtc("carol", "A"), bench.aiortc("bob", "B")
    carol.call(f"{ALICE}@{GATEWAY}")
    phone.wait_call()
    phone.answer()
    carol.wait("up")
    bench.talk(1)
    phone.transfer(f"sip:{BOB}@{SIP}")
    bob.wait("incoming")
    bob.answer()
    bob.wait("up")
    phone.wait_said("BYE sip:")
    hear_each_other(bench, carol, bob, carol.hangup)
    bob.wait("ended", by="peer")


def test_transfer_by_who_called(bench):
    """She has called out, and sends whom she has called to an XMPP client."""
    bench.gateway()
    carrier, phone, bob = bench.carrier(), bench.softphone(plays="A"), bench.webrtc("bob", "A")
    phone.call(f"sip:{OUTSIDE}@{SIP}")
    called = carrier.wait_call()
    called.answer()
    phone.wait("CALL_ESTABLISHED")
    bench.talk(1)
    phone.transfer(f"sip:bob%40{DOMAIN}@{SIP}")
    bob.wait("incoming")
    bob.answer()
    bob.wait("up")
    phone.wait_said("BYE sip:")
    hear_each_other(bench, called, bob, bob.hangup)
    called.wait_end()


def test_transfer_attended(bench):
    """She asks the other first, both on hold in turn, and then joins the two."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.linphone(plays="B")
    caller = carrier.call(ALICE, SIP)
    phone.wait_call()
    phone.answer()
    caller.wait_answer()
    bench.talk(1)
    phone.hold()
    caller.wait_change("sendonly")
    phone.call(f"sip:{OUTSIDE}@{SIP}")
    called = carrier.wait_call(plays="B")
    called.answer()
    phone.wait_said("moving from state LinphoneCallConnected to LinphoneCallStreamsRunning")
    bench.talk(1)
    phone.join(1, 2)
    caller.wait_change("sendrecv")
    hear_each_other(bench, caller, called, called.hangup)
    caller.wait_end()


def test_transfer_by_a_client(bench):
    """XEP-0251: she calls out from her XMPP client and hands the call to a colleague."""
    bench.gateway()
    carrier, alice, bob = bench.carrier(), bench.webrtc("alice", "A"), bench.aiortc("bob", "A")
    alice.call(f"{OUTSIDE}@{GATEWAY}")
    called = carrier.wait_call()
    called.answer()
    alice.wait("up")
    bench.talk(1)
    alice.transfer(f"bob@{DOMAIN}")
    bob.wait("incoming")
    bob.answer()
    bob.wait("up")
    ended = alice.wait("ended", by="peer")
    check(ended["reason"] == "success", f"she was told {ended}")
    hear_each_other(bench, called, bob, bob.hangup)
    called.wait_end()


def moves(bench, phone, tablet, leg):
    """To another device of hers, which calls the number that the other talks to."""
    bench.talk(1)
    tablet.call(f"{OUTSIDE}@{GATEWAY}")
    tablet.wait("up")
    ended = phone.wait("ended", by="peer")
    check(ended["reason"] == "success", f"the old device was told {ended}")
    log = bench.folder / f"{phone.name}.xml"
    until(lambda: "<migrated to=" in log.read_text(), 5, "a word about where the session went")
    hear_each_other(bench, leg, tablet, leg.hangup)
    tablet.wait("ended", by="peer")
    rows = bench.tandem.calls()
    check([row["reason"] for row in rows] == ["answered-elsewhere", "hangup"], f"recorded as {rows}")


def test_call_out_moves_to_another_device(bench):
    """XEP-0353, "Existing session": the telephone hears nothing of it."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc("alice", "A", resource="phone")
    phone.call(f"{OUTSIDE}@{GATEWAY}")
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up")
    moves(bench, phone, bench.aiortc("alice", "A", resource="tablet"), leg)


def test_call_in_moves_to_another_device(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc("alice", "B", resource="phone")
    leg = carrier.call(ALICE, SIP, caller=OUTSIDE)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    phone.wait("up")
    moves(bench, phone, bench.webrtc("alice", "B", resource="tablet"), leg)


def test_transfer_not_by_a_carrier(bench):
    """It may not make us call somebody."""
    bench.gateway()
    telephone = bench.baresip(user=OUTSIDE, plays="B")
    alice = bench.webrtc()
    alice.call(f"{OUTSIDE}@{GATEWAY}")
    telephone.wait_call()
    telephone.answer()
    alice.wait("up")
    telephone.transfer(f"sip:{BOB}@{SIP}", "603 Decline")
    alice.wait("ended", by="peer")  # it takes that for the end of the call
    check(len(bench.tandem.calls()) == 1, f"somebody has been called: {bench.tandem.calls()}")
