#!/usr/bin/python3
# SPDX-License-Identifier: AGPL-3.0-or-later
"""The program Gajim itself, from Debian: its window, its XMPP, its Jingle and its Farstream.
Commands and events as said in xmpp.py.

It runs in this process, on a screen of its own (Xvfb) and with folders of its own.  What a user
does with the mouse is done by the functions that the buttons call.  The microphone is a file, the
loudspeaker a recording, by the pipelines that Gajim lets a user write.  It is as on a machine
without gstreamer1.0-plugins-bad: the echo canceller of those takes coded tones for noise, and
their SRTP encoder refuses what it shall not encrypt, upon which Gajim falls silent.
"""
import argparse
import json
import os
import sys
import threading
import time

from screen import own_screen

RATE = 48000
ACCOUNT = "test"


def report(event, **more):
    sys.__stdout__.write(json.dumps({"at": time.time(), "event": event, **more}) + "\n")
    sys.__stdout__.flush()


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("account", "password", "resource", "domain", "port", "mic", "log"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--without", action="append", default=["webrtcdsp", "srtp"], help="a plugin of GStreamer")
    return parser.parse_args()


options = arguments()
home = f"{options.log}-home"
os.makedirs(home)
for name in ("CONFIG", "DATA", "CACHE", "STATE"):
    os.environ[f"XDG_{name}_HOME"] = f"{home}/{name.lower()}"
os.environ |= {"HOME": home, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory"}
screen = own_screen(home)
sys.argv = ["gajim"]  # it reads them, too
beside = sys.path.pop(0)  # where another gajim is, which is none

from gajim import gajim as program  # noqa: E402

program._check_required_deps()
program._init_gui("GTK")

import gi  # noqa: E402

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402
from nbxmpp.protocol import JID  # noqa: E402

from gajim.common import app, ged, passwords  # noqa: E402
from gajim.gtk.application import GajimApplication  # noqa: E402
from gajim.gtk.util import get_app_window, open_window  # noqa: E402

sys.path.insert(0, beside)
from gajim_windows import Windows  # noqa: E402

Gst.init(None)


class Recorder:
    """Keeps what the loudspeaker plays."""

    def __init__(self, content, path):
        self.path, self.parts, self.offsets, self.base = path, {}, [], None
        self.codec = None
        content.pipeline.get_by_name("test_out").connect("new-sample", self.on_sample)
        content.p2pstream.connect("src-pad-added", self.on_codec)

    def on_codec(self, _stream, _pad, codec):
        self.codec = codec.encoding_name

    def on_sample(self, sink):
        now, buffer = time.time(), sink.emit("pull-sample").get_buffer()
        found, mapped = buffer.map(Gst.MapFlags.READ)
        at = round(buffer.pts * RATE / Gst.SECOND)
        self.base = at if self.base is None else self.base
        if found:
            self.parts[at - self.base] = bytes(mapped.data)
            self.offsets.append(now - (at - self.base) / RATE)
            buffer.unmap(mapped)
        return Gst.FlowReturn.OK

    def save(self):
        parts = {at: data for at, data in self.parts.items() if 0 <= at < RATE * 600}
        samples = bytearray(2 * max((at + len(data) // 2 for at, data in parts.items()), default=0))
        for at, data in parts.items():
            samples[2 * at:2 * at + len(data)] = data
        with open(self.path, "wb") as file:
            file.write(samples)
        late = sorted(self.offsets)
        return {"path": self.path, "rate": RATE, "started_at": late[len(late) // 10]} if late else None


class Phone:
    """What a user sees and does."""

    def __init__(self):
        self.session = self.recorder = None
        self.calls = 0
        self.windows = Windows(report, screen)
        for name in ("signed_in", "jingle_request_received", "jingle_connected_received", "jingle_disconnected_received",
                     "jingle_error_received", "gateway_prompt_received"):
            app.ged.register_event_handler(name.replace("_", "-"), ged.GUI2, getattr(self, f"on_{name}"))

    @property
    def client(self):
        return app.get_client(ACCOUNT)

    def record(self, sid):
        self.session = self.client.get_module("Jingle")._sessions[sid]
        self.calls += 1
        self.recorder = Recorder(self.session.get_content("audio"), f"{options.log}-heard-{self.calls}.raw")

    # what Gajim tells its windows

    def on_signed_in(self, _event):
        report("online", jid=str(self.client.get_own_jid()))

    def on_jingle_request_received(self, event):
        self.record(event.sid)
        report("incoming", sid=event.sid, **{"from": event.fjid})

    def on_jingle_connected_received(self, event):
        report("up", sid=event.sid)

    def on_jingle_disconnected_received(self, event):
        self.over("peer", event.reason)

    def on_jingle_error_received(self, event):
        report("told", sid=event.sid, what=str(event.reason))

    def on_gateway_prompt_received(self, event):
        report("prompt", desc=event.desc, prompt=event.prompt, jid=event.prompt_jid, error=event.stanza.getErrorMsg())

    def over(self, by, reason=None):
        """Gajim says it several times."""
        recorder, self.recorder, self.session = self.recorder, None, None
        if recorder:
            report("ended", by=by, reason=reason)
            GLib.idle_add(self.close_window)
            report("media", recording=recorder.save(), fed_at=None, codec=recorder.codec, lost=0, packets=0)

    @staticmethod
    def close_window():
        """Which ends a call that is not over."""
        window = get_app_window("CallWindow")
        if window:
            window.destroy()
        return False

    # what the user does

    def do_subscribe(self, to):
        self.client.get_module("Presence").subscribe(to, auto_auth=True)
        self.wait_callable(to)

    def wait_callable(self, to):
        contact = self.client.get_module("Contacts").get_contact(JID.from_string(to))
        if contact.supports_audio():
            report("presence", **{"from": to})
        else:
            GLib.timeout_add(50, lambda: self.wait_callable(to))
        return False

    def do_call(self, to):
        from gajim.common.const import CallType
        app.call_manager.start_call(ACCOUNT, JID.from_string(to), CallType.AUDIO)
        sid = app.call_manager._jingle_audio_sid
        if not sid:
            report("error", what=f"Gajim sees nobody to call at {to}")
            return
        self.record(sid)
        report("dialled", to=to, sid=sid)

    def do_answer(self):
        app.call_manager.accept_call(self.session)
        report("answered", codecs=[])

    def do_reject(self, reason=None):
        session = self.session
        self.over("us")
        app.call_manager.decline_call(session)

    def do_hangup(self):
        self.over("us")

    def do_press(self, what):
        jid = app.call_manager.get_active_call_jid()
        app.call_manager.start_dtmf(ACCOUNT, jid, what)
        GLib.timeout_add(200, lambda: app.call_manager.stop_dtmf(ACCOUNT, jid))

    @staticmethod
    def do_open(what, jid=None):
        open_window(what, account=ACCOUNT, **({"jid": jid} if jid else {}))

    def do_ask_gateway(self, to, what=None):
        """Gajim knows jabber:iq:gateway (common/modules/gateway.py), and has no window for it."""
        self.client.get_module("Gateway").request_gateway_prompt(to, what)

    def do_window(self, does, **more):
        getattr(self.windows, does)(**more)

    def do_quit(self):
        os._exit(0)

    def take(self, line):
        command = json.loads(line)
        try:
            getattr(self, "do_" + command.pop("command"))(**command)
        except Exception as error:  # the test is to read it
            report("error", what=repr(error))
        return False

    def read(self):
        for line in sys.stdin:
            if '"picture"' in line:  # which waits until nothing moves
                self.take(line)
            else:
                GLib.idle_add(self.take, line)
        GLib.idle_add(self.do_quit)


class Program(GajimApplication):
    def _init_core(self):
        """With an account, as the assistant would have left it."""
        from gajim.common import application
        begin = application.passwords.init
        application.passwords.init = lambda: (self.settle(), begin())
        super()._init_core()
        application.passwords.init = begin
        threading.Thread(target=Phone().read, daemon=True).start()

    @staticmethod
    def settle():
        settings = app.settings
        settings.set_app_setting("use_keyring", False)
        settings.set_app_setting("use_stun_server", False)
        settings.set_app_setting("audio_input_device",
                                 f"filesrc location={options.mic} ! rawaudioparse format=pcm pcm-format=s16le sample-rate={RATE} "
                                 "num-channels=1 ! identity name=test_in sync=true ! volume name=gajim_vol")
        settings.set_app_setting("audio_output_device",
                                 f"audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate={RATE} "
                                 "! appsink name=test_out emit-signals=true sync=true")
        settings.add_account(ACCOUNT)
        for key, value in {"name": options.account, "hostname": options.domain, "password": options.password,
                           "savepass": True, "resource": options.resource, "use_custom_host": True,
                           "custom_host": "127.0.0.1", "custom_port": int(options.port), "custom_type": "PLAIN",
                           "use_plain_connection": True, "confirm_unencrypted_connection": False, "autoconnect": True,
                           "active": True}.items():
            settings.set_account_setting(ACCOUNT, key, value)


def main():
    registry = Gst.Registry.get()
    for plugin in filter(None, map(registry.find_plugin, options.without)):
        registry.remove_plugin(plugin)
    graphics = registry.lookup_feature("gtkglsink")
    if graphics:
        registry.remove_feature(graphics)  # this screen has none, and Gajim would call nobody
    Program().run(sys.argv)


if __name__ == "__main__":
    main()
