/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_desk.c - the gateway itself is written to: a chat with its domain, and its commands.
 *
 * What is meant, and by whom it may be done, is decided behind desk.h; here are stanzas alone.
 * XEP-0050, XEP-0030, XEP-0184; RFC 6121 section 5.2.
 */
#include "plugins/xmpp/im.h"
#include "plugins/xmpp/xmpp_caps.h"
#include "plugins/xmpp/xmpp_counters.h"
#include "plugins/xmpp/xmpp_form.h"
#include "plugins/xmpp/xmpp_leg.h"
#include "plugins/xmpp/xmpp_text.h"

#define MAX_AGE_S 300 /* what was kept longer on its way is no order any more */

/* A command whose answer is not there yet. */
typedef struct {
	Xmpp *xmpp;
	xmlNode *iq;
} Pending;

static void
pending_free(gpointer data)
{
	Pending *pending = data;

	xml_free(pending->iq);
	g_free(pending);
}

void
xmpp_desk_stop(Xmpp *xmpp)
{
	GHashTableIter iter;
	gpointer pending;

	desk_forget(xmpp->gateway, xmpp);
	if (!xmpp->commands)
		return;
	g_hash_table_iter_init(&iter, xmpp->commands);
	while (g_hash_table_iter_next(&iter, &pending, NULL))
		desk_forget(xmpp->gateway, pending);
	g_clear_pointer(&xmpp->commands, g_hash_table_unref);
}

/* --- chat --- */

/* It is on its way at once, and none of it is for an archive that holds a password. */
static void
say(Xmpp *xmpp, const char *to, const char *text, gboolean secret)
{
	xmlNode *message = xml_stanza_new("message", "chat", xmpp->domain, to);
	g_autofree char *id = g_uuid_string_random();

	xml_set(message, "id", id);
	xml_add_text(xml_add(message, NULL, "body"), text);
	if (secret) {
		xml_add(message, NS_HINTS, "no-permanent-store");
		xml_add(message, NS_HINTS, "no-copy");
	} else
		xml_add(message, NS_HINTS, "store");
	xmpp_send_whenever(xmpp, message);
}

static void
on_said(gpointer user, const char *device, const char *text, gboolean secret)
{
	say(user, device, text, secret);
}

static void
confirm(Xmpp *xmpp, const xmlNode *message, const char *device)
{
	const char *id = xml_attribute(message, "id");

	if (id && xml_child(message, NS_RECEIPTS, "request"))
		xmpp_component_send(xmpp, jmi_build_receipt(xmpp->domain, device, id));
}

static gboolean
is_late(const xmlNode *message)
{
	gint64 stamp;

	return xml_delay(message, &stamp) && xmpp_ring_age(stamp) > MAX_AGE_S;
}

gboolean
xmpp_desk_message(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	static const XmlStanzaError busy = { .type = "wait",
					     .condition = "resource-constraint",
					     .text = "Your message was not taken: others of yours "
						     "are still being answered. Write it again" };
	const char *device = xml_attribute(message, "from");
	g_autofree char *account = address_bare_jid(from), *text = NULL;

	if (to->user || !from->user || !(text = im_plain(message)) ||
	    !desk_serves(xmpp->gateway, account))
		return FALSE;
	confirm(xmpp, message, device);
	if (!xmpp_text_is_first(xmpp, message, account)) /* a password made twice is none */
		return TRUE;
	if (is_late(message))
		say(xmpp, device,
		    "Your message came late, and nothing was done. Write it again if it still "
		    "holds",
		    FALSE);
	else if (!desk_says(xmpp->gateway, &(DeskPerson){ account, device }, text, on_said, xmpp)) {
		xmpp_text_may_come_again(xmpp, message, account);
		xmpp_component_send(xmpp, xml_message_error(message, &busy));
	}
	return TRUE;
}

/* --- commands --- */

static void
on_page(gpointer user, const DeskPage *page)
{
	static const XmlStanzaError no_such = { .type = "cancel", .condition = "item-not-found" };
	static const XmlStanzaError no_session = { .type = "cancel",
						   .condition = "not-allowed",
						   .special_ns = NS_COMMANDS,
						   .special = "session-expired",
						   .text = "The form is too old; open it anew" };
	Pending *pending = user;
	xmlNode *answer;

	if (page->stage == DESK_NO_SUCH)
		answer = xml_iq_error(pending->iq, &no_such);
	else if (page->stage == DESK_NO_SESSION)
		answer = xml_iq_error(pending->iq, &no_session);
	else {
		answer = xml_iq_result(pending->iq);
		xml_adopt(answer, xmpp_command_build(page));
	}
	xmpp_component_send(pending->xmpp, answer);
	g_hash_table_remove(pending->xmpp->commands, pending);
}

