/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_session.c - the Jingle session: how it begins, and what happens in it.
 *
 * Every request gets its result at once.  An error is the answer to a session
 * that does not exist and to nothing else: clients end a call at any error, or
 * show nothing at all (XEP-0166 section 6 says otherwise and clients do not).
 */
#include "plugins/xmpp/xmpp_counters.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define ACCEPT_MS 15000 /* from our session-initiate to his session-accept */

/* --- out --- */

static JingleSession
session_of(const XmppLeg *leg)
{
	return (JingleSession){ .sid = leg->sid };
}

static const Transport *
transport_of(const Desc *desc)
{
	const Stream *audio = desc ? desc_audio(desc) : NULL;

	return audio ? audio->transport : NULL;
}

static void
send_candidate(XmppLeg *leg, const Candidate *candidate)
{
	JingleSession session = session_of(leg);
	const Transport *ours = transport_of(leg->ours);

	if (!ours || !leg->content || (candidate->component != 1 && ours->rtcp_mux))
		return;
	xmpp_leg_out(leg, "transport-info %s %s:%u", candidate_type_name(candidate->type),
		     candidate->address, candidate->port);
	xmpp_leg_request(leg, jingle_build_candidate(&session, leg->content, ours, candidate));
}

static void
send_late_candidates(XmppLeg *leg)
{
	for (guint i = 0; i < leg->late->len; i++)
		send_candidate(leg, &g_array_index(leg->late, Candidate, i));
	g_array_set_size(leg->late, 0);
}

void
xmpp_session_candidate(XmppLeg *leg, const Candidate *ours)
{
	if (leg->state == XMPP_TALKING)
		send_candidate(leg, ours);
	else if (leg->late->len < DESC_MAX_CANDIDATES)
		g_array_append_val(leg->late, *ours);
}

/* Clients lose candidates that come before their session-accept, so those known
 * by now go into the offer itself. */
xmlNode *
xmpp_session_build_initiate(XmppLeg *leg, const char *sid, gboolean clear)
{
	JingleSession session = { .sid = sid, .initiator = leg->local };
	const Stream *audio = desc_audio(leg->ours);
	g_autoptr(Transport) transport = NULL;
	g_autoptr(Desc) offer = NULL;

	if (!audio || (leg->late->len == 0 && !clear))
		return jingle_build_initiate(&session, leg->ours);
	transport =
		clear ? transport_unencrypted(audio->transport) : transport_copy(audio->transport);
	g_array_append_vals(transport->candidates, leg->late->data, leg->late->len);
	offer = xmpp_desc_like(leg->ours, audio->direction, transport);
	return jingle_build_initiate(&session, offer);
}

static void
on_no_accept(gpointer data)
{
	XmppLeg *leg = data;

	xmpp_leg_fail(leg, REASON_NO_MEDIA, LEG_NO_ACCEPT, NULL);
}

/* The answer to a session-initiate or session-accept of ours.  A result, or
 * none at all, says nothing. */
static void
on_answer(gpointer user, const xmlNode *answer)
{
	XmppLeg *leg = user;
	XmlStanzaError error;

	if (!answer || !xml_stanza_error(answer, &error) || leg->state == XMPP_OVER)
		return;
	leg_trace(&leg->leg, TRACE_IN, "error %s", error.condition ? error.condition : "");
	xmpp_leg_over(leg, xmpp_reason_from_error(error.condition), NULL);
}

static void
request_watched(XmppLeg *leg, xmlNode *jingle)
{
	XmppRequest request = {
		.from = leg->local, .to = leg->peer, .done = on_answer, .user = leg
	};

	xmpp_request(leg->xmpp, &request, jingle);
}

void
xmpp_session_initiate(XmppLeg *leg)
{
	g_autofree char *summary = desc_summary(leg->ours);

	xmpp_leg_out(leg, "session-initiate %s", summary);
	xmpp_leg_set_timer(leg, ACCEPT_MS, on_no_accept);
	request_watched(leg, xmpp_session_build_initiate(leg, leg->sid, FALSE));
	g_array_set_size(leg->late, 0);
}

/* --- he calls --- */

static void
keep_request(XmppLeg *leg, Jingle *jingle)
{
	const JingleContent *audio = jingle_audio(jingle);

	leg->request = jingle;
	leg->content = g_strdup(audio ? audio->name : NULL);
}

