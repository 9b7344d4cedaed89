/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_value.c - a value of each type: read and checked, compared, shown, freed.
 *
 * Every error is one line: [group] key = value, what is wrong, the remedy.
 */
#include <string.h>
#include <sys/un.h>
#include <gio/gio.h>
#include "b2bua/address.h"
#include "b2bua/config_key.h"
#include "b2bua/numberplan.h"
#include "b2bua/transcoding.h"
#include "b2bua/words.h"

#define STUN_PORT 3478 /* RFC 8489 section 17.3.1 */

/* --- errors --- */

/* A value as it may be shown: one line, no escape sequences, no secrets. */
static char *
printable(const ConfigKey *key, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);

	if (key->type == TYPE_SECRET)
		return g_strdup("(hidden)");
	for (char *at = valid; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = '?';
	return g_steal_pointer(&valid);
}

gboolean
config_value_refuse(const ConfigKey *key, const char *value, GError **error, const char *format,
		    ...)
{
	g_autofree char *shown = printable(key, value);
	g_autofree char *why = NULL;
	va_list arguments;

	va_start(arguments, format);
	why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, CONFIG_ERROR, 0, "[%s] %s = %s: %s", key->group, key->key, shown, why);
	return FALSE;
}

/* --- one value --- */

static gboolean
is_wildcard(const char *address)
{
	return g_str_equal(address, "0.0.0.0") || g_str_equal(address, "::");
}

static gboolean
check_address(const ConfigKey *key, const char *whole, const char *address, GError **error)
{
	g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(address);

	if (!parsed)
		return config_value_refuse(
			key, whole, error,
			"%s is not a numeric address; write one such as 192.0.2.1 or 2001:db8::1",
			address[0] ? address : "that");
	if (g_inet_address_get_is_any(parsed) || is_wildcard(address))
		return config_value_refuse(
			key, whole, error,
			"peers are told this address, so it must be one address; write the address "
			"at which they reach this machine");
	return TRUE;
}

static gboolean
set_number(const ConfigKey *key, const char *value, gpointer field, GError **error)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, key->min, key->max, &number, NULL))
		return config_value_refuse(key, value, error,
					   "not a whole number from %u to %u; the default is %s",
					   key->min, key->max, key->fallback);
	if (key->type == TYPE_PORT)
		*(guint16 *)field = (guint16)number;
	else
		*(guint *)field = (guint)number;
	return TRUE;
}

static gboolean
set_boolean(const ConfigKey *key, const char *value, gpointer field, GError **error)
{
	if (word_is_yes_or_no(value, field))
		return TRUE;
	return config_value_refuse(key, value, error, "write yes or no");
}

/* RFC 3986: the colons of an IPv6 address are told from that of a port by "[…]". */
static gboolean
set_server(const ConfigKey *key, const char *value, gpointer field, GError **error)
{
	MediaServer *server = field;
	GSocketConnectable *parsed = NULL;
	const char *host = NULL;

	if (g_hostname_is_ip_address(value))
		parsed = g_network_address_new(value, STUN_PORT);
	else if (!strpbrk(value, "@/?%"))
		parsed = g_network_address_parse(value, STUN_PORT, NULL);
	if (parsed)
		host = g_network_address_get_hostname(G_NETWORK_ADDRESS(parsed));
	if (!host || !(word_is_host_name(host) || g_hostname_is_ip_address(host)) ||
	    g_network_address_get_port(G_NETWORK_ADDRESS(parsed)) == 0) {
		g_clear_object(&parsed);
		return config_value_refuse(key, value, error,
					   "not a server; write one such as turn.example.org, "
					   "192.0.2.1:3478 or [2001:db8::1]:3478");
	}
	g_free(server->host);
	server->host = g_strdup(host);
	server->port = g_network_address_get_port(G_NETWORK_ADDRESS(parsed));
	g_object_unref(parsed);
	return TRUE;
}

static gboolean
check_name(const ConfigKey *key, const char *value, const char *name, GError **error)
{
	gsize length = strlen(name);

	if (length > 0 && length <= 32 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length)
		return TRUE;
	return config_value_refuse(key, value, error, "%s is not a name; write names such as %s",
				   name[0] ? name : "that", key->fallback);
}

/* "no" would be lost among others. */
static gboolean
check_uri_host(const ConfigKey *key, const char *value, const char *host, GError **error)
{
	if (g_str_equal(value, "no") || g_str_equal(host, "any"))
		return TRUE;
	if (!g_str_equal(host, "no") && (word_is_host_name(host) || g_hostname_is_ip_address(host)))
		return TRUE;
	return config_value_refuse(key, value, error,
				   "write no, any, or hosts such as example.org;192.0.2.1");
}

static gboolean
check_jid(const ConfigKey *key, const char *value, const char *jid, GError **error)
{
	g_autoptr(Address) address = address_from_jid(jid);

	return (address && address->user && !address->resource) ||
	       config_value_refuse(key, value, error,
				   "%s is not a bare JID; write one such as admin@example.org",
				   jid);
}

