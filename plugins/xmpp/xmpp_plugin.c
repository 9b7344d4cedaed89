/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_plugin.c - what comes in: whose is it?  And the table of the plugin. */
#include "plugins/xmpp/xmpp_counters.h"
#include "plugins/xmpp/xmpp_extdisco.h"
#include "plugins/xmpp/xmpp_outbox.h"
#include "plugins/xmpp/xmpp_reason.h"
#include "plugins/xmpp/xmpp_text.h"
#include <string.h>

#define OUTAGE_MS 10000 /* a server's restart and our way back to it take less */

static Xmpp *xmpp; /* between start and stop */
static guint outage_ms = OUTAGE_MS;

void
xmpp_set_outage_ms(guint ms)
{
	outage_ms = ms ? ms : OUTAGE_MS;
}

/* --- stanzas in --- */

static xmlNode *
answer_extdisco(const xmlNode *iq, const Address *from)
{
	g_autofree char *bare = address_bare_jid(from);
	const char *user = xmpp_accounts_is_user(xmpp->accounts, from) ? bare : NULL;

	return xmpp_extdisco_answer(xmpp->media, iq, user, g_get_real_time() / G_USEC_PER_SEC);
}

static void
on_iq_request(const xmlNode *iq, const Address *from, const Address *to)
{
	static const XmlStanzaError unavailable = { .type = "cancel",
						    .condition = "service-unavailable" };
	static const XmlStanzaError no_such = { .type = "cancel", .condition = "item-not-found" };
	const xmlNode *jingle = jingle_find(iq);
	static const XmlStanzaError unread = { .type = "wait", .condition = "resource-constraint" };
	guint failures = store_failures(gateway_store(xmpp->gateway));
	gboolean known;
	xmlNode *answer;

	if (jingle && g_strcmp0(xml_attribute(iq, "type"), "set") == 0) {
		xmpp_session_iq(xmpp, iq, from, to, jingle);
		return;
	}
	/* Which numbers there are, and who has called under what name, is not for everybody. */
	if (to->user && !xmpp_accounts_is_user(xmpp->accounts, from)) {
		gboolean is_unread = gateway_unread_since(xmpp->gateway, failures);

		if (!is_unread)
			xmpp_count(COUNTER_XMPP_STRANGERS);
		xmpp_component_send(xmpp, xml_iq_error(iq, is_unread ? &unread : &unavailable));
		return;
	}
	if (xmpp_desk_iq(xmpp, iq, from, to))
		return;
	known = xmpp_accounts_is_ours(xmpp->accounts, to, from);
	answer = known ? xmpp_names_answer(xmpp, iq, to) : NULL;
	if (!answer)
		answer = xmpp_disco_answer(xmpp->disco, iq, known);
	if (!answer && known)
		answer = answer_extdisco(iq, from);
	if (!answer)
		answer = xmpp_prompt_answer(xmpp, iq, from, to);
	if (!answer)
		answer = xml_iq_error(iq, known ? &unavailable : &no_such);
	if (gateway_unread_since(xmpp->gateway, failures)) {
		xml_free(answer);
		answer = xml_iq_error(iq, &unread);
	}
	xmpp_component_send(xmpp, answer);
}

static void
on_iq(const xmlNode *iq, const Address *from, const Address *to)
{
	static const XmlStanzaError bad = { .type = "modify", .condition = "bad-request" };
	const char *type = xml_attribute(iq, "type");
	gboolean asks = g_strcmp0(type, "get") == 0 || g_strcmp0(type, "set") == 0;

	if (xmpp_outbox_ping(xmpp->outbox, iq, from))
		return;
	/* RFC 6120 8.2.3: a type of the four, and in what asks a child that says what. */
	if (asks && xml_child(iq, NULL, NULL))
		on_iq_request(iq, from, to);
	else if (g_strcmp0(type, "result") == 0 || g_strcmp0(type, "error") == 0)
		xmpp_iq_answer(xmpp->iq, iq);
	else
		xmpp_component_send(xmpp, xml_iq_error(iq, &bad));
}

/* --- messages of a call: which one, and is he its caller or its callee? --- */

/* It takes a call that has been over for long, or was another process's: without a word it
 * would wait for our session-initiate. */
static void
on_late_proceed(const XmppMessage *message)
{
	g_autofree char *local = address_full_jid(message->to);
	JmiBuild build = { .kind = JMI_FINISH,
			   .from = local,
			   .to = message->from_text,
			   .id = message->jmi->id,
			   .reason = "gone" };

	if (message->from->resource && !message->jmi->bounced &&
	    xmpp_accounts_standing(xmpp->accounts, message->from) != XMPP_STRANGER)
		xmpp_send_end(xmpp, jmi_build(&build));
}

