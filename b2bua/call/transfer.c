/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* transfer.c - see transfer.h; the leg that the gateway plays is here as well.
 *
 * What the second call has to say to the first goes into the queue of the first.  The
 * joining, a step of the first, takes a party out of the second, which is not busy then.
 * Thread: signalling.
 */
#include "b2bua/call/call_bill.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/transfer_private.h"

static const Plugin transfer_plugin;

/* --- the leg that the gateway plays --- */

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	Transfer *transfer = call->transfer;
	g_autoptr(Desc) agreed = NULL;

	if (!transfer || !transfer->first)
		return; /* the call to be taken over has ended: the core hears no leg */
	agreed = call_agreed(call_other_party(transfer->first, transfer->leaving));
	leg_attach(&transfer->played, &transfer_plugin, call);
	leg_answered(&transfer->played, agreed);
}

static void
ring(Leg *leg, const Desc *early)
{
	const Transfer *transfer = (const Transfer *)leg;

	if (transfer->first)
		leg_command_transferring(transfer->leaving, TRANSFER_RINGING, REASON_NONE, NULL);
}

static void
answer(Leg *leg, const Desc *description)
{
	if (description)
		transfer_join_soon((Transfer *)leg);
}

static void
change(Leg *leg, const Desc *offer)
{
	leg_answered(leg, NULL);
}

static void
hang_up(Leg *leg, Reason reason, const char *text)
{
	Transfer *transfer = (Transfer *)leg;

	transfer_let_go_of_second(transfer);
	transfer_fail(transfer, reason, NULL);
}

static const LegVerbs transfer_verbs = {
	.dial = dial,
	.ring = ring,
	.answer = answer,
	.change = change,
	.hangup = hang_up,
};

static const Plugin transfer_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "transfer",
	.transport = TRANSPORT_NONE,
	.leg = &transfer_verbs,
};

/* --- how it begins --- */

/* Both sides have said all there is to say, and nothing is under way. */
static gboolean
may_give_way(const Call *call, const Party *leaving)
{
	const Party *staying = call_other_party(call, leaving);
	g_autoptr(Desc) agreed = NULL;

	if (call->state != CALL_ACTIVE || call->transfer || !leaving->account || !staying->leg ||
	    !staying->local || !staying->remote || staying->debt == DEBT_ANSWER ||
	    leaving->debt == DEBT_ANSWER)
		return FALSE;
	agreed = call_agreed(staying);
	return agreed != NULL;
}

static void
call_target(Call *call, Party *leaving, const Address *target)
{
	Transfer *transfer = transfer_new(BLIND, call, leaving);
	g_autoptr(Address) from = address_from_jid(leaving->account);
	g_autoptr(Desc) offer = call_agreed(call_other_party(call, leaving));
	g_autofree char *text = address_text(target);

	call_note(call, "%s transfers to %s", leaving->lane, text);
	call_enter(call, CALL_TRANSFERRING);
	call_new_near(call->gateway, &transfer->played, &transfer_plugin,
		      &(Incoming){ .from = from, .to = target, .offer = offer }, call, NULL);
	if (transfer->played.call)
		transfer_set_second(transfer, transfer->played.call);
}

static Party *
party_with(const Call *call, const Leg *leg)
{
	if (call->caller->leg == leg)
		return call->caller;
	return call->callee && call->callee->leg == leg ? call->callee : NULL;
}

static void
join_calls(Call *call, Party *leaving, Call *second, Party *asking)
{
	Transfer *transfer = transfer_new(ATTENDED, call, leaving);

	call_note(call, "%s transfers to call %" G_GINT64_FORMAT, leaving->lane, call_id(second));
	transfer_set_second(transfer, second);
	transfer->asking = asking;
	call_enter(call, CALL_TRANSFERRING);
	transfer_join_soon(transfer);
}

static void
refuse(Party *party, Reason reason, const char *words)
{
	leg_command_transferring(party, TRANSFER_FAILED, reason, words);
}

