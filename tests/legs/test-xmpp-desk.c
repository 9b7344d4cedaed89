/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-desk.c - the gateway itself, as a client sees it: a chat, and its commands.
 *
 * Real plugin, core, store and verbs.  XEP-0030, XEP-0050, XEP-0184.
 */
#include <string.h>
#include "b2bua/admin/reception.h"
#include "b2bua/setting.h"
#include "db/store_private.h"
#include "tests/legs/xmpp-rig.h"

#define PHONE  RIG_USER "/phone"
#define DOMAIN "gw.example.org"
#define OSCAR  "oscar@example.com/web"
#define BODY   "to='" DOMAIN "' type='chat'><body>%s</body></message>"

static void
set_up(void)
{
	rig_set_up("[xmpp]\noperators=oscar@example.com\n[limits]\nmax_setup_per_second=100000\n");
	reception_open(rig.gateway);
}

static void
tear_down(void)
{
	reception_close(rig.gateway);
	rig_tear_down();
}

/* --- chat --- */

static const xmlNode *
find_reply(const char *to)
{
	for (guint i = rig.said->len; i-- > 0;) {
		const xmlNode *stanza = rig.said->pdata[i];

		if (xml_is_stanza(stanza, "message") && xml_child(stanza, NULL, "body") &&
		    g_strcmp0(xml_attribute(stanza, "to"), to) == 0)
			return stanza;
	}
	return NULL;
}

/* What the device reads next. */
static const xmlNode *
say(const char *device, const char *text)
{
	const xmlNode *reply;

	rig_forget();
	rig_say("<message id='m' from='%s' " BODY, device, text);
	do {
		rig_settle();
		reply = find_reply(device);
	} while (!reply);
	return reply;
}

static void
assert_reads(const char *device, const char *text, const char *part)
{
	g_autofree char *body = xml_text(xml_child(say(device, text), NULL, "body"));

	g_test_message("%s → %s", text, body);
	g_assert_nonnull(strstr(body, part));
}

static void
test_chat(void)
{
	g_autofree char *forward = NULL;
	const xmlNode *reply;

	set_up();
	reply = say(PHONE, "help");
	g_assert_cmpstr(xml_attribute(reply, "from"), ==, DOMAIN);
	g_assert_cmpstr(xml_attribute(reply, "type"), ==, "chat");
	g_assert_nonnull(xml_child(reply, NS_HINTS, "store"));
	assert_reads(PHONE, "forward busy", "number: the number that gets the calls");
	/* what is no answer is another device's own; what is one is for both */
	assert_reads(RIG_USER "/web", "dnd", "Yes or no");
	assert_reads(RIG_USER "/web", "cancel", "Cancelled");
	assert_reads(RIG_USER "/web", "+49 30 1234567", "go to +49301234567");
	forward = setting_text(rig.store, RIG_USER, SETTING_FORWARD_BUSY);
	g_assert_cmpstr(forward, ==, "+49301234567");
	assert_reads(PHONE, "trunk list", "for the operator");
	assert_reads(OSCAR, "trunk list", "carrier");
	g_assert_true(store_softphone_add(rig.store, "alice", RIG_USER, "correct horse", NULL));
	reply = say(PHONE, "softphone password");
	g_assert_nonnull(xml_child(reply, NS_HINTS, "no-permanent-store"));
	tear_down();
}

static guint
n_replies(void)
{
	guint n = 0;

	for (guint i = 0; i < rig.said->len; i++)
		n += xml_is_stanza(rig.said->pdata[i], "message") &&
		     xml_child(rig.said->pdata[i], NULL, "body");
	return n;
}

