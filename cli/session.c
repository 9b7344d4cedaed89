/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* session.c - the control socket, or the program where no daemon runs. */
#include <config.h>
#include <string.h>
#include <gio/gunixsocketaddress.h>
#include <json-glib/json-glib.h>
#include "cli/session.h"

#define DEFAULT_SOCKET	RUNSTATEDIR "/tandem/control.sock"
#define CONNECT_SECONDS 5
#define ANSWER_SECONDS	20 /* of silence: the daemon answers within milliseconds */

/* Some editors begin a file with a byte order mark. */
const char *
session_skip_mark(const char *text)
{
	return g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
}

/* The control socket as the key file has it. */
static char *
socket_of_config(const char *path)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = NULL;
	char *socket_path = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL) &&
	    g_key_file_load_from_data(file, session_skip_mark(text),
				      strlen(session_skip_mark(text)), G_KEY_FILE_NONE, NULL))
		socket_path = g_key_file_get_string(file, "gateway", "control_socket", NULL);
	return socket_path ? g_strstrip(socket_path) : g_strdup(DEFAULT_SOCKET);
}

void
session_clear(Session *session)
{
	g_clear_object(&session->in);
	g_clear_object(&session->connection);
	g_clear_object(&session->program);
}
static gboolean
connect_to(Session *session, const char *path, GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	GSocketConnection *connection;

	g_socket_client_set_timeout(client, CONNECT_SECONDS);
	connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
	if (!connection)
		return FALSE;
	g_socket_set_timeout(g_socket_connection_get_socket(connection), ANSWER_SECONDS);
	session->connection = G_IO_STREAM(connection);
	session->out = g_io_stream_get_output_stream(session->connection);
	session->in = g_data_input_stream_new(g_io_stream_get_input_stream(session->connection));
	return TRUE;
}

/* What the other end says when it cannot go on; in words of ours where it says nothing. */
static void
explain_silence(const Session *session, GError **error)
{
	g_autofree char *said = NULL;

	if (session->program) {
		GInputStream *err = g_subprocess_get_stderr_pipe(session->program);
		g_autoptr(GDataInputStream) lines = g_data_input_stream_new(err);

		said = g_data_input_stream_read_line(lines, NULL, NULL, NULL);
		g_clear_error(error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
			    said ? said : "tandemd --control gave no answer");
	} else if (error && g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
		g_clear_error(error);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
			    "tandemd has not answered for %d s, and may still do what was asked "
			    "for; see whether tandemd runs, and its log",
			    ANSWER_SECONDS);
	} else if (error && !*error)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
			    "tandemd closed the connection without an answer; see its log");
}

