/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_keys.c - a dialog as a Leg: keys by INFO, for a peer that takes no telephone-event.
 *
 * Thread: signalling.  RFC 6086.
 */
#include "plugins/sip/dialog/sip_leg_private.h"
#include "plugins/sip/stack/sip_guard.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/stack/sip_info.h"
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#define MAX_KEYS 64 /* that wait for an INFO */

/* --- ours --- */

static void
next_key(SipLeg *leg)
{
	const char *type = leg->info_plain ? INFO_PLAIN : INFO_RELAY;
	g_autofree char *body = NULL;

	if (leg->info_out || leg->state != STATE_UP || !leg->keys || leg->keys->len == 0)
		return;
	body = info_body(type, leg->keys->str[0]);
	leg->info_out = TRUE;
	hop_refresh(leg);
	leg_trace(&leg->leg, TRACE_OUT, "INFO with a key, %s", type);
	nua_info(leg->nh, SIPTAG_CONTENT_TYPE_STR(type), SIPTAG_PAYLOAD_STR(body), TAG_END());
}

void
sip_leg_dtmf_out(SipLeg *leg, char key)
{
	if (!leg->keys)
		leg->keys = g_string_new(NULL);
	if (leg->keys->len < MAX_KEYS)
		g_string_append_c(leg->keys, key);
	next_key(leg);
}

/* Who does not know the one form may know the other; who knows neither is not
 * asked again. */
void
sip_leg_info_answered(SipLeg *leg, const SipEvent *event)
{
	if (event->status < 200)
		return;
	if (event->status >= 300 && sip_leg_prove(leg, event))
		return;
	leg->info_out = FALSE;
	if (event->status == 415 && !leg->info_plain) {
		leg->info_plain = TRUE;
	} else if (event->status >= 300) {
		leg_trace(&leg->leg, TRACE_IN, "%d %s: no keys by INFO", event->status,
			  event->phrase);
		g_string_truncate(leg->keys, 0);
	} else {
		g_string_erase(leg->keys, 0, 1);
	}
	next_key(leg);
}

/* --- theirs --- */

static guint
judge_info(const sip_t *sip, char *key)
{
	const sip_content_type_t *type = sip->sip_content_type;
	const sip_payload_t *body = sip->sip_payload;
	guint status;

	if (guard_kept(sip, "Info-Package")) /* we have said that we want none */
		return 469;
	if (body && body->pl_len && sip->sip_content_encoding)
		return 415;
	status = info_answer(type ? type->c_type : NULL, body ? body->pl_data : NULL,
			     body ? body->pl_len : 0, key);
	/* RFC 3261 20.11: what may be passed over is */
	return status == 415 && sip->sip_content_disposition &&
			       sip->sip_content_disposition->cd_optional
		       ? 200
		       : status;
}

static void
answer_info(SipLeg *leg, const sip_t *sip, guint status)
{
	const char *phrase = status == 200   ? sip_200_OK
			     : status == 415 ? sip_415_Unsupported_media
			     : status == 469 ? "Bad Info Package"
					     : sip_400_Bad_request;
	gboolean encoded = status == 415 && sip->sip_content_encoding;

	if (status != 200)
		leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
	nua_respond(leg->nh, (int)status, phrase, NUTAG_WITH_THIS(leg->ua->nua),
		    TAG_IF(status == 415, SIPTAG_ACCEPT_STR(INFO_RELAY ", " INFO_PLAIN)),
		    TAG_IF(encoded, SIPTAG_ACCEPT_ENCODING_STR("identity")),
		    TAG_IF(status == 469, SIPTAG_HEADER_STR("Recv-Info: \r\n")), TAG_END());
}

void
sip_leg_on_info(SipLeg *leg, const SipEvent *event)
{
	const sip_content_type_t *type = event->sip ? event->sip->sip_content_type : NULL;
	char key = 0;
	guint status;

	if (event->status >= 200 || !event->sip)
		return;
	status = judge_info(event->sip, &key);
	leg_trace(&leg->leg, TRACE_IN, "INFO%s%s%s", type ? " " : "", type ? type->c_type : "",
		  key ? ", a key" : "");
	answer_info(leg, event->sip, status);
	if (key)
		leg_dtmf(&leg->leg, key);
}
