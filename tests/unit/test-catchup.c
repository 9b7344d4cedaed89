/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-catchup.c - G.711, and speech that is played a little fast: what begins it is
 * whole, and in the end nothing of the delay is left.
 */
#include "media/catchup.h"
#include <math.h>
#include <string.h>

static void
test_g711(void)
{
	for (guint code = 0; code < 256; code++) {
		gint16 u = law_decode(LAW_U, (guint8)code), a = law_decode(LAW_A, (guint8)code);

		g_assert_cmpint(law_decode(LAW_U, law_encode(LAW_U, u)), ==, u);
		g_assert_cmpint(law_encode(LAW_A, a), ==, code);
	}
	for (int sample = -32768; sample < 32768; sample++) {
		int limit = 24 + ABS(sample) / 16;

		for (Law law = LAW_U; law <= LAW_A; law++) {
			int back = law_decode(law, law_encode(law, (gint16)sample));

			g_assert_cmpint(ABS(back - sample), <=,
					sample < -32000 || sample > 32000 ? 800 : limit);
		}
	}
	for (int sample = -32768; sample <= 32767; sample++) {
		const gint16 one = (gint16)sample;
		guint8 all;

		for (Law law = LAW_U; law <= LAW_A; law++) {
			law_encode_all(law, &one, 1, &all);
			g_assert_cmpint(all, ==, law_encode(law, one));
			/* louder is never quieter */
			if (sample > -32768)
				g_assert_cmpint(
					law_decode(law, all), >=,
					law_decode(law, law_encode(law, (gint16)(sample - 1))));
		}
	}
	g_assert_cmpint(law_encode(LAW_U, 0), ==, 0xff); /* G.711, tables 1 and 2 */
	g_assert_cmpint(law_encode(LAW_A, 0), ==, 0xd5);
	g_assert_cmpint(law_decode(LAW_U, 0x00), ==, -32124);
	g_assert_cmpint(law_decode(LAW_A, 0x2a), ==, -32256);
}

/* 400 Hz from `at` on: a whole number of periods a frame. */
static void
push_tone(Catchup *catchup, guint32 at)
{
	guint8 payload[CATCHUP_FRAME];

	for (guint i = 0; i < CATCHUP_FRAME; i++)
		payload[i] = law_encode(LAW_U, (gint16)(8000 * sin((at + i) * 2 * G_PI / 20)));
	catchup_push(catchup, LAW_U, at, payload, sizeof payload);
}

static void
push_silence(Catchup *catchup, guint32 at)
{
	guint8 payload[CATCHUP_FRAME];

	memset(payload, 0xff, sizeof payload);
	catchup_push(catchup, LAW_U, at, payload, sizeof payload);
}

/* A second and a half has been kept and more comes as it plays. */
static void
test_speed(void)
{
	Catchup *catchup = catchup_new();
	guint8 out[CATCHUP_LAST];
	guint32 at = 1000;
	gsize played = 0;
	gboolean last = FALSE;
	guint frames;

	for (; at < 1000 + 12000; at += CATCHUP_FRAME)
		push_tone(catchup, at);
	g_assert_cmpuint(catchup_waiting(catchup), ==, 12000);
	for (frames = 0; !last && frames < 1000; frames++) {
		gsize n = catchup_pull(catchup, LAW_U, out, &last);

		g_assert_true(last || n == CATCHUP_FRAME);
		g_assert_cmpuint(n % CATCHUP_FRAME, ==, 0);
		if (frames == 0) /* nothing is cut: the first samples are the first ones sent */
			for (guint i = 0; i < 40; i++)
				g_assert_cmpint(ABS(law_decode(LAW_U, out[i]) -
						    (int)(8000 * sin((1000 + i) * 2 * G_PI / 20))),
						<, 600);
		played += n;
		push_tone(catchup, at);
		at += CATCHUP_FRAME;
	}
	g_test_message("caught up after %.1f s", frames * 0.02);
	g_assert_cmpuint(frames, >, 280); /* 1.5 s at 25 % are 6 s */
	g_assert_cmpuint(frames, <, 310);
	/* faster by 25 %, and no less: what went in came out */
	g_assert_cmpfloat((double)(at - 1000 - CATCHUP_FRAME) / (double)played, >, 1.22);
	g_assert_cmpfloat((double)(at - 1000 - CATCHUP_FRAME) / (double)played, <, 1.27);
	catchup_free(catchup);
}

