/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_registrar.h - REGISTER: where the softphones are.
 *
 * Thread: signalling.  RFC 3261 10.3, RFC 3327 (Path), RFC 3581, RFC 8760.
 */
#pragma once
#include "plugins/sip/sip_leg.h"
#include "plugins/sip/sip_phone.h"

/* Answers a REGISTER; `nh` is left to the caller. */
void registrar_register(SipUa *ua, nua_handle_t *nh, const SipEvent *event);

/* One that is not PHONE_KNOWN is counted, alike for every name; the status of its answer: 401
 * with a challenge, or 503. */
guint registrar_refuse(SipUa *ua, const PhoneClaim *claim, const SipEvent *event);
