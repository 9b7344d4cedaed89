/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp-path.c - what becomes of a stream between two ports.
 *
 * To the peer everything is one stream: hold and resume, another source behind it,
 * payload types that are not passed on leave no hole (RFC 3550, RFC 3264, RFC 4733).
 */
#include "tests/media/bridge.h"
#include <string.h>
#include "media/bytes.h"
#include "media/srtp.h"

#define CODECS "0 PCMU, 101 telephone-event"

#define ENOUGH 20000 /* ms; only a failure waits so long */

static PortStats
stats_of(const End *end)
{
	return peer_query(end->gateway, end->port);
}

static void
set_both(End *end, Direction local, Direction remote)
{
	end->local_direction = local;
	end->remote_direction = remote;
	end_connect(end);
}

/* --- hold --- */

typedef struct {
	const char *name;
	Direction local, remote; /* of end one's descriptions */
	const char *address;	 /* the peer's then; NULL: as before */
	gboolean out, in;	 /* to end one, from end one */
} Hold;

static const Hold holds[] = {
	{ "sendonly", DIRECTION_RECVONLY, DIRECTION_SENDONLY, NULL, FALSE, TRUE },
	{ "recvonly", DIRECTION_SENDONLY, DIRECTION_RECVONLY, NULL, TRUE, FALSE },
	{ "inactive", DIRECTION_INACTIVE, DIRECTION_INACTIVE, NULL, FALSE, FALSE },
	{ "inactive, answered as if it were not", DIRECTION_SENDRECV, DIRECTION_INACTIVE, NULL,
	  FALSE, FALSE },
	{ "inactive by us", DIRECTION_INACTIVE, DIRECTION_SENDRECV, NULL, FALSE, FALSE },
	{ "c=0.0.0.0", DIRECTION_SENDRECV, DIRECTION_SENDRECV, "0.0.0.0", FALSE, TRUE },
	{ "c=::", DIRECTION_SENDRECV, DIRECTION_SENDRECV, "::", FALSE, TRUE },
};

static void
send_both(Bridge *bridge, guint n)
{
	for (guint i = 0; i < n; i++) {
		end_send(bridge->one, 0);
		end_send(bridge->two, 0);
	}
	end_settle(bridge->one, bridge->two);
	end_settle(bridge->two, bridge->one);
}

/* Before, on hold and after; `kind` is end two's. */
static void
hold_and_resume(const Hold *hold, TransportKind kind)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, kind, CODECS);
	End *one = bridge->one, *two = bridge->two;
	const char *address = one->address;
	guint to_one, to_two;

	end_talk(one, two, 0, 3);
	end_talk(two, one, 0, 3);
	one->address = hold->address ? hold->address : address;
	set_both(one, hold->local, hold->remote);
	send_both(bridge, 20);
	if (hold->in)
		end_wait(two, 23);
	if (hold->out)
		end_wait(one, 23);
	to_one = one->heard->len;
	to_two = two->heard->len;
	g_assert_cmpuint(to_one, ==, hold->out ? 23 : 3);
	g_assert_cmpuint(to_two, ==, hold->in ? 23 : 3);
	one->address = address;
	set_both(one, DIRECTION_SENDRECV, DIRECTION_SENDRECV);
	end_talk(one, two, 0, 3);
	end_talk(two, one, 0, 3);
	g_assert_cmpuint(one->heard->len, ==, to_one + 3);
	g_assert_cmpuint(two->heard->len, ==, to_two + 3);
	assert_one_stream(one, 0);
	assert_one_stream(two, 0);
	/* what was held back is time that has passed */
	g_assert_cmpuint(heard_frame(end_heard(two, to_two)), ==, 23);
	g_assert_cmpuint(end_heard(two, to_two)->timestamp - end_heard(two, 0)->timestamp, ==,
			 23 * FRAME);
	g_assert_cmpuint(stats_of(one).lost_in + stats_of(two).lost_in, ==, 0);
	bridge_free(bridge);
}

