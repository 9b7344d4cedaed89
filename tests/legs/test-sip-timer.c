/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-timer.c - session timers (RFC 4028), each side refreshing. */
#include "plugins/sip/dialog/sip_leg.h"
#include "tests/legs/sip-rig.h"
#include <string.h>

static guint wanted;

static void
with_timer(Trunk *trunk)
{
	trunk->options_seconds = 0;
	trunk->session_seconds = wanted;
}

static void
assert_header(const char *message, const char *name, const char *expected)
{
	g_autofree char *value = message_header(message, name);

	g_assert_cmpstr(value, ==, expected);
}

/* A call out that the peer has answered with these lines; our tag in it. */
static char *
call_out(Peer *peer, const char *lines)
{
	g_autofree char *invite = NULL, *expected = g_strdup_printf("%u", wanted);

	rig_start();
	rig_trunk("carrier", peer->port, with_timer);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	assert_header(invite, "Session-Expires", wanted ? expected : NULL);
	peer_reply(peer, invite, "200 OK", "t1", lines, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(peer, "ACK "));
	g_free(peer->call_id);
	peer->call_id = message_header(invite, "Call-ID");
	g_free(peer->tag);
	peer->tag = g_strdup("t1");
	return message_tag(invite, "From");
}

/* The far end can be asked by UPDATE: four refreshes, and then it is gone. */
static void
out__we_refresh_by_update(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *last = NULL, *tag = NULL;

	wanted = 2; /* his own trunk's: nobody else can make it shorter than 90 */
	tag = call_out(peer, "Allow: INVITE, ACK, BYE, UPDATE\r\nRequire: timer\r\n"
			     "Session-Expires: 2;refresher=uac\r\n");
	for (guint i = 0; i < 4; i++) {
		g_autofree char *update = peer_wait(peer, "UPDATE ");

		g_assert_cmpstr(message_body(update), ==, "");
		assert_header(update, "Session-Expires", "2;refresher=uac");
		peer_reply(peer, update, "200 OK", "t1",
			   "Require: timer\r\nSession-Expires: 2;refresher=uac\r\n", NULL);
	}
	last = peer_wait(peer, "UPDATE ");
	rig_no_event();
	peer_reply(peer, last, "481 Call Does Not Exist", "t1", NULL, NULL);
	rig_expect("failed timeout gone");
	rig_stop();
}

static void
soon_given_up(Config *config)
{
	config->change_timeout_s = 1;
}

/* What the peer is asked next, apart from what it is asked once more. */
static char *
next_request(Peer *peer, const char *after)
{
	g_autofree char *cseq = message_header(after, "CSeq");

	for (;;) {
		g_autofree char *request = peer_wait(peer, "");
		g_autofree char *number = message_header(request, "CSeq");

		if (strcmp(number, cseq) != 0)
			return g_steal_pointer(&request);
	}
}

/* A change waits for the answer to a refresh: it is made then, but not when the core
 * has told the other side meanwhile that nothing comes of it. */
static void
out__change_behind_a_refresh(void)
{
	for (guint late = 0; late < 2; late++) {
		g_autoptr(Peer) peer = peer_new();
		g_autoptr(Desc) hold = rig_desc(sdp_hold);
		g_autofree char *update = NULL, *tag = NULL, *next = NULL;

		wanted = 2;
		rig_configure = soon_given_up;
		tag = call_out(peer, "Allow: INVITE, ACK, BYE, UPDATE\r\nRequire: timer\r\n"
				     "Session-Expires: 4;refresher=uac\r\n");
		update = peer_wait(peer, "UPDATE ");
		rig_plugin->leg->change(rig_leg, hold);
		if (late)
			rig_spin(1100); /* the timeout itself is the matter */
		peer_reply(peer, update, "200 OK", "t1",
			   "Require: timer\r\nSession-Expires: 2;refresher=uac\r\n", NULL);
		next = next_request(peer, update);
		g_assert_true(g_str_has_prefix(next, late ? "UPDATE " : "INVITE "));
		if (late)
			peer_reply(peer, next, "481 Call Does Not Exist", "t1", NULL, NULL);
		else
			peer_reply(peer, next, "488 Not Acceptable Here", "t1", NULL, NULL);
		rig_expect_start(late ? "failed timeout" : "answered refused");
		if (!late)
			rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		rig_stop();
	}
}

/* By re-INVITE where there is no UPDATE: the same description, and no word to
 * the core. */
static void
out__we_refresh_by_invite(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *tag = NULL;

	wanted = 2;
	tag = call_out(peer, "Allow: INVITE, ACK, BYE\r\nSession-Expires: 2;refresher=uac\r\n");
	for (guint i = 0; i < 3; i++) {
		g_autofree char *again = peer_wait(peer, "INVITE ");
		g_autofree char *ack = NULL;

		if (first)
			g_assert_cmpstr(message_body(again), ==, first);
		else
			first = g_strdup(message_body(again));
		peer_reply(peer, again, "200 OK", "t1", "Session-Expires: 2;refresher=uac\r\n",
			   sdp_one);
		ack = peer_wait(peer, "ACK ");
	}
	rig_no_event();
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	g_free(peer_wait(peer, "BYE "));
	rig_stop();
}

