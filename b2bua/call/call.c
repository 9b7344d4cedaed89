/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call.c - the whole logic of a call: one table and its actions.
 *
 *   SETUP ──► CALLING ──► RINGING ──► CONNECTING ──► ACTIVE ◄──► CHANGING,
 *     ▲          │           │            │             │        TRANSFERRING
 *     └──────────┴─ next     │            │             │           │
 *          stage ◄───────────┘            ▼             ▼           ▼
 *                                  ENDED ◄──────────────────────────┘
 *
 * An event comes from a leg, the media, the timer or from above.  A step is: set
 * the state the cell names, which writes the record, then run the cell's action;
 * an action that must end the call says call_end().  An event raised while a
 * step runs waits in the queue.  How the table is run stands in call_step.c, what
 * descriptions are made of in call_media.c, what is written down in call_record.c;
 * the actions of changes are in call_change.c, those of transfers in transfer.c.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"

/* --- small questions --- */

Party *
call_other_party(const Call *call, const Party *party)
{
	return party == call->caller ? call->callee : call->caller;
}

const Stage *
call_current_stage(const Call *call)
{
	return call->plan->stages->pdata[call->stage];
}

gboolean
call_in_stage(const Call *call, const Party *party)
{
	return party->stage == call->stage && party->port != 0;
}

static gboolean
stage_is_over(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (call_in_stage(call, call->callees->pdata[i]))
			return FALSE;
	return TRUE;
}

gboolean
call_anyone_rang(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (((Party *)call->callees->pdata[i])->rang)
			return TRUE;
	return FALSE;
}

/* --- stages --- */

void
call_let_go(Call *call, Party *party, Reason reason, const char *text)
{
	leg_command_hangup(call, party, reason, text);
	party_drop_port(call, party);
	if (call->early == party)
		call->early = NULL;
}

static void
refuse_with(Call *call, Reason reason, const char *words, EndedBy by)
{
	if (reason_more_telling(call->refusal, reason) == call->refusal)
		return;
	call->refusal = reason;
	g_free(call->refusal_words);
	call->refusal_words = g_strdup(words);
	call->refused_by = by;
}

