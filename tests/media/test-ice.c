/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-ice.c - what peers do in ICE that a plain call between two of us does not show. */
#include "tests/media/ice-rig.h"
#include <string.h>

static const RigOptions caller = { .side = SIDE_CALLER };
static const RigOptions callee = { .side = SIDE_CALLEE };

/* --- nomination --- */

/* Old phones nominate so and in no other way. */
static void
test_attribute_alone(void)
{
	Rig *rig = rig_new(&caller);

	rig_connect(rig, NULL);
	rig_check(rig, 0, CHECK_PLAIN);
	rig_check(rig, 0, CHECK_NOMINATION);
	ice_peer_handshake(rig->peer, SETUP_ACTIVE);
	peer_wait_up(rig->gateway, rig->webrtc);
	rig_talk(rig, 0, 'a');
	rig_free(rig);
}

static const RigOptions two_addresses = { .side = SIDE_CALLER,
					  .addresses = { "127.0.0.1", "127.0.0.2" } };

static gboolean
both_checked(gpointer user)
{
	const Rig *rig = user;

	return rig->peer->paths[0].checks_in > 0 && rig->peer->paths[1].checks_in > 0;
}

/* Both pairs are valid, the peer wants the worse one, then the better one, then the
 * worse one again.  libnice ignores the last; we see where the peer's RTP comes from,
 * unless it comes through libnice, which does not say. */
static void
test_nominated_pair(gconstpointer data)
{
	Rig *rig = rig_new(data);
	guint on_the_better;

	rig_connect(rig, NULL);
	rig_check(rig, 0, CHECK_PLAIN);
	rig_check(rig, 1, CHECK_PLAIN);
	g_assert_true(wait_for(both_checked, rig, RIG_ENOUGH));
	rig_secure(rig, 1);
	on_the_better = rig->peer->paths[0].rtp_in;
	rig_talk(rig, 1, 'a');
	g_assert_cmpuint(rig->peer->paths[0].rtp_in, ==, on_the_better);
	rig_check(rig, 0, CHECK_NOMINATION);
	rig->peer->path = 0;
	rig_talk(rig, 0, 'b');
	if (!((const RigOptions *)data)->agent_split) {
		rig_check(rig, 1, CHECK_NOMINATION);
		rig->peer->path = 1;
		rig_talk(rig, 1, 'c');
	}
	rig_free(rig);
}

/* --- candidates --- */

static gboolean
is_selected(gpointer user)
{
	return rig_notes(user, "ice: host") > 0;
}

/* The gateway has to check: the peer only answers.  It controls, so it nominates. */
static void
secure_answering(Rig *rig)
{
	g_assert_true(wait_for(is_selected, rig, RIG_ENOUGH));
	ice_peer_handshake(rig->peer, SETUP_ACTIVE);
	peer_wait_up(rig->gateway, rig->webrtc);
	g_assert_cmpuint(rig->peer->paths[0].nominations_in, >, 0);
	rig_talk(rig, 0, 'a');
}

static Transport *
without_candidates(const Rig *rig)
{
	Transport *bare = ice_peer_transport(rig->peer, SETUP_ACTIVE);

	g_array_set_size(bare->candidates, 0);
	return bare;
}

/* What clients send beside the candidates that are of use. */
static void
add_useless(Rig *rig)
{
	Candidate useless = ice_peer_candidate(rig->peer, 0);

	useless.component = 2;
	media_add_candidate(rig->gateway->media, rig->webrtc, &useless);
	useless = ice_peer_candidate(rig->peer, 0);
	g_strlcpy(useless.address, "0b2f7a11-54d3-4d2e-9b59-7be0a3a1c9d4.local",
		  sizeof useless.address);
	media_add_candidate(rig->gateway->media, rig->webrtc, &useless);
	useless = ice_peer_candidate(rig->peer, 0);
	useless.port = 9; /* as TCP candidates that dial out have it */
	media_add_candidate(rig->gateway->media, rig->webrtc, &useless);
	g_strlcpy(useless.address, "0.0.0.0", sizeof useless.address);
	useless.port = 4000;
	media_add_candidate(rig->gateway->media, rig->webrtc, &useless);
}

