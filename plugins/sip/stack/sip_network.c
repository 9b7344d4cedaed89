/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_network.c - see sip_network.h. */
#include "plugins/sip/stack/sip_network.h"
#include "b2bua/words.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

#define MAX_NETWORKS 64

typedef struct {
	GInetAddressMask *mask;
	char *name; /* NULL when it was written as an address */
} Network;

struct Networks {
	GPtrArray *list; /* Network *, owned */
};

static void
network_free(gpointer data)
{
	Network *network = data;

	g_object_unref(network->mask);
	g_free(network->name);
	g_free(network);
}

Networks *
networks_new(void)
{
	Networks *self = g_new0(Networks, 1);

	self->list = g_ptr_array_new_with_free_func(network_free);
	return self;
}

void
networks_free(Networks *self)
{
	if (!self)
		return;
	g_ptr_array_unref(self->list);
	g_free(self);
}

guint
networks_size(const Networks *self)
{
	return self->list->len;
}

void
networks_add(Networks *self, GInetAddressMask *mask, const char *name)
{
	Network *network;

	if (self->list->len >= MAX_NETWORKS) {
		g_object_unref(mask);
		return;
	}
	network = g_new0(Network, 1);
	network->mask = mask;
	network->name = g_strdup(name);
	g_ptr_array_add(self->list, network);
}

static GInetAddressMask *
mask_of(GInetAddress *address)
{
	guint bits = 8 * (guint)g_inet_address_get_native_size(address);

	return g_inet_address_mask_new(address, bits, NULL);
}

void
networks_add_address(Networks *self, GInetAddress *address, const char *name)
{
	networks_add(self, mask_of(address), name);
}

void
networks_drop(Networks *self, const char *name)
{
	for (guint i = self->list->len; i-- > 0;) {
		const Network *network = self->list->pdata[i];

		if (g_strcmp0(network->name, name) == 0)
			g_ptr_array_remove_index(self->list, i);
	}
}

GInetAddressMask *
network_parse(const char *word)
{
	GInetAddressMask *mask = word_network(word);
	g_autoptr(GInetAddress) address = mask ? NULL : resolve_numeric(word);

	return address ? mask_of(address) : mask;
}

/* ::ffff:192.0.2.1, what a dual-stack socket shows, is 192.0.2.1. */
static GInetAddress *
unmapped(GInetAddress *address)
{
	static const guint8 prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const guint8 *bytes = g_inet_address_to_bytes(address);

	if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 &&
	    memcmp(bytes, prefix, sizeof prefix) == 0)
		return g_inet_address_new_from_bytes(bytes + sizeof prefix, G_SOCKET_FAMILY_IPV4);
	return g_object_ref(address);
}

int
networks_match(const Networks *self, GInetAddress *address)
{
	g_autoptr(GInetAddress) plain = unmapped(address);
	int best = -1;

	for (guint i = 0; i < self->list->len; i++) {
		GInetAddressMask *mask = ((Network *)self->list->pdata[i])->mask;

		if (g_inet_address_mask_matches(mask, plain))
			best = MAX(best, (int)g_inet_address_mask_get_length(mask));
	}
	return best;
}

/* Its first 64 bits; g_inet_address_mask_new() wants the rest to be zero. */
static GInetAddressMask *
subscriber_of(GInetAddress *address)
{
	guint8 bytes[16] = { 0 };
	g_autoptr(GInetAddress) first = NULL;

	memcpy(bytes, g_inet_address_to_bytes(address), 8);
	first = g_inet_address_new_from_bytes(bytes, G_SOCKET_FAMILY_IPV6);
	return g_inet_address_mask_new(first, 64, NULL);
}

static gboolean
is_near(GInetAddressMask *mask, GInetAddress *address)
{
	guint bits = g_inet_address_mask_get_length(mask);
	g_autoptr(GInetAddressMask) wide = NULL;

	if (bits <= 64 ||
	    g_inet_address_mask_get_family(mask) != g_inet_address_get_family(address))
		return g_inet_address_mask_matches(mask, address);
	wide = subscriber_of(g_inet_address_mask_get_address(mask));
	return g_inet_address_mask_matches(wide, address);
}

gboolean
networks_are_near(const Networks *self, GInetAddress *address)
{
	for (guint i = 0; i < self->list->len; i++)
		if (is_near(((Network *)self->list->pdata[i])->mask, address))
			return TRUE;
	return FALSE;
}
