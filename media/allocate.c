/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* allocate.c - see allocate.h. */
#include "media/allocate.h"
#include <string.h>
#include "media/bytes.h"

#define HEADER	   20
#define MAGIC	   0x2112a442
#define SHA1_BYTES 20
#define MD5_BYTES  16
#define SUCCESS	   0x0100
#define FAILURE	   0x0110
#define UDP	   17

enum {
	ATTRIBUTE_USERNAME = 0x0006,
	ATTRIBUTE_INTEGRITY = 0x0008,
	ATTRIBUTE_ERROR = 0x0009,
	ATTRIBUTE_LIFETIME = 0x000d,
	ATTRIBUTE_REALM = 0x0014,
	ATTRIBUTE_NONCE = 0x0015,
	ATTRIBUTE_XOR_RELAYED = 0x0016,
	ATTRIBUTE_TRANSPORT = 0x0019,
	ATTRIBUTE_XOR_MAPPED = 0x0020
};

/* --- writing --- */

static gsize
put(guint8 *data, gsize at, guint type, const void *value, gsize length)
{
	const gsize padded = (length + 3) / 4 * 4;

	put16(data + at, (guint16)type);
	put16(data + at + 2, (guint16)length);
	memset(data + at + 4, 0, padded);
	memcpy(data + at + 4, value, length);
	return at + 4 + padded;
}

/* RFC 8489 9.2.2: the key is of the name, the realm and the password. */
static void
make_key(const StunLogin *login, guint8 key[MD5_BYTES])
{
	g_autofree char *text =
		g_strdup_printf("%s:%s:%s", login->username, login->realm, login->password);
	GChecksum *sum = g_checksum_new(G_CHECKSUM_MD5);
	gsize length = MD5_BYTES;

	g_checksum_update(sum, (const guint8 *)text, -1);
	g_checksum_get_digest(sum, key, &length);
	g_checksum_free(sum);
}

static gsize
seal(guint8 *data, gsize at, const StunLogin *login)
{
	guint8 key[MD5_BYTES], sum[SHA1_BYTES];
	gsize size = sizeof sum;
	GHmac *hmac;

	make_key(login, key);
	put16(data + 2, (guint16)(at + 4 + SHA1_BYTES - HEADER));
	hmac = g_hmac_new(G_CHECKSUM_SHA1, key, sizeof key);
	g_hmac_update(hmac, data, (gssize)at);
	g_hmac_get_digest(hmac, sum, &size);
	g_hmac_unref(hmac);
	return put(data, at, ATTRIBUTE_INTEGRITY, sum, sizeof sum);
}

gsize
stun_request(guint8 data[ALLOCATE_MAX], StunMethod method,
	     const guint8 transaction[ALLOCATE_TRANSACTION], const StunLogin *login_or_null)
{
	static const guint8 udp[4] = { UDP }, nothing[4] = { 0 };
	const StunLogin *login = login_or_null;
	gsize at = HEADER;

	put16(data, (guint16)method);
	put32(data + 4, MAGIC);
	memcpy(data + 8, transaction, ALLOCATE_TRANSACTION);
	if (method == STUN_ALLOCATE)
		at = put(data, at, ATTRIBUTE_TRANSPORT, udp, sizeof udp);
	if (method == STUN_REFRESH)
		at = put(data, at, ATTRIBUTE_LIFETIME, nothing, sizeof nothing);
	if (login) {
		if (strlen(login->username) >= ALLOCATE_TEXT ||
		    strlen(login->realm) >= ALLOCATE_TEXT || strlen(login->nonce) >= ALLOCATE_TEXT)
			return 0;
		at = put(data, at, ATTRIBUTE_USERNAME, login->username, strlen(login->username));
		at = put(data, at, ATTRIBUTE_REALM, login->realm, strlen(login->realm));
		at = put(data, at, ATTRIBUTE_NONCE, login->nonce, strlen(login->nonce));
		return seal(data, at, login);
	}
	put16(data + 2, (guint16)(at - HEADER));
	return at;
}

/* --- reading --- */

gsize
stun_length(const guint8 *data, gsize length)
{
	return length < 4 ? 0 : HEADER + (gsize)get16(data + 2);
}

static void
take_text(char text[ALLOCATE_TEXT], const guint8 *value, gsize length)
{
	if (length >= ALLOCATE_TEXT || memchr(value, 0, length))
		return;
	memcpy(text, value, length);
	text[length] = '\0';
}

/* RFC 8489 14.2: XORed with the magic cookie, of IPv6 with the transaction as well. */
static void
take_address(NetAddress *address, const guint8 *message, const guint8 *value, gsize length)
{
	guint8 bytes[16];
	const gboolean ip6 = length == 20 && value[1] == 2;
	const gsize n = ip6 ? 16 : 4;
	guint16 port;

	if (!ip6 && (length != 8 || value[1] != 1))
		return;
	for (gsize i = 0; i < n; i++)
		bytes[i] = value[4 + i] ^ message[4 + i];
	port = htons(get16(value + 2) ^ (MAGIC >> 16));
	memset(address, 0, sizeof *address);
	if (ip6) {
		address->length = sizeof address->ip6;
		address->ip6.sin6_family = AF_INET6;
		address->ip6.sin6_port = port;
		memcpy(&address->ip6.sin6_addr, bytes, n);
	} else {
		address->length = sizeof address->ip4;
		address->ip4.sin_family = AF_INET;
		address->ip4.sin_port = port;
		memcpy(&address->ip4.sin_addr, bytes, n);
	}
}

static void
take(StunAnswer *answer, const guint8 *message, guint type, const guint8 *value, gsize length)
{
	switch (type) {
	case ATTRIBUTE_ERROR:
		if (length < 4)
			break;
		answer->error = (value[2] & 7) * 100u + value[3];
		take_text(answer->phrase, value + 4, length - 4);
		break;
	case ATTRIBUTE_REALM:
		take_text(answer->realm, value, length);
		break;
	case ATTRIBUTE_NONCE:
		take_text(answer->nonce, value, length);
		break;
	case ATTRIBUTE_XOR_MAPPED:
		take_address(&answer->mapped, message, value, length);
		break;
	case ATTRIBUTE_XOR_RELAYED:
		take_address(&answer->relayed, message, value, length);
		break;
	default:
		break;
	}
}

gboolean
stun_answer_parse(const guint8 *data, gsize length, StunMethod method,
		  const guint8 transaction[ALLOCATE_TRANSACTION], StunAnswer *answer)
{
	gsize at = HEADER;
	guint type;

	memset(answer, 0, sizeof *answer);
	if (length < HEADER || length % 4 || stun_length(data, length) != length ||
	    get32(data + 4) != MAGIC || memcmp(data + 8, transaction, ALLOCATE_TRANSACTION) != 0)
		return FALSE;
	type = get16(data);
	if (type != (method | SUCCESS) && type != (method | FAILURE))
		return FALSE;
	answer->success = type == (method | SUCCESS);
	while (at + 4 <= length) {
		const gsize size = get16(data + at + 2);

		if (size > length - at - 4)
			return FALSE;
		take(answer, data, get16(data + at), data + at + 4, size);
		at += 4 + (size + 3) / 4 * 4;
	}
	return TRUE;
}