static gboolean
check_country(const ConfigKey *key, const char *value, const char *country, GError **error)
{
	return g_str_equal(value, "any") || numberplan_knows(country) ||
	       config_value_refuse(key, value, error,
				   "write any, or the two letters of ISO 3166 of each country, "
				   "such as AT;CH");
}

static gboolean
check_item(const ConfigKey *key, const char *value, const char *item, GError **error)
{
	switch (key->type) {
	case TYPE_ADDRESS_LIST:
		return check_address(key, value, item, error);
	case TYPE_URI_LIST:
		return check_uri_host(key, value, item, error);
	case TYPE_JID_LIST:
		return check_jid(key, value, item, error);
	case TYPE_COUNTRY_LIST:
		return check_country(key, value, item, error);
	default:
		return check_name(key, value, item, error);
	}
}

static gboolean
set_list(const ConfigKey *key, const char *value, gpointer field, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value, ";", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (char **part = parts; *part; part++) {
		g_strstrip(*part);
		if (!**part)
			continue; /* "a;b;" as key files like it */
		if (!check_item(key, value, *part, error))
			return FALSE;
		if (!g_hash_table_add(seen, *part))
			return config_value_refuse(key, value, error,
						   "%s is there twice; remove one", *part);
		g_strv_builder_add(builder, *part);
	}
	if (g_hash_table_size(seen) == 0)
		return config_value_refuse(key, value, error,
					   "empty; write at least one, or remove the line");
	g_strfreev(*(char ***)field);
	*(char ***)field = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean
check_log_level(const ConfigKey *key, const char *value, GError **error)
{
	static const char *const levels[] = { "error", "warning", "info", "debug", NULL };

	return g_strv_contains(levels, value) ||
	       config_value_refuse(key, value, error, "write error, warning, info or debug");
}

static gboolean
check_plain_rtp(const ConfigKey *key, const char *value, GError **error)
{
	static const char *const values[] = { "no", "local", "yes", NULL };

	return g_strv_contains(values, value) ||
	       config_value_refuse(key, value, error, "write no, local or yes");
}

static gboolean
check_hook(const ConfigKey *key, const char *value, GError **error)
{
	g_autoptr(GUri) uri = NULL;

	if (g_path_is_absolute(value))
		return TRUE;
	uri = g_uri_parse(value, G_URI_FLAGS_NONE, NULL);
	if (uri && g_uri_get_userinfo(uri))
		return config_value_refuse(key, "(hidden)", error,
					   "the URL has a password; write hook_token instead");
	return (uri && g_uri_get_host(uri) && *g_uri_get_host(uri) &&
		(g_str_equal(g_uri_get_scheme(uri), "http") ||
		 g_str_equal(g_uri_get_scheme(uri), "https"))) ||
	       config_value_refuse(key, value, error,
				   "write the path of a program, such as /usr/local/bin/billing, "
				   "or a URL such as https://example.org/calls");
}

static gboolean
check_transcode(const ConfigKey *key, const char *value, GError **error)
{
	TranscodePolicy policy;

	return transcode_policy_find(value, &policy) ||
	       config_value_refuse(key, value, error, "write needed, adaptive, always or never");
}

static gboolean
check_path(const ConfigKey *key, const char *value, GError **error)
{
	gsize limit = sizeof((struct sockaddr_un *)0)->sun_path - 1;

	if (key->type == TYPE_SOCKET_PATH && strlen(value) > limit)
		return config_value_refuse(
			key, value, error,
			"longer than the %u bytes the path of a socket may have; choose a "
			"shorter folder",
			(guint)limit);
	return TRUE;
}

static gboolean
check_text(const ConfigKey *key, const char *value, GError **error)
{
	if (!*value)
		return config_value_refuse(
			key, value, error,
			"empty; write a value, or remove the line for the default");
	switch (key->type) {
	case TYPE_PATH:
	case TYPE_SOCKET_PATH:
		return check_path(key, value, error);
	case TYPE_ADDRESS:
		return check_address(key, value, value, error);
	case TYPE_DOMAIN:
		return word_is_host_name(value) ||
		       config_value_refuse(key, value, error,
					   "not a domain; write one such as gw.example.org");
	case TYPE_HOST:
		return word_is_host_name(value) || g_hostname_is_ip_address(value) ||
		       config_value_refuse(key, value, error,
					   "neither a host name nor an address; write one such as "
					   "xmpp.example.org or 192.0.2.1");
	case TYPE_LOG_LEVEL:
		return check_log_level(key, value, error);
	case TYPE_PLAIN_RTP:
		return check_plain_rtp(key, value, error);
	case TYPE_HOOK:
		return check_hook(key, value, error);
	case TYPE_TRANSCODE:
		return check_transcode(key, value, error);
	case TYPE_EMERGENCY:
		return strcmp(value, "refuse") == 0 ||
		       (g_str_has_prefix(value, "trunk:") && value[strlen("trunk:")]) ||
		       config_value_refuse(key, value, error,
					   "write refuse, or trunk: and the name of a trunk");
	case TYPE_HOURS:
		return word_hours(value, &(guint){ 0 }, &(guint){ 0 }) ||
		       config_value_refuse(key, value, error,
					   "not hours; write such as 7-22, or 22-6 over midnight");
	case TYPE_COUNTRY:
		return numberplan_knows(value) ||
		       config_value_refuse(
			       key, value, error,
			       "not a country; write its two letters of ISO 3166, such as DE");
	default:
		return TRUE;
	}
}

static gboolean
set_text(const ConfigKey *key, const char *value, gpointer field, GError **error)
{
	if (!check_text(key, value, error))
		return FALSE;
	g_free(*(char **)field);
	*(char **)field = key->type == TYPE_DOMAIN    ? g_ascii_strdown(value, -1)
			  : key->type == TYPE_COUNTRY ? g_ascii_strup(value, -1)
						      : g_strdup(value);
	return TRUE;
}

gboolean
config_value_set(Config *config, const ConfigKey *key, const char *value, GError **error)
{
	gpointer field = (char *)config + key->offset;

	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
		return set_number(key, value, field, error);
	case TYPE_BOOLEAN:
		return set_boolean(key, value, field, error);
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
	case TYPE_JID_LIST:
	case TYPE_COUNTRY_LIST:
		return set_list(key, value, field, error);
	case TYPE_SERVER:
		return set_server(key, value, field, error);
	default:
		return set_text(key, value, field, error);
	}
}

