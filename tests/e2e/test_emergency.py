# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls for help: on the wire at once, and past every limit."""
import subprocess
import time

from harness import DOMAIN, GATEWAY, STALL, check, hear
from peers.carrier import Carrier
from peers.process import until
from peers.softphone import Softphone

ADDRESS = "203.0.113.90"  # of a carrier whose TCP is filtered
LOCATION = "country=US;A1=NY;A3=New York;PC=10118;RD=5th Avenue;HNO=350;FLR=86;LOC=behind the lift, on the left"


def town(bench, country, drain=1, **limits):
    """One carrier, that takes UDP alone; alice has a client and a telephone, and is in that country."""
    subprocess.run(["ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
    subprocess.run(["iptables", "-w", "-A", "INPUT", "-p", "tcp", "-d", ADDRESS, "-j", "DROP"], check=True)
    tandem = bench.gateway(start=False, gateway={"emergency": "trunk:carrier", "drain_seconds": drain}, limits=limits)
    tandem.ctl("trunk", "add", "carrier", ADDRESS, "options-seconds=0", f"country={country}")
    tandem.start()
    tandem.provision_users()
    tandem.ctl("user", "set", f"alice@{DOMAIN}", f"country={country}", f"location={LOCATION}")
    carrier = bench.keep(Carrier(bench.folder, {"address": ADDRESS, "tcp": "drops", "trunk": {}}, ("127.0.0.1", 5060)))
    return carrier, telephone(bench, "alice", "127.0.0.8")


def telephone(bench, account, address):
    name, password = bench.credential(account)
    return bench.keep(Softphone(bench.folder, f"{account}-phone", name, password, ("127.0.0.1", 5060), address)).register()


def asked_at(call):
    """When the INVITE with credentials was sent."""
    return [m for m in call.agent.messages(call) if not m.received and m.method == "INVITE"][-1].at


def takes(carrier, number):
    leg = carrier.wait_call(number)
    check(carrier.called(leg.invite) == number, f"{number} is called as {leg.invite.uri}")
    check(leg.invite.hop.transport == "udp", f"{number}: by {leg.invite.hop.transport}")
    return leg


def test_emergency_with_a_location_by_udp_at_once(bench):
    """An INVITE of more than 1,300 bytes, which a stack would try by TCP first, and whose SYN nobody answers."""
    carrier, phone = town(bench, "US")
    client = bench.webrtc()
    took = []
    for _ in range(5):
        call = phone.dial("911")
        leg = takes(carrier, "911")
        took.append(leg.invite.at - asked_at(call))
        size = len(bytes(leg.invite))
        check(size > 1300, f"the INVITE is {size} bytes long: the test wants one that does not fit")
        check("<cl:RD>5th Avenue</cl:RD>" in bytes(leg.invite).decode(), "without the location")
        leg.refuse(486)
        call.wait(486)
    print(f"911 of {size} bytes, heard on the wire by UDP within {1000 * max(took):.1f} ms of the telephone's INVITE")
    check(max(took) < STALL, f"it took {took}")
    # and by XMPP, heard both ways
    began = time.time()
    client.call(f"911@{GATEWAY}")
    leg = takes(carrier, "911")
    print(f"911 by XMPP, heard {1000 * (leg.invite.at - began):.0f} ms after the client was told to call")
    carrier.answer(leg)
    client.wait("up")
    bench.talk(2.5)
    client.hangup()
    leg.wait_end()
    hear(client, leg)


ORDINARY, NUMBERS = "+4930123456", ("112", "112#", "+112")


def final_of(phone, call):
    """The status of the last answer to its INVITE, challenges apart; 0: none yet."""
    said = [m.status for m in phone.messages(call) if m.received and m.status and m.method == "INVITE"]
    return next((s for s in said if s >= 200 and s not in (401, 407)), 0)


def get_through(carrier, phone, when):
    """Each is answered, and ended by the caller."""
    for number in NUMBERS:
        call = phone.dial(number)
        leg = takes(carrier, "112")
        took = leg.invite.at - asked_at(call)
        carrier.answer(leg)
        call.wait(200)
        call.hangup()
        leg.wait_end()
        print(f"{number} while {when}: heard within {1000 * took:.1f} ms")
        check(took < STALL, f"{number} while {when}: after {took:.3f} s")


def is_refused(phone, when):
    call = phone.dial(ORDINARY)
    status = until(lambda: final_of(phone, call), 10, f"an answer while {when}")
    check(status in (403, 486, 503), f"an ordinary call while {when} was answered {status}")
    print(f"an ordinary call while {when}: {status}")
    call.line.close()


def stands(carrier, phone):
    """An ordinary call, answered; when the rate refuses it, another."""
    def begun():
        call = phone.dial(ORDINARY)
        leg = until(lambda: final_of(phone, call) or next((c for c in carrier.calls.values() if c.call_id not in taken), None),
                    10, "a call at the carrier")
        if isinstance(leg, int):
            call.line.close()
            return None
        while True:  # those that were cancelled before this one are given out first
            given = carrier.wait_call(ORDINARY)
            if given is leg:
                return call, leg
            given.line.close()
    taken = set(carrier.calls)
    call, leg = until(begun, 10, "a call that the rate admits")
    carrier.answer(leg)
    call.wait(200)
    return call, leg


def end(*pairs):
    for call, leg in pairs:
        call.hangup()
        leg.wait_end()


def use_up_the_rate(phone):
    """Six at once, of which some are admitted."""
    calls = [phone.dial(ORDINARY) for _ in range(6)]
    until(lambda: sum(final_of(phone, c) == 503 for c in calls) >= 3, 10, "refusals by the rate")
    print(f"six ordinary calls at once: {[final_of(phone, c) for c in calls]}")
    return calls


def test_emergency_past_every_limit(bench):
    """max-calls of the user, max_calls of all, the rate, and while draining; of two users, since one has no more
    than so many attempts in ten seconds."""
    carrier, phone = town(bench, "DE", drain=60, max_calls=2, max_setup_per_second=2)
    tandem = bench.tandem
    tandem.ctl("user", "set", f"alice@{DOMAIN}", "max-calls=1")
    tandem.ctl("user", "set", f"bob@{DOMAIN}", "country=DE")
    first = stands(carrier, phone)
    is_refused(phone, "max-calls=1 is used up")
    get_through(carrier, phone, "max-calls=1 is used up")
    tandem.ctl("user", "set", f"alice@{DOMAIN}", "max-calls=10")
    second = stands(carrier, phone)
    is_refused(phone, "max_calls=2 is used up")
    get_through(carrier, phone, "max_calls=2 is used up")
    end(first, second)
    phone = telephone(bench, "bob", "127.0.0.7")
    calls = use_up_the_rate(phone)
    get_through(carrier, phone, "the rate is used up")
    for call in calls:
        if not final_of(phone, call):
            call.cancel()
        call.line.close()
    until(lambda: tandem.status()["calls"] == 0, 10, "no call")
    last = stands(carrier, phone)
    tandem.process.terminate()
    until(lambda: "STOPPING=1" in tandem.told(5), 10, "the drain")
    is_refused(phone, "it drains")
    get_through(carrier, phone, "it drains")
    end(last)
    check(tandem.process.wait(20) == 0, "it did not end well")
    tandem.process = None
