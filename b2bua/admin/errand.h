/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* errand.h - a request that is run without anybody waiting for it.
 *
 * As the control socket does it: a portion of a list a turn of the loop, another try while
 * another process writes, and no answer before a change is on the disk.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/answer.h"

typedef struct Errand Errand;
typedef struct _JsonArray JsonArray;

/* Once, on a later turn of the loop; all is borrowed.  The errand is gone after it. */
typedef void (*ErrandDone)(gpointer user, const Answer *answer, JsonArray *rows, gboolean cut);

/* `actor` and `words` are copied.  At most `max_rows` of a list: then `cut`. */
Errand *errand_new(Gateway *gateway, const Actor *actor, char **words, guint max_rows,
		   ErrandDone done, gpointer user);
void errand_free(Errand *errand); /* before it is done: `done` is not called; NULL is fine */
