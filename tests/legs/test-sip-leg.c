/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-leg.c - the SIP plugin, one conversation a test. */
#include "plugins/sip/stack/sip_counters.h"
#include "tests/legs/sip-rig.h"
#include "plugins/sip/stack/sip_credentials.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_reason.h"
#include <string.h>

/* --- calls in --- */

static void
accept_all(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("127.0.0.0/8 192.0.2.1");
}

static void
expect_bye(Peer *peer, const char *reason)
{
	g_autofree char *bye = peer_wait(peer, "BYE ");
	g_autofree char *said = message_header(bye, "Reason");

	if (reason)
		g_assert_nonnull(strstr(said ? said : "", reason));
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
}

static void
in__ring_answer_hangup(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *trying = NULL, *ringing = NULL, *ok = NULL, *allow = NULL, *saved = NULL;

	peer_invite(peer, NULL, sdp_one);
	trying = peer_wait(peer, "SIP/2.0 100");
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, NULL);
	ringing = peer_wait(peer, "SIP/2.0 180");
	g_assert_cmpstr(message_body(ringing), ==, "");
	saved = rig_plugin->leg->save(rig_leg);
	g_assert_null(saved);
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40002 "));
	allow = message_header(ok, "Allow");
	g_assert_cmpstr(
		allow, ==,
		"INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, REGISTER, MESSAGE");
	peer_ack(peer, ok, NULL);
	rig_spin(20);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, "cause=16");
	rig_stop();
}

static void
in__addresses(void)
{
	static const struct {
		const char *extra, *from;
	} cases[] = {
		{ NULL, "+12125550199 (Bob \"B\")" },
		/* A trunk is trusted to know better than the From; digits alone are a number. */
		{ "P-Asserted-Identity: \"Real\" <sip:12025550111@carrier.example>\r\n",
		  "sip:12025550111@carrier.example (Real)" }, /* of which country, the route knows
							       */
		{ "P-Asserted-Identity: <sip:pbx@x.example>, <tel:+12025550111>\r\n",
		  "+12025550111 (Bob \"B\")" },
		{ "P-Asserted-Identity: <sip:+12025550111@x.example>\r\nPrivacy: id\r\n",
		  "anonymous (no name) who is +12025550111" },
		/* 3GPP TS 29.163 7.2.3.2.2.3: each of these is a number that is withheld */
		{ "Privacy: header\r\n", "anonymous (no name) who is +12125550199" },
		{ "Privacy: critical;none\r\n", "+12125550199 (Bob \"B\")" },
		{ "P-Asserted-Identity: <<<\r\n", "+12125550199 (Bob \"B\")" },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *refused = NULL;
		g_autofree char *expected = g_strdup_printf(
			"new %s → +14155550123 by carrier 40000 sendrecv", cases[i].from);

		peer_invite(peer, cases[i].extra, sdp_one);
		rig_expect(expected);
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		refused = peer_wait(peer, "SIP/2.0 486");
		peer_ack(peer, refused, NULL);
	}
	rig_stop();
}

/* Who has sent a call on, as networks write it. */
static void
in__diverted(void)
{
	static const struct {
		const char *extra, *expected;
	} cases[] = {
		{ "Diversion: <sip:+14155550100@c.example>;reason=user-busy;counter=1\r\n",
		  "diverted 1: +14155550100" },
		/* the last one stands first, lines as commas; a counter stands for others */
		{ "Diversion: <tel:+14155550102>;reason=unknown, \"B\" "
		  "<sip:4930123%3b@c.example>\r\n"
		  "Diversion: <sip:+14155550100@c.example>;counter=3\r\n",
		  "diverted 5: +14155550100 4930123 +14155550102" },
		{ "Diversion: <sip:+14155550100@c.example>;counter=4000000000\r\n",
		  "diverted 100: +14155550100" },
		{ "History-Info: <sip:+14155550100@c.example?Reason=SIP%3Bcause%3D302>;index=1\r\n"
		  "History-Info: <sip:+14155550123@gw.example.org>;index=1.1\r\n",
		  "diverted 1: +14155550100" },
		{ "History-Info: <sip:+14155550100@c.example>;index=1, "
		  "<sip:+14155550102@c.example;cause=486>;index=1.1;mp=1, "
		  "<sip:+14155550123@gw.example.org;cause=302>;index=1.1.1;mp=1.1\r\n",
		  "diverted 2: +14155550100 +14155550102" },
		/* one number on its way from host to host is nobody's diversion */
		{ "History-Info: <sip:+14155550123@c.example>;index=1, "
		  "<sip:+14155550123@gw.example.org;cause=302>;index=1.1;mp=1, "
		  "<sip:acct@gw.example.org>;index=1.1.1;rc=1.1\r\n",
		  NULL },
		{ "Diversion: <<<\r\nHistory-Info: ,\r\n", NULL },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *refused = NULL;

		g_test_message("%s", cases[i].extra);
		peer_invite(peer, cases[i].extra, sdp_one);
		if (cases[i].expected)
			rig_expect(cases[i].expected);
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, REASON_LOOP, NULL);
		refused = peer_wait(peer, "SIP/2.0 482 Loop Detected");
		peer_ack(peer, refused, NULL);
	}
	rig_stop();
}

static void
in__tcp(void)
{
	g_autoptr(Peer) peer = peer_new_tcp();
	g_autofree char *tag = NULL, *bye = NULL, *ok = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	tag = rig_call_in(peer);
	bye = peer_request(peer, "BYE", tag, NULL, NULL);
	peer_send(peer, bye);
	rig_expect("ended hangup");
	ok = peer_wait(peer, "SIP/2.0 200");
	rig_stop();
}

/* A Contact with a name in it: the answer to where the INVITE came from, since
 * sofia's resolver is not to be trusted with it. */
static void
in__contact_with_a_name(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *invite = NULL, *ok = NULL, *bye = NULL;
	char *contact;

	g_free(peer->call_id);
	peer->call_id = g_uuid_string_random();
	invite = peer_request(peer, "INVITE", NULL, NULL, sdp_one);
	contact = strstr(invite, "Contact: <sip:peer@127.0.0.1");
	memcpy(contact, "Contact: <sip:peer@sbc.invali", 29);
	peer_send(peer, invite);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	rig_spin(20);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(peer, "BYE sip:peer@sbc.invali");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

static void
in__early_media(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *progress = NULL, *ok = NULL, *early_line = NULL, *final_line = NULL;

	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, answer);
	progress = peer_wait(peer, "SIP/2.0 183");
	g_assert_nonnull(strstr(message_body(progress), "m=audio 40002 "));
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	/* RFC 3264 8: the same description has the same version. */
	g_assert_cmpstr(message_body(progress), ==, message_body(ok));
	peer_ack(peer, ok, NULL);
	rig_spin(20);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
in__required_100rel_is_given(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *ringing = NULL, *tag = NULL, *seq = NULL, *prack = NULL, *ok = NULL,
			*rack = NULL, *refused = NULL;

	peer_invite(peer, "Require: 100rel\r\n", sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, NULL);
	ringing = peer_wait(peer, "SIP/2.0 180");
	seq = message_header(ringing, "RSeq");
	g_assert_nonnull(seq);
	tag = message_tag(ringing, "To");
	rack = g_strdup_printf("RAck: %s %u INVITE\r\n", seq, peer->cseq);
	prack = peer_request(peer, "PRACK", tag, rack, NULL);
	peer_send(peer, prack);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(ok, "PRACK"));
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	refused = peer_wait(peer, "SIP/2.0 486");
	peer->cseq--;
	peer_ack(peer, refused, NULL);
	rig_stop();
}

