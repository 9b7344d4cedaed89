/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xmpp-text.c - texts between the real plugin and a server of our own; the test itself
 * answers for the core (the linker leads text_new() and its like here), so that each answer
 * comes when and as a row says.
 */
#include "b2bua/text.h"
#include "plugins/xmpp/im.h"
#include "tests/legs/xmpp-rig.h"
#include <string.h>

#define SECRET "secret"
#define TO     "+15555550123@gw.example.org"

/* --- the core --- */

typedef struct {
	TextAnswered answered;
	gpointer user;
} Held;

static struct {
	GPtrArray *in; /* char *: "ACCOUNT DEVICE TO LANGUAGE receipt WRITTEN: BODY" */
	GPtrArray *origins;
	GString *events; /* "sent:1 delivered:2 failed:3:again:timeout up" */
	GArray *held;	 /* Held */
	gboolean hold;
	TextAnswer answer;
	Reason reason;
	const char *words;
} core;

void __wrap_text_new(Gateway *gateway, const Plugin *plugin, const TextIn *text,
		     TextAnswered answered, gpointer user);
void __wrap_text_sent(Gateway *gateway, gint64 id);
void __wrap_text_delivered(Gateway *gateway, gint64 id);
void
__wrap_text_failed(Gateway *gateway, gint64 id, gboolean again, Reason reason, const char *words);
void __wrap_text_way_is_up(Gateway *gateway, WayKind kind, const char *key);

void
__wrap_text_new(Gateway *gateway, const Plugin *plugin, const TextIn *text, TextAnswered answered,
		gpointer user)
{
	g_autofree char *to = address_text(text->to);
	const Held held = { answered, user };

	g_assert_null(text->trunk);
	g_ptr_array_add(core.in, g_strdup_printf("%s %s %s %s%s%s: %s", text->account, text->device,
						 to, text->language ? text->language : "-",
						 text->receipt ? " receipt" : "",
						 text->written ? " late" : "", text->body));
	g_ptr_array_add(core.origins, g_strdup(text->origin));
	if (core.hold)
		g_array_append_val(core.held, held);
	else
		answered(user, core.answer, core.reason, core.words);
}

static void G_GNUC_PRINTF(1, 2) happen(const char *format, ...)
{
	va_list arguments;

	if (core.events->len)
		g_string_append_c(core.events, ' ');
	va_start(arguments, format);
	g_string_append_vprintf(core.events, format, arguments);
	va_end(arguments);
}

void
__wrap_text_sent(Gateway *gateway, gint64 id)
{
	happen("sent:%" G_GINT64_FORMAT, id);
}

void
__wrap_text_delivered(Gateway *gateway, gint64 id)
{
	happen("delivered:%" G_GINT64_FORMAT, id);
}

void
__wrap_text_failed(Gateway *gateway, gint64 id, gboolean again, Reason reason, const char *words)
{
	g_assert_nonnull(words);
	happen("failed:%" G_GINT64_FORMAT ":%s:%s", id, again ? "again" : "never",
	       reason_name(reason));
}

void
__wrap_text_way_is_up(Gateway *gateway, WayKind kind, const char *key)
{
	g_assert_cmpint(kind, ==, WAY_ACCOUNT);
	g_assert_null(key);
	happen("up");
}

static void
set_up(const char *more)
{
	core.in = g_ptr_array_new_with_free_func(g_free);
	core.origins = g_ptr_array_new_with_free_func(g_free);
	core.events = g_string_new(NULL);
	core.held = g_array_new(FALSE, FALSE, sizeof(Held));
	core.hold = FALSE;
	core.answer = TEXT_TAKEN;
	core.reason = REASON_NONE;
	core.words = NULL;
	rig_set_up(more);
	rig_settle();
	rig_forget();
}

static void
tear_down(void)
{
	rig_tear_down();
	g_ptr_array_unref(core.in);
	g_ptr_array_unref(core.origins);
	g_string_free(core.events, TRUE);
	g_array_unref(core.held);
}

/* --- in --- */

