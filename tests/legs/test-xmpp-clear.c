/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-clear.c - clients with and without DTLS × who calls × [xmpp] plain_rtp: who is
 * taken without encryption, and how it is told.
 *
 * Each row is a call of its own with the real plugin, core and store.
 */
#include "tests/legs/fake_media.h"
#include "tests/legs/xmpp-rig.h"
#include <string.h>

#define LIMITS	"[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=100\n"
#define NO	LIMITS
#define LOCAL	LIMITS "[xmpp]\nplain_rtp=local\nlocal_domain=Example.COM\n"
#define ABROAD	LIMITS "[xmpp]\nplain_rtp=local\n" /* of example.org: she is a user of another */
#define NEARLY	LIMITS "[xmpp]\nplain_rtp=local\nlocal_domain=ample.com\n"
#define ANYBODY LIMITS "[xmpp]\nplain_rtp=yes\n"

#define DEVICE "alice@example.com/a"
/* Gajim's way: its own content name, capitals, no rtcp-mux, two components. */
#define CANDIDATE(component, port)                                                           \
	"<candidate component='" component "' foundation='1' generation='0' ip='192.0.2.61'" \
	" network='0' port='" port "' priority='2113937151' id='c" component "' type='host'" \
	" protocol='udp'/>"
#define CONTENT(inside, dtls)                                                            \
	"<content creator='initiator' name='voice' senders='both'>"                      \
	"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" inside          \
	"<payload-type name='OPUS' id='96' channels='2' clockrate='48000'/>"             \
	"<payload-type name='PCMU' id='0' channels='1' clockrate='8000'/></description>" \
	"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " RIG_ICE               \
	">" dtls CANDIDATE("1", "35010") CANDIDATE("2", "35011") "</transport></content>"
#define PLAIN	  CONTENT("", "")
#define ENCRYPTED CONTENT("<rtcp-mux/>", RIG_DTLS(" setup='actpass'"))
#define ANSWER	  CONTENT("<rtcp-mux/>", RIG_DTLS(" setup='active'"))
#define SPOILT	  CONTENT("", "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256'/>")
#define MULTIPLEX CONTENT("<rtcp-mux/>", "")

static guint warnings;

/* The operator is warned at the start, and of nothing else. */
static GLogWriterOutput
count_warnings(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	g_autofree char *line = g_log_writer_format_fields(level, fields, n, FALSE);

	if (level & G_LOG_LEVEL_WARNING) {
		g_assert_nonnull(strstr(line, "not encrypted between the client and the gateway"));
		warnings++;
	}
	return G_LOG_WRITER_HANDLED;
}

static void
set_up(const char *settings)
{
	warnings = 0;
	rig_set_up(settings);
	g_assert_cmpuint(warnings, ==, strstr(settings, "plain_rtp") ? 1 : 0);
}

static void
send_jingle(const char *action, const char *content)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text,
			"<iq type='set' id='j%u' from='" DEVICE "' to='" RIG_US
			"'><jingle xmlns='urn:xmpp:jingle:1' action='%s' "
			"sid='$SID'>%s</jingle></iq>",
			++rig.number, action, content);
	rig_play(text->str);
	g_string_free(text, TRUE);
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

/* How a session is told to the device: as one without DTLS should read it, or as one with. */
static void
assert_told(const xmlNode *said, gboolean clear, gboolean multiplexed)
{
	g_autofree char *text = xml_print(said);

	g_test_message("%s", text);
	g_assert_cmpint(strstr(text, "fingerprint") == NULL, ==, clear);
	g_assert_cmpint(strstr(text, "rtcp-mux") != NULL, ==, multiplexed);
	g_assert_cmpint(strstr(text, "component=\"2\"") == NULL, ==, multiplexed);
	g_assert_nonnull(strstr(text, "component=\"1\""));
	g_assert_nonnull(strstr(text, "creator=\"initiator\""));
}

/* --- the client calls --- */

typedef struct {
	const char *what, *settings;
	const char *features; /* of the device; NULL: it has not said */
	const char *content;
	gboolean taken, clear, multiplexed;
} Out;

