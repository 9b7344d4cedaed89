/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-relay.c - RTP ⇄ ICE and DTLS-SRTP ⇄ RTP over loopback.
 *
 *   phone one ⇄ [ gateway: plain, WebRTC ] ⇄ [ client: WebRTC, plain ] ⇄ phone two
 */
#include "tests/media/media-peer.h"
#include <string.h>

#define CODECS "0 PCMU, 101 telephone-event"
#define ENOUGH 20000

typedef struct {
	Workers *workers;
	Peer *gateway, *client;
	Phone *one, *two;
	PortId gateway_plain, gateway_webrtc, client_plain, client_webrtc;
} Chain;

typedef struct {
	gboolean kernel_split;
	Side side;		   /* of the gateway's WebRTC port */
	DtlsSetup gateway, client; /* as described */
	const char *phone_codecs, *webrtc_codecs;
} Shape;

static void
connect_plain(Peer *peer, PortId port, Phone *phone, const char *codecs)
{
	g_autoptr(Desc) local = desc_for_test(peer->ports[port].ours, codecs);
	g_autoptr(Desc) remote = phone_desc(phone, codecs);

	media_connect(peer->media, port, local, remote);
}

static void
connect_webrtc(Chain *chain, const Shape *shape)
{
	const Transport *ours = chain->gateway->ports[chain->gateway_webrtc].ours;
	const Transport *theirs = chain->client->ports[chain->client_webrtc].ours;
	g_autoptr(Desc) gateway = desc_with_setup(ours, shape->webrtc_codecs, shape->gateway);
	g_autoptr(Desc) client = desc_with_setup(theirs, shape->webrtc_codecs, shape->client);

	media_connect(chain->gateway->media, chain->gateway_webrtc, gateway, client);
	media_connect(chain->client->media, chain->client_webrtc, client, gateway);
}

static Chain *
chain_new(const Shape *shape)
{
	Chain *chain = g_new0(Chain, 1);
	const Side other = shape->side == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;

	chain->workers = workers_for_test(shape->kernel_split);
	chain->gateway = peer_new(chain->workers);
	chain->client = peer_new(chain->workers);
	chain->one = phone_new();
	chain->two = phone_new();
	chain->gateway_plain = peer_add(chain->gateway, other, TRANSPORT_RTP);
	chain->gateway_webrtc = peer_add(chain->gateway, shape->side, TRANSPORT_WEBRTC);
	chain->client_plain = peer_add(chain->client, shape->side, TRANSPORT_RTP);
	chain->client_webrtc = peer_add(chain->client, other, TRANSPORT_WEBRTC);
	connect_plain(chain->gateway, chain->gateway_plain, chain->one, shape->phone_codecs);
	connect_plain(chain->client, chain->client_plain, chain->two, shape->webrtc_codecs);
	media_join(chain->gateway->media, chain->gateway_plain, chain->gateway_webrtc);
	media_join(chain->client->media, chain->client_plain, chain->client_webrtc);
	return chain;
}

static void
chain_free(Chain *chain)
{
	peer_free(chain->gateway);
	peer_free(chain->client);
	phone_free(chain->one);
	phone_free(chain->two);
	workers_free(chain->workers);
	g_free(chain);
}

static gboolean
both_heard(gpointer user)
{
	Chain *chain = user;
	char payload[160];

	memset(payload, 'a', sizeof payload);
	phone_send(chain->one, chain->gateway->ports[chain->gateway_plain].ours->port, 0, payload,
		   sizeof payload);
	phone_send(chain->two, chain->client->ports[chain->client_plain].ours->port, 0, payload,
		   sizeof payload);
	phone_drain(chain->one);
	phone_drain(chain->two);
	return chain->one->received >= 10 && chain->two->received >= 10;
}

static void
test_chain(gconstpointer data)
{
	const Shape *shape = data;
	Chain *chain = chain_new(shape);
	PortStats stats;

	connect_webrtc(chain, shape);
	peer_wait_up(chain->gateway, chain->gateway_webrtc);
	peer_wait_up(chain->client, chain->client_webrtc);
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	g_assert_cmpmem(chain->two->last + 12, 4, "aaaa", 4);
	g_assert_cmpuint(chain->two->last_length, ==, 172);
	stats = peer_query(chain->gateway, chain->gateway_webrtc);
	g_assert_cmpuint(stats.packets_in, >=, 10);
	g_assert_cmpuint(stats.packets_out, >=, 10);
	g_assert_cmpuint(stats.dropped_auth + stats.dropped_malformed + stats.lost_in, ==, 0);
	chain_free(chain);
}

