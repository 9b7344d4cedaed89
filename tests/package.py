#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""package.py [--folder FOLDER] - the Debian packages, as TAP; must run as root.

Builds the tarball twice and compares, builds the packages, asks lintian, installs
tandem in a clean Debian 12 made by debootstrap, has a call go through the daemon
of the package, upgrades it with a database of an older version, has another call,
and purges it.  No service is started: the daemon is run by hand, as its user, in
a network namespace of its own.  The folder (build/package) keeps the clean
system, so that a second run is faster.
"""
import argparse
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import traceback
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "e2e"))
OLD_SCHEMA = 12          # of the database that the upgrade meets
APPLICATION_ID = 0x74616e64  # as in db/store.c
POLICY = "#!/bin/sh\nexit 101\n"


def run(*words, **more):
    """A command that must succeed; gives back what it wrote."""
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: exit status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def want(good, text):
    if not good:
        raise RuntimeError(text)


class Package:
    """The steps, in their order; each needs those before it."""

    def __init__(self, folder):
        self.folder = folder
        self.source = folder / "source" / "tandem"
        self.root = folder / "root"
        self.find_packages()

    def find_packages(self):
        self.debs = {deb.name.split("_")[0]: deb for deb in self.source.parent.glob("*.deb")}

    def export(self, folder):
        """What git tracks, as the working tree has it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        names = run("git", "-C", TOP, "ls-files", "-z")
        run("sh", "-c", f"tar -C '{TOP}' --null -T names -c | tar -C '{folder}' -x",
            cwd=self.write("names", names).parent)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def tarball_is_the_same_twice(self):
        sums = []
        for number, umask in enumerate((0o022, 0o077)):
            folder = self.folder / f"dist-{number}"
            self.export(folder)
            run("sh", "-c", "./autogen.sh && ./configure --quiet && make dist", cwd=folder, umask=umask,
                env=dict(os.environ, SOURCE_DATE_EPOCH="1764400000"))
            [tarball] = folder.glob("tandem-*.tar.xz")
            want("/configure.ac\n" in run("tar", "-tf", tarball), "the tarball holds no sources")
            sums.append(run("sha256sum", tarball).split()[0])
            shutil.rmtree(folder)
        want(sums[0] == sums[1], f"two tarballs of the same sources differ: {sums}")

    def packages_build(self):
        self.export(self.source)
        for old in self.source.parent.glob("*.deb"):
            old.unlink()
        run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=self.source,
            env=dict(os.environ, DEB_BUILD_OPTIONS=f"nocheck parallel={os.cpu_count()}"))
        self.find_packages()
        want({"tandem", "tandem-doc", "tandem-dev"} <= set(self.debs), f"built: {sorted(self.debs)}")

    def lintian_finds_no_error(self):
        run("lintian", "--allow-root", "--fail-on", "error", *self.source.parent.glob("*.changes"))

    def chroot(self, *words):
        """A command in the clean system."""
        return run("unshare", "--mount", "sh", "-ec", 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"', self.root,
                   "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words)

    def clean_system(self):
        """Debian 12 and nothing else; the mirror is that of this machine."""
        clean = self.folder / "clean.tar"
        if not clean.exists():
            shutil.rmtree(self.root, ignore_errors=True)
            run("debootstrap", "--variant=minbase", "bookworm", self.root)
            run("tar", "-C", self.root, "-cf", clean, ".")
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        run("tar", "-C", self.root, "-xpf", clean)
        (self.root / "usr/sbin/policy-rc.d").write_text(POLICY)
        (self.root / "usr/sbin/policy-rc.d").chmod(0o755)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        self.chroot("apt-get", "update", "-qq")

    def version_before(self):
        """The same package with a lower version number."""
        folder = self.folder / "before"
        shutil.rmtree(folder, ignore_errors=True)
        run("dpkg-deb", "-R", self.debs["tandem"], folder)
        control = folder / "DEBIAN" / "control"
        control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 0.0~"))
        run("dpkg-deb", "-b", folder, self.root / "root" / "before.deb")

    def it_installs(self):
        self.version_before()
        self.chroot("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/root/before.deb")
        conf = self.root / "etc/tandem/tandem.conf"
        want(conf.stat().st_mode & 0o777 == 0o640, f"tandem.conf has mode {conf.stat().st_mode:o}")
        owner = self.chroot("stat", "-c", "%U:%G", "/etc/tandem/tandem.conf", "/var/lib/tandem", "/run/tandem").split()
        want(owner == ["root:tandem", "tandem:tandem", "tandem:tandem"], f"owners: {owner}")
        wanted = self.root / "etc/systemd/system/multi-user.target.wants/tandemd.service"
        want(wanted.is_symlink(), "the unit is not enabled")
        with contextlib.suppress(RuntimeError):
            self.chroot("tandemd", "--check-config")
            raise AssertionError("a configuration without [gateway] emergency passed")

    def call(self):
        """A call from XMPP to a carrier and back, in a namespace of its own."""
        from run import NAMESPACE
        print(run("unshare", "--net", "--mount", "sh", "-c", NAMESPACE, "sh", sys.executable, Path(__file__).resolve(),
                  "--call", "--folder", self.folder), end="")

    def it_calls(self):
        self.call()

    def it_upgrades_with_an_older_database(self):
        database = self.root / "var/lib/tandem/tandem.db"
        for file in database.parent.iterdir():
            file.unlink()
        with contextlib.closing(sqlite3.connect(database)) as old, old:
            for number in range(1, OLD_SCHEMA + 1):
                old.executescript((TOP / "db" / "schema" / f"{number:04}.sql").read_text())
            old.execute(f"PRAGMA application_id={APPLICATION_ID}")
            old.execute(f"PRAGMA user_version={OLD_SCHEMA}")
            old.execute("INSERT INTO users (jid, created) VALUES ('dora@localhost', 1)")
        self.chroot("chown", "tandem:tandem", "/var/lib/tandem/tandem.db")
        conf = self.root / "etc/tandem/tandem.conf"
        before = conf.read_text()
        shutil.copy(self.debs["tandem"], self.root / "root" / "tandem.deb")
        self.chroot("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/root/tandem.deb")
        want(conf.read_text() == before, "the upgrade has changed the configuration")
        want(conf.stat().st_mode & 0o777 == 0o640, "the upgrade has changed the mode of tandem.conf")
        self.call()
        copy = database.with_name(f"tandem.db.schema-{OLD_SCHEMA}")
        want(copy.exists(), "no copy of the old database")
        with contextlib.closing(sqlite3.connect(database)) as new:
            users = [row[0] for row in new.execute("SELECT jid FROM users")]
        want("dora@localhost" in users, f"the users after the upgrade: {users}")

    def it_goes_and_leaves_the_database(self):
        said = self.chroot("apt-get", "purge", "-y", "-qq", "tandem")
        want((self.root / "var/lib/tandem/tandem.db").exists(), "purge has deleted the database")
        want("is kept" in said, f"purge does not say that the database is kept: {said}")
        left = [str(p) for p in (self.root / "etc/tandem", self.root / "usr/sbin/tandemd",
                                 self.root / "etc/systemd/system/multi-user.target.wants/tandemd.service") if p.exists()]
        want(not left, f"left behind: {left}")

    STEPS = (tarball_is_the_same_twice, packages_build, lintian_finds_no_error, clean_system, it_installs, it_calls,
             it_upgrades_with_an_older_database, it_goes_and_leaves_the_database)


def place_call(folder):
    """The child in the namespace: the daemon of the package, Prosody, a client, a carrier."""
    import harness
    from test_calls import call_out_and_back

    class Installed(harness.Gateway):
        """The tandemd of the package in the clean system, run by hand as its user."""

        def __init__(self, bench, root):
            super().__init__(bench.folder, root, "", addresses=bench.addresses)
            inside = {"database": "/var/lib/tandem/tandem.db", "control_socket": "/run/tandem/control.sock"}
            lines = [line for line in self.config.read_text().splitlines()
                     if line.split("=")[0] not in (*inside, "plugin_dir")]
            packaged = root / "etc/tandem/tandem.conf"
            kept = packaged.read_text().split("# the test's own\n")[0]
            packaged.write_text(f"{kept}# the test's own\n" + "\n".join(lines) + "\n")
            self.database = root / "var/lib/tandem/tandem.db"

        def in_root(self, *words):
            return ["chroot", str(self.build), *map(str, words)]

        def taken_along(self, word):
            """A file of the test's has another name in there."""
            if not isinstance(word, Path):
                return word
            shutil.copy(word, self.build / "root")
            return f"/root/{word.name}"

        def start(self, seconds=30):
            output = open(self.log, "ab")
            self.process = harness.process.start(self.in_root("setpriv", "--reuid=tandem", "--regid=tandem", "--init-groups",
                                                              "/usr/sbin/tandemd"), stdin=subprocess.DEVNULL,
                                                 stdout=output, stderr=output)
            output.close()
            self.wait_online(seconds)
            return self

        def wait_online(self, seconds=30):
            harness.until(lambda: "online" in self.ctl("status", wanted=None).stdout, seconds,
                          "the component stream")

        def ctl(self, *words, wanted=0, want=0):
            wanted = wanted if want == 0 else want
            words = [self.taken_along(word) for word in words]
            done = subprocess.run(self.in_root("tandemctl", *words), capture_output=True, text=True, timeout=60, check=False)
            if wanted is not None and done.returncode != wanted:
                raise harness.Failed(f"tandemctl {words}: {done.returncode}: {done.stdout}{done.stderr}")
            return done

    work = folder / "call"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    bench = harness.Bench(work, None, None, ("127.0.0.1", "10.77.0.1"))
    try:
        bench.prosody()
        bench.tandem = Installed(bench, folder / "root")
        bench.tandem.start()
        bench.tandem.provision_users()
        call_out_and_back(bench, bench.webrtc())
    except Exception:
        print(bench.tandem and bench.tandem.tail())
        raise
    finally:
        bench.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, default=TOP / "build" / "package", help="where it works")
    parser.add_argument("--from-step", type=int, default=1, metavar="N", help="with what the steps before it have left")
    parser.add_argument("--call", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.call:
        place_call(folder)
        return 0
    if os.geteuid() != 0:
        print("package.py: must run as root: it makes a system of its own and a network namespace", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    run(TOP / "tests/packages.sh", *(TOP / name for name in ("build-deps.txt", "tests/test-deps.txt", "tests/package-deps.txt")))
    run(TOP / "tests/e2e/npm-install.sh")
    print(f"1..{len(Package.STEPS)}", flush=True)
    package = Package(folder)
    for number, step in enumerate(Package.STEPS, 1):
        if number < options.from_step:
            continue
        began, name = time.monotonic(), step.__name__.replace("_", " ")
        try:
            step(package)
            print(f"ok {number} - {name} # {time.monotonic() - began:.0f} s", flush=True)
        except Exception:  # what comes after needs this step
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()[-40:]))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