#define HI	 "<body>hi</body>"
#define OMEMO	 "<encrypted xmlns='urn:xmpp:omemo:2'><payload>AA==</payload></encrypted>"
#define REACTED	 "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+</reaction></reactions>"
#define RETRACT	 "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"
#define A	 "alice@example.com"
#define A_NUMBER A " " A "/a +15555550123 "

static const struct {
	const char *what, *from, *to, *more, *inside;
	const char *text;  /* what the core is given; NULL: nothing */
	const char *error; /* the condition that comes back; NULL: none */
	const char *line;  /* and a part of what he reads in the chat; NULL: nothing */
} ways[] = {
	{ "a number", A "/a", TO, "type='chat'", HI, A_NUMBER "-: hi", NULL, NULL },
	{ "its full JID", A "/a", TO "/gw", "type='chat'", HI, A_NUMBER "-: hi", NULL, NULL },
	{ "in capitals", "Alice@Example.com/a", TO, "type='chat'", HI,
	  A " Alice@Example.com/a +15555550123 -: hi", NULL, NULL },
	{ "without a type", A "/a", TO, "", HI, A_NUMBER "-: hi", NULL, NULL },
	{ "as people write it", A "/a", "+1\\20555\\20555\\200123@gw.example.org", "type='chat'",
	  HI, A " " A "/a +1\\20555\\20555\\200123@gw.example.org -: hi", NULL, NULL },
	{ "with keys", A "/a", "+15555550123,12@gw.example.org", "type='chat'", HI,
	  A_NUMBER "-: hi", NULL, NULL },
	{ "two numbers", A "/a", "+15555550123,+15555550124@gw.example.org", "type='chat'", HI,
	  NULL, "not-acceptable", NULL },
	{ "another user", A "/a", "+15555550199@gw.example.org", "type='chat'", HI,
	  A " " A "/a +15555550199 -: hi", NULL, NULL },
	{ "a short code", A "/a", "33733@gw.example.org", "type='chat'", HI,
	  A " " A "/a 33733 -: hi", NULL, NULL },
	{ "a long one", A "/a", "7654321@gw.example.org", "type='chat'", HI,
	  A " " A "/a 7654321@gw.example.org -: hi", NULL, NULL },
	{ "one with its context", A "/a", "33733;phone-context=ca-us.example@gw.example.org",
	  "type='chat'", HI, A " " A "/a 33733 -: hi", NULL, NULL },
	{ "words, a receipt, a language, late", A "/a", TO, "type='chat' id='m' xml:lang='de'",
	  HI "<request xmlns='urn:xmpp:receipts'/>"
	     "<delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/>",
	  A_NUMBER "de receipt late: hi", NULL, NULL },
	{ "a name", A "/a", "hello@gw.example.org", "type='chat'", HI, NULL, "item-not-found",
	  NULL },
	{ "two digits", A "/a", "x12@gw.example.org", "type='chat'", HI, NULL, "item-not-found",
	  NULL },
	{ "who is hidden", A "/a", "anonymous@gw.example.org", "type='chat'", HI, NULL,
	  "item-not-found", NULL },
	{ "the gateway", A "/a", "gw.example.org", "type='chat'", HI, NULL, "service-unavailable",
	  NULL },
	{ "a room", A "/a", TO, "type='groupchat'", HI, NULL, "service-unavailable", NULL },
	{ "a headline", A "/a", TO, "type='headline'", HI, NULL, NULL, NULL },
	{ "an error", A "/a", TO, "type='error'", HI, NULL, NULL, NULL },
	{ "typing", A "/a", TO, "type='chat'",
	  "<composing xmlns='http://jabber.org/protocol/chatstates'/>", NULL, NULL, NULL },
	{ "a stranger", "bob@example.com/x", TO, "type='chat'", HI, NULL, "service-unavailable",
	  NULL },
	{ "of another server", "bob@elsewhere.example/x", TO, "type='chat'", HI, NULL,
	  "service-unavailable", NULL },
	{ "typing there", "bob@elsewhere.example/x", TO, "type='chat'",
	  "<composing xmlns='http://jabber.org/protocol/chatstates'/>", NULL, NULL, NULL },
	{ "encrypted", A "/a", TO, "type='chat'", OMEMO HI, NULL, "not-acceptable",
	  "switch encryption off" },
	{ "once more at once", A "/a", TO, "type='chat'", OMEMO HI, NULL, "not-acceptable", NULL },
	{ "of another device", A "/b", TO, "type='chat'", OMEMO HI, NULL, "not-acceptable", NULL },
	{ "to another number", A "/a", "+15555550177@gw.example.org", "type='chat'", OMEMO HI, NULL,
	  "not-acceptable", "switch encryption off" },
	{ "encrypted, to nobody", A "/a", "hello@gw.example.org", "type='chat'", OMEMO HI, NULL,
	  "item-not-found", NULL },
	{ "a reaction", A "/a", TO, "type='chat'", REACTED, NULL, NULL, "only words" },
	{ "another", A "/a", TO, "type='chat'", REACTED, NULL, NULL, NULL },
	{ "a retraction", A "/a", TO, "type='chat'", RETRACT, NULL, NULL, "taken back" },
	{ "another retraction", A "/a", TO, "type='chat'", RETRACT, NULL, NULL, NULL },
	{ "a file of nowhere", A "/a", TO, "type='chat'", "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
	  NULL, "not-acceptable", NULL },
};

