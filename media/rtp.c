/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtp.c - RTP packets: read, renumber, count.
 *
 * Thread: any (pure).  RFC 3550 sections 5.1, 6.4.1, appendix A.
 */
#include <string.h>
#include "media/bytes.h"
#include "media/rtp.h"

/* RFC 3550 A.1: how far a number may be ahead, or behind, and still belong. */
#define MAX_DROPOUT    3000
#define MAX_MISORDER   100
#define NO_SEQ	       G_MAXUINT32
#define TURN_US	       G_USEC_PER_SEC
#define MAX_SILENCE_US (3600 * (gint64)G_USEC_PER_SEC)
#define MAX_STEP_S     20 /* between two packets' timestamps, beyond the silence between them */

static gboolean
in_sequence(guint16 seq, guint16 newest)
{
	gint16 delta = (gint16)(seq - newest);

	return delta >= -MAX_MISORDER && delta < MAX_DROPOUT;
}

/* Microseconds in units of an RTP clock; no overflow within the age of a host. */
static guint32
clock_units(gint64 us, guint32 rate)
{
	gint64 seconds = us / G_USEC_PER_SEC;
	gint64 rest = us % G_USEC_PER_SEC;

	return (guint32)((guint64)seconds * rate + (guint64)rest * rate / G_USEC_PER_SEC);
}

gboolean
rtp_parse(const guint8 *data, gsize size, RtpPacket *packet)
{
	gsize header = RTP_HEADER;
	gsize padding = 0;

	if (size < RTP_HEADER || data[0] >> 6 != 2)
		return FALSE;
	header += 4 * (gsize)(data[0] & 0x0f);
	if (data[0] & 0x10) {
		if (size < header + 4)
			return FALSE;
		header += 4 + 4 * (gsize)get16(data + header + 2);
	}
	if (size < header)
		return FALSE;
	if (data[0] & 0x20) {
		padding = data[size - 1];
		if (padding == 0 || padding > size - header)
			return FALSE;
	}
	*packet = (RtpPacket){
		.seq = get16(data + 2),
		.timestamp = get32(data + 4),
		.ssrc = get32(data + 8),
		.pt = data[1] & 0x7f,
		.marker = data[1] >> 7,
		.header_size = header,
		.payload = data + header,
		.payload_size = size - header - padding,
	};
	return TRUE;
}

static void
put_numbers(guint8 *data, const RtpPacket *packet)
{
	data[1] = (guint8)((packet->marker ? 0x80 : 0) | (packet->pt & 0x7f));
	put16(data + 2, packet->seq);
	put32(data + 4, packet->timestamp);
	put32(data + 8, packet->ssrc);
}

void
rtp_write_header(guint8 data[RTP_HEADER], const RtpPacket *packet)
{
	data[0] = 0x80;
	put_numbers(data, packet);
}

/* --- one outgoing stream --- */

void
rtp_rewriter_init(RtpRewriter *rewriter, guint32 ssrc, guint16 seq, guint32 timestamp)
{
	*rewriter = (RtpRewriter){
		.ssrc = ssrc,
		.seq = seq,
		.timestamp = timestamp,
		.bad_seq = NO_SEQ,
	};
}

guint32
rtp_rewriter_now(const RtpRewriter *rewriter, guint32 rate, gint64 now_us)
{
	return rewriter->timestamp + clock_units(MAX(now_us - rewriter->sent_us, 0), rate);
}

/* Two sources that take turns, such as a gateway's events under an SSRC of their own:
 * each has its clock, or the packets of one event would get different timestamps. */
static gboolean
takes_turn(const RtpRewriter *rewriter, guint32 ssrc, gint64 now_us)
{
	return rewriter->has_other && ssrc == rewriter->other &&
	       now_us - rewriter->changed_us < TURN_US;
}

/* Go on from what was sent last as if `packet` had always been next.  TRUE when
 * that begins a talkspurt. */
