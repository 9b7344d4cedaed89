/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* records.c - how long it takes to find, sum up and prune records, with a million of them.
 *
 *	bench/records [--records N] [--keep FILE]
 *
 * Prints each search with its time until there are 20 records, or none is left, its longest
 * step (that is what the signalling thread waits for), and how SQLite goes about it.
 */
#include <stdlib.h>
#include <string.h>
#include <glib/gstdio.h>
#include "db/rows.h"

#define WANTED 20
#define USERS  2000
#define YEAR_S (365 * 86400)

static int n_records = 1000000;
static char *keep;

static const GOptionEntry OPTIONS[] = {
	{ "records", 0, 0, G_OPTION_ARG_INT, &n_records, "how many", "N" },
	{ "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "a file that is made once, and used again",
	  "FILE" },
	{ NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* A year of calls of 2,000 users by three trunks; one in five is a call in, one in 50 fails. */
static void
fill(Store *store)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *sql = g_strdup_printf(
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		"INSERT INTO calls (state, started_us, answered_us, ended_us, caller, callee, "
		"user, caller_plugin, callee_plugin, trunk, legs, reason, text, ended_by, stats, "
		"ladder) SELECT 'ENDED', s, CASE WHEN i %% 3 THEN s + 5000000 ELSE 0 END, s + "
		"125000000, CASE WHEN i %% 5 THEN u || '/phone' ELSE '+49301' || (i %% 90000) END, "
		"CASE WHEN i %% 5 THEN '+43' || (i %% 90000) ELSE '+1415' || (1000000 + i %% %d) "
		"END, u, 'xmpp', 'sip', 'trunk' || (i %% 3), '', CASE WHEN i %% 50 = 0 THEN "
		"'media-lost' WHEN i %% 3 THEN 'hangup' ELSE 'no-answer' END, 'The call ended', "
		"'caller', 'port=caller packets_in=100', substr('0\tcaller\tin\tINVITE ' || "
		"hex(zeroblob(300)), 1, 400) FROM (SELECT i, 'user' || (i %% %d) || "
		"'@example.org' AS u, CAST((unixepoch() - %d + i * %f) * 1000000 AS INTEGER) AS s "
		"FROM "
		"(SELECT i FROM n)) ",
		n_records, USERS, USERS, YEAR_S, YEAR_S / (double)n_records);

	/* what the daemon has is enough for it, and slow for this */
	if (!store_execute(store, "PRAGMA cache_size=-500000", &error) ||
	    !store_begin(store, &error) || !store_execute(store, sql, &error) ||
	    !store_commit(store, &error) || !store_execute(store, "PRAGMA cache_size=-256", &error))
		g_error("%s", error->message);
}

static double
ms_since(gint64 start)
{
	return (double)(g_get_monotonic_time() - start) / 1000;
}

static void
search(Store *store, const char *name, const CallFilter *filter)
{
	gint64 start = g_get_monotonic_time(), before = G_MAXINT64;
	double longest = 0, all;
	guint found = 0, steps = 0;

	while (before > 0 && found < WANTED) {
		g_autoptr(GError) error = NULL;
		gint64 step = g_get_monotonic_time();
		g_autoptr(GPtrArray) records = store_call_search(store, filter, &before, &error);

		if (!records)
			g_error("%s", error->message);
		found += records->len;
		longest = MAX(longest, ms_since(step));
		steps++;
	}
	all = ms_since(start);
	g_print("%-28s %7.1f ms  longest step %5.1f ms  %3u steps  %u found%s\n", name, all,
		longest, steps, MIN(found, WANTED), all > 100 ? "  SLOW" : "");
}

static void
print_plans(Store *store)
{
	GHashTableIter iter;
	gpointer sql;

	g_print("\nplans:\n");
	g_hash_table_iter_init(&iter, store->statements);
	while (g_hash_table_iter_next(&iter, &sql, NULL)) {
		g_autofree char *explain = g_strconcat("EXPLAIN QUERY PLAN ", sql, NULL);
		const char *where = strstr(sql, "WHERE");
		sqlite3_stmt *plan = NULL;

		if (sqlite3_prepare_v2(store->db, explain, -1, &plan, NULL) != SQLITE_OK)
			continue;
		while (sqlite3_step(plan) == SQLITE_ROW)
			g_print("  %s\n      %s\n", where ? where : (char *)sql,
				(const char *)sqlite3_column_text(plan, 3));
		sqlite3_finalize(plan);
	}
}

static void
time_usage(Store *store)
{
	gint64 start = g_get_monotonic_time();
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *month = g_date_time_format(now, "%Y-%m"), *after = g_strdup("");
	guint rows = 0, n;

	do {
		g_autoptr(GPtrArray) page =
			store_usage_page(store, NULL, month, after, month, 100, NULL);

		n = page->len;
		rows += n;
		if (n > 0) {
			g_free(after);
			after = g_strdup(((Usage *)page->pdata[n - 1])->account);
		}
	} while (n == 100);
	g_print("%-28s %7.1f ms  %u users\n", "usage of a month", ms_since(start), rows);
}

static void
time_pruning(Store *store)
{
	double longest = 0, all = 0;
	guint steps = 1000;

	store_defer_sync(store); /* as the journal's thread does */
	for (guint i = 0; i < steps; i++) {
		gint64 start = g_get_monotonic_time();

		g_autoptr(GError) error = NULL;
		gboolean more = call_rows_prune(store, store_now() - 86400, &error);

		if (error)
			g_error("pruning: %s", error->message);
		if (!more)
			steps = i + 1;
		longest = MAX(longest, ms_since(start));
		all += ms_since(start);
	}
	g_print("%-28s %7.1f ms a step, the longest %.1f ms, of %u\n", "pruning", all / steps,
		longest, steps);
}

int
main(int argc, char **argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("records-XXXXXX", NULL);
	g_autofree char *path = NULL;
	gboolean is_there;
	char *numbers[] = { (char *)"+14151000500", NULL }, *outside[] = { (char *)"+4342", NULL };
	char *nobody[] = { (char *)"+4900000", NULL };
	const gint64 hour = G_USEC_PER_SEC * (gint64)3600, now = g_get_real_time();
	const struct {
		const char *name;
		CallFilter filter;
	} SEARCHES[] = {
		{ "all", { 0 } },
		{ "a user and his numbers", { .user = "user500@example.org", .numbers = numbers } },
		{ "a user's that failed",
		  { .user = "user500@example.org", .numbers = numbers, .failed = TRUE } },
		{ "a number", { .numbers = outside } },
		{ "a number nobody called", { .numbers = nobody } },
		{ "a trunk", { .trunk = "trunk1" } },
		{ "a trunk that there is not", { .trunk = "trunk9" } },
		{ "a reason", { .reason = "media-lost" } },
		{ "a reason that there is not", { .reason = "security" } },
		{ "failed", { .failed = TRUE } },
		{ "failed, by a trunk", { .failed = TRUE, .trunk = "trunk2" } },
		{ "calls in", { .direction = "in" } },
		{ "live", { .state = CALLS_LIVE } },
		{ "since an hour", { .since_us = now - hour } },
		{ "one hour, half a year ago",
		  { .since_us = now - 4380 * hour, .until_us = now - 4379 * hour } },
		{ "a trunk in that hour",
		  { .trunk = "trunk1",
		    .since_us = now - 4380 * hour,
		    .until_us = now - 4379 * hour } },
	};
	Store *store;

	g_option_context_add_main_entries(context, OPTIONS, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		g_error("%s", error->message);
	path = keep ? g_strdup(keep) : g_build_filename(folder, "records.db", NULL);
	is_there = g_file_test(path, G_FILE_TEST_EXISTS);
	store = store_open(path, &error);
	if (!store)
		g_error("%s", error->message);
	if (!is_there) {
		gint64 start = g_get_monotonic_time();

		fill(store);
		g_print("%d records made in %.1f s\n", n_records, ms_since(start) / 1000);
	}
	for (guint round = 0; round < 2; round++) /* the file is in the memory the second time */
		for (guint i = 0; i < G_N_ELEMENTS(SEARCHES); i++)
			search(store, SEARCHES[i].name, &SEARCHES[i].filter);
	time_usage(store);
	if (!keep)
		time_pruning(store);
	print_plans(store);
	store_close(store);
	if (!keep) {
		static const char *const files[] = { "records.db", "records.db-wal",
						     "records.db-shm" };

		for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
			g_autofree char *file = g_build_filename(folder, files[i], NULL);

			g_unlink(file);
		}
	}
	g_rmdir(folder);
	return 0;
}
