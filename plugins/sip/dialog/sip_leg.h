/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_leg.h - a dialog as a Leg.
 *
 * nua keeps the dialog; a SipLeg keeps what the core has to be told and when.
 * It lives from the INVITE to nua's last event for its handle, which may be long
 * after the core has let go of it.
 * Thread: signalling.  RFC 3261 12 to 15, RFC 3264, RFC 3311, RFC 3326.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/stack/sip_content.h"
#include "plugins/sip/stack/sip_crypto.h"
#include "plugins/sip/stack/sip_desc.h"
#include "plugins/sip/dialog/sip_timer.h"
#include "plugins/sip/peers/sip_caller.h"
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
	char *trunk;	 /* NULL: a softphone's */
	char *phone;	 /* of a softphone: where it is, as phone_source() says it */
	char *softphone; /* and its name */
	char *origin;	 /* where the message that made the dialog came from; see sip_origin.h */

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
	gboolean any_source;	  /* of a softphone: rtp-source=any */
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
	char *from, *request_uri, *to;
	char *identity; /* a header line beside From, or NULL */
	char *about;	/* more header lines: on whose behalf; or NULL */
	char *where;	/* more of an emergency call: where from; or NULL */
	char *pidf;	/* the same as a document, and its Content-ID; or NULL */
	char *pidf_id;
	char *path; /* Route of the INVITE to a softphone, or NULL */
	gboolean anonymous;
	GCancellable *lookup; /* of a SIP address outside: where is its host? */
	gboolean only_public; /* the same: its host must be on the Internet */

	GPtrArray *hops; /* char *, where it may be sent (sip_resolve.h); the one in use */
	guint hop;
	guint response_ms; /* silence after which it is tried elsewhere */
	guint redirects;   /* followed so far */
	gboolean trying;   /* this hop has said something: it is not silence that ends it */
	gboolean heard;	   /* more than 100 has come: this is the one */

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

	/* The dialog as its peer sees it, for sip_save.c. */
	char *call_id, *local, *remote_party, *target, *routes;
	char *called;	 /* of a call in: To, without our tag */
	char *invite_id; /* Call-ID of an INVITE of ours */
	char *ringing;	 /* of a call out: the text while it is not answered */
	guint32 cseq;
};

/* An INVITE becomes a call.  `nh` is the leg's from now on. */
void leg_incoming(SipUa *ua, nua_handle_t *nh, const SipCaller *caller, const SipEvent *event);

/* An event of nua for the handle of this leg.  May free it. */
void leg_event(SipLeg *leg, const SipEvent *event);

/* A 100 to its INVITE, which nua says nothing of. */
void leg_hear_trying(SipLeg *leg, const sip_t *response);

/* Commands, as in leg.h. */
void leg_dial(SipUa *ua, Call *call, const Target *target, const Desc *offer);
void leg_ring(SipLeg *leg, const Desc *early);
void leg_answer(SipLeg *leg, const Desc *answer);
void leg_change(SipLeg *leg, const Desc *offer);
void leg_dtmf_out(SipLeg *leg, char key);
void leg_hangup(SipLeg *leg, Reason reason, const char *text);
/* Ours to end, and the core's to hear of it: the softphone is no longer there. */
void leg_drop(SipLeg *leg, Reason reason, const char *text);
void leg_free(SipLeg *leg); /* at stop(): whatever is left */

/* --- between sip_leg.c, sip_incoming.c, sip_session.c and sip_save.c --- */

SipLeg *leg_new(SipUa *ua, SipState state, const char *trunk);
/* The peer, or the network, ended it: tells the core. */
void leg_over(SipLeg *leg, Reason reason, const char *text);
/* Our SDP for `desc`; the version in o= moves when the text does (RFC 3264 8). */
const char *leg_sdp(SipLeg *leg, const Desc *desc);
const char *leg_sdp_of_offer(SipLeg *leg, const Desc *desc); /* with our keys */
void leg_set_remote(SipLeg *leg, const Desc *desc);
void leg_set_offer(SipLeg *leg, const Desc *desc);
/* Sends the INVITE to the first of these hops; the others are kept. */
void leg_call_hops(SipLeg *leg, GPtrArray *hops);
void leg_set_timer(SipLeg *leg, guint ms, TimerFunc func); /* replaces the one before */
void leg_clear_timer(SipLeg *leg);
void leg_refuse_change(SipLeg *leg);
void leg_bye(SipLeg *leg, const char *reason_header);
void leg_reinvite(SipLeg *leg);
/* The session timer's: says that we are there, and that the peer is not. */
void leg_refresh(SipLeg *leg);
void leg_expire(SipLeg *leg, const char *why);
void leg_refreshed(SipLeg *leg); /* and goes on with what waited for it */
/* Our address is another one (sip_outside.h): what has been offered or answered is offered
 * once more, as soon as nothing else is on its way. */
void leg_moved(SipLeg *leg);
void leg_moved_all(SipUa *ua, const char *trunk); /* its legs; NULL: all there are */
/* The INVITE once more, to the same hop: what it asked for was refused. */
void leg_invite_again(SipLeg *leg);
/* Nothing came of this next hop: sends the INVITE to the next one.  FALSE: there
 * is none, or somebody has answered already (RFC 3263 4.3). */
gboolean leg_try_next_hop(SipLeg *leg);
/* Answers the INVITE or UPDATE kept in `request`; `sdp` NULL: without a body. */
void leg_respond(SipLeg *leg, guint status, const char *phrase, const char *sdp);
/* Why the trunk cannot be reached by TLS, in words; NULL: not by TLS, or not known. */
const char *leg_problem(const SipLeg *leg);
/* Our Contact where it is not the one that the stack writes by itself; or NULL. */
char *leg_contact(const SipLeg *leg);

/* The next key that waits, when nothing of the kind is on its way. */
void leg_next_key(SipLeg *leg);

/* Learns the dialog from a message of it: a call in from its INVITE, a call out from the
 * response that makes it, early or in the end; and the target from those that follow. */
void leg_learn_invite(SipLeg *leg, const sip_t *request);
void leg_learn_dialog(SipLeg *leg, const sip_t *response);
void leg_learn_request(SipLeg *leg, const sip_t *request);
void leg_learn_answer(SipLeg *leg, const sip_t *response);
void leg_forget_dialog(SipLeg *leg); /* the INVITE is sent anew */
void leg_learn_ack(SipLeg *leg, const sip_t *ack);
void leg_learn_tag(SipLeg *leg); /* before our 200 */
/* From a 1xx to our INVITE: TRUE when the text of save() is another one now. */
gboolean leg_learn_ringing(SipLeg *leg, const sip_t *response);
char *leg_saved(const SipLeg *leg);
void leg_bury(SipUa *ua, const char *saved, Reason reason);
