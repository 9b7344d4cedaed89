/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-message.c - what a MESSAGE may carry, its envelope, its reports, its answers. */
#include <gio/gio.h>
#include <string.h>
#include "plugins/sip/stack/sip_message.h"

#define MOST 64 /* bytes of a text */

#define ENVELOPE(headers, type, body)                                                  \
	"From: A <sip:a@b.c>\r\nTo: <sip:d@e.f>\r\n" headers "\r\nContent-Type: " type \
	"\r\n\r\n" body
#define IMDN_NS "NS: imdn <urn:ietf:params:imdn>\r\n"
#define REPORT(id)                                                                  \
	"<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>" id "</message-id>" \
	"<delivery-notification><status><delivered/></status></delivery-notification></imdn>"

typedef struct {
	const char *about, *type, *encoding, *body;
	gsize size; /* 0: the string's */
	MessageKind kind;
	guint status;
	const char *text; /* of a TEXT; of a REPORT its id */
} Case;

static const Case cases[] = {
	/* --- text/plain --- */
	{ "plain", "text/plain", NULL, "Hi", 0, MESSAGE_TEXT, 0, "Hi" },
	{ "case, blanks", " Text/Plain ; x=y", NULL, "Hi", 0, MESSAGE_TEXT, 0, "Hi" },
	{ "utf-8", "text/plain;charset=UTF-8", NULL, "\xc3\xa9", 0, MESSAGE_TEXT, 0, "\xc3\xa9" },
	{ "quoted", "text/plain; charset=\"utf-8\"", NULL, "\xc3\xa9", 0, MESSAGE_TEXT, 0,
	  "\xc3\xa9" },
	{ "us-ascii", "text/plain;charset=US-ASCII", NULL, "Hi", 0, MESSAGE_TEXT, 0, "Hi" },
	{ "latin-1", "text/plain;charset=iso-8859-1", NULL, "\xe9", 0, MESSAGE_TEXT, 0,
	  "\xc3\xa9" },
	{ "latin-1, unsaid", "text/plain", NULL, "caf\xe9", 0, MESSAGE_TEXT, 0, "caf\xc3\xa9" },
	{ "what Windows calls latin-1", "text/plain;charset=iso-8859-1", NULL, "\x80 5\x92s", 0,
	  MESSAGE_TEXT, 0, "\xe2\x82\xac 5\xe2\x80\x99s" },
	{ "latin-1 that calls itself utf-8", "text/plain;charset=utf-8", NULL, "\xe9", 0,
	  MESSAGE_TEXT, 0, "\xef\xbf\xbd" },
	{ "cut within a character", "text/plain;charset=utf-8", NULL, "Hi \xf0\x9f\x98", 0,
	  MESSAGE_TEXT, 0, "Hi \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "utf-16", "text/plain;charset=UTF-16BE", NULL, "\0H\0i", 4, MESSAGE_TEXT, 0, "Hi" },
	{ "half of utf-16", "text/plain;charset=utf-16be", NULL, "\0H\0", 3, MESSAGE_REFUSED, 415,
	  NULL },
	{ "a NUL in utf-16", "text/plain;charset=utf-16be", NULL, "\0H\0\0", 4, MESSAGE_REFUSED,
	  415, NULL },
	{ "Chinese", "text/plain;charset=GB2312", NULL, "\xc4\xe3", 0, MESSAGE_TEXT, 0,
	  "\xe4\xbd\xa0" },
	{ "unknown charset", "text/plain;charset=utf-7", NULL, "Hi", 0, MESSAGE_REFUSED, 415,
	  NULL },
	{ "a NUL", "text/plain", NULL, "a\0b", 3, MESSAGE_REFUSED, 400, NULL },
	{ "a NUL at its end", "text/plain", NULL, "ab\0", 3, MESSAGE_TEXT, 0, "ab" },
	{ "nothing but NULs", "text/plain", NULL, "\0\0", 2, MESSAGE_REFUSED, 400, NULL },
	{ "lines", "text/plain", NULL, "a\r\nb\rc\n7", 0, MESSAGE_TEXT, 0, "a\nb\nc\n7" },
	{ "control characters", "text/plain", NULL, "a\x01\x1b[0m\tb\x7f\xc2\x85\xef\xbf\xbf", 0,
	  MESSAGE_TEXT, 0, "a[0m\tb" },
	{ "beyond the plane", "text/plain", NULL, "\xf0\x9f\x98\x80", 0, MESSAGE_TEXT, 0,
	  "\xf0\x9f\x98\x80" },
	{ "as it is", "text/plain", "identity", "Hi", 0, MESSAGE_TEXT, 0, "Hi" },
	{ "in an unknown way", "text/plain", "br", "Hi", 0, MESSAGE_REFUSED, 415, NULL },
	{ "not compressed at all", "text/plain", "gzip", "Hi", 0, MESSAGE_REFUSED, 400, NULL },
	{ "nothing, compressed", "text/plain", "deflate", "", 0, MESSAGE_REFUSED, 400, NULL },
	{ "none", "text/plain", NULL, "", 0, MESSAGE_REFUSED, 400, NULL },
	{ "blank", "text/plain", NULL, " \r\n\t", 0, MESSAGE_REFUSED, 400, NULL },
	{ "no type", NULL, NULL, "Hi", 0, MESSAGE_REFUSED, 400, NULL },
	{ "as long as may be", "text/plain", NULL,
	  "0123456789012345678901234567890123456789012345678901234567890123", 0, MESSAGE_TEXT, 0,
	  "0123456789012345678901234567890123456789012345678901234567890123" },
	{ "too long", "text/plain", NULL,
	  "01234567890123456789012345678901234567890123456789012345678901234", 0, MESSAGE_REFUSED,
	  413, NULL },
	{ "too long as UTF-8", "text/plain;charset=latin1", NULL,
	  "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9"
	  "\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9",
	  0, MESSAGE_REFUSED, 413, NULL },
	/* --- others --- */
	{ "html", "text/html", NULL, "<p>", 0, MESSAGE_REFUSED, 415, NULL },
	{ "only begins like it", "text/plainer", NULL, "Hi", 0, MESSAGE_REFUSED, 415, NULL },
	{ "a file of RCS", "application/vnd.gsma.rcs-ft-http+xml", NULL, "<file/>", 0,
	  MESSAGE_REFUSED, 415, NULL },
	{ "typing", "application/im-iscomposing+xml", NULL, "<isComposing/>", 0, MESSAGE_TYPING, 0,
	  NULL },
	/* --- envelopes --- */
	{ "an envelope", CPIM_TYPE, NULL, ENVELOPE("", "text/plain", "Hi"), 0, MESSAGE_TEXT, 0,
	  "Hi" },
	{ "by LF alone", CPIM_TYPE, NULL, "From: <a:b>\n\nContent-type: text/plain\n\nHi", 0,
	  MESSAGE_TEXT, 0, "Hi" },
	{ "after its own type", CPIM_TYPE, NULL,
	  "Content-Type: Message/CPIM\r\n\r\n" ENVELOPE("", "text/plain", "Hi"), 0, MESSAGE_TEXT, 0,
	  "Hi" },
	{ "its own type alone", CPIM_TYPE, NULL, "Content-Type: Message/CPIM\r\n\r\n", 0,
	  MESSAGE_REFUSED, 400, NULL },
	{ "without a type", CPIM_TYPE, NULL, "From: <a:b>\r\n\r\n\r\nHi", 0, MESSAGE_TEXT, 0,
	  "Hi" },
	{ "too long inside", CPIM_TYPE, NULL,
	  ENVELOPE("", "text/plain",
		   "01234567890123456789012345678901234567890123456789012345678901234"),
	  0, MESSAGE_REFUSED, 413, NULL },
	{ "html inside", CPIM_TYPE, NULL, ENVELOPE("", "text/html", "<p>"), 0, MESSAGE_REFUSED, 415,
	  NULL },
	{ "base64 inside", CPIM_TYPE, NULL,
	  ENVELOPE("", "text/plain\r\nContent-Transfer-Encoding: base64", "SGk="), 0,
	  MESSAGE_REFUSED, 415, NULL },
	{ "an envelope inside", CPIM_TYPE, NULL, ENVELOPE("", CPIM_TYPE, "x"), 0, MESSAGE_REFUSED,
	  415, NULL },
	{ "no envelope", CPIM_TYPE, NULL, "Hi", 0, MESSAGE_REFUSED, 400, NULL },
	{ "one header alone", CPIM_TYPE, NULL, "From: <a:b>\r\n\r\n", 0, MESSAGE_REFUSED, 400,
	  NULL },
	{ "typing inside", CPIM_TYPE, NULL,
	  ENVELOPE("", "application/im-iscomposing+xml", "<isComposing/>"), 0, MESSAGE_TYPING, 0,
	  NULL },
	/* --- reports --- */
	{ "a report", IMDN_TYPE, NULL, REPORT("5-ab"), 0, MESSAGE_REPORT, 0, "5-ab" },
	{ "a report inside", CPIM_TYPE, NULL,
	  ENVELOPE(IMDN_NS "imdn.Message-ID: other\r\n", IMDN_TYPE, REPORT("5-ab")), 0,
	  MESSAGE_REPORT, 0, "5-ab" },
	{ "a report of nothing", IMDN_TYPE, NULL, "<imdn/>", 0, MESSAGE_REFUSED, 400, NULL },
	{ "a broken report", IMDN_TYPE, NULL, "<imdn>", 0, MESSAGE_REFUSED, 400, NULL },
};

static void
test_types(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		const MessageHeaders headers = { c->type, c->encoding, NULL };
		g_auto(Message) message = { 0 };

		g_test_message("%s", c->about);
		message_read(&headers, c->body, c->size ? c->size : strlen(c->body), MOST,
			     &message);
		g_assert_cmpint(message.kind, ==, c->kind);
		g_assert_cmpuint(message.status, ==, c->status);
		if (c->kind == MESSAGE_TEXT)
			g_assert_cmpstr(message.body, ==, c->text);
		if (c->kind == MESSAGE_REPORT)
			g_assert_cmpstr(message.id, ==, c->text);
	}
}

