#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""doctor.py --build FOLDER [--table] - planted misconfigurations, and what the doctor finds.

Each scene of doctor_rows.py has a gateway and a network namespace of its own; the first has
nothing wrong with it.  Prints each row as TAP.  --table: then the whole table.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

from doctor_rows import SCENES
from run import run_in_namespace


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print the table")
    parser.add_argument("-k", "--word", action="append", default=[], help="only scenes with this in their name")
    parser.add_argument("--keep", action="store_true", help="keep the folders of scenes that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    os.environ["TANDEM_DOCTOR_FOLDER"] = str(options.folder)
    scenes = [s for s in ("sound", *SCENES) if not options.word or any(w in s for w in options.word)]
    print(f"1..{sum(len(SCENES.get(s, [1])) for s in scenes)}", flush=True)
    number, failures, lines, began = 0, 0, [], time.time()
    for scene in scenes:
        file = options.folder / f"doctor-{scene}.json"
        file.unlink(missing_ok=True)
        passed, seconds, output = run_in_namespace(options, "doctor_rows", f"test_{scene}")
        cells = {c["row"]: c for c in json.loads(file.read_text(encoding="utf-8"))} if file.exists() else {}
        for name in [row.name for row in SCENES.get(scene, [])] or ["nothing is found in a sound gateway"]:
            number += 1
            cell = cells.get(name, {"trouble": None if scene == "sound" and passed else "it has not been run"})
            failures += cell["trouble"] is not None
            print(f"{'not ok' if cell['trouble'] else 'ok'} {number} - {name}")
            if cell["trouble"]:
                print(f"# {cell['trouble']}")
            lines.append(f"| {name} | {cell.get('check', '–')} | {cell.get('finding', '–')} | {cell.get('remedy', '–')} |")
        print(f"# {scene}: {seconds:.1f} s", flush=True)
        if not passed:
            failures += 1
            print("".join(f"# {line}\n" for line in output.splitlines()[-60:]), end="", flush=True)
    print(f"# took {time.time() - began:.0f} s")
    if options.table:
        print("\n".join(f"# {line}" for line in ["| planted | check | finding | remedy |", "|---|---|---|---|", *lines]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
