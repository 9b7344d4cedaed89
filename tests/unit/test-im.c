/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-im.c - what clients send to a number, form by form, and what we send them. */
#include "plugins/xmpp/im.h"
#include <string.h>

#define BODY(text)   "<body>" text "</body>"
#define SID(id)	     "<origin-id xmlns='urn:xmpp:sid:0' id='" id "'/>"
#define OOB(url)     "<x xmlns='jabber:x:oob'><url>" url "</url></x>"
#define FALLBACK(ns) "<fallback xmlns='urn:xmpp:fallback:0' for='" ns "'><body/></fallback>"
#define ENCRYPTED(ns) \
	"<encrypted xmlns='" ns "'><header sid='1'/><payload>AA==</payload></encrypted>"
#define KEY_ALONE(ns) "<encrypted xmlns='" ns "'><header sid='1'/></encrypted>"
#define EME	      "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>"
#define FORWARDED(ns)                                                                    \
	"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='" ns \
	"'><body>not for us</body></message></forwarded>"
#define URL "https://up.example/f.jpg"
#define SHARING(source) \
	"<file-sharing xmlns='urn:xmpp:sfs:0'><sources>" source "</sources></file-sharing>"
#define URL_DATA "<url-data xmlns='http://jabber.org/protocol/url-data' target='" URL "'/>"
#define SIMS(sources)                                                                  \
	"<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing "          \
	"xmlns='urn:xmpp:sims:1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>" \
	"<sources>" sources "</sources></media-sharing></reference>"

