/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* worker.c - a thread of the media's and what is posted to it.
 *
 * The queue is a list under a pthread mutex of our own and an eventfd that wakes
 * the other side: ThreadSanitizer understands both, and does not understand the
 * locks inside a GMainContext.  No packet passes a queue.
 */
#include "media/worker.h"
#include "media/contexts.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* Not more than the first cache holds of their sockets. */
#define EVENTS_PER_TURN 32
#define HURRY_US	20000
#define CLOSING_US	(3 * G_USEC_PER_SEC)
#define CLOSING_POLL_MS 10
/* Fewer packets a second than this are served one by one: for the least delay, and because
 * a pause that collects nothing costs a wake-up. */
#define COLLECT_RATE	 3000
#define COLLECT_PACKETS	 5	/* as many are waited for, between these bounds: */
#define COLLECT_LEAST_NS 500000 /* from 100 calls on */
#define COLLECT_MOST_NS	 900000
#define RATE_US		 100000 /* it is counted for so long */
/* Likewise fewer agents: a check may well be answered some milliseconds later. */
#define COLLECT_CONTEXTS    64
#define COLLECT_CONTEXTS_NS 10000000
#define BUSY_US		    G_USEC_PER_SEC
#define NS_PER_SEC	    G_GINT64_CONSTANT(1000000000)

typedef struct Post Post;
struct Post {
	Post *next;
	PostFunc func;
	gpointer argument;
};

struct Worker {
	WorkerKind kind;
	pthread_t thread;
	gboolean running, quit; /* quit: the worker's own thread */
	int wake_fd;
	pthread_mutex_t mutex; /* guards first and last */
	Post *first, *last;
	GSource *source;    /* signalling */
	Contexts *contexts; /* ice */
	/* ice, media, files */
	int epoll_fd;
	Watch wake_watch;
	TickFunc tick;
	gpointer tick_user;
	gint64 now, next_tick, give_up;
	gint hurry;
	guint seen; /* packets, since counted_at */
	gint64 counted_at;
	long pause_ns; /* for packets, by the last count; 0: they are too few */
	/* of the thread */
	gint64 busy_since, busy_us; /* when it was looked at last, and the CPU time by then */
	gint busy;		    /* percent; atomic: any thread asks */
};

static __thread WorkerKind current_kind = WORKER_SIGNALLING;

WorkerKind
worker_current(void)
{
	return current_kind;
}

static Post *
take_posts(Worker *worker)
{
	Post *posts;

	pthread_mutex_lock(&worker->mutex);
	posts = worker->first;
	worker->first = worker->last = NULL;
	pthread_mutex_unlock(&worker->mutex);
	return posts;
}

static gboolean
run_posts(Worker *worker)
{
	Post *post = take_posts(worker);
	gboolean any = post != NULL;

	while (post) {
		Post *next = post->next;

		post->func(post->argument);
		g_free(post);
		post = next;
	}
	return any;
}

