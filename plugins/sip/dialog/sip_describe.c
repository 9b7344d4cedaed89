/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_describe.c - a dialog as a Leg: descriptions as they are said and heard.
 *
 * Thread: signalling.  RFC 3264.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/dialog/sip_audio_from.h"
#include <string.h>

/* --- ours --- */

/* Media is announced by the same address as SIP: what the peer is told of the one, he is
 * told of the other. */
static Desc *
desc_seen(const SipLeg *leg, const Desc *desc)
{
	const Config *config = leg->ua->config;
	const Transport *ours = desc_audio(desc) ? desc_audio(desc)->transport : NULL;
	const char *announced =
		config->sip_public_address ? config->sip_public_address : config->sip_address;
	const char *host = way_host(leg->way);
	g_autoptr(Transport) seen = NULL;

	if (!ours || strcmp(ours->address, announced) != 0 || strcmp(announced, host) == 0)
		return NULL;
	seen = transport_copy(ours);
	g_strlcpy(seen->address, host, sizeof seen->address);
	return desc_moved(desc, seen);
}

const char *
sip_leg_sdp(SipLeg *leg, const Desc *desc)
{
	SdpOrigin origin = { way_host(leg->way), leg->session_id, leg->sdp_version };
	g_autoptr(Desc) seen = desc_seen(leg, desc);
	const Desc *said = leg->said;
	g_autofree char *text = NULL;

	leg->said = desc_ref(desc);
	desc_unref(said);
	if (seen)
		desc = seen;
	text = desc_to_sdp(desc, &origin);
	if (g_strcmp0(text, leg->sdp) == 0)
		return leg->sdp;
	if (leg->sdp) {
		origin.version = ++leg->sdp_version;
		g_free(text);
		text = desc_to_sdp(desc, &origin);
	}
	g_free(leg->sdp);
	leg->sdp = g_steal_pointer(&text);
	return leg->sdp;
}

const char *
sip_leg_sdp_of_offer(SipLeg *leg, const Desc *desc)
{
	g_autoptr(Desc) offer = crypto_offer(&leg->crypto, desc);

	return sip_leg_sdp(leg, offer);
}

void
sip_leg_set_offer(SipLeg *leg, const Desc *desc)
{
	const Desc *old = leg->offer;

	leg->offer = desc ? desc_ref(desc) : NULL;
	desc_unref(old);
}

void
sip_leg_trace_out(SipLeg *leg, const char *what, const Desc *desc)
{
	g_autofree char *summary = desc ? desc_summary(desc) : NULL;

	leg_trace(&leg->leg, TRACE_OUT, "%s%s%s", what, summary ? " with " : "",
		  summary ? summary : "");
}

/* --- theirs --- */

void
sip_leg_read(SipLeg *leg, const SipEvent *event, Content *content)
{
	content_read(event->sip, leg->ua->config->max_sdp_bytes, content);
	content_check_addresses(content, leg->families);
	if (content->warning)
		leg_trace(&leg->leg, TRACE_NOTE, "%s", content_why(content));
	audio_from_allow(leg, event, content->desc);
	if (content->desc)
		crypto_hear(&leg->crypto, content->desc);
}

Desc *
sip_leg_heard(SipLeg *leg, const SipEvent *event, Reason *reason)
{
	g_auto(Content) content = { 0 };

	sip_leg_read(leg, event, &content);
	*reason = content.reason;
	return g_steal_pointer(&content.desc);
}

void
sip_leg_set_remote(SipLeg *leg, const Desc *desc)
{
	const Desc *old = leg->remote;

	leg->remote = desc ? desc_ref(desc) : NULL;
	desc_unref(old);
}

/* FALSE: it cannot be taken, and the ladder says why. */
gboolean
sip_leg_take_answer(SipLeg *leg, const Desc *answer)
{
	const char *insecure = crypto_refuse_answer(&leg->crypto, answer);

	if (insecure)
		leg_trace(&leg->leg, TRACE_NOTE, "%s", insecure);
	else
		crypto_settle(&leg->crypto, answer);
	return insecure == NULL;
}

void
sip_leg_trace_in(SipLeg *leg, const char *what, const Desc *desc)
{
	g_autofree char *summary = desc ? desc_summary(desc) : NULL;

	leg_trace(&leg->leg, TRACE_IN, "%s%s%s", what, summary ? " with " : "",
		  summary ? summary : "");
}
