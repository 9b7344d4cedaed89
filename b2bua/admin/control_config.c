/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_config.c - what holds for each key of tandem.conf. */
#include <string.h>
#include "b2bua/admin/handlers.h"
#include "b2bua/config_key.h"

gboolean
do_config_show(Request *request, GError **error)
{
	const Config *config = request_config(request);
	const char *section = request_word(request, "SECTION");

	if (!config) {
		g_set_error(error, CONTROL_ERROR, 0, "there is no configuration");
		return FALSE;
	}
	reply_table(request, "section", "key", "value", "default", "does", NULL);
	for (guint i = 0; i < config_n_keys; i++) {
		const ConfigKey *key = &config_keys[i];
		g_autofree char *value = config_value_text(config, key);
		JsonArray *row;

		if (section && strcmp(section, key->group) != 0)
			continue;
		row = reply_row(request);
		row_add(row, key->group);
		row_add(row, key->key);
		row_add(row, value && key->type == TYPE_SECRET ? "(set)" : value);
		row_add(row, key->fallback);
		row_add(row, key->help);
	}
	return TRUE;
}
