/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-limits.c - what one author can use up, and what a call for help is not asked.
 *
 * The rate and the lines are looked at second by second with a clock of the test's;
 * the gateway with everything used up.
 */
#include "b2bua/descriptors.h"
#include "b2bua/route/limits.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define RATE 50

/* --- the clock: the gateway calls this --- */

static _Atomic gint64 still_at; /* 0: the time goes on */

gint64
g_get_monotonic_time(void)
{
	struct timespec now;
	const gint64 still = still_at;

	if (still)
		return still;
	g_assert_cmpint(clock_gettime(CLOCK_MONOTONIC, &now), ==, 0);
	return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* A second that turns lets one more in: on a slow machine between any two calls. */
static void
stop_time(void)
{
	still_at = g_get_monotonic_time();
}

static void
let_time_go_on(void)
{
	still_at = 0;
}

/* --- the rate, with a clock of our own --- */

/* Asks evenly through the seconds from `from_s` to `to_s`, or all at the beginning. */
typedef struct {
	const char *name;
	guint a_second;
	gboolean burst;
	guint from_s, to_s;
	guint least, most; /* that are let in, a second, after the first */
} Asking;

typedef struct {
	const char *what;
	Asking who[3];
	guint most_in_all; /* in any second */
} Scene;

static const Scene SCENES[] = {
	{ "a trunk alone has the whole rate", { { "trunk a", 200, FALSE, 0, 10, 50, 50 } }, 50 },
	{ "and all that it asks for below it", { { "trunk a", 45, FALSE, 0, 10, 45, 45 } }, 45 },
	{ "one floods, another has a call now and then",
	  { { "alice", 200, FALSE, 0, 10, 25, 50 }, { "bob", 2, FALSE, 0, 10, 2, 2 } },
	  100 },
	{ "one floods, another comes later with twenty at once",
	  { { "alice", 200, FALSE, 0, 10, 25, 50 }, { "bob", 20, TRUE, 5, 6, 20, 20 } },
	  100 },
	{ "a trunk floods by an address that is forged",
	  { { "trunk a", 1000, FALSE, 0, 10, 25, 50 }, { "trunk b", 20, FALSE, 2, 10, 20, 20 } },
	  100 },
	{ "a wholesale trunk loses to a user no more than he uses",
	  { { "trunk a", 45, FALSE, 0, 10, 45, 45 }, { "bob", 1, FALSE, 0, 10, 1, 1 } },
	  46 },
	{ "two flood, a third is not held up",
	  { { "alice", 200, FALSE, 0, 10, 16, 40 },
	    { "eve", 200, FALSE, 0, 10, 16, 40 },
	    { "bob", 10, FALSE, 3, 10, 10, 10 } },
	  100 },
	{ "strangers together are one",
	  { { LIMITS_STRANGER, 500, FALSE, 0, 10, 25, 50 }, { "bob", 20, TRUE, 1, 10, 20, 20 } },
	  100 },
};

static void
play(const Scene *scene)
{
	Limits *limits = limits_new(RATE, 1000);
	const guint steps = 1000; /* of a second */

	for (guint second = 0; second < 10; second++) {
		guint had[3] = { 0 }, all = 0;

		for (guint step = 0; step < steps; step++)
			for (guint i = 0; i < 3; i++) {
				const Asking *who = &scene->who[i];
				guint before = who->a_second * step / steps;
				guint now = who->a_second * (step + 1) / steps;
				gint64 at = G_USEC_PER_SEC * (gint64)(1000 + second) + step * 1000;
				guint n = who->burst ? (step == 500 ? who->a_second : 0)
						     : now - before;

				if (!who->name || second < who->from_s || second >= who->to_s)
					continue;
				for (guint k = 0; k < n; k++)
					if (limits_ask(limits, who->name, at)) {
						limits_take(limits, who->name, at);
						had[i]++;
						all++;
					}
			}
		for (guint i = 0; i < 3; i++) {
			const Asking *who = &scene->who[i];

			if (!who->name || second < who->from_s || second >= who->to_s)
				continue;
			if (had[i] < who->least || had[i] > who->most)
				g_error("%s: %s had %u in second %u", scene->what, who->name,
					had[i], second);
		}
		if (all > scene->most_in_all)
			g_error("%s: %u in second %u", scene->what, all, second);
	}
	limits_free(limits);
}

static void
test_shares(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(SCENES); i++)
		play(&SCENES[i]);
}

