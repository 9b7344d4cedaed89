/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_incoming.c - the INVITE that begins a call: what it must have, and whose it
 * becomes.  Who sent it is proven by now (sip_sender.h).
 *
 * Thread: signalling.  RFC 3261 8.2, RFC 3891, RFC 4028.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_audio_from.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_history.h"
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/dialog/sip_origin.h"
#include "plugins/sip/dialog/sip_refer.h"
#include "plugins/sip/stack/sip_stack.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#define MAX_INVITATION_S 3600 /* what is longer ends nothing */

static gboolean
refuse(SipLeg *leg, guint status, const char *phrase)
{
	nua_respond(leg->nh, (int)status, phrase, TAG_END());
	return TRUE;
}

static gboolean
refuse_body(SipLeg *leg, guint status, const char *phrase, gboolean encoded)
{
	nua_respond(leg->nh, (int)status, phrase, SIPTAG_ACCEPT_STR(CONTENT_ACCEPT),
		    TAG_IF(encoded, SIPTAG_ACCEPT_ENCODING_STR("identity")), TAG_END());
	return TRUE;
}

static gboolean
refuse_content(SipLeg *leg, const Content *content)
{
	g_autofree char *warning = content_warning(content, outside_domain(leg->ua->outside));

	if (!warning)
		return refuse_body(leg, content->refusal, content_phrase(content),
				   content->encoded);
	nua_respond(leg->nh, (int)content->refusal, content_phrase(content),
		    SIPTAG_WARNING_STR(warning), TAG_END());
	return TRUE;
}

/* The IP version of the peer's audio address is used for its audio from now on. */
static void
read_offer(SipLeg *leg, const sip_t *sip, Content *content)
{
	const Stream *audio;
	ContentFamilies theirs;

	content_read(sip, leg->ua->config->max_sdp_bytes, content);
	content_check_addresses(content, content_own_families(leg->ua->config));
	audio = desc_audio(content->desc);
	theirs = audio && audio->transport->kind == TRANSPORT_RTP
			 ? content_family(audio->transport->address)
			 : 0;
	if (theirs)
		leg->families = theirs;
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
	leg->session.wanted_s = way_session_seconds(leg->way, SESSION_DEFAULT_SECONDS);
}

/* `insecure`: what is wrong with its description; NULL: nothing. */
static gboolean
is_refused(SipLeg *leg, const sip_t *sip, const Address *to, const Content *content,
	   const char *insecure)
{
	if (!header_has_target(sip))
		return refuse(leg, 400, "No Contact");
	if (!to)
		return refuse(leg, SIP_404_NOT_FOUND);
	if (content->refusal)
		return refuse_content(leg, content);
	if (!content_accepts_sdp(sip))
		return refuse_body(leg, SIP_406_NOT_ACCEPTABLE, FALSE);
	if (insecure)
		return refuse(leg, SIP_488_NOT_ACCEPTABLE);
	set_wanted_timer(leg);
	return !session_learn_request(&leg->session, sip) && refuse_interval(leg);
}

/* What is tried again with other words, such as another interval, is no call that failed. */
static const char *
refused_as(const sip_t *sip, const Address *to, const Content *content, const char *insecure,
	   Reason *reason)
{
	const char *why = content_why(content);

	*reason = REASON_PROTOCOL_ERROR;
	if (!header_has_target(sip))
		return "the INVITE has no Contact";
	if (!to) {
		*reason = REASON_NOT_FOUND;
		return "the INVITE names nobody to call";
	}
	if (content->refusal) {
		*reason = content->reason;
		return why ? why : content_phrase(content);
	}
	*reason = REASON_INCOMPATIBLE;
	return content_accepts_sdp(sip) ? insecure : "the INVITE accepts no SDP";
}

/* Where nobody is called the record has our own domain. */
static void
note(SipUa *ua, const Incoming *incoming, Reason reason, const char *words)
{
	g_autoptr(Address) ours = address_new(ADDRESS_JID, NULL, outside_domain(ua->outside), NULL);
	Incoming kept = *incoming;

	if (!kept.to)
		kept.to = ours;
	if (kept.from)
		gateway_refused(ua->gateway, ua->plugin, kept.trunk, &kept, reason, words);
}

static void
note_refused(const SipLeg *leg, const sip_t *sip, const Incoming *incoming, const Content *content,
	     const char *insecure)
{
	Reason reason;
	const char *words = refused_as(sip, incoming->to, content, insecure, &reason);

	if (words)
		note(leg->ua, incoming, reason, words);
}

