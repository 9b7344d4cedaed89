/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-keys.c - telephone-event through the relay, when its clock is not the audio's.
 *
 *   phone one, events at 48 kHz → gateway → phone two, events at 8 kHz
 *
 * RFC 4733 2.3.5, 2.5.1.
 */
#include "tests/media/media-peer.h"
#include "media/dtmf.h"
#include <string.h>
#include <unistd.h>

#define ENOUGH 20000

typedef struct {
	Phone *phone;
	GArray *events;	  /* RtpPacket, payload copied */
	GArray *payloads; /* DtmfEvent */
} Ear;

static void
connect_phone(Peer *peer, PortId port, const Phone *phone, guint32 clock)
{
	g_autoptr(Desc) local =
		desc_for_test(peer->ports[port].ours, "0 PCMU, 101 telephone-event");
	g_autoptr(Desc) remote = phone_desc(phone, "0 PCMU, 101 telephone-event");
	const Desc *both[] = { local, remote };

	for (guint i = 0; i < 2; i++) /* nobody else has seen them yet */
		((Codec *)desc_audio(both[i])->codecs->pdata[1])->rate = clock;
	media_connect(peer->media, port, local, remote);
}

static void
send_event(Phone *phone, guint16 port, guint32 began, gboolean marker, guint16 duration,
	   gboolean end)
{
	const DtmfEvent event = { .event = 5, .end = end, .volume = 10, .duration = duration };
	guint8 packet[RTP_HEADER + DTMF_PAYLOAD];
	const RtpPacket header = { .seq = phone->seq++,
				   .timestamp = began,
				   .ssrc = phone->ssrc,
				   .pt = 101,
				   .marker = marker };

	rtp_write_header(packet, &header);
	dtmf_write(packet + RTP_HEADER, &event);
	phone_send_raw(phone, port, packet, sizeof packet);
}

static gboolean
heard_all(gpointer user)
{
	Ear *ear = user;
	guint8 data[1500];
	ssize_t length;

	while ((length = read(ear->phone->sockets.rtp, data, sizeof data)) > 0) {
		RtpPacket packet;
		DtmfEvent event;

		if (!rtp_parse(data, (gsize)length, &packet) || packet.pt != 101)
			continue;
		g_assert_true(dtmf_parse(packet.payload, packet.payload_size, &event));
		g_array_append_val(ear->events, packet);
		g_array_append_val(ear->payloads, event);
	}
	return ear->payloads->len >= 12;
}

static gboolean
was_noted(gpointer user)
{
	return g_str_has_prefix(((GString *)user)->str, "5");
}

/* Two keys of 400 ms at 48 kHz, ends said three times: what phone two hears. */
static void
test_clocks(void)
{
	const guint32 from = 48000, to = 8000;
	Workers *workers = workers_for_test(TRUE);
	Peer *gateway = peer_new(workers);
	Phone *one = phone_new(), *two = phone_new();
	PortId first = peer_add(gateway, SIDE_CALLER, TRANSPORT_RTP);
	PortId second = peer_add(gateway, SIDE_CALLEE, TRANSPORT_RTP);
	guint16 port = gateway->ports[first].ours->port;
	Ear ear = { two, g_array_new(FALSE, FALSE, sizeof(RtpPacket)),
		    g_array_new(FALSE, FALSE, sizeof(DtmfEvent)) };
	guint16 unit = from / 50; /* 20 ms */

	media_join(gateway->media, first, second); /* before `up`, so that it holds by then */
	connect_phone(gateway, first, one, from);
	connect_phone(gateway, second, two, to);
	peer_wait_up(gateway, first);
	peer_wait_up(gateway, second);
	for (guint key = 0; key < 2; key++) {
		guint32 began = 1000 + key * 20 * unit;

		for (guint i = 1; i <= 3; i++)
			send_event(one, port, began, i == 1, i * unit, FALSE);
		for (guint i = 0; i < 3; i++)
			send_event(one, port, began, FALSE, 20 * unit, TRUE);
	}
	g_assert_true(wait_for(heard_all, &ear, ENOUGH));
	for (guint i = 0; i < 12; i++) {
		const RtpPacket *packet = &g_array_index(ear.events, RtpPacket, i);
		const RtpPacket *head = &g_array_index(ear.events, RtpPacket, i / 6 * 6);
		const DtmfEvent *event = &g_array_index(ear.payloads, DtmfEvent, i);
		guint ticks = i % 6 < 3 ? i % 6 + 1 : 20;

		g_assert_cmpuint(event->event, ==, 5);
		g_assert_cmpuint(event->duration, ==, MIN(ticks * to / 50, G_MAXUINT16));
		g_assert_cmpint(event->end, ==, i % 6 >= 3);
		g_assert_cmpint(packet->marker, ==, i % 6 == 0);
		g_assert_cmpuint(packet->timestamp, ==, head->timestamp);
		if (i > 0)
			g_assert_cmpuint((guint16)(packet->seq - packet[-1].seq), ==, 1);
	}
	g_assert_true(wait_for(was_noted, gateway->ports[first].digits, ENOUGH));
	g_array_unref(ear.events);
	g_array_unref(ear.payloads);
	peer_free(gateway);
	phone_free(one);
	phone_free(two);
	workers_free(workers);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keys/48 kHz to 8 kHz", test_clocks);
	return g_test_run();
}
