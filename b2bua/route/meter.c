/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter.c - see meter.h: what is counted, and when a call must end.
 *
 * An owner has one timer, whatever number of calls it has: what is left is shared by them, so
 * it ends so many times sooner.
 */
#include "b2bua/route/meter_private.h"
#include <string.h>
#include "b2bua/number.h"
#include "b2bua/route/abroad.h"
#include "b2bua/setting.h"

#define WRITE_MS   60000 /* between rows of who is talking */
#define MAX_OWNERS 10000 /* remembered; then those who do not talk go */

struct MeterUse {
	Charge *charge;
	Owner *owners[2]; /* the account, the trunk; NULL: it has no limits */
	gboolean answered, cut_off;
	gint64 answered_ms;
	void (*cut)(gpointer user, const char *words);
	gpointer user;
};

Charge *
charge_copy(const Charge *charge)
{
	Charge *copy = charge ? g_memdup2(charge, sizeof *charge) : NULL;

	if (copy) {
		copy->account = g_strdup(charge->account);
		copy->country = g_strdup(charge->country);
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
	g_free(charge);
}

static void
owner_free(gpointer data)
{
	Owner *owner = data;

	timer_clear(&owner->timer);
	g_ptr_array_unref(owner->uses);
	g_free(owner->name);
	g_free(owner);
}

Meter *
meter_new(Gateway *gateway)
{
	Meter *self = g_new0(Meter, 1);

	self->gateway = gateway;
	self->owners = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, owner_free);
	self->asked = asked_new();
	return self;
}

void
meter_free(Meter *self)
{
	if (!self)
		return;
	g_hash_table_unref(self->owners);
	asked_free(self->asked);
	g_free(self);
}

/* --- time --- */

gint64
meter_now_us(const Meter *self)
{
	return g_get_monotonic_time() + self->skipped_us;
}

static gint64
now_ms(const Meter *self)
{
	return meter_now_us(self) / 1000;
}

static GDateTime *
clock_now(const Meter *self)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	return g_date_time_add(now, self->skipped_us);
}

static void
periods(const Meter *self, gint64 period[N_GUARD_SPANS])
{
	g_autoptr(GDateTime) now = clock_now(self);

	period[GUARD_DAY] = g_date_time_get_year(now) * 10000 + g_date_time_get_month(now) * 100 +
			    g_date_time_get_day_of_month(now);
	period[GUARD_HOUR] = period[GUARD_DAY] * 100 + g_date_time_get_hour(now);
}

/* --- what has been used --- */

static void
begin_span(Owner *owner, GuardSpan span)
{
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		if (guard_row(rule)->span == span) {
			owner->warned &= ~(1u << rule);
			owner->told &= ~(1u << rule);
		}
	memset(&owner->use.spans[span], 0, sizeof owner->use.spans[span]);
	if (span != GUARD_DAY)
		return;
	owner->more = 0;
	owner->stopped = FALSE;
}

/* Counts what has been talked since the last time; at midnight it begins anew. */
static void
settle(Owner *owner)
{
	gint64 now = now_ms(owner->meter), passed = now - owner->settled_ms;
	gint64 period[N_GUARD_SPANS];

	periods(owner->meter, period);
	for (GuardSpan span = 0; span < N_GUARD_SPANS; span++) {
		GuardCount *count = &owner->use.spans[span];

		for (guint i = 0; i < N_GUARD_CLASSES; i++)
			count->ms[i] += passed * owner->use.up[i];
		count->cost += passed * owner->use.price;
		if (period[span] != owner->period[span])
			begin_span(owner, span);
		owner->period[span] = period[span];
	}
	owner->settled_ms = now;
}

static void
write_down(const Owner *owner)
{
	g_autoptr(GError) error = NULL;

	for (GuardSpan span = 0; span < N_GUARD_SPANS && !error; span++) {
		const GuardCount *count = &owner->use.spans[span];
		StoreUse use = { .owner = owner->name,
				 .span = span,
				 .period = owner->period[span],
				 .cost = count->cost,
				 .countries = count->countries,
				 .more = span == GUARD_DAY ? owner->more : 0,
				 .stopped = span == GUARD_DAY && owner->stopped };

		memcpy(use.ms, count->ms, sizeof use.ms);
		memcpy(use.calls, count->calls, sizeof use.calls);
		store_use_set(gateway_store(owner->meter->gateway), &use, &error);
	}
	if (error)
		g_warning("what %s has used is not written down: %s", owner->name, error->message);
}

