/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_live.c - what asks, or tells, the running gateway. */
#include <config.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>
#include "b2bua/call/admission.h"
#include "b2bua/call/call.h"
#include "b2bua/admin/handlers.h"
#include "b2bua/route/way_out.h"

char *(*control_reload)(GError **error);

/* /proc/self/stat field 22 would say the same; this needs no parsing. */
static gint64 started_us;

static void __attribute__((constructor)) note_start(void)
{
	started_us = g_get_monotonic_time();
}

static void
reply_plugin(Request *request, const char *name)
{
	const Plugin *plugin = gateway_plugin(request->gateway, name);
	g_autofree char *status = plugin && plugin->status ? plugin->status() : NULL;
	g_auto(GStrv) lines = g_strsplit(status ? status : "", "\n", -1);

	if (!plugin)
		reply_pair(request, name, "not loaded");
	for (char **line = lines; plugin && *line; line++) {
		char *colon = strchr(*line, ':');
		g_autofree char *key = NULL;

		if (!colon)
			continue;
		*colon = '\0';
		key = g_strdup_printf("%s %s", name, *line);
		reply_pair(request, key, g_strstrip(colon + 1));
	}
}

/* What has never happened is not said. */
static void
reply_counters(Request *request)
{
	for (Counter counter = 0; counter < N_COUNTERS; counter++) {
		guint64 count = gateway_counter(request->gateway, counter);
		g_autofree char *name = counter_text(counter);
		g_autofree char *key = g_strconcat("count ", name, NULL);
		g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, count);

		if (count > 0)
			reply_pair(request, key, text);
	}
}

static gboolean
reply_trunks(Request *request, GError **error)
{
	g_autoptr(GPtrArray) trunks = store_trunk_list(request->store, error);

	for (guint i = 0; trunks && i < trunks->len; i++) {
		const Trunk *trunk = trunks->pdata[i];
		g_autofree char *key = g_strconcat("trunk ", trunk->name, NULL);
		g_autofree char *text = g_strdup_printf(
			"%s:%u %s, priority %d%s", trunk->host, trunk->port ? trunk->port : 5060,
			trunk->transport, trunk->priority, trunk->enabled ? "" : ", disabled");

		reply_pair(request, key, text);
	}
	return trunks != NULL;
}

/* What is in use, apart from what the allocator has not given back. */
static char *
memory_in_use(void)
{
	struct mallinfo2 heap = mallinfo2();

	return g_strdup_printf("%" G_GSIZE_FORMAT " KiB", (heap.uordblks + heap.hblkhd) / 1024);
}

gboolean
do_status(Request *request, GError **error)
{
	gint64 seconds = (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
	char **plugins = gateway_config(request->gateway)->plugins;
	g_autofree char *uptime = g_strdup_printf("%d d %02d:%02d:%02d", (int)(seconds / 86400),
						  (int)(seconds / 3600 % 24),
						  (int)(seconds / 60 % 60), (int)(seconds % 60));
	g_autofree char *n_calls = g_strdup_printf("%u", calls_live(request->gateway));
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_autofree char *memory = memory_in_use();
	g_autofree char *records = store_journal_status(request->store);
	g_autofree char *emergency = emergency_policy(request->gateway);

	reply_table(request, "key", "value", NULL);
	reply_pair(request, "version", PACKAGE_VERSION);
	reply_pair(request, "pid", pid);
	reply_pair(request, "uptime", uptime);
	reply_pair(request, "state",
		   admission_is_closed(request->gateway) ? "stopping" : "running");
	reply_pair(request, "calls", n_calls);
	reply_pair(request, "memory", memory);
	reply_pair(request, "records", records);
	reply_pair(request, "emergency", emergency + strlen("emergency calls: "));
	reply_pair(request, "database", gateway_config(request->gateway)->database);
	for (char **name = plugins; name && *name; name++)
		reply_plugin(request, *name);
	if (!reply_trunks(request, error))
		return FALSE;
	reply_counters(request);
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
	char **names = gateway_config(request->gateway)->plugins;

	reply_table(request, "address", "failures", "last", "state", "until", NULL);
	for (; names && *names; names++) {
		const Plugin *plugin = gateway_plugin(request->gateway, *names);

		if (plugin && plugin->sources)
			plugin->sources(reply_source, request);
	}
	return TRUE;
}

gboolean
do_sources_lift(Request *request, GError **error)
{
	const char *word = request_word(request, "ADDRESS|all");
	char **names = gateway_config(request->gateway)->plugins;
	gboolean all = g_str_equal(word, "all");
	guint lifted = 0;

	for (; names && *names; names++) {
		const Plugin *plugin = gateway_plugin(request->gateway, *names);

		if (plugin && plugin->lift)
			lifted += plugin->lift(all ? NULL : word);
	}
	if (!lifted && !all)
		return wrong(error, "address %s: not in the list; see 'sources'", word);
	return TRUE;
}
