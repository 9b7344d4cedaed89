/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_admit.h - the first INVITE of a call: a telephone's, a trunk's, or nobody's.
 *
 * Nobody learns from an answer, or from being slowed, which names there are: whoever
 * has not proven himself is answered by what he has sent and where from, never by whether the
 * name that he gives is one.
 *
 *   without credentials, from a telephone's own port       407
 *   … where a trunk may prove itself by digest             401
 *   … calling itself one of this gateway, or nobody        407
 *   … any other                                            403
 *   with credentials that prove nothing                    401 or 407, as they were asked for
 *
 * Thread: signalling.  RFC 3261 22.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"

/* Takes `nh`. */
void admit_invite(SipUa *ua, nua_handle_t *nh, const SipEvent *event);
