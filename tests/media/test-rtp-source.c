/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp-source.c - who may send to a plain port, and where it sends to.
 *
 * RFC 4961.  Loopback has many hosts: 127.0.0.1 is the gateway's and the
 * telephones', the others are strangers'.
 */
#include "tests/media/bridge.h"
#include <arpa/inet.h>
#include <string.h>

#define CODECS	 "0 PCMU, 101 telephone-event"
#define STRANGER "127.0.0.2"
#define NAT	 "127.0.0.3"
#define ENOUGH	 20000

/* --- the first source --- */

/* The peer is behind a NAT: it signalled an address nobody has, and sends from where its
 * SIP comes from.  What comes is taken, and what goes out goes there. */
static void
test_followed(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *nat = phone_at(NAT);
	PortStats stats;

	bridge->one->announced = 9;
	bridge->one->address = "127.0.0.9";
	media_sources_add_host(&bridge->one->sources, NAT);
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

/* Whoever was first, the signalled address takes over, and an allowed one does not take it
 * back. */
static void
test_signalled_is_right(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *nat = phone_at(NAT);
	PortStats stats;

	media_sources_add_host(&bridge->one->sources, NAT);
	end_connect(bridge->one);
	end_send_from(bridge->one, nat, 0);
	end_send_from(bridge->one, nat, 0);
	end_settle(bridge->one, NULL);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(nat), ==, 1);
	bridge->one->ssrc++;
	end_forget(bridge->two);
	end_talk(bridge->one, bridge->two, 0, 3);
	end_send_from(bridge->one, nat, 0);
	stats = end_settle(bridge->one, bridge->two);
	g_assert_cmpuint(stats.dropped_source, ==, 1);
	g_assert_cmpuint(bridge->two->heard->len, ==, 3);
	end_talk(bridge->two, bridge->one, 0, 3);
	g_assert_cmpuint(phone_drain(nat), ==, 0);
	phone_free(nat);
	bridge_free(bridge);
}

/* --- a thief --- */

typedef struct {
	const char *about;
	gboolean nat;	 /* the peer's audio comes from where its SIP does */
	gboolean talks;	 /* before the thief begins */
	gboolean silent; /* for longer than a source may be, before he begins */
	gboolean hold;
	gboolean again; /* the same description once more, while he sprays */
	gboolean any;	/* rtp-source=any: sprayed packets are no stream */
} Theft;

static const Theft thefts[] = {
	{ "before anybody speaks", FALSE, FALSE, FALSE, FALSE, FALSE, FALSE },
	{ "behind a NAT, before it speaks", TRUE, FALSE, FALSE, FALSE, FALSE, FALSE },
	{ "while it talks", FALSE, TRUE, FALSE, FALSE, FALSE, FALSE },
	{ "behind a NAT, while it talks", TRUE, TRUE, FALSE, FALSE, FALSE, FALSE },
	{ "after a silence", FALSE, TRUE, TRUE, FALSE, FALSE, FALSE },
	{ "behind a NAT, after a silence", TRUE, TRUE, TRUE, FALSE, FALSE, FALSE },
	{ "on hold", TRUE, TRUE, TRUE, TRUE, FALSE, FALSE },
	{ "described again", FALSE, TRUE, TRUE, FALSE, TRUE, FALSE },
	{ "behind a NAT, described again", TRUE, TRUE, TRUE, FALSE, TRUE, FALSE },
	{ "any, before it speaks", TRUE, FALSE, FALSE, FALSE, FALSE, TRUE },
	{ "any, after a silence", TRUE, TRUE, TRUE, FALSE, TRUE, TRUE },
};

static gboolean
time_is_up(gpointer until)
{
	return g_get_monotonic_time() >= *(gint64 *)until;
}

static void
let_pass(guint ms)
{
	gint64 until = g_get_monotonic_time() + ms * 1000;

	g_assert_true(wait_for(time_is_up, &until, ENOUGH));
}

static void
set_direction(End *end, Direction remote, Direction local)
{
	end->remote_direction = remote;
	end->local_direction = local;
	end_connect(end);
}

