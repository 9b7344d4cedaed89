/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice-peer.c - a scripted ICE agent with DTLS-SRTP on loopback. */
#include "tests/media/ice-peer.h"
#include "media/demux.h"
#include <glib-unix.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <unistd.h>

#define STUN_MAGIC	     0x2112a442
#define STUN_HEADER	     20
#define BINDING_REQUEST	     0x0001
#define BINDING_SUCCESS	     0x0101
#define BINDING_ERROR	     0x0111
#define ATTRIBUTE_USERNAME   0x0006
#define ATTRIBUTE_INTEGRITY  0x0008
#define ATTRIBUTE_XOR_MAPPED 0x0020
#define ATTRIBUTE_PRIORITY   0x0024
#define ATTRIBUTE_USE	     0x0025
#define ATTRIBUTE_FINGER     0x8028
#define ATTRIBUTE_CONTROLLED 0x8029
#define ATTRIBUTE_CONTROLS   0x802a
#define ATTRIBUTE_NOMINATION 0xc001
#define INTEGRITY_BYTES	     20

/* --- messages --- */

static guint16
get16(const guint8 *at)
{
	return (guint16)(at[0] << 8 | at[1]);
}

static void
put16(GByteArray *message, guint value)
{
	const guint8 bytes[2] = { (guint8)(value >> 8), (guint8)value };

	g_byte_array_append(message, bytes, 2);
}

static void
put32(GByteArray *message, guint32 value)
{
	put16(message, value >> 16);
	put16(message, value & 0xffff);
}

static void
set_length(GByteArray *message, guint length)
{
	message->data[2] = (guint8)(length >> 8);
	message->data[3] = (guint8)length;
}

static void
put_attribute(GByteArray *message, guint type, const void *value, guint length)
{
	static const guint8 padding[4];

	put16(message, type);
	put16(message, length);
	if (length > 0)
		g_byte_array_append(message, value, length);
	g_byte_array_append(message, padding, (4 - length % 4) % 4);
}

static void
put_number(GByteArray *message, guint type, guint32 value)
{
	const guint32 wire = GUINT32_TO_BE(value);

	put_attribute(message, type, &wire, 4);
}

static GByteArray *
message_new(guint type, const guint8 *transaction)
{
	GByteArray *message = g_byte_array_new();
	guint32 random[3];

	put16(message, type);
	put16(message, 0);
	put32(message, STUN_MAGIC);
	for (guint i = 0; i < 3; i++)
		random[i] = g_random_int();
	g_byte_array_append(message, transaction ? transaction : (guint8 *)random, 12);
	return message;
}

static void
integrity(const guint8 *data, gsize length, const char *key, guint8 sum[INTEGRITY_BYTES])
{
	unsigned int size = INTEGRITY_BYTES;

	HMAC(EVP_sha1(), key, (int)strlen(key), data, length, sum, &size);
}

