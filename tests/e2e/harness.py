# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an end-to-end test stands on: a Prosody, a tandemd and the telephones.

Everything lives in the test's own folder and network namespace (run.py makes
both), is ended by its pid, and is waited for by the events it gives.
"""
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import textwrap
import time
from pathlib import Path

import audio
from peers import process
from peers.baresip import Baresip
from peers.linphone import Linphone
from peers.process import Failed, until
from peers.sipp import Carrier
from peers.sipp_texts import TextCarrier
from peers.xmpp import XmppPhone, aiortc_program, client_program, dino_program, gajim_program, rude_program, webrtc_program

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
DOMAIN = "localhost"
GATEWAY = "gw.localhost"
SECRET = "e2e-secret"
ACCOUNTS = ("alice", "bob", "carol")

# The numbers of the tests: 555-01xx is never assigned
ALICE, BOB, CAROL = "+14155550101", "+14155550102", "+14155550103"
OUTSIDE = "+14155550199"

# Seconds: a thread that waits for a name, a lock or a peer waits longer, and a machine with other work does not
STALL = 1.0
ASKED_OFTEN = ("status", "calls", "call", "sources")  # nouns of tandemctl that read, and are not its own
MAX_LOSS = 0.01
MAX_LATE = 0.2  # seconds a call: see audio_is_whole()
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer")


def slow(test):
    """Takes its time, so it is begun first."""
    test.slow = True
    return test


def alone(test):
    """Loads the machine, so nothing runs beside it."""
    test.alone = True
    return test


def needs_build(kind):
    """Runs only when such a build is given: "plain", "sanitized" or "thread"."""
    def mark(test):
        test.build = kind
        return test
    return mark


def check(holds, what):
    if not holds:
        raise Failed(what)


class Prosody:
    """The XMPP server of the accounts, with the gateway as its component."""

    def __init__(self, folder, domain=DOMAIN, gateway=GATEWAY, accounts=ACCOUNTS, password="pw", secret=SECRET,
                 interfaces=("127.0.0.1",), c2s_port=5222, component_port=5347, http_port=None, offline=False,
                 certificate=None, services=""):
        """`services`: lines of mod_external_services, which is not loaded without any."""
        self.folder = folder
        self.port, self.component_port = c2s_port, component_port
        data = folder / "data" / domain / "accounts"
        data.mkdir(parents=True, exist_ok=True)
        for account in accounts:
            stored = re.sub(r"[^0-9A-Za-z]", lambda c: f"%{ord(c[0]):02x}", account)
            (data / f"{stored}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n')
        (folder / "groups.txt").write_text("[all]\n" + "".join(f"{a}@{domain}\n" for a in accounts))
        bound = ", ".join(f'"{i}"' for i in interfaces)
        self.config = folder / "prosody.cfg.lua"
        self.config.write_text(f"""
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
plugin_paths = {{}}
log = {{ debug = "{folder}/prosody.log" }}
interfaces = {{ {bound} }}
c2s_ports = {{ {c2s_port} }}
s2s_ports = {{}}
component_ports = {{ {component_port} }}
component_interfaces = {{ "127.0.0.1" }}
http_ports = {{ {http_port or ""} }}
consider_websocket_secure = true
https_ports = {{}}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
limits = {{}}
smacks_hibernation_time = 3
groups_file = "{folder}/groups.txt"
modules_enabled = {{ "roster", "saslauth", "disco", "private", "blocklist", "vcard4", "vcard_legacy", "carbons",
	"smacks", "ping", "pep", "groups", "csi_simple"{', "websocket"' if http_port else ""}{', "tls"' if certificate else ""}{', "external_services"' if services else ""} }}
{services}
-- a propose stored offline would ring the next one who logs in
modules_disabled = {{ "s2s"{'' if offline else ', "offline"'}{'' if certificate else ', "tls"'} }}
{f'ssl = {{ certificate = "{certificate}", key = "{certificate}" }}' if certificate else ''}
VirtualHost "{domain}"
Component "{gateway}"
	component_secret = "{secret}"
