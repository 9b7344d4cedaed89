/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tls.h - TLS of sofia-sip: our certificate, and what it leaves open.
 *
 * sofia-sip listens and speaks TLS itself; what it does not do is done here, by
 * functions of ours in place of its own: the loader prefers them since our module
 * comes before sofia's library.  A connection's SSL is freed.  The certificate is
 * read again when its files change, for the connections after that.  A handshake has
 * TLS_HANDSHAKE_S seconds, and TLS_MAX_PER_SOURCE of them may be open from one
 * address.  A connection to a trunk shows the name that is asked for and has to lead
 * to the trunk (sip_tls_peer.h), and what is sent to it goes by no other.
 * Thread: signalling.  RFC 3261 26.3, RFC 5922.
 */
#pragma once
#include "b2bua/config.h"
#include "plugins/sip/stack/sip_tls_peer.h"

#define TLS_HANDSHAKE_S	   10
#define TLS_MAX_PER_SOURCE 32

/* Reads the certificate; an error names the key and the remedy. */
gboolean tls_start(const Config *config, GError **error);

/* The folder that sofia reads at its start, and needs no longer after that; in
 * it are what `agent.pem` and `cafile.pem` have to be.  Owned here. */
const char *tls_folder(void);
void tls_forget_folder(void);

void tls_stop(void);

/* Whom a connection for that trunk must reach; borrowed, NULL: there is no such one. */
typedef TlsPeer *(*TlsFindPeerFunc)(gpointer user, const char *trunk);
void tls_find_peers(TlsFindPeerFunc func, gpointer user);

/* A connection that was taken from there ("192.0.2.1:5061") is still open. */
gboolean tls_is_taken(const char *source);

/* Since the start: connections, those that never finished their handshake, those
 * refused since their source had too many of them open. */
typedef struct {
	guint64 accepted, unfinished, refused;
	guint waiting;	   /* handshakes that are going on */
	gint64 good_until; /* our certificate; s since 1970 */
} TlsCounters;
const TlsCounters *tls_counters(void);
