/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_route.c - rules for calls out, and what would become of one. */
#include <string.h>
#include "b2bua/admin/control_private.h"
#include "b2bua/route/dial_uri.h"
#include "b2bua/number.h"
#include "b2bua/route/way_out.h"

static gboolean
check_target(const char *target, GError **error)
{
	gsize length = strlen(target);

	/* digits alone are a short code, and none has so few, so many or such */
	if (length > 0 && strspn(target, "0123456789") == length &&
	    (length < 3 || length > 6 || target[0] == '0'))
		return wrong(error,
			     "route %s: a short code has 3 to 6 digits and does not begin with 0; "
			     "numbers are written from + and the country on, such as +%s",
			     target, target + strspn(target, "0"));
	return route_target_is_valid(target) ||
	       wrong(error,
		     "route %s: write the beginning of numbers such as +49, a short code, "
		     "\"default\", or a class: fixed mobile toll-free premium shared-cost "
		     "satellite other short star",
		     target);
}

static gboolean
check_trunks(Request *request, const char *names, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(names, " ,", -1);

	for (char **word = words; *word; word++) {
		g_autoptr(Trunk) trunk =
			**word ? store_trunk_get(request->store, *word, error) : NULL;

		if (**word && !trunk)
			return FALSE;
	}
	return TRUE;
}

static gboolean
set_key(Request *request, RouteRule *rule, const char *key, const char *value, GError **error)
{
	guint64 cost;

	if (g_str_equal(key, "trunks")) {
		g_free(rule->trunks);
		rule->trunks = g_strdelimit(g_strdup(value), ",", ' ');
		return check_trunks(request, value, error);
	}
	if (!g_str_equal(key, "cost"))
		return wrong(error, "%s=%s: unknown key; a route has: trunks=NAME,NAME cost=0…9",
			     key, value);
	if (!g_ascii_string_to_unsigned(value, 10, 0, 9, &cost, NULL))
		return wrong(error, "cost=%s: write a whole number from 0 to 9", value);
	rule->cost = (guint)cost;
	return TRUE;
}

static gboolean
route_add(Request *request, GError **error)
{
	g_autoptr(RouteRule) rule = g_new0(RouteRule, 1);
	const char *verdict = request->words[1];

	rule->target = g_strdup(request->words[0]);
	rule->allowed = g_str_equal(verdict, "allow");
	if (!check_target(rule->target, error))
		return FALSE;
	if (!rule->allowed && !g_str_equal(verdict, "refuse"))
		return wrong(error, "%s: write allow or refuse", verdict);
	for (guint at = 2; at < request->n_words;) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_key(request, rule, key, value, error))
			return FALSE;
	}
	return store_route_put(request->store, rule, error) &&
	       request_changed(request, CHANGE_ROUTES, NULL);
}

static gboolean
route_list(Request *request, GError **error)
{
	g_autoptr(GPtrArray) rules = store_route_list(request->store, error);

	if (!rules)
		return FALSE;
	reply_table(request, "route", "verdict", "trunks", "cost", NULL);
	for (guint i = 0; i < rules->len; i++) {
		const RouteRule *rule = rules->pdata[i];
		JsonArray *row = reply_row(request);

		row_add(row, rule->target);
		row_add(row, rule->allowed ? "allow" : "refuse");
		row_add(row, *rule->trunks ? rule->trunks : "all");
		row_add_int(row, rule->cost);
	}
	return TRUE;
}

static gboolean
route_del(Request *request, GError **error)
{
	return store_route_del(request->store, request->words[0], error) &&
	       request_changed(request, CHANGE_ROUTES, NULL);
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
	if (way->abroad)
		reply_pair(request, "abroad", "yes: counted against the user's abroad-minutes");
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

/* As a user dials it, or as one of no country would. */
static gboolean
route_test(Request *request, GError **error)
{
	g_autofree char *jid = NULL, *country = NULL, *number = NULL;
	g_autoptr(Address) uri = dial_uri_parse(request->words[0]);
	g_autoptr(User) owner = NULL;
	g_autoptr(WayOut) way = NULL;

	if (request->n_words == 2 && !(jid = parse_user(request->words[1], error)))
		return FALSE;
	if (uri) {
		reply_uri(request, uri);
		return TRUE;
	}
	country = user_country(request->gateway, jid);
	if (!number_dialled(request->words[0], country, &number))
		return wrong(error, "%s: not a number%s%s; write one such as +14155550101",
			     request->words[0], country ? " in " : "", country ? country : "");
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "number", number);
	owner = store_user_by_number(request->store, number, NULL);
	if (owner) {
		reply_pair(request, "user", owner->jid);
		reply_pair(request, "verdict", owner->enabled ? "allow" : "refuse");
		return TRUE;
	}
	way = way_out(request->gateway, jid ? jid : "", number);
	reply_way(request, way);
	return TRUE;
}

static void
help_keys(Request *request)
{
	reply_key(request, "trunks", "NAME,…", "", "tried in this order; default: all by priority");
	reply_key(request, "cost", "0…9", "0", "held against a user's max-cost");
}

const Command control_route_commands[] = {
	{ "route", "add", "TARGET allow|refuse [trunks=NAME,…] [cost=0…9]", 2, 6, FALSE, TRUE,
	  route_add, "a rule for numbers that begin with TARGET, or of that class, or default",
	  help_keys },
	{ "route", "list", "", 0, 0, FALSE, FALSE, route_list, "all rules for calls out", NULL },
	{ "route", "del", "TARGET", 1, 1, FALSE, TRUE, route_del, "forget a rule", NULL },
	{ "route", "test", "NUMBER|ADDRESS [JID]", 1, 2, TRUE, FALSE, route_test,
	  "which rule and trunks a call would take, and why", NULL },
};
const guint control_n_route_commands = G_N_ELEMENTS(control_route_commands);
