/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* callers_media.c - the media of the load: ICE, DTLS and a little RTP.
 *
 * The clients share some sockets and so do the telephones.  A client is told by what the
 * gateway's check names, or by the gateway's port; with whom a telephone talks does not
 * matter, its packets are counted.
 */
#include "bench/callers.h"
#include "media/demux.h"
#include "media/rtp.h"
#include "tests/media/stun.h"
#include <glib-unix.h>
#include <string.h>

#define SOCKETS	   20 /* of each side */
#define BUFFER	   (4 << 20)
#define PAYLOAD	   160
#define PACKET	   (RTP_HEADER + PAYLOAD)
#define TIMEOUT_MS 20000
#define PRIORITY   (110u << 24 | 65535u << 8 | 255)

Packets packets;

static UdpPair clients[SOCKETS], telephones[SOCKETS];
static DtlsContext *context;
static guint16 slot_at[65536]; /* by the gateway's port; 1 is slot 0 */

static void
send_to_gateway(Caller *caller, const guint8 *data, gsize length)
{
	sendto(clients[caller->slot % SOCKETS].rtp, data, length, 0, &caller->client_to.any,
	       caller->client_to.length);
}

/* --- ICE --- */

void
media_ufrag(const Caller *caller, char ufrag[16])
{
	g_snprintf(ufrag, 16, "u%06x", caller->slot);
}

void
media_check(Caller *caller)
{
	static const guint8 tie_breaker[8] = { 1 };
	g_autoptr(GByteArray) message = NULL;
	char ours[16], name[300];

	if (!caller->ufrag)
		return;
	message = stun_new(STUN_BINDING_REQUEST, NULL);
	media_ufrag(caller, ours);
	g_snprintf(name, sizeof name, "%s:%s", caller->ufrag, ours);
	stun_put(message, STUN_USERNAME, name, (guint)strlen(name));
	stun_put_number(message, STUN_PRIORITY, PRIORITY);
	stun_put(message, caller->controls ? STUN_CONTROLS : STUN_CONTROLLED, tie_breaker,
		 sizeof tie_breaker);
	if (caller->controls)
		stun_put(message, STUN_USE, NULL, 0);
	stun_seal(message, caller->pwd);
	send_to_gateway(caller, message->data, message->len);
}

static void
select_pair(Caller *caller)
{
	if (caller->selected || !caller->dtls)
		return;
	caller->selected = TRUE;
	dtls_start(caller->dtls);
}

static void
answer_check(Caller *caller, const guint8 *data, gsize length, const NetAddress *from)
{
	g_autoptr(GByteArray) message = stun_new(STUN_BINDING_SUCCESS, data + 8);
	guint size;

	stun_put_mapped(message, from);
	stun_seal(message, CLIENT_PWD);
	sendto(clients[caller->slot % SOCKETS].rtp, message->data, message->len, 0, &from->any,
	       from->length);
	if (!caller->controls && stun_find(data, length, STUN_USE, &size))
		select_pair(caller);
}

/* RFC 8445 7.2.2: the receiver's name goes first. */
static Caller *
called_by(const guint8 *data, gsize length)
{
	guint size;
	const char *name = (const char *)stun_find(data, length, STUN_USERNAME, &size);
	char ours[7] = "";

	if (!name || size < 7 || name[0] != 'u')
		return NULL;
	memcpy(ours, name + 1, 6);
	return caller_at((guint)strtoul(ours, NULL, 16));
}

static void
take_stun(Caller *at_port, const guint8 *data, gsize length, const NetAddress *from)
{
	Caller *caller;

	if (length < STUN_HEADER)
		return;
	if (stun_type(data) == STUN_BINDING_REQUEST) {
		caller = called_by(data, length);
		if (caller)
			answer_check(caller, data, length, from);
	} else if (stun_type(data) == STUN_BINDING_SUCCESS && at_port && at_port->controls) {
		select_pair(at_port);
	}
}

/* --- DTLS --- */

static void
dtls_send(gpointer user, const guint8 *data, gsize length)
{
	send_to_gateway(user, data, length);
}

static void
dtls_done(gpointer user, const SrtpKeys *keys)
{
	Caller *caller = user;

	caller->protection = protection_new(keys->profile, keys->send, TRUE);
	caller_is_up(caller, TRUE);
}

