/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-xml.c - trees: what is refused, what is found, what is built. */
#include <string.h>

#include "plugins/xmpp/xml.h"

#define LIMIT 65536

static xmlNode *
parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	xmlNode *top = xml_parse(text, strlen(text), LIMIT, &error);

	g_assert_no_error(error);
	g_assert_nonnull(top);
	return top;
}

static void
assert_refused(const char *text, gsize length, int code)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(xml_parse(text, length, LIMIT, &error));
	g_assert_error(error, XML_ERROR_DOMAIN, code);
	g_assert_cmpstr(error->message, !=, "");
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "", XML_ERROR_SYNTAX },
		{ "  ", XML_ERROR_SYNTAX },
		{ "hello", XML_ERROR_SYNTAX },
		{ "<iq>", XML_ERROR_SYNTAX },
		{ "<iq></message>", XML_ERROR_SYNTAX },
		{ "<iq/><iq/>", XML_ERROR_SYNTAX },
		{ "<iq a='1' a='2'/>", XML_ERROR_SYNTAX },
		{ "<iq a=1/>", XML_ERROR_SYNTAX },
		{ "<x:iq/>", XML_ERROR_SYNTAX },
		{ "<iq x:a='1'/>", XML_ERROR_SYNTAX },
		{ "<iq>\xff</iq>", XML_ERROR_SYNTAX },
		{ "<iq a='\xc0\xaf'/>", XML_ERROR_SYNTAX },
		{ "<iq>\xed\xa0\x80</iq>", XML_ERROR_SYNTAX },
		{ "<iq>&#1;</iq>", XML_ERROR_SYNTAX },
		{ "<iq>\x01</iq>", XML_ERROR_SYNTAX },
		{ "<!DOCTYPE iq><iq/>", XML_ERROR_FORBIDDEN },
		{ "<!DOCTYPE iq SYSTEM 'file:///etc/passwd'><iq/>", XML_ERROR_FORBIDDEN },
		{ "<!DOCTYPE iq [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><iq>&b;</iq>",
		  XML_ERROR_FORBIDDEN },
		{ "<iq>&a;</iq>", XML_ERROR_FORBIDDEN },
		{ "<iq a='&b;'/>", XML_ERROR_FORBIDDEN },
		{ "<?run me?><iq/>", XML_ERROR_FORBIDDEN },
		{ "<iq><?run me?></iq>", XML_ERROR_FORBIDDEN },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("case %u", i);
		assert_refused(cases[i].text, strlen(cases[i].text), cases[i].code);
	}
	assert_refused("<iq>\0</iq>", 10, XML_ERROR_SYNTAX);
}

static char *
nested(guint depth)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < depth; i++)
		g_string_append(text, "<a>");
	for (guint i = 0; i < depth; i++)
		g_string_append(text, "</a>");
	return g_string_free(text, FALSE);
}

static void
test_limits(void)
{
	g_autofree char *deep = nested(64), *too_deep = nested(65), *very_deep = nested(9000);
	g_autoptr(xmlNode) top = parse(deep);
	g_autoptr(GError) error = NULL;

	assert_refused(too_deep, strlen(too_deep), XML_ERROR_TOO_BIG);
	assert_refused(very_deep, strlen(very_deep), XML_ERROR_TOO_BIG);
	g_assert_null(xml_parse("<iq/>", 5, 4, &error));
	g_assert_error(error, XML_ERROR_DOMAIN, XML_ERROR_TOO_BIG);
}

static void
test_accepted(void)
{
	static const char *const texts[] = {
		"<?xml version='1.0'?><iq/>", "<?xml version='1.0' encoding='UTF-16'?><iq/>",
		"<iq><!-- a word --></iq>",   "\n<iq/>\n",
		"<iq xml:lang='de'/>",
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(xmlNode) top = parse(texts[i]);
		g_assert_cmpstr(xml_name(top), ==, "iq");
	}
}

static void
test_look(void)
{
	g_autoptr(xmlNode) top =
		parse("<p:iq xmlns:p='jabber:client' xmlns='urn:b' id='1&amp;2&#65;' "
		      "n='' p:id='3'> <x/>t<p:x a='12'/>\n<x b='1'/>"
		      "<y xmlns=''> a &lt;<![CDATA[<b>]]> c <x/> d </y></p:iq>");
	const xmlNode *x = xml_child(top, "urn:b", "x");
	g_autofree char *text = xml_text(xml_child(top, NULL, "y"));
	g_autofree char *nothing = xml_text(x);

	g_assert_true(xml_is(top, NS_CLIENT, "iq"));
	g_assert_true(xml_is_stanza(top, "iq"));
	g_assert_false(xml_is_stanza(top, "message"));
	g_assert_cmpstr(xml_attribute(top, "id"), ==, "1&2A");
	g_assert_cmpstr(xml_attribute(top, "n"), ==, "");
	g_assert_null(xml_attribute(top, "p"));
	g_assert_true(x == xml_child(top, NULL, NULL));
	g_assert_cmpstr(xml_attribute(xml_child(top, NS_CLIENT, "x"), "a"), ==, "12");
	g_assert_cmpstr(xml_attribute(xml_next(x, "urn:b", "x"), "b"), ==, "1");
	g_assert_null(xml_next(xml_next(x, "urn:b", "x"), "urn:b", "x"));
	g_assert_null(xml_ns(xml_child(top, NULL, "y")));
	g_assert_cmpstr(text, ==, "a <<b> c  d");
	g_assert_cmpstr(nothing, ==, "");
}

