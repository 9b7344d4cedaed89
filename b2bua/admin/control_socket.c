/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_socket.c - the control socket: a line in, a line out.
 *
 * A client is one descriptor on the main loop; what it sends before a newline is bounded,
 * and its answer is made in portions, the next one when the last has been read.  A client
 * that says nothing makes room for the next one, and is told so.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib-unix.h>
#include "b2bua/admin/control_private.h"
#include "b2bua/admin/memory.h"
#include "b2bua/doctor/doctor.h"

#define MAX_CLIENTS 32
/* One that does not read its answer has so long before it counts as idle. */
#define STUCK_US   (5 * G_USEC_PER_SEC)
#define RETRY_MS   20
#define REST_READS 64			/* of a line that is too long */
#define BUSY_US	   (5 * G_USEC_PER_SEC) /* then the client is told that another process writes */

guint control_idle_s = 60;

struct Control {
	Gateway *gateway;
	char *path;
	int fd;
	guint watch, sweeper;
	GPtrArray *clients;  /* Client *, owned */
	MemoryWatch *memory; /* for `status` */
};

typedef struct {
	Control *control;
	int fd;
	guint watch;
	char *who; /* "uid 0, pid 4711" */
	GString *in, *out;
	/* The client waits, and so does its next line: for another try, or for the disk. */
	gboolean waits;
	char *line;
	guint retry;
	gint64 give_up;	 /* monotonic */
	Reply *reply;	 /* under way */
	gint64 moved_us; /* when something was heard of it, or it heard something, last */
} Client;

static void
client_free(gpointer user)
{
	Client *client = user;

	store_forget_durable(gateway_store(client->control->gateway), client);
	g_clear_handle_id(&client->retry, g_source_remove);
	g_free(client->line);
	g_source_remove(client->watch);
	close(client->fd);
	reply_free(client->reply);
	g_string_free(client->in, TRUE);
	g_string_free(client->out, TRUE);
	g_free(client->who);
	g_free(client);
}

static gboolean on_client(int fd, GIOCondition condition, gpointer user);

static gboolean
is_answering(const Client *client)
{
	return !client->waits && (client->out->len > 0 || client->reply);
}

/* Reads while there is nothing to write. */
static void
rewatch(Client *client)
{
	client->watch = g_unix_fd_add(client->fd, is_answering(client) ? G_IO_OUT : G_IO_IN,
				      on_client, client);
}

static void
next_portion(Client *client)
{
	if (reply_next(client->reply, client->out))
		return;
	g_clear_pointer(&client->reply, reply_free);
	g_string_append_c(client->out, '\n');
}

/* What is asked for is still being found out: the client's end is seen meanwhile. */
static gboolean
on_paused(gpointer user)
{
	Client *client = user;

	client->retry = 0;
	client->waits = FALSE;
	client->moved_us = g_get_monotonic_time();
	g_source_remove(client->watch);
	rewatch(client);
	return G_SOURCE_REMOVE;
}

static void
pause_for(Client *client, guint ms)
{
	client->waits = TRUE;
	client->retry = g_timeout_add(ms, on_paused, client);
}

static void
go_on(Client *client)
{
	client->waits = FALSE;
	g_clear_pointer(&client->line, g_free);
}

static void
on_durable(gpointer user)
{
	Client *client = user;

	go_on(client);
	g_source_remove(client->watch);
	rewatch(client);
}

/* A part of many is on the disk with the last of them. */
static gboolean
is_part_of_import(const char *line)
{
	return g_str_has_prefix(line, "[\"import\",\"") &&
	       !g_str_has_prefix(line, "[\"import\",\"0\"");
}

static gboolean on_retry(gpointer user);

/* Signalling waits for nobody.  A client that changes something while another process writes
 * waits, and so does each until its change is on the disk. */
static void
answer_now(Client *client)
{
	Store *store = gateway_store(client->control->gateway);
	gboolean more;

	client->reply = reply_new(client->control->gateway, store, client->who, client->line);
	more = reply_next(client->reply, client->out);
	if (reply_is_busy(client->reply) && g_get_monotonic_time() < client->give_up) {
		g_clear_pointer(&client->reply, reply_free);
		g_string_truncate(client->out, 0);
		client->retry = g_timeout_add(RETRY_MS, on_retry, client);
		return;
	}
	if (!more) {
		g_clear_pointer(&client->reply, reply_free);
		g_string_append_c(client->out, '\n');
	}
	if (is_part_of_import(client->line) || !store_when_durable(store, on_durable, client))
		go_on(client);
}

static gboolean
on_retry(gpointer user)
{
	Client *client = user;

	client->retry = 0;
	answer_now(client);
	if (client->waits)
		return G_SOURCE_REMOVE;
	g_source_remove(client->watch);
	rewatch(client);
	return G_SOURCE_REMOVE;
}

