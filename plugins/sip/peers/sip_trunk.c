/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_trunk.c - the carriers and PBXs we know: who calls in, and where calls go out.
 *
 * Names are resolved by GResolver, off this thread, when they are new and every few
 * minutes after that; until an answer has come the addresses known before hold.  A
 * change of one key touches what hangs on that key (trunk_key.h) and nothing else.
 * sofia's own resolver is never asked (its handling of failures crashes).
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_network.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

#define REFRESH_SECONDS 300
#define SEPARATORS	" ,\t"
#define HOPS		"" /* the name of a source that is a hop */
#define NO_TLS                                                                      \
	"transport=tls, and we have no TLS: write tls_port and tls_certificate in " \
	"[sip] and start again"

typedef struct {
	Trunk *trunk;
	Networks *sources;  /* owned */
	GPtrArray *hops;    /* char *, where calls go out, the first to be tried; NULL: not known */
	GPtrArray *ways;    /* the same, those by TLS under the label of `peer` */
	TlsPeer *peer;	    /* owned; NULL: it is never reached by TLS */
	GPtrArray *waiting; /* Waiter *, owned: want `hops` */
	char *last;	    /* how the last call went */
} Entry;

typedef struct {
	TrunkResolvedFunc func;
	gpointer user;
} Waiter;

struct Trunks {
	Store *store;
	GSocketFamily family; /* what we are bound to, so what we can send to */
	gboolean tls;	      /* we have it */
	GPtrArray *entries;   /* Entry *, owned; in order of priority */
	DigestServer *digest;
	GCancellable *cancellable; /* of every lookup */
	guint refresh_source;
	void (*learnt)(gpointer user);
	gpointer learnt_user;
};

typedef struct {
	Trunks *trunks;
	char *trunk;
	char *host; /* of the hops: way_of() */
} Lookup;

static void
entry_free(gpointer data)
{
	Entry *entry = data;

	trunk_free(entry->trunk);
	networks_free(entry->sources);
	g_ptr_array_unref(entry->waiting);
	g_clear_pointer(&entry->hops, g_ptr_array_unref);
	g_clear_pointer(&entry->ways, g_ptr_array_unref);
	tls_peer_unref(entry->peer);
	g_free(entry->last);
	g_free(entry);
}

static Entry *
find_in(const GPtrArray *entries, const char *name)
{
	for (guint i = 0; name && i < entries->len; i++) {
		Entry *entry = entries->pdata[i];

		if (strcmp(entry->trunk->name, name) == 0)
			return entry;
	}
	return NULL;
}

static Entry *
find_entry(Trunks *trunks, const char *name)
{
	return find_in(trunks->entries, name);
}

/* --- names to addresses --- */

static void
tell_waiting(Entry *entry)
{
	g_autoptr(GPtrArray) waiting = entry->waiting;

	entry->waiting = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < waiting->len; i++) {
		Waiter *waiter = waiting->pdata[i];

		waiter->func(waiter->user, entry->ways);
	}
}

static gboolean
has_sources(const Trunk *trunk)
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
		entry = find_entry(lookup->trunks, lookup->trunk);
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

static gboolean
has_proxy(const Trunk *trunk)
{
	return trunk->proxy && trunk->proxy[0];
}

/* RFC 5922 7.3: the certificate is for the name that was looked up. */
static TlsPeer *
peer_of(const Trunk *trunk)
{
	g_autoptr(GSocketConnectable) proxy =
		has_proxy(trunk) ? g_network_address_parse(trunk->proxy, 0, NULL) : NULL;
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

/* A peer whose settings are as before is the same one, with what is known of it. */
static void
set_peer(Entry *entry)
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

static void
set_hops(Entry *entry, GPtrArray *hops)
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
	Entry *entry = find_entry(user, name);

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
	Entry *entry = find_entry(trunks, name);

	if (entry && lacks_tls(trunks, entry))
		return NO_TLS;
	return entry && entry->peer ? tls_peer_problem(entry->peer) : NULL;
}

