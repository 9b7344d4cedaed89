/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_probe.c - one thing that a trunk is asked again and again: REGISTER, or OPTIONS.
 *
 * A probe is a request that is repeated, with one Call-ID as RFC 3261 10.2 wants (sofia's
 * CSeq goes on by itself); between two of them only its timer runs.  Each has a handle of
 * its own: nua would take the first answer for the beginning of a dialog and put its tag
 * into To, and a registrar that looks for that dialog says 481.
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_watch_private.h"
#include "b2bua/text.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_header.h"
#include <stdlib.h>
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

#define REGISTER_SECONDS     3600
#define MIN_REGISTER_SECONDS 20
#define FIRST_RETRY_SECONDS  2
#define LAST_RETRY_SECONDS   300
#define LINE_RETRY_SECONDS   14
#define LINE_RETRIES	     90 /* half an hour of a line at home that is down */

static void
drop_handle(Probe *probe)
{
	if (!probe->nh)
		return;
	g_hash_table_remove(probe->watch->watches->by_handle, probe->nh);
	nua_handle_destroy(probe->nh);
	probe->nh = NULL;
	probe->asking = FALSE;
}

static void
set_timer(Probe *probe, guint seconds, TimerFunc func)
{
	timer_clear(&probe->timer);
	if (seconds)
		timer_set(&probe->timer, seconds * 1000, func, probe);
}

/* --- what came of it --- */

static void
learn(Probe *probe, gboolean good, const char *text)
{
	const char *what = probe->registers ? "registration" : "OPTIONS";

	if (probe->known && probe->good == good && g_strcmp0(probe->text, text) == 0)
		return;
	if (good && (!probe->known || !probe->good))
		g_message("trunk %s: %s: %s", probe->watch->trunk, what, text);
	else if (!good)
		g_warning("trunk %s: %s: %s", probe->watch->trunk, what, text);
	probe->known = TRUE;
	probe->good = good;
	g_free(probe->text);
	probe->text = g_strdup(text);
	if (good)
		text_way_is_up(probe->watch->watches->ua->gateway, WAY_TRUNK, probe->watch->trunk);
}

const char *
probe_hop(const Probe *probe)
{
	const GPtrArray *hops = probe->watch->hops;

	return hops ? hops->pdata[probe->hop % hops->len] : NULL;
}

/* By TLS more is known than that. */
static const char *
no_answer(const Probe *probe)
{
	const Watch *watch = probe->watch;
	const char *problem = header_hop_is_tls(probe_hop(probe))
				      ? trunks_problem(watch->watches->ua->trunks, watch->trunk)
				      : NULL;

	return problem ? problem : "no answer";
}

static void ask_again(gpointer user);

/* RFC 3263 4.3.  FALSE: all of its addresses have been asked. */
static gboolean
try_next_hop(Probe *probe)
{
	Watch *watch = probe->watch;
	const Trunk *trunk = trunks_find(watch->watches->ua->trunks, watch->trunk);

	if (!trunk || !watch->hops || ++probe->tried >= watch->hops->len) {
		probe->tried = probe->hop = 0;
		return FALSE;
	}
	drop_handle(probe);
	probe->hop++;
	probe_send(probe, trunk, probe->wanted_s);
	return TRUE;
}

static gboolean
is_translated(const Probe *probe)
{
	return outside_is_translated(probe->watch->watches->ua->outside, probe->watch->trunk);
}

/* A line at home may have another address at any time, and its router forgets a port that
 * nobody uses.  OPTIONS finds out in time; where the admin has none, REGISTER. */
static guint
often_enough(const Probe *probe, const Trunk *trunk, guint seconds)
{
	guint keepalive = probe->watch->watches->ua->config->sip_keepalive_s;

	if (!keepalive || !is_translated(probe) || (probe->registers && trunk->options_seconds))
		return seconds;
	return MIN(seconds, MAX(keepalive / 2, 1));
}

/* 2, 4, 8 … 300 s, each a little off so that a hundred of us do not come together. */
static void
retry_later(Probe *probe)
{
	guint seconds = FIRST_RETRY_SECONDS << MIN(probe->failures, 8);
	gboolean soon = is_translated(probe) && probe->failures < LINE_RETRIES;

	probe->failures++;
	seconds = MIN(seconds, soon ? LINE_RETRY_SECONDS : LAST_RETRY_SECONDS);
	set_timer(probe, seconds + (guint)g_random_int_range(0, (gint)seconds / 2 + 1), ask_again);
}

static void
on_options_answered(Probe *probe, const SipEvent *event)
{
	const Trunk *trunk = trunks_find(probe->watch->watches->ua->trunks, probe->watch->trunk);
	g_autofree char *text = g_strdup_printf("%d %s", event->status, event->phrase);

	/* Whatever it says, it is there; only a server that is full or going down
	 * says so with 503. */
	if (event->sip && event->status != 503) {
		learn(probe, TRUE, "answers");
		probe->failures = probe->tried = 0;
		probe->watch->failed_us = 0;
		if (trunk && trunk->options_seconds)
			set_timer(probe, often_enough(probe, trunk, trunk->options_seconds),
				  ask_again);
		return;
	}
	if (try_next_hop(probe))
		return;
	learn(probe, FALSE, event->sip ? text : no_answer(probe));
	retry_later(probe);
}

