/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_called.c - he is called: XEP-0353 to the account, and Jingle to those of its
 * devices that take no messages.
 *
 *   dial      propose to the bare JID, and session-initiate to devices without messages
 *   ringing   leg_ringing(); also a receipt for the propose, and when a device that is
 *             on line and can be called has said nothing for a second
 *   proceed   session-initiate to that one
 *   errors    of the server: nobody is there; of one device: it will not ring
 *
 * What is known of devices comes from their presence, which not everybody shares with
 * us: that none is known does not mean that none is there.
 */
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_reason.h"
#include "b2bua/route/route.h"
#include <string.h>

#define SILENT_MS   1000 /* a device that is there and says nothing may well ring */
#define MAX_DEVICES 32	 /* of one call */
#define OTHERS_MS   3000 /* one device took no call: how long others have to say that they ring */

/* --- who is there --- */

static gboolean
can_be_called(const XmppLeg *leg, guint can)
{
	return xmpp_caps_can_call(can) ||
	       (xmpp_caps_is_unencrypted(can) && xmpp_clear_can_be_offered(leg));
}

static gboolean
is_called(const XmppLeg *leg, const char *device)
{
	return !leg->only || strcmp(leg->only, device) == 0;
}

/* FALSE as well for one of which nothing is known yet. */
static gboolean
takes_no_calls(const XmppLeg *leg, guint can)
{
	return (can & XMPP_CAN_TELL) && !(can & XMPP_CAN_JMI) && !can_be_called(leg, can);
}

static guint
can_of(const XmppLeg *leg, const char *device)
{
	return xmpp_accounts_can(leg->xmpp->accounts, leg->peer_bare, device);
}

/* A device that could be called if only it had DTLS, or its user's might do without.  The operator,
 * who sees it on line, reads why it does not ring. */
static gboolean
note_unencrypted(const XmppLeg *leg, const char *device, guint can)
{
	if (!takes_no_calls(leg, can) || !xmpp_caps_is_unencrypted(can))
		return FALSE;
	leg_trace(&leg->leg, TRACE_NOTE, "%s takes only calls without encryption: not called",
		  device);
	return TRUE;
}

static gboolean
find_may_ring(const XmppLeg *leg, const char *device, guint *index)
{
	return g_ptr_array_find_with_equal_func(leg->may_ring, device, g_str_equal, index);
}

static gboolean
has_fork(const XmppLeg *leg)
{
	for (guint i = 0; i < leg->forks->len; i++)
		if (!((XmppFork *)leg->forks->pdata[i])->dead)
			return TRUE;
	return FALSE;
}

/* Nobody is left of those who were there, or the server knows of nobody. */
static gboolean
nobody_left(const XmppLeg *leg)
{
	return !has_fork(leg) && (leg->no_propose || (leg->hoped && leg->may_ring->len == 0));
}

static void
give_up(XmppLeg *leg, const char *why)
{
	leg_trace(&leg->leg, TRACE_NOTE, "%s", why);
	xmpp_leg_part(leg, REASON_UNREACHABLE, NULL);
}

/* One that is on line, and can be called as far as it has said. */
static gboolean
somebody_is_there(const XmppLeg *leg)
{
	for (guint i = 0; i < leg->may_ring->len; i++)
		if (can_of(leg, leg->may_ring->pdata[i]) & XMPP_CAN_JMI)
			return TRUE;
	return has_fork(leg);
}

/* --- ringing --- */

static void
tell_ringing(XmppLeg *leg)
{
	if (leg->rang)
		return;
	leg->rang = TRUE;
	leg_ringing(&leg->leg, NULL);
}

static void
rings(XmppLeg *leg, const char *device)
{
	leg_trace(&leg->leg, TRACE_IN, "ringing from %s", device);
	leg->heard = TRUE;
	if (!find_may_ring(leg, device, NULL) && leg->may_ring->len < MAX_DEVICES)
		g_ptr_array_add(leg->may_ring, g_strdup(device));
	tell_ringing(leg);
}

/* Dino never says that it rings, nor does a client that is in a call. */
static void
on_silence(gpointer data)
{
	XmppLeg *leg = data;

	if (leg->rang || !xmpp_stream_is_up(leg->xmpp->stream) || !somebody_is_there(leg))
		return;
	leg_trace(&leg->leg, TRACE_NOTE, "a device that is on line has been called");
	tell_ringing(leg);
}

