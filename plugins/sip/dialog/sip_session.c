/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_session.c - a dialog as a Leg: what its peer says.
 *
 * nua has matched, retransmitted and, where told so, answered; here an event of
 * it becomes an event of the core.  One function for each.
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/dialog/sip_audio_from.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/dialog/sip_early.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_info.h"
#include "plugins/sip/stack/sip_lenient.h"
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/sip/dialog/sip_refer.h"
#include "plugins/sip/peers/sip_watch.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <string.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#define MAX_REDIRECTS 3
#define MAX_GLARE     3 /* tries of a re-INVITE that meets theirs */

static void
read_content(SipLeg *leg, const SipEvent *event, Content *content)
{
	content_read(event->sip, leg->ua->config->max_sdp_bytes, content);
	content_check_addresses(content, leg->families);
	if (content->warning)
		leg_trace(&leg->leg, TRACE_NOTE, "%s", content_why(content));
	audio_from_allow(leg, event, content->desc);
	if (content->desc)
		crypto_hear(&leg->crypto, content->desc);
}

static Desc *
desc_of(SipLeg *leg, const SipEvent *event, Reason *reason)
{
	g_auto(Content) content = { 0 };

	read_content(leg, event, &content);
	*reason = content.reason;
	return g_steal_pointer(&content.desc);
}

static void
trace_in(SipLeg *leg, const char *what, const Desc *desc)
{
	g_autofree char *summary = desc ? desc_summary(desc) : NULL;

	leg_trace(&leg->leg, TRACE_IN, "%s%s%s", what, summary ? " with " : "",
		  summary ? summary : "");
}

const char *
leg_problem(const SipLeg *leg)
{
	return leg->trunk && header_hop_is_tls(leg->next_hop)
		       ? trunks_problem(leg->ua->trunks, leg->trunk)
		       : NULL;
}

/* --- answers to our INVITE --- */

/* Whatever it is, the next hop has the call: what follows is not silence but ringing, and a
 * crash leaves something to cancel. */
static void
on_first_word(SipLeg *leg, const sip_t *response)
{
	leg_clear_timer(leg);
	if (!leg->trying)
		leg_trying(&leg->leg);
	leg->trying = TRUE;
	watches_note_call(leg->ua->watches, leg->trunk, TRUE);
	if (leg_learn_ringing(leg, response))
		leg_save(&leg->leg);
}

void
leg_hear_trying(SipLeg *leg, const sip_t *response)
{
	if (leg->state != STATE_CALLING || leg->leg.call == NULL)
		return;
	trace_in(leg, "100 Trying", NULL);
	on_first_word(leg, response);
}

/* RFC 3262 4, by the route of the dialog that it begins; nua would send it where the INVITE
 * has gone. */
static void
acknowledge(SipLeg *leg, const SipEvent *event)
{
	const sip_t *sip = event->sip;
	g_autofree char *hop = hop_of_answer(leg->ua, leg, event->msg);
	g_autofree char *rack = g_strdup_printf("%u %u INVITE", (guint)sip->sip_rseq->rs_response,
						(guint)sip->sip_cseq->cs_seq);

	nua_prack(leg->nh, TAG_IF(hop, NUTAG_PROXY(hop)), SIPTAG_RACK_STR(rack), TAG_END());
}

/* A reliable response begins a dialog, in which the peer may make requests already. */
static void
begin_early_dialog(SipLeg *leg, const SipEvent *event)
{
	leg_learn_dialog(leg, event->sip);
	origin_learn(leg, event->msg);
	acknowledge(leg, event);
}

static void
on_provisional(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *line = g_strdup_printf("%d %s", event->status, event->phrase);
	Reason reason;
	g_autoptr(Desc) said = desc_of(leg, event, &reason), early = NULL;
	gboolean reliable = event->sip && event->sip->sip_rseq && event->status > 100;

	if (leg->state != STATE_CALLING || leg->leg.call == NULL || !event->sip) {
		if (reliable)
			acknowledge(leg, event);
		return;
	}
	trace_in(leg, line, said);
	on_first_word(leg, event->sip);
	if (reliable)
		begin_early_dialog(leg, event);
	leg->heard = TRUE;
	if (said && !crypto_refuse_answer(&leg->crypto, said))
		early = early_hear(leg, event->sip, said);
	/* 181 and 182 say where the call is, not that anything rings. */
	if (event->status == 180 || event->status == 183)
		leg_ringing(&leg->leg, early);
}

