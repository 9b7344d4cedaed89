/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_calls.c - records of calls that are not in the database yet.
 *
 * They are kept three times until then: here, so that reads see them; in the spill
 * file, for after a crash; in the queue.
 */
#include <string.h>
#include "db/journal_private.h"
#include "db/rows.h"

void
pending_call_free(gpointer data)
{
	PendingCall *pending = data;

	call_record_free(pending->record);
	g_free(pending);
}

static gboolean
write_call(Store *store, gconstpointer record, GError **error)
{
	return call_row_put(store, record, error);
}

static void
free_record(gpointer record)
{
	call_record_free(record);
}

/* A refusal has no legs and may be one of a flood: it takes no slot. */
static gboolean
is_spilled(const CallRecord *record)
{
	return record->count == 0;
}

static void
spill(Journal *journal, const CallRecord *record)
{
	gboolean full;

	if (!journal->spill || !is_spilled(record))
		return;
	full = !spill_put(journal->spill, record);
	if (full && !journal->spill_full && journal->trouble)
		g_warning("the spill file is full and the database cannot be written: calls that "
			  "cost money are refused");
	journal->spill_full = full;
}

static void
wait_for(Journal *journal, const CallRecord *record)
{
	PendingCall *pending = g_new0(PendingCall, 1);

	pending->record = call_record_copy(record);
	pending->number = journal_post(journal, write_call, call_record_copy(record), free_record,
				       (Waiting){ .call = record->id });
	g_hash_table_replace(journal->calls, g_memdup2(&record->id, sizeof record->id), pending);
}

void
journal_call(Journal *journal, const CallRecord *record)
{
	spill(journal, record);
	wait_for(journal, record);
}

void
journal_begin_call(Journal *journal, CallRecord *record)
{
	record->id = ++journal->last_call;
	journal_call(journal, record);
}

void
journal_call_written(Journal *journal, const Waiting *waiting)
{
	PendingCall *pending = g_hash_table_lookup(journal->calls, &waiting->call);

	if (!pending || pending->number != waiting->number)
		return; /* there is a later one */
	if (journal->spill && pending->record->ended_us != 0) {
		spill_drop(journal->spill, waiting->call);
		journal->spill_full = FALSE;
	}
	g_hash_table_remove(journal->calls, &waiting->call);
}

void
journal_recover(Journal *journal)
{
	GPtrArray *records = journal->spill ? spill_records(journal->spill) : NULL;

	for (guint i = 0; records && i < records->len; i++)
		wait_for(journal, records->pdata[i]);
}

void
journal_refill_spill(Journal *journal)
{
	GHashTableIter iter;
	gpointer pending;

	g_hash_table_iter_init(&iter, journal->calls);
	while (g_hash_table_iter_next(&iter, NULL, &pending))
		spill(journal, ((PendingCall *)pending)->record);
}

/* --- reading --- */

CallRecord *
journal_get_call(Journal *journal, gint64 id)
{
	const PendingCall *pending = g_hash_table_lookup(journal->calls, &id);

	return pending ? call_record_copy(pending->record) : NULL;
}

static gint
oldest_first(gconstpointer one, gconstpointer other)
{
	gint64 a = (*(CallRecord *const *)one)->id, b = (*(CallRecord *const *)other)->id;

	return a < b ? -1 : a > b;
}

static gint
newest_first(gconstpointer one, gconstpointer other)
{
	return oldest_first(other, one);
}

void
journal_merge_calls(Journal *journal, GPtrArray *rows, gint64 before, guint limit)
{
	gboolean live = limit == 0;
	GHashTableIter iter;
	gpointer pending;

	if (g_hash_table_size(journal->calls) == 0)
		return;
	for (guint i = rows->len; i-- > 0;)
		if (g_hash_table_contains(journal->calls, &((CallRecord *)rows->pdata[i])->id))
			g_ptr_array_remove_index_fast(rows, i);
	g_hash_table_iter_init(&iter, journal->calls);
	while (g_hash_table_iter_next(&iter, NULL, &pending)) {
		const CallRecord *record = ((PendingCall *)pending)->record;

		if (record->id < before && (!live || record->ended_us == 0))
			g_ptr_array_add(rows, call_record_copy(record));
	}
	g_ptr_array_sort(rows, live ? oldest_first : newest_first);
	if (!live && rows->len > limit)
		g_ptr_array_set_size(rows, (gint)limit);
}
