# SPDX-License-Identifier: AGPL-3.0-or-later
"""The peers against each other, without the gateway: what they hear and say is
to be trusted before anything is concluded from it."""
import contextlib
import subprocess
from pathlib import Path

from audio import Heard
from harness import TOP, Failed, audio_is_whole, check, hear
from test_clients import personalities


def xmpp_call(bench, caller, callee):
    caller.call(callee.jid.split("/")[0])
    callee.wait("incoming")
    caller.wait("ringing")
    callee.answer()
    caller.wait("up", 20)
    callee.wait("up", 20)
    bench.talk()
    caller.hangup()
    callee.wait("ended", by="peer")
    hear(caller, callee)


def test_peers_webrtc_and_webrtc(bench):
    bench.prosody()
    xmpp_call(bench, bench.webrtc("alice", "A"), bench.webrtc("bob", "B"))


def test_peers_aiortc_and_webrtc(bench):
    bench.prosody()
    xmpp_call(bench, bench.aiortc("alice", "A"), bench.webrtc("bob", "B"))


def test_peers_webrtc_and_aiortc_direct(bench):
    bench.prosody()
    xmpp_call(bench, bench.webrtc("alice", "A", direct=True), bench.aiortc("bob", "B", direct=True))


def test_peers_sipp_and_baresip(bench):
    carrier, phone = bench.carrier(), bench.baresip()
    leg = carrier.call("phone", f"127.0.0.1:{phone.port}")
    phone.wait_call()
    leg.wait(180)
    phone.answer()
    leg.wait_answer()
    bench.talk()
    leg.hangup()
    phone.wait_said("session closed")  # ctrl_tcp loses the event now and then
    hear(leg, phone)


def test_peers_silence_is_noticed(bench):
    """The check of the audio fails when one side says nothing."""
    carrier = bench.carrier()
    leg = carrier.call("number", f"127.0.0.1:{carrier.port}", plays=None)
    callee = carrier.wait_call()
    callee.answer()
    leg.wait_answer()
    bench.talk(3)
    leg.hangup()
    leg.plays = "A"
    try:
        hear(leg, callee)
    except Failed as failure:
        check("not heard" in str(failure), str(failure))
    else:
        raise Failed("silence passed for a call")


def test_peers_tell_late_from_lost(bench):
    """What judges the audio of all the other tests: (share of frames missing, packets
    lost of 200) and whether that passes."""
    del bench
    rows = [(0.000, 0, True), (0.009, 0, True), (0.009, 2, True), (0.024, 0, True), (0.049, 0, True),
            (0.024, 1, False), (0.000, 3, False), (0.051, 0, False), (1.000, 0, False)]
    for loss, lost, passes in rows:
        try:
            with contextlib.redirect_stdout(None):  # run.py counts what it prints
                audio_is_whole("a row", Heard("A", True, 4.0, loss), (lost, 200), 0.01, 0.01)
            passed = True
        except Failed:
            passed = False
        check(passed == passes, f"{loss:.1%} of the frames and {lost} packets missing: {'passed' if passed else 'failed'}")


def test_peers_refuse_as_their_clients_do(bench):
    """Each rule of strict.mjs objects to what it is there for, and to nothing else."""
    rules = Path(__file__).parent / "peers" / "strict.test.mjs"
    done = subprocess.run(["node", "--test", rules], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stdout[-3000:])


def test_peers_dialler_says_how_a_call_sounds(bench):
    """What the page makes of a browser's counters."""
    done = subprocess.run(["node", "--test", TOP / "dialler" / "quality.test.mjs"], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stdout[-3000:])


def refuses(rule, reason):
    """It ends the session."""
    def look(phone, rude):
        phone.wait("refused", rule=rule)
        ended = rude.wait("ended", by="peer")
        check((ended["how"], ended["reason"]) == ("session-terminate", reason), f"the caller was told {ended}")
    return look


def answers_error(condition):
    """It answers that one request with an error, and the session stays."""
    def look(phone, rude):
        rude.wait("iq-error", condition=condition)
        check(not rude.has("ended", by="peer", sid=rude.latest), "it has ended the session")
        rude.hangup()
        phone.wait("ended", by="peer")
    return look


def ends_by_error(phone, rude):
    phone.wait("iq-error", condition="service-unavailable")
    phone.wait("ended", how="iq-error")
    rude.hangup()


def crashes(phone, rude):
    check(phone.process.wait(10) == 70, "it still runs")
    rude.hangup()


def takes_it(phone, rude):
    phone.wait("answered")
    rude.hangup()
    phone.wait("ended", by="peer")


def takes_no_notice(phone, rude):
    phone.wait("ignored", what="session-initiate without a propose")
    check(not phone.has("incoming"), "it rings")
    rude.hangup()


MISTAKES = [  # (client, mistake of the caller, what comes of it)
    ("conversations-2.12", "setup-decided", refuses("setup", "security-error")),
    ("conversations-2.12", "long-name", refuses("libwebrtc", "failed-application")),  # the newer looks at it itself
    ("conversations-2.12", "no-group", takes_it),
    ("conversations-2.18", "long-name", refuses("short-names", "failed-application")),
    ("cheogram", "errors", ends_by_error),
    ("dino", "senders-none", answers_error("bad-request")),
    ("gajim-1.9", "direct other-content", answers_error("bad-request")),
    ("movim-chromium", "no-group", refuses("bundle", "failed-application")),
    ("movim-firefox", "direct without-propose", takes_no_notice),
    ("siskin", "no-clockrate", crashes),
    ("stanza", "direct other-ufrag", refuses("same-ufrag", "failed-transport")),
]


def test_peers_clients_fail_as_the_real_ones(bench):
    """Each client is called with a mistake that the real one does not forgive, and does what that one does."""
    clients = {p["id"]: p for p in personalities()}
    check(set(clients) == {name for name, _, _ in MISTAKES}, "not every client is tried")
    bench.prosody(accounts=[*clients, "rude"])
    phones = {name: bench.client(p, name) for name, p in clients.items()}
    for phone in phones.values():
        phone.login()
    rude = bench.rude("rude")
    for name, mistake, look in MISTAKES:
        phone = phones[name]
        direct = mistake.startswith("direct ")
        rude.latest = rude.call(phone.jid if direct else phone.jid.split("/")[0], mistake)["sid"]
        if look is not takes_no_notice:
            phone.wait("incoming")
            phone.answer()
        look(phone, rude)
        phone.forget()
        print(f"{name}: {mistake}: as it should")
