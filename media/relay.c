/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay.c - the packet path of one port.
 *
 * RFC 3550, RFC 3711, RFC 4733, RFC 4961 (symmetric RTP), RFC 5761 (rtcp-mux).
 */
#include "media/relay.h"
#include "media/demux.h"
#include "media/dtmf.h"
#include "media/rtcp.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NO_PT		 0xff
#define MAX_SSRCS	 64	 /* libsrtp keeps a stream for each */
#define RECENT_SSRCS	 8	 /* known without asking again */
#define RELATCH_US	 2000000 /* silence after which a source may move */
#define ASK_ROUTE_US	 200000
#define CONSENT_GRACE_US 20000000  /* libnice waits 10 s: 30 s in all, RFC 7675 5.1 */
#define FIRST_SILENCE_US 120000000 /* a peer that never sent may still be ringing */
#define STATS_US	 5000000
#define RTCP_FIRST_US	 500000
#define RTCP_SECOND_US	 1500000
#define RTCP_INTERVAL_US 5000000
#define DIGIT_US	 30000 /* no hand is faster; a flood is not reported */
#define DEFAULT_RATE	 8000

typedef struct {
	Watch watch; /* first */
	Relay *relay;
	int fd;
	guint index;
	gboolean receives, rtcp;
} RelaySocket;

struct Relay {
	/* every packet */
	Relay *twin;
	Protection *receive, *send;
	Worker *worker;
	int out_fd;
	guint out_index;
	gboolean webrtc, may_send, may_receive, connected;
	NetAddress peer; /* where RTP goes to, and is expected from */
	gint64 last_in;
	RtpStats in;
	RtpRewriter out;
	PortStats stats;
	guint8 map[128];   /* the peer's numbers to the twin's peer's */
	guint32 rate[128]; /* 0: no such payload type */
	gboolean event[128];
	DtmfReceiver digits_in;
	DtmfSender digits_out;
	/* now and then */
	Port *port; /* not counted: it owns us */
	RelaySet *set;
	guint set_index;
	gboolean registered, closed, lost, latched, in_noted, out_noted, error_noted, dtmf_hurry;
	RelaySocket sockets[RELAY_MAX_SOCKETS];
	guint n_sockets;
	const Desc *local, *remote;
	NetAddress signalled, rtcp_peer;
	guint8 event_pt; /* for digits of ours; NO_PT: not taken */
	guint32 out_rate;
	guint32 ssrcs[RECENT_SSRCS];
	guint n_ssrcs;
	gint64 asked_at, started_at, consent_lost_at, digit_at, next_stats, next_rtcp;
	guint n_reports;
	guint64 reported_out;
	RtcpLastSr last_sr;
	RtcpRtt rtt;
	char cname[24];
};

struct RelaySet {
	GPtrArray *relays;
};

/* --- sending --- */

static void
note_error(Relay *relay, const NetAddress *to, int why)
{
	char text[NET_ADDRESS_TEXT];

	if (relay->error_noted || why == EAGAIN)
		return;
	relay->error_noted = TRUE;
	port_note(relay->port, "rtp: cannot send to %s: %s", net_address_text(to, text),
		  g_strerror(why));
}

static void
note_first_out(Relay *relay, guint8 pt)
{
	char text[NET_ADDRESS_TEXT];

	relay->out_noted = TRUE;
	port_note(relay->port, "rtp: first packet to %s, payload type %u",
		  net_address_text(&relay->peer, text), pt);
}

/* `data` has PROTECTION_TRAILER bytes of room. */
static inline void
send_rtp(Relay *relay, guint8 *data, gsize length)
{
	gsize bytes = length;

	if (relay->send && protection_protect(relay->send, data, &length) != PROTECTION_OK)
		return;
	if (G_UNLIKELY(sendto(relay->out_fd, data, length, 0, &relay->peer.any,
			      relay->peer.length) < 0)) {
		note_error(relay, &relay->peer, errno);
		return;
	}
	relay->stats.packets_out++;
	relay->stats.bytes_out += bytes;
	if (G_UNLIKELY(!relay->out_noted))
		note_first_out(relay, data[1] & 0x7f);
}

