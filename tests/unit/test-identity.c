/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-identity.c - lists of identities, and telephone numbers in URIs. */
#include "plugins/sip/stack/sip_identity.h"
#include "plugins/sip/stack/sip_tel.h"
#include "b2bua/number.h"

static void
test_split(void)
{
	/* "name|uri|params" of each, one a line */
	static const char *const CASES[][2] = {
		{ "<sip:a@b>", "-|sip:a@b|\n" },
		{ "<sip:a@b>, <tel:+1415>", "-|sip:a@b|\n-|tel:+1415|\n" },
		{ "\"A, B\" <sip:a@b>;x=\"1,2\",C D <sip:c@d>",
		  "A, B|sip:a@b|;x=\"1,2\"\nC D|sip:c@d|\n" },
		{ "\"Q \\\"x\\\" <y>\" <sip:a@b;p=1>;q", "Q \"x\" <y>|sip:a@b;p=1|;q\n" },
		{ "sip:a@b;x=1", "-|sip:a@b;x=1|;x=1\n" },
		{ "tel:4155550101;phone-context=+1",
		  "-|tel:4155550101;phone-context=+1|;phone-context=+1\n" },
		{ "<sip:a,b@c>, <sip:d@e>", "-|sip:a,b@c|\n-|sip:d@e|\n" },
		{ "<sip:a@b>,\r\n <sip:c@d>", "-|sip:a@b|\n-|sip:c@d|\n" },
		{ " , ,<sip:a@b>,,", "-|sip:a@b|\n" },
		{ "<<<", "" },
		{ "<sip:a@b", "" },
		{ "\"open <sip:a@b>", "-|\"open <sip:a@b>|\n" },
		{ "", "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(GPtrArray) entries = identity_split(CASES[i][0]);
		g_autoptr(GString) text = g_string_new(NULL);

		for (guint k = 0; k < entries->len; k++) {
			const NameAddr *entry = entries->pdata[k];

			g_string_append_printf(text, "%s|%s|%s\n", entry->name ? entry->name : "-",
					       entry->uri, entry->params);
		}
		g_assert_cmpstr(text->str, ==, CASES[i][1]);
	}
}

static void
test_params(void)
{
	g_autoptr(GPtrArray) entries = identity_split(
		"<sip:a@b>; Party = calling ;screen;privacy=\"full\";x=\";party=called\"");
	g_autofree char *party = NULL, *screen = NULL, *privacy = NULL, *none = NULL;

	g_assert_cmpuint(entries->len, ==, 1);
	g_assert_true(identity_param(entries->pdata[0], "party", &party));
	g_assert_cmpstr(party, ==, "calling");
	g_assert_true(identity_param(entries->pdata[0], "SCREEN", &screen));
	g_assert_cmpstr(screen, ==, "");
	g_assert_true(identity_param(entries->pdata[0], "privacy", &privacy));
	g_assert_cmpstr(privacy, ==, "full");
	g_assert_false(identity_param(entries->pdata[0], "priv", &none));
}

/* RFC 3966 5.1.5: a context of digits says whose number it is, a domain does not. */
static void
test_tel(void)
{
	static const char *const CASES[][2] = {
		{ "+14155550101", "+14155550101" },
		{ "+1-415-555-0101;ext=5", "+1-415-555-0101" },
		{ "+14155550101;phone-context=+49", "+14155550101" },
		{ "4155550101;phone-context=+1", "+14155550101" },
		{ "(415)555-0101;isub=1;phone-context=+1", "+14155550101" },
		{ "4155550101;Phone-Context=%2B1", "+14155550101" },
		{ "5550101;phone-context=+1-415", "+14155550101" },
		{ "1711234567;phone-context=+49", "+491711234567" },
		{ "01711234567;phone-context=+49", "+491711234567" },
		{ "2079460123;phone-context=+44", "+442079460123" },
		{ "69812345;phone-context=+3906", "+390669812345" },
		{ "112;phone-context=+49", "112" },
		{ "110;phone-context=+49", "110" },
		{ "911;phone-context=+1", "911" },
		{ "116117;phone-context=+49", "116117" },
		{ "7042;phone-context=example.com", "7042" },
		{ "4155550101;phone-context=ims.example.com", "4155550101" },
		{ "4155550101;phone-context=+", "4155550101" },
		{ "4155550101;phone-context=+999999", "4155550101" },
		{ "4155550101;phone-context=", "4155550101" },
		{ "4155550101", "4155550101" },
		{ "bob;phone-context=+1", "bob" },
		{ "%2B14155550101;npdi;rn=+14155550000", "+14155550101" },
		{ ";phone-context=+1", NULL },
		{ "", NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *user = tel_read(CASES[i][0]);

		g_test_message("%s", CASES[i][0]);
		g_assert_cmpstr(user, ==, CASES[i][1]);
	}
	g_assert_null(tel_read(NULL));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/identity/split", test_split);
	g_test_add_func("/identity/params", test_params);
	g_test_add_func("/identity/tel", test_tel);
	return g_test_run();
}
