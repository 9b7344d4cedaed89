/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* trace.c - the flight recorder of a call, and the ladder drawn from it.
 *
 * The first lines of a call say how it was set up and the last ones how it
 * ended, so when there are too many it is the middle that goes, but for what was wrong.
 * A line that comes again at once is counted.
 * Thread: signalling; trace_draw() any (pure).
 */
#include "b2bua/trace.h"
#include <string.h>

#define MAX_FIRST	 120 /* lines kept from the beginning */
#define MAX_LAST	 180 /* lines kept from the end */
#define MAX_FAULTS	 40  /* lines kept of what lies between */
#define MAX_LINE_BYTES	 240
#define USUAL_LINE_BYTES 64
#define SERIES		 "series"

typedef struct {
	gint64 at_us;
	const char *lane; /* interned: there are few */
	TraceKind kind;
	gboolean fault;
	guint again; /* how often it came again at once, and when last */
	gint64 again_us;
	char text[];
} Line;

struct Trace {
	gint64 start_us;
	GPtrArray *first;  /* Line */
	GQueue last;	   /* Line */
	GPtrArray *faults; /* Line; NULL: none has been dropped from `last` */
	Line *newest;
	guint dropped;
	gint64 dropped_us; /* when the last of the dropped was said */
};

static const char *const KIND_NAMES[] = {
	[TRACE_IN] = "in",
	[TRACE_OUT] = "out",
	[TRACE_NOTE] = "note",
};

Trace *
trace_new(void)
{
	Trace *trace = g_new0(Trace, 1);

	trace->start_us = g_get_monotonic_time();
	trace->first = g_ptr_array_new_with_free_func(g_free);
	g_queue_init(&trace->last);
	return trace;
}

void
trace_free(Trace *trace)
{
	if (!trace)
		return;
	g_ptr_array_unref(trace->first);
	g_queue_clear_full(&trace->last, g_free);
	g_clear_pointer(&trace->faults, g_ptr_array_unref);
	g_free(trace);
}

static gboolean
is_plain(const char *text, gsize length)
{
	for (gsize i = 0; i < length; i++)
		if (!g_ascii_isprint(text[i]))
			return FALSE;
	return TRUE;
}

/* One line of valid UTF-8 and bounded length, whatever a stranger put into it. */
static char *
clean(const char *text)
{
	const gsize length = strnlen(text, MAX_LINE_BYTES);
	GString *out;
	char *line;

	if (is_plain(text, length)) /* nearly always */
		return g_strndup(text, length);
	line = g_utf8_make_valid(text, (gssize)length);
	out = g_string_new(NULL);
	for (const char *p = line; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(out, g_unichar_iscntrl(c) ? ' ' : c);
	}
	g_free(line);
	return g_string_free(out, FALSE);
}

static void
drop_oldest(Trace *trace)
{
	Line *oldest = g_queue_pop_head(&trace->last);

	if (oldest->fault && !trace->faults)
		trace->faults = g_ptr_array_new_with_free_func(g_free);
	if (oldest->fault && trace->faults->len < MAX_FAULTS) {
		g_ptr_array_add(trace->faults, oldest);
		return;
	}
	trace->dropped += 1 + oldest->again;
	trace->dropped_us = oldest->at_us;
	g_free(oldest);
}

static gboolean
is_again(const Line *newest, const char *lane, TraceKind kind, const char *words)
{
	return newest && newest->lane == lane && newest->kind == kind &&
	       strcmp(newest->text, words) == 0;
}

static void
add(Trace *trace, const char *lane, TraceKind kind, gboolean fault, const char *text)
{
	const gint64 now = g_get_monotonic_time() - trace->start_us;
	g_autofree char *words = clean(text);
	const gsize size = strlen(words) + 1;
	Line *line;

	lane = g_intern_string(lane);
	if (is_again(trace->newest, lane, kind, words)) {
		trace->newest->again++;
		trace->newest->again_us = now;
		return;
	}
	line = g_malloc(sizeof *line + size);
	*line = (Line){ .at_us = now, .lane = lane, .kind = kind, .fault = fault };
	memcpy(line->text, words, size);
	trace->newest = line;
	if (trace->first->len < MAX_FIRST) {
		g_ptr_array_add(trace->first, line);
		return;
	}
	g_queue_push_tail(&trace->last, line);
	if (trace->last.length > MAX_LAST)
		drop_oldest(trace);
}

void
trace_add(Trace *trace, const char *lane, TraceKind kind, const char *text)
{
	add(trace, lane, kind, FALSE, text);
}

