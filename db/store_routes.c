/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_routes.c - rules for calls out; b2bua/route/way_out.c says what they mean together. */
#include "db/store_private.h"

#define ROUTE_COLUMNS "SELECT target, allowed, trunks, cost, price, text, created FROM routes "

void
route_rule_free(RouteRule *rule)
{
	if (!rule)
		return;
	g_free(rule->target);
	g_free(rule->trunks);
	g_free(rule->text);
	g_free(rule);
}

static gpointer
rule_from_row(Query *query)
{
	RouteRule *rule = g_new0(RouteRule, 1);

	rule->target = query_text(query, 0);
	rule->allowed = query_int(query, 1) != 0;
	rule->trunks = query_text(query, 2);
	rule->cost = (guint)query_int(query, 3);
	rule->price = (guint)query_int(query, 4);
	rule->text = query_text(query, 5);
	rule->created = query_int(query, 6);
	return rule;
}

static gboolean
insert(Store *store, const RouteRule *rule, GError **error)
{
	g_auto(Query) query = query_new(
		store,
		"INSERT INTO routes (target, allowed, trunks, cost, price, text, created) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (target) DO UPDATE SET "
		"allowed = excluded.allowed, trunks = excluded.trunks, cost = excluded.cost, "
		"price = excluded.price, text = excluded.text");

	query_bind_text(&query, rule->target);
	query_bind_int(&query, rule->allowed ? 1 : 0);
	query_bind_text(&query, rule->trunks ? rule->trunks : "");
	query_bind_int(&query, rule->cost);
	query_bind_int(&query, rule->price);
	query_bind_text(&query, rule->text ? rule->text : "");
	query_bind_int(&query, store_now());
	return query_run(&query, error);
}

gboolean
store_route_put(Store *store, const RouteRule *rule, GError **error)
{
	return store_begin(store, error) && store_settle(store, insert(store, rule, error), error);
}

static gboolean
delete_rule(Store *store, const char *target, GError **error)
{
	g_auto(Query) query = query_new(store, "DELETE FROM routes WHERE target = ?1");

	query_bind_text(&query, target);
	if (!query_run(&query, error))
		return FALSE;
	if (store_changes(store) == 1)
		return TRUE;
	g_set_error(error, STORE_ERROR, STORE_ERROR_NOT_FOUND,
		    "route %s does not exist: see 'route list'", target);
	return FALSE;
}

gboolean
store_route_del(Store *store, const char *target, GError **error)
{
	return store_begin(store, error) &&
	       store_settle(store, delete_rule(store, target, error), error);
}

RouteRule *
store_route_get(Store *store, const char *target)
{
	g_auto(Query) query = query_new(store, ROUTE_COLUMNS "WHERE target = ?1");

	query_bind_text(&query, target);
	return query_step(&query, NULL) == QUERY_ROW ? rule_from_row(&query) : NULL;
}

GPtrArray *
store_route_list(Store *store, GError **error)
{
	g_auto(Query) query = query_new(store, ROUTE_COLUMNS "ORDER BY target");

	return query_list(&query, rule_from_row, (GDestroyNotify)route_rule_free, error);
}
