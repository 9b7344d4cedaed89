/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-abroad.c - minutes abroad: what is abroad, who pays, and what happens at the end. */
#include "b2bua/route/abroad.h"
#include "b2bua/numberplan.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
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
	if (strcmp(command, "hangup") == 0) {
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
	abroad_skip(gateway_parts(gateway)->abroad, morning());
}

static void
stop(void)
{
	core_free(gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	g_assert_cmpuint(fake_media.open, ==, 0);
}

static void
set_up(const char *more)
{
	g_autofree char *text =
		g_strconcat("[gateway]\nplugins=echo\nemergency=trunk:carrier\n"
			    "[xmpp]\ndomain=gw.example.org\n[calls]\nmax_duration=0\n",
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
	abroad_skip(gateway_parts(gateway)->abroad, n * 60);
	fake_media_deliver();
}

static const char USED_UP[] = "forbidden: The call is not allowed (your minutes abroad for today "
			      "are used up)";

static void
test_cut(void)
{
	set_up("[limits]\nabroad_minutes=30\n");
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
	set_up("[limits]\nabroad_minutes=30\n");
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
	set_up("");
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
	set_up("");
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
	set_up("[limits]\nabroad_minutes=10\n");
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

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/abroad/which", test_which);
	g_test_add_func("/abroad/cut", test_cut);
	g_test_add_func("/abroad/together", test_together);
	g_test_add_func("/abroad/restart", test_restart);
	g_test_add_func("/abroad/settings", test_settings);
	g_test_add_func("/abroad/forward", test_forward);
	return g_test_run();
}
