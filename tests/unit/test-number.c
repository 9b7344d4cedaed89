/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-number.c - what people and carriers write for a number. */
#include "b2bua/number.h"
#include "b2bua/numberplan.h"

static void
test_dialled(void)
{
	static const struct {
		const char *country, *text, *number;
	} CASES[] = {
		/* without a country: E.164 and short codes alone */
		{ NULL, "+49 171 123-45.67", "+491711234567" },
		{ NULL, "112", "112" },
		{ NULL, "01711234567", NULL },
		/* at home */
		{ "DE", "0171 1234567", "+491711234567" },
		{ "DE", "(030) 901820", "+4930901820" },
		{ "de", "0171/1234567", "+491711234567" },
		{ "US", "(415) 555-0101", "+14155550101" },
		{ "US", "14155550101", "+14155550101" },
		{ "GB", "020 7946 0123", "+442079460123" },
		{ "FR", "01 42 68 53 00", "+33142685300" },
		{ "IT", "06 698 12345", "+390669812345" }, /* the zero is part of it */
		/* abroad */
		{ "DE", "0044 20 7946 0123", "+442079460123" },
		{ "US", "011 44 20 7946 0123", "+442079460123" },
		{ "US", "0044 20 7946 0123", "+442079460123" },
		{ "JP", "010 44 20 7946 0123", "+442079460123" },
		{ "DE", "+44 (0)20 7946 0123", "+442079460123" },
		/* URIs */
		{ "DE", "tel:+49-171-1234567", "+491711234567" },
		{ "DE", "tel:0171-1234567;phone-context=+49", "+491711234567" },
		{ "DE", "tel:1234567;phone-context=+43", "+431234567" },
		{ "DE", "171-1234567;isub=1;phone-context=%2B49", "+491711234567" },
		{ NULL, "4155550101;phone-context=+1", "+14155550101" },
		{ "DE", "112;phone-context=+43", "112" },
		{ "DE", "0171 1234567;phone-context=example.com", "+491711234567" },
		{ "DE", "+491711234567;phone-context=+43", "+491711234567" },
		{ "DE", "TEL:%2B491711234567", "+491711234567" },
		{ "DE", "0171 1234567,,123#", "+491711234567" },
		/* what is dialled as it is */
		{ "DE", "110", "110" },
		{ "DE", "112", "112" },
		{ "DE", "116117", "116117" },
		{ "US", "911", "911" },
		{ "GB", "999", "999" },
		{ "AU", "000", "000" },
		{ "DE", "*31#", "*31#" },
		{ "DE", "12345", "12345" },
		/* with what hides or shows one's own number */
		{ "DE", "*31#0171 1234567", "+491711234567" },
		{ "DE", "#31# +49 171 1234567", "+491711234567" },
		{ "US", "*67 (415) 555-0101", "+14155550101" },
		{ "US", "*82-415-555-0101", "+14155550101" },
		{ "DE", "*31#110", "110" },
		{ "DE", "tel:%2331%230171-1234567", "+491711234567" },
		/* as it is copied from somewhere, and in digits of another script */
		{ "DE",
		  "\xe2\x80\xaa+49\xc2\xa0"
		  "171\xe2\x80\x91"
		  "1234567\xe2\x80\xac",
		  "+491711234567" },
		{ "DE", "\xef\xbc\x8b\xef\xbc\x94\xef\xbc\x99 171 1234567", "+491711234567" },
		/* and what is nothing */
		{ "DE", "", NULL },
		{ "DE", "hello", NULL },
		{ "DE", "+", NULL },
		{ "DE", "00", "00" },
		{ "DE", "+49 171 12345678901234", NULL },
		{ "DE", "017112345670171123456701711234567", NULL },
		{ "DE", "0171*1234567", NULL },
		{ "DE", "1+2", NULL },
		{ "US", "555-010", "555010" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *number = NULL;

		g_test_message("%s in %s", CASES[i].text, CASES[i].country);
		g_assert_cmpint(number_dialled(CASES[i].text, CASES[i].country, &number), ==,
				CASES[i].number != NULL);
		g_assert_cmpstr(number, ==, CASES[i].number);
	}
}

/* Every way to write an emergency number × where it is dialled. */
static void
test_emergency(void)
{
	static const char *const AROUND[][2] = {
		{ "", "" },
		{ "", "#" },
		{ "*", "" },
		{ "#", "" },
		{ "*", "#" },
		{ "**", "##" },
		{ "", "*" },
		{ "+", "" },
		{ "00", "" },
		{ "+", "#" },
		{ "*31#", "" },
		{ "#31#", "" },
		{ "*67", "" },
		{ "*82", "" },
		{ "*31#+", "" },
		{ "*31#", "#" },
		{ "tel:", "" },
		{ " ", " " },
		{ "(", ")" },
		{ "tel:*67", "" },
		{ "", ",,1#" },
		{ "", ";ext=5" },
		{ "tel:+", "" },
		{ "*31#*67", "" },
		{ "sip:", "" },
		{ "tel:", ";phone-context=+49" },
		{ "\xe2\x80\xaa", "" },
		{ "", "%23" },
	};
	static const struct {
		const char *country, *number, *spelt[4];
	} NUMBERS[] = {
		{ NULL, "112", { "112", "1-1-2", "1 1 2", "1.1.2" } },
		{ NULL, "911", { "911", "9-1-1", "9 1 1", "\xd9\xa9\xd9\xa1\xd9\xa1" } },
		{ "DE", "112", { "112", "1-1-2", "1/1/2", "\xd9\xa1\xd9\xa1\xd9\xa2" } },
		{ "DE",
		  "110",
		  { "110", "1-1-0", "1 1 0", "\xef\xbc\x91\xef\xbc\x91\xef\xbc\x90" } },
		{ "US", "911", { "911", "9-1-1", "(9)11", "9.1.1" } },
		{ "GB", "999", { "999", "9-9-9", "9 9 9", "99-9" } },
		{ "AU", "000", { "000", "0-0-0", "0 0 0", "00 0" } },
		{ "FR", "15", { "15", "1-5", "1 5", "1.5" } },
	};
	static const char *const HOME[][3] = {
		{ "DE", "+49112", "112" }, { "DE", "0049110", "110" },	{ "US", "+1911", "911" },
		{ "US", "011911", "911" }, { "US", "0111911#", "911" }, { "GB", "+44999", "999" },
		{ "AU", "0011112", "112" }
	};
	static const char *const OTHERS[][2] = {
		{ "DE", "116117" },
		{ "DE", "1121" },
		{ "DE", "0112" },
		{ "DE", "+491121234567" },
		{ "DE", "*21*112#" },
		{ "DE", "1*12" },
		{ "US", "9111" },
		{ "DE", "01121234567" },
		{ NULL, "110" },
		{ NULL, "+49112" },
		{ "DE", "" },
		{ "DE", "*" },
		{ "DE", "112@112" },
		{ "DE", "emergency" },
		{ "US", "+919111234567" },
		{ "DE", "00112123456" },
		{ "DE", "11 2 3" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(NUMBERS); i++)
		for (guint j = 0; j < G_N_ELEMENTS(AROUND) * 4; j++) {
			g_autofree char *text = g_strconcat(
				AROUND[j / 4][0], NUMBERS[i].spelt[j % 4], AROUND[j / 4][1], NULL);
			g_autofree char *number = number_emergency(text, NUMBERS[i].country);
			g_autofree char *dialled = NULL;

			g_test_message("%s in %s", text, NUMBERS[i].country);
			g_assert_cmpstr(number, ==, NUMBERS[i].number);
			g_assert_true(number_may_be_emergency(text));
			g_assert_true(number_dialled(text, NUMBERS[i].country, &dialled));
			g_assert_cmpstr(dialled, ==, NUMBERS[i].number);
		}
	for (guint i = 0; i < G_N_ELEMENTS(HOME); i++) {
		g_autofree char *number = number_emergency(HOME[i][1], HOME[i][0]);

		g_test_message("%s in %s", HOME[i][1], HOME[i][0]);
		g_assert_cmpstr(number, ==, HOME[i][2]);
		g_assert_true(number_may_be_emergency(HOME[i][1]));
	}
	for (guint i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
		g_test_message("%s in %s", OTHERS[i][1], OTHERS[i][0]);
		g_assert_false(number_is_emergency(OTHERS[i][1], OTHERS[i][0]));
	}
	g_assert_false(number_is_emergency(NULL, "DE"));
}

/* Where it is dialled is not known: a phone may have put any country's prefixes before it. */
static void
test_may_be_emergency(void)
{
	static const char *const NEVER[] = {
		"+14155551234", "4155551234", "+49301234567",	  "5551234", "*21*4155551234#",
		"emergency",	"",	      "00493012345678901"
	};
	guint countries = 0;

	for (guint i = 0; i < 26 * 26; i++) {
		char country[] = { (char)('A' + i / 26), (char)('A' + i % 26), '\0' };
		g_autofree char *abroad = NULL, *code = NULL, *text = NULL;

		if (!numberplan_knows(country))
			continue;
		abroad = numberplan_abroad(country);
		code = numberplan_calling_code(country);
		text = g_strconcat(abroad, code, "112", NULL);
		g_test_message("%s in %s", text, country);
		g_assert_true(!number_is_emergency(text, country) || number_may_be_emergency(text));
		countries++;
	}
	g_assert_cmpuint(countries, >, 200);
	for (guint i = 0; i < G_N_ELEMENTS(NEVER); i++) {
		g_test_message("%s", NEVER[i]);
		g_assert_false(number_may_be_emergency(NEVER[i]));
	}
	g_assert_false(number_may_be_emergency(NULL));
}

static void
test_privacy(void)
{
	static const struct {
		const char *text;
		NumberPrivacy asks;
	} CASES[] = {
		{ "0171 1234567", NUMBER_AS_SET },
		{ "*31#0171 1234567", NUMBER_HIDDEN },
		{ "#31#01711234567", NUMBER_HIDDEN },
		{ "*67 415 555 0101", NUMBER_HIDDEN },
		{ "*82 415 555 0101", NUMBER_SHOWN },
		{ "*67*824155550101", NUMBER_HIDDEN },
		{ "*31#+491711234567", NUMBER_HIDDEN },
		{ "%2331%23+491711234567", NUMBER_HIDDEN },
		{ "*31#", NUMBER_AS_SET },
		{ "*67", NUMBER_AS_SET },
		{ "*72", NUMBER_AS_SET },
		{ "67", NUMBER_AS_SET },
		{ "bob", NUMBER_AS_SET },
		{ "", NUMBER_AS_SET },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_test_message("%s", CASES[i].text);
		g_assert_cmpint(number_privacy(CASES[i].text), ==, CASES[i].asks);
	}
	g_assert_cmpint(number_privacy(NULL), ==, NUMBER_AS_SET);
}

static void
test_from_carrier(void)
{
	static const struct {
		const char *country, *text, *number;
	} CASES[] = {
		{ NULL, "+14155550101", "+14155550101" },
		{ NULL, "14155550101", "+14155550101" },
		{ NULL, "0014155550101", "+14155550101" },
		{ NULL, "7001", "7001" },
		{ "DE", "01711234567", "+491711234567" },
		{ "DE", "491711234567", "+491711234567" },
		{ "US", "4155550101", "+14155550101" },
		{ "US", "14155550101", "+14155550101" },
		{ "DE", "anonymous", NULL },
		{ "DE", "alice", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *number = NULL;

		g_test_message("%s in %s", CASES[i].text, CASES[i].country);
		number_from_carrier(CASES[i].text, CASES[i].country, &number);
		g_assert_cmpstr(number, ==, CASES[i].number);
	}
}

static void
test_to_carrier(void)
{
	static const struct {
		const char *number, *form, *prefix, *country, *sent;
	} CASES[] = {
		{ "+491711234567", "e164", "", "", "+491711234567" },
		{ "+491711234567", "national", "", "DE", "01711234567" },
		{ "+442079460123", "national", "", "DE", "00442079460123" },
		{ "+442079460123", "national", "", "US", "011442079460123" },
		{ "+14155550101", "national", "", "US", "14155550101" },
		{ "+491711234567", "national", "", "", "+491711234567" },
		{ "+491711234567", "prefix", "", "", "491711234567" },
		{ "+491711234567", "prefix", "9900", "", "9900491711234567" },
		{ "112", "national", "", "DE", "112" },
		{ "112", "prefix", "99", "DE", "112" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *sent = number_to_carrier(CASES[i].number, CASES[i].form,
							  CASES[i].prefix, CASES[i].country);

		g_assert_cmpstr(sent, ==, CASES[i].sent);
	}
}

static void
test_unescape(void)
{
	static const char *const CASES[][2] = {
		{ "0171\\201234567", "0171 1234567" },
		{ "tel\\3a+49171", "tel:+49171" },
		{ "bob\\40sip.example.net", "bob@sip.example.net" },
		{ "a\\2Fb\\5c20", "a/b\\20" },
		{ "a\\21b\\", "a\\21b\\" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text = number_unescape(CASES[i][0]);

		g_assert_cmpstr(text, ==, CASES[i][1]);
	}
}

static void
test_plan(void)
{
	static const char *const CLASSES[][2] = {
		{ "+4930901820", "fixed" },	    { "+491711234567", "mobile" },
		{ "+498001234567", "toll-free" },   { "+499001234567", "premium" },
		{ "+491801234567", "shared-cost" }, { "+881612345678", "satellite" },
		{ "+9999999999", "other" },	    { "+882130012345", "other" },
		{ "+883510012345", "other" },	    { "+878101234567890", "other" },
	};
	static const char *const SHORT_CLASSES[][3] = {
		{ "118712", "FR", "premium" }, { "116117", "DE", "toll-free" },
		{ "118712", "fr", "premium" }, { "115", "DE", "other" },
		{ "*100#", "DE", "other" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CLASSES); i++) {
		g_test_message("%s", CLASSES[i][0]);
		g_assert_cmpstr(numberplan_class(CLASSES[i][0]), ==, CLASSES[i][1]);
	}
	for (guint i = 0; i < G_N_ELEMENTS(SHORT_CLASSES); i++)
		g_assert_cmpstr(numberplan_short_class(SHORT_CLASSES[i][0], SHORT_CLASSES[i][1]),
				==, SHORT_CLASSES[i][2]);
	g_assert_true(numberplan_knows("DE"));
	g_assert_true(numberplan_knows("gb"));
	g_assert_false(numberplan_knows("XX"));
	g_assert_false(numberplan_knows(""));
	g_assert_true(numberplan_is_emergency("112", "DE"));
	g_assert_true(numberplan_is_emergency("911", "US"));
	g_assert_false(numberplan_is_emergency("911", "DE"));
	g_assert_false(numberplan_is_emergency("116117", "DE"));
	g_assert_false(numberplan_is_emergency("1121", "DE"));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/number/dialled", test_dialled);
	g_test_add_func("/number/emergency", test_emergency);
	g_test_add_func("/number/may-be-emergency", test_may_be_emergency);
	g_test_add_func("/number/privacy", test_privacy);
	g_test_add_func("/number/from-carrier", test_from_carrier);
	g_test_add_func("/number/to-carrier", test_to_carrier);
	g_test_add_func("/number/unescape", test_unescape);
	g_test_add_func("/number/plan", test_plan);
	return g_test_run();
}
