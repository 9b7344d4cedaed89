/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-storm.c - random events over random calls, with legs that die, answer and
 * change inside of every command.
 *
 * Nothing is expected but that the invariants of call_check() hold, no leg is
 * used after it was let go (it is freed at once), and nothing is left at the
 * end.  The same storm every time; STORM_SEED=n brings another.
 */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <stdlib.h>
#include <string.h>

#define N_EVENTS  200000
#define MAX_CALLS 12

typedef struct {
	Config *config;
	Store *store;
	Gateway *gateway;
	guint events, calls, in_commands, died_in_commands, transfers;
	guint depth;
	GRand *dice;
} Storm;

static Storm storm;

static guint
roll(guint sides)
{
	return (guint)g_rand_int_range(storm.dice, 0, (gint32)sides);
}

static Desc *
random_desc(TransportKind kind)
{
	static const char *const CODECS[] = { "PCMU PCMA event", "PCMU", "PCMA event",
					      "PCMA PCMU",	 "GSM",	 "" };
	static const guint LIKELY[] = { 0, 0, 0, 1, 1, 2, 3, 3, 4, 5 };

	return fake_desc(kind, CODECS[LIKELY[roll(G_N_ELEMENTS(LIKELY))]], roll(4),
			 (guint16)(7000 + roll(3)));
}

static Reason
random_reason(void)
{
	return 1 + roll(N_REASONS - 1);
}

/* To a number, to somebody's other call, or to what never was one. */
static void
ask_for_transfer(FakeLeg *leg)
{
	const FakeLeg *with = fake_legs.legs->pdata[roll(fake_legs.legs->len)];
	g_autoptr(Address) target =
		roll(2) ? address_new(ADDRESS_NUMBER, roll(8) ? "+14155550003" : "0", NULL, NULL)
			: NULL;

	leg_transfer(&leg->leg, target, target ? NULL : &with->leg);
}

/* What one leg may say; the leg may be gone afterwards. */
static void
leg_says_something(FakeLeg *leg, gboolean may_end)
{
	g_autoptr(Desc) desc = roll(6) ? random_desc(leg->leg.plugin->transport) : NULL;

	storm.events++;
	switch (roll(may_end ? 10 : 8)) {
	case 0:
	case 1:
		leg_ringing(&leg->leg, desc);
		break;
	case 2:
	case 3:
		leg_answered(&leg->leg, desc);
		break;
	case 4:
		leg_changed(&leg->leg, desc);
		break;
	case 5:
		leg_candidate(&leg->leg, &(Candidate){ .foundation = "1" });
		leg_save(&leg->leg);
		break;
	case 6:
		leg_trace(&leg->leg, TRACE_IN, "digit");
		leg_dtmf(&leg->leg, '5');
		break;
	case 7:
		ask_for_transfer(leg);
		break;
	default:
		storm.died_in_commands += storm.depth;
		fake_leg_end(leg, random_reason(), roll(2) ? "486 Busy Here" : NULL);
		break;
	}
}

static gboolean
is_alive(const FakeLeg *leg, guint number)
{
	for (guint i = 0; i < fake_legs.legs->len; i++)
		if (fake_legs.legs->pdata[i] == leg)
			return leg->number == number;
	return FALSE;
}

static void
in_command(FakeLeg *leg, const char *command, const char *what)
{
	guint number = leg->number, words = roll(4) ? roll(2) : 3;

	storm.in_commands++;
	storm.depth++;
	storm.transfers += strcmp(command, "transfer") == 0 && strcmp(what, "done") == 0;
	if (!leg->leg.call) { /* in hangup(): whatever it says now, nobody hears */
		leg_ringing(&leg->leg, NULL);
		leg_candidate(&leg->leg, &(Candidate){ .foundation = "1" });
		words = 0;
	}
	while (words-- > 0 && is_alive(leg, number))
		leg_says_something(leg, TRUE);
	storm.depth--;
}