static void
steal(const Theft *theft)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *nat = phone_at(NAT), *thief = phone_at(STRANGER);
	guint64 taken;
	guint heard;

	g_test_message("%s", theft->about);
	options.second_ms = 50; /* a silence of 2 s is one of 0.1 s */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	if (theft->nat) {
		bridge->one->address = "127.0.0.9";
		bridge->one->announced = 9;
		media_sources_add_host(&bridge->one->sources, NAT);
	}
	bridge->one->sources.any = theft->any;
	end_connect(bridge->one);
	for (guint i = 0; theft->talks && i < 3; i++)
		end_send_from(bridge->one, theft->nat ? nat : bridge->one->phone, 0);
	taken = end_settle(bridge->one, bridge->two).packets_in;
	heard = bridge->two->heard->len;
	if (theft->hold)
		set_direction(bridge->one, DIRECTION_SENDONLY, DIRECTION_RECVONLY);
	if (theft->silent)
		let_pass(700); /* of ten seconds and more */
	for (guint i = 0; i < 40; i++) {
		if (theft->again && i % 10 == 5)
			end_connect(bridge->one);
		end_send_from(bridge->one, thief, 0);
		end_send(bridge->two, 0); /* what he would hear */
		end_settle(bridge->one, bridge->two);
		if (theft->any) /* he sprays: one a port now and then */
			let_pass(15);
	}
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(thief), ==, 0);
	g_assert_cmpuint(bridge->two->heard->len, ==, heard);
	g_assert_cmpuint(end_settle(bridge->one, NULL).packets_in, ==, taken);
	/* and the peer itself is heard */
	bridge->one->ssrc++;
	end_send_from(bridge->one, theft->nat ? nat : bridge->one->phone, 0);
	g_assert_cmpuint(end_settle(bridge->one, NULL).packets_in, ==, taken + 1);
	phone_free(nat);
	phone_free(thief);
	bridge_free(bridge);
}

static void
test_thief(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(thefts); i++)
		steal(&thefts[i]);
}

/* --- a source that moves --- */

typedef struct {
	End *end;
	Phone *source;
	guint64 before;
	guint pace; /* ms between two packets */
} Move;

static gboolean
is_taken(gpointer user)
{
	Move *move = user;

	end_send_from(move->end, move->source, 0);
	if (move->pace)
		let_pass(move->pace);
	return end_settle(move->end, NULL).packets_in > move->before;
}

/* Sends from `source` until it is taken; how long that took, in us. */
static gint64
move_at_pace(End *end, Phone *source, guint pace)
{
	Move move = { end, source, peer_query(end->gateway, end->port).packets_in, pace };
	const gint64 start = g_get_monotonic_time();

	g_assert_true(wait_for(is_taken, &move, ENOUGH));
	return g_get_monotonic_time() - start;
}

static gint64
move_to(End *end, Phone *source)
{
	return move_at_pace(end, source, 0);
}

/* Another port of the host, and where its SIP comes from, after a silence; the same stream
 * from another host never. */
static void
test_moves_after_silence(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge;
	Phone *moved = phone_at(NAT), *beside = phone_at(NAT), *stranger = phone_at(STRANGER);
	guint64 taken;

	options.second_ms = 100; /* 0.2 s for a silence */
	bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	media_sources_add(&bridge->one->sources, NAT "/32");
	end_connect(bridge->one);
	end_talk(bridge->one, bridge->two, 0, 3);
	g_assert_cmpint(move_to(bridge->one, moved), >=, 150000);
	bridge->one->ssrc++;
	g_assert_cmpint(move_to(bridge->one, beside), >=, 150000);
	taken = end_settle(bridge->one, NULL).packets_in;
	let_pass(1200);
	for (guint i = 0; i < 60; i++) {
		end_send_from(bridge->one, stranger, 0);
		end_settle(bridge->one, NULL);
	}
	g_assert_cmpuint(end_settle(bridge->one, NULL).packets_in, ==, taken);
	phone_drain(beside);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(beside), ==, 1);
	g_assert_cmpuint(phone_drain(stranger) + phone_drain(moved), ==, 0);
	phone_free(moved);
	phone_free(beside);
	phone_free(stranger);
	bridge_free(bridge);
}

/* --- a host that signalling does not know --- */

static const char *
notes_of(const End *end)
{
	return end->gateway->ports[end->port].notes->str;
}

/* It is not heard, and said with what helps; once. */
static void
test_one_way_is_told(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *third = phone_at(STRANGER);
	const gint64 start = g_get_monotonic_time();
	const char *told;

	while (!(told = strstr(notes_of(bridge->one), "audio comes from " STRANGER))) {
		end_send_from(bridge->one, third, 0);
		end_settle(bridge->one, bridge->two);
		let_pass(10);
		g_assert_cmpint(g_get_monotonic_time() - start, <, 1000 * ENOUGH);
	}
	g_assert_nonnull(strstr(told, "rtp-source=any"));
	g_assert_nonnull(strstr(told, "media-hosts"));
	g_assert_null(strstr(told + 1, "audio comes from"));
	g_assert_cmpuint(end_settle(bridge->one, bridge->two).packets_in, ==, 0);
	g_assert_cmpuint(bridge->two->heard->len + phone_drain(third), ==, 0);
	phone_free(third);
	bridge_free(bridge);
}

/* Where the admin says so it is heard after 25 packets as slow as they say; the better source
 * wins the port back, and it does not come back after that. */
