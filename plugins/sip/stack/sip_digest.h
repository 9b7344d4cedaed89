/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_digest.h - the server's side of digest authentication.
 *
 * MD5 and SHA-256 with qop=auth, nonces that prove themselves by an HMAC over
 * their time, and a count per nonce so that nothing heard on the wire can be
 * said again.  A stranger costs no memory.
 * Thread: signalling.  RFC 3261 22.4, RFC 7616, RFC 8760.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>

typedef struct DigestServer DigestServer;

DigestServer *digest_server_new(const char *realm);
void digest_server_free(DigestServer *server); /* NULL is fine */

typedef enum {
	DIGEST_NONE,
	DIGEST_MD5,
	DIGEST_SHA256,
	N_DIGESTS
} DigestAlgorithm; /* by strength */

/* HA1 = hash(username:realm:password) in hex for each algorithm; NULL: not known. */
typedef struct {
	const char *username;
	const char *ha1[N_DIGESTS];
} DigestSecret;

typedef enum {
	DIGEST_ABSENT, /* no credentials for our realm and this name: challenge him */
	DIGEST_STALE,  /* right, but the nonce is too old or used up: challenge with stale */
	DIGEST_WRONG,
	DIGEST_RIGHT
} DigestVerdict;

/* The value of a WWW-Authenticate or Proxy-Authenticate header. */
char *digest_server_challenge(DigestServer *server, DigestAlgorithm algorithm, gboolean stale);

/* The first user name that an Authorization or Proxy-Authorization has for our
 * realm; not proven.  NULL when there is none. */
char *digest_server_username(const DigestServer *server, const sip_t *sip);
/* The algorithm of these; DIGEST_NONE when there are none, or it is another's. */
DigestAlgorithm digest_server_algorithm(const DigestServer *server, const sip_t *sip);
/* Forgets the nonces that are too old anyway; to be called now and then. */
void digest_server_sweep(DigestServer *server);
/* Nonces that are remembered now. */
guint digest_server_places(const DigestServer *server);
/* `algorithm` (may be NULL) is the one they used, DIGEST_NONE when absent. */
DigestVerdict digest_server_verify(DigestServer *server, const sip_t *sip,
				   const DigestSecret *secret, DigestAlgorithm *algorithm);

/* The same for a password in clear, MD5.  TRUE: proven now and for the first
 * time.  `stale` is set when only the nonce was too old. */
gboolean digest_server_check(DigestServer *server, const sip_t *sip, const char *username,
			     const char *password, gboolean *stale);

/* response= of RFC 7616 3.4.1 with qop=auth, or of RFC 2069 when qop is NULL. */
char *digest_response(const char *username, const char *realm, const char *password,
		      const char *method, const char *uri, const char *nonce, const char *qop,
		      const char *nc, const char *cnonce);
