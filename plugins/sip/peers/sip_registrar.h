/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_registrar.h - REGISTER: where the softphones are.
 *
 * It needs no transaction (RFC 3261 8.2.7): one that is sent again has an old nonce count by
 * then, is challenged with stale=true and made anew by the phone.
 * Thread: signalling.  RFC 3261 10.3, RFC 3327 (Path), RFC 3581, RFC 8760.
 */
#pragma once
#include "plugins/sip/sip_root.h"
#include <sofia-sip/tport.h>

/* How it is answered: by nua, or without a transaction. */
typedef struct {
	nua_handle_t *nh; /* NULL: by the next two */
	tport_t *transport;
	msg_t *message; /* gone with the answer */
} RegistrarReply;

/* Answers a REGISTER; a handle is left to the caller. */
void registrar_register(SipUa *ua, const RegistrarReply *reply, const SipEvent *event);
