/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tandemctl.c - the admin's words to the gateway, its answer as a table.
 *
 * Knows no command: the words go as one JSON array to the control socket of the
 * running daemon, or to `tandemd --control` when none runs, and one JSON object
 * comes back.  Exit status: 0 done, 1 failed, 2 wrong input and nothing changed.
 */
#include <config.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixsocketaddress.h>
#include <json-glib/json-glib.h>
#include "cli/secret.h"

#define DEFAULT_CONFIG SYSCONFDIR "/tandem/tandem.conf"
#define DEFAULT_SOCKET RUNSTATEDIR "/tandem/control.sock"
#define GAP	       "  "

typedef struct {
	char *config, *socket; /* NULL: not given */
	gboolean json, help, version;
	char **words;
} Options;

typedef enum { DONE = 0, FAILED = 1, WRONG = 2 } Status;

#define CONNECT_SECONDS 5
#define ANSWER_SECONDS	20 /* of silence: the daemon answers within milliseconds */

static gboolean in_json; /* whatever happens is said as an object */

static Status complain(Status status, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
print_error_object(Status status, const char *text)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *valid = g_utf8_make_valid(text, -1), *line = NULL;

	json_object_set_boolean_member(object, "ok", FALSE);
	json_object_set_int_member(object, "status", status);
	json_object_set_string_member(object, "error", valid);
	json_node_set_object(root, object);
	line = json_to_string(root, FALSE);
	g_print("%s\n", line);
}

static Status
complain(Status status, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (in_json)
		print_error_object(status, text);
	else
		fprintf(stderr, "tandemctl: %s\n", text);
	return status;
}

/* --- asking --- */

/* Some editors begin a file with a byte order mark. */
static const char *
after_mark(const char *text)
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
	    g_key_file_load_from_data(file, after_mark(text), strlen(after_mark(text)),
				      G_KEY_FILE_NONE, NULL))
		socket_path = g_key_file_get_string(file, "gateway", "control_socket", NULL);
	return socket_path ? g_strstrip(socket_path) : g_strdup(DEFAULT_SOCKET);
}

/* --- a session: a line out, a line in --- */

typedef struct {
	GIOStream *connection; /* of the daemon; or */
	GSubprocess *program;  /* tandemd --control */
	GOutputStream *out;
	GDataInputStream *in;
} Session;

static void
session_clear(Session *session)
{
	g_clear_object(&session->in);
	g_clear_object(&session->connection);
	g_clear_object(&session->program);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

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
			    "tandemd has not answered for %d s; what was asked for may be done "
			    "all the same; see its log, and whether it lives",
			    ANSWER_SECONDS);
	} else if (error && !*error)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
			    "tandemd closed the connection without an answer; see its log");
}

static char *
session_ask(Session *session, const char *request, GError **error)
{
	g_autofree char *line = g_strconcat(request, "\n", NULL);
	g_autoptr(GError) unsent = NULL;
	char *reply = NULL;

	/* whoever could not be told may have said why before */
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
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			    "tandemd is neither running nor to be found beside tandemctl or on the "
			    "PATH");
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
			    "TANDEM_SOCKET) out to work on the database while none runs",
			    path);
	else
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
			    "%s: %s; tandemd seems to run and not to answer", path, cause->message);
	return FALSE;
}

/* The daemon, or the program where none runs.  A socket that was named is meant: nothing is
 * written behind the back of a daemon that listens elsewhere. */
static gboolean
open_session(Session *session, const Options *options, GError **error)
{
	const char *config = options->config;
	g_autofree char *path = NULL;
	g_autoptr(GError) cause = NULL;

	/* the words are the program's own, and wanted before there is a configuration */
	if (options->help || g_str_equal(options->words[0], "help"))
		return start_program(session, config, NULL, error);
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
	g_autofree char *reply = open_session(&session, options, error)
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
		    "the daemon does not say where its database is; name its --config");
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

static char *
ask(const Options *options, const char *request, GError **error)
{
	g_auto(Session) session = { 0 };
	gboolean backup = !options->help && g_str_equal(options->words[0], "backup");

	if (!(backup ? open_for_backup(&session, options, error)
		     : open_session(&session, options, error)))
		return NULL;
	return session_ask(&session, request, error);
}

