/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-handover.c - a port goes over from one Media to another, as in a transfer. */
#include "tests/media/bridge.h"

#define CODECS "0 PCMU, 101 telephone-event"

/* The first call (one ⇄ two) and a second (three ⇄ four), of which `three` comes over. */
typedef struct {
	Workers *workers;
	Peer *first, *second;
	End *one, *two, *three, *four;
} Calls;

static void
calls_new(Calls *calls, guint threads, gboolean near, TransportKind kind)
{
	calls->workers = workers_on_loopback(threads, TRUE);
	calls->first = peer_new(calls->workers);
	calls->second = peer_new(calls->workers);
	if (near)
		media_stay_near(calls->second->media, calls->first->media);
	calls->one = end_new(calls->first, SIDE_CALLER, kind, "127.0.0.1", CODECS);
	calls->two = end_new(calls->first, SIDE_CALLEE, TRANSPORT_RTP, "127.0.0.1", CODECS);
	calls->three = end_new(calls->second, SIDE_CALLER, kind, "127.0.0.1", CODECS);
	calls->four = end_new(calls->second, SIDE_CALLEE, TRANSPORT_RTP, "127.0.0.1", CODECS);
	media_join(calls->first->media, calls->one->port, calls->two->port);
	media_join(calls->second->media, calls->three->port, calls->four->port);
	end_connect(calls->one);
	end_connect(calls->two);
	end_connect(calls->three);
	end_connect(calls->four);
	end_talk(calls->one, calls->two, 0, 5);
	end_talk(calls->four, calls->three, 0, 5);
}

/* In the end `three` belongs to the first. */
static PortId
take_three(Calls *calls)
{
	PortId port =
		media_take_port(calls->first->media, calls->second->media, calls->three->port);

	if (port == 0)
		return 0;
	calls->first->ports[port].ours =
		transport_copy(calls->second->ports[calls->three->port].ours);
	calls->three->gateway = calls->first;
	calls->three->port = port;
	media_drop_port(calls->first->media, calls->two->port);
	media_join(calls->first->media, calls->one->port, port);
	peer_query(calls->first, port); /* so that it holds by then */
	return port;
}

static void
calls_free(Calls *calls, gboolean second)
{
	peer_free(calls->first);
	if (second)
		peer_free(calls->second);
	end_free(calls->one);
	end_free(calls->two);
	end_free(calls->three);
	end_free(calls->four);
	workers_free(calls->workers);
}

static void
check_handover(TransportKind kind)
{
	Calls calls;
	PortStats before, after;
	PortId port;

	calls_new(&calls, 2, TRUE, kind);
	before = peer_query(calls.second, calls.three->port);
	port = take_three(&calls);
	g_assert_cmpuint(port, !=, 0);
	/* the peers have been told nothing: the same credentials and addresses serve */
	end_talk(calls.one, calls.three, 0, 10);
	end_talk(calls.three, calls.one, 0, 10);
	/* the call it came from ends, and takes nothing along */
	peer_free(calls.second);
	end_talk(calls.three, calls.one, 0, 10);
	end_talk(calls.one, calls.three, 0, 10);
	after = peer_query(calls.first, port);
	g_assert_cmpuint(after.packets_in, ==, before.packets_in + 20);
	g_assert_cmpuint(after.packets_out, ==, before.packets_out + 20);
	assert_one_stream(calls.three, 0);
	calls_free(&calls, FALSE);
}

static void
test_telephone(void)
{
	check_handover(TRANSPORT_RTP);
}

static void
test_browser(void)
{
	check_handover(TRANSPORT_WEBRTC);
}

/* What comes of it is heard where it is, also of what was under way. */
static void
test_news(void)
{
	Calls calls;
	PortId port;

	calls_new(&calls, 1, TRUE, TRANSPORT_RTP);
	media_query(calls.second->media, calls.three->port, NULL);
	port = take_three(&calls);
	g_assert_cmpuint(media_take_port(calls.first->media, calls.second->media, 1), ==, 0);
	peer_query(calls.first, port);
	g_assert_cmpuint(media_last_stats(calls.first->media, port).packets_in, ==, 0);
	g_assert_cmpuint(media_last_stats(calls.first->media, port).packets_out, >=, 5);
	calls_free(&calls, TRUE);
}

/* Relays of two threads never meet: it stays where it is. */
static void
test_far(void)
{
	Calls calls;

	calls_new(&calls, 2, FALSE, TRANSPORT_RTP);
	g_assert_cmpuint(take_three(&calls), ==, 0);
	end_talk(calls.four, calls.three, 0, 5);
	calls_free(&calls, TRUE);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/handover/telephone", test_telephone);
	g_test_add_func("/handover/browser", test_browser);
	g_test_add_func("/handover/news", test_news);
	g_test_add_func("/handover/far", test_far);
	return g_test_run();
}
