/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp.c - packet formats: demultiplexing and RTP. */
#include <string.h>
#include "media/demux.h"
#include "media/rtp.h"

#define RATE 8000
#define MS   1000 /* µs */

/* An Opus packet of a browser: one-byte header extension (audio level), marker. */
static const guint8 browser[] = {
	0x90, 0xef, 0x7b, 0x2c, 0x00, 0x0f, 0x42, 0x40, 0xde, 0xad, 0xbe, 0xef, 0xbe,
	0xde, 0x00, 0x01, 0x10, 0xaf, 0x00, 0x00, 0x78, 0x0b, 0xe4, 0xc1, 0x36,
};

static void
test_demux(void)
{
	static const struct {
		guint8 bytes[2];
		PacketKind kind;
	} cases[] = {
		{ { 0x00, 0x01 }, PACKET_STUN },  { { 0x01, 0x01 }, PACKET_STUN },
		{ { 0x03, 0xff }, PACKET_STUN },  { { 0x04, 0x00 }, PACKET_OTHER },
		{ { 0x10, 0x00 }, PACKET_OTHER }, { { 0x13, 0x00 }, PACKET_OTHER },
		{ { 0x14, 0xfe }, PACKET_DTLS },  { { 0x16, 0xfe }, PACKET_DTLS },
		{ { 0x3f, 0xfe }, PACKET_DTLS },  { { 0x40, 0x00 }, PACKET_OTHER },
		{ { 0x4f, 0x00 }, PACKET_OTHER }, { { 0x7f, 0x00 }, PACKET_OTHER },
		{ { 0x80, 0x00 }, PACKET_RTP },	  { { 0x80, 0x80 }, PACKET_RTP },
		{ { 0x90, 0xef }, PACKET_RTP },	  { { 0x80, 0xbf }, PACKET_RTP },
		{ { 0x80, 0xc0 }, PACKET_RTCP },  { { 0x80, 0xc8 }, PACKET_RTCP },
		{ { 0x81, 0xc9 }, PACKET_RTCP },  { { 0xbf, 0xdf }, PACKET_RTCP },
		{ { 0x80, 0xe0 }, PACKET_RTP },	  { { 0xc0, 0x00 }, PACKET_OTHER },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(packet_kind(cases[i].bytes, 2), ==, cases[i].kind);
	g_assert_cmpint(packet_kind((const guint8 *)"\x80", 1), ==, PACKET_OTHER);
	g_assert_cmpint(packet_kind(NULL, 0), ==, PACKET_OTHER);
}

static void
test_parse(void)
{
	RtpPacket packet;

	g_assert_true(rtp_parse(browser, sizeof(browser), &packet));
	g_assert_cmpuint(packet.pt, ==, 111);
	g_assert_true(packet.marker);
	g_assert_cmpuint(packet.seq, ==, 0x7b2c);
	g_assert_cmpuint(packet.timestamp, ==, 1000000);
	g_assert_cmphex(packet.ssrc, ==, 0xdeadbeef);
	g_assert_cmpuint(packet.header_size, ==, 20);
	g_assert_cmpuint(packet.payload_size, ==, 5);
	g_assert_cmpuint(packet.payload[0], ==, 0x78);
}

static void
test_parse_limits(void)
{
	guint8 data[64] = { 0x80, 0, 0, 1 };
	RtpPacket packet;

	g_assert_true(rtp_parse(data, 12, &packet));
	g_assert_cmpuint(packet.payload_size, ==, 0);
	g_assert_false(rtp_parse(data, 11, &packet));
	data[0] = 0x40; /* version 1 */
	g_assert_false(rtp_parse(data, 12, &packet));
	data[0] = 0x82; /* two CSRCs */
	g_assert_false(rtp_parse(data, 19, &packet));
	g_assert_true(rtp_parse(data, 20, &packet));
	g_assert_cmpuint(packet.header_size, ==, 20);
	data[0] = 0x90; /* extension: of no words, of one, of 65535 */
	g_assert_false(rtp_parse(data, 15, &packet));
	g_assert_true(rtp_parse(data, 16, &packet));
	data[15] = 1;
	g_assert_false(rtp_parse(data, 19, &packet));
	g_assert_true(rtp_parse(data, 20, &packet));
	data[14] = data[15] = 0xff;
	g_assert_false(rtp_parse(data, sizeof(data), &packet));
	data[0] = 0xa0; /* padding: none, all, too much */
	data[19] = 0;
	g_assert_false(rtp_parse(data, 20, &packet));
	data[19] = 8;
	g_assert_true(rtp_parse(data, 20, &packet));
	g_assert_cmpuint(packet.payload_size, ==, 0);
	data[19] = 3;
	g_assert_true(rtp_parse(data, 20, &packet));
	g_assert_cmpuint(packet.payload_size, ==, 5);
	data[19] = 9;
	g_assert_false(rtp_parse(data, 20, &packet));
}

/* A packet as it comes from a source. */
static RtpPacket
make(guint8 data[RTP_HEADER], guint32 ssrc, guint16 seq, guint32 timestamp)
{
	RtpPacket packet = { .seq = seq, .timestamp = timestamp, .ssrc = ssrc, .pt = 0 };

	rtp_write_header(data, &packet);
	g_assert_true(rtp_parse(data, RTP_HEADER, &packet));
	return packet;
}

/* What it looks like when it has been sent on; pt 0xff: it must not be. */
static RtpPacket
forward(RtpRewriter *rewriter, guint32 ssrc, guint16 seq, guint32 timestamp, gint64 now_us)
{
	guint8 data[RTP_HEADER];
	RtpPacket packet = make(data, ssrc, seq, timestamp);

	if (!rtp_rewrite(rewriter, data, &packet, 8, RATE, now_us)) {
		packet.pt = 0xff;
		return packet;
	}
	g_assert_true(rtp_parse(data, RTP_HEADER, &packet));
	g_assert_cmpuint(packet.ssrc, ==, rewriter->ssrc);
	g_assert_cmpuint(packet.pt, ==, 8);
	return packet;
}

static void
test_rewrite(void)
{
	RtpRewriter rewriter;
	RtpPacket one, two, late;

	rtp_rewriter_init(&rewriter, 77, 65534, 1000);
	one = forward(&rewriter, 1, 500, 160, 20 * MS);
	g_assert_cmpuint(one.seq, ==, 65535);
	g_assert_true(one.marker);
	two = forward(&rewriter, 1, 502, 480, 60 * MS);
	g_assert_cmpuint(two.seq, ==, 1); /* the gap stays, the number rolls over */
	g_assert_cmpuint(two.timestamp - one.timestamp, ==, 320);
	g_assert_false(two.marker);
	late = forward(&rewriter, 1, 501, 320, 61 * MS);
	g_assert_cmpuint(late.seq, ==, 0);
	g_assert_cmpuint(late.timestamp - one.timestamp, ==, 160);
	g_assert_cmpuint(forward(&rewriter, 1, 503, 640, 80 * MS).seq, ==, 2);
}

static void
test_rewrite_source_change(void)
{
	RtpRewriter rewriter;
	RtpPacket before, after;

	rtp_rewriter_init(&rewriter, 77, 0, 0);
	before = forward(&rewriter, 1, 40000, 160, 1000 * MS);
	after = forward(&rewriter, 2, 3, 4000000000u, 1500 * MS);
	g_assert_cmpuint(after.seq, ==, (guint16)(before.seq + 1));
	g_assert_cmpuint(after.timestamp - before.timestamp, ==, RATE / 2);
	g_assert_true(after.marker);
	g_assert_cmpuint(rewriter.source, ==, 2);
	after = forward(&rewriter, 2, 4, 4000000160u, 1520 * MS);
	g_assert_cmpuint(after.seq, ==, (guint16)(before.seq + 2));
	g_assert_false(after.marker);
	/* an older one of the new source would come before what the old one sent */
	g_assert_cmpuint(forward(&rewriter, 2, 2, 3999999840u, 1521 * MS).pt, ==, 0xff);
	/* at the same instant the timestamp still moves */
	before = after;
	after = forward(&rewriter, 3, 9, 9, 1520 * MS);
	g_assert_cmpuint(after.timestamp - before.timestamp, ==, 1);
}

/* The same source begins anew: believed when the next number confirms it. */
/* Sources in turn keep their clocks; one that was away for longer has none any more. */
static void
test_rewrite_turns(void)
{
	RtpRewriter rewriter;
	RtpPacket one, two, event;

	rtp_rewriter_init(&rewriter, 77, 0, 0);
	one = forward(&rewriter, 1, 100, 160, 1000 * MS);
	event = forward(&rewriter, 2, 9, 7777, 1010 * MS);
	two = forward(&rewriter, 1, 101, 320, 1020 * MS);
	g_assert_cmpuint(two.timestamp - one.timestamp, ==, 160);
	g_assert_cmpuint(two.seq, ==, one.seq + 2);
	g_assert_false(two.marker);
	two = forward(&rewriter, 2, 10, 7777, 1030 * MS);
	g_assert_cmpuint(two.timestamp, ==, event.timestamp);
	one = forward(&rewriter, 1, 102, 480, 2500 * MS);
	g_assert_cmpuint(one.timestamp, !=, two.timestamp);
	g_assert_cmpuint(one.timestamp - two.timestamp, ==, RATE * 147 / 100);
	g_assert_true(one.marker);
	rtp_rewriter_forget(&rewriter);
	two = forward(&rewriter, 2, 11, 7777, 2510 * MS);
	g_assert_cmpuint(two.timestamp - one.timestamp, ==, RATE / 100);
}

/* Timestamps may stand, look back as an event does, leap over a silence or a burst
 * of losses; what is further off is another clock. */
static void
test_rewrite_clock(void)
{
	static const struct {
		gint32 step;
		gint64 ms;
		guint32 sent;
		gboolean marker;
	} steps[] = {
		{ 160, 20, 160, FALSE },
		{ 0, 20, 0, FALSE },
		{ -65535, 20, (guint32)-65535, FALSE },
		{ 19 * RATE, 20, 19 * RATE, FALSE },
		{ 60 * RATE, 60000, 60 * RATE, FALSE },
		{ 90 * RATE, 20, 160, TRUE },
		{ -90 * RATE, 20, 160, TRUE },
		{ G_MININT32, 1000, RATE, TRUE },
		{ G_MAXINT32, 3000, 3 * RATE, TRUE },
	};
	guint32 timestamp = 4294960000u;
	RtpRewriter rewriter;
	gint64 now = 5000;
	guint16 seq = 65530;
	RtpPacket last;

	rtp_rewriter_init(&rewriter, 77, 0, 4294000000u);
	last = forward(&rewriter, 1, seq, timestamp, now * MS);
	for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
		RtpPacket packet;

		now += steps[i].ms;
		timestamp += (guint32)steps[i].step;
		packet = forward(&rewriter, 1, ++seq, timestamp, now * MS);
		g_assert_cmpuint(packet.timestamp - last.timestamp, ==, steps[i].sent);
		g_assert_cmpint(packet.marker, ==, steps[i].marker);
		g_assert_cmpuint(packet.seq, ==, (guint16)(last.seq + 1));
		last = packet;
	}
}