static void
test_trickled_before(void)
{
	Rig *rig = rig_new(&callee);
	g_autoptr(Transport) bare = without_candidates(rig);
	const Candidate candidate = ice_peer_candidate(rig->peer, 0);

	add_useless(rig);
	media_add_candidate(rig->gateway->media, rig->webrtc, &candidate);
	rig_connect(rig, bare);
	secure_answering(rig);
	rig_free(rig);
}

static void
test_trickled_after(void)
{
	Rig *rig = rig_new(&callee);
	g_autoptr(Transport) bare = without_candidates(rig);
	const Candidate candidate = ice_peer_candidate(rig->peer, 0);

	rig_connect(rig, bare);
	add_useless(rig);
	media_add_candidate(rig->gateway->media, rig->webrtc, &candidate);
	secure_answering(rig);
	rig_free(rig);
}

static gboolean
is_lost(gpointer user)
{
	const Rig *rig = user;

	return rig->gateway->ports[rig->webrtc].losses > 0;
}

static void
test_useless_alone(void)
{
	Rig *rig = rig_new(&(RigOptions){ .side = SIDE_CALLEE, .ice_timeout_s = 1 });
	g_autoptr(Transport) bare = without_candidates(rig);

	rig_connect(rig, bare);
	add_useless(rig);
	g_assert_true(wait_for(is_lost, rig, RIG_ENOUGH));
	g_assert_cmpint(rig->gateway->ports[rig->webrtc].loss, ==, MEDIA_LOST_NO_CANDIDATE);
	g_assert_cmpstr(rig->gateway->ports[rig->webrtc].text, ==,
			"the peer gave no candidate that can be used; "
			"nothing received from the peer");
	rig_free(rig);
}

/* --- why there is no pair --- */

typedef struct {
	const char *name;
	Side side;
	gboolean silent, mute, checks;
	guint refuses;
	MediaLoss loss;
	const char *text;
} NoPair;

static const NoPair no_pairs[] = {
	{ "silent", SIDE_CALLER, .silent = TRUE, .loss = MEDIA_LOST_SILENT,
	  .text = "nothing received from the peer" },
	{ "answers alone", SIDE_CALLER, .loss = MEDIA_LOST_NO_CHECKS,
	  .text = "no check of the peer's arrived" },
	{ "checks alone", SIDE_CALLEE, .mute = TRUE, .checks = TRUE, .loss = MEDIA_LOST_ICE,
	  .text = "checks of the peer's did arrive" },
	{ "refuses", SIDE_CALLEE, .refuses = 401, .checks = TRUE, .loss = MEDIA_LOST_PASSWORD,
	  .text = "STUN error 401" },
	{ "chooses none", SIDE_CALLER, .checks = TRUE, .loss = MEDIA_LOST_NO_CHOICE,
	  .text = "answers to the connectivity checks" },
};

static void
test_no_pair(gconstpointer data)
{
	const NoPair *what = data;
	Rig *rig = rig_new(&(RigOptions){ .side = what->side, .ice_timeout_s = 2 });

	rig->peer->silent = what->silent;
	rig->peer->mute = what->mute;
	rig->peer->refuses = what->refuses;
	rig_connect(rig, NULL);
	if (what->checks)
		rig_check(rig, 0, CHECK_PLAIN);
	g_assert_true(wait_for(is_lost, rig, RIG_ENOUGH));
	g_test_message("%s", rig->gateway->ports[rig->webrtc].text);
	g_assert_cmpint(rig->gateway->ports[rig->webrtc].loss, ==, what->loss);
	g_assert_nonnull(strstr(rig->gateway->ports[rig->webrtc].text, what->text));
	rig_free(rig);
}

/* A pair, and no handshake. */
static void
test_no_handshake(void)
{
	Rig *rig = rig_new(&(RigOptions){ .side = SIDE_CALLEE, .ice_timeout_s = 2 });

	rig->peer->deaf = TRUE;
	rig_connect(rig, NULL);
	g_assert_true(wait_for(is_lost, rig, RIG_ENOUGH));
	g_assert_cmpint(rig->gateway->ports[rig->webrtc].loss, ==, MEDIA_LOST_DTLS_SILENT);
	rig_free(rig);
}

