/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-counters.c - the tables of what is counted have no hole and speak one language. */
#include <string.h>
#include "b2bua/counters.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/xmpp/xmpp_counters.h"

static void
assert_row(const CounterRow *row)
{
	g_assert_nonnull(row->name);
	g_assert_true(g_ascii_islower(row->name[0]));
	g_assert_cmpuint(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), ==, strlen(row->name));
	g_assert_nonnull(row->help);
	g_assert_true(strlen(row->help) > 10 && !g_str_has_suffix(row->help, "."));
	g_assert_true(row->kind == COUNTER_TOTAL || row->kind == COUNTER_GAUGE);
}

static void
test_core(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (Counter counter = 0; counter < N_COUNTERS; counter++) {
		assert_row(counter_row(counter));
		g_assert_true(g_hash_table_add(seen, (gpointer)counter_row(counter)->name));
	}
	g_assert_true(g_hash_table_contains(seen, "calls"));
}

static void
assert_set(const CounterSet *set)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	g_assert_cmpuint(set->n, >, 0);
	for (guint i = 0; i < set->n; i++) {
		assert_row(&set->rows[i]);
		g_assert_true(g_hash_table_add(seen, (gpointer)set->rows[i].name));
	}
}

static void
test_plugins(void)
{
	assert_set(&sip_counters);
	assert_set(&xmpp_counters);
	sip_count(COUNTER_SIP_STRANGERS);
	g_assert_cmpuint(sip_counters.values[COUNTER_SIP_STRANGERS], ==, 1);
	g_assert_cmpstr(sip_counters.rows[COUNTER_SIP_STRANGERS].name, ==, "strangers");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/counters/core", test_core);
	g_test_add_func("/counters/plugins", test_plugins);
	return g_test_run();
}
