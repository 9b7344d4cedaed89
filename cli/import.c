/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* import.c - a file of JSON lines, sent in portions; what was said of each line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <gio/gunixinputstream.h>
#include <json-glib/json-glib.h>
#include "cli/import.h"

#define IMPORT_LINES 32
#define IMPORT_BYTES 40000

typedef struct {
	const Options *options;
	Session session;
	JsonArray *errors, *softphones; /* of all portions */
	guint64 lines, first;		/* read so far; the first of this portion */
	GPtrArray *portion;		/* char * */
	gsize bytes;
} Import;

static void
take_rows(JsonObject *reply, const char *member, JsonArray *into)
{
	JsonArray *rows = json_object_has_member(reply, member)
				  ? json_object_get_array_member(reply, member)
				  : NULL;

	for (guint i = 0; rows && i < json_array_get_length(rows); i++)
		json_array_add_element(into, json_array_dup_element(rows, i));
}

/* FALSE: no more of it can be done. */
static gboolean
take_import_reply(Import *import, const char *text, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonObject *reply;

	if (!json_parser_load_from_data(parser, text, -1, error))
		return FALSE;
	reply = json_node_get_object(json_parser_get_root(parser));
	take_rows(reply, "rows", import->errors);
	take_rows(reply, "softphones", import->softphones);
	if (json_object_get_boolean_member_with_default(reply, "ok", FALSE))
		return TRUE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
		    json_object_get_string_member_with_default(reply, "error", "failed"));
	return FALSE;
}

/* What there is of lines; none: the end, when all of it is on the disk. */
static gboolean
send_portion(Import *import, GError **error)
{
	g_autofree char *first = g_strdup_printf("%" G_GUINT64_FORMAT, import->first);
	g_autofree char *request = NULL, *reply = NULL;

	g_ptr_array_insert(import->portion, 0, g_strdup("import"));
	g_ptr_array_insert(import->portion, 1, g_steal_pointer(&first));
	g_ptr_array_add(import->portion, NULL);
	request = request_text((char **)import->portion->pdata);
	g_ptr_array_set_size(import->portion, 0);
	import->bytes = 0;
	reply = session_ask(&import->session, request, error);
	return reply && take_import_reply(import, reply, error);
}

static void
refuse_line(Import *import, const char *why)
{
	JsonArray *row = json_array_new();

	json_array_add_int_element(row, (gint64)import->lines);
	json_array_add_string_element(row, why);
	json_array_add_array_element(import->errors, row);
}

static gboolean
take_import_line(Import *import, const char *line, gsize length, GError **error)
{
	import->lines++;
	if (length >= IMPORT_BYTES / 2 || !g_utf8_validate(line, (gssize)length, NULL)) {
		/* what is sent has consecutive numbers */
		if (import->portion->len > 0 && !send_portion(import, error))
			return FALSE;
		refuse_line(import, length >= IMPORT_BYTES / 2
					    ? "longer than 20000 bytes"
					    : "not UTF-8; save the file as UTF-8");
		return TRUE;
	}
	if (import->portion->len == 0)
		import->first = import->lines;
	g_ptr_array_add(import->portion, g_strndup(line, length));
	import->bytes += length;
	return (import->portion->len < IMPORT_LINES && import->bytes < IMPORT_BYTES / 2) ||
	       send_portion(import, error);
}

static gboolean
import_stream(Import *import, GDataInputStream *in, GError **error)
{
	g_autoptr(GError) cause = NULL;
	gsize length;
	char *text;

	while ((text = g_data_input_stream_read_line(in, &length, NULL, &cause))) {
		g_autofree char *line = text;

		memmove(line, session_skip_mark(line), strlen(session_skip_mark(line)) + 1);
		g_strchomp(line);
		if (!*line && length <= 1) { /* an empty line is no line, but is counted */
			if (import->portion->len > 0 && !send_portion(import, error))
				return FALSE;
			import->lines++;
		} else if (!take_import_line(import, line, strlen(line), error))
			return FALSE;
	}
	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	if (import->portion->len > 0 && !send_portion(import, error))
		return FALSE;
	import->first = 0;
	return send_portion(import, error);
}

