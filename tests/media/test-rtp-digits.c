/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-rtp-digits.c - telephone-event through a port, out of it and into the listener.
 *
 * RFC 4733.  A peer reads our digits as it should: an event is what shares a
 * timestamp, and lasts as long as its longest duration says.
 */
#include "tests/media/bridge.h"
#include <string.h>
#include "media/dtmf.h"

#define CODECS "0 PCMU, 101 telephone-event"
#define EVENT  101
#define ENOUGH 20000

static const char *
digits_of(const End *end)
{
	return end->gateway->ports[end->port].digits->str;
}

/* One packet of an event that began at `timestamp`, under the stream's next number. */
static void
send_event(End *end, guint32 timestamp, char digit, guint16 duration, gboolean end_bit)
{
	DtmfEvent event = { .end = end_bit, .volume = 10, .duration = duration };
	const RtpPacket packet = { .pt = EVENT,
				   .seq = end->seq++,
				   .timestamp = timestamp,
				   .ssrc = end->ssrc,
				   .marker = duration == FRAME };
	guint8 payload[DTMF_PAYLOAD];

	g_assert_true(dtmf_event(digit, &event.event));
	dtmf_write(payload, &event);
	end_send_packet(end, &packet, payload, sizeof payload);
}

/* --- heard from a peer --- */

/* A digit as telephones send it; `lost` says which of its packets get lost. */
typedef struct {
	char digit;
	guint16 lost; /* bit n: the packet n of 7, four and three ends */
} Press;

static void
press(End *end, const Press *key)
{
	const guint32 start = end->timestamp;

	for (guint i = 0; i < 7; i++) {
		const guint16 duration = (guint16)(MIN(i + 1, 5) * FRAME);

		if (key->lost & 1 << i)
			end->seq++;
		else
			send_event(end, start, key->digit, duration, i >= 4);
	}
	end->timestamp += 5 * FRAME;
}

/* A digit of those that came, and its length in the stream's units. */
typedef struct {
	char digit;
	guint32 timestamp;
	guint16 duration;
	guint packets, ends, markers;
} Digit;

/* What a peer makes of the events it heard. */
static GArray *
decode(End *end)
{
	GArray *digits = g_array_new(FALSE, FALSE, sizeof(Digit));

	for (guint i = 0; i < end->heard->len; i++) {
		const Heard *heard = end_heard(end, i);
		Digit *last = digits->len ? &g_array_index(digits, Digit, digits->len - 1) : NULL;
		DtmfEvent event;

		if (heard->pt != EVENT)
			continue;
		g_assert_true(dtmf_parse(heard->payload, heard->size, &event));
		if (!last || last->timestamp != heard->timestamp) {
			const Digit digit = { .digit = dtmf_digit(event.event),
					      .timestamp = heard->timestamp };

			g_array_append_val(digits, digit);
			last = &g_array_index(digits, Digit, digits->len - 1);
		}
		g_assert_cmpint(last->digit, ==, dtmf_digit(event.event));
		last->duration = MAX(last->duration, event.duration);
		last->packets++;
		last->ends += event.end;
		last->markers += heard->marker;
	}
	return digits;
}

static void
assert_digits(End *end, const char *expected)
{
	g_autoptr(GArray) digits = decode(end);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < digits->len; i++)
		g_string_append_c(text, g_array_index(digits, Digit, i).digit);
	g_assert_cmpstr(text->str, ==, expected);
}

/* Seven packets say a digit, and any of them does. */
static void
test_heard(gconstpointer data)
{
	static const Press keys[] = { { '1', 0 },    { '2', 0x01 }, { '3', 0x0f }, { '4', 0x70 },
				      { '5', 0x3f }, { '6', 0x7e }, { '6', 0 },	   { '6', 0x41 },
				      { '*', 0 },    { 'D', 0 } };
	const TransportKind kind = GPOINTER_TO_INT(data);
	Bridge *bridge = bridge_new(kind, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;

	end_talk(one, two, 0, 2);
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
		press(one, &keys[i]);
		end_talk(one, two, 0, 1);
	}
	end_settle(one, two);
	g_assert_cmpstr(digits_of(one), ==, "12345666*D");
	assert_digits(two, "12345666*D");
	g_assert_cmpstr(digits_of(two), ==, "");
	bridge_free(bridge);
}

/* Ends that come late, when the next digit has begun or the audio goes on, and
 * everything twice: still each digit once. */
