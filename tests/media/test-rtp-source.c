/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp-source.c - who may send to a plain port, and where it sends to.
 *
 * RFC 4961.  Loopback has many hosts: 127.0.0.1 is the gateway's and the
 * telephones', the others are strangers'.
 */
#include "tests/media/bridge.h"
#include <string.h>

#define CODECS	 "0 PCMU, 101 telephone-event"
#define STRANGER "127.0.0.2"
#define NAT	 "127.0.0.3"
#define ENOUGH	 20000

/* --- the first source --- */

/* The peer is behind a NAT: it signalled an address nobody has, and sends from
 * another.  What comes is taken, and what goes out goes there. */
static void
test_followed(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *nat = phone_at(NAT);
	PortStats stats;

	bridge->one->announced = 9;
	bridge->one->address = "127.0.0.9";
	end_connect(bridge->one);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	for (guint i = 0; i < 5; i++)
		end_send_from(bridge->one, nat, 0);
	stats = end_settle(bridge->one, bridge->two);
	g_assert_cmpuint(stats.packets_in, ==, 5);
	g_assert_cmpuint(stats.dropped_source, ==, 0);
	g_assert_cmpuint(bridge->two->heard->len, ==, 5);
	g_assert_cmpuint(phone_drain(nat), ==, 0); /* it was not known yet */
	for (guint i = 0; i < 5; i++)
		end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(nat), ==, 5);
	g_assert_nonnull(strstr(bridge->gateway->ports[bridge->one->port].notes->str,
				"signalled was 127.0.0.9:9: following it"));
	phone_free(nat);
	bridge_free(bridge);
}

/* --- a second source --- */

static void
test_intruder(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *intruder = phone_at(STRANGER), *beside = phone_new();
	PortStats stats;

	end_talk(bridge->one, bridge->two, 0, 3);
	/* another host under the stream's own SSRC and numbers, and another port of the host */
	for (guint i = 0; i < 4; i++) {
		end_send_from(bridge->one, intruder, 0);
		end_send_from(bridge->one, beside, 0);
		bridge->one->seq -= 2;
		bridge->one->frame -= 2;
		bridge->one->timestamp -= 2 * FRAME;
		end_talk(bridge->one, bridge->two, 0, 1);
	}
	stats = end_settle(bridge->one, bridge->two);
	g_assert_cmpuint(stats.dropped_source, ==, 8);
	g_assert_cmpuint(stats.packets_in, ==, 7);
	g_assert_cmpuint(bridge->two->heard->len, ==, 7);
	assert_one_stream(bridge->two, 0);
	end_talk(bridge->two, bridge->one, 0, 3); /* nor did it turn our stream away */
	g_assert_cmpuint(phone_drain(intruder) + phone_drain(beside), ==, 0);
	phone_free(intruder);
	phone_free(beside);
	bridge_free(bridge);
}

/* Whoever was first, the signalled address takes over. */
static void
test_signalled_is_right(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *intruder = phone_at(STRANGER);
	PortStats stats;

	end_send_from(bridge->one, intruder, 0);
	end_send_from(bridge->one, intruder, 0);
	end_settle(bridge->one, NULL);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(intruder), ==, 1); /* it could not be told from a NAT */
	bridge->one->ssrc++;
	end_forget(bridge->two);
	end_talk(bridge->one, bridge->two, 0, 3);
	end_send_from(bridge->one, intruder, 0);
	stats = end_settle(bridge->one, bridge->two);
	g_assert_cmpuint(stats.dropped_source, ==, 1);
	g_assert_cmpuint(bridge->two->heard->len, ==, 3);
	end_talk(bridge->two, bridge->one, 0, 3);
	g_assert_cmpuint(phone_drain(intruder), ==, 0);
	phone_free(intruder);
	bridge_free(bridge);
}

/* --- a source that moves --- */

typedef struct {
	End *end;
	Phone *source;
	guint64 before;
} Move;

static gboolean
is_taken(gpointer user)
{
	Move *move = user;

	end_send_from(move->end, move->source, 0);
	return end_settle(move->end, NULL).packets_in > move->before;
}

/* Sends from `source` until it is taken; how long that took, in us. */
static gint64
move_to(End *end, Phone *source)
{
	Move move = { end, source, peer_query(end->gateway, end->port).packets_in };
	const gint64 start = g_get_monotonic_time();

	g_assert_true(wait_for(is_taken, &move, ENOUGH));
	return g_get_monotonic_time() - start;
}

/* The peer's NAT gives it another address; a stranger has to wait longer, and the
 * latched one, the stranger then, does not get the stream back as long as it flows. */
static void
test_moves_after_silence(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *moved = phone_at(NAT), *stranger = phone_at(STRANGER);

	options.second_ms = 100; /* 0.2 s for the same stream, 1 s for a stranger */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	end_talk(bridge->one, bridge->two, 0, 3);
	g_assert_cmpint(move_to(bridge->one, moved), >=, 150000);
	bridge->one->ssrc++;
	g_assert_cmpint(move_to(bridge->one, stranger), >=, 950000);
	end_send_from(bridge->one, moved, 0);
	g_assert_cmpuint(end_settle(bridge->one, NULL).dropped_source, >, 2);
	phone_drain(moved);
	phone_drain(stranger);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(stranger), ==, 1);
	g_assert_cmpuint(phone_drain(moved), ==, 0);
	phone_free(moved);
	phone_free(stranger);
	bridge_free(bridge);
}

