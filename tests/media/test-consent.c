/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-consent.c - who may still be sent to, once the agent has found a pair (RFC 7675).
 *
 * A second is 100 ms here: the first check of ours comes after 0.4 s.
 */
#include "tests/media/ice-rig.h"
#include <string.h>

#define CHECKS 2 /* so many of ours: it goes on */

static const RigOptions caller = { .side = SIDE_CALLER, .second_ms = 100 };
static const RigOptions callee = { .side = SIDE_CALLEE, .second_ms = 100 };
static const RigOptions unhurried = { .side = SIDE_CALLER, .second_ms = 200 };
static const RigOptions short_of_time = { .side = SIDE_CALLER,
					  .consent_timeout_s = 1,
					  .second_ms = 100 };
static const RigOptions in_the_clear = {
	.side = SIDE_CALLER, .consent_timeout_s = 1, .second_ms = 100, .clear = TRUE
};
static const RigOptions two_addresses = { .side = SIDE_CALLER,
					  .addresses = { "127.0.0.1", "127.0.0.2" },
					  .second_ms = 100 };
static const RigOptions ipv6 = {
	.side = SIDE_CALLER, .addresses = { "::1" }, .gateway = { "::1" }, .second_ms = 100
};

typedef struct {
	Rig *rig;
	guint path, until;
	const char *words;
} Wait;

static gboolean
is_asked(gpointer user)
{
	const Wait *wait = user;

	return wait->rig->peer->paths[wait->path].checks_in >= wait->until;
}

static void
wait_for_checks(Rig *rig, guint path)
{
	Wait wait = { rig, path, rig->peer->paths[path].checks_in + CHECKS, NULL };

	g_assert_true(wait_for(is_asked, &wait, RIG_ENOUGH));
}

static gboolean
is_noted(gpointer user)
{
	const Wait *wait = user;

	return rig_notes(wait->rig, wait->words) >= wait->until;
}

static void
wait_for_notes(Rig *rig, const char *words, guint n)
{
	Wait wait = { rig, 0, n, words };

	g_assert_true(wait_for(is_noted, &wait, RIG_ENOUGH));
}

static Rig *
begin(const RigOptions *options, guint path)
{
	Rig *rig = rig_new(options);

	rig_connect(rig, NULL);
	rig_secure(rig, path);
	wait_for_checks(rig, path);
	return rig;
}

static void
check_alive(const Rig *rig)
{
	g_assert_cmpuint(rig_notes(rig, "no longer answers"), ==, 0);
	g_assert_cmpuint(rig->gateway->ports[rig->webrtc].losses, ==, 0);
}

/* Checks cross in both directions, of all kinds; nothing nominates any more. */
static void
test_both_ways(gconstpointer data)
{
	Rig *rig = begin(data, 0);
	const guint nominations = rig->peer->paths[0].nominations_in;

	for (CheckKind kind = CHECK_PLAIN; kind <= CHECK_NOMINATION; kind++)
		rig_check(rig, 0, kind);
	wait_for_checks(rig, 0);
	wait_for_checks(rig, 0);
	g_assert_cmpuint(rig->peer->paths[0].nominations_in, ==, nominations);
	g_assert_cmpuint(rig->peer->paths[0].answers_wrong, ==, 0);
	g_assert_cmpuint(rig->peer->paths[0].conflicts_in, ==, 0);
	rig_talk(rig, 0, 'a');
	check_alive(rig);
	rig_free(rig);
}

static void
test_silent_and_back(void)
{
	Rig *rig = begin(&caller, 0);

	rig->peer->silent = TRUE;
	wait_for_notes(rig, "ice: the peer no longer answers connectivity checks", 1);
	rig->peer->silent = FALSE;
	wait_for_notes(rig, "ice: the peer answers connectivity checks again", 1);
	rig_talk(rig, 0, 'a');
	rig_free(rig);
}

/* Whoever does not know the password answers nothing. */
static void
test_forged(void)
{
	Rig *rig = begin(&callee, 0);

	rig->peer->forges = TRUE;
	wait_for_notes(rig, "ice: the peer no longer answers connectivity checks", 1);
	wait_for_checks(rig, 0);
	g_assert_cmpuint(rig_notes(rig, "answers connectivity checks again"), ==, 0);
	rig->peer->forges = FALSE;
	wait_for_notes(rig, "ice: the peer answers connectivity checks again", 1);
	rig_free(rig);
}

/* Every second answer is lost on the way: nothing is told of that. */
static void
test_lost_answers(void)
{
	Rig *rig = begin(&unhurried, 0);

	rig->peer->skips = TRUE;
	for (guint i = 0; i < 4; i++)
		wait_for_checks(rig, 0);
	check_alive(rig);
	rig_free(rig);
}

/* Packets of the telephone's, as many as make it certain that some would have come. */
static gboolean
telephone_is_taken(gpointer user)
{
	const Rig *rig = user;
	char payload[160] = { 0 };

	phone_send(rig->phone, rig->gateway->ports[rig->plain].ours->port, 0, payload,
		   sizeof payload);
	return peer_query(rig->gateway, rig->plain).packets_in >= 10;
}

