/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dial_uri.h - SIP addresses outside, "bob@example.org", that a user may dial.
 *
 * As an Address such a one is ADDRESS_SIP, its host with the port where one was
 * written: "example.org", "192.0.2.1:5070", "[2001:db8::1]:5070".
 * Thread: any (pure).  RFC 3261 19.1, XEP-0106 (unescaped before it comes here).
 */
#pragma once
#include "b2bua/address.h"
#include "b2bua/config.h"

/* "bob@example.org:5070", "sip:" before it or not; NULL for anything else, as one
 * with parameters or "sips:".  The last "@" is the one before the host. */
Address *dial_uri_parse(const char *text);
/* Takes the host of such an address apart: no brackets; port 0: none written. */
void dial_uri_split(const Address *uri, char **host, guint *port);

typedef enum {
	DIAL_URI_REFUSED,
	DIAL_URI_PUBLIC, /* when its address is one of the Internet */
	DIAL_URI_NAMED	 /* wherever it is: the admin has named the host */
} DialUri;

/* What [sip] dial_uris says of this host (no brackets). */
DialUri dial_uri_policy(const Config *config, const char *host);
