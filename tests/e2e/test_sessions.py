# SPDX-License-Identifier: AGPL-3.0-or-later
"""Session timers of a few seconds: who refreshes keeps the call, who stops loses it."""
import time

from harness import ALICE, GATEWAY, OUTSIDE, check, hear

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
INTERVAL = 4  # seconds; the refreshes come at the half of it


def began(bench, refresher):
    """A call out to a carrier that answers with a timer."""
    bench.gateway()
    phone = bench.aiortc()
    carrier = bench.carrier(session=(INTERVAL, refresher), session_seconds=INTERVAL)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    asked = leg.invite.header("Session-Expires")
    check(asked == str(INTERVAL), f"the INVITE asks for {asked}")
    leg.ring()
    phone.wait("ringing")
    leg.answer()
    phone.wait("up")
    return phone, leg


def stops_refreshing(bench, phone, leg):
    """The carrier refreshes for two intervals, and then no more."""
    for _ in range(4):
        time.sleep(INTERVAL / 2)
        answer = leg.change("sendrecv")
        said = answer.header("Session-Expires")
        check((answer.status, said) == (200, f"{INTERVAL};refresher=uac"), f"answered by {answer.status}, {said}")
    bye = leg.wait_end(INTERVAL * 2)
    stood = bye.at - answer.at
    print(f"ended {stood:.2f} s after the last refresh")
    check(INTERVAL / 2 < stood <= INTERVAL, f"ended {stood:.2f} s after the last refresh")
    check("cause=408" in (bye.header("Reason") or ""), f"the BYE says {bye.header('Reason')}")
    ended = phone.wait("ended", by="peer")
    check((ended["how"], ended["reason"]) == ("session-terminate", "timeout"), f"the client was told {ended}")
    hear(phone, leg)
    own = [m for m in leg.sipp.messages() if m.received and m.method == "INVITE" and not m.status and m is not leg.invite]
    check(not own, "the gateway refreshed what was the carrier's to refresh")
    record = bench.tandem.last_record()
    check(record["reason"] == "timeout", f"recorded as {record}")


def test_session_refreshed_by_the_gateway(bench):
    phone, leg = began(bench, "gateway")
    times = [leg.wait_change("sendrecv", INTERVAL).at for _ in range(5)]
    print("refreshed after " + ", ".join(f"{b - a:.2f}" for a, b in zip(times, times[1:])) + " s")
    check(times[-1] - times[0] > 1.5 * INTERVAL, f"five refreshes within {times[-1] - times[0]:.2f} s")
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    check(bench.tandem.last_record()["reason"] == "hangup", "the record")


def test_session_of_a_call_out_expires(bench):
    phone, leg = began(bench, "carrier")
    stops_refreshing(bench, phone, leg)


def test_session_of_a_call_in_expires(bench):
    bench.gateway()
    phone = bench.aiortc(plays="B")
    leg = bench.carrier(session=(INTERVAL, "carrier"), session_seconds=INTERVAL).call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    answer = leg.wait_answer()
    said = answer.header("Session-Expires")
    check(said == f"{INTERVAL};refresher=uac", f"the 200 says {said}")
    phone.wait("up")
    stops_refreshing(bench, phone, leg)
