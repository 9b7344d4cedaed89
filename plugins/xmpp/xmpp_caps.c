/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_caps.c - disco#info and its hash.
 * Thread: any (pure).
 */
#include "plugins/xmpp/xmpp_caps.h"

#include <string.h>

#define F_3264	   "urn:ietf:rfc:3264" /* offer/answer: send all candidates at once */
#define F_GROUPING "urn:ietf:rfc:5888"
#define F_AUDIO	   "urn:xmpp:jingle:apps:rtp:audio"

/* Sorted as XEP-0115 wants them. */
static const char *const number_features[] = {
	NS_CAPS,     NS_DISCO_INFO, NS_DISCO_ITEMS, NS_VERSION,	 F_3264,   F_GROUPING,
	NS_JMI,	     NS_JINGLE,	    NS_DTLS,	    NS_RTP,	 F_AUDIO,  NS_DTMF,
	NS_TRANSFER, NS_ICE_UDP,    NS_PING,	    NS_RECEIPTS, NS_VCARD, NULL,
};

static const char *const domain_features[] = {
	NS_CAPS,     NS_COMMANDS, NS_DISCO_INFO, NS_DISCO_ITEMS, NS_GATEWAY,
	NS_REGISTER, NS_VERSION,  NS_PING,	 NS_VCARD,	 NULL
};

/* Where there are STUN or TURN servers to tell of. */
static const char *const number_services[] = {
	NS_CAPS,    NS_DISCO_INFO, NS_DISCO_ITEMS, NS_VERSION, F_3264,
	F_GROUPING, NS_EXTDISCO_1, NS_EXTDISCO_2,  NS_JMI,     NS_JINGLE,
	NS_DTLS,    NS_RTP,	   F_AUDIO,	   NS_DTMF,    NS_TRANSFER,
	NS_ICE_UDP, NS_PING,	   NS_RECEIPTS,	   NS_VCARD,   NULL,
};

static const char *const domain_services[] = { NS_CAPS,	       NS_COMMANDS,   NS_DISCO_INFO,
					       NS_DISCO_ITEMS, NS_GATEWAY,    NS_REGISTER,
					       NS_VERSION,     NS_EXTDISCO_1, NS_EXTDISCO_2,
					       NS_PING,	       NS_VCARD,      NULL };

const XmppEntity xmpp_caps_number = { "client", "phone", "telephone", FALSE, number_features };
const XmppEntity xmpp_caps_domain = { "gateway", "pstn", "Telephone gateway", TRUE,
				      domain_features };
const XmppEntity xmpp_caps_number_services = { "client", "phone", "telephone", FALSE,
					       number_services };
const XmppEntity xmpp_caps_domain_services = { "gateway", "pstn", "Telephone gateway", TRUE,
					       domain_services };

void
xmpp_caps_add_identity(xmlNode *query, const char *category, const char *type, const char *name)
{
	xmlNode *identity = xml_add(query, NULL, "identity");

	xml_set(identity, "category", category);
	xml_set(identity, "type", type);
	xml_set(identity, "name", name);
}

xmlNode *
xmpp_caps_query(const XmppEntity *entity, const char *node)
{
	xmlNode *query = xml_new(NS_DISCO_INFO, "query");

	xml_set(query, "node", node);
	if (entity->is_bot)
		xmpp_caps_add_identity(query, "client", "bot", entity->name);
	xmpp_caps_add_identity(query, entity->category, entity->type, entity->name);
	for (guint i = 0; entity->features[i]; i++)
		xml_set(xml_add(query, NULL, "feature"), "var", entity->features[i]);
	return query;
}

/* --- XEP-0115 section 5.1 --- */

