# SPDX-License-Identifier: AGPL-3.0-or-later
"""What strangers can use up, while calls stand and others are made."""
import re
import resource
import socket
import ssl
import time

from harness import check, until
from peers.scanner import PlainPhone
from peers.sipp import EchoLoad

DESCRIPTORS = 1024
CALLS = 5
IDLE = 1500
HALF_OPEN = 60
UNFINISHED = 1_900_000  # bytes of a header that never ends
MEGABYTES = 20


def memory(tandem):
    """MB that are in use; with a sanitizer twice as much is."""
    status = open(f"/proc/{tandem.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) / 1024


def connect(address, port, tls=None):
    connection = socket.socket()
    connection.bind((address, 0))
    connection.settimeout(5)
    connection.connect(("127.0.0.1", port))
    if tls:
        connection = tls.wrap_socket(connection)
    connection.settimeout(0)
    return connection


def is_closed(connection):
    try:
        while connection.recv(4096):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def pour(connection, left):
    """As much as it takes; what is still to be sent."""
    try:
        while left > 0:
            left -= connection.send(b"a" * min(left, 65536))
    except (BlockingIOError, ssl.SSLWantWriteError):
        pass
    except OSError:
        return 0
    return left


def connect_many(number, ports, tls):
    """From fifty addresses, by TCP and TLS in turn; some are refused at once."""
    made = []
    for i in range(number):
        try:
            by_tls = i % 2
            made.append(connect(f"127.0.4.{1 + i % 50}", ports[by_tls], tls if by_tls else None))
        except OSError:
            pass
    return made


def test_connections(bench):
    """1,500 idle connections, sixty with 1.9 MB of unfinished header each, by TCP and TLS, and 1,024 descriptors in
    all: 20 MB, closed in time; calls stand, a telephone registers and calls, tandemctl answers."""
    tandem = bench.gateway(start=False, gateway={"log_level": "info"}, sip=bench.certificate())
    sanitized = b"libasan" in (tandem.build / ".libs" / "tandemd").read_bytes()
    tandem.environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1"
    tandem.start()
    resource.prlimit(tandem.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    tandem.provision_users()
    bench.carrier()
    phone = bench.keep(PlainPhone(*bench.credential(name="desk")))
    load = EchoLoad(bench.folder, CALLS, CALLS, hold=30000)
    load.start()
    until(lambda: int(tandem.status()["calls"]) == CALLS, 15, f"{CALLS} calls")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    before = memory(tandem)
    began = time.monotonic()
    idle = connect_many(IDLE, (5060, tandem.tls_port), tls)
    half = []
    for i in range(HALF_OPEN):
        try:
            half.append(connect(f"127.0.5.{1 + i}", (5060, tandem.tls_port)[i % 2], tls if i % 2 else None))
            half[-1].send(b"INVITE sip:x@gw.example.org SIP/2.0\r\nX-Much: ")
        except OSError:
            pass
    left = [UNFINISHED] * len(half)
    most = before

    def is_poured():
        nonlocal most
        for i, connection in enumerate(half):
            left[i] = pour(connection, left[i])
        most = max(most, memory(tandem))
        return not any(left)
    until(is_poured, 30, "every half-open connection to be full or closed")
    check(int(tandem.status()["calls"]) == CALLS, f"calls: {tandem.status()['calls']}")
    phone.register()
    phone.call("echo")
    until(lambda: all(map(is_closed, half + idle)), 30, "all to be closed")
    seconds = time.monotonic() - began
    most = max(most, memory(tandem))
    line = tandem.status()["sip connections"]
    print(f"{most - before:.1f} MB more, all closed after {seconds:.0f} s; {line}")
    check(most - before < MEGABYTES * (3 if sanitized else 1), f"{most - before:.1f} MB more")
    check(" 0 of them strangers'" in line, line)
    for connection in half + idle:
        connection.close()
    load.finish()


def test_forward_secrecy(bench):
    """The TLS port takes no exchange by which what is said today can be read tomorrow."""
    tandem = bench.gateway(sip=bench.certificate())
    for ciphers, wanted in (("AES128-SHA:AES256-SHA256:AES128-GCM-SHA256", False), ("ECDHE+AESGCM", True)):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.set_ciphers(ciphers + ":@SECLEVEL=0")
        try:
            with socket.create_connection(("127.0.0.1", tandem.tls_port), 5) as plain, tls.wrap_socket(plain) as secure:
                taken = secure.cipher()[0]
        except OSError as error:
            taken = None
            check(not wanted, f"{ciphers}: {error}")
        check(wanted == bool(taken), f"{ciphers}: {taken}")