static guint32
crc32_of(const guint8 *data, gsize length)
{
	guint32 crc = 0xffffffff;

	for (gsize i = 0; i < length; i++) {
		crc ^= data[i];
		for (guint bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* RFC 8489 14.5, 14.7: each is made over a header that counts it already. */
static void
seal(GByteArray *message, const char *key)
{
	guint8 sum[INTEGRITY_BYTES];

	set_length(message, message->len - STUN_HEADER + 4 + INTEGRITY_BYTES);
	integrity(message->data, message->len, key, sum);
	put_attribute(message, ATTRIBUTE_INTEGRITY, sum, sizeof sum);
	set_length(message, message->len - STUN_HEADER + 8);
	put_number(message, ATTRIBUTE_FINGER, crc32_of(message->data, message->len) ^ 0x5354554e);
}

static const guint8 *
find_attribute(const guint8 *data, gsize length, guint type, guint *size)
{
	gsize at = STUN_HEADER;

	while (at + 4 <= length) {
		*size = get16(data + at + 2);
		if (at + 4 + *size > length)
			break;
		if (get16(data + at) == type)
			return data + at + 4;
		at += 4 + (*size + 3) / 4 * 4;
	}
	return NULL;
}

static gboolean
is_sealed(const guint8 *data, gsize length, const char *key)
{
	guint8 copy[1600], sum[INTEGRITY_BYTES];
	guint size;
	const guint8 *theirs = find_attribute(data, length, ATTRIBUTE_INTEGRITY, &size);
	gsize before;

	if (!theirs || size != INTEGRITY_BYTES)
		return FALSE;
	before = (gsize)(theirs - data) - 4;
	memcpy(copy, data, before);
	copy[2] = (guint8)((before - STUN_HEADER + 4 + INTEGRITY_BYTES) >> 8);
	copy[3] = (guint8)(before - STUN_HEADER + 4 + INTEGRITY_BYTES);
	integrity(copy, before, key, sum);
	return memcmp(sum, theirs, sizeof sum) == 0;
}

static void
put_mapped(GByteArray *message, const NetAddress *from)
{
	const gboolean six = from->any.sa_family == AF_INET6;
	guint8 value[20] = { 0, six ? 2 : 1 };
	const guint port = net_address_port(from) ^ (STUN_MAGIC >> 16);
	const guint8 *host =
		six ? from->ip6.sin6_addr.s6_addr : (const guint8 *)&from->ip4.sin_addr.s_addr;

	value[2] = (guint8)(port >> 8);
	value[3] = (guint8)port;
	for (guint i = 0; i < (six ? 16 : 4); i++) /* the magic cookie, then the transaction */
		value[4 + i] = host[i] ^ message->data[4 + i];
	put_attribute(message, ATTRIBUTE_XOR_MAPPED, value, six ? 20 : 8);
}

static void
send_to(IcePath *path, const void *data, gsize length, const NetAddress *to)
{
	if (sendto(path->fd, data, length, 0, &to->any, to->length) < 0)
		g_test_message("peer: not sent: %s", g_strerror(errno));
}

/* --- checks in --- */

static void
answer_check(IcePath *path, const guint8 *data, const NetAddress *from)
{
	g_autoptr(GByteArray) answer = message_new(BINDING_SUCCESS, data + 8);

	put_mapped(answer, from);
	seal(answer, path->peer->pwd);
	send_to(path, answer->data, answer->len, from);
}

static void
on_request(IcePath *path, const guint8 *data, gsize length, const NetAddress *from)
{
	IcePeer *peer = path->peer;
	guint size;

	if (!is_sealed(data, length, peer->pwd))
		return;
	path->checks_in++;
	if (find_attribute(data, length, ATTRIBUTE_USE, &size))
		path->nominations_in++;
	answer_check(path, data, from);
}

static void
on_stun(IcePath *path, const guint8 *data, gsize length, const NetAddress *from)
{
	IcePeer *peer = path->peer;
	const guint type = get16(data);

	if (peer->silent || length < STUN_HEADER)
		return;
	if (type == BINDING_REQUEST) {
		on_request(path, data, length, from);
	} else if (!peer->gateway || !is_sealed(data, length, peer->gateway->pwd)) {
		path->answers_wrong++;
	} else if (type == BINDING_SUCCESS) {
		path->answers_in++;
	} else if (type == BINDING_ERROR) { /* 487: the other role then, RFC 8445 7.2.5.1 */
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
	g_autoptr(GByteArray) request = message_new(BINDING_REQUEST, NULL);
	g_autofree char *username = g_strdup_printf("%s:%s", peer->gateway->ufrag, peer->ufrag);
	const guint64 tie_breaker = GUINT64_TO_BE(peer->tie_breaker);

	put_attribute(request, ATTRIBUTE_USERNAME, username, (guint)strlen(username));
	put_number(request, ATTRIBUTE_PRIORITY, 110u << 24 | (65535 - 256 * index) << 8 | 255);
	put_attribute(request, peer->controlling ? ATTRIBUTE_CONTROLS : ATTRIBUTE_CONTROLLED,
		      &tie_breaker, sizeof tie_breaker);
	if (kind == CHECK_USE_CANDIDATE)
		put_attribute(request, ATTRIBUTE_USE, NULL, 0);
	if (kind == CHECK_NOMINATION)
		put_number(request, ATTRIBUTE_NOMINATION, ++peer->nomination);
	seal(request, peer->gateway->pwd);
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
dtls_failed(gpointer user, gboolean fingerprint, const char *text)
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