/* It was to refresh, does so twice, and then no more. */
static void
out__they_refresh(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *bye = NULL, *reason = NULL, *tag = NULL;

	wanted = 3;
	tag = call_out(peer, "Require: timer\r\nSession-Expires: 3;refresher=uas\r\n");
	for (guint i = 0; i < 2; i++) {
		g_autofree char *update = NULL, *ok = NULL;

		rig_spin(1200);
		update = peer_request(peer, "UPDATE", tag,
				      "Supported: timer\r\nSession-Expires: 3;refresher=uac\r\n",
				      NULL);
		peer_send(peer, update);
		ok = peer_wait(peer, "SIP/2.0 200");
		assert_header(ok, "Session-Expires", "3;refresher=uac");
		assert_header(ok, "Require", "timer");
	}
	rig_no_event();
	bye = peer_wait(peer, "BYE ");
	reason = message_header(bye, "Reason");
	g_assert_nonnull(strstr(reason, "Session expired"));
	rig_expect("failed timeout gone");
	rig_stop();
}

/* 422: asked again for as long as it wants. */
static void
out__too_small(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL, *again = NULL;

	wanted = 90;
	rig_start();
	rig_trunk("carrier", peer->port, with_timer);
	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "422 Session Interval Too Small", "t0", "Min-SE: 3600\r\n", NULL);
	g_free(peer_wait(peer, "ACK "));
	again = peer_wait(peer, "INVITE ");
	assert_header(again, "Session-Expires", "3600");
	peer_reply(peer, again, "486 Busy Here", "t1", NULL, NULL);
	rig_expect("ended busy 486 Busy Here");
	rig_stop();
}

/* RFC 4028 4: an interval that is none is not taken at its word. */
static void
out__shorter_than_allowed(void)
{
	static const struct {
		const char *lines;
		guint seconds;
	} cases[] = {
		{ "Session-Expires: 1\r\n", 90 },
		{ "Session-Expires: 89;refresher=uac\r\nAllow: UPDATE\r\n", 90 },
		{ "Session-Expires: 1;refresher=uas\r\nRequire: timer\r\n", 90 },
		{ "Session-Expires: 100;refresher=uac\r\n", 100 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *tag = NULL, *bye = NULL;

		wanted = 1800;
		tag = call_out(peer, cases[i].lines);
		g_assert_cmpuint(((SipLeg *)rig_leg)->session.interval_s, ==, cases[i].seconds);
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		bye = peer_wait(peer, "BYE ");
		peer_reply(peer, bye, "200 OK", "t1", NULL, NULL);
		rig_stop();
	}
}

static void
out__none(void)
{
	g_autoptr(Peer) peer = peer_new();

	wanted = 0;
	g_free(call_out(peer, NULL));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	g_free(peer_wait(peer, "BYE "));
	rig_stop();
}

/* --- calls in --- */

static void
in__answers(void)
{
	static const struct {
		guint wanted;
		const char *asked, *answer, *require;
	} cases[] = {
		{ 1800, "Supported: timer\r\n", "1800;refresher=uac", "timer" },
		{ 0, "Supported: timer\r\n", NULL, NULL },
		{ 1800, NULL, NULL, NULL },
		{ 1800, "Supported: timer\r\nSession-Expires: 600\r\n", "600;refresher=uac",
		  "timer" },
		{ 120, "Supported: timer\r\nSession-Expires: 600\r\nMin-SE: 300\r\n",
		  "300;refresher=uac", "timer" },
		{ 1800, "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n",
		  "600;refresher=uas", NULL },
		/* a proxy on the way has asked */
		{ 1800, "Session-Expires: 600\r\n", "600;refresher=uas", NULL },
		{ 1800, "Require: timer\r\nSupported: timer\r\nSession-Expires: 600\r\n",
		  "600;refresher=uac", "timer" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autoptr(Desc) answer = rig_desc(sdp_two);
		g_autofree char *ok = NULL;

		wanted = cases[i].wanted;
		rig_start();
		rig_trunk("carrier", peer->port, with_timer);
		peer_invite(peer, cases[i].asked, sdp_one);
		rig_expect_start("new ");
		rig_plugin->leg->answer(rig_leg, answer);
		ok = peer_wait(peer, "SIP/2.0 200");
		assert_header(ok, "Session-Expires", cases[i].answer);
		assert_header(ok, "Require", cases[i].require);
		peer_ack(peer, ok, NULL);
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		g_free(peer_wait(peer, "BYE "));
		rig_stop();
	}
}

static void
in__too_small(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *refused = NULL;

	wanted = 1800;
	rig_start();
	rig_trunk("carrier", peer->port, with_timer);
	peer_invite(peer, "Supported: timer\r\nSession-Expires: 30\r\n", sdp_one);
	refused = peer_wait(peer, "SIP/2.0 422");
	assert_header(refused, "Min-SE", "90");
	peer_ack(peer, refused, NULL);
	rig_no_event();
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/timer/out/we-refresh-by-update", out__we_refresh_by_update);
	g_test_add_func("/timer/out/we-refresh-by-invite", out__we_refresh_by_invite);
	g_test_add_func("/timer/out/change-behind-a-refresh", out__change_behind_a_refresh);
	g_test_add_func("/timer/out/they-refresh", out__they_refresh);
	g_test_add_func("/timer/out/too-small", out__too_small);
	g_test_add_func("/timer/out/shorter-than-allowed", out__shorter_than_allowed);
	g_test_add_func("/timer/out/none", out__none);
	g_test_add_func("/timer/in/answers", in__answers);
	g_test_add_func("/timer/in/too-small", in__too_small);
	return g_test_run();
}
