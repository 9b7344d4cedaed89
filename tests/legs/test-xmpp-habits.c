/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-habits.c - tables of what clients and servers do, and what a person and the
 * telephone hear of it.
 *
 * Each row is a call of its own with the real plugin, core and store.
 */
#include "tests/legs/plugin-status.h"
#include "tests/legs/xmpp-rig.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMITS "[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=100\n"

/* The session that the row is about. */
static void G_GNUC_PRINTF(2, 3) take_sid(const char *name, const char *format, ...)
{
	const xmlNode *said = rig_wait_said(name);
	const xmlNode *element = xml_child(said, NULL, name);

	g_free(rig.sid);
	rig.sid = g_strdup(element ? xml_attribute(element, "id")
				   : xml_attribute(xml_child(said, NS_JINGLE, "jingle"), "sid"));
	(void)format;
}

static void
new_sid(void)
{
	g_free(rig.sid);
	rig.sid = g_strdup_printf("S%u", ++rig.number);
}

static void
end_call(void)
{
	if (rig.telephone)
		rig_phone_ends(REASON_HANGUP);
	rig_settle();
}

/* --- he is called: who rings, and who does not --- */

#define PRESENT	       "alice@example.com/"
#define FROM(resource) "<message from='alice@example.com" resource "' to='" RIG_US "'"
#define JMI_OF(resource, name) \
	FROM(resource) "><" name " xmlns='urn:xmpp:jingle-message:0' id='$SID'/></message>"
#define RECEIPT(resource) \
	FROM(resource) "><received xmlns='urn:xmpp:receipts' id='jm-propose-$SID'/></message>"
#define ERROR_FROM(jid, payload, condition)                                                  \
	"<message type='error' id='jm-propose-$SID' from='" jid "' to='" RIG_US "'>" payload \
	"<error type='cancel'><" condition                                                   \
	" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"                             \
	"</message>"
#define PAYLOAD "<propose xmlns='urn:xmpp:jingle-message:0' id='$SID'/>"
#define BARE	"alice@example.com"

typedef struct {
	const char *what;
	const char *features[2]; /* of clients "a" and "b"; NULL: none; "?": it does not say */
	const char *then;	 /* what is said when the propose has left; NULL: nothing */
	const char *heard;	 /* by the telephone, at last */
} RingRow;

static const RingRow rings[] = {
	/* a client that rings, in each of its ways of not saying so */
	{ "Dino: nothing at all", { RIG_CAN_MESSAGES }, NULL, "ring" },
	{ "ringing", { RIG_CAN_MESSAGES }, JMI_OF("/a", "ringing"), "ring" },
	{ "ringing of a client that hides", { NULL }, JMI_OF("/a", "ringing"), "ring" },
	{ "a receipt alone", { NULL }, RECEIPT("/a"), "ring" },
	{ "a receipt of one that takes no calls",
	  { RIG_CAN_CHAT, RIG_CAN_MESSAGES },
	  RECEIPT("/a"),
	  "ring" },
	{ "only Jingle, not even a result", { RIG_CAN_JINGLE }, NULL, "ring" },
	/* nobody who could */
	{ "Gajim 2 alone", { RIG_CAN_CHAT }, NULL, "hangup:unreachable" },
	{ "two of them", { RIG_CAN_CHAT, RIG_CAN_CHAT }, NULL, "hangup:unreachable" },
	{ "Gajim beside Dino", { RIG_CAN_CHAT, RIG_CAN_MESSAGES }, NULL, "ring" },
	/* the server's errors: with the propose, without, in its own name, in all its words */
	{ "error with the propose",
	  { NULL },
	  ERROR_FROM(BARE, PAYLOAD, "service-unavailable"),
	  "hangup:unreachable" },
	{ "error without it",
	  { NULL },
	  ERROR_FROM(BARE, "", "service-unavailable"),
	  "hangup:unreachable" },
	{ "in the server's name",
	  { NULL },
	  ERROR_FROM("example.com", "", "service-unavailable"),
	  "hangup:unreachable" },
	{ "no such account",
	  { NULL },
	  ERROR_FROM(BARE, "", "item-not-found"),
	  "hangup:unreachable" },
	{ "no such server",
	  { NULL },
	  ERROR_FROM(BARE, "", "remote-server-not-found"),
	  "hangup:unreachable" },
	{ "a silent server",
	  { NULL },
	  ERROR_FROM(BARE, "", "remote-server-timeout"),
	  "hangup:unreachable" },
	{ "messages are blocked",
	  { NULL },
	  ERROR_FROM(BARE, "", "forbidden"),
	  "hangup:unreachable" },
	{ "error of nobody's words",
	  { NULL },
	  ERROR_FROM(BARE, "", "bananas"),
	  "hangup:unreachable" },
	{ "known to be on line, and bounced",
	  { RIG_CAN_MESSAGES },
	  ERROR_FROM(BARE, "", "service-unavailable"),
	  "hangup:unreachable" },
	/* errors of one device */
	{ "the only one will not",
	  { RIG_CAN_MESSAGES },
	  ERROR_FROM(BARE "/a", "", "service-unavailable"),
	  "hangup:unreachable" },
	{ "one will not, the other rings",
	  { RIG_CAN_MESSAGES, RIG_CAN_MESSAGES },
	  ERROR_FROM(BARE "/a", PAYLOAD, "feature-not-implemented") JMI_OF("/b", "ringing"),
	  "ring" },
	{ "one will not, the other says nothing",
	  { RIG_CAN_MESSAGES, RIG_CAN_MESSAGES },
	  ERROR_FROM(BARE "/a", PAYLOAD, "service-unavailable"),
	  "ring" },
	{ "neither will",
	  { RIG_CAN_MESSAGES, RIG_CAN_MESSAGES },
	  ERROR_FROM(BARE "/a", "", "service-unavailable")
		  ERROR_FROM(BARE "/b", "", "service-unavailable"),
	  "hangup:unreachable" },
	{ "the other rang first",
	  { RIG_CAN_MESSAGES, RIG_CAN_MESSAGES },
	  JMI_OF("/b", "ringing") ERROR_FROM(BARE "/a", "", "service-unavailable"),
	  "ring" },
	{ "hidden ones: one will not, another rings",
	  { NULL },
	  ERROR_FROM(BARE "/a", "", "service-unavailable") JMI_OF("/b", "ringing"),
	  "ring" },
	{ "hidden ones: one will not, no other",
	  { NULL },
	  ERROR_FROM(BARE "/a", "", "service-unavailable"),
	  "hangup:unreachable" },
	/* strangers */
	{ "a stranger's words are nobody's",
	  { RIG_CAN_MESSAGES },
	  ERROR_FROM("eve@example.net", "", "service-unavailable")
		  ERROR_FROM("example.net", PAYLOAD,
			     "service-unavailable") "<message from='eve@example.net/x' to='" RIG_US
						    "'><reject xmlns='urn:xmpp:jingle-message:0' "
						    "id='$SID'/></message>",
	  "ring" },
};

