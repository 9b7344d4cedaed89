/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call.h - a call: the caller's leg, the callees' legs, one media, one state.
 *
 * Read call_table.c first: the state table and its actions stand there.  A call is
 * made by call_new() (leg.h) and frees itself when it has ended, its queue is
 * empty and its last counters have come; nobody else holds one longer than a function.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

typedef enum {
	CALL_SETUP,
	CALL_CALLING,
	CALL_RINGING,
	CALL_CONNECTING,
	CALL_ACTIVE,
	CALL_CHANGING,
	CALL_TRANSFERRING,
	CALL_ENDED,
	N_CALL_STATES
} CallState;

const char *call_state_name(CallState state);

gint64 call_id(const Call *call);
const char *call_user(const Call *call); /* account it counts for, or NULL */
/* The flight recorder so far, in the form of CallRecord.ladder. */
char *call_ladder(const Call *call);
/* What was measured of the audio over time, in lines to follow call_ladder(), each of one side
 * and the seconds since the line of that side before it (media/series.h):
 * "caller in 250 3 1.2 4.10 out 250 - - - rtt 41.0": packets and lost ones, ms of jitter, MOS;
 * ms; "-": not known. */
char *call_series(const Call *call);
/* "key=value" list, one line a port. */
char *call_stats(const Call *call);

/* The wall clock when the call was made, and what has passed since: a clock that is set meanwhile
 * makes no call longer, shorter or dearer. */
gint64 call_now_us(const Call *call);

/* "the callee is not heard: nothing comes from …", or "dead: …"; NULL: its audio is in order. */
char *call_trouble(const Call *call);
/* Words for it; NULL: it is encrypted, as far as that is ours to say. */
const char *call_in_the_clear(const Call *call);

/* Ends it from above: the operator, a limit, the shutdown. */
void call_hangup(Call *call, Reason reason, const char *text);
