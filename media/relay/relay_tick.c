/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_tick.c - what a port does by the clock: digits of ours, reports, counters,
 * and noticing that nothing comes any more.
 *
 * Each relay of a thread has a tick every 250 ms.  All of them in one go would hold the thread,
 * and the packets that come meanwhile, for milliseconds when there are many.  So they are in
 * parts, and each part has a time of its own.
 *
 * RFC 4733, RFC 7675.
 */
#include "media/relay/relay_private.h"
#include <string.h>

#define PART_US		 25000 /* from one part's time to the next one's */
#define IDLE_US		 1000000
#define RTCP_SECOND_US	 1500000
#define QUIET_STATS_US	 30000000 /* when there is no packet */
#define RTCP_INTERVAL_US 5000000
#define FIRST_SILENCE_US 120000000 /* a peer that never sent may still be ringing */

/* --- one relay --- */

void
relay_stop_digits(Relay *relay)
{
	if (relay->has_digits)
		relay_hurry(relay, FALSE);
	relay->has_digits = FALSE;
}

static void
start_digits(Relay *relay)
{
	if (!relay->has_digits)
		relay_hurry(relay, TRUE);
	relay->has_digits = TRUE;
}

/* The clock is that of the audio now; one that is being sent keeps its own. */
static gboolean
begin_digit(Relay *relay, const RelayEvent *event, char digit)
{
	if (!dtmf_sender_busy(&relay->digits_out)) {
		dtmf_sender_init(&relay->digits_out, event->rate);
		relay->digits_pt = event->pt;
	}
	return dtmf_sender_push(&relay->digits_out, digit);
}

void
relay_send_dtmf(Relay *relay, char digit)
{
	const RelayEvent *event = relay_event(relay);

	if (relay->closed)
		return;
	if (!event)
		relay_note(relay, "dtmf: the peer takes no telephone-event, %c not sent", digit);
	else if (!relay_can_send(relay))
		relay_note(relay, "dtmf: the peer does not receive now, %c not sent", digit);
	else if (!begin_digit(relay, event, digit))
		relay_note(relay, "dtmf: no such digit, or too many of them");
	else
		start_digits(relay);
}

static void
tick_dtmf(Relay *relay, gint64 now)
{
	_Alignas(8) guint8 data[RTP_HEADER + DTMF_PAYLOAD + PROTECTION_TRAILER];
	guint32 stream_now = rtp_rewriter_now(&relay->out, relay->out_rate, now);
	DtmfPacket event;
	RtpPacket packet = { .ssrc = relay->out.ssrc, .pt = relay->digits_pt };

	if (!dtmf_sender_busy(&relay->digits_out)) {
		relay_stop_digits(relay);
		return;
	}
	if (!dtmf_sender_tick(&relay->digits_out, stream_now, &event) || !relay_can_send(relay))
		return;
	packet.seq = rtp_rewriter_insert(&relay->out);
	packet.timestamp = event.timestamp;
	packet.marker = event.marker;
	rtp_write_header(data, &packet);
	memcpy(data + RTP_HEADER, event.payload, DTMF_PAYLOAD);
	relay_send_rtp(relay, data, RTP_HEADER + DTMF_PAYLOAD);
}

static void
lose(Relay *relay, MediaLoss why, char *text)
{
	relay->lost = TRUE;
	relay->options.events->lost(relay->options.owner, why, text);
}

/* A packet is as good as an answer, when it is certain who sent it, and nothing was said to the
 * contrary. */
static gboolean
consent_is_over(const Relay *relay, gint64 now)
{
	const gint64 limit = relay->options.media->consent_timeout_s * G_USEC_PER_SEC;
	const gint64 heard = relay->secure && !relay->refused ? relay->last_in : 0;

	return now - MAX(relay->consent_lost_at, heard) > limit;
}

static void
lose_consent(Relay *relay)
{
	char text[NET_ADDRESS_TEXT];

	lose(relay, MEDIA_LOST_CONSENT,
	     g_strdup_printf(relay->refused  ? "%s has refused to be sent anything (RFC 7675)"
			     : relay->secure ? "%s answers no connectivity check and sends nothing"
					     : "%s answers no connectivity check",
			     net_address_text(&relay->peer, text)));
}

static void
check_silence(Relay *relay, gint64 now)
{
	gint64 limit = relay->options.media->rtp_timeout_s * relay->second_us;
	gint64 since = MAX(relay->last_in, relay->started_at);
	char text[NET_ADDRESS_TEXT];

	if (relay->lost)
		return;
	if (relay->consent_lost_at && consent_is_over(relay, now)) {
		lose_consent(relay);
		return;
	}
	if (!relay_expects_rtp(relay)) {
		relay->started_at = now; /* hold: the time begins when it ends */
		return;
	}
	if (!relay->stats.packets_in)
		limit = limit ? MAX(limit, relay_span(relay, FIRST_SILENCE_US)) : 0;
	if (limit && now - since > limit)
		lose(relay, MEDIA_LOST_RTP,
		     g_strdup_printf("%s from %s for %d s",
				     relay->stats.packets_in ? "no RTP" : "never any RTP",
				     net_address_text(&relay->peer, text),
				     (int)((now - since) / relay->second_us)));
}

