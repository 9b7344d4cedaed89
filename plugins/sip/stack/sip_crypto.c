/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_crypto.c - SRTP that is offered by SIP: which a=crypto lines, in which profile. */
#include "plugins/sip/stack/sip_crypto.h"

CryptoPolicy
crypto_policy(const char *text)
{
	if (g_strcmp0(text, "require") == 0)
		return CRYPTO_REQUIRE;
	return g_strcmp0(text, "offer") == 0 ? CRYPTO_OFFER : CRYPTO_OFF;
}

static const SdesKey *
key_of(const Desc *desc)
{
	const Stream *audio = desc ? desc_audio(desc) : NULL;

	return audio && audio->transport->kind == TRANSPORT_RTP && audio->transport->sdes.profile
		       ? &audio->transport->sdes
		       : NULL;
}

/* The stream itself, of a description that is not shared yet. */
static Stream *
own_audio(Desc *desc)
{
	const Stream *audio = desc_audio(desc);

	for (guint i = 0; i < desc->streams->len; i++)
		if (desc->streams->pdata[i] == audio)
			return desc->streams->pdata[i];
	return NULL;
}

Desc *
crypto_offer(const Crypto *crypto, const Desc *desc)
{
	const Stream *audio = desc_audio(desc);
	gboolean wanted = crypto->settled ? crypto->suite != 0 : crypto->policy != CRYPTO_OFF;
	Desc *offer;
	Stream *stream;

	if (!audio || !wanted || key_of(desc) || audio->transport->kind != TRANSPORT_RTP)
		return desc_ref(desc);
	offer = desc_turned(desc, audio->direction);
	stream = own_audio(offer);
	stream->transport->sdes.profile = crypto->settled ? crypto->suite : SRTP_CM_SHA1_80;
	stream->transport->sdes.tag = crypto->settled ? crypto->tag : 1;
	stream->transport->sdes.choice = !crypto->settled;
	g_free(stream->profile);
	stream->profile =
		g_strdup(crypto->policy == CRYPTO_REQUIRE || crypto->secure_profile ? "RTP/SAVP"
										    : "RTP/AVP");
	return offer;
}

static gboolean
is_plain(const Stream *stream)
{
	return !stream->profile || g_ascii_strcasecmp(stream->profile, "RTP/AVP") == 0 ||
	       g_ascii_strcasecmp(stream->profile, "RTP/AVPF") == 0;
}

void
crypto_hear(const Crypto *crypto, Desc *desc)
{
	for (guint i = 0; crypto->policy == CRYPTO_OFF && i < desc->streams->len; i++) {
		Stream *stream = desc->streams->pdata[i];

		if (is_plain(stream))
			stream->transport->sdes = (SdesKey){ 0 };
	}
}

/* RFC 4568 5.1.3: one of the lines that were offered, by its tag. */
static gboolean
was_offered(const Crypto *crypto, const SdesKey *key)
{
	if (crypto->settled)
		return key->profile == crypto->suite;
	if (crypto->policy == CRYPTO_OFF)
		return FALSE;
	for (guint i = 0; sdes_choice(i); i++)
		if (key->tag == i + 1 && key->profile == sdes_choice(i))
			return TRUE;
	return FALSE;
}

const char *
crypto_refuse_answer(const Crypto *crypto, const Desc *answer)
{
	const SdesKey *key = key_of(answer);

	if (!answer || !desc_audio(answer))
		return NULL; /* that is refused anyway */
	if (key && !was_offered(crypto, key))
		return "answered with a suite of SRTP that was not offered";
	return key || crypto->policy != CRYPTO_REQUIRE
		       ? NULL
		       : "answered without SRTP, which srtp=require asks for";
}

const char *
crypto_refuse_offer(const Crypto *crypto, const Desc *offer)
{
	return !offer || !desc_audio(offer) || key_of(offer) || crypto->policy != CRYPTO_REQUIRE
		       ? NULL
		       : "offered without SRTP, which srtp=require asks for";
}

gboolean
crypto_same(const Desc *one, const Desc *other)
{
	static const SdesKey none;
	const SdesKey *a = key_of(one), *b = key_of(other);

	return sdes_same(a ? a : &none, b ? b : &none);
}

void
crypto_settle(Crypto *crypto, const Desc *answer)
{
	const Stream *audio = answer ? desc_audio(answer) : NULL;
	const SdesKey *key = key_of(answer);

	if (!audio)
		return;
	crypto->settled = TRUE;
	crypto->suite = key ? key->profile : 0;
	crypto->tag = key ? key->tag : 0;
	crypto->secure_profile = key && !is_plain(audio);
}
