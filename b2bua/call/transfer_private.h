/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transfer_private.h - the inside of a transfer, for transfer.c and transfer_pair.c alone.
 *
 * Thread: signalling.
 */
#pragma once
#include "b2bua/call/call_private.h"
#include "b2bua/call/transfer.h"

typedef enum { BLIND, ATTENDED, TAKEOVER } TransferKind;

struct Transfer {
	Leg played; /* first; the side of `second` that we play; without a call in ATTENDED */
	TransferKind kind;
	Call *first, *second; /* NULL: has let go */
	Party *leaving;	      /* of the first */
	Party *asking;	      /* of the second: the same person, ATTENDED */
	Timer *idle;
};

Transfer *transfer_new(TransferKind kind, Call *first, Party *leaving);
void transfer_set_second(Transfer *transfer, Call *second);
void transfer_let_go_of_first(Transfer *transfer);
/* Nobody is left to talk to: lets go of it, and hangs up the leg that we play there. */
void transfer_end_second(Transfer *transfer, Reason reason);
void transfer_let_go_of_second(Transfer *transfer);
void transfer_free_when_done(Transfer *transfer);
/* From the main loop, when neither call is busy. */
void transfer_join_soon(Transfer *transfer);
/* The first call, if there is one to be told, lets go in its turn. */
void transfer_fail(Transfer *transfer, Reason reason, const char *words);
