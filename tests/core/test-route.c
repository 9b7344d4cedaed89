/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-route.c - who is called, for every kind of caller and called. */
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <string.h>

static Config *config;
static Store *store;
static Gateway *gateway;

static void
dial_nobody(Call *call, const Target *target, const Desc *offer)
{
}

static gboolean
start(Gateway *where, const Config *how, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
}

static const Plugin fake_echo = { .interface_version = PLUGIN_INTERFACE_VERSION,
				  .name = "echo",
				  .start = start,
				  .stop = stop,
				  .dial = dial_nobody };

static void
add_trunk(const char *name, gint priority, gboolean enabled, gboolean wait)
{
	g_autoptr(Trunk) trunk = trunk_new(name, "192.0.2.50");

	trunk->priority = priority;
	trunk->enabled = enabled;
	trunk->wait_for_media = wait;
	trunk->ring_seconds = 45;
	g_assert_true(store_trunk_add(store, trunk, NULL));
}

static void
set_up(void)
{
	static const char CONFIG[] = "[gateway]\nplugins=echo\n[xmpp]\ndomain=gw.example.org\n"
				     "[sip]\ndomain=sip.example.org\n";
	g_autoptr(GError) error = NULL;

	config = config_from_text(CONFIG, "test", &error);
	g_assert_no_error(error);
	store = store_open(":memory:", &error);
	gateway = gateway_new(config, store, NULL);
	fake_legs_reset();
	g_assert_true(gateway_add_plugin(gateway, &fake_sip, NULL));
	g_assert_true(gateway_add_plugin(gateway, &fake_xmpp, NULL));
	g_assert_true(gateway_add_plugin(gateway, &fake_echo, NULL));
	g_assert_true(store_user_add(store, "anna@example.org", NULL));
	g_assert_true(store_user_add(store, "bert@example.org", NULL));
	g_assert_true(store_user_add(store, "carl@example.org", NULL));
	g_assert_true(store_user_add(store, "dora@example.org", NULL));
	g_assert_true(store_number_add(store, "+15550001", "anna@example.org", NULL));
	g_assert_true(store_number_add(store, "+15550002", "bert@example.org", NULL));
	g_assert_true(store_number_add(store, "+15550004", "dora@example.org", NULL));
	g_assert_true(store_user_set_enabled(store, "dora@example.org", FALSE, NULL));
	add_trunk("second", 20, TRUE, TRUE);
	add_trunk("first", 10, TRUE, FALSE);
	add_trunk("off", 1, FALSE, TRUE);
}

static void
tear_down(void)
{
	gateway_free(gateway);
	store_close(store);
	config_free(config);
}

static Address *
address(const char *text)
{
	if (text[0] == '+' || g_ascii_isdigit(text[0])) {
		if (!strchr(text, '@'))
			return address_new(ADDRESS_NUMBER, text, NULL, NULL);
	}
	if (g_str_has_prefix(text, "sip:")) {
		g_auto(GStrv) parts = g_strsplit(text + 4, "@", 2);

		return address_new(ADDRESS_SIP, parts[0], parts[1], NULL);
	}
	if (strcmp(text, "anonymous") == 0)
		return address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	return address_from_jid(text);
}

/* "for USER by TRUNK: plugin from→to via trunk, …" or "REASON (words)" */
static char *
ask(const char *from_text, const char *to_text, const char *trunk)
{
	g_autoptr(Address) from = address(from_text), to = address(to_text);
	Reason reason = REASON_NONE;
	const char *words = NULL;
	g_autoptr(Plan) plan = route(gateway, NULL, from, to, trunk, &reason, &words);
	GString *text;

	if (!plan) {
		g_assert_cmpint(reason, !=, REASON_NONE);
		return g_strdup_printf("%s (%s)", reason_name(reason), words ? words : "");
	}
	text = g_string_new(NULL);
	g_string_append_printf(text, "for %s by %s%s:", plan->user ? plan->user : "nobody",
			       plan->trunk ? plan->trunk : "none",
			       plan->wait_for_media ? "" : " at once");
	for (guint i = 0; i < plan->stages->len; i++) {
		const Stage *stage = plan->stages->pdata[i];

		for (guint k = 0; k < stage->targets->len; k++) {
			const Target *target = stage->targets->pdata[k];
			g_autofree char *seen = address_text(target->from),
					*called = address_text(target->to);

			g_string_append_printf(text, "%s %s %s>%s via %s", k ? " and" : "",
					       target->plugin->name, seen, called,
					       target->trunk	 ? target->trunk
					       : target->contact ? "contact"
								 : "none");
		}
		g_string_append_printf(text, " %u%s;", stage->ring_seconds,
				       stage->then_others ? " then" : "");
	}
	return g_string_free(text, FALSE);
}

