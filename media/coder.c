/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* coder.c - libopus, libspandsp, our tables and those of speech.h behind one pair of functions. */
#include "media/coder.h"
#include <opus.h>
#include <spandsp.h>
#include <speex/speex_resampler.h>
#include <string.h>
#include "media/bytes.h"
#include "media/g711.h"
#include "media/speech.h"

#define NARROW		 8000
#define OPUS_BITS_NARROW 20000
#define OPUS_BITS_WIDE	 28000
#define OPUS_LEAST_LOSS	 2 /* percent: below it FEC costs more than it gives */
#define OPUS_MOST_LOSS	 25
#define OPUS_GAINS	 1.5 /* times more energy: then it was soft before */
#define OPUS_MOST_AGAIN	 3
#define OPUS_LOUDER	 1.2
#define OPUS_PAUSE_BYTES 2 /* RFC 6716 2.1.9: a payload of a TOC and no more */
#define G722_BITS	 64000
#define RESAMPLE_QUALITY 3 /* for speech; 5 us for 20 ms */

/* --- decoding --- */

/* What was heard last, to go on with where something is missing: the last period of the
 * voice again, fading.  (plc.h of spandsp copies between ranges that overlap.) */
#define LINE_SAMPLES (16000 / 1000 * 40)
#define HOLD_MS	     20 /* as loud as it was */
#define FADE_MS	     80 /* after that */
#define JOIN_MS	     5	/* from what was made up back to what is heard */

typedef struct {
	gint16 last[LINE_SAMPLES]; /* 40 ms at 16000; the newest at the end */
	guint filled;		   /* samples since the last that was heard */
	gboolean said;		   /* they are what was heard, no other's */
	guint period;
	double match; /* of the last two periods: 1 is alike */
} Line;

static void
line_keep(Line *line, const gint16 *pcm, guint samples)
{
	const guint n = MIN(samples, LINE_SAMPLES);

	memmove(line->last, line->last + n, (LINE_SAMPLES - n) * sizeof *pcm);
	memcpy(line->last + LINE_SAMPLES - n, pcm + samples - n, n * sizeof *pcm);
}

/* Voices have 66 to 400 periods a second. */
static void
line_measure(Line *line, guint rate)
{
	const guint window = rate / 100;
	const gint16 *newest = line->last + LINE_SAMPLES - window;
	double best = 0, loudness = 1;

	line->period = rate / 100;
	for (guint i = 0; i < window; i++)
		loudness += (double)newest[i] * newest[i];
	for (guint lag = rate / 400; lag <= rate / 66; lag++) {
		double product = 0, energy = 1;

		for (guint i = 0; i < window; i++) {
			product += (double)newest[i] * newest[(gint)i - (gint)lag];
			energy += (double)newest[(gint)i - (gint)lag] * newest[(gint)i - (gint)lag];
		}
		if (product > 0 && product * product / energy > best) {
			best = product * product / energy;
			line->period = lag;
		}
	}
	line->match = best / loudness;
}

/* The next sample that would have come; how loud it still is. */
static gint16
line_next(Line *line, guint rate)
{
	const gint fade = (gint)(rate / 1000 * FADE_MS);
	const gint left = fade + (gint)(rate / 1000 * HOLD_MS) - (gint)line->filled;
	const guint at = LINE_SAMPLES - line->period + line->filled % line->period;

	line->filled++;
	return (gint16)(line->last[at] * CLAMP(left, 0, fade) / fade);
}

static void
line_fill(Line *line, guint rate, gint16 *pcm, guint samples)
{
	if (line->filled == 0)
		line_measure(line, rate);
	for (guint i = 0; i < samples; i++)
		pcm[i] = line_next(line, rate);
	line->said = TRUE;
}

static void
line_heard(Line *line, guint rate, gint16 *pcm, guint samples)
{
	const guint join = line->said ? MIN(samples, rate / 1000 * JOIN_MS) : 0;

	for (guint i = 0; i < join; i++)
		pcm[i] = (gint16)((pcm[i] * (gint)i + line_next(line, rate) * (gint)(join - i)) /
				  (gint)join);
	line->filled = 0;
	line->said = FALSE;
	line_keep(line, pcm, samples);
}

