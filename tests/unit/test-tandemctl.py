#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""tandemctl as a program: wrong words of every command, passwords that nobody
sees, and that manual and completion say what the program says."""
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD, SOURCE = Path(os.environ["top_builddir"]), Path(os.environ["top_srcdir"])
CTL = BUILD / "tandemctl"
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
    ("number add", ["write: number add NUMBER JID"]),
    (f"number add 555 {JID}", ["555", "E.164", "+14155550101"]),
    (f"number add {NUMBER} {JID}", [NUMBER, "already"]),
    ("number add +14155550102 nobody@example.org", ["nobody@example.org", "user add"]),
    ("number list nonsense", ["nonsense", "bare JID"]),
    ("number show +14155550109", ["+14155550109", "number list"]),
    (f"number set {NUMBER} colour=blue", ["colour", "blue", "user=JID"]),
    (f"number set {NUMBER} caller-id=no", ["caller-id", "no", "caller-id=yes"]),
    (f"number set {NUMBER} user=nobody@example.org", ["nobody@example.org", "user add"]),
    ("number del +14155550109", ["+14155550109", "number list"]),
    ("trunk add", ["write: trunk add NAME HOST"]),
    ("trunk add Bad! host", ["Bad!", "a-z"]),
    ("trunk add t ho/st", ["host", "ho/st", "sip.example.net"]),
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
    ("calls --first 3", ["--first", "calls --last N"]),
    ("calls --last", ["--last", "no value", "calls --last N"]),
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
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def passwords(rig):
    done = rig.run("trunk", "set", "carrier", "username=u", "password=-", given="one two\n")
    result("a password from standard input", done.returncode or done.stderr or rig.secrets()[0] != "one two")
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


def help_lines(rig):
    return json.loads(rig.run("--json", "help").stdout)["rows"]


def manual(rig):
    done = subprocess.run([sys.executable, "-B", SOURCE / "docs/manual.py", "--check", SOURCE, BUILD], capture_output=True, text=True,
                          check=False)
    result("the manual says what the programs say", done.returncode and done.stdout + done.stderr)
    page = (SOURCE / "docs/tandemctl.1").read_text().replace("\\-", "-")
    for noun, name in (("trunk", "carrier"), ("user", JID)):
        told = [row[0] for row in json.loads(rig.run("--json", "help", noun, "set").stdout)["rows"]]
        shown = dict(json.loads(rig.run("--json", noun, "show", name).stdout)["rows"])
        # what is shown and not set: the name itself, numbers, what the plugin says
        keys = [key for key in shown if key not in (noun, "number", "caller-id" if noun == "user" else "", "state")]
        result(f"the help has every key of a {noun}", [k for k in keys if k not in told])
        result(f"and so has the manual, of a {noun}", [k for k in told if f"\n\\fB{k}\\fR = " not in page])
        result(f"and Tab, of a {noun}", [k for k in told if complete(rig, noun, "set", name, k) != [k + "="]
                                         and k + "=" not in complete(rig, noun, "set", name, k)])
    page = (SOURCE / "docs/tandemd.8").read_text().replace("\\-", "-")
    options = re.findall(r"--[a-z-]+", subprocess.run([BUILD / "tandemd", "--help"], capture_output=True, text=True, check=True).stdout)
    result("and every option of tandemd", [o for o in options if o not in page])
    page = (SOURCE / "docs/tandemctl.1").read_text().replace("\\-", "-")
    said = rig.run("--help").stdout
    result("and of tandemctl", [o for o in re.findall(r"^ +(--[a-z]+)", said, re.M) if o not in page])
    nouns = {words.split()[0] for words, _ in help_lines(rig)}
    result("--help has every command", [n for n in nouns if not re.search(rf"^  {n}\b", said, re.M)])


def complete(rig, *words):
    """What Tab offers after these words, the last of which is begun."""
    script = f"""source {SOURCE}/cli/tandemctl.bash
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _tandemctl; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script, "bash", CTL, "--config", rig.config, *words], capture_output=True, text=True,
                          check=False)
    return done.stdout.split()


def completion(rig):
    usages = [usage.split() for usage, _ in help_lines(rig)]
    nouns = {u[0] for u in usages}
    result("Tab knows every command", nouns - set(complete(rig, "")))
    missing = [u for u in usages if len(u) > 1 and re.fullmatch("[a-z]+", u[1]) and u[1] not in complete(rig, u[0], "")]
    result("and every second word", missing)
    result("and the users", complete(rig, "user", "show", "al") != [JID] and complete(rig, "user", "show", "al"))
    result("and the numbers", complete(rig, "number", "set", "") != [NUMBER])
    result("and the trunks", complete(rig, "trunk", "del", "c") != ["carrier"])
    result("and the keys of a trunk", complete(rig, "trunk", "set", "carrier", "pri") != ["priority="])


def main():
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        wrong_words(rig)
        passwords(rig)
        done = subprocess.run([CTL, "--config", "/none", "help", "trunk"], capture_output=True, text=True, check=False)
        result("help before anything is configured", (done.returncode or "trunk add" not in done.stdout) and done)
        rig.run("trunk", "set", "carrier", "username=u", "password=-", given="p\n")
        manual(rig)
        completion(rig)
    print(f"1..{number}")


if __name__ == "__main__":
    main()
