/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_text_in.h - MESSAGE: a text that comes, of a trunk or a softphone.
 *
 * It is answered when the core has answered, 202 at the best: the gateway keeps it and sends
 * it on (RFC 3428 7).  nua's transaction answers what is sent again meanwhile, so only a request
 * that may be taken gets one.
 *
 *   the sender may send none       403
 *   what it carries                sip_message.h
 *   taken                          202
 *   not written in time            503, Retry-After
 *   refused                        by the table of sip_reason.h, with Reason
 *   somebody types, a report       200
 *
 * Thread: signalling.  RFC 3428.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"
#include "plugins/sip/peers/sip_sender.h"
#include "plugins/sip/stack/sip_reply.h"

void text_in_start(SipUa *ua);
void text_in_stop(void); /* what waits is answered by 503; before nua is shut down */

/* One of this sender's may be taken, so it waits for an answer of the core's. */
gboolean text_in_waits(const Sender *sender);
/* Outside of a dialog; by a handle when it waits. */
void text_in_take(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender);
/* In the dialog of this leg, from its peer.  A softphone has to prove itself here too: a text
 * may cost money, and a datagram's source is soon forged. */
void text_in_take_inside(SipLeg *leg, nua_handle_t *nh, const SipEvent *event);