static void
come_online(const RingRow *row)
{
	static const char *const names[] = { "a", "b" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (row->features[i])
			rig_comes_online(names[i], row->features[i]);
}

static void
test_rings(void)
{
	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rings); i++) {
		const RingRow *row = &rings[i];
		gint64 began;

		g_test_message("%s", row->what);
		come_online(row);
		rig_phone_calls();
		began = g_get_monotonic_time();
		if (row->then) {
			take_sid("propose", "%s", row->what);
			rig_play(row->then);
		}
		rig_wait_heard(row->heard);
		if (!strstr(row->what, "hidden ones"))
			g_assert_cmpint(g_get_monotonic_time() - began, <, 2 * G_USEC_PER_SEC);
		rig_settle();
		g_assert_cmpint(rig_hears("hangup"), ==, g_str_has_prefix(row->heard, "hangup"));
		end_call();
		rig_goes_offline("a");
		rig_goes_offline("b");
		rig_settle();
		rig_forget();
	}
	rig_tear_down();
}

/* What a client can is told after it was called. */
static void
test_rings_when_known(void)
{
	static const struct {
		const char *features, *heard;
	} rows[] = { { RIG_CAN_CHAT, "hangup:unreachable" }, { RIG_CAN_MESSAGES, "ring" } };

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *id = NULL;

		rig_say("<presence from='" PRESENT "a' to='gw.example.org'/>");
		id = g_strdup(xml_attribute(rig_wait_said("query"), "id"));
		rig_phone_calls();
		take_sid("propose", " ");
		g_assert_false(rig_hears("ring"));
		rig_say("<iq type='result' id='%s' from='" PRESENT "a' to='gw.example.org'><query "
			"xmlns='http://jabber.org/protocol/disco#info'>%s</query></iq>",
			id, rows[i].features);
		rig_wait_heard(rows[i].heard);
		end_call();
		rig_goes_offline("a");
		rig_settle();
		rig_forget();
	}
	rig_tear_down();
}

/* A client that takes calls without encryption only is never called.  The person, the record and
 * the ladder say which of the two it is: that, or a client that takes no calls at all. */
static void
test_unencrypted(void)
{
	static const struct {
		const char *what, *features[2], *missed, *ladder; /* NULL: not said */
		gboolean late; /* what "a" can is told after the call has begun */
	} rows[] = {
		{ "Gajim 1.9",
		  { RIG_CAN_PLAIN },
		  "without encryption",
		  "/a takes only calls without",
		  FALSE },
		{ "it says so late",
		  { RIG_CAN_PLAIN },
		  "without encryption",
		  "/a takes only calls without",
		  TRUE },
		{ "beside Gajim 2",
		  { RIG_CAN_PLAIN, RIG_CAN_CHAT },
		  "without encryption",
		  "/a takes only calls without",
		  FALSE },
		{ "beside Dino",
		  { RIG_CAN_PLAIN, RIG_CAN_MESSAGES },
		  NULL,
		  "/a takes only calls without",
		  FALSE },
		{ "Gajim 2", { RIG_CAN_CHAT }, "that is on line takes calls", NULL, FALSE },
	};

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(CallRecord) record = NULL;
		g_autofree char *id = NULL, *words = NULL;

		g_test_message("%s", rows[i].what);
		if (rows[i].features[1])
			rig_comes_online("b", rows[i].features[1]);
		if (rows[i].late) {
			rig_say("<presence from='" PRESENT "a' to='gw.example.org'/>");
			id = g_strdup(xml_attribute(rig_wait_said("query"), "id"));
		} else {
			rig_comes_online("a", rows[i].features[0]);
		}
		rig_phone_calls();
		if (rows[i].late) {
			rig_wait_said("propose");
			rig_say("<iq type='result' id='%s' from='" PRESENT
				"a' to='gw.example.org'><query "
				"xmlns='http://jabber.org/protocol/disco#info'>%s</query></iq>",
				id, rows[i].features[0]);
		}
		rig_wait_heard(rows[i].missed ? "hangup:unreachable" : "ring");
		g_assert_null(rig_find_said("session-initiate"));
		end_call();
		record = rig_last_record();
		g_assert_cmpint(strstr(record->ladder, "takes only calls without encryption") !=
					NULL,
				==, rows[i].ladder != NULL);
		if (rows[i].ladder)
			g_assert_nonnull(strstr(record->ladder, rows[i].ladder));
		if (rows[i].missed) {
			words = rig_last_text();
			g_assert_cmpstr(record->ended_by, ==, "gateway");
			g_assert_nonnull(strstr(record->text, rows[i].missed));
			g_assert_nonnull(words);
			g_assert_nonnull(strstr(words, "None of your phones rang: "));
			g_assert_nonnull(strstr(words, rows[i].missed));
		}
		rig_goes_offline("a");
		rig_goes_offline("b");
		rig_settle();
		rig_forget();
	}
	rig_tear_down();
}

