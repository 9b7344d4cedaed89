/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control.c - finds the command, prints the reply, and serves the socket.
 *
 * The tables of commands are in the other control_*.c.  A client
 * is one descriptor on the main loop; what it sends before a newline is bounded,
 * what it does not read is bounded by its not being read from meanwhile.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib-unix.h>
#include "b2bua/control_private.h"

#define MAX_LINE_BYTES 65536
#define MAX_WORDS      64
#define MAX_CLIENTS    16

/* --- replies --- */

void
reply_table(Request *request, const char *column, ...)
{
	JsonArray *columns = json_array_new();
	va_list more;

	va_start(more, column);
	for (; column; column = va_arg(more, const char *))
		json_array_add_string_element(columns, column);
	va_end(more);
	request->rows = json_array_new();
	json_object_set_array_member(request->reply, "columns", columns);
	json_object_set_array_member(request->reply, "rows", request->rows);
}

JsonArray *
reply_row(Request *request)
{
	JsonArray *row = json_array_new();

	json_array_add_array_element(request->rows, row);
	return row;
}

/* What strangers sent may be in a record: JSON wants UTF-8. */
void
row_add(JsonArray *row, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	json_array_add_string_element(row, valid);
}

void
row_add_int(JsonArray *row, gint64 number)
{
	json_array_add_int_element(row, number);
}

void
row_add_time(JsonArray *row, gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds ? g_date_time_new_from_unix_local(seconds) : NULL;
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;

	row_add(row, text);
}

void
reply_pair(Request *request, const char *key, const char *value)
{
	JsonArray *row = reply_row(request);

	row_add(row, key);
	row_add(row, value);
}

void
reply_key(Request *request, const char *name, const char *values, const char *fallback,
	  const char *help)
{
	JsonArray *row = reply_row(request);

	row_add(row, name);
	row_add(row, values);
	row_add(row, fallback);
	row_add(row, help);
}

void
reply_text(Request *request, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	json_object_set_string_member(request->reply, "text", valid);
}

gboolean
wrong(GError **error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_propagate_error(
		error, g_error_new_valist(CONTROL_ERROR, CONTROL_ERROR_WRONG, format, arguments));
	va_end(arguments);
	return FALSE;
}

typedef struct {
	Change what;
	char *key;
} Changed;

static void
changed_clear(gpointer data)
{
	g_free(((Changed *)data)->key);
}

gboolean
request_changed(Request *request, Change what, const char *key)
{
	Changed changed = { what, g_strdup(key) };

	g_array_append_val(request->changed, changed);
	return TRUE;
}

static void
tell_changed(const Request *request)
{
	for (guint i = 0; request->gateway && i < request->changed->len; i++) {
		const Changed *changed = &g_array_index(request->changed, Changed, i);

		gateway_changed(request->gateway, changed->what, changed->key);
	}
}

/* --- commands --- */

static const struct {
	const Command *commands;
	const guint *n;
} TABLES[] = {
	{ control_user_commands, &control_n_user_commands },
	{ control_phone_commands, &control_n_phone_commands },
	{ control_store_commands, &control_n_store_commands },
	{ control_trunk_commands, &control_n_trunk_commands },
	{ control_route_commands, &control_n_route_commands },
	{ control_live_commands, &control_n_live_commands },
};

static const Command *
command_at(guint i)
{
	for (guint table = 0; table < G_N_ELEMENTS(TABLES); table++) {
		if (i < *TABLES[table].n)
			return &TABLES[table].commands[i];
		i -= *TABLES[table].n;
	}
	return NULL;
}

static char *
usage(const Command *command)
{
	g_autofree char *line = g_strdup_printf(
		"%s %s %s", command->noun, command->verb ? command->verb : "", command->arguments);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	GString *text = g_string_new(NULL);

	for (char **word = words; *word; word++)
		if (**word)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", *word);
	return g_string_free(text, FALSE);
}

/* All commands, or those of a noun. */
static void
help_commands(Request *request, const char *noun)
{
	const Command *command;

	reply_table(request, "command", "does", NULL);
	for (guint i = 0; (command = command_at(i)); i++) {
		g_autofree char *line = usage(command);

		if (!noun || g_str_equal(noun, command->noun))
			reply_pair(request, line, command->help);
	}
}

