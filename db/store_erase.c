/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_erase.c - a person's traces in the records: what the books need stays, without names.
 *
 * Rows are found by their indexes, some at a time, and are no longer found once they are done:
 * whoever is interrupted begins again.  What is overwritten is overwritten in the file as well.
 */
#include "db/store_private.h"

#define NOBODY "'erased'"
/* Where a call went is a matter of its price; with whom it was is not. */
#define HIDDEN(column)                                                                                \
	"CASE WHEN substr(" column ", 1, 1) = '+' THEN substr(" column ", 1, 5) || '…' ELSE '…' " \
	"END"
#define IS_OUT	 "substr(caller, 1, length(user)) = user"
#define NO_WORDS "legs = '', text = NULL, ladder = '' "
#define SOME(index, condition)                                                            \
	"WHERE id IN (SELECT id FROM calls INDEXED BY " index " WHERE " condition " AND " \
	"ended_us > 0 LIMIT ?2) RETURNING id"
/* The devices of a JID: "alice@example.org/phone"; '0' comes after '/'. */
#define DEVICE(column) column " >= ?1 || '/' AND " column " < ?1 || '0'"

typedef enum { OWN, CALLER, CALLER_DEVICE, CALLEE, CALLEE_DEVICE, N_PLACES } Place;

static const char *const SQL[N_PLACES] = {
	[OWN] = "UPDATE calls SET caller = CASE WHEN " IS_OUT " THEN " NOBODY
		" ELSE " HIDDEN("caller") " END, callee = CASE WHEN " IS_OUT " THEN " HIDDEN(
			"callee") " ELSE " NOBODY " END, user = " NOBODY
				  ", " NO_WORDS SOME("calls_by_user", "user = ?1"),
	[CALLER] = "UPDATE calls SET caller = " NOBODY
		   ", " NO_WORDS SOME("calls_by_caller", "caller = ?1"),
	[CALLER_DEVICE] = "UPDATE calls SET caller = " NOBODY
			  ", " NO_WORDS SOME("calls_by_caller", DEVICE("caller")),
	[CALLEE] = "UPDATE calls SET callee = " NOBODY
		   ", " NO_WORDS SOME("calls_by_callee", "callee = ?1"),
	[CALLEE_DEVICE] = "UPDATE calls SET callee = " NOBODY
			  ", " NO_WORDS SOME("calls_by_callee", DEVICE("callee")),
};

/* What the hook is still to be told of it is told without names as well. */
static gboolean
hide_in_queue(Store *store, gint64 call, GError **error)
{
	g_auto(Query) query = query_new(
		store, "UPDATE hook_queue SET (caller, callee, account, sentence) = (SELECT "
		       "caller, callee, user, text FROM calls WHERE id = ?1) WHERE call = ?1");

	query_bind_int(&query, call);
	return query_run(&query, error);
}

/* How many; -1: it failed. */
static gint
hide_some(Store *store, Place place, const char *name, guint limit, GError **error)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	g_auto(Query) query = query_new(store, SQL[place]);
	QueryResult result;

	query_bind_text(&query, name);
	query_bind_int(&query, limit);
	while ((result = query_step(&query, error)) == QUERY_ROW) {
		gint64 id = query_int(&query, 0);

		g_array_append_val(ids, id);
	}
	if (result == QUERY_FAILED)
		return -1;
	for (guint i = 0; i < ids->len; i++)
		if (!hide_in_queue(store, g_array_index(ids, gint64, i), error))
			return -1;
	return (gint)ids->len;
}

/* One transaction: some rows of the first place that has any. */
static gint
hide_next(Store *store, const char *jid, char **numbers, guint limit, GError **error)
{
	gint n = 0;

	for (Place place = OWN; n == 0 && place < N_PLACES; place++)
		n = hide_some(store, place, jid, limit, error);
	for (; n == 0 && *numbers; numbers++) {
		n = hide_some(store, CALLER, *numbers, limit, error);
		if (n == 0)
			n = hide_some(store, CALLEE, *numbers, limit, error);
	}
	return n;
}

gint
store_erase_calls(Store *store, const char *jid, char **numbers, guint limit, GError **error)
{
	gint n;

	if (!store_execute(store, "PRAGMA secure_delete = ON", error) || !store_begin(store, error))
		return -1;
	n = hide_next(store, jid, numbers, limit, error);
	return store_settle(store, n >= 0, error) ? n : -1;
}

/* --- texts: no book needs them --- */

static gint
delete_some(Store *store, const char *sql_literal, const char *jid, guint limit, GError **error)
{
	g_auto(Query) query = query_new(store, sql_literal);

	query_bind_text(&query, jid);
	query_bind_int(&query, limit);
	return query_run(&query, error) ? store_changes(store) : -1;
}

#define TEXTS(index, condition)                                                 \
	"DELETE FROM texts WHERE id IN (SELECT id FROM texts INDEXED BY " index \
	" WHERE " condition " = ?1 LIMIT ?2)"

static gint
delete_texts(Store *store, const char *jid, guint limit, GError **error)
{
	gint n = delete_some(store, TEXTS("texts_by_author", "author"), jid, limit, error);

	return n != 0 ? n
		      : delete_some(store, TEXTS("texts_by_addressee", "addressee"), jid, limit,
				    error);
}

gint
store_erase_texts(Store *store, const char *jid, guint limit, GError **error)
{
	gint n;

	if (!store_execute(store, "PRAGMA secure_delete = ON", error) || !store_begin(store, error))
		return -1;
	n = delete_texts(store, jid, limit, error);
	return store_settle(store, n >= 0, error) ? n : -1;
}

/* --- what is kept by account --- */

static gboolean
run_for(Store *store, const char *sql_literal, const char *jid, GError **error)
{
	g_auto(Query) query = query_new(store, sql_literal);

	query_bind_text(&query, jid);
	return query_run(&query, error);
}

static gboolean
erase_account(Store *store, const char *jid, GError **error)
{
	return run_for(store,
		       "INSERT INTO usage (account, month, out_calls, out_answered, out_seconds, "
		       "in_calls, in_answered, in_seconds, cost) SELECT " NOBODY
		       ", month, out_calls, out_answered, out_seconds, in_calls, in_answered, "
		       "in_seconds, cost FROM usage WHERE account = ?1 ON CONFLICT (account, "
		       "month) DO UPDATE SET out_calls = out_calls + excluded.out_calls, "
		       "out_answered = out_answered + excluded.out_answered, out_seconds = "
		       "out_seconds + excluded.out_seconds, in_calls = in_calls + "
		       "excluded.in_calls, in_answered = in_answered + excluded.in_answered, "
		       "in_seconds = in_seconds + excluded.in_seconds, cost = cost + "
		       "excluded.cost",
		       jid, error) &&
	       run_for(store, "DELETE FROM usage WHERE account = ?1", jid, error) &&
	       run_for(store, "DELETE FROM guard_use WHERE owner = ?1", jid, error) &&
	       run_for(store, "DELETE FROM guard_learn WHERE account = ?1", jid, error);
}

gboolean
store_erase_account(Store *store, const char *jid, GError **error)
{
	return store_execute(store, "PRAGMA secure_delete = ON", error) &&
	       store_begin(store, error) &&
	       store_settle(store, erase_account(store, jid, error), error);
}
