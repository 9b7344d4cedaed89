/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_way.c - see sip_way.h. */
#include "plugins/sip/peers/sip_way.h"
#include "b2bua/route/dial_uri.h"
#include "plugins/sip/peers/sip_called.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/peers/sip_watch.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

/* A softphone that has not said "100 Trying" to five copies of the INVITE by then
 * is not there. */
#define PHONE_RESPONSE_MS 8000
/* Silence after which the next address of a host outside is tried, and the call given up. */
#define OUTSIDE_RESPONSE_MS 8000
#define MAX_REDIRECTS	    3

static SipWay *
way_new(SipUa *ua)
{
	SipWay *way = g_new0(SipWay, 1);

	way->ua = ua;
	return way;
}

void
way_free(SipWay *way)
{
	if (!way)
		return;
	trunks_forget(way->ua->trunks, way);
	if (way->lookup)
		g_cancellable_cancel(way->lookup);
	g_clear_object(&way->lookup);
	g_clear_pointer(&way->hops, g_ptr_array_unref);
	g_free(way->request_uri);
	g_free(way->to);
	g_free(way->route);
	g_free(way->from);
	g_free(way->identity);
	g_free(way->codecs);
	g_free(way->trunk);
	g_free(way->phone);
	g_free(way->softphone);
	g_free(way->host);
	g_free(way->detail);
	g_free(way);
}

static const Trunk *
trunk_of(const SipWay *way)
{
	return trunks_find(way->ua->trunks, way->trunk);
}

/* --- which one --- */

SipWay *
way_of_caller(SipUa *ua, const SipCaller *caller)
{
	SipWay *way = way_new(ua);

	way->trunk = g_strdup(caller->trunk);
	way->phone = g_strdup(caller->phone);
	way->softphone = g_strdup(caller->softphone);
	way->crypto = caller->crypto;
	way->any_source = caller->any_source;
	return way;
}

static void
fail(SipWay *way, Reason reason, const char *text)
{
	way->reason = reason;
	way->text = text;
}

static void
to_phone(SipWay *way, const Target *target)
{
	Store *store = gateway_store(way->ua->gateway);
	const char *domain = outside_domain(way->ua->outside);
	g_autoptr(Contact) contact = store_contact_get(store, target->way.contact, NULL);
	g_autoptr(Softphone) softphone =
		contact ? store_softphone_get(store, contact->username, NULL) : NULL;
	g_autofree char *asserted = header_asserted(target->from, domain);

	if (!contact || !contact->received || !strchr(contact->received, ':')) {
		fail(way, REASON_UNREACHABLE, "the softphone is not registered any more");
		way->fault = LEG_NOT_REGISTERED;
		return;
	}
	way->phone = g_strdup(contact->received);
	way->softphone = g_strdup(contact->username);
	way->codecs = softphone ? g_strdup(softphone->codecs) : NULL;
	way->crypto = softphone ? crypto_policy(softphone->srtp) : CRYPTO_OFF;
	way->any_source = softphone && g_strcmp0(softphone->rtp_source, "any") == 0;
	way->from = header_from(target->from, domain);
	way->identity = asserted ? g_strdup_printf("P-Asserted-Identity: %s", asserted) : NULL;
	way->anonymous = !asserted;
	way->request_uri = g_strdup(contact->uri);
	way->to = g_strdup_printf("sip:%s@%s", contact->username, domain);
	way->route = g_strdup(contact->path);
	way->response_ms = PHONE_RESPONSE_MS;
}

/* Asked for nothing: no registration, no password.  Which hosts there may be says sip_uri.h. */
static void
to_outside(SipWay *way, const Target *target)
{
	gboolean hidden = target->withheld || target->from->scheme == ADDRESS_ANONYMOUS;
	g_autoptr(Address) anonymous = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);

	dial_uri_split(target->to, &way->host, &way->port);
	way->only_public = dial_uri_policy(way->ua->config, way->host) != DIAL_URI_NAMED;
	/* a stranger is trusted with no P-Asserted-Identity (RFC 3325 7) */
	way->from =
		header_from(hidden ? anonymous : target->from, outside_domain(way->ua->outside));
	way->anonymous = hidden;
	way->request_uri = header_uri(target->to);
	way->response_ms = OUTSIDE_RESPONSE_MS;
}

