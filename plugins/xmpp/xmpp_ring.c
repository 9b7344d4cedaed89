/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_ring.c - before there is a session: XEP-0353 both ways, and the devices of
 * one account that ring together.
 *
 *   him → telephone                     telephone → him
 *     propose       call_new              dial      propose to the bare JID, and
 *     5 s or ring() ringing                         session-initiate to devices
 *     answer()      proceed                         that take no messages
 *     session-initiate …                  ringing   leg_ringing()
 *                                         proceed   session-initiate to that one
 */
#include "b2bua/route.h"
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_reason.h"
#include <string.h>

#define RINGING_MS  5000  /* Conversations waits 6 s for a sign of life */
#define INITIATE_MS 15000 /* from our proceed to his session-initiate */
#define STREAM_MS   10000 /* how long a call waits for the stream to come back */

/* --- him → telephone --- */

static gboolean
on_silent_far_end(gpointer data)
{
	XmppLeg *leg = data;

	leg->timer = 0;
	xmpp_ring_ring(leg);
	return G_SOURCE_REMOVE;
}

static gboolean
on_no_initiate(gpointer data)
{
	XmppLeg *leg = data;

	leg->timer = 0;
	xmpp_leg_fail(leg, REASON_NO_MEDIA, "The client did not begin the session");
	return G_SOURCE_REMOVE;
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

typedef struct {
	const Address *from, *to;
	const char *from_text;
	const Jmi *jmi;
} Message;

static void
reject(Xmpp *xmpp, const Message *message, const char *reason, const char *text)
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

static void
send_receipt(Xmpp *xmpp, const Message *message, const char *local)
{
	if (message->jmi->receipt_wanted)
		xmpp_send_sure(xmpp, jmi_build_receipt(local, message->from_text,
						       message->jmi->message_id));
}

static void
begin(Xmpp *xmpp, const Message *message)
{
	g_autofree char *bare = address_bare_jid(message->to);
	g_autofree char *local = g_strconcat(bare, "/" XMPP_RESOURCE, NULL);
	g_autoptr(Address) callee = xmpp_accounts_dialled(xmpp->accounts, message->to);
	g_autofree char *post_dial = xmpp_accounts_post_dial(message->to);
	Incoming incoming = { .from = message->from, .to = callee, .post_dial = post_dial };
	g_autofree char *account = address_bare_jid(message->from);
	XmppLeg *old = xmpp_move_session(xmpp, bare, account);
	XmppLeg *leg = xmpp_leg_new(xmpp, local, message->jmi->id);

	leg->jmi = TRUE;
	leg->state = XMPP_PROPOSED;
	xmpp_leg_set_peer(leg, message->from_text);
	xmpp_leg_register(leg, leg->peer, leg->sid);
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	send_receipt(xmpp, message, local);
	/* He looks at what we can before he begins a session; he may not have us in
	 * his roster. */
	xmpp_accounts_show(xmpp->accounts, bare, leg->peer);
	xmpp_leg_set_timer(leg, RINGING_MS, on_silent_far_end);
	if (old) {
		g_free(old->migrated);
		old->migrated = g_strdup(leg->sid);
		call_take_over(xmpp->gateway, &leg->leg, &xmpp_plugin, &incoming, &old->leg);
	} else {
		call_new(xmpp->gateway, &leg->leg, &xmpp_plugin, &incoming);
	}
	leg_trace(&leg->leg, TRACE_IN, "propose");
}

static void
on_propose(Xmpp *xmpp, const Message *message)
{
	const Jmi *jmi = message->jmi;

	/* One out of an offline store is a call of the past. */
	if (!message->from->resource || jmi->delayed)
		return;
	if (!xmpp_accounts_is_user(xmpp->accounts, message->from)) {
		gateway_count(xmpp->gateway, "xmpp.strangers");
		reject(xmpp, message, "decline", "This gateway serves its own users only");
	} else if (!jmi_has_media(jmi, "audio")) {
		reject(xmpp, message, "unsupported-applications", "Telephones have no video");
	} else {
		begin(xmpp, message);
	}
}

static void
on_caller_message(XmppLeg *leg, const Message *message)
{
	const Jmi *jmi = message->jmi;
	XmppMoment moment = leg->state == XMPP_TALKING ? MOMENT_ANSWERED : MOMENT_CALLER_GIVES_UP;
	gboolean over = leg->state == XMPP_OVER;

	if (g_strcmp0(leg->peer, message->from_text) != 0)
		return;
	if (jmi->kind == JMI_PROPOSE && !jmi->bounced) {
		/* Sent again after a reconnect: one call. */
		send_receipt(leg->xmpp, message, leg->local);
		return;
	}
	if (over)
		return;
	leg_trace(&leg->leg, TRACE_IN, "%s%s%s%s", jmi_kind_name(jmi->kind), jmi->reason ? " " : "",
		  jmi->reason ? jmi->reason : "", jmi->bounced ? " (came back)" : "");
	if (jmi->bounced)
		xmpp_leg_over(leg, REASON_UNREACHABLE, "The client is gone");
	else if (jmi->kind == JMI_RETRACT || jmi->kind == JMI_REJECT || jmi->kind == JMI_FINISH)
		xmpp_leg_over(leg, xmpp_reason_from_jingle(jmi->reason, moment), jmi->reason_text);
}

/* --- telephone → him --- */

static gboolean
nobody_left(const XmppLeg *leg)
{
	if (!leg->bounced)
		return FALSE;
	for (guint i = 0; i < leg->forks->len; i++)
		if (!((XmppFork *)leg->forks->pdata[i])->dead)
			return FALSE;
	return TRUE;
}

static void
rings(XmppLeg *leg, const char *device)
{
	leg_trace(&leg->leg, TRACE_IN, "ringing from %s", device);
	if (leg->rang)
		return;
	leg->rang = TRUE;
	leg_ringing(&leg->leg, NULL);
}

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
		leg_trace(&leg->leg, TRACE_OUT, "session-terminate to %s: answered elsewhere",
			  fork->jid);
		xmpp_terminate(leg->xmpp, &whom, fork->sid, REASON_ANSWERED_ELSEWHERE,
			       "Answered on another device");
	}
}