static XmppLeg *
find_leg(const XmppMessage *message, const char *sid)
{
	g_autofree char *bare = address_bare_jid(message->from);
	XmppLeg *leg = xmpp_leg_find(xmpp, message->from_text, sid);

	return leg ? leg : xmpp_leg_find(xmpp, bare, sid);
}

/* TRUE when there was a <propose/> or the like in it. */
static gboolean
take_jmi(const xmlNode *stanza, const Address *from, const Address *to)
{
	g_autoptr(Jmi) jmi = jmi_parse(stanza, NULL);
	XmppMessage message = { from, to, xml_attribute(stanza, "from"), jmi };
	XmppLeg *leg;

	if (!to->user || !from->user) /* a server speaks in errors only */
		return FALSE;
	if (!jmi) {
		xmpp_ring_end_without_id(xmpp, stanza, from, to);
		return FALSE;
	}
	leg = find_leg(&message, jmi->id);
	if (leg)
		xmpp_ring_confirm(xmpp, &message, leg->local);
	if (leg && leg->leg.side == SIDE_CALLER)
		xmpp_ring_message(leg, &message);
	else if (leg)
		xmpp_called_message(leg, &message);
	else if (jmi->kind == JMI_PROPOSE)
		xmpp_ring_propose(xmpp, &message);
	else if (jmi->kind == JMI_PROCEED)
		on_late_proceed(&message);
	return TRUE;
}

/* A message of ours came back. */
static void
on_returned(const xmlNode *stanza, const Address *from)
{
	g_autoptr(Jmi) jmi = jmi_parse(stanza, NULL);
	XmppMessage message = { from, NULL, xml_attribute(stanza, "from"), jmi };
	JmiKind kind = jmi ? jmi->kind : N_JMI_KINDS;
	const char *sid = jmi_returned(stanza, &kind);
	XmppLeg *leg;

	xmpp_outbox_bounced(xmpp->outbox, stanza, from);
	if (!sid && jmi)
		sid = jmi->id;
	if (!sid)
		return;
	leg = find_leg(&message, sid);
	if (leg && leg->leg.side == SIDE_CALLER)
		xmpp_ring_bounced(leg, from, kind);
	else if (leg && kind == JMI_PROPOSE)
		xmpp_called_bounced(leg, from, stanza);
}

/* One was received (XEP-0184). */
static void
on_receipt(const char *from_text, const Address *from, const char *id)
{
	static const char prefix[] = "jm-propose-";
	XmppMessage message = { .from = from, .from_text = from_text };
	XmppLeg *leg;

	xmpp_outbox_received(xmpp->outbox, from, id);
	if (!g_str_has_prefix(id, prefix) || !from->resource)
		return;
	leg = find_leg(&message, id + strlen(prefix));
	if (leg && leg->leg.side == SIDE_CALLEE)
		xmpp_called_receipt(leg, from_text);
}

static void
on_message(const xmlNode *message, const Address *from, const Address *to)
{
	const char *received = jmi_receipt(message);
	XmppStanding standing;

	if (g_strcmp0(xml_attribute(message, "type"), "error") == 0) {
		on_returned(message, from);
		return;
	}
	if (received)
		on_receipt(xml_attribute(message, "from"), from, received);
	if (take_jmi(message, from, to))
		return;
	standing = xmpp_accounts_standing(xmpp->accounts, from);
	if (standing != XMPP_USER) {
		/* an operator need not be a user */
		if (xmpp_desk_message(xmpp, message, from, to))
			return;
		if (standing == XMPP_UNREAD) { /* whoever is in a call was a user */
			if (!xmpp_digits_message(xmpp, message, from, to))
				xmpp_text_unread(xmpp, message);
			return;
		}
		xmpp_count(COUNTER_XMPP_STRANGERS);
		xmpp_text_stranger(xmpp, message);
	} else if (!xmpp_digits_message(xmpp, message, from, to) &&
		   !xmpp_text_answers(xmpp, message, from, to) &&
		   !xmpp_desk_message(xmpp, message, from, to)) {
		xmpp_text_take(xmpp, message, from, to);
	}
}

