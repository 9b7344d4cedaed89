/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_connection.h - connections that others open to us, by TCP and TLS alike: how many,
 * how long, and how much may wait in them.
 *
 * sofia-sip accepts and reads both in the same way; four of its functions are replaced by
 * ours, which call them (the loader prefers ours, as in sip_tls.h).  A connection is a
 * stranger's until a phone is registered or in a call by it, or when a trunk is at its
 * address.  A stranger has CONNECTION_FIRST_S for his first whole message and
 * CONNECTION_IDLE_S after each, CONNECTION_UNREAD bytes of one that is not whole, and as
 * many connections from one address and in all.  Whoever is no stranger keeps his.
 * Closing is by shutdown(): sofia sees the end and frees what it has.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/config.h"
#include <sofia-sip/su.h>
#include <sofia-sip/tport.h>

#define CONNECTION_FIRST_S     10
#define CONNECTION_IDLE_S      32 /* the time of a transaction */
#define CONNECTION_UNREAD      32768
#define CONNECTION_STRANGERS   256 /* in all */
#define CONNECTION_PER_ADDRESS 32  /* of them; of a trunk a quarter of all */
#define CONNECTION_YOUNG_S     2   /* so long none has to make room for a newer one */

typedef enum { CONNECTION_STRANGER, CONNECTION_PHONE, CONNECTION_TRUNK } ConnectionOwner;

typedef ConnectionOwner (*ConnectionAskFunc)(gpointer user, const su_sockaddr_t *from);

/* From now on.  `descriptors`: of the process, a quarter of which may be used. */
void
connections_start(const Config *config, guint descriptors, ConnectionAskFunc ask, gpointer user);
void connections_stop(void);

/* Asked with each whole message, by UDP as well, before sofia sees it.  TRUE: it has been
 * dealt with, and is gone.  Until connections_stop(). */
typedef gboolean (*ConnectionTakeFunc)(gpointer user, tport_t *transport, msg_t *message);
void connections_take(ConnectionTakeFunc take, gpointer user);

typedef struct {
	guint open, strangers; /* now */
	guint64 accepted;
	guint64 refused; /* there were too many */
	guint64 silent;	 /* no whole message in time, or none for long */
	guint64 flooded; /* too much of a message that was not whole */
	guint64 evicted; /* made room for others */
} ConnectionCounters;
const ConnectionCounters *connection_counters(void);

/* For tests: so much time has passed. */
void connections_skip(guint seconds);
