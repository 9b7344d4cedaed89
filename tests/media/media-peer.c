/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* media-peer.c - two Medias that call each other, and a plain RTP telephone. */
#include "tests/media/media-peer.h"
#include <string.h>
#include <unistd.h>

#define LOOPBACK "127.0.0.1"
#define ENOUGH	 20000 /* ms; only a failure waits so long */

/* --- waiting --- */

static gboolean
wake(gpointer user)
{
	return G_SOURCE_CONTINUE;
}

gboolean
wait_for(Condition condition, gpointer user, guint ms)
{
	const gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	const guint beat = g_timeout_add(5, wake, NULL);
	gboolean held;

	while (!(held = condition(user)) && g_get_monotonic_time() < end)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(beat);
	return held;
}

/* --- listener --- */

static void
on_ready(gpointer user, PortId port, const Transport *ours)
{
	Peer *peer = user;

	transport_free(peer->ports[port].ours);
	peer->ports[port].ours = transport_copy(ours);
	peer->ports[port].readies++;
}

static void
on_candidate(gpointer user, PortId port, const Candidate *ours)
{
}

static void
on_up(gpointer user, PortId port)
{
	((Peer *)user)->ports[port].ups++;
}

static void
on_lost(gpointer user, PortId port, MediaLoss why, const char *text)
{
	Peer *peer = user;

	peer->ports[port].losses++;
	peer->ports[port].loss = why;
	g_free(peer->ports[port].text);
	peer->ports[port].text = g_strdup(text);
	g_test_message("port %u lost: %s", port, text);
}

static void
on_note(gpointer user, PortId port, const char *text)
{
	g_string_append_printf(((Peer *)user)->ports[port].notes, "%s\n", text);
	g_test_message("port %u: %s", port, text);
}

static void
on_one_way(gpointer user, PortId port, const MediaSilence *silence, const char *text)
{
	Peer *peer = user;

	peer->ports[port].fault = silence->fault;
	peer->ports[port].silence = *silence;
	if (silence->fault == MEDIA_HEARD)
		on_note(user, port, "heard again");
	else if (!strstr(peer->ports[port].notes->str, text)) /* said again while it lasts */
		on_note(user, port, text);
}

static void
on_dtmf(gpointer user, PortId port, char digit)
{
	g_string_append_c(((Peer *)user)->ports[port].digits, digit);
}

static void
on_played(gpointer user, PortId port)
{
	((Peer *)user)->ports[port].played++;
}

static const MediaListener listener = { .ready = on_ready,
					.candidate = on_candidate,
					.up = on_up,
					.lost = on_lost,
					.note = on_note,
					.one_way = on_one_way,
					.dtmf = on_dtmf,
					.played = on_played };

/* --- a peer --- */

MediaOptions
options_for_test(void)
{
	static char *addresses[] = { (char *)LOOPBACK, NULL };

	return (MediaOptions){
		.n_ice = 1,
		.n_media = 1,
		.local_addresses = addresses,
		.rtp_address = (char *)LOOPBACK,
		.port_min = 20000,
		.port_max = 59999,
		.ice_timeout_s = 30,
		.kernel_split = TRUE,
		.transcode = TRUE,
	};
}

Workers *
workers_with(const MediaOptions *options)
{
	g_autoptr(GError) error = NULL;
	Workers *workers = workers_new(options, &error);

	g_assert_no_error(error);
	return workers;
}

Workers *
workers_on_loopback(guint threads, gboolean kernel_split)
{
	MediaOptions options = options_for_test();

	options.n_ice = options.n_media = threads;
	options.kernel_split = kernel_split;
	return workers_with(&options);
}

Workers *
workers_for_test(gboolean kernel_split)
{
	return workers_on_loopback(1, kernel_split);
}

Peer *
peer_new(Workers *workers)
{
	Peer *peer = g_new0(Peer, 1);

	for (guint i = 0; i <= MAX_PORTS; i++) {
		peer->ports[i].notes = g_string_new(NULL);
		peer->ports[i].digits = g_string_new(NULL);
	}
	peer->media = media_open(workers, &listener, peer);
	return peer;
}

void
peer_free(Peer *peer)
{
	media_close(peer->media);
	for (guint i = 0; i <= MAX_PORTS; i++) {
		transport_free(peer->ports[i].ours);
		g_free(peer->ports[i].text);
		g_string_free(peer->ports[i].notes, TRUE);
		g_string_free(peer->ports[i].digits, TRUE);
	}
	g_free(peer);
}

typedef struct {
	Peer *peer;
	PortId port;
	guint answers;
} Wait;

static gboolean
is_ready(gpointer user)
{
	Wait *wait = user;

	return wait->peer->ports[wait->port].readies > 0;
}

static gboolean
is_up(gpointer user)
{
	Wait *wait = user;

	return wait->peer->ports[wait->port].ups > 0;
}

