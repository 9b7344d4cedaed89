/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-ice-time.c - peers that are silent for long.
 *
 * The times are the real ones (7 s without an answer are libnice's, 18 s without consent ours),
 * so all calls begin before the first test and wait side by side.
 */
#include "tests/media/ice-rig.h"
#include <string.h>

static Rig *late_caller, *late_callee, *gone, *back, *mute;
static gint64 gone_since;

typedef struct {
	const Rig *rig;
	const char *words;
} Note;

static gboolean
is_noted(gpointer user)
{
	const Note *note = user;

	return rig_notes(note->rig, note->words) > 0;
}

static void
wait_for_note(const Rig *rig, const char *words)
{
	Note note = { rig, words };

	g_assert_true(wait_for(is_noted, &note, RIG_ENOUGH));
}

/* --- a peer that begins late: the phone rang for long --- */

static Rig *
begin_late(const RigOptions *options)
{
	Rig *rig = rig_new(options);

	rig->peer->silent = TRUE;
	rig_connect(rig, NULL);
	return rig;
}

/* libnice has given up; the first check of the peer's revives the pair. */
static void
test_late(gconstpointer data)
{
	Rig *rig = *(Rig *const *)data;
	gint64 began;

	wait_for_note(rig, "ice: no check answered yet, still waiting");
	g_assert_cmpuint(rig->gateway->ports[rig->webrtc].losses, ==, 0);
	rig->peer->silent = FALSE;
	began = g_get_monotonic_time();
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
	rig_free(rig);
}

/* --- consent --- */

static Rig *
begin_consent(Side side, guint timeout_s)
{
	Rig *rig = rig_new(&(RigOptions){ .side = side, .consent_timeout_s = timeout_s });

	rig_connect(rig, NULL);
	rig_secure(rig, 0);
	rig_talk(rig, 0, 'a');
	rig->peer->silent = TRUE;
	return rig;
}

static gboolean
is_lost(gpointer user)
{
	const Rig *rig = user;

	return rig->gateway->ports[rig->webrtc].losses > 0;
}

static void
test_gone(void)
{
	gint64 took;

	g_assert_true(wait_for(is_lost, gone, RIG_ENOUGH));
	took = g_get_monotonic_time() - gone_since;
	g_assert_cmpint(gone->gateway->ports[gone->webrtc].loss, ==, MEDIA_LOST_CONSENT);
	g_test_message("lost after %.1f s", (double)took / G_USEC_PER_SEC);
	g_assert_cmpint(took, >, 10 * G_USEC_PER_SEC);
	g_assert_cmpint(took, <, 16 * G_USEC_PER_SEC);
	rig_free(gone);
}

/* It nominates again before the time is up: the same pair, the same keys. */
static void
test_back(void)
{
	wait_for_note(back, "ice: the peer no longer answers connectivity checks");
	back->peer->silent = FALSE;
	rig_check(back, 0, CHECK_USE_CANDIDATE);
	wait_for_note(back, "ice: the peer answers connectivity checks again");
	rig_talk(back, 0, 'b');
	g_assert_cmpuint(back->gateway->ports[back->webrtc].losses, ==, 0);
	rig_free(back);
}

/* One that answers no check but sends is there, whatever its checks say. */
static gboolean
is_over(gpointer user)
{
	char payload[160] = "c";

	ice_peer_send_rtp(mute->peer, payload, sizeof payload);
	return is_lost(user);
}

static void
test_mute(void)
{
	g_assert_true(wait_for(is_over, gone, RIG_ENOUGH)); /* the other's time is up, not ours */
	wait_for_note(mute, "ice: the peer no longer answers connectivity checks");
	g_assert_cmpuint(mute->gateway->ports[mute->webrtc].losses, ==, 0);
	rig_talk(mute, 0, 'd');
	rig_free(mute);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	late_caller = begin_late(&(RigOptions){ .side = SIDE_CALLER });
	late_callee = begin_late(&(RigOptions){ .side = SIDE_CALLEE });
	back = begin_consent(SIDE_CALLER, 30);
	mute = begin_consent(SIDE_CALLEE, 11);
	gone = begin_consent(SIDE_CALLEE, 11);
	gone_since = g_get_monotonic_time();
	g_test_add_data_func("/ice/time/the caller begins late", &late_caller, test_late);
	g_test_add_data_func("/ice/time/the callee begins late", &late_callee, test_late);
	g_test_add_func("/ice/time/answers no check but sends", test_mute);
	g_test_add_func("/ice/time/gone", test_gone);
	g_test_add_func("/ice/time/gone for a while", test_back);
	return g_test_run();
}
