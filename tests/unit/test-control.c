/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-control.c - every command, every kind of wrong input, and the socket.
 *
 * The gateway is this file's own: it holds a store, a configuration, counters
 * and at most one live call, and notes what it is told.  The store is real.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include "b2bua/call/call.h"
#include "b2bua/call/test_call.h"
#include "b2bua/call/call_list.h"
#include "b2bua/call/admission.h"
#include "b2bua/call/call_stop.h"
#include "b2bua/admin/control_private.h"
#include "b2bua/admin/memory.h"
#include "b2bua/admin/word_type.h"
#include "b2bua/route/meter.h"
#include "b2bua/text/texts.h"
#include "b2bua/words.h"
#include "db/store_private.h"
#include "db/store_texts.h"

/* --- a gateway of our own --- */

struct Gateway {
	Config *config;
	Store *store;
	GatewayParts parts;
	GString *changes; /* "user alice@example.org;" … */
	guint hangups;
	gint64 live;	   /* id of the live call, or 0 */
	GString *ended;	   /* whose calls were ended: "alice@example.org;" */
	guint trunk_calls; /* that there are through any trunk */
};

struct Call {
	Gateway *gateway;
};

static Gateway gateway;
static Call live_call = { &gateway };

static void
plugin_status(StatusFunc func, gpointer user)
{
	func(user, &(StatusRow){ .key = "stream", .text = "up since 12:00" });
	func(user, &(StatusRow){ .key = "legs", .number = 3 });
	func(user, &(StatusRow){ .trunk = "carrier", .key = "state", .text = "well: enabled" });
	func(user, &(StatusRow){ .trunk = "other", .key = "state", .text = "down" });
}

static const CounterRow COUNTED[] = { { "strangers", COUNTER_TOTAL, "callers who are no users" },
				      { "silent", COUNTER_TOTAL, "what never happens" } };
static guint64 counted[] = { 5, 0 };
static const CounterSet counters = { COUNTED, counted, 2 };
static const OperatorVerbs operator_verbs = { .status = plugin_status };
static const Plugin xmpp_plugin = { .name = "xmpp",
				    .operators = &operator_verbs,
				    .counters = &counters };

const Config *
gateway_config(const Gateway *self)
{
	return self->config;
}

GatewayParts *
gateway_parts(Gateway *self)
{
	return &self->parts;
}

void
gateway_count(Gateway *self, Counter counter)
{
}

gboolean
gateway_notice(Gateway *self, const char *account, const Address *number, const char *text)
{
	return FALSE;
}

gboolean
gateway_notice_room(Gateway *self, const char *account, const char *kind)
{
	return TRUE;
}

void
gateway_tell_operators(Gateway *self, const char *text)
{
}

Workers *
gateway_workers(const Gateway *self)
{
	return (Workers *)self;
}

guint
workers_media_threads(const Workers *workers)
{
	return 2;
}

guint
workers_load(const Workers *workers, guint thread)
{
	return 40 + thread;
}

Store *
gateway_store(const Gateway *self)
{
	return self->store;
}

const Plugin *
gateway_plugin(const Gateway *self, const char *name)
{
	return g_str_equal(name, "xmpp") ? &xmpp_plugin : NULL;
}

const Plugin *
gateway_reaching(const Gateway *self, WayKind kind)
{
	return NULL;
}

const Plugin *
gateway_carrying(const Gateway *self, WayKind kind)
{
	return NULL;
}

gboolean
gateway_unread_since(Gateway *self, guint failures)
{
	return store_failures(self->store) != failures;
}

const GPtrArray *
gateway_plugins(const Gateway *self)
{
	static GPtrArray *plugins;

	if (!plugins) {
		plugins = g_ptr_array_new();
		g_ptr_array_add(plugins, (gpointer)&xmpp_plugin);
	}
	return plugins;
}

guint
calls_live(Gateway *self)
{
	return self->live ? 1 : 0;
}

guint
calls_of_person(Gateway *self, const char *person, Call *found[], guint most)
{
	return self->live ? 1 : 0;
}

const char *
gateway_hook_state(const Gateway *self)
{
	return "has taken all calls";
}

const char *
test_call(Gateway *where, const char *account, const char *device)
{
	return "no XMPP client can be called";
}

Call *
calls_find(Gateway *self, gint64 id)
{
	return id == self->live ? &live_call : NULL;
}

gboolean
gateway_is_stopping(const Gateway *self)
{
	return FALSE;
}

void
gateway_changed(Gateway *self, Change what, const char *key)
{
	static const char *const names[] = {
		[CHANGE_USER] = "user",	    [CHANGE_NUMBER] = "number",
		[CHANGE_TRUNK] = "trunk",   [CHANGE_SOFTPHONE] = "softphone",
		[CHANGE_ROUTES] = "routes", [CHANGE_SETTINGS] = "settings",
		[CHANGE_CONFIG] = "config",
	};

	g_string_append_printf(self->changes, "%s%s%s;", names[what], key ? " " : "", key ?: "");
}

guint64
gateway_counter(const Gateway *self, Counter counter)
{
	return counter == COUNTER_NOTICES ? 7 : 0;
}

char *
call_trouble(const Call *call)
{
	return g_strdup("one-way: the caller is not heard");
}

const char *
call_in_the_clear(const Call *call)
{
	return NULL;
}

char *
call_stats(const Call *call)
{
	return g_strdup("port=caller packets_in=7\n");
}

gint64
call_now_us(const Call *call)
{
	return g_get_real_time();
}

char *
call_ladder(const Call *call)
{
	return g_strdup("0\tcaller\tin\tINVITE live\n");
}

char *
call_series(const Call *call)
{
	return g_strdup("");
}

void
call_hangup(Call *call, Reason reason, const char *text)
{
	g_assert_cmpint(reason, ==, REASON_ADMIN);
	call->gateway->hangups++;
}

guint
calls_count(Gateway *self, CallsBy by, const char *key)
{
	return by == CALLS_OF_ACCOUNT ? 2 : self->trunk_calls;
}

guint
calls_end(Gateway *self, CallsBy by, const char *key, const char *text)
{
	g_string_append_printf(self->ended, "%s;", key);
	return calls_count(self, by, key);
}

/* What the log has of the audit. */
static GString *audited;

static GLogWriterOutput
catch_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	for (gsize i = 0; i < n; i++)
		if (g_str_equal(fields[i].key, "MESSAGE") &&
		    g_str_has_prefix(fields[i].value, "audit: ") && audited)
			g_string_append_printf(audited, "%s\n", (const char *)fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

static void
gateway_init(const char *socket_path)
{
	g_autofree char *text =
		g_strdup_printf("[gateway]\ncontrol_socket=%s\n[xmpp]\nsecret=x\n", socket_path);

	memset(&gateway, 0, sizeof gateway);
	gateway.config = config_from_text(text, "test", NULL);
	gateway.store = store_open(":memory:", NULL);
	gateway.changes = g_string_new(NULL);
	gateway.ended = g_string_new(NULL);
	gateway.parts.meter = meter_new(&gateway);
	gateway.parts.texts = texts_new(&gateway);
	g_assert_nonnull(gateway.config);
	g_assert_nonnull(gateway.store);
}

static void
gateway_clear(void)
{
	texts_free(gateway.parts.texts);
	meter_free(gateway.parts.meter);
	config_free(gateway.config);
	store_close(gateway.store);
	g_string_free(gateway.changes, TRUE);
	g_string_free(gateway.ended, TRUE);
}

/* --- requests, written as on the command line --- */

static char *
json_words(const char *command)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(JsonArray) array = json_array_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);

	if (*command) {
		g_assert_true(g_shell_parse_argv(command, NULL, &words, NULL));
		for (char **word = words; *word; word++)
			json_array_add_string_element(array, *word);
	}
	json_node_set_array(root, array);
	return json_to_string(root, FALSE);
}

static char *
ask(Gateway *with, const char *command)
{
	g_autofree char *request = json_words(command);
	char *reply = control_execute(with, gateway.store, request);

	g_test_message("%s: %s", command, reply);
	g_assert_null(strchr(reply, '\n'));
	return reply;
}

static void
assert_holds(const char *reply, const char *part)
{
	if (!strstr(reply, part))
		g_error("no \"%s\" in %s", part, reply);
}

