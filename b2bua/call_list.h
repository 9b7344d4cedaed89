/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_list.h - the live calls of one account, of one number, or through one trunk.
 *
 * For the operator, who switches off or deletes one: what was allowed to begin must not go
 * on.  The functions that end calls say how many there were.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

/* He calls, is called, or has sent it on; `text` is read by both sides. */
guint calls_end_of(Gateway *gateway, const char *account, const char *text);
/* A number of ours is called, or shown to who is called. */
guint calls_with_number(Gateway *gateway, const char *number);
guint calls_end_with_number(Gateway *gateway, const char *number, const char *text);
guint calls_by_trunk(Gateway *gateway, const char *trunk);
guint calls_end_by_trunk(Gateway *gateway, const char *trunk, const char *text);
