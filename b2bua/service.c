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

static const char *
message_of(const GLogField *fields, gsize n_fields)
{
	for (gsize i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, "MESSAGE") == 0 && fields[i].length < 0)
			return fields[i].value;
	return "";
}

static gboolean
log_to_journal(GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
	const char *message = message_of(fields, n_fields);
	const char *id = log_line_message_id(message);
	gint64 call = log_line_call(message);
	g_autofree char *call_text = g_strdup_printf("%" G_GINT64_FORMAT, call);
	GLogField named[MAX_FIELDS];

	n_fields = MIN(n_fields, MAX_FIELDS - 3);
	memcpy(named, fields, n_fields * sizeof *fields);
	named[n_fields++] = (GLogField){ "SYSLOG_IDENTIFIER", NAME, -1 };
	if (call > 0)
		named[n_fields++] = (GLogField){ "TANDEM_CALL", call_text, -1 };
	if (id)
		named[n_fields++] = (GLogField){ "MESSAGE_ID", id, -1 };
	return g_log_writer_journald(level, named, n_fields, NULL) == G_LOG_WRITER_HANDLED;
}

gboolean
service_log(LogFormat format, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
	g_autofree char *line = NULL;

	switch (format) {
	case LOG_TEXT:
		return FALSE;
	case LOG_JSON:
		line = log_line_json(level, message_of(fields, n_fields), g_get_real_time());
		fprintf(stderr, "%s\n", line);
		return TRUE;
	case LOG_AUTO:
		if (!g_log_writer_is_journald(STDERR_FILENO))
			return FALSE;
		break;
	case LOG_JOURNAL:
		break;
	}
	return log_to_journal(level, fields, n_fields);
}
