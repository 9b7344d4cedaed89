/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_calls.c - records of calls, by the journal where there is one.
 *
 * The journal is what writes then, and what it has not written yet is laid over what is read.
 */
#include "db/journal_private.h"
#include "db/rows.h"

#define MAX_OPEN 100000

gboolean
store_call_begin(Store *store, CallRecord *record, GError **error)
{
	if (!store->journal)
		return call_row_insert(store, record, error);
	journal_begin_call(store->journal, record);
	return TRUE;
}

gboolean
store_call_update(Store *store, const CallRecord *record, GError **error)
{
	if (!store->journal)
		return call_row_update(store, record, error);
	journal_call(store->journal, record);
	return TRUE;
}

CallRecord *
store_call_get(Store *store, gint64 id, GError **error)
{
	CallRecord *late = store->journal ? journal_get_call(store->journal, id) : NULL;

	return late ? late : call_row_get(store, id, error);
}

GPtrArray *
store_call_list(Store *store, guint limit, GError **error)
{
	return store_call_page(store, G_MAXINT64, limit, error);
}

GPtrArray *
store_call_list_open(Store *store, gint64 before, GError **error)
{
	GPtrArray *records = call_rows_open(store, before, error);

	if (records && store->journal)
		journal_merge_calls(store->journal, records, before, MAX_OPEN);
	for (guint i = records ? records->len : 0; i-- > 0;) {
		const CallRecord *record = records->pdata[i];

		if (record->ended_us != 0 || record->id >= before)
			g_ptr_array_remove_index(records, i);
	}
	return records;
}

GPtrArray *
store_call_page(Store *store, gint64 before, guint limit, GError **error)
{
	GPtrArray *records = call_rows_page(store, before, limit, error);

	if (records && store->journal)
		journal_merge_calls(store->journal, records, before, limit);
	return records;
}

GPtrArray *
store_call_list_live(Store *store, GError **error)
{
	GPtrArray *records = call_rows_live(store, error);

	if (records && store->journal)
		journal_merge_calls(store->journal, records, G_MAXINT64, 0);
	return records;
}
