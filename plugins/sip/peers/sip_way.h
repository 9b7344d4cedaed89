/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_way.h - the other end of a call: a trunk, a softphone or an address outside.
 *
 * Where it is reached, what an INVITE to it has to say, which password it is shown, what
 * the operator allows it.  A dialog has one as long as it lives, and knows no more of who is at
 * its other end.  A trunk is looked up again each time: what an operator changes holds for the
 * calls that there are.
 * Thread: signalling.  Owner: the leg.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/peers/sip_caller.h"
#include "plugins/sip/sip_root.h"

/* `hops` as sip_resolve.h writes them, the first to be tried; NULL: it cannot be reached, for
 * this reason, in these words. */
typedef void (*WayFunc)(gpointer user, GPtrArray *hops, Reason reason, const char *text);

typedef struct {
	/* What an INVITE to it says. */
	char *request_uri, *to; /* To; NULL: the Request-URI */
	guint redirects;	/* followed so far */
	char *route;		/* a Route header's value, or NULL */
	char *from, *identity;	/* From, and a header line beside it, or NULL */
	gboolean anonymous;
	gboolean wants_history; /* and where an emergency call comes from */
	char *codecs;		/* that it is offered, the wanted one first; NULL: all */
	CryptoPolicy crypto;
	guint response_ms;    /* silence after which it is tried elsewhere */
	gboolean only_public; /* nobody has named it: its hosts must be on the Internet */

	/* sip_way.c's own. */
	SipUa *ua;
	GPtrArray *hops; /* char *, where it may be sent (sip_resolve.h); the one in use */
	guint hop;
	char *trunk;	 /* NULL: a softphone's, or an address outside */
	char *phone;	 /* of a softphone: where it is, as phone_source() says it */
	char *softphone; /* and its name */
	gboolean any_source;
	char *host; /* of an address outside, and its port */
	guint port;
	char *detail;  /* why its host is not found, for the ladder; or NULL */
	Reason reason; /* it cannot be reached at all; in words */
	const char *text;
	LegFault fault; /* why not, whenever it is said that it cannot be reached; or none */
	GCancellable *lookup;
	WayFunc found;
	gpointer user;
} SipWay;

/* Of an INVITE; of a call out.  Never NULL. */
SipWay *way_of_caller(SipUa *ua, const SipCaller *caller);
SipWay *way_to(SipUa *ua, const Target *target);
void way_free(SipWay *way); /* NULL is fine; no callback comes after it */

/* Calls back once, perhaps at once. */
void way_find(SipWay *way, WayFunc func, gpointer user);

/* These are tried, one after the other: the first.  Borrowed, as the next. */
const char *way_first_hop(SipWay *way, GPtrArray *hops);
/* Nothing came of that one (RFC 3263 4.3): the next; NULL: there is none. */
const char *way_next_hop(SipWay *way);
gboolean way_has_next_hop(const SipWay *way);

/* --- who it is --- */

const char *way_trunk(const SipWay *way); /* NULL: none */
gboolean way_is_phone(const SipWay *way);
gboolean way_is_softphone(const SipWay *way, const char *name);
const char *way_softphone(const SipWay *way); /* its name; NULL: it is none's */

/* --- what is said to it, and what it is shown --- */

const char *way_host(const SipWay *way); /* of ours, in SDP */
/* Our Contact where it is not the one that the stack writes by itself; or NULL. */
char *way_contact(const SipWay *way, const char *next_hop);
/* What nua_authenticate() wants; NULL: there is no password, or it is wrong. */
char *way_credentials(const SipWay *way, guint status, const sip_t *sip, guint *challenged);
/* Where a 3xx sends it, when the admin lets the trunk, and not for the fourth time; or NULL.
 * way_redirect() goes there, by the same hop. */
const char *way_redirected_to(const SipWay *way, int status, const sip_t *sip);
void way_redirect(SipWay *way, const char *uri);
guint way_session_seconds(const SipWay *way, guint otherwise);
/* Hosts and networks that its audio may come from, as the operator has written them. */
char **way_media_hosts(const SipWay *way);
gboolean way_any_source(const SipWay *way); /* from anywhere, after a trial */
/* Of an INVITE of its: whom it calls; NULL: nobody. */
Address *way_called(const SipWay *way, const sip_t *sip);
gboolean way_takes_texts(const SipWay *way); /* by SIP, both ways */

/* --- where it is --- */

/* The one hop there is, through the NAT of a phone; NULL: what its dialog says. */
char *way_only_hop(const SipWay *way);
/* It has to prove by TLS that it is the trunk; a hop by TLS leads to it by its label. */
gboolean way_is_verified(const SipWay *way);
char *way_verified_hop(const SipWay *way, const char *hop); /* NULL: not by TLS */
/* Why it cannot be reached by this hop, in words; NULL: not known. */
const char *way_problem(const SipWay *way, const char *hop);

/* A phone has another port of its NAT.  FALSE: it has not. */
gboolean way_follow(SipWay *way, const char *source);
GPtrArray *way_registered(const SipWay *way);		     /* Contact *; NULL: it is no phone's */
gboolean way_owns(const SipWay *way, GInetAddress *address); /* of the trunk's */

/* --- how it went, for status and for the next call --- */

void way_note(SipWay *way, Reason reason, const char *text);
void way_note_reached(SipWay *way, gboolean reached);
/* Nothing has answered: `otherwise`, or what is said of a softphone. */
Reason way_unreachable(const SipWay *way, Reason otherwise);
