/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-clocks.c - audio and keys between peers that count time in other clocks.
 *
 * RFC 4733 2.1 gives events the clock of the audio they interrupt.  Some peers name them
 * at 8000 alone, beside Opus too.
 */
#include "media/dtmf.h"
#include "tests/media/bridge.h"
#include <string.h>

#define ENOUGH	 20000
#define NO_EVENT 0xff

typedef struct {
	const char *name;
	const char *one, *two; /* what each end and the gateway have agreed on */
	guint8 audio_one, audio_two;
	guint8 event_two; /* that end two sends, of this clock, */
	guint32 clock_two;
	guint8 event_one; /* and what end one hears */
	guint32 clock_one;
	guint32 clock_audio;
} Row;

static const Row rows[] = {
	{ "opus", "96 opus/48000, 97 telephone-event/48000",
	  "111 opus/48000, 110 telephone-event/48000", 96, 111, 110, 48000, 97, 48000, 48000 },
	{ "opus-from-8000", "96 opus/48000, 97 telephone-event/48000",
	  "111 opus/48000, 101 telephone-event", 96, 111, 101, 8000, 97, 48000, 48000 },
	{ "opus-to-8000", "96 opus/48000, 101 telephone-event",
	  "111 opus/48000, 110 telephone-event/48000", 96, 111, 110, 48000, 101, 8000, 48000 },
	{ "opus-to-both", "96 opus/48000, 101 telephone-event, 97 telephone-event/48000",
	  "111 opus/48000, 101 telephone-event", 96, 111, 101, 8000, 97, 48000, 48000 },
	{ "opus-to-none", "96 opus/48000", "111 opus/48000, 110 telephone-event/48000", 96, 111,
	  110, 48000, NO_EVENT, 0, 48000 },
	{ "g722", "9 G722, 101 telephone-event", "9 G722, 100 telephone-event", 9, 9, 100, 8000,
	  101, 8000, 8000 },
	{ "g711-from-48000", "0 PCMU, 101 telephone-event", "0 PCMU, 110 telephone-event/48000", 0,
	  0, 110, 48000, 101, 8000, 8000 },
	{ "both-codecs-g711",
	  "0 PCMU, 96 opus/48000, 101 telephone-event, 97 telephone-event/48000",
	  "111 opus/48000, 0 PCMU, 110 telephone-event/48000, 101 telephone-event", 0, 0, 101, 8000,
	  101, 8000, 8000 },
	{ "both-codecs-opus",
	  "0 PCMU, 96 opus/48000, 101 telephone-event, 97 telephone-event/48000",
	  "111 opus/48000, 0 PCMU, 110 telephone-event/48000, 101 telephone-event", 96, 111, 110,
	  48000, 97, 48000, 48000 },
};

static void
press(End *end, const Row *row)
{
	const guint32 frame = row->clock_two / 50;
	const guint32 start = end->timestamp;

	for (guint i = 0; i < 7; i++) {
		DtmfEvent event = { .end = i >= 4,
				    .volume = 10,
				    .duration = (guint16)(MIN(i + 1, 5) * frame) };
		const RtpPacket packet = { .pt = row->event_two,
					   .seq = end->seq++,
					   .timestamp = start,
					   .ssrc = end->ssrc,
					   .marker = i == 0 };
		guint8 payload[DTMF_PAYLOAD];

		g_assert_true(dtmf_event('7', &event.event));
		dtmf_write(payload, &event);
		end_send_packet(end, &packet, payload, sizeof payload);
	}
	end->timestamp += 5 * row->clock_audio / 50;
}

typedef struct {
	guint events, ends, timestamps;
	guint16 longest;
} Keys;

/* The events from `first` on: all under one number, in a stream that goes on. */
static Keys
hear(End *end, const Row *row, guint first)
{
	Keys all = { 0 };
	guint32 timestamp = 0;

	for (guint i = first; i < end->heard->len; i++) {
		const Heard *heard = end_heard(end, i);
		DtmfEvent event;

		if (heard->pt == row->audio_one)
			continue;
		g_assert_cmpuint(heard->pt, ==, row->event_one);
		g_assert_true(dtmf_parse(heard->payload, heard->size, &event));
		g_assert_cmpint(dtmf_digit(event.event), ==, '7');
		if (all.events++ == 0 || heard->timestamp != timestamp)
			all.timestamps++;
		timestamp = heard->timestamp;
		all.ends += event.end;
		all.longest = MAX(all.longest, event.duration);
	}
	return all;
}

