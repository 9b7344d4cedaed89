/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-report.c - the page of a call: what is in it, that no stranger's text leaves its place,
 * and who may see it by HTTP. */
#include <string.h>
#include "b2bua/report/html.h"
#include "b2bua/report/report.h"
#include "b2bua/report/report_call.h"
#include "b2bua/why/cause.h"

#define HOSTILE                                                                       \
	"</text></svg><script>alert(1)</script><img src=x onerror=\"alert('2')\"> & " \
	"\xe2\x80\xae"                                                                \
	"evil\x01\xff]]>"

static const char LADDER[] =
	"0\tcaller\tin\tanna@example.org/phone calls +14155551234\n"
	"900\tcore\tnote\tCALLING\n"
	"1200\tcallee\tout\tINVITE +14155551234\n"
	"4000000\tmedia\tnote\tcaller: ice: host 192.0.2.1:4000 to prflx 198.51.100.9:50000\n"
	"4000100\tmedia\tnote\tcallee: rtp: first packet from 203.0.113.4:7000, payload type 0\n"
	"65000000\tcore\tnote\tmessage to anna@example.org: the call was lost\n"
	"5000000\tmedia\tseries\tcaller in 250 10 1.2 3.90 out 250 - - - rtt -\n"
	"10000000\tmedia\tseries\tcaller in 250 0 1.4 4.30 out 250 5 2.0 4.10 rtt 40.0\n"
	"10000000\tmedia\tseries\tnonsense\n"
	"10000000\tmedia\tseries\tcaller in x y z - out 1e999 -5 nan inf rtt nan\n";

static CallRecord
record_of(const char *text)
{
	return (CallRecord){ .id = 17,
			     .state = (char *)"ENDED",
			     .started_us = 1764000000000000,
			     .answered_us = 1764000004000000,
			     .ended_us = 1764000065000000,
			     .caller = (char *)text,
			     .callee = (char *)text,
			     .user = (char *)text,
			     .caller_plugin = (char *)"xmpp",
			     .callee_plugin = (char *)"sip",
			     .trunk = (char *)text,
			     .reason = (char *)"media-lost",
			     .text = (char *)text,
			     .ended_by = (char *)"gateway",
			     .stats = (char *)"port=caller packets_in=1 codec=opus\naudio=from the "
					      "caller: opus, passed through\n",
			     .ladder = (char *)LADDER };
}

static void
assert_has(const char *page, const char *part)
{
	if (!strstr(page, part))
		g_error("the page has no '%s': %s", part, page);
}

static void
test_parts(void)
{
	CallRecord record = record_of("anna");
	g_autofree char *page = NULL, *text = NULL;
	const char *remedy = cause_remedy(CAUSE_TRUNK_NAME);

	text = g_strdup_printf("It failed. %s", remedy);
	record.text = text;
	page = report_html(&record, NULL);
	assert_has(page, "<h1>Call 17: <bdi>anna</bdi> to <bdi>anna</bdi></h1>");
	assert_has(page, "<p>It failed.</p>\n<p><b>What to do:</b> ");
	assert_has(page, "class=\"why bad\"");
	assert_has(page, "<td>anna@example.org: the call was lost</td>");
	assert_has(page, "<td>host 192.0.2.1:4000</td><td>prflx 198.51.100.9:50000</td>");
	assert_has(page, "<td>1 min 01 s</td>");
	assert_has(page, "The audio of the caller over time");
	g_assert_null(strstr(page, "The audio of the callee over time"));
	assert_has(page, "Audio from the caller: opus, passed through.");
	assert_has(page, ">4.000</text>");
	assert_has(page, ">+4.0 s</text>");
	assert_has(page, "INVITE +14155551234");
	g_assert_null(strstr(page, "nan"));
	g_assert_null(strstr(page, "inf "));
	g_assert_null(strstr(page, "http://"));
	g_assert_null(strstr(page, "https://"));
}