static void
test_routes(void)
{
	static const struct {
		const char *from, *to, *trunk, *expected;
	} CASES[] = {
		/* a user calls */
		{ "anna@example.org/phone", "+14155551234@gw.example.org", NULL,
		  "for anna@example.org by first: sip +15550001>+14155551234 via first 45; "
		  "sip +15550001>+14155551234 via second 45;" },
		{ "anna@example.org/phone", "+14155551234", NULL,
		  "for anna@example.org by first: sip +15550001>+14155551234 via first 45; "
		  "sip +15550001>+14155551234 via second 45;" },
		{ "anna@example.org/phone", "112@gw.example.org", NULL,
		  "for anna@example.org by first: sip +15550001>112 via first 45; "
		  "sip +15550001>112 via second 45;" },
		{ "anna@example.org/phone", "+15550002@gw.example.org", NULL,
		  "for anna@example.org by none: xmpp +15550001>bert@example.org via none 0;" },
		{ "carl@example.org/phone", "+15550002@gw.example.org", NULL,
		  "for carl@example.org by none: xmpp anonymous>bert@example.org via none 0;" },
		{ "anna@example.org/phone", "echo@gw.example.org", NULL,
		  "for anna@example.org by none: echo anna@example.org/phone>echo@gw.example.org "
		  "via none 0;" },
		{ "carl@example.org/phone", "+14155551234@gw.example.org", NULL,
		  "forbidden (your account has no number to call from)" },
		{ "eve@example.org/phone", "+14155551234@gw.example.org", NULL,
		  "forbidden (you have no account here)" },
		{ "eve@example.org/phone", "echo@gw.example.org", NULL,
		  "forbidden (you have no account here)" },
		{ "dora@example.org/phone", "echo@gw.example.org", NULL,
		  "forbidden (you have no account here)" },
		{ "anonymous", "echo@gw.example.org", NULL,
		  "forbidden (you have no account here)" },
		{ "+15550001", "+14155551234", NULL, "forbidden (you have no account here)" },
		{ "anna@example.org/phone", "bert@example.org", NULL,
		  "not-found (not a telephone number)" },
		{ "anna@example.org/phone", "echo@elsewhere.example", NULL,
		  "not-found (not a telephone number)" },
		{ "anna@example.org/phone", "hello@gw.example.org", NULL,
		  "not-found (not a telephone number)" },
		{ "anna@example.org/phone", "gw.example.org", NULL,
		  "not-found (not a telephone number)" },
		/* a trunk calls */
		{ "+14155551234", "+15550001", "second",
		  "for anna@example.org by second: xmpp +14155551234>anna@example.org via none "
		  "0;" },
		{ "+14155551234", "+15550001", "first",
		  "for anna@example.org by first at once: xmpp +14155551234>anna@example.org via "
		  "none 0;" },
		{ "anonymous", "sip:15550002@sip.example.org", "second",
		  "for bert@example.org by second: xmpp anonymous>bert@example.org via none 0;" },
		{ "+14155551234", "sip:echo@sip.example.org", "second",
		  "for nobody by second: echo +14155551234>sip:echo@sip.example.org via none 0;" },
		{ "+14155551234", "+15550003", "second", "not-found ()" },
		{ "+14155551234", "+15550004", "second", "not-found ()" }, /* disabled */
		{ "+14155551234", "sip:anna@sip.example.org", "second", "not-found ()" },
		{ "+14155551234", "anonymous", "second", "not-found ()" },
		{ "+14155551234", "+15550001", "off", "forbidden (no such trunk)" },
		{ "+14155551234", "+15550001", "unknown", "forbidden (no such trunk)" },
	};

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *answer = ask(CASES[i].from, CASES[i].to, CASES[i].trunk);

		g_test_message("%s to %s", CASES[i].from, CASES[i].to);
		g_assert_cmpstr(answer, ==, CASES[i].expected);
	}
	tear_down();
}

