#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""run.py [--build FOLDER] [-j N] [-k WORD]... - the end-to-end tests, as TAP.

Each test_*() of the test_*.py files runs in a process, a folder and a network
namespace of its own, so that several run at once.  The folder of a test that
failed is kept, and so are all with --keep.
"""
import argparse
import concurrent.futures
import contextlib
import importlib
import inspect
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ADDRESS = "10.77.0.1"
TIME_LIMIT = 300 + float(os.environ.get("TANDEM_SILENCE", "0"))
SLOW_AT_ONCE = 3
MAX_LATE_TESTS = 4  # in which a listener had every packet, some of them late; 1 of 146 was seen on a loaded machine

# libwebrtc and aioice take no candidates of the loopback; the route leads nowhere
NAMESPACE = f"""
set -e
ip link set lo up
ip link add e2e0 type veth peer name e2e1
ip addr add {ADDRESS}/24 dev e2e0
ip link set e2e0 up
ip link set e2e1 up
ip route add default via 10.77.0.2
exec "$@"
"""


def tests():
    """(module, function) of every test, in the order of the files."""
    found = []
    for file in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        found += [(file.stem, name, function) for name, function in vars(module).items()
                  if name.startswith("test_") and inspect.isfunction(function) and function.__module__ == file.stem]
    return found


def kind_of(build):
    """"plain", "sanitized" or "thread": what the build was configured with."""
    text = (build / "Makefile").read_text(encoding="utf-8")
    sanitize = re.search(r"^SANITIZE = *(\S*)", text, re.M)
    if not sanitize or not sanitize[1]:
        return "plain"
    return "thread" if sanitize[1] == "thread" else "sanitized"


def link_plugins(build):
    """The loadable plugins of a build tree in one folder, as an installation has them."""
    folder = build / "tests" / "e2e" / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    for module in (build / "plugins").glob("*/.libs/*.so"):
        link = folder / module.name
        with contextlib.suppress(FileExistsError):  # of an earlier run, or of a test beside us
            link.symlink_to(module)
    return folder


def run_one(options):
    """The child: one test, in the namespace made for it."""
    from harness import Bench, Failed
    # audio is compared: what else the machine does is not to tear holes into it
    with contextlib.suppress(OSError):
        os.nice(-5)
    module, name = options.one.split(":")
    test = getattr(importlib.import_module(module), name)
    bench = Bench(options.folder, options.build, options.build and link_plugins(options.build),
                  ("127.0.0.1", ADDRESS))
    failed = False
    try:
        test(bench)
    except Exception as error:  # every kind of failure is reported alike
        failed = True
        if not isinstance(error, Failed):
            traceback.print_exc(file=sys.stdout)
        else:
            where = traceback.extract_tb(error.__traceback__)[1]
            print(f"FAILED: {error} ({Path(where.filename).name}:{where.lineno})")
        print(bench.explain())
    try:
        bench.close()
    except Exception as error:
        failed = True
        print(f"FAILED at the end: {error}")
        print(bench.explain())
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"\nprocessor: {sum(u.ru_utime + u.ru_stime for u in used):.1f} s")
    return 1 if failed else 0


def run_in_namespace(options, module, name, limit=TIME_LIMIT):
    """The parent's part: (passed, seconds, output)."""
    # sockets have short paths, so the folder has a short name
    folder = options.folder / name.removeprefix("test_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount"]
    command = [*unshare, "sh", "-c", NAMESPACE, "sh", sys.executable, str(HERE / "run.py"), "--one", f"{module}:{name}",
               "--folder", str(folder)]
    if options.build:
        command += ["--build", str(options.build)]
    began = time.time()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
    try:
        output, _ = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        child.kill()
        output = (child.communicate()[0] or "") + f"\nFAILED: longer than {limit:g} s"
    passed = child.returncode == 0
    (folder / "output").write_text(output)
    if passed and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif not passed:
        output += f"\nlogs are in {folder}"
    return passed, time.time() - began, output


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, help="build folder of the tandemd to test")
    parser.add_argument("--folder", type=Path, help="where the tests' folders are made")
    parser.add_argument("-j", "--jobs", type=int, default=3)
    parser.add_argument("-k", "--word", action="append", default=[], help="only tests with this in their name")
    parser.add_argument("-x", "--without", action="append", default=[], help="not those with this in their name")
    parser.add_argument("--keep", action="store_true", help="keep the folders of tests that passed")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.build = options.build and options.build.resolve()
    if options.one:
        return run_one(options)

    kind = kind_of(options.build) if options.build else None
    chosen = [(m, n, f) for m, n, f in tests()
              if (not options.word or any(w in n for w in options.word)) and not any(w in n for w in options.without)
              and getattr(f, "build", None) in (None, kind)]
    if options.list:
        print("\n".join(n for _, n, _ in chosen))
        return 0
    options.folder = (options.folder or (options.build or HERE.parent.parent / "build") / "e2e").resolve()
    # the slow ones do little but wait, beside the others; those that want the machine for themselves last, one by one
    slow = [t for t in chosen if hasattr(t[2], "slow") and not hasattr(t[2], "alone")]
    together = [t for t in chosen if not hasattr(t[2], "slow") and not hasattr(t[2], "alone")]
    alone = [t for t in chosen if hasattr(t[2], "alone")]
    print(f"1..{len(chosen) + 1}", flush=True)
    lock, failures, number, late = threading.Lock(), 0, 0, []

    def report(test):
        nonlocal failures, number
        passed, seconds, output = run_in_namespace(options, test[0], test[1])
        with lock:
            number += 1
            failures += not passed
            late.extend([test[1]] if "\nlate: " in output else [])
            used = re.search(r"^processor: (\S+ s)", output, re.M)  # with so many at once the time alone says little
            print(f"{'ok' if passed else 'not ok'} {number} - {test[1].removeprefix('test_')} # {seconds:.1f} s"
                  f"{f', of a processor {used[1]}' if used else ''}")
            interesting = output.splitlines() if not passed else [l for l in output.splitlines() if "heard" in l]
            print("".join(f"# {line}\n" for line in interesting), end="", flush=True)

    with concurrent.futures.ThreadPoolExecutor(SLOW_AT_ONCE) as beside, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = beside.map(report, slow)
        list(pool.map(report, together))
        list(waiting)
    for test in alone:
        report(test)
    rare = len(late) <= MAX_LATE_TESTS
    failures += not rare
    print(f"{'ok' if rare else 'not ok'} {number + 1} - audio is seldom late # {len(late)} of {number} tests")
    print("".join(f"# late: {name}\n" for name in late), end="")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