/* In order, on one store, without a daemon: what is said and what comes back. */
static const struct {
	const char *command, *holds[3];
} commands[] = {
	{ "help", { "trunk set NAME KEY=VALUE", "hangup ID" } },
	{ "help user", { "user add JID" } },
	{ "help hangup", { "hangup ID" } },
	{ "help trunk list", { "trunk list" } },
	{ "help user add", { "\"text\":\"user add JID: ", "[\"JID\",\"\",\"\",\"the bare JID" } },
	{ "help trunk set",
	  { "[\"key\",\"values\",\"default\",\"does\"]",
	    "[\"transport\",\"udp|tcp|tls|auto\",\"udp\"", "[\"in-password\",\"SECRET\",\"\"" } },
	{ "help user set", { "[\"enabled\",\"yes|no\"", "[\"forward-busy\",\"NUMBER\"" } },
	{ "help softphone set", { "[\"srtp\",\"off|offer|require\",\"off\"" } },
	{ "help route add", { "[\"cost\",\"0…9\",\"0\"" } },
	{ "help config show", { "[\"[sip] port\",\"0…65535\",\"5060\"," } },
	{ "help number set", { "[\"caller-id\",\"yes\"" } },
	{ "", { "trunk set NAME KEY=VALUE" } },
	{ "user add Alice@Example.org", { "\"ok\":true" } },
	{ "user add bob@example.org", { "\"ok\":true" } },
	{ "user list",
	  { "\"columns\":[\"user\",\"caller-id\"", "[\"alice@example.org\",\"\",\"yes\"" } },
	{ "number add '+1 (415) 555-0101' alice@example.org", { "\"ok\":true" } },
	{ "number add +14155550102 alice@example.org", { "\"ok\":true" } },
	{ "number list", { "[\"+14155550101\",\"alice@example.org\",\"yes\"" } },
	{ "number list bob@example.org", { "\"rows\":[]" } },
	{ "number set +14155550102 caller-id=yes", { "\"ok\":true" } },
	{ "number show +14155550102", { "[\"caller-id\",\"yes\"]" } },
	{ "user show alice@example.org",
	  { "[\"caller-id\",\"+14155550102\"]", "\"+14155550101\"" } },
	{ "number set +14155550102 user bob@example.org", { "\"ok\":true" } },
	{ "number show +14155550102", { "bob@example.org" } },
	{ "user set bob@example.org enabled=no", { "\"ok\":true" } },
	{ "user show bob@example.org", { "[\"enabled\",\"no\"]" } },
	{ "user set bob@example.org enabled yes", { "\"ok\":true" } },
	{ "user show bob@example.org",
	  { "[\"call-failed-messages\",\"yes\"]", "[\"missed-call-messages\",\"yes\"]" } },
	{ "user set bob@example.org messages=off enabled=no", { "\"ok\":true" } },
	{ "user show bob@example.org",
	  { "[\"call-failed-messages\",\"no\"]", "[\"missed-call-messages\",\"no\"]",
	    "[\"enabled\",\"no\"]" } },
	{ "user set bob@example.org missed_call_messages= enabled=yes", { "\"ok\":true" } },
	{ "user show bob@example.org",
	  { "[\"call-failed-messages\",\"no\"]", "[\"missed-call-messages\",\"yes\"]",
	    "[\"enabled\",\"yes\"]" } },
	{ "user set bob@example.org enabled=yes ring=sip-then-xmpp", { "\"ok\":true" } },
	{ "user show bob@example.org", { "[\"ring\",\"sip-then-xmpp\"]" } },
	{ "softphone add bob@example.org", { "[\"user name\",\"bob\"]", "[\"password\",\"" } },
	{ "softphone add bob@example.org desk", { "[\"user name\",\"desk\"]" } },
	{ "softphone list", { "[\"bob\",\"bob@example.org\",0," } },
	{ "softphone list bob@example.org", { "[\"desk\"" } },
	{ "softphone list alice@example.org", { "\"rows\":[]" } },
	{ "softphone show desk", { "\"rows\":[]" } },
	{ "softphone set desk srtp=require", { "\"ok\":true" } },
	{ "softphone set desk rtp-source=any", { "\"ok\":true" } },
	{ "softphone set desk codecs=opus,PCMA", { "\"ok\":true" } },
	{ "softphone list", { "\"require\",\"any\",\"opus PCMA\"]" } },
	{ "softphone set desk codecs=", { "\"ok\":true" } },
	{ "softphone list", { "\"require\",\"any\",\"\"]" } },
	{ "softphone password desk", { "[\"password\",\"" } },
	{ "softphone del desk", { "\"ok\":true" } },
	{ "softphone del bob", { "\"ok\":true" } },
	{ "number del +14155550102", { "\"ok\":true" } },
	{ "user del bob@example.org", { "\"ok\":true" } },
	{ "trunk add carrier sip.example.net username=u password=hunter2", { "\"ok\":true" } },
	{ "trunk set carrier port=5080 transport=tcp realm=r sources='198.51.100.0/24,2001:db8::1' "
	  "in-username=i in-password=hunter2 priority=-5 enabled=no wait-for-media=no "
	  "ring-seconds=45",
	  { "\"ok\":true" } },
	{ "trunk show carrier",
	  { "[\"port\",\"5080\"]", "[\"password\",\"(set)\"]", "198.51.100.0/24 2001:db8::1" } },
	{ "trunk show carrier",
	  { "[\"wait-for-media\",\"no\"]", "[\"ring-seconds\",\"45\"]", "[\"priority\",\"-5\"]" } },
	{ "trunk set carrier proxy=192.0.2.1:5062 register=yes account=4930 codecs=pcma,PCMU "
	  "caller-id=rpid response-seconds=2 options-seconds=0 session-seconds=90 "
	  "follow-redirects=yes",
	  { "\"ok\":true" } },
	{ "trunk show carrier",
	  { "[\"proxy\",\"192.0.2.1:5062\"]", "[\"register\",\"yes\"]",
	    "[\"codecs\",\"pcma PCMU\"]" } },
	{ "trunk show carrier",
	  { "[\"caller-id\",\"rpid\"]", "[\"response-seconds\",\"2\"]",
	    "[\"follow-redirects\",\"yes\"]" } },
	{ "trunk set carrier username= password= host 192.0.2.9", { "\"ok\":true" } },
	{ "route list",
	  { "[\"premium\",\"refuse\",\"all\",9,\"\",\"\"]", "[\"satellite\",\"refuse\"" } },
	{ "route add +43 allow price=0.125", { "\"ok\":true" } },
	{ "route list", { "[\"+43\",\"allow\",\"all\",0,\"0.125\",\"\"]" } },
	{ "route add +43 allow price=2", { "\"ok\":true" } },
	{ "route list", { "[\"+43\",\"allow\",\"all\",0,\"2.00\",\"\"]" } },
	{ "route del +43", { "\"ok\":true" } },
	{ "user set alice@example.org countries=at,CH abroad-hours=7-22 money-a-day=5",
	  { "\"ok\":true" } },
	{ "user show alice@example.org",
	  { "[\"countries\",\"AT CH\"]", "[\"abroad-hours\",\"7-22\"]" } },
	{ "user set alice@example.org countries= abroad-hours= money-a-day=", { "\"ok\":true" } },
	{ "route add +49 allow trunks=carrier cost=2", { "\"ok\":true" } },
	{ "route add +49900 refuse", { "\"ok\":true" } },
	{ "route list",
	  { "[\"+49\",\"allow\",\"carrier\",2,\"\",\"\"]",
	    "[\"+49900\",\"refuse\",\"all\",0,\"\",\"\"]" } },
	{ "route del +49900", { "\"ok\":true" } },
	{ "user set alice@example.org max-cost=3 max-calls=2", { "\"ok\":true" } },
	{ "user show alice@example.org", { "[\"max-cost\",\"3\"]", "[\"max-calls\",\"2\"]" } },
	{ "trunk set carrier country=DE number-form=national", { "\"ok\":true" } },
	{ "trunk show carrier", { "[\"country\",\"DE\"]", "[\"number-form\",\"national\"]" } },
	{ "trunk set carrier country= number-form=prefix number-prefix=00", { "\"ok\":true" } },
	{ "user set alice@example.org country=de", { "\"ok\":true" } },
	{ "user show alice@example.org", { "[\"country\",\"DE\"]" } },
	{ "trunk show carrier", { "[\"username\",\"\"]", "[\"host\",\"192.0.2.9\"]" } },
	{ "trunk list", { "[\"carrier\",\"192.0.2.9\",5080,\"tcp\",-5,\"no\"" } },
	{ "trunk show carrier", { "[\"tls-verify\",\"yes\"]", "[\"tls-ca\",\"\"]" } },
	{ "trunk set carrier transport=tls port=0 tls-verify=no tls-ca=@CA@", { "\"ok\":true" } },
	{ "trunk list", { "[\"carrier\",\"192.0.2.9\",5061,\"tls\"" } },
	{ "trunk show carrier", { "[\"tls-verify\",\"no\"]", "[\"tls-ca\",\"@CA@\"]" } },
	{ "trunk set carrier srtp=offer", { "\"ok\":true}" } },
	{ "trunk set carrier media-hosts=198.51.100.0/24,2001:db8::/32 rtp-source=any",
	  { "\"ok\":true}" } },
	{ "trunk set carrier transport=tcp", { "not encrypted" } },
	{ "trunk show carrier", { "[\"srtp\",\"offer\"]" } },
	{ "trunk show carrier",
	  { "[\"media-hosts\",\"198.51.100.0/24 2001:db8::/32\"]", "[\"rtp-source\",\"any\"]" } },
	{ "trunk set carrier tls-ca=", { "\"ok\":true" } },
	{ "calls", { "\"columns\":[\"id\",\"state\"", "[1,\"ENDED\",\"alice@example.org\"" } },
	{ "calls --last 1", { "[2,\"ACTIVE\"" } },
	{ "calls --before 2", { "\"rows\":[[1,\"ENDED\"" } },
	{ "calls --reason busy --state ended", { "\"rows\":[[1,\"ENDED\"" } },
	{ "calls --reason hangup", { "\"rows\":[]" } },
	{ "calls --state live", { "\"rows\":[[2,\"ACTIVE\"" } },
	{ "calls --failed", { "\"rows\":[]" } },
	{ "calls --number +14155550199", { "\"rows\":[[2,\"ACTIVE\"" } },
	{ "calls --number +14155550199 --until 1970-01-02T00:00:00Z", { "\"rows\":[]" } },
	{ "calls --user alice@example.org --since 10:00", { "\"rows\":[]" } },
	{ "calls --since 2100-01-01 --all",
	  { "\"ended-by\",\"times\",\"cost\",\"currency\"]", "\"rows\":[]" } },
	{ "usage --month 1969-12", { "\"minutes-in\",\"cost\"]", "\"rows\":[]" } },
	{ "call show 1",
	  { "[\"text\",\"Busy (486 Busy Here)\"]", "[\"media\",\"packets_in=1\"]" } },
	{ "ladder 1", { "\"text\":", "INVITE" } },
	{ "ladder 1 60", { "INVITE" } },
	{ "ladder 1 60 --side caller --no-keys", { "call 1: ", "began at ", "INVITE" } },
	{ "texts",
	  { "\"columns\":[\"id\",\"state\"", "\"rows\":[[2,\"SENT\",\"out\",\"+14155550101\"" } },
	{ "texts --before 2", { "\"rows\":[[1,\"FAILED\"" } },
	{ "texts --state failed --last 1", { "\"rows\":[[1,\"FAILED\"" } },
	{ "texts --state queued", { "\"rows\":[]" } },
	{ "texts --user alice@example.org --trunk carrier", { "[2,\"SENT\"" } },
	{ "texts --user bob@example.org", { "\"rows\":[]" } },
	{ "texts --number +14155550199 --since 2023-01-01", { "[2,\"SENT\"" } },
	{ "texts --since 2100-01-01", { "\"rows\":[]" } },
	{ "text show 1",
	  { "[\"bytes\",8]", "FAILED message to trunk carrier since ",
	    "(gone: no such number)\"" } },
	{ "text show 1 --body", { "[\"body\",\"a secret\"]" } },
	{ "route add +43 allow text=refuse", { "\"ok\":true" } },
	{ "route list", { "[\"+43\",\"allow\",\"all\",0,\"\",\"refuse\"]" } },
	{ "route del +49", { "\"ok\":true" } },
	{ "trunk del carrier", { "\"ok\":true" } },
	{ "trunk list", { "\"rows\":[]" } },
};

static void
add_calls(void)
{
	CallRecord record = { .state = (char *)"ENDED",
			      .started_us = 1700000000000000,
			      .ended_us = 1700000001000000,
			      .caller = (char *)"alice@example.org",
			      .callee = (char *)"+14155550199",
			      .reason = (char *)"busy",
			      .text = (char *)"Busy (486 Busy Here)",
			      .stats = (char *)"packets_in=1\n",
			      .ladder = (char *)"0\tcaller\tin\tINVITE sip\n" };

	g_assert_true(store_call_begin(gateway.store, &record, NULL));
	record.state = (char *)"ACTIVE";
	record.ended_us = 0;
	g_assert_true(store_call_begin(gateway.store, &record, NULL));
}

static void
add_text(const char *origin, const char *state)
{
	g_autoptr(TextRecord) record = text_record_new();
	TextDelivery *delivery = g_new0(TextDelivery, 1);
	guint64 number;

	record->source = g_strdup("alice@example.org");
	record->author = g_strdup("alice@example.org");
	record->origin = g_strdup(origin);
	record->taken = record->written = 1700000000;
	record->direction = g_strdup("out");
	record->sender = g_strdup("+14155550101");
	record->recipient = g_strdup("+14155550199");
	record->peer = g_strdup("n\t+14155550199\t\t\t");
	record->trunk = g_strdup("carrier");
	record->body = g_strdup("a secret");
	record->state = g_strdup(state);
	delivery->kind = g_strdup("message");
	delivery->way = g_strdup("trunk");
	delivery->way_key = g_strdup("carrier");
	delivery->account = g_strdup(record->author);
	delivery->peer = g_strdup(record->recipient);
	delivery->sender = g_strdup(record->peer);
	delivery->recipient = g_strdup(record->peer);
	delivery->made = delivery->changed = record->taken;
	delivery->state = g_strdup(state);
	delivery->reason = g_strdup("gone");
	delivery->words = g_strdup("no such number");
	g_ptr_array_add(record->deliveries, delivery);
	g_assert_true(store_text_put(gateway.store, record, &number, NULL, NULL));
}

