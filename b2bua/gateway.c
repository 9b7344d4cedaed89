/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gateway.c - plugins, live calls, limits, the orderly stop, what a crash left.
 *
 * Thread: signalling.
 */
#include "b2bua/gateway.h"
#include "b2bua/call/call_private.h"
#include "b2bua/descriptors.h"
#include "b2bua/route/limits.h"
#include "b2bua/setting.h"
#include <string.h>

#define PLUGIN_SYMBOL	 "tandem_plugin"
#define NOTICES_A_MINUTE 10 /* to one account */

struct Gateway {
	const Config *config;
	Store *store;
	Workers *workers;
	GPtrArray *plugins;   /* const Plugin *, in start order */
	GPtrArray *calls;     /* Call *, oldest first */
	GHashTable *by_id;    /* gint64 * of the call → Call * */
	GHashTable *per_user; /* char * → guint */
	guint64 counters[N_COUNTERS];

	gint64 minute;	     /* the one `notices` counts, monotonic */
	GHashTable *notices; /* char * → guint */

	Limits *limits;
	Abroad *abroad;

	gint64 spare_ids;
	gint64 unread_until; /* the log has heard that the store cannot be read; monotonic */

	gboolean draining;
	guint drain_timer, drained; /* sources */
	void (*drain_done)(gpointer user);
	gpointer drain_user;
};

Gateway *
gateway_new(const Config *config, Store *store, Workers *workers)
{
	Gateway *gateway = g_new0(Gateway, 1);

	gateway->config = config;
	gateway->store = store;
	gateway->workers = workers;
	gateway->plugins = g_ptr_array_new();
	gateway->calls = g_ptr_array_new();
	gateway->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	gateway->per_user = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gateway->notices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gateway->abroad = abroad_new(config, store);
	gateway->limits = limits_new(config->max_setup_per_second, config->max_calls);
	return gateway;
}

void
gateway_free(Gateway *gateway)
{
	gateway->draining = TRUE;
	while (gateway->calls->len > 0) {
		Call *call = gateway->calls->pdata[0];

		call_hangup(call, REASON_SHUTDOWN, NULL);
		if (gateway->calls->len > 0 && gateway->calls->pdata[0] == call)
			call_closed(call); /* without its last counters */
	}
	for (guint i = gateway->plugins->len; i-- > 0;) {
		const Plugin *plugin = gateway->plugins->pdata[i];

		plugin->stop();
	}
	g_clear_handle_id(&gateway->drain_timer, g_source_remove);
	g_clear_handle_id(&gateway->drained, g_source_remove);
	g_ptr_array_unref(gateway->plugins);
	g_ptr_array_unref(gateway->calls);
	g_hash_table_unref(gateway->by_id);
	g_hash_table_unref(gateway->per_user);
	g_hash_table_unref(gateway->notices);
	limits_free(gateway->limits);
	abroad_free(gateway->abroad);
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

Abroad *
gateway_abroad(const Gateway *gateway)
{
	return gateway->abroad;
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
			    "it was built for interface version %u, this gateway has %u: "
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

/* --- what a crash has left --- */

static void
bury_legs(Gateway *gateway, const CallRecord *record)
{
	g_auto(GStrv) lines = g_strsplit(record->legs ? record->legs : "", "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, "\t", 2);
		const Plugin *plugin = fields[0] ? gateway_plugin(gateway, fields[0]) : NULL;
		g_autofree char *saved = fields[0] && fields[1] ? g_strcompress(fields[1]) : NULL;

		if (plugin && plugin->leg && plugin->leg->bury && saved)
			plugin->leg->bury(saved, REASON_CRASHED);
		else if (**line)
			g_warning("call %" G_GINT64_FORMAT ": no plugin to end its %s leg",
				  record->id, fields[0]);
	}
}

void
gateway_bury(Gateway *gateway)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) records = store_call_list_live(gateway->store, &error);

	if (!records) {
		g_warning("calls of before: %s", error->message);
		return;
	}
	for (guint i = 0; i < records->len; i++) {
		CallRecord *record = records->pdata[i];
		g_autoptr(GError) problem = NULL;

		bury_legs(gateway, record);
		g_free(record->state);
		g_free(record->legs);
		g_free(record->reason);
		g_free(record->text);
		g_free(record->ended_by);
		record->state = g_strdup(call_state_name(CALL_ENDED));
		record->legs = g_strdup("");
		record->reason = g_strdup(reason_name(REASON_CRASHED));
		record->text = g_strdup(reason_sentence(REASON_CRASHED));
		record->ended_by = g_strdup("gateway");
		record->ended_us = g_get_real_time();
		if (!store_call_update(gateway->store, record, &problem))
			g_warning("call %" G_GINT64_FORMAT ": not closed: %s", record->id,
				  problem->message);
		gateway_count(gateway, COUNTER_CALLS_BURIED);
	}
}

