/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-hostile.c - the SIP plugin and peers that mean harm, or are broken.
 *
 * Every header that is known to bring sofia down, in every message it may stand
 * in.  test-sip-guard.c shows that it does, test-sip-storm.c mutates at random.
 */
#include "tests/legs/sip-rig.h"
#include <string.h>

/* What a Contact or Record-Route must not be. */
static const char *const uris[] = {
	"<urn:x:y>",	"<foo>",       "*",	 "<tel:+14155550100>",
	"<mailto:a@b>", "<http://x/>", "<sip:>", /* last: no response with it gets past the parser
						  */
};

static const char *const headers[] = { "Contact", "Record-Route" };

static char *
hostile_line(guint i)
{
	return g_strdup_printf("%s: %s\r\n", headers[i % G_N_ELEMENTS(headers)],
			       uris[i / G_N_ELEMENTS(headers)]);
}

#define N_HOSTILE (G_N_ELEMENTS(uris) * G_N_ELEMENTS(headers))

static void
requests_are_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) answer = rig_desc(sdp_two);

	for (guint i = 0; i < N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i), *bad = NULL, *ok = NULL, *tag = NULL,
				*again = NULL, *again_bad = NULL, *update = NULL, *bad3 = NULL;

		peer_invite(peer, line, sdp_one);
		bad = peer_wait(peer, "SIP/2.0 4");
		g_assert_true(g_str_has_prefix(bad, "SIP/2.0 400"));
		peer_ack(peer, bad, NULL);
		rig_no_event();
		/* Inside a dialog they would poison its route set. */
		peer_invite(peer, NULL, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		peer_ack(peer, ok, NULL);
		tag = message_tag(ok, "To");
		again = peer_request(peer, "INVITE", tag, line, sdp_one);
		peer_send(peer, again);
		again_bad = peer_wait(peer, "SIP/2.0 400");
		update = peer_request(peer, "UPDATE", tag, line, sdp_one);
		peer_send(peer, update);
		bad3 = peer_wait(peer, "SIP/2.0 400");
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		rig_answer_bye(peer);
	}
	rig_stop();
}

/* A message cut off before the empty line that ends its headers: complete to
 * sofia when a datagram ends there. */
static char *
without_end(char *message)
{
	message[strlen(message) - 2] = '\0';
	return message;
}

static void
cut_requests_are_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i), *request = NULL, *bad = NULL;

		g_free(peer->call_id);
		peer->call_id = g_uuid_string_random();
		request = peer_request(peer, "INVITE", NULL, line, NULL);
		peer_send(peer, without_end(request));
		bad = peer_wait(peer, "SIP/2.0 4");
		g_assert_true(g_str_has_prefix(bad, "SIP/2.0 400"));
		rig_no_event();
	}
	rig_stop();
}

/* While it rings there is no harm in it.  An answer cannot be gone on with:
 * the call ends at once, on both sides. */
static void
responses_do_no_harm(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < 2 * N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i / 2), *invite = NULL, *ack = NULL;
		g_autofree char *ringing = NULL, *ok = NULL, *bye = NULL;

		if (strstr(line, "Contact: <tel:")) /* see numbers_are_no_target() */
			continue;
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		ringing = peer_reply_text(peer, invite, "180 Ringing", "t", line, NULL);
		ok = peer_reply_text(peer, invite, "200 OK", "t", line, i % 2 ? NULL : sdp_one);
		peer_send(peer, i % 2 ? without_end(ringing) : ringing);
		peer_send(peer, i % 2 ? without_end(ok) : ok);
		rig_expect("ringing");
		rig_expect("failed protocol-error");
		ack = peer_wait(peer, "ACK ");
		bye = peer_wait(peer, "BYE ");
		peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	}
	rig_stop();
}

/* A refusal is one, whatever its Contact. */
static void
refusals_count(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i), *invite = NULL, *ack = NULL;

		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "486 Busy Here", "t", line, NULL);
		ack = peer_wait(peer, "ACK ");
		rig_expect("ended busy 486 Busy Here");
	}
	rig_stop();
}

/* The answer to a re-INVITE of ours: the other side stays where it was. */
static void
changes_go_on(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autoptr(Desc) held = rig_desc(sdp_hold);

	for (guint i = 0; i < N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i), *invite = NULL, *tag = NULL, *ack = NULL;

		if (strstr(line, "Contact: <tel:"))
			continue;
		tag = rig_call_in(peer);
		rig_plugin->leg->change(rig_leg, held);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "200 OK", NULL, line, sdp_one);
		rig_expect("answered 40000 sendrecv");
		ack = peer_wait(peer, "ACK sip:peer@127.0.0.1:");
		rig_end_call(peer);
	}
	rig_stop();
}

