/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_private.h - a request on its way through the table of commands.
 *
 * control.c finds the command and makes the reply, control_socket.c has the clients,
 * control_user.c, control_phones.c, control_store.c, control_trunk.c, control_route.c and
 * control_import.c hold what needs the store alone, control_live.c what asks the running
 * gateway, control_audit.c says what was changed.
 * Thread: signalling.
 */
#pragma once
#include <json-glib/json-glib.h>
#include "b2bua/call/admission.h"
#include "b2bua/call/call_stop.h"
#include "b2bua/admin/control.h"

/* WRONG: the words are at fault and nothing was changed (exit status 2). */
#define CONTROL_ERROR (g_quark_from_static_string("tandem-control"))
typedef enum { CONTROL_ERROR_WRONG, CONTROL_ERROR_FAILED } ControlError;

#define CONTROL_MAX_LINE_BYTES 65536
#define CONTROL_MAX_WORDS      64
#define CONTROL_PORTION	       100 /* rows of a list that are made in one go */

typedef struct Request Request;

struct Request {
	Gateway *gateway; /* NULL when no daemon runs */
	Store *store;
	char **words; /* what follows the command, n_words of them */
	guint n_words;
	JsonObject *reply;    /* handlers add to it */
	JsonArray *rows;      /* of reply, once reply_table() was called */
	GArray *changed;      /* Changed, by request_changed() */
	char *who;	      /* "uid 0, pid 4711": who asks */
	char *line;	      /* what he has said */
	gboolean importing;   /* it is a part of an import, whose audit line has it */
	JsonArray *passwords; /* of an import, borrowed: ["name", "password"] made for softphones */

	/* Of a list: adds the rows that come next, after `after` or `after_id`, which it sets;
	 * FALSE: there are no more, or there is an error. */
	gboolean (*more)(Request *request, GError **error);
	char *after;
	gint64 after_id;
	guint left;
};
/* Whether more may come after a page of n rows; the last one is the next one's `after`. */
gboolean request_page(Request *request, guint n, const char *last);

/* One request and its reply, in portions: appends the next; FALSE: that was the last. */
typedef struct Answer Answer;
Answer *answer_new(Gateway *gateway, Store *store, const char *who, const char *line);
gboolean answer_next(Answer *answer, GString *out);
/* Another process writes; nothing was changed, and it may be tried again. */
gboolean answer_is_busy(const Answer *answer);
void answer_free(Answer *answer);	/* NULL is fine */
char *control_refusal(const char *why); /* a reply of its own, with its newline */

/* Another command as a part of this one; its reply is nobody's. */
gboolean request_run(Request *parent, char **words, GError **error);
/* What was changed since the mark has been undone. */
guint request_mark(const Request *request);
void request_forget(Request *request, guint mark);
char *request_changes(const Request *request, guint mark); /* "user a@b, number +1…" */

/* The text is one JSON value and nests no deeper: the parser recurses, and leaks a second. */
gboolean json_is_one(const char *text, guint depth);
gboolean is_wrong_input(const GError *error); /* exit status 2 */

/* --- control_audit.c --- */
GArray *audit_view(Store *store, const char *noun, const char *id);
char *audit_difference(const GArray *before, const GArray *after);
void audit_say(const Request *request, const char *text);

/* The plugins are told of it when the command has succeeded. */
gboolean request_changed(Request *request, Change what, const char *key); /* TRUE */

typedef gboolean (*Handler)(Request *request, GError **error);

typedef struct {
	const char *noun, *verb; /* verb NULL: a command of one word */
	const char *arguments;
	guint n_min, n_max;
	gboolean live;	  /* needs the gateway */
	gboolean changes; /* provisioning */
	Handler handler;
	const char *help;
	void (*keys)(Request *request); /* reply_key() for each KEY=VALUE it takes; or NULL */
} Command;

extern const Command control_user_commands[], control_phone_commands[], control_store_commands[],
	control_trunk_commands[], control_live_commands[];
extern const guint control_n_user_commands, control_n_phone_commands, control_n_store_commands,
	control_n_trunk_commands, control_n_live_commands;

extern const Command control_route_commands[], control_import_commands[];
extern const guint control_n_route_commands, control_n_import_commands;

/* --- control_words.c: NULL or FALSE and the error for what is wrong --- */
char *parse_user(const char *word, GError **error);   /* a bare JID */
char *parse_number(const char *word, GError **error); /* E.164 */
gboolean parse_yes(const char *key, const char *value, gboolean *answer, GError **error);
/* "--hangup" may stand anywhere after the name; it is taken out. */
gboolean take_hangup(Request *request);
/* "key=value", or two words; advances `at`. */
gboolean next_pair(Request *request, guint *at, char **key, char **value, GError **error);

/* --- control_phones.c --- */
char *default_username(const char *jid);
/* password NULL: one is made, and told in request->passwords. */
gboolean softphone_make(Request *request, const char *name, const char *jid, const char *password,
			GError **error);
gboolean
softphone_give_password(Request *request, const char *name, const char *password, GError **error);

/* --- control_trunk_keys.c --- */
gboolean set_trunk_key(Trunk *trunk, const char *name, const char *value, GError **error);
gboolean check_trunk(const Trunk *trunk, GError **error); /* all its keys together */

/* "one", "two" … NULL */
void reply_table(Request *request, const char *column, ...) G_GNUC_NULL_TERMINATED;
JsonArray *reply_row(Request *request);		/* borrowed */
void row_add(JsonArray *row, const char *text); /* NULL: "" */
void row_add_int(JsonArray *row, gint64 number);
void row_add_time(JsonArray *row, gint64 seconds); /* 0: "" */
void reply_pair(Request *request, const char *key, const char *value);
/* A row of `help NOUN VERB`; fallback NULL: none. */
void reply_key(Request *request, const char *name, const char *values, const char *fallback,
	       const char *help);
void reply_text(Request *request, const char *text);
void reply_ended(Request *request, guint n_calls); /* "2 live calls were ended" */
/* The live calls of what has been switched off or deleted: ends them, or says how many go on. */
void reply_live_calls(Request *request, CallsBy by, const char *key, gboolean hangup);
gboolean wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3); /* FALSE */
