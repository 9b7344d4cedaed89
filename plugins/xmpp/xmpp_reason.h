/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_reason.h - why a call ended, as Jingle and JMI say it.
 *
 * One table each way; both are total.
 * Thread: any (pure).  XEP-0166 section 7.4, XEP-0353.
 */
#pragma once
#include "b2bua/reason.h"

/* Name of the element in <reason/>: never NULL. */
const char *xmpp_reason_to_jingle(Reason reason);

/* What a name means depends on who says it, and when. */
typedef enum {
	MOMENT_CALLER_GIVES_UP, /* unanswered, said by the caller */
	MOMENT_CALLEE_REFUSES,	/* unanswered, said by the callee */
	MOMENT_ANSWERED,
	N_MOMENTS
} XmppMoment;

/* Of a session-terminate, retract or finish.  NULL for no reason; underscores
 * for hyphens and unknown names occur: a normal end. */
Reason xmpp_reason_from_jingle(const char *name, XmppMoment moment);

/* Of a <reject/> `seconds` after our <propose/>.  Clients reject by themselves
 * when nobody has answered for about 30 s, without saying so. */
#define XMPP_REASON_NO_ANSWER_S 28
Reason xmpp_reason_from_reject(const char *name, guint seconds);
/* Of the stanza error a request of ours (or our bounced propose) got. */
Reason xmpp_reason_from_error(const char *condition);

/* For tests that the tables are complete: every name of XEP-0166, in order. */
const char *xmpp_reason_jingle_name(guint n); /* NULL after the last */
