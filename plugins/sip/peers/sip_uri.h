/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_uri.h - calls to a SIP address outside, which is no trunk's.
 *
 * Its host is found as RFC 3263 has it, and asked for nothing: no registration, no
 * password.  Unless the admin has named it, it must be on the Internet, so that
 * nobody reaches a private network through the gateway.
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/dialog/sip_leg.h"

void uri_dial(SipLeg *leg, const Target *target, const Desc *offer);

/* TRUE for a numeric host that is not on the Internet: a request is not sent there, but
 * where the call has gone, which is what gets through a NAT of theirs, too. */
gboolean uri_is_private(const url_t *url);

/* FALSE for loopback, private, shared, link-local, multicast and reserved addresses
 * (RFC 6890). */
gboolean uri_address_is_public(GInetAddress *address);
