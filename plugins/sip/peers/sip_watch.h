/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_watch.h - is a trunk there?  Our registration with it, and its answers to
 * OPTIONS.
 *
 * A trunk is available unless it does not answer OPTIONS, has not accepted our
 * registration where one is wanted, or has just failed a call; a call goes to
 * those that are not available last.
 * Each of its addresses is asked before it counts as gone.  A trunk that is switched off,
 * changed or deleted undoes its registration.
 * Thread: signalling.  RFC 3261 10.2, 11; RFC 3263 4.3; RFC 6223 in spirit.
 */
#pragma once
#include "plugins/sip/sip_root.h"

typedef struct Watches Watches;

/* The world sees us at another address: calls of this trunk are to be offered again; NULL:
 * those of all. */
typedef void (*WatchMovedFunc)(SipUa *ua, const char *trunk);

Watches *watches_new(SipUa *ua, WatchMovedFunc moved); /* and begins with the trunks there are */
void watches_free(Watches *watches);
void watches_reload(Watches *watches);			   /* after trunks_reload() */
void watches_changed(Watches *watches, const char *trunk); /* after trunks_changed() */
/* Asks all of them now: our address may be another one. */
void watches_look(Watches *watches);
/* Says goodbye to the registrars; once, before nua is shut down. */
void watches_unregister(Watches *watches);

/* nua is gone, and their handles with it. */
void watches_forget(Watches *watches);

/* The hops of a call, the one first that has answered lately where the first did not. */
GPtrArray *watches_order(Watches *watches, const char *trunk, GPtrArray *hops);

gboolean watches_available(Watches *watches, const char *trunk);
typedef enum { REGISTERED_NOT_ASKED, REGISTERED_NO, REGISTERED_YES } Registered;
Registered watches_registered(Watches *watches, const char *trunk);
/* A call through it: it could not be reached, or it answered something. */
void watches_note_call(Watches *watches, const char *trunk, gboolean reached);

/* An event of a handle without a leg.  FALSE: it is none of ours. */
gboolean watches_event(Watches *watches, nua_handle_t *nh, const SipEvent *event);

/* "registered for 3540 s, answers OPTIONS" */
char *watches_text(Watches *watches, const char *trunk);