/* A port for each target; they are dialled when all ports are ready. */
void
call_prepare_stage(Call *call)
{
	const Stage *stage = call_current_stage(call);

	for (guint i = 0; i < stage->targets->len; i++) {
		const Target *target = stage->targets->pdata[i];
		Party *party = call_add_party(call, SIDE_CALLEE, target->plugin->transport);

		party->stage = call->stage;
		party->target = target;
		party->account = g_strdup(target->account);
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

/* Nobody of this stage will answer.  Another way is tried only when it was the
 * network that refused, or when the person wants to be reached elsewhere; who is
 * busy is not called again. */
static void
leave_stage(Call *call)
{
	guint left = call->callees->len, next = next_way(call);
	g_autofree char *text = NULL;

	if (next >= call->plan->stages->len ||
	    !call_pays_forward(call, call->plan->stages->pdata[next])) {
		call_end(call, call->refusal, call->refusal_words, call->refused_by);
		return;
	}
	text = call_sentence(call->refusal, call->refusal_words);
	call_note(call, "next way: %s", text);
	call->stage = next;
	call_enter(call, CALL_SETUP);
	for (guint i = 0; i < left; i++)
		call_let_go(call, call->callees->pdata[i], call->refusal, text);
	if (call_current_stage(call)->forward_when != REASON_NONE) {
		/* what those say who are called now is told by itself */
		call->forwarded_as = call->refusal;
		call->refusal = REASON_NONE;
		g_clear_pointer(&call->refusal_words, g_free);
	}
	call_prepare_stage(call);
}

/* --- actions, in the order of a call --- */

static void
dial_stage(Call *call, const CallEvent *event)
{
	for (guint i = 0; i < call->callees->len; i++) {
		Party *party = call->callees->pdata[i];
		g_autoptr(Desc) offer = NULL;

		if (!call_in_stage(call, party))
			continue;
		offer = call_offer_for(call, party);
		if (!offer) {
			call_end(call, REASON_INCOMPATIBLE, NULL, BY_GATEWAY);
			return;
		}
		party_set_descs(party, offer, NULL);
		call->dialling = party;
		party->target->plugin->dial(call, party->target, offer);
		call->dialling = NULL;
		if (!party->attached)
			call_post(call, (CallEvent){ .kind = EVENT_CALLEE_ENDED,
						     .party = party,
						     .reason = REASON_NETWORK_ERROR });
	}
}

/* Early media goes to a caller who can take it before the answer: a telephone
 * that has made an offer.  A browser's ICE must not start its clock while it rings. */
static const Desc *
start_early_media(Call *call, Party *callee, const Desc *early)
{
	Party *caller = call->caller;
	g_autoptr(Desc) told = NULL;

	if (!early || callee->kind != TRANSPORT_RTP || caller->kind != TRANSPORT_RTP ||
	    !caller->remote || (call->early && call->early != callee))
		return NULL;
	told = call_answer_for(call, early);
	if (!told)
		return NULL;
	call->early = callee;
	party_set_descs(callee, callee->local, early);
	party_set_descs(caller, told, caller->remote);
	call_connect_party(call, callee);
	call_connect_party(call, caller);
	call_join(call, callee);
	return caller->local;
}

/* `local` is the answer to his offer, or an offer when he made none. */
static void
tell_answer(Call *call)
{
	Party *caller = call->caller;

	caller->answered = TRUE;
	if (caller->remote)
		call_connect_party(call, caller);
	else
		caller->owes_answer = TRUE;
	leg_command_answer(caller, caller->local);
}

/* Where the trunk says so a client is answered when early media begins: an
 * announcement is worth more to him than knowing that nobody has answered yet. */
static void
accept_early(Call *call, Party *callee, const Desc *early)
{
	Party *caller = call->caller;
	g_autoptr(Desc) told = NULL;

	if (!early || !callee->target->accept_early || callee->kind != TRANSPORT_RTP ||
	    caller->kind != TRANSPORT_WEBRTC || call->early)
		return;
	told = call_answer_for(call, early);
	if (!told)
		return;
	call_note(call, "early media: the caller is answered");
	call->early = callee;
	party_set_descs(callee, callee->local, early);
	call_connect_party(call, callee);
	call_join(call, callee);
	if (caller->answered)
		return;
	party_set_descs(caller, told, caller->remote);
	tell_answer(call);
}

static void
ring(Call *call, const CallEvent *event)
{
	gboolean first = !call_anyone_rang(call);
	const Desc *early = start_early_media(call, event->party, event->desc);

	event->party->rang = TRUE;
	event->party->unattended = FALSE;
	if (first || early)
		leg_command_ring(call->caller, early);
	accept_early(call, event->party, event->desc);
}

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
		    (reason == REASON_BUSY && !other->unattended))
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

static void
drop(Call *call, const CallEvent *event)
{
	/* not answered yet: whatever the far end calls it, it would not talk to us */
	gboolean hung_up = event->reason == REASON_HANGUP || event->reason == REASON_CANCELLED;
	Reason reason = hung_up ? REASON_DECLINED : event->reason;

	refuse_with(call, reason, event->text, event->failed ? BY_GATEWAY : BY_CALLEE);
	call_let_go(call, event->party, event->reason, NULL);
	if (speaks_for_all(call, event->party, reason))
		let_go_of_stage(call, reason);
	if (stage_is_over(call))
		leave_stage(call);
}

static void
next_stage(Call *call, const CallEvent *event)
{
	gboolean rang = FALSE;

	for (guint i = 0; i < call->callees->len; i++) {
		const Party *party = call->callees->pdata[i];

		rang = rang || (call_in_stage(call, party) && (party->rang || party->heard));
	}
	refuse_with(call, rang ? REASON_NO_ANSWER : REASON_TIMEOUT, NULL, BY_GATEWAY);
	leave_stage(call);
}

/* A party keeps on counting when a transfer takes him into another call. */
static void
on_no_minutes_left(gpointer user)
{
	const Party *party = user;
	Call *call = party->leg ? party->leg->call : NULL;

	if (call)
		call_hangup(call, REASON_HANGUP, "the minutes abroad for today are used up");
}

void
call_count_abroad(Call *call, Party *party)
{
	if (!party->target || !party->target->abroad || party->abroad)
		return;
	party->abroad = abroad_begin(gateway_parts(call->gateway)->abroad, party->target->abroad,
				     on_no_minutes_left, party);
}

/* The first answer becomes the other side, the rest hear of it. */
static void
connect_callee(Call *call, const CallEvent *event)
{
	Party *callee = event->party;
	g_autoptr(Desc) told = NULL;
	g_autofree char *elsewhere = call_sentence(REASON_ANSWERED_ELSEWHERE, NULL);

	call->callee = callee;
	call_count_abroad(call, callee);
	for (guint i = 0; i < call->callees->len; i++)
		if (call->callees->pdata[i] != callee)
			call_let_go(call, call->callees->pdata[i], REASON_ANSWERED_ELSEWHERE,
				    elsewhere);
	told = event->desc ? call_answer_for(call, event->desc) : NULL;
	if (!told) {
		call_end(call, REASON_INCOMPATIBLE, NULL, BY_GATEWAY);
		return;
	}
	party_note_answer(callee, callee->local, event->desc);
	party_set_descs(callee, callee->local, event->desc);
	if (!call->caller->answered)
		party_set_descs(call->caller, told, call->caller->remote);
	call_connect_party(call, callee);
	call_join(call, callee);
	/* up already (early media), or not to be waited for: as good as up */
	if (callee->up || !call->plan->wait_for_media)
		call_post(call, (CallEvent){ .kind = EVENT_MEDIA_UP,
					     .party = callee,
					     .port = callee->port });
}

static void
note_up(Call *call, const CallEvent *event)
{
	call_note(call, "%s's media is up", event->party->lane);
	if (call->transfer)
		transfer_note_up(call->transfer, call);
}

static void
answer_caller(Call *call, const CallEvent *event)
{
	if (event->party->up)
		note_up(call, event);
	if (event->party != call->callee)
		return;
	call_enter(call, CALL_ACTIVE);
	if (!call->caller->answered)
		tell_answer(call);
}

/* --- endings --- */

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
	call_end(call, reason, event->text, by);
}

