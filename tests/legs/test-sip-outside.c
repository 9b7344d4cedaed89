/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-outside.c - a trunk sees us elsewhere than before: its registration, its calls
 * and the next ones follow. */
#include "plugins/sip/peers/sip_outside.h"
#include "tests/legs/plugin-status.h"
#include "tests/legs/sip-rig.h"
#include <string.h>
#include <sofia-sip/sip_header.h>

#define ONE "198.51.100.7"
#define TWO "198.51.100.9"

static gboolean registers, asks;

static void
carrier(Trunk *trunk)
{
	trunk->options_seconds = asks ? 1 : 0;
	trunk->response_seconds = 2;
	trunk->registers = registers;
	g_free(trunk->account);
	trunk->account = g_strdup("4930123");
}

/* As a server does that sees the request come from there. */
static void
reply_seen(Peer *peer, const char *request, const char *host, guint port, const char *extra)
{
	g_autofree char *text = peer_reply_text(peer, request, "200 OK", "s", extra, NULL);
	g_auto(GStrv) halves = g_strsplit(text, ";rport", 2);
	g_autofree char *said = NULL;

	g_assert_nonnull(halves[1]);
	said = g_strdup_printf("%s;received=%s;rport=%u%s", halves[0], host, port, halves[1]);
	peer_send(peer, said);
}

static void
assert_contact(const char *message, const char *expected)
{
	g_autofree char *contact = message_header(message, "Contact");

	g_assert_cmpstr(contact, ==, expected);
}

/* And that one taken back in the same request. */
static void
assert_taken_back(const char *message, const char *contact)
{
	g_autofree char *line = g_strdup_printf("\r\nContact: %s;expires=0\r\n", contact);

	g_assert_nonnull(strstr(message, line));
}

static char *
register_seen(Peer *peer, const char *host, guint port)
{
	char *request = peer_wait(peer, "REGISTER ");
	g_autofree char *tag = message_tag(request, "To");

	g_assert_null(tag); /* it is in no dialog with the one before */
	reply_seen(peer, request, host, port, "Expires: 3600\r\n");
	return request;
}

static void
options_seen(Peer *peer, const char *host, guint port)
{
	g_autofree char *request = peer_wait(peer, "OPTIONS ");

	reply_seen(peer, request, host, port, NULL);
}

/* A call out that stands; what was said in its INVITE. */
static char *
call_out(Peer *peer)
{
	char *invite;

	rig_dial("carrier", "+14155550123", NULL);
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", "t1", NULL, sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(peer, "ACK "));
	return invite;
}

/* Behind a router without a word in the configuration. */
static void
learnt__and_moved(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *invite = NULL, *again = NULL, *moved = NULL,
			*own = NULL, *next = NULL, *status = NULL;

	registers = asks = TRUE;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	first = register_seen(peer, ONE, 40000);
	own = message_header(first, "Contact");
	g_assert_true(g_str_has_prefix(own, "<sip:4930123@127.0.0.1:"));
	/* the one that leads here instead of the one that does not */
	second = register_seen(peer, ONE, 40000);
	assert_contact(second, "<sip:4930123@" ONE ":40000;transport=udp>");
	assert_taken_back(second, own);

	rig_spin(50);
	status = plugin_status(rig_plugin);
	g_assert_nonnull(strstr(status, "sees us at " ONE " port 40000"));
	invite = call_out(peer);
	assert_contact(invite, "<sip:" ONE ":40000;transport=udp>");
	g_assert_nonnull(strstr(invite, "c=IN IP4 " ONE "\r\n"));
	g_assert_null(strstr(message_body(invite), "127.0.0.1"));

	options_seen(peer, TWO, 40002);
	moved = register_seen(peer, TWO, 40002);
	assert_contact(moved, "<sip:4930123@" TWO ":40002;transport=udp>");
	assert_taken_back(moved, "<sip:4930123@" ONE ":40000;transport=udp>");
	again = peer_wait(peer, "INVITE ");
	assert_contact(again, "<sip:" TWO ":40002;transport=udp>");
	g_assert_nonnull(strstr(again, "c=IN IP4 " TWO "\r\n"));
	g_assert_null(strstr(message_body(again), ONE));
	peer_reply(peer, again, "200 OK", "t1", NULL, sdp_one);
	g_free(peer_wait(peer, "ACK "));
	rig_no_event(); /* the core has not been asked */
	rig_hang_up(peer);

	next = call_out(peer);
	assert_contact(next, "<sip:" TWO ":40002;transport=udp>");
	g_assert_nonnull(strstr(next, "c=IN IP4 " TWO "\r\n"));
	rig_hang_up(peer);
	rig_stop();
}