static void
test_line(void)
{
	g_autofree char *filler = g_strnfill(600, 'x');
	g_autofree char *text =
		g_strdup_printf("<a><b>\n one\ttwo\n</b><c> </c><d>%s</d></a>", filler);
	g_autoptr(xmlNode) top = parse(text);
	g_autofree char *line = xml_line(xml_child(top, NULL, "b"));
	g_autofree char *cut = xml_line(xml_child(top, NULL, "d"));

	g_assert_cmpstr(line, ==, "one two");
	g_assert_cmpuint(strlen(cut), ==, 512);
	g_assert_null(xml_line(xml_child(top, NULL, "c")));
	g_assert_null(xml_line(NULL));
}

static void
test_look_at_nothing(void)
{
	guint64 number;
	g_autofree char *text = xml_text(NULL);

	g_assert_false(xml_is(NULL, "a", "b"));
	g_assert_false(xml_is_stanza(NULL, "iq"));
	g_assert_null(xml_name(NULL));
	g_assert_null(xml_ns(NULL));
	g_assert_null(xml_child(NULL, NULL, NULL));
	g_assert_null(xml_next(NULL, NULL, NULL));
	g_assert_null(xml_attribute(NULL, "a"));
	g_assert_false(xml_attribute_number(NULL, "a", 1, &number));
	g_assert_cmpstr(text, ==, "");
	xml_free(NULL);
}

static void
test_numbers(void)
{
	g_autoptr(xmlNode) top = parse("<a zero='0' max='255' more='256' minus='-1' plus='+1' "
				       "blank=' 1' hex='0x1' word='one' none='' "
				       "huge='99999999999999999999999'/>");
	static const char *const bad[] = { "more", "minus", "plus", "blank", "hex",
					   "word", "none",  "huge", "absent" };
	guint64 number = 1;

	g_assert_true(xml_attribute_number(top, "zero", 255, &number));
	g_assert_cmpuint(number, ==, 0);
	g_assert_true(xml_attribute_number(top, "max", 255, &number));
	g_assert_cmpuint(number, ==, 255);
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(xml_attribute_number(top, bad[i], 255, &number));
}

static void
test_build(void)
{
	g_autoptr(xmlNode) iq = xml_stanza_new("iq", "set", "a@b", NULL);
	xmlNode *jingle = xml_add(iq, NS_JINGLE, "jingle"), *part = xml_new("urn:part", "part");
	g_autofree char *text = NULL;

	xml_set(jingle, "sid", "<'&\"\n>");
	xml_set(jingle, "none", NULL);
	xml_add_text(xml_add(jingle, NULL, "reason"), "a < b & c");
	xml_add(part, NULL, "inner");
	xml_adopt(jingle, part);
	xml_set_number(jingle, "n", G_MAXUINT64);
	text = xml_print(iq);
	g_assert_cmpstr(text, ==,
			"<iq xmlns=\"jabber:component:accept\" type=\"set\" from=\"a@b\">"
			"<jingle xmlns=\"urn:xmpp:jingle:1\" sid=\"&lt;'&amp;&quot;&#10;&gt;\" "
			"n=\"18446744073709551615\"><reason>a &lt; b &amp; c</reason>"
			"<part xmlns=\"urn:part\"><inner/></part></jingle></iq>");
}

static void
test_build_from_dirt(void)
{
	g_autoptr(xmlNode) top = xml_new(NULL, "a"), again = NULL;
	g_autofree char *text = NULL, *inside = NULL;

	xml_set(top, "v", "\x01z\xff\xed\xa0\x80\xef\xbf\xbf\tü");
	xml_add_text(top, "x\x02\xc3");
	text = xml_print(top);
	again = parse(text);
	inside = xml_text(again);
	g_assert_true(g_str_has_suffix(xml_attribute(again, "v"), "\tü"));
	g_assert_cmpstr(inside, ==, "x\357\277\275\357\277\275");
	g_assert_null(strchr(text, 1));
}

