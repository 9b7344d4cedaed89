/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_outbox.h - texts to the clients of an account.
 *
 * XEP-0114 acknowledges nothing.  So behind the texts that were written a ping is sent to
 * ourselves: a server sees to the stanzas of one stream in their order, so when the ping is
 * here again, it has the texts, and they are SENT.  One ping is on its way at a time, for all
 * that was written before it, and as many texts as a server takes between two pings go at
 * once: a flood has the pace of the server.  When the stream ends first, or the ping is lost,
 * nobody knows: they are sent again, under the same ids.
 * Thread: signalling.  RFC 6120 section 10.1, XEP-0184, XEP-0199.
 */
#pragma once
#include "b2bua/text.h"
#include "plugins/xmpp/xmpp_leg.h"

XmppOutbox *xmpp_outbox_new(Xmpp *xmpp);
void xmpp_outbox_free(XmppOutbox *outbox); /* NULL is fine; the core is told nothing */

void xmpp_outbox_send(XmppOutbox *outbox, const Text *text);
/* The stream is there; it has gone. */
void xmpp_outbox_up(XmppOutbox *outbox);
void xmpp_outbox_down(XmppOutbox *outbox);
/* TRUE when it is our ping, or what a server makes of it: nothing is to be answered. */
gboolean xmpp_outbox_ping(XmppOutbox *outbox, const xmlNode *iq, const Address *from);
/* XEP-0184: a client of the account has a message of that id. */
void xmpp_outbox_received(XmppOutbox *outbox, const Address *from, const char *id);
/* A message of ours came back. */
void xmpp_outbox_bounced(XmppOutbox *outbox, const xmlNode *message, const Address *from);
guint xmpp_outbox_waiting(const XmppOutbox *outbox); /* of which it is not known */