static void
test_hold(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(holds); i++) {
		g_test_message("%s", holds[i].name);
		hold_and_resume(&holds[i], TRANSPORT_RTP);
	}
	hold_and_resume(&holds[2], TRANSPORT_WEBRTC);
}

/* --- other sources --- */

static void
join(Bridge *bridge, End *one, End *other)
{
	media_join(bridge->gateway->media, one->port, other->port);
	stats_of(one);
}

/* Ports on hold for each other, sources that change or begin anew: for the peer
 * there is one stream, whose timestamps go at the pace of the clock. */
static void
test_continuity(gconstpointer data)
{
	const TransportKind kind = GPOINTER_TO_INT(data);
	Bridge *bridge = bridge_new(TRANSPORT_RTP, kind, CODECS);
	End *one = bridge->one, *two = bridge->two, *three;
	guint n;

	three = end_new(bridge->gateway, SIDE_CALLER, TRANSPORT_RTP, "127.0.0.1", CODECS);
	end_connect(three);
	end_talk(one, two, 0, 5);
	join(bridge, three, two); /* a transfer: the other side is another one */
	end_send(one, 0);
	end_settle(one, NULL);
	end_talk(three, two, 0, 5);
	g_assert_cmpuint(two->heard->len, ==, 10);
	g_assert_true(end_heard(two, 5)->marker);
	join(bridge, one, two);
	end_talk(one, two, 0, 5);
	one->ssrc ^= 0x55555555; /* numbers and clock stay: an SSRC may change by itself */
	end_talk(one, two, 0, 5);
	one->ssrc ^= 0x33333333;
	one->seq += 20000;
	one->timestamp += 0x70000000;
	end_talk(one, two, 0, 5);
	one->timestamp -= 0x30000000; /* the clock alone begins anew */
	end_talk(one, two, 0, 5);
	one->timestamp += 0x40000000;
	end_talk(one, two, 0, 5);
	n = two->heard->len;
	g_assert_cmpuint(n, ==, 35);
	one->seq += 30000; /* the numbers alone: the second packet proves it */
	end_send(one, 0);
	end_settle(one, NULL);
	end_talk(one, two, 0, 5);
	g_assert_cmpuint(two->heard->len, ==, n + 5);
	one->seq -= 15000;
	one->timestamp += 0x60000000; /* both, under the same SSRC */
	end_send(one, 0);
	end_settle(one, NULL);
	end_talk(one, two, 0, 5);
	g_assert_cmpuint(two->heard->len, ==, n + 10);
	assert_one_stream(two, 0);
	for (guint i = 1; i < two->heard->len; i++) {
		const Heard *last = end_heard(two, i - 1), *heard = end_heard(two, i);
		const gint64 elapsed = heard->at - last->at;

		g_assert_cmpuint(heard->timestamp, !=, last->timestamp);
		g_assert_cmpuint(heard->timestamp - last->timestamp, <=,
				 3 * FRAME + elapsed / 100); /* 8 units are 1000 us */
	}
	if (two->browser)
		g_assert_cmpuint(browser_refused(two->browser), ==, 0);
	peer_query(bridge->gateway, two->port);
	end_free(three);
	bridge_free(bridge);
}

/* --- payload types --- */

typedef struct {
	guint8 sent, heard; /* 0xff: dropped */
} Pair;

typedef struct {
	const End *from;
	guint dropped;
} Dropped;

/* A packet may be counted as received and as dropped, so end_settle() may come too early. */
static gboolean
has_dropped(gpointer user)
{
	const Dropped *wanted = user;

	return stats_of(wanted->from).dropped_payload_type >= wanted->dropped;
}

