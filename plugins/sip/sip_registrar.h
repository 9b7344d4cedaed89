/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_registrar.h - REGISTER: where the softphones are.
 *
 * Thread: signalling.  RFC 3261 10.3, RFC 3327 (Path), RFC 3581, RFC 8760.
 */
#pragma once
#include "plugins/sip/sip_leg.h"

/* Answers a REGISTER; `nh` is left to the caller. */
void registrar_register(SipUa *ua, nua_handle_t *nh, const SipEvent *event);
