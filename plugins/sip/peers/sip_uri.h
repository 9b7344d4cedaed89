/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_uri.h - SIP addresses outside, which are no trunk's: which hosts they may have.
 *
 * Unless the admin has named a host, it must be on the Internet, so that nobody reaches
 * a private network through the gateway.
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>
#include <sofia-sip/url.h>

/* FALSE for loopback, private, shared, link-local, multicast and reserved addresses
 * (RFC 6890). */
gboolean uri_address_is_public(GInetAddress *address);
/* Of these next hops those that are on the Internet; the caller's. */
GPtrArray *uri_public_hops(const GPtrArray *hops);
