/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-gateway.c - plugins, limits, the orderly stop, what a crash left. */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <string.h>

static Config *config;
static Store *store;
static Gateway *gateway;

static void
set_up(const char *more)
{
	g_autofree char *text = g_strconcat("[gateway]\nplugins=echo\ndrain_seconds=1\n"
					    "[xmpp]\ndomain=gw.example.org\n",
					    more, NULL);

	gateway = fake_gateway_new(text, &config, &store);
	for (guint i = 1; i <= 2; i++) {
		g_autofree char *jid = g_strdup_printf("user%u@example.org", i);
		g_autofree char *number = g_strdup_printf("+1555000%u", i);

		g_assert_true(store_user_add(store, jid, NULL));
		g_assert_true(store_number_add(store, number, jid, NULL));
	}
}

static void
tear_down(void)
{
	core_free(gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	g_assert_cmpuint(fake_media.open, ==, 0);
	store_close(store);
	config_free(config);
}

static char *refusal; /* what the last hangup said */

static void
keep_refusal(FakeLeg *leg, const char *command, const char *what)
{
	if (strcmp(command, "hangup") == 0) {
		g_free(refusal);
		refusal = g_strdup(what);
	}
}

/* A call out of a user; what it was refused with, or NULL. */
static const char *
call_to(const char *user, const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autofree char *jid = g_strconcat(user, "@example.org/phone", NULL);
	g_autoptr(Address) from = address_from_jid(jid);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_WEBRTC, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	fake_legs.in_command = keep_refusal;
	g_clear_pointer(&refusal, g_free);
	call_new(gateway, &leg->leg, &fake_xmpp, &incoming);
	return refusal;
}

static const char *
call_out(const char *user)
{
	return call_to(user, "+14155551234");
}

static Call *
first_call(void)
{
	g_autoptr(GPtrArray) calls = calls_all(gateway);

	return calls->pdata[0];
}

/* --- limits --- */

static void
test_limit_per_user(void)
{
	set_up("[limits]\nmax_calls_per_user=2\n");
	g_assert_null(call_out("user1"));
	g_assert_null(call_out("user1"));
	g_assert_cmpstr(
		call_out("user1"), ==,
		"overload: The network is full or busy, please try again later (your account "
		"has as many calls as allowed)");
	g_assert_null(call_out("user2"));
	g_assert_cmpuint(calls_live(gateway), ==, 3);
	/* one ends: there is room again */
	call_hangup(first_call(), REASON_ADMIN, NULL);
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	g_assert_null(call_out("user1"));
	g_assert_cmpuint(gateway_counter(gateway, COUNTER_CALLS_OVER_LIMIT), ==, 1);
	tear_down();
}

static FakeLeg *
newest_leg(void)
{
	return fake_legs.legs->pdata[fake_legs.legs->len - 1];
}

/* Who sends calls on pays for them: they are his as well as the caller's. */
static void
test_limit_of_forwards(void)
{
	const char *full =
		"busy: The line is busy (the person called has as many calls as allowed)";

	set_up("");
	g_assert_true(store_setting_set(store, "user2@example.org", "max-calls", "1", NULL));
	g_assert_true(store_setting_set(store, "user2@example.org", "forward-always",
					"+14155551234", NULL));
	g_assert_null(call_to("user1", "+15550002"));
	g_assert_cmpstr(call_to("user1", "+15550002"), ==, full);
	g_assert_nonnull(strstr(call_out("user2"), "as many calls as allowed"));
	call_hangup(first_call(), REASON_ADMIN, NULL);
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_null(call_out("user2"));
	g_assert_cmpstr(call_to("user1", "+15550002"), ==, full);
	call_hangup(first_call(), REASON_ADMIN, NULL);
	fake_media_deliver();

	/* the same when it is sent on later: then his devices' word is the last */
	g_assert_true(store_setting_set(store, "user2@example.org", "forward-always", NULL, NULL));
	g_assert_true(store_setting_set(store, "user2@example.org", "forward-busy", "+14155551234",
					NULL));
	for (guint i = 0; i < 2; i++) {
		g_assert_null(call_to("user1", "+15550002"));
		fake_media_deliver();
		fake_leg_end(newest_leg(), REASON_BUSY, NULL);
		fake_media_deliver();
		g_assert_cmpuint(calls_live(gateway), ==, 1);
	}
	g_assert_cmpstr(refusal, ==, "busy: The line is busy");
	g_assert_nonnull(strstr(call_out("user2"), "as many calls as allowed"));
	call_hangup(first_call(), REASON_ADMIN, NULL);
	fake_media_deliver();
	g_assert_null(call_out("user2"));
	tear_down();
}

static void
test_limit_in_all(void)
{
	set_up("[limits]\nmax_calls=2\n");
	g_assert_null(call_out("user1"));
	g_assert_null(call_out("user2"));
	g_assert_nonnull(strstr(call_out("user2"), "all lines are in use"));
	tear_down();
}

typedef struct {
	guint calls, refusals, refused; /* rows of both, and what the latter stand for */
} Rows;

static Rows
count_rows(void)
{
	g_autoptr(GPtrArray) records = NULL;
	Rows rows = { 0 };

	store_flush_refusals(store);
	records = store_call_list(store, 1000, NULL);
	for (guint i = 0; i < records->len; i++) {
		const CallRecord *record = records->pdata[i];

		rows.calls += record->count == 0;
		rows.refusals += record->count > 0;
		rows.refused += record->count;
	}
	return rows;
}

/* A flood is refused, and has ten records of its own and one that counts; a minute may
 * end meanwhile. */
static void
test_limit_rate(void)
{
	guint refused = 0;
	Rows rows;

	set_up("[limits]\nmax_setup_per_second=5\nmax_calls_per_user=1000\n");
	for (guint i = 0; i < 50; i++)
		refused += call_out("user1") != NULL;
	/* the 50 take milliseconds: they fall into one second, or into two */
	g_assert_cmpuint(refused, >=, 40);
	g_assert_nonnull(strstr(refusal ? refusal : "too many calls", "too many calls"));
	rows = count_rows();
	g_assert_cmpuint(rows.calls, ==, 50 - refused);
	g_assert_cmpuint(rows.refused, ==, refused);
	g_assert_cmpuint(rows.refusals, <=, 2 * 11);
	tear_down();
}

static void
test_flood_of_a_stranger(void)
{
	Rows rows;

	set_up("");
	for (guint i = 0; i < 40; i++)
		g_assert_nonnull(call_out("stranger"));
	g_assert_nonnull(call_out("other"));
	rows = count_rows();
	g_assert_cmpuint(rows.calls + rows.refused, ==, 41);
	g_assert_cmpuint(rows.calls, >=, 11); /* whole, with their ladders */
	g_assert_cmpuint(rows.calls + rows.refusals, <=, 1 + 2 * 11);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

static void
test_refused_by_route(void)
{
	g_autoptr(GPtrArray) records = NULL;
	const CallRecord *record;

	set_up("");
	g_assert_cmpstr(call_out("stranger"), ==,
			"forbidden: The call is not allowed (you have no account here)");
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	records = store_call_list(store, 10, NULL);
	g_assert_cmpuint(records->len, ==, 1);
	record = records->pdata[0];
	g_assert_cmpstr(record->reason, ==, "forbidden");
	g_assert_cmpstr(record->ended_by, ==, "gateway");
	g_assert_cmpstr(record->state, ==, "ENDED");
	tear_down();
}

/* --- the orderly stop --- */

static void
note_done(gpointer user)
{
	*(gboolean *)user = TRUE;
}

static void
wait_for(gboolean *flag)
{
	while (!*flag)
		g_main_context_iteration(NULL, TRUE);
}

static void
test_drain(void)
{
	gboolean done = FALSE;

	set_up("");
	g_assert_null(call_out("user1"));
	calls_drain(gateway, note_done, &done);
	g_assert_true(gateway_is_stopping(gateway));
	g_assert_nonnull(strstr(call_out("user2"), "the gateway is stopping"));
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	g_assert_false(done);
	call_hangup(first_call(), REASON_ADMIN, NULL);
	fake_media_deliver();
	wait_for(&done);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

static void
test_drain_nobody(void)
{
	gboolean done = FALSE;

	set_up("");
	calls_drain(gateway, note_done, &done);
	g_assert_false(done); /* never from inside */
	wait_for(&done);
	tear_down();
}

/* Whoever still talks when the time is up is hung up. */
static void
test_drain_time_is_up(void)
{
	gboolean done = FALSE;

	set_up("");
	g_assert_null(call_out("user1"));
	g_assert_null(call_out("user2"));
	calls_drain(gateway, note_done, &done);
	while (!done) {
		g_main_context_iteration(NULL, TRUE);
		fake_media_deliver();
	}
	g_assert_nonnull(strstr(refusal, "shutdown: "));
	tear_down();
}

/* An ended call whose media never tells its counters goes all the same. */
static void
test_settles_without_counters(void)
{
	gboolean done = FALSE;

	set_up("");
	g_assert_null(call_out("user1"));
	call_hangup(first_call(), REASON_ADMIN, NULL);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	calls_drain(gateway, note_done, &done);
	wait_for(&done);
	tear_down();
}

/* The timeouts of the table are real: SETUP ends by itself. */
static void
test_setup_timeout(void)
{
	set_up("[calls]\nsetup_timeout=1\n");
	g_assert_null(call_out("user1"));
	while (calls_live(gateway) > 0 && first_call()->state != CALL_ENDED)
		g_main_context_iteration(NULL, TRUE);
	g_assert_nonnull(strstr(refusal, "no-media: "));
	tear_down();
}

/* --- after a crash --- */

static void
test_bury(void)
{
	CallRecord left = {
		.state = (char *)"ACTIVE",
		.started_us = 1,
		.answered_us = 2,
		.caller = (char *)"+15550001",
		.callee = (char *)"+15550002",
		.legs = (char *)"sip\tleg\\t7\\nof a \\303\\244\nxmpp\tleg 8\nlost\tx\n",
		.ladder = (char *)"0\tcore\tnote\tACTIVE\n"
	};
	g_autoptr(CallRecord) record = NULL;

	set_up("");
	g_assert_true(store_call_begin(store, &left, NULL));
	g_log_set_always_fatal(G_LOG_FATAL_MASK); /* it warns of the lost leg */
	calls_bury(gateway);
	g_assert_cmpuint(fake_legs.buried, ==, 2);
	g_assert_cmpstr(fake_legs.last_buried, ==, "leg 8");
	record = store_call_get(store, left.id, NULL);
	g_assert_cmpstr(record->reason, ==, "crashed");
	g_assert_cmpstr(record->state, ==, "ENDED");
	g_assert_cmpstr(record->legs, ==, "");
	g_assert_cmpstr(record->ladder, ==, left.ladder);
	g_assert_cmpint(record->ended_us, !=, 0);
	calls_bury(gateway); /* once is enough */
	g_assert_cmpuint(fake_legs.buried, ==, 2);
	tear_down();
}

/* What save() gave is what bury() gets, whatever is in it. */
static void
test_save_and_bury(void)
{
	g_autoptr(GPtrArray) live = NULL;
	const CallRecord *record;
	g_auto(GStrv) fields = NULL;
	g_autofree char *saved = NULL;

	set_up("");
	g_assert_null(call_out("user1"));
	leg_save(&fake_leg_find("caller")->leg);
	live = store_call_list_live(store, NULL);
	g_assert_cmpuint(live->len, ==, 1);
	record = live->pdata[0];
	fields = g_strsplit(g_strchomp(record->legs), "\t", 2);
	saved = g_strcompress(fields[1]);
	g_assert_cmpstr(fields[0], ==, "xmpp");
	g_assert_cmpstr(saved, ==, fake_leg_find("caller")->save);
	tear_down();
}

/* --- plugins --- */

static void
test_plugin_version(void)
{
	Plugin other = fake_sip;
	g_autoptr(GError) error = NULL;

	set_up("");
	other.interface_version = PLUGIN_INTERFACE_VERSION + 1;
	other.name = "other";
	g_assert_false(gateway_add_plugin(gateway, &other, &error));
	g_assert_nonnull(strstr(error->message,
				", this gateway has " G_STRINGIFY(PLUGIN_INTERFACE_VERSION)));
	g_assert_null(gateway_plugin(gateway, "other"));
	tear_down();
}

/* Who says whom he reaches has to be able to call them. */
static void
test_plugin_without_verbs(void)
{
	static const LegVerbs deaf = { .hangup = NULL };
	g_autoptr(GError) none = NULL, some = NULL;
	Plugin other = fake_sip;

	set_up("");
	other.name = "other";
	other.leg = NULL;
	g_assert_false(gateway_add_plugin(gateway, &other, &none));
	g_assert_nonnull(strstr(none->message, "has no dial and hangup"));
	other.leg = &deaf;
	g_assert_false(gateway_add_plugin(gateway, &other, &some));
	other.reaches = 0;
	g_clear_error(&some);
	g_assert_false(
		gateway_add_plugin(gateway, &other, &some)); /* whom it calls cannot hang up */
	other.leg = NULL;
	g_assert_true(gateway_add_plugin(gateway, &other, NULL));
	tear_down();
}

static void
test_plugin_twice(void)
{
	g_autoptr(GError) error = NULL;

	set_up("");
	g_assert_false(gateway_add_plugin(gateway, &fake_sip, &error));
	g_assert_nonnull(strstr(error->message, "twice"));
	tear_down();
}

/* Real modules: one of another version, one that is none, one that is not there. */
static void
test_plugin_modules(void)
{
	static const struct {
		const char *name, *error;
	} CASES[] = {
		{ "oldmodule",
		  ", this gateway has " G_STRINGIFY(PLUGIN_INTERFACE_VERSION) ": rebuild" },
		{ "nomodule", "has no symbol tandem_plugin" },
		{ "absent", "absent" },
	};
	g_autofree char *folder = g_test_build_filename(G_TEST_BUILT, "core", ".libs", NULL);
	g_autofree char *more = g_strdup_printf("[gateway]\nplugin_dir=%s\n", folder);

	set_up(more);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(gateway_load_plugin(gateway, CASES[i].name, &error));
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, CASES[i].error));
		g_assert_null(strchr(error->message, '\n'));
		g_assert_null(gateway_plugin(gateway, CASES[i].name));
	}
	tear_down();
}