/* A client that does not know whether its message came sends it again. */
static void
test_sent_again(void)
{
	static const char password[] =
		"<message id='p' from='" PHONE "' to='" DOMAIN "' type='chat'><body>password</body>"
		"<origin-id xmlns='urn:xmpp:sid:0' id='p'/></message>";

	set_up();
	g_assert_true(store_softphone_add(rig.store, "alice", RIG_USER, "correct horse", NULL));
	rig_forget();
	rig_play(password);
	rig_play(password);
	while (!find_reply(PHONE))
		rig_settle();
	assert_reads(RIG_USER "/web", "number list", "number");
	rig_play(password);
	g_assert_nonnull(say(RIG_USER "/web", "number list"));
	g_assert_cmpuint(n_replies(), ==, 1);
	tear_down();
}

/* What is no order: it is refused as before, or said to be late. */
static void
test_no_order(void)
{
	static const struct {
		const char *stanza, *condition; /* NULL: no answer at all */
	} rows[] = {
		{ "<message id='n' from='mallory@example.net/x' to='gw.example.org' type='chat'>"
		  "<body>help</body></message>",
		  "service-unavailable" },
		{ "<message id='n' from='alice@example.com/phone' to='gw.example.org' type='chat'>"
		  "<body>You cannot read this</body><encrypted xmlns='"
		  "eu.siacs.conversations.axolotl'><payload/></encrypted></message>",
		  "not-acceptable" },
		{ "<message id='n' from='alice@example.com/phone' to='gw.example.org' "
		  "type='groupchat'><body>help</body></message>",
		  "service-unavailable" },
		{ "<message id='n' from='alice@example.com/phone' to='gw.example.org' "
		  "type='headline'><body>help</body></message>",
		  NULL },
		{ "<message id='n' from='alice@example.com/phone' to='gw.example.org' "
		  "type='error'><body>help</body></message>",
		  NULL },
	};

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const xmlNode *answer = NULL;

		rig_forget();
		rig_play(rows[i].stanza);
		rig_settle();
		for (guint n = 0; n < rig.said->len; n++)
			if (xml_is_stanza(rig.said->pdata[n], "message") &&
			    g_strcmp0(xml_attribute(rig.said->pdata[n], "type"), "error") == 0)
				answer = rig.said->pdata[n];
		g_test_message("row %u", i);
		g_assert_true(!answer == !rows[i].condition);
		if (answer)
			g_assert_nonnull(xml_child(xml_child(answer, NULL, "error"), NS_STANZAS,
						   rows[i].condition));
	}
	rig_forget();
	rig_play("<message id='n' from='alice@example.com/phone' to='gw.example.org' type='chat'>"
		 "<body>dnd yes</body><delay xmlns='urn:xmpp:delay' "
		 "stamp='2020-01-01T00:00:00Z'/></message>");
	rig_settle();
	g_assert_nonnull(find_reply(PHONE));
	g_assert_false(setting_on(rig.store, RIG_USER, SETTING_DO_NOT_DISTURB));
	tear_down();
}

/* --- commands --- */

static const xmlNode *
ask(const char *from, const char *type, const char *child)
{
	static guint number;
	g_autofree char *id = g_strdup_printf("c%u", ++number);
	const xmlNode *answer;

	rig_say("<iq type='%s' id='%s' from='%s' to='" DOMAIN "'>%s</iq>", type, id, from, child);
	do
		rig_settle();
	while (!(answer = rig_answer_to(id)));
	return answer;
}

static guint
count_items(const char *from)
{
	const xmlNode *answer =
		ask(from, "get", "<query xmlns='" NS_DISCO_ITEMS "' node='" NS_COMMANDS "'/>");
	const xmlNode *query = xml_child(answer, NS_DISCO_ITEMS, "query");
	guint n = 0;

	for (const xmlNode *item = xml_child(query, NULL, "item"); item;
	     item = xml_next(item, NULL, "item")) {
		g_assert_cmpstr(xml_attribute(item, "jid"), ==, DOMAIN);
		g_assert_nonnull(xml_attribute(item, "node"));
		n++;
	}
	return n;
}

