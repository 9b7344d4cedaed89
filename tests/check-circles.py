#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which files need each other in a circle, by includes and by what the linker sees.

By includes a module is NAME.c together with NAME.h.  By the linker it is an object file,
which needs the one that defines a function or a variable it uses: declarations of many
files in one header hide nothing here.  A circle is a set of modules of which each needs
every other; none of them can be read, tested or replaced alone.  Circles of two or three
are neighbours.  LARGER names those that are meant, each with its reason in docs/HACKING.md;
any other is an error, and so is a name that has left its circle.  A list of files that says
in which order they need each other is held against the linker, too.  Speaks TAP.
"""
import os
import re
import subprocess
import sys

FOLDERS = ("b2bua", "cli", "db", "media", "plugins")
LARGER = []  # sets of modules


def includes(top):
    """module → the modules whose headers it includes"""
    arrows = {}
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            for name in names:
                base, ending = os.path.splitext(name)
                if ending not in (".c", ".h", ".cc"):
                    continue
                module = os.path.relpath(os.path.join(path, base), top)
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    found = re.findall(r'^\s*#\s*include\s*"([^"]+)\.h"', file.read(), re.M)
                arrows.setdefault(module, set()).update(f for f in found if f != module)
    return arrows


def objects(top, build):
    """module → its object file; a library's own prefix is cut off the name"""
    found = {}
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(build, folder)):
            place = os.path.relpath(path, build).removesuffix("/.libs")
            for name in names:
                base = re.sub(r"^(lib)?[a-z]+(_la)?-", "", name.removesuffix(".o"))
                module = os.path.join(place, base)
                if name.endswith(".o") and any(os.path.exists(os.path.join(top, module + e))
                                               for e in (".c", ".cc")):
                    found[module] = os.path.join(path, name)
    return found


def links(top, build):
    """module → the modules that define what it uses"""
    defined, used = {}, {}
    module_of = {file: module for module, file in objects(top, build).items()}
    # all of them by one process: to start one costs more than to read an object
    text = subprocess.run(["nm", "-A", "-P", "-g", *module_of], capture_output=True, text=True).stdout
    for line in text.splitlines():
        file, _, symbol = line.partition(": ")
        module = module_of[file]
        name, kind = symbol.split()[:2]
        if kind == "U":
            used.setdefault(module, set()).add(name)
        elif kind in "TDBRCVW":
            defined.setdefault(name, module)
    return {module: {defined[n] for n in names if n in defined} - {module}
            for module, names in used.items()}


def circles(arrows):
    """Tarjan: the strongly connected sets of more than one module"""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        on_stack.add(module)
        for other in sorted(arrows.get(module, ())):
            if other not in index:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in on_stack:
                low[module] = min(low[module], index[other])
        if low[module] == index[module]:
            circle = set()
            while module not in circle:
                circle.add(stack.pop())
            on_stack.difference_update(circle)
            if len(circle) > 1:
                found.append(circle)

    for module in sorted(arrows):
        if module not in index:
            visit(module)
    return found


def listed(top):
    """{the list: its modules, each of which needs none that comes after it}"""
    with open(os.path.join(top, "b2bua/call/call_private.h"), encoding="utf-8") as file:
        call = re.findall(r"^/\* --- (\w+)\.c", file.read(), re.M)
    with open(os.path.join(top, "plugins/sip/dialog/sip_leg.c"), encoding="utf-8") as file:
        dialog = re.findall(r"^ \*   (\w+)\.c  ", file.read(), re.M)
    return {"call_private.h": [f"b2bua/call/{name}" for name in call],
            "sip_leg.c": [f"plugins/sip/dialog/{name}" for name in reversed(dialog)]}


def out_of_order(arrows, modules):
    return [{module, other} for i, module in enumerate(modules)
            for other in arrows.get(module, set()) & set(modules[i + 1:])]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    top = os.environ.get("top_srcdir", os.path.dirname(here))
    build = sys.argv[1] if len(sys.argv) > 1 else os.environ["top_builddir"]
    linked = links(top, build)
    by = {"includes": circles(includes(top)), "links": circles(linked)}
    large = {what: [c for c in found if len(c) > 3] for what, found in by.items()}
    gone = [c for c in LARGER if c not in large["links"] and c not in large["includes"]]
    probe = circles({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"a", "e"}, "e": set()})
    tests = [(not [c for c in found if c not in LARGER], f"no circle of {what} that is not meant",
              [c for c in found if c not in LARGER]) for what, found in large.items()]
    tests.append((not gone, "every circle that is meant is one", gone))
    tests.append((probe == [{"a", "b", "c", "d"}], "a circle is found where there is one", []))
    for name, modules in listed(top).items():
        wrong = out_of_order(linked, modules)
        tests.append((not wrong and len(modules) > 10 and set(modules) <= set(linked), f"the list of {name} is in order", wrong))
    tests.append(("b2bua/main" in linked and len(linked) > 100,
                  "the objects of this build were read", []))

    for number, (ok, what, sets) in enumerate(tests, 1):
        print(f"{'ok' if ok else 'not ok'} {number} - {what}")
        for circle in sets:
            print(f"# {len(circle)}: {' '.join(sorted(circle))}")
    print(f"1..{len(tests)}")


main()
