/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* word_type.h - what may be written for a word or a key of verbs.h, by its type.
 *
 * One place for every front: one line for a mistake, with the word, the value and the remedy.
 * What one value asks of another, or of the store, is the handler's.
 * Thread: signalling.
 */
#pragma once
#include "b2bua/admin/verbs.h"

/* The value as it is kept and compared (a JID in lower case, a number as E.164), or NULL with
 * an error of VERB_ERROR.  `country`: where the account that the value is for is at home, for a
 * number without its country ("0171 1234567"); NULL: such a number is refused. */
char *word_check(const Word *word, const char *text, const char *country, GError **error);

/* Not for `word`'s value: "user bob", "port=bob", "--last bob" and then why; FALSE. */
gboolean word_refuse(const Word *word, const char *text, GError **error, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