static void
in__bye_of_the_caller(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);
	g_autofree char *bye = peer_request(peer, "BYE", tag, "Reason: Q.850;cause=16\r\n", NULL);
	g_autofree char *ok = NULL;

	peer_send(peer, bye);
	rig_expect("ended hangup");
	ok = peer_wait(peer, "SIP/2.0 200");
	rig_stop();
}

static void
in__cancel(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *cancel = NULL, *ok = NULL, *gone = NULL;

	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	cancel = peer_request(peer, "CANCEL", NULL, NULL, NULL);
	peer_send(peer, cancel);
	rig_expect("ended cancelled");
	gone = peer_wait(peer, "SIP/2.0 487");
	peer_ack(peer, gone, NULL);
	rig_stop();
}

static void
in__offerless(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) offer = rig_desc(sdp_one);
	g_autofree char *ringing = NULL, *ok = NULL;

	peer_invite(peer, NULL, NULL);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, offer);
	ringing = peer_wait(peer, "SIP/2.0 180");
	g_assert_cmpstr(message_body(ringing), ==, "");
	rig_plugin->leg->answer(rig_leg, offer);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40000 "));
	peer_ack(peer, ok, sdp_two);
	rig_expect("answered 40002 sendrecv");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
in__offerless_without_answer_ends(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) offer = rig_desc(sdp_one);
	g_autofree char *ok = NULL;

	peer_invite(peer, NULL, NULL);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, offer);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	rig_expect_start("failed incompatible");
	expect_bye(peer, NULL);
	rig_stop();
}

static void
in__bad_sdp_is_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *refused = NULL;

	peer_invite(peer, NULL, "this is no session description\r\n");
	refused = peer_wait(peer, "SIP/2.0 4");
	g_assert_true(g_str_has_prefix(refused, "SIP/2.0 400") ||
		      g_str_has_prefix(refused, "SIP/2.0 488"));
	peer_ack(peer, refused, NULL);
	rig_stop();
}

static void
expect_refusal_of_body(Peer *peer, const char *extra, const char *body, const char *refusal)
{
	g_autofree char *no = NULL, *accept = NULL;

	peer_invite(peer, extra, body);
	no = peer_wait(peer, "SIP/2.0 4");
	g_assert_true(g_str_has_prefix(no, refusal));
	accept = message_header(no, "Accept");
	g_assert_true(g_str_has_prefix(accept, "application/sdp"));
	peer_ack(peer, no, NULL);
	rig_no_event();
}

static void
in__other_bodies_are_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	static const char *const fine[] = {
		"Accept: text/plain, application/*;q=0.5\r\n",
		"Content-Type: application/other\r\nContent-Disposition: "
		"icon;handling=optional\r\n",
		"Content-Type: multipart/mixed;boundary=x\r\n",
	};

	expect_refusal_of_body(peer, "Content-Type: application/other\r\n", "<a/>", "SIP/2.0 415");
	expect_refusal_of_body(peer, "Accept: text/plain\r\n", sdp_one, "SIP/2.0 406");
	for (guint i = 0; i < G_N_ELEMENTS(fine); i++) {
		g_autofree char *busy = NULL;

		peer_invite(peer, fine[i], i ? "--x--\r\n" : sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		busy = peer_wait(peer, "SIP/2.0 486");
		peer_ack(peer, busy, NULL);
	}
	rig_stop();
}

static void
in__hangup_before_ack_waits_for_it(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) answer = rig_desc(sdp_two);
	g_autofree char *ok = NULL;

	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_false(peer_has(peer, "BYE "));
	peer_ack(peer, ok, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
in__every_reason_has_its_status(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (Reason reason = REASON_HANGUP; reason < N_REASONS; reason++) {
		g_autofree char *refused = NULL, *header = NULL, *expected = NULL;
		const char *phrase;
		guint status = sip_reason_to_status(reason, &phrase);

		expected = g_strdup_printf("SIP/2.0 %u %s\r\n", status, phrase);
		peer_invite(peer, NULL, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, reason, "because");
		refused = peer_wait(peer, expected);
		header = message_header(refused, "Reason");
		g_assert_nonnull(header);
		peer_ack(peer, refused, NULL);
	}
	rig_stop();
}

static void
elsewhere(Trunk *trunk)
{
	g_free(trunk->sources);
	trunk->sources = g_strdup("192.0.2.0/24 2001:db8::1");
}

static void
in__stranger(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *refused = NULL, *again = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, elsewhere);
	peer_invite(peer, NULL, sdp_one);
	refused = peer_wait(peer, "SIP/2.0 403");
	peer_ack(peer, refused, NULL);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_STRANGERS), ==, 1);
	/* The trunk is told to allow it and takes effect at once. */
	{
		g_autoptr(Trunk) trunk = store_trunk_get(rig_store(), "carrier", NULL);

		accept_all(trunk);
		g_assert_true(store_trunk_update(rig_store(), trunk, NULL));
		rig_plugin->changed(CHANGE_CONFIG, NULL);
	}
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	again = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, again, NULL);
	rig_stop();
}

static void
by_password(Trunk *trunk)
{
	trunk->in_username = g_strdup("pbx");
	trunk->in_password = g_strdup("s3cret");
}

static char *
challenge_param(const char *challenge, const char *name)
{
	const char *start = strstr(challenge, name);

	g_assert_nonnull(start);
	start += strlen(name) + 2;
	return g_strndup(start, strcspn(start, "\""));
}

static char *
authorization_for(const char *uri, const char *challenge, const char *password, const char *nc)
{
	g_autofree char *realm = challenge_param(challenge, "realm");
	g_autofree char *nonce = challenge_param(challenge, "nonce");
	g_autofree char *response =
		digest_response("pbx", realm, password, "INVITE", uri, nonce, "auth", nc, "c1");

	return g_strdup_printf("Authorization: Digest username=\"pbx\", realm=\"%s\", "
			       "nonce=\"%s\", uri=\"%s\", qop=auth, nc=%s, cnonce=\"c1\", "
			       "response=\"%s\", algorithm=MD5\r\n",
			       realm, nonce, uri, nc, response);
}