static void
on_no_others(gpointer data)
{
	XmppLeg *leg = data;

	if (!leg->heard)
		give_up(leg, "no other device rings");
}

void
xmpp_called_link_is_up(XmppLeg *leg)
{
	if (leg->state == XMPP_RINGING && !leg->rang)
		xmpp_leg_set_timer(leg, SILENT_MS, on_silence);
}

/* --- devices that will not ring --- */

/* TRUE: it was the last. */
static gboolean
was_last(XmppLeg *leg, const char *device)
{
	guint index;

	if (!find_may_ring(leg, device, &index))
		return FALSE;
	g_ptr_array_remove_index(leg->may_ring, index);
	return nobody_left(leg);
}

static void
device_is_out(XmppLeg *leg, const char *device)
{
	if (was_last(leg, device))
		give_up(leg, "no device is left that takes calls");
}

/* Here it is us who will not: the record and the missed call say so. */
static void
unencrypted_is_out(XmppLeg *leg, const char *device)
{
	if (was_last(leg, device))
		xmpp_leg_fail(leg, REASON_UNREACHABLE, LEG_UNENCRYPTED, NULL);
}

/* It has gone off line.  One that takes messages may be woken by what its server keeps for it;
 * what was sent to that device alone is lost. */
void
xmpp_called_gone(XmppLeg *leg, const char *device)
{
	gboolean lost = FALSE;

	if (leg->state == XMPP_INITIATED && g_strcmp0(leg->peer, device) == 0) {
		leg_trace(&leg->leg, TRACE_IN, "%s has gone off line", device);
		leg_explain(&leg->leg, &(LegFacts){ .fault = LEG_GONE });
		xmpp_leg_part(leg, REASON_UNREACHABLE, NULL);
		return;
	}
	for (guint i = 0; leg->state == XMPP_RINGING && i < leg->forks->len; i++) {
		XmppFork *fork = leg->forks->pdata[i];

		if (fork->dead || !g_str_equal(fork->jid, device))
			continue;
		leg_trace(&leg->leg, TRACE_IN, "%s has gone off line", device);
		fork->dead = lost = TRUE;
	}
	if (lost && nobody_left(leg))
		give_up(leg, "no device is left that takes calls");
}

/* --- errors --- */

/* RFC 6120 8.3.1: what came back need not be in it. */
void
xmpp_called_bounced(XmppLeg *leg, const Address *from, const xmlNode *stanza)
{
	XmlStanzaError error = { 0 };
	g_autofree char *full = address_full_jid(from);

	if (leg->state != XMPP_RINGING)
		return;
	xml_stanza_error(stanza, &error);
	leg_trace(&leg->leg, TRACE_IN, "propose came back from %s: %s", full,
		  error.condition ? error.condition : "error");
	if (from->resource && find_may_ring(leg, full, NULL)) {
		device_is_out(leg, full);
	} else if (leg->heard) {
		return; /* it rings elsewhere */
	} else if (from->resource) {
		if (leg->may_ring->len == 0 && !has_fork(leg))
			xmpp_leg_set_timer(leg, OTHERS_MS, on_no_others);
	} else {
		/* Nobody is there, whatever his server calls it. */
		leg->no_propose = TRUE;
		if (nobody_left(leg))
			give_up(leg, "nobody is there");
	}
}

/* XEP-0184, which is all that some say; who takes no calls may send one as well. */
void
xmpp_called_receipt(XmppLeg *leg, const char *device)
{
	if (leg->state == XMPP_RINGING && !takes_no_calls(leg, can_of(leg, device)))
		rings(leg, device);
}

/* --- messages --- */

/* All devices that take no messages stop; the one that won is not among them. */
static void
stop_forks(XmppLeg *leg, const XmppFork *but)
{
	for (guint i = 0; i < leg->forks->len; i++) {
		XmppFork *fork = leg->forks->pdata[i];
		XmppRequest whom = { .from = leg->local, .to = fork->jid };

		if (fork == but || fork->dead)
			continue;
		fork->dead = TRUE;
		xmpp_leg_out(leg, "session-terminate to %s: answered elsewhere", fork->jid);
		xmpp_terminate(leg->xmpp, &whom, fork->sid, REASON_ANSWERED_ELSEWHERE,
			       "Answered on another device");
	}
}

