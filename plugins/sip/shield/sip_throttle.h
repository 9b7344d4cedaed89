/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_throttle.h - a table of addresses that fail: counted, slowed, ignored, forgotten.
 *
 * Pure: no socket, no clock, no log.  Times are microseconds of one clock of the
 * caller's.  The table has a fixed number of places: a scan from any number of
 * addresses costs no more, the one not seen for the longest makes room.
 * Thread: signalling.
 */
#pragma once
#include <glib.h>

/* An IPv4 address or the first 64 bits of an IPv6 address, which one subscriber has. */
typedef struct {
	guint64 prefix;
	gboolean v6;
} ThrottleKey;

guint throttle_key_hash(gconstpointer key);
gboolean throttle_key_equal(gconstpointer one, gconstpointer other);

typedef struct {
	guint failures; /* so many within window_s: ignored */
	guint window_s;
	guint block_s, max_block_s; /* doubled each time, up to the second */
	guint places;
	guint strangers_a_second;
} ThrottleLimits;

typedef struct Throttle Throttle;

Throttle *throttle_new(const ThrottleLimits *limits);
void throttle_free(Throttle *throttle); /* NULL is fine */

/* It is neither slowed nor ignored, as far as can be said without a clock. */
gboolean throttle_is_free(const Throttle *throttle, const ThrottleKey *key);

/* Whether one more request of this address may be looked at.  An ACK ends what has
 * been looked at already: it is slowed by nothing. */
gboolean throttle_admits(Throttle *throttle, const ThrottleKey *key, gboolean is_ack, gint64 now);

/* Whether the call of one more address that nobody knows may be looked at: so many a
 * second from all of them together, since each may be another. */
gboolean throttle_admits_stranger(Throttle *throttle, gint64 now);

#define THROTTLE_WHOLE 10

typedef struct {
	const char *what;
	guint weight;	 /* THROTTLE_WHOLE: a whole failure; less: that part of one */
	gboolean spared; /* it is slowed at most */
} ThrottleFailure;

/* It has failed.  TRUE: it is ignored from now on. */
gboolean throttle_failed(Throttle *throttle, const ThrottleKey *key, const ThrottleFailure *failure,
			 gint64 now);

/* TRUE: it was in the table. */
gboolean throttle_forget(Throttle *throttle, const ThrottleKey *key);

typedef enum { THROTTLE_COUNTED, THROTTLE_SLOWED, THROTTLE_IGNORED } ThrottleState;

typedef struct {
	ThrottleKey key;
	guint failures;
	ThrottleState state;
	gint64 until;	  /* when its next request is looked at, or the count begins anew */
	const char *what; /* it tried last; borrowed */
} ThrottleRecord;

/* Ignored ones first, the longest not seen first; `now` as everywhere. */
GArray *throttle_list(Throttle *throttle, gint64 now); /* ThrottleRecord */
guint throttle_n_ignored(Throttle *throttle, gint64 now);
guint64 throttle_n_dropped(const Throttle *throttle); /* requests not admitted, so far */
