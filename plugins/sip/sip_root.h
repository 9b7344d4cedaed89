/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_root.h - what all parts of the SIP user agent share: its struct, and an event.
 *
 * One per process.  It owns the stack and the trunks; the legs own their nua
 * handles and are known to it by the handle's magic.  Each part knows its own field
 * and the others by their names alone: this header draws in none of them.
 * Thread: signalling.  RFC 3261.
 */
#pragma once
#include <sofia-sip/nua.h>
#include <sofia-sip/su_glib.h>
#include "b2bua/gateway.h"

typedef struct SipLeg SipLeg;
struct Trunks;
struct Watches;
struct Sources;
struct Dialects;
struct Names;
struct Outside;
struct DigestServer;

typedef struct {
	const Plugin *plugin; /* borrowed, as the next two */
	Gateway *gateway;
	const Config *config;
	su_root_t *root;
	nua_t *nua;
	struct DigestServer *digest; /* whom it challenges: sip_digest.h */
	struct Trunks *trunks;	     /* sip_trunk.h */
	struct Watches *watches;     /* sip_watch.h */
	struct Sources *sources;     /* sip_source.h; NULL: switched off */
	struct Names *names;	     /* sip_names.h */
	struct Outside *outside;     /* sip_outside.h */
	GHashTable *legs;	     /* set of SipLeg *: whatever has not been freed */
	GHashTable *unacked;	     /* trunk → guint: sip_unacked.c */
	GHashTable *invites;	     /* Call-ID → SipLeg *: of ours that are not answered */
	GHashTable *dialogs;	     /* Call-ID → SipLeg *: sip_origin.h */
	struct Dialects *dialects;   /* what digests the softphones understand: sip_dialect.h */
	/* Names of methods, for headers and for nua: sip_method.h. */
	char *allow, *answered, *answered_inside;
	gboolean down; /* nua has shut down */
	guint sweeper; /* source */
	guint mover;   /* the same: legs that are to be offered again */
	struct KeepAlive *keepalive;
	guint64 calls_in, calls_out, strangers;
	gint64 registrations, counted_us; /* the first as of the second, for `status` */
} SipUa;

/* An event of nua. */
typedef struct {
	nua_event_t event;
	int status; /* of requests: above 100 when nua has answered it already */
	const char *phrase;
	const sip_t *sip; /* NULL for events without a message */
	msg_t *msg;
} SipEvent;
