/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_request.h - requests as they come, before sofia keeps anything for them.
 *
 * How many are looked at: of each dialog of ours so many a second, of each source so many
 * outside of one (sip_source.h); what is beyond is dropped without an answer, and costs no
 * memory.  An ACK ends what has been looked at and is never dropped here.
 *
 * What needs no transaction (sip_method.h) is answered without one (RFC 3261 8.2.7).  Sent again
 * it is answered again, with the same tag.  What is odd about a request is sofia's to say.
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/dialog/sip_leg.h"
#include <sofia-sip/tport.h>

/* Of one dialog: keys by INFO, refreshes, transfers; and as many again at once. */
#define REQUESTS_OF_DIALOG 50

/* A whole message.  TRUE: it has been dealt with, and is gone. */
gboolean requests_take(SipUa *ua, tport_t *transport, msg_t *message);
