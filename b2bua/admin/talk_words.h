/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* talk_words.h - how a person writes a verb: beginnings, other names, blanks in numbers.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/admin/talk.h"

char **talk_split(const char *line); /* by blanks; "…" holds some together */
/* The verb that the words begin with, of those that the person may use; NULL with an error of
 * one line. */
const Verb *talk_find(const TalkPerson *person, char **words, guint *n_named, GError **error);
/* What was split of a value at its blanks is one again: a number, a list of callers. */
void talk_join(const Verb *verb, char **words);
char *talk_value(const Word *word, const char *text);
/* An operator writes them of somebody else's account. */
gboolean talk_names_another(const Verb *verb, char **words);

/* Beginnings of choices and of keys are written out, where nothing else begins so. */
void talk_expand(const Verb *verb, VerbWho kind, char **words);
/* The choice that a number or a beginning means; what means none as it is.  Borrowed. */
const char *talk_choice(char **choices, const char *text);

gboolean talk_is_help(const char *word);
char *talk_help(const TalkPerson *person, char **words);
