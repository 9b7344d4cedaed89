/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* form.h - a verb that a person fills in: its words and keys as fields, each with what holds now.
 *
 * A chat (chat.h) asks one field after the other, a form (XEP-0050) shows them by the page; both
 * end with the words of one request, which is the request that a command line would have made.
 * Who may write what follows from verbs.h, and what is wrong with a value from word_type.h.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/answer.h"

typedef struct Form Form;

typedef struct {
	const Word *word; /* of the verb, or a key of its word of keys */
	gboolean is_key;
	gboolean required; /* without it there is no request */
	gboolean secret;   /* never shown: `now` is NULL */
	char *value;	   /* what has been written, as it will be kept; NULL: nothing yet */
	char *now;	   /* what holds; NULL: nothing, or not known */
	char **choices;	   /* to choose from; NULL: anything of its type */
} Field;

/* `gateway` may be NULL; the actor is copied.  `words`: those after the verb's name, as they were
 * typed; what is still missing is no error.  NULL with an error of VERB_ERROR. */
Form *form_new(Gateway *gateway, Store *store, const Actor *actor, const Verb *verb, char **words,
	       GError **error);
void form_free(Form *form); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Form, form_free)

const Verb *form_verb(const Form *form);
const Actor *form_actor(const Form *form); /* borrowed */
/* FALSE: it was begun as an operator, by somebody who is none any more. */
gboolean form_may_go_on(const Form *form, gboolean is_operator);

/* Field *, borrowed: those of the verb's words that the actor writes, in their order. */
const GPtrArray *form_words(const Form *form);
gboolean form_has_keys(const Form *form);
/* Those of the keys that the actor may set, once the words say of what; borrowed until the next
 * form_set(), or NULL: the verb has none. */
const GPtrArray *form_keys(Form *form);
/* Field of a key, also by a beginning that no other key has; NULL: none. */
Field *form_key(Form *form, const char *name);

/* FALSE with an error of one line that names the word, the value and the remedy. */
gboolean form_set(Form *form, Field *field, const char *text, GError **error);
void form_clear(Form *form, Field *field); /* as if it had not been written */
/* All that is required is there. */
gboolean form_is_complete(const Form *form);
/* For answer_new(); free with g_strfreev(). */
char **form_request(const Form *form);
