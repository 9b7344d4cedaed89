#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""manual.py --check|--write SRCDIR BUILDDIR - what the manual pages take from the programs.

Between the lines ".\\" begin" and ".\\" end" of docs/tandemctl.1 stands what
`tandemctl help` says, in docs/tandem.conf.5 what `tandemd --print-config` says.
--write puts it there (make manual); --check says where it is not so.
"""
import json
import re
import subprocess
import sys
from pathlib import Path


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return re.sub(r"^(['.])", r"\\&\1", text)


def bold(text):
    return "\\fB" + roff(text) + "\\fR"


def argument(word):
    """NAME in italics, the words around it as they are typed."""
    return re.sub(r"[A-Z]{2,}", lambda m: f"\\fI{m[0].lower()}\\fR", roff(word))


def sentence(text):
    return roff(text[0].upper() + text[1:]) + "."


def rows(build, *words):
    reply = subprocess.run([build / "tandemctl", "--json", *words], capture_output=True, text=True, check=True)
    return json.loads(reply.stdout)["rows"]


def keys(build, noun, verb="set"):
    lines = []
    for key, values, default, does in rows(build, "help", noun, verb):
        if not key[0].islower():  # a word of the command
            continue
        lines += [".TP", f"{bold(key)} = {argument(values)}", sentence(does)]
        if default and "default" not in does:
            lines += [f"Default: {roff(default)}."]
    return lines


def commands(build):
    lines = []
    for usage, does in rows(build, "help"):
        words = usage.split()
        names = [w for w in words if re.fullmatch(r"[a-z]+", w)]
        shown = " ".join([bold(" ".join(names)), *(argument(w) for w in words[len(names):])])
        does = sentence(does)
        if "KEY=VALUE" in usage:
            does += " See " + bold(f"Keys of a {names[0]}") + " below."
        lines += [".TP", shown, does]
    # each noun whose keys some command takes, once; where two take them, as the last of them
    with_keys = dict(usage.split()[:2] for usage, _ in rows(build, "help") if "KEY=VALUE" in usage)
    for noun, verb in with_keys.items():
        lines += [f".SS Keys of a {noun}"] + keys(build, noun, verb)
    return lines


def configuration(build):
    text = subprocess.run([build / "tandemd", "--print-config"], capture_output=True, text=True, check=True).stdout
    lines, about = [], ""
    for line in text.splitlines():
        if group := re.fullmatch(r"\[(\w+)\]", line):
            lines += [f".SS [{group[1]}]"]
        elif key := re.fullmatch(r"#(\w+) = (.*)", line):
            # where a build has its files is the builder's to say
            value = re.sub(r"^/.*(?=/(lib/)?tandem/)", "", key[2])
            lines += [".TP", bold(key[1]) + (f" = {roff(value)}" if value and not value.startswith("/") else ""),
                      roff(about) + "."]
        elif line.startswith("# "):
            about = line[2:]
    return lines


def main():
    mode, source, build = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).resolve()
    good = True
    for name, lines in (("tandemctl.1", commands(build)), ("tandem.conf.5", configuration(build))):
        path = source / "docs" / name
        head, begin, rest = path.read_text(encoding="utf-8").partition('.\\" begin\n')
        old, end, tail = rest.partition('.\\" end\n')
        new = "\n".join(lines) + "\n"
        if not begin or not end:
            sys.exit(f'{path}: no lines .\\" begin and .\\" end')
        if mode == "--write":
            path.write_text(head + begin + new + end + tail, encoding="utf-8")
        elif old != new:
            good = False
            missing = [line for line in lines if line not in old.splitlines()]
            print(f"{path} is not what the programs say; run: make manual\n  " + "\n  ".join(missing or ["a line too many"]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
