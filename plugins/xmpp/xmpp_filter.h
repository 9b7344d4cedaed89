/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* xmpp_filter.h - the stream between the XMPP server and libstrophe, cut into whole stanzas.
 *
 * libstrophe's parser takes seconds for a stanza of many attributes or many children, and
 * stops hearing for ever after one that is not well-formed.  The filter reads the bytes
 * first: it lets through the stream header, whole stanzas within the limits, and the end of
 * the stream; it leaves out stanzas that are over a limit; it says when the stream is broken.
 *
 * A tag is counted in raw bytes before the parser sees any of it, and the parser is begun
 * anew now and then, since expat remembers every name.
 * Owner: whoever made it.  Thread: any (pure).  RFC 6120 4.9.3, 11.1 and 13.12.
 */
#pragma once
#include <glib.h>

typedef struct XmppFilter XmppFilter;

/* Of one stanza. */
typedef struct {
	gsize stanza_bytes;
	gsize tag_bytes;  /* of one tag, and of the stream header */
	guint depth;	  /* elements inside each other, the stanza is the first */
	guint attributes; /* of one element, declarations of namespaces included */
	guint children;	  /* of one element */
	guint elements;	  /* in all */
} XmppFilterLimits;

extern const XmppFilterLimits xmpp_filter_limits; /* the defaults */

/* Nothing of the filter may be called from inside these. */
typedef struct {
	/* In order: the header, each stanza, the end of the stream.  Borrowed. */
	void (*pass)(gpointer user, const char *bytes, gsize length);
	/* A stanza was left out.  `limit` says which one it was over, for a log line;
	 * `answer` is the error for the one who sent it, where it is an IQ request whose
	 * addresses can be read (RFC 6120 8.2.3), or NULL. */
	void (*left_out)(gpointer user, const char *limit, const char *answer);
} XmppFilterSink;

/* Copies the limits, borrows the sink. */
XmppFilter *
xmpp_filter_new(const XmppFilterLimits *limits, const XmppFilterSink *sink, gpointer user);
void xmpp_filter_free(XmppFilter *filter); /* NULL is fine */

/* The next bytes, cut anywhere.  NULL, or the condition of the stream error that the
 * stream must end with: "not-well-formed", "restricted-xml", "policy-violation".  After
 * that it takes nothing more. */
const char *xmpp_filter_feed(XmppFilter *filter, const char *bytes, gsize length);
