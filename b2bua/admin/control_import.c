/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_import.c - many at once: JSON lines, each of them all or nothing.
 *
 * A request has a portion of the lines: ["import", NUMBER-OF-THE-FIRST, LINE, LINE…].  It is
 * one transaction, a line in it a savepoint, so that the signalling thread stops for no
 * longer than a portion takes.  A request without a line is the end: all is on the disk
 * when it is answered.  What a line says becomes the commands an operator would have typed;
 * what is there already is changed, so that the same file may be read again.
 */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/json_line.h"
#include "b2bua/admin/word_type.h"

typedef struct {
	Request *request;
	JsonObject *object;
	GPtrArray *words; /* char *, of the command that is being put together */
	guint taken;	  /* members of the object that it has used */
} Line;

/* --- members --- */

static char *
value_text(JsonNode *node)
{
	JsonArray *array;
	GString *text;

	switch (json_node_get_node_type(node)) {
	case JSON_NODE_NULL:
		return g_strdup("");
	case JSON_NODE_VALUE:
		if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
			return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
		if (json_node_get_value_type(node) == G_TYPE_INT64)
			return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
		return g_strdup(json_node_get_string(node)); /* NULL: a fraction */
	case JSON_NODE_ARRAY:
		break;
	default:
		return NULL;
	}
	array = json_node_get_array(node);
	text = g_string_new(NULL);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		g_autofree char *item = value_text(json_array_get_element(array, i));

		g_string_append_printf(text, "%s%s", i ? "," : "", item ? item : "");
	}
	return g_string_free(text, FALSE);
}

/* The value of the first of these names that the line has; it is not used again. */
static char *
take(Line *line, const char *const *names)
{
	for (; *names; names++) {
		g_autofree char *value = NULL;
		JsonNode *node = json_object_get_member(line->object, *names);

		if (!node)
			continue;
		value = value_text(node);
		json_object_remove_member(line->object, *names);
		return g_steal_pointer(&value);
	}
	return NULL;
}

static char *
take_one(Line *line, const char *name)
{
	return take(line, (const char *const[]){ name, NULL });
}

static gboolean
need(const char *value, const char *kind, const char *name, GError **error)
{
	return (value && *value) || wrong(error, "%s: \"%s\" is missing", kind, name);
}

/* As a command would have it; NULL: not there, or wrong. */
static char *
need_word(const char *value, WordType type, const char *kind, const char *name, GError **error)
{
	const Word word = { "WORD", type, 0, NULL, NULL, NULL, KEYS_NONE };

	return need(value, kind, name, error) ? word_check(&word, value, NULL, error) : NULL;
}

/* --- commands --- */

static void
begin(Line *line, const char *noun, const char *verb, const char *id)
{
	g_ptr_array_set_size(line->words, 0);
	g_ptr_array_add(line->words, g_strdup(noun));
	g_ptr_array_add(line->words, g_strdup(verb));
	g_ptr_array_add(line->words, g_strdup(id));
}

static gboolean
run(Line *line, GError **error)
{
	gboolean good;

	g_ptr_array_add(line->words, NULL);
	good = line->request->run(line->request, (char **)line->words->pdata, error);
	g_ptr_array_set_size(line->words, 0);
	return good;
}

/* Whatever the line still has becomes KEY=VALUE; FALSE: a value is no text. */
static gboolean
add_rest(Line *line, guint *n, GError **error)
{
	g_autoptr(GList) names = json_object_get_members(line->object);

	*n = 0;
	for (GList *name = names; name; name = name->next, ++*n) {
		g_autofree char *value =
			value_text(json_object_get_member(line->object, name->data));

		if (!value)
			return wrong(error, "%s: write a text, a whole number, true or false",
				     (const char *)name->data);
		g_ptr_array_add(line->words,
				g_strdup_printf("%s=%s", (const char *)name->data, value));
	}
	return TRUE;
}

/* "NOUN set ID KEY=VALUE…" with the rest, where there is any. */
static gboolean
set_rest(Line *line, const char *noun, const char *id, GError **error)
{
	guint n;

	begin(line, noun, "set", id);
	return add_rest(line, &n, error) && (n == 0 || run(line, error));
}

