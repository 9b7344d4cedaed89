/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* way_out.c - whether a number outside may be called by a user, and by which trunks. */
#include "b2bua/route/way_out.h"
#include "b2bua/number.h"
#include "b2bua/numberplan.h"
#include "b2bua/setting.h"
#include <string.h>

#define TRUNK_POLICY "trunk:"

static const char *const CLASSES[] = { "fixed",	    "mobile", "toll-free", "premium", "shared-cost",
				       "satellite", "other",  "short",	   "star",    NULL };

gboolean
route_target_is_valid(const char *target)
{
	gsize digits = strspn(*target == '+' ? target + 1 : target, "0123456789*#");

	if (strcmp(target, "default") == 0 || g_strv_contains(CLASSES, target))
		return TRUE;
	return digits > 0 && digits <= 15 && target[digits + (*target == '+')] == '\0';
}

char *
user_country(Gateway *gateway, const char *account_or_null)
{
	return setting_country(gateway_store(gateway), account_or_null,
			       gateway_config(gateway)->country);
}

void
way_out_free(WayOut *way)
{
	if (!way)
		return;
	g_ptr_array_unref(way->trunks);
	g_free(way->rule);
	g_free(way->class_rule);
	charge_free(way->charge);
	g_string_free(way->notes, TRUE);
	g_free(way);
}

static WayOut *
refuse(WayOut *way, Reason reason, const char *text)
{
	g_ptr_array_set_size(way->trunks, 0);
	way->reason = reason;
	way->text = text;
	return way;
}

/* --- trunks --- */

static void
add_trunk(Gateway *gateway, WayOut *way, const char *name)
{
	g_autoptr(Trunk) trunk = store_trunk_get(gateway_store(gateway), name, NULL);

	if (!trunk)
		g_string_append_printf(way->notes, "trunk %s does not exist\n", name);
	else if (!trunk->enabled)
		g_string_append_printf(way->notes, "trunk %s is not enabled\n", name);
	else
		g_ptr_array_add(way->trunks, g_steal_pointer(&trunk));
}

static void
add_trunks(Gateway *gateway, WayOut *way, const char *names)
{
	g_auto(GStrv) words = g_strsplit_set(names, " ,", -1);

	for (char **word = words; *word; word++)
		if (**word)
			add_trunk(gateway, way, *word);
}

static void
add_all_trunks(Gateway *gateway, WayOut *way)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(gateway_store(gateway), NULL);

	for (guint i = 0; trunks && i < trunks->len; i++)
		add_trunk(gateway, way, ((const Trunk *)trunks->pdata[i])->name);
}

/* A trunk that does not answer is no reason to give up, but the last to be asked. */
static void
last_those_down(const Plugin *plugin, GPtrArray *trunks)
{
	guint left = trunks->len;

	for (guint i = 0; plugin->operators && plugin->operators->available && left > 0; left--) {
		Trunk *trunk = trunks->pdata[i];

		if (plugin->operators->available(trunk->name))
			i++;
		else
			g_ptr_array_add(trunks, g_ptr_array_steal_index(trunks, i));
	}
}

/* --- emergency numbers --- */

const char *
emergency_trunk(const Gateway *gateway)
{
	const char *policy = gateway_config(gateway)->emergency;

	return policy && g_str_has_prefix(policy, TRUNK_POLICY) ? policy + strlen(TRUNK_POLICY)
								: NULL;
}

static WayOut *
emergency(Gateway *gateway, WayOut *way)
{
	const char *trunk = emergency_trunk(gateway);

	way->emergency = TRUE;
	if (!trunk)
		return refuse(way, REASON_FORBIDDEN,
			      "this gateway makes no emergency calls: take another telephone");
	add_trunk(gateway, way, trunk);
	if (way->trunks->len == 0)
		return refuse(way, REASON_NETWORK_ERROR,
			      "emergency calls cannot go out now: take another telephone");
	return way;
}

char *
emergency_policy(Gateway *gateway)
{
	const char *name = emergency_trunk(gateway);
	g_autoptr(Trunk) trunk = NULL;

	if (!name)
		return g_strdup(
			"emergency calls: refused; callers are told to take another telephone");
	trunk = store_trunk_get(gateway_store(gateway), name, NULL);
	return g_strdup_printf("emergency calls: by trunk %s%s", name,
			       !trunk ? ", which does NOT EXIST: make it with 'trunk add'"
			       : !trunk->enabled ? ", which is NOT ENABLED"
						 : "");
}

/* --- rules --- */

