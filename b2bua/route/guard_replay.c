/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* guard_replay.c - see guard_replay.h.
 *
 * From one instant at which something happens to the next: a call is made, is answered, is over,
 * or a limit is reached.
 */
#include "b2bua/route/guard_replay.h"
#include <string.h>

typedef struct {
	const GuardLimits *limits;
	ReplayResult *result;
	GuardUse use;
	gint64 now_ms, hour;
	GPtrArray *live; /* ReplayCall *: they ring, or are up */
} Replay;

static gboolean
is_up(const Replay *self, const ReplayCall *call)
{
	return call->answered_ms && call->answered_ms <= self->now_ms;
}

static void
count_up(Replay *self)
{
	memset(self->use.up, 0, sizeof self->use.up);
	memset(self->use.ringing, 0, sizeof self->use.ringing);
	self->use.price = 0;
	for (guint i = 0; i < self->live->len; i++) {
		const ReplayCall *call = self->live->pdata[i];

		if (!is_up(self, call)) {
			self->use.ringing[call->class]++;
			continue;
		}
		self->use.up[call->class]++;
		self->use.price += call->price;
	}
}

static void
pass(Replay *self, gint64 until_ms)
{
	gint64 passed = until_ms - self->now_ms;

	for (GuardSpan span = 0; span < N_GUARD_SPANS; span++) {
		GuardCount *count = &self->use.spans[span];

		for (guint i = 0; i < N_GUARD_CLASSES; i++)
			count->ms[i] += passed * self->use.up[i];
		count->cost += passed * self->use.price;
	}
	self->now_ms = until_ms;
}

static void
count_call(Replay *self, const ReplayCall *call)
{
	for (GuardSpan span = 0; span < N_GUARD_SPANS; span++)
		self->use.spans[span].calls[call->class]++;
}

static void
note_reached(Replay *self, GuardRule rule)
{
	if (!self->result->reached_ms[rule])
		self->result->reached_ms[rule] = self->now_ms;
}

static gint64
longest_until(const Replay *self, const ReplayCall *call, GuardRule *rule)
{
	gint64 longest = guard_longest_ms(self->limits, call->class, rule);

	return longest == G_MAXINT64 ? G_MAXINT64 : call->answered_ms + longest;
}

/* What is over by now goes; what a limit ends goes as well. */
static void
end_calls(Replay *self)
{
	for (guint i = self->live->len; i-- > 0;) {
		const ReplayCall *call = self->live->pdata[i];
		GuardRule ends = N_GUARD_RULES, longest;

		for (GuardRule rule = 0; rule < N_GUARD_RULES && is_up(self, call); rule++)
			if (guard_ends(&self->use, self->limits, rule) & GUARD_OF(call->class))
				ends = MIN(ends, rule);
		if (ends == N_GUARD_RULES && is_up(self, call) &&
		    longest_until(self, call, &longest) <= self->now_ms)
			ends = longest;
		if (call->ended_ms > self->now_ms && ends == N_GUARD_RULES)
			continue;
		if (call->ended_ms > self->now_ms) {
			self->result->ended[ends]++;
			note_reached(self, ends);
		}
		g_ptr_array_remove_index(self->live, i);
	}
	count_up(self);
}

static gint64
next_of_calls(const Replay *self, gint64 next)
{
	for (guint i = 0; i < self->live->len; i++) {
		const ReplayCall *call = self->live->pdata[i];
		GuardRule rule;

		next = MIN(next, call->ended_ms);
		if (is_up(self, call))
			next = MIN(next, longest_until(self, call, &rule));
		else if (call->answered_ms)
			next = MIN(next, call->answered_ms);
	}
	return next;
}

/* Up to `until_ms`, or until nobody talks. */
static void
run(Replay *self, gint64 until_ms)
{
	while (self->live->len > 0 && self->now_ms < until_ms) {
		gint64 next = next_of_calls(self, until_ms);

		for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
			gint64 left = guard_left_ms(&self->use, self->limits, rule, 100);

			if (left < next - self->now_ms)
				next = self->now_ms + MAX(left, 1);
		}
		for (guint i = 0; i < self->live->len; i++) {
			const ReplayCall *call = self->live->pdata[i];

			if (call->answered_ms > self->now_ms && call->answered_ms <= next)
				count_call(self, call);
		}
		pass(self, next);
		count_up(self);
		end_calls(self);
	}
	if (until_ms != G_MAXINT64)
		self->now_ms = MAX(self->now_ms, until_ms);
}

static void
begin(Replay *self, const ReplayCall *call)
{
	GuardRule over;

	if (call->hour != self->hour)
		memset(&self->use.spans[GUARD_HOUR], 0, sizeof self->use.spans[GUARD_HOUR]);
	self->hour = call->hour;
	over = guard_judge(&self->use, self->limits, call->class, FALSE);
	if (over != N_GUARD_RULES) {
		self->result->refused[over]++;
		note_reached(self, over);
		return;
	}
	if (is_up(self, call)) /* otherwise it is counted when the time has come */
		count_call(self, call);
	g_ptr_array_add(self->live, (gpointer)call);
	count_up(self);
}

static int
by_start(gconstpointer a, gconstpointer b)
{
	const ReplayCall *one = a, *other = b;

	return one->started_ms < other->started_ms ? -1 : one->started_ms > other->started_ms;
}

void
guard_replay(GArray *calls, const GuardLimits *limits, ReplayResult *result)
{
	g_autoptr(GPtrArray) live = g_ptr_array_new();
	Replay self = { .limits = limits, .result = result, .live = live };

	memset(result, 0, sizeof *result);
	g_array_sort(calls, by_start);
	for (guint i = 0; i < calls->len; i++) {
		const ReplayCall *call = &g_array_index(calls, ReplayCall, i);

		run(&self, call->started_ms);
		self.now_ms = MAX(self.now_ms, call->started_ms);
		begin(&self, call);
	}
	run(&self, G_MAXINT64);
}
