/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* binding.c - STUN Binding messages, as far as consent needs them. */
#include "media/binding.h"
#include "media/bytes.h"
#include <string.h>

#define HEADER	      20
#define MAGIC	      0x2112a442
#define SHA1_BYTES    20
#define FINGERPRINT_X 0x5354554e /* RFC 8489 14.7 */
#define MUST_BE_KNOWN 0x8000	 /* types below it, RFC 8489 14 */

enum {
	ATTRIBUTE_USERNAME = 0x0006,
	ATTRIBUTE_INTEGRITY = 0x0008,
	ATTRIBUTE_ERROR = 0x0009,
	ATTRIBUTE_XOR_MAPPED = 0x0020,
	ATTRIBUTE_PRIORITY = 0x0024,
	ATTRIBUTE_USE_CANDIDATE = 0x0025,
	ATTRIBUTE_FINGERPRINT = 0x8028,
	ATTRIBUTE_CONTROLLED = 0x8029,
	ATTRIBUTE_CONTROLLING = 0x802a
};

void
consent_keys_free(ConsentKeys *keys)
{
	if (!keys)
		return;
	g_free(keys->local_ufrag);
	g_free(keys->local_pwd);
	g_free(keys->remote_ufrag);
	g_free(keys->remote_pwd);
	g_free(keys);
}

/* --- reading --- */

static void
take(Binding *binding, guint type, const guint8 *value, gsize length, gsize at)
{
	switch (type) {
	case ATTRIBUTE_USERNAME:
		binding->username = (const char *)value;
		binding->username_length = length;
		break;
	case ATTRIBUTE_INTEGRITY:
		binding->integrity = length == SHA1_BYTES ? at : 0;
		break;
	case ATTRIBUTE_ERROR:
		if (length >= 4)
			binding->error = (value[2] & 7) * 100 + value[3];
		break;
	case ATTRIBUTE_CONTROLLED:
		binding->controlled = TRUE;
		break;
	case ATTRIBUTE_CONTROLLING:
		binding->controlling = TRUE;
		break;
	case ATTRIBUTE_XOR_MAPPED:
	case ATTRIBUTE_PRIORITY:
	case ATTRIBUTE_USE_CANDIDATE:
		break;
	default:
		binding->unknown |= type < MUST_BE_KNOWN;
		break;
	}
}

gboolean
binding_parse(const guint8 *data, gsize length, Binding *binding)
{
	gsize at = HEADER;

	memset(binding, 0, sizeof *binding);
	if (length < HEADER || length % 4 || get16(data + 2) != length - HEADER ||
	    get32(data + 4) != MAGIC)
		return FALSE;
	binding->type = (BindingType)get16(data);
	if (binding->type != BINDING_REQUEST && binding->type != BINDING_SUCCESS &&
	    binding->type != BINDING_ERROR)
		return FALSE;
	binding->transaction = data + 8;
	/* RFC 8489 14.5: what comes after the integrity is not protected by it */
	while (at + 4 <= length && !binding->integrity) {
		const gsize size = get16(data + at + 2);

		if (size > length - at - 4)
			return FALSE;
		take(binding, get16(data + at), data + at + 4, size, at);
		at += 4 + (size + 3) / 4 * 4;
	}
	return TRUE;
}

static void
sign(const guint8 *data, gsize length, const char *password, guint8 sum[SHA1_BYTES])
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guint8 *)password, strlen(password));
	gsize size = SHA1_BYTES;

	g_hmac_update(hmac, data, (gssize)length);
	g_hmac_get_digest(hmac, sum, &size);
	g_hmac_unref(hmac);
}

gboolean
binding_is_sealed(const guint8 *data, const Binding *binding, const char *password)
{
	guint8 sum[SHA1_BYTES], header[HEADER], difference = 0;
	const guint8 *theirs = data + binding->integrity + 4;
	GHmac *hmac;
	gsize size = sizeof sum;

	if (!binding->integrity)
		return FALSE;
	/* the header of then: as if nothing came after it */
	memcpy(header, data, HEADER);
	put16(header + 2, (guint16)(binding->integrity + 4 + SHA1_BYTES - HEADER));
	hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guint8 *)password, strlen(password));
	g_hmac_update(hmac, header, HEADER);
	g_hmac_update(hmac, data + HEADER, (gssize)(binding->integrity - HEADER));
	g_hmac_get_digest(hmac, sum, &size);
	g_hmac_unref(hmac);
	for (guint i = 0; i < SHA1_BYTES; i++) /* in a time that tells nothing */
		difference |= sum[i] ^ theirs[i];
	return difference == 0;
}