static gint
compare(gconstpointer one, gconstpointer other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* "<" separates the parts and may not be in one: what one says as a single feature, another
 * would say as two, with the same hash. */
static gboolean
is_part(const char *text)
{
	return !strchr(text, '<');
}

static gboolean
are_parts(const GPtrArray *parts)
{
	for (guint i = 0; i < parts->len; i++)
		if (!is_part(g_ptr_array_index(parts, i)))
			return FALSE;
	return TRUE;
}

/* Sorts, appends each with its "<"; FALSE when one is there twice. */
static gboolean
append_sorted(GString *all, GPtrArray *parts)
{
	gboolean unique = TRUE;

	g_ptr_array_sort(parts, compare);
	for (guint i = 0; i < parts->len; i++) {
		const char *part = g_ptr_array_index(parts, i);

		if (i > 0 && strcmp(part, g_ptr_array_index(parts, i - 1)) == 0)
			unique = FALSE;
		g_string_append(all, part);
		g_string_append_c(all, '<');
	}
	return unique;
}

static const char *
or_empty(const char *text)
{
	return text ? text : "";
}

static gboolean
append_identities(GString *all, const xmlNode *query)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	const xmlNode *child = xml_child(query, NS_DISCO_INFO, "identity");

	for (; child; child = xml_next(child, NS_DISCO_INFO, "identity")) {
		g_autofree char *lang = xml_language(child);

		g_ptr_array_add(parts, g_strdup_printf("%s/%s/%s/%s",
						       or_empty(xml_attribute(child, "category")),
						       or_empty(xml_attribute(child, "type")),
						       or_empty(lang),
						       or_empty(xml_attribute(child, "name"))));
	}
	return are_parts(parts) && append_sorted(all, parts);
}

static gboolean
append_features(GString *all, const xmlNode *query)
{
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	const xmlNode *child = xml_child(query, NS_DISCO_INFO, "feature");

	for (; child; child = xml_next(child, NS_DISCO_INFO, "feature"))
		g_ptr_array_add(parts, (char *)or_empty(xml_attribute(child, "var")));
	return are_parts(parts) && append_sorted(all, parts);
}

static const char *
field_name(const xmlNode *field)
{
	return or_empty(xml_attribute(field, "var"));
}

/* "name<value<value<", values sorted; the same value twice is no error.  NULL: a "<" is in one. */
static char *
field_string(const xmlNode *field)
{
	g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
	GString *text;
	const xmlNode *value = xml_child(field, NS_DATA, "value");

	for (; value; value = xml_next(value, NS_DATA, "value"))
		g_ptr_array_add(values, xml_text(value));
	if (!is_part(field_name(field)) || !are_parts(values))
		return NULL;
	text = g_string_new(field_name(field));
	g_string_append_c(text, '<');
	append_sorted(text, values);
	return g_string_free(text, FALSE);
}

static const xmlNode *
find_form_type(const xmlNode *form)
{
	const xmlNode *field = xml_child(form, NS_DATA, "field");

	while (field && strcmp(field_name(field), "FORM_TYPE") != 0)
		field = xml_next(field, NS_DATA, "field");
	return field;
}

/* FALSE when FORM_TYPE says more than one thing. */
static gboolean
one_value(const xmlNode *field)
{
	const xmlNode *first = xml_child(field, NS_DATA, "value"), *next;
	g_autofree char *text = xml_text(first);

	for (next = xml_next(first, NS_DATA, "value"); next;
	     next = xml_next(next, NS_DATA, "value")) {
		g_autofree char *other = xml_text(next);

		if (strcmp(text, other) != 0)
			return FALSE;
	}
	return TRUE;
}

/* NULL: a "<" is in what it says. */
static char *
form_string(const xmlNode *form, const xmlNode *form_type)
{
	g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *type = xml_text(xml_child(form_type, NS_DATA, "value"));
	GString *text;
	const xmlNode *field = xml_child(form, NS_DATA, "field");

	if (!is_part(type))
		return NULL;
	for (; field; field = xml_next(field, NS_DATA, "field")) {
		char *string;

		if (strcmp(field_name(field), "FORM_TYPE") == 0)
			continue;
		string = field_string(field);
		if (!string)
			return NULL;
		g_ptr_array_add(fields, string);
	}
	text = g_string_new(type);
	g_string_append_c(text, '<');
	g_ptr_array_sort(fields, compare);
	for (guint i = 0; i < fields->len; i++)
		g_string_append(text, g_ptr_array_index(fields, i));
	return g_string_free(text, FALSE);
}

/* Section 5.4: two forms of one FORM_TYPE, or one of several, are ill-formed;
 * a form whose FORM_TYPE is missing or not hidden does not count. */
