#!/usr/bin/env python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is a function in place of a library's own is one that the plugin shows the loader.

A plugin exports what its .sym file names.  A function of ours that a library of the system has
as well stands in its place only when it is named there: otherwise the tests, which are linked
with the objects themselves, show ours, and the daemon runs the library's.  Speaks TAP.
"""
import os
import subprocess
import sys

PLUGINS = {"plugins/sip": ("sip", "libsofia-sip-ua.so"), "plugins/xmpp": ("xmpp", "libstrophe.so")}


def defined(*words):
    text = subprocess.run(["nm", "-P", *words], capture_output=True, text=True, check=True).stdout
    return {line.split()[0].partition("@")[0] for line in text.splitlines() if line.split()[1:2] in (["T"], ["W"])}


def library(plugin, name):
    """The file that the plugin is linked with."""
    text = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=True).stdout
    return next(line.split("=>")[1].split()[0] for line in text.splitlines() if line.strip().startswith(name))


def main():
    top, build = os.environ.get("top_srcdir", "."), os.environ.get("top_builddir", ".")
    print(f"1..{len(PLUGINS)}")
    failed = False
    for number, (folder, (name, needed)) in enumerate(PLUGINS.items(), 1):
        objects = [os.path.join(path, f) for path, _, files in os.walk(os.path.join(build, folder)) for f in files if f.endswith(".o")]
        with open(os.path.join(top, folder, name + ".sym"), encoding="utf-8") as file:
            exported = set(file.read().split())
        theirs = defined("-D", library(os.path.join(build, folder, ".libs", name + ".so"), needed))
        hidden = (defined("-g", *objects) & theirs) - exported
        print(f"{'not ' if hidden else ''}ok {number} - {folder}/{name}.sym names what stands in place of {needed}'s own")
        for function in sorted(hidden):
            print(f"# {function} is not in {folder}/{name}.sym: the daemon runs the library's; add its name")
        failed |= bool(hidden)
    return failed


sys.exit(main())