static const struct {
	const char *what, *type, *inside;
	ImKind kind;
	const char *body; /* NULL: none */
} rows[] = {
	/* type */
	{ "chat", "chat", BODY("hello"), IM_TEXT, "hello" },
	{ "normal", "normal", BODY("hello"), IM_TEXT, "hello" },
	{ "no type", NULL, BODY("hello"), IM_TEXT, "hello" },
	{ "a type of nobody's", "novel", BODY("hello"), IM_TEXT, "hello" },
	{ "headline", "headline", BODY("hello"), IM_NOTHING, NULL },
	{ "error", "error", BODY("hello"), IM_NOTHING, NULL },
	{ "groupchat", "groupchat", BODY("hello"), IM_ROOM, NULL },
	{ "groupchat, empty", "groupchat", "", IM_ROOM, NULL },
	/* bodies */
	{ "empty", "chat", "", IM_NOTHING, NULL },
	{ "an empty body", "chat", BODY(""), IM_NOTHING, NULL },
	{ "blanks", "chat", BODY(" \n "), IM_NOTHING, NULL },
	{ "blanks around", "chat", BODY(" two  words\nand a line \n"), IM_TEXT,
	  "two  words\nand a line" },
	{ "one body twice", "chat", BODY("") BODY("second"), IM_TEXT, "second" },
	{ "languages, one for all", "chat",
	  "<body xml:lang='de'>Hallo</body>" BODY("hello") "<body xml:lang='fr'>Salut</body>",
	  IM_TEXT, "hello" },
	{ "languages, none for all", "chat",
	  "<body xml:lang='de'>Hallo</body><body xml:lang='fr'>Salut</body>", IM_TEXT, "Hallo" },
	{ "letters of the world", "chat", BODY("&#x1F600; \xD7\xA9\xD7\x9C &lt;b&gt; &amp;"),
	  IM_TEXT, "\xF0\x9F\x98\x80 \xD7\xA9\xD7\x9C <b> &" },
	{ "CDATA", "chat", BODY("<![CDATA[<3]]>"), IM_TEXT, "<3" },
	{ "a body of another namespace", "chat", "<body xmlns='urn:x'>no</body>", IM_NOTHING,
	  NULL },
	{ "/me", "chat", BODY("/me waves"), IM_TEXT, "/me waves" },
	/* subjects */
	{ "a subject alone", "normal", "<subject>Lunch?</subject>", IM_TEXT, "Lunch?" },
	{ "a subject and an empty body", "normal", "<subject>Lunch?</subject>" BODY(""), IM_TEXT,
	  "Lunch?" },
	{ "a subject and a body", "normal", "<subject>Lunch</subject>" BODY("at one?"), IM_TEXT,
	  "Lunch\nat one?" },
	{ "an empty subject", "normal", "<subject/>" BODY("at one?"), IM_TEXT, "at one?" },
	{ "a thread", "chat", "<thread>T</thread>" BODY("hi"), IM_TEXT, "hi" },
	/* XHTML-IM */
	{ "XHTML beside a body", "chat",
	  BODY("hi") "<html xmlns='http://jabber.org/protocol/xhtml-im'><body "
		     "xmlns='http://www.w3.org/1999/xhtml'><p><b>hi</b></p></body></html>",
	  IM_TEXT, "hi" },
	{ "XHTML alone", "chat",
	  "<html xmlns='http://jabber.org/protocol/xhtml-im'><body "
	  "xmlns='http://www.w3.org/1999/xhtml'><p>so <b>fat</b></p></body></html>",
	  IM_TEXT, "so fat" },
	/* what says nothing */
	{ "typing", "chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
	  IM_NOTHING, NULL },
	{ "active, with a body", "chat",
	  BODY("hi") "<active xmlns='http://jabber.org/protocol/chatstates'/>", IM_TEXT, "hi" },
	{ "displayed", "chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", IM_NOTHING,
	  NULL },
	{ "markable, with a body", "chat", BODY("hi") "<markable xmlns='urn:xmpp:chat-markers:0'/>",
	  IM_TEXT, "hi" },
	{ "a receipt", "chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", IM_NOTHING, NULL },
	{ "a receipt with a body", "chat",
	  BODY("hi") "<received xmlns='urn:xmpp:receipts' id='1'/>", IM_TEXT, "hi" },
	{ "a carbon of ours to him", "chat",
	  "<received xmlns='urn:xmpp:carbons:2'>" FORWARDED("a@b") "</received>", IM_NOTHING,
	  NULL },
	{ "a carbon of his", "chat",
	  BODY("odd") "<sent xmlns='urn:xmpp:carbons:2'>" FORWARDED("a@b") "</sent>", IM_NOTHING,
	  NULL },
	{ "an archive", "chat",
	  "<result xmlns='urn:xmpp:mam:2' id='1'>" FORWARDED("a@b") "</result>", IM_NOTHING, NULL },
	{ "words that no other device is to have", "chat",
	  BODY("hi") "<private xmlns='urn:xmpp:carbons:2'/>", IM_TEXT, "hi" },
	{ "attention", "chat", "<attention xmlns='urn:xmpp:attention:0'/>", IM_NOTHING, NULL },
	{ "hints alone", "chat", "<no-store xmlns='urn:xmpp:hints'/>", IM_NOTHING, NULL },
	{ "a nick alone", "chat", "<nick xmlns='http://jabber.org/protocol/nick'>A</nick>",
	  IM_NOTHING, NULL },
	{ "pubsub", "normal", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
	  IM_NOTHING, NULL },
	{ "a call between rooms", "chat", "<invite xmlns='urn:xmpp:call-message:1'/>", IM_NOTHING,
	  NULL },
	/* rooms */
	{ "a direct invitation", "normal",
	  "<x xmlns='jabber:x:conference' jid='r@c.example'/>" BODY("come"), IM_ROOM, NULL },
	{ "a mediated one", "normal",
	  "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>", IM_ROOM,
	  NULL },
	{ "a private message of a room", "chat",
	  "<x xmlns='http://jabber.org/protocol/muc#user'/>" BODY("hi"), IM_TEXT, "hi" },
	/* encryption */
	{ "OMEMO", "chat", ENCRYPTED("eu.siacs.conversations.axolotl") EME BODY("cannot be read"),
	  IM_ENCRYPTED, NULL },
	{ "OMEMO without a body", "chat", ENCRYPTED("eu.siacs.conversations.axolotl"), IM_ENCRYPTED,
	  NULL },
	{ "OMEMO 2", "chat", ENCRYPTED("urn:xmpp:omemo:2"), IM_ENCRYPTED, NULL },
	{ "a key of OMEMO", "chat", KEY_ALONE("eu.siacs.conversations.axolotl"), IM_NOTHING, NULL },
	{ "a key of OMEMO 2, with a body", "chat", KEY_ALONE("urn:xmpp:omemo:2") BODY("no"),
	  IM_NOTHING, NULL },
	{ "OpenPGP", "chat", "<openpgp xmlns='urn:xmpp:openpgp:0'>AA==</openpgp>" BODY("no"),
	  IM_ENCRYPTED, NULL },
	{ "old OpenPGP", "chat", BODY("no") "<x xmlns='jabber:x:encrypted'>AA==</x>", IM_ENCRYPTED,
	  NULL },
	{ "OTR", "chat", BODY("?OTR:AAIDAAAAAAEAAAABAAAAwK=."), IM_ENCRYPTED, NULL },
	{ "OTR asks", "chat", BODY("?OTRv23? wants to be private"), IM_ENCRYPTED, NULL },
	{ "what says so alone", "chat", BODY("no") EME, IM_ENCRYPTED, NULL },
	{ "words about OTR", "chat", BODY("is that ?OTR"), IM_TEXT, "is that ?OTR" },
	/* what points to earlier ones */
	{ "a correction", "chat",
	  BODY("at two") "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>", IM_TEXT,
	  "Correction: at two" },
	{ "an empty correction", "chat", "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
	  IM_NOTHING, NULL },
	{ "a reply keeps its quote", "chat",
	  "<reply xmlns='urn:xmpp:reply:0' id='1'/>" FALLBACK("urn:xmpp:reply:0")
		  BODY("&gt; when?\nat two"),
	  IM_TEXT, "> when?\nat two" },
	{ "a reaction", "chat",
	  "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+</reaction></reactions>"
	  "<store xmlns='urn:xmpp:hints'/>",
	  IM_REACTION, NULL },
	{ "a reaction taken back", "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>",
	  IM_REACTION, NULL },
	{ "a reaction in words", "chat",
	  "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>" FALLBACK("urn:xmpp:reactions:0")
		  BODY("yes!"),
	  IM_TEXT, "yes!" },
	{ "a retraction", "chat",
	  "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>" FALLBACK(
		  "urn:xmpp:message-retract:1") BODY("/me retracted a message"),
	  IM_RETRACTION, NULL },
	{ "an old retraction", "chat",
	  "<apply-to xmlns='urn:xmpp:fasten:0' id='1'><retract "
	  "xmlns='urn:xmpp:message-retract:0'/></apply-to>" BODY("no"),
	  IM_RETRACTION, NULL },
	/* files */
	{ "a file", "chat", BODY(URL) OOB(URL), IM_TEXT, URL },
	{ "a file without a body", "chat", OOB(URL), IM_TEXT, URL },
	{ "a file with words", "chat", BODY("look") OOB(URL), IM_TEXT, "look\n" URL },
	{ "a file and its subject", "chat", "<subject>look</subject>" OOB(URL), IM_TEXT,
	  "look\n" URL },
	{ "two files", "chat", OOB("https://a.example/1") OOB(URL) OOB(URL), IM_TEXT,
	  "https://a.example/1\n" URL },
	{ "a file without an address", "chat", "<x xmlns='jabber:x:oob'/>", IM_FILE, NULL },
	{ "sharing", "chat", SHARING(URL_DATA), IM_TEXT, URL },
	{ "sharing, with the address in the body", "chat", SHARING(URL_DATA) OOB(URL) BODY(URL),
	  IM_TEXT, URL },
	{ "where what was shared is, said later", "chat",
	  "<sources xmlns='urn:xmpp:sfs:0' id='f'>" URL_DATA "</sources>", IM_TEXT, URL },
	{ "sharing without an address", "chat",
	  SHARING("<jinglepub xmlns='urn:xmpp:jinglepub:1'/>"), IM_FILE, NULL },
	{ "the one before sharing", "chat",
	  SIMS("<reference xmlns='urn:xmpp:reference:0' uri='" URL "'/>") BODY("look"), IM_TEXT,
	  "look\n" URL },
	{ "that without an address", "chat", SIMS(""), IM_FILE, NULL },
	{ "a mention is no file", "chat",
	  BODY("@bob hi") "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:b@c'/>",
	  IM_TEXT, "@bob hi" },
};