static void
end_lost(Call *call, const CallEvent *event)
{
	Reason reason = event->party->up ? REASON_MEDIA_LOST : REASON_NO_MEDIA;

	if (event->loss == MEDIA_LOST_RTP && call->answered_us == 0) {
		/* a carrier may announce early media and stay silent while it rings */
		call_note(call, "%s's early media is silent", event->party->lane);
		return;
	}
	call->lost = event->party;
	call->loss = event->loss;
	if (event->loss == MEDIA_LOST_FINGERPRINT)
		reason = REASON_SECURITY;
	call_end(call, reason, event->text, BY_GATEWAY);
}

static void
end_no_media(Call *call, const CallEvent *event)
{
	call_end(call, REASON_NO_MEDIA, "the audio was not ready in time", BY_GATEWAY);
}

static void
end_duration(Call *call, const CallEvent *event)
{
	call_end(call, REASON_HANGUP, "the longest allowed duration is reached", BY_GATEWAY);
}

/* --- the table --- */

#define STAY(action, does)             \
	{                              \
		action, does, FALSE, 0 \
	}
#define GO(action, does, next)           \
	{                                \
		action, does, TRUE, next \
	}

#define TRANSFEROR_ENDS "transferor: drop; else end → ENDED"
#define OR_NEXT		", or next stage → SETUP, or end → ENDED"

