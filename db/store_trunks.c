/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_trunks.c - carriers and PBXs we exchange calls with. */
#include "db/store_private.h"
#include <stdlib.h>
#include <string.h>

/* All that is kept of one stands in the table of trunk_key.c, but the name, which is the
 * key, and the time of creation. */

typedef enum { SELECT_ONE, SELECT_ALL, INSERT, UPDATE, N_STATEMENTS } Statement;

/* Made from the table, once: query_new() knows a statement by its address. */
static const char *
statement(Statement which)
{
	static const char *made[N_STATEMENTS];
	g_autoptr(GString) names = g_string_new("name"), marks = g_string_new("?1"),
			   sets = g_string_new(NULL);
	const TrunkKey *keys;
	guint n;

	if (made[which])
		return made[which];
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		g_string_append_printf(names, ", %s", keys[i].column);
		g_string_append_printf(marks, ", ?%u", i + 2);
		g_string_append_printf(sets, "%s%s = ?%u", i ? ", " : "", keys[i].column, i + 2);
	}
	made[INSERT] = g_strdup_printf("INSERT INTO trunks (%s, created) VALUES (%s, ?%u)",
				       names->str, marks->str, n + 2);
	made[UPDATE] = g_strdup_printf("UPDATE trunks SET %s WHERE name = ?1", sets->str);
	made[SELECT_ALL] = g_strdup_printf("SELECT %s, created FROM trunks ORDER BY priority, name",
					   names->str);
	made[SELECT_ONE] =
		g_strdup_printf("SELECT %s, created FROM trunks WHERE name = ?1", names->str);
	return made[which];
}

gint
trunk_number(const Trunk *trunk, const TrunkKey *key)
{
	return G_STRUCT_MEMBER(gint, trunk, key->offset);
}

const char *
trunk_text(const Trunk *trunk, const TrunkKey *key)
{
	return G_STRUCT_MEMBER(char *, trunk, key->offset);
}

char *
trunk_value(const Trunk *trunk, const TrunkKey *key)
{
	if (key->kind == TRUNK_YES)
		return g_strdup(trunk_number(trunk, key) ? "yes" : "no");
	if (trunk_key_is_number(key))
		return g_strdup_printf("%d", trunk_number(trunk, key));
	return g_strdup(trunk_text(trunk, key) ? trunk_text(trunk, key) : "");
}

char *
trunk_extract(const Trunk *trunk, guint flags)
{
	GString *text = g_string_new(NULL);
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++)
		if (keys[i].flags & flags) {
			g_autofree char *value = trunk_value(trunk, &keys[i]);

			g_string_append_printf(text, "%s=%s\n", keys[i].name, value);
		}
	return g_string_free(text, FALSE);
}

gboolean
trunk_differs(const Trunk *one, const Trunk *other, guint flags)
{
	g_autofree char *text = trunk_extract(one, flags);
	g_autofree char *other_text = trunk_extract(other, flags);

	return strcmp(text, other_text) != 0;
}

void
trunk_set(Trunk *trunk, const TrunkKey *key, const char *text)
{
	char **member;

	if (key->kind == TRUNK_YES) {
		G_STRUCT_MEMBER(gint, trunk, key->offset) = strcmp(text, "yes") == 0;
	} else if (trunk_key_is_number(key)) {
		G_STRUCT_MEMBER(gint, trunk, key->offset) = (gint)strtol(text, NULL, 10);
	} else {
		member = &G_STRUCT_MEMBER(char *, trunk, key->offset);
		g_free(*member);
		*member = text && (*text || key->fallback) ? g_strdup(text) : NULL;
	}
}

Trunk *
trunk_new(const char *name, const char *host)
{
	Trunk *trunk = g_new0(Trunk, 1);
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++)
		trunk_set(trunk, &keys[i], keys[i].fallback);
	trunk->name = g_strdup(name);
	trunk->host = g_strdup(host);
	return trunk;
}

