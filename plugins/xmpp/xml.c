/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xml.c - stanzas as libxml2 trees.
 *
 * Every tree has a document of its own under the surface: libxml2 keeps the
 * namespace of xml:lang there.  Names are never shared through a dictionary, so
 * a tree outlives its parser and nothing a stranger sends is remembered.
 * Thread: any (pure).
 */
#include "plugins/xmpp/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <string.h>

/* Jingle nests six deep; a forwarded message in a carbon some more. */
#define MAX_DEPTH 64
#define MAX_LINE  512

G_DEFINE_QUARK(xml - error - quark, xml_error)

/* --- parsing --- */

typedef struct {
	guint depth;
	gboolean forbidden, too_deep;
} Refusal;

static void
on_subset(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxt *parser = user;

	((Refusal *)parser->_private)->forbidden = TRUE;
	xmlStopParser(parser);
}

static void
on_instruction(void *user, const xmlChar *target, const xmlChar *data)
{
	xmlParserCtxt *parser = user;

	((Refusal *)parser->_private)->forbidden = TRUE;
	xmlStopParser(parser);
}

static void
on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	 int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
	 const xmlChar **attributes)
{
	xmlParserCtxt *parser = user;
	Refusal *refusal = parser->_private;

	refusal->depth++;
	if (refusal->depth > MAX_DEPTH) {
		refusal->too_deep = TRUE;
		xmlStopParser(parser);
		return;
	}
	xmlSAX2StartElementNs(user, name, prefix, uri, n_namespaces, namespaces, n_attributes,
			      n_defaulted, attributes);
}

static void
on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	xmlParserCtxt *parser = user;
	Refusal *refusal = parser->_private;

	refusal->depth--;
	xmlSAX2EndElementNs(user, name, prefix, uri);
}

static void
set_parse_error(const xmlParserCtxt *parser, const Refusal *refusal, GError **error)
{
	const xmlError *last = &parser->lastError;
	g_autofree char *why = g_strchomp(g_strdup(last->message ? last->message : "not XML"));

	if (refusal->too_deep)
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_TOO_BIG,
			    "elements nested more than %d deep", MAX_DEPTH);
	else if (refusal->forbidden)
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_FORBIDDEN,
			    "a DOCTYPE or a processing instruction");
	else if (last->code == XML_ERR_UNDECLARED_ENTITY || last->code == XML_WAR_UNDECLARED_ENTITY)
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_FORBIDDEN, "%s", why);
	else
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_SYNTAX, "line %d: %s", last->line,
			    why);
}

static xmlParserCtxt *
parser_new(Refusal *refusal)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();

	g_assert(parser); /* out of memory, as in GLib */
	parser->_private = refusal;
	parser->sax->internalSubset = on_subset;
	parser->sax->externalSubset = on_subset;
	parser->sax->processingInstruction = on_instruction;
	parser->sax->startElementNs = on_start;
	parser->sax->endElementNs = on_end;
	/* RFC 6120 11.1 forbids comments too; they do no harm and are dropped. */
	parser->sax->comment = NULL;
	return parser;
}

xmlNode *
xml_parse(const char *text, gsize length, gsize limit, GError **error)
{
	Refusal refusal = { 0 };
	xmlParserCtxt *parser;
	xmlDoc *doc;
	gboolean good;

	if (length > limit || length > G_MAXINT) {
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_TOO_BIG,
			    "%" G_GSIZE_FORMAT " bytes, more than %" G_GSIZE_FORMAT, length, limit);
		return NULL;
	}
	if (length == 0 || !g_utf8_validate_len(text, length, NULL)) {
		g_set_error(error, XML_ERROR_DOMAIN, XML_ERROR_SYNTAX, "%s",
			    length ? "not UTF-8" : "empty");
		return NULL;
	}
	parser = parser_new(&refusal);
	/* The encoding given here wins over one in an XML declaration. */
	doc = xmlCtxtReadMemory(parser, text, (int)length, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NODICT |
					XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	/* An undeclared prefix is an error of namespaces only, but one to us. */
	good = doc && xmlDocGetRootElement(doc) && parser->nsWellFormed && !refusal.forbidden &&
	       !refusal.too_deep;
	if (!good) {
		set_parse_error(parser, &refusal, error);
		xmlFreeDoc(doc);
	}
	xmlFreeParserCtxt(parser);
	return good ? xmlDocGetRootElement(doc) : NULL;
}

void
xml_free(xmlNode *top)
{
	if (top)
		xmlFreeDoc(top->doc);
}

/* --- looking --- */

const char *
xml_name(const xmlNode *node)
{
	return node ? (const char *)node->name : NULL;
}

const char *
xml_ns(const xmlNode *node)
{
	const char *ns = node && node->ns ? (const char *)node->ns->href : NULL;

	return ns && *ns ? ns : NULL;
}

