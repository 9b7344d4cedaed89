/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal.h - what the daemon itself writes: calls, registrations, subscriptions.
 *
 * One writer thread with a connection of its own takes it from a queue, in order, a
 * transaction for all that has come together.  A caller never waits: not for a
 * lock that another process holds, not for the disk.  What is still in the queue is
 * seen by every read of the store, as if it were written already.
 *
 * A call's record is in the spill file (spill.h) before the function that wrote it
 * returns, and until the end of the call is in the database.  So each leg can be ended
 * after a crash at any instant, whether or not the database can be written; nothing
 * that is said on the wire has to wait for a commit.
 *
 * The writer also brings commits to the disk within 5 s, and deletes what is older
 * than it may be.
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

typedef struct Journal Journal;

typedef struct {
	guint slots;	    /* of the spill file; 0: none, for tests */
	guint keep_days;    /* records; 0: for ever */
	guint hold_seconds; /* after a jump of the clock nothing is deleted; 0: a day; for tests */
	guint keep_ladder_days; /* and what was said when in them; 0: as long as they */
} JournalOptions;

/* From now on the store hands its calls, contacts and subscribers over, and a change of
 * users, numbers or trunks is brought to the disk by the writer: store_when_durable()
 * says when.  What a crash has left in the spill file is read first. */
Journal *journal_start(Store *store, const JournalOptions *options, GError **error);
/* Writes what waits, for some seconds at most; the rest stays in the spill file. */
void journal_stop(Journal *journal); /* NULL is fine */

/* A daemon runs with the database at `path`, whether it can be reached or not. */
gboolean journal_has_database(const char *path);

/* FALSE: it was not all written within so many ms.  For tests and the end. */
gboolean journal_flush(Journal *journal, guint ms);
/* "written", or "late since 12:34:56 (why), 7 waiting, spill 9 of 2064".  New. */
char *journal_status(const Journal *journal);
