/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_live.c - what asks, or tells, the running gateway. */
#include <config.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>
#include "b2bua/call/admission.h"
#include "b2bua/call/call.h"
#include "b2bua/call/test_call.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/admin/memory.h"
#include "b2bua/route/way_out.h"
#include "b2bua/text/texts.h"
#include "media/codec.h"

char *(*control_reload)(GError **error);

/* /proc/self/stat field 22 would say the same; this needs no parsing. */
static gint64 started_us;

static void __attribute__((constructor)) note_start(void)
{
	started_us = g_get_monotonic_time();
}

/* --- status: "key", "value", "group", "unit"; a key stands alone, without its group --- */

static void
say(Request *request, const char *group, const char *key, const char *text)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add(row, text);
	row_add(row, group);
	row_add(row, "");
}

static void
say_number(Request *request, const char *group, const char *key, guint64 number, const char *unit)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add_int(row, (gint64)number);
	row_add(row, group);
	row_add(row, unit);
}

typedef struct {
	Request *request;
	const Plugin *plugin;
} PluginStatus;

/* "sip legs", "sip trunk carrier state" */
static void
say_plugin_row(gpointer user, const StatusRow *row)
{
	const PluginStatus *status = user;
	const char *name = status->plugin->name;
	g_autofree char *key =
		row->trunk ? g_strdup_printf("%s trunk %s %s", name, row->trunk, row->key)
			   : g_strdup_printf("%s %s", name, row->key);

	if (row->quiet)
		return;
	if (row->text)
		say(status->request, name, key, row->text);
	else
		say_number(status->request, name, key, row->number, "");
}

static void
say_plugins(Request *request)
{
	const GPtrArray *plugins = gateway_plugins(request->gateway);

	for (guint i = 0; i < plugins->len; i++) {
		PluginStatus status = { request, plugins->pdata[i] };

		if (status.plugin->operators && status.plugin->operators->status)
			status.plugin->operators->status(say_plugin_row, &status);
	}
}

/* What has never happened is not said. */
static void
say_count(Request *request, const char *label, const char *name, guint64 count)
{
	g_autofree char *key =
		g_strjoin(" ", "count", label ? label : name, label ? name : NULL, NULL);

	if (count > 0)
		say_number(request, "count", key, count, "");
}

static void
say_counters(Request *request)
{
	const GPtrArray *plugins = gateway_plugins(request->gateway);

	for (Counter counter = 0; counter < N_COUNTERS; counter++)
		say_count(request, NULL, counter_row(counter)->name,
			  gateway_counter(request->gateway, counter));
	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];
		const CounterSet *set = plugin->counters;

		for (guint k = 0; set && k < set->n; k++)
			say_count(request, plugin->name, set->rows[k].name, set->values[k]);
	}
}

static gboolean
say_trunks(Request *request, GError **error)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(request->store, error);

	for (guint i = 0; trunks && i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		g_autofree char *key = g_strconcat("trunk ", trunk->name, NULL);
		g_autofree char *text = g_strdup_printf(
			"%s:%u %s, priority %d%s", trunk->host,
			trunk->port ? trunk->port : trunk_standard_port(trunk), trunk->transport,
			trunk->priority, trunk->enabled ? "" : ", disabled");

		say(request, "trunk", key, text);
	}
	return trunks != NULL;
}

/* What is in use, apart from what the allocator has not given back. */
static guint64
memory_in_use(void)
{
	struct mallinfo2 heap = mallinfo2();

	return (heap.uordblks + heap.hblkhd) / 1024;
}

