/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_outgoing.c - a dialog as a Leg: the INVITE that begins it, from hop to hop, and the
 * answers to it.
 *
 * Thread: signalling.  RFC 3261 13.2, RFC 3262, RFC 3263 4.3.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_error.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/dialog/sip_early.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_lenient.h"
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/stack/sip_stack.h"
#include "plugins/sip/stack/sip_tel.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

/* --- sending --- */

static gboolean try_next_hop(SipLeg *leg);

/* The admin's patience with a carrier that says nothing at all, not even 100; Timer B
 * would have the caller wait 32 s. */
static void
on_no_response(gpointer user)
{
	SipLeg *leg = user;
	g_autofree char *text = NULL;
	const char *problem;

	text = header_hop_text(leg->next_hop);
	leg_trace(&leg->leg, TRACE_NOTE, "no response from %s", text);
	if (try_next_hop(leg))
		return;
	problem = way_problem(leg->way, leg->next_hop);
	way_note_reached(leg->way, FALSE);
	/* CANCEL is held back until something answers; then it goes out. */
	nua_cancel(leg->nh, TAG_END());
	sip_leg_fail(leg, way_unreachable(leg->way, REASON_TIMEOUT),
		     problem ? LEG_BAD_TLS : LEG_NO_RESPONSE, problem);
}

static void
send_invite(SipLeg *leg)
{
	const SipWay *way = leg->way;
	g_auto(LocationBody) body = { NULL, NULL };
	const char *sdp = sip_leg_sdp_of_offer(leg, leg->offer);
	g_autofree char *to = g_strdup_printf("<%s>", way->to ? way->to : way->request_uri);
	g_autofree char *contact = sip_leg_contact(leg);
	g_autofree char *session = session_ask(&leg->session, TRUE);
	g_autofree char *min = session_min(&leg->session);
	g_autofree char *hop = header_hop_text(leg->next_hop);
	g_autofree char *what = way_trunk(way)
					? g_strdup_printf("INVITE to %s at %s", way_trunk(way), hop)
					: g_strdup_printf("INVITE to %s", hop);

	leg->nh = nua_handle(leg->ua->nua, (nua_hmagic_t *)leg, NUTAG_URL(way->request_uri),
			     SIPTAG_FROM_STR(way->from), SIPTAG_TO_STR(to), TAG_END());
	if (!leg->nh) {
		sip_leg_fail(leg, REASON_PROTOCOL_ERROR, LEG_NO_FAULT,
			     "the number cannot be written as a SIP address");
		return;
	}
	leg->state = STATE_CALLING;
	sip_leg_forget_invite(leg);
	leg->invite_id = g_uuid_string_random();
	g_hash_table_insert(leg->ua->invites, leg->invite_id, leg);
	if (leg->pidf)
		location_body(leg, sdp, &body);
	/* A handle forgets a NUTAG_PROXY of nua_handle(). */
	nua_invite(leg->nh, NUTAG_PROXY(leg->next_hop), UA_ANSWERS(leg->ua->answered_inside),
		   SIPTAG_CALL_ID_STR(leg->invite_id),
		   SIPTAG_CONTENT_TYPE_STR(body.type ? body.type : CONTENT_SDP),
		   SIPTAG_PAYLOAD_STR(body.text ? body.text : sdp),
		   TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
		   TAG_IF(way->route, SIPTAG_ROUTE_STR(way->route)),
		   TAG_IF(way->identity, SIPTAG_HEADER_STR(way->identity)),
		   TAG_IF(leg->about, SIPTAG_HEADER_STR(leg->about)),
		   TAG_IF(leg->where, SIPTAG_HEADER_STR(leg->where)), SESSION_TAGS(session, min),
		   TAG_IF(way->anonymous, SIPTAG_PRIVACY_STR("id")), TAG_END());
	sip_leg_set_timer(leg, way->response_ms, on_no_response);
	sip_leg_trace_out(leg, what, leg->offer);
	if (leg->crypto.policy != CRYPTO_OFF && !header_hop_is_tls(leg->next_hop))
		leg_trace(&leg->leg, TRACE_NOTE, "srtp: the key goes in the clear, not by TLS");
}

/* To the same hop: what it asked for was refused. */
static void
invite_again(SipLeg *leg)
{
	sip_leg_clear_timer(leg);
	/* whatever comes of the old one is nobody's; sip_ua.c ends it */
	nua_handle_bind(leg->nh, NULL);
	nua_cancel(leg->nh, TAG_END());
	leg->nh = NULL;
	leg->challenged = 0;
	leg->trying = FALSE;
	g_clear_pointer(&leg->ringing, g_free);
	origin_forget(leg);
	sip_leg_forget_dialog(leg);
	g_hash_table_remove_all(leg->early);
	g_clear_pointer(&leg->agreed_tag, g_free);
	send_invite(leg);
}