/* RFC 3261 12.1.1 has a SIP URI there, and a carrier's gateway now and then a tel: one. */
static void
note_contact(SipLeg *leg, const sip_t *sip)
{
	const char *was = lenient_contact_was(sip->sip_contact);

	if (was)
		leg_trace(&leg->leg, TRACE_NOTE,
			  "the Contact is not a SIP address (%s): later requests go to where this "
			  "message came from",
			  was);
}

/* The answer is in the 200, or was in a reliable provisional one from the same
 * peer (RFC 3261 13.2.2.4). */
static Desc *
final_answer(SipLeg *leg, const SipEvent *event, Reason *reason)
{
	g_autoptr(Desc) said = desc_of(leg, event, reason);
	Desc *answer = *reason == REASON_NONE ? early_hear(leg, event->sip, said) : NULL;

	if (!answer && *reason == REASON_NONE)
		*reason = REASON_INCOMPATIBLE;
	return answer;
}

static void
bye_for(SipLeg *leg, Reason reason, const char *why)
{
	g_autofree char *header = sip_reason_to_header(reason, why);

	leg_bye(leg, header);
}

static void
on_accepted(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = final_answer(leg, event, &reason);
	const char *insecure = crypto_refuse_answer(&leg->crypto, answer);

	leg_learn_dialog(leg, event->sip);
	origin_learn(leg, event->msg);
	hop_update(leg, event->msg);
	nua_ack(leg->nh, TAG_END());
	if (leg->state == STATE_ENDING) { /* the 200 crossed our CANCEL */
		leg_bye(leg, leg->goodbye);
		return;
	}
	leg_clear_timer(leg);
	trace_in(leg, "200 OK", answer);
	note_contact(leg, event->sip);
	trunks_note(leg->ua->trunks, leg->trunk, REASON_NONE, "answered");
	if (!answer || insecure) {
		const char *why = insecure ? insecure
				  : reason == REASON_IP_VERSION
					  ? "answered with an address of the IP version that the "
					    "gateway's media does not have"
					  : "answered without a usable media description";

		reason = insecure ? REASON_INCOMPATIBLE : reason;
		leg_trace(&leg->leg, TRACE_NOTE, "%s", why);
		bye_for(leg, reason, why);
		leg_over(leg, reason, why);
		return;
	}
	crypto_settle(&leg->crypto, answer);
	leg->state = STATE_UP;
	leg->challenged = 0; /* the password is right */
	session_learn_answer(&leg->session, event->sip);
	leg_set_remote(leg, answer);
	leg_answered(&leg->leg, answer);
}

static void
retry_change(gpointer user)
{
	SipLeg *leg = user;

	leg_reinvite(leg);
}

/* RFC 3261 14.1: the side that made the Call-ID waits longer. */
static guint
glare_ms(const SipLeg *leg)
{
	return leg->leg.side == SIDE_CALLEE ? (guint)g_random_int_range(210, 401) * 10
					    : (guint)g_random_int_range(0, 201) * 10;
}

static void
on_glare(SipLeg *leg)
{
	leg->change = CHANGE_WAITING;
	leg_set_timer(leg, glare_ms(leg), retry_change);
}

/* Of a re-INVITE or an UPDATE that was accepted: RFC 3261 12.2.1.2. */
static void
learn_target(SipLeg *leg, const SipEvent *event)
{
	leg_learn_answer(leg, event->sip);
	hop_update(leg, event->msg);
}

static void on_refresh_ack(SipLeg *leg, const Desc *answer);

/* To our refresh, an UPDATE or a re-INVITE. */
static void
on_refreshed(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = desc_of(leg, event, &reason);
	gboolean update = event->event == nua_r_update;
	gboolean moving = leg->moving;

	if (event->status < 200 || leg->state != STATE_UP || leg->change != CHANGE_REFRESH)
		return;
	leg_trace(&leg->leg, TRACE_IN, "%d %s", event->status, event->phrase);
	if (update && event->status < 300)
		learn_target(leg, event);
	leg->moving = FALSE;
	leg_refreshed(leg);
	if (moving && event->status == 491) {
		leg->move_from = g_get_monotonic_time() + glare_ms(leg) * G_TIME_SPAN_MILLISECOND;
		leg_moved(leg);
	}
	if (event->status < 300) {
		session_learn_answer(&leg->session, event->sip);
		on_refresh_ack(leg, answer);
	} else if (event->status == 408 || event->status == 481 || !event->sip) {
		leg_expire(leg, "the other side does not answer session refreshes");
	} else {
		if (event->status == 422)
			session_learn_refusal(&leg->session, event->sip);
		else if (update && event->status != 491 && event->status < 500)
			leg->session.updates = FALSE; /* Allow was a promise not kept */
		session_try_again(&leg->session);
	}
}