/* What has been refused is nobody's: the one after it is let in. */
static void
test_refused_takes_nothing(void)
{
	Limits *limits = limits_new(10, 1000);
	const gint64 now = 7 * G_USEC_PER_SEC;
	guint had = 0;

	for (guint i = 0; i < 100000; i++) {
		if (!limits_ask(limits, "alice", now))
			continue;
		limits_take(limits, "alice", now);
		had++;
	}
	g_assert_cmpuint(had, ==, 10);
	g_assert_true(limits_ask(limits, "bob", now));
	/* who has gone is forgotten: the whole rate is alice's again */
	had = 0;
	for (guint i = 0; i < 100; i++)
		if (limits_ask(limits, "alice", now + 3 * G_USEC_PER_SEC)) {
			limits_take(limits, "alice", now + 3 * G_USEC_PER_SEC);
			had++;
		}
	g_assert_cmpuint(had, ==, 10);
	limits_free(limits);
}

/* A hundred thousand names are no more to us than four thousand. */
static void
test_many_names(void)
{
	Limits *limits = limits_new(RATE, 1000);
	const gint64 now = 7 * G_USEC_PER_SEC;
	guint had = 0;

	for (guint i = 0; i < 100000; i++) {
		g_autofree char *name = g_strdup_printf("user%u", i);

		if (!limits_ask(limits, name, now))
			continue;
		limits_take(limits, name, now);
		had++;
	}
	g_assert_cmpuint(had, >=, RATE);
	g_assert_cmpuint(had, <=, 2 * RATE);
	g_assert_true(limits_know(limits, "user1", now + G_USEC_PER_SEC));
	g_assert_false(limits_know(limits, "user99999", now));
	g_assert_false(limits_know(limits, "user1", now + 2 * G_USEC_PER_SEC));
	limits_free(limits);
}

/* --- lines --- */

static guint
fill(Limits *limits, const char *name, LineKind kind, gint64 now)
{
	guint had = 0;

	for (; limits_have_line(limits, name, kind, now); had++)
		limits_begin(limits, name, kind);
	return had;
}

static void
test_lines(void)
{
	Limits *limits = limits_new(RATE, 100);
	gint64 now = 1000 * G_USEC_PER_SEC;

	/* who is alone has all of them */
	limits_ask(limits, "trunk a", now);
	g_assert_cmpuint(fill(limits, "trunk a", LINE_ORDINARY, now), ==, 100);
	for (guint i = 0; i < 100; i++)
		limits_end(limits, "trunk a", LINE_ORDINARY);
	/* while others ask the last tenth is for those who have few */
	limits_ask(limits, "bob", now);
	limits_ask(limits, "trunk a", now);
	g_assert_cmpuint(fill(limits, "trunk a", LINE_ORDINARY, now), ==, 90);
	g_assert_cmpuint(fill(limits, "bob", LINE_ORDINARY, now), ==, 10);
	for (guint i = 0; i < 10; i++)
		limits_end(limits, "bob", LINE_ORDINARY);
	/* and when they have not asked for long */
	now += 301 * G_USEC_PER_SEC;
	limits_ask(limits, "trunk a", now);
	g_assert_cmpuint(fill(limits, "trunk a", LINE_ORDINARY, now), ==, 10);
	/* a call for help has a line of its own, and takes nobody's */
	g_assert_true(limits_have_line(limits, "carol", LINE_HELP, now));
	limits_begin(limits, "carol", LINE_HELP);
	limits_end(limits, "trunk a", LINE_ORDINARY);
	g_assert_true(limits_have_line(limits, "trunk a", LINE_ORDINARY, now));
	limits_free(limits);
}

