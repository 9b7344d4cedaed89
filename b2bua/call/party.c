/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* party.c - the two sides of a call and who else is rung: small questions, asked by all.
 *
 * Thread: signalling.
 */
#include "b2bua/call/call_bill.h"
#include "b2bua/call/call_private.h"
#include "b2bua/route/meter.h"

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

gboolean
call_anyone_rang(const Call *call)
{
	for (guint i = 0; i < call->callees->len; i++)
		if (((Party *)call->callees->pdata[i])->progress >= PROGRESS_RINGING)
			return TRUE;
	return FALSE;
}

Party *
call_party_of_port(Call *call, PortId port)
{
	if (call->caller->port == port)
		return call->caller;
	for (guint i = 0; i < call->callees->len; i++) {
		Party *party = call->callees->pdata[i];

		if (party->port == port)
			return party;
	}
	return NULL;
}

gboolean
party_has_port(const Party *party)
{
	return party->port != 0 && party->port != NO_PORT;
}

static gboolean
sends_nothing(const Party *party)
{
	return party->fault == MEDIA_SILENT || party->fault == MEDIA_REFUSED;
}

const char *
call_trunk_in(const Call *call)
{
	return call->author && g_str_has_prefix(call->author, LIMITS_TRUNK)
		       ? call->author + strlen(LIMITS_TRUNK)
		       : NULL;
}

gboolean
call_is_dead(const Call *call)
{
	return call->callee && sends_nothing(call->caller) && sends_nothing(call->callee);
}

void
party_reach(Party *party, Progress progress)
{
	party->progress = MAX(party->progress, progress);
}

const char *
party_side(const Party *party)
{
	return party->side == SIDE_CALLER ? "caller" : "callee";
}

void
party_free(Party *party)
{
	meter_end(party->use);
	bill_end(party->bill);
	transport_free(party->ours);
	desc_unref(party->local);
	desc_unref(party->remote);
	g_free(party->account);
	g_free(party->device);
	g_free(party->silence_text);
	g_free(party->hop);
	g_free(party->detail);
	g_free(party);
}

void
call_forget_change(Call *call)
{
	call->changer = call->asked = NULL;
	g_clear_pointer(&call->change_offer, desc_unref);
	g_clear_pointer(&call->change_passed, desc_unref);
}
