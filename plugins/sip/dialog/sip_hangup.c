/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_hangup.c - a dialog as a Leg: its end, the core's and the peer's.
 *
 * Thread: signalling.  RFC 3261 9, 15; RFC 3326.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/stack/sip_reason.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

/* --- ours --- */

static void
refuse_call(SipLeg *leg, Reason reason, const char *header)
{
	const char *phrase = NULL;
	guint status = sip_reason_to_status(reason, &phrase);

	leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
	nua_respond(leg->nh, status, phrase, TAG_IF(header, SIPTAG_REASON_STR(header)), TAG_END());
}

static void
say_goodbye(SipLeg *leg, Reason reason, const char *text)
{
	g_autofree char *header = sip_reason_to_header(reason, text);

	if (leg->leg.side == SIDE_CALLEE && leg->state == STATE_CALLING)
		way_note(leg->way, reason, NULL);
	switch (leg->state) {
	case STATE_RESOLVING:
	case STATE_ENDING:
		break;
	case STATE_CALLING:
		leg_trace(&leg->leg, TRACE_OUT, "CANCEL%s%s", header ? " " : "",
			  header ? header : "");
		nua_cancel(leg->nh, TAG_IF(header, SIPTAG_REASON_STR(header)), TAG_END());
		break;
	case STATE_INVITED:
		refuse_call(leg, reason, header);
		break;
	case STATE_ANSWERED: /* RFC 3261 15: no BYE of the callee before the ACK */
		if (leg->change == CHANGE_THEIRS)
			sip_leg_refuse_change(leg);
		leg->goodbye = g_strdup(header ? header : "");
		break;
	case STATE_UP:
		if (leg->change == CHANGE_THEIRS || leg->change == CHANGE_OFFER)
			sip_leg_refuse_change(leg);
		leg_trace(&leg->leg, TRACE_OUT, "BYE%s%s", header ? " " : "", header ? header : "");
		sip_leg_bye(leg, header);
		break;
	}
}

void
sip_leg_hangup(SipLeg *leg, Reason reason, const char *text)
{
	say_goodbye(leg, reason, text);
	if (leg->state != STATE_ENDING)
		sip_leg_end(leg);
}

void
sip_leg_drop(SipLeg *leg, Reason reason, const char *text)
{
	say_goodbye(leg, reason, NULL);
	sip_leg_fail(leg, reason, LEG_NO_FAULT, text);
}

/* --- theirs --- */

void
sip_leg_on_bye(SipLeg *leg, const SipEvent *event)
{
	Reason reason = header_reason(event->sip, REASON_HANGUP);

	leg_trace(&leg->leg, TRACE_IN, "BYE");
	sip_leg_over(leg, reason, NULL);
}

/* The connection that the call came by may end at the same moment. */
void
sip_leg_bye_answered(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *saved = leg->way_back && !event->sip ? sip_leg_saved(leg) : NULL;

	if (event->status < 300)
		return;
	if (saved) {
		g_clear_pointer(&leg->way_back, g_free);
		sip_leg_bury(leg->ua, saved, REASON_HANGUP);
	} else
		sip_leg_prove(leg, event);
}

void
sip_leg_on_cancel(SipLeg *leg, const SipEvent *event)
{
	Reason reason = header_reason(event->sip, REASON_CANCELLED);

	leg_trace(&leg->leg, TRACE_IN, "CANCEL");
	/* A cause 16 (normal clearing) on a CANCEL is still a cancelled call. */
	sip_leg_over(leg, reason == REASON_HANGUP ? REASON_CANCELLED : reason, NULL);
}

/* nua's word on the session is over; so is the leg. */
void
sip_leg_on_terminated(SipLeg *leg, const SipEvent *event)
{
	gboolean lost = leg->state == STATE_ANSWERED || leg->state == STATE_UP;

	if (lost)
		leg_trace(&leg->leg, TRACE_NOTE, "%d %s", event->status, event->phrase);
	if (lost)
		sip_leg_fail(leg, event->status == 408 ? REASON_TIMEOUT : REASON_NETWORK_ERROR,
			     LEG_GONE, event->phrase);
	else
		sip_leg_over(leg, event->status == 408 ? REASON_TIMEOUT : REASON_NETWORK_ERROR,
			     NULL);
	sip_leg_free(leg);
}