/* Copies carry the namespaces they had from their ancestors. */
static void
test_copy(void)
{
	g_autoptr(xmlNode) top =
		parse("<a xmlns='urn:a' xmlns:p='urn:p'><p:b p:k='1' xml:lang='de'>"
		      "<c/></p:b></a>");
	g_autoptr(xmlNode) copy = xml_copy(xml_child(top, "urn:p", "b")),
			   other = xml_new("urn:o", "o");
	g_autofree char *inner = xml_print(xml_child(top, NULL, NULL));
	g_autofree char *text = NULL;
	g_autoptr(xmlNode) again = parse(inner);
	xmlNode *added = xml_add_copy(other, copy);

	g_clear_pointer(&top, xml_free);
	g_assert_true(xml_is(copy, "urn:p", "b"));
	g_assert_true(xml_is(again, "urn:p", "b"));
	g_assert_nonnull(xml_child(copy, "urn:a", "c"));
	g_assert_nonnull(xml_child(again, "urn:a", "c"));
	g_assert_nonnull(xml_child(added, "urn:a", "c"));
	g_clear_pointer(&copy, xml_free);
	g_clear_pointer(&again, xml_free);
	text = xml_print(other);
	g_assert_nonnull(strstr(text, "xml:lang=\"de\""));
	again = parse(text);
	g_assert_nonnull(xml_child(xml_child(again, "urn:p", "b"), "urn:a", "c"));
	g_assert_true(xml_is(again, "urn:o", "o"));
}

static void
test_answers(void)
{
	static const XmlStanzaError what = { .type = "cancel",
					     .condition = "item-not-found",
					     .special_ns = NS_JINGLE_ERR,
					     .special = "unknown-session" };
	g_autoptr(xmlNode) request = parse("<iq xmlns='jabber:component:accept' type='set' id='7' "
					   "from='a@b/c' to='1@gw/gw'><x/></iq>");
	g_autoptr(xmlNode) result = xml_iq_result(request), error = xml_iq_error(request, &what);
	g_autofree char *result_text = xml_print(result), *error_text = xml_print(error);
	XmlStanzaError read;

	g_assert_cmpstr(result_text, ==,
			"<iq xmlns=\"jabber:component:accept\" type=\"result\" from=\"1@gw/gw\" "
			"to=\"a@b/c\" id=\"7\"/>");
	g_assert_cmpstr(error_text, ==,
			"<iq xmlns=\"jabber:component:accept\" type=\"error\" from=\"1@gw/gw\" "
			"to=\"a@b/c\" id=\"7\"><error type=\"cancel\">"
			"<item-not-found xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/>"
			"<unknown-session xmlns=\"urn:xmpp:jingle:errors:1\"/></error></iq>");
	g_assert_true(xml_stanza_error(error, &read));
	g_assert_cmpstr(read.type, ==, what.type);
	g_assert_cmpstr(read.condition, ==, what.condition);
	g_assert_cmpstr(read.special, ==, what.special);
	g_assert_cmpstr(read.special_ns, ==, what.special_ns);
	g_assert_false(xml_stanza_error(request, &read));
	g_assert_false(xml_stanza_error(NULL, &read));
}

static void
test_errors_of_others(void)
{
	g_autoptr(xmlNode) wordy =
		parse("<iq xmlns='jabber:client' type='error'><query xmlns='u'/>"
		      "<error type='wait'><mine xmlns='urn:m'/>"
		      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>"
		      "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		      "</error></iq>");
	g_autoptr(xmlNode) mute = parse("<iq xmlns='jabber:client' type='error'/>");
	XmlStanzaError read;

	g_assert_true(xml_stanza_error(wordy, &read));
	g_assert_cmpstr(read.condition, ==, "gone");
	g_assert_cmpstr(read.special, ==, "mine");
	g_assert_true(xml_stanza_error(mute, &read));
	g_assert_null(read.type);
	g_assert_null(read.condition);
	g_assert_null(read.special);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/xml/refused", test_refused);
	g_test_add_func("/xml/limits", test_limits);
	g_test_add_func("/xml/accepted", test_accepted);
	g_test_add_func("/xml/look", test_look);
	g_test_add_func("/xml/line", test_line);
	g_test_add_func("/xml/look-at-nothing", test_look_at_nothing);
	g_test_add_func("/xml/numbers", test_numbers);
	g_test_add_func("/xml/build", test_build);
	g_test_add_func("/xml/build-from-dirt", test_build_from_dirt);
	g_test_add_func("/xml/copy", test_copy);
	g_test_add_func("/xml/answers", test_answers);
	g_test_add_func("/xml/errors-of-others", test_errors_of_others);
	return g_test_run();
}
