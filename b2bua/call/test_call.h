/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test_call.h - the gateway calls an account, and whoever answers hears himself.
 *
 * Afterwards the person reads in the chat with the gateway how the call was, or why there was
 * none (call_notice.c).  It ends by itself after TEST_CALL_S.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

#define TEST_CALL_S 60

/* An account that is served here; `device` is a full JID, the only one that rings; NULL: all that
 * it has.  Why not, static, when another one goes on, there were too many in this minute, or nobody
 * can be called; else NULL. */
const char *test_call(Gateway *gateway, const char *account, const char *device);