static const Out out[] = {
	{ "no", NO, RIG_CAN_PLAIN, PLAIN, FALSE, FALSE, FALSE },
	{ "no, DTLS", NO, RIG_CAN_JINGLE, ENCRYPTED, TRUE, FALSE, TRUE },
	{ "local", LOCAL, RIG_CAN_PLAIN, PLAIN, TRUE, TRUE, FALSE },
	{ "local, not known what it can", LOCAL, NULL, PLAIN, TRUE, TRUE, FALSE },
	{ "local, DTLS", LOCAL, RIG_CAN_JINGLE, ENCRYPTED, TRUE, FALSE, TRUE },
	{ "local, DTLS in spite of what it says", LOCAL, RIG_CAN_PLAIN, ENCRYPTED, TRUE, FALSE,
	  TRUE },
	{ "local, of another server", ABROAD, RIG_CAN_PLAIN, PLAIN, FALSE, FALSE, FALSE },
	{ "local, of one that ends likewise", NEARLY, RIG_CAN_PLAIN, PLAIN, FALSE, FALSE, FALSE },
	{ "yes", ANYBODY, RIG_CAN_PLAIN, PLAIN, TRUE, TRUE, FALSE },
	{ "yes, with rtcp-mux", ANYBODY, RIG_CAN_PLAIN, MULTIPLEX, TRUE, TRUE, TRUE },
	{ "yes, one that has DTLS leaves it out", ANYBODY, RIG_CAN_JINGLE, PLAIN, FALSE, FALSE,
	  FALSE },
	{ "yes, a fingerprint that is none", ANYBODY, RIG_CAN_PLAIN, SPOILT, FALSE, FALSE, FALSE },
};

static void
test_out(gconstpointer data)
{
	const Out *row = data;
	g_autoptr(CallRecord) record = NULL;
	g_autofree char *words = NULL;

	set_up(row->settings);
	if (row->features)
		rig_comes_online("a", row->features);
	rig.sid = g_strdup("S1");
	send_jingle("session-initiate", row->content);
	if (row->taken) {
		rig_wait_heard("dial");
		rig_phone_answers();
		assert_told(rig_wait_said("session-accept"), row->clear, row->multiplexed);
		g_assert_cmpint(call_in_the_clear(rig.telephone->call) != NULL, ==, row->clear);
	} else {
		rig_wait_said("session-terminate");
		rig_settle();
		g_assert_false(rig_hears("dial"));
		record = rig_last_record();
		words = rig_last_text();
		g_assert_nonnull(strstr(record->text, "without encryption are not taken"));
		g_assert_nonnull(strstr(words, "without encryption are not taken"));
	}
	end_call();
	rig_tear_down();
}

/* One that is called by messages must have DTLS: whoever knows them knows that, too. */
static void
test_out_by_messages(void)
{
	set_up(ANYBODY);
	rig.sid = g_strdup("S1");
	rig_play("<message from='" DEVICE "' to='" RIG_NUMBER
		 "'><propose xmlns='urn:xmpp:jingle-message:0' id='$SID'>" RIG_AUDIO
		 "</propose></message>");
	rig_wait_heard("dial");
	rig_phone_answers();
	rig_wait_said("proceed");
	send_jingle("session-initiate", PLAIN);
	rig_wait_said("session-terminate");
	rig_wait_heard("hangup");
	end_call();
	rig_tear_down();
}

/* --- the client is called --- */

typedef struct {
	const char *what, *settings;
	const char *features[2]; /* of "a" and "b"; NULL: it is not there */
	gboolean called, clear;	 /* "a", directly; and without DTLS */
	const char *answer;	 /* of "a"; NULL: it does not answer */
	gboolean talks;
} In;

static const In in[] = {
	{ "no", NO, { RIG_CAN_PLAIN }, FALSE, FALSE, NULL, FALSE },
	{ "local", LOCAL, { RIG_CAN_PLAIN }, TRUE, TRUE, PLAIN, TRUE },
	{ "local, of another server", ABROAD, { RIG_CAN_PLAIN }, FALSE, FALSE, NULL, FALSE },
	{ "yes", ANYBODY, { RIG_CAN_PLAIN }, TRUE, TRUE, PLAIN, TRUE },
	{ "yes, answers with DTLS all the same",
	  ANYBODY,
	  { RIG_CAN_PLAIN },
	  TRUE,
	  TRUE,
	  ANSWER,
	  FALSE },
	{ "yes, one with DTLS", ANYBODY, { RIG_CAN_JINGLE }, TRUE, FALSE, ANSWER, TRUE },
	{ "yes, one with DTLS answers without",
	  ANYBODY,
	  { RIG_CAN_JINGLE },
	  TRUE,
	  FALSE,
	  PLAIN,
	  FALSE },
	{ "local, beside one with messages",
	  LOCAL,
	  { RIG_CAN_PLAIN, RIG_CAN_MESSAGES },
	  TRUE,
	  TRUE,
	  PLAIN,
	  TRUE },
};

