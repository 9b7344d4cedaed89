/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_trunk.c - provisioning of trunks: one table of keys.
 *
 * A command checks every word before it changes anything.
 */
#include <stddef.h>
#include <string.h>
#include <gio/gio.h>
#include "b2bua/control_private.h"
#include "b2bua/numberplan.h"

typedef enum {
	FIELD_HOST,
	FIELD_TEXT,
	FIELD_SECRET,
	FIELD_SOURCES,
	FIELD_CHOICE,
	FIELD_CODECS,
	FIELD_PROXY,
	FIELD_FILE,
	FIELD_COUNTRY,
	FIELD_DIGITS,
	FIELD_UINT,
	FIELD_INT,
	FIELD_YES
} FieldType;

typedef struct {
	const char *key;
	FieldType type;
	gsize offset;
	gint min, max;
	const char *choices; /* of a CHOICE: "one two" */
} Field;

#define MEMBER(name) offsetof(Trunk, name)

static const Field fields[] = {
	{ "host", FIELD_HOST, MEMBER(host), 0, 0, NULL },
	{ "port", FIELD_UINT, MEMBER(port), 0, 65535, NULL },
	{ "transport", FIELD_CHOICE, MEMBER(transport), 0, 0, "udp tcp tls auto" },
	{ "username", FIELD_TEXT, MEMBER(username), 0, 0, NULL },
	{ "password", FIELD_SECRET, MEMBER(password), 0, 0, NULL },
	{ "realm", FIELD_TEXT, MEMBER(realm), 0, 0, NULL },
	{ "sources", FIELD_SOURCES, MEMBER(sources), 0, 0, NULL },
	{ "in-username", FIELD_TEXT, MEMBER(in_username), 0, 0, NULL },
	{ "in-password", FIELD_SECRET, MEMBER(in_password), 0, 0, NULL },
	{ "priority", FIELD_INT, MEMBER(priority), -1000, 1000, NULL },
	{ "enabled", FIELD_YES, MEMBER(enabled), 0, 0, NULL },
	{ "wait-for-media", FIELD_YES, MEMBER(wait_for_media), 0, 0, NULL },
	{ "ring-seconds", FIELD_UINT, MEMBER(ring_seconds), 1, 3600, NULL },
	{ "proxy", FIELD_PROXY, MEMBER(proxy), 0, 0, NULL },
	{ "register", FIELD_YES, MEMBER(registers), 0, 0, NULL },
	{ "account", FIELD_TEXT, MEMBER(account), 0, 0, NULL },
	{ "caller-id", FIELD_CHOICE, MEMBER(caller_id), 0, 0, "pai from rpid account" },
	{ "codecs", FIELD_CODECS, MEMBER(codecs), 0, 0, NULL },
	{ "response-seconds", FIELD_UINT, MEMBER(response_seconds), 1, 30, NULL },
	{ "options-seconds", FIELD_UINT, MEMBER(options_seconds), 0, 3600, NULL },
	{ "session-seconds", FIELD_UINT, MEMBER(session_seconds), 0, 86400, NULL },
	{ "follow-redirects", FIELD_YES, MEMBER(follow_redirects), 0, 0, NULL },
	{ "country", FIELD_COUNTRY, MEMBER(country), 0, 0, NULL },
	{ "number-form", FIELD_CHOICE, MEMBER(number_form), 0, 0, "e164 national prefix" },
	{ "number-prefix", FIELD_DIGITS, MEMBER(number_prefix), 0, 0, NULL },
	{ "early-media", FIELD_CHOICE, MEMBER(early_media), 0, 0, "ring accept" },
	{ "tls-verify", FIELD_YES, MEMBER(tls_verify), 0, 0, NULL },
	{ "tls-ca", FIELD_FILE, MEMBER(tls_ca), 0, 0, NULL },
	{ "srtp", FIELD_CHOICE, MEMBER(srtp), 0, 0, "off offer require" },
};

static gboolean
unknown_field(const char *key, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
		g_string_append_printf(all, " %s", fields[i].key);
	return wrong(error, "%s: unknown key; a trunk has:%s", key, all->str);
}

static gboolean
is_host(const char *text)
{
	return g_hostname_is_ip_address(text) ||
	       (*text &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
			strlen(text));
}

/* They end up in SIP headers and in tables. */
static gboolean
check_text(const Field *field, const char *value, GError **error)
{
	if (strlen(value) > 255)
		return wrong(error, "%s: longer than 255 bytes; shorten it", field->key);
	for (const char *at = value; *at; at++)
		if (g_ascii_iscntrl(*at))
			return wrong(error, "%s: has a control character; remove it", field->key);
	if (field->type == FIELD_HOST && !is_host(value))
		return wrong(error,
			     "%s=%s: not a host name or address; write one such as "
			     "sip.example.net (a port has its own key)",
			     field->key, value);
	return TRUE;
}

