/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_link.h - the socket to the XMPP server, and the filter between it and libstrophe.
 *
 *   server ◄──► link ──filter──► loopback ──► libstrophe
 *                    ◄──────────           ◄──
 *
 * A link is one connection.  It looks the host up and connects without waiting, keeps the
 * connection alive, and then listens on a loopback port for one connection of this very
 * process.  What the server says goes through the filter; what libstrophe says goes out as it
 * is.  When one end closes, the other is closed as soon as it has what is still to come.
 * Owner: the stream.  Nothing is called back from inside a function of this file, and nothing
 * after xmpp_link_free().  Thread: signalling.  XEP-0114.
 */
#pragma once
#include <glib.h>

typedef struct XmppLink XmppLink;

typedef struct {
	/* The server has been reached: connect to xmpp_link_loopback() and this port, then name the
	 * socket with xmpp_link_expect(). */
	void (*ready)(gpointer user, guint16 port);
	/* The server has not been reached, for this reason; the last event of the link. */
	void (*failed)(gpointer user, const char *why);
	/* A stanza was left out, see xmpp_filter.h. */
	void (*left_out)(gpointer user, const char *limit, const char *answer);
	/* What the server sends cannot be read any more: say this stream error and the end of
	 * the stream.  Both ends are closed when that is sent. */
	void (*broken)(gpointer user, const char *condition);
} XmppLinkEvents;

/* Borrows the events. */
XmppLink *xmpp_link_new(const char *host, guint16 port, gsize max_stanza_bytes,
			const XmppLinkEvents *events, gpointer user);
/* Sends what libstrophe has written, as far as the server takes it at once. NULL is fine. */
void xmpp_link_free(XmppLink *link);

/* "127.0.0.1", or "::1" on a machine of IPv6 alone. */
const char *xmpp_link_loopback(void);

/* The socket with which libstrophe connects: any other connection is turned away. */
void xmpp_link_expect(XmppLink *link, int fd);

/* Monotonic time of the last byte that the server has sent. */
gint64 xmpp_link_heard_us(const XmppLink *link);
