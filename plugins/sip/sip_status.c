/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_status.c - what `tandemctl status` shows of SIP. */
#include "plugins/sip/sip_status.h"
#include <time.h>
#include "plugins/sip/stack/sip_connection.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/stack/sip_datagram.h"
#include "plugins/sip/stack/sip_tls.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_watch.h"

#define RECOUNT_US 200000

static void
say_all(StatusFunc func, gpointer user, const StatusRow *rows, guint n)
{
	for (guint i = 0; i < n; i++)
		func(user, &rows[i]);
}

static void
say_tls(const SipUa *self, StatusFunc func, gpointer user)
{
	const TlsCounters *counters = tls_counters();
	const StatusRow rows[] = {
		{ .key = "tls port", .number = self->config->sip_tls_port },
		{ .key = "tls connections", .number = counters->accepted },
		{ .key = "tls handshakes", .number = counters->waiting },
		{ .key = "tls unfinished", .number = counters->unfinished },
		{ .key = "tls refused", .number = counters->refused },
		{ .key = "tls certificate seconds",
		  .number = (guint64)MAX(0, counters->good_until - time(NULL)),
		  .quiet = TRUE },
	};

	if (self->config->sip_tls_port)
		say_all(func, user, rows, G_N_ELEMENTS(rows));
}

static void
say_connections(StatusFunc func, gpointer user)
{
	const ConnectionCounters *counters = connection_counters();
	const StatusRow rows[] = {
		{ .key = "connections open", .number = counters->open },
		{ .key = "connections of strangers", .number = counters->strangers },
		{ .key = "connections accepted", .number = counters->accepted },
		{ .key = "connections refused", .number = counters->refused },
		{ .key = "connections silent", .number = counters->silent },
		{ .key = "connections flooded", .number = counters->flooded },
		{ .key = "connections evicted", .number = counters->evicted },
	};

	say_all(func, user, rows, G_N_ELEMENTS(rows));
}

static void
say_trunk_numbers(const SipUa *self, const char *name, StatusFunc func, gpointer user)
{
	Registered registered = watches_registered(self->watches, name);

	func(user, &(StatusRow){ .trunk = name,
				 .key = "up",
				 .number = watches_available(self->watches, name),
				 .quiet = TRUE });
	if (registered != REGISTERED_NOT_ASKED)
		func(user, &(StatusRow){ .trunk = name,
					 .key = "registered",
					 .number = registered == REGISTERED_YES,
					 .quiet = TRUE });
}

static void
say_trunks(const SipUa *self, StatusFunc func, gpointer user)
{
	g_autoptr(GPtrArray) names = trunks_names(self->trunks);

	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *entry = trunks_text(self->trunks, name);
		g_autofree char *watched = watches_text(self->watches, name);
		g_autofree char *text = g_strconcat(entry, watched, NULL);

		func(user, &(StatusRow){ .trunk = name, .key = "state", .text = text });
		say_trunk_numbers(self, name, func, user);
	}
}

/* However often it is asked for, by HTTP perhaps. */
static gint64
count_registrations(SipUa *self)
{
	const gint64 now = g_get_monotonic_time();

	if (self->counted_us == 0 || now - self->counted_us > RECOUNT_US) {
		self->registrations = store_contact_count(gateway_store(self->gateway), NULL);
		self->counted_us = now;
	}
	return self->registrations;
}

void
ua_status(SipUa *self, StatusFunc func, gpointer user)
{
	gint64 contacts = count_registrations(self);
	g_autofree char *listening = g_strdup_printf("%s:%u udp and tcp", self->config->sip_address,
						     self->config->sip_port);
	const StatusRow rows[] = {
		{ .key = "listening", .text = listening },
		{ .key = "legs", .number = g_hash_table_size(self->legs) },
		{ .key = "calls in", .number = self->calls_in },
		{ .key = "calls out", .number = self->calls_out },
		{ .key = "strangers refused", .number = self->strangers },
		{ .key = "headers refused", .number = guard_refused() },
		{ .key = "datagrams unread", .number = datagram_n_dropped() },
		{ .key = "stun dropped", .number = datagram_n_stun() },
		{ .key = "registrations", .number = (guint64)MAX(0, contacts) },
	};

	say_all(func, user, rows, G_N_ELEMENTS(rows));
	say_tls(self, func, user);
	say_connections(func, user);
	sources_status(self->sources, func, user);
	say_trunks(self, func, user);
}