typedef struct {
	End *end;
	const Row *row;
	guint first;
} Wait;

static gboolean
is_pressed(gpointer user)
{
	const Wait *wait = user;

	end_listen(wait->end);
	return hear(wait->end, wait->row, wait->first).ends >= 3;
}

static void
test_row(gconstpointer data)
{
	const Row *row = data;
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, row->one);
	End *one = bridge->one, *two = bridge->two;
	guint before;
	Keys heard;

	one->local_codecs = one->remote_codecs = row->one;
	two->local_codecs = two->remote_codecs = row->two;
	end_connect(one);
	end_connect(two);
	before = end_listen(one);
	end_send(two, row->audio_two);
	end_wait(one, before + 1);
	g_assert_cmpuint(end_heard(one, before)->pt, ==, row->audio_one);

	/* the peer's own keys, and the audio after them */
	before = end_listen(one);
	press(two, row);
	end_send(two, row->audio_two);
	end_settle(two, one);
	heard = hear(one, row, before);
	g_assert_cmpstr(two->gateway->ports[two->port].digits->str, ==, "7");
	g_assert_cmpuint(heard.events, ==, row->event_one == NO_EVENT ? 0 : 7);
	if (heard.events) {
		g_assert_cmpuint(heard.timestamps, ==, 1);
		g_assert_cmpuint(heard.longest, ==, row->clock_one / 10);
	}
	g_assert_cmpuint(end_heard(one, one->heard->len - 1)->pt, ==, row->audio_one);
	for (guint i = 1; i < one->heard->len; i++)
		g_assert_cmpuint(end_heard(one, i)->seq, ==,
				 (guint16)(end_heard(one, i - 1)->seq + 1));

	/* and ours */
	before = end_listen(one);
	media_send_dtmf(one->gateway->media, one->port, '7');
	if (row->event_one == NO_EVENT) {
		peer_query(one->gateway, one->port);
		g_assert_nonnull(strstr(one->gateway->ports[one->port].notes->str, "7 not sent"));
	} else {
		Wait wait = { one, row, before };

		g_assert_true(wait_for(is_pressed, &wait, ENOUGH));
		heard = hear(one, row, before);
		g_assert_cmpuint(heard.longest, ==, DTMF_TONE_MS * row->clock_one / 1000);
		g_assert_cmpuint(heard.timestamps, ==, 1);
	}
	bridge_free(bridge);
}

/* --- audio that the other side does not take --- */

typedef struct {
	const char *name, *one, *two;
	const char *told_two; /* what the gateway told end two, where that has other numbers */
	guint8 from_two, at_one;
	guint16 bytes; /* of a frame at one; 0: as the coder likes */
	guint32 units;
} Made;

static const Made made[] = {
	{ "pcma-to-opus", "96 opus/48000", "8 PCMA", NULL, 8, 96, 0, 960 },
	{ "pcmu-to-g722", "9 G722", "0 PCMU", NULL, 0, 9, 160, 160 },
	{ "opus-to-pcmu", "0 PCMU", "111 opus/48000", NULL, 111, 0, 160, 160 },
	{ "g722-to-opus", "96 opus/48000", "9 G722", NULL, 9, 96, 0, 960 },
	{ "pcmu-to-pcma", "8 PCMA", "0 PCMU", NULL, 0, 8, 160, 160 },
	/* a client that has answered an offer by one of its own */
	{ "other-numbers", "0 PCMU", "111 opus/48000", "97 opus/48000", 111, 0, 160, 160 },
};

