/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hook_way.h - how lines get to the hook: by a program's standard input, or by HTTP.
 *
 * One try at a time.  Thread: the hook's, whose main context is the thread's default.
 */
#pragma once
#include <glib.h>

typedef enum {
	HOOK_TAKEN,
	HOOK_FAILED,  /* now; later it may go */
	HOOK_REFUSED, /* there is something wrong with the lines themselves */
} HookResult;

/* `why` is for people; NULL when they are taken. */
typedef void (*HookDoneFunc)(gpointer user, HookResult result, const char *why);

typedef struct {
	guint most; /* lines of a try */
	/* `text`: JSON objects, each ended by a line feed.  `done` is called once, maybe before
	 * it returns. */
	void (*tell)(gpointer way, const char *text);
	void (*free)(gpointer way); /* of a try under way as well, whose `done` is not called */
} HookWay;

/* Reads them from its standard input and exits with 0 when it has taken all of them; 65
 * (EX_DATAERR) refuses them.  Its standard output goes nowhere, its standard error to that
 * of the daemon.  After `seconds` it is killed, with what it has started. */
gpointer hook_program_new(const char *path, guint seconds, HookDoneFunc done, gpointer user);
extern const HookWay hook_program;

/* POST with the JSON object as its body (RFC 9110).  2xx: taken; 400, 413, 415 and 422: refused;
 * everything else, redirects too: failed. */
gpointer hook_post_new(const char *url, const char *token_or_null, guint seconds, HookDoneFunc done,
		       gpointer user);
extern const HookWay hook_post;