/* --- live calls --- */

guint
gateway_n_calls(const Gateway *gateway)
{
	return gateway->calls->len;
}

Call *
gateway_call(const Gateway *gateway, gint64 id)
{
	return g_hash_table_lookup(gateway->by_id, &id);
}

GPtrArray *
gateway_calls(const Gateway *gateway)
{
	return g_ptr_array_copy(gateway->calls, NULL, NULL);
}

static void
count_user(Gateway *gateway, const char *user, int change)
{
	guint calls;

	if (!user)
		return;
	calls = GPOINTER_TO_UINT(g_hash_table_lookup(gateway->per_user, user)) + (guint)change;
	if (calls == 0)
		g_hash_table_remove(gateway->per_user, user);
	else
		g_hash_table_insert(gateway->per_user, g_strdup(user), GUINT_TO_POINTER(calls));
}

/* Not from inside the end of the last call, whose code is still on the stack. */
static gboolean
on_drained(gpointer data)
{
	Gateway *gateway = data;

	gateway->drained = 0;
	if (gateway->calls->len == 0) /* somebody may have called for help */
		gateway->drain_done(gateway->drain_user);
	return G_SOURCE_REMOVE;
}

static void
check_drained(Gateway *gateway)
{
	if (!gateway->drain_done || gateway->calls->len > 0 || gateway->drained)
		return;
	g_clear_handle_id(&gateway->drain_timer, g_source_remove);
	gateway->drained = g_idle_add(on_drained, gateway);
}

void
gateway_track(Gateway *gateway, Call *call, gboolean live)
{
	gint64 id = call_id(call);

	if (live) {
		g_ptr_array_add(gateway->calls, call);
		g_hash_table_insert(gateway->by_id, g_memdup2(&id, sizeof(id)), call);
		count_user(gateway, call_user(call), 1);
		limits_begin(gateway->limits, call->author, call->line);
		gateway_count(gateway, COUNTER_CALLS);
		gateway_gauge(gateway, COUNTER_CALLS_LIVE, gateway->calls->len);
		return;
	}
	g_ptr_array_remove(gateway->calls, call);
	gateway_gauge(gateway, COUNTER_CALLS_LIVE, gateway->calls->len);
	g_hash_table_remove(gateway->by_id, &id);
	count_user(gateway, call_user(call), -1);
	limits_end(gateway->limits, call->author, call->line);
	check_drained(gateway);
}

/* --- limits --- */

/* His own limit lowers the gateway's, and never raises it. */
static guint
max_calls_of(Gateway *gateway, const char *user)
{
	guint failures = store_failures(gateway->store);
	g_autofree char *text = setting_text(gateway->store, user, SETTING_MAX_CALLS);
	guint own = text ? (guint)g_ascii_strtoull(text, NULL, 10) : G_MAXUINT;

	if (store_failures(gateway->store) != failures) {
		gateway_unread(gateway);
		own = 1; /* the least that he can have been given */
	}
	return MIN(own, gateway->config->max_calls_per_user);
}

static gboolean
is_full(Gateway *gateway, const char *user)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(gateway->per_user, user)) >=
	       max_calls_of(gateway, user);
}

gboolean
gateway_charge(Gateway *gateway, const char *user)
{
	if (is_full(gateway, user))
		return FALSE;
	count_user(gateway, user, 1);
	return TRUE;
}

void
gateway_discharge(Gateway *gateway, const char *user)
{
	count_user(gateway, user, -1);
}

/* Strangers are one author: who they say they are costs them nothing. */
char *
gateway_author(Gateway *gateway, const Asker *asker)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(User) user = NULL;

	if (asker->trunk)
		return g_strconcat(LIMITS_TRUNK, asker->trunk, NULL);
	if (!asker->user)
		return g_strdup(LIMITS_STRANGER);
	if (!limits_know(gateway->limits, asker->user, g_get_monotonic_time()))
		user = store_user_get(gateway->store, asker->user, &error);
	return g_strdup(g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND) ? LIMITS_STRANGER
										   : asker->user);
}

/* What is kept for him is given to him; in the end an emergency call asks for nothing. */
static gboolean
admit_help(Gateway *gateway, const char *author)
{
	if (!*author || !limits_take_help(gateway->limits, author, g_get_monotonic_time()))
		return FALSE;
	descriptors_give();
	gateway_count(gateway, COUNTER_EMERGENCY_CALLS);
	return TRUE;
}