static void
test_any(void)
{
	MediaOptions options = options_for_test();
	Bridge *bridge = bridge_with(&options, TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *third = phone_at(STRANGER);
	guint64 dropped;

	bridge->one->sources.any = TRUE;
	end_connect(bridge->one);
	/* all at once is no stream */
	for (guint i = 0; i < 60; i++)
		end_send_from(bridge->one, third, 0);
	g_assert_cmpuint(end_settle(bridge->one, NULL).packets_in, ==, 0);
	bridge->one->ssrc++;
	dropped = end_settle(bridge->one, NULL).dropped_source;
	g_assert_cmpint(move_at_pace(bridge->one, third, 12), >=, 240000);
	g_assert_cmpuint(end_settle(bridge->one, NULL).dropped_source - dropped, >=, 24);
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(third), ==, 1);
	bridge->one->ssrc++;
	end_forget(bridge->two);
	end_talk(bridge->one, bridge->two, 0, 3);
	end_send_from(bridge->one, third, 0);
	end_settle(bridge->one, bridge->two);
	g_assert_cmpuint(bridge->two->heard->len, ==, 3);
	phone_free(third);
	bridge_free(bridge);
}

/* Of two at a time nobody can say which one it is. */
static void
test_rivals(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	Phone *third = phone_at(STRANGER), *fourth = phone_at(NAT);
	End *one = bridge->one;
	const guint32 ssrc = one->ssrc;

	one->sources.any = TRUE;
	end_connect(one);
	for (guint i = 0; i < 60; i++) {
		end_send_from(one, third, 0);
		one->seq--;
		one->timestamp -= FRAME;
		one->ssrc = ssrc + 1;
		end_send_from(one, fourth, 0);
		one->ssrc = ssrc;
		let_pass(12);
	}
	g_assert_cmpuint(end_settle(one, bridge->two).packets_in, ==, 0);
	g_assert_nonnull(strstr(notes_of(one), "rtp-source=any"));
	end_send(bridge->two, 0);
	end_settle(bridge->two, NULL);
	g_assert_cmpuint(phone_drain(third) + phone_drain(fourth), ==, 0);
	phone_free(third);
	phone_free(fourth);
	bridge_free(bridge);
}

/* --- which networks --- */

static void
test_networks(void)
{
	static const struct {
		const char *network; /* NULL: as a host */
		const char *address;
		gboolean allowed;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255", TRUE },
		{ "192.0.2.0/24", "192.0.3.0", FALSE },
		{ "192.0.2.128/25", "192.0.2.127", FALSE },
		{ "192.0.2.7", "192.0.2.7", TRUE },
		{ "192.0.2.7", "192.0.2.6", FALSE },
		{ "2001:db8::/33", "2001:db8:7fff::1", TRUE },
		{ "2001:db8::/33", "2001:db8:8000::1", FALSE },
		{ "2001:db8::1", "2001:db8::2", FALSE },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", TRUE },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", TRUE },
		{ "0.0.0.0/1", "2001:db8::1", FALSE },
		{ "host 192.0.2.7", "192.0.2.7", TRUE },
		{ "host 192.0.2.7", "192.0.2.8", FALSE },
		{ "host 2001:db8:0:1::1", "2001:db8:0:1:ffff::9", TRUE },
		{ "host 2001:db8:0:1::1", "2001:db8:0:2::1", FALSE },
	};
	static const char *const wrong[] = {
		"",  "192.0.2.0/0",    "192.0.2.0/33", "192.0.2",
		"x", "2001:db8::/129", "192.0.2.0/",   "192.0.2.0/2x"
	};
	MediaSources none = { 0 };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		MediaSources sources = { 0 };
		guint8 bytes[16] = { 0 };
		gboolean ip6 = strchr(cases[i].address, ':') != NULL;

		g_test_message("%s %s", cases[i].network, cases[i].address);
		g_assert_true(g_str_has_prefix(cases[i].network, "host ")
				      ? media_sources_add_host(&sources, cases[i].network + 5)
				      : media_sources_add(&sources, cases[i].network));
		g_assert_cmpint(inet_pton(ip6 ? AF_INET6 : AF_INET, cases[i].address, bytes), ==,
				1);
		g_assert_cmpint(media_sources_allow(&sources, bytes, ip6), ==, cases[i].allowed);
	}
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(media_sources_add(&none, wrong[i]));
	for (guint i = 0; i < MEDIA_MAX_SOURCES; i++)
		g_assert_true(media_sources_add(&none, "192.0.2.1"));
	g_assert_false(media_sources_add(&none, "192.0.2.1"));
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
	media_sources_add_host(&bridge->one->sources, NAT);
	end_connect(bridge->one);
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
	g_test_add_func("/rtp-source/a thief", test_thief);
	g_test_add_func("/rtp-source/one way is told", test_one_way_is_told);
	g_test_add_func("/rtp-source/any", test_any);
	g_test_add_func("/rtp-source/rivals", test_rivals);
	g_test_add_func("/rtp-source/networks", test_networks);
	g_test_add_func("/rtp-source/RTCP", test_rtcp);
	g_test_add_func("/rtp-source/RTCP where signalled", test_signalled_rtcp);
	return g_test_run();
}
