/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* answer.h - one request of verbs.h, run for an actor, and what came of the request.
 *
 * A front (the control socket, later a chat or a form) gives the words and who asks, and shows
 * what the Answer holds: rows in portions, a text, or an error.  A user's words leave out the
 * user's own JID, which stands in the place of the verb's first word.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/actor.h"

typedef enum { ANSWER_DONE = 0, ANSWER_FAILED = 1, ANSWER_WRONG = 2 } AnswerStatus;

typedef struct _JsonObject JsonObject; /* of json-glib */
typedef struct Answer Answer;

/* Runs it.  gateway NULL: no daemon runs, and what needs one is refused.  Everything is
 * borrowed until answer_free(), but the words. */
Answer *answer_new(Gateway *gateway, Store *store, const Actor *actor, char **words);
void answer_free(Answer *answer); /* NULL is fine */

AnswerStatus answer_status(const Answer *answer); /* WRONG: nothing was changed */
const GError *answer_error(const Answer *answer); /* NULL: none; a list may have one at its end */
/* Another process writes; nothing was changed, and it may be tried again. */
gboolean answer_is_busy(const Answer *answer);

/* "columns" and "rows" of a list, "text", and what else there is; borrowed. */
JsonObject *answer_reply(const Answer *answer);
/* A list of any length comes in portions: "rows" has none at first.  TRUE: the next ones have
 * taken the place of those in "rows", and this is to be called again. */
gboolean answer_is_list(const Answer *answer);
gboolean answer_more(Answer *answer);
/* After it: the next rows are still being found out, and it should be called again after so many
 * ms; 0: at once. */
guint answer_pause_ms(const Answer *answer);
