/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-caps.c - what we announce, the hash of XEP-0115, what others can. */
#include <string.h>
#include "plugins/xmpp/xmpp_caps.h"

#define QUERY(inside) "<query xmlns='http://jabber.org/protocol/disco#info'>" inside "</query>"
#define FORM(inside)                                                                   \
	"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>" \
	"<value>urn:xmpp:dataforms:softwareinfo</value></field>" inside "</x>"

static char *
hash(const char *text)
{
	g_autoptr(xmlNode) query = xml_parse(text, strlen(text), 65536, NULL);

	g_assert_nonnull(query);
	return xmpp_caps_hash(query);
}

/* XEP-0115 section 5.2, with its features in another order. */
static void
test_simple(void)
{
	g_autofree char *ver =
		hash(QUERY("<feature var='http://jabber.org/protocol/muc'/>"
			   "<feature var='http://jabber.org/protocol/disco#info'/>"
			   "<identity category='client' type='pc' name='Exodus 0.9.1'/>"
			   "<feature var='http://jabber.org/protocol/disco#items'/>"
			   "<feature var='http://jabber.org/protocol/caps'/>"));

	g_assert_cmpstr(ver, ==, "QgayPKawpkPSDYmwT/WM94uAlu0=");
}

/* XEP-0115 section 5.3: two languages and a form. */
static void
test_complex(void)
{
	static const char with_prefix[] = QUERY(
		"<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
		"<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>"
		"<feature var='http://jabber.org/protocol/caps'/>"
		"<feature var='http://jabber.org/protocol/disco#info'/>"
		"<feature var='http://jabber.org/protocol/disco#items'/>"
		"<feature var='http://jabber.org/protocol/muc'/>" FORM(
			"<field var='ip_version'><value>ipv6</value><value>ipv4</value></field>"
			"<field var='os'><value>Mac</value></field>"
			"<field var='os_version'><value>10.5.1</value></field>"
			"<field var='software'><value>Psi</value></field>"
			"<field var='software_version'><value>0.11</value></field>"));
	g_autofree char *ver = hash(with_prefix), *stripped = NULL;
	g_auto(GStrv) parts = g_strsplit(with_prefix, "xml:lang", -1);
	g_autofree char *without_prefix = g_strjoinv("lang", parts);

	stripped = hash(without_prefix);
	g_assert_cmpstr(ver, ==, "q07IKJEyjvHSyhy//CH0CxmKi8w=");
	g_assert_cmpstr(stripped, ==, ver);
}

static void
test_ill_formed(void)
{
	static const char *const texts[] = {
		QUERY("<feature var='a'/><feature var='b'/><feature var='a'/>"),
		QUERY("<identity category='c' type='t'/><identity type='t' category='c'/>"),
		QUERY(FORM("") FORM("<field var='os'><value>x</value></field>")),
		QUERY("<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
		      "<value>a</value><value>b</value></field></x>"),
	};
	g_autofree char *without = hash(QUERY("")), *unhidden = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		g_assert_null(hash(texts[i]));
	/* A form without a hidden FORM_TYPE does not count. */
	unhidden = hash(QUERY("<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>a</value>"
			      "</field></x><x xmlns='jabber:x:data'/>"));
	g_assert_cmpstr(unhidden, ==, without);
}

/* "<" is what stands between the parts: with one inside, a list that says less has the hash of
 * an honest one. */
