/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_trunks.c - carriers and PBXs we exchange calls with. */
#include "db/store_private.h"

/* WORDS is text that is never NULL. */
typedef enum { COLUMN_TEXT, COLUMN_WORDS, COLUMN_INT } ColumnType;

/* Everything but the name, which is the key, and the time of creation. */
static const struct {
	const char *name;
	ColumnType type;
	gsize offset;
} columns[] = {
#define TEXT(member)                                                 \
	{                                                            \
#member, COLUMN_TEXT, G_STRUCT_OFFSET(Trunk, member) \
	}
#define WORDS(member)                                                 \
	{                                                             \
#member, COLUMN_WORDS, G_STRUCT_OFFSET(Trunk, member) \
	}
#define INT(member)                                                 \
	{                                                           \
#member, COLUMN_INT, G_STRUCT_OFFSET(Trunk, member) \
	}
	TEXT(host),
	INT(port),
	TEXT(transport),
	TEXT(username),
	TEXT(password),
	TEXT(realm),
	WORDS(sources),
	TEXT(in_username),
	TEXT(in_password),
	INT(priority),
	INT(enabled),
	INT(wait_for_media),
	INT(ring_seconds),
	WORDS(proxy),
	WORDS(account),
	INT(registers),
	TEXT(caller_id),
	WORDS(codecs),
	INT(response_seconds),
	INT(options_seconds),
	INT(session_seconds),
	INT(follow_redirects),
	WORDS(country),
	TEXT(number_form),
	WORDS(number_prefix),
	TEXT(early_media),
	INT(tls_verify),
	WORDS(tls_ca),
	TEXT(srtp),
#undef TEXT
#undef WORDS
#undef INT
};

typedef enum { SELECT_ONE, SELECT_ALL, INSERT, UPDATE, N_STATEMENTS } Statement;

/* Made from the table, once: query_new() knows a statement by its address. */
static const char *
statement(Statement which)
{
	static const char *made[N_STATEMENTS];
	g_autoptr(GString) names = g_string_new("name"), marks = g_string_new("?1"),
			   sets = g_string_new(NULL);

	if (made[which])
		return made[which];
	for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
		g_string_append_printf(names, ", %s", columns[i].name);
		g_string_append_printf(marks, ", ?%u", i + 2);
		g_string_append_printf(sets, "%s%s = ?%u", i ? ", " : "", columns[i].name, i + 2);
	}
	made[INSERT] = g_strdup_printf("INSERT INTO trunks (%s, created) VALUES (%s, ?%u)",
				       names->str, marks->str, (guint)G_N_ELEMENTS(columns) + 2);
	made[UPDATE] = g_strdup_printf("UPDATE trunks SET %s WHERE name = ?1", sets->str);
	made[SELECT_ALL] = g_strdup_printf("SELECT %s, created FROM trunks ORDER BY priority, name",
					   names->str);
	made[SELECT_ONE] =
		g_strdup_printf("SELECT %s, created FROM trunks WHERE name = ?1", names->str);
	return made[which];
}

Trunk *
trunk_new(const char *name, const char *host)
{
	Trunk *trunk = g_new0(Trunk, 1);

	trunk->name = g_strdup(name);
	trunk->host = g_strdup(host);
	trunk->transport = g_strdup("udp");
	trunk->sources = g_strdup("");
	trunk->priority = 10;
	trunk->enabled = TRUE;
	trunk->wait_for_media = TRUE;
	trunk->ring_seconds = 120;
	trunk->proxy = g_strdup("");
	trunk->account = g_strdup("");
	trunk->caller_id = g_strdup("pai");
	trunk->codecs = g_strdup("");
	trunk->country = g_strdup("");
	trunk->number_form = g_strdup("e164");
	trunk->number_prefix = g_strdup("");
	trunk->early_media = g_strdup("ring");
	trunk->tls_verify = TRUE;
	trunk->tls_ca = g_strdup("");
	trunk->srtp = g_strdup("off");
	trunk->response_seconds = 5;
	trunk->options_seconds = 60;
	trunk->session_seconds = 1800;
	return trunk;
}

guint
trunk_standard_port(const Trunk *trunk)
{
	return g_strcmp0(trunk->transport, "tls") == 0 ? 5061 : 5060;
}

void
trunk_free(Trunk *trunk)
{
	if (!trunk)
		return;
	g_free(trunk->name);
	for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
		if (columns[i].type != COLUMN_INT)
			g_free(G_STRUCT_MEMBER(char *, trunk, columns[i].offset));
	g_free(trunk);
}

static Trunk *
trunk_from_row(Query *query)
{
	Trunk *trunk = g_new0(Trunk, 1);
	int column = 0;

	trunk->name = query_text(query, column++);
	for (guint i = 0; i < G_N_ELEMENTS(columns); i++, column++) {
		if (columns[i].type == COLUMN_INT)
			G_STRUCT_MEMBER(gint, trunk, columns[i].offset) =
				(gint)query_int(query, column);
		else
			G_STRUCT_MEMBER(char *, trunk, columns[i].offset) =
				query_text(query, column);
	}
	trunk->created = query_int(query, column);
	return trunk;
}

static void
bind_trunk(Query *query, const Trunk *trunk)
{
	query_bind_text(query, trunk->name);
	for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
		const char *text = NULL;

		if (columns[i].type == COLUMN_INT) {
			query_bind_int(query, G_STRUCT_MEMBER(gint, trunk, columns[i].offset));
			continue;
		}
		text = G_STRUCT_MEMBER(char *, trunk, columns[i].offset);
		query_bind_text(query, !text && columns[i].type == COLUMN_WORDS ? "" : text);
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
	g_autoptr(GPtrArray) trunks = g_ptr_array_new_with_free_func((GDestroyNotify)trunk_free);
	g_auto(Query) query = query_new(store, statement(SELECT_ALL));
	QueryResult result;

	while ((result = query_step(&query, error)) == QUERY_ROW)
		g_ptr_array_add(trunks, trunk_from_row(&query));
	return result == QUERY_DONE ? g_steal_pointer(&trunks) : NULL;
}
