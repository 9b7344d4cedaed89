/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tls.h - TLS of softphones: the certificate, and what sofia-sip leaves open.
 *
 * sofia-sip listens and speaks TLS itself; three things it does not do are done
 * here.  A connection's SSL is freed: two of its functions are replaced by ours,
 * which the loader prefers since our module comes before sofia's library.  The
 * certificate is read again when its files change, for the connections after that.
 * A handshake has TLS_HANDSHAKE_S seconds, and TLS_MAX_PER_SOURCE of them may be
 * open from one address.
 * Thread: signalling.  RFC 3261 26.3, RFC 5922 (of a server's certificate).
 */
#pragma once
#include "b2bua/config.h"

#define TLS_HANDSHAKE_S	   10
#define TLS_MAX_PER_SOURCE 32

/* Reads the certificate; an error names the key and the remedy. */
gboolean tls_start(const Config *config, GError **error);

/* The folder that sofia reads at its start, and needs no longer after that; in
 * it are what `agent.pem` and `cafile.pem` have to be.  Owned here. */
const char *tls_folder(void);
void tls_forget_folder(void);

void tls_stop(void);

/* Since the start: connections, those that never finished their handshake, those
 * refused since their source had too many of them open. */
typedef struct {
	guint64 accepted, unfinished, refused;
	guint waiting; /* handshakes that are going on */
} TlsCounters;
const TlsCounters *tls_counters(void);
