/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_disco.h - what we can, said to whoever asks; and what a peer can.
 *
 * Answers are the same for everybody and keep no state.  What peers can is
 * remembered by caps hash, when the hash is that of the answer, and is bounded.
 * Thread: signalling.  XEP-0030, XEP-0115.
 */
#pragma once
#include "plugins/xmpp/xmpp_iq.h"

typedef struct XmppDisco XmppDisco;

/* `services`: we tell of STUN and TURN servers too (xmpp_extdisco.h). */
XmppDisco *xmpp_disco_new(const char *domain, XmppIq *iq, gboolean services);
void xmpp_disco_free(XmppDisco *disco); /* NULL is fine */

/* The answer to a disco#info, disco#items, ping or version request, to be freed;
 * NULL when it is none of these.  `known` says whether its `to` exists. */
xmlNode *xmpp_disco_answer(const XmppDisco *disco, const xmlNode *iq, gboolean known);

/* <c/> for a presence of the domain or of a number's full JID. */
xmlNode *xmpp_disco_caps(const XmppDisco *disco, gboolean is_domain);

/* What the sender of a presence can (XmppCan), told exactly once and maybe at
 * once: from the cache, else asked for, from `us`.  0 when nobody knows. */
typedef void (*XmppDiscoDone)(gpointer user, const char *jid, guint can);
void xmpp_disco_ask(XmppDisco *disco, const char *us, const xmlNode *presence, XmppDiscoDone done,
		    gpointer user);
