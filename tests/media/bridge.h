/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* bridge.h - a gateway of two ports, and a peer on each that notes what it hears.
 *
 *   End one ⇄ [ port ⇄ port ] ⇄ End two
 *
 * An End is a telephone (plain RTP, its own sockets) or a browser (WebRTC).  It
 * sends frames that are numbered in their payload, so that a test knows which
 * came, under which header.
 */
#pragma once
#include "media/rtcp.h"
#include "tests/media/browser.h"
#include "tests/media/media-peer.h"

#define FRAME 160 /* bytes and RTP units: 20 ms of PCMU */

typedef struct {
	guint8 pt;
	gboolean marker;
	guint16 seq;
	guint32 timestamp, ssrc;
	gsize size;	   /* of the payload */
	guint8 payload[4]; /* its beginning */
	gint64 at;	   /* monotonic, us; of the reading */
} Heard;

typedef struct {
	Peer *gateway;
	PortId port;
	TransportKind kind;
	Phone *phone;
	Browser *browser;
	/* what end_connect() says: of the gateway, of the peer */
	const char *local_codecs, *remote_codecs;
	Direction local_direction, remote_direction;
	const char *address; /* announced by the peer; its port follows, or is given */
	guint16 announced, announced_rtcp;
	MediaSources sources; /* where it may come from besides, as signalling would have it */
	/* the peer's stream */
	guint16 seq;
	guint32 ssrc, timestamp, frame;
	guint64 sent;	    /* datagrams of any kind */
	GArray *heard;	    /* Heard, RTP */
	GPtrArray *reports; /* GBytes *, RTCP compounds */
} End;

typedef struct {
	Workers *workers;
	Peer *gateway;
	End *one, *two;
} Bridge;

/* Both ends know `codecs`; joined, connected and up. */
Bridge *bridge_new(TransportKind one, TransportKind two, const char *codecs);
Bridge *
bridge_with(const MediaOptions *options, TransportKind one, TransportKind two, const char *codecs);
void bridge_free(Bridge *bridge);

/* One more, not joined and not connected; telephones live at `address`. */
End *end_new(Peer *gateway, Side side, TransportKind kind, const char *address, const char *codecs);
void end_free(End *end);
/* Says its descriptions to the gateway, again after a change. */
void end_connect(End *end);
guint16 end_gateway_port(const End *end); /* of RTP */

/* --- sending --- */
void end_send_raw(End *end, const void *data, gsize length);
/* `packet` gives the header. */
void end_send_packet(End *end, const RtpPacket *packet, const void *payload, gsize length);
void end_send(End *end, guint8 pt); /* the next frame of its stream */
void end_send_rtcp(End *end, const void *data, gsize length);
/* From other sockets of a telephone's. */
void end_send_from(End *end, Phone *source, guint8 pt);

/* --- hearing --- */
#define end_heard(end, i) (&g_array_index((end)->heard, Heard, (i)))
guint end_listen(End *end); /* reads what is there; how many in all */
void end_forget(End *end);
/* Until it has heard `n` in all. */
void end_wait(End *end, guint n);
/* Frames with this payload type, one after the other, each heard by `to` before the next. */
void end_talk(End *from, End *to, guint8 pt, guint n);
/* Until the gateway has counted every datagram that was sent, then hears.  */
PortStats end_settle(End *from, End *to);
guint32 heard_frame(const Heard *heard);

/* What the peer was sent is one stream: one SSRC, numbers without a hole,
 * timestamps that never go back.  From heard `first` on. */
void assert_one_stream(End *end, guint first);