static void
restore(Owner *owner, const StoreUse *use)
{
	GuardCount *count = &owner->use.spans[use->span];

	if (use->period != owner->period[use->span])
		return;
	memcpy(count->ms, use->ms, sizeof use->ms);
	memcpy(count->calls, use->calls, sizeof use->calls);
	count->cost = use->cost;
	count->countries = use->countries;
	if (use->span != GUARD_DAY)
		return;
	owner->more = use->more;
	owner->stopped = use->stopped != 0;
}

static gboolean
does_not_talk(gpointer key, gpointer value, gpointer user)
{
	const Owner *owner = value;

	(void)key;
	(void)user;
	return owner->uses->len == 0;
}

Owner *
meter_owner(Meter *self, const char *name, GError **error)
{
	Owner *owner = g_hash_table_lookup(self->owners, name);
	g_autoptr(GPtrArray) uses = NULL;

	if (owner) {
		settle(owner);
		return owner;
	}
	uses = store_use_get(gateway_store(self->gateway), name, error);
	if (!uses)
		return NULL;
	if (g_hash_table_size(self->owners) >= MAX_OWNERS)
		g_hash_table_foreach_remove(self->owners, does_not_talk, NULL);
	owner = g_new0(Owner, 1);
	owner->meter = self;
	owner->name = g_strdup(name);
	owner->is_trunk = g_str_has_prefix(name, METER_TRUNK);
	owner->uses = g_ptr_array_new();
	owner->settled_ms = now_ms(self);
	periods(self, owner->period);
	for (guint i = 0; i < uses->len; i++)
		restore(owner, uses->pdata[i]);
	g_hash_table_insert(self->owners, owner->name, owner);
	return owner;
}

/* --- what may be used --- */

/* A setting of the account's own; FALSE: there is none. */
static gboolean
own_limit(const Owner *owner, Setting setting, guint *limit)
{
	g_autofree char *text =
		setting_text(gateway_store(owner->meter->gateway), owner->name, setting);

	if (text)
		*limit = (guint)g_ascii_strtoull(text, NULL, 10);
	return text != NULL;
}

static void
trunk_limits(const Trunk *trunk, GuardLimits *limits)
{
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		limits->most[rule] = GUARD_NO_LIMIT;
	if (!trunk)
		return;
	limits->most[GUARD_MINUTES_DAY] = trunk->minutes_a_day;
	limits->most[GUARD_CALLS_DAY] = trunk->calls_a_day;
	limits->most[GUARD_MONEY_DAY] = trunk->money_a_day;
}

static void
add_more(const Owner *owner, GuardLimits *limits, GuardRule rule)
{
	if (guard_has_limit(limits, rule))
		limits->most[rule] = (guint)MIN(
			(guint64)limits->most[rule] * (1 + (guint64)owner->more), GUARD_NO_LIMIT);
}

void
meter_limits(const Owner *owner, GuardLimits *limits, gboolean *own)
{
	Gateway *gateway = owner->meter->gateway;
	const Config *config = gateway_config(gateway);

	*own = FALSE;
	if (owner->is_trunk) {
		g_autoptr(Trunk) trunk = store_trunk_get(gateway_store(gateway),
							 owner->name + strlen(METER_TRUNK), NULL);

		trunk_limits(trunk, limits);
		return;
	}
	memcpy(limits->most, config->guard, sizeof limits->most);
	own_limit(owner, SETTING_MONEY_A_DAY, &limits->most[GUARD_MONEY_DAY]);
	*own = own_limit(owner, SETTING_ABROAD_MINUTES, &limits->most[GUARD_ABROAD_MINUTES]);
	if (*own)
		return;
	add_more(owner, limits, GUARD_ABROAD_MINUTES);
	add_more(owner, limits, GUARD_ABROAD_CALLS);
}

void
meter_limits_of(Meter *self, const char *account, GuardLimits *limits)
{
	Owner owner = { .meter = self, .name = (char *)account };
	gboolean own;

	meter_limits(&owner, limits, &own);
}

/* --- while they talk --- */

static void set_timer(Owner *owner);

