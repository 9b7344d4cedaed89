/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-cause.c - from facts to a cause and its sentences. */
#include "b2bua/why/catalogue.h"
#include "b2bua/why/cause.h"
#include <errno.h>
#include <string.h>

/* Whatever else it is made of. */
static const CauseFacts everything = {
	.reason = REASON_NETWORK_ERROR,
	.words = "404 Not Found",
	.peer = PEER_TRUNK,
	.name = "TRUNKNAME",
	.error = ECONNREFUSED,
	.hop = "udp:192.0.2.77:5060",
	.detail = "DETAIL 192.0.2.78",
	.caller_codecs = "CALLERCODEC",
	.callee_codecs = "CALLEECODEC",
};

static void
check_private(const char *sentence)
{
	static const char *const hidden[] = { "192.0.2",     "DETAIL",	"TRUNKNAME", "CODEC",
					      "[media]",     "[calls]", "[sip]",     "TURN",
					      "fingerprint", "{",	"}" };

	for (guint i = 0; i < G_N_ELEMENTS(hidden); i++)
		if (strstr(sentence, hidden[i]))
			g_error("a person would read \"%s\" in \"%s\"", hidden[i], sentence);
	g_assert_true(g_ascii_isupper(sentence[0]));
	g_assert_false(g_str_has_suffix(sentence, "."));
}

/* Each row is whole, and what a person reads has nothing of anybody's network. */
static void
test_catalogue(void)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (Cause cause = 0; cause < N_CAUSES; cause++) {
		g_autofree char *own = cause_for_person(cause, &everything, TRUE);
		g_autofree char *other = cause_for_person(cause, &everything, FALSE);
		g_autofree char *operators = cause_for_operator(cause, &everything);
		const CauseFacts nothing = { .reason = REASON_NETWORK_ERROR };
		g_autofree char *bare = cause_for_operator(cause, &nothing);
		const char *remedy = cause_remedy(cause);

		g_assert_true(cause_name(cause) &&
			      g_hash_table_add(names, (gpointer)cause_name(cause)));
		check_private(own);
		check_private(other);
		g_assert_false(strpbrk(operators, "{}") || strpbrk(bare, "{}"));
		g_assert_false(g_str_has_suffix(operators, "."));
		g_assert_true(!remedy ||
			      (g_ascii_isupper(remedy[0]) && !g_str_has_suffix(remedy, ".")));
		g_assert_false(strstr(bare, "  ") || strstr(bare, "(null)"));
	}
}

/* --- which cause --- */

typedef struct {
	Cause cause;
	CauseFacts facts;
} Case;

#define SILENCE(...)                     \
	.silence = &(const MediaSilence) \
	{                                \
		__VA_ARGS__              \
	}
#define LOST(kind) .is_lost = TRUE, .loss = kind