void
trace_add_fault(Trace *trace, const char *lane, const char *text)
{
	add(trace, lane, TRACE_NOTE, TRUE, text);
}

char *
trace_series_line(const Trace *trace, gint64 at_us, const char *text)
{
	return g_strdup_printf("%" G_GINT64_FORMAT "\tmedia\t" SERIES "\t%s\n",
			       MAX(0, at_us - trace->start_us), text);
}

static void
append_line(GString *text, const Line *line)
{
	const char *kind = KIND_NAMES[line->kind];

	g_string_append_printf(text, "%" G_GINT64_FORMAT "\t%s\t%s\t%s\n", line->at_us, line->lane,
			       kind, line->text);
	if (line->again == 1)
		g_string_append_printf(text, "%" G_GINT64_FORMAT "\t%s\t%s\t%s\n", line->again_us,
				       line->lane, kind, line->text);
	else if (line->again)
		g_string_append_printf(text, "%" G_GINT64_FORMAT "\t%s\t%s\t%s (%u times since)\n",
				       line->again_us, line->lane, kind, line->text, line->again);
}

char *
trace_text(const Trace *trace)
{
	GString *text = g_string_sized_new(trace->first->len * USUAL_LINE_BYTES);

	for (guint i = 0; i < trace->first->len; i++)
		append_line(text, trace->first->pdata[i]);
	for (guint i = 0; trace->faults && i < trace->faults->len; i++)
		append_line(text, trace->faults->pdata[i]);
	if (trace->dropped > 0)
		g_string_append_printf(text,
				       "%" G_GINT64_FORMAT "\tcore\tnote\t%u lines left out here\n",
				       trace->dropped_us, trace->dropped);
	for (GList *item = trace->last.head; item; item = item->next)
		append_line(text, item->data);
	return g_string_free(text, FALSE);
}

/* --- read again --- */

static const char *
after(const char *words, const char *prefix)
{
	return g_str_has_prefix(words, prefix) ? words + strlen(prefix) : NULL;
}

static void
place(TraceLine *line, const char *lane, const char *kind)
{
	const gboolean in = strcmp(kind, "in") == 0, note = strcmp(kind, "note") == 0;

	line->on_left = g_str_has_prefix(lane, "caller");
	line->arrow = note		    ? TRACE_ARROW_NONE
		      : in == line->on_left ? TRACE_ARROW_TO_RIGHT
					    : TRACE_ARROW_TO_LEFT;
}

static void
read_line(char *const *fields, TraceFunc func, gpointer user)
{
	const char *lane = fields[1], *words = fields[3], *rest;
	g_autofree char *text = NULL;
	TraceLine line = { .at_us = g_ascii_strtoll(fields[0], NULL, 10), .text = words };

	if (strcmp(fields[2], SERIES) == 0) {
		line.kind = TRACE_LINE_SERIES;
		func(user, &line);
		return;
	}
	place(&line, lane, fields[2]);
	if (strcmp(lane, "media") == 0) {
		line.kind = TRACE_LINE_MEDIA;
		line.on_left = (rest = after(words, "caller: ")) != NULL;
		line.text = rest ? rest : (rest = after(words, "callee: ")) ? rest : words;
	} else if (strcmp(lane, "core") == 0) {
		line.kind = TRACE_LINE_CORE;
		line.text = text = g_strdup_printf("= %s", words);
	} else if (g_str_has_prefix(lane, "callee") && lane[6]) {
		line.text = text = g_strdup_printf("%s: %s", lane + 6, words);
	}
	func(user, &line);
}

void
trace_read(const char *text, TraceFunc func, gpointer user)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		g_auto(GStrv) fields = g_strsplit(lines[i], "\t", 4);

		if (g_strv_length(fields) == 4 && g_utf8_validate(lines[i], -1, NULL))
			read_line(fields, func, user);
	}
}

char **
trace_messages(const char *text)
{
	static const char start[] = "message to "; /* as call_notice.c notes it */
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	g_autoptr(GStrvBuilder) messages = g_strv_builder_new();

	for (char **line = lines; *line; line++) {
		const char *last = strrchr(*line, '\t');

		if (last && g_str_has_prefix(last + 1, start))
			g_strv_builder_add(messages, last + 1 + strlen(start));
	}
	return g_strv_builder_end(messages);
}

/* --- the ladder ---
 *
 *      time   caller                     gateway                      callee
 *    0.000     |--- INVITE +1415… ---------->|                           |
 *    0.002     |                             | CALLING                   |
 *    0.002     |                             |--- propose -------------->|
 */