/* The verbs of a noun, or all nouns, for the one who mistyped. */
static gboolean
unknown_command(Request *request, GError **error)
{
	g_autoptr(GString) verbs = g_string_new(NULL), nouns = g_string_new(NULL);
	const char *noun = request->words[0], *last = "";
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++) {
		if (!g_str_equal(last, command->noun))
			g_string_append_printf(nouns, " %s", command->noun);
		if (g_str_equal(noun, command->noun) && command->verb)
			g_string_append_printf(verbs, " %s", command->verb);
		last = command->noun;
	}
	if (verbs->len == 0)
		return wrong(error, "%s: unknown command; there are:%s help", noun, nouns->str);
	if (request->n_words == 1)
		return wrong(error, "%s: a word is missing; write %s and one of:%s", noun, noun,
			     verbs->str);
	return wrong(error, "%s %s: unknown command; write %s and one of:%s", noun,
		     request->words[1], noun, verbs->str);
}

static gboolean
is_noun(const char *word)
{
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++)
		if (g_str_equal(command->noun, word))
			return TRUE;
	return FALSE;
}

static const Command *
find_command(Request *request)
{
	const Command *command;

	for (guint i = 0; (command = command_at(i)); i++) {
		if (!g_str_equal(command->noun, request->words[0]))
			continue;
		if (!command->verb ||
		    (request->n_words > 1 && g_str_equal(command->verb, request->words[1])))
			return command;
	}
	return NULL;
}

/* "help", "help trunk", "help trunk set" with a row for each key it takes. */
static gboolean
help(Request *request, GError **error)
{
	const Command *command = request->n_words ? find_command(request) : NULL;

	if (request->n_words == 0) {
		help_commands(request, NULL);
		return TRUE;
	}
	if (!command && (request->n_words > 1 || !is_noun(request->words[0])))
		return unknown_command(request, error);
	if (!command || !command->keys) {
		help_commands(request, request->words[0]);
		return TRUE;
	}
	reply_table(request, "key", "values", "default", "does", NULL);
	command->keys(request);
	return TRUE;
}

static gboolean
run(Request *request, GError **error)
{
	const Command *command;
	g_autofree char *line = NULL;

	if (request->n_words == 0 || g_str_equal(request->words[0], "help")) {
		guint skip = MIN(request->n_words, 1);

		request->words += skip;
		request->n_words -= skip;
		return help(request, error);
	}
	command = find_command(request);
	if (!command)
		return unknown_command(request, error);
	request->words += command->verb ? 2 : 1;
	request->n_words -= command->verb ? 2 : 1;
	line = usage(command);
	if (request->n_words < command->n_min)
		return wrong(error, "a word is missing; write: %s", line);
	if (request->n_words > command->n_max)
		return wrong(error, "%s: one word too many; write: %s",
			     request->words[command->n_max], line);
	if (command->live && !request->gateway) {
		g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_FAILED,
			    "tandemd is not running: %s needs it; start it first", command->noun);
		return FALSE;
	}
	return command->handler(request, error);
}

/* A request is one array with none in it, on which the parser would recurse, and nothing
 * after it, of which the parser frees the first alone. */
static gboolean
is_flat(const char *line)
{
	gboolean quoted = FALSE;
	guint opened = 0, closed = 0;

	for (; *line; line++) {
		if (closed && !g_ascii_isspace(*line))
			return FALSE;
		if (quoted && *line == '\\' && line[1])
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (!quoted && (*line == '[' || *line == '{'))
			opened++;
		else if (!quoted && *line == ']')
			closed++;
		if (!opened && !g_ascii_isspace(*line))
			return FALSE;
	}
	return opened <= 1;
}

static char **
parse_words(const char *line, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	JsonNode *root;
	JsonArray *array;

	if (!g_utf8_validate(line, -1, NULL) || !is_flat(line) ||
	    !json_parser_load_from_data(parser, line, -1, NULL) ||
	    !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_ARRAY(root)) {
		wrong(error, "request: not a JSON array; write one such as [\"status\"]");
		return NULL;
	}
	array = json_node_get_array(root);
	if (json_array_get_length(array) > MAX_WORDS) {
		wrong(error, "request: more than %d words", MAX_WORDS);
		return NULL;
	}
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(node) ||
		    json_node_get_value_type(node) != G_TYPE_STRING) {
			wrong(error, "request: word %u is not a string; quote it", i + 1);
			return NULL;
		}
		g_strv_builder_add(builder, json_node_get_string(node));
	}
	return g_strv_builder_end(builder);
}

