/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report_ladder.c - who said what and when as a drawing, and what was connected with what.
 *
 *	time  caller            gateway            callee
 *	0.000   |--- words ------->|                  |
 */
#include "b2bua/report/html.h"
#include "b2bua/report/report.h"
#include "b2bua/trace.h"
#include <string.h>

#define LEFT_X	 90
#define MIDDLE_X 540
#define RIGHT_X	 990
#define WIDTH	 1000
#define HEAD_Y	 34
#define LINE_Y	 15
#define TEXT_X	 12 /* from a lifeline */
#define COLUMNS	 56 /* of 12 px in a fixed pitch */
#define GAP_US	 (2 * G_USEC_PER_SEC)
#define GAP_Y	 18
#define HEAD_X	 7 /* of an arrow */

typedef struct {
	GString *body;
	guint y;
	gint64 last_us;
	guint n_lines;
} Drawing;

static void
text_at(GString *out, guint x, guint y, const char *class, const char *text)
{
	g_string_append_printf(out, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
	html_text(out, text);
	g_string_append(out, "</text>\n");
}

static void
draw_time(Drawing *drawing, gint64 at_us)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(text, sizeof text, "%.3f", (double)at_us / G_USEC_PER_SEC);
	text_at(drawing->body, LEFT_X - 12, drawing->y + LINE_Y, "time", text);
}

/* A long silence takes no more room than a short one. */
static void
draw_gap(Drawing *drawing, gint64 at_us)
{
	const double gap_us = (double)at_us - (double)drawing->last_us;
	g_autofree char *text = NULL;
	char number[G_ASCII_DTOSTR_BUF_SIZE];

	if (drawing->n_lines == 0 || gap_us < GAP_US)
		return;
	g_ascii_formatd(number, sizeof number, "%.1f", gap_us / G_USEC_PER_SEC);
	text = g_strdup_printf("+%s s", number);
	g_string_append_printf(drawing->body,
			       "<line x1=\"%d\" y1=\"%u\" x2=\"%d\" y2=\"%u\" class=\"gap\"/>\n",
			       LEFT_X, drawing->y + GAP_Y / 2, RIGHT_X, drawing->y + GAP_Y / 2);
	text_at(drawing->body, LEFT_X - 12, drawing->y + GAP_Y / 2 + 4, "time gapped", text);
	drawing->y += GAP_Y;
}

static void
draw_arrow(Drawing *drawing, const TraceLine *line, guint from, guint to)
{
	const gboolean right = line->arrow == TRACE_ARROW_TO_RIGHT;
	const guint y = drawing->y + 6, tip = right ? to : from;
	const guint back = right ? tip - HEAD_X : tip + HEAD_X;

	g_string_append_printf(drawing->body,
			       "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" class=\"arrow\"/>"
			       "<path d=\"M%u %u L%u %u L%u %u Z\" class=\"tip\"/>\n",
			       from, y, to, y, tip, y, back, y - 4, back, y + 4);
	drawing->y += 10;
}

static const char *
class_of(const TraceLine *line)
{
	if (line->kind == TRACE_LINE_CORE)
		return "core";
	return line->kind == TRACE_LINE_MEDIA ? "media" : "said";
}

static void
draw_line(gpointer user, const TraceLine *line)
{
	Drawing *drawing = user;
	const guint from = line->on_left ? LEFT_X : MIDDLE_X;
	const char *rest = line->text;

	if (line->kind == TRACE_LINE_SERIES)
		return;
	draw_gap(drawing, line->at_us);
	draw_time(drawing, line->at_us);
	do {
		g_autofree char *piece = trace_piece(&rest, COLUMNS);

		drawing->y += LINE_Y;
		text_at(drawing->body, from + TEXT_X, drawing->y, class_of(line), piece);
	} while (*rest);
	if (line->arrow != TRACE_ARROW_NONE)
		draw_arrow(drawing, line, from, line->on_left ? MIDDLE_X : RIGHT_X);
	drawing->y += 4;
	drawing->last_us = line->at_us;
	drawing->n_lines++;
}

