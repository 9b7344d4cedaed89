/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_names.h - host names that a peer has written into a message: where they lead.
 *
 * A peer may write any name, in every message, so each is asked for once and the
 * answer is kept for a while, a failure too; a few are asked for at a time and no more.
 * Nobody has to wait: a request goes elsewhere until the answer is there (sip_hop.h).
 * Thread: signalling; the look-ups run elsewhere.
 */
#pragma once
#include "plugins/sip/stack/sip_resolve.h"

#define NAMES_MAX	256 /* kept */
#define NAMES_AT_A_TIME 8   /* asked for: each may take a thread for half a minute */

typedef struct Names Names;

/* `hops` as of resolve_hops(), borrowed; NULL: nothing is known of it. */
typedef void (*NamesFunc)(gpointer user, GPtrArray *hops);

Names *names_new(void);
void names_free(Names *names); /* NULL is fine; no callback comes after it */

/* Calls back once, at once when it is known already. */
void names_ask(Names *names, const ResolveQuery *query, NamesFunc func, gpointer user);
void names_forget(Names *names, gpointer user); /* it does not want to know any more */