char *
trunks_own_way(Trunks *trunks, const char *name, const char *hop)
{
	Entry *entry = find_entry(trunks, name);

	return entry && entry->peer && header_hop_is_tls(hop)
		       ? header_hop_by_name(hop, tls_peer_label(entry->peer))
		       : NULL;
}

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
	Entry *entry = cancelled ? NULL : find_entry(lookup->trunks, lookup->trunk);
	g_autofree char *way = entry ? way_of(entry->trunk) : NULL;

	if (g_strcmp0(way, lookup->host) != 0)
		entry = NULL; /* it was changed meanwhile, and is asked for again */
	if (entry && hops) {
		set_hops(entry, hops);
		if (!has_sources(entry->trunk))
			take_hops_as_sources(entry);
		tell_learnt(lookup->trunks);
	} else if (entry)
		g_warning("trunk %s: the name %s cannot be resolved: %s", lookup->trunk,
			  entry->trunk->host, error->message);
	if (entry)
		tell_waiting(entry);
	lookup_free(lookup);
}

/* By the outbound proxy where there is one. */
static void
find_hops(Trunks *trunks, Entry *entry)
{
	const Trunk *trunk = entry->trunk;
	ResolveQuery query = { trunk->host, trunk->port, trunk->transport, trunks->family,
			       trunks->tls };
	g_autofree char *way = way_of(trunk);
	g_autoptr(GSocketConnectable) proxy =
		has_proxy(trunk) ? g_network_address_parse(trunk->proxy, 0, NULL) : NULL;

	if (proxy) {
		query.host = g_network_address_get_hostname(G_NETWORK_ADDRESS(proxy));
		query.port = g_network_address_get_port(G_NETWORK_ADDRESS(proxy));
	}
	resolve_hops(&query, trunks->cancellable, on_hops, lookup_new(trunks, entry, way));
}

static void
resolve_sources(Trunks *trunks, Entry *entry)
{
	const char *given = has_sources(entry->trunk) ? entry->trunk->sources : "";
	g_auto(GStrv) words = g_strsplit_set(given, SEPARATORS, -1);

	for (char **word = words; *word; word++) {
		g_autoptr(GInetAddressMask) mask = **word ? network_parse(*word) : NULL;

		if (**word && !mask)
			resolve(trunks, entry, *word);
	}
}

/* Who calls in from where: what is written as an address holds at once, and what belongs
 * to a name stays until the name has been looked up again. */
static void
begin_sources(Entry *entry, const Trunk *was)
{
	const char *given = has_sources(entry->trunk) ? entry->trunk->sources : entry->trunk->host;
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
	if (!has_sources(entry->trunk))
		take_hops_as_sources(entry);
}

static gboolean
on_refresh(gpointer user)
{
	Trunks *trunks = user;

	for (guint i = 0; i < trunks->entries->len; i++) {
		find_hops(trunks, trunks->entries->pdata[i]);
		resolve_sources(trunks, trunks->entries->pdata[i]);
	}
	return G_SOURCE_CONTINUE;
}

/* --- the list --- */

Trunks *
trunks_new(Store *store, GSocketFamily family, gboolean tls)
{
	Trunks *trunks = g_new0(Trunks, 1);

	trunks->store = store;
	trunks->family = family;
	trunks->tls = tls;
	trunks->entries = g_ptr_array_new_with_free_func(entry_free);
	trunks->digest = digest_server_new(SOFTPHONE_REALM);
	trunks->cancellable = g_cancellable_new();
	trunks->refresh_source = g_timeout_add_seconds(REFRESH_SECONDS, on_refresh, trunks);
	return trunks;
}

void
trunks_when_learnt(Trunks *trunks, void (*func)(gpointer user), gpointer user)
{
	trunks->learnt = func;
	trunks->learnt_user = user;
}

void
trunks_free(Trunks *trunks)
{
	if (!trunks)
		return;
	g_source_remove(trunks->refresh_source);
	g_cancellable_cancel(trunks->cancellable);
	g_object_unref(trunks->cancellable);
	g_ptr_array_unref(trunks->entries);
	digest_server_free(trunks->digest);
	g_free(trunks);
}

