/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* srtp.c - protect and unprotect RTP and RTCP in place.
 *
 * The two parts given to libsrtp: AES in counter mode (RFC 3711 4.1.1) on
 * EVP_aes_128_ctr, keyed once and given a counter per packet, and HMAC-SHA1
 * (RFC 2104) on two SHA-1 states that have already swallowed the padded key.
 */
#define OPENSSL_API_COMPAT 0x10101000L /* the SHA1_ functions: the EVP ones allocate per packet */
#include "media/srtp.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>
#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

#define KEY_LENGTH	16
#define SALT_LENGTH	14
#define REPLAY_WINDOW	1024
#define SHA1_BLOCK	64
#define SHA1_TAG_LENGTH 20

/* A Protection is libsrtp's session and nothing around it: one cache line less. */
static srtp_t
session_of(Protection *protection)
{
	return (srtp_t)(void *)protection;
}

/* --- AES-ICM --- */

typedef struct {
	EVP_CIPHER_CTX *context;
	guint8 offset[16]; /* salt, and two bytes for the block counter */
} Icm;

static const srtp_cipher_type_t icm_type;
static EVP_CIPHER *aes_ctr; /* fetched once: fetching takes a lock */

static srtp_err_status_t
icm_alloc(srtp_cipher_pointer_t *made, int key_length, int tag_length)
{
	srtp_cipher_t *cipher;
	Icm *icm;

	if (key_length != KEY_LENGTH + SALT_LENGTH)
		return srtp_err_status_bad_param;
	cipher = g_new0(srtp_cipher_t, 1);
	icm = g_new0(Icm, 1);
	icm->context = EVP_CIPHER_CTX_new();
	if (!icm->context) {
		g_free(icm);
		g_free(cipher);
		return srtp_err_status_alloc_fail;
	}
	cipher->type = &icm_type;
	cipher->state = icm;
	cipher->key_len = key_length;
	cipher->algorithm = SRTP_AES_ICM_128;
	*made = cipher;
	return srtp_err_status_ok;
}

static srtp_err_status_t
icm_dealloc(srtp_cipher_pointer_t cipher)
{
	Icm *icm = cipher->state;

	EVP_CIPHER_CTX_free(icm->context);
	OPENSSL_cleanse(icm, sizeof *icm);
	g_free(icm);
	g_free(cipher);
	return srtp_err_status_ok;
}

static srtp_err_status_t
icm_init(void *state, const uint8_t *key)
{
	Icm *icm = state;

	memset(icm->offset, 0, sizeof icm->offset);
	memcpy(icm->offset, key + KEY_LENGTH, SALT_LENGTH);
	if (EVP_EncryptInit_ex(icm->context, aes_ctr, NULL, key, NULL) != 1)
		return srtp_err_status_init_fail;
	return srtp_err_status_ok;
}

static srtp_err_status_t
icm_set_iv(void *state, uint8_t *iv, srtp_cipher_direction_t direction)
{
	Icm *icm = state;
	guint8 counter[16];

	for (guint i = 0; i < sizeof counter; i++)
		counter[i] = icm->offset[i] ^ iv[i];
	if (EVP_EncryptInit_ex(icm->context, NULL, NULL, NULL, counter) != 1)
		return srtp_err_status_cipher_fail;
	return srtp_err_status_ok;
}

static srtp_err_status_t
icm_crypt(void *state, uint8_t *bytes, unsigned int *length)
{
	Icm *icm = state;
	int done = 0;

	if (EVP_EncryptUpdate(icm->context, bytes, &done, bytes, (int)*length) != 1)
		return srtp_err_status_cipher_fail;
	return srtp_err_status_ok;
}

/* RFC 3711 appendix B.2: the library refuses a replacement that fails this. */
static const guint8 b2_key[KEY_LENGTH + SALT_LENGTH] = {
	0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f,
	0x3c, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd
};
static guint8 b2_index[16];
static const guint8 b2_plain[32];
static const guint8 b2_keystream[32] = { 0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80,
					 0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
					 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7,
					 0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab };
static const srtp_cipher_test_case_t icm_vector = {
	.key_length_octets = sizeof b2_key,
	.key = b2_key,
	.idx = b2_index,
	.plaintext_length_octets = sizeof b2_plain,
	.plaintext = b2_plain,
	.ciphertext_length_octets = sizeof b2_keystream,
	.ciphertext = b2_keystream,
};

static const srtp_cipher_type_t icm_type = {
	.alloc = icm_alloc,
	.dealloc = icm_dealloc,
	.init = icm_init,
	.encrypt = icm_crypt,
	.decrypt = icm_crypt,
	.set_iv = icm_set_iv,
	.description = "AES-128 counter mode on OpenSSL",
	.test_data = &icm_vector,
	.id = SRTP_AES_ICM_128,
};

