/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-route.c - who is called, for every kind of caller and called. */
#include "b2bua/setting.h"
#include "b2bua/route/way_out.h"
#include "db/store_private.h"
#include "tests/core/fake-leg.h"
#include "tests/core/fake-media.h"
#include <string.h>

static Config *config;
static Store *store;
static Gateway *gateway;

static Plan *
route(Gateway *where, const Address *from, const Address *to, const char *trunk, Reason *reason,
      const char **words)
{
	Incoming incoming = { .from = from, .to = to, .trunk = trunk };

	return route_incoming(where, &incoming, reason, words);
}

static void
dial_nobody(Call *call, const Target *target, const Desc *offer)
{
}

static gboolean
start(Gateway *where, GError **error)
{
	return TRUE;
}

static void
stop(void)
{
}

static void
hang_up_nobody(Leg *leg, Reason reason, const char *text)
{
}

static const LegVerbs echo_verbs = { .dial = dial_nobody, .hangup = hang_up_nobody };
static const Plugin fake_echo = { .interface_version = PLUGIN_INTERFACE_VERSION,
				  .name = "echo",
				  .reaches = WAY_SERVICE,
				  .start = start,
				  .stop = stop,
				  .leg = &echo_verbs };

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
				     "[sip]\ndomain=sip.example.org\n[guard]\ncountries=any\n";
	g_autoptr(GError) error = NULL;

	config = config_from_text(CONFIG, "test", &error);
	g_assert_no_error(error);
	store = store_open(":memory:", &error);
	gateway = core_new(config, store, NULL);
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
	g_assert_true(store_softphone_add(store, "dora", "dora@example.org", "pw", NULL));
	add_trunk("second", 20, TRUE, TRUE);
	add_trunk("first", 10, TRUE, FALSE);
	add_trunk("off", 1, FALSE, TRUE);
}

static void
tear_down(void)
{
	core_free(gateway);
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
		const char *at = strrchr(text, '@');
		g_autofree char *user = g_strndup(text + 4, (gsize)(at - text - 4));

		return address_new(ADDRESS_SIP, user, at + 1, NULL);
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
	g_autoptr(Plan) plan = route(gateway, from, to, trunk, &reason, &words);
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

			g_string_append_printf(text, "%s %s %s%s>%s via %s", k ? " and" : "",
					       target->plugin->name, seen,
					       target->withheld ? " withheld" : "", called,
					       target->way.trunk     ? target->way.trunk
					       : target->way.contact ? "contact"
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
		  "forbidden (this gateway makes no emergency calls: take another telephone)" },
		{ "anna@example.org/phone", "sip:bert%40example.org@sip.example.org", NULL,
		  "not-found (not a telephone number)" },
		{ "anna@example.org/phone", "bert\\40example.org@gw.example.org", NULL,
		  "for anna@example.org by none: xmpp +15550001>bert@example.org via none 0;" },
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
		{ "+14155551234", "sip:bert@example.org@sip.example.org", "second",
		  "for bert@example.org by second: xmpp +14155551234>bert@example.org via none "
		  "0;" },
		{ "+14155551234", "sip:dora@example.org@sip.example.org", "second",
		  "not-found ()" },
		{ "+14155551234", "+15550003", "second", "not-found ()" },
		{ "+14155551234", "+15550004", "second", "not-found ()" }, /* disabled */
		/* a user who is switched off is not called elsewhere: the carrier would bring his
		 * number back, and his address is ours */
		{ "anna@example.org/phone", "+15550004@gw.example.org", NULL,
		  "not-found (the account of that user is switched off)" },
		{ "anna@example.org/phone", "dora\\40example.org@gw.example.org", NULL,
		  "not-found (the account of that user is switched off)" },
		{ "anna@example.org/phone", "sip:dora@sip.example.org", NULL,
		  "not-found (the account of that user is switched off)" },
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
		  "incomplete (write the number with + and its country code, or have your country "
		  "set)" },
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

