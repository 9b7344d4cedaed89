/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_sip.h - one OPTIONS, and what is read of its answer.
 *
 * Thread: any (pure).  RFC 3261 11, 20.17.
 */
#pragma once
#include <glib.h>

typedef struct {
	guint status;
	gint64 date; /* s since 1970; 0: none */
} SipAnswer;

/* New; `local`: "192.0.2.1:5060", `domain`: of From. */
char *
sip_options_text(const char *transport, const char *local, const char *host, const char *domain);
/* A response as it came, which need not be whole; FALSE: it is none. */
gboolean sip_answer_read(const char *data, gsize length, SipAnswer *answer);
