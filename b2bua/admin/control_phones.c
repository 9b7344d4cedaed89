/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_phones.c - softphones: their credentials, and who is registered.
 *
 * A password is made here, shown once, and kept nowhere.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"

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

/* A password that an import brings along. */
static gboolean
check_password(const char *name, const char *password, GError **error)
{
	gsize length = strlen(password);

	return (length >= 8 && length <= 128 && g_utf8_validate(password, -1, NULL)) ||
	       wrong(error,
		     "softphone %s: password: write 8 to 128 characters, or leave the password "
		     "out, and the gateway makes one",
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

/* The name stands in SIP URIs beside those of plugins that answer by themselves. */
static gboolean
check_no_plugin(const Request *request, const char *name, GError **error)
{
	const Config *config = request_config(request);

	return !config || !config->plugins ||
	       !g_strv_contains((const char *const *)config->plugins, name) ||
	       wrong(error, "softphone %s: that is the name of a plugin; choose another name",
		     name);
}

gboolean
softphone_make(Request *request, const char *name, const char *jid, const char *password,
	       GError **error)
{
	g_autofree char *made = password ? NULL : make_password();
	JsonArray *row;

	if (!check_no_plugin(request, name, error) ||
	    (password && !check_password(name, password, error)) ||
	    !store_softphone_add(request->store, name, jid, password ? password : made, error))
		return FALSE;
	if (made) {
		row = json_array_new();
		json_array_add_string_element(row, name);
		json_array_add_string_element(row, made);
		json_array_add_array_element(request->passwords, row);
	}
	request_changed(request, CHANGE_SOFTPHONE, name);
	return TRUE;
}

gboolean
softphone_give_password(Request *request, const char *name, const char *password, GError **error)
{
	if (!check_password(name, password, error) ||
	    !store_softphone_set_password(request->store, name, password, error))
		return FALSE;
	request_changed(request, CHANGE_SOFTPHONE, name);
	return TRUE;
}

gboolean
do_softphone_add(Request *request, GError **error)
{
	const char *name = request_word(request, "NAME");
	g_autofree char *password = make_password();

	if (!check_no_plugin(request, name, error) ||
	    !store_softphone_add(request->store, name, request_word(request, "JID"), password,
				 error))
		return FALSE;
	reply_credential(request, name, password);
	return TRUE;
}

gboolean
do_softphone_password(Request *request, GError **error)
{
	const char *name = request_word(request, "NAME");
	g_autofree char *password = make_password();

	if (!store_softphone_set_password(request->store, name, password, error))
		return FALSE;
	reply_credential(request, name, password);
	return TRUE;
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
			reply_text(request, "srtp: the softphone is registered without TLS, and "
					    "the SIP carries the key, so SRTP hides the call from "
					    "nobody on the way; let the phone use TLS");
			break;
		}
	return contacts != NULL;
}

/* --- the keys of keys.h; the caller holds the transaction --- */

static gboolean
softphone_srtp(Request *request, gpointer username, const Pair *pair, GError **error)
{
	return store_softphone_set_srtp(request->store, username, pair->value, error) &&
	       (strcmp(pair->value, "off") == 0 || warn_of_keys(request, username, error));
}

static gboolean
softphone_rtp_source(Request *request, gpointer username, const Pair *pair, GError **error)
{
	return store_softphone_set_rtp_source(request->store, username, pair->value, error);
}

static gboolean
softphone_codecs(Request *request, gpointer username, const Pair *pair, GError **error)
{
	return store_softphone_set_codecs(request->store, username, pair->value, error);
}

#define ROW(id, name, type, values, fallback, flags, help) { name, softphone_##id },
static const KeyFunction FUNCTIONS[] = { SOFTPHONE_KEYS(ROW){ NULL, NULL } };
#undef ROW

gboolean
do_softphone_set(Request *request, GError **error)
{
	return store_begin(request->store, error) &&
	       store_settle(request->store,
			    request_set_keys(request, FUNCTIONS,
					     (char *)request_word(request, "NAME"), error),
			    error);
}

gboolean
do_softphone_del(Request *request, GError **error)
{
	return store_softphone_del(request->store, request_word(request, "NAME"), error);
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
	row_add(row, softphone->codecs);
	return TRUE;
}

static gboolean
more_softphones(Request *request, GError **error)
{
	g_autoptr(GPtrArray) list =
		store_softphone_page(request->store, request->after, REQUEST_PORTION, error);

	for (guint i = 0; list && i < list->len; i++)
		if (!add_softphone_row(request, list->pdata[i], error))
			return FALSE;
	return list && list->len > 0 &&
	       request_page(request, list->len,
			    ((Softphone *)list->pdata[list->len - 1])->username);
}

gboolean
do_softphone_list(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID");
	g_autoptr(GPtrArray) list = NULL;

	reply_table(request, "softphone", "user", "registered", "created", "srtp", "rtp-source",
		    "codecs", NULL);
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

gboolean
do_softphone_show(Request *request, GError **error)
{
	g_autoptr(Softphone) softphone =
		store_softphone_get(request->store, request_word(request, "NAME"), error);
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
