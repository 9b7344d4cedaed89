/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-hook.c - the hook: real programs, and a real HTTP server that fails, is slow and dies. */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <sqlite3.h>
#include "b2bua/call/core.h"
#include "b2bua/http/hook.h"

#define PATIENCE_US (60 * G_USEC_PER_SEC)

typedef struct {
	char *folder, *database, *taken, *mode, *program;
	Config *config;
	Store *store;
	Gateway *gateway;
	Hook *hook;
	/* the server */
	SoupServer *server;
	GSocketService *listener;
	guint port, status, asked;
	GString *bodies;
	char *token;
	gboolean silent;
	GPtrArray *held; /* SoupServerMessage *, never answered */
} Rig;

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static GString *log_text; /* under the lock */

static GLogWriterOutput
keep_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer user)
{
	g_autofree char *line = g_log_writer_format_fields(level, fields, n, FALSE);

	if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return g_log_writer_default(level, fields, n, user);
	pthread_mutex_lock(&log_lock);
	if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE))
		g_string_append_printf(log_text, "%s\n", line);
	pthread_mutex_unlock(&log_lock);
	return G_LOG_WRITER_HANDLED;
}

/* --- the rig --- */

static void
write_program(Rig *rig, const char *script)
{
	g_autofree char *text =
		g_strdup_printf("#!/bin/sh\ntaken=%s\nmode=$(cat %s 2>/dev/null)\n%s", rig->taken,
				rig->mode, script);

	g_assert_true(g_file_set_contents(rig->program, text, -1, NULL));
	g_assert_cmpint(chmod(rig->program, 0700), ==, 0);
}

static void
set_up(Rig *rig, gconstpointer unused)
{
	rig->folder = g_dir_make_tmp("hook-XXXXXX", NULL);
	rig->database = g_build_filename(rig->folder, "tandem.db", NULL);
	rig->taken = g_build_filename(rig->folder, "taken", NULL);
	rig->mode = g_build_filename(rig->folder, "mode", NULL);
	rig->program = g_build_filename(rig->folder, "program", NULL);
	rig->config = config_load(NULL, NULL);
	g_free(rig->config->database);
	rig->config->database = g_strdup(rig->database);
	rig->bodies = g_string_new(NULL);
	rig->held = g_ptr_array_new();
	rig->status = 200;
	g_string_truncate(log_text, 0);
	write_program(rig, "cat >>$taken\n");
}

static void
start(Rig *rig, const char *target)
{
	g_autoptr(GError) error = NULL;

	g_free(rig->config->hook);
	rig->config->hook = g_strdup(target);
	rig->store = store_open(rig->database, &error);
	g_assert_no_error(error);
	g_assert_true(store_hook_set(rig->store, target, &error));
	rig->gateway = core_new(rig->config, rig->store, NULL);
	rig->hook = hook_start(rig->gateway, &error);
	g_assert_no_error(error);
}

static void
stop(Rig *rig)
{
	hook_stop(g_steal_pointer(&rig->hook));
	if (rig->gateway) /* a test may have stopped it */
		core_free(g_steal_pointer(&rig->gateway));
	g_clear_pointer(&rig->store, store_close);
}

static void
remove_file(const char *path)
{
	g_assert_true(g_unlink(path) == 0 || !g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
end_server(Rig *rig)
{
	if (!rig->server)
		return;
	g_socket_service_stop(rig->listener);
	g_socket_listener_close(G_SOCKET_LISTENER(rig->listener));
	g_clear_object(&rig->listener);
	soup_server_disconnect(rig->server);
	g_clear_object(&rig->server);
}

static void
tear_down(Rig *rig, gconstpointer unused)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	stop(rig);
	end_server(rig);
	for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		g_autofree char *path = g_strconcat(rig->database, suffixes[i], NULL);

		remove_file(path);
	}
	remove_file(rig->taken);
	remove_file(rig->mode);
	remove_file(rig->program);
	g_assert_cmpint(g_rmdir(rig->folder), ==, 0);
	config_free(rig->config);
	g_string_free(rig->bodies, TRUE);
	g_ptr_array_unref(rig->held);
	g_free(rig->token);
	g_free(rig->folder);
	g_free(rig->database);
	g_free(rig->taken);
	g_free(rig->mode);
	g_free(rig->program);
}

