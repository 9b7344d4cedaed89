/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* descriptors.h - file descriptors kept back for calls for help.
 *
 * A call takes DESCRIPTORS_PER_CALL of them, on threads that do not ask first, and some libraries
 * abort where there is none.  So ordinary calls stop some way before the last, and those that are
 * kept here are given back for an emergency call alone. Thread: signalling.
 */
#pragma once
#include <glib.h>

#define DESCRIPTORS_PER_CALL 10

/* At start, once: takes them. */
void descriptors_keep(void);
/* Gives back what is kept, for a call that begins now; taken again after a while. */
void descriptors_give(void);
/* At the end. */
void descriptors_drop(void);

/* TRUE when there are enough for one more ordinary call and all that may be beginning. */
gboolean descriptors_are_left(void);
/* How many the process may have at all. */
guint descriptors_limit(void);
