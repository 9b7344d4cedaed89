/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_user.c - users and what each has of his own. */
#include <string.h>
#include "b2bua/admin/control_private.h"
#include "b2bua/setting.h"
#include "b2bua/route/way_out.h"

static gboolean
user_add(Request *request, GError **error)
{
	g_autofree char *jid = parse_user(request->words[0], error);

	return jid && store_user_add(request->store, jid, error) &&
	       request_changed(request, CHANGE_USER, jid);
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
		store_user_page(request->store, request->after, CONTROL_PORTION, error);

	for (guint i = 0; users && i < users->len; i++)
		add_user_row(request, users->pdata[i]);
	return users && users->len > 0 &&
	       request_page(request, users->len, ((User *)users->pdata[users->len - 1])->jid);
}

static gboolean
user_list(Request *request, GError **error)
{
	reply_table(request, "user", "caller-id", "enabled", "created", NULL);
	request->more = more_users;
	return TRUE;
}

static gboolean
user_show(Request *request, GError **error)
{
	g_autofree char *jid = parse_user(request->words[0], error);
	g_autoptr(User) user = jid ? store_user_get(request->store, jid, error) : NULL;
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

/* The keys of the table in setting.c, and two of its own: enabled, and "messages"
 * for both kinds of messages. */
static gboolean
set_user_key(Request *request, const char *jid, const char *key, const char *value, GError **error)
{
	g_autofree char *kept = NULL, *usage = NULL;
	g_autoptr(GError) why = NULL;
	gboolean enabled;
	Setting setting;

	if (g_str_equal(key, "enabled"))
		return parse_yes(key, value, &enabled, error) &&
		       store_user_set_enabled(request->store, jid, enabled, error) &&
		       request_changed(request, CHANGE_USER, jid);
	if (g_str_equal(key, "messages"))
		return set_user_key(request, jid, "call-failed-messages", value, error) &&
		       set_user_key(request, jid, "missed-call-messages", value, error);
	if (!setting_find(key, &setting)) {
		usage = setting_usage();
		return wrong(error, "%s=%s: unknown key; a user has: enabled=yes|no %s", key, value,
			     usage);
	}
	kept = setting_check(setting, value, &why);
	if (!kept)
		return wrong(error, "%s", why->message);
	return store_setting_set(request->store, jid, setting_name(setting), *kept ? kept : NULL,
				 error) &&
	       request_changed(request, CHANGE_SETTINGS, jid);
}

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

static gboolean
set_user_keys(Request *request, const char *jid, GError **error)
{
	for (guint at = 1; at < request->n_words;) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_user_key(request, jid, key, value, error))
			return FALSE;
	}
	return TRUE;
}

/* A call that nobody would get: one for help that another makes, or to himself. */
static gboolean
check_forward(Request *request, const char *jid, Setting setting, GError **error)
{
	g_autofree char *number = setting_text(request->store, jid, setting);
	g_autofree char *country = setting_text(request->store, jid, SETTING_COUNTRY);
	const Config *config = request->gateway ? gateway_config(request->gateway) : control_config;
	g_autoptr(User) owner = NULL;

	if (!number || !*number)
		return TRUE;
	if (number_is_emergency(number, country ? country : config ? config->country : NULL))
		return wrong(error,
			     "%s=%s: an emergency number; calls cannot be sent on there, choose "
			     "another one",
			     setting_name(setting), number);
	owner = store_user_by_number(request->store, number, NULL);
	return !owner || strcmp(owner->jid, jid) != 0 ||
	       wrong(error, "%s=%s: that is a number of his own; choose another one",
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

static gboolean
user_set(Request *request, GError **error)
{
	g_autofree char *jid = parse_user(request->words[0], error);

	if (!jid || !store_begin(request->store, error))
		return FALSE;
	if (!set_user_keys(request, jid, error) || !check_user(request, jid, error)) {
		store_rollback(request->store);
		return FALSE;
	}
	return store_commit(request->store, error) && end_calls(request, jid);
}

static gboolean
user_del(Request *request, GError **error)
{
	g_autofree char *jid = parse_user(request->words[0], error);

	return jid && store_user_del(request->store, jid, error) &&
	       request_changed(request, CHANGE_USER, jid) && end_calls(request, jid);
}

static void
help_keys(Request *request)
{
	reply_key(request, "enabled", "yes|no", "yes", "no: he can neither call nor be called");
	reply_key(request, "messages", "yes|no", NULL, "both kinds of messages at once");
	for (Setting setting = 0; setting < N_SETTINGS; setting++)
		reply_key(request, setting_name(setting), setting_values(setting),
			  setting_fallback(setting), setting_help(setting));
}

const Command control_user_commands[] = {
	{ "user", "add", "JID", 1, 1, FALSE, TRUE, user_add, "a person who may call and be called",
	  NULL },
	{ "user", "list", "", 0, 0, FALSE, FALSE, user_list, "all users", NULL },
	{ "user", "show", "JID", 1, 1, FALSE, FALSE, user_show, "one user and his numbers", NULL },
	{ "user", "set", "JID KEY=VALUE…", 2, 40, FALSE, TRUE, user_set,
	  "change him; KEY= is the default", help_keys },
	{ "user", "del", "JID", 1, 1, FALSE, TRUE, user_del, "a user who owns no number", NULL },
};
const guint control_n_user_commands = G_N_ELEMENTS(control_user_commands);
