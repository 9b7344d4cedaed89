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

/* `from` is where the last step stopped, for rows that stay; or NULL.  TRUE: there may be more. */
gboolean prune_step(Store *store, const Pruning *pruning, gint64 *from, GError **error);
