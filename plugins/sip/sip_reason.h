/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_reason.h - SIP statuses and Q.850 causes to Reason and back.
 *
 * Total in every direction.
 * Thread: any (pure).  RFC 3261 21, RFC 3326, RFC 3398, ITU-T Q.850.
 */
#pragma once
#include "b2bua/reason.h"

/* The final status for a leg that was not answered; `phrase` is static. */
guint sip_reason_to_status(Reason reason, const char **phrase);
Reason sip_reason_from_status(guint status);

guint sip_reason_to_q850(Reason reason);
Reason sip_reason_from_q850(guint cause);

/* The value of a Reason header; `text` is a line for a person, or NULL. */
char *sip_reason_to_header(Reason reason, const char *text);
/* FALSE when the header says nothing we know. */
gboolean sip_reason_from_header(const char *value, Reason *reason);