/* What came back to `full`: the condition of an error, a line of chat. */
static void
read_answers(const char *full, const char **condition, char **line)
{
	*condition = NULL;
	*line = NULL;
	rig_find_said(""); /* takes in all there is */
	for (guint i = 0; i < rig.said->len; i++) {
		const xmlNode *said = rig.said->pdata[i];
		XmlStanzaError error;

		if (!xml_is_stanza(said, "message") ||
		    g_ascii_strcasecmp(xml_attribute(said, "to"), full) != 0)
			continue;
		if (xml_stanza_error(said, &error)) {
			g_assert_null(*condition); /* one, and no more */
			g_assert_nonnull(error.type);
			*condition = error.condition;
		} else {
			g_assert_null(*line);
			*line = xml_text(xml_child(said, NULL, "body"));
		}
	}
}

static void
test_ways(void)
{
	set_up("");
	for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *line = NULL;
		const char *condition;

		g_test_message("%s", ways[i].what);
		g_ptr_array_set_size(core.in, 0);
		rig_forget();
		rig_say("<message from='%s' to='%s' %s>%s</message>", ways[i].from, ways[i].to,
			ways[i].more, ways[i].inside);
		rig_settle();
		read_answers(ways[i].from, &condition, &line);
		g_assert_cmpuint(core.in->len, ==, ways[i].text != NULL);
		if (ways[i].text)
			g_assert_cmpstr(core.in->pdata[0], ==, ways[i].text);
		g_assert_cmpstr(condition, ==, ways[i].error);
		g_assert_cmpint(line != NULL, ==, ways[i].line != NULL);
		if (line)
			g_assert_nonnull(strstr(line, ways[i].line));
	}
	tear_down();
}

/* Who is switched off is no user. */
static void
test_switched_off(void)
{
	g_autofree char *line = NULL;
	const char *condition;

	set_up("");
	g_assert_true(store_user_set_enabled(rig.store, RIG_USER, FALSE, NULL));
	rig_say("<message type='chat' from='" A "/a' to='" TO "'>" HI "</message>");
	rig_settle();
	read_answers(A "/a", &condition, &line);
	g_assert_cmpuint(core.in->len, ==, 0);
	g_assert_cmpstr(condition, ==, "service-unavailable");
	tear_down();
}

/* --- what the core answers: answer × reason × at once or later --- */

