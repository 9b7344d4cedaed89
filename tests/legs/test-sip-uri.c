/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-uri.c - calls to a SIP address outside, whose host the test plays. */
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/peers/sip_uri.h"
#include "tests/legs/sip-rig.h"
#include <string.h>

static char *LOCAL[] = { (char *)"127.0.0.1", (char *)"localhost", (char *)"nowhere.invalid",
			 NULL };
static char *ANY[] = { (char *)"any", NULL };

static void
allow_local(Config *config)
{
	config->sip_dial_uris = LOCAL;
}

static void
allow_any(Config *config)
{
	config->sip_dial_uris = ANY;
}

/* No trunk: nothing of one is needed, and the host is told no more than it should be. */
static void
uri__called(void)
{
	g_autoptr(Address) number = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);
	g_autoptr(Address) jid =
		address_new(ADDRESS_SIP, "anna@example.org", "gw.example.org", NULL);
	const struct {
		const Address *from;
		gboolean withheld;
		const char *shown;
	} cases[] = {
		{ number, FALSE, "<sip:+14155550199@gw.example.org>" },
		{ jid, FALSE, "<sip:anna%40example.org@gw.example.org>" },
		{ number, TRUE, "<sip:anonymous@anonymous.invalid>" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *uri = g_strdup_printf("b#b@127.0.0.1:%u", peer->port);
		g_autofree char *line =
			g_strdup_printf("INVITE sip:b%%23b@127.0.0.1:%u SIP/2.0", peer->port);
		g_autofree char *invite = NULL, *from = NULL, *to = NULL, *asserted = NULL,
				*bye = NULL;

		rig_configure = allow_local;
		rig_target.withheld = cases[i].withheld;
		rig_start();
		rig_dial_uri(uri, cases[i].from);
		invite = peer_wait(peer, "INVITE ");
		g_assert_true(g_str_has_prefix(invite, line));
		from = message_header(invite, "From");
		g_assert_nonnull(strstr(from, cases[i].shown));
		asserted = message_header(invite, "P-Asserted-Identity");
		g_assert_null(asserted);
		g_assert_true(!cases[i].withheld || !strstr(invite, "+14155550199"));
		peer_reply(peer, invite, "180 Ringing", "t1", NULL, NULL);
		rig_expect("ringing");
		peer_reply(peer, invite, "200 OK", "t1", NULL, sdp_one);
		rig_expect_start("answered");
		g_free(peer_wait(peer, "ACK "));
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		bye = peer_wait(peer, "BYE ");
		peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
		rig_stop();
	}
	rig_target.withheld = FALSE;
}

/* Each is said in words of its own. */
static void
uri__refused(void)
{
	static const struct {
		const char *answer, *expected;
	} cases[] = {
		{ "404 Not Found", "ended not-found 404 Not Found" },
		{ "407 Proxy Authentication Required",
		  "ended not-authorized 407 Proxy Authentication Required" },
		{ "302 Moved Temporarily", "ended unreachable 302 Moved Temporarily" },
	};
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Peer) peer = peer_new();
		g_autofree char *uri = g_strdup_printf("bob@127.0.0.1:%u", peer->port);
		g_autofree char *invite = NULL;

		rig_configure = allow_local;
		rig_start();
		rig_dial_uri(uri, from);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, cases[i].answer, "t1",
			   "Proxy-Authenticate: Digest realm=\"x\", nonce=\"n\"\r\n", NULL);
		rig_expect(cases[i].expected);
		rig_stop();
	}
}

/* "any" is the Internet, and not what is behind the gateway. */
static void
uri__private(void)
{
	static const char *const uris[] = { "bob@127.0.0.1:5070", "bob@10.1.2.3",
					    "bob@localhost:5070" };
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);

	rig_configure = allow_any;
	rig_start();
	for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
		rig_dial_uri(uris[i], from);
		rig_expect("ended forbidden calls to SIP addresses in private networks are not "
			   "allowed here");
	}
	rig_stop();
}

/* The caller gives up while the host is looked up: nothing comes of it later. */
static void
uri__given_up(void)
{
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);

	rig_configure = allow_local;
	rig_start();
	rig_dial_uri("bob@localhost:5070", from);
	rig_plugin->leg->hangup(rig_leg, REASON_CANCELLED, NULL);
	rig_spin(50);
	rig_stop();
}

/* Nor is it reached by a Contact that leads there: what follows goes where the call
 * went. */
static void
uri__private_contact(void)
{
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550199", NULL, NULL);
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *uri = g_strdup_printf("bob@127.0.0.1:%u", peer->port);
	g_autofree char *invite = NULL, *bye = NULL;

	rig_configure = allow_local;
	rig_start();
	rig_dial_uri(uri, from);
	((SipLeg *)rig_leg)->way->only_public = TRUE; /* as for a host on the Internet */
	invite = peer_wait(peer, "INVITE ");
	peer_reply(peer, invite, "200 OK", "t1", "Contact: <sip:bob@10.1.2.3:5070>\r\n", sdp_one);
	rig_expect_start("answered");
	g_free(peer_wait(peer, "ACK sip:bob@10.1.2.3:5070 "));
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	bye = peer_wait(peer, "BYE sip:bob@10.1.2.3:5070 ");
	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	rig_stop();
}

static void
uri__public(void)
{
	static const struct {
		const char *address;
		gboolean is_public;
	} cases[] = {
		{ "8.8.8.8", TRUE },
		{ "100.63.0.1", TRUE },
		{ "100.64.0.1", FALSE },
		{ "10.0.0.1", FALSE },
		{ "172.15.0.1", TRUE },
		{ "172.31.0.1", FALSE },
		{ "192.168.1.1", FALSE },
		{ "169.254.1.1", FALSE },
		{ "127.1.2.3", FALSE },
		{ "0.0.0.0", FALSE },
		{ "224.0.0.1", FALSE },
		{ "255.255.255.255", FALSE },
		{ "2a00:1450::1", TRUE },
		{ "2606:4700::1", TRUE },
		{ "::1", FALSE },
		{ "::", FALSE },
		{ "fe80::1", FALSE },
		{ "fd00::1", FALSE },
		{ "::ffff:8.8.8.8", FALSE },
		{ "2002:a00:1::1", FALSE },
		{ "ff02::1", FALSE },
		{ "64:ff9b::a00:1", FALSE },
		{ "2001::1", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GInetAddress) address = g_inet_address_new_from_string(cases[i].address);

		g_test_message("%s", cases[i].address);
		g_assert_cmpint(uri_address_is_public(address), ==, cases[i].is_public);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/sip/uri/public", uri__public);
	g_test_add_func("/sip/uri/called", uri__called);
	g_test_add_func("/sip/uri/refused", uri__refused);
	g_test_add_func("/sip/uri/private", uri__private);
	g_test_add_func("/sip/uri/private-contact", uri__private_contact);
	g_test_add_func("/sip/uri/given-up", uri__given_up);
	return g_test_run();
}
