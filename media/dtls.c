/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dtls.c - a DTLS-SRTP handshake: bytes in, bytes and keys out.
 *
 * OpenSSL's memory BIO would glue the records of a flight together; the BIO here
 * hands each write on as one datagram and each read returns one.
 * RFC 5764, RFC 8122, RFC 8842.
 */
#include "media/dtls.h"
#include "media/worker.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define PROFILES	   "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"
#define EXTRACTOR	   "EXTRACTOR-dtls_srtp"
#define LINK_MTU	   1200 /* of RFC 8831 and every WebRTC stack */
#define MTU_OVERHEAD	   48	/* IPv6 and UDP */
#define FIRST_RETRY_US	   100000
#define LONGEST_RETRY_US   1000000
#define KEEP_MS		   240000 /* RFC 6347 4.2.4: twice the life of a segment */
#define CERTIFICATE_PERIOD (30L * 24 * 3600)

struct DtlsContext {
	SSL_CTX *ssl;
	EVP_PKEY *key;
	X509 *certificate;
	BIO_METHOD *datagrams;
	char *fingerprint;
};

typedef enum { DTLS_WAITING, DTLS_SHAKING, DTLS_DONE, DTLS_FAILED } DtlsState;

struct Dtls {
	SSL *ssl; /* NULL: the peer needs nothing more of it */
	DtlsState state;
	DtlsOptions options;
	char *hash, *fingerprint;
	const DtlsEvents *events;
	gpointer user;
	GMainContext *loop;
	GSource *retry, *limit; /* when done, `limit` is that of what is kept */
	const guint8 *in;	/* the datagram being received */
	gsize in_length;
	guint datagrams_in;
};

/* --- the BIO --- */

static int
bio_write(BIO *bio, const char *data, int length)
{
	Dtls *dtls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	dtls->events->send(dtls->user, (const guint8 *)data, (gsize)length);
	return length; /* what is lost on the way is sent again */
}

static int
bio_read(BIO *bio, char *data, int room)
{
	Dtls *dtls = BIO_get_data(bio);
	gsize length = MIN(dtls->in_length, (gsize)room);

	BIO_clear_retry_flags(bio);
	if (!dtls->in) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(data, dtls->in, length);
	dtls->in = NULL; /* a datagram is read at once or not at all */
	return (int)length;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return MTU_OVERHEAD;
	default:
		return 0;
	}
}

static int
bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

/* --- the process's certificate --- */

/* The certificate is compared with the signalled fingerprint, not verified. */
static int
accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static char *
fingerprint_of(X509 *certificate, const EVP_MD *digest)
{
	guint8 bytes[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	GString *text = g_string_new(NULL);

	X509_digest(certificate, digest, bytes, &length);
	for (unsigned int i = 0; i < length; i++)
		g_string_append_printf(text, i ? ":%02X" : "%02X", bytes[i]);
	return g_string_free(text, FALSE);
}

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name;
	guint8 serial[8];

	if (!certificate)
		return NULL;
	name = X509_get_subject_name(certificate);
	for (guint i = 0; i < sizeof serial; i++)
		serial[i] = (guint8)g_random_int();
	serial[0] = 1;
	X509_set_version(certificate, 2);
	ASN1_STRING_set(X509_get_serialNumber(certificate), serial, sizeof serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -24L * 3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_PERIOD);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"WebRTC", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	if (!X509_sign(certificate, key, EVP_sha256()))
		g_clear_pointer(&certificate, X509_free);
	return certificate;
}

static BIO_METHOD *
make_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");

	if (!method)
		return NULL;
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
	BIO_meth_set_create(method, bio_create);
	return method;
}