static void
set_mode(Rig *rig, const char *mode)
{
	g_assert_true(g_file_set_contents(rig->mode, mode, -1, NULL));
}

static void
end_calls(Rig *rig, guint n)
{
	for (guint i = 0; i < n; i++) {
		CallRecord record = { .state = (char *)"SETUP",
				      .started_us = g_get_real_time(),
				      .caller = (char *)"alice@example.org/phone",
				      .callee = (char *)"+4930123456",
				      .user = (char *)"alice@example.org",
				      .trunk = (char *)"carrier" };

		g_assert_true(store_call_begin(rig->store, &record, NULL));
		record.state = (char *)"ENDED";
		record.answered_us = record.started_us;
		record.ended_us = record.started_us + 90 * G_USEC_PER_SEC;
		record.reason = (char *)"hangup";
		record.text = (char *)"\"bye\"\n";
		record.ended_by = (char *)"caller";
		g_assert_true(store_call_update(rig->store, &record, NULL));
		/* written once more: told once */
		g_assert_true(store_call_update(rig->store, &record, NULL));
	}
}

/* They wait already when the hook starts, so all of them are in its first try. */
static void
end_calls_before(Rig *rig, guint n)
{
	rig->store = store_open(rig->database, NULL);
	g_assert_true(store_hook_set(rig->store, rig->program, NULL));
	end_calls(rig, n);
	store_close(g_steal_pointer(&rig->store));
}

static char *
taken_text(const Rig *rig)
{
	char *text = NULL;

	return g_file_get_contents(rig->taken, &text, NULL, NULL) ? text : g_strdup("");
}

/* "1 2 3": the ids of the calls, as they came. */
static char *
ids_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *ids = g_string_new(NULL);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "{\"id\":"))
			g_string_append_printf(ids, "%s%d", ids->len ? " " : "",
					       atoi(*line + strlen("{\"id\":")));
	return g_string_free(ids, FALSE);
}

static char *
ids_now(const Rig *rig)
{
	g_autofree char *text = rig->server ? g_strdup(rig->bodies->str) : taken_text(rig);

	return ids_of(text);
}

static void
turn(Rig *rig)
{
	g_main_context_iteration(NULL, FALSE);
	g_usleep(1000);
}

static void
wait_for_ids(Rig *rig, const char *wanted)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_US;
	g_autofree char *ids = ids_now(rig);

	while (strcmp(ids, wanted) != 0) {
		if (g_get_monotonic_time() > until)
			g_error("taken are '%s', not '%s'", ids, wanted);
		turn(rig);
		g_free(ids);
		ids = ids_now(rig);
	}
}

static void
wait_for_count(Rig *rig, Counter counter, guint64 least)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_US;

	while (gateway_counter(rig->gateway, counter) < least) {
		g_assert_cmpint(g_get_monotonic_time(), <, until);
		turn(rig);
	}
}

static void
wait_for_state(Rig *rig, const char *part)
{
	gint64 until = g_get_monotonic_time() + PATIENCE_US;

	while (!strstr(gateway_hook_state(rig->gateway), part)) {
		if (g_get_monotonic_time() > until)
			g_error("'%s' has no '%s'", gateway_hook_state(rig->gateway), part);
		turn(rig);
	}
}

/* All that was said is these words, in this order. */
static void
assert_log(const char *words, ...)
{
	va_list more;
	const char *at;

	pthread_mutex_lock(&log_lock);
	at = log_text->str;
	va_start(more, words);
	for (; words; words = va_arg(more, const char *)) {
		if (!strstr(at, words))
			g_error("the log has no '%s': %s", words, log_text->str);
		at = strchr(strstr(at, words), '\n') + 1;
	}
	va_end(more);
	g_assert_cmpstr(at, ==, "");
	pthread_mutex_unlock(&log_lock);
}

