/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-rig.h - the SIP plugin between a core and a peer that the test plays.
 *
 * The core's side of leg.h writes down what it is told, one line an event; the
 * peer's side is a bare UDP socket, so it may say anything at all.  Everything
 * waits by running the main loop until what it waits for is there.
 */
#pragma once
#include <gio/gio.h>
#include "b2bua/leg.h"
#include "db/store.h"

typedef struct {
	GSocket *socket;   /* TCP: the connection, once there is one */
	GSocket *listener; /* TCP only */
	GString *stream;   /* TCP: what is no whole message yet */
	guint port;
	GQueue heard; /* char *, datagrams not yet looked at */
	GSource *source;
	char *call_id, *tag; /* of the dialog it is in */
	guint cseq;
} Peer;

extern const char sdp_one[];  /* PCMU at 127.0.0.1:40000 */
extern const char sdp_two[];  /* the same at 40002 */
extern const char sdp_hold[]; /* the first, a=sendonly */

/* --- the gateway --- */
extern guint rig_port; /* where the plugin listens */
extern Leg *rig_leg;   /* of the last call_new() or leg_attach() */
extern const Plugin *rig_plugin;
guint rig_free_port(void); /* for UDP and TCP, at this moment */
void rig_start(void);	   /* with an empty store */
void rig_stop(void);
Store *rig_store(void);
/* A trunk at the peer's port on 127.0.0.1; `change` may be NULL. */
void rig_trunk(const char *name, guint port, void (*change)(Trunk *trunk));
void rig_dial(const char *trunk, const char *number, const Address *from);
Desc *rig_desc(const char *sdp);
guint64 rig_counter(const char *name);
const char *rig_traces(void);

/* Waits for the next event and compares: "ringing", "ended busy 486 Busy Here". */
void rig_expect(const char *event);
/* The same, but only its beginning. */
void rig_expect_start(const char *event);
void rig_no_event(void); /* nothing has been said that was not expected */
void rig_spin(guint ms);
/* For storms: forgets what was said, turns the loop while there is something to
 * do, and lets go of every leg there is. */
guint rig_drain(void);	   /* how much was said */
GPtrArray *rig_legs(void); /* Leg *, not ended yet; borrowed */
void rig_hangup_all(void);

/* --- the peer --- */
Peer *peer_new(void);
Peer *peer_new_tcp(void); /* listens; connects when it has to speak first */
void peer_free(Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)
void peer_send(Peer *peer, const char *text);
/* The next datagram that begins like that, others (retransmissions) dropped. */
char *peer_wait(Peer *peer, const char *start);
gboolean peer_has(Peer *peer, const char *start);

/* A request of the dialog (or the first of one): Via, From, To, Call-ID, CSeq
 * and Contact are made; `to_tag`, `extra` (whole lines) and `body` may be NULL. */
char *peer_request(Peer *peer, const char *method, const char *to_tag, const char *extra,
		   const char *body);
void peer_invite(Peer *peer, const char *extra, const char *body);
void peer_ack(Peer *peer, const char *response, const char *body);
/* An answer to a request of the gateway, tagged `tag`. */
void peer_reply(Peer *peer, const char *request, const char *status, const char *tag,
		const char *extra, const char *body);

char *peer_reply_text(Peer *peer, const char *request, const char *status, const char *tag,
		      const char *extra, const char *body);

char *message_header(const char *message, const char *name); /* value, or NULL */
char *message_tag(const char *message, const char *header);
const char *message_body(const char *message);
