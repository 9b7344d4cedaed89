#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""tandemctl as a program: wrong words of every command, passwords that nobody
sees, and that manual and completion say what the program says."""
import csv
import datetime
import io
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BUILD, SOURCE = Path(os.environ["top_builddir"]), Path(os.environ["top_srcdir"])
CTL = BUILD / "tandemctl"
DAEMON = BUILD / "tandemd"
JID, NUMBER = "alice@example.org", "+14155550101"

# What is wrong, and the words the answer must have: the key, the value, the remedy
WRONG = [
    ("", ["a command is missing", "--help"]),
    ("frobnicate", ["frobnicate", "unknown command", "trunk"]),
    ("user", ["user", "add", "list"]),
    ("user frobnicate", ["frobnicate", "add list"]),
    ("user add", ["write: user add JID"]),
    ("user add alice", ["alice", "not a bare JID", "alice@example.org"]),
    ("user add alice@example.org/home", ["alice@example.org/home", "bare JID"]),
    (f"user add {JID}", [JID, "already"]),
    (f"user add {JID} more", ["more", "one word too many", "user add JID"]),
    ("user list more", ["more", "one word too many"]),
    ("user show nobody@example.org", ["nobody@example.org", "user list"]),
    ("user set nobody@example.org enabled=no", ["nobody@example.org", "user list"]),
    (f"user set {JID} enabled=perhaps", ["enabled", "perhaps", "yes or no"]),
    (f"user set {JID} colour=blue", ["colour", "enabled"]),
    (f"user set {JID} enabled", ["enabled", "no value", "enabled=VALUE"]),
    ("user del nobody@example.org", ["nobody@example.org", "user list"]),
    (f"user del {JID}", [JID, "number"]),
    (f"user set {JID} forward-busy=112", ["forward-busy=112", "emergency"]),
    (f"user set {JID} forward-always={NUMBER}", ["forward-always", NUMBER, "own"]),
    ("trunk add t host session-seconds=10", ["session-seconds=10", "90"]),
    ("trunk add t host tls-ca=/nonexistent", ["tls-ca=/nonexistent", "no such file"]),
    ("trunk add t 2001:db8::1", ["2001:db8::1", "[sip] address"]),
    ("trunk add t host transport=tls", ["transport=tls", "tls_port"]),
    ("route add 49 allow", ["49", "+49"]),
    ("help frob", ["frob", "unknown command", "trunk"]),
    ("number add", ["write: number add NUMBER JID"]),
    (f"number add 555 {JID}", ["555", "E.164", "+14155550101"]),
    (f"number add {NUMBER} {JID}", [NUMBER, "already"]),
    ("number add +14155550102 nobody@example.org", ["nobody@example.org", "user add"]),
    ("number list nonsense", ["nonsense", "bare JID"]),
    ("number show +14155550109", ["+14155550109", "number list"]),
    (f"number set {NUMBER} colour=blue", ["colour", "unknown key", "user caller-id"]),
    (f"number set {NUMBER} caller-id=no", ["caller-id", "no", "caller-id=yes"]),
    (f"number set {NUMBER} user=nobody@example.org", ["nobody@example.org", "user add"]),
    ("number del +14155550109", ["+14155550109", "number list"]),
    ("trunk add", ["write: trunk add NAME HOST"]),
    ("trunk add Bad! host", ["Bad!", "a-z"]),
    ("trunk add t ho/st", ["host", "ho/st", "sip.example.net"]),
    ("sttaus", ["sttaus", "did you mean status?"]),
    ("trunk lst", ["trunk lst", "did you mean trunk list"]),
    ("trunk set carrier priorite=1", ["priorite", "did you mean priority?"]),
    ("trunk add t host port=70000", ["port", "70000", "65535"]),
    ("trunk add t host transport=pigeon", ["transport", "pigeon", "udp"]),
    ("trunk add t host colour=blue", ["colour", "unknown key", "priority"]),
    ("trunk add t host username=u", ["password", "go together"]),
    ("trunk add t host sources=everywhere", ["sources", "everywhere", "198.51.100.0/24"]),
    ("trunk add carrier host", ["carrier", "already"]),
    ("trunk show nothere", ["nothere", "trunk list"]),
    ("trunk set nothere port=1", ["nothere", "trunk list"]),
    ("trunk set carrier port=5080 priority=high", ["priority", "high", "1000"]),
    ("trunk set carrier enabled=perhaps", ["enabled", "perhaps", "yes or no"]),
    ("trunk set carrier password=-", ["password", "standard input", "one line"]),
    ("trunk del nothere", ["nothere", "trunk list"]),
    ("calls --first 3", ["--first", "calls [--last N]"]),
    ("calls --last", ["--last", "no value", "--last N"]),
    ("calls --last many", ["--last", "many", "whole number"]),
    ("call show x", ["x", "calls"]),
    ("call show 99", ["99", "calls"]),
    ("ladder x", ["x", "calls"]),
    ("ladder 99", ["99", "calls"]),
    ("ladder", ["write: ladder ID"]),
    ("hangup", ["write: hangup ID"]),
    ("status more", ["more", "one word too many"]),
    ("reload more", ["more", "one word too many"]),
    ("--config", ["--config", "--config=FILE"]),
    ("--colour status", ["--colour", "--help"]),
]

number = 0


def result(name, trouble):
    global number
    number += 1
    print(f"{'not ok' if trouble else 'ok'} {number} - {name}")
    print("".join(f"# {line}\n" for line in str(trouble or "").splitlines()), end="", flush=True)


class Rig:
    """A database with one of each, and tandemctl on it without a daemon."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "tandem.db"
        self.config = folder / "tandem.conf"
        self.config.write_text(f"[gateway]\ndatabase = {self.database}\ncontrol_socket = {folder}/control\n[xmpp]\nsecret = s\n")
        for words in (f"user add {JID}", f"number add {NUMBER} {JID}", "trunk add carrier 192.0.2.1"):
            assert self.run(*words.split()).returncode == 0, words

    def run(self, *words, given=""):
        return subprocess.run([CTL, "--config", self.config, *words], input=given, capture_output=True, text=True, timeout=60,
                              check=False)

    def dump(self):
        with sqlite3.connect(self.database) as database:
            return "\n".join(database.iterdump())

    def secrets(self):
        with sqlite3.connect(self.database) as database:
            return database.execute("SELECT password, in_password FROM trunks WHERE name = 'carrier'").fetchone()


