/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* text.h - text messages, which have no call: what a plugin carries and what it brings.
 *
 * A text that comes is given to text_new(), which answers when the text is on the disk, and
 * not before: the plugin acknowledges it to its network only then.  A text that goes is
 * written first as well; the gateway gives it to the plugin that carries its Way, one at a
 * time of each conversation, until the plugin says that it was sent, or that it never can be.
 * After a restart what may have been sent already is given again, marked `repeated`, with the
 * same id: the plugin makes the names of its protocol (Call-ID, CSeq, stanza id) of that id, so
 * that the receiver can tell the repeat.
 *
 * An installed header.  Thread: signalling, all of it.
 * RFC 3428, RFC 7572, RFC 5438; XEP-0184, XEP-0359.
 */
#pragma once
#include "b2bua/leg.h"

#define TEXT_MAX_BYTES	8192 /* of a body, as UTF-8 */
#define TEXT_LEAST_CODE 3    /* to _MOST_ digits: a number that takes texts, and maybe no calls */
#define TEXT_MOST_CODE	8

#define TEXT_NEAR_SECONDS 3600 /* an author's count may begin anew in it */

typedef enum {
	TEXT_MESSAGE, /* what somebody has written */
	TEXT_COPY, /* what another device of the account has written to `from`: for the history */
	TEXT_RECEIPT, /* to an author: the text that he called `about` has arrived */
	TEXT_ERROR    /* to an author: it never will; `body` says why, for a person */
} TextKind;

/* What is to be sent.  Borrowed during send(). */
typedef struct {
	gint64 id; /* above 0; never given to another text */
	TextKind kind;
	Way way;	     /* WAY_ACCOUNT: all clients of `account`; WAY_TRUNK; WAY_CONTACT: all
			      * registrations of the softphone `device` (Way.contact is 0) */
	const char *account; /* bare JID: whose text it is */
	const char
		*device; /* the softphone's name; of RECEIPT and ERROR to a client: its full JID */
	const Address *from, *to; /* as Target has them */
	const char *body;	  /* UTF-8, not empty; of a RECEIPT NULL */
	const char *language;	  /* RFC 5646, or NULL */
	const char *about;	  /* of RECEIPT and ERROR: as TextIn.origin had it */
	gint64 written;		  /* seconds since 1970 */
	gboolean repeated;	  /* it may have been sent before */
	gboolean receipt;	  /* the author wants to know that it has arrived */
} Text;

struct TextVerbs {
	guint carries; /* WayKind flags */
	/* The most bytes of one body by this way, of WAY_CONTACT to this `device`; 0: no limit.
	 * The gateway cuts a longer one at the ends of words.  NULL: no way has a limit. */
	guint (*room)(const Way *way, const char *device);
	/* Followed by text_sent(), text_delivered() or text_failed() for its id, at once or later.
	 * A plugin that is stopped may forget it. */
	void (*send)(const Text *text);
};

/* --- up --- */

/* A text that has come; everything borrowed. */
typedef struct {
	/* `from` of an account: which of its numbers it is to come from, or anything else: its
	 * usual one. */
	const Address *from, *to;
	const char *trunk;   /* the trunk it came by, authenticated; or NULL */
	const char *account; /* whose client or softphone wrote it: a bare JID; or NULL */
	const char *device;  /* and which: a full JID, a softphone's name; or NULL */
	/* What its author calls it: the same text sent again has the same origin, and no other
	 * text of this trunk, or account, ever has it. */
	const char *origin;
	/* For an author whose names are good for a while: what the same text may have been called
	 * when it was written up to TEXT_NEAR_SECONDS from this one.  NULL-terminated, or NULL. */
	const char *const *near;
	const char *body;	     /* UTF-8 */
	const char *language;	     /* or NULL */
	gint64 written;		     /* seconds since 1970; 0: now */
	gboolean receipt;	     /* its author wants a RECEIPT */
	const Address *hidden;	     /* as in Incoming */
	const GPtrArray *identities; /* the same */
} TextIn;

typedef enum {
	TEXT_TAKEN, /* it is on the disk, now or since an earlier time */
	/* It could not be written in time, and never goes: the author may try again, by the
	 * same origin or another; either is a new text. */
	TEXT_LATER,
	TEXT_REFUSED /* it never will be taken: `reason`, and `words` for a person */
} TextAnswer;

/* `user` is the one given to text_new(); words are borrowed, NULL unless refused. */
typedef void (*TextAnswered)(gpointer user, TextAnswer answer, Reason reason, const char *words);

/* `answered` is called once: from inside, or later (within some seconds). */
void text_new(Gateway *gateway, const Plugin *plugin, const TextIn *text, TextAnswered answered,
	      gpointer user);

/* A trunk sends a text of this account to another number, as the trunk writes it (NULL: to what is
 * no number): it is judged as if the account had texted that one.  TRUE: it may go there, by the
 * same trunk.  FALSE: text_failed() follows, for this reason, in these words (new). */
gboolean text_redirected(Gateway *gateway, const char *account, const char *trunk,
			 const char *number, Reason *reason, char **words);
/* The next hop has the text. */
void text_sent(Gateway *gateway, gint64 id);
/* Its receiver has it: after text_sent(), or instead of it, perhaps after a restart. */
void text_delivered(Gateway *gateway, gint64 id);
/* It was not sent.  `again`: it may be, later (no answer, 503, nobody is registered); the
 * gateway waits, longer each time, and gives up after a day.  `words` for a person, or NULL. */
void text_failed(Gateway *gateway, gint64 id, gboolean again, Reason reason, const char *words);
/* Somebody can be reached again, so that what waits for it is sent at once: a softphone by its
 * name, a trunk by its name, the accounts (key NULL). */
void text_way_is_up(Gateway *gateway, WayKind kind, const char *key);