/* A carrier in Germany that writes national numbers, and Anna at home there. */
static void
test_countries(void)
{
	static const struct {
		const char *from, *to, *trunk, *expected;
	} CASES[] = {
		{ "anna@example.org/phone", "01711234567@gw.example.org", NULL,
		  "for anna@example.org by german: sip +15550001>01711234567 via german 120;" },
		{ "anna@example.org/phone", "0171\\201234567@gw.example.org", NULL,
		  "for anna@example.org by german: sip +15550001>01711234567 via german 120;" },
		{ "anna@example.org/phone", "tel\\3a+49-171-1234567@gw.example.org", NULL,
		  "for anna@example.org by german: sip +15550001>01711234567 via german 120;" },
		{ "anna@example.org/phone", "00442079460123@gw.example.org", NULL,
		  "for anna@example.org by german: sip +15550001>00442079460123 via german 120;" },
		{ "anna@example.org/phone", "sip:01711234567@whatever.example", NULL,
		  "for anna@example.org by german: sip +15550001>01711234567 via german 120;" },
		{ "anna@example.org/phone", "116117@gw.example.org", NULL,
		  "for anna@example.org by german: sip +15550001>116117 via german 120;" },
		/* the number of another user, as she dials it */
		{ "anna@example.org/phone", "00493090182003@gw.example.org", NULL,
		  "for anna@example.org by none: xmpp +15550001>bert@example.org via none 0;" },
		{ "anna@example.org/phone", "03090182003@gw.example.org", NULL,
		  "for anna@example.org by none: xmpp +15550001>bert@example.org via none 0;" },
		/* he has no home: only E.164 has a meaning */
		{ "bert@example.org/phone", "01711234567@gw.example.org", NULL,
		  "not-found (not a telephone number)" },
		/* the carrier's forms, both ways */
		{ "sip:01711234567@carrier.example", "sip:03090182003@sip.example.org", "german",
		  "for bert@example.org by german: xmpp +491711234567>bert@example.org via none "
		  "0;" },
		{ "sip:491711234567@carrier.example", "sip:493090182003@elsewhere.example",
		  "german",
		  "for bert@example.org by german: xmpp +491711234567>bert@example.org via none "
		  "0;" },
		{ "sip:00442079460123@carrier.example", "+493090182003", "german",
		  "for bert@example.org by german: xmpp +442079460123>bert@example.org via none "
		  "0;" },
		{ "sip:pbx@carrier.example", "+493090182003", "german",
		  "for bert@example.org by german: xmpp sip:pbx@carrier.example>bert@example.org "
		  "via none 0;" },
	};
	g_autoptr(Trunk) trunk = trunk_new("german", "192.0.2.51");

	set_up();
	g_assert_true(store_trunk_del(store, "first", NULL));
	g_assert_true(store_trunk_del(store, "second", NULL));
	g_free(trunk->country);
	g_free(trunk->number_form);
	trunk->country = g_strdup("DE");
	trunk->number_form = g_strdup("national");
	g_assert_true(store_trunk_add(store, trunk, NULL));
	g_assert_true(store_setting_set(store, "anna@example.org", "country", "DE", NULL));
	g_assert_true(store_number_add(store, "+493090182003", "bert@example.org", NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *answer = ask(CASES[i].from, CASES[i].to, CASES[i].trunk);

		g_test_message("%s to %s", CASES[i].from, CASES[i].to);
		g_assert_cmpstr(answer, ==, CASES[i].expected);
	}
	tear_down();
}

static void
test_no_way_out(void)
{
	g_autofree char *answer = NULL;

	set_up();
	g_assert_true(store_trunk_del(store, "first", NULL));
	g_assert_true(store_trunk_del(store, "second", NULL));
	answer = ask("anna@example.org/phone", "+14155551234", NULL);
	g_assert_cmpstr(answer, ==, "network-error (no telephone network is connected)");
	tear_down();
}

static void
test_dialable(void)
{
	static const struct {
		const char *to;
		gboolean dialable;
	} CASES[] = {
		{ "+14155551234@gw.example.org", TRUE }, { "echo@gw.example.org", TRUE },
		{ "+15550001@gw.example.org", TRUE },	 { "112@gw.example.org", TRUE },
		{ "hello@gw.example.org", FALSE },	 { "gw.example.org", FALSE },
		{ "+14155551234@other.example", FALSE }, { "anonymous", FALSE },
	};

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Address) to = address(CASES[i].to);

		g_test_message("%s", CASES[i].to);
		g_assert_cmpint(route_dialable(gateway, "anna@example.org", to), ==,
				CASES[i].dialable);
	}
	g_assert_true(store_trunk_del(store, "first", NULL));
	g_assert_true(store_trunk_del(store, "second", NULL));
	g_autoptr(Address) ours = address("+15550001@gw.example.org");
	g_autoptr(Address) theirs = address("+14155551234@gw.example.org");
	g_assert_true(route_dialable(gateway, NULL, ours));
	g_assert_false(route_dialable(gateway, NULL, theirs));
	tear_down();
}

