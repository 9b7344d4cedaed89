/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-guard.c - what may be used: what is abroad, who pays, who is asked and told, and what
 * happens at the end.
 */
#include "b2bua/route/guard_replay.h"
#include "b2bua/route/meter.h"
#include "b2bua/route/way_out.h"
#include "b2bua/numberplan.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include "db/journal.h"
#include "db/store_private.h"
#include <stdlib.h>
#include <string.h>

#define HOME   "+4930123456"
#define ABROAD "+43123456789"

/* --- which numbers are abroad --- */

static void
test_which(void)
{
	static const struct {
		const char *home, *number;
		gboolean is_home;
	} ROWS[] = {
		{ "DE", "+4930123456", TRUE },
		{ "DE", "+4915112345678", TRUE },
		{ "DE", "+43123456789", FALSE },
		{ "DE", "+882161234567", FALSE },
		{ "de", "+4930123456", TRUE },
		{ "US", "+14155550101", TRUE },
		{ "US", "+18765550101", FALSE }, /* Jamaica */
		{ "US", "+14165550101", FALSE }, /* Canada */
		{ "CA", "+14165550101", TRUE },
		{ "CA", "+14155550101", FALSE },
		{ "GB", "+442079460123", TRUE },
		{ "GB", "+441534123456", FALSE }, /* Jersey */
		{ "RU", "+79161234567", TRUE },
		{ "KZ", "+79161234567", FALSE },
		{ "KZ", "+77012345678", TRUE },
		{ "DE", "+252901234567", FALSE },
		/* no plan knows it: the code decides */
		{ "DE", "+4999", TRUE },
		{ "DE", "+4399", FALSE },
		{ "DE", "+999123456", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++)
		if (numberplan_is_of(ROWS[i].number, ROWS[i].home) != ROWS[i].is_home)
			g_error("%s from %s", ROWS[i].number, ROWS[i].home);
}

/* --- at the gateway --- */

static Config *config;
static Store *store;
static Gateway *gateway;
static char *refusal;
static GString *notices;

static void
keep_refusal(FakeLeg *leg, const char *command, const char *what)
{
	if (strcmp(command, "hangup") == 0 && leg->leg.side == SIDE_CALLER) {
		g_free(refusal);
		refusal = g_strdup(what);
	}
}

static void
keep_notice(const char *account, const Address *number, const char *text)
{
	g_string_append_printf(notices, "%s: %s\n", account, text);
}

/* Seconds until one in the morning: no midnight comes in between, whenever this is run. */
static gint64
morning(void)
{
	static gint64 seconds;

	if (!seconds) {
		g_autoptr(GDateTime) now = g_date_time_new_now_local();
		g_autoptr(GDateTime) day = g_date_time_add_days(now, 1);
		g_autoptr(GDateTime) then =
			g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
					      g_date_time_get_day_of_month(day), 1, 0, 0);

		seconds = g_date_time_difference(then, now) / G_USEC_PER_SEC;
	}
	return seconds;
}

static void
start(void)
{
	gateway = core_new(config, store, NULL);
	fake_legs_reset();
	fake_media_reset();
	fake_legs.in_command = keep_refusal;
	fake_legs.in_notice = keep_notice;
	g_assert_true(gateway_add_plugin(gateway, &fake_sip, NULL));
	g_assert_true(gateway_add_plugin(gateway, &fake_xmpp, NULL));
	meter_skip(gateway_parts(gateway)->meter, morning());
}

static void
stop(void)
{
	core_free(gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	g_assert_cmpuint(fake_media.open, ==, 0);
}

/* As most tests of limits want it: every country is known. */
#define ANY "[guard]\ncountries=any\n"

static void
set_up(const char *more)
{
	g_autofree char *text = g_strconcat("[gateway]\nplugins=echo\nemergency=trunk:carrier\n"
					    "[xmpp]\ndomain=gw.example.org\noperators=op@example."
					    "org;boss@example.org\n[calls]\nmax_duration=0\n",
					    more, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.50");

	notices = g_string_new(NULL);
	config = config_from_text(text, "test", &error);
	g_assert_no_error(error);
	store = store_open(":memory:", &error);
	g_assert_no_error(error);
	start();
	g_assert_true(store_trunk_add(store, trunk, NULL));
	for (guint i = 1; i <= 2; i++) {
		g_autofree char *jid = g_strdup_printf("user%u@example.org", i);
		g_autofree char *number = g_strdup_printf("+493012340%u", i);

		g_assert_true(store_user_add(store, jid, NULL));
		g_assert_true(store_number_add(store, number, jid, NULL));
	}
}

static void
tear_down(void)
{
	stop();
	store_close(store);
	config_free(config);
	g_string_free(notices, TRUE);
	g_clear_pointer(&refusal, g_free);
}

/* NULL: it goes on. */
static const char *
call_to(const char *user, const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autofree char *jid = g_strconcat(user, "@example.org/phone", NULL);
	g_autoptr(Address) from = address_from_jid(jid);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_WEBRTC, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	g_clear_pointer(&refusal, g_free);
	call_new(gateway, &leg->leg, &fake_xmpp, &incoming);
	fake_media_deliver();
	return refusal;
}

static void
answer(void)
{
	FakeLeg *callee = fake_legs.legs->pdata[fake_legs.legs->len - 1];
	g_autoptr(Desc) desc = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 2);

	leg_answered(&callee->leg, desc);
	fake_media_deliver();
}

static void
talk(const char *user, const char *number)
{
	if (call_to(user, number))
		g_error("%s to %s: %s", user, number, refusal);
	answer();
}

static void
hang_up_all(void)
{
	calls_end_all(gateway, REASON_ADMIN);
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 0);
}

static void
minutes(guint n)
{
	meter_skip(gateway_parts(gateway)->meter, n * 60);
	fake_media_deliver();
}

static const char USED_UP[] = "forbidden: The call is not allowed (your minutes abroad for today "
			      "are used up)";

static void
test_cut(void)
{
	set_up(ANY "[limits]\nabroad_minutes=30\n");
	talk("user1", ABROAD);
	minutes(29);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_nonnull(strstr(refusal, "the minutes abroad for today are used up"));
	g_assert_nonnull(strstr(notices->str, "user1@example.org: The call was hung up (the "
					      "minutes abroad for today are used up)"));
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	/* the others, and he at home or for help, as before */
	talk("user2", ABROAD);
	talk("user1", HOME);
	talk("user1", "112");
	minutes(20);
	g_assert_cmpuint(calls_live(gateway), ==, 3);
	minutes(11);
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	tear_down();
}

/* What rings costs nothing; what runs at the same time is counted each. */
static void
test_together(void)
{
	set_up(ANY "[limits]\nabroad_minutes=30\n");
	g_assert_null(call_to("user1", ABROAD));
	minutes(100);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	answer();
	talk("user1", ABROAD);
	talk("user1", ABROAD);
	minutes(9);
	g_assert_cmpuint(calls_live(gateway), ==, 3);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	tear_down();
}

static void
test_restart(void)
{
	set_up(ANY);
	talk("user1", ABROAD);
	minutes(40);
	hang_up_all();
	talk("user1", ABROAD);
	minutes(10); /* killed at this: what is written down by the minute stays */
	stop();
	start();
	talk("user1", ABROAD);
	minutes(9);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	stop();
	start();
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	/* a day begins anew, also while somebody talks */
	minutes(24 * 60);
	talk("user1", ABROAD);
	minutes(24 * 60);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(59);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

static void
test_settings(void)
{
	set_up(ANY);
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "0", NULL));
	g_assert_nonnull(
		strstr(call_to("user1", ABROAD), "calls abroad are not allowed for your account"));
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "2", NULL));
	talk("user1", ABROAD);
	minutes(2);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	/* raised while he has none left */
	g_assert_true(
		store_setting_set(store, "user1@example.org", "abroad-minutes", "1000", NULL));
	talk("user1", ABROAD);
	minutes(300);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	/* lowered while he talks: within a minute */
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "0", NULL));
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	/* at home elsewhere */
	g_assert_true(store_setting_set(store, "user1@example.org", "country", "AT", NULL));
	talk("user1", ABROAD);
	g_assert_nonnull(call_to("user1", HOME));
	tear_down();
}

