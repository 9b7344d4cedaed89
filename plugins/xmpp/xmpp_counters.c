/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_counters.c - the numbers of xmpp_counters.h. */
#include "plugins/xmpp/xmpp_counters.h"
#include <string.h>

static const CounterRow ROWS[N_XMPP_COUNTERS] = { XMPP_COUNTERS(COUNTER_ROW) };
static guint64 values[N_XMPP_COUNTERS];

const CounterSet xmpp_counters = { ROWS, values, N_XMPP_COUNTERS };

void
xmpp_count(XmppCounter counter)
{
	values[counter]++;
}

void
xmpp_counters_reset(void)
{
	memset(values, 0, sizeof values);
}