static xmlNode *
message(const char *type, const char *more, const char *inside)
{
	g_autofree char *kind = type ? g_strdup_printf("type='%s'", type) : g_strdup("");
	g_autofree char *text =
		g_strdup_printf("<message xmlns='jabber:component:accept' "
				"from='alice@example.com/a' %s %s %s>%s"
				"</message>",
				strstr(more, "to=") ? "" : "to='+1@gw'", kind, more, inside);
	xmlNode *node = xml_parse(text, strlen(text), 65536, NULL);

	g_assert_nonnull(node);
	return node;
}

static Im *
read_one(const char *type, const char *more, const char *inside)
{
	g_autoptr(xmlNode) node = message(type, more, inside);

	return im_read(node);
}

static void
test_kinds(void)
{
	guint seen = 0;

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(Im) chat = read_one(rows[i].type, "id='m1'", rows[i].inside);

		g_test_message("%s", rows[i].what);
		g_assert_cmpint(chat->kind, ==, rows[i].kind);
		g_assert_cmpstr(chat->body, ==, rows[i].body);
		g_assert_cmpint(chat->origin != NULL, ==, chat->kind == IM_TEXT);
		g_assert_false(chat->receipt);
		seen |= 1u << chat->kind;
	}
	g_assert_cmpuint(seen, ==, (1u << N_IM_KINDS) - 1);
}

