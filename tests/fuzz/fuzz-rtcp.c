/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-rtcp.c - a compound: validated, read, relayed, and valid again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "media/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_all(const uint8_t *data, size_t size)
{
	gsize offset = 0;
	RtcpRtt rtt = { 0 };
	RtcpPacket packet;
	RtcpBlock block;

	rtcp_rtt_sent(&rtt, data, size, 0);
	while (rtcp_next(data, size, &offset, &packet)) {
		for (guint i = 0; rtcp_block(&packet, i, &block); i++)
			rtcp_rtt_received(&rtt, &block, 1000000);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	RtpRewriter forward = { .ssrc = 1000, .has_source = TRUE, .source = 10, .ts_offset = 500 };
	RtpRewriter back = { .ssrc = 77, .has_source = TRUE, .source = 20, .seq_offset = 5 };
	RtcpRelay relay = { .forward = &forward, .back = &back, .cname = "gw", .feedback = TRUE };
	gsize room, relayed;
	g_autofree guint8 *buffer = NULL;

	read_all(data, size);
	if (!rtcp_valid(data, size))
		return 0;
	room = size + data[size - 1] % 32;
	buffer = g_malloc(room);
	memcpy(buffer, data, size);
	relayed = rtcp_relay(buffer, size, room, &relay);
	if (relayed > room || (relayed > 0 && !rtcp_valid(buffer, relayed)))
		abort();
	return 0;
}