static gboolean
is_wrong_input(const GError *error)
{
	return g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_WRONG) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_EXISTS) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_NOT_FOUND) ||
	       g_error_matches(error, STORE_ERROR, STORE_ERROR_IN_USE);
}

static char *
print_reply(JsonObject *reply)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(root, reply);
	return json_to_string(root, FALSE);
}

/* `busy`: another process writes; nothing was changed, and it may be tried again. */
static char *
execute(Gateway *gateway, Store *store, const char *request_line, gboolean *busy)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) words = parse_words(request_line, &error);
	g_autoptr(JsonObject) reply = json_object_new();
	g_autofree char *message = NULL;
	g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(Changed));
	Request request = { .gateway = gateway,
			    .store = store,
			    .words = words,
			    .reply = reply,
			    .changed = changed };

	g_array_set_clear_func(changed, changed_clear);
	json_object_set_boolean_member(reply, "ok", TRUE);
	if (words) {
		request.n_words = g_strv_length(words);
		if (run(&request, &error)) {
			tell_changed(&request);
			return print_reply(reply);
		}
	}
	*busy = g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY);
	g_clear_pointer(&reply, json_object_unref);
	reply = json_object_new();
	json_object_set_boolean_member(reply, "ok", FALSE);
	json_object_set_int_member(reply, "status", is_wrong_input(error) ? 2 : 1);
	message = g_utf8_make_valid(error->message, -1);
	json_object_set_string_member(reply, "error", message);
	return print_reply(reply);
}

char *
control_execute(Gateway *gateway, Store *store, const char *request_line)
{
	gboolean busy;

	return execute(gateway, store, request_line, &busy);
}

/* --- the socket --- */

#define RETRY_MS 20
#define BUSY_US	 (5 * G_USEC_PER_SEC) /* then he is told that somebody else writes */

struct Control {
	Gateway *gateway;
	char *path;
	int fd;
	guint watch;
	GPtrArray *clients; /* Client *, owned */
};

typedef struct {
	Control *control;
	int fd;
	guint watch;
	GString *in, *out;
	/* He waits, and his next line with him: to be tried again, or for the disk. */
	char *line, *reply;
	guint retry;
	gint64 give_up; /* monotonic */
} Client;

static void
client_free(gpointer user)
{
	Client *client = user;

	store_forget_durable(gateway_store(client->control->gateway), client);
	g_clear_handle_id(&client->retry, g_source_remove);
	g_free(client->line);
	g_free(client->reply);
	g_source_remove(client->watch);
	close(client->fd);
	g_string_free(client->in, TRUE);
	g_string_free(client->out, TRUE);
	g_free(client);
}

static gboolean on_client(int fd, GIOCondition condition, gpointer user);

/* Reads while there is nothing to write. */
static void
rewatch(Client *client)
{
	client->watch =
		g_unix_fd_add(client->fd, client->out->len ? G_IO_OUT : G_IO_IN, on_client, client);
}

static void
send_reply(Client *client)
{
	g_string_append(client->out, client->reply);
	g_string_append_c(client->out, '\n');
	g_clear_pointer(&client->reply, g_free);
	g_clear_pointer(&client->line, g_free);
}

static void
on_durable(gpointer user)
{
	Client *client = user;

	send_reply(client);
	g_source_remove(client->watch);
	rewatch(client);
}

static gboolean on_retry(gpointer user);

/* Signalling waits for nobody: who wants something changed while another process writes
 * does, and until his change is on the disk.  TRUE: the reply is there. */
static gboolean
answer_now(Client *client)
{
	Gateway *gateway = client->control->gateway;
	gboolean busy = FALSE;

	client->reply = execute(gateway, gateway_store(gateway), client->line, &busy);
	if (busy && g_get_monotonic_time() < client->give_up) {
		g_clear_pointer(&client->reply, g_free);
		client->retry = g_timeout_add(RETRY_MS, on_retry, client);
		return FALSE;
	}
	if (store_when_durable(gateway_store(gateway), on_durable, client))
		return FALSE;
	send_reply(client);
	return TRUE;
}

static gboolean
on_retry(gpointer user)
{
	Client *client = user;

	client->retry = 0;
	if (!answer_now(client))
		return G_SOURCE_REMOVE;
	g_source_remove(client->watch);
	rewatch(client);
	return G_SOURCE_REMOVE;
}

static void
answer_line(Client *client, const char *line)
{
	client->line = g_strdup(line);
	client->give_up = g_get_monotonic_time() + BUSY_US;
	answer_now(client);
}

