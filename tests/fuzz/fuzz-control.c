/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz-control.c - lines of requests on one store: a JSON object each, no
 * secret in it, the store whole at the end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "b2bua/admin/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(Store *store, const char *line)
{
	g_autofree char *reply = control_execute(NULL, store, line);

	if (!g_str_has_prefix(reply, "{\"ok\":") || strchr(reply, '\n') ||
	    !g_utf8_validate(reply, -1, NULL) || strstr(reply, "hunter2"))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Store *store; /* opening costs more than the rest */
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 200);
	g_autoptr(GPtrArray) users = NULL;

	if (!store)
		store = store_open(":memory:", NULL);
	if (!store || !store_begin(store, NULL))
		abort();
	ask(store, "[\"user\",\"add\",\"alice@example.org\"]");
	ask(store, "[\"number\",\"add\",\"+14155550101\",\"alice@example.org\"]");
	for (char **line = lines; *line; line++)
		if (!strstr(*line, "hunter2"))
			ask(store, *line);
	users = store_user_list(store, NULL);
	if (!users)
		abort();
	store_rollback(store); /* each input meets the same, empty store */
	return 0;
}
