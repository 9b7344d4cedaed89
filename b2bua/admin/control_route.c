/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_route.c - rules for calls out, and what would become of one. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/country.h"
#include "b2bua/route/dial_uri.h"
#include "b2bua/number.h"
#include "b2bua/route/way_out.h"
#include "b2bua/words.h"

/* --- the keys of keys.h --- */

static gboolean
route_trunks(Request *request, gpointer user, const Pair *pair, GError **error)
{
	RouteRule *rule = user;
	g_auto(GStrv) names = g_strsplit(pair->value, " ", -1);

	for (char **name = names; *name; name++) {
		g_autoptr(Trunk) trunk = store_trunk_get(request->store, *name, error);

		if (!trunk)
			return FALSE;
	}
	g_free(rule->trunks);
	rule->trunks = g_strdup(pair->value);
	return TRUE;
}

static gboolean
route_cost(Request *request, gpointer user, const Pair *pair, GError **error)
{
	RouteRule *rule = user;

	rule->cost = (guint)g_ascii_strtoull(pair->value, NULL, 10);
	return TRUE;
}

static gboolean
route_text(Request *request, gpointer user, const Pair *pair, GError **error)
{
	RouteRule *rule = user;

	g_free(rule->text);
	rule->text = g_strdup(pair->value);
	return TRUE;
}

static gboolean
route_price(Request *request, gpointer user, const Pair *pair, GError **error)
{
	RouteRule *rule = user;

	return word_money(pair->value, &rule->price);
}

#define ROW(id, name, type, values, fallback, flags, help) { name, route_##id },
static const KeyFunction FUNCTIONS[] = { ROUTE_KEYS(ROW){ NULL, NULL } };
#undef ROW

gboolean
do_route_add(Request *request, GError **error)
{
	g_autoptr(RouteRule) rule = g_new0(RouteRule, 1);

	rule->target = g_strdup(request_word(request, "TARGET"));
	rule->allowed = strcmp(request_word(request, "allow|refuse"), "allow") == 0;
	return request_set_keys(request, FUNCTIONS, rule, error) &&
	       store_route_put(request->store, rule, error);
}

gboolean
do_route_list(Request *request, GError **error)
{
	g_autoptr(GPtrArray) rules = store_route_list(request->store, error);

	if (!rules)
		return FALSE;
	reply_table(request, "route", "verdict", "trunks", "cost", "price", "texts", NULL);
	for (guint i = 0; i < rules->len; i++) {
		const RouteRule *rule = rules->pdata[i];
		JsonArray *row = reply_row(request);
		g_autofree char *price = word_of_money(rule->price);

		row_add(row, rule->target);
		row_add(row, rule->allowed ? "allow" : "refuse");
		row_add(row, *rule->trunks ? rule->trunks : "all");
		row_add_int(row, rule->cost);
		row_add(row, rule->price ? price : "");
		row_add(row, rule->text);
	}
	return TRUE;
}

gboolean
do_route_del(Request *request, GError **error)
{
	return store_route_del(request->store, request_word(request, "TARGET"), error);
}

static void
reply_way(Request *request, const WayOut *way)
{
	g_auto(GStrv) notes = g_strsplit(way->notes->str, "\n", -1);
	g_autofree char *cost = g_strdup_printf("%u", way->cost);

	if (way->number_class)
		reply_pair(request, "class", way->number_class);
	if (way->emergency)
		reply_pair(request, "emergency", "yes: the gateway's policy decides");
	reply_pair(request, "rule", way->rule ? way->rule : "none: all may be called");
	if (way->class_rule)
		reply_pair(request, "class-rule", way->class_rule);
	reply_pair(request, "cost", cost);
	if (way->charge && way->charge->price) {
		g_autofree char *price = word_of_money(way->charge->price);

		reply_pair(request, "price", price);
	}
	if (way->charge && way->charge->country) {
		g_autofree char *abroad =
			g_strdup_printf("%s: counted against the user's abroad-minutes",
					country_name(way->charge->country));

		reply_pair(request, "abroad", abroad);
	}
	reply_pair(request, "verdict", way->reason == REASON_NONE ? "allow" : "refuse");
	if (way->text)
		reply_pair(request, "because", way->text);
	for (guint i = 0; i < way->trunks->len; i++) {
		const Trunk *trunk = way->trunks->pdata[i];

		reply_pair(request, "trunk", trunk->name);
	}
	for (char **note = notes; *note; note++)
		if (**note)
			reply_pair(request, "note", *note);
}

static void
reply_uri(Request *request, const Address *uri)
{
	static const char *const because[] = {
		[DIAL_URI_REFUSED] = "[sip] dial_uris does not name this host",
		[DIAL_URI_PUBLIC] = "[sip] dial_uris: any, when its address is a public one",
		[DIAL_URI_NAMED] = "[sip] dial_uris names this host",
	};
	g_autofree char *text = address_text(uri), *host = NULL;
	DialUri policy;
	guint port;

	dial_uri_split(uri, &host, &port);
	policy = dial_uri_policy(gateway_config(request->gateway), host);
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "address", text);
	reply_pair(request, "verdict", policy == DIAL_URI_REFUSED ? "refuse" : "allow");
	reply_pair(request, "because", because[policy]);
}

/* As a user dials it, or as one of no country and without limits would. */
gboolean
do_route_test(Request *request, GError **error)
{
	const char *dialled = request_word(request, "NUMBER|ADDRESS");
	const char *jid = request_word(request, "JID");
	g_autofree char *country = NULL, *number = NULL;
	g_autoptr(Address) uri = dial_uri_parse(dialled);
	g_autoptr(User) owner = NULL;
	g_autoptr(WayOut) way = NULL;

	if (uri) {
		reply_uri(request, uri);
		return TRUE;
	}
	country = user_country(request->gateway, jid);
	if (!number_dialled(dialled, country, &number))
		return wrong(error, "%s: not a number%s%s; write one such as +14155550101", dialled,
			     country ? " in " : "", country ? country : "");
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number);
	owner = store_user_by_number(request->store, number, NULL);
	if (owner) {
		reply_pair(request, "user", owner->jid);
		reply_pair(request, "verdict", owner->enabled ? "allow" : "refuse");
		return TRUE;
	}
	way = way_out(request->gateway, jid, number);
	reply_way(request, way);
	return TRUE;
}
