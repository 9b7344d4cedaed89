/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-address.c - any text as an address, a network, or where a request came from: what an
 * admin writes in sources and media-hosts, and what stands in a Via or in the store. */
#include <stdint.h>
#include <string.h>
#include "media/sources.h"
#include "media/udp.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/shield/sip_endpoint.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_network.h"
#include "plugins/sip/stack/sip_resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A network holds its own address, and is read again from what it says of itself. */
static void
check_network(const char *text)
{
	g_autoptr(GInetAddressMask) mask = network_parse(text), again = NULL;
	g_autofree char *said = mask ? g_inet_address_mask_to_string(mask) : NULL;
	Networks *networks;

	if (!mask)
		return;
	again = network_parse(said);
	g_assert_true(again && g_inet_address_mask_equal(mask, again));
	networks = networks_new();
	networks_add_address(networks, g_inet_address_mask_get_address(mask), NULL);
	g_assert_cmpint(networks_match(networks, g_inet_address_mask_get_address(mask)), >=, -1);
	g_assert_true(networks_are_near(networks, g_inet_address_mask_get_address(mask)));
	networks_free(networks);
}

static void
check_endpoint(const char *text)
{
	Endpoint endpoint, whole, again;
	g_autoptr(GInetAddress) address = NULL;
	g_autofree char *said = NULL, *hop = NULL, *source = NULL;
	ThrottleKey key;

	if (!endpoint_parse(text, &endpoint))
		return;
	whole = endpoint_whole(&endpoint);
	key = endpoint_key(&endpoint);
	g_assert_cmpuint(whole.port, ==, 0);
	said = endpoint_key_text(&key);
	*strchrnul(said, '/') = '\0';
	address = g_inet_address_new_from_string(said);
	g_assert_true(endpoint_at(address, &again));
	g_assert_true(endpoint_equal(&again, &whole));
	g_assert_cmpuint(endpoint_hash(&again), ==, endpoint_hash(&whole));
	hop = phone_next_hop(text);
	source = header_hop_source(hop);
	g_assert_null(strpbrk(source, "\r\n"));
}

/* ::ffff:192.0.2.1 is IPv4, which a wide IPv6 network does not hold. */
static gboolean
is_mapped(const SourceNet *net)
{
	static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return net->ip6 && memcmp(net->address, mapped, sizeof mapped) == 0;
}

static void
check_media(const char *text)
{
	MediaSources sources = { 0 };
	NetAddress address, again;
	char host[46];

	if (media_sources_add(&sources, text) && !is_mapped(&sources.nets[0]))
		g_assert_true(media_sources_allow(&sources, sources.nets[0].address,
						  sources.nets[0].ip6));
	if (media_sources_add_host(&sources, text))
		g_assert_cmpuint(sources.nets[sources.n_nets - 1].bits, ==,
				 sources.nets[sources.n_nets - 1].ip6 ? 64 : 32);
	if (!net_address_parse(text, 4000, &address))
		return;
	net_address_host_text(&address, host);
	g_assert_true(net_address_parse(host, 4000, &again));
	g_assert_true(net_address_equal(&address, &again));
	g_assert_true(net_address_near(&address, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);

	check_network(text);
	check_endpoint(text);
	check_media(text);
	return 0;
}
