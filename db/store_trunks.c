/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_trunks.c - carriers and PBXs we exchange calls with. */
#include "db/store_private.h"

#define TRUNK_COLUMNS                                                                           \
	"SELECT name, host, port, transport, username, password, realm, sources, in_username, " \
	"in_password, priority, enabled, wait_for_media, ring_seconds, created FROM trunks "

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
	return trunk;
}

void
trunk_free(Trunk *trunk)
{
	if (!trunk)
		return;
	g_free(trunk->name);
	g_free(trunk->host);
	g_free(trunk->transport);
	g_free(trunk->username);
	g_free(trunk->password);
	g_free(trunk->realm);
	g_free(trunk->sources);
	g_free(trunk->in_username);
	g_free(trunk->in_password);
	g_free(trunk);
}

static Trunk *
trunk_from_row(Query *query)
{
	Trunk *trunk = g_new0(Trunk, 1);
	int column = 0;

	trunk->name = query_text(query, column++);
	trunk->host = query_text(query, column++);
	trunk->port = (guint)query_int(query, column++);
	trunk->transport = query_text(query, column++);
	trunk->username = query_text(query, column++);
	trunk->password = query_text(query, column++);
	trunk->realm = query_text(query, column++);
	trunk->sources = query_text(query, column++);
	trunk->in_username = query_text(query, column++);
	trunk->in_password = query_text(query, column++);
	trunk->priority = (gint)query_int(query, column++);
	trunk->enabled = query_int(query, column++) != 0;
	trunk->wait_for_media = query_int(query, column++) != 0;
	trunk->ring_seconds = (guint)query_int(query, column++);
	trunk->created = query_int(query, column++);
	return trunk;
}

/* ?1 … ?14 in the order of both statements below. */
static void
bind_trunk(Query *query, const Trunk *trunk)
{
	query_bind_text(query, trunk->name);
	query_bind_text(query, trunk->host);
	query_bind_int(query, trunk->port);
	query_bind_text(query, trunk->transport);
	query_bind_text(query, trunk->username);
	query_bind_text(query, trunk->password);
	query_bind_text(query, trunk->realm);
	query_bind_text(query, trunk->sources ? trunk->sources : "");
	query_bind_text(query, trunk->in_username);
	query_bind_text(query, trunk->in_password);
	query_bind_int(query, trunk->priority);
	query_bind_int(query, trunk->enabled ? 1 : 0);
	query_bind_int(query, trunk->wait_for_media ? 1 : 0);
	query_bind_int(query, trunk->ring_seconds);
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
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO trunks (name, host, port, transport, username, password, realm, "
		"sources, in_username, in_password, priority, enabled, wait_for_media, "
		"ring_seconds, created) VALUES "
		"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");

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
	g_auto(Query) query = query_new(
		store, "UPDATE trunks SET host = ?2, port = ?3, transport = ?4, username = ?5, "
		       "password = ?6, realm = ?7, sources = ?8, in_username = ?9, "
		       "in_password = ?10, priority = ?11, enabled = ?12, wait_for_media = ?13, "
		       "ring_seconds = ?14 WHERE name = ?1");

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
	g_auto(Query) query = query_new(store, TRUNK_COLUMNS "WHERE name = ?1");
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
	g_auto(Query) query = query_new(store, TRUNK_COLUMNS "ORDER BY priority, name");
	QueryResult result;

	while ((result = query_step(&query, error)) == QUERY_ROW)
		g_ptr_array_add(trunks, trunk_from_row(&query));
	return result == QUERY_DONE ? g_steal_pointer(&trunks) : NULL;
}
