/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg.c - a dialog as a Leg: its life, and what all parts of it need.
 *
 *            dial                                  INVITE of a trunk
 *   RESOLVING → CALLING ──200, ACK──→ UP ←──ACK── ANSWERED ←─answer── INVITED
 *        └─────────┴──── hangup, refusal, BYE: ENDING ─────┴─────────────┘
 *
 *   sip_session.c   which event of nua goes to which of these
 *   sip_dial.c      whom a call out goes to
 *   sip_incoming.c  the INVITE of a call in
 *   sip_hangup.c    the end, theirs and ours
 *   sip_keys.c      keys by INFO
 *   sip_answer.c    what is said to a request of the peer, and the ACK
 *   sip_refresh.c   offered again: session timers, another address of ours
 *   sip_change.c    re-INVITE, UPDATE and PRACK: descriptions that change
 *   sip_outgoing.c  the INVITE of a call out, from hop to hop, and the answers to it
 *   sip_describe.c  descriptions as they are said and heard
 *   sip_save.c      what survives a crash
 *   sip_leg.c       this
 *
 * Each uses those below it in this list, none those above.
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_error.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_early.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_names.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/stack/sip_reason.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

/* Longer than any transaction of nua: Timers B and H are 32 s. */
#define LINGER_MS 70000

SipLeg *
sip_leg_new(SipUa *ua, SipState state, SipWay *way)
{
	SipLeg *leg = g_new0(SipLeg, 1);

	leg->ua = ua;
	leg->state = state;
	leg->way = way;
	leg->crypto.policy = way->crypto;
	leg->session.wanted_s = SESSION_DEFAULT_SECONDS;
	leg->session_id = (guint64)g_get_real_time();
	leg->sdp_version = 1;
	leg->families = content_own_family(ua->config);
	leg->early = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, early_free);
	g_hash_table_add(ua->legs, leg);
	return leg;
}

void
sip_leg_forget_invite(SipLeg *leg)
{
	if (leg->invite_id)
		g_hash_table_remove(leg->ua->invites, leg->invite_id);
	g_clear_pointer(&leg->invite_id, g_free);
}

void
sip_leg_free(SipLeg *leg)
{
	unacked_end(leg);
	g_hash_table_remove(leg->ua->legs, leg);
	origin_forget(leg);
	if (leg->asks_name)
		names_forget(leg->ua->names, leg);
	sip_leg_clear_timer(leg);
	session_stop(&leg->session);
	if (leg->request[0])
		nua_destroy_event(leg->request);
	if (leg->nh)
		nua_handle_destroy(leg->nh);
	desc_unref(leg->offer);
	desc_unref(leg->remote);
	desc_unref(leg->removed);
	desc_unref(leg->said);
	desc_unref(leg->pracked);
	g_hash_table_unref(leg->early);
	g_free(leg->agreed_tag);
	g_free(leg->sdp);
	g_free(leg->about);
	g_free(leg->where);
	g_free(leg->pidf);
	g_free(leg->pidf_id);
	if (leg->keys)
		g_string_free(leg->keys, TRUE);
	g_free(leg->goodbye);
	g_free(leg->next_hop);
	g_free(leg->way_back);
	g_free(leg->name_source);
	address_free(leg->peer);
	address_free(leg->party);
	g_free(leg->call_id);
	g_free(leg->local);
	g_free(leg->remote_party);
	g_free(leg->target);
	g_free(leg->routes);
	g_free(leg->called);
	sip_leg_forget_invite(leg);
	g_free(leg->ringing);
	way_free(leg->way);
	g_free(leg);
}

void
sip_leg_clear_timer(SipLeg *leg)
{
	timer_clear(&leg->timer);
}

void
sip_leg_set_timer(SipLeg *leg, guint ms, TimerFunc func)
{
	timer_set(&leg->timer, ms, func, leg);
}

static void
on_linger(gpointer user)
{
	SipLeg *leg = user;

	sip_leg_free(leg);
}

/* From here on the leg is ours alone and waits for nua's last word. */
void
sip_leg_end(SipLeg *leg)
{
	leg->state = STATE_ENDING;
	leg->change = CHANGE_NONE;
	session_stop(&leg->session);
	if (leg->nh)
		sip_leg_set_timer(leg, LINGER_MS, on_linger);
	else
		sip_leg_free(leg);
}

void
sip_leg_over(SipLeg *leg, Reason reason, const char *text)
{
	gboolean told = leg->state == STATE_ENDING;

	if (told)
		return;
	if (leg->leg.side == SIDE_CALLEE)
		way_note(leg->way, reason, text);
	leg_ended(&leg->leg, reason, text);
	sip_leg_end(leg);
}

void
sip_leg_explain(SipLeg *leg, LegFault fault, const char *detail)
{
	g_autofree char *hop = leg->next_hop ? header_hop_text(leg->next_hop) : NULL;

	leg_explain(
		&leg->leg,
		&(LegFacts){ .fault = fault,
			     .error = hop && fault == LEG_NOT_REACHED ? error_of(leg->next_hop) : 0,
			     .hop = hop,
			     .detail = detail });
}

void
sip_leg_fail(SipLeg *leg, Reason reason, LegFault fault, const char *detail)
{
	if (leg->state == STATE_ENDING)
		return;
	if (leg->leg.side == SIDE_CALLEE)
		way_note(leg->way, reason, detail);
	sip_leg_explain(leg, fault, detail);
	leg_failed(&leg->leg, reason, NULL);
	sip_leg_end(leg);
}

void
sip_leg_bye(SipLeg *leg, const char *reason_header)
{
	hop_refresh(leg);
	nua_bye(leg->nh, TAG_IF(reason_header, SIPTAG_REASON_STR(reason_header)), TAG_END());
}

void
sip_leg_bye_for(SipLeg *leg, Reason reason, const char *why)
{
	g_autofree char *header = sip_reason_to_header(reason, why);

	sip_leg_bye(leg, header);
}

char *
sip_leg_contact(const SipLeg *leg)
{
	return way_contact(leg->way, leg->next_hop);
}

/* Not for an INVITE that has been given up: it would ring after all. */
gboolean
sip_leg_prove(SipLeg *leg, const SipEvent *event)
{
	g_autofree char *auth =
		way_credentials(leg->way, (guint)event->status, event->sip, &leg->challenged);

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