/* --- ends: state × who × how --- */

typedef enum {
	PROPOSED,
	PROCEEDED,
	OFFERED,
	TALKING_JMI,
	TALKING,
	RINGING,
	CALLED,
	N_STATES
} State;

static const char *const state_names[N_STATES] = {
	[PROPOSED] = "proposed",	 [PROCEEDED] = "proceeded", [OFFERED] = "offered",
	[TALKING_JMI] = "talking (JMI)", [TALKING] = "talking",	    [RINGING] = "is called",
	[CALLED] = "has been called",
};

static const char *const speakers[] = {
	"alice@example.com/a", "alice@example.com/new", "alice@example.com",
	"bob@example.com/a",   "example.com",
};
#define N_KNOWING 3 /* the first: the device, another of the account, the account */

static void
client_proposes(void)
{
	new_sid();
	rig_play("<message from='" PRESENT "a' to='" RIG_NUMBER "'><propose "
		 "xmlns='urn:xmpp:jingle-message:0' id='$SID'>" RIG_AUDIO "</propose></message>");
	rig_wait_heard("dial");
}

static void
client_initiates(const char *content)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text,
			"<iq type='set' id='init%u' from='" PRESENT "a' to='" RIG_US
			"'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' "
			"sid='$SID'>%s</jingle></iq>",
			++rig.number, content);
	rig_play(text->str);
	g_string_free(text, TRUE);
}

static void
client_accepts(const char *content)
{
	GString *text = g_string_new(NULL);

	rig_play(JMI_OF("/a", "proceed"));
	rig_wait_said("session-initiate");
	g_string_printf(text,
			"<iq type='set' id='accept%u' from='" PRESENT "a' to='" RIG_US
			"'><jingle xmlns='urn:xmpp:jingle:1' action='session-accept' "
			"sid='$SID'>%s</jingle></iq>",
			++rig.number, content);
	rig_play(text->str);
	g_string_free(text, TRUE);
}

static void
bring_to(State state)
{
	if (state == PROPOSED || state == PROCEEDED || state == TALKING_JMI) {
		client_proposes();
		if (state == PROPOSED)
			return;
		rig_phone_answers();
		rig_wait_said("proceed");
		if (state == PROCEEDED)
			return;
		client_initiates(RIG_GOOD);
		rig_wait_said("session-accept");
	} else if (state == OFFERED || state == TALKING) {
		new_sid();
		client_initiates(RIG_GOOD);
		rig_wait_heard("dial");
		if (state == OFFERED)
			return;
		rig_phone_answers();
		rig_wait_said("session-accept");
	} else {
		rig_phone_calls();
		take_sid("propose", " ");
		if (state == RINGING)
			return;
		client_accepts(RIG_GOOD);
		rig_wait_heard("answer");
	}
}

typedef enum {
	BY_SID,
	BY_OTHER_SID,
	WITHOUT_SID,
	RETRACT,
	REJECT,
	FINISH,
	RETRACT_WITHOUT_ID,
	REMOVE,
	OFFLINE,
	N_HOWS
} How;

static const struct {
	const char *name, *text; /* of a message or iq from %s */
} hows[N_HOWS] = {
#define TERMINATE(attributes)                                                                  \
	"<iq type='set' id='end' from='%s' to='" RIG_US "'><jingle xmlns='urn:xmpp:jingle:1' " \
	"action='session-terminate'" attributes "><reason><success/></reason></jingle></iq>"
#define MESSAGE(name, attributes)                   \
	"<message from='%s' to='" RIG_US "'><" name \
	" xmlns='urn:xmpp:jingle-message:0'" attributes "/></message>"
	[BY_SID] = { "session-terminate", TERMINATE(" sid='$SID'") },
	[BY_OTHER_SID] = { "session-terminate of nothing", TERMINATE(" sid='$SID.'") },
	[WITHOUT_SID] = { "session-terminate without a sid", TERMINATE("") },
	[RETRACT] = { "retract", MESSAGE("retract", " id='$SID'") },
	[REJECT] = { "reject", MESSAGE("reject", " id='$SID'") },
	[FINISH] = { "finish", MESSAGE("finish", " id='$SID'") },
	[RETRACT_WITHOUT_ID] = { "retract without an id", MESSAGE("retract", "") },
	[REMOVE] = { "content-remove",
		     "<iq type='set' id='end' from='%s' to='" RIG_US "'><jingle "
		     "xmlns='urn:xmpp:jingle:1' action='content-remove' sid='$SID'>"
		     "<content creator='initiator' name='0'/></jingle></iq>" },
	[OFFLINE] = { "unavailable",
		      "<presence type='unavailable' from='%s' to='gw.example.org'/>" },
};

