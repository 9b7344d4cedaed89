/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay.c - the packet path of one port, its sockets and its life.
 *
 * RFC 3550, RFC 3711, RFC 5761 (rtcp-mux).
 */
#include "media/relay/relay_private.h"
#include "media/bytes.h"
#include "media/demux.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CACHE_LINE  64
#define HOT_LINES   5	  /* of a Relay, for each packet; checked below */
#define MAX_SSRCS   64	  /* libsrtp keeps a stream for each */
#define DIGIT_US    30000 /* no hand is faster; a flood is not reported */
#define DIGIT_BURST 16

/* --- forwarding --- */

static void
report_digit(Relay *relay, char digit, gint64 now)
{
	/* packets come in bursts, so some may be early */
	if (relay->digit_at > now)
		return;
	relay->digit_at = MAX(relay->digit_at, now - DIGIT_BURST * DIGIT_US) + DIGIT_US;
	relay->options.events->digit(relay->options.owner, digit);
}

/* An event whose clock is not the sink's, or not that of the audio it goes into: the same
 * event with a timestamp of that audio.  TRUE when it was one. */
static gboolean
forward_event(Relay *relay, const RtpPacket *packet, const RelayEvent *as, gint64 now)
{
	_Alignas(8) guint8 data[RTP_HEADER + DTMF_PAYLOAD + PROTECTION_TRAILER];
	Relay *twin = relay->twin;
	guint32 clock = relay->types[packet->pt].rate;
	RtpPacket out = { .ssrc = twin->out.ssrc, .pt = as->pt, .marker = packet->marker };

	if ((clock == as->rate && clock == twin->out_rate && !relay->converting) ||
	    !relay_can_send(twin) || dtmf_sender_busy(&twin->digits_out))
		return FALSE;
	rtp_rewriter_skip(&twin->out, packet);
	if (!dtmf_convert(packet, clock, as->rate, data + RTP_HEADER))
		return TRUE;
	if (packet->timestamp != relay->event_in || !relay->event_began) {
		relay->event_began = TRUE;
		relay->event_in = packet->timestamp;
		relay->event_out = rtp_rewriter_now(&twin->out, twin->out_rate, now);
	}
	out.seq = rtp_rewriter_insert(&twin->out);
	out.timestamp = relay->event_out;
	rtp_write_header(data, &out);
	relay_send_rtp(twin, data, RTP_HEADER + DTMF_PAYLOAD);
	return TRUE;
}

static inline void
forward(Relay *relay, guint8 *data, gsize length, const RtpPacket *packet)
{
	Relay *twin = relay->twin;
	guint8 pt = relay->types[packet->pt].map;
	gint64 now = worker_now(relay->worker);

	if (!twin)
		return;
	if (G_UNLIKELY(relay->types[packet->pt].event && relay->may_receive)) {
		char digit = dtmf_receive(&relay->digits_in, packet);
		const RelayEvent *as = relay_event(twin);

		if (digit)
			report_digit(relay, digit, now);
		pt = as ? as->pt : NO_PT;
		relay_convert_pass(relay, packet);
		if (as && forward_event(relay, packet, as, now))
			return;
	}
	if (G_UNLIKELY(relay->late) && relay_late_take(relay, packet))
		return;
	/* what is not sent on leaves no hole in the numbers */
	if (G_UNLIKELY(pt >= CONVERT_PT || !relay->may_receive || !relay_can_send(twin) ||
		       (twin->has_digits && dtmf_sender_busy(&twin->digits_out)))) {
		if (relay_late_take(relay, packet))
			return;
		if (pt == CONVERT_PT && relay->may_receive && relay_can_send(twin)) {
			relay_convert(relay, packet, now);
			return;
		}
		relay->stats.dropped_payload_type += pt == NO_PT && relay->may_receive;
		relay->unmapped += pt == NO_PT;
		rtp_rewriter_skip(&twin->out, packet);
		return;
	}
	twin->out_rate = relay->types[packet->pt].rate;
	if (G_UNLIKELY(relay->converting)) /* or its pause would go on as noise */
		relay_convert_rest(relay);
	if (G_LIKELY(rtp_rewrite(&twin->out, data, packet, pt, twin->out_rate, now)))
		relay_send_rtp(twin, data, length);
}

/* --- RTP in --- */

static gboolean
known_ssrc(const Relay *relay, guint32 ssrc)
{
	for (guint i = 0; i < MIN(relay->n_ssrcs, RECENT_SSRCS); i++)
		if (relay->ssrcs[i] == ssrc)
			return TRUE;
	return FALSE;
}

static void
note_first_in(Relay *relay, const NetAddress *from, guint8 pt)
{
	char text[NET_ADDRESS_TEXT];

	relay->in_noted = TRUE;
	relay_note(relay, "rtp: first packet from %s, payload type %u",
		   net_address_text(from, text), pt);
}

