/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_table.c - the whole logic of a call: one table and its actions.
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
 * step runs waits in the queue (call_queue.c).  A step is in call_step.c.  The actions of
 * stages are in call_stage.c, those of changes in call_change.c, those of transfers in
 * transfer.c; what descriptions are made of stands in call_desc.c.
 * Thread: signalling.
 */
#include "b2bua/call/call_private.h"
#include "b2bua/call/transfer.h"
#include "b2bua/numberplan.h"
#include "media/audio.h"

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
		party->target->plugin->leg->dial(call, party->target, offer);
		call->dialling = NULL;
		if (party->progress == PROGRESS_NONE)
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

	party_reach(caller, PROGRESS_ANSWERED);
	if (caller->remote)
		call_connect_party(call, caller);
	else
		caller->debt = DEBT_ANSWER;
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
	if (caller->progress == PROGRESS_ANSWERED)
		return;
	party_set_descs(caller, told, caller->remote);
	tell_answer(call);
}

/* A client that was answered for somebody's early media rings no longer by itself: when others
 * ring now, he hears it as it is heard in the country that he calls. */
static void
ring_back(Call *call)
{
	const char *number = call->plan->number;
	g_autofree char *country = NULL;

	if (call->caller->progress != PROGRESS_ANSWERED || !party_has_port(call->caller) ||
	    call->early || call->rings_back)
		return;
	country = number ? numberplan_region(number) : NULL;
	call_note(call, "the caller hears the ringing tone of %s",
		  country ? country : "most countries");
	call_play(call, audio_tone(TONE_RINGBACK, country));
	call->rings_back = TRUE;
}

static void
ring(Call *call, const CallEvent *event)
{
	gboolean first = !call_anyone_rang(call);
	const Desc *early = start_early_media(call, event->party, event->desc);

	party_reach(event->party, PROGRESS_RINGING);
	if (first || early)
		leg_command_ring(call->caller, early);
	accept_early(call, event->party, event->desc);
	ring_back(call);
}

/* The first answer becomes the other side, the rest hear of it. */
static void
connect_callee(Call *call, const CallEvent *event)
{
	Party *callee = event->party;
	g_autoptr(Desc) told = NULL;
	g_autofree char *elsewhere = call_sentence(REASON_ANSWERED_ELSEWHERE, NULL);

	call->callee = callee;
	party_reach(callee, PROGRESS_ANSWERED);
	meter_answered(callee->use);
	for (guint i = 0; i < call->callees->len; i++)
		if (call->callees->pdata[i] != callee)
			call_let_go(call, call->callees->pdata[i], REASON_ANSWERED_ELSEWHERE,
				    elsewhere);
	told = event->desc ? call_answer_for(call, event->desc) : NULL;
	if (!told) {
		call_end(call, call_incompatible(call, callee), NULL, BY_GATEWAY);
		return;
	}
	party_note_answer(callee, callee->local, event->desc);
	party_set_descs(callee, callee->local, event->desc);
	if (call->caller->progress != PROGRESS_ANSWERED)
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
	if (call->caller->progress != PROGRESS_ANSWERED)
		tell_answer(call);
}

/* One more of our own, for the leg; a side without one has it in its first description. */
static void
tell_candidate(Call *call, const CallEvent *event)
{
	leg_command_candidate(event->party, &event->candidate);
}

/* --- endings --- */

static void
end_lost(Call *call, const CallEvent *event)
{
	Reason reason = event->party->up ? REASON_MEDIA_LOST : REASON_NO_MEDIA;

	if (event->loss == MEDIA_LOST_RTP && call->answered_us == 0) {
		/* a carrier may announce early media and stay silent while it rings */
		call_note(call, "%s's early media is silent", event->party->lane);
		return;
	}
	call->about = event->party;
	call->lost = TRUE;
	call->loss = event->loss;
	call->loss_text = g_strdup(event->text);
	if (event->loss == MEDIA_LOST_FINGERPRINT)
		reason = REASON_SECURITY;
	call_end(call, reason, NULL, BY_GATEWAY);
}

