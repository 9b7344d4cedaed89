/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* probe.h - a connection by which a server is looked at, from a thread that may wait.
 *
 * Nothing of a call uses it: it is for `tandemctl doctor`.  Every function ends at the time that
 * was given at the beginning, or when it is cancelled, with an error of G_IO_ERROR.
 * Owner: whoever opened it.  Thread: any but the signalling thread.
 */
#pragma once
#include <gio/gio.h>
#include "media/udp.h"

typedef enum { PROBE_UDP, PROBE_TCP, PROBE_TLS } ProbeKind;

typedef struct Probe Probe;

/* What a server is looked at with. */
typedef struct {
	ProbeKind kind;
	NetAddress to;
	const char *name;    /* of TLS: whom the certificate must be for */
	const char *ca_file; /* of TLS, PEM: the authorities that count; NULL: the system's */
	gint64 until_us;     /* monotonic */
	GCancellable *cancel;
} ProbeTarget;

Probe *probe_open(const ProbeTarget *target, GError **error);
void probe_free(Probe *probe); /* NULL is fine */
gboolean probe_send(Probe *probe, const void *data, gsize length, GError **error);
/* What has come by then; 0 with an error: nothing, or the end. */
gsize probe_receive(Probe *probe, void *data, gsize size, gint64 until_us, GError **error);
/* As the peer sees us from here; after probe_open(). */
gboolean probe_local(const Probe *probe, NetAddress *address);

/* Of the server's certificate; s since 1970, 0: there is none.  And what is wrong with it beside
 * its time, or NULL: a new text. */
gint64 probe_certificate_ends(const Probe *probe);
char *probe_certificate_problem(const Probe *probe, const char *name);

/* --- STUN and TURN --- */

/* How the server sees us. */
gboolean probe_stun(const ProbeTarget *target, NetAddress *mapped, GError **error);
/* An allocation is made with these credentials, and given back. */
gboolean probe_turn(Probe *probe, const char *username, const char *password, NetAddress *relayed,
		    GError **error);
