/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-tone.c - the tones of the countries: their frequencies, their cadences, their level. */
#include <math.h>
#include <string.h>
#include "media/audio/tone.h"

#define SECONDS 7
#define MOST	(SECONDS * AUDIO_RATE)

/* SECONDS of it, or all. */
static guint
listen_to(AudioSource *source, gint16 *pcm)
{
	guint n = 0, got = AUDIO_FRAME;

	while (got == AUDIO_FRAME && n + AUDIO_FRAME <= MOST) {
		got = source->pull(source, pcm + n);
		g_assert_cmpuint(got, <=, AUDIO_FRAME);
		n += got;
	}
	return n;
}

/* The amplitude of one frequency, by 0.1 s or what there is. */
static double
amplitude(const gint16 *pcm, guint n, double hz)
{
	double re = 0, im = 0;

	for (guint i = 0; i < n; i++) {
		const double angle = 2 * G_PI * hz * i / AUDIO_RATE;

		re += pcm[i] * cos(angle);
		im += pcm[i] * sin(angle);
	}
	return 2 * sqrt(re * re + im * im) / n;
}

static double
rms(const gint16 *pcm, guint n)
{
	double sum = 0;

	for (guint i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return sqrt(sum / n);
}

/* ms after ms: is there sound?  The pauses between zeros of a wave are not. */
static guint
length_of(const gint16 *pcm, guint n, guint at, gboolean sound)
{
	guint ms = 0;

	for (; at + 16 <= n; at += 16, ms++)
		if ((rms(pcm + at, 16) > 50) != sound)
			break;
	return ms;
}

/* "440+480 2000 4000": what is heard, and for how long. */
static void
check(Tone tone, const char *country, const char *expected)
{
	g_auto(GStrv) words = g_strsplit(expected, " ", -1);
	g_auto(GStrv) hz = g_strsplit(words[0], "+", 2);
	g_autofree gint16 *pcm = g_new0(gint16, MOST);
	AudioSource *source = audio_tone(tone, country);
	const guint n = listen_to(source, pcm);
	const double each = hz[1] ? 7200 / G_SQRT2 : 7200;
	guint at = 0, i;

	g_assert_cmpuint(n, ==, MOST);
	for (i = 0; hz[i]; i++)
		g_assert_cmpfloat_with_epsilon(amplitude(pcm + 160, 1600, atof(hz[i])), each,
					       each / 20);
	/* elsewhere there is nothing */
	g_assert_cmpfloat(amplitude(pcm + 160, 1600, 800), <, 150);
	for (i = 1; words[i]; i++) {
		const guint ms = length_of(pcm, n, at, i % 2);

		g_assert_cmpint(ABS((gint)ms - atoi(words[i])), <=, 2);
		at += (guint)atoi(words[i]) * 16;
	}
	if (at < n) /* and it goes on */
		g_assert_cmpuint(length_of(pcm, n, at, i % 2), >=, 100);
	audio_source_free(source);
}

static void
test_countries(void)
{
	check(TONE_RINGBACK, "US", "440+480 2000 4000");
	check(TONE_BUSY, "us", "480+620 500 500 500 500");
	check(TONE_CONGESTION, "CA", "480+620 250 250");
	check(TONE_RINGBACK, "GB", "400+450 400 200 400 2000 400 200 400 2000");
	check(TONE_BUSY, "GB", "400 375 375");
	check(TONE_CONGESTION, "GB", "400 400 350 225 525 400");
	check(TONE_RINGBACK, "AT", "420 1000 5000");
	check(TONE_RINGBACK, "DE", "425 1000 4000");
	check(TONE_BUSY, "DE", "425 480 480 480 480");
	check(TONE_CONGESTION, "DE", "425 240 240");
	check(TONE_RINGBACK, "CH", "425 1000 4000");
	check(TONE_RINGBACK, "FR", "440 1500 3500");
	check(TONE_RINGBACK, "ES", "425 1500 3000");
	check(TONE_CONGESTION, "ES", "425 200 200 200 200 200 600 200");
	check(TONE_CONGESTION, "SE", "425 250 750 250 750");
}

static void
test_elsewhere(void)
{
	static const char *const others[] = { NULL, "", "XX", "001", "U", "S ", "A" };

	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		check(TONE_RINGBACK, others[i], "425 1000 4000");
		check(TONE_BUSY, others[i], "425 500 500");
		check(TONE_CONGESTION, others[i], "425 250 250");
	}
}

/* The amplitude goes up and down: what is heard has lines beside the carrier. */
static void
test_modulated(void)
{
	g_autofree gint16 *pcm = g_new0(gint16, MOST);
	AudioSource *source = audio_tone(TONE_RINGBACK, "IN");

	listen_to(source, pcm);
	g_assert_cmpfloat_with_epsilon(amplitude(pcm, 6400, 400), 3600, 180);
	g_assert_cmpfloat_with_epsilon(amplitude(pcm, 6400, 375), 1800, 120);
	g_assert_cmpfloat_with_epsilon(amplitude(pcm, 6400, 425), 1800, 120);
	audio_source_free(source);
}

/* Once, and then no more. */
static void
test_beep(void)
{
	g_autofree gint16 *pcm = g_new0(gint16, MOST);
	AudioSource *source = audio_tone(TONE_BEEP, "DE");
	const guint n = listen_to(source, pcm);

	g_assert_cmpuint(n, ==, AUDIO_RATE / 1000 * 300);
	g_assert_cmpfloat_with_epsilon(amplitude(pcm + 160, 1600, 1000), 7200, 100);
	g_assert_cmpuint(source->pull(source, pcm), ==, 0);
	g_assert_cmpuint(source->pull(source, pcm), ==, 0);
	audio_source_free(source);
}

/* Every row can be heard: something sounds, something pauses, and its frequencies pass a
 * telephone line. */
static void
test_table(void)
{
	for (char a = 'A'; a <= 'Z'; a++)
		for (char b = 'A'; b <= 'Z'; b++)
			for (guint tone = TONE_RINGBACK; tone <= TONE_CONGESTION; tone++) {
				const ToneType *type = tone_type(tone, (char[]){ a, b, '\0' });
				guint steps = 0;

				g_assert_cmpuint(type->hz[0], >=, 350);
				g_assert_cmpuint(type->hz[0], <=, 500);
				g_assert_cmpuint(type->hz[1], <=, 700);
				while (steps < TONE_STEPS && type->cadence[steps])
					g_assert_cmpuint(type->cadence[steps++], <=, 6000);
				g_assert_cmpuint(steps, >=, 2);
				g_assert_cmpuint(steps % 2, ==, 0);
			}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tone/countries", test_countries);
	g_test_add_func("/tone/elsewhere", test_elsewhere);
	g_test_add_func("/tone/modulated", test_modulated);
	g_test_add_func("/tone/beep", test_beep);
	g_test_add_func("/tone/table", test_table);
	return g_test_run();
}
