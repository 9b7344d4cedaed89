/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-audio-from.c - the SIP plugin: where a peer's audio may come from. */
#include "tests/legs/sip-rig.h"
#include <arpa/inet.h>
#include <string.h>

static gboolean
is_allowed(const char *address)
{
	const Stream *audio = rig_heard ? desc_audio(rig_heard) : NULL;
	gboolean ip6 = strchr(address, ':') != NULL;
	guint8 bytes[16];

	g_assert_nonnull(audio);
	g_assert_cmpint(inet_pton(ip6 ? AF_INET6 : AF_INET, address, bytes), ==, 1);
	return media_sources_allow(audio->transport->sources, bytes, ip6);
}

static gboolean
is_any(void)
{
	return media_sources_any(desc_audio(rig_heard)->transport->sources);
}

typedef struct {
	const char *via; /* more of them, below its own */
	const char *yes, *no;
} Case;

static const Case cases[] = {
	/* straight from the peer, who is seen at 127.0.0.1 */
	{ NULL, "127.0.0.1", "192.0.2.9" },
	/* behind a proxy, which has seen where it came from */
	{ "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK-u;received=192.0.2.9\r\n", "192.0.2.9",
	  "127.0.0.1" },
	{ "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK-u\r\n", "192.0.2.9", "127.0.0.1" },
	{ "Via: SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK-p, SIP/2.0/TCP "
	  "10.0.0.9;branch=z9hG4bK-u;received=192.0.2.9\r\n",
	  "192.0.2.9", "192.0.2.8" },
	{ "Via: SIP/2.0/UDP [2001:db8:0:7::1]:5060;branch=z9hG4bK-u\r\n", "2001:db8:0:7:ffff::1",
	  "2001:db8:0:8::1" },
	/* a name is nobody's address */
	{ "Via: SIP/2.0/UDP phone.example.org;branch=z9hG4bK-u\r\n", NULL, "127.0.0.1" },
};

static void
audio__of_requests(void)
{
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *busy = NULL;

		g_test_message("%s", cases[i].via ? cases[i].via : "alone");
		peer_invite(peer, cases[i].via, sdp_one);
		rig_expect_start("new ");
		g_assert_true(!cases[i].yes || is_allowed(cases[i].yes));
		g_assert_false(is_allowed(cases[i].no));
		g_assert_false(is_any());
		rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
		busy = peer_wait(peer, "SIP/2.0 486");
		peer_ack(peer, busy, NULL);
	}
	rig_stop();
}

/* An answer comes from the peer himself, unless it says that a proxy stands between. */
static void
audio__of_answers(void)
{
	g_autoptr(Peer) peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	for (guint proxied = 0; proxied < 2; proxied++) {
		g_autofree char *route =
			g_strdup_printf("Record-Route: <sip:127.0.0.1:%u;lr>\r\n", peer->port);
		g_autofree char *invite = NULL, *ack = NULL, *bye = NULL;

		rig_dial("carrier", "+14155550123", NULL);
		invite = peer_wait(peer, "INVITE ");
		peer_reply(peer, invite, "200 OK", "t", proxied ? route : NULL, sdp_two);
		rig_expect("answered 40002 sendrecv");
		g_assert_cmpint(is_allowed("127.0.0.1"), ==, !proxied);
		ack = peer_wait(peer, "ACK ");
		rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
		bye = peer_wait(peer, "BYE ");
		peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
	}
	rig_stop();
}

static void
with_hosts(Trunk *trunk)
{
	g_free(trunk->media_hosts);
	g_free(trunk->rtp_source);
	trunk->media_hosts = g_strdup("198.51.100.0/24 2001:db8::/32");
	trunk->rtp_source = g_strdup("any");
}

static void
audio__of_the_admin(void)
{
	g_autoptr(Peer) peer = peer_new();
	g_autofree char *busy = NULL;

	rig_start();
	rig_trunk("carrier", peer->port, with_hosts);
	peer_invite(peer, NULL, sdp_one);
	rig_expect_start("new ");
	g_assert_true(is_allowed("198.51.100.200"));
	g_assert_true(is_allowed("2001:db8:1::1"));
	g_assert_true(is_allowed("127.0.0.1"));
	g_assert_false(is_allowed("198.51.101.1"));
	g_assert_true(is_any());
	rig_plugin->leg->hangup(rig_leg, REASON_BUSY, NULL);
	busy = peer_wait(peer, "SIP/2.0 486");
	peer_ack(peer, busy, NULL);
	rig_stop();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/sip/audio-from/requests", audio__of_requests);
	g_test_add_func("/sip/audio-from/answers", audio__of_answers);
	g_test_add_func("/sip/audio-from/admin", audio__of_the_admin);
	return g_test_run();
}
