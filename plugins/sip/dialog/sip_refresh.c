/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_refresh.c - a dialog as a Leg: offered again though nothing has changed for the core.
 *
 * For the session timer (sip_timer.h), and when our address is another one (sip_outside.h).
 * Thread: signalling.  RFC 4028.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_hop.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>

#define MOVE_MS 200 /* between looks whether a leg may be offered again */

/* --- the session timer --- */

static void
refresh(SipLeg *leg)
{
	g_autofree char *session = session_ask(&leg->session, FALSE);
	g_autofree char *min = session_min(&leg->session);
	g_autofree char *contact = NULL;

	if (leg->state != STATE_UP || leg->change != CHANGE_NONE) {
		session_try_again(&leg->session);
		return;
	}
	leg->change = CHANGE_REFRESH;
	leg_trace(&leg->leg, TRACE_OUT, "%s: session refresh",
		  leg->session.updates ? "UPDATE" : "INVITE again");
	hop_refresh(leg);
	contact = sip_leg_contact(leg);
	if (leg->session.updates)
		nua_update(leg->nh, TAG_IF(contact, SIPTAG_CONTACT_STR(contact)),
			   SESSION_TAGS(session, min), TAG_END());
	else
		sip_leg_send_reinvite(leg, leg->sdp);
}

static void
expire(SipLeg *leg, const char *why)
{
	if (leg->state != STATE_UP && leg->state != STATE_ANSWERED)
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "%s", why);
	if (leg->state == STATE_UP)
		sip_leg_bye(leg, "SIP;cause=408;text=\"Session expired\"");
	sip_leg_fail(leg, REASON_TIMEOUT, LEG_GONE, why);
}

static void
refresh_session(gpointer user)
{
	refresh(user);
}

static void
expire_session(gpointer user, const char *why)
{
	expire(user, why);
}

static const SessionOwner session_owner = { refresh_session, expire_session };

void
sip_leg_keep_session(SipLeg *leg)
{
	leg->session.owner = &session_owner;
	leg->session.user = leg;
}

/* --- another address of ours --- */

static gboolean
is_busy(const SipLeg *leg)
{
	return leg->state != STATE_UP || leg->change != CHANGE_NONE || leg->request[0];
}

/* As a refresh: the core's descriptions are as before, so it is not asked. */
static void
offer_again(SipLeg *leg)
{
	leg->moved = FALSE;
	leg->moving = TRUE;
	leg->change = CHANGE_REFRESH;
	leg_trace(&leg->leg, TRACE_OUT, "INVITE again: the gateway's address is %s now",
		  way_host(leg->way));
	sip_leg_send_reinvite(leg, sip_leg_sdp(leg, leg->said));
}

static gboolean
on_move_time(gpointer user)
{
	SipUa *ua = user;
	g_autoptr(GPtrArray) legs = g_ptr_array_new();
	gboolean more = FALSE;
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, ua->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		if (((SipLeg *)leg)->moved)
			g_ptr_array_add(legs, leg);
	for (guint i = 0; i < legs->len; i++) {
		SipLeg *moved = legs->pdata[i];

		if (moved->state == STATE_ENDING)
			moved->moved = FALSE;
		else if (is_busy(moved) || !moved->said ||
			 g_get_monotonic_time() < moved->move_from)
			more = TRUE;
		else
			offer_again(moved);
	}
	if (!more)
		ua->mover = 0;
	return more;
}

static void
move(SipLeg *leg)
{
	if (leg->state == STATE_ENDING)
		return;
	leg->moved = TRUE;
	if (!leg->ua->mover)
		leg->ua->mover = g_timeout_add(MOVE_MS, on_move_time, leg->ua);
}

void
sip_leg_moved_all(SipUa *ua, const char *trunk)
{
	GHashTableIter iter;
	gpointer leg;

	g_hash_table_iter_init(&iter, ua->legs);
	while (g_hash_table_iter_next(&iter, &leg, NULL))
		if (!trunk || g_strcmp0(way_trunk(((SipLeg *)leg)->way), trunk) == 0)
			move(leg);
}

/* --- answers --- */

static void
end_refresh(SipLeg *leg)
{
	leg->change = CHANGE_NONE;
	if (!leg->change_waits)
		return;
	leg->change_waits = FALSE;
	if (g_get_monotonic_time() < leg->change_until)
		sip_leg_reinvite(leg);
}

/* To our refresh, an UPDATE or a re-INVITE. */
void
sip_leg_refresh_answered(SipLeg *leg, const SipEvent *event)
{
	Reason reason;
	g_autoptr(Desc) answer = sip_leg_heard(leg, event, &reason);
	gboolean update = event->event == nua_r_update;
	gboolean moving = leg->moving;

	if (event->status < 200 || leg->state != STATE_UP || leg->change != CHANGE_REFRESH)
		return;
	leg_trace(&leg->leg, TRACE_IN, "%d %s", event->status, event->phrase);
	if (update && event->status < 300)
		sip_leg_follow_target(leg, event);
	leg->moving = FALSE;
	end_refresh(leg);
	if (moving && event->status == 491) {
		leg->move_from =
			g_get_monotonic_time() + sip_leg_glare_ms(leg) * G_TIME_SPAN_MILLISECOND;
		move(leg);
	}
	if (event->status < 300) {
		session_learn_answer(&leg->session, event->sip);
		sip_leg_on_refresh_ack(leg, answer);
	} else if (event->status == 408 || event->status == 481 || !event->sip) {
		expire(leg, "the other side does not answer session refreshes");
	} else {
		if (event->status == 422)
			session_learn_refusal(&leg->session, event->sip);
		else if (update && event->status != 491 && event->status < 500)
			leg->session.updates = FALSE; /* Allow was a promise not kept */
		session_try_again(&leg->session);
	}
}
