/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* exercise.c - parse, build, and look whether the rules hold. */
#include "tests/fuzz/exercise.h"

#include <string.h>

#include "plugins/xmpp/im.h"
#include "plugins/xmpp/jingle.h"
#include "plugins/xmpp/jmi.h"
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_extdisco.h"
#include "plugins/xmpp/xmpp_reason.h"

#define LIMIT (1024 * 1024)

static const JingleSession session = { "sid", "+1@gw/gw", "+1@gw/gw" };

int
exercise_bytes(const guint8 *data, gsize size, void (*exercise)(const xmlNode *stanza))
{
	g_autoptr(GError) error = NULL;
	g_autoptr(xmlNode) stanza = xml_parse((const char *)data, size, 64 * 1024, &error);

	if (stanza)
		exercise(stanza);
	return 0;
}

/* --- what holds for every element that we send --- */

static void
check_attributes(const xmlNode *node, const char *const *names)
{
	for (; *names; names++)
		g_assert_nonnull(xml_attribute(node, *names));
}

static void
check_candidate(const xmlNode *node)
{
	static const char *const names[] = { "component", "foundation", "generation", "id",
					     "ip",	  "network",	"port",	      "priority",
					     "protocol",  "type",	NULL };
	guint64 number;

	check_attributes(node, names);
	if (g_strcmp0(xml_attribute(node, "component"), "2") != 0)
		g_assert_cmpstr(xml_attribute(node, "component"), ==, "1");
	g_assert_cmpstr(xml_attribute(node, "protocol"), ==, "udp");
	g_assert_true(xml_attribute_number(node, "foundation", G_MAXINT32, &number));
}

/* RTCP has a component of its own where nothing is said of DTLS or of rtcp-mux, and there alone. */
static void
check_components(const xmlNode *content)
{
	const xmlNode *transport = xml_child(content, NS_ICE_UDP, "transport");
	const xmlNode *description = xml_child(content, NS_RTP, "description");
	const xmlNode *candidate = xml_child(transport, NS_ICE_UDP, "candidate");

	if (!xml_child(transport, NS_DTLS, "fingerprint") &&
	    !xml_child(description, NS_RTP, "rtcp-mux"))
		return;
	for (; candidate; candidate = xml_next(candidate, NS_ICE_UDP, "candidate"))
		g_assert_cmpstr(xml_attribute(candidate, "component"), ==, "1");
}

static void
check_built(const xmlNode *node)
{
	static const char *const payload[] = { "id", "name", "clockrate", "channels", NULL };
	const xmlNode *child;

	g_assert_cmpstr(xml_name(node), !=, "crypto");
	if (xml_is(node, NS_ICE_UDP, "candidate"))
		check_candidate(node);
	if (xml_is(node, NS_RTP, "payload-type"))
		check_attributes(node, payload);
	if (xml_is(node, NS_RTP, "parameter")) {
		g_assert_cmpstr(xml_attribute(node, "name"), !=, "");
		g_assert_cmpstr(xml_attribute(node, "value"), !=, "");
	}
	if (xml_is(node, NS_JINGLE, "content"))
		check_components(node);
	g_assert_cmpstr(xml_attribute(node, "senders"), !=, "none");
	for (child = xml_child(node, NULL, NULL); child; child = xml_next(child, NULL, NULL))
		check_built(child);
}

/* Prints and parses it; takes it. */
static xmlNode *
send(xmlNode *built)
{
	g_autofree char *text = xml_print(built);
	xmlNode *received = xml_parse(text, strlen(text), LIMIT, NULL);

	g_assert_nonnull(received);
	xml_free(built);
	return received;
}

static Jingle *
send_jingle(xmlNode *built)
{
	g_autoptr(xmlNode) received = send(built);
	Jingle *jingle = jingle_parse(received, NULL);

	check_built(received);
	g_assert_nonnull(jingle);
	return jingle;
}

/* --- xml --- */

void
exercise_xml(const xmlNode *stanza)
{
	static const XmlStanzaError cancel = { .type = "cancel", .condition = "item-not-found" };
	g_autofree char *once = xml_print(stanza), *twice = NULL, *text = xml_text(stanza);
	g_autoptr(xmlNode) again = send(xml_copy(stanza)), parent = xml_new("urn:x", "x");
	XmlStanzaError error;

	twice = xml_print(again);
	g_assert_cmpstr(once, ==, twice);
	g_assert_true(g_utf8_validate(text, -1, NULL));
	xml_adopt(parent, xml_copy(stanza));
	xml_add_copy(parent, stanza);
	xml_free(send(xml_copy(parent)));
	xml_free(send(xml_iq_result(stanza)));
	xml_free(send(xml_iq_error(stanza, &cancel)));
	if (xml_stanza_error(stanza, &error))
		xmpp_reason_from_error(error.condition);
}

