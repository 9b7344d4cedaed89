/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* request.h - a request on its way to its function, and what the function says to it.
 *
 * request_read() puts the words where the verb's row has them, each checked by its type;
 * answer.c runs the function; a reply is rows of cells, a text, or an error.  What the words
 * alone are wrong of is an error of VERB_ERROR, and then nothing was changed.
 * Thread: signalling.
 */
#pragma once
#include <json-glib/json-glib.h>
#include "b2bua/admin/actor.h"
#include "b2bua/call/call_stop.h"

#define REQUEST_PORTION 100 /* rows of a list that are made in one go */

typedef struct Request Request;

/* A key and its value, of a word of WORD_KEYS. */
typedef struct {
	const Word *key;
	char *value;
} Pair;

struct Request {
	Gateway *gateway; /* NULL when no daemon runs */
	Store *store;
	const Actor *actor;
	const Verb *verb;
	char **values;	  /* one for each word of the verb; NULL: left out */
	GPtrArray *pairs; /* Pair *, in the order written */
	char **raw;	  /* of a verb of VERB_RAW: n_raw words, and no values */
	guint n_raw;

	JsonObject *reply;    /* functions add to it */
	JsonArray *rows;      /* of reply, once reply_table() was called */
	GArray *changed;      /* of request_changed() */
	gboolean importing;   /* it is a part of an import, whose audit line has it */
	JsonArray *passwords; /* of an import, borrowed: ["name", "password"] made for softphones */
	/* Another request as a part of this one; its reply is nobody's. */
	gboolean (*run)(Request *parent, char **words, GError **error);

	/* Of a list: adds the rows that come next, after `after` or `after_id`, which it sets;
	 * FALSE: there are no more, or there is an error. */
	gboolean (*more)(Request *request, GError **error);
	char *after;
	gint64 after_id;
	guint left;
	guint pause_ms;	   /* set by `more`: nothing new by now, ask again after so long */
	gpointer gathered; /* what it has read so far, if it needs all of it; or NULL */
	GDestroyNotify free_gathered;
};

/* Finds the verb and reads its words; FALSE and an error of VERB_ERROR. */
gboolean request_read(Request *request, char **words, guint n_words, GError **error);
void request_clear(Request *request);		/* what request_read() made */
gboolean request_is_wrong(const GError *error); /* the words', and nothing was changed */
/* The value of the verb's word of this name ("NAME", "--hangup"); NULL: left out. */
const char *request_word(const Request *request, const char *name);
/* The same of a word of WORD_WHOLE, with its default. */
gint64 request_whole(const Request *request, const char *name);
/* How many rows of a list that --last shortens: all, where a time is given and no --last. */
guint request_most(const Request *request, gboolean of_a_time);
/* There may be more than it shows, and nobody has said how many: the reply says so. */
void request_cut(Request *request);
/* The same of an option that is a time, in microseconds since 1970; left out, it stays as it
 * is.  FALSE with an error: it is none. */
gboolean request_time(const Request *request, const char *option, gint64 *us, GError **error);
/* Each key and its value, in the order written, by the function that has its name. */
typedef struct {
	const char *key;
	gboolean (*set)(Request *request, gpointer what, const Pair *pair, GError **error);
} KeyFunction;
gboolean request_set_keys(Request *request, const KeyFunction *functions, gpointer what,
			  GError **error); /* up to one whose key is NULL */

const Config *request_config(const Request *request); /* NULL: there is none */
/* Where `account` (NULL: nobody) is at home, for numbers without a country; or NULL.  New. */
char *request_home(const Request *request, const char *account);
/* Whether more may come after a page of n rows; the last one is the next one's `after`. */
gboolean request_page(Request *request, guint n, const char *last);

/* The plugins are told of it when the request has succeeded.  The Change of the verb's row
 * needs no call. */
void request_changed(Request *request, Change what, const char *key);
void request_tell(const Request *request);
/* What was changed since the mark has been undone. */
guint request_mark(const Request *request);
void request_forget(Request *request, guint mark);
char *request_changes(const Request *request, guint mark); /* "user a@b, number +1…" */
GArray *request_changes_new(void);

/* --- the reply --- */

/* "one", "two" … NULL */
void reply_table(Request *request, const char *column, ...) G_GNUC_NULL_TERMINATED;
JsonArray *reply_row(Request *request);		/* borrowed */
void row_add(JsonArray *row, const char *text); /* NULL: "" */
void row_add_int(JsonArray *row, gint64 number);
void row_add_time(JsonArray *row, gint64 seconds); /* 0: "" */
void reply_pair(Request *request, const char *key, const char *value);
void reply_pair_int(Request *request, const char *key, gint64 value);
void reply_pair_time(Request *request, const char *key, gint64 seconds); /* 0: "" */
void reply_text(Request *request, const char *text);
void reply_ended(Request *request, guint n_calls); /* "2 live calls were ended" */
/* The live calls of what has been switched off or deleted: ends them, or says how many go on. */
void reply_live_calls(Request *request, CallsBy by, const char *key, gboolean hangup);

gboolean wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3); /* FALSE */