/* Who sends calls on abroad pays for them, whoever has called. */
static void
test_forward(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	g_assert_true(
		store_setting_set(store, "user2@example.org", "forward-always", ABROAD, NULL));
	talk("user1", "+4930123402");
	minutes(9);
	talk("user1", ABROAD);
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	g_assert_cmpstr(call_to("user2", ABROAD), ==, USED_UP);
	minutes(9);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

/* --- the table of rules, alone --- */

/* What is used: minutes of this hour and day, calls, money (whole units), new countries of
 * this class; calls that ring; and what comes of one more. */
static void
test_judge(void)
{
	static const struct {
		GuardClass class;
		guint minutes, calls, money, countries, ringing;
		gboolean is_new;
		GuardRule over; /* N_GUARD_RULES: it may */
	} CASES[] = {
		{ GUARD_ABROAD, 0, 0, 0, 0, 0, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 59, 0, 0, 0, 0, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 60, 0, 0, 0, 0, FALSE, GUARD_ABROAD_MINUTES },
		{ GUARD_ABROAD, 0, 59, 0, 0, 0, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 0, 60, 0, 0, 0, FALSE, GUARD_ABROAD_CALLS_HOUR },
		{ GUARD_ABROAD, 0, 0, 0, 0, 3, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 0, 0, 0, 0, 4, FALSE, GUARD_ABROAD_AT_ONCE },
		{ GUARD_ABROAD, 0, 0, 0, 3, 0, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 0, 0, 0, 2, 0, TRUE, N_GUARD_RULES },
		{ GUARD_ABROAD, 0, 0, 0, 3, 0, TRUE, GUARD_COUNTRIES_HOUR },
		{ GUARD_ABROAD, 0, 0, 9, 0, 0, FALSE, N_GUARD_RULES },
		{ GUARD_ABROAD, 0, 0, 10, 0, 0, FALSE, GUARD_MONEY_DAY },
		{ GUARD_PREMIUM, 60, 0, 0, 0, 0, FALSE, GUARD_PREMIUM_MINUTES },
		{ GUARD_PREMIUM, 0, 100, 0, 0, 0, FALSE, GUARD_PREMIUM_CALLS },
		{ GUARD_PREMIUM, 0, 0, 0, 0, 1, FALSE, N_GUARD_RULES },
		{ GUARD_PREMIUM, 0, 0, 0, 0, 2, FALSE, GUARD_PREMIUM_AT_ONCE },
		{ GUARD_PREMIUM_ABROAD, 60, 0, 0, 0, 0, FALSE, GUARD_ABROAD_MINUTES },
		{ GUARD_PREMIUM_ABROAD, 0, 60, 0, 0, 0, FALSE, GUARD_ABROAD_CALLS_HOUR },
		{ GUARD_PREMIUM_ABROAD, 0, 0, 0, 0, 2, FALSE, GUARD_PREMIUM_AT_ONCE },
		{ GUARD_PREMIUM_ABROAD, 0, 0, 0, 3, 0, TRUE, GUARD_COUNTRIES_HOUR },
		{ GUARD_HOME, 1000, 1000, 9, 9, 99, FALSE, N_GUARD_RULES },
		{ GUARD_HOME, 0, 0, 10, 0, 0, FALSE, GUARD_MONEY_DAY },
	};
	g_autoptr(Config) defaults =
		config_from_text("[gateway]\nplugins=echo\n[guard]\nmoney_day=10\n", "test", NULL);
	GuardLimits limits;

	memcpy(limits.most, defaults->guard, sizeof limits.most);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		GuardUse use = { 0 };
		GuardRule over;

		for (GuardSpan span = 0; span < N_GUARD_SPANS; span++) {
			use.spans[span].ms[CASES[i].class] = CASES[i].minutes * 60000;
			use.spans[span].calls[CASES[i].class] = CASES[i].calls;
			use.spans[span].cost = (gint64)CASES[i].money * 10000 * 60000;
			use.spans[span].countries = CASES[i].countries;
		}
		use.ringing[CASES[i].class] = CASES[i].ringing;
		over = guard_judge(&use, &limits, CASES[i].class, CASES[i].is_new);
		if (over != CASES[i].over)
			g_error("case %u: %s", i,
				over == N_GUARD_RULES ? "may" : guard_row(over)->key);
	}
}

/* Each rule has all its words and says no at its limit, and only for its own classes. */
static void
test_rules(void)
{
	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++) {
		const GuardRow *row = guard_row(rule);
		GuardLimits limits;

		g_assert_true(row->key && row->classes && g_str_has_prefix(row->your, "your "));
		for (GuardRule other = 0; other < N_GUARD_RULES; other++)
			limits.most[other] = GUARD_NO_LIMIT;
		limits.most[rule] = 0;
		for (GuardClass class = 0; class < N_GUARD_CLASSES; class ++) {
			gboolean mine = row->classes & GUARD_OF(class);

			g_assert_cmpuint(guard_judge(&(GuardUse){ 0 }, &limits, class, TRUE), ==,
					 mine ? rule : N_GUARD_RULES);
		}
	}
}

static void
test_left(void)
{
	GuardLimits limits;
	GuardUse use = { .up = { [GUARD_ABROAD] = 3 }, .price = 5000 };

	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		limits.most[rule] = GUARD_NO_LIMIT;
	g_assert_cmpint(guard_left_ms(&use, &limits, GUARD_ABROAD_MINUTES, 100), ==, G_MAXINT64);
	limits.most[GUARD_ABROAD_MINUTES] = 60;
	g_assert_cmpint(guard_left_ms(&use, &limits, GUARD_ABROAD_MINUTES, 100), ==, 20 * 60000);
	g_assert_cmpint(guard_left_ms(&use, &limits, GUARD_ABROAD_MINUTES, 80), ==, 16 * 60000);
	use.spans[GUARD_DAY].ms[GUARD_ABROAD] = 70 * 60000;
	g_assert_cmpint(guard_left_ms(&use, &limits, GUARD_ABROAD_MINUTES, 100), ==, 0);
	g_assert_cmpuint(guard_ends(&use, &limits, GUARD_ABROAD_MINUTES), ==, GUARD_ABROADS);
	limits.most[GUARD_MONEY_DAY] = 10; /* half a unit a minute */
	g_assert_cmpint(guard_left_ms(&use, &limits, GUARD_MONEY_DAY, 100), ==, 20 * 60000);
	use.spans[GUARD_DAY].calls[GUARD_ABROAD] = 99;
	limits.most[GUARD_ABROAD_CALLS] = 1;
	g_assert_cmpuint(guard_ends(&use, &limits, GUARD_ABROAD_CALLS), ==, 0);
	for (guint hour = 0; hour < 24; hour++) {
		g_assert_true(guard_hours_hold("7-22", hour) == (hour >= 7 && hour < 22));
		g_assert_true(guard_hours_hold("22-6", hour) == (hour >= 22 || hour < 6));
		g_assert_true(guard_hours_hold("0-24", hour));
		g_assert_true(guard_hours_hold(NULL, hour));
	}
}

/* --- yesterday again --- */

static ReplayCall
past(guint minute, guint length, GuardClass class)
{
	gint64 start = 1000000000000 + minute * (gint64)60000;

	return (ReplayCall){ .started_ms = start,
			     .answered_ms = start,
			     .ended_ms = start + length * (gint64)60000,
			     .hour = minute / 60,
			     .class = class,
			     .price = 10000 };
}

