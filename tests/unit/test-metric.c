/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-metric.c - families, their series and their text (exposition format 0.0.4). */
#include <string.h>
#include "b2bua/metric.h"

static const double BOUNDS[] = { 0.1, 1 };

enum { ENDED, LIVE, SECONDS, N_ROWS };

static const MetricRow ROWS[N_ROWS] = {
	[ENDED] = { "ended_total", METRIC_COUNTER, "Ended \\ calls", { "trunk", "reason" } },
	[LIVE] = { "live", METRIC_GAUGE, "Live calls" },
	[SECONDS] = { "seconds", METRIC_HISTOGRAM, "Time", { "stage" }, BOUNDS, 2 },
};

static char *
text_of(const MetricSet *set)
{
	GString *text = g_string_new(NULL);

	metric_set_write(set, text);
	return g_string_free(text, FALSE);
}

static void
add(MetricSet *set, guint row, const char *first, const char *second, double number)
{
	metric_add(set, row, (const char *[]){ first, second, NULL }, number);
}

static void
test_text(void)
{
	MetricSet *set = metric_set_new(ROWS, N_ROWS);
	g_autofree char *text = NULL;

	add(set, ENDED, "a\"b\\c\nx\xff", "busy", 1);
	add(set, ENDED, "a\"b\\c\nx\xff", "busy", 1);
	add(set, LIVE, NULL, NULL, 3);
	add(set, LIVE, NULL, NULL, -1);
	add(set, SECONDS, "ring", NULL, 0.1); /* a bound belongs to its bucket */
	add(set, SECONDS, "ring", NULL, 0.5);
	add(set, SECONDS, "ring", NULL, 7);
	text = text_of(set);
	g_assert_cmpstr(text, ==,
			"# HELP ended_total Ended \\\\ calls\n"
			"# TYPE ended_total counter\n"
			"ended_total{trunk=\"a\\\"b\\\\c\\nx\xef\xbf\xbd\",reason=\"busy\"} 2\n"
			"# HELP live Live calls\n"
			"# TYPE live gauge\n"
			"live 2\n"
			"# HELP seconds Time\n"
			"# TYPE seconds histogram\n"
			"seconds_bucket{stage=\"ring\",le=\"0.1\"} 1\n"
			"seconds_bucket{stage=\"ring\",le=\"1\"} 2\n"
			"seconds_bucket{stage=\"ring\",le=\"+Inf\"} 3\n"
			"seconds_sum{stage=\"ring\"} 7.6\n"
			"seconds_count{stage=\"ring\"} 3\n");
	metric_set_free(set);
}

static void
test_empty(void)
{
	MetricSet *set = metric_set_new(ROWS, N_ROWS);
	g_autofree char *text = text_of(set);

	g_assert_nonnull(strstr(text, "# TYPE live gauge\n# HELP seconds"));
	metric_set_free(set);
}

/* Label values from a network, such as names of trunks that come and go, have a bound. */
static void
test_bound(void)
{
	MetricSet *set = metric_set_new(ROWS, N_ROWS);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	for (guint i = 0; i < METRIC_SERIES + 10; i++) {
		g_autofree char *trunk = g_strdup_printf("trunk%u", i);

		add(set, ENDED, trunk, "busy", 1);
	}
	text = text_of(set);
	lines = g_strsplit(text, "\nended_total{", -1);
	g_assert_cmpuint(g_strv_length(lines) - 1, ==, METRIC_SERIES);
	g_assert_nonnull(strstr(text, "ended_total{trunk=\"other\",reason=\"other\"} 11\n"));
	metric_set_free(set);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/metric/text", test_text);
	g_test_add_func("/metric/empty", test_empty);
	g_test_add_func("/metric/bound", test_bound);
	return g_test_run();
}
