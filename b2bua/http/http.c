/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* http.c - see http.h.
 *
 * libsoup is made and used in the main context of its thread.  A Question travels between the
 * two threads, handed over by its atomic count of references; each touches it only while it is
 * there: the signalling thread fills in the answer, everything else is done by the HTTP thread.
 */
#include "b2bua/http/http.h"
#include <stdatomic.h>
#include <string.h>
#include <libsoup/soup.h>
#include "b2bua/http/metrics.h"
#include "b2bua/report/report.h"
#include "b2bua/report/report_call.h"
#include "b2bua/timer.h"

#define TICK_MS 500
#define REPORT	"/report"
#define STOPPED "the gateway has stopped\n"

struct Http {
	atomic_int references; /* the owner's, and one for each Question on its way */
	/* signalling thread */
	Gateway *gateway; /* NULL: stopped */
	Timer *tick;
	GThread *thread;
	guint port;
	/* both */
	_Atomic gint64 ticked_us; /* monotonic */
	GMainContext *context;
	GMainLoop *loop;
	/* HTTP thread */
	SoupServer *server;
	GSocketListener *listener;
	GCancellable *stop;
	guint n_connections;
	GQueue open; /* Question *, whose requests are paused */
};

/* Signalling thread: the text, new; sets the status when it is not 200. */
typedef char *(*HttpAsk)(Gateway *gateway, gint64 id, guint *status);

typedef struct {
	atomic_int references; /* the way there and back, and the time-out */
	Http *http;
	HttpAsk ask;
	gint64 id; /* of what is asked for */
	const char *type;
	/* the answer */
	char *text;
	guint status;
	/* HTTP thread */
	SoupServerMessage *message; /* NULL: answered, and not in `open` */
	GSource *timeout;
	GList link; /* in `open` */
} Question;

static void
http_unref(Http *http)
{
	if (atomic_fetch_sub(&http->references, 1) != 1)
		return;
	g_main_context_unref(http->context);
	g_free(http);
}

static void
question_unref(gpointer data)
{
	Question *question = data;

	if (atomic_fetch_sub(&question->references, 1) != 1)
		return;
	g_clear_object(&question->message);
	http_unref(question->http);
	g_free(question->text);
	g_free(question);
}

/* --- answers; HTTP thread --- */

static void
respond(SoupServerMessage *message, guint status, const char *type, const char *text)
{
	/* libsoup would send each part that is asked for, however often: an answer is whole */
	soup_message_headers_remove(soup_server_message_get_request_headers(message), "Range");
	soup_server_message_set_status(message, status, NULL);
	soup_message_headers_replace(soup_server_message_get_response_headers(message),
				     "Cache-Control", "no-store");
	soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, text, strlen(text));
}

static void
finish(Question *question, guint status, const char *type, const char *text)
{
	SoupServerMessage *message = g_steal_pointer(&question->message);

	g_queue_unlink(&question->http->open, &question->link);
	g_source_destroy(question->timeout);
	g_clear_pointer(&question->timeout, g_source_unref);
	respond(message, status, type, text);
	soup_server_message_unpause(message);
	g_object_unref(message);
}

static gboolean
on_answer(gpointer user)
{
	Question *question = user;

	atomic_load(&question->references);
	if (!question->message)
		return G_SOURCE_REMOVE;
	finish(question, question->status,
	       question->status == SOUP_STATUS_NOT_FOUND ? "text/plain" : question->type,
	       question->text);
	return G_SOURCE_REMOVE;
}

static gboolean
on_too_late(gpointer user)
{
	Question *question = user;

	if (question->message)
		finish(question, SOUP_STATUS_SERVICE_UNAVAILABLE, "text/plain",
		       "the signalling thread does not answer\n");
	return G_SOURCE_REMOVE;
}

/* --- questions --- */

/* Signalling thread. */
static gboolean
on_question(gpointer user)
{
	Question *question = user;
	Http *http;

	atomic_load(&question->references); /* sees what was written before it was handed over */
	http = question->http;
	if (!http->gateway) /* and its requests have been answered */
		return G_SOURCE_REMOVE;
	question->status = SOUP_STATUS_OK;
	question->text = question->ask(http->gateway, question->id, &question->status);
	atomic_fetch_add(&question->references, 1);
	g_main_context_invoke_full(http->context, G_PRIORITY_DEFAULT, on_answer, question,
				   question_unref);
	return G_SOURCE_REMOVE;
}

static void
ask(Http *http, SoupServerMessage *message, const char *type, HttpAsk asked, gint64 id)
{
	Question *question = g_new0(Question, 1);
	g_autoptr(GSource) there = g_idle_source_new();

	question->references = 1; /* the time-out's */
	question->http = http;
	question->ask = asked;
	question->id = id;
	question->type = type;
	question->message = g_object_ref(message);
	question->link.data = question;
	g_queue_push_tail_link(&http->open, &question->link);
	question->timeout = g_timeout_source_new(HTTP_SILENT_MS);
	atomic_fetch_add(&http->references, 1);
	g_source_set_callback(question->timeout, on_too_late, question, question_unref);
	g_source_attach(question->timeout, http->context);
	soup_server_message_pause(message);
	atomic_fetch_add(&question->references, 1);
	/* behind what calls have to say */
	g_source_set_callback(there, on_question, question, question_unref);
	g_source_attach(there, NULL);
}

