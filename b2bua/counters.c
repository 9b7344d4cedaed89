/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* counters.c - the core's table of counters.h as data. */
#include "b2bua/counters.h"

static const CounterRow ROWS[N_COUNTERS] = { COUNTERS(COUNTER_ROW) };

const CounterRow *
counter_row(Counter counter)
{
	return &ROWS[counter];
}
