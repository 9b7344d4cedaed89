/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* voice.c - something like speech, coded, and how late it is heard.
 *
 * Syllables of a gliding pitch with noise above: Opus has work with it, and no two places
 * look alike.
 */
#include "bench/voice.h"
#include "media/coder.h"
#include "media/transcode.h"
#include <math.h>
#include <string.h>

#define FRAME	   (VOICE_RATE / 50)
#define LENGTH	   (VOICE_FRAMES * FRAME)
#define MAX_SHIFT  (VOICE_RATE / 4)
#define HARMONICS  24
#define MIX_FRAMES (2 * VOICE_FRAMES)

static gint16 *
speak(guint which)
{
	gint16 *pcm = g_new(gint16, LENGTH);
	g_autoptr(GRand) chance = g_rand_new_with_seed(which + 1);
	double phase = 0, noise = 0;

	for (guint i = 0; i < LENGTH; i++) {
		const double t = (double)i / VOICE_RATE;
		const double pitch = 130 + 40 * sin(1.7 * t + which) + 15 * sin(9.1 * t);
		const double loud = fmax(0, sin(2 * G_PI * (2.9 * t + 0.11 * which)) + 0.4);
		double sample = 0;

		phase += 2 * G_PI * pitch / VOICE_RATE;
		for (guint h = 1; h <= HARMONICS; h++) {
			const double far = (pitch * h - 700 - 500 * sin(2.3 * t)) / 500;

			sample += sin(h * phase) / (1 + far * far);
		}
		noise = 0.6 * noise + g_rand_double_range(chance, -1, 1);
		pcm[i] = (gint16)CLAMP(loud * (1500 * sample + 700 * noise), -30000, 30000);
	}
	return pcm;
}

/* Coders run at the codec's own rate, or at VOICE_RATE. */
static guint
rate_of(const CodecType *type)
{
	return MIN(type->rate, VOICE_RATE);
}

Voice *
voice_new(const CodecType *type, guint which)
{
	Voice *voice = g_new0(Voice, 1);
	g_autofree gint16 *pcm = speak(which);
	const guint rate = rate_of(type), step = VOICE_RATE / rate;
	Encoder *encoder = encoder_new(type, rate);

	voice->type = type;
	for (guint i = 0; i < VOICE_FRAMES; i++) {
		gint16 frame[FRAME];

		for (guint j = 0; j < FRAME / step; j++) {
			const gint16 *at = pcm + i * FRAME + j * step;

			frame[j] = step == 1 ? at[0] : (gint16)((at[0] + at[1]) / 2);
		}
		voice->size[i] = encoder_encode(encoder, frame, FRAME / step, voice->payload[i]);
	}
	encoder_free(encoder);
	return voice;
}

Voice *
voice_through(const Voice *voice, const CodecType *type)
{
	Transcoder *transcoder = transcoder_new(type, 20);
	Voice *made = g_new0(Voice, 1);
	RtpPacket packet = { .ssrc = 1 };
	TranscodedFrame frame;
	guint n = 0;

	made->type = type;
	for (guint i = 0; i < MIX_FRAMES; i++) {
		guint8 payload[CODER_MAX_PAYLOAD];

		packet.payload = voice->payload[i % VOICE_FRAMES];
		packet.payload_size = voice->size[i % VOICE_FRAMES];
		transcoder_push(transcoder, voice->type, &packet, 0, (gint64)i * 20000);
		packet.seq++;
		packet.timestamp += voice->type->clock / 50;
		while (transcoder_pull(transcoder, payload, &frame)) {
			memcpy(made->payload[n % VOICE_FRAMES], payload, frame.size);
			made->size[n++ % VOICE_FRAMES] = frame.size;
		}
	}
	transcoder_free(transcoder);
	return made;
}

static void
widen(const gint16 *narrow, guint n, gint16 *wide)
{
	for (guint i = 0; i < n; i++) {
		wide[2 * i] = narrow[i];
		wide[2 * i + 1] = (gint16)((narrow[i] + narrow[MIN(i + 1, n - 1)]) / 2);
	}
}

gint16 *
voice_played(const Voice *voice)
{
	gint16 *pcm = g_new0(gint16, LENGTH);
	const guint rate = rate_of(voice->type);
	Decoder *decoder = decoder_new(voice->type, rate);

	for (guint i = 0; i < MIX_FRAMES; i++) {
		const guint at = i % VOICE_FRAMES;
		gint16 frame[CODER_MAX_SAMPLES];
		const guint n = decoder_decode(decoder, voice->payload[at], voice->size[at], frame);

		if (rate == VOICE_RATE)
			memcpy(pcm + at * FRAME, frame, MIN(n, FRAME) * sizeof *pcm);
		else
			widen(frame, MIN(n, FRAME / 2), pcm + at * FRAME);
	}
	decoder_free(decoder);
	return pcm;
}

double
voice_shift(const gint16 *played, const gint16 *heard, guint n)
{
	double best = 0;
	gint shift = 0;

	for (gint lag = -MAX_SHIFT; lag <= MAX_SHIFT; lag++) {
		double product = 0, energy = 1;

		for (guint i = MAX_SHIFT; i + MAX_SHIFT < n; i += 3) {
			const double one = played[(gint)(i + LENGTH) % LENGTH];
			const double other = heard[(gint)i + lag];

			product += one * other;
			energy += other * other;
		}
		if (product / sqrt(energy) > best) {
			best = product / sqrt(energy);
			shift = lag;
		}
	}
	return 1000.0 * shift / VOICE_RATE;
}