static void
test_which(void)
{
	const Case cases[] = {
		{ CAUSE_REASON, { .reason = REASON_BUSY } },
		{ CAUSE_AUDIO_NEVER, { SILENCE(.fault = MEDIA_SILENT) } },
		{ CAUSE_AUDIO_NEVER, { SILENCE(.fault = MEDIA_SILENT, .reports = TRUE) } },
		{ CAUSE_AUDIO_LOST, { SILENCE(.fault = MEDIA_SILENT, .sent = TRUE) } },
		{ CAUSE_AUDIO_LOST,
		  { SILENCE(.fault = MEDIA_SILENT, .ever = TRUE, .sent = TRUE) } },
		{ CAUSE_AUDIO_STOPPED,
		  { SILENCE(.fault = MEDIA_SILENT, .ever = TRUE, .reports = TRUE) } },
		{ CAUSE_AUDIO_VANISHED, { SILENCE(.fault = MEDIA_SILENT, .ever = TRUE) } },
		{ CAUSE_AUDIO_FOREIGN, { SILENCE(.fault = MEDIA_REFUSED) } },
		{ CAUSE_AUDIO_KEY, { SILENCE(.fault = MEDIA_REFUSED, .auth = TRUE) } },
		{ CAUSE_AUDIO_CODEC, { SILENCE(.fault = MEDIA_REFUSED, .codec = TRUE) } },
		{ CAUSE_AUDIO_UNHEARD, { SILENCE(.fault = MEDIA_UNHEARD, .ever = TRUE) } },
		{ CAUSE_AUDIO_DEAD, { .is_dead = TRUE, SILENCE(.fault = MEDIA_SILENT) } },
		{ CAUSE_AUDIO_DEAD_ENDED, { LOST(MEDIA_LOST_DEAD) } },
		{ CAUSE_PORT, { LOST(MEDIA_LOST_SETUP) } },
		{ CAUSE_ICE_HALF, { LOST(MEDIA_LOST_ICE) } },
		{ CAUSE_ICE_NO_CHECKS, { LOST(MEDIA_LOST_NO_CHECKS) } },
		{ CAUSE_ICE_NO_CHOICE, { LOST(MEDIA_LOST_NO_CHOICE) } },
		{ CAUSE_ICE_PASSWORD, { LOST(MEDIA_LOST_PASSWORD) } },
		{ CAUSE_ICE_SILENT, { LOST(MEDIA_LOST_SILENT) } },
		{ CAUSE_ICE_NO_CANDIDATE, { LOST(MEDIA_LOST_NO_CANDIDATE) } },
		{ CAUSE_DTLS_SILENT, { LOST(MEDIA_LOST_DTLS_SILENT) } },
		{ CAUSE_DTLS_UNFINISHED, { LOST(MEDIA_LOST_DTLS) } },
		{ CAUSE_DTLS_REFUSED, { LOST(MEDIA_LOST_DTLS_REFUSED) } },
		{ CAUSE_FINGERPRINT, { LOST(MEDIA_LOST_FINGERPRINT) } },
		{ CAUSE_CONSENT, { LOST(MEDIA_LOST_CONSENT) } },
		{ CAUSE_RTP_STOPPED, { LOST(MEDIA_LOST_RTP) } },
		{ CAUSE_TRUNK_NAME, { .fault = LEG_NO_NAME, .peer = PEER_TRUNK } },
		{ CAUSE_HOST_NAME, { .fault = LEG_NO_NAME, .peer = PEER_OUTSIDE } },
		{ CAUSE_TRUNK_UNREACHED, { .fault = LEG_NOT_REACHED, .peer = PEER_TRUNK } },
		{ CAUSE_PHONE_UNREACHED, { .fault = LEG_NOT_REACHED, .peer = PEER_SOFTPHONE } },
		{ CAUSE_HOST_UNREACHED, { .fault = LEG_NOT_REACHED, .peer = PEER_OUTSIDE } },
		{ CAUSE_TRUNK_TLS, { .fault = LEG_BAD_TLS, .peer = PEER_TRUNK } },
		{ CAUSE_TRUNK_SILENT, { .fault = LEG_NO_RESPONSE, .peer = PEER_TRUNK } },
		{ CAUSE_PHONE_SILENT, { .fault = LEG_NO_RESPONSE, .peer = PEER_SOFTPHONE } },
		{ CAUSE_HOST_SILENT, { .fault = LEG_NO_RESPONSE, .peer = PEER_OUTSIDE } },
		{ CAUSE_TRUNK_UNAUTHORIZED,
		  { .reason = REASON_NOT_AUTHORIZED, .peer = PEER_TRUNK } },
		{ CAUSE_TRUNK_LOST, { .fault = LEG_GONE, .peer = PEER_TRUNK } },
		{ CAUSE_PHONE_LOST, { .fault = LEG_GONE, .peer = PEER_SOFTPHONE } },
		{ CAUSE_CLIENT_OFFLINE, { .fault = LEG_GONE, .peer = PEER_CLIENT } },
		{ CAUSE_CODECS_FORBIDDEN, { .fault = LEG_CODECS_FORBIDDEN, .peer = PEER_TRUNK } },
		{ CAUSE_PHONE_UNREGISTERED,
		  { .fault = LEG_NOT_REGISTERED, .peer = PEER_SOFTPHONE } },
		{ CAUSE_XMPP_AWAY, { .fault = LEG_SERVER_AWAY, .peer = PEER_CLIENT } },
		{ CAUSE_CLIENT_NO_SESSION, { .fault = LEG_NO_SESSION, .peer = PEER_CLIENT } },
		{ CAUSE_CLIENT_NO_ACCEPT, { .fault = LEG_NO_ACCEPT, .peer = PEER_CLIENT } },
		{ CAUSE_NO_CLIENT, { .fault = LEG_NO_CLIENT, .peer = PEER_CLIENT } },
		{ CAUSE_CLIENT_UNENCRYPTED, { .fault = LEG_UNENCRYPTED, .peer = PEER_CLIENT } },
		{ CAUSE_DESCRIPTION, { .fault = LEG_BAD_DESCRIPTION, .peer = PEER_CLIENT } },
		{ CAUSE_NO_DESCRIPTION, { .fault = LEG_NO_DESCRIPTION } },
		{ CAUSE_NO_AUDIO, { .fault = LEG_NO_AUDIO } },
		{ CAUSE_SRTP_WANTED, { .fault = LEG_NOT_SECURE } },
		{ CAUSE_UNCONFIRMED, { .fault = LEG_NO_ACK } },
		{ CAUSE_NO_CODEC, { .fault = LEG_NO_CODEC } },
		{ CAUSE_NO_CODEC,
		  { .reason = REASON_INCOMPATIBLE, .by_gateway = TRUE, .caller_codecs = "G729" } },
		{ CAUSE_NO_TRANSCODING, { .reason = REASON_NO_TRANSCODING } },
		{ CAUSE_TRANSCODING_BUSY, { .reason = REASON_TRANSCODING_BUSY } },
		/* a plugin of somebody else's says what nobody knows */
		{ CAUSE_REASON, { .fault = LEG_NO_SESSION, .peer = PEER_UNKNOWN } },
	};
	gboolean met[N_CAUSES] = { FALSE };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_assert_cmpstr(cause_name(cause_find(&cases[i].facts)), ==,
				cause_name(cases[i].cause));
		met[cases[i].cause] = TRUE;
	}
	for (Cause cause = 0; cause < N_CAUSES; cause++)
		if (!met[cause])
			g_error("no facts lead to %s", cause_name(cause));
}

