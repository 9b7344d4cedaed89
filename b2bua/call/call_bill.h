/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_bill.h - a telephone that was called through a trunk goes on in another call.
 *
 * The record of its own call ends with the transfer, and that of the other call is of somebody
 * else's minutes: what it talks and costs from then on has a record to itself.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/route/route.h"
#include "db/store.h"

typedef struct Bill Bill;

/* From now on; `before` is the record of its own call.  NULL: it is not by a trunk, or it cannot
 * be written, which is in the log. */
Bill *bill_begin(Gateway *gateway, const CallRecord *before, const Target *target);
/* It has ended.  NULL is fine. */
void bill_end(Bill *bill);