/* --- programs --- */

static void
test_program(Rig *rig, gconstpointer unused)
{
	g_autofree char *text = NULL;

	start(rig, rig->program);
	g_assert_cmpstr(gateway_hook_state(rig->gateway), ==, "starting");
	end_calls(rig, 3);
	wait_for_ids(rig, "1 2 3");
	text = taken_text(rig);
	g_assert_nonnull(strstr(text, "\"seconds\":90,\"direction\":\"out\",\"caller\":\"alice@"
				      "example.org/phone\",\"callee\":\"+4930123456\",\"account\":"
				      "\"alice@example.org\",\"trunk\":\"carrier\",\"state\":"
				      "\"ENDED\",\"reason\":\"hangup\",\"sentence\":"
				      "\"\\\"bye\\\"\\n\",\"ended_by\":\"caller\",\"times\":1,"
				      "\"cost\":0.0,\"currency\":null}\n"));
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 3);
	g_assert_cmpuint(gateway_counter(rig->gateway, COUNTER_HOOK_TAKEN), ==, 3);
	wait_for_state(rig, "has taken all calls");
	g_assert_cmpstr(gateway_hook_state(rig->gateway), ==, "has taken all calls");
	g_assert_cmpint(store_hook_waiting(rig->store, NULL), ==, 0);
}

/* Refusals before a call are no calls. */
static void
test_no_refusals(Rig *rig, gconstpointer unused)
{
	CallRecord record = { .state = (char *)"ENDED",
			      .started_us = g_get_real_time(),
			      .ended_us = g_get_real_time(),
			      .caller = (char *)"stranger",
			      .callee = (char *)"+49",
			      .reason = (char *)"forbidden",
			      .text = (char *)"no",
			      .ended_by = (char *)"gateway" };

	start(rig, rig->program);
	g_assert_true(store_call_refused(rig->store, &record, "stranger", NULL));
	end_calls(rig, 1);
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 1);
	g_assert_cmpint(store_hook_waiting(rig->store, NULL), ==, 0);
}

/* What fails is told again, in order; a stop in between loses nothing. */
static void
test_program_fails(Rig *rig, gconstpointer unused)
{
	write_program(rig, "[ \"$mode\" = good ] || exit 3\ncat >>$taken\n");
	start(rig, rig->program);
	end_calls(rig, 3);
	wait_for_count(rig, COUNTER_HOOK_FAILURES, 1);
	wait_for_state(rig, "takes no calls since");
	wait_for_state(rig, "3 waiting");
	stop(rig);
	assert_log("program ended with status 3", NULL);
	set_mode(rig, "good");
	start(rig, rig->program);
	end_calls(rig, 1);
	wait_for_ids(rig, "1 2 3 4");
}

static void
make_old(const Rig *rig)
{
	sqlite3 *db = NULL;

	g_assert_cmpint(sqlite3_open(rig->database, &db), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(db, "UPDATE hook_queue SET queued = 1", NULL, NULL, NULL), ==,
			SQLITE_OK);
	sqlite3_close(db);
}

/* The daemon was away for longer than a call may wait, or its clock was wrong: a call is told
 * before it is too old, and dropped only when that fails. */
static void
test_old(Rig *rig, gconstpointer unused)
{
	write_program(rig, "[ \"$mode\" = good ] || exit 3\ncat >>$taken\n");
	end_calls_before(rig, 3);
	make_old(rig);
	set_mode(rig, "good");
	start(rig, rig->program);
	wait_for_ids(rig, "1 2 3");
	wait_for_state(rig, "has taken all calls");
	stop(rig);
	set_mode(rig, "bad");
	end_calls_before(rig, 2);
	make_old(rig);
	start(rig, rig->program);
	wait_for_count(rig, COUNTER_HOOK_DROPPED, 2);
	assert_log("program ended with status 3", "2 calls were dropped", NULL);
}

