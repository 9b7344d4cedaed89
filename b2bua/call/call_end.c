/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_end.c - the end of a call, and of one side of it.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_metrics.h"
#include "b2bua/call/call_private.h"
#include "b2bua/call/transfer.h"

#define SETTLE_MS 1000 /* how long an ended call waits for its last counters */

void
call_let_go(Call *call, Party *party, Reason reason, const char *text)
{
	leg_command_hangup(call, party, reason, text);
	party_drop_port(call, party);
	if (call->early == party)
		call->early = NULL;
}

static void
on_settled(gpointer user)
{
	Call *call = user;

	call_closed(call);
}

/* What the operator reads stays with him. */
static void
hang_up(Call *call, Party *party, Reason reason, const Why *why)
{
	g_autofree char *text = why_for(why, party);

	leg_command_hangup(call, party, reason, text);
}

void
call_end(Call *call, Reason reason, const char *words, EndedBy by)
{
	g_auto(Why) why = { 0 };
	g_autofree char *text = NULL;

	if (call->state == CALL_ENDED)
		return;
	why_of_end(call, reason, words, by, &why);
	text = why_for_operator(&why);
	call_forget_change(call);
	call_stop_keys(call);
	transfer_forget(call, reason, call->reader ? NULL : words);
	call_enter(call, CALL_ENDED);
	call_note(call, "%s", text);
	call_record_end(call, reason, text, by);
	call_metrics_ended(call, reason_name(reason));
	hang_up(call, call->caller, reason, &why);
	for (guint i = 0; i < call->callees->len; i++)
		hang_up(call, call->callees->pdata[i], reason, &why);
	call_notice(call, &why, by);
	call_media_finish(call);
	if (call->stats_wanted > 0)
		timer_set(&call->timer, SETTLE_MS, on_settled, call);
}

void
call_end_by_leg(Call *call, const CallEvent *event)
{
	EndedBy by = event->failed		    ? BY_GATEWAY
		     : event->party == call->caller ? BY_CALLER
						    : BY_CALLEE;
	Reason reason = event->reason;

	if (call->answered_us == 0 && by == BY_CALLER && reason == REASON_HANGUP)
		reason = REASON_CANCELLED;
	if (call->answered_us != 0 && reason == REASON_CANCELLED)
		reason = REASON_HANGUP;
	call->about = event->party;
	call_end(call, reason, event->text, by);
}
