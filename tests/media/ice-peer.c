/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice-peer.c - a scripted ICE agent with DTLS-SRTP on loopback. */
#include "tests/media/ice-peer.h"
#include "media/demux.h"
#include "tests/media/stun.h"
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

static void
send_to(IcePath *path, const void *data, gsize length, const NetAddress *to)
{
	if (sendto(path->fd, data, length, 0, &to->any, to->length) < 0)
		g_test_message("peer: not sent: %s", g_strerror(errno));
}

/* --- checks in --- */

static void
answer_check(IcePath *path, const guint8 *data, const NetAddress *from, guint error)
{
	const IcePeer *peer = path->peer;
	g_autoptr(GByteArray) answer =
		stun_new(error ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS, data + 8);

	if (error)
		stun_put_number(answer, STUN_ERROR, error / 100 << 8 | error % 100);
	else
		stun_put_mapped(answer, from);
	stun_seal(answer, peer->forges ? "the password of nobody" : peer->pwd);
	send_to(path, answer->data, answer->len, from);
}

/* RFC 8445 7.3.1.1, of one whose tie-breaker is the greater */
static gboolean
is_in_our_role(const IcePeer *peer, const guint8 *data, gsize length)
{
	guint size;

	return stun_find(data, length, peer->controlling ? STUN_CONTROLS : STUN_CONTROLLED,
			 &size) != NULL;
}

static void
on_request(IcePath *path, const guint8 *data, gsize length, const NetAddress *from)
{
	IcePeer *peer = path->peer;
	guint size;

	if (!stun_is_sealed(data, length, peer->pwd))
		return;
	path->checks_in++;
	if (peer->mute || (peer->skips && path->checks_in % 2))
		return;
	if (stun_find(data, length, STUN_USE, &size))
		path->nominations_in++;
	if (peer->judges && is_in_our_role(peer, data, length)) {
		path->judged++;
		answer_check(path, data, from, 487);
	} else {
		answer_check(path, data, from, peer->refuses);
	}
}

static void
on_stun(IcePath *path, const guint8 *data, gsize length, const NetAddress *from)
{
	IcePeer *peer = path->peer;
	const guint type = stun_type(data);
	guint size;

	if (peer->silent || length < STUN_HEADER || type == STUN_BINDING_INDICATION)
		return;
	if (type == STUN_BINDING_REQUEST) {
		on_request(path, data, length, from);
	} else if (!peer->gateway || !stun_is_sealed(data, length, peer->gateway->pwd)) {
		path->answers_wrong++;
	} else if (type == STUN_BINDING_SUCCESS) {
		path->answers_in++;
		path->agent_answers_in += stun_find(data, length, STUN_USERNAME, &size) != NULL;
	} else if (type == STUN_BINDING_ERROR) { /* 487: the other role then, RFC 8445 7.2.5.1 */
		path->conflicts_in++;
		peer->controlling = !peer->controlling;
	}
}

/* --- media in --- */

static void
on_rtp(IcePath *path, guint8 *data, gsize length)
{
	IcePeer *peer = path->peer;

	if (!peer->receive || protection_unprotect(peer->receive, data, &length) != PROTECTION_OK)
		return;
	path->rtp_in++;
	memcpy(path->last, data, length);
	path->last_length = length;
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer user)
{
	IcePath *path = user;
	_Alignas(8) guint8 data[1600 + PROTECTION_TRAILER];
	NetAddress from = { .length = sizeof from.ip6 };
	const ssize_t length = recvfrom(fd, data, 1600, 0, &from.any, &from.length);
	const PacketKind kind = length > 0 ? packet_kind(data, (gsize)length) : PACKET_OTHER;

	path->dtls_in += kind == PACKET_DTLS;
	if (kind == PACKET_STUN)
		on_stun(path, data, (gsize)length, &from);
	else if (path->peer->deaf)
		return G_SOURCE_CONTINUE;
	else if (kind == PACKET_DTLS && path->peer->dtls)
		dtls_receive(path->peer->dtls, data, (gsize)length);
	else if (kind == PACKET_RTP)
		on_rtp(path, data, (gsize)length);
	return G_SOURCE_CONTINUE;
}