/* Each cut may end others as well: of two that are joined. */
void
meter_cut(Owner *owner, guint classes, const char *words)
{
	for (guint i = 0; i < owner->uses->len;) {
		MeterUse *use = owner->uses->pdata[i];

		if (use->cut_off || !(classes & GUARD_OF(use->charge->class))) {
			i++;
			continue;
		}
		use->cut_off = TRUE;
		use->cut(use->user, words);
		i = 0;
	}
}

static void
cut_longest(Owner *owner, const GuardLimits *limits)
{
	static const GuardRule RULES[N_GUARD_CLASSES] = {
		[GUARD_HOME] = GUARD_LONGEST_HOME,
		[GUARD_ABROAD] = GUARD_LONGEST_ABROAD,
		[GUARD_PREMIUM] = GUARD_LONGEST_PREMIUM,
	};

	for (guint i = 0; i < owner->uses->len;) {
		MeterUse *use = owner->uses->pdata[i];
		GuardRule rule = RULES[use->charge->class];

		if (use->cut_off || !use->answered || !guard_has_limit(limits, rule) ||
		    owner->settled_ms - use->answered_ms < (gint64)limits->most[rule] * 60000) {
			i++;
			continue;
		}
		use->cut_off = TRUE;
		use->cut(use->user, guard_row(rule)->the);
		i = 0;
	}
}

static gboolean
is_told_at_once(GuardRule rule)
{
	GuardMeasure measure = guard_row(rule)->measure;

	return measure == MEASURE_MINUTES || measure == MEASURE_CALLS || measure == MEASURE_MONEY;
}

static void
check_rule(Owner *owner, GuardRule rule, const GuardLimits *limits, gboolean own)
{
	guint ends = guard_ends(&owner->use, limits, rule);

	if (is_told_at_once(rule) && limits->most[rule] > 0) {
		if (guard_reached(&owner->use, limits, rule, 100))
			meter_tell_over(owner, rule, limits, own);
		else if (guard_reached(&owner->use, limits, rule, METER_WARNS_AT))
			meter_warn(owner, rule, limits, own);
	}
	if (ends) {
		owner->told |= 1u << rule;
		meter_cut(owner, ends, guard_row(rule)->the);
	}
}

void
meter_check(Owner *owner)
{
	GuardLimits limits;
	gboolean own;

	settle(owner);
	meter_limits(owner, &limits, &own);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		check_rule(owner, rule, &limits, own);
	if (owner->stopped)
		meter_cut(owner, GUARD_OF(GUARD_ABROAD) | GUARD_OF(GUARD_PREMIUM),
			  "the user has ended calls abroad for today");
	cut_longest(owner, &limits);
	write_down(owner);
	set_timer(owner);
}

static void
on_time(gpointer user)
{
	meter_check(user);
}

static gint64
left_of_longest(const Owner *owner, const GuardLimits *limits)
{
	gint64 left = G_MAXINT64;

	for (guint i = 0; i < owner->uses->len; i++) {
		const MeterUse *use = owner->uses->pdata[i];
		GuardRule rule = use->charge->class == GUARD_HOME     ? GUARD_LONGEST_HOME
				 : use->charge->class == GUARD_ABROAD ? GUARD_LONGEST_ABROAD
								      : GUARD_LONGEST_PREMIUM;

		if (use->answered && !use->cut_off && guard_has_limit(limits, rule))
			left = MIN(left, use->answered_ms + (gint64)limits->most[rule] * 60000 -
						 owner->settled_ms);
	}
	return left;
}

static void
set_timer(Owner *owner)
{
	GuardLimits limits;
	gboolean own;
	gint64 left;

	timer_clear(&owner->timer);
	if (owner->use.up[GUARD_HOME] + owner->use.up[GUARD_ABROAD] +
		    owner->use.up[GUARD_PREMIUM] ==
	    0)
		return;
	meter_limits(owner, &limits, &own);
	left = left_of_longest(owner, &limits);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		if (!(owner->warned & 1u << rule))
			left = MIN(left, guard_left_ms(&owner->use, &limits, rule, METER_WARNS_AT));
		if (!(owner->told & 1u << rule))
			left = MIN(left, guard_left_ms(&owner->use, &limits, rule, 100));
	}
	timer_set(&owner->timer, (guint)CLAMP(left, 0, WRITE_MS) + 1, on_time, owner);
}

/* --- a call --- */

