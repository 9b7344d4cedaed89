/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_users.c - who may call, and who owns which numbers. */
#include "db/store_private.h"

static gboolean
no_such_user(const char *jid, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		    "user %s does not exist: see 'user list', or make it with 'user add %s'", jid,
		    jid);
	return FALSE;
}

static gboolean
no_such_number(const char *number, GError **error)
{
	g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		    "number %s does not exist: see 'number list'", number);
	return FALSE;
}

/* --- users --- */

#define USER_COLUMNS                                                 \
	"SELECT u.jid, n.number, u.enabled, u.created FROM users u " \
	"LEFT JOIN numbers n ON n.user = u.jid AND n.caller_id = 1 "

static gpointer
user_from_row(Query *query)
{
	User *user = g_new0(User, 1);

	user->jid = query_text(query, 0);
	user->caller_id = query_text(query, 1);
	user->enabled = query_int(query, 2) != 0;
	user->created = query_int(query, 3);
	return user;
}

void
user_free(User *user)
{
	if (!user)
		return;
	g_free(user->jid);
	g_free(user->caller_id);
	g_free(user);
}

static gboolean
insert_user(Store *store, const char *jid, GError **error)
{
	g_auto(Query) query = query_new(store, "INSERT INTO users (jid, created) VALUES (?1, ?2)");

	query_bind_text(&query, jid);
	query_bind_int(&query, store_now());
	if (query_run(&query, error))
		return TRUE;
	if (store_hit_key(store)) {
		g_clear_error(error);
		g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS,
			    "user %s exists already: change it with 'user set %s …'", jid, jid);
	}
	return FALSE;
}

gboolean
store_user_add(Store *store, const char *jid, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, insert_user(store, jid, error), error);
}

static gboolean
update_user(Store *store, const char *jid, gboolean enabled, GError **error)
{
	g_auto(Query) query = query_new(store, "UPDATE users SET enabled = ?1 WHERE jid = ?2");

	query_bind_int(&query, enabled ? 1 : 0);
	query_bind_text(&query, jid);
	if (!query_run(&query, error))
		return FALSE;
	return store_changes(store) == 1 || no_such_user(jid, error);
}

gboolean
store_user_set_enabled(Store *store, const char *jid, gboolean enabled, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, update_user(store, jid, enabled, error), error);
}

static gboolean
delete_user(Store *store, const char *jid, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM users WHERE jid = ?1");

	query_bind_text(&query, jid);
	if (query_run(&query, error))
		return store_changes(store) == 1 || no_such_user(jid, error);
	if (store_hit_reference(store)) {
		g_clear_error(error);
		g_set_error(error, STORE_ERROR, STORE_ERROR_IN_USE,
			    "user %s still owns numbers or softphones: see 'number list %s', then "
			    "delete them or give them to another user",
			    jid, jid);
	}
	return FALSE;
}

gboolean
store_user_del(Store *store, const char *jid, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, delete_user(store, jid, error), error);
}

User *
store_user_get(Store *store, const char *jid, GError **error)
{
	g_auto(Query) query = query_new(store, USER_COLUMNS "WHERE u.jid = ?1");
	QueryResult result;

	query_bind_text(&query, jid);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return user_from_row(&query);
	if (result == QUERY_DONE)
		no_such_user(jid, error);
	return NULL;
}

User *
store_user_by_number(Store *store, const char *number, GError **error)
{
	g_auto(Query) query = query_new(
		store, USER_COLUMNS "WHERE u.jid = (SELECT user FROM numbers WHERE number = ?1)");
	QueryResult result;

	query_bind_text(&query, number);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return user_from_row(&query);
	if (result == QUERY_DONE)
		no_such_number(number, error);
	return NULL;
}

GPtrArray *
store_user_page(Store *store, const char *after, guint limit, GError **error)
{
	g_auto(Query) query =
		query_new(store, USER_COLUMNS "WHERE u.jid > ?1 ORDER BY u.jid LIMIT ?2");

	query_bind_text(&query, after ? after : "");
	query_bind_int(&query, limit);
	return query_list(&query, user_from_row, (GDestroyNotify)user_free, error);
}

GPtrArray *
store_user_list(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, USER_COLUMNS "ORDER BY u.jid");

	return query_list(&query, user_from_row, (GDestroyNotify)user_free, error);
}

/* --- numbers --- */

#define NUMBER_COLUMNS "SELECT number, user, caller_id, created FROM numbers "

static gpointer
number_from_row(Query *query)
{
	Number *number = g_new0(Number, 1);

	number->number = query_text(query, 0);
	number->user = query_text(query, 1);
	number->caller_id = query_int(query, 2) != 0;
	number->created = query_int(query, 3);
	return number;
}

void
number_free(Number *number)
{
	if (!number)
		return;
	g_free(number->number);
	g_free(number->user);
	g_free(number);
}