/* --- calls --- */

static Plan *
random_plan(void)
{
	Plan *plan = g_new0(Plan, 1);

	plan->stages = g_ptr_array_new_with_free_func((GDestroyNotify)stage_free);
	plan->user = roll(2) ? g_strdup("alice@example.org") : NULL;
	plan->wait_for_media = roll(3) > 0;
	for (guint stages = 1 + roll(3); stages > 0; stages--) {
		Stage *stage = g_new0(Stage, 1);

		stage->targets = g_ptr_array_new_with_free_func((GDestroyNotify)target_free);
		for (guint targets = 1 + roll(3); targets > 0; targets--) {
			Target *target = g_new0(Target, 1);

			target->plugin = roll(2) ? &fake_sip : &fake_xmpp;
			target->account = roll(3) ? g_strdup("alice@example.org") : NULL;
			target->from = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
			target->to = address_new(ADDRESS_NUMBER,
						 roll(20) ? "+15550002" : "+15559999", NULL, NULL);
			g_ptr_array_add(stage->targets, target);
		}
		g_ptr_array_add(plan->stages, stage);
	}
	return plan;
}

static void
begin_call(void)
{
	FakeLeg *leg = fake_leg_new("caller");
	const Plugin *plugin = roll(2) ? &fake_sip : &fake_xmpp;
	g_autoptr(Address) from = address_new(ADDRESS_NUMBER, "+15550001", NULL, NULL);
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	g_autoptr(Desc) offer = roll(4) ? random_desc(plugin->transport) : NULL;
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	storm.calls++;
	call_new_near(storm.gateway, &leg->leg, plugin, &incoming, NULL, random_plan());
}

/* Another device takes somebody's place, or would like to. */
static void
take_over(void)
{
	FakeLeg *replaced, *leg;
	const Plugin *plugin = roll(2) ? &fake_sip : &fake_xmpp;
	g_autoptr(Address) from = address_from_jid("alice@example.org/new");
	g_autoptr(Address) to = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	g_autoptr(Desc) offer = roll(2) ? random_desc(plugin->transport) : NULL;
	Incoming incoming = { .from = from, .to = to, .offer = offer };

	if (fake_legs.legs->len == 0)
		return;
	replaced = fake_legs.legs->pdata[roll(fake_legs.legs->len)];
	leg = fake_leg_new("tablet");
	storm.calls++;
	call_take_over(storm.gateway, &leg->leg, plugin, &incoming, &replaced->leg);
}

static Party *
random_party(Call *call)
{
	guint which = roll(call->callees->len + 1);

	return which == 0 ? call->caller : call->callees->pdata[which - 1];
}

static void
disturb(Call *call)
{
	Party *party = random_party(call);

	storm.events++;
	switch (roll(40)) {
	case 0:
		call_expire(call);
		break;
	case 1:
		call_hangup(call, REASON_ADMIN, NULL);
		break;
	case 2:
		if (party_has_port(party) && call->media)
			fake_media_lost(call->media, party->port, roll(6), "it is broken");
		break;
	case 3:
	case 4:
	case 5:
		if (party_has_port(party) && call->media)
			fake_media_up(call->media, party->port);
		break;
	case 6:
		if (party_has_port(party) && call->media)
			fake_media_candidate(call->media, party->port);
		break;
	case 7:
		if (party_has_port(party) && call->media)
			fake_media_note(call->media, party->port, "ice: checking");
		break;
	default:
		if (party->leg && party->kind != TRANSPORT_NONE) /* that one is no FakeLeg */
			leg_says_something((FakeLeg *)party->leg, roll(6) == 0);
		break;
	}
}

