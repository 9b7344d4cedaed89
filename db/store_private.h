/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_private.h - a query in five calls, for the files of db/ and its tests.
 *
 *	g_auto(Query) query = query_new(store, "SELECT … WHERE jid = ?1");
 *
 *	query_bind_text(&query, jid);
 *	if (query_step(&query, error) == QUERY_ROW)
 *		name = query_text(&query, 0);
 *
 * A statement is prepared at its first use and kept; SQL must be a string
 * literal, since its address is the key.  Parameters are bound in order.
 * Thread: that of the store.
 */
#pragma once
#include <sqlite3.h>
#include "db/store.h"

struct Store {
	sqlite3 *db;
	char *path;
	GHashTable *statements;	   /* SQL literal → sqlite3_stmt */
	guint depth;		   /* of store_begin() */
	guint together;		   /* of store_read_together() */
	sqlite3_stmt *reading;	   /* on its first row: holds a read transaction; or NULL */
	guint failures;		   /* reads that failed, see store_failures() */
	char *failure;		   /* the words of the latest, or NULL */
	struct Journal *journal;   /* what the daemon itself writes goes there, or NULL */
	struct Refusals *refusals; /* NULL: none yet; with its owner's functions */
	void (*flush_refusals)(struct Refusals *refusals);
	void (*free_refusals)(struct Refusals *refusals);
	gboolean sync_deferred;		 /* a commit does not wait for the disk */
	guint64 commits;		 /* outermost */
	guint64 asked_durable;		 /* up to this one somebody waits for the disk */
	gint64 last_text, last_delivery; /* ids given out of texts; 0: not asked yet */
};

typedef enum { QUERY_DONE, QUERY_ROW, QUERY_FAILED } QueryResult;

typedef struct {
	Store *store;
	sqlite3_stmt *statement; /* NULL: it could not be prepared; query_step() says why */
	int bound;
} Query;

Query query_new(Store *store, const char *sql);
void query_bind_text(Query *query, const char *text); /* NULL is NULL; borrowed until the end */
void query_bind_int(Query *query, gint64 number);
QueryResult query_step(Query *query, GError **error);
/* A statement that returns no row. */
gboolean query_run(Query *query, GError **error);
char *query_text(Query *query, int column); /* newly allocated; NULL for NULL */
gint64 query_int(Query *query, int column);
/* All its rows, each as `from_row` makes it; NULL: it has failed. */
GPtrArray *query_list(Query *query, gpointer (*from_row)(Query *query), GDestroyNotify free_one,
		      GError **error);
void query_end(Query *query);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Query, query_end)

/* SQL that returns nothing, and is not kept. */
gboolean store_execute(Store *store, const char *sql, GError **error);
/* A number from a pragma. */
gboolean store_pragma(Store *store, const char *sql, gint64 *number, GError **error);
/* SQLite's words for what just failed, and what to do about it. */
void store_set_error(const Store *store, GError **error);

/* Whether the statement that just failed hit a PRIMARY KEY or UNIQUE, or a
 * foreign key: said by SQLite's extended code. */
gboolean store_hit_key(const Store *store);
gboolean store_hit_reference(const Store *store);
int store_changes(const Store *store);
gint64 store_now(void); /* s since 1970 */

/* From now on no commit waits for the disk: somebody else synchronises. */
void store_defer_sync(Store *store);
/* What is counted and has grown since is written now. */
void store_flush_late(Store *store);

CallRecord *call_record_copy(const CallRecord *record);
Contact *contact_copy(const Contact *contact);

/* --- migrations: schema.c, made from schema/NNNN.sql --- */
extern const char *const store_migrations[];
extern const int store_n_migrations;
/* As store_open(), stopping at a schema version: for the tests of migrations. */
Store *store_open_version(const char *path, int version, GError **error);