static GuardClass
class_of(const char *number_class, gboolean abroad)
{
	static const char *const dear[] = { "premium", "satellite", "other", NULL };

	if (number_class && g_strv_contains(dear, number_class))
		return GUARD_PREMIUM;
	return abroad ? GUARD_ABROAD : GUARD_HOME;
}

Charge *
meter_charge(Meter *self, const char *account, const char *number, const char *number_class,
	     guint price)
{
	gboolean abroad = abroad_is(self->gateway, account, number);
	Charge *charge = g_new0(Charge, 1);

	charge->account = g_strdup(account);
	charge->country = abroad ? abroad_country(number) : NULL;
	charge->class = class_of(number_class, abroad);
	charge->price = price;
	return charge;
}

/* Most calls at home are counted nowhere. */
static gboolean
is_limited(const Config *config, const Charge *charge)
{
	GuardLimits limits;

	if (charge->class != GUARD_HOME || charge->price > 0)
		return TRUE;
	memcpy(limits.most, config->guard, sizeof limits.most);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		if (guard_row(rule)->classes & GUARD_OF(GUARD_HOME) &&
		    guard_has_limit(&limits, rule))
			return TRUE;
	return FALSE;
}

static gboolean
hours_allow(Meter *self, const char *account)
{
	g_autoptr(GDateTime) now = clock_now(self);
	g_autofree char *own =
		setting_text(gateway_store(self->gateway), account, SETTING_ABROAD_HOURS);

	return guard_hours_hold(own ? own : gateway_config(self->gateway)->abroad_hours,
				(guint)g_date_time_get_hour(now));
}

static MeterVerdict
verdict_of_account(Meter *self, const Charge *charge, const Owner *owner)
{
	gboolean known = !charge->country || meter_knows(self, charge->account, charge->country);
	gboolean is_new = !known && !meter_has_asked(self, charge->account, charge->country);
	GuardLimits limits;
	gboolean own;
	GuardRule rule;

	meter_limits(owner, &limits, &own);
	if (charge->class != GUARD_HOME && owner->stopped)
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "you have ended calls abroad for today" };
	if (charge->class == GUARD_ABROAD && limits.most[GUARD_ABROAD_MINUTES] == 0)
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "calls abroad are not allowed for your account" };
	if (charge->class != GUARD_HOME && !hours_allow(self, charge->account))
		return (MeterVerdict){ METER_REFUSES, N_GUARD_RULES,
				       "calls abroad are not allowed at this hour" };
	rule = guard_judge(&owner->use, &limits, charge->class, is_new);
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

	if (!is_limited(gateway_config(self->gateway), charge))
		return (MeterVerdict){ METER_MAY, N_GUARD_RULES, NULL };
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
meter_refused(Meter *self, const Charge *charge, const MeterVerdict *verdict, const char *number)
{
	Owner *owner = meter_owner(self, charge->account, NULL);
	GuardLimits limits;
	gboolean own;

	if (!owner)
		return;
	if (verdict->answer == METER_ASKS && meter_ask_person(self, charge, number)) {
		owner->use.spans[GUARD_HOUR].countries++;
		owner->use.spans[GUARD_DAY].countries++;
		write_down(owner);
	}
	meter_limits(owner, &limits, &own);
	if (verdict->answer == METER_OVER && guard_row(verdict->rule)->measure != MEASURE_AT_ONCE)
		meter_tell_over(owner, verdict->rule, &limits, own);
}

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
	use->owners[place] = owner;
	if (!owner)
		return;
	owner->use.ringing[use->charge->class]++;
	g_ptr_array_add(owner->uses, use);
}

