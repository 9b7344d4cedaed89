/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* control_private.h - a request on its way through the table of commands.
 *
 * control.c finds the command and prints the reply, control_user.c, control_phones.c,
 * control_store.c and control_trunk.c hold what needs the store alone, control_live.c
 * what asks the running gateway.
 * Thread: signalling.
 */
#pragma once
#include <json-glib/json-glib.h>
#include "b2bua/control.h"

/* WRONG: the words are at fault and nothing was changed (exit status 2). */
#define CONTROL_ERROR (g_quark_from_static_string("tandem-control"))
typedef enum { CONTROL_ERROR_WRONG, CONTROL_ERROR_FAILED } ControlError;

typedef struct {
	Gateway *gateway; /* NULL when no daemon runs */
	Store *store;
	char **words; /* what follows the command, n_words of them */
	guint n_words;
	JsonObject *reply; /* handlers add to it */
	JsonArray *rows;   /* of reply, once reply_table() was called */
	GArray *changed;   /* Changed, by request_changed() */
} Request;

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

extern const Command control_route_commands[];
extern const guint control_n_route_commands;

/* --- control_words.c: NULL or FALSE and the error for what is wrong --- */
char *parse_user(const char *word, GError **error);   /* a bare JID */
char *parse_number(const char *word, GError **error); /* E.164 */
gboolean parse_yes(const char *key, const char *value, gboolean *answer, GError **error);
/* "key=value", or two words; advances `at`. */
gboolean next_pair(Request *request, guint *at, char **key, char **value, GError **error);

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
gboolean wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3); /* FALSE */
