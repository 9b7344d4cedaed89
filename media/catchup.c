/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* catchup.c - speech that came before it could be passed on. */
#include "media/catchup.h"
#include <sonic.h>
#include <stdlib.h>
#include <string.h>

#define RATE	     8000
#define SPEED	     1.15f
#define QUIET	     80	  /* peak of a frame without speech */
#define QUIET_FRAMES 5	  /* of a silence that are played; the rest is left out */
#define MAX_GAP	     RATE /* more between two packets is another clock */

struct Catchup {
	gint16 ring[CATCHUP_KEEP];
	guint first, count;
	gboolean any;
	guint32 next; /* timestamp */
	guint quiet;  /* frames of silence in a row */
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
		keep(catchup, g711_decode(law, payload[i]));
	catchup->any = TRUE;
	catchup->next = timestamp + (guint32)size;
}

/* FALSE when it is one more of a silence that is long enough. */
static gboolean
is_worth_it(Catchup *catchup, const gint16 *frame, guint n)
{
	for (guint i = 0; i < n; i++)
		if (ABS((int)frame[i]) > QUIET) {
			catchup->quiet = 0;
			return TRUE;
		}
	return ++catchup->quiet <= QUIET_FRAMES;
}

static void
feed(Catchup *catchup)
{
	gint16 frame[CATCHUP_FRAME];
	guint n = MIN(catchup->count, CATCHUP_FRAME);

	for (guint i = 0; i < n; i++)
		frame[i] = catchup->ring[(catchup->first + i) % CATCHUP_KEEP];
	catchup->first = (catchup->first + n) % CATCHUP_KEEP;
	catchup->count -= n;
	if (is_worth_it(catchup, frame, n))
		sonicWriteShortToStream(catchup->sonic, frame, (int)n);
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
	if (*last) { /* at its own speed it comes out as it is, and nothing stays inside */
		sonicSetSpeed(catchup->sonic, 1.0f);
		feed(catchup);
		sonicFlushStream(catchup->sonic);
	}
	n = sonicReadShortFromStream(catchup->sonic, samples, *last ? CATCHUP_LAST : CATCHUP_FRAME);
	if (*last && n > 0)
		n = whole_frames(samples, n);
	for (int i = 0; i < n; i++)
		out[i] = g711_encode(law, samples[i]);
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