static gboolean
is_setting_up(State state)
{
	return state == PROPOSED || state == PROCEEDED || state == OFFERED;
}

/* What is right: XEP-0166 6.4 and 7.2, XEP-0353, and a person who wants to hang up. */
static gboolean
ends_it(State state, guint who, How how)
{
	gboolean same = who == 0, knows = who < N_KNOWING;

	switch (how) {
	case BY_SID:
	case REJECT:
		return knows;
	case RETRACT:
	case FINISH:
		return knows && state != RINGING;
	case WITHOUT_SID:
	case RETRACT_WITHOUT_ID:
	case OFFLINE:
		return same && is_setting_up(state);
	case REMOVE:
		return same && (state == OFFERED || state == TALKING || state == TALKING_JMI ||
				state == CALLED);
	default:
		return FALSE;
	}
}

static void
check_answer(gboolean ends, How how)
{
	const xmlNode *answer = rig_answer_to("end");
	XmlStanzaError error;

	if (how != BY_SID && how != BY_OTHER_SID && how != WITHOUT_SID && how != REMOVE) {
		g_assert_null(answer);
		return;
	}
	g_assert_nonnull(answer);
	if (ends) {
		g_assert_cmpstr(xml_attribute(answer, "type"), ==, "result");
	} else {
		g_assert_true(xml_stanza_error(answer, &error));
		g_assert_cmpstr(error.condition, ==, "item-not-found");
		g_assert_cmpstr(error.special, ==, "unknown-session");
	}
}

static void
try_end(State state, guint who, How how)
{
	g_autofree char *text = g_strdup(hows[how].text), *from = NULL;
	g_auto(GStrv) halves = g_strsplit(hows[how].text, "%s", 2);
	gboolean ends = ends_it(state, who, how);
	g_autoptr(CallRecord) record = NULL;

	g_test_message("%s: %s by %s", state_names[state], hows[how].name, speakers[who]);
	bring_to(state);
	rig_settle();
	from = g_strconcat(halves[0], speakers[who], halves[1], NULL);
	rig_play(from);
	rig_settle();
	check_answer(ends, how);
	g_assert_cmpint(rig_hears("hangup"), ==, ends);
	end_call();
	if (how == OFFLINE)
		rig_settle();
	record = rig_last_record();
	g_assert_nonnull(record->reason);
	rig_forget();
}

static void
test_ends(gconstpointer data)
{
	State state = GPOINTER_TO_UINT(data);

	rig_set_up(LIMITS);
	for (guint who = 0; who < G_N_ELEMENTS(speakers); who++)
		for (How how = 0; how < N_HOWS; how++) {
			if (how == REMOVE && (who > 0 || state == PROPOSED || state == PROCEEDED ||
					      state == RINGING))
				continue;
			try_end(state, who, how);
		}
	rig_tear_down();
}

/* A device that rang, and learns too late that another has taken the call, ends nothing. */
static void
test_late_reject(void)
{
	rig_set_up(LIMITS);
	rig_phone_calls();
	take_sid("propose", " ");
	rig_play(JMI_OF("/b", "ringing"));
	client_accepts(RIG_GOOD);
	rig_wait_heard("answer");
	rig_play(JMI_OF("/b", "reject"));
	rig_settle();
	g_assert_false(rig_hears("hangup"));
	end_call();
	rig_tear_down();
}

/* --- a propose that was kept on its way --- */

static void
test_delayed(void)
{
	static const struct {
		const char *form;
		int age; /* s */
		gboolean dials;
	} rows[] = {
		{ "<delay xmlns='urn:xmpp:delay' stamp='%s'/>", 1, TRUE },
		{ "<delay xmlns='urn:xmpp:delay' from='example.com' stamp='%s'>Resent</delay>", 25,
		  TRUE },
		{ "<x xmlns='jabber:x:delay' stamp='%s'/>", 5, TRUE },
		{ "<delay xmlns='urn:xmpp:delay' stamp='%s'/>", -40, TRUE }, /* a clock ahead */
		{ "<delay xmlns='urn:xmpp:delay' stamp='%s'/>", 45, FALSE },
		{ "<delay xmlns='urn:xmpp:delay' stamp='%s'/>", 86400, FALSE },
		{ "<x xmlns='jabber:x:delay' stamp='%s'/>", 60, FALSE },
		{ "<delay xmlns='urn:xmpp:delay' stamp='not %s'/>", 1, FALSE },
	};

	rig_set_up(LIMITS);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(
			g_get_real_time() / G_USEC_PER_SEC - rows[i].age);
		g_autofree char *stamp = g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ");
		g_auto(GStrv) form = g_strsplit(rows[i].form, "%s", 2);
		g_autofree char *delay = g_strconcat(form[0], stamp, form[1], NULL);
		g_autofree char *text = g_strconcat(
			"<message from='" PRESENT "a' to='" RIG_NUMBER "'><propose "
			"xmlns='urn:xmpp:jingle-message:0' id='$SID'>" RIG_AUDIO "</propose>",
			delay, "</message>", NULL);

		g_test_message("%s", delay);
		new_sid();
		rig_play(text);
		if (rows[i].dials) {
			rig_wait_heard("dial");
			end_call();
		} else {
			g_autoptr(CallRecord) record = NULL;
			g_autofree char *words = NULL;

			rig_wait_said("reject");
			rig_settle();
			words = rig_last_text();
			record = rig_last_record();
			g_assert_false(rig_hears("dial"));
			g_assert_cmpstr(record->reason, ==, "timeout");
			g_assert_nonnull(words);
			g_assert_nonnull(strstr(words, "late"));
		}
		rig_forget();
	}
	rig_tear_down();
}

