/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_ring.c - he calls: XEP-0353 before there is a session.
 *
 *     propose          call_new
 *     5 s or ring()    ringing
 *     answer()         proceed
 *     session-initiate …
 *
 * Every try of a user is a call of the core, also one that is refused here: it has a
 * record, and he is told why.
 */
#include "plugins/xmpp/xmpp_counters.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define RINGING_MS  5000  /* Conversations waits 6 s for a sign of life */
#define INITIATE_MS 15000 /* from our proceed to his session-initiate */

static void
on_silent_far_end(gpointer data)
{
	XmppLeg *leg = data;

	xmpp_ring_ring(leg);
}

static void
on_no_initiate(gpointer data)
{
	XmppLeg *leg = data;

	xmpp_leg_fail(leg, REASON_NO_MEDIA, LEG_NO_SESSION, NULL);
}

void
xmpp_ring_ring(XmppLeg *leg)
{
	XmppSay ringing = { .kind = JMI_RINGING, .to = leg->peer };

	if (leg->state != XMPP_PROPOSED || leg->rang)
		return;
	leg->rang = TRUE;
	xmpp_leg_set_timer(leg, 0, NULL);
	xmpp_leg_say(leg, &ringing);
}

void
xmpp_ring_proceed(XmppLeg *leg, const Desc *offer)
{
	XmppSay proceed = { .kind = JMI_PROCEED, .to = leg->peer };

	leg->ours = desc_ref(offer);
	leg->state = XMPP_PROCEEDED;
	xmpp_leg_say(leg, &proceed);
	xmpp_leg_set_timer(leg, INITIATE_MS, on_no_initiate);
	leg_save(&leg->leg);
}

static void
reject(Xmpp *xmpp, const XmppMessage *message, const char *reason, const char *text)
{
	g_autofree char *local = address_bare_jid(message->to);
	g_autofree char *full = g_strconcat(local, "/" XMPP_RESOURCE, NULL);
	JmiBuild build = { .kind = JMI_REJECT,
			   .from = full,
			   .to = message->from_text,
			   .id = message->jmi->id,
			   .reason = reason,
			   .text = text };

	xmpp_send_end(xmpp, jmi_build(&build));
}

void
xmpp_ring_confirm(Xmpp *xmpp, const XmppMessage *message, const char *local)
{
	if (message->jmi->receipt_wanted)
		xmpp_send_sure(xmpp, jmi_build_receipt(local, message->from_text,
						       message->jmi->message_id));
}

/* --- a new call --- */

static XmppLeg *
leg_of_propose(Xmpp *xmpp, const XmppMessage *message, const char *bare)
{
	g_autofree char *local = g_strconcat(bare, "/" XMPP_RESOURCE, NULL);
	XmppLeg *leg = xmpp_leg_new(xmpp, local, message->jmi->id);

	leg->jmi = TRUE;
	leg->state = XMPP_PROPOSED;
	xmpp_leg_set_peer(leg, message->from_text);
	xmpp_leg_register(leg, leg->peer, leg->sid);
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	xmpp_find_add(leg);
	xmpp_ring_confirm(xmpp, message, local);
	return leg;
}

/* What cannot be a call: why. */
typedef struct {
	Reason reason;
	const char *jingle; /* in Jingle's words; NULL: those of the reason */
	char *text;	    /* NULL: it can */
} Refusal;

gint64
xmpp_ring_age(gint64 stamp)
{
	return MAX(g_get_real_time() / G_USEC_PER_SEC - stamp, 0);
}