/* NULL for either means any. */
static gboolean
matches(const xmlNode *node, const char *ns, const char *name)
{
	return node->type == XML_ELEMENT_NODE && (!name || strcmp(xml_name(node), name) == 0) &&
	       (!ns || g_strcmp0(xml_ns(node), ns) == 0);
}

static xmlNode *
first_match(xmlNode *node, const char *ns, const char *name)
{
	while (node && !matches(node, ns, name))
		node = node->next;
	return node;
}

gboolean
xml_is(const xmlNode *node, const char *ns, const char *name)
{
	return node && matches(node, ns, name);
}

gboolean
xml_is_stanza(const xmlNode *node, const char *name)
{
	return xml_is(node, NS_COMPONENT, name) || xml_is(node, NS_CLIENT, name);
}

xmlNode *
xml_child(const xmlNode *node, const char *ns, const char *name)
{
	return node ? first_match(node->children, ns, name) : NULL;
}

xmlNode *
xml_next(const xmlNode *node, const char *ns, const char *name)
{
	return node ? first_match(node->next, ns, name) : NULL;
}

const char *
xml_attribute(const xmlNode *node, const char *name)
{
	const xmlAttr *attribute = node ? node->properties : NULL;

	for (; attribute; attribute = attribute->next)
		if (!attribute->ns && strcmp((const char *)attribute->name, name) == 0)
			break;
	if (!attribute)
		return NULL;
	/* Without a DTD a value is one text node, or none when it is empty. */
	if (!attribute->children || !attribute->children->content)
		return "";
	return (const char *)attribute->children->content;
}

gboolean
xml_attribute_number(const xmlNode *node, const char *name, guint64 max, guint64 *number)
{
	const char *value = xml_attribute(node, name);

	return value && g_ascii_string_to_unsigned(value, 10, 0, max, number, NULL);
}

/* A stream library may have lost the prefix on the way. */
char *
xml_language(const xmlNode *node)
{
	xmlChar *value = xmlGetNsProp((xmlNode *)node, BAD_CAST "lang", XML_XML_NAMESPACE);
	char *copy = g_strdup(value ? (const char *)value : xml_attribute(node, "lang"));

	xmlFree(value);
	return copy;
}

char *
xml_text(const xmlNode *node)
{
	GString *text = g_string_new(NULL);
	const xmlNode *child = node ? node->children : NULL;

	for (; child; child = child->next)
		if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) &&
		    child->content)
			g_string_append(text, (const char *)child->content);
	return g_strstrip(g_string_free(text, FALSE));
}

char *
xml_line(const xmlNode *node)
{
	g_autofree char *text = xml_text(node);
	char *line;

	if (!*text)
		return NULL;
	line = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), MAX_LINE));
	for (char *at = line; *at; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	return line;
}

/* --- building --- */

/* XML 1.0 section 2.2: what may stand in a document. */
static gboolean
is_xml_char(gunichar c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

static char *
make_valid(const char *text)
{
	g_autofree char *utf8 = g_utf8_make_valid(text, -1);
	GString *valid = g_string_new(NULL);

	for (const char *at = utf8; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(valid, is_xml_char(c) ? c : 0xfffd);
	}
	return g_string_free(valid, FALSE);
}

static void
declare(xmlNode *node, const char *ns)
{
	g_autofree char *valid = make_valid(ns);

	node->ns = xmlNewNs(node, BAD_CAST valid, NULL);
}

static xmlDoc *
doc_new(void)
{
	xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");

	/* Without it, attributes are printed with a number for every foreign letter. */
	doc->encoding = xmlStrdup(BAD_CAST "UTF-8");
	return doc;
}

static xmlNode *
tree_of(xmlDoc *doc, xmlNode *top)
{
	xmlDocSetRootElement(doc, top);
	return top;
}

xmlNode *
xml_new(const char *ns, const char *name)
{
	xmlDoc *doc = doc_new();
	xmlNode *top = xmlNewDocNode(doc, NULL, BAD_CAST name, NULL);

	if (ns)
		declare(top, ns);
	return tree_of(doc, top);
}

xmlNode *
xml_add(xmlNode *parent, const char *ns, const char *name)
{
	xmlNode *node = xmlNewDocNode(parent->doc, NULL, BAD_CAST name, NULL);

	xmlAddChild(parent, node);
	if (!ns || g_strcmp0(ns, xml_ns(parent)) == 0)
		node->ns = parent->ns;
	else
		declare(node, ns);
	return node;
}

void
xml_set(xmlNode *node, const char *attribute, const char *value)
{
	g_autofree char *valid = NULL;

	if (!value)
		return;
	valid = make_valid(value);
	xmlSetProp(node, BAD_CAST attribute, BAD_CAST valid);
}

void
xml_set_number(xmlNode *node, const char *attribute, guint64 value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	xml_set(node, attribute, text);
}

void
xml_add_text(xmlNode *node, const char *text)
{
	g_autofree char *valid = make_valid(text);

	xmlAddChild(node, xmlNewDocText(node->doc, BAD_CAST valid));
}

/* Namespaces that `original` has from its ancestors are declared on the copy. */
static xmlNode *
copy_into(xmlDoc *doc, const xmlNode *original)
{
	return xmlDocCopyNode((xmlNode *)original, doc, 1);
}

xmlNode *
xml_add_copy(xmlNode *parent, const xmlNode *original)
{
	xmlNode *copy = copy_into(parent->doc, original);

	return xmlAddChild(parent, copy);
}

void
xml_adopt(xmlNode *parent, xmlNode *child)
{
	/* A copy, because moving would leave namespaces behind in the old document. */
	xml_add_copy(parent, child);
	xml_free(child);
}

xmlNode *
xml_copy(const xmlNode *original)
{
	xmlDoc *doc = doc_new();

	return tree_of(doc, copy_into(doc, original));
}

static char *
print_top(xmlNode *top)
{
	xmlBuffer *buffer = xmlBufferCreate();
	xmlOutputBuffer *output = xmlOutputBufferCreateBuffer(buffer, NULL);
	char *text;

	xmlNodeDumpOutput(output, top->doc, top, 0, 0, "UTF-8");
	xmlOutputBufferClose(output);
	text = g_strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return text;
}

char *
xml_print(const xmlNode *node)
{
	g_autoptr(xmlNode) copy = NULL;

	/* Inside a tree, namespaces may be declared further up. */
	if (node->parent && node->parent->type == XML_ELEMENT_NODE) {
		copy = xml_copy(node);
		return print_top(copy);
	}
	return print_top((xmlNode *)node);
}

/* --- stanzas --- */

xmlNode *
xml_stanza_new(const char *name, const char *type, const char *from, const char *to)
{
	xmlNode *stanza = xml_new(NS_COMPONENT, name);

	xml_set(stanza, "type", type);
	xml_set(stanza, "from", from);
	xml_set(stanza, "to", to);
	return stanza;
}

static void
read_stamp(const xmlNode *delay, gint64 *stamp)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	const char *text = xml_attribute(delay, "stamp");
	g_autoptr(GDateTime) when = text ? g_date_time_new_from_iso8601(text, utc) : NULL;
	gint64 seconds = when ? g_date_time_to_unix(when) : 0;

	if (seconds > 0 && (*stamp == 0 || seconds < *stamp))
		*stamp = seconds;
}

