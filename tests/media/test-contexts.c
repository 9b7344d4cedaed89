/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-contexts.c - contexts that share a thread, and nothing else. */
#include "media/contexts.h"
#include <glib-unix.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 200

static int epoll;
static Contexts *set;

static void
begin(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	set = contexts_new(epoll);
}

static void
end(void)
{
	contexts_free(set);
	close(epoll);
}

/* One turn as a worker takes it; how many descriptors were readable. */
static guint
turn(int longest_ms)
{
	struct epoll_event events[64];
	const int next = contexts_timeout(set, g_get_monotonic_time());
	const int n = epoll_wait(epoll, events, G_N_ELEMENTS(events),
				 next < 0 ? longest_ms : MIN(next, longest_ms));

	g_assert_cmpint(n, >=, 0);
	for (int i = 0; i < n; i++)
		((Watch *)events[i].data.ptr)->readable(events[i].data.ptr);
	contexts_run(set, g_get_monotonic_time());
	return (guint)n;
}

/* Until nothing is left to do for now. */
static void
settle(void)
{
	while (turn(0))
		;
}

static gboolean
count(gpointer user)
{
	++*(guint *)user;
	return G_SOURCE_CONTINUE;
}

static gboolean
take(gint fd, GIOCondition condition, gpointer user)
{
	char byte;

	g_assert_cmpint(read(fd, &byte, 1), ==, 1);
	++*(guint *)user;
	return G_SOURCE_CONTINUE;
}

static GSource *
watch_fd(GMainContext *context, int fd, guint *counter)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN);

	g_source_set_callback(source, (GSourceFunc)(void (*)(void))take, counter, NULL);
	g_source_attach(source, context);
	contexts_changed(set, context);
	return source;
}

static GSource *
add_timer(GMainContext *context, guint ms, GSourceFunc func, gpointer user)
{
	GSource *timer = worker_timer(context, ms, func, user);

	contexts_changed(set, context);
	return timer;
}

static void
make_pair(int pair[2])
{
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), ==, 0);
}

typedef struct {
	GSource source;
	guint asked;
} Asked;

static gboolean
on_prepare(GSource *source, gint *timeout)
{
	((Asked *)source)->asked++;
	*timeout = -1;
	return FALSE;
}

static gboolean
on_dispatch(GSource *source, GSourceFunc func, gpointer user)
{
	return G_SOURCE_CONTINUE;
}

/* What happens in one context is not asked of the sources of the others. */
static void
test_apart(void)
{
	static GSourceFuncs funcs = { .prepare = on_prepare, .dispatch = on_dispatch };
	GSource *idle[MANY], *reader;
	GMainContext *first = NULL;
	guint got = 0, before[MANY];
	int pair[2];

	begin();
	make_pair(pair);
	for (guint i = 0; i < MANY; i++) {
		GMainContext *context = contexts_add(set);

		idle[i] = g_source_new(&funcs, sizeof(Asked));
		g_source_attach(idle[i], context);
		first = first ? first : context;
	}
	reader = watch_fd(first, pair[0], &got);
	settle();
	for (guint i = 0; i < MANY; i++)
		before[i] = ((Asked *)idle[i])->asked;
	g_assert_cmpint(write(pair[1], "x", 1), ==, 1);
	g_assert_cmpuint(turn(1000), ==, 1);
	g_assert_cmpuint(got, ==, 1);
	g_assert_cmpuint(((Asked *)idle[0])->asked, >, before[0]);
	for (guint i = 1; i < MANY; i++)
		g_assert_cmpuint(((Asked *)idle[i])->asked, ==, before[i]);
	end();
	for (guint i = 0; i < MANY; i++)
		g_source_unref(idle[i]);
	g_source_unref(reader);
	close(pair[0]);
	close(pair[1]);
}

static void
test_timers(void)
{
	guint counts[3] = { 0 };
	const guint ms[3] = { 30, 10, 1000000 };
	const gint64 began = g_get_monotonic_time();

	begin();
	g_assert_cmpint(contexts_timeout(set, began), ==, -1);
	for (guint i = 0; i < 3; i++)
		g_source_unref(add_timer(contexts_add(set), ms[i], count, &counts[i]));
	while (counts[0] < 3)
		turn(1000);
	g_assert_cmpint(g_get_monotonic_time() - began, >=, 90000);
	g_assert_cmpuint(counts[1], >=, 5);
	g_assert_cmpuint(counts[2], ==, 0);
	end();
}

static void
test_timer_from_outside(void)
{
	guint counted = 0;
	GMainContext *context;
	GSource *timer;

	begin();
	context = contexts_add(set);
	timer = add_timer(context, 1000000, count, &counted);
	settle();
	g_assert_cmpint(contexts_timeout(set, g_get_monotonic_time()), >, 900000);
	/* outside contexts_run(), as a post does */
	g_source_set_ready_time(timer, 0);
	turn(1000);
	turn(1000);
	g_assert_cmpuint(counted, >=, 1);
	g_source_unref(timer);
	end();
}

/* A number that one context closed is another's now, whoever notices first. */
static void
test_reused_number(void)
{
	guint got[2] = { 0 };
	GMainContext *one, *other;
	GSource *sources[2];
	int old[2], new[2], number;

	begin();
	one = contexts_add(set);
	other = contexts_add(set);
	make_pair(old);
	sources[0] = watch_fd(one, old[0], &got[0]);
	settle();
	make_pair(new);
	g_source_destroy(sources[0]);
	number = dup2(new[0], old[0]); /* closes the old one */
	g_assert_cmpint(number, ==, old[0]);
	close(new[0]);
	sources[1] = watch_fd(other, number, &got[1]);
	settle();
	contexts_remove(set, one);
	for (guint i = 1; i <= 3; i++) {
		g_assert_cmpint(write(new[1], "x", 1), ==, 1);
		turn(1000);
		g_assert_cmpuint(got[1], ==, i);
	}
	g_assert_cmpuint(got[0], ==, 0);
	g_source_unref(sources[0]);
	g_source_unref(sources[1]);
	end();
	close(number);
	close(new[1]);
	close(old[1]);
}

