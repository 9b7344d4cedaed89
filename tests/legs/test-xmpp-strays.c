/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-strays.c - tables of what comes from an unexpected device, at an unexpected
 * moment or of an unexpected kind, and what is heard of it.
 *
 * Each row is a call of its own with the real plugin, core and store.
 */
#include "db/store_private.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/xmpp-rig.h"
#include <string.h>

#define LIMITS	       "[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=100\n"
#define FROM(resource) "<message from='alice@example.com" resource "' to='" RIG_US "'"
#define JMI_OF(resource, name) \
	FROM(resource) "><" name " xmlns='urn:xmpp:jingle-message:0' id='$SID'/></message>"

static void
take_sid(void)
{
	g_free(rig.sid);
	rig.sid =
		g_strdup(xml_attribute(xml_child(rig_wait_said("propose"), NULL, "propose"), "id"));
}

static void
jingle(const char *id, const char *resource, const char *action, const char *content)
{
	g_autofree char *text = g_strdup_printf(
		"<iq type='set' id='%s' from='" RIG_USER "%s' to='" RIG_US
		"'><jingle xmlns='urn:xmpp:jingle:1' action='%s' sid='$SID'>%s</jingle></iq>",
		id, resource, action, content);

	rig_play(text);
}

static void
end_call(void)
{
	if (rig.telephone)
		rig_phone_ends(REASON_HANGUP);
	rig_settle();
	rig_goes_offline("a");
	rig_goes_offline("b");
	rig_settle();
	rig_forget();
}

static const char *const conditions[] = {
	"item-not-found",	   "service-unavailable",   "remote-server-not-found",
	"remote-server-timeout",   "recipient-unavailable", "gone",
	"policy-violation",	   "resource-constraint",   "forbidden",
	"feature-not-implemented",
};

/* --- the propose comes back: condition × from whom × when --- */

static const struct {
	const char *name, *before; /* what was said before it */
} moments[] = {
	{ "before anybody rings", NULL },
	{ "a rings", JMI_OF("/a", "ringing") },
	{ "b rings", JMI_OF("/b", "ringing") },
};

static const char *const places[] = { "", "/a" };

static void
come_back(const char *condition, guint place, guint moment)
{
	gboolean ends = place == 0 && moment == 0;
	g_autofree char *error = g_strdup_printf(
		"<message type='error' id='jm-propose-$SID' from='" RIG_USER "%s' to='" RIG_US
		"'><error type='cancel'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
		"</message>",
		places[place], condition);

	g_test_message("%s from %s, %s", condition, place ? "a" : "the account",
		       moments[moment].name);
	rig_comes_online("a", RIG_CAN_MESSAGES);
	rig_comes_online("b", RIG_CAN_MESSAGES);
	rig_phone_calls();
	take_sid();
	if (moments[moment].before)
		rig_play(moments[moment].before);
	rig_play(error);
	rig_settle();
	g_assert_cmpint(rig_hears("hangup"), ==, ends);
	if (!ends) { /* the other one still takes it */
		rig_play(JMI_OF("/b", "proceed"));
		g_assert_cmpstr(xml_attribute(rig_wait_said("session-initiate"), "to"), ==,
				RIG_USER "/b");
	}
	end_call();
}

static void
test_come_back(void)
{
	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(conditions); i++)
		for (guint place = 0; place < G_N_ELEMENTS(places); place++)
			for (guint moment = 0; moment < G_N_ELEMENTS(moments); moment++)
				come_back(conditions[i], place, moment);
	rig_tear_down();
}

/* Our session-initiate comes back: the call is over, with a reason that somebody can read. */
static void
test_offer_comes_back(void)
{
	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(conditions); i++) {
		g_autoptr(CallRecord) record = NULL;

		g_test_message("%s", conditions[i]);
		rig_phone_calls();
		take_sid();
		rig_play(JMI_OF("/a", "proceed"));
		rig_say("<iq type='error' id='%s' from='" RIG_USER "/a' to='" RIG_US
			"'><error type='cancel'><%s "
			"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
			xml_attribute(rig_wait_said("session-initiate"), "id"), conditions[i]);
		rig_wait_heard("hangup");
		rig_settle();
		record = rig_last_record();
		g_assert_nonnull(record->reason);
		g_assert_nonnull(strstr(record->ladder, conditions[i]));
		end_call();
	}
	rig_tear_down();
}

/* --- a called device goes off line, or comes --- */

typedef struct {
	const char *what;
	const char *features[2]; /* of a and b; NULL: none */
	const char *then;	 /* once the session is known */
	gboolean proceeds;	 /* a has sent proceed, and we session-initiate */
	const char *heard;	 /* at last, or NULL: no end */
} GoneRow;