#define MIN_COLUMNS  60
#define MAX_COLUMNS  200
#define TIME_COLUMNS 10

typedef struct {
	GString *out;
	TraceView view;
	guint left, right; /* columns between the lifelines */
} Ladder;

static guint
text_columns(const char *text)
{
	guint columns = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (!g_unichar_iszerowidth(c))
			columns += g_unichar_iswide(c) ? 2 : 1;
	}
	return columns;
}

char *
trace_piece(const char **rest, guint columns)
{
	const char *start = *rest, *end = start, *blank = NULL;
	guint used = 0;

	for (; *end; end = g_utf8_next_char(end)) {
		gunichar c = g_utf8_get_char(end);
		guint width = g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;

		if (used + width > columns)
			break;
		if (c == ' ' && used > columns / 2)
			blank = end;
		used += width;
	}
	if (*end && blank)
		end = blank;
	*rest = *end == ' ' ? end + 1 : end;
	return g_strndup(start, (gsize)(end - start));
}

static void
append_run(GString *out, char c, guint count)
{
	while (count-- > 0)
		g_string_append_c(out, c);
}

/* The text between two lifelines, `columns` wide, as an arrow or beside one. */
static void
append_span(GString *out, const char *text, guint columns, TraceArrow arrow)
{
	guint used = text_columns(text);

	switch (arrow) {
	case TRACE_ARROW_TO_RIGHT:
		g_string_append_printf(out, "-- %s ", text);
		append_run(out, '-', columns - used - 5);
		g_string_append_c(out, '>');
		break;
	case TRACE_ARROW_TO_LEFT:
		g_string_append_printf(out, "<-- %s ", text);
		append_run(out, '-', columns - used - 5);
		break;
	case TRACE_ARROW_NONE:
		g_string_append_printf(out, " %s", text);
		append_run(out, ' ', columns - used - 1);
		break;
	}
}

static void
draw_line(Ladder *ladder, const TraceLine *line)
{
	guint columns = line->on_left ? ladder->left : ladder->right;
	TraceArrow arrow = line->arrow;
	const char *rest = line->text;
	gboolean first = TRUE;

	do {
		g_autofree char *piece = trace_piece(&rest, columns - 6);

		if (first)
			g_string_append_printf(ladder->out, "%8.3f  |",
					       (double)line->at_us / G_USEC_PER_SEC);
		else
			g_string_append_printf(ladder->out, "%*s|", TIME_COLUMNS, "");
		if (line->on_left) {
			append_span(ladder->out, piece, ladder->left, arrow);
			g_string_append_c(ladder->out, '|');
			append_run(ladder->out, ' ', ladder->right);
		} else {
			append_run(ladder->out, ' ', ladder->left);
			g_string_append_c(ladder->out, '|');
			append_span(ladder->out, piece, ladder->right, arrow);
		}
		g_string_append(ladder->out, "|\n");
		first = FALSE;
		arrow = TRACE_ARROW_NONE; /* what follows is the rest of the words */
	} while (*rest);
}

static gboolean
is_drawn(TraceView view, const TraceLine *line)
{
	if (line->kind == TRACE_LINE_SERIES)
		return FALSE;
	if (line->kind == TRACE_LINE_CORE)
		return !(view & TRACE_NO_KEYS) || !strstr(line->text, TRACE_PRESSES);
	return !(view & (line->on_left ? TRACE_NO_CALLER : TRACE_NO_CALLEE));
}

static void
draw_entry(gpointer user, const TraceLine *line)
{
	Ladder *ladder = user;

	if (is_drawn(ladder->view, line))
		draw_line(ladder, line);
}

static void
draw_head(Ladder *ladder)
{
	guint before = ladder->left - 10;

	g_string_append_printf(ladder->out, "%8s  caller", "time");
	append_run(ladder->out, ' ', before);
	g_string_append(ladder->out, "gateway");
	append_run(ladder->out, ' ', ladder->right - 9);
	g_string_append(ladder->out, "callee\n");
}

char *
trace_draw(const char *text, guint columns, TraceView view)
{
	Ladder ladder = { g_string_new(NULL), view, 0, 0 };
	guint inside;

	columns = CLAMP(columns, MIN_COLUMNS, MAX_COLUMNS);
	inside = columns - TIME_COLUMNS - 3;
	ladder.left = inside / 2;
	ladder.right = inside - ladder.left;
	draw_head(&ladder);
	trace_read(text, draw_entry, &ladder);
	return g_string_free(ladder.out, FALSE);
}
