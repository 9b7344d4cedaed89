# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dialler in real browsers: the echo test, a telephone, and called by one."""
import re
import signal

from harness import ALICE, DOMAIN, GATEWAY, OUTSIDE, TOP, alone, check, hear, hear_echo
from peers.browser import Chromium, Firefox, SoundCard
from peers.process import until
from peers.stun import Stun
from test_quickstart import Quick
from web import Dialler

SIP = "127.0.0.1:5060"
STATE = "window.dialler && dialler.state"
MAX_LOSS = 0.06  # of frames, not packets: a page records beside all that it does
MORE = "+15555550177"
PHONE, DESKTOP = (390, 844), (1280, 800)


def begin(bench, browser, **settings):
    """The page, logged in as alice."""
    bench.prosody(http_port=5280)
    bench.gateway(**settings)
    web = bench.keep(Dialler(bench.folder / "web", 5280, DOMAIN, GATEWAY, [("alice", "pw")],
                             [("echo", "Echo test"), (OUTSIDE, "A telephone")]))
    page = bench.keep(browser)
    page.open(web.url, web.folder)
    return page


def login(page):
    page.click("connect")
    page.wait(f"{STATE} === 'ready'")


def echo(bench, page):
    page.evaluate("document.querySelector('.contact').click()")
    page.wait(f"{STATE} === 'talking'")
    bench.talk()
    page.click("hangup")
    page.wait(f"{STATE} === 'ready'")
    hear_echo(page, MAX_LOSS)


def out(bench, page, carrier):
    page.type("to", OUTSIDE)
    page.click("call")
    leg = carrier.wait_call()
    leg.ring()
    page.wait(f"{STATE} === 'ringing'")
    leg.answer()
    page.wait(f"{STATE} === 'talking'")
    return leg


def come_in(bench, page, carrier):
    leg = carrier.call(ALICE, SIP, plays="B")
    page.wait(f"{STATE} === 'incoming'")
    leg.wait(180)
    return leg


def hold(bench, page, leg):
    """By the page, then by the telephone."""
    page.click("hold")
    leg.wait_change("sendonly")
    page.wait("document.getElementById('status').innerText === 'On hold'")
    page.click("hold")
    leg.wait_change("sendrecv")
    leg.change("sendonly")
    page.wait("dialler.heldByPeer")
    leg.change("sendrecv")
    page.wait("!dialler.heldByPeer")
    page.click("mute")
    page.wait("dialler.muted && !dialler.stream.getAudioTracks()[0].enabled")
    page.click("mute")


def keys(page, leg, digits="19#"):
    """The key pad, by RFC 4733."""
    for digit in digits:
        page.evaluate("[...document.querySelectorAll('.key')].find(k => k.querySelector('b').innerText === '%s').click()" % digit)
        until(lambda d=digit: d in [k for k, _, _ in leg.line.keys()], 5, f"the digit {digit}")
        page.wait("dialler.session.pc.getSenders()[0].dtmf.toneBuffer === ''")
    until(lambda: leg.line.keys()[-1][1] >= 120, 5, "the end of the last digit")
    heard = [(digit, length) for digit, length, _ in leg.line.keys()]
    print(f"digits heard, with their milliseconds: {heard}")
    check([d for d, _ in heard] == list(digits), f"the digits are {heard}")
    check(all(100 <= length <= 240 for _, length in heard), f"the lengths are {heard}")


def every_call(bench, page, shoot):
    carrier = bench.carrier()
    shoot("login")
    login(page)
    shoot("ready")
    echo(bench, page)

    leg = out(bench, page, carrier)
    bench.talk()
    shoot("talking")
    page.click("hangup")
    leg.wait_end()
    hear(page, leg, MAX_LOSS)

    leg = out(bench, page, carrier)
    hold(bench, page, leg)
    keys(page, leg)
    leg.hangup()
    page.wait(f"{STATE} === 'ready'")

    leg = come_in(bench, page, carrier)
    shoot("incoming")
    shown = page.evaluate("document.getElementById('digits').innerText")
    check(shown == "", f"the keys of the last call are still shown: {shown!r}")
    page.click("answer")
    leg.wait_answer()
    page.wait(f"{STATE} === 'talking'")
    bench.talk()
    leg.hangup()
    page.wait(f"{STATE} === 'ready'")
    hear(page, leg, MAX_LOSS)

    page.type("to", OUTSIDE)
    page.click("call")
    carrier.wait_call().refuse(486)
    page.wait(f"{STATE} === 'ready' && dialler.problem")
    shoot("busy")
    told = page.evaluate("document.getElementById('problem-text').innerText")
    check("busy" in told, f"the page says {told!r}")
    check(page.evaluate("dialler.endedBecause") == "busy", "the reason is not busy")


