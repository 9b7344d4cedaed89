/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_counters.h - what the SIP side counts of its own, beside counters.h.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/counters.h"

#define SIP_COUNTERS(ROW)                                                               \
	ROW(SIP_WRONG_PASSWORDS, COUNTER_TOTAL, "wrong_passwords",                      \
	    "requests with a wrong user name or password")                              \
	ROW(SIP_STRANGERS, COUNTER_TOTAL, "strangers",                                  \
	    "calls of callers who are neither a trunk nor a softphone")                 \
	ROW(SIP_FOREIGN_DIALOGS, COUNTER_TOTAL, "foreign_dialogs",                      \
	    "requests in a dialog that belongs to somebody else")                       \
	ROW(SIP_CALLS_UNACKED, COUNTER_TOTAL, "calls_unacked",                          \
	    "calls refused because their trunk leaves too many answers without an ACK") \
	ROW(SIP_REQUESTS_OVER_RATE, COUNTER_TOTAL, "requests_over_rate",                \
	    "requests that came faster than their sender may")                          \
	ROW(SIP_REGISTRATIONS_OVER_RATE, COUNTER_TOTAL, "registrations_over_rate",      \
	    "registrations that came faster than a softphone may")                      \
	ROW(SIP_SOURCES_IGNORED, COUNTER_TOTAL, "sources_ignored",                      \
	    "addresses that were ignored for a while after too many failures")

typedef enum { SIP_COUNTERS(COUNTER_ID) N_SIP_COUNTERS } SipCounter;

extern const CounterSet sip_counters;

void sip_count(SipCounter counter); /* one more */
guint64 sip_counter(SipCounter counter);
void sip_counters_reset(void); /* the plugin starts */