static void
to_trunk(SipWay *way, const Target *target)
{
	const char *domain = outside_domain(way->ua->outside);
	const Trunk *trunk = trunks_find(way->ua->trunks, target->way.trunk);

	way->trunk = g_strdup(target->way.trunk);
	if (!trunk) {
		fail(way, REASON_NETWORK_ERROR, "no such trunk");
		return;
	}
	way->crypto = crypto_policy(trunk->srtp);
	way->codecs = g_strdup(trunk->codecs);
	way->from = header_trunk_from(trunk, target->from, target->withheld, domain);
	way->identity = header_trunk_identity(trunk, target->from, target->withheld, domain);
	way->anonymous = target->withheld || target->from->scheme == ADDRESS_ANONYMOUS;
	way->wants_history = TRUE;
	way->request_uri = header_request_uri(target->to, trunk);
}

SipWay *
way_to(SipUa *ua, const Target *target)
{
	SipWay *way = way_new(ua);

	switch (target->way.kind) {
	case WAY_CONTACT:
		to_phone(way, target);
		break;
	case WAY_URI:
		to_outside(way, target);
		break;
	case WAY_TRUNK:
		to_trunk(way, target);
		break;
	default:
		fail(way, REASON_NETWORK_ERROR, "there is no such way by SIP");
	}
	return way;
}

/* --- looking for it --- */

static void
on_trunk_resolved(gpointer user, GPtrArray *hops)
{
	SipWay *way = user;
	const Trunk *trunk = trunk_of(way);
	const char *problem = trunks_problem(way->ua->trunks, way->trunk);
	g_autoptr(GPtrArray) ordered = NULL;

	if (!trunk || !hops) {
		way->fault = !trunk ? LEG_NO_FAULT : problem ? LEG_BAD_TLS : LEG_NO_NAME;
		way->found(way->user, NULL, REASON_NETWORK_ERROR,
			   !trunk    ? "no such trunk"
			   : problem ? problem
				     : trunk->host);
		return;
	}
	way->response_ms = trunk->response_seconds * 1000;
	ordered = watches_order(way->ua->watches, way->trunk, hops);
	way->found(way->user, ordered, REASON_NONE, NULL);
}

static void
on_host_resolved(gpointer user, GPtrArray *hops, const GError *error)
{
	SipWay *way = user;
	g_autoptr(GPtrArray) allowed = NULL;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return; /* and the way is gone */
	if (!hops) {
		way->detail = g_strdup(error->message);
		way->fault = LEG_NO_NAME;
		way->found(way->user, NULL, REASON_NOT_FOUND,
			   "the host of the address cannot be found");
		return;
	}
	allowed = way->only_public ? uri_public_hops(hops) : g_ptr_array_ref(hops);
	if (allowed->len == 0)
		way->found(way->user, NULL, REASON_FORBIDDEN,
			   "calls to SIP addresses in private networks are not allowed here");
	else
		way->found(way->user, allowed, REASON_NONE, NULL);
}

static void
find_host(SipWay *way)
{
	ResolveQuery query = { .host = way->host,
			       .port = way->port,
			       .transport = "auto",
			       .family = resolve_family(way->ua->config->sip_address) };

	way->lookup = g_cancellable_new();
	resolve_hops(&query, way->lookup, on_host_resolved, way);
}

void
way_find(SipWay *way, WayFunc func, gpointer user)
{
	g_autoptr(GPtrArray) hops = NULL;

	way->found = func;
	way->user = user;
	if (way->text) {
		func(user, NULL, way->reason, way->text);
	} else if (way->phone) {
		hops = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(hops, phone_next_hop(way->phone));
		func(user, hops, REASON_NONE, NULL);
	} else if (way->host) {
		find_host(way);
	} else {
		trunks_resolve(way->ua->trunks, way->trunk, on_trunk_resolved, way);
	}
}

const char *
way_first_hop(SipWay *way, GPtrArray *hops)
{
	g_clear_pointer(&way->hops, g_ptr_array_unref);
	way->hops = g_ptr_array_ref(hops);
	way->hop = 0;
	return hops->pdata[0];
}

gboolean
way_has_next_hop(const SipWay *way)
{
	return way->hops && way->hop + 1 < way->hops->len;
}

const char *
way_next_hop(SipWay *way)
{
	return way_has_next_hop(way) ? way->hops->pdata[++way->hop] : NULL;
}

/* --- who it is --- */

const char *
way_trunk(const SipWay *way)
{
	return way->trunk;
}

gboolean
way_is_phone(const SipWay *way)
{
	return way->phone != NULL;
}

gboolean
way_is_softphone(const SipWay *way, const char *name)
{
	return way->softphone && strcmp(way->softphone, name) == 0;
}

const char *
way_softphone(const SipWay *way)
{
	return way->softphone;
}

/* --- what is said to it, and what it is shown --- */

