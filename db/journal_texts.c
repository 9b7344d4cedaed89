/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_texts.c - texts that are not in the database yet, and who waits for that.
 *
 * Nobody waits for the states that follow; until they are written the reads of a text see them
 * here.  Where there is no journal everything is written at once.
 */
#include "db/journal_private.h"

typedef struct {
	TextRecord *record;
	gint withdrawn; /* atomic: the writer looks at it before it writes */
} PutEntry;

typedef struct {
	TextRecord *record; /* of it the id and the state alone */
	GPtrArray *changed, *further;
} SettleEntry;

typedef struct {
	StoreDoneFunc done; /* NULL: nobody waits */
	gpointer user;
	PutEntry *put;	    /* shared with the writer; or NULL */
	GArray *deliveries; /* gint64: their states are in the entry; or NULL */
	gint64 withdrawn;   /* the text that the entry deletes; or 0 */
} Waiter;

typedef struct {
	guint64 number;
	TextDelivery *delivery;
} PendingState;

struct JournalTexts {
	GHashTable *waiters; /* guint64 * → Waiter * */
	GHashTable *states;  /* gint64 * of a delivery → PendingState *, the latest */
	/* Set of gint64 *, ids of texts: they may be in the database until they are deleted. */
	GHashTable *withdrawn;
};

static void
put_entry_clear(gpointer data)
{
	text_record_free(((PutEntry *)data)->record);
}

static void
put_entry_unref(gpointer entry)
{
	g_atomic_rc_box_release_full(entry, put_entry_clear);
}

static void
settle_entry_free(gpointer data)
{
	SettleEntry *entry = data;

	text_record_free(entry->record);
	g_ptr_array_unref(entry->changed);
	g_ptr_array_unref(entry->further);
	g_free(entry);
}

static void
waiter_free(gpointer data)
{
	Waiter *waiter = data;

	if (waiter->put)
		put_entry_unref(waiter->put);
	if (waiter->deliveries)
		g_array_unref(waiter->deliveries);
	g_free(waiter);
}

static void
pending_state_free(gpointer data)
{
	text_delivery_free(((PendingState *)data)->delivery);
	g_free(data);
}

struct JournalTexts *
journal_texts_new(void)
{
	struct JournalTexts *texts = g_new0(struct JournalTexts, 1);

	texts->waiters = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, waiter_free);
	texts->states =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_state_free);
	texts->withdrawn = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return texts;
}

void
journal_texts_free(struct JournalTexts *texts)
{
	if (!texts)
		return;
	g_hash_table_unref(texts->waiters);
	g_hash_table_unref(texts->states);
	g_hash_table_unref(texts->withdrawn);
	g_free(texts);
}

void
journal_text_written(Journal *journal, guint64 number)
{
	struct JournalTexts *texts = journal->texts;
	g_autofree gpointer key = NULL;
	gpointer found = NULL;
	Waiter *waiter;

	if (!g_hash_table_steal_extended(texts->waiters, &number, &key, &found))
		return;
	waiter = found;
	for (guint i = 0; waiter->deliveries && i < waiter->deliveries->len; i++) {
		gint64 id = g_array_index(waiter->deliveries, gint64, i);
		const PendingState *state = g_hash_table_lookup(texts->states, &id);

		if (state && state->number == number)
			g_hash_table_remove(texts->states, &id);
	}
	if (waiter->withdrawn)
		g_hash_table_remove(texts->withdrawn, &waiter->withdrawn);
	if (waiter->done)
		waiter->done(waiter->user);
	waiter_free(waiter);
}

/* --- what the writer does --- */

static gboolean
write_put(Store *store, gconstpointer data, GError **error)
{
	const PutEntry *entry = data;

	return g_atomic_int_get(&entry->withdrawn) || text_row_insert(store, entry->record, error);
}

static gboolean
write_withdrawal(Store *store, gconstpointer id, GError **error)
{
	return text_row_delete(store, *(const gint64 *)id, error);
}