/* --- one and the same, or another --- */

static char *
origin(const char *more, const char *inside)
{
	g_autoptr(Im) chat = read_one("chat", more, inside);

	return g_steal_pointer(&chat->origin);
}

/* By its own name, or as one of the hour beside it. */
static gboolean
may_be(const char *more, const char *inside, const char *known)
{
	g_autoptr(Im) chat = read_one("chat", more, inside);

	return g_str_equal(chat->origin, known) ||
	       (chat->near && g_strv_contains((const char *const *)chat->near, known));
}

#define AT(hour) "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T" hour ":30:00Z'/>"

static const struct {
	const char *what;
	const char *more[2], *inside[2];
	gboolean same;
	const char *id; /* of the first, as the author has it */
} origins[] = {
	{ "sent again", { "id='a'", "id='a'" }, { BODY("hi"), BODY("hi") }, TRUE, "a" },
	{ "sent again, and kept on its way",
	  { "id='a'", "id='a'" },
	  { BODY("hi") AT("00"), BODY("hi") AT("00") },
	  TRUE,
	  "a" },
	{ "other ids", { "id='a'", "id='b'" }, { BODY("hi"), BODY("hi") }, FALSE, "a" },
	{ "a client that counts from 1",
	  { "id='1'", "id='1'" },
	  { BODY("hi"), BODY("ho") },
	  FALSE,
	  "1" },
	{ "the same words and count, hours later",
	  { "id='1'", "id='1'" },
	  { BODY("ok") AT("08"), BODY("ok") AT("10") },
	  FALSE,
	  "1" },
	{ "sent again in the next hour of the clock",
	  { "id='1'", "id='1'" },
	  { BODY("ok") AT("08"), BODY("ok") AT("09") },
	  TRUE,
	  "1" },
	{ "kept for longer than the one after it",
	  { "id='1'", "id='1'" },
	  { BODY("ok") AT("09"), BODY("ok") AT("08") },
	  TRUE,
	  "1" },
	{ "to two people",
	  { "id='a' to='+1@gw'", "id='a' to='+2@gw'" },
	  { BODY("hi"), BODY("hi") },
	  FALSE,
	  "a" },
	{ "to two people, with an origin-id",
	  { "id='a' to='+1@gw'", "id='a' to='+2@gw'" },
	  { BODY("hi") SID("o"), BODY("hi") SID("o") },
	  FALSE,
	  "a" },
	{ "to one of two resources",
	  { "id='a' to='+1@gw'", "id='a' to='+1@gw/gw'" },
	  { BODY("hi"), BODY("hi") },
	  TRUE,
	  "a" },
	{ "a correction of it",
	  { "id='a'", "id='a'" },
	  { BODY("hi"), BODY("hi") "<replace xmlns='urn:xmpp:message-correct:0' id='a'/>" },
	  FALSE,
	  "a" },
	{ "an origin-id",
	  { "id='a'", "id='a'" },
	  { BODY("hi") SID("o"), BODY("hi") SID("o") },
	  TRUE,
	  "a" },
	{ "an origin-id is above the words",
	  { "id='a'", "id='a'" },
	  { BODY("hi") SID("o"), BODY("hi, resent") SID("o") },
	  TRUE,
	  "a" },
	{ "other origin-ids",
	  { "id='a'", "id='a'" },
	  { BODY("hi") SID("o"), BODY("hi") SID("p") },
	  FALSE,
	  "a" },
	{ "an origin-id is no id",
	  { "id='a'", "" },
	  { BODY("hi"), BODY("hi") SID("a") },
	  FALSE,
	  "a" },
	{ "an origin-id alone",
	  { "", "" },
	  { BODY("hi") SID("o"), BODY("hi") SID("o") },
	  TRUE,
	  NULL },
	{ "no id at all", { "", "" }, { BODY("hi"), BODY("hi") }, FALSE, NULL },
	{ "empty ids", { "id=''", "id=''" }, { BODY("hi"), BODY("hi") }, FALSE, NULL },
	{ "an id with a slash",
	  { "id='a/b'", "id='a/b'" },
	  { BODY("hi"), BODY("hi") },
	  TRUE,
	  "a/b" },
};

