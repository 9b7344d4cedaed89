# SPDX-License-Identifier: AGPL-3.0-or-later
"""Texts, and everything that may die between two of them.

A row sends numbered texts both ways, does harm meanwhile, and judges by three sentences:
each text that the gateway has taken arrives, the texts of a conversation arrive in order, and
none arrives twice but for the one of each conversation that was on its way at a kill, which
comes again by the same name.  test_texts.py has as much as ./check has time for, texts.py all.
"""
import contextlib
import random
import sqlite3
import subprocess
import threading
import time

from harness import ALICE, BOB, CAROL, DOMAIN, GATEWAY, check
from peers.person import Person
from peers.process import until
from peers.sipp_texts import TextSource, body_of
from peers.text_carrier import HabitualCarrier

WRITERS = ("alice", "bob", "carol")
OWN = dict(zip(WRITERS, (ALICE, BOB, CAROL)))
FAR = [f"+1415555019{digit}" for digit in range(4)]  # contacts of each
WINDOW = 20  # texts of a client that nothing has come of yet


class Desk:
    """A gateway with a carrier that takes texts, and three people who chat."""

    def __init__(self, bench, writers=WRITERS, sink=True, **settings):
        self.bench = bench
        if not bench.server:
            bench.prosody(offline=True)
        settings.setdefault("texts", {"account_a_minute": 100000, "account_a_day": 1000000, "trunk_a_minute": 1000000})
        self.tandem = bench.gateway(**settings)
        self.sink = bench.text_carrier("carrier") if sink else None
        self.people = {w: bench.keep(Person(w, bench.server.port, DOMAIN)) for w in writers}

    def source(self, texts, name="writer"):
        """SIPp sends (from, to, body) as the carrier, one after the other."""
        return self.bench.keep(TextSource(self.bench.folder, texts, name))

    def rows(self, what, where="1"):
        with contextlib.closing(sqlite3.connect(f"file:{self.tandem.database}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(f"SELECT {what} FROM texts WHERE {where}").fetchall()


def conversations(pairs):
    """(conversation, body) … → conversation → its bodies, as they came"""
    found = {}
    for conversation, body in pairs:
        found.setdefault(conversation, []).append(body)
    return found


def judge(what, taken, came, kills, names=None):
    """`taken`: bodies that must arrive; `came`: (conversation, body) as they came; `names`: body → the
    names by which it came, more than one of which is a fault."""
    lost = taken - {body for _, body in came}
    check(not lost, f"{what}: {len(lost)} of {len(taken)} taken texts are lost, such as {sorted(lost)[:3]}")
    twice = 0
    for conversation, bodies in conversations(came).items():
        first = list(dict.fromkeys(bodies))
        numbers = [int(body.rsplit(" ", 1)[1]) for body in first]
        wrong = [f"{a} before {b}" for a, b in zip(numbers, numbers[1:]) if a > b]
        check(not wrong, f"{what}: {conversation} is out of order: {wrong[:3]}")
        repeats = len(bodies) - len(first)
        check(repeats <= kills, f"{what}: {repeats} repeats of {conversation} at {kills} kills")
        twice += repeats
    for body, known in (names or {}).items():
        check(len(known) == 1, f"{what}: {body!r} came by {len(known)} names")
    print(f"{what}: {len(taken)} taken, {len(came)} came, {twice} of them repeats")


def out_of(desk):
    """What has come to the carrier: (conversation, body), and body → its Call-IDs, each with the time of writing, by
    which a carrier knows a text that comes again."""
    came, names = [], {}
    for m in desk.sink.transactions():
        body = body_of(m)
        came.append((body.rsplit(" ", 1)[0], body))
        names.setdefault(body, set()).add((m.call_id, m.header("Date")))
    return came, names


def into(desk):
    """The same of what has come to the clients; one that comes again says when it was written."""
    came, names = [], {}
    for person in desk.people.values():
        for chat in person.texts():
            body = chat.body.rstrip("\r\n")  # SIPp ends its bodies by one
            came.append((body.rsplit(" ", 1)[0], body))
            check(body not in names or chat.delayed, f"{body!r} came again and does not say so")
            names.setdefault(body, set()).add(chat.id)
    return came, names


def write_out(desk, number):
    """Each person writes to each contact in turn, in a thread, until the gateway has taken so many; for what comes
    back, or is lost in a socket, another text is written."""
    def write(name, person):
        i, moved, settled = 0, time.time(), 0
        while True:
            [taken] = desk.rows("count(*)", f"author = '{person.jid}'")
            if taken[0] >= number / len(desk.people):
                return
            now = person.n_settled()
            if now != settled:
                settled, moved = now, time.time()
            # what lay in a socket at a kill is never answered
            if i - settled >= WINDOW and time.time() - moved < 10:
                time.sleep(0.05)
                continue
            for _ in range(WINDOW // 4 if now == settled and not is_away(person) else 1):
                far = FAR[i % len(FAR)]
                person.say(f"{far}@{GATEWAY}", f"{name} to {far} {i}")
                i += 1
            time.sleep(0.5 if is_away(person) else 0.05)
    threads = [threading.Thread(target=write, args=item) for item in desk.people.items()]
    for thread in threads:
        thread.start()
    return threads


def is_away(person):
    """What was said last came back a moment ago."""
    last = next((c for c in reversed(person.chats) if c.type == "error" or c.receipt), None)
    return last is not None and last.type == "error" and time.time() - last.at < 1


def texts_in(number):
    names = list(OWN)
    made = []
    for i in range(number):
        far, name = FAR[i % len(FAR)], names[i // len(FAR) % len(names)]
        made.append((far, OWN[name], f"{far} to {name} {i}"))
    return made


def kills(bench, number, deaths, seed=None):
    """kill -9 at random points while texts go both ways."""
    most_in_sockets = WINDOW * len(WRITERS) * deaths
    chance = random.Random(seed)
    desk = Desk(bench)
    sources = [desk.source([text for text in texts_in(number // 2) if text[0] == far], f"writer{far}") for far in FAR]
    writers = write_out(desk, number // 2)

    def are_done():
        return all(source.is_done() for source in sources)

    def has_come(least):
        [row] = desk.rows("count(*)", "state IN ('SENT', 'DELIVERED')")
        return row[0] >= least or (are_done() and not any(w.is_alive() for w in writers))
    for death in range(deaths):
        until(lambda least=(death + 1) * number // (deaths + 1): has_come(least), 600, "texts on their way")
        time.sleep(chance.uniform(0, 0.3))
        desk.tandem.kill()
        desk.tandem.start(120)
    for writer in writers:
        writer.join()
    until(are_done, 1200, "the carrier to have sent all")
    last = {name: person.say(f"{FAR[0]}@{GATEWAY}", f"{name} to {FAR[0]} {len(person.sent)}") for name, person in desk.people.items()}
    for name, person in desk.people.items():  # what was written before it has been taken, or never will be
        person.wait_received(last[name], 120)

    def settled():
        """Each text has arrived; of the receipts of clients as many may be missing as lay in a socket at a kill."""
        [waiting] = desk.rows("count(*)", "state = 'QUEUED' OR direction = 'out' AND state <> 'DELIVERED'")
        [unconfirmed] = desk.rows("count(*)", "state = 'SENT'")
        return waiting[0] == 0 and unconfirmed[0] <= most_in_sockets
    taken_in = set().union(*(source.accepted() for source in sources))
    taken_out = {row[0] for row in desk.rows("body", "direction = 'out'")}
    check(len(taken_in) + len(taken_out) >= number - len(FAR), f"{len(taken_in)} and {len(taken_out)} texts were taken")
    until(lambda: taken_out <= {b for _, b in out_of(desk)[0]} and taken_in <= {b for _, b in into(desk)[0]}, 120,
          "all texts to arrive")
    sent = {body for person in desk.people.values() for _, _, body in person.sent}
    bounced = {body for person in desk.people.values() for name, _, body in person.sent if name in person.errors()}
    in_sockets = sent - taken_out - bounced
    print(f"{len(bounced)} bounced while the gateway was away; {len(in_sockets)} lay in a socket at a kill")
    both = [(body, str(person.errors()[name].sender), person.errors()[name].condition, person.errors()[name].words)
            for person in desk.people.values() for name, _, body in person.sent if name in person.errors() and body in taken_out]
    check(not both, f"{len(both)} texts bounced and were sent all the same, such as {both[:3]}")
    check(len(in_sockets) <= most_in_sockets, f"{len(in_sockets)} texts lost between the server and the gateway")
    came, names = out_of(desk)
    judge("to the carrier", taken_out, came, deaths, names)
    came, names = into(desk)
    judge("to the clients", taken_in, came, deaths, names)
    until(settled, 30, "no text to wait any more")
    return desk


# --- what else may go wrong ---

def goes_on(desk, what, number, wait=60):
    """Texts both ways, begun now; all that is taken arrives."""
    before = len(desk.sink.transactions()), sum(len(p.texts()) for p in desk.people.values())
    source = desk.source([(one, to, f"{what} {body}") for one, to, body in texts_in(number)], what.replace(" ", "-"))
    names = {}
    for i in range(number):
        for name, person in desk.people.items():
            far = FAR[i % len(FAR)]
            names[person.say(f"{far}@{GATEWAY}", f"{what} {name} to {far} {i}")] = person
    return before, source, names, wait


def arrives(desk, what, state):
    """Judges what goes_on() has begun; how many of the clients' were refused for now."""
    before, source, names, wait = state
    until(source.is_done, wait, "the carrier to have sent all")

    def answered():
        return all(name in person.received() or name in person.errors() for name, person in names.items())
    until(answered, wait, f"{what}: an answer to each text of a client")
    later = {name for name, person in names.items() if name in person.errors()}
    for name in later:
        error = names[name].errors()[name]
        check(error.condition == "resource-constraint", f"{what}: refused as {error.condition}: {error.words}")
    sent = {name: body for person in desk.people.values() for name, _, body in person.sent}
    taken = {sent[name] for name in names if name not in later}
    came, known = out_of(desk)
    came = came[before[0]:]
    judge(f"{what}, to the carrier", taken, came, 0, {b: known[b] for _, b in came})
    refused = {sent[name] for name in later} & {body for _, body in came}
    check(not refused, f"{what}: {len(refused)} texts were refused for now and sent all the same")
    accepted = source.accepted()
    until(lambda: accepted <= {b for _, b in into(desk)[0]}, wait, f"{what}: all texts at the clients")
    came, known = into(desk)
    mine = [(c, b) for c, b in came if b.startswith(what)]
    judge(f"{what}, to the clients", accepted, mine, 0, {b: known[b] for _, b in mine})
    return len(later)


def locked(bench, number, seconds):
    """Another process holds the database: who writes is told to try again, and nothing is lost."""
    desk = Desk(bench)
    with contextlib.closing(sqlite3.connect(desk.tandem.database, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        began = time.time()
        state = goes_on(desk, "locked", number)
        first = until(lambda: next((e for p in desk.people.values() for e in p.errors().values()), None), seconds + 5,
                      "a text to be refused for now")
        print(f"refused after {first.at - began:.1f} s: {first.words}")
        check(1 < first.at - began < 4, "a text is to be refused for now after two seconds")
        time.sleep(max(0, began + seconds - time.time()))
        database.execute("ROLLBACK")
    check(arrives(desk, "locked", state) > 0, "nothing was refused")
    state = goes_on(desk, "free again", number)
    check(arrives(desk, "free again", state) == 0, "texts are refused still")


def full(bench, number, seconds):
    """The same with a full disk."""
    disk = bench.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], check=True)  # the spill file has 8, the log up to 4
    desk = Desk(bench, gateway={"database": disk / "tandem.db"})
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    began = time.time()
    state = goes_on(desk, "full", number)
    until(lambda: any(p.errors() for p in desk.people.values()), seconds + 10, "a text to be refused for now")
    time.sleep(max(0, began + seconds - time.time()))
    filler.unlink()
    arrives(desk, "full", state)
    state = goes_on(desk, "room again", number)
    check(arrives(desk, "room again", state) == 0, "texts are refused still")


def outage(bench, number, seconds):
    """The XMPP server dies: what a carrier sends meanwhile is kept, and arrives after."""
    desk = Desk(bench)
    bench.server.kill()
    source = desk.source(texts_in(number))
    until(source.is_done, 60, "the carrier to have sent all")
    taken = source.accepted()
    check(len(taken) == number, f"{len(taken)} of {number} texts were taken without the XMPP server")
    time.sleep(seconds)
    bench.server.start()
    until(lambda: taken <= {b for _, b in into(desk)[0]}, 60, "all texts to arrive after the outage")
    came, names = into(desk)
    judge("after the outage", taken, came, 1, names)


def carriers(bench):
    """A carrier's habits: what each text becomes."""
    desk = Desk(bench, writers=("alice",), sink=False)
    carrier = bench.keep(HabitualCarrier())
    desk.tandem.provision_trunk(carrier, "carrier", text="message")
    alice, trouble = desk.people["alice"], []

    def row(body, far, judged):
        name = alice.say(f"{far}@{GATEWAY}", body)
        try:
            judged(name)
        except Exception as failure:  # every row is judged
            trouble.append(f"{body}: {failure}")
    rows = [(word, f"+1415555017{i}") for i, word in enumerate(("ok", "twice", "busy", "late", "silent"))]
    for word, far in rows:  # all at once: each is a conversation of its own
        row(f"{word} 1", far, lambda _: None)
        row(f"{word} 2", far, lambda _: None)
    for word, _ in rows:
        patience = 60 if word == "silent" else 30
        last = next(name for name, _, body in alice.sent if body == f"{word} 2")
        try:
            alice.wait_received(last, patience)
            bodies = [b for b in carrier.bodies() if b.split(" ")[0] == word]
            first = list(dict.fromkeys(bodies))
            check(first == [f"{word} 1", f"{word} 2"], f"came in the order {bodies}")
            heard = carrier.wait_text(f"{word} 1")
            check(len({m.call_id for _, m in heard}) == 1, "a repeat has another Call-ID")
            most = {"busy": 3, "silent": 2}.get(word, 1)
            check(len(heard) == most, f"came {len(heard)} times, not {most}")
        except Exception as failure:
            trouble.append(f"{word}: {failure}")
    for status, far in ((404, "+14155550180"), (403, "+14155550181"), (488, "+14155550182"), (603, "+14155550183"),
                        (413, "+14155550184"), (415, "+14155550185")):
        def refused(name, status=status, far=far):
            # as an error to a client that the gateway knows to be on line, else as a line in the chat
            said = until(lambda: alice.errors().get(name) or
                         next((c for c in alice.texts() if c.sender.bare == f"{far}@{GATEWAY}"), None), 20, f"a word about {status}")
            words = said.words or said.body
            print(f"{status}: {said.condition or 'in the chat'}: {words}")
            check("not delivered" in words, f"the words are {words!r}")
            check(carrier.bodies().count(f"{status} x 1") == 1, "it was sent more than once")
        row(f"{status} x 1", far, refused)
    row("accepted 1", "+14155550186", lambda name: carrier.wait_text("accepted 1"))
    until(lambda: desk.rows("state", "body = 'accepted 1'") == [("SENT",)], 10, "SENT in the record of what was accepted")
    check(not trouble, "\n".join(trouble))
