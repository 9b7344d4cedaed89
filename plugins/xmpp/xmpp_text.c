/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_text.c - chat that goes nowhere: whoever wrote it is told so in words, since his
 * client would show it as sent.
 *
 * What is no text (typing, markers, receipts) is passed over, as are errors and
 * headlines, which want no answer.
 * RFC 6120 section 8.3, RFC 6121 sections 5.2.2 and 8.5.
 */
#include "plugins/xmpp/xmpp_counters.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

/* Elements that stand for what somebody wrote, or has put there. */
static const struct {
	const char *ns, *name, *child; /* NULL: any child or none */
} CONTENTS[] = {
	{ NULL, "subject", NULL },
	{ "eu.siacs.conversations.axolotl", "encrypted", "payload" },
	{ "urn:xmpp:omemo:2", "encrypted", "payload" },
	{ "urn:xmpp:openpgp:0", "openpgp", NULL },
	{ "jabber:x:encrypted", "x", NULL },
	{ "jabber:x:oob", "x", NULL },
	{ "urn:xmpp:sfs:0", "file-sharing", NULL },
	{ "urn:xmpp:reactions:0", "reactions", NULL },
};

static gboolean
has_content(const xmlNode *message)
{
	const xmlNode *body = xml_child(message, NULL, "body");
	g_autofree char *text = body ? xml_text(body) : NULL;

	if (text && *text)
		return TRUE;
	for (guint i = 0; i < G_N_ELEMENTS(CONTENTS); i++) {
		const char *ns = CONTENTS[i].ns ? CONTENTS[i].ns : xml_ns(message);
		const xmlNode *child = xml_child(message, ns, CONTENTS[i].name);

		if (child && (!CONTENTS[i].child || xml_child(child, NULL, CONTENTS[i].child)))
			return TRUE;
	}
	return FALSE;
}

char *
xmpp_text_plain(const xmlNode *message)
{
	const xmlNode *body = xml_child(message, NULL, "body");
	g_autofree char *text = body ? xml_text(body) : NULL;

	for (guint i = 0; i < G_N_ELEMENTS(CONTENTS); i++)
		if (strstr(CONTENTS[i].name, "crypt") || strstr(CONTENTS[i].ns ?: "", "pgp") ||
		    strstr(CONTENTS[i].ns ?: "", "encrypted"))
			if (xml_child(message, CONTENTS[i].ns, CONTENTS[i].name))
				return NULL;
	return text && *text ? g_steal_pointer(&text) : NULL;
}

typedef enum { STRANGER, NO_ROOM, NO_NUMBER, GATEWAY, IN_CALL, CALLS_ONLY, N_WHYS } Why;

static const XmlStanzaError WHYS[N_WHYS] = {
	[STRANGER] = { .type = "cancel",
		       .condition = "service-unavailable",
		       .text = "This gateway serves its own users only" },
	[NO_ROOM] = { .type = "cancel",
		      .condition = "service-unavailable",
		      .text = "There are no chat rooms at the telephone gateway" },
	[NO_NUMBER] = { .type = "cancel",
			.condition = "item-not-found",
			.text = "Your message was not sent: this is no telephone number. Write one "
				"with + and its country, as in +15555550123" },
	[GATEWAY] = { .type = "cancel",
		      .condition = "service-unavailable",
		      .text = "Your message was not sent: this is the telephone gateway itself, "
			      "where nobody reads it" },
	[IN_CALL] = { .type = "cancel",
		      .condition = "service-unavailable",
		      .text = "Your message was not sent: during a call only digits are passed on, "
			      "as keys" },
	[CALLS_ONLY] = { .type = "cancel",
			 .condition = "service-unavailable",
			 .text = "Your message was not sent: telephone numbers can be called here, "
				 "but take no text messages" },
};

static Why
why(const Xmpp *xmpp, const Address *from, const Address *to)
{
	g_autoptr(Address) callee = address_new(ADDRESS_JID, to->user, to->host, NULL);
	g_autofree char *bare = address_bare_jid(from);

	if (!to->user)
		return GATEWAY;
	if (!xmpp_accounts_is_ours(xmpp->accounts, callee, from))
		return NO_NUMBER;
	return xmpp_find_talking(xmpp, bare, to) ? IN_CALL : CALLS_ONLY;
}

/* RFC 6121 8.5.2.1: a headline that nobody takes is dropped; an error never has an answer
 * (RFC 6120 8.3.1). */
static gboolean
wants_answer(const xmlNode *message)
{
	const char *type = xml_attribute(message, "type");

	if (g_strcmp0(type, "headline") == 0 || g_strcmp0(type, "error") == 0)
		return FALSE;
	return g_strcmp0(type, "groupchat") == 0 || has_content(message);
}

/* A chat message that answers a question of the gateway's own. */
gboolean
xmpp_text_answers(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	const xmlNode *body = xml_child(message, NULL, "body");
	const char *type = xml_attribute(message, "type");
	g_autofree char *text = body ? xml_text(body) : NULL;
	g_autofree char *bare = NULL, *account = NULL;
	g_autoptr(Address) chat = NULL;

	if (!text || g_strcmp0(type, "groupchat") == 0 || g_strcmp0(type, "headline") == 0 ||
	    g_strcmp0(type, "error") == 0)
		return FALSE;
	bare = address_bare_jid(from);
	account = g_utf8_strdown(bare, -1);
	chat = to->user ? xmpp_accounts_callee(xmpp->accounts, to) : address_copy(to);
	return account_answers(xmpp->gateway, account, chat, text);
}

void
xmpp_text_refuse(Xmpp *xmpp, const xmlNode *message, const Address *from, const Address *to)
{
	gboolean is_room = g_strcmp0(xml_attribute(message, "type"), "groupchat") == 0;

	if (!wants_answer(message))
		return;
	xmpp_count(COUNTER_XMPP_TEXTS_REFUSED);
	xmpp_send(xmpp, xml_message_error(message, &WHYS[is_room ? NO_ROOM : why(xmpp, from, to)]));
}

void
xmpp_text_stranger(Xmpp *xmpp, const xmlNode *message)
{
	if (wants_answer(message))
		xmpp_send(xmpp, xml_message_error(message, &WHYS[STRANGER]));
}
