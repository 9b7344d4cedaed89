/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-worker.c - a media thread knows how busy it is. */
#include "media/worker.h"

#define PATIENCE_US (30 * G_USEC_PER_SEC)
#define TURN_US	    20000

static gint busy; /* atomic */

/* Half of the turns are spent: on a machine that others use as well it may be less. */
static void
on_tick(gpointer user, gint64 now)
{
	gint64 until = now + TURN_US / 2;

	while (g_atomic_int_get(&busy) && g_get_monotonic_time() < until)
		;
}

static void
hurry(gpointer worker)
{
	worker_hurry(worker, TRUE);
}

static void
wait_for_load(const Worker *worker, guint least, guint most)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_US;

	while (worker_load(worker) < least || worker_load(worker) > most) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		g_usleep(TURN_US);
	}
}

static void
test_load(void)
{
	Worker *worker = worker_new(WORKER_MEDIA, 0, on_tick, NULL);

	worker_post(worker, hurry, worker);
	g_assert_cmpuint(worker_load(worker), ==, 0);
	g_atomic_int_set(&busy, TRUE);
	wait_for_load(worker, 20, 100);
	g_atomic_int_set(&busy, FALSE);
	wait_for_load(worker, 0, 5);
	worker_free(worker);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/worker/load", test_load);
	return g_test_run();
}
