/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp-time.c - what a plain port opens and announces, what it counts, and when
 * it is given up.
 */
#include "tests/media/bridge.h"
#include <string.h>
#include <unistd.h>
#include "media/bytes.h"

#define CODECS "0 PCMU, 101 telephone-event"
#define ENOUGH 20000

static gboolean
is_lost(gpointer user)
{
	const End *end = user;

	return end->gateway->ports[end->port].losses > 0;
}

static guint
losses(const End *end)
{
	return end->gateway->ports[end->port].losses;
}

/* --- silence --- */

typedef struct {
	End *from, *silent;
} Silence;

/* One keeps talking, the other is found out. */
static gboolean
silence_noticed(gpointer user)
{
	Silence *silence = user;

	end_send(silence->from, 0);
	return is_lost(silence->silent);
}

static void
test_timeout(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Silence silence;

	options.second_ms = 50;
	options.rtp_timeout_s = 20; /* a second here */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	silence = (Silence){ bridge->one, bridge->two };
	end_talk(bridge->one, bridge->two, 0, 1);
	end_talk(bridge->two, bridge->one, 0, 1);
	g_assert_true(wait_for(silence_noticed, &silence, ENOUGH));
	g_assert_cmpint(bridge->gateway->ports[bridge->two->port].loss, ==, MEDIA_LOST_RTP);
	g_assert_true(g_str_has_prefix(bridge->gateway->ports[bridge->two->port].text,
				       "no RTP from 127.0.0.1:"));
	g_assert_cmpuint(losses(bridge->one), ==, 0);
	bridge_free(bridge);
}

/* A peer that never sent may still be ringing: it has two minutes, whatever the
 * limit is; RTP from the other side does not count as its own.  (That one has 50 ms,
 * which a busy machine may exceed.) */
static void
test_never_any(void)
{
	MediaOptions options = options_for_test();
	const gint64 start = g_get_monotonic_time();
	Bridge *bridge;
	Silence silence;

	options.second_ms = 5; /* 0.6 s here */
	options.rtp_timeout_s = 10;
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	silence = (Silence){ bridge->one, bridge->two };
	g_assert_true(wait_for(silence_noticed, &silence, ENOUGH));
	g_assert_cmpint(g_get_monotonic_time() - start, >=, 580000);
	g_assert_true(g_str_has_prefix(bridge->gateway->ports[bridge->two->port].text,
				       "never any RTP from 127.0.0.1:"));
	bridge_free(bridge);
}

typedef struct {
	Bridge *bridges[5];
	gint64 until;
} Holds;

static gboolean
time_is_over(gpointer user)
{
	return g_get_monotonic_time() >= ((Holds *)user)->until;
}

static gboolean
all_lost(gpointer user)
{
	Holds *all = user;

	for (guint i = 0; i < G_N_ELEMENTS(all->bridges); i++)
		if (!is_lost(all->bridges[i]->one) || !is_lost(all->bridges[i]->two))
			return FALSE;
	return TRUE;
}

/* Whoever is on hold, on either side, may be silent for ever; the time begins when
 * the hold ends.  0 is for ever, too. */