/* FALSE: it cannot be taken, and the ladder says why. */
static gboolean
take_answer(SipLeg *leg, const Desc *answer)
{
	const char *insecure = crypto_refuse_answer(&leg->crypto, answer);

	if (insecure)
		leg_trace(&leg->leg, TRACE_NOTE, "%s", insecure);
	else
		crypto_settle(&leg->crypto, answer);
	return insecure == NULL;
}

static void
on_change_answered(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = desc_of(leg, event, &reason);
	g_autofree char *line = g_strdup_printf("%d %s", event->status, event->phrase);

	if (event->status < 200)
		return;
	if (event->status < 300) {
		learn_target(leg, event);
		nua_ack(leg->nh, TAG_END());
	} else
		leg_learn_answer(leg, event->sip);
	if (leg->change == CHANGE_REFRESH) {
		on_refreshed(leg, event);
		return;
	}
	if (leg->state != STATE_UP || leg->change != CHANGE_OURS)
		return;
	if (event->status < 300)
		session_learn_answer(&leg->session, event->sip);
	trace_in(leg, line, answer);
	if (event->status == 491 && ++leg->tries < MAX_GLARE) {
		on_glare(leg);
		return;
	}
	leg->change = CHANGE_NONE;
	if (event->status >= 300 || !take_answer(leg, answer))
		g_clear_pointer(&answer, desc_unref);
	if (answer)
		leg_set_remote(leg, answer);
	leg_answered(&leg->leg, answer);
}

/* A carrier that sends the call elsewhere is followed where the admin says so, and
 * only through itself: the new address goes to the same next hop, which bills it. */
static gboolean
follow_redirect(SipLeg *leg, const SipEvent *event)
{
	const Trunk *trunk = trunks_find(leg->ua->trunks, leg->trunk);
	const char *uri = guard_kept(event->sip, GUARD_REDIRECT);

	if (event->status < 300 || event->status >= 400 || !trunk || !trunk->follow_redirects ||
	    !uri || leg->redirects >= MAX_REDIRECTS)
		return FALSE;
	leg->redirects++;
	g_free(leg->request_uri);
	leg->request_uri = g_strdup(uri);
	leg_trace(&leg->leg, TRACE_NOTE, "redirected to %s", uri);
	leg_invite_again(leg);
	return TRUE;
}

static void
on_refused(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *text = NULL;
	gboolean internal = !event->sip; /* nua's own: 408 Timer B, 503 unreachable */
	const char *problem = internal ? leg_problem(leg) : NULL;
	Reason reason = header_refusal(event->status, event->phrase, event->sip, &text);

	if (internal)
		reason = event->status == 408 ? REASON_TIMEOUT : REASON_NETWORK_ERROR;
	leg_trace(&leg->leg, internal ? TRACE_NOTE : TRACE_IN, "%s", problem ? problem : text);
	if (problem)
		g_warning("trunk %s: %s", leg->trunk, problem);
	if (internal && leg->phone) {
		leg_over(leg, REASON_UNREACHABLE, "the softphone cannot be reached");
		return;
	}
	if (follow_redirect(leg, event))
		return;
	if (!internal && location_leave(leg, (guint)event->status)) {
		leg_invite_again(leg);
		return;
	}
	if (event->status == 488 && leg->crypto.policy == CRYPTO_OFFER &&
	    !leg->crypto.secure_profile) {
		leg->crypto.secure_profile = TRUE;
		leg_trace(&leg->leg, TRACE_NOTE, "once more, with SRTP alone");
		leg_invite_again(leg);
		return;
	}
	if (event->status == 422 && session_learn_refusal(&leg->session, event->sip)) {
		leg_invite_again(leg);
		return;
	}
	/* RFC 3263 4.3 */
	if ((internal ? !leg->trying : event->status == 503) && leg_try_next_hop(leg))
		return;
	watches_note_call(leg->ua->watches, leg->trunk, !internal);
	leg_over(leg, reason,
		 !internal    ? text
		 : problem    ? problem
		 : leg->trunk ? "the trunk cannot be reached"
			      : "the host of the address cannot be reached");
	if (event->status == 401 ||
	    event->status == 407) /* nua would wait for credentials and never end */
		leg_free(leg);
}