/* --- in words --- */

static void
check_words(const CauseFacts *facts, gboolean own, const char *person, const char *operators)
{
	Cause cause = cause_find(facts);
	g_autofree char *read = cause_for_person(cause, facts, own);
	g_autofree char *shown = cause_for_operator(cause, facts);

	g_assert_cmpstr(read, ==, person);
	g_assert_cmpstr(shown, ==, operators);
}

static void
test_words(void)
{
	const CauseFacts refused = { .reason = REASON_NOT_FOUND,
				     .words = "404 Not Found",
				     .peer = PEER_TRUNK,
				     .name = "c1",
				     .hop = "udp:192.0.2.7:5060",
				     .detail = "Reason: Q.850;cause=1" };
	const CauseFacts client = { .reason = REASON_DECLINED,
				    .words = "Not now",
				    .peer = PEER_CLIENT,
				    .name = "bob@example.org" };
	const CauseFacts rule = { .reason = REASON_FORBIDDEN,
				  .words = "calls to such numbers are not allowed here",
				  .by_gateway = TRUE };
	const CauseFacts closed = { .reason = REASON_NETWORK_ERROR,
				    .fault = LEG_NOT_REACHED,
				    .peer = PEER_TRUNK,
				    .name = "c1",
				    .hop = "tcp:192.0.2.7:5060",
				    .error = ECONNREFUSED };
	const CauseFacts codecs = { .reason = REASON_INCOMPATIBLE,
				    .by_gateway = TRUE,
				    .caller_codecs = "G729",
				    .callee_codecs = "PCMA, G722" };
	const CauseFacts dead = { LOST(MEDIA_LOST_DEAD), .reason = REASON_MEDIA_LOST };

	check_words(&refused, FALSE,
		    "The number is not in service (404 Not Found from the carrier)",
		    "The number is not in service (404 Not Found); the trunk c1 at "
		    "udp:192.0.2.7:5060: Reason: Q.850;cause=1");
	check_words(&client, FALSE, "The call was declined (Not now)",
		    "The call was declined (Not now)");
	check_words(&rule, TRUE,
		    "The call is not allowed (calls to such numbers are not allowed here)",
		    "The call is not allowed (calls to such numbers are not allowed here)");
	check_words(&closed, FALSE,
		    "The telephone network cannot be reached now; the operator can see why",
		    "The trunk c1 cannot be reached at tcp:192.0.2.7:5060: Connection refused");
	check_words(&codecs, FALSE, "The two sides have no codec in common",
		    "The two sides have no codec in common: the caller has G729, the callee PCMA, "
		    "G722");
	check_words(&dead, FALSE,
		    "The call was ended: no audio came from either side for a long time",
		    "The call was ended by [calls] dead_timeout: no audio came from either side");
}

static void
test_remedy(void)
{
	static const char record[] =
		"The trunk c1 did not answer. Check that the carrier knows this "
		"gateway's address, and the firewall for SIP";
	const char *remedy = cause_remedy_in(record);

	g_assert_nonnull(remedy);
	g_assert_true(g_str_has_prefix(remedy, "Check that the carrier"));
	g_assert_null(cause_remedy_in("The call was hung up"));
	g_assert_null(cause_remedy_in(""));
}

static const char *
fact(gconstpointer user, const char *name)
{
	return strcmp(name, "a") == 0 ? "A" : strcmp(name, "empty") == 0 ? "" : NULL;
}

static void
test_fill(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{a} and [section] key", "A and [section] key" },
		{ "x[: {a}][; {b}]", "x: A" },
		{ "x[ {a} {b}]y", "xy" },
		{ "[{empty}]z", "z" },
		{ "un{closed", "un{closed" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = catalogue_fill(cases[i][0], fact, NULL);

		g_assert_cmpstr(text, ==, cases[i][1]);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cause/catalogue", test_catalogue);
	g_test_add_func("/cause/which", test_which);
	g_test_add_func("/cause/words", test_words);
	g_test_add_func("/cause/remedy", test_remedy);
	g_test_add_func("/cause/fill", test_fill);
	return g_test_run();
}