static void
test_replay(void)
{
	const ReplayCall made[] = {
		past(200, 20, GUARD_ABROAD), past(10, 30, GUARD_ABROAD), past(20, 30, GUARD_ABROAD),
		past(25, 500, GUARD_HOME),   past(70, 5, GUARD_ABROAD),
	};
	GuardLimits limits;
	ReplayResult result;

	for (GuardRule rule = 0; rule < N_GUARD_RULES; rule++)
		limits.most[rule] = GUARD_NO_LIMIT;
	limits.most[GUARD_ABROAD_MINUTES] = 50; /* 10 alone, then 40 of two, 20 minutes long */
	limits.most[GUARD_MONEY_HOUR] = 10000;
	for (guint run = 0; run < 4; run++) {
		g_autoptr(GArray) calls = g_array_new(FALSE, FALSE, sizeof(ReplayCall));

		g_array_append_vals(calls, made, G_N_ELEMENTS(made));
		if (run == 1)
			limits.most[GUARD_ABROAD_MINUTES] = 1000;
		if (run == 2)
			limits.most[GUARD_ABROAD_AT_ONCE] = 1;
		if (run == 3)
			limits.most[GUARD_LONGEST_HOME] = 100;
		guard_replay(calls, &limits, &result);
		if (run == 0) {
			/* the first was over at the very instant */
			g_assert_cmpint(result.reached_ms[GUARD_ABROAD_MINUTES], ==,
					1000000000000 + 40 * 60000);
			g_assert_cmpuint(result.ended[GUARD_ABROAD_MINUTES], ==, 1);
			g_assert_cmpuint(result.refused[GUARD_ABROAD_MINUTES], ==, 2);
		} else {
			g_assert_cmpint(result.reached_ms[GUARD_ABROAD_MINUTES], ==, 0);
		}
		g_assert_cmpuint(result.refused[GUARD_ABROAD_AT_ONCE], ==, run >= 2);
		g_assert_cmpuint(result.ended[GUARD_LONGEST_HOME], ==, run == 3);
	}
}

/* --- who is asked and told --- */

static gint64 since_us; /* 0: ever */

static gboolean
says(const char *number, const char *text)
{
	g_autoptr(Address) chat = number ? address_new(ADDRESS_NUMBER, number, NULL, NULL)
					 : address_new(ADDRESS_JID, NULL, "gw.example.org", NULL);

	return account_answers(gateway, "user1@example.org", chat, text, since_us);
}

#define ASKS "has not called this country before"

static void
test_new_country(void)
{
	g_autofree char *kept = NULL;

	set_up("");
	talk("user1", HOME);
	g_assert_nonnull(strstr(call_to("user1", ABROAD), ASKS));
	g_assert_nonnull(strstr(notices->str, "user1@example.org: A call of your account to " ABROAD
					      " (Austria) was refused"));
	/* silence is no; whoever calls again is not asked again */
	g_string_truncate(notices, 0);
	g_assert_nonnull(strstr(call_to("user1", ABROAD), ASKS));
	g_assert_null(strstr(notices->str, "Austria"));
	/* "yes" is for what was asked last: by somebody else since */
	since_us = g_get_monotonic_time() + G_USEC_PER_SEC;
	g_assert_false(says(ABROAD, "yes"));
	since_us = 0;
	/* the answer is for the chat in which was asked, from the account that was */
	g_assert_false(says("+41445550101", "yes"));
	g_assert_false(says(ABROAD, "what do you want?"));
	g_assert_true(says(ABROAD, " Yes! "));
	g_assert_nonnull(strstr(notices->str, "Calls to Austria are allowed from now on"));
	talk("user1", ABROAD);
	g_assert_nonnull(strstr(call_to("user2", ABROAD), ASKS));
	g_assert_false(says(ABROAD, "yes")); /* there is no question any more */
	kept = store_setting_get(store, "user1@example.org", "countries");
	g_assert_cmpstr(kept, ==, "AT");
	/* another, answered in the gateway's own chat; the first stays */
	g_assert_nonnull(strstr(call_to("user1", "+41445550101"), ASKS));
	g_assert_true(says(NULL, "y"));
	hang_up_all();
	stop();
	start();
	talk("user1", "+41445550101");
	talk("user1", ABROAD);
	tear_down();
}

static void
test_no(void)
{
	set_up("");
	g_assert_nonnull(strstr(call_to("user1", ABROAD), ASKS));
	g_string_truncate(notices, 0);
	g_assert_true(says(ABROAD, "NO"));
	g_assert_nonnull(strstr(notices->str, "op@example.org: user1@example.org: a call to "
					      "Austria was not the user's"));
	g_assert_nonnull(strstr(notices->str, "boss@example.org: user1@example.org: a call to"));
	g_assert_nonnull(strstr(call_to("user1", ABROAD), ASKS));
	/* the operator's word */
	g_assert_true(store_setting_set(store, "user1@example.org", "countries", "CH AT", NULL));
	talk("user1", ABROAD);
	tear_down();
}

/* A question is old after a day. */
static void
test_late_yes(void)
{
	set_up("");
	g_assert_nonnull(call_to("user1", ABROAD));
	meter_skip(gateway_parts(gateway)->meter, 24 * 3600);
	g_assert_false(says(ABROAD, "yes"));
	tear_down();
}

static void
test_many_countries(void)
{
	static const char *const NUMBERS[] = { ABROAD, "+41445550101", "+33123456789",
					       "+390612345678", "+34911234567" };

	set_up("[guard]\nnew_countries_hour=100000\nnew_countries=3\n");
	for (guint i = 0; i < 3; i++)
		g_assert_nonnull(strstr(call_to("user1", NUMBERS[i]), ASKS));
	g_string_truncate(notices, 0);
	g_assert_nonnull(
		strstr(call_to("user1", NUMBERS[3]), "your new countries for today are used up"));
	g_assert_null(strstr(notices->str, "Italy"));
	g_assert_nonnull(strstr(notices->str, "op@example.org: user1@example.org: The new "
					      "countries for today are used up"));
	/* those that were asked about may still be allowed */
	g_assert_true(says(NUMBERS[0], "yes"));
	talk("user1", NUMBERS[0]);
	tear_down();
}

static void
test_warning(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	talk("user1", ABROAD);
	minutes(7);
	g_assert_cmpstr(notices->str, ==, "");
	minutes(1);
	g_assert_nonnull(strstr(notices->str, "op@example.org: user1@example.org: 80 % used: 8 of "
					      "10, before the minutes abroad for today"));
	g_assert_nonnull(strstr(notices->str, "user1@example.org: 80 % used: 8 of 10"));
	/* a yes in the chat: as much again, three times; then it is for the operator to say */
	for (guint more = 1; more <= 3; more++) {
		g_assert_true(says(NULL, "yes"));
		minutes(10);
		g_assert_cmpuint(calls_live(gateway), ==, 1);
	}
	g_string_truncate(notices, 0);
	g_assert_false(says(NULL, "yes"));
	minutes(2);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_nonnull(strstr(notices->str, "user1@example.org: The minutes abroad for today are "
					      "used up"));
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	g_assert_false(says(NULL, "yes"));
	tear_down();
}

/* NO ends what is abroad, for today, and nothing else. */
static void
test_stopped(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	talk("user1", HOME);
	talk("user1", ABROAD);
	g_assert_null(call_to("user1", ABROAD)); /* it rings */
	minutes(8);
	g_assert_cmpuint(calls_live(gateway), ==, 3);
	g_assert_true(says(NULL, "no"));
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	g_assert_nonnull(strstr(call_to("user1", ABROAD), "you have ended calls abroad for today"));
	stop();
	start();
	g_assert_nonnull(strstr(call_to("user1", ABROAD), "you have ended calls abroad for today"));
	minutes(24 * 60);
	talk("user1", ABROAD);
	tear_down();
}

/* What the operator has set for a user, the user cannot raise. */
static void
test_own_limit(void)
{
	set_up(ANY);
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "10", NULL));
	talk("user1", ABROAD);
	minutes(8);
	g_assert_nonnull(strstr(notices->str, "user1@example.org: 80 % used"));
	g_assert_null(strstr(notices->str, "YES"));
	g_assert_false(says(NULL, "yes"));
	tear_down();
}