static guint64
packets_of(const PortStats *stats)
{
	return stats->packets_in + stats->packets_out + stats->dropped_auth +
	       stats->dropped_malformed + stats->dropped_payload_type + stats->dropped_source;
}

/* Whoever holds is not news: each time it costs a turn of the signalling thread. */
static void
tell_stats(Relay *relay, gint64 now)
{
	const guint64 packets = packets_of(&relay->stats);
	PortStats stats;

	relay->next_stats = now + STATS_US;
	if (packets == relay->told_packets && now - relay->told_at < QUIET_STATS_US)
		return;
	relay->told_packets = packets;
	relay->told_at = now;
	relay_stats(relay, &stats);
	relay->options.events->stats(relay->options.owner, &stats);
}

static void
tick(Relay *relay, gint64 now)
{
	if (relay->has_digits)
		tick_dtmf(relay, now);
	if (relay->late)
		relay_late_tick(relay, now);
	if (relay->convert)
		relay_convert_tick(relay, now);
	if (relay->audio)
		relay_audio_tick(relay, now);
	if (now >= relay->next_rtcp && relay_can_report(relay)) {
		gint32 interval = (gint32)relay_span(relay, relay->n_reports++ ? RTCP_INTERVAL_US
									       : RTCP_SECOND_US);

		relay_report(relay, now);
		/* RFC 3550 6.3.1: half to one and a half of it */
		relay->next_rtcp = now + g_random_int_range(interval / 2, interval / 2 * 3);
	}
	if (now >= relay->next_stats)
		tell_stats(relay, now);
	if (relay->consent)
		relay_consent_tick(relay, now);
	relay_watch(relay, now);
	check_silence(relay, now);
}

/* One that is on hold, or not connected yet, has nothing that will not wait for a second. */
static gint64
rest_of(const Relay *relay)
{
	if (relay->hurries > 0 || relay->audio || relay_expects_rtp(relay))
		return 0;
	return relay_span(relay, IDLE_US);
}

void
relay_stats(Relay *relay, PortStats *stats)
{
	relay_convert_stats(relay);
	*stats = relay->stats;
	stats->lost_in = rtp_stats_lost(&relay->in);
	stats->jitter_us = rtp_stats_jitter_us(&relay->in);
	stats->rtt_us = relay->rtt.rtt_us;
	stats->reports_in = relay->far_blocks;
	stats->lost_out = rtcp_far_lost(&relay->far);
	stats->jitter_out_us = (guint32)((guint64)relay->far.jitter * G_USEC_PER_SEC /
					 (relay->out_rate ? relay->out_rate : DEFAULT_RATE));
	stats->gap_ms = (guint32)(relay_watch_gap(relay) * 1000 / relay->second_us);
}

/* --- those of a thread --- */

static void
serve_part(RelayPart *part, gint64 now)
{
	for (guint i = 0; i < part->relays->len; i++) {
		Relay *relay;

		if (g_array_index(part->due, gint64, i) > now)
			continue;
		relay = g_ptr_array_index(part->relays, i);
		g_array_index(part->due, gint64, i) = now + rest_of(relay);
		tick(relay, now);
	}
}

static void
serve_hurrying(RelaySet *set, gint64 now)
{
	for (guint i = 0; i < set->hurrying->len;) {
		Relay *relay = g_ptr_array_index(set->hurrying, i);

		tick(relay, now);
		if (relay->part) /* has had its tick */
			g_array_index(relay->part->due, gint64, relay->index) = now + 1;
		if (i < set->hurrying->len && g_ptr_array_index(set->hurrying, i) == relay)
			i++; /* it is still in a hurry */
	}
}

gint64
relay_set_tick(gpointer user, gint64 now)
{
	RelaySet *set = user;
	const gint64 turn = now / PART_US;

	serve_hurrying(set, now);
	for (gint64 each = MAX(set->turn, turn - RELAY_PARTS) + 1; each <= turn; each++)
		serve_part(&set->parts[each % RELAY_PARTS], now);
	set->turn = turn;
	for (gint64 next = turn + 1; next < turn + RELAY_PARTS; next++)
		if (set->parts[next % RELAY_PARTS].relays->len > 0)
			return next * PART_US;
	return (turn + RELAY_PARTS) * PART_US;
}
