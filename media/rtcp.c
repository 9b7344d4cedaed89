/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rtcp.c - RTCP: validate, read, write.
 *
 * Thread: any (pure).  RFC 3550 section 6 and appendix A, RFC 5506, RFC 4585.
 */
#include <string.h>
#include "media/bytes.h"
#include "media/rtcp.h"

#define HEADER	    8 /* with the sender's SSRC */
#define SENDER_INFO 20
#define BLOCK	    24
#define FEEDBACK    12 /* a header and whom it is about */
#define SDES_CNAME  1
#define NTP_EPOCH   G_GUINT64_CONSTANT(2208988800) /* seconds from 1900 to 1970 */

/* --- reading --- */

/* The least a packet of this type and count must have. */
static gsize
least_size(guint8 type, guint8 count)
{
	switch (type) {
	case RTCP_SR:
		return HEADER + SENDER_INFO + BLOCK * (gsize)count;
	case RTCP_RR:
		return HEADER + BLOCK * (gsize)count;
	case RTCP_SDES:
	case RTCP_BYE:
		return 4 + 4 * (gsize)count;
	case RTCP_APP:
	case RTCP_RTPFB:
	case RTCP_PSFB:
		return FEEDBACK;
	default:
		return HEADER;
	}
}

gboolean
rtcp_next(const guint8 *data, gsize size, gsize *offset, RtcpPacket *packet)
{
	gsize rest = size - MIN(*offset, size);
	const guint8 *start = data + *offset;
	gsize length, padding = 0;

	if (rest < 4 || start[0] >> 6 != 2 || start[1] < 192 || start[1] > 223)
		return FALSE;
	length = 4 * ((gsize)get16(start + 2) + 1);
	if (length > rest)
		return FALSE;
	if (start[0] & 0x20) {
		padding = start[length - 1];
		/* RFC 3550 6.4.1: in the last packet alone, whole words */
		if (length != rest || padding == 0 || padding % 4 != 0 || padding > length - 4)
			return FALSE;
	}
	*packet = (RtcpPacket){
		.type = start[1],
		.count = start[0] & 0x1f,
		.data = start,
		.size = length - padding,
	};
	if (packet->size < least_size(packet->type, packet->count))
		return FALSE;
	packet->ssrc = packet->size >= HEADER ? get32(start + 4) : 0;
	*offset += length;
	return TRUE;
}

gboolean
rtcp_valid(const guint8 *data, gsize size)
{
	RtcpPacket packet;
	gsize offset = 0;

	if (size == 0 || size % 4 != 0)
		return FALSE;
	while (offset < size) {
		if (!rtcp_next(data, size, &offset, &packet))
			return FALSE;
	}
	return TRUE;
}

gboolean
rtcp_block(const RtcpPacket *packet, guint n, RtcpBlock *block)
{
	gsize at = packet->type == RTCP_SR ? HEADER + SENDER_INFO : HEADER;
	const guint8 *data;

	if ((packet->type != RTCP_SR && packet->type != RTCP_RR) || n >= packet->count)
		return FALSE;
	data = packet->data + at + BLOCK * (gsize)n;
	*block = (RtcpBlock){
		.ssrc = get32(data),
		.fraction = data[4],
		.lost = (gint32)(get32(data + 4) & 0xffffff),
		.highest = get32(data + 8),
		.jitter = get32(data + 12),
		.lsr = get32(data + 16),
		.dlsr = get32(data + 20),
	};
	if (block->lost & 0x800000)
		block->lost -= 0x1000000;
	return TRUE;
}

gboolean
rtcp_sender(const RtcpPacket *packet, RtcpSender *sender)
{
	const guint8 *data = packet->data + HEADER;

	if (packet->type != RTCP_SR)
		return FALSE;
	*sender = (RtcpSender){
		.ntp = (guint64)get32(data) << 32 | get32(data + 4),
		.timestamp = get32(data + 8),
		.packets = get32(data + 12),
		.bytes = get32(data + 16),
	};
	return TRUE;
}

/* --- writing --- */

static void
put_header(guint8 *data, guint8 type, guint8 count, gsize size)
{
	data[0] = (guint8)(0x80 | count);
	data[1] = type;
	put16(data + 2, (guint16)(size / 4 - 1));
}

static void
put_sender(guint8 *data, const RtcpSender *sender)
{
	put32(data, (guint32)(sender->ntp >> 32));
	put32(data + 4, (guint32)sender->ntp);
	put32(data + 8, sender->timestamp);
	put32(data + 12, sender->packets);
	put32(data + 16, sender->bytes);
}

static void
put_block(guint8 *data, const RtcpBlock *block)
{
	put32(data, block->ssrc);
	put32(data + 4, (guint32)block->lost & 0xffffff);
	data[4] = block->fraction;
	put32(data + 8, block->highest);
	put32(data + 12, block->jitter);
	put32(data + 16, block->lsr);
	put32(data + 20, block->dlsr);
}

/* Its size, or 0 for no room. */
static gsize
put_sdes(guint8 *data, gsize room, guint32 ssrc, const char *cname)
{
	gsize length = MIN(strlen(cname), RTCP_MAX_CNAME);
	/* the list ends with one to four zero bytes */
	gsize size = HEADER + (2 + length + 4) / 4 * 4;

	if (room < size)
		return 0;
	memset(data, 0, size);
	put_header(data, RTCP_SDES, 1, size);
	put32(data + 4, ssrc);
	data[8] = SDES_CNAME;
	data[9] = (guint8)length;
	memcpy(data + 10, cname, length);
	return size;
}

