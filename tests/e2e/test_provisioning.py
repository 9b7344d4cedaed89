# SPDX-License-Identifier: AGPL-3.0-or-later
"""tandemctl, with the daemon running and not; what it changes holds at once."""
from harness import BOB, CAROL, GATEWAY, OUTSIDE, check

NUMBER = f"{OUTSIDE}@{GATEWAY}"
SIP = "127.0.0.1:5060"
NEW = "+14155550110"

# Wrong words, and what the answer must name
WRONG = [
    (["user", "add", "no jid"], "no jid"),
    (["user", "add", "@localhost"], "@localhost"),
    (["user", "show", "nobody@localhost"], "nobody@localhost"),
    (["user", "add", "alice@localhost"], "alice@localhost"),
    (["number", "add", "555", "alice@localhost"], "555"),
    (["number", "add", NEW, "nobody@localhost"], "nobody@localhost"),
    (["number", "add", BOB, "alice@localhost"], BOB),
    (["number", "del", NEW], NEW),
    (["trunk", "add", "Bad Name", "127.0.0.1"], "Bad Name"),
    (["trunk", "add", "t", "127.0.0.1", "port=99999"], "99999"),
    (["trunk", "add", "t", "127.0.0.1", "transport=pigeon"], "pigeon"),
    (["trunk", "add", "t", "127.0.0.1", "colour=blue"], "colour"),
    (["trunk", "set", "nothere", "port=5060"], "nothere"),
    (["user", "del", "alice@localhost"], "alice@localhost"),
    (["call", "show", "x"], "x"),
    (["call", "show", "123456"], "123456"),
    (["ladder", "123456"], "123456"),
    (["frobnicate"], "frobnicate"),
    (["user"], "user"),
]


def everything(tandem):
    return [tandem.json(what, "list") for what in ("user", "number", "trunk")]


def check_wrong_words(tandem):
    before = everything(tandem)
    failures = []
    for words, named in WRONG:
        done = tandem.ctl(*words, want=None)
        said = done.stdout + done.stderr
        if done.returncode != 2 or named not in said or not said.strip() or done.stdout.strip():
            failures.append(f"tandemctl {' '.join(words)}: exit status {done.returncode}, out {done.stdout!r}, err {done.stderr!r}")
    check(not failures, "\n".join(failures))
    check(everything(tandem) == before, "wrong input has changed something")


def provision_all(tandem):
    """Adds, shows, changes and deletes one of each; leaves alice, bob and carol."""
    tandem.ctl("user", "add", "dave@localhost")
    tandem.ctl("number", "add", NEW, "dave@localhost")
    check("dave@localhost" in tandem.ctl("user", "list").stdout, "the user is not in the list")
    check(NEW in tandem.ctl("user", "show", "dave@localhost").stdout, "the number is not shown with its user")
    check(NEW in tandem.ctl("number", "list").stdout, "the number is not in the list")
    tandem.ctl("trunk", "add", "pbx", "192.0.2.1", "username=u", "password=top-secret")
    tandem.ctl("trunk", "set", "pbx", "port=5080", "enabled=off")
    shown = tandem.ctl("trunk", "show", "pbx").stdout
    check("5080" in shown, f"the change is not shown: {shown}")
    check("top-secret" not in shown + tandem.ctl("--json", "trunk", "show", "pbx").stdout, "the password is shown")
    tandem.ctl("trunk", "del", "pbx")
    tandem.ctl("number", "del", NEW)
    tandem.ctl("user", "del", "dave@localhost")
    check("dave@localhost" not in tandem.ctl("user", "list").stdout, "the user is still there")


def test_provisioning_without_daemon(bench):
    tandem = bench.gateway(start=False)
    tandem.provision_users()
    provision_all(tandem)
    check_wrong_words(tandem)
    # and the daemon finds it all
    tandem.start()
    check(BOB in tandem.ctl("number", "list").stdout, "the daemon does not see what was provisioned before")


def test_provisioning_with_daemon(bench):
    tandem = bench.gateway()
    provision_all(tandem)
    check_wrong_words(tandem)


def test_provisioning_takes_effect_at_once(bench):
    """A number given to another user rings there; a trunk turned off refuses."""
    tandem = bench.gateway()
    carrier = bench.carrier()
    bob, carol = bench.webrtc("bob"), bench.webrtc("carol")

    leg = carrier.call(NEW, SIP)
    leg.wait(404)
    tandem.ctl("number", "add", NEW, "bob@localhost")
    leg = carrier.call(NEW, SIP)
    bob.wait("incoming")
    leg.cancel()
    leg.wait(487)
    bob.wait("ended")

    tandem.ctl("number", "set", NEW, "user=carol@localhost")
    leg = carrier.call(NEW, SIP)
    carol.wait("incoming")
    check(len([e for e in bob.events if e["event"] == "incoming"]) == 1, "the number still rings at bob")
    leg.cancel()
    leg.wait(487)

    tandem.ctl("trunk", "set", "carrier", "enabled=off")
    leg = carrier.call(NEW, SIP)
    leg.wait(403)
    tandem.ctl("trunk", "set", "carrier", "enabled=on")
    leg = carrier.call(CAROL, SIP)
    carol.wait("incoming")
    leg.cancel()
    leg.wait(487)