static void
clear_wake(Worker *worker)
{
	guint64 count;

	while (read(worker->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
		;
}

void
worker_post(Worker *worker, PostFunc func, gpointer argument)
{
	Post *post = g_new(Post, 1);
	gboolean was_empty;
	guint64 one = 1;

	*post = (Post){ .func = func, .argument = argument };
	pthread_mutex_lock(&worker->mutex);
	was_empty = worker->first == NULL;
	if (was_empty)
		worker->first = post;
	else
		worker->last->next = post;
	worker->last = post;
	pthread_mutex_unlock(&worker->mutex);
	while (was_empty && write(worker->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* --- signalling: the queue is a source of the context --- */

typedef struct {
	GSource source;
	Worker *worker;
	gpointer tag;
} QueueSource;

static gboolean
queue_check(GSource *source)
{
	QueueSource *queue = (QueueSource *)source;

	return g_source_query_unix_fd(source, queue->tag) != 0;
}

static gboolean
queue_dispatch(GSource *source, GSourceFunc func, gpointer user)
{
	Worker *worker = ((QueueSource *)source)->worker;

	clear_wake(worker);
	run_posts(worker);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs queue_funcs = { .check = queue_check, .dispatch = queue_dispatch };

static void
attach_queue(Worker *worker)
{
	worker->source = g_source_new(&queue_funcs, sizeof(QueueSource));
	((QueueSource *)worker->source)->worker = worker;
	((QueueSource *)worker->source)->tag =
		g_source_add_unix_fd(worker->source, worker->wake_fd, G_IO_IN);
	g_source_set_can_recurse(worker->source, TRUE); /* or each dispatch wakes the loop twice */
	g_source_attach(worker->source, NULL);
}

/* --- the others: one epoll --- */

static int
timeout(const Worker *worker)
{
	gint64 left = worker->next_tick - worker->now;

	if (worker->quit)
		return CLOSING_POLL_MS;
	if (worker->contexts)
		return contexts_timeout(worker->contexts, g_get_monotonic_time());
	if (!worker->tick)
		return -1;
	return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

static void
tick_if_due(Worker *worker)
{
	if (!worker->tick || worker->now < worker->next_tick)
		return;
	worker->next_tick = worker->tick(worker->tick_user, worker->now);
	if (worker->hurry)
		worker->next_tick = worker->now + HURRY_US;
}

/* Lets more come: a wake-up for many costs less than one for each. */
static void
collect(long ns)
{
	const struct timespec pause = { .tv_nsec = ns };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static inline void
look_ahead(const struct epoll_event *events, int i, int n)
{
	const Watch *watch;

	if (i + 6 < n)
		__builtin_prefetch(events[i + 6].data.ptr);
	if (i + 4 < n && (watch = events[i + 4].data.ptr)->soon)
		watch->soon(watch);
	if (i + 2 < n && (watch = events[i + 2].data.ptr)->next)
		watch->next(watch);
}

/* Likewise, what the first ones will read: often there are no more than these, and all that a
 * thread reads after a pause is cold. */
static inline void
look_at_first(const struct epoll_event *events, int n)
{
	const Watch *watch;

	for (int i = 0; i < MIN(n, 6); i++)
		__builtin_prefetch(events[i].data.ptr);
	for (int i = 0; i < MIN(n, 4); i++)
		if ((watch = events[i].data.ptr)->soon)
			watch->soon(watch);
	for (int i = 0; i < MIN(n, 2); i++)
		if ((watch = events[i].data.ptr)->next)
			watch->next(watch);
}

static long
pause_for(gint64 packets_a_second)
{
	if (packets_a_second < COLLECT_RATE)
		return 0;
	return (long)CLAMP(COLLECT_PACKETS * NS_PER_SEC / packets_a_second, COLLECT_LEAST_NS,
			   COLLECT_MOST_NS);
}

static void
count_packets(Worker *worker, guint n)
{
	const gint64 took = worker->now - worker->counted_at;

	worker->seen += n;
	if (took < RATE_US)
		return;
	worker->pause_ns = pause_for((gint64)worker->seen * G_USEC_PER_SEC / took);
	worker->seen = 0;
	worker->counted_at = worker->now;
}

/* The mean of this second and of those before: one alone may be the start of many calls. */
static void
note_busy(Worker *worker)
{
	const gint64 passed = worker->now - worker->busy_since;
	struct timespec used;
	gint64 used_us;

	if (G_LIKELY(passed < BUSY_US))
		return;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	used_us = used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
	g_atomic_int_set(&worker->busy,
			 (worker->busy + (gint)((used_us - worker->busy_us) * 100 / passed)) / 2);
	worker->busy_since = worker->now;
	worker->busy_us = used_us;
}

/* Posts run after the packets of a turn: a post may close a socket that is still
 * named in `events`. */
static void
turn(Worker *worker)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(worker->epoll_fd, events, EVENTS_PER_TURN, timeout(worker));
	gboolean posted = FALSE;

	worker->now = g_get_monotonic_time();
	count_packets(worker, (guint)MAX(n, 0));
	look_at_first(events, n);
	for (int i = 0; i < n; i++) {
		Watch *watch = events[i].data.ptr;

		look_ahead(events, i, n);
		if (watch == &worker->wake_watch)
			posted = TRUE;
		else
			watch->readable(watch);
	}
	if (worker->contexts)
		contexts_run(worker->contexts, worker->now);
	if (posted) {
		clear_wake(worker);
		run_posts(worker);
	}
	tick_if_due(worker);
	if (worker->kind == WORKER_MEDIA)
		note_busy(worker);
	if (n == EVENTS_PER_TURN)
		return; /* there are more */
	if (worker->contexts && contexts_count(worker->contexts) >= COLLECT_CONTEXTS)
		collect(COLLECT_CONTEXTS_NS);
	else if (n > 0 && worker->pause_ns)
		collect(worker->pause_ns);
}

/* An agent may still be waiting for its TURN server. */
static gboolean
is_closing(const Worker *worker)
{
	return worker->contexts && contexts_count(worker->contexts) > 0 &&
	       worker->now < worker->give_up;
}

static void *
run_thread(void *argument)
{
	Worker *worker = argument;

	current_kind = worker->kind;
	/* the default slack of 50 us would be a tenth of the pause above */
	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	worker->now = worker->busy_since = g_get_monotonic_time();
	while (!worker->quit || is_closing(worker))
		turn(worker);
	if (worker->contexts)
		contexts_leave(worker->contexts);
	return NULL;
}

gboolean
worker_watch(Worker *worker, int fd, Watch *watch)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

	return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void
worker_unwatch(Worker *worker, int fd)
{
	epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void
worker_hurry(Worker *worker, gboolean more)
{
	worker->hurry += more ? 1 : -1;
	if (more && worker->next_tick > worker->now + HURRY_US)
		worker->next_tick = worker->now + HURRY_US;
}

guint
worker_load(const Worker *worker)
{
	return (guint)g_atomic_int_get(&worker->busy);
}

gint64
worker_now(const Worker *worker)
{
	return worker->now;
}

/* --- life --- */

GMainContext *
worker_add_context(Worker *worker)
{
	return contexts_add(worker->contexts);
}

void
worker_change_context(Worker *worker, GMainContext *context)
{
	contexts_changed(worker->contexts, context);
}

void
worker_fix_context(Worker *worker, GMainContext *context)
{
	contexts_fix(worker->contexts, context);
}

void
worker_unwatch_context(Worker *worker, GMainContext *context)
{
	contexts_unwatch(worker->contexts, context);
}

void
worker_remove_context(Worker *worker, GMainContext *context)
{
	contexts_remove(worker->contexts, context);
}

GSource *
worker_timer(GMainContext *context, guint ms, GSourceFunc func, gpointer user)
{
	GSource *timer = g_timeout_source_new(ms);

	g_source_set_callback(timer, func, user, NULL);
	g_source_attach(timer, context);
	return timer;
}

void
worker_clear_timer(GSource **timer)
{
	if (*timer)
		g_source_destroy(*timer);
	g_clear_pointer(timer, g_source_unref);
}

Worker *
worker_new(WorkerKind kind, guint index, TickFunc tick, gpointer user)
{
	Worker *worker = g_new0(Worker, 1);
	static const char *const names[] = { "signalling", "ice", "media", "files" };
	g_autofree char *name = g_strdup_printf("%s-%u", names[kind], index);

	worker->kind = kind;
	worker->tick = tick;
	worker->tick_user = user;
	worker->epoll_fd = -1;
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->wake_fd < 0)
		g_error("eventfd: %s", g_strerror(errno));
	pthread_mutex_init(&worker->mutex, NULL);
	if (kind == WORKER_SIGNALLING) {
		attach_queue(worker);
		return worker;
	}
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd < 0)
		g_error("epoll_create1: %s", g_strerror(errno));
	worker_watch(worker, worker->wake_fd, &worker->wake_watch);
	if (kind == WORKER_ICE)
		worker->contexts = contexts_new(worker->epoll_fd);
	/* not g_thread_new(): ThreadSanitizer must see the creation */
	if (pthread_create(&worker->thread, NULL, run_thread, worker))
		g_error("cannot start thread %s", name);
	pthread_setname_np(worker->thread, name);
	worker->running = TRUE;
	return worker;
}

static void
quit(gpointer user)
{
	Worker *worker = user;

	worker->quit = TRUE;
	worker->give_up = worker->now + CLOSING_US;
}

void
worker_stop(Worker *worker)
{
	if (!worker->running)
		return;
	worker_post(worker, quit, worker);
	pthread_join(worker->thread, NULL);
	worker->running = FALSE;
}

gboolean
worker_drain(Worker *worker)
{
	WorkerKind kind = current_kind;
	gboolean any;

	g_assert(!worker->running);
	current_kind = worker->kind;
	any = run_posts(worker);
	current_kind = kind;
	return any;
}

void
worker_free(Worker *worker)
{
	if (!worker)
		return;
	worker_stop(worker);
	if (worker->source) {
		g_source_destroy(worker->source);
		g_source_unref(worker->source);
	}
	contexts_free(worker->contexts);
	if (worker->epoll_fd >= 0)
		close(worker->epoll_fd);
	close(worker->wake_fd);
	pthread_mutex_destroy(&worker->mutex);
	g_free(worker);
}