static inline gboolean
unprotect(Relay *relay, guint8 *data, gsize *length)
{
	guint32 ssrc = get32(data + 8);
	gboolean known =
		(relay->in.has_source && ssrc == relay->in.ssrc) || known_ssrc(relay, ssrc);

	if (G_UNLIKELY(!known && relay->n_ssrcs >= MAX_SSRCS)) {
		relay->stats.dropped_source++;
		return FALSE;
	}
	if (G_UNLIKELY(!relay->receive ||
		       protection_unprotect(relay->receive, data, length) != PROTECTION_OK)) {
		relay->stats.dropped_auth++;
		return FALSE;
	}
	if (G_UNLIKELY(!relay->proven))
		relay_prove(relay);
	if (G_UNLIKELY(!known))
		relay->ssrcs[relay->n_ssrcs++ % RECENT_SSRCS] = ssrc;
	return TRUE;
}

static inline void
receive_rtp(Relay *relay, guint socket, guint8 *data, gsize length, const NetAddress *from)
{
	gint64 now = worker_now(relay->worker);
	RtpPacket packet;

	if (G_UNLIKELY(length < RTP_HEADER || length > RELAY_MAX_PACKET)) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (relay->secure && !unprotect(relay, data, &length))
		return;
	if (G_UNLIKELY(!rtp_parse(data, length, &packet))) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (relay->webrtc) {
		if (G_UNLIKELY(socket != relay->out_index ||
			       !net_address_equal(from, &relay->peer))) {
			if (!relay->secure) { /* anybody may have sent it */
				relay->stats.dropped_source++;
				return;
			}
			relay_follow(relay, socket, from, &packet);
		}
	} else if (G_UNLIKELY(!relay_comes_from_peer(relay, from)) &&
		   !relay_admit(relay, from, &packet)) {
		relay->stats.dropped_source++;
		return;
	}
	relay->last_pt = packet.pt;
	if (G_UNLIKELY(relay->types[packet.pt].rate == 0)) {
		/* comfort noise, often: not lost on the way, and a sign of life */
		relay->last_in = now;
		relay->stats.dropped_payload_type++;
		rtp_stats_update(&relay->in, &packet, 0, now);
		relay_convert_pass(relay, &packet);
		if (relay->twin)
			rtp_rewriter_skip(&relay->twin->out, &packet);
		return;
	}
	relay->last_in = now;
	relay->stats.packets_in++;
	relay->stats.bytes_in += length;
	rtp_stats_update(&relay->in, &packet, relay->types[packet.pt].rate, now);
	if (G_UNLIKELY(!relay->in_noted))
		note_first_in(relay, from, packet.pt);
	forward(relay, data, length, &packet);
}

/* --- sockets --- */

G_STATIC_ASSERT(G_STRUCT_OFFSET(Relay, stats) + G_STRUCT_OFFSET(PortStats, bytes_out) +
			sizeof(guint64) <=
		HOT_LINES * CACHE_LINE);

/* Each packet finds its relay cold: these are on their way while another is
 * served. */
static void
on_soon(const Watch *watch)
{
	const Relay *relay = ((const RelaySocket *)watch)->relay;

	for (guint i = 0; i < HOT_LINES; i++)
		__builtin_prefetch((const char *)relay + i * CACHE_LINE);
}

static void
on_next(const Watch *watch)
{
	const Relay *relay = ((const RelaySocket *)watch)->relay, *twin = relay->twin;

	__builtin_prefetch(&relay->types[relay->last_pt]);
	if (relay->receive)
		__builtin_prefetch(relay->receive);
	for (guint i = 0; twin && i < HOT_LINES; i++)
		__builtin_prefetch((const char *)twin + i * CACHE_LINE);
}

static void
on_readable(Watch *watch)
{
	RelaySocket *socket = (RelaySocket *)watch;
	_Alignas(8) guint8 data[RELAY_MAX_PACKET + PROTECTION_TRAILER];
	NetAddress from;
	ssize_t length;

	from.length = sizeof from.ip6;
	length = recvfrom(socket->fd, data, RELAY_MAX_PACKET, MSG_TRUNC, &from.any, &from.length);
	if (G_UNLIKELY(length < 0))
		return;
	switch (packet_kind(data, MIN((gsize)length, RELAY_MAX_PACKET))) {
	case PACKET_RTP:
		if (G_LIKELY(!socket->rtcp)) {
			receive_rtp(socket->relay, socket->index, data, (gsize)length, &from);
			return;
		}
		break;
	case PACKET_RTCP:
		relay_receive_rtcp(socket->relay, data, (gsize)length, &from);
		return;
	case PACKET_STUN:
		relay_consent_receive(socket->relay, socket->index, data, (gsize)length, &from);
		return;
	default:
		break;
	}
	socket->relay->stats.dropped_malformed++;
}

void
relay_receive(Relay *relay, const guint8 *bytes, gsize length)
{
	_Alignas(8) guint8 data[RELAY_MAX_PACKET + PROTECTION_TRAILER];

	if (relay->closed || length > RELAY_MAX_PACKET)
		return;
	memcpy(data, bytes, length);
	/* the agent has checked where it came from, and does not say */
	if (packet_kind(data, length) == PACKET_RTCP)
		relay_receive_rtcp(relay, data, length,
				   relay->rtcp_apart ? &relay->rtcp_peer : &relay->peer);
	else
		receive_rtp(relay, relay->out_index, data, length, &relay->peer);
}

