/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_trunk_way.c - where the trunks are: the next hops of calls out, the sources of calls in.
 *
 * Names are resolved by GResolver, off this thread, when they are new and every few
 * minutes after that; until an answer has come the addresses known before hold.
 * sofia's own resolver is never asked (its handling of failures crashes).
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_trunk_private.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

#define SEPARATORS " ,\t"
#define HOPS	   "" /* the name of a source that is a hop */
#define NO_TLS                                                                               \
	"transport=tls, but this gateway has no TLS: write tls_port and tls_certificate in " \
	"[sip] and restart tandemd"

typedef struct {
	Trunks *trunks;
	char *trunk;
	char *host; /* of the hops: way_of() */
} Lookup;

/* --- names to addresses --- */

void
entry_tell_waiting(Entry *entry)
{
	g_autoptr(GPtrArray) waiting = entry->waiting;

	entry->waiting = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < waiting->len; i++) {
		Waiter *waiter = waiting->pdata[i];

		waiter->func(waiter->user, entry->ways);
	}
}

gboolean
entry_has_sources(const Trunk *trunk)
{
	return trunk->sources && trunk->sources[0];
}

/* Is this name one of those that calls may come from? */
static gboolean
names_source(const Trunk *trunk, const char *host)
{
	g_auto(GStrv) words = NULL;

	if (!trunk->sources || !trunk->sources[0])
		return strcmp(trunk->host, host) == 0;
	words = g_strsplit_set(trunk->sources, SEPARATORS, -1);
	return g_strv_contains((const char *const *)words, host);
}

static void
take_addresses(Entry *entry, const char *host, GList *addresses)
{
	networks_drop(entry->sources, host);
	for (GList *l = addresses; l; l = l->next)
		networks_add_address(entry->sources, l->data, host);
}

static void
tell_learnt(const Trunks *trunks)
{
	if (trunks->learnt)
		trunks->learnt(trunks->learnt_user);
}

static void
lookup_free(Lookup *lookup)
{
	g_free(lookup->trunk);
	g_free(lookup->host);
	g_free(lookup);
}

static void
on_resolved(GObject *resolver, GAsyncResult *result, gpointer user)
{
	Lookup *lookup = user;
	g_autoptr(GError) error = NULL;
	GList *addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
	Entry *entry = NULL;

	if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		entry = entry_find(lookup->trunks, lookup->trunk);
	if (error && entry)
		g_warning("trunk %s: the name %s cannot be resolved: %s", lookup->trunk,
			  lookup->host, error->message);
	if (entry && addresses && names_source(entry->trunk, lookup->host))
		take_addresses(entry, lookup->host, addresses);
	if (entry && addresses)
		tell_learnt(lookup->trunks);
	g_resolver_free_addresses(addresses);
	lookup_free(lookup);
}

static Lookup *
lookup_new(Trunks *trunks, const Entry *entry, const char *host)
{
	Lookup *lookup = g_new0(Lookup, 1);

	lookup->trunks = trunks;
	lookup->trunk = g_strdup(entry->trunk->name);
	lookup->host = g_strdup(host);
	return lookup;
}

static void
resolve(Trunks *trunks, Entry *entry, const char *host)
{
	g_autoptr(GResolver) resolver = g_resolver_get_default();

	g_resolver_lookup_by_name_async(resolver, host, trunks->cancellable, on_resolved,
					lookup_new(trunks, entry, host));
}

/* Calls may come from wherever they go to, unless the admin has said more. */
static void
take_hops_as_sources(Entry *entry)
{
	networks_drop(entry->sources, HOPS);
	for (guint i = 0; entry->hops && i < entry->hops->len; i++) {
		g_autofree char *host = NULL;
		g_autoptr(GInetAddress) address = NULL;
		const char *hop = (const char *)entry->hops->pdata[i] + strlen("sip:");
		const char *end = hop[0] == '[' ? strchr(hop, ']') + 1 : strchr(hop, ':');

		host = g_strndup(hop, (gsize)(end - hop));
		address = resolve_numeric(host);
		networks_add_address(entry->sources, address, HOPS);
	}
}

/* --- who is there --- */

gboolean
entry_has_proxy(const Trunk *trunk)
{
	return trunk->proxy && trunk->proxy[0];
}

