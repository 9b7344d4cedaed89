/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control.c - finds the command, runs it, and makes the reply in portions.
 *
 * The tables of commands are in the other control_*.c; control_socket.c has the clients.
 * A list of any length is made of portions, each read from the store when the one before
 * has been taken, so that no list stops the signalling thread.
 */
#include <string.h>
#include <unistd.h>
#include "b2bua/admin/control_private.h"

const Config *control_config;
char *(*control_reload)(GError **error);

/* --- replies --- */

void
reply_table(Request *request, const char *column, ...)
{
	JsonArray *columns = json_array_new();
	va_list more;

	va_start(more, column);
	for (; column; column = va_arg(more, const char *))
		json_array_add_string_element(columns, column);
	va_end(more);
	request->rows = json_array_new();
	json_object_set_array_member(request->reply, "columns", columns);
	json_object_set_array_member(request->reply, "rows", request->rows);
}

JsonArray *
reply_row(Request *request)
{
	JsonArray *row = json_array_new();

	json_array_add_array_element(request->rows, row);
	return row;
}

/* What strangers sent may be in a record: JSON wants UTF-8. */
void
row_add(JsonArray *row, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	json_array_add_string_element(row, valid);
}

void
row_add_int(JsonArray *row, gint64 number)
{
	json_array_add_int_element(row, number);
}

void
row_add_time(JsonArray *row, gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds ? g_date_time_new_from_unix_local(seconds) : NULL;
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : NULL;

	row_add(row, text);
}

void
reply_pair(Request *request, const char *key, const char *value)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add(row, value);
}

void
reply_pair_int(Request *request, const char *key, gint64 value)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add_int(row, value);
}

void
reply_key(Request *request, const char *name, const char *values, const char *fallback,
	  const char *help)
{
	JsonArray *row = reply_row(request);

	row_add(row, name);
	row_add(row, values);
	row_add(row, fallback);
	row_add(row, help);
}

void
reply_text(Request *request, const char *text)
{
	const char *before =
		json_object_get_string_member_with_default(request->reply, "text", NULL);
	g_autofree char *all = before ? g_strconcat(before, "\n", text, NULL) : g_strdup(text);
	g_autofree char *valid = g_utf8_make_valid(all, -1);

	json_object_set_string_member(request->reply, "text", valid);
}

void
reply_ended(Request *request, guint n_calls)
{
	g_autofree char *text = NULL;

	if (n_calls == 0)
		return;
	text = g_strdup_printf("%u live call%s ended", n_calls, n_calls == 1 ? " was" : "s were");
	reply_text(request, text);
}

void
reply_live_calls(Request *request, CallsBy by, const char *key, gboolean hangup)
{
	g_autofree char *text = NULL;
	guint n;

	if (!request->gateway)
		return;
	if (hangup) {
		reply_ended(request, calls_end(request->gateway, by, key, "ended by the operator"));
		return;
	}
	n = calls_count(request->gateway, by, key);
	text = g_strdup_printf("%u live call%s %s go%s on; --hangup ends them too", n,
			       n == 1 ? "" : "s", by == CALLS_BY_TRUNK ? "by it" : "with it",
			       n == 1 ? "es" : "");
	if (n > 0)
		reply_text(request, text);
}

gboolean
wrong(GError **error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_propagate_error(
		error, g_error_new_valist(CONTROL_ERROR, CONTROL_ERROR_WRONG, format, arguments));
	va_end(arguments);
	return FALSE;
}

typedef struct {
	Change what;
	char *key;
} Changed;

static void
changed_clear(gpointer data)
{
	g_free(((Changed *)data)->key);
}

gboolean
request_changed(Request *request, Change what, const char *key)
{
	Changed changed = { what, g_strdup(key) };

	g_array_append_val(request->changed, changed);
	return TRUE;
}

guint
request_mark(const Request *request)
{
	return request->changed->len;
}

void
request_forget(Request *request, guint mark)
{
	g_array_set_size(request->changed, mark);
}

char *
request_changes(const Request *request, guint mark)
{
	static const char *const names[] = {
		[CHANGE_USER] = "user",
		[CHANGE_NUMBER] = "number",
		[CHANGE_TRUNK] = "trunk",
		[CHANGE_SOFTPHONE] = "softphone",
		[CHANGE_ROUTES] = "routes",
		[CHANGE_SETTINGS] = "settings of",
		[CHANGE_CONFIG] = "configuration",
	};
	GString *text = g_string_new(NULL);

	for (guint i = mark; i < request->changed->len; i++) {
		const Changed *changed = &g_array_index(request->changed, Changed, i);

		g_string_append_printf(text, "%s%s%s%s", text->len ? ", " : "",
				       names[changed->what], changed->key ? " " : "",
				       changed->key ?: "");
	}
	return g_string_free(text, FALSE);
}

