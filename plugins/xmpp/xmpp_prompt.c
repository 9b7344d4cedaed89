/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_prompt.c - what clients ask of a gateway by the ways that are older than commands: "how
 * do you write this contact's address?" and "make me an account".
 *
 * jabber:iq:gateway (XEP-0100 section 6.3) and jabber:iq:register (XEP-0077).
 * Both are asked of the domain, and answered to users; others are told why not.
 */
#include "b2bua/route/route.h"
#include "plugins/xmpp/xmpp_leg.h"
#include <string.h>

#define EXAMPLE	   "as in +15555550123"
#define MAX_PROMPT 1000 /* bytes; RFC 7622 allows 1023 of a local part */

static const XmlStanzaError stranger = { .type = "auth",
					 .condition = "forbidden",
					 .text = "This gateway serves its own users only. Its "
						 "operator makes their accounts" };

static xmlNode *
fault(const xmlNode *iq, const char *condition, const char *text)
{
	const XmlStanzaError error = { .type = "modify", .condition = condition, .text = text };

	return xml_iq_error(iq, &error);
}

/* --- jabber:iq:gateway --- */

static xmlNode *
ask(const xmlNode *iq)
{
	xmlNode *result = xml_iq_result(iq), *query = xml_add(result, NS_GATEWAY, "query");

	xml_add_text(xml_add(query, NULL, "desc"),
		     "Write the telephone number with + and its country, " EXAMPLE
		     ", or as it is dialled in your country.");
	xml_add_text(xml_add(query, NULL, "prompt"), "Telephone number");
	return result;
}

/* What he wrote as an address that is called from here, or NULL. */
static Address *
written(const Xmpp *xmpp, const char *account, const char *text)
{
	g_autofree char *number = NULL, *bare = NULL;
	g_autoptr(Address) dialled = address_new(ADDRESS_JID, text, xmpp->domain, NULL);
	g_autoptr(Address) elsewhere = NULL, local = NULL;

	number = route_called_number(xmpp->gateway, account, dialled);
	if (number)
		return address_new(ADDRESS_JID, number, xmpp->domain, NULL);
	if (!strchr(text, '@'))
		return NULL;
	elsewhere = address_new(ADDRESS_SIP, text, NULL, NULL);
	bare = xmpp_local_of(xmpp, elsewhere);
	return address_from_jid(bare);
}

static xmlNode *
no_number(const Xmpp *xmpp, const xmlNode *iq, const char *account, const char *text)
{
	g_autofree char *words = NULL;

	if (route_lacks_country(xmpp->gateway, account, text))
		return fault(iq, "not-acceptable",
			     "Write the number with + and its country, " EXAMPLE
			     ", or have your country set");
	words = g_strdup_printf(
		"\"%s\" is no telephone number. Write it with + and its country, " EXAMPLE, text);
	return fault(iq, "item-not-found", words);
}

static xmlNode *
give_jid(const Xmpp *xmpp, const xmlNode *iq, const xmlNode *query, const char *account)
{
	const xmlNode *prompt = xml_child(query, NS_GATEWAY, "prompt");
	g_autofree char *text = prompt ? xml_text(prompt) : g_strdup(""), *jid = NULL;
	g_autoptr(Address) address = NULL;
	xmlNode *result;

	if (!*text || strlen(text) > MAX_PROMPT)
		return fault(iq, "bad-request",
			     "Write a telephone number with + and its country, " EXAMPLE);
	address = written(xmpp, account, text);
	if (!address)
		return no_number(xmpp, iq, account, text);
	if (!route_dialable(xmpp->gateway, account, address))
		return fault(iq, "item-not-found", "This address cannot be called from here");
	jid = address_bare_jid(address);
	result = xml_iq_result(iq);
	xml_add_text(xml_add(xml_add(result, NS_GATEWAY, "query"), NULL, "jid"), jid);
	return result;
}

/* --- jabber:iq:register --- */

#define BY_OPERATOR "Accounts at this gateway are made, changed and removed by its operator"

static xmlNode *
describe_account(const Xmpp *xmpp, const xmlNode *iq, const char *account)
{
	g_autoptr(User) user = store_user_get(gateway_store(xmpp->gateway), account, NULL);
	g_autoptr(GString) words = g_string_new("You are a user of this telephone gateway. ");
	xmlNode *result = xml_iq_result(iq), *query = xml_add(result, NS_REGISTER, "query");
	xmlNode *form, *field;

	xml_add(query, NULL, "registered");
	if (user && user->caller_id)
		g_string_append_printf(words, "Your number is %s. ", user->caller_id);
	g_string_append(words, BY_OPERATOR ".");
	xml_add_text(xml_add(query, NULL, "instructions"), words->str);
	/* Gajim shows nothing of an answer without a form */
	form = xml_add(query, NS_DATA, "x");
	xml_set(form, "type", "form");
	xml_add_text(xml_add(form, NULL, "title"), "Telephone gateway");
	xml_add_text(xml_add(form, NULL, "instructions"), words->str);
	field = xml_add(form, NULL, "field");
	xml_set(field, "var", "FORM_TYPE");
	xml_set(field, "type", "hidden");
	xml_add_text(xml_add(field, NULL, "value"), NS_REGISTER);
	return result;
}

static xmlNode *
answer_register(const Xmpp *xmpp, const xmlNode *iq, const char *account)
{
	static const XmlStanzaError not_by_you = { .type = "cancel",
						   .condition = "not-allowed",
						   .text = BY_OPERATOR };

	return strcmp(xml_attribute(iq, "type"), "get") == 0 ? describe_account(xmpp, iq, account)
							     : xml_iq_error(iq, &not_by_you);
}

xmlNode *
xmpp_prompt_answer(Xmpp *xmpp, const xmlNode *iq, const Address *from, const Address *to)
{
	const xmlNode *prompt = xml_child(iq, NS_GATEWAY, "query");
	const xmlNode *account = xml_child(iq, NS_REGISTER, "query");
	g_autofree char *bare = address_bare_jid(from);

	if (to->user || (!prompt && !account))
		return NULL;
	if (!xmpp_accounts_is_user(xmpp->accounts, from))
		return xml_iq_error(iq, &stranger);
	if (account)
		return answer_register(xmpp, iq, bare);
	return strcmp(xml_attribute(iq, "type"), "get") == 0 ? ask(iq)
							     : give_jid(xmpp, iq, prompt, bare);
}
