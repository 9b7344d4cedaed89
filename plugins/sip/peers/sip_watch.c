/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_watch.c - is a trunk there?  Our registration with it, and its answers to
 * OPTIONS: which trunks are watched, and what follows from it.
 *
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_watch_private.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

#define CALL_FAILED_US (30 * G_USEC_PER_SEC)

static void
watch_free(gpointer data)
{
	Watch *watch = data;

	trunks_forget(watch->watches->ua->trunks, watch);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		probe_clear(&watch->probes[i]);
	g_free(watch->trunk);
	trunk_free(watch->was);
	g_clear_pointer(&watch->hops, g_ptr_array_unref);
	g_free(watch->settings);
	g_free(watch);
}

Watches *
watches_new(SipUa *ua, WatchMovedFunc moved)
{
	Watches *watches = g_new0(Watches, 1);

	watches->ua = ua;
	watches->moved = moved;
	watches->by_trunk = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, watch_free);
	watches->by_handle = g_hash_table_new(NULL, NULL);
	watches->farewells = g_hash_table_new_full(NULL, NULL, NULL, farewell_free);
	watches_reload(watches);
	return watches;
}

void
watches_free(Watches *watches)
{
	if (!watches)
		return;
	g_hash_table_unref(watches->farewells);
	g_hash_table_unref(watches->by_trunk);
	g_hash_table_unref(watches->by_handle);
	g_free(watches);
}

/* --- what came of it --- */

static void
ask_all_now(Watch *watch)
{
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		probe_ask_now(&watch->probes[i]);
}

static void
look_outside(Watch *watch, const sip_t *answer)
{
	SipUa *ua = watch->watches->ua;
	const Trunk *trunk = trunks_find(ua->trunks, watch->trunk);
	g_autofree char *before = g_strdup(outside_host(ua->outside, NULL));
	OutsideNews news = outside_hear(ua->outside, watch->trunk, answer);
	GHashTableIter iter;
	gpointer value;

	if (!trunk || news == OUTSIDE_SAME)
		return;
	if (news == OUTSIDE_ALL_MOVED)
		gateway_moved(ua->gateway, before, outside_host(ua->outside, NULL));
	if (trunk->registers)
		probe_ask_now(&watch->probes[REGISTER]);
	if (news == OUTSIDE_LEARNT)
		return;
	/* the others see it in their own answers, if it is so for them */
	g_hash_table_iter_init(&iter, watch->watches->by_trunk);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (value != watch)
			ask_all_now(value);
	watch->watches->moved(ua, news == OUTSIDE_ALL_MOVED ? NULL : watch->trunk);
}

gboolean
watches_event(Watches *watches, nua_handle_t *nh, const SipEvent *event)
{
	Probe *probe = g_hash_table_lookup(watches->by_handle, nh);
	Farewell *farewell = probe ? NULL : g_hash_table_lookup(watches->farewells, nh);

	if (farewell)
		farewell_answered(farewell, event);
	if (!probe)
		return farewell != NULL;
	if (event->status < 200 || !probe->asking)
		return TRUE;
	if (probe_answered(probe, event) && event->sip)
		look_outside(probe->watch, event->sip);
	return TRUE;
}

/* --- the list --- */

static Watch *
watch_new(Watches *watches, const char *trunk)
{
	Watch *watch = g_new0(Watch, 1);

	watch->watches = watches;
	watch->trunk = g_strdup(trunk);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		probe_begin(&watch->probes[i], watch, i == REGISTER);
	g_hash_table_insert(watches->by_trunk, watch->trunk, watch);
	return watch;
}

/* The same registration with other settings is simply made again: the last word on the old
 * one could come after it. */
static gboolean
registers_elsewhere(const Watch *watch, const Trunk *trunk)
{
	return watch->was && (!trunk->registers || strcmp(watch->was->host, trunk->host) != 0 ||
			      g_strcmp0(probe_account(watch->was), probe_account(trunk)) != 0);
}

static gboolean
may_be_translated(const SipUa *ua)
{
	g_autoptr(GInetAddress) own = resolve_numeric(ua->config->sip_address);

	return own && !g_inet_address_get_is_loopback(own) && !uri_address_is_public(own);
}

static void
begin(Watch *watch, const Trunk *trunk)
{
	const Watches *watches = watch->watches;
	g_autofree char *settings = trunk_extract(trunk, TRUNK_PROBE);

	if (g_strcmp0(settings, watch->settings) == 0)
		return;
	if (registers_elsewhere(watch, trunk)) {
		farewell_say(watch);
		g_clear_pointer(&watch->probes[REGISTER].contact, g_free);
	}
	if (watch->was && strcmp(watch->was->host, trunk->host) != 0)
		outside_forget(watches->ua->outside, watch->trunk);
	g_free(watch->settings);
	watch->settings = g_steal_pointer(&settings);
	trunk_free(watch->was);
	watch->was = farewell_remember(trunk);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		probe_forget(&watch->probes[i]);
	watch->failed_us = 0;
	/* the first OPTIONS can wait, a registration cannot; but behind a router nobody knows
	 * what to tell this trunk */
	if (trunk->options_seconds)
		probe_ask_in(&watch->probes[OPTIONS],
			     may_be_translated(watches->ua) ? 1 : trunk->options_seconds);
	if (trunk->registers)
		trunks_resolve(watch->watches->ua->trunks, watch->trunk, probe_resolved, watch);
}