#define GONE(resource) \
	"<presence type='unavailable' from='" RIG_USER resource "' to='gw.example.org'/>"

static const GoneRow gone_rows[] = {
	{ "the only one, without messages",
	  { RIG_CAN_JINGLE },
	  GONE("/a"),
	  FALSE,
	  "hangup:unreachable" },
	{ "both, without messages",
	  { RIG_CAN_JINGLE, RIG_CAN_JINGLE },
	  GONE("/a") GONE("/b"),
	  FALSE,
	  "hangup:unreachable" },
	{ "one of two without messages",
	  { RIG_CAN_JINGLE, RIG_CAN_JINGLE },
	  GONE("/a"),
	  FALSE,
	  NULL },
	{ "without messages, beside one with",
	  { RIG_CAN_JINGLE, RIG_CAN_MESSAGES },
	  GONE("/a"),
	  FALSE,
	  NULL },
	/* it may be woken by what its server keeps for it */
	{ "with messages", { RIG_CAN_MESSAGES }, GONE("/a"), FALSE, NULL },
	{ "a stranger to the call",
	  { RIG_CAN_MESSAGES, RIG_CAN_MESSAGES },
	  GONE("/b"),
	  TRUE,
	  NULL },
	{ "after proceed", { RIG_CAN_MESSAGES }, GONE("/a"), TRUE, "hangup:unreachable" },
};

static void
test_gone(void)
{
	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(gone_rows); i++) {
		const GoneRow *row = &gone_rows[i];

		g_test_message("%s", row->what);
		for (guint k = 0; k < G_N_ELEMENTS(row->features); k++)
			if (row->features[k])
				rig_comes_online(k ? "b" : "a", row->features[k]);
		rig_phone_calls();
		take_sid();
		if (row->proceeds) {
			rig_play(JMI_OF("/a", "proceed"));
			rig_wait_said("session-initiate");
		}
		rig_play(row->then);
		rig_settle();
		g_assert_cmpint(rig_hears("hangup"), ==, row->heard != NULL);
		if (row->heard)
			g_assert_true(rig_hears(row->heard));
		end_call();
	}
	rig_tear_down();
}

/* RFC 6121 8.5.2.1: what is sent to the account is not for a device of negative priority. */
static void
test_priority(void)
{
	static const struct {
		const char *priority;
		gboolean rings;
	} rows[] = { { "-1", FALSE }, { "-128", FALSE }, { "0", TRUE },	 { "127", TRUE },
		     { "", TRUE },    { "x", TRUE },	 { " 5 ", TRUE } };

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *priority =
			g_strdup_printf("<presence from='" RIG_USER "/a' to='gw.example.org'>"
					"<priority>%s</priority></presence>",
					rows[i].priority);

		g_test_message("priority %s", rows[i].priority);
		rig_comes_online("a", RIG_CAN_MESSAGES);
		rig_play(priority);
		rig_settle();
		rig_phone_calls();
		take_sid();
		if (rows[i].rings) {
			rig_wait_heard("ring");
		} else {
			gint64 until = g_get_monotonic_time() + 1300 * 1000;

			while (g_get_monotonic_time() < until)
				rig_settle();
			g_assert_false(rig_hears("ring"));
		}
		end_call();
	}
	rig_tear_down();
}

static gboolean
is_back(gpointer user)
{
	return xmpp_server_is_connected(rig.server);
}

static gboolean
knows_nobody(gpointer user)
{
	g_autofree char *status = plugin_status(&xmpp_plugin);

	return strstr(status, "\ndevices: 0\n") != NULL;
}

/* Who was there before the server went away is there no more until the server says so. */
static void
test_forgotten_with_the_server(void)
{
	rig_set_up(LIMITS);
	rig_comes_online("old", RIG_CAN_MESSAGES);
	xmpp_server_kill(rig.server);
	xmpp_server_listen(rig.server);
	g_assert_true(wait_for(is_back, NULL));
	rig_settle();
	g_assert_true(wait_for(knows_nobody, NULL));
	rig_tear_down();
}

/* The call comes before his presence does: a client that knows no messages rings all the
 * same, once. */
