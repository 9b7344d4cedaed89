/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-ice-churn.c - a thousand WebRTC ports, given up at every moment of their set-up.
 *
 * Descriptors and memory are the same afterwards; the sanitizer says what is left.
 */
#include "tests/media/ice-peer.h"
#include "tests/media/media-peer.h"
#include <malloc.h>
#include <string.h>
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc brings no header for it */
#define live_bytes() __sanitizer_get_current_allocated_bytes()
#else
#define live_bytes() mallinfo2().uordblks
#endif

#define ENOUGH	  60000
#define AT_A_TIME 20
#define WARM	  200
#define TOTAL	  1000
#define SLACK	  (64 * 1024) /* bytes; one forgotten port in ten would be more */

/* In order; each is a moment to be given up at. */
typedef enum { OPENED, READY, CONNECTED, CHECKED, SHAKING, SHAKEN, UP, N_MOMENTS } Moment;

typedef struct {
	Peer *peer;
	PortId port;
	Moment at, doomed;
	guint linger; /* turns at the last moment */
	IcePeer *far;
} Cycle;

typedef struct {
	Workers *workers;
	Cycle cycles[AT_A_TIME];
	guint begun, ended, wanted;
	guint counts[N_MOMENTS];
} Churn;

static guint
count_descriptors(void)
{
	g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir))
		n++;
	return n - 1; /* that of the folder */
}

static void
begin(Churn *churn, Cycle *cycle)
{
	static const char *const loopback[] = { "127.0.0.1", NULL };

	churn->begun++;
	cycle->far = ice_peer_new(loopback, TRUE);
	cycle->peer = peer_new(churn->workers);
	cycle->port = media_add_port(cycle->peer->media, SIDE_CALLER, TRANSPORT_WEBRTC);
	cycle->at = OPENED;
	cycle->doomed = (Moment)g_test_rand_int_range(0, N_MOMENTS);
	cycle->linger = (guint)g_test_rand_int_range(0, 4);
}

static void
end(Churn *churn, Cycle *cycle)
{
	churn->ended++;
	churn->counts[cycle->at]++;
	peer_free(cycle->peer);
	ice_peer_free(cycle->far);
	cycle->peer = NULL;
}

static void
connect_cycle(Cycle *cycle)
{
	const Transport *ours = cycle->peer->ports[cycle->port].ours;
	g_autoptr(Transport) theirs = ice_peer_transport(cycle->far, SETUP_ACTIVE);
	g_autoptr(Desc) local = desc_with_setup(ours, "0 PCMU", SETUP_PASSIVE);
	g_autoptr(Desc) remote = desc_for_test(theirs, "0 PCMU");

	ice_peer_told(cycle->far, ours);
	media_connect(cycle->peer->media, cycle->port, local, remote);
}

/* One moment further when it has come. */
static void
advance(Cycle *cycle)
{
	switch (cycle->at) {
	case OPENED:
		cycle->at += cycle->peer->ports[cycle->port].readies > 0;
		break;
	case READY:
		connect_cycle(cycle);
		cycle->at++;
		break;
	case CONNECTED:
		ice_peer_check(cycle->far, 0, CHECK_USE_CANDIDATE);
		cycle->at++;
		break;
	case CHECKED:
		if (cycle->far->paths[0].answers_in == 0)
			break;
		ice_peer_handshake(cycle->far, SETUP_ACTIVE);
		cycle->at++;
		break;
	case SHAKING:
		cycle->at += cycle->far->handshakes > 0;
		break;
	default:
		cycle->at += cycle->at == SHAKEN && cycle->peer->ports[cycle->port].ups > 0;
		break;
	}
}

static gboolean
turn(gpointer user)
{
	Churn *churn = user;

	for (guint i = 0; i < AT_A_TIME; i++) {
		Cycle *cycle = &churn->cycles[i];

		if (!cycle->peer && churn->begun < churn->wanted)
			begin(churn, cycle);
		if (!cycle->peer)
			continue;
		if (cycle->at == cycle->doomed && cycle->linger-- == 0)
			end(churn, cycle);
		else if (cycle->at < cycle->doomed)
			advance(cycle);
	}
	return churn->ended == churn->wanted;
}

typedef struct {
	guint descriptors;
	gsize bytes;
} Footprint;

static gboolean
descriptors_are_closed(gpointer user)
{
	return count_descriptors() <= *(const guint *)user;
}

/* What is on its way between the threads has arrived when a new port is ready. */
static Footprint
measure(Churn *churn, guint descriptors)
{
	Peer *last = peer_new(churn->workers);

	peer_add(last, SIDE_CALLER, TRANSPORT_WEBRTC);
	peer_free(last);
	g_assert_true(wait_for(descriptors_are_closed, &descriptors, ENOUGH));
	return (Footprint){ count_descriptors(), live_bytes() };
}

static void
test_churn(void)
{
	Churn churn = { .workers = workers_for_test(TRUE), .wanted = WARM };
	const guint descriptors = count_descriptors() + 1; /* the main loop's own, made later */
	Footprint warm, after;

	g_assert_true(wait_for(turn, &churn, ENOUGH));
	warm = measure(&churn, descriptors);
	churn.wanted = TOTAL;
	g_assert_true(wait_for(turn, &churn, ENOUGH));
	after = measure(&churn, descriptors);
	for (guint i = 0; i < N_MOMENTS; i++) {
		g_test_message("given up at moment %u: %u", i, churn.counts[i]);
		g_assert_cmpuint(churn.counts[i], >, TOTAL / N_MOMENTS / 2);
	}
	g_test_message("descriptors %u, then %u; bytes %zu, then %zu", warm.descriptors,
		       after.descriptors, warm.bytes, after.bytes);
	/* the main loop may have made its own between the two counts */
	g_assert_cmpuint(after.descriptors, <=, descriptors);
	g_assert_cmpuint(after.bytes, <, warm.bytes + SLACK);
	workers_free(churn.workers);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ice/given up at every moment", test_churn);
	return g_test_run();
}
