/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bridge.c - a gateway of two ports, and a peer on each that notes what it hears. */
#include "tests/media/bridge.h"
#include <poll.h>
#include <string.h>
#include "media/bytes.h"

#define ENOUGH 20000 /* ms; only a failure waits so long */

/* --- hearing --- */

static void
note_rtp(End *end, const guint8 *data, gsize length)
{
	RtpPacket packet;
	Heard heard;

	g_assert_true(rtp_parse(data, length, &packet));
	heard = (Heard){ .pt = packet.pt,
			 .marker = packet.marker,
			 .seq = packet.seq,
			 .timestamp = packet.timestamp,
			 .ssrc = packet.ssrc,
			 .size = packet.payload_size,
			 .at = g_get_monotonic_time() };
	memcpy(heard.payload, packet.payload, MIN(packet.payload_size, sizeof heard.payload));
	g_array_append_val(end->heard, heard);
}

static void
on_browser_heard(gpointer user, const guint8 *data, gsize length, gboolean rtcp)
{
	End *end = user;

	if (rtcp)
		g_ptr_array_add(end->reports, g_bytes_new(data, length));
	else
		note_rtp(end, data, length);
}

static void
listen_socket(End *end, int fd, gboolean rtcp)
{
	guint8 data[2048];
	ssize_t length;

	while ((length = recv(fd, data, sizeof data, 0)) >= 0)
		on_browser_heard(end, data, (gsize)length, rtcp);
}

guint
end_listen(End *end)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
	if (end->phone) {
		listen_socket(end, end->phone->sockets.rtp, FALSE);
		listen_socket(end, end->phone->sockets.rtcp, TRUE);
	}
	return end->heard->len;
}

void
end_forget(End *end)
{
	end_listen(end);
	g_array_set_size(end->heard, 0);
}

typedef struct {
	End *from, *end;
	guint n;
	PortStats stats;
} Wait;

static gboolean
has_heard(gpointer user)
{
	Wait *wait = user;
	struct pollfd phone = { .fd = wait->end->phone ? wait->end->phone->sockets.rtp : -1,
				.events = POLLIN };

	if (end_listen(wait->end) >= wait->n)
		return TRUE;
	if (wait->end->phone)
		poll(&phone, 1, 5); /* the main loop does not watch it */
	return end_listen(wait->end) >= wait->n;
}

void
end_wait(End *end, guint n)
{
	Wait wait = { .end = end, .n = n };

	if (!wait_for(has_heard, &wait, ENOUGH))
		g_error("heard %u packets of %u", end->heard->len, n);
}

void
end_talk(End *from, End *to, guint8 pt, guint n)
{
	for (guint i = 0; i < n; i++) {
		const guint heard = end_listen(to);

		end_send(from, pt);
		end_wait(to, heard + 1);
	}
}

static gboolean
has_settled(gpointer user)
{
	Wait *wait = user;
	const PortStats *stats = &wait->stats;

	wait->stats = peer_query(wait->from->gateway, wait->from->port);
	return stats->packets_in + stats->rtcp_in + stats->dropped_auth + stats->dropped_malformed +
		       stats->dropped_payload_type + stats->dropped_source >=
	       wait->from->sent;
}

PortStats
end_settle(End *from, End *to)
{
	Wait wait = { .from = from };

	g_assert_true(wait_for(has_settled, &wait, ENOUGH));
	if (to)
		end_listen(to);
	return wait.stats;
}

guint32
heard_frame(const Heard *heard)
{
	return get32(heard->payload);
}

void
assert_one_stream(End *end, guint first)
{
	end_listen(end);
	for (guint i = first + 1; i < end->heard->len; i++) {
		const Heard *last = end_heard(end, i - 1), *heard = end_heard(end, i);

		g_assert_cmphex(heard->ssrc, ==, last->ssrc);
		g_assert_cmpuint(heard->seq, ==, (guint16)(last->seq + 1));
		g_assert_cmpint((gint32)(heard->timestamp - last->timestamp), >=, 0);
	}
}

/* --- sending --- */

guint16
end_gateway_port(const End *end)
{
	return end->gateway->ports[end->port].ours->port;
}

static void
send_socket(End *end, int fd, guint16 port, const void *data, gsize length)
{
	NetAddress to;

	g_assert_true(net_address_parse(end->gateway->ports[end->port].ours->address, port, &to));
	g_assert_cmpint(sendto(fd, data, length, 0, &to.any, to.length), ==, length);
}

void
end_send_raw(End *end, const void *data, gsize length)
{
	end->sent++;
	if (end->browser)
		browser_send_raw(end->browser, data, length);
	else
		send_socket(end, end->phone->sockets.rtp, end_gateway_port(end), data, length);
}

static gsize
build(guint8 *data, const RtpPacket *packet, const void *payload, gsize length)
{
	rtp_write_header(data, packet);
	memcpy(data + RTP_HEADER, payload, length);
	return RTP_HEADER + length;
}

void
end_send_packet(End *end, const RtpPacket *packet, const void *payload, gsize length)
{
	guint8 data[1500];
	const gsize size = build(data, packet, payload, length);

	if (!end->browser) {
		end_send_raw(end, data, size);
		return;
	}
	end->sent++;
	g_assert_true(browser_send(end->browser, data, size, FALSE));
}

