/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_stop.h - live calls ended from above: some, for the operator; all, when the
 * gateway stops.
 *
 * The operator switches off or deletes an account, a number or a trunk: what was allowed to
 * begin must not go on.  calls_end() says how many there were.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/call/call_list.h"

typedef enum {
	CALLS_OF_ACCOUNT,  /* he calls, is called, or has sent it on */
	CALLS_WITH_NUMBER, /* a number of ours is called, or shown to who is called */
	CALLS_BY_TRUNK
} CallsBy;

guint calls_count(Gateway *gateway, CallsBy by, const char *key);
guint calls_end(Gateway *gateway, CallsBy by, const char *key, const char *text); /* both read it */
void calls_end_all(Gateway *gateway, Reason reason);

/* --- the orderly stop --- */

typedef struct Drain Drain;

/* New calls are refused from now on in both directions; `done` is called when
 * the last has ended or after the configured time, when the rest are hung up. */
void calls_drain(Gateway *gateway, void (*done)(gpointer user), gpointer user);
/* At once: no call is left, not even one that waits for its last counters. */
void calls_close(Gateway *gateway);
void drain_free(Drain *drain); /* NULL is fine */