static void
on_stanza(gpointer user, const char *text, gsize length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlNode) stanza = xml_parse(text, length, xmpp->max_stanza_bytes, &error);
	const char *from_text = xml_attribute(stanza, "from");
	const char *to_text = xml_attribute(stanza, "to");
	g_autoptr(Address) from = from_text ? address_from_jid(from_text) : NULL;
	g_autoptr(Address) to = to_text ? address_from_jid(to_text) : NULL;

	/* A component's stanzas have both addresses (XEP-0114 section 2). */
	if (!stanza || !from || !to || g_ascii_strcasecmp(to->host, xmpp->domain) != 0)
		xmpp_count(COUNTER_XMPP_STANZAS_DROPPED);
	else if (xml_is_stanza(stanza, "iq"))
		on_iq(stanza, from, to);
	else if (xml_is_stanza(stanza, "message"))
		on_message(stanza, from, to);
	else if (xml_is_stanza(stanza, "presence"))
		xmpp_accounts_presence(xmpp->accounts, stanza);
}

static void
on_device(gpointer user, const char *bare, const char *full, gboolean gone)
{
	g_autoptr(GPtrArray) legs = xmpp_find_account(xmpp, bare);

	for (guint i = 0; i < legs->len; i++) {
		XmppLeg *leg = legs->pdata[i];

		if (!gone)
			xmpp_called_device(leg, full);
		else if (leg->leg.side == SIDE_CALLEE)
			xmpp_called_gone(leg, full);
		else if (g_strcmp0(leg->peer, full) == 0)
			xmpp_ring_gone(leg);
	}
}

/* --- the stream goes and comes --- */

/* Legs that are not over; each may be by the time it is looked at. */
static GPtrArray *
live_legs(void)
{
	g_autofree gpointer *legs = (gpointer *)g_hash_table_get_keys_as_array(xmpp->legs, NULL);
	GPtrArray *live = g_ptr_array_new();

	for (guint i = 0; legs[i]; i++)
		if (((XmppLeg *)legs[i])->state != XMPP_OVER)
			g_ptr_array_add(live, legs[i]);
	return live;
}

static gboolean
is_being_set_up(const XmppLeg *leg)
{
	return leg->state != XMPP_TALKING && leg->state != XMPP_OVER;
}

/* It takes longer than a server's restart: nobody hears anything of these calls. */
static gboolean
on_outage(gpointer user)
{
	g_autoptr(GPtrArray) legs = live_legs();

	xmpp->outage = 0;
	for (guint i = 0; i < legs->len; i++)
		if (is_being_set_up(legs->pdata[i]))
			xmpp_leg_fail(legs->pdata[i], REASON_NETWORK_ERROR, LEG_SERVER_AWAY, NULL);
	return G_SOURCE_REMOVE;
}

static void
note(const char *text)
{
	g_autoptr(GPtrArray) legs = live_legs();

	for (guint i = 0; i < legs->len; i++)
		leg_trace(&((XmppLeg *)legs->pdata[i])->leg, TRACE_NOTE, "%s", text);
}

static void
on_up(gpointer user)
{
	g_autoptr(GPtrArray) legs = live_legs();

	g_clear_handle_id(&xmpp->outage, g_source_remove);
	note("the XMPP server is there");
	for (guint i = 0; i < legs->len; i++)
		xmpp_called_link_is_up(legs->pdata[i]);
	xmpp_accounts_announce(xmpp->accounts);
	xmpp_welcome(xmpp);
	xmpp_outbox_up(xmpp->outbox);
}

static void
on_down(gpointer user)
{
	note("the XMPP server is away");
	xmpp_accounts_forget_devices(xmpp->accounts);
	xmpp_outbox_down(xmpp->outbox);
	if (!xmpp->outage)
		xmpp->outage = g_timeout_add(outage_ms, on_outage, NULL);
}

/* Nobody's call is being set up or carried on, no text is on its way. */
static gboolean
is_quiet(gpointer user)
{
	return xmpp->n_live == 0 && xmpp_iq_waiting(xmpp->iq) == 0 &&
	       xmpp_outbox_waiting(xmpp->outbox) == 0;
}

static const XmppStreamListener listener = {
	.up = on_up,
	.down = on_down,
	.stanza = on_stanza,
	.quiet = is_quiet,
};

static void
send_request(gpointer user, const xmlNode *iq)
{
	xmpp_send_sure(user, xml_copy(iq));
}

static void
send_presence(gpointer user, const xmlNode *presence)
{
	xmlNode *named = xml_copy(presence);

	xmpp_names_show(user, named);
	xmpp_component_send(user, named);
}

/* --- the table --- */

