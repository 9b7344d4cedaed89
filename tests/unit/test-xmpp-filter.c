/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-filter.c - what is passed on, what is left out, and what breaks the stream; cut
 * anywhere, the answer is the same. */
#include "plugins/xmpp/xmpp_filter.h"
#include <string.h>

#define HEADER                                                                                 \
	"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"
#define PLAIN "<message from='a@b' to='c@d'><body>x</body></message>"

typedef struct {
	GString *passed, *limits, *answers;
	const char *broken;
} Heard;

static void
on_pass(gpointer user, const char *bytes, gsize length)
{
	g_string_append_len(((Heard *)user)->passed, bytes, (gssize)length);
	g_string_append_c(((Heard *)user)->passed, '|');
}

static void
on_left_out(gpointer user, const char *limit, const char *answer)
{
	g_string_append_printf(((Heard *)user)->limits, "%s,", limit);
	g_string_append(((Heard *)user)->answers, answer ? answer : "-");
}

static const XmppFilterSink sink = { on_pass, on_left_out };

static Heard
feed(const char *text, gsize portion)
{
	XmppFilterLimits limits = xmpp_filter_limits;
	Heard heard = { g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), NULL };
	XmppFilter *filter;

	limits.stanza_bytes = 100000;
	filter = xmpp_filter_new(&limits, &sink, &heard);
	for (gsize at = 0, all = strlen(text); at < all && !heard.broken; at += portion)
		heard.broken = xmpp_filter_feed(filter, text + at, MIN(portion, all - at));
	xmpp_filter_free(filter);
	return heard;
}

static void
heard_clear(Heard *heard)
{
	g_string_free(heard->passed, TRUE);
	g_string_free(heard->limits, TRUE);
	g_string_free(heard->answers, TRUE);
}

/* "%u" in what is repeated is its number. */
typedef struct {
	const char *name, *before, *repeated;
	guint times;
	const char *after;
	const char *limit, *answer; /* left out by this limit; NULL: passed */
	const char *broken;
} Row;

#define IQ "<iq type='get' id=\"1'&lt;\" from='a@b/c' to='+1@gw'"
#define IQ_ANSWER                                                                      \
	"<iq type='error' id=\"1'&lt;\" from='+1@gw' to='a@b/c'><error type='modify'>" \
	"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"

#define X2(text)  text text
#define X32(text) X2(X2(X2(X2(X2(text)))))
#define X62(text) X32(text) X2(X2(X2(X2(text)))) X2(X2(X2(text))) X2(X2(text)) X2(text)

static const Row rows[] = {
	{ "plain", PLAIN, "", 0, "", NULL, NULL, NULL },
	{ "cdata with tags", "<message><body><![CDATA[", "</a><b ]>", 3, "]]]></body></message>",
	  NULL, NULL, NULL },
	{ "> in text and in a value", "<message a='>' b=\"'>\"><x>a>b</x></message>", "", 0, "",
	  NULL, NULL, NULL },
	{ "64 attributes", "<message", " a%u='1'", 64, "/>", NULL, NULL, NULL },
	{ "65 attributes", "<message", " a%u='1'", 65, "/>", "attributes", "-", NULL },
	{ "20,000 attributes", "<message", " a%u='1'", 20000, "/>", "attributes", "-", NULL },
	{ "20,000 attributes of a child", IQ "><query", " a%u='1'", 20000, "/></iq>", "attributes",
	  IQ_ANSWER, NULL },
	{ "an iq of many attributes", IQ, " a%u='1'", 100, "/>", "attributes", IQ_ANSWER, NULL },
	{ "a result of many attributes", "<iq type='result' id='1' from='a@b' to='c@d'", " a%u='1'",
	  100, "/>", "attributes", "-", NULL },
	{ "many namespaces", "<message", " xmlns:a%u='u:%u'", 100, "/>", "attributes", "-", NULL },
	{ "1,000 children", "<message>", "<a%u/>", 1000, "</message>", NULL, NULL, NULL },
	{ "1,001 children", "<message>", "<a%u/>", 1001, "</message>", "children", "-", NULL },
	{ "4,500 children", IQ ">", "<a%u/>", 4500, "</iq>", "children", IQ_ANSWER, NULL },
	{ "children of children", "<message>", "<a><b/><b/><b/></a>", 999, "</message>", NULL, NULL,
	  NULL },
	{ "too many in all", "<message>", "<a><b/><b/><b/><b/></a>", 999, "</message>", "elements",
	  "-", NULL },
	{ "64 deep", "<message><a>" X62("<d>"), "", 0, X62("</d>") "</a></message>", NULL, NULL,
	  NULL },
	{ "65 deep", "<message><a><a>" X62("<d>"), "", 0, X62("</d>") "</a></a></message>", "depth",
	  "-", NULL },
	{ "1,024 deep", "<message>" X32(X32("<d>")), "", 0, X32(X32("</d>")) "</message>", "depth",
	  "-", NULL },
	{ "a long name", "<message><", "abcdefgh", 3000, "/></message>", "tag", "-", NULL },
	{ "a long value", "<message><a b='", "abcdefgh", 3000, "'/></message>", "tag", "-", NULL },
	{ "a long value of the stanza", IQ " x='", "abcdefgh", 3000, "'/>", "tag", IQ_ANSWER,
	  NULL },
	{ "long", "<message><body>", "0123456789", 11000, "</body></message>", "bytes", "-", NULL },
	{ "long cdata", "<message><![CDATA[", "0123456789", 11000, "]]></message>", "bytes", "-",
	  NULL },
	{ "no tag", "<message from='a' <<<", "", 0, "", NULL, NULL, "not-well-formed" },
	{ "crossed tags", "<message><a></b></message>", "", 0, "", NULL, NULL, "not-well-formed" },
	{ "an attribute twice", "<message a='1' a='2'/>", "", 0, "", NULL, NULL,
	  "not-well-formed" },
	{ "a prefix of nobody", "<message><x:a/></message>", "", 0, "", NULL, NULL,
	  "not-well-formed" },
	{ "an entity of nobody", "<message>&lol;</message>", "", 0, "", NULL, NULL,
	  "not-well-formed" },
	{ "no UTF-8", "<message>\xff\xfe</message>", "", 0, "", NULL, NULL, "not-well-formed" },
	{ "text between stanzas", "lost", "", 0, "", NULL, NULL, "not-well-formed" },
	{ "a comment", "<message><!-- x --></message>", "", 0, "", NULL, NULL, "restricted-xml" },
	{ "a comment between", "<!-- x -->", "", 0, "", NULL, NULL, "restricted-xml" },
	{ "an instruction", "<message><?php x?></message>", "", 0, "", NULL, NULL,
	  "restricted-xml" },
	{ "a doctype", "<!DOCTYPE a []>", "", 0, "", NULL, NULL, "restricted-xml" },
	{ "a stanza without an end", "<message><body>", "0123456789", 1700000, "", NULL, NULL,
	  "policy-violation" },
};

