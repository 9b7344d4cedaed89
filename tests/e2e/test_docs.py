# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages in docs/ tell an admin to write is written, and run."""
import re
import subprocess
import textwrap

from harness import TOP, Gateway, check
from peers import process
from peers.process import until

GUIDE = "\n\n".join((TOP / "docs" / name).read_text(encoding="utf-8") for name in ("operating.md", "network.md"))


def blocks(first):
    """Every indented block that begins with these words."""
    found = [textwrap.dedent(b) for b in re.findall(r"(?<=\n\n)((?: {4}.*\n)(?: {4}.*\n|\n(?= {4}))*)", GUIDE)]
    found = [b for b in found if b.startswith(first)]
    check(found, f"neither docs/operating.md nor docs/network.md has a block that begins with {first!r}")
    return "".join(found)


def test_documented_prosody_and_tandem(bench):
    """The two files as they are documented belong together: the component is up."""
    folder = bench.folder
    config = folder / "prosody.cfg.lua"
    config.write_text(f"""
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ info = "{folder}/prosody.log" }}
modules_enabled = {{ "roster", "saslauth", "disco", "turn_external" }}
modules_disabled = {{ "s2s", "tls" }}
c2s_require_encryption = false
{blocks("component_ports")}
{blocks("turn_external_host")}
VirtualHost "localhost"
{blocks("Component")}
""")
    said = subprocess.run(["prosodyctl", "--root", "--config", config, "check", "config"], capture_output=True, text=True, check=False)
    check("component_ports" not in said.stdout and "component_interfaces" not in said.stdout and "turn_external" not in said.stdout,
          f"prosodyctl: {said.stdout}{said.stderr}")
    server = process.start(["prosody", "-F", "--config", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        tandem = Gateway(bench.folder, bench.build, bench.plugins, addresses=bench.addresses)
        own = tandem.config.read_text(encoding="utf-8")
        own = re.sub(r"\[xmpp\]\n(.+\n)*", "", own).replace("emergency=refuse\n", "")
        tandem.config.write_text(blocks("[gateway]\n") + own)
        tandem.start()  # waits for the component to be online
        tandem.stop()
    finally:
        process.stop(server)


def test_documented_coturn(bench):
    """Each line is taken: coturn starts without a line that it cannot read."""
    config, log = bench.folder / "turnserver.conf", bench.folder / "turn.log"
    config.write_text(blocks("listening-port=3478") + f"log-file={log}\nsimple-log\npidfile={bench.folder}/turn.pid\n"
                      f"userdb={bench.folder}/turn.db\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\n")
    with open(bench.folder / "turn.out", "wb") as output:
        server = process.start(["turnserver", "-c", config], stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until(lambda: process.udp_port_open(3478) or server.poll() is not None, 20, "coturn")
    finally:
        process.stop(server)
    said = (bench.folder / "turn.out").read_text(errors="replace") + (log.read_text(errors="replace") if log.exists() else "")
    for word in ("Bad configuration", "Unknown", "unrecognized", "ERROR: CONFIG"):
        check(word not in said, f"coturn: {[line for line in said.splitlines() if word in line]}")
    check("external-ip private part: 10.0.0.9" in said, "coturn has not read external-ip")


def test_documented_tables(bench):
    """A blank line cuts a table: each run of rows has a head of its own."""
    for page in (TOP / "docs").glob("*.md"):
        rows = page.read_text(encoding="utf-8").splitlines()
        for before, line, after in zip([""] + rows, rows, rows[1:] + [""]):
            if line.startswith("|") and not before.startswith("|"):
                check(re.fullmatch(r"[|:\- ]+", after), f"{page.name}: a table begins at {line!r} without a head")
