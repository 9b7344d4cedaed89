/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_guard.h - what sofia-sip must never see.
 *
 * A message class whose last parsing step looks at the whole message first.
 * A request with a Contact or Record-Route that is no SIP URI is answered 400;
 * from a response such headers are taken away.  It also takes away what would
 * make nua act by itself where the gateway wants to decide: redirects, delayed
 * retries, challenges it cannot answer.
 * Thread: signalling.  RFC 3261 16.12, 20.10, 20.30.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/msg_mclass.h>

/* For NTATAG_MCLASS(); lives as long as the process. */
msg_mclass_t const *guard_mclass(void);

/* What the guard does to one parsed message: FALSE when it must be refused. */
gboolean guard_message(msg_t *msg, sip_t *sip);

/* The messages refused, and the headers taken away, so far. */
guint64 guard_refused(void);
guint64 guard_stripped(void);