/* One line is not to its taste: that one alone is dropped, after some tries. */
static void
test_program_refuses(Rig *rig, gconstpointer unused)
{
	write_program(rig, "lines=$(cat)\ncase $lines in *'\"id\":2,'*) exit 65;; esac\n"
			   "echo \"$lines\" >>$taken\n");
	end_calls_before(rig, 3);
	start(rig, rig->program);
	wait_for_ids(rig, "1 3");
	wait_for_state(rig, "has taken all calls");
	g_assert_cmpuint(gateway_counter(rig->gateway, COUNTER_HOOK_DROPPED), ==, 1);
	assert_log("program ended with status 65", "call 2 was dropped, refused 3 times",
		   "it takes calls again", NULL);
}

/* Those of a try that did not go well go alone, all of them. */
static void
test_one_by_one(Rig *rig, gconstpointer status)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) tries = NULL;
	g_autofree char *script =
		g_strdup_printf("echo try >>$taken\nlines=$(cat)\n"
				"[ $(printf '%%s\\n' \"$lines\" | wc -l) = 1 ] || exit %d\nprintf "
				"'%%s\\n' \"$lines\" >>$taken\n",
				GPOINTER_TO_INT(status));

	write_program(rig, script);
	end_calls_before(rig, 6);
	start(rig, rig->program);
	wait_for_ids(rig, "1 2 3 4 5 6");
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 6);
	text = taken_text(rig);
	tries = g_strsplit(text, "try\n", -1);
	g_assert_cmpuint(g_strv_length(tries) - 1, ==, 1 + 6);
}

/* Nobody can write to the database: what there is to tell is told all the same. */
static void
test_locked(Rig *rig, gconstpointer unused)
{
	sqlite3 *other = NULL;

	write_program(rig, "[ \"$mode\" = good ] || exit 3\ncat >>$taken\n");
	start(rig, rig->program);
	end_calls(rig, 1);
	wait_for_count(rig, COUNTER_HOOK_FAILURES, 1);
	g_assert_cmpint(sqlite3_open(rig->database, &other), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
	set_mode(rig, "good");
	wait_for_ids(rig, "1");
	g_assert_cmpint(sqlite3_close(other), ==, SQLITE_OK);
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 1);
	wait_for_state(rig, "has taken all calls");
}

/* It neither reads nor ends: the daemon stops all the same, and ends what it has started. */
static void
test_program_hangs(Rig *rig, gconstpointer unused)
{
	gint64 began;

	write_program(rig, "echo hangs >$taken\nsleep 600\n");
	start(rig, rig->program);
	end_calls(rig, 1);
	while (!g_file_test(rig->taken, G_FILE_TEST_EXISTS))
		turn(rig);
	began = g_get_monotonic_time();
	stop(rig);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 20 * G_USEC_PER_SEC);
	write_program(rig, "cat >>$taken\n");
	start(rig, rig->program);
	wait_for_ids(rig, "1");
}

static void
test_no_program(Rig *rig, gconstpointer unused)
{
	remove_file(rig->program);
	start(rig, rig->program);
	end_calls(rig, 1);
	wait_for_count(rig, COUNTER_HOOK_FAILURES, 1);
	write_program(rig, "cat >>$taken\n");
	wait_for_ids(rig, "1");
	wait_for_state(rig, "has taken all");
	assert_log("cannot be run: No such file", "it takes calls again", NULL);
}

/* Whoever takes the key away is told of nothing that has waited, also later. */
static void
test_switched_off(Rig *rig, gconstpointer unused)
{
	rig->store = store_open(rig->database, NULL);
	g_assert_true(store_hook_set(rig->store, rig->program, NULL));
	end_calls(rig, 2);
	g_assert_cmpint(store_hook_waiting(rig->store, NULL), ==, 2);
	g_assert_true(store_hook_set(rig->store, NULL, NULL));
	end_calls(rig, 2);
	g_assert_cmpint(store_hook_waiting(rig->store, NULL), ==, 0);
	store_close(g_steal_pointer(&rig->store));
	start(rig, rig->program);
	end_calls(rig, 1);
	wait_for_ids(rig, "5");
}