gboolean
xml_delay(const xmlNode *stanza, gint64 *stamp)
{
	static const struct {
		const char *ns, *name;
	} forms[] = { { NS_DELAY, "delay" }, { NS_DELAY_OLD, "x" } };
	gboolean delayed = FALSE;

	*stamp = 0;
	for (guint i = 0; i < G_N_ELEMENTS(forms); i++)
		for (const xmlNode *delay = xml_child(stanza, forms[i].ns, forms[i].name); delay;
		     delay = xml_next(delay, forms[i].ns, forms[i].name)) {
			read_stamp(delay, stamp);
			delayed = TRUE;
		}
	return delayed;
}

static xmlNode *
answer_new(const char *name, const xmlNode *request, const char *type)
{
	xmlNode *iq = xml_stanza_new(name, type, xml_attribute(request, "to"),
				     xml_attribute(request, "from"));

	xml_set(iq, "id", xml_attribute(request, "id"));
	return iq;
}

xmlNode *
xml_iq_result(const xmlNode *request)
{
	return answer_new("iq", request, "result");
}

static xmlNode *
error_new(const char *name, const xmlNode *request, const XmlStanzaError *what)
{
	xmlNode *answer = answer_new(name, request, "error");
	xmlNode *error = xml_add(answer, NULL, "error");

	xml_set(error, "type", what->type);
	xml_add(error, NS_STANZAS, what->condition);
	if (what->text)
		xml_add_text(xml_add(error, NS_STANZAS, "text"), what->text);
	if (what->special)
		xml_add(error, what->special_ns, what->special);
	return answer;
}

xmlNode *
xml_iq_error(const xmlNode *request, const XmlStanzaError *what)
{
	return error_new("iq", request, what);
}

xmlNode *
xml_message_error(const xmlNode *message, const XmlStanzaError *what)
{
	return error_new("message", message, what);
}

gboolean
xml_stanza_error(const xmlNode *stanza, XmlStanzaError *what)
{
	const xmlNode *error, *child;

	memset(what, 0, sizeof *what);
	if (g_strcmp0(xml_attribute(stanza, "type"), "error") != 0)
		return FALSE;
	error = xml_child(stanza, xml_ns(stanza), "error");
	what->type = xml_attribute(error, "type");
	for (child = xml_child(error, NULL, NULL); child; child = xml_next(child, NULL, NULL)) {
		if (g_strcmp0(xml_ns(child), NS_STANZAS) != 0) {
			if (!what->special) {
				what->special = xml_name(child);
				what->special_ns = xml_ns(child);
			}
		} else if (!what->condition && strcmp(xml_name(child), "text") != 0) {
			what->condition = xml_name(child);
		}
	}
	return TRUE;
}
