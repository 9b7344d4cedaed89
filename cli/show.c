/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* show.c - an answer as a table, a card or a text. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <json-glib/json-glib.h>
#include "cli/show.h"

#define GAP "  "

gboolean show_in_json;
gboolean show_rows_alone;
ShowAs show_as;

/* --- what went wrong --- */

static void
print_error_object(Status status, const char *text)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *valid = g_utf8_make_valid(text, -1), *line = NULL;

	json_object_set_boolean_member(object, "ok", FALSE);
	json_object_set_int_member(object, "status", status);
	json_object_set_string_member(object, "error", valid);
	json_node_set_object(root, object);
	line = json_to_string(root, FALSE);
	g_print("%s\n", line);
}

Status
complain(Status status, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (show_in_json)
		print_error_object(status, text);
	else
		fprintf(stderr, "tandemctl: %s\n", text);
	return status;
}

/* --- tables --- */

guint
terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static guint
char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static guint
text_width(const char *text)
{
	guint width = 0;

	for (; *text; text = g_utf8_next_char(text))
		width += char_width(g_utf8_get_char(text));
	return width;
}

/* A cell as text; what a stranger sent must not move the cursor. */
static char *
cell_text(JsonNode *node)
{
	g_autofree char *text = NULL;
	GString *clean = g_string_new(NULL);

	if (json_node_get_value_type(node) == G_TYPE_INT64)
		text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
	else
		text = g_strdup(json_node_get_string(node));
	for (const char *at = text ? text : ""; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(
			clean,
			g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ? '?' : c);
	}
	return g_string_free(clean, FALSE);
}

/* Cut to `room` columns, with an ellipsis; 0: as it is. */
static char *
cut(const char *text, guint room)
{
	GString *out = g_string_new(NULL);
	guint width = 0;

	if (room == 0 || text_width(text) <= room) {
		g_string_append(out, text);
		return g_string_free(out, FALSE);
	}
	for (; *text; text = g_utf8_next_char(text)) {
		width += char_width(g_utf8_get_char(text));
		if (width > room - 1)
			break;
		g_string_append_unichar(out, g_utf8_get_char(text));
	}
	g_string_append(out, "…");
	return g_string_free(out, FALSE);
}

static void
print_line(GPtrArray *cells, const guint *widths, guint terminal)
{
	g_autoptr(GString) line = g_string_new(NULL);
	g_autofree char *shown = NULL;

	for (guint i = 0; i < cells->len; i++) {
		const char *cell = cells->pdata[i];

		g_string_append_printf(line, "%s%s", i ? GAP : "", cell);
		for (guint pad = text_width(cell); i + 1 < cells->len && pad < widths[i]; pad++)
			g_string_append_c(line, ' ');
	}
	shown = cut(line->str, terminal);
	g_print("%s\n", g_strchomp(shown));
}

static GPtrArray *
cells_of(JsonArray *array)
{
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < json_array_get_length(array); i++)
		g_ptr_array_add(cells, cell_text(json_array_get_element(array, i)));
	return cells;
}

/* The first line, where it is one, and lines of one cell are headings. */
static void
print_lines(GPtrArray *lines, gboolean heading)
{
	guint terminal = terminal_columns(), widths[32] = { 0 };
	gboolean colour = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");

	for (guint i = 0; i < lines->len; i++) {
		GPtrArray *cells = lines->pdata[i];

		for (guint c = 0; c < MIN(cells->len, G_N_ELEMENTS(widths)); c++)
			widths[c] = MAX(widths[c], text_width(cells->pdata[c]));
	}
	for (guint i = heading ? 0 : 1; i < lines->len; i++) {
		gboolean bold = colour && (i == 0 || ((GPtrArray *)lines->pdata[i])->len == 1);

		if (bold)
			g_print("\033[1m");
		print_line(lines->pdata[i], widths, terminal);
		if (bold)
			g_print("\033[0m");
	}
}

/* "key", "value" is a card: its heading would say nothing. */
static void
print_table(JsonArray *columns, JsonArray *rows)
{
	g_autoptr(GPtrArray) lines =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	gboolean card;

	card = json_array_get_length(columns) == 2 &&
	       g_strcmp0(json_array_get_string_element(columns, 0), "key") == 0;
	g_ptr_array_add(lines, cells_of(columns));
	for (guint i = 0; i < json_array_get_length(rows); i++)
		g_ptr_array_add(lines, cells_of(json_array_get_array_element(rows, i)));
	print_lines(lines, !card && !show_rows_alone);
}

