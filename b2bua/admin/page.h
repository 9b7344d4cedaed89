/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* page.h - the verbs as forms: pages of fields to fill in, and what was filled in.
 *
 * The first page has the verb's words, the second the keys of what they name, with what holds
 * now.  A device has one form of a verb at a time, for an hour; an account sixteen, all
 * accounts together a thousand; the oldest makes way.  As in chat.h nothing is run here.
 * Thread: signalling.  XEP-0050, XEP-0133.
 */
#pragma once
#include "b2bua/admin/chat.h"
#include "b2bua/desk.h"

typedef struct Pages Pages;

#define PAGES_SESSION_S	  3600
#define PAGES_ACCOUNT_MAX 16
#define PAGES_MAX	  1000

/* What follows from an input: a page, or words to be run, whose result is then shown under the
 * same node and session. */
typedef struct {
	DeskPage page;	/* what it points to is the reply's */
	GArray *fields; /* DeskField */
	GPtrArray *texts;
	char *node, *session;
	char **words; /* NULL: the page is all */
	VerbWho kind;
} PageReply;
void page_reply_clear(PageReply *reply);

Pages *pages_new(Gateway *gateway_or_null, Store *store); /* borrowed */
void pages_free(Pages *pages);				  /* NULL is fine */
void pages_input(Pages *pages, const ChatPerson *person, const DeskInput *input, gint64 now_us,
		 PageReply *reply);

char *page_node(const Verb *verb); /* "user-set", or that of XEP-0133 */
/* What it does, as a heading: "Change settings". */
char *page_title(const Verb *verb);
/* NULL: there is none, or not for this person. */
const Verb *page_verb(const ChatPerson *person, const char *node);
gboolean page_may(const ChatPerson *person, const Verb *verb);