static void
test_at_once(void)
{
	set_up(ANY "abroad_at_once=2\n");
	talk("user1", ABROAD);
	g_assert_null(call_to("user1", ABROAD)); /* it rings, and counts */
	g_assert_nonnull(
		strstr(call_to("user1", ABROAD), "your lines for calls abroad are all in use"));
	talk("user1", HOME);
	talk("user2", ABROAD);
	hang_up_all();
	talk("user1", ABROAD);
	tear_down();
}

static void
test_longest(void)
{
	set_up(ANY "longest_abroad=5\nlongest_home=20\n");
	talk("user1", ABROAD);
	minutes(3);
	talk("user1", ABROAD);
	talk("user1", HOME);
	minutes(2);
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	g_assert_nonnull(strstr(refusal, "the time for a call abroad is over"));
	minutes(3);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(15);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

static void
test_money(void)
{
	RouteRule rule = {
		.target = (char *)"+49", .allowed = TRUE, .trunks = (char *)"", .price = 5000
	};

	set_up(ANY "money_day=10\ncurrency=EUR\n");
	g_assert_true(store_route_put(store, &rule, NULL));
	talk("user1", HOME);
	talk("user1", HOME);
	minutes(9);
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_nonnull(strstr(call_to("user1", HOME), "your money for calls today is used up"));
	talk("user1", "112");
	/* another has an amount of his own */
	g_assert_true(store_setting_set(store, "user2@example.org", "money-a-day", "1", NULL));
	talk("user2", HOME);
	minutes(2);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	tear_down();
}

/* A trunk has limits of its own; what it may not carry goes by the next. */
static void
test_trunk(void)
{
	g_autoptr(Trunk) trunk = NULL, second = trunk_new("second", "192.0.2.51");

	set_up(ANY);
	trunk = store_trunk_get(store, "carrier", NULL);
	trunk->minutes_a_day = 10;
	g_assert_true(store_trunk_update(store, trunk, NULL));
	talk("user1", HOME);
	talk("user2", HOME);
	minutes(4);
	g_assert_cmpuint(calls_live(gateway), ==, 2);
	g_assert_nonnull(strstr(notices->str, "op@example.org: trunk carrier: 80 % used: 8 of 10"));
	g_assert_null(strstr(notices->str, "user1@example.org"));
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_nonnull(strstr(call_to("user1", HOME), "no telephone network is connected"));
	talk("user1", "112");
	second->priority = 20;
	g_assert_true(store_trunk_add(store, second, NULL));
	talk("user1", HOME);
	tear_down();
}

static void
ignore_row(gpointer user, const MeterRow *row)
{
}

static void
never_cut(gpointer user, const char *reader, const char *words)
{
	g_assert_not_reached();
}

/* There are as many as are remembered: the trunk takes the place of one who does not talk, and
 * not of the one who calls. */
static void
test_many_owners(void)
{
	g_autoptr(Trunk) trunk = NULL;
	g_autoptr(GDateTime) now = NULL;
	g_autoptr(Charge) charge = NULL;
	MeterUse *call;

	set_up(ANY);
	trunk = store_trunk_get(store, "carrier", NULL);
	trunk->minutes_a_day = 10;
	g_assert_true(store_trunk_update(store, trunk, NULL));
	now = g_date_time_new_from_unix_local(g_get_real_time() / G_USEC_PER_SEC + morning());
	g_assert_true(store_begin(store, NULL));
	for (guint i = 0; i < 9999; i++) {
		g_autofree char *owner = g_strdup_printf("u%u@example.org", i);
		StoreUse use = { .owner = owner,
				 .span = GUARD_DAY,
				 .period = g_date_time_get_year(now) * 10000 +
					   g_date_time_get_month(now) * 100 +
					   g_date_time_get_day_of_month(now) };

		g_assert_true(store_use_set(store, &use, NULL));
	}
	g_assert_true(store_commit(store, NULL));
	for (guint i = 0; i < 9999; i++) {
		g_autofree char *owner = g_strdup_printf("u%u@example.org", i);

		g_assert_true(
			meter_show(gateway_parts(gateway)->meter, owner, ignore_row, NULL, NULL));
	}
	charge = meter_charge(gateway_parts(gateway)->meter, "user1@example.org", ABROAD, "mobile",
			      0);
	call = meter_begin(gateway_parts(gateway)->meter, charge, "carrier", never_cut, NULL);
	meter_answered(call);
	meter_end(call);
	tear_down();
}

static void
test_hours(void)
{
	set_up(ANY "abroad_hours=7-22\n"); /* it is one in the morning */
	g_assert_nonnull(
		strstr(call_to("user1", ABROAD), "calls abroad are not allowed at this hour"));
	talk("user1", HOME);
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-hours", "0-24", NULL));
	talk("user1", ABROAD);
	tear_down();
}

static void
count_rows(gpointer user, const MeterRow *row)
{
	GString *text = user;

	g_string_append_printf(text, "%s %s %u/%u %s\n", row->owner, guard_row(row->rule)->key,
			       (guint)row->used, (guint)row->most, row->state);
}

/* By name, as `guard show` reads it: page by page. */
static void
list_all(GString *text)
{
	g_autofree char *after = NULL;
	g_autoptr(GError) error = NULL;

	while (meter_list(gateway_parts(gateway)->meter, &after, count_rows, text, &error))
		;
	g_assert_no_error(error);
}

static void
test_lift(void)
{
	g_autoptr(GString) text = g_string_new(NULL);

	set_up(ANY "[limits]\nabroad_minutes=10\n");
	talk("user1", ABROAD);
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	stop();
	start();
	list_all(text);
	g_assert_cmpstr(text->str, ==,
			"user1@example.org abroad_minutes 10/10 reached\n"
			"user1@example.org abroad_calls 1/300 \n"
			"user1@example.org abroad_calls_hour 1/60 \n");
	g_assert_true(meter_lift(gateway_parts(gateway)->meter, "user1@example.org", NULL));
	talk("user1", ABROAD);
	g_string_truncate(text, 0);
	minutes(10);
	g_assert_true(meter_show(gateway_parts(gateway)->meter, "user1@example.org", count_rows,
				 text, NULL));
	g_assert_nonnull(strstr(text->str, "abroad_minutes 10/10 reached\n"));
	tear_down();
}

/* --- a thief, and honest users, on a new gateway --- */

/* He has the password of a SIP phone of an account that calls Austria: he dials what is dear,
 * what is new, and all that he can in Austria, the whole day long. */
static void
test_thief(void)
{
	static const char *const DEAR[] = { "+49900312345", "+43900123456", "+882161234567",
					    "+37120123456", "+252612345678" };
	guint warned, talked = 0;

	set_up("[limits]\nmax_setup_per_second=100000\n");
	g_assert_true(store_setting_set(store, "user1@example.org", "countries", "AT", NULL));
	for (guint minute = 0; minute < 20 * 60; minute++) {
		guint before = calls_live(gateway);

		for (guint i = 0; i < G_N_ELEMENTS(DEAR); i++)
			g_assert_nonnull(call_to("user1", DEAR[i]));
		for (guint i = 0; i < 10 && !call_to("user1", ABROAD); i++)
			answer();
		g_assert_cmpuint(calls_live(gateway), >=, before);
		talked += calls_live(gateway);
		if (talked <= 60)
			minutes(1);
		if (talked > 60 || calls_live(gateway) == 0)
			break;
	}
	g_assert_cmpuint(talked, ==, 60);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	warned = !!strstr(notices->str, "\nuser1@example.org: 80 % used: 48 of 60") +
		 !!strstr(notices->str, "op@example.org: user1@example.org: 80 % used: 48 of 60") +
		 !!strstr(notices->str, "\nuser1@example.org: The minutes abroad for today are") +
		 !!strstr(notices->str, "op@example.org: user1@example.org: The minutes abroad");
	g_assert_cmpuint(warned, ==, 4);
	tear_down();
}

/* Who calls often and far, and reads the chat.  A day each, in minutes after one in the
 * morning. */
typedef struct {
	guint at, length;
	const char *number;
} Wish;

static const struct {
	const char *who, *knows;
	Wish day[48];
} HONEST[] = {
	{ "family abroad: grandmother and an aunt in Turkey, on a Sunday",
	  "TR",
	  { { 540, 95, "+902123456789" },
	    { 660, 40, "+902123456780" },
	    { 720, 15, "+902123456789" },
	    { 1140, 50, "+902123456789" } } },
	{ "family abroad: the first call to a new country",
	  NULL,
	  { { 600, 45, "+902123456789" } } },
	{ "sales desk: two lines, customers in four countries",
	  "AT CH FR NL",
	  { { 480, 6, ABROAD },		{ 482, 5, "+41445550101" }, { 490, 4, HOME },
	    { 500, 8, "+33123456789" }, { 503, 4, "+31201234567" }, { 520, 3, ABROAD },
	    { 530, 9, HOME },		{ 545, 7, "+41445550101" }, { 546, 6, "+31201234567" },
	    { 560, 5, ABROAD },		{ 570, 5, ABROAD },	    { 580, 5, "+33123456789" },
	    { 590, 7, HOME },		{ 600, 7, ABROAD },	    { 610, 6, "+31201234567" },
	    { 620, 5, "+41445550101" }, { 640, 5, ABROAD },	    { 650, 8, HOME },
	    { 660, 4, "+33123456789" }, { 670, 5, "+31201234567" }, { 680, 6, ABROAD },
	    { 700, 9, HOME },		{ 720, 8, "+41445550101" }, { 740, 5, "+33123456789" },
	    { 760, 6, ABROAD },		{ 780, 6, "+31201234567" }, { 800, 10, "+33123456789" },
	    { 820, 6, HOME },		{ 840, 9, "+41445550101" }, { 860, 7, ABROAD } } },
	{ "on-call engineer: at night, three colleagues at once",
	  "IE IN US",
	  { { 120, 50, "+35312345678" },
	    { 121, 49, "+919876543210" },
	    { 122, 48, "+14155550101" },
	    { 190, 20, "+35312345678" } } },
	{ "commuter: lives here, works over the border, many short calls",
	  "CH",
	  { { 420, 2, "+41445550101" },
	    { 425, 3, "+41445550102" },
	    { 430, 2, HOME },
	    { 440, 2, "+41445550103" },
	    { 480, 4, "+41445550101" },
	    { 540, 2, "+41445550101" },
	    { 541, 2, HOME },
	    { 600, 3, "+41445550102" },
	    { 660, 5, "+41445550101" },
	    { 720, 9, HOME },
	    { 780, 2, "+41445550104" },
	    { 840, 3, "+41445550101" },
	    { 900, 8, "+41445550101" },
	    { 960, 2, "+41445550102" },
	    { 1020, 12, HOME },
	    { 1080, 6, "+41445550101" } } },
};

typedef struct {
	FakeLeg *callee;
	guint number, until;
} Talk;

/* The leg may be gone, and another in its place. */
static gboolean
goes_on(const Talk *talk)
{
	return g_ptr_array_find(fake_legs.legs, talk->callee, NULL) &&
	       talk->callee->number == talk->number;
}

static void
read_chat(const char *number)
{
	if (strstr(notices->str, "Answer YES"))
		g_assert_true(
			says(strstr(notices->str, "has not called there") ? number : NULL, "yes"));
	g_string_truncate(notices, 0);
}

static void
wish(guint who, const Wish *wish, GArray *talks)
{
	Talk talk = { .until = wish->at + wish->length };

	if (call_to("user1", wish->number) && strstr(refusal, ASKS)) {
		read_chat(wish->number);
		call_to("user1", wish->number);
	}
	if (refusal)
		g_error("%s: minute %u, %s: %s", HONEST[who].who, wish->at, wish->number, refusal);
	talk.callee = fake_legs.legs->pdata[fake_legs.legs->len - 1];
	talk.number = talk.callee->number;
	answer();
	g_array_append_val(talks, talk);
}

static void
end_talks(guint who, guint minute, GArray *talks)
{
	for (guint i = talks->len; i-- > 0;) {
		Talk talk = g_array_index(talks, Talk, i);

		if (!goes_on(&talk))
			g_error("%s: minute %u: a call was ended", HONEST[who].who, minute);
		if (talk.until > minute)
			continue;
		g_array_remove_index(talks, i);
		fake_leg_end(talk.callee, REASON_HANGUP, NULL);
		fake_media_deliver();
	}
}

static void
test_honest(void)
{
	for (guint who = 0; who < G_N_ELEMENTS(HONEST); who++) {
		g_autoptr(GArray) talks = g_array_new(FALSE, FALSE, sizeof(Talk));
		guint next = 0;

		set_up("[limits]\nmax_setup_per_second=100000\n");
		g_assert_true(store_setting_set(store, "user1@example.org", "countries",
						HONEST[who].knows, NULL));
		for (guint minute = 0; minute < 22 * 60; minute++) {
			end_talks(who, minute, talks);
			for (; HONEST[who].day[next].at == minute && minute; next++)
				wish(who, &HONEST[who].day[next], talks);
			minutes(1);
			read_chat(NULL);
		}
		g_assert_cmpuint(talks->len, ==, 0);
		g_assert_cmpuint(HONEST[who].day[next].at, ==, 0); /* all were made */
		tear_down();
	}
}

/* --- what is dear and abroad --- */

#define DEAR_ABROAD "+882161234567"

/* It is under the rules of both. */
static void
test_dear_abroad(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	g_assert_true(store_execute(store, "DELETE FROM routes", NULL)); /* all may be called */
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "0", NULL));
	g_assert_nonnull(strstr(call_to("user1", DEAR_ABROAD),
				"calls abroad are not allowed for your account"));
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", NULL, NULL));
	talk("user1", DEAR_ABROAD);
	g_assert_null(call_to("user1", DEAR_ABROAD)); /* it rings */
	g_assert_nonnull(strstr(call_to("user1", DEAR_ABROAD),
				"your lines for calls to premium numbers are all in use"));
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	stop();
	start();
	g_assert_cmpstr(call_to("user1", DEAR_ABROAD), ==, USED_UP);
	tear_down();
}

