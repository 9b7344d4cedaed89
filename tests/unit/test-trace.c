/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-trace.c - the flight recorder's bounds, and the ladder against golden files. */
#include "b2bua/trace.h"
#include <string.h>

static const char RECORDED[] =
	"0\tcaller\tin\tanna@example.org/phone calls +14155551234, no offer yet\n"
	"180\tcaller\tin\tpropose\n"
	"900\tcore\tnote\tCALLING\n"
	"1200\tcallee\tout\tINVITE +14155551234 with PCMU/8000 PCMA/8000 telephone-event/8000\n"
	"20500\tcallee\tin\t100 Trying\n"
	"1250500\tcallee2\tin\t180 Ringing\n"
	"1250900\tcaller\tout\tringing\n"
	"4000000\tmedia\tnote\tcaller: ice: connected host 192.0.2.1:4000 to prflx "
	"198.51.100.9:50000\n"
	"4000100\tmedia\tnote\tcallee: rtp: connected\n"
	"65000000\tcallee\tin\tBYE\n"
	"65000200\tcore\tnote\tA call was hung up (\xc3\x9c"
	"berlastet \xe6\xbc\xa2)\n"
	"\nnonsense\n1\t2\n\xff\t\xff\t\xff\t\xff\n";

static guint
columns_of(const char *line)
{
	guint columns = 0;

	for (; *line; line = g_utf8_next_char(line))
		columns += g_unichar_iswide(g_utf8_get_char(line)) ? 2 : 1;
	return columns;
}

static void
test_draw(gconstpointer data)
{
	guint width = GPOINTER_TO_UINT(data);
	g_autofree char *file = g_strdup_printf("ladder-%u.txt", width);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "unit", "ladders", file, NULL);
	g_autofree char *drawn = trace_draw(RECORDED, width, TRACE_ALL), *golden = NULL;
	g_auto(GStrv) lines = g_strsplit(drawn, "\n", -1);

	if (g_getenv("LADDER_UPDATE"))
		g_assert_true(g_file_set_contents(path, drawn, -1, NULL));
	g_assert_true(g_file_get_contents(path, &golden, NULL, NULL));
	g_assert_cmpstr(drawn, ==, golden);
	for (char **line = lines; *line; line++)
		g_assert_cmpuint(columns_of(*line), <=, width);
}

/* No width and no text makes it fail; a line of the ladder is never too long. */
static void
test_draw_any(void)
{
	static const guint WIDTHS[] = { 0, 1, 59, 61, 133, 200, 100000 };

	for (guint i = 0; i < G_N_ELEMENTS(WIDTHS); i++) {
		g_autofree char *drawn = trace_draw(RECORDED, WIDTHS[i], TRACE_ALL);
		g_autofree char *empty = trace_draw("", WIDTHS[i], TRACE_ALL);
		g_autofree char *none = trace_draw(NULL, WIDTHS[i], TRACE_ALL);
		g_auto(GStrv) lines = g_strsplit(drawn, "\n", -1);

		for (char **line = lines; *line; line++)
			g_assert_cmpuint(columns_of(*line), <=, CLAMP(WIDTHS[i], 60, 200));
		g_assert_cmpstr(empty, ==, none);
	}
}

static void
test_bounded(void)
{
	Trace *trace = trace_new();
	g_autofree char *text = NULL, *drawn = NULL;
	g_autofree char *endless = g_strnfill(100000, 'x');
	g_auto(GStrv) lines = NULL;

	trace_add(trace, "caller", TRACE_IN, endless);
	for (guint i = 0; i < 10000; i++) {
		g_autofree char *line = g_strdup_printf("line %u", i);

		trace_add(trace, "callee", TRACE_OUT, line);
	}
	text = trace_text(trace);
	lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(strlen(text), <, 32768);
	g_assert_cmpuint(g_strv_length(lines), ==, 120 + 1 + 180 + 1);
	g_assert_true(g_str_has_suffix(lines[1], "line 0"));
	g_assert_true(g_str_has_suffix(lines[120], "9701 lines left out here"));
	g_assert_true(g_str_has_suffix(text, "\tline 9999\n"));
	drawn = trace_draw(text, 80, TRACE_ALL);
	g_assert_nonnull(strstr(drawn, "lines left out here"));
	trace_free(trace);
	trace_free(NULL);
}