/* A registrar that takes one address in a request, and refuses those with more. */
static void
learnt__one_contact_alone(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *both = NULL, *one = NULL;

	registers = TRUE;
	asks = FALSE;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	g_free(register_seen(peer, ONE, 40000));
	both = peer_wait(peer, "REGISTER ");
	g_assert_nonnull(strstr(both, ";expires=0"));
	peer_reply(peer, both, "403 Too Many Contacts", "s", NULL, NULL);
	one = register_seen(peer, ONE, 40000);
	assert_contact(one, "<sip:4930123@" ONE ":40000;transport=udp>");
	g_assert_null(strstr(one, ";expires=0"));
	rig_stop();
}

static void
moved__glare(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *invite = NULL, *met = NULL, *again = NULL;

	registers = FALSE;
	asks = TRUE;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	invite = call_out(peer);
	options_seen(peer, ONE, 40000);
	options_seen(peer, TWO, 40000);
	met = peer_wait(peer, "INVITE ");
	peer_reply(peer, met, "491 Request Pending", "t1", NULL, NULL);
	g_free(peer_wait(peer, "ACK "));
	again = peer_wait(peer, "INVITE ");
	g_assert_nonnull(strstr(again, "c=IN IP4 " TWO "\r\n"));
	peer_reply(peer, again, "200 OK", "t1", NULL, sdp_one);
	g_free(peer_wait(peer, "ACK "));
	rig_hang_up(peer);
	rig_stop();
}

/* Their call, whose answer of ours waits for the core when the address changes. */
static void
moved__call_in_before_the_answer(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autoptr(Desc) answer = rig_desc(sdp_one);
	g_autofree char *ok = NULL, *again = NULL;

	registers = FALSE;
	asks = TRUE;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	options_seen(peer, ONE, 40000);
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, answer);
	ok = peer_wait(peer, "SIP/2.0 200");
	assert_contact(ok, "<sip:" ONE ":40000;transport=udp>");
	options_seen(peer, TWO, 40000);
	peer_ack(peer, ok, NULL);
	again = peer_wait(peer, "INVITE ");
	assert_contact(again, "<sip:" TWO ":40000;transport=udp>");
	peer_reply(peer, again, "200 OK", NULL, NULL, sdp_one);
	g_free(peer_wait(peer, "ACK "));
	rig_hang_up(peer);
	rig_stop();
}

static void
every_second(Config *config)
{
	config->sip_keepalive_s = 1;
}

/* Without OPTIONS it is REGISTER that finds out, so often; nothing else is asked more. */
static void
moved__without_options(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *first = NULL, *second = NULL, *third = NULL, *moved = NULL;

	registers = TRUE;
	asks = FALSE;
	rig_configure = every_second;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	first = register_seen(peer, ONE, 40000);
	second = register_seen(peer, ONE, 40000);
	third = register_seen(peer, TWO, 40000);
	assert_contact(third, "<sip:4930123@" ONE ":40000;transport=udp>");
	moved = register_seen(peer, TWO, 40000);
	assert_contact(moved, "<sip:4930123@" TWO ":40000;transport=udp>");
	assert_taken_back(moved, "<sip:4930123@" ONE ":40000;transport=udp>");
	rig_stop();
}

/* A carrier's balancer, or a provider that translates by several addresses: each answer has
 * another.  Neither the registrar nor the calls are asked as fast as they answer. */
