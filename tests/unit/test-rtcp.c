/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtcp.c - RTCP: validate, read, write. */
#include <string.h>
#include "media/rtcp.h"

/* An SR with one block and an SDES with CNAME and NAME, as telephones send. */
static const guint8 compound[] = {
	0x81, 0xc8, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x0a, /* SR of 10 */
	0xe3, 0x70, 0x12, 0x34, 0x80, 0x00, 0x00, 0x00, /* NTP */
	0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x64, /* timestamp 1000, 100 packets */
	0x00, 0x00, 0x3e, 0x80,				/* 16000 bytes */
	0x00, 0x00, 0x00, 0x4d, 0x40, 0xff, 0xff, 0xfe, /* about 77: 64/256, -2 lost */
	0x00, 0x01, 0x00, 0x05, 0x00, 0x00, 0x00, 0x28, /* highest 65541, jitter 40 */
	0x12, 0x34, 0x80, 0x00, 0x00, 0x01, 0x00, 0x00, /* LSR, DLSR 1 s */
	0x81, 0xca, 0x00, 0x05, 0x00, 0x00, 0x00, 0x0a, /* SDES of 10 */
	0x01, 0x03, 'a',  '@',	'b',  0x02, 0x05, 'A',	'l', 'i', 'c', 'e', 0x00, 0x00, 0x00, 0x00,
};

static void
test_read(void)
{
	gsize offset = 0;
	RtcpPacket packet;
	RtcpSender sender;
	RtcpBlock block;

	g_assert_true(rtcp_valid(compound, sizeof(compound)));
	g_assert_true(rtcp_next(compound, sizeof(compound), &offset, &packet));
	g_assert_cmpuint(packet.type, ==, RTCP_SR);
	g_assert_cmpuint(packet.ssrc, ==, 10);
	g_assert_true(rtcp_sender(&packet, &sender));
	g_assert_cmphex(sender.ntp, ==, 0xe370123480000000);
	g_assert_cmpuint(sender.timestamp, ==, 1000);
	g_assert_cmpuint(sender.packets, ==, 100);
	g_assert_cmpuint(sender.bytes, ==, 16000);
	g_assert_true(rtcp_block(&packet, 0, &block));
	g_assert_false(rtcp_block(&packet, 1, &block));
	g_assert_cmpuint(block.ssrc, ==, 77);
	g_assert_cmpuint(block.fraction, ==, 64);
	g_assert_cmpint(block.lost, ==, -2);
	g_assert_cmpuint(block.highest, ==, 65541);
	g_assert_cmpuint(block.jitter, ==, 40);
	g_assert_cmphex(block.lsr, ==, 0x12348000);
	g_assert_cmpuint(block.dlsr, ==, 65536);
	g_assert_true(rtcp_next(compound, sizeof(compound), &offset, &packet));
	g_assert_cmpuint(packet.type, ==, RTCP_SDES);
	g_assert_false(rtcp_sender(&packet, &sender));
	g_assert_false(rtcp_block(&packet, 0, &block));
	g_assert_false(rtcp_next(compound, sizeof(compound), &offset, &packet));
	g_assert_cmpuint(offset, ==, sizeof(compound));
}