const char *
way_host(const SipWay *way)
{
	return outside_host(way->ua->outside, way->trunk);
}

char *
way_contact(const SipWay *way, const char *next_hop)
{
	const Outside *outside = way->ua->outside;
	const Config *config = way->ua->config;
	const char *address = way_host(way);
	gboolean tls = header_hop_is_tls(next_hop);
	gboolean tcp = way->phone ? !g_str_has_prefix(way->phone, "udp:")
				  : next_hop && g_str_has_suffix(next_hop, "=tcp");
	g_autofree char *uri = NULL;

	if (!tls && !(way->phone && tcp) && outside_is_plain(outside, way->trunk))
		return NULL;
	if (tls)
		uri = header_next_hop(address, config->sip_tls_port, "tls");
	else if (tcp)
		uri = header_next_hop(address, config->sip_port, "tcp");
	else
		uri = header_next_hop(address, outside_port(outside, way->trunk), "udp");
	return g_strdup_printf("<%s>", uri);
}

char *
way_credentials(const SipWay *way, guint status, const sip_t *sip, guint *challenged)
{
	const Trunk *trunk = trunk_of(way);

	return trunk ? header_credentials(trunk, status, sip, challenged) : NULL;
}

const char *
way_redirected_to(const SipWay *way, int status, const sip_t *sip)
{
	const Trunk *trunk = trunk_of(way);

	if (status < 300 || status >= 400 || !trunk || !trunk->follow_redirects ||
	    way->redirects >= MAX_REDIRECTS)
		return NULL;
	return guard_kept(sip, GUARD_REDIRECT);
}

void
way_redirect(SipWay *way, const char *uri)
{
	way->redirects++;
	g_free(way->request_uri);
	way->request_uri = g_strdup(uri);
}

guint
way_session_seconds(const SipWay *way, guint otherwise)
{
	const Trunk *trunk = trunk_of(way);

	return trunk ? trunk->session_seconds : otherwise;
}

char **
way_media_hosts(const SipWay *way)
{
	const Trunk *trunk = trunk_of(way);

	return g_strsplit(trunk && trunk->media_hosts ? trunk->media_hosts : "", " ", -1);
}

gboolean
way_any_source(const SipWay *way)
{
	const Trunk *trunk = trunk_of(way);

	return trunk ? g_strcmp0(trunk->rtp_source, "any") == 0 : way->any_source;
}

gboolean
way_takes_texts(const SipWay *way)
{
	return way->softphone || trunk_takes_texts(trunk_of(way));
}

Address *
way_called(const SipWay *way, const sip_t *sip)
{
	return called_by_trunk(way->ua, trunk_of(way), sip);
}

/* --- where it is --- */

char *
way_only_hop(const SipWay *way)
{
	return phone_next_hop(way->phone);
}

gboolean
way_is_verified(const SipWay *way)
{
	return way->trunk && trunks_peer(way->ua->trunks, way->trunk) != NULL;
}

char *
way_verified_hop(const SipWay *way, const char *hop)
{
	return way->trunk ? trunks_own_way(way->ua->trunks, way->trunk, hop) : NULL;
}

const char *
way_problem(const SipWay *way, const char *hop)
{
	return way->trunk && header_hop_is_tls(hop) ? trunks_problem(way->ua->trunks, way->trunk)
						    : NULL;
}

gboolean
way_follow(SipWay *way, const char *source)
{
	if (!way->phone || !source || !g_str_has_prefix(way->phone, "udp:") ||
	    !g_str_has_prefix(source, "udp:") || strcmp(way->phone, source) == 0)
		return FALSE;
	g_free(way->phone);
	way->phone = g_strdup(source);
	return TRUE;
}

GPtrArray *
way_registered(const SipWay *way)
{
	Store *store = gateway_store(way->ua->gateway);
	g_autoptr(Softphone) softphone =
		way->softphone ? store_softphone_get(store, way->softphone, NULL) : NULL;

	return softphone ? store_contact_list_of_softphone(store, softphone->id, NULL) : NULL;
}

gboolean
way_owns(const SipWay *way, GInetAddress *address)
{
	return way->trunk && trunks_own(way->ua->trunks, way->trunk, address);
}

/* --- how it went --- */

void
way_note(SipWay *way, Reason reason, const char *text)
{
	trunks_note(way->ua->trunks, way->trunk, reason, text);
}

void
way_note_reached(SipWay *way, gboolean reached)
{
	watches_note_call(way->ua->watches, way->trunk, reached);
}

Reason
way_unreachable(const SipWay *way, Reason otherwise)
{
	return way->phone ? REASON_UNREACHABLE : otherwise;
}