/* --- docs --- */

static void
test_call_states_document(void)
{
	g_autofree char *path =
		g_test_build_filename(G_TEST_DIST, "..", "docs", "call-states.md", NULL);
	g_autofree char *document = NULL, *table = call_table_markdown();

	g_assert_true(g_file_get_contents(path, &document, NULL, NULL));
	/* `make call-states` writes it anew */
	g_assert_nonnull(strstr(document, table));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gateway/limit-per-user", test_limit_per_user);
	g_test_add_func("/gateway/limit-of-forwards", test_limit_of_forwards);
	g_test_add_func("/gateway/limit-in-all", test_limit_in_all);
	g_test_add_func("/gateway/limit-rate", test_limit_rate);
	g_test_add_func("/gateway/flood-of-a-stranger", test_flood_of_a_stranger);
	g_test_add_func("/gateway/refused-by-route", test_refused_by_route);
	g_test_add_func("/gateway/drain", test_drain);
	g_test_add_func("/gateway/drain-nobody", test_drain_nobody);
	g_test_add_func("/gateway/drain-time-is-up", test_drain_time_is_up);
	g_test_add_func("/gateway/settles-without-counters", test_settles_without_counters);
	g_test_add_func("/gateway/setup-timeout", test_setup_timeout);
	g_test_add_func("/gateway/bury", test_bury);
	g_test_add_func("/gateway/save-and-bury", test_save_and_bury);
	g_test_add_func("/gateway/plugin-version", test_plugin_version);
	g_test_add_func("/gateway/plugin-without-verbs", test_plugin_without_verbs);
	g_test_add_func("/gateway/plugin-twice", test_plugin_twice);
	g_test_add_func("/gateway/plugin-modules", test_plugin_modules);
	g_test_add_func("/gateway/call-states-document", test_call_states_document);
	return g_test_run();
}