static void
add_texts(void)
{
	add_text("one", TEXT_FAILED);
	add_text("two", TEXT_SENT);
}

/* "@CA@" is the path of a PEM file. */
static char *
with_file(const char *text, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(text, "@CA@", -1);

	return g_strjoinv(path, parts);
}

static void
test_commands(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-control-XXXXXX", NULL);
	g_autofree char *ca = g_build_filename(folder, "ca.pem", NULL);

	g_assert_true(g_file_set_contents(ca, "-----BEGIN CERTIFICATE-----\n", -1, NULL));
	gateway_init("/nowhere");
	add_calls();
	add_texts();
	for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
		g_autofree char *command = with_file(commands[i].command, ca);
		g_autofree char *reply = ask(NULL, command);

		g_assert_true(g_str_has_prefix(reply, "{\"ok\":true"));
		g_assert_null(strstr(reply, "hunter2"));
		for (guint h = 0; h < 3 && commands[i].holds[h]; h++) {
			g_autofree char *part = with_file(commands[i].holds[h], ca);

			assert_holds(reply, part);
		}
	}
	g_assert_cmpint(g_unlink(ca), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	gateway_clear();
}

/* Each is refused with the status and the words, and changes nothing. */
static const struct {
	const char *command;
	int status;
	const char *holds[3];
} mistakes[] = {
	{ "frobnicate", 2, { "frobnicate", "unknown command", "trunk" } },
	{ "help frobnicate", 2, { "frobnicate", "unknown command", "trunk" } },
	{ "help trunk frob", 2, { "trunk frob", "unknown command", "add list" } },
	{ "help trunk frob more", 2, { "more: one word too many", "help [NOUN] [VERB]" } },
	{ "sttaus", 2, { "sttaus: unknown command", "did you mean status?" } },
	{ "trunk lst", 2, { "trunk lst: unknown command", "did you mean trunk list" } },
	{ "trunk set carrier priorite=1",
	  2,
	  { "priorite: unknown key", "did you mean priority?" } },
	{ "user set alice@example.org passwort=hunter2",
	  2,
	  { "passwort: unknown key", "help user set" } },
	{ "user list --all", 2, { "--all: unknown option", "user list" } },
	{ "number del +14155550101 --hangup=yes", 2, { "--hangup=yes: unknown option" } },
	{ "user", 2, { "user", "missing", "add list" } },
	{ "user frob", 2, { "user frob", "unknown command", "add list" } },
	{ "user add", 2, { "missing", "user add JID" } },
	{ "user add a@b c", 2, { "c: one word too many" } },
	{ "user add nobody", 2, { "user nobody", "alice@example.org" } },
	{ "user add a@b/phone", 2, { "user a@b/phone", "bare JID" } },
	{ "user add alice@example.org", 2, { "exists already", "user set" } },
	{ "user show no@body", 2, { "no@body", "user add no@body" } },
	{ "user set alice@example.org enabled=maybe", 2, { "enabled=maybe", "yes or no" } },
	{ "user set alice@example.org colour=red", 2, { "colour: unknown key", "enabled" } },
	{ "user set alice@example.org enabled", 2, { "enabled", "no value" } },
	{ "user set alice@example.org enabled=yes more", 2, { "more", "no value" } },
	{ "user set alice@example.org ring=loud", 2, { "ring=loud", "xmpp-then-sip" } },
	{ "softphone add no@body", 2, { "no@body", "does not exist" } },
	{ "softphone add alice@example.org 12", 2, { "softphone 12", "letter" } },
	{ "softphone add alice@example.org echo", 2, { "name of a plugin" } },
	{ "softphone password nobody", 2, { "nobody", "softphone list" } },
	{ "softphone show nobody", 2, { "nobody", "softphone list" } },
	{ "user set no@body enabled=yes", 2, { "no@body", "does not exist" } },
	{ "user set alice@example.org country=Germany", 2, { "country=Germany", "ISO 3166" } },
	{ "trunk set carrier country=XX", 2, { "country=XX", "ISO 3166" } },
	{ "trunk set carrier number-form=national", 2, { "number-form", "country=DE" } },
	{ "trunk set carrier number-prefix=+49", 2, { "number-prefix=+49", "digits" } },
	{ "route add 49x allow", 2, { "route 49x", "premium" } },
	{ "route add +49 perhaps", 2, { "perhaps", "allow or refuse" } },
	{ "route add +49 allow cost=10", 2, { "cost=10", "0 to 9" } },
	{ "route add +49 allow price=1,5", 2, { "price=1,5", "such as 0.12" } },
	{ "route add +49 allow price=0.00001", 2, { "price=0.00001", "such as 0.12" } },
	{ "route add +49 allow price=10000", 2, { "price=10000", "such as 0.12" } },
	{ "user set alice@example.org countries=Austria", 2, { "Austria is not a country" } },
	{ "user set alice@example.org abroad-hours=7-25", 2, { "abroad-hours=7-25", "7-22" } },
	{ "user set alice@example.org abroad-hours=7", 2, { "abroad-hours=7", "7-22" } },
	{ "route add +49 allow trunks=nothere", 2, { "nothere", "trunk list" } },
	{ "route add +49 allow colour=red",
	  2,
	  { "colour: unknown key", "trunks cost text price" } },
	{ "route del +999", 2, { "+999", "route list" } },
	{ "route test 112", 1, { "tandemd is not running" } },
	{ "user set alice@example.org max-cost=12", 2, { "max-cost=12", "0 to 9" } },
	{ "user set no@body messages=off", 2, { "no@body", "does not exist" } },
	{ "user set alice@example.org enabled=no messages=perhaps",
	  2,
	  { "messages=perhaps", "yes or no" } },
	{ "user del alice@example.org", 2, { "still owns numbers" } },
	{ "user erase alice@example.org", 2, { "is enabled", "enabled=no" } },
	{ "calls --follow", 1, { "tandemd is not running" } },
	{ "calls --changed 1.1", 1, { "tandemd is not running" } },
	{ "number add 12 alice@example.org", 2, { "number 12", "+14155550101" } },
	{ "number add +1415x alice@example.org", 2, { "+1415x", "E.164" } },
	{ "number add +14155550101 alice@example.org", 2, { "belongs to user alice@example.org" } },
	{ "number add +14155550199 no@body", 2, { "no@body", "user add" } },
	{ "number list nobody", 2, { "nobody" } },
	{ "number show +14155550199", 2, { "+14155550199", "number list" } },
	{ "number set +14155550102 caller-id=no", 2, { "caller-id=no", "caller-id=yes" } },
	{ "number set +14155550102 caller-id=yes user=no@body", 2, { "no@body" } },
	{ "number set +14155550102 caller-id=yes colour=red",
	  2,
	  { "colour: unknown key", "user caller-id" } },
	{ "number set +14155550199 caller-id=yes", 2, { "+14155550199" } },
	{ "number del +14155550199", 2, { "+14155550199" } },
	{ "trunk add Carrier host", 2, { "trunk Carrier", "a-z" } },
	{ "trunk add t sip.example.net:5060", 2, { "host sip.example.net:5060", "port" } },
	{ "trunk add t host password=hunter2", 2, { "username", "go together" } },
	{ "trunk add carrier host", 2, { "exists already", "trunk set" } },
	{ "trunk set carrier port=70000", 2, { "port=70000", "0 to 65535" } },
	{ "trunk set carrier transport=ws", 2, { "transport=ws", "udp, tcp, tls or auto" } },
	{ "trunk set carrier rtp-source=here", 2, { "rtp-source=here", "signalled or any" } },
	{ "trunk set carrier media-hosts=nowhere",
	  2,
	  { "media-hosts=nowhere", "198.51.100.0/24" } },
	{ "softphone set desk rtp-source=here", 2, { "rtp-source=here", "signalled or any" } },
	{ "trunk set carrier srtp=yes", 2, { "srtp=yes", "off, offer or require" } },
	{ "softphone set desk srtp=yes", 2, { "srtp=yes", "off, offer or require" } },
	{ "softphone set desk codecs=GSM", 2, { "codecs=GSM", "not a codec of this gateway" } },
	{ "softphone set desk colour=red", 2, { "colour", "srtp" } },
	{ "softphone set nobody srtp=off", 2, { "nobody", "softphone list" } },
	{ "trunk set carrier tls-ca=ca.pem", 2, { "tls-ca=ca.pem", "whole path" } },
	{ "trunk set carrier tls-ca=/nonexistent/ca.pem",
	  2,
	  { "tls-ca=/nonexistent/ca.pem", "no such file" } },
	{ "trunk set carrier tls-ca=/etc/passwd", 2, { "tls-ca=/etc/passwd", "PEM" } },
	{ "trunk set carrier tls-ca=/", 2, { "tls-ca=/", "no such file" } },
	{ "trunk set carrier session-seconds=10", 2, { "session-seconds=10", "0 or 90 to 86400" } },
	{ "trunk set carrier transport=", 2, { "transport=", "udp, tcp" } },
	{ "trunk set carrier caller-id=none", 2, { "caller-id=none", "pai, from" } },
	{ "trunk set carrier codecs='PCMA GSM'", 2, { "codecs=PCMA GSM", "GSM", "PCMU" } },
	{ "trunk set carrier proxy='a b'", 2, { "proxy=a b", "192.0.2.1:5062" } },
	{ "trunk set carrier response-seconds=0", 2, { "response-seconds=0", "1 to 30" } },
	{ "trunk set carrier register=yes", 2, { "register=yes", "account" } },
	{ "trunk set carrier host=", 2, { "host=", "sip.example.net" } },
	{ "trunk set carrier sources=198.51.100.0/99",
	  2,
	  { "198.51.100.0/99", "198.51.100.0/24" } },
	{ "trunk set carrier media-hosts=198.51.100.0/1000",
	  2,
	  { "198.51.100.0/1000", "198.51.100.0/24" } },
	{ "trunk set carrier priority=high", 2, { "priority=high", "whole number" } },
	{ "trunk set carrier ring-seconds=0", 2, { "ring-seconds=0", "1 to 3600" } },
	{ "trunk set carrier enabled=perhaps", 2, { "enabled=perhaps", "yes or no" } },
	{ "trunk set carrier colour=red", 2, { "colour", "wait-for-media" } },
	{ "trunk set carrier in-username=x", 2, { "in-password", "go together" } },
	{ "trunk set carrier port=1 priority", 2, { "priority", "no value" } },
	{ "trunk set carrier password='hunter2\x07'", 2, { "password", "control character" } },
	{ "trunk add t [::1", 2, { "host [::1", "not a host" } },
	{ "user set alice@example.org forward-busy=112", 2, { "forward-busy=112", "emergency" } },
	{ "user set alice@example.org country=DE forward-always=110",
	  2,
	  { "forward-always=110", "emergency" } },
	{ "user set alice@example.org forward-no-answer=+14155550101",
	  2,
	  { "forward-no-answer=+14155550101", "own" } },
	{ "route add 49 allow", 2, { "route 49", "+49" } },
	{ "route add 0049 allow", 2, { "route 0049", "+49" } },
	{ "route add 4917112 allow", 2, { "route 4917112", "3 to 6 digits" } },
	{ "import", 2, { "missing", "import FILE" } },
	{ "import first", 2, { "tandemctl import FILE" } },
	{ "trunk set other port=1", 2, { "trunk other", "trunk list" } },
	{ "trunk show other", 2, { "trunk other" } },
	{ "trunk del other", 2, { "trunk other" } },
	{ "texts --since tomorrow", 2, { "--since tomorrow: not a time" } },
	{ "texts --state lost", 2, { "queued, sent, delivered or failed" } },
	{ "text show x", 2, { "x", "a whole number" } },
	{ "text show 99", 2, { "text 99 does not exist", "texts" } },
	{ "route add +49 allow text=maybe", 2, { "text=maybe", "allow or refuse" } },
	{ "calls --first", 2, { "--first", "--last N" } },
	{ "calls --last", 2, { "--last N" } },
	{ "calls --last 0", 2, { "--last 0", "1 to 1000000" } },
	{ "calls --reason nonsense", 2, { "--reason nonsense: no reason" } },
	{ "calls --since tomorrow", 2, { "--since tomorrow: not a time" } },
	{ "calls --user a@b --number +14155550101", 2, { "write one of them" } },
	{ "usage --month 2026-1", 2, { "--month 2026-1: not a month" } },
	{ "call show x", 2, { "call x", "calls" } },
	{ "call show 99", 2, { "call 99", "calls" } },
	{ "ladder 1 9", 2, { "columns 9", "40 to 1000" } },
	{ "ladder 1 --side gateway", 2, { "gateway", "caller", "callee" } },
	{ "status", 1, { "tandemd is not running" } },
	{ "config show sipp", 2, { "section sipp", "gateway xmpp sip" } },
	{ "hangup 1", 1, { "tandemd is not running" } },
	{ "reload", 1, { "tandemd is not running" } },
};

