/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-jmi.c - Jingle messages that the corpus does not have, and ours. */
#include <string.h>
#include "plugins/xmpp/jmi.h"

#define MESSAGE(attributes, inside) \
	"<message xmlns='jabber:client' " attributes ">" inside "</message>"
#define JMI(name, attributes, inside) \
	"<" name " xmlns='urn:xmpp:jingle-message:0' " attributes ">" inside "</" name ">"

static Jmi *
parse(const char *text, GError **error)
{
	g_autoptr(xmlNode) message = xml_parse(text, strlen(text), 65536, NULL);

	g_assert_nonnull(message);
	return jmi_parse(message, error);
}

static void
test_none(void)
{
	static const char *const texts[] = {
		MESSAGE("", "<body>hello</body>"),
		MESSAGE("", JMI("novelty", "id='1'", "")),
		MESSAGE("", "<propose xmlns='urn:xmpp:jingle-message:1' id='1'/>"),
		"<iq xmlns='jabber:client'>" JMI("propose", "id='1'", "") "</iq>",
		"<message>" JMI("propose", "id='1'", "") "</message>",
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(texts[i], &error));
		g_assert_no_error(error);
	}
}

static void
test_bad_id(void)
{
	g_autofree char *long_id = g_strnfill(2000, 'x');
	g_autofree char *too_long =
		g_strdup_printf(MESSAGE("", JMI("propose", "id='%s'", "")), long_id);
	g_autofree char *fits =
		g_strdup_printf(MESSAGE("", JMI("propose", "id='%.64s'", "")), long_id);
	const char *const texts[] = { MESSAGE("", JMI("propose", "", "")),
				      MESSAGE("", JMI("propose", "id=''", "")), too_long };
	g_autoptr(Jmi) good = parse(fits, NULL);

	g_assert_nonnull(good);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(texts[i], &error));
		g_assert_error(error, JMI_ERROR_DOMAIN, 0);
	}
}

static void
test_everything(void)
{
	g_autoptr(Jmi) jmi =
		parse(MESSAGE("id='m1' type='error'",
			      JMI("novelty", "id='0'", "")
				      JMI("reject", "id='1'",
					  "<description xmlns='urn:xmpp:jingle:apps:rtp:1'/>"
					  "<reason "
					  "xmlns='urn:xmpp:jingle:1'><text>two\nlines</text>"
					  "<expired/></reason><tie-break/><migrated "
					  "to='2'/>") "<request xmlns='urn:xmpp:receipts'/>"
						      "<delay xmlns='urn:xmpp:delay' "
						      "stamp='2026-01-01T00:00:00Z'/>"),
		      NULL);

	g_assert_nonnull(jmi);
	g_assert_cmpint(jmi->kind, ==, JMI_REJECT);
	g_assert_cmpstr(jmi->id, ==, "1");
	g_assert_cmpuint(jmi->media->len, ==, 0);
	g_assert_cmpstr(jmi->reason, ==, "expired");
	g_assert_cmpstr(jmi->reason_text, ==, "two lines");
	g_assert_true(jmi->tie_break);
	g_assert_cmpstr(jmi->migrated, ==, "2");
	g_assert_cmpstr(jmi->message_id, ==, "m1");
	g_assert_true(jmi->receipt_wanted);
	g_assert_true(jmi->bounced);
	g_assert_true(jmi->delayed);
	g_assert_cmpint(jmi->stamp, ==, 1767225600);
	g_assert_null(jmi->device);
}

/* <busy/> stands in a <reason/> of either namespace, or alone. */
static void
test_reasons(void)
{
	static const char *const texts[] = {
		MESSAGE("", JMI("reject", "id='1'",
				"<reason xmlns='urn:xmpp:jingle:1'><busy/></reason>")),
		MESSAGE("", JMI("reject", "id='1'", "<reason><busy/><text>b</text></reason>")),
		MESSAGE("", JMI("reject", "id='1'", "<busy xmlns='urn:xmpp:jingle:1'/>")),
		MESSAGE("", JMI("reject", "id='1'", "<busy/>")),
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(Jmi) jmi = parse(texts[i], NULL);

		g_assert_cmpstr(jmi->reason, ==, "busy");
	}
}