static void
on_proceed(XmppLeg *leg, const Message *message)
{
	leg_trace(&leg->leg, TRACE_IN, "proceed from %s", message->from_text);
	if (leg->state != XMPP_RINGING || !message->from->resource)
		return; /* a second device: it sees by itself that it came too late */
	stop_forks(leg, NULL);
	g_ptr_array_set_size(leg->forks, 0);
	xmpp_leg_set_peer(leg, message->from_text);
	xmpp_leg_register(leg, leg->peer, leg->sid);
	leg->state = XMPP_INITIATED;
	xmpp_session_initiate(leg);
	leg_save(&leg->leg);
}

static gboolean
talks_already(const XmppLeg *leg)
{
	GHashTableIter iter;
	gpointer other;

	g_hash_table_iter_init(&iter, leg->xmpp->legs);
	while (g_hash_table_iter_next(&iter, &other, NULL))
		if (((XmppLeg *)other)->state == XMPP_TALKING &&
		    g_strcmp0(((XmppLeg *)other)->peer_bare, leg->peer_bare) == 0)
			return TRUE;
	return FALSE;
}

static void
on_reject(XmppLeg *leg, const Message *message)
{
	const Jmi *jmi = message->jmi;
	guint seconds = (g_get_monotonic_time() - leg->began_us) / G_USEC_PER_SEC;
	Reason reason =
		jmi->tie_break ? REASON_BUSY : xmpp_reason_from_reject(jmi->reason, seconds);

	/* some reject by themselves while they are in a call, and do not say why */
	if (reason == REASON_DECLINED && !jmi->reason && talks_already(leg))
		reason = REASON_BUSY;
	leg_trace(&leg->leg, TRACE_IN, "reject %s after %u s", jmi->reason ? jmi->reason : "",
		  seconds);
	if (leg->state == XMPP_RINGING) {
		/* He said it to his own devices; those without messages hear it from us. */
		leg->bounced = TRUE;
		xmpp_leg_fail(leg, reason, jmi->reason_text);
	} else if (g_strcmp0(leg->peer, message->from_text) == 0) {
		xmpp_leg_over(leg, reason, jmi->reason_text);
	}
}

static void
on_bounce(XmppLeg *leg, const xmlNode *stanza, const Jmi *jmi)
{
	XmlStanzaError error = { 0 };
	Reason reason;

	if (jmi->kind != JMI_PROPOSE || leg->state != XMPP_RINGING || leg->rang)
		return;
	xml_stanza_error(stanza, &error);
	leg_trace(&leg->leg, TRACE_IN, "propose came back: %s",
		  error.condition ? error.condition : "error");
	leg->bounced = TRUE;
	if (!nobody_left(leg))
		return;
	/* Nobody there to take messages: the account is off line, whatever its
	 * server calls it. */
	reason = xmpp_reason_from_error(error.condition);
	xmpp_leg_over(leg, reason == REASON_INCOMPATIBLE ? REASON_UNREACHABLE : reason, NULL);
}