static void
accept_session(XmppLeg *leg, const Desc *answer)
{
	JingleSession session = { .sid = leg->sid, .responder = leg->local };
	g_autofree char *summary = desc_summary(answer);

	xmpp_leg_out(leg, "session-accept %s", summary);
	desc_unref(leg->ours);
	leg->ours = desc_ref(answer);
	leg->state = XMPP_TALKING;
	xmpp_leg_set_timer(leg, 0, NULL);
	request_watched(leg, jingle_build_accept(&session, leg->request, answer));
	send_late_candidates(leg);
	leg_save(&leg->leg);
}

/* What he sent in his offer, as the answer to the offer of ours that he never saw:
 * his numbering and transport, the codecs we chose, the role that is left. */
static Desc *
as_answer(const Desc *offer, const Desc *accepted, const Desc *ours)
{
	g_autoptr(Transport) transport = transport_copy(transport_of(offer));
	const Stream *audio = desc_audio(offer);

	transport->setup =
		transport_of(accepted)->setup == SETUP_ACTIVE ? SETUP_PASSIVE : SETUP_ACTIVE;
	return xmpp_desc_like(accepted, audio->direction, transport);
}

/* His description cannot be used. */
static void
fail_by(XmppLeg *leg, const GError *error)
{
	xmpp_leg_fail(leg, error->code,
		      error->code == REASON_INCOMPATIBLE ? LEG_NO_AUDIO
		      : error->code == REASON_SECURITY	 ? LEG_NOT_SECURE
							 : LEG_BAD_DESCRIPTION,
		      error->message);
}

/* His session-initiate after our proceed. */
static void
take_initiate(XmppLeg *leg, Jingle *jingle)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Desc) offer = NULL;
	g_autoptr(Desc) accepted = NULL;
	g_autofree char *summary = NULL;

	keep_request(leg, jingle);
	offer = desc_from_jingle(jingle, FALSE, &error);
	/* From here on the session exists, and is refused by its own word. */
	leg->state = XMPP_OFFERED;
	if (!offer) {
		leg_trace(&leg->leg, TRACE_IN, "session-initiate: %s", error->message);
		fail_by(leg, error);
		return;
	}
	summary = desc_summary(offer);
	leg_trace(&leg->leg, TRACE_IN, "session-initiate %s", summary);
	accepted = desc_answer(offer, leg->ours, transport_of(leg->ours));
	if (!accepted) {
		xmpp_leg_fail(leg, REASON_INCOMPATIBLE, LEG_NO_CODEC, NULL);
		return;
	}
	leg->theirs = as_answer(offer, accepted, leg->ours);
	accept_session(leg, accepted);
	leg_answered(&leg->leg, leg->theirs);
}

/* A user's call without messages before it; takes `jingle`.  One that cannot be has a
 * record all the same, and he is told why. */
static void
begin_direct(Xmpp *xmpp, const XmppMessage *message, Jingle *jingle)
{
	g_autofree char *local = address_full_jid(message->to);
	g_autoptr(Address) callee = xmpp_accounts_dialled(xmpp->accounts, message->to);
	g_autofree char *post_dial = xmpp_accounts_post_dial(message->to);
	Incoming incoming = { .from = message->from,
			      .to = callee,
			      .device = message->from_text,
			      .post_dial = post_dial };
	XmppLeg *leg = xmpp_leg_new(xmpp, local, jingle->sid);
	g_autoptr(GError) error = NULL;

	leg->state = XMPP_OFFERED;
	leg->theirs = desc_from_jingle(jingle, xmpp_clear_may_call(xmpp, message->from), &error);
	keep_request(leg, jingle);
	xmpp_leg_set_peer(leg, message->from_text);
	xmpp_leg_register(leg, leg->peer, leg->sid);
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	xmpp_find_add(leg);
	incoming.offer = leg->theirs;
	if (xmpp_accounts_standing(xmpp->accounts, message->from) == XMPP_SWITCHED_OFF) {
		call_refused(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming, REASON_FORBIDDEN,
			     "your account at this gateway is switched off");
	} else if (!leg->theirs) {
		xmpp_count(COUNTER_XMPP_OFFERS_REFUSED);
		call_refused(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming, error->code,
			     error->message);
	} else {
		call_new(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming);
	}
	if (leg->state == XMPP_OVER) {
		xmpp_leg_free(leg); /* refused at once: nothing more can come of it */
	} else {
		g_autofree char *summary = desc_summary(leg->theirs);

		leg_trace(&leg->leg, TRACE_IN, "session-initiate %s", summary);
	}
}

