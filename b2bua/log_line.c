/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* log_line.c - see log_line.h. */
#include "b2bua/log_line.h"
#include <string.h>
#include <json-glib/json-glib.h>

gboolean
log_format_find(const char *name, LogFormat *format)
{
	static const char *const names[] = { "auto", "text", "json", "journal" };

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*format = (LogFormat)i;
			return TRUE;
		}
	return FALSE;
}

#define CALL "call "

gint64
log_line_call(const char *message)
{
	char *end;
	gint64 id;

	if (!g_str_has_prefix(message, CALL) || !g_ascii_isdigit(message[strlen(CALL)]))
		return 0;
	id = g_ascii_strtoll(message + strlen(CALL), &end, 10);
	return *end == ':' ? id : 0;
}

const char *
log_line_message_id(const char *message)
{
	if (g_str_has_prefix(message, "audit: "))
		return "b7f4a1c05d3e4f6c9a28e1d07c5b9342";
	if (log_line_call(message) > 0 && strstr(message, " ended by the "))
		return "4d1f0e6b2c7a4895b3e06fa8d91c2757";
	return NULL;
}

static const char *
level_name(GLogLevelFlags level)
{
	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return "error";
	if (level & G_LOG_LEVEL_WARNING)
		return "warning";
	return level & G_LOG_LEVEL_DEBUG ? "debug" : "info";
}

static char *
time_text(gint64 us)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
	g_autofree char *seconds = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : NULL;

	return g_strdup_printf("%s.%06dZ", seconds ? seconds : "", (int)(us % G_USEC_PER_SEC));
}

char *
log_line_json(GLogLevelFlags level, const char *message, gint64 now_us)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *valid = g_utf8_make_valid(message, -1), *time = time_text(now_us);

	json_object_set_string_member(object, "time", time);
	json_object_set_string_member(object, "level", level_name(level));
	json_object_set_string_member(object, "message", valid);
	if (log_line_call(message) > 0)
		json_object_set_int_member(object, "call", log_line_call(message));
	json_node_set_object(root, object);
	return json_to_string(root, FALSE);
}
