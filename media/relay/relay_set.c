/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay_set.c - the relays of a thread, in parts that have their ticks together. */
#include "media/relay/relay_private.h"

#define FEW 32 /* relays, that are not worth a wake-up of their own */

RelaySet *
relay_set_new(void)
{
	RelaySet *set = g_new0(RelaySet, 1);

	for (guint i = 0; i < RELAY_PARTS; i++)
		set->parts[i] =
			(RelayPart){ g_ptr_array_new(), g_array_new(FALSE, TRUE, sizeof(gint64)) };
	set->hurrying = g_ptr_array_new();
	return set;
}

void
relay_set_free(RelaySet *set)
{
	for (guint i = 0; i < RELAY_PARTS; i++) {
		g_ptr_array_free(set->parts[i].relays, TRUE);
		g_array_free(set->parts[i].due, TRUE);
	}
	g_ptr_array_free(set->hurrying, TRUE);
	g_free(set);
}

/* The first that has few, or else the one with the least. */
static RelayPart *
find_part(RelaySet *set)
{
	RelayPart *least = &set->parts[0];

	for (guint i = 0; i < RELAY_PARTS; i++) {
		if (set->parts[i].relays->len < FEW)
			return &set->parts[i];
		if (set->parts[i].relays->len < least->relays->len)
			least = &set->parts[i];
	}
	return least;
}

void
relay_register(Relay *relay)
{
	RelayPart *part = find_part(relay->options.set);

	relay->part = part;
	relay->index = part->relays->len;
	g_ptr_array_add(part->relays, relay);
	g_array_set_size(part->due, part->relays->len);
	relay_look(relay);
	/* spread, so that not everybody reports in the same turn */
	relay->next_stats = worker_now(relay->worker) + g_random_int_range(STATS_US / 2, STATS_US);
}

void
relay_unregister(Relay *relay)
{
	RelayPart *part = relay->part;

	g_ptr_array_remove_index_fast(part->relays, relay->index);
	g_array_remove_index_fast(part->due, relay->index);
	if (relay->index < part->relays->len)
		((Relay *)g_ptr_array_index(part->relays, relay->index))->index = relay->index;
	relay->part = NULL;
}

void
relay_set_hurry(Relay *relay, gboolean hurry)
{
	if (hurry)
		g_ptr_array_add(relay->options.set->hurrying, relay);
	else
		g_ptr_array_remove(relay->options.set->hurrying, relay);
}
