# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls that are answered, in both directions, over each kind of client and
telephone: the right tone each way, under 1 % lost, nobody hears himself."""
import re

from harness import ALICE, BOB, GATEWAY, OUTSIDE, check, hear, hear_echo, slow

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"


def call_out_to_carrier(bench, phone, carrier, to=NUMBER):
    phone.call(to)
    leg = carrier.wait_call()
    check(leg.invite.first_line.startswith(f"INVITE sip:{OUTSIDE}@"), leg.invite.first_line)
    check(ALICE in leg.invite.header("From"), f"the caller id is in {leg.invite.header('From')}")
    leg.ring()
    phone.wait("ringing")
    leg.answer()
    phone.wait("up")
    bench.talk()
    return leg


def call_out_and_back(bench, phone, to=NUMBER, carrier=None):
    """A whole call out that the client ends."""
    leg = call_out_to_carrier(bench, phone, carrier or bench.carrier(), to)
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    record = bench.tandem.last_record()
    check(record["reason"] == "hangup", f"recorded as {record}")
    check(record["ended-by"] == "caller", f"recorded as {record}")


def test_call_out_webrtc_to_sipp(bench):
    bench.gateway()
    phone = bench.webrtc()
    call_out_and_back(bench, phone)
    check(phone.has("receipt"), "the propose's receipt did not come")


def test_call_out_aiortc_to_sipp(bench):
    bench.gateway()
    call_out_and_back(bench, bench.aiortc())


def test_call_out_pcma_only_carrier_hangs_up(bench):
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier(codecs=(8,))
    leg = call_out_to_carrier(bench, phone, carrier)
    leg.hangup()
    ended = phone.wait("ended", by="peer")
    check(ended["reason"] == "success", f"the client was told {ended}")
    hear(phone, leg)
    check(bench.tandem.last_record()["ended-by"] == "callee", "who hung up is not in the record")


def test_call_out_webrtc_to_baresip(bench):
    bench.gateway()
    phone, telephone = bench.webrtc(), bench.baresip(user=OUTSIDE)
    phone.call(NUMBER)
    telephone.wait_call()
    phone.wait("ringing")
    telephone.answer()
    phone.wait("up")
    bench.talk()
    phone.hangup()
    telephone.wait_said("session closed")  # ctrl_tcp loses the event now and then
    hear(phone, telephone)


def direct_out(bench, phone):
    """session-initiate to the full JID that presence shows."""
    carrier = bench.carrier()  # a number is there when a trunk can reach it
    phone.subscribe(NUMBER)
    full = phone.wait("presence", **{"from": f"{NUMBER}/gw"})["from"]
    call_out_and_back(bench, phone, full, carrier)
    check(not phone.has("proceed"), "a direct call was answered by message initiation")


def test_call_out_direct_webrtc(bench):
    bench.gateway()
    direct_out(bench, bench.webrtc(direct=True))


def test_call_out_direct_aiortc(bench):
    bench.gateway()
    direct_out(bench, bench.aiortc(direct=True))


def test_call_in_two_devices(bench):
    """Both ring; when the first answers the second stops."""
    bench.gateway()
    carrier = bench.carrier()
    desk, pocket = bench.webrtc(resource="desk", plays="B"), bench.aiortc(resource="pocket", plays="B")
    leg = carrier.call(ALICE, SIP)
    desk.wait("incoming", via="propose")
    pocket.wait("incoming", via="propose")
    leg.wait(180)
    desk.answer()
    leg.wait_answer()
    pocket.wait("ended")
    desk.wait("up")
    bench.talk()
    leg.hangup()
    desk.wait("ended", by="peer")
    hear(leg, desk)
    check(not pocket.has("up"), "the second device has media")


def test_call_in_client_hangs_up(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B")
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    bench.talk()
    phone.hangup()
    leg.wait_end()
    hear(leg, phone)


def test_call_in_without_message_initiation(bench):
    """A client that knows no propose, found by its presence, rings by session-initiate."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B", direct=True)
    phone.subscribe(NUMBER)
    phone.wait("presence", **{"from": f"{NUMBER}/gw"})
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming", via="session-initiate")
    leg.wait(180)
    phone.answer()
    leg.wait_answer()
    bench.talk()
    leg.hangup()
    phone.wait("ended", by="peer")
    hear(leg, phone)