static gboolean
append_forms(GString *all, const xmlNode *query)
{
	g_autoptr(GPtrArray) forms = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const xmlNode *form = xml_child(query, NS_DATA, "x");

	for (; form; form = xml_next(form, NS_DATA, "x")) {
		const xmlNode *form_type = find_form_type(form);
		char *string;

		if (!form_type || g_strcmp0(xml_attribute(form_type, "type"), "hidden") != 0)
			continue;
		if (!one_value(form_type) ||
		    !g_hash_table_add(types, xml_text(xml_child(form_type, NS_DATA, "value"))))
			return FALSE;
		string = form_string(form, form_type);
		if (!string)
			return FALSE;
		g_ptr_array_add(forms, string);
	}
	g_ptr_array_sort(forms, compare);
	for (guint i = 0; i < forms->len; i++)
		g_string_append(all, g_ptr_array_index(forms, i));
	return TRUE;
}

char *
xmpp_caps_hash(const xmlNode *query)
{
	g_autoptr(GString) all = g_string_new(NULL);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
	guint8 digest[20];
	gsize length = sizeof digest;

	if (!append_identities(all, query) || !append_features(all, query) ||
	    !append_forms(all, query))
		return NULL;
	g_checksum_update(sum, (const guchar *)all->str, (gssize)all->len);
	g_checksum_get_digest(sum, digest, &length);
	return g_base64_encode(digest, length);
}

char *
xmpp_caps_own_hash(const XmppEntity *entity)
{
	g_autoptr(xmlNode) query = xmpp_caps_query(entity, NULL);

	return xmpp_caps_hash(query);
}

xmlNode *
xmpp_caps_element(const char *node, const char *ver)
{
	xmlNode *caps = xml_new(NS_CAPS, "c");

	xml_set(caps, "hash", "sha-1");
	xml_set(caps, "node", node);
	xml_set(caps, "ver", ver);
	return caps;
}

/* --- the other side --- */

#define CAN_AUDIO_CALL (XMPP_CAN_JINGLE | XMPP_CAN_RTP | XMPP_CAN_AUDIO | XMPP_CAN_ICE)

static const struct {
	const char *feature;
	XmppCan can;
} meanings[] = {
	{ NS_JINGLE, XMPP_CAN_JINGLE },	    { NS_JMI, XMPP_CAN_JMI },
	{ NS_RTP, XMPP_CAN_RTP },	    { F_AUDIO, XMPP_CAN_AUDIO },
	{ NS_ICE_UDP, XMPP_CAN_ICE },	    { NS_DTLS, XMPP_CAN_DTLS },
	{ NS_RECEIPTS, XMPP_CAN_RECEIPTS }, { NS_DTMF, XMPP_CAN_DTMF },
};

guint
xmpp_caps_read(const xmlNode *query)
{
	const xmlNode *child = xml_child(query, NS_DISCO_INFO, "feature");
	guint can = 0;

	for (; child; child = xml_next(child, NS_DISCO_INFO, "feature")) {
		const char *feature = or_empty(xml_attribute(child, "var"));

		for (guint i = 0; i < G_N_ELEMENTS(meanings); i++)
			if (strcmp(feature, meanings[i].feature) == 0)
				can |= meanings[i].can;
	}
	return can;
}

gboolean
xmpp_caps_can_call(guint can)
{
	/* DTLS too: a client without it would take our offer for plain RTP. */
	return (can & (CAN_AUDIO_CALL | XMPP_CAN_DTLS)) == (CAN_AUDIO_CALL | XMPP_CAN_DTLS);
}

gboolean
xmpp_caps_is_unencrypted(guint can)
{
	return (can & (CAN_AUDIO_CALL | XMPP_CAN_DTLS)) == CAN_AUDIO_CALL;
}

gboolean
xmpp_caps_of_presence(const xmlNode *presence, const char **node, const char **ver)
{
	const xmlNode *caps = xml_child(presence, NS_CAPS, "c");

	*node = xml_attribute(caps, "node");
	*ver = xml_attribute(caps, "ver");
	return *node && **node && *ver && **ver &&
	       g_strcmp0(xml_attribute(caps, "hash"), "sha-1") == 0;
}
