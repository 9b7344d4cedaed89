/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_watch.c - is a trunk there?  Our registration with it, and its answers to
 * OPTIONS.
 *
 * Each trunk has two probes.  A probe is a request that is repeated, with one
 * Call-ID as RFC 3261 10.2 wants (sofia's CSeq goes on by itself); between two of them
 * only its timer runs.  Each has a handle of its own: nua would take the first answer
 * for the beginning of a dialog and put its tag into To, and a registrar that looks for
 * that dialog says 481.
 */
#include "plugins/sip/peers/sip_watch.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "b2bua/timer.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/stack/sip_resolve.h"
#include "plugins/sip/peers/sip_uri.h"
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
#define CALL_FAILED_US	     (30 * G_USEC_PER_SEC)
#define FAREWELL_SECONDS     32 /* Timer F */

typedef struct Watch Watch;

typedef struct {
	Watch *watch;
	gboolean registers; /* REGISTER, or OPTIONS */
	nua_handle_t *nh;   /* NULL between requests */
	char *call_id;	    /* of all of them */
	Timer *timer;
	guint failures;
	gboolean asking;      /* a request is on its way */
	guint challenged;     /* CHALLENGED_… met by this request */
	gboolean known, good; /* what the last answer said */
	char *text;
	guint wanted_s;	 /* Expires that the registrar insists on */
	char *contact;	 /* that the registrar has, or NULL */
	char *offered;	 /* that it has been asked to take */
	gint64 until_us; /* of the registration */
	guint hop;   /* of the watch's: the one that is asked, the last that answered at first */
	guint tried; /* of them, without an answer */
} Probe;

struct Watch {
	Watches *watches;
	char *trunk;
	char *settings;	 /* what was begun with */
	Trunk *was;	 /* the same, for the last word to its registrar; or NULL */
	GPtrArray *hops; /* where it is, or NULL */
	Probe probes[2];
	gint64 failed_us; /* a call that could not reach it */
};

struct Watches {
	SipUa *ua;
	WatchMovedFunc moved;
	GHashTable *by_trunk;  /* name → Watch, owned */
	GHashTable *by_handle; /* nua_handle_t → Probe */
	GHashTable *farewells; /* nua_handle_t → Farewell, owned */
};

/* The last REGISTER of a trunk that is switched off, changed or gone. */
typedef struct {
	Watches *watches;
	nua_handle_t *nh;
	Trunk *trunk; /* owned: what it was */
	guint challenged;
	Timer *timer;
} Farewell;

enum { OPTIONS, REGISTER };

/* --- life --- */

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

static void
watch_free(gpointer data)
{
	Watch *watch = data;

	trunks_forget(watch->watches->ua->trunks, watch);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++) {
		drop_handle(&watch->probes[i]);
		set_timer(&watch->probes[i], 0, NULL);
		g_free(watch->probes[i].text);
		g_free(watch->probes[i].call_id);
		g_free(watch->probes[i].contact);
		g_free(watch->probes[i].offered);
	}
	g_free(watch->trunk);
	trunk_free(watch->was);
	g_clear_pointer(&watch->hops, g_ptr_array_unref);
	g_free(watch->settings);
	g_free(watch);
}

static void
farewell_free(gpointer data)
{
	Farewell *farewell = data;

	timer_clear(&farewell->timer);
	if (farewell->nh)
		nua_handle_destroy(farewell->nh);
	trunk_free(farewell->trunk);
	g_free(farewell);
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
}

static const char *
hop_of(const Probe *probe)
{
	const GPtrArray *hops = probe->watch->hops;

	return hops ? hops->pdata[probe->hop % hops->len] : NULL;
}

/* By TLS more is known than that. */
static const char *
no_answer(const Probe *probe)
{
	const Watch *watch = probe->watch;
	const char *problem = header_hop_is_tls(hop_of(probe))
				      ? trunks_problem(watch->watches->ua->trunks, watch->trunk)
				      : NULL;

	return problem ? problem : "no answer";
}

static void ask_again(gpointer user);
static char *contact_of(const SipUa *ua, const Trunk *trunk, const char *hop);
static void send_probe(Probe *probe, const Trunk *trunk, guint expires);

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
	send_probe(probe, trunk, probe->wanted_s);
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

