/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_guard.c - what accounts and trunks have used of their limits, and the countries they
 * have called; b2bua/route/meter.c counts.
 */
#include <string.h>
#include "db/journal_private.h"

#define COLUMNS                                                                                \
	"owner, span, period, home_ms, abroad_ms, premium_ms, premium_abroad_ms, home_calls, " \
	"abroad_calls, premium_calls, premium_abroad_calls, cost, countries, more, stopped"

void
store_use_free(StoreUse *use)
{
	if (!use)
		return;
	g_free(use->owner);
	g_free(use);
}

static gpointer
use_from_row(Query *query)
{
	StoreUse *use = g_new0(StoreUse, 1);

	use->owner = query_text(query, 0);
	use->span = (guint)query_int(query, 1);
	use->period = query_int(query, 2);
	for (guint i = 0; i < G_N_ELEMENTS(use->ms); i++) {
		use->ms[i] = query_int(query, 3 + (int)i);
		use->calls[i] = query_int(query, 7 + (int)i);
	}
	use->cost = query_int(query, 11);
	use->countries = query_int(query, 12);
	use->more = query_int(query, 13);
	use->stopped = query_int(query, 14);
	return use;
}

GPtrArray *
store_use_get(Store *store, const char *owner, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT " COLUMNS " FROM guard_use WHERE owner = ?1");

	query_bind_text(&query, owner);
	return query_list(&query, use_from_row, (GDestroyNotify)store_use_free, error);
}

GPtrArray *
store_use_page(Store *store, const char *after, guint limit, GError **error)
{
	g_auto(Query) query = query_new(store, "SELECT " COLUMNS " FROM guard_use "
					       "WHERE owner > ?1 ORDER BY owner, span LIMIT ?2");

	query_bind_text(&query, after);
	query_bind_int(&query, limit);
	return query_list(&query, use_from_row, (GDestroyNotify)store_use_free, error);
}

static gboolean
write_use(Store *store, gconstpointer data, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"INSERT OR REPLACE INTO guard_use (" COLUMNS
		") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)");
	const StoreUse *use = data;

	query_bind_text(&query, use->owner);
	query_bind_int(&query, use->span);
	query_bind_int(&query, use->period);
	for (guint i = 0; i < G_N_ELEMENTS(use->ms); i++)
		query_bind_int(&query, use->ms[i]);
	for (guint i = 0; i < G_N_ELEMENTS(use->calls); i++)
		query_bind_int(&query, use->calls[i]);
	query_bind_int(&query, use->cost);
	query_bind_int(&query, use->countries);
	query_bind_int(&query, use->more);
	query_bind_int(&query, use->stopped);
	return query_run(&query, error);
}

static void
free_use(gpointer data)
{
	store_use_free(data);
}

/* By the journal, where there is one: who counts asks once, and knows from then on. */
static gboolean
write_later(Store *store, JournalWrite write, gpointer data, GDestroyNotify free, GError **error)
{
	gboolean written;

	if (store->journal) {
		journal_post(store->journal, write, data, free, (Waiting){ 0 });
		return TRUE;
	}
	written = write(store, data, error);
	free(data);
	return written;
}

gboolean
store_use_set(Store *store, const StoreUse *use, GError **error)
{
	StoreUse *copy = g_memdup2(use, sizeof *use);

	copy->owner = g_strdup(use->owner);
	return write_later(store, write_use, copy, free_use, error);
}

/* --- a setting that the person has given by a word in the chat --- */

typedef struct {
	char *user, *key, *value;
} Chosen;

static void
chosen_free(gpointer data)
{
	Chosen *chosen = data;

	g_free(chosen->user);
	g_free(chosen->key);
	g_free(chosen->value);
	g_free(chosen);
}

/* Who has been deleted meanwhile has no settings. */
static gboolean
write_chosen(Store *store, gconstpointer data, GError **error)
{
	const Chosen *chosen = data;
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO settings (user, key, value) SELECT jid, ?2, ?3 FROM users "
		"WHERE jid = ?1 ON CONFLICT (user, key) DO UPDATE SET value = excluded.value");

	query_bind_text(&query, chosen->user);
	query_bind_text(&query, chosen->key);
	query_bind_text(&query, chosen->value);
	return query_run(&query, error);
}

gboolean
store_setting_set_later(Store *store, const char *user, const char *key, const char *value,
			GError **error)
{
	Chosen *chosen = g_new(Chosen, 1);

	*chosen = (Chosen){ g_strdup(user), g_strdup(key), g_strdup(value) };
	return write_later(store, write_chosen, chosen, chosen_free, error);
}

/* --- after an upgrade --- */

typedef struct {
	char *account, *number;
} Learn;

static gpointer
learn_from_row(Query *query)
{
	Learn *learn = g_new0(Learn, 1);

	learn->account = query_text(query, 0);
	learn->number = query_text(query, 1);
	return learn;
}

static void
learn_free(gpointer data)
{
	Learn *learn = data;

	g_free(learn->account);
	g_free(learn->number);
	g_free(learn);
}

static gboolean
learn_all(Store *store, StoreLearnFunc func, gpointer user, GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT account, number FROM guard_learn ORDER BY account");
	g_autoptr(GPtrArray) all = query_list(&query, learn_from_row, learn_free, error);

	if (!all)
		return FALSE;
	for (guint i = 0; i < all->len; i++) {
		const Learn *learn = all->pdata[i];
		const Learn *next = i + 1 < all->len ? all->pdata[i + 1] : NULL;
		gboolean last = !next || strcmp(next->account, learn->account) != 0;

		if (!func(user, learn->account, learn->number, last, error))
			return FALSE;
	}
	return all->len == 0 || store_execute(store, "DELETE FROM guard_learn", error);
}

gboolean
store_learn(Store *store, StoreLearnFunc func, gpointer user, GError **error)
{
	gint64 n;

	/* the usual start asks for no lock */
	if (!store_pragma(store, "SELECT count(*) FROM guard_learn", &n, error))
		return FALSE;
	return n == 0 || (store_begin(store, error) &&
			  store_settle(store, learn_all(store, func, user, error), error));
}