static gboolean
is_answered(gpointer user)
{
	Wait *wait = user;

	return wait->peer->ports[wait->port].answers > wait->answers;
}

PortId
peer_add(Peer *peer, Side side, TransportKind kind)
{
	Wait wait = { .peer = peer, .port = media_add_port(peer->media, side, kind) };

	g_assert_true(wait_for(is_ready, &wait, ENOUGH));
	return wait.port;
}

PortId
peer_add_rtp(Peer *peer, Side side, const char *address)
{
	Wait wait = { .peer = peer, .port = media_add_rtp_port(peer->media, side, address) };

	g_assert_true(wait_for(is_ready, &wait, ENOUGH));
	return wait.port;
}

PortId
peer_add_clear(Peer *peer, Side side)
{
	Wait wait = { .peer = peer, .port = media_add_clear_port(peer->media, side) };

	g_assert_true(wait_for(is_ready, &wait, ENOUGH));
	return wait.port;
}

void
peer_wait_up(Peer *peer, PortId port)
{
	Wait wait = { .peer = peer, .port = port };

	g_assert_true(wait_for(is_up, &wait, ENOUGH));
}

static void
on_answer(gpointer user, PortId port, const PortStats *stats)
{
	Peer *peer = user;

	peer->ports[port].stats = *stats;
	peer->ports[port].answers++;
}

PortStats
peer_query(Peer *peer, PortId port)
{
	Wait wait = { .peer = peer, .port = port, .answers = peer->ports[port].answers };

	media_query(peer->media, port, on_answer);
	g_assert_true(wait_for(is_answered, &wait, ENOUGH));
	return peer->ports[port].stats;
}

/* --- descriptions --- */

Desc *
desc_for_test(const Transport *transport, const char *codecs)
{
	Desc *desc = desc_new();
	Stream *stream = desc_add_stream(desc, STREAM_AUDIO, "0");
	g_auto(GStrv) each = g_strsplit(codecs, ", ", -1);

	for (guint i = 0; each[i]; i++) {
		g_auto(GStrv) parts = g_strsplit_set(each[i], " /", 3);

		stream_add_codec(stream, (guint8)atoi(parts[0]), parts[1],
				 parts[2] ? (guint32)atoi(parts[2]) : 8000, 1);
	}
	transport_free(stream->transport);
	stream->transport = transport_copy(transport);
	return desc;
}

Desc *
desc_with_setup(const Transport *transport, const char *codecs, DtlsSetup setup)
{
	g_autoptr(Transport) copy = transport_copy(transport);

	copy->setup = setup;
	return desc_for_test(copy, codecs);
}

/* --- a telephone --- */

Phone *
phone_new(void)
{
	return phone_at(LOOPBACK);
}

Phone *
phone_at(const char *address)
{
	Phone *phone = g_new0(Phone, 1);
	g_autoptr(GError) error = NULL;

	g_assert_true(udp_pair_open(address, 20000, 59999, &phone->sockets, &error));
	phone->ssrc = g_random_int();
	phone->seq = 100;
	return phone;
}

void
phone_free(Phone *phone)
{
	close(phone->sockets.rtp);
	close(phone->sockets.rtcp);
	g_free(phone);
}

Desc *
phone_desc(const Phone *phone, const char *codecs)
{
	g_autoptr(Transport) transport = transport_new(TRANSPORT_RTP);

	g_strlcpy(transport->address, LOOPBACK, sizeof transport->address);
	transport->port = phone->sockets.port;
	return desc_for_test(transport, codecs);
}

void
phone_send_raw(Phone *phone, guint16 port, const void *data, gsize length)
{
	NetAddress to;

	net_address_parse(LOOPBACK, port, &to);
	g_assert_cmpint(sendto(phone->sockets.rtp, data, length, 0, &to.any, to.length), ==,
			length);
}

void
phone_send(Phone *phone, guint16 port, guint8 pt, const void *payload, gsize length)
{
	guint8 packet[1500] = { 0x80, pt };
	const guint16 seq = GUINT16_TO_BE(phone->seq);
	const guint32 timestamp = GUINT32_TO_BE(phone->timestamp),
		      ssrc = GUINT32_TO_BE(phone->ssrc);

	memcpy(packet + 2, &seq, 2);
	memcpy(packet + 4, &timestamp, 4);
	memcpy(packet + 8, &ssrc, 4);
	memcpy(packet + 12, payload, length);
	phone->seq++;
	phone->timestamp += 160;
	phone_send_raw(phone, port, packet, 12 + length);
}

guint
phone_drain(Phone *phone)
{
	guint n = 0;

	for (;;) {
		ssize_t length;

		phone->from.length = sizeof phone->from.ip6;
		length = recvfrom(phone->sockets.rtp, phone->last, sizeof phone->last, 0,
				  &phone->from.any, &phone->from.length);
		if (length < 0)
			break;
		phone->last_length = (gsize)length;
		n++;
	}
	phone->received += n;
	return n;
}