static void
test_rewrite_restart(void)
{
	RtpRewriter rewriter;
	RtpPacket after;

	rtp_rewriter_init(&rewriter, 77, 0, 0);
	forward(&rewriter, 1, 1000, 160, 0);
	g_assert_cmpuint(forward(&rewriter, 1, 30000, 999, 20 * MS).pt, ==, 0xff);
	after = forward(&rewriter, 1, 1001, 320, 20 * MS);
	g_assert_cmpuint(after.seq, ==, 2);
	g_assert_cmpuint(forward(&rewriter, 1, 30001, 999, 40 * MS).pt, ==, 0xff);
	after = forward(&rewriter, 1, 30002, 1159, 60 * MS);
	g_assert_cmpuint(after.seq, ==, 3);
	g_assert_true(after.marker);
}

/* No number is ever used twice, whatever is left out, put in, late or doubled. */
static void
test_rewrite_numbers(void)
{
	g_autofree guint8 *used = g_new0(guint8, 65536);
	RtpRewriter rewriter;
	guint8 data[RTP_HEADER];
	guint16 next = 65000, seq = 100;

	rtp_rewriter_init(&rewriter, 77, next++, 0);
	for (guint i = 0; i < 40000; i++) {
		RtpPacket packet = make(data, 1, seq, i * 160);

		if (i % 7 == 3) {
			rtp_rewriter_skip(&rewriter, &packet);
		} else {
			g_assert_true(rtp_rewrite(&rewriter, data, &packet, 0, RATE, i * 20 * MS));
			rtp_parse(data, RTP_HEADER, &packet);
			g_assert_cmpuint(packet.seq, ==, next);
			g_assert_cmpuint(used[next], ==, 0);
			used[next++] = 1;
		}
		if (i % 11 == 5) {
			g_assert_cmpuint(rtp_rewriter_insert(&rewriter), ==, next);
			used[next++] = 1;
		}
		if (i % 3 == 0 && i > 3) { /* one that was left out comes late */
			packet = make(data, 1, (guint16)(seq - seq % 7), 0);
			if (rtp_rewrite(&rewriter, data, &packet, 0, RATE, 0)) {
				rtp_parse(data, RTP_HEADER, &packet);
				g_assert_cmpuint((guint16)(next - packet.seq), <=, 101);
			}
		}
		seq++;
	}
}

