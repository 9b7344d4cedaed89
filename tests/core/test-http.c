/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-http.c - the HTTP listener: what it answers, to whom, and while nobody is there. */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "b2bua/call/core.h"
#include "b2bua/http/http.h"
#include "b2bua/report/report_call.h"

#define PATIENCE_MS 20000
#define SCRAPE	    "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"

static Config *config;
static Store *store;
static Gateway *gateway;
static Http *http;
static gboolean connected;

static gboolean
start_plugin(Gateway *where, GError **error)
{
	return TRUE;
}

static void
stop_plugin(void)
{
}

static void
status(StatusFunc func, gpointer user)
{
	func(user, &(StatusRow){ .key = "up", .number = connected, .quiet = TRUE });
	func(user, &(StatusRow){ .key = "legs in use", .number = 7 });
	func(user, &(StatusRow){ .key = "stream", .text = "online" });
	func(user, &(StatusRow){ .trunk = "a", .key = "up", .number = 1, .quiet = TRUE });
	func(user, &(StatusRow){ .trunk = "a", .key = "state", .text = "fine" });
	func(user, &(StatusRow){ .trunk = "b", .key = "up", .number = 0, .quiet = TRUE });
}

static const OperatorVerbs operators = { .status = status };
static const Plugin plugin = { .interface_version = PLUGIN_INTERFACE_VERSION,
			       .name = "fake",
			       .start = start_plugin,
			       .stop = stop_plugin,
			       .operators = &operators };

static void
set_up(void)
{
	g_autoptr(GError) error = NULL;

	connected = TRUE;
	config = config_load(NULL, &error);
	store = store_open(":memory:", &error);
	gateway = core_new(config, store, NULL);
	g_assert_true(gateway_add_plugin(gateway, &plugin, &error));
	http = http_start(gateway, "127.0.0.1", 0, &error);
	g_assert_no_error(error);
}

static void
tear_down(void)
{
	http_stop(http);
	core_free(gateway);
	store_close(store);
	config_free(config);
}

static int
connect_to(guint port)
{
	struct sockaddr_in there = { .sin_family = AF_INET,
				     .sin_port = htons((guint16)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_assert_cmpint(connect(fd, (struct sockaddr *)&there, sizeof there), ==, 0);
	return fd;
}

/* All that comes until the end or, when `turns`, while the main loop turns. */
static char *
read_all(int fd, gboolean turns)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
	GString *text = g_string_new(NULL);
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char buffer[4096];
	gssize n = 1;

	while (n > 0) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		while (turns && g_main_context_iteration(NULL, FALSE))
			continue;
		if (poll(&poller, 1, 10) <= 0)
			continue;
		n = read(fd, buffer, sizeof buffer);
		if (n > 0)
			g_string_append_len(text, buffer, n);
	}
	close(fd);
	return g_string_free(text, FALSE);
}

static void
say(int fd, const char *text)
{
	g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
}

static char *
request(const char *line, gboolean turns)
{
	g_autofree char *text = g_strdup_printf(
		"%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", line);
	int fd = connect_to(http_port(http));

	say(fd, text);
	return read_all(fd, turns);
}

static void
assert_answer(const char *line, guint wanted, const char *part)
{
	g_autofree char *answer = request(line, TRUE);
	g_autofree char *head = g_strdup_printf("HTTP/1.1 %u ", wanted);

	if (!g_str_has_prefix(answer, head) || !strstr(answer, part))
		g_error("%s has no %s: %s", line, part, answer);
}

