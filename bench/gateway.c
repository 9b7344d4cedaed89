/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gateway.c - the gateway, to be measured: the media library as the daemon runs it.
 *
 * A WebRTC port and a plain one for each call, joined; threads as many as the
 * daemon's defaults make.
 */
#include "bench/clients.h"
#include "tests/media/media-peer.h"
#include <glib-unix.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH	  20   /* calls set up at a time, as the clients do */
#define SETTLE_MS 3000 /* from the last set-up to the first packet */

typedef struct {
	Peer *peer;
	PortId webrtc, plain;
} Joint;

static void
open_joint(Joint *joint, Workers *workers, Talk *talk)
{
	const Transport *ours;

	joint->peer = peer_new(workers);
	joint->webrtc = peer_add(joint->peer, SIDE_CALLEE, TRANSPORT_WEBRTC);
	joint->plain = peer_add(joint->peer, SIDE_CALLER, TRANSPORT_RTP);
	ours = joint->peer->ports[joint->webrtc].ours;
	say(talk, "%s %s %s %u %u", ours->ufrag, ours->pwd, ours->fingerprint,
	    g_array_index(ours->candidates, Candidate, 0).port,
	    joint->peer->ports[joint->plain].ours->port);
}

static Transport *
client_transport(char **words)
{
	Transport *theirs = transport_new(TRANSPORT_WEBRTC);
	Candidate candidate = {
		.foundation = "1", .component = 1, .priority = 2130706431, .address = "127.0.0.1"
	};

	theirs->ufrag = g_strdup(words[0]);
	theirs->pwd = g_strdup(words[1]);
	theirs->fingerprint_hash = g_strdup("sha-256");
	theirs->fingerprint = g_strdup(words[2]);
	candidate.port = (guint16)atoi(words[3]);
	g_array_append_val(theirs->candidates, candidate);
	return theirs;
}

static void
connect_joint(Joint *joint, Talk *talk)
{
	g_auto(GStrv) words = hear(talk, 5);
	g_autoptr(Transport) client = client_transport(words),
			     telephone = transport_new(TRANSPORT_RTP);
	g_autoptr(Desc) local = NULL, remote = NULL, plain_local = NULL, plain_remote = NULL;

	local = desc_with_setup(joint->peer->ports[joint->webrtc].ours, "0 PCMU", SETUP_PASSIVE);
	remote = desc_with_setup(client, "0 PCMU", SETUP_ACTIVE);
	g_strlcpy(telephone->address, "127.0.0.1", sizeof telephone->address);
	telephone->port = (guint16)atoi(words[4]);
	plain_local = desc_for_test(joint->peer->ports[joint->plain].ours, "0 PCMU");
	plain_remote = desc_for_test(telephone, "0 PCMU");
	media_connect(joint->peer->media, joint->webrtc, local, remote);
	media_connect(joint->peer->media, joint->plain, plain_local, plain_remote);
	media_join(joint->peer->media, joint->webrtc, joint->plain);
}

static gboolean
quit(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

static gboolean
on_closed(int fd, GIOCondition condition, gpointer loop)
{
	return quit(loop);
}

static void
measured(Talk *talk, guint calls)
{
	Joint *joints = g_new0(Joint, calls);
	Workers *workers = workers_on_loopback(0, TRUE);
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	for (guint from = 0; from < calls; from += BATCH) {
		const guint to = MIN(from + BATCH, calls);

		for (guint i = from; i < to; i++)
			open_joint(&joints[i], workers, talk);
		for (guint i = from; i < to; i++)
			connect_joint(&joints[i], talk);
		for (guint i = from; i < to; i++)
			peer_wait_up(joints[i].peer, joints[i].webrtc);
	}
	g_timeout_add(SETTLE_MS, quit, loop);
	g_main_loop_run(loop);
	say(talk, "ready %d", (int)getpid());
	/* the signalling thread has its share of work: counters of every port */
	g_unix_fd_add(fileno(talk->in), G_IO_IN | G_IO_HUP, on_closed, loop);
	g_main_loop_run(loop);
	exit(0);
}

const Kind gateway_kind = { "gateway", measured, clients_introduce };
