/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter.c - see meter.h: as what a call counts, whether it may begin, and what the operator sees.
 */
#include "b2bua/route/meter_private.h"
#include <string.h>
#include "b2bua/number.h"
#include "b2bua/route/abroad.h"
#include "b2bua/setting.h"

#define PAGE 100 /* owners that one list reads of the store at once */

Meter *
meter_new(Gateway *gateway)
{
	Meter *self = g_new0(Meter, 1);

	self->gateway = gateway;
	self->owners = meter_owners_new();
	g_queue_init(&self->ages);
	self->asked = asked_new();
	return self;
}

void
meter_free(Meter *self)
{
	if (!self)
		return;
	g_tree_unref(self->owners);
	asked_free(self->asked);
	g_free(self);
}

/* --- as what a call counts --- */

Charge *
charge_copy(const Charge *charge)
{
	Charge *copy = charge ? g_memdup2(charge, sizeof *charge) : NULL;

	if (copy) {
		copy->account = g_strdup(charge->account);
		copy->country = g_strdup(charge->country);
		copy->number = g_strdup(charge->number);
	}
	return copy;
}

void
charge_free(Charge *charge)
{
	if (!charge)
		return;
	g_free(charge->account);
	g_free(charge->country);
	g_free(charge->number);
	g_free(charge);
}

static GuardClass
class_of(const char *number_class, gboolean abroad)
{
	static const char *const dear[] = { "premium", "satellite", "other", NULL };

	if (number_class && g_strv_contains(dear, number_class))
		return abroad ? GUARD_PREMIUM_ABROAD : GUARD_PREMIUM;
	return abroad ? GUARD_ABROAD : GUARD_HOME;
}

Charge *
meter_charge(Meter *self, const char *account, const char *number, const char *number_class,
	     guint price)
{
	gboolean abroad = abroad_is(self->gateway, account, number);
	Charge *charge = g_new0(Charge, 1);

	charge->account = g_strdup(account);
	charge->number = g_strdup(number);
	charge->country = abroad ? abroad_country(number) : NULL;
	charge->class = class_of(number_class, abroad);
	charge->price = price;
	return charge;
}

/* --- whether it may begin --- */

/* An amount of money of the user's own is for all calls, and none is what it may be. */
gboolean
meter_is_limited(Meter *self, const Charge *charge)
{
	const Config *config = gateway_config(self->gateway);
	g_autofree char *own = NULL;
	GuardLimits limits;

	if (charge->class != GUARD_HOME || charge->price > 0)
		return TRUE;
	memcpy(limits.most, config->guard, sizeof limits.most);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		if (guard_row(rule)->classes & GUARD_OF(GUARD_HOME) &&
		    guard_has_limit(&limits, rule))
			return TRUE;
	own = setting_text(gateway_store(self->gateway), charge->account, SETTING_MONEY_A_DAY);
	return own != NULL;
}

static gboolean
hours_allow(Meter *self, const char *account)
{
	g_autoptr(GDateTime) now = meter_clock(self);
	g_autofree char *own =
		setting_text(gateway_store(self->gateway), account, SETTING_ABROAD_HOURS);

	return guard_hours_hold(own ? own : gateway_config(self->gateway)->abroad_hours,
				(guint)g_date_time_get_hour(now));
}

static MeterVerdict
verdict_of_account(Meter *self, const Charge *charge, Owner *owner)
{
	gboolean known = !charge->country || meter_knows(self, charge->account, charge->country);
	gboolean is_new = !known && !meter_has_asked(self, charge->account, charge->country);
	gboolean abroad = guard_row(GUARD_ABROAD_MINUTES)->classes & GUARD_OF(charge->class);
	GuardRule rule;

	owner_read_limits(owner);
	if (charge->class != GUARD_HOME && owner->stopped)
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "you have ended calls abroad for today" };
	if (abroad && owner->limits.most[GUARD_ABROAD_MINUTES] == 0)
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "calls abroad are not allowed for your account" };
	if (charge->class != GUARD_HOME && !hours_allow(self, charge->account))
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "calls abroad are not allowed at this hour" };
	rule = guard_judge(&owner->use, &owner->limits, charge->class, is_new);
	if (rule != N_GUARD_RULES)
		return (MeterVerdict){ METER_OVER, rule, guard_row(rule)->your };
	if (!known)
		return (MeterVerdict){ METER_ASKS, N_GUARD_RULES,
				       "your account has not called this country before: answer "
				       "the question in your chat with YES, then call again" };
	return (MeterVerdict){ METER_MAY, N_GUARD_RULES, NULL };
}

MeterVerdict
meter_ask(Meter *self, const Charge *charge)
{
	static const MeterVerdict unread = {
		METER_UNREAD, N_GUARD_RULES,
		"the gateway cannot read what your account has used of its limits"
	};
	Store *store = gateway_store(self->gateway);
	guint failures = store_failures(store);
	g_autoptr(GError) error = NULL;
	MeterVerdict verdict;
	Owner *owner;

	if (!meter_is_limited(self, charge))
		return store_failures(store) == failures
			       ? (MeterVerdict){ METER_MAY, N_GUARD_RULES, NULL }
			       : unread;
	owner = meter_owner(self, charge->account, &error);
	if (!owner)
		return unread;
	verdict = verdict_of_account(self, charge, owner);
	return store_failures(store) == failures ? verdict : unread;
}