static void
test_called_before_it_is_seen(void)
{
	guint calls = 0;

	rig_set_up(LIMITS);
	rig_comes_online("old", RIG_CAN_JINGLE);
	xmpp_server_kill(rig.server);
	xmpp_server_listen(rig.server);
	g_assert_true(wait_for(is_back, NULL));
	rig_settle();
	rig_forget();
	rig_phone_calls();
	rig_wait_said("propose");
	g_assert_false(rig_hears("ring"));
	rig_say("<presence from='" RIG_USER "/old' to='gw.example.org'/>");
	rig_say("<presence from='" RIG_USER "/old' to='gw.example.org'/>");
	if (!rig_find_said("session-initiate"))
		rig_say("<iq type='result' id='%s' from='" RIG_USER "/old' to='gw.example.org'>"
			"<query xmlns='http://jabber.org/protocol/disco#info'>" RIG_CAN_JINGLE
			"</query></iq>",
			xml_attribute(rig_wait_said("query"), "id"));
	rig_wait_said("session-initiate");
	rig_wait_heard("ring");
	rig_settle();
	for (guint i = 0; i < rig.said->len; i++) {
		const xmlNode *jingle = xml_child(rig.said->pdata[i], NS_JINGLE, "jingle");

		calls += jingle &&
			 g_strcmp0(xml_attribute(jingle, "action"), "session-initiate") == 0;
	}
	g_assert_cmpuint(calls, ==, 1);
	rig_phone_ends(REASON_HANGUP);
	rig_settle();
	rig_tear_down();
}

/* --- what a client says in a call that need not be understood --- */

static void
test_actions(void)
{
#define VIDEO                                                                     \
	"<content creator='initiator' name='v' senders='both'><description "      \
	"xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><payload-type id='96' " \
	"name='VP8' clockrate='90000'/></description><transport "                 \
	"xmlns='urn:xmpp:jingle:transports:ice-udp:1' " RIG_ICE "/></content>"
	static const struct {
		const char *action, *content, *condition; /* NULL: result */
		const char *led_to;			  /* an action of ours, or NULL */
	} rows[] = {
		{ "content-add", VIDEO, NULL, "content-reject" },
		{ "content-accept", VIDEO, NULL, NULL },
		{ "content-reject", VIDEO, NULL, NULL },
		{ "content-remove", VIDEO, NULL, NULL },
		{ "content-modify", "<content creator='initiator' name='0' senders='both'/>", NULL,
		  NULL },
		{ "content-modify", VIDEO, NULL, NULL },
		{ "description-info", RIG_GOOD, NULL, NULL },
		{ "security-info",
		  "<content creator='initiator' name='0'><security "
		  "xmlns='urn:xmpp:jingle:security:stub:0'/></content>",
		  NULL, NULL },
		{ "session-info", "", NULL, NULL },
		{ "session-info", "<ringing xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>", NULL,
		  NULL },
		{ "session-info", "<waving xmlns='urn:example:waving'/>", NULL, NULL },
		{ "transport-replace", RIG_GOOD, NULL, "transport-reject" },
		{ "transport-accept", RIG_GOOD, NULL, NULL },
		{ "transport-reject", RIG_GOOD, NULL, NULL },
		{ "transport-info", "", NULL, NULL },
		{ "transport-info", VIDEO, NULL, NULL },
		{ "session-accept", RIG_GOOD, NULL, NULL },
		{ "session-initiate", RIG_GOOD, NULL, NULL },
		/* XEP-0166 would have an error, at which clients end the call */
		{ "session-sing", RIG_GOOD, NULL, NULL },
	};

	rig_set_up(LIMITS);
	for (guint direction = 0; direction < 2; direction++)
		for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
			XmlStanzaError error;
			const xmlNode *answer;

			g_test_message("%s, %s", direction ? "is called" : "calls", rows[i].action);
			if (direction) {
				rig_phone_calls();
				take_sid();
				rig_play(JMI_OF("/a", "proceed"));
				rig_wait_said("session-initiate");
				jingle("accept", "/a", "session-accept", RIG_GOOD);
				rig_wait_heard("answer");
			} else {
				g_free(rig.sid);
				rig.sid = g_strdup_printf("S%u", ++rig.number);
				jingle("init", "/a", "session-initiate", RIG_GOOD);
				rig_wait_heard("dial");
				rig_phone_answers();
				rig_wait_said("session-accept");
			}
			rig_settle();
			rig_forget();
			jingle("try", "/a", rows[i].action, rows[i].content);
			rig_settle();
			answer = rig_answer_to("try");
			g_assert_nonnull(answer);
			g_assert_cmpint(xml_stanza_error(answer, &error), ==,
					rows[i].condition != NULL);
			g_assert_cmpstr(error.condition, ==, rows[i].condition);
			if (rows[i].led_to)
				rig_wait_said(rows[i].led_to);
			g_assert_false(rig_hears("hangup"));
			g_assert_null(rig_find_said("session-terminate"));
			end_call();
		}
	rig_tear_down();
}

