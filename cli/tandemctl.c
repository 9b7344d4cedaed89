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

static Status complain(Status status, const char *format, ...) G_GNUC_PRINTF(2, 3);

static Status
complain(Status status, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fprintf(stderr, "tandemctl: %s\n", text);
	return status;
}

/* --- asking --- */

/* The control socket as the key file has it. */
static char *
socket_of_config(const char *path)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	char *socket_path = NULL;

	if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
		socket_path = g_key_file_get_string(file, "gateway", "control_socket", NULL);
	return socket_path ? g_strstrip(socket_path) : g_strdup(DEFAULT_SOCKET);
}

static GSocketConnection *
connect_to(const char *path, GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);

	return g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
}

static char *
ask_daemon(GSocketConnection *connection, const char *request, GError **error)
{
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	g_autoptr(GDataInputStream) in =
		g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	g_autofree char *line = g_strconcat(request, "\n", NULL);
	char *reply;

	if (!g_output_stream_write_all(out, line, strlen(line), NULL, NULL, error))
		return NULL;
	reply = g_data_input_stream_read_line(in, NULL, NULL, error);
	if (!reply && error && !*error)
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_CLOSED,
			    "tandemd closed the connection without an answer; see its log");
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

static char *
ask_program(const char *config, const char *request, GError **error)
{
	g_autofree char *program = find_tandemd();
	const char *arguments[] = { program, "--control", config ? "--config" : NULL, config,
				    NULL };
	g_autofree char *line = g_strconcat(request, "\n", NULL);
	g_autofree char *out = NULL, *err = NULL;
	g_autoptr(GSubprocess) process = NULL;

	if (!program) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			    "tandemd is neither running nor to be found beside tandemctl or on the "
			    "PATH");
		return NULL;
	}
	process = g_subprocess_newv(arguments,
				    G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
					    G_SUBPROCESS_FLAGS_STDERR_PIPE,
				    error);
	if (!process || !g_subprocess_communicate_utf8(process, line, NULL, &out, &err, error))
		return NULL;
	if (out && strchr(out, '\n'))
		return g_strndup(out, (gsize)(strchr(out, '\n') - out));
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
		    err && *err ? g_strchomp(err) : "tandemd --control gave no answer");
	return NULL;
}

static char *
ask(const Options *options, const char *request, GError **error)
{
	const char *config = options->config;
	g_autofree char *path = NULL;
	g_autoptr(GSocketConnection) connection = NULL;
	g_autoptr(GError) cause = NULL;

	/* the words are the program's own, and wanted before there is a configuration */
	if (options->help || g_str_equal(options->words[0], "help"))
		return ask_program(config, request, error);
	path = options->socket ? g_strdup(options->socket)
			       : socket_of_config(config ? config : DEFAULT_CONFIG);
	connection = connect_to(path, &cause);
	if (connection)
		return ask_daemon(connection, request, error);
	if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED)) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "%s: permission denied; run this as root or as a member of the group "
			    "that owns the socket",
			    path);
		return NULL;
	}
	return ask_program(config, request, error);
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
	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c != '\n' && (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT))
			g_print("?");
		else
			g_print("%.*s", (int)(g_utf8_next_char(text) - text), text);
	}
}

static Status
show(const char *reply, gboolean json)
{
	g_autoptr(JsonParser) parser = json_parser_new();
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
	if (json)
		return DONE;
	if (json_object_has_member(object, "rows"))
		print_table(json_object_get_array_member(object, "columns"),
			    json_object_get_array_member(object, "rows"));
	else if (json_object_has_member(object, "text"))
		print_text(json_object_get_string_member(object, "text"));
	return DONE;
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
		"  reload                         take over what changed in the store\n"
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
	request = build_request(options);
	reply = ask(options, request, &error);
	if (!reply)
		return complain(FAILED, "%s", error->message);
	return show(reply, options->json);
}

int
main(int argc, char **argv)
{
	Options options = { 0 };
	Status status = DONE;

	setlocale(LC_ALL, "");
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
	return status;
}