gsize
rtcp_write_report(guint8 *data, gsize room, const RtcpReport *report)
{
	gsize size = HEADER + (report->sender ? SENDER_INFO : 0) + (report->block ? BLOCK : 0);
	gsize sdes;

	if (room < size)
		return 0;
	put_header(data, report->sender ? RTCP_SR : RTCP_RR, report->block ? 1 : 0, size);
	put32(data + 4, report->ssrc);
	if (report->sender)
		put_sender(data + HEADER, report->sender);
	if (report->block)
		put_block(data + size - BLOCK, report->block);
	sdes = put_sdes(data + size, room - size, report->ssrc, report->cname);
	return sdes ? size + sdes : 0;
}

gsize
rtcp_write_bye(guint8 *data, gsize room, guint32 ssrc, const char *cname)
{
	RtcpReport report = { .ssrc = ssrc, .cname = cname };
	gsize size = rtcp_write_report(data, room, &report);

	if (size == 0 || room - size < HEADER)
		return 0;
	put_header(data + size, RTCP_BYE, 1, HEADER);
	put32(data + size + 4, ssrc);
	return size + HEADER;
}

guint64
rtcp_ntp(gint64 real_us)
{
	guint64 seconds = (guint64)real_us / G_USEC_PER_SEC + NTP_EPOCH;
	guint64 rest = (guint64)real_us % G_USEC_PER_SEC;

	return seconds << 32 | (rest << 32) / G_USEC_PER_SEC;
}

void
rtcp_sr_seen(RtcpLastSr *last, const RtcpSender *sender, gint64 now_us)
{
	last->lsr = (guint32)(sender->ntp >> 16);
	last->seen_us = now_us;
}

void
rtcp_block_from_stats(RtpStats *stats, const RtcpLastSr *last, gint64 now_us, RtcpBlock *block)
{
	guint32 highest = stats->cycles + stats->max_seq;
	guint32 expected = highest - stats->base_seq + 1;
	gint64 lost = (gint64)expected - stats->received;
	gint64 expected_now = (gint64)expected - stats->expected_prior;
	gint64 lost_now = expected_now - ((gint64)stats->received - stats->received_prior);

	/* RFC 3550 A.3 */
	stats->expected_prior = expected;
	stats->received_prior = stats->received;
	*block = (RtcpBlock){
		.ssrc = stats->ssrc,
		.fraction = lost_now <= 0 || expected_now <= 0
				    ? 0
				    : (guint8)MIN((lost_now << 8) / expected_now, 255),
		.lost = (gint32)CLAMP(lost, -0x800000, 0x7fffff),
		.highest = highest,
		.jitter = stats->jitter >> 4,
		.lsr = last->lsr,
	};
	if (last->lsr != 0)
		block->dlsr =
			(guint32)(((guint64)MAX(now_us - last->seen_us, 0) << 16) / G_USEC_PER_SEC);
}

/* --- what the peer hears of us --- */

/* How far a number may go back, by packets that overtake each other and reports that do. */
#define STEP_BACK 1000

gboolean
rtcp_far_received(RtcpFar *far, const RtcpBlock *block)
{
	const gint32 step = (gint32)(block->highest - far->highest);
	const gboolean first = !far->any;

	/* an old report that comes late */
	if (!first && step < 0 && step > -STEP_BACK)
		return FALSE;
	if (!first && step < 0)
		far->lost_before += MAX(far->lost, 0);
	far->any = TRUE;
	far->highest = block->highest;
	far->lost = block->lost;
	far->jitter = block->jitter;
	return first || step != 0;
}

guint64
rtcp_far_lost(const RtcpFar *far)
{
	return (guint64)MAX(far->lost_before + far->lost, 0);
}

/* --- round trip --- */

void
rtcp_rtt_sent(RtcpRtt *rtt, const guint8 *data, gsize size, gint64 now_us)
{
	gsize offset = 0;
	RtcpPacket packet;
	RtcpSender sender;

	while (rtcp_next(data, size, &offset, &packet)) {
		if (!rtcp_sender(&packet, &sender))
			continue;
		rtt->sent[rtt->n % RTCP_RTT_DEPTH].lsr = (guint32)(sender.ntp >> 16);
		rtt->sent[rtt->n % RTCP_RTT_DEPTH].sent_us = now_us;
		rtt->n++;
	}
}

gboolean
rtcp_rtt_received(RtcpRtt *rtt, const RtcpBlock *block, gint64 now_us)
{
	gint64 held_us = (gint64)(((guint64)block->dlsr * G_USEC_PER_SEC) >> 16);

	for (guint i = 0; block->lsr != 0 && i < MIN(rtt->n, RTCP_RTT_DEPTH); i++) {
		gint64 trip = now_us - rtt->sent[i].sent_us - held_us;

		if (rtt->sent[i].lsr != block->lsr || trip > 60 * G_USEC_PER_SEC)
			continue;
		/* the peer's clock may be a little fast, and its unit is 15 µs */
		if (trip < -10000)
			continue;
		rtt->rtt_us = (guint32)MAX(trip, 1);
		return TRUE;
	}
	return FALSE;
}
