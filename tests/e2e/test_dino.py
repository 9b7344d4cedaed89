# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dino 0.4 itself: its texts to a telephone and back."""
from harness import ALICE, GATEWAY, OUTSIDE, check
from peers.sipp_texts import body_of

NUMBER = f"{OUTSIDE}@{GATEWAY}"
TEXTS = 20


def test_dino_texts(bench):
    bench.prosody(certificate=bench.certificate("localhost")["tls_certificate"])  # Dino logs in with TLS alone
    bench.gateway()
    phone = bench.dino()
    far = bench.text_carrier()
    for i in range(TEXTS):
        phone.say(NUMBER, f"out {i}")
        phone.wait("marked", 30, **{"body": f"out {i}", "as": "sent"})  # what is typed at once Dino sends in any order
    for i in range(TEXTS):
        far.wait_text(f"out {i}", 30)
        phone.wait("marked", 30, **{"body": f"out {i}", "as": "received"})
    for i in range(TEXTS):
        far.send(ALICE, OUTSIDE, f"in {i}")
    heard = [phone.wait("chat", 30)["body"] for _ in range(TEXTS)]
    check(heard == [f"in {i}" for i in range(TEXTS)], f"Dino heard {heard}")
    sent = [body_of(m) for m in far.transactions()]
    check(sent == [f"out {i}" for i in range(TEXTS)], f"the carrier heard {sent}")
