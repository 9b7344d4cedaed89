/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* contexts.c - many GMainContexts on one thread. */
#include "media/contexts.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define NEVER	    G_MAXINT64
#define MAX_ROUNDS  8  /* then the others have their turn */
#define MAX_SOURCES 64 /* of an agent, when it has begun: ids count from 1 */

typedef struct Context Context;

/* One descriptor that a context polls. */
typedef struct {
	Watch watch; /* first */
	Context *context;
	int fd;
	gushort events; /* GIOCondition */
	gboolean wanted, readable;
} Polled;

/* Between two turns a context is where a GMainContext is while its thread polls: asked what
 * it waits for, and not yet told what has come. */
struct Context {
	Contexts *set;
	GMainContext *main;
	GPtrArray *polled;
	GArray *fds; /* GPollFD, as it has asked for them */
	gint priority;
	gint64 due;
	guint place; /* in by_due */
	int wake_fd; /* GLib's: readable when another thread has attached a source */
	gboolean woken;
	gboolean fixed; /* none of its descriptors is closed or opened any more */
};

struct Contexts {
	int epoll_fd;
	GHashTable *by_main; /* GMainContext * to Context *, owned */
	GHashTable *by_fd;   /* to the Polled that was given this number last */
	GPtrArray *by_due;   /* a heap */
	GPtrArray *woken;
	gboolean left;
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
	Polled *polled = (Polled *)watch;

