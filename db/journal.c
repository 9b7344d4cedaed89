/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal.c - the signalling thread's side: what waits, and what is said of it. */
#include <string.h>
#include <glib-unix.h>
#include "db/journal_private.h"

#define LATE_US	     G_USEC_PER_SEC /* a second in the queue is worth saying so */
#define MAX_WAITING  200000	    /* refusals beyond are dropped; calls have slots */
#define SPILL_SUFFIX "-spill"

typedef struct {
	guint64 number;
	StoreDoneFunc done;
	gpointer user;
} Durable;

/* --- what the writer says --- */

static void
forget_written(Journal *journal)
{
	Waiting *waiting;

	while ((waiting = g_queue_peek_head(&journal->waiting)) &&
	       waiting->number <= journal->written) {
		g_queue_pop_head(&journal->waiting);
		if (waiting->call)
			journal_call_written(journal, waiting);
		if (waiting->contact)
			journal_contact_written(journal, waiting);
		if (waiting->texts)
			journal_text_written(journal, waiting->number);
		g_free(waiting);
	}
}

static void
on_progress(gpointer reader, gpointer data)
{
	Journal *journal = reader;
	Progress *progress = data;

	if (journal) {
		if (progress->trouble && !journal->trouble)
			journal->late_us = g_get_real_time();
		g_free(journal->trouble);
		journal->trouble = g_steal_pointer(&progress->trouble);
		journal->written = MAX(journal->written, progress->written);
		forget_written(journal);
	}
	g_free(progress->trouble);
	g_free(progress);
}

static void
on_held(gpointer reader, gpointer until)
{
	Journal *journal = reader;

	if (journal)
		journal->held_until = *(gint64 *)until;
	g_free(until);
}

static void
on_synced(gpointer reader, gpointer number)
{
	Journal *journal = reader;
	Durable *first;

	if (journal)
		journal->synced = *(guint64 *)number;
	g_free(number);
	while (journal && (first = g_queue_peek_head(&journal->durable)) &&
	       first->number <= journal->synced) {
		g_queue_pop_head(&journal->durable);
		first->done(first->user);
		g_free(first);
	}
}

gboolean
journal_has_database(const char *path)
{
	g_autofree char *spill = g_strconcat(path, SPILL_SUFFIX, NULL);

	return spill_is_locked(spill);
}

static gboolean
open_spill(Journal *journal, GError **error)
{
	g_autoptr(GError) problem = NULL;

	journal->spill = spill_open(journal->spill_path, &problem);
	g_free(journal->no_spill);
	journal->no_spill = problem ? g_strdup(problem->message) : NULL;
	if (problem)
		g_propagate_error(error, g_steal_pointer(&problem));
	return journal->spill != NULL;
}

static void
on_allocated(gpointer reader, gpointer unused)
{
	Journal *journal = reader;

	if (journal && !journal->spill && open_spill(journal, NULL))
		journal_refill_spill(journal);
}

static gboolean
on_inbox(int fd, GIOCondition condition, gpointer user)
{
	Journal *journal = user;

	mailbox_run(journal->inbox, journal);
	return G_SOURCE_CONTINUE;
}

/* It may recurse: or GLib wakes the loop twice for each dispatch. */
static guint
watch_inbox(Journal *journal)
{
	g_autoptr(GSource) source = g_unix_fd_source_new(mailbox_fd(journal->inbox), G_IO_IN);

	g_source_set_can_recurse(source, TRUE);
	g_source_set_callback(source, G_SOURCE_FUNC(on_inbox), journal, NULL);
	return g_source_attach(source, NULL);
}

/* --- durable changes --- */

gboolean
store_when_durable(Store *store, StoreDoneFunc done, gpointer user)
{
	Journal *journal = store->journal;
	Durable *durable;

	if (!journal || store->commits == store->asked_durable)
		return FALSE;
	store->asked_durable = store->commits;
	durable = g_new(Durable, 1);
	*durable = (Durable){ store->commits, done, user };
	g_queue_push_tail(&journal->durable, durable);
	mailbox_post(journal->outbox, writer_sync,
		     g_memdup2(&durable->number, sizeof durable->number));
	return TRUE;
}

