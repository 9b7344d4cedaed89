/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_link.c - two sockets and what is on its way between them.
 *
 * Both are read in slices, and one is read only while the other takes what is brought to it,
 * so neither a fast server nor a slow one fills the memory or holds the thread.
 */
#include "plugins/xmpp/xmpp_link.h"
#include "plugins/xmpp/xmpp_filter.h"
#include <errno.h>
#include <gio/gio.h>
#include <netdb.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLICE		  (32 * 1024)
#define WAITING_MAX	  (256 * 1024) /* bytes that one end has not taken */
#define CONNECT_TIMEOUT_S 10

typedef struct {
	XmppLink *link;
	int fd; /* -1: closed, or not there yet */
	guint watch;
	GIOCondition watched;
	GByteArray *out; /* still to be written to it */
	gboolean ended;	 /* nothing more comes from it */
} End;

struct XmppLink {
	const XmppLinkEvents *events;
	gpointer user;
	GCancellable *connecting;
	XmppFilter *filter;
	End server, local;
	int listener;
	guint accepting;
	guint16 expected; /* local port of libstrophe's socket, network order; 0: not known yet */
	gint64 heard_us;
	gboolean broken;
};

static void settle(XmppLink *link);

/* --- the ends --- */

static void
end_close(End *end)
{
	g_clear_handle_id(&end->watch, g_source_remove);
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
	end->ended = TRUE;
	g_byte_array_set_size(end->out, 0);
}

static void
end_write(End *end)
{
	while (end->fd >= 0 && end->out->len > 0) {
		ssize_t n = send(end->fd, end->out->data, end->out->len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			end_close(end);
		if (n <= 0)
			return;
		g_byte_array_remove_range(end->out, 0, (guint)n);
	}
}

/* Bytes read; 0 when there are none now, or never again. */
static gsize
end_read(End *end, char *buffer, gsize size)
{
	ssize_t n;

	if (end->fd < 0 || end->ended)
		return 0;
	do
		n = recv(end->fd, buffer, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		end->ended = TRUE;
	return n > 0 ? (gsize)n : 0;
}

static void
read_server(XmppLink *link)
{
	char buffer[SLICE];
	gsize n = end_read(&link->server, buffer, sizeof buffer);
	const char *condition;

	if (n == 0)
		return;
	link->heard_us = g_get_monotonic_time();
	condition = link->broken ? NULL : xmpp_filter_feed(link->filter, buffer, n);
	if (!condition)
		return;
	link->broken = TRUE;
	link->events->broken(link->user, condition);
}

static void
read_local(XmppLink *link)
{
	char buffer[SLICE];
	gsize n = end_read(&link->local, buffer, sizeof buffer);

	if (n == 0)
		return;
	g_byte_array_append(link->server.out, (const guint8 *)buffer, (guint)n);
	if (link->broken) /* the goodbye of a broken stream: nothing is waited for */
		link->local.ended = TRUE;
}

static gboolean
on_end(int fd, GIOCondition condition, gpointer user)
{
	End *end = user;
	XmppLink *link = end->link;

	if (condition & ~G_IO_OUT) {
		if (end == &link->server)
			read_server(link);
		else
			read_local(link);
	}
	settle(link);
	return G_SOURCE_CONTINUE;
}

/* It may recurse: or GLib wakes the loop twice for each dispatch. */
static guint
add_watch(End *end, GIOCondition wanted)
{
	g_autoptr(GSource) source = g_unix_fd_source_new(end->fd, wanted);

	g_source_set_can_recurse(source, TRUE);
	g_source_set_callback(source, G_SOURCE_FUNC(on_end), end, NULL);
	return g_source_attach(source, NULL);
}

static void
watch(End *end, const End *other)
{
	gboolean reads = !end->ended && other->out->len < WAITING_MAX;
	GIOCondition wanted = (reads ? G_IO_IN : 0) | (end->out->len > 0 ? G_IO_OUT : 0);

	if (end->fd < 0 || (end->watch && end->watched == wanted))
		return;
	g_clear_handle_id(&end->watch, g_source_remove);
	end->watched = wanted;
	if (wanted)
		end->watch = add_watch(end, wanted);
}

/* Writes what can be written, closes what is over, waits for the rest. */
static void
settle(XmppLink *link)
{
	gboolean there = link->local.fd >= 0;

	end_write(&link->server);
	end_write(&link->local);
	if (there && link->local.ended && link->server.out->len == 0)
		end_close(&link->server);
	if (there && link->server.ended && link->local.out->len == 0)
		end_close(&link->local);
	watch(&link->server, &link->local);
	watch(&link->local, &link->server);
}

/* --- the filter's words --- */

static void
on_pass(gpointer user, const char *bytes, gsize length)
{
	XmppLink *link = user;

	g_byte_array_append(link->local.out, (const guint8 *)bytes, (guint)length);
}

static void
on_left_out(gpointer user, const char *limit, const char *answer)
{
	XmppLink *link = user;

	link->events->left_out(link->user, limit, answer);
}

static const XmppFilterSink sink = { .pass = on_pass, .left_out = on_left_out };

/* --- the loopback --- */

/* libstrophe looks even a number up with AI_ADDRCONFIG, and then there is no 127.0.0.1 where
 * no other IPv4 address is. */
const char *
xmpp_link_loopback(void)
{
	const struct addrinfo hints = { .ai_flags = AI_ADDRCONFIG | AI_NUMERICHOST,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	gboolean has_ipv4 = getaddrinfo("127.0.0.1", NULL, &hints, &found) == 0;

	if (found)
		freeaddrinfo(found);
	return has_ipv4 ? "127.0.0.1" : "::1";
}

/* In network order; 0: it has none. */
static guint16
port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)address)->sin6_port;
	return address->ss_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port : 0;
}

