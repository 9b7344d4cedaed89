/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* speech_g729.c - G.729 with annex A by bcg729.
 *
 * Annex B is never offered; a peer's SID frames are heard as the noise they describe.
 * RFC 3551 4.5.6.
 */
#include "media/coder.h"
#include "media/speech_tables.h"
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>
#include <string.h>

#define FRAME	   10 /* bytes: 10 ms */
#define SID	   2  /* likewise, the last of a payload */
#define SAMPLES	   80 /* of a frame */
#define MAX_FRAMES (CODER_MAX_MS / 10)

typedef struct {
	bcg729DecoderChannelContextStruct *context;
	gboolean pauses;
} G729Decoder;

static gpointer
g729_decoder_new(const CodecType *type)
{
	G729Decoder *decoder = g_new0(G729Decoder, 1);

	decoder->context = initBcg729DecoderChannel();
	return decoder;
}

static void
g729_decoder_free(gpointer data)
{
	G729Decoder *decoder = data;

	closeBcg729DecoderChannel(decoder->context);
	g_free(decoder);
}

static guint
g729_decode(gpointer data, const guint8 *payload, gsize size, gint16 *pcm)
{
	G729Decoder *decoder = data;
	const gsize speech = size / FRAME;
	const gboolean sid = size % FRAME == SID;

	if ((size % FRAME && !sid) || speech + sid > MAX_FRAMES)
		return 0;
	for (gsize i = 0; i < speech + sid; i++) {
		decoder->pauses = i == speech;
		bcg729Decoder(decoder->context, payload + i * FRAME, decoder->pauses ? SID : FRAME,
			      0, decoder->pauses, 0, pcm + i * SAMPLES);
	}
	return (guint)(speech + sid) * SAMPLES;
}

static void
g729_conceal(gpointer data, gint16 *pcm, guint samples)
{
	static const guint8 nothing[FRAME];
	G729Decoder *decoder = data;
	gint16 frame[SAMPLES];

	for (guint done = 0; done < samples; done += SAMPLES) {
		bcg729Decoder(decoder->context, nothing, 0, !decoder->pauses, decoder->pauses, 0,
			      frame);
		memcpy(pcm + done, frame, MIN(SAMPLES, samples - done) * sizeof *pcm);
	}
}

static gboolean
g729_pauses(gconstpointer data)
{
	return ((const G729Decoder *)data)->pauses;
}

static gpointer
g729_encoder_new(const CodecType *type)
{
	return initBcg729EncoderChannel(0);
}

static void
g729_encoder_free(gpointer encoder)
{
	closeBcg729EncoderChannel(encoder);
}

static gsize
g729_encode(gpointer encoder, const gint16 *pcm, guint samples, guint8 *payload)
{
	gsize size = 0;

	for (guint done = 0; done + SAMPLES <= samples; done += SAMPLES) {
		guint8 made = 0;

		bcg729Encoder(encoder, pcm + done, payload + size, &made);
		size += made;
	}
	return size;
}

const SpeechCodec g729_codec = {
	.decoder_new = g729_decoder_new,
	.decoder_free = g729_decoder_free,
	.decode = g729_decode,
	.conceal = g729_conceal,
	.pauses = g729_pauses,
	.encoder_new = g729_encoder_new,
	.encoder_free = g729_encoder_free,
	.encode = g729_encode,
};
