/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gateway.c - see gateway.h.
 *
 * Thread: signalling.
 */
#include "b2bua/gateway.h"
#include "b2bua/text.h"
#include <string.h>

#define PLUGIN_SYMBOL	 "tandem_plugin"
#define NOTICES_A_MINUTE 10 /* of one kind to one account */

struct Gateway {
	const Config *config;
	Store *store;
	Workers *workers;
	GPtrArray *plugins; /* const Plugin *, in start order */
	GatewayParts parts;
	gboolean stopping;
	guint64 counters[N_COUNTERS];

	gint64 minute;	     /* the one `notices` counts, monotonic */
	GHashTable *notices; /* "account\tkind" → guint */

	char *hook_state;    /* or NULL */
	gint64 unread_until; /* the log has heard that the store cannot be read; monotonic */
};

Gateway *
gateway_new(const Config *config, Store *store, Workers *workers)
{
	Gateway *gateway = g_new0(Gateway, 1);

	gateway->config = config;
	gateway->store = store;
	gateway->workers = workers;
	gateway->plugins = g_ptr_array_new();
	gateway->notices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return gateway;
}

void
gateway_stop(Gateway *gateway)
{
	for (guint i = gateway->plugins->len; i-- > 0;) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		plugin->stop();
	}
	g_ptr_array_set_size(gateway->plugins, 0);
}

void
gateway_free(Gateway *gateway)
{
	gateway_stop(gateway);
	g_ptr_array_unref(gateway->plugins);
	g_hash_table_unref(gateway->notices);
	g_free(gateway->hook_state);
	g_free(gateway);
}

const Config *
gateway_config(const Gateway *gateway)
{
	return gateway->config;
}

char *
gateway_config_text(const Gateway *gateway, const char *section, const char *key)
{
	return config_text(gateway->config, section, key);
}

Store *
gateway_store(const Gateway *gateway)
{
	return gateway->store;
}

Workers *
gateway_workers(const Gateway *gateway)
{
	return gateway->workers;
}

void
gateway_moved(Gateway *gateway, const char *before, const char *now)
{
	g_message("the public address is %s now, no longer %s", now, before);
	if (gateway->workers)
		workers_move(gateway->workers, before, now);
}

GatewayParts *
gateway_parts(Gateway *gateway)
{
	return &gateway->parts;
}

void
gateway_set_stopping(Gateway *gateway)
{
	gateway->stopping = TRUE;
}

gboolean
gateway_is_stopping(const Gateway *gateway)
{
	return gateway->stopping;
}

/* --- plugins --- */

static GQuark
plugin_error(void)
{
	return g_quark_from_static_string("tandem-plugin");
}

gboolean
gateway_add_plugin(Gateway *gateway, const Plugin *plugin, GError **error)
{
	if (plugin->interface_version != PLUGIN_INTERFACE_VERSION) {
		g_set_error(error, plugin_error(), 0,
			    "the plugin was built for interface version %u, this gateway has %u: "
			    "rebuild the plugin",
			    plugin->interface_version, PLUGIN_INTERFACE_VERSION);
		return FALSE;
	}
	if (gateway_plugin(gateway, plugin->name)) {
		g_set_error(error, plugin_error(), 0, "plugin %s is loaded twice", plugin->name);
		return FALSE;
	}
	if (plugin->reaches && !(plugin->leg && plugin->leg->dial && plugin->leg->hangup)) {
		g_set_error(error, plugin_error(), 0,
			    "it reaches people, and has no dial and hangup");
		return FALSE;
	}
	if (plugin->leg && !plugin->leg->hangup) {
		g_set_error(error, plugin_error(), 0, "it has legs, and no hangup");
		return FALSE;
	}
	if (!plugin->start(gateway, error))
		return FALSE;
	g_ptr_array_add(gateway->plugins, (gpointer)plugin);
	return TRUE;
}

gboolean
gateway_load_plugin(Gateway *gateway, const char *name, GError **error)
{
	g_autofree char *file = g_strconcat(name, ".so", NULL);
	g_autofree char *path = g_build_filename(gateway->config->plugin_dir, file, NULL);
	GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL | G_MODULE_BIND_LAZY);
	gpointer symbol;

	if (!module) {
		g_set_error(error, plugin_error(), 0, "plugin %s: %s", name, g_module_error());
		return FALSE;
	}
	/* its code is in stacks, tables and leak reports until the process ends */
	g_module_make_resident(module);
	if (!g_module_symbol(module, PLUGIN_SYMBOL, &symbol)) {
		g_set_error(error, plugin_error(), 0, "plugin %s: %s has no symbol %s", name, path,
			    PLUGIN_SYMBOL);
		return FALSE;
	}
	if (!gateway_add_plugin(gateway, symbol, error)) {
		g_prefix_error(error, "plugin %s: ", name);
		return FALSE;
	}
	g_message("plugin %s started", name);
	return TRUE;
}

