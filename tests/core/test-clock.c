/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-clock.c - the machine's clock is set while calls are up: how long they were, what they
 * cost, and when they end, is by the time that has passed. */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include "b2bua/call/call_bury.h"
#include "b2bua/timer.h"
#include "db/journal.h"
#include "db/prune.h"
#include "db/spill.h"
#include <glib/gstdio.h>
#include <string.h>

#define ALICE	"alice@example.org"
#define OUTSIDE "+4930123456"
#define DAY_US	(24 * 3600 * (gint64)G_USEC_PER_SEC)

static gint64 set_by_us;

gint64 __real_g_get_real_time(void);
gint64 __wrap_g_get_real_time(void);

gint64
__wrap_g_get_real_time(void)
{
	return __real_g_get_real_time() + set_by_us;
}

static Config *config;
static Store *store;
static Gateway *gateway;

static void
set_up(void)
{
	RouteRule rule = { .target = (char *)"+49", .allowed = TRUE, .trunks = (char *)"" };

	set_by_us = 0;
	gateway = fake_gateway_new("[gateway]\nplugins=echo\nemergency=refuse\ncountry=DE\n"
				   "[xmpp]\ndomain=gw.example.org\n[calls]\nmax_duration=3600\n",
				   &config, &store);
	rule.price = 60000;
	g_assert_true(store_user_add(store, ALICE, NULL));
	g_assert_true(store_number_add(store, "+4930123401", ALICE, NULL));
	g_assert_true(store_route_put(store, &rule, NULL));
}

static void
tear_down(void)
{
	core_free(gateway);
	store_close(store);
	config_free(config);
}

static void
talk(void)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autoptr(Address) from = address_from_jid(ALICE "/phone");
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, OUTSIDE, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_WEBRTC, "PCMU", DIRECTION_SENDRECV, 1);
	g_autoptr(Desc) answer = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 2);
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	call_new(gateway, &leg->leg, &fake_xmpp, &incoming);
	fake_media_deliver();
	leg_answered(&((FakeLeg *)fake_legs.legs->pdata[fake_legs.legs->len - 1])->leg, answer);
	fake_media_deliver();
	g_assert_cmpint(calls_find(gateway, 1)->state, ==, CALL_ACTIVE);
}

static CallRecord *
end(void)
{
	CallRecord *record;

	calls_end_all(gateway, REASON_ADMIN);
	fake_media_deliver();
	record = store_call_get(store, 1, NULL);
	g_assert_nonnull(record);
	return record;
}

/* Forwards, as when a machine without a clock of its own learns the time; and back. */
static void
test_record(void)
{
	const gint64 steps[] = { DAY_US, -DAY_US };

	for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(CallRecord) record = NULL;

		set_up();
		talk();
		set_by_us = steps[i];
		record = end();
		g_assert_cmpint(record->answered_us, >=, record->started_us);
		g_assert_cmpint(record->ended_us, >=, record->answered_us);
		g_assert_cmpint(record->ended_us - record->answered_us, <, DAY_US / 24);
		g_assert_cmpuint(call_record_cost(record, 0), <, 60 * 60000);
		tear_down();
	}
}

static void
on_later(gpointer passed)
{
	*(gboolean *)passed = TRUE;
}

/* The longest call is so long by the time that has passed: what would be over has ended before
 * a later timer. */
static void
test_longest(void)
{
	Timer *later = NULL;
	gboolean passed = FALSE;

	set_up();
	talk();
	set_by_us = DAY_US;
	call_set_timer(calls_find(gateway, 1)); /* as after a hold */
	timer_set(&later, 20, on_later, &passed);
	while (!passed)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	call_record_free(end());
	tear_down();
}

/* After a crash no call has ended before it began. */
static void
test_buried(void)
{
	g_autoptr(CallRecord) record = NULL;

	set_up();
	record = g_new0(CallRecord, 1);
	record->state = g_strdup("ACTIVE");
	record->started_us = g_get_real_time();
	record->answered_us = record->started_us + G_USEC_PER_SEC;
	record->caller = g_strdup(ALICE "/phone");
	record->user = g_strdup(ALICE);
	g_assert_true(store_call_begin(store, record, NULL));
	g_assert_true(store_call_update(store, record, NULL));
	set_by_us = -DAY_US;
	calls_bury(gateway);
	g_clear_pointer(&record, call_record_free);
	record = store_call_get(store, 1, NULL);
	g_assert_cmpint(record->ended_us, >=, record->answered_us);
	tear_down();
}

/* Ten hours without power are no ten hours of talk. */
static void
test_power_cut(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-clock-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "tandem.db", NULL);
	g_autofree char *spill = g_strconcat(path, "-spill", NULL);
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1), left = NULL;
	const gint64 hour_us = 3600 * (gint64)G_USEC_PER_SEC;
	gint64 now;
	const JournalOptions options = { .slots = 4 };
	Journal *journal;
	Spill *file;

	set_up();
	now = g_get_real_time();
	core_free(gateway);
	store_close(store);
	g_assert_true(spill_allocate(spill, 4, NULL));
	file = spill_open(spill, NULL);
	record->id = 1;
	record->state = g_strdup("ACTIVE");
	record->started_us = record->answered_us = now - 11 * hour_us;
	record->user = g_strdup(ALICE);
	record->caller = g_strdup(ALICE "/phone");
	record->legs = g_strdup("");
	record->price = 60000;
	g_assert_true(spill_put(file, record));
	spill_close(file);
	set_by_us = -10 * hour_us;
	spill_beat(spill); /* the last word of the process that had it */
	set_by_us = 0;
	store = store_open(path, NULL);
	journal = journal_start(store, &options, NULL);
	g_assert_nonnull(journal);
	gateway = core_new(config, store, NULL);
	calls_bury(gateway);
	left = store_call_get(store, 1, NULL);
	g_assert_cmpint(ABS(left->ended_us - (now - 10 * hour_us)), <, 10 * G_USEC_PER_SEC);
	g_assert_nonnull(strstr(left->text, "not exact"));
	/* and the next process knows that this one has run */
	core_free(gateway);
	journal_stop(journal);
	g_assert_cmpint(spill_alive_us(spill), >=, now);
	gateway = core_new(config, store, NULL);
	tear_down();
	for (guint i = 0; i < 4; i++) {
		static const char *const ends[] = { "", "-spill", "-wal", "-shm" };
		g_autofree char *file_path = g_strconcat(path, ends[i], NULL);

		g_unlink(file_path);
	}
	g_rmdir(folder);
}

/* By a clock that jumps nothing is deleted, neither then nor after a restart. */
static void
test_prune(void)
{
	PruneClock clock = { 0 }, next = { 0 }, after = { 0 };

	set_up();
	g_log_set_always_fatal(G_LOG_FATAL_MASK); /* it warns */
	g_assert_true(prune_clock_trusts(&clock, store, 90));
	set_by_us = DAY_US;
	g_assert_false(prune_clock_trusts(&clock, store, 90));
	g_assert_false(prune_clock_trusts(&clock, store, 90));
	set_by_us = 365 * DAY_US;
	g_assert_false(prune_clock_trusts(&next, store, 90));
	g_assert_false(prune_clock_trusts(&next, store, 90));
	/* off for a day, or set right again */
	set_by_us = DAY_US;
	g_assert_true(prune_clock_trusts(&after, store, 90));
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clock/record", test_record);
	g_test_add_func("/clock/longest", test_longest);
	g_test_add_func("/clock/buried", test_buried);
	g_test_add_func("/clock/power-cut", test_power_cut);
	g_test_add_func("/clock/prune", test_prune);
	return g_test_run();
}