/* What was wrong in the middle of a long call is still there. */
static void
test_faults_stay(void)
{
	Trace *trace = trace_new();
	g_autofree char *text = NULL;
	const char *last = NULL;

	for (guint i = 0; i < 1000; i++) {
		g_autofree char *line = g_strdup_printf("line %u", i);

		trace_add(trace, "callee", TRACE_OUT, line);
		if (i % 10 == 0) {
			g_autofree char *fault = g_strdup_printf("fault %u.", i);

			trace_add_fault(trace, "media", fault);
		}
	}
	text = trace_text(trace);
	for (guint i = 0; i < 400; i += 10) {
		g_autofree char *fault = g_strdup_printf("\tmedia\tnote\tfault %u.\n", i);

		last = strstr(last ? last : text, fault);
		g_assert_nonnull(last);
	}
	g_assert_nonnull(strstr(last, " lines left out here\n"));
	g_assert_cmpuint(strlen(text), <, 16384); /* faults have a limit as well */
	trace_free(trace);
}

static void
test_again(void)
{
	static const char *const lines[] = { "OPTIONS", "OPTIONS", "BYE", "BYE", "BYE", "BYE" };
	Trace *trace = trace_new();
	g_autofree char *text = NULL;
	g_auto(GStrv) said = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
		trace_add(trace, "caller", TRACE_IN, lines[i]);
	trace_add(trace, "callee", TRACE_OUT, "BYE");
	text = trace_text(trace);
	said = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(said), ==, 6);
	g_assert_true(g_str_has_suffix(said[0], "\tcaller\tin\tOPTIONS"));
	g_assert_true(g_str_has_suffix(said[1], "\tcaller\tin\tOPTIONS"));
	g_assert_true(g_str_has_suffix(said[2], "\tcaller\tin\tBYE"));
	g_assert_true(g_str_has_suffix(said[3], "\tcaller\tin\tBYE (3 times since)"));
	g_assert_true(g_str_has_suffix(said[4], "\tcallee\tout\tBYE"));
	trace_free(trace);
}

static void
test_views(void)
{
	static const char record[] = "1\tcaller\tin\tINVITE\n2\tcallee\tout\tpropose\n"
				     "3\tcore\tnote\tcaller presses 5\n4\tcore\tnote\tACTIVE\n"
				     "5\tmedia\tnote\tcallee: ice: up\n";
	static const struct {
		TraceView view;
		const char *there, *not_there;
	} cases[] = {
		{ TRACE_ALL, "INVITE propose presses ACTIVE ice", "" },
		{ TRACE_NO_KEYS, "INVITE propose ACTIVE ice", "presses" },
		{ TRACE_NO_CALLER, "propose presses ACTIVE ice", "INVITE" },
		{ TRACE_NO_CALLEE, "INVITE presses ACTIVE", "propose ice" },
		{ TRACE_NO_CALLEE | TRACE_NO_KEYS, "INVITE ACTIVE", "propose ice presses" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *drawn = trace_draw(record, 80, cases[i].view);
		g_auto(GStrv) there = g_strsplit(cases[i].there, " ", -1);
		g_auto(GStrv) not_there = g_strsplit(cases[i].not_there, " ", -1);

		for (char **word = there; *word; word++)
			g_assert_nonnull(strstr(drawn, *word));
		for (char **word = not_there; *word; word++)
			g_assert_null(strstr(drawn, *word));
	}
}

static void
test_clean(void)
{
	Trace *trace = trace_new();
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	trace_add(trace, "caller", TRACE_NOTE, "two\nlines\tand \x1b[31mcolour \xff\xfe");
	text = trace_text(trace);
	lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 2);
	g_assert_true(g_utf8_validate(text, -1, NULL));
	g_assert_null(strchr(text, '\x1b'));
	g_assert_nonnull(strstr(text, "\tcaller\tnote\ttwo lines and  [31mcolour "));
	trace_free(trace);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/trace/draw-80", GUINT_TO_POINTER(80), test_draw);
	g_test_add_data_func("/trace/draw-120", GUINT_TO_POINTER(120), test_draw);
	g_test_add_func("/trace/draw-any", test_draw_any);
	g_test_add_func("/trace/bounded", test_bounded);
	g_test_add_func("/trace/faults-stay", test_faults_stay);
	g_test_add_func("/trace/again", test_again);
	g_test_add_func("/trace/views", test_views);
	g_test_add_func("/trace/clean", test_clean);
	return g_test_run();
}
