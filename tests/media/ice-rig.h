/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice-rig.h - a call through the gateway's media between a telephone and a scripted
 * ICE peer.
 *
 *   phone ⇄ [ plain, WebRTC ] ⇄ IcePeer
 */
#pragma once
#include "tests/media/ice-peer.h"
#include "tests/media/media-peer.h"

#define RIG_CODECS "0 PCMU, 101 telephone-event"
#define RIG_ENOUGH 20000 /* ms; only a failure waits so long */

typedef struct {
	Side side;		  /* of the WebRTC port: we control a callee */
	const char *addresses[4]; /* of the peer; 127.0.0.1 when there is none */
	const char *gateway[4];	  /* addresses of the gateway, likewise */
	const char *public_address;
	guint ice_timeout_s; /* 30 when 0 */
	guint consent_timeout_s;
	guint second_ms;      /* 1000 when 0 */
	gboolean dtls_client; /* we begin the handshake, not the peer */
	gboolean agent_split; /* RTP through libnice, not the kernel's split */
	gboolean clear;	      /* no DTLS: there is no rig_secure(), no rig_talk() */
} RigOptions;

typedef struct {
	Workers *workers;
	Peer *gateway;
	Phone *phone;
	IcePeer *peer;
	PortId plain, webrtc;
	gboolean dtls_client, clear;
	guint heard_by_phone, heard_by_peer; /* since rig_talk() began */
	guint expected_path;
	char letter;
} Rig;

Rig *rig_new(const RigOptions *options);
void rig_free(Rig *rig);
const Transport *rig_ours(const Rig *rig); /* what the gateway announces */

/* Tells each what the other said.  The transport is the peer's own, or NULL: all of it. */
void rig_connect(Rig *rig, const Transport *theirs);
/* Checks from `path` until the gateway has answered one. */
void rig_check(Rig *rig, guint path, CheckKind kind);
/* Checks, nomination and handshake by the peer: until the port is up. */
void rig_secure(Rig *rig, guint path);
/* Both speak until each has heard ten packets that hold `letter` of what the other says
 * now, the peer at `path`. */
void rig_talk(Rig *rig, guint path, char letter);
guint rig_notes(const Rig *rig, const char *words); /* lines with them */
