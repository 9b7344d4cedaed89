/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_admit.c - see sip_admit.h. */
#include "plugins/sip/sip_admit.h"
#include "plugins/sip/dialog/sip_leg.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/dialog/sip_unacked.h"
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

static void
take_trunk(SipUa *ua, Reply *reply, const Trunk *trunk, const SipEvent *event)
{
	SipCaller caller = { .trunk = trunk->name, .crypto = crypto_policy(trunk->srtp) };

	if (unacked_are_many(ua, trunk->name)) {
		gateway_count(ua->gateway, COUNTER_SIP_CALLS_UNACKED);
		reply_say(reply, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR("32"),
			  TAG_END());
		return;
	}
	if (event->sip->sip_authorization)
		sources_proven(ua->sources, event);
	sip_leg_incoming(ua, g_steal_pointer(&reply->nh), &caller, event);
}

static void
take_phone(SipUa *ua, Reply *reply, PhoneClaim *claim, const SipEvent *event)
{
	const char *phrase;
	SipCaller caller;
	int status;

	if (phone_caller(ua, claim, event, &caller, &status, &phrase))
		sip_leg_incoming(ua, g_steal_pointer(&reply->nh), &caller, event);
	else
		reply_say(reply, status, phrase, TAG_END());
}

void
admit_invite(SipUa *ua, Reply *reply, const SipEvent *event, Sender *sender)
{
	if (sender->kind == SENDER_TRUNK)
		take_trunk(ua, reply, sender->trunk, event);
	else
		take_phone(ua, reply, &sender->phone, event);
}
