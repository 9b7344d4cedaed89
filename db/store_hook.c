/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_hook.c - the calls that have ended and that the hook has not taken yet: triggers of the
 * schema add them, in the transaction that says that a call has ended.
 */
#include "db/store_private.h"

void
hook_line_free(HookLine *line)
{
	if (!line)
		return;
	g_free(line->text);
	g_free(line);
}

static gboolean
is_target(Store *store, const char *target, gboolean *is, GError **error)
{
	g_auto(Query) query = query_new(store, "SELECT target FROM hook");
	QueryResult result = query_step(&query, error);
	g_autofree char *now = result == QUERY_ROW ? query_text(&query, 0) : NULL;

	*is = g_strcmp0(now, target) == 0;
	return result != QUERY_FAILED;
}

static gboolean
set_target(Store *store, const char *target, GError **error)
{
	g_auto(Query) query = query_new(store, "INSERT INTO hook (target) VALUES (?1)");

	if (!store_execute(store, "DELETE FROM hook", error))
		return FALSE;
	if (!target) /* nobody is told of them any more */
		return store_execute(store, "DELETE FROM hook_queue", error);
	query_bind_text(&query, target);
	return query_run(&query, error);
}

gboolean
store_hook_set(Store *store, const char *target, GError **error)
{
	gboolean is;

	if (!is_target(store, target, &is, error))
		return FALSE;
	return is || (store_begin(store, error) &&
		      store_settle(store, set_target(store, target, error), error));
}

Store *
store_hook_open(const char *path, GError **error)
{
	Store *store = store_open(path, error);

	if (store)
		store_defer_sync(store);
	return store;
}

static gpointer
line_from_row(Query *query)
{
	HookLine *line = g_new0(HookLine, 1);

	line->id = query_int(query, 0);
	line->call = query_int(query, 1);
	line->queued = query_int(query, 2);
	line->text = query_text(query, 3);
	return line;
}

GPtrArray *
store_hook_next(Store *store, guint limit, GError **error)
{
	g_auto(Query) query = query_new(
		store, "SELECT id, call, queued, line FROM hook_queue ORDER BY id LIMIT ?1");

	query_bind_int(&query, limit);
	return query_list(&query, line_from_row, (GDestroyNotify)hook_line_free, error);
}

gint64
store_hook_waiting(Store *store, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT coalesce((SELECT max(id) FROM hook_queue) - (SELECT "
				 "min(id) FROM hook_queue) + 1, 0)");

	return query_step(&query, error) == QUERY_ROW ? query_int(&query, 0) : -1;
}

gboolean
store_hook_done(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM hook_queue WHERE id <= ?1");

	query_bind_int(&query, id);
	return query_run(&query, error);
}

gboolean
store_hook_drop(Store *store, gint64 before, guint keep, guint limit, guint *dropped,
		GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"DELETE FROM hook_queue WHERE id IN (SELECT id FROM (SELECT id, queued FROM "
		"hook_queue ORDER BY id LIMIT ?3) WHERE queued < ?1 OR id <= (SELECT max(id) "
		"FROM hook_queue) - ?2)");

	query_bind_int(&query, before);
	query_bind_int(&query, keep);
	query_bind_int(&query, limit);
	if (!query_run(&query, error))
		return FALSE;
	*dropped = (guint)store_changes(store);
	return TRUE;
}