static gboolean
check_choice(const Field *field, const char *value, GError **error)
{
	g_auto(GStrv) choices = g_strsplit(field->choices, " ", -1);
	g_autofree char *all = g_strjoinv(" or ", choices);

	return g_strv_contains((const char *const *)choices, value) ||
	       wrong(error, "%s=%s: write %s", field->key, value, all);
}

/* "host" or "host:port"; an IPv6 address stands in brackets. */
static gboolean
check_proxy(const char *value, GError **error)
{
	g_autoptr(GSocketConnectable) address =
		*value ? g_network_address_parse(value, 5060, NULL) : NULL;

	return !*value ||
	       (address && is_host(g_network_address_get_hostname(G_NETWORK_ADDRESS(address)))) ||
	       wrong(error,
		     "proxy=%s: not a host; write one such as sip.example.net or "
		     "192.0.2.1:5062",
		     value);
}

static gboolean
check_codecs(const char *value, GError **error)
{
	g_auto(GStrv) names = g_strsplit_set(value, " ,", -1);

	for (char **name = names; *name; name++) {
		const Codec codec = { .name = *name, .rate = 8000, .channels = 1 };

		if (**name && !codec_relayed(&codec))
			return wrong(error,
				     "codecs=%s: %s is not one of ours; write such as \"PCMA "
				     "PCMU\", the wanted one first",
				     value, *name);
	}
	return TRUE;
}

static gboolean
check_sources(const char *value, GError **error)
{
	g_auto(GStrv) parts = g_strsplit_set(value, " ,", -1);

	for (char **part = parts; *part; part++) {
		g_autoptr(GInetAddressMask) mask = NULL;

		if (!**part)
			continue;
		mask = g_inet_address_mask_new_from_string(*part, NULL);
		if (!mask)
			return wrong(error,
				     "sources=%s: %s is not an address or network; write such "
				     "as \"198.51.100.0/24 192.0.2.7\"",
				     value, *part);
	}
	return TRUE;
}

static gboolean
check_words(const Field *field, const char *value, GError **error)
{
	switch (field->type) {
	case FIELD_SOURCES:
		return check_sources(value, error);
	case FIELD_CHOICE:
		return check_choice(field, value, error);
	case FIELD_CODECS:
		return check_codecs(value, error);
	case FIELD_PROXY:
		return check_proxy(value, error);
	case FIELD_FILE:
		return !*value || g_path_is_absolute(value) ||
		       wrong(error, "%s=%s: write the whole path, from / on", field->key, value);
	case FIELD_COUNTRY:
		return !*value || numberplan_knows(value) ||
		       wrong(error,
			     "country=%s: not a country; write its two letters of ISO 3166, "
			     "such as DE",
			     value);
	case FIELD_DIGITS:
		return strspn(value, "0123456789*#") == strlen(value) ||
		       wrong(error, "%s=%s: write digits, * and # alone", field->key, value);
	default:
		return TRUE;
	}
}

static gboolean
set_field_text(const Field *field, char **target, const char *value, GError **error)
{
	if (!check_text(field, value, error) || !check_words(field, value, error))
		return FALSE;
	g_free(*target);
	*target = g_strdup(value);
	if (field->type == FIELD_SOURCES || field->type == FIELD_CODECS)
		g_strdelimit(*target, ",", ' ');
	else if (!*value)
		g_clear_pointer(target, g_free); /* KEY= takes it away */
	return TRUE;
}

static gboolean
set_field(Trunk *trunk, const char *key, const char *value, GError **error)
{
	const Field *field = NULL;
	gpointer target;
	gint64 number;

	for (guint i = 0; !field && i < G_N_ELEMENTS(fields); i++)
		if (g_str_equal(fields[i].key, key))
			field = &fields[i];
	if (!field)
		return unknown_field(key, error);
	target = (char *)trunk + field->offset;
	if (field->type == FIELD_YES)
		return parse_yes(key, value, target, error);
	if (field->type != FIELD_UINT && field->type != FIELD_INT)
		return set_field_text(field, target, value, error);
	if (!g_ascii_string_to_signed(value, 10, field->min, field->max, &number, NULL))
		return wrong(error, "%s=%s: write a whole number from %d to %d", key, value,
			     field->min, field->max);
	*(gint *)target = (gint)number;
	return TRUE;
}

static gboolean
set_fields(Request *request, Trunk *trunk, guint at, GError **error)
{
	while (at < request->n_words) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_field(trunk, key, value, error))
			return FALSE;
	}
	if (strcmp(trunk->number_form ? trunk->number_form : "", "national") == 0 &&
	    !(trunk->country && *trunk->country))
		return wrong(error, "number-form=national: of which country? write country=DE too");
	if (!trunk->username != !trunk->password)
		return wrong(error, "%s: not set; username and password go together",
			     trunk->username ? "password" : "username");
	if (!trunk->in_username != !trunk->in_password)
		return wrong(error, "%s: not set; in-username and in-password go together",
			     trunk->in_username ? "in-password" : "in-username");
	if (trunk->registers && !trunk->username && !(trunk->account && trunk->account[0]))
		return wrong(error, "register=yes: as whom? set username and password, or account");
	return TRUE;
}

