/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* log_line.h - a log record for a program: as a JSON line, or with fields for the journal.
 *
 * What a record is about is read from its words, which have one form ("call 12: …", "audit: …"),
 * so that nobody who logs has to say it twice.  Pure.  Thread: any.
 */
#pragma once
#include <glib.h>

typedef enum {
	LOG_AUTO, /* the journal where standard error is the journal, otherwise text */
	LOG_TEXT,
	LOG_JSON,
	LOG_JOURNAL,
} LogFormat;

gboolean log_format_find(const char *name, LogFormat *format); /* "auto" … "journal" */

/* The id of the call that the words are about; 0: none. */
gint64 log_line_call(const char *message);
/* systemd.journal-fields(7): 32 hexadecimal digits that stay; NULL: it has none. */
const char *log_line_message_id(const char *message);
/* {"time":"2026-11-29T10:00:00.123456Z","level":"warning","message":"…","call":12}.  New;
 * without the line feed. */
char *log_line_json(GLogLevelFlags level, const char *message, gint64 now_us);