/* --- life --- */

static void
random_text(char *text, guint length)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/0123456789";

	for (guint i = 0; i < length; i++)
		text[i] = letters[g_random_int_range(0, sizeof letters - 1)];
	text[length] = '\0';
}

static void
open_path(IcePeer *peer, guint index, const char *address)
{
	IcePath *path = &peer->paths[index];

	path->peer = peer;
	g_assert_true(net_address_parse(address, 0, &path->ours));
	path->fd = socket(path->ours.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(path->fd, >=, 0);
	g_assert_cmpint(bind(path->fd, &path->ours.any, path->ours.length), ==, 0);
	getsockname(path->fd, &path->ours.any, &path->ours.length);
	path->watch = g_unix_fd_add(path->fd, G_IO_IN, on_readable, path);
}

static void
close_path(IcePath *path)
{
	g_source_remove(path->watch);
	close(path->fd);
}

IcePeer *
ice_peer_new(const char *const *addresses, gboolean controlling)
{
	IcePeer *peer = g_new0(IcePeer, 1);
	g_autoptr(GError) error = NULL;

	peer->controlling = controlling;
	peer->tie_breaker = (guint64)g_random_int() << 32 | g_random_int();
	peer->ssrc = g_random_int();
	random_text(peer->ufrag, sizeof peer->ufrag - 1);
	random_text(peer->pwd, sizeof peer->pwd - 1);
	for (; addresses[peer->n_paths]; peer->n_paths++)
		open_path(peer, peer->n_paths, addresses[peer->n_paths]);
	g_assert_true(protection_setup(&error));
	peer->context = dtls_context_new(&error);
	g_assert_no_error(error);
	return peer;
}

void
ice_peer_free(IcePeer *peer)
{
	for (guint i = 0; i < peer->n_paths; i++)
		close_path(&peer->paths[i]);
	dtls_free(peer->dtls);
	dtls_context_free(peer->context);
	protection_free(peer->receive);
	protection_free(peer->send);
	transport_free(peer->gateway);
	g_free(peer);
}

void
ice_peer_restart(IcePeer *peer)
{
	random_text(peer->ufrag, sizeof peer->ufrag - 1);
	random_text(peer->pwd, sizeof peer->pwd - 1);
	peer->generation++;
}

void
ice_peer_move(IcePeer *peer, guint path, const char *address)
{
	const NetAddress gateway = peer->paths[path].gateway;

	close_path(&peer->paths[path]);
	memset(&peer->paths[path], 0, sizeof peer->paths[path]);
	open_path(peer, path, address);
	peer->paths[path].gateway = gateway;
}

/* --- descriptions --- */

Candidate
ice_peer_candidate(const IcePeer *peer, guint path)
{
	const NetAddress *ours = &peer->paths[path].ours;
	Candidate candidate = { .component = 1, .type = CANDIDATE_HOST };

	candidate.priority = 126u << 24 | (65535 - 256 * path) << 8 | 255;
	candidate.port = net_address_port(ours);
	candidate.generation = peer->generation;
	net_address_host_text(ours, candidate.address);
	g_snprintf(candidate.foundation, sizeof candidate.foundation, "%u", path + 1);
	return candidate;
}

Transport *
ice_peer_transport(const IcePeer *peer, DtlsSetup setup)
{
	Transport *transport = transport_new(TRANSPORT_WEBRTC);

	transport->ufrag = g_strdup(peer->ufrag);
	transport->pwd = g_strdup(peer->pwd);
	transport->fingerprint_hash = g_strdup("sha-256");
	transport->fingerprint = g_strdup(dtls_context_fingerprint(peer->context));
	transport->setup = setup;
	for (guint i = 0; i < peer->n_paths; i++) {
		const Candidate candidate = ice_peer_candidate(peer, i);

		g_array_append_val(transport->candidates, candidate);
	}
	return transport;
}

void
ice_peer_told(IcePeer *peer, const Transport *gateway)
{
	transport_free(peer->gateway);
	peer->gateway = transport_copy(gateway);
	for (guint i = 0; i < peer->n_paths; i++) {
		IcePath *path = &peer->paths[i];

		for (guint j = gateway->candidates->len; j-- > 0;) {
			const Candidate *theirs = &g_array_index(gateway->candidates, Candidate, j);
			NetAddress address;

			if (net_address_parse(theirs->address, theirs->port, &address) &&
			    address.any.sa_family == path->ours.any.sa_family)
				path->gateway = address;
		}
	}
}

/* --- out --- */

void
ice_peer_check(IcePeer *peer, guint index, CheckKind kind)
{
	IcePath *path = &peer->paths[index];
	g_autoptr(GByteArray) request = stun_new(STUN_BINDING_REQUEST, NULL);
	g_autofree char *username = g_strdup_printf("%s:%s", peer->gateway->ufrag, peer->ufrag);
	const guint64 tie_breaker = GUINT64_TO_BE(peer->tie_breaker);

	stun_put(request, STUN_USERNAME, username, (guint)strlen(username));
	stun_put_number(request, STUN_PRIORITY, 110u << 24 | (65535 - 256 * index) << 8 | 255);
	stun_put(request, peer->controlling ? STUN_CONTROLS : STUN_CONTROLLED, &tie_breaker,
		 sizeof tie_breaker);
	if (kind == CHECK_USE_CANDIDATE)
		stun_put(request, STUN_USE, NULL, 0);
	if (kind == CHECK_NOMINATION)
		stun_put_number(request, STUN_NOMINATION, ++peer->nomination);
	stun_seal(request, peer->gateway->pwd);
	send_to(path, request->data, request->len, &path->gateway);
}

void
ice_peer_nonsense(IcePeer *peer, guint index)
{
	IcePath *path = &peer->paths[index];
	g_autoptr(GByteArray) request = stun_new(STUN_BINDING_REQUEST, NULL);

	stun_put(request, STUN_USERNAME, "nobody:knows", strlen("nobody:knows"));
	stun_seal(request, "the password of nobody");
	send_to(path, request->data, request->len, &path->gateway);
}

static void
dtls_send(gpointer user, const guint8 *data, gsize length)
{
	IcePeer *peer = user;
	IcePath *path = &peer->paths[peer->path];

	send_to(path, data, length, &path->gateway);
}

static void
dtls_done(gpointer user, const SrtpKeys *keys)
{
	IcePeer *peer = user;

	peer->handshakes++;
	peer->receive = protection_new(keys->profile, keys->receive, FALSE);
	peer->send = protection_new(keys->profile, keys->send, TRUE);
}

static void
dtls_failed(gpointer user, MediaLoss why, const char *text)
{
	((IcePeer *)user)->failures++;
	g_test_message("peer: %s", text);
}

static const DtlsEvents dtls_events = { .send = dtls_send,
					.done = dtls_done,
					.failed = dtls_failed };

void
ice_peer_handshake(IcePeer *peer, DtlsSetup setup)
{
	const DtlsOptions options = { .client = setup == SETUP_ACTIVE,
				      .hash = peer->gateway->fingerprint_hash,
				      .fingerprint = peer->gateway->fingerprint,
				      .timeout_ms = 20000 };

	g_assert_null(peer->dtls);
	peer->dtls = dtls_new(peer->context, NULL, &options, &dtls_events, peer);
	dtls_start(peer->dtls);
}

void
ice_peer_send_rtp(IcePeer *peer, const void *payload, gsize length)
{
	_Alignas(8) guint8 packet[1600] = { 0x80, 0 };
	const guint16 seq = GUINT16_TO_BE(peer->seq);
	const guint32 timestamp = GUINT32_TO_BE(peer->seq * 160u);
	const guint32 ssrc = GUINT32_TO_BE(peer->ssrc);
	gsize size = 12 + length;

	peer->seq++;
	memcpy(packet + 2, &seq, 2);
	memcpy(packet + 4, &timestamp, 4);
	memcpy(packet + 8, &ssrc, 4);
	memcpy(packet + 12, payload, length);
	g_assert_nonnull(peer->send);
	g_assert_cmpint(protection_protect(peer->send, packet, &size), ==, PROTECTION_OK);
	send_to(&peer->paths[peer->path], packet, size, &peer->paths[peer->path].gateway);
}
