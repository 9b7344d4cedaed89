/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* demux.h - what a datagram on a shared port is, from its first two bytes.
 *
 * Thread: any (pure).  RFC 7983 section 7, RFC 5761 section 4.
 */
#pragma once
#include <glib.h>

typedef enum {
	PACKET_OTHER, /* ZRTP, a TURN channel, QUIC, nonsense: nothing we speak */
	PACKET_STUN,
	PACKET_DTLS,
	PACKET_RTP,
	PACKET_RTCP
} PacketKind;

/* With rtcp-mux RTP payload types 64 to 95 cannot be told from RTCP and are
 * taken as such; nobody numbers a codec so (RFC 5761 section 4). */
static inline PacketKind
packet_kind(const guint8 *data, gsize size)
{
	if (size < 2)
		return PACKET_OTHER;
	if (data[0] <= 3)
		return PACKET_STUN;
	if (data[0] >= 20 && data[0] <= 63)
		return PACKET_DTLS;
	if (data[0] >= 128 && data[0] <= 191)
		return data[1] >= 192 && data[1] <= 223 ? PACKET_RTCP : PACKET_RTP;
	return PACKET_OTHER;
}