def without_wrapper(folder):
    """tandemctl and the tandemd beside it as they are installed: in a build tree a script of libtool's stands before tandemd,
    and costs as much as what these tests want of it, some 200 times."""
    global CTL, DAEMON
    if not (BUILD / ".libs/tandemd").exists():
        return
    folder.mkdir()
    CTL, DAEMON = folder / "tandemctl", folder / "tandemd"
    shutil.copy(BUILD / "tandemctl", CTL)
    DAEMON.symlink_to(BUILD.resolve() / ".libs/tandemd")
    os.environ["LD_LIBRARY_PATH"] = str(BUILD.resolve() / ".libs")


def wrong_words(rig):
    before = rig.dump()
    for words, named in WRONG:
        done = rig.run(*words.split(" ") if words else ())
        trouble = []
        if done.returncode != 2:
            trouble.append(f"exit status {done.returncode}")
        if done.stdout:
            trouble.append(f"on standard output: {done.stdout}")
        if len(done.stderr.splitlines()) != 1 or not done.stderr.startswith("tandemctl: "):
            trouble.append("not one line")
        trouble += [f"does not say: {word}" for word in named if word not in done.stderr]
        if rig.dump() != before:
            trouble.append("it has changed the database")
        result(f"wrong: {words or '(nothing)'}", trouble and "\n".join([done.stderr, *trouble]))