/* In the gateway's chat an answer is for what was asked there, before it is for a country. */
static void
test_which_question(void)
{
	set_up("[limits]\nabroad_minutes=10\n");
	g_assert_true(store_setting_set(store, "user1@example.org", "countries", "AT", NULL));
	talk("user1", ABROAD);
	minutes(8);
	g_assert_nonnull(strstr(notices->str, "Answer YES for as much again"));
	g_assert_nonnull(strstr(call_to("user1", "+41445550101"), ASKS));
	g_assert_true(says(NULL, "no"));
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_nonnull(strstr(call_to("user1", ABROAD), "you have ended calls abroad for today"));
	/* what is left is the country */
	g_assert_true(says(NULL, "yes"));
	g_assert_nonnull(strstr(notices->str, "Calls to Switzerland are allowed"));
	tear_down();
}

/* The question about more is one of that day. */
static void
test_old_more(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	talk("user1", ABROAD);
	minutes(8);
	g_assert_nonnull(strstr(notices->str, "Answer YES for as much again"));
	hang_up_all();
	minutes(23 * 60);
	g_assert_false(says(NULL, "yes"));
	talk("user1", ABROAD);
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

/* With a database in a file, which a writer of its own writes: nothing is known to be written
 * before journal_flush(). */
static Journal *journal;
static char *journal_folder;

static void
begin_journal(void)
{
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.50");
	g_autofree char *path = NULL;
	JournalOptions options = { .keep_days = 90 };

	stop();
	store_close(store);
	journal_folder = g_dir_make_tmp("guard-XXXXXX", NULL);
	path = g_build_filename(journal_folder, "t.db", NULL);
	store = store_open(path, NULL);
	g_assert_true(store_trunk_add(store, trunk, NULL));
	g_assert_true(store_user_add(store, "user1@example.org", NULL));
	g_assert_true(store_number_add(store, "+4930123401", "user1@example.org", NULL));
	journal = journal_start(store, &options, NULL);
	g_assert_nonnull(journal);
	start();
}

static void
end_journal(void)
{
	g_autofree char *rest = g_strdup_printf("rm -r %s", journal_folder);

	stop();
	journal_stop(journal);
	store_close(store);
	store = store_open(":memory:", NULL);
	start();
	tear_down();
	g_assert_cmpint(system(rest), ==, 0);
	g_clear_pointer(&journal_folder, g_free);
}

/* Both are said before the first is written. */
static void
test_two_at_once(void)
{
	g_autofree char *kept = NULL;

	set_up("");
	begin_journal();
	g_assert_true(store_setting_set(store, "user1@example.org", "countries", "FR", NULL));
	/* nobody can write meanwhile */
	g_assert_true(store_begin(store, NULL));
	g_assert_nonnull(strstr(call_to("user1", ABROAD), ASKS));
	g_assert_nonnull(strstr(call_to("user1", "+41445550101"), ASKS));
	g_assert_true(says(ABROAD, "yes"));
	g_assert_true(says("+41445550101", "yes"));
	g_assert_true(store_commit(store, NULL));
	g_assert_true(journal_flush(journal, 10000));
	kept = store_setting_get(store, "user1@example.org", "countries");
	g_assert_nonnull(strstr(kept, "FR"));
	g_assert_nonnull(strstr(kept, "AT"));
	g_assert_nonnull(strstr(kept, "CH"));
	end_journal();
}

/* What somebody has used is not forgotten before it is written, however many come. */
static void
test_unwritten(void)
{
	Meter *meter;

	set_up(ANY "[limits]\nabroad_minutes=10\n");
	begin_journal();
	meter = gateway_parts(gateway)->meter;
	g_assert_true(store_begin(store, NULL));
	talk("user1", ABROAD);
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	for (guint i = 0; i < 10100; i++) {
		g_autofree char *owner = g_strdup_printf("u%u@example.org", i);

		g_assert_true(meter_show(meter, owner, ignore_row, NULL, NULL));
	}
	g_assert_cmpstr(call_to("user1", ABROAD), ==, USED_UP);
	g_assert_true(store_commit(store, NULL));
	end_journal();
}

/* The guard has nothing to say of a call that is nobody's, as `route test` asks without a user. */
static void
test_nobody(void)
{
	g_autoptr(WayOut) nobody = NULL, user = NULL;

	set_up("");
	nobody = way_out(gateway, NULL, ABROAD);
	g_assert_cmpint(nobody->reason, ==, REASON_NONE);
	g_assert_cmpuint(nobody->trunks->len, ==, 1);
	user = way_out(gateway, "user1@example.org", ABROAD);
	g_assert_cmpint(user->reason, ==, REASON_FORBIDDEN);
	tear_down();
}

/* An amount of the user's own holds for what has no price as well. */
static void
test_no_money(void)
{
	set_up(ANY);
	g_assert_true(store_setting_set(store, "user1@example.org", "money-a-day", "0", NULL));
	g_assert_nonnull(strstr(call_to("user1", HOME), "your money for calls today is used up"));
	talk("user2", HOME);
	tear_down();
}

/* --- who else hears of it --- */

/* The callee is a user's XMPP client or a telephone: the last leg there is. */
static FakeLeg *
last_leg(void)
{
	return fake_legs.legs->pdata[fake_legs.legs->len - 1];
}

static char *heard_by[2]; /* the caller, the others */

static void
keep_both(FakeLeg *leg, const char *command, const char *what)
{
	guint whose = leg->leg.side == SIDE_CALLER ? 0 : 1;

	if (strcmp(command, "hangup") != 0)
		return;
	g_free(heard_by[whose]);
	heard_by[whose] = g_strdup(what);
	keep_refusal(leg, command, what);
}

static void
forget_heard(void)
{
	g_clear_pointer(&heard_by[0], g_free);
	g_clear_pointer(&heard_by[1], g_free);
}

/* The other side of a call that is cut hears that it is over, and no more. */
static void
test_cut_words(void)
{
	set_up(ANY "[limits]\nabroad_minutes=10\n");
	fake_legs.in_command = keep_both;
	talk("user1", ABROAD);
	minutes(10);
	g_assert_nonnull(strstr(heard_by[0], "the minutes abroad for today are used up"));
	g_assert_nonnull(heard_by[1]);
	g_assert_null(strstr(heard_by[1], "minutes"));
	/* of a forward the one who pays is neither of the two */
	g_assert_true(
		store_setting_set(store, "user2@example.org", "forward-always", ABROAD, NULL));
	forget_heard();
	talk("user1", "+4930123402");
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	for (guint i = 0; i < 2; i++)
		g_assert_null(strstr(heard_by[i], "minutes"));
	forget_heard();
	tear_down();
}

/* Whoever calls a user that is busy, and may not send the call on, hears busy; the user is asked
 * only when the call would really have gone on. */
static void
test_forward_words(void)
{
	set_up("[limits]\nabroad_minutes=10\n");
	g_assert_true(store_setting_set(store, "user2@example.org", "forward-busy", ABROAD, NULL));
	g_assert_true(store_setting_set(store, "user2@example.org", "forward-no-answer",
					"+41445550101", NULL));
	g_assert_null(call_to("user1", "+4930123402"));
	g_assert_cmpstr(notices->str, ==, "");
	fake_leg_end(last_leg(), REASON_BUSY, NULL);
	fake_media_deliver();
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	g_assert_true(g_str_has_prefix(refusal, "busy"));
	g_assert_null(strstr(refusal, "country"));
	g_assert_nonnull(strstr(notices->str, "user2@example.org: A call of your account to " ABROAD
					      " (Austria) was refused"));
	g_assert_null(strstr(notices->str, "Switzerland"));
	/* the answer lets the next one go on */
	g_assert_true(store_setting_set(store, "user2@example.org", "countries", "AT", NULL));
	g_assert_null(call_to("user1", "+4930123402"));
	fake_leg_end(last_leg(), REASON_BUSY, NULL);
	fake_media_deliver();
	answer();
	minutes(10);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	/* and used up, it is busy again */
	g_assert_null(call_to("user1", "+4930123402"));
	fake_leg_end(last_leg(), REASON_BUSY, NULL);
	fake_media_deliver();
	g_assert_true(g_str_has_prefix(refusal, "busy"));
	g_assert_null(strstr(refusal, "minutes"));
	tear_down();
}

static const char *
trunk_of(const FakeLeg *leg)
{
	const GPtrArray *callees = leg->leg.call->callees;

	for (guint i = 0; i < callees->len; i++) {
		const Party *party = callees->pdata[i];

		if (party->leg == &leg->leg)
			return party->target->way.trunk;
	}
	return NULL;
}

/* --- a trunk sends a call to another number --- */

#define SECOND_HOME "+4930999999"
#define FORWARDED   "+4930123402"

static void
from_telephone(const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autoptr(Address) from = address_from_jid("user1@example.org/desk");
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = { .from = from, .to = to, .offer = offer, .device = "desk" };

	g_clear_pointer(&refusal, g_free);
	call_new(gateway, &leg->leg, &fake_sip, &incoming);
	fake_media_deliver();
	g_assert_null(refusal);
}

static gboolean
redirect(const char *number)
{
	FakeLeg *leg = last_leg();
	g_autofree char *words = NULL;
	Reason reason;

	if (leg_redirected(&leg->leg, number, &reason, &words))
		return TRUE;
	fake_leg_fail(leg, reason, words);
	fake_media_deliver();
	return FALSE;
}

static CallRecord *
last_record(void)
{
	CallRecord *last = NULL, *record;

	for (gint64 id = 1; (record = store_call_get(store, id, NULL)); id++) {
		call_record_free(last);
		last = record;
	}
	return last;
}

static void
add_rule(const char *prefix, gboolean allowed, const char *trunks)
{
	RouteRule rule = { .target = (char *)prefix, .allowed = allowed, .trunks = (char *)trunks };

	rule.price = 500;
	g_assert_true(store_route_put(store, &rule, NULL));
}

/* It is judged as if it had been dialled, whoever has called. */
static void
test_redirected(void)
{
	static const struct {
		const char *number, *words; /* NULL: it goes there */
	} ROWS[] = {
		{ SECOND_HOME, NULL },
		{ "4930999999", NULL }, /* as some carriers write it */
		{ ABROAD, "your account has not called this country before" },
		{ "+49900123456", "calls to such numbers are not allowed here" },
		{ "112", "emergency numbers are only called directly" },
		{ "+49112", "emergency numbers are only called directly" },
		{ "+4940123456", "calls to such numbers are not allowed here" },
		{ "+4989123456", "this trunk does not carry it to such numbers" },
		{ "bob", "that is not a telephone number" },
		{ NULL, "that is not a telephone number" },
	};
	static const char *const CALLERS[] = { "client", "telephone", "forward" };
	g_autoptr(Trunk) second = trunk_new("second", "192.0.2.51");

	for (guint i = 0; i < G_N_ELEMENTS(ROWS) * G_N_ELEMENTS(CALLERS); i++) {
		guint row = i / G_N_ELEMENTS(CALLERS), who = i % G_N_ELEMENTS(CALLERS);
		const char *number = ROWS[row].number, *words = ROWS[row].words;
		g_autoptr(CallRecord) record = NULL;

		set_up("[gateway]\ncountry=DE\n");
		second->priority = 20;
		g_assert_true(store_trunk_add(store, second, NULL));
		add_rule("+4930999", TRUE, "");
		add_rule("+4940", FALSE, "");
		add_rule("+4989", TRUE, "second");
		g_assert_true(store_setting_set(store, "user2@example.org", "forward-always", HOME,
						NULL));
		if (who == 1)
			from_telephone(HOME);
		else
			g_assert_null(call_to("user1", who == 2 ? FORWARDED : HOME));
		if (redirect(number) != !words)
			g_error("%s to %s: %s", CALLERS[who], number, refusal);
		record = last_record();
		if (!words) {
			g_assert_cmpuint(record->price, ==, 500);
			g_assert_cmpstr(record->callee, ==, who == 2 ? FORWARDED : SECOND_HOME);
		} else {
			g_assert_nonnull(strstr(record->ladder, "not redirected to"));
			if (who == 2 && words) {
				g_assert_cmpstr(refusal, ==, "forbidden: The call is not allowed");
				g_assert_nonnull(strstr(record->text, words));
			} else if (!strstr(refusal, words) || !strstr(record->text, words) ||
				   !strstr(refusal, "the call was redirected to")) {
				g_error("%s to %s: %s", CALLERS[who], number, refusal);
			}
			g_assert_cmpuint(calls_live(gateway), ==, 0);
		}
		if (number && strcmp(number, ABROAD) == 0) /* who pays is asked */
			g_assert_nonnull(strstr(notices->str, who == 2 ? "user2@example.org: "
								       : "user1@example.org: "));
		tear_down();
	}
}

/* It counts as what is really called, and no longer as what was dialled. */
static void
test_redirected_counts(void)
{
	set_up(ANY "abroad_at_once=1\n[limits]\nabroad_minutes=10\n");
	g_assert_null(call_to("user1", HOME));
	g_assert_true(redirect(ABROAD));
	answer();
	minutes(9);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	g_assert_nonnull(call_to("user1", ABROAD));
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	/* abroad, and back: and to the same once more, which is no second call */
	minutes(24 * 60);
	g_assert_null(call_to("user1", ABROAD));
	g_assert_true(redirect(ABROAD));
	g_assert_true(redirect("+41445550101"));
	g_assert_true(redirect(HOME));
	talk("user1", ABROAD);
	tear_down();
}

/* Who calls for help is followed wherever the network sends the call. */
static void
test_redirected_help(void)
{
	static const char *const NUMBERS[] = { "112", ABROAD, "+49900123456", "bob", NULL };

	set_up("");
	for (guint i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
		g_assert_null(call_to("user1", "112"));
		g_assert_true(redirect(NUMBERS[i]));
		hang_up_all();
	}
	tear_down();
}

/* The next trunk may not carry more than it may, also when the first has failed. */
static void
test_failover(void)
{
	g_autoptr(Trunk) second = trunk_new("second", "192.0.2.51");
	g_autoptr(Trunk) third = trunk_new("third", "192.0.2.52");

	set_up(ANY);
	second->priority = 20;
	second->calls_a_day = 1;
	third->priority = 30;
	g_assert_true(store_trunk_add(store, second, NULL));
	g_assert_true(store_trunk_add(store, third, NULL));
	for (guint i = 0; i < 2; i++)
		g_assert_null(call_to(i ? "user2" : "user1", HOME));
	for (guint i = 0; i < 2; i++) {
		FakeLeg *leg = NULL;

		for (guint k = 0; k < fake_legs.legs->len && !leg; k++) {
			FakeLeg *one = fake_legs.legs->pdata[k];

			if (g_strcmp0(trunk_of(one), "carrier") == 0)
				leg = one;
		}
		g_assert_nonnull(leg);
		fake_leg_end(leg, REASON_NETWORK_ERROR, NULL);
		fake_media_deliver();
		g_assert_cmpstr(trunk_of(last_leg()), ==, i ? "third" : "second");
		answer();
	}
	tear_down();
}

/* An error of the disk is no reason to end a call that is within its limit. */
static void
test_unreadable(void)
{
	set_up(ANY);
	g_assert_true(store_setting_set(store, "user1@example.org", "abroad-minutes", "600", NULL));
	talk("user1", ABROAD);
	minutes(59);
	g_assert_true(store_execute(store, "ALTER TABLE settings RENAME TO gone", NULL));
	minutes(5);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	g_assert_true(store_execute(store, "ALTER TABLE gone RENAME TO settings", NULL));
	minutes(535);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	minutes(1);
	g_assert_cmpuint(calls_live(gateway), ==, 0);
	tear_down();
}

/* More calls than are ended in one turn. */
static void
test_many_cut(void)
{
	g_autoptr(Trunk) trunk = NULL;

	set_up(ANY "[limits]\nmax_setup_per_second=100000\nmax_calls_per_user=1000\n");
	trunk = store_trunk_get(store, "carrier", NULL);
	trunk->minutes_a_day = 130;
	g_assert_true(store_trunk_update(store, trunk, NULL));
	for (guint i = 0; i < 120; i++)
		talk(i % 2 ? "user1" : "user2", HOME);
	g_assert_cmpuint(calls_live(gateway), ==, 120);
	minutes(2);
	g_assert_cmpuint(calls_live(gateway), ==, 70);
	while (calls_live(gateway) > 0)
		g_main_context_iteration(NULL, TRUE);
	fake_media_deliver();
	tear_down();
}

/* More than one page, and those who are in memory alone among them. */
static void
test_list(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GDateTime) now = NULL;
	gint64 day;
	guint n = 0;

	set_up(ANY);
	now = g_date_time_new_from_unix_local(g_get_real_time() / G_USEC_PER_SEC + morning());
	day = g_date_time_get_year(now) * 10000 + g_date_time_get_month(now) * 100 +
	      g_date_time_get_day_of_month(now);
	talk("user1", ABROAD);
	for (guint i = 0; i < 333; i++) {
		g_autofree char *owner = g_strdup_printf("v%03u@example.org", i);
		StoreUse use = { .owner = owner,
				 .period = day * 100 + g_date_time_get_hour(now),
				 .calls = { [GUARD_ABROAD] = 1 } };

		for (use.span = i % 6 ? GUARD_HOUR : GUARD_DAY; use.span <= GUARD_DAY; use.span++) {
			if (use.span == GUARD_DAY)
				use.period = i % 5 ? day : day - 1;
			g_assert_true(store_use_set(store, &use, NULL));
		}
	}
	list_all(text);
	for (guint i = 0; i < 333; i++) {
		g_autofree char *hour =
			g_strdup_printf("v%03u@example.org abroad_calls_hour 1/60", i);
		g_autofree char *whole = g_strdup_printf("v%03u@example.org abroad_calls 1/300", i);

		n += !!strstr(text->str, hour);
		g_assert_true(!!strstr(text->str, hour) == (i % 6 != 0));
		g_assert_true(!!strstr(text->str, whole) == (i % 5 != 0));
	}
	g_assert_cmpuint(n, ==, 277);
	g_assert_nonnull(strstr(text->str, "user1@example.org abroad_calls 1/300"));
	tear_down();
}

