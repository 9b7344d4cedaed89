/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_server.c - just enough of RFC 6120 to be believed by a component. */
#include "tests/legs/xmpp_server.h"
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define HEADER                                                                                 \
	"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='%s' from='gw.example.org'>"

struct XmppServer {
	char *secret;
	guint16 port;
	GSocketService *service;
	GSocketConnection *connection;
	GSource *readable;
	GString *input;
	char *stream_id; /* NULL before the header */
	gboolean authenticated;
	guint streams, refused;
	GQueue stanzas; /* char * */
};

static void
drop(XmppServer *server)
{
	if (server->readable) {
		g_source_destroy(server->readable);
		g_source_unref(server->readable);
	}
	if (server->connection) {
		g_io_stream_close(G_IO_STREAM(server->connection), NULL, NULL);
		g_object_unref(server->connection);
	}
	server->readable = NULL;
	server->connection = NULL;
	server->authenticated = FALSE;
	g_clear_pointer(&server->stream_id, g_free);
	g_string_truncate(server->input, 0);
}

void
xmpp_server_send(XmppServer *server, const char *text)
{
	GOutputStream *output;

	g_assert_nonnull(server->connection);
	output = g_io_stream_get_output_stream(G_IO_STREAM(server->connection));
	g_output_stream_write_all(output, text, strlen(text), NULL, NULL, NULL);
}

/* Length of the first whole element in `text`; 0 when it has not all come. */
static gsize
element_length(const char *text)
{
	int depth = 0;

	for (const char *c = text; *c; c++) {
		const char *end;
		char quote = 0;

		if (*c != '<')
			continue;
		for (end = c + 1; *end && (quote || *end != '>'); end++) {
			if (quote && *end == quote)
				quote = 0;
			else if (!quote && (*end == '"' || *end == '\''))
				quote = *end;
		}
		if (!*end)
			return 0;
		if (c[1] == '/')
			depth--;
		else if (end[-1] != '/')
			depth++;
		c = end;
		if (depth == 0)
			return end + 1 - text;
		if (depth < 0)
			return 0;
	}
	return 0;
}

static void
on_header(XmppServer *server)
{
	const char *start = strstr(server->input->str, "<stream:stream");
	const char *end = start ? strchr(start, '>') : NULL;
	g_autofree char *header = NULL;

	if (!end)
		return;
	g_string_erase(server->input, 0, end + 1 - server->input->str);
	server->stream_id = g_strdup_printf("s%08x", g_random_int());
	header = g_strdup_printf(HEADER, server->stream_id);
	xmpp_server_send(server, header);
}

static gboolean
on_handshake(XmppServer *server, const char *element)
{
	g_autofree char *text = g_strconcat(server->stream_id, server->secret, NULL);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, text, -1);

	if (strstr(element, digest)) {
		server->authenticated = TRUE;
		server->streams++;
		xmpp_server_send(server, "<handshake/>");
		return TRUE;
	}
	server->refused++;
	xmpp_server_send(server, "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:"
				 "xmpp-streams'/></stream:error></stream:stream>");
	drop(server);
	return FALSE;
}

static void
on_input(XmppServer *server)
{
	gsize length;

	if (!server->stream_id)
		on_header(server);
	if (!server->stream_id)
		return;
	while ((length = element_length(server->input->str)) > 0) {
		g_autofree char *element = g_strndup(server->input->str, length);

		g_string_erase(server->input, 0, length);
		if (server->authenticated)
			g_queue_push_tail(&server->stanzas, g_steal_pointer(&element));
		else if (!on_handshake(server, element))
			return;
	}
	if (g_str_has_prefix(server->input->str, "</stream:stream>")) {
		xmpp_server_send(server, "</stream:stream>");
		drop(server);
	}
}

static gboolean
on_readable(GObject *object, gpointer data)
{
	XmppServer *server = data;
	GPollableInputStream *input = G_POLLABLE_INPUT_STREAM(object);
	char buffer[65536];
	gssize n =
		g_pollable_input_stream_read_nonblocking(input, buffer, sizeof buffer, NULL, NULL);

	if (n <= 0) {
		drop(server);
		return G_SOURCE_REMOVE;
	}
	g_string_append_len(server->input, buffer, n);
	on_input(server);
	return G_SOURCE_CONTINUE;
}

static gboolean
on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
	XmppServer *server = data;
	GInputStream *input = g_io_stream_get_input_stream(G_IO_STREAM(connection));

	drop(server);
	server->connection = g_object_ref(connection);
	/* what is said in two parts must not wait for the other side's ACK */
	g_socket_set_option(g_socket_connection_get_socket(connection), IPPROTO_TCP, TCP_NODELAY, 1,
			    NULL);
	server->readable =
		g_pollable_input_stream_create_source(G_POLLABLE_INPUT_STREAM(input), NULL);
	g_source_set_callback(server->readable, G_SOURCE_FUNC(on_readable), server, NULL);
	g_source_attach(server->readable, NULL);
	return TRUE;
}

XmppServer *
xmpp_server_new(const char *secret)
{
	XmppServer *server = g_new0(XmppServer, 1);

	server->secret = g_strdup(secret);
	server->input = g_string_new(NULL);
	return server;
}

void
xmpp_server_set_secret(XmppServer *server, const char *secret)
{
	g_free(server->secret);
	server->secret = g_strdup(secret);
}

void
xmpp_server_listen(XmppServer *server)
{
	g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new(loopback, server->port);
	g_autoptr(GSocketAddress) bound = NULL;
	GError *error = NULL;

	server->service = g_socket_service_new();
	g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address,
				      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound,
				      &error);
	g_assert_no_error(error);
	server->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	g_signal_connect(server->service, "incoming", G_CALLBACK(on_incoming), server);
	g_socket_service_start(server->service);
}

void
xmpp_server_kill(XmppServer *server)
{
	drop(server);
	if (!server->service)
		return;
	g_socket_service_stop(server->service);
	g_socket_listener_close(G_SOCKET_LISTENER(server->service));
	g_clear_object(&server->service);
}

void
xmpp_server_free(XmppServer *server)
{
	xmpp_server_kill(server);
	while (g_main_context_iteration(NULL, FALSE)) /* the accept under way lets go */
		;
	g_queue_clear_full(&server->stanzas, g_free);
	g_string_free(server->input, TRUE);
	g_free(server->secret);
	g_free(server);
}

guint
xmpp_server_port(const XmppServer *server)
{
	return server->port;
}

guint
xmpp_server_streams(const XmppServer *server)
{
	return server->streams;
}

guint
xmpp_server_refused(const XmppServer *server)
{
	return server->refused;
}

gboolean
xmpp_server_is_connected(const XmppServer *server)
{
	return server->authenticated;
}

char *
xmpp_server_next(XmppServer *server)
{
	return g_queue_pop_head(&server->stanzas);
}

guint
xmpp_server_waiting(const XmppServer *server)
{
	return server->stanzas.length;
}

static gboolean
set_true(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_REMOVE;
}

gboolean
wait_for(gboolean (*done)(gpointer user), gpointer user)
{
	gboolean late = FALSE;
	guint timer = g_timeout_add_seconds(WAIT_S, set_true, &late);
	gboolean result;

	while (!(result = done(user)) && !late)
		g_main_context_iteration(NULL, TRUE);
	if (!late)
		g_source_remove(timer);
	return result;
}
