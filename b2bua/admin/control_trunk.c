/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_trunk.c - provisioning of trunks.
 *
 * A command checks every word before it changes anything.
 */
#include <string.h>
#include "b2bua/admin/control_private.h"

static gboolean
is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* What this gateway can never reach. */
static gboolean
check_here(const Request *request, const Trunk *trunk, GError **error)
{
	const Config *config = request->gateway ? gateway_config(request->gateway) : control_config;
	gboolean numeric = g_hostname_is_ip_address(trunk->host);

	if (!config)
		return TRUE;
	if (numeric && !(trunk->proxy && *trunk->proxy) &&
	    is_ipv6(trunk->host) != is_ipv6(config->sip_address))
		return wrong(error,
			     "host=%s: an IPv%c address, and [sip] address = %s is none: write the "
			     "trunk's IPv%c address or its name, or give SIP an address of the "
			     "other kind",
			     trunk->host, is_ipv6(trunk->host) ? '6' : '4', config->sip_address,
			     is_ipv6(trunk->host) ? '4' : '6');
	if (strcmp(trunk->transport, "tls") == 0 && !config->sip_tls_port)
		return wrong(error, "transport=tls: this gateway has no TLS: write tls_port and "
				    "tls_certificate in [sip] and start again");
	return TRUE;
}

static gboolean
set_keys(Request *request, Trunk *trunk, guint at, GError **error)
{
	while (at < request->n_words) {
		g_autofree char *key = NULL, *value = NULL;

		if (!next_pair(request, &at, &key, &value, error) ||
		    !set_trunk_key(trunk, key, value, error))
			return FALSE;
	}
	return check_trunk(trunk, error) && check_here(request, trunk, error);
}

static gboolean
check_trunk_name(const char *name, GError **error)
{
	gsize length = strlen(name);

	return (length > 0 && length <= 32 &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length) ||
	       wrong(error, "trunk %s: not a name; write 1 to 32 of a-z, 0-9 and -", name);
}

/* Who reads the SIP has the key. */
static void
warn_of_keys(Request *request, const Trunk *trunk)
{
	if (strcmp(trunk->srtp, "off") != 0 && strcmp(trunk->transport, "tls") != 0)
		reply_text(request, "srtp: the key stands in the SIP, which is not encrypted: it "
				    "hides a call from nobody on the way; set transport=tls if the "
				    "carrier has it");
}

static gboolean
trunk_add(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = trunk_new(request->words[0], NULL);

	return check_trunk_name(trunk->name, error) &&
	       set_trunk_key(trunk, "host", request->words[1], error) &&
	       set_keys(request, trunk, 2, error) &&
	       store_trunk_add(request->store, trunk, error) &&
	       (warn_of_keys(request, trunk), TRUE) &&
	       request_changed(request, CHANGE_TRUNK, trunk->name);
}

static gboolean
trunk_list(Request *request, GError **error)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(request->store, error);

	if (!trunks)
		return FALSE;
	reply_table(request, "trunk", "host", "port", "transport", "priority", "enabled", "sources",
		    NULL);
	for (guint i = 0; i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		JsonArray *row = reply_row(request);

		row_add(row, trunk->name);
		row_add(row, trunk->host);
		row_add_int(row, trunk->port ? trunk->port : trunk_standard_port(trunk));
		row_add(row, trunk->transport);
		row_add_int(row, trunk->priority);
		row_add(row, trunk->enabled ? "yes" : "no");
		row_add(row, trunk->sources);
	}
	return TRUE;
}

typedef struct {
	Request *request;
	const char *trunk;
} TrunkStatus;

static void
reply_trunk_row(gpointer user, const StatusRow *row)
{
	const TrunkStatus *status = user;

	if (g_strcmp0(row->trunk, status->trunk) != 0)
		return;
	if (row->text)
		reply_pair(status->request, row->key, row->text);
	else
		reply_pair_int(status->request, row->key, (gint64)row->number);
}

/* What the plugins say of it, while they run. */
static void
reply_state(Request *request, const char *name)
{
	const GPtrArray *plugins = request->gateway ? gateway_plugins(request->gateway) : NULL;
	TrunkStatus status = { request, name };

	for (guint i = 0; plugins && i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];

		if (plugin->operators && plugin->operators->status)
			plugin->operators->status(reply_trunk_row, &status);
	}
}

