/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-rig.c - the SIP plugin between a core and a peer that the test plays. */
#include "tests/legs/plugin-status.h"
#include "tests/legs/sip-rig.h"
#include "b2bua/route/dial_uri.h"
#include "b2bua/gateway.h"
#include "b2bua/text.h"
#include "plugins/sip/stack/sip_desc.h"
#include "plugins/sip/sip_ua.h"
#include <string.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)

struct Gateway {
	Config config;
	Store *store;
};

struct Call {
	int unused;
};

Leg *rig_leg;
void (*rig_configure)(Config *config);
const Plugin *rig_plugin = &sip_plugin;
static Gateway gateway;
static Call call;
static GQueue events = G_QUEUE_INIT;
static GString *traces;
static GString *refusals;
static GPtrArray *legs;
const Desc *rig_heard;

/* --- the core's side of leg.h and gateway.h --- */

static void
say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_queue_push_tail(&events, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

static char *
port_of(const Desc *desc)
{
	const Stream *stream = desc ? desc_audio(desc) : NULL;

	desc_unref(rig_heard);
	rig_heard = desc ? desc_ref(desc) : NULL;
	return stream ? g_strdup_printf(" %u %s", stream->transport->port,
					direction_name(stream->direction))
		      : g_strdup("");
}

void
call_new(Gateway *self, Leg *leg, const Plugin *plugin, const Incoming *incoming)
{
	g_autofree char *from = address_text(incoming->from), *to = address_text(incoming->to);
	g_autofree char *port = port_of(incoming->offer);
	const Diversion *diversion = incoming->diversion;
	g_autofree char *hidden =
		incoming->hidden ? g_strconcat(" who is ", incoming->hidden->user, NULL) : NULL;

	if (diversion) {
		g_autofree char *by =
			diversion->before ? g_strjoinv(" ", diversion->before) : g_strdup("");

		say("diverted %u: %s", diversion->n, by);
	}
	leg->plugin = plugin;
	leg->call = &call;
	leg->side = SIDE_CALLER;
	rig_leg = leg;
	g_ptr_array_add(legs, leg);
	say("new %s (%s)%s%s%s%s → %s by %s%s", from,
	    incoming->from->name ? incoming->from->name : "no name", hidden ? hidden : "",
	    incoming->privacy == NUMBER_HIDDEN	? " hidden"
	    : incoming->privacy == NUMBER_SHOWN ? " shown"
						: "",
	    incoming->preferred ? " as " : "", incoming->preferred ? incoming->preferred : "", to,
	    incoming->trunk, port);
}

void
call_take_over(Gateway *self, Leg *leg, const Plugin *plugin, const Incoming *incoming,
	       Leg *replaced)
{
	guint index = 0;

	g_assert_true(g_ptr_array_find(legs, replaced, &index));
	say("takes leg %u over", index);
	call_new(self, leg, plugin, incoming);
}

void
leg_transfer(Leg *leg, const Address *target, const Leg *with)
{
	g_autofree char *to = target ? address_text(target) : NULL;
	guint index = 0;

	if (with)
		g_assert_true(g_ptr_array_find(legs, with, &index));
	if (with)
		say("transfers to leg %u", index);
	else
		say("transfers to %s", to);
}

void
leg_attach(Leg *leg, const Plugin *plugin, Call *self)
{
	leg->plugin = plugin;
	leg->call = self;
	leg->side = SIDE_CALLEE;
	rig_leg = leg;
	g_ptr_array_add(legs, leg);
}

const char *rig_forbids;

static gboolean
may_redirect(const char *number, Reason *reason, char **words)
{
	say("redirected to %s", number);
	if (!rig_forbids)
		return TRUE;
	*reason = REASON_FORBIDDEN;
	*words = g_strdup(rig_forbids);
	return FALSE;
}

gboolean
leg_redirected(Leg *leg, const char *number, Reason *reason, char **words)
{
	g_assert_nonnull(leg->call);
	return may_redirect(number, reason, words);
}

gboolean
text_redirected(Gateway *self, const char *account, const char *trunk, const char *number,
		Reason *reason, char **words)
{
	g_assert_cmpstr(trunk, ==, "carrier");
	return may_redirect(number, reason, words);
}

void
leg_trying(Leg *leg)
{
	g_assert_nonnull(leg->call);
}

void
leg_ringing(Leg *leg, const Desc *early)
{
	g_autofree char *port = port_of(early);

	g_assert_nonnull(leg->call);
	say("ringing%s", port);
}

void
leg_answered(Leg *leg, const Desc *answer)
{
	g_autofree char *port = port_of(answer);

	g_assert_nonnull(leg->call);
	say("answered%s", answer ? port : " refused");
}

void
leg_changed(Leg *leg, const Desc *offer)
{
	g_autofree char *port = port_of(offer);

	g_assert_nonnull(leg->call);
	say("changed%s", port);
}

void
leg_dtmf(Leg *leg, char digit)
{
	g_assert_nonnull(leg->call);
	say("key %c", digit);
}

void
leg_ended(Leg *leg, Reason reason, const char *text)
{
	g_assert_nonnull(leg->call);
	say("ended %s%s%s", reason_name(reason), text ? " " : "", text ? text : "");
	leg->call = NULL;
	rig_leg = NULL;
	g_ptr_array_remove(legs, leg);
}

static LegFault fault;
static int fault_error; /* errno */

void
leg_explain(Leg *leg, const LegFacts *facts)
{
	fault = facts->fault;
	fault_error = facts->error;
}

void
leg_failed(Leg *leg, Reason reason, const char *text)
{
	static const char *const FAULTS[N_LEG_FAULTS] = {
		[LEG_NO_NAME] = "no name",
		[LEG_NOT_REACHED] = "not reached",
		[LEG_BAD_TLS] = "bad tls",
		[LEG_NO_RESPONSE] = "no response",
		[LEG_GONE] = "gone",
		[LEG_NOT_REGISTERED] = "not registered",
		[LEG_CODECS_FORBIDDEN] = "codecs forbidden",
		[LEG_BAD_DESCRIPTION] = "bad description",
		[LEG_NO_DESCRIPTION] = "no description",
		[LEG_NO_AUDIO] = "no audio",
		[LEG_NOT_SECURE] = "not secure",
		[LEG_NO_ACK] = "no ack",
	};

	g_assert_nonnull(leg->call);
	/* what is seen is for the operator alone; but for the core's own words */
	g_assert_cmpstr(text, ==, rig_forbids);
	say("failed %s%s%s%s%s%s%s", reason_name(reason), text ? " " : "", text ? text : "",
	    FAULTS[fault] ? " " : "", FAULTS[fault] ? FAULTS[fault] : "", fault_error ? ": " : "",
	    fault_error ? g_strerror(fault_error) : "");
	fault_error = 0;
	fault = LEG_NO_FAULT;
	leg->call = NULL;
	rig_leg = NULL;
	g_ptr_array_remove(legs, leg);
}

void
leg_save(Leg *leg)
{
}

void
leg_trace(const Leg *leg, TraceKind kind, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_string_append_vprintf(traces, format, arguments);
	g_string_append_c(traces, '\n');
	va_end(arguments);
}

/* --- the core's side of text.h --- */

typedef struct {
	TextAnswered answered;
	gpointer user;
} Question;

void (*rig_text)(const TextIn *text);
static Question question;

void
text_new(Gateway *self, const Plugin *plugin, const TextIn *text, TextAnswered answered,
	 gpointer user)
{
	g_autofree char *from = address_text(text->from), *to = address_text(text->to);
	g_autofree char *whose = text->account
					 ? g_strdup_printf("%s by %s", text->account, text->device)
					 : g_strdup(text->trunk);

	g_assert_true(g_utf8_validate(text->body, -1, NULL));
	say("text %s → %s of %s%s: %s", from, to, whose, text->receipt ? ", receipt" : "",
	    text->body);
	question = (Question){ answered, user };
	if (rig_text)
		rig_text(text);
}

void
rig_answer_text(TextAnswer answer, Reason reason, const char *words)
{
	Question asked = question;

	question.answered = NULL;
	asked.answered(asked.user, answer, reason, words);
}

void
text_sent(Gateway *self, gint64 id)
{
	say("sent %" G_GINT64_FORMAT, id);
}

void
text_delivered(Gateway *self, gint64 id)
{
	say("delivered %" G_GINT64_FORMAT, id);
}

void
text_failed(Gateway *self, gint64 id, gboolean again, Reason reason, const char *words)
{
	say("%s %" G_GINT64_FORMAT " %s %s", again ? "later" : "never", id, reason_name(reason),
	    words);
}

void
rig_send_text(gint64 id, Way way, const char *body, const Text *more)
{
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550100", NULL, NULL);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+12125550199", NULL, NULL);
	Text text = more ? *more : (Text){ 0 };

	text.id = id;
	text.way = way;
	text.account = "alice@example.org";
	text.from = from;
	text.to = to;
	text.body = body;
	text.written = 1795942800; /* Sun, 29 Nov 2026 09:00:00 GMT */
	sip_plugin.text->send(&text);
}

