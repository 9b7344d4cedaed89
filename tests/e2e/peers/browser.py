# SPDX-License-Identifier: AGPL-3.0-or-later
"""Browsers without a window: Chromium by the DevTools protocol over a pipe, Firefox
by Marionette.  evaluate() runs a piece of script in the page and waits for what it
promises; screenshot() says how the page looks.

The microphone plays coded tones, what is heard is kept with the clock of the page:
both are put in by PAGE, which the page loads before its own script.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import socket
import subprocess
import time

import numpy as np

import audio
from . import process
from .process import Failed

# getUserMedia() gives the tones of `microphone` (base64, 48 kHz, 16 bits, mono); every
# audio track that comes in is recorded; renomination is put into both descriptions.
PAGE = """
(() => {
  const bench = window.bench = { chunks: [], candidates: [], renomination: %(renomination)s };
  const bytes = Uint8Array.from(atob(%(microphone)s), c => c.charCodeAt(0));
  const samples = Float32Array.from(new Int16Array(bytes.buffer), x => x / 32768);
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const buffer = context.createBuffer(1, samples.length, 48000);
    buffer.copyToChannel(samples, 0);
    const source = Object.assign(context.createBufferSource(), { buffer, loop: true });
    const out = context.createMediaStreamDestination();
    source.connect(out);
    source.start();
    bench.fedAt = Date.now() / 1000;
    return out.stream;
  };
  bench.record = stream => {
    const context = bench.context ??= new AudioContext();
    bench.rate = context.sampleRate;
    bench.source?.disconnect(); // of the call before
    bench.tap?.disconnect();
    bench.chunks = [];
    bench.startedAt = null;
    const tap = bench.tap = context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = ({ inputBuffer }) => {
      bench.startedAt ??= Date.now() / 1000 - inputBuffer.duration;
      bench.chunks.push(Int16Array.from(inputBuffer.getChannelData(0), x => Math.max(-32768, Math.min(32767, x * 32768))));
    };
    bench.source = context.createMediaStreamSource(stream); // kept, or it is collected
    bench.source.connect(tap);
    tap.connect(context.destination);
    return context.resume();
  };
  bench.recording = () => {
    const all = new Int16Array(bench.chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const c of bench.chunks) { all.set(c, at); at += c.length; }
    const raw = new Uint8Array(all.buffer);
    let text = '';
    for (let i = 0; i < raw.length; i += 32768) text += String.fromCharCode(...raw.subarray(i, i + 32768));
    return { samples: btoa(text), rate: bench.rate, startedAt: bench.startedAt, fedAt: bench.fedAt, stats: bench.stats };
  };
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...more) {
      super(...more);
      bench.pc = this;
      this.addEventListener('track', ({ track }) => bench.record(new MediaStream([track])));
      this.poll = setInterval(async () => {
        if (this.signalingState === 'closed') return clearInterval(this.poll);
        const found = {};
        (await this.getStats()).forEach(s => {
          if (s.type === 'inbound-rtp') Object.assign(found, { packets: s.packetsReceived, lost: s.packetsLost });
        });
        if (found.packets) bench.stats = found;
      }, 200);
    }
    renominate(description) {
      if (!bench.renomination || !description?.sdp) return description;
      const sdp = description.sdp.replace(/a=ice-options:[^\\r\\n]*\\r\\n/g, '')
        .replace(/(a=ice-pwd:[^\\r\\n]*\\r\\n)/g, '$1a=ice-options:trickle renomination\\r\\n');
      return { type: description.type, sdp };
    }
    setLocalDescription(description) { return super.setLocalDescription(this.renominate(description)); }
    setRemoteDescription(description) { return super.setRemoteDescription(this.renominate(description)); }
  };
})();
"""


class Browser:
    """A page of one browser, and the calls it makes."""
    name = ""

    def __init__(self, folder, plays="A", renomination=False):
        self.folder, self.plays, self.title = folder, plays, self.name
        self.profile = folder / f"{self.name}-profile"
        shutil.rmtree(self.profile, ignore_errors=True)
        self.profile.mkdir(parents=True)
        self.output = open(folder / f"{self.name}.out", "wb")
        self.renomination = renomination

    def publish(self, web):
        """The page with PAGE in it, among the files of the web server; its name."""
        tones = base64.b64encode(audio.signal(self.plays, 48000).tobytes()).decode()
        (web / f"{self.name}.js").write_text(PAGE % {"microphone": json.dumps(tones),
                                                     "renomination": json.dumps(self.renomination)})
        page = (web / "index.html").read_text()
        (web / f"{self.name}.html").write_text(page.replace("<script ", f'<script src="{self.name}.js"></script>\n<script ', 1))
        return f"{self.name}.html"

    def open(self, url, web):
        self.go(url + self.publish(web))
        self.wait("document.body && document.body.dataset.loaded === 'yes'", 30)

    def wait(self, condition, seconds=15):
        """The first true value of an expression in the page."""
        end = time.time() + seconds
        while True:
            value = self.evaluate(condition)
            if value:
                return value
            if time.time() > end:
                shown = self.evaluate("document.body.innerText.replace(/\\s+/g, ' ').slice(0, 300)")
                raise Failed(f"waited {seconds:g} s for {condition} in {self.name}, which shows: {shown}")
            time.sleep(0.05)

    def click(self, element):
        self.evaluate(f"document.getElementById({json.dumps(element)}).click()")

    def type(self, element, text):
        self.evaluate(f"document.getElementById({json.dumps(element)}).value = {json.dumps(text)}")

    def heard(self):
        kept = self.evaluate("bench.recording()")
        stats = kept.get("stats") or {}
        lost = max(stats.get("lost") or 0, 0)
        recording = None
        if kept["startedAt"]:
            samples = np.frombuffer(base64.b64decode(kept["samples"]), "<i2")
            recording = audio.Recording(samples, round(kept["rate"]), kept["startedAt"])
        return recording, kept["fedAt"], (lost, (stats.get("packets") or 0) + lost)

    def stop(self):
        process.stop(self.process)
        self.output.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Chromium(Browser):
    name = "chromium"

    def __init__(self, folder, plays="A", renomination=False):
        super().__init__(folder, plays, renomination)
        # the shell puts the pipe where Chromium wants it, at 3 and 4
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser, from_browser)]
        self.process = process.start(
            ["bash", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "bash",
             "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream",
             "--use-fake-device-for-media-stream", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, pass_fds=ends)
        for fd in (to_browser, from_browser, *ends):
            os.close(fd)
        self._number, self._pending = 0, b""
        target = self._command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._command("Page.enable")

    _session = None

    def _command(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise Failed(f"chromium: {method}: {answer['error']}")
                return answer["result"]

    def _receive(self, seconds=60):
        while b"\0" not in self._pending:
            if not select.select([self._read], [], [], seconds)[0]:
                raise Failed("chromium does not answer")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise Failed(f"chromium has ended; see {self.output.name}")
            self._pending += data
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)

    def go(self, url):
        self._command("Page.navigate", url=url)

    def evaluate(self, expression):
        result = self._command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
                               userGesture=True)
        if "exceptionDetails" in result:
            raise Failed(f"chromium: {expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def screenshot(self, path, width, height, dark=False):
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2, mobile=width < 600)
        self._command("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        time.sleep(0.2)  # a frame is drawn
        path.write_bytes(base64.b64decode(self._command("Page.captureScreenshot", format="png")["data"]))
        self._command("Emulation.clearDeviceMetricsOverride")

    def stop(self):
        super().stop()
        os.close(self._write)
        os.close(self._read)


PREFERENCES = {
    "media.navigator.permission.disabled": True, "media.navigator.streams.fake": True, "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0, "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.loopback": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False, "app.normandy.enabled": False,
    "browser.aboutwelcome.enabled": False, "browser.startup.page": 0, "toolkit.telemetry.enabled": False,
    "extensions.getAddons.cache.enabled": False, "services.settings.server": "data:,", "browser.safebrowsing.update.enabled": False,
    "media.gmp-manager.updateEnabled": False, "dom.security.https_only_mode": False, "remote.prefs.recommended": True,
}


class SoundCard:
    """A PulseAudio with nothing behind it, for a browser that wants a sound device."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        # a socket's path is short
        path = folder / "pulse"
        self.env = dict(os.environ, PULSE_SERVER=f"unix:{path}", PULSE_RUNTIME_PATH=str(folder / "run"),
                        PULSE_STATE_PATH=str(folder / "state"), PULSE_COOKIE=str(folder / "cookie"))
        self._log = open(folder / "pulse.log", "wb")
        self._process = process.start(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no",
             "--realtime=no", "--high-priority=no", "-L", f"module-native-protocol-unix socket={path} auth-anonymous=1",
             "-L", "module-null-sink rate=48000 channels=1 format=s16le sink_name=speaker"],
            env=self.env, stdout=self._log, stderr=self._log)
        process.until(self._ready, 20, "PulseAudio")

    def _ready(self):
        return subprocess.run(["pactl", "set-default-source", "speaker.monitor"], env=self.env,
                              capture_output=True, check=False).returncode == 0

    def stop(self):
        process.stop(self._process)
        self._log.close()


