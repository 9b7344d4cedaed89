/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-stanza-forms.c - what we build is what the corpus says we should send.
 *
 * Each "-g-" stanza of tests/data/stanzas is parsed, built again from what was
 * found in it (or in the client's stanza that it answers), and compared element
 * by element.  Left out are the ids that are ours to choose.
 */
#include <string.h>
#include "plugins/xmpp/jingle.h"
#include "plugins/xmpp/jmi.h"
#include "plugins/xmpp/xmpp_caps.h"

#define LIMIT (256 * 1024)

static char *folder;

static xmlNode *
load(const char *file)
{
	g_autofree char *path = g_build_filename(folder, file, NULL), *text = NULL;
	g_autoptr(GError) error = NULL;
	xmlNode *top;
	gsize length;

	g_file_get_contents(path, &text, &length, &error);
	g_assert_no_error(error);
	top = xml_parse(text, length, LIMIT, &error);
	g_assert_no_error(error);
	return top;
}

/* --- comparing --- */

static gint
compare(gconstpointer one, gconstpointer other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static gboolean
is_free_choice(const xmlNode *node, const char *attribute)
{
	return strcmp(attribute, "id") == 0 &&
	       (xml_is(node, NS_ICE_UDP, "candidate") || xml_is_stanza(node, "message"));
}

static void
append_canonical(GString *all, const xmlNode *node, guint depth)
{
	g_autoptr(GPtrArray) attributes = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = xml_text(node);
	const xmlNode *child;

	for (const xmlAttr *at = node->properties; at; at = at->next) {
		const char *name = (const char *)at->name;

		if (!is_free_choice(node, name))
			g_ptr_array_add(attributes, g_strdup_printf("%s=\"%s\"", name,
								    xml_attribute(node, name)));
	}
	g_ptr_array_sort(attributes, compare);
	g_string_append_printf(all, "%*s{%s}%s", (int)depth * 2, "", xml_ns(node), xml_name(node));
	for (guint i = 0; i < attributes->len; i++)
		g_string_append_printf(all, " %s", (char *)g_ptr_array_index(attributes, i));
	g_string_append_printf(all, " %s\n", text);
	for (child = xml_child(node, NULL, NULL); child; child = xml_next(child, NULL, NULL))
		/* We cannot know who will take the call: each propose asks for a receipt. */
		if (!xml_is(child, NS_RECEIPTS, "request"))
			append_canonical(all, child, depth + 1);
}

static void
assert_same(const xmlNode *built, const xmlNode *wanted)
{
	g_autoptr(GString) one = g_string_new(NULL), other = g_string_new(NULL);

	append_canonical(one, built, 0);
	append_canonical(other, wanted, 0);
	g_assert_cmpstr(one->str, ==, other->str);
}

/* --- building again --- */

static xmlNode *
rebuild_jmi(const xmlNode *wanted)
{
	g_autoptr(Jmi) jmi = jmi_parse(wanted, NULL);
	const char *from = xml_attribute(wanted, "from"), *to = xml_attribute(wanted, "to");

	if (!jmi)
		return jmi_build_receipt(from, to, jmi_receipt(wanted));
	return jmi_build(&(JmiBuild){ .kind = jmi->kind,
				      .from = from,
				      .to = to,
				      .id = jmi->id,
				      .reason = jmi->reason,
				      .text = jmi->reason_text });
}

/* The refusals are built from the client's request. */
static xmlNode *
rebuild_refusal(const JingleSession *session, const char *request)
{
	g_autoptr(xmlNode) top = load(request);
	g_autoptr(Jingle) asked = jingle_parse(jingle_find(top), NULL);

	return asked->action == JINGLE_CONTENT_ADD ? jingle_build_content_reject(session, asked)
						   : jingle_build_transport_reject(session, asked);
}

static xmlNode *
rebuild_transport(const JingleSession *session, const Jingle *jingle)
{
	const JingleContent *content = g_ptr_array_index(jingle->contents, 0);
	const Transport *transport = content->stream->transport;

	g_assert_cmpuint(jingle->contents->len, ==, 1);
	return jingle_build_restart(session, content->name, transport);
}

static xmlNode *
rebuild_action(const Jingle *jingle, const char *request)
{
	const JingleSession session = { jingle->sid, jingle->initiator, jingle->responder };
	const JingleEnd end = { jingle->reason, jingle->reason_text };

	switch (jingle->action) {
	case JINGLE_SESSION_INITIATE:
		return jingle_build_initiate(&session, jingle->desc);
	case JINGLE_SESSION_ACCEPT:
		return jingle_build_accept(&session, NULL, jingle->desc);
	case JINGLE_SESSION_TERMINATE:
		return jingle_build_terminate(&session, &end);
	case JINGLE_TRANSPORT_INFO:
		return rebuild_transport(&session, jingle);
	case JINGLE_CONTENT_REJECT:
	case JINGLE_TRANSPORT_REJECT:
		return rebuild_refusal(&session, request);
	default:
		g_assert_not_reached();
	}
}

static xmlNode *
rebuild_jingle(const xmlNode *wanted, const char *request)
{
	g_autoptr(Jingle) jingle = jingle_parse(jingle_find(wanted), NULL);
	xmlNode *iq = xml_stanza_new("iq", "set", xml_attribute(wanted, "from"),
				     xml_attribute(wanted, "to"));

	xml_set(iq, "id", xml_attribute(wanted, "id"));
	xml_adopt(iq, rebuild_action(jingle, request));
	return iq;
}

/* The request that this answers, as far as the builder looks at it. */
static xmlNode *
request_of(const xmlNode *wanted)
{
	xmlNode *iq = xml_stanza_new("iq", "get", xml_attribute(wanted, "to"),
				     xml_attribute(wanted, "from"));

	xml_set(iq, "id", xml_attribute(wanted, "id"));
	return iq;
}

static xmlNode *
rebuild_error(const xmlNode *wanted)
{
	g_autoptr(xmlNode) request = request_of(wanted);
	XmlStanzaError error;

	g_assert_true(xml_stanza_error(wanted, &error));
	return xml_iq_error(request, &error);
}

static xmlNode *
rebuild_disco(const xmlNode *wanted, const XmppEntity *entity)
{
	g_autoptr(xmlNode) request = request_of(wanted);
	xmlNode *result = xml_iq_result(request);

	xml_adopt(result,
		  xmpp_caps_query(entity, xml_attribute(xml_child(wanted, NS_DISCO_INFO, "query"),
							"node")));
	return result;
}

static void
drop_features(xmlNode *iq)
{
	xmlNode *query = xml_child(iq, NS_DISCO_INFO, "query"), *feature;

	while ((feature = xml_child(query, NULL, "feature"))) {
		xmlUnlinkNode(feature);
		xmlFreeNode(feature);
	}
}

/* --- tests --- */

static void
test_stanza(gconstpointer data)
{
	g_autofree char *name = g_path_get_basename(data);
	g_autoptr(xmlNode) wanted = load(name), built = NULL;
	const char *request = strstr(name, "dino-41") ? "dino-40-c-content-add-video.xml"
			      : strstr(name, "dino-44")
				      ? "dino-43-c-transport-replace.xml"
				      : "conversations-40-c-content-add-video.xml";

	if (xml_is_stanza(wanted, "message"))
		built = rebuild_jmi(wanted);
	else if (jingle_find(wanted))
		built = rebuild_jingle(wanted, request);
	else
		built = rebuild_error(wanted);
	assert_same(built, wanted);
}

static void
test_disco(void)
{
	g_autoptr(xmlNode) number = load("gateway-02-g-disco-info-number.xml");
	g_autoptr(xmlNode) domain = load("gateway-03-g-disco-info-domain.xml");
	g_autoptr(xmlNode) ours = rebuild_disco(number, &xmpp_caps_number);
	g_autoptr(xmlNode) our_domain = rebuild_disco(domain, &xmpp_caps_domain);

	assert_same(ours, number);
	/* The domain announces what it serves, which is not what the example does. */
	drop_features(domain);
	drop_features(our_domain);
	assert_same(our_domain, domain);
}

static void
test_presence(void)
{
	g_autoptr(xmlNode) presence = load("gateway-00-g-presence-number.xml");
	g_autofree char *ver = xmpp_caps_own_hash(&xmpp_caps_number);
	g_autoptr(xmlNode) caps = xmpp_caps_element("https://gw.example.org/caps", ver);

	assert_same(caps, xml_child(presence, NS_CAPS, "c"));
}

/* Presence and disco have tests of their own. */
static gboolean
is_ours(const char *name)
{
	return strstr(name, "-g-") && !strstr(name, "presence") && !strstr(name, "disco");
}

int
main(int argc, char **argv)
{
	g_autoptr(GDir) dir = NULL;
	const char *name;
	guint found = 0;

	g_test_init(&argc, &argv, NULL);
	folder = g_test_build_filename(G_TEST_DIST, "data", "stanzas", NULL);
	dir = g_dir_open(folder, 0, NULL);
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *test = g_strconcat("/stanza-forms/", name, NULL);

		if (!is_ours(name))
			continue;
		g_test_add_data_func_full(test, g_strdup(name), test_stanza, g_free);
		found++;
	}
	if (found < 30)
		g_error("%s: %u stanzas of ours", folder, found);
	g_test_add_func("/stanza-forms/disco", test_disco);
	g_test_add_func("/stanza-forms/presence", test_presence);
	found = (guint)g_test_run();
	g_free(folder);
	return (int)found;
}