static gboolean
write_gift(Store *store, gconstpointer id, GError **error)
{
	return text_delivery_row_give(store, *(const gint64 *)id, error);
}

static gboolean
write_settled(Store *store, gconstpointer data, GError **error)
{
	const SettleEntry *entry = data;

	if (!text_row_state(store, entry->record, error))
		return FALSE;
	for (guint i = 0; i < entry->changed->len; i++)
		if (!text_delivery_row_state(store, entry->changed->pdata[i], error))
			return FALSE;
	for (guint i = 0; i < entry->further->len; i++)
		if (!text_delivery_row_insert(store, entry->further->pdata[i], error))
			return FALSE;
	return TRUE;
}

/* Takes data and waiter.  FALSE: it is not written. */
static gboolean
post(Store *store, JournalWrite write, gpointer data, GDestroyNotify free, Urgency urgency,
     Waiter *waiter)
{
	Journal *journal = store->journal;
	g_autoptr(GError) error = NULL;
	gboolean ok;

	if (journal) {
		guint64 number = journal_post(journal, write, data, free,
					      (Waiting){ .urgency = urgency, .texts = TRUE });
		g_hash_table_insert(journal->texts->waiters, g_memdup2(&number, sizeof number),
				    waiter);
		return TRUE;
	}
	ok = store_begin(store, &error) && store_settle(store, write(store, data, &error), &error);
	if (!ok)
		g_warning("a text is not written: %s", error->message);
	else if (waiter->done)
		waiter->done(waiter->user);
	waiter_free(waiter);
	free(data);
	return ok;
}

static Waiter *
waiter_new(StoreDoneFunc done, gpointer user)
{
	Waiter *waiter = g_new0(Waiter, 1);

	waiter->done = done;
	waiter->user = user;
	return waiter;
}

/* --- ids --- */

static gint64
next_text(Store *store)
{
	if (store->last_text == 0)
		store->last_text = store_text_highest(store, "texts");
	return ++store->last_text;
}

/* A receiver knows a text by this id: not even an older copy of the database may give one out
 * again, so that the clock is its least. */
static gint64
next_delivery(Store *store)
{
	if (store->last_delivery == 0)
		store->last_delivery =
			MAX(store_text_highest(store, "text_deliveries"), g_get_real_time() / 1000);
	return ++store->last_delivery;
}

/* --- store_texts.h --- */

gboolean
store_text_put(Store *store, TextRecord *record, guint64 *number, StoreDoneFunc written,
	       gpointer user)
{
	Waiter *waiter = waiter_new(written, user);
	PutEntry *entry = g_atomic_rc_box_new0(PutEntry);

	record->id = next_text(store);
	for (guint i = 0; i < record->deliveries->len; i++) {
		TextDelivery *delivery = record->deliveries->pdata[i];

		delivery->id = next_delivery(store);
		delivery->text = record->id;
	}
	entry->record = text_record_copy(record);
	waiter->put = g_atomic_rc_box_acquire(entry);
	*number = store->journal ? store->journal->posted + 1 : 0;
	return post(store, write_put, entry, put_entry_unref, WRITE_TO_DISK, waiter);
}

/* The writer may be about to write it: it takes it away again next. */
void
store_text_withdraw(Store *store, gint64 id, guint64 number)
{
	struct JournalTexts *texts = store->journal ? store->journal->texts : NULL;
	Waiter *put = texts ? g_hash_table_lookup(texts->waiters, &number) : NULL;
	Waiter *waiter = waiter_new(NULL, NULL);

	if (put && put->put) {
		g_atomic_int_set(&put->put->withdrawn, 1);
		put->done = NULL;
	}
	waiter->withdrawn = id;
	if (texts)
		g_hash_table_add(texts->withdrawn, g_memdup2(&id, sizeof id));
	post(store, write_withdrawal, g_memdup2(&id, sizeof id), g_free, WRITE_SOON, waiter);
}

