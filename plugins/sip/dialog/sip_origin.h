/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_origin.h - who may speak in a dialog: the one it stands with, from where he is.
 *
 * Call-ID and tags are no secret to who has seen one message of the call.  A request
 * with those of a dialog of ours is let through when it comes
 *
 *  - of a softphone's dialog: from the address that its first message came from, since a
 *    NAT may give it another port at any time, or from where this softphone is registered
 *    now; a REFER, which makes a call that costs money, by UDP from that very port alone;
 *  - of a trunk's: from an address of the trunk, from where the dialog began, or from the
 *    hop that the dialog itself names;
 *  - of one with a SIP address outside: from where it began, or from that hop.
 *
 * Any other is answered 481 as if there were no such dialog, an ACK is dropped.
 * Thread: signalling.  RFC 3261 12.2.2, 26.1.
 */
#pragma once
#include "plugins/sip/dialog/sip_dialog.h"

/* The dialog is known from now on; `msg` is the peer's message that made it. */
void origin_learn(SipLeg *leg, msg_t *msg);
void origin_forget(SipLeg *leg); /* known or not */

/* A request of the dialog has come by `msg`: a softphone whose NAT has given it another port
 * is reached there from now on. */
void origin_follow(SipLeg *leg, msg_t *msg);

/* Asks the guard to call for each request from now on, and no longer. */
void origin_start(SipUa *ua);
void origin_stop(SipUa *ua);