static void
refuse_stranger(Xmpp *xmpp, const XmppMessage *message, const char *sid)
{
	g_autofree char *local = address_full_jid(message->to);
	XmppRequest whom = { .from = local, .to = message->from_text };

	xmpp_note_stranger(xmpp, message->from, message->to);
	xmpp_terminate(xmpp, &whom, sid, REASON_DECLINED, "This gateway serves its own users only");
}

/* Takes `jingle`. */
static void
on_initiate(XmppLeg *leg, Jingle *jingle)
{
	if (leg->state == XMPP_PROCEEDED && leg->leg.side == SIDE_CALLER) {
		take_initiate(leg, jingle);
		return;
	}
	jingle_free(jingle);
	if (leg->state == XMPP_PROPOSED) {
		leg->state = XMPP_OFFERED;
		xmpp_leg_fail(leg, REASON_PROTOCOL_ERROR, LEG_BAD_DESCRIPTION,
			      "session-initiate before proceed");
	} else if (leg->state == XMPP_OVER) {
		/* It crossed our last word. */
		XmppRequest whom = { .from = leg->local, .to = leg->peer };

		xmpp_terminate(leg->xmpp, &whom, leg->sid, leg->end_reason, NULL);
	}
}

/* --- he is called --- */

static void
on_accept(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	const JingleContent *audio = jingle_audio(jingle);
	g_autoptr(GError) error = NULL;
	g_autofree char *summary = NULL;
	Desc *answer;

	if (fork && leg->state == XMPP_RINGING && !fork->dead)
		leg->xmpp->fork_events->takes(leg, fork);
	if (leg->state != XMPP_INITIATED || leg->leg.side != SIDE_CALLEE)
		return;
	answer = desc_from_jingle(jingle, leg->clear, &error);
	if (!answer) {
		leg_trace(&leg->leg, TRACE_IN, "session-accept: %s", error->message);
		fail_by(leg, error);
		return;
	}
	summary = desc_summary(answer);
	leg_trace(&leg->leg, TRACE_IN, "session-accept from %s %s", leg->peer, summary);
	leg->theirs = answer;
	if (leg->clear && !transport_of(answer)->unencrypted) { /* it cannot have our fingerprint */
		xmpp_leg_fail(leg, REASON_SECURITY, LEG_NOT_SECURE,
			      "the client answers with DTLS that it was not offered");
		return;
	}
	leg->content = g_strdup(audio ? audio->name : "0");
	leg->state = XMPP_TALKING;
	xmpp_leg_set_timer(leg, 0, NULL);
	send_late_candidates(leg);
	leg_save(&leg->leg);
	leg_answered(&leg->leg, answer);
}

/* --- in between --- */

/* New credentials with the same codecs: his ICE begins anew (RFC 8445 section 9). */
static void
on_restart(XmppLeg *leg, const Transport *fresh)
{
	const Transport *known = transport_of(leg->theirs);
	const Stream *audio = desc_audio(leg->theirs);
	g_autoptr(Transport) transport = transport_copy(fresh);
	g_autoptr(Desc) offer = NULL;

	if (leg->hold.busy) { /* one change at a time */
		transport_free(leg->fresh);
		leg->fresh = g_steal_pointer(&transport);
		return;
	}
	leg_trace(&leg->leg, TRACE_IN, "transport-info: ICE restart");
	g_free(leg->past_ufrag);
	leg->past_ufrag = g_strdup(known->ufrag);
	if (!transport->fingerprint) {
		transport->fingerprint = g_strdup(known->fingerprint);
		transport->fingerprint_hash = g_strdup(known->fingerprint_hash);
	}
	transport->unencrypted = known->unencrypted;
	transport->rtcp_mux = known->rtcp_mux;
	/* an offer; DTLS goes on as it was */
	transport->setup = known->unencrypted ? SETUP_NONE : SETUP_ACTPASS;
	offer = xmpp_desc_like(leg->theirs, audio->direction, transport);
	desc_unref(leg->theirs);
	leg->theirs = desc_ref(offer);
	leg->restarting = TRUE;
	leg_changed(&leg->leg, offer);
}

static gboolean
is_restart(const XmppLeg *leg, const Transport *fresh)
{
	const Transport *known = transport_of(leg->theirs);

	return leg->state == XMPP_TALKING && known && fresh->ufrag && fresh->pwd &&
	       g_strcmp0(fresh->ufrag, known->ufrag) != 0;
}

/* Before the answer by what was offered: without DTLS that has a component for RTCP, and the
 * answer says whether it is needed. */