/* --- roles --- */

/* The peer thinks it controls, as we do; who keeps the role is the tie-breaker's say. */
static void
test_role_conflict(gconstpointer data)
{
	Rig *rig = rig_new(&callee);

	rig->peer->controlling = TRUE;
	rig->peer->tie_breaker = data ? G_MAXUINT64 : 0;
	rig_connect(rig, NULL);
	ice_peer_check(rig->peer, 0, CHECK_USE_CANDIDATE);
	g_assert_true(wait_for(is_selected, rig, RIG_ENOUGH));
	g_assert_cmpuint(rig->peer->paths[0].conflicts_in, ==, data ? 0 : 1);
	ice_peer_handshake(rig->peer, SETUP_ACTIVE);
	peer_wait_up(rig->gateway, rig->webrtc);
	rig_talk(rig, 0, 'a');
	rig_free(rig);
}

/* --- addresses --- */

static void
test_ipv6(gconstpointer data)
{
	Rig *rig = rig_new(data);

	rig_connect(rig, NULL);
	rig_check(rig, 0, CHECK_PLAIN);
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	g_assert_cmpuint(rig_notes(rig, "host [::1]:"), ==, 2);
	rig_free(rig);
}

static const RigOptions ipv6_only = { .side = SIDE_CALLER,
				      .addresses = { "::1" },
				      .gateway = { "::1" } };
static const RigOptions ipv6_peer = { .side = SIDE_CALLEE,
				      .addresses = { "::1" },
				      .gateway = { "127.0.0.1", "::1" } };

/* 1:1 NAT: told is the outer address with the port inside; the other family is left alone. */
static void
test_public_address(void)
{
	Rig *rig = rig_new(&(RigOptions){ .side = SIDE_CALLER,
					  .gateway = { "127.0.0.1", "::1" },
					  .public_address = "198.51.100.20" });
	const GArray *ours = rig_ours(rig)->candidates;
	guint outer = 0, six = 0;
	guint16 port = 0;

	for (guint i = 0; i < ours->len; i++) {
		const Candidate *candidate = &g_array_index(ours, Candidate, i);

		g_assert_cmpint(candidate->type, ==, CANDIDATE_HOST);
		if (g_str_equal(candidate->address, "198.51.100.20")) {
			outer++;
			port = candidate->port;
		}
		six += g_str_equal(candidate->address, "::1");
	}
	g_assert_cmpuint(ours->len, ==, 2);
	g_assert_cmpuint(outer, ==, 1);
	g_assert_cmpuint(six, ==, 1);
	rig_connect(rig, NULL);
	net_address_parse("127.0.0.1", port, &rig->peer->paths[0].gateway); /* the NAT's work */
	rig_check(rig, 0, CHECK_PLAIN);
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	rig_free(rig);
}

/* --- restart --- */

static gboolean
has_new_credentials(gpointer user)
{
	const Rig *rig = user;

	return rig->gateway->ports[rig->webrtc].readies > rig->peer->generation;
}

/* The gateway's answer to a restart: new credentials, a candidate of the new generation. */
static void
wait_for_answer(Rig *rig)
{
	g_autoptr(Transport) before = transport_copy(rig_ours(rig));
	const Candidate *candidate;

	g_assert_true(wait_for(has_new_credentials, rig, RIG_ENOUGH));
	g_assert_cmpstr(rig_ours(rig)->ufrag, !=, before->ufrag);
	g_assert_cmpstr(rig_ours(rig)->pwd, !=, before->pwd);
	g_assert_cmpstr(rig_ours(rig)->fingerprint, ==, before->fingerprint);
	g_assert_cmpuint(rig_ours(rig)->candidates->len, ==, before->candidates->len);
	candidate = &g_array_index(rig_ours(rig)->candidates, Candidate, 0);
	g_assert_cmpuint(candidate->generation, ==, rig->peer->generation);
	g_assert_cmpuint(candidate->port, ==, g_array_index(before->candidates, Candidate, 0).port);
	ice_peer_told(rig->peer, rig_ours(rig));
}

