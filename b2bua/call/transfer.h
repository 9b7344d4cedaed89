/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transfer.h - one side of an answered call gives way to somebody else.
 *
 *   blind      he asks us to call a target (REFER): a second call, whose caller
 *              the gateway plays; when it is answered the two calls are joined
 *   attended   he has two calls and asks that their far ends talk to each other
 *   takeover   another device of his takes his place (INVITE with Replaces, a JMI
 *              migration): a second call, whose callee the gateway plays
 *
 * In each there are two calls.  The `first` goes on; the `second` hands one side
 * over, with its leg and its port, and ends.  So whom a target is, what it costs and
 * who may call it is decided where all calls are decided.
 *
 * A Transfer belongs to its calls: each knows it while it takes part, and the last
 * that lets go frees it.
 * Thread: signalling.  RFC 3515, RFC 3891, RFC 5589.
 */
#pragma once
#include "b2bua/call/call.h"

typedef struct Transfer Transfer;

/* --- actions of the table --- */
struct CallEvent; /* call_private.h */
void transfer_begin(Call *call, const struct CallEvent *event);
void transfer_refuse(Call *call, const struct CallEvent *event);
void transfer_join(Call *call, const struct CallEvent *event);
void transfer_give_up(Call *call, const struct CallEvent *event);
void transfer_leg_ended(Call *call, const struct CallEvent *event);

/* --- and beside it --- */
/* The media of a side of this call is up. */
void transfer_note_up(Transfer *transfer, const Call *call);
/* This call ends, so. */
void transfer_forget(Call *call, Reason reason, const char *words);