static gboolean
may_have_rtcp_apart(const XmppLeg *leg, const XmppFork *fork)
{
	const Transport *known = transport_of(leg->theirs);

	if (known)
		return known->unencrypted && !known->rtcp_mux;
	return fork ? fork->clear : leg->clear;
}

static void
take_candidates(XmppLeg *leg, const XmppFork *fork, const Transport *transport)
{
	for (guint i = 0; i < transport->candidates->len && leg->state != XMPP_OVER; i++) {
		const Candidate *candidate = &g_array_index(transport->candidates, Candidate, i);

		if (candidate->component != 1 && !may_have_rtcp_apart(leg, fork))
			continue;
		leg_trace(&leg->leg, TRACE_IN, "transport-info %s %s:%u",
			  candidate_type_name(candidate->type), candidate->address,
			  candidate->port);
		leg_candidate(&leg->leg, candidate);
	}
}

/* More of a restart that waits for the change under way. */
static void
add_to_fresh(XmppLeg *leg, const Transport *transport)
{
	for (guint i = 0; i < transport->candidates->len; i++)
		if (leg->fresh->candidates->len < DESC_MAX_CANDIDATES)
			g_array_append_val(leg->fresh->candidates,
					   g_array_index(transport->candidates, Candidate, i));
}

/* The credentials say whose candidates these are; without any, the session's. */
static void
take_transport(XmppLeg *leg, const XmppFork *fork, const Transport *transport)
{
	if (transport->ufrag && g_strcmp0(transport->ufrag, leg->past_ufrag) == 0)
		return;
	if (leg->fresh && g_strcmp0(transport->ufrag, leg->fresh->ufrag) == 0)
		add_to_fresh(leg, transport);
	else if (is_restart(leg, transport))
		on_restart(leg, transport);
	else
		take_candidates(leg, fork, transport);
}

static void
on_transport_info(XmppLeg *leg, const XmppFork *fork, const Jingle *jingle)
{
	for (guint i = 0; i < jingle->contents->len; i++) {
		const JingleContent *content = jingle->contents->pdata[i];
		const Transport *transport = content->stream ? content->stream->transport : NULL;

		if (!transport || (leg->content && !g_str_equal(content->name, leg->content)))
			continue;
		take_transport(leg, fork, transport);
	}
}

static void
on_info(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	const char *name = jingle_info_name(jingle->info);

	if (jingle->info == JINGLE_INFO_RINGING && fork) {
		leg->xmpp->fork_events->rings(leg, fork);
		return;
	}
	if (name)
		leg_trace(&leg->leg, TRACE_IN, "session-info %s", name);
	if (jingle->key)
		leg_dtmf(&leg->leg, jingle->key);
	if (jingle->transfer_to)
		xmpp_move_asked(leg, jingle);
	if (jingle->info == JINGLE_INFO_MUTE)
		leg_muted(&leg->leg, TRUE);
	else if (jingle->info == JINGLE_INFO_UNMUTE || jingle->info == JINGLE_INFO_ACTIVE)
		leg_muted(&leg->leg, FALSE);
	xmpp_hold_info(leg, jingle->info);
}

static void
on_terminate(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	XmppMoment moment = leg->state == XMPP_TALKING	   ? MOMENT_ANSWERED
			    : leg->leg.side == SIDE_CALLER ? MOMENT_CALLER_GIVES_UP
							   : MOMENT_CALLEE_REFUSES;
	Reason reason = xmpp_reason_from_jingle(jingle->reason, moment);

	if (fork && leg->state == XMPP_RINGING) {
		leg->xmpp->fork_events->ends(leg, fork, jingle);
		return;
	}
	leg_trace(&leg->leg, TRACE_IN, "session-terminate %s",
		  jingle->reason ? jingle->reason : "");
	if (leg->jmi) {
		XmppSay finish = { .kind = JMI_FINISH,
				   .to = leg->peer,
				   .reason = xmpp_reason_to_jingle(reason) };

		xmpp_leg_say(leg, &finish);
	}
	xmpp_leg_over(leg, reason, jingle->reason_text);
}

/* XEP-0166 7.2.4: without a content there is no session.  What else we have taken beside
 * the audio carries nothing. */
