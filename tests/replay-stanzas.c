/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* replay-stanzas.c - a folder of stanzas through the parsers of the XMPP plugin.
 *
 *   replay-stanzas FOLDER
 *
 * FOLDER has a manifest.json as tests/data/stanzas/README describes it.  Prints
 * each expectation that does not hold (file, field, expected, got) and a count;
 * exit status 1 if there is one, 2 if the folder cannot be read.  A key that
 * nobody here knows is a failure: nothing goes unchecked.
 */
#include <string.h>
#include <json-glib/json-glib.h>
#include "plugins/xmpp/jingle.h"
#include "plugins/xmpp/jmi.h"
#include "plugins/xmpp/xmpp_caps.h"

#define STANZA_LIMIT (256 * 1024)

typedef struct {
	xmlNode *top;
	Jmi *jmi;	/* NULL when there is none */
	Jingle *jingle; /* NULL when there is none */
} Subject;

typedef struct {
	GPtrArray *failures; /* char *, of one file */
	guint checked, failed;
} Tally;

/* --- values --- */

static JsonNode *
string_node(const char *text)
{
	JsonNode *node = json_node_new(text ? JSON_NODE_VALUE : JSON_NODE_NULL);

	if (text)
		json_node_set_string(node, text);
	return node;
}

static JsonNode *
number_node(gint64 number)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_int(node, number);
	return node;
}

static JsonNode *
boolean_node(gboolean value)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_boolean(node, value);
	return node;
}

static JsonNode *
array_node(JsonArray *array)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	json_node_take_array(node, array);
	return node;
}

static void
append_strings(JsonArray *array, const GPtrArray *strings)
{
	for (guint i = 0; i < strings->len; i++)
		json_array_add_string_element(array, g_ptr_array_index(strings, i));
}

/* --- what the parsers found, by key of "expect" --- */

static JsonNode *
get_stanza(const Subject *subject)
{
	const char *name = xml_name(subject->top);

	return string_node(xml_is_stanza(subject->top, name) ? name : NULL);
}

static JsonNode *
get_type(const Subject *subject)
{
	return string_node(xml_attribute(subject->top, "type"));
}

static JsonNode *
get_jmi(const Subject *subject)
{
	return string_node(subject->jmi ? jmi_kind_name(subject->jmi->kind) : NULL);
}

static JsonNode *
get_id(const Subject *subject)
{
	return string_node(subject->jmi ? subject->jmi->id : NULL);
}

static JsonNode *
get_media(const Subject *subject)
{
	JsonArray *array = json_array_new();

	if (subject->jmi)
		append_strings(array, subject->jmi->media);
	return array_node(array);
}

static JsonNode *
get_receipt(const Subject *subject)
{
	if (subject->jmi && subject->jmi->receipt_wanted)
		return string_node("request");
	return string_node(jmi_receipt(subject->top) ? "received" : NULL);
}

static JsonNode *
get_omemo_device(const Subject *subject)
{
	return string_node(subject->jmi ? subject->jmi->device : NULL);
}

static JsonNode *
get_action(const Subject *subject)
{
	return string_node(subject->jingle ? jingle_action_name(subject->jingle->action) : NULL);
}

static JsonNode *
get_sid(const Subject *subject)
{
	return string_node(subject->jingle ? subject->jingle->sid : NULL);
}

static JsonNode *
get_group(const Subject *subject)
{
	JsonArray *array;

	if (!subject->jingle || !subject->jingle->group)
		return string_node(NULL);
	array = json_array_new();
	json_array_add_string_element(array, subject->jingle->group);
	append_strings(array, subject->jingle->group_names);
	return array_node(array);
}

static JsonNode *
get_reason(const Subject *subject)
{
	if (subject->jmi)
		return string_node(subject->jmi->reason);
	return string_node(subject->jingle ? subject->jingle->reason : NULL);
}

static JsonNode *
get_info(const Subject *subject)
{
	return string_node(subject->jingle ? jingle_info_name(subject->jingle->info) : NULL);
}