static void
test_echo_lines(void)
{
	static const guint lines[][2] = { { 1000, 100 }, { 100, 10 }, { 10, 1 }, { 2, 1 } };

	for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
		Limits *limits = limits_new(RATE, lines[i][0]);

		g_assert_cmpuint(fill(limits, "trunk a", LINE_SERVICE, 0), ==, lines[i][1]);
		g_assert_true(limits_have_line(limits, "trunk a", LINE_ORDINARY, 0));
		limits_free(limits);
	}
}

/* --- calls for help, at the gateway --- */

static Config *config;
static Store *store;
static Gateway *gateway;
static char *refusal;

static void
echo_dial(Call *call, const Target *target, const Desc *offer)
{
	fake_sip.leg->dial(call, target, offer);
}

static LegVerbs echo_verbs;
static Plugin fake_echo;

static void
set_up(const char *more)
{
	g_autofree char *text =
		g_strconcat("[gateway]\nplugins=echo\ndrain_seconds=60\nemergency=trunk:carrier\n"
			    "[xmpp]\ndomain=gw.example.org\n",
			    more, NULL);

	gateway = fake_gateway_new(text, &config, &store);
	fake_media.reserved = 0;
	fake_echo = fake_sip;
	fake_echo.name = "echo";
	fake_echo.reaches = WAY_SERVICE;
	echo_verbs = *fake_sip.leg;
	echo_verbs.dial = echo_dial;
	fake_echo.leg = &echo_verbs;
	g_assert_true(gateway_add_plugin(gateway, &fake_echo, NULL));
	for (guint i = 1; i <= 30; i++) {
		g_autofree char *jid = g_strdup_printf("user%u@example.org", i);
		g_autofree char *number = g_strdup_printf("+1415555%04u", i);

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
	g_clear_pointer(&refusal, g_free);
}

static void
keep_refusal(FakeLeg *leg, const char *command, const char *what)
{
	if (strcmp(command, "hangup") == 0) {
		g_free(refusal);
		refusal = g_strdup(what);
	}
}

/* NULL: it goes on. */
static const char *
call_from(const char *user_or_trunk, const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	gboolean is_trunk = strcmp(user_or_trunk, "carrier") == 0;
	g_autofree char *jid = g_strconcat(user_or_trunk, "@example.org/phone", NULL);
	g_autoptr(Address) from = is_trunk ? address_new(ADDRESS_NUMBER, "+4930123456", NULL, NULL)
					   : address_from_jid(jid);
	g_autoptr(Address) to = strcmp(number, "echo") == 0
					? address_new(ADDRESS_SIP, "echo", "gw.example.org", NULL)
					: address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = {
		.from = from, .to = to, .offer = offer, .trunk = is_trunk ? "carrier" : NULL
	};

	fake_legs.in_command = keep_refusal;
	g_clear_pointer(&refusal, g_free);
	call_new(gateway, &leg->leg, is_trunk ? &fake_sip : &fake_xmpp, &incoming);
	return refusal;
}

static void
ignore_done(gpointer user)
{
}

/* --- how everything is used up --- */

static void
use_own_calls(void)
{
	while (!call_from("user1", "+14155551234"))
		;
	g_assert_nonnull(strstr(refusal, "as many calls as allowed"));
}

static void
use_lines(void)
{
	for (guint i = 1; !call_from(i % 2 ? "user1" : "user2", "+14155551234"); i++)
		;
	g_assert_nonnull(strstr(refusal, "all lines are in use"));
}

static void
use_rate(void)
{
	for (guint i = 0; i < 1000 && !call_from("user1", "+14155551234"); i++)
		;
	g_assert_nonnull(strstr(refusal, "too many calls began at once"));
}

static void
drain(void)
{
	g_assert_null(call_from("user2", "+14155551234"));
	calls_drain(gateway, ignore_done, NULL);
	g_assert_nonnull(strstr(call_from("user1", "+14155551234"), "stopping"));
}

static const struct {
	const char *what, *limits;
	void (*use_up)(void);
} USED_UP[] = {
	{ "max_calls_per_user", "[limits]\nmax_calls_per_user=2\n", use_own_calls },
	{ "max_calls", "[limits]\nmax_calls=3\n", use_lines },
	{ "rate", "[limits]\nmax_setup_per_second=1\nmax_calls_per_user=1000\n", use_rate },
	{ "draining", "", drain },
};

static const char *const HELP[] = { "112", "911", "112#", "+112", "*31#112", "00112" };

static void
test_help_comes_first(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(USED_UP); i++)
		for (guint k = 0; k < G_N_ELEMENTS(HELP); k++) {
			guint before;

			set_up(USED_UP[i].limits);
			stop_time();
			USED_UP[i].use_up();
			before = calls_live(gateway);
			if (call_from("user1", HELP[k]))
				g_error("%s, %s: %s", USED_UP[i].what, HELP[k], refusal);
			g_assert_cmpuint(calls_live(gateway), ==, before + 1);
			g_assert_cmpuint(fake_media.reserved, ==, 1);
			/* it has taken nobody's line, and no other number is let in by it */
			g_assert_nonnull(call_from("user1", "+14155551234"));
			/* a carrier has no emergency, whatever it writes */
			if (USED_UP[i].use_up != use_own_calls && USED_UP[i].use_up != use_rate)
				g_assert_cmpuint(gateway_counter(gateway, COUNTER_EMERGENCY_CALLS),
						 ==, 1);
			g_assert_nonnull(call_from("carrier", HELP[k]));
			g_assert_cmpuint(gateway_counter(gateway, COUNTER_EMERGENCY_CALLS), ==, 1);
			/* nor has one without an account */
			g_assert_nonnull(call_from("stranger", HELP[k]));
			g_assert_cmpuint(gateway_counter(gateway, COUNTER_EMERGENCY_CALLS), ==, 1);
			let_time_go_on();
			tear_down();
		}
}

