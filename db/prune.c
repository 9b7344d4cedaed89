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

/* --- the clock --- */

#define DAY_SECONDS 86400
#define AWAY_MOST   (7 * DAY_SECONDS) /* between two starts */
#define JUMP_LEAST  3600
#define WRITE_EVERY 3600

static gint64
read_number(Store *store, const char *sql)
{
	g_auto(Query) query = query_new(store, sql);

	return query_step(&query, NULL) == QUERY_ROW ? query_int(&query, 0) : 0;
}

/* When it was last known to be right; 0: nothing is known, and nothing is old. */
static gint64
last_trusted(Store *store)
{
	gint64 trusted = read_number(store, "SELECT trusted FROM prune_clock");

	return trusted ? trusted
		       : read_number(store, "SELECT started_us / 1000000 FROM calls ORDER BY id "
					    "DESC LIMIT 1");
}

static gboolean
has_jumped(const PruneClock *clock, Store *store, guint keep_days, gint64 wall, gint64 at)
{
	gint64 before, away = AWAY_MOST;

	if (clock->at)
		return ABS(wall - clock->wall - (at - clock->at) / G_USEC_PER_SEC) > JUMP_LEAST;
	before = last_trusted(store);
	if (keep_days > 0)
		away = MIN(away, (gint64)keep_days * DAY_SECONDS / 2);
	return before > 0 && wall - before > away;
}

static void
write_trusted(PruneClock *clock, Store *store, gint64 wall)
{
	g_auto(Query) query =
		query_new(store, "INSERT OR REPLACE INTO prune_clock (id, trusted) VALUES (1, ?1)");

	query_bind_int(&query, wall);
	if (query_run(&query, NULL))
		clock->written = wall;
}

gboolean
prune_clock_trusts(PruneClock *clock, Store *store, guint keep_days)
{
	const gint64 wall = g_get_real_time() / G_USEC_PER_SEC, at = g_get_monotonic_time();
	const guint hold = clock->hold_seconds ? clock->hold_seconds : DAY_SECONDS;

	if (has_jumped(clock, store, keep_days, wall, at)) {
		clock->held_until = at + (gint64)hold * G_USEC_PER_SEC;
		g_warning("the clock has jumped, or the gateway was off for long: no old records "
			  "are deleted for a day");
	}
	clock->wall = wall;
	clock->at = at;
	if (clock->held_until > at)
		return FALSE;
	clock->held_until = 0;
	if (ABS(wall - clock->written) >= WRITE_EVERY)
		write_trusted(clock, store, wall);
	return TRUE;
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
