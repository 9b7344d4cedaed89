/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_texts.h - text messages in the store: what was written, and each way that it takes.
 *
 * The journal writes them, sooner than calls: each function that says `written` calls it when
 * what it was given is on the disk (from inside where there is no journal).  What is still to
 * be written is seen by the reads of one text; lists show what is in the database.
 *
 * The words kind, way and state are those of the tables (schema/0022.sql).
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

#define TEXT_QUEUED    "QUEUED"
#define TEXT_SENT      "SENT"
#define TEXT_DELIVERED "DELIVERED"
#define TEXT_FAILED    "FAILED"

typedef struct {
	gint64 id, text; /* made by store_text_put() and store_text_settle() */
	char *kind, *way, *way_key;
	char *account; /* bare JID: for whom, or of a trunk by whom */
	char *peer;    /* the other end, as one word: a conversation is way, key, account, peer */
	char *device;
	char *sender, *recipient; /* as text_address_save() */
	char *about, *body;	  /* or NULL: nothing; the text's own */
	guint part;		  /* of a body that was cut: from 0 */
	gint64 made, changed;	  /* s since 1970 */
	gboolean given;		  /* a plugin has had it */
	char *state, *reason, *words;
} TextDelivery;
void text_delivery_free(TextDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextDelivery, text_delivery_free)

typedef struct {
	gint64 id;		  /* made by store_text_put() */
	char *source, *origin;	  /* unique together */
	gint64 taken, written;	  /* s since 1970: by us; by its author */
	char *direction;	  /* "in", "out", "internal" */
	char *author, *addressee; /* bare JIDs of accounts, or NULL */
	char *device;		  /* of the author, or NULL */
	char *trunk;		  /* it came or goes by, or NULL */
	char *sender, *recipient; /* for people */
	char *peer;		  /* whom the author wrote to, as text_address_save() */
	char *body, *language;	  /* language may be NULL */
	gboolean receipt;	  /* the author wants to know */
	char *state, *reason, *words;
	GPtrArray *deliveries; /* TextDelivery *, by id; owned; of a list NULL */
} TextRecord;
TextRecord *text_record_new(void);
void text_record_free(TextRecord *record); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextRecord, text_record_free)

/* Gives the ids, and writes.  `number` is what withdraws it.  FALSE: it is not written, and never
 * will be; only where there is no journal. */
gboolean store_text_put(Store *store, TextRecord *record, guint64 *number, StoreDoneFunc written,
			gpointer user);
/* It goes away again, written or not; `written` is not called any more. */
void store_text_withdraw(Store *store, gint64 id, guint64 number);
/* A plugin has it from `written` on. */
void store_text_give(Store *store, gint64 delivery, StoreDoneFunc written, gpointer user);
/* The states of the text and of those of its deliveries that are named here, and further
 * deliveries, which get their ids; all or nothing. */
typedef struct {
	TextRecord *record; /* with its state */
	GPtrArray *changed; /* TextDelivery * of the record; borrowed */
	GPtrArray *further; /* TextDelivery *, or NULL */
} TextOutcome;
void
store_text_settle(Store *store, const TextOutcome *outcome, StoreDoneFunc written, gpointer user);
/* No `written` is called any more. */
void store_text_forget(Store *store);

/* --- reading: NULL or 0 and no failure (store_failures()) when there is none --- */
gint64 store_text_find(Store *store, const char *source, const char *origin);
TextRecord *store_text_get(Store *store, gint64 id);
TextRecord *store_text_of_delivery(Store *store, gint64 delivery);
/* How many of the source were taken since; counts up to `most`. */
guint store_text_count(Store *store, const char *source, gint64 since, guint most);
/* TextDelivery *, the QUEUED ones after this id; their bodies are left NULL. */
GPtrArray *store_text_waiting(Store *store, gint64 after, guint limit, GError **error);

/* What is looked for; NULL and 0: whatever it is. */
typedef struct {
	const char *user; /* a bare JID: author or addressee */
	const char *number, *trunk, *state;
	gint64 since; /* s since 1970 */
} TextFilter;
/* Those before text `*before` (G_MAXINT64 at first), newest first, without deliveries: as many as
 * one step finds, perhaps none.  Sets `*before` for the next step; 0: that was all. */
GPtrArray *
store_text_search(Store *store, const TextFilter *filter, gint64 *before, GError **error);