/* What costs least to find out comes first. */
static const char *
why_not(Gateway *gateway, const Asker *asker, const char *author)
{
	gint64 now = g_get_monotonic_time();

	if (gateway->draining)
		return "the gateway is stopping";
	if (!limits_ask(gateway->limits, author, now))
		return "too many calls at once";
	if (!limits_have_line(gateway->limits, author, LINE_ORDINARY, now) ||
	    !descriptors_are_left())
		return "all lines are in use";
	if (asker->user && is_full(gateway, asker->user))
		return "your account has as many calls as it may";
	limits_take(gateway->limits, author, now);
	return NULL;
}

gboolean
gateway_admit(Gateway *gateway, Asker *asker, Reason *reason, const char **text)
{
	g_autofree char *author = gateway_author(gateway, asker);

	asker->emergency = asker->emergency && admit_help(gateway, author);
	*text = asker->emergency ? NULL : why_not(gateway, asker, author);
	*reason = *text ? REASON_OVERLOAD : REASON_NONE;
	return *text == NULL;
}

/* A trunk's call counts for the one who is called. */
gboolean
gateway_admit_plan(Gateway *gateway, const Call *call, Reason *reason, const char **text)
{
	const char *user = call_user(call);

	*text = NULL;
	if (call->line == LINE_HELP)
		return TRUE;
	if (call->line == LINE_SERVICE &&
	    !limits_have_line(gateway->limits, call->author, LINE_SERVICE, g_get_monotonic_time()))
		*text = "this service has as many calls as it may";
	*reason = *text ? REASON_OVERLOAD : REASON_NONE;
	if (!*text && user && g_strcmp0(user, call->author) != 0 && is_full(gateway, user)) {
		*text = "who is called has as many calls as he may";
		*reason = REASON_BUSY;
	}
	return *text == NULL;
}

/* --- what somebody should read --- */

static gboolean
over_notices(Gateway *gateway, const char *account)
{
	gint64 minute = g_get_monotonic_time() / (60 * G_USEC_PER_SEC);
	guint sent;

	if (minute != gateway->minute) {
		gateway->minute = minute;
		g_hash_table_remove_all(gateway->notices);
	}
	sent = GPOINTER_TO_UINT(g_hash_table_lookup(gateway->notices, account));
	if (sent >= NOTICES_A_MINUTE)
		return TRUE;
	g_hash_table_insert(gateway->notices, g_strdup(account), GUINT_TO_POINTER(sent + 1));
	return FALSE;
}

gboolean
gateway_notice(Gateway *gateway, const char *account, const Address *number, const char *text)
{
	gboolean told = FALSE;

	if (over_notices(gateway, account)) {
		gateway_count(gateway, COUNTER_NOTICES_OVER_LIMIT);
		return FALSE;
	}
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

/* No row ever has such a number. */
gint64
gateway_spare_id(Gateway *gateway)
{
	return (G_GINT64_CONSTANT(1) << 52) + ++gateway->spare_ids;
}

void
gateway_unread(Gateway *gateway)
{
	gint64 now = g_get_monotonic_time();

	gateway_count(gateway, COUNTER_STORE_UNREAD);
	if (now < gateway->unread_until)
		return;
	gateway->unread_until = now + 60 * G_USEC_PER_SEC;
	g_warning("the database cannot be read (%s): calls are refused, those to emergency "
		  "numbers go on",
		  store_failure(gateway->store));
}

/* --- the orderly stop --- */

void
gateway_hangup_all(Gateway *gateway, Reason reason)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	/* by id: the end of one may be the end of another */
	for (guint i = 0; i < gateway->calls->len; i++) {
		gint64 id = call_id(gateway->calls->pdata[i]);

		g_ptr_array_add(ids, g_memdup2(&id, sizeof(id)));
	}
	for (guint i = 0; i < ids->len; i++) {
		Call *call = g_hash_table_lookup(gateway->by_id, ids->pdata[i]);

		if (call)
			call_hangup(call, reason, NULL);
	}
}

static gboolean
on_drain_timeout(gpointer data)
{
	Gateway *gateway = data;

	gateway->drain_timer = 0;
	gateway_hangup_all(gateway, REASON_SHUTDOWN);
	return G_SOURCE_REMOVE;
}

void
gateway_drain(Gateway *gateway, void (*done)(gpointer user), gpointer user)
{
	gateway->draining = TRUE;
	gateway->drain_done = done;
	gateway->drain_user = user;
	g_clear_handle_id(&gateway->drain_timer, g_source_remove);
	gateway->drain_timer =
		g_timeout_add_seconds(gateway->config->drain_seconds, on_drain_timeout, gateway);
	check_drained(gateway);
}

gboolean
gateway_draining(const Gateway *gateway)
{
	return gateway->draining;
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
