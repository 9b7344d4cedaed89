/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_location.h - where the caller of an emergency call is, in its INVITE.
 *
 * By value in a second part of the body, or by reference in the header alone.  A
 * carrier that cannot take it is called once more without: help is what counts.
 * Thread: signalling.  RFC 6442, RFC 4119, RFC 5621.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"

/* Before the INVITE; nothing when the target has no location. */
void location_set(SipLeg *leg, const Target *target);

/* The body with SDP and the location, for a leg with `pidf`. */
typedef struct {
	char *type, *text;
} LocationBody;
void location_body(const SipLeg *leg, const char *sdp, LocationBody *body);
void location_body_clear(LocationBody *body);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LocationBody, location_body_clear)

/* TRUE: the location may be what was refused, and is gone: the INVITE is to be sent once
 * more. */
gboolean location_leave(SipLeg *leg, guint status);