	polled->readable = TRUE;
	wake(polled->context);
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

/* Said again each time, but of a fixed context: the kernel forgets a descriptor that is closed,
 * and the one opened next may have its number. */
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
watch_all(Context *context)
{
	for (guint i = 0; i < context->fds->len; i++) {
		const GPollFD *asked = &g_array_index(context->fds, GPollFD, i);
		Polled *polled = find_polled(context, asked->fd);

		polled->wanted = TRUE;
		if ((context->fixed || polled->fd == context->wake_fd) &&
		    polled->events == asked->events)
			continue;
		polled->events = asked->events;
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

/* What the epoll said of what it asked for.  Who waits for more than to read is polled: the
 * epoll does not say which it was. */
static void
tell_readable(Context *context)
{
	for (guint i = 0; i < context->fds->len; i++) {
		GPollFD *asked = &g_array_index(context->fds, GPollFD, i);
		Polled *polled = find_polled(context, asked->fd);

		asked->revents = 0;
		if (polled->readable && asked->events == G_IO_IN)
			asked->revents = G_IO_IN;
		else if (polled->readable)
			g_poll(asked, 1, 0);
		polled->readable = FALSE;
	}
}

/* --- times --- */

static void
put(Contexts *set, guint place, Context *context)
{
	g_ptr_array_index(set->by_due, place) = context;
	context->place = place;
}

static Context *
at(const Contexts *set, guint place)
{
	return place < set->by_due->len ? g_ptr_array_index(set->by_due, place) : NULL;
}

/* Moves a context whose time has changed up or down to its place. */
static void
settle(Contexts *set, Context *context)
{
	guint place = context->place, child;

	for (; place > 0 && at(set, (place - 1) / 2)->due > context->due; place = (place - 1) / 2)
		put(set, place, at(set, (place - 1) / 2));
	for (; (child = 2 * place + 1) < set->by_due->len; place = child) {
		if (at(set, child + 1) && at(set, child + 1)->due < at(set, child)->due)
			child++;
		if (at(set, child)->due >= context->due)
			break;
		put(set, place, at(set, child));
	}
	put(set, place, context);
}

guint
contexts_count(const Contexts *set)
{
	return g_hash_table_size(set->by_main);
}

int
contexts_timeout(const Contexts *set, gint64 now)
{
	const Context *first = at(set, 0);

	if (set->woken->len > 0)
		return 0;
	if (!first || first->due == NEVER)
		return -1;
	return first->due <= now ? 0 : (int)((first->due - now + 999) / 1000);
}

/* --- running one --- */

/* GLib wakes a context whose descriptors have changed, even the thread that changed them.  The
 * context must be asked once more afterwards: another thread may have woken it as well. */
static void
forget_wake(const Context *context)
{
	guint64 count;

	if (context->wake_fd >= 0 && read(context->wake_fd, &count, sizeof count) < 0 &&
	    errno != EAGAIN)
		g_warning("wake-up of a context: %s", g_strerror(errno));
}

/* FALSE: the number of its descriptors has changed, and its wake-up is forgotten. */
static gboolean
ask_once(Context *context, gint *timeout)
{
	const guint before = context->fds->len;
	gint n;

	g_main_context_prepare(context->main, &context->priority);
	while ((n = g_main_context_query(context->main, context->priority, timeout,
					 (GPollFD *)(void *)context->fds->data,
					 (gint)context->fds->len)) > (gint)context->fds->len)
		g_array_set_size(context->fds, (guint)n);
	g_array_set_size(context->fds, (guint)n);
	if (context->wake_fd < 0 && n > 0) /* new, it has no descriptor but this */
		context->wake_fd = g_array_index(context->fds, GPollFD, 0).fd;
	if (context->fds->len == before)
		return TRUE;
	forget_wake(context);
	return FALSE;
}

/* What it waits for next: descriptors and a time. */
static void
ask(Context *context)
{
	gint timeout;

	while (!ask_once(context, &timeout))
		;
	watch_all(context);
	context->due = timeout < 0 ? NEVER : g_get_monotonic_time() + (gint64)timeout * 1000;
	settle(context->set, context);
}

/* Where its descriptors have changed since it was asked, nothing is dispatched before it is
 * asked again: the epoll says then once more what is readable. */
static void
run(Context *context, gint64 now)
{
	context->woken = FALSE;
	g_main_context_push_thread_default(context->main);
	for (guint i = 0; i < MAX_ROUNDS && (i == 0 || context->due <= now); i++) {
		tell_readable(context);
		if (g_main_context_check(context->main, context->priority,
					 (GPollFD *)(void *)context->fds->data,
					 (gint)context->fds->len))
			g_main_context_dispatch(context->main);
		ask(context);
	}
	g_main_context_pop_thread_default(context->main);
}

static void
wake_due(Contexts *set, guint place, gint64 now)
{
	Context *context = at(set, place);

	if (!context || context->due > now)
		return;
	wake(context);
	wake_due(set, 2 * place + 1, now);
	wake_due(set, 2 * place + 2, now);
}

void
contexts_run(Contexts *set, gint64 now)
{
	wake_due(set, 0, now);
	for (guint i = 0; i < set->woken->len; i++)
		run(g_ptr_array_index(set->woken, i), now);
	g_ptr_array_set_size(set->woken, 0);
}

void
contexts_changed(Contexts *set, GMainContext *main)
{
	wake(g_hash_table_lookup(set->by_main, main));
}

/* GLib takes the descriptors of a source out of the context while it is dispatched, unless the
 * source may recurse, and each of them wakes the context twice.  Nobody runs it from inside. */
void
contexts_fix(Contexts *set, GMainContext *main)
{
	Context *context = g_hash_table_lookup(set->by_main, main);
	GSource *source;

	context->fixed = TRUE;
	for (guint id = 1; id <= MAX_SOURCES; id++)
		if ((source = g_main_context_find_source_by_id(main, id)))
			g_source_set_can_recurse(source, TRUE);
}

/* --- life --- */

static void
let_go(Context *context)
{
	if (!context->set->left)
		g_main_context_release(context->main);
}

static void
context_free(gpointer data)
{
	Context *context = data, *last;
	Contexts *set = context->set;

	g_ptr_array_remove_fast(set->woken, context);
	last = g_ptr_array_steal_index(set->by_due, set->by_due->len - 1);
	if (last != context) {
		last->place = context->place;
		settle(set, last);
	}
	g_ptr_array_free(context->polled, TRUE);
	g_array_free(context->fds, TRUE);
	let_go(context);
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
	set->by_due = g_ptr_array_new();
	set->woken = g_ptr_array_new();
	return set;
}

void
contexts_free(Contexts *set)
{
	if (!set)
		return;
	g_hash_table_destroy(set->by_main);
	g_hash_table_destroy(set->by_fd);
	g_ptr_array_free(set->by_due, TRUE);
	g_ptr_array_free(set->woken, TRUE);
	g_free(set);
}

/* It has its thread for good: what that thread attaches wakes nobody, and costs no write. */
GMainContext *
contexts_add(Contexts *set)
{
	Context *context = g_new0(Context, 1);

	context->set = set;
	context->main = g_main_context_new();
	if (!set->left)
		g_main_context_acquire(context->main);
	context->polled = g_ptr_array_new_with_free_func(forget);
	context->fds = g_array_new(FALSE, TRUE, sizeof(GPollFD));
	context->due = NEVER;
	context->wake_fd = -1;
	context->place = set->by_due->len;
	g_ptr_array_add(set->by_due, context);
	g_hash_table_insert(set->by_main, context->main, context);
	ask(context);
	return context->main;
}

void
contexts_leave(Contexts *set)
{
	GHashTableIter iter;
	gpointer context;

	g_hash_table_iter_init(&iter, set->by_main);
	while (g_hash_table_iter_next(&iter, NULL, &context))
		let_go(context);
	set->left = TRUE;
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
