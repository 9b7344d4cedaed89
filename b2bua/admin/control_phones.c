/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_phones.c - softphones: their credentials, and who is registered.
 *
 * A password is made here, shown once, and kept nowhere.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "b2bua/admin/control_private.h"

/* --- words --- */

/* It stands in SIP URIs beside numbers and service names, and must be none: a plugin that
 * answers by itself does so at its own name. */
static gboolean
check_username(const Request *request, const char *name, GError **error)
{
	const Config *config = request->gateway ? gateway_config(request->gateway) : control_config;
	gsize length = strlen(name);

	if (length == 0 || length > 32 || !g_ascii_islower(name[0]) ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != length)
		return wrong(error,
			     "softphone %s: not a name; write 1 to 32 of a-z, 0-9, \".\", \"_\" "
			     "and \"-\", beginning with a letter",
			     name);
	return !config || !config->plugins ||
	       !g_strv_contains((const char *const *)config->plugins, name) ||
	       wrong(error, "softphone %s: that is the name of a plugin; choose another name",
		     name);
}

/* No letter that looks like another: passwords are typed into telephones. */
#define ALPHABET       "abcdefghijkmnpqrstuvwxyz23456789" /* 5 bits each */
#define PASSWORD_CHARS 20

static char *
make_password(void)
{
	guint8 random[PASSWORD_CHARS];
	char *password = g_malloc0(PASSWORD_CHARS + 1);

	/* Never short for so few bytes (getrandom(2)). */
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		g_error("getrandom: %s", g_strerror(errno));
	for (guint i = 0; i < PASSWORD_CHARS; i++)
		password[i] = ALPHABET[random[i] % (sizeof ALPHABET - 1)];
	return password;
}

/* Of an import: whoever has brought it along. */
static gboolean
check_password(const char *name, const char *password, GError **error)
{
	gsize length = strlen(password);

	return (length >= 8 && length <= 128 && g_utf8_validate(password, -1, NULL)) ||
	       wrong(error,
		     "softphone %s: password: write 8 to 128 characters, or leave it out and one "
		     "is made",
		     name);
}

static void
reply_credential(Request *request, const char *username, const char *password)
{
	const Config *config = request->gateway ? gateway_config(request->gateway) : NULL;

	reply_table(request, "key", "value", NULL);
	reply_pair(request, "user name", username);
	reply_pair(request, "password", password);
	if (config)
		reply_pair(request, "domain", config->sip_domain);
}

/* --- commands --- */

/* The user part of the JID when no name is given. */
char *
default_username(const char *jid)
{
	const char *at = strchr(jid, '@');

	return at ? g_strndup(jid, (gsize)(at - jid)) : g_strdup(jid);
}

gboolean
softphone_make(Request *request, const char *name, const char *jid, const char *password,
	       GError **error)
{
	g_autofree char *made = password ? NULL : make_password();

	if (!check_username(request, name, error) ||
	    (password && !check_password(name, password, error)) ||
	    !store_softphone_add(request->store, name, jid, password ? password : made, error))
		return FALSE;
	if (made && request->passwords) {
		JsonArray *row = json_array_new();

		json_array_add_string_element(row, name);
		json_array_add_string_element(row, made);
		json_array_add_array_element(request->passwords, row);
	}
	return request_changed(request, CHANGE_SOFTPHONE, name);
}

gboolean
softphone_give_password(Request *request, const char *name, const char *password, GError **error)
{
	return check_password(name, password, error) &&
	       store_softphone_set_password(request->store, name, password, error) &&
	       request_changed(request, CHANGE_SOFTPHONE, name);
}

static gboolean
softphone_add(Request *request, GError **error)
{
	g_autofree char *jid = parse_user(request->words[0], error);
	g_autofree char *password = make_password();
	g_autofree char *username = NULL;

	if (!jid)
		return FALSE;
	username = request->n_words > 1 ? g_strdup(request->words[1]) : default_username(jid);
	if (!softphone_make(request, username, jid, password, error))
		return FALSE;
	reply_credential(request, username, password);
	return TRUE;
}

static gboolean
softphone_password(Request *request, GError **error)
{
	g_autofree char *password = make_password();

	if (!store_softphone_set_password(request->store, request->words[0], password, error))
		return FALSE;
	reply_credential(request, request->words[0], password);
	return request_changed(request, CHANGE_SOFTPHONE, request->words[0]);
}

/* Who reads the SIP has the key. */
static gboolean
warn_of_keys(Request *request, const char *username, GError **error)
{
	g_autoptr(Softphone) softphone = store_softphone_get(request->store, username, error);
	g_autoptr(GPtrArray) contacts = NULL;

	if (!softphone)
		return FALSE;
	contacts = store_contact_list_of_softphone(request->store, softphone->id, error);
	for (guint i = 0; contacts && i < contacts->len; i++)
		if (!g_str_has_prefix(((Contact *)contacts->pdata[i])->received ?: "", "tls:")) {
			reply_text(request,
				   "srtp: it is registered without TLS, and the key stands "
				   "in the SIP: it hides a call from nobody on the way; let "
				   "the phone use TLS");
			break;
		}
	return contacts != NULL;
}

static gboolean
set_srtp(Request *request, const char *username, const char *value, GError **error)
{
	return store_softphone_set_srtp(request->store, username, value, error) &&
	       (strcmp(value, "off") == 0 || warn_of_keys(request, username, error));
}

static gboolean
set_rtp_source(Request *request, const char *username, const char *value, GError **error)
{
	return store_softphone_set_rtp_source(request->store, username, value, error);
}