static char *
ask_metrics(Gateway *gateway, gint64 id, guint *status)
{
	return metrics_text(gateway);
}

static char *
ask_ready(Gateway *gateway, gint64 id, guint *status)
{
	gboolean ready;
	char *text = readiness_text(gateway, &ready);

	if (!ready)
		*status = SOUP_STATUS_SERVICE_UNAVAILABLE;
	return text;
}

static char *
ask_report(Gateway *gateway, gint64 id, guint *status)
{
	g_autoptr(GError) error = NULL;
	char *page = report_of_call(gateway, gateway_store(gateway), id, &error);

	if (page)
		return page;
	*status = SOUP_STATUS_NOT_FOUND;
	return g_strdup_printf("%s\n", error->message);
}

/* --- requests; HTTP thread --- */

static gboolean
is_get(SoupServerMessage *message)
{
	const char *method = soup_server_message_get_method(message);

	if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
		return TRUE;
	soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow",
				     "GET, HEAD");
	respond(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain",
		"GET and HEAD alone are taken here\n");
	return FALSE;
}

static void
on_metrics(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	   gpointer user)
{
	if (is_get(message))
		ask(user, message, "text/plain; version=0.0.4; charset=utf-8", ask_metrics, 0);
}

static void
on_ready(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	 gpointer user)
{
	if (is_get(message))
		ask(user, message, "application/json", ask_ready, 0);
}

static void
on_health(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	  gpointer user)
{
	Http *http = user;
	gint64 silent_ms =
		MAX(0, (g_get_monotonic_time() - atomic_load(&http->ticked_us)) / 1000 - TICK_MS);
	gboolean good = silent_ms < HTTP_SILENT_MS;
	g_autofree char *text =
		g_strdup_printf("{\"healthy\":%s,\"signalling_silent_ms\":%" G_GINT64_FORMAT "}",
				good ? "true" : "false", silent_ms);

	if (is_get(message))
		respond(message, good ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE,
			"application/json", text);
}

/* Whoever has the key that the control socket gives may see the one page; no other is told
 * even which calls there are. */
static void
on_report(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	  gpointer user)
{
	const char *word = path + strlen(REPORT);
	char *end = (char *)word;
	const gint64 id = *word == '/' ? g_ascii_strtoll(word + 1, &end, 10) : 0;
	SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);

	if (!is_get(message))
		return;
	if (id <= 0 || *end ||
	    !report_key_is(id, query ? g_hash_table_lookup(query, "key") : NULL)) {
		respond(message, SOUP_STATUS_FORBIDDEN, "text/plain",
			"the address of a report has a key: 'tandemctl report ID --link' prints "
			"it\n");
		return;
	}
	soup_message_headers_replace(headers, "Content-Security-Policy", REPORT_POLICY);
	soup_message_headers_replace(headers, "X-Content-Type-Options", "nosniff");
	soup_message_headers_replace(headers, "Referrer-Policy", "no-referrer");
	ask(user, message, "text/html; charset=utf-8", ask_report, id);
}

/* libsoup takes any path that begins as a handler's for that one: what there is, is looked up
 * here. */
static void
on_request(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
	   gpointer user)
{
	static const struct {
		const char *path;
		gboolean has_more; /* "/…" */
		SoupServerCallback callback;
	} ROWS[] = {
		{ "/metrics", FALSE, on_metrics },
		{ "/health", FALSE, on_health },
		{ "/ready", FALSE, on_ready },
		{ REPORT, TRUE, on_report },
	};

	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		const char *rest = path + strlen(ROWS[i].path);

		if (g_str_has_prefix(path, ROWS[i].path) &&
		    (*rest == '\0' || (ROWS[i].has_more && *rest == '/'))) {
			ROWS[i].callback(server, message, path, query, user);
			return;
		}
	}
	respond(message, SOUP_STATUS_NOT_FOUND, "text/plain",
		"there are /metrics, /health, /ready and /report/ID\n");
}

/* --- connections; HTTP thread --- */

typedef struct {
	Http *http;
	GSocketConnection *socket; /* borrowed; lives until on_gone() */
	GSource *end;
} Connection;

static gboolean
on_connection_time(gpointer user)
{
	Connection *connection = user;

	g_socket_shutdown(g_socket_connection_get_socket(connection->socket), TRUE, TRUE, NULL);
	return G_SOURCE_REMOVE;
}

static void
on_gone(gpointer user, GObject *socket)
{
	Connection *connection = user;

	g_source_destroy(connection->end);
	g_source_unref(connection->end);
	connection->http->n_connections--;
	g_free(connection);
}