/* SIP addresses outside: only where the admin has said so; numbers stay numbers. */
static void
test_uris(void)
{
	static const char *const OTHERS[] = { "any", "no", NULL };
	static const char *const NAMED[] = { "example.net", "any", NULL };
	static const struct {
		const char *const *dial_uris;
		const char *from, *to, *expected;
	} CASES[] = {
		{ NAMED, "anna@example.org/phone", "bob\\40example.net@gw.example.org",
		  "for anna@example.org by none: sip +15550001>sip:bob@example.net via none 0;" },
		{ NAMED, "carl@example.org/phone", "bob\\40example.net@gw.example.org",
		  "for carl@example.org by none: sip sip:carl@example.org@sip.example.org>"
		  "sip:bob@example.net via none 0;" },
		{ NAMED, "anna@example.org/phone",
		  "sip\\3abob\\40example.net\\3a5070@gw.example.org",
		  "for anna@example.org by none: sip +15550001>sip:bob@example.net:5070 via none "
		  "0;" },
		{ NAMED, "anna@example.org/phone", "sip:bob@example.net:5070",
		  "for anna@example.org by none: sip +15550001>sip:bob@example.net:5070 via none "
		  "0;" },
		{ NAMED, "anna@example.org/phone", "sip:bob@example.com",
		  "for anna@example.org by none: sip +15550001>sip:bob@example.com via none 0;" },
		/* digits are a number, but where the admin has named the host */
		{ NAMED, "anna@example.org/phone", "sip:100@example.net",
		  "for anna@example.org by none: sip +15550001>sip:100@example.net via none 0;" },
		{ OTHERS, "anna@example.org/phone", "sip:100@example.net",
		  "for anna@example.org by first: sip +15550001>100 via first 45; sip "
		  "+15550001>100 via second 45;" },
		{ OTHERS, "anna@example.org/phone", "100\\40example.net@gw.example.org",
		  "for anna@example.org by none: sip +15550001>sip:100@example.net via none 0;" },
		{ NAMED, "anna@example.org/phone", "sip:112@example.net",
		  "forbidden (this gateway makes no emergency calls: take another telephone)" },
		/* one of ours is called here */
		{ NAMED, "anna@example.org/phone", "sip:bert@example.org@sip.example.org",
		  "for anna@example.org by none: xmpp +15550001>bert@example.org via none 0;" },
		{ NAMED, "anna@example.org/phone", "desk\\40sip.example.org@gw.example.org",
		  "not-found (not a telephone number)" },
		{ OTHERS + 1, "anna@example.org/phone", "bob\\40example.net@gw.example.org",
		  "forbidden (calls to SIP addresses there are not allowed here)" },
		{ OTHERS + 1, "anna@example.org/phone", "sip:bob@example.net",
		  "forbidden (calls to SIP addresses there are not allowed here)" },
		{ NAMED, "eve@example.org/phone", "bob\\40example.net@gw.example.org",
		  "forbidden (you have no account here)" },
	};
	g_autoptr(Address) bob = address("bob\\40example.com@gw.example.org");
	g_autoptr(Address) bert = address("bert\\40example.org@gw.example.org");

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *answer = NULL;

		g_strfreev(config->sip_dial_uris);
		config->sip_dial_uris = g_strdupv((char **)CASES[i].dial_uris);
		answer = ask(CASES[i].from, CASES[i].to, NULL);
		g_test_message("%s to %s", CASES[i].from, CASES[i].to);
		g_assert_cmpstr(answer, ==, CASES[i].expected);
		g_assert_cmpint(route_dialable(gateway, "anna@example.org", bob), ==,
				CASES[i].dial_uris != OTHERS + 1);
	}
	g_assert_true(route_dialable(gateway, "anna@example.org", bert));
	tear_down();
}

static void
put_rule(const char *target, gboolean allowed, const char *trunks, guint cost)
{
	RouteRule rule = {
		.target = (char *)target, .allowed = allowed, .trunks = (char *)trunks, .cost = cost
	};

	g_assert_true(store_route_put(store, &rule, NULL));
}

static void
set(const char *key, const char *value)
{
	Setting setting;

	g_assert_true(setting_find(key, &setting));
	g_assert_true(
		store_setting_set(store, "bert@example.org", key, *value ? value : NULL, NULL));
}

