#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""carriers.py --build FOLDER [--table | --short] - every carrier and what was tried with it.

Each carrier of carriers/ has a gateway, users and a network namespace of its own; several
run at once.  Prints each cell as TAP, then the table.  --short: the rows that ./check has
time for; --table: no more than what the last run has found.
"""
import argparse
import concurrent.futures
import json
import os
import sys
import threading
import time
from pathlib import Path

from carrier_rows import ROWS, carriers, rows_of
from run import run_in_namespace

WIDTH = 11


def read(folder):
    """{carrier: {row: cell}} of the carriers that have been run."""
    return {file.stem.removeprefix("carrier-"): json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("carrier-*.json")}


def table(cells, chosen):
    """Lines of the table; what a cell has no room for follows as notes."""
    lines, notes = [], []

    def short(cell):
        if cell.startswith("ok"):
            return "ok"
        if not cell:
            return "not run"
        sign, _, text = cell.partition(" ")
        if text not in notes:
            notes.append(text)
        return f"{sign} ({notes.index(text) + 1})"
    lines.append("| carrier".ljust(34) + "".join(f"| {r}".ljust(WIDTH) for r in ROWS) + "|")
    lines.append("|".ljust(34, "-") + "".join("|".ljust(WIDTH, "-") for _ in ROWS) + "|")
    for habits in chosen:
        row = cells.get(habits["id"], {})
        lines.append(f"| {habits['name']}".ljust(34) + "".join(f"| {short(row.get(r, ''))}".ljust(WIDTH) for r in ROWS) + "|")
        lines += [f"  {habits['name']}: {part} {row[part]}" for part in row if part not in ROWS]
    return lines + [f"({i}) {text}" for i, text in enumerate(notes, 1)]


def run_all(options, chosen):
    """Each carrier in its namespace; the cells as they come, as TAP."""
    expected = {h["id"]: [r for r in rows_of(h, options.short) if r not in h.get("cannot", {})] for h in chosen}
    only = [r for r in (options.row or "").split(",") if r]
    if only:
        expected = {i: [r for r in rows if r in only] for i, rows in expected.items()}
    print(f"1..{sum(map(len, expected.values()))}", flush=True)
    lock, numbers = threading.Lock(), iter(range(1, 10000))
    failures = []

    def report(habits):
        (options.folder / f"carrier-{habits['id']}.json").unlink(missing_ok=True)
        passed, seconds, output = run_in_namespace(options, "carrier_rows", f"test_{habits['id']}")
        cells = read(options.folder).get(habits["id"], {})
        with lock:
            for row in expected[habits["id"]]:
                cell = cells.get(row, "FAILED: it has not been run")
                print(f"{'ok' if cell.startswith('ok') else 'not ok'} {next(numbers)} - {habits['name']}: {row}")
                failures.extend([] if cell.startswith("ok") else [cell])
            failures.extend([] if passed else [habits["name"]])
            print(f"# {habits['name']}: {seconds:.1f} s")
            interesting = output.splitlines() if not passed else [l for l in output.splitlines() if "heard" in l or "proxy" in l]
            print("".join(f"# {line}\n" for line in interesting), end="", flush=True)
    # those that take longest first
    order = sorted(chosen, key=lambda h: -h.get("slow", 0))
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(report, order))
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print what the last run has found")
    parser.add_argument("--short", action="store_true", help="the rows that ./check has time for")
    parser.add_argument("-k", "--word", action="append", default=[], help="only carriers with this in their file's name")
    parser.add_argument("--row", help="only these rows, by comma")
    parser.add_argument("-j", "--jobs", type=int, default=4, help="so many at once: they wait more than they work")
    parser.add_argument("--keep", action="store_true", help="keep the folders of carriers that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    chosen = [h for h in carriers() if not options.word or any(w in h["id"] for w in options.word)]
    failures = []
    if not options.table:
        os.environ["TANDEM_CARRIERS"] = "short" if options.short else "all"
        os.environ["TANDEM_CARRIER_ROWS"] = options.row or ""
        began = time.time()
        failures = run_all(options, chosen)
        print(f"# took {time.time() - began:.0f} s")
    cells = read(options.folder)
    print("\n".join(f"# {line}" for line in table(cells, chosen)))
    if options.table:  # green: every cell has been run, and none is red
        failures = [r for h in chosen for r in ROWS if cells.get(h["id"], {}).get(r, "FAILED").startswith("FAILED")]
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