static JsonNode *
get_error(const Subject *subject)
{
	XmlStanzaError error;
	JsonArray *array;

	if (!xml_stanza_error(subject->top, &error))
		return string_node(NULL);
	array = json_array_new();
	json_array_add_string_element(array, error.condition ? error.condition : "");
	if (error.special)
		json_array_add_string_element(array, error.special);
	return array_node(array);
}

static JsonNode *
get_disco(const Subject *subject)
{
	const xmlNode *query = xml_child(subject->top, NS_DISCO_INFO, "query"), *feature;
	gint64 count = 0;

	if (!query)
		return string_node(NULL);
	if (g_strcmp0(xml_attribute(subject->top, "type"), "get") == 0)
		return string_node("get");
	for (feature = xml_child(query, NS_DISCO_INFO, "feature"); feature;
	     feature = xml_next(feature, NS_DISCO_INFO, "feature"))
		count++;
	return number_node(count);
}

static JsonNode *
get_caps_ver(const Subject *subject)
{
	const char *node, *ver;

	return string_node(xmpp_caps_of_presence(subject->top, &node, &ver) ? ver : NULL);
}

static const struct {
	const char *key;
	JsonNode *(*get)(const Subject *subject);
} fields[] = {
	{ "stanza", get_stanza },
	{ "type", get_type },
	{ "jmi", get_jmi },
	{ "id", get_id },
	{ "media", get_media },
	{ "receipt", get_receipt },
	{ "action", get_action },
	{ "sid", get_sid },
	{ "group", get_group },
	{ "reason", get_reason },
	{ "info", get_info },
	{ "error", get_error },
	{ "disco", get_disco },
	{ "caps_ver", get_caps_ver },
	{ "omemo_device", get_omemo_device },
};

/* --- of a content --- */

static JsonNode *
get_name(const JingleContent *content)
{
	return string_node(content->name);
}

static JsonNode *
get_creator(const JingleContent *content)
{
	return string_node(jingle_party_name(content->creator));
}

static JsonNode *
get_senders(const JingleContent *content)
{
	return string_node(jingle_senders_name(content->senders));
}

static JsonNode *
get_content_media(const JingleContent *content)
{
	return string_node(content->media);
}

static JsonNode *
get_payloads(const JingleContent *content)
{
	JsonArray *all = json_array_new();

	for (guint i = 0; i < content->stream->codecs->len; i++) {
		const Codec *codec = g_ptr_array_index(content->stream->codecs, i);
		JsonArray *one = json_array_new();

		json_array_add_int_element(one, codec->pt);
		json_array_add_string_element(one, codec->name);
		json_array_add_int_element(one, codec->rate);
		json_array_add_int_element(one, codec->channels);
		json_array_add_array_element(all, one);
	}
	return array_node(all);
}

static JsonNode *
get_rtcp_mux(const JingleContent *content)
{
	return boolean_node(content->rtcp_mux);
}

static JsonNode *
get_sdes(const JingleContent *content)
{
	return boolean_node(content->sdes);
}

static JsonNode *
get_transport_ns(const JingleContent *content)
{
	return string_node(content->transport_ns);
}

static JsonNode *
get_ufrag(const JingleContent *content)
{
	return string_node(content->stream->transport->ufrag);
}

static JsonNode *
get_pwd(const JingleContent *content)
{
	return string_node(content->stream->transport->pwd);
}

static JsonNode *
get_setup(const JingleContent *content)
{
	return string_node(setup_name(content->stream->transport->setup));
}

static JsonNode *
get_hash(const JingleContent *content)
{
	return string_node(content->stream->transport->fingerprint_hash);
}

static JsonNode *
get_fingerprint(const JingleContent *content)
{
	return string_node(content->stream->transport->fingerprint);
}

static JsonNode *
get_candidates(const JingleContent *content)
{
	JsonArray *all = json_array_new();

	for (guint i = 0; i < content->raw_candidates->len; i++) {
		const JingleCandidate *candidate = g_ptr_array_index(content->raw_candidates, i);
		JsonArray *one = json_array_new();

		json_array_add_int_element(one, candidate->component);
		json_array_add_string_element(one, candidate->protocol);
		json_array_add_string_element(one, candidate->address);
		json_array_add_int_element(one, candidate->port);
		json_array_add_string_element(one, candidate->type);
		json_array_add_array_element(all, one);
	}
	return array_node(all);
}