static gint
compare_entries(gconstpointer one, gconstpointer other)
{
	const Trunk *a = (*(Entry *const *)one)->trunk, *b = (*(Entry *const *)other)->trunk;

	return a->priority != b->priority ? (a->priority < b->priority ? -1 : 1)
					  : strcmp(a->name, b->name);
}

static Entry *
entry_new(Trunks *trunks)
{
	Entry *entry = g_new0(Entry, 1);

	entry->sources = networks_new();
	entry->waiting = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(trunks->entries, entry);
	return entry;
}

/* Only what hangs on a key that has another value is learnt anew. */
static void
take_trunk(Trunks *trunks, Trunk *is)
{
	Entry *entry = find_entry(trunks, is->name);
	g_autoptr(Trunk) was = entry ? entry->trunk : NULL;
	gboolean way = !was || trunk_differs(was, is, TRUNK_WAY);
	gboolean source = !was || trunk_differs(was, is, TRUNK_SOURCE);
	g_autoptr(GPtrArray) hops = NULL;

	if (!entry)
		entry = entry_new(trunks);
	entry->trunk = is;
	g_ptr_array_sort(trunks->entries, compare_entries);
	set_peer(entry);
	if (!was || has_other_dangers(was, is))
		warn_of(trunks, is);
	if (way) {
		g_clear_pointer(&entry->hops, g_ptr_array_unref);
		g_clear_pointer(&entry->ways, g_ptr_array_unref);
	} else if (entry->hops) { /* by the label of the peer that it has now */
		hops = g_ptr_array_ref(entry->hops);
		set_hops(entry, hops);
	}
	if (source)
		begin_sources(entry, was);
	if (way)
		find_hops(trunks, entry);
	if (source)
		resolve_sources(trunks, entry);
}

static void
drop_entry(Trunks *trunks, Entry *entry)
{
	guint index;

	g_clear_pointer(&entry->ways, g_ptr_array_unref);
	if (g_ptr_array_find(trunks->entries, entry, &index))
		g_ptr_array_steal_index(trunks->entries, index);
	tell_waiting(entry);
	entry_free(entry);
}

gboolean
trunks_changed(Trunks *trunks, const char *name, GError **error)
{
	g_autoptr(GError) cause = NULL;
	Trunk *trunk = store_trunk_get(trunks->store, name, &cause);
	Entry *entry = find_entry(trunks, name);

	if (trunk)
		take_trunk(trunks, trunk);
	else if (!g_error_matches(cause, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	} else if (entry)
		drop_entry(trunks, entry);
	return TRUE;
}

gboolean
trunks_reload(Trunks *trunks, GError **error)
{
	g_autoptr(GPtrArray) rows = store_trunk_list(trunks->store, error);
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	if (!rows)
		return FALSE;
	g_ptr_array_set_free_func(rows, NULL);
	for (guint i = 0; i < rows->len; i++) {
		g_hash_table_add(names, ((Trunk *)rows->pdata[i])->name);
		take_trunk(trunks, rows->pdata[i]);
	}
	for (guint i = trunks->entries->len; i-- > 0;) {
		Entry *entry = trunks->entries->pdata[i];

		if (!g_hash_table_contains(names, entry->trunk->name))
			drop_entry(trunks, entry);
	}
	return TRUE;
}

const Trunk *
trunks_find(Trunks *trunks, const char *name)
{
	Entry *entry = find_entry(trunks, name);

	return entry && entry->trunk->enabled ? entry->trunk : NULL;
}

GPtrArray *
trunks_names(Trunks *trunks)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < trunks->entries->len; i++)
		g_ptr_array_add(names, g_strdup(((Entry *)trunks->entries->pdata[i])->trunk->name));
	return names;
}

