/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-watch.c - what is said of a conversation one direction of which is dead, and of
 * what only looks like it.
 *
 * A second is 100 ms here: a silence of 5 s is one of half a second.
 */
#include <string.h>
#include "tests/media/bridge.h"

#define ENOUGH	20000 /* ms; only a failure waits so long */
#define CODECS	"0 PCMU, 101 telephone-event"
#define PACE_US 10000
#define PASSES	150 /* of it: thrice the silence */

static Bridge *
watched(TransportKind one, TransportKind two)
{
	MediaOptions options = options_for_test();

	options.second_ms = 100;
	return bridge_with(&options, one, two, CODECS);
}

/* --- what end one does in the n-th turn --- */

typedef void (*Act)(End *one, const End *two, guint n);

static void
talks(End *one, const End *two, guint n)
{
	end_send(one, 0);
}

static void
falls_silent(End *one, const End *two, guint n)
{
	if (n < 5)
		end_send(one, 0);
}

static void
says_nothing(End *one, const End *two, guint n)
{
}

/* RFC 3389: one packet, and silence for as long as the room is quiet. */
static void
sends_comfort_noise(End *one, const End *two, guint n)
{
	if (n < 5)
		end_send(one, n < 4 ? 0 : 13);
}

/* As Opus does: a packet every 400 ms. */
static void
sends_seldom(End *one, const End *two, guint n)
{
	if (n % 4 == 0)
		end_send(one, 0);
}

static void
sends_another_codec(End *one, const End *two, guint n)
{
	end_send(one, 96);
}

static void
changes_its_codec(End *one, const End *two, guint n)
{
	end_send(one, n < 5 ? 0 : 96);
}

static void
report(End *one, const RtcpSender *sender, const RtcpBlock *block)
{
	guint8 data[RTCP_MAX_REPORT];
	const RtcpReport ours = {
		.ssrc = one->ssrc, .cname = "peer", .sender = sender, .block = block
	};

	end_send_rtcp(one, data, rtcp_write_report(data, sizeof data, &ours));
}

static void
only_reports(End *one, const End *two, guint n)
{
	if (n % 10 == 0)
		report(one, NULL, NULL);
}

static void
reports_that_it_sends(End *one, const End *two, guint n)
{
	if (n % 10 == 0)
		report(one, &(RtcpSender){ .packets = 100 * n }, NULL);
}

/* It counts what it has sent, more than at its last report, and all of that came. */
static void
stops_and_counts(End *one, const End *two, guint n)
{
	if (n < 40)
		end_send(one, 0);
	if (n % 20 == 0)
		report(one, &(RtcpSender){ .packets = MIN(n, 40) }, NULL);
}

static const Heard *
heard_first(const End *one)
{
	return one->heard->len ? end_heard(one, 0) : NULL;
}

/* Its reports stay where they were when it had heard the first. */
static void
hears_no_more(End *one, const End *two, guint n)
{
	end_send(one, 0);
	if (heard_first(one) && n % 10 == 0)
		report(one, NULL,
		       &(RtcpBlock){ .ssrc = heard_first(one)->ssrc,
				     .highest = heard_first(one)->seq });
}

static void
hears(End *one, const End *two, guint n)
{
	end_send(one, 0);
	if (heard_first(one) && n % 10 == 0)
		report(one, NULL,
		       &(RtcpBlock){ .ssrc = heard_first(one)->ssrc,
				     .highest = end_heard(one, one->heard->len - 1)->seq });
}

/* libwebrtc, aiortc: what it hears is in receiver reports alone, and the others come long after. */
static void
hears_by_halves(End *one, const End *two, guint n, gboolean on)
{
	const guint heard = one->heard->len;

	end_send(one, 0);
	if (heard && n % 200 == 10)
		report(one, NULL,
		       &(RtcpBlock){ .ssrc = heard_first(one)->ssrc,
				     .highest = end_heard(one, on ? heard - 1 : 0)->seq });
	if (n % 200 == 190)
		report(one, &(RtcpSender){ .packets = n }, NULL);
}

static void
hears_and_says_so_apart(End *one, const End *two, guint n)
{
	hears_by_halves(one, two, n, TRUE);
}

static void
hears_no_more_and_says_so_apart(End *one, const End *two, guint n)
{
	hears_by_halves(one, two, n, FALSE);
}

/* libwebrtc that has never heard anything. */
static void
sends_and_says_so(End *one, const End *two, guint n)
{
	end_send(one, 0);
	if (n % 100 == 50)
		report(one, &(RtcpSender){ .packets = n }, NULL);
}

/* Most telephones: its sender reports say what it hears, until it hears nothing. */
static void
heard_at_first(End *one, const End *two, guint n)
{
	const gboolean still = n < 30 && heard_first(one);

	end_send(one, 0);
	if (n % 10 == 0)
		report(one, &(RtcpSender){ .packets = n },
		       still ? &(RtcpBlock){ .ssrc = heard_first(one)->ssrc,
					     .highest = end_heard(one, one->heard->len - 1)->seq }
			     : NULL);
}

