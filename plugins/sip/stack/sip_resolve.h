/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_resolve.h - where a host leads: the next hops, in the order to be tried.
 *
 * A numeric host leads to itself; with a port the name's addresses are asked for,
 * without one its SRV records first, in the order RFC 2782 gives them.  Where the
 * transport is open ("auto"), NAPTR records choose it, else SRV by UDP, then by TCP,
 * then by TLS where we have it; a numeric host, one with a port or one without
 * records is reached by UDP.  Nobody else knows what "auto" means: a hop says its own.
 * sofia's own resolver is never asked: its handling of failures crashes.
 * Thread: signalling; the lookups run elsewhere.  RFC 3263 4.1 to 4.3.
 */
#pragma once
#include <gio/gio.h>

#define RESOLVE_MAX_HOPS 8

typedef struct {
	const char *host;      /* as written; "[2001:db8::1]" is fine */
	guint port;	       /* 0: not given */
	const char *transport; /* "udp", "tcp", "tls", "auto" */
	GSocketFamily family;  /* what we can send to */
	gboolean tls;	       /* of "auto": we can send by it */
} ResolveQuery;

/* `hops`: char * such as "sip:192.0.2.1:5060;transport=udp", the callee's to
 * keep with a reference; NULL with `error` when there is none. */
typedef void (*ResolvedFunc)(gpointer user, GPtrArray *hops, const GError *error);

/* Calls back once: at once for a numeric host; with G_IO_ERROR_CANCELLED, some time
 * later, when the cancellable was cancelled.  `query` is copied. */
void resolve_hops(const ResolveQuery *query, GCancellable *cancellable, ResolvedFunc func,
		  gpointer user);

/* What one that is bound to this address can send to. */
GSocketFamily resolve_family(const char *own_address);

/* The address of a host as written, NULL when it is a name. */
GInetAddress *resolve_numeric(const char *host);
