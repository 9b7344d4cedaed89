#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/HACKING.md leads a reader to files, functions and folders that are there, and its example works."""
import os
import re
import sys
from pathlib import Path

SOURCE = Path(os.environ["top_srcdir"])
PAGE = (SOURCE / "docs" / "HACKING.md").read_text(encoding="utf-8")
MOST_FILES = 10


def defines(path, function):
    text = path.read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(function)}\(", text, re.M) is not None


def walks():
    """{heading: [(file, [function])]} of each section with numbered rows"""
    found = {}
    for section in re.split(r"^#{2,3} ", PAGE, flags=re.M):
        rows = re.findall(r"^\| \d+ \| `([^`]+)` \| ([^|]+) \|", section, re.M)
        if rows:
            found[section.split("\n", 1)[0]] = [(file, re.findall(r"`([^`]+)`", names)) for file, names in rows]
    return found


def wrong_in(rows):
    files = [file for file, _ in rows]
    if len(files) > MOST_FILES:
        yield f"{len(files)} files, more than {MOST_FILES}"
    for file in {file for file in files if files.count(file) > 1}:
        yield f"{file} is read twice"
    for file, functions in rows:
        if not (SOURCE / file).is_file():
            yield f"there is no {file}"
            continue
        for function in functions:
            if not defines(SOURCE / file, function):
                yield f"{file} defines no {function}()"


def wrong_paths():
    """Files that the page names with their folder"""
    for name in sorted(set(re.findall(r"`((?:b2bua|cli|db|docs|media|plugins|tests|bench)/[\w/.-]+\.\w+)`", PAGE))):
        if not (SOURCE / name).exists():
            yield f"there is no {name}"


def missing_folders():
    """Folders with a rule of who includes whom; of the plugins the page has one row"""
    rules = (SOURCE / "tests" / "check-includes.sh").read_text(encoding="utf-8")
    for name in re.findall(r"^\tlayer ((?:b2bua|cli|db|media)\S*) ", rules, re.M):
        if f"\n| `{name}/` |" not in PAGE:
            yield f"the table of folders has no {name}/"


def wrong_example():
    """The row of the first change can be added as it stands"""
    row = re.compile(r'\[REASON_\w+\]\s*=\s*\{\s*("(?:[^"\\]|\\.)*"\s*,?\s*)+(\d+),')
    taken = {found[2] for found in row.finditer((SOURCE / "b2bua" / "reason.c").read_text(encoding="utf-8"))}
    example = row.search(PAGE)
    if not example or len(taken) < 20:
        yield f"the example or the table was not found ({len(taken)} rows)"
    elif example[2] in taken:
        yield f"another reason tells as much as the example: {example[2]}"


def main():
    tests = [(f"the walk \"{heading}\"", list(wrong_in(rows))) for heading, rows in walks().items()]
    tests.append(("four walks", [] if len(tests) == 4 else [f"{len(tests)} were found"]))
    tests.append(("the files that are named", list(wrong_paths())))
    tests.append(("every folder has its row", list(missing_folders())))
    tests.append(("the example of a reason", list(wrong_example())))
    print(f"1..{len(tests)}")
    for number, (name, wrong) in enumerate(tests, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for line in wrong:
            print(f"# docs/HACKING.md: {line}")
    return 1 if any(wrong for _, wrong in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