/* The rule with the longest beginning of the number; a short code is a whole. */
static RouteRule *
longest_rule(Store *store, const char *number)
{
	RouteRule *rule = NULL;
	gsize shortest = number[0] == '+' ? 2 : strlen(number);

	for (gsize length = strlen(number); !rule && length >= shortest; length--) {
		g_autofree char *prefix = g_strndup(number, length);

		rule = store_route_get(store, prefix);
	}
	return rule ? rule : store_route_get(store, "default");
}

static gboolean
is_star_code(const char *number)
{
	return strpbrk(number, "*#") != NULL;
}

/* A code with * or # tells the carrier what to do; of the others a country's plan knows
 * what they cost. */
static const char *
class_of(const char *number, const char *country)
{
	const char *known;

	if (number[0] == '+')
		return numberplan_class(number);
	if (is_star_code(number))
		return "star";
	known = country ? numberplan_short_class(number, country) : NULL;
	return g_strcmp0(known, "other") == 0 ? "short" : known;
}

static guint
max_cost(Store *store, const char *account)
{
	g_autofree char *text = setting_text(store, account, SETTING_MAX_COST);

	return text ? (guint)g_ascii_strtoull(text, NULL, 10) : 9;
}

static gboolean
passes_guard(Gateway *gateway, WayOut *way)
{
	way->guard = meter_ask(gateway_parts(gateway)->meter, way->charge);
	if (way->guard.answer == METER_MAY)
		return TRUE;
	refuse(way, way->guard.answer == METER_UNREAD ? REASON_NETWORK_ERROR : REASON_FORBIDDEN,
	       way->guard.text);
	return FALSE;
}

/* Those that have carried as much as they may today are left out. */
static void
drop_used_up(Gateway *gateway, WayOut *way)
{
	for (guint i = 0; i < way->trunks->len;) {
		const Trunk *trunk = way->trunks->pdata[i];

		if (meter_trunk_may(gateway_parts(gateway)->meter, trunk, way->charge)) {
			i++;
			continue;
		}
		g_string_append_printf(way->notes, "trunk %s has carried as much as it may today\n",
				       trunk->name);
		g_ptr_array_remove_index(way->trunks, i);
	}
}

void
way_out_used(Gateway *gateway, const WayOut *way)
{
	if (way->charge && way->guard.answer != METER_MAY)
		meter_refused(gateway_parts(gateway)->meter, way->charge, &way->guard);
}

/* A code that has a rule of its own is no longer one of all. */
static RouteRule *
rule_of_class(Store *store, const char *number, const char *number_class, const RouteRule *own)
{
	if (!number_class || (is_star_code(number) && own && strcmp(own->target, number) == 0))
		return NULL;
	return store_route_get(store, number_class);
}

static guint
price_of(const RouteRule *rule, const RouteRule *class_rule)
{
	return MAX(rule ? rule->price : 0, class_rule ? class_rule->price : 0);
}

Charge *
way_out_charge(Gateway *gateway, const char *account, const char *number)
{
	Store *store = gateway_store(gateway);
	g_autofree char *country = user_country(gateway, account);
	const char *number_class = class_of(number, country);
	g_autoptr(RouteRule) rule = NULL, class_rule = NULL;

	if (number_is_emergency(number, country))
		return NULL;
	rule = longest_rule(store, number);
	class_rule = rule_of_class(store, number, number_class, rule);
	return meter_charge(gateway_parts(gateway)->meter, account, number, number_class,
			    price_of(rule, class_rule));
}

static WayOut *
way_new(const char *number, const char *country)
{
	WayOut *way = g_new0(WayOut, 1);

	way->trunks = g_ptr_array_new_with_free_func((GDestroyNotify)trunk_free);
	way->notes = g_string_new(NULL);
	way->number_class = class_of(number, country);
	return way;
}

static void
find_trunks(Gateway *gateway, WayOut *way, const RouteRule *rule, const RouteRule *class_rule)
{
	if (rule && *rule->trunks)
		add_trunks(gateway, way, rule->trunks);
	else if (class_rule && *class_rule->trunks)
		add_trunks(gateway, way, class_rule->trunks);
	else
		add_all_trunks(gateway, way);
}

static void
read_rules(Store *store, WayOut *way, const char *number, RouteRule **rule, RouteRule **class_rule)
{
	*rule = longest_rule(store, number);
	*class_rule = rule_of_class(store, number, way->number_class, *rule);
	way->rule = g_strdup(*rule ? (*rule)->target : NULL);
	way->class_rule = g_strdup(*class_rule ? (*class_rule)->target : NULL);
	way->cost = MAX(*rule ? (*rule)->cost : 0, *class_rule ? (*class_rule)->cost : 0);
}