static void
test_little(void)
{
	const CallRecord nothing = { .id = 1 };
	g_autofree char *page = report_html(&nothing, "one-way: the callee is not heard");

	assert_has(page, "one-way: the callee is not heard");
	g_assert_null(strstr(page, "<svg"));
}

/* A peer that sends no reports has lost nothing that is known of. */
static void
test_no_reports(void)
{
	static char ladder[] =
		"5000000\tmedia\tseries\tcallee in 250 0 1.2 4.30 out 250 - - - rtt -\n"
		"9000000\tmedia\tseries\tcallee in 250 0 1.2 4.30 out 250 - - - rtt -\n";
	CallRecord record = record_of("anna");
	g_autofree char *page = NULL;

	record.ladder = ladder;
	page = report_html(&record, NULL);
	assert_has(page, "<circle cx=");
	assert_has(page, "class=\"from\"/>");
	g_assert_null(strstr(page, "class=\"to\"/>"));
	g_assert_null(strstr(page, ">100.0<"));
}

/* --- hostile texts --- */

static void
on_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
	   gpointer user, GError **error)
{
	g_assert_cmpstr(name, !=, "script");
	g_assert_cmpstr(name, !=, "img");
	for (; *names; names++) {
		g_assert_false(g_str_has_prefix(*names, "on"));
		g_assert_cmpstr(*names, !=, "src");
		g_assert_cmpstr(*names, !=, "href");
	}
}

static void
test_hostile(void)
{
	const GMarkupParser parser = { .start_element = on_element };
	g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, NULL, NULL);
	g_autofree char *ladder =
		g_strdup_printf("0\tcaller\tin\t%s\n1\tmedia\tnote\tcaller: ice: %s "
				"to %s\n2\tcore\tnote\tmessage to %s\n",
				"</text><script>", "<b>", "<i>", "<u>");
	CallRecord record = record_of(HOSTILE);
	g_autofree char *page = NULL;
	g_autoptr(GError) error = NULL;

	record.ladder = ladder;
	record.stats = (char *)"port=<script> x=<img>\naudio=<script>";
	page = report_html(&record, HOSTILE);
	g_assert_true(g_utf8_validate(page, -1, NULL));
	g_markup_parse_context_parse(context, page, -1, &error);
	g_assert_no_error(error);
	g_assert_true(g_markup_parse_context_end_parse(context, &error));
	g_assert_null(strstr(page, "<script"));
	g_assert_null(strstr(page, "\xe2\x80\xae"));
	assert_has(page, "&lt;script&gt;alert(1)");
}

static void
test_text(void)
{
	g_autoptr(GString) out = g_string_new(NULL);

	html_text(out, "a<b>&\"'\x02\x7f\xe2\x81\xa6\xc2\x85\xef\xbf\xbf\xc3\xa9");
	g_assert_cmpstr(out->str, ==,
			"a&lt;b&gt;&amp;&quot;&#39;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			"\xef\xbf\xbd\xc3\xa9");
}

/* --- the address --- */

static void
test_key(void)
{
	g_autofree char *path = report_path(17), *other = report_path(18);
	const char *key = strchr(path, '=') + 1;
	g_autofree char *nearly = g_strdup(key);

	g_assert_true(g_str_has_prefix(path, "/report/17?key="));
	g_assert_true(report_key_is(17, key));
	g_assert_false(report_key_is(18, key));
	g_assert_false(report_key_is(17, strchr(other, '=') + 1));
	g_assert_false(report_key_is(17, NULL));
	g_assert_false(report_key_is(17, ""));
	nearly[31] = nearly[31] == '0' ? '1' : '0';
	g_assert_false(report_key_is(17, nearly));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/parts", test_parts);
	g_test_add_func("/report/little", test_little);
	g_test_add_func("/report/no-reports", test_no_reports);
	g_test_add_func("/report/hostile", test_hostile);
	g_test_add_func("/report/text", test_text);
	g_test_add_func("/report/key", test_key);
	return g_test_run();
}
