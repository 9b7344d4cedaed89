# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real Kamailio before a carrier's switch."""
import re
import subprocess
from pathlib import Path

from . import process
from .process import Failed

HERE = Path(__file__).resolve().parent


class Kamailio:
    """The proxy of carriers/kamailio.cfg at an address; the switch is what it passes calls to."""

    def __init__(self, folder, address, switch, port=5060):
        self.address, self.port = address, port
        self.folder = folder / "kamailio"
        self.folder.mkdir()
        [modules] = Path("/usr/lib").glob("*/kamailio/modules")
        config = self.folder / "kamailio.cfg"
        config.write_text((HERE.parent / "carriers" / "kamailio.cfg").read_text(encoding="utf-8").format(
            address=address, port=port, folder=self.folder, modules=modules, switch=switch[0], switch_port=switch[1]))
        self._output = open(self.folder / "output", "wb")
        # -DD: in the foreground
        self.process = process.start(["kamailio", "-f", config, "-DD", "-m", "32", "-M", "4", "-P", self.folder / "pid", "-Y", self.folder],
                                     stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT, cwd=self.folder)
        process.until(lambda: (self.folder / "kamailio.ctl").exists() or self.process.poll() is not None, 20, "Kamailio")
        if self.process.poll() is not None:
            raise Failed(f"Kamailio did not start: {(self.folder / 'output').read_text(errors='replace')[-800:]}")

    def passed(self):
        """How many requests of each method have passed it inside dialogs, from the gateway; and those that were lost."""
        done = subprocess.run(["kamcmd", "-s", f"unix:{self.folder}/kamailio.ctl", "stats.get_statistics", "script:"],
                              capture_output=True, text=True, timeout=10, check=False)
        if done.returncode != 0:
            raise Failed(f"kamcmd: {done.stdout}{done.stderr}")
        return {name: int(value) for name, value in re.findall(r"script:(?:passed_)?(\w+) = (\d+)", done.stdout, re.I)}

    def stop(self):
        process.stop(self.process)
        self._output.close()