/* --- messages of calls that there are not --- */

/* RFC 6121 8.5.2; XEP-0353: a device that takes a call that is over would wait for ever. */
static void
test_no_such_call(void)
{
	static const struct {
		const char *from, *kind, *answer; /* NULL: none */
	} rows[] = {
		{ RIG_USER "/a", "proceed", "finish" }, { RIG_USER "/a", "ringing", NULL },
		{ RIG_USER "/a", "accept", NULL },	{ RIG_USER "/a", "reject", NULL },
		{ RIG_USER "/a", "retract", NULL },	{ RIG_USER "/a", "finish", NULL },
		{ RIG_USER, "proceed", NULL },		{ "eve@example.net/x", "proceed", NULL },
	};

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const xmlNode *said;

		g_test_message("%s from %s", rows[i].kind, rows[i].from);
		rig_forget();
		rig_say("<message type='chat' from='%s' to='" RIG_US
			"'><%s xmlns='urn:xmpp:jingle-message:0' id='no-such'/></message>",
			rows[i].from, rows[i].kind);
		rig_settle();
		said = rig_find_said("finish");
		g_assert_cmpint(said != NULL, ==, rows[i].answer != NULL);
		g_assert_null(rig_find_said("error"));
		if (!said)
			continue;
		g_assert_cmpstr(xml_attribute(said, "to"), ==, rows[i].from);
		g_assert_cmpstr(xml_attribute(said, "from"), ==, RIG_US);
		g_assert_cmpstr(xml_attribute(xml_child(said, NULL, "finish"), "id"), ==,
				"no-such");
	}
	rig_tear_down();
}

/* --- requests of every form --- */

static void
test_requests(void)
{
	static const struct {
		const char *form, *to, *condition; /* NULL: no answer; "": result */
	} rows[] = {
		{ "<iq type='get' id='q' from='%s' to='%s'/>", RIG_US, "bad-request" },
		{ "<iq type='set' id='q' from='%s' to='%s'/>", "gw.example.org", "bad-request" },
		{ "<iq type='put' id='q' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
		  RIG_US, "bad-request" },
		{ "<iq id='q' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", RIG_US,
		  "bad-request" },
		{ "<iq type='set' id='q' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
		  RIG_US, "service-unavailable" },
		{ "<iq type='set' id='q' from='%s' to='%s'><query "
		  "xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		  RIG_US, "service-unavailable" },
		{ "<iq type='get' id='q' from='%s' to='%s'><jingle xmlns='urn:xmpp:jingle:1' "
		  "action='session-initiate' sid='s'/></iq>",
		  RIG_US, "service-unavailable" },
		{ "<iq type='get' id='q' from='%s' to='%s'><query xmlns='jabber:iq:last'/></iq>",
		  RIG_US, "service-unavailable" },
		{ "<iq type='get' id='q' from='%s' to='%s'><time xmlns='urn:xmpp:time'/></iq>",
		  RIG_US, "service-unavailable" },
		{ "<iq type='get' id='q' from='%s' to='%s'><pubsub "
		  "xmlns='http://jabber.org/protocol/pubsub'><items "
		  "node='urn:xmpp:vcard4'/></pubsub></iq>",
		  RIG_NUMBER, "service-unavailable" },
		{ "<iq type='set' id='q' from='%s' to='%s'><command "
		  "xmlns='http://jabber.org/protocol/commands' node='x'/></iq>",
		  "gw.example.org", "forbidden" },
		{ "<iq type='get' id='q' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>",
		  RIG_NUMBER "/other", "item-not-found" },
		{ "<iq type='result' id='q' from='%s' to='%s'/>", RIG_US, NULL },
		{ "<iq type='error' id='q' from='%s' to='%s'/>", RIG_US, NULL },
	};

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) parts = g_strsplit(rows[i].form, "%s", 3);
		g_autofree char *text =
			g_strconcat(parts[0], RIG_USER "/a", parts[1], rows[i].to, parts[2], NULL);
		XmlStanzaError error;
		const xmlNode *answer;

		g_test_message("%s", text);
		rig_forget();
		rig_say("%s", text);
		rig_settle();
		answer = rig_answer_to("q");
		g_assert_cmpint(answer != NULL, ==, rows[i].condition != NULL);
		if (!answer)
			continue;
		g_assert_true(xml_stanza_error(answer, &error));
		g_assert_cmpstr(error.condition, ==, rows[i].condition);
	}
	rig_tear_down();
}

/* --- the store cannot be read --- */

