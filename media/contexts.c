/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* contexts.c - many GMainContexts on one thread. */
#include "media/contexts.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define NEVER	   G_MAXINT64
#define MAX_ROUNDS 8 /* then the others have their turn */

typedef struct Context Context;

/* One descriptor that a context polls. */
typedef struct {
	Watch watch; /* first */
	Context *context;
	int fd;
	gushort events; /* GIOCondition */
	gboolean wanted;
} Polled;

struct Context {
	Contexts *set;
	GMainContext *main;
	GPtrArray *polled;
	gint64 due;
	GSequenceIter *place; /* in by_due */
	int wake_fd;	      /* GLib's: readable when a source was attached or changed */
	gboolean woken;
};

struct Contexts {
	int epoll_fd;
	GHashTable *by_main; /* GMainContext * to Context *, owned */
	GHashTable *by_fd;   /* to the Polled that was given this number last */
	GSequence *by_due;
	GPtrArray *woken;
	GArray *fds; /* GPollFD, scratch */
};

/* --- the epoll --- */

static void
wake(Context *context)
{
	if (context->woken)
		return;
	context->woken = TRUE;
	g_ptr_array_add(context->set->woken, context);
}

static void
on_readable(Watch *watch)
{
	wake(((Polled *)watch)->context);
}

static void
forget(gpointer data)
{
	Polled *polled = data;
	Contexts *set = polled->context->set;

	/* A number that was closed and given to another context is that one's. */
	if (g_hash_table_lookup(set->by_fd, GINT_TO_POINTER(polled->fd)) == polled) {
		g_hash_table_remove(set->by_fd, GINT_TO_POINTER(polled->fd));
		epoll_ctl(set->epoll_fd, EPOLL_CTL_DEL, polled->fd, NULL);
	}
	g_free(polled);
}

static guint32
epoll_events(gushort events)
{
	return ((events & G_IO_IN) ? EPOLLIN : 0) | ((events & G_IO_OUT) ? EPOLLOUT : 0) |
	       ((events & G_IO_PRI) ? EPOLLPRI : 0);
}

/* Said again each time: the kernel forgets a descriptor that is closed, and the
 * one opened next may have its number. */
static void
watch(Contexts *set, Polled *polled)
{
	struct epoll_event event = { .events = epoll_events(polled->events),
				     .data.ptr = &polled->watch };

	g_hash_table_insert(set->by_fd, GINT_TO_POINTER(polled->fd), polled);
	if (epoll_ctl(set->epoll_fd, EPOLL_CTL_MOD, polled->fd, &event) != 0 &&
	    (errno != ENOENT || epoll_ctl(set->epoll_fd, EPOLL_CTL_ADD, polled->fd, &event) != 0))
		g_warning("epoll does not take descriptor %d: %s", polled->fd, g_strerror(errno));
}

static Polled *
find_polled(Context *context, int fd)
{
	Polled *polled;

	for (guint i = 0; i < context->polled->len; i++) {
		polled = g_ptr_array_index(context->polled, i);
		if (polled->fd == fd)
			return polled;
	}
	polled = g_new0(Polled, 1);
	polled->watch.readable = on_readable;
	polled->context = context;
	polled->fd = fd;
	g_ptr_array_add(context->polled, polled);
	return polled;
}

static void
watch_all(Context *context, const GPollFD *fds, guint n)
{
	for (guint i = 0; i < n; i++) {
		Polled *polled = find_polled(context, fds[i].fd);

		polled->wanted = TRUE;
		if (polled->fd == context->wake_fd && polled->events)
			continue; /* is never closed */
		polled->events = fds[i].events;
		watch(context->set, polled);
	}
	for (guint i = context->polled->len; i-- > 0;) {
		Polled *polled = g_ptr_array_index(context->polled, i);

		if (!polled->wanted)
			g_ptr_array_remove_index_fast(context->polled, i);
		else
			polled->wanted = FALSE;
	}
}

/* --- times --- */

static gint
compare_due(gconstpointer one, gconstpointer other, gpointer user)
{
	const Context *a = one, *b = other;

	return (a->due > b->due) - (a->due < b->due);
}

/* The one at `place` in the order of times; NULL: there are no more. */
static Context *
at(GSequenceIter *place)
{
	return g_sequence_iter_is_end(place) ? NULL : g_sequence_get(place);
}

