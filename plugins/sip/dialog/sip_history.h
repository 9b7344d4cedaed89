/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_history.h - who has sent a call on: read before it comes to us, written when
 * it goes out again.
 *
 * Networks write Diversion (RFC 5806) or History-Info (RFC 7044, 4244), some both.
 * Of the second only entries that were sent on count, and not those of one number
 * at several hosts.
 * Thread: any (pure).
 */
#pragma once
#include <sofia-sip/sip.h>
#include "b2bua/leg.h"

#define HISTORY_MAX 8 /* entries that are kept; more are counted */

/* User parts of those who have sent it on, the first one first; NULL: nobody.
 * `count` is how often it was, which may be more.  g_strfreev(). */
char **history_read(const sip_t *sip, guint *count);

/* Both headers, whole lines, for a call that is sent on to `called`. */
char *history_write(const Diversion *diversion, const char *called, const char *domain);
