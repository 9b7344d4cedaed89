/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-import.c - the lines of a file for `tandemctl import`: each is done or in the list
 * of errors, a line that is refused leaves nothing behind, and no secret is told. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <json-glib/json-glib.h>
#include "b2bua/admin/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_LINES 50

/* ["import", "1", LINE…] */
static char *
request_of(char **lines, guint *n)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = NULL;

	json_builder_begin_array(builder);
	json_builder_add_string_value(builder, "import");
	json_builder_add_string_value(builder, "1");
	for (*n = 0; *lines; lines++) {
		if (!**lines || strstr(*lines, "hunter2") || !g_utf8_validate(*lines, -1, NULL))
			continue;
		json_builder_add_string_value(builder, *lines);
		++*n;
	}
	json_builder_end_array(builder);
	root = json_builder_get_root(builder);
	json_generator_set_root(generator, root);
	return json_generator_to_data(generator, NULL);
}

static guint
count_users(Store *store)
{
	g_autoptr(GPtrArray) users = store_user_list(store, NULL);

	if (!users)
		abort();
	return users->len;
}

static void
ask(Store *store, char **lines)
{
	guint n, users = count_users(store);
	g_autofree char *request = request_of(lines, &n), *reply = NULL;

	if (n == 0)
		return;
	reply = control_execute(NULL, store, request);
	if (!g_str_has_prefix(reply, "{\"ok\":") || strchr(reply, '\n') ||
	    !g_utf8_validate(reply, -1, NULL) || strstr(reply, "hunter2"))
		abort();
	if (count_users(store) > users + n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Store *store; /* opening costs more than the rest */
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", MAX_LINES);

	if (!store)
		store = store_open(":memory:", NULL);
	if (!store || !store_begin(store, NULL))
		abort();
	g_free(control_execute(NULL, store, "[\"user\",\"add\",\"alice@example.org\"]"));
	ask(store, lines);
	store_rollback(store); /* each input meets the same, empty store */
	return 0;
}
