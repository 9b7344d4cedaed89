/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-hostile.c - the SIP plugin and peers that mean harm, or are broken.
 *
 * First every header that is known to bring sofia down, in every message it may
 * stand in; then a storm of mutated requests and responses from a fixed seed.
 * test-sip-unguarded.c shows that the first kind does bring it down.
 */
#include "tests/legs/sip-rig.h"
#include <string.h>

#define STORM 2000

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

static Peer *
start_with_trunk(void)
{
	Peer *peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	return peer;
}

static void
answer_bye(Peer *peer)
{
	g_autofree char *bye = peer_wait(peer, "BYE ");

	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
}

static void
requests_are_refused(void)
{
	g_autoptr(Peer) peer = start_with_trunk();
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
		rig_plugin->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		peer_ack(peer, ok, NULL);
		tag = message_tag(ok, "To");
		again = peer_request(peer, "INVITE", tag, line, sdp_one);
		peer_send(peer, again);
		again_bad = peer_wait(peer, "SIP/2.0 400");
		update = peer_request(peer, "UPDATE", tag, line, sdp_one);
		peer_send(peer, update);
		bad3 = peer_wait(peer, "SIP/2.0 400");
		rig_plugin->hangup(rig_leg, REASON_HANGUP, NULL);
		answer_bye(peer);
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
	g_autoptr(Peer) peer = start_with_trunk();

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

/* It is as if they had not been sent: the honest one after them is the answer. */
static void
responses_do_no_harm(void)
{
	g_autoptr(Peer) peer = start_with_trunk();

	for (guint i = 0; i < 2 * N_HOSTILE; i++) {
		g_autofree char *line = hostile_line(i / 2), *invite = NULL, *ack = NULL;
		g_autofree char *ringing = NULL, *ok = NULL;

		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		ringing = peer_reply_text(peer, invite, "180 Ringing", "t", line, NULL);
		ok = peer_reply_text(peer, invite, "200 OK", "t", line, i % 2 ? NULL : sdp_one);
		peer_send(peer, i % 2 ? without_end(ringing) : ringing);
		peer_send(peer, i % 2 ? without_end(ok) : ok);
		peer_reply(peer, invite, "200 OK", "t", NULL, sdp_two);
		rig_expect("answered 40002 sendrecv");
		ack = peer_wait(peer, "ACK ");
		rig_plugin->hangup(rig_leg, REASON_HANGUP, NULL);
		answer_bye(peer);
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
	g_autoptr(Peer) peer = start_with_trunk();

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

/* The answer to a request never goes where its Via would have it. */
static void
maddr_is_refused(void)
{
	g_autoptr(Peer) peer = start_with_trunk();
	g_autofree char *request = peer_request(peer, "OPTIONS", NULL, NULL, NULL);
	g_autoptr(GString) text = g_string_new(request);

	g_string_replace(text, ";rport", ";maddr=victim.invalid;rport", 1);
	peer_send(peer, text->str);
	rig_spin(50);
	g_assert_false(peer_has(peer, "SIP/2.0 200"));
	rig_stop();
}

/* --- the storm --- */

static const char *const splices[] = {
	"<urn:x:y>",
	"*",
	"tel:+1",
	"sip:@",
	"sip:[::1",
	";lr",
	"%00",
	"\"",
	"<",
	">",
	",",
	";tag=",
	"\r\n",
	"\r\n ",
	": ",
	"99999999999999999999",
	"-1",
	"SIP/2.0",
	"z9hG4bK",
	";maddr=x.y",
	";rport",
	";received=::",
	"multipart/mixed;boundary=x",
	"Digest ",
	"realm=",
	";q=2",
	"\\",
};

static void
splice(GRand *random, GString *text, gsize at)
{
	const char *what = splices[g_rand_int_range(random, 0, G_N_ELEMENTS(splices))];

	if (g_rand_boolean(random))
		g_string_insert(text, (gssize)at, what);
	else
		g_string_overwrite(text, at, what);
}

static void
drop_line(GString *text, gsize at)
{
	char *end = strstr(text->str + at, "\r\n");

	if (end)
		g_string_erase(text, (gssize)at, end - (text->str + at));
}

static void
double_line(GString *text, gsize at)
{
	char *end = strstr(text->str + at, "\r\n");
	g_autofree char *line = end ? g_strndup(text->str + at, end + 2 - (text->str + at)) : NULL;

	if (line)
		g_string_insert(text, (gssize)at, line);
}

/* The start of some line of the message. */
static gsize
some_line(GRand *random, const GString *text)
{
	gsize at = (gsize)g_rand_int_range(random, 0, (gint32)text->len);
	char *end = strstr(text->str + at, "\r\n");

	return end ? (gsize)(end + 2 - text->str) : 0;
}

static void
mutate(GRand *random, GString *text)
{
	guint n = (guint)g_rand_int_range(random, 1, 5);

	while (n-- && text->len > 8) {
		gsize at = (gsize)g_rand_int_range(random, 0, (gint32)text->len - 1);

		switch (g_rand_int_range(random, 0, 6)) {
		case 0:
			text->str[at] = (char)g_rand_int_range(random, 1, 256);
			break;
		case 1:
			splice(random, text, at);
			break;
		case 2:
			drop_line(text, some_line(random, text));
			break;
		case 3:
			double_line(text, some_line(random, text));
			break;
		case 4:
			g_string_erase(text, (gssize)at, 1);
			break;
		case 5: /* a whole value */
			at = some_line(random, text);
			at += strcspn(text->str + at, ":");
			if (at < text->len) {
				drop_line(text, at + 1);
				splice(random, text, at + 1);
			}
			break;
		}
	}
}

/* What a core might do at any moment. */
static void
meddle(GRand *random, const Desc *desc)
{
	GPtrArray *legs = rig_legs();
	Leg *leg;

	if (!legs->len)
		return;
	leg = legs->pdata[g_rand_int_range(random, 0, (gint32)legs->len)];
	switch (g_rand_int_range(random, 0, 4)) {
	case 0:
		rig_plugin->ring(leg, g_rand_boolean(random) ? desc : NULL);
		break;
	case 1:
		rig_plugin->answer(leg, desc);
		break;
	case 2:
		rig_plugin->change(leg, desc);
		break;
	case 3:
		g_free(rig_plugin->save(leg));
		break;
	}
}

/* A turn of the loop in which a datagram just sent has arrived: loopback delivers
 * it before sendto() returns. */
static guint events;

static void
settle(void)
{
	for (guint i = 0; i < 4; i++)
		events += rig_drain();
}

static void
one_mutated_dialog(Peer *peer, GRand *random, const Desc *desc)
{
	static const char *const methods[] = { "INVITE", "ACK",	    "BYE",  "UPDATE", "CANCEL",
					       "PRACK",	 "OPTIONS", "INFO", "REFER",  "REGISTER" };
	g_autofree char *tag = NULL, *call_id = g_uuid_string_random();

	g_free(peer->call_id);
	peer->call_id = g_steal_pointer(&call_id);
	for (guint step = 0; step < 4; step++) {
		const char *method =
			step ? methods[g_rand_int_range(random, 0, G_N_ELEMENTS(methods))]
			     : "INVITE";
		g_autofree char *request = peer_request(peer, method, step ? tag : NULL, NULL,
							g_rand_boolean(random) ? sdp_one : NULL);
		g_autoptr(GString) text = g_string_new(request);

		if (step || g_rand_boolean(random))
			mutate(random, text);
		peer_send(peer, text->str);
		settle();
		meddle(random, desc);
		settle();
		while (!g_queue_is_empty(&peer->heard)) {
			g_autofree char *heard = g_queue_pop_head(&peer->heard);

			if (!tag && g_str_has_prefix(heard, "SIP/2.0 "))
				tag = message_tag(heard, "To");
		}
	}
}

static void
one_mutated_answer(Peer *peer, GRand *random, const Desc *desc)
{
	static const char *const lines[] = {
		"180 Ringing", "183 Session Progress", "200 OK", "200 OK", "302 Moved", "401 No",
		"407 No",      "491 Pending",	       "503 No"
	};
	g_autofree char *invite = NULL, *reply = NULL;

	rig_dial("carrier", "+14155550123", NULL);
	settle();
	for (guint step = 0; step < 3; step++) {
		const char *line = lines[g_rand_int_range(random, 0, G_N_ELEMENTS(lines))];
		g_autoptr(GString) text = NULL;

		while (!g_queue_is_empty(&peer->heard)) {
			char *heard = g_queue_pop_head(&peer->heard);

			if (g_str_has_prefix(heard, "ACK ") || g_str_has_prefix(heard, "SIP/")) {
				g_free(heard);
				continue;
			}
			g_free(invite);
			invite = heard;
		}
		if (!invite)
			return;
		reply = peer_reply_text(
			peer, invite, line, "t",
			g_str_has_prefix(line, "40")
				? "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
				: "Record-Route: <sip:127.0.0.1:9;lr>\r\n",
			g_rand_boolean(random) ? sdp_two : NULL);
		text = g_string_new(reply);
		g_clear_pointer(&reply, g_free);
		mutate(random, text);
		peer_send(peer, text->str);
		settle();
		meddle(random, desc);
		settle();
	}
}

static void
storm(void)
{
	g_autoptr(Peer) peer = start_with_trunk();
	g_autoptr(Peer) honest = peer_new();
	g_autoptr(GRand) random = g_rand_new_with_seed(3261);
	g_autoptr(Desc) desc = rig_desc(sdp_two);
	g_autofree char *busy = NULL;

	for (guint i = 0; i < STORM / 4; i++) {
		one_mutated_dialog(peer, random, desc);
		if (i % 2)
			one_mutated_answer(peer, random, desc);
		rig_hangup_all();
		rig_drain();
	}
	/* Much of it got as far as the core, or it was no storm. */
	g_test_message("%u events", events);
	g_assert_cmpuint(events, >, STORM / 8);
	/* And it still takes a call. */
	rig_spin(50);
	rig_hangup_all();
	rig_drain();
	peer_invite(honest, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->hangup(rig_leg, REASON_BUSY, NULL);
	rig_legs()->len = 0;
	busy = peer_wait(honest, "SIP/2.0 486");
	peer_ack(honest, busy, NULL);
	rig_drain();
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip/hostile/requests", requests_are_refused);
	g_test_add_func("/sip/hostile/responses", responses_do_no_harm);
	g_test_add_func("/sip/hostile/cut-requests", cut_requests_are_refused);
	g_test_add_func("/sip/hostile/from", from_is_no_target);
	g_test_add_func("/sip/hostile/maddr", maddr_is_refused);
	g_test_add_func("/sip/hostile/storm", storm);
	return g_test_run();
}
