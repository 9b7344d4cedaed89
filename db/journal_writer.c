/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_writer.c - the thread that writes, synchronises and deletes what is old.
 *
 * Entries wait in a list; all of them are written in one transaction, or none when
 * SQLite cannot: then they are tried again, in the same order.  An entry that is wrong
 * by itself (its softphone is gone) is dropped.
 * Thread: the journal's.
 */
#include <string.h>
#include "db/journal_private.h"
#include "db/prune.h"
#include "db/rows.h"

#define LOCK_MS	     100   /* waited for another process at a time */
#define LOG_PAGES    1000  /* 4 MB: a burst must not fill with its log what a small disk has left */
#define RETRY_MS     100   /* between tries */
#define COLLECT_MS   250   /* from the first entry on: a client says several things in that time */
#define CALLS_MS     1000  /* likewise of calls: a commit writes a dozen pages at least */
#define SYNC_MS	     3000  /* from a commit until it is on the disk: 5 s at most */
#define PRUNE_MS     60000 /* between looks for what is old */
#define PRUNE_NEXT   25	   /* when there was more */
#define SPILL_MS     10000 /* until its file is tried again */
#define BEAT_MS	     60000 /* between two words that the process runs */
#define GIVE_UP_MS   3000  /* at the end */
#define BATCH	     500   /* entries of a transaction */
#define US	     1000
#define HOUR_SECONDS 3600
#define DAY_SECONDS  86400
#define LOSS_DAYS    7 /* of b2bua/transcoding.h: nobody asks for what is older */

typedef struct {
	WriterOptions options;
	Store *store;	     /* NULL: it could not be opened yet */
	GQueue entries;	     /* Entry *, oldest first */
	GHashTable *by_call; /* gint64 * of the entry → its GList * */
	guint64 sync_wanted; /* 0: nobody waits */
	gboolean dirty, quit;
	char *trouble;
	gint64 now, write_at, sync_at, prune_at, spill_at, give_up; /* monotonic, us */
	gint64 beat_at;
	PruneClock clock;
	gint64 pruned_ladder; /* up to this id */
	gint64 prune_loss_at; /* s since 1970 */
} Writer;

void
entry_free(Entry *entry)
{
	if (entry->free)
		entry->free(entry->data);
	g_free(entry);
}

/* --- what is posted --- */

/* While SQLite refuses, nothing is tried before its time. */
static void
hurry(Writer *writer, const Entry *entry)
{
	const gint64 now = g_get_monotonic_time();
	const gint64 at = now + (entry->urgency != WRITE_LATER ? 0
				 : entry->call		       ? CALLS_MS
							       : COLLECT_MS) *
					US;

	if (writer->entries.length == 0)
		writer->write_at = writer->trouble ? MAX(writer->write_at, at) : at;
	else if (!writer->trouble)
		writer->write_at = MIN(writer->write_at, at);
}

/* It takes the place of an earlier one of the same call, and its number is the later:
 * numbers are only looked at when all up to one are written. */
void
writer_take(gpointer reader, gpointer data)
{
	Writer *writer = reader;
	Entry *entry = data;
	GList *before;

	if (!writer) { /* nobody will write it */
		entry_free(entry);
		return;
	}
	before = entry->call ? g_hash_table_lookup(writer->by_call, &entry->call) : NULL;
	if (before) {
		g_hash_table_remove(writer->by_call, &entry->call);
		entry_free(before->data);
		before->data = entry;
		g_hash_table_insert(writer->by_call, &entry->call, before);
		return;
	}
	hurry(writer, entry);
	g_queue_push_tail(&writer->entries, entry);
	if (entry->call)
		g_hash_table_insert(writer->by_call, &entry->call, writer->entries.tail);
}

void
writer_sync(gpointer reader, gpointer number)
{
	Writer *writer = reader;

	if (writer)
		writer->sync_wanted = *(guint64 *)number;
	g_free(number);
}

void
writer_quit(gpointer reader, gpointer unused)
{
	Writer *writer = reader;

	if (!writer)
		return;
	writer->quit = TRUE;
	writer->give_up = g_get_monotonic_time() + GIVE_UP_MS * US;
}

/* --- writing --- */

static void
say_progress(Writer *writer, guint64 written, const char *trouble)
{
	Progress *progress = g_new0(Progress, 1);

	progress->written = written;
	progress->trouble = g_strdup(trouble);
	mailbox_post(writer->options.outbox, writer->options.progress, progress);
}

static void
set_trouble(Writer *writer, const char *trouble)
{
	if (g_strcmp0(writer->trouble, trouble) == 0)
		return;
	if (trouble)
		g_warning("records are late: %s", trouble);
	else
		g_message("records are written again");
	g_free(writer->trouble);
	writer->trouble = g_strdup(trouble);
	say_progress(writer, 0, trouble);
}

