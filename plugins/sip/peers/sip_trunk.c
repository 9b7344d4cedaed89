/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_trunk.c - the carriers and PBXs we know: the list, and whose a call in is.
 *
 * A change of one key touches what hangs on that key (trunk_key.h) and nothing else.
 * Thread: signalling.
 */
#include "plugins/sip/peers/sip_trunk_private.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

#define REFRESH_SECONDS 300

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

Entry *
entry_find(Trunks *trunks, const char *name)
{
	return find_in(trunks->entries, name);
}

/* --- the list --- */

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

static gboolean
on_refresh(gpointer user)
{
	Trunks *trunks = user;

	for (guint i = 0; i < trunks->entries->len; i++) {
		entry_find_hops(trunks, trunks->entries->pdata[i]);
		entry_resolve_sources(trunks, trunks->entries->pdata[i]);
	}
	return G_SOURCE_CONTINUE;
}

Trunks *
trunks_new(Store *store, DigestServer *digest, GSocketFamily family, gboolean tls)
{
	Trunks *trunks = g_new0(Trunks, 1);

	trunks->store = store;
	trunks->family = family;
	trunks->tls = tls;
	trunks->entries = g_ptr_array_new_with_free_func(entry_free);
	trunks->digest = digest;
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
	Entry *entry = entry_find(trunks, is->name);
	g_autoptr(Trunk) was = entry ? entry->trunk : NULL;
	gboolean way = !was || trunk_differs(was, is, TRUNK_WAY);
	gboolean source = !was || trunk_differs(was, is, TRUNK_SOURCE);
	g_autoptr(GPtrArray) hops = NULL;

	if (!entry)
		entry = entry_new(trunks);
	entry->trunk = is;
	g_ptr_array_sort(trunks->entries, compare_entries);
	entry_set_peer(entry);
	entry_warn(trunks, was, is);
	if (way) {
		g_clear_pointer(&entry->hops, g_ptr_array_unref);
		g_clear_pointer(&entry->ways, g_ptr_array_unref);
	} else if (entry->hops) { /* by the label of the peer that it has now */
		hops = g_ptr_array_ref(entry->hops);
		entry_set_hops(entry, hops);
	}
	if (source)
		entry_begin_sources(entry, was);
	if (way)
		entry_find_hops(trunks, entry);
	if (source)
		entry_resolve_sources(trunks, entry);
}

static void
drop_entry(Trunks *trunks, Entry *entry)
{
	guint index;

	g_clear_pointer(&entry->ways, g_ptr_array_unref);
	if (g_ptr_array_find(trunks->entries, entry, &index))
		g_ptr_array_steal_index(trunks->entries, index);
	entry_tell_waiting(entry);
	entry_free(entry);
}

gboolean
trunks_changed(Trunks *trunks, const char *name, GError **error)
{
	g_autoptr(GError) cause = NULL;
	Trunk *trunk = store_trunk_get(trunks->store, name, &cause);
	Entry *entry = entry_find(trunks, name);

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
	Entry *entry = entry_find(trunks, name);

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
	const Entry *entry = entry_find(trunks, name);

	return entry && networks_match(entry->sources, source) >= 0;
}

static gboolean
wants_digest(const Trunk *trunk)
{
	return trunk->in_username && trunk->in_username[0];
}

TrunkAdmission
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
		} else if (!entry_has_sources(entry->trunk) || bits >= 0) {
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

/* --- for people --- */

void
trunks_note(Trunks *trunks, const char *name, Reason reason, const char *text)
{
	Entry *entry = entry_find(trunks, name);
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

	return address && !entry_has_proxy(trunk);
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
trunks_text(const Trunks *trunks, const char *name)
{
	const Entry *entry = find_in(trunks->entries, name);
	const Trunk *trunk = entry ? entry->trunk : NULL;
	GString *text = g_string_new(NULL);

	if (!trunk)
		return g_string_free(text, FALSE);
	g_string_append_printf(text, "%s, %s:%u/%s", trunk->enabled ? "enabled" : "disabled",
			       trunk->host, trunk->port ? trunk->port : trunk_standard_port(trunk),
			       trunk->transport);
	if (!entry->hops)
		g_string_append(text, " (not resolved)");
	else if (!has_numeric_host(trunk))
		append_hops(text, entry->hops);
	g_string_append_printf(text, ", %u source%s, last call out: %s",
			       networks_size(entry->sources),
			       networks_size(entry->sources) == 1 ? "" : "s",
			       entry->last ? entry->last : "none yet");
	return g_string_free(text, FALSE);
}
