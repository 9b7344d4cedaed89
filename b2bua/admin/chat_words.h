/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* chat_words.h - how a person writes a verb: beginnings, other names, blanks in numbers.
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/admin/chat.h"

/* By blanks; "…" holds some together.  As typed_plain() has it but for what follows a "=". */
char **chat_split(const char *line);
/* The first words as the name that they mean: "/Hide number" is "Hide-number". */
void chat_name(const ChatPerson *person, char **words);
/* The verb that the words begin with, of those that the person may use; NULL with an error of
 * one line. */
const Verb *chat_find(const ChatPerson *person, char **words, guint *n_named, GError **error);
/* What was split of a value at its blanks is one again: a number, a list of callers. */
void chat_join(const Verb *verb, char **words);
/* An operator writes them of somebody else's account. */
gboolean chat_names_another(const Verb *verb, char **words);

/* Beginnings of choices and of keys are written out, where nothing else begins so. */
void chat_expand(const Verb *verb, VerbWho kind, char **words);
/* The choice that a number or a beginning means; what means none as it is.  Borrowed. */
const char *chat_choice(char **choices, const char *text);

/* What somebody says who is asked something. */
typedef enum { CHAT_ANSWER, CHAT_NEXT, CHAT_BACK, CHAT_CANCEL, CHAT_HELP } ChatSays;
ChatSays chat_means(const char *line);
/* The line begins with the whole name of a command that the person may use. */
gboolean chat_is_command(const ChatPerson *person, const char *line);

gboolean chat_is_help(const char *word);
char *chat_help(const ChatPerson *person, char **words);
