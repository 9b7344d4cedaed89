/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-dtmf.c - digits as RTP events (RFC 4733). */
#include <string.h>
#include "media/dtmf.h"

static char
receive(DtmfReceiver *receiver, guint32 timestamp, gboolean marker, DtmfEvent event)
{
	guint8 payload[DTMF_PAYLOAD];
	RtpPacket packet = { .timestamp = timestamp,
			     .marker = marker,
			     .ssrc = 1,
			     .payload = payload,
			     .payload_size = sizeof(payload) };

	dtmf_write(payload, &event);
	return dtmf_receive(receiver, &packet);
}

static void
test_format(void)
{
	static const guint8 captured[] = { 0x05, 0x8a, 0x03, 0x20 }; /* '5', end, -10 dBm0, 800 */
	guint8 written[DTMF_PAYLOAD];
	DtmfEvent event;
	guint8 number;

	g_assert_true(dtmf_parse(captured, sizeof(captured), &event));
	g_assert_cmpint(dtmf_digit(event.event), ==, '5');
	g_assert_true(event.end);
	g_assert_cmpuint(event.volume, ==, 10);
	g_assert_cmpuint(event.duration, ==, 800);
	dtmf_write(written, &event);
	g_assert_cmpmem(written, sizeof(written), captured, sizeof(captured));
	g_assert_false(dtmf_parse(captured, 3, &event));
	for (const char *digit = "0123456789*#ABCD"; *digit; digit++) {
		g_assert_true(dtmf_event(*digit, &number));
		g_assert_cmpint(dtmf_digit(number), ==, *digit);
	}
	g_assert_true(dtmf_event('d', &number));
	g_assert_cmpuint(number, ==, 15);
	g_assert_false(dtmf_event('E', &number));
	g_assert_false(dtmf_event(0, &number));
	g_assert_cmpint(dtmf_digit(16), ==, 0); /* flash */
	g_assert_cmpint(dtmf_digit(255), ==, 0);
}

static void
test_one_digit_per_event(void)
{
	DtmfReceiver receiver = { 0 };

	g_assert_cmpint(receive(&receiver, 1000, TRUE, (DtmfEvent){ 1, FALSE, 10, 160 }), ==, '1');
	g_assert_cmpint(receive(&receiver, 1000, FALSE, (DtmfEvent){ 1, FALSE, 10, 320 }), ==, 0);
	for (guint i = 0; i < 3; i++)
		g_assert_cmpint(receive(&receiver, 1000, FALSE, (DtmfEvent){ 1, TRUE, 10, 480 }),
				==, 0);
	/* the same key again, then an end of the first one that was on a long way */
	g_assert_cmpint(receive(&receiver, 2600, TRUE, (DtmfEvent){ 1, FALSE, 10, 160 }), ==, '1');
	g_assert_cmpint(receive(&receiver, 1000, FALSE, (DtmfEvent){ 1, TRUE, 10, 480 }), ==, 0);
	g_assert_cmpint(receive(&receiver, 2600, FALSE, (DtmfEvent){ 1, TRUE, 10, 320 }), ==, 0);
}

static void
test_lost_packets(void)
{
	DtmfReceiver receiver = { 0 };

	/* only the last end of three arrives; of the next digit all but the start */
	g_assert_cmpint(receive(&receiver, 1000, FALSE, (DtmfEvent){ 9, TRUE, 10, 480 }), ==, '9');
	g_assert_cmpint(receive(&receiver, 2600, FALSE, (DtmfEvent){ 9, FALSE, 10, 320 }), ==, '9');
	g_assert_cmpint(receive(&receiver, 2600, FALSE, (DtmfEvent){ 9, FALSE, 10, 480 }), ==, 0);
	/* its end is lost, and the start of another key */
	g_assert_cmpint(receive(&receiver, 2800, FALSE, (DtmfEvent){ 11, FALSE, 10, 160 }), ==,
			'#');
}

static void
test_long_tone(void)
{
	DtmfReceiver receiver = { 0 };

	/* RFC 4733 2.5.1.3: the next segment begins where the duration was full */
	g_assert_cmpint(receive(&receiver, 1000, TRUE, (DtmfEvent){ 4, FALSE, 10, 160 }), ==, '4');
	g_assert_cmpint(receive(&receiver, 1000, FALSE, (DtmfEvent){ 4, FALSE, 10, 0xffff }), ==,
			0);
	g_assert_cmpint(receive(&receiver, 1000 + 0xffff, FALSE, (DtmfEvent){ 4, FALSE, 10, 160 }),
			==, 0);
	g_assert_cmpint(receive(&receiver, 1000 + 0xffff, FALSE, (DtmfEvent){ 4, TRUE, 10, 320 }),
			==, 0);
}

/* Some senders let the timestamp run on within an event. */
static void
test_running_timestamp(void)
{
	DtmfReceiver receiver = { 0 };
	guint32 timestamp = 0xffffff00u;

	for (guint16 i = 1; i <= 10; i++, timestamp += 160)
		g_assert_cmpint(receive(&receiver, timestamp, i == 1,
					(DtmfEvent){ 7, i >= 8, 10, (guint16)(i * 160) }),
				==, i == 1 ? '7' : 0);
}