static void
on_proceed(XmppLeg *leg, const XmppMessage *message)
{
	leg_trace(&leg->leg, TRACE_IN, "proceed from %s", message->from_text);
	if (leg->state != XMPP_RINGING || !message->from->resource ||
	    !is_called(leg, message->from_text))
		return; /* a second device: it sees by itself that it came too late */
	stop_forks(leg, NULL);
	g_ptr_array_set_size(leg->forks, 0);
	xmpp_leg_set_peer(leg, message->from_text);
	xmpp_leg_register(leg, leg->peer, leg->sid);
	leg->state = XMPP_INITIATED;
	xmpp_session_initiate(leg);
	leg_save(&leg->leg);
}

/* Some devices reject by themselves what was answered at another. */
static gboolean
may_end_it(const XmppLeg *leg, const char *device)
{
	if (g_strcmp0(leg->peer, device) == 0)
		return TRUE;
	return leg->state == XMPP_TALKING && !find_may_ring(leg, device, NULL);
}

static void
on_reject(XmppLeg *leg, const XmppMessage *message)
{
	const Jmi *jmi = message->jmi;
	guint seconds = (g_get_monotonic_time() - leg->began_us) / G_USEC_PER_SEC;
	Reason reason =
		jmi->tie_break ? REASON_BUSY : xmpp_reason_from_reject(jmi->reason, seconds);

	/* some reject by themselves while they are in a call, and do not say why */
	if (reason == REASON_DECLINED && !jmi->reason && xmpp_find_talks(leg->xmpp, leg->peer_bare))
		reason = REASON_BUSY;
	if (leg->state == XMPP_TALKING)
		reason = xmpp_reason_from_jingle(jmi->reason, MOMENT_ANSWERED);
	leg_trace(&leg->leg, TRACE_IN, "reject %s after %u s from %s",
		  jmi->reason ? jmi->reason : "", seconds, message->from_text);
	if (leg->state == XMPP_RINGING) {
		/* He said it to his own devices; those without messages hear it from us. */
		leg->no_propose = TRUE;
		xmpp_leg_part(leg, reason, jmi->reason_text);
	} else if (g_strcmp0(leg->peer, message->from_text) == 0) {
		xmpp_leg_over(leg, reason, jmi->reason_text);
	} else if (may_end_it(leg, message->from_text)) {
		xmpp_leg_part(leg, reason, jmi->reason_text);
	}
}

/* The other party of an answered call has ended it, from this device or from another of
 * his: a client that has lost its stream may be there again under another name. */
static void
on_end(XmppLeg *leg, const XmppMessage *message)
{
	const Jmi *jmi = message->jmi;
	Reason reason = xmpp_reason_from_jingle(jmi->reason, MOMENT_ANSWERED);

	leg_trace(&leg->leg, TRACE_IN, "%s %s from %s", jmi_kind_name(jmi->kind),
		  jmi->reason ? jmi->reason : "", message->from_text);
	if (g_strcmp0(leg->peer, message->from_text) == 0)
		xmpp_leg_over(leg, reason, jmi->reason_text);
	else if (may_end_it(leg, message->from_text))
		xmpp_leg_part(leg, reason, jmi->reason_text);
}

void
xmpp_called_message(XmppLeg *leg, const XmppMessage *message)
{
	const Jmi *jmi = message->jmi;

	if (leg->state == XMPP_OVER)
		return;
	if (jmi->kind == JMI_RINGING && leg->state == XMPP_RINGING)
		rings(leg, message->from_text);
	else if (jmi->kind == JMI_PROCEED)
		on_proceed(leg, message);
	else if (jmi->kind == JMI_REJECT)
		on_reject(leg, message);
	else if (jmi->kind == JMI_FINISH || jmi->kind == JMI_RETRACT)
		on_end(leg, message);
}

/* --- calling --- */

static void
on_fork_answer(gpointer user, const xmlNode *answer)
{
	XmppFork *fork = user;
	XmppLeg *leg = fork->leg;
	XmlStanzaError error;

	if (!answer || !xml_stanza_error(answer, &error) || fork->dead ||
	    leg->state != XMPP_RINGING)
		return;
	fork->dead = TRUE;
	leg_trace(&leg->leg, TRACE_IN, "%s refuses: %s", fork->jid,
		  error.condition ? error.condition : "error");
	if (nobody_left(leg))
		give_up(leg, "no device is left that takes calls");
}

