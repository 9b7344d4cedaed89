/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-config.c - defaults, every kind of mistake, and the template. */
#include <string.h>
#include <glib/gstdio.h>
#include "b2bua/config.h"

#define OK "[xmpp]\nsecret = s\n"

/* What is written, and what the one line of the error must hold. */
static const struct {
	const char *text;
	const char *words[4];
} mistakes[] = {
	{ "", { "[xmpp] secret", "not set", "gateway.localhost" } },
	{ OK "port = 99999\n", { "f.conf: [xmpp] port = 99999", "1 to 65535", "5347" } },
	{ OK "port = -1\n", { "[xmpp] port = -1", "whole number" } },
	{ OK "port = 5347x\n", { "[xmpp] port = 5347x", "whole number" } },
	{ OK "prot = 1\n", { "[xmpp] prot", "unknown key", "did you mean [xmpp] port" } },
	{ OK "port_min = 1\n", { "[xmpp] port_min", "did you mean [media] port_min" } },
	{ OK "zzzzzzzzzz = 1\n", { "unknown key", "--print-config" } },
	{ OK "[spi]\nport = 1\n", { "[spi]", "did you mean [sip]" } },
	{ OK "[completely-different]\n", { "unknown group", "--print-config" } },
	{ OK "domain = -bad-\n", { "[xmpp] domain = -bad-", "gw.example.org" } },
	{ OK "domain =\n", { "[xmpp] domain", "empty" } },
	{ OK "host = a b\n", { "[xmpp] host = a b", "192.0.2.1" } },
	{ OK "[sip]\naddress = example.org\n", { "[sip] address = example.org", "numeric" } },
	{ OK "[sip]\naddress = 0.0.0.0\n", { "[sip] address = 0.0.0.0", "must be one address" } },
	{ OK "[sip]\naddress = ::\n", { "[sip] address = ::", "must be one address" } },
	{ OK "[sip]\nport = 25000\n", { "[sip] port = 25000", "20000 to 29999" } },
	{ OK "[media]\nport_min = 30000\n", { "[media] port_max = 29999", "port_min = 30000" } },
	{ OK "[media]\nport_max = 65536\n", { "[media] port_max = 65536", "65535" } },
	{ OK "[media]\nlocal_addresses = 127.0.0.1;x\n",
	  { "local_addresses", "x is not a numeric" } },
	{ OK "[media]\nlocal_addresses = ::1;::1\n", { "twice" } },
	{ OK "[media]\nstun_server = stun:stun.example.org\n",
	  { "[media] stun_server = stun:stun.example.org", "not a server", "[2001:db8::1]:3478" } },
	{ OK "[media]\nturn_server = 192.0.2.1:0\n",
	  { "turn_server = 192.0.2.1:0", "not a server" } },
	{ OK "[media]\nturn_server = 192.0.2.1:x\n",
	  { "turn_server = 192.0.2.1:x", "not a server" } },
	{ OK "[media]\nturn_server = u@turn.example.org\n", { "turn_server", "not a server" } },
	{ OK "[media]\nturn_server = turn.example.org\n",
	  { "[media] turn_secret: not set", "turn.example.org", "static-auth-secret" } },
	{ OK "[media]\nturn_secret = hunter2\n", { "[media] turn_server", "turn_secret is" } },
	{ OK "[media]\nturn_relay = yes\n", { "[media] turn_server", "turn_relay is" } },
	{ OK "[media]\nturn_ttl = 1\n", { "turn_ttl = 1", "60 to" } },
	{ OK "[media]\nkernel_split = maybe\n", { "kernel_split = maybe", "yes or no" } },
	{ OK "[gateway]\nplugins = ;\n", { "plugins = ;", "empty" } },
	{ OK "[gateway]\nplugins = xmpp;../evil\n", { "plugins", "../evil is not a name" } },
	{ OK "[gateway]\nplugins = sip;sip\n", { "sip is there twice" } },
	{ OK "[gateway]\nlog_level = loud\n",
	  { "log_level = loud", "error, warning, info or debug" } },
	{ OK "[sip]\ndial_uris = no;example.org\n", { "dial_uris", "write no, any, or hosts" } },
	{ OK "[sip]\ndial_uris = sip:example.org\n", { "dial_uris", "example.org;192.0.2.1" } },
	{ OK "secret = other\n", { "line 3", "[xmpp] secret", "second time" } },
	{ "secret = hunter2\n", { "line 1", "before the first group" } },
	{ "[xmpp]\nsecret hunter2\n", { "line 2", "key = value" } },
	{ "[xmpp]\nsecret = a\\qhunter2\n", { "[xmpp] secret", "(hidden)" } },
	{ OK "host = \xff\n", { "UTF-8" } },
	{ OK "[records]\nhook=billing\n", { "[records] hook", "billing", "path of a program" } },
	{ OK "[records]\nhook=ftp://example.org/\n", { "[records] hook", "or a URL such as" } },
	{ OK "[records]\nhook=https://\n", { "[records] hook" } },
	{ OK "[records]\nhook=https://me:hunter2@example.org/\n",
	  { "[records] hook", "write hook_token" } },
};

