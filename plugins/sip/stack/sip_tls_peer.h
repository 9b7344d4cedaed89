/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_tls_peer.h - whom a TLS connection of ours must have reached, and why it has not.
 *
 * A carrier's certificate has to be for the SIP domain that was asked for, not for
 * what its DNS leads to.  A name with "*." for its first label counts, which RFC 5922
 * 7.2 would not have: carriers use such certificates.
 * A peer has a label, a host name that nobody has: it stands for the name, and the
 * address is said beside it, so a connection made for one trunk is no other's.
 * Thread: signalling.  RFC 5922 7.1 to 7.3, RFC 6066 3 (SNI).
 */
#pragma once
#include <glib.h>
#include <openssl/ssl.h>

typedef struct TlsPeer TlsPeer; /* counted */

typedef struct {
	const char *trunk, *name; /* a host name, or an address as written */
	gboolean verify;
	const char *ca_file; /* PEM, of the authorities that count; NULL: the system's */
} TlsPeerSettings;

TlsPeer *tls_peer_new(const TlsPeerSettings *settings);
TlsPeer *tls_peer_ref(TlsPeer *peer);
void tls_peer_unref(TlsPeer *peer); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsPeer, tls_peer_unref)

/* "carrier.1a2b3c4d.trunk.invalid"; another one when the settings are others. */
const char *tls_peer_label(const TlsPeer *peer);
char *tls_peer_trunk_of(const char *label); /* NULL: it is no label */

/* Before a handshake.  FALSE: it must not begin, and the problem says why. */
gboolean tls_peer_prepare(TlsPeer *peer, SSL *ssl);
void tls_peer_reached(TlsPeer *peer);
/* The handshake has ended without a word on the certificate; `why` of OpenSSL, or NULL. */
void tls_peer_failed(TlsPeer *peer, const char *why);

/* In words, with the remedy; NULL: none since the last connection was begun. */
const char *tls_peer_problem(const TlsPeer *peer);

/* Pure. */
gboolean tls_peer_certificate_is_for(X509 *certificate, const char *name);
char *tls_peer_certificate_names(X509 *certificate); /* "a.example, *.b.example" */