static void
test_another_source(void)
{
	DtmfReceiver receiver = { 0 };
	guint8 payload[DTMF_PAYLOAD] = { 3, 10, 0, 160 };
	RtpPacket packet = { .timestamp = 1000, .ssrc = 1, .payload = payload, .payload_size = 4 };

	g_assert_cmpint(dtmf_receive(&receiver, &packet), ==, '3');
	packet.ssrc = 2;
	g_assert_cmpint(dtmf_receive(&receiver, &packet), ==, '3');
	packet.payload_size = 3;
	packet.ssrc = 3;
	g_assert_cmpint(dtmf_receive(&receiver, &packet), ==, 0);
	payload[0] = 16;
	packet.payload_size = 4;
	g_assert_cmpint(dtmf_receive(&receiver, &packet), ==, 0);
}

static void
check_sending(guint32 rate)
{
	DtmfReceiver receiver = { 0 };
	DtmfSender sender;
	DtmfPacket packet;
	DtmfEvent event;
	GString *heard = g_string_new(NULL);
	guint packets = 0, ends = 0, markers = 0;
	guint32 started = 0;

	dtmf_sender_init(&sender, rate);
	g_assert_false(dtmf_sender_busy(&sender));
	g_assert_false(dtmf_sender_tick(&sender, 0, &packet));
	for (const char *digit = "1#d"; *digit; digit++)
		g_assert_true(dtmf_sender_push(&sender, *digit));
	g_assert_false(dtmf_sender_push(&sender, 'x'));
	for (guint tick = 0; dtmf_sender_busy(&sender); tick++) {
		RtpPacket received = { .ssrc = 1, .payload = packet.payload, .payload_size = 4 };
		char digit;

		g_assert_cmpuint(tick, <, 100);
		if (!dtmf_sender_tick(&sender, tick * rate / 50, &packet))
			continue;
		g_assert_true(dtmf_parse(packet.payload, 4, &event));
		packets++;
		ends += event.end;
		if (packet.marker) {
			markers++;
			if (markers > 1) /* a digit and the pause after it */
				g_assert_cmpuint(packet.timestamp - started, >=,
						 rate * (DTMF_TONE_MS + DTMF_PAUSE_MS) / 1000 -
							 rate / 50);
			started = packet.timestamp;
			g_assert_cmpuint(event.duration, ==, rate / 50);
		}
		if (event.end)
			g_assert_cmpuint(event.duration, ==, rate * DTMF_TONE_MS / 1000);
		received.timestamp = packet.timestamp;
		received.marker = packet.marker;
		digit = dtmf_receive(&receiver, &received);
		if (digit)
			g_string_append_c(heard, digit);
	}
	g_assert_cmpstr(heard->str, ==, "1#D");
	g_assert_cmpuint(markers, ==, 3);
	g_assert_cmpuint(ends, ==, 9);
	g_assert_cmpuint(packets, ==, 30);
	g_string_free(heard, TRUE);
}

static void
test_sending(void)
{
	check_sending(8000);
	check_sending(48000);
}

static void
test_convert(void)
{
	static const guint8 long_tone[] = { 0x05, 0x8a, 0x4b, 0x00 }; /* 400 ms at 48 kHz */
	RtpPacket packet = { .payload = long_tone, .payload_size = sizeof long_tone };
	guint8 out[DTMF_PAYLOAD];
	DtmfEvent event;

	g_assert_true(dtmf_convert(&packet, 48000, 8000, out));
	g_assert_true(dtmf_parse(out, sizeof out, &event));
	g_assert_cmpuint(event.duration, ==, 3200);
	g_assert_true(event.end);
	g_assert_true(dtmf_convert(&packet, 8000, 48000, out)); /* cannot be said: the most */
	g_assert_true(dtmf_parse(out, sizeof out, &event));
	g_assert_cmpuint(event.duration, ==, G_MAXUINT16);
	packet.payload_size = 3;
	g_assert_false(dtmf_convert(&packet, 48000, 8000, out));
	packet.payload_size = 4;
	g_assert_false(dtmf_convert(&packet, 0, 8000, out));
}

static void
test_queue_is_bounded(void)
{
	DtmfSender sender;

	dtmf_sender_init(&sender, 8000);
	for (guint i = 0; i < DTMF_QUEUE; i++)
		g_assert_true(dtmf_sender_push(&sender, '1'));
	g_assert_false(dtmf_sender_push(&sender, '1'));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dtmf/format", test_format);
	g_test_add_func("/dtmf/receive/one-digit-per-event", test_one_digit_per_event);
	g_test_add_func("/dtmf/receive/lost-packets", test_lost_packets);
	g_test_add_func("/dtmf/receive/long-tone", test_long_tone);
	g_test_add_func("/dtmf/receive/running-timestamp", test_running_timestamp);
	g_test_add_func("/dtmf/receive/another-source", test_another_source);
	g_test_add_func("/dtmf/send/events", test_sending);
	g_test_add_func("/dtmf/convert", test_convert);
	g_test_add_func("/dtmf/send/queue-is-bounded", test_queue_is_bounded);
	return g_test_run();
}