static void
test_overlap(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;
	guint32 first, second;

	end_talk(one, two, 0, 1);
	first = one->timestamp;
	send_event(one, first, '7', FRAME, FALSE);
	send_event(one, first, '7', 3 * FRAME, TRUE);
	second = first + 4 * FRAME;
	send_event(one, second, '7', FRAME, FALSE);
	send_event(one, first, '7', 3 * FRAME, TRUE); /* the first one's second end */
	send_event(one, second, '7', 2 * FRAME, FALSE);
	one->timestamp = second + 3 * FRAME;
	end_send(one, 0); /* audio beside it */
	one->seq -= 2;	  /* what the network repeats and turns round */
	send_event(one, second, '7', 2 * FRAME, FALSE);
	one->seq++;
	send_event(one, second, '7', 4 * FRAME, TRUE);
	send_event(one, first, '7', 3 * FRAME, TRUE);
	send_event(one, second, '7', 4 * FRAME, TRUE);
	end_settle(one, two);
	g_assert_cmpstr(digits_of(one), ==, "77");
	bridge_free(bridge);
}

/* Some gateways send events under an SSRC of their own, in turn with the audio. */
static void
test_own_ssrc(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_WEBRTC, CODECS);
	End *one = bridge->one, *two = bridge->two;
	const guint32 audio_ssrc = one->ssrc;
	guint16 audio_seq, event_seq = 7000;
	guint32 last = 0;

	end_talk(one, two, 0, 3);
	for (guint i = 0; i < 12; i++) {
		audio_seq = one->seq;
		one->ssrc = audio_ssrc + 1;
		one->seq = event_seq;
		/* two digits of six packets, each with a clock of its own */
		send_event(one, 5000 + i / 6 * 1600, '8', (guint16)((i % 6 + 1) * FRAME),
			   i % 6 > 2);
		event_seq = one->seq;
		one->ssrc = audio_ssrc;
		one->seq = audio_seq;
		end_send(one, 0);
		end_settle(one, two);
	}
	g_assert_cmpstr(digits_of(one), ==, "88");
	assert_digits(two, "88");
	g_assert_cmpuint(two->heard->len, ==, 3 + 24);
	for (guint i = 1; i < two->heard->len; i++) {
		const Heard *heard = end_heard(two, i);

		g_assert_cmpuint(heard->seq, ==, (guint16)(end_heard(two, i - 1)->seq + 1));
		if (heard->pt == EVENT)
			continue;
		if (last)
			g_assert_cmpuint(heard->timestamp - last, ==, FRAME);
		g_assert_false(heard->marker);
		last = heard->timestamp;
	}
	bridge_free(bridge);
}

/* After a stall of the network everything comes at once: no digit is left out, but
 * nobody makes us report a flood. */
static void
test_burst(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	End *one = bridge->one;
	GString *heard = one->gateway->ports[one->port].digits;

	for (guint i = 0; i < 10; i++)
		press(one, &(Press){ (char)('0' + i), 0 });
	end_settle(one, NULL);
	g_assert_cmpstr(heard->str, ==, "0123456789");
	for (guint i = 0; i < 500; i++) {
		press(one, &(Press){ '1', 0x7e });
		if (i % 20 == 0)
			end_settle(one, NULL);
	}
	end_settle(one, NULL);
	g_assert_cmpuint(heard->len, <, 300);
	bridge_free(bridge);
}

