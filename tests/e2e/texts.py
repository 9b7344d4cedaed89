#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""texts.py --build FOLDER [-k WORD] - 10,000 texts and 20 kills by each server, all else that may die,
and twenty texts of each client and to it through kills.

About half an hour.  ./check has a shorter form of the rows without clients (test_texts.py).
"""
import argparse
import sys
import time
from pathlib import Path

from run import run_in_namespace

ROWS = ("kills", "kills_ejabberd", "locked", "full", "outage", "carriers", "client_webrtc", "client_webrtc_ejabberd",
        "client_page", "client_dino", "client_linphone", "client_baresip")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("-k", "--word", action="append", default=[], help="only rows with this in their name")
    parser.add_argument("--keep", action="store_true", help="keep the folders of rows that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    rows = [r for r in ROWS if not options.word or any(w in r for w in options.word)]
    print(f"1..{len(rows)}", flush=True)
    failures, began = 0, time.time()
    for number, row in enumerate(rows, 1):
        passed, seconds, output = run_in_namespace(options, "text_rows_long", f"test_{row}", 3600)
        print("".join(f"# {line}\n" for line in output.splitlines()), end="")
        print(f"{'ok' if passed else 'not ok'} {number} - texts: {row} # {seconds:.1f} s", flush=True)
        failures += not passed
    print(f"# took {time.time() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