static const CallCell TABLE[N_CALL_STATES][N_CALL_EVENTS] = {
	[CALL_SETUP][EVENT_MEDIA_READY] = GO(dial_stage, "dial stage", CALL_CALLING),
	[CALL_SETUP][EVENT_CHANGED] = STAY(change_refuse, "refuse"),
	[CALL_SETUP][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_SETUP][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_SETUP][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),
	[CALL_SETUP][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_CALLING][EVENT_RINGING] = GO(ring, "ring", CALL_RINGING),
	[CALL_CALLING][EVENT_ANSWERED] = GO(connect_callee, "connect", CALL_CONNECTING),
	[CALL_CALLING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CALLING][EVENT_CHANGED] = STAY(change_early, "answer what is agreed, or refuse"),
	[CALL_CALLING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CALLING][EVENT_CALLEE_ENDED] = STAY(drop, "drop" OR_NEXT),
	[CALL_CALLING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CALLING][EVENT_TIMEOUT] = STAY(next_stage, "next stage → SETUP, or end → ENDED"),
	[CALL_CALLING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_RINGING][EVENT_RINGING] = STAY(ring, "ring"),
	[CALL_RINGING][EVENT_ANSWERED] = GO(connect_callee, "connect", CALL_CONNECTING),
	[CALL_RINGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_RINGING][EVENT_CHANGED] = STAY(change_early, "answer what is agreed, or refuse"),
	[CALL_RINGING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_RINGING][EVENT_CALLEE_ENDED] = STAY(drop, "drop" OR_NEXT),
	[CALL_RINGING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_RINGING][EVENT_TIMEOUT] = STAY(next_stage, "next stage → SETUP, or end → ENDED"),
	[CALL_RINGING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_CONNECTING][EVENT_MEDIA_UP] = STAY(answer_caller, "callee's: answer → ACTIVE"),
	[CALL_CONNECTING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_CONNECTING][EVENT_CHANGED] =
		STAY(change_early, "restart, answer what is agreed, or refuse"),
	[CALL_CONNECTING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CONNECTING][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),
	[CALL_CONNECTING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_ACTIVE][EVENT_ANSWERED] = STAY(change_late_answer, "late answer"),
	[CALL_ACTIVE][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_ACTIVE][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_ACTIVE][EVENT_CHANGED] =
		STAY(change_pass_on, "restart, absorb, or pass on → CHANGING"),
	[CALL_ACTIVE][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_ACTIVE][EVENT_TIMEOUT] = STAY(end_duration, "end → ENDED"),
	[CALL_ACTIVE][EVENT_TRANSFER] = STAY(transfer_begin, "call the target → TRANSFERRING"),

	[CALL_CHANGING][EVENT_ANSWERED] = STAY(change_settle, "settle → ACTIVE"),
	[CALL_CHANGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CHANGING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_CHANGING][EVENT_CHANGED] =
		STAY(change_restart_or_refuse, "restart, or refuse (glare)"),
	[CALL_CHANGING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CHANGING][EVENT_TIMEOUT] = GO(change_give_up, "refuse", CALL_ACTIVE),
	[CALL_CHANGING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_TRANSFERRING][EVENT_ANSWERED] = STAY(change_late_answer, "late answer"),
	[CALL_TRANSFERRING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_TRANSFERRING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_TRANSFERRING][EVENT_CHANGED] = STAY(change_restart_or_refuse, "restart, or refuse"),
	[CALL_TRANSFERRING][EVENT_CALLER_ENDED] = STAY(transfer_leg_ended, TRANSFEROR_ENDS),
	[CALL_TRANSFERRING][EVENT_CALLEE_ENDED] = STAY(transfer_leg_ended, TRANSFEROR_ENDS),
	[CALL_TRANSFERRING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_TRANSFERRING][EVENT_TIMEOUT] = STAY(end_duration, "end → ENDED"),
	[CALL_TRANSFERRING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),
	[CALL_TRANSFERRING][EVENT_TRANSFER_ANSWERED] = STAY(transfer_join, "join → ACTIVE"),
	[CALL_TRANSFERRING][EVENT_TRANSFER_FAILED] =
		STAY(transfer_give_up, "back → ACTIVE, or end → ENDED"),

	/* CALL_ENDED: nothing is heard any more */
};