/* Beyond so many it is a call like any other. */
static void
test_help_is_no_way_around(void)
{
	guint had = 0;

	set_up("[limits]\nmax_calls_per_user=2\n");
	use_own_calls();
	for (guint i = 0; i < 100; i++)
		had += call_from("user1", "112") == NULL;
	g_assert_cmpuint(had, ==, 8);
	g_assert_null(call_from("user2", "112"));
	g_assert_null(call_from("user2", "+14155551234"));
	tear_down();
}

/* --- what a refusal costs --- */

static guint routed, asked; /* calls of route_incoming(), statements run */

Plan *
__real_route_incoming(Gateway *self, const Incoming *incoming, Reason *reason, const char **text);
Plan *
__wrap_route_incoming(Gateway *self, const Incoming *incoming, Reason *reason, const char **text);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);

Plan *
__wrap_route_incoming(Gateway *self, const Incoming *incoming, Reason *reason, const char **text)
{
	routed++;
	return __real_route_incoming(self, incoming, reason, text);
}

int
__wrap_sqlite3_step(sqlite3_stmt *statement)
{
	asked++;
	return __real_sqlite3_step(statement);
}

/* The first ten of an author have records of their own.  Of the calls after that the cheapest
 * counts, as who has not asked for two seconds is looked up. */
static guint
cost_of_refusals(const char *number)
{
	guint least = G_MAXUINT;

	for (guint i = 0; i < 40; i++) {
		routed = asked = 0;
		if (!call_from("user1", number))
			continue;
		g_assert_cmpuint(routed, ==, 0);
		if (i >= 10)
			least = MIN(least, asked);
	}
	return least;
}