/* Who has numbers shows one of them. */
static gboolean
ensure_caller_id(Store *store, const char *user, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"UPDATE numbers SET caller_id = 1 WHERE number = (SELECT number FROM numbers "
		"WHERE user = ?1 ORDER BY created, number LIMIT 1) AND NOT EXISTS "
		"(SELECT 1 FROM numbers WHERE user = ?1 AND caller_id = 1)");

	query_bind_text(&query, user);
	return query_run(&query, error);
}

static gboolean
explain_number_taken(Store *store, const char *number, GError **error)
{
	g_autoptr(User) owner = NULL;

	g_clear_error(error);
	owner = store_user_by_number(store, number, NULL);
	g_set_error(error, STORE_ERROR, STORE_ERROR_EXISTS,
		    "number %s belongs to user %s already: move it with 'number set %s user=JID'",
		    number, owner ? owner->jid : "(unknown)", number);
	return FALSE;
}

static gboolean
insert_number(Store *store, const char *number, const char *user, GError **error)
{
	g_auto(Query) query =
		query_new(store, "INSERT INTO numbers (number, user, created) VALUES (?1, ?2, ?3)");

	query_bind_text(&query, number);
	query_bind_text(&query, user);
	query_bind_int(&query, store_now());
	if (query_run(&query, error))
		return ensure_caller_id(store, user, error);
	if (store_hit_key(store))
		return explain_number_taken(store, number, error);
	if (store_hit_reference(store)) {
		g_clear_error(error);
		no_such_user(user, error);
	}
	return FALSE;
}

gboolean
store_number_add(Store *store, const char *number, const char *user, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, insert_number(store, number, user, error), error);
}

static gboolean
update_owner(Store *store, const char *number, const char *user, GError **error)
{
	g_auto(Query) query =
		query_new(store, "UPDATE numbers SET user = ?1, caller_id = 0 WHERE number = ?2");

	query_bind_text(&query, user);
	query_bind_text(&query, number);
	if (query_run(&query, error))
		return TRUE;
	if (store_hit_reference(store)) {
		g_clear_error(error);
		no_such_user(user, error);
	}
	return FALSE;
}

static gboolean
move_number(Store *store, const char *number, const char *user, GError **error)
{
	g_autoptr(Number) before = store_number_get(store, number, error);

	if (!before)
		return FALSE;
	if (g_str_equal(before->user, user))
		return TRUE;
	return update_owner(store, number, user, error) &&
	       ensure_caller_id(store, before->user, error) && ensure_caller_id(store, user, error);
}

gboolean
store_number_set_user(Store *store, const char *number, const char *user, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, move_number(store, number, user, error), error);
}

static gboolean
clear_caller_id(Store *store, const char *user, GError **error)
{
	g_auto(Query) query = query_new(store, "UPDATE numbers SET caller_id = 0 WHERE user = ?1");

	query_bind_text(&query, user);
	return query_run(&query, error);
}

static gboolean
make_caller_id(Store *store, const char *number, GError **error)
{
	g_auto(Query) query =
		query_new(store, "UPDATE numbers SET caller_id = 1 WHERE number = ?1");
	g_autoptr(Number) row = store_number_get(store, number, error);

	if (!row || !clear_caller_id(store, row->user, error))
		return FALSE;
	query_bind_text(&query, number);
	return query_run(&query, error);
}

gboolean
store_number_set_caller_id(Store *store, const char *number, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, make_caller_id(store, number, error), error);
}

static gboolean
delete_number(Store *store, const char *number, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM numbers WHERE number = ?1");
	g_autoptr(Number) row = store_number_get(store, number, error);

	if (!row)
		return FALSE;
	query_bind_text(&query, number);
	return query_run(&query, error) && ensure_caller_id(store, row->user, error);
}

gboolean
store_number_del(Store *store, const char *number, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, delete_number(store, number, error), error);
}

Number *
store_number_get(Store *store, const char *number, GError **error)
{
	g_auto(Query) query = query_new(store, NUMBER_COLUMNS "WHERE number = ?1");
	QueryResult result;

	query_bind_text(&query, number);
	result = query_step(&query, error);
	if (result == QUERY_ROW)
		return number_from_row(&query);
	if (result == QUERY_DONE)
		no_such_number(number, error);
	return NULL;
}

GPtrArray *
store_number_page(Store *store, const char *after, guint limit, GError **error)
{
	g_auto(Query) query =
		query_new(store, NUMBER_COLUMNS "WHERE number > ?1 ORDER BY number LIMIT ?2");

	query_bind_text(&query, after ? after : "");
	query_bind_int(&query, limit);
	return query_list(&query, number_from_row, (GDestroyNotify)number_free, error);
}

GPtrArray *
store_number_list(Store *store, const char *user_or_null, GError **error)
{
	g_auto(Query) query =
		query_new(store, user_or_null ? NUMBER_COLUMNS "WHERE user = ?1 ORDER BY number"
					      : NUMBER_COLUMNS "ORDER BY number");

	if (user_or_null)
		query_bind_text(&query, user_or_null);
	return query_list(&query, number_from_row, (GDestroyNotify)number_free, error);
}
