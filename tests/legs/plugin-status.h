/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* plugin-status.h - what a plugin says of itself, as a test looks at it: "key: value" a
 * line, that of a trunk "trunk NAME: value". */
#pragma once
#include "b2bua/leg.h"

static inline void
plugin_status_row(gpointer user, const StatusRow *row)
{
	if (row->trunk)
		g_string_append_printf(user, "trunk %s: ", row->trunk);
	else
		g_string_append_printf(user, "%s: ", row->key);
	if (row->text)
		g_string_append_printf(user, "%s\n", row->text);
	else
		g_string_append_printf(user, "%" G_GUINT64_FORMAT "\n", row->number);
}

static inline char *
plugin_status(const Plugin *plugin)
{
	GString *text = g_string_new(NULL);

	plugin->operators->status(plugin_status_row, text);
	return g_string_free(text, FALSE);
}
