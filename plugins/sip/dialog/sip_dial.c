/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dial.c - a dialog as a Leg: a call out, until it is known where it goes.
 *
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/peers/sip_outside.h"

#define FIND_MS 8000 /* until the name servers have answered; nobody waits longer in silence */

static void
on_found(gpointer user, GPtrArray *hops, Reason reason, const char *text)
{
	SipLeg *leg = user;

	if (leg->way->detail)
		leg_trace(&leg->leg, TRACE_NOTE, "%s", leg->way->detail);
	if (!hops) {
		if (leg->way->fault == LEG_NO_FAULT && leg->way->only_public) {
			/* said to a user who has dialled it */
			sip_leg_over(leg, reason, text);
			return;
		}
		sip_leg_fail(leg, reason, leg->way->fault,
			     leg->way->detail ? leg->way->detail : text);
		return;
	}
	leg->session.wanted_s = way_session_seconds(leg->way, SESSION_DEFAULT_SECONDS);
	sip_leg_call_hops(leg, hops);
}

static void
on_not_found(gpointer user)
{
	SipLeg *leg = user;

	leg_trace(&leg->leg, TRACE_NOTE, "the name servers do not answer");
	sip_leg_fail(leg, way_unreachable(leg->way, REASON_NETWORK_ERROR), LEG_NO_NAME,
		     "the name servers do not answer");
}

void
sip_leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer)
{
	SipLeg *leg = sip_leg_new(ua, STATE_RESOLVING, way_to(ua, target));
	const char *domain = outside_domain(ua->outside);
	g_autoptr(Desc) wanted = desc_only(offer, leg->way->codecs);

	sip_leg_keep_session(leg);
	leg->peer = address_copy(target->to);
	leg->party = address_copy(target->from);
	leg_attach(&leg->leg, ua->plugin, call);
	if (!wanted) {
		sip_leg_fail(leg, REASON_INCOMPATIBLE, LEG_CODECS_FORBIDDEN, NULL);
		return;
	}
	sip_leg_set_offer(leg, wanted);
	if (leg->way->wants_history) {
		leg->about = target->diversion
				     ? history_write(target->diversion, target->to->user, domain)
				     : NULL;
		location_set(leg, target);
	}
	sip_leg_set_timer(leg, FIND_MS, on_not_found);
	way_find(leg->way, on_found, leg);
}
