/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_audio_from.h - where a peer's audio may come from, as his signalling shows it.
 *
 * Beside the host that his description names: the host that his SIP comes from, as seen
 * by us, or by the proxies between (the last Via's `received`); their own hosts count for
 * nothing.  And what the admin allows: media-hosts and rtp-source.
 * Thread: signalling.  RFC 3261 18.2.1, RFC 3581, RFC 4961.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"

/* Before `desc`, heard in this message, is shared. */
void audio_from_allow(SipLeg *leg, const SipEvent *event, Desc *desc);