/* The tables that are iterated over have no hole, no key twice, and help for each. */
static void
test_trunk_keys(void)
{
	g_autoptr(Trunk) trunk = trunk_new("t", "host");
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		g_autofree char *value = trunk_value(trunk, &keys[i]);

		g_assert_true(trunk_key_find(keys[i].name) == &keys[i]);
		g_assert_nonnull(key_find(KEYS_TRUNK, keys[i].name)->help);
		g_assert_nonnull(key_find(KEYS_TRUNK, keys[i].name)->values);
		g_assert_cmpstr(value, ==,
				g_str_equal(keys[i].name, "host") ? "host" : keys[i].fallback ?: "");
		g_assert_true(trunk_key_is_number(&keys[i]) ? keys[i].fallback != NULL : TRUE);
	}
}

static gboolean
has_account(const Verb *verb)
{
	for (const Word *word = verb->words; word->name; word++)
		if (word_is_account(word))
			return TRUE;
	return FALSE;
}

/* A row that a front could not ask for, or that would not be found, is no row. */
static void
test_table(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Verb *verb;

	for (guint i = 0; (verb = verb_at(i)); i++) {
		char *name = verb_name(verb);
		g_auto(GStrv) words = g_strsplit(name, " ", -1);
		gboolean optional = FALSE;
		guint n_named = 0;

		g_test_message("%s", name);
		g_assert_true(g_hash_table_add(seen, name));
		g_assert_true(verb_find(words, g_strv_length(words), &n_named, NULL) == verb);
		g_assert_cmpuint(n_named, ==, g_strv_length(words));
		g_assert_cmpuint(verb_id(verb), ==, i);
		g_assert_true(verb->who & VERB_OPERATOR);
		g_assert_true(*verb->help && !g_str_has_suffix(verb->help, "."));
		/* a word says whose account it is about, or own.c finds out */
		g_assert_true(!(verb->who & VERB_SELF) || has_account(verb) ||
			      verb->words[0].type == WORD_SOFTPHONE || g_str_equal(name, "help"));
		/* the audit has a subject, and the plugins a key */
		g_assert_true(!(verb->flags & VERB_AUDITED) || noun_of(verb) ||
			      verb->words[0].type == WORD_USER);
		for (const Word *word = verb->words; word->name; word++) {
			g_assert_true(word->help && !g_str_has_suffix(word->help, "."));
			if (word->type == WORD_KEYS)
				g_assert_nonnull(keys_of(word->keys));
			if (word_is_option(word))
				continue;
			g_assert_true(!optional || word->flags & WORD_OPTIONAL);
			optional = word->flags & WORD_OPTIONAL || word->type == WORD_KEYS;
		}
	}
}

/* Every default is a value that would be taken, and kept as it is. */
static void
test_keys(void)
{
	for (KeySet set = KEYS_USER; set <= KEYS_ROUTE; set++)
		for (const Word *key = keys_of(set); key->name; key++) {
			g_autoptr(GError) error = NULL;
			g_autofree char *kept = NULL;

			g_test_message("%s", key->name);
			g_assert_true(key_find(set, key->name) == key);
			g_assert_true(key->help && !g_str_has_suffix(key->help, "."));
			g_assert_nonnull(key->values);
			if (!key->fallback || !*key->fallback)
				continue;
			kept = word_check(key, key->fallback, NULL, &error);
			g_assert_no_error(error);
			g_assert_cmpstr(kept, ==, key->fallback);
		}
}

/* Of a user who asks for his own account: his words, and what the reply has. */
static const struct {
	const char *words, *holds;
} own[] = {
	{ "user show", "[\"ring\",\"both\"]" },
	{ "user set ring=sip", NULL },
	{ "user show", "[\"ring\",\"sip\"]" },
	{ "user set ring=loud", "ring=loud: write both" },
	{ "user set max-cost=9", "max-cost: the operator of the gateway sets this" },
	{ "user set enabled=yes", "enabled: the operator of the gateway sets this" },
	{ "user set bob@example.org ring=xmpp", "bob@example.org: unknown key" },
	{ "user show bob@example.org", "bob@example.org: one word too many" },
	{ "number list", "[\"+14155550101\",\"alice@example.org\"" },
	{ "number list bob@example.org", "bob@example.org: one word too many" },
	{ "user set country=FR", "country: the operator of the gateway sets this" },
	{ "forward busy +49301234567", "Calls while busy go to +49301234567" },
	{ "user show", "[\"forward-busy\",\"+49301234567\"]" },
	{ "forward busy off", "Calls while busy are not sent on" },
	{ "user show", "[\"forward-busy\",\"\"]" },
	{ "forward busy +14155550101", "the number is the user's own" },
	{ "forward busy 112", "an emergency number" },
	{ "forward never 1", "never: write always, busy" },
	{ "forward bob@example.org busy +49301234567", "bob@example.org: write always" },
	{ "ring xmpp", "ring=xmpp" },
	{ "user show", "[\"ring\",\"xmpp\"]" },
	{ "dnd yes", "Nothing rings" },
	{ "user show", "[\"do-not-disturb\",\"yes\"]" },
	{ "hide-number yes", "does not see the number" },
	{ "block +4930*,anonymous", "declined from now on" },
	{ "block anonymous", "was blocked already" },
	{ "user show", "[\"blocked\",\"+4930* anonymous\"]" },
	{ "unblock anonymous", "ring again" },
	{ "unblock anonymous", "is not blocked; blocked: +4930*" },
	{ "user show", "[\"blocked\",\"+4930*\"]" },
	{ "softphone password bob", "softphone bob: you have no softphone" },
	{ "calls --user bob@example.org", "--user: unknown option" },
	{ "calls --trunk carrier", "--trunk: unknown option" },
	{ "why bob@example.org", "that is another's account" },
	{ "why 1", "not one of yours" },
	{ "why", "none of your calls failed" },
	{ "usage", NULL },
	{ "softphone add", "softphone: that is for the operator of the gateway" },
	{ "softphone list", NULL },
	{ "trunk list", "trunk: that is for the operator of the gateway" },
	{ "user list", "user: that is for the operator of the gateway" },
	{ "hangup 1", "hangup: that is for the operator of the gateway" },
	{ "help", "[\"user show\"" },
	{ "help user set", "[\"ring\",\"both|xmpp" },
};

static char *
ask_words_as(const Actor *actor, char **words)
{
	Answer *answer = answer_new(&gateway, gateway.store, actor, words);
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	GString *all = g_string_new(NULL);
	gboolean more = TRUE;

	json_node_set_object(root, answer_reply(answer));
	do {
		g_autofree char *text = json_to_string(root, FALSE);

		g_string_append(all, text);
		more = more && answer_is_list(answer) && answer_more(answer);
		if (!more && answer_is_list(answer)) {
			g_autofree char *last = json_to_string(root, FALSE);

			g_string_append(all, last);
		}
	} while (more);
	if (answer_error(answer))
		g_string_append(all, answer_error(answer)->message);
	answer_free(answer);
	return g_string_free(all, FALSE);
}

static char *
ask_as(const Actor *actor, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);

	return ask_words_as(actor, words);
}

static void
test_self(void)
{
	const Actor alice = { .kind = VERB_SELF,
			      .account = "alice@example.org",
			      .who = "alice@example.org" };

	gateway_init("/nowhere");
	g_free(ask(NULL, "user add alice@example.org"));
	g_free(ask(NULL, "user add bob@example.org"));
	g_free(ask(NULL, "number add +14155550101 alice@example.org"));
	g_free(ask(NULL, "number add +14155550102 bob@example.org"));
	audited = g_string_new(NULL);
	for (guint i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *text = ask_as(&alice, own[i].words);

		g_test_message("%s: %s", own[i].words, text);
		if (own[i].holds)
			assert_holds(text, own[i].holds);
		g_assert_null(strstr(text, "+14155550102"));
		g_assert_null(strstr(text, "trunk set"));
		g_assert_null(strstr(text, "[\"max-cost\",\"0"));
	}
	assert_holds(audited->str, "audit: alice@example.org: user set alice@example.org: ring=");
	g_string_free(audited, TRUE);
	audited = NULL;
	gateway_clear();
}

/* --- a user and what is another's, by every verb --- */

static const char *const OF_BOB[N_WORD_TYPES] = {
	[WORD_USER] = "bob@example.org",
	[WORD_WHOSE] = "bob@example.org",
	[WORD_NUMBER] = "+14155550102",
	[WORD_SOFTPHONE] = "bob",
	[WORD_CALL] = "2",
	[WORD_TRUNK] = "carrier",
	[WORD_TARGET] = "default",
	[WORD_SOURCE] = "all",
	[WORD_YES] = "yes",
	[WORD_FLAG] = "yes",
	[WORD_WHOLE] = "1",
	[WORD_DESTINATION] = "+49301234567",
	[WORD_CALLERS] = "+49*",
	[WORD_HOST] = "sip.example.net",
};

/* Each word of the verb, written as an operator would; a key is the first that there is. */
static void
add_words(GStrvBuilder *words, const Verb *verb)
{
	for (const Word *word = verb->words; word->name; word++) {
		g_auto(GStrv) choices = g_strsplit(word->values ? word->values : "x", "|", -1);
		const char *text = word->type == WORD_CHOICE ? choices[0]
				   : OF_BOB[word->type]	     ? OF_BOB[word->type]
							     : "x";

		if (word_is_option(word))
			g_strv_builder_add(words, word->name);
		if (word->type == WORD_KEYS)
			g_strv_builder_add_many(words, keys_of(word->keys)->name, "yes", NULL);
		else if (word->type != WORD_FLAG)
			g_strv_builder_add(words, text);
	}
}

