/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_trunk_keys.c - what an operator may write for each key of a trunk.
 *
 * The keys stand in db/trunk_key.c; here is one check for each kind of them, and what one
 * key asks of another.
 */
#include <string.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include "b2bua/admin/control_private.h"
#include "b2bua/numberplan.h"
#include "media/codec.h"

#define MAX_FILE_BYTES (4 * 1024 * 1024)

static gboolean
unknown_key(const char *name, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++)
		g_string_append_printf(all, " %s", keys[i].name);
	return wrong(error, "%s: unknown key; a trunk has:%s", name, all->str);
}

static gboolean
is_host(const char *text)
{
	return g_hostname_is_ip_address(text) ||
	       (*text &&
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
			strlen(text));
}

static gboolean
check_host(const TrunkKey *key, const char *value, GError **error)
{
	g_autofree char *bare =
		value[0] == '[' && g_str_has_suffix(value, "]") && strchr(value, ':')
			? g_strndup(value + 1, strlen(value) - 2)
			: g_strdup(value);

	return is_host(bare) || wrong(error,
				      "%s=%s: not a host name or address; write one such as "
				      "sip.example.net (a port has its own key)",
				      key->name, value);
}

static gboolean
check_choice(const TrunkKey *key, const char *value, GError **error)
{
	g_auto(GStrv) choices = g_strsplit(key->values, "|", -1);
	g_autofree char *all = g_strjoinv(" or ", choices);

	return g_strv_contains((const char *const *)choices, value) ||
	       wrong(error, "%s=%s: write %s", key->name, value, all);
}

/* "host" or "host:port"; an IPv6 address stands in brackets. */
static gboolean
check_proxy(const TrunkKey *key, const char *value, GError **error)
{
	g_autoptr(GSocketConnectable) address =
		*value ? g_network_address_parse(value, 5060, NULL) : NULL;

	return !*value ||
	       (address && is_host(g_network_address_get_hostname(G_NETWORK_ADDRESS(address)))) ||
	       wrong(error,
		     "%s=%s: not a host; write one such as sip.example.net or "
		     "192.0.2.1:5062",
		     key->name, value);
}

static gboolean
check_codecs(const TrunkKey *key, const char *value, GError **error)
{
	g_auto(GStrv) names = g_strsplit_set(value, " ,", -1);

	for (char **name = names; *name; name++) {
		if (**name && !codec_type_named(*name))
			return wrong(error,
				     "%s=%s: %s is not one of ours; write such as \"PCMA "
				     "PCMU\", the wanted one first",
				     key->name, value, *name);
	}
	return TRUE;
}

static gboolean
check_networks(const TrunkKey *key, const char *value, GError **error)
{
	g_auto(GStrv) parts = g_strsplit_set(value, " ,", -1);

	for (char **part = parts; *part; part++) {
		g_autoptr(GInetAddressMask) mask = NULL;

		if (!**part)
			continue;
		mask = g_inet_address_mask_new_from_string(*part, NULL);
		if (!mask)
			return wrong(error,
				     "%s=%s: %s is not an address or network; write such "
				     "as \"198.51.100.0/24 192.0.2.7\"",
				     key->name, value, *part);
	}
	return TRUE;
}

/* A file that is not there fails each call later on, and says so to the caller alone. */
static gboolean
check_file(const TrunkKey *key, const char *value, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;
	GStatBuf status;

	if (!*value)
		return TRUE;
	if (!g_path_is_absolute(value))
		return wrong(error, "%s=%s: write the whole path, from / on", key->name, value);
	if (g_stat(value, &status) < 0 || !S_ISREG(status.st_mode))
		return wrong(error, "%s=%s: no such file; put it there first", key->name, value);
	if (status.st_size > MAX_FILE_BYTES || !g_file_get_contents(value, &text, NULL, &cause))
		return wrong(error, "%s=%s: cannot be read%s%s; tandemd has to be able to",
			     key->name, value, cause ? ": " : "", cause ? cause->message : "");
	return strstr(text, "-----BEGIN ") != NULL ||
	       wrong(error, "%s=%s: not a PEM file (\"-----BEGIN CERTIFICATE-----\")", key->name,
		     value);
}