def pictures(bench, page, sizes):
    """Kept beside the build, whatever becomes of the test's folder."""
    kept = (bench.build or TOP / "build") / "dialler"
    kept.mkdir(parents=True, exist_ok=True)

    def shoot(what):
        for name, (width, height), more in sizes:
            page.screenshot(kept / f"{page.name}-{what}-{name}.png", width, height, **more)
    return shoot


def renominates(bench, page):
    """Nominated by 0xC001 and never by USE-CANDIDATE, as the packets say."""
    with Stun() as stun:
        login(page)
        echo(bench, page)
    print(f"nominations heard: {stun.nominations} by 0xC001, {stun.use_candidate} by USE-CANDIDATE")
    check(stun.nominations > 0, "the browser did not renominate")
    check(stun.use_candidate == 0, f"the browser used USE-CANDIDATE {stun.use_candidate} times")
    # called, it is not the one that nominates; it offered to take our renomination
    leg = come_in(bench, page, bench.carrier())
    page.click("answer")
    leg.wait_answer()
    page.wait(f"{STATE} === 'talking'")
    bench.talk()
    leg.hangup()
    page.wait(f"{STATE} === 'ready'")
    hear(page, leg, MAX_LOSS)


def firefox(bench, **more):
    """It gathers nothing without a sound device."""
    card = bench.keep(SoundCard(bench.folder / "sound"))
    return Firefox(bench.folder, environment=card.env, **more)


@alone
def test_browser_firefox(bench):
    page = begin(bench, firefox(bench))
    every_call(bench, page, pictures(bench, page, [("desktop", DESKTOP, {})]))


@alone
def test_browser_chromium_renomination(bench):
    renominates(bench, begin(bench, Chromium(bench.folder, renomination=True)))


@alone
def test_browser_chromium(bench):
    page = begin(bench, Chromium(bench.folder))
    every_call(bench, page, pictures(bench, page, [("phone", PHONE, {}), ("desktop", DESKTOP, {}),
                                                   ("phone-dark", PHONE, {"dark": True})]))


def reads(page, mine, part):
    """The first text of the open conversation with that in it, as an expression of the page."""
    item = (f"[...document.querySelectorAll('#log .{'mine' if mine else 'theirs'}')]"
            f".find(item => item.textContent.includes({part!r}))")
    page.wait(f"Boolean({item})")
    return item


@alone
def test_browser_texts(bench):
    """The gateway's news, and what cannot be delivered, in words."""
    page = begin(bench, Chromium(bench.folder))
    bench.tandem.ctl("user", "set", f"alice@{DOMAIN}", "account-messages=yes")
    shoot = pictures(bench, page, [("phone", PHONE, {}), ("desktop-dark", DESKTOP, {"dark": True})])
    page.click("connect")
    page.wait(f"{STATE} === 'ready'")
    bench.tandem.ctl("number", "add", MORE, f"alice@{DOMAIN}")
    page.wait("Boolean(document.querySelector('#conversations em'))")
    page.evaluate("document.querySelector('#conversations .contact').click()")
    reads(page, False, "one more telephone number: " + MORE)
    page.click("chat-close")
    page.wait("!document.querySelector('#conversations em')")

    page.type("to", OUTSIDE)
    page.click("write")
    page.type("text", "Are you there?")
    page.click("send")
    mine = reads(page, True, "Are you there?")
    page.wait(f"{mine}.dataset.state === 'failed'")
    said = page.evaluate(f"{mine}.innerText")
    check("not delivered" in said and "text" in said.split("·")[-1], f"the page says {said!r}")
    shoot("texts")


@alone
def test_browser_quickstart(bench):
    """What a newcomer does: the page of ./quickstart, Connect, "Hear yourself"."""
    quick = Quick(bench)
    quick.wait_for("Ctrl-C ends everything", 120)
    url = re.search(r"page +(http\S+)", quick.text())[1]
    page = bench.keep(Chromium(bench.folder))
    page.open(url, bench.folder / "run" / "dialler")
    login(page)
    echo(bench, page)
    quick.process.send_signal(signal.SIGINT)
    status, said = quick.end(30)
    check(status == 130, f"exit status {status}: {said}")
