/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* route_redirect.h - a trunk sends a call or a text to another number (a 3xx of SIP): whether it
 * goes there is judged as if its account had dialled, or texted, that number.
 *
 *   where it is sent        becomes
 *   an emergency number     refused: who needs help calls it himself
 *   what is no number       refused: nobody knows what it costs
 *   any other number        what way_out() or way_out_text() says, by the same trunk
 *
 * A call for help is not judged: who has one follows it.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/gateway.h"

typedef struct {
	Reason reason;	  /* NONE: allowed */
	const char *text; /* static: why not */
	char *number;	  /* E.164, or a short code; NULL: it is none */
	Charge *charge;	  /* of a call: what it counts as there */
} Redirect;

/* `number` as the trunk writes it; NULL: there is none.  The guard is asked, and who has to be told
 * of what it says is. */
void route_redirect(Gateway *gateway, const char *account, const char *trunk, const char *number,
		    Redirect *redirect);
void route_redirect_text(Gateway *gateway, const char *account, const char *trunk,
			 const char *number, Redirect *redirect);
void redirect_clear(Redirect *redirect);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Redirect, redirect_clear)
/* For a person; new. */
char *redirect_words(const Redirect *redirect, const char *what);
