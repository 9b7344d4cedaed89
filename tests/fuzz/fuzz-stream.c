/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-stream.c - any bytes behind a stream header, cut in two ways: what is passed on is the
 * same, and each stanza of it can be parsed by itself. */
#include <stdint.h>
#include <string.h>

#include "plugins/xmpp/xml.h"
#include "plugins/xmpp/xmpp_filter.h"

#define HEADER                                                            \
	"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"

typedef struct {
	GString *said;
	guint n;
} Heard;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_pass(gpointer user, const char *bytes, gsize length)
{
	Heard *heard = user;

	g_string_append_len(heard->said, bytes, (gssize)length);
	g_string_append_c(heard->said, '\n');
	g_assert_true(heard->n++ == 0 || length <= 4096);
}

static void
on_left_out(gpointer user, const char *limit, const char *answer)
{
	Heard *heard = user;

	g_string_append_printf(heard->said, "%s %s\n", limit, answer ? answer : "");
	if (answer && g_utf8_validate(answer, -1, NULL) && !strchr(answer, '&')) {
		g_autoptr(GError) error = NULL;
		g_autoptr(xmlNode) stanza = xml_parse(answer, strlen(answer), 1 << 20, &error);
		(void)stanza;
	}
}

static const XmppFilterSink sink = { on_pass, on_left_out };

static GString *
feed(const char *bytes, gsize length, gsize portion)
{
	XmppFilterLimits limits = { 4096, 512, 8, 8, 16, 64 };
	Heard heard = { g_string_new(NULL), 0 };
	XmppFilter *filter = xmpp_filter_new(&limits, &sink, &heard);
	const char *broken = xmpp_filter_feed(filter, HEADER, strlen(HEADER));

	g_assert_null(broken);
	for (gsize at = 0; at < length && !broken; at += portion)
		broken = xmpp_filter_feed(filter, bytes + at, MIN(portion, length - at));
	g_string_append(heard.said, broken ? broken : "");
	xmpp_filter_free(filter);
	return heard.said;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	GString *whole = feed(bytes, size, size + 1), *parts = feed(bytes, size, 1 + size % 13);

	g_assert_cmpstr(whole->str, ==, parts->str);
	g_string_free(whole, TRUE);
	g_string_free(parts, TRUE);
	return 0;
}
