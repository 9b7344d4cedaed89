/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_trunk_private.h - the list of trunks, for the files of sip_trunk.h.
 *
 * sip_trunk.c has the list and says whose a request is; sip_trunk_way.c finds out where the
 * trunks are.
 * Thread: signalling.
 */
#pragma once
#include "plugins/sip/peers/sip_trunk.h"
#include "plugins/sip/stack/sip_network.h"

typedef struct {
	TrunkResolvedFunc func;
	gpointer user;
} Waiter;

typedef struct {
	Trunk *trunk;
	Networks *sources;  /* owned */
	GPtrArray *hops;    /* char *, where calls go out, the first to be tried; NULL: not known */
	GPtrArray *ways;    /* the same, those by TLS under the label of `peer` */
	TlsPeer *peer;	    /* owned; NULL: it is never reached by TLS */
	GPtrArray *waiting; /* Waiter *, owned: want `hops` */
	char *last;	    /* how the last call went */
} Entry;

struct Trunks {
	Store *store;
	GSocketFamily family;	   /* what we are bound to, so what we can send to */
	gboolean tls;		   /* we have it */
	GPtrArray *entries;	   /* Entry *, owned; in order of priority */
	DigestServer *digest;	   /* borrowed */
	GCancellable *cancellable; /* of every lookup */
	guint refresh_source;
	void (*learnt)(gpointer user);
	gpointer learnt_user;
};

Entry *entry_find(Trunks *trunks, const char *name); /* NULL: there is none */

gboolean entry_has_sources(const Trunk *trunk); /* the admin has said where calls come from */
gboolean entry_has_proxy(const Trunk *trunk);
/* After a change of its trunk, in this order.  `was` may be NULL: it is new. */
void entry_set_peer(Entry *entry);
void entry_warn(const Trunks *trunks, const Trunk *was, const Trunk *is);
void entry_set_hops(Entry *entry, GPtrArray *hops);
void entry_begin_sources(Entry *entry, const Trunk *was);
/* Looked up by name, off this thread. */
void entry_find_hops(Trunks *trunks, Entry *entry);
void entry_resolve_sources(Trunks *trunks, Entry *entry);
void entry_tell_waiting(Entry *entry);
