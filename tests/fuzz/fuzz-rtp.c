/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-rtp.c - RTP packets, one after another through one stream.  The input is
 * pieces with their length before them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "media/demux.h"
#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RtpRewriter rewriter;
	RtpStats stats;
	gint64 now_us = 0;

	rtp_rewriter_init(&rewriter, 1, 0xfff0, 0xfffffff0);
	rtp_stats_init(&stats);
	while (size > 1) {
		gsize length = MIN((gsize)data[0], size - 1);
		g_autofree guint8 *piece = g_memdup2(data + 1, length + (length == 0));
		RtpPacket packet, sent;

		now_us += 20000;
		if (packet_kind(piece, length) == PACKET_RTP && rtp_parse(piece, length, &packet)) {
			rtp_stats_update(&stats, &packet, 8000, now_us);
			if (packet.pt == 13)
				rtp_rewriter_skip(&rewriter, &packet);
			else if (rtp_rewrite(&rewriter, piece, &packet, 8, 8000, now_us) &&
				 (!rtp_parse(piece, length, &sent) || sent.ssrc != 1 ||
				  sent.payload_size != packet.payload_size))
				abort();
			if (packet.pt == 101)
				rtp_rewriter_insert(&rewriter);
		}
		data += 1 + length;
		size -= 1 + length;
	}
	rtp_stats_lost(&stats);
	rtp_stats_jitter_us(&stats);
	return 0;
}