static char *
authorization(const char *challenge, const char *password, const char *nc)
{
	return authorization_for("sip:+14155550123@127.0.0.1", challenge, password, nc);
}

static void
in__digest(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *asked = NULL, *challenge = NULL, *right = NULL, *wrong = NULL,
			*refused = NULL, *busy = NULL, *replayed = NULL, *next = NULL, *ok = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, by_password);
	peer_invite(peer, NULL, sdp_one);
	asked = peer_wait(peer, "SIP/2.0 401");
	peer_ack(peer, asked, NULL);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_STRANGERS), ==, 0);
	challenge = message_header(asked, "WWW-Authenticate");

	wrong = authorization(challenge, "guess", "00000001");
	peer_invite(peer, wrong, sdp_one);
	refused = peer_wait(peer, "SIP/2.0 401");
	peer_ack(peer, refused, NULL);

	right = authorization(challenge, "s3cret", "00000001");
	peer_invite(peer, right, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	busy = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, busy, NULL);

	/* What was heard on the wire is worth nothing a second time. */
	peer_invite(peer, right, sdp_one);
	replayed = peer_wait(peer, "SIP/2.0 401");
	peer_ack(peer, replayed, NULL);
	next = authorization(challenge, "s3cret", "00000002");
	peer_invite(peer, next, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	ok = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, ok, NULL);
	/* who knows the password is no stranger, nor is who has tried one */
	g_assert_cmpuint(sip_counter(COUNTER_SIP_STRANGERS), ==, 0);
	g_assert_cmpuint(sip_counter(COUNTER_SIP_WRONG_PASSWORDS), ==, 1);
	g_assert_null(strstr(rig_traces(), "s3cret"));
	rig_stop();
}

/* Credentials for one number do not open another. */
static void
in__digest_for_another(void)
{
	static const char *const others[] = { "sip:+14155550199@127.0.0.1",
					      "sip:+14155550123@elsewhere.example", "sip:x", "" };
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *asked = NULL, *challenge = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, by_password);
	peer_invite(peer, NULL, sdp_one);
	asked = peer_wait(peer, "SIP/2.0 401");
	peer_ack(peer, asked, NULL);
	challenge = message_header(asked, "WWW-Authenticate");
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *line =
			authorization_for(others[i], challenge, "s3cret", "00000001");
		g_autofree char *refused = NULL;

		peer_invite(peer, line, sdp_one);
		refused = peer_wait(peer, "SIP/2.0 401");
		peer_ack(peer, refused, NULL);
	}
	rig_no_event();
	rig_stop();
}

/* --- changes --- */