/* --- compressed --- */

static char *
pack(GZlibCompressorFormat format, const char *text, gsize size, gsize *length)
{
	g_autoptr(GZlibCompressor) zlib = g_zlib_compressor_new(format, 9);
	char *out = g_malloc(size + 100);
	gsize read;

	g_assert_cmpint(g_converter_convert(G_CONVERTER(zlib), text, size, out, size + 100,
					    G_CONVERTER_INPUT_AT_END, &read, length, NULL),
			==, G_CONVERTER_FINISHED);
	return out;
}

/* Reports as Linphone sends them; what is much more than it looks is not unpacked. */
static void
test_compressed(void)
{
	static const struct {
		GZlibCompressorFormat format;
		const char *encoding;
	} formats[] = { { G_ZLIB_COMPRESSOR_FORMAT_ZLIB, "deflate" },
			{ G_ZLIB_COMPRESSOR_FORMAT_RAW, "Deflate" },
			{ G_ZLIB_COMPRESSOR_FORMAT_GZIP, "gzip" },
			{ G_ZLIB_COMPRESSOR_FORMAT_GZIP, "x-gzip" } };
	g_autofree char *much = g_strnfill(1024 * 1024, 'x'), *bomb = NULL;
	gsize length;

	for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
		const MessageHeaders headers = { IMDN_TYPE, formats[i].encoding, NULL };
		g_autofree char *packed =
			pack(formats[i].format, REPORT("5-ab"), strlen(REPORT("5-ab")), &length);
		g_auto(Message) message = { 0 }, cut = { 0 };

		message_read(&headers, packed, length, MOST, &message);
		g_assert_cmpint(message.kind, ==, MESSAGE_REPORT);
		g_assert_cmpstr(message.id, ==, "5-ab");
		message_read(&headers, packed, length / 2, MOST, &cut);
		g_assert_cmpint(cut.kind, ==, MESSAGE_REFUSED);
		g_assert_cmpuint(cut.status, ==, 400);
	}
	bomb = pack(G_ZLIB_COMPRESSOR_FORMAT_GZIP, much, strlen(much), &length);
	{
		const MessageHeaders headers = { "text/plain", "gzip", NULL };
		g_auto(Message) message = { 0 };

		message_read(&headers, bomb, length, MOST, &message);
		g_assert_cmpint(message.kind, ==, MESSAGE_REFUSED);
		g_assert_cmpuint(message.status, ==, 413);
	}
}

