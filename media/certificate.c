/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* certificate.c - see certificate.h. */
#define _DEFAULT_SOURCE /* timegm() */
#include <time.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "media/certificate.h"

/* OpenSSL would ask the terminal for the word that opens a key. */
static int
no_word(char *word, int size, int is_writing, void *user)
{
	return -1;
}

static BIO *
open_file(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize length;
	BIO *bio;

	if (!g_file_get_contents(path, &text, &length, error) || length > G_MAXINT)
		return NULL;
	bio = BIO_new(BIO_s_mem());
	if (bio && BIO_write(bio, text, (int)length) != (int)length)
		g_clear_pointer(&bio, BIO_free);
	return bio;
}

static gint64
seconds_of(const ASN1_TIME *time)
{
	struct tm parts;

	return ASN1_TIME_to_tm(time, &parts) == 1 ? (gint64)timegm(&parts) : 0;
}

static CertificateState
look(X509 *certificate, EVP_PKEY *key, gint64 now, CertificateFacts *facts)
{
	if (!certificate)
		return CERTIFICATE_NOT_PEM;
	if (!key)
		return CERTIFICATE_NO_KEY;
	if (X509_check_private_key(certificate, key) != 1)
		return CERTIFICATE_OTHERS_KEY;
	facts->since = seconds_of(X509_get0_notBefore(certificate));
	facts->until = seconds_of(X509_get0_notAfter(certificate));
	return now < facts->since   ? CERTIFICATE_EARLY
	       : now > facts->until ? CERTIFICATE_EXPIRED
				    : CERTIFICATE_GOOD;
}

CertificateState
certificate_look(const char *file, const char *key_file, gint64 now, CertificateFacts *facts)
{
	X509 *certificate;
	EVP_PKEY *key;
	CertificateState state;
	BIO *one, *other;

	*facts = (CertificateFacts){ 0 };
	one = open_file(file, &facts->error);
	other = one ? open_file(key_file ? key_file : file, &facts->error) : NULL;
	certificate = one ? PEM_read_bio_X509(one, NULL, no_word, NULL) : NULL;
	key = other ? PEM_read_bio_PrivateKey(other, NULL, no_word, NULL) : NULL;
	state = look(certificate, key, now, facts);
	ERR_clear_error();
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(one);
	BIO_free(other);
	return state;
}
