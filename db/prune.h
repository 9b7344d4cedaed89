/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* prune.h - one step of taking away what is old, in a transaction of its own.
 *
 * Whatever else is to be written waits for a step, so a step that takes long on this disk takes
 * fewer rows: at least one, and no further one after 4 ms.
 * Thread: the journal's.
 */
#pragma once
#include "db/store_private.h"

typedef struct {
	/* The ids, in their order: ?1 is the id after which they begin, ?2 the most to look at,
	 * ?3 is `before`. */
	const char *list;
	const char *take; /* of the id ?1 */
	gint64 before;	  /* in the unit of the column */
} Pruning;

/* What is old is deleted by a clock that goes on as time does.  After a jump, and at a start that
 * comes long after the last one, nothing is deleted until the clock has gone on so for a day. */
typedef struct {
	gint64 wall, at;    /* at the last look: s since 1970, and monotonic us; 0: none yet */
	gint64 held_until;  /* monotonic us; 0: it is trusted */
	gint64 written;	    /* the row says this: s since 1970 */
	guint hold_seconds; /* 0: a day */
} PruneClock;

/* At each look.  `keep_days`: the shortest time for which anything is kept.  TRUE: something may be
 * deleted. */
gboolean prune_clock_trusts(PruneClock *clock, Store *store, guint keep_days);

/* `from` is where the last step stopped, for rows that stay; or NULL.  TRUE: there may be more. */
gboolean prune_step(Store *store, const Pruning *pruning, gint64 *from, GError **error);