""")
        self.start()

    def start(self):
        self.output = open(self.folder / "prosody.out", "ab")
        self.process = process.start(["prosody", "-F", "--config", self.config], stdout=self.output, stderr=self.output,
                                     stdin=subprocess.DEVNULL)
        for port in (self.port, self.component_port):
            until(lambda p=port: accepts(p) or self.process.poll() is not None, 30, "Prosody")
        if self.process.poll() is not None:
            raise Failed(f"Prosody did not start: {(self.folder / 'prosody.out').read_text()[-500:]}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.output.close()

    def stop(self):
        process.stop(self.process)
        self.output.close()


class Ejabberd:
    """The same on ejabberd: one node by itself, so no epmd; its data are in the folder."""

    def __init__(self, folder, domain=DOMAIN, gateway=GATEWAY, accounts=ACCOUNTS, password="pw", secret=SECRET,
                 c2s_port=5222, component_port=5347):
        self.folder = folder
        self.port, self.component_port = c2s_port, component_port
        [library] = sorted(Path("/usr/lib").glob("*/ejabberd-[0-9]*/ebin"))[:1]
        config = folder / "ejabberd.yml"
        config.write_text(f"""
{self.documented_listener(gateway, component_port, secret)}
  -
    port: {c2s_port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: false
    access: c2s
hosts: ["{domain}"]
loglevel: debug
access_rules:
  c2s:
    allow: all
auth_method: [internal]
auth_password_format: plain
modules:
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_pubsub:
    plugins: [flat, pep]
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
""")
        accounts = ",".join(f'<<"{a}">>' for a in accounts)
        begin = (f'[ok = ejabberd_auth:try_register(U, <<"{domain}">>, <<"{password}">>) || U <- [{accounts}]], '
                 'file:write_file("ready", "")')
        self.output = open(folder / "ejabberd.out", "ab")
        self.process = process.start(
            ["erl", "-noinput", "-pa", library, "-mnesia", "dir", f'"{folder}/mnesia"', "-sasl", "sasl_error_logger", "false",
             "-s", "ejabberd", "-eval", begin],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
            env=dict(os.environ, HOME=str(folder), EJABBERD_CONFIG_PATH=str(config), EJABBERD_LOG_PATH=str(folder / "ejabberd.log"),
                     ERL_CRASH_DUMP="/dev/null", ERL_LIBS="/usr/lib/erlang/lib"))

        def is_up():
            if self.process.poll() is not None:
                raise Failed(f"ejabberd did not start: {(folder / 'ejabberd.out').read_text(errors='replace')[-1000:]}")
            return (folder / "ready").exists() and accepts(c2s_port) and accepts(component_port)
        until(is_up, 120, "ejabberd")

    @staticmethod
    def documented_listener(gateway, component_port, secret):
        """What docs/operating.md tells an admin to write."""
        text = (TOP / "docs" / "operating.md").read_text(encoding="utf-8")
        found = re.search(r"^ejabberd:\n\n((?: {4}.*\n|\n)+)", text, re.M)
        check(found, "docs/operating.md has no block for ejabberd")
        block = textwrap.dedent(found[1]).rstrip()
        for name, value in (("gw.example.org", gateway), ("5347", str(component_port)), ("a long random word", secret)):
            check(name in block, f"docs/operating.md: {name} is not in the block for ejabberd")
            block = block.replace(name, value)
        return block

    def stop(self):
        process.stop(self.process)
        self.output.close()


class Gateway:
    """A tandemd of its own, from a build tree."""

    def __init__(self, folder, build, plugins, component_port=5347, sip_port=5060, settings=None,
                 addresses=("127.0.0.1",), domain=GATEWAY, secret=SECRET, control=None):
        self.folder, self.build = folder, Path(build)
        self.component_port, self.sip_port = component_port, sip_port
        self.tls_port = (settings or {}).get("sip", {}).get("tls_port")
        self.database = folder / "tandem.db"
        # a socket's path is short
        self.control = control or folder / "control"
        self.config = folder / "tandem.conf"
        groups = {
            "gateway": {"database": self.database, "control_socket": self.control, "plugins": "xmpp;sip;echo",
                        "plugin_dir": plugins, "log_level": "debug", "drain_seconds": 1, "emergency": "refuse"},
            "xmpp": {"domain": domain, "host": "127.0.0.1", "port": component_port, "secret": secret},
            "sip": {"address": "127.0.0.1", "port": sip_port},
            "media": {"rtp_address": "127.0.0.1", "local_addresses": ";".join(addresses)},
        }
        for group, keys in (settings or {}).items():
            groups.setdefault(group, {}).update(keys)
        self.config.write_text("\n".join(
            f"[{group}]\n" + "".join(f"{k}={str(v).lower() if isinstance(v, bool) else v}\n" for k, v in keys.items())
            for group, keys in groups.items()))
        self.log = folder / "tandemd.log"
        self.process = self.notified = None
        environment = dict(os.environ)
        environment["LD_LIBRARY_PATH"] = f"{self.build}/.libs"
        environment["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0:exitcode=99"
        environment["LSAN_OPTIONS"] = f"suppressions={TOP}/tests/lsan.supp:print_suppressions=0:exitcode=99"
        environment["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
        environment["TSAN_OPTIONS"] = f"suppressions={TOP}/tests/tsan.supp:halt_on_error=0:exitcode=99"
        self.environment = environment

    def start(self, seconds=30):
        """Runs it and waits for its READY=1 (sd_notify), the stream to the server being up or not."""
        notify = self.folder / "notify"
        notify.unlink(missing_ok=True)
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(notify))
        output = open(self.log, "ab")
        self.process = process.start([self.build / ".libs" / "tandemd", "--config", self.config],
                                     env=dict(self.environment, NOTIFY_SOCKET=str(notify)),
                                     stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        output.close()

        def is_ready():
            if self.process.poll() is not None:
                raise Failed(f"tandemd ended with {self.process.returncode}: {self.tail(15)}")
            return "READY=1" in self.told(0.1)
        until(is_ready, seconds, "tandemd's READY=1")
        self.wait_online()
        return self

    def told(self, seconds):
        """The next thing it tells systemd; "" when it says nothing for so long."""
        self.notified.settimeout(seconds)
        try:
            return self.notified.recv(4096).decode()
        except socket.timeout:
            return ""

    def status(self):
        return {row[0]: row[1] for row in self.json("status")["rows"]}

    def wait_online(self, seconds=20):
        """The component stream is up: the server takes no second one, so ask the gateway."""
        self.wait_status("online", seconds, "the component stream")

    def wait_status(self, words, seconds, what):
        until(lambda: any(words in str(value) for value in self.status().values()), seconds, what)

    def ctl(self, *words, want=0):
        """tandemctl; `want` is the exit status that is right, None for any."""
        done = subprocess.run([self.build / "tandemctl", "--config", self.config, *map(str, words)],
                              env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        if want is not None and done.returncode != want:
            raise Failed(f"tandemctl {' '.join(map(str, words))}: exit status {done.returncode}, not {want}: "
                         f"{done.stdout}{done.stderr}")
        return done

    def json(self, *words):
        """What tandemctl --json prints.  It prints a daemon's answer as it is: what tests ask again and again until it is so is
        asked without a tandemctl, which with sanitizers takes a tenth of a second of a processor."""
        answer = self.ask(*words) if words[0] in ASKED_OFTEN else None
        return answer or json.loads(self.ctl("--json", *words).stdout)

    def ask(self, *words):
        """The answer of the control socket; None when there is none or it is no success: then tandemctl knows why."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            try:
                control.connect(str(self.control))
                control.sendall(json.dumps([str(word) for word in words]).encode() + b"\n")
                with control.makefile(encoding="utf-8") as lines:
                    answer = json.loads(lines.readline() or "{}")
            except OSError:
                return None
        return answer if answer.get("ok") and "error" not in answer else None

    def rows(self, *words):
        """Of a list: a dictionary for each row."""
        answer = self.json(*words)
        return answer if isinstance(answer, list) else [dict(zip(answer["columns"], row)) for row in answer["rows"]]

    def calls(self):
        return self.rows("calls")

    def record(self, call_id):
        return dict(self.json("call", "show", call_id)["rows"])

    def last_record(self, seconds=10):
        """The record of the newest call, when it has ended."""
        def ended():
            newest = self.calls()[:1]
            record = self.record(newest[0]["id"]) if newest else {}
            return record if record.get("state") == "ENDED" else None
        return until(ended, seconds, "the call to be over in the record")

    def counters(self, side):
        """Of the media of that side of the last call, as its record has them."""
        rows = self.json("call", "show", self.last_record()["id"])["rows"]
        [line] = [value for key, value in rows if key == "media" and value.startswith(f"port={side} ")]
        return {k: v if k in ("port", "codec") else float(v) if k.startswith("mos_") else int(v)
                for k, v in (word.split("=") for word in line.split())}

    def ladder(self, call_id):
        return self.ctl("ladder", call_id).stdout

    def provision_users(self):
        """In one go, and nobody is told of it: a test waits for the messages it is about."""
        lines = [{"user": f"{account}@{DOMAIN}", "account-messages": "no"} for account in ACCOUNTS]
        lines += [{"number": number, "user": f"{account}@{DOMAIN}"} for account, number in zip(ACCOUNTS, (ALICE, BOB, CAROL))]
        file = self.folder / "users.json"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.ctl("import", file)

    def provision_trunk(self, carrier, name="carrier", options_seconds=0, **keys):
        """Without OPTIONS unless asked for: a scenario of SIPp knows calls only."""
        keys["options_seconds"] = options_seconds
        # shorter than RFC 4028 allows an admin to ask for: a test cannot wait for it
        short = keys.pop("session_seconds") if 0 < keys.get("session_seconds", 0) < 90 else 0
        self.ctl("trunk", "add", name, carrier.address, f"port={carrier.port}",
                 *(f"{k.replace('_', '-')}={v}" for k, v in keys.items()))
        if short:
            with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database, database:
                database.execute("UPDATE trunks SET session_seconds = ? WHERE name = ?", (short, name))
            self.ctl("reload")

    def tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, patience=60):
        """Ends it in an orderly way and reads what the sanitizers say."""
        if not self.process:
            return
        was_alive = self.process.poll() is None
        orderly = process.stop(self.process, patience)
        status, self.process = self.process.returncode, None
        found = SANITIZER.search(self.log.read_text(errors="replace"))
        check(not found, f"sanitizer: {found and found[0]}")
        check(was_alive, f"tandemd had ended with {status}")
        check(orderly and status == 0, f"tandemd ended with {status} on SIGTERM: {self.tail(10)}")

    def said_to_be_deaf(self):
        """Of calls whose client does hear: a person is not to be told that nothing arrives."""
        if not self.database.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            rows = database.execute("SELECT id FROM calls WHERE ladder LIKE '%hears nothing: by its reports%'").fetchall()
        return [f"call {number}: a client that hears is said to hear nothing" for number, in rows]


