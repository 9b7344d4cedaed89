/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* relay.h - the packet path of one port.
 *
 *   recv → [unprotect] → checks → twin: payload type, SSRC, numbers → [protect] → send
 *
 * in place in one buffer, without allocation, lock or log per packet.  RTCP ends
 * here: each port reports to its own peer about its own two streams, so loss,
 * jitter and round trip are those of that side's network.
 * Thread: media, except relay_new and relay_free (any) and the registry.
 */
#pragma once
#include "media/audio.h"
#include "media/binding.h"
#include "media/media_types.h"
#include "media/srtp.h"
#include "media/udp.h"
#include "media/worker.h"

#define RELAY_MAX_SOCKETS 16   /* local addresses of an ICE port, of each component */
#define RELAY_MAX_PACKET  1600 /* longer ones are malformed */

typedef struct Relay Relay;

/* The relays of one media worker, for its tick. */
typedef struct RelaySet RelaySet;
RelaySet *relay_set_new(void);
void relay_set_free(RelaySet *set);
gint64 relay_set_tick(gpointer set, gint64 now); /* a TickFunc */

/* What a relay tells its owner; the texts are the owner's to free.  None may call back, and
 * none but send() comes for each packet. */
typedef struct {
	void (*note)(gpointer owner, char *text);
	void (*digit)(gpointer owner, char digit); /* went to the twin (RFC 4733) */
	void (*lost)(gpointer owner, MediaLoss why, char *text);
	/* text may be NULL */
	void (*one_way)(gpointer owner, const MediaSilence *silence, char *text);
	void (*played)(gpointer owner); /* what relay_play() was given last, to its end */
	void (*stats)(gpointer owner, const PortStats *stats); /* every 5 s of packets, or 30 */
	/* WebRTC: a packet was authentic, the first under the latest keys. */
	void (*proven)(gpointer owner);
	/* RTP or RTCP, to the peer over the agent's TURN server. */
	void (*send)(gpointer owner, const guint8 *data, gsize length);
	/* May RTP be sent where authenticated RTP came from? */
	void (*ask_route)(gpointer owner, guint socket, const NetAddress *from);
} RelayEvents;

typedef struct {
	TransportKind kind;
	const MediaOptions *media; /* those of the process */
	Worker *worker, *ice;	   /* its own; where protections are freed */
	RelaySet *set;
	const RelayEvents *events;
	gpointer owner; /* not counted: it owns us */
} RelayOptions;

Relay *relay_new(const RelayOptions *options);
void relay_free(Relay *relay); /* after relay_close() */
void relay_close(Relay *relay);

/* Takes the socket; one that does not receive is good for sending only.  RTP is not taken on
 * one for RTCP.  Of a plain port: RTP first, then RTCP. */
typedef enum { RELAY_RECEIVES = 1 << 0, RELAY_RTCP = 1 << 1 } RelaySocketKind;
void relay_add_socket(Relay *relay, int fd, guint kind);
void relay_connect(Relay *relay, const Desc *local, const Desc *remote);
void relay_join(Relay *one, Relay *other); /* with itself: an echo */

#define RELAY_BY_OWNER G_MAXUINT /* in place of a socket: by send() of the events */

/* WebRTC: where to send, and with what; takes the protections. */
void relay_set_route(Relay *relay, guint socket, const NetAddress *peer);
/* The answer to ask_route(): RTP goes there, unless the agent has chosen another pair since. */
void relay_set_followed(Relay *relay, guint socket, const NetAddress *peer);
/* The same of RTCP, where that is apart. */
void relay_set_rtcp_route(Relay *relay, guint socket, const NetAddress *peer);
/* ICE to a peer without DTLS: packets pass in the clear from now on, between the pairs that
 * the agent has chosen.  Before this, and without it, nothing passes that is not protected. */
void relay_set_unencrypted(Relay *relay, gboolean rtcp_apart);
void relay_set_protection(Relay *relay, Protection *receive, Protection *send);
void relay_set_alive(Relay *relay, gboolean alive);
/* After relay_set_route(): consent is the relay's business; takes the keys.  NULL: the
 * agent's.  What it notices is as relay_set_alive(). */
void relay_set_consent(Relay *relay, ConsentKeys *keys);
/* The agent has to have the peer's checks: there are new credentials. */
void relay_consent_leave_checks(Relay *relay);
/* A packet that came through the agent (no kernel split). */
void relay_receive(Relay *relay, const guint8 *data, gsize length);

/* Instead of sockets: its far side is us (audio.h). */
void relay_add_audio(Relay *relay);
void relay_play(Relay *relay, AudioSource *source);
void relay_record(Relay *relay, AudioSink *sink);

void relay_send_dtmf(Relay *relay, char digit);
void relay_stats(Relay *relay, PortStats *stats);
