/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_guard.h - what sofia-sip must never see.
 *
 * A message class in which a Contact, Route or Record-Route that is no SIP URI,
 * or a Via with maddr, cannot be parsed: such a request is answered 400, such a
 * response dropped.  It also takes away what would make nua act by itself where
 * the gateway decides: redirects, delayed retries, challenges it cannot answer.
 * Thread: signalling.  RFC 3261 16.12, 20.10, 20.30.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/su.h>

/* Session-Expires and Min-SE, in a header that nua does not know: "1800 90 uac",
 * 0 and "-" for what was not said.  `timer` is taken out of Require. */
#define GUARD_SESSION_TIMER "X-Session-Timer"

/* The first Contact of a 3xx, a SIP URI: nua would follow it wherever it points. */
#define GUARD_REDIRECT "X-Redirect"
#define GUARD_RETRY    "X-Retry" /* the seconds of Retry-After */

/* What msg_extract_errors() says of a bad Contact or Record-Route: nta has to let an answer
 * pass that has one, see guard_way_is_bad(). */
#define GUARD_WAY_ERROR 0x8000

/* For NTATAG_MCLASS(); lives as long as the process. */
msg_mclass_t const *guard_mclass(void);

/* The value of one of the two above, or NULL.  Lines of a peer by these names are
 * taken away; the value is as little to be trusted as what it stands for. */
const char *guard_kept(const sip_t *sip, const char *name);

/* Asked with the first line of every datagram before it is read (sip_datagram.h), and of every
 * request of a stream before anything of it is parsed.
 * FALSE: it is dropped without an answer.
 * NULL: nobody is asked. */
typedef gboolean (*GuardAskFunc)(gpointer user, const su_sockaddr_t *from, const char *line);
void guard_ask(GuardAskFunc func, gpointer user);

/* Asked with the method and the Call-ID of every request.  FALSE: it is taken for one of no
 * dialog and no transaction that we have.  NULL: nobody is asked. */
typedef gboolean (*GuardDialogFunc)(gpointer user, const su_sockaddr_t *from, sip_method_t method,
				    const char *call_id);
void guard_ask_dialog(GuardDialogFunc func, gpointer user);

/* What that answer was, of a Call-ID that has been parsed. */
gboolean guard_let_in(const sip_call_id_t *call_id);

/* Of an answer: it has a Contact or a route that nothing can be sent to, and is as if it had
 * none.  Were it dropped, the call would ring on here and be one that only its other end knows
 * of. */
gboolean guard_way_is_bad(const sip_t *answer);

/* Headers that could not stand, so far. */
guint64 guard_refused(void);
