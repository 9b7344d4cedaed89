/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* chat.h - the verbs in a conversation: a line of a person in, lines to read out.
 *
 * A person writes a verb, or the beginning of one, with all of its words or without: what is
 * missing is asked, a question at a time.  Any value may be followed by `next` (leave the
 * question out), `back`, `cancel` or `help`.  Nothing here knows how a line comes or goes, and
 * nothing runs a request: its words are handed out, and what came of them is handed back.
 *
 * A conversation lasts an hour after its last line.  A device has one, an account eight at
 * most, all accounts together a thousand; the oldest makes way.  For some minutes another device
 * of the account may answer in the one that has none.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/form.h"

typedef struct Chat Chat;

#define CHAT_SESSION_S	 3600
#define CHAT_ELSEWHERE_S 300 /* in which another device may answer */
#define CHAT_ACCOUNT_MAX 8
#define CHAT_MAX	 1000

typedef struct {
	const char *account, *device; /* bare and full JID */
	gboolean is_user, is_operator;
} ChatPerson;

/* What follows from a line: one of the two. */
typedef struct {
	char *text;   /* to be said */
	char **words; /* to be run as `kind`, and then said with chat_answer() */
	VerbWho kind;
} ChatReply;
void chat_reply_clear(ChatReply *reply);

Chat *chat_new(Gateway *gateway_or_null, Store *store); /* borrowed */
void chat_free(Chat *chat);				/* NULL is fine */

/* now_us: monotonic. */
void
chat_says(Chat *chat, const ChatPerson *person, const char *text, gint64 now_us, ChatReply *reply);
guint chat_n_sessions(const Chat *chat);
/* When the device, or another of the account a moment ago, was asked what is still open; 0:
 * nothing is. */
gint64 chat_asked_us(Chat *chat, const char *account, const char *device, gint64 now_us);

/* What came of words, as text: `rows` of the answer, all there are unless `cut`. */
typedef struct _JsonArray JsonArray;
char *chat_answer(const Answer *answer, VerbWho kind, JsonArray *rows, gboolean cut);

/* Whether the person may use the verb, and as whom; `words` are those after its name. */
gboolean chat_kind(const ChatPerson *person, const Verb *verb, char **words, VerbWho *kind);