static gboolean
has_identity(const xmlNode *answer, const char *category, const char *type)
{
	const xmlNode *query = xml_child(answer, NS_DISCO_INFO, "query");

	for (const xmlNode *one = xml_child(query, NULL, "identity"); one;
	     one = xml_next(one, NULL, "identity"))
		if (g_strcmp0(xml_attribute(one, "category"), category) == 0 &&
		    g_strcmp0(xml_attribute(one, "type"), type) == 0)
			return TRUE;
	return FALSE;
}

#define INFO(node) "<query xmlns='" NS_DISCO_INFO "' node='" node "'/>"

static void
test_disco(void)
{
	const xmlNode *answer;
	guint alices;

	set_up();
	answer = ask(PHONE, "get", "<query xmlns='" NS_DISCO_INFO "'/>");
	g_assert_true(has_identity(answer, "gateway", "pstn"));
	g_assert_true(has_identity(answer, "client", "bot"));
	alices = count_items(PHONE);
	g_assert_cmpuint(alices, >=, 12);
	g_assert_cmpuint(count_items(OSCAR), >, alices);
	g_assert_true(
		has_identity(ask(PHONE, "get", INFO(NS_COMMANDS)), "automation", "command-list"));
	g_assert_true(has_identity(ask(PHONE, "get", INFO("dnd")), "automation", "command-node"));
	g_assert_cmpstr(xml_attribute(ask(PHONE, "get", INFO("trunk-list")), "type"), ==, "error");
	g_assert_cmpstr(xml_attribute(ask("m@example.net/x", "get", INFO("dnd")), "type"), ==,
			"error");
	tear_down();
}

static const xmlNode *
command_of(const xmlNode *answer)
{
	return xml_child(answer, NS_COMMANDS, "command");
}

#define COMMAND(more, inside) "<command xmlns='" NS_COMMANDS "' " more ">" inside "</command>"

static void
test_form(void)
{
	g_autofree char *session = NULL, *submit = NULL, *wrong = NULL;
	const xmlNode *command, *form;

	set_up();
	command = command_of(ask(PHONE, "set", COMMAND("node='dnd' action='execute'", "")));
	g_assert_cmpstr(xml_attribute(command, "status"), ==, "executing");
	session = g_strdup(xml_attribute(command, "sessionid"));
	form = xml_child(command, NS_DATA, "x");
	g_assert_cmpstr(xml_attribute(form, "type"), ==, "form");
	g_assert_cmpstr(xml_attribute(xml_child(form, NS_DATA, "field"), "var"), ==, "state");
	g_assert_nonnull(xml_child(xml_child(form, NS_DATA, "field"), NS_DATA, "required"));
	wrong = g_strdup_printf(COMMAND("node='dnd' sessionid='%s'",
					"<x xmlns='" NS_DATA "' type='submit'><field var='state'>"
					"<value>perhaps</value></field></x>"),
				session);
	command = command_of(ask(PHONE, "set", wrong));
	g_assert_cmpstr(xml_attribute(command, "status"), ==, "executing");
	g_assert_cmpstr(xml_attribute(xml_child(command, NULL, "note"), "type"), ==, "error");
	submit = g_strdup_printf(COMMAND("node='dnd' sessionid='%s' action='complete'",
					 "<x xmlns='" NS_DATA "' type='submit'><field var='state'>"
					 "<value>1</value></field></x>"),
				 session);
	/* the session is the device's */
	g_assert_cmpstr(xml_attribute(ask(OSCAR, "set", submit), "type"), ==, "error");
	command = command_of(ask(PHONE, "set", submit));
	g_assert_cmpstr(xml_attribute(command, "status"), ==, "completed");
	g_assert_cmpstr(xml_attribute(command, "sessionid"), ==, session);
	g_assert_true(setting_on(rig.store, RIG_USER, SETTING_DO_NOT_DISTURB));
	g_assert_cmpstr(xml_attribute(ask(PHONE, "set", submit), "type"), ==, "error");
	/* a table, at once */
	command = command_of(ask(PHONE, "set", COMMAND("node='number-list'", "")));
	g_assert_cmpstr(xml_attribute(command, "status"), ==, "completed");
	g_assert_nonnull(xml_child(xml_child(command, NS_DATA, "x"), NS_DATA, "item"));
	tear_down();
}