static gboolean
change_source(RtpRewriter *rewriter, const RtpPacket *packet, guint32 rate, gint64 now_us)
{
	const gboolean turn = takes_turn(rewriter, packet->ssrc, now_us);
	guint32 timestamp = rtp_rewriter_now(rewriter, rate, now_us);
	guint32 ts_offset;

	if (timestamp == rewriter->timestamp)
		timestamp++; /* two packets of one instant would be one frame */
	ts_offset = turn ? rewriter->other_ts_offset : timestamp - packet->timestamp;
	if (rewriter->has_source && packet->ssrc != rewriter->source) {
		rewriter->has_other = TRUE;
		rewriter->other = rewriter->source;
		rewriter->other_ts_offset = rewriter->ts_offset;
	}
	rewriter->own = FALSE;
	rewriter->has_source = TRUE;
	rewriter->source = packet->ssrc;
	rewriter->source_seq = packet->seq;
	rewriter->first_seq = packet->seq;
	rewriter->bad_seq = NO_SEQ;
	rewriter->seq_offset = (guint16)(rewriter->seq + 1 - packet->seq);
	rewriter->ts_offset = ts_offset;
	rewriter->changed_us = now_us;
	return !turn;
}

void
rtp_rewriter_forget(RtpRewriter *rewriter)
{
	rewriter->has_other = FALSE;
}

/* Numbers that go on with timestamps that do not: the source has another clock now.
 * Events look back as far as they last, which at most is a second less. */
static gboolean
another_clock(const RtpRewriter *rewriter, const RtpPacket *packet, guint32 rate, gint64 now_us)
{
	gint32 step = (gint32)(packet->timestamp + rewriter->ts_offset - rewriter->timestamp);
	gint64 silent = MIN(now_us - rewriter->sent_us, MAX_SILENCE_US);
	gint32 limit = (gint32)(MAX_STEP_S * rate);

	return step < -limit || step > limit + (gint32)clock_units(MAX(silent, 0), rate);
}

/* The newest number received moves on, and with it the oldest that may be used. */
static void
advance(RtpRewriter *rewriter, guint16 seq)
{
	rewriter->source_seq = seq;
	if ((guint16)(seq - rewriter->first_seq) > MAX_MISORDER)
		rewriter->first_seq = (guint16)(seq - MAX_MISORDER);
}

gboolean
rtp_rewrite(RtpRewriter *rewriter, guint8 *data, const RtpPacket *packet, guint8 pt, guint32 rate,
	    gint64 now_us)
{
	RtpPacket sent = *packet;
	gboolean newest = TRUE;

	if (!rewriter->has_source || packet->ssrc != rewriter->source) {
		sent.marker |= change_source(rewriter, packet, rate, now_us);
	} else if (!in_sequence(packet->seq, rewriter->source_seq)) {
		/* A source begun anew, or one stray packet: the next one tells. */
		if (packet->seq != rewriter->bad_seq) {
			rewriter->bad_seq = (guint16)(packet->seq + 1);
			return FALSE;
		}
		sent.marker |= change_source(rewriter, packet, rate, now_us);
	} else if ((gint16)(packet->seq - rewriter->source_seq) > 0 &&
		   G_UNLIKELY(another_clock(rewriter, packet, rate, now_us))) {
		sent.marker |= change_source(rewriter, packet, rate, now_us);
	} else {
		newest = (gint16)(packet->seq - rewriter->source_seq) > 0;
		if ((gint16)(packet->seq - rewriter->first_seq) < 0)
			return FALSE;
		rewriter->bad_seq = NO_SEQ;
	}
	sent.pt = pt;
	sent.ssrc = rewriter->ssrc;
	sent.seq = (guint16)(packet->seq + rewriter->seq_offset);
	sent.timestamp = packet->timestamp + rewriter->ts_offset;
	put_numbers(data, &sent);
	if (newest) {
		advance(rewriter, packet->seq);
		rewriter->seq = sent.seq;
		rewriter->timestamp = sent.timestamp;
		rewriter->sent_us = now_us;
	}
	return TRUE;
}

void
rtp_rewriter_skip(RtpRewriter *rewriter, const RtpPacket *packet)
{
	if (!rewriter->has_source || packet->ssrc != rewriter->source ||
	    !in_sequence(packet->seq, rewriter->source_seq) ||
	    (gint16)(packet->seq - rewriter->source_seq) <= 0)
		return; /* its number is not the next one */
	advance(rewriter, packet->seq);
	rewriter->seq_offset--;
	rewriter->first_seq = (guint16)(packet->seq + 1);
}

guint16
rtp_rewriter_insert(RtpRewriter *rewriter)
{
	rewriter->seq++;
	rewriter->seq_offset++;
	rewriter->first_seq = (guint16)(rewriter->source_seq + 1);
	return rewriter->seq;
}

