/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_rate.h - a table of buckets: who asks faster than he may.
 *
 * Pure: no socket, no clock, no log.  Times are microseconds of one clock of the
 * caller's.  The table has a fixed number of places; the one not seen for the longest makes
 * room, so nobody has more by it than what is there at once for a new one.
 * Thread: signalling.
 */
#pragma once
#include <glib.h>

#define RATE_TOLD_S 60 /* so long after the last request that was too much it is listed */

/* Whoever is counted, and what for; the unused bytes are 0. */
typedef struct {
	guint8 bytes[24];
} RateKey;

typedef struct {
	guint a_second, at_once; /* at_once: what has not been used is there */
} Rate;

/* One bucket by itself: `paid` is the time that is paid for, before now; 0 is a full one.
 * FALSE: there is nothing in it. */
gboolean rate_pays(gint64 *paid, const Rate *rate, gint64 now);

typedef struct RateTable RateTable;

RateTable *rate_table_new(guint places);
void rate_table_free(RateTable *table); /* NULL is fine */

typedef enum {
	RATE_FITS,
	RATE_OVER,
	RATE_NEWLY_OVER /* and nothing was too much for RATE_TOLD_S before it */
} RateVerdict;

/* `what` it was, for a person. */
RateVerdict
rate_take(RateTable *table, const RateKey *key, const Rate *rate, const char *what, gint64 now);

typedef struct {
	RateKey key;
	guint64 dropped;  /* since it has been listed */
	gint64 until;	  /* when it is no more */
	const char *what; /* borrowed */
} RateRecord;

GArray *rate_list(const RateTable *table, gint64 now); /* RateRecord, those that are over */
guint64 rate_n_dropped(const RateTable *table);	       /* so far, of all */

/* Full buckets again. */
void rate_forget(RateTable *table, const RateKey *key);
void rate_forget_all(RateTable *table);