gboolean rig_tells_ways;

void
text_way_is_up(Gateway *self, WayKind kind, const char *key)
{
	if (rig_tells_ways)
		say("up %s %s", kind == WAY_TRUNK ? "trunk" : "contact", key);
}

GatewayParts *
gateway_parts(Gateway *self)
{
	static GatewayParts none;

	return &none;
}

Store *
gateway_store(const Gateway *self)
{
	return self->store;
}

const Config *
gateway_config(const Gateway *self)
{
	return &self->config;
}

void
gateway_refused(Gateway *self, const Plugin *plugin, const char *author, const Incoming *incoming,
		Reason reason, const char *words)
{
	g_autofree char *from = address_text(incoming->from), *to = address_text(incoming->to);

	g_string_append_printf(refusals, "%s → %s by %s of %s: %s %s\n", from, to,
			       incoming->trunk ? incoming->trunk : "-",
			       incoming->device ? incoming->device : "-", reason_name(reason),
			       words);
}

char *
rig_take_refusals(void)
{
	char *text = g_strdup(refusals->str);

	g_string_truncate(refusals, 0);
	return text;
}

void
gateway_moved(Gateway *self, const char *before, const char *now)
{
}

gboolean
gateway_is_stopping(const Gateway *self)
{
	return FALSE;
}