static void
say_gateway(Request *request)
{
	static const char group[] = "gateway";
	gint64 seconds = (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
	g_autofree char *records = store_journal_status(request->store);
	g_autofree char *emergency = emergency_policy(request->gateway);
	g_autofree char *codecs = codec_names();

	say(request, group, "version", PACKAGE_VERSION);
	say(request, group, "codecs", codecs);
	say_number(request, group, "pid", getpid(), "");
	say(request, group, "state",
	    gateway_is_stopping(request->gateway) ? "stopping" : "running");
	say_number(request, group, "uptime", seconds, "s");
	say_number(request, group, "calls", calls_live(request->gateway), "");
	say_number(request, group, "memory", memory_in_use(), "KiB");
	if (memory_pss() > 0)
		say_number(request, group, "memory-pss", memory_pss(), "KiB");
	say_number(request, group, "texts-waiting", texts_waiting(request->gateway), "");
	say(request, group, "records", records);
	if (gateway_hook_state(request->gateway))
		say(request, group, "records-hook", gateway_hook_state(request->gateway));
	say(request, group, "emergency", emergency + strlen("emergency calls: "));
	say(request, group, "database", gateway_config(request->gateway)->database);
}

/* "media-0 12 %, media-1 3 %" */
static void
say_media(Request *request)
{
	const Workers *workers = gateway_workers(request->gateway);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; workers && i < workers_media_threads(workers); i++)
		g_string_append_printf(text, "%smedia-%u %u %%", i ? ", " : "", i,
				       workers_load(workers, i));
	if (text->len > 0)
		say(request, "gateway", "media-load", text->str);
}

gboolean
do_status(Request *request, GError **error)
{
	reply_table(request, "key", "value", "group", "unit", NULL);
	say_gateway(request);
	say_media(request);
	say_plugins(request);
	if (!say_trunks(request, error))
		return FALSE;
	say_counters(request);
	return TRUE;
}

gboolean
do_hangup(Request *request, GError **error)
{
	const char *id = request_word(request, "ID");
	Call *call = calls_find(request->gateway, g_ascii_strtoll(id, NULL, 10));

	if (!call)
		return wrong(error, "call %s: not live; see 'calls'", id);
	call_hangup(call, REASON_ADMIN, "hung up by the operator");
	return TRUE;
}

gboolean
do_reload(Request *request, GError **error)
{
	g_autofree char *text = control_reload ? control_reload(error) : g_strdup("");

	if (!text)
		return FALSE;
	if (*text)
		reply_text(request, text);
	return TRUE;
}

static void
reply_source(gpointer user, const HostileSource *source)
{
	JsonArray *row = reply_row(user);

	row_add(row, source->address);
	row_add_int(row, source->failures);
	row_add(row, source->last);
	row_add(row, source->state);
	row_add_time(row, source->until);
}

gboolean
do_sources(Request *request, GError **error)
{
	const GPtrArray *plugins = gateway_plugins(request->gateway);

	reply_table(request, "address", "failures", "last", "state", "until", NULL);
	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];

		if (plugin->operators && plugin->operators->sources)
			plugin->operators->sources(reply_source, request);
	}
	return TRUE;
}

gboolean
do_sources_lift(Request *request, GError **error)
{
	const char *word = request_word(request, "ADDRESS|all");
	const GPtrArray *plugins = gateway_plugins(request->gateway);
	gboolean all = g_str_equal(word, "all");
	guint lifted = 0;

	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];

		if (plugin->operators && plugin->operators->lift)
			lifted += plugin->operators->lift(all ? NULL : word);
	}
	if (!lifted && !all)
		return wrong(error, "address %s: not in the list; see 'sources'", word);
	return TRUE;
}

/* --- test --- */

gboolean
do_test(Request *request, GError **error)
{
	const char *jid = request_word(request, "JID"), *device = request->actor->device, *why;
	const gboolean is_self = request->actor->account != NULL;
	g_autoptr(User) user = store_user_get(request->store, jid, error);

	if (!user)
		return FALSE;
	if (!user->enabled)
		return wrong(error, "user %s: is disabled; 'user set %s enabled=yes' first", jid,
			     jid);
	why = test_call(request->gateway, jid, device);
	if (why) {
		g_set_error(error, CONTROL_ERROR, 0, "no test call: %s", why);
		return FALSE;
	}
	reply_text(request,
		   is_self ? "You are called now: answer, and you hear yourself until you hang up"
			   : "Every XMPP client of the user rings now; how the call was is said "
			     "in the user's chat with the gateway");
	return TRUE;
}