/* The time the registrar grants for our contact, which may be not what we asked. */
static guint
granted_seconds(const sip_t *sip, const char *account)
{
	for (const sip_contact_t *contact = sip->sip_contact; contact; contact = contact->m_next)
		if (contact->m_expires && strtoul(contact->m_expires, NULL, 10) &&
		    g_strcmp0(contact->m_url->url_user, account) == 0)
			return (guint)strtoul(contact->m_expires, NULL, 10);
	if (sip->sip_expires)
		return (guint)sip->sip_expires->ex_delta;
	return REGISTER_SECONDS;
}

const char *
probe_account(const Trunk *trunk)
{
	return trunk->account && trunk->account[0] ? trunk->account : trunk->username;
}

void
probe_ask_now(Probe *probe)
{
	if (probe->asking)
		return;
	timer_set(&probe->timer, 0, ask_again, probe);
}

static void
on_registered(Probe *probe, const Trunk *trunk, const sip_t *sip)
{
	guint seconds = MAX(granted_seconds(sip, probe_account(trunk)), MIN_REGISTER_SECONDS);
	g_autofree char *now = NULL;

	learn(probe, TRUE, "registered");
	probe->failures = probe->tried = 0;
	probe->watch->failed_us = 0;
	probe->until_us = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	g_free(probe->contact);
	probe->contact = g_steal_pointer(&probe->offered);
	now = probe_contact(probe->watch->watches->ua, trunk, probe_hop(probe));
	if (g_strcmp0(now, probe->contact) != 0) { /* it has changed meanwhile */
		probe_ask_now(probe);
		return;
	}
	/* early enough for a few tries */
	seconds = seconds > 120 ? seconds - 60 : seconds / 2;
	set_timer(probe, often_enough(probe, trunk, seconds), ask_again);
}

/* The last request took a Contact back beside the new one, which not every registrar allows. */
static gboolean
takes_back(const Probe *probe)
{
	return probe->contact && g_strcmp0(probe->contact, probe->offered) != 0;
}

static void
on_register_answered(Probe *probe, const SipEvent *event)
{
	const Trunk *trunk = trunks_find(probe->watch->watches->ua->trunks, probe->watch->trunk);
	g_autofree char *text = g_strdup_printf("%d %s", event->status, event->phrase);

	if (!trunk)
		return;
	if (event->sip && event->status < 300) {
		on_registered(probe, trunk, event->sip);
		return;
	}
	if (event->status == 423 && event->sip && event->sip->sip_min_expires &&
	    event->sip->sip_min_expires->me_delta > probe->wanted_s &&
	    event->sip->sip_min_expires->me_delta <= 86400) {
		probe->wanted_s = (guint)event->sip->sip_min_expires->me_delta;
		set_timer(probe, 1, ask_again);
		return;
	}
	if ((!event->sip || event->status == 503) && try_next_hop(probe))
		return;
	if (event->sip && event->status < 500 && takes_back(probe)) {
		/* the old one runs out by itself */
		g_clear_pointer(&probe->contact, g_free);
		probe_ask_now(probe);
		return;
	}
	learn(probe, FALSE, event->sip ? text : no_answer(probe));
	retry_later(probe);
}

/* A challenge: answered once, unless the nonce was merely too old. */
static gboolean
authenticate(Probe *probe, const SipEvent *event)
{
	const Trunk *trunk = trunks_find(probe->watch->watches->ua->trunks, probe->watch->trunk);
	g_autofree char *auth = NULL;

	if (!trunk || !probe->registers)
		return FALSE;
	auth = header_credentials(trunk, event->status, event->sip, &probe->challenged);
	if (auth)
		nua_authenticate(probe->nh, NUTAG_AUTH(auth), TAG_END());
	return auth != NULL;
}

gboolean
probe_answered(Probe *probe, const SipEvent *event)
{
	if (authenticate(probe, event))
		return FALSE;
	drop_handle(probe);
	set_timer(probe, 0, NULL);
	if (probe->registers)
		on_register_answered(probe, event);
	else
		on_options_answered(probe, event);
	return TRUE;
}

/* --- asking --- */

/* Timers F and K would have us wait 32 s. */
static void
on_silence(gpointer user)
{
	Probe *probe = user;

	if (try_next_hop(probe))
		return;
	learn(probe, FALSE, no_answer(probe));
	drop_handle(probe);
	retry_later(probe);
}