const Plugin *
gateway_plugin(const Gateway *gateway, const char *name)
{
	for (guint i = 0; i < gateway->plugins->len; i++) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		if (strcmp(plugin->name, name) == 0)
			return plugin;
	}
	return NULL;
}

const Plugin *
gateway_reaching(const Gateway *gateway, WayKind kind)
{
	for (guint i = 0; i < gateway->plugins->len; i++) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		if (plugin->reaches & kind)
			return plugin;
	}
	return NULL;
}

const Plugin *
gateway_carrying(const Gateway *gateway, WayKind kind)
{
	for (guint i = 0; i < gateway->plugins->len; i++) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		if (plugin->text && plugin->text->carries & kind)
			return plugin;
	}
	return NULL;
}

const GPtrArray *
gateway_plugins(const Gateway *gateway)
{
	return gateway->plugins;
}

void
gateway_changed(Gateway *gateway, Change what, const char *key)
{
	for (guint i = 0; i < gateway->plugins->len; i++) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		if (plugin->changed)
			plugin->changed(what, key);
	}
}

/* --- what somebody should read --- */

gboolean
gateway_notice_room(Gateway *gateway, const char *account, const char *kind)
{
	gint64 minute = g_get_monotonic_time() / (60 * G_USEC_PER_SEC);
	g_autofree char *key = g_strdup_printf("%s\t%s", account, kind);
	guint asked;

	if (minute != gateway->minute) {
		gateway->minute = minute;
		g_hash_table_remove_all(gateway->notices);
	}
	asked = GPOINTER_TO_UINT(g_hash_table_lookup(gateway->notices, key));
	if (asked >= NOTICES_A_MINUTE) {
		gateway_count(gateway, COUNTER_NOTICES_OVER_LIMIT);
		return FALSE;
	}
	g_hash_table_replace(gateway->notices, g_steal_pointer(&key), GUINT_TO_POINTER(asked + 1));
	return TRUE;
}

gboolean
gateway_notice(Gateway *gateway, const char *account, const Address *number, const char *text)
{
	gboolean told = FALSE;

	for (guint i = 0; i < gateway->plugins->len; i++) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		if (!plugin->account || !plugin->account->notice)
			continue;
		plugin->account->notice(account, number, text);
		told = TRUE;
	}
	if (told)
		gateway_count(gateway, COUNTER_NOTICES);
	return told;
}

void
gateway_tell_operators(Gateway *gateway, const char *text)
{
	char **operators = gateway->config->xmpp_operators;
	g_autoptr(Address) from =
		address_new(ADDRESS_JID, NULL, gateway->config->xmpp_domain, NULL);

	g_warning("%s", text);
	if (!operators || !gateway_notice_room(gateway, "", "operators"))
		return;
	for (; *operators; operators++)
		gateway_notice(gateway, *operators, from, text);
}

static void
note_unread(Gateway *gateway)
{
	gint64 now = g_get_monotonic_time();

	gateway_count(gateway, COUNTER_STORE_UNREAD);
	if (now < gateway->unread_until)
		return;
	gateway->unread_until = now + 60 * G_USEC_PER_SEC;
	g_warning("the database cannot be read (%s): calls are refused; emergency calls go on",
		  store_failure(gateway->store));
}

gboolean
gateway_unread_since(Gateway *gateway, guint failures)
{
	if (store_failures(gateway->store) == failures)
		return FALSE;
	note_unread(gateway);
	return TRUE;
}

void
gateway_set_hook_state(Gateway *gateway, const char *text)
{
	g_free(gateway->hook_state);
	gateway->hook_state = g_strdup(text);
}

const char *
gateway_hook_state(const Gateway *gateway)
{
	return gateway->hook_state;
}

/* --- counters --- */

void
gateway_count(Gateway *gateway, Counter counter)
{
	gateway->counters[counter]++;
}

void
gateway_gauge(Gateway *gateway, Counter gauge, guint64 value)
{
	gateway->counters[gauge] = value;
}

guint64
gateway_counter(const Gateway *gateway, Counter counter)
{
	return gateway->counters[counter];
}