gboolean
request_page(Request *request, guint n, const char *last)
{
	if (n < CONTROL_PORTION)
		return FALSE;
	g_free(request->after);
	request->after = g_strdup(last);
	return TRUE;
}

static void
tell_changed(const Request *request)
{
	for (guint i = 0; request->gateway && i < request->changed->len; i++) {
		const Changed *changed = &g_array_index(request->changed, Changed, i);

		gateway_changed(request->gateway, changed->what, changed->key);
	}
}

/* --- commands --- */

static const struct {
	const Command *commands;
	const guint *n;
} TABLES[] = {
	{ control_user_commands, &control_n_user_commands },
	{ control_phone_commands, &control_n_phone_commands },
	{ control_store_commands, &control_n_store_commands },
	{ control_trunk_commands, &control_n_trunk_commands },
	{ control_route_commands, &control_n_route_commands },
	{ control_live_commands, &control_n_live_commands },
	{ control_import_commands, &control_n_import_commands },
};

static const Command *
command_at(guint i)
{
	for (guint table = 0; table < G_N_ELEMENTS(TABLES); table++) {
		if (i < *TABLES[table].n)
			return &TABLES[table].commands[i];
		i -= *TABLES[table].n;
	}
	return NULL;
}

static char *
usage(const Command *command)
{
	g_autofree char *line = g_strdup_printf(
		"%s %s %s", command->noun, command->verb ? command->verb : "", command->arguments);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	GString *text = g_string_new(NULL);

	for (char **word = words; *word; word++)
		if (**word)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", *word);
	return g_string_free(text, FALSE);
}

/* All commands, or those of a noun. */
static void
help_commands(Request *request, const char *noun)
{
	const Command *command;

	reply_table(request, "command", "does", NULL);
	for (guint i = 0; (command = command_at(i)); i++) {
		g_autofree char *line = usage(command);

		if (!noun || g_str_equal(noun, command->noun))
			reply_pair(request, line, command->help);
	}
}

/* The verbs of a noun, or all nouns, for the one who mistyped. */
static gboolean
unknown_command(Request *request, GError **error)
{
	g_autoptr(GString) verbs = g_string_new(NULL), nouns = g_string_new(NULL);
	const char *noun = request->words[0], *last = "";
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++) {
		if (!g_str_equal(last, command->noun))
			g_string_append_printf(nouns, " %s", command->noun);
		if (g_str_equal(noun, command->noun) && command->verb)
			g_string_append_printf(verbs, " %s", command->verb);
		last = command->noun;
	}
	if (verbs->len == 0)
		return wrong(error, "%s: unknown command; there are:%s help", noun, nouns->str);
	if (request->n_words == 1)
		return wrong(error, "%s: a word is missing; write %s and one of:%s", noun, noun,
			     verbs->str);
	return wrong(error, "%s %s: unknown command; write %s and one of:%s", noun,
		     request->words[1], noun, verbs->str);
}

static gboolean
is_noun(const char *word)
{
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++)
		if (g_str_equal(command->noun, word))
			return TRUE;
	return FALSE;
}

static const Command *
find_command(Request *request)
{
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++) {
		if (!g_str_equal(command->noun, request->words[0]))
			continue;
		if (!command->verb ||
		    (request->n_words > 1 && g_str_equal(command->verb, request->words[1])))
			return command;
	}
	return NULL;
}

/* "help", "help trunk", "help trunk set" with a row for each key it takes. */
static gboolean
help(Request *request, GError **error)
{
	const Command *command = request->n_words ? find_command(request) : NULL;

	if (request->n_words == 0) {
		help_commands(request, NULL);
		return TRUE;
	}
	if (!command && (request->n_words > 1 || !is_noun(request->words[0])))
		return unknown_command(request, error);
	if (!command || !command->keys) {
		help_commands(request, request->words[0]);
		return TRUE;
	}
	reply_table(request, "key", "values", "default", "does", NULL);
	command->keys(request);
	return TRUE;
}

/* --- running one --- */

/* What a provisioning command is about, as the store has it. */
static char *
subject_of(const Command *command, const Request *request)
{
	const char *word = request->words[0];

	if (g_str_equal(command->noun, "user"))
		return parse_user(word, NULL);
	if (g_str_equal(command->noun, "number"))
		return parse_number(word, NULL);
	if (g_str_equal(command->noun, "softphone") && g_str_equal(command->verb, "add"))
		return request->n_words > 1 ? g_strdup(request->words[1]) : default_username(word);
	return g_strdup(word);
}