/* What of bob's is in it; a name that alice has written herself may be in an error. */
static void
assert_not_bobs(const char *text)
{
	static const char *const bobs[] = { "0102", "+49881", "bob@example.org\",", "[\"bob\"" };

	for (guint i = 0; i < G_N_ELEMENTS(bobs); i++)
		if (!strstr(text, "one word too many") && !strstr(text, "unknown") &&
		    !strstr(text, "that is for") && !strstr(text, "not one of yours"))
			g_assert_null(strstr(text, bobs[i]));
}

static void
test_another(void)
{
	const Actor alice = { .kind = VERB_SELF,
			      .account = "alice@example.org",
			      .who = "alice@example.org/phone" };
	static const char *const before[] = {
		"user add alice@example.org",
		"user add bob@example.org",
		"number add +14155550102 bob@example.org",
		"softphone add bob@example.org",
		"softphone add alice@example.org",
		"trunk add carrier sip.example.net",
		"user set bob@example.org forward-busy=+49881",
	};
	static const char *const bobs[] = {
		"user show bob@example.org", "softphone list", "number list",
		"trunk show carrier",	     "route list",     "user list"
	};
	g_autoptr(GString) then = g_string_new(NULL), now = g_string_new(NULL);
	const Verb *verb;

	gateway_init("/nowhere");
	control_config = gateway.config;
	add_calls();
	for (guint i = 0; i < G_N_ELEMENTS(before); i++)
		g_free(ask(NULL, before[i]));
	for (guint i = 0; i < G_N_ELEMENTS(bobs); i++) {
		g_autofree char *text = ask(NULL, bobs[i]);

		g_string_append(then, text);
	}
	for (guint i = 0; (verb = verb_at(i)); i++) {
		g_autoptr(GStrvBuilder) builder = g_strv_builder_new(), bare = g_strv_builder_new();
		g_autofree char *name = verb_name(verb), *with = NULL, *without = NULL;
		g_auto(GStrv) named = g_strsplit(name, " ", -1);
		g_auto(GStrv) words = NULL, few = NULL;

		g_strv_builder_addv(builder, (const char **)named);
		g_strv_builder_addv(bare, (const char **)named);
		add_words(builder, verb);
		words = g_strv_builder_end(builder);
		few = g_strv_builder_end(bare);
		with = ask_words_as(&alice, words);
		without = ask_words_as(&alice, few);
		g_test_message("%s: %s", name, with);
		assert_not_bobs(with);
		assert_not_bobs(without);
		if (!(verb->who & VERB_SELF))
			assert_holds(with, "that is for the operator of the gateway");
	}
	for (guint i = 0; i < G_N_ELEMENTS(bobs); i++) {
		g_autofree char *text = ask(NULL, bobs[i]);

		g_string_append(now, text);
	}
	g_assert_cmpstr(then->str, ==, now->str);
	gateway_clear();
}

/* Everything an admin can have changed, as one text. */
static char *
everything(void)
{
	static const char *const views[] = { "user list", "number list", "trunk list",
					     "trunk show carrier", "user show alice@example.org" };
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(views); i++) {
		g_autofree char *request = json_words(views[i]);
		g_autofree char *reply = control_execute(NULL, gateway.store, request);

		g_string_append_printf(text, "%s\n", reply);
	}
	return g_string_free(text, FALSE);
}

static void
test_mistakes(void)
{
	static const char *const before[] = { "user add alice@example.org",
					      "number add +14155550101 alice@example.org",
					      "number add +14155550102 alice@example.org",
					      "trunk add carrier sip.example.net" };
	g_autofree char *expected = NULL;

	gateway_init("/nowhere");
	control_config = gateway.config;
	add_calls();
	for (guint i = 0; i < G_N_ELEMENTS(before); i++)
		g_free(ask(NULL, before[i]));
	expected = everything();
	for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autofree char *reply = ask(NULL, mistakes[i].command);
		g_autofree char *start =
			g_strdup_printf("{\"ok\":false,\"status\":%d,", mistakes[i].status);
		g_autofree char *after = everything();

		g_assert_true(g_str_has_prefix(reply, start));
		g_assert_null(strstr(reply, "hunter2"));
		for (guint h = 0; h < 3 && mistakes[i].holds[h]; h++)
			assert_holds(reply, mistakes[i].holds[h]);
		g_assert_cmpstr(after, ==, expected);
	}
	control_config = NULL;
	gateway_clear();
}

static void
test_bad_lines(void)
{
	static const char *const lines[] = { "[\"help\"][\"help\"]",
					     "[\"help\"] \"help\"",
					     "[\"help\"]1",
					     "[\"help\"]{}",
					     "[\"help\"] [",
					     "1 [\"help\"]",
					     "\"help\" [\"help\"]",
					     "[\"help\"]]",
					     "",
					     "x",
					     "{}",
					     "[1]",
					     "[null]",
					     "[[\"user\"]]",
					     "[\"user\"",
					     "\xff" };
	g_autofree char *deep = g_strnfill(60000, '[');

	gateway_init("/nowhere");
	for (guint i = 0; i <= G_N_ELEMENTS(lines); i++) {
		g_autofree char *reply = control_execute(NULL, gateway.store,
							 i < G_N_ELEMENTS(lines) ? lines[i] : deep);

		g_assert_true(g_str_has_prefix(reply,
					       "{\"ok\":false,\"status\":2,\"error\":\"request: "));
	}
	gateway_clear();
}

/* What each command tells the plugins: what it has changed, and nothing else. */
static const struct {
	const char *command, *told;
} changes[] = {
	{ "user add Alice@example.org", "user alice@example.org;" },
	{ "user add alice@example.org", "" },
	{ "user list", "" },
	{ "user set alice@example.org enabled=no", "user alice@example.org;" },
	{ "user set alice@example.org enabled=perhaps", "" },
	{ "user set alice@example.org country=DE enabled=oops", "" },
	{ "user set alice@example.org country=DE", "settings alice@example.org;" },
	{ "number add '+1 415 555 0101' alice@example.org", "number +14155550101;" },
	{ "number set +14155550101 caller-id=yes", "number +14155550101;" },
	{ "number set +14155550101 caller-id=no", "" },
	{ "number del +14155550101", "number +14155550101;" },
	{ "number del +14155550101", "" },
	{ "softphone add alice@example.org desk", "softphone desk;" },
	{ "softphone password desk", "softphone desk;" },
	{ "softphone set desk srtp=offer", "softphone desk;" },
	{ "softphone set desk srtp=perhaps", "" },
	{ "softphone del desk", "softphone desk;" },
	{ "trunk add carrier sip.example.net", "trunk carrier;" },
	{ "trunk set carrier priority=5", "trunk carrier;" },
	{ "trunk set carrier priority=high", "" },
	{ "trunk show carrier", "" },
	{ "route add +49 allow", "routes;" },
	{ "route del +49", "routes;" },
	{ "trunk del carrier", "trunk carrier;" },
	{ "user del alice@example.org", "user alice@example.org;" },
	{ "reload", "config;" },
	{ "status", "" },
};

static void
test_changes(void)
{
	gateway_init("/nowhere");
	for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_string_truncate(gateway.changes, 0);
		g_free(ask(&gateway, changes[i].command));
		g_assert_cmpstr(gateway.changes->str, ==, changes[i].told);
	}
	gateway_clear();
}

/* What the log says of each, and what of a live call. */
static const struct {
	const char *command, *audit, *ended, *reply;
} audits[] = {
	{ "user add alice@example.org",
	  "user add alice@example.org: made: user=\"alice@example.org\" enabled=\"yes\"", "",
	  NULL },
	{ "user set alice@example.org country=DE",
	  "user set alice@example.org: country=\"\"→\"DE\"", "", NULL },
	{ "user set alice@example.org country=DE", "user set alice@example.org: as it was", "",
	  NULL },
	{ "user set alice@example.org country=XX", "", "", NULL },
	{ "user set alice@example.org enabled=no", "enabled=\"yes\"→\"no\"", "alice@example.org;",
	  "2 live calls were ended" },
	{ "user set alice@example.org enabled=yes", "enabled=\"no\"→\"yes\"", "", NULL },
	{ "softphone add alice@example.org desk",
	  "softphone add desk: made: softphone=\"desk\" user=\"alice@example.org\" "
	  "rtp-source=\"signalled\" srtp=\"off\" password=(set)",
	  "", NULL },
	{ "softphone password desk", "softphone password desk: password=(changed)", "", NULL },
	{ "softphone del desk", "softphone del desk: deleted:", "", NULL },
	{ "number add +14155550101 alice@example.org",
	  "number add +14155550101: made: number=\"+14155550101\" user=\"alice@example.org\" "
	  "caller-id=\"yes\"",
	  "", NULL },
	{ "number add +14155550102 alice@example.org", "number add +14155550102: made:", "", NULL },
	{ "number del +14155550101", "number del +14155550101: deleted: number=\"+14155550101\"",
	  "", "3 live calls with it go on; --hangup ends them too" },
	{ "number del +14155550102 --hangup", "number del +14155550102: deleted:", "+14155550102;",
	  "3 live calls were ended" },
	{ "trunk add t 192.0.2.1 username=u password=hunter2",
	  "trunk add t: made: trunk=\"t\" host=\"192.0.2.1\"", "", NULL },
	{ "trunk set t password=hunter3 priority=5",
	  "trunk set t: password=(changed) priority=\"10\"→\"5\"", "", NULL },
	{ "trunk set t enabled=no", "enabled=\"yes\"→\"no\"", "",
	  "3 live calls by it go on; --hangup ends them too" },
	{ "trunk set t enabled=no --hangup", "trunk set t: as it was", "t;",
	  "3 live calls were ended" },
	/* it is there with cost=9, and a rule is replaced as a whole */
	{ "route add premium refuse", "route add premium: cost=\"9\"→\"0\"", "", NULL },
	{ "route add premium refuse", "route add premium: as it was", "", NULL },
	{ "route add +49 allow trunks=t cost=3",
	  "route add +49: made: route=\"+49\" verdict=\"allow\" trunks=\"t\" cost=\"3\"", "",
	  NULL },
	{ "trunk del t", "", "", "trunk t: still named by route +49: change that first" },
	{ "route del +49", "route del +49: deleted:", "", NULL },
	{ "trunk del t --hangup", "trunk del t: deleted: trunk=\"t\"", "t;",
	  "3 live calls were ended" },
	{ "user del alice@example.org",
	  "user del alice@example.org: deleted:", "alice@example.org;", NULL },
	{ "trunk add e 192.0.2.1", "trunk add e: made:", "", NULL },
	{ "trunk del e", "", "", "trunk e: still named by [gateway] emergency: change that first" },
	{ "trunk add six 2001:db8::1", "", "", "an IPv6 address, and [sip] address = 127.0.0.1" },
	{ "trunk add six [2001:db8::1]", "", "", "host=2001:db8::1" },
	{ "trunk add safe 192.0.2.1 transport=tls", "", "", "this gateway has no TLS" },
};

