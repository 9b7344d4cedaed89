#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""audio_codecs.py --build FOLDER [--table] [-k WORD]... - each codec against each, as one table.

A call for each pair of sides and codecs, both ways (codec_rows.py): which codec ran on each
side, what `call show` says of it, how late the voice came and how much of it was above 4 kHz.
Prints each call as TAP, then the table; --table: no more than what the last run has found.
"""
import argparse
import concurrent.futures
import json
import sys
import threading
import time
from pathlib import Path

from codec_rows import CODECS, GROUPS, LEAN, built
from run import run_in_namespace

WIDTH = 26


def read(folder):
    """{call: what came of it} of all groups that have been run."""
    cells = {}
    for file in sorted(folder.glob("codecs-*.json")):
        cells.update(json.loads(file.read_text(encoding="utf-8")))
    return cells


def table(cells):
    """Lines: a row for each side and codec that calls, a column for each codec that is called."""
    rows, notes = {}, []
    for name, text in cells.items():
        caller, callee = name.split(" > ")
        (title, codec), (other, called) = caller.rsplit(" ", 1), callee.rsplit(" ", 1)
        rows.setdefault((title, other, codec), {})[called] = text

    def short(text):
        if not text:
            return "not run"
        if text.startswith("ok"):
            return text
        notes.append(text)
        return f"FAILED ({len(notes)})"
    columns = (*CODECS, *LEAN)
    lines = ["| caller > callee".ljust(40) + "".join(f"| {c}".ljust(WIDTH + 4) for c in columns) + "|",
             "|".ljust(40, "-") + "".join("|".ljust(WIDTH + 4, "-") for _ in columns) + "|"]
    for (title, other, codec), row in rows.items():
        lines.append(f"| {title} {codec} > {other}".ljust(40)
                     + "".join(f"| {short(row.get(c, ''))}".ljust(WIDTH + 4) for c in columns) + "|")
    lines.append("at the caller; at the callee: delay of the voice (where the phone tells its time), loudness above 4 kHz")
    return lines + [f"({i}) {text}" for i, text in enumerate(notes, 1)]


def run_all(options, chosen):
    lock, numbers, failures = threading.Lock(), iter(range(1, 10000)), []

    def report(group):
        kind, codec = group
        file = options.folder / f"codecs-{kind}-{codec}.json"
        file.unlink(missing_ok=True)
        passed, seconds, output = run_in_namespace(options, "codec_rows", f"test_{kind}_{codec}")
        cells = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        with lock:
            for name, text in cells.items():
                print(f"{'ok' if text.startswith('ok') else 'not ok'} {next(numbers)} - {name}: {text}")
                failures.extend([] if text.startswith("ok") else [name])
            if not cells:
                print(f"not ok {next(numbers)} - {kind} {codec}: nothing has been called")
            failures.extend([] if passed else [f"{kind} {codec}"])
            print(f"# {kind} {codec}: {seconds:.1f} s")
            print("".join(f"# {line}\n" for line in (output.splitlines() if not passed else [])), end="", flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(report, chosen))
    print(f"1..{next(numbers) - 1}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print what the last run has found")
    parser.add_argument("-k", "--word", action="append", default=[], help="only groups with this in their name, as webrtc_opus")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the folders of groups that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    had = built(options.build)
    chosen = [g for g in GROUPS if g[1] in had and (not options.word or any(w in "_".join(g) for w in options.word))]
    failures = []
    if not options.table:
        began = time.time()
        failures = run_all(options, chosen)
        print(f"# took {time.time() - began:.0f} s")
    cells = read(options.folder)
    print("\n".join(f"# {line}" for line in table(cells)))
    if options.table:
        failures = [text for text in cells.values() if not text.startswith("ok")]
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
