/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_text.h - who gets a text: (from, to) → the ways it takes, or a refusal.
 *
 *   author           addressee                 ways
 *   an account  →    one of our users          the user's clients, each of the softphones
 *   an account  →    any other number          the first trunk with text=message that
 *                                              way_out_text() names
 *   a trunk     →    number of a user          the user's clients, each of the softphones
 *
 * What a softphone has written goes to the clients of its account as well, as a copy.
 * Asks the store and nobody else.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/text.h"

typedef struct {
	gboolean copy; /* for the history of the author's own clients */
	WayKind kind;  /* WAY_ACCOUNT, WAY_CONTACT, WAY_TRUNK */
	char *key;     /* the softphone's or the trunk's name; of an account "" */
	char *account; /* bare JID: whose text it is */
	Address *from, *to;
} TextWay;

typedef struct {
	GPtrArray *ways;	  /* TextWay *, owned; empty when it is blocked */
	const char *direction;	  /* "in", "out", "internal" */
	char *author, *addressee; /* accounts, or NULL */
	char *trunk;		  /* by which it comes or goes, or NULL */
	Address *author_seen;	  /* as the addressee sees the author */
	Address *peer;		  /* as the author knows the addressee */
	gboolean blocked;	  /* the addressee takes nothing of this author, who is not told */
} TextRoute;

void text_route_free(TextRoute *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextRoute, text_route_free)

/* NULL with `reason` and `words` (static, or NULL) when it goes nowhere. */
TextRoute *route_text(Gateway *gateway, const TextIn *text, Reason *reason, const char **words);
/* It is for an emergency number: asked before anything else is.  */
gboolean route_text_is_for_help(Gateway *gateway, const TextIn *text);
/* It is a softphone's name, not the full JID of a client.  NULL is fine. */
gboolean route_device_is_softphone(const char *device);