/* By itself: writing it again would fail again. */
static gboolean
is_wrong(Store *store, const GError *error)
{
	int code = sqlite3_errcode(store->db) & 0xff;

	if (g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND))
		return TRUE;
	return !g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY) &&
	       (code == SQLITE_CONSTRAINT || code == SQLITE_TOOBIG || code == SQLITE_MISMATCH);
}

static gboolean
write_entry(Writer *writer, const Entry *entry, GError **error)
{
	g_autoptr(GError) problem = NULL;

	if (entry->write(writer->store, entry->data, &problem))
		return TRUE;
	if (problem && is_wrong(writer->store, problem)) {
		g_warning("not written: %s", problem->message);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* Whether somebody waits for the disk with one of the first so many. */
static gboolean
is_for_disk(const Writer *writer, guint n)
{
	const GList *link = writer->entries.head;

	for (guint i = 0; i < n; i++, link = link->next)
		if (((const Entry *)link->data)->urgency == WRITE_TO_DISK)
			return TRUE;
	return FALSE;
}

static gboolean
write_in_one(Writer *writer, guint n, guint64 *last, GError **error)
{
	GList *link = writer->entries.head;

	if (!store_begin(writer->store, error))
		return FALSE;
	for (guint i = 0; i < n; i++, link = link->next) {
		const Entry *entry = link->data;

		if (!write_entry(writer, entry, error)) {
			store_rollback(writer->store);
			return FALSE;
		}
		*last = MAX(*last, entry->number);
	}
	return store_commit(writer->store, error);
}

/* A commit with synchronous=FULL takes all that was committed before it along. */
static gboolean
write_entries(Writer *writer, guint n, guint64 *last, GError **error)
{
	gboolean ok;

	writer->store->sync_deferred = !is_for_disk(writer, n);
	ok = write_in_one(writer, n, last, error);
	writer->store->sync_deferred = TRUE;
	return ok;
}

static gboolean
open_store(Writer *writer, GError **error)
{
	if (writer->store)
		return TRUE;
	writer->store = store_open(writer->options.path, error);
	if (!writer->store)
		return FALSE;
	store_defer_sync(writer->store);
	sqlite3_busy_timeout(writer->store->db, LOCK_MS);
	sqlite3_wal_autocheckpoint(writer->store->db, LOG_PAGES);
	return TRUE;
}

/* What has a later number than those that are left is not told of yet. */
static guint64
told_up_to(const Writer *writer, guint64 last)
{
	for (GList *link = writer->entries.head; link; link = link->next)
		last = MIN(last, ((const Entry *)link->data)->number - 1);
	return last;
}

static void
write_batch(Writer *writer)
{
	guint n = MIN(writer->entries.length, BATCH);
	g_autoptr(GError) error = NULL;
	guint64 last = 0;

	if (!open_store(writer, &error) || !write_entries(writer, n, &last, &error)) {
		set_trouble(writer, error ? error->message : "unknown");
		writer->write_at = g_get_monotonic_time() + RETRY_MS * US;
		return;
	}
	set_trouble(writer, NULL);
	while (n-- > 0) {
		Entry *entry = g_queue_pop_head(&writer->entries);

		if (entry->call)
			g_hash_table_remove(writer->by_call, &entry->call);
		entry_free(entry);
	}
	if (!writer->dirty)
		writer->sync_at = writer->now + SYNC_MS * US;
	writer->dirty = TRUE;
	say_progress(writer, told_up_to(writer, last), NULL);
}

/* --- beside it --- */

static void
sync_now(Writer *writer)
{
	g_autoptr(GError) error = NULL;
	gboolean whole = FALSE, ok = open_store(writer, &error);

	ok = ok && store_sync(writer->store, &whole, &error);
	if (!ok)
		g_warning("%s", error->message);
	writer->dirty = !ok || !whole;
	writer->sync_at = g_get_monotonic_time() + SYNC_MS * US;
	if (writer->sync_wanted) {
		mailbox_post(writer->options.outbox, writer->options.synced,
			     g_memdup2(&writer->sync_wanted, sizeof writer->sync_wanted));
		writer->sync_wanted = 0;
	}
}

/* For status: until when nothing old is deleted. */
static void
tell_held(Writer *writer, gint64 before)
{
	if (writer->clock.held_until != before)
		mailbox_post(writer->options.outbox, writer->options.held,
			     g_memdup2(&writer->clock.held_until, sizeof(gint64)));
}

static gboolean
trusts_clock(Writer *writer)
{
	const guint days = writer->options.keep_days, ladders = writer->options.keep_ladder_days;
	const gint64 before = writer->clock.held_until;
	gboolean trusts =
		prune_clock_trusts(&writer->clock, writer->store,
				   days && ladders ? MIN(days, ladders) : MAX(days, ladders));

	tell_held(writer, before);
	return trusts;
}

static void
prune(Writer *writer)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	guint days = writer->options.keep_days, ladder_days = writer->options.keep_ladder_days;
	g_autoptr(GError) error = NULL;
	gboolean more = FALSE;

	if (open_store(writer, &error) && !trusts_clock(writer)) {
		writer->prune_at =
			MIN(g_get_monotonic_time() + PRUNE_MS * US, writer->clock.held_until);
		return;
	}
	if (!error && writer->store && days > 0)
		more = call_rows_prune(writer->store, now - (gint64)days * DAY_SECONDS, &error);
	if (!error && writer->store && days > 0)
		more |= text_rows_prune(writer->store, now - (gint64)days * DAY_SECONDS, &error);
	if (!error && writer->store && ladder_days > 0)
		more |= call_rows_prune_ladders(writer->store,
						now - (gint64)ladder_days * DAY_SECONDS,
						&writer->pruned_ladder, &error);
	if (!error && writer->store && now >= writer->prune_loss_at) {
		loss_rows_prune(writer->store, now - LOSS_DAYS * DAY_SECONDS, &error);
		writer->prune_loss_at = now + HOUR_SECONDS;
	}
	if (error)
		g_debug("old records: %s", error->message); /* there is a next time */
	writer->dirty = TRUE;
	writer->prune_at = g_get_monotonic_time() + (more ? PRUNE_NEXT : PRUNE_MS) * US;
}

static void
allocate_spill(Writer *writer)
{
	g_autoptr(GError) error = NULL;

	writer->spill_at = g_get_monotonic_time() + SPILL_MS * US;
	if (!spill_allocate(writer->options.spill_path, writer->options.spill_slots, &error))
		return;
	writer->options.spill_slots = 0;
	mailbox_post(writer->options.outbox, writer->options.allocated, NULL);
}

/* Calls that a crash leaves end when this was said last. */
static void
beat(Writer *writer)
{
	if (g_file_test(writer->options.spill_path, G_FILE_TEST_EXISTS))
		spill_beat(writer->options.spill_path);
	writer->beat_at = g_get_monotonic_time() + BEAT_MS * US;
}

/* --- the thread --- */

static gboolean
prunes(const Writer *writer)
{
	return !writer->trouble;
}

static int
timeout(const Writer *writer)
{
	gint64 until = G_MAXINT64;

	if (writer->entries.length > 0)
		until = MIN(until, writer->write_at);
	if (writer->dirty)
		until = MIN(until, writer->sync_at);
	if (prunes(writer))
		until = MIN(until, writer->prune_at);
	if (writer->options.spill_slots > 0)
		until = MIN(until, writer->spill_at);
	until = MIN(until, writer->beat_at);
	return (int)CLAMP((until - g_get_monotonic_time() + 999) / 1000, 0, 60000);
}

/* What is posted of calls waits as long anyhow. */
static gboolean
looks_soon(const Writer *writer)
{
	return writer->entries.length > 0;
}

static gboolean
is_done(const Writer *writer)
{
	return writer->quit && (writer->entries.length == 0 || writer->now >= writer->give_up);
}

static void
turn(Writer *writer)
{
	if (writer->entries.length > 0 && (writer->now >= writer->write_at || writer->quit))
		write_batch(writer);
	if (writer->sync_wanted || (writer->dirty && writer->now >= writer->sync_at))
		sync_now(writer);
	if (prunes(writer) && writer->now >= writer->prune_at)
		prune(writer);
	if (writer->options.spill_slots > 0 && writer->now >= writer->spill_at)
		allocate_spill(writer);
	if (writer->now >= writer->beat_at)
		beat(writer);
}

static void
free_entry(gpointer entry)
{
	entry_free(entry);
}

void *
writer_run(void *options)
{
	Writer *writer = g_new0(Writer, 1);

	writer->options = *(WriterOptions *)options;
	writer->clock.hold_seconds = writer->options.hold_seconds;
	g_free(options);
	g_queue_init(&writer->entries);
	writer->by_call = g_hash_table_new(g_int64_hash, g_int64_equal);
	writer->prune_at = g_get_monotonic_time() + PRUNE_NEXT * US;
	while (!is_done(writer)) {
		mailbox_wait(writer->options.inbox, writer->quit ? RETRY_MS : timeout(writer),
			     looks_soon(writer));
		mailbox_run(writer->options.inbox, writer);
		writer->now = g_get_monotonic_time();
		turn(writer);
	}
	if (writer->dirty)
		sync_now(writer);
	beat(writer);
	g_queue_clear_full(&writer->entries, free_entry);
	g_hash_table_unref(writer->by_call);
	store_close(writer->store);
	g_free(writer->trouble);
	g_free(writer->options.path);
	g_free(writer->options.spill_path);
	g_free(writer);
	return NULL;
}