void
store_forget_durable(Store *store, gpointer user)
{
	GList *next;

	if (!store->journal)
		return;
	for (GList *link = store->journal->durable.head; link; link = next) {
		next = link->next;
		if (((Durable *)link->data)->user != user)
			continue;
		g_free(link->data);
		g_queue_delete_link(&store->journal->durable, link);
	}
}

/* --- how it is --- */

static gboolean
is_late(const Journal *journal)
{
	const Waiting *first = g_queue_peek_head((GQueue *)&journal->waiting);

	return journal->trouble || (first && g_get_monotonic_time() - first->since_us > LATE_US);
}

gboolean
store_keeps_calls(Store *store)
{
	Journal *journal = store->journal;

	return !journal || !is_late(journal) || (journal->spill && !journal->spill_full);
}

gboolean
store_keeps_refusals(Store *store)
{
	return !store->journal || store->journal->waiting.length < MAX_WAITING;
}

static char *
spill_status(const Journal *journal)
{
	if (!journal->spill)
		return g_strdup_printf("none (%s)",
				       journal->no_spill ? journal->no_spill : "not made yet");
	return g_strdup_printf("%s%u of %u", journal->spill_full ? "FULL " : "",
			       spill_n_used(journal->spill), spill_n_slots(journal->spill));
}

static char *
written_status(const Journal *journal)
{
	const Waiting *first = g_queue_peek_head((GQueue *)&journal->waiting);
	g_autofree char *spill = spill_status(journal), *since = NULL;
	g_autoptr(GDateTime) time = NULL;
	gint64 us;

	if (!is_late(journal))
		return journal->spill ? g_strdup("written")
				      : g_strdup_printf("written; spill %s", spill);
	us = first ? g_get_real_time() - (g_get_monotonic_time() - first->since_us)
		   : journal->late_us;
	time = g_date_time_new_from_unix_local(us / G_USEC_PER_SEC);
	since = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
	return g_strdup_printf("late since %s (%s), %u waiting, spill %s", since,
			       journal->trouble ? journal->trouble : "the disk is slow",
			       journal->waiting.length, spill);
}

char *
journal_status(const Journal *journal)
{
	char *written = written_status(journal);
	gint64 held = (journal->held_until - g_get_monotonic_time()) / G_USEC_PER_SEC;
	g_autofree char *status = NULL;

	if (!journal->held_until || held < 0)
		return written;
	status = written;
	return g_strdup_printf("%s; the clock has jumped: nothing old is deleted for "
			       "%" G_GINT64_FORMAT " h",
			       status, held / 3600 + 1);
}

char *
store_journal_status(Store *store)
{
	return store->journal ? journal_status(store->journal) : g_strdup("written at once");
}

gint64
store_alive_us(const Store *store)
{
	return store->journal ? store->journal->alive_us : 0;
}

guint64
store_posted(const Store *store)
{
	return store->journal ? store->journal->posted : 0;
}

gboolean
store_is_written(const Store *store, guint64 posted)
{
	return !store->journal || posted <= store->journal->written;
}

guint
store_journal_waiting(const Store *store)
{
	return store->journal ? store->journal->waiting.length : 0;
}

/* --- life --- */

static gint64
highest_id(Store *store, const char *sql)
{
	g_auto(Query) query = query_new(store, sql);

	return query_step(&query, NULL) == QUERY_ROW ? query_int(&query, 0) : 0;
}

