/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_change.c - a dialog as a Leg: descriptions that change in it, ours and theirs.
 *
 * A re-INVITE or an UPDATE, one at a time (RFC 3261 14); a PRACK with an offer.
 * Thread: signalling.  RFC 3261 14, RFC 3262, RFC 3264 8, RFC 3311, RFC 6337.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/dialog/sip_early.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/peers/sip_outside.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#define MAX_GLARE 3 /* tries of a re-INVITE that meets theirs */

/* --- ours --- */

void
sip_leg_send_reinvite(SipLeg *leg, const char *sdp)
{
	g_autofree char *session = session_ask(&leg->session, FALSE);
	g_autofree char *min = session_min(&leg->session);

	g_autofree char *contact = NULL;

	hop_refresh(leg);
	contact = sip_leg_contact(leg);
	nua_invite(leg->nh, SIPTAG_CONTENT_TYPE_STR(CONTENT_SDP), SIPTAG_PAYLOAD_STR(sdp),
		   TAG_IF(contact, SIPTAG_CONTACT_STR(contact)), SESSION_TAGS(session, min),
		   TAG_END());
}

void
sip_leg_reinvite(SipLeg *leg)
{
	leg->change = CHANGE_OURS;
	sip_leg_send_reinvite(leg, sip_leg_sdp_of_offer(leg, leg->offer));
	sip_leg_trace_out(leg, "INVITE again", leg->offer);
}

void
sip_leg_change(SipLeg *leg, const Desc *offer)
{
	/* Before the ACK, and beside a change of theirs, it would be glare. */
	if (leg->state != STATE_UP ||
	    (leg->change != CHANGE_NONE && leg->change != CHANGE_REFRESH)) {
		leg_answered(&leg->leg, NULL);
		return;
	}
	sip_leg_set_offer(leg, offer);
	leg->tries = 0;
	if (leg->change == CHANGE_REFRESH) {
		leg->change_waits = TRUE;
		leg->change_until =
			g_get_monotonic_time() + leg->ua->config->change_timeout_s * G_USEC_PER_SEC;
		return;
	}
	sip_leg_reinvite(leg);
}

static void
retry_change(gpointer user)
{
	SipLeg *leg = user;

	sip_leg_reinvite(leg);
}

/* RFC 3261 14.1: the side that made the Call-ID waits longer. */
guint
sip_leg_glare_ms(const SipLeg *leg)
{
	return leg->leg.side == SIDE_CALLEE ? (guint)g_random_int_range(210, 401) * 10
					    : (guint)g_random_int_range(0, 201) * 10;
}

static void
on_glare(SipLeg *leg)
{
	leg->change = CHANGE_WAITING;
	sip_leg_set_timer(leg, sip_leg_glare_ms(leg), retry_change);
}

/* Of a re-INVITE or an UPDATE that was accepted: RFC 3261 12.2.1.2. */
void
sip_leg_follow_target(SipLeg *leg, const SipEvent *event)
{
	sip_leg_learn_answer(leg, event->sip);
	hop_update(leg, event->msg);
}

void
sip_leg_reinvite_answered(SipLeg *leg, const SipEvent *event)
{
	if (event->status < 300) {
		sip_leg_follow_target(leg, event);
		nua_ack(leg->nh, TAG_END());
	} else
		sip_leg_learn_answer(leg, event->sip);
}

/* Its answer, where it is a change that we have asked for. */
void
sip_leg_change_answered(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = sip_leg_heard(leg, event, &reason);
	g_autofree char *line = g_strdup_printf("%d %s", event->status, event->phrase);

	if (leg->state != STATE_UP || leg->change != CHANGE_OURS)
		return;
	if (event->status < 300)
		session_learn_answer(&leg->session, event->sip);
	sip_leg_trace_in(leg, line, answer);
	if (event->status == 491 && ++leg->tries < MAX_GLARE) {
		on_glare(leg);
		return;
	}
	leg->change = CHANGE_NONE;
	if (event->status >= 300 || !sip_leg_take_answer(leg, answer))
		g_clear_pointer(&answer, desc_unref);
	if (answer)
		sip_leg_set_remote(leg, answer);
	leg_answered(&leg->leg, answer);
}

/* --- theirs --- */

/* Answers the INVITE or UPDATE kept in `request`; `sdp` NULL: without a body. */
static void
respond(SipLeg *leg, guint status, const char *phrase, const char *sdp)
{
	g_autofree char *session = status == 422		   ? session_min(&leg->session)
				   : status < 300 && !leg->pracked ? session_answer(&leg->session)
								   : NULL;
	g_autofree char *contact = status < 300 ? sip_leg_contact(leg) : NULL;

	nua_respond(leg->nh, status, phrase, NUTAG_WITH_SAVED(leg->request),
		    TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
		    TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR(CONTENT_SDP)),
		    TAG_IF(sdp, SIPTAG_PAYLOAD_STR(sdp)),
		    TAG_IF(session, SIPTAG_HEADER_STR(session)), TAG_END());
	nua_destroy_event(leg->request);
	leg->request[0] = NULL;
}