/* What becomes of a call of a carrier to Bert: "plugin>to via trunk when; …" */
static void
assert_forwards(const char *from_text, const char *expected)
{
	g_autoptr(Address) from = address(from_text), to = address("+15550002");
	Reason reason = REASON_NONE;
	const char *words = NULL;
	g_autoptr(Plan) plan = route(gateway, from, to, "second", &reason, &words);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; plan && i < plan->stages->len; i++) {
		const Stage *stage = plan->stages->pdata[i];
		const Target *target = stage->targets->pdata[0];
		g_autofree char *seen = address_text(target->from),
				*called = address_text(target->to);

		g_string_append_printf(text, "%s%s>%s by %s %u", i ? "; " : "", seen, called,
				       target->way.trunk ? target->way.trunk : "none",
				       stage->ring_seconds);
		if (stage->forward_when != REASON_NONE)
			g_string_append_printf(text, " if %s", reason_name(stage->forward_when));
		if (target->diversion)
			g_string_append_printf(text, " for %s as %s", target->diversion->who,
					       reason_name(target->diversion->as));
	}
	g_assert_cmpstr(plan ? text->str : reason_name(reason), ==, expected);
}

static void
test_forwards(void)
{
	set_up();
	put_rule("default", TRUE, "first", 0);
	set("ring-seconds", "20");
	set("forward-busy", "+14155550109");
	set("forward-no-answer", "+15550001");
	assert_forwards("+14155551234",
			"+14155551234>bert@example.org by none 20; "
			"+14155551234>+14155550109 by first 45 if busy for +15550002 as busy; "
			"+14155551234>anna@example.org by none 0 if no-answer");
	set("forward-unreachable", "+14155550110");
	set("forward-busy", "");
	set("forward-no-answer", "");
	assert_forwards("+14155551234",
			"+14155551234>bert@example.org by none 20; "
			"+14155551234>+14155550110 by first 45 if unreachable for +15550002 as "
			"unreachable");
	/* a number that may not be called is no forward */
	set("forward-unreachable", "+881612345678");
	assert_forwards("+14155551234", "+14155551234>bert@example.org by none 20");
	set("do-not-disturb", "on");
	assert_forwards("+14155551234", "busy");
	set("forward-busy", "+14155550109");
	assert_forwards("+14155551234",
			"+14155551234>+14155550109 by first 45 for +15550002 as busy");
	/* two who forward to each other: one hop */
	set("forward-always", "+15550001");
	g_assert_true(
		store_setting_set(store, "anna@example.org", "forward-always", "+15550002", NULL));
	assert_forwards("+14155551234", "+14155551234>anna@example.org by none 0");
	set("blocked", "+14155551234 +4990* anonymous");
	assert_forwards("+14155551234", "declined");
	assert_forwards("+499001234567", "declined");
	assert_forwards("anonymous", "declined");
	assert_forwards("+14155551235", "+14155551235>anna@example.org by none 0");
	tear_down();
}

/* What is no way to send a call on: an emergency number, since strangers would call
 * there by calling Bert; his own number; that of a user who is switched off. */
static void
test_no_forwards(void)
{
	static const char *const NOWHERE[] = { "112",	   "911",    "110",	      "112#",
					       "*112",	   "911#",   "+112",	      "00112",
					       "+49110",   "1-1-2",  "*31#112",	      "#31#110",
					       "*72",	   "##002#", "+882130012345", "+15550002",
					       "+15550004" };

	set_up();
	config->emergency = g_strdup("trunk:second");
	set("country", "DE");
	set("ring-seconds", "20");
	for (guint i = 0; i < G_N_ELEMENTS(NOWHERE); i++) {
		g_test_message("%s", NOWHERE[i]);
		g_assert_true(store_setting_set(store, "bert@example.org", "forward-always",
						NOWHERE[i], NULL));
		g_assert_true(store_setting_set(store, "bert@example.org", "forward-busy",
						NOWHERE[i], NULL));
		assert_forwards("+14155551234", "+14155551234>bert@example.org by none 20");
		set("do-not-disturb", "on");
		assert_forwards("+14155551234", "busy");
		set("do-not-disturb", "off");
	}
	tear_down();
}

static const Target *
target_of(const Plan *plan)
{
	return ((const Stage *)plan->stages->pdata[0])->targets->pdata[0];
}

/* Anna hides her number from telephones, also from the one to which Bert sends her on. */
static void
test_hidden_forward(void)
{
	g_autoptr(Address) from = NULL, to = NULL;

	set_up();
	from = address("anna@example.org/phone");
	to = address("+15550002");
	set("forward-always", "+14155550109");
	for (guint hidden = 0; hidden < 2; hidden++) {
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = NULL;

		if (hidden)
			g_assert_true(store_setting_set(store, "anna@example.org", "hide-number",
							"on", NULL));
		plan = route(gateway, from, to, NULL, &reason, &words);
		g_assert_nonnull(plan);
		g_assert_cmpuint(plan->stages->len, ==, 2);
		for (guint i = 0; i < plan->stages->len; i++) {
			const Target *target =
				((const Stage *)plan->stages->pdata[i])->targets->pdata[0];

			g_assert_cmpstr(target->from->user, ==, "+15550001");
			g_assert_cmpint(target->withheld, ==, hidden);
		}
	}
	tear_down();
}

