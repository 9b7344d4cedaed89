/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* speech_amr.c - AMR by opencore-amr; AMR-WB by opencore-amr and vo-amrwbenc.
 *
 * Silence is never left out of what is sent; a peer that leaves it out is heard as the noise
 * that its SID frames describe.  RFC 4867.
 */
#include <config.h>
#include "media/amr.h"
#include "media/coder.h"
#include "media/speech_tables.h"
#include <string.h>
#if HAVE_AMR
#include <opencore-amrnb/interf_dec.h>
#include <opencore-amrnb/interf_enc.h>
#endif
#if HAVE_AMR_WB
#include <opencore-amrwb/dec_if.h>
#include <vo-amrwbenc/enc_if.h>
#endif

#define FRAME_MS	   20
#define MAX_SAMPLES	   320					  /* of a frame */
#define HEADER(frame_type) ((guint8)((frame_type) << 3 | 1 << 2)) /* of a good one */

/* What the two libraries do alike. */
typedef struct {
	void *(*decoder_new)(void);
	void (*decoder_free)(void *state);
	void (*decode)(void *state, const guint8 *frame, gint16 *pcm);
	void *(*encoder_new)(void);
	void (*encoder_free)(void *state);
	void (*encode)(void *state, guint8 mode, const gint16 *pcm, guint8 *frame);
} Library;

#if HAVE_AMR
static void
narrow_decode(void *state, const guint8 *frame, gint16 *pcm)
{
	Decoder_Interface_Decode(state, frame, pcm, 0);
}

static void *
narrow_encoder_new(void)
{
	return Encoder_Interface_init(0);
}

static void
narrow_encode(void *state, guint8 mode, const gint16 *pcm, guint8 *frame)
{
	Encoder_Interface_Encode(state, (enum Mode)mode, pcm, frame, 0);
}

static const Library narrow = { Decoder_Interface_init, Decoder_Interface_exit, narrow_decode,
				narrow_encoder_new,	Encoder_Interface_exit, narrow_encode };
#endif

#if HAVE_AMR_WB
static void
wide_decode(void *state, const guint8 *frame, gint16 *pcm)
{
	D_IF_decode(state, frame, pcm, _good_frame);
}

static void
wide_encode(void *state, guint8 mode, const gint16 *pcm, guint8 *frame)
{
	E_IF_encode(state, mode, pcm, frame, 0);
}

static const Library wide = {
	D_IF_init, D_IF_exit, wide_decode, E_IF_init, E_IF_exit, wide_encode
};
#endif

static const Library *
library(const CodecType *type)
{
#if HAVE_AMR_WB
	if (type->kind == CODEC_AMR_WB)
		return &wide;
#endif
#if HAVE_AMR
	if (type->kind == CODEC_AMR)
		return &narrow;
#endif
	return NULL;
}

static guint
frame_samples(const CodecType *type)
{
	return type->rate / 1000 * FRAME_MS;
}

/* --- decoding --- */

typedef struct {
	const CodecType *type;
	const Library *library;
	void *state;
	gboolean pauses;
	guint8 asked;
} AmrDecoder;

static gpointer
amr_decoder_new(const CodecType *type)
{
	AmrDecoder *decoder = g_new0(AmrDecoder, 1);

	decoder->type = type;
	decoder->library = library(type);
	decoder->state = decoder->library->decoder_new();
	decoder->asked = AMR_NO_REQUEST;
	return decoder;
}

static void
amr_decoder_free(gpointer data)
{
	AmrDecoder *decoder = data;

	decoder->library->decoder_free(decoder->state);
	g_free(decoder);
}

/* A frame without data ends no pause: what is not sent in one is said so. */
static void
note_pause(AmrDecoder *decoder, const AmrFrame *frame)
{
	if (amr_frame_type(frame) != AMR_NO_DATA)
		decoder->pauses = amr_frame_is_sid(decoder->type, frame);
}

static guint
amr_decode(gpointer data, const guint8 *payload, gsize size, gint16 *pcm)
{
	AmrDecoder *decoder = data;
	const guint samples = frame_samples(decoder->type);
	AmrPayload amr;

	if (!amr_read(decoder->type, payload, size, &amr))
		return 0;
	if (amr.request != AMR_NO_REQUEST)
		decoder->asked = amr.request;
	for (guint i = 0; i < amr.n; i++) {
		/* RFC 4867 4.3.2: damaged; the libraries do not look at the bit */
		if (!(amr.frames[i].bytes[0] & 1 << 2))
			amr.frames[i].bytes[0] = HEADER(AMR_NO_DATA);
		note_pause(decoder, &amr.frames[i]);
		decoder->library->decode(decoder->state, amr.frames[i].bytes,
					 pcm + (gsize)i * samples);
	}
	return amr.n * samples;
}

static void
amr_conceal(gpointer data, gint16 *pcm, guint samples)
{
	static const AmrFrame nothing = { { HEADER(AMR_NO_DATA) } };
	const AmrDecoder *decoder = data;
	const guint one = frame_samples(decoder->type);
	gint16 frame[MAX_SAMPLES];

	for (guint done = 0; done < samples; done += one) {
		decoder->library->decode(decoder->state, nothing.bytes, frame);
		memcpy(pcm + done, frame, MIN(one, samples - done) * sizeof *pcm);
	}
}

static gboolean
amr_pauses(gconstpointer data)
{
	return ((const AmrDecoder *)data)->pauses;
}

static guint8
amr_asked(gconstpointer data)
{
	return ((const AmrDecoder *)data)->asked;
}

/* --- encoding --- */

typedef struct {
	const CodecType *type;
	const Library *library;
	void *state;
	AmrSender sender;
} AmrEncoder;

static void
amr_set_modes(gpointer data, const CodecModes *modes)
{
	AmrEncoder *encoder = data;

	amr_sender_init(&encoder->sender, encoder->type, modes);
}

static gpointer
amr_encoder_new(const CodecType *type)
{
	AmrEncoder *encoder = g_new0(AmrEncoder, 1);

	encoder->type = type;
	encoder->library = library(type);
	encoder->state = encoder->library->encoder_new();
	amr_set_modes(encoder, &(CodecModes){ 0 });
	return encoder;
}

static void
amr_encoder_free(gpointer data)
{
	AmrEncoder *encoder = data;

	encoder->library->encoder_free(encoder->state);
	g_free(encoder);
}

static gsize
amr_encode(gpointer data, const gint16 *pcm, guint samples, guint8 *payload)
{
	AmrEncoder *encoder = data;
	const guint one = frame_samples(encoder->type);
	AmrPayload amr = { .request = AMR_NO_REQUEST };

	for (guint done = 0; done + one <= samples && amr.n < AMR_MAX_FRAMES; done += one)
		encoder->library->encode(encoder->state, amr_sender_next(&encoder->sender),
					 pcm + done, amr.frames[amr.n++].bytes);
	return amr.n ? amr_write(encoder->type, &amr, payload) : 0;
}

static void
amr_ask(gpointer data, guint8 mode)
{
	AmrEncoder *encoder = data;

	amr_sender_ask(&encoder->sender, mode);
}

const SpeechCodec amr_codec = {
	.decoder_new = amr_decoder_new,
	.decoder_free = amr_decoder_free,
	.decode = amr_decode,
	.conceal = amr_conceal,
	.pauses = amr_pauses,
	.asked = amr_asked,
	.encoder_new = amr_encoder_new,
	.encoder_free = amr_encoder_free,
	.encode = amr_encode,
	.set_modes = amr_set_modes,
	.ask = amr_ask,
};
