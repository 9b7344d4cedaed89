/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_uri.c - calls to a SIP address outside, which is no trunk's. */
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/peers/sip_outside.h"
#include "b2bua/route/dial_uri.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

/* Silence after which its next address is tried, and the call given up. */
#define URI_RESPONSE_MS 8000

/* --- where it may be --- */

static gboolean
is_in(GInetAddress *address, const char *const *networks)
{
	for (; *networks; networks++) {
		g_autoptr(GInetAddressMask) mask =
			g_inet_address_mask_new_from_string(*networks, NULL);

		if (g_inet_address_mask_matches(mask, address))
			return TRUE;
	}
	return FALSE;
}

gboolean
uri_address_is_public(GInetAddress *address)
{
	static const char *const special[] = {
		/* RFC 6890 */
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
		/* IPv6: what is no global unicast, and IPv4 in it */
		"::/3", "2001::/23", "2001:db8::/32", "2002::/16", "4000::/2", "8000::/1", NULL
	};

	return !is_in(address, special);
}

gboolean
uri_is_private(const url_t *url)
{
	g_autoptr(GInetAddress) address = url->url_host ? resolve_numeric(url->url_host) : NULL;

	return address && !uri_address_is_public(address);
}

/* The hop's address: "sip:192.0.2.1:5060;transport=udp". */
static gboolean
hop_is_public(const char *hop)
{
	const char *host = hop + strlen("sip:"), *end = strchr(host, host[0] == '[' ? ']' : ':');
	g_autofree char *text = g_strndup(host, (gsize)(end - host) + (host[0] == '['));
	g_autoptr(GInetAddress) address = resolve_numeric(text);

	return address && uri_address_is_public(address);
}

static GPtrArray *
public_ones(GPtrArray *hops)
{
	GPtrArray *some = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < hops->len; i++)
		if (hop_is_public(hops->pdata[i]))
			g_ptr_array_add(some, g_strdup(hops->pdata[i]));
	return some;
}

/* --- the call --- */

static void
on_resolved(gpointer user, GPtrArray *hops, const GError *error)
{
	SipLeg *leg = user;
	g_autoptr(GPtrArray) allowed = NULL;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return; /* and the leg is gone */
	if (!hops) {
		leg_trace(&leg->leg, TRACE_NOTE, "%s", error->message);
		leg_over(leg, REASON_NOT_FOUND, "the host of the address cannot be found");
		return;
	}
	allowed = leg->only_public ? public_ones(hops) : g_ptr_array_ref(hops);
	if (allowed->len == 0) {
		leg_over(leg, REASON_FORBIDDEN,
			 "calls to SIP addresses in private networks are not allowed here");
		return;
	}
	leg->response_ms = URI_RESPONSE_MS;
	leg_call_hops(leg, allowed);
}

void
uri_dial(SipLeg *leg, const Target *target, const Desc *offer)
{
	SipUa *ua = leg->ua;
	const Address *from = target->from;
	gboolean hidden = target->withheld || from->scheme == ADDRESS_ANONYMOUS;
	g_autoptr(Address) anonymous = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	g_autofree char *host = NULL;
	ResolveQuery query = { .transport = "auto",
			       .family = strchr(ua->config->sip_address, ':')
						 ? G_SOCKET_FAMILY_IPV6
						 : G_SOCKET_FAMILY_IPV4 };

	dial_uri_split(target->to, &host, &query.port);
	query.host = host;
	leg->only_public = dial_uri_policy(ua->config, host) != DIAL_URI_NAMED;
	leg_set_offer(leg, offer);
	/* a stranger is trusted with no P-Asserted-Identity (RFC 3325 7) */
	leg->from = header_from(hidden ? anonymous : from, outside_domain(ua->outside));
	leg->anonymous = hidden;
	leg->request_uri = header_uri(target->to);
	leg->lookup = g_cancellable_new();
	resolve_hops(&query, leg->lookup, on_resolved, leg);
}