/* Who is held is silent; nobody else may take his place meanwhile. */
static void
test_hold_keeps_source(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *stranger = phone_at(STRANGER), *moved = phone_at(NAT);
	const gint64 start = g_get_monotonic_time();
	PortStats stats;

	options.second_ms = 10; /* a stranger would be taken after 0.1 s */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	end_talk(bridge->one, bridge->two, 0, 3);
	bridge->one->remote_direction = DIRECTION_SENDONLY;
	bridge->one->local_direction = DIRECTION_RECVONLY;
	end_connect(bridge->one);
	bridge->one->ssrc++;
	do {
		end_send_from(bridge->one, stranger, 0);
		stats = end_settle(bridge->one, NULL);
	} while (g_get_monotonic_time() - start < 250000);
	g_assert_cmpuint(stats.packets_in, ==, 3);
	bridge->one->ssrc--; /* the stream itself may move even now */
	move_to(bridge->one, moved);
	bridge->one->ssrc++;
	bridge->one->remote_direction = bridge->one->local_direction = DIRECTION_SENDRECV;
	end_connect(bridge->one);
	move_to(bridge->one, stranger);
	phone_free(moved);
	phone_free(stranger);
	bridge_free(bridge);
}

/* --- RTCP --- */

static gsize
receiver_report(guint8 *data, gsize room, guint32 ssrc)
{
	const RtcpReport report = { .ssrc = ssrc, .cname = "phone" };

	return rtcp_write_report(data, room, &report);
}

static guint
reports_at(Phone *phone)
{
	guint8 data[RTCP_MAX_REPORT];
	guint n = 0;

	while (recv(phone->sockets.rtcp, data, sizeof data, 0) > 0)
		n++;
	return n;
}

static gboolean
reports_come(gpointer user)
{
	return reports_at(user) > 0;
}

static gboolean
end_has_reports(gpointer user)
{
	End *end = user;

	end_listen(end);
	return end->reports->len > 0;
}

static void
send_rtcp_from(End *end, int fd)
{
	guint8 data[RTCP_MAX_REPORT];
	const gsize length = receiver_report(data, sizeof data, end->ssrc);
	NetAddress to;

	net_address_parse("127.0.0.1", end_gateway_port(end) + 1, &to);
	g_assert_cmpint(sendto(fd, data, length, 0, &to.any, to.length), ==, length);
	end->sent++;
}

/* Ours go to the signalled port, to the one above the source's, to where the
 * peer's come from; a stranger's are dropped and change nothing. */
static void
test_rtcp(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *nat = phone_at(NAT), *stranger = phone_at(STRANGER);
	PortStats stats;

	options.second_ms = 20; /* a report every 0.1 s */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	bridge->one->announced = bridge->one->phone->sockets.port;
	end_talk(bridge->one, bridge->two, 0, 3);
	g_assert_true(wait_for(end_has_reports, bridge->one, ENOUGH));
	/* the peer moves: RTP first, and its RTCP port is the one above until it says otherwise */
	move_to(bridge->one, nat);
	g_assert_true(wait_for(reports_come, nat, ENOUGH));
	send_rtcp_from(bridge->one, stranger->sockets.rtcp);
	stats = end_settle(bridge->one, NULL);
	g_assert_cmpuint(stats.rtcp_in, ==, 0);
	g_assert_cmpuint(stats.dropped_source, >=, 1);
	send_rtcp_from(bridge->one, nat->sockets.rtp); /* multiplexed, or a NAT's whim */
	stats = end_settle(bridge->one, NULL);
	g_assert_cmpuint(stats.rtcp_in, ==, 1);
	reports_at(nat);
	phone_drain(nat);
	end_send_from(bridge->one, nat, 0);
	end_settle(bridge->one, NULL);
	for (guint had = nat->received; nat->received == had;) {
		phone_drain(nat);
		g_main_context_iteration(NULL, FALSE);
	}
	g_assert_cmpuint(nat->last[1], ==, RTCP_RR);
	g_assert_cmpuint(reports_at(stranger) + reports_at(nat), ==, 0);
	phone_free(nat);
	phone_free(stranger);
	bridge_free(bridge);
}

/* a=rtcp (RFC 3605) */
static void
test_signalled_rtcp(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *elsewhere = phone_new();

	options.second_ms = 20;
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	bridge->one->announced = bridge->one->phone->sockets.port;
	bridge->one->address = "127.0.0.9"; /* another first, so that this one is news */
	end_connect(bridge->one);
	bridge->one->address = "127.0.0.1";
	bridge->one->announced_rtcp = elsewhere->sockets.port + 1;
	end_connect(bridge->one);
	end_talk(bridge->one, bridge->two, 0, 1);
	g_assert_true(wait_for(reports_come, elsewhere, ENOUGH));
	end_listen(bridge->one);
	g_assert_cmpuint(bridge->one->reports->len, ==, 0);
	phone_free(elsewhere);
	bridge_free(bridge);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-source/followed", test_followed);
	g_test_add_func("/rtp-source/an intruder", test_intruder);
	g_test_add_func("/rtp-source/the signalled one is right", test_signalled_is_right);
	g_test_add_func("/rtp-source/moves after silence", test_moves_after_silence);
	g_test_add_func("/rtp-source/a hold keeps it", test_hold_keeps_source);
	g_test_add_func("/rtp-source/RTCP", test_rtcp);
	g_test_add_func("/rtp-source/RTCP where signalled", test_signalled_rtcp);
	return g_test_run();
}
