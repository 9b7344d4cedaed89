/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* catchup.h - speech that came before it could be passed on: kept, and played a
 * little fast until nothing of it is left.
 *
 * G.711 in, G.711 out, 8000 samples a second.  Speech is played 25 % fast.  Gaps between
 * timestamps become silence; of a long silence most is left out, and where there is the
 * noise of a line instead, it is played at twice its speed.  Allocates when it is made and, inside
 * libsonic, while it plays.
 * Thread: one at a time (pure).
 */
#pragma once
#include "media/g711.h"

#define CATCHUP_FRAME 160		  /* samples of 20 ms */
#define CATCHUP_KEEP  (3 * 8000)	  /* samples: the oldest go when there are more */
#define CATCHUP_LAST  (8 * CATCHUP_FRAME) /* room for the last pull */

typedef struct Catchup Catchup;
Catchup *catchup_new(void);
void catchup_free(Catchup *catchup); /* NULL is fine */

/* A packet as it came; one that is late is dropped. */
void catchup_push(Catchup *catchup, Law law, guint32 timestamp, const guint8 *payload, gsize size);
/* Keeps the newest `samples` of what waits. */
void catchup_trim(Catchup *catchup, guint samples);
/* The next 20 ms; samples written to `out`.  With `last` set there may be none or
 * several times 20 ms, the end of what there was: what comes now may be passed on as
 * it is. */
gsize catchup_pull(Catchup *catchup, Law law, guint8 out[CATCHUP_LAST], gboolean *last);
/* The timestamp that follows what was pushed. */
guint32 catchup_next_timestamp(const Catchup *catchup);
guint catchup_waiting(const Catchup *catchup); /* samples kept */