static void
test_answers(void)
{
	set_up();
	assert_answer("GET /health", 200, "{\"healthy\":true,");
	assert_answer("GET /ready", 200, "\"ready\":true");
	assert_answer("GET /ready", 200, "\"trunks\":{\"a\":true,\"b\":false}");
	assert_answer("GET /metrics", 200, "\ntandem_fake_up 1\n");
	assert_answer("GET /metrics", 200, "\ntandem_fake_legs_in_use 7\n");
	assert_answer(
		"GET /metrics", 200,
		"\ntandem_fake_trunk_up{trunk=\"a\"} 1\ntandem_fake_trunk_up{trunk=\"b\"} 0\n");
	assert_answer("GET /metrics", 200, "\ntandem_calls_total 0\n");
	assert_answer("GET /nothing", 404, "there are /metrics");
	assert_answer("GET /metricsx", 404, "there are /metrics");
	assert_answer("GET /health/x", 404, "there are /metrics");
	assert_answer("GET /", 404, "there are /metrics");
	/* each part would be a copy of the whole */
	assert_answer("GET /health HTTP/1.1\r\nRange: bytes=0-,0-,0-,0-\r\nX:", 200,
		      "\r\n\r\n{\"healthy\":true,");
	assert_answer("POST /metrics", 405, "Allow: GET, HEAD");
	assert_answer("HEAD /metrics", 200, "text/plain; version=0.0.4");
	connected = FALSE;
	assert_answer("GET /ready", 503, "\"fake\":false");
	connected = TRUE;
	gateway_set_stopping(gateway);
	assert_answer("GET /ready", 503, "\"stopping\":true");
	assert_answer("GET /metrics", 200, "\ntandem_stopping 1\n");
	assert_answer("GET /health", 200, "\"healthy\":true");
	tear_down();
}

/* A report is for whoever has its key, and for no other; only a key can tell which calls there
 * are. */
static void
test_report(void)
{
	g_autoptr(CallRecord) record = g_new0(CallRecord, 1);
	g_autofree char *path = NULL, *line = NULL, *missing = NULL, *none = NULL;
	g_autoptr(GError) error = NULL;

	set_up();
	record->state = g_strdup("ENDED");
	record->caller = g_strdup("<anna>@example.org");
	record->callee = g_strdup("+14155551234");
	record->caller_plugin = g_strdup("fake");
	record->legs = g_strdup("");
	record->ladder = g_strdup("");
	record->started_us = record->ended_us = g_get_real_time();
	g_assert_true(store_call_begin(store, record, &error));
	path = report_path(record->id);
	missing = report_path(record->id + 1);
	line = g_strconcat("GET ", path, NULL);
	none = g_strconcat("GET ", missing, NULL);
	assert_answer(line, 200, "<bdi>&lt;anna&gt;@example.org</bdi>");
	assert_answer(line, 200, "Content-Security-Policy: default-src 'none'");
	assert_answer(line, 200, "Content-Type: text/html; charset=utf-8");
	assert_answer(none, 404, "text/plain");
	*strchr(line, '?') = '\0';
	assert_answer(line, 403, "tandemctl report ID --link");
	assert_answer("GET /report/1?key=", 403, "key");
	assert_answer("GET /report/", 403, "key");
	assert_answer("GET /report", 403, "key");
	assert_answer("GET /report/9999999999999999999999?key=1", 403, "key");
	assert_answer("GET /reports", 404, "/report/ID");
	tear_down();
}

/* The signalling thread stands: nobody turns the main loop. */
static void
test_silence(void)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
	gboolean failing = FALSE;
	g_autofree char *ready = NULL;

	set_up();
	assert_answer("GET /health", 200, "\"healthy\":true");
	while (!failing) {
		g_autofree char *answer = request("GET /health", FALSE);

		failing = g_str_has_prefix(answer, "HTTP/1.1 503 ");
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
	ready = request("GET /ready", FALSE);
	g_assert_true(g_str_has_prefix(ready, "HTTP/1.1 503 "));
	g_assert_nonnull(strstr(ready, "the signalling thread does not answer"));
	/* the question that was given up is still on its way, and harms nobody */
	assert_answer("GET /ready", 200, "\"ready\":true");
	assert_answer("GET /health", 200, "\"healthy\":true");
	tear_down();
}