static gboolean
start(Gateway *gateway, GError **error)
{
	const Config *config = gateway_config(gateway);
	XmppStreamOptions options = { .domain = config->xmpp_domain,
				      .host = config->xmpp_host,
				      .port = config->xmpp_port,
				      .secret = config->xmpp_secret,
				      .max_stanza_bytes = config->max_stanza_bytes };

	if (!config->xmpp_domain || !*config->xmpp_domain) {
		g_set_error(error, CONFIG_ERROR, 0,
			    "[xmpp] domain is not set: it is the component's name in the XMPP "
			    "server's configuration");
		return FALSE;
	}
	xmpp_counters_reset();
	xmpp = g_new0(Xmpp, 1);
	xmpp->gateway = gateway;
	xmpp->plugin = &xmpp_plugin;
	xmpp->fork_events = &xmpp_called_fork_events;
	xmpp->domain = g_ascii_strdown(config->xmpp_domain, -1);
	if (!xmpp_clear_init(xmpp, config, error)) {
		g_free(xmpp->domain);
		g_clear_pointer(&xmpp, g_free);
		return FALSE;
	}
	xmpp->max_stanza_bytes = config->max_stanza_bytes;
	xmpp->media = &config->media;
	xmpp->legs = g_hash_table_new(NULL, NULL);
	xmpp->live = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					   (GDestroyNotify)g_ptr_array_unref);
	xmpp->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	xmpp->iq = xmpp_iq_open(config->max_iqs, send_request, xmpp);
	xmpp->disco = xmpp_disco_new(xmpp->domain, xmpp->iq, xmpp_extdisco_any(xmpp->media));
	xmpp->accounts = xmpp_accounts_new(gateway, xmpp->domain, xmpp->disco, send_presence, xmpp);
	xmpp_accounts_watch(xmpp->accounts, on_device, xmpp);
	xmpp->texts = xmpp_texts_new();
	xmpp->outbox = xmpp_outbox_new(xmpp);
	xmpp->stream = xmpp_stream_new(&options, &listener, xmpp);
	xmpp->outage = g_timeout_add(outage_ms, on_outage, NULL);
	return TRUE;
}

static void
stop(void)
{
	GHashTableIter iter;
	gpointer leg;

	if (!xmpp)
		return;
	for (;;) {
		g_hash_table_iter_init(&iter, xmpp->legs);
		if (!g_hash_table_iter_next(&iter, &leg, NULL))
			break;
		xmpp_leg_free(leg);
	}
	xmpp_welcome_stop(xmpp);
	xmpp_desk_stop(xmpp);
	xmpp_iq_free(xmpp->iq);
	xmpp_stream_free(xmpp->stream);
	xmpp_outbox_free(xmpp->outbox);
	xmpp_texts_free(xmpp->texts);
	xmpp_accounts_free(xmpp->accounts);
	xmpp_disco_free(xmpp->disco);
	g_hash_table_unref(xmpp->legs);
	g_hash_table_unref(xmpp->sessions);
	g_hash_table_unref(xmpp->live);
	g_clear_handle_id(&xmpp->outage, g_source_remove);
	g_clear_pointer(&xmpp->names, g_hash_table_unref);
	g_free(xmpp->domain);
	g_free(xmpp->local_domain);
	g_free(xmpp);
	xmpp = NULL;
}

static void
dial(Call *call, const Target *target, const Desc *offer)
{
	xmpp_called_dial(xmpp, call, target, offer);
}

static void
ring(Leg *leg, const Desc *early)
{
	XmppLeg *self = (XmppLeg *)leg;
	JingleSession session = { .sid = self->sid };

	if (self->state == XMPP_PROPOSED)
		xmpp_ring_ring(self);
	if (self->state != XMPP_OFFERED || self->rang)
		return;
	self->rang = TRUE;
	xmpp_leg_out(self, "session-info ringing");
	xmpp_leg_request(self, jingle_build_info(&session, JINGLE_INFO_RINGING, NULL));
}

static void
answer(Leg *leg, const Desc *desc)
{
	XmppLeg *self = (XmppLeg *)leg;

	if (self->state != XMPP_PROPOSED)
		xmpp_session_answer(self, desc);
	else if (desc)
		xmpp_ring_proceed(self, desc);
}

static void
change(Leg *leg, const Desc *offer)
{
	xmpp_hold_change((XmppLeg *)leg, offer);
}

static void
candidate(Leg *leg, const Candidate *ours)
{
	xmpp_session_candidate((XmppLeg *)leg, ours);
}

