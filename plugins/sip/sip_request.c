/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_request.c - see sip_request.h. */
#include "plugins/sip/sip_request.h"
#include "plugins/sip/stack/sip_counters.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/shield/sip_rate.h"
#include "plugins/sip/peers/sip_registrar.h"
#include "plugins/sip/shield/sip_source.h"
#include "plugins/sip/stack/sip_stack.h"
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
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

/* --- answers --- */

/* Outside of a dialog.  Of one that has none, sofia would make a handle and answer INFO by
 * 200, and send a NOTIFY after a REFER that was declined. */
static const struct {
	sip_method_t method;
	int status;
	const char *phrase;
} answers[] = {
	{ sip_method_options, SIP_200_OK },
	{ sip_method_refer, SIP_603_DECLINE },
	{ sip_method_info, SIP_481_NO_TRANSACTION },
	{ sip_method_bye, SIP_481_NO_TRANSACTION },
	{ sip_method_update, SIP_481_NO_TRANSACTION },
	{ sip_method_prack, SIP_481_NO_TRANSACTION },
};

static gboolean
answer_plainly(SipUa *ua, tport_t *transport, const SipEvent *event)
{
	sip_method_t method = event->sip->sip_request->rq_method;
	gboolean options = method == sip_method_options;

	for (guint i = 0; i < G_N_ELEMENTS(answers); i++) {
		if (answers[i].method != method)
			continue;
		if (options)
			sources_asked(ua->sources, event);
		stack_answer(event->msg, transport, answers[i].status, answers[i].phrase,
			     TAG_IF(options, SIPTAG_ACCEPT_STR("application/sdp")), TAG_END());
		return TRUE;
	}
	return FALSE;
}

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

	if (!sip || !sip->sip_request)
		return FALSE;
	if (!is_admitted(ua, message, sip)) {
		msg_destroy(message);
		return TRUE;
	}
	if (!is_plain(sip))
		return FALSE;
	if (sip->sip_request->rq_method != sip_method_register)
		return answer_plainly(ua, transport, &event);
	registrar_register(ua, &(RegistrarReply){ NULL, transport, message }, &event);
	return TRUE;
}
