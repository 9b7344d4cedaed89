/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip-peer.h - the other end of a SIP conversation, played by a test.
 *
 * A bare socket on loopback, so that it may say anything at all.  Everything
 * waits by running the main loop until what it waits for is there.
 */
#pragma once
#include <gio/gio.h>

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

extern guint peer_gateway_port;	      /* where every peer sends to */
extern gboolean peer_six;	      /* over IPv6: on ::1, where 127.0.0.1 is written for it */
const char *peer_host(void);	      /* in a URI: "127.0.0.1", "[::1]" */
char *peer_at_home(const char *text); /* each 127.0.0.1 in it is that */
guint peer_free_port(void);	      /* for UDP and TCP, at this moment */

Peer *peer_new(void);
Peer *peer_new_at(const char *address); /* "127.0.0.2" */
Peer *peer_new_tcp(void);		/* listens; connects when it has to speak first */
Peer *peer_new_tcp_at(const char *address);
void peer_hang_up(Peer *peer); /* TCP: closes the connection and waits for another */
void peer_free(Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)
void peer_send(Peer *peer, const char *text);
void peer_send_bytes(Peer *peer, const char *bytes, gsize size); /* with NULs in them */
/* The next datagram that begins like that, others (retransmissions) dropped. */
char *peer_wait(Peer *peer, const char *start);
/* The response of that status to that method: the status alone may be that of another. */
char *peer_wait_answer(Peer *peer, const char *status, const char *method);
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
