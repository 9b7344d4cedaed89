/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-desk.c - what a person does by chat and by form, with the real core and store.
 *
 * desk/NAME.txt is a conversation: "> " a line of alice's, "< " what she reads; what is made at
 * random stands as "…".  TRANSCRIPT_UPDATE=1 writes the files anew.
 */
#include <string.h>
#include <glib/gstdio.h>
#include "b2bua/admin/chat.h"
#include "b2bua/admin/reception.h"
#include "b2bua/call/core.h"
#include "b2bua/desk.h"
#include "b2bua/setting.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"

#define ALICE "alice@example.org"
#define BOB   "bob@example.org"
#define OSCAR "oscar@example.org"

static Config *config;
static Store *store;
static Gateway *gateway;
static GString *heard; /* what was said last */
static gboolean answered, was_secret;

static void
add_call(const char *user, const char *callee, const char *reason, const char *ladder)
{
	CallRecord record = { .state = (char *)"ENDED",
			      .started_us = 1700000000000000,
			      .ended_us = 1700000001000000,
			      .caller = (char *)user,
			      .callee = (char *)callee,
			      .user = (char *)user,
			      .trunk = (char *)"carrier",
			      .reason = (char *)reason,
			      .text = (char *)"secret.carrier.example says 503",
			      .stats = (char *)"",
			      .ladder = (char *)ladder };

	g_assert_true(store_call_begin(store, &record, NULL));
	g_assert_true(store_call_update(store, &record, NULL));
}

static void
set_up(void)
{
	static char *operators[] = { (char *)OSCAR, NULL };
	g_autoptr(GError) error = NULL;

	config = config_load(NULL, &error);
	g_assert_no_error(error);
	config->xmpp_operators = g_strdupv(operators);
	store = store_open(":memory:", &error);
	gateway = core_new(config, store, NULL);
	reception_open(gateway);
	heard = g_string_new(NULL);
	g_assert_true(store_user_add(store, ALICE, &error));
	g_assert_true(store_user_add(store, BOB, &error));
	g_assert_true(store_number_add(store, "+14155550101", ALICE, &error));
	g_assert_true(store_number_add(store, "+14155550102", BOB, &error));
	g_assert_true(store_softphone_add(store, "alice", ALICE, "correct horse", &error));
	g_assert_true(store_softphone_add(store, "bob", BOB, "battery staple", &error));
	add_call(ALICE, "+49301234567", "network-error",
		 "1\tcaller\tnote\tmessage to " ALICE ": The telephone network did not answer\n");
	add_call(BOB, "+49881", "busy", "");
	g_assert_no_error(error);
}

static void
tear_down(void)
{
	reception_close(gateway);
	core_free(gateway);
	store_close(store);
	config_free(config);
	g_string_free(heard, TRUE);
}

/* --- by chat --- */

static void
on_said(gpointer user, const char *device, const char *text, gboolean secret)
{
	g_assert_nonnull(text);
	g_assert_true(g_utf8_validate(text, -1, NULL));
	g_string_assign(heard, text);
	was_secret = secret;
	answered = TRUE;
}

static const char *
say_as(const char *account, const char *text)
{
	g_autofree char *device = g_strconcat(account, "/phone", NULL);

	answered = FALSE;
	g_assert_true(desk_says(gateway, &(DeskPerson){ account, device }, text, on_said, NULL));
	while (!answered)
		g_main_context_iteration(NULL, TRUE);
	return heard->str;
}

static const char *
say(const char *text)
{
	return say_as(ALICE, text);
}

static void
assert_says(const char *text, const char *part)
{
	say(text);
	g_test_message("%s → %s", text, heard->str);
	if (!strstr(heard->str, part))
		g_error("%s: %s is not in: %s", text, part, heard->str);
}

/* --- conversations that read well --- */

static char *
masked(const char *text)
{
	static const char *const random[] = {
		"(?<=password: )[a-z0-9]{20}",
		"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]+(Z|[+-][0-9:]+)?"
	};
	char *out = g_strdup(text);

	for (guint i = 0; i < G_N_ELEMENTS(random); i++) {
		g_autoptr(GRegex) regex = g_regex_new(random[i], 0, 0, NULL);
		char *next = g_regex_replace_literal(regex, out, -1, 0, "…", 0, NULL);

		g_free(out);
		out = next;
	}
	return out;
}