/* --- writing --- */

static gsize
begin(guint8 *data, BindingType type, const guint8 *transaction)
{
	put16(data, type);
	put32(data + 4, MAGIC);
	memcpy(data + 8, transaction, BINDING_TRANSACTION);
	return HEADER;
}

static gsize
put(guint8 *data, gsize at, guint type, const void *value, gsize length)
{
	put16(data + at, (guint16)type);
	put16(data + at + 2, (guint16)length);
	memset(data + at + 4 + length / 4 * 4, 0, (length + 3) / 4 * 4 - length / 4 * 4);
	memcpy(data + at + 4, value, length);
	return at + 4 + (length + 3) / 4 * 4;
}

/* Four bits a step: the table of a whole byte would cost more cache than it saves. */
static guint32
crc32_of(const guint8 *data, gsize length)
{
	static const guint32 table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
					   0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
					   0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
					   0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	guint32 crc = 0xffffffff;

	for (gsize i = 0; i < length; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* RFC 8489 14.5, 14.7: each is made over a length that counts it already. */
static gsize
seal(guint8 *data, gsize at, const char *password)
{
	guint8 sum[SHA1_BYTES], check[4];

	put16(data + 2, (guint16)(at + 4 + SHA1_BYTES - HEADER));
	sign(data, at, password, sum);
	at = put(data, at, ATTRIBUTE_INTEGRITY, sum, sizeof sum);
	put16(data + 2, (guint16)(at + 8 - HEADER));
	put32(check, crc32_of(data, at) ^ FINGERPRINT_X);
	return put(data, at, ATTRIBUTE_FINGERPRINT, check, sizeof check);
}

gsize
binding_request(guint8 data[BINDING_MAX], const guint8 transaction[BINDING_TRANSACTION],
		const ConsentKeys *keys, guint64 tie_breaker)
{
	const guint64 breaker = GUINT64_TO_BE(tie_breaker);
	const guint32 priority = GUINT32_TO_BE(keys->priority);
	const guint role = keys->controlling ? ATTRIBUTE_CONTROLLING : ATTRIBUTE_CONTROLLED;
	const gsize theirs = strlen(keys->remote_ufrag), ours = strlen(keys->local_ufrag);
	char name[2 * 256 + 2]; /* RFC 8839 5.4: 256 characters at most */
	gsize at = begin(data, BINDING_REQUEST, transaction);

	if (theirs > 256 || ours > 256)
		return 0;
	g_snprintf(name, sizeof name, "%s:%s", keys->remote_ufrag, keys->local_ufrag);
	at = put(data, at, ATTRIBUTE_USERNAME, name, theirs + 1 + ours);
	at = put(data, at, role, &breaker, sizeof breaker);
	at = put(data, at, ATTRIBUTE_PRIORITY, &priority, sizeof priority);
	return seal(data, at, keys->remote_pwd);
}

gsize
binding_answer(guint8 data[BINDING_MAX], const guint8 transaction[BINDING_TRANSACTION],
	       const ConsentKeys *keys, const NetAddress *from)
{
	const gboolean ip6 = from->any.sa_family == AF_INET6;
	const guint8 *address =
		ip6 ? (const guint8 *)&from->ip6.sin6_addr : (const guint8 *)&from->ip4.sin_addr;
	const gsize bytes = ip6 ? 16 : 4;
	guint8 mapped[20] = { 0, ip6 ? 2 : 1 };
	gsize at = begin(data, BINDING_SUCCESS, transaction);

	/* RFC 8489 14.2: with the magic cookie, of IPv6 with the transaction as well */
	put16(mapped + 2, ntohs(ip6 ? from->ip6.sin6_port : from->ip4.sin_port) ^ (MAGIC >> 16));
	for (gsize i = 0; i < bytes; i++)
		mapped[4 + i] = address[i] ^ data[4 + i];
	at = put(data, at, ATTRIBUTE_XOR_MAPPED, mapped, 4 + bytes);
	return seal(data, at, keys->local_pwd);
}