static void
receive(RtpStats *stats, guint32 ssrc, guint16 seq, guint32 timestamp, gint64 now_us)
{
	guint8 data[RTP_HEADER];
	RtpPacket packet = make(data, ssrc, seq, timestamp);

	rtp_stats_update(stats, &packet, RATE, now_us);
}

static void
test_stats_loss(void)
{
	RtpStats stats;

	rtp_stats_init(&stats);
	g_assert_cmpuint(rtp_stats_lost(&stats), ==, 0);
	for (guint i = 0; i < 70000; i++) /* rolls over, every tenth is lost */
		if (i % 10 != 5)
			receive(&stats, 1, (guint16)(65000 + i), i * 160, i * 20 * MS);
	g_assert_cmpuint(rtp_stats_lost(&stats), ==, 7000);
	g_assert_cmpuint(rtp_stats_received(&stats), ==, 63000);
	g_assert_cmpuint(stats.cycles, ==, 2 << 16);
	g_assert_cmpuint(rtp_stats_jitter_us(&stats), ==, 0);
	/* another source: what was lost stays lost */
	receive(&stats, 2, 9, 0, 0);
	receive(&stats, 2, 12, 0, 0);
	receive(&stats, 2, 11, 0, 0);
	g_assert_cmpuint(rtp_stats_lost(&stats), ==, 7001);
	g_assert_cmpuint(rtp_stats_received(&stats), ==, 63003);
}

