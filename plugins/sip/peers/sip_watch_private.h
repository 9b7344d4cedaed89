/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_watch_private.h - what is known of a trunk that is watched, for the files of sip_watch.h.
 *
 * Each trunk has two probes (sip_probe.c).  A registration that is not wanted any more is
 * undone by a farewell (sip_farewell.c).
 * Thread: signalling.
 */
#pragma once
#include "b2bua/timer.h"
#include "db/store.h"
#include "plugins/sip/peers/sip_watch.h"

typedef struct Watch Watch;

typedef struct {
	Watch *watch;
	gboolean registers; /* REGISTER, or OPTIONS */
	nua_handle_t *nh;   /* NULL between requests */
	char *call_id;	    /* of all of them */
	Timer *timer;
	guint failures;
	gboolean asking;      /* a request is on its way */
	guint challenged;     /* CHALLENGED_… met by this request */
	gboolean known, good; /* what the last answer said */
	char *text;
	guint wanted_s;	 /* Expires that the registrar insists on */
	char *contact;	 /* that the registrar has, or NULL */
	char *offered;	 /* that it has been asked to take */
	gint64 until_us; /* of the registration */
	guint hop;   /* of the watch's: the one that is asked, the last that answered at first */
	guint tried; /* of them, without an answer */
} Probe;

enum { OPTIONS, REGISTER };

struct Watch {
	Watches *watches;
	char *trunk;
	char *settings;	 /* what was begun with */
	Trunk *was;	 /* the same, for the last word to its registrar; or NULL */
	GPtrArray *hops; /* where it is, or NULL */
	Probe probes[2];
	gint64 failed_us; /* a call that could not reach it */
};

struct Watches {
	SipUa *ua;
	WatchMovedFunc moved;
	GHashTable *by_trunk;  /* name → Watch, owned */
	GHashTable *by_handle; /* nua_handle_t → Probe */
	GHashTable *farewells; /* nua_handle_t → Farewell, owned */
};

/* --- sip_probe.c --- */

void probe_begin(Probe *probe, Watch *watch, gboolean registers);
void probe_clear(Probe *probe);
void probe_forget(Probe *probe); /* all it has learnt: the trunk's settings are others */
/* After `seconds`; 0: not at all. */
void probe_ask_in(Probe *probe, guint seconds);
void probe_ask_now(Probe *probe);
/* A REGISTER that ends with `expires` of 0, or what the probe asks by itself. */
void probe_send(Probe *probe, const Trunk *trunk, guint expires);
/* Where the trunk is, once it is known: a TrunkResolvedFunc whose user is a Watch. */
void probe_resolved(gpointer watch, GPtrArray *hops);
/* The final answer.  FALSE: it is asked again, with credentials. */
gboolean probe_answered(Probe *probe, const SipEvent *event);

void probe_make_handle(Probe *probe, const Trunk *trunk);
const char *probe_hop(const Probe *probe);     /* where it was asked last, or NULL */
const char *probe_account(const Trunk *trunk); /* that it registers */
char *probe_contact(const SipUa *ua, const Trunk *trunk, const char *hop);

/* --- sip_farewell.c --- */

typedef struct Farewell Farewell;

Trunk *farewell_remember(const Trunk *trunk); /* what a farewell needs of it */
void farewell_say(Watch *watch);
void farewell_answered(Farewell *farewell, const SipEvent *event);
void farewell_forget_handle(Farewell *farewell); /* nua is gone, and it with nua */
void farewell_free(gpointer farewell);
