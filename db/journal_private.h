/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* journal_private.h - the inside of the journal, for the files of db/.
 *
 * Entry and what is said of it go by mailboxes between the signalling thread (Journal)
 * and the writer (Writer); each owns what it has in its hands.
 * Thread: each function says which of the two.
 */
#pragma once
#include <pthread.h>
#include "db/journal.h"
#include "db/mailbox.h"
#include "db/spill.h"
#include "db/store_private.h"
#include "db/text_rows.h"

/* Done on the writer's connection, inside a transaction; may be run again. */
typedef gboolean (*JournalWrite)(Store *store, gconstpointer data, GError **error);

/* How long an entry may wait for others, and who waits for it. */
typedef enum {
	WRITE_LATER, /* of calls a second, of others a quarter: what comes meanwhile goes along */
	WRITE_SOON,
	WRITE_TO_DISK /* soon, and "written" means that it outlives a power cut */
} Urgency;

typedef struct {
	guint64 number; /* in the order posted, from 1 */
	Urgency urgency;
	gint64 call; /* what is written later of the same call takes its place; 0: none */
	JournalWrite write;
	gpointer data;
	GDestroyNotify free;
} Entry;

void entry_free(Entry *entry);

/* --- thread: signalling --- */

/* Something that waits, and under which key it is to be found meanwhile. */
typedef struct {
	guint64 number;
	gint64 since_us;      /* monotonic */
	gint64 call, contact; /* 0: none */
	Urgency urgency;
	gboolean texts; /* somebody may wait for it in Journal.texts */
} Waiting;

typedef struct {
	guint64 number;
	CallRecord *record;
} PendingCall;

typedef struct {
	guint64 number;
	Contact *contact; /* NULL: it is gone */
	gint64 softphone;
} PendingContact;

struct Journal {
	Store *store;
	JournalOptions options;
	char *spill_path;
	Mailbox *inbox, *outbox; /* from and to the writer */
	guint source;
	pthread_t thread;
	guint64 posted, written, synced;
	GQueue waiting; /* Waiting *, oldest first */
	char *trouble;	/* why nothing can be written now, or NULL */
	gint64 late_us; /* since when, real time */

	GHashTable *calls;		/* gint64 * → PendingCall * */
	GHashTable *contacts;		/* gint64 * → PendingContact * */
	gint64 last_call, last_contact; /* ids given out */
	struct JournalTexts *texts;

	Spill *spill; /* NULL: there is none */
	gboolean spill_full;
	gint64 held_until; /* monotonic: nothing old is deleted; 0: it is */
	gint64 alive_us;   /* of the process before: spill_alive_us() */
	char *no_spill;	   /* why there is none */
	GQueue durable;	   /* Durable *, who waits for a change to be on the disk */
};

/* --- journal_post.c: takes data; returns its number --- */
guint64 journal_post(Journal *journal, JournalWrite write, gpointer data, GDestroyNotify free,
		     Waiting about);

/* --- journal_calls.c --- */
void journal_begin_call(Journal *journal, CallRecord *record); /* gives the id */
void journal_call(Journal *journal, const CallRecord *record);
void journal_call_written(Journal *journal, const Waiting *waiting);
void journal_recover(Journal *journal);	     /* what was in the spill file */
void journal_refill_spill(Journal *journal); /* a new one, with what waits */
void pending_call_free(gpointer pending);
/* A copy; NULL: what the database has is the latest. */
CallRecord *journal_get_call(Journal *journal, gint64 id);
/* Rows read from the database, as they will be.  `limit` 0: only live ones, oldest first;
 * otherwise newest first, of those before call `before`. */
void journal_merge_calls(Journal *journal, GPtrArray *rows, gint64 before, guint limit);

/* --- journal_texts.c --- */
struct JournalTexts *journal_texts_new(void);
void journal_texts_free(struct JournalTexts *texts);
void journal_text_written(Journal *journal, guint64 number);

/* --- journal_contacts.c --- */
gboolean journal_put_contact(Journal *journal, const Contact *contact, GError **error);
void journal_del_contact(Journal *journal, gint64 id, gint64 softphone);
void journal_expire_contacts(Journal *journal);
void journal_forget_softphone(Journal *journal, gint64 softphone);
void journal_contact_written(Journal *journal, const Waiting *waiting);
void pending_contact_free(gpointer pending);
typedef gboolean (*ContactFilter)(const Contact *contact, gconstpointer what);
/* Those of a softphone, as they will be. */
GPtrArray *journal_contacts_of(Journal *journal, gint64 softphone, GError **error);
void
journal_merge_contacts(Journal *journal, GPtrArray *rows, ContactFilter filter, gconstpointer what);
/* How many more there are than have a row, of which `highest` is the latest. */
gint64 journal_new_contacts(const Journal *journal, gint64 highest);

/* --- journal_writer.c; thread: the journal's --- */
typedef struct {
	char *path; /* of the database */
	char *spill_path;
	guint spill_slots; /* 0: there is one already */
	guint keep_days, keep_ladder_days, hold_seconds;
	Mailbox *inbox, *outbox;
	/* Run by the reader of the outbox, with what is posted there. */
	MailFunc progress;  /* a Progress *, owned */
	MailFunc synced;    /* a guint64 *, owned: the number of writer_sync() */
	MailFunc held;	    /* a gint64 *, owned: PruneClock.held_until */
	MailFunc allocated; /* NULL: the spill file is there */
} WriterOptions;
void *writer_run(void *options); /* takes them */
/* Posted to it; the first owns its data. */
void writer_take(gpointer writer, gpointer entry);
void writer_sync(gpointer writer, gpointer number); /* a guint64 *, owned */
void writer_quit(gpointer writer, gpointer unused);

/* What it posts back. */
typedef struct {
	guint64 written; /* up to this entry */
	char *trouble;	 /* or why not */
} Progress;
