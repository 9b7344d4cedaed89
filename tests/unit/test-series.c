/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-series.c - what is measured over time stays bounded, and loses no packet and no bad
 * moment. */
#include "media/series.h"

#define SECOND G_GINT64_CONSTANT(1000000)

static const SeriesPoint *
at(const Series *series, guint i)
{
	return &g_array_index(series->points, SeriesPoint, i);
}

static void
test_points(void)
{
	Series series = { 0 };
	PortStats stats = { 0 };

	series_add(&series, 5 * SECOND, &stats);
	g_assert_null(series.points); /* nothing has come yet */
	stats = (PortStats){
		.packets_in = 250, .lost_in = 5, .packets_out = 249, .jitter_us = 900
	};
	series_add(&series, 10 * SECOND, &stats);
	stats.packets_in = 490;
	stats.lost_in = 3; /* two were late */
	stats.reports_in = 1;
	stats.lost_out = 7;
	stats.jitter_out_us = 1500;
	stats.rtt_us = 40000;
	series_add(&series, 10 * SECOND + SECOND / 2, &stats); /* too soon for a sample */
	series_add(&series, 15 * SECOND, &stats);
	g_assert_cmpuint(series.points->len, ==, 2);
	g_assert_cmpuint(at(&series, 0)->packets_in, ==, 250);
	g_assert_cmpuint(at(&series, 0)->lost_in, ==, 5);
	g_assert_false(at(&series, 0)->reports);
	g_assert_cmpuint(at(&series, 1)->packets_in, ==, 240);
	g_assert_cmpuint(at(&series, 1)->lost_in, ==, 0);
	g_assert_cmpuint(at(&series, 1)->lost_out, ==, 7);
	g_assert_cmpuint(at(&series, 1)->jitter_out_us, ==, 1500);
	g_assert_cmpuint(at(&series, 1)->rtt_us, ==, 40000);
	g_assert_cmpint(at(&series, 1)->until_us, ==, 15 * SECOND);
	series_clear(&series);
}

/* A day of samples: never more points, every packet in one, one bad moment still seen. */
static void
test_bounds(void)
{
	Series series = { 0 };
	PortStats stats = { 0 };
	guint64 packets = 0;
	guint32 worst = 0;

	for (guint i = 1; i <= 24 * 720; i++) {
		stats.packets_in += 250;
		stats.jitter_us = i == 7001 ? 99000 : 1000;
		series_add(&series, i * 5 * SECOND, &stats);
		g_assert_cmpuint(series.points->len, <=, SERIES_MOST);
	}
	for (guint i = 0; i < series.points->len; i++) {
		packets += at(&series, i)->packets_in;
		worst = MAX(worst, at(&series, i)->jitter_us);
		if (i > 0)
			g_assert_cmpint(at(&series, i)->until_us, >, at(&series, i - 1)->until_us);
	}
	g_assert_cmpuint(series.points->len, >=, SERIES_MOST / 2);
	g_assert_cmpuint(packets, ==, stats.packets_in);
	g_assert_cmpuint(worst, ==, 99000);
	series_clear(&series);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/series/points", test_points);
	g_test_add_func("/series/bounds", test_bounds);
	return g_test_run();
}