/* A number for a Contact: the answer counts, and what follows goes to where it came from. */
static void
numbers_are_no_target(void)
{
	static const char *const lines[] = {
		"Contact: <tel:+14155550100>\r\n",
		"Contact: tel:+14155550100;phone-context=x\r\n",
		"Contact: \"A\" <tel:911;phone-context=+1>;expires=5\r\n",
	};
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *invite = NULL, *ack = NULL, *uri = NULL;

		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "180 Ringing", "t", lines[i], NULL);
		rig_expect("ringing");
		peer_reply(peer, invite, "200 OK", "t", lines[i], sdp_one);
		rig_expect("answered 40000 sendrecv");
		uri = g_strdup_printf("ACK sip:%s@127.0.0.1:%u ", i < 2 ? "+14155550100" : "911",
				      peer->port);
		ack = peer_wait(peer, uri);
		g_assert_nonnull(strstr(rig_traces(), "the Contact is not a SIP address"));
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		rig_answer_bye(peer);
	}
	rig_stop();
}

/* Without a Contact the From is the target (RFC 2543).  When it is none either and
 * no ACK comes for 32 s, sofia's own BYE would recurse without end. */
static void
from_is_no_target(void)
{
	static const char *const from[] = { "<tel:+12125550199>", "<urn:x:y>", "\\", "<sip:>",
					    "*" };
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(from); i++) {
		g_autofree char *request = NULL, *bad = NULL, *other = NULL;
		g_autoptr(GString) text = NULL;

		g_free(peer->call_id);
		peer->call_id = g_uuid_string_random();
		request = peer_request(peer, "INVITE", NULL, NULL, sdp_one);
		text = g_string_new(request);
		other = g_strconcat("From: ", from[i], NULL);
		g_string_replace(text, "Contact:", "X-Contact:", 1);
		g_string_replace(text, "From: \"Bob \\\"B\\\"\" <sip:+12125550199@carrier.example>",
				 other, 1);
		peer_send(peer, text->str);
		bad = peer_wait(peer, "SIP/2.0 4");
		g_assert_true(g_str_has_prefix(bad, "SIP/2.0 400"));
		peer_ack(peer, bad, NULL);
		rig_no_event();
	}
	rig_stop();
}

/* What is meant for who dials a URI by hand is in no request of ours, and keeps none back. */
static void
headers_of_a_target_are_not_used(void)
{
	static const char *const starts[] = { "Contact: <sip:x@127.0.0.1:",
					      "Record-Route: <sip:127.0.0.1:" };
	static const char *const ends[] = { "?q",
					    "?CSeq=junk",
					    "?Route=%3Csip:192.0.2.1%3E",
					    "?Via=a&Call-ID=b&From=c",
					    ";lr?To=junk",
					    "?Contact=*" };
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autoptr(Desc) answer = rig_desc(sdp_two);
		g_autofree char *line = NULL, *ok = NULL, *invite = NULL, *ack = NULL;

		line = g_strdup_printf("%s%u%s>\r\n", starts[i / 4], peer->port, ends[i]);
		g_test_message("%s", line);
		peer_invite(peer, line, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		peer_ack(peer, ok, NULL);
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		rig_answer_bye(peer);
		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "200 OK", "t", line, sdp_one);
		rig_expect("answered 40000 sendrecv");
		ack = peer_wait(peer, "ACK ");
		g_assert_null(strchr(ack, '?'));
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		rig_answer_bye(peer);
	}
	rig_stop();
}

/* sofia keeps the second of a header that may be there once among the errors of the
 * message, as what it is. */
static void
doubled_headers_do_no_harm(void)
{
	static const char *const lines[] = { "User-Agent: a", "Subject: b", "Organization: c" };
	g_autoptr(Peer) peer = rig_start_with_trunk();

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *twice = g_strdup_printf("%s\r\n%s\r\n", lines[i], lines[i]);
		g_autofree char *busy = NULL;

		peer_invite(peer, twice, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		busy = peer_wait(peer, "SIP/2.0 486");
		peer_ack(peer, busy, NULL);
	}
	rig_stop();
}

/* The answer to a request never goes where its Via would have it. */
static void
maddr_is_refused(void)
{
	g_autoptr(Peer) peer = rig_start_with_trunk();
	g_autofree char *request = peer_request(peer, "OPTIONS", NULL, NULL, NULL);
	g_autoptr(GString) text = g_string_new(request);

	g_string_replace(text, ";rport", ";maddr=victim.invalid;rport", 1);
	peer_send(peer, text->str);
	rig_spin(50);
	g_assert_false(peer_has(peer, "SIP/2.0 200"));
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/hostile/requests", requests_are_refused);
	g_test_add_func("/sip/hostile/responses", responses_do_no_harm);
	g_test_add_func("/sip/hostile/refusals", refusals_count);
	g_test_add_func("/sip/hostile/changes", changes_go_on);
	g_test_add_func("/sip/hostile/numbers", numbers_are_no_target);
	g_test_add_func("/sip/hostile/cut-requests", cut_requests_are_refused);
	g_test_add_func("/sip/hostile/from", from_is_no_target);
	g_test_add_func("/sip/hostile/headers-of-a-target", headers_of_a_target_are_not_used);
	g_test_add_func("/sip/hostile/doubled", doubled_headers_do_no_harm);
	g_test_add_func("/sip/hostile/maddr", maddr_is_refused);
	return g_test_run();
}
