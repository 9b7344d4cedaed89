/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_admit.h - the first INVITE of a call, of a trunk or of a telephone.
 *
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/peers/sip_sender.h"
#include "plugins/sip/stack/sip_reply.h"

/* Of one that may call: `reply` has a handle, which is the leg's where there is one. */
void admit_invite(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender);
