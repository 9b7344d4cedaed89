/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* reason.h - why a call, or a leg of it, ended.
 *
 * The one vocabulary between the two protocols.  Each plugin has one table to
 * and from its own (sip_reason.c, xmpp_reason.c); both are total and tested.
 * Thread: any (pure).
 */
#pragma once
#include <glib.h>

typedef enum {
	REASON_NONE,		   /* not ended */
	REASON_HANGUP,		   /* a party hung up an answered call */
	REASON_CANCELLED,	   /* the caller gave up before the answer */
	REASON_ANSWERED_ELSEWHERE, /* another device of the callee took it */
	REASON_TRANSFERRED,	   /* this side has given way to another */
	REASON_BUSY,
	REASON_DECLINED,
	REASON_NO_ANSWER,	 /* it rang, nobody came */
	REASON_UNREACHABLE,	 /* the callee is known and not there now */
	REASON_NOT_FOUND,	 /* no such number or user */
	REASON_GONE,		 /* the number is no longer in service, or has moved */
	REASON_INCOMPLETE,	 /* the number is too short or ambiguous */
	REASON_FORBIDDEN,	 /* the far end, or we, will not let this caller do this */
	REASON_NOT_AUTHORIZED,	 /* credentials wanted or wrong */
	REASON_INCOMPATIBLE,	 /* no codec or transport in common */
	REASON_NO_TRANSCODING,	 /* no codec in common, and none may be made of another */
	REASON_TRANSCODING_BUSY, /* the same, since the media threads are full */
	REASON_IP_VERSION,	 /* one side has only IPv4, the other only IPv6 */
	REASON_SECURITY,	 /* encryption or identity: refused or failed */
	REASON_NO_MEDIA,	 /* answered, but ICE, DTLS or RTP never came up */
	REASON_MEDIA_LOST,	 /* media was up and stopped */
	REASON_TIMEOUT,		 /* a peer or server did not respond in time */
	REASON_OVERLOAD,	 /* we, or the far network, are full or draining */
	REASON_NETWORK_ERROR,	 /* the far network failed (5xx, broken link) */
	REASON_PROTOCOL_ERROR,	 /* a peer said something that makes no sense */
	REASON_ADMIN,		 /* hung up by the operator */
	REASON_SHUTDOWN,	 /* the gateway is stopping */
	REASON_LOOP,		 /* sent on in a circle, or too often */
	REASON_CRASHED,		 /* the gateway died in mid-call; written at the next start */
	N_REASONS
} Reason;

/* "busy", "no-answer" …: for the store, JSON and logs; stable for ever. */
const char *reason_name(Reason reason);
Reason reason_from_name(const char *name); /* REASON_NONE for an unknown one */

/* One short sentence for a person: "The number is not in service". */
const char *reason_sentence(Reason reason);

/* Of several refusals the one that tells the caller most: busy before no
 * answer before unreachable (architecture: the call table). */
Reason reason_more_telling(Reason one, Reason other);

/* TRUE when the network refused and not the person, so that another carrier may
 * do better: the next stage is dialled only then. */
gboolean reason_is_network(Reason reason);
/* Each reason but NONE is one of the two.  The database has the names of those by persons, too:
 * call_reason_is_fine() (db/store.h). */
gboolean reason_is_failure(Reason reason);
gboolean reason_is_by_person(Reason reason);
gboolean reason_is_abnormal(Reason reason); /* the messages of the call go into the log */
gboolean reason_is_missed(Reason reason);   /* by who was called, when nobody took it */