static void
play(const char *path)
{
	g_autofree char *text = NULL, *now = NULL;
	g_auto(GStrv) lines = NULL;
	GString *played = g_string_new(NULL);

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *reply = NULL;
		g_auto(GStrv) parts = NULL;

		if (**line == '#')
			g_string_append_printf(played, "%s\n", *line);
		if (!g_str_has_prefix(*line, "> "))
			continue;
		reply = masked(say(*line + 2));
		parts = g_strsplit(reply, "\n", -1);
		g_string_append_printf(played, "%s\n", *line);
		for (char **part = parts; *part; part++)
			g_string_append_printf(played, "< %s\n", *part);
	}
	now = g_string_free(played, FALSE);
	if (g_getenv("TRANSCRIPT_UPDATE"))
		g_assert_true(g_file_set_contents(path, now, -1, NULL));
	else
		g_assert_cmpstr(now, ==, text);
}

static void
test_conversations(void)
{
	g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "core", "desk", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;
	guint n = 0;

	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (!g_str_has_suffix(name, ".txt"))
			continue;
		g_test_message("%s", name);
		set_up();
		play(path);
		tear_down();
		n++;
	}
	g_assert_cmpuint(n, >=, 5);
}

/* --- wrong input: one line, with the remedy, and nothing is changed --- */

static const struct {
	const char *before, *wrong, *holds; /* before: lines by ";" that lead to a question */
} MISTAKES[] = {
	{ NULL, "frobnicate", "write help" },
	{ NULL, "u", "may be " },
	{ NULL, "trunk list", "operator" },
	{ NULL, "trunk add x sip.example.net", "operator" },
	{ NULL, "user list", "write user and one of" },
	{ NULL, "user", "write user and one of" },
	/* what is shown of a long word ends with a whole character */
	{ NULL, "user xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\u00e9\u00e9", "x\u00e9: write user" },
	{ NULL, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\u00e9\u00e9", "x\u00e9: no command" },
	{ NULL, "user show " BOB, "one word too many" },
	{ NULL, "user set max-cost=9", "operator" },
	{ NULL, "user set country=FR", "operator" },
	{ NULL, "user set ring=loud", "write both" },
	{ NULL, "user set ringg=sip", "did you mean ring" },
	{ NULL, "user set ring-seconds=1", "5 to 600" },
	{ NULL, "user set ring-seconds=abc", "whole number" },
	{ NULL, "user set location=nowhere", "location" },
	{ NULL, "forward sometimes +49301234567", "always" },
	{ NULL, "forward busy nobody", "not a number" },
	{ NULL, "forward busy +14155550101", "own" },
	{ NULL, "forward busy 112", "emergency" },
	{ NULL, "forward busy +493012345678901234567", "not a number" },
	{ NULL, "ring loud", "write both" },
	{ NULL, "dnd maybe", "write yes or no" },
	{ NULL, "hide-number perhaps", "write yes or no" },
	{ NULL, "block +nobody", "not a number" },
	{ NULL, "unblock +49301", "is not blocked" },
	{ NULL, "softphone password bob", "not one of yours; write one of: alice" },
	{ NULL, "password nobody", "not one of yours" },
	{ NULL, "calls --user=" BOB, "unknown option" },
	{ NULL, "calls --last=0", "1 to 1000000" },
	{ NULL, "calls --since=never", "not a time" },
	{ NULL, "calls --reason=nonsense", "no reason" },
	{ NULL, "why " BOB, "another's account" },
	{ NULL, "why 2", "not one of yours" },
	{ NULL, "why 99", "not one of yours" },
	{ NULL, "usage --month=May", "not a month" },
	{ NULL, "help nonsense", "no command" },
	{ NULL, "sources lift all", "operator" },
	{ NULL, "hangup 1", "operator" },
	{ "forward", "never", "always" },
	{ "forward", "5", "always" },
	{ "forward", "next", "cannot be left out" },
	{ "forward;busy", "someone", "not a number" },
	{ "forward;busy", "next", "cannot be left out" },
	{ "forward", "back", "first question" },
	{ "ring", "loud", "write both" },
	{ "dnd", "hm", "write yes or no" },
	{ "block", "some*body", "not a number" },
	{ "user set", "nonsense", "no key" },
	{ "user set", "next", "nothing has been changed" },
	{ "user set", "max-cost", "no key" },
	{ "user set;ring", "loud", "write both" },
	{ "user set;ring-seconds", "1000", "5 to 600" },
	{ "user set", "ring-seconds=1000", "5 to 600" },
};

static char *
all_settings(const char *user)
{
	GString *all = g_string_new(NULL);

	for (Setting setting = 0; setting < N_SETTINGS; setting++) {
		g_autofree char *value = store_setting_get(store, user, setting_name(setting));

		g_string_append_printf(all, "%s=%s\n", setting_name(setting), value ? value : "-");
	}
	return g_string_free(all, FALSE);
}

static void
test_mistakes(void)
{
	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(MISTAKES); i++) {
		g_auto(GStrv) before =
			g_strsplit(MISTAKES[i].before ? MISTAKES[i].before : "", ";", -1);
		g_autofree char *was = NULL, *is = NULL, *bob = NULL;

		was = all_settings(ALICE);
		for (char **line = before; *line; line++)
			say(*line);
		assert_says(MISTAKES[i].wrong, MISTAKES[i].holds);
		g_assert_null(strchr(heard->str, '\n'));
		g_assert_null(strstr(heard->str, "+14155550102"));
		is = all_settings(ALICE);
		bob = all_settings(BOB);
		g_assert_cmpstr(was, ==, is);
		g_assert_cmpstr(was, ==, bob);
		say("cancel");
	}
	tear_down();
}

