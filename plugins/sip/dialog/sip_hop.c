/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_hop.c - where a request inside a dialog is sent. */
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_names.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/stack/sip_tls.h"
#include "plugins/sip/peers/sip_uri.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>

#define MAX_HOST 253

/* --- what a URI says --- */

typedef struct {
	char host[MAX_HOST + 3];
	guint port;	       /* 0: not given */
	const char *transport; /* NULL: not given */
	GInetAddress *address; /* owned; NULL: the host is a name */
	gboolean is_usable;    /* as far as it can be told without its address */
} Place;

static const char *
transport_of(const url_t *url, gboolean *known)
{
	static const char *const ours[] = { "udp", "tcp", "tls" };
	char value[16] = "";

	*known = TRUE;
	if (url->url_type == url_sips)
		return "tls";
	if (!url->url_params || url_param(url->url_params, "transport", value, sizeof value) <= 0)
		return NULL;
	for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
		if (g_ascii_strcasecmp(value, ours[i]) == 0)
			return ours[i];
	*known = FALSE; /* SCTP, WebSocket */
	return NULL;
}

/* RFC 3263 4: maddr is the place where it is given. */
static void
read_host(const url_t *url, Place *place)
{
	isize_t length = url->url_params ? url_param(url->url_params, "maddr", place->host,
						     sizeof place->host)
					 : 0;

	if (length <= 1 || (gsize)length > sizeof place->host)
		g_strlcpy(place->host, url->url_host ? url->url_host : "", sizeof place->host);
	place->address = resolve_numeric(place->host);
}

static void
place_read(const url_t *url, Place *place)
{
	gboolean known;
	guint64 port =
		url->url_port && url->url_port[0] ? g_ascii_strtoull(url->url_port, NULL, 10) : 0;

	memset(place, 0, sizeof *place);
	place->transport = transport_of(url, &known);
	place->port = (guint)MIN(port, 65536);
	read_host(url, place);
	place->is_usable = known && place->host[0] && port <= 65535 &&
			   !(url->url_port && url->url_port[0] && port == 0);
}