struct Decoder {
	const CodecType *type;
	guint rate;
	OpusDecoder *opus;
	g722_decode_state_t *g722;
	const SpeechCodec *speech;
	gpointer spoken;		/* its state */
	SpeexResamplerState *resampler; /* from the codec's own rate; NULL: it has this one */
	Line line;
	gboolean pauses; /* the last payload has said so */
	gboolean gap;	 /* what came last was concealed; of Opus */
	gpointer before; /* of Opus: how the decoder was, made when first a packet is missing */
	double loud;	 /* a sample's energy before the gap */
};

/* Of the codecs that have one rate, and no coder for another. */
static SpeexResamplerState *
resampler_new(const CodecType *type, guint from, guint to)
{
	int error;

	if (from == to || (type->kind != CODEC_LINEAR && type->kind != CODEC_AMR_WB))
		return NULL;
	return speex_resampler_init(1, from, to, RESAMPLE_QUALITY, &error);
}

Decoder *
decoder_new(const CodecType *type, guint rate)
{
	Decoder *decoder;
	int error;

	if (type->kind == CODEC_EVENT)
		return NULL;
	decoder = g_new0(Decoder, 1);
	decoder->type = type;
	decoder->rate = rate;
	if (type->kind == CODEC_OPUS)
		decoder->opus = opus_decoder_create((opus_int32)rate, 1, &error);
	if (type->kind == CODEC_G722)
		decoder->g722 = g722_decode_init(NULL, G722_BITS,
						 rate == NARROW ? G722_SAMPLE_RATE_8000 : 0);
	decoder->speech = speech_codec(type);
	if (decoder->speech)
		decoder->spoken = decoder->speech->decoder_new(type);
	decoder->resampler = resampler_new(type, type->rate, rate);
	return decoder;
}

void
decoder_free(Decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->opus)
		opus_decoder_destroy(decoder->opus);
	g_free(decoder->before);
	if (decoder->g722)
		g722_decode_free(decoder->g722);
	if (decoder->speech)
		decoder->speech->decoder_free(decoder->spoken);
	if (decoder->resampler)
		speex_resampler_destroy(decoder->resampler);
	g_free(decoder);
}

static guint
decode_g711(const Decoder *decoder, const guint8 *payload, gsize size, gint16 *pcm)
{
	Law law = decoder->type->kind == CODEC_PCMU ? LAW_U : LAW_A;

	law_decode_all(law, payload, (guint)size, pcm);
	return (guint)size;
}

/* From the codec's own rate to the caller's. */
static guint
resample(SpeexResamplerState *resampler, const gint16 *own, guint samples, gint16 *pcm)
{
	spx_uint32_t n = samples, made = CODER_MAX_SAMPLES;

	if (!resampler) {
		memcpy(pcm, own, n * sizeof *pcm);
		return n;
	}
	speex_resampler_process_int(resampler, 0, own, &n, pcm, &made);
	return made;
}

static guint
decode_linear(const Decoder *decoder, const guint8 *payload, gsize size, gint16 *pcm)
{
	gint16 linear[CODER_MAX_RECEIVED / 2];
	const guint n = (guint)(size / 2);

	for (guint i = 0; i < n; i++)
		linear[i] = (gint16)get16(payload + (gsize)2 * i);
	return resample(decoder->resampler, linear, n, pcm);
}

static guint
decode_speech(const Decoder *decoder, const guint8 *payload, gsize size, gint16 *pcm)
{
	gint16 own[CODER_MAX_SAMPLES];

	return resample(decoder->resampler, own,
			decoder->speech->decode(decoder->spoken, payload, size, own), pcm);
}

static void
conceal_speech(const Decoder *decoder, gint16 *pcm, guint samples)
{
	const guint wanted = MIN(samples * decoder->type->rate / decoder->rate, CODER_MAX_SAMPLES);
	gint16 own[CODER_MAX_SAMPLES], made[CODER_MAX_SAMPLES];
	guint n;

	decoder->speech->conceal(decoder->spoken, own, wanted);
	n = MIN(resample(decoder->resampler, own, wanted, made), samples);
	memcpy(pcm, made, n * sizeof *pcm);
	memset(pcm + n, 0, (samples - n) * sizeof *pcm);
}