/* The same propose once more, from a device that has come back under another name. */
static void
test_proposed_again(void)
{
	const char *again =
		"<message from='" PRESENT "new' to='" RIG_NUMBER "'><propose "
		"xmlns='urn:xmpp:jingle-message:0' id='$SID'>" RIG_AUDIO "</propose></message>";
	const xmlNode *said;

	rig_set_up(LIMITS);
	client_proposes();
	rig_play(again);
	rig_settle();
	g_assert_cmpstr(rig.heard->str, ==, "dial");
	rig_phone_answers();
	said = rig_wait_said("proceed");
	g_assert_cmpstr(xml_attribute(said, "to"), ==, PRESENT "new");
	end_call();
	rig_forget();
	rig_play(again); /* it has not heard that it is over */
	said = rig_wait_said("reject");
	g_assert_cmpstr(xml_attribute(said, "to"), ==, PRESENT "new");
	rig_settle();
	g_assert_false(rig_hears("dial"));
	rig_tear_down();
}

/* --- what cannot be used --- */

static void
test_refused(void)
{
	static const struct {
		const char *what, *content, *reason;
		gboolean answer_only;
	} rows[] = {
		{ "no fingerprint", RIG_CONTENT(RIG_CODEC, RIG_ICE, ""), "security", FALSE },
		{ "no ICE credentials", RIG_CONTENT(RIG_CODEC, "", RIG_DTLS(" setup='active'")),
		  "protocol-error", FALSE },
		{ "no setup", RIG_CONTENT(RIG_CODEC, RIG_ICE, RIG_DTLS("")), "security", FALSE },
		{ "no codec", RIG_CONTENT("", RIG_ICE, RIG_DTLS(" setup='active'")), "incompatible",
		  FALSE },
		{ "no content", "", "incompatible", FALSE },
		{ "actpass in an answer",
		  RIG_CONTENT(RIG_CODEC, RIG_ICE, RIG_DTLS(" setup='actpass'")), "security", TRUE },
	};
	static const State states[] = { OFFERED, PROCEEDED, RINGING };

	for (guint s = 0; s < G_N_ELEMENTS(states); s++) {
		rig_set_up(LIMITS); /* so many messages to one person, and no more */
		for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
			g_autoptr(CallRecord) record = NULL;
			g_autofree char *words = NULL;

			if (rows[i].answer_only && states[s] != RINGING)
				continue;
			g_test_message("%s: %s", state_names[states[s]], rows[i].what);
			if (states[s] == OFFERED)
				new_sid();
			else
				bring_to(states[s]);
			if (states[s] == RINGING)
				client_accepts(rows[i].content);
			else
				client_initiates(rows[i].content);
			rig_wait_said("session-terminate");
			rig_settle();
			words = rig_last_text();
			record = rig_last_record();
			g_assert_nonnull(record);
			g_assert_cmpstr(record->reason, ==, rows[i].reason);
			g_assert_cmpstr(record->ended_by, ==, "gateway");
			g_assert_cmpuint(strlen(record->ladder), >, 20);
			g_assert_nonnull(words);
			g_assert_cmpuint(strlen(words), >, 20);
			if (g_str_equal(rows[i].what, "no fingerprint")) {
				g_assert_nonnull(strstr(words, "without encryption"));
				g_assert_nonnull(strstr(record->text, "without encryption"));
			}
			rig_forget();
		}
		rig_tear_down();
	}
}

/* --- chat that goes nowhere --- */

