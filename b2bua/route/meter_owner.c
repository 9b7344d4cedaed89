/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* meter_owner.c - an account or a trunk: what it has used, by the clock, and what it may use.
 *
 * What is in memory is newer than what is in the store as long as the journal has not written
 * it, so nobody is forgotten before that.
 */
#include "b2bua/route/meter_private.h"
#include <string.h>
#include "b2bua/setting.h"

#define MAX_OWNERS 10000 /* remembered; then those who have not been asked for longest go */
#define LOOKS	   8	 /* at who may go, for each that comes */

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

GDateTime *
meter_clock(const Meter *self)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();

	return g_date_time_add(now, self->skipped_us);
}

static void
periods(const Meter *self, gint64 period[N_GUARD_SPANS])
{
	g_autoptr(GDateTime) now = meter_clock(self);

	period[GUARD_DAY] = g_date_time_get_year(now) * 10000 + g_date_time_get_month(now) * 100 +
			    g_date_time_get_day_of_month(now);
	period[GUARD_HOUR] = period[GUARD_DAY] * 100 + g_date_time_get_hour(now);
}

gint64
meter_today(const Meter *self)
{
	gint64 period[N_GUARD_SPANS];

	periods(self, period);
	return period[GUARD_DAY];
}

/* --- what has been used --- */

void
owner_begin_span(Owner *owner, GuardSpan span)
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

/* At midnight it begins anew. */
void
owner_settle(Owner *owner)
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
			owner_begin_span(owner, span);
		owner->period[span] = period[span];
	}
	owner->settled_ms = now;
}

void
owner_write(Owner *owner)
{
	Store *store = gateway_store(owner->meter->gateway);
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
		store_use_set(store, &use, &error);
	}
	owner->posted = store_posted(store);
	if (error)
		g_warning("what %s has used is not written down: %s", owner->name, error->message);
}

void
owner_restore(Owner *owner, const StoreUse *use)
{
	GuardCount *count = &owner->use.spans[use->span];

	G_STATIC_ASSERT(sizeof use->ms == sizeof count->ms);
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

/* --- who is remembered --- */

void
owner_init(Owner *owner, Meter *self, const char *name)
{
	*owner = (Owner){ .meter = self,
			  .name = g_strdup(name),
			  .is_trunk = g_str_has_prefix(name, METER_TRUNK),
			  .settled_ms = now_ms(self) };
	periods(self, owner->period);
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		owner->limits.most[rule] = GUARD_NO_LIMIT;
}

void
owner_clear(Owner *owner)
{
	timer_clear(&owner->timer);
	g_free(owner->name);
}

static void
owner_free(gpointer data)
{
	owner_clear(data);
	g_free(data);
}

static int
by_name(gconstpointer a, gconstpointer b, gpointer unused)
{
	(void)unused;
	return strcmp(a, b);
}

GTree *
meter_owners_new(void)
{
	return g_tree_new_full(by_name, NULL, NULL, owner_free);
}

static gboolean
is_idle(const Owner *owner)
{
	guint calls = owner->cut.length;

	for (GuardClass class = 0; class < N_GUARD_CLASSES; class ++)
		calls += owner->ringing[class].length + owner->talking[class].length;
	return calls == 0 && owner->held == 0;
}

static gboolean
may_go(const Owner *owner)
{
	return is_idle(owner) &&
	       store_is_written(gateway_store(owner->meter->gateway), owner->posted);
}

static void
drop(Owner *owner)
{
	g_queue_unlink(&owner->meter->ages, &owner->age);
	g_tree_remove(owner->meter->owners, owner->name);
}

void
meter_drop_owner(Meter *self, const char *name)
{
	Owner *owner = g_tree_lookup(self->owners, name);

	if (owner && is_idle(owner))
		drop(owner);
}

static void
touch(Owner *owner)
{
	g_queue_unlink(&owner->meter->ages, &owner->age);
	g_queue_push_tail_link(&owner->meter->ages, &owner->age);
}

static void
make_room(Meter *self)
{
	for (guint i = 0; i < LOOKS && g_tree_nnodes(self->owners) >= MAX_OWNERS; i++) {
		Owner *oldest = g_queue_peek_head(&self->ages);

		if (!may_go(oldest)) {
			touch(oldest);
			continue;
		}
		drop(oldest);
	}
}

Owner *
meter_owner(Meter *self, const char *name, GError **error)
{
	Owner *owner = g_tree_lookup(self->owners, name);
	g_autoptr(GPtrArray) uses = NULL;

	if (owner) {
		touch(owner);
		owner_settle(owner);
		return owner;
	}
	uses = store_use_get(gateway_store(self->gateway), name, error);
	if (!uses)
		return NULL;
	make_room(self);
	owner = g_new(Owner, 1);
	owner_init(owner, self, name);
	for (guint i = 0; i < uses->len; i++)
		owner_restore(owner, uses->pdata[i]);
	owner->age.data = owner;
	g_queue_push_tail_link(&self->ages, &owner->age);
	g_tree_insert(self->owners, owner->name, owner);
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

void
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
	if (limits->most[rule] < GUARD_NO_LIMIT)
		limits->most[rule] = (guint)MIN(
			(guint64)limits->most[rule] * (1 + (guint64)owner->more), GUARD_NO_LIMIT);
}

static void
account_limits(const Owner *owner, GuardLimits *limits, gboolean *own)
{
	const Config *config = gateway_config(owner->meter->gateway);

	memcpy(limits->most, config->guard, sizeof limits->most);
	own_limit(owner, SETTING_MONEY_A_DAY, &limits->most[GUARD_MONEY_DAY]);
	*own = own_limit(owner, SETTING_ABROAD_MINUTES, &limits->most[GUARD_ABROAD_MINUTES]);
	if (*own)
		return;
	add_more(owner, limits, GUARD_ABROAD_MINUTES);
	add_more(owner, limits, GUARD_ABROAD_CALLS);
}

gboolean
owner_read_limits(Owner *owner)
{
	Store *store = gateway_store(owner->meter->gateway);
	guint failures = store_failures(store);
	GuardLimits limits;
	gboolean own = FALSE;

	if (owner->is_trunk) {
		g_autoptr(Trunk) trunk =
			store_trunk_get(store, owner->name + strlen(METER_TRUNK), NULL);

		trunk_limits(trunk, &limits);
	} else {
		account_limits(owner, &limits, &own);
	}
	if (store_failures(store) != failures)
		return FALSE;
	owner->limits = limits;
	owner->own = own;
	return TRUE;
}