static Refusal
judge(const Xmpp *xmpp, const XmppMessage *message)
{
	Refusal refusal = { 0 };
	const Jmi *jmi = message->jmi;

	if (xmpp_accounts_standing(xmpp->accounts, message->from) == XMPP_SWITCHED_OFF) {
		refusal.reason = REASON_FORBIDDEN;
		refusal.text = g_strdup("your account at this gateway is switched off");
	} else if (jmi->delayed && xmpp_ring_age(jmi->stamp) > XMPP_MAX_AGE_S) {
		refusal.reason = REASON_TIMEOUT;
		refusal.text =
			jmi->stamp ? g_strdup_printf("your call came %" G_GINT64_FORMAT " s late",
						     xmpp_ring_age(jmi->stamp))
				   : g_strdup("your call came late");
	} else if (!jmi_has_media(jmi, "audio")) {
		refusal.reason = REASON_INCOMPATIBLE;
		refusal.jingle = "unsupported-applications";
		refusal.text = g_strdup("telephones have no video");
	}
	return refusal;
}

static void
begin(Xmpp *xmpp, const XmppMessage *message)
{
	g_autofree char *bare = address_bare_jid(message->to);
	g_autoptr(Address) callee = xmpp_accounts_dialled(xmpp->accounts, message->to);
	g_autofree char *post_dial = xmpp_accounts_post_dial(message->to);
	Incoming incoming = { .from = message->from,
			      .to = callee,
			      .device = message->from_text,
			      .post_dial = post_dial };
	g_autofree char *account = address_bare_jid(message->from);
	XmppLeg *old = xmpp_find_talking(xmpp, account, message->to);
	XmppLeg *leg = leg_of_propose(xmpp, message, bare);
	Refusal refusal = judge(xmpp, message);

	leg->refusal = refusal.jingle;
	if (!refusal.text) {
		/* He looks at what we can before he begins a session; he may not have us in
		 * his roster. */
		xmpp_accounts_show(xmpp->accounts, bare, leg->peer);
		xmpp_leg_set_timer(leg, RINGING_MS, on_silent_far_end);
	}
	if (refusal.text) {
		call_refused(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming, refusal.reason,
			     refusal.text);
	} else if (old) {
		g_free(old->migrated);
		old->migrated = g_strdup(leg->sid);
		call_take_over(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming, &old->leg);
	} else {
		call_new(xmpp->gateway, &leg->leg, xmpp->plugin, &incoming);
	}
	g_free(refusal.text);
	/* What was refused at once is over for good: nothing of it can come any more that
	 * would need an answer. */
	if (leg->state == XMPP_OVER)
		xmpp_leg_free(leg);
	else
		leg_trace(&leg->leg, TRACE_IN, "propose");
}

void
xmpp_note_stranger(Xmpp *xmpp, const Address *from, const Address *to)
{
	g_autofree char *bare = address_bare_jid(from);
	const Incoming incoming = { .from = from, .to = to };

	xmpp_count(COUNTER_XMPP_STRANGERS);
	gateway_refused(xmpp->gateway, xmpp->plugin, bare, &incoming, REASON_FORBIDDEN,
			"no user of this gateway");
}

void
xmpp_ring_propose(Xmpp *xmpp, const XmppMessage *message)
{
	if (!message->from->resource)
		return;
	if (xmpp_accounts_standing(xmpp->accounts, message->from) == XMPP_STRANGER) {
		xmpp_note_stranger(xmpp, message->from, message->to);
		reject(xmpp, message, "decline", "This gateway serves its own users only");
	} else {
		begin(xmpp, message);
	}
}

/* --- a call that there is --- */

/* The same call again: his client had lost its stream, and may have another name now. */
static void
on_propose_again(XmppLeg *leg, const XmppMessage *message)
{
	if (leg->state == XMPP_OVER) {
		reject(leg->xmpp, message, xmpp_reason_to_jingle(leg->end_reason), NULL);
	} else if (leg->state == XMPP_PROPOSED && message->from->resource &&
		   g_strcmp0(leg->peer, message->from_text) != 0) {
		leg_trace(&leg->leg, TRACE_IN, "propose again, from %s", message->from_text);
		xmpp_leg_set_peer(leg, message->from_text);
		xmpp_leg_register(leg, leg->peer, leg->sid);
		leg_save(&leg->leg);
		if (leg->rang) {
			leg->rang = FALSE;
			xmpp_ring_ring(leg);
		}
	}
}