static const struct {
	TextAnswer answer;
	Reason reason;
	const char *words;
	const char *type, *condition; /* NULL: nothing is said */
	const char *part;
} answers[] = {
	{ TEXT_TAKEN, REASON_NONE, NULL, NULL, NULL, NULL },
	{ TEXT_LATER, REASON_NONE, NULL, "wait", "resource-constraint", "again" },
	{ TEXT_REFUSED, REASON_NOT_FOUND, "no such number", "cancel", "item-not-found",
	  "no such number" },
	{ TEXT_REFUSED, REASON_INCOMPLETE, "too short", "cancel", "item-not-found", "too short" },
	{ TEXT_REFUSED, REASON_GONE, "it is gone", "cancel", "gone", "it is gone" },
	{ TEXT_REFUSED, REASON_FORBIDDEN, "not here", "cancel", "not-allowed", "not here" },
	{ TEXT_REFUSED, REASON_ADMIN, "not here", "cancel", "not-allowed", "not here" },
	{ TEXT_REFUSED, REASON_INCOMPATIBLE, "too long", "modify", "not-acceptable", "too long" },
	{ TEXT_REFUSED, REASON_OVERLOAD, "too many", "wait", "policy-violation", "too many" },
	{ TEXT_REFUSED, REASON_DECLINED, "no", "cancel", "service-unavailable", "no" },
	{ TEXT_REFUSED, REASON_NETWORK_ERROR, NULL, "cancel", "service-unavailable",
	  "The far network failed" },
};

static void
check_answer(guint row)
{
	const xmlNode *said;
	XmlStanzaError error;
	g_autofree char *text = NULL;

	rig_settle();
	if (!answers[row].condition) {
		g_assert_null(rig_find_said("error"));
		return;
	}
	said = rig_wait_said("error");
	g_assert_true(xml_stanza_error(said, &error));
	text = xml_text(xml_child(xml_child(said, NULL, "error"), NS_STANZAS, "text"));
	g_assert_cmpstr(xml_attribute(said, "to"), ==, A "/a");
	g_assert_cmpstr(xml_attribute(said, "from"), ==, TO);
	g_assert_cmpstr(xml_attribute(said, "id"), ==, "m1");
	g_assert_cmpstr(error.type, ==, answers[row].type);
	g_assert_cmpstr(error.condition, ==, answers[row].condition);
	g_assert_true(g_str_has_prefix(text, "Your message was not sent: "));
	g_assert_nonnull(strstr(text, answers[row].part));
}

static void
test_answers(void)
{
	static const char message[] =
		"<message type='chat' id='m1' from='" A "/a' to='" TO "'>" HI "</message>";

	set_up("");
	for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
		core.answer = answers[i].answer;
		core.reason = answers[i].reason;
		core.words = answers[i].words;
		rig_forget();
		rig_play(message);
		check_answer(i);

		core.hold = TRUE;
		rig_forget();
		rig_play(message);
		rig_settle();
		g_assert_cmpuint(core.held->len, ==, 1);
		g_assert_null(rig_find_said("error"));
		g_array_index(core.held, Held, 0)
			.answered(g_array_index(core.held, Held, 0).user, core.answer, core.reason,
				  core.words);
		check_answer(i);
		g_array_set_size(core.held, 0);
		core.hold = FALSE;
	}
	g_assert_cmpstr(core.origins->pdata[0], ==, core.origins->pdata[1]);
	tear_down();
}

/* The plugin is gone when the answer comes. */
static void
test_answer_after_stop(void)
{
	GArray *held;

	set_up("");
	core.hold = TRUE;
	for (guint i = 0; i < 3; i++)
		rig_say("<message type='chat' from='" A "/a' to='" TO "'>" HI "</message>");
	rig_settle();
	held = g_array_ref(core.held);
	tear_down();
	for (guint i = 0; i < 3; i++)
		g_array_index(held, Held, i)
			.answered(g_array_index(held, Held, i).user, TEXT_REFUSED, REASON_GONE,
				  "x");
	g_array_unref(held);
}

/* --- out --- */

static Address *number, *copied;

static Text
text_of(gint64 id, const char *body)
{
	return (Text){ .id = id,
		       .kind = TEXT_MESSAGE,
		       .way = { .kind = WAY_ACCOUNT },
		       .account = A,
		       .from = number,
		       .to = copied,
		       .body = body,
		       .written = g_get_real_time() / G_USEC_PER_SEC };
}

