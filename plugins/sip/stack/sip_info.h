/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_info.h - keys in the body of an INFO, in the two forms that are about.
 *
 *   application/dtmf-relay   Signal=5 / Duration=160, a line each
 *   application/dtmf         5
 *
 * Neither is in an RFC; both are what telephones and gateways send.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

#define INFO_RELAY "application/dtmf-relay"
#define INFO_PLAIN "application/dtmf"

/* What to say to an INFO with that body, 200, 400 or 415 (RFC 6086 4.2.2), and in `key` what
 * it presses, or 0.  Without a body it asks whether we are there. */
guint info_answer(const char *content_type, const char *body, gsize length, char *key);

/* '0'-'9' '*' '#' 'A'-'D', or 0: no key, or no body of these types.  Event
 * numbers ("10" is *) are taken as well. */
char info_key(const char *content_type, const char *body, gsize length);
char *info_body(const char *content_type, char key); /* newly allocated */
