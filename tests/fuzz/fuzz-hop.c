/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-hop.c - any URI as a route or a target: where a request inside a dialog is sent.
 *
 * Five lines: flags (any of "6tp": IPv6, TLS, public alone), route, target, where the peer's
 * message came from ("udp:192.0.2.1:5060"), where requests have gone so far; any may be empty. */
#include <stdint.h>
#include <string.h>
#include <sofia-sip/su_alloc.h>
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/shield/sip_endpoint.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As phone_source() would have written it, or NULL. */
static char *
hop_from(const char *source)
{
	Endpoint endpoint;
	g_autoptr(GInetAddress) address = NULL;
	g_autofree char *host = NULL;

	if (!endpoint_parse(source, &endpoint))
		return NULL;
	address = g_inet_address_new_from_bytes(
		endpoint.address, endpoint.v6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
	host = g_inet_address_to_string(address);
	return header_next_hop(host, endpoint.port,
			       g_str_has_prefix(source, "tls:")	  ? "tls"
			       : g_str_has_prefix(source, "tcp:") ? "tcp"
								  : "udp");
}

static GInetAddress *
host_of(const char *hop)
{
	g_autofree char *source = header_hop_source(hop);
	char *colon = strrchr(source, ':');

	g_assert_nonnull(colon);
	*colon = '\0';
	return resolve_numeric(source);
}

static void
check(const HopFacts *facts, const HopChoice *choice)
{
	g_autoptr(GInetAddress) host = choice->hop ? host_of(choice->hop) : NULL;

	if (choice->hop)
		g_assert_nonnull(host);
	else
		g_assert_false(choice->theirs);
	if (choice->theirs) {
		g_assert_cmpint(g_inet_address_get_family(host), ==, facts->family);
		g_assert_true(facts->tls || !header_hop_is_tls(choice->hop));
		if (facts->only_public)
			g_assert_true(uri_address_is_public(host));
		if (facts->source && header_hop_is_tls(facts->source))
			g_assert_true(header_hop_is_tls(choice->hop));
	} else if (choice->hop) {
		g_assert_true(g_strcmp0(choice->hop, facts->source) == 0 ||
			      g_strcmp0(choice->hop, facts->known) == 0);
	}
	if (choice->name) {
		for (const char *at = choice->name; *at; at++)
			g_assert_true(g_ascii_isalnum(*at) || strchr("-._", *at));
		g_assert_true(strlen(choice->name) <= 253 && choice->port <= 65535);
		g_assert_nonnull(choice->transport);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 6);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	g_autofree char *source = NULL, *known = NULL;
	g_auto(HopChoice) choice = { 0 };
	HopFacts facts;

	if (g_strv_length(lines) < 5)
		return 0;
	source = hop_from(lines[3]);
	known = hop_from(lines[4]);
	su_home_init(home);
	facts = (HopFacts){ .family = strchr(lines[0], '6') ? G_SOCKET_FAMILY_IPV6
							    : G_SOCKET_FAMILY_IPV4,
			    .tls = strchr(lines[0], 't') != NULL,
			    .only_public = strchr(lines[0], 'p') != NULL,
			    .route = *lines[1] ? url_make(home, lines[1]) : NULL,
			    .target = *lines[2] ? url_make(home, lines[2]) : NULL,
			    .source = source,
			    .known = known };
	hop_choose(&facts, &choice);
	check(&facts, &choice);
	su_home_deinit(home);
	return 0;
}