void
trunks_resolve(Trunks *trunks, const char *name, TrunkResolvedFunc func, gpointer user)
{
	Entry *entry = find_entry(trunks, name);
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
	find_hops(trunks, entry);
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

/* --- calls in --- */

gboolean
trunks_know(Trunks *trunks, GInetAddress *source)
{
	for (guint i = 0; i < trunks->entries->len; i++) {
		const Entry *entry = trunks->entries->pdata[i];

		if (entry->trunk->enabled && networks_are_near(entry->sources, source))
			return TRUE;
	}
	return FALSE;
}

gboolean
trunks_own(Trunks *trunks, const char *name, GInetAddress *source)
{
	const Entry *entry = find_entry(trunks, name);

	return entry && networks_match(entry->sources, source) >= 0;
}

static gboolean
wants_digest(const Trunk *trunk)
{
	return trunk->in_username && trunk->in_username[0];
}

Admission
trunks_admit(Trunks *trunks, GInetAddress *source, const sip_t *sip, const Trunk **trunk,
	     char **challenge)
{
	g_autofree char *claimed = NULL;
	gboolean may_prove = FALSE, stale = FALSE;
	const Entry *found = NULL;
	int best = -1;

	for (guint i = 0; i < trunks->entries->len; i++) {
		const Entry *entry = trunks->entries->pdata[i];
		int bits = networks_match(entry->sources, source);

		if (!entry->trunk->enabled)
			continue;
		if (!wants_digest(entry->trunk)) {
			if (bits > best) {
				best = bits;
				found = entry;
			}
		} else if (!has_sources(entry->trunk) || bits >= 0) {
			may_prove = TRUE;
			if (digest_server_check(trunks->digest, sip, entry->trunk->in_username,
						entry->trunk->in_password, &stale)) {
				*trunk = entry->trunk;
				return ADMIT_TRUNK;
			}
		}
	}
	if (found) {
		*trunk = found->trunk;
		return ADMIT_TRUNK;
	}
	if (!may_prove)
		return ADMIT_STRANGER;
	*challenge = digest_server_challenge(trunks->digest, DIGEST_MD5, stale);
	claimed = digest_server_username(trunks->digest, sip);
	if (stale)
		return ADMIT_STALE;
	return claimed ? ADMIT_WRONG : ADMIT_CHALLENGE;
}

DigestServer *
trunks_digest(Trunks *trunks)
{
	return trunks->digest;
}

/* --- for people --- */

void
trunks_note(Trunks *trunks, const char *name, Reason reason, const char *text)
{
	Entry *entry = find_entry(trunks, name);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");

	if (!entry)
		return;
	g_free(entry->last);
	entry->last = g_strdup_printf("%s at %s", text ? text : reason_name(reason), time);
}

static gboolean
has_numeric_host(const Trunk *trunk)
{
	g_autoptr(GInetAddress) address = resolve_numeric(trunk->host);

	return address && !has_proxy(trunk);
}

static void
append_hops(GString *status, const GPtrArray *hops)
{
	for (guint i = 0; i < hops->len; i++)
		g_string_append_printf(status, "%s%s", i ? ", " : " (",
				       (const char *)hops->pdata[i] + strlen("sip:"));
	g_string_append_c(status, ')');
}

char *
trunks_status(Trunks *trunks, char *(*more)(gpointer user, const char *trunk), gpointer user)
{
	GString *status = g_string_new(NULL);

	for (guint i = 0; i < trunks->entries->len; i++) {
		const Entry *entry = trunks->entries->pdata[i];
		const Trunk *trunk = entry->trunk;
		g_autofree char *added = more(user, trunk->name);

		g_string_append_printf(status, "trunk %s: %s, %s:%u/%s", trunk->name,
				       trunk->enabled ? "enabled" : "disabled", trunk->host,
				       trunk->port ? trunk->port : trunk_standard_port(trunk),
				       trunk->transport);
		if (!entry->hops)
			g_string_append(status, " (not resolved)");
		else if (!has_numeric_host(trunk))
			append_hops(status, entry->hops);
		g_string_append_printf(status, ", %u source%s, last call out: %s%s\n",
				       networks_size(entry->sources),
				       networks_size(entry->sources) == 1 ? "" : "s",
				       entry->last ? entry->last : "none yet", added);
	}
	return g_string_free(status, FALSE);
}
