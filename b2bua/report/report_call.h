/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* report_call.h - the report of a call by its id, and the address at which HTTP shows it.
 *
 * The address has a key that follows from the id and a secret of this process, so it cannot be
 * guessed, and is good until the daemon ends.  Whoever may ask the control socket may hand it on.
 */
#pragma once
#include "b2bua/gateway.h"

/* Of a call that is live, what is known by now.  gateway NULL: no daemon runs.  NULL with an
 * error: there is no such call.  Thread: signalling. */
char *report_of_call(Gateway *gateway_or_null, Store *store, gint64 id, GError **error);

/* "/report/17?key=0123…", new.  Thread: any. */
char *report_path(gint64 id);
/* The same words as of report_path(), compared without telling by the time it takes.
 * Thread: any. */
gboolean report_key_is(gint64 id, const char *key_or_null);
