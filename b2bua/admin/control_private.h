/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_private.h - what the control socket and its tests see of control.c.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/control.h"
#include "b2bua/admin/handlers.h"

#define CONTROL_MAX_LINE_BYTES 65536
#define CONTROL_MAX_WORDS      64

/* One request line and its reply, in portions: appends the next; FALSE: that was the last. */
typedef struct Reply Reply;
Reply *reply_new(Gateway *gateway, Store *store, const char *who, const char *line);
gboolean reply_next(Reply *reply, GString *out);
/* The next portion is still being found out: after so many ms; 0: at once. */
guint reply_pause_ms(const Reply *reply);
/* Another process writes; nothing was changed, and it may be tried again. */
gboolean reply_is_busy(const Reply *reply);
void reply_free(Reply *reply);		/* NULL is fine */
char *control_refusal(const char *why); /* a reply of its own, with its newline */