/* --- what stands beside the text --- */

static void
test_envelope(void)
{
	static const char text[] =
		ENVELOPE("DateTime: 2026-11-29T10:00:00+01:00\r\n"
			 "NS: Mine <urn:ietf:params:imdn>\r\nMine.Message-ID: abc\r\n"
			 "imdn.Message-ID: not this\r\n"
			 "Mine.Disposition-Notification: positive-delivery, display\r\n",
			 "text/plain\r\nContent-Language: de, en", "Hi");
	const MessageHeaders headers = { CPIM_TYPE, NULL, "fr" };
	g_auto(Message) message = { 0 };
	g_autofree char *origin = NULL, *id = NULL;

	message_read(&headers, text, strlen(text), MOST, &message);
	g_assert_true(message.enveloped);
	g_assert_cmpstr(message.id, ==, "abc");
	g_assert_cmpuint(message.wants, ==, CPIM_POSITIVE | CPIM_DISPLAY);
	g_assert_cmpstr(message.language, ==, "de");
	g_assert_cmpint(message.written, ==, 1795942800);
	origin = message_origin(&message, &(MessageNames){ "call", "tag", 1, "+1" });
	g_assert_cmpuint(message_wanted(origin, &id), ==, CPIM_POSITIVE | CPIM_DISPLAY);
	g_assert_cmpstr(id, ==, "abc");
}

