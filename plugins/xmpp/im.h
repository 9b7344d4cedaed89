/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* im.h - text messages as XMPP has them: what a <message/> says, and a text as one.
 *
 * A telephone knows words and nothing else, so whatever a client sends is one of the kinds
 * below.  A body that stands in for something a telephone cannot do (XEP-0428: the quote
 * before a reply, the smile of a reaction) is meant for such a receiver, and stays.
 * Thread: any (pure, but for the origin of a message that has no origin-id).
 * RFC 6121 section 5.2, XEP-0066, XEP-0184, XEP-0203, XEP-0308, XEP-0359, XEP-0428.
 */
#pragma once
#include "plugins/xmpp/xml.h"

typedef enum {
	IM_NOTHING,    /* typing, markers, copies, headlines, errors: no answer is wanted */
	IM_ROOM,       /* in or about a chat room */
	IM_ENCRYPTED,  /* end to end, so nobody here can read it */
	IM_REACTION,   /* a sign put at an earlier message, without words of its own */
	IM_RETRACTION, /* an earlier message is taken back */
	IM_FILE,       /* a file that has no address */
	IM_TEXT,
	N_IM_KINDS
} ImKind;

typedef struct {
	ImKind kind;
	/* Of a TEXT: what is to be passed on, never empty; NULL of all others. */
	char *body;
	char *language; /* RFC 5646; NULL: it does not say */
	/* Of a TEXT: the same for the same message sent again, and for no other of its author. */
	char *origin;
	/* The same as TextIn.near; NULL-terminated, or NULL. */
	char **near;
	gboolean receipt; /* its author wants to know that it has arrived, and names it by an id */
	gboolean delayed; /* it was kept on its way */
	gint64 written;	  /* seconds since 1970; 0: it does not say */
} Im;

Im *im_read(const xmlNode *message); /* never NULL */
void im_free(Im *im);		     /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Im, im_free)

/* The words of its body, when nobody has encrypted them, without what they answer to; to be
 * freed.  NULL: none. */
char *im_plain(const xmlNode *message);

/* Its origin-id, which no other message of its author ever has (XEP-0359); NULL: none. */
const char *im_sole_id(const xmlNode *message);

/* The id that the author gave the message of that origin: a part of it.  NULL: none, or one
 * that is too long. */
const char *im_origin_id(const char *origin);

/* A whole <message/> of type chat that the server keeps for who is away. */
typedef struct {
	const char *from, *to, *id;
	const char *body;
	const char *language, *nick; /* NULL: none */
	gboolean receipt;	     /* asks for one */
	gint64 written;		     /* seconds since 1970; 0: now */
	const char *kept_by;	     /* a domain: since `written`; NULL: by nobody */
} ImBuild;
xmlNode *im_build(const ImBuild *what);

/* The <message/> of type error about one of that id (NULL: none) from `to` to `from`. */
xmlNode *im_error_new(const char *from, const char *to, const char *id, const XmlStanzaError *what);

/* The id of the message of a text, always the same; and back.  It cannot be made without the
 * secret, and is good for that account only: what somebody says of an id needs nothing that
 * is remembered.  FALSE: it is none of ours, or another account's. */
char *im_id(const char *secret, const char *account, gint64 text);
gboolean im_id_read(const char *secret, const char *account, const char *id, gint64 *text);