/* What seldom comes about by chance: it is answered, and can be heard. */
static void
help_along(gint64 id)
{
	Call *call;

	fake_media_deliver();
	call = calls_find(storm.gateway, id);
	if (call && call->callees->len > 0) {
		const Party *party = call->callees->pdata[call->callees->len - 1];
		g_autoptr(Desc) desc = fake_desc(party->kind, "PCMU PCMA event", 0, 7000);

		if (party->leg && party->kind != TRANSPORT_NONE)
			leg_answered(party->leg, desc);
	}
	fake_media_deliver();
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void
set_up(void)
{
	static const char CONFIG[] = "[gateway]\nplugins=echo\n[limits]\nmax_calls_per_user=1000\n"
				     "max_setup_per_second=100000\n";
	const char *seed = g_getenv("STORM_SEED");
	g_autoptr(GError) error = NULL;
	g_autoptr(Trunk) trunk = trunk_new("carrier", "192.0.2.50");

	storm = (Storm){ .dice = g_rand_new_with_seed(seed ? (guint32)atoi(seed) : 1) };
	storm.config = config_from_text(CONFIG, "test", &error);
	g_assert_no_error(error);
	storm.store = store_open(":memory:", &error);
	g_assert_no_error(error);
	g_assert_true(store_trunk_add(storm.store, trunk, NULL));
	g_assert_true(store_user_add(storm.store, "alice@example.org", NULL));
	g_assert_true(store_number_add(storm.store, "+14155550101", "alice@example.org", NULL));
	storm.gateway = core_new(storm.config, storm.store, NULL);
	fake_legs_reset();
	fake_media_reset();
	g_assert_true(gateway_add_plugin(storm.gateway, &fake_sip, &error));
	g_assert_true(gateway_add_plugin(storm.gateway, &fake_xmpp, &error));
	fake_legs.in_command = in_command;
}

static GLogWriterOutput
drop_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	return G_LOG_WRITER_HANDLED;
}

static void
test_storm(void)
{
	set_up();
	while (storm.events < N_EVENTS) {
		g_autoptr(GPtrArray) calls = calls_all(storm.gateway);

		if (calls->len < MAX_CALLS && roll(8) == 0)
			begin_call();
		else if (calls->len < MAX_CALLS && roll(24) == 0)
			take_over();
		else if (roll(8) == 0)
			g_main_context_iteration(NULL, FALSE);
		else if (calls->len > 0 && roll(12) == 0)
			help_along(call_id(calls->pdata[roll(calls->len)]));
		else if (roll(4) == 0)
			fake_media_deliver_one();
		else if (calls->len > 0)
			disturb(calls->pdata[roll(calls->len)]);
	}
	g_test_message("%u calls, %u events, %u commands, %u legs died inside of one, %u transfers "
		       "done",
		       storm.calls, storm.events, storm.in_commands, storm.died_in_commands,
		       storm.transfers);
	g_assert_cmpuint(storm.transfers, >, 50);
	g_assert_cmpuint(storm.calls, >, 1000);
	g_assert_cmpuint(storm.died_in_commands, >, 1000);
	g_assert_cmpuint(gateway_counter(storm.gateway, COUNTER_STORE_ERRORS), ==, 0);
	/* half of what is left ends by itself, the rest with the gateway */
	while (calls_live(storm.gateway) > MAX_CALLS / 2) {
		g_autoptr(GPtrArray) calls = calls_all(storm.gateway);

		call_hangup(calls->pdata[0], REASON_SHUTDOWN, NULL);
		fake_media_deliver();
	}
	fake_legs.in_command = NULL;
	core_free(storm.gateway);
	g_assert_cmpuint(fake_legs.legs->len, ==, 0);
	g_assert_cmpuint(fake_media.open, ==, 0);
	g_assert_cmpuint(fake_media.ports, ==, 0);
	/* every record is closed */
	g_autoptr(GPtrArray) live = store_call_list_live(storm.store, NULL);
	g_assert_cmpuint(live->len, ==, 0);
	store_close(storm.store);
	config_free(storm.config);
	g_rand_free(storm.dice);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(drop_log, NULL, NULL);
	g_test_add_func("/storm/every-call-ends-clean", test_storm);
	return g_test_run();
}
