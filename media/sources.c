/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sources.c - the hosts and networks that a side's packets may come from.
 *
 * Thread: any (pure).
 */
#include "media/sources.h"
#include <arpa/inet.h>
#include <string.h>

#define SUBSCRIBER_BITS 64 /* of IPv6 */
#define MAX_TEXT	64

static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };

static gboolean
parse(const char *text, SourceNet *net)
{
	*net = (SourceNet){ .ip6 = strchr(text, ':') != NULL };
	if (inet_pton(net->ip6 ? AF_INET6 : AF_INET, text, net->address) != 1)
		return FALSE;
	net->bits = net->ip6 ? 128 : 32;
	return TRUE;
}

static void
unmap(SourceNet *net)
{
	if (!net->ip6 || net->bits < 96 || memcmp(net->address, mapped, sizeof mapped) != 0)
		return;
	memmove(net->address, net->address + 12, 4);
	net->ip6 = FALSE;
	net->bits -= 96;
}

static gboolean
add(MediaSources *sources, SourceNet *net)
{
	unmap(net);
	if (sources->n_nets == MEDIA_MAX_SOURCES)
		return FALSE;
	sources->nets[sources->n_nets++] = *net;
	return TRUE;
}

gboolean
media_sources_add(MediaSources *sources, const char *network)
{
	char text[MAX_TEXT];
	guint64 bits;
	SourceNet net;
	char *slash;

	if (!network || g_strlcpy(text, network, sizeof text) >= sizeof text)
		return FALSE;
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (!parse(text, &net))
		return FALSE;
	if (slash && !g_ascii_string_to_unsigned(slash, 10, 1, net.bits, &bits, NULL))
		return FALSE;
	if (slash)
		net.bits = (guint8)bits;
	return add(sources, &net);
}

gboolean
media_sources_add_host(MediaSources *sources, const char *address)
{
	SourceNet net;

	if (!address || !parse(address, &net))
		return FALSE;
	unmap(&net);
	if (net.ip6)
		net.bits = SUBSCRIBER_BITS;
	return add(sources, &net);
}

static gboolean
same_bits(const guint8 *one, const guint8 *other, guint bits)
{
	const guint8 rest = (guint8)(0xff00 >> (bits % 8));

	return memcmp(one, other, bits / 8) == 0 &&
	       (bits % 8 == 0 || ((one[bits / 8] ^ other[bits / 8]) & rest) == 0);
}

const MediaSources *
media_sources_share(const MediaSources *sources)
{
	if (sources->n_nets == 0 && !sources->any)
		return NULL;
	return g_atomic_rc_box_dup(sizeof *sources, sources);
}

const MediaSources *
media_sources_ref(const MediaSources *shared)
{
	return shared ? g_atomic_rc_box_acquire((gpointer)shared) : NULL;
}

void
media_sources_unref(const MediaSources *shared)
{
	if (shared)
		g_atomic_rc_box_release((gpointer)shared);
}

gboolean
media_sources_any(const MediaSources *shared)
{
	return shared && shared->any;
}

gboolean
media_sources_allow(const MediaSources *sources, const guint8 *address, gboolean ip6)
{
	if (ip6 && memcmp(address, mapped, sizeof mapped) == 0) {
		address += 12;
		ip6 = FALSE;
	}
	for (guint i = 0; sources && i < sources->n_nets; i++)
		if (sources->nets[i].ip6 == ip6 &&
		    same_bits(sources->nets[i].address, address, sources->nets[i].bits))
			return TRUE;
	return FALSE;
}