static void
check_pairs(End *from, End *to, const Pair *pairs, guint n)
{
	Dropped wanted = { .from = from };
	PortStats stats;

	end_forget(to);
	for (guint i = 0; i < n; i++) {
		const guint before = end_listen(to);

		end_send(from, pairs[i].sent);
		if (pairs[i].heard == 0xff) {
			wanted.dropped++;
			g_assert_true(wait_for(has_dropped, &wanted, ENOUGH));
			g_assert_cmpuint(end_listen(to), ==, before);
		} else {
			end_wait(to, before + 1);
			g_assert_cmpuint(end_heard(to, before)->pt, ==, pairs[i].heard);
			g_assert_cmpuint(heard_frame(end_heard(to, before)), ==, from->frame - 1);
		}
	}
	stats = stats_of(from);
	g_assert_cmpuint(stats.dropped_payload_type, ==, wanted.dropped);
	g_assert_cmpuint(stats.lost_in, ==, 0); /* it did come */
	assert_one_stream(to, 0);
}

/* One numbers as RFC 3551 does and answered in another order; two is a browser that
 * numbers as it likes; both know what the other does not. */
static void
test_payload_types(gconstpointer data)
{
	static const Pair from_one[] = { { 0, 96 },    { 8, 8 },     { 101, 126 },  { 3, 0xff },
					 { 0, 96 },    { 13, 0xff }, { 13, 0xff },  { 0, 96 },
					 { 98, 0xff }, { 8, 8 },     { 127, 0xff }, { 0, 96 } };
	static const Pair from_two[] = { { 96, 0 },	{ 126, 101 }, { 111, 0xff }, { 8, 8 },
					 { 110, 0xff }, { 96, 0 },    { 101, 0xff }, { 96, 0 } };
	const TransportKind kind = GPOINTER_TO_INT(data);
	MediaOptions options = options_for_test();
	Bridge *bridge;

	options.transcode = FALSE; /* or what has no number there is made of another codec */
	bridge = bridge_with(&options, TRANSPORT_RTP, kind, CODECS);
	bridge->one->local_codecs = "0 PCMU, 8 PCMA, 101 telephone-event";
	bridge->one->remote_codecs = "8 pcma, 0 pcmu, 101 TELEPHONE-EVENT, 98 GSM-EFR";
	bridge->two->local_codecs = "96 PCMU, 8 PCMA, 126 telephone-event";
	bridge->two->remote_codecs = "111 opus/48000, 110 telephone-event/48000, "
				     "96 PCMU, 8 PCMA, 126 telephone-event";
	end_connect(bridge->one);
	end_connect(bridge->two);
	check_pairs(bridge->one, bridge->two, from_one, G_N_ELEMENTS(from_one));
	check_pairs(bridge->two, bridge->one, from_two, G_N_ELEMENTS(from_two));
	bridge_free(bridge);
}

/* A peer that has events of another clock than PCMU's alone: none are sent to it, and
 * the audio is (RFC 4733 2.1); its own are translated, see test-keys.c. */
static void
test_other_clock(void)
{
	static const Pair from_one[] = { { 0, 0 }, { 101, 0xff }, { 0, 0 } };
	static const Pair from_two[] = { { 0, 0 }, { 0, 0 } };
	const char *codecs = "0 PCMU, 110 telephone-event/48000";
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Peer *gateway = bridge->gateway;

	bridge->one->local_codecs = bridge->one->remote_codecs =
		"0 PCMU, 101 telephone-event, 102 telephone-event/48000";
	bridge->two->local_codecs = bridge->two->remote_codecs = codecs;
	end_connect(bridge->one);
	end_connect(bridge->two);
	check_pairs(bridge->one, bridge->two, from_one, G_N_ELEMENTS(from_one));
	check_pairs(bridge->two, bridge->one, from_two, G_N_ELEMENTS(from_two));
	media_send_dtmf(gateway->media, bridge->two->port, '5');
	stats_of(bridge->two);
	g_assert_nonnull(strstr(gateway->ports[bridge->two->port].notes->str,
				"dtmf: the peer takes no telephone-event, 5 not sent"));
	/* named by the peer and not by us: RFC 3264 6.1 */
	bridge->two->remote_codecs = CODECS;
	bridge->two->local_codecs = "0 PCMU";
	end_connect(bridge->two);
	media_send_dtmf(gateway->media, bridge->two->port, '6');
	stats_of(bridge->two);
	g_assert_nonnull(strstr(gateway->ports[bridge->two->port].notes->str, "6 not sent"));
	bridge_free(bridge);
}

