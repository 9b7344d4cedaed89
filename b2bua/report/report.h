/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report.h - a call as one page of HTML: who, why, the ladder, the sound over time, the record.
 *
 * The page refers to nothing outside and has no script.  It has the names, numbers and
 * addresses of both sides, so it is for an operator.
 */
#pragma once
#include "db/store.h"

/* Content-Security-Policy: nothing is loaded, nothing runs. */
#define REPORT_POLICY "default-src 'none'; style-src 'unsafe-inline'"

/* All that is known of it; `trouble`: what ails a call that is live, or NULL.  Thread: any
 * (pure). */
char *report_html(const CallRecord *record, const char *trouble_or_null);

/* It failed, or ended with more to say than its reason: what ends well says no more.
 * Thread: any (pure). */
gboolean report_is_bad(const CallRecord *record);

/* The parts; report_ladder.c and report_quality.c.  They append nothing when there is nothing. */
void report_ladder(GString *out, const char *ladder);
void report_connections(GString *out, const char *ladder);
void report_quality(GString *out, const char *ladder);
