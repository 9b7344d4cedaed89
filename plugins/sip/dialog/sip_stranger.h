/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_stranger.h - calls to a SIP address outside, which is no trunk's.
 *
 * Its host is found as RFC 3263 has it, and asked for nothing: no registration, no
 * password.  Which hosts it may have says sip_uri.h.
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"

/* The rest of sip_leg_dial(). */
void stranger_dial(SipLeg *leg, const Target *target, const Desc *offer);
