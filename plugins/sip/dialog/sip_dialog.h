/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_dialog.h - a dialog as a Leg: what is known of it.
 *
 * Each part of the dialogs has its fields here.  What is done with the whole of it is said
 * in sip_leg.h, and the parts need none of that.
 * A SipLeg lives from the INVITE to nua's last event for its handle, which may be long
 * after the core has let go of it.
 * Thread: signalling.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_crypto.h"
#include "plugins/sip/stack/sip_desc.h"
#include "plugins/sip/dialog/sip_timer.h"
#include "plugins/sip/peers/sip_way.h"
#include "plugins/sip/sip_root.h"

typedef enum {
	STATE_RESOLVING, /* callee: where is the trunk?  Nothing has been sent */
	STATE_CALLING,	 /* callee: INVITE sent, no final answer */
	STATE_INVITED,	 /* caller: INVITE received, no final answer */
	STATE_ANSWERED,	 /* caller: 200 sent, waiting for the ACK */
	STATE_UP,
	STATE_ENDING /* the core has let go; nua has not */
} SipState;

/* A re-INVITE or UPDATE under way: one at a time (RFC 3261 14). */
typedef enum {
	CHANGE_NONE,
	CHANGE_OURS,	/* ours is on the wire */
	CHANGE_WAITING, /* ours met theirs (491) and waits for its second try */
	CHANGE_REFRESH, /* ours, of the session timer: the core is not asked */
	CHANGE_THEIRS,	/* theirs, or a PRACK with an offer, waits for answer() */
	CHANGE_OFFER,	/* the same, without a description: answer() is an offer of ours */
	CHANGE_ACK,	/* that offer is in our 200, its answer will be in the ACK */
	CHANGE_ABSORBED /* an answer of theirs was new to the core: answer() says nothing */
} SipChange;

struct SipLeg {
	Leg leg; /* first */
	SipUa *ua;
	nua_handle_t *nh;
	SipState state;
	SipChange change;
	SipWay *way;  /* who is at its other end; owned */
	char *origin; /* where the message that made the dialog came from; see sip_origin.h */

	/* What we said and heard. */
	guint64 session_id, sdp_version;
	char *sdp;		 /* our last SDP */
	const Desc *said;	 /* what it is made of; owned */
	const Desc *offer;	 /* ours, until it can be sent or is answered; owned */
	const Desc *remote;	 /* theirs, last heard; owned */
	const Desc *removed;	 /* theirs without audio, until it is answered; owned */
	const Desc *pracked;	 /* theirs in a PRACK, until it is answered; owned */
	GHashTable *early;	 /* by To tag: sip_early.h */
	char *agreed_tag;	 /* of a call out: whose reliable response has answered our offer */
	gboolean reliable;	 /* of a call in: a 183 of ours is sent reliably (RFC 3262) */
	gboolean answered_early; /* and has had the answer */
	Crypto crypto;
	ContentFamilies families; /* of addresses that its audio can be sent to */
	char audio_host[46];	  /* that its peer's SIP comes from, for its audio; "": not known */
	gboolean proxied;	  /* somebody stands between */
	gboolean offerless;	  /* the caller's INVITE had no SDP */
	gboolean unacked;	  /* answered, and counted: sip_unacked.c */
	gboolean moved;		  /* our address is another one than we have said */
	gboolean moving;	  /* and the refresh under way says so */
	gint64 move_from;	  /* monotonic: not before, after glare */
	SessionTimer session;
	gboolean change_waits;	      /* the core's, behind a refresh */
	gint64 change_until;	      /* monotonic: then the core has given it up */
	gboolean refreshing;	      /* theirs had none: the ACK answers our SDP */
	nua_saved_event_t request[1]; /* their UPDATE or re-INVITE, until it is answered */
	guint tries;
	guint challenged; /* see header_credentials() */

	/* Calls out, until the INVITE is sent. */
	char *about; /* more header lines: on whose behalf; or NULL */
	char *where; /* more of an emergency call: where from; or NULL */
	char *pidf;  /* the same as a document, and its Content-ID; or NULL */
	char *pidf_id;

	gboolean trying; /* this hop has said something: it is not silence that ends it */
	gboolean heard;	 /* more than 100 has come: this is the one */

	/* A transfer that it has asked for, see sip_refer.c. */
	gboolean referred; /* and has not been told the end of */
	char refer_event[24];

	/* Keys for a peer who takes no telephone-event: INFO, one at a time. */
	GString *keys; /* still to be sent; NULL: none ever */
	gboolean info_out, info_plain;

	char *goodbye;	   /* Reason header of the BYE that waits for their ACK */
	char *next_hop;	   /* of every request, see sip_hop.h */
	char *way_back;	   /* instead of a connection that the peer has made, when it has ended */
	char *name_source; /* where the message came from that has a name in it */
	gboolean asks_name;
	Timer *timer;
	gint64 requests_us; /* of its peer's, paid for before now: sip_request.h */

	/* Who is at its other end, and whom it speaks with: of a text inside of the dialog. */
	Address *peer, *party;

	/* The dialog as its peer sees it, for sip_save.c. */
	char *call_id, *local, *remote_party, *target, *routes;
	char *called;	 /* of a call in: To, without our tag */
	char *invite_id; /* Call-ID of an INVITE of ours */
	char *ringing;	 /* of a call out: the text while it is not answered */
	guint32 cseq;
};
