/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_session.c - a dialog as a Leg: which event of nua goes where.
 *
 * nua has matched, retransmitted and, where told so, answered; an event of it becomes
 * an event of the core.
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_refer.h"

static void
on_reinvite_response(SipLeg *leg, const SipEvent *event)
{
	if (event->status < 200)
		return;
	sip_leg_reinvite_answered(leg, event);
	if (leg->change == CHANGE_REFRESH)
		sip_leg_refresh_answered(leg, event);
	else
		sip_leg_change_answered(leg, event);
}

static void
on_invite_response(SipLeg *leg, const SipEvent *event)
{
	gboolean dialog_is_up = leg->state == STATE_UP;

	if (event->status >= 300 && sip_leg_prove(leg, event))
		return;
	if (dialog_is_up || leg->change == CHANGE_OURS)
		on_reinvite_response(leg, event);
	else
		sip_leg_invite_answered(leg, event);
}

void
sip_leg_event(SipLeg *leg, const SipEvent *event)
{
	switch (event->event) {
	case nua_r_invite:
		on_invite_response(leg, event);
		break;
	case nua_r_update:
		if (event->status < 300 || !sip_leg_prove(leg, event))
			sip_leg_refresh_answered(leg, event);
		break;
	case nua_r_bye:
		sip_leg_bye_answered(leg, event);
		break;
	case nua_i_invite:
	case nua_i_update:
		sip_leg_on_change(leg, event);
		break;
	case nua_i_prack:
		sip_leg_on_prack(leg, event);
		break;
	case nua_i_ack:
		sip_leg_on_ack(leg, event);
		break;
	case nua_i_bye:
		sip_leg_on_bye(leg, event);
		break;
	case nua_i_cancel:
		sip_leg_on_cancel(leg, event);
		break;
	case nua_i_refer:
		refer_asked(leg, event);
		break;
	case nua_i_info:
		sip_leg_on_info(leg, event);
		break;
	case nua_r_info:
		sip_leg_info_answered(leg, event);
		break;
	case nua_i_error:
		if (event->status == 408)
			sip_leg_on_lost_ack(leg);
		break;
	case nua_i_terminated:
		sip_leg_on_terminated(leg, event);
		break;
	default:
		break;
	}
}
