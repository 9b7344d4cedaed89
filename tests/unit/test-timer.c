/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-timer.c - the timers of calls and legs: in order, cleared in time, one GSource for all. */
#include "b2bua/timer.h"

#define N_MANY 3000

typedef struct {
	Timer *timer, *other;
	gint64 set_us, fired_us;
	guint ms, fired;
	GPtrArray *order;
} Owner;

static void
run_until(const guint *counter, guint wanted)
{
	gint64 end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

	while (*counter < wanted) {
		g_assert_cmpint(g_get_monotonic_time(), <, end);
		g_main_context_iteration(NULL, TRUE);
	}
}

static void
on_time(gpointer user)
{
	Owner *owner = user;

	g_assert_null(owner->timer);
	owner->fired++;
	owner->fired_us = g_get_monotonic_time();
	if (owner->order)
		g_ptr_array_add(owner->order, owner);
}

/* Never early, and by the time that was asked for, the older first among equals. */
static void
test_order(void)
{
	static const guint after_ms[] = { 50, 0, 20, 70, 20, 10, 0, 33 };
	g_autoptr(GPtrArray) order = g_ptr_array_new();
	Owner owners[G_N_ELEMENTS(after_ms)] = { { 0 } };

	for (guint i = 0; i < G_N_ELEMENTS(owners); i++) {
		owners[i].order = order;
		owners[i].ms = after_ms[i];
		owners[i].set_us = g_get_monotonic_time();
		timer_set(&owners[i].timer, after_ms[i], on_time, &owners[i]);
	}
	run_until(&order->len, G_N_ELEMENTS(owners));
	for (guint i = 0; i < order->len; i++) {
		const Owner *owner = order->pdata[i], *before = i ? order->pdata[i - 1] : NULL;

		g_assert_cmpint(owner->fired_us, >=, owner->set_us + (gint64)owner->ms * 1000);
		if (before)
			g_assert_true(before->ms < owner->ms ||
				      (before->ms == owner->ms && before < owner));
	}
}

static void
test_again_and_clear(void)
{
	Owner cleared = { 0 }, moved = { 0 }, last = { 0 };

	timer_clear(&cleared.timer);
	timer_set(&cleared.timer, 0, on_time, &cleared);
	timer_clear(&cleared.timer);
	g_assert_null(cleared.timer);
	timer_clear(&cleared.timer);
	timer_set(&moved.timer, 0, on_time, &moved);
	timer_set(&moved.timer, 20, on_time, &moved); /* in place of the first */
	timer_set(&last.timer, 40, on_time, &last);
	run_until(&last.fired, 1);
	g_assert_cmpuint(moved.fired, ==, 1);
	g_assert_cmpuint(cleared.fired, ==, 0);
}

static void
on_clear_other(gpointer user)
{
	Owner *owner = user;

	owner->fired++;
	timer_clear(&owner->other);
	g_assert_null(owner->timer);
	if (owner->fired < 3)
		timer_set(&owner->timer, 0, on_clear_other, owner);
}

/* Two that are due together: the first clears the second, and sets itself again. */
static void
test_inside(void)
{
	Owner owner = { 0 }, other = { 0 };

	timer_set(&owner.timer, 1, on_clear_other, &owner);
	timer_set(&owner.other, 1, on_time, &other);
	run_until(&owner.fired, 3);
	g_assert_cmpuint(other.fired, ==, 0);
}

static void
on_freed(gpointer user)
{
	guint **fired = user;

	(**fired)++;
	g_free(user); /* the owner and the place of the timer with it */
}

static void
test_owner_goes(void)
{
	struct {
		guint *fired;
		Timer *timer;
	} *owner = g_malloc0(sizeof *owner);
	guint fired = 0;

	owner->fired = &fired;
	timer_set(&owner->timer, 0, on_freed, owner);
	run_until(&fired, 1);
}

static void
on_nested(gpointer user)
{
	Owner *owner = user;

	run_until(&((Owner *)owner->order)->fired, 1);
	owner->fired++;
}

/* A function may run the loop, and the others are served there. */
static void
test_nested(void)
{
	Owner inner = { 0 }, outer = { .order = (GPtrArray *)&inner };

	timer_set(&outer.timer, 0, on_nested, &outer);
	timer_set(&inner.timer, 5, on_time, &inner);
	run_until(&outer.fired, 1);
}

typedef struct {
	guint fired, most_between;
	guint since;
} Fair;

static void
on_one_of_many(gpointer user)
{
	Fair *fair = user;

	fair->fired++;
	fair->most_between = MAX(fair->most_between, ++fair->since);
}

static gboolean
on_other_source(gpointer user)
{
	((Fair *)user)->since = 0;
	return G_SOURCE_CONTINUE;
}

static guint
n_sources(void)
{
	guint n = 0;

	/* ids count up: all that are attached now have one below that of a new one */
	guint end = g_idle_add(on_other_source, NULL);

	g_source_remove(end);
	for (guint id = 1; id < end; id++)
		n += g_main_context_find_source_by_id(NULL, id) != NULL;
	return n;
}

/* Three thousand at once: no source more, and the other sources get their turns between. */
static void
test_many(void)
{
	Fair fair = { 0 };
	Timer **places = g_new0(Timer *, N_MANY);
	Timer *first = NULL;
	guint before, other, ignored = 0;

	timer_set(&first, 10000, on_one_of_many, &ignored);
	before = n_sources();
	for (guint i = 0; i < N_MANY; i++)
		timer_set(&places[i], g_random_int_range(0, 3), on_one_of_many, &fair);
	g_assert_cmpuint(n_sources(), ==, before);
	for (guint i = 0; i < N_MANY; i += 3)
		timer_clear(&places[i]);
	other = g_timeout_add(0, on_other_source, &fair);
	run_until(&fair.fired, N_MANY - (N_MANY + 2) / 3);
	g_source_remove(other);
	g_assert_cmpuint(fair.most_between, <=, 2 * 64);
	for (guint i = 0; i < N_MANY; i++)
		g_assert_null(places[i]);
	timer_clear(&first);
	g_free(places);
}

int
main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/timer/order", test_order);
	g_test_add_func("/timer/again-and-clear", test_again_and_clear);
	g_test_add_func("/timer/inside", test_inside);
	g_test_add_func("/timer/owner-goes", test_owner_goes);
	g_test_add_func("/timer/nested", test_nested);
	g_test_add_func("/timer/many", test_many);
	return g_test_run();
}
