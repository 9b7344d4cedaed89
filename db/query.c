/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* query.c - statements and transactions of a store that is open, and what SQLite says. */
#include <string.h>
#include "db/store_private.h"

#define READ_PATIENCE_MS 5 /* only while somebody recovers the WAL does a read wait */

/* --- errors --- */

/* SQLite's words, and what to do about the ones an admin can cure. */
void
store_set_error(const Store *store, GError **error)
{
	int code = sqlite3_errcode(store->db) & 0xff;
	const char *remedy = "";
	gboolean busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;

	if (busy)
		remedy = "; another process holds the file: try again, and end that process if the "
			 "error stays";
	else if (code == SQLITE_FULL)
		remedy = "; make room on that disk";
	else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
		remedy = "; this user must be able to write the file and its folder: while no "
			 "daemon runs, run tandemctl as root or as the user of the daemon";
	else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		remedy = "; keep a copy of the file and restore a backup";
	g_set_error(error, STORE_ERROR, busy ? STORE_ERROR_BUSY : STORE_ERROR_FAILED,
		    "database %s: %s%s", store->path, sqlite3_errmsg(store->db), remedy);
}

gboolean
store_hit_key(const Store *store)
{
	int code = sqlite3_extended_errcode(store->db);

	return code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE;
}

gboolean
store_hit_reference(const Store *store)
{
	int code = sqlite3_extended_errcode(store->db);

	/* an immediate ON DELETE RESTRICT reports itself as a trigger */
	return code == SQLITE_CONSTRAINT_FOREIGNKEY || code == SQLITE_CONSTRAINT_TRIGGER;
}

int
store_changes(const Store *store)
{
	return sqlite3_changes(store->db);
}

gint64
store_now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

/* --- reads in one transaction --- */

static void
end_reading(Store *store)
{
	if (store->reading)
		sqlite3_reset(g_steal_pointer(&store->reading));
}

/* A statement that stays on its first row keeps the transaction open.  Where it cannot be had,
 * each read has its own, and its own error. */
static void
begin_reading(Store *store)
{
	Query query;

	if (store->together == 0 || store->reading || store->depth > 0)
		return;
	query = query_new(store, "SELECT 1 FROM sqlite_schema");
	if (query.statement && sqlite3_step(query.statement) == SQLITE_ROW)
		store->reading = query.statement;
	else
		query_end(&query);
}

void
store_read_together(Store *store)
{
	store->together++;
}

void
store_read_apart(Store *store)
{
	if (--store->together == 0)
		end_reading(store);
}

gboolean
store_execute(Store *store, const char *sql, GError **error)
{
	end_reading(store);
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return TRUE;
	store_set_error(store, error);
	return FALSE;
}

/* --- queries --- */

Query
query_new(Store *store, const char *sql)
{
	sqlite3_stmt *statement = g_hash_table_lookup(store->statements, sql);

	if (!statement && sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					     &statement, NULL) == SQLITE_OK)
		g_hash_table_insert(store->statements, (gpointer)sql, statement);
	return (Query){ .store = store, .statement = statement };
}

void
query_bind_text(Query *query, const char *text)
{
	if (query->statement)
		sqlite3_bind_text(query->statement, ++query->bound, text, -1, SQLITE_STATIC);
}

void
query_bind_int(Query *query, gint64 number)
{
	if (query->statement)
		sqlite3_bind_int64(query->statement, ++query->bound, number);
}

/* A write that fails has its own error, and decides nothing. */
static void
note_failure(Query *query)
{
	Store *store = query->store;

	if (query->statement && !sqlite3_stmt_readonly(query->statement))
		return;
	store->failures++;
	g_free(store->failure);
	store->failure = g_strdup(sqlite3_errmsg(store->db));
}

guint
store_failures(const Store *store)
{
	return store->failures;
}

const char *
store_failure(const Store *store)
{
	return store->failure;
}

/* Before its first step. */
static void
prepare_to(const Query *query)
{
	if (!query->statement || sqlite3_stmt_busy(query->statement))
		return;
	if (sqlite3_stmt_readonly(query->statement))
		begin_reading(query->store);
	else
		end_reading(query->store);
}