guint
contexts_count(const Contexts *set)
{
	return g_hash_table_size(set->by_main);
}

int
contexts_timeout(const Contexts *set, gint64 now)
{
	const Context *first = at(g_sequence_get_begin_iter(set->by_due));

	if (!first || first->due == NEVER)
		return -1;
	return first->due <= now ? 0 : (int)((first->due - now + 999) / 1000);
}

/* --- running one --- */

/* What it waits for next: descriptors and a time. */
static void
ask(Context *context)
{
	Contexts *set = context->set;
	gint priority, timeout, n;
	guint64 count;

	/* what a source did just now need not wake us: it is asked here */
	if (context->wake_fd >= 0 && read(context->wake_fd, &count, sizeof count) < 0 &&
	    errno != EAGAIN)
		g_warning("wake-up of a context: %s", g_strerror(errno));
	g_main_context_prepare(context->main, &priority);
	while ((n = g_main_context_query(context->main, priority, &timeout,
					 (GPollFD *)(void *)set->fds->data, (gint)set->fds->len)) >
	       (gint)set->fds->len)
		g_array_set_size(set->fds, (guint)n);
	if (context->wake_fd < 0 && n > 0) /* new, it has no descriptor but this */
		context->wake_fd = g_array_index(set->fds, GPollFD, 0).fd;
	watch_all(context, (const GPollFD *)(const void *)set->fds->data, (guint)n);
	context->due = timeout < 0 ? NEVER : g_get_monotonic_time() + (gint64)timeout * 1000;
	g_sequence_sort_changed(context->place, compare_due, NULL);
}

static void
run(Context *context, gint64 now)
{
	context->woken = FALSE;
	g_main_context_push_thread_default(context->main); /* and acquires it */
	for (guint i = 0; i < MAX_ROUNDS && (i == 0 || context->due <= now); i++) {
		g_main_context_iteration(context->main, FALSE);
		ask(context);
	}
	g_main_context_pop_thread_default(context->main);
}

void
contexts_run(Contexts *set, gint64 now)
{
	Context *each = at(g_sequence_get_begin_iter(set->by_due));

	for (; each && each->due <= now; each = at(g_sequence_iter_next(each->place)))
		wake(each);
	for (guint i = 0; i < set->woken->len; i++)
		run(g_ptr_array_index(set->woken, i), now);
	g_ptr_array_set_size(set->woken, 0);
}

/* --- life --- */

static void
context_free(gpointer data)
{
	Context *context = data;

	g_ptr_array_free(context->polled, TRUE);
	g_sequence_remove(context->place);
	g_main_context_unref(context->main);
	g_free(context);
}

Contexts *
contexts_new(int epoll_fd)
{
	Contexts *set = g_new0(Contexts, 1);

	set->epoll_fd = epoll_fd;
	set->by_main = g_hash_table_new_full(NULL, NULL, NULL, context_free);
	set->by_fd = g_hash_table_new(NULL, NULL);
	set->by_due = g_sequence_new(NULL);
	set->woken = g_ptr_array_new();
	set->fds = g_array_new(FALSE, TRUE, sizeof(GPollFD));
	return set;
}

void
contexts_free(Contexts *set)
{
	if (!set)
		return;
	g_hash_table_destroy(set->by_main);
	g_hash_table_destroy(set->by_fd);
	g_sequence_free(set->by_due);
	g_ptr_array_free(set->woken, TRUE);
	g_array_free(set->fds, TRUE);
	g_free(set);
}

GMainContext *
contexts_add(Contexts *set)
{
	Context *context = g_new0(Context, 1);

	context->set = set;
	/* with the flag, a source attached outside contexts_run() wakes the epoll too */
	context->main = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
	context->polled = g_ptr_array_new_with_free_func(forget);
	context->due = NEVER;
	context->wake_fd = -1;
	context->place = g_sequence_insert_sorted(set->by_due, context, compare_due, NULL);
	g_hash_table_insert(set->by_main, context->main, context);
	run(context, 0);
	return context->main;
}

void
contexts_unwatch(Contexts *set, GMainContext *main)
{
	Context *context = g_hash_table_lookup(set->by_main, main);

	g_ptr_array_set_size(context->polled, 0);
}

void
contexts_remove(Contexts *set, GMainContext *main)
{
	g_hash_table_remove(set->by_main, main);
}