/* Consent is taken back in so many words, and not only after a silence: nothing is sent any
 * more, until it is given again. */
static void
test_refused(void)
{
	Rig *rig = begin(&caller, 0);
	gint64 began;
	guint reports, before;

	rig->peer->refuses = 403;
	began = g_get_monotonic_time();
	wait_for_notes(rig, "ice: the peer no longer answers connectivity checks", 1);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 5 * G_USEC_PER_SEC);
	reports = peer_query(rig->gateway, rig->webrtc).rtcp_out;
	before = rig->peer->paths[0].rtp_in;
	g_assert_true(wait_for(telephone_is_taken, rig, RIG_ENOUGH));
	wait_for_checks(rig, 0);
	g_assert_cmpuint(rig->peer->paths[0].rtp_in, ==, before);
	g_assert_cmpuint(peer_query(rig->gateway, rig->webrtc).packets_out, ==, 0);
	g_assert_cmpuint(peer_query(rig->gateway, rig->webrtc).rtcp_out, ==, reports);
	rig->peer->refuses = 0;
	wait_for_notes(rig, "ice: the peer answers connectivity checks again", 1);
	rig_talk(rig, 0, 'a');
	rig_free(rig);
}

static gboolean
is_lost(gpointer user)
{
	const Rig *rig = user;
	char payload[160] = { 0 };

	ice_peer_send_rtp(rig->peer, payload, sizeof payload);
	return rig->gateway->ports[rig->webrtc].losses > 0;
}

/* What the peer sends does not give back what it has taken back in words; the call goes on for
 * as long as one whose peer is gone. */
static void
test_refused_for_good(void)
{
	Rig *rig = begin(&short_of_time, 0);
	const gint64 began = g_get_monotonic_time();

	rig->peer->refuses = 403;
	g_assert_true(wait_for(is_lost, rig, RIG_ENOUGH));
	g_assert_cmpint(g_get_monotonic_time() - began, >=, G_USEC_PER_SEC);
	g_assert_cmpint(rig->gateway->ports[rig->webrtc].loss, ==, MEDIA_LOST_CONSENT);
	rig_free(rig);
}

static gboolean
is_lost_in_the_clear(gpointer user)
{
	const Rig *rig = user;
	static const guint8 packet[12 + 160] = { 0x80, 0 };
	const IcePath *path = &rig->peer->paths[0];

	sendto(path->fd, packet, sizeof packet, 0, &path->gateway.any, path->gateway.length);
	return rig->gateway->ports[rig->webrtc].losses > 0;
}

/* Without DTLS anybody can write packets of the peer's: they are no sign of its life. */
static void
test_unencrypted(void)
{
	Rig *rig = rig_new(&in_the_clear);

	rig_connect(rig, NULL);
	rig_check(rig, 0, CHECK_USE_CANDIDATE);
	peer_wait_up(rig->gateway, rig->webrtc);
	rig->peer->silent = TRUE;
	g_assert_true(wait_for(is_lost_in_the_clear, rig, 3 * RIG_ENOUGH));
	g_assert_cmpint(rig->gateway->ports[rig->webrtc].loss, ==, MEDIA_LOST_CONSENT);
	g_assert_cmpuint(rig_notes(rig, "rtp: first packet from"), ==, 1);
	rig_free(rig);
}

static gboolean
peer_hears_at_0(gpointer user)
{
	const Rig *rig = user;
	const guint8 payload[160] = { 0 };

	phone_send(rig->phone, rig->gateway->ports[rig->plain].ours->port, 0, payload,
		   sizeof payload);
	return rig->peer->paths[0].last_length > 0;
}

static gboolean
phone_hears_late(gpointer user)
{
	const Rig *rig = user;

	return phone_drain(rig->phone) && rig->phone->last[12] == 'l';
}

/* A better pair is nominated: the agent follows, and we ask there.  What the peer sent by the
 * pair before and comes later does not lead us back. */
static void
test_renominated(void)
{
	guint8 late[160];
	Rig *rig = rig_new(&two_addresses);

	rig_connect(rig, NULL);
	rig_check(rig, 0, CHECK_PLAIN);
	rig_secure(rig, 1);
	wait_for_checks(rig, 1);
	rig_talk(rig, 1, 'a');
	rig_check(rig, 0, CHECK_NOMINATION);
	g_assert_true(wait_for(peer_hears_at_0, rig, RIG_ENOUGH));
	memset(late, 'l', sizeof late);
	ice_peer_send_rtp(rig->peer, late, sizeof late);
	g_assert_true(wait_for(phone_hears_late, rig, RIG_ENOUGH));
	rig->peer->path = 0;
	rig_talk(rig, 0, 'b');
	wait_for_checks(rig, 0);
	rig_check(rig, 0, CHECK_PLAIN);
	g_assert_cmpuint(rig_notes(rig, "rtp: the peer now sends from"), ==, 0);
	check_alive(rig);
	rig_free(rig);
}