char *
session_ask(Session *session, const char *request, GError **error)
{
	g_autofree char *line = g_strconcat(request, "\n", NULL);
	g_autoptr(GError) unsent = NULL;
	char *reply = NULL;

	/* an end that takes no more may have said why before */
	if (g_output_stream_write_all(session->out, line, strlen(line), NULL, NULL, &unsent))
		g_output_stream_flush(session->out, NULL, NULL);
	if (!unsent || !g_error_matches(unsent, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		reply = g_data_input_stream_read_line(session->in, NULL, NULL,
						      unsent ? NULL : error);
	if (!reply && unsent)
		g_propagate_error(error, g_steal_pointer(&unsent));
	if (!reply)
		explain_silence(session, error);
	return reply;
}

/* Beside this program, in the sbin beside its bin, or on the PATH. */
static char *
find_tandemd(void)
{
	static const char *const places[] = { "tandemd", "../sbin/tandemd" };
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;

	for (guint i = 0; folder && i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(folder, places[i], NULL);

		if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
			return g_steal_pointer(&path);
	}
	return g_find_program_in_path("tandemd");
}

/* `database` NULL: that of the configuration. */
static gboolean
start_program(Session *session, const char *config, const char *database, GError **error)
{
	g_autofree char *program = find_tandemd();
	const char *arguments[7] = { program, "--control" };
	guint n = 2;

	if (config) {
		arguments[n++] = "--config";
		arguments[n++] = config;
	}
	if (database) {
		arguments[n++] = "--database";
		arguments[n++] = database;
	}
	if (!program) {
		g_set_error(
			error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			"tandemd does not run, and is neither beside tandemctl nor on the PATH");
		return FALSE;
	}
	session->program =
		g_subprocess_newv(arguments,
				  G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					  G_SUBPROCESS_FLAGS_STDERR_PIPE,
				  error);
	if (!session->program)
		return FALSE;
	session->out = g_subprocess_get_stdin_pipe(session->program);
	session->in = g_data_input_stream_new(g_subprocess_get_stdout_pipe(session->program));
	return TRUE;
}

/* Nobody listens there: the daemon does not run. */
static gboolean
is_nobody(const GError *error)
{
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static gboolean
refuse_connection(const char *path, const GError *cause, GError **error)
{
	if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "%s: permission denied; run this as root or as a member of the group "
			    "that owns the socket",
			    path);
	else if (is_nobody(cause))
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			    "%s: no tandemd answers there; check the path, or leave --socket (and "
			    "TANDEM_SOCKET) out to work on the database while no daemon runs",
			    path);
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "%s: %s; tandemd seems to run and not to answer", path, cause->message);
	return FALSE;
}

/* The daemon, or the program where none runs.  A socket that was named is meant: nothing is
 * written behind the back of a daemon that listens elsewhere. */
gboolean
session_open(Session *session, const Options *options, GError **error)
{
	const char *config = options->config;
	g_autofree char *path = NULL;
	g_autoptr(GError) cause = NULL;

	path = options->socket ? g_strdup(options->socket)
			       : socket_of_config(config ? config : DEFAULT_CONFIG);
	if (connect_to(session, path, &cause))
		return TRUE;
	if (options->socket || !is_nobody(cause))
		return refuse_connection(path, cause, error);
	return start_program(session, config, NULL, error);
}

/* "database" of the daemon that was named. */
static char *
database_of_daemon(const Options *options, GError **error)
{
	g_auto(Session) session = { 0 };
	g_autofree char *reply = session_open(&session, options, error)
					 ? session_ask(&session, "[\"status\"]", error)
					 : NULL;
	g_autoptr(JsonParser) parser = json_parser_new();
	JsonArray *rows;

	if (!reply || !json_parser_load_from_data(parser, reply, -1, error))
		return NULL;
	rows = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)),
					    "rows");
	for (guint i = 0; rows && i < json_array_get_length(rows); i++) {
		JsonArray *row = json_array_get_array_element(rows, i);

		if (g_str_equal(json_array_get_string_element(row, 0), "database"))
			return g_strdup(json_array_get_string_element(row, 1));
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
		    "the daemon does not say where its database is; write --config and the "
		    "daemon's configuration");
	return NULL;
}

/* A copy is made by a program of its own, so that no call waits for it and the file is that
 * of who asks. */
static gboolean
open_for_backup(Session *session, const Options *options, GError **error)
{
	g_autofree char *database = NULL;

	if (options->socket && !(database = database_of_daemon(options, error)))
		return FALSE;
	return start_program(session, options->config, database, error);
}

char *
session_ask_once(const Options *options, gboolean backup, const char *request, GError **error)
{
	g_auto(Session) session = { 0 };

	if (!(backup ? open_for_backup(&session, options, error)
		     : session_open(&session, options, error)))
		return NULL;
	return session_ask(&session, request, error);
}

char *
request_text(char **words)
{
	g_autoptr(JsonArray) array = json_array_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);

	for (char **word = words; word && *word; word++)
		json_array_add_string_element(array, *word);
	json_node_set_array(root, array);
	return json_to_string(root, FALSE);
}