static void
test_mistakes(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Config) config = config_from_text(mistakes[i].text, "f.conf", &error);

		g_test_message("%s", error ? error->message : "accepted");
		g_assert_null(config);
		g_assert_true(g_error_matches(error, CONFIG_ERROR, 0));
		g_assert_true(g_str_has_prefix(error->message, "f.conf: "));
		g_assert_null(strchr(error->message, '\n'));
		g_assert_null(strstr(error->message, "hunter2")); /* never a secret */
		for (const char *const *word = mistakes[i].words; *word; word++)
			if (!strstr(error->message, *word))
				g_error("mistake %u lacks \"%s\": %s", i, *word, error->message);
	}
}

/* A path that is longer than a socket may have. */
static void
test_long_socket(void)
{
	g_autofree char *path = g_strnfill(108, 'x');
	g_autofree char *text = g_strdup_printf(OK "[gateway]\ncontrol_socket = %s\n", path);
	g_autoptr(GError) error = NULL;

	g_assert_null(config_from_text(text, "f.conf", &error));
	g_assert_nonnull(strstr(error->message, "107 bytes"));
}

static void
test_defaults(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_load(NULL, &error);

	g_assert_no_error(error);
	g_assert_null(config->xmpp_secret);
	g_assert_cmpstr(config->xmpp_host, ==, "127.0.0.1");
	g_assert_cmpuint(config->xmpp_port, ==, 5347);
	g_assert_cmpstr(config->sip_domain, ==, "127.0.0.1");
	g_assert_cmpstr(config->media.rtp_address, ==, "127.0.0.1");
	g_assert_cmpstr(config->media.local_addresses[0], ==, "127.0.0.1");
	g_assert_null(config->media.local_addresses[1]);
	g_assert_cmpuint(config->media.port_min, ==, 20000);
	g_assert_cmpuint(config->media.port_max, ==, 29999);
	g_assert_true(config->media.kernel_split);
	g_assert_cmpuint(config->ring_timeout_s, ==, 120);
	g_assert_cmpuint(g_strv_length(config->plugins), ==, 3);
}