/* A ladder: line breaks stay, other control characters do not. */
static void
print_text(const char *text)
{
	gunichar last = '\n';

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c != '\n' && (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT))
			g_print("?");
		else
			g_print("%.*s", (int)(g_utf8_next_char(text) - text), text);
		last = c;
	}
	if (last != '\n')
		g_print("\n");
}

/* --- "key", "value", "group", "unit": a part for each group --- */

enum { KEY, VALUE, GROUP, UNIT };

static gboolean
is_grouped(JsonArray *columns)
{
	return json_array_get_length(columns) > UNIT &&
	       g_strcmp0(json_array_get_string_element(columns, GROUP), "group") == 0 &&
	       g_strcmp0(json_array_get_string_element(columns, UNIT), "unit") == 0;
}

/* A number as a person reads it. */
static char *
with_unit(JsonArray *row)
{
	JsonNode *value = json_array_get_element(row, VALUE);
	const char *unit = json_array_get_string_element(row, UNIT);
	gint64 number = *unit ? json_node_get_int(value) : 0;

	if (g_str_equal(unit, "s"))
		return g_strdup_printf("%" G_GINT64_FORMAT " d %02d:%02d:%02d", number / 86400,
				       (int)(number / 3600 % 24), (int)(number / 60 % 60),
				       (int)(number % 60));
	if (g_str_equal(unit, "KiB"))
		return g_strdup_printf("%.1f MiB", (double)number / 1024);
	return cell_text(value);
}

/* "sip legs" is "legs" under the heading "sip". */
static char *
key_in_group(const char *key, const char *group)
{
	gsize length = strlen(group);
	gboolean repeats = g_str_has_prefix(key, group) && key[length] == ' ';

	return g_strdup_printf("  %s", repeats ? key + length + 1 : key);
}

static GPtrArray *
add_line(GPtrArray *lines, char *cell)
{
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(cells, cell);
	g_ptr_array_add(lines, cells);
	return cells;
}

/* The rows of a group follow each other. */
static void
print_groups(JsonArray *rows)
{
	g_autoptr(GPtrArray) lines =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	const char *before = "";

	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonArray *row = json_array_get_array_element(rows, i);
		const char *group = json_array_get_string_element(row, GROUP);
		g_autofree char *key = cell_text(json_array_get_element(row, KEY));

		if (!g_str_equal(before, group))
			add_line(lines, g_strdup(group));
		before = group;
		g_ptr_array_add(add_line(lines, key_in_group(key, group)), with_unit(row));
	}
	print_lines(lines, TRUE);
}

/* What import reads is as it is, to be kept in a file. */
static gboolean
is_lines(JsonArray *columns)
{
	return json_array_get_length(columns) == 1 &&
	       g_strcmp0(json_array_get_string_element(columns, 0), "line") == 0;
}

static void
print_each(JsonArray *rows)
{
	for (guint i = 0; i < json_array_get_length(rows); i++)
		g_print("%s\n",
			json_array_get_string_element(json_array_get_array_element(rows, i), 0));
}

/* What a spreadsheet would run.  A number with its + is none. */
static gboolean
is_formula(const char *text)
{
	return *text == '=' || *text == '@' ||
	       ((*text == '+' || *text == '-') && strpbrk(text, "=(|!"));
}

/* RFC 4180: what has a comma, a quotation mark or a line's end stands in quotation marks. */
static void
print_field(const char *text, gboolean last)
{
	g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
	g_autofree char *doubled = g_strjoinv("\"\"", parts);

	if (strpbrk(text, ",\"\r\n"))
		g_print("\"%s\"%s", doubled, last ? "\r\n" : ",");
	else
		g_print("%s%s", text, last ? "\r\n" : ",");
}

static void
print_record(JsonArray *row)
{
	guint n = json_array_get_length(row);

	for (guint i = 0; i < n; i++) {
		g_autofree char *cell = cell_text(json_array_get_element(row, i));
		g_autofree char *text = g_strconcat(is_formula(cell) ? "'" : "", cell, NULL);

		print_field(text, i + 1 == n);
	}
}

static void
print_csv(JsonArray *columns, JsonArray *rows)
{
	if (!show_rows_alone)
		print_record(columns);
	for (guint i = 0; i < json_array_get_length(rows); i++)
		print_record(json_array_get_array_element(rows, i));
}

static void
print_json_line(JsonArray *columns, JsonArray *row)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *line = NULL;

	for (guint i = 0; i < json_array_get_length(columns); i++)
		json_object_set_member(object, json_array_get_string_element(columns, i),
				       json_node_copy(json_array_get_element(row, i)));
	json_node_set_object(root, object);
	line = json_to_string(root, FALSE);
	g_print("%s\n", line);
}

