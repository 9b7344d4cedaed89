#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""why.py --build FOLDER [--table] [--short] - planted faults, and what is said of each.

Each scene of why_rows.py has a gateway and a network namespace of its own; several run at
once.  Prints each row as TAP: both sentences are right, and said within ten seconds.  --table:
then the whole table.  --short: the rows that ./check has time for.
"""
import argparse
import concurrent.futures
import json
import os
import sys
import threading
import time
from pathlib import Path

from run import run_in_namespace
from why_rows import SCENES, chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print the table")
    parser.add_argument("--short", action="store_true", help="the rows that ./check has time for")
    parser.add_argument("-k", "--word", action="append", default=[], help="only scenes with this in their name")
    parser.add_argument("-j", "--jobs", type=int, default=3, help="so many at once: they wait more than they work")
    parser.add_argument("--keep", action="store_true", help="keep the folders of scenes that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    os.environ["TANDEM_WHY"] = "short" if options.short else "all"
    os.environ["TANDEM_WHY_FOLDER"] = str(options.folder)
    scenes = [s for s in SCENES if chosen(SCENES[s]) and (not options.word or any(w in s for w in options.word))]
    print(f"1..{sum(len(chosen(SCENES[s])) for s in scenes)}", flush=True)
    lock, numbers, failures, lines, began = threading.Lock(), iter(range(1, 10000)), [], [], time.time()

    def report(scene):
        file = options.folder / f"why-{scene}.json"
        file.unlink(missing_ok=True)
        passed, seconds, output = run_in_namespace(options, "why_rows", f"test_{scene}")
        cells = {c["row"]: c for c in json.loads(file.read_text(encoding="utf-8"))} if file.exists() else {}
        with lock:
            for row in chosen(SCENES[scene]):
                cell = cells.get(row.name, {"trouble": "it has not been run"})
                print(f"{'not ok' if cell['trouble'] else 'ok'} {next(numbers)} - {row.name}")
                print(f"# {cell['trouble']}: {cell.get('person')} | {cell.get('operator')}\n" if cell["trouble"] else "", end="")
                failures.extend([row.name] if cell["trouble"] else [])
                lines.append(f"| {row.name} | {cell.get('person') or '–'} | {cell.get('operator') or '–'} | {cell.get('seconds', '–')} |")
            print(f"# {scene}: {seconds:.1f} s", flush=True)
            if not passed:
                failures.append(scene)
                print("".join(f"# {line}\n" for line in output.splitlines()[-60:]), end="", flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(report, scenes))
    print(f"# took {time.time() - began:.0f} s")
    if options.table:
        print("\n".join(f"# {line}" for line in ["| fault | the person reads | the operator reads | s |", "|---|---|---|---|", *lines]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
