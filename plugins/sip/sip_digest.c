/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_digest.c - the server's side of digest authentication.
 *
 * A nonce is "<ms since start, hex>-<HMAC>", so a stranger's challenge costs us no
 * memory; only nonces that a right password has used are remembered, with the
 * highest count seen, until they are too old anyway.
 * Thread: signalling.
 */
#include "plugins/sip/sip_digest.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sofia-sip/msg_header.h>

#define NONCE_US     (60 * G_USEC_PER_SEC)
#define MAX_NONCES   4096
#define SECRET_BYTES 32

struct DigestServer {
	char *realm;
	guint8 secret[SECRET_BYTES];
	guint64 serial;
	GHashTable *used; /* nonce → highest nc seen, as pointer */
};

DigestServer *
digest_server_new(const char *realm)
{
	DigestServer *server = g_new0(DigestServer, 1);

	server->realm = g_strdup(realm);
	/* Never short for so few bytes (getrandom(2)). */
	if (getrandom(server->secret, SECRET_BYTES, 0) != SECRET_BYTES)
		g_error("getrandom: %s", g_strerror(errno));
	server->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return server;
}

void
digest_server_free(DigestServer *server)
{
	if (!server)
		return;
	g_hash_table_unref(server->used);
	g_free(server->realm);
	g_free(server);
}

static char *
nonce_seal(const DigestServer *server, const char *stamp)
{
	g_autofree char *hmac = g_compute_hmac_for_string(G_CHECKSUM_SHA256, server->secret,
							  SECRET_BYTES, stamp, -1);

	return g_strdup_printf("%s-%.32s", stamp, hmac);
}

char *
digest_server_challenge(DigestServer *server, gboolean stale)
{
	g_autofree char *stamp = g_strdup_printf("%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER "x",
						 g_get_monotonic_time(), server->serial++);
	g_autofree char *nonce = nonce_seal(server, stamp);

	return g_strdup_printf("Digest realm=\"%s\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s",
			       server->realm, nonce, stale ? ", stale=true" : "");
}

typedef enum { NONCE_FORGED, NONCE_OLD, NONCE_FRESH } NonceState;

static NonceState
nonce_state(const DigestServer *server, const char *nonce)
{
	const char *dash = strchr(nonce, '-');
	g_autofree char *stamp = dash ? g_strndup(nonce, dash - nonce) : NULL;
	g_autofree char *sealed = stamp ? nonce_seal(server, stamp) : NULL;
	gint64 made;

	if (!sealed || strcmp(sealed, nonce) != 0)
		return NONCE_FORGED;
	made = (gint64)g_ascii_strtoull(stamp, NULL, 16);
	return g_get_monotonic_time() - made > NONCE_US ? NONCE_OLD : NONCE_FRESH;
}

static gboolean
nonce_is_old(gpointer key, gpointer value, gpointer user)
{
	return nonce_state(user, key) != NONCE_FRESH;
}

static gboolean
count_is_new(DigestServer *server, const char *nonce, guint64 count)
{
	guint64 last = GPOINTER_TO_SIZE(g_hash_table_lookup(server->used, nonce));

	if (count == 0 || count > G_MAXUINT32 || count <= last)
		return FALSE;
	if (g_hash_table_size(server->used) >= MAX_NONCES)
		g_hash_table_foreach_remove(server->used, nonce_is_old, server);
	if (g_hash_table_size(server->used) >= MAX_NONCES)
		return FALSE;
	g_hash_table_replace(server->used, g_strdup(nonce), GSIZE_TO_POINTER(count));
	return TRUE;
}

static char *
md5(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_MD5, text, -1);
}

char *
digest_response(const char *username, const char *realm, const char *password, const char *method,
		const char *uri, const char *nonce, const char *qop, const char *nc,
		const char *cnonce)
{
	g_autofree char *a1 = g_strdup_printf("%s:%s:%s", username, realm, password);
	g_autofree char *a2 = g_strdup_printf("%s:%s", method, uri);
	g_autofree char *h1 = md5(a1), *h2 = md5(a2);
	g_autofree char *all =
		qop ? g_strdup_printf("%s:%s:%s:%s:%s:%s", h1, nonce, nc, cnonce, qop, h2)
		    : g_strdup_printf("%s:%s:%s", h1, nonce, h2);

	return md5(all);
}

/* The value of name= without its quotes; "" when it is not there. */
static char *
param(const sip_authorization_t *header, const char *name)
{
	const char *value = msg_params_find(header->au_params, name);
	gsize length = value ? strlen(value) : 0;

	if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
		return g_strndup(value + 1, length - 2);
	return g_strdup(value ? value : "");
}

static gboolean
same(const char *one, const char *other)
{
	gsize length = strlen(one);
	guint8 differ = 0;

	if (length != strlen(other))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		differ |= one[i] ^ other[i]; /* in constant time */
	return differ == 0;
}

static gboolean
check_one(DigestServer *server, const sip_t *sip, const sip_authorization_t *header,
	  const char *username, const char *password, gboolean *stale)
{
	g_autofree char *user = param(header, "username="), *realm = param(header, "realm=");
	g_autofree char *nonce = param(header, "nonce="), *uri = param(header, "uri=");
	g_autofree char *qop = param(header, "qop="), *nc = param(header, "nc=");
	g_autofree char *cnonce = param(header, "cnonce="), *theirs = param(header, "response=");
	g_autofree char *ours = NULL;
	NonceState state;

	/* Without qop there is no count, and what was heard could be said again. */
	if (!header->au_scheme || g_ascii_strcasecmp(header->au_scheme, "Digest") != 0 ||
	    strcmp(user, username) != 0 || strcmp(realm, server->realm) != 0 ||
	    strcmp(qop, "auth") != 0)
		return FALSE;
	state = nonce_state(server, nonce);
	if (state == NONCE_FORGED)
		return FALSE;
	ours = digest_response(username, server->realm, password ? password : "",
			       sip->sip_request->rq_method_name, uri, nonce, qop, nc, cnonce);
	if (!same(ours, theirs))
		return FALSE;
	if (state == NONCE_OLD) {
		*stale = TRUE;
		return FALSE;
	}
	return count_is_new(server, nonce, g_ascii_strtoull(nc, NULL, 16));
}

gboolean
digest_server_check(DigestServer *server, const sip_t *sip, const char *username,
		    const char *password, gboolean *stale)
{
	guint n = 0;

	for (const sip_authorization_t *header = sip->sip_authorization; header && n < 8;
	     header = header->au_next, n++)
		if (check_one(server, sip, header, username, password, stale))
			return TRUE;
	return FALSE;
}
