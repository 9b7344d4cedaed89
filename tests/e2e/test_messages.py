# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people read in the chat with a number: why a call failed, and whom they have missed."""
import re
import subprocess

from harness import ALICE, BOB, GATEWAY, OUTSIDE, Failed, check

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"

# What the carrier says, and what the person reads
SENTENCES = {
    403: "The call is not allowed (403 Forbidden from the carrier)",
    404: "The number is not in service (404 Not Found from the carrier)",
    408: "The far end did not respond in time (408 Request Timeout from the carrier)",
    480: "The person called cannot be reached now (480 Temporarily Unavailable from the carrier)",
    484: "The number is incomplete or ambiguous (484 Address Incomplete from the carrier)",
    486: "The line is busy (486 Busy Here from the carrier)",
    500: "The far network failed (500 Server Internal Error from the carrier)",
    503: "The network is full or busy, please try again later (503 Service Unavailable from the carrier)",
    603: "The call was declined (603 Decline from the carrier)",
}


def read(phone, sender, sentence, seconds=15):
    """The next message: a real one, kept by the server, in the chat with the number."""
    chat = phone.wait("chat", seconds)
    print(f"{phone.name} reads: {chat['body']}")
    check(chat["from"] == sender, f"the message is from {chat['from']}, not {sender}")
    check(chat["type"] == "chat" and chat["stored"], f"not a message that is kept: {chat}")
    check(re.fullmatch(sentence, chat["body"]), f"it says {chat['body']!r}, not {sentence!r}")


def refuse(carrier, status):
    leg = carrier.wait_call()
    leg.refuse(status)
    leg.wait("ACK")


def test_message_why_a_call_failed(bench):
    """Every refusal of a carrier is a sentence in the chat with the number."""
    bench.gateway()
    phone, carrier, failures = bench.webrtc(), bench.carrier(), []
    for status, sentence in SENTENCES.items():
        phone.call(NUMBER)
        refuse(carrier, status)
        phone.wait("ended", by="peer")
        try:
            read(phone, NUMBER, re.escape(sentence))
        except Failed as failure:
            failures.append(f"{status}: {failure}")
    check(not failures, "\n".join(failures))


def test_message_refused_by_the_gateway(bench):
    """No carrier at all."""
    bench.gateway()
    phone = bench.webrtc()
    phone.call(NUMBER)
    phone.wait("ended", by="peer")
    read(phone, NUMBER, r"The far network failed \(no telephone network is connected\)")


def test_message_missed_call(bench):
    """Given up, and not answered in time; both devices ring and each reads it.  The
    server keeps it for who is away, which is the server's part."""
    bench.gateway(calls={"ring_timeout": 4})
    carrier, phone = bench.carrier(), bench.webrtc()
    missed = r"Missed call from \+\d+ on \d{4}-\d\d-\d\d at \d\d:\d\d \w+"
    for give_up in (True, False):
        leg = carrier.call(ALICE, SIP)
        caller = phone.wait("incoming")["from"].split("/")[0]
        leg.wait(180)
        if give_up:
            leg.cancel()
        leg.wait(487 if give_up else 480, 20)
        phone.wait("ended", by="peer")
        read(phone, caller, missed)


def test_message_missed_call_between_users(bench):
    """He reads that nobody answered, she whom she missed."""
    bench.gateway(calls={"ring_timeout": 4})
    alice, bob = bench.webrtc("alice"), bench.webrtc("bob")
    alice.call(f"{BOB}@{GATEWAY}")
    bob.wait("incoming")
    alice.wait("ended", 20, by="peer")
    read(alice, f"{BOB}@{GATEWAY}", "Nobody answered")
    read(bob, f"{ALICE}@{GATEWAY}", rf"Missed call from \{ALICE} on .*")


def test_message_nothing_to_say(bench):
    """Who cancels, declines, hangs up or wants no messages reads nothing."""
    tandem = bench.gateway(calls={"ring_timeout": 4})
    carrier, phone = bench.carrier(), bench.webrtc()
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    phone.hangup()
    leg.wait("CANCEL")
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    leg.wait(180)
    phone.reject()
    leg.wait(603)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up")
    leg.hangup()
    phone.wait("ended", by="peer")
    tandem.ctl("user", "set", "alice@localhost", "messages=off")
    phone.call(NUMBER)
    refuse(carrier, 404)
    phone.wait("ended", by="peer")
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    leg.cancel()
    phone.wait("ended", by="peer")
    # the next message is that of a call that is to be told of: none came before it
    tandem.ctl("user", "set", "alice@localhost", "messages=on")
    phone.call(NUMBER)
    refuse(carrier, 486)
    read(phone, NUMBER, r"The line is busy \(486 Busy Here from the carrier\)")


def test_message_network_without_udp(bench):
    """No UDP gets through from the client to the gateway: both calls end with the sentence
    that says whose network it is.  SIP and XMPP are on 127.0.0.1."""
    bench.gateway(media={"local_addresses": "10.77.0.1", "ice_timeout": 4})
    carrier, phone = bench.carrier(), bench.webrtc()
    for rule in ("add pref 10 lookup local", "del pref 0", "add pref 5 to 10.77.0.1 ipproto udp blackhole"):
        subprocess.run(["ip", "rule", *rule.split()], check=True)
    sentence = re.escape("No audio could pass between your phone and the gateway: the network of your phone seems to "
                         "block calls (UDP). Another network may help")
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    leg.wait("BYE", 30)
    read(phone, NUMBER, sentence)
    leg = carrier.call(ALICE, SIP)
    caller = phone.wait("incoming")["from"].split("/")[0]
    phone.answer()
    read(phone, caller, sentence, 30)
    check(bench.tandem.last_record()["reason"] == "no-media", f"recorded as {bench.tandem.last_record()}")


def test_message_in_the_chat_that_was_dialled(bench):
    """A number as one dials it at home: the carrier gets E.164, the message comes from what was dialled."""
    tandem = bench.gateway()
    tandem.ctl("user", "set", "alice@localhost", "country=US")
    phone, carrier = bench.webrtc(), bench.carrier()
    for dialled in (OUTSIDE[2:], f"011{OUTSIDE[1:]}", f"tel\\3a{OUTSIDE}"):
        phone.call(f"{dialled}@{GATEWAY}")
        refuse(carrier, 486)
        phone.wait("ended", by="peer")
        read(phone, f"{dialled}@{GATEWAY}", r"The line is busy .*")
        record = tandem.last_record()
        check(record["to"] == OUTSIDE, f"{dialled} is recorded as {record['to']}")