void
store_text_give(Store *store, gint64 delivery, StoreDoneFunc written, gpointer user)
{
	post(store, write_gift, g_memdup2(&delivery, sizeof delivery), g_free, WRITE_TO_DISK,
	     waiter_new(written, user));
}

static void
keep_states(Journal *journal, guint64 number, const GPtrArray *changed)
{
	for (guint i = 0; i < changed->len; i++) {
		const TextDelivery *delivery = changed->pdata[i];
		PendingState *state = g_new0(PendingState, 1);

		state->number = number;
		state->delivery = text_delivery_copy(delivery);
		g_hash_table_replace(journal->texts->states,
				     g_memdup2(&delivery->id, sizeof delivery->id), state);
	}
}

static TextRecord *
state_of(const TextRecord *record)
{
	TextRecord *copy = text_record_new();

	copy->id = record->id;
	copy->state = g_strdup(record->state);
	copy->reason = g_strdup(record->reason);
	copy->words = g_strdup(record->words);
	return copy;
}

void
store_text_settle(Store *store, const TextOutcome *outcome, StoreDoneFunc written, gpointer user)
{
	SettleEntry *entry = g_new0(SettleEntry, 1);
	Waiter *waiter = waiter_new(written, user);

	entry->record = state_of(outcome->record);
	entry->changed = g_ptr_array_new_with_free_func((GDestroyNotify)text_delivery_free);
	entry->further = g_ptr_array_new_with_free_func((GDestroyNotify)text_delivery_free);
	waiter->deliveries = g_array_new(FALSE, FALSE, sizeof(gint64));
	for (guint i = 0; i < outcome->changed->len; i++) {
		const TextDelivery *delivery = outcome->changed->pdata[i];

		g_ptr_array_add(entry->changed, text_delivery_copy(delivery));
		g_array_append_val(waiter->deliveries, delivery->id);
	}
	for (guint i = 0; outcome->further && i < outcome->further->len; i++) {
		TextDelivery *delivery = outcome->further->pdata[i];

		delivery->id = next_delivery(store);
		delivery->text = outcome->record->id;
		g_ptr_array_add(entry->further, text_delivery_copy(delivery));
	}
	if (store->journal)
		keep_states(store->journal, store->journal->posted + 1, outcome->changed);
	post(store, write_settled, entry, settle_entry_free, written ? WRITE_TO_DISK : WRITE_SOON,
	     waiter);
}

void
store_text_forget(Store *store)
{
	GHashTableIter iter;
	gpointer waiter;

	if (!store->journal)
		return;
	g_hash_table_iter_init(&iter, store->journal->texts->waiters);
	while (g_hash_table_iter_next(&iter, NULL, &waiter))
		((Waiter *)waiter)->done = NULL;
}

gint64
store_text_find(Store *store, const char *source, const char *origin)
{
	gint64 id = text_row_find(store, source, origin);

	return store->journal && g_hash_table_contains(store->journal->texts->withdrawn, &id) ? 0
											      : id;
}

/* As it will be. */
static TextRecord *
merged(Store *store, TextRecord *record)
{
	for (guint i = 0; record && store->journal && i < record->deliveries->len; i++) {
		TextDelivery *delivery = record->deliveries->pdata[i];
		const PendingState *late =
			g_hash_table_lookup(store->journal->texts->states, &delivery->id);

		if (!late)
			continue;
		g_free(delivery->state);
		g_free(delivery->reason);
		g_free(delivery->words);
		delivery->state = g_strdup(late->delivery->state);
		delivery->reason = g_strdup(late->delivery->reason);
		delivery->words = g_strdup(late->delivery->words);
		delivery->changed = late->delivery->changed;
	}
	return record;
}

TextRecord *
store_text_get(Store *store, gint64 id)
{
	return merged(store, store_text_read(store, id));
}

TextRecord *
store_text_of_delivery(Store *store, gint64 delivery)
{
	return merged(store, store_text_read_of(store, delivery));
}
