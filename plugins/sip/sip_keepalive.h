/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_keepalive.h - keeps the way to registered phones open through their NATs.
 *
 * Each phone that has registered by UDP is asked with OPTIONS twice in `[sip]
 * keepalive`, so that one of the two may be lost.  Nothing is kept of a request and
 * nothing is repeated: phones that are gone cost as little as those that answer.  The
 * requests are spread evenly over the time: answers that come together overflow the socket.
 *
 * Thread: signalling.  Owner: the user agent.
 */
#pragma once
#include "plugins/sip/sip_root.h"

typedef struct KeepAlive KeepAlive;

/* Begins at once; NULL when the admin wants none. */
KeepAlive *keepalive_new(SipUa *ua);
void keepalive_free(KeepAlive *keepalive); /* NULL is fine */