static gboolean
has_new_credentials(gpointer user)
{
	const Rig *rig = user;

	return strcmp(rig->peer->gateway->ufrag, rig_ours(rig)->ufrag) != 0;
}

/* The checks of a restart come from the address whose checks were ours to answer.  Twice:
 * with the new credentials it goes on as before. */
static void
test_restart(gconstpointer data)
{
	Rig *rig = begin(data, 0);

	for (char letter = 'b'; letter <= 'c'; letter++) {
		ice_peer_restart(rig->peer);
		rig_connect(rig, NULL);
		g_assert_true(wait_for(has_new_credentials, rig, RIG_ENOUGH));
		ice_peer_told(rig->peer, rig_ours(rig));
		rig_check(rig, 0, CHECK_USE_CANDIDATE);
		rig_talk(rig, 0, letter);
		wait_for_checks(rig, 0);
		wait_for_checks(rig, 0);
		rig_check(rig, 0, CHECK_PLAIN);
	}
	check_alive(rig);
	rig_free(rig);
}

static gboolean
is_judged(gpointer user)
{
	const Rig *rig = user;

	ice_peer_check(rig->peer, 0, CHECK_PLAIN);
	return rig->peer->paths[0].conflicts_in > 0;
}

/* A check in our own role is the agent's to answer, with 487 here.  The first
 * one is lost, and repeated as each peer does. */
static void
test_role_conflict(void)
{
	Rig *rig = begin(&caller, 0);

	rig->peer->tie_breaker = G_MAXUINT64;
	rig->peer->controlling = !rig->peer->controlling;
	g_assert_true(wait_for(is_judged, rig, RIG_ENOUGH));
	rig_check(rig, 0, CHECK_PLAIN);
	check_alive(rig);
	rig_free(rig);
}

static gboolean
is_told_its_role(gpointer user)
{
	const Rig *rig = user;

	return rig->peer->paths[0].judged > 0;
}

/* A check of ours in the peer's role: it says 487, and we ask in the other one at once. */
static void
test_role_conflict_of_ours(gconstpointer data)
{
	Rig *rig = begin(data, 0);

	rig->peer->tie_breaker = G_MAXUINT64;
	rig->peer->controlling = !rig->peer->controlling;
	rig->peer->judges = TRUE;
	g_assert_true(wait_for(is_told_its_role, rig, RIG_ENOUGH));
	wait_for_checks(rig, 0);
	wait_for_checks(rig, 0);
	wait_for_checks(rig, 0);
	rig_check(rig, 0, CHECK_PLAIN);
	rig_talk(rig, 0, 'a');
	check_alive(rig);
	g_assert_cmpuint(rig->peer->paths[0].judged, ==, 1);
	rig_free(rig);
}

static gboolean
agent_answers(gpointer user)
{
	const Rig *rig = user;
	IcePath *path = &rig->peer->paths[0];
	const guint before = path->agent_answers_in;

	rig_check((Rig *)rig, 0, CHECK_PLAIN);
	return path->agent_answers_in > before;
}

static gboolean
relay_answers(gpointer user)
{
	return !agent_answers(user);
}

/* A check that anybody can write has the checks go to the agent; but not for good. */
static void
test_nonsense(void)
{
	Rig *rig = begin(&caller, 0);

	g_assert_true(relay_answers(rig));
	for (guint i = 0; i < 2; i++) {
		ice_peer_nonsense(rig->peer, 0);
		g_assert_true(wait_for(agent_answers, rig, RIG_ENOUGH));
		g_assert_true(wait_for(relay_answers, rig, RIG_ENOUGH));
	}
	check_alive(rig);
	rig_free(rig);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/consent/both ways, caller", &caller, test_both_ways);
	g_test_add_data_func("/consent/both ways, callee", &callee, test_both_ways);
	g_test_add_data_func("/consent/both ways, IPv6", &ipv6, test_both_ways);
	g_test_add_func("/consent/silent for a while", test_silent_and_back);
	g_test_add_func("/consent/forged answers", test_forged);
	g_test_add_func("/consent/lost answers", test_lost_answers);
	g_test_add_func("/consent/refused", test_refused);
	g_test_add_func("/consent/refused for good", test_refused_for_good);
	g_test_add_func("/consent/without DTLS", test_unencrypted);
	g_test_add_func("/consent/renominated", test_renominated);
	g_test_add_data_func("/consent/restart, caller", &caller, test_restart);
	g_test_add_data_func("/consent/restart, callee", &callee, test_restart);
	g_test_add_func("/consent/role conflict", test_role_conflict);
	g_test_add_data_func("/consent/role conflict of ours, caller", &caller,
			     test_role_conflict_of_ours);
	g_test_add_data_func("/consent/role conflict of ours, callee", &callee,
			     test_role_conflict_of_ours);
	g_test_add_func("/consent/nonsense", test_nonsense);
	return g_test_run();
}