static void
test_no_timeout(void)
{
	static const struct {
		Direction local, remote;
		const char *address;
	} forms[] = {
		{ DIRECTION_RECVONLY, DIRECTION_SENDONLY, "127.0.0.1" },
		{ DIRECTION_SENDONLY, DIRECTION_RECVONLY, "127.0.0.1" },
		{ DIRECTION_INACTIVE, DIRECTION_INACTIVE, "127.0.0.1" },
		{ DIRECTION_SENDRECV, DIRECTION_SENDRECV, "0.0.0.0" },
		{ DIRECTION_SENDRECV, DIRECTION_SENDRECV, "127.0.0.1" },
	};
	MediaOptions options = options_for_test();
	Holds all;
	gint64 resumed;

	options.second_ms = 50;
	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		options.rtp_timeout_s = i < 4 ? 8 : 0; /* 0.4 s: two ticks */
		all.bridges[i] = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
		end_talk(all.bridges[i]->one, all.bridges[i]->two, 0, 1);
		end_talk(all.bridges[i]->two, all.bridges[i]->one, 0, 1);
		all.bridges[i]->one->local_direction = forms[i].local;
		all.bridges[i]->one->remote_direction = forms[i].remote;
		all.bridges[i]->one->address = forms[i].address;
		end_connect(all.bridges[i]->one);
	}
	all.until = g_get_monotonic_time() + 1000000; /* three ticks after the limit at least */
	g_assert_true(wait_for(time_is_over, &all, ENOUGH));
	for (guint i = 0; i < G_N_ELEMENTS(forms); i++)
		g_assert_cmpuint(losses(all.bridges[i]->one) + losses(all.bridges[i]->two), ==, 0);
	bridge_free(all.bridges[4]);
	all.bridges[4] = all.bridges[0];
	resumed = g_get_monotonic_time();
	for (guint i = 0; i < 4; i++) {
		End *one = all.bridges[i]->one;

		one->local_direction = one->remote_direction = DIRECTION_SENDRECV;
		one->address = "127.0.0.1";
		end_connect(one);
	}
	g_assert_true(wait_for(all_lost, &all, ENOUGH));
	g_assert_cmpint(g_get_monotonic_time() - resumed, >=, 250000); /* not by the first tick */
	for (guint i = 0; i < 4; i++)
		bridge_free(all.bridges[i]);
}

/* --- sockets --- */

static void
test_ip6(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	const Transport *ours;

	options.rtp_address = (char *)"::1";
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	ours = bridge->gateway->ports[bridge->one->port].ours;
	g_assert_cmpstr(ours->address, ==, "::1");
	end_talk(bridge->one, bridge->two, 0, 5);
	end_talk(bridge->two, bridge->one, 0, 5);
	g_assert_cmpuint(peer_query(bridge->gateway, bridge->one->port).packets_in, ==, 5);
	g_assert_nonnull(strstr(bridge->gateway->ports[bridge->one->port].notes->str,
				"rtp: first packet from [::1]:"));
	bridge_free(bridge);
}

/* 1:1 NAT: bound here, announced there; even and odd as RFC 3550 11 has them. */
static void
test_public_address(void)
{
	MediaOptions options = options_for_test();
	Workers *workers;
	Peer *peer;

	options.public_address = (char *)"192.0.2.7";
	options.port_min = 20001;
	workers = workers_with(&options);
	peer = peer_new(workers);
	for (guint i = 0; i < 4; i++) {
		const Transport *ours =
			peer->ports[peer_add(peer, SIDE_CALLER, TRANSPORT_RTP)].ours;
		NetAddress bound;
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		g_assert_cmpstr(ours->address, ==, "192.0.2.7");
		g_assert_cmpuint(ours->port % 2, ==, 0);
		g_assert_cmpuint(ours->rtcp_port, ==, ours->port + 1);
		net_address_parse("127.0.0.1", ours->port, &bound);
		g_assert_cmpint(bind(fd, &bound.any, bound.length), ==, -1); /* ours has it */
		close(fd);
	}
	peer_free(peer);
	workers_free(workers);
}

typedef struct {
	Peer *peer;
	PortId port;
} One;

static gboolean
one_is_lost(gpointer user)
{
	const One *one = user;

	return one->peer->ports[one->port].losses > 0;
}

static const char *
text_of_failure(const MediaOptions *options, guint pairs)
{
	static char text[512];
	Workers *workers = workers_with(options);
	One one = { .peer = peer_new(workers) };

	for (guint i = 0; i < pairs; i++)
		peer_add(one.peer, SIDE_CALLER, TRANSPORT_RTP);
	one.port = media_add_port(one.peer->media, SIDE_CALLER, TRANSPORT_RTP);
	g_assert_true(wait_for(one_is_lost, &one, ENOUGH));
	g_assert_cmpint(one.peer->ports[one.port].loss, ==, MEDIA_LOST_SETUP);
	g_assert_cmpuint(one.peer->ports[one.port].readies, ==, 0);
	g_strlcpy(text, one.peer->ports[one.port].text, sizeof text);
	peer_free(one.peer);
	workers_free(workers);
	return text;
}

