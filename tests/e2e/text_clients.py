# SPDX-License-Identifier: AGPL-3.0-or-later
"""Twenty texts of each client and twenty to it, while the gateway is killed: text_rows.py's three sentences.

A client is told to write again what the gateway has not taken: as another text, as a person would.
"""
import random
import re
import time

from harness import ALICE, DOMAIN, GATEWAY, OUTSIDE, check
from peers.browser import Chromium
from peers.process import until
from peers.sipp_texts import TextSource
from text_rows import Desk, judge, out_of
from web import Dialler

TEXTS, DEATHS = 20, 4
NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = f"sip:{OUTSIDE}@127.0.0.1:5060"


class _Xmpp:
    patience = 3  # seconds; what is not taken by then has come back, or lay in a socket

    def say(self, body):
        self.phone.say(NUMBER, body)

    def heard(self):
        """(body, its name or None), as they came."""
        return [(e["body"].rstrip("\r\n"), None) for e in self.phone.all("chat") if e["type"] != "error"]


class Webrtc(_Xmpp):
    def __init__(self, bench):
        self.phone = bench.webrtc()


class Dino(_Xmpp):
    patience = 10

    @staticmethod
    def server(bench):
        bench.prosody(certificate=bench.certificate("localhost")["tls_certificate"], offline=True)

    def __init__(self, bench):
        self.phone = bench.dino()


class Page:
    patience = 3

    @staticmethod
    def server(bench):
        bench.prosody(http_port=5280, offline=True)

    def __init__(self, bench):
        web = bench.keep(Dialler(bench.folder / "web", 5280, DOMAIN, GATEWAY, [("alice", "pw")], [(OUTSIDE, "A telephone")]))
        self.page = bench.keep(Chromium(bench.folder))
        self.page.open(web.url, web.folder)
        self.page.click("connect")
        self.page.wait("window.dialler && dialler.state === 'ready'", 30)
        self.page.type("to", OUTSIDE)
        self.page.click("write")

    def say(self, body):
        self.page.type("text", body)
        self.page.click("send")

    def heard(self):
        shown = self.page.evaluate("[...document.querySelectorAll('#log .theirs')].map(item => item.innerText)")
        found = [re.search(r"\+\d+ to \w+ \d+", text) for text in shown]
        return [(match[0], None) for match in found if match]


class _Sip:
    patience = 40  # it repeats its request for 32 s

    def heard(self):
        """Its log has each message as it came; a repeat of a request is not another text."""
        found = {}
        for block in re.split(r"(?m)^(?=MESSAGE sip:)", self.phone.transcript().replace("\r", ""))[1:]:
            branch, call = re.search(r"branch=([^;,\s]+)", block), re.search(r"(?mi)^(?:Call-ID|i): *(\S+)", block)
            body = re.search(r"(?m)^\+\d+ to \w+ \d+$", block)
            if branch and call and body:
                found.setdefault((branch[1], call[1], body[0]))
        return [(body, call) for _, call, body in found]


class Linphone(_Sip):
    def __init__(self, bench):
        self.phone = bench.linphone(texts=True)

    def say(self, body):
        self.phone.text(SIP, body)


class Baresip(_Sip):
    def __init__(self, bench):
        self.phone = bench.softphone(texts_to=SIP)

    def say(self, body):
        self.phone.text(body)


def kills(bench, kind):
    name = kind.__name__.lower()
    if hasattr(kind, "server"):
        kind.server(bench)
    desk = Desk(bench, writers=())
    client = kind(bench)
    chance = random.Random()
    into = [f"{OUTSIDE} to {name} {i}" for i in range(TEXTS)]
    source = bench.keep(TextSource(bench.folder, [(OUTSIDE, ALICE, body) for body in into]))
    deaths = sorted(chance.sample(range(1, TEXTS), DEATHS))
    taken, i = [], 0

    def is_taken(body):
        return bool(desk.rows("1", f"body = '{body}'"))
    while len(taken) < TEXTS:
        body, i = f"{name} to {OUTSIDE} {i}", i + 1
        dies = bool(deaths) and len(taken) >= deaths[0]
        client.say(body)
        if dies:
            deaths.pop(0)
            time.sleep(chance.uniform(0, 0.3))
            desk.tandem.kill()
            desk.tandem.start(120)
        end = time.time() + client.patience
        while not is_taken(body) and time.time() < end:
            time.sleep(0.05)
        if is_taken(body):
            taken.append(body)
        check(i < 3 * TEXTS, f"{len(taken)} of {i} texts were taken")
    until(source.is_done, 120, "the carrier to have sent all")
    until(lambda: set(taken) <= {b for _, b in out_of(desk)[0]}, 60, "all texts at the carrier")
    came, names = out_of(desk)
    print(f"{i} written, {i - len(taken)} of them not taken")
    judge(f"{name} to the carrier", set(taken), came, DEATHS, names)
    accepted = source.accepted()
    check(len(accepted) == TEXTS, f"the carrier's texts that were taken: {len(accepted)}")
    until(lambda: accepted <= {b for b, _ in client.heard()}, 60, f"all texts at {name}")
    names = {}
    for body, known in client.heard():
        names.setdefault(body, set()).add(known)
    judge(f"the carrier to {name}", accepted, [(OUTSIDE, b) for b, _ in client.heard() if b in set(into)], DEATHS, names)
