/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* media-peer.h - two Medias that call each other, and a plain RTP telephone.
 *
 * Everything runs on the default main context; wait_for() is the only way to let
 * time pass, and it ends as soon as its condition holds.
 */
#pragma once
#include "media/media.h"
#include "media/udp.h"

#define MAX_PORTS 8

/* One Media and what its listener heard. */
typedef struct {
	Media *media;
	struct {
		Transport *ours;
		guint readies, ups, losses, played;
		MediaLoss loss;
		MediaFault fault;
		MediaSilence silence;
		char *text;
		GString *notes, *digits;
		PortStats stats;
		guint answers; /* of media_query() */
	} ports[MAX_PORTS + 1];
} Peer;

/* A telephone: RTP and RTCP sockets, answered by nobody. */
typedef struct {
	UdpPair sockets;
	guint16 seq;
	guint32 ssrc, timestamp;
	guint received;
	guint8 last[2048]; /* newest packet */
	gsize last_length;
	guint16 first_seq;
	NetAddress from;
} Phone;

typedef gboolean (*Condition)(gpointer user);
gboolean wait_for(Condition condition, gpointer user, guint ms);

MediaOptions options_for_test(void); /* loopback, one thread of each kind */
Workers *workers_with(const MediaOptions *options);
Workers *workers_for_test(gboolean kernel_split);
Workers *workers_on_loopback(guint threads, gboolean kernel_split); /* of each kind */
Peer *peer_new(Workers *workers);
void peer_free(Peer *peer);
PortId peer_add(Peer *peer, Side side, TransportKind kind);	 /* and waits until it is ready */
PortId peer_add_rtp(Peer *peer, Side side, const char *address); /* the same */
PortId peer_add_clear(Peer *peer, Side side);			 /* the same */
void peer_wait_up(Peer *peer, PortId port);
PortStats peer_query(Peer *peer, PortId port);

/* One audio stream: codecs as in "0 PCMU, 101 telephone-event, 110 telephone-event/48000". */
Desc *desc_for_test(const Transport *transport, const char *codecs);
Desc *desc_with_setup(const Transport *transport, const char *codecs, DtlsSetup setup);

Phone *phone_new(void);
Phone *phone_at(const char *address);
void phone_free(Phone *phone);
Desc *phone_desc(const Phone *phone, const char *codecs);
void phone_send(Phone *phone, guint16 port, guint8 pt, const void *payload, gsize length);
void phone_send_raw(Phone *phone, guint16 port, const void *data, gsize length);
guint phone_drain(Phone *phone); /* reads what is there; how many */
