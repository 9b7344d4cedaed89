/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-tls-peer.c - whose certificate is it?  RFC 5922 7. */
#include "plugins/sip/stack/sip_tls_peer.h"
#include <openssl/x509v3.h>
#include <string.h>

/* Signed by nobody: names are all that is looked at. */
static X509 *
certificate(const char *common_name, const char *names)
{
	X509 *made = X509_new();
	X509_EXTENSION *extension = NULL;

	X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
				   (const guchar *)common_name, -1, -1, 0);
	if (names)
		extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	if (extension)
		X509_add_ext(made, extension, -1);
	X509_EXTENSION_free(extension);
	return made;
}

static void
test_names(void)
{
	static const struct {
		const char *common_name, *names, *asked;
		gboolean right;
	} cases[] = {
		{ "x", "DNS:sip.example.org", "sip.example.org", TRUE },
		{ "x", "DNS:sip.example.org", "SIP.Example.ORG.", TRUE },
		{ "x", "DNS:other.example,DNS:sip.example.org", "sip.example.org", TRUE },
		{ "x", "DNS:example.org", "sip.example.org", FALSE },
		{ "x", "DNS:sip.example.org", "example.org", FALSE },
		/* carriers' wildcards: one label */
		{ "x", "DNS:*.example.org", "sip.example.org", TRUE },
		{ "x", "DNS:*.example.org", "a.sip.example.org", FALSE },
		{ "x", "DNS:*.example.org", "example.org", FALSE },
		{ "x", "DNS:s*.example.org", "sip.example.org", FALSE },
		{ "x", "DNS:*.org", "example.org", FALSE },
		/* URIs: a domain's, not a user's and not of the web */
		{ "x", "URI:sip:example.org", "example.org", TRUE },
		{ "x", "URI:SIP:example.org;transport=tls", "example.org", TRUE },
		{ "x", "URI:sip:alice@example.org", "example.org", FALSE },
		{ "x", "URI:sip:example.org", "sip.example.org", FALSE },
		{ "x", "URI:https://example.org", "example.org", FALSE },
		/* the subject counts when nothing else names a domain */
		{ "sip.example.org", NULL, "sip.example.org", TRUE },
		{ "sip.example.org", "DNS:other.example", "sip.example.org", FALSE },
		{ "sip.example.org", "URI:sip:other.example", "sip.example.org", FALSE },
		/* addresses */
		{ "x", "IP:192.0.2.1", "192.0.2.1", TRUE },
		{ "x", "IP:192.0.2.1", "192.0.2.2", FALSE },
		{ "x", "IP:2001:db8::1", "[2001:db8:0::1]", TRUE },
		{ "192.0.2.1", NULL, "192.0.2.1", FALSE },
		{ "x", "DNS:192.0.2.1", "192.0.2.1", FALSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		X509 *made = certificate(cases[i].common_name, cases[i].names);

		g_test_message("%s for %s", cases[i].names, cases[i].asked);
		g_assert_cmpint(tls_peer_certificate_is_for(made, cases[i].asked), ==,
				cases[i].right);
		X509_free(made);
	}
}

static void
test_told(void)
{
	static const struct {
		const char *common_name, *names, *told;
	} cases[] = {
		{ "cn.example", NULL, "cn.example" },
		{ "cn.example", "DNS:a.example,URI:sip:b.example,IP:192.0.2.1",
		  "a.example, b.example" },
		{ "a b", NULL, "no name at all" },
		{ "x", "DNS:1.test,DNS:2.test,DNS:3.test,DNS:4.test,DNS:5.test,DNS:6.test",
		  "1.test, 2.test, 3.test, 4.test and 2 more" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		X509 *made = certificate(cases[i].common_name, cases[i].names);
		g_autofree char *told = tls_peer_certificate_names(made);

		g_assert_cmpstr(told, ==, cases[i].told);
		X509_free(made);
	}
}

/* Each setting that says whom to trust makes another label. */
static void
test_labels(void)
{
	const TlsPeerSettings settings[] = {
		{ "carrier", "sip.example.org", TRUE, NULL },
		{ "carrier", "sip.example.org", FALSE, NULL },
		{ "carrier", "sip.example.net", TRUE, NULL },
		{ "carrier", "sip.example.org", TRUE, "/ca.pem" },
	};
	g_autoptr(TlsPeer) first = tls_peer_new(&settings[0]);
	g_autoptr(TlsPeer) same = tls_peer_new(&settings[0]);
	g_autofree char *trunk = tls_peer_trunk_of(tls_peer_label(first));

	g_assert_cmpstr(trunk, ==, "carrier");
	g_assert_cmpstr(tls_peer_label(first), ==, tls_peer_label(same));
	for (guint i = 1; i < G_N_ELEMENTS(settings); i++) {
		g_autoptr(TlsPeer) other = tls_peer_new(&settings[i]);

		g_assert_cmpstr(tls_peer_label(first), !=, tls_peer_label(other));
	}
	g_assert_null(tls_peer_trunk_of("sip.example.org"));
	g_assert_null(tls_peer_trunk_of("192.0.2.1"));
	g_assert_null(tls_peer_trunk_of(NULL));
}

static void
test_no_authorities(void)
{
	const TlsPeerSettings settings = { "carrier", "sip.example.org", TRUE, "/nowhere/ca.pem" };
	g_autoptr(TlsPeer) peer = tls_peer_new(&settings);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);

	g_assert_null(tls_peer_problem(peer));
	g_assert_false(tls_peer_prepare(peer, ssl));
	g_assert_nonnull(strstr(tls_peer_problem(peer), "tls-ca=/nowhere/ca.pem: "));
	SSL_free(ssl);
	SSL_CTX_free(context);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tls-peer/names", test_names);
	g_test_add_func("/tls-peer/told", test_told);
	g_test_add_func("/tls-peer/labels", test_labels);
	g_test_add_func("/tls-peer/no-authorities", test_no_authorities);
	return g_test_run();
}
