/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* chat_words.h - how a person writes a verb: beginnings, other names, blanks in numbers.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/admin/chat.h"

char **chat_split(const char *line); /* by blanks; "…" holds some together */
/* The verb that the words begin with, of those that the person may use; NULL with an error of
 * one line. */
const Verb *chat_find(const ChatPerson *person, char **words, guint *n_named, GError **error);
/* What was split of a value at its blanks is one again: a number, a list of callers. */
void chat_join(const Verb *verb, char **words);
char *chat_value(const Word *word, const char *text);
/* An operator writes them of somebody else's account. */
gboolean chat_names_another(const Verb *verb, char **words);

/* Beginnings of choices and of keys are written out, where nothing else begins so. */
void chat_expand(const Verb *verb, VerbWho kind, char **words);
/* The choice that a number or a beginning means; what means none as it is.  Borrowed. */
const char *chat_choice(char **choices, const char *text);

gboolean chat_is_help(const char *word);
char *chat_help(const ChatPerson *person, char **words);