/* In the chat with a number a word alone is an answer, and a sentence is for the number. */
static void
test_answers(void)
{
	static const struct {
		const char *text;
		gboolean is_answer;
	} ROWS[] = {
		{ "yes", TRUE },
		{ " Yes. ", TRUE },
		{ "\"YES\"!", TRUE },
		{ "no", TRUE },
		{ "No!!", TRUE },
		{ "n", TRUE },
		{ "No. I am late", FALSE },
		{ "Yes! See you at eight", FALSE },
		{ "no              problem at all", FALSE },
		{ "yes please", FALSE },
		{ "nope", FALSE },
		{ "ye", FALSE },
		{ "...", FALSE },
		{ "", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		set_up("");
		g_assert_nonnull(call_to("user1", ABROAD));
		if (says(ABROAD, ROWS[i].text) != ROWS[i].is_answer)
			g_error("\"%s\" is %s answer", ROWS[i].text,
				ROWS[i].is_answer ? "no" : "an");
		tear_down();
	}
}

/* What was counted of a person, and asked. */
static void
test_forgotten(void)
{
	g_autoptr(GString) before = g_string_new(NULL), after = g_string_new(NULL);
	Meter *meter;

	set_up("[limits]\nabroad_minutes=30\n");
	meter = gateway_parts(gateway)->meter;
	g_assert_true(store_setting_set(store, "user1@example.org", "countries", "AT", NULL));
	talk("user1", ABROAD);
	g_assert_nonnull(call_to("user1", "+37120123456"));
	meter_forget(meter, "user1@example.org"); /* not before the call has ended */
	minutes(1);
	hang_up_all();
	list_all(before);
	g_assert_nonnull(strstr(before->str, "user1@example.org"));
	g_assert_nonnull(call_to("user1", "+37120123456"));
	meter_forget(meter, "user1@example.org");
	g_assert_true(store_erase_account(store, "user1@example.org", NULL));
	list_all(after);
	g_assert_cmpstr(after->str, ==, "");
	g_assert_false(says(NULL, "yes"));
	tear_down();
}

/* --- an upgrade --- */

static void
test_learn(void)
{
	static const struct {
		const char *callee;
		guint days;
		gboolean answered;
	} CALLS[] = {
		{ ABROAD, 89, TRUE },	      { ABROAD, 1, TRUE }, { "+41445550101", 91, TRUE },
		{ "+33123456789", 5, FALSE }, { HOME, 5, TRUE },   { "+390612345678", 2, TRUE }
	};
	g_autofree char *folder = g_dir_make_tmp("guard-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "t.db", NULL), *known = NULL, *rest = NULL;
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.50");
	Store *old;

	set_up("");
	stop();
	store_close(store);
	old = store_open_version(path, 18, NULL);
	g_assert_true(store_user_add(old, "user1@example.org", NULL));
	g_assert_true(store_number_add(old, "+4930123401", "user1@example.org", NULL));
	g_assert_true(
		store_setting_set(old, "user1@example.org", "forward-busy", "+34911234567", NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CALLS); i++) {
		gint64 then = g_get_real_time() - CALLS[i].days * 86400 * (gint64)G_USEC_PER_SEC;
		g_autofree char *sql = g_strdup_printf(
			"INSERT INTO calls (state, started_us, answered_us, ended_us, caller, "
			"callee, "
			"user, trunk) VALUES ('ENDED', %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
			", %" G_GINT64_FORMAT ", 'user1@example.org', '%s', 'user1@example.org', "
			"'carrier')",
			then, CALLS[i].answered ? then : 0, then, CALLS[i].callee);

		g_assert_cmpint(sqlite3_exec(old->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
	}
	store_close(old);
	store = store_open(path, NULL);
	g_assert_true(store_trunk_add(store, trunk, NULL));
	start();
	for (guint i = 0; i < 2; i++) /* and again: nothing is left to be learned */
		g_assert_true(meter_learn(gateway_parts(gateway)->meter, NULL));
	known = store_setting_get(store, "user1@example.org", "countries");
	g_assert_cmpstr(known, ==, "ES IT AT");
	talk("user1", ABROAD);
	g_assert_nonnull(strstr(call_to("user1", "+41445550101"), ASKS));
	tear_down();
	rest = g_strdup_printf("rm -r %s", folder);
	g_assert_cmpint(system(rest), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL); /* operators are warned */
	g_test_add_func("/guard/which", test_which);
	g_test_add_func("/guard/cut", test_cut);
	g_test_add_func("/guard/together", test_together);
	g_test_add_func("/guard/restart", test_restart);
	g_test_add_func("/guard/settings", test_settings);
	g_test_add_func("/guard/forward", test_forward);
	g_test_add_func("/guard/judge", test_judge);
	g_test_add_func("/guard/rules", test_rules);
	g_test_add_func("/guard/left", test_left);
	g_test_add_func("/guard/replay", test_replay);
	g_test_add_func("/guard/new-country", test_new_country);
	g_test_add_func("/guard/no", test_no);
	g_test_add_func("/guard/late-yes", test_late_yes);
	g_test_add_func("/guard/many-countries", test_many_countries);
	g_test_add_func("/guard/warning", test_warning);
	g_test_add_func("/guard/stopped", test_stopped);
	g_test_add_func("/guard/own-limit", test_own_limit);
	g_test_add_func("/guard/at-once", test_at_once);
	g_test_add_func("/guard/longest", test_longest);
	g_test_add_func("/guard/money", test_money);
	g_test_add_func("/guard/trunk", test_trunk);
	g_test_add_func("/guard/many-owners", test_many_owners);
	g_test_add_func("/guard/hours", test_hours);
	g_test_add_func("/guard/lift", test_lift);
	g_test_add_func("/guard/thief", test_thief);
	g_test_add_func("/guard/honest", test_honest);
	g_test_add_func("/guard/dear-abroad", test_dear_abroad);
	g_test_add_func("/guard/which-question", test_which_question);
	g_test_add_func("/guard/old-more", test_old_more);
	g_test_add_func("/guard/two-at-once", test_two_at_once);
	g_test_add_func("/guard/unwritten", test_unwritten);
	g_test_add_func("/guard/nobody", test_nobody);
	g_test_add_func("/guard/no-money", test_no_money);
	g_test_add_func("/guard/cut-words", test_cut_words);
	g_test_add_func("/guard/forward-words", test_forward_words);
	g_test_add_func("/guard/redirected", test_redirected);
	g_test_add_func("/guard/redirected/counts", test_redirected_counts);
	g_test_add_func("/guard/redirected/help", test_redirected_help);
	g_test_add_func("/guard/failover", test_failover);
	g_test_add_func("/guard/unreadable", test_unreadable);
	g_test_add_func("/guard/many-cut", test_many_cut);
	g_test_add_func("/guard/list", test_list);
	g_test_add_func("/guard/answers", test_answers);
	g_test_add_func("/guard/forgotten", test_forgotten);
	g_test_add_func("/guard/learn", test_learn);
	return g_test_run();
}
