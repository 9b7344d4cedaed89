/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_list.h - the live calls of one account, of one number, or through one trunk.
 *
 * For the operator, who switches off or deletes one: what was allowed to begin must not go
 * on.  calls_end() says how many there were.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

typedef enum {
	CALLS_OF_ACCOUNT,  /* he calls, is called, or has sent it on */
	CALLS_WITH_NUMBER, /* a number of ours is called, or shown to who is called */
	CALLS_BY_TRUNK
} CallsBy;

guint calls_count(Gateway *gateway, CallsBy by, const char *key);
guint calls_end(Gateway *gateway, CallsBy by, const char *key, const char *text); /* both read it */
