/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-bill.c - a telephone that was called through a trunk goes on in another call: its minutes
 * and its money are on record to the end, once. */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include "b2bua/timer.h"

#define ALICE "alice@example.org"
#define FIRST "+4930123456"
#define DEAR  "+4930777777"

static Config *config;
static Store *store;
static Gateway *gateway;

static void
add_price(const char *prefix, guint price)
{
	RouteRule rule = { .target = (char *)prefix, .allowed = TRUE, .trunks = (char *)"" };

	rule.price = price;
	g_assert_true(store_route_put(store, &rule, NULL));
}

static void
set_up(void)
{
	gateway = fake_gateway_new("[gateway]\nplugins=echo\nemergency=refuse\ncountry=DE\n[xmpp]\n"
				   "domain=gw.example.org\n[guard]\ncurrency=EUR\n",
				   &config, &store);
	g_assert_true(store_user_add(store, ALICE, NULL));
	g_assert_true(store_number_add(store, "+4930123401", ALICE, NULL));
	add_price(DEAR, 60000000);
}

static void
tear_down(void)
{
	core_free(gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	store_close(store);
	config_free(config);
}

/* The leg that was dialled last. */
static FakeLeg *
answer(void)
{
	FakeLeg *leg = fake_legs.legs->pdata[fake_legs.legs->len - 1];
	g_autoptr(Desc) desc = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 2);

	leg_answered(&leg->leg, desc);
	fake_media_deliver();
	return leg;
}

/* From her telephone. */
static FakeLeg *
call_to(const char *number)
{
	FakeLeg *leg = fake_leg_new("caller");
	g_autoptr(Address) from = address_from_jid(ALICE "/desk");
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, number, NULL, NULL);
	g_autoptr(Desc) offer = fake_desc(TRANSPORT_RTP, "PCMU", DIRECTION_SENDRECV, 1);
	Incoming incoming = { .from = from, .to = to, .offer = offer, .device = "desk" };

	call_new(gateway, &leg->leg, &fake_sip, &incoming);
	fake_media_deliver();
	answer();
	return leg;
}

static void
on_later(gpointer passed)
{
	*(gboolean *)passed = TRUE;
}

/* What was to be done before that is done. */
static void
talk(guint ms)
{
	Timer *later = NULL;
	gboolean passed = FALSE;

	timer_set(&later, ms, on_later, &passed);
	while (!passed)
		g_main_context_iteration(NULL, TRUE);
	fake_media_deliver();
}

/* It was talked so long, or a little longer; a millisecond costs 0.1 where there is a price. */
static void
assert_record(gint64 id, const char *callee, guint ms, gboolean has_price)
{
	g_autoptr(CallRecord) record = store_call_get(store, id, NULL);
	guint64 talked;

	g_assert_nonnull(record);
	g_assert_cmpstr(record->callee, ==, callee);
	g_assert_cmpstr(record->user, ==, ALICE);
	g_assert_cmpstr(record->trunk, ==, "carrier");
	g_assert_cmpstr(call_record_direction(record), ==, "out");
	g_assert_cmpstr(record->state, ==, call_state_name(CALL_ENDED));
	talked = (guint64)(record->ended_us - record->answered_us) / 1000;
	g_assert_cmpuint(talked, >=, ms);
	g_assert_cmpuint(call_record_cost(record, 0), ==, has_price ? talked * 1000 : 0);
}

/* Of two records: where the one ends the other begins. */
static void
assert_joined(gint64 before, gint64 after)
{
	g_autoptr(CallRecord) one = store_call_get(store, before, NULL);
	g_autoptr(CallRecord) other = store_call_get(store, after, NULL);

	g_assert_cmpint(ABS(other->answered_us - one->ended_us), <, G_USEC_PER_SEC);
}

/* She calls one telephone, sends it on to a dear one, and is out of it. */
static void
test_blind(void)
{
	g_autoptr(Address) dear = NULL;
	FakeLeg *phone;

	set_up();
	phone = call_to(FIRST);
	talk(20);
	dear = address_new(ADDRESS_NUMBER, DEAR, NULL, NULL);
	leg_transfer(&phone->leg, dear, NULL);
	fake_media_deliver();
	answer();
	talk(5);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	talk(30);
	calls_end_all(gateway, REASON_ADMIN);
	talk(5);
	assert_record(1, FIRST, 50, FALSE);
	assert_record(2, DEAR, 0, TRUE);
	assert_record(3, DEAR, 30, TRUE);
	assert_joined(2, 3);
	tear_down();
}

/* She has both, and joins them; the dear one hangs up. */
static void
test_attended(void)
{
	FakeLeg *phone, *second, *dear;

	set_up();
	phone = call_to(FIRST);
	talk(10);
	second = call_to(DEAR);
	dear = fake_legs.legs->pdata[fake_legs.legs->len - 1];
	talk(20);
	leg_transfer(&phone->leg, NULL, &second->leg);
	talk(5);
	g_assert_cmpuint(calls_live(gateway), ==, 1);
	talk(30);
	fake_leg_end(dear, REASON_HANGUP, NULL);
	talk(5);
	assert_record(1, FIRST, 60, FALSE);
	assert_record(2, DEAR, 20, TRUE);
	assert_record(3, DEAR, 30, TRUE);
	assert_joined(2, 3);
	tear_down();
}

/* What a crash leaves open is closed like every other. */
static void
test_crash(void)
{
	g_autoptr(Address) dear = address_new(ADDRESS_NUMBER, DEAR, NULL, NULL);
	g_autoptr(CallRecord) record = NULL;
	FakeLeg *phone;

	set_up();
	phone = call_to(FIRST);
	leg_transfer(&phone->leg, dear, NULL);
	fake_media_deliver();
	answer();
	talk(5);
	calls_bury(gateway);
	record = store_call_get(store, 3, NULL);
	g_assert_cmpstr(record->reason, ==, "crashed");
	g_assert_cmpint(record->ended_us, >=, record->answered_us);
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bill/blind", test_blind);
	g_test_add_func("/bill/attended", test_attended);
	g_test_add_func("/bill/crash", test_crash);
	return g_test_run();
}
