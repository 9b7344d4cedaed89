/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tone.c - a tone as a source: one or two frequencies, switched on and off.
 *
 * Each frequency is a vector that is turned a little further for each sample, which costs
 * two multiplications and an addition, and begins anew with each sound.
 */
#include "media/audio/tone.h"
#include <math.h>

#define LEVEL  7200.0		  /* -10 dBm0, where a sine of full scale is +3.14 (E.180 5) */
#define EDGE   (AUDIO_RATE / 200) /* samples: 5 ms, so that it does not click */
#define MS(ms) ((ms) * (AUDIO_RATE / 1000u))

typedef struct {
	double re, im, step_re, step_im;
} Turn;

typedef struct {
	AudioSource source; /* first */
	const ToneType *type;
	gboolean once;
	guint step, at; /* of the cadence, and samples in it */
	Turn waves[2], modulation;
} ToneSource;

static void
turn_begin(Turn *turn, guint hz)
{
	const double angle = 2 * G_PI * hz / AUDIO_RATE;

	*turn = (Turn){ 1, 0, cos(angle), sin(angle) };
}

/* The sine of where it is; and on. */
static double
turn_on(Turn *turn)
{
	const double re = turn->re, im = turn->im;

	turn->re = re * turn->step_re - im * turn->step_im;
	turn->im = re * turn->step_im + im * turn->step_re;
	return im;
}

static void
begin_step(ToneSource *tone)
{
	tone->at = 0;
	for (guint i = 0; i < G_N_ELEMENTS(tone->waves); i++)
		turn_begin(&tone->waves[i], tone->type->hz[i]);
	turn_begin(&tone->modulation, tone->type->modulation);
}

static gint16
sample(ToneSource *tone, guint length)
{
	const gboolean two = tone->type->hz[1] != 0;
	double value = turn_on(&tone->waves[0]);

	if (two)
		value = (value + turn_on(&tone->waves[1])) * G_SQRT2 / 2;
	if (tone->type->modulation)
		value *= (1 + turn_on(&tone->modulation)) / 2;
	value *= LEVEL;
	if (tone->at < EDGE)
		value *= (double)tone->at / EDGE;
	else if (length - tone->at < EDGE)
		value *= (double)(length - tone->at) / EDGE;
	return (gint16)lrint(value);
}

/* FALSE: that was the last. */
static gboolean
next_step(ToneSource *tone)
{
	guint next = tone->step + 1;

	if (next == TONE_STEPS || tone->type->cadence[next] == 0)
		next = 0;
	if (next == 0 && tone->once)
		return FALSE;
	tone->step = next;
	begin_step(tone);
	return TRUE;
}

static guint
pull(AudioSource *source, gint16 *pcm)
{
	ToneSource *tone = (ToneSource *)source;
	guint n = 0;

	while (n < AUDIO_FRAME) {
		const guint length = MS(tone->type->cadence[tone->step]);

		if (tone->at == length) {
			if (!next_step(tone))
				break;
			continue;
		}
		pcm[n++] = tone->step % 2 ? 0 : sample(tone, length);
		tone->at++;
	}
	return n;
}

static void
free_tone(AudioSource *source)
{
	g_free(source);
}

AudioSource *
audio_tone(Tone tone, const char *country)
{
	ToneSource *source = g_new0(ToneSource, 1);

	source->source = (AudioSource){ pull, free_tone };
	source->type = tone_type(tone, country);
	source->once = tone == TONE_BEEP;
	begin_step(source);
	return &source->source;
}
