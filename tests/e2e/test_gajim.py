# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gajim 1.7 itself, which knows no DTLS: calls without encryption where they are allowed, and
the words for it where they are not."""
import audio
from codec_rows import BRIGHT, Client, carrier, told
from harness import ALICE, GATEWAY, OUTSIDE, alone, check, hear
from peers.process import until

CLEAR = "not encrypted between the client and the gateway"
MAX_LOSS = 0.06  # a key takes the place of 160 ms


def begin(bench, without=(), **xmpp):
    """Gajim, with the telephone among its contacts."""
    bench.gateway(xmpp=xmpp)
    far = carrier(bench)
    phone = bench.gajim(without=without)
    phone.subscribe(f"{OUTSIDE}@{GATEWAY}")
    phone.wait("presence", 30)
    return Client(phone), far


def one_call(bench, gajim, far, codec, calls, own=None):
    """`own`: what Gajim speaks, where the telephone speaks another."""
    far.use(codec)
    caller, callee = (gajim, far) if calls else (far, gajim)
    caller.dial(far.number if calls else ALICE)
    callee.wait_ringing()
    callee.answer()
    gajim.wait_up()
    bench.talk(4)
    gajim.phone.press("7")
    until(lambda: [digit for digit, _, _ in far.call.line.keys()] == ["7"], 10, "the key 7 at the telephone")
    live = bench.tandem.calls()[0]
    check(CLEAR in (live["text"] or ""), f"calls says {live}")
    if calls:
        gajim.hangup()
        far.wait_over()
    else:
        far.hangup()
        gajim.wait_over()
    kept = gajim.kept(), far.kept()
    heard = hear(*kept, MAX_LOSS, MAX_LOSS)
    treble = [audio.treble(k.recording) for k in kept]
    print(f"{codec}, {'out' if calls else 'in'}: Gajim heard {heard[0]}, {treble[0]:.0f} dB; the telephone heard {heard[1]}, "
          f"{treble[1]:.0f} dB; {told(bench)}")
    spoken = own or codec
    for side, name in ((gajim, spoken), (far, codec)):
        check([n.lower() for n in side.heard_codecs()] == [name.lower()], f"{side.title} was sent {side.heard_codecs()}")
    if spoken == codec == "opus":
        check(min(treble) > BRIGHT, f"what is above 4 kHz has {treble} dB")
    check("not encrypted" in bench.tandem.ladder(live["id"]), "the ladder does not say that it is not encrypted")
    side = bench.tandem.counters("caller" if calls else "callee")
    check(side["rtcp_in"] > 0 and side["rtcp_out"] > 0 and side["dropped_source"] == 0, f"of Gajim's side: {side}")


@alone
def test_gajim_calls_and_is_called(bench):
    gajim, far = begin(bench, plain_rtp="local")
    check(CLEAR in bench.tandem.tail(1000), "nothing is said at the start")
    for codec in ("PCMA", "opus"):
        for calls in (True, False):
            one_call(bench, gajim, far, codec, calls)
    faults = gajim.phone.faults()
    check(not faults, f"Gajim objects: {faults}")


@alone
def test_gajim_without_opus(bench):
    """As without gstreamer1.0-plugins-bad; of G.711 Gajim's packets are as long as the MTU lets them be."""
    gajim, far = begin(bench, without=["opus"], plain_rtp="local")
    for calls in (True, False):
        one_call(bench, gajim, far, "opus", calls, own="PCMA" if calls else "PCMU")  # the caller's order


def refused(bench, gajim, far):
    """Both ways, at once, and with the reason in the record."""
    gajim.dial(far.number)
    check("without encryption are not taken" in gajim.phone.wait("told")["what"], "Gajim's user is not told why")
    record = bench.tandem.last_record()
    check("without encryption are not taken" in record["text"], f"the record says {record}")
    far.dial(ALICE)
    far.call.wait(480)
    record = bench.tandem.last_record()
    check(record["to"].startswith(ALICE) and "only calls without encryption" in record["text"], f"the record says {record}")


def test_gajim_is_told_why_not(bench):
    gajim, far = begin(bench)
    refused(bench, gajim, far)


def test_gajim_of_another_server(bench):
    """local means the users of local_domain and nobody else."""
    gajim, far = begin(bench, plain_rtp="local", local_domain="example.org")
    refused(bench, gajim, far)