static double
energy(const gint16 *pcm, guint samples)
{
	double sum = 0;

	for (guint i = 0; i < samples; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum;
}

/* What is coded as a change of what was before is soft behind a gap, and what follows it too:
 * libopus has not heard what it is a change of.  Decoded again it is a change of itself; that is
 * done as long as it gains by it, and is no louder than what was heard before the gap: of voices,
 * some begin behind it.  `fec`: what the payload knows of the one before it. */
static int
decode_opus(Decoder *decoder, const guint8 *payload, gsize size, gboolean fec, gint16 *pcm,
	    int room)
{
	const gsize state = (gsize)opus_decoder_get_size(1);
	int decoded = opus_decode(decoder->opus, payload, (opus_int32)size, pcm, room, fec);
	gint16 again[CODER_MAX_SAMPLES];

	if (!decoder->gap || decoded <= 0)
		return decoded;
	if (!decoder->before)
		decoder->before = g_malloc(state);
	for (guint i = 0; i < OPUS_MOST_AGAIN; i++) {
		const double soft = energy(pcm, (guint)decoded);
		double more;

		memcpy(decoder->before, decoder->opus, state);
		if (opus_decode(decoder->opus, payload, (opus_int32)size, again, room, fec) !=
		    decoded)
			more = 0;
		else
			more = energy(again, (guint)decoded);
		if (more <= soft * OPUS_GAINS || more > decoder->loud * OPUS_LOUDER * decoded) {
			memcpy(decoder->opus, decoder->before, state);
			break;
		}
		memcpy(pcm, again, (guint)decoded * sizeof *pcm);
	}
	return decoded;
}

guint
decoder_decode(Decoder *decoder, const guint8 *payload, gsize size, gint16 *pcm)
{
	guint samples = 0;
	int decoded;

	if (size == 0 || size > CODER_MAX_RECEIVED)
		return 0;
	switch (decoder->type->kind) {
	case CODEC_OPUS:
		decoded = decode_opus(decoder, payload, size, FALSE, pcm,
				      (int)(decoder->rate / 1000 * CODER_MAX_MS));
		decoder->gap = FALSE;
		samples = (guint)MAX(decoded, 0);
		decoder->pauses = decoder_pauses(decoder, size);
		break;
	case CODEC_G722: /* a byte is two samples at 16000 */
		if (size * 2 > CODER_MAX_SAMPLES)
			return 0;
		decoded = g722_decode(decoder->g722, pcm, payload, (int)size);
		samples = (guint)MAX(decoded, 0);
		break;
	case CODEC_PCMU:
	case CODEC_PCMA:
		if (size > NARROW / 1000 * CODER_MAX_MS)
			return 0;
		samples = decode_g711(decoder, payload, size, pcm);
		break;
	case CODEC_LINEAR:
		samples = decode_linear(decoder, payload, size, pcm);
		break;
	case CODEC_G729:
	case CODEC_AMR:
	case CODEC_AMR_WB:
		return decode_speech(decoder, payload, size, pcm);
	case CODEC_EVENT:
	case N_CODEC_KINDS:
		break;
	}
	if (samples)
		line_heard(&decoder->line, decoder->rate, pcm, samples);
	return samples;
}

/* libopus lets a tone die within a frame; it is better said again, and so is all that has some
 * period and dies all the same.  Voices are less regular than a tone, and libopus continues
 * those the better.  It decodes in any case, for what it has to remember. */
#define PERIODIC 0.985
#define ALIKE	 0.5
#define SOFT	 4 /* times less energy */

/* From what libopus says, which goes on from what it said, to the line's. */
static void
say_again(const Decoder *decoder, gint16 *pcm, const gint16 *again, guint samples, gboolean joined)
{
	const guint join = joined ? 0 : MIN(samples, decoder->rate / 1000 * JOIN_MS);

	for (guint i = 0; i < samples; i++)
		pcm[i] = i < join ? (gint16)((again[i] * (gint)i + pcm[i] * (gint)(join - i)) /
					     (gint)join)
				  : again[i];
}

/* `known`: the payload that follows has told what was lost. */
static void
conceal_opus(Decoder *decoder, gboolean known, gint16 *pcm, guint samples)
{
	Line *line = &decoder->line;
	const gboolean said = line->said, first = line->filled == 0;
	gint16 again[CODER_MAX_SAMPLES];
	gboolean soft;

	if (decoder->pauses)
		return;
	if (first && known) {
		line_heard(line, decoder->rate, pcm, samples);
		return;
	}
	line_fill(line, decoder->rate, again, samples);
	soft = energy(pcm, samples) * SOFT < energy(again, samples);
	if (known ? line->match >= PERIODIC && soft
		  : said || line->match >= (soft ? ALIKE : PERIODIC)) {
		say_again(decoder, pcm, again, samples, said || first);
		return;
	}
	line->said = said && known;
	if (known) {
		line->filled -= samples;
		line_heard(line, decoder->rate, pcm, samples);
	}
}

void
decoder_conceal(Decoder *decoder, const guint8 *next, gsize size, gint16 *pcm, guint samples)
{
	int decoded;

	samples = MIN(samples, CODER_MAX_SAMPLES);
	if (decoder->speech) {
		conceal_speech(decoder, pcm, samples);
		return;
	}
	if (!decoder->opus) {
		line_fill(&decoder->line, decoder->rate, pcm, samples);
		return;
	}
	if (!decoder->gap)
		decoder->loud = energy(decoder->line.last + LINE_SAMPLES - decoder->rate / 50,
				       decoder->rate / 50) /
				(decoder->rate / 50);
	decoded = next ? decode_opus(decoder, next, size, TRUE, pcm, (int)samples)
		       : opus_decode(decoder->opus, NULL, 0, pcm, (int)samples, 0);
	decoder->gap = !decoder->pauses;
	if (decoded < (int)samples)
		memset(pcm + MAX(decoded, 0), 0, (samples - (guint)MAX(decoded, 0)) * sizeof *pcm);
	conceal_opus(decoder, next != NULL, pcm, samples);
}

gboolean
decoder_pauses(const Decoder *decoder, gsize size)
{
	if (decoder->speech)
		return decoder->speech->pauses(decoder->spoken);
	return decoder->opus && size <= OPUS_PAUSE_BYTES;
}

guint8
decoder_asked(const Decoder *decoder)
{
	return decoder->speech && decoder->speech->asked ? decoder->speech->asked(decoder->spoken)
							 : CODER_NO_MODE;
}

/* --- encoding --- */

struct Encoder {
	const CodecType *type;
	guint rate;
	OpusEncoder *opus;
	g722_encode_state_t *g722;
	const SpeechCodec *speech;
	gpointer spoken;		/* its state */
	SpeexResamplerState *resampler; /* as a decoder's */
	guint loss;
	gboolean dtx;
};

static OpusEncoder *
opus_new(guint rate)
{
	int error;
	OpusEncoder *opus = opus_encoder_create((opus_int32)rate, 1, OPUS_APPLICATION_VOIP, &error);

	opus_encoder_ctl(opus,
			 OPUS_SET_BITRATE(rate == NARROW ? OPUS_BITS_NARROW : OPUS_BITS_WIDE));
	opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(CODER_OPUS_COMPLEXITY));
	opus_encoder_ctl(opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	return opus;
}

Encoder *
encoder_new(const CodecType *type, guint rate)
{
	Encoder *encoder;

	if (type->kind == CODEC_EVENT)
		return NULL;
	encoder = g_new0(Encoder, 1);
	encoder->type = type;
	encoder->rate = rate;
	if (type->kind == CODEC_OPUS)
		encoder->opus = opus_new(rate);
	if (type->kind == CODEC_G722)
		encoder->g722 = g722_encode_init(NULL, G722_BITS,
						 rate == NARROW ? G722_SAMPLE_RATE_8000 : 0);
	encoder->speech = speech_codec(type);
	if (encoder->speech)
		encoder->spoken = encoder->speech->encoder_new(type);
	encoder->resampler = resampler_new(type, rate, type->rate);
	return encoder;
}

void
encoder_free(Encoder *encoder)
{
	if (!encoder)
		return;
	if (encoder->opus)
		opus_encoder_destroy(encoder->opus);
	if (encoder->g722)
		g722_encode_free(encoder->g722);
	if (encoder->speech)
		encoder->speech->encoder_free(encoder->spoken);
	if (encoder->resampler)
		speex_resampler_destroy(encoder->resampler);
	g_free(encoder);
}

/* As many as there is room for. */
static gsize
encode_linear(const Encoder *encoder, const gint16 *pcm, guint samples, guint8 *payload)
{
	gint16 linear[CODER_MAX_PAYLOAD / 2];
	spx_uint32_t n = samples, made = G_N_ELEMENTS(linear);

	if (encoder->resampler) {
		speex_resampler_process_int(encoder->resampler, 0, pcm, &n, linear, &made);
		pcm = linear;
	} else {
		made = MIN(made, n);
	}
	for (guint i = 0; i < made; i++)
		put16(payload + (gsize)2 * i, (guint16)pcm[i]);
	return (gsize)2 * made;
}

static gsize
encode_speech(const Encoder *encoder, const gint16 *pcm, guint samples, guint8 *payload)
{
	gint16 own[CODER_MAX_SAMPLES];

	samples = resample(encoder->resampler, pcm, samples, own);
	return encoder->speech->encode(encoder->spoken, own, samples, payload);
}

gsize
encoder_encode(Encoder *encoder, const gint16 *pcm, guint samples, guint8 *payload)
{
	Law law = encoder->type->kind == CODEC_PCMU ? LAW_U : LAW_A;
	int size = 0;

	switch (encoder->type->kind) {
	case CODEC_OPUS:
		size = opus_encode(encoder->opus, pcm, (int)samples, payload, CODER_MAX_PAYLOAD);
		break;
	case CODEC_G722:
		size = g722_encode(encoder->g722, payload, pcm, (int)samples);
		break;
	case CODEC_PCMU:
	case CODEC_PCMA:
		law_encode_all(law, pcm, samples, payload);
		size = (int)samples;
		break;
	case CODEC_LINEAR:
		size = (int)encode_linear(encoder, pcm, samples, payload);
		break;
	case CODEC_G729:
	case CODEC_AMR:
	case CODEC_AMR_WB:
		return encode_speech(encoder, pcm, samples, payload);
	case CODEC_EVENT:
	case N_CODEC_KINDS:
		break;
	}
	return (gsize)MAX(size, 0);
}

void
encoder_set_loss(Encoder *encoder, guint percent)
{
	percent = MIN(percent, OPUS_MOST_LOSS);
	if (!encoder->opus || percent == encoder->loss)
		return;
	encoder->loss = percent;
	opus_encoder_ctl(encoder->opus, OPUS_SET_INBAND_FEC(percent >= OPUS_LEAST_LOSS));
	opus_encoder_ctl(encoder->opus, OPUS_SET_PACKET_LOSS_PERC((opus_int32)percent));
}

void
encoder_set_complexity(Encoder *encoder, guint complexity)
{
	if (encoder->opus)
		opus_encoder_ctl(encoder->opus,
				 OPUS_SET_COMPLEXITY((opus_int32)MIN(complexity, 10)));
}

void
encoder_set_modes(Encoder *encoder, const CodecModes *modes)
{
	if (encoder->speech && encoder->speech->set_modes)
		encoder->speech->set_modes(encoder->spoken, modes);
	encoder->dtx = encoder->opus && modes->dtx;
	if (encoder->opus)
		opus_encoder_ctl(encoder->opus, OPUS_SET_DTX(encoder->dtx));
}

gboolean
encoder_pauses(const Encoder *encoder, gsize size)
{
	return encoder->dtx && size <= OPUS_PAUSE_BYTES;
}

void
encoder_ask(Encoder *encoder, guint8 mode)
{
	if (mode != CODER_NO_MODE && encoder->speech && encoder->speech->ask)
		encoder->speech->ask(encoder->spoken, mode);
}