/* --- HMAC-SHA1 --- */

typedef struct {
	SHA_CTX inner, outer; /* after the padded key */
	SHA_CTX running;
} Hmac;

static const srtp_auth_type_t hmac_type;

static srtp_err_status_t
hmac_alloc(srtp_auth_pointer_t *made, int key_length, int tag_length)
{
	srtp_auth_t *auth;

	if (key_length < 0 || key_length > SHA1_BLOCK || tag_length < 0 ||
	    tag_length > SHA1_TAG_LENGTH)
		return srtp_err_status_bad_param;
	auth = g_new0(srtp_auth_t, 1);
	auth->type = &hmac_type;
	auth->state = g_new0(Hmac, 1);
	auth->key_len = key_length;
	auth->out_len = tag_length;
	*made = auth;
	return srtp_err_status_ok;
}

static srtp_err_status_t
hmac_dealloc(srtp_auth_pointer_t auth)
{
	OPENSSL_cleanse(auth->state, sizeof(Hmac));
	g_free(auth->state);
	g_free(auth);
	return srtp_err_status_ok;
}

static void
absorb_key(SHA_CTX *sha, const guint8 *key, int length, guint8 pad)
{
	guint8 block[SHA1_BLOCK];

	memset(block, pad, sizeof block);
	for (int i = 0; i < length; i++)
		block[i] ^= key[i];
	SHA1_Init(sha);
	SHA1_Update(sha, block, sizeof block);
	OPENSSL_cleanse(block, sizeof block);
}

static srtp_err_status_t
hmac_init(void *state, const uint8_t *key, int length)
{
	Hmac *hmac = state;

	absorb_key(&hmac->inner, key, length, 0x36);
	absorb_key(&hmac->outer, key, length, 0x5c);
	hmac->running = hmac->inner;
	return srtp_err_status_ok;
}

static srtp_err_status_t
hmac_start(void *state)
{
	Hmac *hmac = state;

	hmac->running = hmac->inner;
	return srtp_err_status_ok;
}

static srtp_err_status_t
hmac_update(void *state, const uint8_t *bytes, int length)
{
	SHA1_Update(&((Hmac *)state)->running, bytes, length);
	return srtp_err_status_ok;
}

static srtp_err_status_t
hmac_compute(void *state, const uint8_t *bytes, int length, int tag_length, uint8_t *tag)
{
	Hmac *hmac = state;
	SHA_CTX outer = hmac->outer;
	guint8 digest[SHA1_TAG_LENGTH];

	if (tag_length > SHA1_TAG_LENGTH)
		return srtp_err_status_bad_param;
	SHA1_Update(&hmac->running, bytes, length);
	SHA1_Final(digest, &hmac->running);
	SHA1_Update(&outer, digest, sizeof digest);
	SHA1_Final(digest, &outer);
	memcpy(tag, digest, tag_length);
	return srtp_err_status_ok;
}

/* RFC 2202 section 3, case 1. */
static const guint8 rfc2202_key[20] = {
	0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
	0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b
};
static const guint8 rfc2202_data[8] = { 'H', 'i', ' ', 'T', 'h', 'e', 'r', 'e' };
static const guint8 rfc2202_tag[20] = {
	0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b,
	0xc0, 0xb6, 0xfb, 0x37, 0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00
};
static const srtp_auth_test_case_t hmac_vector = {
	.key_length_octets = sizeof rfc2202_key,
	.key = rfc2202_key,
	.data_length_octets = sizeof rfc2202_data,
	.data = rfc2202_data,
	.tag_length_octets = sizeof rfc2202_tag,
	.tag = rfc2202_tag,
};

static const srtp_auth_type_t hmac_type = {
	.alloc = hmac_alloc,
	.dealloc = hmac_dealloc,
	.init = hmac_init,
	.compute = hmac_compute,
	.update = hmac_update,
	.start = hmac_start,
	.description = "HMAC-SHA1 on OpenSSL",
	.test_data = &hmac_vector,
	.id = SRTP_HMAC_SHA1,
};

/* --- setup --- */

static srtp_err_status_t setup_status = srtp_err_status_fail;

static void
setup_once(void)
{
	setup_status = srtp_init();
	aes_ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	if (!aes_ctr)
		setup_status = srtp_err_status_init_fail;
	if (setup_status == srtp_err_status_ok)
		setup_status = srtp_replace_cipher_type(&icm_type, SRTP_AES_ICM_128);
	if (setup_status == srtp_err_status_ok)
		setup_status = srtp_replace_auth_type(&hmac_type, SRTP_HMAC_SHA1);
}

