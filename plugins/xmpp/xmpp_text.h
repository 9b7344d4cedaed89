/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_text.h - chat with a number: what a user writes goes to the core as a text.
 *
 * Every message of his that stands for something is either taken, and nothing is said, or he
 * is told in words why not, since his client would show it as sent.
 * Thread: signalling.  RFC 6120 section 8.3, RFC 6121 sections 5.2.2 and 8.5.
 */
#pragma once
#include "plugins/xmpp/xmpp_leg.h"

/* What a person was told already, and whose texts the core has not answered yet. */
XmppTexts *xmpp_texts_new(void);
void xmpp_texts_free(XmppTexts *texts); /* NULL is fine; what is answered later is dropped */

/* FALSE: the account has sent it before, as clients do whose connection broke. */
gboolean xmpp_text_is_first(Xmpp *xmpp, const xmlNode *message, const char *account);
/* It was not taken. */
void xmpp_text_may_come_again(Xmpp *xmpp, const xmlNode *message, const char *account);

/* TRUE: it answers a question of the gateway, and has been taken. */
gboolean
xmpp_text_answers(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to);
/* What an enabled user writes that is neither a key nor such an answer. */
void xmpp_text_take(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to);
void xmpp_text_unread(Xmpp *xmpp, const xmlNode *message); /* whether he is, is not known */
void xmpp_text_stranger(Xmpp *xmpp, const xmlNode *message);
