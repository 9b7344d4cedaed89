/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_registrar.h - REGISTER: where the softphones are.
 *
 * It needs no transaction (RFC 3261 8.2.7): one that is sent again has an old nonce count by
 * then, is challenged with stale=true and made anew by the phone.
 * Thread: signalling.  RFC 3261 10.3, RFC 3327 (Path), RFC 3581, RFC 8760.
 */
#pragma once
#include "plugins/sip/peers/sip_sender.h"
#include "plugins/sip/stack/sip_reply.h"

/* Answers the REGISTER of a softphone that has proven its password. */
void registrar_register(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender);
/* Of one whose nonce is too old.  TRUE: it has been answered before, as it is, and is again. */
gboolean registrar_again(SipUa *ua, const Reply *reply, const SipEvent *event);