static void
print_json_lines(JsonArray *columns, JsonArray *rows)
{
	for (guint i = 0; i < json_array_get_length(rows); i++)
		print_json_line(columns, json_array_get_array_element(rows, i));
}

/* --- "check", "state", "finding", "remedy": what the doctor has to say --- */

enum { CHECK, STATE, FINDING, REMEDY };

static gboolean
is_checks(JsonArray *columns)
{
	return json_array_get_length(columns) > REMEDY &&
	       g_strcmp0(json_array_get_string_element(columns, CHECK), "check") == 0 &&
	       g_strcmp0(json_array_get_string_element(columns, REMEDY), "remedy") == 0;
}

static guint
count_state(JsonArray *rows, const char *state)
{
	guint n = 0;

	for (guint i = 0; i < json_array_get_length(rows); i++)
		n += g_strcmp0(json_array_get_string_element(json_array_get_array_element(rows, i),
							     STATE),
			       state) == 0;
	return n;
}

static void
print_checks_of(JsonArray *rows, const char *state)
{
	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonArray *row = json_array_get_array_element(rows, i);
		g_autofree char *name = cell_text(json_array_get_element(row, CHECK));
		g_autofree char *finding = cell_text(json_array_get_element(row, FINDING));
		g_autofree char *remedy = cell_text(json_array_get_element(row, REMEDY));

		if (g_strcmp0(json_array_get_string_element(row, STATE), state) != 0)
			continue;
		g_print("%-8s %s: %s\n", state, name, finding);
		if (*remedy)
			g_print("%-8s what to do: %s\n", "", remedy);
	}
}

/* What is wrong comes last, where it is seen. */
static void
print_checks(JsonArray *rows)
{
	print_checks_of(rows, "skipped");
	print_checks_of(rows, "good");
	print_checks_of(rows, "bad");
	g_print("%u checks: %u good, %u bad, %u skipped\n", json_array_get_length(rows),
		count_state(rows, "good"), count_state(rows, "bad"), count_state(rows, "skipped"));
}

/* Of checks one of which is bad: failed. */
static Status
status_of(JsonObject *object)
{
	JsonArray *columns = json_object_has_member(object, "rows")
				     ? json_object_get_array_member(object, "columns")
				     : NULL;

	return columns && is_checks(columns) &&
			       count_state(json_object_get_array_member(object, "rows"), "bad") > 0
		       ? FAILED
		       : DONE;
}

static void
print_rows(JsonArray *columns, JsonArray *rows)
{
	if (is_lines(columns))
		print_each(rows);
	else if (show_as == SHOW_CSV)
		print_csv(columns, rows);
	else if (show_as == SHOW_JSON_LINES)
		print_json_lines(columns, rows);
	else if (is_grouped(columns))
		print_groups(rows);
	else if (is_checks(columns))
		print_checks(rows);
	else
		print_table(columns, rows);
}

static void
print_members(JsonObject *object)
{
	JsonArray *rows = json_object_has_member(object, "rows")
				  ? json_object_get_array_member(object, "rows")
				  : NULL;

	if (rows && (json_array_get_length(rows) > 0 || show_as != SHOW_TABLE))
		print_rows(json_object_get_array_member(object, "columns"), rows);
	if (json_object_has_member(object, "text"))
		print_text(json_object_get_string_member(object, "text"));
	else if (rows && json_array_get_length(rows) == 0 && show_as == SHOW_TABLE &&
		 !show_rows_alone && !is_lines(json_object_get_array_member(object, "columns")))
		g_print("none\n");
}

Status
show_reply(const char *reply, gboolean json)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	const char *cut_short;
	JsonObject *object;

	if (!json_parser_load_from_data(parser, reply, -1, NULL) ||
	    !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		return complain(FAILED, "the answer is not understood: %s", reply);
	object = json_node_get_object(json_parser_get_root(parser));
	if (json)
		g_print("%s\n", reply);
	if (!json_object_get_boolean_member_with_default(object, "ok", FALSE)) {
		Status status = json_object_get_int_member_with_default(object, "status", 1) == 2
					? WRONG
					: FAILED;

		return json ? status
			    : complain(status, "%s",
				       json_object_get_string_member_with_default(object, "error",
										  "failed"));
	}
	cut_short = json_object_get_string_member_with_default(object, "error", NULL);
	if (json)
		return cut_short ? FAILED : status_of(object);
	print_members(object);
	if (json_object_has_member(object, "more"))
		fprintf(stderr,
			"tandemctl: these are the newest %u, and there may be more: write "
			"--last N, or --since\n",
			json_array_get_length(json_object_get_array_member(object, "rows")));
	return cut_short ? complain(FAILED, "the list is cut short: %s", cut_short)
			 : status_of(object);
}
