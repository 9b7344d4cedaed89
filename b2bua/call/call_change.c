/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* call_change.c - what the two sides of a call ask of each other: hold and resume, other
 * codecs, other addresses, ICE begun anew; actions of the table.
 *
 *   a side asks ──► early, restart, absorb                it alone is concerned
 *               └─► pass on ──► CHANGING ──► settle       the other must agree
 *   the call asks (change_straighten) ──► CHANGING ──► settle
 *
 * Media follows a change only when both sides have agreed to it.
 * Thread: signalling.  RFC 3264 8, RFC 8445 9.
 */
#include "b2bua/call/call_private.h"

static void ask(Call *call, Party *party, const Desc *offer);

/* In the middle of a call the other side has to follow what he has said, as if he had
 * offered it. */
static void
pass_late_answer(Call *call, Party *party, const Desc *before)
{
	Party *other = call_other_party(call, party);
	g_autoptr(Desc) offer = NULL;

	if (!before || call->state != CALL_ACTIVE || !other->leg ||
	    !other->leg->plugin->leg->change || !other->local ||
	    desc_change_is_local(before, party->remote))
		return;
	offer = call_change_for(call, before, party->remote, other);
	if (offer)
		ask(call, other, offer);
}

/* The answer to an offer that we made in answer(): to an INVITE or re-INVITE
 * without SDP, or to a Jingle propose. */
void
change_late_answer(Call *call, const CallEvent *event)
{
	Party *party = event->party;
	g_autoptr(Desc) before = party->remote ? desc_ref(party->remote) : NULL;
	g_autoptr(Desc) shared = NULL;

	if (party->debt != DEBT_ANSWER)
		return;
	if (event->desc)
		shared = desc_answer(party->local, event->desc, party->ours);
	party->debt = DEBT_NONE;
	if (!shared) {
		call_end(call, REASON_INCOMPATIBLE, NULL,
			 party == call->caller ? BY_CALLER : BY_CALLEE);
		return;
	}
	party_note_answer(party, party->local, event->desc);
	party_set_descs(party, party->local, event->desc);
	call_connect_party(call, party);
	pass_late_answer(call, party, before);
}

void
change_refuse(Call *call, const CallEvent *event)
{
	leg_command_answer(event->party, NULL);
}

/* The change concerns this side alone: the other is not disturbed. */
static void
absorb_change(Call *call, Party *party, const Desc *offer)
{
	g_autoptr(Desc) told =
		call_answer_to(call, party, offer, call_other_party(call, party)->remote);

	if (told) {
		party_set_descs(party, told, offer);
		call_connect_party(call, party);
	}
	leg_command_answer(party, told);
}

/* His ICE begins anew, which is between him and us, whatever else goes on.  The
 * answer waits for new credentials of ours; of several at once the last is answered. */
static gboolean
restart(Call *call, Party *party, const Desc *offer)
{
	g_autoptr(Desc) moved = NULL;

	if (!party->local || !desc_restarts_ice(party->remote, offer))
		return FALSE;
	moved = desc_moved(party->remote, desc_audio(offer)->transport);
	party_set_descs(party, party->local, moved);
	party->restarts++;
	call_connect_party(call, party);
	return TRUE;
}

/* What he has been asked meanwhile becomes `local` when he agrees. */
static void
move_change(Call *call, const Party *party)
{
	const Desc *passed = call->change_passed;

	call->change_passed = desc_moved(passed, party->ours);
	desc_unref(passed);
}

void
change_answer_restart(Call *call, const CallEvent *event)
{
	Party *party = event->party;
	g_autoptr(Desc) told = NULL;

	if (!party)
		return;
	told = desc_moved(party->local, party->ours);
	party_set_descs(party, told, party->remote);
	if (call->changer && call->changer != party)
		move_change(call, party);
	leg_command_answer(party, told);
}

void
change_restart_or_refuse(Call *call, const CallEvent *event)
{
	if (!restart(call, event->party, event->desc))
		change_refuse(call, event);
}

/* --- before the call is answered: his side of it was agreed on in a reliable provisional
 * response (RFC 3262 5, RFC 3311 5.2), or his answer has just come --- */

/* The caller has been told what the callee said: what he knows stays. */
static gboolean
is_told(const Call *call, const Party *callee)
{
	return call->early == callee || call->caller->progress == PROGRESS_ANSWERED;
}

/* A callee is answered from what the caller has been told, or else may be told. */
static Desc *
answer_callee(Call *call, Party *callee, const Desc *offer)
{
	g_autoptr(Desc) known = is_told(call, callee) ? desc_ref(call->caller->local)
						      : call_offer_for(call, callee);
	g_autoptr(Desc) wanted = known ? desc_turned(known, call->caller->wish) : NULL;
	g_autoptr(Desc) told = wanted ? call_answer_to(call, callee, offer, wanted) : NULL;
	g_autoptr(Desc) passed = NULL;

	if (!told || callee != call->callee || is_told(call, callee))
		return g_steal_pointer(&told);
	passed = call_answer_for(call, offer);
	if (!passed)
		return NULL;
	party_set_descs(call->caller, passed, call->caller->remote);
	return g_steal_pointer(&told);
}