static void
call_directly(XmppLeg *leg, const char *jid, guint can)
{
	XmppFork *fork = g_new0(XmppFork, 1);
	XmppRequest request = { .from = leg->local, .to = jid, .done = on_fork_answer };

	fork->leg = leg;
	fork->jid = g_strdup(jid);
	fork->sid = xmpp_new_sid();
	fork->clear = xmpp_caps_is_unencrypted(can);
	g_ptr_array_add(leg->forks, fork);
	xmpp_leg_register(leg, jid, fork->sid);
	request.user = fork;
	xmpp_leg_out(leg, "session-initiate to %s%s", jid, fork->clear ? ", not encrypted" : "");
	xmpp_request(leg->xmpp, &request, xmpp_session_build_initiate(leg, fork->sid, fork->clear));
}

static gboolean
is_called_directly(const XmppLeg *leg, guint can)
{
	return can_be_called(leg, can) && !(can & XMPP_CAN_JMI);
}

/* --- devices that come while it rings --- */

static gboolean
was_called(const XmppLeg *leg, const char *device)
{
	for (guint i = 0; i < leg->forks->len; i++)
		if (g_str_equal(((XmppFork *)leg->forks->pdata[i])->jid, device))
			return TRUE;
	return FALSE;
}

/* The propose tells it nothing.  After a restart of the server, or of ours, all come so. */
static void
call_late(XmppLeg *leg, const char *device, guint can)
{
	if (leg->leg.side != SIDE_CALLEE || was_called(leg, device) ||
	    leg->forks->len >= MAX_DEVICES)
		return;
	leg->hoped = TRUE;
	call_directly(leg, device, can);
	if (!leg->rang)
		xmpp_leg_set_timer(leg, SILENT_MS, on_silence);
	leg_save(&leg->leg);
}

/* Presence has come, or what a device can has become known. */
void
xmpp_called_device(XmppLeg *leg, const char *device)
{
	guint can = can_of(leg, device);

	if (leg->state != XMPP_RINGING || !is_called(leg, device))
		return;
	if (note_unencrypted(leg, device, can))
		unencrypted_is_out(leg, device);
	else if (takes_no_calls(leg, can))
		device_is_out(leg, device);
	else if (is_called_directly(leg, can))
		call_late(leg, device, can);
	else if ((can & XMPP_CAN_JMI) && find_may_ring(leg, device, NULL) && !leg->timer)
		on_silence(leg); /* his second is over */
}

/* NULL, or why nobody can be called: those who are there take no calls, and no call waits for
 * somebody else. */
static LegFault
see_who_is_there(XmppLeg *leg)
{
	const GPtrArray *devices = xmpp_accounts_devices(leg->xmpp->accounts, leg->peer_bare);
	guint direct = 0, unencrypted = 0;
	gboolean known = FALSE;

	for (guint i = 0; devices && i < devices->len; i++) {
		const XmppDevice *device = devices->pdata[i];

		if (!is_called(leg, device->jid))
			continue;
		known = TRUE;
		if (is_called_directly(leg, device->can))
			direct++;
		else if (!takes_no_calls(leg, device->can))
			g_ptr_array_add(leg->may_ring, g_strdup(device->jid));
		else if (note_unencrypted(leg, device->jid, device->can))
			unencrypted++;
	}
	if (leg->only && !known) /* it has just written to us */
		g_ptr_array_add(leg->may_ring, g_strdup(leg->only));
	leg->hoped = leg->may_ring->len > 0 || direct > 0;
	if (!known)
		leg_unattended(&leg->leg);
	if (leg->hoped || !known)
		return LEG_NO_FAULT;
	return unencrypted > 0 ? LEG_UNENCRYPTED : LEG_NO_CLIENT;
}

