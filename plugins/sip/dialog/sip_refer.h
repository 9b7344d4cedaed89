/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_refer.h - transfer and takeover: REFER, its NOTIFYs, and Replaces.
 *
 * Thread: signalling.  RFC 3515, RFC 3891, RFC 5589.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"
#include <sofia-sip/sip_extra.h>

/* A REFER within the dialog of this leg. */
void refer_asked(SipLeg *leg, const SipEvent *event);
/* What has become of it: Plugin.transferring. */
void refer_told(SipLeg *leg, TransferState state, Reason reason, const char *text);

/* The leg whose dialog this names, from our side: to-tag is ours.  NULL: none that
 * the core still knows. */
SipLeg *refer_find_dialog(SipUa *ua, const sip_replaces_t *replaces);
