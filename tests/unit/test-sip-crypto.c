/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-crypto.c - what is offered of SRTP, and what is taken. */
#include "plugins/sip/stack/sip_crypto.h"
#include "plugins/sip/stack/sip_desc.h"
#include <string.h>

#define HEAD   "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define AVP    HEAD "m=audio 4000 RTP/AVP 0\r\n"
#define SAVP   HEAD "m=audio 4000 RTP/SAVP 0\r\n"
#define KEY    "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n"
#define LINE80 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY
#define LINE32 "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " KEY
#define OURS   "inline:////////////////////////////////////////\r\n"

static Desc *
parse(const char *sdp)
{
	g_autoptr(GError) error = NULL;
	Desc *desc = desc_from_sdp(sdp, strlen(sdp), &error);

	g_assert_no_error(error);
	return desc;
}

/* What the core would have us offer: our key is there, and not told. */
static Desc *
from_core(void)
{
	g_autoptr(Transport) ours = transport_new(TRANSPORT_RTP);

	g_strlcpy(ours->address, "192.0.2.1", sizeof ours->address);
	ours->port = 40000;
	memset(ours->sdes.key, 0xff, sizeof ours->sdes.key);
	return desc_offer_all(ours, TRANSPORT_RTP);
}

static char *
offered(const Crypto *crypto)
{
	g_autoptr(Desc) desc = from_core();
	g_autoptr(Desc) offer = crypto_offer(crypto, desc);

	/* whoever shares it sees nothing of that */
	g_assert_cmpint(desc_audio(desc)->transport->sdes.profile, ==, 0);
	return desc_to_sdp(offer, &(SdpOrigin){ "192.0.2.1", 7, 1 });
}

static void
assert_offer(const Crypto *crypto, const char *profile, const char *lines)
{
	g_autofree char *sdp = offered(crypto);
	g_autofree char *line = g_strdup_printf("m=audio 40000 %s ", profile);

	g_test_message("%s", sdp);
	g_assert_nonnull(strstr(sdp, line));
	if (*lines)
		g_assert_nonnull(strstr(sdp, lines));
	else
		g_assert_null(strstr(sdp, "crypto"));
}

static Desc *
hear(const Crypto *crypto, const char *sdp)
{
	Desc *desc = parse(sdp);

	crypto_hear(crypto, desc);
	return desc;
}

#define BOTH "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " OURS "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " OURS

static void
test_offers(void)
{
	Crypto crypto = { 0 };

	assert_offer(&crypto, "RTP/AVP", "");
	crypto.policy = CRYPTO_OFFER;
	assert_offer(&crypto, "RTP/AVP", BOTH);
	crypto.secure_profile = TRUE; /* after a 488 */
	assert_offer(&crypto, "RTP/SAVP", BOTH);
	crypto = (Crypto){ .policy = CRYPTO_REQUIRE };
	assert_offer(&crypto, "RTP/SAVP", BOTH);
}

/* What was agreed is repeated with the same key: it is no other one. */
static void
test_settled(void)
{
	Crypto crypto = { .policy = CRYPTO_OFFER };
	g_autoptr(Desc) short_tag = hear(&crypto, AVP LINE32);
	g_autoptr(Desc) plain = hear(&crypto, AVP);

	crypto_settle(&crypto, short_tag);
	assert_offer(&crypto, "RTP/AVP", "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " OURS);
	crypto_settle(&crypto, plain);
	assert_offer(&crypto, "RTP/AVP", "");
	crypto.policy = CRYPTO_REQUIRE;
	crypto_settle(&crypto, short_tag);
	assert_offer(&crypto, "RTP/SAVP", "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " OURS);
}

static void
test_answers(void)
{
	static const struct {
		CryptoPolicy policy;
		const char *answer;
		const char *refused; /* NULL: taken */
	} cases[] = {
		{ CRYPTO_OFF, AVP, NULL },
		{ CRYPTO_OFF, AVP LINE80, NULL }, /* not looked at */
		{ CRYPTO_OFF, SAVP LINE80, "not offered" },
		{ CRYPTO_OFFER, AVP, NULL },
		{ CRYPTO_OFFER, AVP LINE80, NULL },
		{ CRYPTO_OFFER, AVP LINE32, NULL },
		{ CRYPTO_OFFER, SAVP LINE32, NULL },
		{ CRYPTO_OFFER, AVP "a=crypto:1 AES_CM_128_HMAC_SHA1_32 " KEY, "not offered" },
		{ CRYPTO_OFFER, AVP "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY, "not offered" },
		{ CRYPTO_REQUIRE, SAVP LINE80, NULL },
		{ CRYPTO_REQUIRE, AVP LINE80, NULL },
		{ CRYPTO_REQUIRE, AVP, "srtp=require" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Crypto crypto = { .policy = cases[i].policy };
		g_autoptr(Desc) answer = hear(&crypto, cases[i].answer);
		const char *refused = crypto_refuse_answer(&crypto, answer);

		g_test_message("%d %s", cases[i].policy, cases[i].answer);
		g_assert_cmpint(refused != NULL, ==, cases[i].refused != NULL);
		if (refused)
			g_assert_nonnull(strstr(refused, cases[i].refused));
	}
	g_assert_null(crypto_refuse_answer(&(Crypto){ .policy = CRYPTO_REQUIRE }, NULL));
}

static void
test_their_offers(void)
{
	const Crypto require = { .policy = CRYPTO_REQUIRE }, offer = { .policy = CRYPTO_OFFER };
	g_autoptr(Desc) plain = hear(&require, AVP);
	g_autoptr(Desc) key = hear(&require, AVP LINE80);
	g_autoptr(Desc) off = hear(&(Crypto){ 0 }, AVP LINE80);

	g_assert_nonnull(crypto_refuse_offer(&require, plain));
	g_assert_null(crypto_refuse_offer(&require, key));
	g_assert_null(crypto_refuse_offer(&require, NULL));
	g_assert_null(crypto_refuse_offer(&offer, plain));
	g_assert_cmpint(desc_audio(off)->transport->sdes.profile, ==, 0);
	g_assert_false(crypto_same(plain, key));
	g_assert_true(crypto_same(key, key));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-crypto/offers", test_offers);
	g_test_add_func("/sip-crypto/settled", test_settled);
	g_test_add_func("/sip-crypto/answers", test_answers);
	g_test_add_func("/sip-crypto/their-offers", test_their_offers);
	return g_test_run();
}
