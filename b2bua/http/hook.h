/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hook.h - tells the program or URL of [records] hook of each call that has ended.
 *
 * The database has a line for each such call, written with the record (db/schema/0023.sql), and
 * keeps the line until the hook has taken it: a restart, kill -9 or an outage of the hook loses
 * none.  Lines are told in order, one try at a time, and each at least once: a line whose taking
 * was not yet written when the daemon was killed is told again, with the same id.
 *
 * While the hook fails it is tried again after 1 s, doubled up to HOOK_RETRY_MOST_S.  A line is
 * dropped when it is older than hook_hours, when more than HOOK_LINES wait, or when the
 * hook has refused that very line HOOK_REFUSALS times; the log and a counter say so.
 *
 * The thread is its own, with a connection of its own to the database; the signalling thread
 * never waits for it.  Thread: hook_start() and hook_stop(): signalling.
 */
#pragma once
#include "b2bua/gateway.h"

#define HOOK_RETRY_MOST_S 300
#define HOOK_LINES	  100000
#define HOOK_REFUSALS	  3
#define HOOK_TRY_S	  30 /* a try takes no longer */

typedef struct Hook Hook;

/* By [records] hook, which is set. */
Hook *hook_start(Gateway *gateway, GError **error);
void hook_stop(Hook *hook); /* NULL is fine; what is not taken is told after the next start */