guint
trunk_standard_port(const Trunk *trunk)
{
	return g_strcmp0(trunk->transport, "tls") == 0 ? 5061 : 5060;
}

gboolean
trunk_takes_texts(const Trunk *trunk)
{
	return trunk && g_strcmp0(trunk->text, "message") == 0;
}

void
trunk_free(Trunk *trunk)
{
	const TrunkKey *keys;
	guint n;

	if (!trunk)
		return;
	g_free(trunk->name);
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++)
		if (!trunk_key_is_number(&keys[i]))
			g_free(G_STRUCT_MEMBER(char *, trunk, keys[i].offset));
	g_free(trunk);
}

static gpointer
trunk_from_row(Query *query)
{
	Trunk *trunk = g_new0(Trunk, 1);
	const TrunkKey *keys;
	int column = 0;
	guint n;

	trunk->name = query_text(query, column++);
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++, column++) {
		if (trunk_key_is_number(&keys[i]))
			G_STRUCT_MEMBER(gint, trunk, keys[i].offset) =
				(gint)query_int(query, column);
		else
			G_STRUCT_MEMBER(char *, trunk, keys[i].offset) = query_text(query, column);
	}
	trunk->created = query_int(query, column);
	return trunk;
}

static void
bind_trunk(Query *query, const Trunk *trunk)
{
	const TrunkKey *keys;
	guint n;

	query_bind_text(query, trunk->name);
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		const char *text;

		if (trunk_key_is_number(&keys[i])) {
			query_bind_int(query, trunk_number(trunk, &keys[i]));
			continue;
		}
		text = trunk_text(trunk, &keys[i]);
		query_bind_text(query, text || !keys[i].fallback ? text : "");
	}
}

static gboolean
no_such_trunk(const char *name, GError **error)
{
	g_set_error(
		error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		"trunk %s does not exist: see 'trunk list', or make it with 'trunk add %s HOST'",
		name, name);
	return FALSE;
}

static gboolean
insert(Store *store, const Trunk *trunk, GError **error)
{
	g_auto(Query) query = query_new(store, statement(INSERT));

	bind_trunk(&query, trunk);
	query_bind_int(&query, trunk->created ? trunk->created : store_now());
	if (query_run(&query, error))
		return TRUE;
	if (store_hit_key(store)) {
		g_clear_error(error);
		g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS,
			    "trunk %s exists already: change it with 'trunk set %s KEY=VALUE'",
			    trunk->name, trunk->name);
	}
	return FALSE;
}

static gboolean
update(Store *store, const Trunk *trunk, GError **error)
{
	g_auto(Query) query = query_new(store, statement(UPDATE));

	bind_trunk(&query, trunk);
	if (!query_run(&query, error))
		return FALSE;
	return store_changes(store) == 1 || no_such_trunk(trunk->name, error);
}

static gboolean
remove_trunk(Store *store, const char *name, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM trunks WHERE name = ?1");

	query_bind_text(&query, name);
	if (!query_run(&query, error))
		return FALSE;
	return store_changes(store) == 1 || no_such_trunk(name, error);
}

gboolean
store_trunk_add(Store *store, const Trunk *trunk, GError **error)
{
	return store_begin(store, error) && store_settle(store, insert(store, trunk, error), error);
}

gboolean
store_trunk_update(Store *store, const Trunk *trunk, GError **error)
{
	return store_begin(store, error) && store_settle(store, update(store, trunk, error), error);
}

gboolean
store_trunk_del(Store *store, const char *name, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, remove_trunk(store, name, error), error);
}

Trunk *
store_trunk_get(Store *store, const char *name, GError **error)
{
	g_auto(Query) query = query_new(store, statement(SELECT_ONE));
	QueryResult result;

	query_bind_text(&query, name);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return trunk_from_row(&query);
	if (result == QUERY_DONE)
		no_such_trunk(name, error);
	return NULL;
}

GPtrArray *
store_trunk_list(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, statement(SELECT_ALL));

	return query_list(&query, trunk_from_row, (GDestroyNotify)trunk_free, error);
}