static void
test_stats_duplicates_and_strays(void)
{
	RtpStats stats;

	rtp_stats_init(&stats);
	receive(&stats, 1, 10, 0, 0);
	receive(&stats, 1, 10, 0, 0);
	receive(&stats, 1, 11, 160, 20 * MS);
	g_assert_cmpuint(rtp_stats_lost(&stats), ==, 0);
	receive(&stats, 1, 30000, 0, 0); /* a stray one costs nothing */
	g_assert_cmpuint(rtp_stats_received(&stats), ==, 3);
	receive(&stats, 1, 12, 320, 40 * MS);
	receive(&stats, 1, 40000, 0, 0); /* a restart does not count as loss */
	receive(&stats, 1, 40001, 0, 0);
	receive(&stats, 1, 40002, 0, 0);
	g_assert_cmpuint(rtp_stats_lost(&stats), ==, 0);
	g_assert_cmpuint(rtp_stats_received(&stats), ==, 6);
}

static void
test_stats_jitter(void)
{
	RtpStats stats;

	rtp_stats_init(&stats);
	/* alternately 10 ms early and late: the mean deviation tends to 10 ms */
	for (guint i = 0; i < 400; i++)
		receive(&stats, 1, (guint16)i, i * 160, (gint64)i * 20 * MS + (i % 2) * 10 * MS);
	g_assert_cmpuint(rtp_stats_jitter_us(&stats), >=, 9500);
	g_assert_cmpuint(rtp_stats_jitter_us(&stats), <=, 10000);
	rtp_stats_init(&stats);
	/* the packets of one event share a timestamp and are no jitter */
	for (guint i = 0; i < 50; i++)
		receive(&stats, 1, (guint16)i, 5000, i * 20 * MS);
	/* nor is a clock that starts again */
	receive(&stats, 1, 50, 3000000000u, 50 * 20 * MS);
	g_assert_cmpuint(rtp_stats_jitter_us(&stats), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/demux", test_demux);
	g_test_add_func("/rtp/parse/browser", test_parse);
	g_test_add_func("/rtp/parse/limits", test_parse_limits);
	g_test_add_func("/rtp/rewrite/continuous", test_rewrite);
	g_test_add_func("/rtp/rewrite/source-change", test_rewrite_source_change);
	g_test_add_func("/rtp/rewrite/turns", test_rewrite_turns);
	g_test_add_func("/rtp/rewrite/another-clock", test_rewrite_clock);
	g_test_add_func("/rtp/rewrite/restart", test_rewrite_restart);
	g_test_add_func("/rtp/rewrite/numbers-once", test_rewrite_numbers);
	g_test_add_func("/rtp/stats/loss", test_stats_loss);
	g_test_add_func("/rtp/stats/duplicates-and-strays", test_stats_duplicates_and_strays);
	g_test_add_func("/rtp/stats/jitter", test_stats_jitter);
	return g_test_run();
}
