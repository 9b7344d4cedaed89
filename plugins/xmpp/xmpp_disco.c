/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_disco.c - answers from the tables of xmpp_caps.c, and the cache. */
#include "config.h"
#include "plugins/xmpp/xmpp_disco.h"
#include "plugins/xmpp/xmpp_caps.h"
#include <string.h>

#define CACHE_MAX 512 /* distinct hashes; past it the cache begins anew */

struct XmppDisco {
	XmppIq *iq;
	char *node; /* of our caps */
	const XmppEntity *number, *domain;
	char *number_hash, *domain_hash;
	GHashTable *cache; /* hash → XmppCan */
};

typedef struct {
	XmppDisco *disco;
	char *jid, *ver;
	XmppDiscoDone done;
	gpointer user;
} Question;

XmppDisco *
xmpp_disco_new(const char *domain, XmppIq *iq, gboolean services)
{
	XmppDisco *disco = g_new0(XmppDisco, 1);

	disco->iq = iq;
	disco->node = g_strdup_printf("https://%s/caps", domain);
	disco->number = services ? &xmpp_caps_number_services : &xmpp_caps_number;
	disco->domain = services ? &xmpp_caps_domain_services : &xmpp_caps_domain;
	disco->number_hash = xmpp_caps_own_hash(disco->number);
	disco->domain_hash = xmpp_caps_own_hash(disco->domain);
	disco->cache = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return disco;
}

void
xmpp_disco_free(XmppDisco *disco)
{
	if (!disco)
		return;
	g_hash_table_unref(disco->cache);
	g_free(disco->node);
	g_free(disco->number_hash);
	g_free(disco->domain_hash);
	g_free(disco);
}

xmlNode *
xmpp_disco_caps(const XmppDisco *disco, gboolean is_domain)
{
	return xmpp_caps_element(disco->node, is_domain ? disco->domain_hash : disco->number_hash);
}

static gboolean
is_domain(const xmlNode *iq)
{
	const char *to = xml_attribute(iq, "to");

	return !to || !strchr(to, '@');
}

/* XEP-0030 3.2, XEP-0115 6.2: there are no nodes but the one of our capabilities. */
static gboolean
has_node(const XmppDisco *disco, const xmlNode *iq, const xmlNode *query)
{
	const char *node = xml_attribute(query, "node");
	const char *hash = is_domain(iq) ? disco->domain_hash : disco->number_hash;
	g_autofree char *ours = g_strconcat(disco->node, "#", hash, NULL);

	return !node || !*node ||
	       (xml_is(query, NS_DISCO_INFO, "query") &&
		(g_str_equal(node, ours) || g_str_equal(node, disco->node)));
}

static xmlNode *
answer_info(const XmppDisco *disco, const xmlNode *iq, const xmlNode *query)
{
	xmlNode *result = xml_iq_result(iq);
	const XmppEntity *entity = is_domain(iq) ? disco->domain : disco->number;

	xml_adopt(result, xmpp_caps_query(entity, xml_attribute(query, "node")));
	return result;
}

static xmlNode *
answer_version(const xmlNode *iq)
{
	xmlNode *result = xml_iq_result(iq);
	xmlNode *query = xml_add(result, NS_VERSION, "query");

	xml_add_text(xml_add(query, NULL, "name"), "tandem");
	xml_add_text(xml_add(query, NULL, "version"), PACKAGE_VERSION);
	return result;
}

static xmlNode *
answer_items(const xmlNode *iq, const xmlNode *query)
{
	xmlNode *result = xml_iq_result(iq);

	xml_set(xml_add(result, NS_DISCO_ITEMS, "query"), "node", xml_attribute(query, "node"));
	return result;
}

xmlNode *
xmpp_disco_answer(const XmppDisco *disco, const xmlNode *iq, gboolean known)
{
	static const XmlStanzaError unknown = { .type = "cancel", .condition = "item-not-found" };
	gboolean asks_node;
	const xmlNode *query;

	if (g_strcmp0(xml_attribute(iq, "type"), "get") != 0)
		return NULL;
	query = xml_child(iq, NULL, NULL);
	if (!xml_is(query, NS_DISCO_INFO, "query") && !xml_is(query, NS_DISCO_ITEMS, "query") &&
	    !xml_is(query, NS_PING, "ping") && !xml_is(query, NS_VERSION, "query"))
		return NULL;
	asks_node = xml_is(query, NS_DISCO_INFO, "query") || xml_is(query, NS_DISCO_ITEMS, "query");
	if (!known || (asks_node && !has_node(disco, iq, query)))
		return xml_iq_error(iq, &unknown);
	if (xml_is(query, NS_DISCO_INFO, "query"))
		return answer_info(disco, iq, query);
	if (xml_is(query, NS_DISCO_ITEMS, "query"))
		return answer_items(iq, query);
	if (xml_is(query, NS_VERSION, "query"))
		return answer_version(iq);
	return xml_iq_result(iq);
}

/* --- what a peer can --- */

static void
remember(XmppDisco *disco, const char *ver, const xmlNode *query, guint can)
{
	g_autofree char *hash = ver ? xmpp_caps_hash(query) : NULL;

	/* XEP-0115 5.4: what does not hash to what was said is true of him alone. */
	if (!hash || !g_str_equal(hash, ver))
		return;
	if (g_hash_table_size(disco->cache) >= CACHE_MAX)
		g_hash_table_remove_all(disco->cache);
	g_hash_table_insert(disco->cache, g_strdup(ver), GUINT_TO_POINTER(can));
}

static void
on_info(gpointer user, const xmlNode *answer)
{
	Question *question = user;
	const xmlNode *query = xml_child(answer, NS_DISCO_INFO, "query");
	guint can = 0;

	if (query && g_strcmp0(xml_attribute(answer, "type"), "result") == 0) {
		can = xmpp_caps_read(query) | XMPP_CAN_TELL;
		remember(question->disco, question->ver, query, can);
	}
	question->done(question->user, question->jid, can);
	g_free(question->jid);
	g_free(question->ver);
	g_free(question);
}

void
xmpp_disco_ask(XmppDisco *disco, const char *us, const xmlNode *presence, XmppDiscoDone done,
	       gpointer user)
{
	const char *from = xml_attribute(presence, "from"), *node = NULL, *ver = NULL;
	gpointer can;
	Question *question;
	xmlNode *iq, *query;

	if (xmpp_caps_of_presence(presence, &node, &ver) &&
	    g_hash_table_lookup_extended(disco->cache, ver, NULL, &can)) {
		done(user, from, GPOINTER_TO_UINT(can));
		return;
	}
	question = g_new0(Question, 1);
	question->disco = disco;
	question->jid = g_strdup(from);
	question->ver = g_strdup(ver);
	question->done = done;
	question->user = user;
	iq = xml_stanza_new("iq", "get", us, from);
	query = xml_add(iq, NS_DISCO_INFO, "query");
	if (node && ver) {
		g_autofree char *asked = g_strconcat(node, "#", ver, NULL);

		xml_set(query, "node", asked);
	}
	xmpp_iq_send(disco->iq, iq, on_info, question);
}