static gboolean
run_audited(const Command *command, Request *request, GError **error)
{
	g_autofree char *subject = subject_of(command, request), *difference = NULL, *text = NULL;
	g_autoptr(GArray) before = audit_view(request->store, command->noun, subject);
	g_autoptr(GArray) after = NULL;

	if (!command->handler(request, error))
		return FALSE;
	after = audit_view(request->store, command->noun, subject);
	difference = audit_difference(before, after);
	text = g_strdup_printf("%s %s %s:%s", command->noun, command->verb, subject ?: "",
			       difference);
	audit_say(request, text);
	return TRUE;
}

static gboolean
check_number_of_words(const Command *command, const Request *request, GError **error)
{
	g_autofree char *line = NULL;

	if (request->n_words >= command->n_min && request->n_words <= command->n_max)
		return TRUE;
	line = usage(command);
	if (request->n_words < command->n_min)
		return wrong(error, "a word is missing; write: %s", line);
	return wrong(error, "%s: one word too many; write: %s", request->words[command->n_max],
		     line);
}

static gboolean
run_command(const Command *command, Request *request, GError **error)
{
	request->words += command->verb ? 2 : 1;
	request->n_words -= command->verb ? 2 : 1;
	if (!check_number_of_words(command, request, error))
		return FALSE;
	if (command->live && !request->gateway) {
		g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_FAILED,
			    "tandemd is not running: %s needs it; start it first", command->noun);
		return FALSE;
	}
	return command->changes && !request->importing ? run_audited(command, request, error)
						       : command->handler(request, error);
}

static gboolean
run(Request *request, GError **error)
{
	const Command *command;

	if (request->n_words == 0 || g_str_equal(request->words[0], "help")) {
		guint skip = MIN(request->n_words, 1);

		request->words += skip;
		request->n_words -= skip;
		return help(request, error);
	}
	command = find_command(request);
	return command ? run_command(command, request, error) : unknown_command(request, error);
}

gboolean
request_run(Request *parent, char **words, GError **error)
{
	g_autoptr(JsonObject) reply = json_object_new();
	Request request = *parent;

	request.words = words;
	request.n_words = g_strv_length(words);
	request.reply = reply; /* nobody reads it */
	request.rows = NULL;
	request.importing = TRUE;
	return run(&request, error);
}

/* --- requests --- */

gboolean
json_is_one(const char *text, guint depth)
{
	guint open = 0, n = 0;
	gboolean quoted = FALSE;

	for (; *text; text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"' && open > 0)
			quoted = !quoted;
		else if (!quoted && (*text == '[' || *text == '{')) {
			if (open == 0 && n++ > 0)
				return FALSE;
			if (++open > depth)
				return FALSE;
		} else if (!quoted && (*text == ']' || *text == '}') && open > 0)
			open--;
		else if (!quoted && open == 0 && !g_ascii_isspace(*text))
			return FALSE;
	}
	return n == 1;
}

static char **
parse_words(const char *line, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	JsonNode *root;
	JsonArray *array;

	if (!g_utf8_validate(line, -1, NULL) || !json_is_one(line, 1) ||
	    !json_parser_load_from_data(parser, line, -1, NULL) ||
	    !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_ARRAY(root)) {
		wrong(error, "request: not a JSON array; write one such as [\"status\"]");
		return NULL;
	}
	array = json_node_get_array(root);
	if (json_array_get_length(array) > CONTROL_MAX_WORDS) {
		wrong(error, "request: more than %d words", CONTROL_MAX_WORDS);
		return NULL;
	}
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(node) ||
		    json_node_get_value_type(node) != G_TYPE_STRING) {
			wrong(error, "request: word %u is not a string; quote it", i + 1);
			return NULL;
		}
		g_strv_builder_add(builder, json_node_get_string(node));
	}
	return g_strv_builder_end(builder);
}

gboolean
is_wrong_input(const GError *error)
{
	return g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_WRONG) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_EXISTS) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_IN_USE);
}

/* --- replies, in portions --- */

struct Answer {
	Request request;
	char **words;
	gboolean begun, busy;
	gboolean comma; /* a row has been written */
};

static void
append_node(GString *out, JsonNode *node)
{
	g_autofree char *text = json_to_string(node, FALSE);

	g_string_append(out, text);
}

static void
append_object(GString *out, JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(root, object);
	append_node(out, root);
}

static void
append_error(GString *out, const GError *error)
{
	g_autoptr(JsonObject) reply = json_object_new();
	g_autofree char *message = g_utf8_make_valid(error->message, -1);

	json_object_set_boolean_member(reply, "ok", FALSE);
	json_object_set_int_member(reply, "status", is_wrong_input(error) ? 2 : 1);
	json_object_set_string_member(reply, "error", message);
	append_object(out, reply);
}