static void
draw_lifeline(GString *out, guint x, guint height, const char *anchor, const char *name)
{
	g_string_append_printf(out,
			       "<line x1=\"%u\" y1=\"%d\" x2=\"%u\" y2=\"%u\" class=\"life\"/>"
			       "<text x=\"%u\" y=\"20\" class=\"head %s\">%s</text>\n",
			       x, HEAD_Y - 6, x, height, x, anchor, name);
}

void
report_ladder(GString *out, const char *ladder)
{
	g_autoptr(GString) body = g_string_new(NULL);
	Drawing drawing = { body, HEAD_Y, 0, 0 };

	trace_read(ladder, draw_line, &drawing);
	if (drawing.n_lines == 0)
		return;
	g_string_append_printf(out,
			       "<h2>Who said what, and when</h2>\n<p class=\"hint\">Seconds since "
			       "the call began.</p>\n"
			       "<svg class=\"ladder\" viewBox=\"0 0 %d %u\" role=\"img\">\n",
			       WIDTH, drawing.y + 12);
	draw_lifeline(out, LEFT_X, drawing.y + 6, "start", "caller");
	draw_lifeline(out, MIDDLE_X, drawing.y + 6, "middle", "gateway");
	draw_lifeline(out, RIGHT_X, drawing.y + 6, "end", "callee");
	g_string_append_len(out, body->str, (gssize)body->len);
	g_string_append(out, "</svg>\n");
}

/* --- what was connected with what --- */

static void
add_cell(GString *out, const char *text, gsize length)
{
	g_autofree char *cell = g_strndup(text, length);

	g_string_append(out, "<td>");
	html_text(out, cell);
	g_string_append(out, "</td>");
}

/* "ice", "dtls", "rtp"; not the words of a sentence. */
static gboolean
is_layer(const char *text, const char *colon)
{
	return colon && colon - text <= 5 && strncmp(colon, ": ", 2) == 0 &&
	       !memchr(text, ' ', (gsize)(colon - text));
}

/* "ice: host 192.0.2.1:4000 to prflx 198.51.100.9:50000": a pair has its two ends apart. */
static void
add_connection(gpointer user, const TraceLine *line)
{
	GString *rows = user;
	const char *what = strchr(line->text, ':');
	const char *to = g_str_has_prefix(line->text, "ice: ") ? strstr(line->text, " to ") : NULL;
	char time[G_ASCII_DTOSTR_BUF_SIZE];

	if (line->kind != TRACE_LINE_MEDIA || !is_layer(line->text, what))
		return;
	g_ascii_formatd(time, sizeof time, "%.3f", (double)line->at_us / G_USEC_PER_SEC);
	g_string_append_printf(rows, "<tr><td class=\"number\">%s</td><td>%s</td>", time,
			       line->on_left ? "caller" : "callee");
	add_cell(rows, line->text, (gsize)(what - line->text));
	what += 2;
	if (to) {
		add_cell(rows, what, (gsize)(to - what));
		add_cell(rows, to + strlen(" to "), strlen(to + strlen(" to ")));
	} else {
		g_string_append(rows, "<td colspan=\"2\">");
		html_text(rows, what);
		g_string_append(rows, "</td>");
	}
	g_string_append(rows, "</tr>\n");
}

void
report_connections(GString *out, const char *ladder)
{
	g_autoptr(GString) rows = g_string_new(NULL);

	trace_read(ladder, add_connection, rows);
	if (rows->len == 0)
		return;
	g_string_append(out, "<h2>Connections</h2>\n<table class=\"grid\">\n<tr><th>s</th><th>side"
			     "</th><th>layer</th><th>gateway</th><th>peer</th></tr>\n");
	g_string_append_len(out, rows->str, (gssize)rows->len);
	g_string_append(out, "</table>\n");
}
