/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* typed.h - what a person has typed, on whatever keyboard, as a command line would have it.
 *
 * Keyboards of telephones and office programs put “…” for "…", a dash for "--", a full stop after
 * two blanks, blanks that do not break; people write "/help", "2)" and "two".
 * Thread: any (pure).
 */
#pragma once
#include "b2bua/admin/verbs.h"

/* The same in the characters of an ASCII keyboard, where it has them; what nobody sees goes. */
char *typed_plain(const char *text);
/* typed_plain() without what stands around a word: "/Help.", "“2)”". */
char *typed_bare(const char *text);
/* What is meant for this word.  Words that are anybody's own, such as a password, stay. */
char *typed_value(const Word *word, const char *text);
/* "two": 2; 0: no such word, or too many. */
guint typed_count(const char *text);