static void
take_sid(const xmlNode *iq)
{
	g_free(rig.sid);
	rig.sid = g_strdup(xml_attribute(xml_child(iq, NS_JINGLE, "jingle"), "sid"));
}

static void
test_in(gconstpointer data)
{
	const In *row = data;
	const xmlNode *offer;

	set_up(row->settings);
	rig_comes_online("a", row->features[0]);
	if (row->features[1])
		rig_comes_online("b", row->features[1]);
	rig_phone_calls();
	if (!row->called) {
		rig_wait_heard("hangup:unreachable");
		g_assert_null(rig_find_said("session-initiate"));
		end_call();
		rig_tear_down();
		return;
	}
	offer = rig_wait_said("session-initiate");
	assert_told(offer, row->clear, !row->clear);
	take_sid(offer);
	send_jingle("session-accept", row->answer);
	if (row->talks) {
		rig_wait_heard("answer");
		g_assert_cmpint(call_in_the_clear(rig.telephone->call) != NULL, ==, row->clear);
	} else {
		rig_wait_said("session-terminate");
		rig_wait_heard("hangup");
		g_assert_false(rig_hears("answer"));
	}
	end_call();
	rig_tear_down();
}

/* One device with messages wins: it is told of DTLS, and the other is let go. */
static void
test_in_beside(void)
{
	set_up(LOCAL);
	rig_comes_online("a", RIG_CAN_PLAIN);
	rig_comes_online("b", RIG_CAN_MESSAGES);
	rig_phone_calls();
	assert_told(rig_wait_said("session-initiate"), TRUE, FALSE);
	g_free(rig.sid);
	rig.sid =
		g_strdup(xml_attribute(xml_child(rig_wait_said("propose"), NULL, "propose"), "id"));
	rig_forget();
	rig_play("<message from='alice@example.com/b' to='" RIG_US
		 "'><proceed xmlns='urn:xmpp:jingle-message:0' id='$SID'/></message>");
	assert_told(rig_wait_said("session-initiate"), FALSE, TRUE);
	rig_play("<iq type='set' id='acc' from='alice@example.com/b' to='" RIG_US
		 "'><jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='$SID'>" RIG_GOOD
		 "</jingle></iq>");
	rig_wait_heard("answer");
	g_assert_null(call_in_the_clear(rig.telephone->call));
	end_call();
	rig_tear_down();
}

static guint candidates[3]; /* of each component */

static void
on_candidate(const Candidate *theirs)
{
	g_assert_cmpuint(theirs->component, <, G_N_ELEMENTS(candidates));
	candidates[theirs->component]++;
}

typedef struct {
	const char *what, *features, *trickled, *answer;
	gboolean apart;
} Early;

static const Early early[] = {
	{ "candidates before the answer", RIG_CAN_PLAIN, PLAIN, PLAIN, TRUE },
	{ "candidates before the answer, DTLS", RIG_CAN_JINGLE, ENCRYPTED, ANSWER, FALSE },
};

/* Clients send their candidates while they ring: those of RTCP, too. */
static void
test_in_early(gconstpointer data)
{
	const Early *row = data;

	set_up(ANYBODY);
	memset(candidates, 0, sizeof candidates);
	fake_media_candidate = on_candidate;
	rig_comes_online("a", row->features);
	rig_phone_calls();
	take_sid(rig_wait_said("session-initiate"));
	send_jingle("transport-info", row->trickled);
	send_jingle("session-accept", row->answer);
	rig_wait_heard("answer");
	rig_settle();
	g_assert_cmpuint(candidates[1], ==, 1);
	g_assert_cmpuint(candidates[2], ==, row->apart ? 1 : 0);
	fake_media_candidate = NULL;
	end_call();
	rig_tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_log_set_writer_func(count_warnings, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(out); i++) {
		g_autofree char *name = g_strconcat("/xmpp-clear/out/", out[i].what, NULL);

		g_test_add_data_func(name, &out[i], test_out);
	}
	g_test_add_func("/xmpp-clear/out/by messages", test_out_by_messages);
	for (guint i = 0; i < G_N_ELEMENTS(in); i++) {
		g_autofree char *name = g_strconcat("/xmpp-clear/in/", in[i].what, NULL);

		g_test_add_data_func(name, &in[i], test_in);
	}
	for (guint i = 0; i < G_N_ELEMENTS(early); i++) {
		g_autofree char *name = g_strconcat("/xmpp-clear/in/", early[i].what, NULL);

		g_test_add_data_func(name, &early[i], test_in_early);
	}
	g_test_add_func("/xmpp-clear/in/the other one takes it", test_in_beside);
	return g_test_run();
}