static inline gboolean
can_send(const Relay *relay)
{
	return relay->may_send && relay->out_fd >= 0 && (relay->send || !relay->webrtc);
}

/* --- forwarding --- */

static void
report_digit(Relay *relay, char digit, gint64 now)
{
	if (now - relay->digit_at < DIGIT_US)
		return;
	relay->digit_at = now;
	port_tell(relay->port, &(PortNews){ .kind = NEWS_DTMF, .digit = digit });
}

static inline void
forward(Relay *relay, guint8 *data, gsize length, const RtpPacket *packet)
{
	Relay *twin = relay->twin;
	guint8 pt = relay->map[packet->pt];
	gint64 now = worker_now(relay->worker);

	if (!twin)
		return;
	if (G_UNLIKELY(relay->event[packet->pt])) {
		char digit = dtmf_receive(&relay->digits_in, packet);

		if (digit)
			report_digit(relay, digit, now);
	}
	/* what is not sent on leaves no hole in the numbers */
	if (G_UNLIKELY(pt == NO_PT || !relay->may_receive || !can_send(twin) ||
		       dtmf_sender_busy(&twin->digits_out))) {
		relay->stats.dropped_payload_type += pt == NO_PT;
		rtp_rewriter_skip(&twin->out, packet);
		return;
	}
	twin->out_rate = relay->rate[packet->pt];
	if (G_LIKELY(rtp_rewrite(&twin->out, data, packet, pt, twin->out_rate, now)))
		send_rtp(twin, data, length);
}

/* --- who may send to us --- */

static void
latch(Relay *relay, const NetAddress *from)
{
	char ours[NET_ADDRESS_TEXT], theirs[NET_ADDRESS_TEXT];

	if (!net_address_equal(from, &relay->signalled) || relay->latched)
		port_note(relay->port, "rtp: comes from %s, signalled was %s: following it",
			  net_address_text(from, theirs),
			  net_address_text(&relay->signalled, ours));
	relay->latched = TRUE;
	relay->peer = *from;
	relay->rtcp_peer = *from;
	net_address_set_port(&relay->rtcp_peer, net_address_port(from) + 1);
	if (net_address_equal(from, &relay->signalled)) {
		const Transport *theirs_now = desc_audio(relay->remote)->transport;

		if (theirs_now->rtcp_port)
			net_address_set_port(&relay->rtcp_peer, theirs_now->rtcp_port);
	}
}

/* Symmetric RTP (RFC 4961): the first source is taken, then it alone.  The
 * signalled address is always right; a source that fell silent may move, when it
 * is the same stream or host. */
static gboolean
admit(Relay *relay, const NetAddress *from, const RtpPacket *packet)
{
	gint64 silent = worker_now(relay->worker) - relay->last_in;

	if (G_LIKELY(relay->latched && net_address_equal(from, &relay->peer)))
		return TRUE;
	if (!relay->connected || !relay->signalled.length || relay->rate[packet->pt] == 0)
		return FALSE;
	if (relay->latched && !net_address_equal(from, &relay->signalled) &&
	    (silent < RELATCH_US ||
	     (packet->ssrc != relay->in.ssrc && !net_address_same_host(from, &relay->peer) &&
	      !net_address_same_host(from, &relay->signalled))))
		return FALSE;
	latch(relay, from);
	return TRUE;
}

static gboolean
known_ssrc(const Relay *relay, guint32 ssrc)
{
	for (guint i = 0; i < MIN(relay->n_ssrcs, RECENT_SSRCS); i++)
		if (relay->ssrcs[i] == ssrc)
			return TRUE;
	return FALSE;
}

/* Authenticated RTP from elsewhere than we send to: the peer may have moved to
 * another pair that libnice does not follow. */
static void
follow(Relay *relay, guint socket, const NetAddress *from, const RtpPacket *packet)
{
	gint64 now = worker_now(relay->worker);

	if (now - relay->asked_at < ASK_ROUTE_US ||
	    (relay->in.has_source && packet->ssrc == relay->in.ssrc &&
	     (gint16)(packet->seq - relay->in.max_seq) <= 0))
		return;
	relay->asked_at = now;
	port_ask_route(relay->port, socket, from);
}