/* --- two of a kind --- */

static gsize
field_size(const ConfigKey *key)
{
	switch (key->type) {
	case TYPE_NUMBER:
		return sizeof(guint);
	case TYPE_PORT:
		return sizeof(guint16);
	case TYPE_BOOLEAN:
		return sizeof(gboolean);
	case TYPE_SERVER:
		return sizeof(MediaServer);
	default:
		return sizeof(gpointer);
	}
}

gboolean
config_value_differs(const Config *one, const Config *other, const ConfigKey *key)
{
	gconstpointer a = (const char *)one + key->offset, b = (const char *)other + key->offset;
	const MediaServer *server = a, *other_server = b;
	const char *const *list = NULL, *const *other_list = NULL;

	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
	case TYPE_BOOLEAN:
		return memcmp(a, b, field_size(key)) != 0;
	case TYPE_SERVER:
		return g_strcmp0(server->host, other_server->host) != 0 ||
		       server->port != other_server->port;
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
	case TYPE_JID_LIST:
	case TYPE_COUNTRY_LIST:
		list = *(const char *const *const *)a;
		other_list = *(const char *const *const *)b;
		return !list != !other_list || (list && !g_strv_equal(list, other_list));
	default:
		return g_strcmp0(*(char *const *)a, *(char *const *)b) != 0;
	}
}

void
config_value_swap(Config *one, Config *other, const ConfigKey *key)
{
	char *a = (char *)one + key->offset, *b = (char *)other + key->offset;

	for (gsize i = 0; i < field_size(key); i++) {
		char byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* --- as text --- */

static char *
list_text(char **list)
{
	return list ? g_strjoinv(";", list) : NULL;
}

static char *
server_text(const MediaServer *server)
{
	const char *format = server->host && strchr(server->host, ':') ? "[%s]:%u" : "%s:%u";

	return server->host ? g_strdup_printf(format, server->host, server->port) : NULL;
}

char *
config_value_text(const Config *config, const ConfigKey *key)
{
	gconstpointer field = (const char *)config + key->offset;

	switch (key->type) {
	case TYPE_NUMBER:
		return g_strdup_printf("%u", *(const guint *)field);
	case TYPE_PORT:
		return g_strdup_printf("%u", *(const guint16 *)field);
	case TYPE_BOOLEAN:
		return g_strdup(*(const gboolean *)field ? "yes" : "no");
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
	case TYPE_JID_LIST:
	case TYPE_COUNTRY_LIST:
		return list_text(*(char ***)field);
	case TYPE_SERVER:
		return server_text(field);
	default:
		return g_strdup(*(char *const *)field);
	}
}

void
config_value_free(Config *config, const ConfigKey *key)
{
	gpointer field = (char *)config + key->offset;

	switch (key->type) {
	case TYPE_NUMBER:
	case TYPE_PORT:
	case TYPE_BOOLEAN:
		break;
	case TYPE_ADDRESS_LIST:
	case TYPE_NAME_LIST:
	case TYPE_URI_LIST:
	case TYPE_JID_LIST:
	case TYPE_COUNTRY_LIST:
		g_strfreev(*(char ***)field);
		break;
	case TYPE_SERVER:
		g_free(((MediaServer *)field)->host);
		break;
	default:
		g_free(*(char **)field);
	}
}