gboolean
protection_setup(GError **error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, setup_once);
	if (setup_status == srtp_err_status_ok)
		return TRUE;
	g_set_error(error, g_quark_from_static_string("srtp"), setup_status,
		    "libsrtp2 cannot be used: its self test with our AES-CM and HMAC-SHA1 ended "
		    "with status %d",
		    setup_status);
	return FALSE;
}

/* --- sessions --- */

const char *
srtp_profile_text(SrtpProfile profile)
{
	return profile == SRTP_AEAD_GCM	    ? "SRTP_AEAD_AES_128_GCM"
	       : profile == SRTP_CM_SHA1_32 ? "SRTP_AES128_CM_SHA1_32"
					    : "SRTP_AES128_CM_SHA1_80";
}

/* What stands beside a session whose packets have an MKI. */
static guint8 with_mki;

static srtp_t
session_new(srtp_policy_t *policy, SrtpProfile profile)
{
	srtp_t session;

	srtp_crypto_policy_set_from_profile_for_rtp(&policy->rtp, (srtp_profile_t)profile);
	srtp_crypto_policy_set_from_profile_for_rtcp(&policy->rtcp, (srtp_profile_t)profile);
	return srtp_create(&session, policy) == srtp_err_status_ok ? session : NULL;
}

Protection *
protection_new(SrtpProfile profile, const guint8 *key_and_salt, gboolean sending)
{
	guint8 key[KEY_LENGTH + SALT_LENGTH];
	srtp_policy_t policy = { .window_size = REPLAY_WINDOW, .key = key };
	srtp_t session;

	memcpy(key, key_and_salt, sizeof key);
	policy.ssrc.type = sending ? ssrc_any_outbound : ssrc_any_inbound;
	session = session_new(&policy, profile);
	OPENSSL_cleanse(key, sizeof key);
	return (Protection *)(void *)session;
}

Protection *
protection_new_with_mki(SrtpProfile profile, const guint8 *key_and_salt, const guint8 *mki,
			gsize mki_length)
{
	guint8 key[KEY_LENGTH + SALT_LENGTH];
	g_autofree guint8 *id = g_memdup2(mki, mki_length);
	srtp_master_key_t master = { .key = key, .mki_id = id, .mki_size = (guint)mki_length };
	srtp_master_key_t *keys[] = { &master };
	srtp_policy_t policy = { .window_size = REPLAY_WINDOW,
				 .keys = keys,
				 .num_master_keys = G_N_ELEMENTS(keys) };
	srtp_t session;

	memcpy(key, key_and_salt, sizeof key);
	policy.ssrc.type = ssrc_any_inbound;
	session = session_new(&policy, profile);
	if (session)
		srtp_set_user_data(session, &with_mki);
	OPENSSL_cleanse(key, sizeof key);
	return (Protection *)(void *)session;
}

void
protection_free(Protection *protection)
{
	if (protection)
		srtp_dealloc(session_of(protection));
}

typedef srtp_err_status_t (*SessionFunc)(srtp_t session, void *packet, int *length);

static inline ProtectionResult
apply(SessionFunc func, Protection *protection, guint8 *packet, gsize *length)
{
	int bytes = (int)*length;
	srtp_err_status_t status = func(session_of(protection), packet, &bytes);

	if (G_UNLIKELY(status != srtp_err_status_ok))
		return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old
			       ? PROTECTION_REPLAY
			       : PROTECTION_BAD;
	*length = (gsize)bytes;
	return PROTECTION_OK;
}

static srtp_err_status_t
unprotect(srtp_t session, void *packet, int *length)
{
	return srtp_unprotect_mki(session, packet, length, srtp_get_user_data(session) != NULL);
}

static srtp_err_status_t
unprotect_rtcp(srtp_t session, void *packet, int *length)
{
	return srtp_unprotect_rtcp_mki(session, packet, length,
				       srtp_get_user_data(session) != NULL);
}

ProtectionResult
protection_protect(Protection *protection, guint8 *packet, gsize *length)
{
	return apply(srtp_protect, protection, packet, length);
}

ProtectionResult
protection_unprotect(Protection *protection, guint8 *packet, gsize *length)
{
	return apply(unprotect, protection, packet, length);
}

ProtectionResult
protection_protect_rtcp(Protection *protection, guint8 *packet, gsize *length)
{
	return apply(srtp_protect_rtcp, protection, packet, length);
}

ProtectionResult
protection_unprotect_rtcp(Protection *protection, guint8 *packet, gsize *length)
{
	return apply(unprotect_rtcp, protection, packet, length);
}