/* --- RTP in --- */

static void
note_first_in(Relay *relay, const NetAddress *from, guint8 pt)
{
	char text[NET_ADDRESS_TEXT];

	relay->in_noted = TRUE;
	port_note(relay->port, "rtp: first packet from %s, payload type %u",
		  net_address_text(from, text), pt);
}

static inline gboolean
unprotect(Relay *relay, guint8 *data, gsize *length)
{
	guint32 ssrc =
		(guint32)data[8] << 24 | (guint32)data[9] << 16 | (guint32)data[10] << 8 | data[11];
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
	if (relay->webrtc && !unprotect(relay, data, &length))
		return;
	if (G_UNLIKELY(!rtp_parse(data, length, &packet))) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (relay->webrtc) {
		if (G_UNLIKELY(socket != relay->out_index ||
			       !net_address_equal(from, &relay->peer)))
			follow(relay, socket, from, &packet);
	} else if (G_UNLIKELY(!admit(relay, from, &packet))) {
		relay->stats.dropped_source++;
		return;
	}
	if (G_UNLIKELY(relay->rate[packet.pt] == 0)) {
		relay->stats.dropped_payload_type++;
		if (relay->twin)
			rtp_rewriter_skip(&relay->twin->out, &packet);
		return;
	}
	relay->last_in = now;
	relay->stats.packets_in++;
	relay->stats.bytes_in += length;
	rtp_stats_update(&relay->in, &packet, relay->rate[packet.pt], now);
	if (G_UNLIKELY(!relay->in_noted))
		note_first_in(relay, from, packet.pt);
	forward(relay, data, length, &packet);
}

/* --- RTCP --- */

static void
read_blocks(Relay *relay, const RtcpPacket *packet, gint64 now)
{
	RtcpBlock block;

	for (guint i = 0; rtcp_block(packet, i, &block); i++)
		if (block.ssrc == relay->out.ssrc)
			rtcp_rtt_received(&relay->rtt, &block, now);
}

static gboolean
rtcp_admitted(Relay *relay, const NetAddress *from)
{
	if (net_address_equal(from, &relay->rtcp_peer))
		return TRUE;
	if (!relay->connected || !relay->signalled.length ||
	    !net_address_same_host(from, relay->latched ? &relay->peer : &relay->signalled))
		return FALSE;
	relay->rtcp_peer = *from;
	return TRUE;
}

static void
receive_rtcp(Relay *relay, guint8 *data, gsize length, const NetAddress *from)
{
	gint64 now = worker_now(relay->worker);
	RtcpPacket packet;
	RtcpSender sender;
	gsize offset = 0;

	if (length > RELAY_MAX_PACKET || length < 8) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (relay->webrtc &&
	    (!relay->receive ||
	     protection_unprotect_rtcp(relay->receive, data, &length) != PROTECTION_OK)) {
		relay->stats.dropped_auth++;
		return;
	}
	if (!rtcp_valid(data, length)) {
		relay->stats.dropped_malformed++;
		return;
	}
	if (!relay->webrtc && !rtcp_admitted(relay, from)) {
		relay->stats.dropped_source++;
		return;
	}
	relay->stats.rtcp_in++;
	relay->last_in = now;
	while (rtcp_next(data, length, &offset, &packet)) {
		if (rtcp_sender(&packet, &sender) &&
		    (!relay->in.has_source || packet.ssrc == relay->in.ssrc))
			rtcp_sr_seen(&relay->last_sr, &sender, now);
		if (packet.type == RTCP_SR || packet.type == RTCP_RR)
			read_blocks(relay, &packet, now);
	}
}

static void
send_rtcp(Relay *relay, guint8 *data, gsize length)
{
	const NetAddress *to = relay->webrtc ? &relay->peer : &relay->rtcp_peer;
	int fd = relay->webrtc ? relay->out_fd : relay->sockets[1].fd;

	if (length == 0 ||
	    (relay->send && protection_protect_rtcp(relay->send, data, &length) != PROTECTION_OK))
		return;
	if (sendto(fd, data, length, 0, &to->any, to->length) < 0)
		note_error(relay, to, errno);
	else
		relay->stats.rtcp_out++;
}