static void
on_content_gone(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	gboolean answered = leg->state == XMPP_TALKING;
	gboolean is_caller = leg->leg.side == SIDE_CALLER;
	XmppMoment moment = answered	? MOMENT_ANSWERED
			    : is_caller ? MOMENT_CALLER_GIVES_UP
					: MOMENT_CALLEE_REFUSES;

	leg_trace(&leg->leg, TRACE_IN, "%s", jingle_action_name(jingle->action));
	/* our own offers have one content, whatever its name */
	if (leg->content ? !jingle_content(jingle, leg->content) : jingle->contents->len == 0)
		return;
	if (fork && leg->state == XMPP_RINGING)
		leg->xmpp->fork_events->ends(leg, fork, jingle);
	else
		xmpp_leg_part(leg, xmpp_reason_from_jingle(jingle->reason, moment),
			      jingle->reason_text);
}

static void
on_action(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	JingleSession session = session_of(leg);

	switch (jingle->action) {
	case JINGLE_SESSION_ACCEPT:
		on_accept(leg, fork, jingle);
		break;
	case JINGLE_SESSION_TERMINATE:
		on_terminate(leg, fork, jingle);
		break;
	case JINGLE_TRANSPORT_INFO:
		on_transport_info(leg, fork, jingle);
		break;
	case JINGLE_SESSION_INFO:
		on_info(leg, fork, jingle);
		break;
	case JINGLE_CONTENT_ADD:
		leg_trace(&leg->leg, TRACE_IN, "content-add: refused");
		xmpp_leg_request(leg, jingle_build_content_reject(&session, jingle));
		break;
	case JINGLE_CONTENT_REMOVE:
		on_content_gone(leg, fork, jingle);
		break;
	case JINGLE_CONTENT_REJECT: /* of one we never added: of the whole offer */
		if (leg->state != XMPP_TALKING)
			on_content_gone(leg, fork, jingle);
		break;
	case JINGLE_CONTENT_MODIFY:
		leg_trace(&leg->leg, TRACE_IN, "content-modify");
		xmpp_hold_modify(leg, jingle);
		break;
	case JINGLE_TRANSPORT_REPLACE:
		leg_trace(&leg->leg, TRACE_IN, "transport-replace: refused");
		xmpp_leg_request(leg, jingle_build_transport_reject(&session, jingle));
		break;
	default:
		leg_trace(&leg->leg, TRACE_IN, "%s: taken note of",
			  jingle_action_name(jingle->action));
		break;
	}
}

/* --- which session --- */

static void
answer_error(Xmpp *xmpp, const xmlNode *iq, const XmlStanzaError *error)
{
	xmpp_component_send(xmpp, xml_iq_error(iq, error));
}

static const XmlStanzaError unknown_session = { .type = "cancel",
						.condition = "item-not-found",
						.special_ns = NS_JINGLE_ERR,
						.special = "unknown-session" };

/* A session of his account that another device of his knows: it can end it and no more. */
static void
on_other_device(XmppLeg *leg, const xmlNode *iq, const Jingle *jingle)
{
	XmppMoment moment = leg->state == XMPP_TALKING	   ? MOMENT_ANSWERED
			    : leg->leg.side == SIDE_CALLER ? MOMENT_CALLER_GIVES_UP
							   : MOMENT_CALLEE_REFUSES;

	if (jingle->action != JINGLE_SESSION_TERMINATE) {
		answer_error(leg->xmpp, iq, &unknown_session);
		return;
	}
	xmpp_send_sure(leg->xmpp, xml_iq_result(iq));
	if (leg->state == XMPP_OVER)
		return;
	leg_trace(&leg->leg, TRACE_IN, "session-terminate %s from %s",
		  jingle->reason ? jingle->reason : "", xml_attribute(iq, "from"));
	xmpp_leg_part(leg, xmpp_reason_from_jingle(jingle->reason, moment), jingle->reason_text);
}

static gboolean
is_initiate_for_us(const XmppMessage *message, const Jingle *jingle)
{
	return jingle->action == JINGLE_SESSION_INITIATE && message->to->user &&
	       g_strcmp0(message->to->resource, XMPP_RESOURCE) == 0 && message->from->resource &&
	       jingle->sid;
}