static const Shape caller_server = {
	TRUE, SIDE_CALLER, SETUP_PASSIVE, SETUP_ACTPASS, CODECS, CODECS
};
static const Shape caller_client = {
	TRUE, SIDE_CALLER, SETUP_ACTIVE, SETUP_ACTPASS, CODECS, CODECS
};
static const Shape callee_server = {
	TRUE, SIDE_CALLEE, SETUP_ACTPASS, SETUP_ACTIVE, CODECS, CODECS
};
static const Shape callee_client = {
	TRUE, SIDE_CALLEE, SETUP_ACTPASS, SETUP_PASSIVE, CODECS, CODECS
};
static const Shape callback = { FALSE, SIDE_CALLEE, SETUP_ACTPASS, SETUP_ACTIVE, CODECS, CODECS };

/* --- what must not pass --- */

static gboolean
is_lost(gpointer user)
{
	Chain *chain = user;

	return chain->gateway->ports[chain->gateway_webrtc].losses > 0;
}

static void
test_wrong_fingerprint(void)
{
	Chain *chain = chain_new(&caller_server);
	Transport *theirs = chain->client->ports[chain->client_webrtc].ours;

	/* one digit of the certificate's hash differs */
	theirs->fingerprint[0] = theirs->fingerprint[0] == 'A' ? 'B' : 'A';
	connect_webrtc(chain, &caller_server);
	g_assert_true(wait_for(is_lost, chain, ENOUGH));
	g_assert_cmpint(chain->gateway->ports[chain->gateway_webrtc].loss, ==,
			MEDIA_LOST_FINGERPRINT);
	g_assert_cmpuint(chain->gateway->ports[chain->gateway_webrtc].ups, ==, 0);
	chain_free(chain);
}

static gboolean
garbage_counted(gpointer user)
{
	Chain *chain = user;
	PortStats plain = peer_query(chain->gateway, chain->gateway_plain);
	PortStats webrtc = peer_query(chain->gateway, chain->gateway_webrtc);

	return plain.dropped_malformed >= 3 && webrtc.dropped_auth >= 1;
}

static void
test_garbage(void)
{
	Chain *chain = chain_new(&caller_server);
	const Transport *ours = chain->gateway->ports[chain->gateway_webrtc].ours;
	guint16 plain = chain->gateway->ports[chain->gateway_plain].ours->port;
	guint16 webrtc = g_array_index(ours->candidates, Candidate, 0).port;
	guint8 rubbish[1700];

	memset(rubbish, 0xff, sizeof rubbish);
	connect_webrtc(chain, &caller_server);
	peer_wait_up(chain->gateway, chain->gateway_webrtc);
	peer_wait_up(chain->client, chain->client_webrtc);
	phone_send_raw(chain->one, plain, rubbish, 1);
	phone_send_raw(chain->one, plain, rubbish, 200);
	rubbish[0] = 0x80;
	rubbish[1] = 0;
	phone_send_raw(chain->one, plain, rubbish, sizeof rubbish);
	phone_send_raw(chain->one, webrtc, rubbish, 200);
	g_assert_true(wait_for(garbage_counted, chain, ENOUGH));
	g_assert_true(wait_for(both_heard, chain, ENOUGH)); /* and the call goes on */
	chain_free(chain);
}

/* A call that is given up at once, over and over: the sanitizer finds what stays. */
static void
test_open_close(void)
{
	Workers *workers = workers_for_test(TRUE);

	for (guint i = 0; i < 300; i++) {
		Peer *peer = peer_new(workers);

		media_add_port(peer->media, SIDE_CALLER, TRANSPORT_RTP);
		media_add_port(peer->media, SIDE_CALLEE, TRANSPORT_WEBRTC);
		peer_free(peer);
	}
	workers_free(workers);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/relay/caller/we are DTLS server", &caller_server, test_chain);
	g_test_add_data_func("/relay/caller/we are DTLS client", &caller_client, test_chain);
	g_test_add_data_func("/relay/callee/we are DTLS server", &callee_server, test_chain);
	g_test_add_data_func("/relay/callee/we are DTLS client", &callee_client, test_chain);
	g_test_add_data_func("/relay/through libnice's callback", &callback, test_chain);
	g_test_add_func("/relay/wrong fingerprint", test_wrong_fingerprint);
	g_test_add_func("/relay/garbage is counted", test_garbage);
	g_test_add_func("/relay/opened and closed", test_open_close);
	return g_test_run();
}