def at_terminal(rig, typed, *words):
    """(exit status, what the terminal showed)"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(CTL, [str(CTL), "--config", str(rig.config), *words])
    signal.alarm(30)
    shown = b""
    while b"password: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, typed)
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:
        pass  # the other side has closed it
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    signal.alarm(0)  # what comes after has its own time
    return status, shown.decode()


def passwords(rig):
    done = rig.run("trunk", "set", "carrier", "username=u", "password=-", given="one two\n")
    result("a password from standard input", done.returncode or done.stderr or rig.secrets()[0] != "one two")
    done = rig.run("trunk", "set", "--hangup", "carrier", "password=-", given="three\n")
    result("a password behind an option", done.returncode or done.stderr or rig.secrets()[0] != "three")
    done = rig.run("trunk", "set", "carrier", "in-username=u", "in-password", "-", "password=-", given="first\nsecond\n")
    result("two of them, a line each", done.returncode or rig.secrets() != ("second", "first"))
    status, shown = at_terminal(rig, b"typed\n", "trunk", "set", "carrier", "password=-")
    result("a password at the terminal", status or rig.secrets()[0] != "typed" or "typed" in shown and shown)
    status, shown = at_terminal(rig, b"half\x03", "trunk", "set", "carrier", "password=-")
    result("Ctrl-C at the terminal changes nothing",
           (status != 2 or "cancelled" not in shown or rig.secrets()[0] != "typed") and f"{status} {shown}")
    done = rig.run("trunk", "set", "carrier", "password=shown")
    result("on the command line it works, with a warning",
           (done.returncode or rig.secrets()[0] != "shown" or "password=-" not in done.stderr or "shown" in done.stderr) and done)
    done = rig.run("trunk", "set", "carrier", "password=", "username=")
    result("taken away without a warning", (done.returncode or done.stderr or rig.secrets()[0] is not None) and done)
    rows = dict(json.loads(rig.run("--json", "trunk", "show", "carrier").stdout)["rows"])
    hidden = [key for key, value in rows.items() if value == "(set)"]
    result("every secret key is one tandemctl asks for", [k for k in hidden if not re.fullmatch(r"(.*-)?password", k)] or not hidden)


def socket_that_is_meant(rig):
    """A socket that was named and does not answer is no reason to write behind a daemon's back."""
    before = rig.dump()
    for words, environment in ((["--socket", "/nonexistent/s"], {}), ([], {"TANDEM_SOCKET": "/nonexistent/s"})):
        done = subprocess.run([CTL, "--config", rig.config, *words, "user", "add", "eve@example.org"], capture_output=True,
                              text=True, timeout=60, check=False, env={**os.environ, **environment})
        result(f"a named socket that does not answer: {words or environment}",
               (done.returncode != 1 or "/nonexistent/s" not in done.stderr or "no tandemd answers" not in done.stderr
                or rig.dump() != before) and done)
    # one that was removed, or another configuration's: the daemon has its database still
    spill = Path(f"{rig.database}-spill")
    with open(spill, "w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = rig.run("user", "add", "eve@example.org")
        result("a daemon that has lost its socket is not gone round",
               (done.returncode != 1 or "does not answer" not in done.stderr or rig.dump() != before) and done)
        result("and may be backed up", rig.run("backup", rig.folder / "lost.db").returncode)
    spill.unlink()
    # one that is full, as of a daemon that hangs
    path = rig.folder / "hung"
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(path))
        hung.listen(0)
        others = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(str(path))
        config = rig.folder / "hung.conf"
        # with the mark that some editors put in front
        config.write_text("\ufeff" + rig.config.read_text().replace("/control\n", "/hung\n"), encoding="utf-8")
        done = subprocess.run([CTL, "--config", config, "user", "add", "eve@example.org"], capture_output=True, text=True,
                              timeout=60, check=False)
        result("a daemon that hangs is not gone round",
               (done.returncode != 1 or "seems to run" not in done.stderr or rig.dump() != before) and done)
        for other in others:
            other.close()