static gboolean
trunk_show(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);
	const TrunkKey *keys;
	guint n;

	if (!trunk)
		return FALSE;
	reply_table(request, "key", "value", NULL);
	reply_pair(request, "trunk", trunk->name);
	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++) {
		g_autofree char *text = trunk_value(trunk, &keys[i]);

		reply_pair(request, keys[i].name,
			   keys[i].flags & TRUNK_SECRET && *text ? "(set)" : text);
	}
	reply_state(request, trunk->name);
	return TRUE;
}

static gboolean
change_trunk(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, request->words[0], error);

	if (!trunk || !set_keys(request, trunk, 1, error))
		return FALSE;
	if (!store_trunk_update(request->store, trunk, error))
		return FALSE;
	warn_of_keys(request, trunk);
	return TRUE;
}

/* Calls that are up need the trunk no longer, and a carrier that is to rest should not cost
 * those who talk their call: the operator decides. */
static gboolean
settle_calls(Request *request, const char *name, gboolean hangup)
{
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, name, NULL);

	if (!trunk || !trunk->enabled)
		reply_live_calls(request, CALLS_BY_TRUNK, name, hangup);
	return TRUE;
}

static gboolean
is_for_emergencies(const Request *request, const char *name)
{
	const Config *config = request->gateway ? gateway_config(request->gateway) : control_config;
	g_autofree char *policy = g_strconcat("trunk:", name, NULL);

	return config && g_strcmp0(config->emergency, policy) == 0;
}

/* What would fail from then on, and nobody would know before it does. */
static gboolean
check_unused(Request *request, const char *name, GError **error)
{
	g_autoptr(GPtrArray) rules = store_route_list(request->store, error);
	g_autoptr(GString) users = g_string_new(NULL);

	if (!rules)
		return FALSE;
	for (guint i = 0; i < rules->len; i++) {
		const RouteRule *rule = rules->pdata[i];
		g_auto(GStrv) names = g_strsplit(rule->trunks, " ", -1);

		if (g_strv_contains((const char *const *)names, name))
			g_string_append_printf(users, "%sroute %s", users->len ? ", " : "",
					       rule->target);
	}
	if (is_for_emergencies(request, name))
		g_string_append_printf(users, "%s[gateway] emergency", users->len ? ", " : "");
	return users->len == 0 ||
	       wrong(error, "trunk %s: still named by %s: change that first", name, users->str);
}

static gboolean
trunk_set(Request *request, GError **error)
{
	gboolean hangup = take_hangup(request);

	if (!store_begin(request->store, error))
		return FALSE;
	if (change_trunk(request, error))
		return store_commit(request->store, error) &&
		       settle_calls(request, request->words[0], hangup) &&
		       request_changed(request, CHANGE_TRUNK, request->words[0]);
	store_rollback(request->store);
	return FALSE;
}

static gboolean
trunk_del(Request *request, GError **error)
{
	const char *name = request->words[0];
	gboolean hangup = take_hangup(request);

	if (request->n_words > 1)
		return wrong(error, "%s: one word too many; write: trunk del NAME [--hangup]",
			     request->words[1]);
	return check_unused(request, name, error) && store_trunk_del(request->store, name, error) &&
	       settle_calls(request, name, hangup) && request_changed(request, CHANGE_TRUNK, name);
}

static void
help_keys(Request *request)
{
	const TrunkKey *keys;
	guint n;

	keys = trunk_keys(&n);
	for (guint i = 0; i < n; i++)
		reply_key(request, keys[i].name, keys[i].values, keys[i].fallback, keys[i].help);
}

const Command control_trunk_commands[] = {
	{ "trunk", "add", "NAME HOST [KEY=VALUE]…", 2, 80, FALSE, TRUE, trunk_add,
	  "a carrier or PBX", help_keys },
	{ "trunk", "list", "", 0, 0, FALSE, FALSE, trunk_list, "all trunks, in the order tried",
	  NULL },
	{ "trunk", "show", "NAME", 1, 1, FALSE, FALSE, trunk_show, "one trunk, secrets hidden",
	  NULL },
	{ "trunk", "set", "NAME KEY=VALUE… [--hangup]", 2, 80, FALSE, TRUE, trunk_set,
	  "change it; KEY= takes a text away", help_keys },
	{ "trunk", "del", "NAME [--hangup]", 1, 2, FALSE, TRUE, trunk_del, "forget a trunk", NULL },
};
const guint control_n_trunk_commands = G_N_ELEMENTS(control_trunk_commands);
