/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_stage.c - who is rung together, and who is tried next: a stage of the plan.
 *
 * Thread: signalling.  RFC 3261 16.7.
 */
#include "b2bua/call/admission.h"
#include "b2bua/call/call_private.h"

static gboolean
stage_is_over(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (call_in_stage(call, call->callees->pdata[i]))
			return FALSE;
	return TRUE;
}

static void
refuse_with(Call *call, const Party *refuser, Reason reason, const char *words, EndedBy by)
{
	if (reason_more_telling(call->refusal, reason) == call->refusal)
		return;
	call->refusal = reason;
	g_free(call->refusal_words);
	call->refusal_words = g_strdup(words);
	call->refused_by = by;
	call->refuser = refuser;
}

static char *
refusal_text(const Call *call)
{
	g_auto(Why) why = { 0 };

	why_of_end(call, call->refusal, call->refusal_words, call->refused_by, &why);
	return cause_for_operator(why.cause, &why.facts);
}

/* A party keeps on counting when a transfer takes him into another call. */
static void
on_used_up(gpointer user, const char *reader, const char *words)
{
	const Party *party = user;
	Call *call = party->leg ? party->leg->call : NULL;

	if (call)
		call_hangup_for(call, REASON_HANGUP, words, reader);
}

void
call_count_use(Call *call, Party *party)
{
	const Target *target = party->target;

	if (target->charge)
		party->use = meter_begin(gateway_parts(call->gateway)->meter, target->charge,
					 target->way.trunk, on_used_up, party);
}

/* A port for each target; they are dialled when all ports are ready. */
void
call_prepare_stage(Call *call)
{
	const Stage *stage = call_current_stage(call);

	for (guint i = 0; i < stage->targets->len; i++) {
		const Target *target = stage->targets->pdata[i];
		Party *party = call_add_party(call, SIDE_CALLEE, target->plugin->transport, target);

		party->stage = call->stage;
		party->account = g_strdup(target->account);
		party->device = g_strdup(target->device);
		call_count_use(call, party);
	}
}

/* Devices of a user that ring one after the other. */
static gboolean
goes_on_unanswered(const Call *call)
{
	return call_current_stage(call)->then_others &&
	       (call->refusal == REASON_NO_ANSWER || call->refusal == REASON_UNREACHABLE);
}

/* What a forward is chosen for; a network that fails is one that cannot be reached. */
static Reason
forward_reason(Reason refusal)
{
	if (refusal == REASON_BUSY || refusal == REASON_NO_ANSWER)
		return refusal;
	if (refusal == REASON_UNREACHABLE || refusal == REASON_TIMEOUT ||
	    reason_is_network(refusal))
		return REASON_UNREACHABLE;
	return REASON_NONE;
}

/* The stage that comes after a refusal; the number of stages when none does. */
static guint
next_way(const Call *call)
{
	const GPtrArray *stages = call->plan->stages;
	const Stage *next = call->stage + 1 < stages->len ? stages->pdata[call->stage + 1] : NULL;
	Reason when = forward_reason(call->refusal);

	if (call->is_last)
		return stages->len;
	if (next && next->forward_when == REASON_NONE &&
	    (reason_is_network(call->refusal) || goes_on_unanswered(call)))
		return call->stage + 1;
	if (when == REASON_NONE || call->forwarded_as != REASON_NONE) /* there is no second */
		return stages->len;
	for (guint i = call->stage + 1; i < stages->len; i++)
		if (((const Stage *)stages->pdata[i])->forward_when == when)
			return i;
	return stages->len;
}

gboolean
call_pays_forward(Call *call, const Stage *stage)
{
	const Plan *plan = call->plan;

	if (!stage->forwards || !call->recorded || call->forwarder_counts ||
	    g_strcmp0(plan->forwarder, plan->user) == 0)
		return TRUE;
	call->forwarder_counts = admission_charge(call->gateway, plan->forwarder);
	return call->forwarder_counts;
}

static gboolean
trunk_may(const Call *call, const Target *target)
{
	Store *store = gateway_store(call->gateway);
	g_autoptr(Trunk) trunk = NULL;

	if (!target->charge || !target->way.trunk)
		return TRUE;
	trunk = store_trunk_get(store, target->way.trunk, NULL);
	return trunk && meter_trunk_may(gateway_parts(call->gateway)->meter, trunk, target->charge);
}

static gboolean
trunks_may(const Call *call, const Stage *stage)
{
	for (guint i = 0; i < stage->targets->len; i++)
		if (!trunk_may(call, stage->targets->pdata[i]))
			return FALSE;
	return TRUE;
}

/* From this stage on the one whose trunk has not carried all that it may. */
static guint
first_that_may(Call *call, guint stage)
{
	const GPtrArray *stages = call->plan->stages;

	while (stage < stages->len && !trunks_may(call, stages->pdata[stage])) {
		call_note(call, "next way: a trunk has carried as much as it may today");
		stage++;
		if (stage < stages->len &&
		    ((const Stage *)stages->pdata[stage])->forward_when != REASON_NONE)
			return stages->len;
	}
	return stage;
}

