/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* service.h - the daemon as a service of the system: what systemd is told, and how.
 *
 * Without systemd (NOTIFY_SOCKET, WATCHDOG_USEC and JOURNAL_STREAM are not set) nothing is said
 * and nothing is watched.  Thread: signalling.  sd_notify(3), sd-daemon(3).
 */
#pragma once
#include <glib.h>
#include "b2bua/log_line.h"

/* "READY=1" and the like; several lines are fine. */
void service_notify(const char *state);

/* Says that the main loop turns, as often as the unit's WatchdogSec asks; a loop that stands
 * says nothing, and systemd ends the process. */
void service_watch_start(void);
void service_watch_stop(void);

/* The end has begun and may take `seconds`, whatever the unit's TimeoutStopSec. */
void service_stopping(guint seconds);

/* Why the daemon does not start: a line on standard error, with the priority of an error when
 * the journal reads it. */
void service_fatal(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* One log record to the journal, under the name of the daemon and with the fields of log_line.h,
 * or as a JSON line to standard error.  FALSE: it is to be written as text, or there is no
 * journal.  Thread: any. */
gboolean
service_log(LogFormat format, GLogLevelFlags level, const GLogField *fields, gsize n_fields);