static gboolean
can_report(const Relay *relay)
{
	if (relay->closed || !relay->connected || relay->out_fd < 0)
		return FALSE;
	if (relay->webrtc)
		return relay->send != NULL;
	return relay->n_sockets > 1 && relay->rtcp_peer.length &&
	       !net_address_any(&relay->rtcp_peer) &&
	       (relay->stats.packets_out || relay->stats.packets_in);
}

static void
report(Relay *relay, gint64 now)
{
	_Alignas(8) guint8 data[RTCP_MAX_REPORT + PROTECTION_TRAILER];
	RtcpReport ours = { .ssrc = relay->out.ssrc, .cname = relay->cname };
	RtcpSender sender;
	RtcpBlock block;
	gsize length;

	if (relay->stats.packets_out > relay->reported_out) {
		guint32 rate = relay->out_rate ? relay->out_rate : DEFAULT_RATE;

		sender.ntp = rtcp_ntp(g_get_real_time());
		sender.timestamp = rtp_rewriter_now(&relay->out, rate, now);
		sender.packets = (guint32)relay->stats.packets_out;
		/* payload only: RFC 3550 6.4.1 */
		sender.bytes =
			(guint32)(relay->stats.bytes_out - RTP_HEADER * relay->stats.packets_out);
		ours.sender = &sender;
	}
	relay->reported_out = relay->stats.packets_out;
	if (relay->in.has_source) {
		rtcp_block_from_stats(&relay->in, &relay->last_sr, now, &block);
		ours.block = &block;
	}
	length = rtcp_write_report(data, RTCP_MAX_REPORT, &ours);
	rtcp_rtt_sent(&relay->rtt, data, length, now);
	send_rtcp(relay, data, length);
}

static void
say_bye(Relay *relay)
{
	_Alignas(8) guint8 data[RTCP_MAX_REPORT + PROTECTION_TRAILER];

	if (can_report(relay) && relay->stats.packets_out)
		send_rtcp(relay, data,
			  rtcp_write_bye(data, RTCP_MAX_REPORT, relay->out.ssrc, relay->cname));
}

/* --- sockets --- */

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
		receive_rtcp(socket->relay, data, (gsize)length, &from);
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
		receive_rtcp(relay, data, length, &relay->peer);
	else
		receive_rtp(relay, relay->out_index, data, length, &relay->peer);
}

static void
register_relay(Relay *relay)
{
	gint64 now = worker_now(relay->worker);

	relay->registered = TRUE;
	relay->set_index = relay->set->relays->len;
	g_ptr_array_add(relay->set->relays, relay);
	worker_add_load(relay->worker, 1);
	/* spread, so that not everybody reports in the same turn */
	relay->next_stats = now + g_random_int_range(STATS_US / 2, STATS_US);
}

void
relay_add_socket(Relay *relay, const IceSocket *given)
{
	RelaySocket *socket;

	if (relay->closed || relay->n_sockets == RELAY_MAX_SOCKETS) {
		close(given->fd);
		return;
	}
	if (!relay->registered)
		register_relay(relay);
	socket = &relay->sockets[relay->n_sockets];
	*socket = (RelaySocket){ .watch.readable = on_readable,
				 .relay = relay,
				 .fd = given->fd,
				 .index = relay->n_sockets,
				 .receives = given->receives,
				 .rtcp = !relay->webrtc && relay->n_sockets == 1 };
	relay->n_sockets++;
	if (given->receives && !worker_watch(relay->worker, given->fd, &socket->watch))
		port_note(relay->port, "rtp: cannot watch a socket: %s", g_strerror(errno));
	if (!relay->webrtc)
		relay->out_fd = relay->sockets[0].fd;
}

void
relay_set_route(Relay *relay, guint socket, const NetAddress *peer)
{
	if (relay->closed || socket >= relay->n_sockets)
		return;
	relay->out_index = socket;
	relay->out_fd = relay->sockets[socket].fd;
	relay->peer = *peer;
	relay->error_noted = FALSE;
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
		relay->started_at = worker_now(relay->worker);
		relay->next_rtcp = relay->started_at + RTCP_FIRST_US;
	}
	port_free_protection(relay->port, old_receive);
	port_free_protection(relay->port, old_send);
}

