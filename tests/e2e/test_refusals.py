# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls that are not answered: who is told what, in which words, and what the
record and the ladder keep of it."""
from harness import ALICE, DOMAIN, GATEWAY, OUTSIDE, Failed, check

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
GHOST, ELSEWHERE = "+14155550266", "+14155550267"

# What the carrier says: the record's reason, and what the client may be told.
CARRIER_SAYS = {
    403: ("forbidden", {"decline", "general-error"}),
    404: ("not-found", {"gone", "general-error"}),
    408: ("timeout", {"timeout"}),
    480: ("unreachable", {"timeout", "gone"}),
    484: ("incomplete", {"gone", "general-error"}),
    486: ("busy", {"busy"}),
    487: ("no-answer", {"timeout"}),
    500: ("network-error", {"general-error", "connectivity-error"}),
    503: ("overload", {"general-error", "connectivity-error"}),
    603: ("declined", {"decline"}),
}
PHRASES = {403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable",
           484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated", 500: "Server Internal Error",
           503: "Service Unavailable", 603: "Decline"}


def check_row(bench, phone, leg, status, reasons, how):
    """One line of the table: the client, the record and the ladder agree."""
    ended = phone.wait("ended", by="peer")
    record = bench.tandem.last_record()
    ladder = bench.tandem.ladder(record["id"])
    name, told = reasons
    words = f"{status} {PHRASES[status]}"
    print(f"{words}: client {ended['how']} {ended['reason']} \"{ended['text']}\", record {record['reason']} \"{record['text']}\"")
    check(ended["how"] == how, f"{words}: the client was told by {ended['how']}")
    check(ended["reason"] in told, f"{words}: the client was told {ended['reason']}, not {told}")
    check(words in (ended["text"] or ""), f"{words}: the client's text is {ended['text']!r}")
    check(record["reason"] == name, f"{words}: recorded as {record['reason']}, not {name}")
    check(words in (record["text"] or ""), f"{words}: the record's text is {record['text']!r}")
    check(record["ended-by"] == "callee", f"{words}: ended by {record['ended-by']}")
    check(words in ladder and "INVITE" in ladder, f"{words}: not in the ladder\n{ladder}")


def every_refusal(bench, phone, to, how, rings):
    """Each line of the table, all of them before any is judged."""
    carrier, failures = bench.carrier(), []
    for status, reasons in CARRIER_SAYS.items():
        phone.call(to)
        leg = carrier.wait_call()
        if rings:
            leg.ring()
            phone.wait("ringing")
        leg.refuse(status)
        leg.wait("ACK")
        try:
            check_row(bench, phone, leg, status, reasons, how)
        except Failed as failure:
            failures.append(str(failure))
    check(not failures, "\n".join(failures))


def test_carrier_refuses_message_initiation(bench):
    """Every refusal, seen by a client that proposed: reject."""
    bench.gateway()
    every_refusal(bench, bench.webrtc(), NUMBER, "reject", rings=True)


def test_carrier_refuses_direct(bench):
    """Every refusal, seen by a client that sent session-initiate: session-terminate."""
    bench.gateway()
    every_refusal(bench, bench.aiortc(direct=True), f"{NUMBER}/gw", "session-terminate", rings=False)


def call_in(bench, phone, carrier):
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    leg.wait(180)
    return leg


def check_call_in(bench, leg, status, reason, ended_by="callee"):
    leg.wait(status)
    record = bench.tandem.last_record()
    check(record["reason"] == reason, f"recorded as {record['reason']}, not {reason}")
    check(record["ended-by"] == ended_by, f"ended by {record['ended-by']}")
    check(str(status) in bench.tandem.ladder(record["id"]), "the refusal is not in the ladder")


def test_client_is_busy(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc()
    leg = call_in(bench, phone, carrier)
    phone.reject("busy")
    check_call_in(bench, leg, 486, "busy")


def test_client_declines(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc()
    leg = call_in(bench, phone, carrier)
    phone.reject()
    check_call_in(bench, leg, 603, "declined")


def test_direct_client_declines(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(direct=True)
    phone.subscribe(NUMBER)
    phone.wait("presence", **{"from": f"{NUMBER}/gw"})
    leg = call_in(bench, phone, carrier)
    phone.reject("decline")
    check_call_in(bench, leg, 603, "declined")


def test_client_does_not_answer(bench):
    """The ring time of the configuration runs out."""
    bench.gateway(calls={"ring_timeout": 4})
    carrier, phone = bench.carrier(), bench.webrtc()
    leg = call_in(bench, phone, carrier)
    check_call_in(bench, leg, 480, "no-answer", "gateway")
    ended = phone.wait("ended", by="peer")
    check(ended["how"] == "retract", f"the phone that rang was told {ended}")


def test_nobody_is_logged_in(bench):
    """The server sends the propose back (it keeps none for a push): the caller is told at once."""
    bench.gateway(calls={"ring_timeout": 60})
    leg = bench.carrier().call(ALICE, SIP)
    leg.wait(480, 20)
    check(bench.tandem.last_record()["reason"] == "unreachable", f"recorded as {bench.tandem.last_record()}")


def test_unknown_number(bench):
    bench.gateway()
    leg = bench.carrier().call(OUTSIDE, SIP)
    leg.wait(404)


def test_caller_cancels_call_in(bench):
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc()
    leg = call_in(bench, phone, carrier)
    leg.cancel()
    leg.wait(487)
    ended = phone.wait("ended", by="peer")
    check(ended["how"] == "retract", f"the client was told {ended}")
    record = bench.tandem.last_record()
    check((record["reason"], record["ended-by"]) == ("cancelled", "caller"), f"recorded as {record}")


def cancels_call_out(bench, phone, to):
    carrier = bench.carrier()
    phone.call(to)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    phone.hangup()
    leg.wait("CANCEL")
    leg.wait("ACK")
    record = bench.tandem.last_record()
    check((record["reason"], record["ended-by"]) == ("cancelled", "caller"), f"recorded as {record}")
    check("CANCEL" in bench.tandem.ladder(record["id"]), "no CANCEL in the ladder")


def test_caller_cancels_call_out_by_retract(bench):
    bench.gateway()
    cancels_call_out(bench, bench.webrtc(), NUMBER)


def test_caller_cancels_call_out_by_terminate(bench):
    bench.gateway()
    cancels_call_out(bench, bench.aiortc(direct=True), f"{NUMBER}/gw")


def test_carrier_does_not_answer(bench):
    """The ring time of the trunk runs out: CANCEL to the carrier."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier(ring_seconds=5)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    leg.wait("CANCEL", 15)
    ended = phone.wait("ended", by="peer")
    check(ended["reason"] == "timeout", f"the client was told {ended}")
    record = bench.tandem.last_record()
    check(record["reason"] == "no-answer", f"recorded as {record}")


def test_stranger_is_refused(bench):
    """An INVITE from no trunk: refused, nothing rings, counted."""
    bench.gateway()
    phone, stranger = bench.webrtc(), bench.carrier(trunk=False)
    leg = stranger.call(ALICE, SIP)
    leg.wait(403)
    check(not phone.has("incoming"), "the phone rang for a stranger")


def test_nobody_is_there(bench):
    """The server says that there is no such account, or no such server: the caller hears it at once."""
    bench.gateway()
    carrier = bench.carrier()
    for number, user in ((GHOST, f"ghost@{DOMAIN}"), (ELSEWHERE, "ghost@nowhere.invalid")):
        bench.tandem.ctl("user", "add", user)
        bench.tandem.ctl("number", "add", number, user)
        leg = carrier.call(number, SIP)
        leg.wait(480, seconds=10)
        record = bench.tandem.last_record()
        ladder = bench.tandem.ladder(record["id"])
        check(record["reason"] == "unreachable", f"{user}: recorded as {record['reason']}")
        check("propose came back" in ladder, f"{user}: the server's error is not in the ladder\n{ladder}")
