/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* series.c - see series.h. */
#include "media/series.h"

/* What is lost may be found again, when it was only late. */
static guint32
grown(guint64 before, guint64 now)
{
	return now > before ? (guint32)MIN(now - before, G_MAXUINT32) : 0;
}

static SeriesPoint
point_of(const PortStats *before, const PortStats *now, gint64 now_us)
{
	const gboolean reported = now->reports_in > before->reports_in;

	return (SeriesPoint){
		.until_us = now_us,
		.packets_in = grown(before->packets_in, now->packets_in),
		.lost_in = grown(before->lost_in, now->lost_in),
		.packets_out = grown(before->packets_out, now->packets_out),
		.lost_out = grown(before->lost_out, now->lost_out),
		.jitter_us = now->jitter_us,
		.jitter_out_us = reported ? now->jitter_out_us : 0,
		.rtt_us = now->rtt_us,
		.reports = reported,
		.n_samples = 1,
	};
}

/* The worst of both stays, so that no bad moment is averaged away. */
static void
join(SeriesPoint *point, const SeriesPoint *next)
{
	point->until_us = next->until_us;
	point->packets_in += next->packets_in;
	point->lost_in += next->lost_in;
	point->packets_out += next->packets_out;
	point->lost_out += next->lost_out;
	point->jitter_us = MAX(point->jitter_us, next->jitter_us);
	point->jitter_out_us = MAX(point->jitter_out_us, next->jitter_out_us);
	point->rtt_us = MAX(point->rtt_us, next->rtt_us);
	point->reports = point->reports || next->reports;
	point->n_samples += next->n_samples;
}

static void
fold(Series *series)
{
	SeriesPoint *points = (SeriesPoint *)(gpointer)series->points->data;
	const guint n = series->points->len;

	for (guint i = 0; i + 1 < n; i += 2) {
		points[i / 2] = points[i];
		join(&points[i / 2], &points[i + 1]);
	}
	g_array_set_size(series->points, n / 2);
	series->step *= 2;
}

static void
add_point(Series *series, const SeriesPoint *point)
{
	SeriesPoint *last;

	if (!series->points) {
		series->points = g_array_new(FALSE, FALSE, sizeof(SeriesPoint));
		series->step = 1;
	}
	last = series->points->len
		       ? &g_array_index(series->points, SeriesPoint, series->points->len - 1)
		       : NULL;
	if (last && last->n_samples < series->step) {
		join(last, point);
		return;
	}
	if (series->points->len == SERIES_MOST)
		fold(series);
	g_array_append_val(series->points, *point);
}

void
series_add(Series *series, gint64 now_us, const PortStats *stats)
{
	SeriesPoint point;

	if (series->last_us && now_us - series->last_us < G_USEC_PER_SEC)
		return;
	point = point_of(&series->last, stats, now_us);
	if (series->points || point.packets_in || point.packets_out)
		add_point(series, &point);
	series->last_us = now_us;
	series->last = *stats;
}

void
series_clear(Series *series)
{
	g_clear_pointer(&series->points, g_array_unref);
}