void
relay_set_alive(Relay *relay, gboolean alive)
{
	if (!alive && !relay->consent_lost_at)
		port_note(relay->port, "ice: the peer no longer answers connectivity checks");
	else if (alive && relay->consent_lost_at)
		port_note(relay->port, "ice: the peer answers connectivity checks again");
	relay->consent_lost_at = alive ? 0 : worker_now(relay->worker);
}

/* --- descriptions --- */

static void
learn_codecs(Relay *relay, const Stream *stream)
{
	for (guint i = 0; stream && i < stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(stream->codecs, i);

		if (codec->pt > 127)
			continue;
		relay->rate[codec->pt] = codec->rate ? codec->rate : DEFAULT_RATE;
		relay->event[codec->pt] = g_ascii_strcasecmp(codec->name, "telephone-event") == 0;
	}
}

static void
learn_event_pt(Relay *relay, const Stream *stream)
{
	const Codec *codec = stream_find_codec(stream, "telephone-event", DEFAULT_RATE);

	for (guint i = 0; !codec && i < stream->codecs->len; i++) {
		const Codec *other = g_ptr_array_index(stream->codecs, i);

		if (g_ascii_strcasecmp(other->name, "telephone-event") == 0)
			codec = other;
	}
	relay->event_pt = codec ? codec->pt : NO_PT;
	if (codec && !dtmf_sender_busy(&relay->digits_out))
		dtmf_sender_init(&relay->digits_out, codec->rate ? codec->rate : DEFAULT_RATE);
}

static void
learn_direction(Relay *relay, const Stream *local, const Stream *remote)
{
	Direction ours = local ? local->direction : DIRECTION_SENDRECV;
	Direction theirs = remote->direction;

	relay->may_send = (ours == DIRECTION_SENDRECV || ours == DIRECTION_SENDONLY) &&
			  (theirs == DIRECTION_SENDRECV || theirs == DIRECTION_RECVONLY);
	relay->may_receive = (ours == DIRECTION_SENDRECV || ours == DIRECTION_RECVONLY) &&
			     (theirs == DIRECTION_SENDRECV || theirs == DIRECTION_SENDONLY);
}

static void
learn_address(Relay *relay, const Transport *theirs)
{
	NetAddress signalled;

	if (theirs->kind != TRANSPORT_RTP || !theirs->port ||
	    !net_address_parse(theirs->address, theirs->port, &signalled)) {
		relay->may_send = FALSE;
		return;
	}
	if (net_address_any(&signalled)) /* hold as RFC 2543 had it */
		relay->may_send = FALSE;
	if (net_address_equal(&signalled, &relay->signalled))
		return;
	relay->signalled = relay->peer = relay->rtcp_peer = signalled;
	net_address_set_port(&relay->rtcp_peer,
			     theirs->rtcp_port ? theirs->rtcp_port : theirs->port + 1);
	relay->latched = FALSE;
	relay->error_noted = FALSE;
}

static void
remap(Relay *relay)
{
	memset(relay->map, NO_PT, sizeof relay->map);
	if (relay->twin && relay->remote && relay->twin->remote)
		desc_pt_map(relay->local ? relay->local : relay->remote, relay->remote,
			    relay->twin->remote, relay->map);
}

void
relay_connect(Relay *relay, const Desc *local, const Desc *remote)
{
	const Stream *ours = local ? desc_audio(local) : NULL, *theirs = desc_audio(remote);
	gint64 now = worker_now(relay->worker);

	if (relay->closed)
		return;
	desc_unref(relay->local);
	desc_unref(relay->remote);
	relay->local = local ? desc_ref(local) : NULL;
	relay->remote = desc_ref(remote);
	memset(relay->rate, 0, sizeof relay->rate);
	memset(relay->event, 0, sizeof relay->event);
	relay->may_send = relay->may_receive = FALSE;
	if (theirs) {
		learn_codecs(relay, theirs);
		learn_codecs(relay, ours); /* has the last word: RFC 3264 6.1 */
		learn_event_pt(relay, theirs);
		learn_direction(relay, ours, theirs);
		if (!relay->webrtc)
			learn_address(relay, theirs->transport);
	}
	if (!relay->connected) {
		relay->connected = TRUE;
		relay->started_at = now;
		relay->next_rtcp = now + RTCP_FIRST_US;
	}
	remap(relay);
	if (relay->twin)
		remap(relay->twin);
}