/* Not for an INVITE that has been given up: it would ring after all. */
static gboolean
try_credentials(SipLeg *leg, const SipEvent *event)
{
	const Trunk *trunk = trunks_find(leg->ua->trunks, leg->trunk);
	g_autofree char *auth = trunk ? header_credentials(trunk, (guint)event->status, event->sip,
							   &leg->challenged)
				      : NULL;

	if (!auth || (leg->state == STATE_ENDING && event->event == nua_r_invite))
		return FALSE;
	leg_trace(&leg->leg, TRACE_IN, "%d %s", event->status, event->phrase);
	leg_trace(&leg->leg, TRACE_OUT, "%s again, with credentials",
		  event->event == nua_r_bye    ? "BYE"
		  : event->event == nua_r_info ? "INFO"
					       : "INVITE");
	nua_authenticate(leg->nh, NUTAG_AUTH(auth), TAG_END());
	return TRUE;
}

static void
on_invite_response(SipLeg *leg, const SipEvent *event)
{
	gboolean dialog_is_up = leg->state == STATE_UP;

	if (event->status >= 300 && try_credentials(leg, event))
		return;
	if (dialog_is_up || leg->change == CHANGE_OURS)
		on_change_answered(leg, event);
	else if (event->status < 200)
		on_provisional(leg, event);
	else if (event->status < 300)
		on_accepted(leg, event);
	else if (leg->state == STATE_CALLING)
		on_refused(leg, event);
}

/* --- requests inside the dialog --- */

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
 * it comes back; what is answered to this one is in leg_answer(). */
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
	leg_learn_request(leg, event->sip);
	origin_follow(leg, event->msg);
	if (leg->state != STATE_CALLING)
		hop_update(leg, event->msg);
}

static void
ask_core(SipLeg *leg, const Desc *offer)
{
	g_autoptr(Desc) held = desc_audio(offer) ? desc_ref(offer) : without_audio(leg, offer);

	leg->change = CHANGE_THEIRS;
	leg_set_remote(leg, held);
	leg_changed(&leg->leg, held);
}

/* A re-INVITE or UPDATE: a change, a refresh (same description, or none at
 * all), or something we cannot do. */
static void
on_change(SipLeg *leg, const SipEvent *event)
{
	gboolean invite = event->event == nua_i_invite;
	g_auto(Content) content = { 0 };
	const Desc *offer;
	guint pending;

	read_content(leg, event, &content);
	offer = content.desc;
	trace_in(leg, invite ? "INVITE again" : "UPDATE", offer);
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
		leg_respond(leg, 481, "Call Does Not Exist", NULL);
	else if (!session_learn_request(&leg->session, event->sip))
		leg_respond(leg, 422, "Session Interval Too Small", NULL);
	else if (content.refusal)
		refuse_body(leg, &content);
	else if (crypto_refuse_offer(&leg->crypto, offer))
		leg_refuse_change(leg);
	else if (!offer && invite && leg->state == STATE_UP && leg->change == CHANGE_NONE) {
		leg->change = CHANGE_OFFER;
		leg_changed(&leg->leg, NULL);
	} else if (!offer) {
		leg->refreshing = invite;
		leg_respond(leg, SIP_200_OK, invite ? leg->sdp : NULL);
		leg_trace(&leg->leg, TRACE_OUT, "200 OK");
	} else
		ask_core(leg, offer);
}

/* Of a 183 of ours.  An offer in it is answered; what cannot be read is left alone, for a
 * PRACK is not refused (RFC 3262 3), and our 200 waits for it. */
