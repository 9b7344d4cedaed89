# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dino 0.4 itself, with its own GStreamer, calls a telephone and is called."""
import time

import audio
from codec_rows import BRIGHT, Client, carrier, told
from harness import ALICE, GATEWAY, OUTSIDE, alone, check

BEGIN = 2  # seconds until it is heard by all
MAX_LOSS = 0.1  # on a busy machine its PulseAudio stutters
TRIES = 8  # its microphone is dumb in a call of ten, see dino_program.c


def one_call(bench, dino, far, calls):
    """What each heard, or None where Dino's microphone was dumb in this call."""
    caller, callee = (dino, far) if calls else (far, dino)
    caller.dial(far.number if calls else ALICE)
    callee.wait_ringing()
    callee.answer()
    dino.wait_up()
    began = time.time() + BEGIN
    bench.talk(BEGIN + 4)
    over = time.time() - 0.5
    caller.hangup()
    callee.wait_over()
    kept = dino.kept(), far.kept()
    if [event for event in dino.phone.events if event["event"] == "dumb" and event["at"] > began - BEGIN]:
        check(bench.tandem.counters("caller" if calls else "callee")["packets_in"] == 0, "Dino says that it was dumb, and was not")
        return None
    return [(k, audio.between(k.recording, began, over)) for k in kept]


def calls_of(bench, dino, far, codec, calls):
    far.use(codec)
    heard_by = next(filter(None, (one_call(bench, dino, far, calls) for _ in range(TRIES))))
    for (listener, recording), speaker in zip(heard_by, (far, dino)):
        heard, treble = audio.analyse(recording, speaker.plays), audio.treble(recording)
        print(f"{codec}, {'out' if calls else 'in'}: {listener.title} heard {heard}, treble {treble:.0f} dB; {told(bench)}")
        check(heard.present and heard.seconds > 2 and heard.loss < MAX_LOSS, f"{listener.title} heard {heard}")
        check((treble > BRIGHT) == (codec == "opus"), f"{listener.title}: what is above 4 kHz has {treble:.0f} dB")
    check(set(told(bench).values()) == {f"{codec}, passed through"}, f"call show says {told(bench)}")


def both_ways(bench, codec):
    bench.prosody(certificate=bench.certificate("localhost")["tls_certificate"])
    bench.gateway(media={"keep_first_words": False})  # which are played faster
    far = carrier(bench)
    phone = bench.dino()
    phone.subscribe(f"{OUTSIDE}@{GATEWAY}")
    phone.wait("presence", 60)
    dino = Client(phone)
    for calls in (True, False):
        calls_of(bench, dino, far, codec, calls)


@alone
def test_dino_calls_and_is_called(bench):
    both_ways(bench, "opus")


@alone
def test_dino_with_pcma(bench):
    both_ways(bench, "PCMA")
