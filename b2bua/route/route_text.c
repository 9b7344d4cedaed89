/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_text.c - see route_text.h; who an address stands for is told by route.c. */
#include "b2bua/route/route_text.h"
#include <string.h>
#include "b2bua/route/route_private.h"
#include "b2bua/route/way_out.h"

#define MAX_PHONES 16 /* of a user that get a text */

static void
text_way_free(gpointer data)
{
	TextWay *way = data;

	g_free(way->key);
	g_free(way->account);
	address_free(way->from);
	address_free(way->to);
	g_free(way);
}

void
text_route_free(TextRoute *route)
{
	if (!route)
		return;
	g_ptr_array_unref(route->ways);
	g_free(route->author);
	g_free(route->addressee);
	g_free(route->trunk);
	address_free(route->author_seen);
	address_free(route->peer);
	g_free(route);
}

static TextRoute *
refuse(Question *question, Reason reason, const char *text)
{
	question->reason = reason;
	question->text = text;
	return NULL;
}

static TextRoute *
text_route_new(const char *direction)
{
	TextRoute *route = g_new0(TextRoute, 1);

	route->ways = g_ptr_array_new_with_free_func(text_way_free);
	route->direction = direction;
	return route;
}

/* Takes `to`. */
static void
add_way(TextRoute *route, WayKind kind, const char *key, const char *account, const Address *from,
	Address *to)
{
	TextWay *way = g_new0(TextWay, 1);

	way->kind = kind;
	way->key = g_strdup(key);
	way->account = g_strdup(account);
	way->from = address_copy(from);
	way->to = to;
	g_ptr_array_add(route->ways, way);
}

/* --- to a user --- */

static void
add_phones(Gateway *gateway, TextRoute *route, const User *user)
{
	g_autoptr(GPtrArray) phones = NULL;

	if (!gateway_carrying(gateway, WAY_CONTACT))
		return;
	phones = store_softphone_list(gateway_store(gateway), user->jid, NULL);
	for (guint i = 0; phones && i < MIN(phones->len, MAX_PHONES); i++) {
		const Softphone *phone = phones->pdata[i];

		add_way(route, WAY_CONTACT, phone->username, user->jid, route->author_seen,
			address_new(ADDRESS_SIP, phone->username,
				    gateway_config(gateway)->sip_domain, NULL));
	}
}

static TextRoute *
to_user(Question *question, TextRoute *made, const User *user)
{
	Gateway *gateway = question->gateway;
	g_autoptr(TextRoute) route = made;

	route->addressee = g_strdup(user->jid);
	if (route_blocks(question, user, route->author_seen)) {
		route->blocked = TRUE;
		return g_steal_pointer(&route);
	}
	if (gateway_carrying(gateway, WAY_ACCOUNT))
		add_way(route, WAY_ACCOUNT, "", user->jid, route->author_seen,
			address_from_jid(user->jid));
	add_phones(gateway, route, user);
	if (route->ways->len == 0)
		return refuse(question, REASON_UNREACHABLE, "texts to users are not carried here");
	return g_steal_pointer(&route);
}

/* --- by an account --- */

static TextRoute *
to_trunk(Question *question, TextRoute *made, const User *author, const char *number)
{
	g_autoptr(TextRoute) route = made;
	g_autoptr(WayOut) way = way_out_text(question->gateway, author->jid, number);
	const Trunk *trunk;

	if (way->reason != REASON_NONE)
		return refuse(question, way->reason, way->text);
	trunk = way->trunks->pdata[0];
	route->direction = "out";
	route->trunk = g_strdup(trunk->name);
	add_way(route, WAY_TRUNK, trunk->name, author->jid, route->author_seen,
		route_number_at(trunk, number));
	return g_steal_pointer(&route);
}

/* "33733": it may be texted, whether or not it can be called. */
static char *
short_code(const Address *to)
{
	gsize length = to->user ? strspn(to->user, "0123456789") : 0;

	return length >= TEXT_LEAST_CODE && length <= TEXT_MOST_CODE && to->user[length] == '\0'
		       ? g_strdup(to->user)
		       : NULL;
}

static char *
written_number(Gateway *gateway, const char *account, const Address *to)
{
	char *number = route_called_number(gateway, account, to);

	if (!number)
		number = short_code(to);
	if (number && strpbrk(number, "*#"))
		g_clear_pointer(&number, g_free);
	return number;
}

gboolean
route_device_is_softphone(const char *device)
{
	return device && *device && !strchr(device, '@');
}

