/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-dial-uri.c - SIP addresses outside: what is one, and which may be called. */
#include "b2bua/route/dial_uri.h"

static void
test_parse(void)
{
	static const struct {
		const char *text, *address, *host;
		guint port;
	} CASES[] = {
		{ "bob@example.org", "sip:bob@example.org", "example.org", 0 },
		{ "sip:Bob@Example.ORG", "sip:Bob@example.org", "example.org", 0 },
		{ "SIP:bob@example.org:5070", "sip:bob@example.org:5070", "example.org", 5070 },
		{ "bob@192.0.2.1", "sip:bob@192.0.2.1", "192.0.2.1", 0 },
		{ "bob@[2001:db8::1]", "sip:bob@[2001:db8::1]", "2001:db8::1", 0 },
		{ "bob@[2001:db8::1]:5070", "sip:bob@[2001:db8::1]:5070", "2001:db8::1", 5070 },
		{ "bob@localhost", "sip:bob@localhost", "localhost", 0 },
		{ "+14155550123@example.org", "sip:+14155550123@example.org", "example.org", 0 },
		{ "bob@home@example.org", "sip:bob@home@example.org", "example.org", 0 },
		{ "b\xc3\xb6"
		  "b@example.org",
		  "sip:b\xc3\xb6"
		  "b@example.org",
		  "example.org", 0 },
		{ "sips:bob@example.org", NULL, NULL, 0 },
		{ "bob@example.org;transport=tcp", NULL, NULL, 0 },
		{ "bob@example.org?subject=x", NULL, NULL, 0 },
		{ "bob@example.org>", NULL, NULL, 0 },
		{ "bob@example.org:0", NULL, NULL, 0 },
		{ "bob@example.org:65536", NULL, NULL, 0 },
		{ "bob@example.org:", NULL, NULL, 0 },
		{ "bob@2001:db8::1", NULL, NULL, 0 },
		{ "bob@[192.0.2.1]", NULL, NULL, 0 },
		{ "bob@[fe80::1%eth0]", NULL, NULL, 0 },
		{ "bob@[2001:db8::1", NULL, NULL, 0 },
		{ "bob@[2001:db8::1]x", NULL, NULL, 0 },
		{ "b ob@example.org", NULL, NULL, 0 },
		{ "b\nob@example.org", NULL, NULL, 0 },
		{ "b\xffob@example.org", NULL, NULL, 0 },
		{ "bob", NULL, NULL, 0 },
		{ "@example.org", NULL, NULL, 0 },
		{ "bob@", NULL, NULL, 0 },
		{ "", NULL, NULL, 0 },
	};
	g_autofree char *user = g_strnfill(256, 'a');
	g_autofree char *too_long = g_strconcat(user, "@example.org", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Address) uri = dial_uri_parse(CASES[i].text);
		g_autofree char *text = uri ? address_text(uri) : NULL, *host = NULL;
		guint port = 0;

		g_test_message("%s", CASES[i].text);
		g_assert_cmpstr(text, ==, CASES[i].address);
		if (uri)
			dial_uri_split(uri, &host, &port);
		g_assert_cmpstr(host, ==, CASES[i].host);
		g_assert_cmpuint(port, ==, CASES[i].port);
	}
	g_assert_null(dial_uri_parse(too_long));
}

static void
test_policy(void)
{
	static const struct {
		const char *dial_uris, *host;
		DialUri policy;
	} CASES[] = {
		{ "", "example.org", DIAL_URI_REFUSED },
		{ "dial_uris=no\n", "example.org", DIAL_URI_REFUSED },
		{ "dial_uris=no\n", "no", DIAL_URI_REFUSED },
		{ "dial_uris=any\n", "example.org", DIAL_URI_PUBLIC },
		{ "dial_uris=example.org\n", "EXAMPLE.org", DIAL_URI_NAMED },
		{ "dial_uris=example.org\n", "sip.example.org", DIAL_URI_REFUSED },
		{ "dial_uris=example.org;192.0.2.1;2001:db8::1\n", "192.0.2.1", DIAL_URI_NAMED },
		{ "dial_uris=example.org;192.0.2.1;2001:db8::1\n", "2001:db8::1", DIAL_URI_NAMED },
		{ "dial_uris=any;pbx\n", "pbx", DIAL_URI_NAMED },
		{ "dial_uris=any;pbx\n", "example.org", DIAL_URI_PUBLIC },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text =
			g_strconcat("[xmpp]\nsecret=s\n[sip]\n", CASES[i].dial_uris, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(Config) config = config_from_text(text, "test", &error);

		g_assert_no_error(error);
		g_test_message("%s: %s", CASES[i].dial_uris, CASES[i].host);
		g_assert_cmpint(dial_uri_policy(config, CASES[i].host), ==, CASES[i].policy);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dial-uri/parse", test_parse);
	g_test_add_func("/dial-uri/policy", test_policy);
	return g_test_run();
}