static void
end_from_above(Call *call, const CallEvent *event)
{
	call->reader = g_strdup(event->reader);
	call_end(call, event->reason, event->text, BY_GATEWAY);
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
#define LOST_EARLY	"silent RTP: note; else end → ENDED"
#define LATE_ANSWER	"late answer, or end → ENDED"
#define OR_NEXT		", or next stage → SETUP, or end → ENDED"

static const CallCell TABLE[N_CALL_STATES][N_CALL_EVENTS] = {
	[CALL_SETUP][EVENT_MEDIA_READY] =
		GO(dial_stage, "end → ENDED; else dial stage", CALL_CALLING),
	[CALL_SETUP][EVENT_CHANGED] = STAY(change_refuse, "refuse"),
	[CALL_SETUP][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_SETUP][EVENT_MEDIA_LOST] = STAY(end_lost, LOST_EARLY),
	[CALL_SETUP][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),
	[CALL_SETUP][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_CALLING][EVENT_RINGING] = GO(ring, "ring", CALL_RINGING),
	[CALL_CALLING][EVENT_CALLEE_ANSWERED] =
		GO(connect_callee, "end → ENDED; else connect", CALL_CONNECTING),
	[CALL_CALLING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CALLING][EVENT_CHANGED] = STAY(change_early, "answer what is agreed, or refuse"),
	[CALL_CALLING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CALLING][EVENT_CALLEE_ENDED] = STAY(stage_drop, "drop" OR_NEXT),
	[CALL_CALLING][EVENT_MEDIA_LOST] = STAY(end_lost, LOST_EARLY),
	[CALL_CALLING][EVENT_TIMEOUT] = STAY(stage_next, "next stage → SETUP, or end → ENDED"),
	[CALL_CALLING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_RINGING][EVENT_RINGING] = STAY(ring, "ring"),
	[CALL_RINGING][EVENT_CALLEE_ANSWERED] =
		GO(connect_callee, "end → ENDED; else connect", CALL_CONNECTING),
	[CALL_RINGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_RINGING][EVENT_CHANGED] = STAY(change_early, "answer what is agreed, or refuse"),
	[CALL_RINGING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_RINGING][EVENT_CALLEE_ENDED] = STAY(stage_drop, "drop" OR_NEXT),
	[CALL_RINGING][EVENT_MEDIA_LOST] = STAY(end_lost, LOST_EARLY),
	[CALL_RINGING][EVENT_TIMEOUT] = STAY(stage_next, "next stage → SETUP, or end → ENDED"),
	[CALL_RINGING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_CONNECTING][EVENT_MEDIA_UP] = STAY(answer_caller, "callee's: answer → ACTIVE"),
	[CALL_CONNECTING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_CONNECTING][EVENT_CHANGED] =
		STAY(change_early, "restart, answer what is agreed, or refuse"),
	[CALL_CONNECTING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CONNECTING][EVENT_MEDIA_LOST] = STAY(end_lost, LOST_EARLY),
	[CALL_CONNECTING][EVENT_TIMEOUT] = STAY(end_no_media, "end: no media → ENDED"),
	[CALL_CONNECTING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_ACTIVE][EVENT_CALLER_ANSWERED] = STAY(change_late_answer, LATE_ANSWER),
	[CALL_ACTIVE][EVENT_CALLEE_ANSWERED] = STAY(change_late_answer, LATE_ANSWER),
	[CALL_ACTIVE][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_ACTIVE][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_ACTIVE][EVENT_CHANGED] =
		STAY(change_pass_on, "restart, absorb, or pass on → CHANGING"),
	[CALL_ACTIVE][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_ACTIVE][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_ACTIVE][EVENT_TIMEOUT] = STAY(end_duration, "end → ENDED"),
	[CALL_ACTIVE][EVENT_TRANSFER] =
		STAY(transfer_begin, "call the target → TRANSFERRING, or refuse"),

	[CALL_CHANGING][EVENT_CALLER_ANSWERED] =
		STAY(change_settle, "settle → ACTIVE, or CHANGING again"),
	[CALL_CHANGING][EVENT_CALLEE_ANSWERED] =
		STAY(change_settle, "settle → ACTIVE, or CHANGING again"),
	[CALL_CHANGING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_CHANGING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_CHANGING][EVENT_CHANGED] =
		STAY(change_restart_or_refuse, "restart, or refuse (glare)"),
	[CALL_CHANGING][EVENT_CALLER_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_CALLEE_ENDED] = STAY(call_end_by_leg, "end → ENDED"),
	[CALL_CHANGING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_CHANGING][EVENT_TIMEOUT] = GO(change_give_up, "refuse", CALL_ACTIVE),
	[CALL_CHANGING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),

	[CALL_TRANSFERRING][EVENT_CALLER_ANSWERED] = STAY(change_late_answer, LATE_ANSWER),
	[CALL_TRANSFERRING][EVENT_CALLEE_ANSWERED] = STAY(change_late_answer, LATE_ANSWER),
	[CALL_TRANSFERRING][EVENT_MEDIA_UP] = STAY(note_up, "note"),
	[CALL_TRANSFERRING][EVENT_MEDIA_READY] = STAY(change_answer_restart, "answer restart"),
	[CALL_TRANSFERRING][EVENT_CHANGED] = STAY(change_restart_or_refuse, "restart, or refuse"),
	[CALL_TRANSFERRING][EVENT_CALLER_ENDED] = STAY(transfer_leg_ended, TRANSFEROR_ENDS),
	[CALL_TRANSFERRING][EVENT_CALLEE_ENDED] = STAY(transfer_leg_ended, TRANSFEROR_ENDS),
	[CALL_TRANSFERRING][EVENT_MEDIA_LOST] = STAY(end_lost, "end → ENDED"),
	[CALL_TRANSFERRING][EVENT_TIMEOUT] = STAY(end_duration, "end → ENDED"),
	[CALL_TRANSFERRING][EVENT_TRANSFER] = STAY(transfer_refuse, "refuse"),
	[CALL_TRANSFERRING][EVENT_TRANSFER_ANSWERED] =
		STAY(transfer_join, "join → ACTIVE, or back"),
	[CALL_TRANSFERRING][EVENT_TRANSFER_FAILED] =
		STAY(transfer_give_up, "back → ACTIVE, or end → ENDED"),

	/* he has been answered for early media: nobody has answered yet */
	[CALL_SETUP... CALL_CONNECTING][EVENT_CALLER_ANSWERED] =
		STAY(change_late_answer, LATE_ANSWER),
	[CALL_SETUP... CALL_TRANSFERRING][EVENT_CANDIDATE] = STAY(tell_candidate, "tell it"),
	[CALL_SETUP... CALL_TRANSFERRING][EVENT_HANGUP] = STAY(end_from_above, "end → ENDED"),

	/* CALL_ENDED: nothing is heard any more */
};

const CallCell *
call_cell(CallState state, CallEventKind event)
{
	return &TABLE[state][event];
}

char *
call_table_markdown(void)
{
	GString *text = g_string_new("| state (timeout) |");

	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append_printf(text, " %s |", call_event_name(event));
	g_string_append(text, "\n|---|");
	for (guint event = 0; event < N_CALL_EVENTS; event++)
		g_string_append(text, "---|");
	g_string_append_c(text, '\n');
	for (guint state = 0; state < N_CALL_STATES; state++) {
		CallTimeout timeout = call_state_timeout(state);

		g_string_append_printf(text, "| %s", call_state_name(state));
		if (timeout != TIMEOUT_NEVER)
			g_string_append_printf(text, " (%s)", call_timeout_name(timeout));
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
