/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_answer.c - a dialog as a Leg: what the core says to a request of the peer, and the ACK.
 *
 * Thread: signalling.  RFC 3261 13.3, RFC 3262.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

void
sip_leg_ring(SipLeg *leg, const Desc *early)
{
	/* Without an offer of his an early description would be one of ours, which
	 * an unreliable response cannot carry (RFC 3264 via RFC 3261 13.2.1). */
	const Desc *said = leg->offerless ? NULL : early;
	g_autofree char *contact = NULL;

	if (leg->state != STATE_INVITED)
		return;
	contact = sip_leg_contact(leg);
	if (said) {
		nua_respond(leg->nh, SIP_183_SESSION_PROGRESS, SIPTAG_CONTENT_TYPE_STR(CONTENT_SDP),
			    SIPTAG_PAYLOAD_STR(sip_leg_sdp(leg, said)),
			    TAG_IF(contact, SIPTAG_CONTACT_STR(contact)), TAG_END());
		leg->answered_early = leg->reliable;
	} else {
		nua_respond(leg->nh, SIP_180_RINGING, TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			    TAG_END());
	}
	sip_leg_trace_out(leg, said ? "183 Session Progress" : "180 Ringing", said);
}

void
sip_leg_answer(SipLeg *leg, const Desc *answer)
{
	if (leg->change == CHANGE_ABSORBED)
		leg->change = CHANGE_NONE;
	else if (leg->change == CHANGE_THEIRS)
		sip_leg_answer_change(leg, answer);
	else if (leg->change == CHANGE_OFFER)
		sip_leg_answer_offerless(leg, answer);
	else if (leg->state == STATE_INVITED && answer) {
		g_autofree char *contact = sip_leg_contact(leg);
		g_autofree char *session = session_answer(&leg->session);

		const char *sdp = leg->offerless ? sip_leg_sdp_of_offer(leg, answer)
						 : sip_leg_sdp(leg, answer);

		leg->state = STATE_ANSWERED;
		unacked_begin(leg);
		sip_leg_clear_timer(leg);
		if (!leg->offerless)
			crypto_settle(&leg->crypto, answer);
		sip_leg_learn_tag(leg);
		nua_respond(leg->nh, SIP_200_OK, SIPTAG_CONTENT_TYPE_STR(CONTENT_SDP),
			    SIPTAG_PAYLOAD_STR(sdp), TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			    TAG_IF(session, SIPTAG_HEADER_STR(session)), TAG_END());
		sip_leg_trace_out(leg, "200 OK", answer);
	}
}

void
sip_leg_on_ack(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = sip_leg_heard(leg, event, &reason);

	unacked_end(leg);
	if (leg->goodbye) {
		sip_leg_bye(leg, leg->goodbye[0] ? leg->goodbye : NULL);
		g_clear_pointer(&leg->goodbye, g_free);
		return;
	}
	if (leg->state == STATE_UP && leg->change == CHANGE_ACK)
		sip_leg_on_late_answer(leg, answer);
	else if (leg->state == STATE_UP && leg->refreshing)
		sip_leg_on_refresh_ack(leg, answer);
	if (leg->state != STATE_ANSWERED)
		return;
	sip_leg_trace_in(leg, "ACK", leg->offerless ? answer : NULL);
	leg->state = STATE_UP;
	sip_leg_learn_ack(leg, event->sip);
	leg_save(&leg->leg);
	if (!leg->offerless)
		return;
	if (answer && sip_leg_take_answer(leg, answer)) {
		sip_leg_set_remote(leg, answer);
		leg_answered(&leg->leg, answer);
	} else {
		reason = reason == REASON_NONE ? REASON_INCOMPATIBLE : reason;
		sip_leg_bye_for(leg, reason, "the ACK had no usable media description");
		sip_leg_fail(leg, reason, LEG_BAD_DESCRIPTION,
			     "the ACK had no usable media description");
	}
}

void
sip_leg_on_lost_ack(SipLeg *leg)
{
	if (leg->state != STATE_ANSWERED)
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "the ACK never came");
	sip_leg_fail(leg, REASON_TIMEOUT, LEG_NO_ACK, NULL);
}