def test_call_between_users(bench):
    """alice calls bob's number: both legs are XMPP, no trunk is needed."""
    bench.gateway()
    alice, bob = bench.webrtc("alice", "A"), bench.aiortc("bob", "B")
    alice.call(f"{BOB}@{GATEWAY}")
    bob.wait("incoming")
    alice.wait("ringing")
    bob.answer()
    alice.wait("up", 20)
    bob.wait("up", 20)
    bench.talk()
    alice.hangup()
    bob.wait("ended", by="peer")
    hear(alice, bob)


def test_echo_webrtc(bench):
    bench.gateway()
    phone = bench.webrtc()
    phone.call(f"echo@{GATEWAY}")
    phone.wait("up")
    bench.talk()
    phone.hangup()
    hear_echo(phone)
    check(bench.tandem.last_record()["reason"] == "hangup", "the record of the echo call")


def test_echo_calls_back(bench):
    """Asked for in the chat with the gateway: the device that asks rings, and no other one; it hears itself."""
    bench.gateway()
    phone, other = bench.webrtc(), bench.webrtc(resource="other", plays="B")
    phone.say(GATEWAY, "test")
    check("You are called now" in phone.wait("chat")["body"], "another answer")
    check(phone.wait("incoming")["from"].split("/")[0] == f"echo@{GATEWAY}", "somebody else calls")
    phone.say(GATEWAY, "test")
    check("goes on already" in phone.wait("chat")["body"], "two at once")
    phone.answer()
    phone.wait("up")
    bench.talk()
    phone.hangup()
    hear_echo(phone)
    said = phone.wait("chat")
    print(said["body"])
    check(said["from"].split("/")[0] == GATEWAY, f"said by {said['from']}")
    check(re.fullmatch(r"The test call lasted \d+ s: codec \S+, lost 0 of \d+ packets from you and .*, "
                       r"ICE path \w+ \(yours\) to \w+ \(ours\)", said["body"]), "another sentence")
    check(not other.has("incoming"), "the other device has rung")
    phone.say(GATEWAY, "test")
    phone.wait("incoming")
    phone.reject()
    check("You are called now" in phone.wait("chat")["body"], "another answer")
    check(phone.wait("chat")["body"] == "The test call was not taken: The call was declined", "it was declined")


def test_echo_from_carrier(bench):
    bench.gateway()
    leg = bench.carrier().call("echo", SIP)
    leg.wait_answer()
    bench.talk()
    leg.hangup()
    hear_echo(leg)


@slow
def test_carrier_rings_90_seconds(bench):
    """Audio both ways within 1 s of the 200, however long it rang."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    bench.talk(90)
    answered = leg.answer()
    phone.wait("up", 5)
    bench.talk()
    phone.hangup()
    leg.wait_end()
    for heard in hear(phone, leg):
        after = heard.first_at - answered.at
        check(after < 1, f"{heard.signal} was first heard {after:.2f} s after the 200")


def answered_when(bench, phone, leg):
    """(200 at the carrier, media up at the client), in that order of telling."""
    phone.wait("incoming")
    phone.answer()
    answer = leg.wait_answer()
    up = phone.wait("up")
    bench.talk(3)
    leg.hangup()
    hear(leg, phone)
    return answer.at, up["at"]


def test_call_in_answered_when_media_is_up(bench):
    """No dead air: the 200 comes when the callee can be heard."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B")
    answered, up = answered_when(bench, phone, carrier.call(ALICE, SIP))
    print(f"200 {(answered - up) * 1000:.0f} ms after the client's media was up")
    # the client knows itself connected a round trip before or after we do
    check(answered > up - 0.1, f"200 {(up - answered) * 1000:.0f} ms before the media was up")
    first = phone.wait("answered")["at"]
    check(answered > first, "200 before the client's session-accept")


def test_call_in_answered_at_once(bench):
    """The trunk key that turns the waiting off."""
    bench.gateway()
    carrier, phone = bench.carrier(wait_for_media="off"), bench.webrtc(plays="B")
    answered, up = answered_when(bench, phone, carrier.call(ALICE, SIP))
    print(f"200 {(up - answered) * 1000:.0f} ms before the client's media was up")
    check(answered < up, f"200 {(answered - up) * 1000:.0f} ms after the media was up")
