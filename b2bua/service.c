/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* service.c - the daemon as a service of the system. */
#include "b2bua/service.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME		   "tandemd"
#define MAX_FIELDS	   32
#define STOP_SPARE_SECONDS 15 /* to hang up and to write what is left */

static guint watch; /* the process has one main loop */

void
service_notify(const char *state)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize length = path ? strlen(path) : 0;
	int fd;

	if (length == 0 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@') /* the abstract name space */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), 0, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		g_warning("NOTIFY_SOCKET %s: %s", path, g_strerror(errno));
	close(fd);
}

static gboolean
on_watch_time(gpointer user)
{
	service_notify("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

void
service_watch_start(void)
{
	const char *usec = g_getenv("WATCHDOG_USEC"), *pid = g_getenv("WATCHDOG_PID");
	guint64 every_ms = usec ? g_ascii_strtoull(usec, NULL, 10) / 1000 / 3 : 0;

	if (every_ms == 0 || every_ms > G_MAXUINT || watch)
		return;
	if (pid && g_ascii_strtoll(pid, NULL, 10) != getpid())
		return;
	service_notify("WATCHDOG=1");
	watch = g_timeout_add((guint)every_ms, on_watch_time, NULL);
}

void
service_watch_stop(void)
{
	g_clear_handle_id(&watch, g_source_remove);
}

void
service_stopping(guint seconds)
{
	g_autofree char *state =
		g_strdup_printf("STOPPING=1\nEXTEND_TIMEOUT_USEC=%" G_GUINT64_FORMAT,
				(guint64)(seconds + STOP_SPARE_SECONDS) * G_USEC_PER_SEC);

	service_notify(state);
}

void
service_fatal(const char *format, ...)
{
	g_autofree char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fprintf(stderr, "%s" NAME ": %s\n", g_getenv("JOURNAL_STREAM") ? "<3>" : "", line);
}

gboolean
service_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
	GLogField named[MAX_FIELDS];

	if (!g_log_writer_is_journald(STDERR_FILENO))
		return FALSE;
	n_fields = MIN(n_fields, MAX_FIELDS - 1);
	memcpy(named, fields, n_fields * sizeof *fields);
	named[n_fields] = (GLogField){ "SYSLOG_IDENTIFIER", NAME, -1 };
	return g_log_writer_journald(level, named, n_fields + 1, NULL) == G_LOG_WRITER_HANDLED;
}
