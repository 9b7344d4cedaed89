/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice-rig.c - a call between a telephone and a scripted ICE peer. */
#include "tests/media/ice-rig.h"
#include <string.h>

#define LOOPBACK "127.0.0.1"

static Workers *
make_workers(const RigOptions *options)
{
	static const char *const loopback[] = { LOOPBACK, NULL };
	const MediaOptions media = {
		.n_ice = 1,
		.n_media = 1,
		.local_addresses = (char **)(options->gateway[0] ? options->gateway : loopback),
		.rtp_address = (char *)LOOPBACK,
		.public_address = (char *)options->public_address,
		.port_min = 20000,
		.port_max = 59999,
		.ice_timeout_s = options->ice_timeout_s ? options->ice_timeout_s : 30,
		.consent_timeout_s = options->consent_timeout_s,
		.second_ms = options->second_ms,
		.kernel_split = !options->agent_split,
	};
	g_autoptr(GError) error = NULL;
	Workers *workers = workers_new(&media, &error);

	g_assert_no_error(error);
	return workers;
}

Rig *
rig_new(const RigOptions *options)
{
	static const char *const loopback[] = { LOOPBACK, NULL };
	const gboolean caller = options->side == SIDE_CALLER;
	Rig *rig = g_new0(Rig, 1);

	rig->workers = make_workers(options);
	rig->dtls_client = options->dtls_client;
	rig->clear = options->clear;
	rig->gateway = peer_new(rig->workers);
	rig->phone = phone_new();
	rig->peer = ice_peer_new(options->addresses[0] ? options->addresses : loopback, caller);
	rig->plain = peer_add(rig->gateway, caller ? SIDE_CALLEE : SIDE_CALLER, TRANSPORT_RTP);
	rig->webrtc = options->clear ? peer_add_clear(rig->gateway, options->side)
				     : peer_add(rig->gateway, options->side, TRANSPORT_WEBRTC);
	media_join(rig->gateway->media, rig->plain, rig->webrtc);
	return rig;
}

void
rig_free(Rig *rig)
{
	peer_free(rig->gateway);
	phone_free(rig->phone);
	ice_peer_free(rig->peer);
	workers_free(rig->workers);
	g_free(rig);
}

const Transport *
rig_ours(const Rig *rig)
{
	return rig->gateway->ports[rig->webrtc].ours;
}

static void
connect_phone(Rig *rig)
{
	g_autoptr(Desc) local = desc_for_test(rig->gateway->ports[rig->plain].ours, RIG_CODECS);
	g_autoptr(Desc) remote = phone_desc(rig->phone, RIG_CODECS);

	media_connect(rig->gateway->media, rig->plain, local, remote);
}

static void
connect_clear(Rig *rig)
{
	g_autoptr(Transport) peer = ice_peer_transport(rig->peer, SETUP_NONE);
	g_autoptr(Transport) theirs = transport_unencrypted(peer);
	g_autoptr(Transport) ours = transport_unencrypted(rig_ours(rig));
	g_autoptr(Desc) local = desc_for_test(ours, RIG_CODECS);
	g_autoptr(Desc) remote = desc_for_test(theirs, RIG_CODECS);

	connect_phone(rig);
	ice_peer_told(rig->peer, rig_ours(rig));
	media_connect(rig->gateway->media, rig->webrtc, local, remote);
}

void
rig_connect(Rig *rig, const Transport *theirs)
{
	const gboolean client = rig->dtls_client;
	g_autoptr(Transport) all =
		ice_peer_transport(rig->peer, client ? SETUP_PASSIVE : SETUP_ACTIVE);
	g_autoptr(Desc) local =
		desc_with_setup(rig_ours(rig), RIG_CODECS, client ? SETUP_ACTIVE : SETUP_PASSIVE);
	g_autoptr(Desc) remote = desc_for_test(theirs ? theirs : all, RIG_CODECS);

	if (rig->clear) {
		connect_clear(rig);
		return;
	}
	connect_phone(rig);
	ice_peer_told(rig->peer, rig_ours(rig));
	media_connect(rig->gateway->media, rig->webrtc, local, remote);
}

typedef struct {
	Rig *rig;
	guint path, before;
} Wait;

static gboolean
is_answered(gpointer user)
{
	const Wait *wait = user;

	return wait->rig->peer->paths[wait->path].answers_in > wait->before;
}

void
rig_check(Rig *rig, guint path, CheckKind kind)
{
	Wait wait = { rig, path, rig->peer->paths[path].answers_in };

	ice_peer_check(rig->peer, path, kind);
	g_assert_true(wait_for(is_answered, &wait, RIG_ENOUGH));
}

void
rig_secure(Rig *rig, guint path)
{
	rig_check(rig, path, CHECK_USE_CANDIDATE);
	rig->peer->path = path;
	ice_peer_handshake(rig->peer, rig->dtls_client ? SETUP_PASSIVE : SETUP_ACTIVE);
	peer_wait_up(rig->gateway, rig->webrtc);
}

/* The newest packet says which talk it belongs to. */
static gboolean
both_heard(gpointer user)
{
	Rig *rig = user;
	const IcePath *path = &rig->peer->paths[rig->expected_path];
	char payload[160];

	memset(payload, rig->letter, sizeof payload);
	phone_send(rig->phone, rig->gateway->ports[rig->plain].ours->port, 0, payload,
		   sizeof payload);
	ice_peer_send_rtp(rig->peer, payload, sizeof payload);
	if (phone_drain(rig->phone) && rig->phone->last[12] == rig->letter)
		rig->heard_by_phone++;
	if (path->last_length == 172 && path->last[12] == rig->letter)
		rig->heard_by_peer++;
	return rig->heard_by_phone >= 10 && rig->heard_by_peer >= 10;
}

void
rig_talk(Rig *rig, guint path, char letter)
{
	IcePath *expected = &rig->peer->paths[path];

	rig->heard_by_phone = rig->heard_by_peer = 0;
	rig->expected_path = path;
	rig->letter = letter;
	expected->last_length = 0;
	g_assert_true(wait_for(both_heard, rig, RIG_ENOUGH));
}

guint
rig_notes(const Rig *rig, const char *words)
{
	const char *at = rig->gateway->ports[rig->webrtc].notes->str;
	guint n = 0;

	for (; (at = strstr(at, words)); at += strlen(words))
		n++;
	return n;
}