static void
test_separator(void)
{
	static const char *const texts[] = {
		QUERY("<feature var='a'/><feature var='b&lt;c'/>"),
		QUERY("<identity category='c' type='t' name='n&lt;a'/>"),
		QUERY("<identity category='c&lt;' type='t'/>"),
		QUERY("<identity category='c' type='t' xml:lang='&lt;'/>"),
		QUERY(FORM("<field var='os'><value>a&lt;b</value></field>")),
		QUERY(FORM("<field var='os&lt;a'><value>b</value></field>")),
		QUERY("<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
		      "<value>a&lt;b</value></field></x>"),
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		g_assert_null(hash(texts[i]));
}

static gboolean
is_sorted(const char *const *features)
{
	for (; features[0] && features[1]; features++)
		if (strcmp(features[0], features[1]) >= 0)
			return FALSE;
	return TRUE;
}

static void
test_ours(void)
{
	static const char *const wanted[] = {
		NS_JINGLE,     NS_ICE_UDP, NS_RTP,	"urn:xmpp:jingle:apps:rtp:audio",
		NS_DTLS,       NS_JMI,	   NS_RECEIPTS, "urn:ietf:rfc:3264",
		NS_DISCO_INFO, NS_CAPS,
	};
	g_autofree char *number = xmpp_caps_own_hash(&xmpp_caps_number);
	g_autofree char *domain = xmpp_caps_own_hash(&xmpp_caps_domain);
	g_autoptr(xmlNode) query = xmpp_caps_query(&xmpp_caps_number, "node#ver");

	/* the one of the corpus: gateway-00-g-presence-number.xml */
	g_assert_cmpstr(number, ==, "6ZcrjRHvaCCMroxdoe0gCnoFwCA=");
	g_assert_nonnull(domain);
	g_assert_true(is_sorted(xmpp_caps_number.features));
	g_assert_true(is_sorted(xmpp_caps_domain.features));
	for (guint i = 0; i < G_N_ELEMENTS(wanted); i++)
		g_assert_true(g_strv_contains(xmpp_caps_number.features, wanted[i]));
	g_assert_false(
		g_strv_contains(xmpp_caps_number.features, "urn:xmpp:jingle:apps:rtp:video"));
	g_assert_cmpstr(xml_attribute(query, "node"), ==, "node#ver");
	g_assert_true(xmpp_caps_can_call(xmpp_caps_read(query)));
	g_assert_cmpstr(xmpp_caps_domain.category, ==, "gateway");
	g_assert_cmpstr(xmpp_caps_domain.type, ==, "pstn");
	g_assert_true(xmpp_caps_domain.is_bot && !xmpp_caps_number.is_bot);
	g_assert_cmpstr(xmpp_caps_number.category, ==, "client");
	g_assert_cmpstr(xmpp_caps_number.type, ==, "phone");
}

static void
test_read(void)
{
	static const char text[] = QUERY("<feature var='urn:xmpp:jingle:1'/><feature/>"
					 "<feature var='urn:xmpp:jingle:apps:rtp:1'/>"
					 "<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"
					 "<feature var='urn:xmpp:jingle:transports:ice-udp:1'/>");
	g_autoptr(xmlNode) query = xml_parse(text, strlen(text), 65536, NULL);
	guint can = xmpp_caps_read(query);

	g_assert_cmpuint(can, ==, XMPP_CAN_JINGLE | XMPP_CAN_RTP | XMPP_CAN_AUDIO | XMPP_CAN_ICE);
	g_assert_false(xmpp_caps_can_call(can)); /* it has no DTLS */
	g_assert_true(xmpp_caps_is_unencrypted(can));
	g_assert_false(xmpp_caps_is_unencrypted(can & ~(guint)XMPP_CAN_ICE));
	g_assert_true(xmpp_caps_can_call(can | XMPP_CAN_DTLS));
	g_assert_false(xmpp_caps_is_unencrypted(can | XMPP_CAN_DTLS));
	g_assert_false(xmpp_caps_can_call((can | XMPP_CAN_DTLS) & ~(guint)XMPP_CAN_RTP));
	g_assert_cmpuint(xmpp_caps_read(NULL), ==, 0);
}

static void
test_presence(void)
{
	g_autoptr(xmlNode) presence = xml_stanza_new("presence", NULL, "a@b/c", NULL);
	const char *node, *ver;
	xmlNode *caps;

	g_assert_false(xmpp_caps_of_presence(presence, &node, &ver));
	xml_adopt(presence, xmpp_caps_element("http://n", "VER="));
	g_assert_true(xmpp_caps_of_presence(presence, &node, &ver));
	g_assert_cmpstr(node, ==, "http://n");
	g_assert_cmpstr(ver, ==, "VER=");
	caps = xml_child(presence, NS_CAPS, "c");
	xml_set(caps, "hash", "md5");
	g_assert_false(xmpp_caps_of_presence(presence, &node, &ver));
	xml_set(caps, "hash", "sha-1");
	xml_set(caps, "ver", "");
	g_assert_false(xmpp_caps_of_presence(presence, &node, &ver));
	g_assert_false(xmpp_caps_of_presence(NULL, &node, &ver));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/caps/simple", test_simple);
	g_test_add_func("/caps/complex", test_complex);
	g_test_add_func("/caps/ill-formed", test_ill_formed);
	g_test_add_func("/caps/separator", test_separator);
	g_test_add_func("/caps/ours", test_ours);
	g_test_add_func("/caps/read", test_read);
	g_test_add_func("/caps/presence", test_presence);
	return g_test_run();
}