static void
part(Relay *relay)
{
	Relay *twin = relay->twin;

	relay->twin = NULL;
	remap(relay);
	if (twin && twin->twin == relay) {
		twin->twin = NULL;
		remap(twin);
	}
}

void
relay_join(Relay *one, Relay *other)
{
	if (one->closed || other->closed)
		return;
	part(one);
	part(other);
	one->twin = other;
	other->twin = one;
	remap(one);
	remap(other);
}

/* --- digits of ours --- */

static void
hurry(Relay *relay, gboolean more)
{
	if (relay->dtmf_hurry == more)
		return;
	relay->dtmf_hurry = more;
	worker_hurry(relay->worker, more);
}

void
relay_send_dtmf(Relay *relay, char digit)
{
	if (relay->closed)
		return;
	if (relay->event_pt == NO_PT)
		port_note(relay->port, "dtmf: the peer takes no telephone-event, %c not sent",
			  digit);
	else if (!can_send(relay))
		port_note(relay->port, "dtmf: the peer does not receive now, %c not sent", digit);
	else if (!dtmf_sender_push(&relay->digits_out, digit))
		port_note(relay->port, "dtmf: no such digit, or too many of them");
	else
		hurry(relay, TRUE);
}

static void
tick_dtmf(Relay *relay, gint64 now)
{
	_Alignas(8) guint8 data[RTP_HEADER + DTMF_PAYLOAD + PROTECTION_TRAILER];
	guint32 stream_now = rtp_rewriter_now(&relay->out, relay->digits_out.rate, now);
	DtmfPacket event;
	RtpPacket packet = { .ssrc = relay->out.ssrc, .pt = relay->event_pt };

	if (!dtmf_sender_busy(&relay->digits_out)) {
		hurry(relay, FALSE);
		return;
	}
	if (!dtmf_sender_tick(&relay->digits_out, stream_now, &event) || !can_send(relay) ||
	    relay->event_pt == NO_PT)
		return;
	packet.seq = rtp_rewriter_insert(&relay->out);
	packet.timestamp = event.timestamp;
	packet.marker = event.marker;
	rtp_write_header(data, &packet);
	memcpy(data + RTP_HEADER, event.payload, DTMF_PAYLOAD);
	send_rtp(relay, data, RTP_HEADER + DTMF_PAYLOAD);
}

/* --- now and then --- */

static void
lose(Relay *relay, MediaLoss why, char *text)
{
	relay->lost = TRUE;
	port_tell(relay->port, &(PortNews){ .kind = NEWS_LOST, .loss = why, .text = text });
}

static gboolean
expects_rtp(const Relay *relay)
{
	return relay->connected && relay->may_receive && relay->twin && relay->twin->connected &&
	       (!relay->webrtc || relay->receive) && (!relay->twin->webrtc || relay->twin->receive);
}

static void
check_silence(Relay *relay, gint64 now)
{
	gint64 limit =
		(gint64)port_options(relay->port)->workers->options.rtp_timeout_s * G_USEC_PER_SEC;
	gint64 since = MAX(relay->last_in, relay->started_at);
	char text[NET_ADDRESS_TEXT];

	if (relay->lost)
		return;
	if (relay->consent_lost_at &&
	    now - MAX(relay->consent_lost_at, relay->last_in) > CONSENT_GRACE_US) {
		lose(relay, MEDIA_LOST_CONSENT,
		     g_strdup_printf(
			     "%s has answered no connectivity check for 30 s and sends nothing",
			     net_address_text(&relay->peer, text)));
		return;
	}
	if (!expects_rtp(relay)) {
		relay->started_at = now; /* hold: the time begins when it ends */
		return;
	}
	if (!relay->stats.packets_in)
		limit = limit ? MAX(limit, FIRST_SILENCE_US) : 0;
	if (limit && now - since > limit)
		lose(relay, MEDIA_LOST_RTP,
		     g_strdup_printf("%s from %s for %d s",
				     relay->stats.packets_in ? "no RTP" : "never any RTP",
				     net_address_text(&relay->peer, text),
				     (int)((now - since) / G_USEC_PER_SEC)));
}