static void
on_prack(SipLeg *leg, const SipEvent *event)
{
	g_auto(Content) content = { 0 };

	if (event->status >= 200)
		return;
	read_content(leg, event, &content);
	trace_in(leg, "PRACK", content.desc);
	if (leg->request[0] || (!content.desc && !content.refused)) {
		nua_respond(leg->nh, SIP_200_OK, NUTAG_WITH_THIS(leg->ua->nua), TAG_END());
		leg_trace(&leg->leg, TRACE_OUT, "200 OK");
		return;
	}
	nua_save_event(leg->ua->nua, leg->request);
	leg->pracked = desc_ref(content.desc ? content.desc : content.refused);
	if (!content.desc || early_refusal(leg, event->sip) ||
	    crypto_refuse_offer(&leg->crypto, content.desc))
		leg_refuse_change(leg);
	else
		ask_core(leg, content.desc);
}

/* The answer to a 200 that repeated our description: when it says something new
 * the core hears of it as a change, and its answer stays inside. */
static void
on_refresh_ack(SipLeg *leg, const Desc *answer)
{
	leg->refreshing = FALSE;
	if (!answer || leg->change != CHANGE_NONE || !take_answer(leg, answer) ||
	    early_is_same(leg->remote, answer))
		return;
	leg->change = CHANGE_ABSORBED;
	leg_set_remote(leg, answer);
	leg_changed(&leg->leg, answer);
}

/* The answer to an offer of ours; none, or one that cannot be taken, is as before. */
static void
on_late_answer(SipLeg *leg, const Desc *answer)
{
	leg->change = CHANGE_NONE;
	trace_in(leg, "ACK", answer);
	if (answer && take_answer(leg, answer))
		leg_set_remote(leg, answer);
	leg_answered(&leg->leg, leg->remote);
}

static void
on_ack(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = desc_of(leg, event, &reason);

	unacked_end(leg);
	if (leg->goodbye) {
		leg_bye(leg, leg->goodbye[0] ? leg->goodbye : NULL);
		g_clear_pointer(&leg->goodbye, g_free);
		return;
	}
	if (leg->state == STATE_UP && leg->change == CHANGE_ACK)
		on_late_answer(leg, answer);
	else if (leg->state == STATE_UP && leg->refreshing)
		on_refresh_ack(leg, answer);
	if (leg->state != STATE_ANSWERED)
		return;
	trace_in(leg, "ACK", leg->offerless ? answer : NULL);
	leg->state = STATE_UP;
	leg_learn_ack(leg, event->sip);
	leg_save(&leg->leg);
	if (!leg->offerless)
		return;
	if (answer && take_answer(leg, answer)) {
		leg_set_remote(leg, answer);
		leg_answered(&leg->leg, answer);
	} else {
		reason = reason == REASON_NONE ? REASON_INCOMPATIBLE : reason;
		bye_for(leg, reason, "the ACK had no usable media description");
		leg_over(leg, reason, "the ACK had no usable media description");
	}
}

static guint
judge_info(const sip_t *sip, char *key)
{
	const sip_content_type_t *type = sip->sip_content_type;
	const sip_payload_t *body = sip->sip_payload;
	guint status;

	if (guard_kept(sip, "Info-Package")) /* we have said that we want none */
		return 469;
	if (body && body->pl_len && sip->sip_content_encoding)
		return 415;
	status = info_answer(type ? type->c_type : NULL, body ? body->pl_data : NULL,
			     body ? body->pl_len : 0, key);
	/* RFC 3261 20.11: what may be passed over is */
	return status == 415 && sip->sip_content_disposition &&
			       sip->sip_content_disposition->cd_optional
		       ? 200
		       : status;
}

static void
answer_info(SipLeg *leg, const sip_t *sip, guint status)
{
	const char *phrase = status == 200   ? sip_200_OK
			     : status == 415 ? sip_415_Unsupported_media
			     : status == 469 ? "Bad Info Package"
					     : sip_400_Bad_request;
	gboolean encoded = status == 415 && sip->sip_content_encoding;

	if (status != 200)
		leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
	nua_respond(leg->nh, (int)status, phrase, NUTAG_WITH_THIS(leg->ua->nua),
		    TAG_IF(status == 415, SIPTAG_ACCEPT_STR(INFO_RELAY ", " INFO_PLAIN)),
		    TAG_IF(encoded, SIPTAG_ACCEPT_ENCODING_STR("identity")),
		    TAG_IF(status == 469, SIPTAG_HEADER_STR("Recv-Info: \r\n")), TAG_END());
}