static JsonNode *
get_ice_options(const JingleContent *content)
{
	JsonArray *array = json_array_new();

	append_strings(array, content->ice_options);
	return array_node(array);
}

static JsonNode *
get_gathering_complete(const JingleContent *content)
{
	return boolean_node(content->stream->transport->candidates_complete);
}

static const struct {
	const char *key;
	JsonNode *(*get)(const JingleContent *content);
} content_fields[] = {
	{ "name", get_name },
	{ "creator", get_creator },
	{ "senders", get_senders },
	{ "media", get_content_media },
	{ "payloads", get_payloads },
	{ "rtcp_mux", get_rtcp_mux },
	{ "sdes", get_sdes },
	{ "transport_ns", get_transport_ns },
	{ "ufrag", get_ufrag },
	{ "pwd", get_pwd },
	{ "setup", get_setup },
	{ "hash", get_hash },
	{ "fingerprint", get_fingerprint },
	{ "candidates", get_candidates },
	{ "ice_options", get_ice_options },
	{ "gathering_complete", get_gathering_complete },
};

/* --- comparing --- */

static void
fail(Tally *tally, const char *field, const char *expected, const char *got)
{
	tally->failed++;
	g_ptr_array_add(tally->failures,
			g_strdup_printf("%s: expected %s, got %s", field, expected, got));
}

static void
compare(Tally *tally, const char *field, JsonNode *expected, JsonNode *got)
{
	tally->checked++;
	if (!json_node_equal(expected, got)) {
		g_autofree char *one = json_to_string(expected, FALSE);
		g_autofree char *other = json_to_string(got, FALSE);

		fail(tally, field, one, other);
	}
	json_node_unref(got);
}

static void
check_content_field(Tally *tally, const JingleContent *content, const char *key, JsonNode *expected)
{
	g_autofree char *field = g_strdup_printf("contents[%s].%s", content->name, key);

	for (guint i = 0; i < G_N_ELEMENTS(content_fields); i++) {
		if (strcmp(key, content_fields[i].key) == 0) {
			compare(tally, field, expected, content_fields[i].get(content));
			return;
		}
	}
	tally->checked++;
	fail(tally, field, "a key that replay-stanzas knows", "an unknown one");
}

static void
check_contents(Tally *tally, const Subject *subject, JsonNode *expected)
{
	guint found = subject->jingle ? subject->jingle->contents->len : 0;
	JsonArray *wanted = JSON_NODE_HOLDS_ARRAY(expected) ? json_node_get_array(expected) : NULL;

	if (!wanted || json_array_get_length(wanted) != found) {
		g_autofree char *number = g_strdup_printf("%u contents", found);
		g_autofree char *text = json_to_string(expected, FALSE);

		tally->checked++;
		fail(tally, "contents", text, number);
		return;
	}
	for (guint i = 0; i < found; i++) {
		JsonNode *one = json_array_get_element(wanted, i), *value;
		const char *key;
		JsonObjectIter iter;

		if (!JSON_NODE_HOLDS_OBJECT(one)) {
			fail(tally, "contents", "an object for each", "something else");
			continue;
		}
		json_object_iter_init(&iter, json_node_get_object(one));
		while (json_object_iter_next(&iter, &key, &value))
			check_content_field(tally, g_ptr_array_index(subject->jingle->contents, i),
					    key, value);
	}
}

static void
check_field(Tally *tally, const Subject *subject, const char *key, JsonNode *expected)
{
	if (strcmp(key, "contents") == 0) {
		check_contents(tally, subject, expected);
		return;
	}
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(key, fields[i].key) == 0) {
			compare(tally, key, expected, fields[i].get(subject));
			return;
		}
	}
	tally->checked++;
	fail(tally, key, "a key that replay-stanzas knows", "an unknown one");
}

