/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_counters.c - the numbers of sip_counters.h. */
#include "plugins/sip/stack/sip_counters.h"
#include <string.h>

static const CounterRow ROWS[N_SIP_COUNTERS] = { SIP_COUNTERS(COUNTER_ROW) };
static guint64 values[N_SIP_COUNTERS];

const CounterSet sip_counters = { ROWS, values, N_SIP_COUNTERS };

void
sip_count(SipCounter counter)
{
	values[counter]++;
}

guint64
sip_counter(SipCounter counter)
{
	return values[counter];
}

void
sip_counters_reset(void)
{
	memset(values, 0, sizeof values);
}
