# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do during a call: hold and resume, press keys."""
import time

import audio
from harness import ALICE, GATEWAY, OUTSIDE, Phases, check
from peers.process import until
from test_calls import call_out_to_carrier

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
FIRST_TONES = [0, 1, 0, 2, 0, 3]  # of audio.ORDER, the same one after another as one
PART = 2.5  # seconds of each part of a call


def talk(bench, phases, who):
    phases.mark(who)
    bench.talk(PART)


def client_holds(bench, phone, leg, phases):
    phone.info("hold")
    leg.wait_change("sendonly")
    talk(bench, phases, "none")  # his microphone is off, and nothing is played to him
    phone.info("active")
    leg.wait_change("sendrecv")
    talk(bench, phases, "both")


def test_hold_by_client(bench):
    """session-info hold and active, twice; the carrier hears of each."""
    bench.gateway()
    phone = bench.webrtc()
    leg = call_out_to_carrier(bench, phone, bench.carrier())
    phases = Phases(phone, leg)
    talk(bench, phases, "both")
    client_holds(bench, phone, leg, phases)
    client_holds(bench, phone, leg, phases)
    phone.info("mute")
    talk(bench, phases, "other")
    phone.info("unmute")
    talk(bench, phases, "both")
    check(len([m for m in leg.sipp.messages() if m.received and m.method == "INVITE" and not m.status]) == 5,
          "mute was told to the carrier")
    phone.hangup()
    leg.wait_end()
    phases.judge()


def test_hold_by_carrier(bench):
    """A call in; sendonly, inactive, the address of RFC 2543, each resumed."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B")
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    phone.wait("up")
    phases = Phases(leg, phone)
    talk(bench, phases, "both")
    for direction, address, heard in (("sendonly", "127.0.0.1", "one"), ("inactive", "127.0.0.1", "none"),
                                      ("sendrecv", "0.0.0.0", "none")):
        phases.mark(None)
        answer = leg.change(direction, address)
        check(answer.status == 200, f"{direction} was answered by {answer.first_line}")
        right = {"one": "a=recvonly", "none": "a=inactive" if direction == "inactive" else "a=recvonly"}[heard]
        check(right in answer.text, f"{direction} {address} was answered by\n{answer.text}")
        phone.wait("info", what="hold")
        leg.line.silent = heard == "none"
        talk(bench, phases, heard)
        phases.mark(None)
        leg.change("sendrecv")
        phone.wait("info", what="active")
        leg.line.silent = False
        talk(bench, phases, "both")
    leg.hangup()
    phone.wait("ended", by="peer")
    phases.judge()


def test_hold_by_both(bench):
    """Who resumes does not resume for the other; a long hold ends no call."""
    bench.gateway(media={"rtp_timeout": 4})
    phone = bench.webrtc()
    leg = call_out_to_carrier(bench, phone, bench.carrier())
    phases = Phases(phone, leg)
    talk(bench, phases, "both")
    leg.change("sendonly")
    phone.wait("info", what="hold")
    leg.line.silent = True  # and no music
    phone.info("hold")
    leg.wait_change("inactive")
    phases.mark("none")
    bench.talk(8)
    phases.mark(None)
    answer = leg.change("sendrecv")
    check("a=sendonly" in answer.text, f"the client still holds, the answer is\n{answer.text}")
    leg.line.silent = False
    phone.wait("info", what="active")
    talk(bench, phases, "none")
    phone.info("active")
    leg.wait_change("sendrecv")
    talk(bench, phases, "both")
    phone.hangup()
    leg.wait_end()
    phases.judge()


def test_hold_by_baresip(bench):
    """A SIP phone's hold key."""
    bench.gateway()
    phone, telephone = bench.webrtc(), bench.baresip(user=OUTSIDE)
    phone.call(NUMBER)
    telephone.wait_call()
    telephone.answer()
    phone.wait("up")
    phases = Phases(phone, telephone)
    talk(bench, phases, "both")
    telephone.hold()
    phone.wait("info", what="hold")
    talk(bench, phases, "none")
    telephone.resume()
    phone.wait("info", what="active")
    phases.mark(None)  # from here on it records nothing of what it hears: what it is sent is counted
    resumed = time.time() + phases.settle
    bench.talk(PART)
    phone.hangup()
    telephone.wait_said("session closed")  # ctrl_tcp loses the event now and then
    heard = audio.analyse(audio.between(phases.judge()[0], resumed, time.time()), telephone.plays)
    check(heard.present and heard.loss < 0.01, f"after the hold the client heard {heard}")
    sent = bench.tandem.counters("callee")["packets_out"]
    check(2 * PART * 45 < sent < 2.6 * PART * 50, f"{sent} packets went to the telephone")