static void
test_made(gconstpointer data)
{
	static const guint8 opus[] = { 0x08, 0x0b, 0xe4, 0xc1 }; /* 20 ms of narrowband */
	const Made *row = data;
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, row->one);
	End *one = bridge->one, *two = bridge->two;
	guint8 frame[FRAME];
	PortStats stats;
	guint before;

	memset(frame, 0xd5, sizeof frame);
	one->local_codecs = one->remote_codecs = row->one;
	two->local_codecs = row->told_two ? row->told_two : row->two;
	two->remote_codecs = row->two;
	end_connect(one);
	end_connect(two);
	before = end_listen(one);
	for (guint i = 0; i < 10; i++) {
		const gboolean is_opus = row->from_two == 111;
		const RtpPacket packet = { .pt = row->from_two,
					   .seq = two->seq++,
					   .timestamp = two->timestamp,
					   .ssrc = two->ssrc };

		two->timestamp += is_opus ? 960 : 160;
		end_send_packet(two, &packet, is_opus ? opus : frame,
				is_opus ? sizeof opus : sizeof frame);
	}
	end_wait(one, before + 10);
	for (guint i = 0; i < 10; i++) {
		const Heard *heard = end_heard(one, before + i);

		g_assert_cmpuint(heard->pt, ==, row->at_one);
		g_assert_cmpint(heard->marker, ==, i == 0);
		if (row->bytes)
			g_assert_cmpuint(heard->size, ==, row->bytes);
		if (i == 0)
			continue;
		g_assert_cmpuint(heard->seq, ==, (guint16)(heard[-1].seq + 1));
		g_assert_cmpuint(heard->timestamp - heard[-1].timestamp, ==, row->units);
		g_assert_cmphex(heard->ssrc, ==, heard[-1].ssrc);
	}
	g_assert_nonnull(strstr(two->gateway->ports[two->port].notes->str, "is transcoded to"));
	stats = peer_query(two->gateway, two->port);
	g_assert_true(g_str_has_prefix(strchr(row->two, ' ') + 1, stats.heard->name));
	g_assert_true(g_str_has_prefix(strchr(row->one, ' ') + 1, stats.made->name));
	g_assert_cmpuint(stats.transcoded, ==, 10);
	g_assert_cmpuint(stats.concealed + stats.late, ==, 0);
	/* a codec that both have is passed on, in the same stream */
	one->local_codecs = one->remote_codecs = row->two;
	end_connect(one);
	before = end_listen(one);
	end_send(two, row->from_two);
	end_wait(one, before + 1);
	g_assert_cmpuint(end_heard(one, before)->pt, ==, row->from_two);
	g_assert_cmpuint(end_heard(one, before)->seq, ==,
			 (guint16)(end_heard(one, before - 1)->seq + 1));
	g_assert_cmpuint(heard_frame(end_heard(one, before)), ==, two->frame - 1);
	g_assert_null(peer_query(two->gateway, two->port).made);
	bridge_free(bridge);
}

/* --- a pause of the source is filled, until something else is said or nothing may be --- */

static gboolean
has_digit(gpointer user)
{
	End *end = user;
	guint ends = 0;

	end_listen(end);
	for (guint i = 0; i < end->heard->len; i++)
		ends += end_heard(end, i)->pt == 101 && (end_heard(end, i)->payload[1] & 0x80);
	return ends >= 3;
}

static void
test_pause_over(gconstpointer data)
{
	static const guint8 opus[] = { 0x08, 0x0b, 0xe4, 0xc1 }; /* then a TOC alone: DTX */
	const gboolean held = GPOINTER_TO_INT(data);
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, "0 PCMU");
	End *one = bridge->one, *two = bridge->two;
	guint heard;

	two->local_codecs = two->remote_codecs = "111 opus/48000, 0 PCMU, 101 telephone-event";
	end_connect(one);
	end_connect(two);
	heard = end_listen(one);
	for (guint i = 0; i < 2; i++) {
		const RtpPacket packet = {
			.pt = 111, .seq = two->seq++, .timestamp = two->timestamp, .ssrc = two->ssrc
		};

		two->timestamp += 960;
		end_send_packet(two, &packet, opus, i == 0 ? sizeof opus : 1);
	}
	end_wait(one, heard + 6);
	if (held) {
		two->remote_direction = DIRECTION_RECVONLY;
		end_connect(two);
		peer_query(two->gateway, two->port);
	} else {
		end_send(two, 0);
		end_settle(two, one);
	}
	heard = end_listen(one);
	/* the time of a digit the other way: five frames and more */
	media_send_dtmf(two->gateway->media, two->port, '5');
	g_assert_true(wait_for(has_digit, two, ENOUGH));
	g_assert_cmpuint(end_listen(one), ==, heard);
	assert_one_stream(one, 0);
	bridge_free(bridge);
}

