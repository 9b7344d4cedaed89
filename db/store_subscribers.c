/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_subscribers.c - whose roster has which of our JIDs.
 *
 * One statement each and no transaction: clients subscribe by themselves, and a
 * power cut may take the latest of them, who ask again by their probes.
 */
#include "db/journal_private.h"

static gboolean
add(Store *store, const char *number, const char *user, guint max, GError **error)
{
	g_auto(Query) query =
		query_new(store, "INSERT OR IGNORE INTO subscribers (number, user, created) "
				 "SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM subscribers "
				 "WHERE user = ?2) < ?4");

	query_bind_text(&query, number);
	query_bind_text(&query, user);
	query_bind_int(&query, store_now());
	query_bind_int(&query, max);
	return query_run(&query, error);
}

static gboolean
del(Store *store, const char *number, const char *user, GError **error)
{
	g_auto(Query) query =
		query_new(store, "DELETE FROM subscribers WHERE user = ?2 AND number = ?1");

	query_bind_text(&query, number);
	query_bind_text(&query, user);
	return query_run(&query, error);
}

/* --- by the journal, where there is one --- */

typedef struct {
	char *number, *user;
	guint max; /* 0: the subscription has ended */
} Subscription;

static void
subscription_free(gpointer data)
{
	Subscription *subscription = data;

	g_free(subscription->number);
	g_free(subscription->user);
	g_free(subscription);
}

static gboolean
write_subscription(Store *store, gconstpointer data, GError **error)
{
	const Subscription *it = data;

	return it->max ? add(store, it->number, it->user, it->max, error)
		       : del(store, it->number, it->user, error);
}

static gboolean
hand_over(Store *store, const char *number, const char *user, guint max)
{
	Subscription *subscription = g_new(Subscription, 1);

	*subscription = (Subscription){ g_strdup(number), g_strdup(user), max };
	journal_post(store->journal, write_subscription, subscription, subscription_free,
		     (Waiting){ 0 });
	return TRUE;
}

gboolean
store_subscriber_add(Store *store, const char *number, const char *user, guint max, GError **error)
{
	if (max == 0)
		return TRUE;
	return store->journal ? hand_over(store, number, user, max)
			      : add(store, number, user, max, error);
}

gboolean
store_subscriber_del(Store *store, const char *number, const char *user, GError **error)
{
	return store->journal ? hand_over(store, number, user, 0) : del(store, number, user, error);
}

guint
store_subscriber_page(Store *store, const char *user, const char *number, guint limit,
		      StoreSubscriberFunc func, gpointer data, GError **error)
{
	g_auto(Query) query = query_new(
		store, "SELECT s.number, s.user FROM subscribers s JOIN users u ON u.jid = s.user "
		       "WHERE (s.user, s.number) > (?1, ?2) AND u.enabled = 1 "
		       "ORDER BY s.user, s.number LIMIT ?3");
	guint n = 0;

	query_bind_text(&query, user);
	query_bind_text(&query, number);
	query_bind_int(&query, limit);
	for (; query_step(&query, error) == QUERY_ROW; n++) {
		g_autofree char *of = query_text(&query, 0), *subscriber = query_text(&query, 1);

		func(data, of, subscriber);
	}
	return n;
}

gboolean
store_subscriber_of(Store *store, const char *user, StoreSubscriberFunc func, gpointer data,
		    GError **error)
{
	g_auto(Query) query =
		query_new(store, "SELECT number FROM subscribers WHERE user = ?1 ORDER BY number");
	QueryResult result;

	query_bind_text(&query, user);
	while ((result = query_step(&query, error)) == QUERY_ROW) {
		g_autofree char *number = query_text(&query, 0);

		func(data, number, user);
	}
	return result == QUERY_DONE;
}