static void
send_one(const Text *text)
{
	xmpp_plugin.text->send(text);
}

/* The pings that were said since rig_forget(); the server brings the last of them back. */
static guint
bring_back(const char *form)
{
	guint n = 0;
	const char *id = NULL;

	rig_find_said("");
	for (guint i = 0; i < rig.said->len; i++) {
		const xmlNode *said = rig.said->pdata[i];

		if (!xml_child(said, NS_PING, "ping") ||
		    !g_str_has_prefix(xml_attribute(said, "id"), "texts-"))
			continue;
		g_assert_cmpstr(xml_attribute(said, "to"), ==, "gw.example.org");
		id = xml_attribute(said, "id");
		n++;
	}
	if (id)
		rig_say(form, id);
	rig_settle();
	return n;
}

#define PONG                                                                      \
	"<iq type='get' id='%s' from='gw.example.org' to='gw.example.org'><ping " \
	"xmlns='urn:xmpp:ping'/></iq>"
#define PONG_ERROR                                                                   \
	"<iq type='error' id='%s' from='gw.example.org' to='gw.example.org'><error " \
	"type='cancel'><service-unavailable "                                        \
	"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
#define PONG_FORGED                                                        \
	"<iq type='get' id='%s' from='" A "/a' to='gw.example.org'><ping " \
	"xmlns='urn:xmpp:ping'/></iq>"

static const struct {
	const char *what;
	TextKind kind;
	const char *device, *language, *about;
	gint64 age;	  /* s; -1: it is new, and may have been sent */
	const char *said; /* "*": an id of ours */
} forms[] = {
	{ "a text", TEXT_MESSAGE, NULL, NULL, NULL, 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>hi</body><nick xmlns=\"http://jabber.org/protocol/nick\">Carol</nick>"
	  "<origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/><request xmlns=\"urn:xmpp:receipts\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "an old one, in German", TEXT_MESSAGE, NULL, "de", NULL, 3600,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body xml:lang=\"de\">hi</body><nick xmlns=\"http://jabber.org/protocol/nick\">Carol"
	  "</nick><origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/><request "
	  "xmlns=\"urn:xmpp:receipts\"/><delay xmlns=\"urn:xmpp:delay\" from=\"gw.example.org\" "
	  "stamp=\"*\"/><store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "one that may have been sent", TEXT_MESSAGE, NULL, NULL, NULL, -1,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>hi</body><nick xmlns=\"http://jabber.org/protocol/nick\">Carol</nick>"
	  "<origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/><request xmlns=\"urn:xmpp:receipts\"/>"
	  "<delay xmlns=\"urn:xmpp:delay\" from=\"gw.example.org\" stamp=\"*\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "a copy", TEXT_COPY, "desk", NULL, NULL, 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>You (from desk): hi</body><origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "a copy of nobody knows what", TEXT_COPY, NULL, NULL, NULL, 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>You: hi</body><origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "a receipt", TEXT_RECEIPT, A "/a", NULL, "0123456789abcdef/m7", 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "/a\">"
	  "<received xmlns=\"urn:xmpp:receipts\" id=\"m7\"/><store xmlns=\"urn:xmpp:hints\"/>"
	  "</message>" },
	{ "a receipt for what has no name", TEXT_RECEIPT, A "/a", NULL, "0123456789abcdef/", 0,
	  NULL },
	{ "it failed, and he is there", TEXT_ERROR, A "/a", NULL, "0123456789abcdef/m7", 0,
	  "<message type=\"error\" from=\"+15555550123@gw.example.org\" to=\"" A "/a\" id=\"m7\">"
	  "<error type=\"cancel\"><recipient-unavailable "
	  "xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/><text "
	  "xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\">hi</text></error></message>" },
	{ "it failed, and he is not there", TEXT_ERROR, A "/b", NULL, "0123456789abcdef/m7", 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>hi</body><origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
	{ "what failed has no name", TEXT_ERROR, A "/a", NULL, "0123456789abcdef/", 0,
	  "<message type=\"chat\" from=\"+15555550123@gw.example.org\" to=\"" A "\" id=\"*\">"
	  "<body>hi</body><origin-id xmlns=\"urn:xmpp:sid:0\" id=\"*\"/>"
	  "<store xmlns=\"urn:xmpp:hints\"/></message>" },
};

/* With "*" for what is of the moment, and without the namespace of the stream. */
static char *
plain(const xmlNode *said)
{
	g_autofree char *text = xml_print(said);
	g_autoptr(GRegex) ids =
		g_regex_new("\"text-\\d+-[0-9a-f]{16}\"|(?<=stamp=)\"[^\"]+Z\"", 0, 0, NULL);
	g_autofree char *masked = g_regex_replace_literal(ids, text, -1, 0, "\"*\"", 0, NULL);
	GString *out = g_string_new(masked);

	g_string_replace(out, " xmlns=\"jabber:component:accept\"", "", 0);
	return g_string_free(out, FALSE);
}

static void
test_forms(void)
{
	set_up("");
	rig_comes_online("a", RIG_CAN_CHAT);
	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		Text text = text_of(i + 1, forms[i].kind == TEXT_RECEIPT ? NULL : "hi");
		g_autofree char *sent = g_strdup_printf("sent:%u", i + 1), *said = NULL;

		g_test_message("%s", forms[i].what);
		text.kind = forms[i].kind;
		text.device = forms[i].device;
		text.language = forms[i].language;
		text.about = forms[i].about;
		text.written -= MAX(forms[i].age, 0);
		text.repeated = forms[i].age < 0;
		g_string_truncate(core.events, 0);
		rig_forget();
		send_one(&text);
		rig_settle();
		if (forms[i].said) {
			said = plain(rig.said->pdata[0]);
			g_assert_cmpstr(core.events->str, ==, "");
			g_assert_cmpuint(bring_back(PONG), ==, 1);
		}
		g_assert_cmpstr(said, ==, forms[i].said);
		g_assert_cmpstr(core.events->str, ==, sent);
	}
	tear_down();
}

