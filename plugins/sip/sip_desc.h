/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_desc.h - SDP to Desc and back.
 *
 * Thread: any (pure).  RFC 4566, RFC 3264, RFC 4733.
 */
#pragma once
#include "b2bua/reason.h"
#include "media/desc.h"

/* Errors of this domain have a Reason as their code. */
#define SDP_ERROR_DOMAIN (g_quark_from_static_string("tandem-sdp"))

/* What stands in o= beside our name. */
typedef struct {
	const char *address; /* numeric */
	guint64 session_id, version;
} SdpOrigin;

Desc *desc_from_sdp(const char *text, gsize length, GError **error);
char *desc_to_sdp(const Desc *desc, const SdpOrigin *origin);