gboolean
meter_trunk_may(Meter *self, const Trunk *trunk, const Charge *charge)
{
	g_autofree char *name = g_strconcat(METER_TRUNK, trunk->name, NULL);
	g_autoptr(GError) error = NULL;
	GuardLimits limits;
	gboolean limited = FALSE;
	Owner *owner;

	trunk_limits(trunk, &limits);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		limited = limited || guard_has_limit(&limits, rule);
	if (!limited)
		return TRUE;
	owner = meter_owner(self, name, &error);
	return owner && guard_judge(&owner->use, &limits, charge->class, FALSE) == N_GUARD_RULES;
}

void
meter_refused(Meter *self, const Charge *charge, const MeterVerdict *verdict)
{
	Owner *owner = meter_owner(self, charge->account, NULL);

	if (!owner)
		return;
	if (verdict->answer == METER_ASKS && meter_ask_person(self, charge)) {
		owner->use.spans[GUARD_HOUR].countries++;
		owner->use.spans[GUARD_DAY].countries++;
		owner_write(owner);
	}
	if (verdict->answer == METER_OVER && guard_row(verdict->rule)->measure != MEASURE_AT_ONCE)
		meter_tell_over(owner, verdict->rule);
}

/* --- for the operator --- */

static void
show_owner(Owner *owner, gboolean all, MeterFunc func, gpointer user)
{
	owner_read_limits(owner);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		MeterRow row = { owner->name, rule, guard_used(&owner->use, rule),
				 owner->limits.most[rule], "" };

		if (!guard_has_limit(&owner->limits, rule) ||
		    guard_row(rule)->measure == MEASURE_LONGEST || (!all && row.used == 0))
			continue;
		if (owner->stopped && guard_row(rule)->classes == GUARD_ABROADS)
			row.state = "stopped";
		else if (guard_reached(&owner->use, &owner->limits, rule, 100))
			row.state = "reached";
		else if (guard_reached(&owner->use, &owner->limits, rule, METER_WARNS_AT))
			row.state = "warned";
		func(user, &row);
	}
}

gboolean
meter_show(Meter *self, const char *name, MeterFunc func, gpointer user, GError **error)
{
	Owner *owner = meter_owner(self, name, error);

	if (owner)
		show_owner(owner, TRUE, func, user);
	return owner != NULL;
}

/* `uses` from `at` on are of it, as they were read of the store; which are no more. */
static guint
show_one(Meter *self, const char *name, const GPtrArray *uses, guint at, MeterFunc func,
	 gpointer user)
{
	Owner *known = g_tree_lookup(self->owners, name), stored;

	owner_init(&stored, self, name);
	for (; at < uses->len && strcmp(((const StoreUse *)uses->pdata[at])->owner, name) == 0;
	     at++)
		owner_restore(&stored, uses->pdata[at]);
	if (known)
		owner_settle(known);
	show_owner(known ? known : &stored, FALSE, func, user);
	owner_clear(&stored);
	return at;
}

gboolean
meter_list(Meter *self, char **after, MeterFunc func, gpointer user, GError **error)
{
	g_autoptr(GPtrArray) uses =
		store_use_page(gateway_store(self->gateway), *after ? *after : "", PAGE, error);
	gboolean more = uses && uses->len == PAGE;
	guint at = 0;

	/* the day of the last one is in the next page */
	if (more && ((const StoreUse *)uses->pdata[PAGE - 1])->span == GUARD_HOUR)
		g_ptr_array_set_size(uses, PAGE - 1);
	for (guint n = 0; uses && n < PAGE; n++) {
		GTreeNode *node = g_tree_upper_bound(self->owners, *after ? *after : "");
		const char *known = node ? g_tree_node_key(node) : NULL;
		const StoreUse *use = at < uses->len ? uses->pdata[at] : NULL;
		char *next;

		if (!use && (more || !known)) /* what comes next stands in the store */
			return more;
		next = g_strdup(!use || (known && strcmp(known, use->owner) < 0) ? known
										 : use->owner);
		g_free(*after);
		*after = next;
		at = show_one(self, next, uses, at, func, user);
	}
	return uses != NULL;
}

gboolean
meter_lift(Meter *self, const char *name, GError **error)
{
	Owner *owner = meter_owner(self, name, error);

	if (!owner)
		return FALSE;
	owner_begin_span(owner, GUARD_HOUR);
	owner_begin_span(owner, GUARD_DAY);
	meter_forget_question(self, name, NULL);
	owner_write(owner);
	meter_set_timer(owner);
	return TRUE;
}

void
meter_forget(Meter *self, const char *account)
{
	meter_drop_owner(self, account);
	asked_forget(self->asked, account);
}

void
meter_limits_of(Meter *self, const char *account, GuardLimits *limits)
{
	Owner owner;

	owner_init(&owner, self, account);
	owner_read_limits(&owner);
	*limits = owner.limits;
	owner_clear(&owner);
}

static gboolean
collect(gpointer name, gpointer owner, gpointer all)
{
	(void)name;
	g_ptr_array_add(all, owner);
	return FALSE;
}

void
meter_skip(Meter *self, gint64 seconds)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	self->skipped_us += seconds * G_USEC_PER_SEC;
	g_tree_foreach(self->owners, collect, all);
	for (guint i = 0; i < all->len; i++)
		meter_check(all->pdata[i]);
}