/* Old ones are dropped, and those beyond what may wait; the newest stay. */
static void
test_dropped(Rig *rig, gconstpointer unused)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	g_autoptr(GPtrArray) left = NULL;
	guint dropped;

	rig->store = store_open(rig->database, NULL);
	g_assert_true(store_hook_set(rig->store, "/bin/true", NULL));
	end_calls(rig, 10);
	g_assert_true(store_hook_drop(rig->store, now - 60, 100, 1000, &dropped, NULL));
	g_assert_cmpuint(dropped, ==, 0);
	g_assert_true(store_hook_drop(rig->store, now - 60, 4, 1000, &dropped, NULL));
	g_assert_cmpuint(dropped, ==, 6);
	left = store_hook_next(rig->store, 100, NULL);
	g_assert_cmpuint(left->len, ==, 4);
	g_assert_cmpint(((HookLine *)left->pdata[0])->call, ==, 7);
	g_assert_true(store_hook_drop(rig->store, now + 60, 100, 3, &dropped, NULL));
	g_assert_cmpuint(dropped, ==, 3);
}

/* --- a server --- */

static void
on_request(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	   gpointer user)
{
	Rig *rig = user;
	SoupMessageBody *body = soup_server_message_get_request_body(message);
	SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);

	g_assert_cmpstr(soup_server_message_get_method(message), ==, "POST");
	g_assert_cmpstr(soup_message_headers_get_content_type(headers, NULL), ==,
			"application/json");
	g_free(rig->token);
	rig->token = g_strdup(soup_message_headers_get_one(headers, "Authorization"));
	rig->asked++;
	if (rig->silent) {
		soup_server_message_pause(message);
		g_ptr_array_add(rig->held, message);
		return;
	}
	if (rig->status == 200)
		g_string_append_len(rig->bodies, body->data, (gssize)body->length);
	soup_server_message_set_status(message, rig->status, NULL);
	if (rig->status == 302)
		soup_message_headers_replace(soup_server_message_get_response_headers(message),
					     "Location", "/elsewhere");
	soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_STATIC, "well\n", 5);
}

static gboolean
on_connection(GSocketService *service, GSocketConnection *connection, GObject *source,
	      gpointer user)
{
	g_autoptr(GSocketAddress) local = g_socket_connection_get_local_address(connection, NULL);
	g_autoptr(GSocketAddress) remote = g_socket_connection_get_remote_address(connection, NULL);

	return soup_server_accept_iostream(((Rig *)user)->server, G_IO_STREAM(connection), local,
					   remote, NULL);
}

/* libsoup up to 3.2 at least leaks each socket that its own listener accepts. */
static void
serve(Rig *rig)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketAddress) wanted =
		g_inet_socket_address_new_from_string("127.0.0.1", rig->port);
	g_autoptr(GSocketAddress) local = NULL;

	end_server(rig);
	rig->server = soup_server_new(NULL, NULL);
	soup_server_add_handler(rig->server, NULL, on_request, rig, NULL);
	rig->listener = g_socket_service_new();
	g_signal_connect(rig->listener, "incoming", G_CALLBACK(on_connection), rig);
	g_assert_true(g_socket_listener_add_address(G_SOCKET_LISTENER(rig->listener), wanted,
						    G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
						    NULL, &local, &error));
	rig->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local));
}

static char *
url_of(const Rig *rig)
{
	return g_strdup_printf("http://127.0.0.1:%u/calls?of=tandem", rig->port);
}

static void
test_post(Rig *rig, gconstpointer unused)
{
	g_autofree char *url = NULL;

	serve(rig);
	url = url_of(rig);
	rig->config->hook_token = g_strdup("s3cret");
	start(rig, url);
	end_calls(rig, 3);
	wait_for_ids(rig, "1 2 3");
	g_assert_cmpuint(rig->asked, ==, 3);
	g_assert_cmpstr(rig->token, ==, "Bearer s3cret");
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 3);
	wait_for_state(rig, "has taken all calls");
}