def json_always(rig):
    for words, status in ((["--socket", "/nonexistent/s", "status"], 1), (["--colour"], 2), ([], 2), (["user", "add", "x"], 2),
                          (["trunk", "set", "carrier", "password=-"], 2), (["import", "/nonexistent"], 2),
                          (["status", "--config"], 2)):
        done = rig.run("--json", *words)
        try:
            reply = json.loads(done.stdout)
        except ValueError:
            reply = {}
        result(f"--json {' '.join(words)}: an object",
               (done.returncode != status or reply.get("ok") is not False or reply.get("status") != status
                or not reply.get("error")) and done)
    reply = json.loads(rig.run("--json", "user", "list").stdout)
    created = reply["rows"][0][reply["columns"].index("created")]
    result("times have a zone", not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", created) and created)


def many_at_once(rig):
    file = rig.folder / "many.jsonl"
    lines = []
    for i in range(500):
        lines += [f'{{"user":"u{i}@example.org","country":"DE"}}', f'{{"number":"+1415666{i:04}","user":"u{i}@example.org"}}',
                  f'{{"softphone":"phone{i}","user":"u{i}@example.org","password":"secret-{i:08}"}}']
    file.write_text("\n".join(lines) + "\n")
    done = rig.run("import", file)
    result("1,500 lines", (done.returncode or "1500 lines imported" not in done.stdout) and done)
    numbers = json.loads(rig.run("--json", "number", "list").stdout)["rows"]
    result("and all of them are there", len(numbers) != 501 and len(numbers))
    lines = [json.loads(line) for line in rig.run("--json-lines", "number", "list").stdout.splitlines()]
    result("as JSON lines", [n["number"] for n in lines] != [n[0] for n in numbers] and lines[:3])
    done = subprocess.run([CTL, "--config", rig.config, "number", "list", "--csv"], capture_output=True, timeout=60, check=False)
    table = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    result("as CSV", [list(row.values()) for row in table] != numbers and table[:3])
    rig.run("user", "set", JID, 'location=country=DE;A3=A "B", C')
    rig.run("user", "add", "=sum(1)@example.org")
    users = [r[0] for r in csv.reader(io.StringIO(rig.run("--csv", "user", "list").stdout))]
    result("and formulas as texts", "'=sum(1)@example.org" not in users and users[:3])
    row = [r for r in csv.reader(io.StringIO(rig.run("--csv", "user", "show", JID).stdout)) if r[0] == "location"]
    result("with quotation marks and commas", row[0][1] != 'country=DE;A3=A "B", C' and row)
    rig.run("user", "set", JID, "location=")
    bad = '{"user":"good@example.org"}\n\nnonsense\n{"user":"alice"}\n{"softphone":"mine","user":"good@example.org"}\n\xff\n'
    done = subprocess.run([CTL, "--config", rig.config, "import", "-"], input=bad.encode("latin-1"), capture_output=True,
                          timeout=60, check=False)
    said, out = done.stderr.decode(), done.stdout.decode()
    result("what is wrong is told by its line",
           (done.returncode != 1 or "line 3: not a JSON object" not in said or "line 4: user alice: not a bare JID" not in said
            or "line 6: not UTF-8" not in said or "3 of 6 lines" not in said) and said)
    result("and what is right is done", (not re.search(r"softphone mine  password [a-z0-9]{20}\n", out)
                                         or "good@example.org" not in rig.run("user", "list").stdout) and out)
    reply = json.loads(rig.run("--json", "import", "-", given='{"user":"more@example.org"}\nnonsense\n').stdout)
    result("the same as JSON", (reply["ok"] or reply["lines"] != 2 or reply["rows"][0][0] != 2) and reply)


def backup_targets(rig):
    """What a slip of the hand would have written over."""
    folder, link, pipe, note = (rig.folder / name for name in ("a-folder", "a-link", "a-pipe", "a-note"))
    folder.mkdir()
    link.symlink_to(rig.database)
    os.mkfifo(pipe)
    note.write_text("SQLite, but no database")
    return [(rig.database, "the database itself"), (link, "a link to it"), (folder, "a folder"), (pipe, "a pipe"),
            (note, "another file"), (rig.config, "the configuration")]


def full_output(rig):
    """An answer that nobody could be given is no success."""
    for words in ("user list", "user list --json", "--help", "--version"):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([CTL, "--config", rig.config, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60, check=False)
        result(f"{words} onto a full disk", (done.returncode != 1 or "space" not in done.stderr) and done)


def backups(rig):
    copy = rig.folder / "copy.db"
    for existing in (False, True):
        done = rig.run("backup", copy)
        trouble = done.returncode or copy.stat().st_mode & 0o777 != 0o600
        with sqlite3.connect(copy) as database:
            same = "\n".join(database.iterdump()) == rig.dump()
            mode = database.execute("PRAGMA journal_mode").fetchone()[0]
        result(f"a backup{' over an older one' if existing else ''}", (trouble or not same or mode != "delete") and done)
    # SQLite would read the new copy together with what the old one has left
    for suffix in ("-wal", "-journal"):
        beside = rig.folder / f"copy.db{suffix}"
        beside.write_bytes(b"changes")
        done = rig.run("backup", copy)
        result(f"no backup beside a {suffix}", (done.returncode != 1 or str(copy) not in done.stderr) and done)
        beside.unlink()
    done = rig.run("backup", "/nonexistent/copy")
    result("a backup that cannot be written", (done.returncode != 1 or "/nonexistent/copy" not in done.stderr) and done)
    for target, said in backup_targets(rig):
        before = target.read_bytes() if target.is_file() else None
        kind = target.lstat().st_mode
        done = rig.run("backup", target)
        left = target.lstat().st_mode == kind and (before is None or target.read_bytes() == before)
        result(f"no backup onto {said}", (done.returncode != 1 or not left or str(target) not in done.stderr) and done)
    result("the database is still there", rig.run("user", "list").returncode)
    result("nothing is left of it", [p.name for p in rig.folder.iterdir() if ".part" in p.name])


# What a start would stumble over: lines of the configuration, and what is said
CHECKS = [
    ("", None),
    ("[sip]\naddress = 192.0.2.77", "[sip] address = 192.0.2.77: not an address of this machine"),
    ("[media]\nrtp_address = 192.0.2.78", "[media] rtp_address = 192.0.2.78: not an address of this machine"),
    ("[media]\nlocal_addresses = 127.0.0.1;192.0.2.79", "[media] local_addresses = 192.0.2.79: not an address of"),
    ("[sip]\nmin_expires = 3000\nmax_expires = 60", "[sip] min_expires = 3000: above max_expires = 60"),
    ("[sip]\ntls_port = 5061\ntls_certificate = /nonexistent.pem", "[sip] tls_certificate = /nonexistent.pem: No such file"),
    ("[sip]\ntls_port = 5061\ntls_certificate = /etc/passwd", "[sip] tls_certificate = /etc/passwd: not a PEM file"),
    ("emergency = trunk:nothere", "[gateway] emergency = trunk:nothere: there is no such trunk"),
    ("emergency = trunk:off", "[gateway] emergency = trunk:off: the trunk is not enabled"),
    ("emergency = trunk:carrier", None),
    ("plugins = xmpp;smoke", "[gateway] plugins: smoke: there is no"),
    ("[http]\naddress = 192.0.2.80\nport = 8089", "[http] address = 192.0.2.80: not an address of this machine"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/good.pem\ntls_key = PEM/good.key", None),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/both.pem", None),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/good.pem", "good.pem: no PEM key without a passphrase in it; set tls_key"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/good.pem\ntls_key = PEM/other.key",
     "other.key: the key of another certificate than"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/both.pem\ntls_key = PEM/locked.key", "locked.key: no PEM key without a passphrase"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/good.pem\ntls_key = PEM/none.key", "[sip] tls_key = PEM/none.key: No such file"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/good.key\ntls_key = PEM/good.key", "good.key: not a PEM file with a certificate"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/past.pem\ntls_key = PEM/past.key", "past.pem: it expired on 20"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/early.pem\ntls_key = PEM/early.key", "early.pem: valid from 20"),
    ("[sip]\ntls_port = 5061\ntls_certificate = PEM/cut.pem\ntls_key = PEM/good.key", "cut.pem: not a PEM file with a certificate"),
]


def make_certificates(folder):
    folder.mkdir()
    now = datetime.datetime.now(datetime.timezone.utc)
    for name, since, until in (("good", -1, 90), ("other", -1, 90), ("past", -90, -1), ("early", 1, 90)):
        key = ec.generate_private_key(ec.SECP256R1())
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=since))
                .not_valid_after(now + datetime.timedelta(days=until)).sign(key, hashes.SHA256()))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
        (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    (folder / "locked.key").write_bytes(key.private_bytes(*form, serialization.BestAvailableEncryption(b"word")))
    (folder / "both.pem").write_bytes((folder / "good.pem").read_bytes() + (folder / "good.key").read_bytes())
    (folder / "cut.pem").write_bytes((folder / "good.pem").read_bytes()[:200])


def check_config(rig):
    plugins = rig.folder / "plugins"
    plugins.mkdir()
    for name in ("xmpp", "sip", "echo"):
        (plugins / f"{name}.so").write_text("")
    rig.run("trunk", "add", "off", "192.0.2.2", "enabled=no")
    make_certificates(rig.folder / "pem")
    for row, said in CHECKS:
        lines, said = (text and text.replace("PEM/", f"{rig.folder}/pem/") for text in (row, said))
        config = rig.folder / "check.conf"
        extra = "" if lines.startswith("[") else lines + "\n"
        if "emergency" not in lines:
            extra += "emergency = refuse\n"
        config.write_text(f"[gateway]\ndatabase = {rig.database}\ncontrol_socket = {rig.folder}/control\n"
                          f"plugin_dir = {plugins}\n{extra}[xmpp]\nsecret = s\n{lines if lines.startswith('[') else ''}\n")
        done = subprocess.run([DAEMON, "--config", config, "--check-config"], capture_output=True, text=True, timeout=60,
                              check=False)
        result(f"--check-config: {lines.splitlines()[-1] if lines else 'all is well'}",
               ((done.returncode or done.stderr) if said is None else done.returncode != 2 or said not in done.stderr) and done)
    config.write_text(f"[gateway]\ndatabase = {rig.folder}/start.db\ncontrol_socket = {rig.folder}/control\nplugins = smoke\n"
                      f"emergency = refuse\nplugin_dir = {plugins}\n[media]\nlocal_addresses = 192.0.2.79\n"
                      f"[sip]\ntls_port = 5061\ntls_certificate = {rig.folder}/pem/past.pem\ntls_key = {rig.folder}/pem/past.key\n")
    done = subprocess.run([DAEMON, "--config", config], capture_output=True, text=True, timeout=60, check=False)
    result("a start says all of it", [said for said in ("[media] local_addresses = 192.0.2.79", "it expired on", "smoke: there is no")
                                      if said not in done.stderr] and done)


def files_in_the_way(rig):
    """--check-config says what a start would: each pair of path and content, and the words."""
    def newer(path):
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA application_id").fetchone()
            database.executescript(f"PRAGMA application_id = {application}; PRAGMA user_version = 9999")

    with sqlite3.connect(rig.database) as database:
        application = database.execute("PRAGMA application_id").fetchone()[0]
    rows = [
        ("database", "no database", lambda path: path.write_text("hello" * 1000), "not a database"),
        ("database", "a later schema", newer, "later version"),
        ("database", "a folder", lambda path: path.mkdir(), "not a file"),
        ("database", "an empty file", lambda path: path.write_text(""), None),
        ("control_socket", "a file", lambda path: path.write_text(""), "not a socket"),
        ("control_socket", "a folder", lambda path: path.mkdir(), "not a socket"),
    ]
    for number, (key, what, make, said) in enumerate(rows):
        path = rig.folder / f"in-the-way-{number}"
        make(path)
        paths = {"database": rig.folder / "none.db", "control_socket": rig.folder / "control", key: path}
        config = rig.folder / "way.conf"
        # with the mark that some editors put in front
        config.write_text("\ufeff[gateway]\nplugins = echo\nemergency = refuse\n" + f"plugin_dir = {rig.folder}/plugins\n" +
                          "".join(f"{name} = {value}\n" for name, value in paths.items()) + "[xmpp]\nsecret = s\n",
                          encoding="utf-8")
        done = subprocess.run([DAEMON, "--config", config, "--check-config"], capture_output=True, text=True, timeout=60,
                              check=False)
        result(f"--check-config: {key} is {what}",
               ((done.returncode or done.stderr) if said is None else done.returncode != 2 or said not in done.stderr) and done)


def help_lines(rig):
    return json.loads(rig.run("--json", "help").stdout)["rows"]


def manual(rig):
    done = subprocess.run([sys.executable, "-B", SOURCE / "docs/manual.py", "--check", SOURCE, BUILD], capture_output=True, text=True,
                          check=False)
    result("the manual says what the programs say", done.returncode and done.stdout + done.stderr)
    page = (SOURCE / "docs/tandemctl.1").read_text().replace("\\-", "-")
    for noun, name in (("trunk", "carrier"), ("user", JID)):
        told = [row[0] for row in json.loads(rig.run("--json", "help", noun, "set").stdout)["rows"] if row[0][0].islower()]
        shown = dict(json.loads(rig.run("--json", noun, "show", name).stdout)["rows"])
        # what is shown and not set: the name itself, numbers, what the plugin says
        keys = [key for key in shown if key not in (noun, "number", "caller-id" if noun == "user" else "", "state")]
        result(f"the help has every key of a {noun}", [k for k in keys if k not in told])
        result(f"and so has the manual, of a {noun}", [k for k in told if f"\n\\fB{k}\\fR = " not in page])
        offered = complete_each(rig, [(noun, "set", name, k) for k in told])
        result(f"and Tab, of a {noun}", [k for k, words in zip(told, offered, strict=True) if k + "=" not in words])
    page = (SOURCE / "docs/tandemd.8").read_text().replace("\\-", "-")
    options = re.findall(r"--[a-z-]+", subprocess.run([DAEMON, "--help"], capture_output=True, text=True, check=True).stdout)
    result("and every option of tandemd", [o for o in options if o not in page])
    page = (SOURCE / "docs/tandemctl.1").read_text().replace("\\-", "-")
    said = rig.run("--help").stdout
    result("and of tandemctl", [o for o in re.findall(r"^ +(--[a-z]+)", said, re.M) if o not in page])
    nouns = {words.split()[0] for words, _ in help_lines(rig)}
    result("--help has every command", [n for n in nouns if not re.search(rf"^  {n}\b", said, re.M)])


def documented_columns(rig):
    """JSON has what the manual promises, and everything that can be listed is there."""
    page = (SOURCE / "docs/tandemctl.1").read_text().replace("\\-", "-")
    table = re.search(r'\.\\" columns\n\.nf\n(.*?)\.fi', page, re.S)[1]
    promised = {m[1]: m[2].split() for m in re.finditer(r"^(\S+(?: \S+)?)\s{2,}(.+)$", table, re.M)}
    names = {"user show": JID, "number show": NUMBER, "trunk show": "carrier", "softphone show": "deskphone"}
    rig.run("softphone", "add", JID, "deskphone")
    for verb in ("sources", "status", "call show", "route test", "guard show", "guard test"):  # the daemon's, and test-control's
        promised.pop(verb)
    wrong, times = [], []
    for verb, columns in promised.items():
        said = json.loads(rig.run("--json", *verb.split(), *names.get(verb, "").split()).stdout)
        if said.get("columns") != columns:
            wrong.append((verb, columns, said))
        times += [row[columns.index("created")] for row in said.get("rows", []) if "created" in columns]
    result("JSON has the columns that the manual promises", wrong)
    result("and times with their zone", [t for t in times if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", t)]
           if times else "there are none")
    lists = {usage.split()[0] + " list" for usage, _ in help_lines(rig) if usage.split()[1:2] == ["list"]}
    result("the manual promises each list", lists - set(promised))


def complete(rig, *words, line=None):
    """What Tab offers after these words, as bash parts them; the last is begun.  `line` is how its end is written."""
    return complete_each(rig, [words], line)[0]


def complete_each(rig, rows, line=None):
    """What Tab offers after each row of words.  The shell hears nothing of tandemctl but the words that it offers, so that
    a leak would be nobody's: it is not looked for here, but by those that ask tandemctl itself."""
    script = f"""source {SOURCE}/cli/tandemctl.bash
while IFS=$'\\t' read -ra row; do
	COMP_LINE=${{row[0]}} COMP_POINT=${{#row[0]}} COMP_WORDS=("${{row[@]:1}}")
	[[ ${{row[-1]}} != "''" ]] || COMP_WORDS[-1]=
	COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
	_tandemctl; echo "${{COMPREPLY[@]}}"
done """
    given = ""
    for words in rows:
        before = words if line is None else words[:-3] + (line,)
        typed = " ".join(map(str, (CTL, "--config", rig.config, *before)))
        given += "\t".join(map(str, (typed, CTL, "--config", rig.config, *words[:-1], words[-1] or "''"))) + "\n"
    leaks = os.environ.get("ASAN_OPTIONS", "").replace("detect_leaks=1", "detect_leaks=0")
    done = subprocess.run(["bash", "-c", script], input=given, capture_output=True, text=True, check=False,
                          env={**os.environ, "ASAN_OPTIONS": leaks})
    return [offered.split() for offered in done.stdout.splitlines()]


def completion(rig):
    usages = [usage.split() for usage, _ in help_lines(rig)]
    nouns = {u[0] for u in usages}
    result("Tab knows every command", nouns - set(complete(rig, "")))
    second = {u[0]: set() for u in usages}
    for u in usages:
        second[u[0]].update(w for w in u[1:2] if re.fullmatch("[a-z]+", w))
    missing = [(noun, words - set(offered)) for (noun, words), offered
               in zip(second.items(), complete_each(rig, [(noun, "") for noun in second]), strict=True) if words - set(offered)]
    result("and every second word", missing)
    result("and the users", complete(rig, "user", "show", "al") != [JID] and complete(rig, "user", "show", "al"))
    result("and the numbers", complete(rig, "number", "set", "") != [NUMBER])
    result("and the trunks", complete(rig, "trunk", "del", "c") != ["carrier"])
    result("and the keys of a trunk", complete(rig, "trunk", "set", "carrier", "pri") != ["priority="])
    result("and the values of a key", complete(rig, "trunk", "set", "carrier", "transport", "=", "u", line="transport=u") != ["udp"])
    result("and a user after the @", complete(rig, "user", "show", "alice", "@", "ex", line="alice@ex") != ["example.org"])
    result("and the users in a key's value", complete(rig, "number", "set", NUMBER, "user", "=", "", line="user=") != [JID])
    result("and no name for what is new", complete(rig, "trunk", "add", ""))
    result("and the sections", complete(rig, "config", "show", "r") != ["records"])
    result("and the choices", complete(rig, "route", "add", "+49", "") != ["allow", "refuse"])
    result("and an option", complete(rig, "trunk", "del", "carrier", "--h") != ["--hangup", "--help"])
    result("and files", str(SOURCE / "README") not in complete(rig, "backup", str(SOURCE / "READ")))


def main():
    with tempfile.TemporaryDirectory() as folder:
        without_wrapper(Path(folder) / "bin")
        rig = Rig(Path(folder))
        wrong_words(rig)
        passwords(rig)
        done = subprocess.run([CTL, "--config", "/none", "help", "trunk"], capture_output=True, text=True, check=False)
        result("help before anything is configured", (done.returncode or "trunk add" not in done.stdout) and done)
        rig.run("trunk", "set", "carrier", "username=u", "password=-", given="p\n")
        manual(rig)
        documented_columns(rig)
        completion(rig)
        socket_that_is_meant(rig)
        json_always(rig)
        backups(rig)
        full_output(rig)
        check_config(rig)
        files_in_the_way(rig)
        many_at_once(rig)
    print(f"1..{number}")


if __name__ == "__main__":
    main()