/* --- as people and their keyboards write it --- */

static const struct {
	const char *before, *said, *holds;
} TYPED[] = {
	{ NULL, "HELP", "Write a command" },
	{ NULL, "help.", "Write a command" },
	{ NULL, "/help", "Write a command" },
	{ NULL, "!Help!", "Write a command" },
	/* a greeting is not the beginning of "hide-number" */
	{ NULL, "Hi", "Write a command" },
	{ NULL, "Hello!", "Write a command" },
	{ NULL, "h", "Write a command" },
	{ NULL, "Dnd on.", "Nothing rings" },
	{ NULL, "dnd\u00a0off", "ring again" },
	{ NULL, "do not disturb off", "ring again" },
	{ NULL, "hide number no", "sees the number" },
	{ NULL, "hide\u2011number no", "sees the number" },
	{ NULL, "my number", "+14155550101" },
	{ NULL, "calls \u2014last=3", "ENDED" },
	{ NULL, "calls \u2013last 3", "ENDED" },
	{ NULL, "forward \u201cbusy\u201d +49301234567", "go to +49301234567" },
	{ NULL, "forward busy \u201c+49 30 1234567\u201d", "go to +49301234567" },
	{ NULL, "forward busy \u200e+49\u00a030\u202f123\u20114567", "go to +49301234567" },
	{ NULL, "forward busy \uff0b\uff14\uff19301234567", "go to +49301234567" },
	{ NULL, "block +1 (415) 555\u20111234", "+14155551234: " },
	{ NULL, "unblock +1.415.555.1234", "+14155551234: calls ring" },
	{ NULL, "block +49 (0)30 1234, anonymous", "+49301234 anonymous: " },
	{ NULL, "block GOOGLE", "GOOGLE: calls are declined" },
	{ NULL, "block google", "was blocked already" },
	{ NULL, "unblock Google", "Google: calls ring" },
	{ NULL, "block my\\20bank@gw.example.org", "my\\20bank@gw.example.org: calls are" },
	{ "block", "PayPal", "PayPal: calls are declined" },
	{ NULL, "user set ring=\u201cBoth\u201d", "Done" },
	{ "forward", "2.", "number: " },
	{ "forward", "2)", "number: " },
	{ "forward", "#2", "number: " },
	{ "forward", "Two", "number: " },
	{ "forward", "2\ufe0f\u20e3", "number: " },
	{ "forward", "\u0662", "number: " },
	{ "forward", "\u201cbusy\u201d", "number: " },
	{ "forward;2", "\u201c+49 30 1234567\u201d", "go to +49301234567" },
	{ "forward;2", "+49301234567,12", "go to +49301234567 " },
	{ "forward;2", "Back.", "when: " },
	{ "forward;2", "/cancel", "Cancelled" },
	{ "forward", "stop", "Cancelled" },
	{ "forward", "Quit!", "Cancelled" },
	{ "dnd", "Yes.", "Nothing rings" },
	{ "dnd", "no!", "ring again" },
	{ "user set;ring-seconds", "20.", "ring-seconds = 20 (new)" },
	{ "user set;ring-seconds;20", "done", "Done" },
	{ "user set", "5.", "ring: " },
	/* who has forgotten a question, or never saw it as one */
	{ "block", "calls", "ENDED" },
	{ "block", "Forward busy off", "not sent on" },
	{ "dnd", "my number", "+14155550101" },
	{ "dnd", "hm", "cancel ends" },
};

/* So that "yes" answers this, and not what was asked before. */
static void
test_asked(void)
{
	const DeskPerson phone = { ALICE, ALICE "/phone" }, other = { BOB, BOB "/phone" };

	set_up();
	g_assert_cmpint(desk_asked_us(gateway, &phone), ==, 0);
	say("dnd");
	g_assert_cmpint(desk_asked_us(gateway, &phone), >, 0);
	g_assert_cmpint(desk_asked_us(gateway, &phone), <=, g_get_monotonic_time());
	g_assert_cmpint(desk_asked_us(gateway, &other), ==, 0);
	say("yes");
	g_assert_cmpint(desk_asked_us(gateway, &phone), ==, 0);
	tear_down();
}