static gboolean
import_user(Line *line, GError **error)
{
	g_autofree char *id = take(line, (const char *const[]){ "user", "jid", NULL });
	g_autofree char *jid = need_word(id, WORD_USER, "user", "user", error);
	g_autoptr(User) there = jid ? store_user_get(line->request->store, jid, NULL) : NULL;

	if (!jid)
		return FALSE;
	if (!there) {
		begin(line, "user", "add", jid);
		if (!run(line, error))
			return FALSE;
	}
	return set_rest(line, "user", jid, error);
}

static gboolean
import_number(Line *line, GError **error)
{
	g_autofree char *text = take_one(line, "number");
	g_autofree char *owner = take(line, (const char *const[]){ "user", "jid", NULL });
	g_autofree char *number = need_word(text, WORD_NUMBER, "number", "number", error);
	g_autofree char *jid = number ? need_word(owner, WORD_USER, "number", "user", error) : NULL;
	g_autoptr(Number) there = jid ? store_number_get(line->request->store, number, NULL) : NULL;

	if (!jid)
		return FALSE;
	if (!there || strcmp(there->user, jid) != 0) { /* somebody else's is refused */
		begin(line, "number", "add", number);
		g_ptr_array_add(line->words, g_strdup(jid));
		if (!run(line, error))
			return FALSE;
	}
	for (guint i = 0; i < 2; i++) {
		const char *name = i ? "caller_id" : "caller-id";

		/* the first one has it anyway, and it cannot be taken from one */
		if (json_object_has_member(line->object, name) &&
		    JSON_NODE_HOLDS_VALUE(json_object_get_member(line->object, name)) &&
		    json_node_get_value_type(json_object_get_member(line->object, name)) ==
			    G_TYPE_BOOLEAN &&
		    !json_object_get_boolean_member(line->object, name))
			json_object_remove_member(line->object, name);
	}
	return set_rest(line, "number", number, error);
}

static gboolean
import_softphone(Line *line, GError **error)
{
	Store *store = line->request->store;
	g_autofree char *text = take(line, (const char *const[]){ "softphone", "name", NULL });
	g_autofree char *owner = take(line, (const char *const[]){ "user", "jid", NULL });
	g_autofree char *password = take_one(line, "password");
	g_autofree char *name = need_word(text, WORD_SOFTPHONE, "softphone", "softphone", error);
	g_autofree char *jid =
		name ? need_word(owner, WORD_USER, "softphone", "user", error) : NULL;
	g_autoptr(Softphone) there = jid ? store_softphone_get(store, name, NULL) : NULL;

	if (!jid)
		return FALSE;
	if (there && strcmp(there->user, jid) != 0)
		return wrong(error, "softphone %s: belongs to user %s; choose another name", name,
			     there->user);
	if (!there ? !softphone_make(line->request, name, jid, password, error)
		   : password && !softphone_give_password(line->request, name, password, error))
		return FALSE;
	return set_rest(line, "softphone", name, error);
}

static gboolean
import_trunk(Line *line, GError **error)
{
	g_autofree char *name = take(line, (const char *const[]){ "trunk", "name", NULL });
	g_autoptr(Trunk) there = name ? store_trunk_get(line->request->store, name, NULL) : NULL;
	g_autofree char *host = NULL;
	guint n;

	if (!need(name, "trunk", "trunk", error))
		return FALSE;
	if (there)
		return set_rest(line, "trunk", name, error);
	host = take_one(line, "host");
	if (!need(host, "trunk", "host", error))
		return FALSE;
	begin(line, "trunk", "add", name);
	g_ptr_array_add(line->words, g_strdup(host));
	return add_rest(line, &n, error) && run(line, error);
}

static gboolean
import_route(Line *line, GError **error)
{
	g_autofree char *target =
		take(line, (const char *const[]){ "route", "target", "prefix", NULL });
	g_autofree char *verdict = take(line, (const char *const[]){ "verdict", "allow", NULL });
	guint n;

	if (!need(target, "route", "route", error) || !need(verdict, "route", "verdict", error))
		return FALSE;
	begin(line, "route", "add", target);
	g_ptr_array_add(line->words, g_strdup(strcmp(verdict, "yes") == 0  ? "allow"
					      : strcmp(verdict, "no") == 0 ? "refuse"
									   : verdict));
	return add_rest(line, &n, error) && run(line, error);
}