static void
test_texts(void)
{
#define BODY "<body>hello</body>"
	static const struct {
		const char *what, *attributes, *to, *content, *condition; /* NULL: no answer */
	} rows[] = {
		{ "chat to a number", "type='chat'", RIG_NUMBER, BODY, "not-allowed" },
		{ "to its full JID", "type='chat'", RIG_US, BODY, "not-allowed" },
		{ "no type", "", RIG_NUMBER, BODY, "not-allowed" },
		{ "normal", "type='normal'", RIG_NUMBER, BODY, "not-allowed" },
		{ "unknown type", "type='song'", RIG_NUMBER, BODY, "not-allowed" },
		{ "a subject", "", RIG_NUMBER, "<subject>s</subject>", "not-allowed" },
		{ "to the gateway", "type='chat'", "gw.example.org", BODY, "service-unavailable" },
		{ "to a wrong address", "type='chat'", "nobody@gw.example.org", BODY,
		  "item-not-found" },
		{ "a room", "type='groupchat'", RIG_NUMBER, BODY, "service-unavailable" },
		{ "encrypted", "type='chat'", RIG_NUMBER,
		  "<encrypted xmlns='eu.siacs.conversations.axolotl'><header/><payload>x</payload>"
		  "</encrypted>",
		  "not-acceptable" },
		{ "a picture", "type='chat'", RIG_NUMBER,
		  "<x xmlns='jabber:x:oob'><url>https://a/b.jpg</url></x>", "not-allowed" },
		{ "digits without a call", "type='chat'", RIG_NUMBER, "<body>123#</body>",
		  "not-allowed" },
		{ "asks for a receipt", "type='chat'", RIG_NUMBER,
		  BODY "<request xmlns='urn:xmpp:receipts'/>", "not-allowed" },
		{ "keys of encryption alone", "type='chat'", RIG_NUMBER,
		  "<encrypted xmlns='eu.siacs.conversations.axolotl'><header/></encrypted>", NULL },
		{ "a headline", "type='headline'", RIG_NUMBER, BODY, NULL },
		{ "an error", "type='error'", RIG_NUMBER, BODY, NULL },
		{ "typing", "type='chat'", RIG_NUMBER,
		  "<composing xmlns='http://jabber.org/protocol/chatstates'/>", NULL },
		{ "a marker", "type='chat'", RIG_NUMBER,
		  "<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>", NULL },
		{ "a receipt", "type='chat'", RIG_NUMBER,
		  "<received xmlns='urn:xmpp:receipts' id='m'/>", NULL },
		{ "an empty body", "type='chat'", RIG_NUMBER, "<body/>", NULL },
		{ "a retract of nothing", "type='chat'", RIG_NUMBER,
		  "<retract xmlns='urn:xmpp:jingle-message:0' id='none'/>", NULL },
	};
	static const char *const askers[] = { "alice@example.com/a", "eve@example.net/x" };

	rig_set_up(LIMITS);
	for (guint who = 0; who < G_N_ELEMENTS(askers); who++)
		for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
			const xmlNode *said;
			XmlStanzaError error;
			g_autofree char *text = NULL;

			g_test_message("%s: %s", askers[who], rows[i].what);
			rig_forget();
			rig_say("<message %s id='m1' from='%s' to='%s'>%s</message>",
				rows[i].attributes, askers[who], rows[i].to, rows[i].content);
			rig_settle();
			said = rig_find_said("error");
			g_assert_null(rig_find_said("received"));
			/* who writes encrypted reads, in the chat as well, how to switch it off */
			g_assert_true(
				!rig_find_said("body") ==
				!(who == 0 && g_strcmp0(rows[i].condition, "not-acceptable") == 0));
			if (!rows[i].condition) {
				g_assert_null(said);
				continue;
			}
			g_assert_nonnull(said);
			g_assert_true(xml_stanza_error(said, &error));
			/* a stranger hears the same wherever he writes to */
			g_assert_cmpstr(error.condition, ==,
					who == 0 ? rows[i].condition : "service-unavailable");
			g_assert_cmpstr(xml_attribute(said, "id"), ==, "m1");
			g_assert_cmpstr(xml_attribute(said, "to"), ==, askers[who]);
			g_assert_cmpstr(xml_attribute(said, "from"), ==, rows[i].to);
			text = xml_text(
				xml_child(xml_child(said, NULL, "error"), NS_STANZAS, "text"));
			g_assert_cmpuint(strlen(text), >, 10);
		}
	rig_tear_down();
}

/* What is announced is done: keys that were pressed are receipted, texts are not. */
static void
test_receipts(void)
{
	rig_set_up(LIMITS);
	bring_to(TALKING);
	rig_forget();
	rig_say("<message type='chat' id='k1' from='" PRESENT "a' to='" RIG_NUMBER
		"'><body>12#</body><request xmlns='urn:xmpp:receipts'/></message>");
	rig_settle();
	g_assert_cmpstr(xml_attribute(xml_child(rig_find_said("received"), NULL, "received"), "id"),
			==, "k1");
	end_call();
	rig_tear_down();
}

/* --- questions --- */

