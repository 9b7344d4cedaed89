# SPDX-License-Identifier: AGPL-3.0-or-later
"""Carriers by TLS, and keys of SRTP that we offer."""
import re
import socket
import ssl
import subprocess
import threading

from harness import ALICE, GATEWAY, OUTSIDE, Phases, check, hear
from peers import baresip, linphone
from test_carriers import Names

NUMBER = f"{OUTSIDE}@{GATEWAY}"


def authority(folder):
    """A certificate authority: its certificate's file, and a function that makes one for a name."""
    ca = folder / "ca"

    def openssl(*words, text=None):
        subprocess.run(["openssl", *map(str, words)], input=text, text=True, check=True, capture_output=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-days", 30, "-subj", "/CN=test authority")

    def certificate(name):
        file = folder / f"{name}.pem"
        openssl("req", *key, "-keyout", f"{file}.key", "-out", f"{file}.csr", "-subj", "/CN=nobody.example")
        extensions = folder / f"{name}.cnf"
        extensions.write_text(f"subjectAltName=DNS:{name}\n")
        openssl("x509", "-req", "-in", f"{file}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
                "-days", 30, "-extfile", extensions, "-out", f"{file}.crt")
        file.write_text((folder / f"{name}.pem.crt").read_text() + (folder / f"{name}.pem.key").read_text())
        return file
    return f"{ca}.pem", certificate


def tls_telephone(bench, certificate, name):
    """A baresip that takes calls by TLS, at the port after its own."""
    before = baresip.CONFIG
    baresip.CONFIG += f"sip_certificate {certificate}\n"
    telephone = bench.baresip(name, trunk=False, user=OUTSIDE)
    baresip.CONFIG = before
    return telephone


def test_carrier_by_tls(bench):
    """The first one's certificate is another's: the call goes out by the second, of which only the domain is
    known, both are heard, and what was wrong is said wherever one looks.  A call in by TLS is the trunk's."""
    ca, certificate = authority(bench.folder)
    wrong = tls_telephone(bench, certificate("other.example"), "wrong")
    right = tls_telephone(bench, certificate("carrier.test"), "right")
    bench.keep(Names(bench.folder, [
        "naptr-record=carrier.test,10,10,s,SIPS+D2T,,_sips._tcp.carrier.test",
        "naptr-record=carrier.test,20,10,s,SIP+D2U,,_sip._udp.carrier.test",
        f"srv-host=_sips._tcp.carrier.test,edge.carrier.test,{right.port + 1}",
        "address=/edge.carrier.test/sip.wrong.test/127.0.0.1",
    ]))
    bench.gateway(sip=bench.certificate())
    keys = ("options-seconds=0", f"tls-ca={ca}")
    bench.tandem.ctl("trunk", "add", "wrong", "sip.wrong.test", f"port={wrong.port + 1}", "transport=tls", "priority=1", *keys)
    bench.tandem.ctl("trunk", "add", "right", "carrier.test", "transport=auto", "priority=2", *keys)
    phone = bench.webrtc()
    phone.call(NUMBER)
    right.wait_call()
    phone.wait("ringing")
    right.answer()
    phone.wait("up")
    bench.talk(4)
    phone.hangup()
    right.wait_said("session closed")
    hear(phone, right)
    record = bench.tandem.last_record()
    ladder = bench.tandem.ladder(record["id"])
    sentence = "the certificate of sip.wrong.test is for other.example; set the trunk's host"
    check(record["trunk"] == "right", f"by trunk {record['trunk']}")
    check("other.example" in ladder, f"the ladder does not say what was wrong with the certificate:\n{ladder}")
    for what, text in (("log", bench.tandem.log.read_text()), ("status", bench.tandem.ctl("status").stdout),
                       ("trunk show", bench.tandem.ctl("trunk", "show", "wrong").stdout)):
        check(sentence in text, f"the {what} does not say what was wrong with the certificate:\n{text[-3000:]}")
    bench.tandem.ctl("trunk", "del", "wrong")
    right.call(f"sip:{ALICE}@127.0.0.1:{bench.tandem.tls_port};transport=tls")
    phone.wait("incoming")
    phone.answer()
    right.wait("CALL_ESTABLISHED")
    phone.hangup()
    right.wait_said("session closed")
    check(bench.tandem.last_record()["trunk"] == "right", "a call in by TLS is not the trunk's")


class Bare:
    """The SIP of a carrier that calls by a connection of its own and closes it; its own port is asked later."""

    def __init__(self, certificate):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.port = self.listener.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        self.client = client

    def call(self, number, port):
        """Until it is answered and that is confirmed; the connection is closed then."""
        with self.client.wrap_socket(socket.create_connection(("127.0.0.1", port), 20)) as connection:
            self._say(connection, number, 1, "INVITE", "", "\r\n".join([
                "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 40000 RTP/AVP 0", ""]))
            while " 200 " not in (said := self._hear(connection)).split("\r\n")[0]:
                pass
            tag = re.search(r"^To:.*;tag=([^;\r]+)", said, re.M | re.I)[1]
            self._say(connection, number, 1, "ACK", f";tag={tag}", "")

    def wait_request(self, method):
        """The next connection to our port, and what is asked by it; it is granted."""
        with self.context.wrap_socket(self.listener.accept()[0], server_side=True) as connection:
            connection.settimeout(20)
            asked = self._hear(connection)
            check(asked.startswith(method + " "), f"{method} was to come, not {asked}")
            kept = [line for line in asked.split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", line, re.I)]
            connection.sendall("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())
            return asked

    def _say(self, connection, number, cseq, method, tag, body):
        connection.sendall("\r\n".join([
            f"{method} sip:{number}@127.0.0.1 SIP/2.0", f"Via: SIP/2.0/TLS 127.0.0.1:{self.port};branch=z9hG4bK{method}",
            f"From: <sip:{OUTSIDE}@carrier.test>;tag=f", f"To: <sip:{number}@127.0.0.1>{tag}", "Call-ID: closes", "Max-Forwards: 70",
            f"CSeq: {cseq} {method}", f"Contact: <sip:carrier@127.0.0.1:{self.port};transport=tls>",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body]).encode())

    @staticmethod
    def _hear(connection):
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(1)
        length = int(re.search(rb"^(?:Content-Length|l): *(\d+)", text, re.M | re.I)[1])
        while length > 0:
            length -= len(data := connection.recv(length))
            text += data
        return text.decode()

    def stop(self):
        self.listener.close()


def test_carrier_closes_its_connection(bench):
    """We register by TLS.  A call in by TLS whose connection has ended is hung up where the dialog says, and only
    at the trunk."""
    ca, certificate = authority(bench.folder)
    bench.gateway(sip=bench.certificate())
    carrier = bench.keep(Bare(certificate("localhost")))
    bench.tandem.ctl("trunk", "add", "bare", "localhost", f"port={carrier.port}", "transport=tls", "options-seconds=0",
                     f"tls-ca={ca}", "register=yes", "username=u", "password=p")
    asked = carrier.wait_request("REGISTER")
    check(f"Contact: <sip:u@127.0.0.1:{bench.tandem.tls_port};transport=tls>" in asked, f"registered as {asked}")
    phone = bench.webrtc()
    calling = threading.Thread(target=carrier.call, args=(ALICE, bench.tandem.tls_port))
    calling.start()
    phone.wait("incoming")
    phone.answer()
    calling.join()
    phone.hangup()
    asked = carrier.wait_request("BYE")
    check("SIP/2.0/TLS" in asked, f"not by TLS: {asked}")


def keys_said(text):
    return set(re.findall(r"a=crypto:\d+ \S+ inline:(\S+)", text))


def no_key_is_shown(bench, keys):
    shown = bench.tandem.log.read_text() + "".join(bench.tandem.ladder(c["id"]) for c in bench.tandem.calls())
    check(keys and not any(k in shown for k in keys) and "inline:" not in shown, "a key is shown")


def test_softphone_takes_srtp_alone(bench):
    """baresip is called, holds and resumes: both are heard, with one key each all the time."""
    bench.gateway(sip=bench.certificate())
    carrier, phone = bench.carrier(), bench.softphone(name="desk", transport="tls", options=";mediaenc=srtp-mand")
    said = bench.tandem.ctl("softphone", "set", "desk", "srtp=require").stdout
    check("srtp:" not in said, f"it is registered by TLS: {said}")
    leg = carrier.call(ALICE, "127.0.0.1:5060")
    phone.wait_call()
    phone.answer()
    leg.wait_answer()
    bench.talk(3)
    phone.hold()
    leg.wait_change("sendonly")
    phone.resume()
    leg.wait_change("sendrecv")
    leg.hangup()
    phone.wait_over()
    hear(phone, leg, 0.15)  # but for the hold
    one_key_each(bench, (phone.folder / "baresip.log").read_text(errors="replace"))


def one_key_each(bench, messages):
    ladder = bench.tandem.ladder(bench.tandem.last_record()["id"])
    check(ladder.count("srtp: SRTP_AES128_CM_SHA1_80") == 1, f"not one key all the time:\n{ladder}")
    keys = keys_said(messages)
    check(len(keys) == 2, f"{len(keys)} keys were said, not one each")
    no_key_is_shown(bench, keys)


def test_softphone_is_held_with_srtp(bench):
    """linphone, which must have a key too, is held by the other side and heard, and hears, as before."""
    linphone.CONFIG = linphone.CONFIG.replace("[sip]\n", "[sip]\nmedia_encryption=srtp\nmedia_encryption_mandatory=1\n")
    bench.gateway(sip=bench.certificate())
    carrier, phone = bench.carrier(), bench.linphone(name="desk", transport="tls")
    bench.tandem.ctl("softphone", "set", "desk", "srtp=require")
    leg = carrier.call(ALICE, "127.0.0.1:5060")
    phone.wait_call()
    phone.answer()
    leg.wait_answer()
    phases = Phases(phone, leg)
    phases.mark("both")
    bench.talk(2.5)
    phases.mark(None)
    leg.change("sendonly")
    leg.change("sendrecv")
    phases.mark("both")
    bench.talk(2.5)
    leg.hangup()
    phone.wait_over()
    phases.judge()
    one_key_each(bench, (phone.folder / "linphone.log").read_text(errors="replace"))


def test_carrier_with_srtp(bench):
    """The first, which must, answers without a key and is left for the second, which may and does; when the
    first need not, it is called as ever."""
    bench.gateway()
    plain, phone = bench.carrier("plain", priority=1, srtp="require"), bench.webrtc()
    secure = bench.baresip("secure", trunk=False)
    secure._tell("uanew", f"<sip:{OUTSIDE}@127.0.0.1:{secure.port}>;regint=0;answermode=manual;mediaenc=srtp-mand")
    done = bench.tandem.ctl("trunk", "add", "secure", "127.0.0.1", f"port={secure.port}", "priority=2", "options-seconds=0",
                            "srtp=offer")
    check("not encrypted" in done.stdout, f"no word about a key by UDP: {done.stdout}")
    phone.call(NUMBER)
    leg = plain.wait_call()
    check("RTP/SAVP" in leg.invite.text, f"not RTP/SAVP: {leg.invite.text}")
    leg.answer()
    secure.wait_call()
    secure.answer()
    phone.wait("up")
    bench.talk(3)
    phone.hangup()
    secure.wait_over()
    hear(phone, secure)
    ladder = bench.tandem.ladder(bench.tandem.last_record()["id"])
    check("answered without SRTP" in ladder and "srtp: SRTP_AES128_CM_SHA1" in ladder, f"not as it should:\n{ladder}")
    keys = keys_said((secure.folder / "baresip.log").read_text(errors="replace"))
    no_key_is_shown(bench, keys)
    bench.tandem.ctl("trunk", "set", "plain", "srtp=offer")
    phone.forget()
    phone.call(NUMBER)
    leg = plain.wait_call()
    check("RTP/AVP" in leg.invite.text and "a=crypto:2 AES_CM_128_HMAC_SHA1_32" in leg.invite.text, leg.invite.text)
    leg.answer()
    phone.wait("up")
    phone.hangup()
    leg.wait_end()
