#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""transcoded_calls.py --build FOLDER - 1,000 calls with each codec made into Opus, and the memory in use after each hundred.

About four minutes.  The build must have no sanitizer, which keeps what is freed.  ./check
has a shorter form of it (test_load.py).
"""
import argparse
import sys
from pathlib import Path

from run import run_in_namespace


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that passed")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.folder = options.build / "e2e"
    options.folder.mkdir(exist_ok=True)
    passed, seconds, output = run_in_namespace(options, "load_rows", "test_1000_transcoded_calls", 1200)
    print("".join(f"# {line}\n" for line in output.splitlines()), end="")
    print(f"{'ok' if passed else 'not ok'} 1 - 1000 transcoded calls # {seconds:.1f} s\n1..1")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