/* The operator reads which key, what it is, and what to do. */
static void
test_no_sockets(void)
{
	MediaOptions options = options_for_test();
	UdpPair pair;
	g_autoptr(GError) error = NULL;

	/* where nobody else of these tests is */
	g_assert_true(udp_pair_open("127.0.0.77", 20000, 59990, &pair, &error));
	close(pair.rtp);
	close(pair.rtcp);
	options.rtp_address = (char *)"127.0.0.77";
	options.port_min = pair.port - 1; /* odd, and the last even one has no partner */
	options.port_max = pair.port + 4;
	g_assert_nonnull(strstr(text_of_failure(&options, 2),
				"on 127.0.0.77 for RTP: widen [media] port_min and port_max"));
	options.rtp_address = (char *)"192.0.2.1";
	g_assert_nonnull(
		strstr(text_of_failure(&options, 0),
		       "192.0.2.1 is not an address of this host: set [media] rtp_address"));
}

/* --- counters --- */

/* 100 packets: five are lost, three pairs turned round, two come twice, and and some are
 * no packets at all. */
static void
test_counters(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_WEBRTC, CODECS);
	End *one = bridge->one, *two = bridge->two;
	const guint16 first = one->seq;
	const guint32 timestamp = one->timestamp;
	PortStats stats;

	for (guint i = 0; i < 100; i++) {
		static const guint8 turned[] = { 20, 40, 60 };
		guint number = i;

		for (guint j = 0; j < G_N_ELEMENTS(turned); j++)
			if (i == turned[j] || i == turned[j] + 1u)
				number = 2 * turned[j] + 1 - i;
		if (number % 20 == 9)
			continue;
		one->seq = (guint16)(first + number);
		one->timestamp = timestamp + number * FRAME;
		one->frame = number;
		end_send(one, 0);
		if (number == 33 || number == 66) {
			one->seq--;
			one->timestamp -= FRAME;
			end_send(one, 0);
		}
		if (number % 20 == 19)
			end_settle(one, two);
	}
	end_send_raw(one, "\x80\0\0\1", 4);
	end_send_raw(one, "\xff", 1);
	end_send_raw(one, "\x80\x80\0\1\0\0\0\0\0\0\0\0", 12); /* as RTCP's place says: an SSRC */
	end_send_rtcp(one, "\x80\xc9\0\x09short", 9);
	stats = end_settle(one, two);
	g_assert_cmpuint(stats.packets_in, ==, 97 + 1);
	g_assert_cmpuint(stats.lost_in, ==, 5 - 2); /* RFC 3550 A.3: repetitions count */
	g_assert_cmpuint(stats.dropped_malformed, ==, 3);
	g_assert_cmpuint(stats.bytes_in, ==, 97 * (RTP_HEADER + FRAME) + RTP_HEADER);
	/* a number under which something was encrypted is not used again */
	end_wait(two, 96);
	end_talk(one, two, 0, 1);
	g_assert_cmpuint(two->heard->len, ==, 97);
	g_assert_cmpuint(browser_refused(two->browser), ==, 0);
	bridge_free(bridge);
}

typedef struct {
	End *end;
	gint64 next;
	guint n;
} Pace;

static gboolean
paced(gpointer user)
{
	Pace *pace = user;

	if (g_get_monotonic_time() < pace->next)
		return FALSE;
	end_send(pace->end, 0);
	pace->n--;
	pace->next += 10000; /* the timestamps say 20000 */
	return pace->n == 0;
}

/* Packets that come 10 ms apart and claim 20: each differs by 10 ms, and the sixteenth
 * part of that is added each time (A.8), so 40 of them make 10 * (1 - (15/16)^39) = 9.2 ms. */
