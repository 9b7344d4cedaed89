# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls over the networks people are behind: routers that translate addresses,
no UDP at all, IPv6 alone, lines that are slow and lose packets; and a gateway
that is itself behind a router.  Audio is compared both ways in each."""
import re
import socket
import struct
import time

from harness import ALICE, GATEWAY, OUTSIDE, Phases, check, hear, slow
from network import BadLine, Coturn, Home, Place, connect, run, wire
from run import ADDRESS
from peers import process
from peers.carrier import Carrier
from peers.process import until
from peers.sipwire import host_of, uri_of
from test_messages import read

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
MAX_GAPS = 0.05  # of short calls: a jitter buffer that grows once; of packets 1 % as ever


def remote_phone(bench, place, server=ADDRESS, kind="webrtc", **more):
    """A phone in another place, that logs in over that place's network."""
    options = ["--server", server, *more.pop("options", [])]
    with place.inside():
        return getattr(bench, kind)(options=options, **more)


def talk_out(bench, phone, carrier, seconds=2.5):
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.ring()
    phone.wait("ringing")
    answered = leg.answer()
    up = phone.wait("up", 10)
    bench.talk(seconds)
    phone.hangup()
    leg.wait_end()
    return leg, up["at"] - answered.at


def talk_in(bench, phone, carrier, gateway=SIP, seconds=2.5):
    leg = carrier.call(ALICE, gateway, plays="B")
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    phone.wait("up", 10)
    bench.talk(seconds)
    leg.hangup()
    phone.wait("ended", by="peer")
    return leg


def call_out(bench, place, server=ADDRESS, kind="webrtc", **more):
    """A call out that is heard both ways; the phone."""
    carrier = bench.carrier()  # a number is there when a trunk can reach it
    phone = remote_phone(bench, place, server, kind, **more)
    leg, setup = talk_out(bench, phone, carrier)
    hear(phone, leg, MAX_GAPS)
    print(f"media was up {setup * 1000:.0f} ms after the 200")
    return phone


def open_house(bench, **media):
    """Prosody and the gateway where clients of other networks reach them."""
    bench.prosody(interfaces=("127.0.0.1", ADDRESS))
    return bench.gateway(media=media)


def test_network_port_restricted_nat(bench):
    """The phone learns from the gateway which STUN server to ask."""
    turn = Coturn(bench, ADDRESS)
    open_house(bench, stun_server=turn.address)
    home = Home(bench)
    phone = call_out(bench, home, options=["--services", GATEWAY])
    leg = talk_in(bench, phone, bench.carrier("other"))
    hear(leg, phone, MAX_GAPS)
    found = phone.wait("services")["list"]
    check(found == [{"type": "stun", "host": ADDRESS, "port": "3478", "transport": "udp"}], f"services: {found}")
    flows = home.translated()
    print(f"the router heard of {flows}")
    check(len({outside for _, inside, outside in flows if inside == flows[0][1]}) == 1, "the router is no cone")


def test_network_symmetric_nat(bench):
    open_house(bench)
    home = Home(bench, nat="symmetric")
    call_out(bench, home, kind="aiortc")
    flows = home.translated()
    print(f"the router heard of {flows}")
    check(all(inside != outside for _, inside, outside in flows), "the router keeps ports")


def test_network_gateway_behind_nat(bench):
    """Server and gateway share a private address that a router translates one to one."""
    public, private = "10.77.0.5", "192.168.9.2"
    router, behind = bench.keep(Place()), bench.keep(Place())
    connect(router, [f"10.77.0.2/24", f"{public}/24"], "wan")
    with router.inside():
        wire("lan", ["192.168.9.1/24"], behind, "eth0", [f"{private}/24"])
        run("iptables", "-w", "-t", "nat", "-A", "PREROUTING", "-d", public, "-j", "DNAT", "--to-destination", private)
        run("iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", private, "-o", "wan", "-j", "SNAT", "--to-source", public)
    behind.run("ip", "route", "add", "default", "via", "192.168.9.1")
    router.set("ipv4/ip_forward", 1)
    with behind.inside():
        bench.prosody(interfaces=("127.0.0.1", private))
        bench.gateway(sip={"address": private, "public_address": public},
                      media={"rtp_address": private, "local_addresses": private, "public_address": public})
    carrier, phone = bench.carrier(address=ADDRESS), bench.webrtc(options=["--server", public])
    leg, _ = talk_out(bench, phone, carrier)
    hear(phone, leg, MAX_GAPS)
    check(f"c=IN IP4 {public}" in leg.invite.text and private not in leg.invite.text, leg.invite.text)
    leg = talk_in(bench, phone, carrier, f"{public}:5060")
    hear(leg, phone, MAX_GAPS)