static gboolean
make_ssl_context(DtlsContext *context)
{
	context->ssl = SSL_CTX_new(DTLS_method());
	if (!context->ssl || !SSL_CTX_set_min_proto_version(context->ssl, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(context->ssl, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") ||
	    SSL_CTX_use_certificate(context->ssl, context->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(context->ssl, context->key) != 1 ||
	    SSL_CTX_set_tlsext_use_srtp(context->ssl, PROFILES) != 0) /* 0 is success */
		return FALSE;
	SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   accept_any);
	SSL_CTX_set_options(context->ssl,
			    SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	return TRUE;
}

DtlsContext *
dtls_context_new(GError **error)
{
	DtlsContext *context = g_new0(DtlsContext, 1);

	context->key = EVP_EC_gen("P-256");
	if (context->key)
		context->certificate = make_certificate(context->key);
	context->datagrams = make_bio_method();
	if (!context->certificate || !context->datagrams || !make_ssl_context(context)) {
		char text[256];

		ERR_error_string_n(ERR_get_error(), text, sizeof text);
		g_set_error(error, g_quark_from_static_string("dtls"), 1,
			    "cannot make the DTLS certificate: %s", text);
		dtls_context_free(context);
		return NULL;
	}
	context->fingerprint = fingerprint_of(context->certificate, EVP_sha256());
	return context;
}

void
dtls_context_free(DtlsContext *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	X509_free(context->certificate);
	EVP_PKEY_free(context->key);
	BIO_meth_free(context->datagrams);
	g_free(context->fingerprint);
	g_free(context);
}

const char *
dtls_context_fingerprint(const DtlsContext *context)
{
	return context->fingerprint;
}

/* --- a handshake --- */

static void
fail(Dtls *dtls, MediaLoss why, const char *text)
{
	dtls->state = DTLS_FAILED;
	worker_clear_timer(&dtls->retry);
	worker_clear_timer(&dtls->limit);
	dtls->events->failed(dtls->user, why, text);
}

/* RFC 8122 section 5: names of hash functions as they stand in a description. */
static const EVP_MD *
digest_of(const char *hash)
{
	static const struct {
		const char *name;
		const EVP_MD *(*digest)(void);
	} digests[] = { { "sha-256", EVP_sha256 },
			{ "sha-1", EVP_sha1 },
			{ "sha-224", EVP_sha224 },
			{ "sha-384", EVP_sha384 },
			{ "sha-512", EVP_sha512 } };

	for (guint i = 0; hash && i < G_N_ELEMENTS(digests); i++)
		if (g_ascii_strcasecmp(hash, digests[i].name) == 0)
			return digests[i].digest();
	return NULL;
}

static gboolean
check_fingerprint(Dtls *dtls)
{
	const EVP_MD *digest = digest_of(dtls->hash);
	X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
	g_autofree char *theirs = NULL;
	g_autofree char *text = NULL;

	if (certificate && digest)
		theirs = fingerprint_of(certificate, digest);
	X509_free(certificate);
	if (theirs && dtls->fingerprint && g_ascii_strcasecmp(theirs, dtls->fingerprint) == 0)
		return TRUE;
	if (!digest)
		text = g_strdup_printf("the peer's fingerprint uses %s, which we do not know",
				       dtls->hash ? dtls->hash : "no hash");
	else
		text = g_strdup_printf("the peer's certificate is %s %s, signalled was %s",
				       dtls->hash, theirs ? theirs : "missing",
				       dtls->fingerprint ? dtls->fingerprint : "nothing");
	fail(dtls, MEDIA_LOST_FINGERPRINT, text);
	return FALSE;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static gboolean
export_keys(Dtls *dtls, SrtpKeys *keys)
{
	SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(dtls->ssl);
	guint8 material[2 * 30];
	gsize salt;
	guint8 *client = dtls->options.client ? keys->send : keys->receive;
	guint8 *server = dtls->options.client ? keys->receive : keys->send;

	if (!profile)
		return FALSE;
	memset(keys, 0, sizeof *keys);
	keys->profile = profile->id == SRTP_AEAD_AES_128_GCM ? SRTP_AEAD_GCM : SRTP_CM_SHA1_80;
	salt = keys->profile == SRTP_AEAD_GCM ? 12 : 14;
	if (SSL_export_keying_material(dtls->ssl, material, 2 * (16 + salt), EXTRACTOR,
				       strlen(EXTRACTOR), NULL, 0, 0) != 1)
		return FALSE;
	memcpy(client, material, 16);
	memcpy(server, material + 16, 16);
	memcpy(client + 16, material + 32, salt);
	memcpy(server + 16, material + 32 + salt, salt);
	OPENSSL_cleanse(material, sizeof material);
	return TRUE;
}

static void
forget(Dtls *dtls)
{
	worker_clear_timer(&dtls->limit);
	g_clear_pointer(&dtls->ssl, SSL_free);
}

static gboolean
on_kept_long_enough(gpointer user)
{
	forget(user);
	return G_SOURCE_REMOVE;
}

/* The last flight is the server's: it may be lost, and the client repeats his. */
static void
keep_or_forget(Dtls *dtls)
{
	guint ms = dtls->options.keep_ms ? dtls->options.keep_ms : KEEP_MS;

	if (dtls->options.client)
		forget(dtls);
	else
		dtls->limit = worker_timer(dtls->loop, ms, on_kept_long_enough, dtls);
}

static void
finish(Dtls *dtls)
{
	SrtpKeys keys;

	if (!check_fingerprint(dtls))
		return;
	if (!export_keys(dtls, &keys)) {
		fail(dtls, MEDIA_LOST_DTLS_REFUSED,
		     "the peer does not agree on a protection profile (use_srtp)");
		return;
	}
	dtls->state = DTLS_DONE;
	worker_clear_timer(&dtls->limit);
	dtls->events->done(dtls->user, &keys);
	OPENSSL_cleanse(&keys, sizeof keys);
	keep_or_forget(dtls);
}

static gboolean on_retry(gpointer user);

static void
schedule_retry(Dtls *dtls)
{
	struct timeval left;

	worker_clear_timer(&dtls->retry);
	if (dtls->state == DTLS_SHAKING && DTLSv1_get_timeout(dtls->ssl, &left))
		dtls->retry =
			worker_timer(dtls->loop, left.tv_sec * 1000 + (left.tv_usec + 999) / 1000,
				     on_retry, dtls);
}

static void
shake(Dtls *dtls)
{
	int result, why;
	char text[256];

	ERR_clear_error();
	result = SSL_do_handshake(dtls->ssl);
	why = SSL_get_error(dtls->ssl, result);
	if (result == 1) {
		worker_clear_timer(&dtls->retry);
		finish(dtls);
	} else if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
		unsigned long error = ERR_get_error();
		const char *reason = ERR_reason_error_string(error);

		g_snprintf(text, sizeof text, "handshake refused: %s",
			   reason ? reason : "connection closed");
		fail(dtls, MEDIA_LOST_DTLS_REFUSED, text);
	} else {
		schedule_retry(dtls);
	}
}

static gboolean
on_retry(gpointer user)
{
	Dtls *dtls = user;

	worker_clear_timer(&dtls->retry);
	/* its own count of timeouts is not our limit: on_limit() is */
	DTLSv1_handle_timeout(dtls->ssl);
	shake(dtls);
	return G_SOURCE_REMOVE;
}

static gboolean
on_limit(gpointer user)
{
	Dtls *dtls = user;
	g_autofree char *text = NULL;

	if (dtls->datagrams_in)
		text = g_strdup_printf("handshake not complete after %u ms; %u datagrams came",
				       dtls->options.timeout_ms, dtls->datagrams_in);
	else
		text = g_strdup_printf("no DTLS from the peer in %u ms; we are the %s",
				       dtls->options.timeout_ms,
				       dtls->options.client ? "client" : "server");
	fail(dtls, dtls->datagrams_in ? MEDIA_LOST_DTLS : MEDIA_LOST_DTLS_SILENT, text);
	return G_SOURCE_REMOVE;
}

static unsigned int
retry_timer(SSL *ssl, unsigned int previous_us)
{
	return previous_us ? MIN(2 * previous_us, LONGEST_RETRY_US) : FIRST_RETRY_US;
}

Dtls *
dtls_new(DtlsContext *context, GMainContext *loop, const DtlsOptions *options,
	 const DtlsEvents *events, gpointer user)
{
	Dtls *dtls = g_new0(Dtls, 1);
	BIO *bio = BIO_new(context->datagrams);

	dtls->options = *options;
	dtls->hash = g_strdup(options->hash);
	dtls->fingerprint = g_strdup(options->fingerprint);
	dtls->events = events;
	dtls->user = user;
	dtls->loop = loop;
	dtls->ssl = SSL_new(context->ssl);
	if (!dtls->ssl || !bio)
		g_error("out of memory in OpenSSL");
	BIO_set_data(bio, dtls);
	SSL_set_bio(dtls->ssl, bio, bio);
	DTLS_set_link_mtu(dtls->ssl, options->link_mtu ? options->link_mtu : LINK_MTU);
	DTLS_set_timer_cb(dtls->ssl, retry_timer);
	if (options->client)
		SSL_set_connect_state(dtls->ssl);
	else
		SSL_set_accept_state(dtls->ssl);
	return dtls;
}

void
dtls_start(Dtls *dtls)
{
	if (dtls->state != DTLS_WAITING)
		return;
	dtls->state = DTLS_SHAKING;
	dtls->limit = worker_timer(dtls->loop, dtls->options.timeout_ms, on_limit, dtls);
	shake(dtls);
}

guint
dtls_heard(const Dtls *dtls)
{
	return dtls ? dtls->datagrams_in : 0;
}

void
dtls_receive(Dtls *dtls, const guint8 *data, gsize length)
{
	guint8 none[64];

	if (dtls->state == DTLS_FAILED || dtls->state == DTLS_WAITING || !dtls->ssl)
		return;
	dtls->datagrams_in++;
	dtls->in = data;
	dtls->in_length = length;
	if (dtls->state == DTLS_SHAKING)
		shake(dtls);
	else
		/* our last flight was lost and the peer repeats his: OpenSSL answers */
		while (SSL_read(dtls->ssl, none, sizeof none) > 0)
			;
	dtls->in = NULL;
}

void
dtls_proven(Dtls *dtls)
{
	if (dtls->state == DTLS_DONE)
		forget(dtls);
}

void
dtls_free(Dtls *dtls)
{
	if (!dtls)
		return;
	worker_clear_timer(&dtls->retry);
	worker_clear_timer(&dtls->limit);
	SSL_free(dtls->ssl);
	g_free(dtls->hash);
	g_free(dtls->fingerprint);
	g_free(dtls);
}