static void
take_command(Xmpp *xmpp, const xmlNode *iq, const char *account, const xmlNode *node)
{
	static const XmlStanzaError bad = { .type = "modify",
					    .condition = "bad-request",
					    .special_ns = NS_COMMANDS,
					    .special = "bad-action" };
	g_autoptr(XmppCommand) command = xmpp_command_read(node);
	const DeskPerson person = { account, xml_attribute(iq, "from") };
	Pending *pending;

	if (!command) {
		xmpp_component_send(xmpp, xml_iq_error(iq, &bad));
		return;
	}
	if (!xmpp->commands)
		xmpp->commands = g_hash_table_new_full(NULL, NULL, pending_free, NULL);
	pending = g_new0(Pending, 1);
	pending->xmpp = xmpp;
	pending->iq = xml_copy(iq);
	g_hash_table_add(xmpp->commands, pending);
	desk_command(xmpp->gateway, &person,
		     &(DeskInput){ .node = command->node,
				   .session = command->session,
				   .action = command->action,
				   .names = command->names,
				   .values = command->values },
		     on_page, pending);
}

static void
add_item(gpointer user, const DeskCommand *command)
{
	xmlNode *query = user, *item = xml_add(query, NULL, "item");

	xml_set(item, "node", command->node);
	xml_set(item, "name", command->name);
}

/* XEP-0050 2.2: what commands there are, for the one who asks. */
static void
answer_items(Xmpp *xmpp, const xmlNode *iq, const DeskPerson *person)
{
	xmlNode *result = xml_iq_result(iq), *query = xml_add(result, NS_DISCO_ITEMS, "query");

	xml_set(query, "node", NS_COMMANDS);
	desk_commands(xmpp->gateway, person, NULL, add_item, query);
	for (xmlNode *item = xml_child(query, NULL, "item"); item;
	     item = xml_next(item, NULL, "item"))
		xml_set(item, "jid", xmpp->domain);
	xmpp_component_send(xmpp, result);
}

static void
add_command(gpointer user, const DeskCommand *command)
{
	xmpp_caps_add_identity(user, "automation", "command-node", command->name);
}

/* XEP-0050 2.3; FALSE: no node of commands. */
static gboolean
answer_info(Xmpp *xmpp, const xmlNode *iq, const DeskPerson *person, const char *node)
{
	g_autoptr(xmlNode) result = xml_iq_result(iq);
	xmlNode *query = xml_add(result, NS_DISCO_INFO, "query");

	xml_set(query, "node", node);
	if (g_str_equal(node, NS_COMMANDS))
		xmpp_caps_add_identity(query, "automation", "command-list", "Commands");
	else
		desk_commands(xmpp->gateway, person, node, add_command, query);
	if (!xml_child(query, NULL, "identity"))
		return FALSE;
	xml_set(xml_add(query, NULL, "feature"), "var", NS_COMMANDS);
	xml_set(xml_add(query, NULL, "feature"), "var", NS_DATA);
	xmpp_component_send(xmpp, g_steal_pointer(&result));
	return TRUE;
}

gboolean
xmpp_desk_iq(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to)
{
	static const XmlStanzaError forbidden = { .type = "auth", .condition = "forbidden" };
	const xmlNode *child = xml_child(iq, NULL, NULL);
	const char *node = xml_attribute(child, "node");
	gboolean is_command = xml_is(child, NS_COMMANDS, "command");
	guint failures = store_failures(gateway_store(xmpp->gateway));
	g_autofree char *account = NULL;
	DeskPerson person;

	if (to->user || !node ||
	    (!is_command && !xml_is(child, NS_DISCO_ITEMS, "query") &&
	     !xml_is(child, NS_DISCO_INFO, "query")))
		return FALSE;
	account = address_bare_jid(from);
	person = (DeskPerson){ account, xml_attribute(iq, "from") };
	if (!from->user || !desk_serves(xmpp->gateway, account)) {
		if (!is_command || gateway_unread_since(xmpp->gateway, failures))
			return FALSE; /* the caller sees that it is unread, too */
		xmpp_component_send(xmpp, xml_iq_error(iq, &forbidden));
		return TRUE;
	}
	if (is_command && g_strcmp0(xml_attribute(iq, "type"), "set") == 0)
		take_command(xmpp, iq, account, child);
	else if (is_command)
		return FALSE;
	else if (xml_is(child, NS_DISCO_ITEMS, "query") && g_str_equal(node, NS_COMMANDS))
		answer_items(xmpp, iq, &person);
	else
		return xml_is(child, NS_DISCO_INFO, "query") &&
		       answer_info(xmpp, iq, &person, node);
	return TRUE;
}