static void
test_audit(void)
{
	gateway_init("/nowhere");
	gateway.config->emergency = g_strdup("trunk:e");
	gateway.trunk_calls = 3;
	audited = g_string_new(NULL);
	for (guint i = 0; i < G_N_ELEMENTS(audits); i++) {
		g_autofree char *reply = NULL;

		g_string_truncate(audited, 0);
		g_string_truncate(gateway.ended, 0);
		reply = ask(&gateway, audits[i].command);
		g_test_message("%s", audited->str);
		if (*audits[i].audit)
			assert_holds(audited->str, audits[i].audit);
		else
			g_assert_cmpstr(audited->str, ==, "");
		g_assert_null(strstr(audited->str, "hunter"));
		g_assert_cmpstr(gateway.ended->str, ==, audits[i].ended);
		if (*audits[i].audit)
			assert_holds(audited->str, "audit: uid ");
		if (audits[i].reply)
			assert_holds(reply, audits[i].reply);
	}
	g_string_free(audited, TRUE);
	audited = NULL;
	gateway_clear();
}

/* A list is made in portions, all of it and nothing twice. */
static void
test_portions(void)
{
	static const char *const lists[] = { "user list", "number list", "softphone list" };

	gateway_init("/nowhere");
	g_assert_true(store_begin(gateway.store, NULL));
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *jid = g_strdup_printf("u%04u@example.org", i);
		g_autofree char *number = g_strdup_printf("+1415555%04u", i);
		g_autofree char *phone = g_strdup_printf("phone%04u", i);

		g_assert_true(store_user_add(gateway.store, jid, NULL));
		g_assert_true(store_number_add(gateway.store, number, jid, NULL));
		g_assert_true(store_softphone_add(gateway.store, phone, jid, "secretsecret", NULL));
	}
	g_assert_true(store_commit(gateway.store, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autofree char *request = json_words(lists[i]);
		Reply *reply = reply_new(&gateway, gateway.store, "uid 0", request);
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(JsonParser) parser = json_parser_new();
		JsonArray *rows;
		guint portions = 1;
		gsize before = 0;

		while (reply_next(reply, out)) {
			g_assert_cmpuint(out->len - before, <, 20000);
			before = out->len;
			portions++;
		}
		reply_free(reply);
		g_assert_cmpuint(portions, >, 10);
		g_assert_true(json_parser_load_from_data(parser, out->str, -1, NULL));
		rows = json_object_get_array_member(
			json_node_get_object(json_parser_get_root(parser)), "rows");
		g_assert_cmpuint(json_array_get_length(rows), ==, 1000);
		for (guint r = 1; r < 1000; r++)
			g_assert_cmpstr(json_array_get_string_element(
						json_array_get_array_element(rows, r - 1), 0),
					<,
					json_array_get_string_element(
						json_array_get_array_element(rows, r), 0));
	}
	gateway_clear();
}

/* --- user erase takes many turns: what has changed meanwhile holds --- */

#define ERASED "alice@example.org"

/* Its words are read; nothing is erased yet. */
static Reply *
begin_erase(GString *out)
{
	g_autofree char *request = json_words("user erase " ERASED);
	Reply *reply;

	g_assert_true(store_user_add(gateway.store, ERASED, NULL));
	g_assert_true(store_user_set_enabled(gateway.store, ERASED, FALSE, NULL));
	g_assert_true(store_user_add(gateway.store, "bob@example.org", NULL));
	g_assert_true(store_number_add(gateway.store, "+14155550101", ERASED, NULL));
	g_assert_true(store_number_add(gateway.store, "+14155550102", ERASED, NULL));
	reply = reply_new(&gateway, gateway.store, "uid 0", request);
	g_assert_true(reply_next(reply, out));
	return reply;
}

static void
assert_number(const char *number, const char *user_or_null)
{
	g_autoptr(User) user = store_user_by_number(gateway.store, number, NULL);

	g_assert_cmpstr(user ? user->jid : NULL, ==, user_or_null);
}

static void
test_erase_meanwhile(void)
{
	static const struct {
		const char *meanwhile[3];
		const char *answer, *first, *second; /* whose the numbers are then */
		gboolean gone;
	} cases[] = {
		{ { NULL }, "[\"numbers-taken-away\",2]", NULL, NULL, TRUE },
		{ { "number del +14155550101", "number add +14155550101 bob@example.org" },
		  "[\"numbers-taken-away\",1]",
		  "bob@example.org",
		  NULL,
		  TRUE },
		{ { "number del +14155550101" }, "[\"numbers-taken-away\",1]", NULL, NULL, TRUE },
		{ { "user set " ERASED " enabled=yes" },
		  "user " ERASED " is enabled; write 'user set",
		  ERASED,
		  ERASED,
		  FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) out = g_string_new(NULL);
		g_autoptr(User) user = NULL;
		Reply *reply;

		gateway_init("/nowhere");
		reply = begin_erase(out);
		for (guint k = 0; cases[i].meanwhile[k]; k++) {
			g_autofree char *said = ask(&gateway, cases[i].meanwhile[k]);

			assert_holds(said, "\"ok\":true");
		}
		while (reply_next(reply, out))
			;
		reply_free(reply);
		g_test_message("%s", out->str);
		assert_holds(out->str, cases[i].answer);
		assert_number("+14155550101", cases[i].first);
		assert_number("+14155550102", cases[i].second);
		user = store_user_get(gateway.store, ERASED, NULL);
		g_assert_cmpint(user == NULL, ==, cases[i].gone);
		gateway_clear();
	}
}

/* While another process writes it asks again, and not as fast as it can. */
static void
test_erase_while_another_writes(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-erase-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "tandem.db", NULL);
	g_autoptr(GString) out = g_string_new(NULL);
	Store *other;
	Reply *reply;

	gateway_init("/nowhere");
	store_close(gateway.store);
	gateway.store = store_open(path, NULL);
	other = store_open(path, NULL);
	sqlite3_busy_timeout(gateway.store->db, 0); /* as where a journal writes */
	reply = begin_erase(out);
	g_assert_true(store_begin(other, NULL));
	g_assert_true(reply_next(reply, out));
	g_assert_cmpuint(reply_pause_ms(reply), >, 0);
	store_rollback(other);
	while (reply_next(reply, out))
		g_assert_cmpuint(reply_pause_ms(reply), ==, 0);
	assert_holds(out->str, "[\"numbers-taken-away\",2]");
	reply_free(reply);
	store_close(other);
	gateway_clear();
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* --- import --- */

/* In order, on one store: a line, and what is said of it ("": it is taken). */
static const struct {
	const char *line, *error;
} imports[] = {
	{ "{\"user\":\"Alice@example.org\",\"country\":\"DE\",\"do-not-disturb\":true}", "" },
	{ "{\"user\":\"alice@example.org\",\"max_calls\":3}", "" },
	{ "{\"type\":\"user\",\"jid\":\"bob@example.org\",\"enabled\":false}", "" },
	{ "{\"number\":\"+1 415 555 0101\",\"user\":\"alice@example.org\"}", "" },
	{ "{\"number\":\"+14155550102\",\"user\":\"alice@example.org\",\"caller-id\":true}", "" },
	{ "{\"number\":\"+14155550101\",\"user\":\"alice@example.org\",\"caller-id\":false}", "" },
	{ "{\"number\":\"+14155550101\",\"user\":\"bob@example.org\"}", "belongs to user alice" },
	{ "{\"number\":\"12\",\"user\":\"bob@example.org\"}", "number 12: not E.164" },
	{ "{\"number\":\"+14155550199\",\"user\":\"no@body\"}", "no@body" },
	{ "{\"number\":\"+14155550199\"}", "\\\"user\\\" is missing" },
	{ "{\"softphone\":\"desk\",\"user\":\"alice@example.org\",\"password\":\"hunter2hunter2\","
	  "\"srtp\":\"offer\"}",
	  "" },
	{ "{\"softphone\":\"desk\",\"user\":\"bob@example.org\"}", "belongs to user alice" },
	{ "{\"softphone\":\"short\",\"user\":\"bob@example.org\",\"password\":\"x\"}", "8 to 128" },
	{ "{\"softphone\":\"made\",\"user\":\"bob@example.org\"}", "" },
	{ "{\"softphone\":\"unmade\",\"user\":\"bob@example.org\",\"srtp\":\"perhaps\"}",
	  "srtp=perhaps" },
	{ "{\"trunk\":\"carrier\",\"host\":\"192.0.2.1\",\"username\":\"u\",\"password\":"
	  "\"hunter2\",\"codecs\":[\"PCMA\",\"PCMU\"]}",
	  "" },
	{ "{\"trunk\":\"carrier\",\"priority\":5}", "" },
	{ "{\"trunk\":\"other\"}", "host" },
	{ "{\"trunk\":\"other\",\"host\":\"192.0.2.2\",\"colour\":\"red\"}",
	  "colour: unknown key" },
	{ "{\"route\":\"+49\",\"verdict\":\"allow\",\"trunks\":[\"carrier\"],\"cost\":2}", "" },
	{ "{\"route\":\"49\",\"verdict\":\"allow\"}", "route 49" },
	{ "{\"route\":\"+44\",\"allow\":false}", "" },
	{ "{\"setting\":\"ring\",\"user\":\"alice@example.org\",\"value\":\"sip\"}", "" },
	{ "{\"setting\":\"ring\",\"user\":\"alice@example.org\",\"value\":\"loud\"}", "ring=loud" },
	{ "{\"user\":\"carol@example.org\",\"country\":\"XX\"}", "country=XX" }, /* nor made */
	{ "{\"user\":\"carol@example.org\",\"max-calls\":1.5}", "max-calls: write a text" },
	{ "{\"user\":{\"a\":1}}", "is missing" },
	{ "{\"user\":[[[[1]]]]}", "not a JSON object" },
	{ "{\"colour\":\"red\"}", "a line names nothing" },
	{ "{\"user\":\"a@b\"}{\"user\":\"c@d\"}", "not a JSON object" },
	{ "user add dave@example.org", "not a JSON object" },
	{ "[]", "not a JSON object" },
	{ "{\"user\":\"alice@example.org\",\"forward-busy\":\"112\"}", "emergency" },
};

static char *
import_request(guint from, guint to)
{
	g_autoptr(JsonArray) array = json_array_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
	g_autofree char *first = g_strdup_printf("%u", from + 1);

	json_array_add_string_element(array, "import");
	json_array_add_string_element(array, first);
	for (guint i = from; i < to; i++)
		json_array_add_string_element(array, imports[i].line);
	json_node_set_array(root, array);
	return json_to_string(root, FALSE);
}

/* What the imports above have made, as lines, without a password. */
static void
assert_export(void)
{
	static const char *const lines[] = {
		"[\"{\\\"user\\\":\\\"alice@example.org\\\",",
		"{\\\"user\\\":\\\"bob@example.org\\\",\\\"enabled\\\":\\\"no\\\"}",
		"{\\\"number\\\":\\\"+14155550102\\\",\\\"user\\\":\\\"alice@example.org\\\","
		"\\\"caller-id\\\":"
		"\\\"yes\\\"}",
		"{\\\"softphone\\\":\\\"desk\\\",\\\"user\\\":\\\"alice@example.org\\\","
		"\\\"srtp\\\":"
		"\\\"offer\\\"}",
		"{\\\"trunk\\\":\\\"carrier\\\",\\\"host\\\":\\\"192.0.2.1\\\","
		"\\\"codecs\\\":\\\"PCMA PCMU\\\",\\\"priority\\\":\\\"5\\\"}",
		"{\\\"route\\\":\\\"+49\\\",\\\"verdict\\\":\\\"allow\\\",\\\"trunks\\\":"
		"\\\"carrier\\\",\\\"cost\\\":2}",
	};
	g_autofree char *reply = ask(&gateway, "export");

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_holds(reply, lines[i]);
	g_assert_null(strstr(reply, "hunter2"));
}