static void
on_info(SipLeg *leg, const SipEvent *event)
{
	const sip_content_type_t *type = event->sip ? event->sip->sip_content_type : NULL;
	char key = 0;
	guint status;

	if (event->status >= 200 || !event->sip)
		return;
	status = judge_info(event->sip, &key);
	leg_trace(&leg->leg, TRACE_IN, "INFO%s%s%s", type ? " " : "", type ? type->c_type : "",
		  key ? ", a key" : "");
	answer_info(leg, event->sip, status);
	if (key)
		leg_dtmf(&leg->leg, key);
}

/* Who does not know the one form may know the other; who knows neither is not
 * asked again. */
static void
on_info_answered(SipLeg *leg, const SipEvent *event)
{
	if (event->status < 200)
		return;
	if (event->status >= 300 && try_credentials(leg, event))
		return;
	leg->info_out = FALSE;
	if (event->status == 415 && !leg->info_plain) {
		leg->info_plain = TRUE;
	} else if (event->status >= 300) {
		leg_trace(&leg->leg, TRACE_IN, "%d %s: no keys by INFO", event->status,
			  event->phrase);
		g_string_truncate(leg->keys, 0);
	} else {
		g_string_erase(leg->keys, 0, 1);
	}
	leg_next_key(leg);
}

static void
on_bye(SipLeg *leg, const SipEvent *event)
{
	Reason reason = header_reason(event->sip, REASON_HANGUP);

	leg_trace(&leg->leg, TRACE_IN, "BYE");
	leg_over(leg, reason, NULL);
}

static void
on_cancel(SipLeg *leg, const SipEvent *event)
{
	Reason reason = header_reason(event->sip, REASON_CANCELLED);

	leg_trace(&leg->leg, TRACE_IN, "CANCEL");
	/* A cause 16 (normal clearing) on a CANCEL is still a cancelled call. */
	leg_over(leg, reason == REASON_HANGUP ? REASON_CANCELLED : reason, NULL);
}

/* nua's word on the session is over; so is the leg. */
static void
on_terminated(SipLeg *leg, const SipEvent *event)
{
	gboolean lost = leg->state == STATE_ANSWERED || leg->state == STATE_UP;

	if (lost)
		leg_trace(&leg->leg, TRACE_NOTE, "%d %s", event->status, event->phrase);
	leg_over(leg, event->status == 408 ? REASON_TIMEOUT : REASON_NETWORK_ERROR,
		 lost ? "the other side does not respond any more" : NULL);
	leg_free(leg);
}

static void
on_lost_ack(SipLeg *leg)
{
	if (leg->state != STATE_ANSWERED)
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "the ACK never came");
	leg_over(leg, REASON_TIMEOUT, "the caller never confirmed the answer");
}

/* The connection that the call came by may end at the same moment. */
static void
on_bye_answered(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *saved = leg->way_back && !event->sip ? leg_saved(leg) : NULL;

	if (event->status < 300)
		return;
	if (saved) {
		g_clear_pointer(&leg->way_back, g_free);
		leg_bury(leg->ua, saved, REASON_HANGUP);
	} else
		try_credentials(leg, event);
}

void
leg_event(SipLeg *leg, const SipEvent *event)
{
	switch (event->event) {
	case nua_r_invite:
		on_invite_response(leg, event);
		break;
	case nua_r_update:
		if (event->status < 300 || !try_credentials(leg, event))
			on_refreshed(leg, event);
		break;
	case nua_r_bye:
		on_bye_answered(leg, event);
		break;
	case nua_i_invite:
	case nua_i_update:
		on_change(leg, event);
		break;
	case nua_i_prack:
		on_prack(leg, event);
		break;
	case nua_i_ack:
		on_ack(leg, event);
		break;
	case nua_i_bye:
		on_bye(leg, event);
		break;
	case nua_i_cancel:
		on_cancel(leg, event);
		break;
	case nua_i_refer:
		refer_asked(leg, event);
		break;
	case nua_i_info:
		on_info(leg, event);
		break;
	case nua_r_info:
		on_info_answered(leg, event);
		break;
	case nua_i_error:
		if (event->status == 408)
			on_lost_ack(leg);
		break;
	case nua_i_terminated:
		on_terminated(leg, event);
		break;
	default:
		break;
	}
}
