/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-sip-throttle.c - who is slowed, who is ignored and for how long. */
#include "plugins/sip/shield/sip_throttle.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define T0     (1000 * SECOND)
#define DAY    (24 * 3600 * SECOND)

static const ThrottleLimits limits = { 4, 100, 60, 200, 8, 50 };
static const ThrottleKey one = { 0x0a000001, FALSE }, other = { 0x0a000002, FALSE };

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Throttle, throttle_free)

static gboolean
fail(Throttle *table, const ThrottleKey *key, gint64 now)
{
	return throttle_failed(table, key,
			       &(ThrottleFailure){ "INVITE 100", THROTTLE_WHOLE, FALSE }, now);
}

static gboolean
admits(Throttle *table, const ThrottleKey *key, gint64 now)
{
	return throttle_admits(table, key, FALSE, now);
}

/* All that it takes, at one instant; TRUE with the last alone. */
static void
fail_until_ignored(Throttle *table, const ThrottleKey *key, gint64 now)
{
	for (guint i = 1; i < limits.failures; i++)
		g_assert_false(fail(table, key, now));
	g_assert_true(fail(table, key, now));
}

static ThrottleRecord
only_record(Throttle *table, gint64 now)
{
	g_autoptr(GArray) records = throttle_list(table, now);

	g_assert_cmpuint(records->len, ==, 1);
	return g_array_index(records, ThrottleRecord, 0);
}

static void
test_slowed_then_ignored(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);
	ThrottleRecord record;

	g_assert_true(admits(table, &one, T0));
	g_assert_false(fail(table, &one, T0));
	g_assert_true(admits(table, &one, T0));
	g_assert_cmpint(only_record(table, T0).state, ==, THROTTLE_COUNTED);
	g_assert_false(fail(table, &one, T0));
	/* half of them: one request in half a second, and none in between */
	g_assert_cmpint(only_record(table, T0).state, ==, THROTTLE_SLOWED);
	g_assert_false(admits(table, &one, T0 + SECOND / 2 - 1));
	g_assert_true(throttle_admits(table, &one, TRUE, T0)); /* an ACK */
	g_assert_false(throttle_is_free(table, &one));
	g_assert_true(admits(table, &one, T0 + SECOND / 2));
	g_assert_false(admits(table, &one, T0 + SECOND / 2));
	g_assert_true(admits(table, &one, T0 + SECOND));
	/* and each failure doubles it */
	g_assert_false(fail(table, &one, T0 + SECOND));
	g_assert_false(admits(table, &one, T0 + 2 * SECOND - 1));
	g_assert_true(admits(table, &one, T0 + 2 * SECOND));
	g_assert_true(fail(table, &one, T0 + 2 * SECOND));
	record = only_record(table, T0 + 2 * SECOND);
	g_assert_cmpint(record.state, ==, THROTTLE_IGNORED);
	g_assert_cmpint(record.until, ==, T0 + 62 * SECOND);
	g_assert_cmpuint(record.failures, ==, 4);
	g_assert_cmpstr(record.what, ==, "INVITE 100");
	g_assert_false(admits(table, &one, T0 + 62 * SECOND - 1));
	g_assert_false(throttle_admits(table, &one, TRUE, T0 + 61 * SECOND));
	g_assert_true(throttle_is_free(table, &other));
	g_assert_true(admits(table, &other, T0 + 3 * SECOND));
	g_assert_true(admits(table, &one, T0 + 62 * SECOND));
	g_assert_cmpuint(throttle_n_ignored(table, T0 + 62 * SECOND), ==, 0);
	g_assert_cmpuint(throttle_n_dropped(table), ==, 5);
}

static void
test_block_doubles_up_to_the_limit(void)
{
	static const guint expected[] = { 60, 120, 200, 200 };
	g_autoptr(Throttle) table = throttle_new(&limits);
	gint64 now = T0;

	for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
		fail_until_ignored(table, &one, now);
		g_assert_cmpint(only_record(table, now).until, ==, now + expected[i] * SECOND);
		now += expected[i] * SECOND;
		g_assert_true(admits(table, &one, now));
	}
	/* who was quiet for long enough begins anew */
	now += limits.max_block_s * SECOND + 1;
	fail_until_ignored(table, &one, now);
	g_assert_cmpint(only_record(table, now).until, ==, now + 60 * SECOND);
}

static void
test_window(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);

	for (gint64 i = 0; i < 20; i++) /* three in each window */
		g_assert_false(fail(table, &one, T0 + i * 34 * SECOND));
	g_assert_cmpuint(only_record(table, T0 + 19 * 34 * SECOND).failures, <, 4);
}

