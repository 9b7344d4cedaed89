/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_source_list.c - the addresses that fail or come too fast, for the operator.
 *
 * Thread: signalling.
 */
#include "plugins/sip/shield/sip_source_private.h"

static char *
rate_text(const RateRecord *record)
{
	Endpoint endpoint = source_rate_endpoint(&record->key);
	ThrottleKey key = endpoint_key(&endpoint);

	return source_rate_is_account(&record->key) ? g_strdup("softphone")
						    : endpoint_key_text(&key);
}

static void
tell_rates(Sources *self, HostileSourceFunc func, gpointer user)
{
	gint64 now = g_get_monotonic_time(), wall = g_get_real_time();
	g_autoptr(GArray) records = rate_list(self->rates, now);

	for (guint i = 0; i < records->len; i++) {
		const RateRecord *record = &g_array_index(records, RateRecord, i);
		g_autofree char *address = rate_text(record);

		func(user,
		     &(HostileSource){ .address = address,
				       .failures = (guint)MIN(record->dropped, G_MAXUINT),
				       .last = record->what,
				       .state = "too fast",
				       .until = (wall + record->until - now) / G_USEC_PER_SEC });
	}
}

void
sources_tell(Sources *self, HostileSourceFunc func, gpointer user)
{
	static const char *const states[] = { [THROTTLE_COUNTED] = "counted",
					      [THROTTLE_SLOWED] = "slowed",
					      [THROTTLE_IGNORED] = "ignored" };
	gint64 now = g_get_monotonic_time(), wall = g_get_real_time();
	g_autoptr(GArray) records = self && self->table ? throttle_list(self->table, now) : NULL;

	for (guint i = 0; records && i < records->len; i++) {
		const ThrottleRecord *record = &g_array_index(records, ThrottleRecord, i);
		g_autofree char *address = endpoint_key_text(&record->key);

		func(user,
		     &(HostileSource){ .address = address,
				       .failures = record->failures,
				       .last = record->what,
				       .state = states[record->state],
				       .until = (wall + record->until - now) / G_USEC_PER_SEC });
	}
	if (self && self->table)
		tell_rates(self, func, user);
}

static guint
lift_rates(Sources *self, const ThrottleKey *key)
{
	g_autoptr(GArray) records = rate_list(self->rates, g_get_monotonic_time());
	guint n = 0;

	for (guint i = 0; i < records->len; i++) {
		const RateKey *own = &g_array_index(records, RateRecord, i).key;
		Endpoint endpoint = source_rate_endpoint(own);
		ThrottleKey address = endpoint_key(&endpoint);

		if (source_rate_is_account(own) || !throttle_key_equal(&address, key))
			continue;
		rate_forget(self->rates, own);
		n++;
	}
	return n;
}

static guint
lift_all(Sources *self)
{
	g_autoptr(GArray) records = throttle_list(self->table, g_get_monotonic_time());

	rate_forget_all(self->rates);

	for (guint i = 0; i < records->len; i++)
		throttle_forget(self->table, &g_array_index(records, ThrottleRecord, i).key);
	return records->len;
}

guint
sources_lift(Sources *self, const char *text)
{
	g_autofree char *bare = text ? g_strndup(text, strcspn(text, "/")) : NULL;
	g_autoptr(GInetAddress) address = bare ? g_inet_address_new_from_string(bare) : NULL;
	Endpoint endpoint;
	ThrottleKey key;

	if (!self || !self->table)
		return 0;
	if (!bare)
		return lift_all(self);
	if (!endpoint_at(address, &endpoint))
		return 0;
	key = endpoint_key(&endpoint);
	return (throttle_forget(self->table, &key) ? 1 : 0) + lift_rates(self, &key);
}

void
sources_status(Sources *self, StatusFunc func, gpointer user)
{
	gboolean throttled = self && self->table;
	const StatusRow rows[] = {
		{ .key = "sources ignored",
		  .number =
			  throttled ? throttle_n_ignored(self->table, g_get_monotonic_time()) : 0 },
		{ .key = "requests dropped",
		  .number = throttled ? throttle_n_dropped(self->table) : 0 },
		{ .key = "requests over rate",
		  .number = throttled ? rate_n_dropped(self->rates) : 0 },
	};

	if (!throttled)
		func(user, &(StatusRow){ .key = "sources", .text = "not throttled" });
	for (guint i = 0; throttled && i < G_N_ELEMENTS(rows); i++)
		func(user, &rows[i]);
}