static void
test_refused(void)
{
	static const struct {
		const char *from, *child, *condition;
	} rows[] = {
		{ "m@example.net/x", COMMAND("node='dnd'", ""), "forbidden" },
		{ PHONE, COMMAND("node='trunk-list'", ""), "item-not-found" },
		{ PHONE, COMMAND("node='nothing'", ""), "item-not-found" },
		{ PHONE, COMMAND("node='dnd' action='jump'", ""), "bad-request" },
		{ PHONE, COMMAND("node='dnd'", "<x xmlns='" NS_DATA "' type='result'/>"),
		  "bad-request" },
		{ PHONE, COMMAND("node='dnd' sessionid='old' action='complete'", ""),
		  "not-allowed" },
		{ PHONE, COMMAND("node='dnd' sessionid='old' action='cancel'", ""), "not-allowed" },
	};

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const xmlNode *answer = ask(rows[i].from, "set", rows[i].child);

		g_test_message("%s", rows[i].child);
		g_assert_nonnull(
			xml_child(xml_child(answer, NULL, "error"), NS_STANZAS, rows[i].condition));
	}
	tear_down();
}

/* Who is no user as far as can be read is told to come again; an operator is served. */
static void
test_unreadable(void)
{
	static const struct {
		const char *from, *type, *child;
		gboolean served;
	} rows[] = {
		{ PHONE, "set", COMMAND("node='dnd'", ""), FALSE },
		{ PHONE, "get", "<query xmlns='" NS_DISCO_ITEMS "' node='" NS_COMMANDS "'/>",
		  FALSE },
		{ PHONE, "get", "<query xmlns='" NS_DISCO_INFO "' node='dnd'/>", FALSE },
		{ OSCAR, "set", COMMAND("node='dnd'", ""), TRUE },
		{ OSCAR, "set", COMMAND("node='status'", ""), TRUE },
	};

	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	set_up();
	g_assert_cmpint(
		sqlite3_exec(rig.store->db, "ALTER TABLE users RENAME TO gone", NULL, NULL, NULL),
		==, SQLITE_OK);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const xmlNode *answer = ask(rows[i].from, rows[i].type, rows[i].child);
		XmlStanzaError error = { 0 };

		g_test_message("%s %s", rows[i].from, rows[i].child);
		g_assert_cmpint(xml_stanza_error(answer, &error), ==, !rows[i].served);
		if (!rows[i].served)
			g_assert_cmpstr(error.type, ==, "wait");
	}
	tear_down();
}

/* The desk, and then the plugin, go while a command is under way. */
static void
test_goes_away(void)
{
	set_up();
	for (guint i = 0; i < 3; i++)
		rig_say("<iq type='set' id='g%u' from='" PHONE "' to='" DOMAIN "'>"
			"<command xmlns='" NS_COMMANDS "' node='usage' action='execute'/></iq>",
			i);
	rig_say("<message from='" PHONE "' " BODY, "calls");
	rig_settle();
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp-desk/chat", test_chat);
	g_test_add_func("/xmpp-desk/sent-again", test_sent_again);
	g_test_add_func("/xmpp-desk/no-order", test_no_order);
	g_test_add_func("/xmpp-desk/disco", test_disco);
	g_test_add_func("/xmpp-desk/form", test_form);
	g_test_add_func("/xmpp-desk/refused", test_refused);
	g_test_add_func("/xmpp-desk/goes-away", test_goes_away);
	g_test_add_func("/xmpp-desk/unreadable", test_unreadable);
	return g_test_run();
}
