/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_desc.h - SDP to and from Desc.
 *
 * Read: RTP/AVP and RTP/AVPF, RTP/SAVP and RTP/SAVPF with keys (sdes.h; beside the
 * first two they are an offer that need not be taken, see sip_crypto.h), and
 * UDP/TLS/RTP/SAVPF with its ICE and DTLS.  A stream that a Desc cannot hold
 * (another protocol or media type, an address that is a name or multicast, no
 * key that we know) is there as a rejected stream in its place.
 * Thread: any (pure).  RFC 4566, RFC 3264, RFC 3605, RFC 4568, RFC 5761, RFC 8839, RFC 8842.
 */
#pragma once
#include "media/desc.h"

/* The code of such an error is a Reason. */
#define SDP_ERROR_DOMAIN (g_quark_from_static_string("tandem-sdp"))
#define SDP_MAX_SIZE	 (32 * 1024) /* bytes of text taken from a peer */
#define SDP_WEBRTC	 "UDP/TLS/RTP/SAVPF"

/* What a session says of itself (RFC 3264 5: the id stays for the life of the
 * dialog, the version grows by one with every change). */
typedef struct {
	const char *address; /* numeric IPv4 or IPv6, ours */
	guint64 session_id, version;
} SdpOrigin;

/* NULL and an error for what is no SDP, too long, or has too many streams. */
Desc *desc_from_sdp(const char *text, gsize length, GError **error);

/* Newly allocated, lines end with CR LF.  Strings in `desc` may come from any
 * peer: nothing in them can begin another line. */
char *desc_to_sdp(const Desc *desc, const SdpOrigin *origin);