MeterUse *
meter_begin(Meter *self, const Charge *charge, const char *trunk,
	    void (*cut)(gpointer user, const char *words), gpointer user)
{
	g_autoptr(GError) error = NULL;
	MeterUse *use = g_new0(MeterUse, 1);

	use->charge = charge_copy(charge);
	use->cut = cut;
	use->user = user;
	if (is_limited(gateway_config(self->gateway), charge))
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

void
meter_answered(MeterUse *use)
{
	GuardClass class;
	Owner *owners[2];

	if (!use || use->answered)
		return;
	class = use->charge->class;
	use->answered = TRUE;
	use->cut_off = FALSE; /* it had no leg that could have been hung up */
	memcpy(owners, use->owners, sizeof owners);
	for (guint i = 0; i < G_N_ELEMENTS(owners); i++) {
		Owner *owner = owners[i];

		if (!owner)
			continue;
		settle(owner);
		use->answered_ms = owner->settled_ms;
		owner->use.ringing[class]--;
		owner->use.up[class]++;
		owner->use.price += use->charge->price;
		owner->use.spans[GUARD_HOUR].calls[class]++;
		owner->use.spans[GUARD_DAY].calls[class]++;
	}
	for (guint i = 0; i < G_N_ELEMENTS(owners); i++)
		if (owners[i]) /* `use` may be gone by now */
			meter_check(owners[i]);
}

void
meter_end(MeterUse *use)
{
	GuardClass class;

	if (!use)
		return;
	class = use->charge->class;
	for (guint i = 0; i < G_N_ELEMENTS(use->owners); i++) {
		Owner *owner = use->owners[i];

		if (!owner)
			continue;
		settle(owner);
		g_ptr_array_remove(owner->uses, use);
		if (!use->answered) {
			owner->use.ringing[class]--;
			continue;
		}
		owner->use.up[class]--;
		owner->use.price -= use->charge->price;
		write_down(owner);
		set_timer(owner);
	}
	charge_free(use->charge);
	g_free(use);
}

/* --- for the operator --- */

static void
show_owner(Owner *owner, gboolean all, MeterFunc func, gpointer user)
{
	GuardLimits limits;
	gboolean own;

	meter_limits(owner, &limits, &own);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		MeterRow row = { owner->name, rule, guard_used(&owner->use, rule),
				 limits.most[rule], "" };

		if (!guard_has_limit(&limits, rule) ||
		    guard_row(rule)->measure == MEASURE_LONGEST || (!all && row.used == 0))
			continue;
		if (owner->stopped && guard_row(rule)->classes == GUARD_OF(GUARD_ABROAD))
			row.state = "stopped";
		else if (guard_reached(&owner->use, &limits, rule, 100))
			row.state = "reached";
		else if (guard_reached(&owner->use, &limits, rule, METER_WARNS_AT))
			row.state = "warned";
		func(user, &row);
	}
}

static int
by_name(gconstpointer a, gconstpointer b)
{
	return strcmp((*(Owner *const *)a)->name, (*(Owner *const *)b)->name);
}

gboolean
meter_show(Meter *self, const char *name, MeterFunc func, gpointer user, GError **error)
{
	g_autoptr(GPtrArray) owners = g_ptr_array_new(), uses = NULL;
	gint64 period[N_GUARD_SPANS];
	GHashTableIter iter;
	gpointer owner;

	if (name) {
		owner = meter_owner(self, name, error);
		if (owner)
			show_owner(owner, TRUE, func, user);
		return owner != NULL;
	}
	periods(self, period);
	uses = store_use_list(gateway_store(self->gateway), period[GUARD_DAY], error);
	for (guint i = 0; uses && i < uses->len; i++)
		if (!meter_owner(self, ((const StoreUse *)uses->pdata[i])->owner, error))
			return FALSE;
	g_hash_table_iter_init(&iter, self->owners);
	while (g_hash_table_iter_next(&iter, NULL, &owner))
		g_ptr_array_add(owners, owner);
	g_ptr_array_sort(owners, by_name);
	for (guint i = 0; i < owners->len; i++) {
		settle(owners->pdata[i]);
		show_owner(owners->pdata[i], FALSE, func, user);
	}
	return uses != NULL;
}

gboolean
meter_lift(Meter *self, const char *name, GError **error)
{
	Owner *owner = meter_owner(self, name, error);

	if (!owner)
		return FALSE;
	begin_span(owner, GUARD_HOUR);
	begin_span(owner, GUARD_DAY);
	write_down(owner);
	set_timer(owner);
	return TRUE;
}

void
meter_skip(Meter *self, gint64 seconds)
{
	GHashTableIter iter;
	gpointer owner;
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	self->skipped_us += seconds * G_USEC_PER_SEC;
	g_hash_table_iter_init(&iter, self->owners);
	while (g_hash_table_iter_next(&iter, NULL, &owner))
		g_ptr_array_add(all, owner);
	for (guint i = 0; i < all->len; i++)
		meter_check(all->pdata[i]);
}