static void
take_connection(Http *http, GSocketConnection *socket)
{
	g_autoptr(GSocketAddress) local = g_socket_connection_get_local_address(socket, NULL);
	g_autoptr(GSocketAddress) remote = g_socket_connection_get_remote_address(socket, NULL);
	Connection *connection;

	if (!local || !remote || http->n_connections >= HTTP_CONNECTIONS)
		return; /* the last reference closes it */
	connection = g_new0(Connection, 1);
	connection->http = http;
	connection->socket = socket;
	connection->end = g_timeout_source_new_seconds(HTTP_CONNECTION_S);
	g_source_set_callback(connection->end, on_connection_time, connection, NULL);
	g_source_attach(connection->end, http->context);
	http->n_connections++;
	g_object_weak_ref(G_OBJECT(socket), on_gone, connection);
	soup_server_accept_iostream(http->server, G_IO_STREAM(socket), local, remote, NULL);
}

static void accept_next(Http *http);
static void accept_later(Http *http);

static void
on_accepted(GObject *source, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketConnection) socket =
		g_socket_listener_accept_finish(G_SOCKET_LISTENER(source), result, NULL, &error);
	Http *http = user;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		g_main_loop_quit(http->loop);
		return;
	}
	if (socket)
		take_connection(http, socket);
	if (socket)
		accept_next(http);
	else
		accept_later(http);
}

static gboolean
on_accept_time(gpointer user)
{
	accept_next(user);
	return G_SOURCE_REMOVE;
}

/* Out of file descriptors, perhaps: it would be told at once again. */
static void
accept_later(Http *http)
{
	g_autoptr(GSource) later = g_timeout_source_new(HTTP_SILENT_MS);

	g_source_set_callback(later, on_accept_time, http, NULL);
	g_source_attach(later, http->context);
}

static void
accept_next(Http *http)
{
	g_socket_listener_accept_async(http->listener, http->stop, on_accepted, http);
}

/* --- the thread --- */

static gpointer
run(gpointer user)
{
	Http *http = user;

	g_main_context_push_thread_default(http->context);
	http->server = soup_server_new("server-header", "tandem", NULL);
	soup_server_add_handler(http->server, NULL, on_request, http, NULL);
	accept_next(http);
	g_main_loop_run(http->loop);
	g_socket_listener_close(http->listener);
	while (!g_queue_is_empty(&http->open))
		finish(g_queue_peek_head(&http->open), SOUP_STATUS_SERVICE_UNAVAILABLE,
		       "text/plain", STOPPED);
	soup_server_disconnect(http->server);
	g_clear_object(&http->server);
	/* what is on its way of the connections that were closed */
	while (g_main_context_iteration(http->context, FALSE))
		continue;
	g_main_context_pop_thread_default(http->context);
	return NULL;
}

static void
on_tick(gpointer user)
{
	Http *http = user;

	atomic_store(&http->ticked_us, g_get_monotonic_time());
	timer_set(&http->tick, TICK_MS, on_tick, http);
}

static gboolean
listen_at(Http *http, const char *address, guint port, GError **error)
{
	g_autoptr(GSocketAddress) wanted = g_inet_socket_address_new_from_string(address, port);
	g_autoptr(GSocketAddress) bound = NULL;

	if (!wanted || !g_socket_listener_add_address(http->listener, wanted, G_SOCKET_TYPE_STREAM,
						      G_SOCKET_PROTOCOL_TCP, NULL, &bound, error)) {
		g_prefix_error(error, "[http] address=%s, port=%u: ", address, port);
		return FALSE;
	}
	http->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	return TRUE;
}

Http *
http_start(Gateway *gateway, const char *address, guint port, GError **error)
{
	Http *http = g_new0(Http, 1);

	http->references = 1;
	http->gateway = gateway;
	http->context = g_main_context_new();
	http->loop = g_main_loop_new(http->context, FALSE);
	http->stop = g_cancellable_new();
	http->listener = g_socket_listener_new();
	if (listen_at(http, address, port, error)) {
		on_tick(http);
		http->thread = g_thread_try_new("http", run, http, error);
	}
	if (http->thread)
		return http;
	http_stop(http);
	return NULL;
}

guint
http_port(const Http *http)
{
	return http->port;
}

static gboolean
on_stop(gpointer user)
{
	Http *http = user;

	g_cancellable_cancel(http->stop);
	return G_SOURCE_REMOVE;
}

void
http_stop(Http *http)
{
	if (!http)
		return;
	http->gateway = NULL;
	timer_clear(&http->tick);
	/* by the thread that has its sources: GLib's GCancellable leaks one otherwise */
	if (http->thread) {
		g_main_context_invoke(http->context, on_stop, http);
		g_thread_join(http->thread);
	}
	while (g_main_context_iteration(http->context, FALSE)) /* answers that came too late */
		continue;
	g_main_loop_unref(http->loop);
	g_object_unref(http->listener);
	g_object_unref(http->stop);
	http_unref(http);
}