char *
control_refusal(const char *why)
{
	g_autoptr(GError) error = NULL;
	GString *out = g_string_new(NULL);

	g_set_error_literal(&error, CONTROL_ERROR, CONTROL_ERROR_FAILED, why);
	append_error(out, error);
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

Answer *
answer_new(Gateway *gateway, Store *store, const char *who, const char *line)
{
	Answer *answer = g_new0(Answer, 1);

	answer->request = (Request){ .gateway = gateway,
				     .store = store,
				     .reply = json_object_new(),
				     .who = g_strdup(who),
				     .line = g_strdup(line),
				     .changed = g_array_new(FALSE, FALSE, sizeof(Changed)) };
	g_array_set_clear_func(answer->request.changed, changed_clear);
	return answer;
}

void
answer_free(Answer *answer)
{
	if (!answer)
		return;
	json_object_unref(answer->request.reply);
	g_array_unref(answer->request.changed);
	g_strfreev(answer->words);
	g_free(answer->request.after);
	g_free(answer->request.who);
	g_free(answer->request.line);
	g_free(answer);
}

static gboolean
begin(Answer *answer, GString *out)
{
	Request *request = &answer->request;
	g_autoptr(GError) error = NULL;

	answer->begun = TRUE;
	answer->words = parse_words(request->line, &error);
	if (answer->words) {
		json_object_set_boolean_member(request->reply, "ok", TRUE);
		request->words = answer->words;
		request->n_words = g_strv_length(answer->words);
	}
	if (!answer->words || !run(request, &error)) {
		answer->busy = g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY);
		append_error(out, error);
		return FALSE;
	}
	tell_changed(request);
	if (!request->more) {
		append_object(out, request->reply);
		return FALSE;
	}
	g_string_append(out, "{\"ok\":true,\"columns\":");
	append_node(out, json_object_get_member(request->reply, "columns"));
	g_string_append(out, ",\"rows\":[");
	return TRUE;
}

/* The rows that are there by now; those that were written are forgotten. */
static void
append_rows(Answer *answer, GString *out)
{
	JsonArray *rows = answer->request.rows;
	guint n = json_array_get_length(rows);

	for (guint i = 0; i < n; i++) {
		g_string_append(out, answer->comma ? "," : "");
		append_node(out, json_array_get_element(rows, i));
		answer->comma = TRUE;
	}
	for (guint i = n; i-- > 0;)
		json_array_remove_element(rows, i);
}

gboolean
answer_next(Answer *answer, GString *out)
{
	g_autoptr(GError) error = NULL;
	gboolean more;

	if (!answer->begun)
		return begin(answer, out);
	more = answer->request.more(&answer->request, &error);
	append_rows(answer, out);
	if (more)
		return TRUE;
	g_string_append_c(out, ']');
	if (error) { /* the list is cut short, and says so */
		g_autoptr(JsonNode) text = json_node_alloc();
		g_autofree char *valid = g_utf8_make_valid(error->message, -1);

		json_node_init_string(text, valid);
		g_string_append(out, ",\"error\":");
		append_node(out, text);
	}
	g_string_append_c(out, '}');
	return FALSE;
}

gboolean
answer_is_busy(const Answer *answer)
{
	return answer->busy;
}

char *
control_execute(Gateway *gateway, Store *store, const char *request_line)
{
	g_autofree char *who = g_strdup_printf("uid %u", (guint)getuid());
	Answer *answer = answer_new(gateway, store, who, request_line);
	GString *out = g_string_new(NULL);

	while (answer_next(answer, out))
		;
	answer_free(answer);
	return g_string_free(out, FALSE);
}

char *
control_failed(const GError *error)
{
	GString *out = g_string_new(NULL);

	append_error(out, error);
	return g_string_free(out, FALSE);
}

char *
control_backup(const char *path, const char *request_line)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = parse_words(request_line, &error);
	g_autofree char *text = NULL;
	Request request = { 0 };
	GString *out;

	if (words && g_strv_length(words) != 2)
		wrong(&error, "write: backup FILE");
	if (error || !store_backup(path, words[1], &error))
		return control_failed(error);
	out = g_string_new(NULL);
	request.reply = json_object_new();
	json_object_set_boolean_member(request.reply, "ok", TRUE);
	text = g_strdup_printf("%s is copied to %s, with the passwords of trunks in it", path,
			       words[1]);
	reply_text(&request, text);
	append_object(out, request.reply);
	json_object_unref(request.reply);
	return g_string_free(out, FALSE);
}
