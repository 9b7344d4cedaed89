/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-clear.c - ICE without DTLS, to peers that know none and where it is allowed.
 *
 *   phone one ⇄ [ gateway: plain, ICE ] ⇄ [ client: ICE, plain ] ⇄ phone two
 */
#include "tests/media/media-peer.h"
#include <string.h>

#define CODECS "0 PCMU, 101 telephone-event"
#define ENOUGH 20000

typedef struct {
	Workers *workers;
	Peer *gateway, *client;
	Phone *one, *two;
	PortId gateway_plain, gateway_ice, client_plain, client_ice;
} Chain;

static void
connect_phone(Peer *peer, PortId port, Phone *phone)
{
	g_autoptr(Desc) local = desc_for_test(peer->ports[port].ours, CODECS);
	g_autoptr(Desc) remote = phone_desc(phone, CODECS);

	media_connect(peer->media, port, local, remote);
}

/* `clear`: of the gateway, and of the client: its port may be without DTLS. */
static Chain *
chain_new(gboolean kernel_split, Side side, const gboolean clear[2])
{
	Chain *chain = g_new0(Chain, 1);
	const Side other = side == SIDE_CALLER ? SIDE_CALLEE : SIDE_CALLER;

	chain->workers = workers_for_test(kernel_split);
	chain->gateway = peer_new(chain->workers);
	chain->client = peer_new(chain->workers);
	chain->one = phone_new();
	chain->two = phone_new();
	chain->gateway_plain = peer_add(chain->gateway, other, TRANSPORT_RTP);
	chain->gateway_ice = clear[0] ? peer_add_clear(chain->gateway, side)
				      : peer_add(chain->gateway, side, TRANSPORT_WEBRTC);
	chain->client_plain = peer_add(chain->client, side, TRANSPORT_RTP);
	chain->client_ice = clear[1] ? peer_add_clear(chain->client, other)
				     : peer_add(chain->client, other, TRANSPORT_WEBRTC);
	connect_phone(chain->gateway, chain->gateway_plain, chain->one);
	connect_phone(chain->client, chain->client_plain, chain->two);
	media_join(chain->gateway->media, chain->gateway_plain, chain->gateway_ice);
	media_join(chain->client->media, chain->client_plain, chain->client_ice);
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

static const Transport *
gateway_ours(const Chain *chain)
{
	return chain->gateway->ports[chain->gateway_ice].ours;
}

static const Transport *
client_ours(const Chain *chain)
{
	return chain->client->ports[chain->client_ice].ours;
}

/* What the gateway takes for its own words, and for the client's. */
static void
connect_gateway(Chain *chain, const Transport *ours, const Transport *theirs)
{
	g_autoptr(Desc) local = desc_for_test(ours, CODECS);
	g_autoptr(Desc) remote = desc_for_test(theirs, CODECS);

	media_connect(chain->gateway->media, chain->gateway_ice, local, remote);
}

static void
connect_client(Chain *chain, const Transport *ours, const Transport *theirs)
{
	g_autoptr(Desc) local = desc_for_test(ours, CODECS);
	g_autoptr(Desc) remote = desc_for_test(theirs, CODECS);

	media_connect(chain->client->media, chain->client_ice, local, remote);
}

static void
connect_both(Chain *chain)
{
	g_autoptr(Transport) gateway = transport_unencrypted(gateway_ours(chain));
	g_autoptr(Transport) client = transport_unencrypted(client_ours(chain));

	connect_gateway(chain, gateway, client);
	connect_client(chain, client, gateway);
	peer_wait_up(chain->gateway, chain->gateway_ice);
	peer_wait_up(chain->client, chain->client_ice);
}

static void
say(Chain *chain)
{
	char payload[160];

	memset(payload, 'a', sizeof payload);
	phone_send(chain->one, chain->gateway->ports[chain->gateway_plain].ours->port, 0, payload,
		   sizeof payload);
	phone_send(chain->two, chain->client->ports[chain->client_plain].ours->port, 0, payload,
		   sizeof payload);
	phone_drain(chain->one);
	phone_drain(chain->two);
}

static gboolean
both_heard(gpointer user)
{
	Chain *chain = user;

	say(chain);
	return chain->one->received >= 10 && chain->two->received >= 10;
}

static gboolean
both_report(gpointer user)
{
	Chain *chain = user;

	say(chain);
	return peer_query(chain->gateway, chain->gateway_ice).rtcp_in > 0 &&
	       peer_query(chain->client, chain->client_ice).rtcp_in > 0;
}

static guint
candidates_of(const Transport *transport, guint component)
{
	guint n = 0;

	for (guint i = 0; i < transport->candidates->len; i++)
		n += g_array_index(transport->candidates, Candidate, i).component == component;
	return n;
}

typedef struct {
	gboolean kernel_split;
	Side side; /* of the gateway's port */
} Shape;

static const gboolean both_clear[2] = { TRUE, TRUE };

/* Audio both ways, and reports between ports of their own. */
static void
test_talks(gconstpointer data)
{
	const Shape *shape = data;
	Chain *chain = chain_new(shape->kernel_split, shape->side, both_clear);
	PortStats stats;

	g_assert_cmpuint(candidates_of(gateway_ours(chain), 1), >, 0);
	g_assert_cmpuint(candidates_of(gateway_ours(chain), 2), ==,
			 candidates_of(gateway_ours(chain), 1));
	connect_both(chain);
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	g_assert_cmpmem(chain->two->last + 12, 4, "aaaa", 4);
	g_assert_true(wait_for(both_report, chain, ENOUGH));
	stats = peer_query(chain->gateway, chain->gateway_ice);
	g_assert_cmpuint(stats.dropped_auth + stats.dropped_malformed + stats.dropped_source, ==,
			 0);
	g_assert_nonnull(
		strstr(chain->gateway->ports[chain->gateway_ice].notes->str, "not encrypted"));
	connect_both(chain); /* said again it goes on */
	chain->one->received = chain->two->received = 0;
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	g_assert_cmpuint(chain->gateway->ports[chain->gateway_ice].losses, ==, 0);
	g_assert_cmpuint(chain->gateway->ports[chain->gateway_ice].ups, ==, 1);
	chain_free(chain);
}

/* --- what must not be --- */

static gboolean
is_lost(gpointer user)
{
	Chain *chain = user;

	return chain->gateway->ports[chain->gateway_ice].losses > 0;
}

/* Only where the port may, and both have said so. */
static void
test_refused(void)
{
	static const struct {
		const char *what;
		gboolean may, we_say, they_say;
	} rows[] = {
		{ "the port is not made for it", FALSE, TRUE, TRUE },
		{ "we have offered DTLS", TRUE, FALSE, TRUE },
		{ "they have only left it out", TRUE, TRUE, FALSE },
		{ "nobody wants it", TRUE, FALSE, FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		const gboolean clear[2] = { rows[i].may, TRUE };
		Chain *chain = chain_new(TRUE, SIDE_CALLEE, clear);
		g_autoptr(Transport) ours = NULL, theirs = NULL;

		g_test_message("%s", rows[i].what);
		ours = rows[i].we_say ? transport_unencrypted(gateway_ours(chain))
				      : transport_copy(gateway_ours(chain));
		theirs = transport_unencrypted(client_ours(chain));
		theirs->unencrypted = rows[i].they_say;
		connect_gateway(chain, ours, theirs);
		g_assert_true(wait_for(is_lost, chain, ENOUGH));
		g_assert_cmpint(chain->gateway->ports[chain->gateway_ice].loss, ==,
				MEDIA_LOST_FINGERPRINT);
		g_assert_cmpuint(chain->gateway->ports[chain->gateway_ice].ups, ==, 0);
		chain_free(chain);
	}
}

static guint16
port_of(const Transport *transport)
{
	return g_array_index(transport->candidates, Candidate, 0).port;
}

static gboolean
auth_counted(gpointer user)
{
	Chain *chain = user;

	return peer_query(chain->gateway, chain->gateway_ice).dropped_auth > 0;
}

/* A port that may be clear, and a peer that has DTLS: nothing passes that is not protected. */
static void
test_dtls_wins(void)
{
	static const gboolean gateway_alone[2] = { TRUE, FALSE };
	Chain *chain = chain_new(TRUE, SIDE_CALLEE, gateway_alone);
	g_autoptr(Transport) gateway = transport_copy(gateway_ours(chain));
	g_autoptr(Transport) client = transport_copy(client_ours(chain));
	char payload[160] = { 0 };

	client->setup = SETUP_ACTIVE;
	connect_gateway(chain, gateway, client);
	connect_client(chain, client, gateway);
	peer_wait_up(chain->gateway, chain->gateway_ice);
	peer_wait_up(chain->client, chain->client_ice);
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	phone_send(chain->two, port_of(gateway_ours(chain)), 0, payload, sizeof payload);
	g_assert_true(wait_for(auth_counted, chain, ENOUGH));
	chain_free(chain);
}

static gboolean
stranger_counted(gpointer user)
{
	Chain *chain = user;

	return peer_query(chain->gateway, chain->gateway_ice).dropped_source >= 2;
}

/* Whoever is no candidate of the client's is not heard, and hears nothing. */
static void
test_stranger(void)
{
	Chain *chain = chain_new(TRUE, SIDE_CALLER, both_clear);
	Phone *stranger = phone_new();
	static const guint8 report[8] = { 0x80, 201, 0, 1, 0, 0, 0, 1 };
	guint before;
	char payload[160];

	connect_both(chain);
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	memset(payload, 'x', sizeof payload);
	phone_send(stranger, port_of(gateway_ours(chain)), 0, payload, sizeof payload);
	phone_send_raw(stranger, port_of(gateway_ours(chain)), report, sizeof report);
	g_assert_true(wait_for(stranger_counted, chain, ENOUGH));
	before = chain->one->received = chain->two->received = 0;
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	g_assert_cmpuint(chain->two->received, >, before);
	g_assert_cmpmem(chain->one->last + 12, 4, "aaaa", 4);
	g_assert_cmpuint(phone_drain(stranger), ==, 0);
	phone_free(stranger);
	chain_free(chain);
}

/* Nor one that is among the candidates, and has answered no check: anybody can write packets
 * that say to come from there. */
static void
test_unchecked(void)
{
	Chain *chain = chain_new(TRUE, SIDE_CALLER, both_clear);
	Phone *stranger = phone_new();
	g_autoptr(Desc) where = phone_desc(stranger, CODECS);
	g_autoptr(Transport) gateway = transport_unencrypted(gateway_ours(chain));
	g_autoptr(Transport) client = transport_unencrypted(client_ours(chain));
	Candidate candidate = g_array_index(client->candidates, Candidate, 0);
	char payload[160];

	candidate.port = desc_audio(where)->transport->port;
	candidate.priority--;
	g_strlcpy(candidate.foundation, "9", sizeof candidate.foundation);
	g_array_append_val(client->candidates, candidate);
	connect_gateway(chain, gateway, client);
	connect_client(chain, client, gateway);
	peer_wait_up(chain->gateway, chain->gateway_ice);
	peer_wait_up(chain->client, chain->client_ice);
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	phone_drain(stranger); /* checks */
	memset(payload, 'x', sizeof payload);
	for (guint i = 0; i < 2; i++)
		phone_send(stranger, port_of(gateway_ours(chain)), 0, payload, sizeof payload);
	g_assert_true(wait_for(stranger_counted, chain, ENOUGH));
	chain->one->received = chain->two->received = 0;
	g_assert_true(wait_for(both_heard, chain, ENOUGH));
	g_assert_cmpmem(chain->one->last + 12, 4, "aaaa", 4);
	g_assert_null(strstr(chain->gateway->ports[chain->gateway_ice].notes->str, "following it"));
	phone_free(stranger);
	chain_free(chain);
}

/* What was agreed stays: no DTLS in the middle, which nobody could tell from an attack. */
static void
test_no_change(void)
{
	Chain *chain = chain_new(TRUE, SIDE_CALLEE, both_clear);
	g_autoptr(Transport) theirs = transport_copy(client_ours(chain));

	connect_both(chain);
	theirs->setup = SETUP_ACTIVE;
	connect_gateway(chain, gateway_ours(chain), theirs);
	g_assert_true(wait_for(is_lost, chain, ENOUGH));
	chain_free(chain);
}

int
main(int argc, char **argv)
{
	static const Shape caller = { TRUE, SIDE_CALLER }, callee = { TRUE, SIDE_CALLEE },
			   agent = { FALSE, SIDE_CALLEE };

	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/clear/talks/caller", &caller, test_talks);
	g_test_add_data_func("/clear/talks/callee", &callee, test_talks);
	g_test_add_data_func("/clear/talks/through-the-agent", &agent, test_talks);
	g_test_add_func("/clear/refused", test_refused);
	g_test_add_func("/clear/dtls-wins", test_dtls_wins);
	g_test_add_func("/clear/stranger", test_stranger);
	g_test_add_func("/clear/unchecked", test_unchecked);
	g_test_add_func("/clear/no-change", test_no_change);
	return g_test_run();
}
