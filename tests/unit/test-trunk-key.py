#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""A trunk key is one line: tests/unit/more/tandemd and tandemctl are built with the lines of
one-more-trunk-key.h and nothing else, and a key of them is set, checked, shown, exported and imported,
and is in the help, the manual page and the completion."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD, SOURCE = Path(os.environ["top_builddir"]), Path(os.environ["top_srcdir"])
MORE = BUILD / "tests/unit/more"
number = 0


def result(name, trouble):
    global number
    number += 1
    print(f"{'not ok' if trouble else 'ok'} {number} - {name}")
    print("".join(f"# {line}\n" for line in str(trouble or "").splitlines()), end="", flush=True)


class Rig:
    def __init__(self, folder, name, programs):
        self.programs = programs
        self.config = folder / f"{name}.conf"
        self.config.write_text(f"[gateway]\ndatabase = {folder}/{name}.db\ncontrol_socket = {folder}/{name}\n[xmpp]\nsecret = s\n")

    def run(self, *words, given=""):
        return subprocess.run([self.programs / "tandemctl", "--config", self.config, *words], input=given, capture_output=True,
                              text=True, timeout=60, check=False)

    def shown(self, trunk):
        return dict(json.loads(self.run("--json", "trunk", "show", trunk).stdout)["rows"])


def kept(rig, plain, other):
    """Set, shown, exported and imported."""
    # the file is of a program that does not know the key
    result("a trunk of the program without the key", plain.run("trunk", "add", "old", "192.0.2.1").returncode)
    result("it has the default", rig.shown("old").get("weather") != "fair" or rig.shown("old")["umbrellas"] != "3")
    done = rig.run("trunk", "add", "new", "192.0.2.2", "weather=rain", "umbrellas=40")
    result("the key is set with a new trunk", (done.returncode or rig.shown("new")["weather"] != "rain") and done)
    done = rig.run("trunk", "set", "old", "weather", "snow")
    result("and of an old one", (done.returncode or rig.shown("old")["weather"] != "snow") and done)
    for words, said in (("weather=fog", "write fair, rain or snow"), ("umbrellas=41", "0 to 40"), ("weathre=rain", "did you mean weather?")):
        done = rig.run("trunk", "set", "new", words)
        result(f"{words} is wrong", (done.returncode != 2 or said not in done.stderr) and done)
    lines = rig.run("export").stdout
    result("export has it", '"trunk":"new","host":"192.0.2.2","weather":"rain","umbrellas":"40"' not in lines and lines)
    done = other.run("import", "-", given=lines)
    result("import takes it", (done.returncode or other.shown("new")["umbrellas"] != "40" or other.shown("old")["weather"] != "snow") and done)
    result("and gives the same again", other.run("export").stdout != lines)
    result("the program without the key takes the file back",
           plain.run("trunk", "set", "new", "priority=1").returncode or rig.shown("new")["weather"] != "rain")


def told(rig):
    """Help, manual page, completion."""
    rows = {row[0]: row for row in json.loads(rig.run("--json", "help", "trunk", "set").stdout)["rows"]}
    result("help", rows.get("weather") != ["weather", "fair|rain|snow", "fair", "the weather where the carrier is"] and rows)
    said = subprocess.run([sys.executable, "-B", SOURCE / "docs/manual.py", "--check", SOURCE, MORE], capture_output=True, text=True,
                          check=False).stdout
    result("the manual page", [line for line in (r"\fBweather\fR = fair|rain|snow", "The weather where the carrier is.",
                                                 r"\fBumbrellas\fR = 0...40") if line not in said] and said)
    result("and nothing else is new in it", [line for line in said.splitlines() if line.startswith("  \\fB")
                                             and "weather" not in line and "umbrellas" not in line])
    result("completion", rig.run("complete", "--", "trunk", "set", "new", "w").stdout.split() != ["wait-for-media=", "weather="])
    result("and of its values", rig.run("complete", "--", "trunk", "set", "new", "weather=").stdout.split()
           != ["weather=fair", "weather=rain", "weather=snow"])


def main():
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder), "one", MORE)
        kept(rig, Rig(Path(folder), "one", BUILD), Rig(Path(folder), "other", MORE))
        told(rig)
    print(f"1..{number}")


if __name__ == "__main__":
    main()
