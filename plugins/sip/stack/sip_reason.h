/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_reason.h - why a call ended, as SIP and the telephone network say it.
 *
 * One table each way; all of them are total.
 * Thread: any (pure).  RFC 3261 section 21, RFC 3326, ITU-T Q.850, RFC 3398.
 */
#pragma once
#include "b2bua/reason.h"

/* The final status for an unanswered call: 400 to 699; *phrase, if wanted, is
 * static. */
guint sip_reason_to_status(Reason reason, const char **phrase);
/* Of a final response to our INVITE.  3xx is not followed. */
Reason sip_reason_from_status(guint status);

guint sip_reason_to_q850(Reason reason);  /* 1 to 127 */
Reason sip_reason_from_q850(guint cause); /* any number */

/* The value of a Reason header for BYE, CANCEL or a final response; `text`, one
 * line in the words of whoever ended the call, may be NULL.  Newly allocated. */
char *sip_reason_to_header(Reason reason, const char *text);

/* What a Reason header says: an answer elsewhere before the Q.850 cause before
 * the SIP status.  FALSE when it says nothing we know; NULL is fine. */
gboolean sip_reason_from_header(const char *value, Reason *reason);
