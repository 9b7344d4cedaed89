/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_iq.h - requests we have sent and not yet heard about.
 *
 * An entry lives from xmpp_iq_send() to its answer, its timeout or
 * xmpp_iq_free(), and its callback runs exactly once, never from inside
 * xmpp_iq_send().  Nothing here knows what is being asked.
 * Thread: signalling.  RFC 6120 section 8.2.3.
 */
#pragma once
#include "plugins/xmpp/xml.h"

typedef struct XmppIq XmppIq;

/* How the stanza leaves; `iq` is borrowed. */
typedef void (*XmppIqSend)(gpointer user, const xmlNode *iq);
/* The answer, a result or an error, borrowed; NULL when there was none in time,
 * too many are in flight, or we are stopping. */
typedef void (*XmppIqDone)(gpointer user, const xmlNode *answer);

XmppIq *xmpp_iq_open(guint max, XmppIqSend send, gpointer user);
void xmpp_iq_free(XmppIq *iq); /* NULL is fine */

#define XMPP_IQ_TIMEOUT_S 30
/* Takes `request`, an <iq/> with `to`; gives it its id. */
void xmpp_iq_send(XmppIq *iq, xmlNode *request, XmppIqDone done, gpointer user);
/* Callbacks with this user data will not come: their entries forget it. */
void xmpp_iq_forget(XmppIq *iq, gpointer user);
/* TRUE when this result or error answers a request of ours. */
gboolean xmpp_iq_answer(XmppIq *iq, const xmlNode *answer);
guint xmpp_iq_waiting(const XmppIq *iq);
