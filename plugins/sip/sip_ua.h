/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_ua.h - the SIP user agent: sofia-sip's nua on the main loop.
 *
 * One per process.  It owns the stack and the trunks; the legs own their nua
 * handles and are known to it by the handle's magic.
 * Thread: signalling.  RFC 3261.
 */
#pragma once
#include <sofia-sip/nua.h>
#include <sofia-sip/su_glib.h>
#include "b2bua/gateway.h"
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/peers/sip_trunk.h"

typedef struct SipLeg SipLeg;
struct Watches;
struct Sources;
struct Dialects;
struct Names;
struct Outside;

typedef struct {
	Gateway *gateway; /* borrowed, as the next */
	const Config *config;
	su_root_t *root;
	nua_t *nua;
	Trunks *trunks;
	struct Watches *watches;   /* sip_watch.h */
	struct Sources *sources;   /* sip_source.h; NULL: switched off */
	struct Names *names;	   /* sip_names.h */
	struct Outside *outside;   /* sip_outside.h */
	GHashTable *legs;	   /* set of SipLeg *: whatever has not been freed */
	GHashTable *unacked;	   /* trunk → guint: sip_unacked.c */
	GHashTable *invites;	   /* Call-ID → SipLeg *: of ours that are not answered */
	GHashTable *dialogs;	   /* Call-ID → SipLeg *: sip_origin.h */
	struct Dialects *dialects; /* what digests the softphones understand: sip_dialect.h */
	gboolean down;		   /* nua has shut down */
	guint sweeper;		   /* source */
	guint mover;		   /* the same: legs that are to be offered again */
	struct KeepAlive *keepalive;
	guint64 calls_in, calls_out, strangers;
} SipUa;

extern const Plugin sip_plugin;

/* The address in our SDP, Contact and From; a trunk may be told another (sip_outside.h). */
const char *ua_address(const SipUa *ua);
const char *ua_domain(const SipUa *ua);
/* The IP versions of our media: of what we offer, and all that there are, for who calls us. */
ContentFamilies ua_media_family(const SipUa *ua);
ContentFamilies ua_media_families(const SipUa *ua);
