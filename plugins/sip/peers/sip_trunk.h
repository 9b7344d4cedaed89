/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_trunk.h - the carriers and PBXs we know: who calls in, and where calls go out.
 *
 * A copy of the store's trunks with their host names resolved.  A call in is a
 * trunk's when it comes from one of its addresses, or when it proves the
 * trunk's password (digest) where one is set for calls in; with both set it
 * must do both.
 * Thread: signalling.  RFC 3261 22, RFC 7616 (MD5, qop auth), RFC 8760.
 */
#pragma once
#include <gio/gio.h>
#include <sofia-sip/sip.h>
#include "b2bua/reason.h"
#include "db/store.h"
#include "plugins/sip/stack/sip_digest.h"
#include "plugins/sip/stack/sip_tls_peer.h"

typedef struct Trunks Trunks;

/* `hops`: see sip_resolve.h, those by TLS with the label of sip_tls_peer.h for a host;
 * NULL: the name could not be resolved, or trunks_problem(). */
typedef void (*TrunkResolvedFunc)(gpointer user, GPtrArray *hops);

/* Calls out go to addresses of this family; `tls`: we can send by it.  Calls in are proven to
 * `digest`, which softphones are, too; borrowed. */
Trunks *trunks_new(Store *store, DigestServer *digest, GSocketFamily family, gboolean tls);
void trunks_free(Trunks *trunks); /* NULL is fine; no callback comes after it */
/* Read the store again, one trunk or all of them, and resolve what is new: what a change
 * does not touch stays as it is.  On an error the old list stays. */
gboolean trunks_changed(Trunks *trunks, const char *name, GError **error);
gboolean trunks_reload(Trunks *trunks, GError **error);
/* Calls may come from more addresses than before; NULL: nobody wants to know. */
void trunks_when_learnt(Trunks *trunks, void (*func)(gpointer user), gpointer user);

/* NULL when there is no such trunk, or it is switched off.  Borrowed until it
 * changes. */
const Trunk *trunks_find(Trunks *trunks, const char *name);

/* The next hops of calls out, at once when they are known. */
void trunks_resolve(Trunks *trunks, const char *name, TrunkResolvedFunc func, gpointer user);
void trunks_forget(Trunks *trunks, gpointer user); /* it does not want to know any more */

/* --- by TLS --- */
/* Of any trunk that may be reached by TLS; a TlsFindPeerFunc whose user is Trunks. */
TlsPeer *trunks_peer(gpointer user, const char *name);
/* Why it cannot be reached by TLS, in words; NULL: nothing is known. */
const char *trunks_problem(Trunks *trunks, const char *name);
/* A hop of a dialog with that trunk: it too has to lead to the trunk.  NULL: not by TLS. */
char *trunks_own_way(Trunks *trunks, const char *name, const char *hop);

typedef enum {
	ADMIT_STRANGER,	 /* no trunk could prove itself by it */
	ADMIT_CHALLENGE, /* one could: `challenge` */
	ADMIT_STALE,	 /* the same: it has proven its password, with a nonce too old */
	ADMIT_WRONG,	 /* the same, and it has tried a wrong password */
	ADMIT_TRUNK	 /* `trunk` */
} TrunkAdmission;

/* Whose is this request?  `trunk` (borrowed) or `challenge` (the value of a
 * WWW-Authenticate header, newly allocated) is set. */
TrunkAdmission trunks_admit(Trunks *trunks, GInetAddress *source, const sip_t *sip,
			    const Trunk **trunk, char **challenge);

/* Calls may come from there.  Of an IPv6 address the first 64 bits decide. */
gboolean trunks_know(Trunks *trunks, GInetAddress *source);

/* It is an address of this trunk. */
gboolean trunks_own(Trunks *trunks, const char *name, GInetAddress *source);

/* How the last call through it went, for status(). */
void trunks_note(Trunks *trunks, const char *name, Reason reason, const char *text);
/* Names of all trunks, those that are switched off too; owned by the caller. */
GPtrArray *trunks_names(Trunks *trunks);
/* "enabled, 192.0.2.1:5060/udp, 2 sources, last call out: …"; "" when there is none. */
char *trunks_text(const Trunks *trunks, const char *name);
