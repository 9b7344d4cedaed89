/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_reply.h - how a request outside of a dialog is answered: by nua, which has made a
 * handle and a transaction for it, or without either.
 *
 * Thread: signalling.  RFC 3261 8.2.6, 8.2.7.
 */
#pragma once
#include <sofia-sip/nua.h>
#include <sofia-sip/tport.h>

#define RETRY_READ "30" /* Retry-After in s, while the store cannot be read */

typedef struct {
	nua_t *nua;
	const char *allow; /* of every answer (RFC 3261 20.5) */
	nua_handle_t *nh;  /* NULL: by the next two; who keeps it sets it to NULL */
	tport_t *transport;
	msg_t *message; /* gone with the answer */
} Reply;

/* Headers as tags. */
void reply_say(const Reply *reply, int status, const char *phrase, tag_type_t tag,
	       tag_value_t value, ...);
