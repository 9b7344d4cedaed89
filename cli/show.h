/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* show.h - what tandemctl prints: an answer, or what went wrong. */
#pragma once
#include <glib.h>

typedef enum { DONE = 0, FAILED = 1, WRONG = 2 } Status;

/* What a list is printed as, beside --json. */
typedef enum { SHOW_TABLE, SHOW_CSV, SHOW_JSON_LINES } ShowAs;
extern ShowAs show_as;

extern gboolean show_rows_alone; /* no headings, and nothing where there is no row */
extern gboolean show_in_json;	 /* whatever happens is said as an object */

/* Says what went wrong, and returns the status. */
Status complain(Status status, const char *format, ...) G_GNUC_PRINTF(2, 3);
Status show_reply(const char *reply, gboolean json);
guint terminal_columns(void); /* 0: no terminal */