static WayOut *
find_way(Gateway *gateway, const char *account, const char *number, gboolean guarded)
{
	Store *store = gateway_store(gateway);
	const Plugin *plugin = gateway_reaching(gateway, WAY_TRUNK);
	g_autofree char *country = user_country(gateway, account);
	g_autoptr(RouteRule) rule = NULL, class_rule = NULL;
	WayOut *way = way_new(number, country);

	if (number_is_emergency(number, country))
		return emergency(gateway, way);
	read_rules(store, way, number, &rule, &class_rule);
	if ((rule && !rule->allowed) || (class_rule && !class_rule->allowed))
		return refuse(way, REASON_FORBIDDEN, "calls to such numbers are not allowed here");
	if (way->cost > max_cost(store, account))
		return refuse(way, REASON_FORBIDDEN,
			      "calls to such numbers cost more than your account may spend");
	way->charge = meter_charge(gateway_parts(gateway)->meter, account, number,
				   way->number_class, price_of(rule, class_rule));
	if (guarded && !passes_guard(gateway, way))
		return way;
	find_trunks(gateway, way, rule, class_rule);
	if (guarded)
		drop_used_up(gateway, way);
	if (plugin)
		last_those_down(plugin, way->trunks);
	if (way->trunks->len == 0)
		return refuse(way, REASON_NETWORK_ERROR, "no telephone network is connected");
	return way;
}

WayOut *
way_out(Gateway *gateway, const char *account, const char *number)
{
	return find_way(gateway, account ? account : "", number, account != NULL);
}

WayOut *
way_out_later(Gateway *gateway, const char *account, const char *number)
{
	return find_way(gateway, account, number, FALSE);
}

/* --- texts --- */

static gboolean
rule_says(const RouteRule *rule, const char *word)
{
	return rule && strcmp(rule->text, word) == 0;
}

/* A short code may be texted that cannot be called. */
static gboolean
rule_refuses_texts(const RouteRule *rule, const char *number)
{
	return rule_says(rule, "refuse") ||
	       (rule && !rule->allowed && number[0] == '+' && !rule_says(rule, "allow"));
}

/* What a rule for all says is not meant for what is dear. */
static gboolean
is_meant(const RouteRule *rule, const RouteRule *class_rule)
{
	return rule_says(class_rule, "allow") ||
	       (rule_says(rule, "allow") && strcmp(rule->target, "default") != 0);
}

static gboolean
is_dear(const WayOut *way)
{
	return g_strcmp0(way->number_class, "premium") == 0 ||
	       g_strcmp0(way->number_class, "satellite") == 0;
}

static void
drop_without_texts(WayOut *way)
{
	for (guint i = 0; i < way->trunks->len;) {
		const Trunk *trunk = way->trunks->pdata[i];

		if (trunk_takes_texts(trunk)) {
			i++;
			continue;
		}
		g_string_append_printf(way->notes, "trunk %s carries no texts (text=none)\n",
				       trunk->name);
		g_ptr_array_remove_index(way->trunks, i);
	}
}

WayOut *
way_out_text(Gateway *gateway, const char *account, const char *number)
{
	Store *store = gateway_store(gateway);
	const Plugin *plugin = gateway_carrying(gateway, WAY_TRUNK);
	g_autofree char *country = user_country(gateway, account);
	g_autoptr(RouteRule) rule = NULL, class_rule = NULL;
	WayOut *way = way_new(number, country);

	if (number_is_emergency(number, country))
		return refuse(way, REASON_FORBIDDEN, WAY_OUT_NO_TEXTS_FOR_HELP);
	read_rules(store, way, number, &rule, &class_rule);
	if (rule_refuses_texts(rule, number) || rule_refuses_texts(class_rule, number))
		return refuse(way, REASON_FORBIDDEN, "texts to such numbers are not allowed here");
	if (is_dear(way) && !is_meant(rule, class_rule))
		return refuse(way, REASON_FORBIDDEN,
			      "texts to premium and satellite numbers are not allowed here");
	if (way->cost > max_cost(store, account))
		return refuse(way, REASON_FORBIDDEN,
			      "texts to such numbers cost more than your account may spend");
	find_trunks(gateway, way, rule, class_rule);
	drop_without_texts(way);
	if (!plugin || way->trunks->len == 0)
		return refuse(way, REASON_FORBIDDEN,
			      "no telephone network here carries texts to that number");
	last_those_down(plugin, way->trunks);
	return way;
}
