/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_network.h - the addresses and networks that somebody calls from.
 *
 * Each was written as such, or belongs to a name that was looked up and may be
 * looked up again.
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>

typedef struct Networks Networks;

Networks *networks_new(void);
void networks_free(Networks *networks); /* NULL is fine */
guint networks_size(const Networks *networks);

/* One more, up to 64: `mask` is taken; `name` is whose it is, NULL when it was
 * written as an address. */
void networks_add(Networks *networks, GInetAddressMask *mask, const char *name);
void networks_add_address(Networks *networks, GInetAddress *address, const char *name);
void networks_drop(Networks *networks, const char *name); /* all of that name */

/* Bits of the narrowest that holds the address (::ffff:192.0.2.1 is 192.0.2.1), or -1. */
int networks_match(const Networks *networks, GInetAddress *address);
/* Whether it is of the same subscriber as one of these: of IPv6 the first 64 bits. */
gboolean networks_are_near(const Networks *networks, GInetAddress *address);

/* "192.0.2.0/24", "2001:db8::1" as written; NULL for a name. */
GInetAddressMask *network_parse(const char *word);
