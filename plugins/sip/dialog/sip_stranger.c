/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_stranger.c - calls to a SIP address outside, which is no trunk's. */
#include "plugins/sip/dialog/sip_stranger.h"
#include "plugins/sip/dialog/sip_leg_private.h"
#include "b2bua/route/dial_uri.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

/* Silence after which its next address is tried, and the call given up. */
#define STRANGER_RESPONSE_MS 8000

static void
on_resolved(gpointer user, GPtrArray *hops, const GError *error)
{
	SipLeg *leg = user;
	g_autoptr(GPtrArray) allowed = NULL;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return; /* and the leg is gone */
	if (!hops) {
		leg_trace(&leg->leg, TRACE_NOTE, "%s", error->message);
		sip_leg_over(leg, REASON_NOT_FOUND, "the host of the address cannot be found");
		return;
	}
	allowed = leg->only_public ? uri_public_hops(hops) : g_ptr_array_ref(hops);
	if (allowed->len == 0) {
		sip_leg_over(leg, REASON_FORBIDDEN,
			     "calls to SIP addresses in private networks are not allowed here");
		return;
	}
	leg->response_ms = STRANGER_RESPONSE_MS;
	sip_leg_call_hops(leg, allowed);
}

void
stranger_dial(SipLeg *leg, const Target *target, const Desc *offer)
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
	sip_leg_set_offer(leg, offer);
	/* a stranger is trusted with no P-Asserted-Identity (RFC 3325 7) */
	leg->from = header_from(hidden ? anonymous : from, outside_domain(ua->outside));
	leg->anonymous = hidden;
	leg->request_uri = header_uri(target->to);
	leg->lookup = g_cancellable_new();
	resolve_hops(&query, leg->lookup, on_resolved, leg);
}