static void
test_typed(void)
{
	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(TYPED); i++) {
		g_auto(GStrv) before = g_strsplit(TYPED[i].before ? TYPED[i].before : "", ";", -1);

		for (char **line = before; *line; line++)
			say(*line);
		assert_says(TYPED[i].said, TYPED[i].holds);
		say("cancel");
	}
	tear_down();
}

/* --- by form --- */

typedef struct {
	DeskStage stage;
	char *session, *note;
	gboolean is_error, may_prev, may_next;
	GPtrArray *names, *values; /* as a client sends them back, NULL at the end */
	guint n_rows;
} Shown;

static Shown shown;

static void
shown_clear(void)
{
	g_clear_pointer(&shown.session, g_free);
	g_clear_pointer(&shown.note, g_free);
	g_clear_pointer(&shown.names, g_ptr_array_unref);
	g_clear_pointer(&shown.values, g_ptr_array_unref);
}

/* A client fills a switch that has no value with 0, and a text with nothing. */
static const char *
sent_back(const DeskField *field)
{
	if (field->type == DESK_BOOLEAN)
		return g_strcmp0(field->value, "yes") == 0 ? "1" : "0";
	return field->value ? field->value : "";
}

static void
on_page(gpointer user, const DeskPage *page)
{
	shown_clear();
	shown = (Shown){ .stage = page->stage,
			 .session = g_strdup(page->session),
			 .note = g_strdup(page->note),
			 .is_error = page->is_error,
			 .may_prev = page->may_prev,
			 .may_next = page->may_next,
			 .names = g_ptr_array_new_with_free_func(g_free),
			 .values = g_ptr_array_new_with_free_func(g_free),
			 .n_rows = page->rows ? page->rows->len : 0 };
	for (guint i = 0; page->stage == DESK_ASKS && i < page->n_fields; i++) {
		g_ptr_array_add(shown.names, g_strdup(page->fields[i].name));
		g_ptr_array_add(shown.values, g_strdup(sent_back(&page->fields[i])));
	}
	g_ptr_array_add(shown.names, NULL);
	g_ptr_array_add(shown.values, NULL);
	answered = TRUE;
}

static void
send_as(const char *account, const char *node, DeskAction action)
{
	g_autofree char *device = g_strconcat(account, "/phone", NULL);
	g_autofree char *session = g_strdup(shown.session);
	DeskInput input = { .node = node,
			    .session = session,
			    .action = action,
			    .names = shown.names ? (char **)shown.names->pdata : NULL,
			    .values = shown.values ? (char **)shown.values->pdata : NULL };

	answered = FALSE;
	desk_command(gateway, &(DeskPerson){ account, device }, &input, on_page, NULL);
	while (!answered)
		g_main_context_iteration(NULL, TRUE);
}

static void
open_as(const char *account, const char *node)
{
	shown_clear();
	shown = (Shown){ 0 };
	send_as(account, node, DESK_EXECUTE);
}

static gboolean
fill_in(const char *name, const char *value)
{
	for (guint i = 0; shown.names->pdata[i]; i++)
		if (strcmp(shown.names->pdata[i], name) == 0) {
			g_free(shown.values->pdata[i]);
			shown.values->pdata[i] = g_strdup(value);
			return TRUE;
		}
	return FALSE;
}

/* --- every setting by chat, by form and by command: one row --- */

static char *
sample(const Word *key)
{
	g_auto(GStrv) values = g_strsplit(key->values, "|", -1);

	switch (key->type) {
	case WORD_CHOICE:
		return g_strdup(values[1]);
	case WORD_YES:
		return g_strdup(g_strcmp0(key->fallback, "yes") == 0 ? "no" : "yes");
	case WORD_WHOLE:
		return g_strdup("42");
	case WORD_DESTINATION:
		return g_strdup("+49301234567");
	case WORD_CALLERS:
		return g_strdup("+49900* anonymous");
	case WORD_LOCATION:
		return g_strdup("geo:52.52,13.40");
	default:
		g_error("%s: no sample of its type", key->name);
	}
}

static void
by_command(const char *name, const char *value)
{
	g_autofree char *pair = g_strdup_printf("%s=%s", name, value);
	char *words[] = { (char *)"user", (char *)"set", (char *)ALICE, pair, NULL };
	Answer *answer =
		answer_new(gateway, store, &(Actor){ .kind = VERB_OPERATOR, .who = "test" }, words);

	g_assert_no_error(answer_error(answer));
	answer_free(answer);
}