/* However Bert, at home in Germany, writes a number, and however the carrier does. */
static void
test_blocked(void)
{
	static const struct {
		const char *blocked, *caller, *expected;
	} CASES[] = {
		{ "+491711234567", "+491711234567", "declined" },
		{ "+491711234567", "sip:00491711234567@carrier.example", "declined" },
		{ "01711234567", "+491711234567", "declined" },
		{ "00491711234567", "+491711234567", "declined" },
		{ "0171*", "+491711234567", "declined" },
		{ "0049171*", "+491711234567", "declined" },
		{ "0044*", "+442079460123", "declined" },
		{ "01711234567", "+491711234568", "+491711234568>bert@example.org by none 0" },
		{ "0171*", "+441711234567", "+441711234567>bert@example.org by none 0" },
		{ "01711234567", "anonymous", "anonymous>bert@example.org by none 0" },
		{ "anonymous", "sip:anonymous@carrier.example", "declined" },
		/* whoever has no number, as it is written and as it is shown */
		{ "GOOGLE", "sip:GOOGLE@carrier.example", "declined" },
		{ "google", "sip:GOOGLE@carrier.example", "declined" },
		{ "google@gw.example.org", "sip:GOOGLE@carrier.example", "declined" },
		{ "google@other.example", "sip:GOOGLE@carrier.example",
		  "sip:GOOGLE@carrier.example>bert@example.org by none 0" },
		{ "GOOGLE", "sip:GOOGLER@carrier.example",
		  "sip:GOOGLER@carrier.example>bert@example.org by none 0" },
		{ "bob@example.org", "sip:bob@example.org", "declined" },
		{ "bob\\40example.org@gw.example.org", "sip:bob@example.org", "declined" },
		{ "bob@example.org", "sip:bob@example.com",
		  "sip:bob@example.com>bert@example.org by none 0" },
		{ "+491711234567@gw.example.org", "+491711234567", "declined" },
	};

	set_up();
	set("country", "DE");
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_test_message("%s blocks %s", CASES[i].blocked, CASES[i].caller);
		set("blocked", CASES[i].blocked);
		assert_forwards(CASES[i].caller, CASES[i].expected);
	}
	tear_down();
}

/* A call that Bert has sent on comes back, or one that was sent on too often. */
static void
test_loops(void)
{
	static char *bert[] = { (char *)"+14155550100", (char *)"15550002", NULL };
	static char *others[] = { (char *)"+14155550100", (char *)"anna", NULL };
	static const struct {
		char **by;
		guint count;
		const char *key;
		Reason reason;
		guint stages;
	} CASES[] = {
		{ NULL, 0, "forward-always", REASON_NONE, 2 },
		{ others, 2, "forward-always", REASON_NONE, 2 },
		{ bert, 2, "forward-always", REASON_LOOP, 0 },
		{ others, 5, "forward-always", REASON_LOOP, 0 },
		{ NULL, 5, "forward-always", REASON_LOOP, 0 },
		/* he rings, and is not sent on */
		{ others, 4, "forward-busy", REASON_NONE, 3 },
		{ bert, 2, "forward-busy", REASON_NONE, 1 },
	};
	g_autoptr(Address) from = address("+14155551234"), to = address("+15550002");

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		Diversion diversion = { .before = CASES[i].by, .n = CASES[i].count };
		Incoming incoming = { .from = from,
				      .to = to,
				      .trunk = "second",
				      .diversion = CASES[i].count ? &diversion : NULL };
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = NULL;

		set("forward-always", "");
		set("forward-busy", "");
		set(CASES[i].key, "+14155550109");
		plan = route_incoming(gateway, &incoming, &reason, &words);
		g_assert_cmpstr(reason_name(reason), ==, reason_name(CASES[i].reason));
		g_assert_cmpuint(plan ? plan->stages->len : 0, ==, CASES[i].stages);
		if (CASES[i].by == others && plan) {
			const Stage *last = plan->stages->pdata[plan->stages->len - 1];
			const Target *target = last->targets->pdata[0];

			g_assert_cmpstr(target->diversion->before[0], ==, "+14155550100");
		}
		if (!plan)
			g_assert_cmpstr(words, ==, "the call was forwarded before");
	}
	tear_down();
}

