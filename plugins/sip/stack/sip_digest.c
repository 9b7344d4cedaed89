/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_digest.c - the server's side of digest authentication.
 *
 * A nonce is "<when, hex>.<serial, hex>-<HMAC>", so a stranger's challenge costs us no
 * memory.  Only nonces that a right password has used are remembered, with the highest
 * count seen, a few of each account: when they are more, the oldest goes, and with it
 * all that are as old for this account.  So nothing heard can be said again, and an
 * account that uses up thousands takes no place of another's.
 * Thread: signalling.
 */
#include "plugins/sip/stack/sip_digest.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/url.h>

#define NONCE_US     (60 * G_USEC_PER_SEC)
#define MAX_NONCES   16 /* of one account that are in use; a phone has one or two */
#define MAX_HEADERS  8	/* of one request that are looked at */
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
	GHashTable *accounts; /* user name → Account *, of those that proved a password */
};

typedef struct {
	gint64 made;
	guint64 serial;
	guint64 count; /* the highest nc seen */
} Used;

typedef struct {
	Used used[MAX_NONCES];
	guint n;
	guint64 floor; /* serials up to this one are too old, unless they are in `used` */
} Account;

DigestServer *
digest_server_new(const char *realm)
{
	DigestServer *server = g_new0(DigestServer, 1);

	server->realm = g_strdup(realm);
	/* Never short for so few bytes (getrandom(2)). */
	if (getrandom(server->secret, SECRET_BYTES, 0) != SECRET_BYTES)
		g_error("getrandom: %s", g_strerror(errno));
	server->accounts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	server->serial = 1;
	return server;
}

void
digest_server_free(DigestServer *server)
{
	if (!server)
		return;
	g_hash_table_unref(server->accounts);
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

static gboolean
is_old(const Used *nonce)
{
	return g_get_monotonic_time() - nonce->made > NONCE_US;
}

/* FALSE: it is none of ours, or too old. */
static gboolean
read_nonce(const DigestServer *server, const char *nonce, Used *read)
{
	const char *dash = strchr(nonce, '-');
	g_autofree char *stamp = dash ? g_strndup(nonce, dash - nonce) : NULL;
	g_autofree char *sealed = stamp ? nonce_seal(server, stamp) : NULL;
	char *end;

	if (!sealed || strcmp(sealed, nonce) != 0)
		return FALSE;
	*read = (Used){ .made = (gint64)g_ascii_strtoull(stamp, &end, 16) };
	read->serial = *end == '.' ? g_ascii_strtoull(end + 1, NULL, 16) : 0;
	return !is_old(read);
}

static void
forget_old(Account *account)
{
	guint kept = 0;

	for (guint i = 0; i < account->n; i++)
		if (!is_old(&account->used[i]))
			account->used[kept++] = account->used[i];
	account->n = kept;
}

static gboolean
account_is_idle(gpointer key, gpointer value, gpointer user)
{
	Account *account = value;

	forget_old(account);
	return account->n == 0;
}

/* The floor of an account may go with it: what was below it is too old by now, since the
 * nonces above it are. */
void
digest_server_sweep(DigestServer *server)
{
	g_hash_table_foreach_remove(server->accounts, account_is_idle, NULL);
}

guint
digest_server_places(const DigestServer *server)
{
	GHashTableIter iter;
	gpointer account;
	guint n = 0;

	g_hash_table_iter_init(&iter, server->accounts);
	while (g_hash_table_iter_next(&iter, NULL, &account))
		n += ((Account *)account)->n;
	return n;
}

static Account *
account_of(DigestServer *server, const char *username)
{
	Account *account = g_hash_table_lookup(server->accounts, username);

	if (!account) {
		account = g_new0(Account, 1);
		g_hash_table_insert(server->accounts, g_strdup(username), account);
	}
	forget_old(account);
	return account;
}

static void
forget_oldest(Account *account)
{
	guint oldest = 0;

	for (guint i = 1; i < account->n; i++)
		if (account->used[i].serial < account->used[oldest].serial)
			oldest = i;
	account->floor = MAX(account->floor, account->used[oldest].serial);
	account->used[oldest] = account->used[--account->n];
}

static gboolean
count_is_new(DigestServer *server, const char *username, const Used *nonce)
{
	Account *account = account_of(server, username);

	if (nonce->count == 0 || nonce->count > G_MAXUINT32)
		return FALSE;
	for (guint i = 0; i < account->n; i++) {
		Used *used = &account->used[i];

		if (used->serial != nonce->serial)
			continue;
		if (nonce->count <= used->count)
			return FALSE;
		used->count = nonce->count;
		return TRUE;
	}
	if (nonce->serial <= account->floor)
		return FALSE;
	if (account->n == MAX_NONCES)
		forget_oldest(account);
	if (nonce->serial <= account->floor)
		return FALSE;
	account->used[account->n++] = *nonce;
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
judge_nonce(DigestServer *server, const char *username, const char *nonce, const char *nc)
{
	Used used;

	if (!read_nonce(server, nonce, &used))
		return DIGEST_STALE;
	used.count = g_ascii_strtoull(nc, NULL, 16);
	return count_is_new(server, username, &used) ? DIGEST_RIGHT : DIGEST_STALE;
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
	return same(ours, theirs) ? judge_nonce(server, user, nonce, nc) : DIGEST_WRONG;
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

DigestAlgorithm
digest_server_algorithm(const DigestServer *server, const sip_t *sip)
{
	const sip_authorization_t *lists[] = { sip->sip_authorization,
					       sip->sip_proxy_authorization };
	DigestAlgorithm algorithm;
	guint n = 0;

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const sip_authorization_t *header = lists[i]; header && n < MAX_HEADERS;
		     header = header->au_next, n++)
			if (is_ours(server, header))
				return find_algorithm(header, &algorithm) ? algorithm : DIGEST_NONE;
	return DIGEST_NONE;
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
