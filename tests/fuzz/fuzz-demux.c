/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-demux.c - one datagram of a shared port, taken for what its first bytes say
 * and for everything else besides: no reader may rely on the others. */
#include <stdint.h>
#include <stdlib.h>
#include "media/demux.h"
#include "media/dtmf.h"
#include "media/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The ranges of RFC 7983 section 7, said the other way round. */
static void
check_kind(const uint8_t *data, size_t size, PacketKind kind)
{
	const gboolean media = kind == PACKET_RTP || kind == PACKET_RTCP;

	if ((size < 2 && kind != PACKET_OTHER) || (media && data[0] >> 6 != 2) ||
	    (kind == PACKET_STUN && data[0] >> 2 != 0) ||
	    (kind == PACKET_DTLS && (data[0] < 20 || data[0] > 63)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DtmfReceiver receiver = { 0 };
	guint8 payload[DTMF_PAYLOAD];
	gsize offset = 0;
	RtcpPacket report;
	RtpPacket packet;

	check_kind(data, size, packet_kind(data, size));
	if (rtp_parse(data, size, &packet)) {
		dtmf_receive(&receiver, &packet);
		if (dtmf_convert(&packet, 48000, 8000, payload) != (packet.payload_size >= 4))
			abort();
	}
	if (rtcp_valid(data, size))
		while (rtcp_next(data, size, &offset, &report))
			;
	return 0;
}
