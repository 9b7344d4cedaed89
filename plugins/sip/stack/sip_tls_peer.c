/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tls_peer.c - whom a TLS connection of ours must have reached, and why it has not. */
#include "plugins/sip/stack/sip_tls_peer.h"
#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LABEL_END ".trunk.invalid" /* RFC 2606 2: no such name is ever there */
#define MAX_NAMES 4		   /* of a certificate that are told */
#define MAX_NAME  256
#define MAX_DEPTH 9

struct TlsPeer {
	char *label, *name, *ca_file;
	gboolean verify, waiting;
	char *problem;
};

static char *
bare_name(const char *name)
{
	gsize length = strlen(name);

	if (length > 2 && name[0] == '[' && name[length - 1] == ']')
		return g_strndup(name + 1, length - 2);
	return g_strndup(name, length > 1 && name[length - 1] == '.' ? length - 1 : length);
}

/* --- names in certificates --- */

/* "sip:example.org" is a name of a domain; with a user it is a person's (RFC 5922 7.1). */
static char *
host_of_uri(const char *uri)
{
	const char *host = uri + strlen("sip:");

	if (g_ascii_strncasecmp(uri, "sip:", strlen("sip:")) != 0 || strchr(host, '@'))
		return NULL;
	return g_strndup(host, strcspn(host, ":;?"));
}

/* A name with a NUL or a control character in it is nobody's. */
static char *
text_of(const ASN1_STRING *string)
{
	const char *data = (const char *)ASN1_STRING_get0_data(string);
	gsize length = (gsize)ASN1_STRING_length(string);

	if (length == 0 || length > MAX_NAME)
		return NULL;
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isgraph(data[i]))
			return NULL;
	return g_strndup(data, length);
}

/* char *, owned: of the domains, as DNS names or as URIs. */
static GPtrArray *
names_of(X509 *certificate, int type)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		g_autofree char *text =
			name->type == type && (type == GEN_DNS || type == GEN_URI)
				? text_of(type == GEN_DNS ? name->d.dNSName
							  : name->d.uniformResourceIdentifier)
				: NULL;

		if (text && type == GEN_URI) {
			char *host = host_of_uri(text);

			g_free(text);
			text = host;
		}
		if (text)
			g_ptr_array_add(found, g_steal_pointer(&text));
	}
	GENERAL_NAMES_free(names);
	return found;
}

gboolean
tls_peer_certificate_is_for(X509 *certificate, const char *name)
{
	g_autofree char *bare = bare_name(name);
	g_autoptr(GPtrArray) uris = names_of(certificate, GEN_URI);
	unsigned int flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	for (guint i = 0; i < uris->len; i++)
		if (g_ascii_strcasecmp(uris->pdata[i], bare) == 0)
			return TRUE;
	if (g_hostname_is_ip_address(bare))
		return X509_check_ip_asc(certificate, bare, 0) == 1;
	if (uris->len > 0) /* the subject counts when nothing else says a domain */
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	return X509_check_host(certificate, bare, 0, flags, NULL) == 1;
}

static char *
common_name(X509 *certificate)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at < 0 ? NULL : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