static void
by_line(const char *name, const char *value)
{
	g_autofree char *line = g_strdup_printf("user set %s=\"%s\"", name, value);

	say(line);
}

static void
by_questions(const char *name, const char *value)
{
	say("user set");
	say(name);
	say(value);
	say("next");
}

static void
by_form(const char *name, const char *value)
{
	gboolean is_switch = key_find(KEYS_USER, name)->type == WORD_YES;

	open_as(ALICE, "user-set");
	g_assert_cmpint(shown.stage, ==, DESK_ASKS);
	if (!fill_in(name, !is_switch ? value : strcmp(value, "yes") == 0 ? "1" : "0"))
		g_error("%s is not in the form", name);
	send_as(ALICE, "user-set", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_DONE);
	if (shown.is_error)
		g_error("%s: %s", name, shown.note);
}

static void (*const ways[])(const char *name, const char *value) = { by_command, by_line,
								     by_questions, by_form };

static void
test_same_row(void)
{
	guint n = 0;

	set_up();
	for (const Word *key = keys_of(KEYS_USER); key->name; key++) {
		Setting setting;
		g_autofree char *value = NULL, *first = NULL;

		if (!(key->flags & WORD_SELF) || !setting_find(key->name, &setting))
			continue;
		value = sample(key);
		for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
			g_autofree char *row = NULL;

			ways[way](key->name, value);
			row = all_settings(ALICE);
			g_test_message("%s: way %u", key->name, way);
			if (!first)
				first = g_strdup(row);
			g_assert_cmpstr(row, ==, first);
			g_assert_nonnull(strstr(row, value));
			g_assert_true(store_setting_set(store, ALICE, key->name, NULL, NULL));
		}
		n++;
	}
	g_assert_cmpuint(n, >=, 10);
	shown_clear();
	tear_down();
}

