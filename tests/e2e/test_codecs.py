# SPDX-License-Identifier: AGPL-3.0-or-later
"""Codecs: the part of the matrix (audio_codecs.py) that ./check has time for, and wideband
in real browsers."""
import audio
from codec_rows import BRIGHT, CODECS, Kept, carrier, client, each, judge, told, user_agent, user_side
from harness import ALICE, OUTSIDE, alone, check, hear
from peers.browser import Chromium
from test_browsers import MAX_LOSS, STATE, begin, firefox, login


def test_codecs_client_and_carrier(bench):
    """A client with Opus, and each codec of a carrier."""
    bench.gateway()
    user, far = user_side(bench, "webrtc", "opus"), carrier(bench)
    judge(each(bench, [(user, "opus", far, other) for other in CODECS]))


def test_codecs_telephone_and_client(bench):
    """A softphone and a client that share no codec, or share a wide one."""
    bench.gateway()
    user, far = user_agent(bench), client(bench, "aiortc", "B")
    judge(each(bench, [(user, "opus", far, "PCMU"), (user, "G722", far, "opus"), (user, "PCMA", far, "opus"), (user, "opus", far, "opus")]))


def test_codecs_softphone_and_carrier(bench):
    bench.gateway()
    user, far = user_agent(bench), carrier(bench)
    judge(each(bench, [(user, "G722", far, "G722"), (user, "G722", far, "opus"), (user, "PCMU", far, "PCMA")]))


def test_codecs_linphone(bench):
    bench.gateway()
    user, far = user_side(bench, "linphone", "opus"), carrier(bench)
    judge(each(bench, [(user, "opus", far, "opus"), (user, "opus", far, "G722")]))


def test_codecs_baresip(bench):
    bench.gateway()
    user, far = user_side(bench, "baresip", "G722"), client(bench, "webrtc", "B")
    judge(each(bench, [(user, "G722", far, "G722"), (user, "G722", far, "opus")]))


def browser_is_wide(bench, page):
    """Out with Opus passed through, in from a telephone with G.722; both as bright as they were spoken."""
    far = carrier(bench)
    login(page)
    for codec, calls in (("opus", True), ("G722", False)):
        far.use(codec)
        if calls:
            page.type("to", OUTSIDE)
            page.click("call")
            far.wait_ringing()
            far.answer()
        else:
            far.dial(ALICE)
            page.wait(f"{STATE} === 'incoming'")
            page.click("answer")
            far.wait_up()
        page.wait(f"{STATE} === 'talking'")
        bench.talk()
        page.click("hangup")
        far.wait_over()
        page.wait(f"{STATE} === 'ready'")
        kept = Kept(page), far.kept()
        said = told(bench)
        hear(*kept, MAX_LOSS)
        treble = [audio.treble(k.recording) for k in kept]
        print(f"{page.name}, the telephone has {codec}: heard {treble[0]:.0f} dB at the browser, {treble[1]:.0f} dB at the telephone; {said}")
        check(min(treble) > BRIGHT, f"{codec}: what is above 4 kHz has {treble} dB")
        shared = said["caller" if calls else "callee"]
        check(codec in shared and "passed through" in shared, f"{codec}: call show says {said}")


@alone
def test_codecs_wideband_chromium(bench):
    browser_is_wide(bench, begin(bench, Chromium(bench.folder)))


@alone
def test_codecs_wideband_firefox(bench):
    browser_is_wide(bench, begin(bench, firefox(bench)))
