/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_usage.c - what is summed up of calls, by account and month: triggers of the schema keep
 * it, in the transaction that says that a call has ended.
 */
#include "db/store_private.h"

#define COLUMNS                                                                                \
	"SELECT account, month, out_calls, out_answered, out_seconds, in_calls, in_answered, " \
	"in_seconds, cost FROM usage "
#define AFTER "AND (account, month) > (?2, ?3) ORDER BY account, month LIMIT ?4"

void
usage_free(Usage *usage)
{
	if (!usage)
		return;
	g_free(usage->account);
	g_free(usage->month);
	g_free(usage);
}

static gpointer
usage_from_row(Query *query)
{
	Usage *usage = g_new0(Usage, 1);

	usage->account = query_text(query, 0);
	usage->month = query_text(query, 1);
	usage->out_calls = (guint64)query_int(query, 2);
	usage->out_answered = (guint64)query_int(query, 3);
	usage->out_seconds = (guint64)query_int(query, 4);
	usage->in_calls = (guint64)query_int(query, 5);
	usage->in_answered = (guint64)query_int(query, 6);
	usage->in_seconds = (guint64)query_int(query, 7);
	usage->cost = (guint64)query_int(query, 8);
	return usage;
}

/* By what is asked for, an index of its own. */
static Query
query_usage(Store *store, const char *account, const char *month)
{
	if (account && month)
		return query_new(store, COLUMNS "WHERE account = ?1 AND month = ?5 " AFTER);
	if (account)
		return query_new(store, COLUMNS "WHERE account = ?1 " AFTER);
	if (month)
		return query_new(store, COLUMNS "WHERE month = ?5 " AFTER);
	return query_new(store, COLUMNS "WHERE ?1 IS NULL " AFTER);
}

GPtrArray *
store_usage_page(Store *store, const char *account, const char *month, const char *after,
		 const char *after_month, guint limit, GError **error)
{
	g_auto(Query) query = query_usage(store, account, month);

	query_bind_text(&query, account);
	query_bind_text(&query, after);
	query_bind_text(&query, after_month);
	query_bind_int(&query, limit);
	if (month)
		query_bind_text(&query, month);
	return query_list(&query, usage_from_row, (GDestroyNotify)usage_free, error);
}
