/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_user.c - users and the settings of each. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/setting.h"
#include "b2bua/route/way_out.h"

gboolean
do_user_add(Request *request, GError **error)
{
	return store_user_add(request->store, request_word(request, "JID"), error);
}

static void
add_user_row(Request *request, const User *user)
{
	JsonArray *row = reply_row(request);

	row_add(row, user->jid);
	row_add(row, user->caller_id);
	row_add(row, user->enabled ? "yes" : "no");
	row_add_time(row, user->created);
}

static gboolean
more_users(Request *request, GError **error)
{
	g_autoptr(GPtrArray) users =
		store_user_page(request->store, request->after, REQUEST_PORTION, error);

	for (guint i = 0; users && i < users->len; i++)
		add_user_row(request, users->pdata[i]);
	return users && users->len > 0 &&
	       request_page(request, users->len, ((User *)users->pdata[users->len - 1])->jid);
}

gboolean
do_user_list(Request *request, GError **error)
{
	reply_table(request, "user", "caller-id", "enabled", "created", NULL);
	request->more = more_users;
	return TRUE;
}

gboolean
do_user_show(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");
	g_autoptr(User) user = store_user_get(request->store, jid, error);
	g_autoptr(GPtrArray) numbers = user ? store_number_list(request->store, jid, error) : NULL;

	if (!numbers)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "user", user->jid);
	reply_pair(request, "enabled", user->enabled ? "yes" : "no");
	reply_pair(request, "caller-id", user->caller_id);
	for (guint i = 0; i < numbers->len; i++)
		reply_pair(request, "number", ((Number *)numbers->pdata[i])->number);
	for (Setting setting = 0; setting < N_SETTINGS; setting++) {
		g_autofree char *value = setting_text(request->store, jid, setting);

		reply_pair(request, setting_name(setting), value);
	}
	return TRUE;
}

/* --- the keys of keys.h, and the settings --- */

gboolean
user_news(Request *request, const char *jid, StoreNews what, const char *number, GError **error)
{
	return !setting_on(request->store, jid, SETTING_ACCOUNT_MESSAGES) ||
	       store_news_add(request->store, jid, what, number, error);
}

static gboolean
user_enabled(Request *request, gpointer jid, const Pair *pair, GError **error)
{
	g_autoptr(User) before = store_user_get(request->store, jid, error);
	gboolean on = strcmp(pair->value, "yes") == 0;

	if (!before || !store_user_set_enabled(request->store, jid, on, error))
		return FALSE;
	request_changed(request, CHANGE_USER, jid);
	return before->enabled == on ||
	       user_news(request, jid, on ? STORE_NEWS_ON : STORE_NEWS_OFF, "", error);
}

static gboolean
set_setting(Request *request, const char *jid, const char *name, const char *value, GError **error)
{
	return store_setting_set(request->store, jid, name, *value ? value : NULL, error);
}

static gboolean
user_setting(Request *request, gpointer jid, const Pair *pair, GError **error)
{
	if (!set_setting(request, jid, pair->key->name, pair->value, error))
		return FALSE;
	request_changed(request, CHANGE_SETTINGS, jid);
	return TRUE;
}

static gboolean
user_messages(Request *request, gpointer jid, const Pair *pair, GError **error)
{
	if (!set_setting(request, jid, setting_name(SETTING_CALL_FAILED_MESSAGES), pair->value,
			 error) ||
	    !set_setting(request, jid, setting_name(SETTING_MISSED_CALL_MESSAGES), pair->value,
			 error))
		return FALSE;
	request_changed(request, CHANGE_SETTINGS, jid);
	return TRUE;
}

#define ROW(id, name, type, values, fallback, flags, help)     { name, user_##id },
#define SETTING(id, name, type, values, fallback, flags, help) { name, user_setting },
static const KeyFunction FUNCTIONS[] = { USER_KEYS(ROW) SETTINGS(SETTING){ NULL, NULL } };
#undef ROW
#undef SETTING

/* Who is switched off or deleted talks no longer either. */
static gboolean
end_calls(Request *request, const char *jid)
{
	g_autoptr(User) user = store_user_get(request->store, jid, NULL);

	if (request->gateway && !(user && user->enabled))
		reply_ended(request, calls_end(request->gateway, CALLS_OF_ACCOUNT, jid,
					       "the account was switched off by the operator"));
	return TRUE;
}

/* A call that nobody would get: one for help that another makes, or to himself. */
static gboolean
check_forward(Request *request, const char *jid, Setting setting, GError **error)
{
	g_autofree char *number = setting_text(request->store, jid, setting);
	g_autofree char *country = request_home(request, jid);
	g_autoptr(User) owner = NULL;

	if (!number || !*number)
		return TRUE;
	if (number_is_emergency(number, country))
		return wrong(error,
			     "%s=%s: an emergency number; calls cannot be sent on there, choose "
			     "another number",
			     setting_name(setting), number);
	owner = store_user_by_number(request->store, number, NULL);
	return !owner || strcmp(owner->jid, jid) != 0 ||
	       wrong(error, "%s=%s: the number is the user's own; choose another number",
		     setting_name(setting), number);
}

static gboolean
check_user(Request *request, const char *jid, GError **error)
{
	for (Setting setting = SETTING_FORWARD_ALWAYS; setting <= SETTING_FORWARD_UNREACHABLE;
	     setting++)
		if (!check_forward(request, jid, setting, error))
			return FALSE;
	return TRUE;
}

gboolean
do_user_set(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");

	return store_begin(request->store, error) &&
	       store_settle(request->store,
			    request_set_keys(request, FUNCTIONS, (char *)jid, error) &&
				    check_user(request, jid, error),
			    error) &&
	       end_calls(request, jid);
}

gboolean
do_user_del(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");

	return store_user_del(request->store, jid, error) && end_calls(request, jid);
}
