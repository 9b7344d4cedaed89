/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_settings.c - what a user has chosen: key and value; b2bua/setting.c knows the keys. */
#include "db/store_private.h"

char *
store_setting_get(Store *store, const char *user, const char *key)
{
	g_auto(Query) query =
		query_new(store, "SELECT value FROM settings WHERE user = ?1 AND key = ?2");

	query_bind_text(&query, user);
	query_bind_text(&query, key);
	return query_step(&query, NULL) == QUERY_ROW ? query_text(&query, 0) : NULL;
}

static gboolean
forget(Store *store, const char *user, const char *key, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM settings WHERE user = ?1 AND key = ?2");

	query_bind_text(&query, user);
	query_bind_text(&query, key);
	return query_run(&query, error);
}

static gboolean
put(Store *store, const char *user, const char *key, const char *value, GError **error)
{
	g_auto(Query) query =
		query_new(store, "INSERT INTO settings (user, key, value) VALUES (?1, ?2, ?3) "
				 "ON CONFLICT (user, key) DO UPDATE SET value = excluded.value");

	query_bind_text(&query, user);
	query_bind_text(&query, key);
	query_bind_text(&query, value);
	return query_run(&query, error);
}

static gboolean
change(Store *store, const char *user, const char *key, const char *value_or_null, GError **error)
{
	g_autoptr(User) row = store_user_get(store, user, error);

	if (!row)
		return FALSE;
	return value_or_null ? put(store, user, key, value_or_null, error)
			     : forget(store, user, key, error);
}

gboolean
store_setting_set(Store *store, const char *user, const char *key, const char *value_or_null,
		  GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, change(store, user, key, value_or_null, error), error);
}