/* bert has two softphones, one of them registered. */
static void
test_ring_orders(void)
{
	static const struct {
		const char *ring, *expected;
	} CASES[] = {
		{ NULL, " xmpp anonymous>bert@example.org via none and sip anonymous>sip:desk@"
			"sip.example.org via contact 0;" },
		{ "both", " xmpp anonymous>bert@example.org via none and sip anonymous>sip:desk@"
			  "sip.example.org via contact 0;" },
		{ "xmpp", " xmpp anonymous>bert@example.org via none 0;" },
		{ "sip", " sip anonymous>sip:desk@sip.example.org via contact 0;" },
		{ "xmpp-then-sip", " xmpp anonymous>bert@example.org via none 20 then; sip "
				   "anonymous>sip:desk@sip.example.org via contact 0;" },
		{ "sip-then-xmpp", " sip anonymous>sip:desk@sip.example.org via contact 20 then; "
				   "xmpp anonymous>bert@example.org via none 0;" },
	};
	g_autoptr(Softphone) desk = NULL;
	Contact contact = { .uri = (char *)"sip:desk@192.0.2.1",
			    .received = (char *)"udp:192.0.2.1:5060",
			    .call_id = (char *)"x",
			    .expires = G_MAXINT32 };
	const char *to[] = { "+15550002", "sip:desk@sip.example.org", "sip:idle@sip.example.org" };

	set_up();
	g_assert_true(store_softphone_add(store, "desk", "bert@example.org", "pw", NULL));
	g_assert_true(store_softphone_add(store, "idle", "bert@example.org", "pw", NULL));
	desk = store_softphone_get(store, "desk", NULL);
	contact.softphone = desk->id;
	g_assert_true(store_contact_put(store, &contact, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *expected =
			g_strconcat("for carl@example.org by none:", CASES[i].expected, NULL);

		if (CASES[i].ring)
			g_assert_true(store_setting_set(store, "bert@example.org", "ring",
							CASES[i].ring, NULL));
		for (guint k = 0; k < G_N_ELEMENTS(to); k++) {
			g_autofree char *got = ask("carl@example.org/phone", to[k], NULL);

			g_assert_cmpstr(got, ==, expected);
		}
	}
	/* nobody there */
	g_assert_true(store_setting_set(store, "anna@example.org", "ring", "sip", NULL));
	{
		g_autofree char *none = ask("carl@example.org/phone", "+15550001", NULL);
		g_autofree char *strange =
			ask("carl@example.org/phone", "sip:desk@elsewhere", NULL);

		g_assert_cmpstr(none, ==, "unreachable ()");
		g_assert_cmpstr(strange, ==, "not-found (not a telephone number)");
	}
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/route/every-kind", test_routes);
	g_test_add_func("/route/countries", test_countries);
	g_test_add_func("/route/no-way-out", test_no_way_out);
	g_test_add_func("/route/dialable", test_dialable);
	g_test_add_func("/route/ring-orders", test_ring_orders);
	return g_test_run();
}
