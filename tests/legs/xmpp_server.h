/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_server.h - a small XEP-0114 server inside the test program.
 *
 * One component at a time; what it says is split into stanzas and kept in order.
 * Thread: the default GMainContext.
 */
#pragma once
#include <glib.h>

typedef struct XmppServer XmppServer;

/* Not listening yet. */
XmppServer *xmpp_server_new(const char *secret);
void xmpp_server_free(XmppServer *server);
void xmpp_server_set_secret(XmppServer *server, const char *secret);
/* On the loopback; the first time on a port of the kernel's choice, then again on that. */
void xmpp_server_listen(XmppServer *server);
guint xmpp_server_port(const XmppServer *server);
/* The port closes, and with it the stream, without a word. */
void xmpp_server_kill(XmppServer *server);

guint xmpp_server_streams(const XmppServer *server); /* handshakes accepted so far */
guint xmpp_server_refused(const XmppServer *server); /* and refused */
gboolean xmpp_server_is_connected(const XmppServer *server);
void xmpp_server_send(XmppServer *server, const char *text);
/* The next stanza of the component, or NULL; to be freed. */
char *xmpp_server_next(XmppServer *server);
guint xmpp_server_waiting(const XmppServer *server);

/* Runs the main loop until `done` says TRUE; FALSE when that takes too long. */
gboolean wait_for(gboolean (*done)(gpointer user), gpointer user);
#define WAIT_S 20
