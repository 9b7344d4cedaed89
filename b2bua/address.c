/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* address.c - parse, print, normalise and compare who is calling whom.
 *
 * Thread: any (pure).  RFC 3966, RFC 3261 19.1, RFC 7622.
 */
#include "b2bua/address.h"
#include <string.h>

#define JID_PART_MAX	 1023 /* RFC 7622 3.1: each part, in bytes */
#define E164_MIN_DIGITS	 7
#define E164_MAX_DIGITS	 15 /* ITU-T E.164 6.1 */
#define SHORT_MAX_DIGITS 6

static char *
lower(const char *text)
{
	return g_utf8_validate(text, -1, NULL) ? g_utf8_strdown(text, -1)
					       : g_ascii_strdown(text, -1);
}

Address *
address_new(AddressScheme scheme, const char *user, const char *host, const char *resource)
{
	Address *address = g_new0(Address, 1);

	address->scheme = scheme;
	if (user && user[0])
		address->user = scheme == ADDRESS_JID ? lower(user) : g_strdup(user);
	if (host && host[0])
		address->host = lower(host);
	if (resource && resource[0])
		address->resource = g_strdup(resource);
	return address;
}

Address *
address_with_name(const Address *address, const char *name)
{
	Address *copy =
		address_new(address->scheme, address->user, address->host, address->resource);

	copy->name = name && name[0] ? g_strdup(name) : NULL;
	return copy;
}

Address *
address_copy(const Address *address)
{
	return address_with_name(address, address->name);
}

void
address_free(Address *address)
{
	if (!address)
		return;
	g_free(address->user);
	g_free(address->host);
	g_free(address->resource);
	g_free(address->name);
	g_free(address);
}

/* --- JIDs --- */

static gboolean
part_fits(const char *start, gsize length)
{
	return length >= 1 && length <= JID_PART_MAX &&
	       g_utf8_validate(start, (gssize)length, NULL);
}

static gboolean
has_control(const char *start, gsize length)
{
	for (gsize i = 0; i < length; i++)
		if ((guchar)start[i] < 0x20 || start[i] == 0x7f)
			return TRUE;
	return FALSE;
}

/* RFC 7622 3.3.1: what a localpart must not contain. */
static gboolean
user_is_valid(const char *start, gsize length)
{
	if (!part_fits(start, length) || has_control(start, length))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if (strchr(" \"&'/:<>@", start[i]))
			return FALSE;
	return TRUE;
}

static gboolean
host_is_valid(const char *start, gsize length)
{
	if (!part_fits(start, length) || has_control(start, length))
		return FALSE;
	for (gsize i = 0; i < length; i++)
		if (strchr(" \"&'/<>@", start[i]))
			return FALSE;
	return TRUE;
}

Address *
address_from_jid(const char *text)
{
	g_autofree char *user = NULL, *host = NULL;
	const char *slash, *at, *end;

	if (!text)
		return NULL;
	/* RFC 7622 3.2: the first '/' begins the resource, which may hold '@' and '/' itself */
	slash = strchr(text, '/');
	end = slash ? slash : text + strlen(text);
	at = memchr(text, '@', (gsize)(end - text));
	if (at && !user_is_valid(text, (gsize)(at - text)))
		return NULL;
	if (!host_is_valid(at ? at + 1 : text, (gsize)(end - (at ? at + 1 : text))))
		return NULL;
	if (slash &&
	    (!part_fits(slash + 1, strlen(slash + 1)) || has_control(slash + 1, strlen(slash + 1))))
		return NULL;
	user = at ? g_strndup(text, (gsize)(at - text)) : NULL;
	host = g_strndup(at ? at + 1 : text, (gsize)(end - (at ? at + 1 : text)));
	return address_new(ADDRESS_JID, user, host, slash ? slash + 1 : NULL);
}

char *
address_bare_jid(const Address *address)
{
	const char *host = address->host ? address->host : "";

	return address->user ? g_strconcat(address->user, "@", host, NULL) : g_strdup(host);
}

char *
address_full_jid(const Address *address)
{
	g_autofree char *bare = address_bare_jid(address);

	return address->resource ? g_strconcat(bare, "/", address->resource, NULL)
				 : g_steal_pointer(&bare);
}

/* --- numbers --- */

gboolean
number_is_e164(const char *number)
{
	gsize digits;

	if (!number || number[0] != '+')
		return FALSE;
	digits = strspn(number + 1, "0123456789");
	return digits >= E164_MIN_DIGITS && digits <= E164_MAX_DIGITS && number[1 + digits] == '\0';
}

static gboolean
is_short_code(const char *number)
{
	gsize length = strspn(number, "0123456789*#");

	return length >= 1 && length <= SHORT_MAX_DIGITS && number[length] == '\0';
}

gboolean
number_normalise(const char *text, char **number)
{
	static const char *const PREFIXES[] = { "tel:", "sip:", "sips:" };
	char digits[E164_MAX_DIGITS + 2]; /* and the "+" */
	gsize length = 0;

	*number = NULL;
	if (!text)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(PREFIXES); i++)
		if (g_ascii_strncasecmp(text, PREFIXES[i], strlen(PREFIXES[i])) == 0) {
			text += strlen(PREFIXES[i]);
			break;
		}
	for (; *text; text++) {
		/* "+49(0)171 …": the zero is for who dials at home */
		if (length > 1 && digits[0] == '+' && g_str_has_prefix(text, "(0)"))
			text += 2;
		if (strchr(" -.()/", *text))
			continue;
		if (length == sizeof(digits) - 1)
			return FALSE;
		digits[length++] = *text;
	}
	digits[length] = '\0';
	if (!number_is_e164(digits) && !is_short_code(digits))
		return FALSE;
	*number = g_strdup(digits);
	return TRUE;
}

/* --- comparing and printing --- */

gboolean
address_equal(const Address *one, const Address *other)
{
	if (one->scheme != other->scheme)
		return FALSE;
	switch (one->scheme) {
	case ADDRESS_ANONYMOUS:
		return TRUE;
	case ADDRESS_NUMBER: /* the same telephone wherever it was heard of */
		return g_strcmp0(one->user, other->user) == 0;
	case ADDRESS_SIP:
	case ADDRESS_JID:
		break;
	}
	return g_strcmp0(one->user, other->user) == 0 && g_strcmp0(one->host, other->host) == 0 &&
	       g_strcmp0(one->resource, other->resource) == 0;
}

char *
address_text(const Address *address)
{
	g_autofree char *bare = NULL;

	switch (address->scheme) {
	case ADDRESS_NUMBER:
		return g_strdup(address->user ? address->user : "");
	case ADDRESS_SIP:
		bare = address_bare_jid(address);
		return g_strconcat("sip:", bare, NULL);
	case ADDRESS_JID:
		return address_full_jid(address);
	case ADDRESS_ANONYMOUS:
		break;
	}
	return g_strdup("anonymous");
}