static void
on_callee_message(XmppLeg *leg, const Message *message, const xmlNode *stanza)
{
	const Jmi *jmi = message->jmi;
	gboolean from_peer = g_strcmp0(leg->peer, message->from_text) == 0;

	if (leg->state == XMPP_OVER)
		return;
	if (jmi->bounced)
		on_bounce(leg, stanza, jmi);
	else if (jmi->kind == JMI_RINGING && leg->state == XMPP_RINGING)
		rings(leg, message->from_text);
	else if (jmi->kind == JMI_PROCEED)
		on_proceed(leg, message);
	else if (jmi->kind == JMI_REJECT)
		on_reject(leg, message);
	else if ((jmi->kind == JMI_FINISH || jmi->kind == JMI_RETRACT) && from_peer) {
		leg_trace(&leg->leg, TRACE_IN, "%s %s", jmi_kind_name(jmi->kind),
			  jmi->reason ? jmi->reason : "");
		xmpp_leg_over(leg, xmpp_reason_from_jingle(jmi->reason, MOMENT_ANSWERED),
			      jmi->reason_text);
	}
}

/* --- both --- */

void
xmpp_ring_message(Xmpp *xmpp, const xmlNode *stanza)
{
	g_autoptr(Jmi) jmi = jmi_parse(stanza, NULL);
	const char *from_text = xml_attribute(stanza, "from");
	const char *to_text = xml_attribute(stanza, "to");
	g_autoptr(Address) from = from_text ? address_from_jid(from_text) : NULL;
	g_autoptr(Address) to = to_text ? address_from_jid(to_text) : NULL;
	g_autofree char *bare = from ? address_bare_jid(from) : NULL;
	Message message = { from, to, from_text, jmi };
	XmppLeg *leg;

	if (!jmi || !from || !to || !to->user)
		return;
	leg = xmpp_leg_find(xmpp, from_text, jmi->id);
	if (!leg)
		leg = xmpp_leg_find(xmpp, bare, jmi->id);
	if (leg && leg->leg.side == SIDE_CALLER)
		on_caller_message(leg, &message);
	else if (leg)
		on_callee_message(leg, &message, stanza);
	else if (jmi->kind == JMI_PROPOSE && !jmi->bounced)
		on_propose(xmpp, &message);
}

/* XEP-0106, for what is a caller's name to others and no local part to us. */
static char *
escape_local(const char *user)
{
	GString *escaped = g_string_new(NULL);

	for (const char *c = user; *c; c++) {
		if (strchr(" \"&'/:<>@\\", *c) || (guchar)*c < 0x20)
			g_string_append_printf(escaped, "\\%02x", (guchar)*c);
		else
			g_string_append_c(escaped, *c);
	}
	return g_string_free(escaped, FALSE);
}

/* A SIP address that may be called back at its own host; digits are a number that its
 * telephone network writes so. */
static gboolean
is_elsewhere(const Xmpp *xmpp, const Address *from)
{
	const Config *config = gateway_config(xmpp->gateway);

	return from->scheme == ADDRESS_SIP && from->host &&
	       from->user[strspn(from->user, "+0123456789*#")] &&
	       g_ascii_strcasecmp(from->host, xmpp->domain) != 0 &&
	       g_strcmp0(from->host, config->sip_domain) != 0 &&
	       g_strcmp0(from->host, config->sip_address) != 0;
}

char *
xmpp_local_of(const Xmpp *xmpp, const Address *from)
{
	g_autofree char *text = NULL, *escaped = NULL;

	/* one of our own JIDs already */
	if (from->scheme == ADDRESS_JID && g_ascii_strcasecmp(from->host, xmpp->domain) == 0)
		return address_bare_jid(from);
	if (from->scheme == ADDRESS_ANONYMOUS || !from->user || !*from->user)
		text = g_strdup("anonymous");
	else if (from->scheme == ADDRESS_JID || is_elsewhere(xmpp, from))
		text = address_bare_jid(from);
	else
		text = g_strdup(from->user);
	escaped = escape_local(text);
	return g_strconcat(escaped, "@", xmpp->domain, NULL);
}

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
		xmpp_leg_over(leg, REASON_UNREACHABLE, NULL);
}

