/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter_use.c - the calls that count, and when one must end.
 *
 * An owner has one timer, whatever number of calls it has: what is left is shared by them, so
 * it ends so many times sooner.  The first that was answered is the first to be too long.
 */
#include "b2bua/route/meter_private.h"
#include <string.h>

#define WRITE_MS    60000 /* between rows of who is talking */
#define CUT_PORTION 50	  /* calls that are ended in one turn */

struct MeterUse {
	Charge *charge;
	Owner *owners[2]; /* the account, the trunk; NULL: it has no limits */
	GQueue *in[2];	  /* of these owners */
	GList links[2];
	gboolean answered;
	gint64 answered_ms;
	MeterCut cut;
	gpointer user;
};

static void
put(MeterUse *use, guint place, GQueue *queue)
{
	if (use->in[place])
		g_queue_unlink(use->in[place], &use->links[place]);
	use->in[place] = queue;
	use->links[place].data = use;
	if (queue)
		g_queue_push_tail_link(queue, &use->links[place]);
}

/* --- while they talk --- */

/* It may end others as well, of two that are joined, and forget the use. */
static void
cut_one(Owner *owner, MeterUse *use, const char *words)
{
	for (guint i = 0; i < G_N_ELEMENTS(use->owners); i++)
		if (use->owners[i])
			put(use, i, &use->owners[i]->cut);
	use->cut(use->user, owner->is_trunk ? "" : owner->name, words);
}

static MeterUse *
first_of(const Owner *owner, guint classes)
{
	for (GuardClass class = 0; class < N_GUARD_CLASSES; class ++) {
		if (!(classes & GUARD_OF(class)))
			continue;
		if (owner->talking[class].head)
			return owner->talking[class].head->data;
		if (owner->ringing[class].head)
			return owner->ringing[class].head->data;
	}
	return NULL;
}

/* The others of so many are ended in the next turn. */
static void
cut_all(Owner *owner, guint classes, const char *words, guint *room)
{
	MeterUse *use;

	for (; *room > 0 && (use = first_of(owner, classes)); (*room)--)
		cut_one(owner, use, words);
	owner->cuts_left = owner->cuts_left || first_of(owner, classes);
}

/* When the longest of this class is over; G_MAXINT64: never. */
static gint64
longest_until(const Owner *owner, GuardClass class, GuardRule *rule)
{
	const GList *first = owner->talking[class].head;
	gint64 longest = first ? guard_longest_ms(&owner->limits, class, rule) : G_MAXINT64;

	return longest == G_MAXINT64 ? G_MAXINT64
				     : ((const MeterUse *)first->data)->answered_ms + longest;
}

static void
cut_longest(Owner *owner, guint *room)
{
	for (GuardClass class = 0; class < N_GUARD_CLASSES; class ++) {
		GuardRule rule;

		for (; *room > 0 && longest_until(owner, class, &rule) <= owner->settled_ms;
		     (*room)--)
			cut_one(owner, owner->talking[class].head->data, guard_row(rule)->the);
	}
}

static gboolean
is_told_at_once(GuardRule rule)
{
	GuardMeasure measure = guard_row(rule)->measure;

	return measure == MEASURE_MINUTES || measure == MEASURE_CALLS || measure == MEASURE_MONEY;
}

static void
check_rule(Owner *owner, GuardRule rule, guint *room)
{
	guint ends = guard_ends(&owner->use, &owner->limits, rule);

	if (is_told_at_once(rule) && owner->limits.most[rule] > 0) {
		if (guard_reached(&owner->use, &owner->limits, rule, 100))
			meter_tell_over(owner, rule);
		else if (guard_reached(&owner->use, &owner->limits, rule, METER_WARNS_AT))
			meter_warn(owner, rule);
	}
	if (ends) {
		owner->told |= 1u << rule;
		cut_all(owner, ends, guard_row(rule)->the, room);
	}
}

void
meter_check(Owner *owner)
{
	guint room = CUT_PORTION;

	owner->held++;
	owner->cuts_left = FALSE;
	owner_settle(owner);
	owner_read_limits(owner);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		check_rule(owner, rule, &room);
	if (owner->stopped)
		cut_all(owner, GUARD_ABROADS | GUARD_PREMIUMS,
			"the user has ended calls abroad for today", &room);
	cut_longest(owner, &room);
	owner->held--;
	owner_write(owner);
	meter_set_timer(owner);
}

static void
on_time(gpointer user)
{
	meter_check(user);
}