static void
test_questions(void)
{
#define INFO(node)  "<query xmlns='http://jabber.org/protocol/disco#info'" node "/>"
#define ITEMS(node) "<query xmlns='http://jabber.org/protocol/disco#items'" node "/>"
	static const struct {
		const char *to, *question, *user, *stranger; /* the error; "": a result */
	} rows[] = {
		{ RIG_US, INFO(""), "", "service-unavailable" },
		{ RIG_US, INFO(" node='https://gw.example.org/caps'"), "", "service-unavailable" },
		{ RIG_US, INFO(" node='http://jabber.org/protocol/commands'"), "item-not-found",
		  "service-unavailable" },
		{ RIG_US, ITEMS(""), "", "service-unavailable" },
		{ RIG_US, ITEMS(" node='http://jabber.org/protocol/commands'"), "item-not-found",
		  "service-unavailable" },
		{ RIG_US, "<ping xmlns='urn:xmpp:ping'/>", "", "service-unavailable" },
		{ RIG_US, "<query xmlns='jabber:iq:version'/>", "", "service-unavailable" },
		{ RIG_NUMBER, "<vCard xmlns='vcard-temp'/>", "", "service-unavailable" },
		{ "alice\\40example.com@gw.example.org", "<vCard xmlns='vcard-temp'/>", "",
		  "service-unavailable" },
		{ "alice\\40example.com@gw.example.org", INFO(""), "", "service-unavailable" },
		{ "nobody@gw.example.org", INFO(""), "item-not-found", "service-unavailable" },
		{ "nobody@gw.example.org", "<vCard xmlns='vcard-temp'/>", "item-not-found",
		  "service-unavailable" },
		{ "gw.example.org", INFO(""), "", "" },
		{ "gw.example.org", INFO(" node='x'"), "item-not-found", "item-not-found" },
		{ "gw.example.org", ITEMS(" node='x'"), "item-not-found", "item-not-found" },
		{ "gw.example.org", "<ping xmlns='urn:xmpp:ping'/>", "", "" },
		{ "gw.example.org", "<query xmlns='jabber:iq:version'/>", "", "" },
		{ "gw.example.org", "<vCard xmlns='vcard-temp'/>", "", "" },
		{ "gw.example.org", "<query xmlns='jabber:iq:last'/>", "service-unavailable",
		  "service-unavailable" },
	};
	static const char *const askers[] = { "alice@example.com/a", "eve@example.net/x",
					      "alice@example.net/a", "example.com" };

	rig_set_up(LIMITS);
	for (guint who = 0; who < G_N_ELEMENTS(askers); who++)
		for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
			const char *wanted = who == 0 ? rows[i].user : rows[i].stranger;
			const xmlNode *answer;
			XmlStanzaError error;

			g_test_message("%s asks %s: %s", askers[who], rows[i].to, rows[i].question);
			rig_forget();
			rig_say("<iq type='get' id='q' from='%s' to='%s'>%s</iq>", askers[who],
				rows[i].to, rows[i].question);
			rig_settle();
			answer = rig_answer_to("q");
			g_assert_nonnull(answer);
			if (!*wanted) {
				g_assert_cmpstr(xml_attribute(answer, "type"), ==, "result");
				continue;
			}
			g_assert_true(xml_stanza_error(answer, &error));
			g_assert_cmpstr(error.condition, ==, wanted);
		}
	rig_tear_down();
}

/* --- a user who is switched off --- */

static void
test_switched_off(void)
{
	g_autoptr(CallRecord) record = NULL;

	rig_set_up(LIMITS);
	g_assert_true(store_user_set_enabled(rig.store, RIG_USER, FALSE, NULL));
	new_sid();
	rig_play("<message from='" PRESENT "a' to='" RIG_NUMBER "'><propose "
		 "xmlns='urn:xmpp:jingle-message:0' id='$SID'>" RIG_AUDIO "</propose></message>");
	rig_wait_said("reject");
	record = rig_last_record();
	g_assert_cmpstr(record->reason, ==, "forbidden");
	g_assert_nonnull(strstr(record->text, "switched off"));
	rig_tear_down();
}