/* A trunk may tell who an anonymous caller is: for the list alone. */
static void
test_blocked_anonymous(void)
{
	static const struct {
		const char *key, *value, *hidden;
		gboolean declined;
	} CASES[] = {
		{ "blocked", "+491711234567", "+491711234567", TRUE },
		{ "blocked", "+14155559999", "sip:14155559999@carrier.example", TRUE },
		{ "blocked", "+491711234567", "+491711234568", FALSE },
		{ "blocked", "+491711234567", NULL, FALSE },
		{ "block-anonymous", "on", "+491711234568", TRUE },
		{ "block-anonymous", "on", NULL, TRUE },
		{ "block-anonymous", "off", NULL, FALSE },
	};
	g_autoptr(Address) from = address("anonymous"), to = address("+15550002");

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Address) hidden = CASES[i].hidden ? address(CASES[i].hidden) : NULL;
		Incoming incoming = { .from = from, .to = to, .trunk = "second", .hidden = hidden };
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = NULL;

		set("blocked", "");
		set("block-anonymous", "off");
		set(CASES[i].key, CASES[i].value);
		plan = route_incoming(gateway, &incoming, &reason, &words);
		g_test_message("%s=%s", CASES[i].key, CASES[i].value);
		g_assert_cmpint(reason, ==, CASES[i].declined ? REASON_DECLINED : REASON_NONE);
		if (plan)
			g_assert_cmpint(target_of(plan)->from->scheme, ==, ADDRESS_ANONYMOUS);
	}
	tear_down();
}

/* What somebody dials before the number, from whatever he calls with, what his telephone
 * says, and what he has set for all calls; what a telephone and what another user sees. */
static void
test_privacy(void)
{
	static const struct {
		const char *code, *hide;
		NumberPrivacy phone;
		gboolean withheld, nameless;
	} CASES[] = {
		{ "", "off", NUMBER_AS_SET, FALSE, FALSE },
		{ "", "on", NUMBER_AS_SET, TRUE, FALSE },
		{ "", "off", NUMBER_HIDDEN, TRUE, TRUE },
		{ "", "on", NUMBER_SHOWN, FALSE, FALSE },
		{ "*31#", "off", NUMBER_AS_SET, TRUE, TRUE },
		{ "#31#", "off", NUMBER_AS_SET, TRUE, TRUE },
		{ "*67", "off", NUMBER_AS_SET, TRUE, TRUE },
		{ "*67", "off", NUMBER_SHOWN, TRUE, TRUE },
		{ "*82", "on", NUMBER_AS_SET, FALSE, FALSE },
		{ "*82", "on", NUMBER_HIDDEN, TRUE, TRUE },
	};
	static const char *const WHERE[] = { "%s%s@gw.example.org", "sip:%s%s@sip.example.org",
					     "sip:%s%s@elsewhere.example" };
	static const char *const NUMBERS[] = { "+442079460123", "+15550002" };
	g_autoptr(Address) from = address("anna@example.org");

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(CASES) * G_N_ELEMENTS(WHERE) * 2; i++) {
		const guint k = i / 6, where = i / 2 % 3, inside = i % 2;
		g_autofree char *text =
			g_strdup_printf(WHERE[where], CASES[k].code, NUMBERS[inside]);
		g_autoptr(Address) to = address(text);
		Incoming incoming = { .from = from, .to = to, .privacy = CASES[k].phone };
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = NULL;

		g_assert_true(store_setting_set(store, "anna@example.org", "hide-number",
						CASES[k].hide, NULL));
		plan = route_incoming(gateway, &incoming, &reason, &words);
		g_test_message("%s hide-number=%s %d", text, CASES[k].hide, CASES[k].phone);
		g_assert_nonnull(plan);
		g_assert_cmpstr(plan->number, ==, NUMBERS[inside]);
		if (inside)
			g_assert_cmpint(target_of(plan)->from->scheme, ==,
					CASES[k].nameless ? ADDRESS_ANONYMOUS : ADDRESS_NUMBER);
		else
			g_assert_cmpint(target_of(plan)->withheld, ==, CASES[k].withheld);
	}
	tear_down();
}

