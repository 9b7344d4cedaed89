/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* metric.c - see metric.h. */
#include "b2bua/metric.h"
#include <string.h>

#define OTHER "other"

typedef struct {
	char *values[METRIC_LABELS];
	double sum;
	guint64 n;
	guint64 *buckets; /* of a histogram: one for each bound; what is above all is in `n` */
} Series;

struct MetricSet {
	const MetricRow *rows;
	guint n;
	GHashTable **families; /* for each row: "value\tvalue" → Series */
};

static void
series_free(gpointer data)
{
	Series *series = data;

	for (guint i = 0; i < METRIC_LABELS; i++)
		g_free(series->values[i]);
	g_free(series->buckets);
	g_free(series);
}

MetricSet *
metric_set_new(const MetricRow *rows, guint n)
{
	MetricSet *set = g_new0(MetricSet, 1);

	set->rows = rows;
	set->n = n;
	set->families = g_new(GHashTable *, n);
	for (guint i = 0; i < n; i++)
		set->families[i] =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, series_free);
	return set;
}

void
metric_set_free(MetricSet *set)
{
	if (!set)
		return;
	for (guint i = 0; i < set->n; i++)
		g_hash_table_unref(set->families[i]);
	g_free(set->families);
	g_free(set);
}

static guint
n_labels(const MetricRow *row)
{
	guint n = 0;

	while (n < METRIC_LABELS && row->labels[n])
		n++;
	return n;
}

static char *
key_of(const char *const *values, guint n)
{
	GString *key = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_printf(key, "%s\t", values[i]);
	return g_string_free(key, FALSE);
}

static Series *
series_of(MetricSet *set, guint index, const char *const *values)
{
	const MetricRow *row = &set->rows[index];
	GHashTable *family = set->families[index];
	const guint n = n_labels(row);
	g_autofree char *key = key_of(values, n);
	Series *series = g_hash_table_lookup(family, key);
	static const char *const others[METRIC_LABELS] = { OTHER, OTHER, OTHER };

	if (series)
		return series;
	if (n > 0 && g_hash_table_size(family) >= METRIC_SERIES - 1 && values != others)
		return series_of(set, index, others);
	series = g_new0(Series, 1);
	for (guint i = 0; i < n; i++)
		series->values[i] = g_strdup(values[i]);
	if (row->kind == METRIC_HISTOGRAM)
		series->buckets = g_new0(guint64, row->n_bounds);
	g_hash_table_insert(family, g_steal_pointer(&key), series);
	return series;
}

void
metric_add(MetricSet *set, guint index, const char *const *values, double number)
{
	const MetricRow *row = &set->rows[index];
	Series *series = series_of(set, index, values);

	series->sum += number;
	series->n++;
	if (row->kind != METRIC_HISTOGRAM)
		return;
	for (guint i = 0; i < row->n_bounds; i++)
		if (number <= row->bounds[i]) {
			series->buckets[i]++;
			break;
		}
}

/* --- the text --- */

static void
append_number(GString *text, double number)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append(text, g_ascii_formatd(digits, sizeof digits, "%.15g", number));
}

/* In a label a quote is escaped as well. */
static void
append_escaped(GString *text, const char *words, gboolean label)
{
	for (const char *c = words; *c; c++) {
		if (*c == '\n')
			g_string_append(text, "\\n");
		else if (*c == '\\' || (label && *c == '"'))
			g_string_append_printf(text, "\\%c", *c);
		else
			g_string_append_c(text, *c);
	}
}

void
metric_write_head(GString *text, const char *name, MetricKind kind, const char *help)
{
	static const char *const KINDS[] = { [METRIC_COUNTER] = "counter",
					     [METRIC_GAUGE] = "gauge",
					     [METRIC_HISTOGRAM] = "histogram",
					     [METRIC_UNTYPED] = "untyped" };

	g_string_append_printf(text, "# HELP %s ", name);
	append_escaped(text, help, FALSE);
	g_string_append_printf(text, "\n# TYPE %s %s\n", name, KINDS[kind]);
}

static void
append_label(GString *text, gboolean *first, const char *name, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);

	g_string_append_printf(text, "%s%s=\"", *first ? "{" : ",", name);
	append_escaped(text, valid, TRUE);
	g_string_append_c(text, '"');
	*first = FALSE;
}

/* `bound` NULL: no bucket. */
static void
write_sample(GString *text, const char *name, const char *suffix, const char *const *labels,
	     const char *const *values, guint n, const char *bound, double number)
{
	gboolean first = TRUE;

	g_string_append_printf(text, "%s%s", name, suffix);
	for (guint i = 0; i < n; i++)
		append_label(text, &first, labels[i], values[i]);
	if (bound)
		append_label(text, &first, "le", bound);
	g_string_append(text, first ? " " : "} ");
	append_number(text, number);
	g_string_append_c(text, '\n');
}

void
metric_write_sample(GString *text, const char *name, const char *const *labels,
		    const char *const *values, guint n, double number)
{
	write_sample(text, name, "", labels, values, n, NULL, number);
}

static void
write_histogram(GString *text, const MetricRow *row, const Series *series)
{
	const char *const *values = (const char *const *)series->values;
	const guint n = n_labels(row);
	guint64 below = 0;

	for (guint i = 0; i < row->n_bounds; i++) {
		char bound[G_ASCII_DTOSTR_BUF_SIZE];

		below += series->buckets[i];
		g_ascii_formatd(bound, sizeof bound, "%g", row->bounds[i]);
		write_sample(text, row->name, "_bucket", row->labels, values, n, bound,
			     (double)below);
	}
	write_sample(text, row->name, "_bucket", row->labels, values, n, "+Inf", (double)series->n);
	write_sample(text, row->name, "_sum", row->labels, values, n, NULL, series->sum);
	write_sample(text, row->name, "_count", row->labels, values, n, NULL, (double)series->n);
}

static void
write_family(GString *text, const MetricRow *row, GHashTable *family)
{
	GHashTableIter iter;
	gpointer data;

	metric_write_head(text, row->name, row->kind, row->help);
	g_hash_table_iter_init(&iter, family);
	while (g_hash_table_iter_next(&iter, NULL, &data)) {
		const Series *series = data;

		if (row->kind == METRIC_HISTOGRAM)
			write_histogram(text, row, series);
		else
			metric_write_sample(text, row->name, row->labels,
					    (const char *const *)series->values, n_labels(row),
					    series->sum);
	}
}

void
metric_set_write(const MetricSet *set, GString *text)
{
	for (guint i = 0; i < set->n; i++)
		write_family(text, &set->rows[i], set->families[i]);
}
