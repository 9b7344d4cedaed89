/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_stream.h - the component stream: libstrophe as a GSource; text in, text out.
 *
 * Connects by itself, and again for ever with a back-off from 0.25 s to 4 s: when the
 * connection ends, when what comes in is no XML, when the server does not answer.
 * What libstrophe needs to be safe (see xmpp_stream.c) is done here, and nobody
 * else includes its header.  Nothing is called back from inside a function of
 * this file; after xmpp_stream_free() nothing is called back at all.
 * Thread: signalling; the default GMainContext.  XEP-0114.
 */
#pragma once
#include <glib.h>

typedef struct XmppStream XmppStream;

typedef struct {
	const char *domain, *host, *secret;
	guint port;
	gsize max_stanza_bytes; /* longer ones are dropped and counted, see xmpp_filter.h */
	gsize max_name_bytes; /* of distinct names, before the stream is opened anew; 0: default */
	guint kept_ms;	      /* of what makes calls, while there is no stream; 0: 10 s */
	guint ping_s;	      /* silence of the server after which it is asked; 0: default */
} XmppStreamOptions;

typedef struct {
	void (*up)(gpointer user);
	void (*down)(gpointer user);
	/* A whole stanza, in the component namespace; ends in a zero as well. */
	void (*stanza)(gpointer user, const char *text, gsize length);
	/* TRUE when a stream that opens anew would disturb nobody. */
	gboolean (*quiet)(gpointer user);
} XmppStreamListener;

typedef struct {
	gboolean up;
	gint64 since; /* s since 1970 of the last change */
	guint64 stanzas_in, stanzas_out;
	guint64 dropped_in, dropped_out; /* too long; no stream and not to be kept */
	guint64 connects;		 /* streams opened so far */
	guint waiting;			 /* kept until the stream is up */
} XmppStreamStatus;

/* Copies the options; borrows the listener.  Returns at once and connects later. */
XmppStream *xmpp_stream_new(const XmppStreamOptions *options, const XmppStreamListener *listener,
			    gpointer user);
/* Says goodbye to the server, waiting for nothing; the listener hears no more.  NULL
 * is fine. */
void xmpp_stream_free(XmppStream *stream);

gboolean xmpp_stream_is_up(const XmppStream *stream);
XmppStreamStatus xmpp_stream_status(const XmppStream *stream);

/* Dropped and counted when there is no stream. */
void xmpp_stream_send(XmppStream *stream, const char *text);
/* Kept, within a bound, until there is one, but for no longer than 10 s: for what makes
 * calls. */
void xmpp_stream_send_sure(XmppStream *stream, const char *text);
/* Kept however long it takes: for what somebody should read. */
void xmpp_stream_send_whenever(XmppStream *stream, const char *text);
/* The same, and sent once more when the stream broke within seconds of it, since
 * the server may never have seen it.  For what ends calls: to hear that twice
 * does no harm, while a client ends a call whose session-accept comes twice. */
void xmpp_stream_send_end(XmppStream *stream, const char *text);

/* Descriptors from this number on are moved below it: libstrophe uses select().
 * For tests; the default is FD_SETSIZE. */
void xmpp_stream_set_highest_fd(int limit);