static void
test_jitter(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Pace pace = { .end = bridge->one, .next = g_get_monotonic_time(), .n = 40 };
	PortStats stats;

	g_assert_true(wait_for(paced, &pace, ENOUGH));
	stats = end_settle(bridge->one, NULL);
	g_assert_cmpuint(stats.jitter_us, >=, 7000);
	g_assert_cmpuint(stats.jitter_us, <=, 40000);
	bridge_free(bridge);
}

/* --- RTCP --- */

typedef struct {
	End *end;
	guint32 lsr, source;
} SeenReport;

/* The newest SR of the gateway's: whose it is, and the middle of its time. */
static gboolean
has_sender_report(gpointer user)
{
	SeenReport *seen = user;
	RtcpPacket packet;
	RtcpSender sender;

	end_listen(seen->end);
	for (guint i = seen->end->reports->len; i-- > 0;) {
		gsize size, offset = 0;
		const guint8 *data = g_bytes_get_data(seen->end->reports->pdata[i], &size);

		g_assert_true(rtcp_valid(data, size));
		g_assert_true(rtcp_next(data, size, &offset, &packet));
		if (!rtcp_sender(&packet, &sender))
			continue;
		seen->lsr = (guint32)(sender.ntp >> 16);
		seen->source = packet.ssrc;
		return TRUE;
	}
	return FALSE;
}

static void
answer_report(const SeenReport *seen, guint32 about, guint32 held_ms)
{
	guint8 data[RTCP_MAX_REPORT];
	const RtcpBlock block = { .ssrc = about, .lsr = seen->lsr, .dlsr = held_ms * 65536 / 1000 };
	const RtcpReport report = { .ssrc = seen->end->ssrc, .cname = "peer", .block = &block };

	end_send_rtcp(seen->end, data, rtcp_write_report(data, sizeof data, &report));
}

static gboolean
after(gpointer user)
{
	return g_get_monotonic_time() >= *(gint64 *)user;
}

/* A report that comes back 400 ms later, of which the peer says it held it for 380. */
static void
test_round_trip(gconstpointer data)
{
	const TransportKind kind = GPOINTER_TO_INT(data);
	Bridge *bridge = bridge_new(TRANSPORT_RTP, kind, CODECS);
	End *two = bridge->two;
	SeenReport seen = { .end = two };
	gint64 then;
	PortStats stats;

	end_talk(bridge->one, two, 0, 3);
	g_assert_true(wait_for(has_sender_report, &seen, ENOUGH));
	g_assert_cmphex(seen.source, ==, end_heard(two, 0)->ssrc);
	then = g_get_monotonic_time() + 400000;
	g_assert_true(wait_for(after, &then, ENOUGH));
	answer_report(&seen, seen.source + 1, 0); /* about somebody else */
	g_assert_cmpuint(end_settle(two, NULL).rtt_us, ==, 0);
	answer_report(&seen, seen.source, 380);
	stats = end_settle(two, NULL);
	g_assert_cmpuint(stats.rtcp_in, ==, 2);
	g_assert_cmpuint(stats.rtt_us, >=, 15000);
	g_assert_cmpuint(stats.rtt_us, <=, 750000);
	g_assert_cmpuint(peer_query(bridge->gateway, bridge->one->port).rtt_us, ==, 0);
	bridge_free(bridge);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-time/silence", test_timeout);
	g_test_add_func("/rtp-time/never any", test_never_any);
	g_test_add_func("/rtp-time/none on hold", test_no_timeout);
	g_test_add_func("/rtp-time/IPv6", test_ip6);
	g_test_add_func("/rtp-time/public address", test_public_address);
	g_test_add_func("/rtp-time/no sockets", test_no_sockets);
	g_test_add_func("/rtp-time/counters", test_counters);
	g_test_add_func("/rtp-time/jitter", test_jitter);
	g_test_add_data_func("/rtp-time/round trip/RTP", GINT_TO_POINTER(TRANSPORT_RTP),
			     test_round_trip);
	g_test_add_data_func("/rtp-time/round trip/WebRTC", GINT_TO_POINTER(TRANSPORT_WEBRTC),
			     test_round_trip);
	return g_test_run();
}