static gboolean
is_gone(gpointer key, gpointer value, gpointer user)
{
	if (trunks_find(((Watches *)user)->ua->trunks, key))
		return FALSE;
	farewell_say(value);
	return TRUE;
}

void
watches_changed(Watches *watches, const char *name)
{
	const Trunk *trunk = trunks_find(watches->ua->trunks, name);
	Watch *watch = g_hash_table_lookup(watches->by_trunk, name);

	if (trunk) {
		begin(watch ? watch : watch_new(watches, name), trunk);
	} else if (watch) {
		farewell_say(watch);
		outside_forget(watches->ua->outside, name);
		g_hash_table_remove(watches->by_trunk, name);
	}
}

void
watches_reload(Watches *watches)
{
	g_autoptr(GPtrArray) names = trunks_names(watches->ua->trunks);

	g_hash_table_foreach_remove(watches->by_trunk, is_gone, watches);
	for (guint i = 0; i < names->len; i++)
		watches_changed(watches, names->pdata[i]);
}

void
watches_look(Watches *watches)
{
	GHashTableIter iter;
	gpointer watch;

	g_hash_table_iter_init(&iter, watches->by_trunk);
	while (g_hash_table_iter_next(&iter, NULL, &watch))
		ask_all_now(watch);
}

void
watches_unregister(Watches *watches)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, watches->by_trunk);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Watch *watch = value;
		Probe *probe = &watch->probes[REGISTER];
		const Trunk *trunk = trunks_find(watches->ua->trunks, watch->trunk);

		probe_ask_in(probe, 0);
		if (trunk && probe->good && !probe->asking)
			probe_send(probe, trunk, 0);
	}
}

void
watches_forget(Watches *watches)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_remove_all(watches->by_handle);
	g_hash_table_iter_init(&iter, watches->farewells);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		farewell_forget_handle(value);
	g_hash_table_remove_all(watches->farewells);
	g_hash_table_iter_init(&iter, watches->by_trunk);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		for (guint i = 0; i < G_N_ELEMENTS(((Watch *)value)->probes); i++)
			((Watch *)value)->probes[i].nh = NULL;
}

/* --- answers --- */

GPtrArray *
watches_order(Watches *watches, const char *trunk, GPtrArray *hops)
{
	const Watch *watch = g_hash_table_lookup(watches->by_trunk, trunk);
	const char *best = NULL;
	GPtrArray *ordered;

	for (guint i = 0; watch && i < G_N_ELEMENTS(watch->probes); i++)
		if (watch->probes[i].known && watch->probes[i].good && watch->probes[i].hop)
			best = probe_hop(&watch->probes[i]);
	ordered = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < hops->len; i++)
		g_ptr_array_insert(ordered, g_strcmp0(hops->pdata[i], best) == 0 ? 0 : -1,
				   g_strdup(hops->pdata[i]));
	return ordered;
}

gboolean
watches_available(Watches *watches, const char *trunk)
{
	const Watch *watch = g_hash_table_lookup(watches->by_trunk, trunk);

	if (!watch)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		if (watch->probes[i].known && !watch->probes[i].good)
			return FALSE;
	return !watch->failed_us || g_get_monotonic_time() - watch->failed_us > CALL_FAILED_US;
}

Registered
watches_registered(Watches *watches, const char *trunk)
{
	const Watch *watch = g_hash_table_lookup(watches->by_trunk, trunk);

	for (guint i = 0; watch && i < G_N_ELEMENTS(watch->probes); i++)
		if (watch->probes[i].known && watch->probes[i].registers)
			return watch->probes[i].good ? REGISTERED_YES : REGISTERED_NO;
	return REGISTERED_NOT_ASKED;
}

void
watches_note_call(Watches *watches, const char *trunk, gboolean reached)
{
	Watch *watch = trunk ? g_hash_table_lookup(watches->by_trunk, trunk) : NULL;

	if (watch)
		watch->failed_us = reached ? 0 : g_get_monotonic_time();
}

char *
watches_text(Watches *watches, const char *trunk)
{
	const Watch *watch = g_hash_table_lookup(watches->by_trunk, trunk);
	GString *text = g_string_new(NULL);
	g_autofree char *seen = NULL;

	for (guint i = 0; watch && i < G_N_ELEMENTS(watch->probes); i++) {
		const Probe *probe = &watch->probes[i];

		if (!probe->known)
			continue;
		g_string_append_printf(text, ", %s%s", probe->registers ? "" : "OPTIONS: ",
				       probe->registers && !probe->good ? "not registered: " : "");
		g_string_append(text, probe->text);
		if (probe->registers && probe->good)
			g_string_append_printf(
				text, " for %d s",
				(int)((probe->until_us - g_get_monotonic_time()) / G_USEC_PER_SEC));
	}
	seen = outside_text(watches->ua->outside, trunk);
	if (seen)
		g_string_append_printf(text, ", sees us at %s", seen);
	if (watch && !watches_available(watches, trunk))
		g_string_append(text, ", tried last");
	return g_string_free(text, FALSE);
}