void
probe_make_handle(Probe *probe, const Trunk *trunk)
{
	SipUa *ua = probe->watch->watches->ua;
	const char *host = trunk->host, *account = probe_account(trunk);
	gboolean brackets = strchr(host, ':') && host[0] != '[';
	g_autofree char *uri =
		g_strdup_printf("sip:%s%s%s", brackets ? "[" : "", host, brackets ? "]" : "");
	g_autofree char *aor = probe->registers
				       ? g_strdup_printf("<sip:%s@%s>", account, uri + 4)
				       : g_strdup_printf("<sip:%s>", outside_domain(ua->outside));
	g_autofree char *to = probe->registers ? g_strdup(aor) : g_strdup_printf("<%s>", uri);

	if (!probe->call_id)
		probe->call_id = g_uuid_string_random();
	probe->nh = nua_handle(ua->nua, NULL, NUTAG_URL(uri), SIPTAG_FROM_STR(aor),
			       SIPTAG_TO_STR(to), SIPTAG_CALL_ID_STR(probe->call_id), TAG_END());
	if (probe->nh)
		g_hash_table_insert(probe->watch->watches->by_handle, probe->nh, probe);
}

/* By the transport that the hop has. */
char *
probe_contact(const SipUa *ua, const Trunk *trunk, const char *hop)
{
	const char *address = outside_host(ua->outside, trunk->name);
	gboolean brackets = strchr(address, ':') != NULL;
	gboolean tls = header_hop_is_tls(hop);
	gboolean udp = g_str_has_suffix(hop, "=udp");

	return g_strdup_printf("<sip:%s@%s%s%s:%u%s>", probe_account(trunk), brackets ? "[" : "",
			       address, brackets ? "]" : "",
			       tls   ? ua->config->sip_tls_port
			       : udp ? outside_port(ua->outside, trunk->name)
				     : ua->config->sip_port,
			       strrchr(hop, ';'));
}

void
probe_send(Probe *probe, const Trunk *trunk, guint expires)
{
	SipUa *ua = probe->watch->watches->ua;
	const char *hop = probe_hop(probe);
	g_autofree char *contact = probe->registers ? probe_contact(ua, trunk, hop) : NULL;
	g_autofree char *seconds = g_strdup_printf("%u", expires);

	if (!probe->nh)
		probe_make_handle(probe, trunk);
	if (!probe->nh) {
		learn(probe, FALSE, "its address cannot be written as a SIP address");
		return;
	}
	if (contact) {
		g_free(probe->offered);
		probe->offered = g_strdup(contact);
	}
	/* In one request: nobody calls an address that is not ours, and none is missed. */
	if (contact && expires && takes_back(probe)) {
		g_autofree char *old = g_steal_pointer(&contact);

		contact = g_strdup_printf("%s, %s;expires=0", old, probe->contact);
	}
	probe->asking = TRUE;
	probe->challenged = 0;
	nua_method(probe->nh, NUTAG_METHOD(probe->registers ? "REGISTER" : "OPTIONS"),
		   NUTAG_PROXY(hop), TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
		   TAG_IF(contact, SIPTAG_EXPIRES_STR(seconds)), TAG_END());
	if (expires)
		set_timer(probe, trunk->response_seconds, on_silence);
}

void
probe_resolved(gpointer user, GPtrArray *hops)
{
	Watch *watch = user;
	Trunks *trunks = watch->watches->ua->trunks;
	const Trunk *trunk = trunks_find(trunks, watch->trunk);
	const char *problem = trunks_problem(trunks, watch->trunk);

	if (!trunk)
		return;
	g_clear_pointer(&watch->hops, g_ptr_array_unref);
	watch->hops = hops && hops->len ? g_ptr_array_ref(hops) : NULL;
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++) {
		Probe *probe = &watch->probes[i];

		if (probe->asking || probe->timer ||
		    !(probe->registers ? trunk->registers : trunk->options_seconds > 0))
			continue;
		if (watch->hops)
			probe_send(probe, trunk, probe->wanted_s);
		else {
			learn(probe, FALSE, problem ? problem : "its name cannot be resolved");
			retry_later(probe);
		}
	}
}

static void
ask_again(gpointer user)
{
	Probe *probe = user;
	Watch *watch = probe->watch;

	trunks_resolve(watch->watches->ua->trunks, watch->trunk, probe_resolved, watch);
}

void
probe_ask_in(Probe *probe, guint seconds)
{
	set_timer(probe, seconds, ask_again);
}

/* --- life --- */

void
probe_begin(Probe *probe, Watch *watch, gboolean registers)
{
	*probe = (Probe){ .watch = watch, .registers = registers, .wanted_s = REGISTER_SECONDS };
}

void
probe_forget(Probe *probe)
{
	drop_handle(probe);
	set_timer(probe, 0, NULL);
	probe->known = probe->good = FALSE;
	probe->failures = probe->hop = probe->tried = 0;
	g_clear_pointer(&probe->text, g_free);
}

void
probe_clear(Probe *probe)
{
	drop_handle(probe);
	set_timer(probe, 0, NULL);
	g_free(probe->text);
	g_free(probe->call_id);
	g_free(probe->contact);
	g_free(probe->offered);
}
