/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-counters.c - the table of what is counted has no hole and speaks one language. */
#include <string.h>
#include "b2bua/counters.h"

static void
test_rows(void)
{
	for (Counter counter = 0; counter < N_COUNTERS; counter++) {
		const CounterRow *row = counter_row(counter);

		g_assert_nonnull(row->name);
		g_assert_true(g_ascii_islower(row->name[0]));
		g_assert_cmpuint(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"), ==,
				 strlen(row->name));
		g_assert_nonnull(row->help);
		g_assert_true(strlen(row->help) > 10 && !g_str_has_suffix(row->help, "."));
		g_assert_true(row->kind == COUNTER_TOTAL || row->kind == COUNTER_GAUGE);
	}
}

/* What shows the numbers elsewhere has a closed set of labels. */
static void
test_labels(void)
{
	static const char *const labels[] = { "sip", "xmpp", NULL };

	for (Counter counter = 0; counter < N_COUNTERS; counter++) {
		const char *label = counter_row(counter)->label;

		g_assert_true(!label || g_strv_contains(labels, label));
	}
}

static void
test_unique(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (Counter counter = 0; counter < N_COUNTERS; counter++)
		g_assert_true(g_hash_table_add(seen, counter_text(counter)));
	g_assert_true(g_hash_table_contains(seen, "calls"));
	g_assert_true(g_hash_table_contains(seen, "sip wrong_passwords"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/counters/rows", test_rows);
	g_test_add_func("/counters/labels", test_labels);
	g_test_add_func("/counters/unique", test_unique);
	return g_test_run();
}
