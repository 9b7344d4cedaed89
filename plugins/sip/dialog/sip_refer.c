/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_refer.c - transfer and takeover: REFER, its NOTIFYs, and Replaces.
 *
 *   REFER  Refer-To: <sip:+1415…@gw>                       blind
 *          Refer-To: <sip:…@gw?Replaces=id;to-tag;from-tag>  attended: both dialogs are ours
 *   INVITE Replaces: id;to-tag=…;from-tag=…                takes over
 *
 * A softphone may do so within its own dialogs; a carrier may not make us call
 * somebody.  What the core says of the transfer goes into NOTIFYs.
 * Thread: signalling.  RFC 3515, RFC 3891, RFC 5589.
 */
#include "plugins/sip/dialog/sip_refer.h"
#include "plugins/sip/stack/sip_header.h"
#include "plugins/sip/dialog/sip_hop.h"
#include "plugins/sip/peers/sip_outside.h"
#include "plugins/sip/stack/sip_reason.h"
#include <string.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_alloc.h>

/* --- which dialog is meant --- */

static gboolean
has_tag(const char *party, const char *tag)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_from_t *parsed;
	gboolean same;

	su_home_init(home);
	parsed = party ? sip_from_make(home, party) : NULL;
	same = parsed && parsed->a_tag && tag && strcmp(parsed->a_tag, tag) == 0;
	su_home_deinit(home);
	return same;
}

SipLeg *
refer_find_dialog(SipUa *ua, const sip_replaces_t *replaces)
{
	GHashTableIter iter;
	gpointer key;

	for (g_hash_table_iter_init(&iter, ua->legs); g_hash_table_iter_next(&iter, &key, NULL);) {
		SipLeg *leg = key;

		if (leg->leg.call && g_strcmp0(leg->call_id, replaces->rp_call_id) == 0 &&
		    has_tag(leg->local, replaces->rp_to_tag) &&
		    has_tag(leg->remote_party, replaces->rp_from_tag))
			return leg;
	}
	return NULL;
}

/* The Replaces that the target is to be sent, in the headers of its URI: FALSE when
 * there is none, NULL when it cannot be read. */
static gboolean
embedded_replaces(su_home_t *home, const url_t *url, const sip_replaces_t **replaces)
{
	g_auto(GStrv) headers = g_strsplit(url->url_headers ? url->url_headers : "", "&", 32);

	for (char **header = headers; *header; header++) {
		g_autofree char *value = NULL;

		if (g_ascii_strncasecmp(*header, "Replaces=", strlen("Replaces=")) != 0)
			continue;
		value = g_uri_unescape_string(*header + strlen("Replaces="), NULL);
		*replaces = value ? sip_replaces_make(home, value) : NULL;
		return TRUE;
	}
	return FALSE;
}

static gboolean
wants_another_method(const url_t *url)
{
	char method[16] = "";

	return url->url_params && url_param(url->url_params, "method", method, sizeof method) > 0 &&
	       g_ascii_strcasecmp(method, "INVITE") != 0;
}

/* --- REFER --- */

static void
respond(const SipLeg *leg, guint status, const char *phrase)
{
	leg_trace(&leg->leg, TRACE_OUT, "%u %s", status, phrase);
	nua_respond(leg->nh, (int)status, phrase, NUTAG_WITH_THIS(leg->ua->nua), TAG_END());
}

static void
notify(SipLeg *leg, guint status, const char *phrase, const char *text)
{
	g_autofree char *line = g_strdup_printf("SIP/2.0 %u %s\r\n", status, phrase);

	leg_trace(&leg->leg, TRACE_OUT, "NOTIFY with %u %s%s%s", status, phrase, text ? ": " : "",
		  text ? text : "");
	hop_refresh(leg);
	nua_notify(leg->nh, SIPTAG_EVENT_STR(leg->refer_event),
		   NUTAG_SUBSTATE(leg->referred ? nua_substate_active : nua_substate_terminated),
		   SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"), SIPTAG_PAYLOAD_STR(line),
		   TAG_END());
}

/* From here on it hears by NOTIFY.  A 404 or 481 to the REFER itself would end the
 * dialog (RFC 5057 5.1). */
static void
take(SipLeg *leg, const SipEvent *event)
{
	g_snprintf(leg->refer_event, sizeof leg->refer_event, "refer;id=%u",
		   event->sip->sip_cseq->cs_seq);
	respond(leg, SIP_202_ACCEPTED);
	leg->referred = TRUE;
}

static void
blind(SipLeg *leg, const SipEvent *event)
{
	url_t url = outside_at_home(leg->ua->outside, event->sip->sip_refer_to->r_url);
	g_autoptr(Address) target = header_called(&url, leg->ua->config);

	if (!target) {
		respond(leg, 400, "Bad Refer-To");
		return;
	}
	take(leg, event);
	notify(leg, SIP_100_TRYING, NULL);
	leg_transfer(&leg->leg, target, NULL);
}

static void
attended(SipLeg *leg, const SipEvent *event, const SipLeg *other)
{
	take(leg, event);
	if (!other || other == leg) {
		leg->referred = FALSE;
		notify(leg, SIP_481_NO_TRANSACTION, NULL);
		return;
	}
	notify(leg, SIP_100_TRYING, NULL);
	leg_transfer(&leg->leg, NULL, &other->leg);
}

void
refer_asked(SipLeg *leg, const SipEvent *event)
{
	const sip_refer_to_t *to = event->sip ? event->sip->sip_refer_to : NULL;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const sip_replaces_t *replaces = NULL;

	leg_trace(&leg->leg, TRACE_IN, "REFER%s%s%s%s", to ? " to " : "",
		  to && to->r_url->url_user ? to->r_url->url_user : "",
		  to && to->r_url->url_host ? "@" : "",
		  to && to->r_url->url_host ? to->r_url->url_host : "");
	if (!way_is_phone(leg->way) || leg->state != STATE_UP) {
		respond(leg, SIP_603_DECLINE);
		return;
	}
	if (!to || to->r_next || wants_another_method(to->r_url)) {
		respond(leg, 400, "Bad Refer-To");
		return;
	}
	if (leg->referred) { /* one after the other */
		respond(leg, SIP_491_REQUEST_PENDING);
		return;
	}
	su_home_init(home);
	if (!embedded_replaces(home, to->r_url, &replaces))
		blind(leg, event);
	else
		attended(leg, event, replaces ? refer_find_dialog(leg->ua, replaces) : NULL);
	su_home_deinit(home);
}

void
refer_told(SipLeg *leg, TransferState state, Reason reason, const char *text)
{
	const char *phrase = "OK";
	guint status = 200;

	if (!leg->referred || leg->state == STATE_ENDING)
		return;
	if (state == TRANSFER_RINGING) {
		status = 180;
		phrase = "Ringing";
	} else if (state == TRANSFER_FAILED) {
		status = sip_reason_to_status(reason, &phrase);
	}
	leg->referred = state == TRANSFER_RINGING;
	notify(leg, status, phrase, text);
}
