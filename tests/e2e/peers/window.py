# SPDX-License-Identifier: AGPL-3.0-or-later
"""The windows of a phone that has them (gajim_windows.py, dino_program.c), told what a person does there."""
from .process import Failed

SECONDS = 20


class Window:
    """The newest one; each step waits for the words that it is about, and gives what is then shown."""

    def __init__(self, phone, folder):
        """`folder`: of the pictures"""
        self.phone, self.folder = phone, folder
        folder.mkdir(parents=True, exist_ok=True)

    def _do(self, does, **more):
        self.phone.tell_window(does, **more)
        shown = self.phone.wait("shown", SECONDS)
        if not shown["found"]:
            raise Failed(f"{does} {more}: {self.phone.name} shows {shown['text']}")
        return shown

    def open(self, what, jid=None):
        self.phone.tell_window("open", what=what, jid=jid)

    def read(self, what):
        return self._do("read", what=what)["text"]

    def click(self, what):
        return self._do("click", what=what)["text"]

    def type(self, label, what):
        return self._do("type", label=label, what=what)["text"]

    def choose(self, what, label=None):
        return self._do("choose", label=label, what=what)["text"]

    def close(self):
        self.phone.tell_window("close")

    def picture(self, name):
        path = self.folder / f"{name}.png"
        self.phone.tell_window("picture", path=str(path))
        self.phone.wait("pictured", SECONDS)
        print(f"picture: {path}")
