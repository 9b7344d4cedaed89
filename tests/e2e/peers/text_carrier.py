# SPDX-License-Identifier: AGPL-3.0-or-later
"""A carrier that takes texts with the habits of carriers: it refuses, is busy, is late, is silent.

What it does with a text is the first word of the body: "ok", "accepted" (202), "404" (any
status), "busy" (503 for the first two requests), "late" (200 after five seconds), "silent" (no
answer to the first request, however often it is repeated), "twice" (200 two times).
"""
import threading
import time

from .process import until
from .sipwire import Endpoint, Message

PHRASES = {200: "OK", 202: "Accepted"}
LATE = 5


class HabitualCarrier:
    def __init__(self, address="127.0.0.20", port=5060):
        self.address = address
        self.heard = []  # (at, Message): each request, retransmissions of it apart
        self.retransmitted = 0
        self._answers = {}  # branch → bytes, or None while there is none
        self._requests = {}  # body → how many requests have come
        self._timers = []
        self.endpoint = Endpoint(address, port, self._take)
        self.port = self.endpoint.port

    def _take(self, message, hop):
        if message.status or message.method != "MESSAGE":
            if not message.status and message.method == "OPTIONS":
                self.endpoint.send(bytes(self._answer(message, 200)), hop)
            return
        if message.branch in self._answers:
            self.retransmitted += 1
            if self._answers[message.branch]:
                self.endpoint.send(self._answers[message.branch], hop)
            return
        self._answers[message.branch] = None
        self.heard.append((time.time(), message))
        body = message.body.decode()
        count = self._requests[body] = self._requests.get(body, 0) + 1
        word = body.split(" ")[0]
        if word == "busy":
            self._say(message, hop, 503 if count <= 2 else 200)
        elif word == "late":
            timer = threading.Timer(LATE, self._say, (message, hop, 200))
            timer.start()
            self._timers.append(timer)
        elif word == "silent":
            if count > 1:
                self._say(message, hop, 200)
        else:
            status = {"ok": 200, "accepted": 202, "twice": 200}.get(word) or int(word)
            for _ in range(2 if word == "twice" else 1):
                self._say(message, hop, status)

    @staticmethod
    def _answer(message, status):
        headers = [(n, v) for n, v in message.headers if n in ("Via", "From", "Call-ID", "CSeq")]
        headers.append(("To", f"{message.header('To')};tag=t{message.branch[-8:]}"))
        return Message(f"SIP/2.0 {status} {PHRASES.get(status, 'No')}", headers)

    def _say(self, message, hop, status):
        self._answers[message.branch] = bytes(self._answer(message, status))
        self.endpoint.send(self._answers[message.branch], hop)

    def bodies(self):
        return [m.body.decode() for _, m in list(self.heard)]

    def wait_text(self, body, seconds=15, times=1):
        until(lambda: self.bodies().count(body) >= times, seconds, f"{body!r} at the carrier")
        return [(at, m) for at, m in list(self.heard) if m.body.decode() == body]

    def stop(self):
        for timer in self._timers:
            timer.cancel()
        self.endpoint.close()
