/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_digest.h - the server's side of digest authentication.
 *
 * MD5 with qop=auth (what every PBX speaks), nonces that prove themselves by an
 * HMAC over their time, and a count per nonce so that nothing heard on the wire
 * can be said again.
 * Thread: signalling.  RFC 3261 22.4, RFC 7616.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>

typedef struct DigestServer DigestServer;

DigestServer *digest_server_new(const char *realm);
void digest_server_free(DigestServer *server); /* NULL is fine */

/* The value of a WWW-Authenticate header. */
char *digest_server_challenge(DigestServer *server, gboolean stale);

/* TRUE when the request has an Authorization that proves this password now and
 * for the first time.  `stale` is set when only the nonce was too old. */
gboolean digest_server_check(DigestServer *server, const sip_t *sip, const char *username,
			     const char *password, gboolean *stale);

/* response= of RFC 7616 3.4.1 with qop=auth, or of RFC 2069 when qop is NULL. */
char *digest_response(const char *username, const char *realm, const char *password,
		      const char *method, const char *uri, const char *nonce, const char *qop,
		      const char *nc, const char *cnonce);
