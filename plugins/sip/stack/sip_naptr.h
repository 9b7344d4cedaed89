/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_naptr.h - which transports a domain wants to be reached by: its NAPTR records.
 *
 * GResolver knows no NAPTR, so glibc's resolver is asked, on a thread of GTask's.
 * Only records that lead to SRV (flag "s") by a transport that trunks have are
 * taken: SIP+D2U, SIP+D2T and SIPS+D2T.  RFC 3263 4.1, RFC 3403.
 */
#pragma once
#include <gio/gio.h>

#define NAPTR_MAX_WAYS 8

/* One SRV name, in the parts that GResolver wants, and the transport of what it leads to. */
typedef struct {
	guint order, preference;
	const char *transport;			     /* "udp", "tcp", "tls"; static */
	char service[16], protocol[16], domain[256]; /* "sip", "udp", "example.org" */
} NaptrWay;

/* A DNS answer as it came, to NaptrWay * in the order to be tried; without any
 * when it says nothing that helps or is malformed.  Pure; the caller owns it. */
GPtrArray *naptr_parse(const guint8 *answer, gsize length);

/* Thread: signalling, and `func` is called there.  A domain without NAPTR is no
 * error, it has no ways; after a cancellation `finish` returns NULL. */
void naptr_lookup_async(const char *domain, GCancellable *cancellable, GAsyncReadyCallback func,
			gpointer user);
GPtrArray *naptr_lookup_finish(GAsyncResult *result, GError **error);
