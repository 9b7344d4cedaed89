# SPDX-License-Identifier: AGPL-3.0-or-later
"""Codecs: the part of the matrix (audio_codecs.py) that ./check has time for, and wideband
in real browsers."""
import time

import audio
from codec_rows import BRIGHT, CODECS, LEAN, SIP, Client, Kept, carrier, client, each, judge, told, user_agent, user_side
from harness import ALICE, BOB, CAROL, OUTSIDE, alone, check, hear, slow
from network import BadLine
from peers.browser import Chromium
from peers.rtp import parse_sdp
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


def test_codecs_linphone_g722(bench):
    bench.gateway()
    user, far = user_side(bench, "linphone", "G722"), carrier(bench)
    judge(each(bench, [(user, "G722", far, "G722"), (user, "G722", far, "opus")]))


def test_codecs_baresip(bench):
    bench.gateway()
    user, far = user_side(bench, "baresip", "G722"), client(bench, "webrtc", "B")
    judge(each(bench, [(user, "G722", far, "G722"), (user, "G722", far, "opus")]))


def test_codecs_lean_carrier(bench):
    """A client with Opus, and a carrier with each codec that spares bits."""
    bench.gateway()
    user, far = user_side(bench, "webrtc", "opus"), carrier(bench)
    judge(each(bench, [(user, "opus", far, other) for other in LEAN]))


def test_codecs_lean_baresip(bench):
    """Its AMR-WB has whole bytes, the carrier's has bits."""
    bench.gateway()
    user, far = user_side(bench, "baresip", "AMR-WB"), carrier(bench)
    judge(each(bench, [(user, "AMR-WB", far, "PCMA")]))


def test_codecs_lean_linphone(bench):
    bench.gateway()
    user, far = user_side(bench, "linphone", "G729"), carrier(bench)
    judge(each(bench, [(user, "G729", far, "PCMU"), (user, "G729", far, "G729")]))


def test_codecs_modes_of_amr(bench):
    """A carrier that takes four modes and asks for the second is sent that one, three frames in a packet."""
    bench.gateway()
    user, far = user_side(bench, "webrtc", "opus"), carrier(bench)
    far.agent.habits.update(fmtp={"AMR": "mode-set=0,2,4,7"}, speech={"mode": 4, "request": 3}, sdp={"lines": ["a=ptime:60"]})
    user.use("opus")
    far.use("AMR")
    for caller, callee in ((far, user), (user, far)):
        caller.dial(callee.number)
        callee.wait_ringing()
        callee.answer()
        caller.wait_up()
        callee.wait_up()
        bench.talk(2)
        caller.hangup()
        callee.wait_over()
        modes, sizes, sdp = far.call.line.heard_modes(), far.call.line.heard_sizes(), far.call.offered
        check(modes in ([7, 2], [2]), f"{caller.title} calls: the carrier was sent the modes {modes}")
        check(max(sizes) in (95, 47), f"{caller.title} calls: the carrier was sent payloads of {sizes} bytes")
        check(caller is user or "mode-set=0,2,4,7" in sdp, f"the carrier was answered {sdp}")
        heard = audio.analyse(user.kept().recording, far.plays)
        check(heard.present and heard.loss < 0.03, f"{user.title} heard {heard}")


def test_codecs_softphone_in_its_order(bench):
    """What a softphone is offered is what the operator has said, in that order."""
    bench.gateway()
    phone, far = user_agent(bench), carrier(bench)
    for codecs, offered in (("", ["PCMU", "PCMA", "opus", "G722"]), ("PCMA", ["PCMA"]),
                            ("G722,PCMA,PCMU", ["PCMA", "PCMU", "G722"]), ("opus,G722", ["opus", "G722"])):
        bench.tandem.ctl("softphone", "set", "bob", f"codecs={codecs}")
        far.agent.codecs = (0, 8)
        far.dial(BOB)
        phone.wait_ringing()
        sdp = parse_sdp(phone.call.offered)[2]
        names = [name.split("/")[0] for name in sdp.values() if not name.startswith("telephone-event")]
        check(names == offered, f"codecs={codecs}: the softphone was offered {names}")
        phone.call.refuse(486)
        far.call.wait(486)
    bench.tandem.ctl("softphone", "set", "bob", "codecs=opus")
    judge(each(bench, [(phone, "opus", far, "PCMU")]))


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
        shown = page.evaluate("document.getElementById('quality').innerText")
        check(shown.startswith(f"{codec}, wideband · good"), f"the page says {shown!r}")
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


def sent_on(bench, other, phone_to):
    """A telephone with PCMU calls alice's softphone, which sends it on to a side with Opus alone."""
    far, phone = carrier(bench), bench.softphone(plays="B")
    far.use("PCMU")
    other.use("opus")
    far.dial(ALICE)
    phone.wait_call()
    phone.answer()
    far.wait_up()
    bench.talk(1)
    phone.transfer(f"sip:{phone_to}@{SIP}")
    other.wait_ringing()
    other.answer()
    other.wait_up()
    phone.wait_said("BYE sip:")
    began = time.time() + 0.6
    bench.talk(3)
    over = time.time()
    far.hangup()
    other.wait_over()
    for listener, speaker in ((far.kept(), other), (other.kept(), far)):
        heard = audio.analyse(audio.between(listener.recording, began, over), speaker.plays)
        print(f"{listener.title} heard {heard}")
        check(heard.present and heard.seconds > 2 and heard.loss < 0.03, f"{listener.title} heard {heard}")
    check(far.heard_codecs() == ["PCMU"] and other.heard_codecs() == ["opus"],
          f"sent: {far.heard_codecs()} to the telephone, {other.heard_codecs()} to the other")
    said = [v for k, v in bench.tandem.json("call", "show", bench.tandem.calls()[-1]["id"])["rows"] if k == "audio"]
    check(len(said) == 2 and all("transcoded" in line for line in said), f"call show says {said}")