class Line:
    """A line at home: the gateway, its server and a client have private addresses behind one router, which sends
    SIP and RTP from outside to the gateway.  Its public address is another one after change()."""

    FIRST, SECOND, PRIVATE = "10.77.0.5", "10.77.0.6", "192.168.9.2"

    def __init__(self, bench):
        self.router, self.inner = bench.keep(Place()), bench.keep(Place())
        connect(self.router, [f"{self.FIRST}/24"], "wan")
        with self.router.inside():
            wire("lan", ["192.168.9.1/24"], self.inner, "eth0", [f"{self.PRIVATE}/24"])
        for words in (("PREROUTING", "-i", "wan", "-p", "udp", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DNAT", "--to-destination", self.PRIVATE),
                      ("POSTROUTING", "-o", "wan", "-j", "MASQUERADE")):
            self.router.run("iptables", "-w", "-t", "nat", "-A", *words)
        self.inner.run("ip", "route", "add", "default", "via", "192.168.9.1")
        self.router.set("ipv4/ip_forward", 1)
        # for signalling that is none of this: what goes on over a line that stays
        wire("beside", ["10.88.0.1/24"], self.inner, "beside", ["10.88.0.2/24"])
        run("iptables", "-w", "-A", "INPUT", "-i", "beside", "-p", "udp", "-j", "DROP")
        run("iptables", "-w", "-A", "OUTPUT", "-o", "beside", "-p", "udp", "-j", "DROP")

    def change(self):
        """As a provider does at night; the router forgets what it had translated."""
        self.router.run("ip", "addr", "del", f"{self.FIRST}/24", "dev", "wan")
        self.router.run("ip", "addr", "add", f"{self.SECOND}/24", "dev", "wan")
        # IPCTNL_MSG_CT_DELETE of all there is: MASQUERADE forgets by itself, what came in by DNAT would stay
        with self.router.inside(), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as kernel:
            kernel.send(struct.pack("=IHHIIBBH", 20, 0x0102, 5, 1, 0, 0, 0, 0))
            answer = kernel.recv(4096)
        check(answer[16:20] == bytes(4), f"the router has forgotten nothing: {answer}")


def call_carrier(phone, carrier):
    """A call out that stands: the carrier's side of it."""
    phone.call(NUMBER)
    leg = carrier.wait_call()
    carrier.answer(leg)
    phone.wait("up", 10)
    return leg


def talk_both_ways(bench, phases):
    phases.mark("both")
    bench.talk(2.5)
    phases.mark(None)


def address_changes(bench, given):
    """What the carrier knows of us follows, the call that stands is heard both ways again, and the next ones work."""
    line = Line(bench)
    public = {"public_address": line.FIRST} if given else {}
    often = {"keepalive": 6} if given else {}  # once by the default is enough
    with line.inner.inside():
        bench.prosody(interfaces=("127.0.0.1", line.PRIVATE, "10.88.0.2"))
        bench.gateway(sip={"address": line.PRIVATE, **public, **often}, media={"rtp_address": line.PRIVATE,
                                                                      "local_addresses": line.PRIVATE, **public})
        phone = bench.webrtc(options=["--server", line.PRIVATE])
    carrier = bench.keep(Carrier(bench.folder, {"address": ADDRESS, "trunk": {"register": "yes", "username": "home"}},
                                 (line.FIRST, 5060)))
    bench.tandem.ctl("trunk", "add", "carrier", ADDRESS, "register=yes", "username=home", "password=p", "country=US")

    def bound_to(address, seconds):
        until(lambda: host_of(carrier.binding())[0] == address, seconds, f"a registration at {address}")
    bound_to(line.FIRST, 10)
    leg = call_carrier(phone, carrier)
    check(f"c=IN IP4 {line.FIRST}" in leg.offered and line.PRIVATE not in leg.offered, leg.offered)
    phases = Phases(phone, leg, 0.8, 0.1)
    talk_both_ways(bench, phases)
    began = time.monotonic()
    line.change()
    again = leg.wait("INVITE", 30, lambda m: m is not leg.invite)
    offered = time.monotonic() - began
    check(f"c=IN IP4 {line.SECOND}" in again.sdp and line.FIRST not in again.sdp, again.sdp)
    check(host_of(uri_of(again.header("Contact")))[0] == line.SECOND, again.header("Contact"))
    bound_to(line.SECOND, 30)
    print(f"offered again after {offered:.1f} s, registered after {time.monotonic() - began:.1f} s")
    check(time.monotonic() - began < 30, "not within 30 s")
    talk_both_ways(bench, phases)
    leg.hangup()
    phone.wait("ended", by="peer")
    phases.judge()
    check(not leg.faults, f"the carrier objects: {leg.faults}")
    phone.forget()
    carrier.gateway = (line.SECOND, 5060)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    check(f"c=IN IP4 {line.SECOND}" in leg.offered, leg.offered)
    carrier.answer(leg)
    phone.wait("up", 10)
    bench.talk(2.5)
    phone.hangup()
    leg.wait_end()
    hear(phone, leg, MAX_GAPS)
    phone.forget()
    leg = carrier.call_in(ALICE, OUTSIDE)
    phone.wait("incoming")
    phone.answer()
    leg.wait(200)
    phone.wait("up", 10)
    bench.talk(2.5)
    leg.hangup()
    phone.wait("ended", by="peer")
    hear(phone, leg, MAX_GAPS)


@slow
def test_network_address_changes_client_outside(bench):
    """The client is outside as well: its call is heard again as soon as ICE has found the new address, its next one begins
    there."""
    line = Line(bench)
    with line.inner.inside():
        bench.prosody(interfaces=("127.0.0.1", "10.88.0.2"))
        bench.gateway(sip={"address": line.PRIVATE, "public_address": line.FIRST},
                      media={"rtp_address": line.PRIVATE, "local_addresses": line.PRIVATE, "public_address": line.FIRST})
    phone = bench.webrtc(options=["--server", "10.88.0.2"])
    carrier = bench.keep(Carrier(bench.folder, {"address": ADDRESS, "trunk": {}}, (line.FIRST, 5060)))
    bench.tandem.ctl("trunk", "add", "carrier", ADDRESS, "country=US", "options-seconds=10")
    bench.tandem.wait_status("OPTIONS: answers", 10, "an answer to OPTIONS")
    leg = call_carrier(phone, carrier)
    phases = Phases(phone, leg, 0.8, 0.1)
    talk_both_ways(bench, phases)
    began, heard = time.monotonic(), leg.line.received
    line.change()
    leg.wait("INVITE", 30, lambda m: m is not leg.invite)
    offered = time.monotonic() - began
    until(lambda: leg.line.received > heard + 100, 30, "audio of the client at the carrier")
    print(f"offered again after {offered:.1f} s, the client heard after {time.monotonic() - began:.1f} s")
    talk_both_ways(bench, phases)
    phone.hangup()
    leg.wait_end()
    phases.judge()
    phone.forget()
    leg = call_carrier(phone, carrier)
    bench.talk(2.5)
    phone.hangup()
    leg.wait_end()
    hear(phone, leg, MAX_GAPS)


@slow
def test_network_address_changes(bench):
    """Nobody has said that there is a router."""
    address_changes(bench, given=False)


@slow
def test_network_address_changes_given(bench):
    """Its first address is in the configuration."""
    address_changes(bench, given=True)


def test_network_ipv6_only(bench):
    inner = bench.keep(Place())
    connect(inner, ["2001:db8:7::2/64"])
    run("ip", "addr", "add", "2001:db8:7::1/64", "dev", "e2e0", "nodad")
    bench.prosody(interfaces=("127.0.0.1", "2001:db8:7::1"))
    bench.gateway(media={"local_addresses": f"{ADDRESS};2001:db8:7::1"})
    call_out(bench, inner, "2001:db8:7::1", "aiortc")
    record = bench.tandem.last_record()
    ladder = bench.tandem.ladder(record["id"])
    check("[2001:db8:7::1]:" in ladder, f"not over IPv6: {ladder}")


def test_network_no_udp_with_turn(bench):
    """Nothing but TCP gets out: the relay that the gateway has told of does."""
    turn = Coturn(bench, ADDRESS)
    open_house(bench, **turn.settings())
    home = Home(bench, blocks_udp=True)
    phone = call_out(bench, home, options=["--services", NUMBER])
    [udp, tcp] = [s for s in phone.wait("services")["list"] if s["type"] == "turn"]
    check(udp["transport"] == "udp" and tcp["transport"] == "tcp", f"services: {udp}, {tcp}")
    check(tcp["username"].endswith(":alice@localhost"), f"the name is {tcp['username']}")
    check(not home.translated(), f"UDP got out: {home.translated()}")
    print(f"coturn has made {turn.allocations()} allocations")
    check(turn.allocations() > 0, "nobody used the relay")


def test_network_no_udp(bench):
    """The same without one: the call fails, and each says why."""
    bench.prosody(interfaces=("127.0.0.1", ADDRESS))
    bench.gateway(media={"ice_timeout": 4})
    carrier, phone = bench.carrier(), remote_phone(bench, Home(bench, blocks_udp=True))
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("ended", by="peer")
    leg.wait_end()
    sentence = ("No audio could pass between your phone and the gateway: the network of your phone seems to block calls (UDP). "
                "Another network may help")
    read(phone, NUMBER, re.escape(sentence))
    record = bench.tandem.last_record()
    check(record["reason"] == "no-media", f"the record says {record}")
    check("connectivity check" in record["text"] and "nothing received from the peer" in record["text"], record["text"])
    check("TURN server" in record["text"], f"no remedy: {record['text']}")
    check("no-media" in bench.tandem.ctl("call", "show", record["id"]).stdout, "the reason is not shown")


def slow_house(bench, line, http=None, **media):
    bench.prosody(interfaces=("127.0.0.1", line.OURS))
    bench.gateway(media={"local_addresses": line.OURS, **media}, http=http or {})
    return bench.carrier(), remote_phone(bench, line, line.OURS)


@slow
def test_network_slow_and_lossy(bench):
    """150 ms each way, +-10 ms, and one packet in twenty lost, for 20 s: the call stands, and what
    the record says of the line is what the line did."""
    line = BadLine(bench, delay_ms=150, jitter_ms=10, loss=0.05)
    # the words kept from before ICE was up are played fast for most of the call, which is not what is measured here
    carrier, phone = slow_house(bench, line, keep_first_words=False)
    leg, setup = talk_out(bench, phone, carrier, 20)
    print(f"media was up {setup * 1000:.0f} ms after the 200")
    told, (seen, lost), (sent, dropped) = bench.tandem.counters("caller"), *line.counters().values()
    print(f"the line took {seen} packets of the phone and lost {lost}, of the gateway {sent} and {dropped}; recorded: {told}")
    # what was under way at the end, or lost before the first that came, is not counted
    check(abs(told["lost_in"] - lost) <= 3, f"{told['lost_in']} lost, not {lost}")
    check(abs(told["packets_in"] - (seen - lost)) <= 25, f"{told['packets_in']} came, not {seen - lost}")
    check(abs(told["packets_out"] - sent) <= 3, f"{told['packets_out']} sent, not {sent}")
    check(0.03 < told["lost_in"] / seen < 0.07, "that is not one in twenty")
    # RFC 3550 A.8 of an even spread of +-10 ms is 6.7 ms; the phone has some of its own
    check(4000 < told["jitter_us"] < 16000, f"jitter {told['jitter_us']} us")
    # one packet each way: twice 140 to 160 ms, and what the phone takes
    check(279000 < told["rtt_us"] < 360000, f"round trip {told['rtt_us']} us")
    hear(phone, leg, max_loss=0.12, max_packets=0.08)


def test_network_one_way(bench):
    """The client's router loses its audio and nothing else: named within ten seconds to the person and to
    the operator; over when it comes again."""
    open_house(bench)
    carrier, home = bench.carrier(), Home(bench)
    phone = remote_phone(bench, home)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up", 10)
    bench.talk(2)
    # SRTP of 20 ms of PCMU in IPv4: checks and reports have other lengths
    audio = ["FORWARD", "-o", "wan", "-p", "udp", "-m", "length", "--length", "200:230", "-j", "DROP"]
    home.router.run("iptables", "-w", "-I", *audio)
    began = time.monotonic()
    read(phone, NUMBER, "You are not heard: .*your phone.*", 20)
    took = time.monotonic() - began
    print(f"named after {took:.1f} s")
    check(took < 10, f"it was named after {took:.1f} s only")
    [live] = bench.tandem.calls()
    check(live["text"].startswith("one-way: The caller is not heard: "), live["text"])
    check(bench.tandem.status()["count calls_one_way"] == 1, "it is not counted")
    home.router.run("iptables", "-w", "-D", *audio)
    until(lambda: not bench.tandem.calls()[0]["text"], 10, "the audio to be heard again")
    bench.talk(2)
    phone.hangup()
    leg.wait_end()
    record, told = bench.tandem.last_record(), bench.tandem.counters("caller")
    print(f"recorded: {told}")
    check("not heard" not in record["text"], record["text"])
    check("The caller is not heard" in bench.tandem.ladder(record["id"]), "the ladder does not say it")
    check(told["gap_ms"] >= 5000 and told["codec"] in ("PCMU", "PCMA"), f"{told}")
    check(bench.tandem.counters("callee")["gap_ms"] < 1000, "the carrier was heard all the time")


def test_network_200_ms(bench):
    """A round trip of 200 ms: proceed, initiate and accept, ICE and DTLS take six of them."""
    carrier, phone = slow_house(bench, BadLine(bench, delay_ms=100))
    leg, setup = talk_out(bench, phone, carrier)
    print(f"media was up {setup * 1000:.0f} ms after the 200")
    hear(phone, leg, MAX_GAPS)
    check(setup < 2, f"{setup:.2f} s")


def test_network_gateway_relayed(bench):
    """No port of the gateway can be reached, nor the client's from it: the gateway's own relay is what they share.
    Its STUN server is dead, and delays nothing."""
    turn = Coturn(bench, ADDRESS)
    inner = bench.keep(Place())
    connect(inner, ["10.77.0.2/24"])
    open_house(bench, **turn.settings(turn_relay=True, stun_server="10.77.0.77"))
    inner.run("iptables", "-w", "-A", "OUTPUT", "-p", "udp", "-d", ADDRESS, "--dport", "20000:29999", "-j", "DROP")
    inner.run("iptables", "-w", "-A", "INPUT", "-p", "udp", "-s", ADDRESS, "--sport", "20000:29999", "-j", "DROP")
    carrier, phone = bench.carrier(), remote_phone(bench, inner)
    leg, setup = talk_out(bench, phone, carrier)
    print(f"media was up {setup * 1000:.0f} ms after the 200")
    hear(phone, leg, MAX_GAPS)
    ladder = bench.tandem.ladder(bench.tandem.last_record()["id"])
    check("ice: relay " in ladder, "not by the relay")
    check(setup < 1.5, f"{setup:.2f} s")
    until(lambda: turn.released() == turn.allocations(), 5, "the allocations given back")


def test_network_relay_gone(bench):
    """The relay is dead when its allocations would be given back: the gateway stops all the same, and soon."""
    turn = Coturn(bench, ADDRESS)
    inner = bench.keep(Place())
    connect(inner, ["10.77.0.2/24"])
    open_house(bench, **turn.settings(turn_relay=True))
    carrier, phone = bench.carrier(), remote_phone(bench, inner)
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up", 10)
    check(turn.allocations() > 0, "there is none")
    process.stop(turn.process)
    began = time.monotonic()
    bench.tandem.stop()
    took = time.monotonic() - began
    print(f"stopped in {took:.1f} s")
    check(took < 6, f"it took {took:.1f} s to stop")
    leg.wait_end()
