# SPDX-License-Identifier: AGPL-3.0-or-later
"""The peers against each other, without the gateway: what they hear and say is
to be trusted before anything is concluded from it."""
import subprocess
from pathlib import Path

from harness import Failed, check, hear


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
    phone.wait("CALL_CLOSED")
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


def test_peers_refuse_as_their_clients_do(bench):
    """Each rule of strict.mjs objects to what it is there for, and to nothing else."""
    rules = Path(__file__).parent / "peers" / "strict.test.mjs"
    done = subprocess.run(["node", "--test", rules], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0, done.stdout[-3000:])