/* --- sent, when the ping behind it is back --- */

static void
send_some(gint64 first, gint64 last)
{
	for (gint64 id = first; id <= last; id++) {
		const Text text = text_of(id, "hi");

		send_one(&text);
	}
	rig_settle();
}

static guint
count_events(const char *kind)
{
	g_auto(GStrv) words = g_strsplit(core.events->str, " ", -1);
	guint n = 0;

	for (char **word = words; *word; word++)
		n += g_str_has_prefix(*word, kind);
	return n;
}

static guint
count_bodies(void)
{
	guint n = 0;

	rig_find_said("");
	for (guint i = 0; i < rig.said->len; i++)
		n += xml_child(rig.said->pdata[i], NULL, "body") != NULL;
	return n;
}

static void
test_sent(void)
{
	set_up("");
	g_assert_cmpstr(core.events->str, ==, "up");
	g_string_truncate(core.events, 0);
	send_some(1, 5);
	g_assert_cmpuint(count_bodies(), ==, 5);
	/* somebody else's ping, and an earlier one, are nothing */
	rig_say("<iq type='get' id='texts-99' from='gw.example.org' to='gw.example.org'><ping "
		"xmlns='urn:xmpp:ping'/></iq>");
	g_assert_cmpuint(bring_back(PONG_FORGED), ==, 1);
	g_assert_cmpstr(core.events->str, ==, "");
	/* the first ping was behind the first text; one is behind the four others */
	bring_back(PONG);
	g_assert_cmpstr(core.events->str, ==, "sent:1");
	rig_forget();
	g_assert_cmpuint(count_bodies(), ==, 0);
	send_some(6, 6);
	rig_say(PONG, "texts-2");
	rig_settle();
	g_assert_cmpstr(core.events->str, ==, "sent:1 sent:2 sent:3 sent:4 sent:5");
	/* a server that does not like pings has the text all the same */
	rig_say(PONG_ERROR, "texts-3");
	rig_settle();
	g_assert_cmpstr(core.events->str, ==, "sent:1 sent:2 sent:3 sent:4 sent:5 sent:6");
	tear_down();
}

