/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* request.c - what a function says to a request: rows, texts, changes. */
#include "b2bua/admin/request.h"
#include "b2bua/setting.h"
#include "b2bua/text/texts.h"
#include "b2bua/words.h"

const Config *control_config;

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
	g_autofree char *text = word_of_time(seconds);

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
reply_pair_time(Request *request, const char *key, gint64 seconds)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add_time(row, seconds);
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
	g_propagate_error(error, g_error_new_valist(VERB_ERROR, 0, format, arguments));
	va_end(arguments);
	return FALSE;
}

gboolean
request_is_wrong(const GError *error)
{
	return error->domain == VERB_ERROR ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_EXISTS) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_IN_USE);
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

GArray *
request_changes_new(void)
{
	GArray *changed = g_array_new(FALSE, FALSE, sizeof(Changed));

	g_array_set_clear_func(changed, changed_clear);
	return changed;
}

void
request_changed(Request *request, Change what, const char *key)
{
	Changed changed = { what, g_strdup(key) };

	g_array_append_val(request->changed, changed);
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

const Config *
request_config(const Request *request)
{
	return request->gateway ? gateway_config(request->gateway) : control_config;
}

char *
request_home(const Request *request, const char *account)
{
	const Config *config = request_config(request);

	return setting_country(request->store, account, config ? config->country : NULL);
}

gboolean
request_page(Request *request, guint n, const char *last)
{
	if (n < REQUEST_PORTION)
		return FALSE;
	g_free(request->after);
	request->after = g_strdup(last);
	return TRUE;
}

void
request_tell(const Request *request)
{
	for (guint i = 0; request->gateway && i < request->changed->len; i++) {
		const Changed *changed = &g_array_index(request->changed, Changed, i);

		gateway_changed(request->gateway, changed->what, changed->key);
		texts_changed(request->gateway, changed->what, changed->key);
	}
}