static void
add_copy(Question *question, TextRoute *route, const TextIn *text)
{
	if (!route_device_is_softphone(text->device) ||
	    g_strcmp0(route->author, route->addressee) == 0 ||
	    !gateway_carrying(question->gateway, WAY_ACCOUNT))
		return;
	add_way(route, WAY_ACCOUNT, "", route->author, route->peer,
		address_from_jid(route->author));
	((TextWay *)route->ways->pdata[route->ways->len - 1])->copy = TRUE;
}

static TextRoute *
by_account(Question *question, const TextIn *text)
{
	Gateway *gateway = question->gateway;
	Store *store = gateway_store(gateway);
	g_autoptr(User) author = store_user_get(store, text->account, NULL), user = NULL;
	g_autofree char *number = NULL, *own = NULL;
	g_autoptr(TextRoute) route = NULL;

	if (!author || !author->enabled)
		return refuse(question, REASON_FORBIDDEN, "you have no account here");
	user = route_user_by_softphone(gateway, text->to);
	if (!user)
		user = route_user_by_jid(gateway, text->to);
	number = user ? NULL : written_number(gateway, author->jid, text->to);
	if (!user && !number)
		return refuse(question, REASON_NOT_FOUND, "not a telephone number");
	if (!user)
		user = store_user_by_number(store, number, NULL);
	if (user && !user->enabled)
		return refuse(question, REASON_NOT_FOUND,
			      "the account of that user is switched off");
	own = route_calling_number(question, author);
	if (!own)
		return refuse(question, REASON_FORBIDDEN,
			      "your account has no number to write from");
	route = text_route_new("internal");
	route->author = g_strdup(author->jid);
	route->author_seen = route_number_here(gateway, own);
	route->peer = number ? route_number_here(gateway, number) : address_copy(text->to);
	route = user ? to_user(question, g_steal_pointer(&route), user)
		     : to_trunk(question, g_steal_pointer(&route), author, number);
	if (route)
		add_copy(question, route, text);
	return g_steal_pointer(&route);
}

/* --- by a trunk --- */

static TextRoute *
by_trunk(Question *question, const TextIn *text)
{
	Store *store = gateway_store(question->gateway);
	g_autoptr(Trunk) trunk = store_trunk_get(store, text->trunk, NULL);
	g_autoptr(Address) hidden = NULL;
	g_autofree char *number = NULL;
	g_autoptr(User) user = NULL;
	TextRoute *route;

	if (!trunk || !trunk->enabled)
		return refuse(question, REASON_FORBIDDEN, "no such trunk");
	if (!trunk_takes_texts(trunk))
		return refuse(question, REASON_FORBIDDEN, "no texts are taken from this trunk");
	number = text->to->user ? route_called_by_trunk(trunk, text->to) : NULL;
	user = number ? store_user_by_number(store, number, NULL) : NULL;
	if (!user || !user->enabled)
		return refuse(question, REASON_NOT_FOUND, NULL);
	question->country = route_country_of(trunk);
	if (text->hidden)
		hidden = route_caller_from(question->country, text->hidden);
	question->hidden = hidden;
	route = text_route_new("in");
	route->trunk = g_strdup(trunk->name);
	route->author_seen = route_caller_from(question->country, text->from);
	route->peer = route_number_here(question->gateway, number);
	route = to_user(question, route, user);
	question->hidden = NULL;
	return route;
}

TextRoute *
route_text(Gateway *gateway, const TextIn *text, Reason *reason, const char **words)
{
	Incoming incoming = { .from = text->from,
			      .to = text->to,
			      .trunk = text->trunk,
			      .preferred = text->account && text->from->scheme == ADDRESS_NUMBER
						   ? text->from->user
						   : NULL,
			      .hidden = text->hidden,
			      .identities = text->identities };
	Question question = { .gateway = gateway,
			      .from = text->from,
			      .to = text->to,
			      .caller_trunk = text->trunk,
			      .incoming = &incoming };
	TextRoute *route = text->trunk ? by_trunk(&question, text) : by_account(&question, text);

	*reason = question.reason;
	*words = question.text;
	return route;
}

gboolean
route_text_is_for_help(Gateway *gateway, const TextIn *text)
{
	g_autofree char *country = text->account ? user_country(gateway, text->account) : NULL;
	g_autofree char *written = text->to->user ? number_unescape(text->to->user) : NULL;

	return text->account && written && number_is_emergency(written, country);
}