/* What a softphone has, each one of a few words. */
static const struct {
	const char *name, *values, *fallback;
	gboolean (*set)(Request *request, const char *username, const char *value, GError **error);
	const char *help;
} KEYS[] = {
	{ "rtp-source", "signalled|any", "signalled", set_rtp_source,
	  "as a trunk's: whether its audio may come from a host that its SIP does not know" },
	{ "srtp", "off|offer|require", "off", set_srtp,
	  "as a trunk's: whether keys for SRTP are offered, and whether they must be taken" },
};

static gboolean
set_phone_key(Request *request, const char *username, const char *key, const char *value,
	      GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++) {
		g_auto(GStrv) words = g_strsplit(KEYS[i].values, "|", -1);
		g_autofree char *choices = g_strjoinv(" or ", words);

		g_string_append_printf(all, " %s", KEYS[i].name);
		if (strcmp(KEYS[i].name, key) != 0)
			continue;
		return g_strv_contains((const char *const *)words, value)
			       ? KEYS[i].set(request, username, value, error)
			       : wrong(error, "%s=%s: write %s", key, value, choices);
	}
	return wrong(error, "%s: unknown key; a softphone has:%s", key, all->str);
}

static gboolean
set_phone_keys(Request *request, GError **error)
{
	for (guint at = 1; at < request->n_words;) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_phone_key(request, request->words[0], key, value, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean
softphone_set(Request *request, GError **error)
{
	if (!store_begin(request->store, error))
		return FALSE;
	if (set_phone_keys(request, error))
		return store_commit(request->store, error) &&
		       request_changed(request, CHANGE_SOFTPHONE, request->words[0]);
	store_rollback(request->store);
	return FALSE;
}

static void
help_keys(Request *request)
{
	for (guint i = 0; i < G_N_ELEMENTS(KEYS); i++)
		reply_key(request, KEYS[i].name, KEYS[i].values, KEYS[i].fallback, KEYS[i].help);
}

static gboolean
softphone_del(Request *request, GError **error)
{
	return store_softphone_del(request->store, request->words[0], error) &&
	       request_changed(request, CHANGE_SOFTPHONE, request->words[0]);
}

static gboolean
add_softphone_row(Request *request, const Softphone *softphone, GError **error)
{
	g_autoptr(GPtrArray) contacts =
		store_contact_list_of_softphone(request->store, softphone->id, error);
	JsonArray *row;

	if (!contacts)
		return FALSE;
	row = reply_row(request);
	row_add(row, softphone->username);
	row_add(row, softphone->user);
	row_add_int(row, contacts->len);
	row_add_time(row, softphone->created);
	row_add(row, softphone->srtp);
	row_add(row, softphone->rtp_source);
	return TRUE;
}

static gboolean
more_softphones(Request *request, GError **error)
{
	g_autoptr(GPtrArray) list =
		store_softphone_page(request->store, request->after, CONTROL_PORTION, error);

	for (guint i = 0; list && i < list->len; i++)
		if (!add_softphone_row(request, list->pdata[i], error))
			return FALSE;
	return list && list->len > 0 &&
	       request_page(request, list->len,
			    ((Softphone *)list->pdata[list->len - 1])->username);
}

static gboolean
softphone_list(Request *request, GError **error)
{
	g_autofree char *jid = NULL;
	g_autoptr(GPtrArray) list = NULL;

	if (request->n_words == 1 && !(jid = parse_user(request->words[0], error)))
		return FALSE;
	reply_table(request, "softphone", "user", "registered", "created", "srtp", "rtp-source",
		    NULL);
	if (!jid) {
		request->more = more_softphones;
		return TRUE;
	}
	if (!(list = store_softphone_list(request->store, jid, error)))
		return FALSE;
	for (guint i = 0; i < list->len; i++)
		if (!add_softphone_row(request, list->pdata[i], error))
			return FALSE;
	return TRUE;
}

static gboolean
softphone_show(Request *request, GError **error)
{
	g_autoptr(Softphone) softphone =
		store_softphone_get(request->store, request->words[0], error);
	g_autoptr(GPtrArray) contacts = NULL;

	if (!softphone)
		return FALSE;
	contacts = store_contact_list_of_softphone(request->store, softphone->id, error);
	if (!contacts)
		return FALSE;
	reply_table(request, "contact", "from", "until", "program", NULL);
	for (guint i = 0; i < contacts->len; i++) {
		const Contact *contact = contacts->pdata[i];
		JsonArray *row = reply_row(request);

		row_add(row, contact->uri);
		row_add(row, contact->received);
		row_add_time(row, contact->expires);
		row_add(row, contact->user_agent);
	}
	return TRUE;
}

const Command control_phone_commands[] = {
	{ "softphone", "add", "JID [NAME]", 1, 2, FALSE, TRUE, softphone_add,
	  "a SIP phone of a user; shows its password, once", NULL },
	{ "softphone", "list", "[JID]", 0, 1, FALSE, FALSE, softphone_list,
	  "all softphones, or a user's", NULL },
	{ "softphone", "show", "NAME", 1, 1, FALSE, FALSE, softphone_show,
	  "where it is registered now", NULL },
	{ "softphone", "password", "NAME", 1, 1, FALSE, TRUE, softphone_password,
	  "a new password, shown once; ends its registrations", NULL },
	{ "softphone", "set", "NAME KEY=VALUE…", 2, 40, FALSE, TRUE, softphone_set, "change it",
	  help_keys },
	{ "softphone", "del", "NAME", 1, 1, FALSE, TRUE, softphone_del, "forget a softphone",
	  NULL },
};
const guint control_n_phone_commands = G_N_ELEMENTS(control_phone_commands);
