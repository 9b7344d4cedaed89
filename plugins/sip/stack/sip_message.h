/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* sip_message.h - what a MESSAGE carries, and what an answer to one of ours means.
 *
 *   text/plain in UTF-8, US-ASCII, ISO-8859-1   a text
 *   and other charsets of mobile networks
 *   application/im-iscomposing+xml              somebody is typing: taken, and dropped
 *   message/imdn+xml                            what has become of a text of ours
 *   message/cpim                                an envelope of one of these
 *   any other, an unknown charset or encoding   415
 *   no text, no valid text, too long            400, 413
 *
 * Each may be compressed (Content-Encoding: deflate, gzip).
 *
 * Thread: any (pure).  RFC 3428, RFC 3862, RFC 3994, RFC 5438, RFC 7572.
 */
#pragma once
#include "b2bua/reason.h"
#include "plugins/sip/stack/sip_cpim.h"
#include "plugins/sip/stack/sip_imdn.h"

#define MESSAGE_PLAIN	  "text/plain;charset=UTF-8"
#define MESSAGE_ENCODINGS "deflate, gzip, identity"
#define MESSAGE_ACCEPT	  "text/plain, " CPIM_TYPE ", " IMDN_TYPE ", application/im-iscomposing+xml"

/* --- in --- */

/* Header values as text; NULL where the message has none. */
typedef struct {
	const char *type, *encoding, *language;
} MessageHeaders;

typedef enum {
	MESSAGE_REFUSED, /* `status`, `phrase` */
	MESSAGE_TEXT,	 /* `body` */
	MESSAGE_REPORT,	 /* `id`, `report` */
	MESSAGE_TYPING
} MessageKind;

typedef struct {
	MessageKind kind;
	guint status;
	const char *phrase; /* static */
	char *body;	    /* UTF-8, lines by LF, no other control characters but tabs */
	char *language;	    /* RFC 5646, or NULL */
	gint64 written;	    /* seconds since 1970, as its author says; 0: he does not */
	gboolean enveloped; /* it came by CPIM */
	/* By which name its author wants to hear of it, and of what; of a REPORT: of which text. */
	char *id;
	guint wants; /* CpimWants flags */
	ImdnStatus report;
} Message;

/* `max` bytes of text as UTF-8. */
void message_read(const MessageHeaders *headers, const char *data, gsize size, gsize max,
		  Message *message);
void message_clear(Message *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Message, message_clear)

/* Of the request; the tag of From may be NULL. */
typedef struct {
	const char *call_id, *tag;
	guint32 cseq;
	const char *to; /* whom the text is for: one that is sent to several is a text to each */
} MessageNames;

/* The one name of a text for the core (TextIn.origin): the author's own in an envelope, else the
 * request's; it says what the author wants to hear.  New, at most 200 bytes. */
char *message_origin(const Message *message, const MessageNames *names);
/* What is wanted of the text with this origin: flags, and its id (new); 0: nothing. */
guint message_wanted(const char *origin, char **id);

/* --- out --- */

typedef enum {
	OUTCOME_DELIVERED, /* 200: its receiver has it */
	OUTCOME_SENT,	   /* 202, another 2xx: somebody on the way has it */
	OUTCOME_AGAIN,	   /* not now */
	OUTCOME_NEVER
} Outcome;

/* Of a final response; `later`: it has a Retry-After. */
Outcome message_outcome(guint status, gboolean later);