/* Which of his numbers a user calls with, and that it is one of his. */
static void
test_preferred(void)
{
	static const char *const CASES[][2] = {
		{ NULL, "+15550001" },		{ "+15550009", "+15550009" },
		{ "+1-555-0009", "+15550009" }, { "+15550002", "+15550001" },
		{ "bob", "+15550001" },
	};
	static const char *const TO[] = { "+442079460123", "+15550002" };
	g_autoptr(Address) from = address("anna@example.org");

	set_up();
	g_assert_true(store_number_add(store, "+15550009", "anna@example.org", NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CASES) * 2; i++) {
		g_autoptr(Address) to = address(TO[i % 2]);
		Incoming incoming = { .from = from, .to = to, .preferred = CASES[i / 2][0] };
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = route_incoming(gateway, &incoming, &reason, &words);

		g_assert_nonnull(plan);
		g_assert_cmpstr(target_of(plan)->from->user, ==, CASES[i / 2][1]);
	}
	tear_down();
}

/* A carrier may call him by several names: each of them can be on the list. */
static void
test_blocked_identities(void)
{
	static const char *const BLOCKED[] = { "+14155550177", "+14155550178", NULL };
	g_autoptr(Address) from = address("+14155550177"),
			   other = address("sip:14155550178@c.example");
	g_autoptr(Address) account = address("sip:trunk123@c.example"), to = address("+15550002");
	g_autoptr(Address) nobody = address("anonymous");
	g_autoptr(GPtrArray) all = g_ptr_array_new();

	set_up();
	g_ptr_array_add(all, from);
	g_ptr_array_add(all, other);
	g_ptr_array_add(all, account);
	for (guint i = 0; i < G_N_ELEMENTS(BLOCKED) * 2; i++) {
		Incoming incoming = { .from = i % 2 ? nobody : from,
				      .to = to,
				      .trunk = "second",
				      .identities = all };
		Reason reason = REASON_NONE;
		const char *words = NULL;
		g_autoptr(Plan) plan = NULL;

		set("blocked", BLOCKED[i / 2] ? BLOCKED[i / 2] : "+1999*");
		plan = route_incoming(gateway, &incoming, &reason, &words);
		g_assert_cmpint(reason, ==, BLOCKED[i / 2] ? REASON_DECLINED : REASON_NONE);
	}
	tear_down();
}

static void
test_rules(void)
{
	static const struct {
		const char *to, *expected;
	} CASES[] = {
		/* the longest beginning decides, and names the trunks in its order */
		{ "+4915112345678", "second first" },
		{ "+4930901820", "second" },
		{ "+442079460123", "first second" }, /* default: by priority */
		{ "+33142685300", "forbidden (calls to such numbers are not allowed here)" },
		{ "+33612345678", "first" },
		{ "+81312345678",
		  "network-error (no telephone network is connected)" }, /* its trunk is off */
		/* the class has a word, too */
		{ "+499001234567", "forbidden (calls to such numbers are not allowed here)" },
		{ "+881612345678", "forbidden (calls to such numbers are not allowed here)" },
		/* a digit too many or too few is the same to a carrier, who dials as far as it
		 * takes him */
		{ "+49900123456789", "forbidden (calls to such numbers are not allowed here)" },
		{ "+4990012345", "forbidden (calls to such numbers are not allowed here)" },
		{ "+190055512345", "forbidden (calls to such numbers are not allowed here)" },
		{ "+97912345678912", "forbidden (calls to such numbers are not allowed here)" },
		{ "+41446681800",
		  "forbidden (calls to such numbers cost more than your account may spend)" },
		/* what no plan knows, and what tells the carrier what to do */
		{ "+882130012345", "forbidden (calls to such numbers are not allowed here)" },
		{ "+883510012345", "forbidden (calls to such numbers are not allowed here)" },
		{ "+9999999999", "forbidden (calls to such numbers are not allowed here)" },
		{ "+15559990001", "forbidden (calls to such numbers are not allowed here)" },
		{ "*72", "forbidden (calls to such numbers are not allowed here)" },
		{ "*21#", "forbidden (calls to such numbers are not allowed here)" },
		{ "##002#", "forbidden (calls to such numbers are not allowed here)" },
		{ "*100#", "first" },
		/* short codes are wholes */
		{ "116117", "second" },
		{ "11611", "first second" },
		/* and have a class where her country's plan has one */
		{ "118712", "forbidden (calls to such numbers are not allowed here)" },
	};

	set_up();
	put_rule("+49", TRUE, "second first", 1);
	put_rule("+4930", TRUE, "second", 0);
	put_rule("+33", FALSE, "", 0);
	put_rule("+336", TRUE, "first", 0);
	put_rule("+81", TRUE, "off nowhere", 0);
	put_rule("+41", TRUE, "", 5);
	put_rule("116117", TRUE, "second", 0);
	put_rule("*100#", TRUE, "first", 0);
	put_rule("default", TRUE, "", 0);
	g_assert_true(store_setting_set(store, "anna@example.org", "max-cost", "4", NULL));
	g_assert_true(store_setting_set(store, "anna@example.org", "country", "FR", NULL));
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(WayOut) way = way_out(gateway, "anna@example.org", CASES[i].to);
		g_autoptr(GString) answer = g_string_new(NULL);

		for (guint j = 0; j < way->trunks->len; j++)
			g_string_append_printf(answer, "%s%s", j ? " " : "",
					       ((Trunk *)way->trunks->pdata[j])->name);
		if (way->reason != REASON_NONE)
			g_string_append_printf(answer, "%s (%s)", reason_name(way->reason),
					       way->text);
		g_test_message("%s", CASES[i].to);
		g_assert_cmpstr(answer->str, ==, CASES[i].expected);
	}
	tear_down();
}

