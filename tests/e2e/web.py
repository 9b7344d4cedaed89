# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dialler, built, and a web server for it."""
import functools
import http.server
import json
import subprocess
import threading
from pathlib import Path

DIALLER = Path(__file__).resolve().parent.parent.parent / "dialler"


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css",
                      ".json": "application/json", "": "application/octet-stream"}

    def log_message(self, *_):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


class Dialler:
    """Serves the page on an address of this machine."""

    def __init__(self, folder, websocket_port, domain, gateway, accounts, numbers, port=0):
        self.folder = folder
        subprocess.run([DIALLER / "build.sh", folder], check=True)
        # on the name by which the page was asked for
        (folder / "config.json").write_text(json.dumps({
            "service": f"ws://127.0.0.1:{websocket_port}/xmpp-websocket", "domain": domain, "gateway": gateway,
            "accounts": [{"account": account, "password": password} for account, password in accounts],
            "numbers": [{"number": number, "label": label} for number, label in numbers]}))
        handler = functools.partial(_Handler, directory=folder)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