static GInputStream *
open_import(const char *path, GError **error)
{
	g_autoptr(GFile) file = NULL;

	if (g_str_equal(path, "-"))
		return g_unix_input_stream_new(STDIN_FILENO, FALSE);
	file = g_file_new_for_commandline_arg(path);
	return G_INPUT_STREAM(g_file_read(file, NULL, error));
}

static void
print_import_object(const Import *import, Status status, const char *said)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	JsonArray *columns = json_array_new();
	g_autofree char *line = NULL;

	json_array_add_string_element(columns, "line");
	json_array_add_string_element(columns, "error");
	json_object_set_boolean_member(object, "ok", status == DONE);
	json_object_set_int_member(object, "status", status);
	if (status != DONE)
		json_object_set_string_member(object, "error", said);
	json_object_set_int_member(object, "lines", (gint64)import->lines);
	json_object_set_array_member(object, "columns", columns);
	json_object_set_array_member(object, "rows", json_array_ref(import->errors));
	json_object_set_array_member(object, "softphones", json_array_ref(import->softphones));
	json_node_set_object(root, object);
	line = json_to_string(root, FALSE);
	g_print("%s\n", line);
}

/* Errors to where errors go, passwords that were made to where they can be kept. */
static Status
print_import(const Import *import, const GError *failure)
{
	guint refused = json_array_get_length(import->errors);
	Status status = refused || failure ? FAILED : DONE;
	g_autofree char *said = NULL;

	if (failure)
		said = g_strdup_printf("stopped before line %" G_GUINT64_FORMAT
				       " or a few lines after it: %s; the lines before it are "
				       "done, and the whole file may be imported again",
				       import->first, failure->message);
	else
		said = g_strdup_printf("%u of %" G_GUINT64_FORMAT " lines were not taken", refused,
				       import->lines);
	if (show_in_json) {
		print_import_object(import, status, said);
		return status;
	}
	for (guint i = 0; i < refused; i++) {
		JsonArray *row = json_array_get_array_element(import->errors, i);

		fprintf(stderr, "line %" G_GINT64_FORMAT ": %s\n",
			json_array_get_int_element(row, 0), json_array_get_string_element(row, 1));
	}
	for (guint i = 0; i < json_array_get_length(import->softphones); i++) {
		JsonArray *row = json_array_get_array_element(import->softphones, i);

		g_print("softphone %s"
			"  "
			"password %s\n",
			json_array_get_string_element(row, 0),
			json_array_get_string_element(row, 1));
	}
	if (status != DONE)
		return complain(status, "%s", said);
	g_print("%" G_GUINT64_FORMAT " lines imported\n", import->lines);
	return DONE;
}

Status
import_file(const Options *options)
{
	Import import = { .options = options };
	g_autoptr(GError) error = NULL;
	g_autoptr(GInputStream) file = NULL;
	g_autoptr(GDataInputStream) in = NULL;
	Status status;

	if (g_strv_length(options->words) != 2)
		return complain(WRONG, "write: import FILE, or import - for standard input");
	file = open_import(options->words[1], &error);
	if (!file)
		return complain(WRONG, "%s", error->message);
	in = g_data_input_stream_new(file);
	if (!session_open(&import.session, options, &error))
		return complain(FAILED, "%s", error->message);
	import.errors = json_array_new();
	import.softphones = json_array_new();
	import.portion = g_ptr_array_new_with_free_func(g_free);
	import_stream(&import, in, &error);
	status = print_import(&import, error);
	g_ptr_array_unref(import.portion);
	json_array_unref(import.errors);
	json_array_unref(import.softphones);
	session_clear(&import.session);
	return status;
}
