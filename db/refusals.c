/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* refusals.c - short records of what was refused before it was a call: by a limit, from
 * a stranger, with a description that cannot be used.
 *
 * Ten of an author (an account, a trunk, an address) in a minute have a row each; what comes
 * after is one row for each author, reason and minute, with a count.  What a flood can write
 * is bounded.  A store has its refusals once it was asked for them.
 * Thread: signalling.
 */
#include "db/store_private.h"

#define ROWS_EACH     10   /* of an author in a minute */
#define ROWS_OF_ALL   200  /* of everybody */
#define MAX_AUTHORS   2000 /* who are told apart */
#define FLUSH_SECONDS 5
#define OTHERS	      "others"

typedef struct {
	CallRecord *record;
	guint written; /* the count that its row has */
} Row;

typedef struct Refusals Refusals;

struct Refusals {
	Store *store;
	gint64 minute;	     /* since 1970 */
	guint rows;	     /* of this minute */
	GHashTable *authors; /* char * → guint: rows of their own */
	GHashTable *counted; /* "author\treason" → Row * */
	guint timer;
};

static void
row_free(gpointer data)
{
	Row *row = data;

	call_record_free(row->record);
	g_free(row);
}

/* The row is made the first time, and written over after that. */
static gboolean
write_row(Refusals *refusals, CallRecord *record, GError **error)
{
	if (!store_keeps_refusals(refusals->store))
		return TRUE;
	return record->id ? store_call_update(refusals->store, record, error)
			  : store_call_begin(refusals->store, record, error);
}

static void
refusals_flush(Refusals *refusals)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, refusals->counted);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Row *row = value;
		g_autoptr(GError) error = NULL;

		if (row->written == row->record->count)
			continue;
		row->written = row->record->count;
		if (!write_row(refusals, row->record, &error))
			g_warning("refusals have no record: %s", error->message);
	}
}

static gboolean
on_flush(gpointer user)
{
	Refusals *refusals = user;

	refusals->timer = 0;
	refusals_flush(refusals);
	return G_SOURCE_REMOVE;
}

static void
begin_minute(Refusals *refusals)
{
	gint64 minute = store_now() / 60;

	if (minute == refusals->minute)
		return;
	refusals_flush(refusals);
	refusals->minute = minute;
	refusals->rows = 0;
	g_hash_table_remove_all(refusals->authors);
	g_hash_table_remove_all(refusals->counted);
}

static gboolean
has_room(Refusals *refusals, const char *author)
{
	guint rows;

	begin_minute(refusals);
	rows = GPOINTER_TO_UINT(g_hash_table_lookup(refusals->authors, author));
	if (rows >= ROWS_EACH || refusals->rows >= ROWS_OF_ALL)
		return FALSE;
	g_hash_table_replace(refusals->authors, g_strdup(author), GUINT_TO_POINTER(rows + 1));
	refusals->rows++;
	return TRUE;
}

static void
count(Refusals *refusals, const CallRecord *record, const char *author)
{
	gboolean told_apart = g_hash_table_size(refusals->counted) < MAX_AUTHORS;
	g_autofree char *key = g_strdup_printf("%s\t%s", author, record->reason);
	Row *row = g_hash_table_lookup(refusals->counted, key);

	if (!row && !told_apart) {
		g_free(key);
		key = g_strdup_printf(OTHERS "\t%s", record->reason);
		row = g_hash_table_lookup(refusals->counted, key);
	}
	if (!row) {
		row = g_new0(Row, 1);
		row->record = call_record_copy(record);
		if (!told_apart) {
			g_free(row->record->caller);
			row->record->caller = g_strdup(OTHERS);
			g_clear_pointer(&row->record->user, g_free);
		}
		g_hash_table_insert(refusals->counted, g_steal_pointer(&key), row);
	}
	row->record->count++;
	row->record->ended_us = record->ended_us;
	if (refusals->timer == 0)
		refusals->timer = g_timeout_add_seconds(FLUSH_SECONDS, on_flush, refusals);
}

static void
refusals_free(Refusals *refusals)
{
	g_clear_handle_id(&refusals->timer, g_source_remove);
	g_hash_table_unref(refusals->authors);
	g_hash_table_unref(refusals->counted);
	g_free(refusals);
}

static Refusals *
refusals_new(Store *store)
{
	Refusals *refusals = g_new0(Refusals, 1);

	refusals->store = store;
	refusals->authors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	refusals->counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, row_free);
	return refusals;
}

static Refusals *
refusals_of(Store *store)
{
	if (!store->refusals) {
		store->refusals = refusals_new(store);
		store->flush_refusals = refusals_flush;
		store->free_refusals = refusals_free;
	}
	return store->refusals;
}

/* --- for the core --- */

gboolean
store_call_refused(Store *store, const CallRecord *record, const char *author, GError **error)
{
	Refusals *refusals = refusals_of(store);
	g_autoptr(CallRecord) alone = NULL;

	if (author && !has_room(refusals, author)) {
		count(refusals, record, author);
		return TRUE;
	}
	alone = call_record_copy(record);
	alone->count = 1;
	return write_row(refusals, alone, error);
}

gboolean
store_refusal_room(Store *store, const char *author)
{
	return has_room(refusals_of(store), author);
}

void
store_flush_refusals(Store *store)
{
	refusals_flush(refusals_of(store));
}
