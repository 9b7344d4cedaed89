/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control.c - lines of JSON: the words of a request, and what its Answer holds, in portions.
 *
 * control_socket.c has the clients, answer.c runs the request.
 */
#include <string.h>
#include <unistd.h>
#include "b2bua/admin/control_private.h"
#include "b2bua/admin/json_line.h"

static void refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
refuse(GError **error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_propagate_error(error, g_error_new_valist(VERB_ERROR, 0, format, arguments));
	va_end(arguments);
}

/* --- requests --- */

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
		refuse(error, "request: not a JSON array; write one such as [\"status\"]");
		return NULL;
	}
	array = json_node_get_array(root);
	if (json_array_get_length(array) > CONTROL_MAX_WORDS) {
		refuse(error, "request: more than %d words", CONTROL_MAX_WORDS);
		return NULL;
	}
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(node) ||
		    json_node_get_value_type(node) != G_TYPE_STRING) {
			refuse(error, "request: word %u is not a string; quote it", i + 1);
			return NULL;
		}
		g_strv_builder_add(builder, json_node_get_string(node));
	}
	return g_strv_builder_end(builder);
}

/* --- replies, in portions --- */

struct Reply {
	Gateway *gateway;
	Store *store;
	char *who, *line;
	Answer *answer; /* once it has been asked for */
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
append_error(GString *out, const GError *error, AnswerStatus status)
{
	g_autoptr(JsonObject) reply = json_object_new();
	g_autofree char *message = g_utf8_make_valid(error->message, -1);

	json_object_set_boolean_member(reply, "ok", FALSE);
	json_object_set_int_member(reply, "status", status);
	json_object_set_string_member(reply, "error", message);
	append_object(out, reply);
}

char *
control_refusal(const char *why)
{
	g_autoptr(GError) error = NULL;
	GString *out = g_string_new(NULL);

	g_set_error_literal(&error, CONTROL_ERROR, 0, why);
	append_error(out, error, ANSWER_FAILED);
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

Reply *
reply_new(Gateway *gateway, Store *store, const char *who, const char *line)
{
	Reply *reply = g_new0(Reply, 1);

	reply->gateway = gateway;
	reply->store = store;
	reply->who = g_strdup(who);
	reply->line = g_strdup(line);
	return reply;
}

void
reply_free(Reply *reply)
{
	if (!reply)
		return;
	answer_free(reply->answer);
	g_free(reply->who);
	g_free(reply->line);
	g_free(reply);
}

/* Of those that it has. */
static void G_GNUC_NULL_TERMINATED
append_members(GString *out, JsonObject *object, const char *name, ...)
{
	va_list names;

	va_start(names, name);
	for (; name; name = va_arg(names, const char *)) {
		if (!json_object_has_member(object, name))
			continue;
		g_string_append_printf(out, "\"%s\":", name);
		append_node(out, json_object_get_member(object, name));
		g_string_append_c(out, ',');
	}
	va_end(names);
}

/* What it is, as one object; of a list only its beginning, and then TRUE. */
static gboolean
append_answer(Answer *answer, GString *out)
{
	JsonObject *whole = answer_reply(answer);

	if (answer_error(answer)) {
		append_error(out, answer_error(answer), answer_status(answer));
		return FALSE;
	}
	if (!answer_is_list(answer)) {
		append_object(out, whole);
		return FALSE;
	}
	g_string_append(out, "{\"ok\":true,");
	append_members(out, whole, "mark", "missed", NULL);
	g_string_append(out, "\"columns\":");
	append_node(out, json_object_get_member(whole, "columns"));
	g_string_append(out, ",\"rows\":[");
	return TRUE;
}

static gboolean
begin(Reply *reply, GString *out)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = parse_words(reply->line, &error);

	if (!words) {
		append_error(out, error, ANSWER_WRONG);
		return FALSE;
	}
	reply->answer = answer_new(reply->gateway, reply->store,
				   &(Actor){ .kind = VERB_OPERATOR, .who = reply->who }, words);
	return append_answer(reply->answer, out);
}

static void
append_rows(Reply *reply, GString *out)
{
	JsonArray *rows = json_object_get_array_member(answer_reply(reply->answer), "rows");

	for (guint i = 0; i < json_array_get_length(rows); i++) {
		g_string_append(out, reply->comma ? "," : "");
		append_node(out, json_array_get_element(rows, i));
		reply->comma = TRUE;
	}
}

gboolean
reply_next(Reply *reply, GString *out)
{
	gboolean more;

	if (!reply->answer)
		return begin(reply, out);
	more = answer_more(reply->answer);
	append_rows(reply, out);
	if (more)
		return TRUE;
	g_string_append_c(out, ']');
	if (json_object_has_member(answer_reply(reply->answer), "more"))
		g_string_append(out, ",\"more\":true");
	if (answer_error(reply->answer)) { /* the list is cut short, and says so */
		g_autoptr(JsonNode) text = json_node_new(JSON_NODE_VALUE);
		g_autofree char *valid =
			g_utf8_make_valid(answer_error(reply->answer)->message, -1);

		json_node_set_string(text, valid);
		g_string_append(out, ",\"error\":");
		append_node(out, text);
	}
	g_string_append_c(out, '}');
	return FALSE;
}

guint
reply_pause_ms(const Reply *reply)
{
	return reply->answer ? answer_pause_ms(reply->answer) : 0;
}

gboolean
reply_is_busy(const Reply *reply)
{
	return reply->answer && answer_is_busy(reply->answer);
}

char *
control_execute(Gateway *gateway, Store *store, const char *request_line)
{
	g_autofree char *who = g_strdup_printf("uid %u", (guint)getuid());
	Reply *reply = reply_new(gateway, store, who, request_line);
	GString *out = g_string_new(NULL);

	while (reply_next(reply, out))
		g_usleep(reply_pause_ms(reply) * 1000); /* nobody else is kept waiting */
	reply_free(reply);
	return g_string_free(out, FALSE);
}

char *
control_failed(const GError *error)
{
	GString *out = g_string_new(NULL);

	append_error(out, error, ANSWER_FAILED);
	return g_string_free(out, FALSE);
}

char *
control_backup(const char *path, const char *request_line)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = parse_words(request_line, &error);
	g_autofree char *text = NULL;
	g_autoptr(JsonObject) reply = NULL;
	GString *out;

	if (words && g_strv_length(words) != 2)
		refuse(&error, "write: backup FILE");
	if (error || !store_backup(path, words[1], &error))
		return control_failed(error);
	out = g_string_new(NULL);
	reply = json_object_new();
	json_object_set_boolean_member(reply, "ok", TRUE);
	text = g_strdup_printf("%s is copied to %s, with the passwords of trunks in it", path,
			       words[1]);
	json_object_set_string_member(reply, "text", text);
	append_object(out, reply);
	return g_string_free(out, FALSE);
}
