/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_incoming.c - the INVITE that begins a call: what it must have, and whose it
 * becomes.  Who sent it is proven by now (sip_ua.c).
 *
 * Thread: signalling.  RFC 3261 8.2, RFC 3891, RFC 4028.
 */
#include "plugins/sip/sip_header.h"
#include "plugins/sip/sip_history.h"
#include "plugins/sip/sip_identity.h"
#include "plugins/sip/sip_origin.h"
#include "plugins/sip/sip_refer.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

static gboolean
refuse(SipLeg *leg, guint status, const char *phrase)
{
	nua_respond(leg->nh, (int)status, phrase, TAG_END());
	return TRUE;
}

static gboolean
refuse_body(SipLeg *leg, guint status)
{
	nua_respond(leg->nh, (int)status,
		    status == 415 ? sip_415_Unsupported_media : sip_406_Not_acceptable,
		    SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
	return TRUE;
}

static gboolean
refuse_interval(SipLeg *leg)
{
	g_autofree char *min = session_min(&leg->session);

	nua_respond(leg->nh, 422, "Session Interval Too Small", SIPTAG_HEADER_STR(min), TAG_END());
	return TRUE;
}

static void
set_wanted_timer(SipLeg *leg)
{
	const Trunk *trunk = trunks_find(leg->ua->trunks, leg->trunk);

	if (trunk)
		leg->session.wanted_s = trunk->session_seconds;
}

/* `bad`: what is wrong with its description; NONE: nothing. */
static gboolean
is_refused(SipLeg *leg, const sip_t *sip, const Address *to, Reason bad)
{
	guint status = header_refuses_body(sip);

	if (!header_has_target(sip))
		return refuse(leg, 400, "No Contact");
	if (!to)
		return refuse(leg, SIP_404_NOT_FOUND);
	if (status)
		return refuse_body(leg, status);
	if (bad == REASON_PROTOCOL_ERROR)
		return refuse(leg, 400, "Bad Session Description");
	if (bad != REASON_NONE)
		return refuse(leg, SIP_488_NOT_ACCEPTABLE);
	set_wanted_timer(leg);
	return !session_learn_request(&leg->session, sip) && refuse_interval(leg);
}

/* What cannot be read is not what may be left out: it would ring somewhere. */
static gboolean
replaces_is_broken(const sip_t *sip)
{
	for (const sip_header_t *header = (const sip_header_t *)sip->sip_error; header;
	     header = header->sh_next) {
		/* One that was there twice is among them as what it is. */
		const char *name = header->sh_class == sip_error_class ? header->sh_error->er_name
								       : header->sh_class->hc_name;

		if (name && g_ascii_strcasecmp(name, "Replaces") == 0)
			return TRUE;
	}
	return FALSE;
}

/* Whose place it wants to take: an answered dialog of a softphone's.  FALSE: refused. */
static gboolean
find_replaced(SipLeg *leg, const sip_t *sip, SipLeg **replaced)
{
	const sip_replaces_t *replaces = sip->sip_replaces;

	if (replaces_is_broken(sip))
		return !refuse(leg, 400, "Bad Replaces");
	*replaced = replaces && leg->phone ? refer_find_dialog(leg->ua, replaces) : NULL;
	if (replaces && (!*replaced || (*replaced)->state != STATE_UP))
		return !refuse(leg, SIP_481_NO_TRANSACTION);
	if (replaces && replaces->rp_early_only) /* RFC 3891 3: it is answered */
		return !refuse(leg, SIP_486_BUSY_HERE);
	return TRUE;
}

/* A trunk is believed who calls. */
static void
trust_trunk(const sip_t *sip, Identity *identity, Incoming *incoming)
{
	identity_read(sip, identity);
	incoming->from = identity->shown;
	incoming->hidden = identity->hidden;
	incoming->identities = identity->all;
}

void
leg_incoming(SipUa *ua, nua_handle_t *nh, const SipCaller *caller, const SipEvent *event)
{
	SipLeg *leg = leg_new(ua, STATE_INVITED, caller->trunk), *replaced = NULL;
	const sip_t *sip = event->sip;
	g_auto(Identity) identity = { NULL, NULL, NULL };
	g_autoptr(Address) to = header_callee(sip, ua->config);
	Reason bad;
	g_autoptr(Desc) offer = header_desc(sip, ua->config->max_sdp_bytes, &bad);
	const char *insecure;
	guint n_diversions = 0;
	g_auto(GStrv) diverted = caller->from ? NULL : history_read(sip, &n_diversions);
	Incoming incoming = { .from = caller->from,
			      .to = to,
			      .trunk = leg->trunk,
			      .offer = offer,
			      .privacy = caller->privacy,
			      .preferred = caller->preferred,
			      .diverted_by = diverted,
			      .n_diversions = n_diversions };

	if (!caller->from)
		trust_trunk(sip, &identity, &incoming);

	leg->nh = nh;
	leg->phone = g_strdup(caller->phone);
	leg->softphone = caller->softphone;
	leg->crypto.policy = caller->crypto;
	if (offer)
		crypto_hear(&leg->crypto, offer);
	insecure = crypto_refuse_offer(&leg->crypto, offer);
	nua_handle_bind(nh, (nua_hmagic_t *)leg);
	if (insecure)
		g_warning("sip: a call of %s is refused: %s",
			  leg->trunk ? leg->trunk : "a softphone", insecure);
	if (is_refused(leg, sip, to, insecure ? REASON_INCOMPATIBLE : bad) ||
	    !find_replaced(leg, sip, &replaced)) {
		leg_free(leg);
		return;
	}
	ua->calls_in++;
	leg->offerless = !offer;
	leg_set_remote(leg, offer);
	leg_learn_invite(leg, sip);
	origin_learn(leg, event->msg);
	leg_pin_route(leg,
		      sip->sip_record_route ? sip->sip_record_route->r_url
		      : sip->sip_contact    ? sip->sip_contact->m_url
					    : NULL,
		      event->msg);
	if (replaced)
		call_take_over(ua->gateway, &leg->leg, &sip_plugin, &incoming, &replaced->leg);
	else
		call_new(ua->gateway, &leg->leg, &sip_plugin, &incoming);
}
