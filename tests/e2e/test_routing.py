# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where calls go: emergency numbers, rules, forwards, blocked callers."""
import re

from harness import ALICE, GATEWAY, OUTSIDE, check, hear
from test_messages import read

SIP = "127.0.0.1:5060"
PREMIUM = "+499001234567"


def test_routing_emergency_and_refused_numbers(bench):
    """Refused in words; with a trunk for it an emergency call goes there, whatever the rules say."""
    tandem = bench.gateway()
    check("emergency calls: refused" in tandem.log.read_text(), "the policy is not said at the start")
    tandem.ctl("user", "set", "alice@localhost", "country=DE", "location=country=DE;A3=Berlin;RD=Am Markt;HNO=1")
    carrier, phone = bench.carrier(), bench.webrtc()
    for number, why in (("110", "this gateway makes no emergency calls: take another telephone"),
                        (PREMIUM, "calls to such numbers are not allowed here")):
        phone.call(f"{number}@{GATEWAY}")
        phone.wait("ended", by="peer")
        read(phone, f"{number}@{GATEWAY}", re.escape(f"The call is not allowed ({why})"))
    tandem.stop()
    tandem.config.write_text(tandem.config.read_text().replace("emergency=refuse", "emergency=trunk:carrier"))
    tandem.ctl("route", "add", "default", "refuse")
    tandem.start()
    check("emergency calls: by trunk carrier" in tandem.log.read_text(), "the policy is not said at the start")
    tested = dict(tandem.json("route", "test", "110", "alice@localhost")["rows"])
    check(tested["verdict"] == "allow" and tested["trunk"] == "carrier", f"route test says {tested}")
    phone.call(f"110@{GATEWAY}")
    leg = carrier.wait_call()
    check(leg.invite.header("Geolocation").startswith("<cid:"), leg.invite.text)
    check("<cl:RD>Am Markt</cl:RD>" in leg.invite.text and "m=audio" in leg.invite.text, leg.invite.text)
    leg.refuse(486)
    leg.wait("ACK")
    phone.wait("ended", by="peer")
    check(tandem.last_record()["trunk"] == "carrier", f"recorded as {tandem.last_record()}")


def test_routing_forward_when_busy(bench):
    """Her client is busy: the call goes on to her other number, and both talk."""
    tandem = bench.gateway()
    tandem.ctl("user", "set", "alice@localhost", f"forward-busy={OUTSIDE}")
    carrier, phone = bench.carrier(), bench.webrtc()
    caller = carrier.call(ALICE, SIP, plays="A")
    phone.wait("incoming")
    phone.reject("busy")
    other = carrier.wait_call()
    check(other.invite.first_line.startswith(f"INVITE sip:{OUTSIDE}@"), other.invite.first_line)
    check(other.invite.header("Diversion").startswith(f"<sip:{ALICE}@"), other.invite.text)
    other.answer()
    caller.wait_answer()
    bench.talk()
    caller.hangup()
    other.wait_end()
    hear(caller, other)


def test_routing_blocked_and_not_to_be_disturbed(bench):
    tandem = bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc()
    tandem.ctl("user", "set", "alice@localhost", "do-not-disturb=on")
    carrier.call(ALICE, SIP).wait(486)
    tandem.ctl("user", "set", "alice@localhost", "do-not-disturb=off", "blocked=+*")
    carrier.call(ALICE, SIP).wait(603)
    check(not phone.has("incoming") and not phone.has("chat"), "the phone rang, or was told")