static void
hangup(Leg *leg, Reason reason, const char *text)
{
	xmpp_leg_goodbye((XmppLeg *)leg, reason, text);
}

static void
dtmf(Leg *leg, char digit)
{
	xmpp_digits_send((XmppLeg *)leg, digit);
}

static void
bury(const char *saved, Reason reason)
{
	xmpp_leg_bury(xmpp, saved, reason);
}

static void
notice(const char *account, const Address *number, const char *text)
{
	xmpp_notice(xmpp, account, number, text);
}

/* While it is down there is nobody to tell: on_up() tells all. */
static void
changed(Change what, const char *key)
{
	if (!xmpp_stream_is_up(xmpp->stream))
		return;
	xmpp_accounts_changed(xmpp->accounts, what, key);
	if (what == CHANGE_NUMBER || what == CHANGE_USER)
		xmpp_welcome(xmpp);
}

static void
status(StatusFunc func, gpointer user)
{
	XmppStreamStatus s = xmpp_stream_status(xmpp->stream);
	g_autoptr(GDateTime) since = g_date_time_new_from_unix_utc(s.since);
	g_autofree char *when = g_date_time_format(since, "%Y-%m-%dT%H:%M:%SZ");
	const StatusRow rows[] = {
		{ .key = "stream", .text = s.up ? "online" : "offline" },
		{ .key = "up", .number = s.up, .quiet = TRUE },
		{ .key = "since", .text = when },
		{ .key = "connections", .number = s.connects },
		{ .key = "stanzas in", .number = s.stanzas_in },
		{ .key = "stanzas out", .number = s.stanzas_out },
		{ .key = "dropped in", .number = s.dropped_in },
		{ .key = "dropped out", .number = s.dropped_out },
		{ .key = "kept", .number = s.waiting },
		{ .key = "requests", .number = xmpp_iq_waiting(xmpp->iq) },
		{ .key = "texts", .number = xmpp_outbox_waiting(xmpp->outbox) },
		{ .key = "devices", .number = xmpp_accounts_n_devices(xmpp->accounts) },
		{ .key = "legs", .number = g_hash_table_size(xmpp->legs) },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
		func(user, &rows[i]);
}

typedef struct {
	AnnouncedFunc func;
	gpointer user;
} AnnouncedQuestion;

static void
on_announced(gpointer user, const xmlNode *answer)
{
	AnnouncedQuestion *question = user;
	Announced what;
	g_autoptr(GPtrArray) servers = xmpp_extdisco_read(answer, &what);

	question->func(question->user, what, servers);
	g_free(question);
}

static void
announced(const char *domain, AnnouncedFunc func, gpointer user)
{
	AnnouncedQuestion *question = g_new(AnnouncedQuestion, 1);

	*question = (AnnouncedQuestion){ func, user };
	xmpp_iq_send(xmpp->iq, xmpp_extdisco_question(xmpp->domain, domain), on_announced,
		     question);
}

static const LegVerbs leg_verbs = {
	.dial = dial,
	.ring = ring,
	.answer = answer,
	.change = change,
	.candidate = candidate,
	.hangup = hangup,
	.dtmf = dtmf,
	.save = xmpp_leg_save,
	.bury = bury,
};

static gboolean
unencrypted(const char *account)
{
	return xmpp_clear_needed(xmpp, account);
}

static gboolean
undisturbed(const char *account)
{
	return xmpp_accounts_undisturbed(xmpp->accounts, account);
}

static const AccountVerbs account_verbs = { .notice = notice,
					    .unencrypted = unencrypted,
					    .undisturbed = undisturbed };
static void
send_text(const Text *text)
{
	xmpp_outbox_send(xmpp->outbox, text);
}

static const TextVerbs text_verbs = { .carries = WAY_ACCOUNT, .send = send_text };
static const OperatorVerbs operator_verbs = { .status = status, .announced = announced };

const Plugin xmpp_plugin = {
	.interface_version = PLUGIN_INTERFACE_VERSION,
	.name = "xmpp",
	.transport = TRANSPORT_WEBRTC,
	.reaches = WAY_ACCOUNT,
	.counters = &xmpp_counters,
	.start = start,
	.stop = stop,
	.changed = changed,
	.leg = &leg_verbs,
	.account = &account_verbs,
	.text = &text_verbs,
	.operators = &operator_verbs,
};

/* What the module exports: the same object, so that pointers compare.  Weak, since
 * a test may link several plugins. */
extern const Plugin tandem_plugin __attribute__((weak, alias("xmpp_plugin")));
