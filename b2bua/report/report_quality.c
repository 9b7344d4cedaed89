/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report_quality.c - loss, jitter, round trip and MOS of each side over time, as drawings.
 *
 * The points are the series lines of the ladder, call_series() of b2bua/call/call.h.
 */
#include <math.h>
#include <string.h>
#include "b2bua/report/html.h"
#include "b2bua/report/report.h"
#include "b2bua/trace.h"

#define MAX_POINTS 512 /* of a side; a record has far fewer */

typedef enum { LOSS_IN, LOSS_OUT, JITTER_IN, JITTER_OUT, MOS_IN, MOS_OUT, RTT, N_CURVES } Curve;

typedef struct {
	double at[MAX_POINTS]; /* s */
	double values[N_CURVES][MAX_POINTS];
	guint n;
} Points;

typedef struct {
	Points sides[2]; /* the caller's, the callee's */
} Series;

/* --- the points --- */

/* "caller in 250 3 1.2 4.10 out 250 3 1.2 4.10 rtt 41.0" */
enum {
	WORD_SIDE,
	WORD_IN,
	WORD_IN_PACKETS,
	WORD_IN_LOST,
	WORD_IN_JITTER,
	WORD_IN_MOS,
	WORD_OUT,
	WORD_OUT_PACKETS,
	WORD_OUT_LOST,
	WORD_OUT_JITTER,
	WORD_OUT_MOS,
	WORD_RTT,
	WORD_RTT_MS,
	N_WORDS
};

static double
number(const char *word)
{
	char *end;
	double value = g_ascii_strtod(word, &end);

	return end == word || *end || !isfinite(value) || value < 0 ? NAN : value;
}

/* What came, or was sent, and what of it was lost; lost_in is not among what came. */
static double
percent(double lost, double all)
{
	return all > 0 && !isnan(lost) ? MIN(100 * lost / all, 100) : NAN;
}

static void
add_point(gpointer user, const TraceLine *line)
{
	Series *series = user;
	g_auto(GStrv) words = NULL;
	Points *points;
	double in, lost;

	if (line->kind != TRACE_LINE_SERIES)
		return;
	words = g_strsplit(line->text, " ", N_WORDS + 1);
	if (g_strv_length(words) != N_WORDS || strcmp(words[WORD_IN], "in") != 0 ||
	    strcmp(words[WORD_OUT], "out") != 0 || strcmp(words[WORD_RTT], "rtt") != 0)
		return;
	points = &series->sides[strcmp(words[WORD_SIDE], "callee") == 0];
	if (points->n == MAX_POINTS)
		return;
	in = number(words[WORD_IN_PACKETS]);
	lost = number(words[WORD_IN_LOST]);
	points->at[points->n] = (double)line->at_us / G_USEC_PER_SEC;
	points->values[LOSS_IN][points->n] = percent(lost, in + lost);
	points->values[LOSS_OUT][points->n] =
		percent(number(words[WORD_OUT_LOST]), number(words[WORD_OUT_PACKETS]));
	points->values[JITTER_IN][points->n] = number(words[WORD_IN_JITTER]);
	points->values[JITTER_OUT][points->n] = number(words[WORD_OUT_JITTER]);
	points->values[MOS_IN][points->n] = number(words[WORD_IN_MOS]);
	points->values[MOS_OUT][points->n] = number(words[WORD_OUT_MOS]);
	points->values[RTT][points->n] = number(words[WORD_RTT_MS]);
	points->n++;
}

/* --- a drawing: 480 by 150, the curves within a frame --- */

#define FRAME_LEFT   44
#define FRAME_RIGHT  470
#define FRAME_TOP    26
#define FRAME_BOTTOM 128

typedef struct {
	const char *title;
	Curve curves[2]; /* from the peer, to the peer; N_CURVES: none */
	double least, most;
	gboolean grows; /* `most` is what the axis shows at least */
} Chart;

static const Chart CHARTS[] = {
	{ "Loss, %", { LOSS_IN, LOSS_OUT }, 0, 1, TRUE },
	{ "MOS", { MOS_IN, MOS_OUT }, 1, 4.5, FALSE },
	{ "Jitter, ms", { JITTER_IN, JITTER_OUT }, 0, 5, TRUE },
	{ "Round trip, ms", { RTT, N_CURVES }, 0, 10, TRUE },
};

typedef struct {
	GString *out;
	const Points *points;
	double first, last; /* s */
	double least, most;
} Frame;

/* 1, 2, 5, 10, 20 … */
static double
round_up(double value, double least)
{
	static const double STEPS[] = { 1, 2, 5 };
	double most = least;

	for (guint i = 0; most < value && most < 1e9; i++)
		most = STEPS[i % 3] * pow(10, i / 3) * least;
	return most;
}

static double
highest(const Points *points, const Chart *chart)
{
	double most = 0;

	for (guint c = 0; c < 2 && chart->curves[c] < N_CURVES; c++)
		for (guint i = 0; i < points->n; i++)
			most = fmax(most, points->values[chart->curves[c]][i]);
	return most;
}

static double
x_of(const Frame *frame, double at)
{
	const double span = fmax(frame->last - frame->first, 1e-3);

	return FRAME_LEFT + (at - frame->first) / span * (FRAME_RIGHT - FRAME_LEFT);
}