/* The host part of our From, where nobody has given one. */
static void
test_domain(void)
{
	static const struct {
		const char *sip, *domain;
	} cases[] = {
		{ "address=192.0.2.1", "192.0.2.1" },
		{ "address=2001:db8::1", "[2001:db8::1]" },
		{ "address=192.0.2.1\npublic_address=2001:db8::2", "[2001:db8::2]" },
		{ "address=192.0.2.1\ndomain=2001:db8::3", "[2001:db8::3]" },
		{ "address=2001:db8::1\ndomain=sip.example.org", "sip.example.org" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text =
			g_strdup_printf("[gateway]\nplugins=sip\n[sip]\n%s\n", cases[i].sip);
		g_autoptr(GError) error = NULL;
		g_autoptr(Config) config = config_from_text(text, "f.conf", &error);

		g_assert_no_error(error);
		g_assert_cmpstr(config->sip_domain, ==, cases[i].domain);
	}
}

static void
test_values(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_from_text(
		"# a comment\n[gateway]\nplugins=sip;\ndatabase = /tmp/x\\sy.db\n[xmpp]\n"
		"domain = GW.Example.org\n[sip]\naddress = 192.0.2.1\ndomain=sip.example.org\n"
		"public_address=198.51.100.1\n[media]\nlocal_addresses = 192.0.2.1 ; 2001:db8::1\n"
		"kernel_split = no\nstun_server = "
		"[2001:db8::7]:5000\nturn_server=turn.example.org\n"
		"turn_secret = north\n[limits]\nmax_calls = 7\n",
		"f.conf", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(config->database, ==, "/tmp/x y.db");
	g_assert_cmpstr(config->plugins[0], ==, "sip");
	g_assert_null(config->plugins[1]);
	g_assert_cmpstr(config->xmpp_domain, ==, "gw.example.org");
	g_assert_cmpstr(config->sip_domain, ==, "sip.example.org");
	g_assert_cmpstr(config->media.rtp_address, ==, "192.0.2.1");
	g_assert_cmpstr(config->media.local_addresses[1], ==, "2001:db8::1");
	g_assert_false(config->media.kernel_split);
	g_assert_cmpstr(config->media.stun.host, ==, "2001:db8::7");
	g_assert_cmpuint(config->media.stun.port, ==, 5000);
	g_assert_cmpstr(config->media.turn.host, ==, "turn.example.org");
	g_assert_cmpuint(config->media.turn.port, ==, 3478);
	g_assert_cmpuint(config->media.turn_ttl_s, ==, 43200);
	g_assert_cmpuint(config->max_calls, ==, 7);
}

/* The template is accepted as it stands (but for the secret), and with every
 * "#" removed it says the defaults. */
static void
test_template(void)
{
	g_autofree char *template = config_template();
	g_autoptr(GRegex) off = g_regex_new("^#([a-z_]+ = .+)$", G_REGEX_MULTILINE, 0, NULL);
	g_autofree char *on = g_regex_replace(off, template, -1, 0, "\\1", 0, NULL);
	g_autofree char *whole = g_strdup_printf("%s\n", on);
	g_autoptr(GString) text = g_string_new(whole);
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) plain = config_load(NULL, NULL);
	g_autoptr(Config) config = NULL;

	g_assert_cmpuint(g_string_replace(text, "#secret = ", "secret = s", 1), ==, 1);
	config = config_from_text(text->str, "template", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(config->database, ==, plain->database);
	g_assert_cmpuint(config->max_iqs, ==, plain->max_iqs);
	g_assert_cmpuint(config->media.port_max, ==, plain->media.port_max);
	g_assert_cmpstr(config->xmpp_secret, ==, "s");
	g_assert_null(config_from_text(template, "template", &error));
	g_assert_nonnull(strstr(error->message, "[xmpp] secret: not set"));
}

/* A plugin asks by words; in a section of its own it may ask for any. */
static void
test_text(void)
{
	static const char TEXT[] =
		"[quiet]\ngreeting = nobody\\sis in \nempty=\n[gateway]\nplugins=sip;quiet\n"
		"[sip]\naddress=192.0.2.1\n[media]\nstun_server=[2001:db8::7]:5000\n"
		"local_addresses=192.0.2.1;2001:db8::1\nkernel_split=no\n";
	static const char *const wanted[][3] = {
		{ "quiet", "greeting", "nobody is in" },
		{ "quiet", "empty", "" },
		{ "quiet", "absent", NULL },
		{ "absent", "greeting", NULL },
		{ "sip", "address", "192.0.2.1" },
		{ "sip", "port", "5060" },
		{ "media", "rtp_address", "192.0.2.1" }, /* the default of which is another's */
		{ "media", "port_min", "20000" },
		{ "media", "kernel_split", "no" },
		{ "media", "stun_server", "[2001:db8::7]:5000" },
		{ "media", "turn_server", NULL },
		{ "media", "local_addresses", "192.0.2.1;2001:db8::1" },
	};
	g_autoptr(GError) error = NULL, unknown = NULL, broken = NULL;
	g_autoptr(Config) config = config_from_text(TEXT, "f.conf", &error);

	g_assert_no_error(error);
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
		g_autofree char *text = config_text(config, wanted[i][0], wanted[i][1]);

		g_assert_cmpstr(text, ==, wanted[i][2]);
	}
	g_assert_null(config_from_text("[gateway]\nplugins=sip\n[quiet]\na=b\n", "f", &unknown));
	g_assert_nonnull(strstr(unknown->message, "[quiet]: unknown group"));
	g_assert_null(
		config_from_text("[gateway]\nplugins=sip;quiet\n[quiet]\na=\\q\n", "f", &broken));
	g_assert_nonnull(strstr(broken->message, "[quiet] a: not to be read"));
}

static void
assert_renewed(Config *config, const char *path, const char *text, const char *said)
{
	g_autofree char *what = NULL;

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_assert_true(config_renew(config, path, &what, NULL));
	g_assert_cmpstr(what, ==, said);
}

/* What is a plugin's own is taken over at once: who asks again has it. */
static void
test_renew(void)
{
	static const char BEFORE[] = "[gateway]\nplugins=sip;quiet\n[quiet]\na=1\n";
	static const char AFTER[] = "[gateway]\nplugins=sip;quiet\ncountry=DE\n[quiet]\na=2\n";
	g_autofree char *folder = g_dir_make_tmp("tandem-config-XXXXXX", NULL), *own = NULL;
	g_autofree char *path = g_build_filename(folder, "t.conf", NULL);
	g_autoptr(Config) config = config_from_text(BEFORE, "f.conf", NULL);

	assert_renewed(config, path, BEFORE, "taken over: nothing; waiting for a restart: nothing");
	assert_renewed(config, path, AFTER,
		       "taken over: [gateway] country, what plugins have of their own; "
		       "waiting for a restart: nothing");
	own = config_text(config, "quiet", "a");
	g_assert_cmpstr(own, ==, "2");
	g_unlink(path);
	g_rmdir(folder);
}

static void
test_file(void)
{
	g_autofree char *folder = g_dir_make_tmp("tandem-config-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "t.conf", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = NULL;

	g_assert_null(config_load(path, &error));
	g_assert_nonnull(strstr(error->message, path));
	g_assert_nonnull(strstr(error->message, "--print-config"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, OK "\0", sizeof OK, NULL));
	g_assert_null(config_load(path, &error));
	g_assert_nonnull(strstr(error->message, "not a text file"));
	g_clear_error(&error);
	g_assert_true(g_file_set_contents(path, OK, -1, NULL));
	config = config_load(path, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(config->xmpp_secret, ==, "s");
	g_unlink(path);
	g_rmdir(folder);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/defaults", test_defaults);
	g_test_add_func("/config/domain", test_domain);
	g_test_add_func("/config/values", test_values);
	g_test_add_func("/config/mistakes", test_mistakes);
	g_test_add_func("/config/long-socket", test_long_socket);
	g_test_add_func("/config/template", test_template);
	g_test_add_func("/config/text", test_text);
	g_test_add_func("/config/renew", test_renew);
	g_test_add_func("/config/file", test_file);
	return g_test_run();
}
