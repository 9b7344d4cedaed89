/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_name.c - names of callers, for the contact that a number is, and its picture.
 *
 * A number that has called under a name has it in its presence (XEP-0172) and, beside
 * the number, in its vCard (XEP-0054).  Nothing of it outlives the process.  The picture is
 * the same of all (XEP-0153).
 */
#include "b2bua/number.h"
#include "plugins/xmpp/xmpp_avatar.h"
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

#define MAX_NAMES 4096 /* past it they begin anew */

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
	g_autoptr(Address) from = NULL;
	g_autofree char *bare = NULL;
	const char *name;

	if (xml_attribute(presence, "type"))
		return;
	from = address_from_jid(xml_attribute(presence, "from"));
	bare = from ? address_bare_jid(from) : NULL;
	name = bare && xmpp->names ? g_hash_table_lookup(xmpp->names, bare) : NULL;
	if (name)
		xml_add_text(xml_add(presence, NS_NICK, "nick"), name);
	xml_add_text(xml_add(xml_add(presence, NS_PHOTO, "x"), NULL, "photo"), XMPP_AVATAR_SHA1);
}

static void
add_number(xmlNode *card, const char *text)
{
	xmlNode *number = xml_add(card, NULL, "TEL");

	xml_add(number, NULL, "VOICE");
	xml_add_text(xml_add(number, NULL, "NUMBER"), text);
}

static void
add_photo(xmlNode *card)
{
	xmlNode *photo = xml_add(card, NULL, "PHOTO");

	xml_add_text(xml_add(photo, NULL, "TYPE"), XMPP_AVATAR_TYPE);
	xml_add_text(xml_add(photo, NULL, "BINVAL"), xmpp_avatar);
}

/* The address that opens a call, or a chat, in other programs. */
static void
add_url(xmlNode *card, const Xmpp *xmpp, const Address *to, const Address *callee)
{
	g_autofree char *url = NULL;

	if (!to->user)
		url = g_strconcat("xmpp:", xmpp->domain, NULL);
	else if (callee->scheme == ADDRESS_NUMBER)
		url = g_strconcat("tel:", callee->user, NULL);
	if (url)
		xml_add_text(xml_add(card, NULL, "URL"), url);
}

/* How somebody of ours is called: the gateway, a number, a name. */
static char *
full_name(const Xmpp *xmpp, const Address *to, const Address *callee)
{
	g_autofree char *bare = address_bare_jid(to);
	const char *name = xmpp->names ? g_hash_table_lookup(xmpp->names, bare) : NULL;

	if (name)
		return g_strdup(name);
	if (!to->user)
		return g_strdup(xmpp_caps_domain.name);
	return callee->scheme == ADDRESS_NUMBER ? g_strdup(callee->user)
						: number_unescape(callee->user);
}

xmlNode *
xmpp_names_answer(Xmpp *xmpp, const xmlNode *iq, const Address *to)
{
	g_autoptr(Address) callee = xmpp_accounts_callee(xmpp->accounts, to);
	g_autofree char *name = NULL;
	xmlNode *result, *card;

	if (g_strcmp0(xml_attribute(iq, "type"), "get") != 0 || !xml_child(iq, NS_VCARD, "vCard"))
		return NULL;
	name = full_name(xmpp, to, callee);
	result = xml_iq_result(iq);
	card = xml_add(result, NS_VCARD, "vCard");
	xml_add_text(xml_add(card, NULL, "FN"), name);
	if (callee->scheme == ADDRESS_NUMBER)
		add_number(card, callee->user);
	add_url(card, xmpp, to, callee);
	add_photo(card);
	return result;
}

/* --- who a caller is here --- */

/* XEP-0106, for what is a caller's name to others and no local part to us. */
static char *
escape_local(const char *user)
{
	GString *escaped = g_string_new(NULL);

	for (const char *c = user; *c; c++) {
		if (strchr(" \"&'/:<>@\\", *c) || (guchar)*c < 0x20)
			g_string_append_printf(escaped, "\\%02x", (guchar)*c);
		else
			g_string_append_c(escaped, *c);
	}
	return g_string_free(escaped, FALSE);
}

/* A SIP address that may be called back at its own host; digits are a number that its
 * telephone network writes so. */
static gboolean
is_elsewhere(const Xmpp *xmpp, const Address *from)
{
	const Config *config = gateway_config(xmpp->gateway);

	return from->scheme == ADDRESS_SIP && from->host &&
	       from->user[strspn(from->user, "+0123456789*#")] &&
	       g_ascii_strcasecmp(from->host, xmpp->domain) != 0 &&
	       g_strcmp0(from->host, config->sip_domain) != 0 &&
	       g_strcmp0(from->host, config->sip_address) != 0;
}

char *
xmpp_local_of(const Xmpp *xmpp, const Address *from)
{
	g_autofree char *text = NULL, *escaped = NULL;

	/* one of our own JIDs already */
	if (from->scheme == ADDRESS_JID && g_ascii_strcasecmp(from->host, xmpp->domain) == 0)
		return address_bare_jid(from);
	if (from->scheme == ADDRESS_ANONYMOUS || !from->user || !*from->user)
		text = g_strdup("anonymous");
	else if (from->scheme == ADDRESS_JID || is_elsewhere(xmpp, from))
		text = address_bare_jid(from);
	else
		text = g_strdup(from->user);
	escaped = escape_local(text);
	return g_strconcat(escaped, "@", xmpp->domain, NULL);
}
