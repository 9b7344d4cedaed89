/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dial.c - a dialog as a Leg: whom a call out goes to.
 *
 * Thread: signalling.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/dialog/sip_location.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/peers/sip_phone.h"
#include "plugins/sip/dialog/sip_stranger.h"
#include "plugins/sip/peers/sip_watch.h"
#include <string.h>

/* A softphone that has not said "100 Trying" to five copies of the INVITE by then
 * is not there. */
#define PHONE_RESPONSE_MS 8000

static void
on_trunk_resolved(gpointer user, GPtrArray *hops)
{
	SipLeg *leg = user;
	const Trunk *trunk = trunks_find(leg->ua->trunks, leg->trunk);
	g_autoptr(GPtrArray) ordered = NULL;

	if (!trunk || !hops) {
		const char *problem = trunks_problem(leg->ua->trunks, leg->trunk);

		sip_leg_over(leg, REASON_NETWORK_ERROR,
			     !trunk    ? "no such trunk"
			     : problem ? problem
				       : "the trunk's host name cannot be resolved");
		return;
	}
	leg->response_ms = trunk->response_seconds * 1000;
	leg->session.wanted_s = trunk->session_seconds;
	ordered = watches_order(leg->ua->watches, leg->trunk, hops);
	sip_leg_call_hops(leg, ordered);
}

static void
learn_phone(SipLeg *leg, const char *username)
{
	g_autoptr(Softphone) softphone =
		store_softphone_get(gateway_store(leg->ua->gateway), username, NULL);

	leg->crypto.policy = softphone ? crypto_policy(softphone->srtp) : CRYPTO_OFF;
	leg->any_source = softphone && g_strcmp0(softphone->rtp_source, "any") == 0;
}

static void
dial_phone(SipLeg *leg, const Target *target, const Desc *offer)
{
	g_autoptr(Contact) contact =
		store_contact_get(gateway_store(leg->ua->gateway), target->contact, NULL);
	g_autofree char *asserted = NULL;

	leg->phone = g_strdup(contact ? contact->received : NULL);
	leg->softphone = g_strdup(contact ? contact->username : NULL);
	leg->next_hop = phone_next_hop(leg->phone);
	if (!leg->next_hop) {
		sip_leg_over(leg, REASON_UNREACHABLE, "the softphone is not registered any more");
		return;
	}
	sip_leg_set_offer(leg, offer);
	learn_phone(leg, contact->username);
	leg->from = header_from(target->from, outside_domain(leg->ua->outside));
	asserted = header_asserted(target->from, outside_domain(leg->ua->outside));
	leg->identity = asserted ? g_strdup_printf("P-Asserted-Identity: %s", asserted) : NULL;
	leg->anonymous = !asserted;
	leg->request_uri = g_strdup(contact->uri);
	leg->to = g_strdup_printf("sip:%s@%s", contact->username, outside_domain(leg->ua->outside));
	leg->path = g_strdup(contact->path);
	leg->response_ms = PHONE_RESPONSE_MS;
	leg->ua->calls_out++;
	sip_leg_invite(leg);
}

void
sip_leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer)
{
	SipLeg *leg = sip_leg_new(ua, STATE_RESOLVING, target->trunk);
	const Trunk *trunk = trunks_find(ua->trunks, target->trunk);
	g_autoptr(Desc) wanted = NULL;

	sip_leg_keep_session(leg);
	leg_attach(&leg->leg, ua->plugin, call);
	if (target->contact) {
		dial_phone(leg, target, offer);
		return;
	}
	if (!target->trunk && target->to->scheme == ADDRESS_SIP) {
		stranger_dial(leg, target, offer);
		return;
	}
	if (!trunk) {
		sip_leg_over(leg, REASON_NETWORK_ERROR, "no such trunk");
		return;
	}
	leg->crypto.policy = crypto_policy(trunk->srtp);
	wanted = desc_only(offer, trunk->codecs);
	if (!wanted) {
		sip_leg_over(leg, REASON_INCOMPATIBLE, "no codec that the trunk's codecs allow");
		return;
	}
	sip_leg_set_offer(leg, wanted);
	leg->from = header_trunk_from(trunk, target->from, target->withheld,
				      outside_domain(ua->outside));
	leg->identity = header_trunk_identity(trunk, target->from, target->withheld,
					      outside_domain(ua->outside));
	leg->about =
		target->diverted_by ? history_write(target, outside_domain(ua->outside)) : NULL;
	location_set(leg, target);
	leg->anonymous = target->withheld || target->from->scheme == ADDRESS_ANONYMOUS;
	leg->request_uri = header_request_uri(target->to, trunk);
	trunks_resolve(ua->trunks, target->trunk, on_trunk_resolved, leg);
}
