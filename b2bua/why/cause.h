/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cause.h - why a call failed or is bad: facts in, one cause out, and what is said of it.
 *
 * Each layer says what it has seen (CauseFacts); one cause follows from that.  A cause has whole
 * sentences in one catalogue: for the person whose own phone it is about, for the person at the
 * other end, for the operator, and one remedy for him.  What a person reads, or a peer hears,
 * has no address, key or configuration of anybody: only the peer's own words go across.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/leg.h"
#include "media/media_types.h"

typedef enum {
	CAUSE_REASON, /* no more is known than the Reason says, and its words */

	/* a call that is up: of whose audio */
	CAUSE_AUDIO_LOST,	/* sent, by its own reports, and does not arrive */
	CAUSE_AUDIO_NEVER,	/* none has come since the call began */
	CAUSE_AUDIO_STOPPED,	/* its reports go on without it: muted, or lost on the way */
	CAUSE_AUDIO_VANISHED,	/* neither audio nor reports come any more */
	CAUSE_AUDIO_UNHEARD,	/* what we send does not arrive there */
	CAUSE_AUDIO_FOREIGN,	/* comes from an address that is not allowed */
	CAUSE_AUDIO_KEY,	/* is encrypted with another key */
	CAUSE_AUDIO_CODEC,	/* is of another codec than agreed */
	CAUSE_AUDIO_DEAD,	/* no audio passes either way */
	CAUSE_AUDIO_DEAD_ENDED, /* and so the gateway has ended the call */

	/* audio that never came up, or broke down */
	CAUSE_PORT,
	CAUSE_ICE_HALF,
	CAUSE_ICE_NO_CHECKS,
	CAUSE_ICE_NO_CHOICE,
	CAUSE_ICE_PASSWORD,
	CAUSE_ICE_SILENT,
	CAUSE_ICE_NO_CANDIDATE,
	CAUSE_DTLS_SILENT,
	CAUSE_DTLS_UNFINISHED,
	CAUSE_DTLS_REFUSED,
	CAUSE_FINGERPRINT,
	CAUSE_CONSENT,
	CAUSE_RTP_STOPPED,

	/* the way to the peer */
	CAUSE_TRUNK_NAME,
	CAUSE_TRUNK_UNREACHED,
	CAUSE_TRUNK_TLS,
	CAUSE_TRUNK_SILENT,
	CAUSE_TRUNK_UNAUTHORIZED,
	CAUSE_TRUNK_LOST,
	CAUSE_CODECS_FORBIDDEN,
	CAUSE_PHONE_UNREGISTERED,
	CAUSE_PHONE_UNREACHED,
	CAUSE_PHONE_SILENT,
	CAUSE_PHONE_LOST,
	CAUSE_HOST_NAME,
	CAUSE_HOST_UNREACHED,
	CAUSE_HOST_SILENT,
	CAUSE_XMPP_AWAY,
	CAUSE_CLIENT_NO_SESSION,
	CAUSE_CLIENT_NO_ACCEPT,
	CAUSE_CLIENT_OFFLINE,
	CAUSE_NO_CLIENT,
	CAUSE_CLIENT_UNENCRYPTED,

	/* what the peer offers or answers */
	CAUSE_DESCRIPTION,
	CAUSE_NO_DESCRIPTION,
	CAUSE_NO_AUDIO,
	CAUSE_SRTP_WANTED,
	CAUSE_UNCONFIRMED,
	CAUSE_NO_CODEC,
	CAUSE_NO_TRANSCODING,
	CAUSE_TRANSCODING_BUSY,

	N_CAUSES
} Cause;

/* Of what kind the peer is that the facts are about. */
typedef enum {
	PEER_UNKNOWN,
	PEER_CLIENT,	/* an XMPP client of a user; name: the bare JID */
	PEER_SOFTPHONE, /* a SIP phone of a user; the same */
	PEER_TRUNK,	/* name: the trunk's */
	PEER_OUTSIDE,	/* a SIP address at somebody's host; name: the host */
	N_PEER_KINDS
} PeerKind;

/* Texts are borrowed; NULL, 0 or FALSE: not known. */
typedef struct {
	Reason reason;
	gboolean by_gateway; /* we ended it, not a peer */
	const char *words;   /* whoever has ended it, in his own words */
	/* whom the rest is about */
	gboolean is_caller;
	PeerKind peer;
	const char *name;
	/* its signalling */
	LegFault fault;
	int error; /* errno */
	const char *hop;
	const char *detail; /* what was seen, for the operator */
	/* its media: it was lost, or one direction of it is dead now */
	gboolean is_lost, is_dead;
	MediaLoss loss;
	const MediaSilence *silence;
	/* what each side offers, where they have nothing in common */
	const char *caller_codecs, *callee_codecs;
} CauseFacts;

Cause cause_find(const CauseFacts *facts);
/* "trunk-silent": stable for ever. */
const char *cause_name(Cause cause);

/* A sentence without a full stop; new.  `own`: for the person whose device the facts are
 * about. */
char *cause_for_person(Cause cause, const CauseFacts *facts, gboolean own);
char *cause_for_operator(Cause cause, const CauseFacts *facts);
const char *cause_remedy(Cause cause); /* NULL: there is nothing to be done */
/* Where a remedy begins that `text` ends with; NULL: it has none. */
const char *cause_remedy_in(const char *text);
