/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_calls.c - calls: a row is live until its ended_us is set.
 *
 * One statement each, hence one transaction each: 0.1 ms in WAL mode.  The row
 * is kept for ever; only an admin's own hands delete one.
 */
#include "db/store_private.h"

#define CALL_COLUMNS                                                                  \
	"SELECT id, state, started_us, answered_us, ended_us, caller, callee, user, " \
	"caller_plugin, callee_plugin, trunk, reason, text, ended_by"
#define CALL_COLUMNS_WHOLE CALL_COLUMNS ", legs, stats, ladder FROM calls "
#define CALL_COLUMNS_BRIEF CALL_COLUMNS ", NULL, NULL, NULL FROM calls "

void
call_record_free(CallRecord *record)
{
	if (!record)
		return;
	g_free(record->state);
	g_free(record->caller);
	g_free(record->callee);
	g_free(record->user);
	g_free(record->caller_plugin);
	g_free(record->callee_plugin);
	g_free(record->trunk);
	g_free(record->legs);
	g_free(record->reason);
	g_free(record->text);
	g_free(record->ended_by);
	g_free(record->stats);
	g_free(record->ladder);
	g_free(record);
}

static CallRecord *
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
	record->legs = query_text(query, column++);
	record->stats = query_text(query, column++);
	record->ladder = query_text(query, column++);
	return record;
}

/* ?1 … ?16 in the order of both statements below. */
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
}

gboolean
store_call_begin(Store *store, CallRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO calls (state, started_us, answered_us, ended_us, caller, callee, "
		"user, caller_plugin, callee_plugin, trunk, legs, reason, text, ended_by, "
		"stats, ladder) VALUES "
		"(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");

	bind_record(&query, record);
	if (!query_run(&query, error))
		return FALSE;
	record->id = sqlite3_last_insert_rowid(store->db);
	return TRUE;
}

gboolean
store_call_update(Store *store, const CallRecord *record, GError **error)
{
	g_auto(Query) query = query_new(
		store, "UPDATE calls SET state = ?1, started_us = ?2, answered_us = ?3, "
		       "ended_us = ?4, caller = ?5, callee = ?6, user = ?7, caller_plugin = ?8, "
		       "callee_plugin = ?9, trunk = ?10, legs = ?11, reason = ?12, text = ?13, "
		       "ended_by = ?14, stats = ?15, ladder = ?16 WHERE id = ?17");

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

CallRecord *
store_call_get(Store *store, gint64 id, GError **error)
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

static GPtrArray *
collect(Query *query, GError **error)
{
	g_autoptr(GPtrArray) records =
		g_ptr_array_new_with_free_func((GDestroyNotify)call_record_free);
	QueryResult result;

	while ((result = query_step(query, error)) == QUERY_ROW)
		g_ptr_array_add(records, record_from_row(query));
	return result == QUERY_DONE ? g_steal_pointer(&records) : NULL;
}

GPtrArray *
store_call_list(Store *store, guint limit, GError **error)
{
	g_auto(Query) query = query_new(store, CALL_COLUMNS_BRIEF "ORDER BY id DESC LIMIT ?1");

	query_bind_int(&query, limit);
	return collect(&query, error);
}

GPtrArray *
store_call_page(Store *store, gint64 before, guint limit, GError **error)
{
	g_auto(Query) query =
		query_new(store, CALL_COLUMNS_BRIEF "WHERE id < ?1 ORDER BY id DESC LIMIT ?2");

	query_bind_int(&query, before);
	query_bind_int(&query, limit);
	return collect(&query, error);
}

GPtrArray *
store_call_list_live(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, CALL_COLUMNS_WHOLE "WHERE ended_us = 0 ORDER BY id");

	return collect(&query, error);
}