static void
test_languages(void)
{
	static const char *const pairs[][2] = {
		{ "de", "de" },	 { "en-GB, fr", "en-GB" },
		{ "", NULL },	 { "1e", NULL },
		{ "e_n", NULL }, { "en;q=1", "en" },
		{ NULL, NULL },	 { "abcdefghijklmnopqrstuvwxyzabcdefghij", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
		const MessageHeaders headers = { "text/plain", NULL, pairs[i][0] };
		g_auto(Message) message = { 0 };

		message_read(&headers, "Hi", 2, MOST, &message);
		g_assert_cmpstr(message.language, ==, pairs[i][1]);
	}
}

/* The same request has the same origin, another has another, and none is long. */
static void
test_origins(void)
{
	g_autofree char *longest = g_strnfill(60000, 'x');
	const MessageNames requests[] = {
		{ "a", "t", 1, "+1" },	   { "a", "t", 2, "+1" },     { "a", "u", 1, "+1" },
		{ "b", "t", 1, "+1" },	   { longest, "t", 1, "+1" }, { longest, "t", 2, "+1" },
		{ longest, "t", 2, "+2" }, { "a b", "t", 1, "+1" },   { "a", NULL, 1, "+1" },
		{ "a", "t", 1, "+2" },
	};
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Message message = { .kind = MESSAGE_TEXT };
	g_autofree char *id = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(requests); i++) {
		char *origin = message_origin(&message, &requests[i]);
		g_autofree char *again = message_origin(&message, &requests[i]);

		g_assert_cmpstr(origin, ==, again);
		g_assert_cmpuint(strlen(origin), <=, 200);
		g_assert_cmpuint(message_wanted(origin, &id), ==, 0);
		g_assert_null(id);
		g_assert_true(g_hash_table_add(seen, origin));
	}
}

/* By a name of the author's it is the same in whatever request it comes; to another it is
 * another. */
static void
test_own_names(void)
{
	const Message message = { .kind = MESSAGE_TEXT, .id = (char *)"a b", .wants = 3 };
	g_autofree char *one = message_origin(&message, &(MessageNames){ "c", "t", 1, "+1" });
	g_autofree char *again = message_origin(&message, &(MessageNames){ "d", "u", 2, "+1" });
	g_autofree char *other = message_origin(&message, &(MessageNames){ "c", "t", 1, "+2" });
	static const char before[] = "imdn 3 a b"; /* as it was kept by earlier releases */
	const char *const origins[] = { one, other, before };

	g_assert_cmpstr(one, ==, again);
	g_assert_cmpstr(one, !=, other);
	for (guint i = 0; i < G_N_ELEMENTS(origins); i++) {
		g_autofree char *id = NULL;

		g_assert_cmpuint(message_wanted(origins[i], &id), ==, 3);
		g_assert_cmpstr(id, ==, "a b");
	}
}

/* --- writing --- */

static void
test_written(void)
{
	const Cpim cpim = { .from = (char *)"sip:a@b",
			    .to = (char *)"sip:c@d",
			    .date_time = (char *)"2026-11-29T10:00:00Z",
			    .id = (char *)"one",
			    .wants = CPIM_POSITIVE | CPIM_NEGATIVE | CPIM_DISPLAY,
			    .type = (char *)"text/plain",
			    .language = (char *)"de",
			    .body = (char *)"Hi\r\nthere",
			    .size = 9 };
	gsize size;
	g_autofree char *text = cpim_write(&cpim, &size);
	g_auto(Cpim) again = { 0 };

	g_assert_true(cpim_read(text, size, &again));
	g_assert_cmpstr(again.from, ==, cpim.from);
	g_assert_cmpstr(again.to, ==, cpim.to);
	g_assert_cmpstr(again.date_time, ==, cpim.date_time);
	g_assert_cmpstr(again.id, ==, cpim.id);
	g_assert_cmpuint(again.wants, ==, cpim.wants);
	g_assert_cmpstr(again.language, ==, cpim.language);
	g_assert_cmpmem(again.body, again.size, cpim.body, cpim.size);
}