static void
call_directly(XmppLeg *leg, const char *jid)
{
	XmppFork *fork = g_new0(XmppFork, 1);
	XmppRequest request = { .from = leg->local, .to = jid, .done = on_fork_answer };

	fork->leg = leg;
	fork->jid = g_strdup(jid);
	fork->sid = xmpp_new_sid();
	g_ptr_array_add(leg->forks, fork);
	xmpp_leg_register(leg, jid, fork->sid);
	request.user = fork;
	leg_trace(&leg->leg, TRACE_OUT, "session-initiate to %s", jid);
	xmpp_request(leg->xmpp, &request, xmpp_session_build_initiate(leg, fork->sid));
}

static gboolean
on_stream_wait(gpointer data)
{
	XmppLeg *leg = data;

	leg->timer = 0;
	if (!xmpp_stream_is_up(leg->xmpp->stream))
		xmpp_leg_fail(leg, REASON_NETWORK_ERROR, "The XMPP server is away");
	return G_SOURCE_REMOVE;
}

void
xmpp_ring_dial(Xmpp *xmpp, Call *call, const Target *target, const Desc *offer)
{
	g_autofree char *bare = xmpp_local_of(xmpp, target->from);
	g_autofree char *local = g_strconcat(bare, "/" XMPP_RESOURCE, NULL);
	g_autofree char *sid = xmpp_new_sid();
	XmppLeg *leg = xmpp_leg_new(xmpp, local, sid);
	XmppSay propose = { .kind = JMI_PROPOSE, .nick = target->from->name };
	const GPtrArray *devices;

	leg->jmi = TRUE;
	leg->state = XMPP_RINGING;
	leg->ours = desc_ref(offer);
	leg->peer_bare = address_bare_jid(target->to);
	xmpp_leg_register(leg, leg->peer_bare, leg->sid);
	leg_attach(&leg->leg, &xmpp_plugin, call);
	xmpp_names_remember(xmpp, bare, target->from);
	xmpp_accounts_show(xmpp->accounts, bare, leg->peer_bare);
	propose.to = leg->peer_bare;
	xmpp_leg_say(leg, &propose);
	if (!xmpp_stream_is_up(xmpp->stream))
		xmpp_leg_set_timer(leg, STREAM_MS, on_stream_wait);
	/* A device with messages rings by the propose; calling it twice would ring
	 * it twice. */
	devices = xmpp_accounts_devices(xmpp->accounts, leg->peer_bare);
	for (guint i = 0; devices && i < devices->len; i++) {
		const XmppDevice *device = devices->pdata[i];

		if (xmpp_caps_can_call(device->can) && !(device->can & XMPP_CAN_JMI))
			call_directly(leg, device->jid);
	}
	leg_save(&leg->leg);
}

/* --- devices called directly --- */

void
xmpp_ring_fork_rings(XmppLeg *leg, XmppFork *fork)
{
	if (leg->state == XMPP_RINGING && !fork->dead)
		rings(leg, fork->jid);
}

void
xmpp_ring_fork_takes(XmppLeg *leg, XmppFork *fork)
{
	XmppSay retract = { .kind = JMI_RETRACT,
			    .to = leg->peer_bare,
			    .reason = xmpp_reason_to_jingle(REASON_ANSWERED_ELSEWHERE),
			    .text = "Answered on another device" };

	if (!leg->bounced)
		xmpp_leg_say(leg, &retract);
	stop_forks(leg, fork);
	xmpp_leg_set_peer(leg, fork->jid);
	g_free(leg->sid);
	leg->sid = g_strdup(fork->sid);
	leg->jmi = FALSE;
	g_ptr_array_set_size(leg->forks, 0);
	leg->state = XMPP_INITIATED;
}

void
xmpp_ring_fork_ends(XmppLeg *leg, XmppFork *fork, const Jingle *jingle)
{
	Reason reason = xmpp_reason_from_jingle(jingle->reason, MOMENT_CALLEE_REFUSES);

	leg_trace(&leg->leg, TRACE_IN, "session-terminate %s from %s",
		  jingle->reason ? jingle->reason : "", fork->jid);
	fork->dead = TRUE;
	if (leg->state != XMPP_RINGING)
		return;
	if (reason == REASON_BUSY || reason == REASON_DECLINED) {
		xmpp_leg_fail(leg, reason, jingle->reason_text);
		return;
	}
	if (nobody_left(leg))
		xmpp_leg_over(leg, reason, jingle->reason_text);
}
