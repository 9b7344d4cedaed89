/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_guard.c - what accounts and trunks have used of their limits. */
#include <string.h>
#include "b2bua/address.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/gateway.h"
#include "b2bua/route/guard_replay.h"
#include "b2bua/route/meter.h"
#include "b2bua/route/way_out.h"

#define OWNER	     "JID|trunk:NAME"
#define TRUNK_PREFIX "trunk:"

/* As the meter names it; NULL with an error: there is no such account or trunk. */
static char *
owner_of(Request *request, const char *word, GError **error)
{
	if (g_str_has_prefix(word, TRUNK_PREFIX)) {
		const char *name = word + strlen(TRUNK_PREFIX);
		g_autoptr(Trunk) trunk = store_trunk_get(request->store, name, error);

		return trunk ? g_strconcat("trunk ", name, NULL) : NULL;
	} else {
		g_autofree char *jid = g_utf8_strdown(word, -1);
		g_autoptr(User) user = store_user_get(request->store, jid, error);

		return user ? g_steal_pointer(&jid) : NULL;
	}
}

static Meter *
meter_of(const Request *request)
{
	return gateway_parts(request->gateway)->meter;
}

static void
add_use(gpointer user, const MeterRow *use)
{
	const GuardRow *rule = guard_row(use->rule);
	JsonArray *row = reply_row(user);

	row_add(row, use->owner);
	row_add(row, rule->key);
	row_add_int(row, (gint64)use->used);
	row_add_int(row, (gint64)use->most);
	row_add(row, use->state);
}

static gboolean
more_owners(Request *request, GError **error)
{
	return meter_list(meter_of(request), &request->after, add_use, request, error);
}

gboolean
do_guard_show(Request *request, GError **error)
{
	const char *word = request_word(request, OWNER);
	g_autofree char *owner = NULL;

	if (word && !(owner = owner_of(request, word, error)))
		return FALSE;
	reply_table(request, "whose", "limit", "used", "most", "state", NULL);
	if (owner)
		return meter_show(meter_of(request), owner, add_use, request, error);
	request->more = more_owners;
	return TRUE;
}

gboolean
do_guard_lift(Request *request, GError **error)
{
	const char *word = request_word(request, OWNER);
	g_autofree char *owner = owner_of(request, word, error), *text = NULL;

	if (!owner || !meter_lift(meter_of(request), owner, error))
		return FALSE;
	text = g_strdup_printf("guard lift %s", word);
	audit_say(request, text);
	return TRUE;
}

/* --- yesterday again --- */

#define MAX_REPLAYED 200000 /* calls */

/* What is read of the records, the latest first, and then played by account. */
typedef struct {
	gint64 from_us, to_us; /* yesterday */
	GHashTable *calls;     /* account → GArray of ReplayCall */
	GHashTable *charges;   /* "account number" → Charge * or NULL, as it would be now */
	GList *accounts;       /* of calls, in order: those to be played */
	guint n;
} Yesterday;

static void
yesterday_free(gpointer data)
{
	Yesterday *self = data;

	g_list_free(self->accounts);
	g_hash_table_unref(self->charges);
	g_hash_table_unref(self->calls);
	g_free(self);
}

static Yesterday *
yesterday_new(void)
{
	Yesterday *self = g_new0(Yesterday, 1);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autoptr(GDateTime) today =
		g_date_time_new_local(g_date_time_get_year(now), g_date_time_get_month(now),
				      g_date_time_get_day_of_month(now), 0, 0, 0);
	g_autoptr(GDateTime) before = g_date_time_add_days(today, -1);

	self->from_us = g_date_time_to_unix(before) * G_USEC_PER_SEC;
	self->to_us = g_date_time_to_unix(today) * G_USEC_PER_SEC;
	self->calls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					    (GDestroyNotify)g_array_unref);
	self->charges =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)charge_free);
	return self;
}

/* Of those that a user has made, to a number outside, and somebody has answered. */
static gboolean
is_replayed(const Yesterday *self, const CallRecord *record)
{
	return record->started_us >= self->from_us && record->started_us < self->to_us &&
	       record->answered_us && record->ended_us && record->user && record->trunk &&
	       record->caller && g_str_has_prefix(record->caller, record->user) && record->callee &&
	       number_is_e164(record->callee);
}

