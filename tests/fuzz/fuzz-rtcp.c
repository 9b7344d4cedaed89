/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-rtcp.c - a compound: read as far as it makes sense, and to its end when it is valid. */
#include <stdint.h>
#include <stdlib.h>
#include "media/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
	if (rtcp_valid(data, size) && offset != size)
		abort();
	return 0;
}