static double
y_of(const Frame *frame, double value)
{
	const double share = (value - frame->least) / (frame->most - frame->least);

	return FRAME_BOTTOM - CLAMP(share, 0, 1) * (FRAME_BOTTOM - FRAME_TOP);
}

static void
append_dot(Frame *frame, guint i, double value, const char *class)
{
	g_string_append(frame->out, "<circle cx=\"");
	html_number(frame->out, x_of(frame, frame->points->at[i]));
	g_string_append(frame->out, "\" cy=\"");
	html_number(frame->out, y_of(frame, value));
	g_string_append_printf(frame->out, "\" r=\"2\" class=\"%s\"/>", class);
}

/* It breaks where nothing is known. */
static void
draw_curve(Frame *frame, const double *values, const char *class)
{
	gboolean drawing = FALSE;

	g_string_append_printf(frame->out, "<path class=\"curve %s\" d=\"M0 0", class);
	for (guint i = 0; i < frame->points->n; i++) {
		if (isnan(values[i])) {
			drawing = FALSE;
			continue;
		}
		g_string_append(frame->out, drawing ? " L" : " M");
		html_number(frame->out, x_of(frame, frame->points->at[i]));
		g_string_append_c(frame->out, ' ');
		html_number(frame->out, y_of(frame, values[i]));
		drawing = TRUE;
	}
	g_string_append(frame->out, "\"/>\n");
	for (guint i = 0; i < frame->points->n; i++)
		if (!isnan(values[i]))
			append_dot(frame, i, values[i], class);
}

static void
draw_label(Frame *frame, double value, const char *what, double x, double y, const char *class)
{
	g_string_append(frame->out, "<text x=\"");
	html_number(frame->out, x);
	g_string_append(frame->out, "\" y=\"");
	html_number(frame->out, y);
	g_string_append_printf(frame->out, "\" class=\"%s\">", class);
	html_number(frame->out, value);
	g_string_append_printf(frame->out, "%s</text>", what);
}

static void
draw_axes(Frame *frame, const char *title)
{
	g_string_append_printf(frame->out,
			       "<text x=\"%d\" y=\"16\" class=\"title\">%s</text>"
			       "<path class=\"axis\" d=\"M%d %d L%d %d L%d %d\"/>"
			       "<path class=\"rule\" d=\"M%d %d L%d %d M%d %d L%d %d\"/>\n",
			       FRAME_LEFT, title, FRAME_LEFT, FRAME_TOP, FRAME_LEFT, FRAME_BOTTOM,
			       FRAME_RIGHT, FRAME_BOTTOM, FRAME_LEFT, FRAME_TOP, FRAME_RIGHT,
			       FRAME_TOP, FRAME_LEFT, (FRAME_TOP + FRAME_BOTTOM) / 2, FRAME_RIGHT,
			       (FRAME_TOP + FRAME_BOTTOM) / 2);
	draw_label(frame, frame->most, "", FRAME_LEFT - 6, FRAME_TOP + 4, "label");
	draw_label(frame, (frame->least + frame->most) / 2, "", FRAME_LEFT - 6,
		   (FRAME_TOP + FRAME_BOTTOM) / 2.0 + 4, "label");
	draw_label(frame, frame->least, "", FRAME_LEFT - 6, FRAME_BOTTOM + 4, "label");
	draw_label(frame, frame->first, " s", FRAME_LEFT, FRAME_BOTTOM + 18, "label first");
	draw_label(frame, frame->last, " s", FRAME_RIGHT, FRAME_BOTTOM + 18, "label");
}

static void
draw_chart(GString *out, const Points *points, const Chart *chart)
{
	Frame frame = { .out = out,
			.points = points,
			.first = points->n > 1 ? points->at[0] : 0,
			.last = points->at[points->n - 1],
			.least = chart->least,
			.most = chart->grows ? round_up(highest(points, chart), chart->most)
					     : chart->most };

	g_string_append(out, "<svg class=\"chart\" viewBox=\"0 0 480 152\" role=\"img\">\n");
	draw_axes(&frame, chart->title);
	for (guint c = 0; c < 2 && chart->curves[c] < N_CURVES; c++)
		draw_curve(&frame, points->values[chart->curves[c]], c ? "to" : "from");
	g_string_append(out, "</svg>\n");
}

void
report_quality(GString *out, const char *ladder)
{
	static const char *const SIDES[] = { "caller", "callee" };
	g_autofree Series *series = g_new0(Series, 1);

	trace_read(ladder, add_point, series);
	for (guint side = 0; side < 2; side++) {
		if (series->sides[side].n == 0)
			continue;
		g_string_append_printf(
			out,
			"<h2>The audio of the %s over time</h2>\n<p class=\"hint\">"
			"<span class=\"from\">\xe2\x80\x94 from the %s</span> "
			"<span class=\"to\">\xe2\x80\x94 to the %s, by its reports</span></p>\n"
			"<div class=\"charts\">\n",
			SIDES[side], SIDES[side], SIDES[side]);
		for (guint i = 0; i < G_N_ELEMENTS(CHARTS); i++)
			draw_chart(out, &series->sides[side], &CHARTS[i]);
		g_string_append(out, "</div>\n");
	}
}
