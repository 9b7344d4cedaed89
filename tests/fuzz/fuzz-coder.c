/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-coder.c - any payloads to any decoder of ours.
 *
 * The first byte says which codec and rate.  Then, payload after payload: a length, so many
 * bytes; a length of 0 is a payload that is lost, and what follows is how much of it is made up
 * (two bytes, in samples) and whether the payload behind it helps (one bit).
 */
#include <stdint.h>
#include <stdlib.h>
#include "media/coder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that say how. */
static size_t
conceal(Decoder *decoder, const uint8_t *data, size_t size, gint16 *pcm)
{
	const guint samples = size >= 2 ? (guint)(data[0] & 0x7f) << 8 | data[1] : 0;
	const size_t behind = size >= 3 && data[0] & 0x80 ? MIN(data[2], size - 3) : 0;

	decoder_conceal(decoder, behind ? data + 3 : NULL, behind, pcm,
			MIN(samples, CODER_MAX_SAMPLES));
	return MIN(size, 2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gint16 pcm[CODER_MAX_SAMPLES];
	const CodecType *types;
	Decoder *decoder;
	guint n, rate;

	if (size == 0)
		return 0;
	types = codec_types(&n);
	rate = types[(data[0] & 0x7f) % n].rate > 8000 && data[0] & 0x80 ? 16000 : 8000;
	decoder = decoder_new(&types[(data[0] & 0x7f) % n], rate);
	for (size_t at = 1; decoder && at < size;) {
		const size_t length = MIN(data[at], size - at - 1);

		if (length == 0)
			at += conceal(decoder, data + at + 1, size - at - 1, pcm);
		else if (decoder_decode(decoder, data + at + 1, length, pcm) > CODER_MAX_SAMPLES)
			abort();
		if (decoder_pauses(decoder, length))
			decoder_conceal(decoder, NULL, 0, pcm, rate / 100);
		if (decoder_asked(decoder) > CODER_NO_MODE)
			abort();
		at += 1 + length;
	}
	decoder_free(decoder);
	return 0;
}