/* Each answer that is no yes: the line is told again, until there is one. */
static void
test_post_fails(Rig *rig, gconstpointer data)
{
	g_autofree char *url = NULL;
	g_autofree char *words = g_strdup_printf("the server said %d", GPOINTER_TO_INT(data));

	serve(rig);
	url = url_of(rig);
	rig->status = (guint)GPOINTER_TO_INT(data);
	start(rig, url);
	end_calls(rig, 2);
	wait_for_count(rig, COUNTER_HOOK_FAILURES, 1);
	rig->status = 200;
	wait_for_ids(rig, "1 2");
	wait_for_state(rig, "has taken all calls");
	assert_log(words, "it takes calls again", NULL);
}

/* The server dies with a request in its hands, and comes back at the same port. */
static void
test_server_dies(Rig *rig, gconstpointer unused)
{
	g_autofree char *url = NULL;

	serve(rig);
	url = url_of(rig);
	rig->silent = TRUE;
	start(rig, url);
	end_calls(rig, 2);
	while (rig->asked == 0)
		turn(rig);
	end_server(rig);
	wait_for_count(rig, COUNTER_HOOK_FAILURES, 1);
	rig->silent = FALSE;
	serve(rig);
	wait_for_ids(rig, "1 2");
	wait_for_state(rig, "has taken all calls");
	assert_log("calls that have ended wait", "it takes calls again", NULL);
}

/* The daemon stops while a server does not answer; it is told again after the start. */
static void
test_server_is_slow(Rig *rig, gconstpointer unused)
{
	g_autofree char *url = NULL;
	gint64 began;

	serve(rig);
	url = url_of(rig);
	rig->silent = TRUE;
	start(rig, url);
	end_calls(rig, 1);
	while (rig->asked == 0)
		turn(rig);
	began = g_get_monotonic_time();
	stop(rig);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 20 * G_USEC_PER_SEC);
	rig->silent = FALSE;
	start(rig, url);
	wait_for_ids(rig, "1");
	wait_for_count(rig, COUNTER_HOOK_TAKEN, 1);
}

/* At each moment of a try: a name is looked up in a thread, a connection made, a body sent. */
static void
test_stopped_early(Rig *rig, gconstpointer unused)
{
	g_autofree char *url = NULL;

	serve(rig);
	url = g_strdup_printf("http://localhost:%u/", rig->port);
	rig->silent = TRUE;
	for (guint i = 0; i < 20; i++) {
		start(rig, url);
		end_calls(rig, 1);
		g_usleep(i * 500);
		stop(rig);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	log_text = g_string_new(NULL);
	g_log_set_writer_func(keep_log, NULL, NULL);
#define RIG(name, data, function) g_test_add("/hook/" name, Rig, data, set_up, function, tear_down)
	RIG("program", NULL, test_program);
	RIG("no-refusals", NULL, test_no_refusals);
	RIG("program-fails", NULL, test_program_fails);
	RIG("old", NULL, test_old);
	RIG("program-refuses", NULL, test_program_refuses);
	RIG("one-by-one-failed", GINT_TO_POINTER(3), test_one_by_one);
	RIG("one-by-one-refused", GINT_TO_POINTER(65), test_one_by_one);
	RIG("locked", NULL, test_locked);
	RIG("program-hangs", NULL, test_program_hangs);
	RIG("no-program", NULL, test_no_program);
	RIG("switched-off", NULL, test_switched_off);
	RIG("dropped", NULL, test_dropped);
	RIG("post", NULL, test_post);
	RIG("post-500", GINT_TO_POINTER(500), test_post_fails);
	RIG("post-302", GINT_TO_POINTER(302), test_post_fails);
	RIG("post-401", GINT_TO_POINTER(401), test_post_fails);
	RIG("post-422", GINT_TO_POINTER(422), test_post_fails);
	RIG("server-dies", NULL, test_server_dies);
	RIG("server-is-slow", NULL, test_server_is_slow);
	RIG("stopped-early", NULL, test_stopped_early);
	return g_test_run();
}
