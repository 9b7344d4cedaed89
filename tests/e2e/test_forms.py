# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings by a real client: slixmpp walks through the forms of the gateway (XEP-0050), through both servers."""
import contextlib
import sqlite3

from harness import ALICE, DOMAIN, GATEWAY, check, slow
from peers.person import Person, Refused
from peers.process import until

JID = f"alice@{DOMAIN}"
ELSEWHERE = "+49301234567"
# What is not a choice: the value that is written, by the name of the key
VALUES = {"ring-seconds": "42", "blocked": "+49900*", "location": "geo:52.52,13.40", "forward-always": ELSEWHERE, "forward-busy": ELSEWHERE,
          "forward-no-answer": ELSEWHERE, "forward-unreachable": ELSEWHERE}


def person(bench, account="alice"):
    return bench.keep(Person(account, bench.server.port, DOMAIN))


def rows(bench):
    with contextlib.closing(sqlite3.connect(bench.tandem.database, timeout=10)) as database:
        return database.execute("SELECT key, value FROM settings WHERE user = ? ORDER BY key", (JID,)).fetchall()


def another_value(name, field):
    """(as it is typed, as a form sends it)"""
    if name in VALUES:
        return VALUES[name], VALUES[name]
    if field["type"] == "boolean":
        value = field.get_value() not in (True, "1", "true")
        return ("yes", "1") if value else ("no", "0")
    others = [option["value"] for option in field["options"] if option["value"] != field.get_value()]
    check(others, f"{name}: no value is known for a {field['type']}")
    return others[0], others[0]


def by_cli(bench, _, name, typed, __):
    bench.tandem.ctl("user", "set", JID, f"{name}={typed}")


def by_bot(_, alice, name, typed, __):
    before = len(alice.texts())
    alice.say(GATEWAY, f'user set {name}="{typed}"')
    until(lambda: len(alice.texts()) > before, 15, f"an answer about {name}")


def by_form(_, alice, name, __, filled):
    page = alice.command(GATEWAY, "user-set")
    page = alice.command(GATEWAY, "user-set", "complete", page.session, {name: filled})
    check(page.status == "completed", f"{name}: {page.status}, {page.notes}")


def same_rows(bench):
    bench.gateway()
    alice = person(bench)
    fields = alice.command(GATEWAY, "user-set").fields
    check(len(fields) >= 10, f"the form has {sorted(fields)}")
    trouble = []
    for name, field in fields.items():
        before, left = rows(bench), []
        typed, filled = another_value(name, field)
        for way in (by_cli, by_bot, by_form):
            way(bench, alice, name, typed, filled)
            left.append(rows(bench))
            bench.tandem.ctl("user", "set", JID, f"{name}={dict(before).get(name, '')}")
        if left[0] == before or left.count(left[0]) != 3:
            trouble.append(f"{name}={typed}: {[sorted(set(after) - set(before)) for after in left]}")
    print(f"{len(fields)} settings: {', '.join(fields)}")
    check(not trouble, "\n".join(trouble))


@slow
def test_forms_same_rows_prosody(bench):
    """Each setting that a user may change leaves the row that the command line leaves, by chat and by form."""
    same_rows(bench)


@slow
def test_forms_walk_ejabberd(bench):
    """Forwards and back, a wrong value, cancelled, done; of a user and of an operator."""
    bench.ejabberd()
    bench.gateway(xmpp={"operators": f"carol@{DOMAIN}"})
    alice, carol = person(bench), person(bench, "carol")
    check(set(alice.commands(GATEWAY)) < set(carol.commands(GATEWAY)), "an operator has no more commands than a user")
    page = alice.command(GATEWAY, "forward")
    check(page.status == "executing" and {"when", "number"} <= set(page.fields), f"the form: {page}")
    page = alice.command(GATEWAY, "forward", "complete", page.session, {"when": "busy", "number": "grandma"})
    check(page.status == "executing" and "grandma" in page.notes[0], f"a wrong value: {page}")
    page = alice.command(GATEWAY, "forward", "complete", page.session, {"when": "busy", "number": ELSEWHERE})
    check(page.status == "completed" and ELSEWHERE in page.notes[0], f"the result: {page}")
    check(("forward-busy", ELSEWHERE) in rows(bench), f"the rows: {rows(bench)}")
    page = alice.command(GATEWAY, "number-list")
    check(page.status == "completed" and any(ALICE in row.values() for row in page.rows), f"a table: {page}")
    page = alice.command(GATEWAY, "dnd")
    page = alice.command(GATEWAY, "dnd", "cancel", page.session)
    check(page.status == "canceled", f"cancelled: {page}")
    # an operator: whose settings, then which, and back
    first = carol.command(GATEWAY, "user-set")
    check("next" in first.actions and "jid" in first.fields, f"the first page: {first}")
    second = carol.command(GATEWAY, "user-set", "next", first.session, {"jid": JID})
    check("prev" in second.actions and "max-cost" in second.fields, f"the second page: {second}")
    back = carol.command(GATEWAY, "user-set", "prev", first.session, {"max-cost": "3"})
    check("jid" in back.fields and back.fields["jid"].get_value() == JID, f"back: {back}")
    carol.command(GATEWAY, "user-set", "next", first.session, {"jid": JID})
    page = carol.command(GATEWAY, "user-set", "complete", first.session, {"max-cost": "3"})
    check(page.status == "completed" and ("max-cost", "3") in rows(bench), f"{page}; {rows(bench)}")
    for node, session in (("trunk-list", None), ("dnd", "nobody's")):
        try:
            check(False, f"alice is shown {alice.command(GATEWAY, node, session=session)}")
        except Refused as refused:
            check(refused.condition in ("item-not-found", "not-allowed"), f"{node}: {refused}")
    # a call back, which this client does not take
    page = alice.command(GATEWAY, "test")
    if page.status == "executing":
        page = alice.command(GATEWAY, "test", "complete", page.session, {})
    check("called now" in page.notes[0], f"test: {page}")
    call = until(bench.tandem.calls, 15, "the call back")[0]
    check(call["from"] == JID, f"whose call it is: {call}")
    bench.tandem.ctl("hangup", call["id"])
    print(alice.reads(GATEWAY, "The test call was not taken"))