static gboolean
check_trunk_name(const char *name, GError **error)
{
	gsize length = strlen(name);

	return (length > 0 && length <= 32 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length) ||
	       wrong(error, "trunk %s: not a name; write 1 to 32 of a-z, 0-9 and -", name);
}

/* Who reads the SIP has the key. */
static void
warn_of_keys(Request *request, const Trunk *trunk)
{
	if (strcmp(trunk->srtp, "off") != 0 && strcmp(trunk->transport, "tls") != 0)
		reply_text(request, "srtp: the key stands in the SIP, which is not encrypted: it "
				    "hides a call from nobody on the way; set transport=tls if the "
				    "carrier has it");
}

static gboolean
trunk_add(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = trunk_new(request->words[0], NULL);

	return check_trunk_name(trunk->name, error) &&
	       set_field(trunk, "host", request->words[1], error) &&
	       set_fields(request, trunk, 2, error) &&
	       store_trunk_add(request->store, trunk, error) &&
	       (warn_of_keys(request, trunk), TRUE);
}

static gboolean
trunk_list(Request *request, GError **error)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(request->store, error);

	if (!trunks)
		return FALSE;
	reply_table(request, "trunk", "host", "port", "transport", "priority", "enabled", "sources",
		    NULL);
	for (guint i = 0; i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		JsonArray *row = reply_row(request);

		row_add(row, trunk->name);
		row_add(row, trunk->host);
		row_add_int(row, trunk->port ? trunk->port : trunk_standard_port(trunk));
		row_add(row, trunk->transport);
		row_add_int(row, trunk->priority);
		row_add(row, trunk->enabled ? "yes" : "no");
		row_add(row, trunk->sources);
	}
	return TRUE;
}

static char *
field_text(const Trunk *trunk, const Field *field)
{
	gconstpointer value = (const char *)trunk + field->offset;

	switch (field->type) {
	case FIELD_SECRET:
		return g_strdup(*(char *const *)value ? "(set)" : "");
	case FIELD_UINT:
	case FIELD_INT:
		return g_strdup_printf("%d", *(const gint *)value);
	case FIELD_YES:
		return g_strdup(*(const gboolean *)value ? "yes" : "no");
	default:
		return g_strdup(*(char *const *)value);
	}
}

/* What the plugin says of it, while there is one. */
static void
reply_state(Request *request, const char *name)
{
	const Plugin *plugin = request->gateway ? gateway_plugin(request->gateway, "sip") : NULL;
	g_autofree char *status = plugin && plugin->status ? plugin->status() : NULL;
	g_autofree char *start = g_strdup_printf("trunk %s: ", name);
	g_auto(GStrv) lines = g_strsplit(status ? status : "", "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, start))
			reply_pair(request, "state", *line + strlen(start));
}

static gboolean
trunk_show(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);

	if (!trunk)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "trunk", trunk->name);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autofree char *text = field_text(trunk, &fields[i]);

		reply_pair(request, fields[i].key, text);
	}
	reply_state(request, trunk->name);
	return TRUE;
}

static gboolean
change_trunk(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);

	if (!trunk || !set_fields(request, trunk, 1, error))
		return FALSE;
	if (!trunk->host)
		return wrong(error, "host: cannot be empty; write a host name or address");
	if (!store_trunk_update(request->store, trunk, error))
		return FALSE;
	warn_of_keys(request, trunk);
	return TRUE;
}

static gboolean
trunk_set(Request *request, GError **error)
{
	if (!store_begin(request->store, error))
		return FALSE;
	if (change_trunk(request, error))
		return store_commit(request->store, error);
	store_rollback(request->store);
	return FALSE;
}

static gboolean
trunk_del(Request *request, GError **error)
{
	return store_trunk_del(request->store, request->words[0], error);
}

#define TRUNK_HELP                                                                            \
	"keys: host port transport proxy username password realm register account caller-id " \
	"codecs priority response-seconds ring-seconds options-seconds session-seconds "      \
	"follow-redirects country number-form number-prefix sources in-username in-password " \
	"wait-for-media early-media tls-verify tls-ca srtp enabled"

const Command control_trunk_commands[] = {
	{ "trunk", "add", "NAME HOST [KEY=VALUE]…", 2, 40, FALSE, TRUE, trunk_add, TRUNK_HELP },
	{ "trunk", "list", "", 0, 0, FALSE, FALSE, trunk_list, "all trunks, in the order tried" },
	{ "trunk", "show", "NAME", 1, 1, FALSE, FALSE, trunk_show, "one trunk, secrets hidden" },
	{ "trunk", "set", "NAME KEY=VALUE…", 2, 40, FALSE, TRUE, trunk_set, TRUNK_HELP },
	{ "trunk", "del", "NAME", 1, 1, FALSE, TRUE, trunk_del, "forget a trunk" },
};
const guint control_n_trunk_commands = G_N_ELEMENTS(control_trunk_commands);