static void
change__theirs_accepted_and_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *hold = NULL, *ok = NULL, *again = NULL,
			*no = NULL;
	g_autoptr(Desc) held = rig_desc(sdp_two);

	hold = peer_request(peer, "INVITE", tag, NULL, sdp_hold);
	peer_send(peer, hold);
	rig_expect("changed 40000 sendonly");
	rig_plugin->leg->answer(rig_leg, held);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40002"));
	peer_ack(peer, ok, NULL);
	rig_spin(20);
	again = peer_request(peer, "INVITE", tag, NULL, sdp_one);
	peer_send(peer, again);
	rig_expect("changed 40000 sendrecv");
	rig_plugin->leg->answer(rig_leg, NULL);
	no = peer_wait(peer, "SIP/2.0 488");
	peer_ack(peer, no, NULL);
	rig_spin(20);
	/* The call is as it was. */
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
change__update(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *update = NULL, *ok = NULL, *empty = NULL,
			*refreshed = NULL, *no = NULL, *third = NULL;
	g_autoptr(Desc) held = rig_desc(sdp_two);

	update = peer_request(peer, "UPDATE", tag, NULL, sdp_hold);
	peer_send(peer, update);
	rig_expect("changed 40000 sendonly");
	rig_plugin->leg->answer(rig_leg, held);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40002"));
	empty = peer_request(peer, "UPDATE", tag, NULL, NULL);
	peer_send(peer, empty);
	refreshed = peer_wait(peer, "SIP/2.0 200");
	g_assert_cmpstr(message_body(refreshed), ==, "");
	third = peer_request(peer, "UPDATE", tag, NULL, sdp_one);
	peer_send(peer, third);
	rig_expect("changed 40000 sendrecv");
	rig_plugin->leg->answer(rig_leg, NULL);
	no = peer_wait(peer, "SIP/2.0 488");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
change__reinvite_without_sdp(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *refresh = NULL, *ok = NULL, *moved = NULL,
			*ok2 = NULL;
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	refresh = peer_request(peer, "INVITE", tag, NULL, NULL);
	peer_send(peer, refresh);
	rig_expect("changed"); /* it wants an offer of ours */
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	g_assert_nonnull(strstr(message_body(ok), "m=audio 40002"));
	peer_ack(peer, ok, sdp_one);
	rig_expect("answered 40000 sendrecv");
	moved = peer_request(peer, "INVITE", tag, NULL, NULL);
	peer_send(peer, moved);
	rig_expect("changed");
	rig_plugin->leg->answer(rig_leg, answer);
	ok2 = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok2, sdp_hold);
	rig_expect("answered 40000 sendonly");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

/* --- keys --- */

/* The answer to it; the caller frees it. */
static char *
send_info(Peer *peer, const char *tag, const char *headers, const char *body)
{
	g_autofree char *info = peer_request(peer, "INFO", tag, headers, body);

	peer_send(peer, info);
	return peer_wait(peer, "SIP/2.0 ");
}

static void
press(Peer *peer, const char *tag, const char *type, const char *body)
{
	g_autofree char *extra = g_strdup_printf("Content-Type: %s\r\n", type);
	g_autofree char *ok = send_info(peer, tag, extra, body);

	g_assert_true(g_str_has_prefix(ok, "SIP/2.0 200"));
}

static void
keys__theirs(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);

	press(peer, tag, "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
	rig_expect("key 5");
	press(peer, tag, "application/dtmf-relay", "Signal= 11\r\n");
	rig_expect("key #");
	press(peer, tag, "application/dtmf", "*");
	rig_expect("key *");
	press(peer, tag, "Application/DTMF-Relay", "duration=160\nsignal = d\n");
	rig_expect("key D");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

#define RELAY	 "Content-Type: application/dtmf-relay\r\n"
#define PLAIN	 "Content-Type: application/dtmf\r\n"
#define ISUP	 "Content-Type: application/isup;version=ansi\r\n"
#define OPTIONAL "Content-Disposition: signal;handling=optional\r\n"
#define REQUIRED "Content-Disposition: signal;handling=required\r\n"

/* RFC 6086: what is in it, and what is said to it. */
static void
keys__refused(void)
{
	static const struct {
		const char *headers, *body, *status, *answer, *key;
	} cases[] = {
		{ RELAY, "Signal=5\r\nDuration=160\r\n", "200", NULL, "key 5" },
		{ RELAY OPTIONAL, "Signal=6\r\n", "200", NULL, "key 6" },
		{ PLAIN, "7", "200", NULL, "key 7" },
		{ RELAY, "Signal=\r\n", "400", NULL, NULL },
		{ RELAY, "Duration=160\r\n", "400", NULL, NULL },
		{ RELAY, "Signal=55\r\n", "400", NULL, NULL },
		{ PLAIN, "no key", "400", NULL, NULL },
		{ PLAIN OPTIONAL, "no key", "400", NULL, NULL },
		{ "Content-Type: text/plain\r\n", "7", "415", "Accept", NULL },
		{ ISUP, "\x01", "415", "Accept", NULL },
		{ ISUP REQUIRED, "\x01", "415", "Accept", NULL },
		{ ISUP OPTIONAL, "\x01", "200", NULL, NULL },
		{ RELAY "Content-Encoding: gzip\r\n", "x", "415", "Accept-Encoding", NULL },
		{ RELAY, NULL, "200", NULL, NULL },
		{ NULL, NULL, "200", NULL, NULL },
		{ "Info-Package: conference\r\n" PLAIN, "7", "469", "Recv-Info", NULL },
		{ "Info-Package: infoDtmf\r\n" ISUP OPTIONAL, "7", "469", "Recv-Info", NULL },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *answer = send_info(peer, tag, cases[i].headers, cases[i].body);
		g_autofree char *start = g_strconcat("SIP/2.0 ", cases[i].status, NULL);

		if (!g_str_has_prefix(answer, start))
			g_error("case %u was answered %s", i, answer);
		if (cases[i].answer) {
			g_autofree char *header = message_header(answer, cases[i].answer);

			g_assert_nonnull(header);
		}
		if (cases[i].key)
			rig_expect(cases[i].key);
		rig_no_event();
	}
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

/* Of no dialog, and before the call is answered. */
static void
keys__elsewhere(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk(), stranger = peer_new();
	g_autofree char *ringing = NULL, *tag = NULL, *first = NULL, *none = NULL, *gone = NULL,
			*busy = NULL;

	none = send_info(stranger, NULL, PLAIN, "7");
	g_assert_true(g_str_has_prefix(none, "SIP/2.0 481"));
	gone = send_info(stranger, "gone", PLAIN, "7");
	g_assert_true(g_str_has_prefix(gone, "SIP/2.0 481"));
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->ring(rig_leg, NULL);
	ringing = peer_wait(peer, "SIP/2.0 180");
	tag = message_tag(ringing, "To");
	first = send_info(peer, tag, PLAIN, "7");
	g_assert_true(g_str_has_prefix(first, "SIP/2.0 200"));
	rig_expect("key 7");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	busy = peer_wait(peer, "SIP/2.0 486");
	peer->cseq--;
	peer_ack(peer, busy, NULL);
	rig_stop();
}

static void
expect_info(Peer *peer, const char *type, const char *body, const char *answer)
{
	g_autofree char *info = peer_wait(peer, "INFO "),
			*said = message_header(info, "Content-Type");

	g_assert_cmpstr(said, ==, type);
	g_assert_true(g_str_has_prefix(message_body(info), body));
	peer_reply(peer, info, answer, NULL, NULL, NULL);
}

/* One at a time; the other form for who does not know the first; none for who
 * knows neither. */
static void
keys__ours(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer);

	for (const char *key = "12#"; *key; key++)
		rig_plugin->leg->dtmf(rig_leg, *key);
	expect_info(peer, "application/dtmf-relay", "Signal=1\r\n", "200 OK");
	expect_info(peer, "application/dtmf-relay", "Signal=2\r\n", "415 Unsupported Media Type");
	expect_info(peer, "application/dtmf", "2\r\n", "200 OK");
	expect_info(peer, "application/dtmf", "#\r\n", "405 Method Not Allowed");
	while (!strstr(rig_traces(), "405"))
		g_main_context_iteration(NULL, TRUE);
	rig_plugin->leg->dtmf(rig_leg, '4');
	expect_info(peer, "application/dtmf", "4\r\n", "200 OK");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
change__ours(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *invite = NULL, *ack = NULL, *second = NULL,
			*third = NULL, *ack2 = NULL, *ack3 = NULL, *fourth = NULL, *ack4 = NULL;
	g_autoptr(Desc) hold = rig_desc(sdp_hold);
	g_autoptr(Desc) resume = rig_desc(sdp_two);

	rig_plugin->leg->change(rig_leg, hold);
	invite = peer_wait(peer, "INVITE ");
	g_assert_nonnull(strstr(message_body(invite), "a=sendonly"));
	peer_reply(peer, invite, "200 OK", NULL, NULL, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(peer, "ACK ");

	/* Glare: tried again by itself, then accepted. */
	rig_plugin->leg->change(rig_leg, resume);
	second = peer_wait(peer, "INVITE ");
	peer_reply(peer, second, "491 Request Pending", NULL, NULL, NULL);
	ack2 = peer_wait(peer, "ACK ");
	third = peer_wait(peer, "INVITE ");
	peer_reply(peer, third, "200 OK", NULL, NULL, sdp_one);
	rig_expect("answered 40000 sendrecv");
	ack3 = peer_wait(peer, "ACK ");

	rig_plugin->leg->change(rig_leg, hold);
	fourth = peer_wait(peer, "INVITE ");
	/* A second one while that is under way is refused at once. */
	rig_plugin->leg->change(rig_leg, resume);
	rig_expect("answered refused");
	peer_reply(peer, fourth, "488 Not Acceptable Here", NULL, NULL, NULL);
	rig_expect("answered refused");
	ack4 = peer_wait(peer, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
change__glare_of_theirs(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *ours = NULL, *theirs = NULL, *pending = NULL,
			*ack = NULL;
	g_autoptr(Desc) hold = rig_desc(sdp_hold);

	rig_plugin->leg->change(rig_leg, hold);
	ours = peer_wait(peer, "INVITE ");
	theirs = peer_request(peer, "INVITE", tag, NULL, sdp_two);
	peer_send(peer, theirs);
	pending = peer_wait(peer, "SIP/2.0 491");
	peer_ack(peer, pending, NULL);
	peer_reply(peer, ours, "200 OK", NULL, NULL, sdp_one);
	rig_expect("answered 40000 sendrecv");
	ack = peer_wait(peer, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

/* --- calls out --- */

static void
out__answered(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *from = NULL, *asserted = NULL, *ack = NULL, *to = NULL,
			*agent = NULL, *forwards = NULL, *ack_again = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE sip:+14155550123@127.0.0.1:");
	from = message_header(invite, "From");
	g_assert_true(g_str_has_prefix(
		from, "\"Al \\\"Ace\\\" Smith\" <sip:+14155550100@gw.example.org>;tag="));
	asserted = message_header(invite, "P-Asserted-Identity");
	g_assert_cmpstr(asserted, ==, "\"Al \\\"Ace\\\" Smith\" <sip:+14155550100@gw.example.org>");
	agent = message_header(invite, "User-Agent");
	g_assert_true(g_str_has_prefix(agent, "tandem/"));
	forwards = message_header(invite, "Max-Forwards");
	g_assert_cmpstr(forwards, ==, "70");
	g_assert_null(strstr(invite, "Privacy:"));
	g_assert_nonnull(strstr(message_body(invite), "m=audio 40000 "));

	peer_reply(peer, invite, "100 Trying", NULL, NULL, NULL);
	peer_reply(peer, invite, "180 Ringing", "t1", NULL, NULL);
	rig_expect("ringing");
	peer_reply(peer, invite, "183 Session Progress", "t1", NULL, sdp_two);
	rig_expect("ringing 40002 sendrecv");
	peer_reply(peer, invite, "200 OK", "t1", NULL, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(peer, "ACK sip:peer@127.0.0.1:");
	/* The 200 is repeated: so is the ACK, and nobody else hears of it. */
	peer_reply(peer, invite, "200 OK", "t1", NULL, sdp_two);
	ack_again = peer_wait(peer, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, "Q.850");
	rig_stop();
}

static void
over_tcp(Trunk *trunk)
{
	g_free(trunk->transport);
	trunk->transport = g_strdup("tcp");
}

static void
out__tcp(void)
{
	g_autoptr(Peer) peer = peer_new_tcp();
	g_autofree char *invite = NULL, *ack = NULL, *via = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, over_tcp);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	via = message_header(invite, "Via");
	g_assert_true(g_str_has_prefix(via, "SIP/2.0/TCP "));
	peer_reply(peer, invite, "200 OK", "t", NULL, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(peer, "ACK ");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

/* The dialog goes to the Contact, not back to the proxy that brought it. */
static void
out__dialog_moves_to_contact(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Peer) far = peer_new();
	g_autofree char *invite = NULL, *ack = NULL, *contact = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	contact = g_strdup_printf("Contact: <sip:far@127.0.0.1:%u>\r\n", far->port);
	peer_reply(peer, invite, "200 OK", "t", contact, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(far, "ACK sip:far@127.0.0.1:");
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(far, NULL);
	rig_stop();
}

/* The cause of the telephone network behind a status that says little. */
static void
out__reason_header_tells_more(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *other = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "503 Service Unavailable", "t", "Reason: Q.850;cause=1\r\n", NULL);
	rig_expect("ended not-found 503 Service Unavailable");
	rig_dial("carrier", "+14155550123", NULL);
	other = peer_wait(peer, "INVITE ");
	peer_reply(peer, other, "486 Busy Here", "t", "Reason: Q.850;cause=127\r\n", NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

/* What RFC 6442, RFC 5806 and RFC 7044 want to be told, and no more of the next call. */
static void
out__about(void)
{
	static const char *const headers[][2] = {
		{ "Geolocation", "<https://lis.example.org/anna>" },
		{ "Geolocation-Routing", "yes" },
		{ "Diversion", "<sip:+14155550100@gw.example.org>;reason=user-busy;counter=1" },
		{ "History-Info", "<sip:+14155550100@gw.example.org>;index=1, "
				  "<sip:+14155550123@gw.example.org;cause=486>;index=1.1;mp=1" },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	Emergency help = { (char *)"https://lis.example.org/anna" };
	Diversion busy = { .who = (char *)"+14155550100", .as = REASON_BUSY };

	for (guint ordinary = 0; ordinary < 2; ordinary++) {
		g_autofree char *invite = NULL;

		rig_target = ordinary ? (Target){ 0 }
				      : (Target){ .emergency = &help, .diversion = &busy };
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
			g_autofree char *value = message_header(invite, headers[i][0]);

			g_assert_cmpstr(value, ==, ordinary ? NULL : headers[i][1]);
		}
		peer_reply(peer, invite, "486 Busy Here", "t", NULL, NULL);
		rig_expect("ended busy 486 Busy Here");
	}
	rig_stop();
}

/* Those who have sent it on before stay in it. */
static void
out__diverted_again(void)
{
	static char *before[] = { (char *)"+14155550102", (char *)"493012;3", NULL };
	static const char *const headers[][2] = {
		{ "Diversion", "<sip:+14155550100@gw.example.org>;reason=unconditional;counter=1, "
			       "<sip:493012%3B3@gw.example.org>;reason=unknown;counter=1, "
			       "<sip:+14155550102@gw.example.org>;reason=unknown;counter=1" },
		{ "History-Info",
		  "<sip:+14155550102@gw.example.org>;index=1, "
		  "<sip:493012%3B3@gw.example.org>;index=1.1;mp=1, "
		  "<sip:+14155550100@gw.example.org>;index=1.1.1;mp=1, "
		  "<sip:+14155550123@gw.example.org;cause=302>;index=1.1.1.1;mp=1" },
	};
	Diversion diversion = { .who = (char *)"+14155550100", .before = before };
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL;

	rig_target = (Target){ .diversion = &diversion };
	rig_dial("carrier", "+14155550123", NULL);
	rig_target = (Target){ 0 };
	invite = peer_wait(peer, "INVITE ");
	for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
		g_autofree char *value = message_header(invite, headers[i][0]);

		g_assert_cmpstr(value, ==, headers[i][1]);
	}
	peer_reply(peer, invite, "482 Loop Detected", "t", NULL, NULL);
	rig_expect("ended loop 482 Loop Detected");
	rig_stop();
}

/* By value; a carrier that cannot take it is called without. */
static void
out__location(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *again = NULL, *geolocation = NULL, *type = NULL;
	g_autofree char *none = NULL, *plain = NULL, *id = NULL;
	Emergency help = { (char *)"country=DE;A3=Berlin;RD=A&B-Straße;HNO=1" };
	const char *end;

	rig_target = (Target){ .emergency = &help };
	rig_dial("carrier", "112", NULL);
	rig_target = (Target){ 0 };
	invite = peer_wait(peer, "INVITE ");
	geolocation = message_header(invite, "Geolocation");
	g_assert_true(g_str_has_prefix(geolocation, "<cid:"));
	end = strchr(geolocation, '>');
	id = g_strdup_printf("Content-ID: <%.*s>\r\n", (int)(end - geolocation - 5),
			     geolocation + 5);
	g_assert_nonnull(strstr(message_body(invite), id));
	type = message_header(invite, "Content-Type");
	g_assert_true(g_str_has_prefix(type, "multipart/mixed;boundary="));
	g_assert_nonnull(strstr(message_body(invite), "Content-Type: application/sdp\r\n\r\nv=0"));
	g_assert_nonnull(strstr(message_body(invite), "<cl:RD>A&amp;B-Straße</cl:RD>"));
	g_assert_nonnull(
		strstr(message_body(invite), "entity=\"sip:+14155550100@gw.example.org\""));
	peer_reply(peer, invite, "415 Unsupported Media Type", "t", NULL, NULL);
	again = peer_wait(peer, "INVITE ");
	none = message_header(again, "Geolocation");
	g_assert_null(none);
	plain = message_header(again, "Content-Type");
	g_assert_cmpstr(plain, ==, "application/sdp");
	peer_reply(peer, again, "415 Unsupported Media Type", "t2", NULL, NULL);
	rig_expect("ended incompatible 415 Unsupported Media Type");
	rig_stop();
}

static void
out__anonymous(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Address) nobody = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	g_autofree char *invite = NULL, *from = NULL, *privacy = NULL;

	rig_dial("carrier", "+14155550123", nobody);
	invite = peer_wait(peer, "INVITE ");
	from = message_header(invite, "From");
	g_assert_true(
		g_str_has_prefix(from, "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
	privacy = message_header(invite, "Privacy");
	g_assert_cmpstr(privacy, ==, "id");
	g_assert_null(strstr(invite, "P-Asserted-Identity"));
	peer_reply(peer, invite, "486 Busy Here", "t", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

static void
out__carrier_refusals(void)
{
	static const struct {
		const char *status, *extra;
		Reason reason; /* REASON_NONE: what sip_reason.c says of the status */
	} cases[] = {
		{ "403 Forbidden", NULL, REASON_NONE },
		{ "404 Not Found", NULL, REASON_NONE },
		{ "408 Request Timeout", NULL, REASON_NONE },
		{ "480 Temporarily Unavailable", NULL, REASON_NONE },
		{ "484 Address Incomplete", NULL, REASON_NONE },
		{ "486 Busy Here", NULL, REASON_NONE },
		{ "486 Busy Here", "Retry-After: 1\r\n", REASON_NONE },
		{ "487 Request Terminated", NULL, REASON_NONE },
		{ "488 Not Acceptable Here", NULL, REASON_NONE },
		{ "500 Server Internal Error", NULL, REASON_NONE },
		{ "503 Service Unavailable", NULL, REASON_NONE },
		{ "603 Decline", NULL, REASON_NONE },
		{ "302 Moved Temporarily", "Contact: <sip:thief@127.0.0.1:9>\r\n", REASON_NONE },
		{ "422 Session Interval Too Small", "Min-SE: 90\r\n", REASON_NONE },
		{ "401 Unauthorized", NULL, REASON_NONE },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint status = (guint)atoi(cases[i].status);
		g_autofree char *invite = NULL, *ack = NULL, *expected = NULL;

		expected =
			g_strdup_printf("ended %s %s", reason_name(sip_reason_from_status(status)),
					cases[i].status);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, cases[i].status, "t", cases[i].extra, NULL);
		rig_expect(expected);
		ack = peer_wait(peer, "ACK ");
	}
	rig_spin(1200); /* longer than that Retry-After */
	g_assert_false(peer_has(peer, "INVITE "));
	rig_stop();
}

static void
with_account(Trunk *trunk)
{
	trunk->username = g_strdup("acct");
	trunk->password = g_strdup("pa55");
}

/* RFC 7616 3.9.1 and RFC 2617 3.5. */
static void
out__digest_arithmetic(void)
{
	DigestQuestion question = {
		DIGEST_MD5,	   FALSE,
		"Mufasa",	   "http-auth@example.org",
		"Circle of Life",  "GET",
		"/dir/index.html", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		"00000001",	   "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	};
	g_autofree char *md5 = credentials_response(&question);
	g_autofree char *sha256 =
		(question.algorithm = DIGEST_SHA256, credentials_response(&question));

	g_assert_cmpstr(md5, ==, "8ca523f5e9506fed4657c9700eebdbec");
	g_assert_cmpstr(sha256, ==,
			"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/* A server whose nonce is used up and does not say stale=true: not a refusal. */
static void
out__digest_renewed(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *bye = NULL, *again = NULL, *auth = NULL,
			*nonce = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, with_account);
	rig_dial("carrier", "+14155550123", NULL);
	first = peer_wait(peer, "INVITE ");
	peer_reply(peer, first, "407 Proxy Authentication Required", "t0",
		   "Proxy-Authenticate: Digest realm=\"voip\", nonce=\"n1\"\r\n", NULL);
	second = peer_wait(peer, "INVITE ");
	auth = message_header(second, "Proxy-Authorization");
	g_assert_nonnull(strstr(auth, "nonce=\"n1\""));
	g_assert_null(strstr(auth, "qop"));
	peer_reply(peer, second, "200 OK", "t1", NULL, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(peer, "ACK "));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(peer, "BYE ");
	peer_reply(peer, bye, "407 Proxy Authentication Required", "t1",
		   "Proxy-Authenticate: Digest realm=\"voip\", nonce=\"n2\"\r\n", NULL);
	again = peer_wait(peer, "BYE ");
	g_free(auth);
	auth = message_header(again, "Proxy-Authorization");
	nonce = challenge_param(auth, " nonce");
	g_assert_cmpstr(nonce, ==, "n2");
	peer_reply(peer, again, "200 OK", "t1", NULL, NULL);
	rig_stop();
}

/* The challenge crosses the CANCEL: nothing rings after all. */
static void
out__digest_too_late(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, with_account);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	rig_plugin->leg->hangup(rig_leg, REASON_CANCELLED, NULL);
	peer_reply(peer, invite, "407 Proxy Authentication Required", "t0",
		   "Proxy-Authenticate: Digest realm=\"voip\", nonce=\"n1\"\r\n", NULL);
	g_free(peer_wait(peer, "ACK "));
	rig_spin(300);
	g_assert_false(peer_has(peer, "INVITE "));
	rig_stop();
}

static void
out__digest(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *auth = NULL, *ack = NULL, *nonce = NULL,
			*cnonce = NULL, *uri = NULL, *said = NULL, *expected = NULL, *ack2 = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, with_account);
	rig_dial("carrier", "+14155550123", NULL);
	first = peer_wait(peer, "INVITE ");
	/* RFC 8760: the stronger one is offered beside the one everybody knows. */
	peer_reply(peer, first, "401 Unauthorized", "t0",
		   "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n1\", algorithm=SHA-256, "
		   "qop=\"auth\"\r\n"
		   "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n2\", algorithm=MD5, "
		   "qop=\"auth\"\r\n",
		   NULL);
	ack = peer_wait(peer, "ACK ");
	second = peer_wait(peer, "INVITE ");
	auth = message_header(second, "Authorization");
	g_assert_nonnull(auth);
	nonce = challenge_param(auth, " nonce");
	g_assert_cmpstr(nonce, ==, "n1");
	g_assert_nonnull(strstr(auth, "algorithm=SHA-256"));
	cnonce = challenge_param(auth, "cnonce");
	uri = challenge_param(auth, "uri");
	said = challenge_param(auth, "response");
	expected = credentials_response(&(DigestQuestion){ DIGEST_SHA256, FALSE, "acct", "voip",
							   "pa55", "INVITE", uri, "n1", "00000001",
							   cnonce });
	g_assert_cmpstr(said, ==, expected);
	/* The password was wrong: the end, not a loop. */
	peer_reply(peer, second, "401 Unauthorized", "t0",
		   "WWW-Authenticate: Digest realm=\"voip\", nonce=\"n3\", algorithm=SHA-256, "
		   "qop=\"auth\"\r\n",
		   NULL);
	ack2 = peer_wait(peer, "ACK ");
	rig_expect("ended not-authorized 401 Unauthorized");
	g_assert_null(strstr(rig_traces(), "pa55"));
	rig_stop();
}

static void
out__cancelled(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *cancel = NULL, *ack = NULL, *second = NULL,
			*cancel2 = NULL, *bye = NULL, *ack2 = NULL;

	/* Before any response: the CANCEL comes right after the first. */
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	rig_plugin->leg->hangup(rig_leg, REASON_CANCELLED, NULL);
	rig_spin(100);
	g_assert_false(peer_has(peer, "CANCEL "));
	peer_reply(peer, invite, "100 Trying", NULL, NULL, NULL);
	cancel = peer_wait(peer, "CANCEL ");
	peer_reply(peer, cancel, "200 OK", "t", NULL, NULL);
	peer_reply(peer, invite, "487 Request Terminated", "t", NULL, NULL);
	ack = peer_wait(peer, "ACK ");

	/* Answered in the same moment: confirmed, then ended. */
	rig_dial("carrier", "+14155550123", NULL);
	second = peer_wait(peer, "INVITE ");
	peer_reply(peer, second, "180 Ringing", "t", NULL, NULL);
	rig_expect("ringing");
	rig_plugin->leg->hangup(rig_leg, REASON_CANCELLED, NULL);
	cancel2 = peer_wait(peer, "CANCEL ");
	peer_reply(peer, cancel2, "200 OK", "t", NULL, NULL);
	peer_reply(peer, second, "200 OK", "t", NULL, sdp_two);
	ack2 = peer_wait(peer, "ACK ");
	expect_bye(peer, NULL);
	rig_stop();
}

static void
out__forks(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *ack = NULL, *ack_late = NULL, *bye = NULL, *to = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "183 Session Progress", "one", NULL, sdp_one);
	rig_expect("ringing 40000 sendrecv");
	peer_reply(peer, invite, "183 Session Progress", "two", NULL, sdp_two);
	rig_expect("ringing 40002 sendrecv");
	peer_reply(peer, invite, "200 OK", "two", NULL, sdp_two);
	rig_expect("answered 40002 sendrecv");
	ack = peer_wait(peer, "ACK ");
	/* The other branch answers too late: confirmed and hung up. */
	peer_reply(peer, invite, "200 OK", "one", NULL, sdp_one);
	ack_late = peer_wait(peer, "ACK ");
	bye = peer_wait(peer, "BYE ");
	to = message_tag(bye, "To");
	g_assert_cmpstr(to, ==, "one");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_no_event();
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

static void
out__answer_without_sdp(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *ack = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", "t", NULL, NULL);
	rig_expect_start("failed incompatible");
	ack = peer_wait(peer, "ACK ");
	expect_bye(peer, NULL);
	rig_stop();
}

static void
out__nobody_there(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	gint64 start = g_get_monotonic_time();

	rig_trunk("dead", 9, NULL); /* refused by ICMP on loopback */
	rig_dial("dead", "+14155550123", NULL);
	rig_expect("failed network-error not reached: Connection refused");
	g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
	rig_dial("none", "+14155550123", NULL);
	rig_expect("failed network-error");
	rig_stop();
}

static void
with_a_name(Trunk *trunk)
{
	g_free(trunk->host);
	trunk->host = g_strdup("localhost");
}

static void
no_such_name(Trunk *trunk)
{
	g_free(trunk->host);
	/* A label of 64 characters: no name, and no server has to be asked. */
	trunk->host = g_strdup(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid");
}

static void
out__host_names(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL;

	rig_start();
	rig_trunk("named", peer->port, with_a_name);
	rig_dial("named", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE sip:+14155550123@localhost:");
	peer_reply(peer, invite, "486 Busy Here", "t", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_trunk("lost", peer->port, no_such_name);
	rig_dial("lost", "+14155550123", NULL);
	rig_expect("failed network-error no name");
	rig_stop();
}

/* --- after a crash --- */

static void
bury__says_bye(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *saved = NULL, *bye = NULL, *call_id = NULL,
			*from_tag = NULL, *to_tag = NULL;

	saved = rig_plugin->leg->save(rig_leg);
	g_assert_nonnull(saved);
	g_assert_null(strpbrk(saved, "\t\r\n"));
	/* Another process: this one forgets the call without a word of BYE. */
	rig_stop();
	bye = peer_wait(peer, "BYE ");
	g_clear_pointer(&bye, g_free);
	while (peer_has(peer, "BYE ")) {
		bye = peer_wait(peer, "BYE ");
		g_clear_pointer(&bye, g_free);
	}
	rig_start();
	rig_plugin->leg->bury(saved, REASON_CRASHED);
	bye = peer_wait(peer, "BYE sip:peer@127.0.0.1:");
	call_id = message_header(bye, "Call-ID");
	from_tag = message_tag(bye, "From");
	to_tag = message_tag(bye, "To");
	g_assert_cmpstr(call_id, ==, peer->call_id);
	g_assert_cmpstr(from_tag, ==, tag);
	g_assert_cmpstr(to_tag, ==, peer->tag);
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_plugin->leg->bury("nonsense", REASON_CRASHED);
	rig_stop();
}

static void
bury__call_out_with_routes(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *invite = NULL, *saved = NULL, *extra = NULL, *bye = NULL, *route = NULL,
			*cseq = NULL, *bye_cseq = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	extra = g_strdup_printf("Record-Route: <sip:127.0.0.1:9;lr>, <sip:127.0.0.1:%u;lr>\r\n",
				peer->port);
	peer_reply(peer, invite, "200 OK", "far", extra, sdp_two);
	rig_expect("answered 40002 sendrecv");
	saved = rig_plugin->leg->save(rig_leg);
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
	rig_start();
	rig_plugin->leg->bury(saved, REASON_CRASHED);
	bye = peer_wait(peer, "BYE sip:peer@127.0.0.1:");
	route = message_header(bye, "Route");
	g_free(extra);
	extra = g_strdup_printf("<sip:127.0.0.1:%u;lr>", peer->port);
	g_assert_true(g_str_has_prefix(route, extra));
	/* RFC 3261 12.2.2: a lower one is answered by 500, and nothing ends */
	cseq = message_header(invite, "CSeq");
	bye_cseq = message_header(bye, "CSeq");
	g_assert_cmpuint(g_ascii_strtoull(bye_cseq, NULL, 10), >, g_ascii_strtoull(cseq, NULL, 10));
	g_assert_cmpuint(g_ascii_strtoull(bye_cseq, NULL, 10), <, 1u << 31);
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

/* --- other methods --- */

static void
other__methods(void)
{
	static const struct {
		const char *method, *status, *extra;
	} cases[] = {
		{ "OPTIONS", "SIP/2.0 200", NULL },
		{ "REGISTER", "SIP/2.0 401", NULL },
		{ "MESSAGE", "SIP/2.0 403", NULL },
		{ "SUBSCRIBE", "SIP/2.0 405", "Event: presence\r\n" },
		{ "PUBLISH", "SIP/2.0 405", "Event: presence\r\n" },
		{ "REFER", "SIP/2.0 603", "Refer-To: <sip:x@127.0.0.1>\r\n" },
		{ "NOTIFY", "SIP/2.0 405", "Event: refer\r\n" },
		{ "JUGGLE", "SIP/2.0 501", NULL },
		{ "BYE", "SIP/2.0 481", NULL },
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *request = peer_request(peer, cases[i].method,
							strcmp(cases[i].method, "BYE") ? NULL : "x",
							cases[i].extra, NULL);
		g_autofree char *response = NULL, *allow = NULL, *accept = NULL;

		peer_send(peer, request);
		response = peer_wait(peer, "SIP/2.0 ");
		g_test_message("%s: %.30s", cases[i].method, response);
		g_assert_true(g_str_has_prefix(response, cases[i].status));
		allow = message_header(response, "Allow");
		g_assert_nonnull(allow);
		accept = message_header(response, "Accept");
		if (i == 0)
			g_assert_true(g_str_has_prefix(accept, "application/sdp"));
	}
	rig_stop();
}

static void
other__in_dialog(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *tag = rig_call_in(peer), *info = NULL, *ok = NULL, *refer = NULL,
			*no = NULL, *options = NULL, *alive = NULL;

	info = peer_request(peer, "INFO", tag, NULL, NULL);
	peer_send(peer, info);
	ok = peer_wait(peer, "SIP/2.0 200");
	refer = peer_request(peer, "REFER", tag, "Refer-To: <sip:x@127.0.0.1>\r\n", NULL);
	peer_send(peer, refer);
	no = peer_wait(peer, "SIP/2.0 603"); /* of a carrier */
	options = peer_request(peer, "OPTIONS", tag, NULL, NULL);
	peer_send(peer, options);
	alive = peer_wait(peer, "SIP/2.0 200");
	rig_no_event();
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	expect_bye(peer, NULL);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Two tests provoke a warning; a critical is still the end. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/sip/in/ring-answer-hangup", in__ring_answer_hangup);
	g_test_add_func("/sip/in/addresses", in__addresses);
	g_test_add_func("/sip/in/diverted", in__diverted);
	g_test_add_func("/sip/in/tcp", in__tcp);
	g_test_add_func("/sip/in/contact-with-a-name", in__contact_with_a_name);
	g_test_add_func("/sip/in/early-media", in__early_media);
	g_test_add_func("/sip/in/required-100rel", in__required_100rel_is_given);
	g_test_add_func("/sip/in/bye", in__bye_of_the_caller);
	g_test_add_func("/sip/in/cancel", in__cancel);
	g_test_add_func("/sip/in/offerless", in__offerless);
	g_test_add_func("/sip/in/offerless-unanswered", in__offerless_without_answer_ends);
	g_test_add_func("/sip/in/bad-sdp", in__bad_sdp_is_refused);
	g_test_add_func("/sip/in/other-bodies", in__other_bodies_are_refused);
	g_test_add_func("/sip/in/hangup-before-ack", in__hangup_before_ack_waits_for_it);
	g_test_add_func("/sip/in/reasons", in__every_reason_has_its_status);
	g_test_add_func("/sip/in/stranger", in__stranger);
	g_test_add_func("/sip/in/digest", in__digest);
	g_test_add_func("/sip/in/digest-for-another", in__digest_for_another);
	g_test_add_func("/sip/keys/theirs", keys__theirs);
	g_test_add_func("/sip/keys/ours", keys__ours);
	g_test_add_func("/sip/keys/refused", keys__refused);
	g_test_add_func("/sip/keys/elsewhere", keys__elsewhere);
	g_test_add_func("/sip/change/theirs", change__theirs_accepted_and_refused);
	g_test_add_func("/sip/change/update", change__update);
	g_test_add_func("/sip/change/without-sdp", change__reinvite_without_sdp);
	g_test_add_func("/sip/change/ours", change__ours);
	g_test_add_func("/sip/change/glare", change__glare_of_theirs);
	g_test_add_func("/sip/out/answered", out__answered);
	g_test_add_func("/sip/out/tcp", out__tcp);
	g_test_add_func("/sip/out/contact", out__dialog_moves_to_contact);
	g_test_add_func("/sip/out/reason-header", out__reason_header_tells_more);
	g_test_add_func("/sip/out/about", out__about);
	g_test_add_func("/sip/out/diverted-again", out__diverted_again);
	g_test_add_func("/sip/out/location", out__location);
	g_test_add_func("/sip/out/anonymous", out__anonymous);
	g_test_add_func("/sip/out/refusals", out__carrier_refusals);
	g_test_add_func("/sip/out/digest", out__digest);
	g_test_add_func("/sip/out/digest-arithmetic", out__digest_arithmetic);
	g_test_add_func("/sip/out/digest-too-late", out__digest_too_late);
	g_test_add_func("/sip/out/digest-renewed", out__digest_renewed);
	g_test_add_func("/sip/out/cancelled", out__cancelled);
	g_test_add_func("/sip/out/forks", out__forks);
	g_test_add_func("/sip/out/no-sdp", out__answer_without_sdp);
	g_test_add_func("/sip/out/nobody-there", out__nobody_there);
	g_test_add_func("/sip/out/host-names", out__host_names);
	g_test_add_func("/sip/bury/says-bye", bury__says_bye);
	g_test_add_func("/sip/bury/routes", bury__call_out_with_routes);
	g_test_add_func("/sip/other/methods", other__methods);
	g_test_add_func("/sip/other/in-dialog", other__in_dialog);
	return g_test_run();
}