/* A telephone that does not know how to report. */
static void
reports_about_nobody(End *one, const End *two, guint n)
{
	end_send(one, 0);
	if (n % 10 == 0)
		report(one, NULL, NULL);
}

static void
sends_under_another_key(End *one, const End *two, guint n)
{
	guint8 data[RTP_HEADER + FRAME] = { 0 };
	const RtpPacket packet = { .seq = (guint16)n, .timestamp = n * FRAME, .ssrc = 7 };

	rtp_write_header(data, &packet);
	end_send_raw(one, data, sizeof data);
}

/* --- the table --- */

typedef struct {
	const char *name;
	TransportKind kind; /* of end one; end two is a telephone that talks, or is silent: */
	Act act;
	gboolean two_silent;
	MediaFault fault; /* of one */
	const char *text;
} Case;

static const Case cases[] = {
	{ "both talk", TRANSPORT_RTP, talks, FALSE, MEDIA_HEARD, NULL },
	{ "a client talks", TRANSPORT_WEBRTC, talks, TRUE, MEDIA_HEARD, NULL },
	{ "the other is silent", TRANSPORT_RTP, talks, TRUE, MEDIA_HEARD, NULL },
	{ "comfort noise", TRANSPORT_RTP, sends_comfort_noise, TRUE, MEDIA_HEARD, NULL },
	{ "a packet now and then", TRANSPORT_RTP, sends_seldom, TRUE, MEDIA_HEARD, NULL },
	{ "it hears", TRANSPORT_WEBRTC, hears, FALSE, MEDIA_HEARD, NULL },
	{ "it hears and says so apart", TRANSPORT_WEBRTC, hears_and_says_so_apart, FALSE,
	  MEDIA_HEARD, NULL },
	{ "reports about nobody", TRANSPORT_RTP, reports_about_nobody, FALSE, MEDIA_HEARD, NULL },
	{ "falls silent", TRANSPORT_RTP, falls_silent, FALSE, MEDIA_SILENT, "nothing comes from" },
	{ "a client falls silent", TRANSPORT_WEBRTC, falls_silent, FALSE, MEDIA_SILENT, "from" },
	{ "never a packet", TRANSPORT_RTP, says_nothing, FALSE, MEDIA_SILENT,
	  "nothing comes from" },
	{ "only reports", TRANSPORT_RTP, only_reports, FALSE, MEDIA_SILENT, "only its reports" },
	{ "lost on the way", TRANSPORT_RTP, reports_that_it_sends, FALSE, MEDIA_SILENT,
	  "the audio is lost on the way" },
	{ "stops and counts", TRANSPORT_RTP, stops_and_counts, FALSE, MEDIA_SILENT,
	  "only its reports" },
	{ "another codec", TRANSPORT_RTP, sends_another_codec, FALSE, MEDIA_REFUSED,
	  "payload type 96" },
	{ "changes its codec", TRANSPORT_RTP, changes_its_codec, FALSE, MEDIA_REFUSED,
	  "payload type 96" },
	{ "another key", TRANSPORT_WEBRTC, sends_under_another_key, FALSE, MEDIA_REFUSED,
	  "cannot be authenticated" },
	{ "it hears no more", TRANSPORT_RTP, hears_no_more, FALSE, MEDIA_UNHEARD,
	  "nothing arrives of what the gateway sends" },
	{ "it hears no more and says so apart", TRANSPORT_WEBRTC, hears_no_more_and_says_so_apart,
	  FALSE, MEDIA_UNHEARD, "nothing arrives of what the gateway sends" },
	{ "it heard at first", TRANSPORT_RTP, heard_at_first, FALSE, MEDIA_UNHEARD,
	  "nothing arrives of what the gateway sends" },
	{ "a client never hears and says what it sends", TRANSPORT_WEBRTC, sends_and_says_so, FALSE,
	  MEDIA_UNHEARD, "nothing arrives of what the gateway sends" },
	{ "a client never hears", TRANSPORT_WEBRTC, reports_about_nobody, FALSE, MEDIA_UNHEARD,
	  "nothing arrives of what the gateway sends" },
};

typedef struct {
	Bridge *bridge;
	Act act;
	gboolean two_silent;
	gint64 next;
	guint turns, most; /* most 0: until one of them has a fault */
} Drive;

static MediaFault
fault_of(const End *end)
{
	return end->gateway->ports[end->port].fault;
}

static const char *
notes_of(const End *end)
{
	return end->gateway->ports[end->port].notes->str;
}

static gboolean
drive(gpointer user)
{
	Drive *now = user;
	End *one = now->bridge->one, *two = now->bridge->two;

	end_listen(one);
	end_listen(two);
	if (fault_of(one) || fault_of(two))
		return TRUE;
	if (now->most && now->turns >= now->most)
		return TRUE;
	if (g_get_monotonic_time() < now->next)
		return FALSE;
	now->next = g_get_monotonic_time() + PACE_US;
	now->act(one, two, now->turns++);
	if (!now->two_silent)
		end_send(two, 0);
	return FALSE;
}

