/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* metrics.c - see metrics.h. */
#include <config.h>
#include "b2bua/http/metrics.h"
#include <json-glib/json-glib.h>
#include <string.h>
#include "b2bua/call/admission.h"
#include "b2bua/metric.h"
#include "b2bua/text/texts.h"

#define PREFIX "tandem_"
#define UP     "up" /* the row by which a plugin, or its trunk, says so */

/* "calls in" → "calls_in" */
static void
append_name(GString *text, const char *key)
{
	for (const char *c = key; *c; c++)
		g_string_append_c(text, g_ascii_isalnum(*c) ? g_ascii_tolower(*c) : '_');
}

/* --- counters --- */

static void
write_counter(GString *text, const char *plugin, const CounterRow *row, guint64 value)
{
	gboolean total = row->kind == COUNTER_TOTAL;
	g_autofree char *name = g_strconcat(PREFIX, plugin ? plugin : "", plugin ? "_" : "",
					    row->name, total ? "_total" : "", NULL);

	metric_write_head(text, name, total ? METRIC_COUNTER : METRIC_GAUGE, row->help);
	metric_write_sample(text, name, NULL, NULL, 0, (double)value);
}

static void
write_counters(GString *text, Gateway *gateway)
{
	const GPtrArray *plugins = gateway_plugins(gateway);

	for (Counter counter = 0; counter < N_COUNTERS; counter++)
		if (counter != COUNTER_CALLS_LIVE) /* tandem_calls_active says more */
			write_counter(text, NULL, counter_row(counter),
				      gateway_counter(gateway, counter));
	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];
		const CounterSet *set = plugin->counters;

		for (guint k = 0; set && k < set->n; k++)
			write_counter(text, plugin->name, &set->rows[k], set->values[k]);
	}
}

/* --- the rows of the plugins' status --- */

typedef struct {
	GHashTable *families; /* name → GString of samples */
	GPtrArray *order;     /* the names, as they first came; borrowed */
	const char *plugin;
} Rows;

static void
take_row(gpointer user, const StatusRow *row)
{
	static const char *const label[] = { "trunk" };
	Rows *rows = user;
	GString *name, *samples;

	if (row->text)
		return;
	name = g_string_new(PREFIX);
	append_name(name, rows->plugin);
	g_string_append(name, row->trunk ? "_trunk_" : "_");
	append_name(name, row->key);
	samples = g_hash_table_lookup(rows->families, name->str);
	if (!samples) {
		char *key = g_strdup(name->str);

		samples = g_string_new(NULL);
		g_hash_table_insert(rows->families, key, samples);
		g_ptr_array_add(rows->order, key);
	}
	metric_write_sample(samples, name->str, label, &row->trunk, row->trunk ? 1 : 0,
			    (double)row->number);
	g_string_free(name, TRUE);
}

static void
free_samples(gpointer samples)
{
	g_string_free(samples, TRUE);
}

static void
write_plugins(GString *text, Gateway *gateway)
{
	const GPtrArray *plugins = gateway_plugins(gateway);
	g_autoptr(GHashTable) families =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_samples);
	g_autoptr(GPtrArray) order = g_ptr_array_new();

	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];
		Rows rows = { families, order, plugin->name };

		if (plugin->operators && plugin->operators->status)
			plugin->operators->status(take_row, &rows);
	}
	for (guint i = 0; i < order->len; i++) {
		const char *name = order->pdata[i];
		const GString *samples = g_hash_table_lookup(families, name);

		metric_write_head(text, name, METRIC_UNTYPED,
				  "The row of this name in tandemctl status");
		g_string_append_len(text, samples->str, (gssize)samples->len);
	}
}

/* --- the process --- */

static void
write_one(GString *text, const char *name, const char *help, double number)
{
	metric_write_head(text, name, METRIC_GAUGE, help);
	metric_write_sample(text, name, NULL, NULL, 0, number);
}

static void
write_gateway(GString *text, Gateway *gateway)
{
	static const char *const label[] = { "version" };
	static const char *const version[] = { PACKAGE_VERSION };

	metric_write_head(text, PREFIX "build_info", METRIC_GAUGE,
			  "Always 1; the label has the version");
	metric_write_sample(text, PREFIX "build_info", label, version, 1, 1);
	write_one(text, PREFIX "stopping", "1 while no new call is taken because the gateway stops",
		  gateway_is_stopping(gateway));
	write_one(text, PREFIX "calls_most", "The key max_calls in the section limits",
		  gateway_config(gateway)->max_calls);
	write_one(text, PREFIX "texts_waiting", "Deliveries of texts that have not been sent yet",
		  texts_waiting(gateway));
	write_one(text, PREFIX "records_waiting", "Records that the database has not taken yet",
		  store_journal_waiting(gateway_store(gateway)));
}

char *
metrics_text(Gateway *gateway)
{
	GString *text = g_string_sized_new(16384);

	write_gateway(text, gateway);
	metric_set_write(gateway_parts(gateway)->metrics, text);
	metric_set_write(texts_metrics(gateway), text);
	write_counters(text, gateway);
	write_plugins(text, gateway);
	return g_string_free(text, FALSE);
}

/* --- readiness --- */

typedef struct {
	JsonBuilder *json;
	JsonObject *trunks;
	const char *plugin;
	gboolean up;
} Parts;

static void
take_up(gpointer user, const StatusRow *row)
{
	Parts *parts = user;

	if (row->text || strcmp(row->key, UP) != 0)
		return;
	if (row->trunk) {
		json_object_set_boolean_member(parts->trunks, row->trunk, row->number > 0);
		return;
	}
	json_builder_set_member_name(parts->json, parts->plugin);
	json_builder_add_boolean_value(parts->json, row->number > 0);
	parts->up = parts->up && row->number > 0;
}

static gboolean
say_plugins(JsonBuilder *json, Gateway *gateway)
{
	const GPtrArray *plugins = gateway_plugins(gateway);
	JsonNode *trunks = json_node_new(JSON_NODE_OBJECT);
	Parts parts = { .json = json, .trunks = json_object_new(), .up = TRUE };

	for (guint i = 0; i < plugins->len; i++) {
		const Plugin *plugin = plugins->pdata[i];

		parts.plugin = plugin->name;
		if (plugin->operators && plugin->operators->status)
			plugin->operators->status(take_up, &parts);
	}
	json_builder_set_member_name(json, "trunks");
	json_node_take_object(trunks, parts.trunks);
	json_builder_add_value(json, trunks);
	return parts.up;
}

static void
say(JsonBuilder *json, const char *name, gboolean value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_boolean_value(json, value);
}

char *
readiness_text(Gateway *gateway, gboolean *ready)
{
	g_autoptr(JsonBuilder) json = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	gboolean stopping = gateway_is_stopping(gateway);
	gboolean database = store_schema_version(gateway_store(gateway)) > 0;
	gboolean up;

	json_builder_begin_object(json);
	up = say_plugins(json, gateway);
	*ready = up && database && !stopping;
	say(json, "database", database);
	say(json, "stopping", stopping);
	say(json, "ready", *ready);
	json_builder_end_object(json);
	root = json_builder_get_root(json);
	return json_to_string(root, FALSE);
}
