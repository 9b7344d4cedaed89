/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* counters.h - what the gateway counts: one row for each number.
 *
 * `status` prints the rows, and whatever shows the same numbers elsewhere makes its names of
 * them: tandem_NAME_total{plugin="LABEL"} of a counter, tandem_NAME of a gauge.  A number is
 * counted by its COUNTER_ID, so that one without a row does not compile.  What a plugin or
 * the media keep as numbers of their own is not here.
 * Thread: any; the table does not change.  Who counts is on the signalling thread
 * (gateway_count(), gateway_gauge() in gateway.h).
 */
#pragma once
#include <glib.h>

typedef enum {
	COUNTER_TOTAL, /* since the start; only grows */
	COUNTER_GAUGE, /* now */
} CounterKind;

/* ID, kind, label (the plugin that counts; NULL: the core), name, help.  A name is made of
 * a-z and _ and is unique beside its label.  The help is a sentence without a full stop. */
#define COUNTERS(ROW)                                                                       \
	ROW(CALLS_LIVE, COUNTER_GAUGE, NULL, "live_calls", "calls that have not ended")     \
	ROW(CALLS, COUNTER_TOTAL, NULL, "calls", "calls that began")                        \
	ROW(CALLS_OVER_LIMIT, COUNTER_TOTAL, NULL, "calls_over_limit",                      \
	    "calls refused because the caller, the one called or the gateway has too many") \
	ROW(CALLS_BURIED, COUNTER_TOTAL, NULL, "calls_buried",                              \
	    "calls that a crash had left open and the next start has ended")                \
	ROW(CALLS_ONE_WAY, COUNTER_TOTAL, NULL, "calls_one_way",                            \
	    "answered calls in which one side was not heard for a while")                   \
	ROW(CALLS_DEAD, COUNTER_TOTAL, NULL, "calls_dead",                                  \
	    "answered calls in which neither side was heard for a while")                   \
	ROW(CALLS_MOS_BEST, COUNTER_TOTAL, NULL, "calls_mos_best",                          \
	    "ended calls whose worst direction had a MOS of 4.34 and more")                 \
	ROW(CALLS_MOS_GOOD, COUNTER_TOTAL, NULL, "calls_mos_good",                          \
	    "ended calls whose worst direction had a MOS from 4.03 to 4.34")                \
	ROW(CALLS_MOS_FAIR, COUNTER_TOTAL, NULL, "calls_mos_fair",                          \
	    "ended calls whose worst direction had a MOS from 3.60 to 4.03")                \
	ROW(CALLS_MOS_POOR, COUNTER_TOTAL, NULL, "calls_mos_poor",                          \
	    "ended calls whose worst direction had a MOS from 3.10 to 3.60")                \
	ROW(CALLS_MOS_BAD, COUNTER_TOTAL, NULL, "calls_mos_bad",                            \
	    "ended calls whose worst direction had a MOS from 2.58 to 3.10")                \
	ROW(CALLS_MOS_USELESS, COUNTER_TOTAL, NULL, "calls_mos_useless",                    \
	    "ended calls whose worst direction had a MOS below 2.58")                       \
	ROW(EMERGENCY_CALLS, COUNTER_TOTAL, NULL, "emergency_calls",                        \
	    "calls to an emergency number that were let in")                                \
	ROW(EVENTS_IGNORED, COUNTER_TOTAL, NULL, "events_ignored",                          \
	    "events that the state of their call has no use for")                           \
	ROW(NOTICES, COUNTER_TOTAL, NULL, "notices", "messages to a user about a call")     \
	ROW(NOTICES_OVER_LIMIT, COUNTER_TOTAL, NULL, "notices_over_limit",                  \
	    "such messages that were not sent because the user had too many in a minute")   \
	ROW(STORE_ERRORS, COUNTER_TOTAL, NULL, "store_errors",                              \
	    "call records that the database did not take")                                  \
	ROW(STORE_UNREAD, COUNTER_TOTAL, NULL, "store_unread",                              \
	    "decisions made without what the database should have said")                    \
	ROW(SIP_WRONG_PASSWORDS, COUNTER_TOTAL, "sip", "wrong_passwords",                   \
	    "requests with a wrong user name or password")                                  \
	ROW(SIP_STRANGERS, COUNTER_TOTAL, "sip", "strangers",                               \
	    "calls of callers who are neither a trunk nor a softphone")                     \
	ROW(SIP_FOREIGN_DIALOGS, COUNTER_TOTAL, "sip", "foreign_dialogs",                   \
	    "requests in a dialog that belongs to somebody else")                           \
	ROW(SIP_CALLS_UNACKED, COUNTER_TOTAL, "sip", "calls_unacked",                       \
	    "calls refused because their trunk leaves too many answers without an ACK")     \
	ROW(SIP_REQUESTS_OVER_RATE, COUNTER_TOTAL, "sip", "requests_over_rate",             \
	    "requests that came faster than their sender may")                              \
	ROW(SIP_REGISTRATIONS_OVER_RATE, COUNTER_TOTAL, "sip", "registrations_over_rate",   \
	    "registrations that came faster than a softphone may")                          \
	ROW(SIP_SOURCES_IGNORED, COUNTER_TOTAL, "sip", "sources_ignored",                   \
	    "addresses that were ignored for a while after too many failures")              \
	ROW(XMPP_STRANGERS, COUNTER_TOTAL, "xmpp", "strangers",                             \
	    "requests, messages and calls of senders who are no users")                     \
	ROW(XMPP_STANZAS_DROPPED, COUNTER_TOTAL, "xmpp", "stanzas_dropped",                 \
	    "stanzas without an address, to another domain, or that cannot be read")        \
	ROW(XMPP_BAD_JINGLE, COUNTER_TOTAL, "xmpp", "bad_jingle",                           \
	    "Jingle requests that cannot be read")                                          \
	ROW(XMPP_OFFERS_REFUSED, COUNTER_TOTAL, "xmpp", "offers_refused",                   \
	    "calls whose offer has nothing that the gateway can use")                       \
	ROW(XMPP_TEXTS_REFUSED, COUNTER_TOTAL, "xmpp", "texts_refused",                     \
	    "chat messages to numbers that do not take any")                                \
	ROW(XMPP_PRESENCE_REFUSED, COUNTER_TOTAL, "xmpp", "presence_refused",               \
	    "presence and subscriptions of senders who may not have them")

#define COUNTER_ID(id, kind, label, name, help) COUNTER_##id,
typedef enum { COUNTERS(COUNTER_ID) N_COUNTERS } Counter;
#undef COUNTER_ID

typedef struct {
	const char *name, *label; /* label NULL: the core counts */
	CounterKind kind;
	const char *help;
} CounterRow;

const CounterRow *counter_row(Counter counter);
/* "sip wrong_passwords", "calls": as `status` says it. */
char *counter_text(Counter counter);
