/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-storm.c - the SIP plugin in a storm of mutated requests and responses.
 *
 * The same storm every time.  TANDEM_STORM=n makes one of n requests, and waits
 * for every call to be over before it stops, so that a leak checker sees all;
 * TANDEM_STORM_SEED=n brings another.
 */
#include "tests/legs/plugin-status.h"
#include "tests/legs/sip-rig.h"
#include <string.h>

#define STORM 2000 /* requests; about a third as many responses */

static guint events;
static struct {
	guint requests, hostile_requests, responses, hostile_responses;
} sent;

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

/* A Contact or Record-Route that is no SIP URI, in place of the one there is or
 * beside it. */
static void
add_hostile_line(GRand *random, GString *text)
{
	static const char *const names[] = { "Contact", "Record-Route", "m",
					     "Route",	"Path",		"Refer-To" };
	static const char *const uris[] = {
		"<urn:x:y>",
		"<foo>",
		"*",
		"<tel:+14155550100>",
		"<mailto:a@b>",
		"<http://x/>",
		"<sip:>",
		"tel:+1;phone-context=x",
		"<sip:@>",
		"\"<sip:a@b>",
		"<sips:[::1>",
		"<sip:a@b>, <urn:x:y>",
		"<>",
		",,,",
		"\xff\xfe\x80<\x01>",
		"<sip:a@b;lr>;;, <about:blank>",
	};
	const char *name = names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))];
	const char *uri = uris[g_rand_int_range(random, 0, G_N_ELEMENTS(uris))];
	g_autofree char *line = g_strdup_printf("\r\n%s: %s", name, uri);
	char *contact = strstr(text->str, "\r\nContact:"), *end = strstr(text->str, "\r\n");

	if (contact && g_rand_boolean(random)) {
		gsize at = (gsize)(contact - text->str);

		drop_line(text, at + 2);
		g_string_erase(text, (gssize)at, 2);
		g_string_insert(text, (gssize)at, line);
	} else if (end) {
		g_string_insert(text, end - text->str, line);
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
		rig_plugin->leg->ring(leg, g_rand_boolean(random) ? desc : NULL);
		break;
	case 1:
		rig_plugin->leg->answer(leg, desc);
		break;
	case 2:
		rig_plugin->leg->change(leg, desc);
		break;
	case 3:
		g_free(rig_plugin->leg->save(leg));
		break;
	}
}

/* A turn of the loop in which a datagram just sent has arrived: loopback delivers
 * it before sendto() returns. */
static void
settle(void)
{
	for (guint i = 0; i < 4; i++)
		events += rig_drain();
}

static void
answer_request(Peer *peer, const char *heard)
{
	if (!g_str_has_prefix(heard, "SIP/") && !g_str_has_prefix(heard, "ACK "))
		peer_reply(peer, heard, "200 OK", NULL, NULL, NULL);
}

static void
one_mutated_dialog(Peer *peer, GRand *random, const Desc *desc)
{
	static const char *const methods[] = {
		"INVITE", "ACK",       "BYE",	  "UPDATE",  "CANCEL",
		"PRACK",  "OPTIONS",   "INFO",	  "REFER",   "REGISTER",
		"NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH", "NEWMETHOD",
	};
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

		if (g_rand_boolean(random)) {
			add_hostile_line(random, text);
			sent.hostile_requests++;
		}
		if (step || g_rand_boolean(random))
			mutate(random, text);
		peer_send(peer, text->str);
		sent.requests++;
		settle();
		meddle(random, desc);
		settle();
		while (!g_queue_is_empty(&peer->heard)) {
			g_autofree char *heard = g_queue_pop_head(&peer->heard);

			if (!tag && g_str_has_prefix(heard, "SIP/2.0 "))
				tag = message_tag(heard, "To");
			answer_request(peer, heard);
		}
	}
}

/* A connection whose framing may be lost with any of its requests. */
static void
one_mutated_stream(GRand *random, const Desc *desc)
{
	g_autoptr(Peer) peer = peer_new_tcp();

	one_mutated_dialog(peer, random, desc);
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
		if (g_rand_boolean(random)) {
			add_hostile_line(random, text);
			sent.hostile_responses++;
		}
		if (g_rand_boolean(random))
			mutate(random, text);
		peer_send(peer, text->str);
		sent.responses++;
		settle();
		meddle(random, desc);
		settle();
	}
}

static gboolean
has_legs(void)
{
	g_autofree char *status = plugin_status(rig_plugin);

	return !strstr(status, "legs: 0\n");
}

/* Every call is over: by our answer to its BYE, or by the timeout of one that went
 * where nobody is (RFC 3261 17.1.2.2, timer F: 32 s). */
static void
calm_down(Peer *peer)
{
	gint64 deadline = g_get_monotonic_time() + 90 * G_USEC_PER_SEC;

	while (has_legs() && g_get_monotonic_time() < deadline) {
		rig_spin(10);
		rig_drain();
		while (!g_queue_is_empty(&peer->heard)) {
			g_autofree char *heard = g_queue_pop_head(&peer->heard);

			answer_request(peer, heard);
		}
	}
	g_assert_false(has_legs());
}

static guint64
number_of(const char *variable, guint64 otherwise)
{
	const char *text = g_getenv(variable);

	return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

/* A trunk whose answers nobody acknowledges is refused new calls (sip_unacked.h): not what
 * is looked at here. */
static void
be_patient(Config *config)
{
	config->max_setup_per_second = G_MAXINT;
}

static void
storm(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autoptr(Peer) honest = peer_new();
	guint64 size = number_of("TANDEM_STORM", STORM);
	g_autoptr(GRand) random =
		g_rand_new_with_seed((guint32)number_of("TANDEM_STORM_SEED", 3261));
	g_autoptr(Desc) desc = rig_desc(sdp_two);
	g_autofree char *busy = NULL;

	rig_configure = be_patient;
	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; sent.requests < size; i++) {
		if (i % 8 == 7)
			one_mutated_stream(random, desc);
		else
			one_mutated_dialog(peer, random, desc);
		if (i % 2)
			one_mutated_answer(peer, random, desc);
		rig_hangup_all();
		rig_drain();
	}
	g_test_message("%u requests (%u hostile), %u responses (%u hostile), %u events",
		       sent.requests, sent.hostile_requests, sent.responses, sent.hostile_responses,
		       events);
	/* Much of it got as far as the core, or it was no storm. */
	g_assert_cmpuint(events, >, size / 8);
	/* And it still takes a call. */
	rig_spin(50);
	rig_hangup_all();
	rig_drain();
	peer_invite(honest, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	rig_legs()->len = 0;
	busy = peer_wait(honest, "SIP/2.0 486");
	peer_ack(honest, busy, NULL);
	rig_drain();
	if (g_getenv("TANDEM_STORM"))
		calm_down(peer);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Its trunk may well be warned of, when no honest answer to a ping is among them. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/sip/storm", storm);
	return g_test_run();
}