static char *
request_text(char **words)
{
	g_autoptr(JsonArray) array = json_array_new();
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);

	for (char **word = words; word && *word; word++)
		json_array_add_string_element(array, *word);
	json_node_set_array(root, array);
	return json_to_string(root, FALSE);
}

/* --- showing --- */

static guint
terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static guint
char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static guint
text_width(const char *text)
{
	guint width = 0;

	for (; *text; text = g_utf8_next_char(text))
		width += char_width(g_utf8_get_char(text));
	return width;
}

/* A cell as text; what a stranger sent must not move the cursor. */
static char *
cell_text(JsonNode *node)
{
	g_autofree char *text = NULL;
	GString *clean = g_string_new(NULL);

	if (json_node_get_value_type(node) == G_TYPE_INT64)
		text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
	else
		text = g_strdup(json_node_get_string(node));
	for (const char *at = text ? text : ""; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(
			clean,
			g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ? '?' : c);
	}
	return g_string_free(clean, FALSE);
}

/* Cut to `room` columns, with an ellipsis; 0: as it is. */
static char *
cut(const char *text, guint room)
{
	GString *out = g_string_new(NULL);
	guint width = 0;

	if (room == 0 || text_width(text) <= room) {
		g_string_append(out, text);
		return g_string_free(out, FALSE);
	}
	for (; *text; text = g_utf8_next_char(text)) {
		width += char_width(g_utf8_get_char(text));
		if (width > room - 1)
			break;
		g_string_append_unichar(out, g_utf8_get_char(text));
	}
	g_string_append(out, "…");
	return g_string_free(out, FALSE);
}

static void
print_line(GPtrArray *cells, const guint *widths, guint terminal)
{
	g_autoptr(GString) line = g_string_new(NULL);
	g_autofree char *shown = NULL;

	for (guint i = 0; i < cells->len; i++) {
		const char *cell = cells->pdata[i];

		g_string_append_printf(line, "%s%s", i ? GAP : "", cell);
		for (guint pad = text_width(cell); i + 1 < cells->len && pad < widths[i]; pad++)
			g_string_append_c(line, ' ');
	}
	shown = cut(line->str, terminal);
	g_print("%s\n", g_strchomp(shown));
}

static GPtrArray *
cells_of(JsonArray *array)
{
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < json_array_get_length(array); i++)
		g_ptr_array_add(cells, cell_text(json_array_get_element(array, i)));
	return cells;
}

static void
print_lines(GPtrArray *lines, gboolean heading)
{
	guint terminal = terminal_columns(), widths[32] = { 0 };
	gboolean bold = heading && isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");

	for (guint i = 0; i < lines->len; i++) {
		GPtrArray *cells = lines->pdata[i];

		for (guint c = 0; c < MIN(cells->len, G_N_ELEMENTS(widths)); c++)
			widths[c] = MAX(widths[c], text_width(cells->pdata[c]));
	}
	for (guint i = heading ? 0 : 1; i < lines->len; i++) {
		if (i == 0 && bold)
			g_print("\033[1m");
		print_line(lines->pdata[i], widths, terminal);
		if (i == 0 && bold)
			g_print("\033[0m");
	}
}

/* "key", "value" is a card: its heading would say nothing. */
static void
print_table(JsonArray *columns, JsonArray *rows)
{
	g_autoptr(GPtrArray) lines =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	gboolean card;

	if (json_array_get_length(rows) == 0) {
		g_print("none\n");
		return;
	}
	card = json_array_get_length(columns) == 2 &&
	       g_strcmp0(json_array_get_string_element(columns, 0), "key") == 0;
	g_ptr_array_add(lines, cells_of(columns));
	for (guint i = 0; i < json_array_get_length(rows); i++)
		g_ptr_array_add(lines, cells_of(json_array_get_array_element(rows, i)));
	print_lines(lines, !card);
}

/* A ladder: line breaks stay, other control characters do not. */
static void
print_text(const char *text)
{
	gunichar last = '\n';

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c != '\n' && (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT))
			g_print("?");
		else
			g_print("%.*s", (int)(g_utf8_next_char(text) - text), text);
		last = c;
	}
	if (last != '\n')
		g_print("\n");
}