/* Without an id there is nothing that a receipt could name. */
static void
test_receipt_wanted(void)
{
	g_autoptr(Jmi) jmi = parse(
		MESSAGE("", JMI("propose", "id='1'", "") "<request xmlns='urn:xmpp:receipts'/>"),
		NULL);

	g_assert_false(jmi->receipt_wanted);
	g_assert_false(jmi->bounced);
	g_assert_false(jmi->delayed);
}

/* XEP-0203 and what it replaced; of several the earliest counts, and none may be readable. */
static void
test_delays(void)
{
	static const struct {
		const char *delays;
		gint64 stamp;
	} rows[] = {
		{ "<delay xmlns='urn:xmpp:delay' from='a' stamp='2026-01-01T00:00:00Z'/>",
		  1767225600 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00.25Z'/>", 1767225600 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T02:00:00+02:00'/>", 1767225600 },
		{ "<x xmlns='jabber:x:delay' stamp='20260101T00:00:00'/>", 1767225600 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:09Z'/>"
		  "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>",
		  1767225600 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>"
		  "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>",
		  1767225600 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>", 0 },
		{ "<delay xmlns='urn:xmpp:delay'/>", 0 },
		{ "<delay xmlns='urn:xmpp:delay' stamp='0001-01-01T00:00:00Z'/>", 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			MESSAGE("", JMI("propose", "id='1'", "") "%s"), rows[i].delays);
		g_autoptr(Jmi) jmi = parse(text, NULL);

		g_test_message("%s", rows[i].delays);
		g_assert_true(jmi->delayed);
		g_assert_cmpint(jmi->stamp, ==, rows[i].stamp);
	}
}

/* RFC 6120 8.3.1: what came back need not be there, only its id. */
static void
test_returned(void)
{
	static const struct {
		const char *attributes, *id;
		JmiKind kind;
	} rows[] = {
		{ "type='error' id='jm-propose-S-1'", "S-1", JMI_PROPOSE },
		{ "type='error' id='jm-proceed-S'", "S", JMI_PROCEED },
		{ "type='error' id='jm-finish-S'", "S", JMI_FINISH },
		{ "type='chat' id='jm-propose-S'", NULL, JMI_PROPOSE },
		{ "id='jm-propose-S'", NULL, JMI_PROPOSE },
		{ "type='error'", NULL, JMI_PROPOSE },
		{ "type='error' id='S'", NULL, JMI_PROPOSE },
		{ "type='error' id='jm-propose-'", NULL, JMI_PROPOSE },
		{ "type='error' id='jm-proposeS'", NULL, JMI_PROPOSE },
		{ "type='error' id='jm-dance-S'", NULL, JMI_PROPOSE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"<message xmlns='jabber:component:accept' %s><error type='cancel'/>"
			"</message>",
			rows[i].attributes);
		g_autoptr(xmlNode) message = xml_parse(text, strlen(text), 1 << 16, NULL);
		JmiKind kind = N_JMI_KINDS;

		g_test_message("%s", rows[i].attributes);
		g_assert_cmpstr(jmi_returned(message, &kind), ==, rows[i].id);
		g_assert_cmpint(kind, ==, rows[i].id ? rows[i].kind : N_JMI_KINDS);
	}
}

static void
test_media(void)
{
	GString *many = g_string_new("<message xmlns='jabber:client'>"
				     "<propose xmlns='urn:xmpp:jingle-message:0' id='1'>"
				     "<description xmlns='urn:other' media='text'/>");
	g_autoptr(Jmi) jmi = NULL;

	for (guint i = 0; i < 100; i++)
		g_string_append(many,
				"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/>");
	g_string_append(many, "</propose></message>");
	jmi = parse(many->str, NULL);
	g_string_free(many, TRUE);
	g_assert_cmpuint(jmi->media->len, ==, 8);
	g_assert_true(jmi_has_media(jmi, "video"));
	g_assert_false(jmi_has_media(jmi, "text"));
	g_assert_false(jmi_has_media(jmi, "audio"));
}

static void
test_build(void)
{
	static const JmiBuild propose = {
		.kind = JMI_PROPOSE, .from = "+1@gw/gw", .to = "a@b", .id = "S"
	};
	static const JmiBuild reject = { .kind = JMI_REJECT,
					 .from = "+1@gw/gw",
					 .to = "a@b/c",
					 .id = "S",
					 .reason = "gone",
					 .text = "no such <number>" };
	static const JmiBuild finish = { .kind = JMI_FINISH,
					 .from = "+1@gw/gw",
					 .to = "a@b/c",
					 .id = "S",
					 .reason = "expired",
					 .migrated = "T" };
	g_autoptr(xmlNode) first = jmi_build(&propose), second = jmi_build(&reject),
			   third = jmi_build(&finish);
	g_autofree char *one = xml_print(first), *other = xml_print(second),
			*last = xml_print(third);

	g_assert_cmpstr(
		one, ==,
		"<message xmlns=\"jabber:component:accept\" type=\"chat\" from=\"+1@gw/gw\" "
		"to=\"a@b\" id=\"jm-propose-S\"><propose xmlns=\"urn:xmpp:jingle-message:0\" "
		"id=\"S\"><description xmlns=\"urn:xmpp:jingle:apps:rtp:1\" media=\"audio\"/>"
		"</propose><request xmlns=\"urn:xmpp:receipts\"/>"
		"<store xmlns=\"urn:xmpp:hints\"/></message>");
	g_assert_cmpstr(
		other, ==,
		"<message xmlns=\"jabber:component:accept\" type=\"chat\" from=\"+1@gw/gw\" "
		"to=\"a@b/c\" id=\"jm-reject-S\"><reject xmlns=\"urn:xmpp:jingle-message:0\" "
		"id=\"S\">"
		"<reason xmlns=\"urn:xmpp:jingle:1\"><gone/><text>no such &lt;number&gt;</text>"
		"</reason></reject><store xmlns=\"urn:xmpp:hints\"/></message>");
	g_assert_cmpstr(
		last, ==,
		"<message xmlns=\"jabber:component:accept\" type=\"chat\" from=\"+1@gw/gw\" "
		"to=\"a@b/c\" id=\"jm-finish-S\"><finish xmlns=\"urn:xmpp:jingle-message:0\" "
		"id=\"S\">"
		"<reason xmlns=\"urn:xmpp:jingle:1\"><expired/></reason><migrated to=\"T\"/>"
		"</finish><store xmlns=\"urn:xmpp:hints\"/></message>");
}

static void
test_receipt(void)
{
	g_autoptr(xmlNode) receipt = jmi_build_receipt("a", "b", "m1");
	g_autoptr(xmlNode) other = xml_stanza_new("message", NULL, NULL, NULL);

	g_assert_cmpstr(jmi_receipt(receipt), ==, "m1");
	g_assert_null(jmi_receipt(other));
	xml_add(other, NS_RECEIPTS, "received");
	g_assert_null(jmi_receipt(other));
	g_assert_null(jmi_receipt(NULL));
}

static void
test_names(void)
{
	for (JmiKind kind = 0; kind < N_JMI_KINDS; kind++)
		for (JmiKind other = 0; other < kind; other++)
			g_assert_cmpstr(jmi_kind_name(kind), !=, jmi_kind_name(other));
	g_assert_cmpstr(jmi_kind_name(N_JMI_KINDS), ==, "unknown");
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jmi/none", test_none);
	g_test_add_func("/jmi/bad-id", test_bad_id);
	g_test_add_func("/jmi/everything", test_everything);
	g_test_add_func("/jmi/reasons", test_reasons);
	g_test_add_func("/jmi/receipt-wanted", test_receipt_wanted);
	g_test_add_func("/jmi/delays", test_delays);
	g_test_add_func("/jmi/returned", test_returned);
	g_test_add_func("/jmi/media", test_media);
	g_test_add_func("/jmi/build", test_build);
	g_test_add_func("/jmi/receipt", test_receipt);
	g_test_add_func("/jmi/names", test_names);
	return g_test_run();
}
