/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* stun.c - STUN messages of a peer that is not libnice. */
#include "tests/media/stun.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define INTEGRITY_BYTES 20

static guint16
get16(const guint8 *at)
{
	return (guint16)(at[0] << 8 | at[1]);
}

static void
put16(GByteArray *message, guint value)
{
	const guint8 bytes[2] = { (guint8)(value >> 8), (guint8)value };

	g_byte_array_append(message, bytes, 2);
}

static void
put32(GByteArray *message, guint32 value)
{
	put16(message, value >> 16);
	put16(message, value & 0xffff);
}

static void
set_length(GByteArray *message, guint length)
{
	message->data[2] = (guint8)(length >> 8);
	message->data[3] = (guint8)length;
}

void
stun_put(GByteArray *message, guint type, const void *value, guint length)
{
	static const guint8 padding[4];

	put16(message, type);
	put16(message, length);
	if (length > 0)
		g_byte_array_append(message, value, length);
	g_byte_array_append(message, padding, (4 - length % 4) % 4);
}

void
stun_put_number(GByteArray *message, guint type, guint32 value)
{
	const guint32 wire = GUINT32_TO_BE(value);

	stun_put(message, type, &wire, 4);
}

GByteArray *
stun_new(guint type, const guint8 *transaction)
{
	GByteArray *message = g_byte_array_new();
	guint32 random[3];

	put16(message, type);
	put16(message, 0);
	put32(message, STUN_MAGIC);
	for (guint i = 0; i < 3; i++)
		random[i] = g_random_int();
	g_byte_array_append(message, transaction ? transaction : (guint8 *)random, 12);
	return message;
}

static void
integrity(const guint8 *data, gsize length, const char *key, guint8 sum[INTEGRITY_BYTES])
{
	unsigned int size = INTEGRITY_BYTES;

	HMAC(EVP_sha1(), key, (int)strlen(key), data, length, sum, &size);
}

static guint32
crc32_of(const guint8 *data, gsize length)
{
	guint32 crc = 0xffffffff;

	for (gsize i = 0; i < length; i++) {
		crc ^= data[i];
		for (guint bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* RFC 8489 14.5, 14.7: each is made over a header that counts it already. */
void
stun_seal(GByteArray *message, const char *key)
{
	guint8 sum[INTEGRITY_BYTES];

	set_length(message, message->len - STUN_HEADER + 4 + INTEGRITY_BYTES);
	integrity(message->data, message->len, key, sum);
	stun_put(message, STUN_INTEGRITY, sum, sizeof sum);
	set_length(message, message->len - STUN_HEADER + 8);
	stun_put_number(message, STUN_FINGER, crc32_of(message->data, message->len) ^ 0x5354554e);
}

const guint8 *
stun_find(const guint8 *data, gsize length, guint type, guint *size)
{
	gsize at = STUN_HEADER;

	while (at + 4 <= length) {
		*size = get16(data + at + 2);
		if (at + 4 + *size > length)
			break;
		if (get16(data + at) == type)
			return data + at + 4;
		at += 4 + (*size + 3) / 4 * 4;
	}
	return NULL;
}

gboolean
stun_is_sealed(const guint8 *data, gsize length, const char *key)
{
	guint8 copy[1600], sum[INTEGRITY_BYTES];
	guint size;
	const guint8 *theirs = stun_find(data, length, STUN_INTEGRITY, &size);
	gsize before;

	if (!theirs || size != INTEGRITY_BYTES)
		return FALSE;
	before = (gsize)(theirs - data) - 4;
	memcpy(copy, data, before);
	copy[2] = (guint8)((before - STUN_HEADER + 4 + INTEGRITY_BYTES) >> 8);
	copy[3] = (guint8)(before - STUN_HEADER + 4 + INTEGRITY_BYTES);
	integrity(copy, before, key, sum);
	return memcmp(sum, theirs, sizeof sum) == 0;
}

void
stun_put_mapped(GByteArray *message, const NetAddress *from)
{
	const gboolean six = from->any.sa_family == AF_INET6;
	guint8 value[20] = { 0, six ? 2 : 1 };
	const guint port = net_address_port(from) ^ (STUN_MAGIC >> 16);
	const guint8 *host =
		six ? from->ip6.sin6_addr.s6_addr : (const guint8 *)&from->ip4.sin_addr.s_addr;

	value[2] = (guint8)(port >> 8);
	value[3] = (guint8)port;
	for (guint i = 0; i < (six ? 16 : 4); i++) /* the magic cookie, then the transaction */
		value[4 + i] = host[i] ^ message->data[4 + i];
	stun_put(message, STUN_XOR_MAPPED, value, six ? 20 : 8);
}

guint
stun_type(const guint8 *data)
{
	return get16(data);
}