/* Nothing came of this next hop: sends the INVITE to the next one.  FALSE: there
 * is none, or somebody has answered already (RFC 3263 4.3). */
static gboolean
try_next_hop(SipLeg *leg)
{
	g_autofree char *text = NULL;

	if (leg->state != STATE_CALLING || leg->heard || !way_has_next_hop(leg->way))
		return FALSE;
	g_free(leg->next_hop);
	leg->next_hop = g_strdup(way_next_hop(leg->way));
	text = header_hop_text(leg->next_hop);
	leg_trace(&leg->leg, TRACE_NOTE, "next: %s", text);
	invite_again(leg);
	return TRUE;
}

void
sip_leg_call_hops(SipLeg *leg, GPtrArray *hops)
{
	leg->next_hop = g_strdup(way_first_hop(leg->way, hops));
	leg->ua->calls_out++;
	send_invite(leg);
}

/* --- answers --- */

/* Whatever it is, the next hop has the call: what follows is not silence but ringing, and a
 * crash leaves something to cancel. */
static void
on_first_word(SipLeg *leg, const sip_t *response)
{
	sip_leg_clear_timer(leg);
	if (!leg->trying)
		leg_trying(&leg->leg);
	leg->trying = TRUE;
	way_note_reached(leg->way, TRUE);
	if (sip_leg_learn_ringing(leg, response))
		leg_save(&leg->leg);
}

void
sip_leg_hear_trying(SipLeg *leg, const sip_t *response)
{
	if (leg->state != STATE_CALLING || leg->leg.call == NULL)
		return;
	sip_leg_trace_in(leg, "100 Trying", NULL);
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
	sip_leg_learn_dialog(leg, event->sip);
	origin_learn(leg, event->msg);
	acknowledge(leg, event);
}

static void
on_provisional(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *line = g_strdup_printf("%d %s", event->status, event->phrase);
	Reason reason;
	g_autoptr(Desc) said = sip_leg_heard(leg, event, &reason), early = NULL;
	gboolean reliable = event->sip && event->sip->sip_rseq && event->status > 100;

	if (leg->state != STATE_CALLING || leg->leg.call == NULL || !event->sip) {
		if (reliable)
			acknowledge(leg, event);
		return;
	}
	sip_leg_trace_in(leg, line, said);
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
	g_autoptr(Desc) said = sip_leg_heard(leg, event, reason);
	Desc *answer = *reason == REASON_NONE ? early_hear(leg, event->sip, said) : NULL;

	if (!answer && *reason == REASON_NONE)
		*reason = REASON_INCOMPATIBLE;
	return answer;
}

/* Why the call cannot be gone on with, though it was answered; NULL: it can. */
static const char *
is_unusable(const SipLeg *leg, const SipEvent *event, const Desc *answer, Reason *reason,
	    LegFault *fault)
{
	const char *insecure = crypto_refuse_answer(&leg->crypto, answer);

	*fault = LEG_NOT_SECURE;
	if (guard_way_is_bad(event->sip)) {
		*reason = REASON_PROTOCOL_ERROR;
		*fault = LEG_NO_FAULT;
		return "answered with a Contact or a route that nothing can be sent to";
	}
	if (insecure) {
		*reason = REASON_INCOMPATIBLE;
		return insecure;
	}
	if (answer)
		return NULL;
	*fault = !event->sip->sip_payload	  ? LEG_NO_DESCRIPTION
		 : *reason == REASON_INCOMPATIBLE ? LEG_NO_AUDIO
						  : LEG_BAD_DESCRIPTION;
	return *reason == REASON_IP_VERSION
		       ? "answered with an address of the IP version that the gateway's media "
			 "does not have"
		       : "answered without a usable media description";
}

static void
on_accepted(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = final_answer(leg, event, &reason);
	LegFault fault;
	const char *why = is_unusable(leg, event, answer, &reason, &fault);

	sip_leg_learn_dialog(leg, event->sip);
	origin_learn(leg, event->msg);
	hop_update(leg, event->msg);
	nua_ack(leg->nh, TAG_END());
	if (leg->state == STATE_ENDING) { /* the 200 crossed our CANCEL */
		sip_leg_bye(leg, leg->goodbye);
		return;
	}
	sip_leg_clear_timer(leg);
	sip_leg_trace_in(leg, "200 OK", answer);
	note_contact(leg, event->sip);
	way_note(leg->way, REASON_NONE, "answered");
	if (why) {
		leg_trace(&leg->leg, TRACE_NOTE, "%s", why);
		sip_leg_bye_for(leg, reason, why);
		sip_leg_fail(leg, reason, fault, why);
		return;
	}
	crypto_settle(&leg->crypto, answer);
	leg->state = STATE_UP;
	leg->challenged = 0; /* the password is right */
	session_learn_answer(&leg->session, event->sip);
	sip_leg_set_remote(leg, answer);
	leg_answered(&leg->leg, answer);
}

