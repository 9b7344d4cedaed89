/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* refusals.h - short records of what was refused before it was a call: by a limit, from
 * a stranger, with a description that cannot be used.
 *
 * Ten of an author in a minute have a row each; what comes after is one row for each
 * author, reason and minute, with a count.  What a flood can write is bounded.
 * Thread: signalling.
 */
#pragma once
#include "db/store.h"

typedef struct Refusals Refusals;

Refusals *refusals_new(Store *store);	/* borrowed */
void refusals_free(Refusals *refusals); /* NULL is fine; flush it first */
/* TRUE: there is room for one more row of his own, and it is taken. */
gboolean refusals_room(Refusals *refusals, const char *author);
/* Who is refused: an account, a trunk, an address. */
gboolean
refusals_note(Refusals *refusals, const CallRecord *record, const char *author, GError **error);
/* Writes the counts that have grown since they were written. */
void refusals_flush(Refusals *refusals);
