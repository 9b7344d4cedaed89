/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_export.c - what admins have made, as the JSON lines that `import` reads.
 *
 * What has its default is left out.  No line has a password: the gateway keeps none of a
 * softphone, and shows none of a trunk.  What goes with a password of a trunk is left out with
 * it: an import would refuse the one without the other.
 */
#include <string.h>
#include "b2bua/words.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/setting.h"

static void
add(JsonObject *line, const char *name, const char *value)
{
	json_object_set_string_member(line, name, value);
}

/* What has its default is not said. */
static void
add_other(JsonObject *line, const char *name, const char *value, const char *fallback)
{
	if (g_strcmp0(value ? value : "", fallback ? fallback : "") != 0)
		add(line, name, value ? value : "");
}

/* Takes the line. */
static void
add_line(Request *request, JsonObject *line)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_take_object(root, line);
	text = json_to_string(root, FALSE);
	row_add(reply_row(request), text);
}

/* --- a portion of each kind: the last one's key, or NULL when there are no more --- */

static char *
export_users(Request *request, GPtrArray *users)
{
	for (guint i = 0; i < users->len; i++) {
		const User *user = users->pdata[i];
		JsonObject *line = json_object_new();

		add(line, "user", user->jid);
		add_other(line, "enabled", user->enabled ? "yes" : "no", "yes");
		for (Setting setting = 0; setting < N_SETTINGS; setting++) {
			g_autofree char *value =
				store_setting_get(request->store, user->jid, setting_name(setting));

			if (value)
				add(line, setting_name(setting), value);
		}
		add_line(request, line);
	}
	return g_strdup(users->len ? ((User *)users->pdata[users->len - 1])->jid : NULL);
}

static char *
export_numbers(Request *request, GPtrArray *numbers)
{
	for (guint i = 0; i < numbers->len; i++) {
		const Number *number = numbers->pdata[i];
		JsonObject *line = json_object_new();

		add(line, "number", number->number);
		add(line, "user", number->user);
		if (number->caller_id)
			add(line, "caller-id", "yes");
		add_line(request, line);
	}
	return g_strdup(numbers->len ? ((Number *)numbers->pdata[numbers->len - 1])->number : NULL);
}

static char *
export_softphones(Request *request, GPtrArray *softphones)
{
#define ROW(id, name, type, values, fallback, flags, help) \
	add_other(line, name, softphone->id, fallback);
	for (guint i = 0; i < softphones->len; i++) {
		const Softphone *softphone = softphones->pdata[i];
		JsonObject *line = json_object_new();

		add(line, "softphone", softphone->username);
		add(line, "user", softphone->user);
		SOFTPHONE_KEYS(ROW)
		add_line(request, line);
	}
#undef ROW
	return g_strdup(softphones->len
				? ((Softphone *)softphones->pdata[softphones->len - 1])->username
				: NULL);
}

/* Is a value of this key in the line of that trunk? */
static gboolean
is_told(const Trunk *trunk, const TrunkKey *key)
{
	const gboolean has_login = trunk->password || trunk->in_password;

	return !(key->flags & TRUNK_SECRET) && !(has_login && key->flags & TRUNK_LOGIN);
}

static char *
export_trunks(Request *request, GPtrArray *trunks)
{
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		JsonObject *line = json_object_new();

		add(line, "trunk", trunk->name);
		for (guint k = 0; k < n; k++) {
			g_autofree char *value = trunk_value(trunk, &keys[k]);

			if (is_told(trunk, &keys[k]))
				add_other(line, keys[k].name, value, keys[k].fallback);
		}
		add_line(request, line);
	}
	return NULL;
}

static char *
export_routes(Request *request, GPtrArray *rules)
{
	for (guint i = 0; i < rules->len; i++) {
		const RouteRule *rule = rules->pdata[i];
		JsonObject *line = json_object_new();

		add(line, "route", rule->target);
		add(line, "verdict", rule->allowed ? "allow" : "refuse");
		if (*rule->trunks)
			add(line, "trunks", rule->trunks);
		if (rule->cost)
			json_object_set_int_member(line, "cost", rule->cost);
		if (rule->price) {
			g_autofree char *price = word_of_money(rule->price);

			add(line, "price", price);
		}
		if (*rule->text)
			add(line, "text", rule->text);
		add_line(request, line);
	}
	return NULL;
}

static GPtrArray *
all_trunks(Store *store, const char *after, guint limit, GError **error)
{
	return store_trunk_list(store, error);
}

static GPtrArray *
all_routes(Store *store, const char *after, guint limit, GError **error)
{
	return store_route_list(store, error);
}

/* In the order that an import needs: a number has a user, a route has trunks. */
static const struct {
	GPtrArray *(*page)(Store *store, const char *after, guint limit, GError **error);
	char *(*export)(Request *request, GPtrArray *page);
} KINDS[] = {
	{ store_user_page, export_users },
	{ store_number_page, export_numbers },
	{ store_softphone_page, export_softphones },
	{ all_trunks, export_trunks },
	{ all_routes, export_routes },
};

/* `left` counts the kinds that are to come. */
static gboolean
more_lines(Request *request, GError **error)
{
	guint kind = G_N_ELEMENTS(KINDS) - request->left;
	g_autoptr(GPtrArray) page =
		KINDS[kind].page(request->store, request->after, REQUEST_PORTION, error);

	if (!page)
		return FALSE;
	g_free(request->after);
	request->after = KINDS[kind].export(request, page);
	if (!request->after || page->len < REQUEST_PORTION) {
		g_clear_pointer(&request->after, g_free);
		request->left--;
	}
	return request->left > 0;
}

gboolean
do_export(Request *request, GError **error)
{
	reply_table(request, "line", NULL);
	request->left = G_N_ELEMENTS(KINDS);
	request->more = more_lines;
	return TRUE;
}
