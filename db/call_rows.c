/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_rows.c - the table of calls: a row is live until its ended_us is set. */
#include <string.h>
#include "db/prune.h"
#include "db/rows.h"

static gpointer
record_from_row(Query *query)
{
	CallRecord *record = g_new0(CallRecord, 1);
	int column = 0;

	record->id = query_int(query, column++);
	record->state = query_text(query, column++);
	record->started_us = query_int(query, column++);
	record->answered_us = query_int(query, column++);
	record->ended_us = query_int(query, column++);
	record->caller = query_text(query, column++);
	record->callee = query_text(query, column++);
	record->user = query_text(query, column++);
	record->caller_plugin = query_text(query, column++);
	record->callee_plugin = query_text(query, column++);
	record->trunk = query_text(query, column++);
	record->reason = query_text(query, column++);
	record->text = query_text(query, column++);
	record->ended_by = query_text(query, column++);
	record->count = (guint)query_int(query, column++);
	record->price = (guint)query_int(query, column++);
	record->currency = query_text(query, column++);
	record->legs = query_text(query, column++);
	record->stats = query_text(query, column++);
	record->ladder = query_text(query, column++);
	return record;
}

/* ?1 … ?19 in the order of the statements below. */
static void
bind_record(Query *query, const CallRecord *record)
{
	query_bind_text(query, record->state);
	query_bind_int(query, record->started_us);
	query_bind_int(query, record->answered_us);
	query_bind_int(query, record->ended_us);
	query_bind_text(query, record->caller);
	query_bind_text(query, record->callee);
	query_bind_text(query, record->user);
	query_bind_text(query, record->caller_plugin);
	query_bind_text(query, record->callee_plugin);
	query_bind_text(query, record->trunk);
	query_bind_text(query, record->legs);
	query_bind_text(query, record->reason);
	query_bind_text(query, record->text);
	query_bind_text(query, record->ended_by);
	query_bind_text(query, record->stats);
	query_bind_text(query, record->ladder);
	query_bind_int(query, record->count);
	query_bind_int(query, record->price);
	query_bind_text(query, record->currency);
}

#define INSERT_COLUMNS                                                                  \
	"INSERT INTO calls (state, started_us, answered_us, ended_us, caller, callee, " \
	"user, caller_plugin, callee_plugin, trunk, legs, reason, text, ended_by, "     \
	"stats, ladder, count, price, currency"
#define INSERT_VALUES                                                                            \
	") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, " \
	"?18, ?19"

gboolean
call_row_insert(Store *store, CallRecord *record, GError **error)
{
	g_auto(Query) query = query_new(store, INSERT_COLUMNS INSERT_VALUES ")");

	bind_record(&query, record);
	if (!query_run(&query, error))
		return FALSE;
	record->id = sqlite3_last_insert_rowid(store->db);
	return TRUE;
}

gboolean
call_row_update(Store *store, const CallRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store, "UPDATE calls SET state = ?1, started_us = ?2, answered_us = ?3, "
		       "ended_us = ?4, caller = ?5, callee = ?6, user = ?7, caller_plugin = ?8, "
		       "callee_plugin = ?9, trunk = ?10, legs = ?11, reason = ?12, text = ?13, "
		       "ended_by = ?14, stats = ?15, ladder = ?16, count = ?17, price = ?18, "
		       "currency = ?19 WHERE id = ?20");

	bind_record(&query, record);
	query_bind_int(&query, record->id);
	if (!query_run(&query, error))
		return FALSE;
	if (store_changes(store) == 1)
		return TRUE;
	g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		    "call %" G_GINT64_FORMAT " does not exist: see 'calls'", record->id);
	return FALSE;
}

gboolean
call_row_put(Store *store, const CallRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store, INSERT_COLUMNS
		", id" INSERT_VALUES
		", ?20) ON CONFLICT (id) DO UPDATE SET state = excluded.state, answered_us = "
		"excluded.answered_us, ended_us = excluded.ended_us, caller = excluded.caller, "
		"callee = excluded.callee, user = excluded.user, caller_plugin = "
		"excluded.caller_plugin, callee_plugin = excluded.callee_plugin, trunk = "
		"excluded.trunk, legs = excluded.legs, reason = excluded.reason, text = "
		"excluded.text, ended_by = excluded.ended_by, stats = excluded.stats, ladder = "
		"excluded.ladder, count = excluded.count, price = excluded.price, currency = "
		"excluded.currency WHERE started_us = excluded.started_us");
	g_auto(Query) other = { 0 };

	bind_record(&query, record);
	query_bind_int(&query, record->id);
	if (!query_run(&query, error))
		return FALSE;
	if (store_changes(store) == 1)
		return TRUE;
	g_warning("call %" G_GINT64_FORMAT
		  " has the id of another call in the database: is the file an older copy?",
		  record->id);
	other = query_new(store, INSERT_COLUMNS INSERT_VALUES ")");
	bind_record(&other, record);
	return query_run(&other, error);
}

CallRecord *
call_row_get(Store *store, gint64 id, GError **error)
{
	g_auto(Query) query = query_new(store, CALL_COLUMNS_WHOLE "WHERE id = ?1");
	QueryResult result;

	query_bind_int(&query, id);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return record_from_row(&query);
	if (result == QUERY_DONE)
		g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
			    "call %" G_GINT64_FORMAT " does not exist: see 'calls'", id);
	return NULL;
}

GPtrArray *
call_rows_collect(Query *query, GError **error)
{
	return query_list(query, record_from_row, (GDestroyNotify)call_record_free, error);
}

GPtrArray *
call_rows_page(Store *store, gint64 before, guint limit, GError **error)
{
	g_auto(Query) query =
		query_new(store, CALL_COLUMNS_BRIEF "WHERE id < ?1 ORDER BY id DESC LIMIT ?2");

	query_bind_int(&query, before);
	query_bind_int(&query, limit);
	return call_rows_collect(&query, error);
}

GPtrArray *
call_rows_open(Store *store, gint64 before, GError **error)
{
	g_auto(Query) query = query_new(store, CALL_COLUMNS_BRIEF
					"WHERE ended_us = 0 AND id < ?1 ORDER BY id DESC");

	query_bind_int(&query, before);
	return call_rows_collect(&query, error);
}

GPtrArray *
call_rows_live(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, CALL_COLUMNS_WHOLE "WHERE ended_us = 0 ORDER BY id");

	return call_rows_collect(&query, error);
}

/* --- what is old --- */

/* Ids grow with time, so the oldest are the first. */
gboolean
call_rows_prune(Store *store, gint64 before, GError **error)
{
	const Pruning pruning = {
		.list = "SELECT id FROM (SELECT id, started_us, ended_us FROM calls WHERE id > ?1 "
			"ORDER BY id LIMIT ?2) WHERE started_us < ?3 AND ended_us <> 0",
		.take = "DELETE FROM calls WHERE id = ?1",
		.before = before * G_USEC_PER_SEC,
	};

	return prune_step(store, &pruning, NULL, error);
}

gboolean
call_rows_prune_ladders(Store *store, gint64 before, gint64 *from, GError **error)
{
	const Pruning pruning = {
		.list = "SELECT id FROM (SELECT id, started_us FROM calls WHERE id > ?1 ORDER BY "
			"id LIMIT ?2) WHERE started_us < ?3",
		.take = "UPDATE calls SET ladder = '' WHERE id = ?1 AND ended_us <> 0 AND ladder "
			"<> ''",
		.before = before * G_USEC_PER_SEC,
	};

	return prune_step(store, &pruning, from, error);
}