static void
call_devices(XmppLeg *leg, const char *nick)
{
	const GPtrArray *devices = xmpp_accounts_devices(leg->xmpp->accounts, leg->peer_bare);
	XmppSay propose = { .kind = JMI_PROPOSE, .nick = nick, .to = xmpp_leg_called(leg) };

	leg->no_propose = leg->only && leg->may_ring->len == 0;
	if (!leg->no_propose)
		xmpp_leg_say(leg, &propose);
	/* A device with messages rings by the propose; calling it twice would ring
	 * it twice. */
	for (guint i = 0; devices && i < devices->len; i++) {
		const XmppDevice *device = devices->pdata[i];

		if (is_called(leg, device->jid) && is_called_directly(leg, device->can))
			call_directly(leg, device->jid, device->can);
	}
	if (xmpp_stream_is_up(leg->xmpp->stream))
		xmpp_leg_set_timer(leg, SILENT_MS, on_silence);
	leg_save(&leg->leg);
}

/* He is not called at all. */
static void
stay_away(XmppLeg *leg, Reason reason, LegFault fault)
{
	leg->no_propose = TRUE;
	xmpp_leg_fail(leg, reason, fault, NULL);
}

void
xmpp_called_dial(Xmpp *xmpp, Call *call, const Target *target, const Desc *offer)
{
	g_autofree char *bare = xmpp_local_of(xmpp, target->from);
	g_autofree char *local = g_strconcat(bare, "/" XMPP_RESOURCE, NULL);
	g_autofree char *sid = xmpp_new_sid();
	XmppLeg *leg = xmpp_leg_new(xmpp, local, sid);
	LegFault nobody;

	leg->jmi = TRUE;
	leg->state = XMPP_RINGING;
	leg->ours = desc_ref(offer);
	leg->peer_bare = address_bare_jid(target->to);
	leg->only = target->to->resource ? address_full_jid(target->to) : NULL;
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	xmpp_leg_register(leg, target->to->host, leg->sid); /* some servers' errors are from them */
	xmpp_find_add(leg);
	leg_attach(&leg->leg, xmpp->plugin, call);
	xmpp_names_remember(xmpp, bare, target->from);
	if (xmpp_is_cut_off(xmpp)) {
		stay_away(leg, REASON_NETWORK_ERROR, LEG_SERVER_AWAY);
	} else if ((nobody = see_who_is_there(leg))) {
		stay_away(leg, REASON_UNREACHABLE, nobody);
	} else {
		xmpp_accounts_show(xmpp->accounts, bare, leg->peer_bare);
		call_devices(leg, target->from->name);
	}
}

/* --- devices called directly --- */

static void
fork_rings(XmppLeg *leg, XmppFork *fork)
{
	if (leg->state == XMPP_RINGING && !fork->dead)
		rings(leg, fork->jid);
}

static void
fork_takes(XmppLeg *leg, XmppFork *fork)
{
	XmppSay retract = { .kind = JMI_RETRACT,
			    .to = xmpp_leg_called(leg),
			    .reason = xmpp_reason_to_jingle(REASON_ANSWERED_ELSEWHERE),
			    .text = "Answered on another device" };
	const Desc *told;

	if (!leg->no_propose)
		xmpp_leg_say(leg, &retract);
	stop_forks(leg, fork);
	xmpp_leg_set_peer(leg, fork->jid);
	g_free(leg->sid);
	leg->sid = g_strdup(fork->sid);
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	leg->jmi = FALSE;
	leg->clear = fork->clear;
	g_ptr_array_set_size(leg->forks, 0);
	leg->state = XMPP_INITIATED;
	if (leg->clear) {
		told = leg->ours;
		leg->ours = xmpp_clear_desc(told);
		desc_unref(told);
	}
}

static void
fork_ends(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	Reason reason = xmpp_reason_from_jingle(jingle->reason, MOMENT_CALLEE_REFUSES);

	leg_trace(&leg->leg, TRACE_IN, "%s %s from %s", jingle_action_name(jingle->action),
		  jingle->reason ? jingle->reason : "", fork->jid);
	if (jingle->action == JINGLE_SESSION_TERMINATE)
		fork->dead = TRUE;
	if (leg->state != XMPP_RINGING)
		return;
	if (reason == REASON_BUSY || reason == REASON_DECLINED) {
		xmpp_leg_part(leg, reason, jingle->reason_text);
		return;
	}
	fork->dead = TRUE;
	if (nobody_left(leg))
		xmpp_leg_part(leg, reason, jingle->reason_text);
}

const XmppForkEvents xmpp_called_fork_events = { fork_rings, fork_takes, fork_ends };
