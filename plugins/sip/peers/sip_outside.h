/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_outside.h - by which address the world sees us, and whether it is still the same.
 *
 * A trunk's answer to REGISTER or OPTIONS says where our request came from (Via:
 * received and rport).  Of a line at home that is the router's address, and it changes.
 *
 *   [sip] public_address       what a trunk is told in Contact and SDP
 *   not given                  what it sees us by, by UDP with the port; until that is
 *                              known, and all others, the address that SIP is bound to
 *   given                      that; once a trunk that has seen us there sees us
 *                              elsewhere, the new one, and so is everybody
 *
 * When it has changed, sip_watch.c registers anew, with the old Contact taken back, and
 * the calls of that trunk are offered again (sip_leg_moved_all()).
 * One that changes with each answer is followed ever more seldom.
 * A private address that is seen counts for nothing when ours is a public one: a
 * balancer of the carrier's has written it.
 * Thread: signalling.  RFC 3261 18.2.1, RFC 3581.
 */
#pragma once
#include "b2bua/config.h"
#include <sofia-sip/sip.h>

typedef struct Outside Outside;

typedef enum {
	OUTSIDE_SAME,
	OUTSIDE_LEARNT, /* the first time, and the trunk is told another address from now on */
	OUTSIDE_MOVED,
	OUTSIDE_ALL_MOVED /* and everybody is told the new one */
} OutsideNews;

Outside *outside_new(const Config *config);
void outside_free(Outside *outside); /* NULL is fine */
/* Calls back, a second after the last of several, when an address or a route of this
 * machine has changed: then is the time to ask the trunks. */
void outside_listen(Outside *outside, void (*func)(gpointer user), gpointer user);

/* An answer of this trunk to a request of ours. */
OutsideNews outside_hear(Outside *outside, const char *trunk, const sip_t *answer);
void outside_forget(Outside *outside, const char *trunk);

/* What this trunk is told; NULL: everybody else.  Borrowed. */
const char *outside_host(const Outside *outside, const char *trunk);
/* Whose users our own are, in From and To: [sip] domain, or what everybody is told. */
const char *outside_domain(const Outside *outside);
guint outside_port(const Outside *outside, const char *trunk); /* by UDP */
/* Whether that is what the stack itself writes into Contact. */
gboolean outside_is_plain(const Outside *outside, const char *trunk);
/* Between this trunk and us somebody translates addresses. */
gboolean outside_is_translated(const Outside *outside, const char *trunk);
/* For people: "198.51.100.7 port 40000", where that is not the address SIP is bound to; or NULL. */
char *outside_text(const Outside *outside, const char *trunk);
/* The same URI; when its host is an address we are seen by, at our own instead. */
url_t outside_at_home(const Outside *outside, const url_t *url);
