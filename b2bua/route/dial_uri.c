/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dial_uri.c - SIP addresses outside: taken apart, and whether they may be called. */
#include "b2bua/route/dial_uri.h"
#include "b2bua/words.h"
#include <gio/gio.h>
#include <string.h>

#define MAX_USER 255 /* bytes */
#define MAX_HOST 253 /* of a name (RFC 1035 2.3.4) */

static gboolean
user_is_sane(const char *user, gsize length)
{
	if (length == 0 || length > MAX_USER || !g_utf8_validate(user, (gssize)length, NULL))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if ((guchar)user[i] <= ' ' || user[i] == 0x7f)
			return FALSE;
	return TRUE;
}

/* Where the port begins, with its colon, or the end; NULL: no host. */
static const char *
end_of_host(const char *text)
{
	const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *end = close ? close + 1 : text + strcspn(text, ":");

	if (text[0] == '[' && !close)
		return NULL;
	return *end == '\0' || *end == ':' ? end : NULL;
}

static char *
bare_host(const char *host, gsize length)
{
	return length > 2 && host[0] == '[' ? g_strndup(host + 1, length - 2)
					    : g_strndup(host, length);
}

static gboolean
host_is_sane(const char *text)
{
	const char *end = end_of_host(text);
	g_autofree char *host = end ? bare_host(text, (gsize)(end - text)) : NULL;
	guint64 port;

	if (!host || (*end && !g_ascii_string_to_unsigned(end + 1, 10, 1, 65535, &port, NULL)))
		return FALSE;
	if (text[0] == '[')
		return strchr(host, ':') && g_hostname_is_ip_address(host) && !strchr(host, '%');
	return g_hostname_is_ip_address(host) ||
	       (strlen(host) <= MAX_HOST && word_is_host_name(host));
}

Address *
dial_uri_parse(const char *text)
{
	const char *at;
	g_autofree char *user = NULL;

	if (g_ascii_strncasecmp(text, "sip:", strlen("sip:")) == 0)
		text += strlen("sip:");
	else if (g_ascii_strncasecmp(text, "sips:", strlen("sips:")) == 0)
		return NULL;
	at = strrchr(text, '@');
	if (!at || !user_is_sane(text, (gsize)(at - text)) || !host_is_sane(at + 1))
		return NULL;
	user = g_strndup(text, (gsize)(at - text));
	return address_new(ADDRESS_SIP, user, at + 1, NULL);
}

void
dial_uri_split(const Address *uri, char **host, guint *port)
{
	const char *end = end_of_host(uri->host);

	if (!end)
		end = uri->host + strlen(uri->host);
	*host = bare_host(uri->host, (gsize)(end - uri->host));
	*port = *end == ':' ? (guint)g_ascii_strtoull(end + 1, NULL, 10) : 0;
}

DialUri
dial_uri_policy(const Config *config, const char *host)
{
	DialUri policy = DIAL_URI_REFUSED;

	for (char **word = config->sip_dial_uris; word && *word; word++) {
		if (g_str_equal(*word, "any"))
			policy = DIAL_URI_PUBLIC;
		else if (!g_str_equal(*word, "no") && g_ascii_strcasecmp(*word, host) == 0)
			return DIAL_URI_NAMED;
	}
	return policy;
}