/* For its body alone: it goes on as it was. */
static void
refuse_body(SipLeg *leg, const Content *content)
{
	const char *phrase = content_phrase(content);
	g_autofree char *warning = content_warning(content, outside_domain(leg->ua->outside));

	leg_trace(&leg->leg, TRACE_OUT, "%u %s", content->refusal, phrase);
	nua_respond(leg->nh, (int)content->refusal, phrase, NUTAG_WITH_SAVED(leg->request),
		    TAG_IF(warning, SIPTAG_WARNING_STR(warning)),
		    TAG_IF(!warning, SIPTAG_ACCEPT_STR(CONTENT_ACCEPT)),
		    TAG_IF(content->encoded, SIPTAG_ACCEPT_ENCODING_STR("identity")), TAG_END());
	nua_destroy_event(leg->request);
	leg->request[0] = NULL;
}

/* RFC 3264 8.2: the audio is taken out.  To the other side that is a hold, which may end when
 * it comes back; what is answered to this one is in sip_leg_answer(). */
static Desc *
without_audio(SipLeg *leg, const Desc *offer)
{
	if (!leg->remote || !desc_audio(leg->remote) || offer->streams->len == 0)
		return desc_ref(offer);
	leg->removed = desc_ref(offer);
	return desc_turned(leg->remote, DIRECTION_INACTIVE);
}

/* Not now: an offer of ours is not answered, or one of theirs (RFC 3311 5.2, RFC 6337 4). */
static void
refuse_for_now(SipLeg *leg, guint status)
{
	g_autofree char *seconds = g_strdup_printf("%d", g_random_int_range(0, 11));
	const char *phrase =
		status == 491 ? sip_491_Request_pending : sip_500_Internal_server_error;

	nua_respond(leg->nh, (int)status, phrase, NUTAG_WITH_THIS(leg->ua->nua),
		    TAG_IF(status == 500, SIPTAG_RETRY_AFTER_STR(seconds)), TAG_END());
	leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
}

/* An early dialog has its route from the response that made it: nothing of ours is sent in it
 * before the answer, which says the target again. */
static void
learn_request(SipLeg *leg, const SipEvent *event)
{
	sip_leg_learn_request(leg, event->sip);
	origin_follow(leg, event->msg);
	if (leg->state != STATE_CALLING)
		hop_update(leg, event->msg);
}

static void
ask_core(SipLeg *leg, const Desc *offer)
{
	g_autoptr(Desc) held = desc_audio(offer) ? desc_ref(offer) : without_audio(leg, offer);

	leg->change = CHANGE_THEIRS;
	sip_leg_set_remote(leg, held);
	leg_changed(&leg->leg, held);
}

void
sip_leg_refuse_change(SipLeg *leg)
{
	leg->change = CHANGE_NONE;
	if (leg->pracked) { /* RFC 3262 3: a PRACK is not refused */
		g_autoptr(Desc) nothing = desc_answer_nothing(leg->pracked);

		respond(leg, SIP_200_OK, sip_leg_sdp(leg, nothing));
		sip_leg_trace_out(leg, "200 OK", nothing);
		g_clear_pointer(&leg->pracked, desc_unref);
		return;
	}
	respond(leg, SIP_488_NOT_ACCEPTABLE, NULL);
	leg_trace(&leg->leg, TRACE_OUT, "488 Not Acceptable");
}

/* A re-INVITE or UPDATE: a change, a refresh (same description, or none at
 * all), or something we cannot do. */