def restart(bench, phone, phases):
    talk(bench, phases, "both")
    phases.mark(None)  # how long the client takes for its new checks is its own affair
    event = phone.restart()
    check(event["moved"], "the client kept the pair it had before the restart")
    talk(bench, phases, "both")


def test_ice_restart_in_a_call_out(bench):
    """New credentials both ways, the audio is the same before and after; twice."""
    bench.gateway()
    phone = bench.webrtc()
    leg = call_out_to_carrier(bench, phone, bench.carrier())
    phases = Phases(phone, leg)
    restart(bench, phone, phases)
    restart(bench, phone, phases)
    phone.hangup()
    leg.wait_end()
    phases.judge()


def test_ice_restart_in_a_call_in(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B")
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    phone.wait("up")
    phases = Phases(leg, phone)
    restart(bench, phone, phases)
    leg.hangup()
    phone.wait("ended", by="peer")
    phases.judge()


def keys_of(leg):
    return "".join(key for key, _, _ in leg.line.keys())


def wait_keys(leg, keys, seconds=15):
    until(lambda: keys_of(leg) == keys or len(keys_of(leg)) >= len(keys), seconds, f"the keys {keys}, heard {keys_of(leg)!r}")
    check(keys_of(leg) == keys, f"pressed {keys}, heard {keys_of(leg)}")


def wait_ladder(bench, text):
    call = bench.tandem.calls()[0]["id"]
    until(lambda: text in bench.tandem.ladder(call), 10, f"{text!r} in the ladder")


def test_keys_from_client(bench):
    """After the number, by session-info, as a chat message: RFC 4733 to the carrier."""
    bench.gateway(calls={"hide_digits": False})
    phone = bench.webrtc()
    leg = call_out_to_carrier(bench, phone, bench.carrier(), f"{OUTSIDE},12;9@{GATEWAY}")
    answered = leg.sent(200).at
    wait_keys(leg, "12")
    waited = leg.line.keys()[0][2] - answered
    check(1.8 < waited < 2.6, f"a pause of 2 s lasted {waited:.2f} s")
    for key in "5#":
        phone.press(key)
    wait_keys(leg, "125#")
    phone.say(NUMBER, "3 4*,D")
    wait_keys(leg, "125#34*D")
    times = {key: at for key, _, at in leg.line.keys()}
    check(times["D"] - times["*"] > 2, f"the comma lasted {times['D'] - times['*']:.2f} s")
    until(lambda: leg.line.keys()[-1][1] >= 150, 5, "the end of the last key")
    durations = [duration for _, duration, _ in leg.line.keys()]
    check(all(150 <= d <= 170 for d in durations), f"the keys lasted {durations} ms")
    phone.say(NUMBER, "hello?")
    check("digits" in phone.wait("said")["text"], "the friendly answer")
    wait_ladder(bench, "caller presses #")
    phone.hangup()
    leg.wait_end()
    print(f"heard the keys {keys_of(leg)} of {durations} ms")


def test_keys_to_carrier_without_events(bench):
    """A trunk that takes no telephone-event: INFO; and the ladder hides what is pressed."""
    bench.gateway()
    phone = bench.webrtc()
    leg = call_out_to_carrier(bench, phone, bench.carrier(events=False))
    phone.say(NUMBER, "1 2#")
    until(lambda: leg.infos() == "12#", 10, "the keys 12# as INFO")
    phone.press("7")
    until(lambda: leg.infos() == "12#7", 10, "the key 7 as INFO")
    wait_ladder(bench, "presses ***")
    ladder = bench.tandem.ladder(bench.tandem.calls()[0]["id"])
    check("presses 1" not in ladder and "Signal" not in ladder, f"the keys are in the ladder\n{ladder}")
    phone.hangup()
    leg.wait_end()


def test_keys_from_carrier(bench):
    """RFC 4733 and INFO from a telephone: relayed, and each once in the ladder."""
    bench.gateway(calls={"hide_digits": False})
    carrier, phone = bench.carrier(), bench.webrtc()
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    phone.wait("up")
    leg.line.press("42")
    leg.press("9")
    leg.press("8", "application/dtmf-relay")
    for key in "4298":
        wait_ladder(bench, f"caller presses {key}")
    ladder = bench.tandem.ladder(bench.tandem.calls()[0]["id"])
    check(ladder.count("presses") == 4, f"pressed four keys\n{ladder}")
    leg.hangup()
    phone.wait("ended", by="peer")


def first_words(bench, **settings):
    """A call over a far network to a telephone that speaks at once."""
    bench.gateway(**settings)
    phone, carrier = bench.webrtc(options=["--delay", "100"]), bench.carrier()
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    answered = leg.answer().at
    up = phone.wait("up")["at"]
    bench.talk(14)
    phone.hangup()
    leg.wait_end()
    heard, fed_at = phone.heard()[0], leg.line.fed_at
    ladder = bench.tandem.ladder(bench.tandem.calls()[0]["id"])
    print(f"media up {up - answered:.2f} s after the 200")
    return heard, fed_at, up, ladder


def test_first_words_are_heard(bench):
    """What is said from the 200 on is heard whole, a little fast, and soon without delay."""
    heard, fed_at, up, ladder = first_words(bench)
    tones = audio.tones(heard, "B")[:8]
    print(f"first heard: {tones}")
    check([tone for tone, _ in tones[:6]] == FIRST_TONES, f"the first tones are {tones}")
    # three slots of the same tone, 300 ms, are played in 240
    check(tones[0][1] >= 225, f"of the first 300 ms {tones[0][1] * 1.25:.0f} are left")
    check("rtp: caught up" in ladder, f"nothing was kept\n{ladder}")
    late = audio.analyse(audio.between(heard, up + 10, up + 13), "B", fed_at)
    print(f"10 s later: {late}")
    check(late.present and late.loss < 0.02, f"10 s later: {late}")
    check(late.delay_ms < 250, f"10 s later the delay is {late.delay_ms} ms")


def test_first_words_are_not_kept(bench):
    """The key that turns it off: they are lost."""
    heard, _, _, ladder = first_words(bench, media={"keep_first_words": False})
    tones = audio.tones(heard, "B")[:8]
    print(f"first heard: {tones}")
    check([tone for tone, _ in tones[:6]] != FIRST_TONES, "they were heard all the same")
    check("caught up" not in ladder, "they were kept")


def test_announcement_is_heard(bench):
    """A carrier says in a 183 why it will refuse; the client hears it, and is told the reason."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier(early_media="accept")
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.early()
    phone.wait("up")
    bench.talk(3)
    leg.refuse(404)
    ended = phone.wait("ended", by="peer")
    check((ended["how"], ended["reason"]) == ("session-terminate", "gone"), f"the client was told {ended}")
    check("404" in (ended["text"] or ""), f"the client's text is {ended['text']!r}")
    heard = audio.analyse(phone.heard()[0], "B", leg.line.fed_at)
    print(f"heard {heard}")
    check(heard.present and heard.seconds > 2 and heard.loss < 0.02, f"the announcement: {heard}")
    record = bench.tandem.last_record()
    check((record["reason"], record["ended-by"]) == ("not-found", "callee"), f"recorded as {record}")
    check(not record.get("answered"), f"recorded as answered: {record}")


def test_announcement_then_answer(bench):
    """After early media the call is answered: audio both ways, one session."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier(early_media="accept")
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.early()
    phone.wait("up")
    bench.talk(2)
    leg.answer()
    phases = Phases(phone, leg)
    talk(bench, phases, "both")
    phone.hangup()
    leg.wait_end()
    phases.judge()
    check(bench.tandem.last_record()["reason"] == "hangup", "the record")


def test_ringing_after_announcement(bench):
    """A carrier says something and fails, the next one only rings: the client, whose call is answered for the first
    one's early media, hears that it rings, as in the country that it calls, and then the callee."""
    bench.gateway()
    phone = bench.webrtc()
    first = bench.carrier("first", priority=1, early_media="accept")
    second = bench.carrier("second", priority=2)
    phone.call(NUMBER)
    leg = first.wait_call()
    leg.early()
    phone.wait("up")
    bench.talk(1)
    leg.refuse(503)
    leg = second.wait_call()
    leg.ring()
    rang = time.time()
    bench.talk(PART)
    leg.answer()
    answered = time.time()
    bench.talk(PART)
    phone.hangup()
    leg.wait_end()
    recording, fed_at = phone.heard()[0], leg.line.fed_at
    # sound of 2 s begins with the ringing
    rings = audio.lines(audio.between(recording, rang + 0.3, rang + 1.8), 2)
    print(f"while it rings the client hears {rings} Hz")
    check(len(rings) == 2 and abs(rings[0] - 440) <= 3 and abs(rings[1] - 480) <= 3, f"the ringing tone: {rings}")
    heard = audio.analyse(audio.between(recording, answered + 0.3, answered + PART), "B", fed_at)
    print(f"then {heard}")
    check(heard.present and heard.seconds > PART - 1 and heard.loss < 0.05, f"the callee: {heard}")
    check(bench.tandem.last_record()["reason"] == "hangup", "the record")