/* A number as it is dialled at home is kept with its country, by whatever way it was written. */
static void
test_at_home(void)
{
	static const struct {
		const char *own, *of_all; /* countries of the account, of the gateway */
		const char *typed, *row;
	} rows[] = {
		{ "DE", NULL, "0171 1234567", "+491711234567" },
		{ "DE", NULL, "0049 171 1234567", "+491711234567" },
		{ "DE", NULL, "+49 (0)171/123 45 67", "+491711234567" },
		{ "US", NULL, "(415) 555-0109", "+14155550109" },
		{ "US", NULL, "011 49 171 1234567", "+491711234567" },
		{ "GB", "DE", "020 7946 0018", "+442079460018" },
		{ NULL, "DE", "0171 1234567", "+491711234567" },
		{ NULL, NULL, "+49 171 1234567", "+491711234567" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint way = 0; way < G_N_ELEMENTS(ways); way++) {
			g_autofree char *row = NULL;

			set_up();
			config->country = g_strdup(rows[i].of_all);
			if (rows[i].own)
				store_setting_set(store, ALICE, "country", rows[i].own, NULL);
			ways[way]("forward-busy", rows[i].typed);
			g_test_message("%s in %s, of %s: way %u", rows[i].typed, rows[i].own,
				       rows[i].of_all, way);
			row = store_setting_get(store, ALICE, "forward-busy");
			g_assert_cmpstr(row, ==, rows[i].row);
			tear_down();
		}
	set_up(); /* the country that the same words set */
	by_command("country", "DE");
	{
		char *words[] = { (char *)"user",
				  (char *)"set",
				  (char *)ALICE,
				  (char *)"country=GB",
				  (char *)"forward-busy=020 7946 0018",
				  NULL };
		Answer *answer = answer_new(
			gateway, store, &(Actor){ .kind = VERB_OPERATOR, .who = "test" }, words);
		g_autofree char *row = store_setting_get(store, ALICE, "forward-busy");

		g_assert_no_error(answer_error(answer));
		g_assert_cmpstr(row, ==, "+442079460018");
		answer_free(answer);
	}
	say("forward busy nobody");
	g_assert_nonnull(strstr(heard->str, "not a number in GB"));
	say("forward busy 020 7946 0019");
	{
		g_autofree char *row = store_setting_get(store, ALICE, "forward-busy");

		g_assert_cmpstr(row, ==, "+442079460019");
	}
	shown_clear();
	tear_down();
}

/* The short verbs leave the row of the key that they are short for. */
static void
test_short_verbs(void)
{
	static const struct {
		const char *line, *node, *field, *value, *key, *row;
	} rows[] = {
		{ "ring sip", "ring", "order", "sip", "ring", "sip" },
		{ "dnd y", "dnd", "state", "1", "do-not-disturb", "yes" },
		{ "hide-number yes", "hide-number", "state", "1", "hide-number", "yes" },
		{ "block +49 30 1, anonymous", "block", "caller", "+49301,anonymous", "blocked",
		  "+49301 anonymous" },
		{ "fo no +49 30 1234567", "forward", NULL, NULL, "forward-no-answer",
		  "+49301234567" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *by_chat = NULL, *by_page = NULL;

		set_up();
		say(rows[i].line);
		g_test_message("%s → %s", rows[i].line, heard->str);
		by_chat = store_setting_get(store, ALICE, rows[i].key);
		g_assert_cmpstr(by_chat, ==, rows[i].row);
		tear_down();
		set_up();
		open_as(ALICE, rows[i].node);
		if (rows[i].field)
			g_assert_true(fill_in(rows[i].field, rows[i].value));
		else {
			g_assert_true(fill_in("when", "no-answer"));
			g_assert_true(fill_in("number", "+49301234567"));
		}
		send_as(ALICE, rows[i].node, DESK_COMPLETE);
		by_page = store_setting_get(store, ALICE, rows[i].key);
		g_assert_cmpstr(by_page, ==, rows[i].row);
		tear_down();
	}
	shown_clear();
}

/* --- forms: what else there is --- */

static void
test_forms(void)
{
	set_up();
	open_as(ALICE, "trunk-list");
	g_assert_cmpint(shown.stage, ==, DESK_NO_SUCH);
	open_as(ALICE, "dnd");
	fill_in("state", "perhaps");
	send_as(ALICE, "dnd", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_ASKS);
	g_assert_true(shown.is_error && strstr(shown.note, "write yes or no"));
	send_as(ALICE, "dnd", DESK_CANCEL);
	g_assert_cmpint(shown.stage, ==, DESK_CANCELLED);
	send_as(ALICE, "dnd", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_NO_SESSION);
	open_as(ALICE, "number-list");
	g_assert_cmpint(shown.stage, ==, DESK_DONE);
	g_assert_cmpuint(shown.n_rows, ==, 1);
	/* nothing is begun that it could do at once */
	shown_clear();
	send_as(ALICE, "number-list", DESK_CANCEL);
	g_assert_cmpint(shown.stage, ==, DESK_NO_SESSION);
	/* a form is filled in by the same keyboards */
	open_as(ALICE, "block");
	fill_in("caller", "+1 (415) 555\u20110123");
	send_as(ALICE, "block", DESK_COMPLETE);
	g_assert_false(shown.is_error);
	{
		g_autofree char *blocked = store_setting_get(store, ALICE, "blocked");

		g_assert_cmpstr(blocked, ==, "+14155550123");
	}
	/* an operator: the words, then the keys of what they name, and back */
	open_as(OSCAR, "user-set");
	g_assert_true(shown.may_next && fill_in("jid", ALICE));
	send_as(OSCAR, "user-set", DESK_NEXT);
	g_assert_true(shown.stage == DESK_ASKS && shown.may_prev && fill_in("max-cost", "3"));
	send_as(OSCAR, "user-set", DESK_PREV);
	g_assert_true(shown.may_next);
	send_as(OSCAR, "user-set", DESK_NEXT);
	fill_in("max-cost", "3");
	send_as(OSCAR, "user-set", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_DONE);
	g_assert_false(shown.is_error);
	{
		g_autofree char *cost = store_setting_get(store, ALICE, "max-cost");

		g_assert_cmpstr(cost, ==, "3");
	}
	/* XEP-0133 4.1 and 4.2 */
	open_as(OSCAR, "http://jabber.org/protocol/admin#add-user");
	g_assert_true(fill_in("accountjid", "carol@example.org"));
	send_as(OSCAR, "http://jabber.org/protocol/admin#add-user", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_DONE);
	g_assert_false(shown.is_error);
	open_as(OSCAR, "http://jabber.org/protocol/admin#delete-user");
	g_assert_true(fill_in("accountjids", "carol@example.org"));
	send_as(OSCAR, "http://jabber.org/protocol/admin#delete-user", DESK_COMPLETE);
	g_assert_false(shown.is_error);
	shown_clear();
	tear_down();
}

/* --- who may what --- */

static void
count(gpointer user, const DeskCommand *command)
{
	g_assert_true(*command->node && *command->name);
	++*(guint *)user;
}

static void
test_who(void)
{
	guint alices = 0, oscars = 0, bots = 0;

	set_up();
	g_assert_true(desk_serves(gateway, ALICE));
	g_assert_true(desk_serves(gateway, OSCAR));
	g_assert_false(desk_serves(gateway, "mallory@example.org"));
	desk_commands(gateway, &(DeskPerson){ ALICE, ALICE "/a" }, NULL, count, &alices);
	desk_commands(gateway, &(DeskPerson){ OSCAR, OSCAR "/a" }, NULL, count, &oscars);
	desk_commands(gateway, &(DeskPerson){ "m@example.org", "m@example.org/a" }, "trunk-list",
		      count, &bots);
	g_assert_cmpuint(alices, >=, 12);
	g_assert_cmpuint(oscars, >, alices);
	g_assert_cmpuint(bots, ==, 0);
	say_as(OSCAR, "trunk add carrier sip.example.net");
	say_as(OSCAR, "trunk show carrier");
	g_assert_nonnull(strstr(heard->str, "host: sip.example.net"));
	say_as(OSCAR, "softphone password bob");
	g_assert_nonnull(strstr(heard->str, "password: "));
	g_assert_true(was_secret);
	tear_down();
}

/* Who is no operator any more does not go on as one. */
static void
test_no_operator_now(void)
{
	g_autofree char *cost = NULL;

	set_up();
	g_assert_true(store_user_add(store, OSCAR, NULL));
	say_as(OSCAR, "trunk del");
	g_assert_nonnull(strstr(heard->str, "name:"));
	open_as(OSCAR, "user-set");
	fill_in("jid", ALICE);
	send_as(OSCAR, "user-set", DESK_NEXT);
	g_assert_true(shown.stage == DESK_ASKS && fill_in("max-cost", "3"));
	g_clear_pointer(&config->xmpp_operators, g_strfreev); /* as reload does */
	say_as(OSCAR, "carrier");
	g_assert_nonnull(strstr(heard->str, "no command"));
	send_as(OSCAR, "user-set", DESK_COMPLETE);
	g_assert_cmpint(shown.stage, ==, DESK_NO_SESSION);
	cost = store_setting_get(store, ALICE, "max-cost");
	g_assert_null(cost);
	/* and as a user with sessions of his own */
	say_as(OSCAR, "dnd");
	say_as(OSCAR, "yes");
	g_assert_null(strstr(heard->str, "no command"));
	shown_clear();
	tear_down();
}

/* --- a test call --- */

static GString *noticed, *commands;

static void
on_notice(const char *account, const Address *number, const char *text)
{
	g_assert_cmpstr(account, ==, ALICE);
	g_assert_null(number->user);
	g_string_append_printf(noticed, "%s\n", text);
}

static void
on_command(FakeLeg *leg, const char *command, const char *what)
{
	g_string_append_printf(commands, "%s %s\n", command, what ? what : "");
}

static FakeLeg *
called_back(void)
{
	FakeLeg *leg;

	g_string_truncate(noticed, 0);
	assert_says("test", "You are called now");
	assert_says("test", "a test call goes on already");
	fake_media_deliver();
	leg = fake_leg_find("callee");
	g_assert_nonnull(leg);
	return leg;
}

/* A device is called and answers; how it was is said once, by nobody but the gateway itself. */
static void
test_test_call(void)
{
	g_autoptr(Desc) answer = fake_desc(TRANSPORT_WEBRTC, "opus", DIRECTION_SENDRECV, 9);
	FakeLeg *leg;

	set_up();
	assert_says("test", "no XMPP client can be called");
	fake_legs_reset();
	fake_media_reset();
	noticed = g_string_new(NULL);
	commands = g_string_new(NULL);
	fake_legs.in_notice = on_notice;
	fake_legs.in_command = on_command;
	g_assert_true(gateway_add_plugin(gateway, &fake_xmpp, NULL));

	leg = called_back();
	g_assert_true(g_str_has_prefix(commands->str, "dial opus/48000 PCMU/8000"));
	leg_ringing(&leg->leg, NULL);
	leg_answered(&leg->leg, answer);
	fake_media_deliver();
	fake_leg_end(leg, REASON_HANGUP, NULL);
	fake_media_deliver();
	g_test_message("%s", noticed->str);
	g_assert_cmpstr(noticed->str, ==,
			"The test call lasted 0 s: codec opus, lost 0 of 100 packets from you and "
			"of those to you your client says nothing, ICE path srflx (yours) to host "
			"(ours)\n");

	leg = called_back();
	leg_ringing(&leg->leg, NULL);
	fake_leg_end(leg, REASON_DECLINED, NULL);
	fake_media_deliver();
	g_assert_cmpstr(noticed->str, ==, "The test call was not taken: The call was declined\n");
	for (guint i = 0; i < 10 && !strstr(heard->str, "in this minute"); i++) {
		say("test");
		fake_media_deliver();
		if ((leg = fake_leg_find("callee")))
			fake_leg_end(leg, REASON_DECLINED, NULL);
		fake_media_deliver();
	}
	g_assert_nonnull(strstr(heard->str, "many test calls in this minute"));
	fake_legs.in_notice = NULL;
	fake_legs.in_command = NULL;
	g_string_free(noticed, TRUE);
	g_string_free(commands, TRUE);
	tear_down();
}

/* --- bounds of the sessions --- */

static void
test_sessions(void)
{
	const gint64 hour = (gint64)CHAT_SESSION_S * G_USEC_PER_SEC;
	Chat *chat;
	ChatReply reply;

	set_up();
	chat = chat_new(NULL, store);
	for (guint i = 0; i < CHAT_ACCOUNT_MAX + 5; i++) {
		g_autofree char *device = g_strdup_printf(ALICE "/%u", i);

		chat_says(chat, &(ChatPerson){ ALICE, device, TRUE, FALSE }, "forward", i, &reply);
		g_assert_nonnull(reply.text);
		chat_reply_clear(&reply);
	}
	g_assert_cmpuint(chat_n_sessions(chat), ==, CHAT_ACCOUNT_MAX);
	for (guint i = 0; i < CHAT_MAX + 5; i++) {
		g_autofree char *account = g_strdup_printf("u%u@example.org", i);

		chat_says(chat, &(ChatPerson){ account, account, TRUE, FALSE }, "forward", 100,
			  &reply);
		chat_reply_clear(&reply);
	}
	g_assert_cmpuint(chat_n_sessions(chat), ==, CHAT_MAX);
	/* an hour later a value is a command again, and is none */
	chat_says(chat, &(ChatPerson){ "u1004@example.org", "u1004@example.org", TRUE, FALSE }, "1",
		  101 + hour, &reply);
	g_assert_nonnull(strstr(reply.text, "no command"));
	chat_reply_clear(&reply);
	g_assert_cmpuint(chat_n_sessions(chat), ==, 0);
	chat_free(chat);
	tear_down();
}

static void
assert_chat(Chat *chat, const char *device, const char *text, gint64 s, const char *part)
{
	const ChatPerson person = { ALICE, device, TRUE, FALSE };
	ChatReply reply;

	chat_says(chat, &person, text, s * G_USEC_PER_SEC, &reply);
	if (part)
		g_assert_nonnull(strstr(reply.text, part));
	else
		g_assert_nonnull(reply.words);
	chat_reply_clear(&reply);
}

/* Both devices of a person show the question. */
static void
test_elsewhere(void)
{
	static const char one[] = ALICE "/one", two[] = ALICE "/two";
	Chat *chat;

	set_up();
	chat = chat_new(NULL, store);
	assert_chat(chat, one, "forward", 1, "1 always");
	/* a command is one, and what is no answer is none */
	assert_chat(chat, two, "number list", 2, NULL);
	assert_chat(chat, two, "rubbish", 3, "no command");
	assert_chat(chat, one, "rubbish", 3, "write always");
	assert_chat(chat, two, "2", 4, "number: ");
	assert_chat(chat, one, "back", 5, "1 always");
	assert_chat(chat, two, "busy", 6, "number: ");
	assert_chat(chat, one, "+49301234567", 7, NULL);
	g_assert_cmpuint(chat_n_sessions(chat), ==, 0);
	/* and not for long */
	assert_chat(chat, one, "dnd", 10, "Yes or no");
	assert_chat(chat, two, "yes", 11 + CHAT_ELSEWHERE_S, "no command");
	assert_chat(chat, one, "yes", 12 + CHAT_ELSEWHERE_S, NULL);
	chat_free(chat);
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desk/conversations", test_conversations);
	g_test_add_func("/desk/mistakes", test_mistakes);
	g_test_add_func("/desk/typed", test_typed);
	g_test_add_func("/desk/asked", test_asked);
	g_test_add_func("/desk/same-row", test_same_row);
	g_test_add_func("/desk/at-home", test_at_home);
	g_test_add_func("/desk/short-verbs", test_short_verbs);
	g_test_add_func("/desk/forms", test_forms);
	g_test_add_func("/desk/who", test_who);
	g_test_add_func("/desk/no-operator-now", test_no_operator_now);
	g_test_add_func("/desk/test-call", test_test_call);
	g_test_add_func("/desk/sessions", test_sessions);
	g_test_add_func("/desk/elsewhere", test_elsewhere);
	return g_test_run();
}