/* The next frame, and the stream moves on. */
static RtpPacket
next_frame(End *end, guint8 pt, guint8 payload[FRAME])
{
	const RtpPacket packet = {
		.pt = pt, .seq = end->seq, .timestamp = end->timestamp, .ssrc = end->ssrc
	};

	memset(payload, 0x55, FRAME);
	put32(payload, end->frame++);
	end->seq++;
	end->timestamp += FRAME;
	return packet;
}

void
end_send(End *end, guint8 pt)
{
	guint8 payload[FRAME];
	const RtpPacket packet = next_frame(end, pt, payload);

	end_send_packet(end, &packet, payload, FRAME);
}

void
end_send_from(End *end, Phone *source, guint8 pt)
{
	guint8 payload[FRAME], data[RTP_HEADER + FRAME];
	const RtpPacket packet = next_frame(end, pt, payload);

	end->sent++;
	send_socket(end, source->sockets.rtp, end_gateway_port(end), data,
		    build(data, &packet, payload, FRAME));
}

void
end_send_rtcp(End *end, const void *data, gsize length)
{
	end->sent++;
	if (end->browser)
		g_assert_true(browser_send(end->browser, data, length, TRUE));
	else
		send_socket(end, end->phone->sockets.rtcp, end_gateway_port(end) + 1, data, length);
}

/* --- life --- */

End *
end_new(Peer *gateway, Side side, TransportKind kind, const char *address, const char *codecs)
{
	End *end = g_new0(End, 1);

	end->gateway = gateway;
	end->kind = kind;
	end->port = peer_add(gateway, side, kind);
	end->address = address;
	end->local_codecs = end->remote_codecs = codecs;
	end->ssrc = g_random_int();
	end->seq = (guint16)g_random_int();
	end->timestamp = g_random_int();
	end->heard = g_array_new(FALSE, FALSE, sizeof(Heard));
	end->reports = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	if (kind == TRANSPORT_WEBRTC)
		end->browser = browser_new(on_browser_heard, end);
	else
		end->phone = phone_at(address);
	return end;
}

void
end_free(End *end)
{
	if (end->phone)
		phone_free(end->phone);
	browser_free(end->browser);
	g_array_free(end->heard, TRUE);
	g_ptr_array_free(end->reports, TRUE);
	g_free(end);
}

static Transport *
remote_transport(const End *end)
{
	Transport *transport;

	if (end->browser)
		return transport_copy(browser_transport(end->browser));
	transport = transport_new(TRANSPORT_RTP);
	g_strlcpy(transport->address, end->address, sizeof transport->address);
	transport->port = end->announced ? end->announced : end->phone->sockets.port;
	transport->rtcp_port = end->announced_rtcp;
	transport->sources = media_sources_share(&end->sources);
	return transport;
}

static void
set_direction(Desc *desc, Direction direction)
{
	((Stream *)g_ptr_array_index(desc->streams, 0))->direction = direction;
}

static gboolean
is_up(gpointer user)
{
	return browser_up(((End *)user)->browser);
}

void
end_connect(End *end)
{
	const Transport *ours = end->gateway->ports[end->port].ours;
	g_autoptr(Transport) theirs = remote_transport(end);
	g_autoptr(Desc) local = end->browser
					? desc_with_setup(ours, end->local_codecs, SETUP_PASSIVE)
					: desc_for_test(ours, end->local_codecs);
	g_autoptr(Desc) remote = desc_for_test(theirs, end->remote_codecs);

	set_direction(local, end->local_direction);
	set_direction(remote, end->remote_direction);
	media_connect(end->gateway->media, end->port, local, remote);
	if (end->browser && !browser_up(end->browser)) {
		browser_connect(end->browser, ours);
		peer_wait_up(end->gateway, end->port);
		g_assert_true(wait_for(is_up, end, ENOUGH));
	}
	peer_query(end->gateway, end->port); /* the relay knows it now */
}

Bridge *
bridge_with(const MediaOptions *options, TransportKind one, TransportKind two, const char *codecs)
{
	Bridge *bridge = g_new0(Bridge, 1);

	bridge->workers = workers_with(options);
	bridge->gateway = peer_new(bridge->workers);
	bridge->one = end_new(bridge->gateway, SIDE_CALLER, one, options->rtp_address, codecs);
	bridge->two = end_new(bridge->gateway, SIDE_CALLER, two, options->rtp_address, codecs);
	media_join(bridge->gateway->media, bridge->one->port, bridge->two->port);
	end_connect(bridge->one);
	end_connect(bridge->two);
	return bridge;
}

Bridge *
bridge_new(TransportKind one, TransportKind two, const char *codecs)
{
	const MediaOptions options = options_for_test();

	return bridge_with(&options, one, two, codecs);
}

void
bridge_free(Bridge *bridge)
{
	peer_free(bridge->gateway);
	end_free(bridge->one);
	end_free(bridge->two);
	workers_free(bridge->workers);
	g_free(bridge);
}