void
rtp_rewriter_own(RtpRewriter *rewriter, RtpPacket *packet, guint32 samples, guint32 rate,
		 gint64 now_us)
{
	if (!rewriter->own) {
		rewriter->own = TRUE;
		rewriter->own_next = rtp_rewriter_now(rewriter, rate, now_us);
	}
	packet->ssrc = rewriter->ssrc;
	packet->seq = ++rewriter->seq;
	packet->timestamp = rewriter->own_next;
	rewriter->timestamp = packet->timestamp;
	rewriter->sent_us = now_us;
	rewriter->own_next += samples;
	rewriter->has_source = FALSE;
}

void
rtp_rewriter_pause(RtpRewriter *rewriter, guint32 units)
{
	rewriter->own_next += units;
}

void
rtp_rewriter_follow(RtpRewriter *rewriter, guint32 source, guint16 seq, guint32 timestamp)
{
	rewriter->own = FALSE;
	rewriter->has_source = TRUE;
	rewriter->source = source;
	rewriter->source_seq = seq;
	rewriter->first_seq = (guint16)(seq + 1);
	rewriter->bad_seq = NO_SEQ;
	rewriter->seq_offset = (guint16)(rewriter->seq - seq);
	rewriter->ts_offset = rewriter->own_next - timestamp;
}

/* --- what came in --- */

void
rtp_stats_init(RtpStats *stats)
{
	*stats = (RtpStats){ .bad_seq = NO_SEQ };
}

static gint64
lost_of_source(const RtpStats *stats)
{
	gint64 expected;

	if (!stats->has_source)
		return 0;
	expected = (gint64)stats->cycles + stats->max_seq - stats->base_seq + 1;
	return expected - stats->received;
}

static void
start_source(RtpStats *stats, const RtpPacket *packet)
{
	stats->lost_before = rtp_stats_lost(stats);
	stats->received_before += stats->received;
	stats->has_source = TRUE;
	stats->ssrc = packet->ssrc;
	stats->base_seq = stats->max_seq = packet->seq;
	stats->bad_seq = NO_SEQ;
	stats->cycles = stats->received = 0;
	stats->expected_prior = stats->received_prior = 0;
	stats->rate = 0; /* the first packet gives no jitter */
}

/* RFC 3550 A.1.  FALSE for a number far off, until the next confirms it. */
static gboolean
count_seq(RtpStats *stats, const RtpPacket *packet)
{
	guint16 delta = (guint16)(packet->seq - stats->max_seq);

	if (!stats->has_source || packet->ssrc != stats->ssrc) {
		start_source(stats, packet);
	} else if (delta < MAX_DROPOUT) {
		if (packet->seq < stats->max_seq)
			stats->cycles += 1 << 16;
		stats->max_seq = packet->seq;
	} else if (delta <= 0x10000 - MAX_MISORDER) {
		if (packet->seq != stats->bad_seq) {
			stats->bad_seq = (guint16)(packet->seq + 1);
			return FALSE;
		}
		start_source(stats, packet);
	} /* else one out of order, or twice */
	stats->received++;
	return TRUE;
}

/* RFC 3550 A.8.  Packets of one event share a timestamp (RFC 4733 2.5.1.2), and
 * packets of another clock cannot be compared: both say nothing about jitter. */
static void
count_jitter(RtpStats *stats, const RtpPacket *packet, guint32 rate, gint64 now_us)
{
	guint32 transit = clock_units(now_us, rate) - packet->timestamp;
	gboolean comparable = stats->rate == rate && packet->timestamp != stats->last_ts;
	guint32 delta = transit - stats->transit;

	if (stats->rate == rate && !comparable)
		return;
	stats->rate = rate;
	stats->last_ts = packet->timestamp;
	stats->transit = transit;
	if (delta >> 31)
		delta = -delta;
	if (!comparable || delta > rate) /* a new start of the clock, not jitter */
		return;
	stats->jitter += delta - ((stats->jitter + 8) >> 4);
}

void
rtp_stats_update(RtpStats *stats, const RtpPacket *packet, guint32 rate, gint64 now_us)
{
	if (count_seq(stats, packet) && rate > 0)
		count_jitter(stats, packet, rate, now_us);
}

guint64
rtp_stats_lost(const RtpStats *stats)
{
	gint64 lost = lost_of_source(stats);

	return stats->lost_before + (lost > 0 ? (guint64)lost : 0);
}

guint64
rtp_stats_received(const RtpStats *stats)
{
	return stats->received_before + stats->received;
}

guint32
rtp_stats_jitter_us(const RtpStats *stats)
{
	if (stats->rate == 0)
		return 0;
	return (guint32)((guint64)(stats->jitter >> 4) * G_USEC_PER_SEC / stats->rate);
}