/* The same context closes a descriptor and opens another of the same number. */
static void
test_same_number_again(void)
{
	guint got = 0;
	GMainContext *context;
	GSource *source;
	int old[2], new[2];

	begin();
	context = contexts_add(set);
	make_pair(old);
	source = watch_fd(context, old[0], &got);
	settle();
	make_pair(new);
	g_source_destroy(source);
	g_source_unref(source);
	dup2(new[0], old[0]);
	close(new[0]);
	source = watch_fd(context, old[0], &got);
	settle();
	g_assert_cmpint(write(new[1], "x", 1), ==, 1);
	turn(1000);
	g_assert_cmpuint(got, ==, 1);
	/* one that is not polled any more does not wake us for ever */
	g_source_destroy(source);
	g_source_unref(source);
	settle();
	g_assert_cmpint(write(new[1], "x", 1), ==, 1);
	g_assert_cmpuint(turn(20), ==, 0);
	end();
	close(old[0]);
	close(old[1]);
	close(new[1]);
}

static gboolean
is_default_here(gpointer user)
{
	*(gboolean *)user = g_main_context_get_thread_default() ==
			    g_source_get_context(g_main_current_source());
	return G_SOURCE_REMOVE;
}

static void
test_thread_default(void)
{
	gboolean held = FALSE;

	begin();
	g_source_unref(add_timer(contexts_add(set), 0, is_default_here, &held));
	settle();
	turn(1000);
	g_assert_true(held);
	end();
}

static gpointer
attach_from_elsewhere(gpointer context)
{
	static guint ignored;
	GSource *timer = g_timeout_source_new(1000000);

	g_source_set_callback(timer, count, &ignored, NULL);
	g_source_attach(timer, context);
	g_source_unref(timer);
	return NULL;
}

/* As a name that has been resolved. */
static void
test_other_thread(void)
{
	GMainContext *context;

	begin();
	context = contexts_add(set);
	settle();
	g_assert_cmpint(contexts_timeout(set, g_get_monotonic_time()), ==, -1);
	g_thread_join(g_thread_new("other", attach_from_elsewhere, context));
	g_assert_cmpuint(turn(1000), ==, 1);
	g_assert_cmpint(contexts_timeout(set, g_get_monotonic_time()), >, 900000);
	end();
}

typedef struct {
	GSource source;
	gboolean armed;
} Meanwhile;

static gpointer
attach_first_from_elsewhere(gpointer context)
{
	static guint ignored;
	GSource *timer = g_timeout_source_new(1000000);

	g_source_set_callback(timer, count, &ignored, NULL);
	g_source_set_priority(timer, G_PRIORITY_HIGH); /* that has been asked already */
	g_source_attach(timer, context);
	g_source_unref(timer);
	return NULL;
}

static gboolean
attach_meanwhile(GSource *source, gint *timeout)
{
	Meanwhile *meanwhile = (Meanwhile *)source;

	*timeout = -1;
	if (meanwhile->armed)
		g_thread_join(g_thread_new("other", attach_first_from_elsewhere,
					   g_source_get_context(source)));
	meanwhile->armed = FALSE;
	return FALSE;
}

/* The wake-up that a new descriptor causes is forgotten, that of the other thread is not. */
static void
test_other_thread_meanwhile(void)
{
	static GSourceFuncs funcs = { .prepare = attach_meanwhile, .dispatch = on_dispatch };
	GSource *source = g_source_new(&funcs, sizeof(Meanwhile)), *reader;
	GMainContext *context;
	guint got = 0;
	int pair[2];

	begin();
	make_pair(pair);
	context = contexts_add(set);
	g_source_attach(source, context);
	contexts_changed(set, context);
	settle();
	((Meanwhile *)source)->armed = TRUE;
	reader = watch_fd(context, pair[0], &got);
	settle();
	g_assert_false(((Meanwhile *)source)->armed);
	g_assert_cmpint(contexts_timeout(set, g_get_monotonic_time()), >, 900000);
	end();
	g_source_unref(source);
	g_source_unref(reader);
	close(pair[0]);
	close(pair[1]);
}

/* Its own thread's sources cost no wake-up, but have to be told of. */
static void
test_own_thread(void)
{
	guint counted = 0;
	GMainContext *context;

	begin();
	context = contexts_add(set);
	settle();
	g_source_unref(worker_timer(context, 0, count, &counted));
	g_assert_cmpuint(turn(20), ==, 0);
	g_assert_cmpuint(counted, ==, 0);
	contexts_changed(set, context);
	g_assert_cmpint(contexts_timeout(set, g_get_monotonic_time()), ==, 0);
	while (counted == 0)
		turn(1000);
	end();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/contexts/one wakes, the others are not asked", test_apart);
	g_test_add_func("/contexts/timers", test_timers);
	g_test_add_func("/contexts/a timer set from outside wakes", test_timer_from_outside);
	g_test_add_func("/contexts/a number that another context has now", test_reused_number);
	g_test_add_func("/contexts/a number closed and opened again", test_same_number_again);
	g_test_add_func("/contexts/a source of another thread wakes", test_other_thread);
	g_test_add_func("/contexts/a source of another thread while it is asked",
			test_other_thread_meanwhile);
	g_test_add_func("/contexts/a source of its own is told of", test_own_thread);
	g_test_add_func("/contexts/is the default of the thread while it runs",
			test_thread_default);
	return g_test_run();
}