/* Who is switched off keeps what is in his roster; who is nobody (any more) is let go. */
static void
test_presence(void)
{
	static const struct {
		const char *from, *type, *to, *said; /* NULL: nothing */
	} rows[] = {
		{ "alice@example.com/a", "type='probe'", RIG_NUMBER, "unavailable" },
		{ "alice@example.com", "type='subscribe'", RIG_NUMBER, "unsubscribed" },
		{ "alice@example.com/a", "", RIG_NUMBER, NULL },
		{ "eve@example.net/x", "type='probe'", RIG_NUMBER, "unsubscribed" },
		{ "eve@example.net", "type='subscribe'", RIG_NUMBER, "unsubscribed" },
		{ "eve@example.net/x", "", RIG_NUMBER, "unsubscribe" },
		{ "eve@example.net/x", "type='unavailable'", RIG_NUMBER, NULL },
		{ "eve@example.net/x", "type='error'", RIG_NUMBER, NULL },
	};

	rig_set_up(LIMITS);
	g_assert_true(store_user_set_enabled(rig.store, RIG_USER, FALSE, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *said = NULL;

		g_test_message("%s %s", rows[i].from, rows[i].type);
		rig_settle();
		rig_forget();
		rig_say("<presence %s from='%s' to='%s'/>", rows[i].type, rows[i].from, rows[i].to);
		rig_settle();
		for (guint k = 0; k < rig.said->len; k++)
			if (xml_is_stanza(rig.said->pdata[k], "presence") &&
			    g_strcmp0(xml_attribute(rig.said->pdata[k], "from"), rows[i].to) == 0)
				said = xml_attribute(rig.said->pdata[k], "type");
		g_assert_cmpstr(said, ==, rows[i].said);
	}
	rig_tear_down();
}

/* --- what it costs --- */

/* One call is all that he may have: all his other tries are refused, and leave nothing. */
static void
test_cost(void)
{
	guint n = g_getenv("TANDEM_PROPOSES") ? (guint)atoi(g_getenv("TANDEM_PROPOSES")) : 300;
	g_autofree char *status = NULL;
	guint64 visits;
	clock_t began;

	rig_set_up("[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=1\n");
	client_proposes();
	for (guint i = 0; i < n; i++) {
		rig_say("<message from='" PRESENT "a' to='" RIG_NUMBER "'><propose "
			"xmlns='urn:xmpp:jingle-message:0' id='R%u'>" RIG_AUDIO
			"</propose></message>",
			i);
		if (i % 100 == 99) {
			rig_settle();
			g_ptr_array_set_size(rig.said, 0);
		}
	}
	rig_settle();
	status = plugin_status(&xmpp_plugin);
	g_assert_nonnull(strstr(status, "\nlegs: 1\n"));
	visits = xmpp_find_visits();
	began = clock();
	for (guint i = 0; i < 1000; i++)
		rig_say("<message type='chat' from='eve@example.net/x' to='" RIG_NUMBER
			"'><body>1</body></message>");
	rig_settle();
	g_test_message("%u refused proposes; then %.1f us of CPU for a stranger's message, sent, "
		       "seen to and answered",
		       n, (double)(clock() - began) / CLOCKS_PER_SEC * 1e6 / 1000);
	g_assert_cmpuint(xmpp_find_visits() - visits, ==, 0);
	rig_say("<message type='chat' from='" PRESENT "a' to='" RIG_NUMBER
		"'><body>1</body></message>");
	rig_settle();
	g_assert_cmpuint(xmpp_find_visits() - visits, <=, 4);
	end_call();
	rig_tear_down();
}

static void
test_long_sid(void)
{
	g_autofree char *longest = g_strnfill(1024, 's'), *longer = g_strnfill(1025, 's');
	XmlStanzaError error;

	rig_set_up(LIMITS);
	g_free(rig.sid);
	rig.sid = g_strdup(longest);
	client_initiates(RIG_GOOD);
	rig_wait_heard("dial");
	end_call();
	rig_forget();
	rig_say("<iq type='set' id='long' from='" PRESENT "a' to='" RIG_US
		"'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='%s'>" RIG_GOOD
		"</jingle></iq>",
		longer);
	rig_settle();
	g_assert_true(xml_stanza_error(rig_answer_to("long"), &error));
	g_assert_cmpstr(error.condition, ==, "bad-request");
	g_assert_false(rig_hears("dial"));
	rig_tear_down();
}

/* --- the stream goes away --- */

static gboolean
is_back(gpointer user)
{
	return xmpp_server_is_connected(rig.server);
}

static void
test_outage(gconstpointer data)
{
	State state = GPOINTER_TO_UINT(data);
	g_autoptr(CallRecord) record = NULL;

	xmpp_set_outage_ms(300);
	rig_set_up(LIMITS);
	bring_to(state);
	rig_settle();
	xmpp_server_kill(rig.server);
	rig_wait_heard("hangup:network-error");
	record = rig_last_record();
	g_assert_cmpstr(record->ended_by, ==, "gateway");
	g_assert_nonnull(strstr(record->ladder, "the XMPP server is away"));
	/* from now on nobody waits */
	rig_forget();
	rig_phone_calls();
	rig_wait_heard("hangup:network-error");
	xmpp_server_listen(rig.server);
	g_assert_true(wait_for(is_back, NULL));
	rig_settle();
	g_assert_null(rig_find_said("propose"));
	rig_forget();
	rig_phone_calls();
	rig_wait_said("propose");
	end_call();
	rig_tear_down();
	xmpp_set_outage_ms(0);
}

/* A restart of the server does not end a call that is answered, nor one that rings. */
static void
test_restart(gconstpointer data)
{
	State state = GPOINTER_TO_UINT(data);

	rig_set_up(LIMITS);
	bring_to(state);
	rig_settle();
	xmpp_server_kill(rig.server);
	xmpp_server_listen(rig.server);
	g_assert_true(wait_for(is_back, NULL));
	rig_settle();
	g_assert_false(rig_hears("hangup"));
	end_call();
	rig_tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xmpp-habits/rings", test_rings);
	g_test_add_func("/xmpp-habits/rings when it is known", test_rings_when_known);
	g_test_add_func("/xmpp-habits/unencrypted", test_unencrypted);
	for (State state = 0; state < N_STATES; state++) {
		g_autofree char *ends = g_strconcat("/xmpp-habits/ends/", state_names[state], NULL);
		g_autofree char *restart =
			g_strconcat("/xmpp-habits/restart/", state_names[state], NULL);
		g_autofree char *outage =
			g_strconcat("/xmpp-habits/outage/", state_names[state], NULL);

		g_test_add_data_func(ends, GUINT_TO_POINTER(state), test_ends);
		g_test_add_data_func(restart, GUINT_TO_POINTER(state), test_restart);
		if (state != TALKING_JMI && state != TALKING && state != CALLED)
			g_test_add_data_func(outage, GUINT_TO_POINTER(state), test_outage);
	}
	g_test_add_func("/xmpp-habits/late reject", test_late_reject);
	g_test_add_func("/xmpp-habits/delayed", test_delayed);
	g_test_add_func("/xmpp-habits/proposed again", test_proposed_again);
	g_test_add_func("/xmpp-habits/refused", test_refused);
	g_test_add_func("/xmpp-habits/texts", test_texts);
	g_test_add_func("/xmpp-habits/receipts", test_receipts);
	g_test_add_func("/xmpp-habits/questions", test_questions);
	g_test_add_func("/xmpp-habits/switched off", test_switched_off);
	g_test_add_func("/xmpp-habits/presence", test_presence);
	g_test_add_func("/xmpp-habits/cost", test_cost);
	g_test_add_func("/xmpp-habits/long sid", test_long_sid);
	return g_test_run();
}