static Status
show(const char *reply, gboolean json)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	const char *cut_short;
	JsonObject *object;

	if (!json_parser_load_from_data(parser, reply, -1, NULL) ||
	    !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
		return complain(FAILED, "the answer is not understood: %s", reply);
	object = json_node_get_object(json_parser_get_root(parser));
	if (json)
		g_print("%s\n", reply);
	if (!json_object_get_boolean_member_with_default(object, "ok", FALSE)) {
		Status status = json_object_get_int_member_with_default(object, "status", 1) == 2
					? WRONG
					: FAILED;

		return json ? status
			    : complain(status, "%s",
				       json_object_get_string_member_with_default(object, "error",
										  "failed"));
	}
	cut_short = json_object_get_string_member_with_default(object, "error", NULL);
	if (json)
		return cut_short ? FAILED : DONE;
	if (json_object_has_member(object, "rows"))
		print_table(json_object_get_array_member(object, "columns"),
			    json_object_get_array_member(object, "rows"));
	if (json_object_has_member(object, "text"))
		print_text(json_object_get_string_member(object, "text"));
	return cut_short ? complain(FAILED, "the list is cut short: %s", cut_short) : DONE;
}

/* --- the command line --- */

static void
print_help(void)
{
	g_print("Usage: tandemctl [OPTION]… COMMAND [WORD]…\n\n"
		"  user add|list|show|set|del     who may call and be called\n"
		"  number add|list|show|set|del   telephone numbers and whose they are\n"
		"  softphone add|list|show|password|del\n"
		"                                 SIP phones of users, beside their XMPP clients\n"
		"  trunk add|list|show|set|del    carriers and PBXs\n"
		"  route add|list|test|del        which numbers may be called, and by whom\n"
		"  calls [--last N]               live and recent calls\n"
		"  call show ID                   all about one call\n"
		"  ladder ID                      who said what when in one call\n"
		"  hangup ID                      end a live call\n"
		"  sources [lift ADDRESS|all]     SIP addresses that failed and are slowed or "
		"ignored\n"
		"  status                         the gateway at a glance\n"
		"  import FILE|-                  many users, numbers, trunks … as JSON lines\n"
		"  backup FILE                    a copy of the database, for you alone\n"
		"  reload                         take over what changed in tandem.conf and the "
		"store\n"
		"  help [COMMAND]                 the words of each command\n\n"
		"Users, numbers and trunks may be changed with tandemd running or not, and hold\n"
		"at once.  password=- asks for a password, or reads it from standard input.\n\n"
		"  --config FILE   key file of tandemd [TANDEM_CONFIG, " DEFAULT_CONFIG "]\n"
		"  --socket PATH   control socket [TANDEM_SOCKET, else from the key file]\n"
		"  --json          the answer as one JSON object\n"
		"  --help          this, or after a command its words\n"
		"  --version\n\n"
		"Exit status: 0 done, 1 failed, 2 wrong input and nothing changed.\n");
}

static gboolean
take_value(char ***at, const char *name, char **value)
{
	gsize length = strlen(name);

	if (strncmp(**at, name, length) != 0)
		return FALSE;
	if ((**at)[length] == '=') {
		*value = **at + length + 1;
		return TRUE;
	}
	if ((**at)[length] != '\0')
		return FALSE;
	*value = *(*at + 1) ? *++*at : NULL;
	return TRUE;
}

/* Options may stand anywhere; after "--" all are words. */
static gboolean
parse_options(char **arguments, Options *options)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	char *missing = (char *)"";

	options->config = (char *)g_getenv("TANDEM_CONFIG");
	options->socket = (char *)g_getenv("TANDEM_SOCKET");
	for (char **at = arguments; *at; at++) {
		char **value = NULL;

		if (g_str_equal(*at, "--")) {
			g_strv_builder_addv(words, (const char **)at + 1);
			break;
		}
		if (g_str_equal(*at, "--json"))
			options->json = TRUE;
		else if (g_str_equal(*at, "--help") || g_str_equal(*at, "-h"))
			options->help = TRUE;
		else if (g_str_equal(*at, "--version"))
			options->version = TRUE;
		else if (take_value(&at, "--config", &missing))
			value = &options->config;
		else if (take_value(&at, "--socket", &missing))
			value = &options->socket;
		else
			g_strv_builder_add(words, *at);
		if (value && !(*value = missing))
			return FALSE;
	}
	options->words = g_strv_builder_end(words);
	return TRUE;
}

