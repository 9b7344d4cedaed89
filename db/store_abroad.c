/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_abroad.c - how long accounts have talked abroad today; b2bua/route/abroad.c counts. */
#include "db/journal_private.h"

gboolean
store_abroad_get(Store *store, const char *account, const char *day, gint64 *seconds,
		 GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT seconds FROM abroad WHERE account = ?1 AND day = ?2");
	QueryResult result;

	query_bind_text(&query, account);
	query_bind_text(&query, day);
	result = query_step(&query, error);
	*seconds = result == QUERY_ROW ? query_int(&query, 0) : 0;
	return result != QUERY_FAILED;
}

typedef struct {
	char *account, *day;
	gint64 seconds;
} Talked;

static void
talked_free(gpointer data)
{
	Talked *talked = data;

	g_free(talked->account);
	g_free(talked->day);
	g_free(talked);
}

static gboolean
write_talked(Store *store, gconstpointer data, GError **error)
{
	g_auto(Query) query =
		query_new(store, "INSERT INTO abroad (account, day, seconds) VALUES (?1, ?2, ?3) "
				 "ON CONFLICT (account) DO UPDATE SET day = excluded.day, "
				 "seconds = excluded.seconds");
	const Talked *talked = data;

	query_bind_text(&query, talked->account);
	query_bind_text(&query, talked->day);
	query_bind_int(&query, talked->seconds);
	return query_run(&query, error);
}

/* By the journal, where there is one: who counts asks once, and knows from then on. */
gboolean
store_abroad_set(Store *store, const char *account, const char *day, gint64 seconds, GError **error)
{
	Talked *talked = g_new(Talked, 1);
	gboolean written;

	*talked = (Talked){ g_strdup(account), g_strdup(day), seconds };
	if (store->journal) {
		journal_post(store->journal, write_talked, talked, talked_free, (Waiting){ 0 });
		return TRUE;
	}
	written = write_talked(store, talked, error);
	talked_free(talked);
	return written;
}
