/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_endpoint.h - the address and port that a request comes from, in bytes.
 *
 * An IPv4 address that is written as IPv6 (::ffff:192.0.2.1) is the IPv4 address.
 * Thread: any (pure).
 */
#pragma once
#include <gio/gio.h>
#include <sofia-sip/su.h>
#include "plugins/sip/shield/sip_throttle.h"

typedef struct {
	guint8 address[16]; /* IPv4: the first four */
	guint16 port;
	guint16 v6;
} Endpoint;

guint endpoint_hash(gconstpointer endpoint);
gboolean endpoint_equal(gconstpointer one, gconstpointer other);

/* FALSE: it is neither IPv4 nor IPv6, or no address at all. */
gboolean endpoint_of(const su_sockaddr_t *from, Endpoint *endpoint);
gboolean endpoint_at(GInetAddress *address, Endpoint *endpoint); /* without a port */
/* "udp:192.0.2.1:5060", "tls:[2001:db8::1]:40000", as phone_source() writes it. */
gboolean endpoint_parse(const char *text, Endpoint *endpoint);

/* One subscriber's: without the port, and of IPv6 the first 64 bits. */
Endpoint endpoint_whole(const Endpoint *endpoint);
ThrottleKey endpoint_key(const Endpoint *endpoint);
GInetAddress *endpoint_key_address(const ThrottleKey *key);
char *endpoint_key_text(const ThrottleKey *key); /* "192.0.2.1", "2001:db8::/64" */