/* --- long streams --- */

#define LONG   6000 /* two minutes of 20 ms */
#define WINDOW 25   /* what the sockets hold for certain */

static void
send_long(End *from, End *to, guint n)
{
	const guint heard = end_listen(to);

	for (guint i = 0; i < n; i++) {
		end_send(from, 0);
		if (i % WINDOW == WINDOW - 1)
			end_wait(to, heard + i + 1);
	}
	end_wait(to, heard + n);
}

/* The numbers roll over in both directions and the source changes before and after,
 * under SRTP: the index in the keys' derivation has to roll with them. */
static void
test_long(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_WEBRTC, CODECS);
	End *ends[] = { bridge->one, bridge->two };

	for (guint i = 0; i < 2; i++) {
		End *from = ends[i], *to = ends[1 - i];
		PortStats stats;

		from->seq = 65000;
		send_long(from, to, LONG / 4); /* over 65535 of its own */
		from->ssrc++;
		from->seq = 64000;
		send_long(from, to, LONG / 4 * 3); /* and once more under another SSRC */
		stats = end_settle(from, to);
		g_assert_cmpuint(stats.packets_in, ==, LONG);
		g_assert_cmpuint(stats.lost_in + stats.dropped_auth, ==, 0);
		g_assert_cmpuint(to->heard->len, ==, LONG);
		assert_one_stream(to, 0);
		for (guint frame = 0; frame < LONG; frame++)
			g_assert_cmpuint(heard_frame(end_heard(to, frame)), ==, frame);
	}
	g_assert_cmpuint(browser_refused(bridge->two->browser), ==, 0);
	bridge_free(bridge);
}

/* Our own numbers roll over: whatever the random start was, 0x8000 packets of one
 * source are sent with numbers up to 65535 and on from 0. */
static void
test_own_roll_over(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_WEBRTC, CODECS);
	End *from = bridge->one, *to = bridge->two;
	guint before;

	end_talk(from, to, 0, 1);
	/* losses of 2000 at a time bring our number near its end: gaps stay gaps */
	while (end_heard(to, to->heard->len - 1)->seq < 63000) {
		from->seq += 2000;
		end_talk(from, to, 0, 1);
	}
	before = to->heard->len;
	send_long(from, to, 3000);
	g_assert_cmpuint(end_heard(to, to->heard->len - 1)->seq, <, 4000);
	assert_one_stream(to, before);
	g_assert_cmpuint(browser_refused(to->browser), ==, 0);
	bridge_free(bridge);
}

/* --- SRTP --- */

/* Forged, repeated and of a key nobody has: counted, never forwarded, and the call
 * goes on. */
static void
test_bad_srtp(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_WEBRTC, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;
	_Alignas(8) guint8 data[RTP_HEADER + FRAME + PROTECTION_TRAILER] = { 0x80, 0 };
	guint8 copy[sizeof data];
	gsize length = RTP_HEADER + FRAME;
	PortStats stats;

	end_talk(one, two, 0, 2);
	put16(data + 2, one->seq++);
	put32(data + 8, one->ssrc);
	end_send_raw(one, data, length); /* not protected at all */
	browser_protect(one->browser, data, &length);
	memcpy(copy, data, sizeof copy);
	copy[20] ^= 1;
	end_send_raw(one, copy, length); /* changed on the way */
	end_send_raw(one, data, length); /* right */
	end_send_raw(one, data, length); /* and again */
	end_send_raw(one, data, 13);	 /* cut short */
	end_send_raw(one, "\x80\xc8\0\6bad SRTCP, of no key at all", 28);
	stats = end_settle(one, two);
	g_assert_cmpuint(stats.packets_in, ==, 3);
	g_assert_cmpuint(stats.dropped_auth, ==, 5);
	g_assert_cmpuint(two->heard->len, ==, 3);
	end_talk(one, two, 0, 3);
	assert_one_stream(two, 0);
	bridge_free(bridge);
}

