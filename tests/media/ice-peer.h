/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice-peer.h - a scripted ICE agent with DTLS-SRTP on loopback.
 *
 * It answers checks unless it is silent, and sends one when it is told to: from
 * which address, with which nomination, in which role.  Nothing here is libnice's.
 * It lives on the default main context.
 * RFC 8445, RFC 8489; attribute 0xC001 is draft-thatcher-ice-renomination.
 */
#pragma once
#include "media/dtls.h"
#include "media/media.h"
#include "media/udp.h"

#define ICE_PEER_PATHS 4

typedef enum { CHECK_PLAIN, CHECK_USE_CANDIDATE, CHECK_NOMINATION } CheckKind;

typedef struct IcePeer IcePeer;

/* One of its addresses. */
typedef struct {
	IcePeer *peer;
	int fd;
	guint watch;
	NetAddress ours, gateway;
	guint checks_in, nominations_in, conflicts_in; /* requests; 487 heard */
	guint judged;				       /* 487 said */
	guint agent_answers_in;			       /* libnice's are those with a user name */
	guint answers_in, answers_wrong;	       /* to checks of ours */
	guint dtls_in, rtp_in;
	guint8 last[1600]; /* newest RTP, unprotected */
	gsize last_length;
} IcePath;

struct IcePeer {
	gboolean controlling, silent, deaf; /* deaf: DTLS and RTP are not heard */
	gboolean forges;		    /* seals its answers with another key */
	gboolean mute;			    /* answers no check, whatever it sends itself */
	guint refuses;			    /* answers checks with this error; 0: no */
	gboolean judges;		    /* refuses a check in its own role, with 487 */
	gboolean skips;			    /* every second check is lost on the way */
	guint64 tie_breaker;
	guint32 nomination; /* value of the last one sent */
	char ufrag[9], pwd[33];
	Transport *gateway; /* what it was told; NULL before */
	guint generation;
	IcePath paths[ICE_PEER_PATHS];
	guint n_paths, path; /* `path`: DTLS and RTP leave there */
	DtlsContext *context;
	Dtls *dtls;
	guint handshakes, failures;
	Protection *receive, *send;
	guint32 ssrc;
	guint16 seq;
};

/* `addresses` is NULL-terminated; the first has the best priority.  We are the
 * DTLS client when `active`. */
IcePeer *ice_peer_new(const char *const *addresses, gboolean controlling);
void ice_peer_free(IcePeer *peer);

/* Host candidate `path`; with all of them in it, the whole transport. */
Candidate ice_peer_candidate(const IcePeer *peer, guint path);
Transport *ice_peer_transport(const IcePeer *peer, DtlsSetup setup);

/* What the gateway announced: its credentials, and its first candidate of each family. */
void ice_peer_told(IcePeer *peer, const Transport *gateway);
/* New credentials; what is told of the gateway is kept until the next ice_peer_told(). */
void ice_peer_restart(IcePeer *peer);
void ice_peer_move(IcePeer *peer, guint path, const char *address); /* another socket */

void ice_peer_nonsense(IcePeer *peer, guint path); /* a check of somebody unknown */
void ice_peer_check(IcePeer *peer, guint path, CheckKind kind);
void ice_peer_handshake(IcePeer *peer, DtlsSetup setup); /* ACTIVE or PASSIVE */
void ice_peer_send_rtp(IcePeer *peer, const void *payload, gsize length);
