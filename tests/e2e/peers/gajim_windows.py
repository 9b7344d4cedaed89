# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest window of Gajim, as a person uses it who reads its words: commands of gajim_program.py.

A word is looked for until it is shown; a field is the one beside or below its label.
"""
import time

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402

PATIENCE_S = 15


def widgets(parent):
    """What is shown, itself among it."""
    if not parent.get_mapped():
        return
    yield parent
    if isinstance(parent, Gtk.Container):
        children = []
        parent.forall(children.append)
        for child in children:
            yield from widgets(child)


def words(widget):
    """What is to be read in this one widget."""
    if isinstance(widget, Gtk.TreeView):
        return [column.get_title() for column in widget.get_columns() if column.get_title()] \
            + [cell for row in widget.get_model() for cell in row[:widget.get_n_columns()] if isinstance(cell, str)]
    if isinstance(widget, (Gtk.Label, Gtk.Entry)):
        text = widget.get_text()
    elif isinstance(widget, Gtk.ComboBoxText):
        text = widget.get_active_text()
    elif isinstance(widget, Gtk.TextView):
        text = widget.get_buffer().props.text
    else:
        text = None
    return [text] if text else []


def newest():
    shown = [w for w in Gtk.Window.list_toplevels() if w.get_mapped() and w.get_window_type() == Gtk.WindowType.TOPLEVEL]
    return max(shown, key=lambda w: w.get_window().get_xid(), default=None)


def place(widget, window):
    """Of its middle, in the window."""
    x, y = widget.translate_coordinates(window, 0, 0) or (0, 0)
    return x + widget.get_allocated_width() / 2, y + widget.get_allocated_height() / 2


def shown(window):
    """(widget, its place), from the top to the bottom."""
    return sorted(((w, place(w, window)) for w in widgets(window)), key=lambda found: found[1][::-1])


class Windows:
    """`report` tells what happened."""

    def __init__(self, report, screen):
        self._report, self._screen = report, screen
        Gtk.Settings.get_default().props.gtk_enable_animations = False
        Gtk.Settings.get_default().props.gtk_cursor_blink = False

    def _until(self, step):
        """step(window) until it is true; then all that the window shows is told."""
        end = time.time() + PATIENCE_S

        def look():
            window = newest()
            done = step(window) if window else None
            if not done and time.time() < end:
                return True
            text = [line for w, _ in shown(window) for line in words(w)] if window else []
            self._report("shown", found=bool(done), title=window.get_title() if window else None, text=text)
            return False
        GLib.timeout_add(50, look)

    @staticmethod
    def _labels(window, label):
        return [(w, at) for w, at in shown(window) if isinstance(w, Gtk.Label) and w.get_text() == label]

    @staticmethod
    def _button(window, label):
        for widget, _ in shown(window):
            if isinstance(widget, Gtk.Button) and widget.get_sensitive() and label in [t for w in widgets(widget) for t in words(w)]:
                return widget
        return None

    def _field(self, window, label, kind):
        """In the line of the label, or below it."""
        for _, (x, y) in self._labels(window, label):
            fields = [(abs(at[1] - y), w) for w, at in shown(window) if isinstance(w, kind) and at[1] > y - 10]
            if fields:
                return min(fields, key=lambda found: found[0])[1]
        return None

    def read(self, what):
        """Until some line has that in it."""
        self._until(lambda window: any(what in line for w, _ in shown(window) for line in words(w)))

    def click(self, what):
        def step(window):
            button = self._button(window, what)
            if button:
                GLib.idle_add(button.clicked)
            return button
        self._until(step)

    def type(self, label, what):
        def step(window):
            field = self._field(window, label, Gtk.Entry)
            if field:
                field.set_text(what)
            return field
        self._until(step)

    def choose(self, label, what):
        """Of a list: its row; with a label of a field: a choice of that."""
        def step(window):
            if label:
                box = self._field(window, label, Gtk.ComboBox)
                rows = [row[0] for row in box.get_model()] if box else []
                if what in rows:
                    box.set_active(rows.index(what))
                return what in rows
            for widget, _ in shown(window):
                if not isinstance(widget, Gtk.TreeView):
                    continue
                for row in widget.get_model():
                    if row[0] == what:
                        widget.set_cursor(row.path)
                        return True
            return False
        self._until(step)

    @staticmethod
    def close():
        newest().destroy()

    def picture(self, path):
        """Not in the thread that draws."""
        self._screen.save(path)
        self._report("pictured", path=path)