static void
test_import(void)
{
	const guint n = G_N_ELEMENTS(imports);

	gateway_init("/nowhere");
	audited = g_string_new(NULL);
	for (guint round = 0; round < 2; round++) { /* the same file again does no harm */
		g_autofree char *request = import_request(0, n);
		g_autofree char *reply = control_execute(&gateway, gateway.store, request);
		g_autofree char *users = NULL, *number = NULL, *alice = NULL, *trunk = NULL;
		g_autofree char *phones = NULL;

		g_test_message("%s\n%s", reply, audited->str);
		g_assert_true(g_str_has_prefix(reply, "{\"ok\":true"));
		for (guint i = 0; i < n; i++) {
			g_autofree char *row = g_strdup_printf("[%u,\"", i + 1);
			const char *found = strstr(reply, row);

			g_assert_true(!found == !*imports[i].error);
			if (found)
				assert_holds(found, imports[i].error);
		}
		g_assert_true(!strstr(reply, "[\"made\",\"") == (round > 0));
		g_assert_null(strstr(reply, "[\"unmade\""));
		users = ask(&gateway, "user list");
		assert_holds(users, "[\"alice@example.org\",\"+14155550102\",\"yes\"");
		assert_holds(users, "[\"bob@example.org\",\"\",\"no\"");
		g_assert_null(strstr(users, "carol"));
		number = ask(&gateway, "number list");
		g_assert_null(strstr(number, "+14155550199"));
		alice = ask(&gateway, "user show alice@example.org");
		assert_holds(alice, "[\"ring\",\"sip\"]");
		assert_holds(alice, "[\"max-calls\",\"3\"]");
		phones = ask(&gateway, "softphone list");
		assert_holds(phones, "[\"desk\",\"alice@example.org\"");
		g_assert_null(strstr(phones, "unmade"));
		trunk = ask(&gateway, "trunk show carrier");
		assert_holds(trunk, "[\"priority\",\"5\"]");
		assert_holds(trunk, "[\"codecs\",\"PCMA PCMU\"]");
	}
	assert_holds(audited->str, "import, lines 1 to ");
	g_assert_null(strstr(audited->str, "hunter2"));
	/* what was told is what was done, and nothing of what was undone */
	assert_holds(gateway.changes->str, "user alice@example.org;");
	g_assert_null(strstr(gateway.changes->str, "carol"));
	g_assert_null(strstr(gateway.changes->str, "unmade"));
	g_free(ask(&gateway, "import 0")); /* and now it is on the disk */
	assert_export();
	g_string_free(audited, TRUE);
	audited = NULL;
	gateway_clear();
}

/* In words, with the remedy apart; of a user the newest that failed or was bad. */
static void
test_why(void)
{
	CallRecord failed = { .state = (char *)"ENDED",
			      .started_us = 1700000000000000,
			      .ended_us = 1700000001000000,
			      .user = (char *)"alice@example.org",
			      .caller = (char *)"+14155550101",
			      .callee = (char *)"+14155550199",
			      .trunk = (char *)"c1",
			      .reason = (char *)"timeout",
			      .ended_by = (char *)"gateway",
			      .text = (char *)"The trunk c1 did not answer the INVITE at "
					      "192.0.2.7:5060. Check that "
					      "the carrier knows this gateway's address, and the "
					      "firewall for SIP",
			      .ladder = (char *)"0\tcaller\tin\tpropose\n5\tcore\tnote\tmessage to "
						"alice@example.org: It did not respond\n" };
	CallRecord good = { .state = (char *)"ENDED",
			    .started_us = 1700000002000000,
			    .ended_us = 1700000003000000,
			    .user = (char *)"alice@example.org",
			    .caller = (char *)"+14155550101",
			    .callee = (char *)"+14155550199",
			    .reason = (char *)"hangup",
			    .text = (char *)"The call was hung up",
			    .ladder = (char *)"" };
	static const char *const wanted[] = {
		"[\"call\",\"1\"]",
		"[\"why\",\"The trunk c1 did not answer the INVITE at 192.0.2.7:5060\"]",
		"[\"remedy\",\"Check that the carrier knows",
		"[\"told\",\"alice@example.org: It did not respond\"]",
		"[\"ended-by\",\"gateway\"]",
	};
	g_autofree char *of_user = NULL, *of_call = NULL, *nobody = NULL, *neither = NULL;

	gateway_init("/nowhere");
	g_assert_true(store_call_begin(gateway.store, &failed, NULL));
	for (guint i = 0; i < 450; i++) /* more than are read at once */
		g_assert_true(store_call_begin(gateway.store, &good, NULL));
	of_user = ask(&gateway, "why alice@example.org");
	of_call = ask(&gateway, "why 1");
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		assert_holds(of_user, wanted[i]);
		assert_holds(of_call, wanted[i]);
	}
	nobody = ask(&gateway, "why bob@example.org");
	assert_holds(nobody, "failed or was bad");
	neither = ask(&gateway, "why alice");
	assert_holds(neither, "neither a bare JID nor the id of a call");
	gateway_clear();
}

/* The kernel is asked beside the signalling thread, at once and then every half minute. */
static void
test_memory(void)
{
	g_assert_cmpuint(
		memory_parse_pss("5581 r\nRss: 1 kB\nPss:        2345 kB\nPss_Dirty: 9 kB\n"), ==,
		2345);
	g_assert_cmpuint(memory_parse_pss("Rss: 1 kB\nPss_Dirty: 9 kB\n"), ==, 0);
	g_assert_cmpuint(memory_parse_pss(""), ==, 0);
	memory_unwatch(memory_watch());
	if (g_file_test("/proc/self/smaps_rollup", G_FILE_TEST_EXISTS))
		g_assert_cmpuint(memory_pss(), >, 0);
}

static void
test_live(void)
{
	g_autofree char *status = NULL, *drawn = NULL, *listed = NULL, *shown = NULL;
	g_autofree char *trunk = NULL, *config = NULL;
	g_autoptr(Trunk) secret = NULL;

	gateway_init("/nowhere");
	add_calls();
	gateway.live = 2;
	g_free(ask(&gateway, "user add alice@example.org"));
	g_free(ask(&gateway, "trunk add carrier sip.example.net"));
	secret = trunk_new("secret", "sip.example.net");
	g_free(secret->transport);
	secret->transport = g_strdup("tls");
	g_assert_true(store_trunk_add(gateway.store, secret, NULL));

	config = ask(&gateway, "config show xmpp");
	assert_holds(config, "[\"xmpp\",\"secret\",\"(set)\",\"\",");
	assert_holds(config, "[\"xmpp\",\"port\",\"5347\",\"5347\",");
	g_assert_null(strstr(config, "\"sip\""));
	status = ask(&gateway, "status");
	assert_holds(status, "[\"version\",\"");
	assert_holds(status, "[\"media-load\",\"media-0 40 %, media-1 41 %\",\"gateway\",\"\"]");
	assert_holds(status, ",\"gateway\",\"s\"]");
	assert_holds(status, "\"gateway\",\"KiB\"]");
	assert_holds(status, "[\"emergency\",\"refused");
	assert_holds(status, "[\"calls\",1,\"gateway\",\"\"]");
	assert_holds(status, "[\"xmpp stream\",\"up since 12:00\",\"xmpp\",\"\"]");
	assert_holds(status, "[\"xmpp legs\",3,\"xmpp\",\"\"]");
	assert_holds(status, "[\"xmpp trunk carrier state\",\"well: enabled\",\"xmpp\",\"\"]");
	assert_holds(status, "[\"count notices\",7,\"count\",\"\"]");
	assert_holds(status, "[\"count xmpp strangers\",5,\"count\",\"\"]");
	g_assert_null(strstr(status, "silent"));
	assert_holds(status, "[\"trunk carrier\",\"sip.example.net:5060 udp");
	assert_holds(status, "[\"trunk secret\",\"sip.example.net:5061 tls");
	trunk = ask(&gateway, "trunk show carrier");
	assert_holds(trunk, "[\"state\",\"well: enabled\"]");
	g_assert_null(strstr(trunk, "down"));
	drawn = ask(&gateway, "ladder 2");
	assert_holds(drawn, "INVITE live");
	listed = ask(&gateway, "calls");
	assert_holds(listed, "one-way: the caller is not heard");
	shown = ask(&gateway, "call show 2");
	assert_holds(shown, "one-way: the caller is not heard");
	assert_holds(shown, "[\"media\",\"port=caller packets_in=7\"]");

	g_free(ask(&gateway, "hangup 1"));
	g_assert_cmpuint(gateway.hangups, ==, 0);
	g_free(ask(&gateway, "hangup 2"));
	g_assert_cmpuint(gateway.hangups, ==, 1);
	gateway_clear();
}

/* --- the socket --- */

