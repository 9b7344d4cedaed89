/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* follow.c - see follow.h. */
#include "cli/follow.h"
#include <stdio.h>
#include <string.h>
#include <json-glib/json-glib.h>

#define EVERY_US (G_USEC_PER_SEC / 2)

/* The words as typed, with the mark in place of --follow. */
static char *
next_request(char **words, const char *mark)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) next = NULL;

	for (char **word = words; *word; word++)
		if (strcmp(*word, "--follow") != 0)
			g_strv_builder_add(builder, *word);
	g_strv_builder_add(builder, "--changed");
	g_strv_builder_add(builder, mark);
	next = g_strv_builder_end(builder);
	return request_text(next);
}

/* What was missed is said before what is shown.  NULL: it is no answer to go on with. */
static char *
mark_of(const char *reply, gboolean *has_rows)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *object;
	JsonArray *rows;
	gint64 missed;

	if (!json_parser_load_from_data(parser, reply, -1, NULL) ||
	    !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		return NULL;
	object = json_node_get_object(json_parser_get_root(parser));
	missed = json_object_get_int_member_with_default(object, "missed", 0);
	if (missed > 0)
		fprintf(stderr,
			"tandemctl: %" G_GINT64_FORMAT
			" changes were skipped: more came than were read\n",
			missed);
	rows = json_object_has_member(object, "rows") ? json_object_get_array_member(object, "rows")
						      : NULL;
	*has_rows = rows && json_array_get_length(rows) > 0;
	return g_strdup(json_object_get_string_member_with_default(object, "mark", NULL));
}

Status
follow_calls(const Options *options)
{
	g_auto(Session) session = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *request = request_text(options->words);
	Status status = DONE;

	if (!session_open(&session, options, &error))
		return complain(FAILED, "%s", error->message);
	while (status == DONE) {
		g_autofree char *reply = session_ask(&session, request, &error);
		gboolean has_rows = FALSE;
		g_autofree char *mark = reply ? mark_of(reply, &has_rows) : NULL;

		if (!reply)
			return complain(FAILED, "%s", error->message);
		if (!mark)
			return show_reply(reply, options->json);
		if (has_rows) {
			status = show_reply(reply, options->json);
			show_rows_alone = TRUE;
		}
		fflush(stdout);
		g_free(request);
		request = next_request(options->words, mark);
		g_usleep(EVERY_US);
	}
	return status;
}
