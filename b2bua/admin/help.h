/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* help.h - what the table of verbs says for people: commands, words, keys.
 *
 * The same for the control socket, for tandemctl without any daemon, and for a user.
 * Thread: any (pure).
 */
#pragma once
#include <json-glib/json-glib.h>
#include "b2bua/admin/verbs.h"

/* The members "columns" and "rows" of `reply`: with no noun all commands that `who` may
 * (VERB_OPERATOR, VERB_SELF), with a noun those of it, with a verb its words and keys; FALSE
 * and an error of VERB_ERROR when there is no such command. */
gboolean help_fill(JsonObject *reply, guint who, char **words, guint n_words, GError **error);
