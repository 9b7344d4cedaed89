/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-peer.c - the other end of a SIP conversation, played by a test. */
#include "tests/legs/sip-peer.h"
#include <stdlib.h>
#include <string.h>

#define PATIENCE_US (20 * G_USEC_PER_SEC)

const char sdp_one[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		       "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
const char sdp_two[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		       "m=audio 40002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
const char sdp_hold[] = "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
			"m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n";

guint peer_gateway_port;
gboolean peer_six;

const char *
peer_host(void)
{
	return peer_six ? "[::1]" : "127.0.0.1";
}

char *
peer_at_home(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "127.0.0.1", -1);

	return g_strjoinv(peer_host(), parts);
}

static GSocketFamily
family(void)
{
	return peer_six ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4;
}

/* A port free for UDP and TCP alike at this moment. */
guint
peer_free_port(void)
{
	for (guint tries = 0; tries < 50; tries++) {
		g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(family());
		g_autoptr(GSocketAddress) any = g_inet_socket_address_new(loopback, 0);
		g_autoptr(GSocket) udp =
			g_socket_new(family(), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
		g_autoptr(GSocket) tcp =
			g_socket_new(family(), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
		g_autoptr(GSocketAddress) bound = NULL;

		g_assert_true(g_socket_bind(udp, any, FALSE, NULL));
		bound = g_socket_get_local_address(udp, NULL);
		if (g_socket_bind(tcp, bound, TRUE, NULL))
			return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	}
	g_assert_not_reached();
}

static gboolean
on_datagram(GSocket *socket, GIOCondition condition, gpointer user)
{
	Peer *peer = user;
	char buffer[65536];
	gssize size = g_socket_receive(socket, buffer, sizeof buffer - 1, NULL, NULL);

	if (size > 0)
		g_queue_push_tail(&peer->heard, g_strndup(buffer, size));
	return G_SOURCE_CONTINUE;
}

/* Moves whole messages from the stream to what was heard. */
static void
split_stream(Peer *peer)
{
	for (;;) {
		char *end = strstr(peer->stream->str, "\r\n\r\n");
		g_autofree char *length =
			end ? message_header(peer->stream->str, "Content-Length") : NULL;
		gsize size = end ? (gsize)(end + 4 - peer->stream->str) +
					     (length ? (gsize)atoi(length) : 0)
				 : 0;

		if (!end || size > peer->stream->len)
			return;
		g_queue_push_tail(&peer->heard, g_strndup(peer->stream->str, size));
		g_string_erase(peer->stream, 0, (gssize)size);
	}
}

static gboolean
on_stream(GSocket *socket, GIOCondition condition, gpointer user)
{
	Peer *peer = user;
	char buffer[65536];
	gssize size = g_socket_receive(socket, buffer, sizeof buffer, NULL, NULL);

	if (size <= 0)
		return G_SOURCE_REMOVE;
	g_string_append_len(peer->stream, buffer, size);
	split_stream(peer);
	return G_SOURCE_CONTINUE;
}

static void
watch(Peer *peer, GSocket *socket, GSocketSourceFunc func)
{
	if (peer->source) {
		g_source_destroy(peer->source);
		g_source_unref(peer->source);
	}
	peer->source = g_socket_create_source(socket, G_IO_IN, NULL);
	g_source_set_callback(peer->source, G_SOURCE_FUNC(func), peer, NULL);
	g_source_attach(peer->source, NULL);
}

static gboolean
on_connection(GSocket *listener, GIOCondition condition, gpointer user)
{
	Peer *peer = user;

	peer->socket = g_socket_accept(listener, NULL, NULL);
	g_assert_nonnull(peer->socket);
	watch(peer, peer->socket, on_stream);
	return G_SOURCE_REMOVE;
}

void
peer_hang_up(Peer *peer)
{
	g_socket_close(peer->socket, NULL);
	g_clear_object(&peer->socket);
	watch(peer, peer->listener, on_connection);
}

Peer *
peer_new_tcp(void)
{
	return peer_new_tcp_at(peer_six ? "::1" : "127.0.0.1");
}

Peer *
peer_new_tcp_at(const char *address)
{
	Peer *peer = g_new0(Peer, 1);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string(address, 0);
	g_autoptr(GSocketAddress) bound = NULL;

	peer->listener = g_socket_new(family(), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
	g_assert_true(g_socket_bind(peer->listener, any, TRUE, NULL));
	g_assert_true(g_socket_listen(peer->listener, NULL));
	bound = g_socket_get_local_address(peer->listener, NULL);
	peer->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	peer->stream = g_string_new(NULL);
	g_queue_init(&peer->heard);
	watch(peer, peer->listener, on_connection);
	peer->call_id = g_uuid_string_random();
	peer->tag = g_strdup("peer");
	return peer;
}

/* From the address that it listens at, by another port. */
static void
connect_out(Peer *peer)
{
	g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(family());
	g_autoptr(GSocketAddress) to = g_inet_socket_address_new(loopback, peer_gateway_port);
	g_autoptr(GSocketAddress) own = g_socket_get_local_address(peer->listener, NULL);
	GInetAddress *address = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(own));
	g_autoptr(GSocketAddress) from = g_inet_socket_address_new(address, 0);
	g_autoptr(GError) error = NULL;

	peer->socket = g_socket_new(family(), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
	g_assert_true(g_socket_bind(peer->socket, from, FALSE, NULL));
	g_socket_connect(peer->socket, to, NULL, &error);
	g_assert_no_error(error);
	watch(peer, peer->socket, on_stream);
}

Peer *
peer_new(void)
{
	return peer_new_at(peer_six ? "::1" : "127.0.0.1");
}

Peer *
peer_new_at(const char *address)
{
	Peer *peer = g_new0(Peer, 1);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string(address, 0);
	g_autoptr(GSocketAddress) bound = NULL;

	peer->socket = g_socket_new(family(), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
	g_socket_set_blocking(peer->socket, FALSE);
	g_assert_true(g_socket_bind(peer->socket, any, FALSE, NULL));
	bound = g_socket_get_local_address(peer->socket, NULL);
	peer->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	g_queue_init(&peer->heard);
	watch(peer, peer->socket, on_datagram);
	peer->call_id = g_uuid_string_random();
	peer->tag = g_strdup("peer");
	return peer;
}

void
peer_free(Peer *peer)
{
	g_source_destroy(peer->source);
	g_source_unref(peer->source);
	g_clear_object(&peer->socket);
	g_clear_object(&peer->listener);
	if (peer->stream)
		g_string_free(peer->stream, TRUE);
	g_queue_clear_full(&peer->heard, g_free);
	g_free(peer->call_id);
	g_free(peer->tag);
	g_free(peer);
}

void
peer_send_bytes(Peer *peer, const char *bytes, gsize size)
{
	g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(family());
	g_autoptr(GSocketAddress) to = g_inet_socket_address_new(loopback, peer_gateway_port);

	if (peer->stream && !peer->socket)
		connect_out(peer);
	if (peer->stream)
		g_socket_send(peer->socket, bytes, size, NULL, NULL);
	else
		g_socket_send_to(peer->socket, to, bytes, size, NULL, NULL);
}

void
peer_send(Peer *peer, const char *text)
{
	peer_send_bytes(peer, text, strlen(text));
}

gboolean
peer_has(Peer *peer, const char *start)
{
	for (GList *l = peer->heard.head; l; l = l->next)
		if (g_str_has_prefix(l->data, start))
			return TRUE;
	return FALSE;
}

char *
peer_wait(Peer *peer, const char *start)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	for (;;) {
		char *message = g_queue_pop_head(&peer->heard);

		if (message && g_str_has_prefix(message, start))
			return message;
		if (message)
			g_test_message("passed over: %.40s", message);
		else {
			if (g_get_monotonic_time() > deadline)
				g_error("the peer never heard \"%s\"", start);
			g_main_context_iteration(NULL, FALSE);
			g_usleep(500);
		}
		g_free(message);
	}
}

char *
message_header(const char *message, const char *name)
{
	g_auto(GStrv) lines = g_strsplit(message, "\r\n", -1);
	g_autofree char *start = g_strdup_printf("%s:", name);

	for (char **line = lines; *line && **line; line++)
		if (g_ascii_strncasecmp(*line, start, strlen(start)) == 0)
			return g_strstrip(g_strdup(*line + strlen(start)));
	return NULL;
}

char *
message_tag(const char *message, const char *header)
{
	g_autofree char *value = message_header(message, header);
	const char *tag = value ? strstr(value, ";tag=") : NULL;

	return tag ? g_strndup(tag + 5, strcspn(tag + 5, ";>")) : NULL;
}

const char *
message_body(const char *message)
{
	const char *end = strstr(message, "\r\n\r\n");

	return end ? end + 4 : "";
}

char *
peer_request(Peer *peer, const char *method, const char *to_tag, const char *extra,
	     const char *body)
{
	g_autofree char *tag = to_tag ? g_strdup_printf(";tag=%s", to_tag) : g_strdup("");
	g_autofree char *contact =
		extra && strstr(extra, "Contact:")
			? g_strdup("")
			: g_strdup_printf("Contact: <sip:peer@%s:%u%s>\r\n", peer_host(),
					  peer->port, peer->stream ? ";transport=tcp" : "");

	if (strcmp(method, "ACK") != 0 && strcmp(method, "CANCEL") != 0)
		peer->cseq++;
	return g_strdup_printf(
		"%s sip:+14155550123@%s:%u SIP/2.0\r\n"
		"Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%s-%u%s;rport\r\n"
		"From: \"Bob \\\"B\\\"\" <sip:+12125550199@carrier.example>;tag=%s\r\n"
		"To: <sip:+14155550123@gw.example.org>%s\r\n"
		"Call-ID: %s\r\nCSeq: %u %s\r\n"
		"%sMax-Forwards: 70\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, peer_host(), peer_gateway_port, peer->stream ? "TCP" : "UDP", peer_host(),
		peer->port, peer->call_id, peer->cseq,
		strcmp(method, "ACK") == 0 && !g_str_has_prefix(extra ? extra : "", "X-Same")
			? "-ack"
			: "",
		peer->tag, tag, peer->call_id, peer->cseq, method, contact, extra ? extra : "",
		body && !(extra && strstr(extra, "Content-Type:"))
			? "Content-Type: application/sdp\r\n"
			: "",
		body ? strlen(body) : 0, body ? body : "");
}

void
peer_invite(Peer *peer, const char *extra, const char *body)
{
	g_autofree char *invite = NULL;

	g_free(peer->call_id);
	peer->call_id = g_uuid_string_random();
	invite = peer_request(peer, "INVITE", NULL, extra, body);
	peer_send(peer, invite);
}

void
peer_ack(Peer *peer, const char *response, const char *body)
{
	g_autofree char *tag = message_tag(response, "To");
	gboolean refusal = !g_str_has_prefix(response, "SIP/2.0 2");
	g_autofree char *ack =
		peer_request(peer, "ACK", tag, refusal ? "X-Same: branch\r\n" : NULL, body);

	peer_send(peer, ack);
}

char *
peer_reply_text(Peer *peer, const char *request, const char *status, const char *tag,
		const char *extra, const char *body)
{
	GString *text = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(request, "\r\n", -1);
	static const char *const copied[] = { "Via:", "From:", "Call-ID:", "CSeq:", "To:" };

	g_string_printf(text, "SIP/2.0 %s\r\n", status);
	for (char **line = lines; *line && **line; line++)
		for (guint i = 0; i < G_N_ELEMENTS(copied); i++)
			if (g_str_has_prefix(*line, copied[i])) {
				gboolean add = strcmp(copied[i], "To:") == 0 && tag &&
					       !strstr(*line, ";tag=");

				g_string_append_printf(text, "%s%s%s\r\n", *line,
						       add ? ";tag=" : "", add ? tag : "");
			}
	g_string_append_printf(text, "%s%s", extra ? extra : "",
			       body && !(extra && strstr(extra, "Content-Type:"))
				       ? "Content-Type: application/sdp\r\n"
				       : "");
	if (!extra || !strstr(extra, "Contact:"))
		g_string_append_printf(text, "Contact: <sip:peer@%s:%u%s>\r\n", peer_host(),
				       peer->port, peer->stream ? ";transport=tcp" : "");
	g_string_append_printf(text, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0,
			       body ? body : "");
	return g_string_free(text, FALSE);
}

void
peer_reply(Peer *peer, const char *request, const char *status, const char *tag, const char *extra,
	   const char *body)
{
	g_autofree char *text = peer_reply_text(peer, request, status, tag, extra, body);

	peer_send(peer, text);
}

char *
peer_wait_answer(Peer *peer, const char *status, const char *method)
{
	g_autofree char *start = g_strconcat("SIP/2.0 ", status, NULL);

	for (;;) {
		g_autofree char *response = peer_wait(peer, start);
		g_autofree char *cseq = message_header(response, "CSeq");

		if (g_str_has_suffix(cseq, method))
			return g_steal_pointer(&response);
	}
}
