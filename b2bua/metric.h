/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* metric.h - numbers with labels (counters, gauges, histograms), and their text for Prometheus.
 *
 * A MetricSet is made of a table of rows.  Each row is one family: a name, what it means, the
 * names of its labels.  A series of a family begins with the first number that is added for
 * its label values.  A family has METRIC_SERIES series at most: further label values count as
 * "other", so that nobody makes it grow.  Units are those of Prometheus: seconds, ratios.
 * Text: the exposition format 0.0.4.
 * Pure.  Thread: whoever owns the set.
 */
#pragma once
#include <glib.h>

typedef enum { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_UNTYPED } MetricKind;

#define METRIC_LABELS 3
#define METRIC_SERIES 2000

typedef struct {
	const char *name; /* as it is printed, such as "tandem_calls_ended_total" */
	MetricKind kind;
	const char *help;		   /* a sentence without a full stop */
	const char *labels[METRIC_LABELS]; /* the first NULL ends them */
	const double *bounds;		   /* of a histogram: upper ends, rising */
	guint n_bounds;
} MetricRow;

typedef struct MetricSet MetricSet;

MetricSet *metric_set_new(const MetricRow *rows, guint n); /* borrows the rows */
void metric_set_free(MetricSet *set);			   /* NULL is fine */

/* `values` has one text for each label of the row; they are copied.  To a counter or gauge
 * `number` is added; into a histogram it is counted. */
void metric_add(MetricSet *set, guint row, const char *const *values, double number);
/* Every family, also one that has no series yet. */
void metric_set_write(const MetricSet *set, GString *text);

/* One family by hand: its head, then its samples.  Label names and values as above. */
void metric_write_head(GString *text, const char *name, MetricKind kind, const char *help);
void metric_write_sample(GString *text, const char *name, const char *const *labels,
			 const char *const *values, guint n_labels, double number);