static void
moved__to_and_fro(void)
{
	g_autoptr(Peer) peer = peer_new();
	gint64 until;
	guint n = 0;

	registers = TRUE;
	asks = FALSE;
	rig_start();
	rig_trunk("carrier", peer->port, carrier);
	g_free(register_seen(peer, ONE, 40000));
	until = g_get_monotonic_time() + 2 * G_USEC_PER_SEC;
	while (g_get_monotonic_time() < until) {
		if (peer_has(peer, "REGISTER "))
			g_free(register_seen(peer, n++ % 2 ? ONE : TWO, 40000));
		rig_spin(2);
	}
	g_test_message("%u registrations", n);
	g_assert_cmpuint(n, <, 5);
	rig_stop();
}

/* --- what is told to whom: the table --- */

static sip_t *
answer_from(su_home_t *home, const char *via)
{
	sip_t *sip = su_zalloc(home, sizeof *sip);

	sip->sip_via = sip_via_make(home, via);
	g_assert_nonnull(sip->sip_via);
	return sip;
}

static void
told__table(void)
{
	static const struct {
		const char *address, *public, *first, *second;
		OutsideNews learnt, moved;
		const char *trunk, *all; /* told at the end */
		guint port;
	} rows[] = {
		/* a router, and nobody has said so */
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;received=" ONE ";rport=40000",
		  "UDP 192.168.1.2;received=" TWO ";rport=40001", OUTSIDE_LEARNT, OUTSIDE_MOVED,
		  TWO, "192.168.1.2", 40001 },
		/* the same by TCP, where the port is the connection's */
		{ "192.168.1.2", NULL, "TCP 192.168.1.2;received=" ONE ";rport=40000",
		  "TCP 192.168.1.2;received=" TWO ";rport=40001", OUTSIDE_LEARNT, OUTSIDE_MOVED,
		  TWO, "192.168.1.2", 5060 },
		{ "192.168.1.2", NULL, "TCP 192.168.1.2;received=" ONE ";rport=40000",
		  "TCP 192.168.1.2;received=" ONE ";rport=40001", OUTSIDE_LEARNT, OUTSIDE_SAME, ONE,
		  "192.168.1.2", 5060 },
		/* its port alone */
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;received=" ONE ";rport=40000",
		  "UDP 192.168.1.2;received=" ONE ";rport=40001", OUTSIDE_LEARNT, OUTSIDE_MOVED,
		  ONE, "192.168.1.2", 40001 },
		/* the operator has said it, and it holds until it does not */
		{ "192.168.1.2", ONE, "UDP " ONE ";rport=5060",
		  "UDP " ONE ";received=" TWO ";rport=5060", OUTSIDE_SAME, OUTSIDE_ALL_MOVED, TWO,
		  TWO, 5060 },
		/* he has said another than we are seen by: he will know */
		{ "192.168.1.2", "198.51.100.1", "UDP 198.51.100.1;received=" ONE ";rport=5060",
		  "UDP 198.51.100.1;received=" TWO ";rport=5060", OUTSIDE_SAME, OUTSIDE_MOVED,
		  "198.51.100.1", "198.51.100.1", 5060 },
		/* no router */
		{ ONE, NULL, "UDP " ONE ";rport=5060", "UDP " ONE, OUTSIDE_SAME, OUTSIDE_SAME, ONE,
		  ONE, 5060 },
		/* a balancer of the carrier's */
		{ ONE, NULL, "UDP " ONE ";received=10.4.1.7;rport=33",
		  "UDP " ONE ";received=10.4.1.8", OUTSIDE_SAME, OUTSIDE_SAME, ONE, ONE, 5060 },
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;received=" ONE ";rport=40000",
		  "UDP 192.168.1.2;received=10.4.1.8;rport=5060", OUTSIDE_LEARNT, OUTSIDE_SAME, ONE,
		  "192.168.1.2", 40000 },
		/* one of the carrier's servers looks at nothing */
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;received=" ONE ";rport=40000",
		  "UDP 192.168.1.2;rport", OUTSIDE_LEARNT, OUTSIDE_SAME, ONE, "192.168.1.2",
		  40000 },
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;rport",
		  "UDP 192.168.1.2;received=" ONE ";rport=40000", OUTSIDE_SAME, OUTSIDE_MOVED, ONE,
		  "192.168.1.2", 40000 },
		/* nonsense */
		{ "192.168.1.2", NULL, "UDP 192.168.1.2;received=0.0.0.0;rport=99999",
		  "UDP 192.168.1.2;received=224.0.0.1;rport=0", OUTSIDE_SAME, OUTSIDE_SAME,
		  "192.168.1.2", "192.168.1.2", 5060 },
		{ "192.168.1.2", NULL, "UDP name.example;received=example.org", "UDP name.example",
		  OUTSIDE_SAME, OUTSIDE_SAME, "192.168.1.2", "192.168.1.2", 5060 },
		/* IPv6, in and without brackets */
		{ "fd00::2", NULL, "UDP [fd00::2];received=2001:4860::7;rport=5060",
		  "UDP [fd00::2];received=[2001:4860::9];rport=5060", OUTSIDE_LEARNT, OUTSIDE_MOVED,
		  "2001:4860::9", "fd00::2", 5060 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const Config config = { .sip_address = (char *)rows[i].address,
					.sip_public_address = (char *)rows[i].public,
					.sip_port = 5060 };
		su_home_t home[1] = { SU_HOME_INIT(home) };
		Outside *outside = outside_new(&config);
		g_autofree char *first = g_strconcat("SIP/2.0/", rows[i].first, NULL);
		g_autofree char *second = g_strconcat("SIP/2.0/", rows[i].second, NULL);

		su_home_init(home);
		g_test_message("row %u: %s", i, rows[i].first);
		g_assert_cmpstr(outside_host(outside, "c"), ==,
				rows[i].public ? rows[i].public : rows[i].address);
		g_assert_cmpint(outside_hear(outside, "c", answer_from(home, first)), ==,
				rows[i].learnt);
		g_assert_cmpint(outside_hear(outside, "c", answer_from(home, second)), ==,
				rows[i].moved);
		g_assert_cmpint(outside_hear(outside, "c", answer_from(home, second)), ==,
				OUTSIDE_SAME);
		g_assert_cmpstr(outside_host(outside, "c"), ==, rows[i].trunk);
		g_assert_cmpuint(outside_port(outside, "c"), ==, rows[i].port);
		g_assert_cmpstr(outside_host(outside, NULL), ==, rows[i].all);
		outside_free(outside);
		su_home_deinit(home);
	}
}