static void
on_caller_ends(XmppLeg *leg, const XmppMessage *message)
{
	const Jmi *jmi = message->jmi;
	XmppMoment moment = leg->state == XMPP_TALKING ? MOMENT_ANSWERED : MOMENT_CALLER_GIVES_UP;
	Reason reason = xmpp_reason_from_jingle(jmi->reason, moment);

	leg_trace(&leg->leg, TRACE_IN, "%s%s%s", jmi_kind_name(jmi->kind), jmi->reason ? " " : "",
		  jmi->reason ? jmi->reason : "");
	/* A device of his that knows the session; the one that began it may still be there. */
	if (g_strcmp0(leg->peer, message->from_text) == 0)
		xmpp_leg_over(leg, reason, jmi->reason_text);
	else
		xmpp_leg_part(leg, reason, jmi->reason_text);
}

static gboolean
is_end(JmiKind kind)
{
	return kind == JMI_RETRACT || kind == JMI_REJECT || kind == JMI_FINISH;
}

void
xmpp_ring_message(XmppLeg *leg, const XmppMessage *message)
{
	if (message->jmi->kind == JMI_PROPOSE)
		on_propose_again(leg, message);
	else if (leg->state != XMPP_OVER && is_end(message->jmi->kind))
		on_caller_ends(leg, message);
}

void
xmpp_ring_bounced(XmppLeg *leg, const Address *from, JmiKind kind)
{
	g_autofree char *full = address_full_jid(from);

	if ((leg->state != XMPP_PROPOSED && leg->state != XMPP_PROCEEDED) ||
	    (from->resource && g_strcmp0(leg->peer, full) != 0))
		return;
	leg_trace(&leg->leg, TRACE_IN, "%s came back", jmi_kind_name(kind));
	leg_explain(&leg->leg, &(LegFacts){ .fault = LEG_GONE });
	xmpp_leg_over(leg, REASON_UNREACHABLE, NULL);
}

void
xmpp_ring_gone(XmppLeg *leg)
{
	if (leg->leg.side != SIDE_CALLER ||
	    (leg->state != XMPP_PROPOSED && leg->state != XMPP_PROCEEDED &&
	     leg->state != XMPP_OFFERED))
		return;
	leg_trace(&leg->leg, TRACE_IN, "%s has gone off line", leg->peer);
	leg_explain(&leg->leg, &(LegFacts){ .fault = LEG_GONE });
	xmpp_leg_over(leg, REASON_CANCELLED, NULL);
}

/* An end of the one call that this device is setting up with that number. */
XmppLeg *
xmpp_ring_only_one(Xmpp *xmpp, const Address *from, const Address *to)
{
	g_autofree char *bare = address_bare_jid(from), *full = address_full_jid(from);
	g_autoptr(GPtrArray) legs = xmpp_find_with(xmpp, bare, to);
	XmppLeg *found = NULL;

	for (guint i = 0; i < legs->len; i++) {
		XmppLeg *leg = legs->pdata[i];

		if (leg->leg.side != SIDE_CALLER || g_strcmp0(leg->peer, full) != 0 ||
		    leg->state == XMPP_TALKING || leg->state == XMPP_OVER)
			continue;
		if (found)
			return NULL;
		found = leg;
	}
	return found;
}

void
xmpp_ring_end_without_id(Xmpp *xmpp, const xmlNode *stanza, const Address *from, const Address *to)
{
	JmiKind kind;
	XmppLeg *leg;

	if (!jmi_kind_without_id(stanza, &kind) || !is_end(kind))
		return;
	leg = xmpp_ring_only_one(xmpp, from, to);
	if (!leg)
		return;
	leg_trace(&leg->leg, TRACE_IN, "%s without an id", jmi_kind_name(kind));
	xmpp_leg_over(leg, REASON_CANCELLED, NULL);
}