/* What only the client knows: help as a command, the width of a ladder. */
static char *
build_request(const Options *options)
{
	g_autofree char *columns = g_strdup_printf("%u", CLAMP(terminal_columns(), 40, 1000));
	guint n_words = g_strv_length(options->words);
	char *help[] = { (char *)"help", options->words[0],
			 options->words[0] ? options->words[1] : NULL, NULL };
	char *drawn[] = { options->words[0], options->words[0] ? options->words[1] : NULL, columns,
			  NULL };

	if (options->help)
		return request_text(help);
	if (n_words == 2 && g_str_equal(options->words[0], "ladder") && terminal_columns() > 0)
		return request_text(drawn);
	return request_text(options->words);
}

/* --- import: portions of lines, and what was said of each --- */

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
		refuse_line(import, length >= IMPORT_BYTES / 2 ? "longer than 20000 bytes"
							       : "not UTF-8; save the file so");
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

		memmove(line, after_mark(line), strlen(after_mark(line)) + 1);
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
				       " or a few lines after it: %s; what stands before is done, "
				       "and the file may be imported again as a whole",
				       import->first, failure->message);
	else
		said = g_strdup_printf("%u of %" G_GUINT64_FORMAT " lines were not taken", refused,
				       import->lines);
	if (in_json) {
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

		g_print("softphone %s" GAP "password %s\n", json_array_get_string_element(row, 0),
			json_array_get_string_element(row, 1));
	}
	if (status != DONE)
		return complain(status, "%s", said);
	g_print("%" G_GUINT64_FORMAT " lines imported\n", import->lines);
	return DONE;
}

static Status
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
	if (!open_session(&import.session, options, &error))
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

static Status
serve(const Options *options)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *request = NULL, *reply = NULL, *shown = NULL;

	/* of trunks alone: nothing else has secrets, and a user may be called "password" */
	if (g_str_equal(options->words[0], "trunk") && !options->help) {
		if (!secret_take(options->words, &shown, &error))
			return complain(WRONG, "%s", error->message);
		if (shown)
			fprintf(stderr,
				"tandemctl: warning: ps and the shell's history show %s; write "
				"%s=- and it is asked for\n",
				shown, shown);
	}
	for (char **word = options->words; *word; word++)
		if (!g_utf8_validate(*word, -1, NULL))
			return complain(WRONG,
					"a word is not UTF-8; check the terminal's encoding");
	if (g_str_equal(options->words[0], "import") && !options->help)
		return import_file(options);
	request = build_request(options);
	reply = ask(options, request, &error);
	if (!reply)
		return complain(FAILED, "%s", error->message);
	return show(reply, options->json);
}

/* A script that keeps what is said must know when it has not been written. */
static Status
close_output(Status status)
{
	gboolean failed = ferror(stdout) != 0;

	if ((fclose(stdout) != 0 || failed) && errno != EPIPE) {
		fprintf(stderr, "tandemctl: the answer could not be written: %s\n",
			g_strerror(errno));
		return status == DONE ? FAILED : status;
	}
	return status;
}

int
main(int argc, char **argv)
{
	Options options = { 0 };
	Status status = DONE;

	setlocale(LC_ALL, "");
	in_json = g_strv_contains((const char *const *)argv, "--json");
	if (!parse_options(argv + 1, &options))
		return complain(WRONG, "--config and --socket need a path; write --config=FILE");
	if (options.version)
		g_print("tandemctl " PACKAGE_VERSION "\n");
	else if (options.help && !*options.words)
		print_help();
	else if (!*options.words)
		status = complain(WRONG, "a command is missing; see tandemctl --help");
	else if (**options.words == '-')
		status =
			complain(WRONG, "%s: unknown option; see tandemctl --help", *options.words);
	else
		status = serve(&options);
	g_strfreev(options.words);
	return close_output(status);
}
