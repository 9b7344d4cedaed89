/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-report.c - any texts of a record and a ladder: the page is well-formed, is UTF-8, has our
 * elements alone, and refers to nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "b2bua/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ELEMENTS[] = { "html", "head",	 "meta", "title",  "style", "body",
					"h1",	"h2",	 "bdi",	 "div",	   "p",	    "b",
					"span", "table", "tr",	 "th",	   "td",    "svg",
					"line", "path",	 "text", "circle", NULL };
static const char *const ATTRIBUTES[] = { "lang",    "charset", "name", "content", "http-equiv",
					  "class",   "viewBox", "role", "x",	   "y",
					  "x1",	     "y1",	"x2",	"y2",	   "d",
					  "colspan", "cx",	"cy",	"r",	   NULL };

static void
on_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
	   gpointer user, GError **error)
{
	if (!g_strv_contains(ELEMENTS, name))
		abort();
	for (; *names; names++)
		if (!g_strv_contains(ATTRIBUTES, *names))
			abort();
}

static void
check_page(const char *page)
{
	const GMarkupParser parser = { .start_element = on_element };
	GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, NULL, NULL);

	if (!g_utf8_validate(page, -1, NULL) ||
	    !g_markup_parse_context_parse(context, page, -1, NULL) ||
	    !g_markup_parse_context_end_parse(context, NULL))
		abort();
	g_markup_parse_context_free(context);
}

/* Each part up to the next NUL is a text; the rest is the ladder. */
static char *
next(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, 0, *size);
	const size_t length = end ? (size_t)(end - *data) : *size;
	char *text = g_strndup((const char *)*data, length);

	*data += MIN(length + 1, *size);
	*size -= MIN(length + 1, *size);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1);
	g_autofree char *trouble = NULL, *page = NULL;

	record->id = (gint64)size;
	record->count = size & 3;
	record->started_us = record->ended_us = (gint64)size * G_USEC_PER_SEC;
	record->answered_us = size & 1 ? G_MAXINT64 : 1;
	record->caller = next(&data, &size);
	record->callee = next(&data, &size);
	record->user = next(&data, &size);
	record->trunk = next(&data, &size);
	record->reason = next(&data, &size);
	record->text = next(&data, &size);
	record->ended_by = next(&data, &size);
	record->stats = next(&data, &size);
	record->ladder = next(&data, &size);
	trouble = next(&data, &size);
	page = report_html(record, *trouble ? trouble : NULL);
	check_page(page);
	return 0;
}