static void
test_reports(void)
{
	static const struct {
		const char *word;
		ImdnStatus status;
	} words[] = { { "delivered", IMDN_DELIVERED }, { "displayed", IMDN_DISPLAYED },
		      { "failed", IMDN_FAILED },       { "forbidden", IMDN_FAILED },
		      { "error", IMDN_FAILED },	       { "stored", IMDN_OTHER } };
	g_autofree char *ours = imdn_write("a<b", "2026-11-29T10:00:00Z", "sip:a&b", IMDN_FAILED);
	g_autofree char *about = NULL;
	ImdnStatus status;

	for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
		g_autofree char *text = g_strdup_printf(
			"<?xml version='1.0'?><i:imdn xmlns:i='urn:ietf:params:xml:ns:imdn'>"
			"<i:message-id> x </i:message-id><i:display-notification><i:status><i:%s/>"
			"</i:status></i:display-notification></i:imdn>",
			words[i].word);
		g_autofree char *id = NULL;

		g_assert_true(imdn_read(text, strlen(text), &id, &status));
		g_assert_cmpstr(id, ==, "x");
		g_assert_cmpint(status, ==, words[i].status);
	}
	g_assert_true(imdn_read(ours, strlen(ours), &about, &status));
	g_assert_cmpstr(about, ==, "a<b");
	g_assert_cmpint(status, ==, IMDN_FAILED);
}

/* --- answers --- */

static void
test_outcomes(void)
{
	static const struct {
		guint status;
		gboolean later;
		Outcome outcome;
	} answers[] = {
		{ 200, FALSE, OUTCOME_DELIVERED }, { 202, FALSE, OUTCOME_SENT },
		{ 204, FALSE, OUTCOME_SENT },	   { 302, FALSE, OUTCOME_NEVER },
		{ 400, FALSE, OUTCOME_NEVER },	   { 401, FALSE, OUTCOME_NEVER },
		{ 403, FALSE, OUTCOME_NEVER },	   { 404, FALSE, OUTCOME_NEVER },
		{ 404, TRUE, OUTCOME_AGAIN },	   { 405, FALSE, OUTCOME_NEVER },
		{ 408, FALSE, OUTCOME_AGAIN },	   { 413, FALSE, OUTCOME_NEVER },
		{ 413, TRUE, OUTCOME_AGAIN },	   { 415, FALSE, OUTCOME_NEVER },
		{ 429, FALSE, OUTCOME_AGAIN },	   { 480, FALSE, OUTCOME_AGAIN },
		{ 484, FALSE, OUTCOME_NEVER },	   { 486, FALSE, OUTCOME_AGAIN },
		{ 488, FALSE, OUTCOME_NEVER },	   { 500, FALSE, OUTCOME_AGAIN },
		{ 501, FALSE, OUTCOME_NEVER },	   { 503, FALSE, OUTCOME_AGAIN },
		{ 504, FALSE, OUTCOME_AGAIN },	   { 505, FALSE, OUTCOME_NEVER },
		{ 513, FALSE, OUTCOME_NEVER },	   { 580, FALSE, OUTCOME_AGAIN },
		{ 600, FALSE, OUTCOME_AGAIN },	   { 603, FALSE, OUTCOME_NEVER },
		{ 604, FALSE, OUTCOME_NEVER },	   { 606, FALSE, OUTCOME_NEVER },
	};

	for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
		g_test_message("%u", answers[i].status);
		g_assert_cmpint(message_outcome(answers[i].status, answers[i].later), ==,
				answers[i].outcome);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sip-message/types", test_types);
	g_test_add_func("/sip-message/compressed", test_compressed);
	g_test_add_func("/sip-message/envelope", test_envelope);
	g_test_add_func("/sip-message/languages", test_languages);
	g_test_add_func("/sip-message/origins", test_origins);
	g_test_add_func("/sip-message/own-names", test_own_names);
	g_test_add_func("/sip-message/written", test_written);
	g_test_add_func("/sip-message/reports", test_reports);
	g_test_add_func("/sip-message/outcomes", test_outcomes);
	return g_test_run();
}
