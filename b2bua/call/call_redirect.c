/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_redirect.c - a callee's trunk sends the call to another number: leg_redirected().
 *
 * The target is another from then on: its charge, the use of the guard, the price on record.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/route/route_redirect.h"

static Party *
trunk_party(const Call *call, const Leg *leg)
{
	for (guint i = 0; call && i < call->callees->len; i++) {
		Party *party = call->callees->pdata[i];

		if (party->leg == leg && call_in_stage(call, party) && party->target &&
		    party->target->way.trunk)
			return party;
	}
	return NULL;
}

/* The plan's, which a party only reads. */
static Target *
own_target(const Call *call, const Party *party)
{
	const GPtrArray *targets = call_current_stage(call)->targets;

	for (guint i = 0; i < targets->len; i++)
		if (targets->pdata[i] == party->target)
			return targets->pdata[i];
	g_assert_not_reached(); /* a party of this stage is one of its targets' */
}

/* Of a call that its user has made the record says who was called, and that is another now.  Of
 * one that is sent on it says whom the caller has called. */
static void
count_as(Call *call, Party *party, Redirect *redirect)
{
	Target *target = own_target(call, party);

	charge_free(target->charge);
	target->charge = g_steal_pointer(&redirect->charge);
	call_count_use(call, party);
	if (!call_current_stage(call)->forwards) {
		g_free(call->record->callee);
		call->record->callee = g_strdup(redirect->number);
	}
	call_record_write(call);
}

/* No other way is tried: it would call what was dialled once more.  Who has called a user who sends
 * the call on is told nothing of the rules and limits of that user. */
static gboolean
refuse(Call *call, const Redirect *redirect, const char *number, Reason *reason, char **words)
{
	if (call_current_stage(call)->forwards && !call->reader)
		call->reader = g_strdup(call->plan->forwarder);
	call->is_last = TRUE;
	call_note(call, "not redirected to %s: %s",
		  redirect->number ? redirect->number
		  : number	   ? number
				   : "another address",
		  redirect->text);
	*reason = redirect->reason;
	*words = redirect_words(redirect, "the call");
	return FALSE;
}

/* What was dialled is not called any more, so it is not counted when the guard is asked. */
gboolean
leg_redirected(Leg *leg, const char *number, Reason *reason, char **words)
{
	Call *call = leg->call;
	Party *party = trunk_party(call, leg);
	const Target *target = party ? party->target : NULL;
	g_auto(Redirect) redirect = { 0 };

	*reason = REASON_NETWORK_ERROR;
	*words = NULL;
	if (!target)
		return FALSE;
	if (target->emergency)
		return TRUE;
	meter_end(g_steal_pointer(&party->use));
	route_redirect(call->gateway, target->charge ? target->charge->account : call->plan->user,
		       target->way.trunk, number, &redirect);
	if (redirect.reason != REASON_NONE)
		return refuse(call, &redirect, number, reason, words);
	count_as(call, party, &redirect);
	return TRUE;
}