/* It stops while somebody waits for an answer. */
static void
test_stop(void)
{
	g_autofree char *answer = NULL;
	int fd;

	set_up();
	fd = connect_to(http_port(http));
	say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	/* the question has come to this thread and is not looked at */
	while (!g_main_context_pending(NULL))
		g_thread_yield();
	tear_down();
	answer = read_all(fd, TRUE);
	if (*answer) /* else the connection was closed before */
		g_assert_nonnull(strstr(answer, "the gateway has stopped"));
}

/* A scraper that keeps its connection, whatever happens to it. */
static gpointer
scrape(gpointer connection)
{
	int fd = GPOINTER_TO_INT(connection);
	char buffer[65536];

	while (send(fd, SCRAPE, strlen(SCRAPE), MSG_NOSIGNAL) > 0 &&
	       read(fd, buffer, sizeof buffer) > 0)
		continue;
	close(fd);
	return NULL;
}

/* It stops at any moment of requests of several scrapers; nothing is left of them. */
static void
test_stop_among_scrapers(void)
{
	for (guint round = 0; round < 25; round++) {
		GThread *threads[4];

		set_up();
		for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
			threads[i] = g_thread_new("scraper", scrape,
						  GINT_TO_POINTER(connect_to(http_port(http))));
		for (guint turn = 0; turn < round; turn++)
			if (!g_main_context_iteration(NULL, FALSE))
				g_thread_yield();
		tear_down();
		for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
			g_thread_join(threads[i]);
		while (g_main_context_iteration(NULL, FALSE))
			continue;
	}
}

static void
test_strangers(void)
{
	static const char *const bad[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /metrics HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00",
		"GET /%00%ff/../metrics HTTP/1.0\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
	};

	set_up();
	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		int fd = connect_to(http_port(http));
		g_autofree char *answer = NULL;

		say(fd, bad[i]);
		shutdown(fd, SHUT_WR);
		answer = read_all(fd, TRUE);
		g_assert_null(strstr(answer, "tandem_calls_total"));
	}
	assert_answer("GET /health", 200, "\"healthy\":true");
	tear_down();
}

/* More connections than there may be are closed at once, and leave room when they go. */
static void
test_connections(void)
{
	int fds[HTTP_CONNECTIONS];
	g_autofree char *answer = NULL;
	gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
	gboolean again = FALSE;

	set_up();
	for (guint i = 0; i < HTTP_CONNECTIONS; i++)
		fds[i] = connect_to(http_port(http));
	answer = read_all(connect_to(http_port(http)), TRUE);
	g_assert_cmpstr(answer, ==, "");
	say(fds[3], "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	g_free(answer);
	answer = read_all(fds[3], TRUE);
	g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 "));
	for (guint i = 0; i < HTTP_CONNECTIONS; i++)
		if (i != 3)
			close(fds[i]);
	while (!again) {
		g_autofree char *one = request("GET /health", TRUE);

		again = g_str_has_prefix(one, "HTTP/1.1 200 ");
		g_assert_cmpint(g_get_monotonic_time(), <, until);
	}
	tear_down();
}

static void
test_taken_port(void)
{
	g_autoptr(GError) error = NULL;

	set_up();
	g_assert_null(http_start(gateway, "127.0.0.1", http_port(http), &error));
	g_assert_nonnull(strstr(error->message, "[http] address=127.0.0.1, port="));
	tear_down();
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http/answers", test_answers);
	g_test_add_func("/http/report", test_report);
	g_test_add_func("/http/silence", test_silence);
	g_test_add_func("/http/stop", test_stop);
	g_test_add_func("/http/stop-among-scrapers", test_stop_among_scrapers);
	g_test_add_func("/http/strangers", test_strangers);
	g_test_add_func("/http/connections", test_connections);
	g_test_add_func("/http/taken-port", test_taken_port);
	return g_test_run();
}
