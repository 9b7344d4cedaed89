/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* series.h - what was measured of a port over time, in a bounded space.
 *
 * Each look at the counters is a sample; a point is one sample until SERIES_MOST points stand
 * there.  Then each two become one, and from then on a point takes twice as many samples.
 * Owner: whoever has it.  Thread: any, one at a time (pure).
 */
#pragma once
#include "media/media_types.h"

#define SERIES_MOST 48 /* 4 minutes of samples of 5 s, 2 kB */

typedef struct {
	GArray *points; /* SeriesPoint; NULL: none yet */
	guint step;	/* samples of a point */
	gint64 last_us; /* of the last sample; 0: none */
	PortStats last;
} Series;

/* `now_us`: monotonic.  What is asked for within a second of the last sample is none, and so is
 * what comes before the first packet. */
void series_add(Series *series, gint64 now_us, const PortStats *stats);
void series_clear(Series *series);