def test_codecs_transfer_to_an_opus_softphone(bench):
    bench.gateway()
    sent_on(bench, user_agent(bench), BOB)


def test_codecs_transfer_to_an_opus_client(bench):
    bench.gateway()
    sent_on(bench, Client(bench.webrtc("carol", "A")), CAROL)


BUFFER = 0.16     # seconds that the telephone waits for a packet
WARM = 12         # seconds until the client's reports have told its encoder of the loss
LINE_JITTER = 60  # ms


def over_a_bad_line(bench, phone, far, codec):
    """A call out; what the telephone (PCMU) hears of the client, from WARM on: the share of
    damaged frames, the longest damage in ms, and how many packets were lost."""
    phone.use(codec)
    far.use("PCMU")
    phone.dial(OUTSIDE)
    far.wait_ringing()
    far.answer()
    phone.wait_up()
    began = time.time() + WARM
    bench.talk(WARM + 15)
    phone.hangup()
    far.wait_over()
    line, over = far.call.line, time.time() - 0.5
    recording = audio.between(line.recording(BUFFER), began, over)
    heard = audio.analyse(recording, phone.plays)
    row = bench.tandem.counters("caller")
    said = told(bench)["caller"]
    damage = audio.damage(recording, phone.plays)
    print(f"{codec}: the telephone heard {heard}; of its frames {damage[0]:.1%} are damaged, {damage[1]} ms at a time at most; lost {row['lost_in']} of {row['packets_in']}, jitter {row['jitter_us']} us; {said}")
    check(heard.present and row["lost_in"] > 0, f"{codec}: {heard}, lost {row['lost_in']}")
    return *damage, int(row["lost_in"])


def on_a_bad_line(bench, loss):
    """The line, a carrier, and a client at the far end of the line."""
    line = BadLine(bench, delay_ms=LINE_JITTER + 10, jitter_ms=LINE_JITTER, loss=loss, udp_only=True)
    bench.prosody(interfaces=("127.0.0.1", line.OURS))
    bench.gateway(media={"local_addresses": line.OURS, "keep_first_words": False})
    far = carrier(bench)
    with line.inside():
        phone = Client(bench.webrtc("alice", "A", options=["--server", line.OURS]))
    return line, far, phone


def bad_line(bench, loss):
    _, far, phone = on_a_bad_line(bench, loss)
    plain, better = (over_a_bad_line(bench, phone, far, codec) for codec in ("PCMU", "opus"))
    # the same packets were lost in both; a damaged frame may be across the border of two of the ear's, at both ends
    check(abs(plain[2] - better[2]) <= 12 and better[0] < 0.7 * plain[0] and better[1] <= plain[1] + 40,
          f"of {loss:.0%} lost, damaged frames, the longest in ms, and lost packets: PCMU passed through {plain}; Opus {better}")


def test_codecs_never(bench):
    """Nothing is transcoded here, but for a user who has it allowed."""
    bench.gateway(media={"transcode": "never"})
    user, far = user_agent(bench), carrier(bench)
    user.use("opus")
    far.use("PCMU")
    user.dial(OUTSIDE)
    refused = far.agent.wait_call()
    refused.refuse(488)
    user.call.wait(488)
    record = bench.tandem.last_record()
    check(record["reason"] == "no-transcoding", f"the record says {record}")
    bench.tandem.ctl("user", "set", "bob@localhost", "transcode=needed")
    judge(each(bench, [(user, "opus", far, "PCMU")]))


@slow
def test_codecs_adaptive(bench):
    """A client with both codecs: its first call over a bad line passes through, and after that
    it is given Opus, whoever calls; but not when its user wants none."""
    _, far, phone = on_a_bad_line(bench, 0.05)
    far.use("PCMU")
    for calls, setting, wanted in ((True, None, "PCMU, passed through"), (True, None, "opus, transcoded to PCMU"),
                                   (False, None, "opus, transcoded to PCMU"), (True, "needed", "PCMU, passed through")):
        if setting:
            bench.tandem.ctl("user", "set", "alice@localhost", f"transcode={setting}")
        phone.use("opus", "PCMU")
        caller, callee = (phone, far) if calls else (far, phone)
        caller.dial(callee.number)
        callee.wait_ringing()
        callee.answer()
        caller.wait_up()
        callee.wait_up()
        bench.talk(WARM)
        caller.hangup()
        callee.wait_over()
        said = told(bench)["caller" if calls else "callee"]
        check(said.startswith(wanted), f"call show says {said}, not {wanted}")
        row = bench.tandem.counters("caller" if calls else "callee")
        check(row["codec"] == wanted.split(",")[0] and 1 < float(row["mos_in"]) < 4.5 and 1 < float(row["mos_out"]) < 4.5
              and int(row["lost_out"]) > 0, f"the record says {row}")
        given = "is given Opus: its last" in bench.tandem.ladder(bench.tandem.calls()[0]["id"])
        check(given == wanted.startswith("opus"), f"the ladder says that Opus is given: {given}")


@slow
def test_codecs_loss_of_5_percent(bench):
    bad_line(bench, 0.05)


@slow
def test_codecs_loss_of_10_percent(bench):
    bad_line(bench, 0.10)