QueryResult
query_step(Query *query, GError **error)
{
	int code;

	prepare_to(query);
	code = query->statement ? sqlite3_step(query->statement) : SQLITE_ERROR;
	if (code == SQLITE_ROW)
		return QUERY_ROW;
	if (code == SQLITE_DONE)
		return QUERY_DONE;
	store_set_error(query->store, error);
	note_failure(query);
	return QUERY_FAILED;
}

gboolean
query_run(Query *query, GError **error)
{
	return query_step(query, error) != QUERY_FAILED;
}

char *
query_text(Query *query, int column)
{
	return g_strdup((const char *)sqlite3_column_text(query->statement, column));
}

gint64
query_int(Query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

GPtrArray *
query_list(Query *query, gpointer (*from_row)(Query *query), GDestroyNotify free_one,
	   GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_one);
	QueryResult result;

	while ((result = query_step(query, error)) == QUERY_ROW)
		g_ptr_array_add(list, from_row(query));
	return result == QUERY_DONE ? g_steal_pointer(&list) : NULL;
}

void
query_end(Query *query)
{
	if (!query->statement)
		return;
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
	query->statement = NULL;
}

/* A number from a pragma. */
gboolean
store_pragma(Store *store, const char *sql, gint64 *number, GError **error)
{
	g_auto(Query) query = query_new(store, sql);

	if (query_step(&query, error) != QUERY_ROW)
		return FALSE;
	*number = query_int(&query, 0);
	return TRUE;
}

/* --- transactions --- */

/* IMMEDIATE: a transaction that reads first and writes later could not wait
 * for another writer (SQLITE_BUSY_SNAPSHOT).  Where a journal writes nobody waits. */
static gboolean
begin_outer(Store *store, gboolean quick, GError **error)
{
	gboolean ok;

	if (!quick && !store->sync_deferred &&
	    !store_execute(store, "PRAGMA synchronous=FULL", error))
		return FALSE;
	if (store->journal)
		sqlite3_busy_timeout(store->db, 0);
	ok = store_execute(store, "BEGIN IMMEDIATE", error);
	if (store->journal)
		sqlite3_busy_timeout(store->db, READ_PATIENCE_MS);
	if (!ok && !store->sync_deferred) /* or every later write would wait for the disk */
		store_execute(store, "PRAGMA synchronous=NORMAL", NULL);
	return ok;
}

static gboolean
begin(Store *store, gboolean quick, GError **error)
{
	if (store->depth == 0 ? !begin_outer(store, quick, error)
			      : !store_execute(store, "SAVEPOINT inner", error))
		return FALSE;
	store->depth++;
	return TRUE;
}

gboolean
store_begin(Store *store, GError **error)
{
	return begin(store, FALSE, error);
}

gboolean
store_begin_quick(Store *store, GError **error)
{
	return begin(store, TRUE, error);
}

static void
end_outer(Store *store)
{
	store->depth = 0;
	if (!store->sync_deferred)
		store_execute(store, "PRAGMA synchronous=NORMAL", NULL);
}

gboolean
store_commit(Store *store, GError **error)
{
	if (!store_execute(store, store->depth == 1 ? "COMMIT" : "RELEASE inner", error)) {
		store_rollback(store);
		return FALSE;
	}
	if (store->depth > 1) {
		store->depth--;
		return TRUE;
	}
	store->commits++;
	end_outer(store);
	return TRUE;
}

void
store_rollback(Store *store)
{
	if (store->depth > 1) {
		store_execute(store, "ROLLBACK TO inner; RELEASE inner", NULL);
		store->depth--;
		return;
	}
	store_execute(store, "ROLLBACK", NULL); /* SQLite may have done it */
	end_outer(store);
}

/* No commit of this connection waits for the disk any more: somebody else
 * synchronises.  Nor does one copy the WAL back. */
void
store_defer_sync(Store *store)
{
	store->sync_deferred = TRUE;
	sqlite3_wal_autocheckpoint(store->db, 0);
	if (store->journal)
		sqlite3_busy_timeout(store->db, READ_PATIENCE_MS);
}

gboolean
store_settle(Store *store, gboolean ok, GError **error)
{
	if (ok)
		return store_commit(store, error);
	store_rollback(store);
	return FALSE;
}

void
store_flush_late(Store *store)
{
	if (store->refusals)
		store->flush_refusals(store->refusals);
}
