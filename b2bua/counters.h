/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* counters.h - what is counted: one row for each number.
 *
 * `status` prints the rows, and /metrics has them as
 * tandem_NAME_total (a counter) and tandem_NAME (a gauge), of a plugin as
 * tandem_PLUGIN_NAME.  The core's own rows are here; a plugin has a CounterSet of its own.  A
 * number is counted by its COUNTER_ID, so that one without a row does not compile.
 * Thread: the tables do not change; who counts is on the signalling thread (the core by
 * gateway_count() and gateway_gauge() in gateway.h).
 */
#pragma once
#include <glib.h>

typedef enum {
	COUNTER_TOTAL, /* since the start; only grows */
	COUNTER_GAUGE, /* now */
} CounterKind;

/* A name is made of a-z and _ and is unique in its table.  The help is a sentence without
 * a full stop. */
typedef struct {
	const char *name;
	CounterKind kind;
	const char *help;
} CounterRow;

/* A table of rows and as many numbers.  A table is a macro TABLE(ROW) of rows
 * ROW(ID, kind, name, help); these two make an enum and an array of it. */
typedef struct {
	const CounterRow *rows;
	guint64 *values;
	guint n;
} CounterSet;

#define COUNTER_ID(id, kind, name, help)     COUNTER_##id,
#define COUNTER_ROW(id, kind_, name_, help_) [COUNTER_##id] = { name_, kind_, help_ },

#define COUNTERS(ROW)                                                                       \
	ROW(CALLS_LIVE, COUNTER_GAUGE, "live_calls", "calls that have not ended")           \
	ROW(CALLS, COUNTER_TOTAL, "calls", "calls that began")                              \
	ROW(CALLS_OVER_LIMIT, COUNTER_TOTAL, "calls_over_limit",                            \
	    "calls refused because the caller, the one called or the gateway has too many") \
	ROW(CALLS_BURIED, COUNTER_TOTAL, "calls_buried",                                    \
	    "calls that a crash had left open and the next start has ended")                \
	ROW(CALLS_ONE_WAY, COUNTER_TOTAL, "calls_one_way",                                  \
	    "answered calls in which one side was not heard for a while")                   \
	ROW(CALLS_DEAD, COUNTER_TOTAL, "calls_dead",                                        \
	    "answered calls in which neither side was heard for a while")                   \
	ROW(CALLS_MOS_BEST, COUNTER_TOTAL, "calls_mos_best",                                \
	    "ended calls whose worst direction had a MOS of 4.34 and more")                 \
	ROW(CALLS_MOS_GOOD, COUNTER_TOTAL, "calls_mos_good",                                \
	    "ended calls whose worst direction had a MOS from 4.03 to 4.34")                \
	ROW(CALLS_MOS_FAIR, COUNTER_TOTAL, "calls_mos_fair",                                \
	    "ended calls whose worst direction had a MOS from 3.60 to 4.03")                \
	ROW(CALLS_MOS_POOR, COUNTER_TOTAL, "calls_mos_poor",                                \
	    "ended calls whose worst direction had a MOS from 3.10 to 3.60")                \
	ROW(CALLS_MOS_BAD, COUNTER_TOTAL, "calls_mos_bad",                                  \
	    "ended calls whose worst direction had a MOS from 2.58 to 3.10")                \
	ROW(CALLS_MOS_USELESS, COUNTER_TOTAL, "calls_mos_useless",                          \
	    "ended calls whose worst direction had a MOS below 2.58")                       \
	ROW(EMERGENCY_CALLS, COUNTER_TOTAL, "emergency_calls",                              \
	    "calls to an emergency number that were let in")                                \
	ROW(EVENTS_IGNORED, COUNTER_TOTAL, "events_ignored",                                \
	    "events that the state of their call has no use for")                           \
	ROW(GUARD_STOPS, COUNTER_TOTAL, "guard_stops",                                      \
	    "limits of the guard that were reached, or ended by the person")                \
	ROW(HOOK_TAKEN, COUNTER_TOTAL, "hook_taken", "ended calls that the hook has taken") \
	ROW(HOOK_FAILURES, COUNTER_TOTAL, "hook_failures",                                  \
	    "tries in which the hook did not take them")                                    \
	ROW(HOOK_DROPPED, COUNTER_TOTAL, "hook_dropped",                                    \
	    "ended calls that the hook will not be told of: too old, too many or refused")  \
	ROW(HOOK_WAITING, COUNTER_GAUGE, "hook_waiting",                                    \
	    "ended calls that the hook has not taken yet")                                  \
	ROW(NOTICES, COUNTER_TOTAL, "notices", "messages to a user about a call")           \
	ROW(NOTICES_OVER_LIMIT, COUNTER_TOTAL, "notices_over_limit",                        \
	    "such messages that were not sent because the user had too many in a minute")   \
	ROW(STORE_ERRORS, COUNTER_TOTAL, "store_errors",                                    \
	    "call records that the database did not take")                                  \
	ROW(STORE_UNREAD, COUNTER_TOTAL, "store_unread",                                    \
	    "decisions made without what the database should have said")

typedef enum { COUNTERS(COUNTER_ID) N_COUNTERS } Counter;

const CounterRow *counter_row(Counter counter);