static void
test_valid(void)
{
	static const struct {
		guint8 bytes[16];
		gsize size;
		gboolean valid;
	} cases[] = {
		{ { 0x80, 0xc9, 0, 1 }, 8, TRUE }, /* an empty RR */
		{ { 0x81, 0xcd, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2 },
		  16,
		  TRUE }, /* NACK alone: RFC 5506 */
		{ { 0x81, 0xce, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2 }, 12, TRUE }, /* PLI */
		{ { 0x80, 0xcb, 0, 0 }, 4, TRUE },			    /* a BYE of nobody */
		{ { 0 }, 0, FALSE },
		{ { 0x80, 0xc9, 0, 1 }, 7, FALSE },
		{ { 0x80, 0xc9, 0, 2 }, 8, FALSE }, /* longer than it is */
		{ { 0x80, 0xc9, 0, 0 }, 8, FALSE }, /* no room for its SSRC */
		{ { 0x81, 0xc9, 0, 1 }, 8, FALSE }, /* nor its block */
		{ { 0x81, 0xcd, 0, 1 }, 8, FALSE }, /* feedback about nobody */
		{ { 0x81, 0xcb, 0, 0 }, 4, FALSE },
		{ { 0x40, 0xc9, 0, 1 }, 8, FALSE },			    /* version 1 */
		{ { 0x80, 0x00, 0, 1 }, 8, FALSE },			    /* RTP */
		{ { 0xa0, 0xc9, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4 }, 12, TRUE }, /* padded */
		{ { 0xa0, 0xc9, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0 }, 12, FALSE },
		{ { 0xa0, 0xc9, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3 }, 12, FALSE },
		{ { 0xa0, 0xc9, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8 }, 12, FALSE },
		{ { 0xa0, 0xc9, 0, 1, 0, 0, 0, 4, 0x80, 0xc9, 0, 1 },
		  16,
		  FALSE }, /* not the last */
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("case %u", i);
		g_assert_cmpint(rtcp_valid(cases[i].bytes, cases[i].size), ==, cases[i].valid);
	}
	for (gsize size = 0; size < sizeof(compound); size++)
		g_assert_cmpint(rtcp_valid(compound, size), ==, size == 52);
}

static void
test_write(void)
{
	guint8 data[RTCP_MAX_REPORT];
	/* static, and zeroed below: compared with their padding */
	static const RtcpSender sender = { 0x1122334455667788, 9, 10, 11 };
	RtcpSender sender_read;
	static const RtcpBlock block = { 5, 6, -7, 8, 9, 10, 11 };
	RtcpBlock block_read;
	RtcpReport report = { .ssrc = 3, .cname = "x@y", .sender = &sender, .block = &block };
	RtcpPacket packet;
	gsize offset = 0, size = rtcp_write_report(data, sizeof(data), &report);

	memset(&sender_read, 0, sizeof(sender_read));
	memset(&block_read, 0, sizeof(block_read));
	g_assert_cmpuint(size, >, 0);
	g_assert_true(rtcp_valid(data, size));
	g_assert_true(rtcp_next(data, size, &offset, &packet));
	g_assert_cmpuint(packet.type, ==, RTCP_SR);
	g_assert_true(rtcp_sender(&packet, &sender_read));
	g_assert_cmpmem(&sender, sizeof(sender), &sender_read, sizeof(sender_read));
	g_assert_true(rtcp_block(&packet, 0, &block_read));
	g_assert_cmpmem(&block, sizeof(block), &block_read, sizeof(block_read));
	g_assert_true(rtcp_next(data, size, &offset, &packet));
	g_assert_cmpuint(packet.type, ==, RTCP_SDES);
	g_assert_cmpmem(packet.data + 8, 6, "\1\3x@y\0", 6);
	for (gsize room = 0; room < size; room++)
		g_assert_cmpuint(rtcp_write_report(data, room, &report), ==, 0);
}

static void
test_write_bye(void)
{
	guint8 data[RTCP_MAX_REPORT];
	g_autofree char *cname = g_strnfill(300, 'c');
	RtcpPacket packet = { 0 };
	gsize offset = 0, size = rtcp_write_bye(data, sizeof(data), 3, cname);

	g_assert_cmpuint(size, >, 0); /* a long name is cut */
	g_assert_true(rtcp_valid(data, size));
	while (rtcp_next(data, size, &offset, &packet))
		g_assert_cmpuint(packet.ssrc, ==, 3);
	g_assert_cmpuint(packet.type, ==, RTCP_BYE);
	g_assert_cmpuint(rtcp_write_bye(data, size - 1, 3, cname), ==, 0);
	for (guint length = 0; length < 8; length++) { /* the list ends in a zero at any length */
		size = rtcp_write_bye(data, sizeof(data), 3, cname + 300 - length);
		g_assert_true(rtcp_valid(data, size));
		g_assert_cmpuint(data[8 + 8 + 2 + length], ==, 0);
	}
}

