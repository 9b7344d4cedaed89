/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_uri.c - SIP addresses outside, which are no trunk's; see sip_uri.h. */
#include "plugins/sip/peers/sip_uri.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

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

/* The hop's address: "sip:192.0.2.1:5060;transport=udp". */
static gboolean
hop_is_public(const char *hop)
{
	const char *host = hop + strlen("sip:"), *end = strchr(host, host[0] == '[' ? ']' : ':');
	g_autofree char *text = g_strndup(host, (gsize)(end - host) + (host[0] == '['));
	g_autoptr(GInetAddress) address = resolve_numeric(text);

	return address && uri_address_is_public(address);
}

GPtrArray *
uri_public_hops(const GPtrArray *hops)
{
	GPtrArray *some = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < hops->len; i++)
		if (hop_is_public(hops->pdata[i]))
			g_ptr_array_add(some, g_strdup(hops->pdata[i]));
	return some;
}
