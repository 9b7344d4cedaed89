/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* catchup.c - speech that came before it could be passed on. */
#include "media/catchup.h"
#include <sonic.h>
#include <stdlib.h>
#include <string.h>

#define RATE	     8000
#define SPEED	     1.25f
#define HUSH_SPEED   2.0f
#define QUIET	     80	  /* peak of a frame of silence */
#define HUSH	     500  /* and of one of a line's noise, where speech is louder: */
#define HUSH_BELOW   16	  /* times */
#define QUIET_FRAMES 5	  /* of a pause that are played like speech */
#define MAX_GAP	     RATE /* more between two packets is another clock */

struct Catchup {
	gint16 ring[CATCHUP_KEEP];
	guint first, count;
	gboolean any;
	guint32 next; /* timestamp */
	guint quiet;  /* frames without speech in a row */
	int loudest;  /* peak so far */
	sonicStream sonic;
};

Catchup *
catchup_new(void)
{
	Catchup *catchup = g_new0(Catchup, 1);

	catchup->sonic = sonicCreateStream(RATE, 1);
	sonicSetSpeed(catchup->sonic, SPEED);
	return catchup;
}

void
catchup_free(Catchup *catchup)
{
	if (!catchup)
		return;
	sonicDestroyStream(catchup->sonic);
	g_free(catchup);
}

static void
keep(Catchup *catchup, gint16 sample)
{
	if (catchup->count == CATCHUP_KEEP) {
		catchup->first = (catchup->first + 1) % CATCHUP_KEEP;
		catchup->count--;
	}
	catchup->ring[(catchup->first + catchup->count++) % CATCHUP_KEEP] = sample;
}

void
catchup_push(Catchup *catchup, Law law, guint32 timestamp, const guint8 *payload, gsize size)
{
	gint32 gap = catchup->any ? (gint32)(timestamp - catchup->next) : 0;

	if (gap < 0 && gap > -MAX_GAP)
		return;
	for (gint32 i = 0; gap <= MAX_GAP && i < gap; i++)
		keep(catchup, 0);
	for (gsize i = 0; i < size; i++)
		keep(catchup, law_decode(law, payload[i]));
	catchup->any = TRUE;
	catchup->next = timestamp + (guint32)size;
}

void
catchup_trim(Catchup *catchup, guint samples)
{
	guint drop = catchup->count > samples ? catchup->count - samples : 0;

	catchup->first = (catchup->first + drop) % CATCHUP_KEEP;
	catchup->count -= drop;
}

static int
peak_of(const gint16 *frame, guint n)
{
	int peak = 0;

	for (guint i = 0; i < n; i++)
		peak = MAX(peak, ABS((int)frame[i]));
	return peak;
}

/* Of a frame of that peak; 0: it is left out. */
static float
speed_for(Catchup *catchup, int peak)
{
	gboolean silent = peak <= QUIET;
	gboolean hushed = peak <= HUSH && peak * HUSH_BELOW <= catchup->loudest;

	catchup->loudest = MAX(catchup->loudest, peak);
	catchup->quiet = silent || hushed ? catchup->quiet + 1 : 0;
	if (catchup->quiet <= QUIET_FRAMES)
		return SPEED;
	return silent ? 0 : HUSH_SPEED;
}

static void
take(Catchup *catchup, gint16 *frame, guint n)
{
	for (guint i = 0; i < n; i++)
		frame[i] = catchup->ring[(catchup->first + i) % CATCHUP_KEEP];
	catchup->first = (catchup->first + n) % CATCHUP_KEEP;
	catchup->count -= n;
}

static void
feed(Catchup *catchup)
{
	gint16 frame[CATCHUP_FRAME];
	float speed;

	take(catchup, frame, CATCHUP_FRAME);
	speed = speed_for(catchup, peak_of(frame, CATCHUP_FRAME));
	if (speed == 0)
		return;
	sonicSetSpeed(catchup->sonic, speed);
	sonicWriteShortToStream(catchup->sonic, frame, CATCHUP_FRAME);
}

/* At its own speed what is left comes out as it is, and nothing stays inside. */
static void
feed_rest(Catchup *catchup)
{
	gint16 frame[CATCHUP_FRAME];
	guint n = catchup->count;

	take(catchup, frame, n);
	sonicSetSpeed(catchup->sonic, 1.0f);
	sonicWriteShortToStream(catchup->sonic, frame, (int)n);
	sonicFlushStream(catchup->sonic);
}

/* Some decoders stop for ever at a packet that is not 20 ms: the end is made a whole
 * number of frames, by 10 ms at most less or more. */
static int
whole_frames(gint16 *samples, int n)
{
	int rest = n % CATCHUP_FRAME;

	if (rest < CATCHUP_FRAME / 2)
		return n - rest;
	for (int i = n; i < n - rest + CATCHUP_FRAME; i++)
		samples[i] = i >= CATCHUP_FRAME ? samples[i - CATCHUP_FRAME] : 0;
	return n - rest + CATCHUP_FRAME;
}

gsize
catchup_pull(Catchup *catchup, Law law, guint8 out[CATCHUP_LAST], gboolean *last)
{
	gint16 samples[CATCHUP_LAST];
	int n;

	while (sonicSamplesAvailable(catchup->sonic) < CATCHUP_FRAME &&
	       catchup->count >= CATCHUP_FRAME)
		feed(catchup);
	*last = sonicSamplesAvailable(catchup->sonic) < CATCHUP_FRAME;
	if (*last) /* less than a frame waits */
		feed_rest(catchup);
	n = sonicReadShortFromStream(catchup->sonic, samples, *last ? CATCHUP_LAST : CATCHUP_FRAME);
	if (*last && n > 0)
		n = whole_frames(samples, n);
	for (int i = 0; i < n; i++)
		out[i] = law_encode(law, samples[i]);
	return (gsize)MAX(n, 0);
}

guint32
catchup_next_timestamp(const Catchup *catchup)
{
	return catchup->next;
}

guint
catchup_waiting(const Catchup *catchup)
{
	return catchup->count;
}
