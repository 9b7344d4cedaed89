/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_counters.h - what the XMPP side counts of its own, beside counters.h.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/counters.h"

#define XMPP_COUNTERS(ROW)                                                                       \
	ROW(XMPP_STRANGERS, COUNTER_TOTAL, "strangers",                                          \
	    "requests, messages and calls of senders who are no users")                          \
	ROW(XMPP_STANZAS_DROPPED, COUNTER_TOTAL, "stanzas_dropped",                              \
	    "stanzas without an address, to another domain, or that cannot be read")             \
	ROW(XMPP_BAD_JINGLE, COUNTER_TOTAL, "bad_jingle", "Jingle requests that cannot be read") \
	ROW(XMPP_OFFERS_REFUSED, COUNTER_TOTAL, "offers_refused",                                \
	    "calls whose offer has nothing that the gateway can use")                            \
	ROW(XMPP_TEXTS_REFUSED, COUNTER_TOTAL, "texts_refused",                                  \
	    "chat messages that are no texts, or not taken")                                     \
	ROW(XMPP_PRESENCE_REFUSED, COUNTER_TOTAL, "presence_refused",                            \
	    "presence and subscriptions of senders who may not have them")

typedef enum { XMPP_COUNTERS(COUNTER_ID) N_XMPP_COUNTERS } XmppCounter;

extern const CounterSet xmpp_counters;

void xmpp_count(XmppCounter counter); /* one more */
void xmpp_counters_reset(void);	      /* the plugin starts */