static const char *
account_of(const Trunk *trunk)
{
	return trunk->account && trunk->account[0] ? trunk->account : trunk->username;
}

static void
ask_now(Probe *probe)
{
	if (probe->asking)
		return;
	timer_set(&probe->timer, 0, ask_again, probe);
}

static void
on_registered(Probe *probe, const Trunk *trunk, const sip_t *sip)
{
	guint seconds = MAX(granted_seconds(sip, account_of(trunk)), MIN_REGISTER_SECONDS);
	g_autofree char *now = NULL;

	learn(probe, TRUE, "registered");
	probe->failures = probe->tried = 0;
	probe->watch->failed_us = 0;
	probe->until_us = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	g_free(probe->contact);
	probe->contact = g_steal_pointer(&probe->offered);
	now = contact_of(probe->watch->watches->ua, trunk, hop_of(probe));
	if (g_strcmp0(now, probe->contact) != 0) { /* it has changed meanwhile */
		ask_now(probe);
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
		ask_now(probe);
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

static void
on_farewell_answered(Farewell *farewell, const SipEvent *event)
{
	g_autofree char *auth = NULL;

	if (event->status < 200)
		return;
	auth = header_credentials(farewell->trunk, (guint)event->status, event->sip,
				  &farewell->challenged);
	if (auth)
		nua_authenticate(farewell->nh, NUTAG_AUTH(auth), TAG_END());
	else
		g_hash_table_remove(farewell->watches->farewells, farewell->nh);
}

static void
ask_all_now(Watch *watch)
{
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		ask_now(&watch->probes[i]);
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
		ask_now(&watch->probes[REGISTER]);
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
		on_farewell_answered(farewell, event);
	if (!probe)
		return farewell != NULL;
	if (event->status < 200 || !probe->asking)
		return TRUE;
	if (authenticate(probe, event))
		return TRUE;
	drop_handle(probe);
	set_timer(probe, 0, NULL);
	if (probe->registers)
		on_register_answered(probe, event);
	else
		on_options_answered(probe, event);
	if (event->sip)
		look_outside(probe->watch, event->sip);
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

static void
make_handle(Probe *probe, const Trunk *trunk)
{
	SipUa *ua = probe->watch->watches->ua;
	const char *host = trunk->host, *account = account_of(trunk);
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
static char *
contact_of(const SipUa *ua, const Trunk *trunk, const char *hop)
{
	const char *address = outside_host(ua->outside, trunk->name);
	gboolean brackets = strchr(address, ':') != NULL;
	gboolean tls = header_hop_is_tls(hop);
	gboolean udp = g_str_has_suffix(hop, "=udp");

	return g_strdup_printf("<sip:%s@%s%s%s:%u%s>", account_of(trunk), brackets ? "[" : "",
			       address, brackets ? "]" : "",
			       tls   ? ua->config->sip_tls_port
			       : udp ? outside_port(ua->outside, trunk->name)
				     : ua->config->sip_port,
			       strrchr(hop, ';'));
}

static void
send_probe(Probe *probe, const Trunk *trunk, guint expires)
{
	SipUa *ua = probe->watch->watches->ua;
	const char *hop = hop_of(probe);
	g_autofree char *contact = probe->registers ? contact_of(ua, trunk, hop) : NULL;
	g_autofree char *seconds = g_strdup_printf("%u", expires);

	if (!probe->nh)
		make_handle(probe, trunk);
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

static void
on_resolved(gpointer user, GPtrArray *hops)
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
			send_probe(probe, trunk, probe->wanted_s);
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

	trunks_resolve(watch->watches->ua->trunks, watch->trunk, on_resolved, watch);
}

/* --- the list --- */

static Watch *
watch_new(Watches *watches, const char *trunk)
{
	Watch *watch = g_new0(Watch, 1);

	watch->watches = watches;
	watch->trunk = g_strdup(trunk);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++)
		watch->probes[i] = (Probe){ .watch = watch,
					    .registers = i == REGISTER,
					    .wanted_s = REGISTER_SECONDS };
	g_hash_table_insert(watches->by_trunk, watch->trunk, watch);
	return watch;
}

static void
on_farewell_late(gpointer user)
{
	Farewell *farewell = user;

	g_hash_table_remove(farewell->watches->farewells, farewell->nh);
}

/* Where it was registered it is no more: with the same Call-ID, and with the settings that
 * were good for it. */
static void
say_farewell(Watch *watch)
{
	Watches *watches = watch->watches;
	Probe *probe = &watch->probes[REGISTER];
	const char *hop = hop_of(probe);
	g_autofree char *contact = NULL;
	Farewell *farewell;

	if (!watch->was || !hop || !probe->good || probe->asking)
		return;
	make_handle(probe, watch->was);
	if (!probe->nh)
		return;
	contact = probe->contact ? g_strdup(probe->contact)
				 : contact_of(watches->ua, watch->was, hop);
	farewell = g_new0(Farewell, 1);
	farewell->watches = watches;
	farewell->nh = g_steal_pointer(&probe->nh);
	farewell->trunk = g_steal_pointer(&watch->was);
	timer_set(&farewell->timer, FAREWELL_SECONDS * 1000, on_farewell_late, farewell);
	g_hash_table_remove(watches->by_handle, farewell->nh);
	g_hash_table_insert(watches->farewells, farewell->nh, farewell);
	nua_method(farewell->nh, NUTAG_METHOD("REGISTER"), NUTAG_PROXY(hop),
		   SIPTAG_CONTACT_STR(contact), SIPTAG_EXPIRES_STR("0"), TAG_END());
}

/* What a REGISTER needs of it. */
static Trunk *
remember(const Trunk *trunk)
{
	Trunk *was = trunk_new(trunk->name, trunk->host);

	was->username = g_strdup(trunk->username);
	was->password = g_strdup(trunk->password);
	g_free(was->account);
	was->account = g_strdup(trunk->account);
	g_free(was->realm);
	was->realm = g_strdup(trunk->realm);
	return was;
}

/* The same registration with other settings is simply made again: the last word on the old
 * one could come after it. */
static gboolean
registers_elsewhere(const Watch *watch, const Trunk *trunk)
{
	return watch->was && (!trunk->registers || strcmp(watch->was->host, trunk->host) != 0 ||
			      g_strcmp0(account_of(watch->was), account_of(trunk)) != 0);
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
		say_farewell(watch);
		g_clear_pointer(&watch->probes[REGISTER].contact, g_free);
	}
	if (watch->was && strcmp(watch->was->host, trunk->host) != 0)
		outside_forget(watches->ua->outside, watch->trunk);
	g_free(watch->settings);
	watch->settings = g_steal_pointer(&settings);
	trunk_free(watch->was);
	watch->was = remember(trunk);
	for (guint i = 0; i < G_N_ELEMENTS(watch->probes); i++) {
		Probe *probe = &watch->probes[i];

		/* what was learnt of the old settings does not count */
		drop_handle(probe);
		set_timer(probe, 0, NULL);
		probe->known = probe->good = FALSE;
		probe->failures = probe->hop = probe->tried = 0;
		g_clear_pointer(&probe->text, g_free);
	}
	watch->failed_us = 0;
	/* the first OPTIONS can wait, a registration cannot; but behind a router nobody knows
	 * what to tell this trunk */
	if (trunk->options_seconds)
		set_timer(&watch->probes[OPTIONS],
			  may_be_translated(watches->ua) ? 1 : trunk->options_seconds, ask_again);
	if (trunk->registers)
		trunks_resolve(watch->watches->ua->trunks, watch->trunk, on_resolved, watch);
}

static gboolean
is_gone(gpointer key, gpointer value, gpointer user)
{
	if (trunks_find(((Watches *)user)->ua->trunks, key))
		return FALSE;
	say_farewell(value);
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
		say_farewell(watch);
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

		set_timer(probe, 0, NULL);
		if (trunk && probe->good && !probe->asking)
			send_probe(probe, trunk, 0);
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
		((Farewell *)value)->nh = NULL;
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
			best = hop_of(&watch->probes[i]);
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
