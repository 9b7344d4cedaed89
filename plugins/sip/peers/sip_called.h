/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_called.h - whom a trunk calls: where in its INVITE that number stands.
 *
 * A registrar sends calls to the Contact that was registered, so the Request-URI names
 * our account there, and the number is in P-Called-Party-ID or To.
 * Thread: signalling.  RFC 3261 16.6, RFC 7315 4.2.
 */
#pragma once
#include "plugins/sip/sip_root.h"

/* NULL: nobody. */
Address *called_by_trunk(SipUa *ua, const Trunk *trunk, const sip_t *sip);
/* Of a MESSAGE; `trunk` NULL: a softphone's. */
Address *called_by_text(SipUa *ua, const Trunk *trunk, const sip_t *sip);
