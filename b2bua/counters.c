/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* counters.c - the table of counters.h as data. */
#include "b2bua/counters.h"

#define COUNTER_DATA(id, kind_, label_, name_, help_) \
	[COUNTER_##id] = { .name = (name_), .label = (label_), .kind = (kind_), .help = (help_) },

static const CounterRow ROWS[N_COUNTERS] = { COUNTERS(COUNTER_DATA) };

const CounterRow *
counter_row(Counter counter)
{
	return &ROWS[counter];
}

char *
counter_text(Counter counter)
{
	const CounterRow *row = counter_row(counter);

	return g_strconcat(row->label ? row->label : "", row->label ? " " : "", row->name, NULL);
}
