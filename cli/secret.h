/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* secret.h - passwords that do not stand on the command line.
 *
 * A key is secret when the table of verbs says so.  Written as "KEY=-"
 * or "KEY -" its value is asked for: at a terminal without echo, else one line of
 * standard input for each.  Written out it is taken as well, and the caller is
 * told to warn, since ps and the shell's history show it.
 */
#pragma once
#include "b2bua/admin/verbs.h"

/* Replaces words, which follow the verb's name, by what was read; FALSE with an error when
 * nothing came.  `shown`: the first key whose value stood on the command line, newly
 * allocated, or NULL. */
gboolean secret_take(const Verb *verb, char **words, char **shown, GError **error);
