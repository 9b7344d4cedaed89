/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_trunk.c - provisioning of trunks.
 *
 * A command checks every word before it changes anything.
 */
#include <string.h>
#include "b2bua/admin/handlers.h"

static gboolean
is_ipv6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* What this gateway can never reach. */
static gboolean
check_here(const Request *request, const Trunk *trunk, GError **error)
{
	const Config *config = request_config(request);
	gboolean numeric = g_hostname_is_ip_address(trunk->host);

	if (!config)
		return TRUE;
	if (numeric && !(trunk->proxy && *trunk->proxy) &&
	    is_ipv6(trunk->host) != is_ipv6(config->sip_address))
		return wrong(error,
			     "host=%s: an IPv%c address, and [sip] address = %s is not: write the "
			     "trunk's IPv%c address or its name, or give SIP an address of the "
			     "other kind",
			     trunk->host, is_ipv6(trunk->host) ? '6' : '4', config->sip_address,
			     is_ipv6(trunk->host) ? '4' : '6');
	if (strcmp(trunk->transport, "tls") == 0 && !config->sip_tls_port)
		return wrong(error, "transport=tls: this gateway has no TLS: write tls_port and "
				    "tls_certificate in [sip], then restart tandemd");
	return TRUE;
}

/* What one key asks of another. */
static gboolean
check_together(const Trunk *trunk, GError **error)
{
	if (strcmp(trunk->number_form, "national") == 0 && !(trunk->country && *trunk->country))
		return wrong(
			error,
			"number-form=national: the trunk has no country; write country=DE as well");
	if (!trunk->username != !trunk->password)
		return wrong(error, "%s: not set; username and password go together",
			     trunk->username ? "password" : "username");
	if (!trunk->in_username != !trunk->in_password)
		return wrong(error, "%s: not set; in-username and in-password go together",
			     trunk->in_username ? "in-password" : "in-username");
	if (trunk->registers && !trunk->username && !(trunk->account && trunk->account[0]))
		return wrong(error, "register=yes: nothing says which account registers; set "
				    "username and password, or account");
	return TRUE;
}

static gboolean
set_keys(Request *request, Trunk *trunk, GError **error)
{
	for (guint i = 0; i < request->pairs->len; i++) {
		const Pair *pair = request->pairs->pdata[i];

		trunk_set(trunk, trunk_key_find(pair->key->name), pair->value);
	}
	return check_together(trunk, error) && check_here(request, trunk, error);
}

/* Who reads the SIP has the key. */
static void
warn_of_keys(Request *request, const Trunk *trunk)
{
	if (strcmp(trunk->srtp, "off") != 0 && strcmp(trunk->transport, "tls") != 0)
		reply_text(request,
			   "srtp: the SIP carries the key and is not encrypted, so SRTP hides the "
			   "call from nobody on the way; set transport=tls if the carrier has TLS");
}

gboolean
do_trunk_add(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk =
		trunk_new(request_word(request, "NAME"), request_word(request, "HOST"));

	if (!set_keys(request, trunk, error) || !store_trunk_add(request->store, trunk, error))
		return FALSE;
	warn_of_keys(request, trunk);
	return TRUE;
}

gboolean
do_trunk_list(Request *request, GError **error)
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

gboolean
do_trunk_show(Request *request, GError **error)
{
	g_autoptr(Trunk) trunk =
		store_trunk_get(request->store, request_word(request, "NAME"), error);
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
	g_autoptr(Trunk) trunk =
		store_trunk_get(request->store, request_word(request, "NAME"), error);

	if (!trunk || !set_keys(request, trunk, error))
		return FALSE;
	if (!store_trunk_update(request->store, trunk, error))
		return FALSE;
	warn_of_keys(request, trunk);
	return TRUE;
}

/* Calls that are up need the trunk no longer, and a carrier that is to rest should not cost
 * those who talk their call: the operator decides. */
static gboolean
settle_calls(Request *request)
{
	const char *name = request_word(request, "NAME");
	g_autoptr(Trunk) trunk = store_trunk_get(request->store, name, NULL);

	if (!trunk || !trunk->enabled)
		reply_live_calls(request, CALLS_BY_TRUNK, name,
				 request_word(request, "--hangup") != NULL);
	return TRUE;
}

static gboolean
is_for_emergencies(const Request *request, const char *name)
{
	const Config *config = request_config(request);
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

gboolean
do_trunk_set(Request *request, GError **error)
{
	return store_begin(request->store, error) &&
	       store_settle(request->store, change_trunk(request, error), error) &&
	       settle_calls(request);
}

gboolean
do_trunk_del(Request *request, GError **error)
{
	const char *name = request_word(request, "NAME");

	return check_unused(request, name, error) && store_trunk_del(request->store, name, error) &&
	       settle_calls(request);
}
