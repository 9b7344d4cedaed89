# SPDX-License-Identifier: AGPL-3.0-or-later
"""The other XMPP server people run: a call out and a call in through ejabberd."""
from harness import BOB, check, hear
from test_calls import SIP, call_out_and_back


def test_ejabberd_call_out_and_in(bench):
    bench.ejabberd()
    bench.gateway()
    carrier, alice, bob = bench.carrier(), bench.webrtc("alice"), bench.webrtc("bob", plays="B")
    call_out_and_back(bench, alice, carrier=carrier)

    leg = carrier.call(BOB, SIP)
    bob.wait("incoming")
    leg.wait(180)
    bob.answer()
    leg.wait_answer()
    bob.wait("up")
    bench.talk()
    leg.hangup()
    bob.wait("ended", by="peer")
    hear(leg, bob)
    check(bench.tandem.last_record()["ended-by"] == "caller", "who hung up is not in the record")
