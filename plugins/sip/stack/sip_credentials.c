/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_credentials.c - the client's side of digest authentication.
 *
 * An auth_client lives as long as its handle and is one realm's.  Its strings
 * are sofia's and go with it.
 */
#define SOFIA_EXTEND_AUTH_CLIENT 1
#include "plugins/sip/stack/sip_credentials.h"
#include <string.h>
#include <sofia-sip/auth_client.h>
#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/url.h>

#define SCHEME "Digest"

typedef struct {
	auth_client_t client; /* first */
	DigestAlgorithm algorithm;
	gboolean session, qop;
	char *realm, *nonce, *opaque; /* opaque may be NULL */
	char cnonce[17];
	guint nc, answers; /* answers: since the challenge that asked for them */
} Credentials;

static const struct {
	const char *name, *session_name;
	GChecksumType type;
} ALGORITHMS[N_DIGESTS] = {
	[DIGEST_MD5] = { "MD5", "MD5-sess", G_CHECKSUM_MD5 },
	[DIGEST_SHA256] = { "SHA-256", "SHA-256-sess", G_CHECKSUM_SHA256 },
};

/* --- arithmetic --- */

static char *hash(DigestAlgorithm algorithm, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *
hash(DigestAlgorithm algorithm, const char *format, ...)
{
	va_list arguments;
	g_autofree char *text = NULL;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return g_compute_checksum_for_string(ALGORITHMS[algorithm].type, text, -1);
}

char *
credentials_response(const DigestQuestion *q)
{
	g_autofree char *secret =
		hash(q->algorithm, "%s:%s:%s", q->username, q->realm, q->password);
	g_autofree char *h1 = q->session ? hash(q->algorithm, "%s:%s:%s", secret, q->nonce,
						q->cnonce ? q->cnonce : "")
					 : g_strdup(secret);
	g_autofree char *h2 = hash(q->algorithm, "%s:%s", q->method, q->uri);

	if (q->nc)
		return hash(q->algorithm, "%s:%s:%s:%s:auth:%s", h1, q->nonce, q->nc, q->cnonce,
			    h2);
	return hash(q->algorithm, "%s:%s:%s", h1, q->nonce, h2);
}

/* --- challenges --- */

static gboolean registered;

/* The value without its quotes, of sofia's memory; NULL when it is not there. */
static char *
param(su_home_t *home, const msg_auth_t *challenge, const char *name)
{
	const char *value = msg_params_find(challenge->au_params, name);
	gsize length = value ? strlen(value) : 0;

	if (!value)
		return NULL;
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
		return su_strndup(home, value + 1, length - 2);
	return su_strdup(home, value);
}

static DigestAlgorithm
algorithm_of(const char *name, gboolean *session)
{
	*session = FALSE;
	if (!name)
		return DIGEST_MD5; /* RFC 7616 3.3 */
	for (DigestAlgorithm i = DIGEST_MD5; i < N_DIGESTS; i++) {
		*session = g_ascii_strcasecmp(name, ALGORITHMS[i].session_name) == 0;
		if (*session || g_ascii_strcasecmp(name, ALGORITHMS[i].name) == 0)
			return i;
	}
	return DIGEST_NONE;
}

/* qop="auth,auth-int": is "auth" one of them? */
static gboolean
offers_auth(const char *qop)
{
	g_auto(GStrv) words = g_strsplit_set(qop, "\", \t", -1);

	for (char **word = words; *word; word++)
		if (g_ascii_strcasecmp(*word, "auth") == 0)
			return TRUE;
	return FALSE;
}

gboolean
credentials_can_answer(const sip_www_authenticate_t *challenge)
{
	const char *given = msg_params_find(challenge->au_params, "algorithm=");
	const char *qop = msg_params_find(challenge->au_params, "qop=");
	g_autofree char *name = g_strdup(given);
	DigestAlgorithm algorithm;
	gboolean session;

	if (name)
		g_strstrip(g_strdelimit(name, "\"", ' '));
	algorithm = algorithm_of(name, &session);
	return challenge->au_scheme && g_ascii_strcasecmp(challenge->au_scheme, SCHEME) == 0 &&
	       (registered ? algorithm != DIGEST_NONE : algorithm == DIGEST_MD5 && !session) &&
	       (!qop || offers_auth(qop));
}

static void
forget(Credentials *own)
{
	su_home_t *home = own->client.ca_home;

	su_free(home, own->realm);
	su_free(home, own->nonce);
	su_free(home, own->opaque);
	own->realm = own->nonce = own->opaque = NULL;
	own->nc = 0;
}

/* 2: the request is to be sent again; 1: nothing new; never -1, which would
 * leave the other challenges of the response unread. */
static int
on_challenge(auth_client_t *client, const msg_auth_t *challenge)
{
	Credentials *own = (Credentials *)client;
	su_home_t *home = client->ca_home;
	char *name = param(home, challenge, "algorithm="), *qop = param(home, challenge, "qop=");
	char *nonce = param(home, challenge, "nonce="), *stale = param(home, challenge, "stale=");
	gboolean session;
	DigestAlgorithm algorithm = algorithm_of(name, &session);
	gboolean usable =
		algorithm >= MAX(own->algorithm, DIGEST_MD5) && nonce && (!qop || offers_auth(qop));
	/* Asked again at once the password was wrong; asked again later the nonce
	 * was used up, whether the server says stale=true or not. */
	gboolean again = own->answers > 1 || (stale && g_ascii_strcasecmp(stale, "true") == 0);
	int changed = 1;

	if (usable) {
		if (again || algorithm > own->algorithm) {
			changed = 2;
			own->answers = 0;
		}
		forget(own);
		own->algorithm = algorithm;
		own->session = session;
		own->qop = qop != NULL;
		own->realm = param(home, challenge, "realm=");
		own->nonce = su_strdup(home, nonce);
		own->opaque = param(home, challenge, "opaque=");
		g_snprintf(own->cnonce, sizeof own->cnonce, "%08x%08x", g_random_int(),
			   g_random_int());
	}
	su_free(home, name);
	su_free(home, qop);
	su_free(home, nonce);
	su_free(home, stale);
	return changed;
}

/* --- answers --- */

static int
authorize(auth_client_t *client, su_home_t *home, char const *method, url_t const *url,
	  msg_payload_t const *body, msg_header_t **headers)
{
	Credentials *own = (Credentials *)client;
	char *uri = url_as_string(home, url);
	char nc[9];
	DigestQuestion question = { own->algorithm,
				    own->session,
				    client->ca_user,
				    own->realm,
				    client->ca_pass,
				    method,
				    uri,
				    own->nonce,
				    own->qop ? nc : NULL,
				    own->qop || own->session ? own->cnonce : NULL };
	g_autofree char *response = NULL;
	g_autoptr(GString) text = g_string_new(SCHEME);

	*headers = NULL;
	if (own->algorithm == DIGEST_NONE || !client->ca_user || !client->ca_pass ||
	    client->ca_clear || !uri || !own->realm || !own->nonce)
		return 0;
	own->answers++;
	g_snprintf(nc, sizeof nc, "%08x", ++own->nc);
	response = credentials_response(&question);
	g_string_append_printf(text,
			       " username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
			       "response=\"%s\", algorithm=%s",
			       client->ca_user, own->realm, own->nonce, uri, response,
			       own->session ? ALGORITHMS[own->algorithm].session_name
					    : ALGORITHMS[own->algorithm].name);
	if (own->opaque)
		g_string_append_printf(text, ", opaque=\"%s\"", own->opaque);
	if (question.cnonce)
		g_string_append_printf(text, ", cnonce=\"%s\"", own->cnonce);
	if (own->qop)
		g_string_append_printf(text, ", qop=auth, nc=%s", nc);
	*headers = msg_header_make(home, client->ca_credential_class, text->str);
	return *headers ? 0 : -1;
}

/* Authentication-Info: nextnonce (RFC 7616 3.5). */
static int
on_info(auth_client_t *client, const msg_auth_info_t *info)
{
	Credentials *own = (Credentials *)client;
	const char *next = msg_params_find(info->ai_params, "nextnonce=");
	gsize length = next ? strlen(next) : 0;

	if (length < 3 || next[0] != '"' || next[length - 1] != '"')
		return 0;
	su_free(client->ca_home, own->nonce);
	own->nonce = su_strndup(client->ca_home, next + 1, length - 2);
	own->nc = 0;
	return 1;
}

static int
clear(auth_client_t *client)
{
	client->ca_clear = 1;
	return 1;
}

/* --- our place in sofia's list --- */

static auth_client_plugin_t plugin = {
	.auc_plugin_size = sizeof plugin,
	.auc_size = sizeof(Credentials),
	.auc_challenge = on_challenge,
	.auc_authorize = authorize,
	.auc_info = on_info,
	.auc_clear = clear,
	.auc_save_credentials = auth_client_save_credentials,
	.auc_copy_credentials = auth_client_copy_credentials,
};

static gboolean
is_ours(void)
{
	su_home_t *home = su_home_new(sizeof *home);
	auth_client_t *list = NULL;
	sip_www_authenticate_t *challenge = sip_www_authenticate_make(
		home, SCHEME " realm=\"a\", nonce=\"b\", algorithm=SHA-256, qop=\"auth\"");
	gboolean ours =
		auc_challenge(&list, home, (msg_auth_t *)challenge, sip_authorization_class) >= 0 &&
		list && list->ca_auc == &plugin;

	su_home_unref(home);
	return ours;
}

/* 1.12.11 compares the names the wrong way round and replaces the first scheme of
 * ANOTHER name; that one is its own digest.  Later versions do what they say. */
gboolean
credentials_register(void)
{
	plugin.auc_name = SCHEME;
	if (!is_ours())
		auc_register_plugin(&plugin);
	if (!is_ours()) {
		plugin.auc_name = "other";
		auc_register_plugin(&plugin);
		plugin.auc_name = SCHEME;
	}
	registered = is_ours();
	return registered;
}