static void
rename_table(const char *from, const char *to)
{
	g_autofree char *sql = g_strdup_printf("ALTER TABLE %s RENAME TO %s", from, to);

	g_assert_cmpint(sqlite3_exec(rig.store->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

/* All that was said since rig_forget() to her. */
static char *
said(void)
{
	GString *all = g_string_new(NULL);

	rig_find_said("");
	for (guint i = 0; i < rig.said->len; i++) {
		g_autofree char *text = xml_print(rig.said->pdata[i]);

		if (strstr(text, "to=\"" RIG_USER))
			g_string_append(all, text);
	}
	return g_string_free(all, FALSE);
}

/* Nobody is a stranger, and nothing is not there, because the store cannot say that it is:
 * each is told that it is for now, or nothing. */
static void
test_unreadable(void)
{
	static const char *const tables[] = { "users", "numbers", "trunks" };
	static const char WAIT[] = "type=\"wait\"";
	static const struct {
		const char *what, *stanza;
		const char *answer; /* a part of it; NULL: nothing is said */
		gboolean of_trunks; /* the trunks matter, too */
	} rows[] = {
		{ "a text", FROM("/a") " type='chat'><body>hi</body></message>", WAIT, FALSE },
		{ "a text to the gateway",
		  "<message type='chat' from='" RIG_USER "/a' to='gw.example.org'>"
		  "<body>help</body></message>",
		  WAIT, FALSE },
		{ "a propose",
		  FROM("/a") "><propose xmlns='urn:xmpp:jingle-message:0' "
			     "id='$SID'>" RIG_AUDIO "</propose></message>",
		  "<general-error", TRUE },
		{ "a session-initiate",
		  "<iq type='set' id='q' from='" RIG_USER "/a' to='" RIG_US "'><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='$SID'>" RIG_GOOD
		  "</jingle></iq>",
		  "<general-error", TRUE },
		{ "subscribe",
		  "<presence type='subscribe' from='" RIG_USER "' to='" RIG_NUMBER "'/>", NULL,
		  TRUE },
		{ "probe", "<presence type='probe' from='" RIG_USER "' to='" RIG_NUMBER "'/>", NULL,
		  TRUE },
		{ "what a number is",
		  "<iq type='get' id='q' from='" RIG_USER "/a' to='" RIG_US "'><query "
		  "xmlns='http://jabber.org/protocol/disco#info'/></iq>",
		  WAIT, TRUE },
		{ "an address",
		  "<iq type='set' id='q' from='" RIG_USER "/a' to='gw.example.org'><query "
		  "xmlns='jabber:iq:gateway'><prompt>+15555550123</prompt></query></iq>",
		  WAIT, TRUE },
		{ "an account",
		  "<iq type='get' id='q' from='" RIG_USER "/a' to='gw.example.org'><query "
		  "xmlns='jabber:iq:register'/></iq>",
		  WAIT, FALSE },
	};

	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint table = 0; table < G_N_ELEMENTS(tables); table++) {
			g_autofree char *answer = NULL;

			if (strcmp(tables[table], "trunks") == 0 && !rows[i].of_trunks)
				continue;
			g_free(rig.sid);
			rig.sid = g_strdup_printf("s%u%u", i, table);
			rig_settle();
			rig_forget();
			rename_table(tables[table], "gone");
			rig_play(rows[i].stanza);
			rig_settle();
			answer = said();
			rename_table("gone", tables[table]);
			g_test_message("%s without %s: %s", rows[i].what, tables[table], answer);
			g_assert_null(strstr(answer, "own users only"));
			g_assert_null(strstr(answer, "type=\"cancel\""));
			g_assert_null(strstr(answer, "unsubscribed"));
			if (rows[i].answer)
				g_assert_nonnull(strstr(answer, rows[i].answer));
			else
				g_assert_cmpstr(answer, ==, "");
		}
	rig_tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp-strays/come back", test_come_back);
	g_test_add_func("/xmpp-strays/offer comes back", test_offer_comes_back);
	g_test_add_func("/xmpp-strays/gone", test_gone);
	g_test_add_func("/xmpp-strays/priority", test_priority);
	g_test_add_func("/xmpp-strays/forgotten with the server", test_forgotten_with_the_server);
	g_test_add_func("/xmpp-strays/called before it is seen", test_called_before_it_is_seen);
	g_test_add_func("/xmpp-strays/actions", test_actions);
	g_test_add_func("/xmpp-strays/no such call", test_no_such_call);
	g_test_add_func("/xmpp-strays/requests", test_requests);
	g_test_add_func("/xmpp-strays/unreadable", test_unreadable);
	return g_test_run();
}
