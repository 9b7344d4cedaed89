/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sdes.c - SRTP keys as they stand in a description. */
#include "media/sdes.h"
#include <string.h>

#define KEY30 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"

static void
test_forms(void)
{
	static const struct {
		const char *value;
		SrtpProfile profile; /* 0: refused */
		guint tag;
	} cases[] = {
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, SRTP_CM_SHA1_80, 1 },
		{ "2 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, SRTP_CM_SHA1_32, 2 },
		{ "3 AEAD_AES_128_GCM inline:" KEY28 "==", SRTP_AEAD_GCM, 3 },
		{ "3 AEAD_AES_128_GCM inline:" KEY28, SRTP_AEAD_GCM, 3 },
		{ "999999999 aes_cm_128_hmac_sha1_80 INLINE:" KEY30, SRTP_CM_SHA1_80, 999999999 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^31", SRTP_CM_SHA1_80, 1 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1048576", SRTP_CM_SHA1_80, 1 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " WSH=64", SRTP_CM_SHA1_80, 1 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^48", SRTP_CM_SHA1_80, 1 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|256:1", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:0", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:129", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|18446744073709551616:9", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:4|2^31", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^31|1:4|x", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|", 0, 0 },
		/* several keys, parameters that would change the packets */
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 ";inline:" KEY30, 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTCP", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " KDR=1", 0, 0 },
		/* malformed, or not known */
		{ "1 AES_256_CM_HMAC_SHA1_80 inline:" KEY30, 0, 0 },
		{ "1 F8_128_HMAC_SHA1_80 inline:" KEY30, 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY28 "==", 0, 0 },
		{ "1 AEAD_AES_128_GCM inline:" KEY30, 0, 0 },
		{ "1 AEAD_AES_128_GCM inline:" KEY28 "=", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "A", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:x", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 inline:", 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80 " KEY30, 0, 0 },
		{ "1 AES_CM_128_HMAC_SHA1_80", 0, 0 },
		{ "x AES_CM_128_HMAC_SHA1_80 inline:" KEY30, 0, 0 },
		{ "1000000000 AES_CM_128_HMAC_SHA1_80 inline:" KEY30, 0, 0 },
		{ "", 0, 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		SdesKey key, again;
		g_autofree char *text = NULL;

		g_test_message("%s", cases[i].value);
		g_assert_cmpint(sdes_parse(cases[i].value, &key), ==, cases[i].profile != 0);
		g_assert_cmpint(key.profile, ==, cases[i].profile);
		text = sdes_text(&key);
		g_assert_cmpint(text != NULL, ==, cases[i].profile != 0);
		if (!text)
			continue;
		g_assert_cmpuint(key.tag, ==, cases[i].tag);
		for (guint j = 0; j < 28; j++)
			g_assert_cmpuint(key.key[j], ==, j);
		g_assert_true(sdes_parse(text, &again));
		g_assert_true(sdes_same(&key, &again));
		again.key[0]++;
		g_assert_false(sdes_same(&key, &again));
	}
}

/* Read, told again, and another one is another session. */
static void
test_mki(void)
{
	static const struct {
		const char *params;
		guint64 mki;
		guint length;
	} cases[] = {
		{ "|2^31|1:1", 1, 1 },
		{ "|1066:4", 1066, 4 },
		{ "|0:16", 0, 16 },
		{ "|7:128", 7, 128 },
		{ "|18446744073709551615:8", G_MAXUINT64, 8 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *value = g_strconcat("1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30,
						     cases[i].params, NULL);
		g_autofree char *text = NULL;
		SdesKey key, again;

		g_assert_true(sdes_parse(value, &key));
		g_assert_cmpuint(key.mki, ==, cases[i].mki);
		g_assert_cmpuint(key.mki_length, ==, cases[i].length);
		text = sdes_text(&key);
		g_assert_true(sdes_parse(text, &again));
		g_assert_true(sdes_same(&key, &again));
		again.mki++;
		g_assert_false(sdes_same(&key, &again));
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sdes/forms", test_forms);
	g_test_add_func("/sdes/mki", test_mki);
	return g_test_run();
}