/* Each source costs a stream in libsrtp: there is a limit, and who is within stays. */
static void
test_many_sources(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_WEBRTC, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;
	PortStats stats;

	end_talk(one, two, 0, 2);
	for (guint i = 0; i < 80; i++) {
		one->ssrc++;
		end_send(one, 0);
	}
	stats = end_settle(one, two);
	g_assert_cmpuint(stats.packets_in, ==, 2 + 63);
	g_assert_cmpuint(stats.dropped_source, ==, 80 - 63);
	assert_one_stream(two, 0);
	one->ssrc -= 17; /* the newest that was taken */
	end_talk(one, two, 0, 2);
	bridge_free(bridge);
}

/* --- which of our addresses --- */

/* A port that is of the peer's IP version, where we have it. */
static void
test_ip_version(void)
{
	static char *both[] = { (char *)"127.0.0.1", (char *)"::1", NULL };
	static const struct {
		const char *rtp, *outside, *peer, *ours;
		gboolean one_alone; /* local_addresses have IPv4 only */
	} cases[] = {
		{ "127.0.0.1", NULL, NULL, "127.0.0.1", FALSE },
		{ "127.0.0.1", NULL, "192.0.2.9", "127.0.0.1", FALSE },
		{ "127.0.0.1", NULL, "2001:db8::9", "::1", FALSE },
		{ "::1", NULL, "192.0.2.9", "127.0.0.1", FALSE },
		{ "::1", NULL, NULL, "::1", FALSE },
		{ "127.0.0.1", "203.0.113.1", "192.0.2.9", "203.0.113.1", FALSE },
		{ "127.0.0.1", "203.0.113.1", "2001:db8::9", "::1", FALSE },
		{ "127.0.0.1", NULL, "2001:db8::9", "127.0.0.1", TRUE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		MediaOptions options = options_for_test();
		Workers *workers;
		Peer *peer;
		PortId port;

		options.rtp_address = (char *)cases[i].rtp;
		options.public_address = (char *)cases[i].outside;
		if (!cases[i].one_alone)
			options.local_addresses = both;
		workers = workers_with(&options);
		peer = peer_new(workers);
		port = peer_add_rtp(peer, SIDE_CALLER, cases[i].peer);
		g_assert_cmpstr(peer->ports[port].ours->address, ==, cases[i].ours);
		peer_free(peer);
		workers_free(workers);
	}
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtp-path/hold", test_hold);
	g_test_add_data_func("/rtp-path/continuity/RTP", GINT_TO_POINTER(TRANSPORT_RTP),
			     test_continuity);
	g_test_add_data_func("/rtp-path/continuity/WebRTC", GINT_TO_POINTER(TRANSPORT_WEBRTC),
			     test_continuity);
	g_test_add_data_func("/rtp-path/payload types/RTP", GINT_TO_POINTER(TRANSPORT_RTP),
			     test_payload_types);
	g_test_add_data_func("/rtp-path/payload types/WebRTC", GINT_TO_POINTER(TRANSPORT_WEBRTC),
			     test_payload_types);
	g_test_add_func("/rtp-path/events of another clock", test_other_clock);
	g_test_add_func("/rtp-path/two minutes", test_long);
	g_test_add_func("/rtp-path/our numbers roll over", test_own_roll_over);
	g_test_add_func("/rtp-path/bad SRTP", test_bad_srtp);
	g_test_add_func("/rtp-path/many sources", test_many_sources);
	g_test_add_func("/rtp-path/IP version", test_ip_version);
	return g_test_run();
}
