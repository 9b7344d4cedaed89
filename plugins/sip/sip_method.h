/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_method.h - the requests that we know: who may send them, and what is done then.
 *
 * One table says it all.  What Allow says, what sofia is told to leave to us, and what is
 * answered by 405 or 501 is read from it.
 * Thread: signalling.  RFC 3261 8.2.1, 20.5.
 */
#pragma once
#include "plugins/sip/sip_root.h"
#include "plugins/sip/stack/sip_reply.h"

/* The names in `ua`; both are the user agent's from now on. */
void methods_begin(SipUa *ua);
void methods_end(SipUa *ua);

/* Outside of a dialog.  FALSE: sofia has a transaction to make for it, and it comes again with
 * a handle; of one that has it is never FALSE. */
gboolean methods_serve(SipUa *ua, Reply *reply, const SipEvent *event);
/* In the dialog of this handle.  FALSE: it is the leg's. */
gboolean methods_serve_inside(SipUa *ua, SipLeg *leg, nua_handle_t *nh, const SipEvent *event);