class Firefox(Browser):
    name = "firefox"

    def __init__(self, folder, plays="A", renomination=False, environment=None):
        super().__init__(folder, plays, renomination)
        port = process.free_port()
        preferences = {**PREFERENCES, "marionette.port": port}
        (self.profile / "user.js").write_text("".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n"
                                                      for k, v in preferences.items()))
        self.process = process.start(["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", self.profile],
                                     stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                                     env={**os.environ, "HOME": str(self.profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1",
                                          **(environment or {})})
        self._number, self._pending = 0, b""
        self._socket = process.until(lambda: self._connect(port), 60, "Firefox")
        self._receive()  # who it is
        self._command("WebDriver:NewSession", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        self._command("WebDriver:SetTimeouts", script=60000)

    def _connect(self, port):
        if self.process.poll() is not None:
            raise Failed(f"firefox has ended; see {self.output.name}")
        try:
            return socket.create_connection(("127.0.0.1", port), 60)
        except OSError:
            return None

    def _receive(self):
        while True:
            length, colon, rest = self._pending.partition(b":")
            if colon and len(rest) >= int(length):
                self._pending = rest[int(length):]
                return json.loads(rest[:int(length)])
            data = self._socket.recv(1 << 20)
            if not data:
                raise Failed(f"firefox has ended; see {self.output.name}")
            self._pending += data

    def _command(self, name, **parameters):
        self._number += 1
        text = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(str(len(text)).encode() + b":" + text)
        _, _, error, result = self._receive()
        if error:
            raise Failed(f"firefox: {name}: {error.get('message')}")
        return result

    def go(self, url):
        self._command("WebDriver:Navigate", url=url)

    def evaluate(self, expression):
        script = ("const done = arguments[arguments.length - 1];"
                  f"(async () => ({expression}))().then(value => done({{ value }}), error => done({{ error: String(error) }}));")
        answer = self._command("WebDriver:ExecuteAsyncScript", script=script, args=[], sandbox=None)["value"]
        if "error" in answer:
            raise Failed(f"firefox: {expression}: {answer['error']}")
        return answer.get("value")

    def screenshot(self, path, width, height):
        self._command("WebDriver:SetWindowRect", width=width, height=height)
        time.sleep(0.2)
        path.write_bytes(base64.b64decode(self._command("WebDriver:TakeScreenshot", full=False)["value"]))

    def stop(self):
        try:
            self._command("Marionette:Quit", flags=["eForceQuit"])
            self.process.wait(5)
        except (Failed, OSError, subprocess.TimeoutExpired):
            pass
        self._socket.close()
        super().stop()
