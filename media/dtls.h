/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* dtls.h - a DTLS-SRTP handshake: bytes in, bytes and keys out (RFC 5764).
 *
 * The peer's certificate is compared with the signalled fingerprint before any
 * key leaves (RFC 5763 6.7.1).  Retransmission and the time limit are inside.
 * What OpenSSL keeps for a handshake, 75 KB, goes as soon as the peer needs nothing
 * more of it: datagrams that come later are dropped.
 * Thread: ice, except dtls_context_*: any, once made.
 */
#pragma once
#include "media/media_types.h"
#include "media/srtp.h"

typedef struct DtlsContext DtlsContext; /* certificate and settings of the process */
typedef struct Dtls Dtls;

typedef struct {
	/* One datagram for the peer. */
	void (*send)(gpointer user, const guint8 *data, gsize length);
	/* Exactly one of these, once; the Dtls may not be freed inside. */
	void (*done)(gpointer user, const SrtpKeys *keys);
	void (*failed)(gpointer user, MediaLoss why, const char *text); /* one of DTLS */
} DtlsEvents;

typedef struct {
	gboolean client;
	const char *hash, *fingerprint; /* the peer's, as signalled; copied */
	guint timeout_ms;		/* from dtls_start() */
	guint link_mtu;			/* 0: 1200, as every WebRTC stack; the least is 256 */
	guint keep_ms;			/* as the server, without dtls_proven(); 0: 240 s */
} DtlsOptions;

DtlsContext *dtls_context_new(GError **error);
void dtls_context_free(DtlsContext *context);
const char *dtls_context_fingerprint(const DtlsContext *context); /* sha-256, "AA:BB:…" */

/* `events` is kept, `loop` is the context of the calling ice thread. */
Dtls *dtls_new(DtlsContext *context, GMainContext *loop, const DtlsOptions *options,
	       const DtlsEvents *events, gpointer user);
void dtls_start(Dtls *dtls);	    /* there is a way to the peer now; again does nothing */
guint dtls_heard(const Dtls *dtls); /* datagrams of the peer so far; NULL is none */
void dtls_receive(Dtls *dtls, const guint8 *data, gsize length);
/* Authenticated SRTP or SRTCP of the peer has come, so our last flight has arrived. */
void dtls_proven(Dtls *dtls);
void dtls_free(Dtls *dtls); /* NULL is fine */