/* RFC 5922 7.3: the certificate is for the name that was looked up. */
static TlsPeer *
peer_of(const Trunk *trunk)
{
	g_autoptr(GSocketConnectable) proxy =
		entry_has_proxy(trunk) ? g_network_address_parse(trunk->proxy, 0, NULL) : NULL;
	TlsPeerSettings settings = {
		.trunk = trunk->name,
		.name = proxy ? g_network_address_get_hostname(G_NETWORK_ADDRESS(proxy))
			      : trunk->host,
		.verify = trunk->tls_verify,
		.ca_file = trunk->tls_ca,
	};

	return tls_peer_new(&settings);
}

static void
warn_of(const Trunks *trunks, const Trunk *trunk)
{
	gboolean tls = strcmp(trunk->transport, "tls") == 0;

	if (trunk->enabled && !tls && g_strcmp0(trunk->srtp, "off") != 0)
		g_warning("trunk %s: srtp=%s without transport=tls: SIP carries the key in the "
			  "clear, so everybody on the way can listen",
			  trunk->name, trunk->srtp);
	if (!trunk->enabled || !tls)
		return;
	if (!trunks->tls)
		g_warning("trunk %s: %s", trunk->name, NO_TLS);
	else if (!trunk->tls_verify)
		g_warning("trunk %s: tls-verify=no: any server that answers as %s is trusted",
			  trunk->name, trunk->host);
}

/* What was warned of is not warned of again. */
static gboolean
has_other_dangers(const Trunk *was, const Trunk *is)
{
	return was->enabled != is->enabled || was->tls_verify != is->tls_verify ||
	       g_strcmp0(was->transport, is->transport) != 0 || g_strcmp0(was->srtp, is->srtp) != 0;
}

void
entry_warn(const Trunks *trunks, const Trunk *was, const Trunk *is)
{
	if (!was || has_other_dangers(was, is))
		warn_of(trunks, is);
}

/* A peer whose settings are as before is the same one, with what is known of it. */
void
entry_set_peer(Entry *entry)
{
	const char *transport = entry->trunk->transport;
	g_autoptr(TlsPeer) peer = NULL;

	if (strcmp(transport, "tls") == 0 || strcmp(transport, "auto") == 0)
		peer = peer_of(entry->trunk);
	if (peer && entry->peer && strcmp(tls_peer_label(peer), tls_peer_label(entry->peer)) == 0)
		return;
	tls_peer_unref(entry->peer);
	entry->peer = g_steal_pointer(&peer);
}

void
entry_set_hops(Entry *entry, GPtrArray *hops)
{
	g_clear_pointer(&entry->hops, g_ptr_array_unref);
	g_clear_pointer(&entry->ways, g_ptr_array_unref);
	entry->hops = g_ptr_array_ref(hops);
	entry->ways = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < hops->len; i++)
		g_ptr_array_add(
			entry->ways,
			entry->peer && header_hop_is_tls(hops->pdata[i])
				? header_hop_by_name(hops->pdata[i], tls_peer_label(entry->peer))
				: g_strdup(hops->pdata[i]));
}

TlsPeer *
trunks_peer(gpointer user, const char *name)
{
	Entry *entry = entry_find(user, name);

	return entry ? entry->peer : NULL;
}

static gboolean
lacks_tls(const Trunks *trunks, const Entry *entry)
{
	return !trunks->tls && strcmp(entry->trunk->transport, "tls") == 0;
}

const char *
trunks_problem(Trunks *trunks, const char *name)
{
	Entry *entry = entry_find(trunks, name);

	if (entry && lacks_tls(trunks, entry))
		return NO_TLS;
	return entry && entry->peer ? tls_peer_problem(entry->peer) : NULL;
}

char *
trunks_own_way(Trunks *trunks, const char *name, const char *hop)
{
	Entry *entry = entry_find(trunks, name);

	return entry && entry->peer && header_hop_is_tls(hop)
		       ? header_hop_by_name(hop, tls_peer_label(entry->peer))
		       : NULL;
}

/* --- where calls go out --- */

/* Whatever decides where calls go out. */
static char *
way_of(const Trunk *trunk)
{
	return trunk_extract(trunk, TRUNK_WAY);
}

