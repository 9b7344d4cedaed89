#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""clients.py --build FOLDER [--table] - every client and what was tried with it, as one table.

Runs test_clients.py; with --table it only prints what the last run has found.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

from test_clients import COLUMNS, personalities

HERE = Path(__file__).resolve().parent
WIDTH = 17


def read(folder):
    """{client: {column: cell}} of the parts that have been run."""
    cells = {}
    for file in folder.glob("clients-*.json"):
        for name, row in json.loads(file.read_text()).items():
            cells.setdefault(name, {}).update(row)
    return cells


def table(cells):
    """Lines of the table; what a cell has no room for follows as notes."""
    lines, notes = [], []

    def note(text):
        if text not in notes:
            notes.append(text)
        return notes.index(text) + 1

    def short(cell):
        if cell.startswith(("ok", "refused")):
            return cell
        if not cell:
            return "not run"
        sign, _, text = cell.partition(" ")
        return f"{sign} ({note(text)})"

    lines.append("| client".ljust(22) + "".join(f"| {c}".ljust(WIDTH) for c in COLUMNS) + "|")
    lines.append("|".ljust(22, "-") + "".join("|".ljust(WIDTH, "-") for _ in COLUMNS) + "|")
    for personality in personalities():
        row = cells.get(personality["name"], {})
        lines.append(f"| {personality['name']}".ljust(22)
                     + "".join(f"| {short(row.get(c, ''))}".ljust(WIDTH) for c in COLUMNS) + "|")
    lines.append("out, in: delay of the coded tones client to telephone / telephone to client; 90 s ring: from the answer to audio; "
                 "DTMF: digits in a chat message")
    lines += [f"({i}) {text}" for i, text in enumerate(notes, 1)]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print what the last run has found")
    options = parser.parse_args()
    folder = options.build.resolve() / "e2e"
    status = 0
    if not options.table:
        for file in folder.glob("clients-*.json"):
            file.unlink()
        status = subprocess.run([sys.executable, HERE / "run.py", "--build", options.build, "-k", "clients_", "-j", "2"],
                                check=False).returncode
    cells = read(folder)
    print("\n".join(table(cells)))
    # green: every cell has been run, and none is red
    green = all(cells.get(p["name"], {}).get(column, "FAILED").split()[0] != "FAILED" for p in personalities() for column in COLUMNS)
    return status or (0 if green else 1)


if __name__ == "__main__":
    sys.exit(main())