static int
dial(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(name.sun_path, path, sizeof name.sun_path);
	g_assert_cmpint(connect(fd, (struct sockaddr *)&name, sizeof name), ==, 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	g_assert_cmpint(send(fd, text, strlen(text), MSG_NOSIGNAL), ==, (ssize_t)strlen(text));
}

/* The next line, while the main loop serves; NULL when the peer has closed. */
static char *
hear(int fd)
{
	g_autoptr(GString) line = g_string_new(NULL);
	char c;

	while (TRUE) {
		ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

		if (n == 1 && c == '\n')
			return g_strdup(line->str);
		if (n == 1)
			g_string_append_c(line, c);
		else if (n == 0 || errno == ECONNRESET)
			return NULL;
		else
			g_main_context_iteration(NULL, TRUE);
	}
}

static void
test_socket(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	g_autofree char *flood = g_strnfill(70000, 'x');
	g_autoptr(GError) error = NULL;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct stat status;
	Control *control;
	int one, other, dead;
	char *reply;

	gateway_init(path);

	/* what a dead daemon left is replaced */
	dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(name.sun_path, path, sizeof name.sun_path);
	g_assert_cmpint(bind(dead, (struct sockaddr *)&name, sizeof name), ==, 0);
	close(dead);
	control = control_start(&gateway, &error);
	g_assert_no_error(error);
	g_assert_cmpint(stat(path, &status), ==, 0);
	g_assert_cmpuint(status.st_mode & 0777, ==, 0660);

	/* a living one is not */
	g_assert_null(control_start(&gateway, &error));
	g_assert_nonnull(error);
	assert_holds(error->message, "another tandemd answers");
	g_clear_error(&error);

	/* several clients, lines in pieces, several lines at once */
	one = dial(path);
	other = dial(path);
	say(one, "[\"user\",\"add\",");
	say(other, "[\"user\",\"list\"]\n[\"nonsense\"]\n[\"help\"]\n");
	for (int i = 0; i < 3; i++) {
		reply = hear(other);
		g_assert_nonnull(reply);
		g_assert_true(g_str_has_prefix(reply, i == 1 ? "{\"ok\":false" : "{\"ok\":true"));
		g_free(reply);
	}
	say(one, "\"alice@example.org\"]\n");
	reply = hear(one);
	g_assert_cmpstr(reply, ==, "{\"ok\":true}");
	g_free(reply);

	/* a line without an end is cut off with a word; the others are served on */
	send(other, flood, strlen(flood), MSG_NOSIGNAL | MSG_DONTWAIT);
	reply = hear(other);
	assert_holds(reply, "a line is at most");
	g_free(reply);
	g_assert_null(hear(other));
	say(one, "[\"user\",\"list\"]\n");
	reply = hear(one);
	assert_holds(reply, "alice@example.org");
	g_free(reply);

	/* stopping with clients still there, one with an answer under way */
	say(one, "[\"help\"]\n");
	control_stop(control);
	g_assert_cmpint(stat(path, &status), <, 0);
	close(one);
	close(other);

	/* something that is no socket stays */
	g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
	g_assert_null(control_start(&gateway, &error));
	assert_holds(error->message, "no socket");
	g_assert_cmpint(g_unlink(path), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
	gateway_clear();
}

/* Whoever says nothing makes way, and is told why. */
static void
test_idle(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL), *reply = NULL, *word = NULL;
	g_autofree char *late = NULL;
	g_autoptr(GError) error = NULL;
	Control *control;
	int idle[40], busy;

	gateway_init(path);
	control_idle_s = 1;
	control = control_start(&gateway, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(idle); i++) {
		idle[i] = dial(path);
		g_main_context_iteration(NULL, FALSE);
	}
	busy = dial(path);
	say(busy, "[\"help\"]\n");
	reply = hear(busy);
	g_assert_true(g_str_has_prefix(reply, "{\"ok\":true"));
	word = hear(idle[0]); /* the one that has been silent for the longest time */
	assert_holds(word, "\"ok\":false");
	assert_holds(word, "others want to connect");
	g_assert_null(hear(idle[0]));
	late = hear(idle[G_N_ELEMENTS(idle) - 1]);
	assert_holds(late, "nothing was said for too long");
	g_assert_null(hear(idle[G_N_ELEMENTS(idle) - 1]));
	for (guint i = 0; i < G_N_ELEMENTS(idle); i++)
		close(idle[i]);
	close(busy);
	control_stop(control);
	control_idle_s = 60;
	g_rmdir(folder);
	gateway_clear();
}

/* --- tandemctl, on the socket of a gateway that runs --- */

static const struct {
	const char *words;
	int status;
	const char *out, *err; /* what each holds; NULL: it is empty */
} uses[] = {
	{ "user add alice@example.org", 0, NULL, NULL },
	{ "user list", 0, "user               caller-id  enabled  created\nalice@example.org  ",
	  NULL },
	{ "number list", 0, "none\n", NULL },
	{ "--json number list", 0, "\"rows\":[]", NULL },
	{ "number add x alice@example.org", 2, NULL, "tandemctl: number x: not E.164" },
	{ "number add x alice@example.org --json", 2, "\"status\":2", NULL },
	{ "status", 0, "gateway\n  version ", NULL },
	{ "status", 0, "xmpp\n  stream ", NULL },
	{ "--json status", 0, "[\"calls\",0,\"gateway\",\"\"]", NULL },
	{ "export", 0, "{\"user\":\"alice@example.org\"}\n", NULL },
	{ "ladder 1", 0, "INVITE", NULL },
	{ "call show 1", 0, "Busy (486 Busy Here)\n", NULL },
	{ "user --help", 0, "user add JID", NULL },
	{ "--help", 0, "Exit status", NULL },
	{ "", 2, NULL, "a command is missing" },
	{ "status --config", 2, NULL, "need a path" },
	{ "help frobnicate", 2, NULL, "unknown command" },
	{ "--json", 2, "{\"ok\":false,\"status\":2,\"error\":", NULL },
	{ "--json status --config", 2, "{\"ok\":false,\"status\":2,\"error\":", NULL },
	{ "--json import /nonexistent", 2, "{\"ok\":false,\"status\":2,\"error\":", NULL },
};

typedef struct {
	gboolean done;
	char *out, *err;
} Run;

static void
on_finished(GObject *process, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	Run *run = user;

	g_subprocess_communicate_utf8_finish(G_SUBPROCESS(process), result, &run->out, &run->err,
					     &error);
	g_assert_no_error(error);
	run->done = TRUE;
}

static void
assert_stream(const char *text, const char *part)
{
	if (part)
		assert_holds(text, part);
	else
		g_assert_cmpstr(text, ==, "");
}

static void
use_tandemctl(const char *path, guint i)
{
	g_autofree char *program = g_build_filename(g_getenv("top_builddir"), "tandemctl", NULL);
	g_autofree char *line = g_strdup_printf("%s --socket %s %s", program, path, uses[i].words);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process = NULL;
	Run run = { 0 };

	if (!*uses[i].words)
		g_clear_pointer(&words[3], g_free);
	process = g_subprocess_newv((const char *const *)words,
				    G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
				    &error);
	g_assert_no_error(error);
	g_subprocess_communicate_utf8_async(process, NULL, NULL, on_finished, &run);
	while (!run.done)
		g_main_context_iteration(NULL, TRUE);
	g_test_message("%s: %d\n%s%s", uses[i].words, g_subprocess_get_exit_status(process),
		       run.out, run.err);
	g_assert_cmpint(g_subprocess_get_exit_status(process), ==, uses[i].status);
	assert_stream(run.out, uses[i].out);
	assert_stream(run.err, uses[i].err);
	g_free(run.out);
	g_free(run.err);
}

static void
test_tandemctl(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-control-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "s", NULL);
	g_autoptr(GError) error = NULL;
	Control *control;

	if (!g_getenv("top_builddir")) {
		g_test_skip("top_builddir is not set: run it by make check");
		g_rmdir(folder);
		return;
	}
	gateway_init(path);
	add_calls();
	control = control_start(&gateway, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(uses); i++)
		use_tandemctl(path, i);
	control_stop(control);
	g_rmdir(folder);
	gateway_clear();
}

static guint
count_of(const char *text, const char *part)
{
	guint n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* What is asked for by its time is there to the last of it; otherwise the list says that it is
 * short. */
static void
test_whole_lists(void)
{
	static const struct {
		const char *command;
		guint rows;
		gboolean more;
	} ROWS[] = {
		{ "calls", 20, TRUE },
		{ "calls --last 30", 30, FALSE },
		{ "calls --direction in", 20, TRUE },
		{ "calls --since 2000-01-01", 70, FALSE },
		{ "calls --until 2100-01-01 --direction in", 70, FALSE },
		{ "calls --since 2000-01-01 --last 30", 30, FALSE },
		{ "calls --since 2100-01-01", 0, FALSE },
	};
	CallRecord record = { .state = (char *)"ENDED",
			      .started_us = 1700000000 * (gint64)G_USEC_PER_SEC,
			      .ended_us = 1700000001 * (gint64)G_USEC_PER_SEC,
			      .caller = (char *)"+4930123456",
			      .trunk = (char *)"carrier" };

	gateway_init("/nowhere");
	for (guint i = 0; i < 70; i++) {
		g_assert_true(store_call_begin(gateway.store, &record, NULL));
		g_assert_true(store_call_update(gateway.store, &record, NULL));
	}
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *reply = ask(NULL, ROWS[i].command);

		if (count_of(reply, "\"ENDED\"") != ROWS[i].rows ||
		    !!strstr(reply, ",\"more\":true}") != ROWS[i].more)
			g_error("%s: %s", ROWS[i].command, reply);
	}
	gateway_clear();
}

/* At half past midnight, the operator's night. */
static void
test_times(void)
{
	static const struct {
		const char *word, *since, *until; /* NULL: no time */
	} ROWS[] = {
		{ "00:10", "2026-11-30 00:10:00", "2026-11-30 00:10:00" },
		{ "23:00", "2026-11-29 23:00:00", "2026-11-30 23:00:00" },
		{ "23:00:05", "2026-11-29 23:00:05", "2026-11-30 23:00:05" },
		{ "2h", "2026-11-29 22:30:00", "2026-11-29 22:30:00" },
		{ "90s", "2026-11-30 00:28:30", "2026-11-30 00:28:30" },
		{ "45m", "2026-11-29 23:45:00", "2026-11-29 23:45:00" },
		{ "3d", "2026-11-27 00:30:00", "2026-11-27 00:30:00" },
		{ "today", "2026-11-30 00:00:00", "2026-11-30 00:00:00" },
		{ "yesterday", "2026-11-29 00:00:00", "2026-11-29 00:00:00" },
		{ "2026-11-28", "2026-11-28 00:00:00", "2026-11-28 00:00:00" },
		{ "2026-11-28 10:00", "2026-11-28 10:00:00", "2026-11-28 10:00:00" },
		{ "2026-11-28 10:00:01", "2026-11-28 10:00:01", "2026-11-28 10:00:01" },
		{ "2026-11-28T10:00", "2026-11-28 10:00:00", "2026-11-28 10:00:00" },
		{ "2026-12-28", "2026-12-28 00:00:00", "2026-12-28 00:00:00" },
		{ "2026-02-31", NULL, NULL },
		{ "24:00", NULL, NULL },
		{ "2", NULL, NULL },
		{ "h", NULL, NULL },
		{ "2hh", NULL, NULL },
		{ "9999999h", NULL, NULL },
		{ "-2h", NULL, NULL },
		{ "", NULL, NULL },
		{ "2026-11-28x10:00", NULL, NULL },
	};
	g_autoptr(GDateTime) now = g_date_time_new_local(2026, 11, 30, 0, 30, 0);

	for (guint i = 0; i < 2 * G_N_ELEMENTS(ROWS); i++) {
		const gboolean past = i % 2 == 0;
		const char *wanted = past ? ROWS[i / 2].since : ROWS[i / 2].until;
		g_autoptr(GDateTime) time = NULL;
		g_autofree char *text = NULL;
		gint64 us;

		if (word_time(ROWS[i / 2].word, now, past, &us)) {
			time = g_date_time_new_from_unix_local(us / G_USEC_PER_SEC);
			text = g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
		}
		if (g_strcmp0(text, wanted) != 0)
			g_error("%s is %s, not %s", ROWS[i / 2].word, text, wanted);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(catch_log, NULL, NULL);
	g_test_add_func("/control/times", test_times);
	g_test_add_func("/control/whole-lists", test_whole_lists);
	g_test_add_func("/control/commands", test_commands);
	g_test_add_func("/control/mistakes", test_mistakes);
	g_test_add_func("/control/trunk-keys", test_trunk_keys);
	g_test_add_func("/control/table", test_table);
	g_test_add_func("/control/keys", test_keys);
	g_test_add_func("/control/self", test_self);
	g_test_add_func("/control/another", test_another);
	g_test_add_func("/control/bad-lines", test_bad_lines);
	g_test_add_func("/control/changes", test_changes);
	g_test_add_func("/control/audit", test_audit);
	g_test_add_func("/control/portions", test_portions);
	g_test_add_func("/control/erase-meanwhile", test_erase_meanwhile);
	g_test_add_func("/control/erase-while-another-writes", test_erase_while_another_writes);
	g_test_add_func("/control/import", test_import);
	g_test_add_func("/control/idle", test_idle);
	g_test_add_func("/control/why", test_why);
	g_test_add_func("/control/memory", test_memory);
	g_test_add_func("/control/live", test_live);
	g_test_add_func("/control/socket", test_socket);
	g_test_add_func("/control/tandemctl", test_tandemctl);
	return g_test_run();
}
