/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xml.h - stanzas as libxml2 trees: parse, look, build, print.
 *
 * Everything in this plugin that is not the stream works on these.  A tree is
 * owned by its top node and freed with xml_free(); what the looking functions
 * return belongs to the tree.  Names and values are plain UTF-8 strings.  What a
 * stranger sent is looked up by namespace, never by prefix or by order.
 * Thread: any (pure).  RFC 6120 sections 4.8 and 11.
 */
#pragma once
#include <glib.h>
#include <libxml/tree.h>

#define NS_COMPONENT   "jabber:component:accept"
#define NS_CLIENT      "jabber:client"
#define NS_STANZAS     "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_JINGLE      "urn:xmpp:jingle:1"
#define NS_JINGLE_ERR  "urn:xmpp:jingle:errors:1"
#define NS_JMI	       "urn:xmpp:jingle-message:0"
#define NS_RTP	       "urn:xmpp:jingle:apps:rtp:1"
#define NS_RTP_INFO    "urn:xmpp:jingle:apps:rtp:info:1"
#define NS_DTLS	       "urn:xmpp:jingle:apps:dtls:0"
#define NS_GROUPING    "urn:xmpp:jingle:apps:grouping:0"
#define NS_ICE_UDP     "urn:xmpp:jingle:transports:ice-udp:1"
#define NS_DTMF	       "urn:xmpp:jingle:dtmf:0"
#define NS_TRANSFER    "urn:xmpp:jingle:transfer:0"
#define NS_NICK	       "http://jabber.org/protocol/nick"
#define NS_RECEIPTS    "urn:xmpp:receipts"
#define NS_PING	       "urn:xmpp:ping"
#define NS_VERSION     "jabber:iq:version"
#define NS_GATEWAY     "jabber:iq:gateway"
#define NS_REGISTER    "jabber:iq:register"
#define NS_VCARD       "vcard-temp"
#define NS_PHOTO       "vcard-temp:x:update"
#define NS_HINTS       "urn:xmpp:hints"
#define NS_CARBONS     "urn:xmpp:carbons:2"
#define NS_DELAY       "urn:xmpp:delay"
#define NS_DELAY_OLD   "jabber:x:delay"
#define NS_EXTDISCO_1  "urn:xmpp:extdisco:1"
#define NS_EXTDISCO_2  "urn:xmpp:extdisco:2"
#define NS_CAPS	       "http://jabber.org/protocol/caps"
#define NS_COMMANDS    "http://jabber.org/protocol/commands"
#define NS_DATA	       "jabber:x:data"
#define NS_DISCO_INFO  "http://jabber.org/protocol/disco#info"
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"

typedef enum {
	XML_ERROR_SYNTAX,    /* not well-formed, or not UTF-8 */
	XML_ERROR_FORBIDDEN, /* DOCTYPE, an entity, a processing instruction: RFC 6120 11.1 */
	XML_ERROR_TOO_BIG    /* longer than asked for, or nested too deep */
} XmlError;
#define XML_ERROR_DOMAIN (xml_error_quark())
GQuark xml_error_quark(void);

/* --- parsing; `text` need not end in a zero --- */
xmlNode *xml_parse(const char *text, gsize length, gsize limit, GError **error);
/* A whole tree: what xml_parse(), xml_new() and the builders return. NULL is fine. */
void xml_free(xmlNode *top);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlNode, xml_free)

/* --- looking; a NULL node is fine everywhere and has nothing in it --- */
gboolean xml_is(const xmlNode *node, const char *ns, const char *name);
/* <iq/>, <message/>, <presence/> of either stream namespace. */
gboolean xml_is_stanza(const xmlNode *node, const char *name);
const char *xml_name(const xmlNode *node);
const char *xml_ns(const xmlNode *node); /* NULL when in none */
/* First child element of that namespace and name, either of them NULL for any. */
xmlNode *xml_child(const xmlNode *node, const char *ns, const char *name);
/* The next sibling element alike:
 * for (c = xml_child(n, NS, "x"); c; c = xml_next(c, NS, "x")) */
xmlNode *xml_next(const xmlNode *node, const char *ns, const char *name);
/* An attribute without namespace; NULL when absent, "" when empty. */
const char *xml_attribute(const xmlNode *node, const char *name);
/* TRUE for an attribute that is a decimal number from 0 to `max`. */
gboolean xml_attribute_number(const xmlNode *node, const char *name, guint64 max, guint64 *number);
/* What its own xml:lang says, to be freed; NULL: nothing. */
char *xml_language(const xmlNode *node);
/* The text directly in `node`, surrounding blanks removed; "" when none. */
char *xml_text(const xmlNode *node);
/* The same for a person: one line of at most 512 characters; NULL when none. */
char *xml_line(const xmlNode *node);

/* --- building; what XML cannot carry (control characters, bad UTF-8) is replaced --- */
xmlNode *xml_new(const char *ns, const char *name);
/* `ns` NULL: that of the parent. */
xmlNode *xml_add(xmlNode *parent, const char *ns, const char *name);
void xml_set(xmlNode *node, const char *attribute, const char *value); /* NULL value: nothing */
void xml_set_number(xmlNode *node, const char *attribute, guint64 value);
void xml_add_text(xmlNode *node, const char *text);
/* A tree of its own becomes the last child; `child` is taken. */
void xml_adopt(xmlNode *parent, xmlNode *child);
/* A copy of what somebody else owns becomes the last child, and is returned. */
xmlNode *xml_add_copy(xmlNode *parent, const xmlNode *original);
xmlNode *xml_copy(const xmlNode *original);

char *xml_print(const xmlNode *node);

/* --- stanzas --- */
/* <name type= from= to= id=/> in NS_COMPONENT; what is NULL is left out. */
xmlNode *xml_stanza_new(const char *name, const char *type, const char *from, const char *to);
/* TRUE when a stanza was kept on its way (XEP-0203, XEP-0091); since when, in seconds since
 * 1970: the earliest that one can read, 0 when none can be read. */
gboolean xml_delay(const xmlNode *stanza, gint64 *stamp);
/* The answers to a request; the second with <error type="…"><condition/></error>
 * and, if `special` is not NULL, that element in `special_ns` beside it. */
xmlNode *xml_iq_result(const xmlNode *request);
typedef struct {
	const char *type;      /* "cancel", "modify", "wait", "auth" */
	const char *condition; /* "item-not-found" … */
	const char *special_ns, *special;
	const char *text; /* for a person, in English; NULL: none */
} XmlStanzaError;
xmlNode *xml_iq_error(const xmlNode *request, const XmlStanzaError *what);
/* The same for a message that goes nowhere. */
xmlNode *xml_message_error(const xmlNode *message, const XmlStanzaError *what);
/* What is in a stanza of type "error": pointers into the tree, NULL where absent.
 * FALSE when it is not such a stanza. */
gboolean xml_stanza_error(const xmlNode *stanza, XmlStanzaError *what);