static char *
text_of(const Row *row)
{
	GString *text = g_string_new(row->before);

	for (guint i = 0; i < row->times; i++) {
		g_autoptr(GString) part = g_string_new(row->repeated);
		g_autofree char *number = g_strdup_printf("%u", i);

		g_string_replace(part, "%u", number, 0);
		g_string_append(text, part->str);
	}
	g_string_append(text, row->after);
	return g_string_free(text, FALSE);
}

static void
test_row(gconstpointer data)
{
	const Row *row = data;
	static const gsize portions[] = { 1, 7, 4096, 1u << 30 };
	g_autofree char *stanza = text_of(row);
	const char *rest = row->broken ? "" : " \n" PLAIN "</stream:stream>";
	g_autofree char *text = g_strconcat(HEADER, PLAIN, stanza, rest, NULL);
	g_autofree char *wanted =
		g_strconcat(HEADER "|" PLAIN "|", row->limit || row->broken ? "" : stanza,
			    row->limit || row->broken ? "" : "|",
			    row->broken ? "" : PLAIN "|</stream:stream>|", NULL);
	g_autofree char *limits = row->limit ? g_strconcat(row->limit, ",", NULL) : g_strdup("");

	for (guint i = 0; i < G_N_ELEMENTS(portions); i++) {
		Heard heard = feed(text, portions[i]);

		g_assert_cmpstr(heard.broken, ==, row->broken);
		g_assert_cmpstr(heard.passed->str, ==, wanted);
		g_assert_cmpstr(heard.limits->str, ==, limits);
		g_assert_cmpstr(heard.answers->str, ==, row->answer ? row->answer : "");
		heard_clear(&heard);
	}
}

/* Names do not stay: the memory of 30 MB of them is not kept. */
static void
test_names(void)
{
	XmppFilterLimits limits = xmpp_filter_limits;
	Heard heard = { g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), NULL };
	XmppFilter *filter = xmpp_filter_new(&limits, &sink, &heard);

	g_assert_null(xmpp_filter_feed(filter, HEADER, strlen(HEADER)));
	for (guint i = 0; i < 20000; i++) {
		g_autofree char *text = g_strdup_printf("<message><n%0500u/></message>", i);

		g_assert_null(xmpp_filter_feed(filter, text, strlen(text)));
		g_string_truncate(heard.passed, 0);
	}
	g_assert_cmpstr(heard.limits->str, ==, "");
	xmpp_filter_free(filter);
	heard_clear(&heard);
}

static void
test_header(void)
{
	static const struct {
		const char *text, *broken;
	} bad[] = {
		{ "<stream:stream/>", "not-well-formed" },
		{ "<stream:stream>", "not-well-formed" }, /* the prefix is nobody's */
		{ "<?xml version='1.0'?><?xml version='1.0'?>", "restricted-xml" },
		{ "HTTP/1.1 400", "not-well-formed" },
		{ "<!DOCTYPE a>", "restricted-xml" },
	};
	g_autofree char *blanks = g_strnfill(20000, ' ');
	g_autofree char *endless = g_strconcat("<stream:stream a='", blanks, NULL);

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		Heard heard = feed(bad[i].text, 3);

		g_assert_cmpstr(heard.broken, ==, bad[i].broken);
		heard_clear(&heard);
	}
	{
		Heard heard = feed(endless, 999);

		g_assert_cmpstr(heard.broken, ==, "policy-violation");
		heard_clear(&heard);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/xmpp-filter/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/xmpp-filter/names do not stay", test_names);
	g_test_add_func("/xmpp-filter/header", test_header);
	return g_test_run();
}