/* One line at a time: the next waits until the answer is written. */
static gboolean
take_line(Client *client)
{
	char *newline = client->line ? NULL : memchr(client->in->str, '\n', client->in->len);

	if (!newline)
		return client->in->len < MAX_LINE_BYTES;
	*newline = '\0';
	answer_line(client, client->in->str);
	g_string_erase(client->in, 0, newline + 1 - client->in->str);
	return TRUE;
}

static gboolean
read_some(Client *client)
{
	char buffer[4096];
	ssize_t n = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return FALSE;
	g_string_append_len(client->in, buffer, n);
	return take_line(client);
}

static gboolean
write_some(Client *client)
{
	ssize_t n =
		send(client->fd, client->out->str, client->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	g_string_erase(client->out, 0, n);
	return client->out->len > 0 || take_line(client);
}

static gboolean
on_client(int fd, GIOCondition condition, gpointer user)
{
	Client *client = user;
	gboolean writing = client->out->len > 0;

	if (!(writing ? write_some(client) : read_some(client))) {
		g_ptr_array_remove_fast(client->control->clients, client);
		return G_SOURCE_CONTINUE; /* client_free() has removed it */
	}
	if (writing == (client->out->len > 0))
		return G_SOURCE_CONTINUE;
	rewatch(client);
	return G_SOURCE_REMOVE;
}

static gboolean
on_connect(int fd, GIOCondition condition, gpointer user)
{
	Control *control = user;
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	Client *client;

	if (accepted < 0)
		return G_SOURCE_CONTINUE;
	if (control->clients->len >= MAX_CLIENTS) {
		close(accepted);
		return G_SOURCE_CONTINUE;
	}
	client = g_new0(Client, 1);
	client->control = control;
	client->fd = accepted;
	client->in = g_string_new(NULL);
	client->out = g_string_new(NULL);
	rewatch(client);
	g_ptr_array_add(control->clients, client);
	return G_SOURCE_CONTINUE;
}

static gboolean
fail(const char *path, const char *what, GError **error)
{
	g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_FAILED, "[gateway] control_socket = %s: %s",
		    path, what);
	return FALSE;
}

/* Removes what a dead daemon has left; never what a living one, or something
 * that is no socket, has there. */
static gboolean
clear_path(const struct sockaddr_un *name, GError **error)
{
	struct stat status;
	int fd, code;

	if (lstat(name->sun_path, &status) < 0)
		return errno == ENOENT || fail(name->sun_path, g_strerror(errno), error);
	if (!S_ISSOCK(status.st_mode))
		return fail(name->sun_path,
			    "a file that is no socket is there; remove it or choose "
			    "another path",
			    error);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	code = connect(fd, (const struct sockaddr *)name, sizeof *name) < 0 ? errno : 0;
	close(fd);
	if (code != ECONNREFUSED)
		return fail(name->sun_path,
			    code == 0 || code == EAGAIN
				    ? "another tandemd answers there; stop it or choose "
				      "another path"
				    : g_strerror(code),
			    error);
	unlink(name->sun_path);
	return TRUE;
}

static int
listen_at(const char *path, GError **error)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	mode_t before;
	int fd, code;

	g_strlcpy(name.sun_path, path, sizeof name.sun_path); /* config.c has checked the length */
	if (!clear_path(&name, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	before = umask(0117); /* 0660 from the first instant */
	code = bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, MAX_CLIENTS) < 0
		       ? errno
		       : 0;
	umask(before);
	if (code == 0)
		return fd;
	fail(path, g_strerror(code), error);
	close(fd);
	return -1;
}

Control *
control_start(Gateway *gateway, GError **error)
{
	const char *path = gateway_config(gateway)->control_socket;
	int fd = listen_at(path, error);
	Control *control;

	if (fd < 0)
		return NULL;
	control = g_new0(Control, 1);
	control->gateway = gateway;
	control->path = g_strdup(path);
	control->fd = fd;
	control->clients = g_ptr_array_new_with_free_func(client_free);
	control->watch = g_unix_fd_add(fd, G_IO_IN, on_connect, control);
	return control;
}

void
control_stop(Control *control)
{
	if (!control)
		return;
	g_source_remove(control->watch);
	g_ptr_array_unref(control->clients);
	close(control->fd);
	unlink(control->path);
	g_free(control->path);
	g_free(control);
}