/* Nobody's session, yet. */
static void
on_no_session(Xmpp *xmpp, const xmlNode *iq, const XmppMessage *message, Jingle *jingle)
{
	static const XmlStanzaError not_here = { .type = "cancel",
						 .condition = "service-unavailable" };
	g_autoptr(Jingle) owned = jingle;
	gboolean is_user = xmpp_accounts_standing(xmpp->accounts, message->from) != XMPP_STRANGER;
	XmppLeg *leg = NULL;

	if (jingle->action == JINGLE_SESSION_TERMINATE && !jingle->sid && is_user)
		leg = xmpp_ring_only_one(xmpp, message->from, message->to);
	if (leg) {
		on_other_device(leg, iq, jingle);
	} else if (is_initiate_for_us(message, jingle)) {
		xmpp_component_send(xmpp, xml_iq_result(iq));
		if (is_user)
			begin_direct(xmpp, message, g_steal_pointer(&owned));
		else
			refuse_stranger(xmpp, message, jingle->sid);
	} else if (jingle->action == JINGLE_SESSION_INITIATE) {
		answer_error(xmpp, iq, &not_here);
	} else if (jingle->action == JINGLE_TRANSPORT_INFO && !jingle->sid && is_user) {
		/* what is left of a candidate whose address a browser hides */
		xmpp_component_send(xmpp, xml_iq_result(iq));
	} else {
		answer_error(xmpp, iq, &unknown_session);
	}
}

static gboolean
has_session(const XmppLeg *leg, const XmppFork *fork, const char *from)
{
	if (leg->state == XMPP_RINGING)
		return fork != NULL;
	return g_strcmp0(leg->peer, from) == 0;
}

static void
on_session(XmppLeg *leg, XmppFork *fork, const xmlNode *iq, Jingle *jingle)
{
	g_autoptr(Jingle) owned = jingle;

	if (leg->state == XMPP_OVER && jingle->action != JINGLE_SESSION_INITIATE &&
	    jingle->action != JINGLE_SESSION_TERMINATE) {
		answer_error(leg->xmpp, iq, &unknown_session);
		return;
	}
	xmpp_send_sure(leg->xmpp, xml_iq_result(iq));
	if (jingle->action == JINGLE_SESSION_INITIATE)
		on_initiate(leg, g_steal_pointer(&owned));
	else if (leg->state != XMPP_OVER)
		on_action(leg, fork, jingle);
}

void
xmpp_session_iq(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to,
		const xmlNode *node)
{
	static const XmlStanzaError bad = { .type = "modify", .condition = "bad-request" };
	const char *from_text = xml_attribute(iq, "from");
	const XmppMessage message = { from, to, from_text, NULL };
	g_autoptr(Jingle) jingle = jingle_parse(node, NULL);
	g_autofree char *bare = address_bare_jid(from);
	XmppLeg *leg, *other;
	XmppFork *fork;

	if (!jingle) {
		xmpp_count(COUNTER_XMPP_BAD_JINGLE);
		answer_error(xmpp, iq, &bad);
		return;
	}
	leg = xmpp_leg_find(xmpp, from_text, jingle->sid);
	fork = leg ? xmpp_leg_fork(leg, from_text, jingle->sid) : NULL;
	other = from->user ? xmpp_leg_find(xmpp, bare, jingle->sid) : NULL;
	if (leg && has_session(leg, fork, from_text))
		on_session(leg, fork, iq, g_steal_pointer(&jingle));
	else if (other)
		on_other_device(other, iq, jingle);
	else
		on_no_session(xmpp, iq, &message, g_steal_pointer(&jingle));
}

/* --- commands --- */

/* The answer to his ICE restart: our new credentials, each time with one candidate;
 * clients read no more than one, and take none at all for a restart of ours. */
static void
answer_restart(XmppLeg *leg, const Desc *answer)
{
	const Transport *ours = transport_of(answer);

	if (!leg->restarting)
		return;
	leg->restarting = FALSE;
	if (!ours)
		return;
	desc_unref(leg->ours);
	leg->ours = desc_ref(answer);
	xmpp_leg_out(leg, "transport-info: ICE restart");
	for (guint i = 0; i < ours->candidates->len; i++)
		send_candidate(leg, &g_array_index(ours->candidates, Candidate, i));
}

static void
answer_change(XmppLeg *leg, const Desc *answer)
{
	g_autoptr(Transport) fresh = NULL;

	if (!xmpp_hold_answered(leg, answer)) {
		answer_restart(leg, answer);
		xmpp_hold_wish(leg, leg->hold.own); /* it may have waited for this */
	} else if (leg->fresh) {
		fresh = g_steal_pointer(&leg->fresh);
		on_restart(leg, fresh);
	}
}

void
xmpp_session_answer(XmppLeg *leg, const Desc *answer)
{
	if (leg->state == XMPP_OFFERED && answer)
		accept_session(leg, answer);
	else if (leg->state == XMPP_TALKING)
		answer_change(leg, answer);
}
