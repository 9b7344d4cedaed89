/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_resolve.c - where a host leads: the next hops, in the order to be tried.
 *
 * One lookup after the other: SRV, then the addresses of each target.
 */
#include "plugins/sip/sip_resolve.h"
#include "plugins/sip/sip_header.h"
#include <string.h>

typedef struct {
	char *host, *transport;
	guint port;
	GSocketFamily family;
	GCancellable *cancellable;
	ResolvedFunc func;
	gpointer user;
	GPtrArray *targets; /* GSrvTarget *, owned; `next` is under way */
	guint next;
	GPtrArray *hops;
	GError *error; /* the last one */
} Lookup;

static void
lookup_free(Lookup *lookup)
{
	g_free(lookup->host);
	g_free(lookup->transport);
	g_clear_object(&lookup->cancellable);
	g_ptr_array_unref(lookup->targets);
	g_ptr_array_unref(lookup->hops);
	g_clear_error(&lookup->error);
	g_free(lookup);
}

static void
finish(Lookup *lookup)
{
	gboolean none = lookup->hops->len == 0;

	if (!g_cancellable_is_cancelled(lookup->cancellable))
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

static void next_target(Lookup *lookup);

static void
on_addresses(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	GSrvTarget *target = lookup->targets->pdata[lookup->next++];
	GError *error = NULL;
	GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);

	if (error)
		keep_error(lookup, error);
	for (GList *each = addresses; each; each = each->next)
		add_hop(lookup, each->data, g_srv_target_get_port(target));
	g_resolver_free_addresses(addresses);
	next_target(lookup);
}

static void
next_target(Lookup *lookup)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();

	if (lookup->next == lookup->targets->len || lookup->hops->len >= RESOLVE_MAX_HOPS ||
	    g_cancellable_is_cancelled(lookup->cancellable)) {
		if (lookup->hops->len == 0 && !lookup->error)
			keep_error(lookup, g_error_new(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
						       "no address of the right family"));
		finish(lookup);
		return;
	}
	g_resolver_lookup_by_name_async(
		resolver, g_srv_target_get_hostname(lookup->targets->pdata[lookup->next]),
		lookup->cancellable, on_addresses, lookup);
}

static void
ask_host_itself(Lookup *lookup)
{
	g_ptr_array_add(lookup->targets,
			g_srv_target_new(lookup->host, (guint16)lookup->port, 0, 0));
	next_target(lookup);
}

static void
on_services(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	g_autoptr(GError) error = NULL;
	GList *targets = g_resolver_lookup_service_finish(G_RESOLVER(resolver), result, &error);

	if (error) { /* RFC 3263 4.2: without SRV, A and AAAA */
		ask_host_itself(lookup);
		return;
	}
	for (GList *each = targets; each; each = each->next)
		g_ptr_array_add(lookup->targets, each->data);
	g_list_free(targets);
	if (!targets) /* GResolver has taken away a lone "." (RFC 2782) */
		keep_error(lookup, g_error_new(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					       "its DNS says that it offers no SIP"));
	next_target(lookup);
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
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	gboolean tls = strcmp(query->transport, "tls") == 0;
	Lookup *lookup = g_new0(Lookup, 1);

	lookup->host = g_strdup(query->host);
	lookup->transport = g_strdup(query->transport);
	lookup->port = query->port;
	lookup->family = query->family;
	lookup->cancellable = cancellable ? g_object_ref(cancellable) : g_cancellable_new();
	lookup->func = func;
	lookup->user = user;
	lookup->hops = g_ptr_array_new_with_free_func(g_free);
	lookup->targets = g_ptr_array_new_with_free_func((GDestroyNotify)g_srv_target_free);
	if (address) {
		add_hop(lookup, address, query->port ? query->port : tls ? 5061 : 5060);
		next_target(lookup);
	} else if (query->port)
		ask_host_itself(lookup);
	else {
		lookup->port = tls ? 5061 : 5060;
		g_resolver_lookup_service_async(resolver, tls ? "sips" : "sip",
						tls ? "tcp" : query->transport, query->host,
						lookup->cancellable, on_services, lookup);
	}
}
