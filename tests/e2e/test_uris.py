# SPDX-License-Identifier: AGPL-3.0-or-later
"""SIP addresses outside, which no trunk leads to, and users by their JIDs."""
import re

from harness import ALICE, GATEWAY, check, hear
from test_carriers import Names
from test_messages import read, refuse

SIP = "127.0.0.1:5060"


def host(bench):
    """SIPp as peer.test, known by its SRV record alone."""
    peer = bench.carrier("peer", trunk=False)
    bench.keep(Names(bench.folder, [f"srv-host=_sip._udp.peer.test,edge.peer.test,{peer.port}", "address=/edge.peer.test/127.0.0.1",
                                    "address=/private.test/10.1.2.3", "local=/test/"]))
    return peer


def take_call(bench, peer):
    leg = peer.wait_call()
    check(leg.invite.first_line.startswith("INVITE sip:bob@peer.test "), leg.invite.first_line)
    check(f"<sip:{ALICE}@" in leg.invite.header("From"), f"the caller is {leg.invite.header('From')}")
    check(leg.invite.header("P-Asserted-Identity") is None, "a stranger is told an asserted identity")
    return leg


def test_uri_called_by_a_client(bench):
    """An escaped local part is a SIP address; what does not come about is said in words."""
    peer = host(bench)
    tandem = bench.gateway(sip={"dial_uris": "peer.test;gone.test"})
    for uri, verdict in (("bob@peer.test", "allow"), ("bob@other.test", "refuse")):
        tested = dict(tandem.json("route", "test", uri)["rows"])
        check(tested["verdict"] == verdict, f"route test {uri} says {tested}")
    phone = bench.webrtc()
    bob = rf"bob\40peer.test@{GATEWAY}"
    phone.call(bob)
    leg = take_call(bench, peer)
    leg.ring()
    phone.wait("ringing")
    leg.answer()
    phone.wait("up")
    bench.talk()
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    phone.call(bob)
    refuse(peer, 404)
    read(phone, bob, re.escape("The number is not in service (404 Not Found from peer.test)"))
    for local, sentence in ((r"bob\40gone.test", r"The host of the address is not found"),
                            (r"bob\40other.test", r"The call is not allowed \(calls to SIP addresses there are not allowed here\)")):
        phone.call(f"{local}@{GATEWAY}")
        read(phone, f"{local}@{GATEWAY}", sentence)


def test_uri_called_by_a_softphone(bench):
    """Through us as its outbound proxy; what is private is not the Internet."""
    peer = host(bench)
    bench.gateway(sip={"dial_uris": "any;peer.test"})
    phone = bench.softphone(plays="A", options=f';outbound="sip:{SIP}"')
    phone.call("sip:bob@peer.test")
    leg = take_call(bench, peer)
    leg.answer()
    phone.wait("CALL_ESTABLISHED")
    bench.talk()
    phone.hangup()
    leg.wait_end()
    hear(phone, leg)
    phone.call("sip:bob@private.test")
    phone.wait_said("403 Forbidden")


def test_user_called_by_his_jid(bench):
    """By SIP, as sip:user%40domain@gateway."""
    bench.gateway()
    carrier, phone = bench.carrier(), bench.webrtc(plays="B")
    leg = carrier.call("alice%40localhost", SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    bench.talk()
    leg.hangup()
    phone.wait("ended", by="peer")
    hear(leg, phone)