/* Whatever is not known to have come is given back, and comes again under the same id. */
static void
test_stream_lost(void)
{
	g_autofree char *id = NULL;
	Text down;

	set_up("");
	g_string_truncate(core.events, 0);
	send_some(1, 3);
	id = g_strdup(xml_attribute(rig.said->pdata[0], "id"));
	xmpp_server_kill(rig.server);
	while (count_events("failed") < 3)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpstr(core.events->str, ==,
			"failed:1:again:network-error failed:2:again:network-error "
			"failed:3:again:network-error");
	down = text_of(4, "hi");
	send_one(&down);
	g_assert_nonnull(strstr(core.events->str, "failed:4:again:network-error"));
	g_string_truncate(core.events, 0);
	xmpp_server_listen(rig.server);
	while (count_events("up") < 1)
		g_main_context_iteration(NULL, TRUE);
	rig_settle();
	rig_forget();
	g_string_truncate(core.events, 0);
	send_some(1, 1);
	g_assert_cmpstr(xml_attribute(rig.said->pdata[0], "id"), ==, id);
	/* the ping of the stream that is gone */
	rig_say(PONG, "texts-1");
	rig_settle();
	g_assert_cmpstr(core.events->str, ==, "");
	bring_back(PONG);
	g_assert_cmpstr(core.events->str, ==, "sent:1");
	tear_down();
}

/* As many as a server takes, in order; then no more than may wait. */
static void
test_flood(void)
{
	const guint n = 2000;
	gint64 last = 0;
	guint written = 0;

	set_up("");
	g_string_truncate(core.events, 0);
	send_some(1, n);
	written = count_bodies();
	g_assert_cmpuint(written, ==, 64);
	g_assert_cmpuint(count_events("failed"), ==, n - 64 - 1000);
	for (guint i = 0; i < n && count_events("sent") < 1064; i++) {
		bring_back(PONG);
		rig_find_said("");
		for (guint k = 0; k < rig.said->len; k++) {
			const xmlNode *said = rig.said->pdata[k];
			gint64 id;

			if (!xml_child(said, NULL, "body") ||
			    !im_id_read(SECRET, A, xml_attribute(said, "id"), &id) || id <= last)
				continue;
			g_assert_cmpint(id, ==, last + 1);
			last = id;
		}
		for (guint k = rig.said->len; k-- > 0;)
			if (xml_child(rig.said->pdata[k], NULL, "body"))
				g_ptr_array_remove_index(rig.said, k);
	}
	g_assert_cmpuint(count_events("sent"), ==, 1064);
	g_assert_cmpint(last, ==, 1064);
	tear_down();
}

/* --- what is said of them afterwards --- */

#define RECEIVED(from, id)                                                                 \
	"<message from='" from "' to='" TO "'><received xmlns='urn:xmpp:receipts' id='" id \
	"'/></message>"
#define BOUNCE(from, type, condition)                                                  \
	"<message type='error' id='%s' from='" from "' to='" TO "'><error type='" type \
	"'><" condition " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"

static const struct {
	const char *what, *form, *event;
} news[] = {
	{ "a receipt", RECEIVED(A "/a", "%s"), "delivered:7" },
	{ "of another device", RECEIVED(A "/phone", "%s"), "delivered:7" },
	{ "in the account's name", RECEIVED(A, "%s"), "delivered:7" },
	{ "of another account", RECEIVED("bob@example.com/a", "%s"), "" },
	{ "a receipt for what never was", RECEIVED(A "/a", "text-7-0123456789abcdef"), "" },
	{ "a receipt for a call", RECEIVED(A "/a", "jm-propose-7"), "" },
	{ "no storage", BOUNCE(A, "cancel", "service-unavailable"), "failed:7:again" },
	{ "a full storage", BOUNCE(A, "wait", "resource-constraint"), "failed:7:again" },
	{ "no way there", BOUNCE(A, "cancel", "remote-server-not-found"), "failed:7:again" },
	{ "a silent server", BOUNCE(A, "wait", "remote-server-timeout"), "failed:7:again" },
	{ "it waits", BOUNCE(A, "wait", "not-acceptable"), "failed:7:again" },
	{ "no such account", BOUNCE(A, "cancel", "item-not-found"), "failed:7:never" },
	{ "gone", BOUNCE(A, "cancel", "gone"), "failed:7:never" },
	{ "forbidden", BOUNCE(A, "auth", "forbidden"), "failed:7:never" },
	{ "a policy", BOUNCE(A, "modify", "policy-violation"), "failed:7:never" },
	{ "one of its devices", BOUNCE(A "/a", "cancel", "not-acceptable"), "" },
	{ "another account", BOUNCE("bob@example.com", "cancel", "gone"), "" },
};