static void
assert_emergency(const char *account, const char *number, const char *expected)
{
	g_autoptr(WayOut) way = way_out(gateway, account, number);

	g_test_message("%s", number);
	if (way->trunks->len > 0)
		g_assert_cmpstr(((Trunk *)way->trunks->pdata[0])->name, ==, expected);
	else
		g_assert_cmpstr(reason_name(way->reason), ==, expected);
	g_assert_cmpuint(way->trunks->len, <=, 1);
}

static void
test_emergency(void)
{
	g_autofree char *refused = NULL, *routed = NULL, *off = NULL;

	set_up();
	g_assert_true(store_setting_set(store, "anna@example.org", "country", "DE", NULL));
	refused = emergency_policy(gateway);
	g_assert_nonnull(strstr(refused, "refused"));
	assert_emergency("anna@example.org", "110", "forbidden");
	assert_emergency("anna@example.org", "112", "forbidden");
	assert_emergency("bert@example.org", "112", "forbidden");
	/* by a trunk, whatever the rules say; and by no other */
	put_rule("default", FALSE, "", 0);
	config->emergency = g_strdup("trunk:second");
	routed = emergency_policy(gateway);
	g_assert_cmpstr(routed, ==, "emergency calls: by trunk second");
	assert_emergency("anna@example.org", "110", "second");
	assert_emergency("bert@example.org", "911", "second");
	assert_emergency("anna@example.org", "116117", "forbidden"); /* by the rule */
	g_free(config->emergency);
	config->emergency = g_strdup("trunk:off");
	off = emergency_policy(gateway);
	g_assert_nonnull(strstr(off, "NOT ENABLED"));
	assert_emergency("anna@example.org", "110", "network-error");
	tear_down();
}

static guint n_warnings;

static GLogWriterOutput
count_warnings(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer unused)
{
	n_warnings += (level & G_LOG_LEVEL_WARNING) != 0;
	return g_log_writer_default(level, fields, n_fields, NULL);
}