static const Charge *
charge_of(Request *request, Yesterday *self, const CallRecord *record)
{
	g_autofree char *key = g_strconcat(record->user, " ", record->callee, NULL);
	gpointer charge;

	if (g_hash_table_lookup_extended(self->charges, key, NULL, &charge))
		return charge;
	charge = way_out_charge(request->gateway, record->user, record->callee);
	g_hash_table_insert(self->charges, g_steal_pointer(&key), charge);
	return charge;
}

static void
add_call(Request *request, Yesterday *self, const CallRecord *record)
{
	const Charge *charge = charge_of(request, self, record);
	GArray *calls = g_hash_table_lookup(self->calls, record->user);
	ReplayCall call = { .started_ms = record->started_us / 1000,
			    .answered_ms = record->answered_us / 1000,
			    .ended_ms = record->ended_us / 1000,
			    .hour = record->started_us / G_USEC_PER_SEC / 3600 };

	if (!charge)
		return;
	call.class = charge->class;
	call.price = charge->price;
	if (!calls) {
		calls = g_array_new(FALSE, FALSE, sizeof(ReplayCall));
		g_hash_table_insert(self->calls, g_strdup(record->user), calls);
	}
	g_array_append_val(calls, call);
	self->n++;
}

static void
change_limits(const Request *request, GuardLimits *limits)
{
	for (guint i = 0; i < request->pairs->len; i++) {
		const Pair *pair = request->pairs->pdata[i];
		guint rule = (guint)(pair->key - keys_of(KEYS_GUARD));

		limits->most[rule] = (guint)g_ascii_strtoull(pair->value, NULL, 10);
	}
}

static void
add_results(Request *request, const char *account, const ReplayResult *result)
{
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		JsonArray *row;

		if (!result->reached_ms[rule])
			continue;
		row = reply_row(request);
		row_add(row, account);
		row_add(row, guard_row(rule)->key);
		row_add_time(row, result->reached_ms[rule] / 1000);
		row_add_int(row, result->refused[rule]);
		row_add_int(row, result->ended[rule]);
	}
}

/* Of one account. */
static gboolean
more_replayed(Request *request, GError **error)
{
	Yesterday *self = request->gathered;
	const char *account = self->accounts ? self->accounts->data : NULL;
	GuardLimits limits;
	ReplayResult result;

	(void)error;
	if (!account)
		return FALSE;
	meter_limits_of(meter_of(request), account, &limits);
	change_limits(request, &limits);
	guard_replay(g_hash_table_lookup(self->calls, account), &limits, &result);
	add_results(request, account, &result);
	self->accounts = g_list_delete_link(self->accounts, self->accounts);
	return self->accounts != NULL;
}

static gboolean
more_of_yesterday(Request *request, GError **error)
{
	Yesterday *self = request->gathered;
	g_autoptr(GPtrArray) records =
		store_call_page(request->store, request->after_id, REQUEST_PORTION, error);
	gboolean older = FALSE;

	if (!records)
		return FALSE;
	for (guint i = 0; i < records->len; i++) {
		const CallRecord *record = records->pdata[i];

		request->after_id = record->id;
		older = older || record->started_us < self->from_us;
		if (is_replayed(self, record))
			add_call(request, self, record);
	}
	if (records->len == REQUEST_PORTION && !older && self->n < MAX_REPLAYED)
		return TRUE;
	self->accounts = g_list_sort(g_hash_table_get_keys(self->calls), (GCompareFunc)strcmp);
	request->more = more_replayed;
	return self->accounts != NULL;
}

gboolean
do_guard_test(Request *request, GError **error)
{
	(void)error;
	reply_table(request, "user", "limit", "reached", "refused", "ended", NULL);
	request->gathered = yesterday_new();
	request->free_gathered = yesterday_free;
	request->after_id = G_MAXINT64;
	request->more = more_of_yesterday;
	return TRUE;
}
