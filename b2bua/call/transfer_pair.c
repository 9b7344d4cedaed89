/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transfer_pair.c - the two calls of a transfer: who knows it, who has let go.
 *
 * What the second one has to say to the first goes into the first one's queue.  The two change
 * each other in the joining alone (transfer.c).
 * Thread: signalling.
 */
#include "b2bua/call/transfer_private.h"

Transfer *
transfer_new(TransferKind kind, Call *first, Party *leaving)
{
	Transfer *transfer = g_new0(Transfer, 1);

	transfer->kind = kind;
	transfer->first = first;
	transfer->leaving = leaving;
	first->transfer = transfer;
	return transfer;
}

void
transfer_set_second(Transfer *transfer, Call *second)
{
	transfer->second = second;
	second->transfer = transfer;
}

void
transfer_free_when_done(Transfer *transfer)
{
	if (transfer->first || transfer->second || transfer->played.call)
		return;
	timer_clear(&transfer->idle);
	g_free(transfer);
}

void
transfer_let_go_of_second(Transfer *transfer)
{
	if (transfer->second)
		transfer->second->transfer = NULL;
	transfer->second = NULL;
}

void
transfer_let_go_of_first(Transfer *transfer)
{
	if (transfer->first)
		transfer->first->transfer = NULL;
	transfer->first = NULL;
}

static void
on_idle(gpointer user)
{
	Transfer *transfer = user;

	if (transfer->first)
		call_post(transfer->first, (CallEvent){ .kind = EVENT_TRANSFER_ANSWERED });
}

void
transfer_join_soon(Transfer *transfer)
{
	if (!transfer->idle)
		timer_set(&transfer->idle, 0, on_idle, transfer);
}

/* The first call, if there is one to be told, lets go in its turn. */
void
transfer_fail(Transfer *transfer, Reason reason, const char *words)
{
	if (transfer->first)
		call_post(transfer->first, (CallEvent){ .kind = EVENT_TRANSFER_FAILED,
							.reason = reason,
							.text = g_strdup(words) });
	else
		transfer_free_when_done(transfer);
}

/* Nobody is left to talk to. */
void
transfer_end_second(Transfer *transfer, Reason reason)
{
	transfer_let_go_of_second(transfer);
	if (transfer->played.call)
		leg_ended(&transfer->played, reason, NULL);
}

void
transfer_forget(Call *call, Reason reason, const char *words)
{
	Transfer *transfer = call->transfer;

	if (!transfer)
		return;
	if (call == transfer->first) {
		transfer_let_go_of_first(transfer);
		transfer_end_second(transfer, REASON_HANGUP);
		transfer_free_when_done(transfer);
	} else {
		transfer_let_go_of_second(transfer);
		if (!transfer->played.call) /* otherwise it is hung up next, and says so */
			transfer_fail(transfer, reason, words);
	}
}