/* Whoever is not to send has no digits to say. */
static void
test_hold(void)
{
	Bridge *bridge = bridge_new(TRANSPORT_RTP, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;

	one->remote_direction = DIRECTION_RECVONLY;
	end_connect(one);
	press(one, &(Press){ '1', 0 });
	end_settle(one, two);
	g_assert_cmpstr(digits_of(one), ==, "");
	g_assert_cmpuint(two->heard->len, ==, 0);
	one->remote_direction = DIRECTION_SENDRECV;
	end_connect(one);
	press(one, &(Press){ '2', 0 });
	end_settle(one, two);
	g_assert_cmpstr(digits_of(one), ==, "2");
	assert_digits(two, "2");
	bridge_free(bridge);
}

/* --- ours --- */

typedef struct {
	Bridge *bridge;
	guint digits, ends;
	gint64 next;
	gboolean audio;
} Dial;

/* Audio every 20 ms, if at all, until three ends of each digit have come, and audio
 * again. */
static gboolean
has_dialled(gpointer user)
{
	Dial *dial = user;
	const gint64 now = g_get_monotonic_time();
	End *one = dial->bridge->one;
	g_autoptr(GArray) digits = NULL;

	if (dial->audio && now >= dial->next) {
		end_send(dial->bridge->two, 0);
		dial->next = MAX(dial->next, now - 20000) + 20000;
	}
	end_listen(one);
	digits = decode(one);
	return digits->len == dial->digits &&
	       g_array_index(digits, Digit, digits->len - 1).ends == 3 &&
	       (!dial->audio || end_heard(one, one->heard->len - 1)->pt != EVENT);
}

/* RFC 4733 2.5.1: one timestamp and one marker for each, durations that grow to
 * 160 ms, three ends; 100 ms and more from one to the next; nothing of the audio
 * between the packets of a tone. */
static void
check_dialled(End *end, const char *expected)
{
	g_autoptr(GArray) digits = decode(end);

	assert_digits(end, expected);
	for (guint i = 0; i < digits->len; i++) {
		const Digit *digit = &g_array_index(digits, Digit, i);

		g_assert_cmpuint(digit->duration, ==, DTMF_TONE_MS * 8);
		g_assert_cmpuint(digit->packets, ==, DTMF_TONE_MS / DTMF_TICK_MS + 2);
		g_assert_cmpuint(digit->ends, ==, 3);
		g_assert_cmpuint(digit->markers, ==, 1);
		if (i > 0)
			g_assert_cmpuint(digit->timestamp - digit[-1].timestamp, >=,
					 (DTMF_TONE_MS + DTMF_PAUSE_MS) * 8 - FRAME / 8);
	}
	for (guint i = 1; i < end->heard->len; i++) {
		const Heard *last = end_heard(end, i - 1), *heard = end_heard(end, i);
		DtmfEvent event;

		g_assert_cmpuint(heard->seq, ==, (guint16)(last->seq + 1));
		g_assert_cmphex(heard->ssrc, ==, last->ssrc);
		g_assert_cmpint((gint32)(heard->timestamp - last->timestamp), >=, 0);
		if (last->pt != EVENT || heard->pt == EVENT)
			continue;
		dtmf_parse(last->payload, last->size, &event);
		g_assert_true(event.end); /* audio again: after the digit's end */
		g_assert_cmpint((gint32)(heard->timestamp - last->timestamp), >=, event.duration);
	}
}

static void
dial(Bridge *bridge, gboolean audio, const char *digits)
{
	Dial dial = { .bridge = bridge, .digits = (guint)strlen(digits), .audio = audio };

	for (const char *digit = digits; *digit; digit++)
		media_send_dtmf(bridge->gateway->media, bridge->one->port, g_ascii_tolower(*digit));
	g_assert_true(wait_for(has_dialled, &dial, ENOUGH));
	check_dialled(bridge->one, digits);
}

static gboolean
audio_passes(gpointer user)
{
	Bridge *bridge = user;
	const guint before = end_listen(bridge->one);

	end_send(bridge->two, 0);
	end_settle(bridge->two, bridge->one);
	return bridge->one->heard->len > before;
}

/* Before any audio, between, and after it; the stream's time goes on with the clock. */
static void
test_sent(gconstpointer data)
{
	const TransportKind kind = GPOINTER_TO_INT(data);
	Bridge *bridge = bridge_new(kind, TRANSPORT_RTP, CODECS);
	End *one = bridge->one, *two = bridge->two;
	const Heard *first, *last;

	dial(bridge, FALSE, "1#"); /* in silence */
	first = end_heard(one, 0);
	last = end_heard(one, one->heard->len - 1);
	g_assert_cmpint(last->timestamp - first->timestamp, <=, (last->at - first->at) / 125 + 80);
	g_assert_true(
		wait_for(audio_passes, bridge, ENOUGH)); /* the pause behind the digit is over */
	end_forget(one);
	dial(bridge, TRUE, "0D");
	g_assert_cmpstr(digits_of(one), ==, ""); /* nobody pressed them */
	g_assert_cmpstr(digits_of(two), ==, "");
	media_send_dtmf(bridge->gateway->media, one->port, 'x');
	peer_query(bridge->gateway, one->port);
	g_assert_nonnull(strstr(bridge->gateway->ports[one->port].notes->str, "no such digit"));
	bridge_free(bridge);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/rtp-digits/heard/RTP", GINT_TO_POINTER(TRANSPORT_RTP), test_heard);
	g_test_add_data_func("/rtp-digits/heard/WebRTC", GINT_TO_POINTER(TRANSPORT_WEBRTC),
			     test_heard);
	g_test_add_func("/rtp-digits/overlapping", test_overlap);
	g_test_add_func("/rtp-digits/an SSRC of their own", test_own_ssrc);
	g_test_add_func("/rtp-digits/a burst", test_burst);
	g_test_add_func("/rtp-digits/on hold", test_hold);
	g_test_add_data_func("/rtp-digits/sent/RTP", GINT_TO_POINTER(TRANSPORT_RTP), test_sent);
	g_test_add_data_func("/rtp-digits/sent/WebRTC", GINT_TO_POINTER(TRANSPORT_WEBRTC),
			     test_sent);
	return g_test_run();
}