/* One that reports is there, however long it is silent. */
static void
assert_absence(const MediaSilence *silence)
{
	g_assert_cmpuint(silence->silent_ms, >, 0);
	if (silence->reports)
		g_assert_cmpuint(silence->absent_ms, <, silence->silent_ms);
	else
		g_assert_cmpuint(silence->absent_ms, ==, silence->silent_ms);
}

static void
test_case(gconstpointer data)
{
	const Case *one = data;
	Bridge *bridge = watched(one->kind, TRANSPORT_RTP);
	Drive run = { bridge, one->act, one->two_silent, .most = 0 };

	/* where nothing is to be said the other side's silence is what ends the wait */
	if (!one->fault && !one->two_silent)
		run.most = 3 * PASSES;
	g_assert_true(wait_for(drive, &run, ENOUGH));
	g_assert_cmpint(fault_of(bridge->one), ==, one->fault);
	g_assert_cmpint(fault_of(bridge->two), ==, one->two_silent ? MEDIA_SILENT : MEDIA_HEARD);
	if (one->text)
		g_assert_nonnull(strstr(notes_of(bridge->one), one->text));
	if (one->fault == MEDIA_SILENT)
		assert_absence(&bridge->one->gateway->ports[bridge->one->port].silence);
	bridge_free(bridge);
}

/* Of a side on hold nothing is said, whatever it sends. */
static void
test_hold(void)
{
	Bridge *bridge = watched(TRANSPORT_WEBRTC, TRANSPORT_RTP);
	Drive run = { bridge, says_nothing, TRUE, .most = PASSES };

	bridge->one->local_direction = DIRECTION_RECVONLY;
	bridge->one->remote_direction = DIRECTION_SENDONLY;
	end_connect(bridge->one);
	g_assert_true(wait_for(drive, &run, ENOUGH));
	g_assert_cmpint(fault_of(bridge->one), ==, MEDIA_HEARD);
	g_assert_cmpint(fault_of(bridge->two), ==, MEDIA_HEARD);
	bridge_free(bridge);
}

static gboolean
is_heard(gpointer user)
{
	Drive *now = user;

	end_listen(now->bridge->two);
	now->act(now->bridge->one, now->bridge->two, now->turns++);
	return fault_of(now->bridge->one) == MEDIA_HEARD;
}

/* It comes again: that is said, and the time without a packet is known. */
static void
test_again(void)
{
	Bridge *bridge = watched(TRANSPORT_RTP, TRANSPORT_RTP);
	Drive run = { bridge, falls_silent, FALSE, .most = 0 };
	PortStats stats;

	g_assert_true(wait_for(drive, &run, ENOUGH));
	g_assert_cmpint(fault_of(bridge->one), ==, MEDIA_SILENT);
	run.act = talks;
	g_assert_true(wait_for(is_heard, &run, ENOUGH));
	g_assert_nonnull(strstr(notes_of(bridge->one), "heard again"));
	stats = peer_query(bridge->gateway, bridge->one->port);
	g_assert_cmpuint(stats.gap_ms, >=, 5000);
	g_assert_cmpuint(peer_query(bridge->gateway, bridge->two->port).gap_ms, <, 5000);
	bridge_free(bridge);
}

/* What the peer says of our stream: also when it begins to count anew. */
static void
test_reported_loss(void)
{
	Bridge *bridge = watched(TRANSPORT_RTP, TRANSPORT_RTP);
	End *two = bridge->two;
	RtcpBlock block = { .lost = 7, .jitter = 80, .highest = 70000 };
	PortStats stats;

	end_talk(bridge->one, two, 0, 3);
	block.ssrc = end_heard(two, 0)->ssrc + 1; /* somebody else's */
	report(two, NULL, &block);
	g_assert_cmpuint(end_settle(two, NULL).reports_in, ==, 0);
	block.ssrc--;
	report(two, NULL, &block);
	stats = end_settle(two, NULL);
	g_assert_cmpuint(stats.reports_in, ==, 1);
	g_assert_cmpuint(stats.lost_out, ==, 7);
	g_assert_cmpuint(stats.jitter_out_us, ==, 10000);
	block.highest = 300;
	block.lost = 2;
	report(two, NULL, &block);
	g_assert_cmpuint(end_settle(two, NULL).lost_out, ==, 9);
	block.lost = -20; /* repetitions count */
	block.highest++;
	report(two, NULL, &block);
	g_assert_cmpuint(end_settle(two, NULL).lost_out, ==, 0);
	bridge_free(bridge);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/watch/", cases[i].name, NULL);

		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/watch/hold", test_hold);
	g_test_add_func("/watch/heard again", test_again);
	g_test_add_func("/watch/reported loss", test_reported_loss);
	return g_test_run();
}
