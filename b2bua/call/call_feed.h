/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_feed.h - which calls have changed lately, for who follows them.
 *
 * The latest CALL_FEED_MOST changes, whoever reads them or not: a reader that is slower is told
 * how many it has missed.  A change costs the same however many readers there are.
 * Thread: signalling.
 */
#pragma once
#include <glib.h>

#define CALL_FEED_MOST 4096

typedef struct CallFeed CallFeed;

CallFeed *call_feed_new(void);
void call_feed_free(CallFeed *feed); /* NULL is fine */
void call_feed_add(CallFeed *feed, gint64 call);
/* Where a reader stands that has read all of it: "1764440000123456.17"; another start of the
 * daemon has other marks.  New. */
char *call_feed_mark(const CallFeed *feed);
/* gint64, the calls that have changed since the mark, each once, those that changed last at
 * the end; of a mark of another start all that are known.  `missed`: changes that are known no
 * more.  NULL: it is no mark. */
GArray *call_feed_since(const CallFeed *feed, const char *mark, guint64 *missed);