gboolean
gateway_unread_since(Gateway *self, guint failures)
{
	return store_failures(self->store) != failures;
}

void
gateway_count(Gateway *self, Counter counter)
{
}

const char *
rig_traces(void)
{
	return traces->str;
}

/* --- start and stop --- */

void
rig_start(void)
{
	g_autoptr(GError) error = NULL;

	traces = g_string_new(NULL);
	refusals = g_string_new(NULL);
	legs = g_ptr_array_new();
	gateway.store = store_open(":memory:", &error);
	g_assert_no_error(error);
	for (guint tries = 0; tries < 10; tries++) {
		peer_gateway_port = peer_free_port();
		gateway.config = (Config){ .sip_address = (char *)(peer_six ? "::1" : "127.0.0.1"),
					   .sip_port = peer_gateway_port,
					   .sip_domain = (char *)"gw.example.org",
					   .sip_min_expires = 60,
					   .sip_max_expires = 3600,
					   .max_sdp_bytes = 8192,
					   .max_connections = 4000 };
		if (rig_configure)
			rig_configure(&gateway.config);
		g_clear_error(&error);
		if (sip_plugin.start(&gateway, &error)) {
			rig_configure = NULL;
			return;
		}
	}
	g_error("%s", error->message);
}

/* The answer to the last BYE may still be on its way: stop() would look for it
 * once a second. */
static void
wait_for_legs(void)
{
	gint64 deadline = g_get_monotonic_time() + G_USEC_PER_SEC / 5;

	while (g_get_monotonic_time() < deadline) {
		g_autofree char *status = plugin_status(&sip_plugin);

		if (strstr(status, "legs: 0\n"))
			return;
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
}

void
rig_stop(void)
{
	wait_for_legs();
	sip_plugin.stop();
	rig_no_event();
	store_close(gateway.store);
	g_string_free(traces, TRUE);
	g_string_free(refusals, TRUE);
	g_ptr_array_unref(legs);
	rig_leg = NULL;
	g_clear_pointer(&rig_heard, desc_unref);
}

Store *
rig_store(void)
{
	return gateway.store;
}

void
rig_trunk(const char *name, guint port, void (*change)(Trunk *trunk))
{
	g_autoptr(Trunk) trunk = trunk_new(name, peer_six ? "::1" : "127.0.0.1");
	g_autoptr(GError) error = NULL;

	trunk->port = port;
	if (change)
		change(trunk);
	store_trunk_add(gateway.store, trunk, &error);
	g_assert_no_error(error);
	sip_plugin.changed(CHANGE_CONFIG, NULL);
}

Desc *
rig_desc(const char *sdp)
{
	g_autoptr(GError) error = NULL;
	Desc *desc = desc_from_sdp(sdp, strlen(sdp), &error);

	g_assert_no_error(error);
	return desc;
}

Target rig_target;

void
rig_dial(const char *trunk, const char *number, const Address *from)
{
	g_autoptr(Desc) offer = rig_desc(sdp_one);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Address) plain = address_new(ADDRESS_NUMBER, "+14155550100", NULL, NULL);
	g_autoptr(Address) named = address_with_name(plain, "Al \"Ace\" Smith");
	Target target = { .plugin = &sip_plugin,
			  .from = from ? (Address *)from : named,
			  .to = to,
			  .way = { WAY_TRUNK, .trunk = (char *)trunk },
			  .withheld = rig_target.withheld,
			  .emergency = rig_target.emergency,
			  .diversion = rig_target.diversion };

	sip_plugin.leg->dial(&call, &target, offer);
}