static void
place_clear(Place *place)
{
	g_clear_object(&place->address);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* --- what a hop says --- */

static char *
hop_host(const char *hop)
{
	g_autofree char *source = header_hop_source(hop);
	char *colon = strrchr(source, ':');

	if (colon)
		*colon = '\0';
	return g_steal_pointer(&source);
}

static const char *
hop_transport(const char *hop)
{
	const char *equals = strrchr(hop, '=');

	return equals ? equals + 1 : "udp";
}

static gboolean
hop_is_public(const char *hop)
{
	g_autofree char *host = hop ? hop_host(hop) : NULL;
	g_autoptr(GInetAddress) address = host ? resolve_numeric(host) : NULL;

	return address && uri_address_is_public(address);
}

static gboolean
is_same_place(const char *hop, const char *other)
{
	g_autofree char *one = hop ? header_hop_source(hop) : NULL;
	g_autofree char *two = other ? header_hop_source(other) : NULL;

	return one && g_strcmp0(one, two) == 0;
}

static gboolean
is_same_host(const char *hop, const char *other)
{
	g_autofree char *one = hop_host(hop), *two = hop_host(other);

	return strcmp(one, two) == 0;
}

/* --- the decision --- */

static gboolean
may_be_sent_to(const HopFacts *facts, GInetAddress *address)
{
	const char *came_from = facts->source ? facts->source : facts->known;
	const guint8 *bytes = g_inet_address_to_bytes(address);

	if (g_inet_address_get_family(address) != facts->family ||
	    g_inet_address_get_is_any(address) || g_inet_address_get_is_multicast(address) ||
	    (facts->family == G_SOCKET_FAMILY_IPV4 && (bytes[0] == 0 || bytes[0] == 255)))
		return FALSE;
	return uri_address_is_public(address) || !(facts->only_public || hop_is_public(came_from));
}

static gboolean
is_allowed(const HopFacts *facts, const char *hop)
{
	g_autofree char *host = hop_host(hop);
	g_autoptr(GInetAddress) address = resolve_numeric(host);

	return address && may_be_sent_to(facts, address) && (facts->tls || !header_hop_is_tls(hop));
}

const char *
hop_pick(const HopFacts *facts, const GPtrArray *hops)
{
	const char *first = NULL;

	for (guint i = 0; hops && i < hops->len; i++) {
		if (!is_allowed(facts, hops->pdata[i]))
			continue;
		if (is_same_place(hops->pdata[i], facts->source))
			return hops->pdata[i];
		first = first ? first : hops->pdata[i];
	}
	return first;
}

/* Where no transport is written it is UDP (RFC 3263 4.1), but for the very place that is
 * being talked with by another one. */
static const char *
open_transport(const HopFacts *facts, const char *host, guint port)
{
	const char *hops[] = { facts->source, facts->known };

	for (guint i = 0; i < G_N_ELEMENTS(hops); i++) {
		gboolean usable = hops[i] && (facts->tls || !header_hop_is_tls(hops[i]));
		g_autofree char *same =
			usable ? header_next_hop(host, port, hop_transport(hops[i])) : NULL;

		if (is_same_place(same, hops[i]))
			return hop_transport(hops[i]);
	}
	return "udp";
}

/* A connection of theirs has a port that nobody listens at. */
static void
choose_way_back(const HopFacts *facts, const Place *place, HopChoice *choice)
{
	const char *back = facts->only_public && facts->known ? facts->known
			   : facts->source		      ? facts->source
							      : facts->known;
	g_autofree char *host = back ? hop_host(back) : NULL;

	choice->hop = g_strdup(back);
	if (back && back == facts->source && strcmp(hop_transport(back), "udp") != 0)
		choice->later = header_next_hop(host, place ? MIN(place->port, 65535) : 0,
						hop_transport(back));
}

static gboolean
is_name(const char *host)
{
	while (g_ascii_isalnum(*host) || (*host && strchr("-._", *host)))
		host++;
	return !*host;
}

/* RFC 2606 2: what ends so leads nowhere. */
static gboolean
may_be_looked_up(const char *host)
{
	gsize length = strlen(host);

	return length <= MAX_HOST && !g_str_has_suffix(host, ".invalid") &&
	       strspn(host, "0123456789.") != length && is_name(host);
}

/* What came by TLS is not answered in the clear: there may be keys in it. */
static void
stay_private(const HopFacts *facts, Place *place)
{
	gboolean secret = facts->source && header_hop_is_tls(facts->source);

	if (secret && !place->transport)
		place->transport = "tls";
	if (g_strcmp0(place->transport, "tls") == 0 ? !facts->tls : secret)
		place->is_usable = FALSE;
}

void
hop_choose(const HopFacts *facts, HopChoice *choice)
{
	const url_t *url = facts->route ? facts->route : facts->target;
	g_auto(Place) place = { 0 };

	memset(choice, 0, sizeof *choice);
	if (!url) {
		choose_way_back(facts, NULL, choice);
		return;
	}
	place_read(url, &place);
	stay_private(facts, &place);
	if (place.is_usable && place.address && may_be_sent_to(facts, place.address)) {
		g_autofree char *host = g_inet_address_to_string(place.address);

		choice->theirs = TRUE;
		choice->hop =
			header_next_hop(host, place.port,
					place.transport ? place.transport
							: open_transport(facts, host, place.port));
		return;
	}
	choose_way_back(facts, &place, choice);
	if (place.is_usable && !place.address && may_be_looked_up(place.host)) {
		choice->name = g_strdup(place.host);
		choice->port = place.port;
		choice->transport = place.transport ? place.transport : place.port ? "udp" : "auto";
	}
}

void
hop_choice_clear(HopChoice *choice)
{
	g_clear_pointer(&choice->hop, g_free);
	g_clear_pointer(&choice->later, g_free);
	g_clear_pointer(&choice->name, g_free);
}

/* --- in a dialog --- */

HopFacts
hop_facts(const SipUa *ua)
{
	return (HopFacts){ .family = resolve_family(ua->config->sip_address),
			   .tls = ua->config->sip_tls_port != 0 };
}

static HopFacts
facts_of(const SipUa *ua, const SipLeg *leg)
{
	HopFacts facts = hop_facts(ua);

	facts.only_public = leg && leg->way->only_public;
	facts.known = leg ? leg->next_hop : NULL;
	return facts;
}

static char *
source_hop(msg_t *msg)
{
	g_autofree char *source = msg ? phone_source(msg, sip_object(msg)) : NULL;

	return source ? phone_next_hop(source) : NULL;
}

/* A hop by TLS has to lead to the leg's trunk (sip_tls_peer.h): by the connection of ours
 * that it has, by one that the trunk has made, or by a new one. */
static void
go(SipLeg *leg, const char *hop, const char *later, const char *source)
{
	g_autofree char *from = source ? header_hop_source(source) : NULL;
	g_autofree char *own = NULL, *way = NULL;

	if (header_hop_is_tls(hop) && way_is_verified(leg->way)) {
		own = way_verified_hop(leg->way, later ? later : hop);
		if (source && header_hop_is_tls(source) && is_same_host(hop, source) &&
		    tls_is_taken(from)) {
			way = g_strdup(source);
			later = own;
		} else {
			way = g_steal_pointer(&own);
			later = NULL;
		}
	} else
		way = g_strdup(hop);
	if (g_strcmp0(way, leg->next_hop) == 0 && g_strcmp0(later, leg->way_back) == 0)
		return;
	g_free(leg->next_hop);
	g_free(leg->way_back);
	leg->way_back = g_strdup(later);
	leg->next_hop = g_steal_pointer(&way);
	nua_set_hparams(leg->nh, NUTAG_PROXY(leg->next_hop), TAG_END());
}

static void
on_name(gpointer user, GPtrArray *hops)
{
	SipLeg *leg = user;
	HopFacts facts = facts_of(leg->ua, leg);
	const char *hop;
	g_autofree char *text = NULL;

	facts.source = leg->name_source;
	hop = hop_pick(&facts, hops);
	leg->asks_name = FALSE;
	if (!hop || !leg->nh || is_same_place(hop, leg->next_hop))
		return;
	go(leg, hop, NULL, leg->name_source);
	text = header_hop_text(leg->next_hop);
	leg_trace(&leg->leg, TRACE_NOTE, "later requests go to %s", text);
	leg_save(&leg->leg);
}

static void
ask_name(SipLeg *leg, const HopFacts *facts, const HopChoice *choice)
{
	ResolveQuery query = { choice->name, choice->port, choice->transport, facts->family,
			       facts->tls };

	if (leg->asks_name)
		names_forget(leg->ua->names, leg);
	leg->asks_name = choice->name != NULL;
	g_free(leg->name_source);
	leg->name_source = g_strdup(facts->source);
	if (choice->name)
		names_ask(leg->ua->names, &query, on_name, leg);
}

void
hop_update(SipLeg *leg, msg_t *msg)
{
	HopFacts facts = facts_of(leg->ua, leg);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_route_t *routes;
	g_autofree char *source = source_hop(msg), *only = way_only_hop(leg->way);
	g_auto(HopChoice) choice = { 0 };

	if (only) {
		go(leg, only, NULL, NULL);
		return;
	}
	su_home_init(home);
	routes = leg->routes && leg->routes[0] ? sip_route_make(home, leg->routes) : NULL;
	facts.route = routes ? routes->r_url : NULL;
	facts.target = leg->target ? url_make(home, leg->target) : NULL;
	facts.source = source;
	hop_choose(&facts, &choice);
	su_home_deinit(home);
	if (choice.hop)
		go(leg, choice.hop, choice.later, source);
	ask_name(leg, &facts, &choice);
}

void
hop_refresh(SipLeg *leg)
{
	g_autofree char *source = leg->way_back ? header_hop_source(leg->next_hop) : NULL;

	if (!leg->way_back || !header_hop_is_tls(leg->next_hop) ||
	    strstr(leg->next_hop, ";maddr=") || tls_is_taken(source))
		return;
	g_free(leg->next_hop);
	leg->next_hop = g_steal_pointer(&leg->way_back);
	nua_set_hparams(leg->nh, NUTAG_PROXY(leg->next_hop), TAG_END());
}

static char *
by_trunk(const SipLeg *leg, char *hop)
{
	g_autofree char *plain = hop;
	char *own = leg && plain ? way_verified_hop(leg->way, plain) : NULL;

	if (own && is_same_place(plain, leg->next_hop)) { /* by the connection there is */
		g_free(own);
		return g_strdup(leg->next_hop);
	}
	return own ? own : g_steal_pointer(&plain);
}

char *
hop_of_answer(SipUa *ua, SipLeg *leg, msg_t *msg)
{
	const sip_t *sip = sip_object(msg);
	const sip_record_route_t *route = sip->sip_record_route;
	g_autofree char *source = source_hop(msg);
	HopFacts facts = facts_of(ua, leg);
	g_auto(HopChoice) choice = { 0 };

	while (route && route->r_next)
		route = route->r_next;
	if (leg && way_is_phone(leg->way))
		return way_only_hop(leg->way);
	facts.route = route ? route->r_url : NULL;
	facts.target = sip->sip_contact ? sip->sip_contact->m_url : NULL;
	facts.source = source;
	hop_choose(&facts, &choice);
	return by_trunk(leg, g_steal_pointer(&choice.hop));
}