void
relay_add_socket(Relay *relay, int fd, guint kind)
{
	const gboolean receives = (kind & RELAY_RECEIVES) != 0;
	RelaySocket *socket;

	if (relay->closed || relay->n_sockets == RELAY_MAX_SOCKETS) {
		close(fd);
		return;
	}
	if (!relay->part)
		relay_register(relay);
	socket = &relay->sockets[relay->n_sockets];
	*socket = (RelaySocket){ .watch = { on_readable, on_soon, on_next },
				 .relay = relay,
				 .fd = fd,
				 .index = relay->n_sockets,
				 .receives = receives,
				 .rtcp = (kind & RELAY_RTCP) != 0 };
	relay->n_sockets++;
	if (receives && !worker_watch(relay->worker, fd, &socket->watch))
		relay_note(relay, "rtp: cannot watch a socket: %s", g_strerror(errno));
	if (!relay->webrtc && socket->rtcp)
		relay->rtcp_fd = fd;
	else if (!relay->webrtc)
		relay->out_fd = fd;
}

void
relay_add_audio(Relay *relay)
{
	if (relay->closed || relay->part)
		return;
	relay_register(relay);
	relay_audio_begin(relay);
}

void
relay_set_protection(Relay *relay, Protection *receive, Protection *send)
{
	Protection *old_receive = relay->receive, *old_send = relay->send;

	if (relay->closed) {
		old_receive = receive;
		old_send = send;
	} else {
		relay->receive = receive;
		relay->send = send;
		relay->n_ssrcs = 0;
		relay->proven = FALSE;
		relay->started_at = worker_now(relay->worker);
		relay->next_rtcp = relay->started_at + relay_span(relay, RTCP_FIRST_US);
		relay_look(relay);
	}
	relay_free_protection(relay, old_receive);
	relay_free_protection(relay, old_send);
}

/* From here on whoever knows the addresses can speak, as over plain RTP. */
void
relay_set_unencrypted(Relay *relay, gboolean rtcp_apart)
{
	if (relay->closed || !relay->webrtc || !relay->secure || relay->send)
		return;
	relay->secure = FALSE;
	relay->rtcp_apart = rtcp_apart;
	relay->started_at = worker_now(relay->worker);
	relay->next_rtcp = relay->started_at + relay_span(relay, RTCP_FIRST_US);
	relay_look(relay);
}

/* --- life --- */

Relay *
relay_new(const RelayOptions *options)
{
	Relay *relay = g_aligned_alloc0(1, sizeof *relay, CACHE_LINE);

	relay->options = *options;
	relay->worker = options->worker;
	relay->webrtc = relay->secure = options->kind == TRANSPORT_WEBRTC;
	relay->rtcp_apart = !relay->webrtc;
	relay->rtcp_fd = -1;
	relay->second_us = (gint64)options->media->second_ms * 1000;
	relay->out_fd = -1;
	relay->digits_pt = NO_PT;
	relay->out_rate = DEFAULT_RATE;
	for (guint pt = 0; pt < G_N_ELEMENTS(relay->types); pt++)
		relay->types[pt].map = NO_PT;
	rtp_stats_init(&relay->in);
	rtp_rewriter_init(&relay->out, g_random_int(), (guint16)g_random_int_range(0, 0x8000),
			  g_random_int());
	dtmf_sender_init(&relay->digits_out, DEFAULT_RATE);
	g_snprintf(relay->cname, sizeof relay->cname, "%08x%08x", g_random_int(), g_random_int());
	return relay;
}

void
relay_close(Relay *relay)
{
	relay_say_bye(relay);
	relay_consent_stop(relay);
	relay_late_stop(relay);
	relay_convert_stop(relay);
	relay_audio_stop(relay);
	relay->closed = TRUE;
	relay_part(relay);
	relay_stop_digits(relay);
	if (relay->part)
		relay_unregister(relay);
	for (guint i = 0; i < relay->n_sockets; i++) {
		if (relay->sockets[i].receives)
			worker_unwatch(relay->worker, relay->sockets[i].fd);
		close(relay->sockets[i].fd);
	}
	relay->n_sockets = 0;
	relay->out_fd = relay->rtcp_fd = -1;
	relay_free_protection(relay, relay->receive);
	relay_free_protection(relay, relay->send);
	explicit_bzero(&relay->sdes_in, sizeof relay->sdes_in);
	explicit_bzero(&relay->sdes_out, sizeof relay->sdes_out);
	relay->receive = relay->send = NULL;
	g_clear_pointer(&relay->local, desc_unref);
	g_clear_pointer(&relay->remote, desc_unref);
	g_clear_pointer(&relay->sources, media_sources_unref);
}

void
relay_free(Relay *relay)
{
	g_aligned_free(relay);
}