static void
test_origin(void)
{
	g_autofree char *long_id = g_strnfill(5000, 'x');
	g_autofree char *more = g_strdup_printf("id='%s'", long_id);
	g_autofree char *first = origin(more, BODY("hi"));

	for (guint i = 0; i < G_N_ELEMENTS(origins); i++) {
		g_autofree char *one = origin(origins[i].more[0], origins[i].inside[0]);
		gboolean same = may_be(origins[i].more[1], origins[i].inside[1], one);

		g_test_message("%s", origins[i].what);
		g_assert_cmpint(same, ==, origins[i].same);
		g_assert_cmpstr(im_origin_id(one), ==, origins[i].id);
	}
	/* too long to be kept, and known again all the same */
	g_assert_cmpuint(strlen(first), <, 100);
	g_assert_true(may_be(more, BODY("hi"), first));
	g_assert_null(im_origin_id(first));
}

/* For who reads commands and answers. */
static void
test_plain(void)
{
	static const char *const pairs[][2] = {
		{ BODY("yes"), "yes" },
		{ BODY("&gt; 1 always\n&gt; 2 busy\n2"), "2" },
		{ "<reply xmlns='urn:xmpp:reply:0' id='1'/>" FALLBACK("urn:xmpp:reply:0")
			  BODY("&gt; How?\nso\n&gt; not"),
		  "so\n> not" },
		{ BODY("&gt; all of it"), NULL },
		{ BODY("&gt;"), NULL },
		{ "<store xmlns='urn:xmpp:hints'/>", NULL },
		{ BODY("no") EME, NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autoptr(xmlNode) node = message("chat", "", pairs[i][0]);
		g_autofree char *plain = im_plain(node);

		g_assert_cmpstr(plain, ==, pairs[i][1]);
	}
}

static void
test_receipt(void)
{
	static const char request[] = BODY("hi") "<request xmlns='urn:xmpp:receipts'/>";
	g_autoptr(Im) asked = read_one("chat", "id='a'", request);
	g_autoptr(Im) nameless = read_one("chat", "", request);
	g_autoptr(Im) silent = read_one("chat", "id='a'", BODY("hi"));

	g_assert_true(asked->receipt);
	g_assert_false(nameless->receipt); /* XEP-0184 5.1: there is nothing to name */
	g_assert_false(silent->receipt);
}

static void
test_delay(void)
{
	g_autoptr(Im) late =
		read_one("chat", "",
			 BODY("hi") "<delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/>");
	g_autoptr(Im) odd =
		read_one("chat", "", BODY("hi") "<delay xmlns='urn:xmpp:delay' stamp='then'/>");
	g_autoptr(Im) now = read_one("chat", "", BODY("hi"));

	g_assert_true(late->delayed);
	g_assert_cmpint(late->written, ==, 1767323045);
	g_assert_true(odd->delayed);
	g_assert_cmpint(odd->written, ==, 0);
	g_assert_false(now->delayed);
}

static void
test_language(void)
{
	static const struct {
		const char *more, *inside, *language;
	} languages[] = {
		{ "", BODY("hi"), NULL },
		{ "xml:lang='de'", BODY("hi"), "de" },
		{ "lang='de'", BODY("hi"), "de" },
		{ "xml:lang='de'", "<body xml:lang='pt-BR'>oi</body>", "pt-BR" },
		{ "xml:lang=''", BODY("hi"), NULL },
		{ "xml:lang='d\xC3\xA9'", BODY("hi"), NULL },
		{ "xml:lang='a23456789-a23456789-a23456789-a23456789'", BODY("hi"), NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(languages); i++) {
		g_autoptr(Im) chat = read_one("chat", languages[i].more, languages[i].inside);

		g_assert_cmpstr(chat->language, ==, languages[i].language);
	}
}

/* --- ours --- */

static void
test_build(void)
{
	g_autoptr(xmlNode) plain = im_build(
		&(ImBuild){ .from = "+1@gw", .to = "a@b", .id = "text-1-x", .body = "<hi>" });
	g_autoptr(xmlNode) full = im_build(&(ImBuild){ .from = "+1@gw",
						       .to = "a@b",
						       .id = "text-2-x",
						       .body = "Hallo",
						       .language = "de",
						       .nick = "Carol",
						       .receipt = TRUE,
						       .written = 1767323045,
						       .kept_by = "gw" });
	g_autofree char *one = xml_print(plain), *other = xml_print(full);

	g_assert_cmpstr(
		one, ==,
		"<message xmlns=\"jabber:component:accept\" type=\"chat\" from=\"+1@gw\" "
		"to=\"a@b\" id=\"text-1-x\"><body>&lt;hi&gt;</body><origin-id "
		"xmlns=\"urn:xmpp:sid:0\" id=\"text-1-x\"/><store xmlns=\"urn:xmpp:hints\"/>"
		"</message>");
	g_assert_cmpstr(
		other, ==,
		"<message xmlns=\"jabber:component:accept\" type=\"chat\" from=\"+1@gw\" "
		"to=\"a@b\" id=\"text-2-x\"><body xml:lang=\"de\">Hallo</body><nick "
		"xmlns=\"http://jabber.org/protocol/nick\">Carol</nick><origin-id "
		"xmlns=\"urn:xmpp:sid:0\" id=\"text-2-x\"/><request "
		"xmlns=\"urn:xmpp:receipts\"/><delay xmlns=\"urn:xmpp:delay\" from=\"gw\" "
		"stamp=\"2026-01-02T03:04:05Z\"/><store xmlns=\"urn:xmpp:hints\"/></message>");
}

static void
test_error(void)
{
	const XmlStanzaError what = { .type = "wait", .condition = "gone", .text = "why" };
	g_autoptr(xmlNode) error = im_error_new("+1@gw", "a@b/c", "m1", &what);
	g_autoptr(xmlNode) nameless = im_error_new("+1@gw", "a@b/c", NULL, &what);
	XmlStanzaError seen;

	g_assert_true(xml_stanza_error(error, &seen));
	g_assert_cmpstr(seen.type, ==, "wait");
	g_assert_cmpstr(seen.condition, ==, "gone");
	g_assert_cmpstr(xml_attribute(error, "from"), ==, "+1@gw");
	g_assert_cmpstr(xml_attribute(error, "to"), ==, "a@b/c");
	g_assert_cmpstr(xml_attribute(error, "id"), ==, "m1");
	g_assert_null(xml_attribute(nameless, "id"));
}

/* Whoever names a text must have been sent it. */
static void
test_id(void)
{
	g_autofree char *id = im_id("secret", "alice@example.com", 42);
	g_autofree char *again = im_id("secret", "Alice@Example.com", 42);
	g_autofree char *other = g_strconcat("text-43-", strrchr(id, '-') + 1, NULL);
	g_autofree char *longer = g_strconcat(id, "0", NULL),
			*zeros = g_strconcat("text-0", id + 5, NULL);
	static const char *const wrong[] = {
		"",
		"text-",
		"text-42",
		"text-42-",
		"text--1-0123456789abcdef",
		"text-0-0",
		"42",
		"text-0x2a-01234567",
		"jm-proceed-42",
		"text-99999999999999999999999999-0123456789abcdef",
	};
	gint64 text = 0;

	g_assert_cmpstr(id, ==, again);
	g_assert_true(im_id_read("secret", "alice@example.com", id, &text));
	g_assert_cmpint(text, ==, 42);
	g_assert_false(im_id_read("secret", "bob@example.com", id, &text));
	g_assert_false(im_id_read("another", "alice@example.com", id, &text));
	g_assert_false(im_id_read("secret", "alice@example.com", other, &text));
	g_assert_false(im_id_read("secret", "alice@example.com", longer, &text));
	g_assert_false(im_id_read("secret", "alice@example.com", zeros, &text));
	g_assert_false(im_id_read("secret", "alice@example.com", NULL, &text));
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(im_id_read("secret", "alice@example.com", wrong[i], &text));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/im/kinds", test_kinds);
	g_test_add_func("/im/origin", test_origin);
	g_test_add_func("/im/plain", test_plain);
	g_test_add_func("/im/receipt", test_receipt);
	g_test_add_func("/im/delay", test_delay);
	g_test_add_func("/im/language", test_language);
	g_test_add_func("/im/build", test_build);
	g_test_add_func("/im/error", test_error);
	g_test_add_func("/im/id", test_id);
	return g_test_run();
}