/* A broken Replaces must be refused: ignored, the call would ring somewhere else. */
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
	*replaced =
		replaces && way_is_phone(leg->way) ? refer_find_dialog(leg->ua, replaces) : NULL;
	if (replaces && (!*replaced || (*replaced)->state != STATE_UP))
		return !refuse(leg, SIP_481_NO_TRANSACTION);
	if (replaces && replaces->rp_early_only) /* RFC 3891 3: it is answered */
		return !refuse(leg, SIP_486_BUSY_HERE);
	return TRUE;
}

/* What a trunk says of the caller is believed. */
static void
trust_trunk(const sip_t *sip, Identity *identity, Incoming *incoming)
{
	identity_read(sip, identity);
	incoming->from = identity->shown;
	incoming->hidden = identity->hidden;
	incoming->identities = identity->all;
}

void
sip_leg_refused(SipUa *ua, const SipCaller *caller, const sip_t *sip, Reason reason,
		const char *words)
{
	SipWay *way = way_of_caller(ua, caller);
	g_auto(Identity) identity = { NULL, NULL, NULL };
	g_autoptr(Address) to = way_called(way, sip);
	Incoming incoming = {
		.from = caller->from, .to = to, .trunk = caller->trunk, .device = caller->softphone
	};

	if (!caller->from)
		trust_trunk(sip, &identity, &incoming);
	note(ua, &incoming, reason, words);
	way_free(way);
}

static void
on_invitation_over(gpointer user)
{
	SipLeg *leg = user;

	if (leg->state != STATE_INVITED)
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "the caller's invitation is over (Expires)");
	leg_trace(&leg->leg, TRACE_OUT, "487 Request Terminated");
	nua_respond(leg->nh, SIP_487_REQUEST_CANCELLED, TAG_END());
	sip_leg_over(leg, REASON_CANCELLED, NULL);
}

/* RFC 3261 13.3.1: so long the caller waits, and no longer. */
static void
bound_invitation(SipLeg *leg, const sip_t *sip)
{
	const sip_expires_t *expires = sip->sip_expires;

	if (expires && expires->ex_delta > 0 && expires->ex_delta <= MAX_INVITATION_S)
		sip_leg_set_timer(leg, (guint)expires->ex_delta * 1000, on_invitation_over);
}

void
sip_leg_incoming(SipUa *ua, nua_handle_t *nh, const SipCaller *caller, const SipEvent *event)
{
	SipLeg *leg = sip_leg_new(ua, STATE_INVITED, way_of_caller(ua, caller)), *replaced = NULL;
	const sip_t *sip = event->sip;
	g_auto(Identity) identity = { NULL, NULL, NULL };
	const char *trunk = way_trunk(leg->way);
	g_autoptr(Address) to = way_called(leg->way, sip);
	g_auto(Content) content = { 0 };
	const char *insecure;
	Diversion diversion = { 0 };
	g_auto(GStrv) before = caller->from ? NULL : history_read(sip, &diversion.n);
	Incoming incoming = { .from = caller->from,
			      .to = to,
			      .trunk = trunk,
			      .privacy = caller->privacy,
			      .preferred = caller->preferred,
			      .device = caller->softphone,
			      .diversion = diversion.n ? &diversion : NULL };

	diversion.before = before;
	sip_leg_keep_session(leg);
	if (!caller->from)
		trust_trunk(sip, &identity, &incoming);

	leg->peer = incoming.from ? address_copy(incoming.from) : NULL;
	leg->party = to ? address_copy(to) : NULL;
	leg->nh = nh;
	read_offer(leg, sip, &content);
	audio_from_allow(leg, event, content.desc);
	incoming.offer = content.desc;
	if (content.desc)
		crypto_hear(&leg->crypto, content.desc);
	insecure = crypto_refuse_offer(&leg->crypto, content.desc);
	nua_handle_bind(nh, (nua_hmagic_t *)leg);
	nua_set_hparams(nh, UA_ANSWERS(ua->answered_inside), TAG_END());
	if (insecure)
		g_warning("sip: a call of %s is refused: %s", trunk ? trunk : "a softphone",
			  insecure);
	if (is_refused(leg, sip, to, &content, insecure) || !find_replaced(leg, sip, &replaced)) {
		note_refused(leg, sip, &incoming, &content, insecure);
		sip_leg_free(leg);
		return;
	}
	ua->calls_in++;
	leg->offerless = !content.desc;
	leg->reliable = sip_has_feature(sip->sip_supported, "100rel") ||
			sip_has_feature(sip->sip_require, "100rel");
	sip_leg_set_remote(leg, content.desc);
	sip_leg_learn_invite(leg, sip);
	origin_learn(leg, event->msg);
	hop_update(leg, event->msg);
	bound_invitation(leg, sip);
	if (replaced)
		call_take_over(ua->gateway, &leg->leg, ua->plugin, &incoming, &replaced->leg);
	else
		call_new(ua->gateway, &leg->leg, ua->plugin, &incoming);
}
