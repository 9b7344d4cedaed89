/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_credentials.h - the client's side of digest authentication.
 *
 * sofia's own knows MD5 alone and never answers a challenge that offers SHA-256
 * beside it.  This one takes its place in sofia's list of schemes: of several
 * challenges of a realm it answers the strongest (RFC 8760 2.4), and nua goes on
 * calling it by itself once nua_authenticate() has given it a password.
 * Thread: signalling.  RFC 3261 22.2, RFC 7616, RFC 8760.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>
#include "plugins/sip/stack/sip_digest.h"

/* Once in the process, after su_init().  FALSE: this build of sofia takes no
 * scheme of ours, and its own stays. */
gboolean credentials_register(void);

/* Digest by an algorithm and a qop we know (RFC 8760 has servers offer several,
 * each in a header of its own). */
gboolean credentials_can_answer(const sip_www_authenticate_t *challenge);

/* What is hashed; texts without their quotes. */
typedef struct {
	DigestAlgorithm algorithm;
	gboolean session; /* MD5-sess, SHA-256-sess */
	const char *username, *realm, *password;
	const char *method, *uri, *nonce;
	const char *nc;	    /* NULL: the challenge had no qop (RFC 2069) */
	const char *cnonce; /* with nc, and of a session */
} DigestQuestion;

/* response= of RFC 7616 3.4.1, qop=auth; pure. */
char *credentials_response(const DigestQuestion *question);