static void
rename_table(const char *from, const char *to)
{
	g_autofree char *sql = g_strdup_printf("ALTER TABLE %s RENAME TO %s", from, to);

	g_assert_cmpint(sqlite3_exec(store->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
}

/* Whatever table cannot be read: a call is routed as it would have been, or not at all;
 * one to an emergency number goes out. */
static void
test_unreadable(void)
{
	static const char *const tables[] = { "users",	  "numbers",	"trunks",  "routes",
					      "settings", "softphones", "contacts" };
	static const struct {
		const char *from, *to, *trunk;
		const char *needs; /* a table without which it must be refused */
	} calls[] = {
		{ "anna@example.org/phone", "+4990012345", NULL, "routes" }, /* premium */
		{ "anna@example.org/phone", "+14155551234", NULL, "settings" },
		{ "anna@example.org/phone", "+15550002", NULL, "settings" }, /* do not disturb */
		{ "+14155551234", "+15550002", "first", "settings" },	     /* and blocked */
		{ "+14155551234", "+15550001", "first", "contacts" },
		{ "anna@example.org/phone", "112", NULL, NULL },
		{ "bert@example.org/phone", "911", NULL, NULL },
	};

	set_up();
	config->emergency = g_strdup("trunk:second");
	g_assert_true(store_setting_set(store, "bert@example.org", "do-not-disturb", "on", NULL));
	g_assert_true(
		store_setting_set(store, "bert@example.org", "blocked", "+14155551234", NULL));
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
	g_log_set_writer_func(count_warnings, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		g_autofree char *healthy = ask(calls[i].from, calls[i].to, calls[i].trunk);

		for (guint table = 0; table < G_N_ELEMENTS(tables); table++) {
			g_autofree char *answer = NULL;

			rename_table(tables[table], "gone");
			answer = ask(calls[i].from, calls[i].to, calls[i].trunk);
			rename_table("gone", tables[table]);
			g_test_message("%s to %s without %s: %s", calls[i].from, calls[i].to,
				       tables[table], answer);
			if (!calls[i].needs)
				g_assert_nonnull(strstr(answer, "via second"));
			else if (!g_str_has_prefix(answer, "network-error"))
				g_assert_cmpstr(answer, ==, healthy);
			if (g_strcmp0(calls[i].needs, tables[table]) == 0)
				g_assert_true(g_str_has_prefix(answer, "network-error"));
		}
	}
	g_assert_cmpuint(n_warnings, ==, 1); /* a minute */
	tear_down();
}

static void
test_hide_number(void)
{
	g_autofree char *shown = NULL, *hidden = NULL, *emergency = NULL;

	set_up();
	shown = ask("anna@example.org/phone", "+14155551234", NULL);
	g_assert_null(strstr(shown, "withheld"));
	g_assert_true(store_setting_set(store, "anna@example.org", "hide-number", "on", NULL));
	hidden = ask("anna@example.org/phone", "+14155551234", NULL);
	g_assert_nonnull(strstr(hidden, " withheld>"));
	config->emergency = g_strdup("trunk:second");
	emergency = ask("anna@example.org/phone", "112", NULL);
	g_assert_nonnull(strstr(emergency, "via second"));
	g_assert_null(strstr(emergency, "withheld"));
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

/* What anna may have as a contact that is there. */
static void
test_permitted(void)
{
	static const struct {
		const char *to;
		gboolean permitted;
	} CASES[] = {
		{ "+14155551234@gw.example.org", TRUE },
		{ "echo@gw.example.org", TRUE },
		{ "+15550001@gw.example.org", TRUE },
		{ "112@gw.example.org", TRUE },
		{ "+19005550123@gw.example.org", FALSE },
		{ "+4990012345678@gw.example.org", FALSE },
		{ "+881612345678@gw.example.org", FALSE },
		{ "+4930123456@gw.example.org", FALSE },
	};
	set_up();
	put_rule("+4930", FALSE, "", 0);
	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Address) to = address(CASES[i].to);

		g_test_message("%s", CASES[i].to);
		g_assert_cmpint(route_permitted(gateway, "anna@example.org", to), ==,
				CASES[i].permitted);
	}
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
		g_assert_cmpstr(strange, ==,
				"forbidden (calls to SIP addresses there are not allowed here)");
	}
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/route/every-kind", test_routes);
	g_test_add_func("/route/countries", test_countries);
	g_test_add_func("/route/uris", test_uris);
	g_test_add_func("/route/forwards", test_forwards);
	g_test_add_func("/route/no-forwards", test_no_forwards);
	g_test_add_func("/route/hidden-forward", test_hidden_forward);
	g_test_add_func("/route/loops", test_loops);
	g_test_add_func("/route/blocked", test_blocked);
	g_test_add_func("/route/blocked-anonymous", test_blocked_anonymous);
	g_test_add_func("/route/privacy", test_privacy);
	g_test_add_func("/route/preferred", test_preferred);
	g_test_add_func("/route/blocked-identities", test_blocked_identities);
	g_test_add_func("/route/rules", test_rules);
	g_test_add_func("/route/emergency", test_emergency);
	g_test_add_func("/route/unreadable", test_unreadable);
	g_test_add_func("/route/hide-number", test_hide_number);
	g_test_add_func("/route/no-way-out", test_no_way_out);
	g_test_add_func("/route/dialable", test_dialable);
	g_test_add_func("/route/permitted", test_permitted);
	g_test_add_func("/route/ring-orders", test_ring_orders);
	return g_test_run();
}
