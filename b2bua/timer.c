/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "b2bua/timer.h"
#include "b2bua/source.h"

/* What is due beyond these waits for the next turn of the loop, so that sockets get theirs. */
#define FIRED_A_TURN 64

struct Timer {
	Timer **place; /* the owner's */
	gint64 due_us; /* monotonic */
	guint64 order; /* of those due at the same time the older goes first */
	guint index;   /* in the heap */
	TimerFunc func;
	gpointer user;
};

static struct {
	GSource *source;
	GPtrArray *heap; /* of Timer, the first due on top */
	guint64 n_set;
} timers;

static Timer *
at(guint index)
{
	return timers.heap->pdata[index];
}

static gboolean
is_before(const Timer *one, const Timer *other)
{
	return one->due_us != other->due_us ? one->due_us < other->due_us
					    : one->order < other->order;
}

static void
place_at(Timer *timer, guint index)
{
	timers.heap->pdata[index] = timer;
	timer->index = index;
}

/* Moves the timer from the hole at `index` up or down to where it belongs. */
static void
settle(Timer *timer, guint index)
{
	guint child;

	for (; index > 0 && is_before(timer, at((index - 1) / 2)); index = (index - 1) / 2)
		place_at(at((index - 1) / 2), index);
	for (; (child = 2 * index + 1) < timers.heap->len; index = child) {
		if (child + 1 < timers.heap->len && is_before(at(child + 1), at(child)))
			child++;
		if (!is_before(at(child), timer))
			break;
		place_at(at(child), index);
	}
	place_at(timer, index);
}

static void
remove_from_heap(Timer *timer)
{
	Timer *last = at(timers.heap->len - 1);

	g_ptr_array_set_size(timers.heap, (gint)timers.heap->len - 1);
	if (last != timer)
		settle(last, timer->index);
	*timer->place = NULL;
}

static gboolean
on_due(GSource *source, GSourceFunc func, gpointer user)
{
	gint64 now = g_get_monotonic_time();

	(void)source, (void)func, (void)user;
	for (guint i = 0; i < FIRED_A_TURN && timers.heap->len && at(0)->due_us <= now; i++) {
		Timer *due = at(0);
		TimerFunc call = due->func;
		gpointer with = due->user;

		remove_from_heap(due);
		g_free(due);
		call(with);
	}
	return G_SOURCE_CONTINUE;
}

static gint64
next_us(void)
{
	return timers.heap->len ? at(0)->due_us : NEVER_US;
}

/* g_source_set_ready_time() would wake the loop at each change, from its own thread. */
static gboolean
prepare(GSource *source, gint *timeout)
{
	return source_prepare(source, next_us(), timeout);
}

static gboolean
check(GSource *source)
{
	return next_us() <= g_source_get_time(source);
}

static void
begin(void)
{
	static GSourceFuncs functions = { .prepare = prepare, .check = check, .dispatch = on_due };

	timers.heap = g_ptr_array_new();
	timers.source = g_source_new(&functions, sizeof(GSource));
	g_source_set_static_name(timers.source, "timers");
	/* a function may run the loop until something has come */
	g_source_set_can_recurse(timers.source, TRUE);
	g_source_attach(timers.source, NULL);
}

void
timer_set(Timer **timer, guint ms, TimerFunc func, gpointer user)
{
	Timer *new;

	timer_clear(timer);
	if (!timers.source)
		begin();
	new = g_new(Timer, 1);
	*new = (Timer){ timer, g_get_monotonic_time() + (gint64)ms * 1000, timers.n_set++, 0, func,
			user };
	g_ptr_array_add(timers.heap, new);
	settle(new, timers.heap->len - 1);
	*timer = new;
}

void
timer_clear(Timer **timer)
{
	Timer *old = *timer;

	if (!old)
		return;
	remove_from_heap(old);
	g_free(old);
}