static void
test_news(void)
{
	g_autofree char *id = im_id(SECRET, A, 7);

	set_up("");
	/* before the ping is back; long after; by a process that has never sent it */
	for (guint moment = 0; moment < 3; moment++)
		for (guint i = 0; i < G_N_ELEMENTS(news); i++) {
			g_test_message("%s, %u", news[i].what, moment);
			rig_forget();
			g_string_truncate(core.events, 0);
			if (moment < 2)
				send_some(7, 7);
			if (moment == 1) {
				bring_back(PONG);
				g_assert_cmpstr(core.events->str, ==, "sent:7");
				g_string_truncate(core.events, 0);
			}
			rig_say(news[i].form, id);
			rig_settle();
			if (*news[i].event)
				g_assert_true(g_str_has_prefix(core.events->str, news[i].event));
			else
				g_assert_cmpstr(core.events->str, ==, "");
			if (moment > 0)
				continue;
			/* the ping says nothing new of what is settled */
			bring_back(PONG);
			g_assert_cmpuint(count_events("sent"), ==, *news[i].event ? 0 : 1);
		}
	tear_down();
}

/* --- strangers --- */

/* They cost an answer, and nothing of the core's. */
static void
test_strangers(void)
{
	gint64 began;
	guint answered = 0;

	set_up("");
	began = g_get_monotonic_time();
	for (guint i = 0; i < 30; i++) {
		GString *many = g_string_new(NULL);

		for (guint k = 0; k < 100; k++)
			g_string_append_printf(
				many,
				"<message type='chat' from='x%u@spam.example/r' to='" TO
				"' id='m%u'>" HI "</message>",
				k, i);
		xmpp_server_send(rig.server, many->str);
		g_string_free(many, TRUE);
		rig_settle();
		for (guint k = 0; k < rig.said->len; k++)
			answered += xml_is_stanza(rig.said->pdata[k], "message");
		rig_forget();
	}
	g_test_message("3000 messages of strangers: %" G_GINT64_FORMAT " us each",
		       (g_get_monotonic_time() - began) / 3000);
	g_assert_cmpuint(core.in->len, ==, 0);
	g_assert_cmpuint(answered, ==, 3000);
	tear_down();
}

int
main(int argc, char **argv)
{
	g_autoptr(Address) from = NULL;
	int result;

	g_test_init(&argc, &argv, NULL);
	from = address_new(ADDRESS_NUMBER, "+15555550123", NULL, NULL);
	number = address_with_name(from, "Carol");
	copied = address_new(ADDRESS_NUMBER, RIG_CALLED, NULL, NULL);
	g_test_add_func("/xmpp-text/ways", test_ways);
	g_test_add_func("/xmpp-text/switched-off", test_switched_off);
	g_test_add_func("/xmpp-text/answers", test_answers);
	g_test_add_func("/xmpp-text/answer-after-stop", test_answer_after_stop);
	g_test_add_func("/xmpp-text/forms", test_forms);
	g_test_add_func("/xmpp-text/sent", test_sent);
	g_test_add_func("/xmpp-text/stream-lost", test_stream_lost);
	g_test_add_func("/xmpp-text/flood", test_flood);
	g_test_add_func("/xmpp-text/news", test_news);
	g_test_add_func("/xmpp-text/strangers", test_strangers);
	result = g_test_run();
	address_free(number);
	address_free(copied);
	return result;
}