/* The caller has heard an answer to his offer with early media, and has another offer. */
static Desc *
answer_early_caller(Call *call, const Desc *offer)
{
	const Party *callee = call->early;

	return callee && callee->remote ? call_answer_to(call, call->caller, offer, callee->remote)
					: NULL;
}

void
change_early(Call *call, const CallEvent *event)
{
	Party *party = event->party;
	gboolean is_caller = party == call->caller;
	g_autoptr(Desc) told = NULL;

	if (!is_caller && restart(call, party, event->desc))
		return;
	if (party->kind == TRANSPORT_RTP && event->desc && desc_audio(event->desc))
		told = is_caller ? answer_early_caller(call, event->desc)
				 : answer_callee(call, party, event->desc);
	if (told) {
		party_note_offer(party, event->desc);
		party_set_descs(party, told, event->desc);
		if (is_caller || party == call->early || party == call->callee)
			call_connect_party(call, party);
	}
	leg_command_answer(party, told);
}

static void
ask(Call *call, Party *party, const Desc *offer)
{
	call->asked = party;
	call->change_passed = desc_ref(offer);
	call_enter(call, CALL_CHANGING);
	leg_command_change(party, offer);
}

/* He wants our offer.  RFC 6337 5.1: it says what we want, which is what the other side
 * does; not what his own hold had left of it.  A client does not change its codecs in the
 * middle of a call: of those, what it has agreed to. */
static void
offer_again(Call *call, Party *party)
{
	const Party *other = call_other_party(call, party);
	g_autoptr(Desc) agreed = other->kind == TRANSPORT_WEBRTC ? call_agreed(other) : NULL;
	g_autoptr(Desc) offer =
		desc_offer_again(party->local, agreed ? agreed : other->remote, other->wish);

	party->debt = DEBT_ANSWER;
	party_set_descs(party, offer, party->remote);
	leg_command_answer(party, offer);
}

void
change_pass_on(Call *call, const CallEvent *event)
{
	Party *party = event->party, *other = call_other_party(call, party);
	g_autoptr(Desc) offer = NULL;

	if (restart(call, party, event->desc))
		return;
	if (party->debt == DEBT_ANSWER || other->debt == DEBT_ANSWER || !other->leg) {
		leg_command_answer(party, NULL);
		return;
	}
	if (!event->desc) {
		offer_again(call, party);
		return;
	}
	party_note_offer(party, event->desc);
	if (desc_change_is_local(party->remote, event->desc) || !other->leg->plugin->leg->change) {
		absorb_change(call, party, event->desc);
		return;
	}
	offer = call_change_for(call, party->remote, event->desc, other);
	if (!offer) {
		leg_command_answer(party, NULL);
		return;
	}
	call->changer = party;
	call->change_offer = desc_ref(event->desc);
	ask(call, other, offer);
}

/* `told` NULL: it is refused. */
static void
conclude(Call *call, Party *changer, Party *asked, const Desc *told)
{
	call_enter(call, CALL_ACTIVE);
	if (told) {
		call_connect_party(call, asked);
		if (changer)
			call_connect_party(call, changer);
	}
	if (changer)
		leg_command_answer(changer, told);
	else
		change_straighten(call);
}

void
change_settle(Call *call, const CallEvent *event)
{
	Party *changer = call->changer, *asked = call->asked;
	const Desc *offer = changer ? call->change_offer : call->change_passed;
	g_autoptr(Desc) told = NULL;

	if (event->party != asked) /* he answers nothing that we asked */
		return;
	if (event->desc)
		told = call_answer_to(call, changer ? changer : asked, offer, event->desc);
	if (told) {
		party_note_answer(asked, call->change_passed, event->desc);
		party_set_descs(asked, call->change_passed, event->desc);
		if (changer)
			party_set_descs(changer, told, call->change_offer);
	}
	call_forget_change(call);
	conclude(call, changer, asked, told);
}

void
change_give_up(Call *call, const CallEvent *event)
{
	Party *changer = call->changer;

	call_forget_change(call);
	if (changer)
		leg_command_answer(changer, NULL);
	else
		change_straighten(call);
}

/* --- what the call asks: after a transfer two sides meet that have agreed on
 * nothing with each other --- */

static gboolean
is_held(const Party *party)
{
	Direction told = desc_audio(party->local)->direction;

	return told == DIRECTION_SENDONLY || told == DIRECTION_INACTIVE;
}

/* NULL: all is well with him. */
static Desc *
straight_offer(const Call *call, Party *party, const Party *other)
{
	g_autoptr(Desc) offer = NULL, agreed = NULL;

	if (call_understood(party, other))
		return is_held(party) ? desc_turned(party->local, DIRECTION_SENDRECV) : NULL;
	agreed = call_agreed(other);
	if (agreed)
		offer = call_change_for(call, other->remote, agreed, party);
	return g_steal_pointer(&offer);
}

void
change_straighten(Call *call)
{
	Party *parties[] = { call->caller, call->callee };

	for (guint i = 0; i < G_N_ELEMENTS(parties); i++) {
		Party *party = parties[i];
		g_autoptr(Desc) offer = NULL;

		if (party->debt != DEBT_CHANGE)
			continue;
		party->debt = DEBT_NONE; /* asked once */
		if (!party->leg || !party->leg->plugin->leg->change)
			continue;
		offer = straight_offer(call, party, parties[1 - i]);
		if (offer) {
			ask(call, party, offer);
			return;
		}
	}
}
