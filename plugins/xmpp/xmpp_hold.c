/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_hold.c - hold and resume, both ways.
 *
 * Two wishes make the direction of the audio: his (`own`: session-info hold and
 * active, the senders of a content-modify) and the telephone's (`asked`).  Each
 * is kept apart, so that who resumes does not resume for the other.  He is told
 * of the telephone's by session-info alone: clients differ in what they make of
 * other senders, and one ends the call at "none".
 * RFC 3264 8.4, XEP-0167 section 8.
 */
#include "plugins/xmpp/xmpp_leg.h"

#define RETRY_MS  1000 /* and up to as much again: both sides may have begun at once */
#define MAX_TRIES 5

static const Transport *
transport_of(const Desc *desc)
{
	const Stream *audio = desc ? desc_audio(desc) : NULL;

	return audio ? audio->transport : NULL;
}

static gboolean
is_hold(Direction direction)
{
	return direction == DIRECTION_SENDONLY || direction == DIRECTION_INACTIVE;
}

/* --- his --- */

/* One change at a time: the next when this has been answered. */
static void
propose(XmppLeg *leg)
{
	XmppHold *hold = &leg->hold;
	Direction direction = direction_answer(hold->asked, hold->own);
	g_autoptr(Desc) offer = NULL;

	if (leg->state != XMPP_TALKING || hold->busy || hold->timer || leg->restarting ||
	    hold->own == hold->agreed || !transport_of(leg->theirs))
		return;
	offer = xmpp_desc_like(leg->theirs, direction, transport_of(leg->theirs));
	hold->busy = TRUE;
	hold->proposed = hold->own;
	leg_changed(&leg->leg, offer);
}

void
xmpp_hold_wish(XmppLeg *leg, Direction own)
{
	if (leg->state != XMPP_TALKING)
		return;
	leg->hold.own = own;
	leg->hold.tries = 0;
	propose(leg);
}

void
xmpp_hold_info(XmppLeg *leg, JingleInfo info)
{
	if (info == JINGLE_INFO_HOLD)
		xmpp_hold_wish(leg, leg->hold.own == DIRECTION_RECVONLY ? DIRECTION_INACTIVE
									: DIRECTION_SENDONLY);
	else if ((info == JINGLE_INFO_ACTIVE || info == JINGLE_INFO_UNHOLD) &&
		 is_hold(leg->hold.own))
		xmpp_hold_wish(leg, DIRECTION_SENDRECV);
}

void
xmpp_hold_modify(XmppLeg *leg, const Jingle *jingle)
{
	JingleParty he = leg->leg.side == SIDE_CALLER ? PARTY_INITIATOR : PARTY_RESPONDER;
	const JingleContent *content = leg->content ? jingle_content(jingle, leg->content) : NULL;

	if (content && content->senders_given)
		xmpp_hold_wish(leg, jingle_direction(content->senders, he));
}

static void
on_retry(gpointer data)
{
	XmppLeg *leg = data;

	propose(leg);
}

/* TRUE when it was the answer to a change of his, NULL being a refusal. */
gboolean
xmpp_hold_answered(XmppLeg *leg, const Desc *answer)
{
	XmppHold *hold = &leg->hold;

	if (!hold->busy)
		return FALSE;
	hold->busy = FALSE;
	if (answer) {
		hold->agreed = hold->proposed;
		hold->tries = 0;
	} else if (++hold->tries < MAX_TRIES) {
		timer_set(&hold->timer, RETRY_MS + (guint)g_random_int_range(0, RETRY_MS), on_retry,
			  leg);
	} else {
		leg_trace(&leg->leg, TRACE_NOTE, "the other side does not take %s",
			  direction_name(hold->proposed));
		hold->agreed = hold->proposed;
	}
	propose(leg);
	return TRUE;
}

void
xmpp_hold_stop(XmppLeg *leg)
{
	timer_clear(&leg->hold.timer);
	leg->hold.busy = FALSE;
}

/* --- the telephone's --- */

void
xmpp_hold_change(XmppLeg *leg, const Desc *offer)
{
	const Stream *asked = desc_audio(offer);
	JingleSession session = { .sid = leg->sid };
	g_autoptr(Desc) answer = NULL;
	gboolean held = is_hold(leg->hold.asked);
	JingleInfo info;

	if (leg->state != XMPP_TALKING || !asked || !transport_of(leg->theirs)) {
		leg_answered(&leg->leg, NULL);
		return;
	}
	leg->hold.asked = asked->direction;
	if (is_hold(asked->direction) != held) {
		info = held ? JINGLE_INFO_ACTIVE : JINGLE_INFO_HOLD;
		xmpp_leg_out(leg, "session-info %s", jingle_info_name(info));
		xmpp_leg_request(leg, jingle_build_info(&session, info, NULL));
	}
	answer = xmpp_desc_like(leg->theirs, direction_answer(asked->direction, leg->hold.own),
				transport_of(leg->theirs));
	leg_answered(&leg->leg, answer);
}