/* FALSE: it is another daemon's.  Without a file calls go on; the writer tries again. */
static gboolean
start_spill(Journal *journal, GError **error)
{
	g_autoptr(GError) full = NULL, problem = NULL;

	journal->spill_path = g_strconcat(journal->store->path, SPILL_SUFFIX, NULL);
	if (journal->options.slots == 0)
		return TRUE;
	journal->alive_us = spill_alive_us(journal->spill_path);
	/* what a crash has left is read whether or not there is room for more */
	if (!spill_allocate(journal->spill_path, journal->options.slots, &full))
		g_warning("the spill file, which keeps calls while the database cannot be written, "
			  "cannot be made: %s",
			  full->message);
	if (open_spill(journal, &problem)) {
		journal->last_call = spill_highest(journal->spill);
		return TRUE;
	}
	if (!g_error_matches(problem, STORE_ERROR, STORE_ERROR_IN_USE))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

static gboolean
start_writer(Journal *journal, GError **error)
{
	WriterOptions *options = g_new0(WriterOptions, 1);

	options->path = g_strdup(journal->store->path);
	options->spill_path = g_strdup(journal->spill_path);
	options->spill_slots = journal->spill ? 0 : journal->options.slots;
	options->keep_days = journal->options.keep_days;
	options->hold_seconds = journal->options.hold_seconds;
	options->keep_ladder_days = journal->options.keep_ladder_days;
	options->inbox = journal->outbox;
	options->outbox = journal->inbox;
	options->progress = on_progress;
	options->synced = on_synced;
	options->held = on_held;
	options->allocated = on_allocated;
	if (pthread_create(&journal->thread, NULL, writer_run, options) == 0) {
		pthread_setname_np(journal->thread, "journal");
		return TRUE;
	}
	g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED,
		    "the thread that writes records cannot be started");
	g_free(options->path);
	g_free(options->spill_path);
	g_free(options);
	return FALSE;
}

static void
journal_free(Journal *journal)
{
	if (journal->store->journal == journal)
		journal->store->journal = NULL;
	if (journal->source)
		g_source_remove(journal->source);
	mailbox_free(journal->outbox);
	mailbox_free(journal->inbox);
	g_queue_clear_full(&journal->waiting, g_free);
	g_queue_clear_full(&journal->durable, g_free);
	g_hash_table_unref(journal->calls);
	g_hash_table_unref(journal->contacts);
	journal_texts_free(journal->texts);
	spill_close(journal->spill);
	g_free(journal->spill_path);
	g_free(journal->no_spill);
	g_free(journal->trouble);
	g_free(journal);
}

Journal *
journal_start(Store *store, const JournalOptions *options, GError **error)
{
	Journal *journal = g_new0(Journal, 1);

	journal->store = store;
	journal->options = *options;
	journal->inbox = mailbox_new();
	journal->outbox = mailbox_new();
	g_queue_init(&journal->waiting);
	g_queue_init(&journal->durable);
	journal->calls =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_call_free);
	journal->contacts =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, pending_contact_free);
	journal->texts = journal_texts_new();
	if (!start_spill(journal, error)) {
		journal_free(journal);
		return NULL;
	}
	journal->last_call =
		MAX(journal->last_call,
		    highest_id(store, "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE "
				      "name = 'calls'), 0), coalesce((SELECT max(id) FROM calls), "
				      "0))"));
	journal->last_contact = highest_id(store, "SELECT coalesce(max(id), 0) FROM contacts");
	store->journal = journal;
	store_defer_sync(store);
	if (!start_writer(journal, error)) {
		journal_free(journal);
		return NULL;
	}
	journal->source = watch_inbox(journal);
	journal_recover(journal);
	return journal;
}

gboolean
journal_flush(Journal *journal, guint ms)
{
	gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;

	store_flush_late(journal->store);
	while (journal->waiting.length > 0 && g_get_monotonic_time() < until) {
		mailbox_wait(journal->inbox, 10, FALSE);
		mailbox_run(journal->inbox, journal);
	}
	return journal->waiting.length == 0;
}

void
journal_stop(Journal *journal)
{
	if (!journal)
		return;
	store_flush_late(journal->store);
	mailbox_post(journal->outbox, writer_quit, NULL);
	pthread_join(journal->thread, NULL);
	mailbox_run(journal->inbox, journal);
	if (journal->waiting.length > 0)
		g_warning("%u records are not in the database; %s keeps those of calls",
			  journal->waiting.length, journal->spill_path);
	journal_free(journal);
}
