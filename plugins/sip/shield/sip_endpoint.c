/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_endpoint.c - see sip_endpoint.h. */
#include "plugins/sip/shield/sip_endpoint.h"
#include "plugins/sip/stack/sip_resolve.h"
#include <string.h>

guint
endpoint_hash(gconstpointer endpoint)
{
	ThrottleKey halves[2] = { { 0 } };
	const Endpoint *self = endpoint;

	memcpy(&halves[0].prefix, self->address, 8);
	memcpy(&halves[1].prefix, self->address + 8, 8);
	return throttle_key_hash(&halves[0]) ^ throttle_key_hash(&halves[1]) * 31 ^ self->port;
}

gboolean
endpoint_equal(gconstpointer one, gconstpointer other)
{
	return memcmp(one, other, sizeof(Endpoint)) == 0;
}

/* ::ffff:192.0.2.1 is 192.0.2.1. */
static void
set_bytes(Endpoint *endpoint, const guint8 *bytes, gboolean v6)
{
	static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (v6 && memcmp(bytes, mapped, sizeof mapped) == 0) {
		bytes += sizeof mapped;
		v6 = FALSE;
	}
	endpoint->v6 = v6 ? 1 : 0;
	memcpy(endpoint->address, bytes, v6 ? 16 : 4);
}

gboolean
endpoint_of(const su_sockaddr_t *from, Endpoint *endpoint)
{
	*endpoint = (Endpoint){ 0 };
	if (!from || (from->su_family != AF_INET && from->su_family != AF_INET6))
		return FALSE;
	endpoint->port = ntohs(from->su_port);
	set_bytes(endpoint,
		  from->su_family == AF_INET ? (const guint8 *)&from->su_sin.sin_addr
					     : (const guint8 *)&from->su_sin6.sin6_addr,
		  from->su_family == AF_INET6);
	return TRUE;
}

gboolean
endpoint_at(GInetAddress *address, Endpoint *endpoint)
{
	*endpoint = (Endpoint){ 0 };
	if (!address)
		return FALSE;
	set_bytes(endpoint, g_inet_address_to_bytes(address),
		  g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6);
	return TRUE;
}

/* "udp:192.0.2.1:5060", "tls:[2001:db8::1]:40000", as phone_source() writes it. */
gboolean
endpoint_parse(const char *source, Endpoint *endpoint)
{
	const char *host = source ? strchr(source, ':') : NULL;
	const char *port = source ? strrchr(source, ':') : NULL;
	g_autofree char *written = NULL;
	g_autoptr(GInetAddress) address = NULL;
	guint64 number;

	if (!host || port <= host ||
	    !g_ascii_string_to_unsigned(port + 1, 10, 0, G_MAXUINT16, &number, NULL))
		return FALSE;
	written = g_strndup(host + 1, (gsize)(port - host - 1));
	address = resolve_numeric(written);
	if (!endpoint_at(address, endpoint))
		return FALSE;
	endpoint->port = (guint16)number;
	return TRUE;
}

/* One subscriber's: of IPv6 a /64. */
Endpoint
endpoint_whole(const Endpoint *endpoint)
{
	Endpoint whole = *endpoint;

	whole.port = 0;
	if (whole.v6)
		memset(whole.address + 8, 0, 8);
	return whole;
}

ThrottleKey
endpoint_key(const Endpoint *endpoint)
{
	ThrottleKey key = { 0, endpoint->v6 };

	for (guint i = 0; i < (endpoint->v6 ? 8 : 4); i++)
		key.prefix = key.prefix << 8 | endpoint->address[i];
	return key;
}

GInetAddress *
endpoint_key_address(const ThrottleKey *key)
{
	guint8 bytes[16] = { 0 };

	for (guint i = 0, size = key->v6 ? 8 : 4; i < size; i++)
		bytes[i] = (guint8)(key->prefix >> 8 * (size - 1 - i));
	return g_inet_address_new_from_bytes(bytes,
					     key->v6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
}

char *
endpoint_key_text(const ThrottleKey *key)
{
	g_autoptr(GInetAddress) address = endpoint_key_address(key);
	g_autofree char *text = g_inet_address_to_string(address);

	return g_strconcat(text, key->v6 ? "/64" : "", NULL);
}