/* Of a long silence little is played; what is too old goes. */
static void
test_silence_and_limit(void)
{
	Catchup *catchup = catchup_new();
	guint8 out[CATCHUP_LAST];
	gboolean last = FALSE;
	gsize played = 0;
	guint32 at = G_MAXUINT32 - 5000; /* timestamps run over */

	push_tone(catchup, at);
	for (guint i = 1; i < 100; i++)
		push_silence(catchup, at + i * CATCHUP_FRAME);
	push_tone(catchup, at + 120 * CATCHUP_FRAME); /* and a gap */
	push_tone(catchup, at + 110 * CATCHUP_FRAME); /* late */
	g_assert_cmpuint(catchup_waiting(catchup), ==, 121 * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_next_timestamp(catchup), ==, at + 121 * CATCHUP_FRAME);
	while (!last)
		played += catchup_pull(catchup, LAW_U, out, &last);
	g_assert_cmpuint(played, <, 12 * CATCHUP_FRAME);
	for (guint i = 121; i < 400; i++)
		push_tone(catchup, at + i * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_waiting(catchup), ==, CATCHUP_KEEP);
	catchup_free(catchup);
	catchup_free(NULL);
}

/* The noise of a line that nobody speaks on. */
static void
push_noise(Catchup *catchup, guint32 at)
{
	guint8 payload[CATCHUP_FRAME];

	for (guint i = 0; i < CATCHUP_FRAME; i++)
		payload[i] = law_encode(LAW_U, (gint16)g_random_int_range(-250, 250));
	catchup_push(catchup, LAW_U, at, payload, sizeof payload);
}

typedef void (*Push)(Catchup *, guint32);

typedef struct {
	const char *what;
	Push pause;    /* what is between the words */
	guint words;   /* of 10 frames, how many are words */
	guint percent; /* at most, of what it takes at 25 % without a pause */
} TalkRow;

static const TalkRow talks[] = {
	{ "speech without a pause", NULL, 10, 103 },
	{ "speech, 30 % silence", push_silence, 7, 75 },
	{ "speech, 30 % noise of the line", push_noise, 7, 85 },
	{ "speech, half of it silence", push_silence, 5, 55 },
	{ "speech, half of it noise of the line", push_noise, 5, 70 },
};

/* In turns of 2 s: words, and the pause after them. */
static void
push_talk(Catchup *catchup, const TalkRow *row, guint32 at)
{
	if (at / CATCHUP_FRAME % 100 < row->words * 10)
		push_tone(catchup, at);
	else
		row->pause(catchup, at);
}

static guint
frames_until_caught_up(const TalkRow *row, guint kept)
{
	Catchup *catchup = catchup_new();
	guint8 out[CATCHUP_LAST];
	gboolean last = FALSE;
	guint32 at = 0;
	guint frames;

	for (; at < kept; at += CATCHUP_FRAME)
		push_talk(catchup, row, at);
	for (frames = 0; !last && frames < 2000; frames++) {
		catchup_pull(catchup, LAW_U, out, &last);
		push_talk(catchup, row, at);
		at += CATCHUP_FRAME;
	}
	catchup_free(catchup);
	return frames;
}

/* How long somebody hears the other one late: the table is in the test's log. */
static void
test_time_until_caught_up(void)
{
	static const guint kept_ms[] = { 500, 1000, 1500, 2000, 3000 };

	for (guint i = 0; i < G_N_ELEMENTS(talks); i++)
		for (guint k = 0; k < G_N_ELEMENTS(kept_ms); k++) {
			guint limit = kept_ms[k] * 4 * talks[i].percent / 100 + 300;
			guint ms = frames_until_caught_up(&talks[i], kept_ms[k] * 8) * 20;

			g_test_message("%-40s %4u ms kept, caught up after %5u ms (limit %u)",
				       talks[i].what, kept_ms[k], ms, limit);
			g_assert_cmpuint(ms, <=, limit);
		}
}

/* The newest stay, and the next are played after them. */
static void
test_trim(void)
{
	Catchup *catchup = catchup_new();
	guint8 out[CATCHUP_LAST];
	gboolean last;

	for (guint i = 0; i < 50; i++)
		push_silence(catchup, i * CATCHUP_FRAME);
	for (guint i = 50; i < 60; i++)
		push_tone(catchup, i * CATCHUP_FRAME);
	catchup_trim(catchup, 60 * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_waiting(catchup), ==, 60 * CATCHUP_FRAME);
	catchup_trim(catchup, 10 * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_waiting(catchup), ==, 10 * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_next_timestamp(catchup), ==, 60 * CATCHUP_FRAME);
	g_assert_cmpuint(catchup_pull(catchup, LAW_U, out, &last), ==, CATCHUP_FRAME);
	g_assert_cmpint(ABS(law_decode(LAW_U, out[5]) - 8000), <, 600);
	catchup_trim(catchup, 0);
	g_assert_cmpuint(catchup_waiting(catchup), ==, 0);
	catchup_free(catchup);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/catchup/g711", test_g711);
	g_test_add_func("/catchup/speed", test_speed);
	g_test_add_func("/catchup/silence-and-limit", test_silence_and_limit);
	g_test_add_func("/catchup/time-until-caught-up", test_time_until_caught_up);
	g_test_add_func("/catchup/trim", test_trim);
	return g_test_run();
}