static gboolean
check_country(const TrunkKey *key, const char *value, GError **error)
{
	return !*value || numberplan_knows(value) ||
	       wrong(error,
		     "%s=%s: not a country; write its two letters of ISO 3166, "
		     "such as DE",
		     key->name, value);
}

static gboolean
check_digits(const TrunkKey *key, const char *value, GError **error)
{
	return strspn(value, "0123456789*#") == strlen(value) ||
	       wrong(error, "%s=%s: write digits, * and # alone", key->name, value);
}

static gboolean (*const CHECKS[])(const TrunkKey *key, const char *value, GError **error) = {
	[TRUNK_HOST] = check_host,
	[TRUNK_NETWORKS] = check_networks,
	[TRUNK_CHOICE] = check_choice,
	[TRUNK_CODECS] = check_codecs,
	[TRUNK_PROXY] = check_proxy,
	[TRUNK_FILE] = check_file,
	[TRUNK_COUNTRY] = check_country,
	[TRUNK_DIGITS] = check_digits,
	[TRUNK_YES] = NULL,
};

/* They end up in SIP headers and in tables. */
static gboolean
check_text(const TrunkKey *key, const char *value, GError **error)
{
	if (strlen(value) > 255)
		return wrong(error, "%s: longer than 255 bytes; shorten it", key->name);
	for (const char *at = value; *at; at++)
		if (g_ascii_iscntrl(*at))
			return wrong(error, "%s: has a control character; remove it", key->name);
	return !CHECKS[key->kind] || CHECKS[key->kind](key, value, error);
}

static gboolean
set_text(Trunk *trunk, const TrunkKey *key, const char *value, GError **error)
{
	char **target = (char **)((char *)trunk + key->offset);

	if (!check_text(key, value, error))
		return FALSE;
	g_free(*target);
	*target = *value || !(key->flags & TRUNK_EMPTY) ? g_strdup(value) : NULL; /* KEY= */
	if (key->kind == TRUNK_HOST && value[0] == '[') { /* as a URI has it */
		g_free(*target);
		*target = g_strndup(value + 1, strlen(value) - 2);
	}
	if (*target && (key->kind == TRUNK_NETWORKS || key->kind == TRUNK_CODECS))
		g_strdelimit(*target, ",", ' ');
	return TRUE;
}

static gboolean
set_number(Trunk *trunk, const TrunkKey *key, const char *value, GError **error)
{
	gint *target = (gint *)((char *)trunk + key->offset);
	gint64 number;

	if (key->kind == TRUNK_YES)
		return parse_yes(key->name, value, target, error);
	if (!g_ascii_string_to_signed(value, 10, key->least, key->most, &number, NULL))
		return wrong(error, "%s=%s: write a whole number from %d to %d", key->name, value,
			     key->least, key->most);
	*target = (gint)number;
	return TRUE;
}

gboolean
set_trunk_key(Trunk *trunk, const char *name, const char *value, GError **error)
{
	g_autofree char *hyphened = g_strdelimit(g_strdup(name), "_", '-');
	const TrunkKey *key = trunk_key_find(hyphened);

	if (!key)
		return unknown_key(name, error);
	return trunk_key_is_number(key) ? set_number(trunk, key, value, error)
					: set_text(trunk, key, value, error);
}

gboolean
check_trunk(const Trunk *trunk, GError **error)
{
	if (!trunk->host)
		return wrong(error, "host: cannot be empty; write a host name or address");
	if (strcmp(trunk->number_form, "national") == 0 && !(trunk->country && *trunk->country))
		return wrong(error, "number-form=national: of which country? write country=DE too");
	if (!trunk->username != !trunk->password)
		return wrong(error, "%s: not set; username and password go together",
			     trunk->username ? "password" : "username");
	if (!trunk->in_username != !trunk->in_password)
		return wrong(error, "%s: not set; in-username and in-password go together",
			     trunk->in_username ? "in-password" : "in-username");
	if (trunk->registers && !trunk->username && !(trunk->account && trunk->account[0]))
		return wrong(error, "register=yes: as whom? set username and password, or account");
	/* RFC 4028 4: whatever is below is refused by the other side (422) */
	if (trunk->session_seconds > 0 && trunk->session_seconds < 90)
		return wrong(
			error,
			"session-seconds=%u: the shortest session timer there is has 90; write "
			"90 to 86400, or 0 for none",
			trunk->session_seconds);
	return TRUE;
}