static void
dtls_failed(gpointer user, MediaLoss why, const char *text)
{
	caller_failed(user, text);
}

static const DtlsEvents dtls_events = { .send = dtls_send,
					.done = dtls_done,
					.failed = dtls_failed };

void
media_connect(Caller *caller, const char *ufrag, const char *pwd, const char *fingerprint,
	      guint16 port, gboolean active)
{
	const DtlsOptions options = { .client = active,
				      .hash = "sha-256",
				      .fingerprint = fingerprint,
				      .timeout_ms = TIMEOUT_MS };

	caller->ufrag = g_strdup(ufrag);
	caller->pwd = g_strdup(pwd);
	net_address_parse("127.0.0.1", port, &caller->client_to);
	slot_at[port] = (guint16)(caller->slot + 1);
	caller->dtls = dtls_new(context, NULL, &options, &dtls_events, caller);
	media_check(caller);
}

void
media_close(Caller *caller)
{
	dtls_free(caller->dtls);
	protection_free(caller->protection);
	g_free(caller->ufrag);
	g_free(caller->pwd);
	caller->dtls = NULL;
	caller->protection = NULL;
	caller->ufrag = caller->pwd = NULL;
	caller->selected = FALSE;
	caller->telephone_to.length = 0;
}

/* --- RTP --- */

void
media_send(Caller *caller)
{
	_Alignas(8) guint8 data[PACKET + PROTECTION_TRAILER] = { 0 };
	const RtpPacket packet = { .seq = caller->seq,
				   .timestamp = caller->seq * (guint32)PAYLOAD,
				   .ssrc = (guint32)caller->serial };
	gsize length = PACKET;

	if (!caller->protection || caller->telephone_to.length == 0)
		return;
	caller->seq++;
	rtp_write_header(data, &packet);
	sendto(telephones[caller->slot % SOCKETS].rtp, data, PACKET, 0, &caller->telephone_to.any,
	       caller->telephone_to.length);
	if (protection_protect(caller->protection, data, &length) == PROTECTION_OK)
		send_to_gateway(caller, data, length);
	packets.sent += 2;
}

/* --- sockets --- */

static void
take(const guint8 *data, gsize length, const NetAddress *from)
{
	Caller *caller = caller_at((guint)slot_at[net_address_port(from)] - 1);

	switch (packet_kind(data, length)) {
	case PACKET_RTP:
		packets.heard++;
		break;
	case PACKET_STUN:
		take_stun(caller, data, length, from);
		break;
	case PACKET_DTLS:
		if (caller && caller->dtls)
			dtls_receive(caller->dtls, data, length);
		break;
	default:
		break;
	}
}

static gboolean
on_packet(int fd, GIOCondition condition, gpointer user)
{
	guint8 data[2048];
	NetAddress from = { .length = sizeof from.ip4 };
	ssize_t length;

	while ((length = recvfrom(fd, data, sizeof data, MSG_DONTWAIT, &from.any, &from.length)) >
	       0) {
		take(data, (gsize)length, &from);
		from.length = sizeof from.ip4;
	}
	return G_SOURCE_CONTINUE;
}

static void
open_pair(UdpPair *pair)
{
	const int size = BUFFER;
	g_autoptr(GError) error = NULL;

	if (!udp_pair_open("127.0.0.1", 30000, 59999, pair, &error))
		g_error("%s", error->message);
	if (setsockopt(pair->rtp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(pair->rtp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	g_unix_fd_add(pair->rtp, G_IO_IN, on_packet, NULL);
}

void
media_open(void)
{
	g_autoptr(GError) error = NULL;

	context = dtls_context_new(&error);
	if (!context || !protection_setup(&error))
		g_error("%s", error->message);
	for (guint i = 0; i < SOCKETS; i++) {
		open_pair(&clients[i]);
		open_pair(&telephones[i]);
	}
}

const char *
media_fingerprint(void)
{
	return dtls_context_fingerprint(context);
}

guint16
media_client_port(const Caller *caller)
{
	return clients[caller->slot % SOCKETS].port;
}

guint16
media_telephone_port(const Caller *caller)
{
	return telephones[caller->slot % SOCKETS].port;
}
