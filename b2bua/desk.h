/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* desk.h - where a person changes what is the own, by chat or by form: the way from a plugin.
 *
 * A plugin that knows who writes, and that nobody else can have written, hands the line or the
 * form over.  What is understood, who may do what, and what is answered is decided behind it
 * (admin/); a plugin only renders.  Answers come at once, or on another turn of the loop.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/leg.h"

typedef struct {
	const char *account; /* bare JID, lower case */
	const char *device;  /* the full JID that is answered */
} DeskPerson;

gboolean desk_is_operator(Gateway *gateway, const char *account); /* of [xmpp] operators */
gboolean desk_is_user(Gateway *gateway, const char *account);	  /* and enabled */
/* Whether somebody is served at all: one of the two.  FALSE too when the store cannot be read. */
gboolean desk_serves(Gateway *gateway, const char *account);

/* `user` is the one given with the question; the rest is borrowed.  `secret`: there is a password
 * in it, which no archive should keep. */
typedef void (*DeskSaid)(gpointer user, const char *device, const char *text, gboolean secret);
/* One line of a chat with the gateway itself.  Answered once by `said`, unless the account has
 * too many lines that wait: FALSE. */
gboolean desk_says(Gateway *gateway, const DeskPerson *person, const char *text, DeskSaid said,
		   gpointer user);

/* When the person was asked what is still open in the chat on that device; 0: nothing is. */
gint64 desk_asked_us(Gateway *gateway, const DeskPerson *person);

/* --- forms, XEP-0050 --- */

typedef struct {
	const char *node, *name;
} DeskCommand;
typedef void (*DeskCommandFunc)(gpointer user, const DeskCommand *command);
/* Those that the person may use; node NULL: all, else the one. */
void desk_commands(Gateway *gateway, const DeskPerson *person, const char *node,
		   DeskCommandFunc func, gpointer user);

typedef enum { DESK_EXECUTE, DESK_NEXT, DESK_PREV, DESK_COMPLETE, DESK_CANCEL } DeskAction;
typedef enum { DESK_TEXT, DESK_PRIVATE, DESK_BOOLEAN, DESK_LIST, DESK_JID } DeskFieldType;

/* Of a page; everything borrowed. */
typedef struct {
	const char *name, *label, *help;
	const char *value; /* NULL: none */
	char **options;	   /* of DESK_LIST */
	DeskFieldType type;
	gboolean required;
} DeskField;

/* What was filled in: names and values, in pairs. */
typedef struct {
	const char *node, *session; /* session NULL: it begins */
	DeskAction action;
	char **names, **values; /* NULL-terminated, of the same length */
} DeskInput;

typedef enum {
	DESK_ASKS, /* a page to fill in */
	DESK_DONE, /* its result */
	DESK_CANCELLED,
	DESK_NO_SUCH,	/* no command of this node for this person */
	DESK_NO_SESSION /* it is over, or was never there */
} DeskStage;

typedef struct {
	DeskStage stage;
	const char *node, *session, *title;
	gboolean may_prev, may_next; /* of DESK_ASKS; all may be completed when there is no next */
	const DeskField *fields;
	guint n_fields;
	const char *note; /* a line for the person; NULL: none */
	gboolean is_error;
	char **columns;	       /* of DESK_DONE: a table; or NULL */
	const GPtrArray *rows; /* char ** each */
} DeskPage;

typedef void (*DeskShows)(gpointer user, const DeskPage *page);
/* Answered once by `shows`, now or later, unless desk_forget() comes first. */
void desk_command(Gateway *gateway, const DeskPerson *person, const DeskInput *input,
		  DeskShows shows, gpointer user);

/* Nothing is answered to `user` any more. */
void desk_forget(Gateway *gateway, gpointer user);

/* --- who is behind it: admin/reception.c --- */
typedef struct {
	gboolean (*says)(Gateway *gateway, const DeskPerson *person, const char *text,
			 DeskSaid said, gpointer user);
	void (*commands)(Gateway *gateway, const DeskPerson *person, const char *node,
			 DeskCommandFunc func, gpointer user);
	void (*command)(Gateway *gateway, const DeskPerson *person, const DeskInput *input,
			DeskShows shows, gpointer user);
	void (*forget)(Gateway *gateway, gpointer user);
	gint64 (*asked_us)(Gateway *gateway, const DeskPerson *person);
} DeskVerbs;
/* First member of what stands in the gateway's parts. */
typedef struct Desk {
	const DeskVerbs *verbs;
} Desk;