static void
tick(Relay *relay, gint64 now)
{
	if (relay->dtmf_hurry)
		tick_dtmf(relay, now);
	if (now >= relay->next_rtcp && can_report(relay)) {
		gint32 interval = relay->n_reports++ ? RTCP_INTERVAL_US : RTCP_SECOND_US;

		report(relay, now);
		/* RFC 3550 6.3.1: half to one and a half of it */
		relay->next_rtcp = now + g_random_int_range(interval / 2, interval / 2 * 3);
	}
	if (now >= relay->next_stats) {
		PortNews news = { .kind = NEWS_STATS };

		relay->next_stats = now + STATS_US;
		relay_stats(relay, &news.stats);
		port_tell(relay->port, &news);
	}
	check_silence(relay, now);
}

void
relay_set_tick(gpointer user, gint64 now)
{
	RelaySet *set = user;

	for (guint i = 0; i < set->relays->len; i++)
		tick(g_ptr_array_index(set->relays, i), now);
}

void
relay_stats(const Relay *relay, PortStats *stats)
{
	*stats = relay->stats;
	stats->lost_in = rtp_stats_lost(&relay->in);
	stats->jitter_us = rtp_stats_jitter_us(&relay->in);
	stats->rtt_us = relay->rtt.rtt_us;
}

/* --- life --- */

RelaySet *
relay_set_new(void)
{
	RelaySet *set = g_new0(RelaySet, 1);

	set->relays = g_ptr_array_new();
	return set;
}

void
relay_set_free(RelaySet *set)
{
	g_ptr_array_free(set->relays, TRUE);
	g_free(set);
}

Relay *
relay_new(Port *port, Worker *worker, RelaySet *set)
{
	Relay *relay = g_new0(Relay, 1);

	relay->port = port;
	relay->worker = worker;
	relay->set = set;
	relay->webrtc = port_options(port)->kind == TRANSPORT_WEBRTC;
	relay->out_fd = -1;
	relay->event_pt = NO_PT;
	relay->out_rate = DEFAULT_RATE;
	memset(relay->map, NO_PT, sizeof relay->map);
	rtp_stats_init(&relay->in);
	rtp_rewriter_init(&relay->out, g_random_int(), (guint16)g_random_int_range(0, 0x8000),
			  g_random_int());
	dtmf_sender_init(&relay->digits_out, DEFAULT_RATE);
	g_snprintf(relay->cname, sizeof relay->cname, "%08x%08x", g_random_int(), g_random_int());
	return relay;
}

static void
unregister_relay(Relay *relay)
{
	GPtrArray *relays = relay->set->relays;

	g_ptr_array_remove_index_fast(relays, relay->set_index);
	if (relay->set_index < relays->len)
		((Relay *)g_ptr_array_index(relays, relay->set_index))->set_index =
			relay->set_index;
	worker_add_load(relay->worker, -1);
	relay->registered = FALSE;
}

void
relay_close(Relay *relay)
{
	say_bye(relay);
	relay->closed = TRUE;
	part(relay);
	hurry(relay, FALSE);
	if (relay->registered)
		unregister_relay(relay);
	for (guint i = 0; i < relay->n_sockets; i++) {
		if (relay->sockets[i].receives)
			worker_unwatch(relay->worker, relay->sockets[i].fd);
		close(relay->sockets[i].fd);
	}
	relay->n_sockets = 0;
	relay->out_fd = -1;
	port_free_protection(relay->port, relay->receive);
	port_free_protection(relay->port, relay->send);
	relay->receive = relay->send = NULL;
	g_clear_pointer(&relay->local, desc_unref);
	g_clear_pointer(&relay->remote, desc_unref);
}

void
relay_free(Relay *relay)
{
	g_free(relay);
}
