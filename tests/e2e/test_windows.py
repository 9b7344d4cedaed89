# SPDX-License-Identifier: AGPL-3.0-or-later
"""The windows of the real Gajim and the real Dino, used by the words in them: a number is added, and
settings are changed by a form.  Pictures are kept in the build folder (windows/)."""
from harness import DOMAIN, GATEWAY, check, slow
from peers.person import Person
from peers.window import Window

AT_HOME, NUMBER = "0171 1234567", "+491711234567"
ADDRESS = f"{NUMBER}@{GATEWAY}"


ROSTER = "jabber:iq:roster"


def begin(bench, **server):
    """Somebody at home in Germany."""
    bench.prosody(**server)
    bench.gateway(gateway={"country": "DE"})
    bench.tandem.ctl("trunk", "add", "carrier", "127.0.0.1", "port=9", "options-seconds=0")
    return bench.build / "windows"


def in_the_roster(bench):
    """What the server has, asked by another client of the account."""
    alice = bench.keep(Person("alice", bench.server.port, DOMAIN))
    roster = alice.ask("get", f"alice@{DOMAIN}", f"<query xmlns='{ROSTER}'/>")
    return [item.get("jid") for item in roster]


def contact_by_gajim(gajim, window):
    """Gajim's code knows how a gateway is asked for an address, and no window of 1.7.3 calls it."""
    gajim.ask_gateway(GATEWAY)
    asked = gajim.wait("prompt")
    check(asked["prompt"] == "Telephone number" and "as it is dialled in your country" in asked["desc"], f"Gajim is asked {asked}")
    gajim.ask_gateway(GATEWAY, "grandma")
    check("grandma" in gajim.wait("prompt")["error"], "Gajim takes a word for a number")
    gajim.ask_gateway(GATEWAY, AT_HOME)
    check(gajim.wait("prompt")["jid"] == ADDRESS, "Gajim got another address")
    window.open("AddContact")
    window.type("Please enter an XMPP address", ADDRESS)
    window.click("Next")
    window.read("Message")
    window.picture("gajim-contact")
    window.click("Add Contact")


def forms_of_gajim(bench, window):
    window.open("AddContact")
    window.type("Please enter an XMPP address", GATEWAY)
    window.click("Next")
    window.read("Telephone gateway (PSTN)")
    window.picture("gajim-gateway")
    window.click("Register")
    window.read("its operator")
    window.picture("gajim-register")
    window.close()
    window.click("Show Commands")
    window.read("Execute")
    window.picture("gajim-commands")
    window.choose("Send calls on to a number")
    window.click("Execute")
    window.choose("busy", "When")
    window.type("Number", NUMBER)
    window.read("Complete")
    window.picture("gajim-forward")
    window.click("Complete")
    window.read("Completed")
    window.picture("gajim-completed")
    user = dict(bench.tandem.json("user", "show", f"alice@{DOMAIN}")["rows"])
    check(user["forward-busy"] == NUMBER, f"the row is {user}")
    window.click("Commands")
    window.choose("Change settings")
    window.click("Execute")
    window.read("Ring seconds")
    window.picture("gajim-settings")
    window.type("Ring seconds", "999")
    window.click("Complete")
    window.read("ring-seconds")
    window.picture("gajim-wrong")
    window.type("Ring seconds", "40")
    window.click("Complete")
    window.read("Completed")
    user = dict(bench.tandem.json("user", "show", f"alice@{DOMAIN}")["rows"])
    check(user["ring-seconds"] == "40", f"the row is {user}")
    window.click("Commands")
    window.choose("Show numbers and settings")
    window.click("Execute")
    window.read(NUMBER)
    window.picture("gajim-show")


def test_windows_gajim(bench):
    folder = begin(bench)
    gajim = bench.gajim()
    window = Window(gajim, folder)
    contact_by_gajim(gajim, window)
    forms_of_gajim(bench, window)
    check(ADDRESS in in_the_roster(bench), "the number is no contact")


@slow
def test_windows_dino(bench):
    """It has no window for gateways and their forms: the address is written as it is."""
    folder = begin(bench, certificate=bench.certificate("localhost")["tls_certificate"])
    dino = bench.dino()
    window = Window(dino, folder)
    window.open("add_chat")
    window.read("Start Conversation")
    window.picture("dino-start")
    window.click("list-add-symbolic")
    window.type("JID", ADDRESS)
    window.read("Add")
    window.picture("dino-contact")
    window.click("Add")
    window.read("Start Conversation")
    window.picture("dino-added")
    check(ADDRESS in in_the_roster(bench), "the number is no contact")
