/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_hop.h - where a request inside a dialog is sent.
 *
 * The one place that decides it, for every method: to the first of the route set, a loose
 * or a strict router alike, else to the remote target; by maddr where it is given, by the
 * transport that is written.  nua is told the result as the handle's proxy, so it never
 * looks for itself: a numeric address, always, known before the request is made and again
 * whenever a Contact is new.
 *
 *   what the dialog says                      where the request goes
 *   an address we can send to                 there
 *   a name                                    where it leads, looked up by us; until that is
 *                                             known, or when it is not: back to where the
 *                                             peer's message came from
 *   an address of a private network, though   back to where the message came from: a NAT of
 *   the peer is on the Internet               theirs, or somebody who wants into ours
 *   an address of the other family, no        back to where the message came from
 *   address at all, TLS when we have none
 *
 * A softphone is reached where it registered or called from, and by no other way.
 * Thread: signalling.  RFC 3261 12.2.1.1, 16.12.1.1, 18.1.1; RFC 3263 4.
 */
#pragma once
#include <gio/gio.h>
#include "plugins/sip/dialog/sip_dialog.h"

/* --- the decision: pure --- */

/* Hops are written as sip_resolve.h has them; everything borrowed. */
typedef struct {
	GSocketFamily family; /* what we can send to */
	gboolean tls;	      /* we can send by it */
	gboolean only_public; /* nobody has named it: `known` and the Internet alone count */
	const url_t *route;   /* the first of the route set; NULL: there is none */
	const url_t *target;  /* the remote target; NULL: none that can be used */
	const char *source;   /* where the peer's message came from; NULL: not known */
	const char *known;    /* where requests of this call have gone so far, or NULL */
} HopFacts;

typedef struct {
	char *hop;	 /* NULL: nowhere */
	gboolean theirs; /* it is what the dialog says; else a way back */
	char *later;	 /* of a way back that is a connection: when that has ended */
	/* What it is to be asked for meanwhile; NULL: nothing. */
	char *name;
	guint port;
	const char *transport;
} HopChoice;

void hop_choose(const HopFacts *facts, HopChoice *choice);
void hop_choice_clear(HopChoice *choice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HopChoice, hop_choice_clear)

/* Of those that a name leads to the one to be used: where the peer's message came from
 * when it is among them, else the first that is allowed.  NULL: none.  Borrowed. */
const char *hop_pick(const HopFacts *facts, const GPtrArray *hops);

HopFacts hop_facts(const SipUa *ua); /* those of this machine alone */

/* --- in a dialog --- */

/* From now on, by what the dialog has learnt from this message of the peer's. */
void hop_update(SipLeg *leg, msg_t *msg);
/* Before a request: a connection that it came by may have ended. */
void hop_refresh(SipLeg *leg);
/* Of the early dialog that this response begins; `leg` may be NULL: it is nobody's. */
char *hop_of_answer(SipUa *ua, SipLeg *leg, msg_t *msg);
