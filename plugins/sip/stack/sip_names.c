/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_names.c - host names that a peer has written into a message: where they lead. */
#include "plugins/sip/stack/sip_names.h"

/* GResolver does not say how long an answer holds. */
#define KEEP_US	    (60 * G_USEC_PER_SEC)
#define KEEP_BAD_US (30 * G_USEC_PER_SEC)

typedef struct {
	NamesFunc func;
	gpointer user;
} Waiter;

typedef struct {
	gboolean asking;
	gint64 until_us;
	GPtrArray *hops;    /* NULL: it leads nowhere */
	GPtrArray *waiting; /* Waiter *, owned */
} Name;

struct Names {
	GHashTable *known; /* "example.org 5060 udp" → Name, owned */
	GCancellable *cancellable;
	guint asking;
};

/* Outlives Names when that is freed while the look-up runs. */
typedef struct {
	Names *names;
	char *key;
} Ask;

static void
name_free(gpointer data)
{
	Name *name = data;

	g_clear_pointer(&name->hops, g_ptr_array_unref);
	g_ptr_array_unref(name->waiting);
	g_free(name);
}

Names *
names_new(void)
{
	Names *names = g_new0(Names, 1);

	names->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, name_free);
	names->cancellable = g_cancellable_new();
	return names;
}

void
names_free(Names *names)
{
	if (!names)
		return;
	g_cancellable_cancel(names->cancellable);
	g_object_unref(names->cancellable);
	g_hash_table_unref(names->known);
	g_free(names);
}

static void
on_resolved(gpointer user, GPtrArray *hops, const GError *error)
{
	Ask *ask = user;
	Name *name;
	g_autoptr(GPtrArray) waiting = NULL, kept = NULL;

	if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		name = g_hash_table_lookup(ask->names->known, ask->key);
		ask->names->asking--;
		name->asking = FALSE;
		name->until_us = g_get_monotonic_time() + (hops ? KEEP_US : KEEP_BAD_US);
		name->hops = hops ? g_ptr_array_ref(hops) : NULL;
		waiting = name->waiting;
		name->waiting = g_ptr_array_new_with_free_func(g_free);
		kept = hops ? g_ptr_array_ref(hops) : NULL;
		for (guint i = 0; i < waiting->len; i++) {
			Waiter *waiter = waiting->pdata[i];

			waiter->func(waiter->user, kept);
		}
	}
	g_free(ask->key);
	g_free(ask);
}

static gboolean
is_old(gpointer key, gpointer value, gpointer now)
{
	const Name *name = value;

	(void)key;
	return !name->asking && name->until_us <= *(gint64 *)now;
}

static gboolean
is_settled(gpointer key, gpointer value, gpointer user)
{
	(void)key;
	(void)user;
	return !((Name *)value)->asking;
}

/* What is too old goes; where that is not enough, all but those that are asked for. */
static void
make_room(Names *names)
{
	gint64 now = g_get_monotonic_time();

	if (g_hash_table_size(names->known) < NAMES_MAX)
		return;
	g_hash_table_foreach_remove(names->known, is_old, &now);
	if (g_hash_table_size(names->known) >= NAMES_MAX)
		g_hash_table_foreach_remove(names->known, is_settled, NULL);
}

void
names_ask(Names *names, const ResolveQuery *query, NamesFunc func, gpointer user)
{
	g_autofree char *lower = g_ascii_strdown(query->host, -1);
	g_autofree char *key = g_strdup_printf("%s %u %s", lower, query->port, query->transport);
	Name *name = g_hash_table_lookup(names->known, key);
	Waiter *waiter;
	Ask *ask;

	if (name && !name->asking && name->until_us > g_get_monotonic_time()) {
		func(user, name->hops);
		return;
	}
	if ((!name || !name->asking) && names->asking >= NAMES_AT_A_TIME) {
		func(user, name ? name->hops : NULL);
		return;
	}
	if (!name) {
		make_room(names);
		name = g_new0(Name, 1);
		name->waiting = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(names->known, g_strdup(key), name);
	}
	waiter = g_new0(Waiter, 1);
	*waiter = (Waiter){ func, user };
	g_ptr_array_add(name->waiting, waiter);
	if (name->asking)
		return;
	name->asking = TRUE;
	names->asking++;
	g_clear_pointer(&name->hops, g_ptr_array_unref);
	ask = g_new0(Ask, 1);
	*ask = (Ask){ names, g_steal_pointer(&key) };
	resolve_hops(query, names->cancellable, on_resolved, ask);
}

void
names_forget(Names *names, gpointer user)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, names->known);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		GPtrArray *waiting = ((Name *)value)->waiting;

		for (guint i = waiting->len; i-- > 0;)
			if (((Waiter *)waiting->pdata[i])->user == user)
				g_ptr_array_remove_index(waiting, i);
	}
}
