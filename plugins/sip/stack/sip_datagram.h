/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_datagram.h - how datagrams are read at the SIP port.
 *
 * Sofia reads one datagram a turn of the loop.  While the loop has other work too, such as an XMPP
 * user who writes without a pause, what comes by UDP would wait for seconds in the kernel: all that
 * is there is read, for five milliseconds a turn.
 * All senders share the queue of the kernel, first come, first served: what is over somebody's rate
 * must cost so little that the calls behind it do not wait.  So the address and the first line are
 * looked at while the datagram is still in the kernel, and what is not admitted is never copied.
 * STUN at the SIP port is not answered: sofia's own answer is larger than what was asked, and
 * goes to whatever address is written there.
 * These are functions in place of sofia's own, which the loader prefers (sip_tls.h).
 * Thread: signalling.
 */
#pragma once
#include <glib.h>
#include <sofia-sip/su.h>

/* Asked with the first line of every datagram before it is read: a request, an answer, or
 * whatever else it is.  FALSE: it is dropped without an answer.  NULL: nobody is asked. */
typedef gboolean (*DatagramAskFunc)(gpointer user, const su_sockaddr_t *from, const char *line);
void datagram_ask(DatagramAskFunc func, gpointer user);

/* A message that is parsed now has come in a datagram, and has been asked about. */
gboolean datagram_is_admitted(void);

/* So far. */
guint64 datagram_n_dropped(void);
guint64 datagram_n_stun(void); /* and other datagrams that begin as STUN does */
