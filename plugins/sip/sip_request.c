/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_request.c - see sip_request.h. */
#include "plugins/sip/sip_request.h"
#include "plugins/sip/sip_method.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/shield/sip_rate.h"
#include "plugins/sip/shield/sip_source.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_util.h>

/* --- how many --- */

/* Of a dialog that this one may speak in (sip_origin.h). */
static SipLeg *
leg_of(const SipUa *ua, const sip_t *sip)
{
	const sip_call_id_t *call_id = sip->sip_call_id;
	SipLeg *leg = NULL;

	if (call_id && call_id->i_id && guard_let_in(call_id)) {
		leg = g_hash_table_lookup(ua->dialogs, call_id->i_id);
		leg = leg ? leg : g_hash_table_lookup(ua->invites, call_id->i_id);
	}
	return leg;
}

static gboolean
dialog_takes(SipLeg *leg)
{
	static const Rate rate = { REQUESTS_OF_DIALOG, 2 * REQUESTS_OF_DIALOG };

	if (rate_pays(&leg->requests_us, &rate, g_get_monotonic_time()))
		return TRUE;
	sip_count(COUNTER_SIP_REQUESTS_OVER_RATE);
	return FALSE;
}

static gboolean
is_admitted(SipUa *ua, msg_t *message, const sip_t *sip)
{
	SipLeg *leg;

	if (sip->sip_request->rq_method == sip_method_ack)
		return TRUE;
	leg = leg_of(ua, sip);
	return leg ? dialog_takes(leg) : sources_take(ua->sources, msg_addr(message), sip);
}

/* --- what can be answered at once --- */

/* What is odd about the others is sofia's to say. */
static gboolean
is_plain(const sip_t *sip)
{
	const url_t *uri = sip->sip_request->rq_url;

	return !sip->sip_error && !(sip->sip_flags & (MSG_FLG_ERROR | MSG_FLG_TOOLARGE)) &&
	       sip_sanity_check(sip) == 0 && !sip->sip_to->a_tag && !sip->sip_require &&
	       !sip->sip_proxy_require && !sip->sip_content_encoding &&
	       (uri->url_type == url_sip || uri->url_type == url_sips) &&
	       g_strcmp0(sip->sip_request->rq_version, sip_version_2_0) == 0;
}

gboolean
requests_take(SipUa *ua, tport_t *transport, msg_t *message)
{
	sip_t *sip = sip_object(message);
	SipEvent event = { .status = 100, .phrase = "", .sip = sip, .msg = message };
	Reply reply = { ua->nua, ua->allow, NULL, transport, message };

	if (!sip || !sip->sip_request)
		return FALSE;
	if (!is_admitted(ua, message, sip)) {
		msg_destroy(message);
		return TRUE;
	}
	return is_plain(sip) && methods_serve(ua, &reply, &event);
}