/* What the guard says now: of a forward for the first time, of another trunk again.  The words
 * are for the one who pays.  Whoever has called a user who may not send the call on hears what
 * the devices of that user said.  TRUE: the call has ended. */
static gboolean
ends_by_guard(Call *call, const Stage *stage)
{
	Meter *meter = gateway_parts(call->gateway)->meter;

	for (guint i = 0; i < stage->targets->len; i++) {
		const Charge *charge = ((const Target *)stage->targets->pdata[i])->charge;
		MeterVerdict verdict;

		if (!charge)
			continue;
		verdict = meter_ask(meter, charge);
		if (verdict.answer == METER_MAY)
			continue;
		call_note(call, "next way: not for %s: %s", charge->account, verdict.text);
		meter_refused(meter, charge, &verdict);
		if (!stage->forwards) {
			call->about = NULL;
			call_end(call, REASON_FORBIDDEN, verdict.text, BY_GATEWAY);
		} else {
			call_end(call, call->refusal, call->refusal_words, call->refused_by);
		}
		return TRUE;
	}
	return FALSE;
}

/* Nobody of this stage will answer.  Another way is tried only when it was the
 * network that refused, or when the person wants to be reached elsewhere; who is
 * busy is not called again. */
static void
leave_stage(Call *call)
{
	const GPtrArray *stages = call->plan->stages;
	guint left = call->callees->len, way = next_way(call), next = first_that_may(call, way);
	g_autofree char *text = NULL, *note = NULL;

	call->about = call->refuser;
	if (next < stages->len && ends_by_guard(call, stages->pdata[next]))
		return;
	if (next >= stages->len || !call_pays_forward(call, stages->pdata[next])) {
		call_end(call, call->refusal, call->refusal_words, call->refused_by);
		return;
	}
	text = call_sentence(call->refusal, call->refusal_words);
	note = refusal_text(call);
	call_note(call, "next way: %s", note);
	call->about = NULL;
	call->stage = next;
	call_enter(call, CALL_SETUP);
	for (guint i = 0; i < left; i++)
		call_let_go(call, call->callees->pdata[i], call->refusal, text);
	if (((const Stage *)stages->pdata[way])->forward_when != REASON_NONE) {
		/* what those say who are called now is told by itself */
		call->forwarded_as = call->refusal;
		call->refusal = REASON_NONE;
		call->refuser = NULL;
		g_clear_pointer(&call->refusal_words, g_free);
	}
	call_prepare_stage(call);
}

/* --- actions of the table --- */

/* Whether the other devices of the person who said no through this one need not ring any
 * longer: a decline is meant for all (RFC 3261 16.7); who is busy at one may be reached
 * at another, if anybody is known to be there. */
static gboolean
speaks_for_all(const Call *call, const Party *party, Reason reason)
{
	if (!party->account || (reason != REASON_DECLINED && reason != REASON_BUSY))
		return FALSE;
	for (guint i = 0; i < call->callees->len; i++) {
		const Party *other = call->callees->pdata[i];

		if (!call_in_stage(call, other))
			continue;
		if (g_strcmp0(other->account, party->account) != 0 ||
		    (reason == REASON_BUSY && other->progress != PROGRESS_UNATTENDED))
			return FALSE;
	}
	return TRUE;
}

static void
let_go_of_stage(Call *call, Reason reason)
{
	g_autofree char *text = call_sentence(reason, NULL);

	for (guint i = 0; i < call->callees->len; i++)
		if (call_in_stage(call, call->callees->pdata[i]))
			call_let_go(call, call->callees->pdata[i], reason, text);
}

void
stage_drop(Call *call, const CallEvent *event)
{
	/* not answered yet: whatever the far end calls it, it would not talk to us */
	gboolean hung_up = event->reason == REASON_HANGUP || event->reason == REASON_CANCELLED;
	Reason reason = hung_up ? REASON_DECLINED : event->reason;

	if (reason == REASON_INCOMPATIBLE)
		reason = call_incompatible(call, event->party);
	refuse_with(call, event->party, reason, event->text,
		    event->failed ? BY_GATEWAY : BY_CALLEE);
	call_let_go(call, event->party, event->reason, NULL);
	if (speaks_for_all(call, event->party, reason))
		let_go_of_stage(call, reason);
	if (stage_is_over(call))
		leave_stage(call);
}

void
stage_next(Call *call, const CallEvent *event)
{
	gboolean rang = FALSE;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		rang = rang || (call_in_stage(call, party) && party->progress >= PROGRESS_TRYING);
	}
	refuse_with(call, NULL, rang ? REASON_NO_ANSWER : REASON_TIMEOUT, NULL, BY_GATEWAY);
	leave_stage(call);
}