/* --- jmi --- */

static void
rebuild_jmi(const Jmi *jmi)
{
	for (JmiKind kind = 0; kind < N_JMI_KINDS; kind++) {
		const JmiBuild what = { .kind = kind,
					.from = "+1@gw/gw",
					.to = "a@b/c",
					.id = jmi->id,
					.reason = "busy",
					.text = jmi->reason_text,
					.migrated = jmi->migrated };
		g_autoptr(xmlNode) message = send(jmi_build(&what));
		g_autoptr(Jmi) parsed = jmi_parse(message, NULL);
		JmiKind returned = N_JMI_KINDS;

		g_assert_nonnull(parsed);
		g_assert_cmpint(parsed->kind, ==, kind);
		g_assert_cmpstr(parsed->id, ==, jmi->id);
		g_assert_cmpstr(parsed->migrated, ==, jmi->migrated);
		g_assert_cmpint(parsed->receipt_wanted, ==, kind == JMI_PROPOSE);
		xml_set(message, "type", "error");
		g_assert_cmpstr(jmi_returned(message, &returned), ==, jmi->id);
		g_assert_cmpint(returned, ==, kind);
	}
}

void
exercise_jmi(const xmlNode *stanza)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Jmi) jmi = jmi_parse(stanza, &error);
	const char *receipt = jmi_receipt(stanza), *returned;
	JmiKind kind = N_JMI_KINDS;

	g_assert_true(!jmi || !error);
	returned = jmi_returned(stanza, &kind);
	g_assert_true(!returned || (*returned && kind < N_JMI_KINDS));
	g_assert_true(!jmi || !jmi_kind_without_id(stanza, &kind));
	if (receipt)
		xml_free(send(jmi_build_receipt("a", "b", receipt)));
	if (!jmi)
		return;
	g_assert_cmpstr(jmi->id, !=, "");
	rebuild_jmi(jmi);
	xmpp_reason_from_reject(jmi->reason, 1);
}

/* --- chat --- */

/* What was read is known again, and what is built of it says the same. */
static void
check_text(const xmlNode *stanza, const Im *chat)
{
	g_autoptr(Im) again = im_read(stanza), back = NULL;
	g_autofree char *id = im_id("secret", "a@b", 1);
	const ImBuild what = { .from = "a",
			       .to = "b",
			       .id = id,
			       .body = chat->body,
			       .language = chat->language,
			       .receipt = chat->receipt,
			       .written = chat->written,
			       .kept_by = "gw" };
	g_autoptr(xmlNode) sent = send(im_build(&what));

	g_assert_cmpstr(chat->body, !=, "");
	g_assert_true(g_utf8_validate(chat->body, -1, NULL));
	g_assert_nonnull(chat->origin);
	g_assert_cmpstr(im_origin_id(chat->origin), ==, im_origin_id(again->origin));
	back = im_read(sent);
	if (g_str_has_prefix(chat->body, "?OTR")) /* a subject, say */
		return;
	g_assert_cmpint(back->kind, ==, IM_TEXT);
	g_assert_cmpstr(back->body, ==, chat->body);
	g_assert_cmpstr(back->language, ==, chat->language);
	g_assert_cmpint(back->receipt, ==, chat->receipt);
}

void
exercise_im(const xmlNode *stanza)
{
	g_autoptr(Im) chat = im_read(stanza);
	gint64 text;

	g_assert_cmpint(chat->kind, <, N_IM_KINDS);
	g_assert_false(im_id_read("secret", "a@b", xml_attribute(stanza, "id"), &text));
	if (chat->kind == IM_TEXT)
		check_text(stanza, chat);
	else
		g_assert_null(chat->body);
}

/* --- jingle --- */

static void
check_contents(const Jingle *jingle)
{
	g_assert_cmpuint(jingle->contents->len, ==, jingle->desc->streams->len);
	g_assert_cmpuint(jingle->contents->len, <=, DESC_MAX_STREAMS);
	for (guint i = 0; i < jingle->contents->len; i++) {
		const JingleContent *content = g_ptr_array_index(jingle->contents, i);
		const Transport *transport = content->stream->transport;

		g_assert_true(jingle_content(jingle, content->name) == content);
		g_assert_true(content->stream == g_ptr_array_index(jingle->desc->streams, i));
		g_assert_cmpuint(content->stream->codecs->len, <=, DESC_MAX_CODECS);
		g_assert_cmpuint(content->raw_candidates->len, <=, DESC_MAX_CANDIDATES);
		g_assert_cmpuint(transport->candidates->len, <=, content->raw_candidates->len);
		for (guint n = 0; n < transport->candidates->len; n++)
			g_assert_true(candidate_usable(
				&g_array_index(transport->candidates, Candidate, n)));
	}
}