/* What is left of it is read before the end, or the word would be lost with it. */
static gboolean
refuse_long_line(Client *client)
{
	g_autofree char *word = control_refusal("a line is at most " G_STRINGIFY(
		CONTROL_MAX_LINE_BYTES) " bytes; write less at once");
	char rest[4096];

	(void)!send(client->fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(client->fd, SHUT_WR);
	for (guint i = 0; i < REST_READS; i++)
		if (recv(client->fd, rest, sizeof rest, MSG_DONTWAIT) <= 0)
			break;
	return FALSE;
}

/* One line at a time: the next waits until the answer is written. */
static gboolean
take_line(Client *client)
{
	char *newline = client->waits ? NULL : memchr(client->in->str, '\n', client->in->len);

	if (!newline && client->in->len >= CONTROL_MAX_LINE_BYTES)
		return refuse_long_line(client);
	if (!newline)
		return TRUE;
	*newline = '\0';
	client->waits = TRUE;
	client->line = g_strdup(client->in->str);
	client->give_up = g_get_monotonic_time() + BUSY_US;
	g_string_erase(client->in, 0, newline + 1 - client->in->str);
	answer_now(client);
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
	client->moved_us = g_get_monotonic_time();
	g_string_append_len(client->in, buffer, n);
	return take_line(client);
}

/* A portion a turn of the loop, however fast it is read. */
static gboolean
write_some(Client *client)
{
	ssize_t n;

	if (client->out->len == 0)
		next_portion(client);
	if (client->out->len == 0 && client->reply && reply_pause_ms(client->reply)) {
		pause_for(client, reply_pause_ms(client->reply));
		return TRUE;
	}
	n = send(client->fd, client->out->str, client->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->moved_us = g_get_monotonic_time();
	g_string_erase(client->out, 0, n);
	return client->out->len > 0 || client->reply || take_line(client);
}

static gboolean
on_client(int fd, GIOCondition condition, gpointer user)
{
	Client *client = user;
	gboolean writing = is_answering(client);

	if (!(writing ? write_some(client) : read_some(client))) {
		g_ptr_array_remove_fast(client->control->clients, client);
		return G_SOURCE_CONTINUE; /* client_free() has removed it */
	}
	if (writing == is_answering(client))
		return G_SOURCE_CONTINUE;
	rewatch(client);
	return G_SOURCE_REMOVE;
}

/* --- who makes room --- */

/* Its last word, where it is waiting for one. */
static void
dismiss(Client *client, const char *why)
{
	if (!is_answering(client) && !client->waits) {
		g_autofree char *word = control_refusal(why);

		(void)!send(client->fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	g_ptr_array_remove_fast(client->control->clients, client);
}

/* The one that has not moved for the longest time. */
static Client *
idlest(const Control *control)
{
	Client *found = NULL;

	for (guint i = 0; i < control->clients->len; i++) {
		Client *client = control->clients->pdata[i];

		if (!found || client->moved_us < found->moved_us)
			found = client;
	}
	return found;
}

static gboolean
on_sweep(gpointer user)
{
	Control *control = user;
	gint64 deadline = g_get_monotonic_time() - control_idle_s * G_USEC_PER_SEC;

	for (guint i = control->clients->len; i-- > 0;) {
		Client *client = control->clients->pdata[i];

		if (client->moved_us < deadline)
			dismiss(client, "nothing was said for too long; connect again");
	}
	return G_SOURCE_CONTINUE;
}

/* A client that waits for a line, or does not read its answer. */
static gboolean
make_room(Control *control)
{
	Client *client = idlest(control);

	if (control->clients->len < MAX_CLIENTS)
		return TRUE;
	if (is_answering(client) && g_get_monotonic_time() - client->moved_us < STUCK_US)
		return FALSE;
	dismiss(client, "others want to connect, and this connection had been silent for the "
			"longest time; connect again");
	return TRUE;
}

static char *
who_is(int fd)
{
	struct ucred credentials;
	socklen_t size = sizeof credentials;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return g_strdup("uid ?");
	return g_strdup_printf("uid %u, pid %d", (guint)credentials.uid, (int)credentials.pid);
}

static gboolean
on_connect(int fd, GIOCondition condition, gpointer user)
{
	Control *control = user;
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	Client *client;

	if (accepted < 0)
		return G_SOURCE_CONTINUE;
	if (!make_room(control)) {
		g_autofree char *word = control_refusal("too many clients are connected and being "
							"answered; try again in some seconds");

		(void)!send(accepted, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(accepted);
		return G_SOURCE_CONTINUE;
	}
	client = g_new0(Client, 1);
	client->control = control;
	client->fd = accepted;
	client->who = who_is(accepted);
	client->in = g_string_new(NULL);
	client->out = g_string_new(NULL);
	client->moved_us = g_get_monotonic_time();
	rewatch(client);
	g_ptr_array_add(control->clients, client);
	return G_SOURCE_CONTINUE;
}

/* --- its place in the file system --- */

static gboolean
fail(const char *path, const char *what, GError **error)
{
	g_set_error(error, CONTROL_ERROR, 0, "[gateway] control_socket = %s: %s", path, what);
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

	g_strlcpy(name.sun_path, path,
		  sizeof name.sun_path); /* config_value.c has checked the length */
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
	control->memory = memory_watch();
	control->sweeper = g_timeout_add(control_idle_s * 100, on_sweep, control);
	return control;
}

void
control_stop(Control *control)
{
	if (!control)
		return;
	g_source_remove(control->watch);
	g_source_remove(control->sweeper);
	g_ptr_array_unref(control->clients);
	doctor_settle();
	memory_unwatch(control->memory);
	close(control->fd);
	unlink(control->path);
	g_free(control->path);
	g_free(control);
}
