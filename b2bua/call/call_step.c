/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_step.c - one step: an event, its cell of the table, and what must hold
 * when it is done.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

#ifndef G_DISABLE_ASSERT
/* What holds in each state when nothing waits in the queue. */
static void
call_check(const Call *call)
{
	guint legs = 0;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		legs += party->leg != NULL;
		g_assert(!party->leg || party->leg->call == call);
		g_assert(!party->leg || call_in_stage(call, party));
	}
	g_assert((call->asked != NULL) == (call->state == CALL_CHANGING));
	if (call->state == CALL_ENDED) {
		g_assert(legs == 0 && !call->caller->leg && call->record->reason);
		return;
	}
	g_assert(call->media);
	if (call->state != CALL_TRANSFERRING)
		g_assert(call->caller->leg && call->caller->leg->call == call);
	switch (call->state) {
	case CALL_SETUP:
		g_assert(legs == 0 && !call->callee);
		break;
	case CALL_CALLING:
	case CALL_RINGING:
		g_assert(legs > 0 && !call->callee && call->caller->ours);
		break;
	case CALL_CONNECTING:
		g_assert(call->answered_us == 0);
		g_assert(legs == 1 && call->callee->leg && call->callee->remote);
		break;
	case CALL_ACTIVE:
	case CALL_CHANGING:
		g_assert(call->answered_us != 0);
		g_assert(legs == 1 && call->callee->leg);
		g_assert(call->state != CALL_ACTIVE ||
			 (call->caller->debt != DEBT_CHANGE && call->callee->debt != DEBT_CHANGE));
		g_assert(call->caller->local && call->callee->local && call->callee->remote);
		g_assert(call->caller->remote || call->caller->debt == DEBT_ANSWER);
		break;
	case CALL_TRANSFERRING: /* one may have gone */
		g_assert(call->transfer && legs + (call->caller->leg != NULL) > 0);
		break;
	default:
		break;
	}
}
#else
#define call_check(call) ((void)(call))
#endif

gboolean
call_is_stale(const Call *call, const CallEvent *event)
{
	const Party *party = event->party;

	if (event->kind == EVENT_TIMEOUT)
		return event->deadline != call->deadline;
	if (!party)
		return FALSE;
	if (event->port != 0 && event->port != party->port)
		return TRUE;
	if (party->side == SIDE_CALLEE && !call_in_stage(call, party))
		return TRUE;
	switch (event->kind) {
	case EVENT_RINGING:
		return !party->leg || party->side == SIDE_CALLER;
	case EVENT_CALLER_ANSWERED:
	case EVENT_CALLEE_ANSWERED:
	case EVENT_CHANGED:
		return !party->leg;
	default:
		return FALSE;
	}
}

static void
handle(Call *call, const CallEvent *event)
{
	const CallCell *cell = call_cell(call->state, event->kind);

	if (!cell->action) {
		gateway_count(call->gateway, COUNTER_EVENTS_IGNORED);
		call_note(call, "ignored: %s", call_event_name(event->kind));
		return;
	}
	if (cell->moves)
		call_enter(call, cell->next);
	cell->action(call, event);
}

void
call_step(Call *call, const CallEvent *event)
{
	if (call->state != CALL_ENDED && !call_is_stale(call, event))
		handle(call, event);
	if (g_queue_is_empty(&call->events))
		call_check(call);
}
