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
#include "media/ice.h"
#include "media/port.h"

#define RELAY_MAX_SOCKETS 8    /* local addresses of a WebRTC port */
#define RELAY_MAX_PACKET  1600 /* longer ones are malformed */

typedef struct Relay Relay;

/* The relays of one media worker, for its tick. */
typedef struct RelaySet RelaySet;
RelaySet *relay_set_new(void);
void relay_set_free(RelaySet *set);
void relay_set_tick(gpointer set, gint64 now); /* a TickFunc */

Relay *relay_new(Port *port, Worker *worker, RelaySet *set);
void relay_free(Relay *relay); /* after relay_close() */
void relay_close(Relay *relay);

/* Takes the socket.  Of a plain port: RTP first, then RTCP. */
void relay_add_socket(Relay *relay, const IceSocket *socket);
void relay_connect(Relay *relay, const Desc *local, const Desc *remote);
void relay_join(Relay *one, Relay *other); /* with itself: an echo */

/* WebRTC: where to send, and with what; takes the protections. */
void relay_set_route(Relay *relay, guint socket, const NetAddress *peer);
void relay_set_protection(Relay *relay, Protection *receive, Protection *send);
void relay_set_alive(Relay *relay, gboolean alive);
/* A packet that came through the agent (no kernel split). */
void relay_receive(Relay *relay, const guint8 *data, gsize length);

void relay_send_dtmf(Relay *relay, char digit);
void relay_stats(Relay *relay, PortStats *stats);