void
transfer_begin(Call *call, const CallEvent *event)
{
	Party *leaving = event->party, *asking;
	Call *second = event->target ? NULL : calls_find(call->gateway, event->with);

	if (!may_give_way(call, leaving)) {
		refuse(leaving, REASON_FORBIDDEN, "this call cannot be transferred");
		return;
	}
	if (event->target) {
		call_target(call, leaving, event->target);
		return;
	}
	asking = second && second != call && !second->busy ? party_with(second, event->with_leg)
							   : NULL;
	if (!asking || g_strcmp0(asking->account, leaving->account) != 0) {
		refuse(leaving, REASON_NOT_FOUND, "there is no such second call");
	} else if (asking == second->caller && second->answered_us == 0) {
		g_autoptr(Address) target = address_copy(second->to);

		/* he does not wait for the answer: whom he calls is called for the other */
		call_hangup(second, REASON_TRANSFERRED, NULL);
		call_target(call, leaving, target);
	} else if (!may_give_way(second, asking)) {
		refuse(leaving, REASON_FORBIDDEN, "the second call cannot be joined now");
	} else {
		join_calls(call, leaving, second, asking);
	}
}

void
transfer_refuse(Call *call, const CallEvent *event)
{
	refuse(event->party, REASON_FORBIDDEN, "not now");
}

void
call_take_over(Gateway *gateway, Leg *leg, const Plugin *plugin, const Incoming *incoming,
	       Leg *replaced)
{
	Call *first = replaced->call;
	Party *leaving = first ? party_with(first, replaced) : NULL;
	g_autofree char *account =
		incoming->from->scheme == ADDRESS_JID ? address_bare_jid(incoming->from) : NULL;
	Transfer *transfer;

	if (!leaving || first->busy || !may_give_way(first, leaving) ||
	    g_strcmp0(account, leaving->account) != 0) {
		call_refused(gateway, leg, plugin, incoming, REASON_FORBIDDEN,
			     "this device cannot take over that call");
		return;
	}
	transfer = transfer_new(TAKEOVER, first, leaving);
	call_note(first, "another device of %s takes over", account);
	call_enter(first, CALL_TRANSFERRING);
	call_new_near(gateway, leg, plugin, incoming, first,
		      plan_of_one(account, &transfer_plugin, incoming->from, incoming->to));
	if (leg->call)
		transfer_set_second(transfer, leg->call);
	else
		transfer_fail(transfer, REASON_GONE, NULL);
}

void
transfer_note_up(Transfer *transfer, const Call *call)
{
	if (transfer->kind == TAKEOVER && call == transfer->second && call->state == CALL_ACTIVE &&
	    call->caller->up && call->caller->debt != DEBT_ANSWER)
		transfer_join_soon(transfer);
}

/* --- how it ends --- */

void
transfer_leg_ended(Call *call, const CallEvent *event)
{
	const Transfer *transfer = call->transfer;

	if (event->party != transfer->leaving) {
		call_end_by_leg(call, event);
		return;
	}
	call_note(call, "%s has hung up; the other side waits", event->party->lane);
	party_drop_port(call, event->party);
}

void
transfer_give_up(Call *call, const CallEvent *event)
{
	Transfer *transfer = call->transfer;
	Party *leaving = transfer->leaving;
	gboolean asked = transfer->kind != TAKEOVER;
	g_autofree char *text = call_sentence(event->reason, event->text);

	transfer_let_go_of_first(transfer);
	transfer_end_second(transfer, event->reason);
	transfer_free_when_done(transfer);
	if (!leaving->leg) {
		call_end(call, event->reason, event->text, BY_GATEWAY);
		return;
	}
	call_note(call, "not transferred: %s", text);
	call_enter(call, CALL_ACTIVE);
	if (asked)
		leg_command_transferring(leaving, TRANSFER_FAILED, event->reason, event->text);
}