static void
test_block_from_stats(void)
{
	guint8 data[RTP_HEADER];
	RtpStats stats;
	RtcpLastSr last = { 0 };
	RtcpSender sender = { .ntp = 0xe370123480000000 };
	RtcpBlock block;

	rtp_stats_init(&stats);
	for (guint i = 0; i < 100; i++) {
		RtpPacket packet = { .seq = (guint16)(65530 + i), .ssrc = 9 };

		if (i % 4 == 1)
			continue;
		rtp_write_header(data, &packet);
		g_assert_true(rtp_parse(data, sizeof(data), &packet));
		rtp_stats_update(&stats, &packet, 8000, i * 20000);
	}
	rtcp_block_from_stats(&stats, &last, 0, &block);
	g_assert_cmpuint(block.ssrc, ==, 9);
	g_assert_cmpint(block.lost, ==, 25);
	g_assert_cmpuint(block.fraction, ==, 64);
	g_assert_cmpuint(block.highest, ==, 65530 + 99);
	g_assert_cmpuint(block.lsr, ==, 0);
	g_assert_cmpuint(block.dlsr, ==, 0);
	rtcp_sr_seen(&last, &sender, 1000000);
	rtcp_block_from_stats(&stats, &last, 1500000, &block);
	g_assert_cmpuint(block.fraction, ==, 0); /* nothing since */
	g_assert_cmphex(block.lsr, ==, 0x12348000);
	g_assert_cmpuint(block.dlsr, ==, 32768);
}

static void
test_rtt(void)
{
	guint8 data[RTCP_MAX_REPORT];
	RtcpRtt rtt = { 0 };
	RtcpBlock block = { .dlsr = 65536 };

	for (guint i = 0; i < 6; i++) {
		RtcpSender sender = { .ntp = rtcp_ntp((gint64)i * 5000000) };
		RtcpReport report = { .ssrc = 1, .cname = "c", .sender = &sender };
		gsize size = rtcp_write_report(data, sizeof(data), &report);

		rtcp_rtt_sent(&rtt, data, size, (gint64)i * 5000000 + 700);
	}
	block.lsr = (guint32)(rtcp_ntp(25000000) >> 16);
	g_assert_true(rtcp_rtt_received(&rtt, &block, 25000700 + 1000000 + 80000));
	g_assert_cmpuint(rtt.rtt_us, ==, 80000);
	block.lsr = (guint32)(rtcp_ntp(15000000) >> 16); /* an older one */
	g_assert_true(rtcp_rtt_received(&rtt, &block, 15000700 + 1000000 + 90000));
	g_assert_cmpuint(rtt.rtt_us, ==, 90000);
	block.lsr = (guint32)(rtcp_ntp(0) >> 16); /* forgotten */
	g_assert_false(rtcp_rtt_received(&rtt, &block, 26000000));
	block.lsr = 0;
	g_assert_false(rtcp_rtt_received(&rtt, &block, 26000000));
	block.lsr = (guint32)(rtcp_ntp(25000000) >> 16); /* held longer than it was away */
	block.dlsr = G_MAXUINT32;
	g_assert_false(rtcp_rtt_received(&rtt, &block, 26000000));
	g_assert_cmpuint(rtt.rtt_us, ==, 90000);
	g_assert_cmphex(rtcp_ntp(0), ==, 0x83aa7e8000000000);
	g_assert_cmphex(rtcp_ntp(500000), ==, 0x83aa7e8080000000);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rtcp/read", test_read);
	g_test_add_func("/rtcp/valid", test_valid);
	g_test_add_func("/rtcp/write/report", test_write);
	g_test_add_func("/rtcp/write/bye", test_write_bye);
	g_test_add_func("/rtcp/block-from-stats", test_block_from_stats);
	g_test_add_func("/rtcp/round-trip", test_rtt);
	return g_test_run();
}
