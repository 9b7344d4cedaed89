/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_unacked.h - calls of a trunk that are answered and wait for their ACK.
 *
 * Who forges a trunk's address by UDP never hears our answer, and never sends the ACK.
 * So one trunk may have UNACKED_MAX of them; as many again when it may set up so many
 * calls a second that this would not be enough.
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"

#define UNACKED_MAX 32

/* TRUE: no more calls of this trunk (NULL: a phone's, whose INVITE was proven) for now. */
gboolean unacked_are_many(SipUa *ua, const char *trunk);
void unacked_begin(SipLeg *leg);
void unacked_end(SipLeg *leg); /* the ACK is there, or is not waited for any more */