/* Whom the second call hands over; NULL: it cannot now. */
static Party *
find_coming(const Transfer *transfer)
{
	const Call *second = transfer->second;
	Party *coming;

	if (!second || second->busy || second->state != CALL_ACTIVE)
		return NULL;
	coming = transfer->kind == BLIND      ? second->callee
		 : transfer->kind == TAKEOVER ? second->caller
					      : call_other_party(second, transfer->asking);
	return coming->leg && coming->local && coming->remote && coming->debt != DEBT_ANSWER
		       ? coming
		       : NULL;
}

/* A telephone can be asked for another codec, a client of ours cannot. */
static gboolean
can_hear(const Call *call, Party *party, const Party *other)
{
	return call_understood(other, party) || call_sound_refusal(call, party) == REASON_NONE ||
	       (other->kind == TRANSPORT_RTP && other->leg->plugin->leg->change);
}

/* An empty seat stays, for what the call does at its end. */
static void
take_out(Call *second, Party *party)
{
	Party *empty = g_new0(Party, 1);

	empty->side = party->side;
	empty->stage = party->stage;
	g_strlcpy(empty->lane, party->lane, sizeof(empty->lane));
	call_stop_keys(second);
	if (second->early == party)
		second->early = NULL;
	if (party == second->caller) {
		second->caller = empty;
		return;
	}
	for (guint i = 0; i < second->callees->len; i++)
		if (second->callees->pdata[i] == party)
			second->callees->pdata[i] = empty;
	second->callee = empty;
}

static void
seat(Call *call, Party *coming, Party *leaving)
{
	coming->target = NULL;
	coming->leg->call = call;
	party_reach(coming, PROGRESS_ANSWERED);
	coming->stage = call->stage;
	coming->side = leaving->side;
	call->transferred++;
	g_snprintf(coming->lane, sizeof(coming->lane), "%s%u", party_side(coming),
		   call->callees->len + call->transferred);
	call_stop_keys(call);
	if (leaving == call->caller) { /* kept for what may still name him */
		call->caller = coming;
		leaving->side = SIDE_CALLEE;
		g_ptr_array_add(call->callees, leaving);
		g_free(call->account);
		call->account = g_strdup(coming->account);
		calls_place(call->gateway, call);
	} else {
		call->callee = coming;
		g_ptr_array_add(call->callees, coming);
	}
}

void
transfer_join(Call *call, const CallEvent *event)
{
	Transfer *transfer = call->transfer;
	Call *second = transfer->second;
	Party *leaving = transfer->leaving, *staying = call_other_party(call, leaving);
	Party *coming = find_coming(transfer);
	Reason reason = transfer->kind == TAKEOVER ? REASON_ANSWERED_ELSEWHERE : REASON_TRANSFERRED;
	g_autofree char *text = call_sentence(reason, NULL);
	PortId port = 0;

	if (!coming || !can_hear(call, staying, coming) || !can_hear(call, coming, staying)) {
		transfer_fail(transfer, coming ? REASON_INCOMPATIBLE : REASON_GONE, NULL);
		return;
	}
	port = party_has_port(coming) ? media_take_port(call->media, second->media, coming->port)
				      : coming->port;
	if (port == 0) {
		transfer_fail(transfer, REASON_OVERLOAD, "the two calls cannot be joined");
		return;
	}
	if (!coming->bill)
		coming->bill = bill_begin(call->gateway, second->record, coming->target);
	take_out(second, coming);
	coming->port = port;
	if (transfer->kind != TAKEOVER)
		leg_command_transferring(leaving, TRANSFER_DONE, REASON_NONE, NULL);
	call_let_go(call, leaving, reason, text);
	seat(call, coming, leaving);
	call_join(call, call->callee);
	call_note(call, "%s came from call %" G_GINT64_FORMAT, coming->lane, call_id(second));
	transfer_let_go_of_first(transfer);
	call_hangup(second, reason, NULL);
	staying->debt = coming->debt = DEBT_CHANGE;
	call_enter(call, CALL_ACTIVE);
	change_straighten(call);
}
