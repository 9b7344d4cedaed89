/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* g711.c - PCMU and PCMA to and from linear samples. */
#include "media/g711.h"

#define U_BIAS 132
#define U_MAX  (32767 - U_BIAS)

/* The place of the highest bit of `magnitude`, which is not 0, from that of 0x80 on. */
static guint
segment_of(int magnitude)
{
	return 24 - (guint)__builtin_clz((unsigned)magnitude);
}

static gint16
decode_u(guint8 code)
{
	guint8 bits = (guint8)~code;
	int magnitude = ((((bits & 0x0f) << 3) + U_BIAS) << ((bits >> 4) & 7)) - U_BIAS;

	return (gint16)(bits & 0x80 ? -magnitude : magnitude);
}

static guint8
encode_u(gint16 sample)
{
	int magnitude = MIN(ABS((int)sample), U_MAX) + U_BIAS;
	guint segment = segment_of(magnitude);

	return (guint8) ~((sample < 0 ? 0x80 : 0) | segment << 4 |
			  ((magnitude >> (segment + 3)) & 0x0f));
}

static gint16
decode_a(guint8 code)
{
	guint8 bits = code ^ 0x55;
	guint segment = (bits >> 4) & 7;
	int magnitude = ((bits & 0x0f) << 4) + 8;

	if (segment > 0)
		magnitude = (magnitude + 0x100) << (segment - 1);
	return (gint16)(bits & 0x80 ? magnitude : -magnitude);
}

static guint8
encode_a(gint16 sample)
{
	int magnitude = sample < 0 ? ~sample : sample;
	guint segment = segment_of(magnitude | 0x80);

	magnitude = magnitude >> (segment > 0 ? segment + 3 : 4);
	return (guint8)((sample < 0 ? 0 : 0x80) | segment << 4 | (magnitude & 0x0f)) ^ 0x55;
}

gint16
law_decode(Law law, guint8 code)
{
	return law == LAW_U ? decode_u(code) : decode_a(code);
}

guint8
law_encode(Law law, gint16 sample)
{
	return law == LAW_U ? encode_u(sample) : encode_a(sample);
}

void
law_decode_all(Law law, const guint8 *codes, guint n, gint16 *samples)
{
	if (law == LAW_U)
		for (guint i = 0; i < n; i++)
			samples[i] = decode_u(codes[i]);
	else
		for (guint i = 0; i < n; i++)
			samples[i] = decode_a(codes[i]);
}

void
law_encode_all(Law law, const gint16 *samples, guint n, guint8 *codes)
{
	if (law == LAW_U)
		for (guint i = 0; i < n; i++)
			codes[i] = encode_u(samples[i]);
	else
		for (guint i = 0; i < n; i++)
			codes[i] = encode_a(samples[i]);
}
