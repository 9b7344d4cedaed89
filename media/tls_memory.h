/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tls_memory.h - where OpenSSL's large buffers are.
 *
 * A handshake takes 75 KB and gives them back after some milliseconds.  In the heap the next
 * agent's buffers would come to lie there: libnice never writes into its own, but the
 * handshake has made these pages resident, for as long as the call lasts.  So the large
 * ones have memory of their own, which the next handshake takes again.
 * Thread: any, once in use.
 */
#pragma once
#include <glib.h>

/* First thing in a process.  FALSE: OpenSSL has memory already, or the system gives none;
 * then OpenSSL goes on with the heap, and nothing else changes. */
gboolean tls_memory_use(void);

/* For tests: is it a block of ours? */
gboolean tls_memory_owns(const void *block);