static gboolean
import_setting(Line *line, GError **error)
{
	g_autofree char *key = take(line, (const char *const[]){ "setting", "key", NULL });
	g_autofree char *jid = take(line, (const char *const[]){ "user", "jid", NULL });
	g_autofree char *value = take_one(line, "value");

	if (!need(key, "setting", "setting", error) || !need(jid, "setting", "user", error))
		return FALSE;
	if (!value)
		return wrong(error, "setting: \"value\" is missing");
	if (json_object_get_size(line->object) > 0)
		return wrong(error, "setting: a line of a setting has setting, user and value, and "
				    "nothing else");
	begin(line, "user", "set", jid);
	g_ptr_array_add(line->words, g_strdup_printf("%s=%s", key, value));
	return run(line, error);
}

/* The first that the line names: a number has a user too. */
static const struct {
	const char *name;
	gboolean (*import)(Line *line, GError **error);
} KINDS[] = {
	{ "setting", import_setting }, { "softphone", import_softphone },
	{ "number", import_number },   { "trunk", import_trunk },
	{ "route", import_route },     { "user", import_user },
};

static gboolean
import_object(Line *line, GError **error)
{
	g_autofree char *type = take_one(line, "type");

	for (guint i = 0; i < G_N_ELEMENTS(KINDS); i++)
		if (type ? strcmp(type, KINDS[i].name) == 0
			 : json_object_has_member(line->object, KINDS[i].name))
			return KINDS[i].import(line, error);
	return wrong(error,
		     "%s: a line has one of user, number, softphone, trunk, route, setting, "
		     "such as {\"user\":\"alice@example.org\",\"country\":\"DE\"}",
		     type ? type : "a line names nothing");
}

/* --- lines --- */

static gboolean
import_text(Request *request, const char *text, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	Line line = { .request = request, .words = words };
	JsonNode *root;

	if (!json_is_one(text, 2) || !json_parser_load_from_data(parser, text, -1, NULL) ||
	    !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root))
		return wrong(error, "not a JSON object in one line, such as "
				    "{\"number\":\"+14155550101\",\"user\":\"alice@example.org\"}");
	line.object = json_node_get_object(root);
	return import_object(&line, error);
}

static gboolean
import_line(Request *request, const char *text, GError **error)
{
	guint mark = request_mark(request), made = json_array_get_length(request->passwords);

	if (!store_begin(request->store, error))
		return FALSE;
	if (import_text(request, text, error))
		return store_commit(request->store, error);
	store_rollback(request->store);
	request_forget(request, mark);
	while (json_array_get_length(request->passwords) > made)
		json_array_remove_element(request->passwords, made);
	return FALSE;
}

static gboolean
import_lines(Request *request, guint64 first, GError **error)
{
	for (guint i = 1; i < request->n_raw; i++) {
		g_autoptr(GError) cause = NULL;
		JsonArray *row;

		if (import_line(request, request->raw[i], &cause))
			continue;
		if (!request_is_wrong(cause)) { /* the store: what came before is lost as well */
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		row = reply_row(request);
		row_add_int(row, (gint64)(first + i - 1));
		row_add(row, cause->message);
	}
	return TRUE;
}

static gboolean
say_imported(const Request *request, guint64 first)
{
	g_autofree char *what = request_changes(request, 0);
	g_autofree char *text =
		g_strdup_printf("import, lines %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ": %s",
				first, first + request->n_raw - 2, *what ? what : "nothing");

	audit_say(request, text);
	return TRUE;
}

gboolean
do_import(Request *request, GError **error)
{
	guint64 first;

	if (!g_ascii_string_to_unsigned(request->raw[0], 10, 0, G_MAXINT32, &first, NULL))
		return wrong(error, "import: write tandemctl import FILE");
	if (request->n_raw == 1)
		return store_settle_all(request->store, error);
	reply_table(request, "line", "error", NULL);
	request->passwords = json_array_new();
	json_object_set_array_member(request->reply, "softphones", request->passwords);
	return store_begin_quick(request->store, error) &&
	       store_settle(request->store, import_lines(request, first, error), error) &&
	       say_imported(request, first);
}

/* tandemctl never asks the daemon for it: see control_backup(). */
gboolean
do_backup(Request *request, GError **error)
{
	return wrong(error, "backup: write tandemctl backup FILE, which makes the copy by itself");
}
