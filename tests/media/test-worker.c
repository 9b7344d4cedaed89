/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-worker.c - a media thread knows how busy it is. */
#include "media/worker.h"

#include <time.h>

#define SPELL_NS 20000000 /* of its own CPU time, as long as two ticks are apart */

static gint busy; /* atomic */

static gint64
used_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return used.tv_sec * 1000000000LL + used.tv_nsec;
}

/* Takes all of the time that the machine gives to the thread. */
static gint64
on_tick(gpointer user, gint64 now)
{
	const gint64 until = used_ns() + SPELL_NS;

	while (g_atomic_int_get(&busy) && used_ns() < until)
		;
	return now;
}

static void
hurry(gpointer worker)
{
	worker_hurry(worker, TRUE);
}

/* However long it takes: how much time a thread gets is the machine's to say. */
static void
wait_for_load(const Worker *worker, guint least, guint most)
{
	while (worker_load(worker) < least || worker_load(worker) > most)
		g_usleep(1000);
}

static void
test_load(void)
{
	Worker *worker = worker_new(WORKER_MEDIA, 0, on_tick, NULL);

	worker_post(worker, hurry, worker);
	g_assert_cmpuint(worker_load(worker), ==, 0);
	g_atomic_int_set(&busy, TRUE);
	wait_for_load(worker, 10, 100);
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
