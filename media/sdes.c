/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sdes.c - SRTP keys as they stand in a description.  RFC 4568. */
#include "media/sdes.h"
#include <string.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define INLINE "inline:"

static const struct {
	SrtpProfile profile;
	const char *name;
	gsize length;
} suites[] = {
	{ SRTP_CM_SHA1_80, "AES_CM_128_HMAC_SHA1_80", 30 },
	{ SRTP_CM_SHA1_32, "AES_CM_128_HMAC_SHA1_32", 30 },
	{ SRTP_AEAD_GCM, "AEAD_AES_128_GCM", 28 },
};

/* "2^31" or "1048576" */
static gboolean
is_lifetime(const char *text)
{
	if (g_str_has_prefix(text, "2^"))
		text += 2;
	return *text && strspn(text, "0123456789") == strlen(text);
}

static gboolean
read_base64(const char *text, gsize wanted, guint8 *bytes)
{
	const gsize digits = strspn(text, BASE64), padding = strlen(text) - digits;
	gsize length;
	g_autofree guchar *decoded = NULL;
	g_autofree char *padded = NULL;

	if (digits != (wanted * 8 + 5) / 6 || strspn(text + digits, "=") != padding ||
	    (padding != 0 && (digits + padding) % 4 != 0) || padding > 2)
		return FALSE;
	padded = g_strdup_printf("%.*s%.*s", (int)digits, text, (int)((4 - digits % 4) % 4), "==");
	decoded = g_base64_decode(padded, &length);
	if (length == wanted)
		memcpy(bytes, decoded, wanted);
	explicit_bzero(decoded, length);
	explicit_bzero(padded, strlen(padded));
	return length == wanted;
}

/* "1:4": a number, and how many bytes it has in a packet */
static gboolean
read_mki(const char *text, SdesKey *key)
{
	g_auto(GStrv) part = g_strsplit(text, ":", 2);
	guint64 length;

	if (!part[0] || !part[1] ||
	    !g_ascii_string_to_unsigned(part[0], 10, 0, G_MAXUINT64, &key->mki, NULL) ||
	    !g_ascii_string_to_unsigned(part[1], 10, 1, SDES_MAX_MKI, &length, NULL))
		return FALSE;
	key->mki_length = (guint8)length;
	return length >= sizeof key->mki || key->mki >> (8 * length) == 0;
}

/* "|2^31|1:4", each of them or none */
static gboolean
read_params(char **part, SdesKey *key)
{
	if (*part && is_lifetime(*part))
		part++;
	if (*part && read_mki(*part, key))
		part++;
	return !*part;
}

static gboolean
read_key(const char *params, gsize wanted, SdesKey *key)
{
	g_auto(GStrv) part = NULL;
	gboolean good;

	if (g_ascii_strncasecmp(params, INLINE, strlen(INLINE)) != 0)
		return FALSE;
	part = g_strsplit(params + strlen(INLINE), "|", 4);
	good = part[0] && read_params(part + 1, key) && read_base64(part[0], wanted, key->key);
	if (part[0])
		explicit_bzero(part[0], strlen(part[0]));
	return good;
}

gboolean
sdes_parse(const char *value, SdesKey *key)
{
	g_auto(GStrv) word = NULL;
	guint64 tag;
	gboolean good = FALSE;

	*key = (SdesKey){ 0 };
	if (strnlen(value, SDES_MAX_LINE + 1) > SDES_MAX_LINE)
		return FALSE;
	word = g_strsplit_set(value, " ", 0);
	if (g_strv_length(word) < 3 ||
	    !g_ascii_string_to_unsigned(word[0], 10, 0, 999999999, &tag, NULL))
		return FALSE;
	for (guint i = 3; word[i]; i++) /* how much older than the newest is taken: our own say */
		if (*word[i] && g_ascii_strncasecmp(word[i], "WSH=", 4) != 0)
			return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(suites) && !good; i++) {
		good = g_ascii_strcasecmp(word[1], suites[i].name) == 0 &&
		       read_key(word[2], suites[i].length, key);
		if (good)
			key->profile = suites[i].profile;
	}
	explicit_bzero(word[2], strlen(word[2]));
	key->tag = (guint)tag;
	return good;
}

char *
sdes_text(const SdesKey *key)
{
	for (guint i = 0; i < G_N_ELEMENTS(suites); i++) {
		g_autofree char *text = NULL;

		if (suites[i].profile != key->profile)
			continue;
		text = g_base64_encode(key->key, suites[i].length);
		if (key->mki_length)
			return g_strdup_printf("%u %s " INLINE "%s|%" G_GUINT64_FORMAT ":%u",
					       key->tag, suites[i].name, text, key->mki,
					       key->mki_length);
		return g_strdup_printf("%u %s " INLINE "%s", key->tag, suites[i].name, text);
	}
	return NULL;
}

SrtpProfile
sdes_choice(guint i)
{
	static const SrtpProfile offered[] = { SRTP_CM_SHA1_80, SRTP_CM_SHA1_32 };

	return i < G_N_ELEMENTS(offered) ? offered[i] : 0;
}

gboolean
sdes_same(const SdesKey *one, const SdesKey *other)
{
	return one->profile == other->profile &&
	       (!one->profile || (memcmp(one->key, other->key, sizeof one->key) == 0 &&
				  one->mki == other->mki && one->mki_length == other->mki_length));
}