static void
test_refusal_is_cheap(void)
{
	static const char *const NUMBERS[] = { "+14155551234", "4155551234", "*31#+14155551234" };

	for (guint i = 0; i < G_N_ELEMENTS(USED_UP); i++)
		for (guint k = 0; k < G_N_ELEMENTS(NUMBERS); k++) {
			set_up(USED_UP[i].limits);
			routed = asked = 0;
			stop_time();
			USED_UP[i].use_up();
			g_assert_cmpuint(routed, >, 0); /* those that were let in */
			g_assert_cmpuint(asked, >, 0);
			g_test_message("%s, %s", USED_UP[i].what, NUMBERS[k]);
			g_assert_cmpuint(cost_of_refusals(NUMBERS[k]), ==, 0);
			/* a number that may be one for help is worth a look, and no more */
			g_assert_cmpuint(cost_of_refusals("116117"), >, 0);
			let_time_go_on();
			tear_down();
		}
}

static guint
open_all(GArray *opened)
{
	guint n = 0;

	for (int fd; (fd = dup(STDERR_FILENO)) >= 0; n++)
		g_array_append_val(opened, fd);
	return n;
}

/* With 256 of them: ordinary calls stop with 32 left, and 32 more are for help alone. */
static void
test_descriptors(void)
{
	g_autoptr(GArray) opened = g_array_new(FALSE, FALSE, sizeof(int));
	struct rlimit before, few;
	int fd;

	g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
	few = before;
	few.rlim_cur = 256;
	set_up("");
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
	descriptors_keep();
	while (descriptors_are_left()) {
		fd = dup(STDERR_FILENO);
		g_assert_cmpint(fd, >=, 0);
		g_array_append_val(opened, fd);
	}
	g_assert_nonnull(strstr(call_from("user1", "+14155551234"), "all lines are in use"));
	g_assert_cmpuint(open_all(opened), >=, 24);
	g_assert_null(call_from("user1", "112"));
	g_assert_cmpuint(open_all(opened), >=, 24); /* GLib takes one for itself */
	for (guint i = 0; i < opened->len; i++)
		close(g_array_index(opened, int, i));
	g_assert_null(call_from("user1", "+14155551234"));
	descriptors_drop();
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
	tear_down();
}

/* 200 a second of one account, and twenty of others among them. */
static void
test_flood_of_one(void)
{
	guint had = 0;

	set_up("");
	for (guint i = 0; i < 200; i++) {
		g_autofree char *other = g_strdup_printf("user%u", 2 + i / 10);

		call_from("user1", "+14155551234");
		if (i % 10 == 5)
			had += call_from(other, "+14155551234") == NULL;
	}
	g_assert_cmpuint(had, ==, 20);
	tear_down();
}

/* Forged calls by a trunk's address to the echo test, never acknowledged. */
static void
test_flood_of_echo(void)
{
	set_up("[limits]\nmax_calls=40\nmax_setup_per_second=1000\n");
	for (guint i = 0; i < 100; i++)
		call_from("carrier", "echo");
	g_assert_cmpuint(calls_live(gateway), ==, 4);
	g_assert_nonnull(strstr(refusal, "this service has as many calls as allowed"));
	g_assert_null(call_from("user1", "+14155551234"));
	g_assert_nonnull(call_from("user1", "echo"));
	while (calls_live(gateway) > 0) {
		g_autoptr(GPtrArray) calls = calls_all(gateway);

		call_hangup(calls->pdata[0], REASON_ADMIN, NULL);
		fake_media_deliver();
	}
	g_assert_null(call_from("user1", "echo"));
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/limits/shares", test_shares);
	g_test_add_func("/limits/refused-takes-nothing", test_refused_takes_nothing);
	g_test_add_func("/limits/many-names", test_many_names);
	g_test_add_func("/limits/lines", test_lines);
	g_test_add_func("/limits/echo-lines", test_echo_lines);
	g_test_add_func("/limits/help/comes-first", test_help_comes_first);
	g_test_add_func("/limits/help/no-way-around", test_help_is_no_way_around);
	g_test_add_func("/limits/refusal-is-cheap", test_refusal_is_cheap);
	g_test_add_func("/limits/descriptors", test_descriptors);
	g_test_add_func("/limits/flood-of-one", test_flood_of_one);
	g_test_add_func("/limits/flood-of-echo", test_flood_of_echo);
	return g_test_run();
}