/* A call to an address that we are seen by is one to us. */
static void
told__at_home(void)
{
	const Config config = { .sip_address = (char *)"192.168.1.2", .sip_port = 5060 };
	su_home_t home[1] = { SU_HOME_INIT(home) };
	Outside *outside = outside_new(&config);
	url_t url;

	su_home_init(home);
	outside_hear(outside, "c",
		     answer_from(home, "SIP/2.0/UDP 192.168.1.2;received=" ONE ";rport=5060"));
	url = outside_at_home(outside, url_make(home, "sip:4930123@" ONE ":40000"));
	g_assert_cmpstr(url.url_host, ==, "192.168.1.2");
	g_assert_cmpstr(url.url_user, ==, "4930123");
	url = outside_at_home(outside, url_make(home, "sip:4930123@" TWO));
	g_assert_cmpstr(url.url_host, ==, TWO);
	url = outside_at_home(outside, url_make(home, "tel:+4930123"));
	g_assert_null(url.url_host);
	outside_free(outside);
	su_home_deinit(home);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/outside/told/table", told__table);
	g_test_add_func("/outside/told/at-home", told__at_home);
	g_test_add_func("/outside/learnt/and-moved", learnt__and_moved);
	g_test_add_func("/outside/learnt/one-contact-alone", learnt__one_contact_alone);
	g_test_add_func("/outside/moved/glare", moved__glare);
	g_test_add_func("/outside/moved/call-in-before-the-answer",
			moved__call_in_before_the_answer);
	g_test_add_func("/outside/moved/without-options", moved__without_options);
	g_test_add_func("/outside/moved/to-and-fro", moved__to_and_fro);
	return g_test_run();
}
