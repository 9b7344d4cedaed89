# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens to a call when a part of the whole dies."""
import os
import signal
import sqlite3
import time

from harness import ALICE, BOB, GATEWAY, OUTSIDE, check, hear, needs_build
from peers.process import until

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"


def established(bench, phone, carrier):
    phone.call(NUMBER)
    leg = carrier.wait_call()
    leg.answer()
    phone.wait("up")
    return leg


def test_server_is_killed_in_mid_call(bench):
    """Audio goes on, the stream is back within 5 s of the server, hanging up
    works and so do new calls."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    bench.talk(2)
    bench.server.kill()
    phone.wait("offline")
    before = leg.line.received
    bench.talk(2)
    check(leg.line.received > before + 80, f"only {leg.line.received - before} packets in 2 s without the server")
    bench.server.start()
    back = time.time()
    bench.tandem.wait_online(5)
    print(f"stream back {time.time() - back:.2f} s after the server")
    phone.wait("online", 20)
    bench.talk(2)
    leg.hangup()
    phone.wait("ended", by="peer")
    hear(phone, leg)

    again = established(bench, phone, carrier)
    bench.talk(3)
    phone.hangup()
    again.wait_end()
    hear(phone, again)


def test_watchdog_stops_when_the_loop_does(bench):
    """systemd hears WATCHDOG=1 while the main loop turns, and nothing from a process that stands;
    a drain says how long it may take."""
    tandem = bench.gateway(start=False, gateway={"drain_seconds": 300})
    tandem.environment["WATCHDOG_USEC"] = "900000"
    tandem.start()
    for _ in range(3):
        check(tandem.told(5) == "WATCHDOG=1", "no WATCHDOG=1 within 5 s")
    os.kill(tandem.process.pid, signal.SIGSTOP)
    while tandem.told(1.5):
        pass  # what was on its way
    check(tandem.told(3) == "", "a process that stands still says WATCHDOG=1")
    os.kill(tandem.process.pid, signal.SIGCONT)
    check(tandem.told(5) == "WATCHDOG=1", "no WATCHDOG=1 from a process that goes on")
    tandem.process.terminate()
    until(lambda: tandem.told(5) == "STOPPING=1\nEXTEND_TIMEOUT_USEC=315000000", 10, "STOPPING=1 and the time of the drain")
    check(tandem.process.wait(20) == 0, "it did not end well")
    tandem.process = None


def test_gateway_is_killed_in_mid_call(bench):
    """After kill -9 the next tandemd ends both legs within 5 s and closes the record."""
    tandem = bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    bench.talk(1)
    tandem.kill()
    tandem.start()
    began = time.time()
    leg.wait("BYE", 5)
    leg.line.close()
    phone.wait("ended", 5, by="peer")
    print(f"both sides told {time.time() - began:.2f} s after the restart")
    record = tandem.last_record()
    check(record["reason"] == "crashed", f"recorded as {record}")
    check(record["state"] == "ENDED", f"recorded as {record}")
    with sqlite3.connect(f"file:{tandem.database}?mode=ro", uri=True) as database:
        answer = database.execute("PRAGMA integrity_check").fetchone()[0]
    check(answer == "ok", f"integrity_check: {answer}")

    again = established(bench, phone, carrier)
    bench.talk(3)
    phone.hangup()
    again.wait_end()


def test_contacts_survive_a_restart(bench):
    """Who has a number in the roster sees it there again after a restart of the gateway."""
    tandem = bench.gateway()
    phone, bob = bench.webrtc(), f"{BOB}@{GATEWAY}"
    phone.subscribe(bob)
    phone.wait("presence", **{"from": f"{bob}/gw"})
    tandem.stop()
    seen = len(phone.events)
    tandem.start()
    until(lambda: any(e["event"] == "presence" and e["from"] == f"{bob}/gw" for e in phone.events[seen:]),
          15, "the contact's presence after the restart")


def test_orderly_stop_ends_calls(bench):
    """SIGTERM: both sides are told, the record says why."""
    tandem = bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    tandem.process.terminate()
    leg.wait("BYE", 10)
    leg.line.close()
    phone.wait("ended", by="peer")
    until(lambda: tandem.process.poll() is not None, 20, "tandemd to end")
    check(tandem.process.returncode == 0, f"exit status {tandem.process.returncode}")
    tandem.start()
    check(tandem.last_record()["reason"] == "shutdown", f"recorded as {tandem.last_record()}")


def test_hangup_by_operator(bench):
    tandem = bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    live = tandem.calls()[0]
    tandem.ctl("hangup", live["id"])
    leg.wait("BYE")
    phone.wait("ended", by="peer")
    record = tandem.last_record()
    check(record["reason"] == "admin", f"recorded as {record}")


def test_client_vanishes(bench):
    """The phone is killed: its media stops, the call ends at the other side."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    bench.talk(1)
    phone.process.kill()
    leg.wait("BYE", 60)
    record = bench.tandem.last_record()
    check(record["reason"] == "media-lost", f"recorded as {record}")


@needs_build("thread")
def test_thread_call(bench):
    """One call each way under ThreadSanitizer; what it finds fails the test at the end."""
    bench.gateway()
    phone, carrier = bench.webrtc(), bench.carrier()
    leg = established(bench, phone, carrier)
    bench.talk(2)
    phone.hangup()
    leg.wait_end()
    leg = carrier.call(ALICE, SIP)
    phone.wait("incoming")
    phone.answer()
    leg.wait_answer()
    bench.talk(2)
    leg.hangup()
    phone.wait("ended", by="peer")