/* What is found though the manifest does not speak of it. */
static void
check_surprises(Tally *tally, const Subject *subject, JsonObject *expect)
{
	if (subject->jmi && !json_object_has_member(expect, "jmi"))
		fail(tally, "jmi", "none", jmi_kind_name(subject->jmi->kind));
	if (subject->jingle && !json_object_has_member(expect, "action"))
		fail(tally, "action", "none", jingle_action_name(subject->jingle->action));
	if (subject->jingle && subject->jingle->contents->len > 0 &&
	    !json_object_has_member(expect, "contents"))
		fail(tally, "contents", "none", "some");
}

static gboolean
read_subject(Subject *subject, const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize length;

	memset(subject, 0, sizeof *subject);
	if (!g_file_get_contents(path, &text, &length, error))
		return FALSE;
	subject->top = xml_parse(text, length, STANZA_LIMIT, error);
	if (!subject->top)
		return FALSE;
	subject->jmi = jmi_parse(subject->top, error);
	if (*error)
		return FALSE;
	if (!jingle_find(subject->top))
		return TRUE;
	subject->jingle = jingle_parse(jingle_find(subject->top), error);
	return subject->jingle != NULL;
}

static void
clear_subject(Subject *subject)
{
	jingle_free(subject->jingle);
	jmi_free(subject->jmi);
	xml_free(subject->top);
}

static void
check_file(Tally *tally, const char *path, JsonObject *expect)
{
	g_autoptr(GError) error = NULL;
	Subject subject;
	JsonObjectIter iter;
	const char *key;
	JsonNode *expected;

	tally->checked++;
	if (!read_subject(&subject, path, &error)) {
		fail(tally, "stanza", "one that can be read", error->message);
	} else {
		json_object_iter_init(&iter, expect);
		while (json_object_iter_next(&iter, &key, &expected))
			check_field(tally, &subject, key, expected);
		check_surprises(tally, &subject, expect);
	}
	clear_subject(&subject);
}

/* --- the folder --- */

static void
report(const Tally *tally, const char *file)
{
	for (guint i = 0; i < tally->failures->len; i++)
		g_print("%s: %s\n", file, (const char *)g_ptr_array_index(tally->failures, i));
}

/* One entry of the manifest; NULL for one that has no file or expectation. */
static const char *
entry(JsonNode *node, JsonObject **expect)
{
	JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
	JsonNode *file = object ? json_object_get_member(object, "file") : NULL;
	JsonNode *wanted = object ? json_object_get_member(object, "expect") : NULL;

	if (!file || json_node_get_value_type(file) != G_TYPE_STRING || !wanted ||
	    !JSON_NODE_HOLDS_OBJECT(wanted))
		return NULL;
	*expect = json_node_get_object(wanted);
	return json_node_get_string(file);
}

static void
replay(Tally *tally, const char *folder, JsonArray *manifest)
{
	guint count = json_array_get_length(manifest);

	for (guint i = 0; i < count; i++) {
		JsonObject *expect = NULL;
		const char *file = entry(json_array_get_element(manifest, i), &expect);
		g_autofree char *path = g_build_filename(folder, file ? file : "?", NULL);

		g_ptr_array_set_size(tally->failures, 0);
		if (file)
			check_file(tally, path, expect);
		else
			fail(tally, "entry", "\"file\" and \"expect\"", "something else");
		report(tally, file ? file : "manifest.json");
	}
	g_print("%u stanzas, %u expectations, %u failed\n", count, tally->checked, tally->failed);
}

int
main(int argc, char **argv)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	Tally tally = { g_ptr_array_new_with_free_func(g_free), 0, 0 };

	if (argc != 2) {
		g_printerr("usage: replay-stanzas FOLDER\n");
		return 2;
	}
	path = g_build_filename(argv[1], "manifest.json", NULL);
	if (!json_parser_load_from_file(parser, path, &error) ||
	    !JSON_NODE_HOLDS_ARRAY(json_parser_get_root(parser))) {
		g_printerr("%s: %s\n", path, error ? error->message : "not a list of stanzas");
		g_ptr_array_unref(tally.failures);
		return 2;
	}
	replay(&tally, argv[1], json_node_get_array(json_parser_get_root(parser)));
	g_ptr_array_unref(tally.failures);
	return tally.failed ? 1 : 0;
}
