/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_resolve.c - where a host leads: the next hops, in the order to be tried.
 *
 * One lookup after the other: NAPTR where the transport is open, then for each
 * way SRV and the addresses of each target.
 */
#include "plugins/sip/stack/sip_resolve.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_naptr.h"
#include <string.h>

typedef struct {
	char *host;
	const char *transport; /* of the way under way; static */
	guint port;	       /* of the host itself; 0: the transport's own */
	GSocketFamily family;
	gboolean tls;
	GCancellable *cancellable;
	ResolvedFunc func;
	gpointer user;
	GPtrArray *ways; /* NaptrWay *, owned; before `next_way` they were asked for */
	guint next_way;
	GPtrArray *targets; /* GSrvTarget *, owned; before `next` they were asked for */
	guint next;
	gboolean found; /* an SRV record, or the host itself is what is asked */
	GPtrArray *hops;
	GError *error; /* the last one */
} Lookup;

static void
lookup_free(Lookup *lookup)
{
	g_free(lookup->host);
	g_clear_object(&lookup->cancellable);
	g_ptr_array_unref(lookup->ways);
	g_ptr_array_unref(lookup->targets);
	g_ptr_array_unref(lookup->hops);
	g_clear_error(&lookup->error);
	g_free(lookup);
}

static void
finish(Lookup *lookup)
{
	g_autoptr(GError) cancelled = NULL;
	gboolean none = lookup->hops->len == 0;

	if (g_cancellable_set_error_if_cancelled(lookup->cancellable, &cancelled))
		lookup->func(lookup->user, NULL, cancelled);
	else
		lookup->func(lookup->user, none ? NULL : lookup->hops, lookup->error);
	lookup_free(lookup);
}

static void
add_hop(Lookup *lookup, GInetAddress *address, guint port)
{
	g_autofree char *text = g_inet_address_to_string(address);

	if (g_inet_address_get_family(address) != lookup->family)
		return;
	if (lookup->hops->len < RESOLVE_MAX_HOPS)
		g_ptr_array_add(lookup->hops, header_next_hop(text, port, lookup->transport));
}

static void
keep_error(Lookup *lookup, GError *error)
{
	g_clear_error(&lookup->error);
	lookup->error = error;
}

static void advance(Lookup *lookup);

static void
on_addresses(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	GSrvTarget *target = lookup->targets->pdata[lookup->next - 1];
	GError *error = NULL;
	GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);

	if (error)
		keep_error(lookup, error);
	for (GList *each = addresses; each; each = each->next)
		add_hop(lookup, each->data, g_srv_target_get_port(target));
	g_resolver_free_addresses(addresses);
	advance(lookup);
}

static void
on_services(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	g_autoptr(GError) error = NULL;
	GList *targets = g_resolver_lookup_service_finish(G_RESOLVER(resolver), result, &error);

	lookup->found |= !error;
	for (GList *each = targets; each; each = each->next)
		g_ptr_array_add(lookup->targets, each->data);
	g_list_free(targets);
	if (!error && !targets) /* GResolver has taken away a lone "." (RFC 2782) */
		keep_error(lookup, g_error_new(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					       "its DNS says that it offers no SIP"));
	advance(lookup);
}

static void
add_way(Lookup *lookup, const char *transport)
{
	gboolean tls = strcmp(transport, "tls") == 0;
	NaptrWay *way = g_new0(NaptrWay, 1);

	way->transport = transport;
	g_strlcpy(way->service, tls ? "sips" : "sip", sizeof(way->service));
	g_strlcpy(way->protocol, tls ? "tcp" : transport, sizeof(way->protocol));
	g_strlcpy(way->domain, lookup->host, sizeof(way->domain));
	g_ptr_array_add(lookup->ways, way);
}

static void
on_ways(GObject *source, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	g_autoptr(GPtrArray) ways = naptr_lookup_finish(result, NULL);

	(void)source;
	for (guint i = ways ? ways->len : 0; i-- > 0;)
		if (!lookup->tls && strcmp(((NaptrWay *)ways->pdata[i])->transport, "tls") == 0)
			g_ptr_array_remove_index(ways, i);
	if (ways && ways->len > 0) {
		g_ptr_array_unref(lookup->ways);
		lookup->ways = g_steal_pointer(&ways);
	} else { /* RFC 3263 4.1: without NAPTR, the SRV of each transport */
		add_way(lookup, "udp");
		add_way(lookup, "tcp");
		if (lookup->tls)
			add_way(lookup, "tls");
	}
	advance(lookup);
}

/* The next lookup there is to make, or the end. */
static void
advance(Lookup *lookup)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();

	if (lookup->hops->len >= RESOLVE_MAX_HOPS ||
	    g_cancellable_is_cancelled(lookup->cancellable)) {
		finish(lookup);
	} else if (lookup->next < lookup->targets->len) {
		GSrvTarget *target = lookup->targets->pdata[lookup->next++];

		g_resolver_lookup_by_name_async(resolver, g_srv_target_get_hostname(target),
						lookup->cancellable, on_addresses, lookup);
	} else if (lookup->next_way < lookup->ways->len) {
		NaptrWay *way = lookup->ways->pdata[lookup->next_way++];

		lookup->transport = way->transport;
		g_resolver_lookup_service_async(resolver, way->service, way->protocol, way->domain,
						lookup->cancellable, on_services, lookup);
	} else if (!lookup->found) { /* RFC 3263 4.2: without SRV, A and AAAA */
		lookup->found = TRUE;
		if (lookup->ways->len > 0)
			lookup->transport = ((NaptrWay *)lookup->ways->pdata[0])->transport;
		g_ptr_array_add(lookup->targets,
				g_srv_target_new(lookup->host, (guint16)lookup->port, 0, 0));
		advance(lookup);
	} else {
		if (lookup->hops->len == 0 && !lookup->error)
			keep_error(lookup, g_error_new(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
						       "no address of the right family"));
		finish(lookup);
	}
}

GSocketFamily
resolve_family(const char *own_address)
{
	return strchr(own_address, ':') ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4;
}

GInetAddress *
resolve_numeric(const char *host)
{
	gsize length = strlen(host);
	g_autofree char *bare = length > 2 && host[0] == '[' && host[length - 1] == ']'
					? g_strndup(host + 1, length - 2)
					: g_strdup(host);

	return g_inet_address_new_from_string(bare);
}

void
resolve_hops(const ResolveQuery *query, GCancellable *cancellable, ResolvedFunc func, gpointer user)
{
	g_autoptr(GInetAddress) address = resolve_numeric(query->host);
	gboolean open = strcmp(query->transport, "auto") == 0;
	Lookup *lookup = g_new0(Lookup, 1);

	lookup->host = g_strdup(query->host);
	lookup->transport = open ? "udp" : g_intern_string(query->transport);
	lookup->port = query->port;
	lookup->family = query->family;
	lookup->tls = query->tls;
	lookup->cancellable = cancellable ? g_object_ref(cancellable) : g_cancellable_new();
	lookup->func = func;
	lookup->user = user;
	lookup->hops = g_ptr_array_new_with_free_func(g_free);
	lookup->ways = g_ptr_array_new_with_free_func(g_free);
	lookup->targets = g_ptr_array_new_with_free_func((GDestroyNotify)g_srv_target_free);
	if (address) {
		lookup->found = TRUE;
		add_hop(lookup, address, lookup->port);
	} else if (!query->port && open) {
		naptr_lookup_async(query->host, lookup->cancellable, on_ways, lookup);
		return;
	} else if (!query->port)
		add_way(lookup, lookup->transport);
	advance(lookup);
}