char *
tls_peer_certificate_names(X509 *certificate)
{
	g_autoptr(GPtrArray) names = names_of(certificate, GEN_DNS);
	g_autoptr(GPtrArray) uris = names_of(certificate, GEN_URI);
	GString *text = g_string_new(NULL);
	guint told;

	g_ptr_array_extend_and_steal(names, g_steal_pointer(&uris));
	if (names->len == 0) {
		char *name = common_name(certificate);

		g_ptr_array_add(names, name ? name : g_strdup("no name at all"));
	}
	told = MIN(names->len, MAX_NAMES);
	for (guint i = 0; i < told; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", (char *)names->pdata[i]);
	if (told < names->len)
		g_string_append_printf(text, " and %u more", names->len - told);
	return g_string_free(text, FALSE);
}

/* --- a peer --- */

TlsPeer *
tls_peer_new(const TlsPeerSettings *settings)
{
	TlsPeer *peer = g_rc_box_new0(TlsPeer);
	g_autofree char *all = NULL;

	peer->name = bare_name(settings->name);
	peer->verify = settings->verify;
	peer->ca_file =
		settings->ca_file && settings->ca_file[0] ? g_strdup(settings->ca_file) : NULL;
	all = g_strdup_printf("%s %d %s", peer->name, peer->verify,
			      peer->ca_file ? peer->ca_file : "");
	peer->label = g_strdup_printf("%s.%08x" LABEL_END, settings->trunk, g_str_hash(all));
	return peer;
}

TlsPeer *
tls_peer_ref(TlsPeer *peer)
{
	return g_rc_box_acquire(peer);
}

static void
clear(gpointer data)
{
	TlsPeer *peer = data;

	g_free(peer->label);
	g_free(peer->name);
	g_free(peer->ca_file);
	g_free(peer->problem);
}

void
tls_peer_unref(TlsPeer *peer)
{
	if (peer)
		g_rc_box_release_full(peer, clear);
}

const char *
tls_peer_label(const TlsPeer *peer)
{
	return peer->label;
}

char *
tls_peer_trunk_of(const char *label)
{
	return label && g_str_has_suffix(label, LABEL_END) ? g_strndup(label, strcspn(label, "."))
							   : NULL;
}

static void G_GNUC_PRINTF(2, 3) complain(TlsPeer *peer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_free(peer->problem);
	peer->problem = g_strdup_vprintf(format, arguments);
	va_end(arguments);
}

const char *
tls_peer_problem(const TlsPeer *peer)
{
	if (!peer->problem && peer->waiting)
		return "the server does not answer the TLS handshake: nothing listens at its port, "
		       "or it is no TLS port";
	return peer->problem;
}

/* --- handshakes --- */

static int
tls_peer_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static char *
time_text(const ASN1_TIME *time)
{
	struct tm fields = { 0 };

	if (ASN1_TIME_to_tm(time, &fields) != 1)
		return g_strdup("an unknown day");
	return g_strdup_printf("%04d-%02d-%02d", fields.tm_year + 1900, fields.tm_mon + 1,
			       fields.tm_mday);
}

static char *
issuer_of(X509 *certificate)
{
	char text[MAX_NAME] = "";

	X509_NAME_oneline(X509_get_issuer_name(certificate), text, sizeof text);
	for (char *at = text; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = '_';
	return g_strdup(text);
}

static void
explain(TlsPeer *peer, int error, X509 *certificate)
{
	g_autofree char *issuer = certificate ? issuer_of(certificate) : g_strdup("");
	g_autofree char *date = NULL;

	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		date = time_text(X509_get0_notAfter(certificate));
		complain(peer,
			 "the certificate of %s ended on %s; the carrier must renew it, if this "
			 "machine's clock is right",
			 peer->name, date);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		date = time_text(X509_get0_notBefore(certificate));
		complain(peer, "the certificate of %s begins on %s; is this machine's clock right?",
			 peer->name, date);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		complain(
			peer,
			"the certificate of %s is signed by %s, which this machine does not know; "
			"if that is the carrier's authority, give its certificate with tls-ca=FILE",
			peer->name, issuer);
		break;
	default:
		complain(peer,
			 "the certificate of %s is not accepted: %s; the carrier must replace it",
			 peer->name, X509_verify_cert_error_string(error));
	}
}

static int
on_certificate(int good, X509_STORE_CTX *context)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
	TlsPeer *peer = SSL_get_ex_data(ssl, tls_peer_index());
	X509 *certificate = X509_STORE_CTX_get_current_cert(context);
	g_autofree char *names = NULL;

	if (!good)
		explain(peer, X509_STORE_CTX_get_error(context), certificate);
	if (!good || X509_STORE_CTX_get_error_depth(context) > 0 ||
	    tls_peer_certificate_is_for(certificate, peer->name))
		return good;
	names = tls_peer_certificate_names(certificate);
	complain(peer,
		 "the certificate of %s is for %s; set the trunk's host to that name, or ask the "
		 "carrier for the right certificate",
		 peer->name, names);
	X509_STORE_CTX_set_error(context, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

/* Read for each connection: they are few, and the file may have been renewed. */
static X509_STORE *
authorities(TlsPeer *peer)
{
	X509_STORE *store = X509_STORE_new();
	const char *why;

	ERR_clear_error();
	if (store && peer->ca_file && X509_STORE_load_file(store, peer->ca_file) == 1) {
		/* whatever stands in the file is an end of the chain, the carrier's own too */
		X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
		return store;
	}
	if (store && !peer->ca_file && X509_STORE_set_default_paths(store) == 1)
		return store;
	why = ERR_reason_error_string(ERR_peek_error());
	if (peer->ca_file)
		complain(peer,
			 "tls-ca=%s: %s; the file must be PEM, and tandemd must be allowed to read "
			 "it",
			 peer->ca_file, why ? why : "cannot be read");
	else
		complain(peer,
			 "the certificates of the system cannot be read: %s; name a file with "
			 "tls-ca",
			 why ? why : "unknown");
	X509_STORE_free(store);
	ERR_clear_error();
	return NULL;
}

gboolean
tls_peer_prepare(TlsPeer *peer, SSL *ssl)
{
	X509_STORE *store;

	g_clear_pointer(&peer->problem, g_free);
	peer->waiting = TRUE;
	if (!g_hostname_is_ip_address(peer->name))
		SSL_set_tlsext_host_name(ssl, peer->name);
	SSL_set_ex_data(ssl, tls_peer_index(), peer);
	if (!peer->verify) {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return TRUE;
	}
	store = authorities(peer);
	if (!store) {
		peer->waiting = FALSE;
		return FALSE;
	}
	SSL_set1_verify_cert_store(ssl, store);
	X509_STORE_free(store);
	SSL_set_verify_depth(ssl, MAX_DEPTH);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, on_certificate);
	return TRUE;
}

void
tls_peer_reached(TlsPeer *peer)
{
	peer->waiting = FALSE;
	g_clear_pointer(&peer->problem, g_free);
}

void
tls_peer_failed(TlsPeer *peer, const char *why)
{
	const char *said = tls_peer_problem(peer);

	if (!peer->problem && why)
		complain(peer, "the TLS handshake with %s failed: %s; is its port a TLS port?",
			 peer->name, why);
	else if (!peer->problem)
		complain(peer, "%s", said ? said : "the TLS handshake failed");
	peer->waiting = FALSE;
}