static void
on_hops(gpointer user, GPtrArray *hops, const GError *error)
{
	Lookup *lookup = user;
	gboolean cancelled = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
	Entry *entry = cancelled ? NULL : entry_find(lookup->trunks, lookup->trunk);
	g_autofree char *way = entry ? way_of(entry->trunk) : NULL;

	if (g_strcmp0(way, lookup->host) != 0)
		entry = NULL; /* it was changed meanwhile, and is asked for again */
	if (entry && hops) {
		entry_set_hops(entry, hops);
		if (!entry_has_sources(entry->trunk))
			take_hops_as_sources(entry);
		tell_learnt(lookup->trunks);
	} else if (entry)
		g_warning("trunk %s: the name %s cannot be resolved: %s", lookup->trunk,
			  entry->trunk->host, error->message);
	if (entry)
		entry_tell_waiting(entry);
	lookup_free(lookup);
}

/* By the outbound proxy where there is one. */
void
entry_find_hops(Trunks *trunks, Entry *entry)
{
	const Trunk *trunk = entry->trunk;
	ResolveQuery query = { trunk->host, trunk->port, trunk->transport, trunks->family,
			       trunks->tls };
	g_autofree char *way = way_of(trunk);
	g_autoptr(GSocketConnectable) proxy =
		entry_has_proxy(trunk) ? g_network_address_parse(trunk->proxy, 0, NULL) : NULL;

	if (proxy) {
		query.host = g_network_address_get_hostname(G_NETWORK_ADDRESS(proxy));
		query.port = g_network_address_get_port(G_NETWORK_ADDRESS(proxy));
	}
	resolve_hops(&query, trunks->cancellable, on_hops, lookup_new(trunks, entry, way));
}

void
trunks_resolve(Trunks *trunks, const char *name, TrunkResolvedFunc func, gpointer user)
{
	Entry *entry = entry_find(trunks, name);
	Waiter *waiter;

	if (!entry || entry->ways || lacks_tls(trunks, entry)) {
		func(user, entry && !lacks_tls(trunks, entry) ? entry->ways : NULL);
		return;
	}
	waiter = g_new0(Waiter, 1);
	waiter->func = func;
	waiter->user = user;
	g_ptr_array_add(entry->waiting, waiter);
	/* The lookup under way, if any, may have been another's; one more is cheap. */
	entry_find_hops(trunks, entry);
}

void
trunks_forget(Trunks *trunks, gpointer user)
{
	for (guint i = 0; i < trunks->entries->len; i++) {
		GPtrArray *waiting = ((Entry *)trunks->entries->pdata[i])->waiting;

		for (guint k = waiting->len; k-- > 0;)
			if (((Waiter *)waiting->pdata[k])->user == user)
				g_ptr_array_remove_index(waiting, k);
	}
}

/* --- where they come from --- */

void
entry_resolve_sources(Trunks *trunks, Entry *entry)
{
	const char *given = entry_has_sources(entry->trunk) ? entry->trunk->sources : "";
	g_auto(GStrv) words = g_strsplit_set(given, SEPARATORS, -1);

	for (char **word = words; *word; word++) {
		g_autoptr(GInetAddressMask) mask = **word ? network_parse(*word) : NULL;

		if (**word && !mask)
			resolve(trunks, entry, *word);
	}
}

/* Who calls in from where: what is written as an address holds at once, and what belongs
 * to a name stays until the name has been looked up again. */
void
entry_begin_sources(Entry *entry, const Trunk *was)
{
	const char *given =
		entry_has_sources(entry->trunk) ? entry->trunk->sources : entry->trunk->host;
	g_auto(GStrv) before =
		g_strsplit_set(was && was->sources ? was->sources : "", SEPARATORS, -1);
	g_auto(GStrv) words = g_strsplit_set(given, SEPARATORS, -1);

	networks_drop(entry->sources, NULL);
	for (char **word = words; *word; word++) {
		GInetAddressMask *mask = **word ? network_parse(*word) : NULL;

		if (mask)
			networks_add(entry->sources, mask, NULL);
	}
	for (char **word = before; *word; word++)
		if (**word && !names_source(entry->trunk, *word))
			networks_drop(entry->sources, *word);
	networks_drop(entry->sources, HOPS);
	if (!entry_has_sources(entry->trunk))
		take_hops_as_sources(entry);
}