/* A stanza must not wait until the one before it is acknowledged. */
static void
set_nodelay(int fd)
{
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) < 0)
		g_debug("xmpp: TCP_NODELAY: %s", g_strerror(errno));
}

static gboolean
on_accept(int fd, GIOCondition condition, gpointer user)
{
	XmppLink *link = user;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof peer;
	int local = accept4(fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (local < 0)
		return G_SOURCE_CONTINUE;
	if (port_of(&peer) == 0 || port_of(&peer) != link->expected) {
		g_warning("xmpp: a connection of another program to our loopback port was closed");
		close(local);
		return G_SOURCE_CONTINUE;
	}
	set_nodelay(local);
	link->local.fd = local;
	link->accepting = 0;
	close(link->listener);
	link->listener = -1;
	settle(link);
	return G_SOURCE_REMOVE;
}

/* The port, or 0 with errno set. */
static guint16
listen_on_loopback(XmppLink *link)
{
	g_autoptr(GSocketAddress) loopback =
		g_inet_socket_address_new_from_string(xmpp_link_loopback(), 0);
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof address;

	if (!g_socket_address_to_native(loopback, &address, sizeof address, NULL))
		return 0;
	link->listener = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->listener < 0 ||
	    bind(link->listener, (struct sockaddr *)&address,
		 (socklen_t)g_socket_address_get_native_size(loopback)) < 0 ||
	    listen(link->listener, 4) < 0 ||
	    getsockname(link->listener, (struct sockaddr *)&address, &length) < 0)
		return 0;
	link->accepting = g_unix_fd_add(link->listener, G_IO_IN, on_accept, link);
	return ntohs(port_of(&address));
}

/* --- the server --- */

static void
set_keepalive(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },   { IPPROTO_TCP, TCP_KEEPIDLE, 15 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 }, { IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },   { IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof options[i].value) < 0)
			g_debug("xmpp: socket option %d: %s", options[i].name, g_strerror(errno));
}

static void
on_connected(GObject *client, GAsyncResult *result, gpointer user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketConnection) connection =
		g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(client), result, &error);
	XmppLink *link = user;
	guint16 port;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return; /* the link is no more */
	g_clear_object(&link->connecting);
	if (!connection) {
		link->events->failed(link->user, error->message);
		return;
	}
	/* the connection takes its descriptor along when it goes */
	link->server.fd = dup(g_socket_get_fd(g_socket_connection_get_socket(connection)));
	port = link->server.fd >= 0 ? listen_on_loopback(link) : 0;
	if (port == 0) {
		link->events->failed(link->user, g_strerror(errno));
		return;
	}
	g_unix_set_fd_nonblocking(link->server.fd, TRUE, NULL);
	set_keepalive(link->server.fd);
	link->heard_us = g_get_monotonic_time();
	link->events->ready(link->user, port);
}

XmppLink *
xmpp_link_new(const char *host, guint16 port, gsize max_stanza_bytes, const XmppLinkEvents *events,
	      gpointer user)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	XmppFilterLimits limits = xmpp_filter_limits;
	XmppLink *link = g_new0(XmppLink, 1);

	limits.stanza_bytes = max_stanza_bytes;
	link->events = events;
	link->user = user;
	link->listener = -1;
	link->server = (End){ .link = link, .fd = -1, .out = g_byte_array_new() };
	link->local = (End){ .link = link, .fd = -1, .out = g_byte_array_new() };
	link->filter = xmpp_filter_new(&limits, &sink, link);
	link->connecting = g_cancellable_new();
	g_socket_client_set_enable_proxy(client, FALSE);
	g_socket_client_set_timeout(client, CONNECT_TIMEOUT_S);
	g_socket_client_connect_to_host_async(client, host, port, link->connecting, on_connected,
					      link);
	return link;
}

void
xmpp_link_free(XmppLink *link)
{
	if (!link)
		return;
	if (link->connecting)
		g_cancellable_cancel(link->connecting);
	g_clear_object(&link->connecting);
	while (link->local.fd >= 0 && !link->local.ended && link->server.out->len < WAITING_MAX) {
		guint waiting = link->server.out->len;

		read_local(link);
		if (link->server.out->len == waiting)
			break;
	}
	end_write(&link->server);
	end_close(&link->server);
	end_close(&link->local);
	g_clear_handle_id(&link->accepting, g_source_remove);
	if (link->listener >= 0)
		close(link->listener);
	xmpp_filter_free(link->filter);
	g_byte_array_unref(link->server.out);
	g_byte_array_unref(link->local.out);
	g_free(link);
}

void
xmpp_link_expect(XmppLink *link, int fd)
{
	struct sockaddr_storage own;
	socklen_t length = sizeof own;

	set_nodelay(fd);
	if (getsockname(fd, (struct sockaddr *)&own, &length) == 0)
		link->expected = port_of(&own);
}

gint64
xmpp_link_heard_us(const XmppLink *link)
{
	return link->heard_us;
}
