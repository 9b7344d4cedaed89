/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* ice.h - one libnice agent: candidates, checks, consent (RFC 8445).
 *
 * One stream, one component (rtcp-mux), or RTCP in a second one.  The agent keeps STUN
 * and DTLS; RTP and RTCP are received and sent past it on the sockets listed here.
 * Thread: ice.  Events come from the context of that thread, never from inside
 * a function of this header except ice_gather() and ice_connect().
 */
#pragma once
#include "media/binding.h"
#include "media/media_types.h"
#include "media/udp.h"

typedef struct Ice Ice;

/* One per local address.  `fd` is the packet path's and closed by whoever took
 * it: the kernel's split of the port, or (no split) a duplicate of the agent's
 * socket that is good for sending only. */
typedef struct {
	NetAddress local;
	int fd;
	guint component;
	gboolean receives;
} IceSocket;

#define ICE_RTP	 1 /* components, RFC 8445 13 */
#define ICE_RTCP 2

#define ICE_RELAYED G_MAXUINT

typedef struct {
	/* A pair of a component was selected, or another one: its packets go there, from a
	 * socket or, with ICE_RELAYED, by ice_send(). */
	void (*selected)(gpointer user, guint component, guint socket, const NetAddress *peer,
			 const MediaPath *path, const char *text);
	/* One more of ours, which a STUN or TURN server took its time to give. */
	void (*candidate)(gpointer user, const Candidate *ours);
	/* What the agent got that is not STUN. */
	void (*datagram)(gpointer user, const guint8 *data, gsize length);
	/* Checks or consent (RFC 7675) of component 1 failed, or work again.  Not the end: a
	 * peer that begins late revives it. */
	void (*alive)(gpointer user, gboolean alive);
} IceEvents;

typedef struct {
	GMainContext *loop;
	gboolean controlling;
	gboolean rtcp_apart;	/* two components */
	char **local_addresses; /* borrowed */
	const char *public_address;
	guint16 port_min, port_max;
	gboolean kernel_split;
	const MediaServer *stun, *turn; /* NULL: none */
	const char *turn_username, *turn_password;
} IceOptions;

Ice *ice_new(const IceOptions *options, const IceEvents *events, gpointer user);
/* Gathers and opens the sockets; only what servers say comes later. */
gboolean ice_gather(Ice *ice, GError **error);
const IceSocket *ice_sockets(const Ice *ice, guint *n);
/* Credentials and candidates to be announced; to be freed. */
Transport *ice_transport(const Ice *ice);

/* Checks begin.  With other credentials than before: a restart, after which
 * ice_transport() gives new ones; TRUE then. */
gboolean ice_connect(Ice *ice, const Transport *remote);
/* Kept until ice_connect(); unusable ones are dropped. */
void ice_add_candidate(Ice *ice, const Candidate *candidate);
/* What the selected pair's consent is asked for with, to be freed.  NULL: the agent asks,
 * since what would be answered is his alone (no kernel split, or a relay of ours). */
ConsentKeys *ice_consent(const Ice *ice);
/* To the selected pair of the component; lost when there is none. */
void ice_send(Ice *ice, guint component, const guint8 *data, gsize length);
/* Was it signalled, or has it passed a check? */
gboolean ice_knows(const Ice *ice, const NetAddress *peer);
/* Why there is no pair, for a person. */
/* Of those without a pair: which kind of loss it is. */
MediaLoss ice_loss(const Ice *ice);
char *ice_explain(const Ice *ice);
/* Tells the TURN server that its relay is not needed any more.  FALSE: it gave none.
 * Otherwise `done` comes once, when it has answered or been silent for long enough, and
 * the loop must run until then; no event comes any more. */
gboolean ice_release(Ice *ice, void (*done)(gpointer user), gpointer user);
void ice_free(Ice *ice); /* NULL is fine; close the sockets' fds first */