static void
check_one_association(const Rig *rig)
{
	g_assert_cmpuint(rig->peer->handshakes, ==, 1);
	g_assert_cmpuint(rig->gateway->ports[rig->webrtc].ups, ==, 1);
	g_assert_cmpuint(rig->gateway->ports[rig->webrtc].losses, ==, 0);
	g_assert_cmpuint(rig_notes(rig, "dtls:"), ==, 1);
}

/* Same addresses, candidates beside the credentials; twice. */
static void
test_restart(gconstpointer data)
{
	Rig *rig = rig_new(data);
	guint handshake;

	rig_connect(rig, NULL);
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	handshake = rig->peer->paths[0].dtls_in;
	for (char letter = 'b'; letter <= 'c'; letter++) {
		ice_peer_restart(rig->peer);
		rig_connect(rig, NULL);
		wait_for_answer(rig);
		rig_talk(rig, 0, (char)g_ascii_toupper(letter)); /* on the old pair */
		rig_check(rig, 0, CHECK_USE_CANDIDATE);
		rig_talk(rig, 0, letter);
	}
	g_assert_cmpuint(rig->peer->paths[0].dtls_in, ==, handshake);
	check_one_association(rig);
	rig_free(rig);
}

/* The peer is in another network now: its old address is gone, the new one follows the
 * credentials. */
static void
test_restart_elsewhere(gconstpointer data)
{
	Rig *rig = rig_new(data);
	g_autoptr(Transport) bare = NULL;
	Candidate candidate;

	rig_connect(rig, NULL);
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	ice_peer_move(rig->peer, 0, "127.0.0.3");
	ice_peer_restart(rig->peer);
	bare = without_candidates(rig);
	rig_connect(rig, bare);
	wait_for_answer(rig);
	candidate = ice_peer_candidate(rig->peer, 0);
	media_add_candidate(rig->gateway->media, rig->webrtc, &candidate);
	rig_check(rig, 0, CHECK_USE_CANDIDATE);
	rig_talk(rig, 0, 'b');
	check_one_association(rig);
	rig_free(rig);
}

int
main(int argc, char **argv)
{
	static const RigOptions dtls_client = { .side = SIDE_CALLER, .dtls_client = TRUE };
	static const RigOptions through_agent = { .side = SIDE_CALLER,
						  .addresses = { "127.0.0.1", "127.0.0.2" },
						  .agent_split = TRUE };

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice/nominated by attribute 0xC001 alone", test_attribute_alone);
	g_test_add_data_func("/ice/the nominated pair is used", &two_addresses,
			     test_nominated_pair);
	g_test_add_data_func("/ice/the nominated pair, through libnice", &through_agent,
			     test_nominated_pair);
	g_test_add_func("/ice/candidates before connect", test_trickled_before);
	g_test_add_func("/ice/candidates after connect", test_trickled_after);
	g_test_add_func("/ice/no candidate of use", test_useless_alone);
	g_test_add_data_func("/ice/role conflict, we yield", GINT_TO_POINTER(1),
			     test_role_conflict);
	g_test_add_data_func("/ice/role conflict, the peer yields", NULL, test_role_conflict);
	g_test_add_data_func("/ice/IPv6", &ipv6_only, test_ipv6);
	g_test_add_data_func("/ice/a peer that has IPv6 only", &ipv6_peer, test_ipv6);
	g_test_add_func("/ice/public address", test_public_address);
	g_test_add_data_func("/ice/restart, we are controlled", &caller, test_restart);
	g_test_add_data_func("/ice/restart, we control", &callee, test_restart);
	g_test_add_data_func("/ice/restart, we are DTLS client", &dtls_client, test_restart);
	g_test_add_data_func("/ice/restart elsewhere, we are controlled", &caller,
			     test_restart_elsewhere);
	g_test_add_data_func("/ice/restart elsewhere, we control", &callee, test_restart_elsewhere);
	for (guint i = 0; i < G_N_ELEMENTS(no_pairs); i++) {
		g_autofree char *path = g_strconcat("/ice/no pair, ", no_pairs[i].name, NULL);

		g_test_add_data_func(path, &no_pairs[i], test_no_pair);
	}
	g_test_add_func("/ice/no handshake", test_no_handshake);
	return g_test_run();
}