static void
check_setup(const Jingle *built, gboolean answer)
{
	for (guint i = 0; i < built->contents->len; i++) {
		const JingleContent *content = g_ptr_array_index(built->contents, i);
		DtlsSetup setup = content->stream->transport->setup;

		if (content->stream->transport->fingerprint)
			g_assert_true((setup == SETUP_ACTPASS) == !answer);
	}
}

static void
rebuild_transport(const Jingle *jingle)
{
	for (guint i = 0; i < jingle->contents->len; i++) {
		const JingleContent *content = g_ptr_array_index(jingle->contents, i);
		const Transport *transport = content->stream->transport;

		jingle_free(send_jingle(jingle_build_restart(&session, content->name, transport)));
		for (guint n = 0; n < transport->candidates->len; n++) {
			const Candidate *candidate =
				&g_array_index(transport->candidates, Candidate, n);
			g_autoptr(Jingle) one = send_jingle(jingle_build_candidate(
				&session, content->name, transport, candidate));

			g_assert_cmpuint(one->contents->len, ==, 1);
		}
	}
}

static void
rebuild_session(const Jingle *jingle)
{
	g_autoptr(Desc) desc = desc_from_jingle(jingle, TRUE, NULL), answer = NULL;
	g_autoptr(Jingle) offer = send_jingle(jingle_build_initiate(&session, jingle->desc));
	g_autoptr(Jingle) accept = NULL, blind = NULL;

	check_setup(offer, FALSE);
	if (!desc)
		return;
	answer = desc_answer(desc, desc, desc_audio(desc)->transport);
	if (!answer)
		return;
	accept = send_jingle(jingle_build_accept(&session, jingle, answer));
	blind = send_jingle(jingle_build_accept(&session, NULL, answer));
	check_setup(accept, TRUE);
	check_setup(blind, TRUE);
	g_assert_nonnull(jingle_audio(accept));
	/* who has DTLS is never answered without, and the other way round */
	g_assert_cmpint(jingle_audio(accept)->stream->transport->unencrypted, ==,
			desc_audio(desc)->transport->unencrypted);
	g_assert_cmpint(jingle_audio(accept)->stream->transport->fingerprint == NULL, ==,
			desc_audio(desc)->transport->unencrypted);
	g_assert_cmpint(accept->desc->bundle, ==, jingle->desc->bundle);
}

void
exercise_jingle(const xmlNode *stanza)
{
	const xmlNode *node = jingle_find(stanza);
	g_autoptr(Jingle) jingle = node ? jingle_parse(node, NULL) : NULL;
	JingleEnd end = { 0 };

	if (!jingle)
		return;
	end.reason = xmpp_reason_to_jingle(
		xmpp_reason_from_jingle(jingle->reason, MOMENT_CALLEE_REFUSES));
	end.text = jingle->reason_text;
	check_contents(jingle);
	rebuild_session(jingle);
	rebuild_transport(jingle);
	jingle_free(send_jingle(jingle_build_terminate(&session, &end)));
	jingle_free(send_jingle(jingle_build_info(&session, jingle->info, jingle->info_content)));
	if (jingle->key)
		jingle_free(send_jingle(jingle_build_key(&session, jingle->key)));
	/* these two mirror what was asked, senders included */
	xml_free(send(jingle_build_content_reject(&session, jingle)));
	xml_free(send(jingle_build_transport_reject(&session, jingle)));
}

/* --- caps --- */

void
exercise_caps(const xmlNode *stanza)
{
	const xmlNode *query = xml_child(stanza, NS_DISCO_INFO, "query");
	g_autofree char *hash = NULL;
	const char *node, *ver;

	xmpp_caps_of_presence(stanza, &node, &ver);
	if (!query)
		return;
	hash = xmpp_caps_hash(query);
	g_assert_true(!hash || strlen(hash) == 28); /* of 20 bytes */
	xmpp_caps_can_call(xmpp_caps_read(query));
	xml_free(send(xmpp_caps_query(&xmpp_caps_number, xml_attribute(query, "node"))));
}

/* --- external services --- */

void
exercise_services(const xmlNode *stanza)
{
	Announced what;
	g_autoptr(GPtrArray) servers = xmpp_extdisco_read(stanza, &what);

	g_assert_cmpuint(servers->len, <=, what == ANNOUNCED_LIST ? XMPP_EXTDISCO_MOST : 0);
	for (guint i = 0; i < servers->len; i++) {
		const AnnouncedServer *server = servers->pdata[i];

		g_assert_true(server->type && server->transport && server->host && *server->host);
	}
}