static const struct {
	const char *name;
	CallTimeout timeout;
} STATES[N_CALL_STATES] = {
	[CALL_SETUP] = { "SETUP", TIMEOUT_SETUP },
	[CALL_CALLING] = { "CALLING", TIMEOUT_STAGE },
	[CALL_RINGING] = { "RINGING", TIMEOUT_STAGE },
	[CALL_CONNECTING] = { "CONNECTING", TIMEOUT_CONNECT },
	[CALL_ACTIVE] = { "ACTIVE", TIMEOUT_DURATION },
	[CALL_CHANGING] = { "CHANGING", TIMEOUT_CHANGE },
	[CALL_TRANSFERRING] = { "TRANSFERRING", TIMEOUT_DURATION },
	[CALL_ENDED] = { "ENDED", TIMEOUT_NEVER },
};

static const char *const EVENT_NAMES[N_CALL_EVENTS] = {
	[EVENT_MEDIA_READY] = "media ready",
	[EVENT_RINGING] = "ringing",
	[EVENT_ANSWERED] = "answered",
	[EVENT_MEDIA_UP] = "media up",
	[EVENT_CHANGED] = "changed",
	[EVENT_CALLER_ENDED] = "caller ended",
	[EVENT_CALLEE_ENDED] = "a callee ended",
	[EVENT_MEDIA_LOST] = "media lost",
	[EVENT_TIMEOUT] = "timeout",
	[EVENT_TRANSFER] = "transfer",
	[EVENT_TRANSFER_ANSWERED] = "target answered",
	[EVENT_TRANSFER_FAILED] = "target refused",
};

static const char *const TIMEOUT_NAMES[N_TIMEOUTS] = {
	[TIMEOUT_NEVER] = "",
	[TIMEOUT_SETUP] = "setup_timeout",
	[TIMEOUT_STAGE] = "the stage's",
	[TIMEOUT_CONNECT] = "connect_timeout",
	[TIMEOUT_DURATION] = "max_duration",
	[TIMEOUT_CHANGE] = "change_timeout",
};

const char *
call_state_name(CallState state)
{
	return STATES[state].name;
}

CallTimeout
call_state_timeout(CallState state)
{
	return STATES[state].timeout;
}

const CallCell *
call_cell(CallState state, CallEventKind event)
{
	return &TABLE[state][event];
}

const char *
call_event_name(CallEventKind event)
{
	return EVENT_NAMES[event];
}

char *
call_table_markdown(void)
{
	GString *text = g_string_new("| state (timeout) |");

	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append_printf(text, " %s |", EVENT_NAMES[event]);
	g_string_append(text, "\n|---|");
	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append(text, "---|");
	g_string_append_c(text, '\n');
	for (guint state = 0; state < N_CALL_STATES; state++) {
		CallTimeout timeout = STATES[state].timeout;

		g_string_append_printf(text, "| %s", STATES[state].name);
		if (timeout != TIMEOUT_NEVER)
			g_string_append_printf(text, " (%s)", TIMEOUT_NAMES[timeout]);
		for (guint event = 0; event < N_CALL_EVENTS; event++) {
			const CallCell *cell = &TABLE[state][event];

			g_string_append_printf(text, " | %s", cell->does ? cell->does : "");
			if (cell->moves)
				g_string_append_printf(text, " → %s", call_state_name(cell->next));
		}
		g_string_append(text, " |\n");
	}
	return g_string_free(text, FALSE);
}