/* A carrier that sends the call elsewhere is followed where the admin says so, and
 * only through itself: the new address goes to the same next hop, which bills it.  Whether the
 * number there may be called says the core.  FALSE: it is a refusal as any. */
static gboolean
follow_redirect(SipLeg *leg, const SipEvent *event)
{
	const char *uri = way_redirected_to(leg->way, event->status, event->sip);
	g_autofree char *number = NULL, *words = NULL;
	Reason reason;

	if (!uri)
		return FALSE;
	number = tel_of_uri(uri);
	if (!leg_redirected(&leg->leg, number, &reason, &words)) {
		sip_leg_explain(leg, LEG_NO_FAULT, words);
		leg_failed(&leg->leg, reason, words);
		sip_leg_end(leg);
		return TRUE;
	}
	way_redirect(leg->way, uri);
	leg_trace(&leg->leg, TRACE_NOTE, "redirected to %s", uri);
	invite_again(leg);
	return TRUE;
}

/* It was not said by anybody. */
static void
note_unreached(SipLeg *leg, int status, const char *problem)
{
	const int code = problem || status == 408 ? 0 : error_of(leg->next_hop);
	g_autofree char *hop = header_hop_text(leg->next_hop);

	if (code)
		leg_trace(&leg->leg, TRACE_NOTE, "%s: not reached: %s (errno %d)", hop,
			  g_strerror(code), code);
	else
		leg_trace(&leg->leg, TRACE_NOTE, "%s: %s", hop,
			  problem	  ? problem
			  : status == 408 ? "no response"
					  : "not reached: nothing listens there, or the host is "
					    "not there");
}

static void
on_refused(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *text = NULL, *detail = header_refusal_detail(event->sip);
	gboolean internal = !event->sip; /* nua's own: 408 Timer B, 503 unreachable */
	const char *problem = internal ? way_problem(leg->way, leg->next_hop) : NULL;
	Reason reason = header_refusal(event->status, event->phrase, event->sip, &text);

	if (internal)
		reason = event->status == 408 ? REASON_TIMEOUT : REASON_NETWORK_ERROR;
	if (internal)
		note_unreached(leg, event->status, problem);
	else
		leg_trace(&leg->leg, TRACE_IN, "%s%s%s", text, detail ? ", " : "",
			  detail ? detail : "");
	if (problem)
		g_warning("trunk %s: %s", way_trunk(leg->way), problem);
	if (follow_redirect(leg, event))
		return;
	if (!internal && location_leave(leg, (guint)event->status)) {
		invite_again(leg);
		return;
	}
	if (event->status == 488 && leg->crypto.policy == CRYPTO_OFFER &&
	    !leg->crypto.secure_profile) {
		leg->crypto.secure_profile = TRUE;
		leg_trace(&leg->leg, TRACE_NOTE, "once more, with SRTP alone");
		invite_again(leg);
		return;
	}
	if (event->status == 422 && session_learn_refusal(&leg->session, event->sip)) {
		invite_again(leg);
		return;
	}
	/* RFC 3263 4.3 */
	if ((internal ? !leg->trying : event->status == 503) && try_next_hop(leg))
		return;
	way_note_reached(leg->way, !internal);
	if (internal) {
		sip_leg_fail(leg, way_unreachable(leg->way, reason),
			     problem		    ? LEG_BAD_TLS
			     : event->status == 408 ? LEG_NO_RESPONSE
						    : LEG_NOT_REACHED,
			     problem);
		return;
	}
	sip_leg_explain(leg, LEG_NO_FAULT, detail);
	sip_leg_over(leg, reason, text);
	if (event->status == 401 ||
	    event->status == 407) /* nua would wait for credentials and never end */
		sip_leg_free(leg);
}

void
sip_leg_invite_answered(SipLeg *leg, const SipEvent *event)
{
	if (event->status < 200)
		on_provisional(leg, event);
	else if (event->status < 300)
		on_accepted(leg, event);
	else if (leg->state == STATE_CALLING)
		on_refused(leg, event);
}
