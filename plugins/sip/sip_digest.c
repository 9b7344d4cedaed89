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
#include <sofia-sip/url.h>

#define NONCE_US     (60 * G_USEC_PER_SEC)
#define MAX_NONCES   65536
#define MAX_HEADERS  8 /* of one request that are looked at */
#define SECRET_BYTES 32

static const struct {
	const char *name;
	GChecksumType type;
} ALGORITHMS[N_DIGESTS] = {
	[DIGEST_MD5] = { "MD5", G_CHECKSUM_MD5 },
	[DIGEST_SHA256] = { "SHA-256", G_CHECKSUM_SHA256 },
};

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
digest_server_challenge(DigestServer *server, DigestAlgorithm algorithm, gboolean stale)
{
	g_autofree char *stamp = g_strdup_printf("%" G_GINT64_MODIFIER "x.%" G_GINT64_MODIFIER "x",
						 g_get_monotonic_time(), server->serial++);
	g_autofree char *nonce = nonce_seal(server, stamp);

	return g_strdup_printf("Digest realm=\"%s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s",
			       server->realm, nonce, ALGORITHMS[algorithm].name,
			       stale ? ", stale=true" : "");
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
hash(DigestAlgorithm algorithm, const char *text)
{
	return g_compute_checksum_for_string(ALGORITHMS[algorithm].type, text, -1);
}

/* What of a request goes into response=. */
typedef struct {
	const char *method, *uri, *nonce, *qop, *nc, *cnonce;
} Answered;

static char *
response_for(DigestAlgorithm algorithm, const char *ha1, const Answered *said)
{
	g_autofree char *a2 = g_strdup_printf("%s:%s", said->method, said->uri);
	g_autofree char *ha2 = hash(algorithm, a2);
	g_autofree char *all = said->qop ? g_strdup_printf("%s:%s:%s:%s:%s:%s", ha1, said->nonce,
							   said->nc, said->cnonce, said->qop, ha2)
					 : g_strdup_printf("%s:%s:%s", ha1, said->nonce, ha2);

	return hash(algorithm, all);
}

static char *
ha1_of(const char *username, const char *realm, const char *password)
{
	g_autofree char *a1 = g_strdup_printf("%s:%s:%s", username, realm, password);

	return hash(DIGEST_MD5, a1);
}

char *
digest_response(const char *username, const char *realm, const char *password, const char *method,
		const char *uri, const char *nonce, const char *qop, const char *nc,
		const char *cnonce)
{
	g_autofree char *ha1 = ha1_of(username, realm, password);
	Answered said = { method, uri, nonce, qop, nc, cnonce };

	return response_for(DIGEST_MD5, ha1, &said);
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

/* Without qop there is no count, and what was heard could be said again. */
static gboolean
is_ours(const DigestServer *server, const sip_authorization_t *header)
{
	g_autofree char *realm = param(header, "realm="), *qop = param(header, "qop=");

	return header->au_scheme && g_ascii_strcasecmp(header->au_scheme, "Digest") == 0 &&
	       strcmp(realm, server->realm) == 0 && strcmp(qop, "auth") == 0;
}

static gboolean
find_algorithm(const sip_authorization_t *header, DigestAlgorithm *algorithm)
{
	g_autofree char *name = param(header, "algorithm=");

	for (*algorithm = DIGEST_MD5; *algorithm < N_DIGESTS; ++*algorithm)
		if (g_ascii_strcasecmp(name, ALGORITHMS[*algorithm].name) == 0)
			return TRUE;
	*algorithm = DIGEST_MD5; /* RFC 7616 3.3: when it is not said */
	return !name[0];
}

/* A nonce of before our restart, an old one, one whose count was seen: he knows
 * the password, and need only say so again. */
static DigestVerdict
judge_nonce(DigestServer *server, const char *nonce, const char *nc)
{
	if (nonce_state(server, nonce) != NONCE_FRESH ||
	    !count_is_new(server, nonce, g_ascii_strtoull(nc, NULL, 16)))
		return DIGEST_STALE;
	return DIGEST_RIGHT;
}

/* RFC 7616 3.4.6: an answer is good for what it was made for.  Port and parameters
 * are left to the phone, many of which write the address shorter here. */
static gboolean
is_for(const char *uri, const url_t *asked)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const url_t *said;
	gboolean is;

	su_home_init(home);
	said = url_make(home, uri);
	is = said && g_strcmp0(said->url_user, asked->url_user) == 0 &&
	     g_ascii_strcasecmp(said->url_host ? said->url_host : "",
				asked->url_host ? asked->url_host : "") == 0;
	su_home_deinit(home);
	return is;
}

static DigestVerdict
verify_one(DigestServer *server, const sip_request_t *request, const sip_authorization_t *header,
	   const DigestSecret *secret, DigestAlgorithm *used)
{
	g_autofree char *user = param(header, "username="), *nonce = param(header, "nonce=");
	g_autofree char *uri = param(header, "uri="), *nc = param(header, "nc=");
	g_autofree char *cnonce = param(header, "cnonce="), *theirs = param(header, "response=");
	g_autofree char *ours = NULL;
	DigestAlgorithm algorithm;
	Answered said = { request->rq_method_name, uri, nonce, "auth", nc, cnonce };

	if (!is_ours(server, header) || strcmp(user, secret->username) != 0)
		return DIGEST_ABSENT;
	if (!find_algorithm(header, &algorithm) || !secret->ha1[algorithm] ||
	    !is_for(uri, request->rq_url))
		return DIGEST_WRONG;
	*used = algorithm;
	ours = response_for(algorithm, secret->ha1[algorithm], &said);
	return same(ours, theirs) ? judge_nonce(server, nonce, nc) : DIGEST_WRONG;
}

DigestVerdict
digest_server_verify(DigestServer *server, const sip_t *sip, const DigestSecret *secret,
		     DigestAlgorithm *algorithm)
{
	DigestAlgorithm used = DIGEST_NONE;
	const sip_authorization_t *lists[] = { sip->sip_authorization,
					       sip->sip_proxy_authorization };
	DigestVerdict best = DIGEST_ABSENT;
	guint n = 0;

	if (algorithm)
		*algorithm = DIGEST_NONE;
	for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const sip_authorization_t *header = lists[i]; header && n < MAX_HEADERS;
		     header = header->au_next, n++) {
			DigestVerdict verdict =
				verify_one(server, sip->sip_request, header, secret, &used);

			if (algorithm)
				*algorithm = used;
			if (verdict == DIGEST_RIGHT || verdict == DIGEST_STALE)
				return verdict;
			best = MAX(best, verdict);
		}
	return best;
}

char *
digest_server_username(const DigestServer *server, const sip_t *sip)
{
	const sip_authorization_t *lists[] = { sip->sip_authorization,
					       sip->sip_proxy_authorization };
	guint n = 0;

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const sip_authorization_t *header = lists[i]; header && n < MAX_HEADERS;
		     header = header->au_next, n++)
			if (is_ours(server, header))
				return param(header, "username=");
	return NULL;
}

gboolean
digest_server_check(DigestServer *server, const sip_t *sip, const char *username,
		    const char *password, gboolean *stale)
{
	g_autofree char *ha1 = ha1_of(username, server->realm, password ? password : "");
	DigestSecret secret = { username, { [DIGEST_MD5] = ha1 } };
	DigestVerdict verdict = digest_server_verify(server, sip, &secret, NULL);

	*stale = *stale || verdict == DIGEST_STALE;
	return verdict == DIGEST_RIGHT;
}
