/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_name.c - names of callers, for the contact that a number is.
 *
 * A number that has called under a name has it in its presence (XEP-0172) and, beside
 * the number, in its vCard (XEP-0054).  Nothing of it outlives the process.
 */
#include "plugins/xmpp/xmpp_leg.h"

#define MAX_NAMES 4096 /* past it they begin anew */
#define NS_VCARD  "vcard-temp"

void
xmpp_names_remember(Xmpp *xmpp, const char *bare, const Address *caller)
{
	if (!caller->name || !*caller->name || caller->scheme == ADDRESS_ANONYMOUS)
		return;
	if (!xmpp->names)
		xmpp->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (g_hash_table_size(xmpp->names) >= MAX_NAMES)
		g_hash_table_remove_all(xmpp->names);
	g_hash_table_replace(xmpp->names, g_strdup(bare), g_strdup(caller->name));
}

void
xmpp_names_show(Xmpp *xmpp, xmlNode *presence)
{
	g_autoptr(Address) from = address_from_jid(xml_attribute(presence, "from"));
	g_autofree char *bare = from ? address_bare_jid(from) : NULL;
	const char *name = bare && xmpp->names ? g_hash_table_lookup(xmpp->names, bare) : NULL;

	if (name && !xml_attribute(presence, "type"))
		xml_add_text(xml_add(presence, NS_NICK, "nick"), name);
}

xmlNode *
xmpp_names_answer(Xmpp *xmpp, const xmlNode *iq, const Address *to)
{
	g_autofree char *bare = address_bare_jid(to);
	g_autoptr(Address) callee = xmpp_accounts_callee(xmpp->accounts, to);
	const char *name = xmpp->names ? g_hash_table_lookup(xmpp->names, bare) : NULL;
	xmlNode *result, *card, *number;

	if (g_strcmp0(xml_attribute(iq, "type"), "get") != 0 || !xml_child(iq, NS_VCARD, "vCard") ||
	    callee->scheme != ADDRESS_NUMBER)
		return NULL;
	result = xml_iq_result(iq);
	card = xml_add(result, NS_VCARD, "vCard");
	xml_add_text(xml_add(card, NULL, "FN"), name ? name : callee->user);
	number = xml_add(card, NULL, "TEL");
	xml_add(number, NULL, "VOICE");
	xml_add_text(xml_add(number, NULL, "NUMBER"), callee->user);
	return result;
}
