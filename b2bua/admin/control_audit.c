/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_audit.c - who has changed what, before and after, as one line of the log.
 *
 * A picture of the thing that a command names is taken before it and after it; what differs
 * is said.  Secrets are compared and never shown.
 */
#include <string.h>
#include <syslog.h>
#include "b2bua/words.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/keys.h"
#include "b2bua/setting.h"

#define MAX_LINE 2000

typedef struct {
	const char *key; /* of a table, or a literal */
	char *value;
	gboolean secret;
} Fact;

static void
fact_clear(gpointer data)
{
	g_free(((Fact *)data)->value);
}

static void
add(GArray *facts, const char *key, const char *value, gboolean secret)
{
	Fact fact = { key, g_strdup(value ? value : ""), secret };

	g_array_append_val(facts, fact);
}

static void
see_user(Store *store, const char *id, GArray *facts)
{
	g_autoptr(User) user = store_user_get(store, id, NULL);

	if (!user)
		return;
	add(facts, "user", user->jid, FALSE);
	add(facts, "enabled", user->enabled ? "yes" : "no", FALSE);
	for (Setting setting = 0; setting < N_SETTINGS; setting++) {
		g_autofree char *value = store_setting_get(store, id, setting_name(setting));

		add(facts, setting_name(setting), value, FALSE);
	}
}

static void
see_number(Store *store, const char *id, GArray *facts)
{
	g_autoptr(Number) number = store_number_get(store, id, NULL);

	if (!number)
		return;
	add(facts, "number", number->number, FALSE);
	add(facts, "user", number->user, FALSE);
	add(facts, "caller-id", number->caller_id ? "yes" : "no", FALSE);
}

static void
see_softphone(Store *store, const char *id, GArray *facts)
{
	g_autoptr(Softphone) softphone = store_softphone_get(store, id, NULL);

	if (!softphone)
		return;
	add(facts, "softphone", softphone->username, FALSE);
	add(facts, "user", softphone->user, FALSE);
#define ROW(id, name, type, values, fallback, flags, help) add(facts, name, softphone->id, FALSE);
	SOFTPHONE_KEYS(ROW)
#undef ROW
	add(facts, "password", softphone->ha1_md5, TRUE);
}

static void
see_trunk(Store *store, const char *id, GArray *facts)
{
	g_autoptr(Trunk) trunk = store_trunk_get(store, id, NULL);
	const TrunkKey *keys;
	guint n;

	if (!trunk)
		return;
	add(facts, "trunk", trunk->name, FALSE);
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		g_autofree char *value = trunk_value(trunk, &keys[i]);

		add(facts, keys[i].name, value, (keys[i].flags & TRUNK_SECRET) != 0);
	}
}

static void
see_route(Store *store, const char *id, GArray *facts)
{
	g_autoptr(RouteRule) rule = store_route_get(store, id);
	g_autofree char *cost = NULL, *price = NULL;

	if (!rule)
		return;
	cost = g_strdup_printf("%u", rule->cost);
	add(facts, "route", rule->target, FALSE);
	add(facts, "verdict", rule->allowed ? "allow" : "refuse", FALSE);
	add(facts, "trunks", rule->trunks, FALSE);
	add(facts, "cost", cost, FALSE);
	price = rule->price ? word_of_money(rule->price) : NULL;
	add(facts, "price", price, FALSE);
	add(facts, "text", *rule->text ? rule->text : NULL, FALSE);
}

static const struct {
	const char *noun;
	void (*see)(Store *store, const char *id, GArray *facts);
} VIEWS[] = {
	{ "user", see_user },	{ "number", see_number }, { "softphone", see_softphone },
	{ "trunk", see_trunk }, { "route", see_route },
};

GArray *
audit_view(Store *store, const char *noun, const char *id)
{
	GArray *facts = g_array_new(FALSE, FALSE, sizeof(Fact));

	g_array_set_clear_func(facts, fact_clear);
	for (guint i = 0; id && i < G_N_ELEMENTS(VIEWS); i++)
		if (strcmp(VIEWS[i].noun, noun) == 0)
			VIEWS[i].see(store, id, facts);
	return facts;
}

char *
audit_fact(const GArray *facts, const char *key)
{
	for (guint i = 0; i < facts->len; i++) {
		const Fact *fact = &g_array_index(facts, Fact, i);

		if (strcmp(fact->key, key) == 0)
			return fact->secret ? NULL : g_strdup(fact->value);
	}
	return NULL;
}

/* What an operator typed or a stranger's client sent may be in a value. */
static void
append_value(GString *line, const Fact *fact)
{
	g_autofree char *valid = g_utf8_make_valid(fact->value, -1);

	if (fact->secret) {
		g_string_append(line, *fact->value ? "(set)" : "\"\"");
		return;
	}
	g_string_append_c(line, '"');
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(line, g_unichar_iscntrl(c) || c == '"' ? '?' : c);
	}
	g_string_append_c(line, '"');
}

char *
audit_difference(const GArray *before, const GArray *after)
{
	const GArray *facts = after->len ? after : before;
	GString *line = g_string_new(NULL);

	for (guint i = 0; i < facts->len; i++) {
		const Fact *fact = &g_array_index(facts, Fact, i);
		const Fact *was =
			before->len && after->len ? &g_array_index(before, Fact, i) : NULL;

		/* made or deleted: what it has at all; changed: what is another */
		if (was ? strcmp(was->value, fact->value) == 0 : !*fact->value)
			continue;
		g_string_append_printf(line, " %s=", fact->key);
		if (was && !fact->secret) {
			append_value(line, was);
			g_string_append(line, "→");
			append_value(line, fact);
		} else if (was)
			g_string_append(line, *fact->value ? "(changed)" : "(taken away)");
		else
			append_value(line, fact);
	}
	if (!before->len && after->len)
		g_string_prepend(line, " made:");
	else if (before->len && !after->len)
		g_string_prepend(line, " deleted:");
	else if (line->len == 0)
		g_string_append(line, " as it was");
	if (line->len > MAX_LINE) {
		const char *valid;

		g_string_truncate(line, MAX_LINE);
		g_utf8_validate(line->str, -1, &valid);
		g_string_truncate(line, valid - line->str);
		g_string_append(line, "…");
	}
	return g_string_free(line, FALSE);
}

/* Without a daemon there is no log but the machine's. */
void
audit_say(const Request *request, const char *text)
{
	const char *who = request->actor->who ? request->actor->who : "uid ?";

	if (request->gateway)
		g_message("audit: %s: %s", who, text);
	else
		syslog(LOG_AUTH | LOG_NOTICE, "tandem: audit: %s: %s", who, text);
}
