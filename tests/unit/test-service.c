/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-service.c - what systemd hears: played by a socket of the test. */
#include "b2bua/service.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
open_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *name = g_strdup_printf("@tandem-service-%d", getpid());
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	g_setenv("NOTIFY_SOCKET", name, TRUE);
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			==, 0);
	return fd;
}

static char *
heard(int fd)
{
	char text[512];
	ssize_t n = recv(fd, text, sizeof text, 0);

	return n >= 0 ? g_strndup(text, (gsize)n) : NULL;
}

static guint
count_watchdogs(int fd)
{
	guint n = 0;

	for (char *text = heard(fd); text; text = heard(fd)) {
		g_assert_cmpstr(text, ==, "WATCHDOG=1");
		g_free(text);
		n++;
	}
	return n;
}

static void
test_watch(void)
{
	int fd = open_socket();
	guint n = 0;

	g_setenv("WATCHDOG_USEC", "60000", TRUE);
	g_setenv("WATCHDOG_PID", "1", TRUE); /* somebody else's */
	service_watch_start();
	g_assert_cmpuint(count_watchdogs(fd), ==, 0);
	g_unsetenv("WATCHDOG_PID");
	service_watch_start();
	for (n = count_watchdogs(fd); n < 4; n += count_watchdogs(fd))
		g_main_context_iteration(NULL, TRUE);
	/* the loop stands: ten times what it may be silent for */
	g_usleep(600000);
	g_assert_cmpuint(count_watchdogs(fd), ==, 0);
	g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(count_watchdogs(fd), ==, 1);
	service_watch_stop();
	close(fd);
}

static void
test_stopping(void)
{
	int fd = open_socket();
	g_autofree char *text = NULL;

	service_stopping(300);
	text = heard(fd);
	g_assert_cmpstr(text, ==, "STOPPING=1\nEXTEND_TIMEOUT_USEC=315000000");
	close(fd);
}

/* The journal reads "<3>" as an error; a terminal shows none. */
static void
test_fatal(void)
{
	if (g_test_subprocess()) {
		service_fatal("no %s", "network");
		g_setenv("JOURNAL_STREAM", "1:2", TRUE);
		service_fatal("no %s", "network");
		return;
	}
	g_unsetenv("JOURNAL_STREAM");
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("tandemd: no network\n<3>tandemd: no network\n");
}

/* What a program reads of a record; nothing of a stranger's words makes a second line. */
static void
test_log_lines(void)
{
	static const struct {
		const char *message;
		gint64 call;
		gboolean has_id;
		const char *json;
	} CASES[] = {
		{ "ready", 0, FALSE, "\"message\":\"ready\"}" },
		{ "call 12: a to b ended by the caller: Hung up", 12, TRUE, "\"call\":12}" },
		{ "call 12: up", 12, FALSE, "\"message\":\"call 12: up\",\"call\":12}" },
		{ "call 12 is up", 0, FALSE, "is up\"}" },
		{ "call me: up", 0, FALSE, "up\"}" },
		{ "call -1: up", 0, FALSE, "up\"}" },
		{ "audit: uid 0: user add", 0, TRUE, "user add\"}" },
		{ "a \"b\"\n{\x01\xff}", 0, FALSE, "a \\\"b\\\"\\n{\\u0001" },
	};
	LogFormat format;

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *line = log_line_json(G_LOG_LEVEL_WARNING, CASES[i].message,
						      G_GINT64_CONSTANT(1764410400000007));

		g_assert_cmpint(log_line_call(CASES[i].message), ==, CASES[i].call);
		g_assert_cmpint(log_line_message_id(CASES[i].message) != NULL, ==, CASES[i].has_id);
		g_assert_true(g_str_has_prefix(line, "{\"time\":\"2025-11-29T10:00:00.000007Z\","
						     "\"level\":\"warning\",\"message\":"));
		if (!strstr(line, CASES[i].json))
			g_error("no %s in %s", CASES[i].json, line);
		g_assert_null(strchr(line, '\n'));
	}
	g_assert_true(log_format_find("json", &format) && format == LOG_JSON);
	g_assert_true(log_format_find("journal", &format) && format == LOG_JOURNAL);
	g_assert_false(log_format_find("xml", &format));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/service/watch", test_watch);
	g_test_add_func("/service/stopping", test_stopping);
	g_test_add_func("/service/fatal", test_fatal);
	g_test_add_func("/service/log-lines", test_log_lines);
	return g_test_run();
}
