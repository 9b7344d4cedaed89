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

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/service/watch", test_watch);
	g_test_add_func("/service/stopping", test_stopping);
	g_test_add_func("/service/fatal", test_fatal);
	return g_test_run();
}