void
rig_dial_uri(const char *uri, const Address *from)
{
	g_autoptr(Desc) offer = rig_desc(sdp_one);
	g_autoptr(Address) to = dial_uri_parse(uri);
	Target target = { .plugin = &sip_plugin,
			  .from = (Address *)from,
			  .to = to,
			  .way = { WAY_URI },
			  .withheld = rig_target.withheld };

	sip_plugin.leg->dial(&call, &target, offer);
}

void
rig_dial_contact(gint64 contact)
{
	g_autoptr(Desc) offer = rig_desc(sdp_one);
	g_autoptr(Address) to = address_new(ADDRESS_SIP, "alice", "gw.example.org", NULL);
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+14155550100", NULL, NULL);
	Target target = { .plugin = &sip_plugin,
			  .from = from,
			  .to = to,
			  .way = { WAY_CONTACT, .contact = contact } };

	sip_plugin.leg->dial(&call, &target, offer);
}

/* --- waiting --- */

static gboolean
on_wake(gpointer user)
{
	*(gboolean *)user = TRUE;
	return G_SOURCE_CONTINUE;
}

void
rig_spin(guint ms)
{
	gboolean over = FALSE;
	guint source = g_timeout_add(ms, on_wake, &over);

	while (!over)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(source);
}

static char *
next_event(const char *wanted)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	while (g_queue_is_empty(&events)) {
		if (g_get_monotonic_time() > deadline)
			g_error("nothing was said where \"%s\" was expected; so far:\n%s", wanted,
				traces->str);
		g_main_context_iteration(NULL, FALSE);
		g_usleep(500);
	}
	return g_queue_pop_head(&events);
}

void
rig_expect(const char *event)
{
	g_autofree char *said = next_event(event);

	g_assert_cmpstr(said, ==, event);
}

void
rig_expect_start(const char *event)
{
	g_autofree char *said = next_event(event);

	if (!g_str_has_prefix(said, event))
		g_error("\"%s\" was said where \"%s\" was expected", said, event);
}

void
rig_no_event(void)
{
	if (!g_queue_is_empty(&events))
		g_error("\"%s\" was said and not expected", (char *)g_queue_peek_head(&events));
}

guint
rig_drain(void)
{
	guint said = 0;
	char *event;

	while (g_main_context_iteration(NULL, FALSE))
		;
	for (; (event = g_queue_pop_head(&events)); said++)
		g_free(event);
	g_string_truncate(traces, 0);
	return said;
}

GPtrArray *
rig_legs(void)
{
	return legs;
}

void
rig_hangup_all(void)
{
	while (legs->len) {
		Leg *leg = legs->pdata[legs->len - 1];

		g_ptr_array_set_size(legs, (gint)legs->len - 1);
		leg->call = NULL;
		sip_plugin.leg->hangup(leg, REASON_HANGUP, NULL);
	}
	rig_leg = NULL;
}

/* --- what most conversations begin and end with --- */

Peer *
rig_start_with_trunk(void)
{
	Peer *peer = peer_new();

	rig_start();
	rig_trunk("carrier", peer->port, NULL);
	return peer;
}

char *
rig_take_call(Peer *peer, const char *headers, const char *offer, const char *answer)
{
	g_autoptr(Desc) desc = rig_desc(answer);
	g_autofree char *ok = NULL;

	peer_invite(peer, headers, offer);
	rig_expect_start("new ");
	rig_plugin->leg->answer(rig_leg, desc);
	ok = peer_wait(peer, "SIP/2.0 200");
	peer_ack(peer, ok, NULL);
	while (!strstr(rig_traces(), "ACK"))
		g_main_context_iteration(NULL, TRUE);
	return message_tag(ok, "To");
}

char *
rig_call_in(Peer *peer)
{
	return rig_take_call(peer, NULL, sdp_one, sdp_two);
}

void
rig_answer_bye(Peer *peer)
{
	g_autofree char *bye = peer_wait(peer, "BYE ");

	peer_reply(peer, bye, "200 OK", NULL, NULL, NULL);
}

void
rig_hang_up(Peer *peer)
{
	rig_plugin->leg->hangup(rig_leg, REASON_HANGUP, NULL);
	rig_answer_bye(peer);
}

void
rig_end_call(Peer *peer)
{
	rig_hang_up(peer);
	rig_spin(5);
	rig_drain();
}