class Bench:
    """What one test has started; everything is ended when it is over."""

    def __init__(self, folder, build=None, plugins=None, addresses=("127.0.0.1",)):
        self.folder, self.build, self.plugins, self.addresses = Path(folder), build, plugins, addresses
        self.server = self.tandem = None
        self._started = []
        self._legs = []
        self.deaf = False  # the test sees to it that a client hears nothing

    def keep(self, thing):
        """It is stopped with the rest, the last first."""
        self._started.append(thing)
        return thing

    def prosody(self, **more):
        folder = self.folder / "prosody"
        folder.mkdir(exist_ok=True)
        self.server = self.keep(Prosody(folder, **more))
        return self.server

    def ejabberd(self):
        folder = self.folder / "ejabberd"
        folder.mkdir(exist_ok=True)
        self.server = self.keep(Ejabberd(folder))
        return self.server

    def gateway(self, start=True, **settings):
        """tandemd, started and with alice, bob and carol provisioned."""
        if not self.server:
            self.prosody()
        self.tandem = Gateway(self.folder, self.build, self.plugins, settings=settings, addresses=self.addresses)
        if start:
            self.tandem.start()
            self.tandem.provision_users()
        return self.tandem

    def carrier(self, name="carrier", trunk=True, codecs=(0, 8), events=True, address="127.0.0.1", session=None, **keys):
        """A SIPp carrier; a trunk of the gateway unless told otherwise."""
        carrier = self.keep(Carrier(self.folder, name, codecs, address, events, session))
        if trunk and self.tandem:
            self.tandem.provision_trunk(carrier, name, **keys)
        return carrier

    def text_carrier(self, name="texts", answers=("200 OK",), **keys):
        """A SIPp carrier that takes texts, and a trunk to it."""
        carrier = self.keep(TextCarrier(self.folder, name, answers))
        self.tandem.provision_trunk(carrier, name, text="message", **keys)
        return carrier

    def baresip(self, name="baresip", trunk=True, plays="B", user="phone", **keys):
        phone = self.keep(Baresip(self.folder / name, plays, user))
        if trunk and self.tandem:
            self.tandem.provision_trunk(phone, name, **keys)
        return phone

    def credential(self, account="alice", name=None):
        """A new softphone of an account: its user name and its password."""
        rows = dict(self.tandem.json("softphone", "add", f"{account}@{DOMAIN}", *([name] if name else []))["rows"])
        return rows["user name"], rows["password"]

    def certificate(self, name="gw.localhost"):
        """A new one in a file of its own; also the keys of [sip] for a gateway that uses it."""
        file = self.folder / "tls.pem"
        made = self.folder / "made.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", made, "-out", self.folder / "made.crt", "-days", "30", "-subj", f"/CN={name}"],
                       check=True, capture_output=True)
        made.write_text((self.folder / "made.crt").read_text() + made.read_text())
        made.rename(file)
        return {"tls_port": 5061, "tls_certificate": file}

    def softphone(self, account="alice", name=None, plays="B", transport="udp", expires=600, options="",
                  codec="g711", texts_to=None):
        """A baresip that registers; `codec`: its module."""
        user, password = self.credential(account, name)
        phone = self.keep(Baresip(self.folder / f"phone-{user}", plays, codec=codec, texts_to=texts_to))
        port = self.tandem.tls_port if transport == "tls" else self.tandem.sip_port
        phone.register(f"<sip:{user}@127.0.0.1:{port};transport={transport}>;auth_user={user};"
                       f"auth_pass={password};regint={expires};answermode=manual{options}")
        return phone

    def linphone(self, account="alice", name=None, plays="B", transport="udp", registrar=None, **more):
        """One that registers, and asks for a certificate of ours."""
        user, password = more.pop("credential", None) or self.credential(account, name)
        port = self.tandem.tls_port if transport == "tls" else self.tandem.sip_port
        phone = self.keep(Linphone(self.folder / f"phone-{user}", plays, user, password, registrar or f"127.0.0.1:{port}",
                                   transport, authority=self.folder / "made.crt" if transport == "tls" else "", **more))
        phone.wait_registered()
        return phone

    def _phone(self, program, account, resource, plays, options):
        return self._begin_phone(program, account, resource, plays, options).login()

    def _begin_phone(self, program, account, resource, plays, options):
        return self.keep(XmppPhone(self.folder, program, account, resource, self.server.port, DOMAIN, plays, options))

    def webrtc(self, account="alice", plays="A", resource="wrtc", direct=False, options=()):
        return self._phone(webrtc_program(), account, resource, plays, [*(["--direct"] if direct else []), *options])

    def aiortc(self, account="alice", plays="A", resource="aiortc", direct=False, options=()):
        return self._phone(aiortc_program(), account, resource, plays, [*(["--direct"] if direct else []), *options])

    def gajim(self, account="alice", plays="A", without=()):
        """The program itself; it knows no DTLS.  `without`: plugins of GStreamer."""
        return self._phone(gajim_program(), account, "gajim", plays, [f"--without={name}" for name in without])

    def dino(self, account="alice", plays="A"):
        """The program itself; the server wants a certificate."""
        return self._phone(dino_program(), account, "dino", plays, [])

    def rude(self, account):
        """A phone that makes one mistake a call (rude.mjs)."""
        return self._phone(rude_program(), account, "rude", "B", [])

    def client(self, personality, account, plays="A"):
        """A phone with the manners of a client (personalities/); it is still to log in."""
        program, options = client_program(personality)
        return self._begin_phone(program, account, personality["resource"], plays, options)

    @staticmethod
    def talk(seconds=4):
        time.sleep(seconds)

    def close(self):
        """Ends everything; the gateway last, so that it sees the others go."""
        trouble = []
        for thing in reversed(self._started):
            if thing is not self.server:
                thing.stop()
        try:
            if self.tandem:
                self.tandem.stop()
                trouble += [] if self.deaf else self.tandem.said_to_be_deaf()
        except Failed as failure:
            trouble.append(str(failure))
        if self.server:
            self.server.stop()
        for phone in self._started:
            # the peers are not as strict with each other
            if self.tandem and isinstance(phone, XmppPhone):
                trouble += [f"{phone.name}: {fault}" for fault in phone.faults()]
        if trouble:
            raise Failed("; ".join(trouble))

    def explain(self):
        """For a test that failed: the ladder of each call, and the log's end."""
        if not self.tandem:
            return ""
        text = []
        try:
            for call in self.tandem.calls():
                text.append(f"--- call {call['id']}\n{self.tandem.ladder(call['id'])}")
        except (Failed, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            text.append(f"(no ladder: {error})")
        return "\n".join([*text, "--- tandemd", self.tandem.tail()])


def audio_is_whole(text, heard, lost, max_loss, max_packets):
    """Failed when packets were lost, or more frames than `max_loss`.

    A listener that has every packet and misses frames got those packets late: its
    jitter buffer, a few 10 ms deep, ran empty while the processor did something
    else.  One such pause of at most MAX_LATE is printed and not judged here;
    run.py fails when more than a few tests print it, as a gateway that holds
    packets back would make them."""
    check(lost[0] <= lost[1] * max_packets, f"{text}: packets lost")
    if heard.loss < max_loss:
        return
    check(lost[0] == 0 and heard.loss * heard.seconds <= MAX_LATE, f"{text}: audio lost")
    print(f"late: {text}")


def hear(one, other, max_loss=MAX_LOSS, max_packets=MAX_LOSS):
    """What each heard of the other, when their call is over; Failed when the
    audio is not right in both directions.  Of packets never more than `max_packets`
    may be lost; where many calls share the processor more frames may be late."""
    verdicts = []
    sides = [(one, *one.heard()), (other, *other.heard())]
    for (listener, recording, _, lost), (speaker, _, fed_at, _) in (sides, sides[::-1]):
        heard = audio.analyse(recording, speaker.plays, fed_at)
        own = audio.analyse(recording, listener.plays)
        text = f"{listener.title}, playing {listener.plays}, heard {heard}; packets lost {lost[0]} of {lost[1]}"
        print(text)
        check(heard.present, f"{text}: the other side is not heard")
        check(heard.seconds > 2, f"{text}: too short")
        audio_is_whole(text, heard, lost, max_loss, max_packets)
        check(not own.present, f"{text}: and its own voice ({own})")
        verdicts.append(heard)
    return verdicts


class Phases:
    """The parts of a call, and who is to be heard in each.

    mark("both") begins a part that lasts until the next mark: "both", "one" (the
    first side is heard by the other), "other", "none".  What is heard within
    `settle` of a mark is not judged."""

    def __init__(self, one, other, settle=0.6, max_loss=0.02):
        self.sides, self.settle, self.max_loss, self.marks = (one, other), settle, max_loss, []

    def mark(self, who):
        self.marks.append((time.time(), who))

    def judge(self):
        """When the call is over; what each side heard of it."""
        end, trouble = time.time(), []
        parts = [(since, until, who) for (since, who), (until, _) in zip(self.marks, [*self.marks[1:], (end, None)])]
        heard = [side.heard()[0] for side in self.sides]
        for since, until, who in parts:
            if who is None:
                continue
            for i, name in enumerate(("one", "other")):
                speaker, listener = self.sides[i], self.sides[1 - i]
                found = audio.analyse(audio.between(heard[1 - i], since + self.settle, until), speaker.plays)
                text = f"{since - self.marks[0][0]:.1f} s, {who}: {type(listener).__name__} heard {found}"
                print(text)
                if who in ("both", name):
                    if not found.present or found.loss > self.max_loss:
                        trouble.append(f"{text}: should be heard")
                elif found.present:
                    trouble.append(f"{text}: should not be heard")
        check(not trouble, "\n".join(trouble))
        return heard


def hear_echo(phone, max_loss=MAX_LOSS):
    """What a phone heard of itself: an echo call."""
    recording, fed_at, lost = phone.heard()
    heard = audio.analyse(recording, phone.plays, fed_at)
    text = f"{phone.title}, playing {phone.plays}, heard {heard}; packets lost {lost[0]} of {lost[1]}"
    print(text)
    check(heard.present and heard.seconds > 2, f"no echo: {text}")
    audio_is_whole(text, heard, lost, max_loss, MAX_LOSS)
    return heard


def accepts(port, address="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((address, port)) == 0
