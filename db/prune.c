/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* prune.c - what is old goes row by row, in steps that measure themselves.
 *
 * Thread: the journal's.
 */
#include "db/prune.h"

#define PRUNE_ROWS 20	/* of a step: a call has a place in seven indexes */
#define PRUNE_US   4000 /* after so long no further row is taken */

static GArray *
list_ids(Store *store, const char *sql, gint64 after, gint64 before, GError **error)
{
	g_auto(Query) query = query_new(store, sql);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	QueryResult result;

	query_bind_int(&query, after);
	query_bind_int(&query, PRUNE_ROWS);
	query_bind_int(&query, before);
	while ((result = query_step(&query, error)) == QUERY_ROW) {
		gint64 id = query_int(&query, 0);

		g_array_append_val(ids, id);
	}
	return result == QUERY_DONE ? g_steal_pointer(&ids) : NULL;
}

static gboolean
take_one(Store *store, const char *sql, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, sql);

	query_bind_int(&query, id);
	return query_run(&query, error);
}

static gboolean
take_some(Store *store, const Pruning *pruning, gint64 *after, gboolean *more, GError **error)
{
	const gint64 until = g_get_monotonic_time() + PRUNE_US;
	g_autoptr(GArray) ids = list_ids(store, pruning->list, *after, pruning->before, error);

	*more = ids && ids->len == PRUNE_ROWS;
	for (guint i = 0; ids && i < ids->len; i++) {
		const gint64 id = g_array_index(ids, gint64, i);

		if (!take_one(store, pruning->take, id, error))
			return FALSE;
		*after = id;
		if (i + 1 < ids->len && g_get_monotonic_time() >= until) {
			*more = TRUE;
			break;
		}
	}
	return ids != NULL;
}

gboolean
prune_step(Store *store, const Pruning *pruning, gint64 *from, GError **error)
{
	gint64 after = from ? *from : 0;
	gboolean more = FALSE;

	if (!store_begin(store, error) ||
	    !store_settle(store, take_some(store, pruning, &after, &more, error), error))
		return FALSE;
	if (from)
		*from = after;
	return more;
}