static void
test_success_and_lift(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);

	fail_until_ignored(table, &one, T0);
	g_assert_true(throttle_forget(table, &one));
	g_assert_false(throttle_forget(table, &one));
	g_assert_true(admits(table, &one, T0));
	/* the doubling is forgotten as well */
	fail_until_ignored(table, &one, T0);
	g_assert_cmpint(only_record(table, T0).until, ==, T0 + 60 * SECOND);
}

static void
test_spared_is_slowed_at_most(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);

	for (guint i = 0; i < 1000; i++)
		g_assert_false(throttle_failed(
			table, &one, &(ThrottleFailure){ "OPTIONS", THROTTLE_WHOLE, TRUE }, T0));
	g_assert_cmpint(only_record(table, T0).state, ==, THROTTLE_SLOWED);
	g_assert_true(admits(table, &one, T0 + 8 * SECOND));
	g_assert_false(admits(table, &one, T0 + 16 * SECOND - 1));
}

static void
test_late_failures_do_not_lengthen_a_block(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);

	fail_until_ignored(table, &one, T0);
	for (guint i = 0; i < 10; i++)
		g_assert_false(fail(table, &one, T0 + SECOND));
	g_assert_cmpint(only_record(table, T0 + SECOND).until, ==, T0 + 60 * SECOND);
}

static void
test_scan_takes_no_more_places(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);
	g_autoptr(GArray) records = NULL;

	fail_until_ignored(table, &one, T0);
	for (guint i = 0; i < 100000; i++) {
		ThrottleKey key = { 0x7f000000 + i, FALSE };

		g_assert_true(admits(table, &key, T0 + i));
		g_assert_false(fail(table, &key, T0 + i));
	}
	records = throttle_list(table, T0 + SECOND);
	g_assert_cmpuint(records->len, ==, limits.places);
	/* the block has stayed, the rest are the last that were seen */
	g_assert_false(admits(table, &one, T0 + SECOND));
	for (guint i = 1; i < records->len; i++)
		g_assert_cmpuint(g_array_index(records, ThrottleRecord, i).key.prefix, ==,
				 0x7f000000 + 100000 - limits.places + i);
}

static void
test_nothing_but_blocks(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);

	for (guint i = 0; i < 2 * limits.places; i++) {
		ThrottleKey key = { i, TRUE };

		fail_until_ignored(table, &key, T0 + i);
	}
	g_assert_cmpuint(throttle_n_ignored(table, T0 + SECOND), ==, limits.places);
	for (guint i = 0; i < 2 * limits.places; i++) {
		ThrottleKey key = { i, TRUE };

		g_assert_cmpint(admits(table, &key, T0 + SECOND), ==, i < limits.places);
	}
}

static void
test_families_differ(void)
{
	g_autoptr(Throttle) table = throttle_new(&limits);
	ThrottleKey v6 = { one.prefix, TRUE };

	fail_until_ignored(table, &one, T0);
	g_assert_true(admits(table, &v6, T0));
}

/* Four seconds' worth at once, then as many as the clock allows; a day of peace buys
 * no more. */
static void
test_strangers(void)
{
	g_autoptr(Throttle) throttle = throttle_new(&limits);
	gint64 now = 5 * DAY;
	guint admitted = 0;

	for (guint i = 0; i < 1000; i++)
		admitted += throttle_admits_stranger(throttle, now);
	g_assert_cmpuint(admitted, ==, 200);
	g_assert_cmpuint(throttle_n_dropped(throttle), ==, 800);
	for (guint i = 0; i < 500; i++) {
		now += G_USEC_PER_SEC / 500;
		admitted += throttle_admits_stranger(throttle, now);
	}
	g_assert_cmpuint(admitted, ==, 250);
	now += DAY;
	for (guint i = 0; i < 1000; i++)
		admitted += throttle_admits_stranger(throttle, now);
	g_assert_cmpuint(admitted, ==, 450);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/throttle/slowed-then-ignored", test_slowed_then_ignored);
	g_test_add_func("/throttle/doubles", test_block_doubles_up_to_the_limit);
	g_test_add_func("/throttle/window", test_window);
	g_test_add_func("/throttle/success", test_success_and_lift);
	g_test_add_func("/throttle/spared", test_spared_is_slowed_at_most);
	g_test_add_func("/throttle/late", test_late_failures_do_not_lengthen_a_block);
	g_test_add_func("/throttle/scan", test_scan_takes_no_more_places);
	g_test_add_func("/throttle/full", test_nothing_but_blocks);
	g_test_add_func("/throttle/families", test_families_differ);
	g_test_add_func("/throttle/strangers", test_strangers);
	return g_test_run();
}