/* --- comfort noise --- */

/* RFC 3389: the numbers of comfort noise are not those of lost audio, and what is said after the
 * pause waits for nothing. */
static void
test_comfort_noise(gconstpointer data)
{
	static const guint8 level[] = { 60 };
	const guint8 audio = (guint8)GPOINTER_TO_UINT(data);
	const guint32 said[] = { 0, 160, 480, 3200 };
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, "96 opus/48000");
	End *one = bridge->one, *two = bridge->two;
	guint8 frame[FRAME];
	PortStats stats;
	guint before;

	memset(frame, 0xd5, sizeof frame);
	two->local_codecs = two->remote_codecs = audio == 8 ? "8 PCMA" : "0 PCMU";
	end_connect(one);
	end_connect(two);
	before = end_listen(one);
	for (guint i = 0; i < G_N_ELEMENTS(said); i++) {
		const gboolean noise = i == 2;
		const RtpPacket packet = { .pt = noise ? 13 : audio,
					   .marker = i == 3,
					   .seq = two->seq++,
					   .timestamp = two->timestamp + said[i],
					   .ssrc = two->ssrc };

		end_send_packet(two, &packet, noise ? level : frame,
				noise ? sizeof level : sizeof frame);
	}
	end_wait(one, before + 3);
	g_assert_cmpuint(end_heard(one, before + 2)->seq, ==,
			 (guint16)(end_heard(one, before + 1)->seq + 1));
	g_assert_true(end_heard(one, before + 2)->marker);
	g_assert_cmpuint(end_heard(one, before + 2)->timestamp -
				 end_heard(one, before + 1)->timestamp,
			 ==, (3200 - 160) * 6);
	stats = peer_query(two->gateway, two->port);
	g_assert_cmpuint(stats.transcoded, ==, 3);
	g_assert_cmpuint(stats.concealed + stats.late, ==, 0);
	bridge_free(bridge);
}

/* --- a source that sends by turns what passes and what does not --- */

static void
test_turns(void)
{
	static const guint8 opus[] = { 0x08, 0x0b, 0xe4, 0xc1 };
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, "0 PCMU");
	End *one = bridge->one, *two = bridge->two;
	PortStats stats;
	guint heard;

	two->local_codecs = two->remote_codecs = "111 opus/48000, 0 PCMU";
	end_connect(one);
	end_connect(two);
	heard = end_listen(one);
	for (guint i = 0; i < 20; i++) {
		const RtpPacket packet = {
			.pt = 111, .seq = two->seq++, .timestamp = two->timestamp, .ssrc = two->ssrc
		};

		two->timestamp += 960;
		end_send_packet(two, &packet, opus, sizeof opus);
		end_send(two, 0);
		end_wait(one, heard + 2 * (i + 1));
	}
	stats = peer_query(two->gateway, two->port);
	g_assert_cmpuint(stats.transcoded, ==, 20);
	g_assert_cmpuint(stats.coders, ==, 2);
	assert_one_stream(one, 0);
	bridge_free(bridge);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/clocks/", rows[i].name, NULL);

		g_test_add_data_func(path, &rows[i], test_row);
	}
	for (guint i = 0; i < G_N_ELEMENTS(made); i++) {
		g_autofree char *path = g_strconcat("/clocks/made/", made[i].name, NULL);

		g_test_add_data_func(path, &made[i], test_made);
	}
	g_test_add_data_func("/clocks/comfort-noise/pcmu", GUINT_TO_POINTER(0), test_comfort_noise);
	g_test_add_data_func("/clocks/comfort-noise/pcma", GUINT_TO_POINTER(8), test_comfort_noise);
	g_test_add_func("/clocks/turns", test_turns);
	g_test_add_data_func("/clocks/pause/passed", GINT_TO_POINTER(FALSE), test_pause_over);
	g_test_add_data_func("/clocks/pause/held", GINT_TO_POINTER(TRUE), test_pause_over);
	return g_test_run();
}