void
sip_leg_on_change(SipLeg *leg, const SipEvent *event)
{
	gboolean invite = event->event == nua_i_invite;
	g_auto(Content) content = { 0 };
	const Desc *offer;
	guint pending;

	sip_leg_read(leg, event, &content);
	offer = content.desc;
	sip_leg_trace_in(leg, invite ? "INVITE again" : "UPDATE", offer);
	if (event->status >= 200) { /* nua has refused it: 491, 500 */
		leg_trace(&leg->leg, TRACE_OUT, "%d %s", event->status, event->phrase);
		return;
	}
	if (leg->request[0]) { /* one at a time: the first is still to be answered */
		refuse_for_now(leg, 500);
		return;
	}
	learn_request(leg, event);
	pending = offer ? early_refusal(leg, event->sip) : 0;
	if (pending && leg->state != STATE_ENDING) {
		refuse_for_now(leg, pending);
		return;
	}
	nua_save_event(leg->ua->nua, leg->request);
	if (leg->state == STATE_ENDING)
		respond(leg, 481, "Call Does Not Exist", NULL);
	else if (!session_learn_request(&leg->session, event->sip))
		respond(leg, 422, "Session Interval Too Small", NULL);
	else if (content.refusal)
		refuse_body(leg, &content);
	else if (crypto_refuse_offer(&leg->crypto, offer))
		sip_leg_refuse_change(leg);
	else if (!offer && invite && leg->state == STATE_UP && leg->change == CHANGE_NONE) {
		leg->change = CHANGE_OFFER;
		leg_changed(&leg->leg, NULL);
	} else if (!offer) {
		leg->refreshing = invite;
		respond(leg, SIP_200_OK, invite ? leg->sdp : NULL);
		leg_trace(&leg->leg, TRACE_OUT, "200 OK");
	} else
		ask_core(leg, offer);
}

/* Of a 183 of ours.  An offer in it is answered; what cannot be read is left alone, for a
 * PRACK is not refused (RFC 3262 3), and our 200 waits for it. */
void
sip_leg_on_prack(SipLeg *leg, const SipEvent *event)
{
	g_auto(Content) content = { 0 };

	if (event->status >= 200)
		return;
	sip_leg_read(leg, event, &content);
	sip_leg_trace_in(leg, "PRACK", content.desc);
	if (leg->request[0] || (!content.desc && !content.refused)) {
		nua_respond(leg->nh, SIP_200_OK, NUTAG_WITH_THIS(leg->ua->nua), TAG_END());
		leg_trace(&leg->leg, TRACE_OUT, "200 OK");
		return;
	}
	nua_save_event(leg->ua->nua, leg->request);
	leg->pracked = desc_ref(content.desc ? content.desc : content.refused);
	if (!content.desc || early_refusal(leg, event->sip) ||
	    crypto_refuse_offer(&leg->crypto, content.desc))
		sip_leg_refuse_change(leg);
	else
		ask_core(leg, content.desc);
}

void
sip_leg_answer_change(SipLeg *leg, const Desc *answer)
{
	const Desc *removed = g_steal_pointer(&leg->removed);

	leg->change = CHANGE_NONE;
	if (answer && leg->state == STATE_CALLING)
		early_agree(leg, leg->remote);
	if (answer && removed) {
		g_autoptr(Desc) nothing = desc_answer_nothing(removed);

		respond(leg, SIP_200_OK, sip_leg_sdp(leg, nothing));
		sip_leg_trace_out(leg, "200 OK", nothing);
	} else if (answer) {
		crypto_settle(&leg->crypto, answer);
		respond(leg, SIP_200_OK, sip_leg_sdp(leg, answer));
		sip_leg_trace_out(leg, "200 OK", answer);
	} else
		sip_leg_refuse_change(leg);
	g_clear_pointer(&leg->pracked, desc_unref);
	desc_unref(removed);
}

/* A re-INVITE without a description has our offer in its 200.  NULL: the core has none now,
 * so what was said is said again, and the session is refreshed all the same. */
void
sip_leg_answer_offerless(SipLeg *leg, const Desc *offer)
{
	leg->change = offer ? CHANGE_ACK : CHANGE_NONE;
	leg->refreshing = !offer;
	respond(leg, SIP_200_OK, offer ? sip_leg_sdp_of_offer(leg, offer) : leg->sdp);
	sip_leg_trace_out(leg, "200 OK", offer);
}

/* --- answers in an ACK --- */

/* The answer to a 200 that repeated our description: when it says something new
 * the core hears of it as a change, and its answer stays inside. */
void
sip_leg_on_refresh_ack(SipLeg *leg, const Desc *answer)
{
	leg->refreshing = FALSE;
	if (!answer || leg->change != CHANGE_NONE || !sip_leg_take_answer(leg, answer) ||
	    early_is_same(leg->remote, answer))
		return;
	leg->change = CHANGE_ABSORBED;
	sip_leg_set_remote(leg, answer);
	leg_changed(&leg->leg, answer);
}

/* The answer to an offer of ours; none, or one that cannot be taken, is as before. */
void
sip_leg_on_late_answer(SipLeg *leg, const Desc *answer)
{
	leg->change = CHANGE_NONE;
	sip_leg_trace_in(leg, "ACK", answer);
	if (answer && sip_leg_take_answer(leg, answer))
		sip_leg_set_remote(leg, answer);
	leg_answered(&leg->leg, leg->remote);
}
