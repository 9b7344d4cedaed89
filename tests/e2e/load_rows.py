# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls that begin, are transcoded and end, one after the other and several at once; what the
gateway keeps of them.  test_load.py has as many as ./check has time for, transcoded_calls.py
a thousand."""
import threading

import audio
from codec_rows import CODECS, LEAN, told, user_agent
from harness import BOB, OUTSIDE, check
from peers.carrier import Carrier
from peers.coder import coder
from peers.process import Failed, until
from peers.sip import CODECS as NAMES

BATCH = 100
AT_ONCE = 8
PACKETS = 40    # that each side hears of each call, 20 ms each
WARM = 2        # batches: SIP remembers a call for 32 s (RFC 3261 17: 64 times T1)
MOST_KIB = 1 / 3  # a call: a coder has ten at least; a sixth was seen
SPOKEN = ("PCMU", "G722", *LEAN)


def tape(name):
    """A second of it."""
    voice = coder(name)
    length = voice.rate // 50
    samples = audio.signal("B", voice.rate)
    return [voice.encode(samples[at:at + length]) for at in range(0, voice.rate, length)]


def carriers(bench):
    """One for each codec; the softphone has Opus, so that nothing passes as it is."""
    made = []
    for i, codec in enumerate(SPOKEN):
        address, name = f"127.0.0.{40 + i}", f"c{codec.lower().replace('-', '')}"
        agent = bench.keep(Carrier(bench.folder, {"address": address, "trunk": {}}, ("127.0.0.1", 5060), name))
        agent.codecs = ({**CODECS, **LEAN}[codec],)
        bench.tandem.ctl("trunk", "add", name, address, "options-seconds=0", f"codecs={codec}")
        agent.habits["tape"] = tape(NAMES[agent.codecs[0]])
        made.append(agent)
    return made


def call(carrier):
    """From its first message to its last."""
    one = carrier.call_in(BOB, OUTSIDE, "B")
    one.wait(200)
    until(lambda: one.line.received >= PACKETS, 20, f"{PACKETS} packets at {carrier.name}")
    one.hangup()


def answer(phone, number):
    for _ in range(number):
        one = phone.wait_call()
        one.accept(one.sdp("sendrecv", one.offered))
        one.line.start(one.offered)


def batch(made, phone):
    numbers, failures = iter(range(BATCH)), []
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                call(made[number % len(made)])
            except Failed as failure:
                failures.append(str(failure))
                return
    workers = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    answers = threading.Thread(target=answer, args=(phone, BATCH), daemon=True)
    for thread in (answers, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    check(not failures, failures)
    answers.join()
    heard = [one.line.received for one in phone.calls.values()]
    check(min(heard) >= PACKETS // 2, f"of some calls the softphone heard little: {sorted(heard)[:5]} packets")
    for agent in (*made, phone):
        agent.forget_calls()


def transcoded_calls(bench, number):
    """Memory in use after each batch, from the end of WARM on, is flat."""
    tandem = bench.gateway(gateway={"log_level": "warning"}, limits={"max_calls_per_user": 2 * AT_ONCE})
    phone = user_agent(bench)
    phone.use("opus")
    phone.agent.habits["tape"] = tape(NAMES[phone.agent.codecs[0]])
    made, used = carriers(bench), []
    for _ in range(number // BATCH):
        batch(made, phone.agent)
        said = told(bench)
        check(len(said) == 2 and all("transcoded to" in line for line in said.values()), f"call show says {said}")
        until(lambda: tandem.status()["calls"] in (0, "0"), 10, "the end of all calls")
        used.append(tandem.status()["memory"])
        print(f"KiB in use after {len(used) * BATCH} calls: {used[-1]}", flush=True)
    growth, calls = used[-1] - used[WARM - 1], number - WARM * BATCH
    check(growth < calls * MOST_KIB, f"{growth} KiB more in use after call {number} than {calls} calls before: {used}")


def test_1000_transcoded_calls(bench):
    transcoded_calls(bench, 1000)