/* By the limits that were read last: at most a minute ago, of who talks. */
void
meter_set_timer(Owner *owner)
{
	const GuardUse *use = &owner->use;
	gint64 left = owner->cuts_left ? 0 : G_MAXINT64;
	guint up = 0;

	timer_clear(&owner->timer);
	for (GuardClass class = 0; class < N_GUARD_CLASSES; class ++) {
		GuardRule rule;
		gint64 until = longest_until(owner, class, &rule);

		up += use->up[class];
		if (until != G_MAXINT64)
			left = MIN(left, until - owner->settled_ms);
	}
	if (up == 0 && !owner->cuts_left)
		return;
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		if (!(owner->warned & 1u << rule))
			left = MIN(left, guard_left_ms(use, &owner->limits, rule, METER_WARNS_AT));
		if (!(owner->told & 1u << rule))
			left = MIN(left, guard_left_ms(use, &owner->limits, rule, 100));
	}
	timer_set(&owner->timer, (guint)CLAMP(left, 0, WRITE_MS) + 1, on_time, owner);
}

/* --- a call --- */

static Owner *
trunk_owner(Meter *self, const char *name, GError **error)
{
	g_autoptr(Trunk) trunk =
		name ? store_trunk_get(gateway_store(self->gateway), name, NULL) : NULL;
	g_autofree char *owner = g_strconcat(METER_TRUNK, name, NULL);

	if (!trunk ||
	    (trunk->minutes_a_day >= GUARD_NO_LIMIT && trunk->calls_a_day >= GUARD_NO_LIMIT &&
	     trunk->money_a_day >= GUARD_NO_LIMIT))
		return NULL;
	return meter_owner(self, owner, error);
}

/* At once: an owner without a use may be forgotten for the next one.  NULL is fine. */
static void
ring_for(MeterUse *use, guint place, Owner *owner)
{
	GuardClass class = use->charge->class;

	use->owners[place] = owner;
	if (!owner)
		return;
	owner->use.ringing[class]++;
	put(use, place, &owner->ringing[class]);
}

MeterUse *
meter_begin(Meter *self, const Charge *charge, const char *trunk, MeterCut cut, gpointer user)
{
	g_autoptr(GError) error = NULL;
	MeterUse *use = g_new0(MeterUse, 1);

	use->charge = charge_copy(charge);
	use->cut = cut;
	use->user = user;
	if (meter_is_limited(self, charge))
		ring_for(use, 0, meter_owner(self, charge->account, &error));
	if (!error)
		ring_for(use, 1, trunk_owner(self, trunk, &error));
	if (error) /* it could be read a moment ago, when the call was routed */
		g_warning("a call of %s is not counted: %s", charge->account, error->message);
	if (use->owners[0] || use->owners[1])
		return use;
	meter_end(use);
	return NULL;
}

static void
talk_for(MeterUse *use, guint place, Owner *owner)
{
	GuardClass class = use->charge->class;

	owner_settle(owner);
	use->answered_ms = owner->settled_ms;
	owner->use.ringing[class]--;
	owner->use.up[class]++;
	owner->use.price += use->charge->price;
	owner->use.spans[GUARD_HOUR].calls[class]++;
	owner->use.spans[GUARD_DAY].calls[class]++;
	put(use, place, &owner->talking[class]); /* also one cut before: it had no leg then */
	owner->held++;
}

void
meter_answered(MeterUse *use)
{
	Owner *owners[2];

	if (!use || use->answered)
		return;
	use->answered = TRUE;
	memcpy(owners, use->owners, sizeof owners);
	for (guint i = 0; i < G_N_ELEMENTS(owners); i++)
		if (owners[i])
			talk_for(use, i, owners[i]);
	for (guint i = 0; i < G_N_ELEMENTS(owners); i++) {
		if (!owners[i])
			continue;
		owners[i]->held--;
		meter_check(owners[i]); /* `use` may be gone then */
	}
}

void
meter_end(MeterUse *use)
{
	if (!use)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(use->owners); i++) {
		Owner *owner = use->owners[i];
		GuardClass class = use->charge->class;

		if (!owner)
			continue;
		owner_settle(owner);
		put(use, i, NULL);
		if (!use->answered) {
			owner->use.ringing[class]--;
			continue;
		}
		owner->use.up[class]--;
		owner->use.price -= use->charge->price;
		if (owner->held)
			continue;
		owner_write(owner);
		meter_set_timer(owner);
	}
	charge_free(use->charge);
	g_free(use);
}
